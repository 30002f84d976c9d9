/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/grpc/grpc_server_internal.h"

#include <stdio.h>

/*
 * What keeps a connection honest: how often the peer may ping and reset, whether it still
 * answers our pings, and how it is asked to leave. All on the loop's clock.
 */

/* grpc-go: more than two strikes and the client is sent away. */
#define MAX_PING_STRIKES 2

/* grpc-go: without a call, pings closer than this are strikes. */
#define IDLE_PING_INTERVAL_US ((uint64_t)2 * 3600 * 1000000)

/* Clients that cancel many calls are healthy; this is far above what they do. */
#define RESET_BURST      10000
#define RESETS_PER_SEC   1000
#define US_PER_RESET     (1000000 / RESETS_PER_SEC)
#define TOO_MANY_RESETS  "too_many_resets"
#define TOO_MANY_PINGS   "too_many_pings"
#define KEEPALIVE_FAILED "keepalive ping not answered in time"

/* grpc-go's own, so that a client's log looks familiar. */
static const uint8_t drain_payload[8] = {1, 6, 1, 8, 0, 3, 3, 9};
static const uint8_t keepalive_payload[8] = {0};

static bool is_strike(const struct grpc_connection *connection, uint64_t now_us);
static void arm_keepalive(struct grpc_connection *connection);
static void on_keepalive(void *arg);
static void go_on_draining(struct grpc_connection *connection);

void grpc__keepalive_init(struct grpc_connection *connection)
{
    rt_timer_init(&connection->keepalive_timer, connection->link.loop, on_keepalive, connection);
    connection->resets_left = RESET_BURST;
    arm_keepalive(connection);
}

void grpc__keepalive_fini(struct grpc_connection *connection)
{
    rt_timer_disarm(&connection->keepalive_timer);
}

/* ---- pings of the peer -------------------------------------------------------------------- */

void grpc__keepalive_ping(struct grpc_connection *connection, const uint8_t payload[8], bool is_ack)
{
    struct grpc__ping_policy *pings = &connection->pings;
    uint64_t now_us = rt_loop_now_us(connection->link.loop);

    if (is_ack) {
        if (connection->drain_state == GRPC__DRAIN_NOTICED &&
            memcmp(payload, drain_payload, sizeof(drain_payload)) == 0) {
            go_on_draining(connection);
        }
        return;
    }
    if (pings->is_reset) {
        pings->is_reset = false;
        pings->strikes = 0;
    } else if (pings->has_last && is_strike(connection, now_us)) {
        pings->strikes++;
    }
    pings->has_last = true;
    pings->last_us = now_us;
    if (pings->strikes > MAX_PING_STRIKES) {
        grpc__connection_goaway(connection, NGHTTP2_ENHANCE_YOUR_CALM, TOO_MANY_PINGS, RT_E_LIMIT);
    }
}

static bool is_strike(const struct grpc_connection *connection, uint64_t now_us)
{
    uint64_t least_us = connection->call_count == 0 ? IDLE_PING_INTERVAL_US
                                                    : connection->options.min_ping_interval_us;

    return now_us - connection->pings.last_us < least_us;
}

/* ---- pings of ours ------------------------------------------------------------------------ */

static void arm_keepalive(struct grpc_connection *connection)
{
    const struct grpc_server_options *options = &connection->options;
    uint64_t wait_us = connection->is_ping_out ? options->ping_timeout_us : options->ping_after_us;

    if (options->ping_after_us != RT_NEVER &&
        rt_timer_arm(&connection->keepalive_timer,
                     (connection->is_ping_out ? rt_loop_now_us(connection->link.loop)
                                              : connection->link.last_input_us) +
                         wait_us) != RT_OK) {
        connection->is_ping_out = false; /* without memory nobody is pinged any more */
    }
}

/* Anything that has come since is as good as an answer. */
static void on_keepalive(void *arg)
{
    struct grpc_connection *connection = arg;
    uint64_t now_us = rt_loop_now_us(connection->link.loop);
    uint64_t quiet_us = now_us - connection->link.last_input_us;

    if (connection->is_ping_out && connection->link.last_input_us < connection->ping_out_us) {
        grpc__link_end(&connection->link, true, RT_E_TIMEOUT, KEEPALIVE_FAILED);
        return;
    }
    connection->is_ping_out =
        !connection->is_ping_out && quiet_us >= connection->options.ping_after_us;
    if (connection->is_ping_out) {
        connection->ping_out_us = now_us;
        (void)nghttp2_submit_ping(connection->link.session, NGHTTP2_FLAG_NONE, keepalive_payload);
        grpc__link_wake(&connection->link);
    }
    arm_keepalive(connection);
}

/* ---- resets ------------------------------------------------------------------------------- */

void grpc__keepalive_reset(struct grpc_connection *connection)
{
    uint64_t now_us = rt_loop_now_us(connection->link.loop);
    uint64_t grown = (now_us - connection->resets_us) / US_PER_RESET;

    if (grown > 0) {
        connection->resets_us += grown * US_PER_RESET;
        connection->resets_left = grown > RESET_BURST - connection->resets_left
                                      ? RESET_BURST
                                      : connection->resets_left + grown;
    }
    if (connection->resets_left == 0) {
        grpc__connection_goaway(connection, NGHTTP2_ENHANCE_YOUR_CALM, TOO_MANY_RESETS, RT_E_LIMIT);
        return;
    }
    connection->resets_left--;
}

/* ---- leaving ------------------------------------------------------------------------------ */

void grpc__connection_goaway(struct grpc_connection *connection, uint32_t http2_error,
                             const char *debug_text, enum rt_status reason)
{
    nghttp2_session *session = connection->link.session;

    if (connection->is_goaway_out) {
        return;
    }
    connection->is_goaway_out = true;
    connection->goaway_reason = reason;
    (void)snprintf(connection->goaway_detail, sizeof(connection->goaway_detail), "%s", debug_text);
    (void)nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE,
                                nghttp2_session_get_last_proc_stream_id(session), http2_error,
                                (const uint8_t *)debug_text, strlen(debug_text));
    grpc__link_wake(&connection->link);
}

void grpc_connection_drain(struct grpc_connection *connection)
{
    nghttp2_session *session = connection->link.session;

    if (connection->drain_state != GRPC__NOT_DRAINING) {
        return;
    }
    connection->drain_state = GRPC__DRAIN_NOTICED;
    (void)nghttp2_submit_shutdown_notice(session);
    (void)nghttp2_submit_ping(session, NGHTTP2_FLAG_NONE, drain_payload);
    grpc__link_wake(&connection->link);
}

/* The ping came back: what the peer began before it knew is here. With the last call nghttp2 wants
 * neither to read nor to write, which ends the connection. */
static void go_on_draining(struct grpc_connection *connection)
{
    nghttp2_session *session = connection->link.session;

    connection->drain_state = GRPC__DRAIN_FINAL;
    (void)nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE,
                                nghttp2_session_get_last_proc_stream_id(session), NGHTTP2_NO_ERROR,
                                NULL, 0);
    grpc__link_wake(&connection->link);
}
