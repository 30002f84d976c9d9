/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "connector/omni_transfer_internal.h"

/* The tables of edges and stages. An edge is found by its two ids, a stage knows its edges. */
#define USUAL_KEY_BYTES 256U

static enum rt_status add_to_stages(struct omni_transfer_config *config, struct omni__edge *added);

struct omni__edge *omni__find_edge(const struct omni_transfer_config *config,
                                   const char *from_stage, const char *to_stage)
{
    char usual[USUAL_KEY_BYTES];
    struct omni__edge *edge = NULL;
    size_t from_bytes = strlen(from_stage) + 1;
    size_t key_bytes = from_bytes + strlen(to_stage);
    char *key = key_bytes > sizeof(usual) ? malloc(key_bytes) : usual;

    if (key == NULL) {
        return NULL;
    }
    memcpy(key, from_stage, from_bytes);
    memcpy(key + from_bytes, to_stage, key_bytes - from_bytes);
    RT_TABLE_FIND_BYTES(config->edges, key, key_bytes, edge);
    if (key != usual) {
        free(key);
    }
    return edge;
}

enum rt_status omni__add_edge(struct omni_transfer_config *config, const struct omni_edge *edge,
                              struct omni__edge **out_edge)
{
    struct omni__edge *added = omni_arena_alloc(config->arena, sizeof(*added));
    size_t from_bytes = strlen(edge->from_stage) + 1;
    size_t to_bytes = strlen(edge->to_stage) + 1;
    char *key = omni_arena_alloc(config->arena, from_bytes + to_bytes);
    enum rt_status status;

    if (added == NULL || key == NULL) {
        return RT_E_NOMEM;
    }
    memset(added, 0, sizeof(*added));
    memcpy(key, edge->from_stage, from_bytes);
    memcpy(key + from_bytes, edge->to_stage, to_bytes);
    added->edge = *edge;
    added->edge.from_stage = key;
    added->edge.to_stage = key + from_bytes;
    added->key = key;
    added->number = RT_TABLE_COUNT(config->edges);
    RT_TABLE_ADD_BYTES(config->edges, added, added->key, from_bytes + to_bytes - 1, &status);
    if (status == RT_OK) {
        status = add_to_stages(config, added);
    }
    if (status == RT_OK) {
        *out_edge = added;
    }
    return status;
}

static enum rt_status add_to_stages(struct omni_transfer_config *config, struct omni__edge *added)
{
    struct omni__stage *from = NULL;
    struct omni__stage *to = NULL;
    enum rt_status status = omni__add_stage(config, added->edge.from_stage, &from);

    if (status == RT_OK) {
        status = omni__add_stage(config, added->edge.to_stage, &to);
    }
    if (status != RT_OK) {
        return status;
    }
    if (from->out.last == NULL) {
        from->out.first = added;
    } else {
        from->out.last->next_out = added;
    }
    from->out.last = added;
    if (to->in.last == NULL) {
        to->in.first = added;
    } else {
        to->in.last->next_in = added;
    }
    to->in.last = added;
    return RT_OK;
}

struct omni__stage *omni__find_stage(const struct omni_transfer_config *config, const char *id)
{
    struct omni__stage *stage = NULL;

    RT_TABLE_FIND_BYTES(config->stages, id, strlen(id), stage);
    return stage;
}

/* The one that is there, else a new one. */
enum rt_status omni__add_stage(struct omni_transfer_config *config, const char *id,
                               struct omni__stage **out_stage)
{
    struct omni__stage *stage = omni__find_stage(config, id);
    enum rt_status status = RT_OK;

    if (stage == NULL) {
        stage = omni_arena_alloc(config->arena, sizeof(*stage));
        if (stage == NULL) {
            return RT_E_NOMEM;
        }
        memset(stage, 0, sizeof(*stage));
        status = omni__copy_text(config->arena, rt_slice_text(id), &stage->id);
        if (status == RT_OK) {
            RT_TABLE_ADD_BYTES(config->stages, stage, stage->id, strlen(stage->id), &status);
        }
    }
    if (status == RT_OK) {
        *out_stage = stage;
    }
    return status;
}

enum rt_status omni__list_edges(struct omni_transfer_config *config)
{
    struct omni__edge *edge;
    struct omni__edge *next_edge;
    struct omni__stage *stage;
    struct omni__stage *next_stage;
    size_t count = 0;

    config->edge_list = omni_arena_alloc(config->arena, (RT_TABLE_COUNT(config->edges) + 1) *
                                                            sizeof(config->edge_list[0]));
    config->stage_list = omni_arena_alloc(config->arena, (RT_TABLE_COUNT(config->stages) + 1) *
                                                             sizeof(config->stage_list[0]));
    if (config->edge_list == NULL || config->stage_list == NULL) {
        return RT_E_NOMEM;
    }
    RT_TABLE_EACH(edge, next_edge, config->edges)
    {
        config->edge_list[count++] = &edge->edge;
    }
    count = 0;
    RT_TABLE_EACH(stage, next_stage, config->stages)
    {
        config->stage_list[count++] = stage->id;
    }
    return RT_OK;
}

/* ---- looking at them ----------------------------------------------------------------------- */

size_t omni_transfer_config_edge_count(const struct omni_transfer_config *config)
{
    return RT_TABLE_COUNT(config->edges);
}

const struct omni_edge *omni_transfer_config_edge_at(const struct omni_transfer_config *config,
                                                     size_t index)
{
    return index < RT_TABLE_COUNT(config->edges) ? config->edge_list[index] : NULL;
}

const struct omni_edge *omni_transfer_config_find(const struct omni_transfer_config *config,
                                                  const char *from_stage, const char *to_stage)
{
    const struct omni__edge *edge = omni__find_edge(config, from_stage, to_stage);

    return edge == NULL ? NULL : &edge->edge;
}

const struct omni_connector_spec *omni_transfer_config_spec(
    const struct omni_transfer_config *config, const char *from_stage, const char *to_stage)
{
    const struct omni_edge *edge = omni_transfer_config_find(config, from_stage, to_stage);

    if (edge != NULL) {
        return &edge->spec;
    }
    return config->default_spec.name == NULL ? NULL : &config->default_spec;
}

enum rt_status omni_transfer_config_set_default(struct omni_transfer_config *config,
                                                const char *name, const struct omni_value *extra)
{
    struct omni_connector_spec spec = {.extra = extra};
    enum rt_status status = omni__copy_text(config->arena, rt_slice_text(name), &spec.name);

    if (status == RT_OK && extra == NULL) {
        spec.extra = omni_map(config->arena, NULL, 0);
        status = spec.extra == NULL ? RT_E_NOMEM : RT_OK;
    }
    if (status == RT_OK) {
        config->default_spec = spec;
    }
    return status;
}

size_t omni_transfer_config_stage_count(const struct omni_transfer_config *config)
{
    return RT_TABLE_COUNT(config->stages);
}

const char *omni_transfer_config_stage_at(const struct omni_transfer_config *config, size_t index)
{
    return index < RT_TABLE_COUNT(config->stages) ? config->stage_list[index] : NULL;
}
