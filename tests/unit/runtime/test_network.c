/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/network.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

/*
 * The contract of streams, told once and held to by both backends: each test runs over the
 * simulated network and over TCP on loopback.
 */

#define PATIENCE_US UINT64_C(10000000)
#define BIG_BYTES   ((size_t)8 * 1024 * 1024)
#define LATENCY_US  UINT64_C(500)

/* One end of a connection and all it was told, each telling with its number. */
struct end {
    struct rt_stream *stream;
    int connected_count;
    int input_count;
    int drained_count;
    int closed_count;
    enum rt_status reason;
    size_t readable_at_close_bytes;
    bool destroys_in_input;
    bool destroys_in_connected;
    bool destroys_in_closed;
    bool closes_in_input;
};

struct fixture {
    struct rt_loop *loop;
    struct rt_network *network;
    struct rt_listener *listener;
    struct end client;
    struct end server;
    bool destroys_in_accept;
    int accept_count;
    size_t blobs_before;
};

static void destroy(struct end *end)
{
    rt_stream_destroy(end->stream);
    end->stream = NULL;
}

static void on_connected(void *arg)
{
    struct end *end = arg;

    end->connected_count++;
    if (end->destroys_in_connected) {
        destroy(end);
    }
}

static void on_input(void *arg)
{
    struct end *end = arg;

    end->input_count++;
    assert_int_equal(end->closed_count, 0);
    if (end->destroys_in_input) {
        destroy(end);
    } else if (end->closes_in_input) {
        rt_stream_close(end->stream);
        end->stream = NULL;
    }
}

static void on_drained(void *arg)
{
    struct end *end = arg;

    end->drained_count++;
    assert_int_equal(end->closed_count, 0);
}

static void on_closed(void *arg, enum rt_status reason)
{
    struct end *end = arg;

    end->closed_count++;
    end->reason = reason;
    end->readable_at_close_bytes = rt_inbox_len_bytes(rt_stream_inbox(end->stream));
    if (end->destroys_in_closed) {
        destroy(end);
    }
}

static const struct rt_stream_handler HANDLER = {on_connected, on_input, on_drained, on_closed};
static const struct rt_stream_handler ACCEPTED_HANDLER = {NULL, on_input, on_drained, on_closed};

static void on_accept(void *arg, struct rt_stream *stream)
{
    struct fixture *fx = arg;

    fx->accept_count++;
    if (fx->destroys_in_accept) {
        rt_stream_destroy(stream);
        return;
    }
    fx->server.stream = stream;
    rt_stream_set_handler(stream, &ACCEPTED_HANDLER, &fx->server);
}

static int set_up(void **state, enum rt_loop_mode mode)
{
    struct fixture *fx = calloc(1, sizeof(*fx));

    fx->blobs_before = rt_blob_live_count();
    assert_int_equal(rt_loop_create(mode, &fx->loop), RT_OK);
    assert_int_equal(rt_network_create(fx->loop, &fx->network), RT_OK);
    assert_int_equal(rt_network_listen(fx->network, "127.0.0.1:0", on_accept, fx, &fx->listener),
                     RT_OK);
    *state = fx;
    return 0;
}

static int set_up_simulated(void **state)
{
    return set_up(state, RT_LOOP_SIMULATED);
}

static int set_up_sockets(void **state)
{
    return set_up(state, RT_LOOP_SOCKETS);
}

static int tear_down(void **state)
{
    struct fixture *fx = *state;

    rt_stream_destroy(fx->client.stream);
    rt_stream_destroy(fx->server.stream);
    rt_listener_destroy(fx->listener);
    assert_int_equal(rt_network_live_count(fx->network), 0);
    rt_network_destroy(fx->network);
    rt_loop_destroy(fx->loop);
    assert_int_equal(rt_blob_live_count(), fx->blobs_before);
    free(fx);
    return 0;
}

/* ---- steps -------------------------------------------------------------------------------- */

static void start_connecting(struct fixture *fx)
{
    assert_int_equal(rt_network_connect(fx->network, "client-1", rt_listener_address(fx->listener),
                                        &HANDLER, &fx->client, &fx->client.stream),
                     RT_OK);
}

static void run_until(struct fixture *fx, rt_done_fn *done)
{
    assert_int_equal(rt_loop_run(fx->loop, done, fx, rt_loop_now_us(fx->loop) + PATIENCE_US),
                     RT_OK);
}

static bool are_connected(void *arg)
{
    struct fixture *fx = arg;

    return fx->client.connected_count == 1 && fx->server.stream != NULL;
}

static void connect_both(struct fixture *fx)
{
    start_connecting(fx);
    run_until(fx, are_connected);
}

static bool is_client_closed(void *arg)
{
    return ((struct fixture *)arg)->client.closed_count > 0;
}

static bool is_server_closed(void *arg)
{
    return ((struct fixture *)arg)->server.closed_count > 0;
}

static bool has_server_input(void *arg)
{
    return ((struct fixture *)arg)->server.input_count > 0;
}

static bool has_client_input(void *arg)
{
    return ((struct fixture *)arg)->client.input_count > 0;
}

static bool is_client_drained(void *arg)
{
    return ((struct fixture *)arg)->client.drained_count > 0;
}

static void send_text(struct rt_stream *stream, const char *text)
{
    assert_int_equal(rt_outbox_add(rt_stream_outbox(stream), text, strlen(text)), RT_OK);
    rt_stream_flush(stream);
}

static void assert_inbox_is(struct rt_stream *stream, const char *text)
{
    struct rt_inbox *inbox = rt_stream_inbox(stream);

    assert_int_equal(rt_inbox_len_bytes(inbox), strlen(text));
    assert_true(rt_slice_is_text(rt_inbox_peek(inbox, strlen(text)), text));
}

static uint8_t pattern_at(size_t position)
{
    return (uint8_t)(position * 131 + (position >> 8) * 7 + (position >> 16));
}

static struct rt_blob *make_pattern(size_t len_bytes)
{
    uint8_t *data;
    struct rt_blob *blob = rt_blob_create(len_bytes, &data);

    assert_non_null(blob);
    for (size_t i = 0; i < len_bytes; i++) {
        data[i] = pattern_at(i);
    }
    return blob;
}

static void assert_pattern(const struct rt_blob *blob, size_t len_bytes)
{
    struct rt_slice bytes = rt_blob_slice(blob);

    assert_int_equal(bytes.len_bytes, len_bytes);
    for (size_t i = 0; i < len_bytes; i++) {
        if (bytes.data[i] != pattern_at(i)) {
            fail_msg("byte %zu differs", i);
        }
    }
}

static void send_blob(struct rt_stream *stream, struct rt_blob *blob)
{
    size_t len_bytes = rt_blob_slice(blob).len_bytes;

    assert_int_equal(rt_outbox_add_blob(rt_stream_outbox(stream), blob, 0, len_bytes), RT_OK);
    rt_stream_flush(stream);
}

/* ---- connecting --------------------------------------------------------------------------- */

static void connect__somebody_listens__both_sides_are_told(void **state)
{
    struct fixture *fx = *state;

    start_connecting(fx);
    assert_int_equal(fx->client.connected_count, 0); /* never from inside a call */
    run_until(fx, are_connected);
    assert_int_equal(fx->accept_count, 1);
    assert_int_equal(rt_network_live_count(fx->network), 3);
    assert_string_equal(rt_stream_peer(fx->client.stream), rt_listener_address(fx->listener));
}

static void connect__nobody_listens__is_refused(void **state)
{
    struct fixture *fx = *state;
    char address[64];

    assert_true(strlen(rt_listener_address(fx->listener)) < sizeof(address));
    strcpy(address, rt_listener_address(fx->listener));
    rt_listener_destroy(fx->listener);
    fx->listener = NULL;
    assert_int_equal(rt_network_connect(fx->network, "client-1", address, &HANDLER, &fx->client,
                                        &fx->client.stream),
                     RT_OK);
    assert_int_equal(fx->client.closed_count, 0);
    run_until(fx, is_client_closed);
    assert_int_equal(fx->client.reason, RT_E_REFUSED);
    assert_int_equal(fx->client.connected_count, 0);
}

static void connect__not_an_address__is_invalid(void **state)
{
    static const char *const WRONG[] = {
        "", "host", ":1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:1x"};
    struct fixture *fx = *state;

    for (size_t i = 0; i < sizeof(WRONG) / sizeof(WRONG[0]); i++) {
        struct rt_listener *listener;

        assert_int_equal(rt_network_connect(fx->network, "client-1", WRONG[i], &HANDLER,
                                            &fx->client, &fx->client.stream),
                         RT_E_INVALID);
        assert_int_equal(rt_network_listen(fx->network, WRONG[i], on_accept, fx, &listener),
                         RT_E_INVALID);
    }
    assert_int_equal(rt_network_live_count(fx->network), 1);
}

static void connect__acceptor_destroys_the_stream__client_is_reset(void **state)
{
    struct fixture *fx = *state;

    fx->destroys_in_accept = true;
    start_connecting(fx);
    run_until(fx, is_client_closed);
    assert_int_equal(fx->client.reason, RT_E_RESET);
}

static void connect__destroyed_before_it_connects__tells_nobody(void **state)
{
    struct fixture *fx = *state;

    start_connecting(fx);
    destroy(&fx->client);
    assert_int_not_equal(rt_loop_run(fx->loop, NULL, NULL, rt_loop_now_us(fx->loop) + 1000), RT_OK);
    assert_int_equal(fx->client.connected_count + fx->client.closed_count, 0);
}

static void connect__written_to_before_it_connects__bytes_arrive(void **state)
{
    struct fixture *fx = *state;

    start_connecting(fx);
    send_text(fx->client.stream, "early");
    run_until(fx, has_server_input);
    assert_inbox_is(fx->server.stream, "early");
}

static void connect__closed_before_it_connects__bytes_and_fin_arrive(void **state)
{
    struct fixture *fx = *state;

    start_connecting(fx);
    send_text(fx->client.stream, "parting");
    rt_stream_close(fx->client.stream);
    fx->client.stream = NULL;
    run_until(fx, is_server_closed);
    assert_int_equal(fx->server.reason, RT_E_CLOSED);
    assert_inbox_is(fx->server.stream, "parting");
}

static void listen__port_zero__gives_different_real_ports(void **state)
{
    struct fixture *fx = *state;
    struct rt_listener *other;

    assert_int_equal(rt_network_listen(fx->network, "127.0.0.1:0", on_accept, fx, &other), RT_OK);
    assert_string_not_equal(rt_listener_address(other), rt_listener_address(fx->listener));
    assert_string_not_equal(rt_listener_address(other), "127.0.0.1:0");
    rt_listener_destroy(other);
}

static void listen__address_in_use__is_busy(void **state)
{
    struct fixture *fx = *state;
    struct rt_listener *other;

    assert_int_equal(
        rt_network_listen(fx->network, rt_listener_address(fx->listener), on_accept, fx, &other),
        RT_E_BUSY);
}

static void listen__again_after_destroy__works_at_once(void **state)
{
    struct fixture *fx = *state;
    char address[64];

    connect_both(fx);
    assert_true(strlen(rt_listener_address(fx->listener)) < sizeof(address));
    strcpy(address, rt_listener_address(fx->listener));
    rt_listener_destroy(fx->listener);
    assert_int_equal(rt_network_listen(fx->network, address, on_accept, fx, &fx->listener), RT_OK);
}

/* ---- bytes -------------------------------------------------------------------------------- */

static bool has_all_of_a_thousand(void *arg)
{
    struct fixture *fx = arg;

    return rt_inbox_len_bytes(rt_stream_inbox(fx->server.stream)) == 1000 * sizeof(uint32_t);
}

static void bytes__many_small_writes__arrive_in_order(void **state)
{
    struct fixture *fx = *state;
    struct rt_inbox *inbox;

    connect_both(fx);
    for (uint32_t i = 0; i < 1000; i++) {
        assert_int_equal(rt_outbox_add(rt_stream_outbox(fx->client.stream), &i, sizeof(i)), RT_OK);
        rt_stream_flush(fx->client.stream);
    }
    assert_int_equal(fx->server.input_count, 0);
    run_until(fx, has_all_of_a_thousand);
    inbox = rt_stream_inbox(fx->server.stream);
    for (uint32_t i = 0; i < 1000; i++) {
        assert_memory_equal(rt_inbox_peek(inbox, sizeof(i)).data, &i, sizeof(i));
        rt_inbox_drain(inbox, sizeof(i));
    }
}

static void bytes__both_directions__do_not_mix(void **state)
{
    struct fixture *fx = *state;

    connect_both(fx);
    send_text(fx->client.stream, "question");
    send_text(fx->server.stream, "answer");
    run_until(fx, has_server_input);
    run_until(fx, has_client_input);
    assert_inbox_is(fx->server.stream, "question");
    assert_inbox_is(fx->client.stream, "answer");
}

static void blob__wanted_whole__arrives_in_one_piece_both_ways(void **state)
{
    struct fixture *fx = *state;
    struct rt_blob *blob = make_pattern(BIG_BYTES);
    struct rt_blob *arrived;

    connect_both(fx);
    assert_int_equal(rt_inbox_want_blob(rt_stream_inbox(fx->server.stream), BIG_BYTES), RT_OK);
    assert_int_equal(rt_inbox_want_blob(rt_stream_inbox(fx->client.stream), BIG_BYTES), RT_OK);
    send_blob(fx->client.stream, blob);
    send_blob(fx->server.stream, blob);
    send_text(fx->client.stream, "behind");
    run_until(fx, has_server_input);
    run_until(fx, has_client_input);
    assert_int_equal(rt_inbox_len_bytes(rt_stream_inbox(fx->server.stream)), 0);
    arrived = rt_inbox_take_blob(rt_stream_inbox(fx->server.stream));
    assert_non_null(arrived);
    assert_pattern(arrived, BIG_BYTES);
    rt_blob_release(arrived);
    arrived = rt_inbox_take_blob(rt_stream_inbox(fx->client.stream));
    assert_non_null(arrived);
    assert_pattern(arrived, BIG_BYTES);
    rt_blob_release(arrived);
    rt_blob_release(blob);
    fx->server.input_count = 0;
    if (rt_inbox_len_bytes(rt_stream_inbox(fx->server.stream)) == 0) {
        run_until(fx, has_server_input);
    }
    assert_inbox_is(fx->server.stream, "behind");
}

static void blob__wanted_after_its_bytes_came__is_complete_at_once(void **state)
{
    struct fixture *fx = *state;
    struct rt_blob *arrived;

    connect_both(fx);
    send_text(fx->client.stream, "headbodytail");
    run_until(fx, has_server_input);
    rt_inbox_drain(rt_stream_inbox(fx->server.stream), 4);
    assert_int_equal(rt_inbox_want_blob(rt_stream_inbox(fx->server.stream), 4), RT_OK);
    arrived = rt_inbox_take_blob(rt_stream_inbox(fx->server.stream));
    assert_true(rt_slice_is_text(rt_blob_slice(arrived), "body"));
    rt_blob_release(arrived);
    assert_inbox_is(fx->server.stream, "tail");
}

static void blob__sent_whole_in_simulation__is_the_same_memory(void **state)
{
    struct fixture *fx = *state;
    struct rt_blob *blob = make_pattern(BIG_BYTES);
    struct rt_blob *arrived;

    connect_both(fx);
    send_text(fx->client.stream, "header");
    send_blob(fx->client.stream, blob);
    run_until(fx, has_server_input);
    rt_inbox_drain(rt_stream_inbox(fx->server.stream), strlen("header"));
    assert_int_equal(rt_inbox_want_blob(rt_stream_inbox(fx->server.stream), BIG_BYTES), RT_OK);
    arrived = rt_inbox_take_blob(rt_stream_inbox(fx->server.stream));
    assert_ptr_equal(arrived, blob);
    rt_blob_release(arrived);
    rt_blob_release(blob);
}

static void drained__after_a_flush__is_told_when_written(void **state)
{
    struct fixture *fx = *state;

    connect_both(fx);
    send_text(fx->client.stream, "x");
    assert_int_equal(fx->client.drained_count, 0);
    run_until(fx, is_client_drained);
    assert_int_equal(rt_outbox_len_bytes(rt_stream_outbox(fx->client.stream)), 0);
}

/* ---- back pressure ------------------------------------------------------------------------ */

static void pause__peer_sends_and_closes__all_is_told_after_resume(void **state)
{
    struct fixture *fx = *state;

    connect_both(fx);
    rt_stream_pause(fx->server.stream, true);
    send_text(fx->client.stream, "held");
    rt_stream_close(fx->client.stream);
    fx->client.stream = NULL;
    assert_int_not_equal(rt_loop_run(fx->loop, NULL, NULL, rt_loop_now_us(fx->loop) + 5000), RT_OK);
    assert_int_equal(fx->server.input_count + fx->server.closed_count, 0);

    rt_stream_pause(fx->server.stream, false);
    assert_int_equal(fx->server.input_count, 0);
    run_until(fx, is_server_closed);
    assert_int_equal(fx->server.reason, RT_E_CLOSED);
    assert_inbox_is(fx->server.stream, "held");
}

static void pause__receiver_takes_nothing__sender_is_not_drained(void **state)
{
    struct fixture *fx = *state;
    /* More than the system's buffers of a loopback connection can hold. */
    struct rt_blob *blob = make_pattern(4 * BIG_BYTES);

    connect_both(fx);
    rt_stream_pause(fx->server.stream, true);
    send_blob(fx->client.stream, blob);
    rt_blob_release(blob);
    assert_int_not_equal(rt_loop_run(fx->loop, NULL, NULL, rt_loop_now_us(fx->loop) + 50000),
                         RT_OK);
    assert_int_equal(fx->client.drained_count, 0);

    rt_stream_pause(fx->server.stream, false);
    run_until(fx, is_client_drained);
}

/* ---- endings ------------------------------------------------------------------------------ */

static void close__bytes_not_flushed__arrive_before_the_fin(void **state)
{
    struct fixture *fx = *state;
    struct rt_blob *blob = make_pattern(BIG_BYTES);

    connect_both(fx);
    assert_int_equal(rt_outbox_add_blob(rt_stream_outbox(fx->client.stream), blob, 0, BIG_BYTES),
                     RT_OK);
    rt_stream_close(fx->client.stream);
    fx->client.stream = NULL;
    assert_int_equal(rt_network_live_count(fx->network), 2);
    run_until(fx, is_server_closed);
    assert_int_equal(fx->server.reason, RT_E_CLOSED);
    assert_int_equal(fx->server.readable_at_close_bytes, BIG_BYTES);
    rt_blob_release(blob);
}

static void close__peer_had_sent_too__peer_still_sees_a_fin(void **state)
{
    struct fixture *fx = *state;

    connect_both(fx);
    send_text(fx->server.stream, "never read");
    send_text(fx->client.stream, "last words");
    rt_stream_close(fx->client.stream);
    fx->client.stream = NULL;
    run_until(fx, is_server_closed);
    assert_int_equal(fx->server.reason, RT_E_CLOSED);
    assert_inbox_is(fx->server.stream, "last words");
    assert_int_equal(fx->client.closed_count, 0);
}

static void close__told_once__and_nothing_after(void **state)
{
    struct fixture *fx = *state;

    connect_both(fx);
    rt_stream_close(fx->server.stream);
    fx->server.stream = NULL;
    run_until(fx, is_client_closed);
    send_text(fx->client.stream, "nobody");
    assert_int_not_equal(rt_loop_run(fx->loop, NULL, NULL, rt_loop_now_us(fx->loop) + 5000), RT_OK);
    assert_int_equal(fx->client.closed_count, 1);
    assert_int_equal(fx->client.drained_count, 0);
}

static void reset__idle_peer__is_told_reset(void **state)
{
    struct fixture *fx = *state;

    connect_both(fx);
    rt_stream_reset(fx->client.stream);
    fx->client.stream = NULL;
    run_until(fx, is_server_closed);
    assert_int_equal(fx->server.reason, RT_E_RESET);
    assert_int_equal(fx->server.input_count, 0);
}

static void reset__bytes_not_flushed__are_lost(void **state)
{
    struct fixture *fx = *state;

    connect_both(fx);
    assert_int_equal(rt_outbox_add(rt_stream_outbox(fx->client.stream), "lost", 4), RT_OK);
    rt_stream_reset(fx->client.stream);
    fx->client.stream = NULL;
    run_until(fx, is_server_closed);
    assert_int_equal(fx->server.reason, RT_E_RESET);
    assert_int_equal(fx->server.readable_at_close_bytes, 0);
}

static bool is_server_gone(void *arg)
{
    return ((struct fixture *)arg)->server.stream == NULL;
}

static bool is_client_gone(void *arg)
{
    return ((struct fixture *)arg)->client.stream == NULL;
}

static void destroy__inside_on_input__resets_the_peer(void **state)
{
    struct fixture *fx = *state;

    connect_both(fx);
    fx->server.destroys_in_input = true;
    send_text(fx->client.stream, "die");
    run_until(fx, is_server_gone);
    run_until(fx, is_client_closed);
    assert_int_equal(fx->client.reason, RT_E_RESET);
    assert_int_equal(fx->server.closed_count, 0);
}

static void destroy__inside_on_connected__is_allowed(void **state)
{
    struct fixture *fx = *state;

    fx->client.destroys_in_connected = true;
    start_connecting(fx);
    run_until(fx, is_client_gone);
    assert_int_equal(fx->client.closed_count, 0);
}

static void destroy__inside_on_closed__is_allowed(void **state)
{
    struct fixture *fx = *state;

    connect_both(fx);
    fx->server.destroys_in_closed = true;
    rt_stream_close(fx->client.stream);
    fx->client.stream = NULL;
    run_until(fx, is_server_gone);
    assert_int_equal(fx->server.closed_count, 1);
}

static void close__inside_on_input__answers_first(void **state)
{
    struct fixture *fx = *state;

    connect_both(fx);
    send_text(fx->server.stream, "bye");
    fx->server.closes_in_input = true;
    send_text(fx->client.stream, "leave");
    run_until(fx, is_client_closed);
    assert_int_equal(fx->client.reason, RT_E_CLOSED);
    assert_inbox_is(fx->client.stream, "bye");
}

/* ---- only simulated ----------------------------------------------------------------------- */

static void latency__bytes_and_fin__arrive_exactly_then_and_in_order(void **state)
{
    struct fixture *fx = *state;
    uint64_t sent_us;

    rt_network_set_latency(fx->network, LATENCY_US);
    connect_both(fx);
    assert_int_equal(rt_loop_now_us(fx->loop), 2 * LATENCY_US); /* there and back */
    sent_us = rt_loop_now_us(fx->loop);
    send_text(fx->client.stream, "slow");
    rt_network_set_latency(fx->network, 0);
    rt_stream_close(fx->client.stream); /* with less latency, yet it may not overtake */
    fx->client.stream = NULL;
    assert_int_equal(rt_loop_run(fx->loop, NULL, NULL, sent_us + LATENCY_US - 1), RT_E_TIMEOUT);
    assert_int_equal(fx->server.input_count, 0);
    run_until(fx, is_server_closed);
    assert_int_equal(rt_loop_now_us(fx->loop), sent_us + LATENCY_US);
    assert_inbox_is(fx->server.stream, "slow");
}

static void latency__refused__takes_a_round_trip(void **state)
{
    struct fixture *fx = *state;

    rt_network_set_latency(fx->network, LATENCY_US);
    assert_int_equal(rt_network_connect(fx->network, "client-1", "10.0.1.1:31501", &HANDLER,
                                        &fx->client, &fx->client.stream),
                     RT_OK);
    run_until(fx, is_client_closed);
    assert_int_equal(fx->client.reason, RT_E_REFUSED);
    assert_int_equal(rt_loop_now_us(fx->loop), 2 * LATENCY_US);
}

static void peer__of_the_same_network__is_the_name_of_who_connects(void **state)
{
    struct fixture *fx = *state;

    connect_both(fx);
    assert_string_equal(rt_stream_peer(fx->server.stream), "client-1");
}

static void paused__only_held_bytes_are_left__loop_is_idle(void **state)
{
    struct fixture *fx = *state;

    connect_both(fx);
    rt_stream_pause(fx->server.stream, true);
    send_text(fx->client.stream, "held");
    assert_int_equal(rt_loop_run(fx->loop, NULL, NULL, RT_NEVER), RT_E_IDLE);
    assert_int_equal(fx->server.input_count, 0);
}

/* ---- only sockets ------------------------------------------------------------------------- */

static void listen__ipv6_and_localhost__are_addresses(void **state)
{
    static const char *const ADDRESSES[] = {"localhost:0", "[::1]:0"};
    struct fixture *fx = *state;

    for (size_t i = 0; i < sizeof(ADDRESSES) / sizeof(ADDRESSES[0]); i++) {
        struct rt_listener *listener;
        enum rt_status status =
            rt_network_listen(fx->network, ADDRESSES[i], on_accept, fx, &listener);

        assert_int_not_equal(status, RT_E_INVALID); /* a machine may have no IPv6 */
        if (status == RT_OK) {
            rt_listener_destroy(listener);
        }
    }
}

static void network__destroyed_while_streams_linger__frees_them(void **state)
{
    struct fixture *fx = *state;

    connect_both(fx);
    send_text(fx->client.stream, "unsent");
    rt_stream_close(fx->client.stream);
    fx->client.stream = NULL; /* tear_down() and the leak checker look at the rest */
}

#define BOTH(test)                                                                                 \
    {"simulated: " #test, test, set_up_simulated, tear_down, NULL},                                \
    {                                                                                              \
        "sockets: " #test, test, set_up_sockets, tear_down, NULL                                   \
    }
#define SIMULATED(test) cmocka_unit_test_setup_teardown(test, set_up_simulated, tear_down)
#define SOCKETS(test)   cmocka_unit_test_setup_teardown(test, set_up_sockets, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(connect__somebody_listens__both_sides_are_told),
        BOTH(connect__nobody_listens__is_refused),
        BOTH(connect__not_an_address__is_invalid),
        BOTH(peer__of_the_same_network__is_the_name_of_who_connects),
        BOTH(connect__acceptor_destroys_the_stream__client_is_reset),
        BOTH(connect__destroyed_before_it_connects__tells_nobody),
        BOTH(connect__written_to_before_it_connects__bytes_arrive),
        BOTH(connect__closed_before_it_connects__bytes_and_fin_arrive),
        BOTH(listen__port_zero__gives_different_real_ports),
        BOTH(listen__address_in_use__is_busy),
        BOTH(listen__again_after_destroy__works_at_once),
        BOTH(bytes__many_small_writes__arrive_in_order),
        BOTH(bytes__both_directions__do_not_mix),
        BOTH(blob__wanted_whole__arrives_in_one_piece_both_ways),
        BOTH(blob__wanted_after_its_bytes_came__is_complete_at_once),
        BOTH(drained__after_a_flush__is_told_when_written),
        BOTH(pause__peer_sends_and_closes__all_is_told_after_resume),
        BOTH(pause__receiver_takes_nothing__sender_is_not_drained),
        BOTH(close__bytes_not_flushed__arrive_before_the_fin),
        BOTH(close__peer_had_sent_too__peer_still_sees_a_fin),
        BOTH(close__told_once__and_nothing_after),
        BOTH(reset__idle_peer__is_told_reset),
        BOTH(reset__bytes_not_flushed__are_lost),
        BOTH(destroy__inside_on_input__resets_the_peer),
        BOTH(destroy__inside_on_connected__is_allowed),
        BOTH(destroy__inside_on_closed__is_allowed),
        BOTH(close__inside_on_input__answers_first),
        SIMULATED(blob__sent_whole_in_simulation__is_the_same_memory),
        SIMULATED(latency__bytes_and_fin__arrive_exactly_then_and_in_order),
        SIMULATED(latency__refused__takes_a_round_trip),
        SIMULATED(paused__only_held_bytes_are_left__loop_is_idle),
        SOCKETS(listen__ipv6_and_localhost__are_addresses),
        SOCKETS(network__destroyed_while_streams_linger__frees_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
