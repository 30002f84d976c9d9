/* SPDX-License-Identifier: Apache-2.0 */
#include "faults/rule.h"

#include <stdio.h>
#include <stdlib.h>

#include "runtime/glob.h"

static uint32_t failing_conditions(const struct fault_rule *rule,
                                   const struct fault_subject *subject, struct rt_slice *out_key);
static bool is_name_fit(const char *pattern, const char *name);
static bool find_key(const struct fault_rule *rule, const struct fault_subject *subject,
                     struct rt_slice *out_key);
static void note_near_miss(struct fault_rule *rule, const struct fault_subject *subject,
                           uint32_t failing);
static void copy_name(char *out_name, const char *name);

void fault__rule_destroy(struct fault_rule *rule)
{
    if (rule != NULL) {
        free(rule->closest_text);
        free(rule->edit_text);
        fault__memory_fini(&rule->memory);
        free(rule);
    }
}

void fault__rule_start(struct fault_rule *rule, uint64_t seed)
{
    char name[256];

    /* An own stream, so that another rule shifts nothing here (determinism). */
    snprintf(name, sizeof(name), "fault:%s", rule->id);
    rt_random_init(&rule->random, seed, name);
    rule->term = rule->trigger.terms;
}

/* ---- matching ---------------------------------------------------------------------------- */

bool fault__rule_matches(struct fault_rule *rule, const struct fault_subject *subject,
                         struct rt_slice *out_key)
{
    uint32_t failing = failing_conditions(rule, subject, out_key);

    if (failing == 0) {
        rule->ordinal++;
        if (rule->nth != 0 && rule->ordinal != rule->nth) {
            failing = FAULT__ON_NTH;
        }
    }
    if (failing == 0) {
        return true;
    }
    if (rule->matched_count == 0 &&
        (rule->near.failing == 0 ||
         __builtin_popcount(failing) < __builtin_popcount(rule->near.failing))) {
        note_near_miss(rule, subject, failing);
    }
    return false;
}

static uint32_t failing_conditions(const struct fault_rule *rule,
                                   const struct fault_subject *subject, struct rt_slice *out_key)
{
    uint32_t failing = 0;

    if (rule->missing_count > 0) {
        failing |= FAULT__IS_ARMED;
    }
    if (!is_name_fit(rule->worker, subject->worker)) {
        failing |= FAULT__ON_WORKER;
    }
    if (!is_name_fit(rule->client, subject->client)) {
        failing |= FAULT__ON_CLIENT;
    }
    /* Keys last: after a failure they only matter to a rule that still wants its near miss. */
    if ((failing == 0 || rule->matched_count == 0) && !find_key(rule, subject, out_key)) {
        failing |= FAULT__ON_KEY;
    }
    return failing;
}

static bool is_name_fit(const char *pattern, const char *name)
{
    return pattern == NULL || rt_glob_matches(rt_slice_text(pattern), rt_slice_text(name));
}

static bool find_key(const struct fault_rule *rule, const struct fault_subject *subject,
                     struct rt_slice *out_key)
{
    if (!rule->has_key) {
        *out_key = subject->key_count > 0 ? subject->keys[0] : rt_slice_of(NULL, 0);
        return true;
    }
    for (size_t i = 0; i < subject->key_count; i++) {
        if (rule->is_key_exact ? rt_slice_equal(rule->key, subject->keys[i])
                               : rt_glob_matches(rule->key, subject->keys[i])) {
            *out_key = subject->keys[i];
            return true;
        }
    }
    return false;
}

static void note_near_miss(struct fault_rule *rule, const struct fault_subject *subject,
                           uint32_t failing)
{
    struct fault__near *near = &rule->near;

    rule->is_described = false;
    near->failing = failing;
    near->domain = subject->domain;
    near->operation = subject->operation;
    near->ordinal = rule->ordinal;
    near->key_count = subject->key_count;
    near->key_bytes = 0;
    copy_name(near->worker, subject->worker);
    copy_name(near->client, subject->client);
    if (subject->key_count > 0 && subject->keys[0].len_bytes > 0) {
        size_t len_bytes = subject->keys[0].len_bytes;

        near->key_bytes = len_bytes < FAULT__KEY_BYTES ? len_bytes : FAULT__KEY_BYTES;
        memcpy(near->key, subject->keys[0].data, near->key_bytes);
    }
}

static void copy_name(char *out_name, const char *name)
{
    snprintf(out_name, FAULT__NAME_BYTES, "%s", name == NULL ? "" : name);
}

/* ---- trigger ----------------------------------------------------------------------------- */

struct fault__term *fault__rule_pull(struct fault_rule *rule)
{
    struct fault__term *term = rule->term;

    rule->is_described = false;
    rule->matched_count++;
    if (rule->nth != 0) {
        rule->is_spent = true; /* there is only one n-th */
    }
    if (rule->skipped_count < rule->trigger.skip_count) {
        rule->skipped_count++;
        return NULL;
    }
    /* P is drawn for each match, N counts what came of it (fault terms). */
    if (term->has_percent && !rt_random_chance(&rule->random, term->percent)) {
        return NULL;
    }
    term->used_count++;
    if (term->count > 0 && term->used_count == term->count) {
        rule->term = term->next;
        if (rule->term == NULL) {
            rule->is_spent = true;
        }
    }
    return term->is_off ? NULL : term;
}
