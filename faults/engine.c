/* SPDX-License-Identifier: Apache-2.0 */
#include "faults/engine.h"

#include <assert.h>
#include <stdlib.h>

/* The engine itself: domains in, rules in and out, and what is told about them. */

static void fini_slot(struct fault__slot *slot);

enum rt_status fault_engine_create(struct rt_loop *loop, struct rt_journal *journal, uint64_t seed,
                                   struct fault_engine **out_engine)
{
    struct fault_engine *engine = calloc(1, sizeof(*engine));

    if (engine == NULL) {
        return RT_E_NOMEM;
    }
    engine->loop = loop;
    engine->journal = journal;
    engine->seed = seed;
    *out_engine = engine;
    return RT_OK;
}

void fault_engine_destroy(struct fault_engine *engine)
{
    if (engine == NULL) {
        return;
    }
    fault__holds_drop(&engine->timed);
    fault__holds_drop(&engine->resuming);
    fault__events_fini(engine);
    for (size_t i = 0; i < engine->rules.count; i++) {
        rt_task_cancel(&engine->rules.items[i]->due_task);
        fault__rule_destroy(engine->rules.items[i]);
    }
    fault__rule_list_fini(&engine->rules);
    for (size_t i = 0; i < engine->slot_count; i++) {
        fini_slot(&engine->slots[i]);
    }
    free(engine);
}

static void fini_slot(struct fault__slot *slot)
{
    for (size_t i = 0; i < (slot->operation_count + 1) * FAULT_POINT_COUNT; i++) {
        fault__bucket_fini(&slot->buckets[i]);
    }
    free(slot->buckets);
}

enum rt_status fault_engine_register(struct fault_engine *engine, const struct fault_domain *domain)
{
    struct fault__slot *slot = &engine->slots[engine->slot_count];

    assert(engine->rules.count == 0);
    if (engine->slot_count == FAULT__DOMAIN_MAX) {
        return RT_E_LIMIT;
    }
    for (size_t i = 0; i < engine->slot_count; i++) {
        if (engine->slots[i].domain == domain) {
            return RT_OK; /* two workers, one table */
        }
    }
    slot->domain = domain;
    slot->operation_count = fault__operation_count(domain);
    slot->buckets = calloc((slot->operation_count + 1) * FAULT_POINT_COUNT, sizeof(*slot->buckets));
    if (slot->buckets == NULL) {
        return RT_E_NOMEM;
    }
    engine->slot_count++;
    return RT_OK;
}

/* ---- rules ------------------------------------------------------------------------------- */

enum rt_status fault__engine_add(struct fault_engine *engine, struct fault_rule *rule)
{
    enum rt_status status;

    rule->engine = engine;
    rule->order = engine->rules.count;
    /* Documents may go before the engine does; `node` alone stays, for those who keep theirs. */
    rule->id_node = NULL;
    rule->do_node = NULL;
    fault__rule_start(rule, engine->seed);
    fault__process_init(engine, rule);
    status = fault__rule_list_insert(&engine->rules, engine->rules.count, rule);
    if (status != RT_OK) {
        fault__rule_destroy(rule);
        return status;
    }
    status = fault__event_join(engine, rule);
    if (status != RT_OK) {
        return status;
    }
    if (!fault__is_process_point(rule->point)) {
        return fault__index_add(engine, rule);
    }
    if (rule->missing_count == 0) {
        fault__process_due(rule);
    }
    return RT_OK;
}

struct fault_rule *fault__engine_find(const struct fault_engine *engine, struct rt_slice id)
{
    for (size_t i = 0; i < engine->rules.count; i++) {
        struct fault_rule *rule = engine->rules.items[i];

        if (!rule->is_disarmed && rt_slice_is_text(id, rule->id)) {
            return rule;
        }
    }
    return NULL;
}

enum rt_status fault_disarm(struct fault_engine *engine, const char *id)
{
    struct fault_rule *rule = fault__engine_find(engine, rt_slice_text(id));

    if (rule == NULL) {
        return RT_E_NOT_FOUND;
    }
    fault__index_remove(engine, rule);
    rt_task_cancel(&rule->due_task);
    rule->is_disarmed = true;
    fault__holds_release_of(engine, rule->id);
    return RT_OK;
}

size_t fault_rule_count(const struct fault_engine *engine)
{
    return engine->rules.count;
}

void fault_rule_info(const struct fault_engine *engine, size_t index,
                     struct fault_rule_info *out_info)
{
    struct fault_rule *rule = engine->rules.items[index];

    fault__rule_describe_closest(rule);
    *out_info = (struct fault_rule_info){
        .id = rule->id,
        .node = rule->node,
        .is_optional = rule->is_optional,
        .considered = fault__index_considered(engine, rule),
        .matched = rule->matched_count,
        .fired = rule->fired_count,
        .holding = rule->holding_count,
        .is_armed = rule->missing_count == 0 && !rule->is_disarmed,
        .closest = rule->closest_text == NULL ? "" : rule->closest_text,
        .trigger = rule->trigger_text,
        .closest_edit = rule->edit_text == NULL ? "" : rule->edit_text,
        .point = rule->point,
        .is_spent = rule->is_spent,
    };
}

uint64_t fault_looked_at_count(const struct fault_engine *engine)
{
    return engine->looked_at_count;
}

/* ---- lists of rules ---------------------------------------------------------------------- */

enum rt_status fault__rule_list_insert(struct fault__rule_list *list, size_t index,
                                       struct fault_rule *rule)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 4 : list->capacity * 2;
        struct fault_rule **items = realloc(list->items, capacity * sizeof(struct fault_rule *));

        if (items == NULL) {
            return RT_E_NOMEM;
        }
        list->items = items;
        list->capacity = capacity;
    }
    memmove(&list->items[index + 1], &list->items[index],
            (list->count - index) * sizeof(struct fault_rule *));
    list->items[index] = rule;
    list->count++;
    return RT_OK;
}

void fault__rule_list_remove(struct fault__rule_list *list, const struct fault_rule *rule)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i] == rule) {
            list->count--;
            memmove(&list->items[i], &list->items[i + 1],
                    (list->count - i) * sizeof(struct fault_rule *));
            return;
        }
    }
}

void fault__rule_list_fini(struct fault__rule_list *list)
{
    free(list->items);
    *list = (struct fault__rule_list){.count = 0};
}
