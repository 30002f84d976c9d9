/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONNECTOR_SERIALIZER_OMNI_STACK_H
#define CONNECTOR_SERIALIZER_OMNI_STACK_H

#include <stdalign.h>

#include "connector/omni_value.h"

/*
 * The explicit stack of everything that walks a tree of values: a nesting bomb costs heap, as
 * much as its depth, and never the thread's stack. Shallow trees cost no allocation.
 */
#define OMNI_STACK_INLINE_BYTES 2048U

struct omni_stack {
    size_t frame_bytes;
    size_t count;
    size_t capacity;
    uint8_t *frames; /* `inline_frames` or the heap */
    alignas(max_align_t) uint8_t inline_frames[OMNI_STACK_INLINE_BYTES];
};

void omni__stack_init(struct omni_stack *stack, size_t frame_bytes);
void omni__stack_fini(struct omni_stack *stack);

/* Room for one more frame, its bytes undefined; earlier frames may have moved. NULL: no memory. */
RT_NODISCARD void *omni__stack_push(struct omni_stack *stack);
void omni__stack_pop(struct omni_stack *stack);
void *omni__stack_top(struct omni_stack *stack); /* NULL when empty */

/* Child `index` of an array, or of a map: key 0, value 0, key 1, ... */
const struct omni_value *omni__child(const struct omni_value *container, size_t index);
size_t omni__child_count(const struct omni_value *value); /* 0 of a value without children */

#endif
