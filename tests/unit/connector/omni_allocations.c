/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a steady stream of small puts and gets costs in heap allocations (no more than three each),
 * with callbacks and through the blocking layer, over TCP. There the caller's thread and the I/O
 * thread count together; a callback that runs on the latter reads its part.
 */
#include "connector/omni_blocking.h"

#include <semaphore.h>
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
#define BODY_BYTES       256

struct fixture {
    struct fakeds *fake;
    struct omni_arena *arena;
    const struct omni_value *data; /* a map as stages exchange it: numbers, text, a small tensor */
    struct omni_connector_config config;

    /* With callbacks. */
    struct rt_loop *loop;
    struct rt_network *network;
    struct omni_connector *connector;
    bool is_put;
    bool keeps_arena;
    size_t left_count; /* calls to start */
    size_t in_flight;
    size_t good_count;

    /* Blocking. */
    struct omni_blocking *blocking;
    sem_t is_read;
    size_t io_count;
};

static const struct rt_slice KEY = {(const uint8_t *)"request-0123456789", 18};

static void on_end(struct fixture *fx, bool is_good);

/* ---- with callbacks -------------------------------------------------------------------------- */

static void on_created(void *arg, struct omni_connector *connector, const char *text)
{
    struct fixture *fx = arg;

    if (connector == NULL) {
        fail_msg("create: %s", text);
    }
    fx->connector = connector;
}

static void on_put(void *arg, const struct omni_put_result *result)
{
    on_end(arg, result->is_success);
}

static void on_get(void *arg, const struct omni_get_result *result)
{
    struct fixture *fx = arg;
    bool is_good = result->data != NULL && omni_value_equal(result->data, fx->data) &&
                   rt_blob_slice(result->payload).len_bytes == result->size_bytes;

    if (is_good && fx->keeps_arena) {
        *result->is_arena_kept = true;
        omni_arena_destroy(result->arena);
    }
    on_end(fx, is_good);
}

static void start_one(struct fixture *fx)
{
    enum rt_status status = fx->is_put
                                ? omni_put(fx->connector, "0", "1", KEY, fx->data, on_put, fx)
                                : omni_get(fx->connector, "0", "1", KEY, on_get, fx);

    assert_int_equal(status, RT_OK);
    fx->left_count--;
    fx->in_flight++;
}

static void on_end(struct fixture *fx, bool is_good)
{
    fx->in_flight--;
    fx->good_count += is_good ? 1 : 0;
    if (fx->left_count > 0) {
        start_one(fx);
    }
}

static bool is_constructed(void *arg)
{
    return ((const struct fixture *)arg)->connector != NULL;
}

static bool is_over(void *arg)
{
    return ((const struct fixture *)arg)->in_flight == 0;
}

static void run_calls(struct fixture *fx, bool is_put, size_t count, size_t window)
{
    fx->is_put = is_put;
    fx->left_count = count;
    fx->good_count = 0;
    while (fx->left_count > 0 && fx->in_flight < window) {
        start_one(fx);
    }
    assert_int_equal(rt_loop_run(fx->loop, is_over, fx, RT_NEVER), RT_OK);
    assert_int_equal(fx->good_count, count);
}

/* ---- blocking -------------------------------------------------------------------------------- */

static void call_blocking(struct fixture *fx, bool is_put, size_t count)
{
    struct omni_call_result result;

    for (size_t i = 0; i < count; i++) {
        enum rt_status status =
            is_put ? omni_blocking_put(fx->blocking, "0", "1", KEY, fx->data, &result)
                   : omni_blocking_get(fx->blocking, "0", "1", KEY, &result);
        assert_int_equal(status, RT_OK);
        assert_int_equal(result.outcome, OMNI_DONE);
        omni_arena_destroy(result.arena);
    }
}

static void on_io_thread(void *arg, const struct omni_get_result *result)
{
    struct fixture *fx = arg;
    (void)result;
    fx->io_count = counted_memory_count();
    sem_post(&fx->is_read);
}

/* Of both threads so far. */
static size_t count_both(struct fixture *fx)
{
    assert_int_equal(omni_blocking_get_async(fx->blocking, "0", "1", KEY, on_io_thread, fx), RT_OK);
    while (sem_wait(&fx->is_read) != 0) {
    }
    return fx->io_count + counted_memory_count();
}

/* ---- fixture --------------------------------------------------------------------------------- */

static const struct omni_value *make_data(struct omni_arena *arena)
{
    static const uint8_t zeros[BODY_BYTES];
    static const int64_t shape[] = {BODY_BYTES / 4};
    struct rt_blob *body = rt_blob_copy(rt_slice_of(zeros, sizeof(zeros)));
    assert_non_null(body);
    const struct omni_pair pairs[] = {
        {omni_text(arena, rt_slice_text("step")), omni_int(arena, 7)},
        {omni_text(arena, rt_slice_text("request")), omni_text(arena, KEY)},
        {omni_text(arena, rt_slice_text("hidden")),
         omni_tensor(arena, OMNI_TENSOR, "float32", shape, 1, body)},
    };
    rt_blob_release(body);
    return omni_map(arena, pairs, sizeof(pairs) / sizeof(pairs[0]));
}

static int up(void **state)
{
    struct fixture *fx = calloc(1, sizeof(*fx));

    assert_non_null(fx);
    assert_int_equal(fakeds_start(NULL, &fx->fake), FAKEDS_OK);
    fx->arena = omni_arena_create();
    assert_non_null(fx->arena);
    fx->data = make_data(fx->arena);
    const struct omni_pair port = {omni_text(fx->arena, rt_slice_text("port")),
                                   omni_int(fx->arena, fakeds_port(fx->fake))};
    fx->config = (struct omni_connector_config){.model = OMNI_YUANRONG,
                                                .extra = omni_map(fx->arena, &port, 1)};
    *state = fx;
    return 0;
}

static int up_callbacks(void **state)
{
    up(state);
    struct fixture *fx = *state;
    assert_int_equal(rt_loop_create(RT_LOOP_SOCKETS, &fx->loop), RT_OK);
    assert_int_equal(rt_network_create(fx->loop, &fx->network), RT_OK);
    const struct omni_environment environment = {
        .ds = {.loop = fx->loop, .network = fx->network, .seed = 1, .name = "edge"}};
    assert_int_equal(omni_connector_create(&environment, &fx->config, on_created, fx), RT_OK);
    assert_int_equal(rt_loop_run(fx->loop, is_constructed, fx, RT_NEVER), RT_OK);
    return 0;
}

static int up_blocking(void **state)
{
    char text[OMNI_BLOCKING_TEXT_BYTES] = "";

    up(state);
    struct fixture *fx = *state;
    const struct omni_blocking_config config = {.connector = fx->config, .seed = 1};
    sem_init(&fx->is_read, 0, 0);
    if (omni_blocking_create(&config, &fx->blocking, text) != RT_OK) {
        fail_msg("create: %s", text);
    }
    return 0;
}

static int down(void **state)
{
    struct fixture *fx = *state;

    omni_blocking_destroy(fx->blocking);
    omni_connector_destroy(fx->connector);
    if (fx->network != NULL) {
        rt_network_destroy(fx->network);
        rt_loop_destroy(fx->loop);
    }
    fakeds_stop(fx->fake);
    omni_arena_destroy(fx->arena);
    free(fx);
    return rt_blob_live_count() != 0;
}

/* ---- the bound ------------------------------------------------------------------------------- */

static void assert_within_bound(const char *what, size_t measured_count)
{
    print_message("%s: %zu allocations in %d calls\n", what, measured_count, MEASURED_CALLS);
    assert_true(measured_count <= (size_t)MEASURED_CALLS * ALLOWED_PER_CALL + HOUSEKEEPING);
}

static void callbacks_stay_within_bound(struct fixture *fx, const char *what, bool is_put,
                                        size_t window)
{
    run_calls(fx, true, WARM_UP_CALLS, window);
    run_calls(fx, is_put, WARM_UP_CALLS, window);
    size_t before_count = counted_memory_count();
    run_calls(fx, is_put, MEASURED_CALLS, window);
    assert_within_bound(what, counted_memory_count() - before_count);
}

static void put__steady_one_by_one__at_most_three_allocations(void **state)
{
    callbacks_stay_within_bound(*state, "put, 1 in flight", true, 1);
}

static void put__steady_32_in_flight__at_most_three_allocations(void **state)
{
    callbacks_stay_within_bound(*state, "put, 32 in flight", true, 32);
}

static void get__steady_one_by_one__at_most_three_allocations(void **state)
{
    callbacks_stay_within_bound(*state, "get, 1 in flight", false, 1);
}

static void get__steady_32_in_flight__at_most_three_allocations(void **state)
{
    callbacks_stay_within_bound(*state, "get, 32 in flight", false, 32);
}

static void get__each_arena_kept__at_most_three_allocations(void **state)
{
    struct fixture *fx = *state;

    fx->keeps_arena = true;
    callbacks_stay_within_bound(fx, "get, arena kept", false, 32);
}

static void blocking_stays_within_bound(struct fixture *fx, const char *what, bool is_put)
{
    call_blocking(fx, true, WARM_UP_CALLS);
    call_blocking(fx, is_put, WARM_UP_CALLS);
    size_t before_count = count_both(fx);
    call_blocking(fx, is_put, MEASURED_CALLS);
    assert_within_bound(what, count_both(fx) - before_count);
}

static void blocking_put__steady__at_most_three_allocations(void **state)
{
    blocking_stays_within_bound(*state, "blocking put", true);
}

static void blocking_get__steady__at_most_three_allocations(void **state)
{
    blocking_stays_within_bound(*state, "blocking get", false);
}

#define WITH_CALLBACKS(test) cmocka_unit_test_setup_teardown(test, up_callbacks, down)
#define BLOCKING(test)       cmocka_unit_test_setup_teardown(test, up_blocking, down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_CALLBACKS(put__steady_one_by_one__at_most_three_allocations),
        WITH_CALLBACKS(put__steady_32_in_flight__at_most_three_allocations),
        WITH_CALLBACKS(get__steady_one_by_one__at_most_three_allocations),
        WITH_CALLBACKS(get__steady_32_in_flight__at_most_three_allocations),
        WITH_CALLBACKS(get__each_arena_kept__at_most_three_allocations),
        BLOCKING(blocking_put__steady__at_most_three_allocations),
        BLOCKING(blocking_get__steady__at_most_three_allocations),
    };

    counted_memory_begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
