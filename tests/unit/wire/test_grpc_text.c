/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/grpc/grpc_code.h"
#include "wire/grpc/grpc_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* The texts in gRPC's headers, and the names of its codes. */

static void encode__what_is_not_printable__becomes_percent_and_hex(void **state)
{
    char encoded[64];

    (void)state;
    assert_int_equal(grpc__text_encode("etcdserver: a~b", encoded, sizeof(encoded)), 15);
    assert_string_equal(encoded, "etcdserver: a~b");
    (void)grpc__text_encode("100% \xc3\xbc\n\x7f", encoded, sizeof(encoded));
    assert_string_equal(encoded, "100%25 %C3%BC%0A%7F");
}

static void encode__no_utf_8__becomes_the_replacement(void **state)
{
    static const char *const broken[] = {"\xff", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\x80"};
    static const size_t count[] = {1, 1, 2, 3, 1};
    char encoded[64];

    (void)state;
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        assert_int_equal(grpc__text_encode(broken[i], encoded, sizeof(encoded)), 9 * count[i]);
        assert_memory_equal(encoded, "%EF%BF%BD", 9);
    }
}

static void encode__too_little_room__is_cut_between_characters(void **state)
{
    char encoded[9];

    (void)state;
    assert_int_equal(grpc__text_encode("abc\xc3\xbc", encoded, 9), 3);
    assert_string_equal(encoded, "abc");
}

static void decode__percent_and_hex__is_undone_and_the_rest_stays(void **state)
{
    static const char encoded[] = "100%25 %C3%bc%zz%4";
    char text[64];

    (void)state;
    (void)grpc__text_decode(rt_slice_text(encoded), text, sizeof(text));
    assert_string_equal(text, "100% \xc3\xbc%zz%4");
    assert_int_equal(grpc__text_decode(rt_slice_text("abcdef"), text, 4), 3);
    assert_string_equal(text, "abc");
}

static void quote__what_would_confuse__is_escaped(void **state)
{
    char quoted[64];

    (void)state;
    grpc__text_quote(rt_slice_text("a\"b\\c\n\x01"), quoted, sizeof(quoted));
    assert_string_equal(quoted, "\"a\\\"b\\\\c\\n\\x01\"");
    grpc__text_quote(rt_slice_text("abcdefgh"), quoted, 6);
    assert_string_equal(quoted, "\"abc\"");
}

static void timeout__each_unit__is_microseconds(void **state)
{
    static const struct {
        const char *text;
        uint64_t us;
    } rows[] = {
        {"1H", 3600000000},
        {"2M", 120000000},
        {"3S", 3000000},
        {"3010m", 3010000},
        {"4998753u", 4998753},
        {"5000n", 5},
        {"999n", 0},
        {"0S", 0},
        {"-1S", 0},
        {"+1S", 1000000},
        {"99999999H", 359999996400000000},
    };
    char error[128];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t timeout_us = 1;

        assert_true(
            grpc__timeout_parse(rt_slice_text(rows[i].text), &timeout_us, error, sizeof(error)));
        assert_int_equal(timeout_us, rows[i].us);
    }
}

static void timeout__malformed__says_what_go_says(void **state)
{
    static const struct {
        const char *text;
        const char *error;
    } rows[] = {
        {"5", "transport: timeout string is too short: \"5\""},
        {"", "transport: timeout string is too short: \"\""},
        {"123456789S", "transport: timeout string is too long: \"123456789S\""},
        {"5x", "transport: timeout unit is not recognized: \"5x\""},
        {"x5S", "strconv.ParseInt: parsing \"x5\": invalid syntax"},
        {"-S", "strconv.ParseInt: parsing \"-\": invalid syntax"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t timeout_us;
        char error[128] = "";

        assert_false(
            grpc__timeout_parse(rt_slice_text(rows[i].text), &timeout_us, error, sizeof(error)));
        assert_string_equal(error, rows[i].error);
    }
}

static void timeout__printed__has_eight_digits_at_most_and_is_never_shorter(void **state)
{
    static const struct {
        uint64_t us;
        const char *text;
    } rows[] = {
        {0, "0u"},
        {99999999, "99999999u"},
        {100000000, "100000m"},
        {100000001, "100001m"},
        {UINT64_MAX, "99999999H"},
    };
    char text[GRPC__TIMEOUT_TEXT_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        grpc__timeout_print(rows[i].us, text);
        assert_string_equal(text, rows[i].text);
    }
}

/* Places as Go's base64 names them. */
static void base64__with_and_without_padding__is_checked_as_go_does(void **state)
{
    static const struct {
        const char *text;
        bool is_fine;
        size_t bad_at;
    } rows[] = {
        {"", true, 0},          {"AA==", true, 0}, {"AAE=", true, 0},      {"AAEC", true, 0},
        {"AA", true, 0},        {"AAE", true, 0},  {"+/09azAZ", true, 0},  {"A", false, 0},
        {"AAECA", false, 4},    {"!!!", false, 0}, {"AA-_", false, 2},     {"A===", false, 1},
        {"AA=A", false, 2},     {"AAE", true, 0},  {"AA==AA==", false, 4}, {"AAE=A", false, 3},
        {"AAE=AAEC", false, 4},
    };
    size_t bad_at;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(grpc__text_is_base64(rt_slice_text(rows[i].text), &bad_at),
                         rows[i].is_fine);
        if (!rows[i].is_fine) {
            assert_int_equal(bad_at, rows[i].bad_at);
        }
    }
}

static void code__each__has_a_name_that_finds_it(void **state)
{
    int32_t found = -1;

    (void)state;
    for (int32_t code = 0; code <= 16; code++) {
        assert_true(grpc_code_by_name(rt_slice_text(grpc_code_name(code)), &found));
        assert_int_equal(found, code);
    }
    assert_string_equal(grpc_code_name(14), "UNAVAILABLE");
    assert_null(grpc_code_name(17));
    assert_null(grpc_code_name(-1));
    assert_false(grpc_code_by_name(rt_slice_text("unavailable"), &found));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encode__what_is_not_printable__becomes_percent_and_hex),
        cmocka_unit_test(encode__no_utf_8__becomes_the_replacement),
        cmocka_unit_test(encode__too_little_room__is_cut_between_characters),
        cmocka_unit_test(decode__percent_and_hex__is_undone_and_the_rest_stays),
        cmocka_unit_test(quote__what_would_confuse__is_escaped),
        cmocka_unit_test(timeout__each_unit__is_microseconds),
        cmocka_unit_test(timeout__malformed__says_what_go_says),
        cmocka_unit_test(timeout__printed__has_eight_digits_at_most_and_is_never_shorter),
        cmocka_unit_test(base64__with_and_without_padding__is_checked_as_go_does),
        cmocka_unit_test(code__each__has_a_name_that_finds_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
