/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_PROTOBUF_ARENA_H
#define WIRE_PROTOBUF_ARENA_H

#include "runtime/slice.h"
#include "runtime/status.h"

#include <protobuf-c/protobuf-c.h>

/*
 * Memory of messages that are unpacked or put together, for one request after the other. Taking is
 * a pointer's move, giving back does nothing; reset empties it all and keeps what a usual request
 * needs. One thread.
 */
struct pb_arena_block;

struct pb_arena_limits {
    size_t block_min_bytes;
    size_t keep_bytes;  /* blocks beyond it go at a reset: only a huge message needed them */
    size_t total_bytes; /* of all blocks */
};

struct pb_arena {
    ProtobufCAllocator allocator; /* for protobuf-c; its data is the arena, which must not move */
    const struct pb_arena_limits *limits;
    struct pb_arena_block *first;
    struct pb_arena_block *current; /* those behind it are empty */
    size_t total_bytes;             /* capacity of all blocks */
};

/* Nothing is allocated yet. `limits` outlives the arena. */
void pb_arena_init(struct pb_arena *arena, const struct pb_arena_limits *limits);
void pb_arena_fini(struct pb_arena *arena);
void pb_arena_reset(struct pb_arena *arena);

/* Aligned for anything, not zeroed, valid until the reset. NULL: no memory, or beyond the limit. */
RT_NODISCARD void *pb_arena_take(struct pb_arena *arena, size_t len_bytes);
/* An array, zeroed. NULL also when the product overflows. */
RT_NODISCARD void *pb_arena_array(struct pb_arena *arena, size_t count, size_t item_bytes);
/* `items` (NULL at first) with room for one more behind `count`: they themselves, or copied into
 * twice the room. NULL: no memory. */
RT_NODISCARD void *pb_arena_grow(struct pb_arena *arena, void *items, size_t count,
                                 size_t *io_capacity, size_t item_bytes);

#endif
