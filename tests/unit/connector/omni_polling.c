/* SPDX-License-Identifier: Apache-2.0 */
/* The retrieval model of upstream's MooncakeStoreConnector (docs/reference/connector.md, Retrieval
 * models). */
#include "omni_fixture.h"

#define MS UINT64_C(1000)

static int set_up_polling(void **state)
{
    int result = set_up(state);
    ((struct fixture *)*state)->model = OMNI_POLLING;
    return result;
}

static void create__no_options__twenty_looks_and_no_sub_timeout(void **state)
{
    struct fixture *fx = *state;
    create_ready(fx);
    answer_status(fx, K_NOT_FOUND, DS_DETAIL_ANSWERED, "Cannot get objects from worker");
    get(fx);
    run(fx);
    assert_int_equal(fx->script.get_count, 20);
    assert_int_equal(fx->script.sub_timeout_ms, 0);
    assert_int_equal(rt_loop_now_us(fx->loop), 19 * 50 * MS); /* no pause after the last */
    assert_string_equal(fx->script.key, "request@0_1");
    assert_int_equal(fx->get_count, 1);
    assert_int_equal(fx->get.cause, DS_CAUSE_NOT_FOUND);
    assert_int_equal(fx->get.status.code, K_NOT_FOUND);
    assert_string_equal(fx->get_text, "timeout waiting for request@0_1 after 20 tries; the last: "
                                      "Cannot get objects from worker");
    assert_int_equal(metrics_of(fx).timeouts, 1);
    assert_int_equal(metrics_of(fx).get_causes[DS_CAUSE_NOT_FOUND], 1);
    assert_int_equal(metrics_of(fx).fetch.count, 20);
}

static void create__options__are_read_as_pythons_int(void **state)
{
    struct fixture *fx = *state;
    struct omni_pair pairs[] = {{text(fx, "poll_tries"), text(fx, " 3 ")},
                                {text(fx, "poll_interval_ms"), omni_int(fx->arena, 7)},
                                {text(fx, "get_sub_timeout_ms"), text(fx, "not looked at")}};
    create(fx, omni_map(fx->arena, pairs, 3));
    assert_non_null(fx->connector);
    answer_status(fx, K_NOT_FOUND, DS_DETAIL_ANSWERED, "");
    get(fx);
    run(fx);
    assert_int_equal(fx->script.get_count, 3);
    assert_int_equal(rt_loop_now_us(fx->loop), 14 * MS);
}

static void create__option_out_of_range__fails(void **state)
{
    struct fixture *fx = *state;
    create_with(fx, "poll_tries", omni_int(fx->arena, 0));
    assert_string_equal(fx->created_text, "poll_tries must be at least 1, not 0");
    create_with(fx, "poll_interval_ms", omni_int(fx->arena, -1));
    assert_string_equal(fx->created_text, "poll_interval_ms must be 0 to 3600000, not -1");
    create_with(fx, "poll_interval_ms", omni_int(fx->arena, 3600001));
    assert_string_equal(fx->created_text, "poll_interval_ms must be 0 to 3600000, not 3600001");
    create_with(fx, "poll_tries", text(fx, "many"));
    assert_string_equal(fx->created_text, "invalid literal for int() with base 10: 'many'");
    assert_null(fx->connector);
}

static void put__accepted__under_the_key_with_the_at_sign(void **state)
{
    struct fixture *fx = *state;
    create_ready(fx);
    put(fx, text(fx, "hello"));
    run(fx);
    assert_true(fx->put.is_success);
    assert_string_equal(fx->script.key, "request@0_1");
    get(fx);
    run(fx);
    assert_string_equal(fx->get_data, "\"hello\"");
    assert_int_equal(metrics_of(fx).gets, 1);
    assert_logged(fx, "info: PollingConnector get request@0_1");
}

static void get__value_comes_while_it_pauses__is_found_at_the_next_look(void **state)
{
    struct fixture *fx = *state;
    create_ready(fx);
    fx->script.answer = SCRIPT_NULL;
    get(fx);
    run_until_us(fx, 120 * MS);
    assert_int_equal(fx->script.get_count, 3);
    fx->script.answer = SCRIPT_BYTES;
    fx->script.bytes = rt_slice_of("\x07", 1);
    run(fx);
    assert_int_equal(rt_loop_now_us(fx->loop), 150 * MS);
    assert_string_equal(fx->get_data, "7");
    assert_int_equal(fx->get.size_bytes, 1);
    assert_int_equal(metrics_of(fx).gets, 1);
    assert_int_equal(metrics_of(fx).timeouts + metrics_of(fx).empties, 0);
    assert_int_equal(metrics_of(fx).deserialize.count, 1);
}

/* The pause begins when a look has ended. */
static void get__looks_that_take_time__are_fifty_milliseconds_apart_all_the_same(void **state)
{
    struct fixture *fx = *state;
    create_ready(fx);
    answer_status(fx, K_RPC_UNAVAILABLE, DS_DETAIL_SILENCE, "[RPC_RECV_TIMEOUT]");
    fx->script.delay_us = 1000 * MS;
    get(fx);
    run(fx);
    assert_int_equal(rt_loop_now_us(fx->loop), 20 * 1000 * MS + 19 * 50 * MS);
    assert_int_equal(fx->get.cause, DS_CAUSE_BACKEND_TIMEOUT);
    assert_int_equal(metrics_of(fx).timeouts, 1);
}

static void get__look_that_raises__is_logged_and_made_again(void **state)
{
    struct fixture *fx = *state;
    create_ready(fx);
    put(fx, text(fx, "hello"));
    run(fx);
    answer_status(fx, K_CLIENT_WORKER_DISCONNECT, DS_DETAIL_ANSWERED, "gone");
    get(fx);
    run_until_us(fx, rt_loop_now_us(fx->loop) + 60 * MS);
    assert_logged(fx, "debug: PollingConnector get attempt 0 failed: code: [Client and Worker "
                      "disconnect], msg: [gone]");
    assert_logged(fx, "get attempt 1 failed");
    fx->script.answer = SCRIPT_ECHO;
    fx->script.status = (struct ds_status){.code = K_OK};
    run(fx);
    assert_string_equal(fx->get_data, "\"hello\"");
    assert_int_equal(metrics_of(fx).timeouts, 0);
}

static void get__client_without_memory_between_looks__is_a_look_in_vain(void **state)
{
    struct fixture *fx = *state;
    create_ready(fx);
    fx->script.answer = SCRIPT_NULL;
    get(fx);
    run_until_us(fx, 10 * MS);
    fx->script.call_status = RT_E_NOMEM;
    run(fx);
    assert_int_equal(fx->script.get_count, 1);
    assert_int_equal(rt_loop_now_us(fx->loop), 950 * MS);
    assert_int_equal(fx->get.cause, DS_CAUSE_OUT_OF_MEMORY);
    assert_int_equal(metrics_of(fx).get_causes[DS_CAUSE_OUT_OF_MEMORY], 1);
}

static void get__bytes_that_do_not_decode__twenty_looks_and_one_failure(void **state)
{
    struct fixture *fx = *state;
    create_ready(fx);
    fx->script.answer = SCRIPT_BYTES;
    fx->script.bytes = rt_slice_of("\xc1", 1);
    get(fx);
    run(fx);
    assert_int_equal(fx->get.cause, DS_CAUSE_CODEC);
    assert_int_equal(fx->script.get_count, 20);
    assert_int_equal(metrics_of(fx).get_causes[DS_CAUSE_CODEC], 1);
}

static void cancel__in_a_pause__nothing_is_asked_any_more(void **state)
{
    struct fixture *fx = *state;
    struct omni_handle handle = {.call = NULL};
    const struct omni_call_options options = {.handle = &handle};
    create_ready(fx);
    fx->script.answer = SCRIPT_NULL;
    assert_int_equal(
        omni_get_with(fx->connector, "0", "1", rt_slice_text("request"), &options, on_get, fx),
        RT_OK);
    run_until_us(fx, 10 * MS);
    assert_true(omni_cancel(&handle));
    run(fx);
    assert_int_equal(rt_loop_now_us(fx->loop), 10 * MS);
    assert_int_equal(fx->script.get_count, 1);
    assert_int_equal(fx->script.abandon_count, 0); /* the client had nothing of it */
    assert_int_equal(fx->get.status.detail, DS_DETAIL_CANCELLED);
    assert_int_equal(metrics_of(fx).gets_cancelled, 1);
}

static void destroy__in_a_pause__the_get_ends_as_refused(void **state)
{
    struct fixture *fx = *state;
    create_ready(fx);
    fx->script.answer = SCRIPT_NULL;
    get(fx);
    run_until_us(fx, 10 * MS);
    omni_connector_destroy(fx->connector);
    fx->connector = NULL;
    assert_int_equal(fx->get_count, 1);
    assert_int_equal(fx->get.status.detail, DS_DETAIL_CLOSED);
    run(fx);
    assert_int_equal(fx->script.get_count, 1);
}

static void get_with_deadline__polling__is_what_the_base_class_raises(void **state)
{
    struct fixture *fx = *state;
    create_ready(fx);
    assert_int_equal(
        omni_get_with_deadline(fx->connector, "0", "1", rt_slice_text("request"), 1000, on_get, fx),
        RT_E_INVALID);
    assert_string_equal(omni_no_deadline_text(OMNI_POLLING),
                        "PollingConnector does not support deadline-aware receive");
    assert_null(omni_no_deadline_text(OMNI_YUANRONG));
    run(fx);
    assert_int_equal(fx->get_count + (int)metrics_of(fx).get_calls, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_polling, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(create__no_options__twenty_looks_and_no_sub_timeout),
        TEST(create__options__are_read_as_pythons_int),
        TEST(create__option_out_of_range__fails),
        TEST(put__accepted__under_the_key_with_the_at_sign),
        TEST(get__value_comes_while_it_pauses__is_found_at_the_next_look),
        TEST(get__looks_that_take_time__are_fifty_milliseconds_apart_all_the_same),
        TEST(get__look_that_raises__is_logged_and_made_again),
        TEST(get__client_without_memory_between_looks__is_a_look_in_vain),
        TEST(get__bytes_that_do_not_decode__twenty_looks_and_one_failure),
        TEST(cancel__in_a_pause__nothing_is_asked_any_more),
        TEST(destroy__in_a_pause__the_get_ends_as_refused),
        TEST(get_with_deadline__polling__is_what_the_base_class_raises),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
