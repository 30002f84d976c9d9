/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "connector/omni_value.h"

/* One line for humans. Nesting is shown a few levels deep only, so recursion is bounded. */
#define SHOWN_LEVELS 4
#define SHOWN_ITEMS  8

struct line {
    char *text;
    size_t used_bytes;
    size_t room_bytes; /* with the NUL */
};

static void describe(struct line *line, const struct omni_value *value, int level);
static void describe_array(struct line *line, const struct omni_value *value, int level);
static void describe_map(struct line *line, const struct omni_value *value, int level);
static void describe_tensor(struct line *line, const struct omni_value *value);
static void add_text(struct line *line, struct rt_slice text);
static void add_number(struct line *line, double number);
static void add(struct line *line, const char *format, ...) RT_PRINTF(2, 3);

void omni_value_describe(const struct omni_value *value, char *out_text, size_t text_bytes)
{
    struct line line = {.text = out_text, .room_bytes = text_bytes};
    if (text_bytes == 0) {
        return;
    }
    out_text[0] = '\0';
    describe(&line, value, 0);
    if (line.used_bytes >= text_bytes && text_bytes > 4) {
        memcpy(out_text + text_bytes - 4, "...", 4);
    }
}

static void describe(struct line *line, const struct omni_value *value, int level)
{
    switch (value->kind) {
    case OMNI_NIL:
        add(line, "null");
        break;
    case OMNI_BOOL:
        add(line, "%s", value->boolean ? "true" : "false");
        break;
    case OMNI_INT:
        add(line, "%" PRId64, value->integer);
        break;
    case OMNI_UINT:
        add(line, "%" PRIu64, value->unsigned_integer);
        break;
    case OMNI_FLOAT:
        add_number(line, value->number);
        break;
    case OMNI_TEXT:
        add_text(line, value->body.bytes);
        break;
    case OMNI_BYTES:
        add(line, "bytes (%zu)", value->body.bytes.len_bytes);
        break;
    case OMNI_ARRAY:
        describe_array(line, value, level);
        break;
    case OMNI_MAP:
        describe_map(line, value, level);
        break;
    case OMNI_TIMESTAMP:
        add(line, "timestamp %" PRId64 ".%09" PRIu32, value->timestamp.seconds,
            value->timestamp.nanoseconds);
        break;
    case OMNI_EXTENSION:
        add(line, "extension %d (%zu)", value->extension.code,
            value->extension.body.bytes.len_bytes);
        break;
    case OMNI_TENSOR:
    case OMNI_NDARRAY:
    case OMNI_IMAGE:
        describe_tensor(line, value);
        break;
    }
}

static void describe_array(struct line *line, const struct omni_value *value, int level)
{
    add(line, "[");
    for (size_t i = 0; i < value->array.count; i++) {
        add(line, "%s", i == 0 ? "" : ", ");
        if (i == SHOWN_ITEMS || level == SHOWN_LEVELS) {
            add(line, "%zu more", value->array.count - i);
            break;
        }
        describe(line, value->array.items[i], level + 1);
    }
    add(line, "]");
}

static void describe_map(struct line *line, const struct omni_value *value, int level)
{
    add(line, "{");
    for (size_t i = 0; i < value->map.count; i++) {
        add(line, "%s", i == 0 ? "" : ", ");
        if (i == SHOWN_ITEMS || level == SHOWN_LEVELS) {
            add(line, "%zu more", value->map.count - i);
            break;
        }
        describe(line, value->map.pairs[i].key, level + 1);
        add(line, ": ");
        describe(line, value->map.pairs[i].value, level + 1);
    }
    add(line, "}");
}

static void describe_tensor(struct line *line, const struct omni_value *value)
{
    const char *word = value->kind == OMNI_TENSOR    ? "tensor"
                       : value->kind == OMNI_NDARRAY ? "ndarray"
                                                     : "image";
    struct rt_slice type = value->tensor.type;
    add(line, "%s %.*s [", word, (int)type.len_bytes, (const char *)type.data);
    for (size_t i = 0; i < value->tensor.dimension_count; i++) {
        add(line, "%s%" PRId64, i == 0 ? "" : ", ", value->tensor.shape[i]);
    }
    add(line, "], %zu bytes", value->tensor.body.bytes.len_bytes);
}

/* Quoted as JSON would; other bytes pass as they are. */
static void add_text(struct line *line, struct rt_slice text)
{
    add(line, "\"");
    for (size_t i = 0; i < text.len_bytes && line->used_bytes < line->room_bytes; i++) {
        uint8_t byte = text.data[i];
        if (byte == '"' || byte == '\\') {
            add(line, "\\%c", byte);
        } else if (byte == '\n') {
            add(line, "\\n");
        } else if (byte < 0x20) {
            add(line, "\\u%04x", byte);
        } else {
            add(line, "%c", byte);
        }
    }
    add(line, "\"");
}

/* The shortest of the usual precisions that reads back as the same number. */
static void add_number(struct line *line, double number)
{
    char text[32];
    if (isnan(number)) {
        add(line, "nan");
        return;
    }
    if (isinf(number)) {
        add(line, "%s", number < 0 ? "-inf" : "inf");
        return;
    }
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(text, sizeof(text), "%.*g", precision, number);
        double back = 0;
        if (sscanf(text, "%lf", &back) == 1 && !(back < number) && !(back > number)) {
            break;
        }
    }
    add(line, "%s%s", text, strpbrk(text, ".e") == NULL ? ".0" : "");
}

static void add(struct line *line, const char *format, ...)
{
    if (line->used_bytes >= line->room_bytes) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    int written = vsnprintf(line->text + line->used_bytes, line->room_bytes - line->used_bytes,
                            format, arguments);
    va_end(arguments);
    if (written > 0) {
        line->used_bytes += (size_t)written;
    }
}
