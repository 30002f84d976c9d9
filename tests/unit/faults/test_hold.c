/* SPDX-License-Identifier: Apache-2.0 */
#include "fault_fixture.h"

#include <stdio.h>

/* What is held, how long, and in which order it goes on. */

struct waiter {
    struct fixture *fx;
    struct fault_hold hold;
    char letter;
    uint64_t resumed_us;
    int resumed_count;
};

static char order[16]; /* letters of those who went on */

static void on_resume(void *arg)
{
    struct waiter *waiter = arg;
    size_t used = strlen(order);

    waiter->resumed_us = rt_loop_now_us(waiter->fx->loop);
    waiter->resumed_count++;
    if (used + 1 < sizeof(order)) {
        order[used] = waiter->letter;
        order[used + 1] = '\0';
    }
}

static void hold_it(struct waiter *waiter, const struct fault_action *action)
{
    assert_non_null(action);
    assert_int_equal(fault_hold_start(waiter->fx->engine, &waiter->hold, action, on_resume, waiter),
                     RT_OK);
}

static const struct fault_action *next_action(struct fixture *fx)
{
    return ask(fx, SET, FAULT_AT_REQUEST, "a");
}

static int start(void **state)
{
    order[0] = '\0';
    return set_up(state);
}

static void delay__its_time__goes_on_then_and_not_before(void **state)
{
    struct fixture *fx = *state;
    struct waiter waiter = {.fx = fx};

    arm(fx, "delay(250ms)");
    hold_it(&waiter, next_action(fx));
    assert_int_equal(info_of(fx, "r").holding, 1);
    let_pass_us(fx, 249999);
    assert_int_equal(waiter.resumed_count, 0);
    let_pass_us(fx, 1);
    assert_int_equal(waiter.resumed_count, 1);
    assert_int_equal(waiter.resumed_us, 250000);
    assert_int_equal(info_of(fx, "r").holding, 0);
}

static void stall__with_and_without_time__ends_or_never_does(void **state)
{
    struct fixture *fx = *state;
    struct waiter timed = {.fx = fx};
    struct waiter endless = {.fx = fx};

    arm(fx, "1*stall(1s)->stall");
    hold_it(&timed, next_action(fx));
    hold_it(&endless, next_action(fx));
    let_pass_us(fx, 3600 * UINT64_C(1000000));
    assert_int_equal(timed.resumed_us, 1000000);
    assert_int_equal(endless.resumed_count, 0);
    fault_hold_cancel(&endless.hold);
}

static void hold__its_event__goes_on_from_the_loop(void **state)
{
    struct fixture *fx = *state;
    struct waiter waiter = {.fx = fx};

    arm(fx, "hold(step.s1.done)");
    hold_it(&waiter, next_action(fx));
    let_pass_us(fx, 5000000);
    fault_event(fx->engine, "step.s2.done");
    let_pass_us(fx, 1);
    assert_int_equal(waiter.resumed_count, 0);
    fault_event(fx->engine, "step.s1.done");
    assert_int_equal(waiter.resumed_count, 0);
    settle(fx);
    assert_int_equal(waiter.resumed_count, 1);
    assert_int_equal(waiter.resumed_us, 5000001);
    assert_int_equal(count_records(fx, RT_REC_FAULT_RELEASED), 1);
    assert_string_equal(fx->records[1].subject, "r");
    assert_string_equal(fx->records[1].detail, "hold(step.s1.done)");
}

static void hold__event_of_the_past__goes_on_soon_but_not_at_once(void **state)
{
    struct fixture *fx = *state;
    struct waiter waiter = {.fx = fx};

    arm(fx, "hold(step.s1.done)");
    fault_event(fx->engine, "step.s1.done");
    hold_it(&waiter, next_action(fx));
    assert_int_equal(waiter.resumed_count, 0);
    settle(fx);
    assert_int_equal(waiter.resumed_count, 1);
    assert_int_equal(info_of(fx, "r").holding, 0);
}

static void hold__without_event__never_goes_on(void **state)
{
    struct fixture *fx = *state;
    struct waiter waiter = {.fx = fx};

    arm(fx, "hold");
    hold_it(&waiter, next_action(fx));
    let_pass_us(fx, 3600 * UINT64_C(1000000));
    assert_int_equal(waiter.resumed_count, 0);
    assert_int_equal(info_of(fx, "r").holding, 1);
    fault_hold_cancel(&waiter.hold);
    assert_int_equal(info_of(fx, "r").holding, 0);
}

static void holds__of_one_event__go_on_in_the_order_they_began(void **state)
{
    struct fixture *fx = *state;
    struct waiter waiters[4] = {{.fx = fx, .letter = 'a'},
                                {.fx = fx, .letter = 'b'},
                                {.fx = fx, .letter = 'c'},
                                {.fx = fx, .letter = 'd'}};

    must_load(fx, "- { id: one, at: request, do: 2*hold(a.one) }\n"
                  "- { id: two, at: request, do: 2*hold(a.one) }\n");
    for (size_t i = 0; i < 4; i++) {
        hold_it(&waiters[i], next_action(fx));
    }
    fault_event(fx->engine, "a.one");
    settle(fx);
    assert_string_equal(order, "abcd");
}

static void hold__until_another_fault_fires__goes_on_then(void **state)
{
    struct fixture *fx = *state;
    struct waiter waiter = {.fx = fx};

    must_load(fx, "- { id: h, on: { op: set }, at: request, do: hold(fault.x.fired) }\n"
                  "- { id: x, on: { op: get }, at: request, do: rst }\n");
    hold_it(&waiter, next_action(fx));
    settle(fx);
    assert_int_equal(waiter.resumed_count, 0);
    assert_non_null(ask(fx, GET, FAULT_AT_REQUEST, "a"));
    settle(fx);
    assert_int_equal(waiter.resumed_count, 1);
}

static void cancel__in_each_state__stops_it_once_and_for_all(void **state)
{
    struct fixture *fx = *state;
    struct waiter by_time = {.fx = fx};
    struct waiter by_event = {.fx = fx};
    struct waiter resuming = {.fx = fx};

    arm(fx, "1*delay(1ms)->2*hold(a.one)");
    hold_it(&by_time, next_action(fx));
    hold_it(&by_event, next_action(fx));
    hold_it(&resuming, next_action(fx));
    fault_hold_cancel(&by_time.hold);
    fault_hold_cancel(&by_event.hold);
    fault_hold_cancel(&by_event.hold);
    fault_event(fx->engine, "a.one");
    fault_hold_cancel(&resuming.hold);
    let_pass_us(fx, 10000);
    assert_int_equal(by_time.resumed_count + by_event.resumed_count + resuming.resumed_count, 0);
    assert_int_equal(info_of(fx, "r").holding, 0);
    assert_int_equal(count_records(fx, RT_REC_FAULT_RELEASED), 0);
}

static void cancel__never_started__is_nothing(void **state)
{
    struct fault_hold hold = {.link = NULL};

    (void)state;
    fault_hold_cancel(&hold);
}

static void hold__used_again__holds_again(void **state)
{
    struct fixture *fx = *state;
    struct waiter waiter = {.fx = fx};

    arm(fx, "delay(1ms)");
    hold_it(&waiter, next_action(fx));
    let_pass_us(fx, 1000);
    hold_it(&waiter, next_action(fx));
    let_pass_us(fx, 1000);
    assert_int_equal(waiter.resumed_count, 2);
}

static void disarm__rule_that_holds__lets_its_holds_go_and_no_others(void **state)
{
    struct fixture *fx = *state;
    struct waiter first = {.fx = fx, .letter = 'a'};
    struct waiter second = {.fx = fx, .letter = 'b'};
    struct waiter other = {.fx = fx, .letter = 'c'};

    must_load(fx, "- { id: r, on: { op: set }, at: request, do: 1*hold(a.one)->hold }\n"
                  "- { id: s, on: { op: get }, at: request, do: hold(a.one) }\n");
    hold_it(&first, next_action(fx));
    hold_it(&other, ask(fx, GET, FAULT_AT_REQUEST, "a"));
    hold_it(&second, next_action(fx));
    assert_int_equal(fault_disarm(fx->engine, "r"), RT_OK);
    settle(fx);
    assert_int_equal(first.resumed_count, 1);
    assert_int_equal(second.resumed_count, 1);
    assert_int_equal(other.resumed_count, 0);
    fault_hold_cancel(&other.hold);
}

static void engine__destroyed__drops_what_it_holds(void **state)
{
    struct fixture *fx = *state;
    struct waiter waiters[3] = {{.fx = fx}, {.fx = fx}, {.fx = fx}};

    arm(fx, "1*delay(1ms)->1*hold(a.one)->1*hold(b.two)");
    for (size_t i = 0; i < 3; i++) {
        hold_it(&waiters[i], next_action(fx));
    }
    fault_event(fx->engine, "b.two");
    start_again(fx, 1);
    let_pass_us(fx, 10000);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(waiters[i].resumed_count, 0);
        fault_hold_cancel(&waiters[i].hold); /* its owner may still do that */
    }
}

static void wait__with_an_action_of_its_own__needs_no_fault(void **state)
{
    const struct fault_action action = {.kind = FAULT_HOLD, .event = "a.one"};
    struct fixture *fx = *state;
    struct waiter waiter = {.fx = fx};

    hold_it(&waiter, &action);
    settle(fx);
    assert_int_equal(waiter.resumed_count, 0);
    fault_event(fx->engine, "a.one");
    settle(fx);
    assert_int_equal(waiter.resumed_count, 1);
    assert_int_equal(fx->record_count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(delay__its_time__goes_on_then_and_not_before),
        TEST(stall__with_and_without_time__ends_or_never_does),
        TEST(hold__its_event__goes_on_from_the_loop),
        TEST(hold__event_of_the_past__goes_on_soon_but_not_at_once),
        TEST(hold__without_event__never_goes_on),
        TEST(holds__of_one_event__go_on_in_the_order_they_began),
        TEST(hold__until_another_fault_fires__goes_on_then),
        TEST(cancel__in_each_state__stops_it_once_and_for_all),
        TEST(cancel__never_started__is_nothing),
        TEST(hold__used_again__holds_again),
        TEST(disarm__rule_that_holds__lets_its_holds_go_and_no_others),
        TEST(engine__destroyed__drops_what_it_holds),
        TEST(wait__with_an_action_of_its_own__needs_no_fault),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
