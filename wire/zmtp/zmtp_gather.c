/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/zmtp/zmtp_codec.h"

#include <assert.h>
#include <stdlib.h>

/* The frames of one message: see struct zmtp__gather. */
static bool make_frame_room(struct zmtp__gather *gather);
static bool make_small_room(struct zmtp__gather *gather, size_t len_bytes);

/* What one big message left behind is not kept for the life of the connection. */
#define KEEP_BYTES (1024u * 1024)

void zmtp__gather_fini(struct zmtp__gather *gather)
{
    zmtp__gather_clear(gather);
    free(gather->frames);
    free(gather->small);
    *gather = (struct zmtp__gather){0};
}

void zmtp__gather_clear(struct zmtp__gather *gather)
{
    for (size_t i = 0; i < gather->frame_count; i++) {
        rt_blob_release(gather->frames[i].blob);
    }
    gather->frame_count = 0;
    gather->small_bytes = 0;
    gather->total_bytes = 0;
    if (gather->small_capacity_bytes > KEEP_BYTES) {
        free(gather->small);
        gather->small = NULL;
        gather->small_capacity_bytes = 0;
    }
}

enum rt_status zmtp__gather_add(struct zmtp__gather *gather, struct rt_slice bytes)
{
    if (!make_frame_room(gather) || !make_small_room(gather, bytes.len_bytes)) {
        return RT_E_NOMEM;
    }
    if (bytes.len_bytes > 0) {
        memcpy(gather->small + gather->small_bytes, bytes.data, bytes.len_bytes);
    }
    gather->small_bytes += bytes.len_bytes;
    gather->total_bytes += bytes.len_bytes;
    gather->frames[gather->frame_count++] =
        (struct zmtp_frame){.bytes = rt_slice_of(NULL, bytes.len_bytes)};
    return RT_OK;
}

enum rt_status zmtp__gather_add_blob(struct zmtp__gather *gather, struct rt_blob *blob)
{
    if (!make_frame_room(gather)) {
        rt_blob_release(blob);
        return RT_E_NOMEM;
    }
    struct rt_slice bytes = rt_blob_slice(blob);
    gather->total_bytes += bytes.len_bytes;
    gather->frames[gather->frame_count++] = (struct zmtp_frame){.bytes = bytes, .blob = blob};
    return RT_OK;
}

struct zmtp_message zmtp__gather_finish(struct zmtp__gather *gather)
{
    size_t offset_bytes = 0;
    for (size_t i = 0; i < gather->frame_count; i++) {
        struct zmtp_frame *frame = &gather->frames[i];
        if (frame->blob == NULL && frame->bytes.len_bytes > 0) {
            frame->bytes.data = gather->small + offset_bytes;
            offset_bytes += frame->bytes.len_bytes;
        }
    }
    assert(offset_bytes == gather->small_bytes);
    return (struct zmtp_message){.frames = gather->frames,
                                 .frame_count = gather->frame_count,
                                 .total_bytes = gather->total_bytes};
}

/* ---- room ----------------------------------------------------------------------------------- */

static bool make_frame_room(struct zmtp__gather *gather)
{
    if (gather->frame_count < gather->frame_capacity) {
        return true;
    }
    size_t capacity = gather->frame_capacity == 0 ? 8 : gather->frame_capacity * 2;
    struct zmtp_frame *frames = realloc(gather->frames, capacity * sizeof(*frames));
    if (frames == NULL) {
        return false;
    }
    gather->frames = frames;
    gather->frame_capacity = capacity;
    return true;
}

/* The codec bounds the sum, so doubling cannot overflow. */
static bool make_small_room(struct zmtp__gather *gather, size_t len_bytes)
{
    size_t needed_bytes = gather->small_bytes + len_bytes;
    size_t capacity_bytes = gather->small_capacity_bytes == 0 ? 512 : gather->small_capacity_bytes;
    while (capacity_bytes < needed_bytes) {
        capacity_bytes *= 2;
    }
    if (capacity_bytes == gather->small_capacity_bytes) {
        return true;
    }
    uint8_t *small = realloc(gather->small, capacity_bytes);
    if (small == NULL) {
        return false;
    }
    gather->small = small;
    gather->small_capacity_bytes = capacity_bytes;
    return true;
}
