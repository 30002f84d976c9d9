/* SPDX-License-Identifier: Apache-2.0 */
#include "faults/trigger.h"

#include <stdarg.h>
#include <stdio.h>

#include "faults/words.h"

#define COUNT_MAX UINT64_C(1000000000)

/* What stands before an action: "50%3*". */
struct prefix {
    bool has_percent;
    double percent;
    uint64_t count;
    size_t offset_bytes;
};

static bool parse_terms(struct fault__scanner *scanner, struct fault__trigger *trigger);
static bool take_prefix(struct fault__scanner *scanner, struct prefix *prefix);
static bool take_percent(struct fault__scanner *scanner, size_t offset_bytes, double value,
                         struct prefix *prefix);
static bool take_count(struct fault__scanner *scanner, size_t offset_bytes, bool is_whole,
                       double value, struct prefix *prefix);
static bool take_decimal(struct fault__scanner *scanner, bool *out_is_whole, double *out_value);
static struct rt_slice take_word(struct fault__scanner *scanner);
static bool take_skip(struct fault__scanner *scanner, bool is_first, const struct prefix *prefix,
                      size_t offset_bytes, struct fault__trigger *trigger);
static struct fault__term *take_term(struct fault__scanner *scanner, const struct prefix *prefix,
                                     struct rt_slice word);
static bool take_arrow(struct fault__scanner *scanner, const struct fault__term *term);
static void complain_action(struct fault__scanner *scanner, struct rt_slice word);

enum rt_status fault__trigger_parse(struct fault__memory *memory, const struct doc_node *node,
                                    struct rt_slice text, struct doc_error_list *errors,
                                    struct fault__trigger *out_trigger)
{
    struct fault__scanner scanner = {
        .text = text, .memory = memory, .node = node, .errors = errors};
    struct fault__trigger trigger = {.terms = NULL};

    if (!parse_terms(&scanner, &trigger)) {
        return scanner.status;
    }
    *out_trigger = trigger;
    return RT_OK;
}

static bool parse_terms(struct fault__scanner *scanner, struct fault__trigger *trigger)
{
    struct fault__term **tail = &trigger->terms;

    for (bool is_first = true;; is_first = false) {
        struct fault__term *term = NULL;
        struct prefix prefix = {.count = 0};
        struct rt_slice word;

        fault__skip_blanks(scanner);
        if (!take_prefix(scanner, &prefix)) {
            return false;
        }
        word = take_word(scanner);
        if (rt_slice_is_text(word, "skip")) {
            if (!take_skip(scanner, is_first, &prefix, scanner->at - word.len_bytes, trigger)) {
                return false;
            }
        } else {
            term = take_term(scanner, &prefix, word);
            if (term == NULL) {
                return false;
            }
            *tail = term;
            tail = &term->next;
        }
        fault__skip_blanks(scanner);
        if (scanner->at == scanner->text.len_bytes) {
            break;
        }
        if (!take_arrow(scanner, term)) {
            return false;
        }
    }
    if (trigger->terms == NULL) {
        fault__complain(scanner, scanner->at, 0, "after skip an action must follow, joined by ->");
        return false;
    }
    return true;
}

static bool take_prefix(struct fault__scanner *scanner, struct prefix *prefix)
{
    prefix->offset_bytes = scanner->at;
    for (;;) {
        size_t offset_bytes = scanner->at;
        bool is_whole;
        double value;

        if (!take_decimal(scanner, &is_whole, &value)) {
            return true;
        }
        if (fault__take(scanner, '%')) {
            if (!take_percent(scanner, offset_bytes, value, prefix)) {
                return false;
            }
        } else if (fault__take(scanner, '*')) {
            return take_count(scanner, offset_bytes, is_whole, value, prefix);
        } else {
            struct doc_error *error =
                fault__complain(scanner, offset_bytes, scanner->at - offset_bytes,
                                "a number here needs %% or * behind it");

            doc_error_help(scanner->errors, error, "P%%N*action, as in 50%%3*drop-reply");
            return false;
        }
    }
}

static bool take_percent(struct fault__scanner *scanner, size_t offset_bytes, double value,
                         struct prefix *prefix)
{
    if (prefix->has_percent) {
        fault__complain(scanner, offset_bytes, scanner->at - offset_bytes,
                        "a probability is given already");
        return false;
    }
    if (value <= 0.0 || value > 100.0) {
        fault__complain(scanner, offset_bytes, scanner->at - offset_bytes,
                        "a probability is more than 0%% and at most 100%%");
        return false;
    }
    prefix->has_percent = true;
    prefix->percent = value;
    return true;
}

static bool take_count(struct fault__scanner *scanner, size_t offset_bytes, bool is_whole,
                       double value, struct prefix *prefix)
{
    if (!is_whole || value < 1.0 || value > (double)COUNT_MAX) {
        fault__complain(scanner, offset_bytes, scanner->at - offset_bytes,
                        "a count is a whole number from 1 to %llu", (unsigned long long)COUNT_MAX);
        return false;
    }
    prefix->count = (uint64_t)value;
    return true;
}

/* False: no digit here. */
static bool take_decimal(struct fault__scanner *scanner, bool *out_is_whole, double *out_value)
{
    const uint8_t *data = scanner->text.data;
    size_t end = scanner->text.len_bytes;
    double value = 0.0;
    double scale = 0.1;

    if (scanner->at == end || data[scanner->at] < '0' || data[scanner->at] > '9') {
        return false;
    }
    for (; scanner->at < end && data[scanner->at] >= '0' && data[scanner->at] <= '9';
         scanner->at++) {
        value = value * 10.0 + (data[scanner->at] - '0');
    }
    *out_is_whole = !fault__take(scanner, '.');
    if (!*out_is_whole) {
        if (scanner->at == end || data[scanner->at] < '0' || data[scanner->at] > '9') {
            scanner->at--; /* a dot without a digit behind it belongs to no number */
        }
        for (; scanner->at < end && data[scanner->at] >= '0' && data[scanner->at] <= '9';
             scanner->at++) {
            value += scale * (data[scanner->at] - '0');
            scale *= 0.1;
        }
    }
    *out_value = value;
    return true;
}

/* A word ends before "->". */
static struct rt_slice take_word(struct fault__scanner *scanner)
{
    const uint8_t *data = scanner->text.data;
    size_t start = scanner->at;

    while (scanner->at < scanner->text.len_bytes) {
        uint8_t byte = data[scanner->at];
        bool is_arrow = byte == '-' && scanner->at + 1 < scanner->text.len_bytes &&
                        data[scanner->at + 1] == '>';
        bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                         (byte >= '0' && byte <= '9') || byte == '_' || byte == '-';

        if (is_arrow || !is_letter) {
            break;
        }
        scanner->at++;
    }
    return rt_slice_of(data + start, scanner->at - start);
}

static bool take_skip(struct fault__scanner *scanner, bool is_first, const struct prefix *prefix,
                      size_t offset_bytes, struct fault__trigger *trigger)
{
    if (!is_first) {
        fault__complain(scanner, offset_bytes, 4, "skip must be the first term");
        return false;
    }
    if (prefix->has_percent || prefix->count > 0) {
        struct doc_error *error =
            fault__complain(scanner, prefix->offset_bytes, offset_bytes - prefix->offset_bytes,
                            "skip takes neither %% nor *");

        doc_error_help(scanner->errors, error, "how many matches to skip stands in brackets");
        return false;
    }
    return fault__take_skip_count(scanner, offset_bytes, &trigger->skip_count);
}

static struct fault__term *take_term(struct fault__scanner *scanner, const struct prefix *prefix,
                                     struct rt_slice word)
{
    struct fault__term *term = fault__alloc(scanner->memory, sizeof(*term));

    if (term == NULL) {
        scanner->status = RT_E_NOMEM;
        return NULL;
    }
    term->has_percent = prefix->has_percent;
    term->percent = prefix->percent;
    term->count = prefix->count;
    term->offset_bytes = scanner->at - word.len_bytes;
    term->len_bytes = word.len_bytes;
    term->is_off = rt_slice_is_text(word, "off");
    term->action.text = "";
    if (!term->is_off && !fault__action_parse(word, &term->action.kind)) {
        complain_action(scanner, word);
        return NULL;
    }
    if (!fault__take_arguments(scanner, term)) {
        return NULL;
    }
    term->source = fault__copy(scanner->memory, rt_slice_of(scanner->text.data + term->offset_bytes,
                                                            scanner->at - term->offset_bytes));
    if (term->source == NULL) {
        scanner->status = RT_E_NOMEM;
        return NULL;
    }
    return term;
}

/* `term` is what stood before, NULL for skip. */
static bool take_arrow(struct fault__scanner *scanner, const struct fault__term *term)
{
    size_t offset_bytes = scanner->at;

    if (!fault__take(scanner, '-') || !fault__take(scanner, '>')) {
        fault__complain(scanner, offset_bytes, scanner->text.len_bytes - offset_bytes,
                        "expected -> or the end");
        return false;
    }
    if (term != NULL && term->count == 0) {
        struct doc_error *error =
            fault__complain(scanner, offset_bytes, 2,
                            "what follows is never reached: %s stays for ever", term->source);

        doc_error_help(scanner->errors, error, "a count ends a term: N*%s", term->source);
        return false;
    }
    return true;
}

static void complain_action(struct fault__scanner *scanner, struct rt_slice word)
{
    const char *words[FAULT_ACTION_COUNT + 2];
    size_t count = 0;
    struct doc_error *error;

    for (int kind = 0; kind < FAULT_ACTION_COUNT; kind++) {
        words[count++] = fault_action_word((enum fault_action_kind)kind);
    }
    words[count++] = "off";
    words[count++] = "skip";
    if (word.len_bytes == 0) {
        size_t rest = scanner->at < scanner->text.len_bytes ? 1 : 0;

        error = fault__complain(scanner, scanner->at, rest, "an action is missing");
    } else {
        error = fault__complain(
            scanner, scanner->at - word.len_bytes, word.len_bytes, "unknown action \"%.*s\"",
            (int)(word.len_bytes < 60 ? word.len_bytes : 60), (const char *)word.data);
    }
    doc_error_allow(scanner->errors, error, word, words, count);
}

/* ---- shared with argument.c -------------------------------------------------------------- */

struct doc_error *fault__complain(struct fault__scanner *scanner, size_t offset_bytes,
                                  size_t len_bytes, const char *format, ...)
{
    char message[256];
    va_list args;

    scanner->status = RT_E_INVALID;
    if (scanner->errors == NULL) {
        return NULL;
    }
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    return doc_error_add_inside(scanner->errors, scanner->node, offset_bytes, len_bytes, "%s",
                                message);
}

void fault__skip_blanks(struct fault__scanner *scanner)
{
    while (scanner->at < scanner->text.len_bytes &&
           (scanner->text.data[scanner->at] == ' ' || scanner->text.data[scanner->at] == '\t' ||
            scanner->text.data[scanner->at] == '\n')) {
        scanner->at++;
    }
}

bool fault__take(struct fault__scanner *scanner, char letter)
{
    if (scanner->at < scanner->text.len_bytes &&
        scanner->text.data[scanner->at] == (uint8_t)letter) {
        scanner->at++;
        return true;
    }
    return false;
}
