/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "connector/serializer/omni_integer.h"
#include "connector/transfer/omni_transfer_internal.h"

/* The configuration as one stage sees it. Costs what the stage's own edges cost. */
#define ADDED_PAIRS 3U /* what is added to extra, at most */

struct growing;
static void set_pair(struct growing *growing, const char *key, const struct omni_value *value);

static enum rt_status view_edge(const struct omni_transfer_config *config,
                                const struct omni__edge *edge, bool is_incoming,
                                struct omni_arena *arena, struct omni_stage_edge *out_edge,
                                char *out_text);
static bool read_id(const struct omni_transfer_config *config, const struct omni_edge *edge,
                    const char *id, int64_t *out_id, char *out_text);

/* ---- a copy of extra that may grow --------------------------------------------------------- */

struct growing {
    struct omni_arena *arena;
    struct omni_pair *pairs; /* with room for ADDED_PAIRS more than extra has */
    size_t count;
    bool is_out_of_memory;
};

static bool has_key(const struct omni_pair *pair, const char *key)
{
    return pair->key->kind == OMNI_TEXT && rt_slice_is_text(pair->key->body.bytes, key);
}

/* All of `extra`; with `type` before it unless NULL, whose value one in `extra` replaces. */
static void grow(struct growing *growing, struct omni_arena *arena, const char *type,
                 const struct omni_value *extra)
{
    size_t room = extra->map.count + ADDED_PAIRS;

    *growing = (struct growing){.arena = arena};
    growing->pairs = omni_arena_alloc(arena, room * sizeof(growing->pairs[0]));
    growing->is_out_of_memory = growing->pairs == NULL;
    if (type != NULL) {
        const struct omni_value *given = omni_map_get(extra, "type");
        set_pair(growing, "type", given != NULL ? given : omni_text(arena, rt_slice_text(type)));
    }
    for (size_t i = 0; !growing->is_out_of_memory && i < extra->map.count; i++) {
        if (type == NULL || !has_key(&extra->map.pairs[i], "type")) {
            growing->pairs[growing->count++] = extra->map.pairs[i];
        }
    }
}

static struct omni_pair *find_pair(const struct growing *growing, const char *key)
{
    for (size_t i = 0; i < growing->count; i++) {
        if (has_key(&growing->pairs[i], key)) {
            return &growing->pairs[i];
        }
    }
    return NULL;
}

/* As a Python dict: a key that is there keeps its place. */
static void set_pair(struct growing *growing, const char *key, const struct omni_value *value)
{
    if (growing->is_out_of_memory) {
        return;
    }
    struct omni_pair *pair = find_pair(growing, key);
    if (pair == NULL) {
        pair = &growing->pairs[growing->count++];
        pair->key = omni_text(growing->arena, rt_slice_text(key));
    }
    pair->value = value;
    growing->is_out_of_memory = pair->key == NULL || value == NULL;
}

/* A role that is given counts, whatever it is. */
static void set_role(struct growing *growing, const char *role)
{
    if (!growing->is_out_of_memory && find_pair(growing, "role") == NULL) {
        set_pair(growing, "role", omni_text(growing->arena, rt_slice_text(role)));
    }
}

static const struct omni_value *grown(const struct growing *growing)
{
    return growing->is_out_of_memory ? NULL
                                     : omni_map(growing->arena, growing->pairs, growing->count);
}

/* ---- the view ------------------------------------------------------------------------------ */

/* Edges in the file's order: the position of a stage's edges in its two lists is that order. */
enum rt_status omni_transfer_config_view(const struct omni_transfer_config *config,
                                         const char *stage, struct omni_arena *arena,
                                         struct omni_stage_view *out_view,
                                         char out_text[OMNI_TRANSFER_TEXT_BYTES])
{
    const struct omni__stage *found = omni__find_stage(config, stage);
    const struct omni__edge *in = found == NULL ? NULL : found->in.first;
    const struct omni__edge *out =
        found == NULL || strcmp(stage, "0") != 0 ? NULL : found->out.first;
    size_t count = 0;

    for (const struct omni__edge *edge = in; edge != NULL; edge = edge->next_in) {
        count++;
    }
    for (const struct omni__edge *edge = out; edge != NULL; edge = edge->next_out) {
        count++;
    }
    struct omni_stage_edge *edges = omni_arena_alloc(arena, (count + 1) * sizeof(edges[0]));
    if (edges == NULL) {
        return RT_E_NOMEM;
    }
    count = 0;
    while (in != NULL || out != NULL) {
        bool is_incoming = out == NULL || (in != NULL && in->number <= out->number);
        const struct omni__edge *edge = is_incoming ? in : out;
        /* An edge from 0 to 0 is in both lists and counts as incoming. */
        bool is_loop = !is_incoming && strcmp(edge->edge.to_stage, stage) == 0;
        enum rt_status status =
            is_loop ? RT_OK : view_edge(config, edge, is_incoming, arena, &edges[count], out_text);
        if (status != RT_OK) {
            return status;
        }
        count += is_loop ? 0 : 1;
        in = is_incoming ? in->next_in : in;
        out = is_incoming ? out : out->next_out;
    }
    *out_view = (struct omni_stage_view){.edges = edges, .count = count};
    return RT_OK;
}

static enum rt_status view_edge(const struct omni_transfer_config *config,
                                const struct omni__edge *edge, bool is_incoming,
                                struct omni_arena *arena, struct omni_stage_edge *out_edge,
                                char *out_text)
{
    const char *prefix = is_incoming ? "from_stage_" : "to_stage_";
    const char *other = is_incoming ? edge->edge.from_stage : edge->edge.to_stage;
    size_t key_bytes = strlen(prefix) + strlen(other) + 1;
    char *key = omni_arena_alloc(arena, key_bytes);
    struct growing extra;
    int64_t from = 0;
    int64_t to = 0;

    if (!read_id(config, &edge->edge, edge->edge.from_stage, &from, out_text) ||
        !read_id(config, &edge->edge, edge->edge.to_stage, &to, out_text)) {
        return RT_E_INVALID;
    }
    grow(&extra, arena, NULL, edge->edge.spec.extra);
    set_role(&extra, is_incoming ? "receiver" : "sender");
    set_pair(&extra, "from_stage", omni_int(arena, from));
    set_pair(&extra, "to_stage", omni_int(arena, to));
    *out_edge = (struct omni_stage_edge){
        .key = key,
        .edge = &edge->edge,
        .spec = {.name = edge->edge.spec.name, .extra = grown(&extra)},
    };
    if (key == NULL || out_edge->spec.extra == NULL) {
        return RT_E_NOMEM;
    }
    (void)snprintf(key, key_bytes, "%s%s", prefix, other);
    return RT_OK;
}

/* What Python's int() takes; beyond 64 bits nobody numbers stages. */
static bool read_id(const struct omni_transfer_config *config, const struct omni_edge *edge,
                    const char *id, int64_t *out_id, char *out_text)
{
    char reason[OMNI_INTEGER_TEXT_BYTES];
    const struct omni_value text = {.kind = OMNI_TEXT, .body = {.bytes = rt_slice_text(id)}};
    bool is_integer = omni__integer_of(&text, out_id, reason);

    if (is_integer && *out_id != INT64_MAX && *out_id != INT64_MIN) {
        return true;
    }
    (void)snprintf(out_text, OMNI_TRANSFER_TEXT_BYTES,
                   "%.400s:%u:%u: the id \"%.100s\" of edge %.100s->%.100s is no integer%s",
                   config->path, edge->line, edge->column, id, edge->from_stage, edge->to_stage,
                   is_integer ? " of 64 bits" : "");
    return false;
}

/* ---- the primary spec ---------------------------------------------------------------------- */

static bool is_number(const char *id)
{
    return *id != '\0' && id[strspn(id, "0123456789")] == '\0';
}

static int compare_ids(const char *a, const char *b)
{
    bool is_a_number = is_number(a);

    if (is_a_number != is_number(b)) {
        return is_a_number ? -1 : 1;
    }
    if (!is_a_number) {
        return strcmp(a, b); /* UTF-8 sorts as its code points */
    }
    a += strspn(a, "0");
    b += strspn(b, "0");
    size_t a_bytes = strlen(a);
    size_t b_bytes = strlen(b);
    if (a_bytes != b_bytes) {
        return a_bytes < b_bytes ? -1 : 1;
    }
    return strcmp(a, b);
}

/* The first of equals. */
static const struct omni__edge *smallest(const struct omni__stage *stage, bool is_out)
{
    const struct omni__edge *best = is_out ? stage->out.first : stage->in.first;

    for (const struct omni__edge *edge = best; edge != NULL;
         edge = is_out ? edge->next_out : edge->next_in) {
        int order = is_out ? compare_ids(edge->edge.to_stage, best->edge.to_stage)
                           : compare_ids(edge->edge.from_stage, best->edge.from_stage);
        if (order < 0) {
            best = edge;
        }
    }
    return best;
}

enum rt_status omni_transfer_config_primary(const struct omni_transfer_config *config,
                                            const char *stage, struct omni_arena *arena,
                                            struct omni_primary_spec *out_primary)
{
    const struct omni__stage *found = omni__find_stage(config, stage);
    bool is_sender = found != NULL && found->out.first != NULL;
    const struct omni__edge *best = found == NULL ? NULL : smallest(found, is_sender);
    struct growing extra;

    if (best == NULL) {
        *out_primary = (struct omni_primary_spec){0};
        return RT_OK;
    }
    grow(&extra, arena, best->edge.spec.name, best->edge.spec.extra);
    set_role(&extra, is_sender ? "sender" : "receiver");
    *out_primary = (struct omni_primary_spec){.edge = &best->edge, .extra = grown(&extra)};
    return out_primary->extra == NULL ? RT_E_NOMEM : RT_OK;
}
