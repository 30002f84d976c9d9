/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HARNESS_VERDICT_VERDICT_H
#define HARNESS_VERDICT_VERDICT_H

#include "document/tree.h"

/* How a run ended. Row: enumerator, exit code, word, rank among several (the highest wins). */
#define SCN_VERDICT_LIST(ROW)                                                                      \
    ROW(SCN_PASS, 0, "pass", 1)                                                                    \
    ROW(SCN_FAIL, 1, "FAIL", 3)                                                                    \
    ROW(SCN_INVALID, 2, "INVALID", 4)                                                              \
    ROW(SCN_INCONCLUSIVE, 3, "INCONCLUSIVE", 2)                                                    \
    ROW(SCN_HARNESS_ERROR, 4, "HARNESS ERROR", 5)                                                  \
    ROW(SCN_SKIPPED, 77, "skipped", 0)

enum scn_verdict {
#define SCN_VERDICT_ENUM(name, code, word, rank) name,
    SCN_VERDICT_LIST(SCN_VERDICT_ENUM)
#undef SCN_VERDICT_ENUM
        SCN_VERDICT_COUNT
};

int scn_verdict_exit_code(enum scn_verdict verdict);
const char *scn_verdict_word(enum scn_verdict verdict);

/* 4 before 2 before 1 before 3 before 0, and 77 only when all were skipped. */
enum scn_verdict scn_verdict_worse(enum scn_verdict a, enum scn_verdict b);

/* One thing that is not as it should be. Texts belong to the list; "" when there is nothing. */
struct scn_finding {
    enum scn_verdict verdict;    /* FAIL, INCONCLUSIVE or HARNESS_ERROR */
    const struct doc_node *node; /* NULL: a law, or the whole scenario */
    char *title;
    char *expected;
    char *actual;
    char *note;
    size_t record_index; /* where the journal stood */
    uint64_t time_us;
};

struct scn_findings {
    struct scn_finding *items;
    size_t count;
    size_t capacity;
    size_t evaluated; /* expectations and statements looked at */
};

/* NULL when memory is short; the verdict is kept by the caller then. */
struct scn_finding *scn_findings_add(struct scn_findings *findings, enum scn_verdict verdict,
                                     const struct doc_node *node, const char *title, ...)
    RT_PRINTF(4, 5);
void scn_finding_expected(struct scn_finding *finding, const char *format, ...) RT_PRINTF(2, 3);
void scn_finding_actual(struct scn_finding *finding, const char *format, ...) RT_PRINTF(2, 3);
void scn_finding_note(struct scn_finding *finding, const char *format, ...) RT_PRINTF(2, 3);
void scn_findings_fini(struct scn_findings *findings);
enum scn_verdict scn_findings_verdict(const struct scn_findings *findings);

#endif
