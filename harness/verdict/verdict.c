/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/verdict/verdict.h"

#include <stdarg.h>
#include <stdlib.h>

struct verdict_row {
    int exit_code;
    const char *word;
    int rank;
};

static const struct verdict_row rows[SCN_VERDICT_COUNT] = {
#define VERDICT_ROW(name, code, word, rank) {code, word, rank},
    SCN_VERDICT_LIST(VERDICT_ROW)
#undef VERDICT_ROW
};

int scn_verdict_exit_code(enum scn_verdict verdict)
{
    return rows[verdict].exit_code;
}

const char *scn_verdict_word(enum scn_verdict verdict)
{
    return rows[verdict].word;
}

enum scn_verdict scn_verdict_worse(enum scn_verdict a, enum scn_verdict b)
{
    return rows[a].rank >= rows[b].rank ? a : b;
}

static void set_text(char **text, const char *format, va_list arguments) RT_PRINTF(2, 0);

static void set_text(char **text, const char *format, va_list arguments)
{
    free(*text);
    if (vasprintf(text, format, arguments) < 0) {
        *text = NULL;
    }
}

struct scn_finding *scn_findings_add(struct scn_findings *findings, enum scn_verdict verdict,
                                     const struct doc_node *node, const char *title, ...)
{
    va_list arguments;

    if (findings->count == findings->capacity) {
        size_t capacity = findings->capacity == 0 ? 4 : findings->capacity * 2;
        struct scn_finding *items = realloc(findings->items, capacity * sizeof(*items));
        if (items == NULL) {
            return NULL;
        }
        findings->items = items;
        findings->capacity = capacity;
    }
    struct scn_finding *finding = &findings->items[findings->count++];
    *finding = (struct scn_finding){.verdict = verdict, .node = node};
    va_start(arguments, title);
    set_text(&finding->title, title, arguments);
    va_end(arguments);
    return finding;
}

void scn_finding_expected(struct scn_finding *finding, const char *format, ...)
{
    va_list arguments;

    if (finding != NULL) {
        va_start(arguments, format);
        set_text(&finding->expected, format, arguments);
        va_end(arguments);
    }
}

void scn_finding_actual(struct scn_finding *finding, const char *format, ...)
{
    va_list arguments;

    if (finding != NULL) {
        va_start(arguments, format);
        set_text(&finding->actual, format, arguments);
        va_end(arguments);
    }
}

void scn_finding_note(struct scn_finding *finding, const char *format, ...)
{
    va_list arguments;

    if (finding != NULL) {
        va_start(arguments, format);
        set_text(&finding->note, format, arguments);
        va_end(arguments);
    }
}

void scn_findings_fini(struct scn_findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        free(findings->items[i].title);
        free(findings->items[i].expected);
        free(findings->items[i].actual);
        free(findings->items[i].note);
    }
    free(findings->items);
    *findings = (struct scn_findings){0};
}

enum scn_verdict scn_findings_verdict(const struct scn_findings *findings)
{
    enum scn_verdict verdict = SCN_PASS;

    for (size_t i = 0; i < findings->count; i++) {
        verdict = scn_verdict_worse(verdict, findings->items[i].verdict);
    }
    return verdict;
}
