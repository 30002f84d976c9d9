/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The blocking connector from many threads against a worker on a thread of its own, over TCP: every
 * call ends once, whoever ends it. ThreadSanitizer runs this too.
 */
#include "connector/omni_blocking.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <fakeds.h>

#include "omni_support.h"

#define THREADS     8
#define CALLS       100
#define DEADLINE_US 150000
#define PATIENCE_US 20000000 /* what a loaded machine may add */

struct fixture {
    struct fakeds *fake;
    struct omni_blocking *blocking;
    struct omni_arena *arena;
};

/* One thread and what it saw. */
struct caller {
    struct fixture *fx;
    pthread_t thread;
    int number;
    struct omni_blocking_handle handle;
    atomic_int done_count; /* of callbacks */
    enum omni_outcome outcome;
    enum ds_detail detail;
    uint64_t early_us; /* before the deadline */
    uint64_t late_us;
    int outcomes[OMNI_CANCELLED + 1];
    struct omni_blocking_handle handles[CALLS]; /* one for each call */
    atomic_int current;                         /* which of them; CALLS: over */
};

static int set_up(void **state)
{
    static struct fixture fixture;
    memset(&fixture, 0, sizeof(fixture));
    fixture.arena = omni_arena_create();
    *state = &fixture;
    return fixture.arena == NULL || fakeds_start(NULL, &fixture.fake) != FAKEDS_OK;
}

static int tear_down(void **state)
{
    struct fixture *fx = *state;
    omni_blocking_destroy(fx->blocking);
    fakeds_stop(fx->fake);
    omni_arena_destroy(fx->arena);
    return rt_blob_live_count() != 0;
}

static void create_model(struct fixture *fx, enum omni_model model)
{
    char text[OMNI_BLOCKING_TEXT_BYTES] = "";
    struct omni_pair pair = {omni_text(fx->arena, rt_slice_text("port")),
                             omni_int(fx->arena, fakeds_port(fx->fake))};
    struct omni_blocking_config config = {
        .connector = {.model = model, .extra = omni_map(fx->arena, &pair, 1)}, .seed = 1};
    if (omni_blocking_create(&config, &fx->blocking, text) != RT_OK) {
        fail_msg("create: %s", text);
    }
}

static void create(struct fixture *fx)
{
    create_model(fx, OMNI_YUANRONG);
}

/* Gets arrive and are never answered. */
static void silence_gets(struct fixture *fx)
{
    char why[256];
    if (fakeds_arm(fx->fake, "mute: on {op: get} at request do hold(go)", why, sizeof(why)) !=
        FAKEDS_OK) {
        fail_msg("%s", why);
    }
}

static void wait_for_gets(struct fixture *fx, uint64_t count)
{
    while (fakeds_requests(fx->fake, "get") < count) {
        sched_yield();
    }
}

static struct omni_metrics metrics_of(struct fixture *fx)
{
    struct omni_metrics metrics;
    assert_int_equal(omni_blocking_metrics(fx->blocking, &metrics), RT_OK);
    assert_null(omni_metrics_broken_law(&metrics));
    return metrics;
}

static void start_callers(struct fixture *fx, struct caller *callers, void *(*run)(void *))
{
    memset(callers, 0, THREADS * sizeof(*callers));
    for (int i = 0; i < THREADS; i++) {
        callers[i].fx = fx;
        callers[i].number = i;
        assert_int_equal(pthread_create(&callers[i].thread, NULL, run, &callers[i]), 0);
    }
}

static void join_callers(struct caller *callers)
{
    for (int i = 0; i < THREADS; i++) {
        pthread_join(callers[i].thread, NULL);
    }
}

/* ---- values --------------------------------------------------------------------------------- */

static void *put_and_get_own(void *arg)
{
    struct caller *caller = arg;
    struct omni_blocking *blocking = caller->fx->blocking;
    struct omni_arena *arena = omni_arena_create();
    for (int i = 0; i < CALLS; i++) {
        char key[32];
        struct omni_call_result result;
        (void)snprintf(key, sizeof(key), "k-%d-%d", caller->number, i % 4);
        const struct omni_value *data = omni_int(arena, caller->number * CALLS + i);
        if (omni_blocking_put(blocking, "0", "1", rt_slice_text(key), data, &result) != RT_OK ||
            result.outcome != OMNI_DONE ||
            omni_blocking_get(blocking, "0", "1", rt_slice_text(key), &result) != RT_OK ||
            result.outcome != OMNI_DONE || !omni_value_equal(result.data, data)) {
            abort();
        }
        omni_arena_destroy(result.arena);
    }
    omni_arena_destroy(arena);
    return NULL;
}

static void calls__from_eight_threads__each_gets_its_own_value(void **state)
{
    struct fixture *fx = *state;
    struct caller callers[THREADS];
    create(fx);
    start_callers(fx, callers, put_and_get_own);
    join_callers(callers);
    struct omni_metrics metrics = metrics_of(fx);
    assert_int_equal(metrics.puts, THREADS * CALLS);
    assert_int_equal(metrics.gets, THREADS * CALLS);
    assert_int_equal(metrics.gets_in_flight + metrics.puts_in_flight, 0);
    assert_int_equal(fakeds_applied(fx->fake, "set"), THREADS * CALLS);
}

/* ---- deadlines ------------------------------------------------------------------------------ */

static void *get_until_deadline(void *arg)
{
    struct caller *caller = arg;
    struct omni_call_result result;
    uint64_t deadline_us = rt_monotonic_us() + DEADLINE_US;
    if (omni_blocking_get_with_deadline(caller->fx->blocking, "0", "1", rt_slice_text("k"),
                                        deadline_us, &result) != RT_OK) {
        abort();
    }
    uint64_t now_us = rt_monotonic_us();
    caller->early_us = now_us < deadline_us ? deadline_us - now_us : 0;
    caller->late_us = now_us > deadline_us ? now_us - deadline_us : 0;
    caller->outcome = result.outcome;
    caller->detail = result.detail;
    return NULL;
}

static void deadline__worker_says_nothing__every_thread_comes_back_then(void **state)
{
    struct fixture *fx = *state;
    struct caller callers[THREADS];
    create(fx);
    silence_gets(fx);
    start_callers(fx, callers, get_until_deadline);
    join_callers(callers);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(callers[i].outcome, OMNI_FAILED);
        assert_int_equal(callers[i].detail, DS_DETAIL_DEADLINE);
        assert_int_equal(callers[i].early_us, 0);
        assert_true(callers[i].late_us < PATIENCE_US);
    }
    assert_int_equal(metrics_of(fx).get_causes[DS_CAUSE_BACKEND_TIMEOUT], THREADS);
}

static void deadline__has_passed__nothing_is_sent(void **state)
{
    struct fixture *fx = *state;
    struct omni_call_result result;
    create(fx);
    assert_int_equal(
        omni_blocking_get_with_deadline(fx->blocking, "0", "1", rt_slice_text("k"), 1, &result),
        RT_OK);
    assert_int_equal(result.outcome, OMNI_FAILED);
    assert_int_equal(result.detail, DS_DETAIL_DEADLINE);
    assert_string_equal(result.text, "the deadline of the call has passed");
    assert_int_equal(fakeds_requests(fx->fake, "get"), 0);
}

static void deadline__of_a_polling_connector__is_refused_with_the_base_classs_text(void **state)
{
    struct fixture *fx = *state;
    struct omni_call_result result;
    create_model(fx, OMNI_POLLING);
    assert_int_equal(omni_blocking_get_with_deadline(fx->blocking, "0", "1", rt_slice_text("k"),
                                                     rt_monotonic_us(), &result),
                     RT_E_INVALID);
    assert_int_equal(result.outcome, OMNI_REFUSED);
    assert_string_equal(result.text, omni_no_deadline_text(OMNI_POLLING));
    assert_int_equal(metrics_of(fx).get_calls, 0);
}

/* ---- cancelling ----------------------------------------------------------------------------- */

static void *get_with_handle(void *arg)
{
    struct caller *caller = arg;
    struct omni_call_result result;
    const struct omni_blocking_options options = {.handle = &caller->handle};
    if (omni_blocking_get_with(caller->fx->blocking, "0", "1", rt_slice_text("k"), &options,
                               &result) != RT_OK) {
        abort();
    }
    caller->outcome = result.outcome;
    caller->detail = result.detail;
    return NULL;
}

static void cancel__from_another_thread__each_get_comes_back_once(void **state)
{
    struct fixture *fx = *state;
    struct caller callers[THREADS];
    create(fx);
    silence_gets(fx);
    start_callers(fx, callers, get_with_handle);
    wait_for_gets(fx, THREADS);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(omni_blocking_cancel(fx->blocking, &callers[i].handle), RT_OK);
        assert_int_equal(omni_blocking_cancel(fx->blocking, &callers[i].handle), RT_OK);
    }
    join_callers(callers);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(callers[i].outcome, OMNI_CANCELLED);
        assert_int_equal(callers[i].detail, DS_DETAIL_CANCELLED);
    }
    assert_int_equal(metrics_of(fx).gets_cancelled, THREADS);
    assert_int_equal(metrics_of(fx).timeouts, 0);
    fakeds_signal(fx->fake, "go"); /* late answers disturb nobody */
    assert_int_equal(metrics_of(fx).get_calls, THREADS);
}

static void cancel__before_the_call__it_ends_so_without_a_request_or_a_count(void **state)
{
    struct fixture *fx = *state;
    struct omni_blocking_handle handle = {.operation = NULL};
    const struct omni_blocking_options options = {.handle = &handle};
    struct omni_call_result result;
    create(fx);
    assert_int_equal(omni_blocking_cancel(fx->blocking, &handle), RT_OK);
    assert_int_equal(
        omni_blocking_get_with(fx->blocking, "0", "1", rt_slice_text("k"), &options, &result),
        RT_OK);
    assert_int_equal(result.outcome, OMNI_CANCELLED);
    assert_string_equal(result.text, "the call was cancelled before it began");
    assert_int_equal(omni_blocking_put_with(fx->blocking, "0", "1", rt_slice_text("k"),
                                            omni_nil(fx->arena), &options, &result),
                     RT_OK);
    assert_int_equal(result.outcome, OMNI_CANCELLED);
    assert_int_equal(fakeds_requests(fx->fake, "get") + fakeds_requests(fx->fake, "set"), 0);
    assert_int_equal(metrics_of(fx).get_calls + metrics_of(fx).put_calls, 0);
}

/* Half of the threads get, each with a neighbour that cancels its calls at any moment. */
static void *cancel_neighbour(struct caller *caller)
{
    struct caller *getter = caller - 1;
    for (int i = 0; i < CALLS; i = atomic_load(&getter->current)) {
        if (omni_blocking_cancel(caller->fx->blocking, &getter->handles[i]) != RT_OK) {
            abort();
        }
    }
    return NULL;
}

static void *get_or_cancel_neighbour(void *arg)
{
    struct caller *caller = arg;
    if (caller->number % 2 == 1) {
        return cancel_neighbour(caller);
    }
    for (int i = 0; i < CALLS; i++) {
        const struct omni_blocking_options options = {.handle = &caller->handles[i]};
        struct omni_call_result result;
        if (omni_blocking_get_with(caller->fx->blocking, "0", "1", rt_slice_text("k"), &options,
                                   &result) != RT_OK) {
            abort();
        }
        caller->outcomes[result.outcome]++;
        omni_arena_destroy(result.arena);
        atomic_store(&caller->current, i + 1);
    }
    return NULL;
}

static void cancel__at_any_moment__each_get_ends_once_and_the_counts_add_up(void **state)
{
    struct fixture *fx = *state;
    struct caller callers[THREADS];
    struct omni_call_result result;
    uint64_t done = 0;
    uint64_t cancelled = 0;
    create(fx);
    assert_int_equal(omni_blocking_put(fx->blocking, "0", "1", rt_slice_text("k"),
                                       omni_int(fx->arena, 7), &result),
                     RT_OK);
    start_callers(fx, callers, get_or_cancel_neighbour);
    join_callers(callers);
    for (int i = 0; i < THREADS; i += 2) {
        assert_int_equal(callers[i].outcomes[OMNI_DONE] + callers[i].outcomes[OMNI_CANCELLED],
                         CALLS);
        done += (uint64_t)callers[i].outcomes[OMNI_DONE];
        cancelled += (uint64_t)callers[i].outcomes[OMNI_CANCELLED];
    }
    struct omni_metrics metrics = metrics_of(fx);
    assert_int_equal(metrics.gets, done);
    assert_true(metrics.gets_cancelled <= cancelled); /* the rest had not begun */
    assert_int_equal(metrics.get_calls, metrics.gets + metrics.gets_cancelled);
}

static void on_get(void *arg, const struct omni_get_result *result)
{
    struct caller *caller = arg;
    caller->detail = result->status.detail;
    atomic_fetch_add(&caller->done_count, 1);
}

/* The first get's end cancels the second one, on the I/O thread. */
static void on_get_cancel_next(void *arg, const struct omni_get_result *result)
{
    struct caller *caller = arg;
    struct caller *next = caller + 1;
    if (omni_blocking_cancel(caller->fx->blocking, &next->handle) != RT_OK) {
        abort();
    }
    on_get(arg, result);
}

static void wait_for_callback(struct caller *caller)
{
    while (atomic_load(&caller->done_count) == 0) {
        sched_yield();
    }
}

static void cancel__in_a_callback__ends_another_get(void **state)
{
    struct fixture *fx = *state;
    struct caller callers[2] = {{.fx = fx}, {.fx = fx}};
    create(fx);
    silence_gets(fx);
    for (int i = 0; i < 2; i++) {
        const struct omni_blocking_options options = {.handle = &callers[i].handle};
        assert_int_equal(
            omni_blocking_get_async_with(fx->blocking, "0", "1", rt_slice_text("k"), &options,
                                         i == 0 ? on_get_cancel_next : on_get, &callers[i]),
            RT_OK);
    }
    wait_for_gets(fx, 2);
    assert_int_equal(omni_blocking_cancel(fx->blocking, &callers[0].handle), RT_OK);
    wait_for_callback(&callers[0]);
    wait_for_callback(&callers[1]);
    assert_int_equal(callers[0].detail, DS_DETAIL_CANCELLED);
    assert_int_equal(callers[1].detail, DS_DETAIL_CANCELLED);
    assert_int_equal(metrics_of(fx).gets_cancelled, 2);
    assert_int_equal(atomic_load(&callers[0].done_count) + atomic_load(&callers[1].done_count), 2);
}

/* ---- close and destroy ----------------------------------------------------------------------- */

static void *get_both_ways(void *arg)
{
    struct caller *caller = arg;
    struct omni_call_result result;
    if (omni_blocking_get_async(caller->fx->blocking, "0", "1", rt_slice_text("k"), on_get,
                                caller) != RT_OK ||
        omni_blocking_get(caller->fx->blocking, "0", "1", rt_slice_text("k"), &result) != RT_OK) {
        abort();
    }
    caller->outcome = result.outcome;
    return NULL;
}

static void end_with_calls_in_flight(struct fixture *fx, bool is_destroy)
{
    struct caller callers[THREADS];
    create(fx);
    silence_gets(fx);
    start_callers(fx, callers, get_both_ways);
    wait_for_gets(fx, UINT64_C(2) * THREADS);
    if (is_destroy) {
        omni_blocking_destroy(fx->blocking);
        fx->blocking = NULL;
    } else {
        assert_int_equal(omni_blocking_close(fx->blocking), RT_OK);
    }
    join_callers(callers);
    for (int i = 0; i < THREADS; i++) {
        wait_for_callback(&callers[i]);
        assert_int_equal(callers[i].outcome, OMNI_REFUSED);
        assert_int_equal(callers[i].detail, DS_DETAIL_CLOSED);
        assert_int_equal(atomic_load(&callers[i].done_count), 1);
    }
}

static void close__sixteen_gets_of_eight_threads_in_flight__each_ends_as_refused(void **state)
{
    struct fixture *fx = *state;
    end_with_calls_in_flight(fx, false);
    assert_int_equal(metrics_of(fx).gets_refused_closed, 2 * THREADS);
    assert_int_equal(metrics_of(fx).timeouts, 0);
}

static void destroy__sixteen_gets_of_eight_threads_in_flight__each_ends_as_refused(void **state)
{
    end_with_calls_in_flight(*state, true);
}

/* Some calls begin before the close, some after; none is lost between. */
static void *get_until_refused(void *arg)
{
    struct caller *caller = arg;
    struct omni_call_result result;
    do {
        if (omni_blocking_get(caller->fx->blocking, "0", "1", rt_slice_text("k"), &result) !=
            RT_OK) {
            abort();
        }
        caller->outcomes[result.outcome]++;
        omni_arena_destroy(result.arena);
    } while (result.outcome != OMNI_REFUSED);
    return NULL;
}

static void close__while_threads_keep_calling__every_call_is_counted_once(void **state)
{
    struct fixture *fx = *state;
    struct caller callers[THREADS];
    struct omni_call_result result;
    uint64_t done = 0;
    create(fx);
    assert_int_equal(omni_blocking_put(fx->blocking, "0", "1", rt_slice_text("k"),
                                       omni_int(fx->arena, 7), &result),
                     RT_OK);
    start_callers(fx, callers, get_until_refused);
    wait_for_gets(fx, CALLS);
    assert_int_equal(omni_blocking_close(fx->blocking), RT_OK);
    join_callers(callers);
    for (int i = 0; i < THREADS; i++) {
        done += (uint64_t)callers[i].outcomes[OMNI_DONE];
        assert_int_equal(callers[i].outcomes[OMNI_REFUSED], 1);
        assert_int_equal(callers[i].outcomes[OMNI_FAILED] + callers[i].outcomes[OMNI_EMPTY], 0);
    }
    assert_int_equal(metrics_of(fx).gets, done);
    assert_int_equal(metrics_of(fx).gets_refused_closed, THREADS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(calls__from_eight_threads__each_gets_its_own_value),
        TEST(deadline__worker_says_nothing__every_thread_comes_back_then),
        TEST(deadline__has_passed__nothing_is_sent),
        TEST(deadline__of_a_polling_connector__is_refused_with_the_base_classs_text),
        TEST(cancel__from_another_thread__each_get_comes_back_once),
        TEST(cancel__before_the_call__it_ends_so_without_a_request_or_a_count),
        TEST(cancel__at_any_moment__each_get_ends_once_and_the_counts_add_up),
        TEST(cancel__in_a_callback__ends_another_get),
        TEST(close__sixteen_gets_of_eight_threads_in_flight__each_ends_as_refused),
        TEST(destroy__sixteen_gets_of_eight_threads_in_flight__each_ends_as_refused),
        TEST(close__while_threads_keep_calling__every_call_is_counted_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
