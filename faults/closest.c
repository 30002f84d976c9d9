/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "faults/glob_edit.h"
#include "faults/rule.h"

/* Why a rule did not fire: the subject that came closest, what did not hold, and what to change in
 * the rule. Made when somebody asks, never while the run goes on. */

typedef void print_fn(FILE *out, const struct fault_rule *rule);

static char *print_to_text(print_fn *print, const struct fault_rule *rule);
static void print_closest(FILE *out, const struct fault_rule *rule);
static void print_unfired(FILE *out, const struct fault_rule *rule);
static void print_subject(FILE *out, const struct fault_rule *rule);
static void print_key(FILE *out, const struct fault__near *near);
static void print_missing(FILE *out, const struct fault_rule *rule, const char *separator);
static void print_edits(FILE *out, const struct fault_rule *rule);
static void print_glob_edit(FILE *out, struct rt_slice pattern, struct rt_slice text);
static void print_quoted(FILE *out, struct rt_slice text);

void fault__rule_describe_closest(struct fault_rule *rule)
{
    if (rule->is_described) {
        return;
    }
    rule->is_described = true;
    free(rule->closest_text);
    free(rule->edit_text);
    rule->closest_text = NULL;
    rule->edit_text = NULL;
    if (rule->fired_count > 0) {
        return;
    }
    if (rule->matched_count > 0) {
        rule->closest_text = print_to_text(print_unfired, rule);
    } else if (rule->near.failing != 0) {
        rule->closest_text = print_to_text(print_closest, rule);
        rule->edit_text = print_to_text(print_edits, rule);
    }
}

static char *print_to_text(print_fn *print, const struct fault_rule *rule)
{
    char *text = NULL;
    size_t len_bytes;
    FILE *out = open_memstream(&text, &len_bytes);

    if (out == NULL) {
        return NULL;
    }
    print(out, rule);
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

/* ---- matched, and yet nothing happened --------------------------------------------------- */

static void print_unfired(FILE *out, const struct fault_rule *rule)
{
    unsigned long long matched = rule->matched_count;
    const struct fault__term *term = rule->trigger.terms;

    fprintf(out, "matched %llu time%s, but ", matched, matched == 1 ? "" : "s");
    if (rule->matched_count <= rule->trigger.skip_count) {
        fprintf(out, "skip(%llu) passes over the first %llu",
                (unsigned long long)rule->trigger.skip_count,
                (unsigned long long)rule->trigger.skip_count);
    } else if (term->is_off && term->used_count > 0) {
        fprintf(out, "off does nothing");
    } else {
        fprintf(out, "no draw of %g%% said yes", term->percent);
    }
}

/* ---- the subject and what did not hold --------------------------------------------------- */

static void print_closest(FILE *out, const struct fault_rule *rule)
{
    const struct fault__near *near = &rule->near;
    const char *separator = ": ";

    print_subject(out, rule);
    if ((near->failing & FAULT__ON_KEY) != 0) {
        fprintf(out, "%skey is ", separator);
        print_key(out, near);
        fprintf(out, ", wanted ");
        print_quoted(out, rule->key_pattern);
        separator = "; ";
    }
    if ((near->failing & FAULT__ON_WORKER) != 0) {
        fprintf(out, "%sworker is \"%s\", wanted \"%s\"", separator, near->worker, rule->worker);
        separator = "; ";
    }
    if ((near->failing & FAULT__ON_CLIENT) != 0) {
        fprintf(out, "%sclient is \"%s\", wanted \"%s\"", separator, near->client, rule->client);
        separator = "; ";
    }
    if ((near->failing & FAULT__ON_NTH) != 0) {
        fprintf(out, "%sit was number %llu, wanted number %llu", separator,
                (unsigned long long)near->ordinal, (unsigned long long)rule->nth);
        separator = "; ";
    }
    if ((near->failing & FAULT__IS_ARMED) != 0) {
        print_missing(out, rule, separator);
    }
}

static void print_subject(FILE *out, const struct fault_rule *rule)
{
    const struct fault__near *near = &rule->near;

    if (near->operation >= 0) {
        fprintf(out, "%s at ", near->domain->operations[near->operation].word);
    }
    fprintf(out, "%s", fault_point_word(rule->point));
    if (near->key_count > 0) {
        fprintf(out, ", key ");
        print_key(out, near);
    }
}

static void print_key(FILE *out, const struct fault__near *near)
{
    if (near->key_count == 0) {
        fprintf(out, "not given");
        return;
    }
    print_quoted(out, rt_slice_of(near->key, near->key_bytes));
    if (near->key_count > 1) {
        fprintf(out, " (and %zu more)", near->key_count - 1);
    }
}

static void print_missing(FILE *out, const struct fault_rule *rule, const char *separator)
{
    fprintf(out, "%sit came before ", separator);
    for (size_t i = 0; i < rule->after_count; i++) {
        fprintf(out, "%s%s", i == 0 ? "" : ", ", rule->after[i].text);
    }
}

/* ---- what to change ---------------------------------------------------------------------- */

static void print_edits(FILE *out, const struct fault_rule *rule)
{
    const struct fault__near *near = &rule->near;
    const char *separator = "";

    if ((near->failing & FAULT__ON_KEY) != 0 && near->key_count > 0) {
        fprintf(out, "key: ");
        print_glob_edit(out, rule->key_pattern, rt_slice_of(near->key, near->key_bytes));
        separator = ", ";
    } else if ((near->failing & FAULT__ON_KEY) != 0) {
        fprintf(out, "no key");
        separator = ", ";
    }
    if ((near->failing & FAULT__ON_WORKER) != 0) {
        fprintf(out, "%sworker: %s", separator, near->worker);
        separator = ", ";
    }
    if ((near->failing & FAULT__ON_CLIENT) != 0) {
        fprintf(out, "%sclient: %s", separator, near->client);
        separator = ", ";
    }
    if ((near->failing & FAULT__ON_NTH) != 0) {
        fprintf(out, "%snth: %llu", separator, (unsigned long long)near->ordinal);
        separator = ", ";
    }
    if ((near->failing & FAULT__IS_ARMED) != 0) {
        fprintf(out, "%sno after", separator);
    }
}

static void print_glob_edit(FILE *out, struct rt_slice pattern, struct rt_slice text)
{
    char *edited = NULL;
    size_t len_bytes;
    FILE *inner = open_memstream(&edited, &len_bytes);
    enum rt_status status;

    if (inner == NULL) {
        return;
    }
    status = fault__glob_print_edit(inner, pattern, text);
    if (fclose(inner) == 0 && status == RT_OK) {
        print_quoted(out, rt_slice_of(edited, len_bytes));
    }
    free(edited);
}

/* As a scenario writes it. */
static void print_quoted(FILE *out, struct rt_slice text)
{
    fputc('"', out);
    for (size_t i = 0; i < text.len_bytes; i++) {
        uint8_t byte = text.data[i];

        if (byte == '"' || byte == '\\') {
            fprintf(out, "\\%c", byte);
        } else if (byte < 0x20 || byte == 0x7f) {
            fprintf(out, "\\x%02x", byte);
        } else {
            fputc(byte, out);
        }
    }
    fputc('"', out);
}
