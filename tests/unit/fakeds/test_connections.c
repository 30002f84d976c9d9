/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <string.h>

static struct fakeds_counts counts(struct fixture *fx)
{
    struct fakeds_counts counts;
    fakeds_worker_counts(fx->world.worker, &counts);
    return counts;
}

static const struct answer *ask_raw(struct fixture *fx, const char *service, int32_t method)
{
    /* MetaPb by hand: svc_name, method_index (10-byte varint when negative), client_id, a tick. */
    uint8_t meta[64] = {0x0a, (uint8_t)strlen(service)};
    size_t at = 2;
    memcpy(meta + at, service, strlen(service));
    at += strlen(service);
    meta[at++] = 0x10;
    if (method < 0) {
        meta[at++] = (uint8_t)(0x80 | (uint8_t)(method & 0x7f));
        for (size_t i = 0; i < 8; i++) {
            meta[at++] = 0xff;
        }
        meta[at++] = 1;
    } else {
        meta[at++] = (uint8_t)method;
    }
    memcpy(meta + at, "\x22\x05q:777\x4a\x00", 9);
    at += 9;
    struct rt_outbox *out = rt_stream_outbox(fx->a.stream);
    assert_int_equal(zmtp_write_frame(out, rt_slice_of(meta, at), true), RT_OK);
    assert_int_equal(zmtp_write_frame(out, rt_slice_text(""), false), RT_OK);
    rt_stream_flush(fx->a.stream);
    run_for(&fx->world, 0);
    assert_non_null(answer_to(&fx->a, 777));
    return answer_to(&fx->a, 777);
}

static void unknown_method__answered_unknown_error(void **state)
{
    assert_int_equal(ask_raw(*state, "WorkerOCService", 99)->code, K_UNKNOWN_ERROR);
}

static void unknown_service__answered_with_its_text(void **state)
{
    const struct answer *answer = ask_raw(*state, "Nowhere", 1);
    assert_int_equal(answer->code, K_RUNTIME_ERROR);
    assert_string_equal(answer->text, "Service not found");
}

static void internal_method__answered_not_found(void **state)
{
    assert_int_equal(ask_raw(*state, "WorkerOCService", -5)->code, K_NOT_FOUND);
}

static void request_without_a_tick__no_answer_and_the_connection_lives(void **state)
{
    struct fixture *fx = *state;
    size_t before = fx->a.answer_count;
    static const uint8_t NO_TICK[] = {0x01, 4, 0x0a, 2, 'x', 'y', 0x00, 0};
    dealer_send_raw(&fx->a, NO_TICK, sizeof(NO_TICK));
    run_for(&fx->world, 1 * S);
    assert_int_equal(fx->a.answer_count, before);
    assert_int_equal(set(&fx->a, "k", "v"), K_OK);
}

static void malformed_frame__that_connection_is_closed_and_no_other(void **state)
{
    struct fixture *fx = *state;
    static const uint8_t HUGE_LENGTH[] = {0x02, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    dealer_send_raw(&fx->a, HUGE_LENGTH, sizeof(HUGE_LENGTH));
    run_for(&fx->world, 0);
    assert_null(fx->a.stream);
    assert_int_equal(counts(fx).malformed_connections, 1);
    assert_int_equal(fx->world.malformed_count, 1);
    assert_int_equal(counts(fx).connections, 1);
    assert_int_equal(set(&fx->b, "k", "v"), K_OK);
    dealer_connect(&fx->a); /* its identity is free again */
    assert_int_equal(set(&fx->a, "k", "v"), K_OK);
}

static void on_nothing(void *arg)
{
    (void)arg;
}

static void on_peer_closed(void *arg, enum rt_status reason)
{
    *(enum rt_status *)arg = reason;
}

static const struct rt_stream_handler SILENT = {
    .on_connected = on_nothing, .on_input = on_nothing, .on_closed = on_peer_closed};

static struct rt_stream *connect_silent(struct fixture *fx, enum rt_status *reason)
{
    struct rt_stream *stream;
    assert_int_equal(rt_network_connect(fx->world.network, "stranger",
                                        fakeds_worker_address(fx->world.worker), &SILENT, reason,
                                        &stream),
                     RT_OK);
    run_for(&fx->world, 0);
    return stream;
}

static void peer_that_sends_nothing__greeted_and_closed_after_30_s(void **state)
{
    struct fixture *fx = *state;
    enum rt_status reason = RT_OK;
    struct rt_stream *stream = connect_silent(fx, &reason);
    assert_int_equal(rt_inbox_len_bytes(rt_stream_inbox(stream)), 64); /* without being asked */
    run_for(&fx->world, 30 * S - 1);
    assert_int_equal(reason, RT_OK);
    run_for(&fx->world, 1);
    assert_int_equal(reason, RT_E_CLOSED);
    rt_stream_destroy(stream);
}

static void half_a_greeting__closed_after_30_s(void **state)
{
    struct fixture *fx = *state;
    enum rt_status reason = RT_OK;
    struct rt_stream *stream = connect_silent(fx, &reason);
    static const uint8_t SIGNATURE[] = {0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f};
    assert_int_equal(rt_outbox_add(rt_stream_outbox(stream), SIGNATURE, sizeof(SIGNATURE)), RT_OK);
    rt_stream_flush(stream);
    run_for(&fx->world, 30 * S);
    assert_int_equal(reason, RT_E_CLOSED);
    assert_int_equal(counts(fx).malformed_connections, 1);
    rt_stream_destroy(stream);
}

static void connection_closed_without_a_byte__is_fine(void **state)
{
    struct fixture *fx = *state;
    enum rt_status reason = RT_OK;
    rt_stream_close(connect_silent(fx, &reason));
    run_for(&fx->world, 0);
    assert_int_equal(counts(fx).connections, 2);
    assert_int_equal(counts(fx).malformed_connections, 0);
}

static void identity_is_held__second_connection_is_ignored(void **state)
{
    struct fixture *fx = *state;
    struct dealer twin;
    dealer_init(&twin, &fx->world, "client-a", fx->a.identity);
    strcpy(twin.client_id, fx->a.client_id);
    assert_true(twin.is_open);
    send_set(&twin, "k", "from the twin", &(struct set_options){0});
    run_for(&fx->world, 1 * S);
    assert_int_equal(twin.answer_count, 0);
    assert_string_equal(value_of(&fx->a, "k"), "");
    assert_non_null(twin.stream); /* not closed either */
    dealer_fini(&twin);
    assert_int_equal(set(&fx->a, "k", "v"), K_OK);
}

static void two_services_of_one_client__two_connections_one_client_id(void **state)
{
    struct fixture *fx = *state;
    strcpy(fx->b.client_id, fx->a.client_id); /* never keyed by connection */
    assert_int_equal(set(&fx->b, "k", "v"), K_OK);
}

static void worker_restarts__state_kept_or_lost__clients_register_again(void **state)
{
    struct fixture *fx = *state;
    set(&fx->a, "k", "v");
    fakeds_worker_kill(fx->world.worker);
    run_for(&fx->world, 0);
    assert_int_equal(fx->a.closed_why, RT_E_RESET);
    assert_false(fakeds_worker_is_running(fx->world.worker));
    assert_int_equal(fakeds_worker_start(fx->world.worker, true, 0), RT_OK);
    dealer_connect(&fx->a);
    assert_int_equal(set(&fx->a, "x", "v"), K_CLIENT_WORKER_DISCONNECT);
    dealer_register(&fx->a);
    assert_string_equal(value_of(&fx->a, "k"), "v");
    fakeds_worker_kill(fx->world.worker);
    assert_int_equal(fakeds_worker_start(fx->world.worker, false, 2 * S), RT_OK);
    run_for(&fx->world, 0);
    dealer_connect(&fx->a);
    dealer_register(&fx->a);
    assert_int_equal(set(&fx->a, "x", "v"), K_NOT_READY);
    run_for(&fx->world, 2 * S);
    assert_string_equal(value_of(&fx->a, "k"), "");
    assert_string_equal(fx->world.events,
                        "worker-1.ready worker-1.killed worker-1.restarted worker-1.ready "
                        "worker-1.killed worker-1.restarted worker-1.ready ");
}

static void second_worker_on_the_port__busy(void **state)
{
    struct fixture *fx = *state;
    struct fakeds_worker *second = NULL;
    struct fakeds_options options;
    struct fakeds_environment environment = {.loop = fx->world.loop, .network = fx->world.network};
    world_options(&options);
    assert_int_equal(fakeds_worker_create(&environment, &options, &second), RT_E_BUSY);
    assert_null(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(unknown_method__answered_unknown_error),
        IN_WORLD(unknown_service__answered_with_its_text),
        IN_WORLD(internal_method__answered_not_found),
        IN_WORLD(request_without_a_tick__no_answer_and_the_connection_lives),
        IN_WORLD(malformed_frame__that_connection_is_closed_and_no_other),
        IN_WORLD(peer_that_sends_nothing__greeted_and_closed_after_30_s),
        IN_WORLD(half_a_greeting__closed_after_30_s),
        IN_WORLD(connection_closed_without_a_byte__is_fine),
        IN_WORLD(identity_is_held__second_connection_is_ignored),
        IN_WORLD(two_services_of_one_client__two_connections_one_client_id),
        IN_WORLD(worker_restarts__state_kept_or_lost__clients_register_again),
        IN_WORLD(second_worker_on_the_port__busy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
