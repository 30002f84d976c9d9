/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_ARENA_H
#define FAKEETCD_ARENA_H

#include "runtime/slice.h"
#include "runtime/status.h"

#include <protobuf-c/protobuf-c.h>

/*
 * Memory of one request: what was unpacked, and the answer under construction. Taking is a
 * pointer's move, giving back does nothing; reset empties it all and keeps what a usual request
 * needs. One thread.
 */
struct fakeetcd__arena_block;

struct fakeetcd__arena {
    ProtobufCAllocator allocator; /* for protobuf-c; its data is the arena */
    struct fakeetcd__arena_block *first;
    struct fakeetcd__arena_block *current; /* those behind it are empty */
    uint64_t total_bytes;
};

void fakeetcd__arena_init(struct fakeetcd__arena *arena);
void fakeetcd__arena_fini(struct fakeetcd__arena *arena);
void fakeetcd__arena_reset(struct fakeetcd__arena *arena);

/* Aligned for anything, not zeroed. NULL: no memory, or more than 256 MiB in all. */
RT_NODISCARD void *fakeetcd__arena_take(struct fakeetcd__arena *arena, size_t len_bytes);
/* An array, zeroed. NULL also when the product overflows. */
RT_NODISCARD void *fakeetcd__arena_array(struct fakeetcd__arena *arena, size_t count,
                                         size_t item_bytes);

#endif
