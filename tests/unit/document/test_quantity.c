/* SPDX-License-Identifier: Apache-2.0 */
#include "document_fixture.h"

#include "document/quantity.h"

static void duration__with_unit__is_microseconds(void **state)
{
    static const struct {
        const char *text;
        uint64_t us;
    } rows[] = {
        {"250ms", 250000},     {"4s", 4000000},    {"1.5s", 1500000}, {"3us", 3},
        {"1min", 60000000},    {"0s", 0},          {"0.5ms", 500},    {"1.000001s", 1000001},
        {"0.25min", 15000000}, {"1.50s", 1500000},
    };
    uint64_t us;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(doc_parse_duration(rt_slice_text(rows[i].text), &us, NULL), RT_OK);
        assert_int_equal(us, rows[i].us);
    }
}

static void duration__without_or_with_a_wrong_unit__is_refused(void **state)
{
    static const struct {
        const char *text;
        const char *message;
    } rows[] = {
        {"250", "a duration needs a unit"},
        {"0", "a duration needs a unit"},
        {"5sec", "this is no unit of time"},
        {"5 s", "this is no unit of time"},
        {"4KiB", "this is no unit of time"},
        {"5MS", "this is no unit of time"},
        {"-5s", "a duration is never negative"},
        {"s", "a duration is a number and a unit"},
        {"", "a duration is a number and a unit"},
        {"1.s", "a duration is a number and a unit"},
        {".5s", "a duration is a number and a unit"},
        {"05s", "a duration is a number and a unit"},
        {"1.5us", "this is no whole number of the smallest unit"},
        {"99999999999999999999s", "this number is too large"},
        {"9223372036854775807s", "this number is too large"},
    };
    struct doc_mistake mistake;
    uint64_t us = 42;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(doc_parse_duration(rt_slice_text(rows[i].text), &us, &mistake),
                         RT_E_INVALID);
        assert_string_equal(mistake.message, rows[i].message);
    }
    assert_int_equal(us, 42);
}

static void duration__wrong_unit__mistake_points_at_the_unit(void **state)
{
    struct doc_mistake mistake;
    uint64_t us;

    (void)state;
    assert_int_equal(doc_parse_duration(rt_slice_text("250sec"), &us, &mistake), RT_E_INVALID);
    assert_int_equal(mistake.offset_bytes, 3);
    assert_int_equal(mistake.len_bytes, 3);
    assert_non_null(strstr(mistake.help, "us, ms, s, min"));
}

static void size__with_unit__is_bytes(void **state)
{
    uint64_t bytes;

    (void)state;
    assert_int_equal(doc_parse_size(rt_slice_text("256B"), &bytes, NULL), RT_OK);
    assert_int_equal(bytes, 256);
    assert_int_equal(doc_parse_size(rt_slice_text("4KiB"), &bytes, NULL), RT_OK);
    assert_int_equal(bytes, 4096);
    assert_int_equal(doc_parse_size(rt_slice_text("1.25KiB"), &bytes, NULL), RT_OK);
    assert_int_equal(bytes, 1280);
    assert_int_equal(doc_parse_size(rt_slice_text("64MiB"), &bytes, NULL), RT_OK);
    assert_int_equal(bytes, 67108864);
    assert_int_equal(doc_parse_size(rt_slice_text("2GiB"), &bytes, NULL), RT_OK);
    assert_int_equal(bytes, 2147483648);
}

static void size__decimal_units_and_bare_numbers__are_refused(void **state)
{
    static const char *const texts[] = {"24MB", "4kB", "4K", "4096", "1.3KiB", "4kib", "-1B", ""};
    uint64_t bytes;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(doc_parse_size(rt_slice_text(texts[i]), &bytes, NULL), RT_E_INVALID);
    }
}

static void integer__only_plain_decimal__is_read(void **state)
{
    static const char *const wrong[] = {
        "",   "-",  "007", "0x10", "1_000", "1.0", "+1",
        "-0", " 1", "1 ",  "one",  "1e3",   "-01", "9223372036854775808"};
    int64_t value;
    size_t i;

    (void)state;
    assert_int_equal(doc_parse_integer(rt_slice_text("-3"), &value, NULL), RT_OK);
    assert_int_equal(value, -3);
    assert_int_equal(doc_parse_integer(rt_slice_text("9223372036854775807"), &value, NULL), RT_OK);
    assert_true(value == INT64_MAX);
    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(doc_parse_integer(rt_slice_text(wrong[i]), &value, NULL), RT_E_INVALID);
    }
}

static void boolean__only_true_and_false__are_read(void **state)
{
    bool value = false;

    (void)state;
    assert_int_equal(doc_parse_bool(rt_slice_text("true"), &value, NULL), RT_OK);
    assert_true(value);
    assert_int_equal(doc_parse_bool(rt_slice_text("false"), &value, NULL), RT_OK);
    assert_false(value);
    assert_int_equal(doc_parse_bool(rt_slice_text("yes"), &value, NULL), RT_E_INVALID);
    assert_int_equal(doc_parse_bool(rt_slice_text("True"), &value, NULL), RT_E_INVALID);
}

/* ---- ranges ----------------------------------------------------------------------------- */

static void assert_range(const char *text, enum doc_unit unit, int64_t inside, int64_t outside)
{
    struct doc_range range;

    assert_int_equal(doc_parse_range(rt_slice_text(text), unit, &range, NULL), RT_OK);
    assert_true(doc_range_has(&range, inside));
    assert_false(doc_range_has(&range, outside));
}

static void range__every_form__has_its_bounds(void **state)
{
    (void)state;
    assert_range("3s..31s", DOC_UNIT_DURATION, 3000000, 2999999);
    assert_range("3s..31s", DOC_UNIT_DURATION, 31000000, 31000001);
    assert_range("< 5ms", DOC_UNIT_DURATION, 4999, 5000);
    assert_range("<= 4", DOC_UNIT_NONE, 4, 5);
    assert_range("<=4", DOC_UNIT_NONE, -4, 5);
    assert_range("> 1", DOC_UNIT_NONE, 2, 1);
    assert_range(">= 2", DOC_UNIT_NONE, 2, 1);
    assert_range("= 3", DOC_UNIT_NONE, 3, 4);
    assert_range("3", DOC_UNIT_NONE, 3, 2);
    assert_range("-2..2", DOC_UNIT_NONE, -2, -3);
    assert_range("< 4KiB", DOC_UNIT_SIZE, 4095, 4096);
}

static void range__malformed__is_refused_at_its_bad_part(void **state)
{
    static const struct {
        const char *text;
        size_t offset;
        size_t len;
    } rows[] = {
        {"3s..31", 4, 2}, {"3..31s", 0, 1}, {"< 5", 2, 1},   {"31s..3s", 0, 7},
        {"3s..", 4, 0},   {"..3s", 0, 0},   {"=< 5s", 1, 4}, {"", 0, 0},
    };
    struct doc_mistake mistake;
    struct doc_range range;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(
            doc_parse_range(rt_slice_text(rows[i].text), DOC_UNIT_DURATION, &range, &mistake),
            RT_E_INVALID);
        assert_int_equal(mistake.offset_bytes, rows[i].offset);
        assert_int_equal(mistake.len_bytes, rows[i].len);
    }
}

/* ---- from nodes ------------------------------------------------------------------------- */

static void read__mistake_in_a_scalar__is_underlined_where_it_is(void **state)
{
    struct fixture *fx = *state;
    const struct doc_node *root = root_of(fx, DOC_MODE_STRICT, "took: \"3s..31\"\n");
    struct doc_range range;
    char *text;

    assert_int_equal(doc_read_range(doc_find(root, "took"), DOC_UNIT_DURATION, fx->errors, &range),
                     RT_E_INVALID);
    text = doc_error_format(doc_error_at(fx->errors, 0));
    assert_string_equal(text, "file.yaml:1:12: a duration needs a unit\n"
                              "took: \"3s..31\"\n"
                              "           ^^\n"
                              "help: units: us, ms, s, min, as in 250ms or 1.5s\n");
    free(text);
}

static void read__wrong_kind__says_what_was_found(void **state)
{
    struct fixture *fx = *state;
    const struct doc_node *root = root_of(fx, DOC_MODE_STRICT, "a: [1]\nb:\nc: 300\n");
    int64_t value;
    uint64_t us;
    const char *text;

    assert_int_equal(doc_read_duration(doc_find(root, "a"), fx->errors, &us), RT_E_INVALID);
    assert_int_equal(doc_read_text(doc_find(root, "b"), fx->errors, &text), RT_E_INVALID);
    assert_int_equal(doc_read_integer(doc_find(root, "c"), 0, 255, fx->errors, &value),
                     RT_E_INVALID);
    assert_string_equal(doc_error_at(fx->errors, 0)->message,
                        "a duration is expected here, not a list");
    assert_string_equal(doc_error_at(fx->errors, 1)->message, "text is expected here, not nothing");
    assert_string_equal(doc_error_at(fx->errors, 2)->message,
                        "this number must be between 0 and 255");
}

/* ---- printing --------------------------------------------------------------------------- */

static void print__durations_and_sizes__read_back_as_the_same(void **state)
{
    static const uint64_t values[] = {0,       1,       999,      1000,       1500,       1024,
                                      4096,    250000,  1234567,  4000000,    90000000,   60000000,
                                      1572864, 1280000, 67108864, 2147483648, 3600000000, 12345};
    char text[DOC_QUANTITY_TEXT_BYTES];
    uint64_t back;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        doc_print_duration(values[i], text);
        assert_int_equal(doc_parse_duration(rt_slice_text(text), &back, NULL), RT_OK);
        assert_int_equal(back, values[i]);
        doc_print_size(values[i], text);
        assert_int_equal(doc_parse_size(rt_slice_text(text), &back, NULL), RT_OK);
        assert_int_equal(back, values[i]);
    }
}

static void print__usual_values__are_short(void **state)
{
    char text[DOC_QUANTITY_TEXT_BYTES];
    struct doc_range range;

    (void)state;
    doc_print_duration(250000, text);
    assert_string_equal(text, "250ms");
    doc_print_duration(1500000, text);
    assert_string_equal(text, "1.5s");
    doc_print_duration(31000000, text);
    assert_string_equal(text, "31s");
    doc_print_size(67108864, text);
    assert_string_equal(text, "64MiB");
    assert_int_equal(doc_parse_range(rt_slice_text("3s..31s"), DOC_UNIT_DURATION, &range, NULL),
                     RT_OK);
    doc_print_range(&range, text);
    assert_string_equal(text, "3s..31s");
    assert_int_equal(doc_parse_range(rt_slice_text("<5ms"), DOC_UNIT_DURATION, &range, NULL),
                     RT_OK);
    doc_print_range(&range, text);
    assert_string_equal(text, "< 5ms");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE(duration__with_unit__is_microseconds),
        CASE(duration__without_or_with_a_wrong_unit__is_refused),
        CASE(duration__wrong_unit__mistake_points_at_the_unit),
        CASE(size__with_unit__is_bytes),
        CASE(size__decimal_units_and_bare_numbers__are_refused),
        CASE(integer__only_plain_decimal__is_read),
        CASE(boolean__only_true_and_false__are_read),
        CASE(range__every_form__has_its_bounds),
        CASE(range__malformed__is_refused_at_its_bad_part),
        CASE(read__mistake_in_a_scalar__is_underlined_where_it_is),
        CASE(read__wrong_kind__says_what_was_found),
        CASE(print__durations_and_sizes__read_back_as_the_same),
        CASE(print__usual_values__are_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
