/* SPDX-License-Identifier: Apache-2.0 */
#include "connector/client/ds_scratch.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ALIGN_BYTES        ((size_t)16)
#define KEEP_BYTES         ((size_t)1024 * 1024)
#define CAPACITY_MIN_BYTES ((size_t)512)

/* Saturates: a count that no memory could hold must not wrap around. */
size_t ds__scratch_cost(size_t count, size_t item_bytes)
{
    if (item_bytes != 0 && count > (SIZE_MAX / 4) / item_bytes) {
        return SIZE_MAX / 4;
    }
    return (count * item_bytes + ALIGN_BYTES - 1) / ALIGN_BYTES * ALIGN_BYTES;
}

enum rt_status ds__scratch_reserve(struct ds__scratch *scratch, size_t total_bytes)
{
    if (total_bytes > scratch->capacity_bytes) {
        size_t capacity =
            total_bytes < CAPACITY_MIN_BYTES ? CAPACITY_MIN_BYTES : total_bytes + total_bytes / 4;
        unsigned char *bytes = malloc(capacity);
        if (bytes == NULL) {
            return RT_E_NOMEM;
        }
        free(scratch->bytes);
        scratch->bytes = bytes;
        scratch->capacity_bytes = capacity;
    }
    scratch->used_bytes = 0;
    return RT_OK;
}

void *ds__scratch_take(struct ds__scratch *scratch, size_t count, size_t item_bytes)
{
    size_t cost = ds__scratch_cost(count, item_bytes);
    assert(cost <= scratch->capacity_bytes - scratch->used_bytes);
    if (cost == 0) {
        return NULL;
    }
    void *piece = scratch->bytes + scratch->used_bytes;
    memset(piece, 0, cost);
    scratch->used_bytes += cost;
    return piece;
}

void ds__scratch_trim(struct ds__scratch *scratch)
{
    scratch->used_bytes = 0;
    if (scratch->capacity_bytes > KEEP_BYTES) {
        ds__scratch_fini(scratch);
    }
}

void ds__scratch_fini(struct ds__scratch *scratch)
{
    free(scratch->bytes);
    *scratch = (struct ds__scratch){0};
}
