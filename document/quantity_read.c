/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "document/quantity.h"
#include "runtime/hex.h"

/* Quantities from nodes: the parsers of quantity.c, and errors with positions. */

static enum rt_status expect_scalar(const struct doc_node *node, const char *what,
                                    struct doc_error_list *errors)
{
    if (node->kind == DOC_KIND_SCALAR &&
        !(node->text_len_bytes == 0 && node->style == DOC_STYLE_PLAIN)) {
        return RT_OK;
    }
    doc_error_add(errors, node, "%s is expected here, not %s", what, doc_describe(node));
    return RT_E_INVALID;
}

static enum rt_status report(const struct doc_node *node, const struct doc_mistake *mistake,
                             struct doc_error_list *errors)
{
    struct doc_error *error = doc_error_add_inside(errors, node, mistake->offset_bytes,
                                                   mistake->len_bytes, "%s", mistake->message);

    if (mistake->help != NULL) {
        doc_error_help(errors, error, "%s", mistake->help);
    }
    return RT_E_INVALID;
}

enum rt_status doc_read_text(const struct doc_node *node, struct doc_error_list *errors,
                             const char **out_text)
{
    enum rt_status status = expect_scalar(node, "text", errors);

    if (status != RT_OK) {
        return status;
    }
    if (strlen(node->text) != node->text_len_bytes) {
        doc_error_add(errors, node, "a NUL byte is not allowed in this text");
        return RT_E_INVALID;
    }
    *out_text = node->text;
    return RT_OK;
}

enum rt_status doc_read_duration(const struct doc_node *node, struct doc_error_list *errors,
                                 uint64_t *out_us)
{
    struct doc_mistake mistake;

    if (expect_scalar(node, "a duration", errors) != RT_OK) {
        return RT_E_INVALID;
    }
    if (doc_parse_duration(doc_text(node), out_us, &mistake) != RT_OK) {
        return report(node, &mistake, errors);
    }
    return RT_OK;
}

enum rt_status doc_read_size(const struct doc_node *node, struct doc_error_list *errors,
                             uint64_t *out_bytes)
{
    struct doc_mistake mistake;

    if (expect_scalar(node, "a size", errors) != RT_OK) {
        return RT_E_INVALID;
    }
    if (doc_parse_size(doc_text(node), out_bytes, &mistake) != RT_OK) {
        return report(node, &mistake, errors);
    }
    return RT_OK;
}

enum rt_status doc_read_integer(const struct doc_node *node, int64_t min, int64_t max,
                                struct doc_error_list *errors, int64_t *out_value)
{
    struct doc_mistake mistake;
    int64_t value;

    if (expect_scalar(node, "a whole number", errors) != RT_OK) {
        return RT_E_INVALID;
    }
    if (doc_parse_integer(doc_text(node), &value, &mistake) != RT_OK) {
        return report(node, &mistake, errors);
    }
    if (value < min || value > max) {
        doc_error_add(errors, node, "this number must be between %" PRId64 " and %" PRId64, min,
                      max);
        return RT_E_INVALID;
    }
    *out_value = value;
    return RT_OK;
}

enum rt_status doc_read_bool(const struct doc_node *node, struct doc_error_list *errors,
                             bool *out_value)
{
    static const char *const words[] = {"true", "false"};
    struct doc_mistake mistake;
    struct doc_error *error;

    if (expect_scalar(node, "true or false", errors) != RT_OK) {
        return RT_E_INVALID;
    }
    if (doc_parse_bool(doc_text(node), out_value, &mistake) != RT_OK) {
        error = doc_error_add(errors, node, "%s", mistake.message);
        doc_error_allow(errors, error, doc_text(node), words, 2);
        return RT_E_INVALID;
    }
    return RT_OK;
}

enum rt_status doc_check_hex(const struct doc_node *node, struct doc_error_list *errors)
{
    if (node->kind != DOC_KIND_SCALAR || node->text_len_bytes % 2 != 0) {
        doc_error_add(errors, node, "bytes are an even number of hexadecimal digits");
        return RT_E_INVALID;
    }
    for (size_t i = 0; i < node->text_len_bytes; i++) {
        if (rt_hex_digit((uint8_t)node->text[i]) < 0) {
            doc_error_add_inside(errors, node, i, 1, "not a hexadecimal digit");
            return RT_E_INVALID;
        }
    }
    return RT_OK;
}

enum rt_status doc_read_range(const struct doc_node *node, enum doc_unit unit,
                              struct doc_error_list *errors, struct doc_range *out_range)
{
    struct doc_mistake mistake;

    if (expect_scalar(node, "a range", errors) != RT_OK) {
        return RT_E_INVALID;
    }
    if (doc_parse_range(doc_text(node), unit, out_range, &mistake) != RT_OK) {
        return report(node, &mistake, errors);
    }
    return RT_OK;
}
