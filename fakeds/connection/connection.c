/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/connection/connection.h"

#include "fakeds/request/call.h"
#include "fakeds/request/fault_points.h"

#include <stdio.h>
#include <stdlib.h>

#define HANDSHAKE_DEADLINE_US (UINT64_C(30) * 1000000)
#define UNREAD_LIMIT_BYTES    ((size_t)256 * 1024 * 1024) /* answers that a peer does not take */
#define TEXT_BYTES            160

enum state { STATE_GREETING, STATE_OPEN, STATE_IGNORED, STATE_ENDED };

struct fakeds__connection {
    struct fakeds_worker *worker;
    struct rt_stream *stream; /* NULL: ended */
    struct zmtp_codec *codec;
    struct fakeds__identity *identity; /* NULL until OPEN */
    enum state state;
    char *peer;
    struct rt_timer handshake_timer;
    bool is_busy; /* its input is on the stack: freed by whoever put it there */
    bool is_unflushed;
    bool is_reading_paused;
    TAILQ_ENTRY(fakeds__connection) others;
    TAILQ_ENTRY(fakeds__connection) dirty;

    /* A fault stops all bytes. */
    const struct fault_action *stall;
    struct fault_hold stall_hold;
    struct rt_outbox *parked;
    const struct fault_action *after_drain;
};

static struct fakeds__connection *create(struct fakeds_worker *worker, struct rt_stream *stream);
static void free_connection(struct fakeds__connection *connection);
static bool greet(struct fakeds__connection *connection);
static void on_handshake_deadline(void *arg);
static void on_input(void *arg);
static void receive_all(struct fakeds__connection *connection);
static bool receive_one(struct fakeds__connection *connection);
static void open_identity(struct fakeds__connection *connection);
static void on_drained(void *arg);
static void on_closed(void *arg, enum rt_status reason);
static void on_stall_over(void *arg);
static void end_malformed(struct fakeds__connection *connection);
static void record(const struct fakeds__connection *connection, const char *cause,
                   const char *detail);

static const struct rt_stream_handler HANDLER = {
    .on_input = on_input,
    .on_closed = on_closed,
};

/* Being told costs an event for each flush, so only while somebody wants to know. */
static const struct rt_stream_handler DRAIN_HANDLER = {
    .on_input = on_input,
    .on_drained = on_drained,
    .on_closed = on_closed,
};

void fakeds__connection_accept(struct fakeds_worker *worker, struct rt_stream *stream)
{
    struct fakeds__connection *connection = create(worker, stream);
    if (connection == NULL) {
        rt_stream_destroy(stream);
        return;
    }
    rt_stream_set_handler(stream, &HANDLER, connection);
    TAILQ_INSERT_TAIL(&worker->connections, connection, others);
    worker->counts.connections++;
    worker->counts.connections_total++;
    record(connection, "", "opened");
    /* A worker of a cluster has waited for the first byte (cluster_accept.c). */
    bool has_input = rt_inbox_len_bytes(rt_stream_inbox(stream)) > 0;
    if (fakeds__at_connect(worker, connection) && greet(connection) && has_input) {
        receive_all(connection);
    }
}

static struct fakeds__connection *create(struct fakeds_worker *worker, struct rt_stream *stream)
{
    const struct zmtp_options options = {.role = ZMTP_ROUTER};
    struct fakeds__connection *connection = calloc(1, sizeof(*connection));
    if (connection == NULL) {
        return NULL;
    }
    connection->worker = worker;
    connection->stream = stream;
    connection->peer = strdup(rt_stream_peer(stream));
    connection->parked = rt_outbox_create();
    rt_timer_init(&connection->handshake_timer, worker->environment.loop, on_handshake_deadline,
                  connection);
    if (connection->peer == NULL || connection->parked == NULL ||
        zmtp_codec_create(&options, &connection->codec) != RT_OK) {
        free_connection(connection);
        return NULL;
    }
    return connection;
}

/* Memory only; fakeds__connection_end() has undone the rest. */
static void free_connection(struct fakeds__connection *connection)
{
    zmtp_codec_destroy(connection->codec);
    rt_outbox_destroy(connection->parked);
    free(connection->peer);
    free(connection);
}

/* libzmq sends no more than its signature before it has seen ours: do not wait for it. */
static bool greet(struct fakeds__connection *connection)
{
    uint64_t deadline_us = fakeds__now_us(connection->worker) + HANDSHAKE_DEADLINE_US;
    if (rt_timer_arm(&connection->handshake_timer, deadline_us) != RT_OK ||
        zmtp_start(connection->codec, rt_stream_outbox(connection->stream)) != RT_OK) {
        fakeds__connection_end(connection, FAKEDS__END_RST, "", "no memory");
        return false;
    }
    rt_stream_flush(connection->stream);
    return true;
}

static void on_handshake_deadline(void *arg)
{
    struct fakeds__connection *connection = arg;
    connection->worker->counts.malformed_connections++;
    char where[TEXT_BYTES];
    zmtp_describe(connection->codec, where, sizeof(where));
    fakeds__connection_end(connection, FAKEDS__END_FIN, "", where);
}

/* ---- input ---- */

static void on_input(void *arg)
{
    receive_all(arg);
}

/* The worker may end the connection, or itself, at any message. */
static void receive_all(struct fakeds__connection *connection)
{
    connection->is_busy = true;
    while (connection->state != STATE_ENDED && connection->stall == NULL &&
           !connection->is_reading_paused && !fakeds__is_doomed(connection->worker) &&
           receive_one(connection)) {
    }
    connection->is_busy = false;
    if (connection->state == STATE_ENDED) {
        free_connection(connection);
        return;
    }
    if (rt_outbox_len_bytes(rt_stream_outbox(connection->stream)) > 0 &&
        !connection->is_unflushed) {
        rt_stream_flush(connection->stream); /* the codec's own words: READY, PONG */
    }
}

/* False: no more for now. */
static bool receive_one(struct fakeds__connection *connection)
{
    enum zmtp_event event;
    struct zmtp_message message;
    enum rt_status status = zmtp_receive(connection->codec, rt_stream_inbox(connection->stream),
                                         rt_stream_outbox(connection->stream), &event, &message);
    if (status == RT_E_AGAIN) {
        return false;
    }
    if (status != RT_OK) {
        end_malformed(connection);
        return false;
    }
    if (event == ZMTP_EVENT_OPEN) {
        open_identity(connection);
    } else if (event == ZMTP_EVENT_MESSAGE && connection->state == STATE_OPEN) {
        connection->worker->counts.bytes_in += message.total_bytes;
        fakeds__call_begin(connection->worker, connection->identity, connection->peer, &message);
    }
    return true;
}

/* Without ROUTER_HANDOVER a second peer with an identity that is held is ignored, not refused. */
static void open_identity(struct fakeds__connection *connection)
{
    struct fakeds_worker *worker = connection->worker;
    struct rt_slice name = zmtp_peer_identity(connection->codec);
    rt_timer_disarm(&connection->handshake_timer);
    connection->identity = fakeds__router_identity(&worker->router, name);
    if (connection->identity == NULL) {
        fakeds__connection_end(connection, FAKEDS__END_RST, "", "no memory");
        return;
    }
    if (connection->identity->holder != NULL) {
        connection->state = STATE_IGNORED;
        record(connection, "", "ignored: another connection holds its identity");
        return;
    }
    connection->state = STATE_OPEN;
    connection->identity->holder = connection;
    connection->identity->lost_by = "";
}

static void end_malformed(struct fakeds__connection *connection)
{
    char why[TEXT_BYTES];
    snprintf(why, sizeof(why), "malformed: %s", zmtp_error_text(connection->codec));
    connection->worker->counts.malformed_connections++;
    fakeds__connection_end(connection, FAKEDS__END_FIN, "", why);
}

/* ---- output ---- */

struct rt_outbox *fakeds__connection_outbox(struct fakeds__connection *connection)
{
    return connection->stall != NULL ? connection->parked : rt_stream_outbox(connection->stream);
}

/* Flushed once for all answers of this turn of the loop. */
void fakeds__connection_written(struct fakeds__connection *connection)
{
    if (connection->stall != NULL) {
        return;
    }
    if (!connection->is_unflushed) {
        connection->is_unflushed = true;
        TAILQ_INSERT_TAIL(&connection->worker->unflushed, connection, dirty);
        rt_task_schedule(&connection->worker->flush_task);
    }
    if (rt_outbox_len_bytes(rt_stream_outbox(connection->stream)) > UNREAD_LIMIT_BYTES) {
        connection->is_reading_paused = true;
        rt_stream_set_handler(connection->stream, &DRAIN_HANDLER, connection);
        rt_stream_pause(connection->stream, true);
    }
}

void fakeds__connection_flush(struct fakeds__connection *connection)
{
    TAILQ_REMOVE(&connection->worker->unflushed, connection, dirty);
    connection->is_unflushed = false;
    rt_stream_flush(connection->stream);
}

static void on_drained(void *arg)
{
    struct fakeds__connection *connection = arg;
    const struct fault_action *action = connection->after_drain;
    connection->after_drain = NULL;
    rt_stream_set_handler(connection->stream, &HANDLER, connection);
    if (connection->is_reading_paused) {
        connection->is_reading_paused = false;
        rt_stream_pause(connection->stream, connection->stall != NULL);
    }
    if (action == NULL) {
        receive_all(connection);
    } else if (action->kind == FAULT_KILL || action->kind == FAULT_RESTART) {
        fakeds__doom(connection->worker, action);
    } else if (action->kind == FAULT_STALL) {
        fakeds__connection_stall(connection, action);
    } else {
        fakeds__connection_end(connection,
                               action->kind == FAULT_FIN ? FAKEDS__END_FIN : FAKEDS__END_RST,
                               action->rule_id, "fault");
    }
}

void fakeds__connection_after_drain(struct fakeds__connection *connection,
                                    const struct fault_action *action)
{
    connection->after_drain = action;
    rt_stream_set_handler(connection->stream, &DRAIN_HANDLER, connection);
}

/* ---- stall ---- */

/* A delay at the greeting is a stall that ends, too. */
void fakeds__connection_stall(struct fakeds__connection *connection,
                              const struct fault_action *action)
{
    if (connection->stall != NULL) {
        return;
    }
    if (connection->is_unflushed) {
        fakeds__connection_flush(connection);
    }
    connection->stall = action;
    rt_timer_disarm(&connection->handshake_timer);
    rt_stream_pause(connection->stream, true);
    record(connection, action->rule_id, "stalled");
    if (action->duration_us > 0 &&
        fault_hold_start(connection->worker->environment.faults, &connection->stall_hold, action,
                         on_stall_over, connection) != RT_OK) {
        fakeds__connection_end(connection, FAKEDS__END_RST, action->rule_id, "no memory");
    }
}

static void on_stall_over(void *arg)
{
    struct fakeds__connection *connection = arg;
    struct rt_outbox *out = rt_stream_outbox(connection->stream);
    size_t parked_bytes = rt_outbox_len_bytes(connection->parked);
    connection->stall = NULL;
    record(connection, "", "goes on");
    rt_stream_pause(connection->stream, false);
    if (rt_outbox_move(out, connection->parked, parked_bytes) != RT_OK) {
        fakeds__connection_end(connection, FAKEDS__END_RST, "", "no memory");
        return;
    }
    if (connection->state == STATE_GREETING) {
        greet(connection);
    }
    if (connection->state != STATE_ENDED) {
        rt_stream_flush(connection->stream);
        receive_all(connection);
    }
}

const char *fakeds__connection_lost_by(const struct fakeds__connection *connection)
{
    bool is_for_ever = connection->stall != NULL && connection->stall->duration_us == 0;
    return is_for_ever ? connection->stall->rule_id : NULL;
}

/* ---- the end ---- */

static void on_closed(void *arg, enum rt_status reason)
{
    fakeds__connection_end(arg, FAKEDS__END_RST, "", rt_status_text(reason));
}

/* The only place where a connection ends. */
void fakeds__connection_end(struct fakeds__connection *connection, enum fakeds__end how,
                            const char *cause, const char *why)
{
    struct fakeds_worker *worker = connection->worker;
    char detail[TEXT_BYTES];
    if (connection->state == STATE_ENDED) {
        return;
    }
    snprintf(detail, sizeof(detail), "closed: %s", why);
    record(connection, cause, detail);
    if (connection->is_unflushed) {
        fakeds__connection_flush(connection); /* answers that were given before */
    }
    rt_timer_disarm(&connection->handshake_timer);
    fault_hold_cancel(&connection->stall_hold);
    if (connection->identity != NULL && connection->identity->holder == connection) {
        connection->identity->holder = NULL;
        connection->identity->lost_by = cause;
    }
    fakeds__identity_release(&worker->router, connection->identity);
    TAILQ_REMOVE(&worker->connections, connection, others);
    worker->counts.connections--;
    if (how == FAKEDS__END_FIN) {
        rt_stream_close(connection->stream);
    } else {
        rt_stream_reset(connection->stream);
    }
    connection->stream = NULL;
    connection->state = STATE_ENDED;
    if (!connection->is_busy) {
        free_connection(connection);
    }
}

const char *fakeds__connection_peer(const struct fakeds__connection *connection)
{
    return connection->peer;
}

static void record(const struct fakeds__connection *connection, const char *cause,
                   const char *detail)
{
    struct rt_record line = {
        .kind = RT_REC_CONNECTION,
        .actor = connection->worker->options.name,
        .subject = connection->peer,
        .cause = cause,
        .detail = detail,
    };
    rt_journal_append(connection->worker->environment.journal, &line);
}
