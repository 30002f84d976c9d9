/* SPDX-License-Identifier: Apache-2.0 */
#include "connector/serializer/omni_stack.h"

#include <stdlib.h>

static bool grow(struct omni_stack *stack);

void omni__stack_init(struct omni_stack *stack, size_t frame_bytes)
{
    stack->frame_bytes = frame_bytes;
    stack->count = 0;
    stack->capacity = sizeof(stack->inline_frames) / frame_bytes;
    stack->frames = stack->inline_frames;
}

void omni__stack_fini(struct omni_stack *stack)
{
    if (stack->frames != stack->inline_frames) {
        free(stack->frames);
    }
}

void *omni__stack_push(struct omni_stack *stack)
{
    if (stack->count == stack->capacity && !grow(stack)) {
        return NULL;
    }
    return stack->frames + stack->frame_bytes * stack->count++;
}

static bool grow(struct omni_stack *stack)
{
    bool is_inline = stack->frames == stack->inline_frames;
    size_t len_bytes = stack->capacity * stack->frame_bytes;
    uint8_t *frames = realloc(is_inline ? NULL : stack->frames, 2 * len_bytes);
    if (frames == NULL) {
        return false;
    }
    if (is_inline) {
        memcpy(frames, stack->inline_frames, len_bytes);
    }
    stack->frames = frames;
    stack->capacity *= 2;
    return true;
}

void omni__stack_pop(struct omni_stack *stack)
{
    stack->count--;
}

void *omni__stack_top(struct omni_stack *stack)
{
    return stack->count == 0 ? NULL : stack->frames + stack->frame_bytes * (stack->count - 1);
}

const struct omni_value *omni__child(const struct omni_value *container, size_t index)
{
    if (container->kind == OMNI_MAP) {
        const struct omni_pair *pair = &container->map.pairs[index / 2];
        return index % 2 == 0 ? pair->key : pair->value;
    }
    return container->array.items[index];
}

size_t omni__child_count(const struct omni_value *value)
{
    switch (value->kind) {
    case OMNI_ARRAY:
        return value->array.count;
    case OMNI_MAP:
        return 2 * value->map.count;
    default:
        return 0;
    }
}
