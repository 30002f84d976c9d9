/* SPDX-License-Identifier: Apache-2.0 */
#include <protobuf-c/protobuf-c.h>
#include <stdalign.h>
#include <stdlib.h>

#include "wire/dsrpc.h"

/*
 * Memory of unpacked messages: blocks in a list, filled one after the other. Freeing one thing does
 * nothing; reset empties all blocks and lets go of the ones that only a huge message needed.
 */
struct block {
    struct block *next;
    size_t capacity_bytes;
    size_t used_bytes;
    alignas(max_align_t) uint8_t data[];
};

struct dsrpc_arena {
    ProtobufCAllocator allocator; /* its data is the arena */
    struct block *first;
    struct block *current; /* blocks before it are full, those behind it empty */
    size_t total_bytes;    /* capacity of all blocks */
};

static void *allocate(void *arg, size_t len_bytes);
static void forget(void *arg, void *pointer);
static struct block *add_block(struct dsrpc_arena *arena, size_t len_bytes);
static void free_behind(struct dsrpc_arena *arena, struct block *last);

#define BLOCK_MIN_BYTES   (8u * 1024)
#define BLOCK_MAX_BYTES   (1024u * 1024)
#define ARENA_LIMIT_BYTES (64u * 1024 * 1024)
#define ARENA_KEEP_BYTES  (2u * 1024 * 1024)

struct dsrpc_arena *dsrpc_arena_create(void)
{
    struct dsrpc_arena *arena = calloc(1, sizeof(*arena));
    if (arena == NULL) {
        return NULL;
    }
    arena->allocator =
        (ProtobufCAllocator){.alloc = allocate, .free = forget, .allocator_data = arena};
    return arena;
}

void dsrpc_arena_reset(struct dsrpc_arena *arena)
{
    size_t kept_bytes = 0;
    struct block *last_kept = NULL;
    for (struct block *block = arena->first; block != NULL; block = block->next) {
        kept_bytes += block->capacity_bytes;
        if (kept_bytes > ARENA_KEEP_BYTES) {
            break;
        }
        block->used_bytes = 0;
        last_kept = block;
    }
    free_behind(arena, last_kept);
    arena->current = arena->first;
}

void dsrpc_arena_destroy(struct dsrpc_arena *arena)
{
    if (arena == NULL) {
        return;
    }
    free_behind(arena, NULL);
    free(arena);
}

void *dsrpc_unpack(const struct ProtobufCMessageDescriptor *descriptor, struct rt_slice bytes,
                   struct dsrpc_arena *arena)
{
    static const uint8_t NOTHING[1];
    const uint8_t *data = bytes.len_bytes == 0 ? NOTHING : bytes.data;
    return protobuf_c_message_unpack(descriptor, &arena->allocator, bytes.len_bytes, data);
}

enum rt_status dsrpc_pack(const struct ProtobufCMessage *message, struct dsrpc_arena *arena,
                          struct rt_slice *out_bytes)
{
    size_t len_bytes = protobuf_c_message_get_packed_size(message);
    uint8_t *data = allocate(arena, len_bytes);
    if (data == NULL) {
        *out_bytes = rt_slice_of(NULL, 0);
        return RT_E_NOMEM;
    }
    *out_bytes = rt_slice_of(data, protobuf_c_message_pack(message, data));
    return RT_OK;
}

/* ---- blocks --------------------------------------------------------------------------------- */

static void *allocate(void *arg, size_t len_bytes)
{
    struct dsrpc_arena *arena = arg;
    const size_t grain_bytes = alignof(max_align_t);
    if (len_bytes > ARENA_LIMIT_BYTES) {
        return NULL;
    }
    len_bytes = (len_bytes + grain_bytes - 1) / grain_bytes * grain_bytes;
    struct block *block = arena->current;
    while (block != NULL && block->capacity_bytes - block->used_bytes < len_bytes) {
        block = block->next;
    }
    if (block == NULL) {
        block = add_block(arena, len_bytes);
        if (block == NULL) {
            return NULL;
        }
    }
    arena->current = block;
    void *pointer = block->data + block->used_bytes;
    block->used_bytes += len_bytes;
    return pointer;
}

/* Each block doubles what there is, up to a size where doubling gains nothing any more. */
static struct block *add_block(struct dsrpc_arena *arena, size_t len_bytes)
{
    size_t capacity_bytes = arena->total_bytes;
    if (capacity_bytes < BLOCK_MIN_BYTES) {
        capacity_bytes = BLOCK_MIN_BYTES;
    }
    if (capacity_bytes > BLOCK_MAX_BYTES) {
        capacity_bytes = BLOCK_MAX_BYTES;
    }
    if (capacity_bytes < len_bytes) {
        capacity_bytes = len_bytes;
    }
    if (capacity_bytes > ARENA_LIMIT_BYTES - arena->total_bytes) {
        return NULL;
    }
    struct block *block = malloc(sizeof(*block) + capacity_bytes);
    if (block == NULL) {
        return NULL;
    }
    *block = (struct block){.capacity_bytes = capacity_bytes};
    arena->total_bytes += capacity_bytes;
    struct block **link = &arena->first;
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = block;
    return block;
}

/* Nothing is freed one by one. */
static void forget(void *arg, void *pointer)
{
    (void)arg;
    (void)pointer;
}

/* NULL: all blocks go. */
static void free_behind(struct dsrpc_arena *arena, struct block *last)
{
    struct block **link = last == NULL ? &arena->first : &last->next;
    struct block *block = *link;
    *link = NULL;
    while (block != NULL) {
        struct block *next = block->next;
        arena->total_bytes -= block->capacity_bytes;
        free(block);
        block = next;
    }
    arena->current = arena->first;
}
