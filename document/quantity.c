/* SPDX-License-Identifier: Apache-2.0 */
#include "document/quantity.h"

#include <inttypes.h>

/* What a digit may add up to; all quantities stay within int64_t so that ranges can hold them. */
#define LARGEST ((uint64_t)INT64_MAX)

struct unit {
    const char *name;
    uint64_t factor;
    bool has_fractions; /* when printed: 1.5s, but 90s and 1536KiB */
};

static const struct unit duration_units[] = {
    {"us", 1, false}, {"ms", 1000, true}, {"s", 1000000, true}, {"min", 60000000, false}, {0}};
static const struct unit size_units[] = {{"B", 1, false},
                                         {"KiB", 1024, false},
                                         {"MiB", 1048576, false},
                                         {"GiB", 1073741824, false},
                                         {0}};

/* Everything that is said about one kind of quantity. */
struct quantity {
    const struct unit *units;
    const char *missing_unit;
    const char *unknown_unit;
    const char *no_number;
    const char *negative;
    const char *help;
};

static const struct quantity durations = {
    .units = duration_units,
    .missing_unit = "a duration needs a unit",
    .unknown_unit = "this is no unit of time",
    .no_number = "a duration is a number and a unit",
    .negative = "a duration is never negative",
    .help = "units: us, ms, s, min, as in 250ms or 1.5s",
};

static const struct quantity sizes = {
    .units = size_units,
    .missing_unit = "a size needs a unit",
    .unknown_unit = "this is no unit of size",
    .no_number = "a size is a number and a unit",
    .negative = "a size is never negative",
    .help = "units: B, KiB, MiB, GiB, as in 256B or 4KiB",
};

static enum rt_status parse_quantity(const struct quantity *kind, struct rt_slice text,
                                     uint64_t *out_value, struct doc_mistake *out_mistake);
static enum rt_status parse_value(struct rt_slice text, enum doc_unit unit, int64_t *out_value,
                                  struct doc_mistake *out_mistake);

/* ---- reading from left to right --------------------------------------------------------- */

struct scanner {
    struct rt_slice text;
    size_t at;
};

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_next_digit(const struct scanner *scanner)
{
    return scanner->at < scanner->text.len_bytes && is_digit(scanner->text.data[scanner->at]);
}

static bool take(struct scanner *scanner, char expected)
{
    if (scanner->at < scanner->text.len_bytes &&
        scanner->text.data[scanner->at] == (uint8_t)expected) {
        scanner->at++;
        return true;
    }
    return false;
}

static struct rt_slice rest(const struct scanner *scanner)
{
    return rt_slice_of(scanner->text.data + scanner->at, scanner->text.len_bytes - scanner->at);
}

static enum rt_status mistake(struct doc_mistake *out_mistake, size_t offset_bytes,
                              size_t len_bytes, const char *message, const char *help)
{
    if (out_mistake != NULL) {
        *out_mistake = (struct doc_mistake){
            .offset_bytes = offset_bytes, .len_bytes = len_bytes, .message = message, .help = help};
    }
    return RT_E_INVALID;
}

static enum rt_status mistake_whole(struct doc_mistake *out_mistake, struct rt_slice text,
                                    const char *message, const char *help)
{
    return mistake(out_mistake, 0, text.len_bytes, message, help);
}

/* Digits without leading zeros. False when there are none, or too large a number. */
static bool take_whole(struct scanner *scanner, uint64_t *out_value, bool *out_is_too_large)
{
    size_t start = scanner->at;
    uint64_t value = 0;

    *out_is_too_large = false;
    while (is_next_digit(scanner)) {
        uint64_t digit = (uint64_t)(scanner->text.data[scanner->at++] - '0');

        if (value > (LARGEST - digit) / 10) {
            *out_is_too_large = true;
            return false;
        }
        value = value * 10 + digit;
    }
    *out_value = value;
    return scanner->at > start && (scanner->at == start + 1 || scanner->text.data[start] != '0');
}

/* ---- durations and sizes ---------------------------------------------------------------- */

static const struct unit *find_unit(const struct unit *units, struct rt_slice name)
{
    for (; units->name != NULL; units++) {
        if (rt_slice_is_text(name, units->name)) {
            return units;
        }
    }
    return NULL;
}

/* Adds the digits after the point. The result must be a whole number of the smallest unit. */
static bool add_fraction(struct rt_slice digits, uint64_t factor, uint64_t *value)
{
    uint64_t numerator = 0;
    uint64_t denominator = 1;
    size_t i;

    while (digits.len_bytes > 0 && digits.data[digits.len_bytes - 1] == '0') {
        digits.len_bytes--;
    }
    if (digits.len_bytes > 9) { /* so that the product below fits */
        return false;
    }
    for (i = 0; i < digits.len_bytes; i++) {
        numerator = numerator * 10 + (uint64_t)(digits.data[i] - '0');
        denominator *= 10;
    }
    if (factor * numerator % denominator != 0) {
        return false;
    }
    *value += factor * numerator / denominator;
    return true;
}

static enum rt_status parse_quantity(const struct quantity *kind, struct rt_slice text,
                                     uint64_t *out_value, struct doc_mistake *out_mistake)
{
    struct scanner scanner = {.text = text};
    struct rt_slice digits = {0};
    const struct unit *unit;
    bool is_too_large;
    uint64_t whole;
    size_t unit_at;

    if (text.len_bytes > 0 && text.data[0] == '-') {
        return mistake_whole(out_mistake, text, kind->negative, kind->help);
    }
    if (!take_whole(&scanner, &whole, &is_too_large)) {
        return mistake_whole(out_mistake, text,
                             is_too_large ? "this number is too large" : kind->no_number,
                             kind->help);
    }
    if (take(&scanner, '.')) {
        digits.data = text.data + scanner.at;
        while (is_next_digit(&scanner)) {
            scanner.at++;
            digits.len_bytes++;
        }
        if (digits.len_bytes == 0) {
            return mistake_whole(out_mistake, text, kind->no_number, kind->help);
        }
    }
    unit_at = scanner.at;
    if (unit_at == text.len_bytes) {
        return mistake_whole(out_mistake, text, kind->missing_unit, kind->help);
    }
    unit = find_unit(kind->units, rest(&scanner));
    if (unit == NULL) {
        return mistake(out_mistake, unit_at, text.len_bytes - unit_at, kind->unknown_unit,
                       kind->help);
    }
    if (whole > (LARGEST - unit->factor) / unit->factor) {
        return mistake_whole(out_mistake, text, "this number is too large", NULL);
    }
    whole *= unit->factor;
    if (!add_fraction(digits, unit->factor, &whole)) {
        return mistake_whole(out_mistake, text, "this is no whole number of the smallest unit",
                             kind->help);
    }
    *out_value = whole;
    return RT_OK;
}

enum rt_status doc_parse_duration(struct rt_slice text, uint64_t *out_us,
                                  struct doc_mistake *out_mistake)
{
    return parse_quantity(&durations, text, out_us, out_mistake);
}

enum rt_status doc_parse_size(struct rt_slice text, uint64_t *out_bytes,
                              struct doc_mistake *out_mistake)
{
    return parse_quantity(&sizes, text, out_bytes, out_mistake);
}

/* ---- numbers and booleans --------------------------------------------------------------- */

enum rt_status doc_parse_integer(struct rt_slice text, int64_t *out_value,
                                 struct doc_mistake *out_mistake)
{
    static const char help[] = "decimal digits without leading zeros, as in -3, 0 or 42";
    struct scanner scanner = {.text = text};
    bool is_negative = take(&scanner, '-');
    bool is_too_large;
    uint64_t value;

    if (!take_whole(&scanner, &value, &is_too_large) || scanner.at != text.len_bytes) {
        return mistake_whole(out_mistake, text,
                             is_too_large ? "this number is too large" : "this is no whole number",
                             help);
    }
    if (is_negative && value == 0) {
        return mistake_whole(out_mistake, text, "this is no whole number", help);
    }
    *out_value = is_negative ? -(int64_t)value : (int64_t)value;
    return RT_OK;
}

enum rt_status doc_parse_bool(struct rt_slice text, bool *out_value,
                              struct doc_mistake *out_mistake)
{
    if (!rt_slice_is_text(text, "true") && !rt_slice_is_text(text, "false")) {
        return mistake_whole(out_mistake, text, "this is neither true nor false", NULL);
    }
    *out_value = rt_slice_is_text(text, "true");
    return RT_OK;
}

/* ---- ranges ----------------------------------------------------------------------------- */

static enum rt_status parse_value(struct rt_slice text, enum doc_unit unit, int64_t *out_value,
                                  struct doc_mistake *out_mistake)
{
    uint64_t value = 0;
    enum rt_status status;

    if (unit == DOC_UNIT_NONE) {
        return doc_parse_integer(text, out_value, out_mistake);
    }
    status =
        parse_quantity(unit == DOC_UNIT_DURATION ? &durations : &sizes, text, &value, out_mistake);
    if (status == RT_OK) {
        *out_value = (int64_t)value;
    }
    return status;
}

/* Parses bytes [from, to) of `text`; a mistake is told in terms of the whole. */
static enum rt_status parse_part(struct rt_slice text, size_t from, size_t to, enum doc_unit unit,
                                 int64_t *out_value, struct doc_mistake *out_mistake)
{
    enum rt_status status =
        parse_value(rt_slice_of(text.data + from, to - from), unit, out_value, out_mistake);

    if (status != RT_OK && out_mistake != NULL) {
        out_mistake->offset_bytes += from;
    }
    return status;
}

static enum rt_status parse_comparison(struct rt_slice text, struct doc_range *range,
                                       struct doc_mistake *out_mistake)
{
    struct scanner scanner = {.text = text};
    char sign = (char)text.data[scanner.at++];
    bool is_strict = sign != '=' && !take(&scanner, '=');
    enum rt_status status;
    int64_t value;

    while (take(&scanner, ' ')) {
    }
    status = parse_part(text, scanner.at, text.len_bytes, range->unit, &value, out_mistake);
    if (status != RT_OK) {
        return status;
    }
    if (sign != '<') {
        range->has_min = true;
        range->min = value;
        range->is_min_exclusive = is_strict;
    }
    if (sign != '>') {
        range->has_max = true;
        range->max = value;
        range->is_max_exclusive = is_strict;
    }
    return RT_OK;
}

/* `from` is an interval a..b or one value, which must be equal. */
static enum rt_status parse_interval(struct rt_slice text, struct doc_range *range,
                                     struct doc_mistake *out_mistake)
{
    const uint8_t *dots = memmem(text.data, text.len_bytes, "..", 2);
    size_t first_end = dots == NULL ? text.len_bytes : (size_t)(dots - text.data);
    enum rt_status status = parse_part(text, 0, first_end, range->unit, &range->min, out_mistake);

    if (status != RT_OK) {
        return status;
    }
    range->max = range->min;
    if (dots != NULL) {
        status =
            parse_part(text, first_end + 2, text.len_bytes, range->unit, &range->max, out_mistake);
    }
    if (status != RT_OK) {
        return status;
    }
    if (range->max < range->min) {
        return mistake_whole(out_mistake, text, "this range ends before it begins", NULL);
    }
    range->has_min = true;
    range->has_max = true;
    return RT_OK;
}

enum rt_status doc_parse_range(struct rt_slice text, enum doc_unit unit,
                               struct doc_range *out_range, struct doc_mistake *out_mistake)
{
    struct doc_range range = {.unit = unit};
    enum rt_status status;

    if (text.len_bytes == 0) {
        return mistake_whole(out_mistake, text, "a range is missing",
                             "as in 3, 1..4, < 5, <= 5, > 5, >= 5, = 5, each with its unit");
    }
    if (text.data[0] == '<' || text.data[0] == '>' || text.data[0] == '=') {
        status = parse_comparison(text, &range, out_mistake);
    } else {
        status = parse_interval(text, &range, out_mistake);
    }
    if (status == RT_OK) {
        *out_range = range;
    }
    return status;
}

bool doc_range_has(const struct doc_range *range, int64_t value)
{
    if (range->has_min && (range->is_min_exclusive ? value <= range->min : value < range->min)) {
        return false;
    }
    if (range->has_max && (range->is_max_exclusive ? value >= range->max : value > range->max)) {
        return false;
    }
    return true;
}

/* ---- printing --------------------------------------------------------------------------- */

/* Whole, or with at most three digits after the point. */
static bool is_printable_in(const struct unit *unit, uint64_t value)
{
    uint64_t remainder = value % unit->factor;

    if (value < unit->factor) {
        return false;
    }
    return remainder == 0 || (unit->has_fractions && remainder * 1000 % unit->factor == 0);
}

/* In the largest unit that fits. */
static int print_quantity(const struct unit *units, uint64_t value, char *out_text,
                          size_t size_bytes)
{
    const struct unit *best = units;
    const struct unit *unit;
    uint64_t thousandths;
    int digits = 3;

    for (unit = units; unit->name != NULL; unit++) {
        if (is_printable_in(unit, value)) {
            best = unit;
        }
    }
    thousandths = value % best->factor * 1000 / best->factor;
    if (thousandths == 0) {
        return snprintf(out_text, size_bytes, "%" PRIu64 "%s", value / best->factor, best->name);
    }
    while (thousandths % 10 == 0) {
        thousandths /= 10;
        digits--;
    }
    return snprintf(out_text, size_bytes, "%" PRIu64 ".%0*" PRIu64 "%s", value / best->factor,
                    digits, thousandths, best->name);
}

void doc_print_duration(uint64_t value_us, char out_text[DOC_QUANTITY_TEXT_BYTES])
{
    (void)print_quantity(duration_units, value_us, out_text, DOC_QUANTITY_TEXT_BYTES);
}

void doc_print_size(uint64_t value_bytes, char out_text[DOC_QUANTITY_TEXT_BYTES])
{
    (void)print_quantity(size_units, value_bytes, out_text, DOC_QUANTITY_TEXT_BYTES);
}

static void print_value(enum doc_unit unit, int64_t value, char *out_text, size_t size_bytes)
{
    if (unit == DOC_UNIT_NONE || value < 0) {
        (void)snprintf(out_text, size_bytes, "%" PRId64, value);
        return;
    }
    (void)print_quantity(unit == DOC_UNIT_DURATION ? duration_units : size_units, (uint64_t)value,
                         out_text, size_bytes);
}

void doc_print_range(const struct doc_range *range, char out_text[DOC_QUANTITY_TEXT_BYTES])
{
    char min[DOC_QUANTITY_TEXT_BYTES / 3];
    char max[DOC_QUANTITY_TEXT_BYTES / 3];

    print_value(range->unit, range->min, min, sizeof(min));
    print_value(range->unit, range->max, max, sizeof(max));
    if (range->has_min && range->has_max) {
        (void)snprintf(out_text, DOC_QUANTITY_TEXT_BYTES,
                       range->min == range->max ? "%s" : "%s..%s", min, max);
    } else if (range->has_min) {
        (void)snprintf(out_text, DOC_QUANTITY_TEXT_BYTES, "%s %s",
                       range->is_min_exclusive ? ">" : ">=", min);
    } else if (range->has_max) {
        (void)snprintf(out_text, DOC_QUANTITY_TEXT_BYTES, "%s %s",
                       range->is_max_exclusive ? "<" : "<=", max);
    } else {
        (void)snprintf(out_text, DOC_QUANTITY_TEXT_BYTES, "anything");
    }
}
