/* SPDX-License-Identifier: Apache-2.0 */
#include "ds_worker.h"
#include "wire/proto/datasystem.pb-c.h"

#include <stdio.h>

static void on_accept(void *arg, struct rt_stream *stream);
static void on_input(void *arg);
static void on_closed(void *arg, enum rt_status reason);
static void on_message(struct worker_connection *connection, const struct zmtp_message *message);
static void answer(struct worker_connection *connection, const struct dsrpc_request *request);
static void drop(struct worker_connection *connection);

static const struct rt_stream_handler HANDLER = {.on_input = on_input, .on_closed = on_closed};

void worker_init(struct worker *worker, struct rt_loop *loop, struct rt_network *network)
{
    *worker = (struct worker){.loop = loop,
                              .network = network,
                              .client_id = "client-id-1",
                              .start_id = "start-1",
                              .dead_s = 60,
                              .reconnect_wait_s = 5};
}

void worker_listen(struct worker *worker, const char *address)
{
    assert_int_equal(
        rt_network_listen(worker->network, address, on_accept, worker, &worker->listener), RT_OK);
    (void)snprintf(worker->address, sizeof(worker->address), "%s",
                   rt_listener_address(worker->listener));
}

void worker_hide(struct worker *worker)
{
    if (worker->listener != NULL) {
        rt_listener_destroy(worker->listener);
        worker->listener = NULL;
    }
}

void worker_cut(struct worker *worker)
{
    for (size_t i = 0; i < WORKER_CONNECTIONS_MAX; i++) {
        drop(&worker->connections[i]);
    }
}

void worker_fini(struct worker *worker)
{
    worker_cut(worker);
    worker_hide(worker);
}

static void drop(struct worker_connection *connection)
{
    if (connection->stream != NULL) {
        rt_stream_reset(connection->stream);
        zmtp_codec_destroy(connection->codec);
        connection->stream = NULL;
        connection->codec = NULL;
    }
}

/* ---- connections ---- */

static void on_accept(void *arg, struct rt_stream *stream)
{
    struct worker *worker = arg;
    struct zmtp_options options = {.role = ZMTP_ROUTER};
    struct worker_connection *connection = worker->connections;

    while (connection->stream != NULL) {
        connection++;
        assert_true(connection < worker->connections + WORKER_CONNECTIONS_MAX);
    }
    worker->accepted++;
    *connection = (struct worker_connection){.worker = worker, .stream = stream};
    assert_int_equal(zmtp_codec_create(&options, &connection->codec), RT_OK);
    rt_stream_set_handler(stream, &HANDLER, connection);
    if (!worker->is_greeting_kept) {
        assert_int_equal(zmtp_start(connection->codec, rt_stream_outbox(stream)), RT_OK);
        rt_stream_flush(stream);
    }
}

static void on_closed(void *arg, enum rt_status reason)
{
    (void)reason;
    drop(arg);
}

static void on_input(void *arg)
{
    struct worker_connection *connection = arg;
    struct worker *worker = connection->worker;
    enum rt_status status = RT_OK;

    while (connection->stream != NULL && !worker->is_greeting_kept && status == RT_OK) {
        enum zmtp_event event;
        struct zmtp_message message;
        status = zmtp_receive(connection->codec, rt_stream_inbox(connection->stream),
                              rt_stream_outbox(connection->stream), &event, &message);
        if (status == RT_OK && event == ZMTP_EVENT_PROBE) {
            worker->probes++;
        } else if (status == RT_OK && event == ZMTP_EVENT_MESSAGE && !worker->is_deaf) {
            on_message(connection, &message);
        }
    }
    assert_true(status == RT_OK || status == RT_E_AGAIN);
    if (connection->stream != NULL) {
        rt_stream_flush(connection->stream);
    }
}

/* ---- requests ---- */

static void copy_text(char *to, size_t to_bytes, struct rt_slice from)
{
    assert_true(from.len_bytes < to_bytes);
    memcpy(to, from.data, from.len_bytes);
    to[from.len_bytes] = '\0';
}

static void remember(struct worker_connection *connection, const struct dsrpc_request *request)
{
    struct worker *worker = connection->worker;
    struct worker_arrival *arrival = &worker->arrivals[worker->arrival_count++];

    assert_true(worker->arrival_count <= WORKER_ARRIVALS_MAX);
    *arrival = (struct worker_arrival){.op = request->op,
                                       .time_us = rt_loop_now_us(worker->loop),
                                       .told_ms = request->meta.timeout,
                                       .payload_bytes = request->payload.total_bytes};
    copy_text(arrival->identity, sizeof(arrival->identity), zmtp_peer_identity(connection->codec));
    copy_text(arrival->queue_id, sizeof(arrival->queue_id), request->meta.queue_id);
    arrival->meta_bytes = request->meta.raw.len_bytes;
    assert_true(arrival->meta_bytes <= sizeof(arrival->meta));
    memcpy(arrival->meta, request->meta.raw.data, arrival->meta_bytes);
    arrival->body_bytes =
        request->body.len_bytes < WORKER_BODY_BYTES ? request->body.len_bytes : WORKER_BODY_BYTES;
    if (arrival->body_bytes > 0) {
        memcpy(arrival->body, request->body.data, arrival->body_bytes);
    }
    memcpy(worker->last_identity, arrival->identity, sizeof(worker->last_identity));
}

static void on_message(struct worker_connection *connection, const struct zmtp_message *message)
{
    struct worker *worker = connection->worker;
    struct dsrpc_request request;
    const char *why = "";

    assert_int_equal(dsrpc_request_decode(&dsrpc_profile_0_8_1, message, &request, &why), RT_OK);
    if (request.op == DSRPC_OP_ZMQ_HEARTBEAT) {
        worker->first_beat_us =
            worker->beats == 0 ? rt_loop_now_us(worker->loop) : worker->first_beat_us;
        worker->beats++;
        assert_int_equal(
            dsrpc_zmq_heartbeat_answer(&request.meta, rt_stream_outbox(connection->stream)), RT_OK);
        return;
    }
    assert_true(request.op != DSRPC_OP_UNKNOWN);
    remember(connection, &request);
    answer(connection, &request);
}

static void send_answer(struct rt_stream *stream, struct rt_slice queue_id, struct rt_slice meta,
                        enum dsrpc_op op, struct rt_slice body, const struct worker_rule *rule)
{
    struct dsrpc_piece pieces[WORKER_PARTS_MAX];
    struct dsrpc_value values[WORKER_PARTS_MAX];

    for (size_t i = 0; i < rule->part_count; i++) {
        pieces[i] = (struct dsrpc_piece){.bytes = rule->parts[i]};
        values[i] = (struct dsrpc_value){&pieces[i], 1, rule->parts[i].len_bytes};
    }
    assert_int_equal(dsrpc_answer_encode(queue_id, meta, K_OK, (struct rt_slice){0}, body,
                                         op == DSRPC_OP_GET, values, rule->part_count,
                                         rt_stream_outbox(stream)),
                     RT_OK);
    rt_stream_flush(stream);
}

/* What a registration and a heartbeat say. */
static size_t control_body(const struct worker *worker, enum dsrpc_op op, uint8_t *to)
{
    Ds__RegisterClientRsp registered = DS__REGISTER_CLIENT_RSP__INIT;
    Ds__HeartbeatRsp beat = DS__HEARTBEAT_RSP__INIT;
    ProtobufCBinaryData start_id = {strlen(worker->start_id), (uint8_t *)worker->start_id};

    if (op == DSRPC_OP_REGISTER) {
        registered.client_id.len = strlen(worker->client_id);
        registered.client_id.data = (uint8_t *)(uintptr_t)worker->client_id;
        registered.worker_start_id = start_id;
        registered.client_dead_timeout_s = worker->dead_s;
        registered.client_reconnect_wait_s = worker->reconnect_wait_s;
        return ds__register_client_rsp__pack(&registered, to);
    }
    if (op == DSRPC_OP_HEARTBEAT) {
        beat.worker_start_id = start_id;
        beat.client_removed = worker->is_client_removed;
        return ds__heartbeat_rsp__pack(&beat, to);
    }
    return 0;
}

static void send_frames(struct rt_stream *stream, const struct dsrpc_request *request,
                        const struct worker_rule *rule)
{
    struct rt_outbox *out = rt_stream_outbox(stream);

    assert_int_equal(zmtp_write_frame(out, request->meta.queue_id, true), RT_OK);
    assert_int_equal(zmtp_write_frame(out, request->meta.raw, rule->part_count > 0), RT_OK);
    for (size_t i = 0; i < rule->part_count; i++) {
        assert_int_equal(zmtp_write_frame(out, rule->parts[i], i + 1 < rule->part_count), RT_OK);
    }
    rt_stream_flush(stream);
}

static void answer(struct worker_connection *connection, const struct dsrpc_request *request)
{
    struct worker *worker = connection->worker;
    struct worker_rule rule = worker->rules[request->op];
    uint8_t control[256];
    struct rt_slice body = rule.body;

    if (rule.times > 0 && --worker->rules[request->op].times == 0) {
        worker->rules[request->op] = (struct worker_rule){0};
    }
    if (body.len_bytes == 0) {
        body = rt_slice_of(control, control_body(worker, request->op, control));
    }
    if (rule.does == WORKER_SUCCEEDS) {
        send_answer(connection->stream, request->meta.queue_id, request->meta.raw, request->op,
                    body, &rule);
    } else if (rule.does == WORKER_REFUSES) {
        assert_int_equal(dsrpc_answer_encode(request->meta.queue_id, request->meta.raw, rule.code,
                                             rt_slice_text(rule.text), (struct rt_slice){0}, false,
                                             NULL, 0, rt_stream_outbox(connection->stream)),
                         RT_OK);
    } else if (rule.does == WORKER_FRAMES) {
        send_frames(connection->stream, request, &rule);
    } else if (rule.does == WORKER_CUTS) {
        drop(connection);
    }
}

/* ---- for tests ---- */

void worker_set_rule(struct worker *worker, enum dsrpc_op op, struct worker_rule rule)
{
    worker->rules[op] = rule;
}

void worker_refuses(struct worker *worker, enum dsrpc_op op, int32_t code, const char *text)
{
    worker->rules[op] = (struct worker_rule){.does = WORKER_REFUSES, .code = code, .text = text};
}

void worker_is_silent(struct worker *worker, enum dsrpc_op op)
{
    worker->rules[op] = (struct worker_rule){.does = WORKER_SILENT};
}

void worker_answer_kept(struct worker *worker, const struct worker_arrival *arrival)
{
    struct worker_rule nothing = {0};

    for (size_t i = WORKER_CONNECTIONS_MAX; i > 0; i--) {
        const struct worker_connection *connection = &worker->connections[i - 1];
        if (connection->stream != NULL && zmtp_is_open(connection->codec) &&
            rt_slice_is_text(zmtp_peer_identity(connection->codec), arrival->identity)) {
            send_answer(connection->stream, rt_slice_text(arrival->queue_id),
                        rt_slice_of(arrival->meta, arrival->meta_bytes), arrival->op,
                        (struct rt_slice){0}, &nothing);
            return;
        }
    }
    fail_msg("no connection of %s", arrival->identity);
}

size_t worker_count(const struct worker *worker, enum dsrpc_op op)
{
    size_t count = 0;

    for (size_t i = 0; i < worker->arrival_count; i++) {
        count += worker->arrivals[i].op == op;
    }
    return count;
}

const struct worker_arrival *worker_arrival(const struct worker *worker, enum dsrpc_op op,
                                            size_t index)
{
    for (size_t i = 0; i < worker->arrival_count; i++) {
        if (worker->arrivals[i].op == op && index-- == 0) {
            return &worker->arrivals[i];
        }
    }
    fail_msg("not so many requests of %s", dsrpc_op_word(op));
    return NULL;
}
