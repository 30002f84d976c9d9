/* SPDX-License-Identifier: Apache-2.0 */
#include "connector/transfer/omni_transfer_internal.h"

/*
 * Edges that nobody gave a connector get a SharedMemoryConnector, as upstream: those of
 * runtime.edges, then those of each stage's engine_input_source. Nothing here is an error: the
 * first malformed entry is told as a warning, and no edge is added any more.
 */
#define AUTOMATIC_NAME "SharedMemoryConnector"

static enum rt_status add_listed(struct omni__reader *reader);
static enum rt_status add_listed_edge(struct omni__reader *reader, const struct doc_node *entry);
static enum rt_status add_sources(struct omni__reader *reader, const struct doc_node *stage);
static enum rt_status add_letters(struct omni__reader *reader, const struct doc_node *sources,
                                  const char *to_stage);
static enum rt_status add_source(struct omni__reader *reader, const struct doc_node *source,
                                 const char *to_stage);
static enum rt_status add(struct omni__reader *reader, const char *from_stage, const char *to_stage,
                          const struct doc_node *at);
static enum rt_status give_up(struct omni__reader *reader, const struct doc_node *node,
                              const char *what);

/* RT_E_INVALID below means that a warning was given and that nothing more is added. */
enum rt_status omni__add_automatic_edges(struct omni__reader *reader)
{
    const struct doc_node *stages = reader->parts.stages;
    enum rt_status status;

    if (stages == NULL || stages->kind != DOC_KIND_SEQUENCE || stages->count == 0) {
        return RT_OK; /* edges without stages are not looked at */
    }
    status = add_listed(reader);
    for (size_t i = 0; status == RT_OK && i < stages->count; i++) {
        status = add_sources(reader, stages->items[i]);
    }
    return status == RT_E_INVALID ? RT_OK : status;
}

/* ---- runtime.edges ------------------------------------------------------------------------- */

static enum rt_status add_listed(struct omni__reader *reader)
{
    const struct doc_node *edges = reader->parts.edges;
    enum rt_status status = RT_OK;

    if (edges == NULL || doc_is_null(edges)) {
        return RT_OK;
    }
    if (edges->kind != DOC_KIND_SEQUENCE) {
        (void)doc_error_add(reader->warnings, edges,
                            "`edges` is passed over: it is a list of {from: X, to: Y}, not %s",
                            doc_describe(edges));
        return RT_OK;
    }
    for (size_t i = 0; status == RT_OK && i < edges->count; i++) {
        status = add_listed_edge(reader, edges->items[i]);
    }
    return status;
}

/* Incomplete ones are skipped. */
static enum rt_status add_listed_edge(struct omni__reader *reader, const struct doc_node *entry)
{
    const struct doc_node *from = doc_find(entry, "from");
    const struct doc_node *to = doc_find(entry, "to");
    const char *from_stage = NULL;
    const char *to_stage = NULL;

    if (entry->kind != DOC_KIND_MAPPING) {
        return give_up(reader, entry, "an entry of `edges` is {from: X, to: Y}");
    }
    if (from == NULL || to == NULL || doc_is_null(from) || doc_is_null(to)) {
        (void)doc_error_add(reader->warnings, entry, "this edge is skipped: it has no `%s`",
                            from == NULL || doc_is_null(from) ? "from" : "to");
        return RT_OK;
    }
    if (!omni__id_of(from, &from_stage)) {
        return give_up(reader, from, "a stage's id is a number or text");
    }
    if (!omni__id_of(to, &to_stage)) {
        return give_up(reader, to, "a stage's id is a number or text");
    }
    return add(reader, from_stage, to_stage, entry);
}

/* ---- engine_input_source ------------------------------------------------------------------- */

/* The stage has an id: it was read before. As Python walks whatever stands here: the items of a
 * list, the keys of a mapping, the letters of a text. */
static enum rt_status add_sources(struct omni__reader *reader, const struct doc_node *stage)
{
    const struct doc_node *sources = doc_find(stage, "engine_input_source");
    const char *to_stage = NULL;
    enum rt_status status = RT_OK;

    if (sources == NULL || !omni__id_of(doc_find(stage, "stage_id"), &to_stage)) {
        return RT_OK;
    }
    if (sources->kind == DOC_KIND_SCALAR && sources->type == DOC_TYPE_TEXT) {
        return add_letters(reader, sources, to_stage);
    }
    if (sources->kind == DOC_KIND_SCALAR) {
        return give_up(reader, sources, "`engine_input_source` is a list of stages");
    }
    for (size_t i = 0; status == RT_OK && i < sources->count; i++) {
        status = add_source(
            reader, sources->kind == DOC_KIND_SEQUENCE ? sources->items[i] : sources->pairs[i].key,
            to_stage);
    }
    return status;
}

static enum rt_status add_source(struct omni__reader *reader, const struct doc_node *source,
                                 const char *to_stage)
{
    const char *from_stage = NULL;

    if (!omni__id_of(source, &from_stage)) {
        return give_up(reader, source, "a stage's id is a number or text");
    }
    return add(reader, from_stage, to_stage, source);
}

static enum rt_status add_letters(struct omni__reader *reader, const struct doc_node *sources,
                                  const char *to_stage)
{
    enum rt_status status = RT_OK;

    if (sources->text_len_bytes > 0) {
        struct doc_error *warning =
            doc_error_add(reader->warnings, sources,
                          "each letter of this `engine_input_source` counts as a "
                          "stage, because it is text and not a list");
        doc_error_help(reader->warnings, warning, "write [%s]", sources->text);
    }
    if (strlen(sources->text) != sources->text_len_bytes) {
        return give_up(reader, sources, "a stage's id has no NUL in it");
    }
    for (const char *at = sources->text; status == RT_OK && *at != '\0';) {
        char letter[5] = {0}; /* the text is UTF-8: document/ has looked */
        size_t len = 0;

        do {
            letter[len++] = *at++;
        } while (len < 4 && (*at & 0xc0) == 0x80);
        status = add(reader, letter, to_stage, sources);
    }
    return status;
}

/* ---- both ---------------------------------------------------------------------------------- */

static enum rt_status add(struct omni__reader *reader, const char *from_stage, const char *to_stage,
                          const struct doc_node *at)
{
    struct omni__edge *added = NULL;

    if (omni__find_edge(reader->config, from_stage, to_stage) != NULL) {
        return RT_OK;
    }
    const struct omni_edge edge = {
        .from_stage = from_stage,
        .to_stage = to_stage,
        .spec = {.name = AUTOMATIC_NAME, .extra = omni_map(reader->config->arena, NULL, 0)},
        .is_automatic = true,
        .line = at->start.line,
        .column = at->start.column,
    };
    if (edge.spec.extra == NULL) {
        return RT_E_NOMEM;
    }
    return omni__add_edge(reader->config, &edge, &added);
}

static enum rt_status give_up(struct omni__reader *reader, const struct doc_node *node,
                              const char *what)
{
    struct doc_error *warning =
        doc_error_add(reader->warnings, node, "no more edges are added by themselves: %s, not %s",
                      what, doc_describe(node));

    doc_error_help(reader->warnings, warning,
                   "edges found before this one stay; those behind it need a connector or a mended "
                   "list");
    return RT_E_INVALID;
}
