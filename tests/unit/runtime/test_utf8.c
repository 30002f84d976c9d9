/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/utf8.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Each row is at an edge of table 3-7 of the Unicode standard. */

static void character__at_the_edges__has_its_length(void **state)
{
    static const struct {
        const char *text;
        size_t len_bytes;
    } rows[] = {
        {"\x7f", 1},         {"\xc2\x80", 2},         {"\xdf\xbf", 2},
        {"\xe0\xa0\x80", 3}, {"\xed\x9f\xbf", 3},     {"\xee\x80\x80", 3},
        {"\xef\xbf\xbf", 3}, {"\xf0\x90\x80\x80", 4}, {"\xf4\x8f\xbf\xbf", 4},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rt_slice text = rt_slice_text(rows[i].text);

        assert_int_equal(rt_utf8_character_bytes(text), rows[i].len_bytes);
        assert_int_equal(rt_utf8_valid_bytes(text), text.len_bytes);
    }
    assert_int_equal(rt_utf8_character_bytes(rt_slice_of("\0", 1)), 1);
}

static void character__cut_too_long_surrogate_or_too_high__is_none(void **state)
{
    static const char *const broken[] = {
        "\x80",         "\xbf",         "\xc0\x80",         "\xc1\xbf",
        "\xc2",         "\xc2\x7f",     "\xc2\xc0",         "\xe0\x9f\xbf",
        "\xe2\x82",     "\xe2\x28\xa1", "\xe2\x82\x28",     "\xed\xa0\x80",
        "\xed\xbf\xbf", "\xf0\x90\x80", "\xf0\x8f\xbf\xbf", "\xf0\x90\x80\x28",
        "\xff",         "\xfe",         "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        assert_int_equal(rt_utf8_character_bytes(rt_slice_text(broken[i])), 0);
        assert_int_equal(rt_utf8_valid_bytes(rt_slice_text(broken[i])), 0);
    }
    assert_int_equal(rt_utf8_character_bytes(rt_slice_of(NULL, 0)), 0);
}

static void valid__bad_byte_at_any_place__ends_there(void **state)
{
    char text[24];

    (void)state;
    assert_int_equal(rt_utf8_valid_bytes(rt_slice_of(NULL, 0)), 0);
    for (size_t at = 0; at < sizeof(text); at++) {
        memset(text, 'x', sizeof(text));
        assert_int_equal(rt_utf8_valid_bytes(rt_slice_of(text, sizeof(text))), sizeof(text));
        text[at] = '\xff';
        assert_int_equal(rt_utf8_valid_bytes(rt_slice_of(text, sizeof(text))), at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(character__at_the_edges__has_its_length),
        cmocka_unit_test(character__cut_too_long_surrogate_or_too_high__is_none),
        cmocka_unit_test(valid__bad_byte_at_any_place__ends_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
