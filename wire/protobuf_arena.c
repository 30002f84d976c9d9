/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/protobuf_arena.h"

#include <stdalign.h>
#include <stdlib.h>

/* Each block doubles what there is, up to a size where doubling gains nothing any more. */
#define BLOCK_MAX_BYTES  ((size_t)1024 * 1024)
#define GROW_FIRST_COUNT 8

struct pb_arena_block {
    struct pb_arena_block *next;
    size_t capacity_bytes;
    size_t used_bytes;
    alignas(max_align_t) uint8_t data[];
};

static void *allocate(void *arg, size_t len_bytes);
static void forget(void *arg, void *pointer);
static void *take_slow(struct pb_arena *arena, size_t len_bytes);
static struct pb_arena_block *add_block(struct pb_arena *arena, size_t len_bytes);
static void free_behind(struct pb_arena *arena, struct pb_arena_block *last);

void pb_arena_init(struct pb_arena *arena, const struct pb_arena_limits *limits)
{
    *arena =
        (struct pb_arena){.allocator = {.alloc = allocate, .free = forget, .allocator_data = arena},
                          .limits = limits};
}

void pb_arena_fini(struct pb_arena *arena)
{
    free_behind(arena, NULL);
}

/* Blocks that only a huge request needed are given back. */
void pb_arena_reset(struct pb_arena *arena)
{
    struct pb_arena_block *last_kept = NULL;
    size_t kept_bytes = 0;
    if (arena->first != NULL && arena->current == arena->first &&
        arena->total_bytes <= arena->limits->keep_bytes) {
        arena->first->used_bytes = 0; /* the others are empty */
        return;
    }
    for (struct pb_arena_block *block = arena->first; block != NULL; block = block->next) {
        kept_bytes += block->capacity_bytes;
        if (kept_bytes > arena->limits->keep_bytes) {
            break;
        }
        block->used_bytes = 0;
        last_kept = block;
    }
    free_behind(arena, last_kept);
    arena->current = arena->first;
}

void *pb_arena_take(struct pb_arena *arena, size_t len_bytes)
{
    struct pb_arena_block *block = arena->current;
    size_t rounded_bytes =
        (len_bytes + alignof(max_align_t) - 1) & ~(size_t)(alignof(max_align_t) - 1);
    if (rounded_bytes < len_bytes) {
        return NULL;
    }
    if (block != NULL && rounded_bytes <= block->capacity_bytes - block->used_bytes) {
        void *taken = block->data + block->used_bytes;
        block->used_bytes += rounded_bytes;
        return taken;
    }
    return take_slow(arena, rounded_bytes);
}

static void *take_slow(struct pb_arena *arena, size_t len_bytes)
{
    struct pb_arena_block *block = arena->current;
    while (block != NULL && block->next != NULL) {
        block = block->next; /* empty since the reset */
        arena->current = block;
        if (len_bytes <= block->capacity_bytes) {
            block->used_bytes = len_bytes;
            return block->data;
        }
    }
    block = add_block(arena, len_bytes);
    if (block == NULL) {
        return NULL;
    }
    block->used_bytes = len_bytes;
    return block->data;
}

static struct pb_arena_block *add_block(struct pb_arena *arena, size_t len_bytes)
{
    size_t limit_bytes = arena->limits->total_bytes;
    size_t capacity_bytes = arena->limits->block_min_bytes;
    while (capacity_bytes < BLOCK_MAX_BYTES && capacity_bytes < arena->total_bytes) {
        capacity_bytes *= 2;
    }
    capacity_bytes = capacity_bytes < len_bytes ? len_bytes : capacity_bytes;
    if (capacity_bytes > limit_bytes - arena->total_bytes) {
        return NULL;
    }
    struct pb_arena_block *block = malloc(sizeof(*block) + capacity_bytes);
    if (block == NULL) {
        return NULL;
    }
    block->next = NULL;
    block->capacity_bytes = capacity_bytes;
    if (arena->current == NULL) {
        arena->first = block;
    } else {
        arena->current->next = block; /* nothing is behind it, see take_slow */
    }
    arena->current = block;
    arena->total_bytes += capacity_bytes;
    return block;
}

void *pb_arena_array(struct pb_arena *arena, size_t count, size_t item_bytes)
{
    if (item_bytes != 0 && count > SIZE_MAX / item_bytes) {
        return NULL;
    }
    void *items = pb_arena_take(arena, count * item_bytes);
    if (items != NULL) {
        memset(items, 0, count * item_bytes);
    }
    return items;
}

void *pb_arena_grow(struct pb_arena *arena, void *items, size_t count, size_t *io_capacity,
                    size_t item_bytes)
{
    if (count < *io_capacity) {
        return items;
    }
    size_t capacity = *io_capacity == 0 ? GROW_FIRST_COUNT : *io_capacity * 2;
    void *grown =
        capacity > SIZE_MAX / item_bytes ? NULL : pb_arena_take(arena, capacity * item_bytes);
    if (grown == NULL) {
        return NULL;
    }
    if (count > 0) {
        memcpy(grown, items, count * item_bytes);
    }
    *io_capacity = capacity;
    return grown;
}

static void *allocate(void *arg, size_t len_bytes)
{
    return pb_arena_take(arg, len_bytes);
}

static void forget(void *arg, void *pointer)
{
    (void)arg;
    (void)pointer;
}

/* NULL: all of them. */
static void free_behind(struct pb_arena *arena, struct pb_arena_block *last)
{
    struct pb_arena_block *block = last == NULL ? arena->first : last->next;
    while (block != NULL) {
        struct pb_arena_block *next = block->next;
        arena->total_bytes -= block->capacity_bytes;
        free(block);
        block = next;
    }
    if (last == NULL) {
        arena->first = NULL;
        arena->current = NULL;
    } else {
        last->next = NULL;
    }
}
