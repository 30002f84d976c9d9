/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAULTS_ENGINE_H
#define FAULTS_ENGINE_H

#include "faults/rule.h"
#include "runtime/table.h"

/* Inside faults/ only. */

/* A rule that may strike here, and how many had asked before it came. */
struct fault__seat {
    struct fault_rule *rule;
    uint64_t asked_before_count;
};

/* One (domain, operation, point). */
struct fault__bucket {
    struct fault__seat *seats; /* all rules, in order */
    size_t seat_count;
    size_t seat_capacity;
    struct fault__rule_list exacts;  /* those with an exact key, by key, then by order */
    struct fault__rule_list anyhows; /* the others, in order */
    uint64_t asked_count;
    size_t sample_count; /* how many subjects every rule still looks at, for its near miss */
};

struct fault__slot {
    const struct fault_domain *domain;
    size_t operation_count;
    struct fault__bucket *buckets; /* [operation + 1][point] */
};

/* Something that happened, or that somebody waits for. */
struct fault__event {
    UT_hash_handle hh;
    bool has_happened;
    /* `fault.<id>.fired[#k]` */
    struct fault_rule *rule;
    uint64_t number;
    struct fault__event *next_of_rule;
    /* who waits */
    struct fault__rule_list rules; /* by `after`, in order */
    struct fault_hold *holds;      /* the newest first */
    size_t len_bytes;
    char name[];
};

struct fault_engine {
    struct rt_loop *loop;
    struct rt_journal *journal;
    uint64_t seed;
    struct fault__slot slots[FAULT__DOMAIN_MAX];
    size_t slot_count;
    struct fault__rule_list rules;
    struct fault_rule *newly_spent;
    struct fault__event *events; /* table by name */
    struct fault_hold *timed;    /* holds that wait for no event */
    struct fault_hold *resuming; /* whose task is scheduled */
    uint64_t looked_at_count;
    fault_process_fn *process_handler;
    void *process_arg;
};

/* ---- engine.c ---------------------------------------------------------------------------- */

/* The rule takes part from now on and belongs to the engine, also after RT_E_NOMEM. */
RT_NODISCARD enum rt_status fault__engine_add(struct fault_engine *engine, struct fault_rule *rule);

/* NULL: no such rule, or disarmed. */
struct fault_rule *fault__engine_find(const struct fault_engine *engine, struct rt_slice id);

/* ---- index.c ----------------------------------------------------------------------------- */

RT_NODISCARD enum rt_status fault__index_add(struct fault_engine *engine, struct fault_rule *rule);
void fault__index_remove(struct fault_engine *engine, struct fault_rule *rule);
uint64_t fault__index_considered(const struct fault_engine *engine, const struct fault_rule *rule);
/* NULL: nobody registered this. */
struct fault__bucket *fault__index_find(const struct fault_engine *engine,
                                        const struct fault_domain *domain, int operation,
                                        enum fault_point point);
/* The first rule behind `order` whose exact key is one of these; NULL for none. */
struct fault_rule *fault__bucket_find_exact(const struct fault__bucket *bucket,
                                            const struct rt_slice *keys, size_t key_count,
                                            size_t min_order);
void fault__bucket_fini(struct fault__bucket *bucket);

/* ---- consider.c -------------------------------------------------------------------------- */

/* Counts, journal, events. `subject` NULL: a process fault. */
void fault__fire(struct fault_engine *engine, struct fault_rule *rule,
                 const struct fault__term *term, const struct fault_subject *subject,
                 struct rt_slice key);
void fault__collect_spent(struct fault_engine *engine);
void fault__note_spent(struct fault_engine *engine, struct fault_rule *rule);

/* ---- event.c ----------------------------------------------------------------------------- */

/* Finds or makes it; NULL when out of memory. */
RT_NODISCARD struct fault__event *fault__event_need(struct fault_engine *engine, const char *name);
/* Joins the rule with the events it waits for and those that its firing is. */
RT_NODISCARD enum rt_status fault__event_join(struct fault_engine *engine, struct fault_rule *rule);
void fault__event_fired(struct fault_engine *engine, struct fault_rule *rule);
void fault__events_fini(struct fault_engine *engine);

/* ---- hold.c ------------------------------------------------------------------------------ */

/* Everything on this list goes on, the oldest first. */
void fault__holds_release(struct fault_hold **list);
void fault__holds_release_of(struct fault_engine *engine, const char *rule_id);
void fault__holds_drop(struct fault_hold **list);

/* ---- process.c --------------------------------------------------------------------------- */

void fault__process_init(struct fault_engine *engine, struct fault_rule *rule);
/* One match of a process fault; it fires from the loop. */
void fault__process_due(struct fault_rule *rule);

#endif
