/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAULT_FIXTURE_H
#define FAULT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "faults/fault.h"

/* An engine with a domain of its own, a simulated clock, and what it told its journal. */

enum operation { NONE = -1, SET, GET, DELETE };

/*
 * At `request` set, get and delete meet every action but the last ones; `applied` is for set and
 * delete. Only get understands last-rc. Nobody can mute a heartbeat but with `mute`.
 */
extern const struct fault_domain test_domain;

struct record {
    enum rt_record_kind kind;
    uint64_t time_us;
    uint64_t id;
    uint64_t number;
    char actor[32];
    char subject[64];
    char key[64];
    char detail[128];
};

#define DOC_MAX    8
#define RECORD_MAX 256

struct fixture {
    struct rt_loop *loop;
    struct rt_journal *journal;
    struct fault_engine *engine;
    struct doc_error_list *errors;
    struct doc *docs[DOC_MAX];
    size_t doc_count;
    struct record records[RECORD_MAX];
    size_t record_count;
};

int set_up(void **state);
int tear_down(void **state);

/* Takes the engine away and makes a new one with this seed. */
void start_again(struct fixture *fx, uint64_t seed);

/* A list of rules, as the value of `faults:`. */
enum rt_status load(struct fixture *fx, const char *yaml);
void must_load(struct fixture *fx, const char *yaml);
/* One rule "r" at the point `request` with this trigger. */
void arm(struct fixture *fx, const char *trigger);

/* The list must be refused, and one of the problems must be there and contain these words. */
void assert_refused(struct fixture *fx, const char *yaml, uint32_t line, uint32_t column,
                    uint32_t caret_count, const char *words);
const struct doc_error *find_error(struct fixture *fx, const char *words); /* NULL: none */

/* ---- asking ---- */

struct fault_subject subject_of(int operation, enum fault_point point, const struct rt_slice *key);
const struct fault_action *ask(struct fixture *fx, int operation, enum fault_point point,
                               const char *key);
/* A set arrives: the id of the rule that fires, or "". */
const char *who_fires(struct fixture *fx, const char *key);
/* So many sets of one key: for each '1' when the action fires, else '.'. */
const char *pattern_of(struct fixture *fx, enum fault_action_kind kind, size_t count);

struct fault_rule_info info_of(struct fixture *fx, const char *id);

/* ---- time and records ---- */

void let_pass_us(struct fixture *fx, uint64_t duration_us);
void settle(struct fixture *fx); /* runs what is due now */
size_t count_records(const struct fixture *fx, enum rt_record_kind kind);

#endif
