/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/regions.h"

#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>

/* Whole huge pages: 32 faults instead of 16,384 for 64 MiB. */
#define ALIGN_BYTES ((size_t)2 * 1024 * 1024)

/* What is kept for the next taker, all together. */
#define KEPT_MAX_COUNT 4
#define KEPT_MAX_BYTES ((size_t)160 * 1024 * 1024)

struct kept {
    void *region; /* NULL: a free place */
    size_t len_bytes;
};

static pthread_mutex_t kept_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct kept kept[KEPT_MAX_COUNT];
static size_t kept_bytes;

static void *take_kept(size_t len_bytes, size_t *out_len_bytes);
static void *map_aligned(size_t len_bytes);

void *rt__region_take(size_t len_bytes, size_t *out_len_bytes)
{
    void *region;

    if (len_bytes > SIZE_MAX / 2) {
        return NULL;
    }
    len_bytes = (len_bytes + ALIGN_BYTES - 1) / ALIGN_BYTES * ALIGN_BYTES;
    region = take_kept(len_bytes, out_len_bytes);
    if (region == NULL) {
        region = map_aligned(len_bytes);
        if (region != NULL) {
            *out_len_bytes = len_bytes;
        }
    }
    return region;
}

/* One that fits, and is not so large that its pages would be missed elsewhere. */
static void *take_kept(size_t len_bytes, size_t *out_len_bytes)
{
    void *region = NULL;

    pthread_mutex_lock(&kept_mutex);
    for (size_t i = 0; i < KEPT_MAX_COUNT && region == NULL; i++) {
        if (kept[i].region != NULL && kept[i].len_bytes >= len_bytes &&
            kept[i].len_bytes / 2 <= len_bytes) {
            region = kept[i].region;
            *out_len_bytes = kept[i].len_bytes;
            kept_bytes -= kept[i].len_bytes;
            kept[i].region = NULL;
        }
    }
    pthread_mutex_unlock(&kept_mutex);
    return region;
}

static void *map_aligned(size_t len_bytes)
{
    /* The system aligns to small pages: ask for more and give the edges back. */
    size_t asked_bytes = len_bytes + ALIGN_BYTES;
    uint8_t *mapped = mmap(NULL, asked_bytes, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    size_t before_bytes;

    if (mapped == MAP_FAILED) {
        return NULL;
    }
    before_bytes = (ALIGN_BYTES - (uintptr_t)mapped % ALIGN_BYTES) % ALIGN_BYTES;
    if (before_bytes > 0) {
        munmap(mapped, before_bytes);
    }
    munmap(mapped + before_bytes + len_bytes, ALIGN_BYTES - before_bytes);
    madvise(mapped + before_bytes, len_bytes, MADV_HUGEPAGE); /* a wish, no more */
    return mapped + before_bytes;
}

void rt__region_give(void *region, size_t len_bytes)
{
    pthread_mutex_lock(&kept_mutex);
    for (size_t i = 0; i < KEPT_MAX_COUNT; i++) {
        if (kept[i].region == NULL && len_bytes <= KEPT_MAX_BYTES - kept_bytes) {
            kept[i] = (struct kept){region, len_bytes};
            kept_bytes += len_bytes;
            region = NULL;
            break;
        }
    }
    pthread_mutex_unlock(&kept_mutex);
    if (region != NULL) {
        munmap(region, len_bytes);
    }
}
