/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/blob.h"
#include "runtime/regions.h"
#include "runtime/sanitizers.h"

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>

/* A builder starts with this much: what a stream reads at once anyway. */
#define BUILDER_START_BYTES ((size_t)64 * 1024)

/* A blob that is still arriving gets address space for all of it, but not for more than this. */
#define RESERVE_MAX_BYTES ((size_t)1024 * 1024 * 1024)

/* Sanitizers see what happens to memory that malloc() gave. */
#define HAS_REGIONS (!RT_HAS_ADDRESS_SANITIZER)

struct rt_blob {
    atomic_size_t reference_count;
    size_t len_bytes;
    size_t region_bytes;      /* of the region it lies in; 0: malloc() gave it */
    const uint8_t *data;      /* inline_bytes, or what was wrapped */
    rt_blob_free_fn *free_fn; /* wrapped memory only */
    void *arg;
    alignas(max_align_t) uint8_t inline_bytes[];
};

/* Memory of all blobs that live, their bookkeeping included, so that an empty one counts too. */
static atomic_size_t live_bytes;

static struct rt_blob *grow_inline(struct rt_blob *blob, size_t len_bytes, size_t final_bytes);
static struct rt_blob *grow_in_region(struct rt_blob *blob, size_t len_bytes, size_t final_bytes);
static void free_inline(struct rt_blob *blob);
static size_t size_of(const struct rt_blob *blob);

struct rt_blob *rt_blob_create(size_t len_bytes, uint8_t **out_data)
{
    struct rt_blob *blob = grow_inline(NULL, len_bytes, len_bytes);

    if (blob == NULL) {
        return NULL;
    }
    *out_data = blob->inline_bytes;
    return blob;
}

/* A new blob, or one that nobody shares yet made longer. It may get as long as `final_bytes`. NULL:
 * the old one is untouched. */
static struct rt_blob *grow_inline(struct rt_blob *blob, size_t len_bytes, size_t final_bytes)
{
    size_t old_bytes = blob == NULL ? 0 : size_of(blob);
    struct rt_blob *grown;

    if (len_bytes > SIZE_MAX - sizeof(*grown)) {
        return NULL;
    }
    if (HAS_REGIONS && sizeof(*grown) + len_bytes >= RT__REGION_MIN_BYTES) {
        grown = grow_in_region(blob, len_bytes, final_bytes);
    } else {
        grown = realloc(blob, sizeof(*grown) + len_bytes);
        if (grown != NULL) {
            grown->region_bytes = 0;
        }
    }
    if (grown == NULL) {
        return NULL;
    }
    if (blob == NULL) {
        atomic_init(&grown->reference_count, 1);
        grown->free_fn = NULL;
        grown->arg = NULL;
    }
    grown->len_bytes = len_bytes;
    grown->data = grown->inline_bytes;
    atomic_fetch_add_explicit(&live_bytes, size_of(grown) - old_bytes, memory_order_relaxed);
    return grown;
}

static struct rt_blob *grow_in_region(struct rt_blob *blob, size_t len_bytes, size_t final_bytes)
{
    size_t reserve_bytes = final_bytes < RESERVE_MAX_BYTES ? final_bytes : RESERVE_MAX_BYTES;
    struct rt_blob *grown;
    size_t region_bytes;

    if (blob != NULL && blob->region_bytes >= sizeof(*blob) + len_bytes) {
        return blob;
    }
    if (reserve_bytes < len_bytes) {
        reserve_bytes = len_bytes;
    }
    grown = rt__region_take(sizeof(*grown) + reserve_bytes, &region_bytes);
    if (grown == NULL) {
        return NULL;
    }
    if (blob != NULL) {
        memcpy((void *)grown, blob, size_of(blob));
        free_inline(blob);
    }
    grown->region_bytes = region_bytes;
    return grown;
}

static void free_inline(struct rt_blob *blob)
{
    if (blob->region_bytes > 0) {
        rt__region_give(blob, blob->region_bytes);
    } else {
        free(blob);
    }
}

static size_t size_of(const struct rt_blob *blob)
{
    return sizeof(*blob) + blob->len_bytes;
}

struct rt_blob *rt_blob_copy(struct rt_slice bytes)
{
    uint8_t *data;
    struct rt_blob *blob = rt_blob_create(bytes.len_bytes, &data);

    if (blob != NULL && bytes.len_bytes > 0) {
        memcpy(data, bytes.data, bytes.len_bytes);
    }
    return blob;
}

/* The room is not counted as living: releasing knows only of the bytes. */
struct rt_blob *rt_blob_create_with_room(size_t len_bytes, size_t room_bytes, uint8_t **out_data,
                                         void **out_room)
{
    const size_t alignment = alignof(max_align_t);
    if (len_bytes > SIZE_MAX / 4 || room_bytes > SIZE_MAX / 4) {
        return NULL;
    }
    size_t room_start = (len_bytes + alignment - 1) / alignment * alignment;
    struct rt_blob *blob = rt_blob_create(room_start + room_bytes, out_data);

    if (blob == NULL) {
        return NULL;
    }
    *out_room = blob->inline_bytes + room_start;
    atomic_fetch_sub_explicit(&live_bytes, blob->len_bytes - len_bytes, memory_order_relaxed);
    blob->len_bytes = len_bytes;
    return blob;
}

struct rt_blob *rt_blob_wrap(void *data, size_t len_bytes, rt_blob_free_fn *free_fn, void *arg)
{
    struct rt_blob *blob = malloc(sizeof(*blob));

    if (blob == NULL) {
        return NULL;
    }
    atomic_init(&blob->reference_count, 1);
    blob->len_bytes = len_bytes;
    blob->region_bytes = 0;
    blob->data = data;
    blob->free_fn = free_fn;
    blob->arg = arg;
    atomic_fetch_add_explicit(&live_bytes, size_of(blob), memory_order_relaxed);
    return blob;
}

struct rt_blob *rt_blob_retain(struct rt_blob *blob)
{
    atomic_fetch_add_explicit(&blob->reference_count, 1, memory_order_relaxed);
    return blob;
}

void rt_blob_release(struct rt_blob *blob)
{
    if (blob == NULL ||
        atomic_fetch_sub_explicit(&blob->reference_count, 1, memory_order_acq_rel) != 1) {
        return;
    }
    atomic_fetch_sub_explicit(&live_bytes, size_of(blob), memory_order_relaxed);
    if (blob->free_fn != NULL) {
        /* The wrapper gave writable memory away; it gets the same pointer back. */
        blob->free_fn(blob->arg, (void *)(uintptr_t)blob->data);
    }
    free_inline(blob);
}

struct rt_slice rt_blob_slice(const struct rt_blob *blob)
{
    return rt_slice_of(blob->data, blob->len_bytes);
}

size_t rt_blob_live_count(void)
{
    return atomic_load_explicit(&live_bytes, memory_order_relaxed);
}

/* ---- builder ------------------------------------------------------------------------------ */

void rt_blob_builder_init(struct rt_blob_builder *builder, size_t total_bytes)
{
    *builder = (struct rt_blob_builder){.total_bytes = total_bytes};
}

enum rt_status rt_blob_builder_space(struct rt_blob_builder *builder, uint8_t **out_data,
                                     size_t *out_len_bytes)
{
    if (builder->filled_bytes == builder->capacity_bytes &&
        builder->filled_bytes < builder->total_bytes) {
        size_t left_bytes = builder->total_bytes - builder->filled_bytes;
        size_t growth_bytes = builder->blob == NULL ? BUILDER_START_BYTES : builder->capacity_bytes;
        size_t capacity_bytes =
            builder->filled_bytes + (growth_bytes < left_bytes ? growth_bytes : left_bytes);
        struct rt_blob *blob = grow_inline(builder->blob, capacity_bytes, builder->total_bytes);

        if (blob == NULL) {
            return RT_E_NOMEM;
        }
        builder->blob = blob;
        builder->capacity_bytes = capacity_bytes;
    }
    *out_data = builder->blob == NULL ? NULL : builder->blob->inline_bytes + builder->filled_bytes;
    *out_len_bytes = builder->capacity_bytes - builder->filled_bytes;
    return RT_OK;
}

void rt_blob_builder_commit(struct rt_blob_builder *builder, size_t len_bytes)
{
    assert(len_bytes <= builder->capacity_bytes - builder->filled_bytes);
    builder->filled_bytes += len_bytes;
}

bool rt_blob_builder_is_full(const struct rt_blob_builder *builder)
{
    return builder->filled_bytes == builder->total_bytes;
}

struct rt_blob *rt_blob_builder_finish(struct rt_blob_builder *builder)
{
    struct rt_blob *blob = builder->blob;
    uint8_t *data;

    assert(rt_blob_builder_is_full(builder));
    if (blob == NULL) {
        /* Nothing was announced, so nothing has been allocated. */
        blob = rt_blob_create(0, &data);
    }
    *builder = (struct rt_blob_builder){0};
    return blob;
}

void rt_blob_builder_fini(struct rt_blob_builder *builder)
{
    rt_blob_release(builder->blob);
    *builder = (struct rt_blob_builder){0};
}
