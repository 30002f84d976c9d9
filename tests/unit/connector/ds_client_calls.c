/* SPDX-License-Identifier: Apache-2.0 */
/* Calls against a scripted worker: exact times, budgets, texts, and what an answer must be. */
#include "ds_fixture.h"
#include "wire/proto/datasystem.pb-c.h"

#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void *unpack(const ProtobufCMessageDescriptor *descriptor,
                    const struct server_request *request)
{
    struct rt_slice body = rt_blob_slice(request->body);

    return protobuf_c_message_unpack(descriptor, NULL, body.len_bytes, body.data);
}

static const uint64_t LAW_3000[] = {0, 1 * MS, 6 * MS, 56 * MS, 256 * MS, 1256 * MS, 2990 * MS};

/* ---- the retry law, over the wire ---- */

static void get__refused_every_time_with_a_retryable_code__follows_the_law(void **state)
{
    static const int32_t CODES[] = {K_TRY_AGAIN, K_RPC_CANCELLED, K_RPC_DEADLINE_EXCEEDED,
                                    K_RPC_UNAVAILABLE, K_OUT_OF_MEMORY};
    struct fixture *fx = *state;
    struct seen seen;

    init_ready(fx);
    for (size_t i = 0; i < COUNT(CODES); i++) {
        server_forget(&fx->server);
        server_refuse(&fx->server, DSRPC_OP_GET, CODES[i], "boom.");
        get(fx, "k", 500, &seen);
        assert_int_equal(seen.code, CODES[i]);
        assert_int_equal(seen.detail, DS_DETAIL_ANSWERED);
        assert_int_equal(seen.took_us, 2990 * MS);
        assert_int_equal(seen.attempt_count, 7);
        assert_times(fx, DSRPC_OP_GET, LAW_3000, COUNT(LAW_3000));
        assert_null(strstr(seen.text, "RPC Retry detail")); /* a get never has the suffix */
    }
}

static void get__refused_with_another_code__is_not_retried(void **state)
{
    static const int32_t CODES[] = {K_INVALID,   K_NOT_FOUND,     K_RUNTIME_ERROR,
                                    K_NOT_READY, K_UNKNOWN_ERROR, K_CLIENT_WORKER_DISCONNECT,
                                    K_SCALING};
    struct fixture *fx = *state;
    struct seen seen;

    init_ready(fx);
    for (size_t i = 0; i < COUNT(CODES); i++) {
        server_refuse(&fx->server, DSRPC_OP_GET, CODES[i], "boom.");
        get(fx, "k", 500, &seen);
        assert_int_equal(seen.code, CODES[i]);
        assert_int_equal(seen.took_us, 0);
        assert_int_equal(seen.attempt_count, 1);
    }
}

static void get__served_after_three_refusals__succeeds_with_the_fourth(void **state)
{
    struct fixture *fx = *state;
    struct seen seen;

    init_ready(fx);
    server_rule(&fx->server, DSRPC_OP_SET, (struct server_rule){.times = 3, .code = K_TRY_AGAIN});
    set(fx, "k", "v", &seen);
    assert_int_equal(seen.code, K_OK);
    assert_int_equal(seen.attempt_count, 4);
    assert_int_equal(seen.took_us, 56 * MS);
    assert_string_equal(seen.text, "");
}

/* Each retry is a new request under a new queue id, and says that it is one. */
static void set__retried__marks_the_retry_and_renews_the_queue_id(void **state)
{
    struct fixture *fx = *state;
    struct seen seen;

    init_ready(fx);
    server_rule(&fx->server, DSRPC_OP_SET, (struct server_rule){.times = 1, .code = K_TRY_AGAIN});
    set(fx, "k", "value", &seen);
    const struct server_request *first = server_request(&fx->server, DSRPC_OP_SET, 0);
    const struct server_request *second = server_request(&fx->server, DSRPC_OP_SET, 1);
    assert_false(rt_slice_equal(rt_blob_slice(first->queue_id), rt_blob_slice(second->queue_id)));
    assert_int_equal(second->payload_bytes, 5);
    Ds__PublishReq *before = unpack(&ds__publish_req__descriptor, first);
    Ds__PublishReq *after = unpack(&ds__publish_req__descriptor, second);
    assert_non_null(before);
    assert_non_null(after);
    assert_false(before->is_retry);
    assert_true(after->is_retry);
    assert_int_equal(after->data_size, 5);
    assert_int_equal(after->consistency_type, 1);
    ds__publish_req__free_unpacked(before, NULL);
    ds__publish_req__free_unpacked(after, NULL);
}

static void delete__out_of_memory__is_not_retried(void **state)
{
    struct fixture *fx = *state;
    struct rt_slice key = rt_slice_text("k");
    struct seen seen;

    init_ready(fx);
    server_refuse(&fx->server, DSRPC_OP_DELETE, K_OUT_OF_MEMORY, "boom.");
    seen_init(&seen, fx);
    assert_int_equal(ds_delete(fx->client, &key, 1, on_seen, &seen), RT_OK);
    wait_seen(fx, &seen);
    assert_int_equal(seen.attempt_count, 1);
    assert_text(&seen, ". RPC Retry detail: [ ] with 0 times in 3000 ms.");
}

/* ---- texts ---- */

static void text__of_the_worker__gets_the_trace_id_instead_of_its_dot(void **state)
{
    struct fixture *fx = *state;
    struct seen seen;

    init_ready(fx);
    server_refuse(&fx->server, DSRPC_OP_SET, K_INVALID, "boom.");
    set(fx, "k", "v", &seen);
    assert_int_equal(strncmp(seen.text, "boom, traceId: ", 15), 0);
    assert_int_equal(strlen("boom, traceId: ") + 36,
                     strcspn(seen.text, ".")); /* 36 characters of a UUID, then the suffix */
    assert_text(&seen, ". RPC Retry detail: [ ] with 0 times in 3000 ms.");
}

static void text__after_several_codes__counts_each_of_them(void **state)
{
    struct fixture *fx = *state;
    struct seen seen;

    fx->options.request_timeout_ms = 20;
    init_ready(fx);
    server_refuse(&fx->server, DSRPC_OP_SET, K_TRY_AGAIN, "x");
    set(fx, "k", "v", &seen);
    assert_int_equal(seen.took_us, 10 * MS);
    assert_text(&seen, "[ Try again * 4 ] with 3 times in 20 ms.");
}

static void text__of_hostile_bytes__ends_the_call_and_nothing_else(void **state)
{
    struct fixture *fx = *state;
    struct seen seen;
    static char huge[100000];

    init_ready(fx);
    memset(huge, 0xff, sizeof(huge) - 1);
    server_refuse(&fx->server, DSRPC_OP_GET, K_INVALID, huge);
    get(fx, "k", 0, &seen);
    assert_int_equal(seen.code, K_INVALID);
    server_refuse(&fx->server, DSRPC_OP_GET, -5, "%s%n");
    get(fx, "k", 0, &seen);
    assert_int_equal(seen.code, -5);
    assert_text(&seen, "%s%n");
}

/* ---- silence ---- */

static void get__never_answered__ends_with_the_request_timeout(void **state)
{
    struct fixture *fx = *state;
    struct seen seen;
    char queue_id[128];

    init_ready(fx);
    server_silence(&fx->server, DSRPC_OP_GET);
    get(fx, "k", 500, &seen);
    assert_int_equal(seen.code, K_RPC_UNAVAILABLE);
    assert_int_equal(seen.detail, DS_DETAIL_SILENCE);
    assert_int_equal(seen.took_us, 3000 * MS);
    assert_int_equal(server_count(&fx->server, DSRPC_OP_GET), 1);
    assert_text(&seen, "[RPC_RECV_TIMEOUT] Rpc service for client ");
    struct rt_slice id = rt_blob_slice(server_request(&fx->server, DSRPC_OP_GET, 0)->queue_id);
    (void)snprintf(queue_id, sizeof(queue_id), "%.*s", (int)id.len_bytes, (const char *)id.data);
    assert_text(&seen, queue_id);
    assert_text(&seen, " has not responded within the allowed time. Detail: code: [Try again], ");
    assert_null(strstr(seen.text, "RPC Retry detail"));
}

static void set__never_answered__has_the_suffix(void **state)
{
    struct fixture *fx = *state;
    struct seen seen;

    init_ready(fx);
    server_silence(&fx->server, DSRPC_OP_SET);
    set(fx, "k", "v", &seen);
    assert_int_equal(seen.took_us, 3000 * MS);
    assert_text(&seen, "RPC Retry detail: [ RPC unavailable * 1 ] with 0 times in 3000 ms.");
}

static void get__longer_sub_timeout_than_request_timeout__is_the_budget(void **state)
{
    struct fixture *fx = *state;
    struct seen seen;

    fx->options.request_timeout_ms = 1000;
    init_ready(fx);
    server_silence(&fx->server, DSRPC_OP_GET);
    get(fx, "k", 6000, &seen);
    assert_int_equal(seen.took_us, 6000 * MS);
    assert_int_equal(server_request(&fx->server, DSRPC_OP_GET, 0)->timeout_ms, 5400);
}

/* Nobody takes the request; its queue id is named all the same. */
static void set__no_connection__is_silence_that_names_the_attempt(void **state)
{
    struct fixture *fx = *state;
    struct seen seen;
    char id[64] = "";

    init_ready(fx);
    server_stop_listening(&fx->server);
    server_cut(&fx->server);
    run_for(fx, 1 * MS);
    set(fx, "k", "v", &seen);
    assert_int_equal(seen.code, K_RPC_UNAVAILABLE);
    assert_int_equal(seen.detail, DS_DETAIL_SILENCE);
    assert_int_equal(seen.took_us, 3000 * MS);
    assert_int_equal(seen.attempt_count, 0); /* nothing went on the wire */
    assert_int_equal(sscanf(seen.text, "[RPC_RECV_TIMEOUT] Rpc service for client %63s", id), 1);
    assert_non_null(strchr(id, ':'));
}

/* With a minute an attempt is given up after 30 s, and a second one follows. */
static void set__silence_with_the_default_timeout__makes_two_attempts(void **state)
{
    static const uint64_t EXPECTED[] = {0, 30001 * MS};
    struct fixture *fx = *state;
    struct seen seen;

    fx->options.connect_timeout_ms = 60000;
    init_ready(fx);
    server_silence(&fx->server, DSRPC_OP_SET);
    set(fx, "k", "v", &seen);
    assert_int_equal(seen.took_us, 60000 * MS);
    assert_times(fx, DSRPC_OP_SET, EXPECTED, 2);
    assert_text(&seen, "[ RPC unavailable * 2 ] with 1 times in 60000 ms.");
}

static void health__never_answered__ends_after_three_seconds_whatever_is_configured(void **state)
{
    struct fixture *fx = *state;
    struct seen seen;

    fx->options.request_timeout_ms = 700;
    init_ready(fx);
    server_silence(&fx->server, DSRPC_OP_HEALTH);
    seen_init(&seen, fx);
    assert_int_equal(ds_health(fx->client, on_seen, &seen), RT_OK);
    wait_seen(fx, &seen);
    assert_int_equal(seen.took_us, 3000 * MS);
    assert_int_equal(seen.attempt_count, 1);
}

static void answer__that_comes_too_late__is_counted_and_disturbs_nobody(void **state)
{
    struct fixture *fx = *state;
    struct ds_rpc_counts counts;
    struct seen seen;

    init_ready(fx);
    server_silence(&fx->server, DSRPC_OP_SET);
    set(fx, "k", "v", &seen);
    assert_true(server_answer_well(&fx->server, server_request(&fx->server, DSRPC_OP_SET, 0)));
    run_for(fx, 1 * MS);
    assert_int_equal(seen.count, 1);
    ds_client_rpc_counts(fx->client, DSRPC_OP_SET, &counts);
    assert_int_equal(counts.sent, 1);
    assert_int_equal(counts.abandoned, 1);
    assert_int_equal(counts.late, 1);
    assert_int_equal(counts.received, 0);
    assert_int_equal(counts.in_flight, 0);
}

static void answers__in_another_order__find_their_calls(void **state)
{
    struct fixture *fx = *state;
    struct seen first;
    struct seen second;

    init_ready(fx);
    server_silence(&fx->server, DSRPC_OP_SET);
    start_set(fx, "a", "1", &first);
    start_set(fx, "b", "2", &second);
    run_for(fx, 1 * MS);
    assert_true(server_answer_well(&fx->server, server_request(&fx->server, DSRPC_OP_SET, 1)));
    run_for(fx, 1 * MS);
    assert_int_equal(first.count, 0);
    assert_int_equal(second.count, 1);
    assert_int_equal(second.code, K_OK);
    assert_true(server_answer_well(&fx->server, server_request(&fx->server, DSRPC_OP_SET, 0)));
    wait_seen(fx, &first);
    assert_int_equal(first.code, K_OK);
}

/* ---- checks of the client ---- */

static void checks__refused_arguments__send_nothing(void **state)
{
    struct fixture *fx = *state;
    const char *bad[] = {"a b"};
    struct seen seen;

    init_ready(fx);
    server_forget(&fx->server);
    set(fx, "a b", "v", &seen);
    assert_int_equal(seen.code, K_INVALID);
    assert_int_equal(seen.detail, DS_DETAIL_CHECKED);
    assert_text(&seen, "The key contains illegal char(s), allowed regex format: ");
    set(fx, "k", "", &seen);
    assert_text(&seen, "The dataSize value should be bigger than zero.");
    set(fx, "", "v", &seen);
    assert_text(&seen, "The objectKey should not be empty.");
    start_get(fx, bad, 1, 0, &seen);
    wait_seen(fx, &seen);
    assert_int_equal(seen.code, K_INVALID);
    get(fx, "k", -1, &seen);
    assert_text(&seen, "subTimeoutMs -1 is out of range");
    get(fx, "k", INT64_C(1) << 31, &seen);
    assert_int_equal(seen.code, K_INVALID);
    assert_int_equal(seen.took_us, 0);
    assert_int_equal(seen.attempt_count, 0);
    assert_int_equal(fx->server.request_count, 0);
}

/* Ours: the real client has no pieces. Sent, it would have cost the connection. */
static void checks__pieces_that_are_not_as_long_as_the_value__are_refused(void **state)
{
    struct fixture *fx = *state;
    struct rt_slice key = rt_slice_text("k");
    struct dsrpc_piece pieces[] = {{.bytes = rt_slice_text("one")},
                                   {.bytes = rt_slice_text("two")}};
    struct dsrpc_value values[] = {{pieces, 2, 5}, {pieces, 2, 7}};
    struct ds_mset_options options = {0};
    struct seen seen;

    init_ready(fx);
    server_forget(&fx->server);
    for (size_t i = 0; i < COUNT(values); i++) {
        seen_init(&seen, fx);
        assert_int_equal(ds_set(fx->client, key, &values[i], NULL, on_seen, &seen), RT_OK);
        wait_seen(fx, &seen);
        assert_int_equal(seen.code, K_INVALID);
        assert_int_equal(seen.detail, DS_DETAIL_CHECKED);
        assert_text(&seen, "The pieces of the value are 6 bytes long, not ");
        seen_init(&seen, fx);
        assert_int_equal(ds_mset(fx->client, &key, &values[i], 1, &options, on_seen, &seen), RT_OK);
        wait_seen(fx, &seen);
        assert_int_equal(seen.code, K_INVALID);
    }
    assert_int_equal(fx->server.request_count, 0);
}

static void checks__10001_keys__are_refused_and_10000_are_not(void **state)
{
    static struct rt_slice keys[10001];
    struct fixture *fx = *state;
    struct seen seen;

    init_ready(fx);
    for (size_t i = 0; i < COUNT(keys); i++) {
        keys[i] = rt_slice_text("k");
    }
    seen_init(&seen, fx);
    assert_int_equal(ds_exist(fx->client, keys, 10001, on_seen, &seen), RT_OK);
    wait_seen(fx, &seen);
    assert_text(&seen, "The objectKeys size exceed 10000.");
    assert_int_equal(server_count(&fx->server, DSRPC_OP_EXIST), 0);
    seen_init(&seen, fx);
    assert_int_equal(ds_delete(fx->client, keys, 10000, on_seen, &seen), RT_OK);
    wait_seen(fx, &seen);
    assert_int_equal(seen.code, K_OK);
    assert_int_equal(server_count(&fx->server, DSRPC_OP_DELETE), 1);
}

static void calls__before_init__are_not_ready(void **state)
{
    struct fixture *fx = *state;
    struct seen seen;

    set(fx, "a b", "", &seen); /* this is looked at before the arguments */
    assert_int_equal(seen.code, K_NOT_READY);
    assert_int_equal(seen.detail, DS_DETAIL_CLOSED);
    assert_text(&seen, "The client has not been initialized yet");
    assert_int_equal(fx->server.accepted, 0);
}

/* ---- results of operations ---- */

static void mset__a_key_twice__sends_it_once_and_reports_the_others(void **state)
{
    struct fixture *fx = *state;
    struct rt_slice keys[] = {rt_slice_text("k"), rt_slice_text("l"), rt_slice_text("k")};
    struct dsrpc_piece pieces[] = {{.bytes = rt_slice_text("one")},
                                   {.bytes = rt_slice_text("two")},
                                   {.bytes = rt_slice_text("three")}};
    struct dsrpc_value values[] = {{&pieces[0], 1, 3}, {&pieces[1], 1, 3}, {&pieces[2], 1, 5}};
    struct ds_mset_options options = {.set = {.ttl_s = 7}};
    struct seen seen;

    init_ready(fx);
    seen_init(&seen, fx);
    assert_int_equal(ds_mset(fx->client, keys, values, 3, &options, on_seen, &seen), RT_OK);
    wait_seen(fx, &seen);
    assert_int_equal(seen.code, K_OK);
    assert_int_equal(seen.failed_count, 1);
    assert_string_equal(seen.failed[0], "k");
    const struct server_request *arrival = server_request(&fx->server, DSRPC_OP_MSET, 0);
    assert_int_equal(arrival->payload_bytes, 6);
    Ds__MultiPublishReq *request = unpack(&ds__multi_publish_req__descriptor, arrival);
    assert_non_null(request);
    assert_int_equal(request->n_object_info, 2);
    assert_int_equal(request->ttl_second, 7);
    ds__multi_publish_req__free_unpacked(request, NULL);
}

static void mset__without_options__takes_the_defaults(void **state)
{
    struct fixture *fx = *state;
    struct rt_slice key = rt_slice_text("k");
    struct dsrpc_piece piece = {.bytes = rt_slice_text("one")};
    struct dsrpc_value value = {&piece, 1, 3};
    struct seen seen;

    init_ready(fx);
    seen_init(&seen, fx);
    assert_int_equal(ds_mset(fx->client, &key, &value, 1, NULL, on_seen, &seen), RT_OK);
    wait_seen(fx, &seen);
    assert_int_equal(seen.code, K_OK);
    assert_int_equal(server_count(&fx->server, DSRPC_OP_MSET), 1);
}

static struct rt_slice expire_body(size_t failed_count, int32_t code)
{
    static uint8_t body[128];
    static char word[] = "absent";
    ProtobufCBinaryData failed[4];
    Ds__ExpireRsp reply = DS__EXPIRE_RSP__INIT;
    Ds__ErrorInfoPb error = DS__ERROR_INFO_PB__INIT;

    for (size_t i = 0; i < failed_count; i++) {
        failed[i] = (ProtobufCBinaryData){sizeof(word) - 1, (uint8_t *)word};
    }
    error.error_code = code;
    error.error_msg = (ProtobufCBinaryData){sizeof(word) - 1, (uint8_t *)word};
    reply.n_failed_object_keys = failed_count;
    reply.failed_object_keys = failed;
    reply.last_rc = &error;
    return rt_slice_of(body, ds__expire_rsp__pack(&reply, body));
}

static void expire__some_or_all_keys_failed__fails_only_when_all_did(void **state)
{
    struct fixture *fx = *state;
    struct rt_slice keys[] = {rt_slice_text("k"), rt_slice_text("absent")};
    struct seen seen;

    init_ready(fx);
    for (size_t failed = 1; failed <= 2; failed++) {
        server_rule(&fx->server, DSRPC_OP_EXPIRE,
                    (struct server_rule){.body = expire_body(failed, K_NOT_FOUND)});
        seen_init(&seen, fx);
        assert_int_equal(ds_expire(fx->client, keys, 2, 5, on_seen, &seen), RT_OK);
        wait_seen(fx, &seen);
        assert_int_equal(seen.code, failed == 1 ? K_OK : K_NOT_FOUND);
        assert_int_equal(seen.failed_count, failed);
        assert_null(strstr(seen.text, "RPC Retry detail")); /* it came as last_rc */
    }
}

static void exist__answers__are_told_in_key_order_and_must_be_as_many(void **state)
{
    static const uint8_t TWO[] = {0x0a, 0x02, 0x01, 0x00};
    struct fixture *fx = *state;
    struct rt_slice keys[] = {rt_slice_text("k"), rt_slice_text("absent"), rt_slice_text("l")};
    struct seen seen;

    init_ready(fx);
    server_rule(&fx->server, DSRPC_OP_EXIST,
                (struct server_rule){.body = rt_slice_of(TWO, sizeof(TWO))});
    seen_init(&seen, fx);
    assert_int_equal(ds_exist(fx->client, keys, 2, on_seen, &seen), RT_OK);
    wait_seen(fx, &seen);
    assert_int_equal(seen.exist_count, 2);
    assert_true(seen.exists[0]);
    assert_false(seen.exists[1]);
    seen_init(&seen, fx);
    assert_int_equal(ds_exist(fx->client, keys, 3, on_seen, &seen), RT_OK);
    wait_seen(fx, &seen);
    assert_int_equal(seen.code, K_RUNTIME_ERROR);
    assert_text(&seen, "Exist response size mismatch.");
}

static void query_size__nothing_there__is_not_found(void **state)
{
    static const uint8_t SIZES[] = {0x0a, 0x02, 0x05, 0x00};
    struct fixture *fx = *state;
    struct rt_slice keys[] = {rt_slice_text("k"), rt_slice_text("absent")};
    struct seen seen;

    init_ready(fx);
    server_rule(&fx->server, DSRPC_OP_QUERY_SIZE,
                (struct server_rule){.body = rt_slice_of(SIZES, sizeof(SIZES))});
    seen_init(&seen, fx);
    assert_int_equal(ds_query_size(fx->client, keys, 2, on_seen, &seen), RT_OK);
    wait_seen(fx, &seen);
    assert_int_equal(seen.size_count, 2);
    assert_int_equal(seen.sizes[0], 5);
    server_rule(&fx->server, DSRPC_OP_QUERY_SIZE, (struct server_rule){0});
    seen_init(&seen, fx);
    assert_int_equal(ds_query_size(fx->client, keys, 2, on_seen, &seen), RT_OK);
    wait_seen(fx, &seen);
    assert_int_equal(seen.code, K_NOT_FOUND);
    assert_text(&seen, "All objects are not found!");
}

static void read__a_part__sends_offset_and_size(void **state)
{
    struct fixture *fx = *state;
    struct ds_read part = {rt_slice_text("k"), 3, 4};
    struct seen seen;

    init_ready(fx);
    server_rule(&fx->server, DSRPC_OP_GET,
                (struct server_rule){.body = get_body(1, 0, 4, K_OK),
                                     .parts = {rt_slice_text("part")},
                                     .part_count = 1});
    seen_init(&seen, fx);
    assert_int_equal(ds_read(fx->client, &part, 1, on_seen, &seen), RT_OK);
    wait_seen(fx, &seen);
    assert_string_equal(seen.values[0], "part");
    const struct server_request *arrival = server_request(&fx->server, DSRPC_OP_GET, 0);
    Ds__GetReq *request = unpack(&ds__get_req__descriptor, arrival);
    assert_non_null(request);
    assert_int_equal(request->read_offset_list[0], 3);
    assert_int_equal(request->read_size_list[0], 4);
    assert_true(request->no_query_l2cache);
    assert_int_equal(request->sub_timeout, 0);
    ds__get_req__free_unpacked(request, NULL);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, up, down)
    const struct CMUnitTest tests[] = {
        CASE(get__refused_every_time_with_a_retryable_code__follows_the_law),
        CASE(get__refused_with_another_code__is_not_retried),
        CASE(get__served_after_three_refusals__succeeds_with_the_fourth),
        CASE(set__retried__marks_the_retry_and_renews_the_queue_id),
        CASE(delete__out_of_memory__is_not_retried),
        CASE(text__of_the_worker__gets_the_trace_id_instead_of_its_dot),
        CASE(text__after_several_codes__counts_each_of_them),
        CASE(text__of_hostile_bytes__ends_the_call_and_nothing_else),
        CASE(get__never_answered__ends_with_the_request_timeout),
        CASE(set__never_answered__has_the_suffix),
        CASE(get__longer_sub_timeout_than_request_timeout__is_the_budget),
        CASE(set__no_connection__is_silence_that_names_the_attempt),
        CASE(set__silence_with_the_default_timeout__makes_two_attempts),
        CASE(health__never_answered__ends_after_three_seconds_whatever_is_configured),
        CASE(answer__that_comes_too_late__is_counted_and_disturbs_nobody),
        CASE(answers__in_another_order__find_their_calls),
        CASE(checks__refused_arguments__send_nothing),
        CASE(checks__pieces_that_are_not_as_long_as_the_value__are_refused),
        CASE(checks__10001_keys__are_refused_and_10000_are_not),
        CASE(calls__before_init__are_not_ready),
        CASE(mset__a_key_twice__sends_it_once_and_reports_the_others),
        CASE(mset__without_options__takes_the_defaults),
        CASE(expire__some_or_all_keys_failed__fails_only_when_all_did),
        CASE(exist__answers__are_told_in_key_order_and_must_be_as_many),
        CASE(query_size__nothing_there__is_not_found),
        CASE(read__a_part__sends_offset_and_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
