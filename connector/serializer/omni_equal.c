/* SPDX-License-Identifier: Apache-2.0 */
#include "connector/omni_value.h"
#include "connector/serializer/omni_stack.h"

/*
 * Deep equality without recursion: two trees are walked side by side. A frame is a pair of
 * containers of the same kind and count, and the next child to look at.
 */
struct frame {
    const struct omni_value *a;
    const struct omni_value *b;
    size_t next; /* child; of a map: key 0, value 0, key 1, ... */
};

static bool is_node_equal(const struct omni_value *a, const struct omni_value *b);
static bool is_tensor_equal(const struct omni_value *a, const struct omni_value *b);
static bool push_children(struct omni_stack *stack, const struct omni_value *a,
                          const struct omni_value *b);
static bool walk(struct omni_stack *stack);

/* Without memory for a deep tree's stack the answer is no. */
bool omni_value_equal(const struct omni_value *a, const struct omni_value *b)
{
    struct omni_stack stack;
    omni__stack_init(&stack, sizeof(struct frame));
    bool is_equal = is_node_equal(a, b) && push_children(&stack, a, b) && walk(&stack);
    omni__stack_fini(&stack);
    return is_equal;
}

static bool walk(struct omni_stack *stack)
{
    struct frame *frame;
    while ((frame = omni__stack_top(stack)) != NULL) {
        if (frame->next == omni__child_count(frame->a)) {
            omni__stack_pop(stack);
            continue;
        }
        const struct omni_value *a = omni__child(frame->a, frame->next);
        const struct omni_value *b = omni__child(frame->b, frame->next);
        frame->next++;
        if (!is_node_equal(a, b) || !push_children(stack, a, b)) {
            return false;
        }
    }
    return true;
}

static bool push_children(struct omni_stack *stack, const struct omni_value *a,
                          const struct omni_value *b)
{
    if (omni__child_count(a) == 0) {
        return true;
    }
    struct frame *frame = omni__stack_push(stack);
    if (frame == NULL) {
        return false;
    }
    *frame = (struct frame){.a = a, .b = b, .next = 0};
    return true;
}

/* Everything but the children of containers. */
static bool is_node_equal(const struct omni_value *a, const struct omni_value *b)
{
    if (a->kind != b->kind) {
        return false;
    }
    switch (a->kind) {
    case OMNI_NIL:
        return true;
    case OMNI_BOOL:
        return a->boolean == b->boolean;
    case OMNI_INT:
        return a->integer == b->integer;
    case OMNI_UINT:
        return a->unsigned_integer == b->unsigned_integer;
    case OMNI_FLOAT: /* by bits: NaN equals itself, and 0.0 is not -0.0 */
        return memcmp(&a->number, &b->number, sizeof(a->number)) == 0;
    case OMNI_TEXT:
    case OMNI_BYTES:
        return rt_slice_equal(a->body.bytes, b->body.bytes);
    case OMNI_ARRAY:
        return a->array.count == b->array.count;
    case OMNI_MAP:
        return a->map.count == b->map.count;
    case OMNI_TIMESTAMP:
        return a->timestamp.seconds == b->timestamp.seconds &&
               a->timestamp.nanoseconds == b->timestamp.nanoseconds;
    case OMNI_EXTENSION:
        return a->extension.code == b->extension.code &&
               rt_slice_equal(a->extension.body.bytes, b->extension.body.bytes);
    case OMNI_TENSOR:
    case OMNI_NDARRAY:
    case OMNI_IMAGE:
        return is_tensor_equal(a, b);
    }
    return false;
}

static bool is_tensor_equal(const struct omni_value *a, const struct omni_value *b)
{
    if (!rt_slice_equal(a->tensor.type, b->tensor.type) ||
        a->tensor.dimension_count != b->tensor.dimension_count ||
        !rt_slice_equal(a->tensor.body.bytes, b->tensor.body.bytes)) {
        return false;
    }
    for (size_t i = 0; i < a->tensor.dimension_count; i++) {
        if (a->tensor.shape[i] != b->tensor.shape[i]) {
            return false;
        }
    }
    return true;
}
