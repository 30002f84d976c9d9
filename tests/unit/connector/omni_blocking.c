/* SPDX-License-Identifier: Apache-2.0 */
#include "connector/omni_blocking.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "omni_script.h"
#include "omni_support.h"

/* The script runs on the I/O thread; the test reads it only after a call has returned. */
struct fixture {
    struct script script;
    struct omni_blocking *blocking;
    struct omni_arena *arena;
};

static void create(struct fixture *fx)
{
    char text[OMNI_BLOCKING_TEXT_BYTES] = "";
    struct omni_blocking_config config = {.connector = {.binding = &fx->script.binding}, .seed = 1};
    enum rt_status status = omni_blocking_create(&config, &fx->blocking, text);
    if (status != RT_OK) {
        fail_msg("create: %s", text);
    }
}

static int set_up(void **state)
{
    static struct fixture fixture;
    memset(&fixture, 0, sizeof(fixture));
    script_init(&fixture.script);
    fixture.arena = omni_arena_create();
    *state = &fixture;
    return fixture.arena == NULL;
}

static int tear_down(void **state)
{
    struct fixture *fx = *state;
    omni_blocking_destroy(fx->blocking);
    assert_int_equal(fx->script.create_count, fx->script.destroy_count);
    script_fini(&fx->script);
    omni_arena_destroy(fx->arena);
    return rt_blob_live_count() != 0;
}

static struct omni_call_result put(struct fixture *fx, const char *key,
                                   const struct omni_value *data)
{
    struct omni_call_result result;
    assert_int_equal(omni_blocking_put(fx->blocking, "0", "1", rt_slice_text(key), data, &result),
                     RT_OK);
    return result;
}

static struct omni_call_result get(struct fixture *fx, const char *key)
{
    struct omni_call_result result;
    assert_int_equal(omni_blocking_get(fx->blocking, "0", "1", rt_slice_text(key), &result), RT_OK);
    return result;
}

static struct omni_metrics metrics_of(struct fixture *fx)
{
    struct omni_metrics metrics;
    assert_int_equal(omni_blocking_metrics(fx->blocking, &metrics), RT_OK);
    assert_null(omni_metrics_broken_law(&metrics));
    return metrics;
}

/* ---- calls ---------------------------------------------------------------------------------- */

static void put_then_get__one_thread__the_value_comes_back(void **state)
{
    struct fixture *fx = *state;
    create(fx);
    struct omni_call_result result = put(fx, "k", omni_int(fx->arena, 7));
    assert_int_equal(result.outcome, OMNI_DONE);
    assert_int_equal(result.size_bytes, 1);
    result = get(fx, "k");
    assert_int_equal(result.outcome, OMNI_DONE);
    assert_int_equal(result.data->integer, 7);
    assert_string_equal(fx->script.key, "k:0_1");
    omni_arena_destroy(result.arena);
    assert_int_equal(metrics_of(fx).gets, 1);
}

static void with__no_options__is_the_plain_call(void **state)
{
    struct fixture *fx = *state;
    struct omni_call_result result;
    create(fx);
    assert_int_equal(omni_blocking_put_with(fx->blocking, "0", "1", rt_slice_text("k"),
                                            omni_int(fx->arena, 7), NULL, &result),
                     RT_OK);
    assert_int_equal(result.outcome, OMNI_DONE);
    assert_int_equal(
        omni_blocking_get_with(fx->blocking, "0", "1", rt_slice_text("k"), NULL, &result), RT_OK);
    assert_int_equal(result.outcome, OMNI_DONE);
    omni_arena_destroy(result.arena);
}

static void get__each_outcome__is_told_apart(void **state)
{
    struct fixture *fx = *state;
    create(fx);
    fx->script.answer = SCRIPT_NULL;
    assert_int_equal(get(fx, "k").outcome, OMNI_EMPTY);
    fx->script.answer = SCRIPT_STATUS;
    fx->script.status = (struct ds_status){
        .code = K_NOT_FOUND, .detail = DS_DETAIL_ANSWERED, .text = "Cannot get objects"};
    struct omni_call_result result = get(fx, "k");
    assert_int_equal(result.outcome, OMNI_FAILED);
    assert_int_equal(result.cause, DS_CAUSE_NOT_FOUND);
    assert_int_equal(result.code, K_NOT_FOUND);
    assert_string_equal(result.text, "Cannot get objects");
    assert_null(result.arena);
    assert_int_equal(omni_blocking_close(fx->blocking), RT_OK);
    result = get(fx, "k");
    assert_int_equal(result.outcome, OMNI_REFUSED);
    assert_string_equal(result.text, "Datasystem client not initialized");
}

static void create__construction_fails__says_why(void **state)
{
    struct fixture *fx = *state;
    char text[OMNI_BLOCKING_TEXT_BYTES] = "";
    struct omni_pair pair = {omni_text(fx->arena, rt_slice_text("port")),
                             omni_text(fx->arena, rt_slice_text("abc"))};
    struct omni_blocking_config config = {
        .connector = {.binding = &fx->script.binding, .extra = omni_map(fx->arena, &pair, 1)}};
    assert_int_equal(omni_blocking_create(&config, &fx->blocking, text), RT_E_INVALID);
    assert_string_equal(text, "invalid literal for int() with base 10: 'abc'");
    assert_null(fx->blocking);
}

static void health__ready_then_closed__address_then_reason(void **state)
{
    struct fixture *fx = *state;
    struct omni_blocking_health health;
    create(fx);
    assert_int_equal(omni_blocking_health(fx->blocking, &health), RT_OK);
    assert_true(health.is_healthy);
    assert_string_equal(health.host, "127.0.0.1");
    assert_int_equal(health.port, 35001);
    assert_int_equal(omni_blocking_cleanup(fx->blocking, rt_slice_text("r")), RT_OK);
    assert_int_equal(omni_blocking_close(fx->blocking), RT_OK);
    assert_int_equal(omni_blocking_health(fx->blocking, &health), RT_OK);
    assert_false(health.is_healthy);
    assert_string_equal(health.error, "Datasystem client not initialized");
}

/* ---- threads -------------------------------------------------------------------------------- */

#define THREADS          8
#define CALLS_PER_THREAD 200

static void *put_and_get_often(void *arg)
{
    struct fixture *fx = arg;
    struct omni_arena *arena = omni_arena_create();
    const struct omni_value *data = omni_text(arena, rt_slice_text("from a thread"));
    for (int i = 0; i < CALLS_PER_THREAD; i++) {
        struct omni_call_result result;
        if (omni_blocking_put(fx->blocking, "0", "1", rt_slice_text("k"), data, &result) != RT_OK ||
            result.outcome != OMNI_DONE ||
            omni_blocking_get(fx->blocking, "0", "1", rt_slice_text("k"), &result) != RT_OK ||
            result.outcome != OMNI_DONE || !omni_value_equal(result.data, data)) {
            abort();
        }
        omni_arena_destroy(result.arena);
    }
    omni_arena_destroy(arena);
    return NULL;
}

static void calls__from_many_threads__each_gets_its_answer(void **state)
{
    struct fixture *fx = *state;
    pthread_t threads[THREADS];
    create(fx);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, put_and_get_often, fx), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(metrics_of(fx).puts, THREADS * CALLS_PER_THREAD);
    assert_int_equal(metrics_of(fx).gets, THREADS * CALLS_PER_THREAD);
}

static void *get_once(void *arg)
{
    struct fixture *fx = arg;
    struct omni_call_result *result = malloc(sizeof(*result));
    if (result == NULL ||
        omni_blocking_get(fx->blocking, "0", "1", rt_slice_text("k"), result) != RT_OK) {
        abort();
    }
    return result;
}

static void wait_for_gets_in_flight(struct fixture *fx, uint64_t count)
{
    while (metrics_of(fx).gets_in_flight != count) {
    }
}

static void destroy_or_close(struct fixture *fx, bool is_destroy)
{
    pthread_t threads[3];
    create(fx);
    fx->script.answer = SCRIPT_HOLD;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, get_once, fx), 0);
    }
    wait_for_gets_in_flight(fx, 3);
    if (is_destroy) {
        omni_blocking_destroy(fx->blocking);
        fx->blocking = NULL;
    } else {
        assert_int_equal(omni_blocking_close(fx->blocking), RT_OK);
    }
    for (size_t i = 0; i < 3; i++) {
        void *returned = NULL;
        pthread_join(threads[i], &returned);
        struct omni_call_result *result = returned;
        assert_int_equal(result->outcome, OMNI_REFUSED);
        assert_int_equal(result->detail, DS_DETAIL_CLOSED);
        free(result);
    }
}

static void close__calls_in_flight_on_other_threads__end_as_refused(void **state)
{
    destroy_or_close(*state, false);
    assert_int_equal(metrics_of(*state).gets_refused_closed, 3);
}

static void destroy__calls_in_flight_on_other_threads__end_as_refused(void **state)
{
    destroy_or_close(*state, true);
}

/* ---- asynchronous --------------------------------------------------------------------------- */

struct flag {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int count;
    struct fixture *fixture;
    enum rt_status nested_status;
    char nested_text[OMNI_BLOCKING_TEXT_BYTES];
    char data[64];
    enum ds_detail detail; /* of a put that failed */
};

static void raise_flag(struct flag *flag)
{
    pthread_mutex_lock(&flag->mutex);
    flag->count++;
    pthread_cond_signal(&flag->changed);
    pthread_mutex_unlock(&flag->mutex);
}

static void wait_for_flag(struct flag *flag, int count)
{
    pthread_mutex_lock(&flag->mutex);
    while (flag->count < count) {
        pthread_cond_wait(&flag->changed, &flag->mutex);
    }
    pthread_mutex_unlock(&flag->mutex);
}

static void on_get(void *arg, const struct omni_get_result *result)
{
    struct flag *flag = arg;
    snprintf(flag->data, sizeof(flag->data), "nothing");
    if (result->data != NULL) {
        omni_value_describe(result->data, flag->data, sizeof(flag->data));
    }
    raise_flag(flag);
}

/* On the I/O thread: a blocking call would wait for itself, an asynchronous one is fine. */
static void on_put(void *arg, const struct omni_put_result *result)
{
    struct flag *flag = arg;
    struct omni_call_result nested;
    struct omni_blocking *blocking = flag->fixture->blocking;
    assert_true(result->is_success);
    flag->nested_status = omni_blocking_get(blocking, "0", "1", rt_slice_text("k"), &nested);
    snprintf(flag->nested_text, sizeof(flag->nested_text), "%s", nested.text);
    char key[] = "k";
    assert_int_equal(omni_blocking_get_async(blocking, "0", "1", rt_slice_text(key), on_get, flag),
                     RT_OK);
    key[0] = 'x'; /* it was copied */
    raise_flag(flag);
}

static void async__put_then_get_in_its_callback__completes(void **state)
{
    struct fixture *fx = *state;
    struct flag flag = {
        .mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .fixture = fx};
    create(fx);
    const struct omni_value *data = omni_text(fx->arena, rt_slice_text("hello"));
    assert_int_equal(
        omni_blocking_put_async(fx->blocking, "0", "1", rt_slice_text("k"), data, on_put, &flag),
        RT_OK);
    wait_for_flag(&flag, 2);
    assert_string_equal(flag.data, "\"hello\"");
    assert_int_equal(flag.nested_status, RT_E_INVALID);
    assert_non_null(strstr(flag.nested_text, "I/O thread"));
    assert_string_equal(fx->script.key, "k:0_1");
}

static void on_failed_put(void *arg, const struct omni_put_result *result)
{
    struct flag *flag = arg;
    assert_false(result->is_success);
    flag->detail = result->status.detail;
    raise_flag(flag);
}

static void async__put_whose_deadline_has_passed__ends_without_a_request(void **state)
{
    struct fixture *fx = *state;
    struct flag flag = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    const struct omni_blocking_options options = {.has_deadline = true, .deadline_us = 1};
    create(fx);
    assert_int_equal(omni_blocking_put_async_with(fx->blocking, "0", "1", rt_slice_text("k"),
                                                  omni_nil(fx->arena), &options, on_failed_put,
                                                  &flag),
                     RT_OK);
    wait_for_flag(&flag, 1);
    assert_int_equal(flag.detail, DS_DETAIL_DEADLINE);
    assert_int_equal(metrics_of(fx).errors, 1);
    assert_int_equal(fx->script.set_count, 0);
}

static void async__destroyed_while_in_flight__the_callback_still_runs_once(void **state)
{
    struct fixture *fx = *state;
    struct flag flag = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    create(fx);
    fx->script.answer = SCRIPT_HOLD;
    assert_int_equal(
        omni_blocking_get_async(fx->blocking, "0", "1", rt_slice_text("k"), on_get, &flag), RT_OK);
    omni_blocking_destroy(fx->blocking);
    fx->blocking = NULL;
    assert_int_equal(flag.count, 1);
    assert_string_equal(flag.data, "nothing");
}

/* ---- fork ----------------------------------------------------------------------------------- */

/* Exit codes of the child: 0 refused with the text, others say where it was not. */
static int use_in_child(struct fixture *fx)
{
    struct omni_call_result result;
    struct omni_blocking_health health;
    struct omni_metrics metrics;
    if (omni_blocking_get(fx->blocking, "0", "1", rt_slice_text("k"), &result) != RT_E_INVALID ||
        result.outcome != OMNI_REFUSED || strstr(result.text, "after fork()") == NULL) {
        return 1;
    }
    if (omni_blocking_health(fx->blocking, &health) != RT_E_INVALID || health.is_healthy ||
        strstr(health.error, "after fork()") == NULL) {
        return 2;
    }
    if (omni_blocking_metrics(fx->blocking, &metrics) != RT_E_INVALID ||
        omni_blocking_close(fx->blocking) != RT_E_INVALID ||
        omni_blocking_get_async(fx->blocking, "0", "1", rt_slice_text("k"), on_get, NULL) !=
            RT_E_INVALID) {
        return 3;
    }
    struct omni_blocking_handle handle = {.operation = NULL};
    if (omni_blocking_get_with_deadline(fx->blocking, "0", "1", rt_slice_text("k"), 1, &result) !=
            RT_E_INVALID ||
        strstr(result.text, "after fork()") == NULL ||
        omni_blocking_cancel(fx->blocking, &handle) != RT_E_INVALID) {
        return 4;
    }
    omni_blocking_destroy(fx->blocking);
    return 0;
}

static void fork__use_in_the_child__is_refused_and_the_parent_goes_on(void **state)
{
    struct fixture *fx = *state;
    create(fx);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(use_in_child(fx));
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(put(fx, "k", omni_nil(fx->arena)).outcome, OMNI_DONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(put_then_get__one_thread__the_value_comes_back),
        TEST(with__no_options__is_the_plain_call),
        TEST(get__each_outcome__is_told_apart),
        TEST(create__construction_fails__says_why),
        TEST(health__ready_then_closed__address_then_reason),
        TEST(calls__from_many_threads__each_gets_its_answer),
        TEST(close__calls_in_flight_on_other_threads__end_as_refused),
        TEST(destroy__calls_in_flight_on_other_threads__end_as_refused),
        TEST(async__put_then_get_in_its_callback__completes),
        TEST(async__put_whose_deadline_has_passed__ends_without_a_request),
        TEST(async__destroyed_while_in_flight__the_callback_still_runs_once),
        TEST(fork__use_in_the_child__is_refused_and_the_parent_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
