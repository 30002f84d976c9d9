/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/server/connection.h"

#include "runtime/tls.h"

#include <stdio.h>
#include <stdlib.h>

/* Calls that come as gRPC. What the framing refuses never gets here. */

#define POOL_MAX_COUNT 1024
#define HTTP2_NO_ERROR 0 /* RFC 9113 */

static bool go_away(struct fakeetcd__connection *connection, const struct fault_action *action);
static void on_call(void *arg, struct grpc_call *grpc);
static void on_closed(void *arg, enum rt_status reason, const char *detail);
static void on_flushed(void *arg);
static void on_message(void *arg, struct grpc_call *grpc, struct rt_slice message);
static void on_half_close(void *arg, struct grpc_call *grpc);
static void on_drained(void *arg, struct grpc_call *grpc);
static void on_gone(void *arg, struct grpc_call *grpc, bool is_cancelled);
static bool find_metadata(const struct fakeetcd_call *call, const char *name,
                          struct rt_slice *out_value);
static enum rt_status send_message(struct fakeetcd_call *call, const ProtobufCMessage *message);
static void finish(struct fakeetcd_call *call, int32_t code, const char *text);
static bool is_full(const struct fakeetcd_call *call);
static bool strike(struct fakeetcd_call *call, const struct fault_action *action);
static bool spoil(struct fakeetcd__grpc_call *self, const struct fault_action *action);
static void strike_replied(struct fakeetcd_call *call, const struct fault_action *action);
static const char *peer_name(const struct fakeetcd_call *call);
static struct fakeetcd__grpc_call *call_create(struct fakeetcd__connection *connection,
                                               struct grpc_call *grpc);
static void call_free(struct fakeetcd__grpc_call *self);

static const struct grpc_connection_handler CONNECTION_HANDLER = {
    .on_call = on_call,
    .on_closed = on_closed,
    .on_flushed = on_flushed,
};

static const struct grpc_call_handler CALL_HANDLER = {
    .on_message = on_message,
    .on_half_close = on_half_close,
    .on_drained = on_drained,
    .on_gone = on_gone,
};

static const struct fakeetcd_transport TRANSPORT = {
    .metadata = find_metadata,
    .send = send_message,
    .finish = finish,
    .is_full = is_full,
    .strike = strike,
    .strike_replied = strike_replied,
    .peer_name = peer_name,
};

void fakeetcd__grpc_open(struct fakeetcd__connection *connection, struct rt_stream *stream)
{
    const struct fakeetcd_server *server = connection->server;
    struct grpc_server_options options;
    grpc_server_options_init(&options);
    options.profile = server->profile->grpc;
    options.max_concurrent_streams = server->options.max_concurrent_streams;
    options.max_message_bytes = server->options.max_request_bytes + FAKEETCD__TRANSPORT_ROOM_BYTES;
    /* Over TLS etcd serves its pages on HTTP/2 too; clients come back with HTTP/1.1. */
    options.is_http1_beside = connection->is_tls_done;
    connection->stream = NULL;
    if (grpc_connection_accept(server->environment.loop, stream, &options, &CONNECTION_HANDLER,
                               connection, &connection->grpc) != RT_OK) {
        fakeetcd__connection_record(connection, "", "closed: no memory");
        fakeetcd__connection_free(connection);
        return;
    }
    const struct fault_action *greeting = connection->greeting;
    if (greeting != NULL && greeting->kind == FAULT_MUTE_PINGS) {
        grpc_connection_mute_pings(connection->grpc);
    } else if (greeting != NULL && greeting->kind == FAULT_HOLD_WINDOW) {
        grpc_connection_hold_window(connection->grpc);
    } else if (greeting != NULL && greeting->kind == FAULT_GOAWAY) {
        (void)go_away(connection, greeting);
    }
}

/* NO_ERROR is how a server ends in good order: what is under way is still answered. False: then. */
static bool go_away(struct fakeetcd__connection *connection, const struct fault_action *action)
{
    if (action->number == HTTP2_NO_ERROR) {
        grpc_connection_drain(connection->grpc);
        return false;
    }
    grpc_connection_goaway(connection->grpc, (uint32_t)action->number, action->text);
    return true;
}

/* As SIGKILL does it. */
void fakeetcd__grpc_destroy(struct fakeetcd__connection *connection)
{
    while (!TAILQ_EMPTY(&connection->calls)) {
        struct fakeetcd__grpc_call *self = TAILQ_FIRST(&connection->calls);
        fakeetcd_call_gone(&self->call, true);
        call_free(self);
    }
    grpc_connection_destroy(connection->grpc);
    connection->grpc = NULL;
}

static void on_closed(void *arg, enum rt_status reason, const char *detail)
{
    struct fakeetcd__connection *connection = arg;
    char text[160];
    connection->grpc = NULL; /* it frees itself */
    if (reason == RT_E_MALFORMED || reason == RT_E_LIMIT) {
        connection->server->counts.malformed_connections++;
    }
    snprintf(text, sizeof(text), "closed: %s", detail);
    fakeetcd__connection_record(connection, connection->stall_cause, text);
    fakeetcd__connection_free(connection);
}

static void on_flushed(void *arg)
{
    fakeetcd__connection_flushed(arg);
}

/* ---- calls ---- */

static void on_call(void *arg, struct grpc_call *grpc)
{
    struct fakeetcd__connection *connection = arg;
    const struct fakeetcd_method *method = fakeetcd_method_by_path(grpc_call_path(grpc));
    if (method == NULL) {
        char text[256];
        fakeetcd_unknown_text(grpc_call_path(grpc), text, sizeof(text));
        grpc_call_finish(grpc, GRPC_UNIMPLEMENTED, text);
        return;
    }
    struct fakeetcd__grpc_call *self = call_create(connection, grpc);
    if (self == NULL) {
        grpc_call_finish(grpc, GRPC_RESOURCE_EXHAUSTED, fakeetcd_error_text(FAKEETCD_E_NOMEM));
        return;
    }
    self->call.method = method;
    if (method->kind == FAKEETCD_BIDI) {
        grpc_call_set_streaming(grpc);
    }
    grpc_call_set_handler(grpc, &CALL_HANDLER, self);
    fakeetcd_call_begin(&self->call);
}

static struct fakeetcd__grpc_call *call_create(struct fakeetcd__connection *connection,
                                               struct grpc_call *grpc)
{
    struct fakeetcd_server *server = connection->server;
    struct fakeetcd__grpc_call *self = SLIST_FIRST(&server->free_calls);
    if (self != NULL) {
        SLIST_REMOVE_HEAD(&server->free_calls, pool);
        server->free_call_count--;
    } else {
        self = malloc(sizeof(*self));
    }
    if (self == NULL) {
        return NULL;
    }
    *self = (struct fakeetcd__grpc_call){
        .call = {.server = server,
                 .transport = &TRANSPORT,
                 .client = connection->peer,
                 .deadline_us = grpc_call_deadline_us(grpc),
                 .is_stalled = connection->is_stalled},
        .grpc = grpc,
        .connection = connection,
    };
    TAILQ_INSERT_TAIL(&connection->calls, self, others);
    return self;
}

static void call_free(struct fakeetcd__grpc_call *self)
{
    struct fakeetcd_server *server = self->call.server;
    TAILQ_REMOVE(&self->connection->calls, self, others);
    if (server->free_call_count < POOL_MAX_COUNT) {
        SLIST_INSERT_HEAD(&server->free_calls, self, pool);
        server->free_call_count++;
    } else {
        free(self);
    }
}

void fakeetcd__grpc_pool_free(struct fakeetcd_server *server)
{
    while (!SLIST_EMPTY(&server->free_calls)) {
        struct fakeetcd__grpc_call *self = SLIST_FIRST(&server->free_calls);
        SLIST_REMOVE_HEAD(&server->free_calls, pool);
        free(self);
    }
    server->free_call_count = 0;
}

static void on_message(void *arg, struct grpc_call *grpc, struct rt_slice message)
{
    struct fakeetcd__grpc_call *self = arg;
    (void)grpc;
    fakeetcd_call_message(&self->call, message);
}

static void on_half_close(void *arg, struct grpc_call *grpc)
{
    struct fakeetcd__grpc_call *self = arg;
    (void)grpc;
    fakeetcd_call_half_close(&self->call);
}

static void on_drained(void *arg, struct grpc_call *grpc)
{
    struct fakeetcd__grpc_call *self = arg;
    (void)grpc;
    fakeetcd_call_drained(&self->call);
}

static void on_gone(void *arg, struct grpc_call *grpc, bool is_cancelled)
{
    struct fakeetcd__grpc_call *self = arg;
    (void)grpc;
    fakeetcd_call_gone(&self->call, is_cancelled);
    call_free(self);
}

/* ---- what a call asks of its transport ---- */

static struct fakeetcd__grpc_call *self_of(const struct fakeetcd_call *call)
{
    return (struct fakeetcd__grpc_call *)(uintptr_t)call; /* the call is its first member */
}

static bool find_metadata(const struct fakeetcd_call *call, const char *name,
                          struct rt_slice *out_value)
{
    return grpc_call_metadata(self_of(call)->grpc, name, out_value);
}

/* Packed right where it is sent from. */
static enum rt_status send_message(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    size_t len_bytes = protobuf_c_message_get_packed_size(message);
    uint8_t *room = grpc_call_reserve(self_of(call)->grpc, len_bytes);
    if (room == NULL) {
        return RT_E_NOMEM;
    }
    protobuf_c_message_pack(message, room);
    return RT_OK;
}

static void finish(struct fakeetcd_call *call, int32_t code, const char *text)
{
    grpc_call_finish(self_of(call)->grpc, code, text);
}

static bool is_full(const struct fakeetcd_call *call)
{
    return call->is_stalled || grpc_call_is_full(self_of(call)->grpc);
}

static const char *peer_name(const struct fakeetcd_call *call)
{
    const struct fakeetcd__grpc_call *self = self_of(call);
    return call->server->options.tls == NULL || call->server->options.is_certificate_mute
               ? ""
               : rt_tls_stream_peer_name(grpc_connection_stream(self->connection->grpc));
}

/* ---- faults ---- */

static bool strike(struct fakeetcd_call *call, const struct fault_action *action)
{
    struct fakeetcd__grpc_call *self = self_of(call);
    struct grpc_connection *connection = self->connection->grpc;
    switch (action->kind) {
    case FAULT_RST:
    case FAULT_FIN:
        self->connection->stall_cause = action->rule_id;
        grpc_connection_end(connection, action->kind == FAULT_RST);
        return true;
    case FAULT_GOAWAY:
        self->connection->stall_cause = action->rule_id;
        return go_away(self->connection, action);
    case FAULT_RST_STREAM:
        grpc_call_reset(self->grpc, (uint32_t)action->number);
        return true;
    case FAULT_STALL:
        fakeetcd__connection_stall(self->connection, action);
        return true;
    case FAULT_MUTE_PINGS:
        grpc_connection_mute_pings(connection);
        return true;
    case FAULT_HOLD_WINDOW:
        grpc_connection_hold_window(connection);
        return true;
    default:
        return spoil(self, action);
    }
}

static bool spoil(struct fakeetcd__grpc_call *self, const struct fault_action *action)
{
    static const struct {
        enum fault_action_kind action;
        enum grpc_spoil_kind spoil;
    } rows[] = {
        {FAULT_NO_STATUS, GRPC_SPOIL_NO_STATUS},     {FAULT_CONTENT_TYPE, GRPC_SPOIL_CONTENT_TYPE},
        {FAULT_HTTP_STATUS, GRPC_SPOIL_HTTP_STATUS}, {FAULT_BAD_PREFIX, GRPC_SPOIL_PREFIX},
        {FAULT_GARBAGE, GRPC_SPOIL_GARBAGE},         {FAULT_TRUNCATE, GRPC_SPOIL_TRUNCATE},
        {FAULT_CORRUPT, GRPC_SPOIL_CORRUPT},         {FAULT_DRIP, GRPC_SPOIL_DRIP},
    };
    uint64_t number = (uint64_t)action->number;
    if (action->kind == FAULT_TRUNCATE || action->kind == FAULT_CORRUPT) {
        number = action->byte_offset;
    } else if (action->kind == FAULT_DRIP) {
        number = action->duration_us;
    } else if (action->kind == FAULT_BAD_PREFIX) {
        number = 1; /* it announces a byte that never comes */
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].action == action->kind) {
            grpc_call_spoil(self->grpc, rows[i].spoil, number);
            return true;
        }
    }
    return false;
}

/* Its answer has been framed: what is sent now comes behind it. */
static void strike_replied(struct fakeetcd_call *call, const struct fault_action *action)
{
    struct fakeetcd__grpc_call *self = self_of(call);
    switch (action->kind) {
    case FAULT_MUTE_PINGS:
    case FAULT_HOLD_WINDOW:
        (void)strike(call, action);
        break;
    case FAULT_RST_STREAM:
        grpc_connection_reset_stream(self->connection->grpc, grpc_call_stream_id(self->grpc),
                                     (uint32_t)action->number);
        break;
    case FAULT_GOAWAY:
        if (action->number == HTTP2_NO_ERROR) {
            (void)go_away(self->connection, action);
            break;
        }
        fakeetcd__connection_end_after(self->connection, action);
        break;
    default:
        fakeetcd__connection_end_after(self->connection, action);
    }
}
