/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HARNESS_RUN_H
#define HARNESS_RUN_H

#include "harness/language/scenario.h"
#include "harness/recorder.h"
#include "harness/verdict/verdict.h"
#include "runtime/loop.h"

/*
 * Running one scenario: build the world, make the steps, judge, check the laws, take the world
 * down. Nothing is printed here; the outcome carries all that a report needs.
 */
struct scn_fault_outcome {
    const char *id;
    uint64_t considered;
    uint64_t matched;
    uint64_t fired;
};

struct scn_outcome {
    const struct scn_scenario *scenario;
    enum scn_verdict verdict;
    const char *skip_reason; /* skipped */
    struct scn_findings findings;
    struct scn_fault_outcome *faults;
    size_t fault_count;
    uint64_t seed;
    uint64_t virtual_us; /* how much time passed on the scenario's clock */
    uint64_t start_us;   /* the journal's time 0 */
    size_t record_count; /* of the journal before the world was taken down */
    enum rt_loop_mode mode;
};

struct scn_run_options {
    enum rt_loop_mode mode;
    uint64_t seed;
    bool is_proving; /* run again without faults; if nothing changes, it tests nothing */
    struct scn_recorder *recorder; /* holds the journal of the (last) run afterwards */
};

void scn_run(const struct scn_scenario *scenario, const struct scn_run_options *options,
             struct scn_outcome *out_outcome);
void scn_outcome_fini(struct scn_outcome *outcome);

/* Exactly as a reader wants to see a failure; nothing for a pass. `again` is the command line
 * that runs it again. */
void scn_report_print(FILE *out, const struct scn_outcome *outcome,
                      const struct scn_recorder *recorder, const char *again);

#endif
