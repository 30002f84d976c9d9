/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/gateway/json_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* What the scanner makes of a text that comes in pieces of `piece_bytes`. */
static enum fakeetcd_json_scan scan(struct fakeetcd_json_scanner *scanner, const char *text,
                                    size_t piece_bytes, size_t *out_used_bytes)
{
    size_t len_bytes = strlen(text);
    size_t at = 0;
    fakeetcd_json_scanner_init(scanner);
    while (at < len_bytes) {
        size_t piece = piece_bytes < len_bytes - at ? piece_bytes : len_bytes - at;
        size_t used = 0;
        enum fakeetcd_json_scan result =
            fakeetcd_json_scan(scanner, rt_slice_of(text + at, piece), &used);
        at += used;
        if (result != FAKEETCD_JSON_MORE) {
            *out_used_bytes = at;
            return result;
        }
        assert_int_equal(used, piece);
    }
    *out_used_bytes = at;
    return fakeetcd_json_scan_end(scanner);
}

static void value__in_pieces_of_every_size__ends_where_it_ends(void **state)
{
    static const struct {
        const char *text;
        size_t used_bytes;
    } CASES[] = {
        {"{\"a\":[1,{\"b\":null}],\"c\":\"}\\\"]\"} tail", 31},
        {" \n[ ] ", 5},
        {"{}{}", 2},
        {"\"x\\u00e9\"y", 9},
        {"true1", 4},
        {"-12.5e+3 ", 8},
        {"0", 1},
        {"10]", 2},
    };
    struct fakeetcd_json_scanner scanner;
    (void)state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        for (size_t piece_bytes = 1; piece_bytes <= strlen(CASES[i].text); piece_bytes++) {
            size_t used = 0;
            assert_int_equal(scan(&scanner, CASES[i].text, piece_bytes, &used),
                             FAKEETCD_JSON_VALUE);
            assert_int_equal(used, CASES[i].used_bytes);
        }
    }
}

/* The words of Go's encoding/json, which etcd hands on. */
static void malformed__each_place__is_refused_in_gos_words(void **state)
{
    static const struct {
        const char *text;
        const char *error;
    } CASES[] = {
        {"{a}", "invalid character 'a' looking for beginning of object key string"},
        {"{\"k\":1,}", "invalid character '}' looking for beginning of object key string"},
        {"{\"k\" 1}", "invalid character '1' after object key"},
        {"{\"k\":1 2}", "invalid character '2' after object key:value pair"},
        {"[1 2]", "invalid character '2' after array element"},
        {"[1,]", "invalid character ']' looking for beginning of value"},
        {"{\"k\":tru}", "invalid character '}' in literal true (expecting 'e')"},
        {"nul!", "invalid character '!' in literal null (expecting 'l')"},
        {"\"\\x\"", "invalid character 'x' in string escape code"},
        {"\"\\u12g4\"", "invalid character 'g' in \\u hexadecimal character escape"},
        {"\"a\nb\"", "invalid character '\\n' in string literal"},
        {"\"a\x01\"", "invalid character '\\x01' in string literal"},
        {"-x", "invalid character 'x' in numeric literal"},
        {"1.x", "invalid character 'x' after decimal point in numeric literal"},
        {"1e+", "unexpected EOF"},
        {"1ex", "invalid character 'x' in exponent of numeric literal"},
        {"'k'", "invalid character '\\'' looking for beginning of value"},
        {"\xc3\xa9", "invalid character '\xc3\x83' looking for beginning of value"},
        {"{\"k\":\"v\"", "unexpected EOF"},
        {"\"open", "unexpected EOF"},
    };
    struct fakeetcd_json_scanner scanner;
    (void)state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        size_t used = 0;
        assert_int_equal(scan(&scanner, CASES[i].text, 1, &used), FAKEETCD_JSON_BAD);
        assert_string_equal(scanner.error, CASES[i].error);
        assert_int_equal(scan(&scanner, CASES[i].text, 100, &used), FAKEETCD_JSON_BAD);
        assert_string_equal(scanner.error, CASES[i].error);
    }
}

static void nothing__only_blanks__is_no_value(void **state)
{
    struct fakeetcd_json_scanner scanner;
    size_t used = 0;
    (void)state;
    assert_int_equal(scan(&scanner, "", 1, &used), FAKEETCD_JSON_NONE);
    assert_int_equal(scan(&scanner, " \r\n\t", 1, &used), FAKEETCD_JSON_NONE);
}

static void depth__beyond_gos_limit__is_refused(void **state)
{
    struct fakeetcd_json_scanner scanner;
    (void)state;
    fakeetcd_json_scanner_init(&scanner);
    size_t used = 0;
    for (int i = 0; i < FAKEETCD_JSON_DEPTH_MAX; i++) {
        assert_int_equal(fakeetcd_json_scan(&scanner, rt_slice_text("["), &used),
                         FAKEETCD_JSON_MORE);
    }
    assert_int_equal(fakeetcd_json_scan(&scanner, rt_slice_text("["), &used), FAKEETCD_JSON_BAD);
    assert_string_equal(scanner.error, "exceeded max depth");
}

static void whole_text__more_than_one_value__is_refused(void **state)
{
    struct fakeetcd_json_scanner scanner;
    (void)state;
    assert_string_equal(fakeetcd_json_check(&scanner, rt_slice_text(" 5 ")), "");
    assert_string_equal(fakeetcd_json_check(&scanner, rt_slice_text("5x")),
                        "invalid character 'x' after top-level value");
    assert_string_equal(fakeetcd_json_check(&scanner, rt_slice_text("")),
                        "unexpected end of JSON input");
    assert_string_equal(fakeetcd_json_check(&scanner, rt_slice_text("x")),
                        "invalid character 'x' looking for beginning of value");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(value__in_pieces_of_every_size__ends_where_it_ends),
        cmocka_unit_test(malformed__each_place__is_refused_in_gos_words),
        cmocka_unit_test(nothing__only_blanks__is_no_value),
        cmocka_unit_test(depth__beyond_gos_limit__is_refused),
        cmocka_unit_test(whole_text__more_than_one_value__is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
