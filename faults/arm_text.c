/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "faults/engine.h"

/*
 * One rule in one line, for tests and live control:
 *
 *   <id>: [on {…}] at <point> do <trigger> [after <event>{, <event>}]
 *
 * It is cut at its key words and written as the YAML that a file would hold, so that there is one
 * language and one checker.
 */

#define TEXT_MAX_BYTES 4096

struct cut {
    const char *rest;
    struct rt_slice id;
    struct rt_slice on; /* with its braces; empty: not given */
    struct rt_slice at;
    struct rt_slice trigger;
    struct rt_slice after;
};

static bool cut_text(const char *text, struct cut *cut, const char **out_message);
static bool take_key_word(struct cut *cut, const char *word);
static struct rt_slice take_until(struct cut *cut, const char *word);
static bool take_braces(struct cut *cut, struct rt_slice *out_braces);
static char *write_yaml(const struct cut *cut, size_t *out_len_bytes);
static void write_scalar(FILE *out, struct rt_slice text);
static enum rt_status load(struct fault_engine *engine, struct rt_slice yaml, char *out_error,
                           size_t error_bytes);
static void print_problem(const struct doc_error_list *errors, char *out_error, size_t error_bytes);

enum rt_status fault_arm_text(struct fault_engine *engine, const char *text, char *out_error,
                              size_t error_bytes)
{
    struct cut cut = {.rest = text};
    const char *message;
    size_t len_bytes;
    char *yaml;
    enum rt_status status;

    if (!cut_text(text, &cut, &message)) {
        snprintf(out_error, error_bytes, "%s", message);
        return RT_E_INVALID;
    }
    yaml = write_yaml(&cut, &len_bytes);
    if (yaml == NULL) {
        snprintf(out_error, error_bytes, "%s", rt_status_text(RT_E_NOMEM));
        return RT_E_NOMEM;
    }
    status = load(engine, rt_slice_of(yaml, len_bytes), out_error, error_bytes);
    free(yaml);
    return status;
}

/* ---- cutting ----------------------------------------------------------------------------- */

static bool cut_text(const char *text, struct cut *cut, const char **out_message)
{
    const char *colon = strchr(text, ':');

    if (strlen(text) > TEXT_MAX_BYTES) {
        *out_message = "the rule is too long";
        return false;
    }
    for (const char *letter = text; *letter != '\0'; letter++) {
        if ((unsigned char)*letter < 0x20 || *letter == 0x7f) {
            *out_message = "a rule is one line without control characters";
            return false;
        }
    }
    if (colon == NULL) {
        *out_message = "a rule begins with its id and a colon";
        return false;
    }
    cut->id = rt_slice_of(text, (size_t)(colon - text));
    cut->rest = colon + 1;
    if (take_key_word(cut, "on") && !take_braces(cut, &cut->on)) {
        *out_message = "after `on` conditions in braces are missing: on {op: set, key: \"a*\"}";
        return false;
    }
    if (!take_key_word(cut, "at")) {
        *out_message = "expected `at` and a point";
        return false;
    }
    cut->at = take_until(cut, "do");
    if (!take_key_word(cut, "do")) {
        *out_message = "expected `do` and a trigger";
        return false;
    }
    cut->trigger = take_until(cut, "after");
    if (take_key_word(cut, "after")) {
        cut->after = take_until(cut, NULL);
        if (cut->after.len_bytes == 0) {
            *out_message = "expected an event behind `after`";
            return false;
        }
    }
    return true;
}

/* A key word stands alone between blanks. */
static bool take_key_word(struct cut *cut, const char *word)
{
    size_t len_bytes = strlen(word);

    while (*cut->rest == ' ') {
        cut->rest++;
    }
    if (strncmp(cut->rest, word, len_bytes) != 0 ||
        (cut->rest[len_bytes] != ' ' && cut->rest[len_bytes] != '\0')) {
        return false;
    }
    cut->rest += len_bytes;
    return true;
}

/* What stands before the next such key word outside of quotes, or all of it; without blanks around
 * it. */
static struct rt_slice take_until(struct cut *cut, const char *word)
{
    size_t word_bytes = word == NULL ? 0 : strlen(word);
    bool is_quoted = false;
    const char *start;
    const char *end;

    while (*cut->rest == ' ') {
        cut->rest++;
    }
    start = cut->rest;
    for (; *cut->rest != '\0'; cut->rest++) {
        if (*cut->rest == '"') {
            is_quoted = !is_quoted;
        } else if (*cut->rest == '\\' && is_quoted && cut->rest[1] != '\0') {
            cut->rest++;
        } else if (*cut->rest == ' ' && !is_quoted && word != NULL &&
                   strncmp(cut->rest + 1, word, word_bytes) == 0 &&
                   (cut->rest[1 + word_bytes] == ' ' || cut->rest[1 + word_bytes] == '\0')) {
            break;
        }
    }
    end = cut->rest;
    while (end > start && end[-1] == ' ') {
        end--;
    }
    return rt_slice_of(start, (size_t)(end - start));
}

static bool take_braces(struct cut *cut, struct rt_slice *out_braces)
{
    const char *start;
    char quote = '\0';
    size_t depth = 0;

    while (*cut->rest == ' ') {
        cut->rest++;
    }
    start = cut->rest;
    if (*start != '{') {
        return false;
    }
    for (; *cut->rest != '\0'; cut->rest++) {
        char letter = *cut->rest;

        if (quote != '\0') {
            if (letter == '\\' && quote == '"' && cut->rest[1] != '\0') {
                cut->rest++;
            } else if (letter == quote) {
                quote = '\0';
            }
        } else if (letter == '"' || letter == '\'') {
            quote = letter;
        } else if (letter == '{') {
            depth++;
        } else if (letter == '}' && --depth == 0) {
            cut->rest++;
            *out_braces = rt_slice_of(start, (size_t)(cut->rest - start));
            return true;
        }
    }
    return false;
}

/* ---- loading ----------------------------------------------------------------------------- */

static char *write_yaml(const struct cut *cut, size_t *out_len_bytes)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, out_len_bytes);

    if (out == NULL) {
        return NULL;
    }
    fputs("- id: ", out);
    write_scalar(out, cut->id);
    if (cut->on.len_bytes > 0) {
        fprintf(out, "  on: %.*s\n", (int)cut->on.len_bytes, (const char *)cut->on.data);
    }
    fputs("  at: ", out);
    write_scalar(out, cut->at);
    fputs("  do: ", out);
    write_scalar(out, cut->trigger);
    for (size_t start = 0; start < cut->after.len_bytes;) {
        size_t end = start;

        while (end < cut->after.len_bytes && cut->after.data[end] != ',') {
            end++;
        }
        fputs(start == 0 ? "  after:\n    - " : "    - ", out);
        write_scalar(out, rt_slice_of(cut->after.data + start, end - start));
        start = end + 1;
        while (start < cut->after.len_bytes && cut->after.data[start] == ' ') {
            start++;
        }
    }
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

/* In single quotes, where nothing but the quote itself means anything. */
static void write_scalar(FILE *out, struct rt_slice text)
{
    fputc('\'', out);
    for (size_t i = 0; i < text.len_bytes; i++) {
        fputc(text.data[i], out);
        if (text.data[i] == '\'') {
            fputc('\'', out);
        }
    }
    fputs("'\n", out);
}

static enum rt_status load(struct fault_engine *engine, struct rt_slice yaml, char *out_error,
                           size_t error_bytes)
{
    struct doc_error_list *errors = doc_error_list_create();
    struct doc *doc = NULL;
    enum rt_status status = RT_E_NOMEM;

    if (errors == NULL) {
        snprintf(out_error, error_bytes, "%s", rt_status_text(status));
        return status;
    }
    status = doc_load_text("rule", yaml, DOC_MODE_STRICT, NULL, errors, &doc);
    if (status == RT_OK) {
        struct doc_reader reader = {.doc = doc, .errors = errors};
        size_t count = engine->rules.count;

        status = fault_rules_load(engine, NULL, 0, &reader, doc_root(doc));
        for (; count < engine->rules.count; count++) {
            engine->rules.items[count]->node = NULL; /* the document goes */
        }
    } else if (status == RT_E_MALFORMED) {
        status = RT_E_INVALID;
    }
    if (status != RT_OK && doc_error_count(errors) > 0) {
        print_problem(errors, out_error, error_bytes);
    } else if (status != RT_OK) {
        snprintf(out_error, error_bytes, "%s", rt_status_text(status));
    }
    doc_destroy(doc);
    doc_error_list_destroy(errors);
    return status;
}

/* The first one, without its place: that is in a text which nobody wrote. */
static void print_problem(const struct doc_error_list *errors, char *out_error, size_t error_bytes)
{
    const struct doc_error *error = doc_error_at(errors, 0);

    if (error->nearest_word != NULL) {
        snprintf(out_error, error_bytes, "%s; did you mean \"%s\"?", error->message,
                 error->nearest_word);
    } else if (error->help != NULL) {
        snprintf(out_error, error_bytes, "%s; %s", error->message, error->help);
    } else {
        snprintf(out_error, error_bytes, "%s", error->message);
    }
}
