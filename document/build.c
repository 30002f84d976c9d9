/* SPDX-License-Identifier: Apache-2.0 */
#include <libfyaml.h>
#include <stdlib.h>

#include "document/internal.h"

/*
 * libfyaml's events become nodes, without recursion. The parser reads ahead very little, so a
 * limit ends a hostile document early.
 *
 *   on_event --scalar---> on_scalar ---.
 *            --alias----> on_alias ----+--> add_value (to the innermost open collection)
 *            --start----> on_start     |
 *            --end------> on_end ------'
 *
 * Values of all open collections lie on one stack; each collection knows where its own begin.
 */

struct open_collection {
    struct doc__node *node;
    size_t first_value;
    const char *anchor; /* NULL: none */
};

struct anchor {
    const char *name;
    struct doc__node *node; /* NULL while the collection is open */
};

struct builder {
    struct doc__load *load;
    struct fy_parser *parser;
    struct open_collection *open;
    size_t open_count;
    struct doc__node **values;
    size_t values_count;
    size_t values_capacity;
    struct anchor *anchors;
    size_t anchors_count;
    size_t aliases_count;
    size_t nodes_count;
    size_t documents_count;
    size_t last_end_bytes; /* where the last token ended: the place of a value that is not there */
    bool has_errors;       /* STRICT goes on after an error that leaves the structure intact */
};

static enum rt_status run(struct builder *builder);
static enum rt_status on_event(struct builder *builder, struct fy_event *event);
static enum rt_status on_document(struct builder *builder, struct fy_event *event);
static enum rt_status on_scalar(struct builder *builder, struct fy_event *event);
static enum rt_status on_alias(struct builder *builder, struct fy_event *event);
static enum rt_status on_start(struct builder *builder, struct fy_event *event);
static enum rt_status on_end(struct builder *builder, struct fy_event *event);
static enum rt_status add_value(struct builder *builder, struct doc__node *node);
static enum rt_status on_syntax_error(struct builder *builder, struct fy_diag *diag);

/* ---- small helpers ---------------------------------------------------------------------- */

static const struct doc_source *source_of(const struct builder *builder)
{
    return &builder->load->doc->source;
}

/* An error that leaves the structure intact: the rest of the file is still read. */
static void complain(struct builder *builder, const struct fy_mark *mark, size_t len_bytes,
                     const char *message, const char *help)
{
    const struct doc_source *source = source_of(builder);
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

static enum rt_status exceed(struct builder *builder, const struct fy_mark *mark, const char *what,
                             size_t limit)
{
    const struct doc_source *source = source_of(builder);
    struct doc_position position =
        doc__source_position(source, mark == NULL ? builder->last_end_bytes : mark->input_pos);

    doc_error_add_at(builder->load->errors, source, position, position, "%s than the limit of %zu",
                     what, limit);
    return RT_E_LIMIT;
}

static struct doc__node *new_node(struct builder *builder, enum doc_kind kind)
{
    struct doc__node *node = doc__arena_alloc(&builder->load->doc->arena, sizeof(*node));

    if (node != NULL) {
        node->node.source = source_of(builder);
        node->node.kind = kind;
        node->weight_count = 1;
        node->height_count = 1;
    }
    return node;
}

static enum rt_status count_nodes(struct builder *builder, const struct fy_mark *mark, size_t count)
{
    const size_t limit = builder->load->limits.node_count;

    if (count > limit || builder->nodes_count > limit - count) {
        return exceed(builder, mark, "the document has more nodes", limit);
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
    /* The depth limit is ours, and duplicates are found here. */
    unsigned int flags =
        FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DISABLE_DEPTH_LIMIT | FYPCF_ALLOW_DUPLICATE_KEYS;

    flags |= mode == DOC_MODE_JSON ? FYPCF_JSON_FORCE : FYPCF_JSON_NONE;
    flags |= mode == DOC_MODE_YAML11 ? FYPCF_DEFAULT_VERSION_1_1 : FYPCF_DEFAULT_VERSION_1_2;
    return (enum fy_parse_cfg_flags)flags;
}

enum rt_status doc__build(struct doc__load *load)
{
    struct builder builder = {.load = load};
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
        status = on_syntax_error(&builder, diag);
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
static enum rt_status run(struct builder *builder)
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
        complain(builder, NULL, 0, "the file has no content", NULL);
        return RT_E_MALFORMED;
    }
    return RT_OK;
}

static enum rt_status on_event(struct builder *builder, struct fy_event *event)
{
    enum rt_status status = RT_OK;

    switch (event->type) {
    case FYET_DOCUMENT_START:
        status = on_document(builder, event);
        break;
    case FYET_SCALAR:
        status = on_scalar(builder, event);
        break;
    case FYET_ALIAS:
        status = on_alias(builder, event);
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

static enum rt_status on_document(struct builder *builder, struct fy_event *event)
{
    struct fy_document_state *state = event->document_start.document_state;
    const struct fy_mark *mark = fy_event_start_mark(event);

    builder->documents_count++;
    if (builder->documents_count > 1) {
        complain(builder, mark, 3, "a second document starts here", "one file holds one document");
        return RT_E_MALFORMED;
    }
    if (builder->load->mode == DOC_MODE_STRICT &&
        (fy_document_state_version_explicit(state) || fy_document_state_tags_explicit(state))) {
        complain(builder, mark, 3, "directives (%YAML, %TAG) are not allowed here", NULL);
    }
    return RT_OK;
}

/* ---- anchors and tags ------------------------------------------------------------------- */

static char *copy_token(struct builder *builder, struct fy_token *token)
{
    size_t len = 0;
    const char *text = fy_token_get_text(token, &len);

    return doc__arena_copy(&builder->load->doc->arena, rt_slice_of(text, text == NULL ? 0 : len));
}

static size_t token_len(struct fy_token *token)
{
    const struct fy_mark *start = fy_token_start_mark(token);
    const struct fy_mark *end = fy_token_end_mark(token);

    return start == NULL || end == NULL ? 1 : end->input_pos - start->input_pos;
}

/* Marks leave the `&`, `*` and `!` out: they are what the reader looks for. */
static struct fy_mark mark_before(const struct fy_mark *mark)
{
    struct fy_mark before = mark == NULL ? (struct fy_mark){0} : *mark;

    if (before.input_pos > 0) {
        before.input_pos--;
    }
    return before;
}

/* Remembers an anchor; the node follows when it is complete. */
static enum rt_status note_anchor(struct builder *builder, struct fy_token *token,
                                  struct doc__node *node, const char **out_name)
{
    struct fy_mark mark;
    char *name;

    *out_name = NULL;
    if (token == NULL) {
        return RT_OK;
    }
    mark = mark_before(fy_token_start_mark(token));
    if (builder->load->mode != DOC_MODE_YAML11) {
        complain(builder, &mark, token_len(token) + 1, "anchors are not allowed here",
                 "write the value where it is used");
        return RT_OK;
    }
    if (builder->anchors_count == builder->load->limits.alias_count) {
        return exceed(builder, &mark, "the document has more anchors",
                      builder->load->limits.alias_count);
    }
    name = copy_token(builder, token);
    if (name == NULL) {
        return RT_E_NOMEM;
    }
    builder->anchors[builder->anchors_count++] = (struct anchor){.name = name, .node = node};
    *out_name = name;
    return RT_OK;
}

static const struct anchor *find_anchor(const struct builder *builder, const char *name)
{
    size_t i = builder->anchors_count;

    while (i-- > 0) { /* the latest one counts */
        if (strcmp(builder->anchors[i].name, name) == 0) {
            return &builder->anchors[i];
        }
    }
    return NULL;
}

static const struct {
    const char *tag;
    enum doc_kind kind;
    enum doc_type type;
} known_tags[] = {
    {"!", DOC_KIND_SCALAR, DOC_TYPE_TEXT},
    {"tag:yaml.org,2002:str", DOC_KIND_SCALAR, DOC_TYPE_TEXT},
    {"tag:yaml.org,2002:null", DOC_KIND_SCALAR, DOC_TYPE_NULL},
    {"tag:yaml.org,2002:bool", DOC_KIND_SCALAR, DOC_TYPE_BOOL},
    {"tag:yaml.org,2002:int", DOC_KIND_SCALAR, DOC_TYPE_INTEGER},
    {"tag:yaml.org,2002:float", DOC_KIND_SCALAR, DOC_TYPE_FLOAT},
    {"tag:yaml.org,2002:timestamp", DOC_KIND_SCALAR, DOC_TYPE_TIMESTAMP},
    {"tag:yaml.org,2002:seq", DOC_KIND_SEQUENCE, DOC_TYPE_TEXT},
    {"tag:yaml.org,2002:map", DOC_KIND_MAPPING, DOC_TYPE_TEXT},
};

/* Obeys a tag on a scalar, accepts the obvious ones on collections, refuses all others. */
static enum rt_status obey_tag(struct builder *builder, struct fy_token *token,
                               struct doc__node *node)
{
    const size_t known_count = sizeof(known_tags) / sizeof(known_tags[0]);
    const struct fy_mark *mark = fy_token_start_mark(token);
    enum rt_status status = RT_OK;
    char *tag = copy_token(builder, token);
    size_t i;

    if (tag == NULL) {
        return RT_E_NOMEM;
    }
    if (builder->load->mode != DOC_MODE_YAML11) {
        complain(builder, mark, token_len(token), "tags are not allowed here",
                 "the schema says what a value is");
        return RT_OK;
    }
    node->has_tag = true;
    for (i = 0; i < known_count; i++) {
        if (strcmp(known_tags[i].tag, tag) == 0 && known_tags[i].kind == node->node.kind) {
            break;
        }
    }
    if (i == known_count) {
        complain(builder, mark, token_len(token), "this tag is not known",
                 "tags that are: !!str !!null !!bool !!int !!float !!timestamp !!seq !!map");
        return RT_OK;
    }
    if (node->node.kind == DOC_KIND_SCALAR) {
        status = doc__resolve_as(&builder->load->doc->arena, &node->node, known_tags[i].type);
        if (status == RT_E_MALFORMED) {
            complain(builder, mark, token_len(token), "the value is not what this tag says", NULL);
            status = RT_OK;
        }
    }
    return status;
}

/* ---- scalars and aliases ---------------------------------------------------------------- */

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
static size_t place_of_nothing(const struct builder *builder)
{
    struct rt_slice text = source_of(builder)->text;
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
static enum rt_status check_indentation(struct builder *builder, const struct doc_node *node)
{
    const struct doc_source *source = source_of(builder);
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

static enum rt_status fill_scalar(struct builder *builder, struct fy_event *event,
                                  struct doc__node *node)
{
    const struct fy_mark *start = fy_event_start_mark(event);
    const struct fy_mark *end = fy_event_end_mark(event);
    const struct doc_source *source = source_of(builder);
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
    node->node.text = copy_token(builder, token);
    node->node.text_len_bytes = fy_token_get_text_length(token);
    return node->node.text == NULL ? RT_E_NOMEM : check_indentation(builder, &node->node);
}

static enum rt_status resolve(struct builder *builder, struct fy_event *event,
                              struct doc__node *node)
{
    struct doc__arena *arena = &builder->load->doc->arena;

    if (event->scalar.tag != NULL) {
        return obey_tag(builder, event->scalar.tag, node);
    }
    if (builder->load->mode == DOC_MODE_STRICT || node->node.style != DOC_STYLE_PLAIN) {
        return RT_OK;
    }
    return builder->load->mode == DOC_MODE_JSON ? doc__resolve_json(arena, &node->node)
                                                : doc__resolve_yaml11(arena, &node->node);
}

static enum rt_status on_scalar(struct builder *builder, struct fy_event *event)
{
    struct doc__node *node = new_node(builder, DOC_KIND_SCALAR);
    const char *anchor;
    enum rt_status status;

    if (node == NULL) {
        return RT_E_NOMEM;
    }
    status = count_nodes(builder, fy_event_start_mark(event), 1);
    if (status == RT_OK) {
        status = fill_scalar(builder, event, node);
    }
    if (status == RT_OK) {
        node->node.canonical = node->node.text;
        status = resolve(builder, event, node);
    }
    if (status == RT_OK) {
        status = note_anchor(builder, event->scalar.anchor, node, &anchor);
    }
    return status == RT_OK ? add_value(builder, node) : status;
}

/* In STRICT the alias is an error and something has to stand in its place until the end. */
static enum rt_status refuse_alias(struct builder *builder, const struct fy_mark *mark, size_t len)
{
    struct doc__node *node = new_node(builder, DOC_KIND_SCALAR);

    if (node == NULL) {
        return RT_E_NOMEM;
    }
    complain(builder, mark, len, "aliases are not allowed here",
             "write the value where it is used");
    node->node.text = "";
    node->node.canonical = "";
    node->node.start = doc__source_position(source_of(builder), mark->input_pos);
    node->node.end = node->node.start;
    return add_value(builder, node);
}

static enum rt_status on_alias(struct builder *builder, struct fy_event *event)
{
    struct fy_token *token = event->alias.anchor;
    struct fy_mark mark = mark_before(fy_token_start_mark(token));
    size_t len = token_len(token) + 1;
    const struct doc_limits *limits = &builder->load->limits;
    const struct anchor *anchor;
    enum rt_status status;
    char *name;

    if (builder->load->mode != DOC_MODE_YAML11) {
        return refuse_alias(builder, &mark, len);
    }
    name = copy_token(builder, token);
    if (name == NULL) {
        return RT_E_NOMEM;
    }
    builder->last_end_bytes = mark.input_pos + len;
    anchor = find_anchor(builder, name);
    if (anchor == NULL || anchor->node == NULL) {
        complain(builder, &mark, len,
                 anchor == NULL ? "no anchor of this name stands before this alias"
                                : "this alias is inside the value that it stands for",
                 NULL);
        return RT_E_MALFORMED;
    }
    if (++builder->aliases_count > limits->alias_count) {
        return exceed(builder, &mark, "the document has more aliases", limits->alias_count);
    }
    if (builder->open_count + anchor->node->height_count > limits->depth_count + 1) {
        return exceed(builder, &mark, "the document is nested deeper", limits->depth_count);
    }
    status = count_nodes(builder, &mark, anchor->node->weight_count);
    return status == RT_OK ? add_value(builder, anchor->node) : status;
}

/* ---- collections ------------------------------------------------------------------------ */

static enum rt_status on_start(struct builder *builder, struct fy_event *event)
{
    bool is_mapping = event->type == FYET_MAPPING_START;
    const struct fy_mark *mark = fy_event_start_mark(event);
    struct fy_token *tag = fy_event_get_tag_token(event);
    const size_t limit = builder->load->limits.depth_count;
    struct open_collection *open = &builder->open[builder->open_count];
    enum rt_status status = count_nodes(builder, mark, 1);

    if (status != RT_OK) {
        return status;
    }
    if (builder->open_count == limit) {
        return exceed(builder, mark, "the document is nested deeper", limit);
    }
    open->node = new_node(builder, is_mapping ? DOC_KIND_MAPPING : DOC_KIND_SEQUENCE);
    if (open->node == NULL) {
        return RT_E_NOMEM;
    }
    open->first_value = builder->values_count;
    open->node->node.style =
        fy_event_get_node_style(event) == FYNS_FLOW ? DOC_STYLE_FLOW : DOC_STYLE_BLOCK;
    open->node->node.start = doc__source_position(
        source_of(builder), mark == NULL ? builder->last_end_bytes : mark->input_pos);
    if (mark != NULL) {
        builder->last_end_bytes =
            mark->input_pos + (open->node->node.style == DOC_STYLE_FLOW ? 1 : 0);
    }
    builder->open_count++;
    if (tag != NULL) {
        status = obey_tag(builder, tag, open->node);
    }
    if (status != RT_OK) {
        return status;
    }
    return note_anchor(builder, fy_event_get_anchor_token(event), NULL, &open->anchor);
}

static void settle_anchor(struct builder *builder, const struct open_collection *open)
{
    size_t i = builder->anchors_count;

    while (open->anchor != NULL && i-- > 0) {
        if (builder->anchors[i].name == open->anchor) {
            builder->anchors[i].node = open->node;
            return;
        }
    }
}

static enum rt_status close_sequence(struct builder *builder, struct doc__node *sequence,
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

static enum rt_status close_mapping(struct builder *builder, struct doc__node *mapping,
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

static enum rt_status on_end(struct builder *builder, struct fy_event *event)
{
    struct open_collection open = builder->open[builder->open_count - 1];
    struct doc__node **values = builder->values + open.first_value;
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
    open.node->node.end = doc__source_position(source_of(builder), builder->last_end_bytes);
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
    settle_anchor(builder, &open);
    return add_value(builder, open.node);
}

static enum rt_status add_value(struct builder *builder, struct doc__node *node)
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

/* ---- when the parser gives up ----------------------------------------------------------- */

/* The innermost bracket that is still open is often where the mistake is. */
static void point_to_open_bracket(struct builder *builder, struct doc_error *error)
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
static void add_words(struct builder *builder, struct doc_position position, const char *message)
{
    bool is_capital = message[0] >= 'A' && message[0] <= 'Z';
    bool is_abbreviation = is_capital && message[1] >= 'A' && message[1] <= 'Z';
    int first = is_capital && !is_abbreviation ? message[0] | 0x20 : message[0];
    struct doc_error *error = doc_error_add_at(builder->load->errors, source_of(builder), position,
                                               position, "%c%s", first, message + 1);

    point_to_open_bracket(builder, error);
}

static enum rt_status on_syntax_error(struct builder *builder, struct fy_diag *diag)
{
    const struct doc_source *source = source_of(builder);
    struct doc_position position = doc__source_position(source, builder->last_end_bytes);
    const char *message = "the text cannot be read from here on";
    struct fy_diag_error *found;
    void *previous = NULL;

    if (is_blank(source->text)) {
        complain(builder, NULL, 0, "the file has no content", NULL);
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
