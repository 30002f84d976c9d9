/* SPDX-License-Identifier: Apache-2.0 */
#include "omni_exposition.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAMILIES_MAX 64

struct reader {
    struct exposition *out;
    const char *at;
    size_t line;
    char family[96]; /* the block we are in */
    char type[16];
    char seen[FAMILIES_MAX][96];
    size_t seen_count;
};

static bool wrong(struct reader *reader, const char *what)
{
    (void)snprintf(reader->out->problem, sizeof(reader->out->problem), "line %zu: %s", reader->line,
                   what);
    return false;
}

/* [a-zA-Z_:][a-zA-Z0-9_:]* ; labels without the colon. */
static bool read_name(struct reader *reader, char *out_name, size_t name_bytes, bool is_label)
{
    size_t length = 0;
    while (isalpha((unsigned char)reader->at[length]) || reader->at[length] == '_' ||
           (!is_label && reader->at[length] == ':') ||
           (length > 0 && isdigit((unsigned char)reader->at[length]))) {
        length++;
    }
    if (length == 0 || length >= name_bytes) {
        return wrong(reader, "a name is missing or too long");
    }
    memcpy(out_name, reader->at, length);
    out_name[length] = '\0';
    reader->at += length;
    return true;
}

static bool read_char(struct reader *reader, char wanted)
{
    char text[32];
    if (*reader->at != wanted) {
        (void)snprintf(text, sizeof(text), "expected '%c'", wanted == '\n' ? '$' : wanted);
        return wrong(reader, text);
    }
    reader->at++;
    return true;
}

/* The three escapes there are: \\ \" \n */
static bool read_label_value(struct reader *reader, char *out_value, size_t value_bytes)
{
    size_t length = 0;
    if (!read_char(reader, '"')) {
        return false;
    }
    while (*reader->at != '"') {
        char byte = *reader->at++;
        if (byte == '\0' || byte == '\n') {
            return wrong(reader, "a label's value is not closed");
        }
        if (byte == '\\') {
            byte = *reader->at++;
            if (byte != '\\' && byte != '"' && byte != 'n') {
                return wrong(reader, "no such escape");
            }
            byte = byte == 'n' ? '\n' : byte;
        }
        if (length + 1 >= value_bytes) {
            return wrong(reader, "a label's value is too long for this test");
        }
        out_value[length++] = byte;
    }
    out_value[length] = '\0';
    reader->at++;
    return true;
}

static bool read_labels(struct reader *reader, struct exposition_series *series)
{
    if (*reader->at != '{') {
        return true;
    }
    do {
        char name[32];
        char *value = NULL;
        size_t value_bytes = sizeof(series->le);
        reader->at++; /* the brace, or a comma */
        if (!read_name(reader, name, sizeof(name), true) || !read_char(reader, '=')) {
            return false;
        }
        if (strcmp(name, "connector") == 0) {
            value = series->connector;
            value_bytes = sizeof(series->connector);
        } else if (strcmp(name, "cause") == 0) {
            value = series->cause;
        } else if (strcmp(name, "le") == 0) {
            value = series->le;
        } else {
            return wrong(reader, "a label nobody told of");
        }
        if (!read_label_value(reader, value, value_bytes)) {
            return false;
        }
    } while (*reader->at == ',');
    return read_char(reader, '}');
}

static bool is_of_family(const struct reader *reader, const char *name)
{
    size_t length = strlen(reader->family);
    if (strncmp(name, reader->family, length) != 0) {
        return false;
    }
    if (strcmp(reader->type, "histogram") != 0) {
        return name[length] == '\0';
    }
    return strcmp(name + length, "_bucket") == 0 || strcmp(name + length, "_sum") == 0 ||
           strcmp(name + length, "_count") == 0;
}

static bool is_there(const struct exposition *exposition, const struct exposition_series *wanted)
{
    for (size_t i = 0; i < exposition->count; i++) {
        const struct exposition_series *series = &exposition->series[i];
        if (strcmp(series->name, wanted->name) == 0 &&
            strcmp(series->connector, wanted->connector) == 0 &&
            strcmp(series->cause, wanted->cause) == 0 && strcmp(series->le, wanted->le) == 0) {
            return true;
        }
    }
    return false;
}

static bool read_sample(struct reader *reader)
{
    struct exposition_series series = {.value = 0};
    char *end = NULL;
    if (!read_name(reader, series.name, sizeof(series.name), false) ||
        !read_labels(reader, &series) || !read_char(reader, ' ')) {
        return false;
    }
    series.value = strtod(reader->at, &end);
    if (end == reader->at) {
        return wrong(reader, "a sample has no value");
    }
    reader->at = end;
    if (reader->type[0] == '\0' || !is_of_family(reader, series.name)) {
        return wrong(reader, "a sample stands outside the block of its family");
    }
    if (is_there(reader->out, &series)) {
        return wrong(reader, "a series comes twice");
    }
    if (reader->out->count == EXPOSITION_SERIES_MAX) {
        return wrong(reader, "too many series for this test");
    }
    reader->out->series[reader->out->count++] = series;
    return read_char(reader, '\n');
}

static bool begin_family(struct reader *reader, const char *name)
{
    for (size_t i = 0; i < reader->seen_count; i++) {
        if (strcmp(reader->seen[i], name) == 0) {
            return wrong(reader, "a family comes in two blocks");
        }
    }
    if (reader->seen_count == FAMILIES_MAX) {
        return wrong(reader, "too many families for this test");
    }
    (void)snprintf(reader->seen[reader->seen_count++], sizeof(reader->seen[0]), "%s", name);
    (void)snprintf(reader->family, sizeof(reader->family), "%s", name);
    reader->type[0] = '\0';
    return true;
}

/* "# HELP name text" begins a family, "# TYPE name type" follows. */
static bool read_comment(struct reader *reader)
{
    static const char *const types[] = {"counter", "gauge", "histogram"};
    char name[96];
    bool is_help = strncmp(reader->at, "# HELP ", 7) == 0;
    if (!is_help && strncmp(reader->at, "# TYPE ", 7) != 0) {
        return wrong(reader, "neither HELP nor TYPE");
    }
    reader->at += 7;
    if (!read_name(reader, name, sizeof(name), false) || !read_char(reader, ' ')) {
        return false;
    }
    size_t length = strcspn(reader->at, "\n");
    if (is_help && (!begin_family(reader, name) || length == 0)) {
        return reader->out->problem[0] == '\0' ? wrong(reader, "a help without words") : false;
    }
    if (!is_help) {
        bool is_known = false;
        for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
            is_known = is_known ||
                       (strlen(types[i]) == length && strncmp(types[i], reader->at, length) == 0);
        }
        if (!is_known || strcmp(name, reader->family) != 0 || reader->type[0] != '\0') {
            return wrong(reader, "a TYPE that is none, or not of this family");
        }
        (void)snprintf(reader->type, sizeof(reader->type), "%.*s", (int)length, reader->at);
    }
    reader->at += length;
    return read_char(reader, '\n');
}

/* Buckets grow in limit and count, the last is +Inf and equals the count. */
static bool check_histograms(struct exposition *exposition)
{
    const struct exposition_series *before = NULL;
    for (size_t i = 0; i < exposition->count; i++) {
        const struct exposition_series *series = &exposition->series[i];
        if (series->le[0] == '\0') {
            before = NULL;
            continue;
        }
        bool is_last = strcmp(series->le, "+Inf") == 0;
        if (before != NULL &&
            (series->value < before->value ||
             (!is_last && strtod(series->le, NULL) <= strtod(before->le, NULL)))) {
            (void)snprintf(exposition->problem, sizeof(exposition->problem),
                           "buckets of %s do not grow at le=%s", series->name, series->le);
            return false;
        }
        if (!is_last) {
            before = series;
            continue;
        }
        char name[96];
        (void)snprintf(name, sizeof(name), "%.*s_count",
                       (int)(strlen(series->name) - strlen("_bucket")), series->name);
        double count = exposition_value(exposition, name, series->connector, NULL, NULL);
        if (fabs(count - series->value) > 0.5) {
            (void)snprintf(exposition->problem, sizeof(exposition->problem),
                           "%s is not its +Inf bucket", name);
            return false;
        }
        before = NULL;
    }
    return true;
}

bool exposition_read(struct exposition *exposition, const char *text)
{
    struct reader reader = {.out = exposition, .at = text, .line = 0};
    exposition->count = 0;
    exposition->problem[0] = '\0';
    while (*reader.at != '\0') {
        reader.line++;
        if (!(*reader.at == '#' ? read_comment(&reader) : read_sample(&reader))) {
            return false;
        }
    }
    return check_histograms(exposition);
}

static bool is_label(const char *value, const char *wanted)
{
    return strcmp(value, wanted == NULL ? "" : wanted) == 0;
}

double exposition_value(const struct exposition *exposition, const char *name,
                        const char *connector, const char *cause, const char *le)
{
    for (size_t i = 0; i < exposition->count; i++) {
        const struct exposition_series *series = &exposition->series[i];
        if (strcmp(series->name, name) == 0 && is_label(series->connector, connector) &&
            is_label(series->cause, cause) && is_label(series->le, le)) {
            return series->value;
        }
    }
    return -1;
}
