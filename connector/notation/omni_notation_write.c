/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "connector/omni_notation.h"
#include "connector/serializer/omni_base64.h"
#include "connector/serializer/omni_stack.h"

/* The walk is that of the encoder: a stack of containers, and what stands between children. */
#define SAFE_INTEGER_MAX ((int64_t)1 << 53) /* what readers that take numbers for doubles keep */
#define FILL_MIN_BYTES   32U                /* shorter data is written out */

struct frame {
    const struct omni_value *container;
    size_t next;    /* child */
    bool is_listed; /* a map as a list of pairs */
};

static void write_open(FILE *out, const struct omni_value *value, struct frame *frame);
static void write_between(FILE *out, const struct frame *frame);
static void write_close(FILE *out, const struct frame *frame);
static void write_scalar(FILE *out, const struct omni_value *value);
static void write_tensor(FILE *out, const struct omni_value *value);
static void write_data(FILE *out, struct rt_slice bytes, bool is_sized);
static void write_float(FILE *out, double number);
static void write_text(FILE *out, struct rt_slice text);
static bool is_plain_map(const struct omni_value *map);

enum rt_status omni_notation_write(FILE *out, const struct omni_value *value)
{
    struct omni_stack stack;
    enum rt_status status = RT_OK;

    omni__stack_init(&stack, sizeof(struct frame));
    while (value != NULL) {
        struct frame *frame = NULL;
        if (value->kind == OMNI_ARRAY || value->kind == OMNI_MAP) {
            frame = omni__stack_push(&stack);
            if (frame == NULL) {
                status = RT_E_NOMEM;
                break;
            }
            write_open(out, value, frame);
        } else {
            write_scalar(out, value);
        }
        value = NULL;
        while (value == NULL && (frame = omni__stack_top(&stack)) != NULL) {
            if (frame->next < omni__child_count(frame->container)) {
                write_between(out, frame);
                value = omni__child(frame->container, frame->next++);
            } else {
                write_close(out, frame);
                omni__stack_pop(&stack);
            }
        }
    }
    omni__stack_fini(&stack);
    return status == RT_OK && ferror(out) != 0 ? RT_E_IO : status;
}

/* ---- containers ---------------------------------------------------------------------------- */

static void write_open(FILE *out, const struct omni_value *value, struct frame *frame)
{
    *frame = (struct frame){.container = value,
                            .is_listed = value->kind == OMNI_MAP && !is_plain_map(value)};
    (void)fputs(value->kind == OMNI_ARRAY ? "[" : frame->is_listed ? "{\"$map\": [" : "{", out);
}

static void write_between(FILE *out, const struct frame *frame)
{
    bool is_array = frame->container->kind == OMNI_ARRAY;
    bool is_value = !is_array && frame->next % 2 == 1;

    if (is_value) {
        (void)fputs(frame->is_listed ? ", " : ": ", out);
        return;
    }
    if (frame->is_listed && frame->next > 0) {
        (void)fputs("]", out);
    }
    (void)fputs(frame->next > 0 ? ", " : "", out);
    (void)fputs(frame->is_listed ? "[" : "", out);
}

static void write_close(FILE *out, const struct frame *frame)
{
    if (frame->container->kind == OMNI_ARRAY) {
        (void)fputs("]", out);
    } else if (frame->is_listed) {
        (void)fputs(frame->next > 0 ? "]]}" : "]}", out);
    } else {
        (void)fputs("}", out);
    }
}

static int compare_texts(const void *a, const void *b)
{
    const struct rt_slice *one = a;
    const struct rt_slice *other = b;
    if (one->len_bytes != other->len_bytes) {
        return one->len_bytes < other->len_bytes ? -1 : 1;
    }
    return one->len_bytes == 0 ? 0 : memcmp(one->data, other->data, one->len_bytes);
}

/* Text keys only, none that opens a form, none twice: what a JSON object can say. */
static bool is_plain_map(const struct omni_value *map)
{
    size_t count = map->map.count;
    bool is_plain = true;
    struct rt_slice *keys = malloc((count + 1) * sizeof(*keys));

    if (keys == NULL) {
        return false; /* the list of pairs says the same */
    }
    for (size_t i = 0; i < count && is_plain; i++) {
        const struct omni_value *key = map->map.pairs[i].key;
        is_plain = key->kind == OMNI_TEXT &&
                   (key->body.bytes.len_bytes == 0 || key->body.bytes.data[0] != '$');
        keys[i] = key->body.bytes;
    }
    if (is_plain) {
        qsort(keys, count, sizeof(*keys), compare_texts);
    }
    for (size_t i = 1; i < count && is_plain; i++) {
        is_plain = compare_texts(&keys[i - 1], &keys[i]) != 0;
    }
    free(keys);
    return is_plain;
}

/* ---- the others ---------------------------------------------------------------------------- */

static void write_scalar(FILE *out, const struct omni_value *value)
{
    switch (value->kind) {
    case OMNI_NIL:
        (void)fputs("null", out);
        break;
    case OMNI_BOOL:
        (void)fputs(value->boolean ? "true" : "false", out);
        break;
    case OMNI_INT:
        (void)fprintf(out,
                      value->integer > SAFE_INTEGER_MAX || value->integer < -SAFE_INTEGER_MAX
                          ? "{\"$int\": \"%" PRId64 "\"}"
                          : "%" PRId64,
                      value->integer);
        break;
    case OMNI_UINT:
        (void)fprintf(out, "{\"$int\": \"%" PRIu64 "\"}", value->unsigned_integer);
        break;
    case OMNI_FLOAT:
        write_float(out, value->number);
        break;
    case OMNI_TEXT:
        write_text(out, value->body.bytes);
        break;
    case OMNI_BYTES:
        (void)fputs("{\"$bytes\": ", out);
        write_data(out, value->body.bytes, true);
        (void)fputs("}", out);
        break;
    case OMNI_TIMESTAMP:
        (void)fprintf(out, "{\"$timestamp\": [%" PRId64 ", %" PRIu32 "]}", value->timestamp.seconds,
                      value->timestamp.nanoseconds);
        break;
    case OMNI_EXTENSION:
        (void)fprintf(out, "{\"$extension\": %d, \"data\": ", value->extension.code);
        write_data(out, value->extension.body.bytes, true);
        (void)fputs("}", out);
        break;
    case OMNI_TENSOR:
    case OMNI_NDARRAY:
    case OMNI_IMAGE:
        write_tensor(out, value);
        break;
    case OMNI_ARRAY:
    case OMNI_MAP:
        break; /* opened by the walk */
    }
}

static void write_tensor(FILE *out, const struct omni_value *value)
{
    (void)fprintf(out, "{\"$%s\": ",
                  value->kind == OMNI_TENSOR    ? "tensor"
                  : value->kind == OMNI_NDARRAY ? "ndarray"
                                                : "image");
    write_text(out, value->tensor.type);
    (void)fputs(", \"shape\": [", out);
    for (size_t i = 0; i < value->tensor.dimension_count; i++) {
        (void)fprintf(out, "%s%" PRId64, i == 0 ? "" : ", ", value->tensor.shape[i]);
    }
    (void)fputs("], \"data\": ", out);
    write_data(out, value->tensor.body.bytes, false);
    (void)fputs("}", out);
}

/* One byte all over is common in the field (zeros, masks), and base64 would hide it. */
static void write_data(FILE *out, struct rt_slice bytes, bool is_sized)
{
    if (bytes.len_bytes >= FILL_MIN_BYTES &&
        memcmp(bytes.data, bytes.data + 1, bytes.len_bytes - 1) == 0) {
        (void)fprintf(out, "{\"fill\": %u", bytes.data[0]);
        if (is_sized) {
            (void)fprintf(out, ", \"size\": %zu", bytes.len_bytes);
        }
        (void)fputs("}", out);
        return;
    }
    (void)fputs("\"", out);
    omni_base64_write(out, bytes);
    (void)fputs("\"", out);
}

static void write_float(FILE *out, double number)
{
    char text[40];
    uint64_t bits;

    memcpy(&bits, &number, sizeof(bits));
    if (isnan(number)) {
        (void)fprintf(out,
                      bits == UINT64_C(0x7ff8000000000000) ? "{\"$float\": \"nan\"}"
                                                           : "{\"$float\": \"0x%016" PRIx64 "\"}",
                      bits);
        return;
    }
    if (isinf(number)) {
        (void)fputs(number < 0 ? "{\"$float\": \"-inf\"}" : "{\"$float\": \"inf\"}", out);
        return;
    }
    for (int precision = 15; precision <= 17; precision++) {
        uint64_t back_bits;
        (void)snprintf(text, sizeof(text), "%.*g", precision, number);
        double back = strtod(text, NULL);
        memcpy(&back_bits, &back, sizeof(back_bits));
        if (back_bits == bits) {
            break;
        }
    }
    /* The program may have set a locale in which the point is something else. */
    size_t digit_count = strspn(text, "-0123456789e+");
    if (text[digit_count] != '\0') {
        text[digit_count] = '.';
    }
    (void)fprintf(out, "%s%s", text, strpbrk(text, ".e") == NULL ? ".0" : "");
}

static void write_text(FILE *out, struct rt_slice text)
{
    size_t from = 0;

    (void)fputc('"', out);
    for (size_t i = 0; i < text.len_bytes; i++) {
        uint8_t byte = text.data[i];
        if (byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7f) {
            continue;
        }
        (void)fwrite(text.data + from, 1, i - from, out);
        from = i + 1;
        (void)fprintf(out, byte == '"' || byte == '\\' ? "\\%c" : "\\u%04x", byte);
    }
    if (text.len_bytes > from) {
        (void)fwrite(text.data + from, 1, text.len_bytes - from, out);
    }
    (void)fputc('"', out);
}
