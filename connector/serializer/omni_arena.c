/* SPDX-License-Identifier: Apache-2.0 */
#include "connector/serializer/omni_arena.h"

#include <stdalign.h>
#include <stdlib.h>

/*
 * Memory of one tree of values: pieces that are only ever freed together. The first piece comes
 * with the arena itself, so that a small value costs one allocation.
 */
#define FIRST_PIECE_BYTES 2048U
#define NEXT_PIECE_BYTES  16384U

struct piece {
    struct piece *next;
    size_t used_bytes;
    size_t len_bytes;
    alignas(max_align_t) uint8_t bytes[];
};

struct held_blob {
    struct held_blob *next;
    struct rt_blob *blob;
};

struct omni_arena {
    struct rt_blob *home; /* whose room it lies in; NULL: memory of its own */
    struct held_blob *held;
    struct piece *pieces; /* the one being filled comes first; NULL: only `first` */
    size_t first_used_bytes;
    alignas(max_align_t) uint8_t first[FIRST_PIECE_BYTES];
};

static void init(struct omni_arena *arena, struct rt_blob *home);
static void *alloc_from(uint8_t *bytes, size_t total_bytes, size_t *used_bytes, size_t len_bytes);
static struct piece *add_piece(struct omni_arena *arena, size_t len_bytes);
static void drop_blobs(struct omni_arena *arena);

struct omni_arena *omni_arena_create(void)
{
    struct omni_arena *arena = malloc(sizeof(*arena));
    if (arena != NULL) {
        init(arena, NULL);
    }
    return arena;
}

struct omni_arena *omni__arena_with_copy(struct rt_slice bytes, struct rt_blob **out_copy)
{
    uint8_t *data = NULL;
    void *room = NULL;
    struct rt_blob *copy =
        rt_blob_create_with_room(bytes.len_bytes, sizeof(struct omni_arena), &data, &room);
    if (copy == NULL) {
        return NULL;
    }
    if (bytes.len_bytes > 0) {
        memcpy(data, bytes.data, bytes.len_bytes);
    }
    init(room, copy);
    *out_copy = rt_blob_retain(copy);
    return room;
}

static void init(struct omni_arena *arena, struct rt_blob *home)
{
    arena->home = home;
    arena->held = NULL;
    arena->pieces = NULL;
    arena->first_used_bytes = 0;
}

void *omni_arena_alloc(struct omni_arena *arena, size_t len_bytes)
{
    const size_t alignment = alignof(max_align_t);
    if (len_bytes > SIZE_MAX / 2) {
        return NULL;
    }
    size_t rounded_bytes = (len_bytes + alignment - 1) / alignment * alignment;
    struct piece *piece = arena->pieces;
    void *found = piece == NULL ? alloc_from(arena->first, sizeof(arena->first),
                                             &arena->first_used_bytes, rounded_bytes)
                                : alloc_from(piece->bytes, piece->len_bytes, &piece->used_bytes,
                                             rounded_bytes);
    if (found != NULL) {
        return found;
    }
    piece = add_piece(arena, rounded_bytes);
    if (piece == NULL) {
        return NULL;
    }
    return alloc_from(piece->bytes, piece->len_bytes, &piece->used_bytes, rounded_bytes);
}

static void *alloc_from(uint8_t *bytes, size_t total_bytes, size_t *used_bytes, size_t len_bytes)
{
    if (len_bytes > total_bytes - *used_bytes) {
        return NULL;
    }
    void *found = bytes + *used_bytes;
    *used_bytes += len_bytes;
    return found;
}

/* Something larger than a piece gets its own, exactly as large. */
static struct piece *add_piece(struct omni_arena *arena, size_t len_bytes)
{
    size_t piece_bytes = len_bytes > NEXT_PIECE_BYTES ? len_bytes : NEXT_PIECE_BYTES;
    struct piece *piece = malloc(sizeof(*piece) + piece_bytes);
    if (piece == NULL) {
        return NULL;
    }
    piece->used_bytes = 0;
    piece->len_bytes = piece_bytes;
    piece->next = arena->pieces;
    arena->pieces = piece;
    return piece;
}

enum rt_status omni_arena_hold(struct omni_arena *arena, struct rt_blob *blob)
{
    if (arena->held != NULL && arena->held->blob == blob) {
        return RT_OK;
    }
    struct held_blob *held = omni_arena_alloc(arena, sizeof(*held));
    if (held == NULL) {
        return RT_E_NOMEM;
    }
    held->blob = rt_blob_retain(blob);
    held->next = arena->held;
    arena->held = held;
    return RT_OK;
}

void omni_arena_reset(struct omni_arena *arena)
{
    drop_blobs(arena);
    while (arena->pieces != NULL) {
        struct piece *piece = arena->pieces;
        arena->pieces = piece->next;
        free(piece);
    }
    arena->first_used_bytes = 0;
}

static void drop_blobs(struct omni_arena *arena)
{
    for (struct held_blob *held = arena->held; held != NULL; held = held->next) {
        rt_blob_release(held->blob);
    }
    arena->held = NULL;
}

void omni_arena_destroy(struct omni_arena *arena)
{
    if (arena == NULL) {
        return;
    }
    omni_arena_reset(arena);
    if (arena->home != NULL) {
        rt_blob_release(arena->home); /* somebody may still hold the bytes */
    } else {
        free(arena);
    }
}
