/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>

#include "document/internal.h"

/*
 * Scalars as PyYAML's safe_load reads them (YAML 1.1), because upstream's configuration files are
 * written for it: 007 is 7, 1:30 is 90, yes is True, but 1e3 and 08 are text. Each type has one
 * recogniser; the order of the tests does not matter, no text fits two of them.
 */

/* Python 3.11 and later refuse to print longer integers. */
#define LARGEST_DIGITS 4300

static enum rt_status set_bool(struct doc_node *node, bool value);
static enum rt_status set_null(struct doc_node *node);
static enum rt_status set_integer(struct doc__arena *arena, struct doc_node *node);
static enum rt_status set_float(struct doc__arena *arena, struct doc_node *node);

/* ---- small recognisers: each takes what it can and answers where it stopped ---------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_in(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

static const char *skip_sign(const char *at)
{
    return *at == '-' || *at == '+' ? at + 1 : at;
}

static const char *skip(const char *at, const char *set)
{
    return at + strspn(at, set);
}

static bool is_word(const char *text, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (strcmp(text, *words) == 0) {
            return true;
        }
    }
    return false;
}

/* One or more of :5 :59, as in 1:30:00; NULL when there is none. */
static const char *skip_sixties(const char *at)
{
    const char *start = at;

    while (*at == ':' && is_digit(at[1])) {
        if (is_digit(at[2])) {
            if (at[1] > '5') {
                return NULL;
            }
            at += 3;
        } else {
            at += 2;
        }
    }
    return at == start ? NULL : at;
}

static bool is_integer(const char *text)
{
    const char *at = skip_sign(text);
    const char *end;

    if (*at == '0' && is_in(at[1], "bx")) {
        end = skip(at + 2, at[1] == 'b' ? "01_" : "0123456789abcdefABCDEF_");
        return end > at + 2 && *end == '\0' && strspn(at + 2, "_") < (size_t)(end - at - 2);
    }
    if (*at == '0') {
        return *skip(at + 1, "01234567_") == '\0';
    }
    if (!is_digit(*at)) {
        return false;
    }
    end = skip(at, "0123456789_");
    if (*end == '\0') {
        return true;
    }
    end = skip_sixties(end);
    return end != NULL && *end == '\0';
}

/* An exponent needs its sign: 1.0e+3 is a number, 1.0e3 and 1e3 are text. */
static bool is_fraction_end(const char *at)
{
    at = skip(at, "0123456789_");
    if (*at == '\0') {
        return true;
    }
    if (!is_in(*at, "eE") || !is_in(at[1], "+-") || !is_digit(at[2])) {
        return false;
    }
    return *skip(at + 2, "0123456789") == '\0';
}

static bool is_float(const char *text)
{
    static const char *const infinities[] = {".inf", ".Inf", ".INF", NULL};
    static const char *const nans[] = {".nan", ".NaN", ".NAN", NULL};
    const char *at = skip_sign(text);
    const char *end;

    if (is_word(at, infinities) || is_word(text, nans)) {
        return true;
    }
    if (*text == '.') {
        return is_digit(text[1]) && is_fraction_end(text + 1);
    }
    if (!is_digit(*at)) {
        return false;
    }
    end = skip(at, "0123456789_");
    if (*end == '.') {
        return is_fraction_end(end + 1);
    }
    end = skip_sixties(end);
    return end != NULL && *end == '.' && *skip(end + 1, "0123456789_") == '\0';
}

/* Takes between `least` and `most` digits; NULL when there are fewer. */
static const char *take_digits(const char *at, size_t least, size_t most)
{
    size_t count = 0;

    while (count < most && is_digit(at[count])) {
        count++;
    }
    return count < least ? NULL : at + count;
}

static const char *take(const char *at, char expected)
{
    return at != NULL && *at == expected ? at + 1 : NULL;
}

static const char *take_number(const char *at, size_t least, size_t most)
{
    return at == NULL ? NULL : take_digits(at, least, most);
}

/* What follows the date: 12:00:00.5 +01:00 */
static bool is_time(const char *at)
{
    const char *zone;

    at = take_number(at, 1, 2);
    at = take_number(take(at, ':'), 2, 2);
    at = take_number(take(at, ':'), 2, 2);
    if (at != NULL && *at == '.') {
        at = skip(at + 1, "0123456789");
    }
    if (at == NULL || *at == '\0') {
        return at != NULL;
    }
    zone = skip(at, " \t");
    if (strcmp(zone, "Z") == 0) {
        return true;
    }
    if (!is_in(*zone, "+-")) {
        return false;
    }
    zone = take_digits(zone + 1, 1, 2);
    if (zone != NULL && *zone == ':') {
        zone = take_digits(zone + 1, 2, 2);
    }
    return zone != NULL && *zone == '\0';
}

static bool is_timestamp(const char *text)
{
    const char *at = take(take_number(text, 4, 4), '-');
    const char *end = take_number(take(take_number(at, 2, 2), '-'), 2, 2);

    if (end != NULL && *end == '\0') {
        return true;
    }
    end = take_number(take(take_number(at, 1, 2), '-'), 1, 2);
    if (end == NULL || !is_in(*end, "Tt \t")) {
        return false;
    }
    return is_time(is_in(*end, "Tt") ? end + 1 : skip(end, " \t"));
}

/* ---- resolving -------------------------------------------------------------------------- */

static const char *const true_words[] = {"yes",  "Yes", "YES", "true", "True",
                                         "TRUE", "on",  "On",  "ON",   NULL};
static const char *const false_words[] = {"no",    "No",  "NO",  "false", "False",
                                          "FALSE", "off", "Off", "OFF",   NULL};
static const char *const null_words[] = {"", "~", "null", "Null", "NULL", NULL};

enum rt_status doc__resolve_yaml11(struct doc__arena *arena, struct doc_node *node)
{
    const char *text = node->text;

    if (strlen(text) != node->text_len_bytes) {
        return RT_OK;
    }
    if (is_word(text, null_words)) {
        return set_null(node);
    }
    if (is_word(text, true_words) || is_word(text, false_words)) {
        return set_bool(node, is_word(text, true_words));
    }
    if (is_integer(text)) {
        return set_integer(arena, node);
    }
    if (is_float(text)) {
        return set_float(arena, node);
    }
    if (is_timestamp(text)) {
        node->type = DOC_TYPE_TIMESTAMP;
    }
    return RT_OK;
}

/* The parser has checked that a plain scalar is one of JSON's. */
enum rt_status doc__resolve_json(struct doc__arena *arena, struct doc_node *node)
{
    const char *text = node->text;

    if (strcmp(text, "null") == 0) {
        return set_null(node);
    }
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
        return set_bool(node, *text == 't');
    }
    if (strpbrk(text, ".eE") == NULL) {
        return set_integer(arena, node);
    }
    return set_float(arena, node);
}

enum rt_status doc__resolve_as(struct doc__arena *arena, struct doc_node *node, enum doc_type type)
{
    enum rt_status status;

    if (type != DOC_TYPE_TEXT) {
        status = doc__resolve_yaml11(arena, node);
        if (status != RT_OK) {
            return status;
        }
        if (type == DOC_TYPE_FLOAT && node->type == DOC_TYPE_INTEGER) {
            return set_float(arena, node);
        }
    }
    return node->type == type ? RT_OK : RT_E_MALFORMED;
}

static enum rt_status set_bool(struct doc_node *node, bool value)
{
    node->type = DOC_TYPE_BOOL;
    node->boolean = value;
    node->canonical = value ? "True" : "False";
    return RT_OK;
}

static enum rt_status set_null(struct doc_node *node)
{
    node->type = DOC_TYPE_NULL;
    node->canonical = "None";
    return RT_OK;
}

/* ---- integers of any size --------------------------------------------------------------- */

/* A decimal number, the lowest digit first. */
struct decimal {
    uint8_t *digits;
    size_t count;
};

/* number = number * factor + addend. False: more digits than Python prints. */
static bool scale(struct decimal *number, unsigned int factor, unsigned int addend)
{
    unsigned int carry = addend;
    size_t i;

    for (i = 0; i < number->count || carry > 0; i++) {
        if (i == number->count) {
            if (number->count == LARGEST_DIGITS) {
                return false;
            }
            number->digits[number->count++] = 0;
        }
        carry += number->digits[i] * factor;
        number->digits[i] = (uint8_t)(carry % 10);
        carry /= 10;
    }
    return true;
}

static unsigned int digit_value(char c)
{
    if (is_digit(c)) {
        return (unsigned int)(c - '0');
    }
    return (unsigned int)((c | 0x20) - 'a') + 10;
}

/* Digits of one base, underscores skipped, up to a `:` or the end. */
static bool read_digits(struct decimal *number, const char **at, unsigned int base)
{
    for (; **at != '\0' && **at != ':'; (*at)++) {
        if (**at != '_' && !scale(number, base, digit_value(**at))) {
            return false;
        }
    }
    return true;
}

static bool read_integer(struct decimal *number, const char *at)
{
    unsigned int base = 10;

    if (*at == '0') {
        base = at[1] == 'b' ? 2 : at[1] == 'x' ? 16 : 8;
        at += base == 8 ? 1 : 2;
    }
    if (!read_digits(number, &at, base)) {
        return false;
    }
    while (*at == ':') { /* one or two digits: the recogniser has seen to it */
        unsigned int sixtieth = digit_value(*++at);

        at++;
        if (is_digit(*at)) {
            sixtieth = sixtieth * 10 + digit_value(*at++);
        }
        if (!scale(number, 60, sixtieth)) {
            return false;
        }
    }
    return true;
}

static enum rt_status print_decimal(struct doc__arena *arena, const struct decimal *number,
                                    bool is_negative, const char **out_text)
{
    char *text = doc__arena_alloc(arena, number->count + 3);
    size_t len = 0;
    size_t i = number->count;

    if (text == NULL) {
        return RT_E_NOMEM;
    }
    if (is_negative && number->count > 0) {
        text[len++] = '-';
    }
    while (i-- > 0) {
        text[len++] = (char)('0' + number->digits[i]);
    }
    if (number->count == 0) {
        text[len++] = '0';
    }
    *out_text = text;
    return RT_OK;
}

/* An integer too long for Python stays text. */
static enum rt_status set_integer(struct doc__arena *arena, struct doc_node *node)
{
    uint8_t digits[LARGEST_DIGITS];
    struct decimal number = {.digits = digits};
    bool is_negative = *node->text == '-';
    int64_t magnitude = 0;
    size_t i;

    if (!read_integer(&number, skip_sign(node->text))) {
        return RT_OK;
    }
    while (number.count > 0 && digits[number.count - 1] == 0) {
        number.count--;
    }
    node->type = DOC_TYPE_INTEGER;
    node->number = 0;
    for (i = number.count; i-- > 0;) {
        int64_t digit = is_negative ? -(int64_t)digits[i] : (int64_t)digits[i];

        node->number = node->number * 10 + digits[i];
        node->is_big = node->is_big || __builtin_mul_overflow(magnitude, 10, &magnitude) ||
                       __builtin_add_overflow(magnitude, digit, &magnitude);
    }
    node->number = is_negative ? -node->number : node->number;
    node->integer = magnitude;
    if (node->is_big) {
        node->integer = is_negative ? INT64_MIN : INT64_MAX;
    }
    return print_decimal(arena, &number, is_negative, &node->canonical);
}

/* ---- floats as Python's repr() prints them ------------------------------------------------ */

/* 1:30.5 is 90.5. */
static double read_sixties(const char *at)
{
    double value = 0;

    for (;;) {
        size_t len = strcspn(at, ":");

        value = value * 60 + strtod(at, NULL);
        if (at[len] == '\0') {
            return value;
        }
        at += len + 1;
    }
}

/* `text` without underscores. */
static double read_float(const char *text)
{
    const char *at = skip_sign(text);
    double value;

    if (*at == '.' && is_in(at[1], "iI")) {
        value = HUGE_VAL;
    } else if (*at == '.' && is_in(at[1], "nN")) {
        return NAN;
    } else if (strchr(at, ':') != NULL) {
        value = read_sixties(at);
    } else {
        value = strtod(at, NULL);
    }
    return *text == '-' ? -value : value;
}

/* The shortest digits that read back as the same number: d.ddde+XX. */
static void shortest(double value, char *out_text, size_t size_bytes)
{
    int precision;

    for (precision = 0; precision < 17; precision++) {
        (void)snprintf(out_text, size_bytes, "%.*e", precision, value);
        if (strtod(out_text, NULL) == value) {
            return;
        }
    }
}

static const char *print_float(struct doc__arena *arena, double value)
{
    char text[40];
    char digits[40];
    size_t count = 0;
    long exponent;
    size_t i;

    if (isnan(value) || isinf(value)) {
        return isnan(value) ? "nan" : value < 0 ? "-inf" : "inf";
    }
    shortest(fabs(value), text, sizeof(text));
    for (i = 0; text[i] != 'e'; i++) {
        if (is_digit(text[i])) {
            digits[count++] = text[i];
        }
    }
    digits[count] = '\0';
    exponent = strtol(text + i + 1, NULL, 10);
    if (exponent < -4 || exponent >= 16) {
        return doc__arena_printf(arena, "%s%c%s%s%s", signbit(value) ? "-" : "", digits[0],
                                 count > 1 ? "." : "", digits + 1, text + i);
    }
    /* Without an exponent, all digits of the shortest form and at least one after the point. */
    i = (long)count - 1 > exponent ? count - 1 - (size_t)(exponent < 0 ? 0 : exponent) : 1;
    if (exponent < 0) {
        i = count - 1 + (size_t)-exponent;
    }
    return doc__arena_printf(arena, "%.*f", (int)i, value);
}

static enum rt_status set_float(struct doc__arena *arena, struct doc_node *node)
{
    char *plain = doc__arena_copy(arena, doc_text(node));
    char *to = plain;
    const char *from;

    if (plain == NULL) {
        return RT_E_NOMEM;
    }
    for (from = node->text; *from != '\0'; from++) {
        if (*from != '_') {
            *to++ = *from;
        }
    }
    *to = '\0';
    node->type = DOC_TYPE_FLOAT;
    node->number = read_float(plain);
    node->canonical = print_float(arena, node->number);
    return node->canonical == NULL ? RT_E_NOMEM : RT_OK;
}
