/* SPDX-License-Identifier: Apache-2.0 */
/* Init, heartbeats and connections: the life of a client in exact times. */
#include "unit/connector/ds_world.h"

#include "wire/proto/datasystem.pb-c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int open_world(void **state)
{
    static struct world world;

    world_open(&world);
    *state = &world;
    return 0;
}

static int close_world(void **state)
{
    world_close(*state);
    return 0;
}

/* Time of the n-th heartbeat in microseconds. */
static uint64_t beat_us(const struct world *world, size_t number)
{
    const struct server_request *request =
        server_request(&world->server, DSRPC_OP_HEARTBEAT, number);

    assert_non_null(request);
    return request->time_us;
}

/* ---- init ---- */

static void init__healthy_worker__socket_path_register_heartbeat_in_order(void **state)
{
    static const enum dsrpc_op ORDER[] = {DSRPC_OP_SOCKET_PATH, DSRPC_OP_REGISTER,
                                          DSRPC_OP_HEARTBEAT};
    struct world *world = *state;

    world_ready(world);
    world_pass_ms(world, 10);
    assert_int_equal(world->server.request_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(world->server.requests[i].op, ORDER[i]);
        assert_int_equal(world->server.requests[i].timeout_ms, 60000);
    }
    assert_int_equal(world_state(world).registrations, 1);
    assert_int_equal(world_state(world).connects, 2);
    assert_true(world_state(world).is_ready);
    assert_string_equal(world_state(world).client_id, SERVER_CLIENT_ID);
    assert_int_equal(world->server.probes, 2); /* each connection begins with one */
}

static void init__again_or_twice_at_once__one_registration(void **state)
{
    struct world *world = *state;
    struct ended ended[3] = {{0}};

    world_make_client(world);
    start_op(world, DSRPC_OP_REGISTER, &ended[0]);
    start_op(world, DSRPC_OP_REGISTER, &ended[1]);
    world_wait(world, &ended[1]);
    run_init(world, &ended[2]);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(ended[i].calls, 1);
        assert_int_equal(ended[i].code, K_OK);
    }
    assert_int_equal(server_count(&world->server, DSRPC_OP_REGISTER), 1);
}

/* Nobody listens: every attempt costs 3 s or the rest of the budget. */
static void init__dead_port__ends_with_the_connect_timeout(void **state)
{
    static const struct {
        int64_t connect_ms;
        unsigned attempts;
    } ROWS[] = {{500, 1}, {2500, 1}, {4000, 2}, {6000, 2}, {9000, 3}, {60000, 12}};
    struct world *world = *state;

    server_stop_listening(&world->server);
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        struct ended ended = {0};
        char end[80];
        world->options.connect_timeout_ms = ROWS[i].connect_ms;
        world_make_client(world);
        run_init(world, &ended);
        assert_int_equal(ended.code, K_RPC_UNAVAILABLE);
        assert_int_equal(ended.detail, DS_DETAIL_SILENCE);
        assert_int_equal(ended.took_us, (uint64_t)ROWS[i].connect_ms * 1000);
        (void)snprintf(end, sizeof(end), "RPC Retry detail: [ RPC unavailable * %u ] with %u times",
                       ROWS[i].attempts, ROWS[i].attempts - 1);
        assert_non_null(strstr(ended.text, end));
        ds_client_destroy(world->client);
        world->client = NULL;
    }
}

static void init__port_opens_after_a_second__succeeds_then(void **state)
{
    struct world *world = *state;
    struct ended ended = {0};

    world->options.connect_timeout_ms = 6000;
    server_stop_listening(&world->server);
    world_make_client(world);
    start_op(world, DSRPC_OP_REGISTER, &ended);
    world_pass_ms(world, 1000);
    server_listen(&world->server, SERVER_ADDRESS);
    world_wait(world, &ended);
    assert_int_equal(ended.code, K_OK);
    assert_in_range(ended.took_us, 1000000, 1100000);
}

static void init__connections_refused_twice__the_third_is_taken(void **state)
{
    struct world *world = *state;
    struct ended ended = {0};

    world->server.is_refusing = true;
    world_make_client(world);
    start_op(world, DSRPC_OP_REGISTER, &ended);
    world_pass_ms(world, 150);
    world->server.is_refusing = false;
    world_wait(world, &ended);
    assert_int_equal(ended.code, K_OK);
    assert_int_equal(ended.took_us, 200000); /* two rests of 100 ms */
}

static void init__peer_that_says_nothing__ends_with_the_connect_timeout(void **state)
{
    struct world *world = *state;
    struct ended ended = {0};

    world->server.is_mute = true;
    world_make_client(world);
    run_init(world, &ended);
    assert_int_equal(ended.detail, DS_DETAIL_SILENCE);
    assert_int_equal(ended.took_us, 3000000);
}

static void init__register_busy_twice__asked_again_by_the_law(void **state)
{
    static const uint64_t TIMES_MS[] = {0, 1, 6};
    struct world *world = *state;

    server_rule(&world->server, DSRPC_OP_REGISTER,
                (struct server_rule){.code = K_TRY_AGAIN, .times = 2});
    world_ready(world);
    assert_times_ms(world, DSRPC_OP_REGISTER, TIMES_MS, 3);
}

static void init__register_refused__ends_at_once_with_the_suffix(void **state)
{
    struct world *world = *state;
    struct ended ended = {0};
    struct ended again = {0};
    struct ended call = {0};

    server_rule(&world->server, DSRPC_OP_REGISTER,
                (struct server_rule){.code = K_INVALID, .text = "made up", .times = 1});
    world_make_client(world);
    run_init(world, &ended);
    assert_int_equal(ended.code, K_INVALID);
    assert_non_null(strstr(ended.text, "RPC Retry detail: [ ] with 0 times in 3000 ms."));
    run_set(world, "k", "v", &call);
    assert_int_equal(call.code, K_NOT_READY);
    assert_non_null(
        strstr(call.text, "The client initialization failed and needs to be reinitialized."));
    run_init(world, &again); /* which it can be */
    assert_int_equal(again.code, K_OK);
}

static void init__register_never_answered__silence_after_the_connect_timeout(void **state)
{
    struct world *world = *state;
    struct ended ended = {0};

    server_silence(&world->server, DSRPC_OP_REGISTER);
    world_make_client(world);
    run_init(world, &ended);
    assert_int_equal(ended.detail, DS_DETAIL_SILENCE);
    assert_int_equal(ended.took_us, 3000000);
    assert_int_equal(server_count(&world->server, DSRPC_OP_REGISTER), 1);
}

static void init__no_heartbeat__disconnected_after_the_connect_timeout(void **state)
{
    struct world *world = *state;

    for (unsigned is_answered = 0; is_answered < 2; is_answered++) {
        struct ended ended = {0};
        server_rule(&world->server, DSRPC_OP_HEARTBEAT,
                    (struct server_rule){.is_silent = is_answered == 0, .code = K_RUNTIME_ERROR});
        world_make_client(world);
        run_init(world, &ended);
        assert_int_equal(ended.code, K_CLIENT_WORKER_DISCONNECT);
        assert_non_null(strstr(ended.text, "Cannot receive heartbeat from worker"));
        assert_int_equal(ended.took_us, 3000000);
        ds_client_destroy(world->client);
        world->client = NULL;
    }
}

static void init__bad_options__refused_without_a_connection(void **state)
{
    static const struct {
        const char *host;
        int64_t port;
        int64_t connect_ms;
        int64_t request_ms;
        const char *sentence;
    } ROWS[] = {
        {"10.0.1.1", 31501, 499, 0,
         "The connectTimeoutMs(499) should be greater than or equal to 500 milliseconds."},
        {"10.0.1.1", 31501, 500, -1, "The requestTimeoutMs(-1)"},
        {"", 31501, 500, 0, "Invalid IP address/port. Host , port: 31501"},
        {"10.0.1.1", 0, 500, 0, "Invalid IP address/port"},
        {"10.0.1.1", 65536, 500, 0, "Invalid IP address/port"},
    };
    struct world *world = *state;

    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        struct ended ended = {0};
        world->options = (struct ds_options){.host = ROWS[i].host,
                                             .port = ROWS[i].port,
                                             .connect_timeout_ms = ROWS[i].connect_ms,
                                             .request_timeout_ms = ROWS[i].request_ms};
        world_make_client(world);
        run_init(world, &ended);
        assert_int_equal(ended.code, K_INVALID);
        assert_int_equal(ended.took_us, 0);
        assert_non_null(strstr(ended.text, ROWS[i].sentence));
        ds_client_destroy(world->client);
        world->client = NULL;
    }
    assert_int_equal(world->server.accepted, 0);
}

/* ---- heartbeats ---- */

static void heartbeat__answered__goes_out_every_second(void **state)
{
    struct world *world = *state;

    world_ready(world);
    world_pass_ms(world, 10500);
    assert_int_equal(server_count(&world->server, DSRPC_OP_HEARTBEAT), 11);
    for (size_t i = 0; i < 11; i++) {
        assert_int_equal(beat_us(world, i) - beat_us(world, 0), i * 1000000);
    }
    assert_int_equal(server_count(&world->server, DSRPC_OP_RECONCILE), 2); /* every 5 s */
}

static void set_short_dead_time(struct world *world)
{
    world->server.dead_s = 4;
    world->server.reconnect_wait_s = 5;
}

static void assert_beats_ms(const struct world *world, const uint64_t *times_ms, size_t count)
{
    assert_int_equal(server_count(&world->server, DSRPC_OP_HEARTBEAT), count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal((beat_us(world, i) - beat_us(world, 0)) / 1000, times_ms[i]);
    }
}

/* As the real client was seen to do with a dead time of 4 s: the pause of 5 s is cut when the time
 * is over since the first bad one was sent, and the pauses go round. */
static void lost__heartbeats_answered_with_an_error__declared_at_the_dead_time(void **state)
{
    static const uint64_t TIMES_MS[] = {0, 1000, 2000, 2000, 2500, 3500, 6000, 6000, 6500, 7500};
    struct world *world = *state;

    set_short_dead_time(world);
    server_rule(&world->server, DSRPC_OP_HEARTBEAT,
                (struct server_rule){.skip = 2, .code = K_RUNTIME_ERROR});
    world_ready(world);
    world_pass_us(world, 5999999);
    assert_false(world_state(world).is_lost);
    world_pass_us(world, 1);
    assert_true(world_state(world).is_lost);
    world_pass_ms(world, 2000);
    assert_beats_ms(world, TIMES_MS, 10);
}

/* The end of the dead time cuts an attempt, and is noticed after the pause that follows. */
static void lost__heartbeats_not_answered__declared_before_the_next_is_sent(void **state)
{
    static const uint64_t TIMES_MS[] = {0, 1000, 2000, 3333, 5166, 7000};
    struct world *world = *state;

    set_short_dead_time(world);
    server_rule(&world->server, DSRPC_OP_HEARTBEAT,
                (struct server_rule){.skip = 2, .is_silent = true});
    world_ready(world);
    world_pass_us(world, 6999999);
    assert_false(world_state(world).is_lost);
    world_pass_us(world, 1);
    assert_true(world_state(world).is_lost);
    assert_beats_ms(world, TIMES_MS, 6);
}

/* Its heartbeats are good, so only the interval keeps the client from asking without end. */
static void restart__worker_refuses_the_old_client__is_asked_again_every_second(void **state)
{
    struct world *world = *state;

    world_ready(world);
    world->server.start_id = "start-2";
    server_rule(&world->server, DSRPC_OP_REGISTER, (struct server_rule){.code = K_INVALID});
    world_pass_ms(world, 10500);
    assert_in_range(server_count(&world->server, DSRPC_OP_HEARTBEAT), 10, 12);
    assert_in_range(server_count(&world->server, DSRPC_OP_REGISTER), 9, 12);
    world->server.has_rule[DSRPC_OP_REGISTER] = false;
    world_pass_ms(world, 1100);
    assert_int_equal(world_state(world).registrations, 2);
}

static void lost__every_call__fails_at_once_until_a_heartbeat_gets_through(void **state)
{
    static const enum dsrpc_op OPS[] = {DSRPC_OP_SET,    DSRPC_OP_GET,       DSRPC_OP_EXIST,
                                        DSRPC_OP_DELETE, DSRPC_OP_MSET,      DSRPC_OP_EXPIRE,
                                        DSRPC_OP_HEALTH, DSRPC_OP_QUERY_SIZE};
    struct world *world = *state;
    struct ended before = {0};
    struct ended healed = {0};

    set_short_dead_time(world);
    server_rule(&world->server, DSRPC_OP_HEARTBEAT,
                (struct server_rule){.skip = 2, .is_silent = true});
    world_ready(world);
    world_pass_ms(world, 4000);
    run_set(world, "k", "v", &before); /* not yet lost */
    assert_int_equal(before.code, K_OK);
    world_pass_ms(world, 3300);
    assert_true(world_state(world).is_lost);
    size_t requests = world->server.request_count;
    for (size_t i = 0; i < sizeof(OPS) / sizeof(OPS[0]); i++) {
        struct ended ended = {0};
        run_op(world, OPS[i], &ended);
        assert_int_equal(ended.code, K_RPC_UNAVAILABLE);
        assert_int_equal(ended.detail, DS_DETAIL_DECLARED_LOST);
        assert_int_equal(ended.took_us, 0);
        assert_non_null(
            strstr(ended.text, "Client " SERVER_CLIENT_ID " disconnected from worker."));
        assert_null(strstr(ended.text, "Retry detail"));
    }
    assert_int_equal(world->server.request_count, requests);
    world->server.has_rule[DSRPC_OP_HEARTBEAT] = false;
    world_pass_ms(world, 6500);
    assert_false(world_state(world).is_lost);
    run_set(world, "k", "v", &healed);
    assert_int_equal(healed.code, K_OK);
    assert_int_equal(world_state(world).registrations, 1); /* healed, not registered anew */
}

static void assert_registered_again(struct world *world)
{
    struct dsrpc_arena *arena = dsrpc_arena_create();
    const struct server_request *request = server_request(&world->server, DSRPC_OP_REGISTER, 1);

    assert_non_null(request);
    const Ds__RegisterClientReq *body =
        dsrpc_unpack(&ds__register_client_req__descriptor, rt_blob_slice(request->body), arena);
    assert_non_null(body);
    assert_int_equal(body->client_id.len, strlen(SERVER_CLIENT_ID));
    assert_memory_equal(body->client_id.data, SERVER_CLIENT_ID, body->client_id.len);
    assert_int_equal(server_count(&world->server, DSRPC_OP_SOCKET_PATH), 2);
    assert_int_equal(world_state(world).registrations, 2);
    dsrpc_arena_destroy(arena);
}

static void restart__another_start_id__registers_again_with_the_old_id(void **state)
{
    struct world *world = *state;

    world_ready(world);
    world->server.start_id = "start-2";
    world_pass_ms(world, 1100);
    assert_registered_again(world);
    size_t registered = server_count(&world->server, DSRPC_OP_REGISTER);
    world_pass_ms(world, 5000); /* and the heartbeats go on, one a second */
    assert_int_equal(server_count(&world->server, DSRPC_OP_REGISTER), registered);
    assert_in_range(server_count(&world->server, DSRPC_OP_HEARTBEAT), 6, 8);
}

static bool remove_once(void *arg, struct server *server, const struct server_request *request)
{
    unsigned *left = arg;

    server->is_client_removed = request->op == DSRPC_OP_HEARTBEAT && *left == 1;
    if (request->op == DSRPC_OP_HEARTBEAT && *left > 0) {
        (*left)--;
    }
    return false;
}

static void heartbeat__client_removed__registers_again_with_the_old_id(void **state)
{
    struct world *world = *state;
    unsigned left = 2;

    world->server.hook = remove_once;
    world->server.hook_arg = &left;
    world_ready(world);
    world_pass_ms(world, 1100);
    assert_registered_again(world);
    world->server.hook = NULL;
}

/* ---- connections ---- */

static void cut__a_waiting_get__keeps_its_identity_and_nothing_is_sent_again(void **state)
{
    struct world *world = *state;
    struct ended ended = {0};

    world_ready(world);
    server_silence(&world->server, DSRPC_OP_GET);
    start_get(world, "k", 2000, &ended);
    world_pass_ms(world, 300);
    struct server_request request = *server_request(&world->server, DSRPC_OP_GET, 0);
    server_cut(&world->server);
    world_pass_ms(world, 99);
    assert_false(server_answer_well(&world->server, &request)); /* nobody holds the identity */
    world_pass_ms(world, 51);
    assert_int_equal(server_count(&world->server, DSRPC_OP_GET), 1);
    world->server.value = rt_blob_copy(rt_slice_text("v"));
    assert_true(server_answer_well(&world->server, &request));
    world_wait(world, &ended);
    assert_int_equal(ended.code, K_OK);
    assert_int_equal(ended.took_us, 450000);
    assert_int_equal(world_state(world).connects, 4);
    ended_fini(&ended);
}

static void cut__a_call_right_after_it__waits_for_the_new_connection(void **state)
{
    struct world *world = *state;
    struct ended ended = {0};

    world_ready(world);
    server_cut(&world->server);
    world_pass_ms(world, 1);
    run_set(world, "k", "v", &ended);
    assert_int_equal(ended.code, K_OK);
    assert_int_equal(ended.attempts, 1);
    assert_int_equal(ended.took_us, 99000);
}

static void cut__worker_gone__a_call_takes_its_budget_and_sends_nothing(void **state)
{
    struct world *world = *state;
    struct ended ended = {0};

    world_ready(world);
    server_stop_listening(&world->server);
    server_cut(&world->server);
    world_pass_ms(world, 1);
    run_set(world, "k", "v", &ended);
    assert_int_equal(ended.detail, DS_DETAIL_SILENCE);
    assert_int_equal(ended.took_us, 3000000);
    assert_int_equal(ended.attempts, 0);
    assert_int_equal(world_counts(world, DSRPC_OP_SET).sent, 0);
}

/* The worker's host is gone without a word: the socket is made anew under another name. */
static void liveness__no_answer_to_beats__a_new_identity(void **state)
{
    struct world *world = *state;
    struct ended before = {0};
    struct ended after = {0};

    world_ready(world);
    run_set(world, "k", "v", &before);
    for (size_t i = 0; i < SERVER_CONNECTIONS; i++) { /* deaf from here on */
        if (world->server.connections[i].stream != NULL) {
            rt_stream_pause(world->server.connections[i].stream, true);
        }
    }
    world_pass_ms(world, 8000);
    run_set(world, "k", "v", &after);
    assert_int_equal(after.code, K_OK);
    assert_string_not_equal(server_request(&world->server, DSRPC_OP_SET, 0)->identity,
                            server_request(&world->server, DSRPC_OP_SET, 1)->identity);
}

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(init__healthy_worker__socket_path_register_heartbeat_in_order),
        WORLD_TEST(init__again_or_twice_at_once__one_registration),
        WORLD_TEST(init__dead_port__ends_with_the_connect_timeout),
        WORLD_TEST(init__port_opens_after_a_second__succeeds_then),
        WORLD_TEST(init__connections_refused_twice__the_third_is_taken),
        WORLD_TEST(init__peer_that_says_nothing__ends_with_the_connect_timeout),
        WORLD_TEST(init__register_busy_twice__asked_again_by_the_law),
        WORLD_TEST(init__register_refused__ends_at_once_with_the_suffix),
        WORLD_TEST(init__register_never_answered__silence_after_the_connect_timeout),
        WORLD_TEST(init__no_heartbeat__disconnected_after_the_connect_timeout),
        WORLD_TEST(init__bad_options__refused_without_a_connection),
        WORLD_TEST(heartbeat__answered__goes_out_every_second),
        WORLD_TEST(lost__heartbeats_answered_with_an_error__declared_at_the_dead_time),
        WORLD_TEST(lost__heartbeats_not_answered__declared_before_the_next_is_sent),
        WORLD_TEST(restart__worker_refuses_the_old_client__is_asked_again_every_second),
        WORLD_TEST(lost__every_call__fails_at_once_until_a_heartbeat_gets_through),
        WORLD_TEST(restart__another_start_id__registers_again_with_the_old_id),
        WORLD_TEST(heartbeat__client_removed__registers_again_with_the_old_id),
        WORLD_TEST(cut__a_waiting_get__keeps_its_identity_and_nothing_is_sent_again),
        WORLD_TEST(cut__a_call_right_after_it__waits_for_the_new_connection),
        WORLD_TEST(cut__worker_gone__a_call_takes_its_budget_and_sends_nothing),
        WORLD_TEST(liveness__no_answer_to_beats__a_new_identity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
