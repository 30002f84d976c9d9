/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ${name} in a document: copies of nodes in which the name is replaced, each with the position of
 * its original, so that errors still point into the file. Subtrees without ${ are shared.
 */
#include <string.h>

#include "harness/scenario.h"

static bool has_variable(const struct doc_node *node);
static const struct doc_node *copy_scalar(struct doc *doc, const struct doc_node *node,
                                          const struct scn_variable *variables, size_t count);
static const struct doc_node *copy_collection(struct doc *doc, const struct doc_node *node,
                                              const struct scn_variable *variables, size_t count);

const struct doc_node *scn__substitute(struct doc *doc, const struct doc_node *node,
                                       const struct scn_variable *variables, size_t count)
{
    if (!has_variable(node)) {
        return node;
    }
    if (node->kind == DOC_KIND_SCALAR) {
        return copy_scalar(doc, node, variables, count);
    }
    return copy_collection(doc, node, variables, count);
}

static bool has_variable(const struct doc_node *node)
{
    if (node->kind == DOC_KIND_SCALAR) {
        return strstr(node->text, "${") != NULL;
    }
    for (size_t i = 0; i < node->count; i++) {
        if (node->kind == DOC_KIND_SEQUENCE
                ? has_variable(node->items[i])
                : has_variable(node->pairs[i].key) || has_variable(node->pairs[i].value)) {
            return true;
        }
    }
    return false;
}

/* The variable whose name follows "${" at `text`; an unknown one stays as it is. */
static const struct scn_variable *variable_at(const char *text,
                                              const struct scn_variable *variables, size_t count,
                                              size_t *out_len_bytes)
{
    const char *end = strncmp(text, "${", 2) == 0 ? strchr(text, '}') : NULL;

    for (size_t i = 0; end != NULL && i < count; i++) {
        size_t name_bytes = (size_t)(end - text) - 2;
        if (strlen(variables[i].name) == name_bytes &&
            memcmp(variables[i].name, text + 2, name_bytes) == 0) {
            *out_len_bytes = name_bytes + 3;
            return &variables[i];
        }
    }
    return NULL;
}

static size_t expand(const char *text, const struct scn_variable *variables, size_t count,
                     char *out_text)
{
    size_t used = 0;

    while (*text != '\0') {
        size_t skipped = 0;
        const struct scn_variable *variable = variable_at(text, variables, count, &skipped);
        const char *piece = variable == NULL ? text : variable->value;
        size_t piece_bytes = variable == NULL ? 1 : strlen(variable->value);
        if (out_text != NULL) {
            memcpy(out_text + used, piece, piece_bytes);
        }
        used += piece_bytes;
        text += variable == NULL ? 1 : skipped;
    }
    return used;
}

static const struct doc_node *copy_scalar(struct doc *doc, const struct doc_node *node,
                                          const struct scn_variable *variables, size_t count)
{
    size_t len_bytes = expand(node->text, variables, count, NULL);
    struct doc_node *copy = doc_alloc(doc, sizeof(*copy));
    char *text = doc_alloc(doc, len_bytes + 1);

    if (copy == NULL || text == NULL) {
        return NULL;
    }
    (void)expand(node->text, variables, count, text);
    *copy = *node;
    copy->text = text;
    copy->canonical = text;
    copy->text_len_bytes = len_bytes;
    return copy;
}

static const struct doc_node *copy_collection(struct doc *doc, const struct doc_node *node,
                                              const struct scn_variable *variables, size_t count)
{
    struct doc_node *copy = doc_alloc(doc, sizeof(*copy));
    const struct doc_node **items = doc_alloc(doc, sizeof(*items) * (node->count + 1));
    struct doc_pair *pairs = doc_alloc(doc, sizeof(*pairs) * (node->count + 1));

    if (copy == NULL || items == NULL || pairs == NULL) {
        return NULL;
    }
    *copy = *node;
    copy->items = items;
    copy->pairs = pairs;
    for (size_t i = 0; i < node->count; i++) {
        if (node->kind == DOC_KIND_SEQUENCE) {
            items[i] = scn__substitute(doc, node->items[i], variables, count);
        } else {
            pairs[i].key = scn__substitute(doc, node->pairs[i].key, variables, count);
            pairs[i].value = scn__substitute(doc, node->pairs[i].value, variables, count);
        }
        if (node->kind == DOC_KIND_SEQUENCE ? items[i] == NULL
                                            : pairs[i].key == NULL || pairs[i].value == NULL) {
            return NULL;
        }
    }
    return copy;
}
