/* SPDX-License-Identifier: Apache-2.0 */
#include "fault_fixture.h"

/* What a rule that never fired has to say for itself. */

static void assert_closest(struct fixture *fx, const char *text, const char *edit)
{
    struct fault_rule_info info = info_of(fx, "r");

    assert_string_equal(info.closest, text);
    assert_string_equal(info.closest_edit, edit);
}

static void nothing_came__there__is_no_closest(void **state)
{
    struct fixture *fx = *state;

    must_load(fx, "- { id: r, on: { op: set, key: 'a*' }, at: request, do: rst }\n");
    assert_null(ask(fx, GET, FAULT_AT_REQUEST, "b"));
    assert_closest(fx, "", "");
}

static void key__did_not_match__is_named_with_the_smallest_change(void **state)
{
    struct fixture *fx = *state;

    must_load(fx, "- { id: r, on: { op: set, key: 'a*' }, at: request, do: rst }\n");
    assert_string_equal(who_fires(fx, "b"), "");
    assert_closest(fx, "set at request, key \"b\": key is \"b\", wanted \"a*\"", "key: \"b*\"");
}

static void key__of_bytes_that_are_no_text__is_escaped(void **state)
{
    struct fixture *fx = *state;

    must_load(fx, "- { id: r, on: { op: set, key: x }, at: request, do: rst }\n");
    assert_string_equal(who_fires(fx, "\"\x01\\"), "");
    assert_non_null(strstr(info_of(fx, "r").closest, "\"\\\"\\x01\\\\\""));
}

static void key__wanted_where_there_is_none__is_said(void **state)
{
    struct fixture *fx = *state;

    must_load(fx, "- { id: r, on: { op: set, key: x }, at: request, do: rst }\n");
    assert_null(ask(fx, SET, FAULT_AT_REQUEST, NULL));
    assert_closest(fx, "set at request: key is not given, wanted \"x\"", "no key");
}

static void several__fewest_failing_conditions__is_the_closest(void **state)
{
    struct fixture *fx = *state;

    must_load(fx, "- { id: r, on: { op: set, key: 'a*', client: c-2 }, at: request, do: rst }\n");
    assert_string_equal(who_fires(fx, "b"), "");
    assert_string_equal(who_fires(fx, "a1"), "");
    assert_string_equal(who_fires(fx, "c"), "");
    assert_closest(fx, "set at request, key \"a1\": client is \"client-1\", wanted \"c-2\"",
                   "client: client-1");
}

static void worker__did_not_match__is_named(void **state)
{
    struct fixture *fx = *state;

    must_load(fx, "- { id: r, on: { worker: worker-2 }, at: connect, do: refuse }\n");
    assert_null(ask(fx, NONE, FAULT_AT_CONNECT, NULL));
    assert_closest(fx, "connect: worker is \"worker-1\", wanted \"worker-2\"", "worker: worker-1");
}

static void nth__never_reached__says_how_many_came(void **state)
{
    struct fixture *fx = *state;

    must_load(fx, "- { id: r, on: { op: set, nth: 3 }, at: request, do: rst }\n");
    assert_string_equal(who_fires(fx, "a"), "");
    assert_non_null(strstr(info_of(fx, "r").closest, "number 1, wanted number 3"));
    assert_string_equal(info_of(fx, "r").closest_edit, "nth: 1");
}

static void after__came_too_early__is_said(void **state)
{
    struct fixture *fx = *state;

    must_load(fx, "- { id: r, on: { op: set }, at: request, do: rst, after: [a.one, b.two] }\n");
    assert_string_equal(who_fires(fx, "a"), "");
    assert_closest(fx, "set at request, key \"a\": it came before a.one, b.two", "no after");
}

static void matched__but_skipped__is_said(void **state)
{
    struct fixture *fx = *state;

    arm(fx, "skip(3)->rst");
    assert_string_equal(who_fires(fx, "a"), "");
    assert_string_equal(who_fires(fx, "a"), "");
    assert_non_null(strstr(info_of(fx, "r").closest, "matched 2 times"));
    assert_non_null(strstr(info_of(fx, "r").closest, "skip(3)"));
}

static void matched__but_never_drawn__is_said(void **state)
{
    struct fixture *fx = *state;

    arm(fx, "0.0001%rst");
    assert_string_equal(who_fires(fx, "a"), "");
    assert_non_null(strstr(info_of(fx, "r").closest, "matched 1 time,"));
    assert_non_null(strstr(info_of(fx, "r").closest, "0.0001%"));
}

static void fired__afterwards__has_nothing_to_say(void **state)
{
    struct fixture *fx = *state;

    must_load(fx, "- { id: r, on: { op: set, key: 'a*' }, at: request, do: rst }\n");
    assert_string_equal(who_fires(fx, "b"), "");
    assert_string_not_equal(info_of(fx, "r").closest, "");
    assert_string_equal(who_fires(fx, "a"), "r");
    assert_closest(fx, "", "");
}

static void asked_again__text__stays_where_it_is(void **state)
{
    struct fixture *fx = *state;
    const char *first;

    must_load(fx, "- { id: r, on: { op: set, key: 'a*' }, at: request, do: rst }\n");
    assert_string_equal(who_fires(fx, "b"), "");
    first = info_of(fx, "r").closest;
    assert_ptr_equal(info_of(fx, "r").closest, first);
}

static void key__longer_than_kept__does_no_harm(void **state)
{
    struct fixture *fx = *state;
    char key[2000];

    memset(key, 'k', sizeof(key) - 1);
    key[sizeof(key) - 1] = '\0';
    must_load(fx, "- { id: r, on: { op: set, key: 'a*' }, at: request, do: rst }\n");
    assert_string_equal(who_fires(fx, key), "");
    assert_true(strlen(info_of(fx, "r").closest) < 1000);
}

static void many_exact_keys__one_letter_off__is_still_told(void **state)
{
    struct fixture *fx = *state;

    must_load(fx, "- { id: a, on: { key: k1 }, at: request, do: rst }\n"
                  "- { id: b, on: { key: k2 }, at: request, do: rst }\n"
                  "- { id: c, on: { key: k3 }, at: request, do: rst }\n"
                  "- { id: d, on: { key: k4 }, at: request, do: rst }\n"
                  "- { id: e, on: { key: k5 }, at: request, do: rst }\n"
                  "- { id: f, on: { key: k6 }, at: request, do: rst }\n"
                  "- { id: g, on: { key: k7 }, at: request, do: rst }\n"
                  "- { id: h, on: { key: k8 }, at: request, do: rst }\n"
                  "- { id: i, on: { key: k9 }, at: request, do: rst }\n"
                  "- { id: r, on: { key: wanted }, at: request, do: rst }\n");
    assert_string_equal(who_fires(fx, "wantet"), "");
    assert_closest(fx, "set at request, key \"wantet\": key is \"wantet\", wanted \"wanted\"",
                   "key: \"wantet\"");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_came__there__is_no_closest),
        TEST(key__did_not_match__is_named_with_the_smallest_change),
        TEST(key__of_bytes_that_are_no_text__is_escaped),
        TEST(key__wanted_where_there_is_none__is_said),
        TEST(several__fewest_failing_conditions__is_the_closest),
        TEST(worker__did_not_match__is_named),
        TEST(nth__never_reached__says_how_many_came),
        TEST(after__came_too_early__is_said),
        TEST(matched__but_skipped__is_said),
        TEST(matched__but_never_drawn__is_said),
        TEST(fired__afterwards__has_nothing_to_say),
        TEST(asked_again__text__stays_where_it_is),
        TEST(key__longer_than_kept__does_no_harm),
        TEST(many_exact_keys__one_letter_off__is_still_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
