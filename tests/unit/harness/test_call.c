/* SPDX-License-Identifier: Apache-2.0 */
/* `dstest call`, the program, against a fake worker of this process. */
#include "dstest_program.h"

#include "connector/ds_blocking.h"
#include "fakeds/include/fakeds.h"

struct fixture {
    struct fakeds *fake;
    struct dstest_run run;
    const char *address;
};

static int set_up(void **state)
{
    struct fixture *fx = calloc(1, sizeof(*fx));
    *state = fx;
    if (fx == NULL || fakeds_start(NULL, &fx->fake) != FAKEDS_OK) {
        return 1;
    }
    fx->address = fakeds_address(fx->fake);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fx = *state;
    fakeds_stop(fx->fake);
    free(fx);
    return 0;
}

#define CALL(fx, ...) dstest_run(&(fx)->run, "call", __VA_ARGS__, (const char *)NULL)

/* ---- calls ---------------------------------------------------------------------------------- */

static void put_and_get__a_text__comes_back_described(void **state)
{
    struct fixture *fx = *state;
    char stored[16];
    size_t size_bytes = 0;

    CALL(fx, "put", "--address", fx->address, "k", "hello");
    assert_int_equal(fx->run.exit_code, 0);
    assert_has(fx->run.out, "put k:0_1: 6 bytes in ");
    assert_string_equal(fx->run.err, "");
    assert_int_equal(fakeds_peek(fx->fake, "k:0_1", stored, sizeof(stored), &size_bytes),
                     FAKEDS_OK);
    assert_int_equal(size_bytes, 6);
    assert_memory_equal(stored, "\xa5hello", 6);

    CALL(fx, "get", "k", "--address", fx->address);
    assert_int_equal(fx->run.exit_code, 0);
    assert_has(fx->run.out, "get k:0_1: 6 bytes in ");
    assert_has(fx->run.out, "\"hello\"");
}

static void get__json_and_payload__leave_stdout_to_the_data(void **state)
{
    struct fixture *fx = *state;

    CALL(fx, "put", "--address", fx->address, "--as", "json", "k", "{\"a\": [1, 2.5]}");
    assert_int_equal(fx->run.exit_code, 0);
    CALL(fx, "get", "--address", fx->address, "k", "--json");
    assert_int_equal(fx->run.exit_code, 0);
    assert_string_equal(fx->run.out, "{\"a\": [1, 2.5]}\n");
    assert_has(fx->run.err, "connected to ");
    CALL(fx, "get", "--address", fx->address, "k", "-o", "-");
    assert_int_equal(fx->run.exit_code, 0);
    assert_memory_equal(fx->run.out,
                        "\x81\xa1"
                        "a\x92\x01\xcb\x40\x04",
                        8);
}

static void put__a_file__is_bytes_unless_told(void **state)
{
    struct fixture *fx = *state;
    const char *path = dstest_file(".bin", "\x93\x01\x02\x03");

    CALL(fx, "put", "--address", fx->address, "k", "--file", path);
    assert_has(fx->run.out, "6 bytes");
    CALL(fx, "put", "--address", fx->address, "k2", "--file", path, "--as", "payload");
    assert_has(fx->run.out, "put k2:0_1: 4 bytes");
    CALL(fx, "get", "--address", fx->address, "k2", "--json");
    assert_string_equal(fx->run.out, "[1, 2, 3]\n");
    (void)unlink(path);
}

static void exist_and_delete__tell_what_is_there(void **state)
{
    struct fixture *fx = *state;

    CALL(fx, "put", "--address", fx->address, "k", "x");
    CALL(fx, "exist", "--address", fx->address, "k");
    assert_int_equal(fx->run.exit_code, 0);
    assert_has(fx->run.out, "k:0_1 is there");
    CALL(fx, "delete", "--address", fx->address, "k");
    assert_int_equal(fx->run.exit_code, 0);
    CALL(fx, "exist", "--address", fx->address, "k");
    assert_int_equal(fx->run.exit_code, 1);
    assert_has(fx->run.out, "k:0_1 is not there");
}

static void health__asks_the_worker_and_shows_the_counters(void **state)
{
    struct fixture *fx = *state;

    CALL(fx, "health", "--address", fx->address);
    assert_int_equal(fx->run.exit_code, 0);
    assert_has(fx->run.out, "worker: healthy");
    assert_has(fx->run.out, "puts 0, gets 0, bytes_transferred 0, errors 0, timeouts 0");
    assert_int_equal(fakeds_requests(fx->fake, "health"), 1);
}

static void roundtrip__leaves_nothing_in_the_worker(void **state)
{
    struct fixture *fx = *state;
    size_t size_bytes = 0;

    CALL(fx, "roundtrip", "--address", fx->address, "probe");
    assert_int_equal(fx->run.exit_code, 0);
    assert_has(fx->run.out, "the value came back as it was put");
    assert_int_equal(fakeds_peek(fx->fake, "probe:0_1", NULL, 0, &size_bytes), FAKEDS_NOT_FOUND);
    assert_int_equal(fakeds_applied(fx->fake, "set"), 1);
    assert_int_equal(fakeds_requests(fx->fake, "disconnect"), 1); /* it took its leave */
}

/* ---- failures ------------------------------------------------------------------------------- */

static void get__no_such_key__tells_cause_and_next_step(void **state)
{
    struct fixture *fx = *state;

    CALL(fx, "get", "--address", fx->address, "none", "--sub-timeout", "50ms");
    assert_int_equal(fx->run.exit_code, 1);
    assert_has(fx->run.err, "get none:0_1 failed after ");
    assert_has(fx->run.err, "not_found: code: [Key not found]");
    assert_has(fx->run.err, "next: nobody has put this key for this edge");
}

/* As another client would write: not what a connector serializes. */
static void set_raw(const struct fixture *fx, const char *key, const char *bytes)
{
    struct ds_options options;
    struct ds_blocking *client = NULL;
    struct ds_blocking_result result;
    struct dsrpc_piece piece = {.bytes = rt_slice_text(bytes)};
    const struct dsrpc_value value = {&piece, 1, piece.bytes.len_bytes};

    ds_options_init(&options);
    options.port = fakeds_port(fx->fake);
    assert_int_equal(ds_blocking_create(&options, NULL, &client), RT_OK);
    assert_true(ds_blocking_init(client, &result));
    ds_blocking_result_fini(&result);
    assert_true(ds_blocking_set(client, rt_slice_text(key), &value, NULL, &result));
    ds_blocking_result_fini(&result);
    ds_blocking_destroy(client);
}

static void get__bytes_that_are_no_payload__points_to_payload_show(void **state)
{
    struct fixture *fx = *state;

    set_raw(fx, "k:0_1", "\xc1");
    CALL(fx, "get", "--address", fx->address, "k");
    assert_int_equal(fx->run.exit_code, 1);
    assert_has(fx->run.err, "get k:0_1 failed after ");
    assert_has(fx->run.err, ": codec: ");
    assert_has(fx->run.err, "`dstest payload show`");
}

static void put__reply_is_lost__says_that_it_may_be_stored(void **state)
{
    struct fixture *fx = *state;
    char why[256] = "";

    if (fakeds_arm(fx->fake, "lost: on {op: set} at applied do drop-reply", why, sizeof(why)) !=
        FAKEDS_OK) {
        fail_msg("%s", why);
    }
    CALL(fx, "put", "--address", fx->address, "k", "x", "--request-timeout", "600ms");
    assert_int_equal(fx->run.exit_code, 1);
    assert_has(fx->run.err, ": backend_timeout: ");
    assert_has(fx->run.err, "may be stored all the same");
    assert_true(fakeds_applied(fx->fake, "set") >= 1);
}

static void construction__nobody_listens__cannot_and_says_what_to_look_at(void **state)
{
    struct fixture *fx = *state;

    fakeds_kill(fx->fake);
    CALL(fx, "get", "--address", fx->address, "k", "--connect-timeout", "600ms");
    assert_int_equal(fx->run.exit_code, 4);
    assert_has(fx->run.err, "edge 0->1: after ");
    assert_has(fx->run.err, "Failed to create connector YuanrongConnector: ");
    assert_has(fx->run.err, "next: nothing that speaks the Datasystem's protocol answers there");
}

/* ---- configurations ------------------------------------------------------------------------- */

static const char *configuration(const struct fixture *fx)
{
    char text[1024];

    (void)snprintf(text, sizeof(text),
                   "runtime:\n  connectors:\n"
                   "    yr: {name: YuanrongConnector, extra: {port: %u, get_sub_timeout_ms: 20}}\n"
                   "stage_args:\n- {stage_id: 0, output_connectors: {to_stage_1: yr}}\n"
                   "- {stage_id: 2, input_connectors: {from_stage_1: yr}}\n"
                   "- {stage_id: 3, engine_input_source: [2]}\n",
                   fakeds_port(fx->fake));
    return dstest_file(".yaml", text);
}

static void configuration__edge_or_stage__chooses_the_connector(void **state)
{
    struct fixture *fx = *state;
    const char *path = configuration(fx);

    CALL(fx, "put", "--config", path, "--edge", "1:2", "k", "x");
    assert_int_equal(fx->run.exit_code, 0);
    assert_has(fx->run.out, "put k:1_2: ");
    CALL(fx, "get", "--config", path, "--stage", "2", "k"); /* its primary edge leads to 3 */
    assert_int_equal(fx->run.exit_code, 4);
    assert_has(fx->run.err, "edge 2->3: ");
    assert_has(fx->run.err, "Unknown connector: SharedMemoryConnector. Available: [");
    assert_has(fx->run.err, "next: only connectors that speak to a Datasystem worker");
    CALL(fx, "get", "--config", path, "--stage", "1", "k");
    assert_has(fx->run.out, "get k:1_2: ");
    CALL(fx, "get", "--config", path, "--stage", "0", "k");
    assert_int_equal(fx->run.exit_code, 1);
    assert_has(fx->run.err, "get k:0_1 failed");
    (void)unlink(path);
}

static void configuration__several_edges_and_none_named__lists_them(void **state)
{
    struct fixture *fx = *state;
    const char *path = configuration(fx);

    CALL(fx, "get", "--config", path, "k");
    assert_int_equal(fx->run.exit_code, 2);
    assert_has(fx->run.err, "--edge 0:1  YuanrongConnector");
    assert_has(fx->run.err, "--edge 2:3  SharedMemoryConnector");
    CALL(fx, "get", "--config", path, "--edge", "5:6", "k");
    assert_int_equal(fx->run.exit_code, 2);
    assert_has(fx->run.err, "there is no such edge");
    (void)unlink(path);
}

static void configuration__invalid__names_the_place(void **state)
{
    struct fixture *fx = *state;
    const char *path = dstest_file(".yaml", "stage_args: [{stage_id: 1, input_connectors: "
                                            "{from_stage_0: yr}}]\n");

    CALL(fx, "health", "--config", path);
    assert_int_equal(fx->run.exit_code, 2);
    assert_has(fx->run.err, ":1:61: Undefined connector reference: yr");
    (void)unlink(path);
}

/* ---- usage ---------------------------------------------------------------------------------- */

static void usage__each_mistake__is_told_and_exits_with_2(void **state)
{
    struct fixture *fx = *state;
    static const char *const lines[][7] = {
        {NULL},
        {"got", "--address", "h:1", "k"},
        {"get", "k"},
        {"get", "--address", "h:1"},
        {"get", "--address", "h:1", "--config", "f.yaml", "k"},
        {"get", "--address", "h", "k"},
        {"get", "--address", "h:0", "k"},
        {"get", "--address", "h:1", "k", "data"},
        {"get", "--address", "h:1", "k", "--sub-timeout", "5"},
        {"get", "--address", "h:1", "k", "--wait", "5ms"},
        {"get", "k", "--address"},
        {"get", "--address", "h:1", "k", "--stage", "1"},
        {"get", "--address", "h:1", "k", "--edge", "01"},
        {"put", "--address", "h:1", "k"},
        {"put", "--address", "h:1", "k", "x", "--json"},
        {"put", "--address", "h:1", "k", "--file", "/nowhere/x"},
        {"health", "--address", "h:1", "k"},
    };

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        const char *const *line = lines[i];
        dstest_run(&fx->run, "call", line[0], line[1], line[2], line[3], line[4], line[5], line[6],
                   (const char *)NULL);
        if (fx->run.exit_code != 2) {
            fail_msg("line %zu: exit code %d", i, fx->run.exit_code);
        }
        assert_has(fx->run.err, "dstest call: ");
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(put_and_get__a_text__comes_back_described),
        TEST(get__json_and_payload__leave_stdout_to_the_data),
        TEST(put__a_file__is_bytes_unless_told),
        TEST(exist_and_delete__tell_what_is_there),
        TEST(health__asks_the_worker_and_shows_the_counters),
        TEST(roundtrip__leaves_nothing_in_the_worker),
        TEST(get__no_such_key__tells_cause_and_next_step),
        TEST(get__bytes_that_are_no_payload__points_to_payload_show),
        TEST(put__reply_is_lost__says_that_it_may_be_stored),
        TEST(construction__nobody_listens__cannot_and_says_what_to_look_at),
        TEST(configuration__edge_or_stage__chooses_the_connector),
        TEST(configuration__several_edges_and_none_named__lists_them),
        TEST(configuration__invalid__names_the_place),
        TEST(usage__each_mistake__is_told_and_exits_with_2),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
