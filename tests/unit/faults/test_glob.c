/* SPDX-License-Identifier: Apache-2.0 */
#include "fault_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "faults/glob_edit.h"
#include "runtime/glob.h"

static bool is_match(const char *glob, const char *text)
{
    return rt_glob_matches(rt_slice_text(glob), rt_slice_text(text));
}

static void glob__without_wildcards__matches_itself_only(void **state)
{
    (void)state;
    assert_true(is_match("req-1:a", "req-1:a"));
    assert_false(is_match("req-1:a", "req-1:"));
    assert_false(is_match("req-1:a", "req-1:ab"));
    assert_false(is_match("req-1:a", "Req-1:a"));
    assert_true(is_match("", ""));
    assert_false(is_match("", "a"));
    assert_false(is_match("a", ""));
}

static void glob__star__is_any_bytes_even_none(void **state)
{
    (void)state;
    assert_true(is_match("*", ""));
    assert_true(is_match("*", "a/b.c"));
    assert_true(is_match("a*", "a"));
    assert_true(is_match("a*c", "abcabc"));
    assert_false(is_match("a*c", "abcab"));
    assert_true(is_match("*a*b*", "xxaxxbxx"));
    assert_false(is_match("*a*b*", "xxbxxaxx"));
    assert_true(is_match("**", "ab"));
    assert_true(is_match("*aab", "aaaab"));
}

static void glob__question_mark__is_one_byte(void **state)
{
    (void)state;
    assert_true(is_match("?", "a"));
    assert_false(is_match("?", ""));
    assert_false(is_match("?", "ab"));
    assert_true(is_match("?*", "ab"));
    assert_false(is_match("?*", ""));
    assert_true(is_match("a?c", "a?c"));
}

static void glob__backslash__takes_the_next_byte_as_it_is(void **state)
{
    (void)state;
    assert_true(is_match("a\\*", "a*"));
    assert_false(is_match("a\\*", "ab"));
    assert_true(is_match("a\\?", "a?"));
    assert_false(is_match("a\\?", "ab"));
    assert_true(is_match("\\\\", "\\"));
    assert_true(is_match("\\a", "a"));
}

static void glob__other_letters__mean_nothing(void **state)
{
    (void)state;
    assert_true(is_match("[ab]", "[ab]"));
    assert_false(is_match("[ab]", "a"));
    assert_true(is_match("{a,b}", "{a,b}"));
    assert_true(is_match("*", ".hidden"));
}

static void glob__bytes_that_are_no_text__match_as_bytes(void **state)
{
    (void)state;
    assert_true(rt_glob_matches(rt_slice_of("a*\xff", 3), rt_slice_of("a\0b\xff", 4)));
    assert_false(rt_glob_matches(rt_slice_of("a*\xff", 3), rt_slice_of("a\0b\xfe", 4)));
}

static void glob__many_stars__take_no_exponential_time(void **state)
{
    static char glob[2001];
    static char text[20001];

    (void)state;
    for (size_t i = 0; i < 2000; i++) {
        glob[i] = i % 2 == 0 ? '*' : 'a';
    }
    memset(text, 'a', 20000);
    assert_true(is_match(glob, text));
    glob[1999] = 'b';
    assert_false(is_match(glob, text));
}

static void is_valid__escape_at_the_end__is_not(void **state)
{
    (void)state;
    assert_true(rt_glob_is_valid(rt_slice_text("")));
    assert_true(rt_glob_is_valid(rt_slice_text("a\\*b")));
    assert_true(rt_glob_is_valid(rt_slice_text("a\\\\")));
    assert_false(rt_glob_is_valid(rt_slice_text("a\\")));
    assert_false(rt_glob_is_valid(rt_slice_text("a\\\\\\")));
}

static void is_literal__wildcards__are_none(void **state)
{
    char text[16];
    size_t len_bytes;

    (void)state;
    assert_false(rt_glob_is_literal(rt_slice_text("a*"), text, &len_bytes));
    assert_false(rt_glob_is_literal(rt_slice_text("?a"), text, &len_bytes));
    assert_true(rt_glob_is_literal(rt_slice_text("a\\*\\\\b"), text, &len_bytes));
    assert_int_equal(len_bytes, 4);
    assert_memory_equal(text, "a*\\b", 4);
}

static void assert_edit(const char *glob, const char *text, const char *expected)
{
    char *edited = NULL;
    size_t len_bytes;
    FILE *out = open_memstream(&edited, &len_bytes);

    assert_int_equal(fault__glob_print_edit(out, rt_slice_text(glob), rt_slice_text(text)), RT_OK);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(edited, expected);
    assert_true(is_match(edited, text));
    free(edited);
}

static void edit__one_byte_is_wrong__changes_only_that(void **state)
{
    (void)state;
    assert_edit("a*", "b", "b*");
    assert_edit("req-1:*", "req-2:edge", "req-2:*");
    assert_edit("req-1:*", "req-1_edge", "req-1_*");
    assert_edit("abc", "ab", "ab");
    assert_edit("ab", "abc", "abc");
    assert_edit("a?c", "axd", "a?d");
}

static void edit__text_with_special_letters__escapes_them(void **state)
{
    (void)state;
    assert_edit("a", "*", "\\*");
    assert_edit("ab", "a?", "a\\?");
    assert_edit("ab", "a\\", "a\\\\");
}

static void edit__what_matches_already__stays(void **state)
{
    (void)state;
    assert_edit("a*c", "abc", "a*c");
    assert_edit("*", "", "*");
    assert_edit("a\\*", "a*", "a\\*");
}

static void edit__any_pair_of_short_texts__matches_afterwards(void **state)
{
    static const char letters[] = {'a', 'b', '*', '?'};
    char glob[5] = "";
    char text[4] = "";

    (void)state;
    for (unsigned g = 0; g < 256; g++) {
        for (unsigned t = 0; t < 64; t++) {
            char *edited = NULL;
            size_t len_bytes;
            FILE *out = open_memstream(&edited, &len_bytes);

            for (unsigned i = 0; i < 4; i++) {
                glob[i] = letters[g >> 2 * i & 3];
                text[i < 3 ? i : 3] = i < 3 ? letters[t >> 2 * i & 3] : '\0';
            }
            assert_int_equal(fault__glob_print_edit(out, rt_slice_text(glob), rt_slice_text(text)),
                             RT_OK);
            assert_int_equal(fclose(out), 0);
            assert_true(is_match(edited, text));
            if (is_match(glob, text)) {
                assert_string_equal(edited, glob);
            }
            free(edited);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(glob__without_wildcards__matches_itself_only),
        cmocka_unit_test(glob__star__is_any_bytes_even_none),
        cmocka_unit_test(glob__question_mark__is_one_byte),
        cmocka_unit_test(glob__backslash__takes_the_next_byte_as_it_is),
        cmocka_unit_test(glob__other_letters__mean_nothing),
        cmocka_unit_test(glob__bytes_that_are_no_text__match_as_bytes),
        cmocka_unit_test(glob__many_stars__take_no_exponential_time),
        cmocka_unit_test(is_valid__escape_at_the_end__is_not),
        cmocka_unit_test(is_literal__wildcards__are_none),
        cmocka_unit_test(edit__one_byte_is_wrong__changes_only_that),
        cmocka_unit_test(edit__text_with_special_letters__escapes_them),
        cmocka_unit_test(edit__what_matches_already__stays),
        cmocka_unit_test(edit__any_pair_of_short_texts__matches_afterwards),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
