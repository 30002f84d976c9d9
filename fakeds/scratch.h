/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEDS_SCRATCH_H
#define FAKEDS_SCRATCH_H

#include <stddef.h>

/*
 * Memory for lists that live as long as one request is worked on: nothing is freed one by one.
 * One thread.
 */
struct fakeds__scratch_block;

struct fakeds__scratch {
    struct fakeds__scratch_block *blocks; /* the newest first */
};

/* Zeroed bytes, aligned for anything. NULL when out of memory. `count` may be 0. */
void *fakeds__scratch_take(struct fakeds__scratch *scratch, size_t count, size_t item_bytes);

/* Forgets everything; one block of moderate size is kept for the next request. */
void fakeds__scratch_reset(struct fakeds__scratch *scratch);
void fakeds__scratch_fini(struct fakeds__scratch *scratch);

#endif
