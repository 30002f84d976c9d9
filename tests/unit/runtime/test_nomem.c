/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/journal.h"
#include "runtime/network.h"
#include "support/failing_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <event2/event.h>
#include <stdlib.h>

/*
 * Each story is told again and again; the first time its first allocation fails, then its second,
 * until none does. Whatever fails must be said by a status, lose no byte and leak nothing.
 *
 * The linker sends runtime's allocations here (--wrap), and libevent asks for them by name.
 */

#define VALUE_BYTES ((size_t)200000)
#define STORY_MAX   2000
#define PATIENCE_US UINT64_C(5000000)

typedef void story_fn(void);

static void tell_until_nothing_fails(story_fn *story)
{
    size_t living = rt_blob_live_count();
    size_t nth = 0;
    bool has_failed = false;

    do {
        assert_true(nth < STORY_MAX);
        failing_memory_begin(nth++);
        story();
        has_failed = failing_memory_end();
        assert_int_equal(rt_blob_live_count(), living);
    } while (has_failed);
    assert_true(nth > 1);
}

static struct rt_blob *make_value(void)
{
    uint8_t *data;
    struct rt_blob *blob = rt_blob_create(VALUE_BYTES, &data);

    if (blob != NULL) {
        memset(data, 'v', VALUE_BYTES);
    }
    return blob;
}

/* ---- bytes -------------------------------------------------------------------------------- */

static void assert_all_is_there(const struct rt_outbox *first, const struct rt_outbox *second,
                                size_t len_bytes, size_t changed_at)
{
    size_t first_bytes = rt_outbox_len_bytes(first);
    uint8_t *bytes = __real_malloc(len_bytes + 1);

    assert_int_equal(first_bytes + rt_outbox_len_bytes(second), len_bytes);
    rt_outbox_copy(first, bytes, first_bytes);
    rt_outbox_copy(second, bytes + first_bytes, len_bytes - first_bytes);
    for (size_t i = 0; i < len_bytes; i++) {
        assert_int_equal(bytes[i], i == changed_at ? ('v' ^ 0xff) : 'v');
    }
    free(bytes);
}

static void story_of_an_outbox(void)
{
    struct rt_outbox *from = rt_outbox_create();
    struct rt_outbox *to = rt_outbox_create();
    struct rt_blob *value = make_value();
    size_t len_bytes = 0;
    size_t changed_at = SIZE_MAX;

    if (from != NULL && to != NULL && value != NULL) {
        len_bytes += rt_outbox_add(from, "vv", 2) == RT_OK ? 2 : 0;
        len_bytes += rt_outbox_add_blob(from, value, 0, VALUE_BYTES) == RT_OK ? VALUE_BYTES : 0;
        len_bytes += rt_outbox_add_blob(from, value, 9, 100) == RT_OK ? 100 : 0;
        assert_all_is_there(from, to, len_bytes, SIZE_MAX);
        if (rt_outbox_corrupt(from, len_bytes / 2) == RT_OK) {
            changed_at = len_bytes / 2;
        }
        assert_all_is_there(from, to, len_bytes, changed_at);
        for (int i = 0; i < 3; i++) {
            (void)!rt_outbox_move(to, from, 30001);
            assert_all_is_there(to, from, len_bytes, changed_at);
        }
    }
    rt_outbox_destroy(from);
    rt_outbox_destroy(to);
    rt_blob_release(value);
}

static void outbox__any_allocation_fails__no_byte_is_lost(void **state)
{
    (void)state;
    tell_until_nothing_fails(story_of_an_outbox);
}

static void story_of_an_inbox(void)
{
    struct rt_inbox *inbox = rt_inbox_create();
    struct rt_blob *value = make_value();

    if (inbox != NULL && value != NULL &&
        rt_inbox_add(inbox, rt_blob_slice(value).data, VALUE_BYTES) == RT_OK) {
        enum rt_status status = rt_inbox_want_blob(inbox, VALUE_BYTES - 1);
        struct rt_blob *blob = rt_inbox_take_blob(inbox);

        if (status == RT_OK) {
            assert_true(rt_slice_equal(rt_blob_slice(blob),
                                       rt_slice_of(rt_blob_slice(value).data, VALUE_BYTES - 1)));
            assert_int_equal(rt_inbox_len_bytes(inbox), 1);
        } else {
            assert_int_equal(status, RT_E_NOMEM);
            assert_null(blob);
            assert_int_equal(rt_inbox_len_bytes(inbox), VALUE_BYTES);
        }
        rt_blob_release(blob);
    }
    rt_inbox_destroy(inbox);
    rt_blob_release(value);
}

static void inbox__any_allocation_fails__blob_is_whole_or_not_wanted(void **state)
{
    (void)state;
    tell_until_nothing_fails(story_of_an_inbox);
}

/* ---- connections -------------------------------------------------------------------------- */

/* Two ends that answer each other's word once; each may find its end at any moment. */
struct talk {
    struct rt_stream *client;
    struct rt_stream *server;
    bool is_over;
};

static void on_client_connected(void *arg)
{
    struct talk *talk = arg;

    (void)!rt_outbox_add(rt_stream_outbox(talk->client), "question", 8);
    rt_stream_flush(talk->client);
}

static void on_client_input(void *arg)
{
    ((struct talk *)arg)->is_over = true;
}

static void on_server_input(void *arg)
{
    struct talk *talk = arg;

    (void)!rt_outbox_add(rt_stream_outbox(talk->server), "answer", 6);
    rt_stream_flush(talk->server);
}

static void on_closed(void *arg, enum rt_status reason)
{
    assert_int_not_equal(reason, RT_OK);
    ((struct talk *)arg)->is_over = true;
}

static const struct rt_stream_handler CLIENT = {on_client_connected, on_client_input, NULL,
                                                on_closed};
static const struct rt_stream_handler SERVER = {NULL, on_server_input, NULL, on_closed};

static void on_accept(void *arg, struct rt_stream *stream)
{
    struct talk *talk = arg;

    talk->server = stream;
    rt_stream_set_handler(stream, &SERVER, talk);
}

static bool is_over(void *arg)
{
    return ((struct talk *)arg)->is_over;
}

static void story_of_a_connection(enum rt_loop_mode mode)
{
    struct talk talk = {0};
    struct rt_loop *loop = NULL;
    struct rt_network *network = NULL;
    struct rt_listener *listener = NULL;

    if (rt_loop_create(mode, &loop) == RT_OK && rt_network_create(loop, &network) == RT_OK &&
        rt_network_listen(network, "127.0.0.1:0", on_accept, &talk, &listener) == RT_OK &&
        rt_network_connect(network, "client-1", rt_listener_address(listener), &CLIENT, &talk,
                           &talk.client) == RT_OK) {
        enum rt_status status =
            rt_loop_run(loop, is_over, &talk, rt_loop_now_us(loop) + PATIENCE_US);

        /* A word that was not said leaves both waiting; anything else comes to an end. */
        assert_true(status == RT_OK || failing_memory_has_failed());
    }
    rt_stream_destroy(talk.client);
    rt_stream_destroy(talk.server);
    rt_listener_destroy(listener);
    rt_network_destroy(network);
    rt_loop_destroy(loop);
}

static void story_of_a_simulated_connection(void)
{
    story_of_a_connection(RT_LOOP_SIMULATED);
}

static void simulated__any_allocation_fails__is_said_and_nothing_leaks(void **state)
{
    (void)state;
    tell_until_nothing_fails(story_of_a_simulated_connection);
}

/* ---- loop and journal --------------------------------------------------------------------- */

static void count_run(void *arg)
{
    (*(int *)arg)++;
}

static void story_of_a_loop(void)
{
    struct rt_loop *loop = NULL;
    struct rt_journal *journal = NULL;
    struct rt_timer timers[100];
    int ran_count = 0;
    int expected_count = 0;

    if (rt_loop_create(RT_LOOP_SIMULATED, &loop) == RT_OK) {
        expected_count += rt_loop_post(loop, count_run, &ran_count) == RT_OK;
        for (size_t i = 0; i < 100; i++) {
            rt_timer_init(&timers[i], loop, count_run, &ran_count);
            expected_count += rt_timer_arm(&timers[i], i) == RT_OK;
        }
        if (rt_journal_create(loop, 8, &journal) == RT_OK) {
            rt_journal_append(journal, &(struct rt_record){.kind = RT_REC_NOTE});
        }
        assert_int_equal(rt_loop_run(loop, NULL, NULL, RT_NEVER), RT_E_IDLE);
        assert_int_equal(ran_count, expected_count);
    }
    rt_journal_destroy(journal);
    rt_loop_destroy(loop);
}

static void loop__any_allocation_fails__what_was_armed_still_runs(void **state)
{
    (void)state;
    tell_until_nothing_fails(story_of_a_loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outbox__any_allocation_fails__no_byte_is_lost),
        cmocka_unit_test(inbox__any_allocation_fails__blob_is_whole_or_not_wanted),
        cmocka_unit_test(simulated__any_allocation_fails__is_said_and_nothing_leaks),
        cmocka_unit_test(loop__any_allocation_fails__what_was_armed_still_runs),
    };

    event_set_mem_functions(__wrap_malloc, __wrap_realloc, free);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
