/* SPDX-License-Identifier: Apache-2.0 */
#include "document/tree.h"

#include "document/internal.h"

const struct doc_node *doc_root(const struct doc *doc)
{
    return doc->root;
}

const struct doc_source *doc_get_source(const struct doc *doc)
{
    return &doc->source;
}

const struct doc_error_list *doc_warnings(const struct doc *doc)
{
    return doc->warnings;
}

void *doc_alloc(struct doc *doc, size_t size_bytes)
{
    return doc__arena_alloc(&doc->arena, size_bytes);
}

const struct doc_pair *doc_find_pair(const struct doc_node *node, const char *key)
{
    size_t i;

    if (node == NULL || node->kind != DOC_KIND_MAPPING) {
        return NULL;
    }
    for (i = 0; i < node->count; i++) {
        if (doc_is_text(node->pairs[i].key, key)) {
            return &node->pairs[i];
        }
    }
    return NULL;
}

const struct doc_node *doc_find(const struct doc_node *node, const char *key)
{
    const struct doc_pair *pair = doc_find_pair(node, key);

    return pair == NULL ? NULL : pair->value;
}

bool doc_is_text(const struct doc_node *node, const char *text)
{
    return node != NULL && node->kind == DOC_KIND_SCALAR && rt_slice_is_text(doc_text(node), text);
}

bool doc_is_null(const struct doc_node *node)
{
    return node != NULL && node->kind == DOC_KIND_SCALAR && node->type == DOC_TYPE_NULL;
}

struct rt_slice doc_text(const struct doc_node *node)
{
    if (node == NULL || node->kind != DOC_KIND_SCALAR) {
        return rt_slice_of(NULL, 0);
    }
    return rt_slice_of(node->text, node->text_len_bytes);
}

bool doc_is_equal(const struct doc_node *a, const struct doc_node *b)
{
    size_t i;

    if (a == NULL || b == NULL) {
        return a == b;
    }
    if (a->kind != b->kind || a->type != b->type || a->count != b->count) {
        return false;
    }
    if (a->kind == DOC_KIND_SCALAR) {
        return rt_slice_equal(doc_text(a), doc_text(b));
    }
    for (i = 0; i < a->count; i++) {
        bool is_same = a->kind == DOC_KIND_SEQUENCE
                           ? doc_is_equal(a->items[i], b->items[i])
                           : doc_is_equal(a->pairs[i].key, b->pairs[i].key) &&
                                 doc_is_equal(a->pairs[i].value, b->pairs[i].value);
        if (!is_same) {
            return false;
        }
    }
    return true;
}

const char *doc_describe(const struct doc_node *node)
{
    if (node == NULL) {
        return "nothing";
    }
    if (node->kind == DOC_KIND_MAPPING) {
        return "a mapping";
    }
    if (node->kind == DOC_KIND_SEQUENCE) {
        return "a list";
    }
    switch (node->type) {
    case DOC_TYPE_NULL:
        return "null";
    case DOC_TYPE_BOOL:
        return "a boolean";
    case DOC_TYPE_INTEGER:
    case DOC_TYPE_FLOAT:
        return "a number";
    case DOC_TYPE_TIMESTAMP:
        return "a date";
    case DOC_TYPE_TEXT:
        break;
    }
    return node->text_len_bytes == 0 && node->style == DOC_STYLE_PLAIN ? "nothing" : "text";
}
