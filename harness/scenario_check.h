/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HARNESS_SCENARIO_CHECK_H
#define HARNESS_SCENARIO_CHECK_H

#include "harness/scenario.h"

/* Shared by the files of the checker: names that refer to something else in the file. */

#define NAMES_MAX 256

struct scn__checker {
    struct scn_scenario *scenario;
    struct doc_error_list *errors;
    enum rt_status status;
};

/* Names of one kind, for "nearest word". */
struct scn__names {
    const char *words[NAMES_MAX];
    size_t count;
};

/* An error at `node`; the file is invalid. */
struct doc_error *scn__wrong(struct scn__checker *checker, const struct doc_node *node,
                             const char *message);

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
void scn__check_statements(struct scn__checker *checker, const struct doc_list *checks);

#endif
