/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that come too late or twice, values by reference, and ends inside callbacks. */
#include "unit/connector/ds_world.h"

#include "fakeds/worker/worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- late and twice ---- */

static void count_late(void *arg, const struct rt_record *record)
{
    *(unsigned *)arg += record->kind == RT_REC_RPC_LATE;
}

static void open_with_journal(struct world *world, struct rt_journal **out_journal, unsigned *late)
{
    struct ended init = {0};

    world_open(world);
    assert_int_equal(rt_journal_create(world->loop, 16, out_journal), RT_OK);
    assert_int_equal(rt_journal_attach(*out_journal, count_late, late), RT_OK);
    struct ds_environment environment = {.loop = world->loop,
                                         .network = world->network,
                                         .journal = *out_journal,
                                         .seed = 1,
                                         .name = "client-1"};
    assert_int_equal(ds_client_create(&environment, &world->options, &world->client), RT_OK);
    run_init(world, &init);
    assert_int_equal(init.code, K_OK);
}

static void close_with_journal(struct world *world, struct rt_journal *journal)
{
    ds_client_destroy(world->client);
    world->client = NULL;
    rt_journal_destroy(journal);
    world_close(world);
}

static void answer__after_the_call_gave_up__counted_as_late(void **state)
{
    struct world world;
    struct rt_journal *journal = NULL;
    struct ended ended = {0};
    unsigned late = 0;

    (void)state;
    open_with_journal(&world, &journal, &late);
    server_silence(&world.server, DSRPC_OP_SET);
    run_set(&world, "k", "v", &ended);
    assert_int_equal(ended.detail, DS_DETAIL_SILENCE);
    assert_int_equal(late, 0);
    assert_true(server_answer_well(&world.server, server_request(&world.server, DSRPC_OP_SET, 0)));
    world_pass_ms(&world, 1);
    assert_int_equal(ended.calls, 1);
    assert_int_equal(late, 1);
    assert_int_equal(world_counts(&world, DSRPC_OP_SET).late, 1);
    assert_conserved(&world, DSRPC_OP_SET);
    close_with_journal(&world, journal);
}

static void answer__twice__the_second_is_late(void **state)
{
    struct world world;
    struct rt_journal *journal = NULL;
    struct ended ended = {0};
    struct ended after = {0};
    unsigned late = 0;

    (void)state;
    open_with_journal(&world, &journal, &late);
    run_set(&world, "k", "v", &ended);
    assert_true(server_answer_well(&world.server, server_request(&world.server, DSRPC_OP_SET, 0)));
    world_pass_ms(&world, 1);
    assert_int_equal(ended.calls, 1);
    assert_int_equal(late, 1);
    assert_conserved(&world, DSRPC_OP_SET);
    run_set(&world, "k", "v", &after);
    assert_int_equal(after.code, K_OK);
    close_with_journal(&world, journal);
}

/* ---- init ---- */

static void init__after_a_failed_init__may_succeed(void **state)
{
    struct world world;
    struct ended failed = {0};
    struct ended ended = {0};

    (void)state;
    world_open(&world);
    world_make_client(&world);
    server_rule(&world.server, DSRPC_OP_REGISTER,
                (struct server_rule){.code = K_INVALID, .text = "no", .times = 1});
    run_init(&world, &failed);
    assert_int_equal(failed.code, K_INVALID);
    run_init(&world, &ended);
    assert_int_equal(ended.code, K_OK);
    assert_true(world_state(&world).is_ready);
    world_close(&world);
}

/* ---- the owner goes inside a callback ---- */

static void destroy_client(struct ended *ended)
{
    ds_client_destroy(ended->world->client);
    ended->world->client = NULL;
}

static void destroy_inside_a_callback(enum dsrpc_op op)
{
    struct world world;
    struct ended ended = {.then = destroy_client};
    struct ended other = {0};

    world_open(&world);
    world_ready(&world);
    world.server.value = rt_blob_copy(rt_slice_text("value"));
    server_silence(&world.server, DSRPC_OP_HEALTH);
    start_op(&world, DSRPC_OP_HEALTH, &other);
    start_op(&world, op, &ended);
    world_pass_ms(&world, 1);
    assert_int_equal(ended.calls, 1);
    assert_int_equal(ended.code, K_OK);
    assert_int_equal(other.calls, 1);
    assert_int_equal(other.code, K_NOT_READY);
    assert_int_equal(other.detail, DS_DETAIL_CLOSED);
    ended_fini(&ended);
    world_close(&world);
}

static void destroy__inside_set_get_init_or_close__others_end_closed(void **state)
{
    (void)state;
    destroy_inside_a_callback(DSRPC_OP_SET);
    destroy_inside_a_callback(DSRPC_OP_GET);
    destroy_inside_a_callback(DSRPC_OP_REGISTER);
    destroy_inside_a_callback(DSRPC_OP_DISCONNECT);
}

/* ---- by reference ---- */

#define LARGE_BYTES ((size_t)1 << 20)

struct pair {
    struct world world; /* its scripted server is not used */
    struct fakeds_worker *worker;
};

static void open_pair(struct pair *pair)
{
    struct fakeds_options options;
    struct ended init = {0};

    world_open(&pair->world);
    server_stop_listening(&pair->world.server);
    fakeds_options_init(&options);
    options.address = SERVER_ADDRESS;
    struct fakeds_environment environment = {
        .loop = pair->world.loop, .network = pair->world.network, .seed = 1};
    assert_int_equal(fakeds_worker_create(&environment, &options, &pair->worker), RT_OK);
    world_make_client(&pair->world);
    run_init(&pair->world, &init);
    assert_int_equal(init.code, K_OK);
}

static void close_pair(struct pair *pair)
{
    ds_client_destroy(pair->world.client);
    pair->world.client = NULL;
    fakeds_worker_destroy(pair->worker);
    world_close(&pair->world);
}

static void value__large__the_same_blob_in_the_store_and_in_the_result(void **state)
{
    struct pair pair;
    struct ended is_set = {0};
    struct ended is_got = {0};
    struct fakeds_object object;
    uint8_t *data = NULL;

    (void)state;
    open_pair(&pair);
    struct rt_blob *blob = rt_blob_create(LARGE_BYTES, &data);
    memset(data, 'x', LARGE_BYTES);
    struct dsrpc_piece piece = {blob, rt_blob_slice(blob)};
    struct dsrpc_value value = {&piece, 1, LARGE_BYTES};
    is_set.world = &pair.world;
    assert_int_equal(ds_set(pair.world.client, rt_slice_text("k"), &value, NULL, on_ended, &is_set),
                     RT_OK);
    world_wait(&pair.world, &is_set);
    assert_int_equal(is_set.code, K_OK);
    assert_true(fakeds_worker_find(pair.worker, rt_slice_text("k"), &object));
    assert_ptr_equal(object.value, blob);
    run_get(&pair.world, "k", 0, &is_got);
    assert_int_equal(is_got.code, K_OK);
    assert_ptr_equal(is_got.value_blob, blob);
    ended_fini(&is_got);
    rt_blob_release(blob);
    close_pair(&pair); /* and no reference to it is left */
}

/* The client holds no reference to what was sent once its call has ended. */
static void value__call_over__its_reference_is_gone(void **state)
{
    struct world world;
    struct ended ended = {0};
    uint8_t *data = NULL;

    (void)state;
    world_open(&world);
    world_ready(&world);
    server_silence(&world.server, DSRPC_OP_SET);
    size_t before_bytes = rt_blob_live_count();
    struct rt_blob *blob = rt_blob_create(LARGE_BYTES, &data);
    memset(data, 'x', LARGE_BYTES);
    struct dsrpc_piece piece = {blob, rt_blob_slice(blob)};
    struct dsrpc_value value = {&piece, 1, LARGE_BYTES};
    ended.world = &world;
    assert_int_equal(ds_set(world.client, rt_slice_text("k"), &value, NULL, on_ended, &ended),
                     RT_OK);
    rt_blob_release(blob);
    world_pass_ms(&world, 1);
    assert_true(rt_blob_live_count() >= before_bytes + LARGE_BYTES); /* for the next attempt */
    world_wait(&world, &ended);
    assert_true(rt_blob_live_count() < before_bytes + LARGE_BYTES);
    world_close(&world);
}

static void mset__same_key_twice__first_stored_the_other_failed(void **state)
{
    struct pair pair;
    struct ended ended = {0};
    struct ended is_got = {0};
    struct ds_mset_options options = {.is_transaction = false};
    const struct rt_slice keys[] = {rt_slice_text("x"), rt_slice_text("y"), rt_slice_text("x")};
    const struct dsrpc_piece pieces[] = {{.bytes = rt_slice_text("1st")},
                                         {.bytes = rt_slice_text("other")},
                                         {.bytes = rt_slice_text("2nd")}};
    const struct dsrpc_value values[] = {
        {&pieces[0], 1, 3}, {&pieces[1], 1, 5}, {&pieces[2], 1, 3}};

    (void)state;
    open_pair(&pair);
    ended.world = &pair.world;
    assert_int_equal(ds_mset(pair.world.client, keys, values, 3, &options, on_ended, &ended),
                     RT_OK);
    world_wait(&pair.world, &ended);
    assert_int_equal(ended.failed_count, 1);
    assert_string_equal(ended.failed[0], "x");
    run_get(&pair.world, "x", 0, &is_got);
    assert_true(rt_slice_is_text(rt_blob_slice(is_got.values[0]), "1st"));
    ended_fini(&is_got);
    close_pair(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answer__after_the_call_gave_up__counted_as_late),
        cmocka_unit_test(answer__twice__the_second_is_late),
        cmocka_unit_test(init__after_a_failed_init__may_succeed),
        cmocka_unit_test(destroy__inside_set_get_init_or_close__others_end_closed),
        cmocka_unit_test(value__large__the_same_blob_in_the_store_and_in_the_result),
        cmocka_unit_test(value__call_over__its_reference_is_gone),
        cmocka_unit_test(mset__same_key_twice__first_stored_the_other_failed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
