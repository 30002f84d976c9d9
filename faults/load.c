/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "faults/engine.h"

/* A whole list: read every rule, then look at them together, then arm all or none. */

static enum rt_status read_all(struct doc_reader *reader, const struct doc_node *faults,
                               const struct fault_domain *const *domains, size_t domain_count,
                               struct fault__rule_list *rules);
static enum rt_status add_all(struct fault_engine *engine, struct fault__rule_list *rules);
static enum rt_status visit_after(const struct doc_node *after, fault_event_use_fn *visit,
                                  void *arg);
static enum rt_status visit_trigger(const struct doc_node *node, fault_event_use_fn *visit,
                                    void *arg);

enum rt_status fault_rules_load(struct fault_engine *engine,
                                const struct fault_domain *const *domains, size_t domain_count,
                                struct doc_reader *reader, const struct doc_node *faults)
{
    const struct fault_domain *registered[FAULT__DOMAIN_MAX];
    struct fault__rule_list rules = {.count = 0};
    enum rt_status status;

    if (faults == NULL) {
        return RT_OK;
    }
    if (engine != NULL) {
        for (size_t i = 0; i < engine->slot_count; i++) {
            registered[i] = engine->slots[i].domain;
        }
        domains = registered;
        domain_count = engine->slot_count;
    }
    if (domain_count > FAULT__DOMAIN_MAX) {
        return RT_E_LIMIT;
    }
    status = read_all(reader, faults, domains, domain_count, &rules);
    if (status != RT_E_NOMEM) {
        enum rt_status order_status = fault__rules_check_order(&rules, engine, reader->errors);

        status = status == RT_OK ? order_status : status;
    }
    if (status == RT_OK && engine != NULL) {
        status = add_all(engine, &rules);
    }
    for (size_t i = 0; i < rules.count; i++) {
        fault__rule_destroy(rules.items[i]);
    }
    fault__rule_list_fini(&rules);
    return status;
}

/* Invalid rules are left out, so that all problems of a file are told at once. */
static enum rt_status read_all(struct doc_reader *reader, const struct doc_node *faults,
                               const struct fault_domain *const *domains, size_t domain_count,
                               struct fault__rule_list *rules)
{
    enum rt_status result = RT_OK;

    if (faults->kind != DOC_KIND_SEQUENCE) {
        doc_error_add(reader->errors, faults, "expected a list of faults, found %s",
                      doc_describe(faults));
        return RT_E_INVALID;
    }
    for (size_t i = 0; i < faults->count; i++) {
        struct fault_rule *rule;
        enum rt_status status =
            fault__rule_read(reader, faults->items[i], domains, domain_count, &rule);

        if (status == RT_OK) {
            status = fault__rule_list_insert(rules, rules->count, rule);
            if (status != RT_OK) {
                fault__rule_destroy(rule);
            }
        }
        if (status == RT_E_NOMEM) {
            return status;
        }
        result = status == RT_OK ? result : status;
    }
    return result;
}

static enum rt_status add_all(struct fault_engine *engine, struct fault__rule_list *rules)
{
    enum rt_status status = RT_OK;
    size_t added_count = 0;

    while (status == RT_OK && added_count < rules->count) {
        status = fault__engine_add(engine, rules->items[added_count++]);
    }
    /* What was handed over is the engine's, the rest is still the list's. */
    for (size_t i = added_count; i < rules->count; i++) {
        fault__rule_destroy(rules->items[i]);
    }
    rules->count = 0;
    return status;
}

/* ---- which events are named -------------------------------------------------------------- */

enum rt_status fault_rule_events(const struct doc_node *faults, fault_event_use_fn *visit,
                                 void *arg)
{
    enum rt_status status = RT_OK;

    if (faults == NULL || faults->kind != DOC_KIND_SEQUENCE) {
        return RT_OK;
    }
    for (size_t i = 0; status == RT_OK && i < faults->count; i++) {
        const struct doc_node *after = doc_find(faults->items[i], "after");
        const struct doc_node *trigger = doc_find(faults->items[i], "do");

        if (after != NULL) {
            status = visit_after(after, visit, arg);
        }
        if (status == RT_OK && trigger != NULL && trigger->kind == DOC_KIND_SCALAR) {
            status = visit_trigger(trigger, visit, arg);
        }
    }
    return status;
}

static enum rt_status visit_after(const struct doc_node *after, fault_event_use_fn *visit,
                                  void *arg)
{
    size_t count = after->kind == DOC_KIND_SEQUENCE ? after->count : 1;

    for (size_t i = 0; i < count; i++) {
        const struct doc_node *node = after->kind == DOC_KIND_SEQUENCE ? after->items[i] : after;
        struct fault_event_use use = {
            .event = node->text, .node = node, .len_bytes = node->text_len_bytes};

        if (node->kind == DOC_KIND_SCALAR) {
            visit(arg, &use);
        }
    }
    return RT_OK;
}

static enum rt_status visit_trigger(const struct doc_node *node, fault_event_use_fn *visit,
                                    void *arg)
{
    struct fault__memory memory = {.blocks = NULL};
    struct fault__trigger trigger = {.terms = NULL};
    enum rt_status status = fault__trigger_parse(&memory, node, doc_text(node), NULL, &trigger);

    for (const struct fault__term *term = trigger.terms; term != NULL; term = term->next) {
        struct fault_event_use use = {
            .event = term->action.event, .node = node, .offset_bytes = term->event_offset_bytes};

        if (use.event != NULL) {
            use.len_bytes = strlen(use.event);
            visit(arg, &use);
        }
    }
    fault__memory_fini(&memory);
    return status == RT_E_NOMEM ? RT_E_NOMEM : RT_OK;
}
