/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HARNESS_VERDICT_STATEMENT_H
#define HARNESS_VERDICT_STATEMENT_H

#include "harness/verdict/judge.h"

/* What the files that evaluate statements share. */

struct scn_trial {
    struct scn_judge *judge;
    const struct scn_check *check;
    bool is_trial;
    bool is_held;
};

/* The statement does not hold. NULL in a trial: nothing is reported. */
struct scn_finding *scn__broken(struct scn_trial *trial, const struct doc_node *node,
                                const char *what);

/* Each number that the statement speaks of against its range; `actual` by row of its list. */
void scn__compare(struct scn_trial *trial, const uint64_t *actual);

/* `present` against what is there. True: there is something to look at. */
bool scn__compare_presence(struct scn_trial *trial, bool is_there);

/* A row of scenario_numbers.h as its value. */
#define NUMBER_VALUE(word, expression, help) (expression),

/* statement_etcd.c */
void scn__say_etcd(struct scn_trial *trial);
void scn__say_etcd_requests(struct scn_trial *trial);
void scn__say_etcd_key(struct scn_trial *trial);
void scn__say_etcd_keys(struct scn_trial *trial);
void scn__say_stream(struct scn_trial *trial);

#endif
