/* SPDX-License-Identifier: Apache-2.0 */
#include "connector/transfer/omni_transfer_internal.h"

/* The tables of edges and stages. An edge is found by its two stages, a stage knows its edges. */
static void link_to_stages(struct omni__edge *added, struct omni__stage *from,
                           struct omni__stage *to);

struct omni__edge *omni__find_edge(const struct omni_transfer_config *config,
                                   const char *from_stage, const char *to_stage)
{
    struct omni__edge *edge = NULL;
    const struct omni__edge_key key = {.from = omni__find_stage(config, from_stage),
                                       .to = omni__find_stage(config, to_stage)};

    RT_TABLE_FIND_BYTES(config->edges, &key, sizeof(key), edge);
    return edge;
}

enum rt_status omni__add_edge(struct omni_transfer_config *config, const struct omni_edge *edge,
                              struct omni__edge **out_edge)
{
    struct omni__edge *added = omni_arena_alloc(config->arena, sizeof(*added));
    struct omni__stage *from = NULL;
    struct omni__stage *to = NULL;
    enum rt_status status = omni__add_stage(config, edge->from_stage, &from);

    if (status == RT_OK) {
        status = omni__add_stage(config, edge->to_stage, &to);
    }
    if (status != RT_OK || added == NULL) {
        return RT_E_NOMEM;
    }
    memset(added, 0, sizeof(*added));
    added->edge = *edge;
    added->edge.from_stage = from->id;
    added->edge.to_stage = to->id;
    added->key = (struct omni__edge_key){.from = from, .to = to};
    added->number = RT_TABLE_COUNT(config->edges);
    RT_TABLE_ADD_BYTES(config->edges, added, &added->key, sizeof(added->key), &status);
    if (status == RT_OK) {
        link_to_stages(added, from, to);
        *out_edge = added;
    }
    return status;
}

static void link_to_stages(struct omni__edge *added, struct omni__stage *from,
                           struct omni__stage *to)
{
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
