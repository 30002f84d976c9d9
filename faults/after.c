/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "faults/engine.h"
#include "faults/words.h"

/*
 * What the rules of a list say about each other: unique ids, events of faults that exist, and no
 * rule that waits for itself. Older rules of the engine can be named but name none of these.
 */

#define WORD_MAX 64

enum colour { WHITE, GREY, BLACK };

struct graph {
    const struct fault__rule_list *rules;
    const struct fault_engine *engine;
    struct doc_error_list *errors;
    struct fault_rule **by_id; /* sorted, for look-ups */
    uint8_t *colours;          /* by order in the list */
    size_t *path;              /* indexes of grey rules, the first one asked about first */
    size_t *next_after;        /* per rule: which of its events is looked at next */
};

static int compare_ids(const void *a, const void *b);
static enum rt_status check_ids(const struct graph *graph);
static enum rt_status check_events(const struct graph *graph, const struct fault_rule *rule);
static enum rt_status check_event(const struct graph *graph, const struct doc_node *node,
                                  size_t offset_bytes, const char *event);
static struct fault_rule *find(const struct graph *graph, struct rt_slice id);
static enum rt_status walk_from(const struct graph *graph, size_t root);
static bool find_next(const struct graph *graph, size_t from, size_t *out_to,
                      const struct doc_node **out_node);
static void complain_cycle(const struct graph *graph, const struct doc_node *node, size_t depth,
                           size_t to);

enum rt_status fault__rules_check_order(const struct fault__rule_list *rules,
                                        const struct fault_engine *engine,
                                        struct doc_error_list *errors)
{
    size_t count = rules->count;
    struct graph graph = {.rules = rules, .engine = engine, .errors = errors};
    enum rt_status status = RT_E_NOMEM;

    graph.by_id = calloc(count + 1, sizeof(struct fault_rule *));
    graph.colours = calloc(count + 1, sizeof(*graph.colours));
    graph.path = calloc(count + 1, sizeof(*graph.path));
    graph.next_after = calloc(count + 1, sizeof(*graph.next_after));
    if (graph.by_id == NULL || graph.colours == NULL || graph.path == NULL ||
        graph.next_after == NULL) {
        goto free_graph;
    }
    for (size_t i = 0; i < count; i++) {
        rules->items[i]->order = i;
        graph.by_id[i] = rules->items[i];
    }
    qsort(graph.by_id, count, sizeof(struct fault_rule *), compare_ids);
    status = check_ids(&graph);
    for (size_t i = 0; i < count; i++) {
        if (check_events(&graph, rules->items[i]) != RT_OK) {
            status = RT_E_INVALID;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (graph.colours[i] == WHITE && walk_from(&graph, i) != RT_OK) {
            status = RT_E_INVALID;
            break; /* the rest of a cycle would be told again and again */
        }
    }

free_graph:
    free(graph.by_id);
    free(graph.colours);
    free(graph.path);
    free(graph.next_after);
    return status;
}

/* ---- ids --------------------------------------------------------------------------------- */

static int compare_ids(const void *a, const void *b)
{
    const struct fault_rule *rule_a = *(struct fault_rule *const *)a;
    const struct fault_rule *rule_b = *(struct fault_rule *const *)b;
    int result = strcmp(rule_a->id, rule_b->id);

    return result != 0 ? result : (rule_a->order > rule_b->order) - (rule_a->order < rule_b->order);
}

static enum rt_status check_ids(const struct graph *graph)
{
    enum rt_status status = RT_OK;

    for (size_t i = 0; i < graph->rules->count; i++) {
        const struct fault_rule *rule = graph->by_id[i];

        if (i > 0 && strcmp(graph->by_id[i - 1]->id, rule->id) == 0) {
            doc_error_add(graph->errors, rule->id_node, "the id \"%s\" is taken, see line %u",
                          rule->id, graph->by_id[i - 1]->id_node->start.line);
            status = RT_E_INVALID;
        } else if (graph->engine != NULL &&
                   fault__engine_find(graph->engine, rt_slice_text(rule->id)) != NULL) {
            doc_error_add(graph->errors, rule->id_node,
                          "the id \"%s\" is taken by a rule that is armed", rule->id);
            status = RT_E_INVALID;
        }
    }
    return status;
}

static struct fault_rule *find(const struct graph *graph, struct rt_slice id)
{
    size_t low = 0;
    size_t high = graph->rules->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct fault_rule *rule = graph->by_id[middle];
        int result = strncmp(rule->id, (const char *)id.data, id.len_bytes);

        if (result == 0 && rule->id[id.len_bytes] == '\0') {
            return rule;
        }
        if (result < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

/* ---- events ------------------------------------------------------------------------------ */

static enum rt_status check_events(const struct graph *graph, const struct fault_rule *rule)
{
    enum rt_status status = RT_OK;

    for (size_t i = 0; i < rule->after_count; i++) {
        if (check_event(graph, rule->after[i].node, 0, rule->after[i].text) != RT_OK) {
            status = RT_E_INVALID;
        }
    }
    for (const struct fault__term *term = rule->trigger.terms; term != NULL; term = term->next) {
        if (term->action.event != NULL &&
            check_event(graph, rule->do_node, term->event_offset_bytes, term->action.event) !=
                RT_OK) {
            status = RT_E_INVALID;
        }
    }
    return status;
}

static enum rt_status check_event(const struct graph *graph, const struct doc_node *node,
                                  size_t offset_bytes, const char *event)
{
    const char *ids[WORD_MAX];
    size_t count = 0;
    struct rt_slice id;
    uint64_t number;
    struct doc_error *error;

    if (strncmp(event, "fault.", 6) != 0) {
        return RT_OK; /* somebody else's: fault_rule_events() */
    }
    if (!fault__is_fired_event(rt_slice_text(event), &id, &number)) {
        error = doc_error_add_inside(graph->errors, node, offset_bytes, strlen(event),
                                     "the only thing a fault can do here is fire");
        doc_error_help(graph->errors, error,
                       "fault.<id>.fired, or fault.<id>.fired#2 for the second time");
        return RT_E_INVALID;
    }
    if (find(graph, id) != NULL ||
        (graph->engine != NULL && fault__engine_find(graph->engine, id) != NULL)) {
        return RT_OK;
    }
    for (size_t i = 0; i < graph->rules->count && count < WORD_MAX; i++) {
        ids[count++] = graph->rules->items[i]->id;
    }
    error = doc_error_add_inside(graph->errors, node, offset_bytes + 6, id.len_bytes,
                                 "there is no fault \"%.*s\"", (int)id.len_bytes,
                                 (const char *)id.data);
    doc_error_allow(graph->errors, error, id, ids, count);
    return RT_E_INVALID;
}

/* ---- cycles ------------------------------------------------------------------------------ */

/* Depth first without recursion: a file must not choose how deep our stack gets. */
static enum rt_status walk_from(const struct graph *graph, size_t root)
{
    size_t depth = 1;

    graph->path[0] = root;
    graph->colours[root] = GREY;
    while (depth > 0) {
        size_t from = graph->path[depth - 1];
        const struct doc_node *node;
        size_t to;

        if (!find_next(graph, from, &to, &node)) {
            graph->colours[from] = BLACK;
            depth--;
        } else if (graph->colours[to] == GREY) {
            complain_cycle(graph, node, depth, to);
            return RT_E_INVALID;
        } else if (graph->colours[to] == WHITE) {
            graph->colours[to] = GREY;
            graph->path[depth++] = to;
        }
    }
    return RT_OK;
}

/* The next rule of the list that `from` waits for. */
static bool find_next(const struct graph *graph, size_t from, size_t *out_to,
                      const struct doc_node **out_node)
{
    const struct fault_rule *rule = graph->rules->items[from];

    while (graph->next_after[from] < rule->after_count) {
        const struct fault__name *after = &rule->after[graph->next_after[from]++];
        const struct fault_rule *to;
        struct rt_slice id;
        uint64_t number;

        if (!fault__is_fired_event(rt_slice_text(after->text), &id, &number)) {
            continue;
        }
        to = find(graph, id);
        if (to != NULL) {
            *out_to = to->order;
            *out_node = after->node;
            return true;
        }
    }
    return false;
}

static void complain_cycle(const struct graph *graph, const struct doc_node *node, size_t depth,
                           size_t to)
{
    char text[160];
    size_t start = depth;
    size_t used = 0;

    do {
        start--;
    } while (graph->path[start] != to);
    text[0] = '\0';
    for (size_t i = start; i < depth && used < sizeof(text); i++) {
        int len = snprintf(text + used, sizeof(text) - used, "%s after ",
                           graph->rules->items[graph->path[i]]->id);

        used += len < 0 ? 0 : (size_t)len;
    }
    doc_error_add(graph->errors, node, "these faults wait for each other: %s%s%s", text,
                  used < sizeof(text) ? "" : "... ", graph->rules->items[to]->id);
}
