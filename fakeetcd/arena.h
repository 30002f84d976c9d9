/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_ARENA_H
#define FAKEETCD_ARENA_H

#include "wire/protobuf_arena.h"

/* Memory of one request: what was unpacked, and the answer under construction. One thread. */

struct fakeetcd__arena {
    struct pb_arena memory; /* its allocator is for protobuf-c */
};

static inline void fakeetcd__arena_init(struct fakeetcd__arena *arena)
{
    static const struct pb_arena_limits limits = {.block_min_bytes = (size_t)16 * 1024,
                                                  .keep_bytes = (size_t)4 * 1024 * 1024,
                                                  .total_bytes = (size_t)256 * 1024 * 1024};

    pb_arena_init(&arena->memory, &limits);
}

static inline void fakeetcd__arena_fini(struct fakeetcd__arena *arena)
{
    pb_arena_fini(&arena->memory);
}

static inline void fakeetcd__arena_reset(struct fakeetcd__arena *arena)
{
    pb_arena_reset(&arena->memory);
}

/* Aligned for anything, not zeroed. NULL: no memory, or more than 256 MiB in all. */
RT_NODISCARD static inline void *fakeetcd__arena_take(struct fakeetcd__arena *arena,
                                                      size_t len_bytes)
{
    return pb_arena_take(&arena->memory, len_bytes);
}

/* An array, zeroed. NULL also when the product overflows. */
RT_NODISCARD static inline void *fakeetcd__arena_array(struct fakeetcd__arena *arena, size_t count,
                                                       size_t item_bytes)
{
    return pb_arena_array(&arena->memory, count, item_bytes);
}

/* `items` (NULL at first) with room for one more behind `count`: they themselves, or copied into
 * twice the room. NULL: no memory. */
RT_NODISCARD static inline void *fakeetcd__arena_grow(struct fakeetcd__arena *arena, void *items,
                                                      size_t count, size_t *io_capacity,
                                                      size_t item_bytes)
{
    return pb_arena_grow(&arena->memory, items, count, io_capacity, item_bytes);
}

#endif
