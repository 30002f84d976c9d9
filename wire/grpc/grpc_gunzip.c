/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/grpc/grpc_server_internal.h"

#include <zlib.h>

/* zlib's window bits for gzip and nothing else. */
#define GZIP_WINDOW_BITS (16 + MAX_WBITS)

/* Of the smallest gzip file; its last four bytes are the length of what is inside. */
#define GZIP_MIN_BYTES 18

static enum rt_status inflate_all(z_stream *stream, uint64_t max_bytes,
                                  struct rt_blob_builder *builder);
static uint64_t announced_of(struct rt_slice packed);

/* Memory grows with what comes out and stops at the limit, whatever is announced. */
enum rt_status grpc__gunzip(struct rt_slice packed, uint64_t max_bytes, struct rt_blob **out_blob,
                            uint64_t *out_len_bytes)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)packed.data,
                       .avail_in = (uInt)packed.len_bytes};
    uint64_t announced_bytes = announced_of(packed);
    struct rt_blob_builder builder;
    enum rt_status status;

    if (packed.len_bytes < GZIP_MIN_BYTES) {
        return RT_E_MALFORMED;
    }
    if (announced_bytes > max_bytes) {
        *out_len_bytes = announced_bytes;
        return RT_E_LIMIT;
    }
    if (inflateInit2(&stream, GZIP_WINDOW_BITS) != Z_OK) {
        return RT_E_NOMEM;
    }
    rt_blob_builder_init(&builder, (size_t)announced_bytes);
    status = inflate_all(&stream, max_bytes, &builder);
    inflateEnd(&stream);
    *out_len_bytes = stream.total_out;
    if (status == RT_OK) {
        *out_blob = rt_blob_builder_finish(&builder);
        status = *out_blob == NULL ? RT_E_NOMEM : RT_OK;
    }
    rt_blob_builder_fini(&builder);
    return status;
}

/* Modulo 2^32, and only what the sender says. */
static uint64_t announced_of(struct rt_slice packed)
{
    const uint8_t *end = packed.data + packed.len_bytes;

    if (packed.len_bytes < GZIP_MIN_BYTES) {
        return 0;
    }
    return (uint64_t)end[-4] | (uint64_t)end[-3] << 8 | (uint64_t)end[-2] << 16 |
           (uint64_t)end[-1] << 24;
}

/* RT_OK: exactly what was announced came out. */
static enum rt_status inflate_all(z_stream *stream, uint64_t max_bytes,
                                  struct rt_blob_builder *builder)
{
    int result = Z_OK;
    Bytef surplus[1];

    while (result == Z_OK) {
        uint8_t *room = surplus;
        size_t room_bytes = 0;

        if (!rt_blob_builder_is_full(builder) &&
            rt_blob_builder_space(builder, &room, &room_bytes) != RT_OK) {
            return RT_E_NOMEM;
        }
        stream->next_out = room_bytes == 0 ? surplus : room;
        stream->avail_out = room_bytes == 0 ? (uInt)sizeof(surplus) : (uInt)room_bytes;
        result = inflate(stream, Z_NO_FLUSH);
        if (room_bytes == 0 && stream->avail_out == 0) {
            return stream->total_out > max_bytes ? RT_E_LIMIT : RT_E_MALFORMED;
        }
        if (room_bytes > 0) {
            rt_blob_builder_commit(builder, room_bytes - stream->avail_out);
        }
    }
    return result == Z_STREAM_END && rt_blob_builder_is_full(builder) ? RT_OK : RT_E_MALFORMED;
}
