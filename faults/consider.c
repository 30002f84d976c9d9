/* SPDX-License-Identifier: Apache-2.0 */
#include "faults/engine.h"

/*
 * One question: which rule strikes this subject here?
 *
 *   fault_consider --> rules of this (operation, point), in file order
 *                        conditions hold? --> trigger --> fire: counts, journal, event
 *
 * Nothing is allocated on this way.
 */

#define FEW_COUNT 8 /* so many exact keys are compared faster than looked up */

static struct fault__term *ask_all(struct fault_engine *engine, const struct fault__bucket *bucket,
                                   const struct fault_subject *subject);
static struct fault__term *ask_indexed(struct fault_engine *engine,
                                       const struct fault__bucket *bucket,
                                       const struct fault_subject *subject);
static struct fault__term *ask(struct fault_engine *engine, struct fault_rule *rule,
                               const struct fault_subject *subject);

bool fault_is_armed_at(const struct fault_engine *engine, const struct fault_domain *domain,
                       int operation, enum fault_point point)
{
    const struct fault__bucket *bucket =
        engine == NULL ? NULL : fault__index_find(engine, domain, operation, point);

    return bucket != NULL && bucket->seat_count > 0;
}

const struct fault_action *fault_consider(struct fault_engine *engine,
                                          const struct fault_subject *subject)
{
    struct fault__bucket *bucket =
        engine == NULL
            ? NULL
            : fault__index_find(engine, subject->domain, subject->operation, subject->point);
    struct fault__term *term;

    if (bucket == NULL || bucket->seat_count == 0) {
        return NULL;
    }
    bucket->asked_count++;
    if (bucket->sample_count > 0 || bucket->exacts.count <= FEW_COUNT) {
        bucket->sample_count -= bucket->sample_count > 0 ? 1 : 0;
        term = ask_all(engine, bucket, subject);
    } else {
        term = ask_indexed(engine, bucket, subject);
    }
    fault__collect_spent(engine);
    return term == NULL ? NULL : &term->action;
}

static struct fault__term *ask_all(struct fault_engine *engine, const struct fault__bucket *bucket,
                                   const struct fault_subject *subject)
{
    struct fault__term *term = NULL;

    for (size_t i = 0; term == NULL && i < bucket->seat_count; i++) {
        term = ask(engine, bucket->seats[i].rule, subject);
    }
    return term;
}

/* Two sorted sequences, merged: rules without an exact key, and those with one of these keys. */
static struct fault__term *ask_indexed(struct fault_engine *engine,
                                       const struct fault__bucket *bucket,
                                       const struct fault_subject *subject)
{
    const struct fault__rule_list *anyhows = &bucket->anyhows;
    struct fault_rule *exact =
        fault__bucket_find_exact(bucket, subject->keys, subject->key_count, 0);
    struct fault__term *term = NULL;
    size_t i = 0;

    while (term == NULL && (exact != NULL || i < anyhows->count)) {
        if (exact == NULL || (i < anyhows->count && anyhows->items[i]->order < exact->order)) {
            term = ask(engine, anyhows->items[i++], subject);
        } else {
            term = ask(engine, exact, subject);
            exact = fault__bucket_find_exact(bucket, subject->keys, subject->key_count,
                                             exact->order + 1);
        }
    }
    return term;
}

static struct fault__term *ask(struct fault_engine *engine, struct fault_rule *rule,
                               const struct fault_subject *subject)
{
    struct fault__term *term;
    struct rt_slice key = {.len_bytes = 0};

    engine->looked_at_count++;
    if (!fault__rule_matches(rule, subject, &key)) {
        return NULL;
    }
    term = fault__rule_pull(rule);
    if (rule->is_spent) {
        fault__note_spent(engine, rule);
    }
    if (term != NULL) {
        fault__fire(engine, rule, term, subject, key);
    }
    return term;
}

void fault__fire(struct fault_engine *engine, struct fault_rule *rule,
                 const struct fault__term *term, const struct fault_subject *subject,
                 struct rt_slice key)
{
    struct rt_record record = {
        .kind = RT_REC_FAULT_FIRED,
        .subject = rule->id,
        .key = key,
        .code = term->action.code,
        .cause = rule->id,
        .detail = term->detail,
    };

    rule->fired_count++;
    record.number = rule->fired_count;
    if (subject != NULL) {
        bool is_on_worker = subject->worker != NULL && subject->worker[0] != '\0';

        record.actor = is_on_worker ? subject->worker : subject->client;
        record.id = subject->id;
    } else {
        record.actor = rule->worker;
    }
    rt_journal_append(engine->journal, &record);
    fault__event_fired(engine, rule);
}

/* Lists that are being walked keep still: spent rules leave them at the end of the question. */
void fault__note_spent(struct fault_engine *engine, struct fault_rule *rule)
{
    rule->next_spent = engine->newly_spent;
    engine->newly_spent = rule;
}

void fault__collect_spent(struct fault_engine *engine)
{
    while (engine->newly_spent != NULL) {
        struct fault_rule *rule = engine->newly_spent;

        engine->newly_spent = rule->next_spent;
        fault__index_remove(engine, rule);
    }
}
