/* SPDX-License-Identifier: Apache-2.0 */
#include "fault_fixture.h"

#include <stdio.h>

/* Faults of the process itself: who is told what, and when. */

struct told {
    struct fixture *fx;
    char text[256]; /* "worker-1 kill; " for each */
    struct fault_action last;
    const char *event; /* happens inside of the handler */
};

static void on_process_fault(void *arg, const char *worker, const struct fault_action *action)
{
    struct told *told = arg;
    size_t used = strlen(told->text);

    snprintf(told->text + used, sizeof(told->text) - used, "%s %s; ", worker,
             fault_action_word(action->kind));
    told->last = *action;
    if (told->event != NULL) {
        fault_event(told->fx->engine, told->event);
    }
}

static void worker__without_after__fires_when_the_loop_first_runs(void **state)
{
    struct fixture *fx = *state;
    struct told told = {.fx = fx};

    fault_engine_set_process_handler(fx->engine, on_process_fault, &told);
    must_load(fx, "- { id: k, on: { worker: worker-1 }, at: worker, do: 1*kill }\n");
    assert_string_equal(told.text, "");
    settle(fx);
    assert_string_equal(told.text, "worker-1 kill; ");
    assert_string_equal(told.last.rule_id, "k");
    assert_true(info_of(fx, "k").is_spent);
    assert_true(fault_event_has_happened(fx->engine, "fault.k.fired"));
    assert_int_equal(count_records(fx, RT_REC_FAULT_FIRED), 1);
    assert_string_equal(fx->records[0].actor, "worker-1");
    assert_string_equal(fx->records[0].detail, "kill at worker");
}

static void worker__after_an_event__fires_soon_after_it(void **state)
{
    struct fixture *fx = *state;
    struct told told = {.fx = fx};

    fault_engine_set_process_handler(fx->engine, on_process_fault, &told);
    must_load(fx, "- { id: k, at: worker, do: '1*restart(lost, 2s)', after: [a.one, b.two] }\n");
    settle(fx);
    fault_event(fx->engine, "a.one");
    settle(fx);
    assert_string_equal(told.text, "");
    fault_event(fx->engine, "b.two");
    assert_string_equal(told.text, ""); /* from the loop, not from inside of the event */
    settle(fx);
    assert_string_equal(told.text, " restart; ");
    assert_int_equal(told.last.duration_us, 2000000);
    assert_false(told.last.is_state_kept);
    fault_event(fx->engine, "b.two");
    settle(fx);
    assert_string_equal(told.text, " restart; ");
}

static void worker__each_time_the_event_happens__matches_again(void **state)
{
    struct fixture *fx = *state;
    struct told told = {.fx = fx};

    fault_engine_set_process_handler(fx->engine, on_process_fault, &told);
    must_load(fx, "- { id: k, at: worker, do: skip(1)->1*restart(kept)->kill, after: a.one }\n");
    for (int i = 0; i < 4; i++) {
        fault_event(fx->engine, "a.one");
        settle(fx);
    }
    assert_string_equal(told.text, " restart;  kill;  kill; ");
    assert_int_equal(info_of(fx, "k").matched, 4);
    assert_int_equal(info_of(fx, "k").fired, 3);
}

static void worker__after_something_of_the_past__fires_once(void **state)
{
    struct fixture *fx = *state;
    struct told told = {.fx = fx};

    fault_engine_set_process_handler(fx->engine, on_process_fault, &told);
    fault_event(fx->engine, "a.one");
    must_load(fx, "- { id: k, at: worker, do: kill, after: a.one }\n");
    settle(fx);
    assert_string_equal(told.text, " kill; ");
    settle(fx);
    assert_string_equal(told.text, " kill; ");
}

static void worker__after_another_fault__fires_when_that_does(void **state)
{
    struct fixture *fx = *state;
    struct told told = {.fx = fx};

    fault_engine_set_process_handler(fx->engine, on_process_fault, &told);
    must_load(fx, "- { id: k, at: worker, do: 1*kill, after: fault.lost.fired }\n"
                  "- { id: lost, at: request, do: 1*drop-reply }\n");
    settle(fx);
    assert_string_equal(told.text, "");
    assert_string_equal(who_fires(fx, "a"), "lost");
    settle(fx);
    assert_string_equal(told.text, " kill; ");
}

static void worker__without_handler__waits_for_one(void **state)
{
    struct fixture *fx = *state;
    struct told told = {.fx = fx};

    must_load(fx, "- { id: k, at: worker, do: 1*kill }\n");
    settle(fx);
    assert_int_equal(info_of(fx, "k").fired, 0);
    fault_engine_set_process_handler(fx->engine, on_process_fault, &told);
    settle(fx);
    assert_string_equal(told.text, " kill; ");
}

static void worker__event_that_it_causes_itself__makes_no_endless_turn(void **state)
{
    struct fixture *fx = *state;
    struct told told = {.fx = fx, .event = "worker-1.restarted"};

    fault_engine_set_process_handler(fx->engine, on_process_fault, &told);
    must_load(fx, "- { id: k, at: worker, do: 3*restart(kept), after: worker-1.restarted }\n");
    fault_event(fx->engine, "worker-1.restarted");
    settle(fx);
    assert_string_equal(told.text, " restart;  restart;  restart; ");
}

static void worker__disarmed_while_due__does_not_fire(void **state)
{
    struct fixture *fx = *state;
    struct told told = {.fx = fx};

    fault_engine_set_process_handler(fx->engine, on_process_fault, &told);
    must_load(fx, "- { id: k, at: worker, do: kill }\n");
    assert_int_equal(fault_disarm(fx->engine, "k"), RT_OK);
    settle(fx);
    assert_string_equal(told.text, "");
}

static void workers__several_at_once__come_in_the_order_of_the_file(void **state)
{
    struct fixture *fx = *state;
    struct told told = {.fx = fx};

    fault_engine_set_process_handler(fx->engine, on_process_fault, &told);
    must_load(fx, "- { id: z, on: { worker: w-1 }, at: worker, do: 1*kill, after: a.one }\n"
                  "- { id: a, on: { worker: w-2 }, at: worker, do: 1*kill, after: a.one }\n");
    fault_event(fx->engine, "a.one");
    settle(fx);
    assert_string_equal(told.text, "w-1 kill; w-2 kill; ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(worker__without_after__fires_when_the_loop_first_runs),
        TEST(worker__after_an_event__fires_soon_after_it),
        TEST(worker__each_time_the_event_happens__matches_again),
        TEST(worker__after_something_of_the_past__fires_once),
        TEST(worker__after_another_fault__fires_when_that_does),
        TEST(worker__without_handler__waits_for_one),
        TEST(worker__event_that_it_causes_itself__makes_no_endless_turn),
        TEST(worker__disarmed_while_due__does_not_fire),
        TEST(workers__several_at_once__come_in_the_order_of_the_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
