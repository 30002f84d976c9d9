/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HARNESS_VERDICT_JUDGE_H
#define HARNESS_VERDICT_JUDGE_H

#include "harness/calls/call.h"
#include "harness/verdict/verdict.h"

/* Looks up the call of a step by its id, for same-as. NULL: it was not made. */
typedef const struct scn_call *scn_find_call_fn(void *arg, const char *id);

struct scn_judge {
    struct scn_world *world;
    struct scn_findings *findings;
    scn_find_call_fn *find_call;
    void *arg;
    bool is_status_told; /* the note of the call being judged has been given */
};

/* A finished call against its step's `expect`. */
void scn_judge_call(struct scn_judge *judge, struct scn_call *call);

/* A statement against the world as it is now. With `is_trial` nothing is reported: the answer
 * says whether it holds (for `eventually`). */
bool scn_judge_statement(struct scn_judge *judge, const struct scn_check *check, bool is_trial);

/* A duration that may differ from `range` by what a real clock adds: nothing in `sim`; 15 % or
 * 50 ms on sockets, whichever is more. */
bool scn_is_duration_in(const struct scn_world *world, const struct doc_range *range,
                        uint64_t duration_us);

/* Shell-like pattern with * and ?; NULL matches everything. */
bool scn_is_match(const char *pattern, struct rt_slice text);

/* The first difference of two values: "first difference at byte 17: 61 62 63 | 61 62 00". */
void scn_describe_difference(struct rt_slice expected, struct rt_slice actual, char *out_text,
                             size_t text_bytes);

#endif
