/* SPDX-License-Identifier: Apache-2.0 */
#include "connector/omni_connector.h"

#include <math.h>
#include <stdlib.h>

#include "connector/serializer/omni_integer.h"
#include "omni_fixture.h"

/* ---- construction --------------------------------------------------------------------------- */

static void create__no_options__upstreams_defaults(void **state)
{
    struct fixture *fx = *state;
    create_ready(fx);
    assert_string_equal(fx->script.host, "127.0.0.1");
    assert_int_equal(fx->script.port, 35001);
    assert_int_equal(fx->script.connect_timeout_ms, 60000);
    put(fx, omni_nil(fx->arena));
    run(fx);
    get(fx);
    run(fx);
    assert_int_equal(fx->script.set_options.write_mode, DS_NONE_L2_CACHE_EVICT);
    assert_int_equal(fx->script.sub_timeout_ms, 1000);
}

static void create__hole_in_the_binding__fails_first_naming_all_three(void **state)
{
    struct fixture *fx = *state;
    struct ds_binding whole = fx->script.binding;
    for (int hole = 0; hole < 3; hole++) {
        fx->script.binding = whole;
        if (hole == 0) {
            fx->script.binding.kv_client = NULL;
        } else if (hole == 1) {
            fx->script.binding.set_param = NULL;
        } else {
            fx->script.binding.write_mode = NULL;
        }
        create_with(fx, "get_sub_timeout_ms", text(fx, "abc"));
        assert_null(fx->connector);
        assert_non_null(strstr(fx->created_text, "ImportError"));
        assert_non_null(strstr(fx->created_text, "KVClient"));
        assert_non_null(strstr(fx->created_text, "SetParam"));
        assert_non_null(strstr(fx->created_text, "WriteMode"));
        assert_string_equal(fx->log, "");
    }
    assert_int_equal(fx->script.create_count, 0);
}

static void create__integers__are_what_pythons_int_takes(void **state)
{
    struct fixture *fx = *state;
    const struct omni_value *values[] = {
        omni_int(fx->arena, 7),
        text(fx, " 7 "),
        text(fx, "\t+7\n"),
        text(fx, "0_7"),
        omni_float(fx->arena, 7.9),
        omni_bytes(fx->arena, rt_slice_text("7")),
        text(fx, "007"),
    };
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        create_with(fx, "port", values[i]);
        assert_non_null(fx->connector);
        assert_int_equal(fx->script.port, 7);
    }
    create_with(fx, "port", text(fx, "1_0"));
    assert_int_equal(fx->script.port, 10);
    create_with(fx, "port", omni_bool(fx->arena, true));
    assert_int_equal(fx->script.port, 1);
    create_with(fx, "port", omni_float(fx->arena, -1.9));
    assert_int_equal(fx->script.port, -1); /* the client's business */
}

static void create__bad_sub_timeout__fails_before_the_client_and_is_not_logged(void **state)
{
    struct fixture *fx = *state;
    create_with(fx, "get_sub_timeout_ms", text(fx, "abc"));
    assert_null(fx->connector);
    assert_string_equal(fx->created_text, "invalid literal for int() with base 10: 'abc'");
    assert_string_equal(fx->log, "");
    create_with(fx, "get_sub_timeout_ms", omni_nil(fx->arena));
    assert_non_null(strstr(fx->created_text, "not 'NoneType'"));
    assert_int_equal(fx->script.create_count, 0);
}

static void create__bad_port__is_logged_as_a_failed_init(void **state)
{
    struct fixture *fx = *state;
    create_with(fx, "port", text(fx, "35_"));
    assert_null(fx->connector);
    assert_string_equal(fx->created_text, "invalid literal for int() with base 10: '35_'");
    assert_string_equal(fx->log, "error: Failed to initialize Datasystem client: invalid literal "
                                 "for int() with base 10: '35_'\n");
    assert_int_equal(fx->script.create_count, 0);
}

static void create__host_that_is_no_text__fails(void **state)
{
    struct fixture *fx = *state;
    create_with(fx, "host", omni_int(fx->arena, 5));
    assert_null(fx->connector);
    assert_logged(fx, "error: Failed to initialize Datasystem client: host must be a text");
}

static void create__sub_timeout__negative_is_0_and_large_is_passed_on(void **state)
{
    struct fixture *fx = *state;
    create_with(fx, "get_sub_timeout_ms", omni_int(fx->arena, -5));
    get(fx);
    run(fx);
    assert_int_equal(fx->script.sub_timeout_ms, 0);
    create_with(fx, "get_sub_timeout_ms", text(fx, "2147483648"));
    get(fx);
    run(fx);
    assert_int_equal(fx->script.sub_timeout_ms, 2147483648);
}

static void create__init_fails__is_logged_and_fails(void **state)
{
    struct fixture *fx = *state;
    fx->script.init_status = (struct ds_status){.code = K_CLIENT_WORKER_DISCONNECT,
                                                .detail = DS_DETAIL_SILENCE,
                                                .text = "Cannot receive heartbeat from worker"};
    create(fx, NULL);
    assert_null(fx->connector);
    assert_string_equal(fx->log, "error: Failed to initialize Datasystem client: code: [Client and "
                                 "Worker disconnect], msg: [Cannot receive heartbeat from "
                                 "worker]\n");
    assert_int_equal(fx->script.destroy_count, 1);
}

static void create__client_cannot_be_made__fails_or_asks_for_memory(void **state)
{
    struct fixture *fx = *state;
    struct omni_connector_config config = {.binding = &fx->script.binding};
    fx->script.create_status = RT_E_NOMEM;
    assert_int_equal(omni_connector_create(&fx->environment, &config, on_created, fx), RT_E_NOMEM);
    run(fx);
    assert_int_equal(fx->created_count, 0);
    fx->script.create_status = RT_E_INVALID;
    create(fx, NULL);
    assert_null(fx->connector);
}

static void create__timeout_extensions__reach_the_client(void **state)
{
    struct fixture *fx = *state;
    create_with(fx, "connect_timeout_ms", omni_int(fx->arena, 2500));
    assert_int_equal(fx->script.connect_timeout_ms, 2500);
    assert_int_equal(fx->script.request_timeout_ms, 0);
    create_with(fx, "request_timeout_ms", text(fx, "700"));
    assert_int_equal(fx->script.request_timeout_ms, 700);
    assert_int_equal(fx->script.connect_timeout_ms, 60000);
}

static void create__given_up_before_its_end__no_callback_and_nothing_left(void **state)
{
    struct fixture *fx = *state;
    struct omni_connector_config config = {.binding = &fx->script.binding};
    struct omni_connector *pending = NULL;
    fx->script.delay_us = 60000000;
    assert_int_equal(omni_connector_begin(&fx->environment, &config, on_created, fx, &pending),
                     RT_OK);
    assert_int_equal(rt_loop_run(fx->loop, NULL, NULL, 1000), RT_E_TIMEOUT);
    omni_connector_destroy(pending);
    run(fx);
    assert_int_equal(fx->created_count, 0);
    assert_int_equal(fx->script.destroy_count, 1);
    assert_string_equal(fx->log, "");
}

static void integer__limits_and_odd_texts__as_python(void **state)
{
    struct fixture *fx = *state;
    static const struct {
        const char *text;
        const char *message; /* NULL: an integer */
        int64_t integer;
    } rows[] = {
        {"9223372036854775807", NULL, INT64_MAX},
        {"9223372036854775808", NULL, INT64_MAX},
        {"-99999999999999999999", NULL, INT64_MIN},
        {"-9223372036854775808", NULL, INT64_MIN},
        {"", "invalid literal for int() with base 10: ''", 0},
        {"_1", "invalid literal for int() with base 10: '_1'", 0},
        {"1__0", "invalid literal for int() with base 10: '1__0'", 0},
        {"- 1", "invalid literal for int() with base 10: '- 1'", 0},
        {"1.0", "invalid literal for int() with base 10: '1.0'", 0},
        {"0x10", "invalid literal for int() with base 10: '0x10'", 0},
        {"it's", "invalid literal for int() with base 10: \"it's\"", 0},
        {"a\n\\", "invalid literal for int() with base 10: 'a\\n\\\\'", 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char message[OMNI_INTEGER_TEXT_BYTES] = "";
        int64_t integer = 0;
        bool is_integer = omni__integer_of(text(fx, rows[i].text), &integer, message);
        assert_int_equal(is_integer, rows[i].message == NULL);
        if (is_integer) {
            assert_true(integer == rows[i].integer);
        } else {
            assert_string_equal(message, rows[i].message);
        }
    }
    char message[OMNI_INTEGER_TEXT_BYTES];
    int64_t integer = 0;
    assert_false(omni__integer_of(omni_float(fx->arena, (double)INFINITY), &integer, message));
    assert_string_equal(message, "cannot convert float infinity to integer");
}

/* ---- put ------------------------------------------------------------------------------------ */

static void put__accepted__key_value_and_counters(void **state)
{
    struct fixture *fx = *state;
    create_ready(fx);
    put(fx, text(fx, "hello"));
    assert_int_equal(metrics_of(fx).puts_in_flight, 1);
    run(fx);
    assert_string_equal(fx->script.key, "request:0_1");
    assert_blob_hex(fx->script.stored, "a568656c6c6f");
    assert_int_equal(fx->put_count, 1);
    assert_true(fx->put.is_success);
    assert_int_equal(fx->put.size_bytes, 6);
    struct omni_metrics metrics = metrics_of(fx);
    assert_int_equal(metrics.puts, 1);
    assert_int_equal(metrics.bytes_transferred, 6);
    assert_int_equal(metrics.errors, 0);
    assert_int_equal(metrics.store.count, 1);
    assert_int_equal(metrics.serialize.count, 1);
    assert_logged(fx, "debug: YuanrongConnector put request:0_1");
}

static void put__empty_key__is_legal(void **state)
{
    struct fixture *fx = *state;
    create_ready(fx);
    assert_int_equal(
        omni_put(fx->connector, "a", "b", rt_slice_of(NULL, 0), omni_nil(fx->arena), on_put, fx),
        RT_OK);
    run(fx);
    assert_string_equal(fx->script.key, ":a_b");
    assert_true(fx->put.is_success);
}

static void put__each_refusal_of_the_client__one_error_with_its_cause(void **state)
{
    struct fixture *fx = *state;
    static const struct {
        int32_t code;
        enum ds_detail detail;
        enum ds_cause cause;
    } rows[] = {
        {K_INVALID, DS_DETAIL_CHECKED, DS_CAUSE_INVALID},
        {K_RPC_UNAVAILABLE, DS_DETAIL_SILENCE, DS_CAUSE_BACKEND_TIMEOUT},
        {K_RPC_UNAVAILABLE, DS_DETAIL_DECLARED_LOST, DS_CAUSE_DISCONNECTED},
        {K_RPC_UNAVAILABLE, DS_DETAIL_ANSWERED, DS_CAUSE_TRANSPORT},
        {K_OUT_OF_MEMORY, DS_DETAIL_ANSWERED, DS_CAUSE_OUT_OF_MEMORY},
        {K_NO_SPACE, DS_DETAIL_ANSWERED, DS_CAUSE_OUT_OF_MEMORY},
        {K_RUNTIME_ERROR, DS_DETAIL_ANSWERED, DS_CAUSE_OTHER},
        {K_NOT_FOUND, DS_DETAIL_ANSWERED, DS_CAUSE_OTHER},
        {K_UNKNOWN_ERROR, DS_DETAIL_UNDECODABLE, DS_CAUSE_OTHER},
    };
    create_ready(fx);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t before = metrics_of(fx).put_causes[rows[i].cause];
        answer_status(fx, rows[i].code, rows[i].detail, "said so");
        put(fx, omni_nil(fx->arena));
        run(fx);
        assert_false(fx->put.is_success);
        assert_int_equal(fx->put.size_bytes, 0);
        assert_int_equal(fx->put.cause, rows[i].cause);
        assert_int_equal(fx->put.status.code, rows[i].code);
        assert_string_equal(fx->put_text, "said so");
        assert_int_equal(metrics_of(fx).put_causes[rows[i].cause], before + 1);
        assert_int_equal(metrics_of(fx).errors, i + 1);
    }
    assert_int_equal(metrics_of(fx).puts, 0);
    assert_int_equal(metrics_of(fx).bytes_transferred, 0);
    assert_logged(fx, "error: YuanrongConnector put failed: code: [Invalid parameter], msg: "
                      "[said so]\n");
}

static void put__value_that_cannot_be_encoded__never_reaches_the_client(void **state)
{
    struct fixture *fx = *state;
    create_ready(fx);
    put(fx, text(fx, "\xff"));
    run(fx);
    assert_false(fx->put.is_success);
    assert_int_equal(fx->put.cause, DS_CAUSE_CODEC);
    assert_int_equal(fx->script.set_count, 0);
    assert_int_equal(metrics_of(fx).errors, 1);
    assert_int_equal(metrics_of(fx).put_causes[DS_CAUSE_CODEC], 1);
    assert_logged(fx, "error: YuanrongConnector put failed: text is not UTF-8");
}

static void call__client_without_memory__nothing_happened(void **state)
{
    struct fixture *fx = *state;
    create_ready(fx);
    fx->script.call_status = RT_E_NOMEM;
    assert_int_equal(
        omni_put(fx->connector, "0", "1", rt_slice_text("k"), omni_nil(fx->arena), on_put, fx),
        RT_E_NOMEM);
    assert_int_equal(omni_get(fx->connector, "0", "1", rt_slice_text("k"), on_get, fx), RT_E_NOMEM);
    run(fx);
    assert_int_equal(fx->put_count + fx->get_count, 0);
    assert_int_equal(metrics_of(fx).put_calls + metrics_of(fx).get_calls, 0);
}

/* ---- get: the table of the contract ---------------------------------------------------------- */

static void get__bytes_that_decode__data_and_length(void **state)
{
    struct fixture *fx = *state;
    create_ready(fx);
    put(fx, text(fx, "hello"));
    run(fx);
    fx->script.delay_us = 5000;
    get(fx);
    run(fx);
    assert_string_equal(fx->script.key, "request:0_1");
    assert_string_equal(fx->get_data, "\"hello\"");
    assert_int_equal(fx->get.size_bytes, 6);
    struct omni_metrics metrics = metrics_of(fx);
    assert_int_equal(metrics.gets, 1);
    assert_int_equal(metrics.bytes_transferred, 6); /* of the put */
    assert_int_equal(metrics.fetch.count, 1);
    assert_int_equal(metrics.fetch.sum_us, 5000);
    assert_int_equal(metrics.fetch.buckets[13], 1); /* 4096 .. 8191 */
    assert_int_equal(metrics.deserialize.count, 1);
    assert_logged(fx, "info: YuanrongConnector get request:0_1: fetch 5.000 ms");
}

static void get__empty_list_or_null__nothing_and_no_counter_of_upstreams(void **state)
{
    struct fixture *fx = *state;
    create_ready(fx);
    answer_status(fx, K_OK, DS_DETAIL_NONE, "");
    get(fx);
    run(fx);
    assert_string_equal(fx->get_data, "nothing");
    fx->script.answer = SCRIPT_NULL;
    get(fx);
    run(fx);
    assert_string_equal(fx->get_data, "nothing");
    assert_int_equal(fx->get.cause, DS_CAUSE_NONE);
    struct omni_metrics metrics = metrics_of(fx);
    assert_int_equal(metrics.gets + metrics.timeouts, 0);
    assert_int_equal(metrics.empties, 2);
    assert_int_equal(metrics.get_calls, 2);
    assert_string_equal(fx->log, "");
}

static void get__client_raises__a_timeout_with_its_cause(void **state)
{
    struct fixture *fx = *state;
    static const struct {
        int32_t code;
        enum ds_detail detail;
        enum ds_cause cause;
    } rows[] = {
        {K_NOT_FOUND, DS_DETAIL_ANSWERED, DS_CAUSE_NOT_FOUND},
        {K_RPC_DEADLINE_EXCEEDED, DS_DETAIL_ANSWERED, DS_CAUSE_BACKEND_TIMEOUT},
        {K_RPC_UNAVAILABLE, DS_DETAIL_SILENCE, DS_CAUSE_BACKEND_TIMEOUT},
        {K_RPC_UNAVAILABLE, DS_DETAIL_DECLARED_LOST, DS_CAUSE_DISCONNECTED},
        {K_CLIENT_WORKER_DISCONNECT, DS_DETAIL_ANSWERED, DS_CAUSE_DISCONNECTED},
        {K_NOT_READY, DS_DETAIL_ANSWERED, DS_CAUSE_DISCONNECTED},
        {K_SERVER_FD_CLOSED, DS_DETAIL_ANSWERED, DS_CAUSE_DISCONNECTED},
        {K_SCALE_DOWN, DS_DETAIL_ANSWERED, DS_CAUSE_DISCONNECTED},
        {K_RPC_UNAVAILABLE, DS_DETAIL_ANSWERED, DS_CAUSE_TRANSPORT},
        {K_RPC_CANCELLED, DS_DETAIL_ANSWERED, DS_CAUSE_TRANSPORT},
        {K_IO_ERROR, DS_DETAIL_ANSWERED, DS_CAUSE_TRANSPORT},
        {K_INVALID, DS_DETAIL_CHECKED, DS_CAUSE_INVALID},
        {K_OUT_OF_MEMORY, DS_DETAIL_ANSWERED, DS_CAUSE_OUT_OF_MEMORY},
        {K_NO_SPACE, DS_DETAIL_ANSWERED, DS_CAUSE_OUT_OF_MEMORY},
        {K_UNKNOWN_ERROR, DS_DETAIL_UNDECODABLE, DS_CAUSE_CODEC},
        {K_UNKNOWN_ERROR, DS_DETAIL_ANSWERED, DS_CAUSE_OTHER},
        {K_TRY_AGAIN, DS_DETAIL_ANSWERED, DS_CAUSE_OTHER},
    };
    create_ready(fx);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t before = metrics_of(fx).get_causes[rows[i].cause];
        answer_status(fx, rows[i].code, rows[i].detail, "said so");
        get(fx);
        run(fx);
        assert_string_equal(fx->get_data, "nothing");
        assert_int_equal(fx->get.cause, rows[i].cause);
        assert_int_equal(fx->get.status.code, rows[i].code);
        assert_int_equal(metrics_of(fx).get_causes[rows[i].cause], before + 1);
        assert_int_equal(metrics_of(fx).timeouts, i + 1);
    }
    assert_int_equal(metrics_of(fx).gets, 0);
    assert_logged(fx, "error: YuanrongConnector get failed: code: [Key not found], msg: "
                      "[said so]\n");
}

static void get__bytes_that_do_not_decode__a_timeout_with_cause_decode(void **state)
{
    struct fixture *fx = *state;
    create_ready(fx);
    fx->script.answer = SCRIPT_BYTES;
    fx->script.bytes = rt_slice_of("\xc1", 1);
    get(fx);
    run(fx);
    assert_string_equal(fx->get_data, "nothing");
    assert_int_equal(fx->get.cause, DS_CAUSE_CODEC);
    assert_int_equal(fx->get.size_bytes, 0);
    fx->script.bytes = rt_slice_of("", 0); /* zero bytes included */
    get(fx);
    run(fx);
    assert_string_equal(fx->get_text, "the document ends too early (byte 0)");
    assert_int_equal(metrics_of(fx).timeouts, 2);
    assert_int_equal(metrics_of(fx).get_causes[DS_CAUSE_CODEC], 2);
    assert_logged(fx, "error: YuanrongConnector get failed: byte 0xc1");
}

struct keeper {
    struct omni_arena *arena;
    const struct omni_value *data;
    struct rt_slice payload;
    struct rt_blob *blob;
};

static void on_get_keep(void *arg, const struct omni_get_result *result)
{
    struct keeper *keeper = arg;
    keeper->arena = result->arena;
    keeper->data = result->data;
    keeper->payload = rt_blob_slice(result->payload);
    *result->is_arena_kept = true;
}

static void get__arena_kept__tensor_views_outlive_the_connector(void **state)
{
    struct fixture *fx = *state;
    struct keeper keeper = {.arena = NULL};
    const int64_t shape[] = {8, 8};
    uint8_t *bytes = NULL;
    struct rt_blob *blob = rt_blob_create(256, &bytes);
    memset(bytes, 9, 256);
    create_ready(fx);
    put(fx, omni_tensor(fx->arena, OMNI_TENSOR, "float32", shape, 2, blob));
    run(fx);
    rt_blob_release(blob);
    assert_int_equal(omni_get(fx->connector, "0", "1", rt_slice_text("k"), on_get_keep, &keeper),
                     RT_OK);
    run(fx);
    omni_connector_destroy(fx->connector);
    fx->connector = NULL;
    const uint8_t *data = keeper.data->tensor.body.bytes.data;
    assert_true(data > keeper.payload.data &&
                data + 256 == keeper.payload.data + keeper.payload.len_bytes);
    assert_int_equal(data[255], 9);
    omni_arena_destroy(keeper.arena);
}

static void on_get_keep_both(void *arg, const struct omni_get_result *result)
{
    struct keeper *keeper = arg;
    on_get_keep(arg, result);
    keeper->blob = rt_blob_retain(result->payload);
}

/* Two gets of a few bytes: of one the arena goes first, of the other the payload. */
static void get__small_value_kept__arena_and_payload_live_each_for_itself(void **state)
{
    struct fixture *fx = *state;
    struct keeper kept[2] = {{.arena = NULL}};
    create_ready(fx);
    put(fx, text(fx, "hello"));
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(
            omni_get(fx->connector, "0", "1", rt_slice_text("k"), on_get_keep_both, &kept[i]),
            RT_OK);
        run(fx);
    }
    omni_connector_destroy(fx->connector);
    fx->connector = NULL;
    omni_arena_destroy(kept[0].arena);
    rt_blob_release(kept[1].blob);
    assert_true(rt_slice_is_text(rt_blob_slice(kept[0].blob), "\xa5hello"));
    assert_true(rt_slice_is_text(kept[1].data->body.bytes, "hello"));
    rt_blob_release(kept[0].blob);
    omni_arena_destroy(kept[1].arena);
}

/* ---- close and destroy ---------------------------------------------------------------------- */

static void close__then_calls__refused_without_touching_a_counter(void **state)
{
    struct fixture *fx = *state;
    struct omni_health health;
    create_ready(fx);
    omni_close(fx->connector);
    omni_close(fx->connector); /* idempotent */
    assert_int_equal(fx->script.destroy_count, 1);
    fx->log[0] = '\0';

    put(fx, omni_nil(fx->arena));
    get(fx);
    omni_cleanup(fx->connector, rt_slice_text("request"));
    run(fx);

    assert_false(fx->put.is_success);
    assert_int_equal(fx->put.cause, DS_CAUSE_NONE);
    assert_int_equal(fx->put.status.detail, DS_DETAIL_CLOSED);
    assert_string_equal(fx->get_data, "nothing");
    assert_string_equal(fx->log, "error: Datasystem client not initialized\n"
                                 "error: Datasystem client not initialized\n");
    struct omni_metrics metrics = metrics_of(fx);
    assert_int_equal(metrics.puts + metrics.gets + metrics.errors + metrics.timeouts, 0);
    assert_int_equal(metrics.puts_refused_closed, 1);
    assert_int_equal(metrics.gets_refused_closed, 1);
    omni_connector_health(fx->connector, &health);
    assert_false(health.is_healthy);
    assert_string_equal(health.error, "Datasystem client not initialized");
    assert_null(health.host);
}

static void close__calls_in_flight__end_as_refused(void **state)
{
    struct fixture *fx = *state;
    create_ready(fx);
    fx->script.answer = SCRIPT_HOLD;
    put(fx, omni_nil(fx->arena));
    get(fx);
    run(fx);
    assert_int_equal(fx->put_count + fx->get_count, 0);
    assert_int_equal(metrics_of(fx).gets_in_flight, 1);

    omni_close(fx->connector);
    assert_int_equal(fx->put_count + fx->get_count, 0); /* not from inside the call */
    run(fx);

    assert_int_equal(fx->put_count, 1);
    assert_int_equal(fx->get_count, 1);
    assert_int_equal(fx->get.status.detail, DS_DETAIL_CLOSED);
    assert_int_equal(metrics_of(fx).puts_refused_closed, 1);
    assert_int_equal(metrics_of(fx).gets_refused_closed, 1);
    assert_int_equal(metrics_of(fx).timeouts + metrics_of(fx).errors, 0);
}

static void destroy__calls_in_flight_or_due__each_callback_runs_once(void **state)
{
    struct fixture *fx = *state;
    create_ready(fx);
    fx->script.answer = SCRIPT_HOLD;
    put(fx, omni_nil(fx->arena));
    get(fx);
    omni_connector_destroy(fx->connector);
    fx->connector = NULL;
    assert_int_equal(fx->put_count, 1);
    assert_int_equal(fx->get_count, 1);
    run(fx);
    assert_int_equal(fx->put_count, 1);
}

static void destroy__inside_a_callback__ends_the_other_calls_first(void **state)
{
    struct fixture *fx = *state;
    create_ready(fx);
    put(fx, omni_nil(fx->arena));
    put(fx, omni_nil(fx->arena));
    get(fx);
    fx->is_destroying_in_callback = true;
    run(fx);
    assert_null(fx->connector);
    assert_int_equal(fx->put_count, 2);
    assert_int_equal(fx->get_count, 1);
}

static void health__ready__address_and_counters(void **state)
{
    struct fixture *fx = *state;
    struct omni_health health;
    create_ready(fx);
    put(fx, omni_nil(fx->arena));
    run(fx);
    omni_connector_health(fx->connector, &health);
    assert_true(health.is_healthy);
    assert_null(health.error);
    assert_string_equal(health.host, "127.0.0.1");
    assert_int_equal(health.port, 35001);
    assert_int_equal(health.metrics.puts, 1);
}

static void cleanup__ready__only_a_debug_line(void **state)
{
    struct fixture *fx = *state;
    create_ready(fx);
    omni_cleanup(fx->connector, rt_slice_text("request-7"));
    run(fx);
    assert_logged(fx, "debug: ");
    assert_logged(fx, "request-7");
    assert_int_equal(fx->script.set_count + fx->script.get_count, 0);
}

static void laws__each_broken_one__is_named(void **state)
{
    (void)state;
    struct omni_metrics metrics = {.timeouts = 0};
    assert_null(omni_metrics_broken_law(&metrics));
    metrics.timeouts = 1;
    assert_non_null(strstr(omni_metrics_broken_law(&metrics), "timeouts ="));
    metrics.get_causes[DS_CAUSE_NOT_FOUND] = 1;
    assert_non_null(strstr(omni_metrics_broken_law(&metrics), "get calls ="));
    metrics.get_calls = 1;
    assert_null(omni_metrics_broken_law(&metrics));
    metrics.errors = 1;
    assert_non_null(strstr(omni_metrics_broken_law(&metrics), "errors ="));
    metrics.put_causes[DS_CAUSE_NOT_FOUND] = 1;
    assert_non_null(strstr(omni_metrics_broken_law(&metrics), "never not found"));
    metrics.put_causes[DS_CAUSE_NOT_FOUND] = 0;
    metrics.put_causes[DS_CAUSE_OTHER] = 1;
    assert_non_null(strstr(omni_metrics_broken_law(&metrics), "put calls ="));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(create__no_options__upstreams_defaults),
        TEST(create__hole_in_the_binding__fails_first_naming_all_three),
        TEST(create__integers__are_what_pythons_int_takes),
        TEST(create__bad_sub_timeout__fails_before_the_client_and_is_not_logged),
        TEST(create__bad_port__is_logged_as_a_failed_init),
        TEST(create__host_that_is_no_text__fails),
        TEST(create__sub_timeout__negative_is_0_and_large_is_passed_on),
        TEST(create__init_fails__is_logged_and_fails),
        TEST(create__client_cannot_be_made__fails_or_asks_for_memory),
        TEST(create__timeout_extensions__reach_the_client),
        TEST(create__given_up_before_its_end__no_callback_and_nothing_left),
        TEST(integer__limits_and_odd_texts__as_python),
        TEST(put__accepted__key_value_and_counters),
        TEST(put__empty_key__is_legal),
        TEST(put__each_refusal_of_the_client__one_error_with_its_cause),
        TEST(put__value_that_cannot_be_encoded__never_reaches_the_client),
        TEST(call__client_without_memory__nothing_happened),
        TEST(get__bytes_that_decode__data_and_length),
        TEST(get__empty_list_or_null__nothing_and_no_counter_of_upstreams),
        TEST(get__client_raises__a_timeout_with_its_cause),
        TEST(get__bytes_that_do_not_decode__a_timeout_with_cause_decode),
        TEST(get__arena_kept__tensor_views_outlive_the_connector),
        TEST(get__small_value_kept__arena_and_payload_live_each_for_itself),
        TEST(close__then_calls__refused_without_touching_a_counter),
        TEST(close__calls_in_flight__end_as_refused),
        TEST(destroy__calls_in_flight_or_due__each_callback_runs_once),
        TEST(destroy__inside_a_callback__ends_the_other_calls_first),
        TEST(health__ready__address_and_counters),
        TEST(cleanup__ready__only_a_debug_line),
        TEST(laws__each_broken_one__is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
