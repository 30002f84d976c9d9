/* SPDX-License-Identifier: Apache-2.0 */
#include "document/build.h"

/* What one place of a file says about another: anchors, aliases; and tags. */

/* ---- anchors and tags ------------------------------------------------------------------- */

char *doc__copy_token(struct doc__builder *builder, struct fy_token *token)
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
enum rt_status doc__note_anchor(struct doc__builder *builder, struct fy_token *token,
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
        doc__complain(builder, &mark, token_len(token) + 1, "anchors are not allowed here",
                      "write the value where it is used");
        return RT_OK;
    }
    if (builder->anchors_count == builder->load->limits.alias_count) {
        return doc__exceed(builder, &mark, "the document has more anchors",
                           builder->load->limits.alias_count);
    }
    name = doc__copy_token(builder, token);
    if (name == NULL) {
        return RT_E_NOMEM;
    }
    builder->anchors[builder->anchors_count++] = (struct doc__anchor){.name = name, .node = node};
    *out_name = name;
    return RT_OK;
}

static const struct doc__anchor *find_anchor(const struct doc__builder *builder, const char *name)
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

enum rt_status doc__obey_tag(struct doc__builder *builder, struct fy_token *token,
                             struct doc__node *node)
{
    const size_t known_count = sizeof(known_tags) / sizeof(known_tags[0]);
    const struct fy_mark *mark = fy_token_start_mark(token);
    enum rt_status status = RT_OK;
    char *tag = doc__copy_token(builder, token);
    size_t i;

    if (tag == NULL) {
        return RT_E_NOMEM;
    }
    if (builder->load->mode != DOC_MODE_YAML11) {
        doc__complain(builder, mark, token_len(token), "tags are not allowed here",
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
        doc__complain(builder, mark, token_len(token), "this tag is not known",
                      "tags that are: !!str !!null !!bool !!int !!float !!timestamp !!seq !!map");
        return RT_OK;
    }
    if (node->node.kind == DOC_KIND_SCALAR) {
        status = doc__resolve_as(&builder->load->doc->arena, &node->node, known_tags[i].type);
        if (status == RT_E_MALFORMED) {
            doc__complain(builder, mark, token_len(token), "the value is not what this tag says",
                          NULL);
            status = RT_OK;
        }
    }
    return status;
}

void doc__settle_anchor(struct doc__builder *builder, const struct doc__open_collection *open)
{
    size_t i = builder->anchors_count;

    while (open->anchor != NULL && i-- > 0) {
        if (builder->anchors[i].name == open->anchor) {
            builder->anchors[i].node = open->node;
            return;
        }
    }
}

/* ---- aliases ---------------------------------------------------------------------------- */

/* In STRICT the alias is an error and something has to stand in its place until the end. */
static enum rt_status refuse_alias(struct doc__builder *builder, const struct fy_mark *mark,
                                   size_t len)
{
    struct doc__node *node = doc__new_node(builder, DOC_KIND_SCALAR);

    if (node == NULL) {
        return RT_E_NOMEM;
    }
    doc__complain(builder, mark, len, "aliases are not allowed here",
                  "write the value where it is used");
    node->node.text = "";
    node->node.canonical = "";
    node->node.start = doc__source_position(doc__source_of(builder), mark->input_pos);
    node->node.end = node->node.start;
    return doc__add_value(builder, node);
}

enum rt_status doc__on_alias(struct doc__builder *builder, struct fy_event *event)
{
    struct fy_token *token = event->alias.anchor;
    struct fy_mark mark = mark_before(fy_token_start_mark(token));
    size_t len = token_len(token) + 1;
    const struct doc_limits *limits = &builder->load->limits;
    const struct doc__anchor *anchor;
    enum rt_status status;
    char *name;

    if (builder->load->mode != DOC_MODE_YAML11) {
        return refuse_alias(builder, &mark, len);
    }
    name = doc__copy_token(builder, token);
    if (name == NULL) {
        return RT_E_NOMEM;
    }
    builder->last_end_bytes = mark.input_pos + len;
    anchor = find_anchor(builder, name);
    if (anchor == NULL || anchor->node == NULL) {
        doc__complain(builder, &mark, len,
                      anchor == NULL ? "no anchor of this name stands before this alias"
                                     : "this alias is inside the value that it stands for",
                      NULL);
        return RT_E_MALFORMED;
    }
    if (++builder->aliases_count > limits->alias_count) {
        return doc__exceed(builder, &mark, "the document has more aliases", limits->alias_count);
    }
    if (builder->open_count + anchor->node->height_count > limits->depth_count + 1) {
        return doc__exceed(builder, &mark, "the document is nested deeper", limits->depth_count);
    }
    status = doc__count_nodes(builder, &mark, anchor->node->weight_count);
    return status == RT_OK ? doc__add_value(builder, anchor->node) : status;
}
