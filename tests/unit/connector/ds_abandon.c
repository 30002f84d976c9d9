/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that are given up, wherever they stand: nobody is told, and the counts still add up. */
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

static struct ds__call *start_named_get(struct world *world, const char *key, struct ended *ended)
{
    struct rt_slice slice = rt_slice_text(key);
    struct ds__call *call = NULL;

    ended->world = world;
    assert_int_equal(ds_get_named(world->client, &slice, 1, 0, on_ended, ended, &call), RT_OK);
    assert_non_null(call);
    return call;
}

static void assert_next_get_is_whole(struct world *world)
{
    struct ended next = {0};

    run_get(world, "next", 0, &next);
    assert_int_equal(next.code, K_OK);
    assert_int_equal(next.value_count, 1);
    ended_fini(&next);
}

static void store_something(struct world *world)
{
    world->server.value = rt_blob_copy(rt_slice_text("hello"));
    assert_non_null(world->server.value);
}

static void abandon__sent__the_answer_is_a_late_one(void **state)
{
    struct world *world = *state;
    struct ended ended = {0};

    world_ready(world);
    store_something(world);
    server_silence(&world->server, DSRPC_OP_GET);
    struct ds__call *call = start_named_get(world, "k", &ended);
    world_pass_ms(world, 10);
    assert_int_equal(server_count(&world->server, DSRPC_OP_GET), 1);
    ds_abandon(world->client, call);
    assert_int_equal(world_counts(world, DSRPC_OP_GET).abandoned, 1);
    assert_int_equal(world_counts(world, DSRPC_OP_GET).in_flight, 0);
    assert_int_equal(world_state(world).calls_in_flight, 0);

    assert_true(
        server_answer_well(&world->server, server_request(&world->server, DSRPC_OP_GET, 0)));
    world_pass_ms(world, 60000);
    assert_int_equal(ended.calls, 0);
    assert_int_equal(world_counts(world, DSRPC_OP_GET).late, 1);
    assert_conserved(world, DSRPC_OP_GET);
    world->server.has_rule[DSRPC_OP_GET] = false;
    assert_next_get_is_whole(world);
}

static void abandon__in_the_pause_between_two_attempts__no_further_request(void **state)
{
    struct world *world = *state;
    struct ended ended = {0};

    world_ready(world);
    store_something(world);
    server_rule(&world->server, DSRPC_OP_GET, (struct server_rule){.code = K_TRY_AGAIN});
    struct ds__call *call = start_named_get(world, "k", &ended);
    world_pass_ms(world, 100); /* attempts at 0, 1, 6 and 56 ms; the next at 256 */
    assert_int_equal(server_count(&world->server, DSRPC_OP_GET), 4);
    ds_abandon(world->client, call);
    world_pass_ms(world, 60000);
    assert_int_equal(server_count(&world->server, DSRPC_OP_GET), 4);
    assert_int_equal(ended.calls, 0);
    assert_int_equal(world_counts(world, DSRPC_OP_GET).abandoned, 0); /* all were answered */
    world->server.has_rule[DSRPC_OP_GET] = false;
    assert_next_get_is_whole(world);
}

static void abandon__waiting_for_a_connection__is_not_sent_later(void **state)
{
    struct world *world = *state;
    struct ended first = {0};
    struct ended ended = {0};
    struct ended third = {0};

    world_ready(world);
    store_something(world);
    world->server.is_refusing = true;
    server_cut(&world->server);
    world_pass_ms(world, 1);
    start_named_get(world, "first", &first);
    struct ds__call *call = start_named_get(world, "k", &ended);
    start_named_get(world, "third", &third);
    ds_abandon(world->client, call);
    world->server.is_refusing = false;
    world_wait(world, &first);
    world_wait(world, &third);
    assert_int_equal(first.code, K_OK);
    assert_int_equal(third.code, K_OK);
    assert_int_equal(server_count(&world->server, DSRPC_OP_GET), 2);
    assert_int_equal(ended.calls, 0);
    ended_fini(&first);
    ended_fini(&third);
}

static void abandon__refused_and_about_to_be_told__nobody_is_told(void **state)
{
    struct world *world = *state;
    struct ended ended = {0};
    struct ended other = {0};

    world_ready(world);
    struct ds__call *call = start_named_get(world, "a key with blanks", &ended);
    start_named_get(world, "another with blanks", &other);
    ds_abandon(world->client, call);
    world_wait(world, &other);
    assert_int_equal(other.code, K_INVALID);
    world_pass_ms(world, 1000);
    assert_int_equal(ended.calls, 0);
    assert_int_equal(world_state(world).calls_in_flight, 0);
}

static void abandon_another(struct ended *ended);
static struct ds__call *other_call;

static void abandon__another_call_from_inside_a_callback__only_that_one_is_gone(void **state)
{
    struct world *world = *state;
    struct ended first = {.then = abandon_another};
    struct ended other = {0};

    world_ready(world);
    store_something(world);
    start_named_get(world, "first", &first);
    other_call = start_named_get(world, "other", &other);
    world_wait(world, &first);
    world_pass_ms(world, 60000);
    assert_int_equal(first.calls, 1);
    assert_int_equal(other.calls, 0);
    assert_conserved(world, DSRPC_OP_GET);
    assert_next_get_is_whole(world);
    ended_fini(&first);
}

static void abandon_another(struct ended *ended)
{
    ds_abandon(ended->world->client, other_call);
}

/* Before anything of it was written, and when all of it was. */
static void abandon_set(struct world *world, bool is_sent)
{
    struct ended ended = {.world = world};
    struct ds__call *call = NULL;
    const struct ds_set_options options = {.write_mode = DS_NONE_L2_CACHE_EVICT};
    size_t before = rt_blob_live_count();
    uint8_t *data = NULL;
    struct rt_blob *blob = rt_blob_create((size_t)8 << 20, &data);
    struct dsrpc_piece piece = {.blob = blob, .bytes = rt_blob_slice(blob)};
    struct dsrpc_value value = {
        .pieces = &piece, .piece_count = 1, .total_bytes = piece.bytes.len_bytes};

    memset(data, 'x', (size_t)8 << 20);
    assert_int_equal(
        ds_set_named(world->client, rt_slice_text("k"), &value, &options, on_ended, &ended, &call),
        RT_OK);
    rt_blob_release(blob);
    if (is_sent) {
        world_pass_us(world, 1);
    }
    ds_abandon(world->client, call);
    if (!is_sent) {
        assert_int_equal(rt_blob_live_count(), before);
    }
    world_pass_ms(world, 60000);
    assert_int_equal(ended.calls, 0);
    assert_int_equal(server_count(&world->server, DSRPC_OP_SET), is_sent ? 1 : 0);
    assert_conserved(world, DSRPC_OP_SET);
}

static void abandon__a_set_that_is_not_sent_yet__its_blob_is_given_back_at_once(void **state)
{
    world_ready(*state);
    abandon_set(*state, false);
}

static void abandon__a_set_that_was_sent__it_arrives_all_the_same(void **state)
{
    struct world *world = *state;

    world_ready(world);
    server_silence(&world->server, DSRPC_OP_SET);
    abandon_set(world, true);
    assert_int_equal(server_request(&world->server, DSRPC_OP_SET, 0)->payload_bytes,
                     (size_t)8 << 20);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(abandon__sent__the_answer_is_a_late_one),
        TEST(abandon__in_the_pause_between_two_attempts__no_further_request),
        TEST(abandon__waiting_for_a_connection__is_not_sent_later),
        TEST(abandon__refused_and_about_to_be_told__nobody_is_told),
        TEST(abandon__another_call_from_inside_a_callback__only_that_one_is_gone),
        TEST(abandon__a_set_that_is_not_sent_yet__its_blob_is_given_back_at_once),
        TEST(abandon__a_set_that_was_sent__it_arrives_all_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
