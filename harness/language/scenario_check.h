/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HARNESS_LANGUAGE_SCENARIO_CHECK_H
#define HARNESS_LANGUAGE_SCENARIO_CHECK_H

#include "harness/language/scenario.h"

/* Shared by the files of the checker: names that refer to something else in the file. */

struct scn__checker {
    struct scn_scenario *scenario;
    struct doc_error_list *errors;
    enum rt_status status;
};

/* Names of one kind, for "nearest word". The list lies in `doc`. */
struct scn__names {
    struct doc *doc;
    const char **words;
    size_t count;
    size_t capacity;
};

/* An error at `node`; the file is invalid. */
struct doc_error *scn__wrong(struct scn__checker *checker, const struct doc_node *node,
                             const char *message);

void scn__etcd_names(const struct scn__checker *checker, struct scn__names *names);
void scn__add_name(struct scn__names *names, const char *word);
void scn__step_names(const struct doc_list *list, struct scn__names *names);

/* `word` must be among `names`, or a worker, a connector, a client of this name takes part. */
void scn__refer(struct scn__checker *checker, const struct doc_node *node, const char *word,
                const struct scn__names *names, const char *message);
void scn__refer_worker(struct scn__checker *checker, const struct doc_node *node, const char *word);
void scn__refer_party(struct scn__checker *checker, const struct doc_node *node, const char *word,
                      bool is_connector);

void scn__check_payload(struct scn__checker *checker, const struct doc_node *node, bool is_raw);
void scn__check_steps(struct scn__checker *checker, const struct doc_list *steps, bool is_together);
/* The step with this id; NULL: none. */
const struct scn_step *scn__step_of(const struct doc_list *steps, const char *id);
void scn__check_statements(struct scn__checker *checker, const struct doc_list *checks);

/* ---- the part that speaks of etcd ---- */

void scn__check_etcds(struct scn__checker *checker);
void scn__check_etcd_step(struct scn__checker *checker, struct scn_step *step);
void scn__check_etcd_statement(struct scn__checker *checker, struct scn_check *check);
/* kill, start, restart. True: of an etcd, and checked. */
bool scn__check_etcd_process(struct scn__checker *checker, const struct scn_step *step);
/* A step `end`: of streams that steps open. */
void scn__check_ended(struct scn__checker *checker, const struct scn_step *step);

#endif
