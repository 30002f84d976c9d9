/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "faults/rule.h"
#include "faults/words.h"

/* Can this rule ever strike? Its operation, its point and each of its actions must be something
 * that one of the domains does; a message says what is possible instead. */

#define WORD_MAX (FAULT__DOMAIN_MAX * FAULT__OPERATION_MAX)

struct check {
    struct fault_rule *rule;
    struct doc_error_list *errors;
    const struct fault_domain *const *domains;
    size_t domain_count;
    bool is_op_given;
};

struct word_list {
    const char *words[WORD_MAX];
    size_t count;
};

static enum rt_status check_point(const struct check *check, const struct doc_node *at);
static enum rt_status place_any(const struct check *check);
static enum rt_status place_operation(const struct check *check, const struct doc_node *op);
static void complain_operation(const struct check *check, const struct doc_node *op);
static enum rt_status check_actions(const struct check *check);
static uint64_t operations_doing(const struct fault_domain *domain, enum fault_point point,
                                 enum fault_action_kind kind);
static bool is_possible(const struct check *check, enum fault_action_kind kind);
static void complain_action(const struct check *check, const struct fault__term *term);
static void add_word(struct word_list *list, const char *word);

enum rt_status fault__rule_place(struct fault_rule *rule, struct doc_error_list *errors,
                                 const struct fault_domain *const *domains, size_t domain_count,
                                 const struct doc_node *ops, const struct doc_node *at)
{
    struct check check = {.rule = rule,
                          .errors = errors,
                          .domains = domains,
                          .domain_count = domain_count,
                          .is_op_given = ops != NULL};
    enum rt_status status = check_point(&check, at);

    if (status != RT_OK) {
        return status;
    }
    if (ops == NULL) {
        status = place_any(&check);
    } else if (ops->kind == DOC_KIND_SCALAR) {
        status = place_operation(&check, ops);
    } else {
        for (size_t i = 0; i < ops->count; i++) {
            if (place_operation(&check, ops->items[i]) != RT_OK) {
                status = RT_E_INVALID;
            }
        }
    }
    return status == RT_OK ? check_actions(&check) : status;
}

bool fault__domain_has_point(const struct fault_domain *domain, enum fault_point point)
{
    for (size_t i = 0; i < domain->capability_count; i++) {
        if (domain->capabilities[i].point == point) {
            return true;
        }
    }
    return false;
}

size_t fault__operation_count(const struct fault_domain *domain)
{
    size_t count = 0;

    while (count < FAULT__OPERATION_MAX && domain->operations[count].word != NULL) {
        count++;
    }
    return count;
}

/* ---- where ------------------------------------------------------------------------------- */

static enum rt_status check_point(const struct check *check, const struct doc_node *at)
{
    struct word_list allowed = {.count = 0};
    struct doc_error *error;

    for (int point = 0; point < FAULT_POINT_COUNT; point++) {
        for (size_t i = 0; i < check->domain_count; i++) {
            if (!fault__domain_has_point(check->domains[i], (enum fault_point)point)) {
                continue;
            }
            if (point == (int)check->rule->point) {
                return RT_OK;
            }
            add_word(&allowed, fault_point_word((enum fault_point)point));
        }
    }
    error = doc_error_add(check->errors, at, "nothing here ever comes to the point \"%s\"",
                          check->rule->point_text);
    doc_error_allow(check->errors, error, doc_text(at), allowed.words, allowed.count);
    return RT_E_INVALID;
}

/* `worker:` speaks of no etcd and `etcd:` of nothing else. */
static bool is_meant(const struct check *check, const struct fault_domain *domain)
{
    return check->rule->worker == NULL || check->rule->is_on_etcd == domain->is_etcd;
}

static enum rt_status place_any(const struct check *check)
{
    enum fault_point point = check->rule->point;

    for (size_t i = 0; i < check->domain_count; i++) {
        const struct fault_domain *domain = check->domains[i];

        if (!fault__domain_has_point(domain, point) || !is_meant(check, domain)) {
            continue;
        }
        check->rule->operations[i] |= UINT64_C(1) << FAULT__NO_OPERATION;
        for (size_t row = 0; row < fault__operation_count(domain); row++) {
            if ((domain->operations[row].points & 1u << point) != 0) {
                check->rule->operations[i] |= UINT64_C(1) << row;
            }
        }
    }
    return RT_OK;
}

static enum rt_status place_operation(const struct check *check, const struct doc_node *op)
{
    enum fault_point point = check->rule->point;
    bool is_found = false;

    for (size_t i = 0; i < check->domain_count; i++) {
        const struct fault_domain *domain = check->domains[i];

        for (size_t row = 0; row < fault__operation_count(domain); row++) {
            if (doc_is_text(op, domain->operations[row].word) &&
                (domain->operations[row].points & 1u << point) != 0 &&
                fault__domain_has_point(domain, point) && is_meant(check, domain)) {
                check->rule->operations[i] |= UINT64_C(1) << row;
                is_found = true;
            }
        }
    }
    if (!is_found) {
        complain_operation(check, op);
        return RT_E_INVALID;
    }
    return RT_OK;
}

static void complain_operation(const struct check *check, const struct doc_node *op)
{
    enum fault_point point = check->rule->point;
    struct word_list allowed = {.count = 0};
    struct word_list points = {.count = 0};
    struct doc_error *error;

    for (size_t i = 0; i < check->domain_count; i++) {
        const struct fault_operation *row = check->domains[i]->operations;

        for (; row->word != NULL; row++) {
            if ((row->points & 1u << point) != 0) {
                add_word(&allowed, row->word);
            }
            for (int p = 0; doc_is_text(op, row->word) && p < FAULT_POINT_COUNT; p++) {
                if ((row->points & 1u << p) != 0) {
                    add_word(&points, fault_point_word((enum fault_point)p));
                }
            }
        }
    }
    if (points.count > 0) {
        error = doc_error_add(check->errors, op, "the operation \"%s\" never comes to \"%s\"",
                              op->text, check->rule->point_text);
    } else {
        error = doc_error_add(check->errors, op, "unknown operation \"%s\"", op->text);
    }
    if (allowed.count > 0) {
        doc_error_allow(check->errors, error, doc_text(op), allowed.words, allowed.count);
    } else {
        doc_error_help(check->errors, error, "no operation comes to \"%s\": leave `op` out",
                       check->rule->point_text);
    }
}

/* ---- what -------------------------------------------------------------------------------- */

/* A word that is a K_ code only is nothing that an etcd answers, and the other way round. */
static bool is_code_known(const struct fault_domain *domain, const struct fault__term *term)
{
    bool has_code =
        !term->is_off && (term->action.kind == FAULT_STATUS || term->action.kind == FAULT_LAST_RC ||
                          term->action.kind == FAULT_RAISE);

    return !has_code ||
           (domain->is_etcd ? term->action.grpc_code : term->action.code) != FAULT_NO_CODE;
}

/* Each action is possible for some operation, but not for the same; or a code is of the other kind.
 */
static void complain_places(const struct check *check)
{
    const struct fault_rule *rule = check->rule;

    for (const struct fault__term *term = rule->trigger.terms; term != NULL; term = term->next) {
        bool is_known = false;
        for (size_t i = 0; i < check->domain_count; i++) {
            is_known = is_known || (fault__domain_has_point(check->domains[i], rule->point) &&
                                    is_meant(check, check->domains[i]) &&
                                    is_code_known(check->domains[i], term));
        }
        if (!is_known) {
            struct doc_error *error = doc_error_add_inside(
                check->errors, rule->do_node, term->offset_bytes, term->len_bytes,
                "this code is none that is answered at \"%s\" here", rule->point_text);
            doc_error_help(check->errors, error,
                           "a worker answers K_ codes, an etcd gRPC codes as UNAVAILABLE");
            return;
        }
    }
    doc_error_add(check->errors, rule->do_node, "no operation can do all of these actions");
}

static enum rt_status check_actions(const struct check *check)
{
    struct fault_rule *rule = check->rule;
    uint64_t places = 0;

    for (const struct fault__term *term = rule->trigger.terms; term != NULL; term = term->next) {
        if (!term->is_off && !is_possible(check, term->action.kind)) {
            complain_action(check, term);
            return RT_E_INVALID;
        }
    }
    for (size_t i = 0; i < check->domain_count; i++) {
        for (const struct fault__term *term = rule->trigger.terms; term != NULL;
             term = term->next) {
            if (!term->is_off) {
                rule->operations[i] &=
                    operations_doing(check->domains[i], rule->point, term->action.kind);
            }
            if (!is_code_known(check->domains[i], term)) {
                rule->operations[i] = 0;
            }
        }
        places |= rule->operations[i];
    }
    if (places == 0) {
        complain_places(check);
        return RT_E_INVALID;
    }
    return RT_OK;
}

/* Bits of the operations that understand this action at this point. */
static uint64_t operations_doing(const struct fault_domain *domain, enum fault_point point,
                                 enum fault_action_kind kind)
{
    const struct fault_restriction *row = domain->restrictions;
    uint64_t operations = 0;
    bool is_restricted = false;
    bool is_capable = false;

    for (size_t i = 0; i < domain->capability_count; i++) {
        if (domain->capabilities[i].point == point &&
            (domain->capabilities[i].actions & UINT64_C(1) << kind) != 0) {
            is_capable = true;
        }
    }
    if (!is_capable) {
        return 0;
    }
    for (; row != NULL && row->operation != NULL; row++) {
        if (row->action != kind) {
            continue;
        }
        is_restricted = true;
        if (row->operation[0] == '\0') {
            operations |= UINT64_C(1) << FAULT__NO_OPERATION;
        }
        for (size_t i = 0; i < fault__operation_count(domain); i++) {
            if (strcmp(domain->operations[i].word, row->operation) == 0) {
                operations |= UINT64_C(1) << i;
            }
        }
    }
    return is_restricted ? operations : UINT64_MAX;
}

/* With `op` given every one of them must understand it, else at least one. */
static bool is_possible(const struct check *check, enum fault_action_kind kind)
{
    bool is_any = false;
    bool is_all = true;

    for (size_t i = 0; i < check->domain_count; i++) {
        uint64_t wanted = check->rule->operations[i];
        uint64_t able = operations_doing(check->domains[i], check->rule->point, kind);

        is_any = is_any || (wanted & able) != 0;
        is_all = is_all && (wanted & ~able) == 0;
    }
    return is_any && (is_all || !check->is_op_given);
}

static void complain_action(const struct check *check, const struct fault__term *term)
{
    struct word_list allowed = {.count = 0};
    const char *word = fault_action_word(term->action.kind);
    struct doc_error *error;

    for (int kind = 0; kind < FAULT_ACTION_COUNT; kind++) {
        if (is_possible(check, (enum fault_action_kind)kind)) {
            add_word(&allowed, fault_action_word((enum fault_action_kind)kind));
        }
    }
    error = doc_error_add_inside(check->errors, check->rule->do_node, term->offset_bytes,
                                 term->len_bytes, "%s is not possible at \"%s\"%s", word,
                                 check->rule->point_text,
                                 check->is_op_given ? " for this operation" : "");
    doc_error_allow(check->errors, error, rt_slice_text(word), allowed.words, allowed.count);
}

static void add_word(struct word_list *list, const char *word)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->words[i], word) == 0) {
            return;
        }
    }
    if (list->count < WORD_MAX) {
        list->words[list->count++] = word;
    }
}
