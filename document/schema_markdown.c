/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <inttypes.h>

#include "document/schema_visit.h"

/* The reference page: per schema a heading, its help, a table of keys, the words of its keys. */

/* In a table cell a bar would start the next cell. */
static void print_cell(FILE *out, const char *text)
{
    for (; text != NULL && *text != '\0'; text++) {
        if (*text == '|') {
            fputc('\\', out);
        }
        fputc(*text == '\n' ? ' ' : *text, out);
    }
}

/* As GitHub makes anchors of headings. */
static void print_link(FILE *out, const struct doc_schema *schema)
{
    const char *at;

    fprintf(out, "[%s](#", schema->name);
    for (at = schema->name; *at != '\0'; at++) {
        if (isalnum((unsigned char)*at) || *at == '-' || *at == '_') {
            fputc(tolower((unsigned char)*at), out);
        } else if (*at == ' ') {
            fputc('-', out);
        }
    }
    fputc(')', out);
}

static const char *unit_text(enum doc_unit unit)
{
    switch (unit) {
    case DOC_UNIT_DURATION:
        return "range of durations";
    case DOC_UNIT_SIZE:
        return "range of sizes";
    case DOC_UNIT_NONE:
        break;
    }
    return "range of numbers";
}

static void print_words(FILE *out, const struct doc_word *words)
{
    size_t i;

    for (i = 0; words[i].name != NULL; i++) {
        fprintf(out, "%s`%s`", i == 0 ? "" : ", ", words[i].name);
    }
}

static void print_value(FILE *out, const struct doc_field *field)
{
    switch (field->kind) {
    case DOC_FIELD_TEXT:
        fputs("text", out);
        break;
    case DOC_FIELD_WORD:
        print_words(out, field->words);
        break;
    case DOC_FIELD_INTEGER:
        fputs("whole number", out);
        if (field->min != 0 || field->max != 0) {
            fprintf(out, ", %" PRId64 " to %" PRId64, field->min, field->max);
        }
        break;
    case DOC_FIELD_BOOL:
        fputs("`true` or `false`", out);
        break;
    case DOC_FIELD_DURATION:
        fputs("duration", out);
        break;
    case DOC_FIELD_SIZE:
        fputs("size", out);
        break;
    case DOC_FIELD_RANGE:
        fputs(unit_text(field->unit), out);
        break;
    case DOC_FIELD_MAPPING:
        print_link(out, field->schema);
        break;
    case DOC_FIELD_LIST:
        fputs("list of ", out);
        print_value(out, field->item);
        break;
    case DOC_FIELD_MAP:
        fputs("by name: ", out);
        print_value(out, field->item);
        break;
    case DOC_FIELD_NODE:
        fputs("anything", out);
        break;
    case DOC_FIELD_CUSTOM:
        print_cell(out, field->shape == NULL ? "see below" : field->shape);
        break;
    }
}

static void print_field(FILE *out, const struct doc_field *field)
{
    fprintf(out, "| `%s` | ", field->key);
    print_value(out, field);
    fputs(" | ", out);
    if (field->is_required) {
        fputs("required", out);
    } else if (field->is_choice) {
        fputs("one of these", out);
    } else if (field->preset != NULL) {
        fputc('`', out);
        print_cell(out, field->preset);
        fputc('`', out);
    }
    fputs(" | ", out);
    print_cell(out, field->help);
    fputs(" |\n", out);
}

/* Words that need more than their name. */
static void print_word_help(FILE *out, const struct doc_field *field)
{
    size_t i;

    for (i = 0; field->words != NULL && field->words[i].name != NULL; i++) {
        if (field->words[i].help != NULL) {
            fprintf(out, "* `%s: %s`: %s\n", field->key, field->words[i].name,
                    field->words[i].help);
        }
    }
}

static bool has_word_help(const struct doc_schema *schema)
{
    size_t i;
    size_t j;

    for (i = 0; i < schema->fields_count; i++) {
        const struct doc_word *words = schema->fields[i].words;

        for (j = 0; words != NULL && words[j].name != NULL; j++) {
            if (words[j].help != NULL) {
                return true;
            }
        }
    }
    return false;
}

static void print_schema(FILE *out, const struct doc_schema *schema)
{
    size_t i;

    fprintf(out, "## %s\n\n", schema->name);
    if (schema->help != NULL) {
        fprintf(out, "%s\n\n", schema->help);
    }
    fputs("| key | value | default | meaning |\n| --- | --- | --- | --- |\n", out);
    for (i = 0; i < schema->fields_count; i++) {
        print_field(out, &schema->fields[i]);
    }
    if (has_word_help(schema)) {
        fputc('\n', out);
        for (i = 0; i < schema->fields_count; i++) {
            print_word_help(out, &schema->fields[i]);
        }
    }
    if (schema->example != NULL) {
        fprintf(out, "\n```yaml\n%s%s```\n", schema->example,
                schema->example[0] != '\0' && schema->example[strlen(schema->example) - 1] == '\n'
                    ? ""
                    : "\n");
    }
}

void doc_schema_print_markdown(FILE *out, const struct doc_schema *schema)
{
    struct doc__schema_set set;
    size_t i;

    doc__schema_collect(&set, schema);
    for (i = 0; i < set.count; i++) {
        if (i > 0) {
            fputc('\n', out);
        }
        print_schema(out, set.items[i]);
    }
}
