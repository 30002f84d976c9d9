/* SPDX-License-Identifier: Apache-2.0 */
#include "grpc_raw.h"

#include <stdlib.h>

/* Connections: keepalive, limits, draining, and what a healthy server never does. */

#define HELLO       "\0\0\0\0\2hi"
#define HELLO_BYTES 7
#define SECOND_US   1000000ULL

static struct world world;
static struct raw raw;

static const struct raw_request hello = {.body = HELLO, .body_bytes = HELLO_BYTES};
static const struct raw_request hold = {
    .path = "/test.Echo/HoldStream", .body = HELLO, .body_bytes = HELLO_BYTES, .is_open = true};

static int setup(void **state)
{
    (void)state;
    world_init(&world, RT_LOOP_SIMULATED);
    raw_init(&raw, &world);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    raw_fini(&raw);
    world_fini(&world);
    return 0;
}

/* What is due exactly then has run; a standing timer is not waited for. */
static void advance_to(uint64_t at_us)
{
    enum rt_status status = rt_loop_run(world.loop, NULL, NULL, at_us);

    assert_true(status == RT_E_TIMEOUT || status == RT_E_IDLE);
}

static void ping(void)
{
    assert_int_equal(nghttp2_submit_ping(raw.session, NGHTTP2_FLAG_NONE, NULL), 0);
    raw_flush(&raw);
    world_run(&world);
}

/* ---- keepalive of the peer ---------------------------------------------------------------- */

static void pings__with_a_call_every_five_seconds__are_answered(void **state)
{
    (void)state;
    (void)raw_ask(&raw, &hold);
    for (uint64_t i = 1; i <= 20; i++) {
        ping();
        assert_int_equal(raw.ping_ack_count, i);
        advance_to(rt_loop_now_us(world.loop) + 5 * SECOND_US);
    }
    assert_int_equal(raw.goaway_count, 0);
}

static void pings__too_many__the_client_is_sent_away_at_the_fourth(void **state)
{
    (void)state;
    (void)raw_ask(&raw, &hold);
    for (int i = 0; i < 3; i++) {
        ping(); /* the first is free, the others are strikes one and two */
        assert_int_equal(raw.goaway_count, 0);
    }
    ping();
    assert_int_equal(raw.goaway_count, 1);
    assert_int_equal(raw.goaway_error, NGHTTP2_ENHANCE_YOUR_CALM);
    assert_string_equal(raw.goaway_debug, "too_many_pings");
    assert_true(raw.is_closed);
    assert_int_equal(world.closed_count, 1);
    assert_int_equal(world.closed_reason, RT_E_LIMIT);
    assert_int_equal(world.gone_count, 1);
    assert_int_equal(world.cancelled_count, 1);
}

static void pings__without_a_call__are_strikes_even_a_minute_apart(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 4; i++) {
        assert_int_equal(raw.goaway_count, 0);
        ping();
        advance_to(rt_loop_now_us(world.loop) + 60 * SECOND_US);
    }
    assert_int_equal(raw.goaway_count, 1);
    assert_string_equal(raw.goaway_debug, "too_many_pings");
}

static void pings__after_each_answer__are_no_strikes(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        (void)raw_ask(&raw, &hello);
        ping();
    }
    assert_int_equal(raw.goaway_count, 0);
}

/* ---- keepalive of ours -------------------------------------------------------------------- */

static void silence__of_two_hours__is_pinged_and_an_answer_is_enough(void **state)
{
    uint64_t since_us = rt_loop_now_us(world.loop);

    (void)state;
    advance_to(since_us + 7100 * SECOND_US);
    assert_int_equal(raw.ping_count, 0);
    advance_to(since_us + 7300 * SECOND_US);
    assert_int_equal(raw.ping_count, 1);
    advance_to(since_us + 14300 * SECOND_US);
    assert_int_equal(raw.ping_count, 1);
    assert_int_equal(world.closed_count, 0);
    advance_to(since_us + 14500 * SECOND_US);
    assert_int_equal(raw.ping_count, 2);
    assert_int_equal(world.closed_count, 0);
}

static void silence__that_goes_on_after_our_ping__ends_the_connection(void **state)
{
    uint64_t since_us = rt_loop_now_us(world.loop);

    (void)state;
    rt_stream_pause(raw.stream, true);
    advance_to(since_us + 7200 * SECOND_US);
    assert_int_equal(world.closed_count, 0);
    advance_to(since_us + 7215 * SECOND_US);
    assert_int_equal(world.closed_count, 0);
    advance_to(since_us + 7221 * SECOND_US);
    assert_int_equal(world.closed_count, 1);
    assert_int_equal(world.closed_reason, RT_E_TIMEOUT);
}

/* ---- draining ----------------------------------------------------------------------------- */

static void drain__with_an_open_call__waits_for_it(void **state)
{
    struct raw_answer *answer = raw_ask(&raw, &hold);

    (void)state;
    grpc_connection_drain(world.connection);
    world_run(&world);
    assert_int_equal(raw.goaway_count, 2); /* the notice, and the last id */
    assert_int_equal(raw.goaway_last_id, 1);
    assert_int_equal(raw.goaway_error, NGHTTP2_NO_ERROR);
    assert_false(raw.is_closed);
    grpc_call_finish(world.held, GRPC_OK, "");
    world_run(&world);
    assert_string_equal(answer->grpc_status, "0");
    assert_int_equal(world.closed_count, 1);
    assert_int_equal(world.closed_reason, RT_OK);
    assert_true(raw.is_closed);
}

static void drain__idle__closes_after_the_round_trip(void **state)
{
    (void)state;
    grpc_connection_drain(world.connection);
    world_run(&world);
    assert_true(raw.goaway_count > 0); /* an idle peer of nghttp2's is deaf after the first */
    assert_true(raw.is_closed);
    assert_int_equal(raw.close_reason, RT_E_CLOSED);
    assert_int_equal(world.closed_reason, RT_OK);
}

static void drain__our_client__takes_a_new_connection_for_the_next_call(void **state)
{
    struct asked first;
    struct asked second;

    (void)state;
    ask_start(&world, &first, "/test.Echo/Hold", RT_NEVER);
    ask_send(&first, "x", 1);
    world_run(&world);
    grpc_connection_drain(world.connection);
    world_run(&world);
    ask(&world, &second, "/test.Echo/Unary", "y");
    assert_int_equal(second.code, GRPC_OK);
    assert_false(first.is_ended);
    grpc_call_finish(world.held, GRPC_OK, "");
    ask_wait(&world, &first);
    assert_int_equal(first.code, GRPC_OK);
    assert_int_equal(world.accepted_count, 3); /* the raw peer's, and two */
}

/* ---- limits ------------------------------------------------------------------------------- */

static void resets__as_many_as_a_client_cancels__are_borne(void **state)
{
    (void)state;
    for (int i = 0; i < 5000; i++) {
        int32_t id = raw_submit(&raw, &hold);

        nghttp2_submit_rst_stream(raw.session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
        raw_flush(&raw);
        world_run(&world);
    }
    assert_int_equal(raw.goaway_count, 0);
    assert_int_equal(world.gone_count, 5000);
    assert_int_equal(world.cancelled_count, 5000);
}

static void resets__without_end_in_no_time__end_the_connection(void **state)
{
    uint64_t start_us = rt_loop_now_us(world.loop);

    (void)state;
    for (int i = 0; i < 20000 && !raw.is_closed; i++) {
        int32_t id = raw_submit(&raw, &hold);

        nghttp2_submit_rst_stream(raw.session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
        raw_flush(&raw);
        advance_to(start_us);
    }
    assert_int_equal(raw.goaway_count, 1);
    assert_int_equal(raw.goaway_error, NGHTTP2_ENHANCE_YOUR_CALM);
    assert_int_equal(world.closed_reason, RT_E_LIMIT);
}

static void settings__in_a_flood__end_the_connection(void **state)
{
    static const uint8_t empty_settings[9] = {0, 0, 0, NGHTTP2_SETTINGS};

    (void)state;
    for (int i = 0; i < 5000; i++) {
        if (raw.stream != NULL) {
            assert_int_equal(rt_outbox_add(rt_stream_outbox(raw.stream), empty_settings, 9), RT_OK);
        }
    }
    rt_stream_flush(raw.stream);
    world_run(&world);
    assert_int_equal(world.closed_count, 1);
    assert_int_equal(world.closed_reason, RT_E_LIMIT);
}

static void preface__of_another_protocol__ends_the_connection(void **state)
{
    struct raw other;

    (void)state;
    raw_init_silent(&other, &world);
    raw_bytes(&other, "GET / HTTP/1.1\r\nHost: etcd\r\n\r\n", 30);
    world_run(&world);
    assert_true(other.is_closed);
    assert_int_equal(world.closed_count, 1);
    assert_int_equal(world.closed_reason, RT_E_MALFORMED);
    raw_fini(&other);
}

static void frame__larger_than_announced__ends_the_connection_with_goaway(void **state)
{
    static const uint8_t header[9] = {0xff, 0xff, 0xff, NGHTTP2_DATA, 0, 0, 0, 0, 1};

    (void)state;
    raw_bytes(&raw, header, sizeof(header));
    world_run(&world);
    assert_int_equal(raw.goaway_count, 1);
    assert_int_equal(raw.goaway_error, NGHTTP2_FRAME_SIZE_ERROR);
    assert_int_equal(world.closed_reason, RT_E_MALFORMED);
}

/* One request whose header block names one large entry of the table many times. */
static void headers__small_on_the_wire_and_large_unpacked__reset_the_stream(void **state)
{
    static const uint8_t refused[13] = {0, 0, 4, NGHTTP2_RST_STREAM,      0, 0, 0, 0, 1,
                                        0, 0, 0, NGHTTP2_FRAME_SIZE_ERROR};
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0";
    uint8_t block[9 + 5 + 3 + 3900 + 9000] = {0};
    struct raw silent;
    size_t len_bytes = 9;
    size_t payload_bytes;

    (void)state;
    block[len_bytes++] = 0x40; /* literal, to be indexed, new name */
    block[len_bytes++] = 1;
    block[len_bytes++] = 'x';
    block[len_bytes++] = 0x7f; /* 127 + 3773 */
    block[len_bytes++] = 0xbd;
    block[len_bytes++] = 0x1d;
    memset(block + len_bytes, 'v', 127 + 0x3d + (0x1d << 7));
    len_bytes += 127 + 0x3d + (0x1d << 7);
    memset(block + len_bytes, 0xbe, 9000); /* the newest entry, 9000 times: 34 MB */
    len_bytes += 9000;
    payload_bytes = len_bytes - 9;
    block[1] = (uint8_t)(payload_bytes >> 8);
    block[2] = (uint8_t)payload_bytes;
    block[3] = NGHTTP2_HEADERS;
    block[4] = NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM;
    block[8] = 1;
    raw_init_silent(&silent, &world);
    raw_bytes(&silent, preface, sizeof(preface));
    raw_bytes(&silent, block, len_bytes);
    world_run(&world);
    assert_memory_equal(silent.last, refused, sizeof(refused));
    assert_int_equal(world.call_count, 0);
    assert_int_equal(world.closed_count, 0);
    assert_int_equal(grpc_connection_call_count(world.connection), 0);
    raw_fini(&silent);
}

static void continuations__without_end__end_the_connection(void **state)
{
    static const uint8_t headers[9] = {0, 0, 0, NGHTTP2_HEADERS, 0, 0, 0, 0, 1};
    static const uint8_t more[9] = {0, 0, 0, NGHTTP2_CONTINUATION, 0, 0, 0, 0, 1};

    (void)state;
    raw_bytes(&raw, headers, sizeof(headers));
    for (int i = 0; i < 100; i++) {
        raw_bytes(&raw, more, sizeof(more));
    }
    world_run(&world);
    assert_int_equal(world.closed_count, 1);
    assert_int_equal(world.closed_reason, RT_E_MALFORMED);
}

/* What it is owed piles up; from a mebibyte on, behind the quarter that its system takes, it is no
 * longer read from either. */
static void peer__that_never_reads__is_not_read_from_until_it_does(void **state)
{
    static uint8_t settings[50 * 9];

    (void)state;
    for (size_t i = 3; i < sizeof(settings); i += 9) {
        settings[i] = NGHTTP2_SETTINGS;
    }
    rt_stream_pause(raw.stream, true);
    for (int i = 0; i < 2920; i++) { /* 1.3 MB of acknowledgements */
        raw_bytes(&raw, settings, sizeof(settings));
        advance_to(rt_loop_now_us(world.loop));
    }
    (void)raw_submit(&raw, &hello);
    world_run(&world);
    assert_int_equal(world.call_count, 0);
    assert_int_equal(world.closed_count, 0);
    rt_stream_pause(raw.stream, false);
    world_run(&world);
    assert_int_equal(world.call_count, 1);
    assert_int_equal(world.gone_count, 1);
    assert_int_equal(world.cancelled_count, 0);
}

/* ---- what a healthy server never does ----------------------------------------------------- */

static void goaway__with_code_and_text__arrives_and_closes(void **state)
{
    (void)state;
    (void)raw_ask(&raw, &hold);
    grpc_connection_goaway(world.connection, NGHTTP2_INTERNAL_ERROR, "fault");
    world_run(&world);
    assert_int_equal(raw.goaway_error, NGHTTP2_INTERNAL_ERROR);
    assert_string_equal(raw.goaway_debug, "fault");
    assert_true(raw.is_closed);
    assert_int_equal(world.gone_count, 1);
}

static void mute__pings_and_settings__are_not_acknowledged_and_calls_are(void **state)
{
    (void)state;
    grpc_connection_mute_pings(world.connection);
    ping();
    assert_int_equal(raw.ping_ack_count, 0);
    assert_string_equal(raw_ask(&raw, &hello)->grpc_status, "0");
}

static void window__held__the_peer_stops_at_one_mebibyte(void **state)
{
    struct asked asked;
    uint8_t *data = calloc(1, 1500000);

    (void)state;
    assert_non_null(data);
    ask_start(&world, &asked, "/test.Echo/Unary", RT_NEVER);
    world_run(&world);
    grpc_connection_hold_window(world.connection);
    ask_send(&asked, data, 1500000);
    ask_half_close(&asked);
    advance_to(rt_loop_now_us(world.loop) + 60 * SECOND_US);
    assert_false(asked.is_ended);
    assert_int_equal(world.message_count, 0);
    grpc_request_cancel(asked.request);
    free(data);
}

static void call__reset__the_peer_sees_the_code(void **state)
{
    struct raw_answer *answer = raw_ask(&raw, &hold);

    (void)state;
    grpc_call_reset(world.held, NGHTTP2_REFUSED_STREAM);
    assert_int_equal(world.gone_count, 0);
    world_run(&world);
    assert_true(answer->is_reset);
    assert_int_equal(answer->reset_error, NGHTTP2_REFUSED_STREAM);
    assert_int_equal(world.gone_count, 1);
    assert_int_equal(world.cancelled_count, 1);
}

/* As the gRPC protocol has it for each error of HTTP/2. */
static void call__reset__our_client_makes_a_code_of_the_error(void **state)
{
    const struct {
        uint32_t error;
        int32_t code;
    } rows[] = {{NGHTTP2_REFUSED_STREAM, GRPC_UNAVAILABLE},
                {NGHTTP2_CANCEL, GRPC_CANCELLED},
                {NGHTTP2_ENHANCE_YOUR_CALM, GRPC_RESOURCE_EXHAUSTED},
                {NGHTTP2_INADEQUATE_SECURITY, GRPC_PERMISSION_DENIED},
                {NGHTTP2_INTERNAL_ERROR, GRPC_INTERNAL},
                {NGHTTP2_NO_ERROR, GRPC_INTERNAL}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct asked asked;

        ask_start(&world, &asked, "/test.Echo/Hold", RT_NEVER);
        ask_send(&asked, "x", 1);
        ask_half_close(&asked);
        world_run(&world);
        grpc_call_reset(world.held, rows[i].error);
        ask_wait(&world, &asked);
        assert_int_equal(asked.code, rows[i].code);
        assert_false(asked.is_from_server);
    }
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(pings__with_a_call_every_five_seconds__are_answered),
        CASE(pings__too_many__the_client_is_sent_away_at_the_fourth),
        CASE(pings__without_a_call__are_strikes_even_a_minute_apart),
        CASE(pings__after_each_answer__are_no_strikes),
        CASE(silence__of_two_hours__is_pinged_and_an_answer_is_enough),
        CASE(silence__that_goes_on_after_our_ping__ends_the_connection),
        CASE(drain__with_an_open_call__waits_for_it),
        CASE(drain__idle__closes_after_the_round_trip),
        CASE(drain__our_client__takes_a_new_connection_for_the_next_call),
        CASE(resets__as_many_as_a_client_cancels__are_borne),
        CASE(resets__without_end_in_no_time__end_the_connection),
        CASE(settings__in_a_flood__end_the_connection),
        CASE(preface__of_another_protocol__ends_the_connection),
        CASE(frame__larger_than_announced__ends_the_connection_with_goaway),
        CASE(headers__small_on_the_wire_and_large_unpacked__reset_the_stream),
        CASE(continuations__without_end__end_the_connection),
        CASE(peer__that_never_reads__is_not_read_from_until_it_does),
        CASE(goaway__with_code_and_text__arrives_and_closes),
        CASE(mute__pings_and_settings__are_not_acknowledged_and_calls_are),
        CASE(window__held__the_peer_stops_at_one_mebibyte),
        CASE(call__reset__the_peer_sees_the_code),
        CASE(call__reset__our_client_makes_a_code_of_the_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
