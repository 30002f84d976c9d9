/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/request/dispatch.h"
#include "fakeetcd/request/fault_points.h"
#include "fakeetcd/server/connection.h"

#include "runtime/tls.h"

#include <stdio.h>
#include <stdlib.h>

/* Streams that come: from accepting to the point where it is known what they speak. */

#define HANDSHAKE_TIMEOUT_US (UINT64_C(10) * 1000000)

static void on_accept(void *arg, struct rt_stream *stream);
static struct fakeetcd__connection *create(struct fakeetcd_server *server,
                                           struct rt_stream *stream);
static bool is_going_on(struct fakeetcd__connection *connection);
static void greet(struct fakeetcd__connection *connection);
static void start_tls(struct fakeetcd__connection *connection);
static void on_tls_done(void *arg);
static void on_handshake_timeout(void *arg);
static void on_nothing(void *arg);
static void on_early_close(void *arg, enum rt_status reason);
static void sniff(struct fakeetcd__connection *connection);
static void on_sniffed(void *arg, struct rt_stream *stream, bool is_http2);
static void end_early(struct fakeetcd__connection *connection, bool is_fin, const char *cause,
                      const char *detail);
static void on_stall_over(void *arg);
static void set_stalled(struct fakeetcd__connection *connection, bool is_stalled);

static const struct rt_stream_handler EARLY_HANDLER = {
    .on_connected = on_tls_done,
    .on_input = on_nothing,
    .on_closed = on_early_close,
};

enum rt_status fakeetcd__listen(struct fakeetcd_server *server, char *out_error, size_t error_bytes)
{
    for (size_t i = 0; i < server->options.address_count; i++) {
        /* A port that was free once is kept over a restart. */
        const char *address =
            server->addresses[i] != NULL ? server->addresses[i] : server->options.addresses[i];
        enum rt_status status = rt_network_listen(server->environment.network, address, on_accept,
                                                  server, &server->listeners[i]);
        if (status == RT_OK && server->addresses[i] == NULL) {
            server->addresses[i] = strdup(rt_listener_address(server->listeners[i]));
            status = server->addresses[i] == NULL ? RT_E_NOMEM : RT_OK;
        }
        if (status != RT_OK) {
            snprintf(out_error, error_bytes, "listen on %s: %s", address,
                     rt_network_listen_problem(status));
            fakeetcd__listen_stop(server);
            return status;
        }
    }
    if (fakeetcd__sniff_start(server) != RT_OK) {
        snprintf(out_error, error_bytes, "%s", rt_status_text(RT_E_NOMEM));
        fakeetcd__listen_stop(server);
        return RT_E_NOMEM;
    }
    return RT_OK;
}

enum rt_status fakeetcd__sniff_start(struct fakeetcd_server *server)
{
    return server->sniffer != NULL ? RT_OK
                                   : fakeetcd_sniffer_create(server->environment.loop, on_sniffed,
                                                             server, &server->sniffer);
}

void fakeetcd__listen_stop(struct fakeetcd_server *server)
{
    for (size_t i = 0; i < server->options.address_count; i++) {
        if (server->listeners[i] != NULL) {
            rt_listener_destroy(server->listeners[i]);
            server->listeners[i] = NULL;
        }
    }
}

/* ---- a new stream ---- */

static void on_accept(void *arg, struct rt_stream *stream)
{
    struct fakeetcd_server *server = arg;
    struct fakeetcd__connection *connection = create(server, stream);
    if (connection == NULL) {
        rt_stream_destroy(stream);
        return;
    }
    rt_stream_set_handler(stream, &EARLY_HANDLER, connection);
    fakeetcd__connection_record(connection, "", "opened");
    if (server->is_frozen) {
        set_stalled(connection, true);
    } else if (is_going_on(connection)) {
        greet(connection);
    }
}

static struct fakeetcd__connection *create(struct fakeetcd_server *server, struct rt_stream *stream)
{
    struct fakeetcd__connection *connection = calloc(1, sizeof(*connection));
    char *peer = strdup(rt_stream_peer(stream));
    if (connection == NULL || peer == NULL) {
        free(connection);
        free(peer);
        return NULL;
    }
    connection->server = server;
    connection->stream = stream;
    connection->peer = peer;
    connection->stall_cause = "";
    TAILQ_INIT(&connection->calls);
    rt_timer_init(&connection->handshake_timer, server->environment.loop, on_handshake_timeout,
                  connection);
    TAILQ_INSERT_TAIL(&server->connections, connection, others);
    server->counts.connections++;
    server->counts.connections_total++;
    return connection;
}

/* Asks at `connect` and at `greeting`. The accepting side cannot refuse any more: a refused
 * connection is reset before a byte moved. */
static bool is_going_on(struct fakeetcd__connection *connection)
{
    struct fakeetcd_server *server = connection->server;
    const struct fault_action *action =
        fakeetcd__ask_connection(server, FAULT_AT_CONNECT, connection->peer);
    if (action == NULL) {
        action = fakeetcd__ask_connection(server, FAULT_AT_GREETING, connection->peer);
    }
    if (action == NULL) {
        return true;
    }
    switch (action->kind) {
    case FAULT_STALL:
    case FAULT_DELAY:
        fakeetcd__connection_stall(connection, action);
        return false;
    case FAULT_REFUSE:
        end_early(connection, false, action->rule_id, "refused");
        return false;
    case FAULT_RST:
    case FAULT_FIN:
        end_early(connection, action->kind == FAULT_FIN, action->rule_id, "fault");
        return false;
    default:
        connection->greeting = action;
        return true;
    }
}

static void greet(struct fakeetcd__connection *connection)
{
    if (connection->server->options.tls != NULL && !connection->is_tls_done) {
        start_tls(connection);
    } else {
        sniff(connection);
    }
}

static void start_tls(struct fakeetcd__connection *connection)
{
    struct rt_stream *lower = connection->stream;
    uint64_t deadline_us = fakeetcd__now_us(connection->server) + HANDSHAKE_TIMEOUT_US;
    connection->stream = NULL;
    if (rt_tls_stream_create(connection->server->options.tls, lower, &EARLY_HANDLER, connection,
                             &connection->stream) != RT_OK ||
        rt_timer_arm(&connection->handshake_timer, deadline_us) != RT_OK) {
        end_early(connection, false, "", "no memory");
    }
}

static void on_tls_done(void *arg)
{
    struct fakeetcd__connection *connection = arg;
    rt_timer_disarm(&connection->handshake_timer);
    connection->is_tls_done = true;
    if (!connection->is_stalled) {
        sniff(connection);
    }
}

static void on_handshake_timeout(void *arg)
{
    struct fakeetcd__connection *connection = arg;
    connection->server->counts.malformed_connections++;
    end_early(connection, false, "", "TLS handshake timed out");
}

static void on_nothing(void *arg)
{
    (void)arg; /* stays in the inbox */
}

static void on_early_close(void *arg, enum rt_status reason)
{
    struct fakeetcd__connection *connection = arg;
    if (reason == RT_E_MALFORMED) {
        connection->server->counts.malformed_connections++;
    }
    end_early(connection, false, connection->stall_cause, rt_status_text(reason));
}

/* ---- what does it speak? ---- */

/* With TLS the client has said it (ALPN); else the first bytes decide. */
static void sniff(struct fakeetcd__connection *connection)
{
    struct rt_stream *stream = connection->stream;
    if (connection->is_tls_done && strcmp(rt_tls_stream_protocol(stream), "h2") == 0) {
        fakeetcd__grpc_open(connection, stream);
        return;
    }
    struct fakeetcd_server *server = connection->server;
    connection->stream = NULL;
    if (connection->greeting == NULL) {
        fakeetcd__connection_free(connection);
        fakeetcd_sniffer_add(server->sniffer, stream);
    } else {
        fakeetcd__grpc_open(connection, stream); /* what is done to it is done to HTTP/2 */
    }
}

static void on_sniffed(void *arg, struct rt_stream *stream, bool is_http2)
{
    struct fakeetcd_server *server = arg;
    if (!is_http2) {
        fakeetcd_gateway_accept(server->gateway, stream, FAKEETCD_GATEWAY_ALL);
        return;
    }
    struct fakeetcd__connection *connection = create(server, stream);
    if (connection == NULL) {
        rt_stream_destroy(stream);
        return;
    }
    server->counts.connections_total--; /* it is the one that was counted when it came */
    if (server->is_frozen) {
        connection->is_tls_done = true;
        rt_stream_set_handler(stream, &EARLY_HANDLER, connection);
        set_stalled(connection, true);
        return;
    }
    fakeetcd__grpc_open(connection, stream);
}

/* ---- stalls ---- */

void fakeetcd__connection_stall(struct fakeetcd__connection *connection,
                                const struct fault_action *action)
{
    if (connection->is_stalled) {
        return;
    }
    set_stalled(connection, true);
    connection->stall_cause = action->rule_id;
    fakeetcd__connection_record(connection, action->rule_id, "stalled");
    if (action->duration_us > 0 &&
        fault_hold_start(connection->server->environment.faults, &connection->hold, action,
                         on_stall_over, connection) != RT_OK) {
        on_stall_over(connection);
    }
}

static void on_stall_over(void *arg)
{
    struct fakeetcd__connection *connection = arg;
    connection->stall_cause = "";
    fakeetcd__connection_record(connection, "", "goes on");
    if (!connection->server->is_frozen) {
        set_stalled(connection, false);
    }
}

static void set_stalled(struct fakeetcd__connection *connection, bool is_stalled)
{
    struct rt_stream *stream =
        connection->grpc != NULL ? grpc_connection_stream(connection->grpc) : connection->stream;
    struct fakeetcd__grpc_call *self;
    struct fakeetcd__grpc_call *next;
    if (connection->is_stalled == is_stalled) {
        return;
    }
    connection->is_stalled = is_stalled;
    rt_stream_pause(stream, is_stalled);
    if (connection->grpc == NULL) {
        if (!is_stalled) {
            greet(connection);
        }
        return;
    }
    TAILQ_FOREACH_SAFE(self, &connection->calls, others, next)
    {
        self->call.is_stalled = is_stalled;
        if (!is_stalled) {
            fakeetcd__go_on_out(&self->call);
            fakeetcd_call_drained(&self->call);
        }
    }
}

void fakeetcd__connections_freeze(struct fakeetcd_server *server, bool is_frozen)
{
    struct fakeetcd__connection *connection;
    struct fakeetcd__connection *next;
    TAILQ_FOREACH_SAFE(connection, &server->connections, others, next)
    {
        if (connection->stall_cause[0] == '\0') { /* a fault's stall is the fault's */
            set_stalled(connection, is_frozen);
        }
    }
    fakeetcd_gateway_freeze(server->gateway, is_frozen);
}

/* ---- the end ---- */

void fakeetcd__connection_end_after(struct fakeetcd__connection *connection,
                                    const struct fault_action *action)
{
    connection->after = action;
    grpc_connection_want_flushed(connection->grpc);
}

void fakeetcd__connection_flushed(struct fakeetcd__connection *connection)
{
    const struct fault_action *action = connection->after;
    connection->after = NULL;
    connection->stall_cause = action->rule_id;
    if (action->kind == FAULT_STALL) {
        connection->stall_cause = "";
        fakeetcd__connection_stall(connection, action);
    } else if (action->kind == FAULT_GOAWAY) {
        grpc_connection_goaway(connection->grpc, (uint32_t)action->number, action->text);
    } else {
        grpc_connection_end(connection->grpc, action->kind != FAULT_FIN);
    }
}

static void end_early(struct fakeetcd__connection *connection, bool is_fin, const char *cause,
                      const char *detail)
{
    char text[160];
    snprintf(text, sizeof(text), "closed: %s", detail);
    fakeetcd__connection_record(connection, cause, text);
    if (connection->stream != NULL && is_fin) {
        rt_stream_close(connection->stream);
    } else {
        rt_stream_destroy(connection->stream);
    }
    connection->stream = NULL;
    fakeetcd__connection_free(connection);
}

void fakeetcd__connection_free(struct fakeetcd__connection *connection)
{
    struct fakeetcd_server *server = connection->server;
    TAILQ_REMOVE(&server->connections, connection, others);
    server->counts.connections--;
    rt_timer_disarm(&connection->handshake_timer);
    fault_hold_cancel(&connection->hold);
    free(connection->peer);
    free(connection);
    if (server->on_drained != NULL) {
        rt_task_schedule(&server->drain_task);
    }
}

void fakeetcd__connections_reset(struct fakeetcd_server *server)
{
    while (!TAILQ_EMPTY(&server->connections)) {
        struct fakeetcd__connection *connection = TAILQ_FIRST(&server->connections);
        if (connection->grpc != NULL) {
            fakeetcd__grpc_destroy(connection);
        }
        end_early(connection, false, "", "the server died");
    }
    fakeetcd_sniffer_destroy(server->sniffer);
    server->sniffer = NULL;
    if (server->gateway != NULL) {
        fakeetcd_gateway_reset_all(server->gateway);
    }
}

void fakeetcd__connections_drain(struct fakeetcd_server *server)
{
    struct fakeetcd__connection *connection;
    struct fakeetcd__connection *next;
    TAILQ_FOREACH_SAFE(connection, &server->connections, others, next)
    {
        if (connection->grpc != NULL) {
            grpc_connection_drain(connection->grpc);
        } else {
            end_early(connection, false, "", "stopping");
        }
    }
    if (server->gateway != NULL) {
        fakeetcd_gateway_drain(server->gateway);
    }
}

size_t fakeetcd__connection_count(const struct fakeetcd_server *server)
{
    return (size_t)server->counts.connections +
           (server->gateway == NULL ? 0 : fakeetcd_gateway_connection_count(server->gateway));
}

void fakeetcd__connection_record(const struct fakeetcd__connection *connection, const char *cause,
                                 const char *detail)
{
    struct rt_record line = {
        .kind = RT_REC_CONNECTION,
        .actor = connection->server->options.name,
        .subject = connection->peer,
        .cause = cause,
        .detail = detail,
    };
    rt_journal_append(connection->server->environment.journal, &line);
}

void fakeetcd__connections_miss_leader(struct fakeetcd_server *server)
{
    struct fakeetcd__connection *connection;
    TAILQ_FOREACH(connection, &server->connections, others)
    {
        struct fakeetcd__grpc_call *self;
        struct fakeetcd__grpc_call *next;
        TAILQ_FOREACH_SAFE(self, &connection->calls, others, next)
        {
            if (self->call.is_wanting_leader && self->call.method->kind != FAKEETCD_UNARY) {
                fakeetcd_call_fail(&self->call, FAKEETCD_E_NO_LEADER);
            }
        }
    }
}
