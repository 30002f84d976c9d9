/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <inttypes.h>

#include "document/schema_visit.h"

/*
 * JSON Schema for editors. A generic YAML reader gives `count: 3` as a number and `key: 3` as a
 * number too, so where text is asked for plain scalars of any type are let through.
 */

#define DURATION_PATTERN "[0-9]+(\\\\.[0-9]+)?(us|ms|s|min)"
#define SIZE_PATTERN     "[0-9]+(\\\\.[0-9]+)?(B|KiB|MiB|GiB)"
#define NUMBER_PATTERN   "-?[0-9]+"
#define RANGE_OF(value)  "^(" value "(\\\\.\\\\." value ")?|(<|<=|>|>=|=) *" value ")$"

static void print_value(FILE *out, const struct doc_field *field);

static void print_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\') {
            fprintf(out, "\\%c", c);
        } else if (c < 0x20) {
            fprintf(out, "\\u%04x", c);
        } else {
            fputc(c, out);
        }
    }
    fputc('"', out);
}

/* Names are headings ("the world"); in a reference they must not need escaping. */
static void print_name(FILE *out, const struct doc_schema *schema)
{
    const char *at;

    for (at = schema->name; *at != '\0'; at++) {
        fputc(isalnum((unsigned char)*at) || *at == '_' ? *at : '-', out);
    }
}

static void print_reference(FILE *out, const struct doc_schema *schema)
{
    fputs("\"$ref\": \"#/$defs/", out);
    print_name(out, schema);
    fputc('"', out);
}

static void indent(FILE *out, int depth)
{
    fprintf(out, "%*s", depth * 2, "");
}

static void print_words(FILE *out, const struct doc_word *words)
{
    size_t i;

    fputs("\"enum\": [", out);
    for (i = 0; words[i].name != NULL; i++) {
        fputs(i == 0 ? "" : ", ", out);
        print_text(out, words[i].name);
    }
    fputc(']', out);
}

static void print_range(FILE *out, enum doc_unit unit)
{
    switch (unit) {
    case DOC_UNIT_DURATION:
        fputs("\"type\": \"string\", \"pattern\": \"" RANGE_OF(DURATION_PATTERN) "\"", out);
        break;
    case DOC_UNIT_SIZE:
        fputs("\"type\": \"string\", \"pattern\": \"" RANGE_OF(SIZE_PATTERN) "\"", out);
        break;
    case DOC_UNIT_NONE:
        fputs("\"type\": [\"integer\", \"string\"], \"pattern\": \"" RANGE_OF(NUMBER_PATTERN) "\"",
              out);
        break;
    }
}

static void print_integer(FILE *out, const struct doc_field *field)
{
    fputs("\"type\": \"integer\"", out);
    if (field->min != 0 || field->max != 0) {
        fprintf(out, ", \"minimum\": %" PRId64 ", \"maximum\": %" PRId64, field->min, field->max);
    }
}

static void print_collection(FILE *out, const struct doc_field *field)
{
    bool is_list = field->kind == DOC_FIELD_LIST;

    fprintf(out, "\"type\": \"%s\", ", is_list ? "array" : "object");
    if (field->min_count > 0) {
        fprintf(out, "\"%s\": %zu, ", is_list ? "minItems" : "minProperties", field->min_count);
    }
    fprintf(out, "\"%s\": {", is_list ? "items" : "additionalProperties");
    print_value(out, field->item);
    fputc('}', out);
}

/* The members of the object that describes a value. */
static void print_value(FILE *out, const struct doc_field *field)
{
    switch (field->kind) {
    case DOC_FIELD_TEXT:
        fputs("\"type\": [\"string\", \"number\", \"boolean\"]", out);
        break;
    case DOC_FIELD_WORD:
        print_words(out, field->words);
        break;
    case DOC_FIELD_INTEGER:
        print_integer(out, field);
        break;
    case DOC_FIELD_BOOL:
        fputs("\"type\": \"boolean\"", out);
        break;
    case DOC_FIELD_DURATION:
        fputs("\"type\": \"string\", \"pattern\": \"^" DURATION_PATTERN "$\"", out);
        break;
    case DOC_FIELD_SIZE:
        fputs("\"type\": \"string\", \"pattern\": \"^" SIZE_PATTERN "$\"", out);
        break;
    case DOC_FIELD_RANGE:
        print_range(out, field->unit);
        break;
    case DOC_FIELD_MAPPING:
        print_reference(out, field->schema);
        break;
    case DOC_FIELD_LIST:
    case DOC_FIELD_MAP:
        print_collection(out, field);
        break;
    case DOC_FIELD_NODE:
    case DOC_FIELD_CUSTOM:
        if (field->json_schema != NULL) {
            fprintf(out, "\"allOf\": [%s]", field->json_schema);
        } else {
            fputs("\"$comment\": \"any value\"", out);
        }
        break;
    }
}

static void print_property(FILE *out, const struct doc_field *field, int depth)
{
    indent(out, depth);
    print_text(out, field->key);
    fputs(": {", out);
    print_value(out, field);
    if (field->help != NULL) {
        fputs(", \"description\": ", out);
        print_text(out, field->help);
    }
    fputc('}', out);
}

static void print_required(FILE *out, const struct doc_schema *schema, int depth)
{
    bool is_first = true;
    size_t i;

    for (i = 0; i < schema->fields_count; i++) {
        if (schema->fields[i].is_required) {
            if (is_first) {
                fputs(",\n", out);
                indent(out, depth);
                fputs("\"required\": [", out);
            }
            fputs(is_first ? "" : ", ", out);
            print_text(out, schema->fields[i].key);
            is_first = false;
        }
    }
    fputs(is_first ? "" : "]", out);
}

static void print_choices(FILE *out, const struct doc_schema *schema, int depth)
{
    bool is_first = true;
    size_t i;

    for (i = 0; i < schema->fields_count; i++) {
        if (schema->fields[i].is_choice) {
            if (is_first) {
                fputs(",\n", out);
                indent(out, depth);
                fputs("\"oneOf\": [", out);
            }
            fputs(is_first ? "{\"required\": [" : ", {\"required\": [", out);
            print_text(out, schema->fields[i].key);
            fputs("]}", out);
            is_first = false;
        }
    }
    fputs(is_first ? "" : "]", out);
}

static void print_schema(FILE *out, const struct doc_schema *schema, int depth)
{
    size_t i;

    if (schema->help != NULL) {
        indent(out, depth);
        fputs("\"description\": ", out);
        print_text(out, schema->help);
        fputs(",\n", out);
    }
    indent(out, depth);
    fputs("\"type\": \"object\",\n", out);
    indent(out, depth);
    fputs("\"additionalProperties\": false,\n", out);
    indent(out, depth);
    fputs("\"properties\": {\n", out);
    for (i = 0; i < schema->fields_count; i++) {
        print_property(out, &schema->fields[i], depth + 1);
        fputs(i + 1 < schema->fields_count ? ",\n" : "\n", out);
    }
    indent(out, depth);
    fputc('}', out);
    print_required(out, schema, depth);
    print_choices(out, schema, depth);
    fputc('\n', out);
}

void doc_schema_print_json_schema(FILE *out, const struct doc_schema *schema)
{
    struct doc__schema_set set;
    size_t i;

    doc__schema_collect(&set, schema);
    fputs("{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n", out);
    fputs("  ", out);
    print_reference(out, schema);
    fputs(",\n  \"$defs\": {\n", out);
    for (i = 0; i < set.count; i++) {
        fputs("    \"", out);
        print_name(out, set.items[i]);
        fputs("\": {\n", out);
        print_schema(out, set.items[i], 3);
        fputs(i + 1 < set.count ? "    },\n" : "    }\n", out);
    }
    fputs("  }\n}\n", out);
}
