/* SPDX-License-Identifier: Apache-2.0 */
#include "document/build.h"

/* What is said when the parser gives up. */

/* The innermost bracket that is still open is often where the mistake is. */
static void point_to_open_bracket(struct doc__builder *builder, struct doc_error *error)
{
    size_t i = builder->open_count;

    while (i-- > 0) {
        const struct doc_node *node = &builder->open[i].node->node;

        if (node->style == DOC_STYLE_FLOW) {
            doc_error_help(builder->load->errors, error, "the %s opened at %u:%u is not closed",
                           node->kind == DOC_KIND_MAPPING ? "{" : "[", node->start.line,
                           node->start.column);
            return;
        }
    }
}

static bool is_blank(struct rt_slice text)
{
    size_t i;

    for (i = 0; i < text.len_bytes; i++) {
        if (strchr(" \t\r\n", text.data[i]) == NULL) {
            return false;
        }
    }
    return true;
}

/* The library's words, beginning like ours. The first is lowered unless it is an abbreviation. */
static void add_words(struct doc__builder *builder, struct doc_position position,
                      const char *message)
{
    bool is_capital = message[0] >= 'A' && message[0] <= 'Z';
    bool is_abbreviation = is_capital && message[1] >= 'A' && message[1] <= 'Z';
    int first = is_capital && !is_abbreviation ? message[0] | 0x20 : message[0];
    struct doc_error *error = doc_error_add_at(builder->load->errors, doc__source_of(builder),
                                               position, position, "%c%s", first, message + 1);

    point_to_open_bracket(builder, error);
}

enum rt_status doc__on_syntax_error(struct doc__builder *builder, struct fy_diag *diag)
{
    const struct doc_source *source = doc__source_of(builder);
    struct doc_position position = doc__source_position(source, builder->last_end_bytes);
    const char *message = "the text cannot be read from here on";
    struct fy_diag_error *found;
    void *previous = NULL;

    if (is_blank(source->text)) {
        doc__complain(builder, NULL, 0, "the file has no content", NULL);
        return RT_E_MALFORMED;
    }
    /* The first complaint is the cause, the others follow from it. */
    found = fy_diag_errors_iterate(diag, &previous);
    if (found != NULL && found->msg != NULL && found->msg[0] != '\0') {
        message = found->msg;
        position = doc__source_at(source, found->line < 1 ? 1 : (size_t)found->line,
                                  found->column < 1 ? 1 : (size_t)found->column);
    }
    add_words(builder, position, message);
    return RT_E_MALFORMED;
}
