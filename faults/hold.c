/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "faults/engine.h"

/*
 * Things that wait. A hold is always on exactly one list, which its `link` shows:
 *
 *   start --event--> event->holds ----happens----.
 *     |---time-----> engine->timed ---on_time----+--> engine->resuming --on_resume--> its owner
 *     '---happened already-----------------------'
 */

static void link_to(struct fault_hold **list, struct fault_hold *hold);
static void unlink_hold(struct fault_hold *hold);
static void stop(struct fault_hold *hold);
static void release(struct fault_hold *hold);
static void on_time(void *arg);
static void on_resume(void *arg);
static struct fault_rule *rule_of(const struct fault_hold *hold);
static void tell_released(const struct fault_hold *hold, const struct fault_rule *rule);

enum rt_status fault_hold_start(struct fault_engine *engine, struct fault_hold *hold,
                                const struct fault_action *action, rt_task_fn *resume, void *arg)
{
    struct fault__event *event = NULL;
    struct fault_rule *rule;

    assert(hold->link == NULL);
    hold->engine = engine;
    hold->resume = resume;
    hold->arg = arg;
    hold->action = action;
    rt_task_init(&hold->task, engine->loop, on_resume, hold);
    rt_timer_init(&hold->timer, engine->loop, on_time, hold);
    if (action->kind == FAULT_HOLD && action->event != NULL) {
        event = fault__event_need(engine, action->event);
        if (event == NULL) {
            return RT_E_NOMEM;
        }
    } else if (action->kind == FAULT_DELAY || action->duration_us > 0) {
        enum rt_status status = rt_timer_arm_after(&hold->timer, action->duration_us);

        if (status != RT_OK) {
            return status;
        }
    }
    link_to(event == NULL ? &engine->timed : &event->holds, hold);
    rule = rule_of(hold);
    if (rule != NULL) {
        rule->holding_count++;
    }
    if (event != NULL && event->has_happened) {
        release(hold);
    }
    return RT_OK;
}

void fault_hold_cancel(struct fault_hold *hold)
{
    if (hold->link != NULL) {
        stop(hold);
    }
}

/* ---- going on ---------------------------------------------------------------------------- */

void fault__holds_release(struct fault_hold **list)
{
    struct fault_hold *oldest = NULL;

    while (*list != NULL) { /* newest first on the list, oldest first out */
        struct fault_hold *hold = *list;

        unlink_hold(hold);
        link_to(&oldest, hold);
    }
    while (oldest != NULL) {
        release(oldest);
    }
}

void fault__holds_release_of(struct fault_engine *engine, const char *rule_id)
{
    struct fault_hold *oldest = NULL;
    struct fault_hold *hold;
    struct fault_hold *next_hold;
    struct fault__event *event;
    struct fault__event *next;

    for (hold = engine->timed; hold != NULL; hold = next_hold) {
        next_hold = hold->next;
        if (hold->action->rule_id == rule_id) {
            unlink_hold(hold);
            link_to(&oldest, hold);
        }
    }
    RT_TABLE_EACH(event, next, engine->events)
    {
        for (hold = event->holds; hold != NULL; hold = next_hold) {
            next_hold = hold->next;
            if (hold->action->rule_id == rule_id) {
                unlink_hold(hold);
                link_to(&oldest, hold);
            }
        }
    }
    while (oldest != NULL) {
        release(oldest);
    }
}

void fault__holds_drop(struct fault_hold **list)
{
    while (*list != NULL) {
        stop(*list);
    }
}

/* Not waiting any more, and it will not go on. */
static void stop(struct fault_hold *hold)
{
    struct fault_rule *rule = rule_of(hold);

    unlink_hold(hold);
    rt_timer_disarm(&hold->timer);
    rt_task_cancel(&hold->task);
    if (rule != NULL) {
        rule->holding_count--;
    }
}

static void release(struct fault_hold *hold)
{
    unlink_hold(hold);
    rt_timer_disarm(&hold->timer);
    link_to(&hold->engine->resuming, hold);
    rt_task_schedule(&hold->task);
}

/* A timer is a turn of its own: it need not wait for another one. */
static void on_time(void *arg)
{
    on_resume(arg);
}

static void on_resume(void *arg)
{
    struct fault_hold *hold = arg;
    struct fault_rule *rule = rule_of(hold);

    unlink_hold(hold);
    if (rule != NULL) {
        rule->holding_count--;
        tell_released(hold, rule);
    }
    hold->resume(hold->arg); /* the owner may free it now */
}

static void tell_released(const struct fault_hold *hold, const struct fault_rule *rule)
{
    const struct fault__term *term = rule->trigger.terms;
    struct rt_record record = {
        .kind = RT_REC_FAULT_RELEASED, .subject = rule->id, .cause = rule->id};

    while (term != NULL && &term->action != hold->action) {
        term = term->next;
    }
    record.detail = term == NULL ? NULL : term->source;
    rt_journal_append(hold->engine->journal, &record);
}

/* NULL: somebody waits on his own account. */
static struct fault_rule *rule_of(const struct fault_hold *hold)
{
    const struct fault__rule_list *rules = &hold->engine->rules;

    for (size_t i = 0; hold->action->rule_id != NULL && i < rules->count; i++) {
        if (rules->items[i]->id == hold->action->rule_id) {
            return rules->items[i];
        }
    }
    return NULL;
}

static void link_to(struct fault_hold **list, struct fault_hold *hold)
{
    hold->next = *list;
    hold->link = list;
    if (hold->next != NULL) {
        hold->next->link = &hold->next;
    }
    *list = hold;
}

static void unlink_hold(struct fault_hold *hold)
{
    *hold->link = hold->next;
    if (hold->next != NULL) {
        hold->next->link = hold->link;
    }
    hold->next = NULL;
    hold->link = NULL;
}
