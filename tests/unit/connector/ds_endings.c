/* SPDX-License-Identifier: Apache-2.0 */
/* Close and destroy, also inside callbacks: every call ends once. */
#include "unit/connector/ds_world.h"

#include <setjmp.h>
#include <stdarg.h>

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

/* ---- close ---- */

static void close__calls_in_flight__end_once_and_the_worker_is_told(void **state)
{
    struct world *world = *state;
    struct ended waiting[3] = {{0}};
    struct ended ended = {0};
    struct ended again = {0};
    struct ended after = {0};

    world_ready(world);
    server_silence(&world->server, DSRPC_OP_GET);
    for (size_t i = 0; i < 3; i++) {
        start_get(world, "k", 0, &waiting[i]);
    }
    world_pass_ms(world, 10);
    start_op(world, DSRPC_OP_DISCONNECT, &ended);
    start_op(world, DSRPC_OP_DISCONNECT, &again);
    world_wait(world, &ended);
    world_pass_ms(world, 20000);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(waiting[i].calls, 1);
        assert_int_equal(waiting[i].code, K_NOT_READY);
        assert_int_equal(waiting[i].detail, DS_DETAIL_CLOSED);
    }
    assert_int_equal(ended.code, K_OK);
    assert_int_equal(again.calls, 1);
    assert_int_equal(server_count(&world->server, DSRPC_OP_DISCONNECT), 1);
    size_t requests = world->server.request_count;
    world_pass_ms(world, 20000); /* no heartbeat, no reconnection */
    assert_int_equal(world->server.request_count, requests);
    assert_int_equal(world->server.accepted, 2);
    run_set(world, "k", "v", &after);
    assert_int_equal(after.code, K_NOT_READY);
    assert_int_equal(after.detail, DS_DETAIL_CLOSED);
}

static void close__then_init__works_again_under_a_new_registration(void **state)
{
    struct world *world = *state;
    struct ended closed = {0};
    struct ended init = {0};
    struct ended set = {0};

    world_ready(world);
    run_op(world, DSRPC_OP_DISCONNECT, &closed);
    run_init(world, &init);
    assert_int_equal(init.code, K_OK);
    run_set(world, "k", "v", &set);
    assert_int_equal(set.code, K_OK);
    world_pass_ms(world, 6000);
    assert_true(world_state(world).is_ready);
}

static void close__worker_silent__ends_all_the_same(void **state)
{
    struct world *world = *state;
    struct ended ended = {0};

    world_ready(world);
    server_silence(&world->server, DSRPC_OP_DISCONNECT);
    run_op(world, DSRPC_OP_DISCONNECT, &ended);
    assert_int_equal(ended.code, K_OK);
    assert_in_range(ended.took_us, 0, 5000000);
}

static void close__during_init__ends_the_init(void **state)
{
    struct world *world = *state;
    struct ended init = {0};
    struct ended closed = {0};

    server_silence(&world->server, DSRPC_OP_REGISTER);
    world_make_client(world);
    start_op(world, DSRPC_OP_REGISTER, &init);
    world_pass_ms(world, 10);
    run_op(world, DSRPC_OP_DISCONNECT, &closed);
    world_pass_ms(world, 10000);
    assert_int_equal(init.calls, 1);
    assert_int_equal(init.detail, DS_DETAIL_CLOSED);
    assert_int_equal(closed.calls, 1);
    assert_int_equal(closed.code, K_OK);
}

static void close__before_init__is_nothing(void **state)
{
    struct world *world = *state;
    struct ended closed = {0};

    world_make_client(world);
    run_op(world, DSRPC_OP_DISCONNECT, &closed);
    assert_int_equal(closed.code, K_OK);
    assert_int_equal(world->server.accepted, 0);
}

/* ---- destroy ---- */

static void destroy_client(struct ended *ended)
{
    struct world *world = ended->world;
    struct ds_client *client = world->client;

    world->client = NULL;
    ds_client_destroy(client);
}

static void assert_destroys_inside(struct world *world, enum dsrpc_op op)
{
    struct ended first = {.then = destroy_client};
    struct ended others[2] = {{0}};

    server_rule(&world->server, DSRPC_OP_GET, (struct server_rule){.is_silent = true});
    start_get(world, "other", 9000, &others[0]);
    start_op(world, op, &first);
    start_get(world, "other", 9000, &others[1]);
    world_pass_ms(world, 20000);
    assert_null(world->client);
    assert_int_equal(first.calls, 1);
    assert_int_equal(others[0].calls, 1);
    assert_int_equal(others[1].calls, 1);
    assert_int_equal(others[0].detail, DS_DETAIL_CLOSED);
}

static void destroy__inside_the_callback_of_an_answer__others_end_once(void **state)
{
    world_ready(*state);
    assert_destroys_inside(*state, DSRPC_OP_SET);
}

static void destroy__inside_the_callback_of_a_refusal__others_end_once(void **state)
{
    struct world *world = *state;
    struct ended first = {.then = destroy_client, .world = world};
    struct ended second = {.world = world};
    struct rt_slice bad = rt_slice_text("a b");

    world_ready(world);
    assert_int_equal(ds_exist(world->client, &bad, 1, on_ended, &first), RT_OK);
    assert_int_equal(ds_exist(world->client, &bad, 1, on_ended, &second), RT_OK);
    world_pass_ms(world, 100);
    assert_int_equal(first.calls, 1);
    assert_int_equal(second.calls, 1);
}

static void destroy__inside_the_callback_of_silence__others_end_once(void **state)
{
    struct world *world = *state;

    world_ready(world);
    server_silence(&world->server, DSRPC_OP_SET);
    assert_destroys_inside(world, DSRPC_OP_SET);
}

static void destroy__inside_the_callback_of_close__others_end_once(void **state)
{
    world_ready(*state);
    assert_destroys_inside(*state, DSRPC_OP_DISCONNECT);
}

static void destroy__inside_the_callback_of_init__is_the_end(void **state)
{
    struct world *world = *state;
    struct ended init = {.then = destroy_client};
    struct ended other = {0};

    world_make_client(world);
    start_op(world, DSRPC_OP_REGISTER, &init);
    start_op(world, DSRPC_OP_REGISTER, &other);
    world_pass_ms(world, 5000);
    assert_null(world->client);
    assert_int_equal(init.calls, 1);
    assert_int_equal(other.calls, 1);
}

static void destroy__inside_the_callback_of_a_failed_init__is_the_end(void **state)
{
    struct world *world = *state;
    struct ended init = {.then = destroy_client};

    server_rule(&world->server, DSRPC_OP_REGISTER, (struct server_rule){.code = K_INVALID});
    world_make_client(world);
    start_op(world, DSRPC_OP_REGISTER, &init);
    world_pass_ms(world, 5000);
    assert_null(world->client);
    assert_int_equal(init.calls, 1);
}

/* Several answers that arrive together: the first callback ends the client. */
static void destroy__more_answers_behind__they_go_nowhere(void **state)
{
    struct world *world = *state;
    struct ended first = {.then = destroy_client};
    struct ended others[4] = {{0}};

    world_ready(world);
    start_set(world, "k", "v", &first);
    for (size_t i = 0; i < 4; i++) {
        start_set(world, "k", "v", &others[i]);
    }
    world_pass_ms(world, 100);
    assert_int_equal(first.calls, 1);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(others[i].calls, 1);
        assert_int_equal(others[i].detail, DS_DETAIL_CLOSED);
    }
}

static void destroy__at_every_moment_of_init__callback_runs_once(void **state)
{
    struct world *world = *state;

    for (uint64_t events = 0; events < 60; events++) {
        struct ended init = {0};
        world_make_client(world);
        start_op(world, DSRPC_OP_REGISTER, &init);
        rt_network_set_latency(world->network, 100);
        world_pass_us(world, events * 50);
        ds_client_destroy(world->client);
        world->client = NULL;
        assert_int_equal(init.calls, 1);
        world_pass_ms(world, 10);
        assert_int_equal(init.calls, 1);
    }
}

static void start_another(struct ended *ended)
{
    ended->then = NULL;
    ended->calls = 0;
    start_set(ended->world, "again", "v", ended);
}

static void call__started_inside_a_callback__runs_later(void **state)
{
    struct world *world = *state;
    struct ended ended = {.then = start_another};

    world_ready(world);
    start_set(world, "k", "v", &ended);
    world_pass_ms(world, 10);
    assert_int_equal(ended.calls, 1);
    assert_int_equal(server_count(&world->server, DSRPC_OP_SET), 2);
}

static void close_client(struct ended *ended)
{
    static struct ended closed;

    closed = (struct ended){0};
    start_op(ended->world, DSRPC_OP_DISCONNECT, &closed);
    ended->world = NULL;
}

static void close__inside_a_callback__ends_the_others_once(void **state)
{
    struct world *world = *state;
    struct ended first = {.then = close_client};
    struct ended other = {0};

    world_ready(world);
    server_silence(&world->server, DSRPC_OP_GET);
    start_get(world, "k", 0, &other);
    start_set(world, "k", "v", &first);
    world_pass_ms(world, 10000);
    assert_int_equal(first.calls, 1);
    assert_int_equal(other.calls, 1);
    assert_int_equal(other.detail, DS_DETAIL_CLOSED);
    assert_int_equal(server_count(&world->server, DSRPC_OP_DISCONNECT), 1);
}

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(close__calls_in_flight__end_once_and_the_worker_is_told),
        WORLD_TEST(close__then_init__works_again_under_a_new_registration),
        WORLD_TEST(close__worker_silent__ends_all_the_same),
        WORLD_TEST(close__during_init__ends_the_init),
        WORLD_TEST(close__before_init__is_nothing),
        WORLD_TEST(close__inside_a_callback__ends_the_others_once),
        WORLD_TEST(call__started_inside_a_callback__runs_later),
        WORLD_TEST(destroy__inside_the_callback_of_an_answer__others_end_once),
        WORLD_TEST(destroy__inside_the_callback_of_a_refusal__others_end_once),
        WORLD_TEST(destroy__inside_the_callback_of_silence__others_end_once),
        WORLD_TEST(destroy__inside_the_callback_of_close__others_end_once),
        WORLD_TEST(destroy__inside_the_callback_of_init__is_the_end),
        WORLD_TEST(destroy__inside_the_callback_of_a_failed_init__is_the_end),
        WORLD_TEST(destroy__more_answers_behind__they_go_nowhere),
        WORLD_TEST(destroy__at_every_moment_of_init__callback_runs_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
