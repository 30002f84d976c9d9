/* SPDX-License-Identifier: Apache-2.0 */
#include "faults/memory.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCK_BYTES ((size_t)1024)

struct fault__block {
    struct fault__block *next;
    size_t used_bytes;
    size_t size_bytes;
    alignas(max_align_t) unsigned char data[];
};

static struct fault__block *grow(struct fault__memory *memory, size_t size_bytes);

void *fault__alloc(struct fault__memory *memory, size_t size_bytes)
{
    const size_t alignment = alignof(max_align_t);
    struct fault__block *block = memory->blocks;
    void *data;

    if (size_bytes > SIZE_MAX / 2) {
        return NULL;
    }
    size_bytes = (size_bytes + alignment - 1) / alignment * alignment;
    if (block == NULL || block->size_bytes - block->used_bytes < size_bytes) {
        block = grow(memory, size_bytes);
        if (block == NULL) {
            return NULL;
        }
    }
    data = block->data + block->used_bytes;
    block->used_bytes += size_bytes;
    return data;
}

static struct fault__block *grow(struct fault__memory *memory, size_t size_bytes)
{
    size_t block_bytes = size_bytes > BLOCK_BYTES ? size_bytes : BLOCK_BYTES;
    struct fault__block *block = calloc(1, sizeof(*block) + block_bytes);

    if (block != NULL) {
        block->size_bytes = block_bytes;
        block->next = memory->blocks;
        memory->blocks = block;
    }
    return block;
}

char *fault__copy(struct fault__memory *memory, struct rt_slice text)
{
    char *copy = fault__alloc(memory, text.len_bytes + 1);

    if (copy != NULL && text.len_bytes > 0) {
        memcpy(copy, text.data, text.len_bytes);
    }
    return copy;
}

char *fault__printf(struct fault__memory *memory, const char *format, ...)
{
    va_list args;
    int len_bytes;
    char *text;

    va_start(args, format);
    len_bytes = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len_bytes < 0) {
        return NULL;
    }
    text = fault__alloc(memory, (size_t)len_bytes + 1);
    if (text != NULL) {
        va_start(args, format);
        vsnprintf(text, (size_t)len_bytes + 1, format, args);
        va_end(args);
    }
    return text;
}

void fault__memory_fini(struct fault__memory *memory)
{
    while (memory->blocks != NULL) {
        struct fault__block *block = memory->blocks;

        memory->blocks = block->next;
        free(block);
    }
}
