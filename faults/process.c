/* SPDX-License-Identifier: Apache-2.0 */
#include "faults/engine.h"

#include "runtime/glob.h"

/* Faults that no request meets: a worker dies when something has happened. They match by
 * themselves and act from the loop, through whoever runs the workers. */

static void on_due(void *arg);
static void match(struct fault_engine *engine, struct fault_rule *rule);

void fault__process_init(struct fault_engine *engine, struct fault_rule *rule)
{
    rt_task_init(&rule->due_task, engine->loop, on_due, rule);
}

void fault__process_due(struct fault_rule *rule)
{
    if (rule->is_spent || rule->is_disarmed) {
        return;
    }
    rule->due_count++;
    if (rule->engine->process_handler != NULL) {
        rt_task_schedule(&rule->due_task);
    }
}

bool fault_process_means(const char *names, const char *name)
{
    return names[0] == '\0' || rt_glob_matches(rt_slice_text(names), rt_slice_text(name));
}

void fault_engine_set_process_handler(struct fault_engine *engine, fault_process_fn *handler,
                                      void *arg)
{
    engine->process_handler = handler;
    engine->process_arg = arg;
    for (size_t i = 0; handler != NULL && i < engine->rules.count; i++) {
        struct fault_rule *rule = engine->rules.items[i];

        if (rule->due_count > 0 && !rule->is_disarmed) {
            rt_task_schedule(&rule->due_task);
        }
    }
}

static void on_due(void *arg)
{
    struct fault_rule *rule = arg;
    uint64_t count = rule->due_count; /* what its own action makes due comes in the next turn */

    if (rule->engine->process_handler == NULL) {
        return;
    }
    rule->due_count = 0;
    while (count-- > 0 && !rule->is_spent && !rule->is_disarmed) {
        match(rule->engine, rule);
    }
}

static void match(struct fault_engine *engine, struct fault_rule *rule)
{
    struct fault__term *term;

    rule->considered_count++;
    term = fault__rule_pull(rule);
    if (term != NULL) {
        fault__fire(engine, rule, term, NULL, rt_slice_of(NULL, 0));
        engine->process_handler(engine->process_arg, rule->worker == NULL ? "" : rule->worker,
                                &term->action);
    }
}
