/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that end by their own deadline or are cancelled: once, on time, under their own counter. */
#include "omni_fixture.h"

#define MS UINT64_C(1000)

static struct omni_metrics none_of_upstreams_moved(struct fixture *fx)
{
    struct omni_metrics metrics = metrics_of(fx);

    assert_int_equal(metrics.puts + metrics.gets + metrics.errors + metrics.timeouts, 0);
    assert_int_equal(metrics.bytes_transferred, 0);
    return metrics;
}

static void get_until(struct fixture *fx, uint64_t deadline_us)
{
    int before = fx->get_count;

    assert_int_equal(omni_get_with_deadline(fx->connector, "0", "1", rt_slice_text("request"),
                                            deadline_us, on_get, fx),
                     RT_OK);
    assert_int_equal(fx->get_count, before); /* never from inside the call */
}

static void get_with(struct fixture *fx, struct omni_handle *handle)
{
    const struct omni_call_options options = {.handle = handle};

    assert_int_equal(
        omni_get_with(fx->connector, "0", "1", rt_slice_text("request"), &options, on_get, fx),
        RT_OK);
    assert_non_null(handle->call);
}

static void put_with(struct fixture *fx, const struct omni_call_options *options)
{
    assert_int_equal(omni_put_with(fx->connector, "0", "1", rt_slice_text("request"),
                                   text(fx, "hello"), options, on_put, fx),
                     RT_OK);
}

static void with__no_options__is_the_plain_call(void **state)
{
    struct fixture *fx = *state;
    create_ready(fx);
    put_with(fx, NULL);
    run(fx);
    assert_true(fx->put.is_success);
    assert_int_equal(
        omni_get_with(fx->connector, "0", "1", rt_slice_text("request"), NULL, on_get, fx), RT_OK);
    run(fx);
    assert_string_equal(fx->get_data, "\"hello\"");
}

/* ---- deadlines ------------------------------------------------------------------------------ */

static void get__client_says_nothing__ends_at_the_deadline_not_before(void **state)
{
    struct fixture *fx = *state;
    create_ready(fx);
    fx->script.answer = SCRIPT_HOLD;
    get_until(fx, 300 * MS);
    run_until_us(fx, 300 * MS - 1);
    assert_int_equal(fx->get_count, 0);
    assert_int_equal(metrics_of(fx).gets_in_flight, 1);
    run_until_us(fx, 300 * MS);

    assert_int_equal(fx->get_count, 1);
    assert_string_equal(fx->get_data, "nothing");
    assert_int_equal(fx->get.cause, DS_CAUSE_BACKEND_TIMEOUT);
    assert_int_equal(fx->get.status.code, K_RPC_DEADLINE_EXCEEDED);
    assert_int_equal(fx->get.status.detail, DS_DETAIL_DEADLINE);
    assert_string_equal(fx->get_text, "the deadline of the call has passed");
    assert_int_equal(fx->script.abandon_count, 1); /* nothing of it is left at the client */
    assert_int_equal(metrics_of(fx).timeouts, 1);
    assert_int_equal(metrics_of(fx).get_causes[DS_CAUSE_BACKEND_TIMEOUT], 1);
    assert_logged(fx, "error: YuanrongConnector get failed: code: [RPC deadline exceeded]");
    run(fx);
    assert_int_equal(fx->get_count, 1);
}

static void get__answered_before_the_deadline__the_deadline_does_nothing(void **state)
{
    struct fixture *fx = *state;
    create_ready(fx);
    put(fx, text(fx, "hello"));
    run(fx);
    fx->script.delay_us = 299 * MS;
    get_until(fx, rt_loop_now_us(fx->loop) + 300 * MS);
    run(fx);
    assert_int_equal(fx->get_count, 1);
    assert_string_equal(fx->get_data, "\"hello\"");
    assert_int_equal(fx->script.abandon_count, 0);
    assert_int_equal(rt_loop_now_us(fx->loop), 299 * MS); /* no timer was left */
}

static void get__deadline_has_passed__asks_nobody(void **state)
{
    struct fixture *fx = *state;
    create_ready(fx);
    run_until_us(fx, 1000);
    get_until(fx, 1000);
    run(fx);
    assert_int_equal(fx->get_count, 1);
    assert_int_equal(fx->get.status.detail, DS_DETAIL_DEADLINE);
    assert_int_equal(fx->script.get_count, 0);
    get_until(fx, 0);
    run(fx);
    assert_int_equal(fx->get_count, 2);
    assert_int_equal(fx->script.get_count, 0);
}

static void get__deadline_before_the_sub_timeout__the_worker_waits_no_longer(void **state)
{
    struct fixture *fx = *state;
    create_ready(fx); /* 1000 ms */
    fx->script.answer = SCRIPT_NULL;
    get_until(fx, 250 * MS + 999);
    assert_int_equal(fx->script.sub_timeout_ms, 250);
    run(fx);
    fx->get_count = 0;
    get_until(fx, rt_loop_now_us(fx->loop) + 5000 * MS);
    assert_int_equal(fx->script.sub_timeout_ms, 1000);
    run(fx);
}

static void get__closed_before_the_deadline__is_refused_once(void **state)
{
    struct fixture *fx = *state;
    create_ready(fx);
    fx->script.answer = SCRIPT_HOLD;
    get_until(fx, 300 * MS);
    omni_close(fx->connector);
    run(fx);
    assert_int_equal(fx->get_count, 1);
    assert_int_equal(fx->get.status.detail, DS_DETAIL_CLOSED);
    assert_int_equal(rt_loop_now_us(fx->loop), 0);
    assert_int_equal(none_of_upstreams_moved(fx).gets_refused_closed, 1);
}

static void put__client_says_nothing__ends_at_its_deadline_as_an_error(void **state)
{
    struct fixture *fx = *state;
    const struct omni_call_options options = {.has_deadline = true, .deadline_us = 300 * MS};
    create_ready(fx);
    fx->script.answer = SCRIPT_HOLD;
    put_with(fx, &options);
    run(fx);
    assert_int_equal(rt_loop_now_us(fx->loop), 300 * MS);
    assert_int_equal(fx->put_count, 1);
    assert_false(fx->put.is_success);
    assert_int_equal(fx->put.size_bytes, 0);
    assert_int_equal(fx->put.status.detail, DS_DETAIL_DEADLINE);
    assert_int_equal(metrics_of(fx).errors, 1);
    assert_int_equal(metrics_of(fx).put_causes[DS_CAUSE_BACKEND_TIMEOUT], 1);
}

/* ---- cancelling ----------------------------------------------------------------------------- */

static void cancel__get_in_flight__ends_once_under_its_own_counter(void **state)
{
    struct fixture *fx = *state;
    struct omni_handle handle = {.call = NULL};
    create_ready(fx);
    fx->script.answer = SCRIPT_HOLD;
    get_with(fx, &handle);
    run(fx);
    assert_true(omni_cancel(&handle));
    assert_int_equal(fx->get_count, 0); /* not from inside the call */
    assert_false(omni_cancel(&handle)); /* once */
    assert_int_equal(none_of_upstreams_moved(fx).gets_in_flight, 0);
    run(fx);

    assert_int_equal(fx->get_count, 1);
    assert_int_equal(fx->get.cause, DS_CAUSE_NONE);
    assert_int_equal(fx->get.status.code, K_RPC_CANCELLED);
    assert_int_equal(fx->get.status.detail, DS_DETAIL_CANCELLED);
    assert_string_equal(fx->get_text, "the call was cancelled");
    assert_int_equal(fx->script.abandon_count, 1);
    assert_int_equal(none_of_upstreams_moved(fx).gets_cancelled, 1);
}

static void cancel__put_in_flight__ends_once_under_its_own_counter(void **state)
{
    struct fixture *fx = *state;
    struct omni_handle handle = {.call = NULL};
    const struct omni_call_options options = {.handle = &handle};
    create_ready(fx);
    fx->script.answer = SCRIPT_HOLD;
    put_with(fx, &options);
    assert_true(omni_cancel(&handle));
    run(fx);
    assert_int_equal(fx->put_count, 1);
    assert_int_equal(fx->put.status.detail, DS_DETAIL_CANCELLED);
    assert_int_equal(fx->put.size_bytes, 0);
    assert_int_equal(none_of_upstreams_moved(fx).puts_cancelled, 1);
}

static void cancel__call_that_has_ended__there_is_none_to_cancel(void **state)
{
    struct fixture *fx = *state;
    struct omni_handle handle = {.call = NULL};
    create_ready(fx);
    fx->script.answer = SCRIPT_NULL;
    get_with(fx, &handle);
    run(fx);
    assert_null(handle.call);
    assert_false(omni_cancel(&handle));
    assert_int_equal(fx->get_count, 1);
    assert_int_equal(metrics_of(fx).empties, 1);
}

/* The end is known, the callback is due: too late. */
static void cancel__end_known_but_not_told__there_is_none_to_cancel(void **state)
{
    struct fixture *fx = *state;
    struct omni_handle handle = {.call = NULL};
    create_ready(fx);
    fx->script.answer = SCRIPT_HOLD;
    get_with(fx, &handle);
    omni_close(fx->connector);
    assert_false(omni_cancel(&handle));
    run(fx);
    assert_int_equal(fx->get_count, 1);
    assert_int_equal(fx->get.status.detail, DS_DETAIL_CLOSED);
}

static void cancel__same_handle_for_the_next_call__ends_that_one(void **state)
{
    struct fixture *fx = *state;
    struct omni_handle handle = {.call = NULL};
    create_ready(fx);
    fx->script.answer = SCRIPT_HOLD;
    for (int i = 1; i <= 3; i++) {
        get_with(fx, &handle);
        assert_true(omni_cancel(&handle));
        run(fx);
        assert_int_equal(fx->get_count, i);
    }
    assert_int_equal(none_of_upstreams_moved(fx).gets_cancelled, 3);
}

static void cancel__one_of_many__the_others_go_on(void **state)
{
    struct fixture *fx = *state;
    struct omni_handle handles[3] = {{NULL}};
    create_ready(fx);
    fx->script.answer = SCRIPT_NULL;
    fx->script.delay_us = 10 * MS;
    for (size_t i = 0; i < 3; i++) {
        get_with(fx, &handles[i]);
    }
    assert_true(omni_cancel(&handles[1]));
    run(fx);
    assert_int_equal(fx->get_count, 3);
    assert_int_equal(metrics_of(fx).gets_cancelled, 1);
    assert_int_equal(metrics_of(fx).empties, 2);
}

static void cancel__with_a_deadline_too__the_deadline_does_not_end_it_again(void **state)
{
    struct fixture *fx = *state;
    struct omni_handle handle = {.call = NULL};
    const struct omni_call_options options = {
        .has_deadline = true, .deadline_us = 300 * MS, .handle = &handle};
    create_ready(fx);
    fx->script.answer = SCRIPT_HOLD;
    assert_int_equal(
        omni_get_with(fx->connector, "0", "1", rt_slice_text("request"), &options, on_get, fx),
        RT_OK);
    assert_true(omni_cancel(&handle));
    run(fx);
    assert_int_equal(fx->get_count, 1);
    assert_int_equal(rt_loop_now_us(fx->loop), 0);
}

/* ---- nothing happened ----------------------------------------------------------------------- */

static void get_with__client_without_memory__the_handle_is_empty_and_no_timer_is_left(void **state)
{
    struct fixture *fx = *state;
    struct omni_handle handle = {.call = NULL};
    const struct omni_call_options options = {
        .has_deadline = true, .deadline_us = 300 * MS, .handle = &handle};
    create_ready(fx);
    fx->script.call_status = RT_E_NOMEM;
    assert_int_equal(
        omni_get_with(fx->connector, "0", "1", rt_slice_text("request"), &options, on_get, fx),
        RT_E_NOMEM);
    assert_null(handle.call);
    run(fx);
    assert_int_equal(rt_loop_now_us(fx->loop), 0);
    assert_int_equal(fx->get_count, 0);
    assert_int_equal(metrics_of(fx).get_calls, 0);
}

static void create__binding_that_cannot_abandon__has_a_hole(void **state)
{
    struct fixture *fx = *state;
    fx->script.ops.abandon = NULL;
    create(fx, NULL);
    assert_null(fx->connector);
    assert_non_null(strstr(fx->created_text, "KVClient"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(with__no_options__is_the_plain_call),
        TEST(get__client_says_nothing__ends_at_the_deadline_not_before),
        TEST(get__answered_before_the_deadline__the_deadline_does_nothing),
        TEST(get__deadline_has_passed__asks_nobody),
        TEST(get__deadline_before_the_sub_timeout__the_worker_waits_no_longer),
        TEST(get__closed_before_the_deadline__is_refused_once),
        TEST(put__client_says_nothing__ends_at_its_deadline_as_an_error),
        TEST(cancel__get_in_flight__ends_once_under_its_own_counter),
        TEST(cancel__put_in_flight__ends_once_under_its_own_counter),
        TEST(cancel__call_that_has_ended__there_is_none_to_cancel),
        TEST(cancel__end_known_but_not_told__there_is_none_to_cancel),
        TEST(cancel__same_handle_for_the_next_call__ends_that_one),
        TEST(cancel__one_of_many__the_others_go_on),
        TEST(cancel__with_a_deadline_too__the_deadline_does_not_end_it_again),
        TEST(get_with__client_without_memory__the_handle_is_empty_and_no_timer_is_left),
        TEST(create__binding_that_cannot_abandon__has_a_hole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
