/* SPDX-License-Identifier: Apache-2.0 */
/* The blocking client over real sockets against a fake worker of this process. */
#include "connector/ds_blocking.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fakeds/include/fakeds.h"

#define THREADS          8
#define CALLS_PER_THREAD 50

struct fixture {
    struct fakeds *fake;
    struct ds_blocking *blocking;
};

static void make_client(const struct fakeds *fake, struct ds_blocking **out_blocking)
{
    struct ds_options options;

    ds_options_init(&options);
    options.port = fakeds_port(fake);
    options.connect_timeout_ms = 20000;
    assert_int_equal(ds_blocking_create(&options, NULL, out_blocking), RT_OK);
}

static int up(void **state)
{
    struct fixture *fx = calloc(1, sizeof(*fx));
    struct ds_blocking_result result;

    assert_non_null(fx);
    assert_int_equal(fakeds_start(NULL, &fx->fake), FAKEDS_OK);
    make_client(fx->fake, &fx->blocking);
    assert_true(ds_blocking_init(fx->blocking, &result));
    ds_blocking_result_fini(&result);
    *state = fx;
    return 0;
}

static int down(void **state)
{
    struct fixture *fx = *state;

    ds_blocking_destroy(fx->blocking);
    fakeds_stop(fx->fake);
    free(fx);
    return 0;
}

static bool set(struct ds_blocking *blocking, const char *key, const char *text,
                struct ds_blocking_result *out_result)
{
    struct dsrpc_piece piece = {.bytes = rt_slice_text(text)};
    struct dsrpc_value value = {&piece, 1, piece.bytes.len_bytes};

    return ds_blocking_set(blocking, rt_slice_text(key), &value, NULL, out_result);
}

static bool get(struct ds_blocking *blocking, const char *key, int64_t sub_timeout_ms,
                struct ds_blocking_result *out_result)
{
    struct rt_slice name = rt_slice_text(key);

    return ds_blocking_get(blocking, &name, 1, sub_timeout_ms, out_result);
}

/* ---- single calls ---- */

static void calls__healthy_worker__each_brings_its_result(void **state)
{
    struct fixture *fx = *state;
    struct ds_blocking_result result;
    const struct rt_slice keys[] = {rt_slice_text("a"), rt_slice_text("gone")};

    assert_true(set(fx->blocking, "a", "value", &result));
    ds_blocking_result_fini(&result);
    assert_true(ds_blocking_get(fx->blocking, keys, 2, 0, &result));
    assert_int_equal(result.value_count, 2);
    assert_true(rt_slice_is_text(rt_blob_slice(result.values[0]), "value"));
    assert_null(result.values[1]);
    ds_blocking_result_fini(&result);
    assert_true(ds_blocking_exist(fx->blocking, keys, 2, &result));
    assert_int_equal(result.exist_count, 2);
    assert_true(result.exists[0]);
    assert_false(result.exists[1]);
    ds_blocking_result_fini(&result);
    assert_true(ds_blocking_query_size(fx->blocking, keys, 1, &result));
    assert_int_equal(result.sizes[0], 5);
    ds_blocking_result_fini(&result);
    struct ds_read part = {.key = keys[0], .offset_bytes = 1, .size_bytes = 3};
    assert_true(ds_blocking_read(fx->blocking, &part, 1, &result));
    assert_true(rt_slice_is_text(rt_blob_slice(result.values[0]), "alu"));
    ds_blocking_result_fini(&result);
    assert_true(ds_blocking_expire(fx->blocking, keys, 1, 100, &result));
    ds_blocking_result_fini(&result);
    assert_true(ds_blocking_health(fx->blocking, &result));
    ds_blocking_result_fini(&result);
    assert_true(ds_blocking_delete(fx->blocking, keys, 1, &result));
    ds_blocking_result_fini(&result);
    assert_false(get(fx->blocking, "a", 0, &result));
    assert_int_equal(result.code, K_NOT_FOUND);
    ds_blocking_result_fini(&result);
}

static void mset__same_key_twice__first_is_stored_the_other_failed(void **state)
{
    struct fixture *fx = *state;
    struct ds_blocking_result result;
    struct ds_mset_options options = {.is_transaction = false};
    const struct rt_slice keys[] = {rt_slice_text("x"), rt_slice_text("x")};
    const struct dsrpc_piece pieces[] = {{.bytes = rt_slice_text("first")},
                                         {.bytes = rt_slice_text("second")}};
    const struct dsrpc_value values[] = {{&pieces[0], 1, 5}, {&pieces[1], 1, 6}};

    (void)ds_blocking_mset(fx->blocking, keys, values, 2, &options, &result);
    assert_int_equal(result.failed_key_count, 1);
    assert_string_equal(result.failed_keys[0], "x");
    ds_blocking_result_fini(&result);
    assert_true(get(fx->blocking, "x", 0, &result));
    assert_true(rt_slice_is_text(rt_blob_slice(result.values[0]), "first"));
    ds_blocking_result_fini(&result);
}

static void close__then_call__not_ready_and_close_again_is_well(void **state)
{
    struct fixture *fx = *state;
    struct ds_blocking_result result;

    assert_true(ds_blocking_close(fx->blocking, &result));
    ds_blocking_result_fini(&result);
    assert_false(set(fx->blocking, "k", "v", &result));
    assert_int_equal(result.code, K_NOT_READY);
    assert_int_equal(result.detail, DS_DETAIL_CLOSED);
    ds_blocking_result_fini(&result);
    assert_true(ds_blocking_close(fx->blocking, &result));
    ds_blocking_result_fini(&result);
}

/* ---- many threads ---- */

struct caller {
    pthread_t thread;
    struct fixture *fx;
    unsigned number;
    unsigned good_count;
};

static void *call_often(void *arg)
{
    struct caller *caller = arg;

    for (unsigned i = 0; i < CALLS_PER_THREAD; i++) {
        struct ds_blocking_result result;
        char key[32];
        char text[48];
        (void)snprintf(key, sizeof(key), "key-%u-%u", caller->number, i);
        (void)snprintf(text, sizeof(text), "value of %s", key);
        bool is_set = set(caller->fx->blocking, key, text, &result);
        ds_blocking_result_fini(&result);
        bool is_got = get(caller->fx->blocking, key, 0, &result);
        if (is_set && is_got && rt_slice_is_text(rt_blob_slice(result.values[0]), text)) {
            caller->good_count++;
        }
        ds_blocking_result_fini(&result);
    }
    return NULL;
}

static void calls__from_eight_threads__each_gets_its_own(void **state)
{
    struct fixture *fx = *state;
    struct caller callers[THREADS];

    for (unsigned i = 0; i < THREADS; i++) {
        callers[i] = (struct caller){.fx = fx, .number = i};
        assert_int_equal(pthread_create(&callers[i].thread, NULL, call_often, &callers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        (void)pthread_join(callers[i].thread, NULL);
        assert_int_equal(callers[i].good_count, CALLS_PER_THREAD);
    }
    assert_int_equal(fakeds_requests(fx->fake, "set"), THREADS * CALLS_PER_THREAD);
    assert_int_equal(fakeds_requests(fx->fake, "get"), THREADS * CALLS_PER_THREAD);
}

/* A get that waits for a key nobody sets, until the client goes. */
struct waiter {
    pthread_t thread;
    struct ds_blocking *blocking;
    struct ds_blocking_result result;
};

static void *wait_for_key(void *arg)
{
    struct waiter *waiter = arg;

    (void)get(waiter->blocking, "never", 50000, &waiter->result);
    return NULL;
}

/* All gets have arrived; the fake worker says so without any clock. */
static void await_requests(struct fakeds *fake, uint64_t count)
{
    while (fakeds_requests(fake, "get") < count) {
        (void)sched_yield();
    }
}

static void start_waiters(struct fixture *fx, struct waiter *waiters)
{
    for (unsigned i = 0; i < THREADS; i++) {
        waiters[i] = (struct waiter){.blocking = fx->blocking};
        assert_int_equal(pthread_create(&waiters[i].thread, NULL, wait_for_key, &waiters[i]), 0);
    }
    await_requests(fx->fake, THREADS);
}

static void assert_waiters_closed(struct waiter *waiters)
{
    for (unsigned i = 0; i < THREADS; i++) {
        (void)pthread_join(waiters[i].thread, NULL);
        assert_int_equal(waiters[i].result.code, K_NOT_READY);
        assert_int_equal(waiters[i].result.detail, DS_DETAIL_CLOSED);
        assert_string_not_equal(waiters[i].result.text, "");
        ds_blocking_result_fini(&waiters[i].result);
    }
}

static void destroy__calls_on_other_threads__they_end_not_ready(void **state)
{
    struct fixture *fx = *state;
    struct waiter waiters[THREADS];

    start_waiters(fx, waiters);
    ds_blocking_destroy(fx->blocking);
    fx->blocking = NULL;
    assert_waiters_closed(waiters);
}

static void close__calls_on_other_threads__they_end_not_ready(void **state)
{
    struct fixture *fx = *state;
    struct waiter waiters[THREADS];
    struct ds_blocking_result result;

    start_waiters(fx, waiters);
    assert_true(ds_blocking_close(fx->blocking, &result));
    ds_blocking_result_fini(&result);
    assert_waiters_closed(waiters);
}

/* ---- on the I/O thread ---- */

struct freed {
    struct fixture *fx;
    struct rt_blob *blob;
    uint8_t byte;
    bool is_refused;
    sigset_t blocked_signals; /* of the I/O thread */
};

/* The client lets go of the value last, on its own thread. */
static void on_freed(void *arg, void *data)
{
    struct freed *freed = arg;
    struct ds_blocking_result result;

    (void)data;
    freed->is_refused = !ds_blocking_health(freed->fx->blocking, &result) &&
                        result.code == K_INVALID && strstr(result.text, "I/O thread") != NULL;
    ds_blocking_result_fini(&result);
    (void)pthread_sigmask(SIG_SETMASK, NULL, &freed->blocked_signals);
}

static void *set_unanswered(void *arg)
{
    struct freed *freed = arg;
    struct ds_blocking_result result;
    struct dsrpc_piece piece = {freed->blob, rt_blob_slice(freed->blob)};
    struct dsrpc_value value = {&piece, 1, 1};

    (void)ds_blocking_set(freed->fx->blocking, rt_slice_text("k"), &value, NULL, &result);
    ds_blocking_result_fini(&result);
    return NULL;
}

static void run_on_the_io_thread(struct fixture *fx, struct freed *freed)
{
    pthread_t thread;
    char why[256];

    assert_int_equal(
        fakeds_arm(fx->fake, "lost: on {op: set} at applied do 1*drop-reply", why, sizeof(why)),
        FAKEDS_OK);
    freed->blob = rt_blob_wrap(&freed->byte, 1, on_freed, freed);
    assert_int_equal(pthread_create(&thread, NULL, set_unanswered, freed), 0);
    while (fakeds_fired(fx->fake, "lost") == 0) {
        (void)sched_yield();
    }
    rt_blob_release(freed->blob);
    ds_blocking_destroy(fx->blocking);
    fx->blocking = NULL;
    (void)pthread_join(thread, NULL);
}

static void call__on_the_io_thread__refused(void **state)
{
    struct freed freed = {.fx = *state};

    run_on_the_io_thread(*state, &freed);
    assert_true(freed.is_refused);
}

static void signals__of_the_program__never_run_on_the_io_thread(void **state)
{
    struct freed freed = {.fx = *state};

    run_on_the_io_thread(*state, &freed);
    assert_int_equal(sigismember(&freed.blocked_signals, SIGTERM), 1);
    assert_int_equal(sigismember(&freed.blocked_signals, SIGCHLD), 1);
}

/* ---- life ---- */

static void destroy__never_initialised__leaves_nothing(void **state)
{
    struct fixture *fx = *state;
    struct ds_blocking *unused = NULL;

    make_client(fx->fake, &unused);
    ds_blocking_destroy(unused);
    ds_blocking_destroy(NULL);
}

/* The child answers by its exit code: no cmocka, no sanitizer's report of what the parent holds. */
static int use_in_child(struct ds_blocking *blocking)
{
    struct ds_blocking_result result;
    bool is_refused = !set(blocking, "k", "v", &result) && result.code == K_INVALID &&
                      strstr(result.text, "fork()") != NULL;

    ds_blocking_destroy(blocking); /* does nothing there, and does not hang */
    return is_refused ? 0 : 1;
}

static void fork__child_calls__refused_with_the_reason(void **state)
{
    struct fixture *fx = *state;
    struct ds_blocking_result result;
    int status = -1;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        _exit(use_in_child(fx->blocking));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_true(set(fx->blocking, "k", "v", &result)); /* the parent's is unharmed */
    ds_blocking_result_fini(&result);
}

static void value__large__comes_back_whole(void **state)
{
    struct fixture *fx = *state;
    struct ds_blocking_result result;
    uint8_t *data = NULL;
    const size_t len_bytes = (size_t)3 << 20;
    struct rt_blob *blob = rt_blob_create(len_bytes, &data);

    for (size_t i = 0; i < len_bytes; i++) {
        data[i] = (uint8_t)(i * 7 + i / 1000);
    }
    struct dsrpc_piece piece = {blob, rt_blob_slice(blob)};
    struct dsrpc_value value = {&piece, 1, len_bytes};
    assert_true(ds_blocking_set(fx->blocking, rt_slice_text("big"), &value, NULL, &result));
    ds_blocking_result_fini(&result);
    assert_true(get(fx->blocking, "big", 0, &result));
    assert_true(rt_slice_equal(rt_blob_slice(result.values[0]), rt_blob_slice(blob)));
    ds_blocking_result_fini(&result);
    rt_blob_release(blob);
}

static int nothing_left(void **state)
{
    (void)state;
    return rt_blob_live_count() == 0 ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(calls__healthy_worker__each_brings_its_result, up, down),
        cmocka_unit_test_setup_teardown(mset__same_key_twice__first_is_stored_the_other_failed, up,
                                        down),
        cmocka_unit_test_setup_teardown(close__then_call__not_ready_and_close_again_is_well, up,
                                        down),
        cmocka_unit_test_setup_teardown(calls__from_eight_threads__each_gets_its_own, up, down),
        cmocka_unit_test_setup_teardown(destroy__calls_on_other_threads__they_end_not_ready, up,
                                        down),
        cmocka_unit_test_setup_teardown(close__calls_on_other_threads__they_end_not_ready, up,
                                        down),
        cmocka_unit_test_setup_teardown(call__on_the_io_thread__refused, up, down),
        cmocka_unit_test_setup_teardown(signals__of_the_program__never_run_on_the_io_thread, up,
                                        down),
        cmocka_unit_test_setup_teardown(destroy__never_initialised__leaves_nothing, up, down),
        cmocka_unit_test_setup_teardown(fork__child_calls__refused_with_the_reason, up, down),
        cmocka_unit_test_setup_teardown(value__large__comes_back_whole, up, down),
    };

    return cmocka_run_group_tests(tests, NULL, nothing_left);
}
