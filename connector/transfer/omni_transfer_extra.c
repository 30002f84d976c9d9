/* SPDX-License-Identifier: Apache-2.0 */
#include "connector/transfer/omni_transfer_internal.h"

/*
 * Options of a connector as values. As Python's, but for what no MessagePack value holds: dates,
 * and integers beyond 64 bits, stay text in Python's spelling. document/ has limited the depth.
 */
static const struct omni_value *scalar(struct omni_arena *arena, const struct doc_node *node);
static const struct omni_value *integer(struct omni_arena *arena, const struct doc_node *node);
static const struct omni_value *text(struct omni_arena *arena, struct rt_slice from);
static const struct omni_value *list(struct omni_arena *arena, const struct doc_node *node);
static const struct omni_value *map(struct omni_arena *arena, const struct doc_node *node);

const struct omni_value *omni__value_of_node(struct omni_arena *arena, const struct doc_node *node)
{
    switch (node->kind) {
    case DOC_KIND_SEQUENCE:
        return list(arena, node);
    case DOC_KIND_MAPPING:
        return map(arena, node);
    case DOC_KIND_SCALAR:
        break;
    }
    return scalar(arena, node);
}

static const struct omni_value *scalar(struct omni_arena *arena, const struct doc_node *node)
{
    switch (node->type) {
    case DOC_TYPE_NULL:
        return omni_nil(arena);
    case DOC_TYPE_BOOL:
        return omni_bool(arena, node->boolean);
    case DOC_TYPE_INTEGER:
        return integer(arena, node);
    case DOC_TYPE_FLOAT:
        return omni_float(arena, node->number);
    case DOC_TYPE_TIMESTAMP:
        return text(arena, rt_slice_text(node->canonical));
    case DOC_TYPE_TEXT:
        break;
    }
    return text(arena, doc_text(node));
}

/* The exact digits decide: `integer` is saturated where int64_t ends. */
static const struct omni_value *integer(struct omni_arena *arena, const struct doc_node *node)
{
    uint64_t number = 0;

    if (!node->is_big) {
        return omni_int(arena, node->integer);
    }
    for (const char *digit = node->canonical; *digit != '\0'; digit++) {
        if (*digit == '-' || __builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(*digit - '0'), &number)) {
            return text(arena, rt_slice_text(node->canonical));
        }
    }
    return omni_uint(arena, number);
}

static const struct omni_value *text(struct omni_arena *arena, struct rt_slice from)
{
    const char *copy = NULL;

    if (omni__copy_text(arena, from, &copy) != RT_OK) {
        return NULL;
    }
    return omni_text(arena, rt_slice_of(copy, from.len_bytes));
}

static const struct omni_value *list(struct omni_arena *arena, const struct doc_node *node)
{
    const struct omni_value **items = omni_arena_alloc(arena, (node->count + 1) * sizeof(items[0]));

    for (size_t i = 0; items != NULL && i < node->count; i++) {
        items[i] = omni__value_of_node(arena, node->items[i]);
        if (items[i] == NULL) {
            return NULL;
        }
    }
    return items == NULL ? NULL : omni_array(arena, items, node->count);
}

static const struct omni_value *map(struct omni_arena *arena, const struct doc_node *node)
{
    struct omni_pair *pairs = omni_arena_alloc(arena, (node->count + 1) * sizeof(pairs[0]));

    for (size_t i = 0; pairs != NULL && i < node->count; i++) {
        pairs[i].key = omni__value_of_node(arena, node->pairs[i].key);
        pairs[i].value = omni__value_of_node(arena, node->pairs[i].value);
        if (pairs[i].key == NULL || pairs[i].value == NULL) {
            return NULL;
        }
    }
    return pairs == NULL ? NULL : omni_map(arena, pairs, node->count);
}
