/* SPDX-License-Identifier: Apache-2.0 */
#include "document/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_BLOCK_BYTES   ((size_t)4096)
#define LARGEST_BLOCK_BYTES ((size_t)1 << 20)

struct doc__arena_block {
    struct doc__arena_block *next;
    max_align_t data[];
};

static char *block_bytes(struct doc__arena_block *block)
{
    return (char *)block->data;
}

void doc__arena_init(struct doc__arena *arena)
{
    *arena = (struct doc__arena){0};
}

void doc__arena_fini(struct doc__arena *arena)
{
    struct doc__arena_block *block = arena->blocks;

    while (block != NULL) {
        struct doc__arena_block *next = block->next;
        free(block);
        block = next;
    }
    doc__arena_init(arena);
}

/* Blocks double, so that a large document costs few of them and a small one little memory. */
static bool add_block(struct doc__arena *arena, size_t at_least_bytes)
{
    struct doc__arena_block *block;
    size_t size_bytes = arena->size_bytes == 0 ? FIRST_BLOCK_BYTES : arena->size_bytes * 2;

    if (size_bytes > LARGEST_BLOCK_BYTES) {
        size_bytes = LARGEST_BLOCK_BYTES;
    }
    if (size_bytes < at_least_bytes) {
        size_bytes = at_least_bytes;
    }
    block = calloc(1, sizeof(*block) + size_bytes);
    if (block == NULL) {
        return false;
    }
    block->next = arena->blocks;
    arena->blocks = block;
    arena->used_bytes = 0;
    arena->size_bytes = size_bytes;
    return true;
}

void *doc__arena_alloc(struct doc__arena *arena, size_t size_bytes)
{
    const size_t align = alignof(max_align_t);
    void *memory;

    if (size_bytes > SIZE_MAX / 2) {
        return NULL;
    }
    size_bytes = (size_bytes + align - 1) / align * align;
    if (arena->blocks == NULL || arena->size_bytes - arena->used_bytes < size_bytes) {
        if (!add_block(arena, size_bytes)) {
            return NULL;
        }
    }
    memory = block_bytes(arena->blocks) + arena->used_bytes;
    arena->used_bytes += size_bytes;
    return memory;
}

void *doc__arena_alloc_array(struct doc__arena *arena, size_t count, size_t item_size_bytes)
{
    if (item_size_bytes != 0 && count > SIZE_MAX / 2 / item_size_bytes) {
        return NULL;
    }
    return doc__arena_alloc(arena, count * item_size_bytes);
}

char *doc__arena_copy(struct doc__arena *arena, struct rt_slice text)
{
    char *copy = doc__arena_alloc(arena, text.len_bytes + 1);

    if (copy != NULL && text.len_bytes > 0) {
        memcpy(copy, text.data, text.len_bytes);
    }
    return copy;
}

char *doc__arena_vprintf(struct doc__arena *arena, const char *format, va_list args)
{
    va_list again;
    char *text = NULL;
    int len;

    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, args);
    if (len >= 0) {
        text = doc__arena_alloc(arena, (size_t)len + 1);
    }
    if (text != NULL) {
        (void)vsnprintf(text, (size_t)len + 1, format, again);
    }
    va_end(again);
    return text;
}

char *doc__arena_printf(struct doc__arena *arena, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = doc__arena_vprintf(arena, format, args);
    va_end(args);
    return text;
}
