/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAULTS_RULE_H
#define FAULTS_RULE_H

#include "faults/memory.h"
#include "faults/trigger.h"

/* Inside faults/ only. */

#define FAULT__DOMAIN_MAX    8
#define FAULT__OPERATION_MAX 63
#define FAULT__NO_OPERATION  63 /* the bit of subjects without an operation */
#define FAULT__NAME_BYTES    64 /* of a near miss; longer names are cut */
#define FAULT__KEY_BYTES     256

/* What a subject must be, beside operation and point. Bits. */
enum fault__condition {
    FAULT__IS_ARMED = 1,
    FAULT__ON_WORKER = 2,
    FAULT__ON_CLIENT = 4,
    FAULT__ON_KEY = 8,
    FAULT__ON_NTH = 16,
};

/* The subject that came closest; names are copied because nothing may be allocated then. */
struct fault__near {
    uint32_t failing; /* conditions that did not hold; 0: nothing has come yet */
    const struct fault_domain *domain;
    int operation;
    uint64_t ordinal; /* which match it was */
    char worker[FAULT__NAME_BYTES];
    char client[FAULT__NAME_BYTES];
    char key[FAULT__KEY_BYTES];
    size_t key_bytes;
    size_t key_count;
};

struct fault__name {
    const char *text;
    const struct doc_node *node;
};

struct fault_rule {
    /* ---- as read; texts in `memory` ---- */
    struct fault__memory memory;
    const char *id;
    const struct doc_node *node;
    const struct doc_node *id_node;
    const struct doc_node *do_node;
    bool is_optional;
    enum fault_point point;
    uint64_t byte_offset;
    const char *point_text; /* "applied", "reply.byte 40" */
    const char *worker;     /* pattern; NULL: any */
    bool is_on_etcd;        /* the pattern is of an etcd */
    const char *client;
    bool has_key;
    bool is_key_exact; /* `key` is then the key itself, else a pattern */
    struct rt_slice key;
    struct rt_slice key_pattern; /* as written */
    uint64_t nth;                /* 0: every one */
    struct fault__name *after;
    size_t after_count;
    const char *trigger_text;
    struct fault__trigger trigger;
    uint64_t operations[FAULT__DOMAIN_MAX]; /* where it may strike; bits */
    /* ---- running ---- */
    struct fault_engine *engine;
    struct rt_random random;
    size_t order;
    size_t missing_count; /* events of `after` that have not happened */
    uint64_t ordinal;     /* subjects that met every condition but nth */
    uint64_t skipped_count;
    struct fault__term *term; /* the one whose turn it is; NULL: all used up */
    bool is_spent;
    bool is_disarmed;
    struct fault_rule *next_spent;
    uint64_t considered_count; /* while it was not indexed (any more) */
    uint64_t matched_count;
    uint64_t fired_count;
    uint64_t holding_count;
    struct fault__event *fired_events; /* somebody waits for these */
    struct fault__near near;
    bool is_described;  /* the texts below still say how it is */
    char *closest_text; /* made when asked for */
    char *edit_text;
    /* ---- process faults ---- */
    uint64_t due_count;
    struct rt_task due_task;
};

static inline bool fault__is_process_point(enum fault_point point)
{
    return point == FAULT_AT_WORKER || point == FAULT_AT_ETCD;
}

/* ---- read.c: from a node ----------------------------------------------------------------- */

/* RT_OK, RT_E_INVALID after adding errors, RT_E_NOMEM. */
RT_NODISCARD enum rt_status fault__rule_read(struct doc_reader *reader, const struct doc_node *node,
                                             const struct fault_domain *const *domains,
                                             size_t domain_count, struct fault_rule **out_rule);

/* ---- check.c: against the domains -------------------------------------------------------- */

/* Fills operations[]. `ops` is the node of `op`, NULL: any. */
RT_NODISCARD enum rt_status fault__rule_place(struct fault_rule *rule,
                                              struct doc_error_list *errors,
                                              const struct fault_domain *const *domains,
                                              size_t domain_count, const struct doc_node *ops,
                                              const struct doc_node *at);
bool fault__domain_has_point(const struct fault_domain *domain, enum fault_point point);
size_t fault__operation_count(const struct fault_domain *domain);

/* ---- after.c: the list as a whole -------------------------------------------------------- */

struct fault__rule_list {
    struct fault_rule **items;
    size_t count;
    size_t capacity;
};
RT_NODISCARD enum rt_status fault__rule_list_insert(struct fault__rule_list *list, size_t index,
                                                    struct fault_rule *rule);
void fault__rule_list_remove(struct fault__rule_list *list, const struct fault_rule *rule);
void fault__rule_list_fini(struct fault__rule_list *list);

/* Ids are unique, `fault.<id>.fired` exists, nothing waits for itself. `engine` may be NULL. */
RT_NODISCARD enum rt_status fault__rules_check_order(const struct fault__rule_list *rules,
                                                     const struct fault_engine *engine,
                                                     struct doc_error_list *errors);

/* ---- rule.c ------------------------------------------------------------------------------ */

void fault__rule_destroy(struct fault_rule *rule);

/* Start of its life in an engine. */
void fault__rule_start(struct fault_rule *rule, uint64_t seed);

/* True when all conditions hold; counts what nth needs; remembers near misses. */
bool fault__rule_matches(struct fault_rule *rule, const struct fault_subject *subject,
                         struct rt_slice *out_key);

/* One match: which term fires, NULL for none. May leave the rule spent. */
struct fault__term *fault__rule_pull(struct fault_rule *rule);

/* ---- closest.c --------------------------------------------------------------------------- */

void fault__rule_describe_closest(struct fault_rule *rule);

#endif
