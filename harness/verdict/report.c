/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a failure looks like: where, expected and actual on aligned lines, the journal around it,
 * the faults with their counts, the seed, the command that runs it again.
 */
#include <inttypes.h>

#include "harness/run.h"

#define CONTEXT_BEFORE 12

static void print_finding(FILE *out, const struct scn_finding *finding);
static void print_context(FILE *out, const struct scn_outcome *outcome,
                          const struct scn_recorder *recorder);
static void print_faults(FILE *out, const struct scn_outcome *outcome);

void scn_report_print(FILE *out, const struct scn_outcome *outcome,
                      const struct scn_recorder *recorder, const char *again)
{
    char duration[DOC_QUANTITY_TEXT_BYTES];

    if (outcome->verdict == SCN_PASS || outcome->verdict == SCN_SKIPPED) {
        return;
    }
    (void)fprintf(out, "%s %s: %s\n", scn_verdict_word(outcome->verdict), outcome->scenario->path,
                  outcome->scenario->name);
    for (size_t i = 0; i < outcome->findings.count; i++) {
        print_finding(out, &outcome->findings.items[i]);
    }
    print_faults(out, outcome);
    print_context(out, outcome, recorder);
    doc_print_duration(outcome->virtual_us, duration);
    (void)fprintf(out, "  after %s of %s time, seed %" PRIu64 "\n", duration,
                  outcome->mode == RT_LOOP_SIMULATED ? "simulated" : "real", outcome->seed);
    (void)fprintf(out, "  run it again: %s\n", again);
}

/* Lines after the first are indented like the first. */
static void print_indented(FILE *out, const char *label, const char *text)
{
    if (text == NULL || text[0] == '\0') {
        return;
    }
    (void)fprintf(out, "    %-10s", label);
    for (const char *at = text; *at != '\0'; at++) {
        (void)fputc(*at, out);
        if (*at == '\n') {
            (void)fprintf(out, "    %-10s", "");
        }
    }
    (void)fputc('\n', out);
}

static void print_finding(FILE *out, const struct scn_finding *finding)
{
    if (finding->node != NULL) {
        (void)fprintf(out, "  %s:%" PRIu32 ":%" PRIu32 ": %s\n", finding->node->source->path,
                      finding->node->start.line, finding->node->start.column, finding->title);
    } else {
        (void)fprintf(out, "  %s\n", finding->title);
    }
    print_indented(out, "expected", finding->expected);
    print_indented(out, "actual", finding->actual);
    print_indented(out, "note", finding->note);
}

static void print_faults(FILE *out, const struct scn_outcome *outcome)
{
    for (size_t i = 0; i < outcome->fault_count; i++) {
        const struct scn_fault_outcome *fault = &outcome->faults[i];
        (void)fprintf(
            out, "  fault %s: fired %" PRIu64 ", matched %" PRIu64 ", considered %" PRIu64 "\n",
            fault->id, fault->fired, fault->matched, fault->considered);
    }
}

static void print_context(FILE *out, const struct scn_outcome *outcome,
                          const struct scn_recorder *recorder)
{
    size_t end = outcome->record_count;

    if (outcome->findings.count > 0 && outcome->findings.items[0].record_index > 0) {
        end = outcome->findings.items[0].record_index;
    }
    size_t begin = end;
    for (size_t shown = 0; begin > 0 && shown < CONTEXT_BEFORE; begin--) {
        shown += scn_record_is_housekeeping(scn_recorder_at(recorder, begin - 1)) ? 0 : 1;
    }
    if (begin == end) {
        return;
    }
    (void)fprintf(out,
                  "  journal before that (of %zu records, heartbeats left out; --journal FILE "
                  "writes all):\n",
                  outcome->record_count);
    for (size_t i = begin; i < end; i++) {
        if (!scn_record_is_housekeeping(scn_recorder_at(recorder, i))) {
            (void)fputs("    ", out);
            scn_record_print(out, scn_recorder_at(recorder, i));
            (void)fputc('\n', out);
        }
    }
}
