/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/grpc/grpc_queue.h"

static bool take_prefix(struct grpc__reader *reader, struct rt_slice *inout_bytes);
static enum grpc__read_result take_body(struct grpc__reader *reader, uint32_t announced_bytes,
                                        struct rt_slice *inout_bytes,
                                        struct grpc__received *out_received);
static uint32_t length_of(const uint8_t *prefix);
static void skip(struct rt_slice *inout_bytes, size_t len_bytes);

void grpc__reader_init(struct grpc__reader *reader)
{
    *reader = (struct grpc__reader){0};
}

void grpc__reader_fini(struct grpc__reader *reader)
{
    rt_blob_release(reader->blob);
    rt_blob_builder_fini(&reader->builder);
    *reader = (struct grpc__reader){0};
}

bool grpc__reader_is_amid(const struct grpc__reader *reader)
{
    return reader->prefix_bytes > 0;
}

enum grpc__read_result grpc__reader_take(struct grpc__reader *reader, uint64_t max_bytes,
                                         struct rt_slice *inout_bytes,
                                         struct grpc__received *out_received)
{
    uint32_t announced_bytes;

    if (reader->blob != NULL) {
        rt_blob_release(reader->blob);
        reader->blob = NULL;
    }
    if (reader->prefix_bytes < GRPC__PREFIX_BYTES) {
        if (!take_prefix(reader, inout_bytes)) {
            return GRPC__READ_MORE;
        }
        rt_blob_builder_init(&reader->builder, length_of(reader->prefix));
    }
    announced_bytes = length_of(reader->prefix);
    out_received->flags = reader->prefix[0];
    out_received->len_bytes = announced_bytes;
    if (announced_bytes > max_bytes) {
        return GRPC__READ_TOO_LONG;
    }
    return take_body(reader, announced_bytes, inout_bytes, out_received);
}

/* False: it is not complete yet. */
static bool take_prefix(struct grpc__reader *reader, struct rt_slice *inout_bytes)
{
    while (reader->prefix_bytes < GRPC__PREFIX_BYTES) {
        if (inout_bytes->len_bytes == 0) {
            return false;
        }
        reader->prefix[reader->prefix_bytes++] = inout_bytes->data[0];
        skip(inout_bytes, 1);
    }
    return true;
}

static enum grpc__read_result take_body(struct grpc__reader *reader, uint32_t announced_bytes,
                                        struct rt_slice *inout_bytes,
                                        struct grpc__received *out_received)
{
    struct rt_blob_builder *builder = &reader->builder;

    if (builder->filled_bytes == 0 && inout_bytes->len_bytes >= announced_bytes) {
        out_received->message = rt_slice_of(inout_bytes->data, announced_bytes);
        skip(inout_bytes, announced_bytes);
        reader->prefix_bytes = 0;
        return GRPC__READ_MESSAGE;
    }
    while (inout_bytes->len_bytes > 0 && !rt_blob_builder_is_full(builder)) {
        size_t room_bytes;
        uint8_t *room;

        if (rt_blob_builder_space(builder, &room, &room_bytes) != RT_OK) {
            return GRPC__READ_NOMEM;
        }
        room_bytes = room_bytes < inout_bytes->len_bytes ? room_bytes : inout_bytes->len_bytes;
        memcpy(room, inout_bytes->data, room_bytes);
        rt_blob_builder_commit(builder, room_bytes);
        skip(inout_bytes, room_bytes);
    }
    if (!rt_blob_builder_is_full(builder)) {
        return GRPC__READ_MORE;
    }
    reader->blob = rt_blob_builder_finish(builder);
    reader->prefix_bytes = 0;
    out_received->message = rt_blob_slice(reader->blob);
    return GRPC__READ_MESSAGE;
}

static uint32_t length_of(const uint8_t *prefix)
{
    return (uint32_t)prefix[1] << 24 | (uint32_t)prefix[2] << 16 | (uint32_t)prefix[3] << 8 |
           prefix[4];
}

static void skip(struct rt_slice *inout_bytes, size_t len_bytes)
{
    if (len_bytes > 0) {
        inout_bytes->data += len_bytes;
        inout_bytes->len_bytes -= len_bytes;
    }
}
