/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "faults/engine.h"
#include "faults/words.h"

/*
 * What happened, and who waits for it. A name gets an entry when it happens or when somebody
 * names it; the firings of a fault are remembered by its counter, so that a rule which fires for
 * ever costs no memory.
 */

static struct fault__event *find(const struct fault_engine *engine, const char *name);
static bool has_fired(const struct fault_engine *engine, struct rt_slice id, uint64_t number);
static void join_rule(struct fault__event *event, struct fault_rule *rule);
static void happen(struct fault__event *event);

void fault_event(struct fault_engine *engine, const char *name)
{
    struct fault__event *event;

    if (engine == NULL) {
        return;
    }
    /* Without memory for a new name nobody waits for it; only the question for it is answered
     * wrongly later. */
    event = fault__event_need(engine, name);
    if (event != NULL) {
        happen(event);
    }
}

bool fault_event_has_happened(const struct fault_engine *engine, const char *name)
{
    const struct fault__event *event = engine == NULL ? NULL : find(engine, name);
    struct rt_slice id;
    uint64_t number;

    if (event != NULL || engine == NULL) {
        return event != NULL && event->has_happened;
    }
    return fault__is_fired_event(rt_slice_text(name), &id, &number) &&
           has_fired(engine, id, number);
}

/* Also by a rule that is disarmed: an event that has happened stays so. */
static bool has_fired(const struct fault_engine *engine, struct rt_slice id, uint64_t number)
{
    for (size_t i = 0; i < engine->rules.count; i++) {
        const struct fault_rule *rule = engine->rules.items[i];

        if (rule->fired_count > 0 && rule->fired_count >= number &&
            rt_slice_is_text(id, rule->id)) {
            return true;
        }
    }
    return false;
}

static struct fault__event *find(const struct fault_engine *engine, const char *name)
{
    struct fault__event *event;

    RT_TABLE_FIND_BYTES(engine->events, name, strlen(name), event);
    return event;
}

struct fault__event *fault__event_need(struct fault_engine *engine, const char *name)
{
    struct fault__event *event = find(engine, name);
    struct rt_slice id;
    enum rt_status status;

    if (event != NULL) {
        return event;
    }
    event = calloc(1, sizeof(*event) + strlen(name) + 1);
    if (event == NULL) {
        return NULL;
    }
    event->len_bytes = strlen(name);
    memcpy(event->name, name, event->len_bytes + 1);
    RT_TABLE_ADD_BYTES(engine->events, event, event->name, event->len_bytes, &status);
    if (status != RT_OK) {
        free(event);
        return NULL;
    }
    if (fault__is_fired_event(rt_slice_text(name), &id, &event->number)) {
        struct fault_rule *rule = fault__engine_find(engine, id);

        event->has_happened = has_fired(engine, id, event->number);
        if (rule != NULL) {
            join_rule(event, rule);
        }
    }
    return event;
}

/* `event` is what happens when `rule` fires. */
static void join_rule(struct fault__event *event, struct fault_rule *rule)
{
    event->rule = rule;
    event->next_of_rule = rule->fired_events;
    rule->fired_events = event;
}

enum rt_status fault__event_join(struct fault_engine *engine, struct fault_rule *rule)
{
    struct fault__event *event;
    struct fault__event *next;

    RT_TABLE_EACH(event, next, engine->events)
    {
        struct rt_slice id;
        uint64_t number;

        /* Events of a disarmed rule belong to the new one with its id. */
        if (fault__is_fired_event(rt_slice_of(event->name, event->len_bytes), &id, &number) &&
            rt_slice_is_text(id, rule->id)) {
            join_rule(event, rule);
        }
    }
    for (size_t i = 0; i < rule->after_count; i++) {
        event = fault__event_need(engine, rule->after[i].text);
        if (event == NULL ||
            fault__rule_list_insert(&event->rules, event->rules.count, rule) != RT_OK) {
            return RT_E_NOMEM;
        }
        rule->missing_count += event->has_happened ? 0 : 1;
    }
    for (const struct fault__term *term = rule->trigger.terms; term != NULL; term = term->next) {
        if (term->action.event != NULL && fault__event_need(engine, term->action.event) == NULL) {
            return RT_E_NOMEM;
        }
    }
    return RT_OK;
}

void fault__event_fired(struct fault_engine *engine, struct fault_rule *rule)
{
    (void)engine;
    for (struct fault__event *event = rule->fired_events; event != NULL;
         event = event->next_of_rule) {
        if (event->rule == rule && (event->number == 0 || event->number == rule->fired_count)) {
            happen(event);
        }
    }
}

/* Arms rules in file order, then lets go what waits, the oldest first; both act from the loop. */
static void happen(struct fault__event *event)
{
    bool is_first = !event->has_happened;

    event->has_happened = true;
    for (size_t i = 0; i < event->rules.count; i++) {
        struct fault_rule *rule = event->rules.items[i];

        rule->missing_count -= is_first ? 1 : 0;
        if (rule->missing_count == 0 && fault__is_process_point(rule->point)) {
            fault__process_due(rule);
        }
    }
    fault__holds_release(&event->holds);
}

void fault__events_fini(struct fault_engine *engine)
{
    struct fault__event *event;
    struct fault__event *next;

    RT_TABLE_EACH(event, next, engine->events)
    {
        RT_TABLE_REMOVE(engine->events, event);
        fault__holds_drop(&event->holds);
        fault__rule_list_fini(&event->rules);
        free(event);
    }
}
