/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a steady stream of small calls costs in heap allocations, on the client's thread.
 */
#include "connector/ds_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "counted_memory.h"
#include "fakeds/include/fakeds.h"

#define WARM_UP_CALLS    200
#define MEASURED_CALLS   1000
#define ALLOWED_PER_CALL 3
#define HOUSEKEEPING     100 /* heartbeats of the client that fall into the measurement */

struct fixture {
    struct fakeds *fake;
    struct rt_loop *loop;
    struct rt_network *network;
    struct ds_client *client;
    size_t left_count; /* calls to start */
    size_t in_flight;
    size_t good_count;
    enum dsrpc_op op;
};

static void on_done(void *arg, const struct ds_result *result);

static void start_one(struct fixture *fx)
{
    static const uint8_t bytes[256] = {1, 2, 3};
    struct dsrpc_piece piece = {.bytes = rt_slice_of(bytes, sizeof(bytes))};
    struct dsrpc_value value = {&piece, 1, sizeof(bytes)};
    struct rt_slice key = rt_slice_text("a-key-of-usual-length-0123456789");
    enum rt_status status = RT_OK;

    fx->left_count--;
    fx->in_flight++;
    if (fx->op == DSRPC_OP_SET) {
        status = ds_set(fx->client, key, &value, NULL, on_done, fx);
    } else if (fx->op == DSRPC_OP_GET) {
        status = ds_get(fx->client, &key, 1, 0, on_done, fx);
    } else {
        status = ds_client_init(fx->client, on_done, fx);
    }
    assert_int_equal(status, RT_OK);
}

static void on_done(void *arg, const struct ds_result *result)
{
    struct fixture *fx = arg;

    fx->in_flight--;
    fx->good_count += result->status.code == K_OK;
    if (fx->left_count > 0) {
        start_one(fx);
    }
}

static bool is_over(void *arg)
{
    return ((const struct fixture *)arg)->in_flight == 0;
}

static void run_calls(struct fixture *fx, enum dsrpc_op op, size_t count, size_t window)
{
    fx->op = op;
    fx->left_count = count;
    fx->good_count = 0;
    while (fx->left_count > 0 && fx->in_flight < window) {
        start_one(fx);
    }
    assert_int_equal(rt_loop_run(fx->loop, is_over, fx, RT_NEVER), RT_OK);
    assert_int_equal(fx->good_count, count);
}

static int up(void **state)
{
    struct fixture *fx = calloc(1, sizeof(*fx));
    struct ds_options options;

    assert_non_null(fx);
    assert_int_equal(fakeds_start(NULL, &fx->fake), FAKEDS_OK);
    assert_int_equal(rt_loop_create(RT_LOOP_SOCKETS, &fx->loop), RT_OK);
    assert_int_equal(rt_network_create(fx->loop, &fx->network), RT_OK);
    ds_options_init(&options);
    options.port = fakeds_port(fx->fake);
    struct ds_environment environment = {
        .loop = fx->loop, .network = fx->network, .seed = 1, .name = "client-1"};
    assert_int_equal(ds_client_create(&environment, &options, &fx->client), RT_OK);
    run_calls(fx, DSRPC_OP_REGISTER, 1, 1);
    *state = fx;
    return 0;
}

static int down(void **state)
{
    struct fixture *fx = *state;

    ds_client_destroy(fx->client);
    rt_network_destroy(fx->network);
    rt_loop_destroy(fx->loop);
    fakeds_stop(fx->fake);
    free(fx);
    return 0;
}

static void stays_within_bound(struct fixture *fx, enum dsrpc_op op, size_t window)
{
    run_calls(fx, DSRPC_OP_SET, WARM_UP_CALLS, window);
    run_calls(fx, op, WARM_UP_CALLS, window);
    size_t before_count = counted_memory_count();
    run_calls(fx, op, MEASURED_CALLS, window);
    size_t measured_count = counted_memory_count() - before_count;
    print_message("%s, %zu in flight: %zu allocations in %d calls\n", dsrpc_op_word(op), window,
                  measured_count, MEASURED_CALLS);
    assert_true(measured_count <= (size_t)MEASURED_CALLS * ALLOWED_PER_CALL + HOUSEKEEPING);
}

static void set__steady_one_by_one__at_most_three_allocations(void **state)
{
    stays_within_bound(*state, DSRPC_OP_SET, 1);
}

static void set__steady_32_in_flight__at_most_three_allocations(void **state)
{
    stays_within_bound(*state, DSRPC_OP_SET, 32);
}

static void get__steady_one_by_one__at_most_three_allocations(void **state)
{
    stays_within_bound(*state, DSRPC_OP_GET, 1);
}

static void get__steady_32_in_flight__at_most_three_allocations(void **state)
{
    stays_within_bound(*state, DSRPC_OP_GET, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(set__steady_one_by_one__at_most_three_allocations, up,
                                        down),
        cmocka_unit_test_setup_teardown(set__steady_32_in_flight__at_most_three_allocations, up,
                                        down),
        cmocka_unit_test_setup_teardown(get__steady_one_by_one__at_most_three_allocations, up,
                                        down),
        cmocka_unit_test_setup_teardown(get__steady_32_in_flight__at_most_three_allocations, up,
                                        down),
    };

    counted_memory_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
