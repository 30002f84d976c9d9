/* SPDX-License-Identifier: Apache-2.0 */
#include "fault_fixture.h"

/* What happens when, and which rules that arms. */

static void event__happened__stays_so(void **state)
{
    struct fixture *fx = *state;

    assert_false(fault_event_has_happened(fx->engine, "step.s1.done"));
    fault_event(fx->engine, "step.s1.done");
    assert_true(fault_event_has_happened(fx->engine, "step.s1.done"));
    assert_false(fault_event_has_happened(fx->engine, "step.s1.don"));
    assert_false(fault_event_has_happened(fx->engine, "step.s1.done2"));
    fault_event(NULL, "step.s1.done");
    assert_false(fault_event_has_happened(NULL, "step.s1.done"));
}

static void after__one_event__arms_the_rule(void **state)
{
    struct fixture *fx = *state;

    must_load(fx, "- { id: r, at: request, do: rst, after: step.s1.done }\n");
    assert_false(info_of(fx, "r").is_armed);
    assert_string_equal(who_fires(fx, "a"), "");
    fault_event(fx->engine, "step.s2.done");
    assert_string_equal(who_fires(fx, "a"), "");
    fault_event(fx->engine, "step.s1.done");
    assert_true(info_of(fx, "r").is_armed);
    assert_string_equal(who_fires(fx, "a"), "r");
}

static void after__list__needs_all_of_them_in_any_order(void **state)
{
    struct fixture *fx = *state;

    must_load(fx, "- { id: r, at: request, do: rst, after: [a.one, b.two, go] }\n");
    fault_event(fx->engine, "go");
    fault_event(fx->engine, "b.two");
    fault_event(fx->engine, "b.two"); /* twice is not two of them */
    assert_string_equal(who_fires(fx, "a"), "");
    fault_event(fx->engine, "a.one");
    assert_string_equal(who_fires(fx, "a"), "r");
}

static void after__event_of_the_past__arms_at_once(void **state)
{
    struct fixture *fx = *state;

    fault_event(fx->engine, "a.one");
    must_load(fx, "- { id: r, at: request, do: rst, after: a.one }\n");
    assert_true(info_of(fx, "r").is_armed);
    assert_string_equal(who_fires(fx, "a"), "r");
}

static void after__firing_of_another__arms_for_the_next_request(void **state)
{
    struct fixture *fx = *state;

    /* `second` is before `first` in the file and yet meets only what comes later. */
    must_load(fx, "- { id: second, at: request, do: 1*fin, after: fault.first.fired }\n"
                  "- { id: first, at: request, do: 1*rst }\n");
    assert_string_equal(who_fires(fx, "a"), "first");
    assert_true(fault_event_has_happened(fx->engine, "fault.first.fired"));
    assert_string_equal(who_fires(fx, "a"), "second");
    assert_string_equal(who_fires(fx, "a"), "");
}

static void after__kth_firing__waits_for_exactly_that(void **state)
{
    struct fixture *fx = *state;

    must_load(fx, "- { id: r, on: { op: get }, at: request, do: fin, after: 'fault.x.fired#3' }\n"
                  "- { id: x, on: { op: set }, at: request, do: rst }\n");
    for (int i = 0; i < 3; i++) {
        assert_null(ask(fx, GET, FAULT_AT_REQUEST, "a"));
        assert_string_equal(who_fires(fx, "a"), "x");
    }
    assert_non_null(ask(fx, GET, FAULT_AT_REQUEST, "a"));
}

static void firings__asked_for_later__are_known_by_number(void **state)
{
    struct fixture *fx = *state;

    must_load(fx, "- { id: x, at: request, do: rst }\n");
    assert_false(fault_event_has_happened(fx->engine, "fault.x.fired"));
    assert_string_equal(who_fires(fx, "a"), "x");
    assert_string_equal(who_fires(fx, "a"), "x");
    assert_true(fault_event_has_happened(fx->engine, "fault.x.fired"));
    assert_true(fault_event_has_happened(fx->engine, "fault.x.fired#1"));
    assert_true(fault_event_has_happened(fx->engine, "fault.x.fired#2"));
    assert_false(fault_event_has_happened(fx->engine, "fault.x.fired#3"));
    assert_false(fault_event_has_happened(fx->engine, "fault.y.fired"));
    must_load(fx, "- { id: r, on: { op: get }, at: request, do: fin, after: 'fault.x.fired#2' }\n");
    assert_true(info_of(fx, "r").is_armed);
}

static void firings__of_a_disarmed_rule__have_happened_all_the_same(void **state)
{
    struct fixture *fx = *state;

    must_load(fx, "- { id: x, at: request, do: rst }\n");
    assert_string_equal(who_fires(fx, "a"), "x");
    assert_int_equal(fault_disarm(fx->engine, "x"), RT_OK);
    assert_true(fault_event_has_happened(fx->engine, "fault.x.fired"));
    assert_false(fault_event_has_happened(fx->engine, "fault.x.fired#2"));
}

static void firings__of_a_new_rule_with_an_old_id__wake_who_waits(void **state)
{
    struct fixture *fx = *state;

    must_load(fx, "- { id: x, at: request, do: rst }\n"
                  "- { id: r, on: { op: get }, at: request, do: fin, after: fault.x.fired }\n");
    assert_int_equal(fault_disarm(fx->engine, "x"), RT_OK);
    must_load(fx, "- { id: x, on: { op: set }, at: request, do: rst }\n");
    assert_null(ask(fx, GET, FAULT_AT_REQUEST, "a"));
    assert_string_equal(who_fires(fx, "a"), "x");
    assert_non_null(ask(fx, GET, FAULT_AT_REQUEST, "a"));
}

static void nth__before_its_event__does_not_count(void **state)
{
    struct fixture *fx = *state;

    must_load(fx, "- { id: r, on: { nth: 2 }, at: request, do: rst, after: a.one }\n");
    assert_string_equal(who_fires(fx, "a"), "");
    fault_event(fx->engine, "a.one");
    assert_string_equal(who_fires(fx, "a"), "");
    assert_string_equal(who_fires(fx, "a"), "r");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(event__happened__stays_so),
        TEST(after__one_event__arms_the_rule),
        TEST(after__list__needs_all_of_them_in_any_order),
        TEST(after__event_of_the_past__arms_at_once),
        TEST(after__firing_of_another__arms_for_the_next_request),
        TEST(after__kth_firing__waits_for_exactly_that),
        TEST(firings__asked_for_later__are_known_by_number),
        TEST(firings__of_a_disarmed_rule__have_happened_all_the_same),
        TEST(firings__of_a_new_rule_with_an_old_id__wake_who_waits),
        TEST(nth__before_its_event__does_not_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
