/* SPDX-License-Identifier: Apache-2.0 */
#include "fault_fixture.h"

#include <stdio.h>

/* Each mistake in a trigger is shown where it is. */

#define TRIGGER_COLUMN 7 /* of what follows "  do: " */

struct mistake {
    const char *trigger;
    uint32_t offset;
    uint32_t caret_count;
    const char *words;
};

static void assert_each_is_shown(struct fixture *fx, const struct mistake *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char yaml[256];

        snprintf(yaml, sizeof(yaml), "- id: r\n  at: request\n  do: %s\n", rows[i].trigger);
        assert_refused(fx, yaml, 3, TRIGGER_COLUMN + rows[i].offset, rows[i].caret_count,
                       rows[i].words);
        assert_int_equal(doc_error_total_count(fx->errors), 1);
    }
}

#define ASSERT_EACH_IS_SHOWN(fx, rows)                                                             \
    assert_each_is_shown((fx), (rows), sizeof(rows) / sizeof((rows)[0]))

static void prefix__wrong__is_shown(void **state)
{
    static const struct mistake rows[] = {
        {"3drop-reply", 0, 1, "%"},
        {"5.%drop-reply", 0, 1, "%"},
        {"0*drop-reply", 0, 2, "count"},
        {"1.5*drop-reply", 0, 4, "count"},
        {"99999999999*drop-reply", 0, 12, "count"},
        {"0%drop-reply", 0, 2, "probability"},
        {"101%drop-reply", 0, 4, "probability"},
        {"50%50%drop-reply", 3, 3, "probability"},
        {"1*50%drop-reply", 2, 2, "unknown action"},
    };

    ASSERT_EACH_IS_SHOWN(*state, rows);
}

static void chain__wrong__is_shown(void **state)
{
    static const struct mistake rows[] = {
        {"drop-reply->rst", 10, 2, "never reached"}, {"50%drop-reply->rst", 13, 2, "never reached"},
        {"1*drop-reply rst", 13, 3, "->"},           {"1*drop-reply-rst", 2, 14, "unknown action"},
        {"1*drop-reply->->rst", 14, 1, "missing"},   {"off(1)", 3, 1, "no argument"},
    };

    ASSERT_EACH_IS_SHOWN(*state, rows);
}

static void skip__wrong__is_shown(void **state)
{
    static const struct mistake rows[] = {
        {"2*skip(1)->rst", 0, 2, "skip"},
        {"50%skip(1)->rst", 0, 3, "skip"},
        {"1*drop-reply->skip(1)", 14, 4, "first"},
        {"skip->rst", 0, 4, "skip"},
        {"skip()->rst", 0, 6, "skip"},
        {"skip(0)->rst", 0, 7, "skip"},
        {"skip(-1)->rst", 0, 8, "skip"},
        {"skip(two)->rst", 0, 9, "skip"},
        {"skip(1, 2)->rst", 0, 10, "skip"},
        {"skip(1) rst", 8, 3, "->"},
    };

    ASSERT_EACH_IS_SHOWN(*state, rows);
}

static void arguments__wrong_in_number_or_form__are_shown(void **state)
{
    static const struct mistake rows[] = {
        {"drop-reply(1)", 10, 1, "no argument"},  {"drop-reply()", 10, 1, "no argument"},
        {"status", 0, 6, "needs an argument"},    {"status()", 0, 8, "needs an argument"},
        {"delay", 0, 5, "needs an argument"},     {"status(1, \"a\", 3)", 6, 11, "too many"},
        {"delay(1s, 2s)", 5, 8, "too many"},      {"status(K_TRY_AGAIN", 6, 1, "never closed"},
        {"status(", 6, 1, "never closed"},        {"status(1, \"busy)", 10, 1, "never closed"},
        {"status(1,,)", 9, 1, "missing"},         {"status(1 \"a\")", 9, 1, "comma"},
        {"status(1, \"a\\x\")", 12, 2, "escape"}, {"status(1, busy)", 10, 4, "quotes"},
    };

    ASSERT_EACH_IS_SHOWN(*state, rows);
}

static void arguments__of_wrong_value__are_shown(void **state)
{
    static const struct mistake rows[] = {
        {"status(K_NOTHING_LIKE_IT)", 7, 17, "status code"},
        {"status(\"K_TRY_AGAIN\")", 7, 13, "status code"},
        {"delay(0s)", 6, 2, "more than 0"},
        {"stall(0ms)", 6, 3, "more than 0"},
        {"delay(\"5s\")", 6, 4, "quotes"},
        {"hold(5s)", 5, 2, "event"},
        {"hold(step.)", 5, 5, "event"},
        {"hold(.done)", 5, 5, "event"},
        {"hold(\"a.b\")", 5, 5, "event"},
        {"hold(fault.x.fired#0)", 5, 15, "event"},
        {"restart(sometimes)", 8, 9, "kept or lost"},
        {"bytes(0)", 6, 1, "two"},
        {"bytes(0g)", 6, 2, "hexadecimal"},
        {"hole(Nothing)", 5, 7, "symbol"},
    };

    ASSERT_EACH_IS_SHOWN(*state, rows);
}

static void duration__without_unit__is_shown_where_it_is(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(load(fx, "- { id: r, at: request, do: delay(250) }\n"), RT_E_INVALID);
    assert_int_equal(doc_error_total_count(fx->errors), 1);
    assert_non_null(find_error(fx, "unit"));
    assert_true(find_error(fx, "unit")->column >= 35);
}

static void action__misspelt__has_the_nearest_word(void **state)
{
    struct fixture *fx = *state;

    assert_refused(fx, "- { id: r, at: request, do: 1*drop-repyl }\n", 1, 31, 10, "unknown action");
    assert_string_equal(find_error(fx, "unknown action")->nearest_word, "drop-reply");
}

static void words_of_arguments__misspelt__have_the_nearest_word(void **state)
{
    struct fixture *fx = *state;

    assert_refused(fx, "- { id: r, at: request, do: status(K_TRY_AGIAN) }\n", 1, 36, 11, "code");
    assert_non_null(strstr(find_error(fx, "code")->help, "K_TRY_AGAIN"));
    assert_refused(fx, "- { id: r, at: request, do: restart(lots) }\n", 1, 37, 4, "kept");
    assert_string_equal(find_error(fx, "kept")->nearest_word, "lost");
    assert_refused(fx, "- { id: r, at: request, do: hole(kvclient) }\n", 1, 34, 8, "symbol");
    assert_string_equal(find_error(fx, "symbol")->nearest_word, "KVClient");
}

static void trigger__empty_or_only_skip__is_refused(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(load(fx, "- { id: r, at: request, do: '' }\n"), RT_E_INVALID);
    assert_non_null(find_error(fx, "missing"));
    assert_int_equal(load(fx, "- { id: r, at: request, do: '1*rst->' }\n"), RT_E_INVALID);
    assert_non_null(find_error(fx, "missing"));
    assert_int_equal(load(fx, "- { id: r, at: request, do: '3*' }\n"), RT_E_INVALID);
    assert_non_null(find_error(fx, "missing"));
    assert_int_equal(load(fx, "- { id: r, at: request, do: skip(1) }\n"), RT_E_INVALID);
    assert_non_null(find_error(fx, "skip"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(prefix__wrong__is_shown),
        TEST(chain__wrong__is_shown),
        TEST(skip__wrong__is_shown),
        TEST(arguments__wrong_in_number_or_form__are_shown),
        TEST(arguments__of_wrong_value__are_shown),
        TEST(duration__without_unit__is_shown_where_it_is),
        TEST(action__misspelt__has_the_nearest_word),
        TEST(words_of_arguments__misspelt__have_the_nearest_word),
        TEST(trigger__empty_or_only_skip__is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
