/* SPDX-License-Identifier: Apache-2.0 */
/* Housekeeping in exact times: heartbeats of both kinds, the dead time, reconciling, identities. */
#include "unit/connector/ds_world.h"

#include <setjmp.h>
#include <stdarg.h>
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

/* Times in microseconds after the first request of the operation; no more than these. */
static void assert_times_us(const struct world *world, enum dsrpc_op op, const uint64_t *times_us,
                            size_t count)
{
    const struct server_request *first = server_request(&world->server, op, 0);

    assert_int_equal(server_count(&world->server, op), count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(server_request(&world->server, op, i)->time_us - first->time_us,
                         times_us[i]);
    }
}

static void reconcile__ready_client__goes_out_every_five_seconds(void **state)
{
    struct world *world = *state;

    world_ready(world);
    uint64_t ready_us = world_now_us(world);
    world_pass_ms(world, 15001);
    assert_int_equal(server_count(&world->server, DSRPC_OP_RECONCILE), 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(server_request(&world->server, DSRPC_OP_RECONCILE, i)->time_us - ready_us,
                         (i + 1) * 5000000);
    }
}

/* Connection A beats every second; B every quarter of T, at least 500 ms, in steps of 100 ms. */
static void zmq_heartbeat__of_the_data_connection__follows_the_request_timeout(void **state)
{
    static const struct {
        int64_t request_ms;
        uint64_t first_ms;      /* of B */
        uint64_t control_beats; /* of A, strictly before and up to then */
        uint64_t control_after;
    } ROWS[] = {{1000, 500, 0, 0}, {3000, 800, 0, 0}, {5000, 1300, 1, 1}, {60000, 15000, 14, 15}};
    struct world *world = *state;

    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        world->options.request_timeout_ms = ROWS[i].request_ms;
        world->server.beats = 0;
        world_ready(world);
        world_pass_ms(world, ROWS[i].first_ms - 1);
        assert_int_equal(world->server.beats, ROWS[i].control_beats);
        world_pass_ms(world, 2);
        assert_int_equal(world->server.beats, ROWS[i].control_after + 1);
        ds_client_destroy(world->client);
        world->client = NULL;
        world_pass_ms(world, 1);
    }
}

/* A dead time of 4 s: each attempt waits a third of it, the pauses begin with 0 and 500 ms. */
static void heartbeat__unanswered__each_attempt_waits_a_third_of_the_dead_time(void **state)
{
    static const uint64_t TIMES_US[] = {0, 1000000, 2000000, 3333333};
    struct world *world = *state;

    world->server.dead_s = 4;
    server_rule(&world->server, DSRPC_OP_HEARTBEAT,
                (struct server_rule){.skip = 2, .is_silent = true});
    world_ready(world);
    world_pass_ms(world, 4000);
    assert_times_us(world, DSRPC_OP_HEARTBEAT, TIMES_US, 4);
}

/* Not before the dead time since the first bad one was sent (at 2 s), and at the latest 5.2 s after
 * it. */
static void lost__dead_time_of_4_s__is_declared_within_the_measured_bounds(void **state)
{
    struct world *world = *state;

    for (unsigned is_refused = 0; is_refused < 2; is_refused++) {
        world->server.dead_s = 4;
        server_rule(
            &world->server, DSRPC_OP_HEARTBEAT,
            (struct server_rule){.skip = 2, .is_silent = is_refused == 0, .code = K_RUNTIME_ERROR});
        world_ready(world);
        world_pass_us(world, 5999999);
        assert_false(world_state(world).is_lost);
        world_pass_us(world, 1200001);
        assert_true(world_state(world).is_lost);
        ds_client_destroy(world->client);
        world->client = NULL;
        world_pass_ms(world, 1);
    }
}

/* The real worker's 60 s: until then calls work, though heartbeats are dropped. The first bad one
 * goes out at 1 s, and after the end at 61 s a pause of half a second is under way. */
static void lost__dead_time_of_a_minute__calls_work_until_then(void **state)
{
    struct world *world = *state;
    struct ended before = {0};
    struct ended after = {0};

    server_rule(&world->server, DSRPC_OP_HEARTBEAT,
                (struct server_rule){.skip = 1, .is_silent = true});
    world_ready(world);
    world_pass_us(world, 59999999);
    run_set(world, "k", "v", &before);
    assert_int_equal(before.code, K_OK);
    world_pass_us(world, 1500001);
    run_set(world, "k", "v", &after);
    assert_int_equal(after.detail, DS_DETAIL_DECLARED_LOST);
    assert_int_equal(server_count(&world->server, DSRPC_OP_SET), 1);
}

static void cut__both_connections__are_back_after_100_ms_under_the_same_names(void **state)
{
    struct world *world = *state;
    struct ended before = {0};
    struct ended after = {0};

    world_ready(world);
    run_set(world, "k", "v", &before);
    size_t requests = world->server.request_count;
    server_cut(&world->server);
    world_pass_us(world, 99999);
    assert_int_equal(world->server.accepted, 2);
    world_pass_us(world, 1);
    assert_int_equal(world->server.accepted, 4);
    assert_int_equal(world->server.request_count, requests); /* nothing is sent again */
    run_set(world, "k", "v", &after);
    world_pass_ms(world, 1000);
    assert_string_equal(server_request(&world->server, DSRPC_OP_SET, 0)->identity,
                        server_request(&world->server, DSRPC_OP_SET, 1)->identity);
    assert_string_equal(server_request(&world->server, DSRPC_OP_HEARTBEAT, 0)->identity,
                        server_request(&world->server, DSRPC_OP_HEARTBEAT, 1)->identity);
}

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(reconcile__ready_client__goes_out_every_five_seconds),
        WORLD_TEST(zmq_heartbeat__of_the_data_connection__follows_the_request_timeout),
        WORLD_TEST(heartbeat__unanswered__each_attempt_waits_a_third_of_the_dead_time),
        WORLD_TEST(lost__dead_time_of_4_s__is_declared_within_the_measured_bounds),
        WORLD_TEST(lost__dead_time_of_a_minute__calls_work_until_then),
        WORLD_TEST(cut__both_connections__are_back_after_100_ms_under_the_same_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
