/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/etcd/etcd_client.h"
#include "support/mini_etcd.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

/* The client against a scripted etcd, in simulated time. */
#define ADDRESS "10.0.2.1:2379"
#define SECOND  UINT64_C(1000000)
#define NOTHING rt_slice_text("")

struct fixture {
    struct rt_loop *loop;
    struct rt_network *network;
    struct mini_etcd etcd;
    struct etcd_client *client;
    unsigned done_count;
    uint64_t done_us;
    int32_t code;
    char text[200];
    uint32_t attempts;
    char value[64]; /* of the first key of a range */
    size_t kv_count;
    bool is_succeeded;
    int64_t lease;
    struct etcd_stream *stream;
    unsigned created_count, event_count, answer_count, end_count;
    int64_t ttl;
    bool must_destroy;
};

static int set_up(void **state)
{
    struct fixture *fx = calloc(1, sizeof(*fx));
    assert_non_null(fx);
    assert_int_equal(rt_loop_create(RT_LOOP_SIMULATED, &fx->loop), RT_OK);
    assert_int_equal(rt_network_create(fx->loop, &fx->network), RT_OK);
    mini_etcd_init(&fx->etcd, fx->loop, fx->network);
    mini_etcd_listen(&fx->etcd, ADDRESS);
    *state = fx;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fx = *state;
    etcd_client_destroy(fx->client);
    mini_etcd_fini(&fx->etcd);
    enum rt_status status = rt_loop_run(fx->loop, NULL, NULL, rt_loop_now_us(fx->loop));
    (void)status;
    assert_int_equal(rt_network_live_count(fx->network), 0);
    rt_network_destroy(fx->network);
    rt_loop_destroy(fx->loop);
    free(fx);
    return 0;
}

static void connect_as(struct fixture *fx, const char *endpoints, const char *username,
                       const char *password)
{
    struct etcd_client_options options = {.name = "worker-1",
                                          .endpoints = endpoints,
                                          .username = username,
                                          .password = password,
                                          .seed = 1};
    assert_int_equal(etcd_client_create(fx->loop, fx->network, &options, &fx->client), RT_OK);
}

static void until(struct fixture *fx, uint64_t time_us)
{
    enum rt_status status = rt_loop_run(fx->loop, NULL, NULL, time_us);
    assert_true(status == RT_E_TIMEOUT || status == RT_E_IDLE);
}

static void on_done(void *arg, const struct etcd_result *result)
{
    struct fixture *fx = arg;
    fx->done_count++;
    fx->done_us = rt_loop_now_us(fx->loop);
    fx->code = result->code;
    fx->attempts = result->attempt_count;
    snprintf(fx->text, sizeof(fx->text), "%s", result->text == NULL ? "" : result->text);
    if (fx->must_destroy) {
        etcd_client_destroy(fx->client);
        fx->client = NULL;
        return;
    }
    if (result->code != GRPC_OK) {
        assert_null(result->message);
        return;
    }
    if (result->message->descriptor == &etcdserverpb__range_response__descriptor) {
        const Etcdserverpb__RangeResponse *response =
            (const Etcdserverpb__RangeResponse *)result->message;
        fx->kv_count = response->n_kvs;
        if (response->n_kvs > 0) {
            snprintf(fx->value, sizeof(fx->value), "%.*s", (int)response->kvs[0]->value.len,
                     (const char *)response->kvs[0]->value.data);
        }
    } else if (result->message->descriptor == &etcdserverpb__txn_response__descriptor) {
        fx->is_succeeded = ((const Etcdserverpb__TxnResponse *)result->message)->succeeded;
    } else if (result->message->descriptor == &etcdserverpb__lease_grant_response__descriptor) {
        fx->lease = ((const Etcdserverpb__LeaseGrantResponse *)result->message)->id;
    }
}

static void range(struct fixture *fx)
{
    assert_int_equal(
        etcd_range(fx->client, rt_slice_text("/a/"), rt_slice_text("/a0"), 0, on_done, fx, NULL),
        RT_OK);
}

/* ---- what is asked -------------------------------------------------------------------------- */

static void range__keys_there__brings_them(void **state)
{
    struct fixture *fx = *state;
    mini_etcd_put(&fx->etcd, "/a/1", "one");
    mini_etcd_put(&fx->etcd, "/b/1", "other");
    connect_as(fx, ADDRESS, NULL, NULL);
    range(fx);
    assert_int_equal(fx->done_count, 0); /* never from inside the call */
    until(fx, SECOND);
    assert_int_equal(fx->done_count, 1);
    assert_int_equal(fx->code, GRPC_OK);
    assert_int_equal(fx->kv_count, 1);
    assert_string_equal(fx->value, "one");
    assert_int_equal(fx->attempts, 1);
}

static void compare_and_put__version_right_or_wrong__says_whether_it_was_put(void **state)
{
    struct fixture *fx = *state;
    connect_as(fx, ADDRESS, NULL, NULL);
    for (int64_t version = 0; version < 2; version++) {
        assert_int_equal(etcd_compare_and_put(fx->client, rt_slice_text("/k"), version, NULL,
                                              rt_slice_text("v"), on_done, fx, NULL),
                         RT_OK);
        until(fx, rt_loop_now_us(fx->loop) + SECOND);
        assert_true(fx->is_succeeded);
    }
    struct rt_slice wrong = rt_slice_text("w");
    assert_int_equal(etcd_compare_and_put(fx->client, rt_slice_text("/k"), 0, &wrong,
                                          rt_slice_text("x"), on_done, fx, NULL),
                     RT_OK);
    until(fx, rt_loop_now_us(fx->loop) + SECOND);
    assert_false(fx->is_succeeded);
    struct rt_slice right = rt_slice_text("v");
    assert_int_equal(etcd_compare_and_put(fx->client, rt_slice_text("/k"), 0, &right,
                                          rt_slice_text("x"), on_done, fx, NULL),
                     RT_OK);
    until(fx, rt_loop_now_us(fx->loop) + SECOND);
    assert_true(fx->is_succeeded);
    assert_int_equal(mini_etcd_find(&fx->etcd, "/k")->version, 3);
}

static void put_and_delete__one_after_the_other__change_the_key(void **state)
{
    struct fixture *fx = *state;
    connect_as(fx, ADDRESS, NULL, NULL);
    assert_int_equal(etcd_put(fx->client, rt_slice_text("/k"), rt_slice_text("v"), 0,
                              &etcd_policy_write, on_done, fx, NULL),
                     RT_OK);
    until(fx, SECOND);
    assert_non_null(mini_etcd_find(&fx->etcd, "/k"));
    assert_int_equal(
        etcd_delete(fx->client, rt_slice_text("/k"), &etcd_policy_send, on_done, fx, NULL), RT_OK);
    until(fx, 2 * SECOND);
    assert_null(mini_etcd_find(&fx->etcd, "/k"));
    assert_int_equal(fx->done_count, 2);
}

/* ---- how long it is tried ------------------------------------------------------------------- */

static void range__every_attempt_fails__follows_the_retry_law_for_50_s(void **state)
{
    struct fixture *fx = *state;
    fx->etcd.fail_path = "/etcdserverpb.KV/Range";
    fx->etcd.fail_times = 1000;
    fx->etcd.fail_code = GRPC_INVALID_ARGUMENT; /* will never change, and is tried all the same */
    fx->etcd.fail_text = "etcdserver: key is not provided";
    connect_as(fx, ADDRESS, NULL, NULL);
    range(fx);
    until(fx, 60 * SECOND);
    /* 0, 1, 6, 56, 256, 1256, 6256, 11256 ... 46256, 49990 ms */
    assert_int_equal(fx->attempts, 16);
    assert_int_equal(fx->done_us, 49990000);
    assert_int_equal(fx->code, GRPC_INVALID_ARGUMENT);
    assert_string_equal(fx->text, "etcdserver: key is not provided");
}

static void range__second_attempt_answered__succeeds(void **state)
{
    struct fixture *fx = *state;
    fx->etcd.fail_path = "/etcdserverpb.KV/Range";
    fx->etcd.fail_times = 1;
    fx->etcd.fail_code = GRPC_UNAVAILABLE;
    fx->etcd.fail_text = "etcdserver: leader changed";
    connect_as(fx, ADDRESS, NULL, NULL);
    range(fx);
    until(fx, SECOND);
    assert_int_equal(fx->code, GRPC_OK);
    assert_int_equal(fx->attempts, 2);
    assert_int_equal(fx->done_us, 1000);
}

static void range__no_answer__each_attempt_ends_after_10_s_and_all_after_50_s(void **state)
{
    struct fixture *fx = *state;
    fx->etcd.mute_path = "/etcdserverpb.KV/Range";
    connect_as(fx, ADDRESS, NULL, NULL);
    range(fx);
    until(fx, 60 * SECOND);
    assert_int_equal(fx->code, GRPC_DEADLINE_EXCEEDED);
    assert_int_equal(fx->done_us, 50 * SECOND);
    assert_int_equal(fx->attempts, 5);
}

static void lease_grant__no_answer__is_tried_once_for_min_ttl_5_s(void **state)
{
    struct fixture *fx = *state;
    fx->etcd.mute_path = "/etcdserverpb.Lease/LeaseGrant";
    connect_as(fx, ADDRESS, NULL, NULL);
    assert_int_equal(etcd_lease_grant(fx->client, 60, on_done, fx, NULL), RT_OK);
    until(fx, 30 * SECOND);
    assert_int_equal(fx->done_us, 5 * SECOND);
    assert_int_equal(fx->attempts, 1);
    assert_int_equal(etcd_lease_grant(fx->client, 3, on_done, fx, NULL), RT_OK);
    until(fx, 60 * SECOND);
    assert_int_equal(fx->done_us, 33 * SECOND);
}

static void compare_and_put__no_answer__waits_for_ever(void **state)
{
    struct fixture *fx = *state;
    struct etcd_call *call = NULL;
    fx->etcd.mute_path = "/etcdserverpb.KV/Txn";
    connect_as(fx, ADDRESS, NULL, NULL);
    assert_int_equal(
        etcd_compare_and_put(fx->client, rt_slice_text("/k"), 0, NULL, NOTHING, on_done, fx, &call),
        RT_OK);
    until(fx, 100000 * SECOND);
    assert_int_equal(fx->done_count, 0);
    etcd_call_cancel(call);
    until(fx, 100001 * SECOND);
    assert_int_equal(fx->done_count, 0);
    assert_true(TAILQ_EMPTY(&fx->etcd.calls)); /* etcd was told */
}

static void range__first_endpoint_down__asks_the_next_one(void **state)
{
    struct fixture *fx = *state;
    connect_as(fx, "10.0.2.7:2379," ADDRESS ",10.0.2.8:2379", NULL, NULL);
    range(fx);
    until(fx, SECOND);
    assert_int_equal(fx->code, GRPC_OK);
    assert_in_range(fx->attempts, 1, 3);
    uint32_t attempts = fx->attempts;
    range(fx);
    until(fx, 2 * SECOND);
    assert_int_equal(fx->attempts, 1); /* and stays with it */
    assert_true(attempts >= 1);
}

static void range__etcd_comes_back__succeeds(void **state)
{
    struct fixture *fx = *state;
    mini_etcd_kill(&fx->etcd);
    connect_as(fx, ADDRESS, NULL, NULL);
    range(fx);
    until(fx, 3 * SECOND);
    assert_int_equal(fx->done_count, 0);
    mini_etcd_listen(&fx->etcd, ADDRESS);
    until(fx, 10 * SECOND);
    assert_int_equal(fx->code, GRPC_OK);
    assert_int_equal(fx->done_us, 6256000);
}

static void create__not_an_address__is_refused(void **state)
{
    static const char *const WRONG[] = {"",           ",",       "10.0.0.1",
                                        ":2379",      "host:",   "host:0",
                                        "host:65536", "host:1x", "10.0.2.1:2379,,10.0.2.2:2379"};
    struct fixture *fx = *state;
    for (size_t i = 0; i < sizeof(WRONG) / sizeof(WRONG[0]); i++) {
        struct etcd_client *client = NULL;
        struct etcd_client_options options = {.name = "worker-1", .endpoints = WRONG[i]};
        assert_int_equal(etcd_client_create(fx->loop, fx->network, &options, &client),
                         RT_E_INVALID);
        assert_null(client);
    }
}

static void client__destroyed_inside_a_callback__is_gone(void **state)
{
    struct fixture *fx = *state;
    connect_as(fx, ADDRESS, NULL, NULL);
    fx->must_destroy = true;
    range(fx);
    range(fx);
    until(fx, SECOND);
    assert_int_equal(fx->done_count, 1); /* the second one ended without a word */
}

/* ---- passwords ------------------------------------------------------------------------------ */

static void range__authentication_on__waits_for_the_token(void **state)
{
    struct fixture *fx = *state;
    fx->etcd.is_auth_on = true;
    connect_as(fx, ADDRESS, "root", "secret");
    range(fx);
    range(fx);
    until(fx, SECOND);
    assert_int_equal(fx->done_count, 2);
    assert_int_equal(fx->code, GRPC_OK);
    assert_int_equal(mini_etcd_count(&fx->etcd, "Authenticate"), 1);
}

static void status__authentication_on__carries_no_token(void **state)
{
    struct fixture *fx = *state;
    fx->etcd.is_auth_on = true;
    connect_as(fx, ADDRESS, "root", "secret");
    range(fx);
    until(fx, SECOND);
    assert_int_equal(etcd_status(fx->client, on_done, fx, NULL), RT_OK);
    until(fx, 2 * SECOND);
    assert_int_equal(fx->code, GRPC_OK);
    assert_int_equal(mini_etcd_count(&fx->etcd, "Status\n"), 1);
}

static void range__token_expired__fetches_another_and_succeeds(void **state)
{
    struct fixture *fx = *state;
    fx->etcd.is_auth_on = true;
    connect_as(fx, ADDRESS, "root", "secret");
    range(fx);
    until(fx, SECOND);
    fx->etcd.token_number++;
    range(fx);
    until(fx, 2 * SECOND);
    assert_int_equal(fx->done_count, 2);
    assert_int_equal(fx->code, GRPC_OK);
    assert_int_equal(mini_etcd_count(&fx->etcd, "Authenticate"), 2);
}

static void token__30_s_old__is_fetched_anew(void **state)
{
    struct fixture *fx = *state;
    fx->etcd.is_auth_on = true;
    connect_as(fx, ADDRESS, "root", "secret");
    range(fx);
    until(fx, 29 * SECOND);
    assert_int_equal(mini_etcd_count(&fx->etcd, "Authenticate"), 1);
    until(fx, 31 * SECOND);
    assert_int_equal(mini_etcd_count(&fx->etcd, "Authenticate"), 2);
}

static void range__wrong_password__ends_with_etcds_words(void **state)
{
    struct fixture *fx = *state;
    fx->etcd.is_auth_on = true;
    connect_as(fx, ADDRESS, "root", "wrong");
    range(fx);
    until(fx, SECOND);
    assert_int_equal(fx->done_count, 1);
    assert_int_equal(fx->code, GRPC_INVALID_ARGUMENT);
    assert_string_equal(fx->text, "etcdserver: authentication failed, invalid user ID or password");
}

static void range__authentication_off__goes_on_without_a_token(void **state)
{
    struct fixture *fx = *state;
    connect_as(fx, ADDRESS, "root", "secret");
    range(fx);
    until(fx, SECOND);
    assert_int_equal(fx->code, GRPC_OK);
}

/* ---- streams -------------------------------------------------------------------------------- */

static void on_stream_message(void *arg, const ProtobufCMessage *message)
{
    struct fixture *fx = arg;
    if (message->descriptor == &etcdserverpb__watch_response__descriptor) {
        const Etcdserverpb__WatchResponse *response = (const Etcdserverpb__WatchResponse *)message;
        fx->created_count += response->created ? 1 : 0;
        fx->event_count += (unsigned)response->n_events;
        return;
    }
    fx->answer_count++;
    fx->ttl = ((const Etcdserverpb__LeaseKeepAliveResponse *)message)->ttl;
    if (fx->must_destroy) {
        etcd_client_destroy(fx->client);
        fx->client = NULL;
    }
}

static void on_stream_end(void *arg, const struct etcd_result *result)
{
    struct fixture *fx = arg;
    fx->end_count++;
    fx->code = result->code;
    fx->stream = NULL;
}

static const struct etcd_stream_handler STREAM_HANDLER = {.on_message = on_stream_message,
                                                          .on_end = on_stream_end};

static void open_watch(struct fixture *fx)
{
    assert_int_equal(etcd_watch_open(fx->client, &STREAM_HANDLER, fx, &fx->stream), RT_OK);
    assert_int_equal(etcd_watch_create(fx->stream, rt_slice_text("/a/"), rt_slice_text("/a0"), 1),
                     RT_OK);
    assert_int_equal(etcd_watch_create(fx->stream, rt_slice_text("/b/"), rt_slice_text("/b0"), 1),
                     RT_OK);
}

static void watch__keys_change__says_so(void **state)
{
    struct fixture *fx = *state;
    connect_as(fx, ADDRESS, NULL, NULL);
    open_watch(fx);
    until(fx, SECOND);
    assert_int_equal(fx->created_count, 2);
    mini_etcd_put(&fx->etcd, "/a/1", "x");
    mini_etcd_put(&fx->etcd, "/b/1", "x");
    mini_etcd_put(&fx->etcd, "/c/1", "x");
    mini_etcd_delete(&fx->etcd, "/b/1");
    until(fx, 2 * SECOND);
    assert_int_equal(fx->event_count, 3);
    etcd_stream_close(fx->stream);
    until(fx, 3 * SECOND);
    assert_int_equal(fx->end_count, 0);
}

static void watch__etcd_dies__ends_once_with_unavailable(void **state)
{
    struct fixture *fx = *state;
    connect_as(fx, ADDRESS, NULL, NULL);
    open_watch(fx);
    until(fx, SECOND);
    mini_etcd_kill(&fx->etcd);
    until(fx, 2 * SECOND);
    assert_int_equal(fx->end_count, 1);
    assert_int_equal(fx->code, GRPC_UNAVAILABLE);
}

static void watch__authentication_on__waits_for_the_token(void **state)
{
    struct fixture *fx = *state;
    fx->etcd.is_auth_on = true;
    connect_as(fx, ADDRESS, "root", "secret");
    open_watch(fx);
    until(fx, SECOND);
    assert_int_equal(fx->created_count, 2);
    assert_int_equal(fx->end_count, 0);
}

static void keepalive__lease_known_and_unknown__answers_its_ttl_or_0(void **state)
{
    struct fixture *fx = *state;
    connect_as(fx, ADDRESS, NULL, NULL);
    assert_int_equal(etcd_lease_grant(fx->client, 60, on_done, fx, NULL), RT_OK);
    until(fx, SECOND);
    assert_int_equal(etcd_keepalive_open(fx->client, &STREAM_HANDLER, fx, &fx->stream), RT_OK);
    assert_int_equal(etcd_keepalive_send(fx->stream, fx->lease), RT_OK);
    until(fx, 2 * SECOND);
    assert_int_equal(fx->ttl, 60);
    assert_int_equal(etcd_keepalive_send(fx->stream, fx->lease + 1), RT_OK);
    until(fx, 3 * SECOND);
    assert_int_equal(fx->answer_count, 2);
    assert_int_equal(fx->ttl, 0);
    fx->must_destroy = true;
    assert_int_equal(etcd_keepalive_send(fx->stream, fx->lease), RT_OK);
    until(fx, 4 * SECOND);
    assert_int_equal(fx->answer_count, 3);
    assert_int_equal(fx->end_count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(range__keys_there__brings_them),
        TEST(compare_and_put__version_right_or_wrong__says_whether_it_was_put),
        TEST(put_and_delete__one_after_the_other__change_the_key),
        TEST(range__every_attempt_fails__follows_the_retry_law_for_50_s),
        TEST(range__second_attempt_answered__succeeds),
        TEST(range__no_answer__each_attempt_ends_after_10_s_and_all_after_50_s),
        TEST(lease_grant__no_answer__is_tried_once_for_min_ttl_5_s),
        TEST(compare_and_put__no_answer__waits_for_ever),
        TEST(range__first_endpoint_down__asks_the_next_one),
        TEST(range__etcd_comes_back__succeeds),
        TEST(create__not_an_address__is_refused),
        TEST(client__destroyed_inside_a_callback__is_gone),
        TEST(range__authentication_on__waits_for_the_token),
        TEST(status__authentication_on__carries_no_token),
        TEST(range__token_expired__fetches_another_and_succeeds),
        TEST(token__30_s_old__is_fetched_anew),
        TEST(range__wrong_password__ends_with_etcds_words),
        TEST(range__authentication_off__goes_on_without_a_token),
        TEST(watch__keys_change__says_so),
        TEST(watch__etcd_dies__ends_once_with_unavailable),
        TEST(watch__authentication_on__waits_for_the_token),
        TEST(keepalive__lease_known_and_unknown__answers_its_ttl_or_0),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
