/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/connector/ds_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SEED 7

void world_open(struct world *world)
{
    *world = (struct world){.blobs_before_bytes = rt_blob_live_count()};
    assert_int_equal(rt_loop_create(RT_LOOP_SIMULATED, &world->loop), RT_OK);
    assert_int_equal(rt_network_create(world->loop, &world->network), RT_OK);
    server_init(&world->server, world->loop, world->network);
    server_listen(&world->server, SERVER_ADDRESS);
    ds_options_init(&world->options);
    world->options.host = "10.0.1.1";
    world->options.connect_timeout_ms = 3000;
}

void world_make_client(struct world *world)
{
    struct ds_environment environment = {
        .loop = world->loop, .network = world->network, .seed = SEED, .name = "client-1"};

    assert_int_equal(ds_client_create(&environment, &world->options, &world->client), RT_OK);
}

void world_ready(struct world *world)
{
    struct ended init = {0};

    world_make_client(world);
    run_init(world, &init);
    assert_string_equal(init.text, "");
    assert_int_equal(init.code, K_OK);
}

void world_close(struct world *world)
{
    if (world->client != NULL) {
        for (int op = 0; op < DSRPC_OP_COUNT; op++) {
            assert_conserved(world, (enum dsrpc_op)op);
        }
    }
    ds_client_destroy(world->client);
    server_fini(&world->server);
    assert_int_equal(rt_network_live_count(world->network), 0);
    rt_network_destroy(world->network);
    rt_loop_destroy(world->loop);
    assert_int_equal(rt_blob_live_count(), world->blobs_before_bytes);
}

/* ---- ends ---- */

void on_ended(void *arg, const struct ds_result *result)
{
    struct ended *ended = arg;

    ended->calls++;
    ended->at_us = ended->world == NULL ? 0 : world_now_us(ended->world);
    ended->code = result->status.code;
    ended->detail = result->status.detail;
    (void)snprintf(ended->text, sizeof(ended->text), "%s", result->status.text);
    ended->took_us = result->took_us;
    ended->attempts = result->attempt_count;
    ended->value_count = result->value_count;
    for (size_t i = 0; i < result->value_count && i < 8; i++) {
        const struct ds_value *value = &result->values[i];
        ended->is_present[i] = value->is_present;
        ended->values[i] = value->is_present ? rt_blob_copy(value->bytes) : NULL;
        ended->value_blob = i == 0 ? value->blob : ended->value_blob;
    }
    ended->exist_count = result->exist_count;
    for (size_t i = 0; i < result->exist_count && i < 8; i++) {
        ended->exists[i] = result->exists[i];
    }
    ended->size_count = result->size_count;
    for (size_t i = 0; i < result->size_count && i < 8; i++) {
        ended->sizes[i] = result->sizes[i];
    }
    ended->failed_count = result->failed_key_count;
    for (size_t i = 0; i < result->failed_key_count && i < 8; i++) {
        (void)snprintf(ended->failed[i], sizeof(ended->failed[i]), "%.*s",
                       (int)result->failed_keys[i].len_bytes,
                       (const char *)result->failed_keys[i].data);
    }
    if (ended->then != NULL) {
        ended->then(ended);
    }
}

void ended_fini(struct ended *ended)
{
    for (size_t i = 0; i < 8; i++) {
        rt_blob_release(ended->values[i]);
        ended->values[i] = NULL;
    }
}

/* ---- time ---- */

static bool has_ended(void *arg)
{
    return ((const struct ended *)arg)->calls > 0;
}

void world_wait(struct world *world, const struct ended *ended)
{
    assert_int_equal(rt_loop_run(world->loop, has_ended, (void *)(uintptr_t)ended, RT_NEVER),
                     RT_OK);
    assert_int_equal(ended->calls, 1);
}

void world_pass_us(struct world *world, uint64_t duration_us)
{
    enum rt_status status = rt_loop_run(world->loop, NULL, NULL, world_now_us(world) + duration_us);

    assert_true(status == RT_E_TIMEOUT || status == RT_E_IDLE);
}

void world_pass_ms(struct world *world, uint64_t duration_ms)
{
    world_pass_us(world, duration_ms * 1000);
}

uint64_t world_now_us(const struct world *world)
{
    return rt_loop_now_us(world->loop);
}

/* ---- calls ---- */

void start_set(struct world *world, const char *key, const char *value, struct ended *ended)
{
    struct dsrpc_piece piece = {.bytes = rt_slice_text(value)};
    struct dsrpc_value whole = {
        .pieces = &piece, .piece_count = 1, .total_bytes = piece.bytes.len_bytes};

    ended->world = world;
    assert_int_equal(ds_set(world->client, rt_slice_text(key), &whole, NULL, on_ended, ended),
                     RT_OK);
    assert_int_equal(ended->calls, 0); /* never from inside the call */
}

void start_get(struct world *world, const char *key, int64_t sub_timeout_ms, struct ended *ended)
{
    struct rt_slice name = rt_slice_text(key);

    ended->world = world;
    assert_int_equal(ds_get(world->client, &name, 1, sub_timeout_ms, on_ended, ended), RT_OK);
    assert_int_equal(ended->calls, 0);
}

void start_op(struct world *world, enum dsrpc_op op, struct ended *ended)
{
    struct rt_slice key = rt_slice_text("k");
    struct dsrpc_piece piece = {.bytes = rt_slice_text("v")};
    struct dsrpc_value value = {.pieces = &piece, .piece_count = 1, .total_bytes = 1};
    struct ds_mset_options options = {0};
    enum rt_status status = RT_E_INVALID;

    ended->world = world;
    if (op == DSRPC_OP_SET) {
        status = ds_set(world->client, key, &value, NULL, on_ended, ended);
    } else if (op == DSRPC_OP_GET) {
        status = ds_get(world->client, &key, 1, 0, on_ended, ended);
    } else if (op == DSRPC_OP_EXIST) {
        status = ds_exist(world->client, &key, 1, on_ended, ended);
    } else if (op == DSRPC_OP_DELETE) {
        status = ds_delete(world->client, &key, 1, on_ended, ended);
    } else if (op == DSRPC_OP_EXPIRE) {
        status = ds_expire(world->client, &key, 1, 1, on_ended, ended);
    } else if (op == DSRPC_OP_QUERY_SIZE) {
        status = ds_query_size(world->client, &key, 1, on_ended, ended);
    } else if (op == DSRPC_OP_MSET) {
        status = ds_mset(world->client, &key, &value, 1, &options, on_ended, ended);
    } else if (op == DSRPC_OP_HEALTH) {
        status = ds_health(world->client, on_ended, ended);
    } else if (op == DSRPC_OP_REGISTER) {
        status = ds_client_init(world->client, on_ended, ended);
    } else if (op == DSRPC_OP_DISCONNECT) {
        status = ds_client_close(world->client, on_ended, ended);
    }
    assert_int_equal(status, RT_OK);
    assert_int_equal(ended->calls, 0);
}

void run_set(struct world *world, const char *key, const char *value, struct ended *ended)
{
    start_set(world, key, value, ended);
    world_wait(world, ended);
}

void run_get(struct world *world, const char *key, int64_t sub_timeout_ms, struct ended *ended)
{
    start_get(world, key, sub_timeout_ms, ended);
    world_wait(world, ended);
}

void run_op(struct world *world, enum dsrpc_op op, struct ended *ended)
{
    start_op(world, op, ended);
    world_wait(world, ended);
}

void run_init(struct world *world, struct ended *ended)
{
    run_op(world, DSRPC_OP_REGISTER, ended);
}

/* ---- what was seen ---- */

void assert_times_ms(const struct world *world, enum dsrpc_op op, const uint64_t *times_ms,
                     size_t count)
{
    const struct server_request *first = server_request(&world->server, op, 0);

    assert_int_equal(server_count(&world->server, op), count);
    for (size_t i = 0; i < count; i++) {
        const struct server_request *request = server_request(&world->server, op, i);
        assert_int_equal(request->time_us - first->time_us, times_ms[i] * 1000);
    }
}

struct ds_rpc_counts world_counts(const struct world *world, enum dsrpc_op op)
{
    struct ds_rpc_counts counts;

    ds_client_rpc_counts(world->client, op, &counts);
    return counts;
}

struct ds_client_state world_state(const struct world *world)
{
    struct ds_client_state state;

    ds_client_state(world->client, &state);
    return state;
}

void assert_conserved(const struct world *world, enum dsrpc_op op)
{
    struct ds_rpc_counts counts = world_counts(world, op);

    assert_int_equal(counts.sent, counts.received + counts.abandoned + counts.in_flight);
}
