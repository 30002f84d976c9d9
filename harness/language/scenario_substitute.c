/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ${name} in a document: copies of nodes in which the name is replaced, each with the position of
 * its original, so that errors still point into the file. Subtrees without ${ are shared.
 */
#include <string.h>

#include "harness/language/scenario.h"

#define VARIABLES_MAX 8 /* as many as a matrix has names */

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

/* Names that a text asks for and nobody gives: left as they are they would come up again as a
 * duration without a number, or as a strange key. */
static bool check_text(const struct doc_node *node, const struct scn_variable *variables,
                       size_t count, struct doc_error_list *errors)
{
    const char *words[VARIABLES_MAX];
    bool is_right = true;
    size_t skipped = 0;

    for (const char *at = strstr(node->text, "${"); at != NULL; at = strstr(at + 2, "${")) {
        const char *end = strchr(at, '}');
        if (end == NULL || variable_at(at, variables, count, &skipped) != NULL ||
            strncmp(at, "${i}", 4) == 0) {
            continue; /* i counts repetitions and patterns */
        }
        size_t len_bytes = (size_t)(end - at) + 1;
        struct doc_error *error =
            doc_error_add_inside(errors, node, (size_t)(at - node->text), len_bytes,
                                 "no list of the matrix is called like this");
        for (size_t i = 0; i < count && i < VARIABLES_MAX; i++) {
            words[i] = variables[i].name;
        }
        if (count > 0) {
            doc_error_allow(errors, error, rt_slice_of(at + 2, len_bytes - 3), words, count);
        } else {
            doc_error_help(errors, error, "the file has no matrix");
        }
        is_right = false;
    }
    return is_right;
}

bool scn__check_variables(const struct doc_node *node, const struct scn_variable *variables,
                          size_t count, struct doc_error_list *errors)
{
    bool is_right = true;

    if (node->kind == DOC_KIND_SCALAR) {
        return check_text(node, variables, count, errors);
    }
    for (size_t i = 0; i < node->count; i++) {
        if (node->kind == DOC_KIND_SEQUENCE) {
            is_right &= scn__check_variables(node->items[i], variables, count, errors);
        } else {
            is_right &= scn__check_variables(node->pairs[i].key, variables, count, errors);
            is_right &= scn__check_variables(node->pairs[i].value, variables, count, errors);
        }
    }
    return is_right;
}

bool scn__uses_variable(const struct doc_node *node, const struct scn_variable *variable)
{
    size_t skipped = 0;

    if (node->kind == DOC_KIND_SCALAR) {
        const char *at = strstr(node->text, "${");
        while (at != NULL && variable_at(at, variable, 1, &skipped) == NULL) {
            at = strstr(at + 2, "${");
        }
        return at != NULL;
    }
    for (size_t i = 0; i < node->count; i++) {
        if (node->kind == DOC_KIND_SEQUENCE
                ? scn__uses_variable(node->items[i], variable)
                : scn__uses_variable(node->pairs[i].key, variable) ||
                      scn__uses_variable(node->pairs[i].value, variable)) {
            return true;
        }
    }
    return false;
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
