/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "connector/serializer/omni_dtype.h"

/*
 * NumPy type strings: [byte order] kind size, as in "<f4"; one-letter codes, as in "f"; plain
 * names, as in "float32"; dates with a unit, as in "<M8[ns]". Structured, object and void types
 * are refused by name.
 */
struct name_row {
    const char *name;
    char kind;
    uint8_t element_bytes;
};

static const struct name_row NAMES[] = {
    {"float32", 'f', 4},     {"float64", 'f', 8},   {"float16", 'f', 2},   {"int64", 'i', 8},
    {"int32", 'i', 4},       {"uint8", 'u', 1},     {"bool", 'b', 1},      {"bool_", 'b', 1},
    {"int8", 'i', 1},        {"int16", 'i', 2},     {"uint16", 'u', 2},    {"uint32", 'u', 4},
    {"uint64", 'u', 8},      {"float128", 'f', 16}, {"complex64", 'c', 8}, {"complex128", 'c', 16},
    {"complex256", 'c', 32}, {"half", 'f', 2},      {"single", 'f', 4},    {"double", 'f', 8},
    {"longdouble", 'f', 16}, {"csingle", 'c', 8},   {"cdouble", 'c', 16},  {"clongdouble", 'c', 32},
    {"intc", 'i', 4},        {"uintc", 'u', 4},     {"intp", 'i', 8},      {"uintp", 'u', 8},
    {"int", 'i', 8},         {"uint", 'u', 8},      {"float", 'f', 8},     {"complex", 'c', 16},
    {"byte", 'i', 1},        {"ubyte", 'u', 1},     {"short", 'i', 2},     {"ushort", 'u', 2},
    {"long", 'i', 8},        {"ulong", 'u', 8},     {"longlong", 'i', 8},  {"ulonglong", 'u', 8},
};

/* Usable with a byte order in front. */
static const struct name_row LETTERS[] = {
    {"?", 'b', 1},  {"b", 'i', 1},  {"B", 'u', 1}, {"h", 'i', 2}, {"H", 'u', 2},
    {"i", 'i', 4},  {"I", 'u', 4},  {"l", 'i', 8}, {"L", 'u', 8}, {"q", 'i', 8},
    {"Q", 'u', 8},  {"p", 'i', 8},  {"P", 'u', 8}, {"n", 'i', 8}, {"N", 'u', 8},
    {"e", 'f', 2},  {"f", 'f', 4},  {"d", 'f', 8}, {"F", 'c', 8}, {"D", 'c', 16},
    {"g", 'f', 16}, {"G", 'c', 32}, {"c", 'S', 1}, {"M", 'M', 8}, {"m", 'm', 8},
};

static const char *const SIZED[] = {"b1", "i1", "i2", "i4", "i8",  "u1", "u2",  "u4",
                                    "u8", "f2", "f4", "f8", "f16", "c8", "c16", "c32"};

static const char *const UNITS[] = {"Y",  "M",  "W",  "D",  "h",  "m", "s",
                                    "ms", "us", "ns", "ps", "fs", "as"};

static const char UNKNOWN[] = "unknown NumPy type";
static const char REFUSED[] = "structured, void and object types are not supported";

static const struct name_row *find_row(const struct name_row *rows, size_t count,
                                       struct rt_slice name);
static bool parse_sized(struct rt_slice name, char *out_kind, size_t *out_size);
static bool parse_date(struct rt_slice name, char *out_kind, char *out_unit, size_t unit_bytes);
static bool parse_unit(struct rt_slice text, char *out_unit, size_t unit_bytes);
static bool parse_count(struct rt_slice digits, size_t *out_count);
static bool fill(char order, char kind, size_t size, const char *unit,
                 struct omni_dtype *out_dtype);

bool omni_dtype_of_numpy(struct rt_slice name, struct omni_dtype *out_dtype, const char **out_why)
{
    char order = '=';
    char unit[16] = "";
    char kind = '\0';
    size_t size = 0;

    const struct name_row *row = find_row(NAMES, sizeof(NAMES) / sizeof(NAMES[0]), name);
    if (row != NULL) {
        return fill(order, row->kind, row->element_bytes, unit, out_dtype);
    }
    if (name.len_bytes > 1 && memchr("<>=|", name.data[0], 4) != NULL) {
        order = (char)name.data[0];
        name = rt_slice_of(name.data + 1, name.len_bytes - 1);
    }
    *out_why = UNKNOWN;
    row = find_row(LETTERS, sizeof(LETTERS) / sizeof(LETTERS[0]), name);
    if (row != NULL) {
        return fill(order, row->kind, row->element_bytes, unit, out_dtype);
    }
    if (parse_sized(name, &kind, &size)) {
        *out_why = "element size is 0 or too large";
        return fill(order, kind, size, unit, out_dtype);
    }
    if (parse_date(name, &kind, unit, sizeof(unit))) {
        return fill(order, kind, 8, unit, out_dtype);
    }
    if (name.len_bytes > 0 &&
        (memchr("OV({[", name.data[0], 5) != NULL ||
         memchr(name.data, ',', name.len_bytes) != NULL || rt_slice_is_text(name, "object"))) {
        *out_why = REFUSED;
    }
    return false;
}

static const struct name_row *find_row(const struct name_row *rows, size_t count,
                                       struct rt_slice name)
{
    for (size_t i = 0; i < count; i++) {
        if (rt_slice_is_text(name, rows[i].name)) {
            return &rows[i];
        }
    }
    return NULL;
}

/* "f4", "S12", "U3"; texts without a size have elements of 0 bytes, which fill() refuses. */
static bool parse_sized(struct rt_slice name, char *out_kind, size_t *out_size)
{
    if (name.len_bytes == 0) {
        return false;
    }
    struct rt_slice digits = rt_slice_of(name.data + 1, name.len_bytes - 1);
    for (size_t i = 0; i < sizeof(SIZED) / sizeof(SIZED[0]); i++) {
        if (rt_slice_is_text(name, SIZED[i])) {
            *out_kind = (char)name.data[0];
            return parse_count(digits, out_size);
        }
    }
    if (memchr("SUa", name.data[0], 3) == NULL ||
        (digits.len_bytes > 0 && !parse_count(digits, out_size))) {
        return false;
    }
    *out_kind = name.data[0] == 'a' ? 'S' : (char)name.data[0];
    return true;
}

/* "M8", "m8[ns]", "datetime64[25s]", "timedelta64". */
static bool parse_date(struct rt_slice name, char *out_kind, char *out_unit, size_t unit_bytes)
{
    static const char *const words[] = {"M8", "m8", "datetime64", "timedelta64"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        struct rt_slice word = rt_slice_text(words[i]);
        if (name.len_bytes < word.len_bytes || memcmp(name.data, word.data, word.len_bytes) != 0) {
            continue;
        }
        *out_kind = i % 2 == 0 ? 'M' : 'm';
        struct rt_slice rest =
            rt_slice_of(name.data + word.len_bytes, name.len_bytes - word.len_bytes);
        return rest.len_bytes == 0 || parse_unit(rest, out_unit, unit_bytes);
    }
    return false;
}

/* "[ns]" or "[25s]"; a count of 1 and the unit "generic" are not written. */
static bool parse_unit(struct rt_slice text, char *out_unit, size_t unit_bytes)
{
    size_t count = 1;
    size_t digit_count = 0;
    if (text.len_bytes < 3 || text.data[0] != '[' || text.data[text.len_bytes - 1] != ']') {
        return false;
    }
    text = rt_slice_of(text.data + 1, text.len_bytes - 2);
    if (rt_slice_is_text(text, "generic")) {
        return true;
    }
    while (digit_count < text.len_bytes && text.data[digit_count] >= '0' &&
           text.data[digit_count] <= '9') {
        digit_count++;
    }
    if (digit_count > 0 && !parse_count(rt_slice_of(text.data, digit_count), &count)) {
        return false;
    }
    text = rt_slice_of(text.data + digit_count, text.len_bytes - digit_count);
    for (size_t i = 0; i < sizeof(UNITS) / sizeof(UNITS[0]); i++) {
        if (!rt_slice_is_text(text, UNITS[i]) || count == 0) {
            continue;
        }
        int len = count == 1 ? snprintf(out_unit, unit_bytes, "[%s]", UNITS[i])
                             : snprintf(out_unit, unit_bytes, "[%zu%s]", count, UNITS[i]);
        return len > 0 && (size_t)len < unit_bytes;
    }
    return false;
}

/* At most nine digits: no element is larger than 2 GiB. */
static bool parse_count(struct rt_slice digits, size_t *out_count)
{
    size_t count = 0;
    if (digits.len_bytes == 0 || digits.len_bytes > 9) {
        return false;
    }
    for (size_t i = 0; i < digits.len_bytes; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9') {
            return false;
        }
        count = count * 10 + (size_t)(digits.data[i] - '0');
    }
    *out_count = count;
    return true;
}

/* As dtype.str prints it. One-byte elements have no byte order; text is counted in characters of
 * four bytes. Machines with the other byte order are not supported. */
static bool fill(char order, char kind, size_t size, const char *unit, struct omni_dtype *out_dtype)
{
    size_t element_bytes = kind == 'U' ? 4 * size : size;
    if (size == 0 || element_bytes > INT32_MAX) {
        return false;
    }
    if (kind == 'S' || (element_bytes == 1 && kind != 'U')) {
        order = '|';
    } else if (order != '>') {
        order = '<';
    }
    int len =
        snprintf(out_dtype->text, sizeof(out_dtype->text), "%c%c%zu%s", order, kind, size, unit);
    out_dtype->element_bytes = element_bytes;
    return len > 0 && (size_t)len < sizeof(out_dtype->text);
}
