/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "connector/transfer/omni_transfer_internal.h"

/*
 * Edges that stages name, each stage's input_connectors before its output_connectors:
 *
 *   stage 1, input_connectors:  {from_stage_0: REF}   makes 0->1
 *   stage 0, output_connectors: {to_stage_1: REF}     makes 0->1 as well: must name the same type
 *
 * All problems are collected; a stage that is broken does not hide those of the next one.
 */
struct side {
    const char *key;    /* of a stage */
    const char *prefix; /* of its keys, optional, and taken out wherever it stands */
    bool is_input;
};

static const struct side sides[] = {
    {"input_connectors", "from_stage_", true},
    {"output_connectors", "to_stage_", false},
};

static enum rt_status read_stage(struct omni__reader *reader, const struct doc_node *stage);
static enum rt_status read_id(struct omni__reader *reader, const struct doc_node *stage,
                              const char **out_id);
static enum rt_status read_side(struct omni__reader *reader, const struct doc_node *stage,
                                const char *id, const struct side *side);
static enum rt_status read_pair(struct omni__reader *reader, const struct doc_pair *pair,
                                const char *id, const struct side *side);
static enum rt_status other_end(struct omni__reader *reader, const struct doc_node *key,
                                const struct side *side, const char **out_id);
static enum rt_status add_edge(struct omni__reader *reader, const struct omni_edge *edge,
                               const struct side *side, struct doc_position name_at,
                               const struct doc_node *reference);
static void complain_of_two(struct omni__reader *reader, const struct omni__edge *existing,
                            const struct omni_edge *edge, const struct side *side,
                            struct doc_position name_at, const struct doc_node *reference);

/* No memory ends it at once, anything else is remembered. */
static bool may_go_on(enum rt_status status, enum rt_status *worst)
{
    *worst = status == RT_OK || *worst == RT_E_NOMEM ? *worst : status;
    return *worst != RT_E_NOMEM;
}

enum rt_status omni__read_stages(struct omni__reader *reader)
{
    const struct doc_node *stages = reader->parts.stages;
    enum rt_status worst = RT_OK;

    if (stages == NULL || (stages->kind == DOC_KIND_MAPPING && stages->count == 0) ||
        (stages->kind == DOC_KIND_SCALAR && stages->type == DOC_TYPE_TEXT &&
         stages->text_len_bytes == 0)) {
        return RT_OK;
    }
    if (stages->kind != DOC_KIND_SEQUENCE) {
        (void)doc_error_add(reader->errors, stages, "the stages are a list, not %s",
                            doc_describe(stages));
        return RT_E_INVALID;
    }
    for (size_t i = 0; i < stages->count; i++) {
        if (!may_go_on(read_stage(reader, stages->items[i]), &worst)) {
            break;
        }
    }
    return worst;
}

static enum rt_status read_stage(struct omni__reader *reader, const struct doc_node *stage)
{
    const char *id = NULL;
    struct omni__stage *declared = NULL;
    enum rt_status worst = read_id(reader, stage, &id);

    if (worst == RT_OK) {
        worst = omni__add_stage(reader->config, id, &declared);
    }
    for (size_t i = 0; worst == RT_OK && i < sizeof(sides) / sizeof(sides[0]); i++) {
        if (!may_go_on(read_side(reader, stage, declared->id, &sides[i]), &worst)) {
            break;
        }
    }
    return worst;
}

static enum rt_status read_id(struct omni__reader *reader, const struct doc_node *stage,
                              const char **out_id)
{
    const struct doc_node *id = doc_find(stage, "stage_id");

    if (stage->kind != DOC_KIND_MAPPING) {
        (void)doc_error_add(reader->errors, stage, "a stage is a mapping, not %s",
                            doc_describe(stage));
        return RT_E_INVALID;
    }
    if (id == NULL) {
        struct doc_error *error =
            doc_error_add(reader->errors, stage, "this stage has no stage_id");
        doc_error_help(reader->errors, error, "number the stages from 0: stage_id: 0");
        return RT_E_INVALID;
    }
    if (!omni__id_of(id, out_id)) {
        (void)doc_error_add(reader->errors, id, "a stage_id is a number or text, not %s",
                            id->kind == DOC_KIND_SCALAR ? "text with a NUL in it"
                                                        : doc_describe(id));
        return RT_E_INVALID;
    }
    return RT_OK;
}

static enum rt_status read_side(struct omni__reader *reader, const struct doc_node *stage,
                                const char *id, const struct side *side)
{
    const struct doc_node *connectors = doc_find(stage, side->key);
    enum rt_status worst = RT_OK;

    if (connectors == NULL) {
        return RT_OK;
    }
    if (connectors->kind != DOC_KIND_MAPPING) {
        struct doc_error *error =
            doc_error_add(reader->errors, connectors, "`%s` is a mapping, not %s", side->key,
                          doc_describe(connectors));
        doc_error_help(reader->errors, error, "write %s1: NAME, or leave it out", side->prefix);
        return RT_E_INVALID;
    }
    for (size_t i = 0; i < connectors->count; i++) {
        if (!may_go_on(read_pair(reader, &connectors->pairs[i], id, side), &worst)) {
            break;
        }
    }
    return worst;
}

static enum rt_status read_pair(struct omni__reader *reader, const struct doc_pair *pair,
                                const char *id, const struct side *side)
{
    struct omni__named_spec found = {0};
    const char *other = NULL;
    enum rt_status status = omni__read_reference(reader, pair->value, &found);
    enum rt_status of_key = other_end(reader, pair->key, side, &other);

    if (status != RT_OK || of_key != RT_OK) {
        return status == RT_E_NOMEM || of_key == RT_OK ? status : of_key;
    }
    const struct omni_edge edge = {
        .from_stage = side->is_input ? other : id,
        .to_stage = side->is_input ? id : other,
        .spec = found.spec,
        .line = pair->value->start.line,
        .column = pair->value->start.column,
    };
    return add_edge(reader, &edge, side, found.name_at, pair->value);
}

static enum rt_status other_end(struct omni__reader *reader, const struct doc_node *key,
                                const struct side *side, const char **out_id)
{
    size_t prefix_bytes = strlen(side->prefix);

    if (key->type != DOC_TYPE_TEXT || strlen(key->text) != key->text_len_bytes) {
        struct doc_error *error =
            doc_error_add(reader->errors, key, "a key of `%s` is text, not %s", side->key,
                          key->type == DOC_TYPE_TEXT ? "text with a NUL in it" : doc_describe(key));
        doc_error_help(reader->errors, error, "write %s%s", side->prefix, key->canonical);
        return RT_E_INVALID;
    }
    char *id = omni_arena_alloc(reader->config->arena, key->text_len_bytes + 1);
    if (id == NULL) {
        return RT_E_NOMEM;
    }
    *out_id = id;
    for (const char *from = key->text; *from != '\0';) {
        if (strncmp(from, side->prefix, prefix_bytes) == 0) {
            from += prefix_bytes;
        } else {
            *id++ = *from++;
        }
    }
    *id = '\0';
    return RT_OK;
}

/* ---- both ends ----------------------------------------------------------------------------- */

/* The first one stays, its options too. */
static enum rt_status add_edge(struct omni__reader *reader, const struct omni_edge *edge,
                               const struct side *side, struct doc_position name_at,
                               const struct doc_node *reference)
{
    struct omni__edge *existing = omni__find_edge(reader->config, edge->from_stage, edge->to_stage);
    struct omni__edge *added = NULL;

    if (existing != NULL && strcmp(existing->edge.spec.name, edge->spec.name) != 0) {
        complain_of_two(reader, existing, edge, side, name_at, reference);
        return RT_E_INVALID;
    }
    if (existing != NULL) {
        return RT_OK;
    }
    enum rt_status status = omni__add_edge(reader->config, edge, &added);
    if (status == RT_OK) {
        added->is_input = side->is_input;
        added->name_at = name_at;
    }
    return status;
}

static void complain_of_two(struct omni__reader *reader, const struct omni__edge *existing,
                            const struct omni_edge *edge, const struct side *side,
                            struct doc_position name_at, const struct doc_node *reference)
{
    const struct side *first = existing->is_input ? &sides[0] : &sides[1];
    struct doc_error *error = doc_error_add(
        reader->errors, reference,
        "edge %s->%s has two connectors: \"%s\" at %u:%u (%s of stage %s) and \"%s\" here (%s of "
        "stage %s)",
        edge->from_stage, edge->to_stage, existing->edge.spec.name, existing->edge.line,
        existing->edge.column, first->key, first->is_input ? edge->to_stage : edge->from_stage,
        edge->spec.name, side->key, side->is_input ? edge->to_stage : edge->from_stage);

    doc_error_help(reader->errors, error,
                   "name one of them at both ends; \"%s\" is written at %u:%u, \"%s\" at %u:%u",
                   existing->edge.spec.name, existing->name_at.line, existing->name_at.column,
                   edge->spec.name, name_at.line, name_at.column);
}
