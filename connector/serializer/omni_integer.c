/* SPDX-License-Identifier: Apache-2.0 */
#include "connector/serializer/omni_integer.h"

#include <math.h>
#include <stdio.h>

/* Python refuses longer ones, whatever they are. */
#define MAX_DIGITS 4300U

#define REPR_BYTES 201U /* exception texts show 200 characters of the literal */

static bool of_float(double number, int64_t *out_integer, char *out_text);
static bool of_text(struct rt_slice text, bool is_bytes, int64_t *out_integer, char *out_text);
static struct rt_slice strip(struct rt_slice text);
static bool parse_digits(struct rt_slice digits, bool is_negative, int64_t *out_integer,
                         size_t *out_digit_count);
static void format_repr(struct rt_slice text, bool is_bytes, char out_repr[REPR_BYTES]);

bool omni__integer_of(const struct omni_value *value, int64_t *out_integer,
                      char out_text[OMNI_INTEGER_TEXT_BYTES])
{
    switch (value->kind) {
    case OMNI_BOOL:
        *out_integer = value->boolean ? 1 : 0;
        return true;
    case OMNI_INT:
        *out_integer = value->integer;
        return true;
    case OMNI_UINT:
        *out_integer = INT64_MAX;
        return true;
    case OMNI_FLOAT:
        return of_float(value->number, out_integer, out_text);
    case OMNI_TEXT:
    case OMNI_BYTES:
        return of_text(value->body.bytes, value->kind == OMNI_BYTES, out_integer, out_text);
    default:
        snprintf(out_text, OMNI_INTEGER_TEXT_BYTES,
                 "int() argument must be a string, a bytes-like object or a real number, not '%s'",
                 omni__type_word(value));
        return false;
    }
}

const char *omni__type_word(const struct omni_value *value)
{
    static const char *const words[] = {
        [OMNI_NIL] = "NoneType",    [OMNI_BOOL] = "bool",
        [OMNI_INT] = "int",         [OMNI_UINT] = "int",
        [OMNI_FLOAT] = "float",     [OMNI_TEXT] = "str",
        [OMNI_BYTES] = "bytes",     [OMNI_ARRAY] = "list",
        [OMNI_MAP] = "dict",        [OMNI_TIMESTAMP] = "datetime.datetime",
        [OMNI_EXTENSION] = "Ext",   [OMNI_TENSOR] = "Tensor",
        [OMNI_NDARRAY] = "ndarray", [OMNI_IMAGE] = "Image",
    };
    return words[value->kind];
}

static bool of_float(double number, int64_t *out_integer, char *out_text)
{
    if (isnan(number) || isinf(number)) {
        snprintf(out_text, OMNI_INTEGER_TEXT_BYTES, "cannot convert float %s to integer",
                 isnan(number) ? "NaN" : "infinity");
        return false;
    }
    if (number >= 0x1p63) {
        *out_integer = INT64_MAX;
    } else if (number < -0x1p63) {
        *out_integer = INT64_MIN;
    } else {
        *out_integer = (int64_t)number; /* towards zero, as Python */
    }
    return true;
}

static bool of_text(struct rt_slice text, bool is_bytes, int64_t *out_integer, char *out_text)
{
    size_t digit_count = 0;
    struct rt_slice digits = strip(text);
    bool is_negative = digits.len_bytes > 0 && digits.data[0] == '-';
    if (digits.len_bytes > 0 && (digits.data[0] == '-' || digits.data[0] == '+')) {
        digits = rt_slice_of(digits.data + 1, digits.len_bytes - 1);
    }
    if (!parse_digits(digits, is_negative, out_integer, &digit_count)) {
        char repr[REPR_BYTES];
        format_repr(text, is_bytes, repr);
        snprintf(out_text, OMNI_INTEGER_TEXT_BYTES, "invalid literal for int() with base 10: %s",
                 repr);
        return false;
    }
    if (digit_count > MAX_DIGITS) {
        snprintf(out_text, OMNI_INTEGER_TEXT_BYTES,
                 "Exceeds the limit (%u digits) for integer string conversion: value has %zu "
                 "digits",
                 MAX_DIGITS, digit_count);
        return false;
    }
    return true;
}

static bool is_space(uint8_t byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static struct rt_slice strip(struct rt_slice text)
{
    while (text.len_bytes > 0 && is_space(text.data[0])) {
        text = rt_slice_of(text.data + 1, text.len_bytes - 1);
    }
    while (text.len_bytes > 0 && is_space(text.data[text.len_bytes - 1])) {
        text.len_bytes--;
    }
    return text;
}

/* One underscore may stand between two digits. */
static bool parse_digits(struct rt_slice digits, bool is_negative, int64_t *out_integer,
                         size_t *out_digit_count)
{
    int64_t integer = 0;
    bool is_after_digit = false;
    bool is_too_large = false;
    for (size_t i = 0; i < digits.len_bytes; i++) {
        uint8_t byte = digits.data[i];
        if (byte == '_' && is_after_digit) {
            is_after_digit = false;
            continue;
        }
        if (byte < '0' || byte > '9') {
            return false;
        }
        int digit = is_negative ? '0' - byte : byte - '0';
        is_too_large |= __builtin_mul_overflow(integer, 10, &integer);
        is_too_large |= __builtin_add_overflow(integer, digit, &integer);
        is_after_digit = true;
        ++*out_digit_count;
    }
    if (is_too_large) {
        integer = is_negative ? INT64_MIN : INT64_MAX;
    }
    *out_integer = integer;
    return is_after_digit;
}

/* As Python's repr() prints short texts. */
static void format_repr(struct rt_slice text, bool is_bytes, char out_repr[REPR_BYTES])
{
    bool has_single = text.len_bytes > 0 && memchr(text.data, '\'', text.len_bytes) != NULL;
    bool has_double = text.len_bytes > 0 && memchr(text.data, '"', text.len_bytes) != NULL;
    char quote = has_single && !has_double ? '"' : '\'';
    size_t used = (size_t)snprintf(out_repr, REPR_BYTES, "%s%c", is_bytes ? "b" : "", quote);

    for (size_t i = 0; i < text.len_bytes && used + 6 < REPR_BYTES; i++) {
        uint8_t byte = text.data[i];
        const char *named = byte == '\n' ? "\\n" : byte == '\r' ? "\\r" : "\\t";
        if (byte == '\\' || byte == quote) {
            used += (size_t)snprintf(out_repr + used, REPR_BYTES - used, "\\%c", byte);
        } else if (byte == '\n' || byte == '\r' || byte == '\t') {
            used += (size_t)snprintf(out_repr + used, REPR_BYTES - used, "%s", named);
        } else if (byte < 0x20 || byte == 0x7f || (is_bytes && byte >= 0x80)) {
            used += (size_t)snprintf(out_repr + used, REPR_BYTES - used, "\\x%02x", byte);
        } else {
            out_repr[used++] = (char)byte;
        }
    }
    snprintf(out_repr + used, REPR_BYTES - used, "%c", quote);
}
