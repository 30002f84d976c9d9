/* SPDX-License-Identifier: Apache-2.0 */
#include "document/build.h"

#include <stdlib.h>

/*
 * libfyaml's events become nodes, without recursion. The parser reads ahead very little, so a
 * limit ends a hostile document early.
 *
 *   on_event --scalar---> doc__on_scalar --.
 *            --alias----> doc__on_alias ---+--> doc__add_value (to the innermost open collection)
 *            --start----> on_start         |
 *            --end------> on_end ----------'
 *
 * Values of all open collections lie on one stack; each collection knows where its own begin.
 */

static enum rt_status run(struct doc__builder *builder);
static enum rt_status on_event(struct doc__builder *builder, struct fy_event *event);
static enum rt_status on_document(struct doc__builder *builder, struct fy_event *event);
static enum rt_status on_start(struct doc__builder *builder, struct fy_event *event);
static enum rt_status on_end(struct doc__builder *builder, struct fy_event *event);

/* ---- small helpers ---------------------------------------------------------------------- */

const struct doc_source *doc__source_of(const struct doc__builder *builder)
{
    return &builder->load->doc->source;
}

void doc__complain(struct doc__builder *builder, const struct fy_mark *mark, size_t len_bytes,
                   const char *message, const char *help)
{
    const struct doc_source *source = doc__source_of(builder);
    size_t offset = mark == NULL ? builder->last_end_bytes : mark->input_pos;
    struct doc_position start = doc__source_position(source, offset);
    struct doc_position end = doc__source_position(source, offset + len_bytes);
    struct doc_error *error =
        doc_error_add_at(builder->load->errors, source, start, end, "%s", message);

    if (help != NULL) {
        doc_error_help(builder->load->errors, error, "%s", help);
    }
    builder->has_errors = true;
}

enum rt_status doc__exceed(struct doc__builder *builder, const struct fy_mark *mark,
                           const char *what, size_t limit)
{
    const struct doc_source *source = doc__source_of(builder);
    struct doc_position position =
        doc__source_position(source, mark == NULL ? builder->last_end_bytes : mark->input_pos);

    doc_error_add_at(builder->load->errors, source, position, position, "%s than the limit of %zu",
                     what, limit);
    return RT_E_LIMIT;
}

struct doc__node *doc__new_node(struct doc__builder *builder, enum doc_kind kind)
{
    struct doc__node *node = doc__arena_alloc(&builder->load->doc->arena, sizeof(*node));

    if (node != NULL) {
        node->node.source = doc__source_of(builder);
        node->node.kind = kind;
        node->weight_count = 1;
        node->height_count = 1;
    }
    return node;
}

enum rt_status doc__count_nodes(struct doc__builder *builder, const struct fy_mark *mark,
                                size_t count)
{
    const size_t limit = builder->load->limits.node_count;

    if (count > limit || builder->nodes_count > limit - count) {
        return doc__exceed(builder, mark, "the document has more nodes", limit);
    }
    builder->nodes_count += count;
    return RT_OK;
}

/* ---- reading the stream ----------------------------------------------------------------- */

static struct fy_diag *create_diag(void)
{
    struct fy_diag_cfg config;
    struct fy_diag *diag;

    fy_diag_cfg_default(&config);
    config.fp = NULL;
    config.level = FYET_ERROR;
    config.colorize = false;
    diag = fy_diag_create(&config);
    if (diag != NULL) {
        fy_diag_set_collect_errors(diag, true);
    }
    return diag;
}

static enum fy_parse_cfg_flags flags_of(enum doc_mode mode)
{
    /* The depth limit is ours, and duplicates are found here. A closing bracket may stand in the
     * column of its key, as most people write it and PyYAML reads it. */
    unsigned int flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DISABLE_DEPTH_LIMIT |
                         FYPCF_ALLOW_DUPLICATE_KEYS | FYPCF_SLOPPY_FLOW_INDENTATION;

    flags |= mode == DOC_MODE_JSON ? FYPCF_JSON_FORCE : FYPCF_JSON_NONE;
    flags |= mode == DOC_MODE_YAML11 ? FYPCF_DEFAULT_VERSION_1_1 : FYPCF_DEFAULT_VERSION_1_2;
    return (enum fy_parse_cfg_flags)flags;
}

enum rt_status doc__build(struct doc__load *load)
{
    struct doc__builder builder = {.load = load};
    struct fy_diag *diag = create_diag();
    struct fy_parse_cfg config = {.flags = flags_of(load->mode), .diag = diag};
    struct rt_slice text = load->doc->source.text;
    enum rt_status status = RT_E_NOMEM;

    if (diag == NULL) {
        return RT_E_NOMEM;
    }
    builder.open = calloc(load->limits.depth_count + 1, sizeof(*builder.open));
    builder.anchors = calloc(load->limits.alias_count + 1, sizeof(*builder.anchors));
    builder.parser = fy_parser_create(&config);
    if (builder.open == NULL || builder.anchors == NULL || builder.parser == NULL) {
        goto release;
    }
    if (fy_parser_set_string(builder.parser, (const char *)text.data, text.len_bytes) != 0) {
        goto release;
    }
    status = run(&builder);
    if (status == RT_E_MALFORMED && !builder.has_errors) {
        status = doc__on_syntax_error(&builder, diag);
    }

release:
    fy_parser_destroy(builder.parser);
    fy_diag_destroy(diag);
    free(builder.values);
    free(builder.anchors);
    free(builder.open);
    return status;
}

/* Answers RT_E_MALFORMED without `has_errors` when the parser gave up. */
static enum rt_status run(struct doc__builder *builder)
{
    bool is_complete = false;
    struct fy_event *event;

    while ((event = fy_parser_parse(builder->parser)) != NULL) {
        enum rt_status status = on_event(builder, event);

        is_complete = event->type == FYET_STREAM_END;
        fy_parser_event_free(builder->parser, event);
        if (status != RT_OK) {
            builder->has_errors = true;
            return status;
        }
    }
    if (!is_complete || fy_parser_get_stream_error(builder->parser)) {
        builder->has_errors = false;
        return RT_E_MALFORMED;
    }
    if (builder->has_errors) {
        return RT_E_MALFORMED;
    }
    if (builder->documents_count == 0 && builder->load->mode != DOC_MODE_YAML11) {
        doc__complain(builder, NULL, 0, "the file has no content", NULL);
        return RT_E_MALFORMED;
    }
    return RT_OK;
}

static enum rt_status on_event(struct doc__builder *builder, struct fy_event *event)
{
    enum rt_status status = RT_OK;

    switch (event->type) {
    case FYET_DOCUMENT_START:
        status = on_document(builder, event);
        break;
    case FYET_SCALAR:
        status = doc__on_scalar(builder, event);
        break;
    case FYET_ALIAS:
        status = doc__on_alias(builder, event);
        break;
    case FYET_MAPPING_START:
    case FYET_SEQUENCE_START:
        status = on_start(builder, event);
        break;
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END:
        status = on_end(builder, event);
        break;
    default:
        break;
    }
    return status;
}

static enum rt_status on_document(struct doc__builder *builder, struct fy_event *event)
{
    struct fy_document_state *state = event->document_start.document_state;
    const struct fy_mark *mark = fy_event_start_mark(event);

    builder->documents_count++;
    if (builder->documents_count > 1) {
        doc__complain(builder, mark, 3, "a second document starts here",
                      "one file holds one document");
        return RT_E_MALFORMED;
    }
    if (builder->load->mode == DOC_MODE_STRICT &&
        (fy_document_state_version_explicit(state) || fy_document_state_tags_explicit(state))) {
        doc__complain(builder, mark, 3, "directives (%YAML, %TAG) are not allowed here", NULL);
    }
    return RT_OK;
}

/* ---- collections ------------------------------------------------------------------------ */

static enum rt_status on_start(struct doc__builder *builder, struct fy_event *event)
{
    bool is_mapping = event->type == FYET_MAPPING_START;
    const struct fy_mark *mark = fy_event_start_mark(event);
    struct fy_token *tag = fy_event_get_tag_token(event);
    const size_t limit = builder->load->limits.depth_count;
    struct doc__open_collection *open = &builder->open[builder->open_count];
    enum rt_status status = doc__count_nodes(builder, mark, 1);

    if (status != RT_OK) {
        return status;
    }
    if (builder->open_count == limit) {
        return doc__exceed(builder, mark, "the document is nested deeper", limit);
    }
    open->node = doc__new_node(builder, is_mapping ? DOC_KIND_MAPPING : DOC_KIND_SEQUENCE);
    if (open->node == NULL) {
        return RT_E_NOMEM;
    }
    open->first_value = builder->values_count;
    open->node->node.style =
        fy_event_get_node_style(event) == FYNS_FLOW ? DOC_STYLE_FLOW : DOC_STYLE_BLOCK;
    open->node->node.start = doc__source_position(
        doc__source_of(builder), mark == NULL ? builder->last_end_bytes : mark->input_pos);
    if (mark != NULL) {
        builder->last_end_bytes =
            mark->input_pos + (open->node->node.style == DOC_STYLE_FLOW ? 1 : 0);
    }
    builder->open_count++;
    if (tag != NULL) {
        status = doc__obey_tag(builder, tag, open->node);
    }
    if (status != RT_OK) {
        return status;
    }
    return doc__note_anchor(builder, fy_event_get_anchor_token(event), NULL, &open->anchor);
}

static enum rt_status close_sequence(struct doc__builder *builder, struct doc__node *sequence,
                                     struct doc__node **values, size_t count)
{
    const struct doc_node **items =
        doc__arena_alloc_array(&builder->load->doc->arena, count, sizeof(*items));
    size_t i;

    if (items == NULL) {
        return RT_E_NOMEM;
    }
    for (i = 0; i < count; i++) {
        items[i] = &values[i]->node;
    }
    sequence->node.items = items;
    sequence->node.count = count;
    return RT_OK;
}

static enum rt_status close_mapping(struct doc__builder *builder, struct doc__node *mapping,
                                    struct doc__node **values, size_t count)
{
    size_t pairs_count = count / 2;
    struct doc_pair *pairs =
        doc__arena_alloc_array(&builder->load->doc->arena, pairs_count, sizeof(*pairs));
    enum rt_status status;
    size_t i;

    if (pairs == NULL) {
        return RT_E_NOMEM;
    }
    for (i = 0; i < pairs_count; i++) {
        pairs[i].key = &values[2 * i]->node;
        pairs[i].value = &values[2 * i + 1]->node;
        if (pairs[i].key->kind != DOC_KIND_SCALAR) {
            doc_error_add(builder->load->errors, pairs[i].key, "a key must be text, not %s",
                          doc_describe(pairs[i].key));
            return RT_E_MALFORMED;
        }
    }
    /* [a: b] holds a mapping without braces; its mark is the colon. */
    if (pairs_count > 0 && pairs[0].key->start.offset_bytes < mapping->node.start.offset_bytes) {
        mapping->node.start = pairs[0].key->start;
    }
    status = doc__settle_pairs(builder->load, mapping, pairs, pairs_count);
    if (status == RT_E_MALFORMED) {
        builder->has_errors = true; /* duplicates: the structure is intact */
        status = RT_OK;
    }
    return status;
}

static enum rt_status on_end(struct doc__builder *builder, struct fy_event *event)
{
    struct doc__open_collection open = builder->open[builder->open_count - 1];
    struct doc__node **values = /* NULL as long as no value came */
        builder->values == NULL ? NULL : builder->values + open.first_value;
    size_t count = builder->values_count - open.first_value;
    const struct fy_mark *end = fy_event_end_mark(event);
    bool is_flow = open.node->node.style == DOC_STYLE_FLOW;
    enum rt_status status;
    size_t i;

    builder->open_count--;
    /* The end mark of a block collection lies where the next token starts: too far. */
    if (is_flow && end != NULL) {
        builder->last_end_bytes = end->input_pos;
    }
    open.node->node.end = doc__source_position(doc__source_of(builder), builder->last_end_bytes);
    for (i = 0; i < count; i++) {
        open.node->weight_count += values[i]->weight_count;
        if (values[i]->height_count >= open.node->height_count) {
            open.node->height_count = values[i]->height_count + 1;
        }
    }
    status = event->type == FYET_SEQUENCE_END ? close_sequence(builder, open.node, values, count)
                                              : close_mapping(builder, open.node, values, count);
    if (status != RT_OK) {
        return status;
    }
    builder->values_count = open.first_value;
    doc__settle_anchor(builder, &open);
    return doc__add_value(builder, open.node);
}

enum rt_status doc__add_value(struct doc__builder *builder, struct doc__node *node)
{
    if (builder->open_count == 0) {
        builder->load->doc->root = &node->node;
        return RT_OK;
    }
    if (builder->values_count == builder->values_capacity) {
        size_t capacity = builder->values_capacity == 0 ? 64 : builder->values_capacity * 2;
        struct doc__node **values = realloc(builder->values, capacity * sizeof(struct doc__node *));

        if (values == NULL) {
            return RT_E_NOMEM;
        }
        builder->values = values;
        builder->values_capacity = capacity;
    }
    builder->values[builder->values_count++] = node;
    return RT_OK;
}
