/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/dsrpc/dsrpc.h"
#include "wire/protobuf_arena.h"

#include <stdlib.h>

struct dsrpc_arena {
    struct pb_arena memory;
};

static const struct pb_arena_limits limits = {.block_min_bytes = (size_t)8 * 1024,
                                              .keep_bytes = (size_t)2 * 1024 * 1024,
                                              .total_bytes = (size_t)64 * 1024 * 1024};

struct dsrpc_arena *dsrpc_arena_create(void)
{
    struct dsrpc_arena *arena = malloc(sizeof(*arena));
    if (arena != NULL) {
        pb_arena_init(&arena->memory, &limits);
    }
    return arena;
}

void dsrpc_arena_reset(struct dsrpc_arena *arena)
{
    pb_arena_reset(&arena->memory);
}

void dsrpc_arena_destroy(struct dsrpc_arena *arena)
{
    if (arena != NULL) {
        pb_arena_fini(&arena->memory);
        free(arena);
    }
}

void *dsrpc_unpack(const struct ProtobufCMessageDescriptor *descriptor, struct rt_slice bytes,
                   struct dsrpc_arena *arena)
{
    static const uint8_t NOTHING[1];
    const uint8_t *data = bytes.len_bytes == 0 ? NOTHING : bytes.data;
    return protobuf_c_message_unpack(descriptor, &arena->memory.allocator, bytes.len_bytes, data);
}

enum rt_status dsrpc_pack(const struct ProtobufCMessage *message, struct dsrpc_arena *arena,
                          struct rt_slice *out_bytes)
{
    size_t len_bytes = protobuf_c_message_get_packed_size(message);
    uint8_t *data = pb_arena_take(&arena->memory, len_bytes);
    if (data == NULL) {
        *out_bytes = rt_slice_of(NULL, 0);
        return RT_E_NOMEM;
    }
    *out_bytes = rt_slice_of(data, protobuf_c_message_pack(message, data));
    return RT_OK;
}
