/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/scratch.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES ((size_t)16 * 1024)

struct fakeds__scratch_block {
    struct fakeds__scratch_block *next;
    size_t capacity_bytes;
    size_t used_bytes;
    alignas(max_align_t) uint8_t data[];
};

static struct fakeds__scratch_block *add_block(struct fakeds__scratch *scratch, size_t len_bytes);

void *fakeds__scratch_take(struct fakeds__scratch *scratch, size_t count, size_t item_bytes)
{
    struct fakeds__scratch_block *block = scratch->blocks;
    size_t align = alignof(max_align_t);
    if (count > (SIZE_MAX - BLOCK_BYTES) / item_bytes) {
        return NULL;
    }
    size_t len_bytes = (count * item_bytes + align - 1) / align * align;
    if (block == NULL || block->capacity_bytes - block->used_bytes < len_bytes) {
        block = add_block(scratch, len_bytes);
        if (block == NULL) {
            return NULL;
        }
    }
    void *taken = block->data + block->used_bytes;
    block->used_bytes += len_bytes;
    return memset(taken, 0, len_bytes);
}

static struct fakeds__scratch_block *add_block(struct fakeds__scratch *scratch, size_t len_bytes)
{
    size_t capacity_bytes = len_bytes > BLOCK_BYTES ? len_bytes : BLOCK_BYTES;
    struct fakeds__scratch_block *block = malloc(sizeof(*block) + capacity_bytes);
    if (block == NULL) {
        return NULL;
    }
    block->capacity_bytes = capacity_bytes;
    block->used_bytes = 0;
    block->next = scratch->blocks;
    scratch->blocks = block;
    return block;
}

void fakeds__scratch_reset(struct fakeds__scratch *scratch)
{
    struct fakeds__scratch_block *block = scratch->blocks;
    struct fakeds__scratch_block *kept = NULL;
    while (block != NULL) {
        struct fakeds__scratch_block *next = block->next;
        if (kept == NULL && block->capacity_bytes == BLOCK_BYTES) {
            kept = block;
            kept->next = NULL;
            kept->used_bytes = 0;
        } else {
            free(block);
        }
        block = next;
    }
    scratch->blocks = kept;
}

void fakeds__scratch_fini(struct fakeds__scratch *scratch)
{
    while (scratch->blocks != NULL) {
        struct fakeds__scratch_block *next = scratch->blocks->next;
        free(scratch->blocks);
        scratch->blocks = next;
    }
}
