/* SPDX-License-Identifier: Apache-2.0 */
#include "document/build.h"

/* Scalars, with those that are not there. */

static enum doc_style style_of(enum fy_scalar_style style)
{
    switch (style) {
    case FYSS_SINGLE_QUOTED:
        return DOC_STYLE_SINGLE_QUOTED;
    case FYSS_DOUBLE_QUOTED:
        return DOC_STYLE_DOUBLE_QUOTED;
    case FYSS_LITERAL:
        return DOC_STYLE_LITERAL;
    case FYSS_FOLDED:
        return DOC_STYLE_FOLDED;
    default:
        return DOC_STYLE_PLAIN;
    }
}

/* A value that is not there stands right after the `:` or `-` that announced it. */
static size_t place_of_nothing(const struct doc__builder *builder)
{
    struct rt_slice text = doc__source_of(builder)->text;
    size_t offset = builder->last_end_bytes;
    bool is_item = builder->open_count > 0 &&
                   builder->open[builder->open_count - 1].node->node.kind == DOC_KIND_SEQUENCE;

    while (offset < text.len_bytes) {
        uint8_t byte = text.data[offset];

        if (byte == '#') {
            while (offset < text.len_bytes && text.data[offset] != '\n') {
                offset++;
            }
        } else if (byte == (is_item ? '-' : ':')) {
            return offset + 1;
        } else if (byte != ':' && byte != ' ' && byte != '\t' && byte != '\n' && byte != '\r') {
            break;
        } else {
            offset++;
        }
    }
    return builder->last_end_bytes;
}

/* The library takes text that is not indented, such as the next key, for the text of an empty
 * block scalar: in a nested mapping `a: |` would swallow its neighbours without a word. */
static enum rt_status check_indentation(struct doc__builder *builder, const struct doc_node *node)
{
    const struct doc_source *source = doc__source_of(builder);
    const struct doc_node *parent;
    size_t offset = node->start.offset_bytes;
    struct doc_position position;

    if (builder->open_count == 0 ||
        (node->style != DOC_STYLE_LITERAL && node->style != DOC_STYLE_FOLDED)) {
        return RT_OK;
    }
    while (offset < node->end.offset_bytes && strchr(" \t\r\n", source->text.data[offset])) {
        offset++;
    }
    parent = &builder->open[builder->open_count - 1].node->node;
    position = doc__source_position(source, offset);
    if (offset >= node->end.offset_bytes || position.column > parent->start.column) {
        return RT_OK;
    }
    doc_error_help(builder->load->errors,
                   doc_error_add_at(builder->load->errors, source, position, position,
                                    "the text of a block scalar must be indented deeper than "
                                    "what it belongs to"),
                   "an empty text is written \"\"");
    return RT_E_MALFORMED;
}

static enum rt_status fill_scalar(struct doc__builder *builder, struct fy_event *event,
                                  struct doc__node *node)
{
    const struct fy_mark *start = fy_event_start_mark(event);
    const struct fy_mark *end = fy_event_end_mark(event);
    const struct doc_source *source = doc__source_of(builder);
    struct fy_token *token = event->scalar.value;
    bool is_quoted;
    size_t from;
    size_t to;

    if (token == NULL || start == NULL || end == NULL) {
        from = place_of_nothing(builder);
        builder->last_end_bytes = from;
        node->node.style = DOC_STYLE_PLAIN;
        node->node.text = "";
        node->node.start = doc__source_position(source, from);
        node->node.end = node->node.start;
        return RT_OK;
    }
    node->node.style = style_of(fy_token_scalar_style(token));
    is_quoted =
        node->node.style == DOC_STYLE_SINGLE_QUOTED || node->node.style == DOC_STYLE_DOUBLE_QUOTED;
    from = start->input_pos - (is_quoted && start->input_pos > 0 ? 1 : 0);
    to = end->input_pos + (is_quoted ? 1 : 0);
    builder->last_end_bytes = to;
    node->node.start = doc__source_position(source, from);
    node->node.end = doc__source_position(source, to);
    node->node.text = doc__copy_token(builder, token);
    node->node.text_len_bytes = fy_token_get_text_length(token);
    return node->node.text == NULL ? RT_E_NOMEM : check_indentation(builder, &node->node);
}

static enum rt_status resolve(struct doc__builder *builder, struct fy_event *event,
                              struct doc__node *node)
{
    struct doc__arena *arena = &builder->load->doc->arena;

    if (event->scalar.tag != NULL) {
        return doc__obey_tag(builder, event->scalar.tag, node);
    }
    if (builder->load->mode == DOC_MODE_STRICT || node->node.style != DOC_STYLE_PLAIN) {
        return RT_OK;
    }
    return builder->load->mode == DOC_MODE_JSON ? doc__resolve_json(arena, &node->node)
                                                : doc__resolve_yaml11(arena, &node->node);
}

enum rt_status doc__on_scalar(struct doc__builder *builder, struct fy_event *event)
{
    struct doc__node *node = doc__new_node(builder, DOC_KIND_SCALAR);
    const char *anchor;
    enum rt_status status;

    if (node == NULL) {
        return RT_E_NOMEM;
    }
    status = doc__count_nodes(builder, fy_event_start_mark(event), 1);
    if (status == RT_OK) {
        status = fill_scalar(builder, event, node);
    }
    if (status == RT_OK) {
        node->node.canonical = node->node.text;
        status = resolve(builder, event, node);
    }
    if (status == RT_OK) {
        status = doc__note_anchor(builder, event->scalar.anchor, node, &anchor);
    }
    return status == RT_OK ? doc__add_value(builder, node) : status;
}
