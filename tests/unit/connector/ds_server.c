/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/connector/ds_server.h"

#include "wire/proto/datasystem.pb-c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void on_accept(void *arg, struct rt_stream *stream);
static void on_input(void *arg);
static void on_closed(void *arg, enum rt_status reason);
static void on_message(struct server_connection *connection, const struct zmtp_message *message);
static void answer_by_rule(struct server *server, const struct server_request *request);
static void answer_as_told(struct server *server, const struct server_request *request,
                           const struct server_rule *rule);
static void send_frames(struct server *server, const struct server_request *request,
                        const struct server_rule *rule);

static const struct rt_stream_handler HANDLER = {.on_input = on_input, .on_closed = on_closed};

void server_init(struct server *server, struct rt_loop *loop, struct rt_network *network)
{
    *server = (struct server){.loop = loop,
                              .network = network,
                              .start_id = "start-1",
                              .dead_s = 60,
                              .reconnect_wait_s = 5};
}

void server_listen(struct server *server, const char *address)
{
    assert_int_equal(
        rt_network_listen(server->network, address, on_accept, server, &server->listener), RT_OK);
    (void)snprintf(server->address, sizeof(server->address), "%s",
                   rt_listener_address(server->listener));
}

void server_stop_listening(struct server *server)
{
    rt_listener_destroy(server->listener);
    server->listener = NULL;
}

static void drop(struct server_connection *connection)
{
    rt_stream_destroy(connection->stream);
    zmtp_codec_destroy(connection->codec);
    connection->stream = NULL;
    connection->codec = NULL;
}

void server_cut(struct server *server)
{
    for (size_t i = 0; i < SERVER_CONNECTIONS; i++) {
        if (server->connections[i].stream != NULL) {
            drop(&server->connections[i]);
        }
    }
}

void server_fini(struct server *server)
{
    server_cut(server);
    if (server->listener != NULL) {
        server_stop_listening(server);
    }
    server_forget(server);
    free(server->requests);
    rt_blob_release(server->value);
}

void server_forget(struct server *server)
{
    for (size_t i = 0; i < server->request_count; i++) {
        rt_blob_release(server->requests[i].queue_id);
        rt_blob_release(server->requests[i].meta);
        rt_blob_release(server->requests[i].body);
    }
    server->request_count = 0;
}

void server_rule(struct server *server, enum dsrpc_op op, struct server_rule rule)
{
    server->rules[op] = rule;
    server->has_rule[op] = true;
}

void server_refuse(struct server *server, enum dsrpc_op op, int32_t code, const char *text)
{
    server_rule(server, op, (struct server_rule){.code = code, .text = text});
}

void server_silence(struct server *server, enum dsrpc_op op)
{
    server_rule(server, op, (struct server_rule){.is_silent = true});
}

struct server_request *server_request(const struct server *server, enum dsrpc_op op, size_t number)
{
    for (size_t i = 0; i < server->request_count; i++) {
        if (server->requests[i].op == op && number-- == 0) {
            return &server->requests[i];
        }
    }
    return NULL;
}

size_t server_count(const struct server *server, enum dsrpc_op op)
{
    size_t count = 0;

    for (size_t i = 0; i < server->request_count; i++) {
        count += server->requests[i].op == op;
    }
    return count;
}

/* ---- connections ---- */

static void on_accept(void *arg, struct rt_stream *stream)
{
    struct server *server = arg;
    struct server_connection *connection = server->connections;
    struct zmtp_options options = {.role = ZMTP_ROUTER};

    server->accepted++;
    if (server->is_refusing) {
        rt_stream_reset(stream);
        return;
    }
    while (connection->stream != NULL) {
        connection++;
        assert_true(connection < server->connections + SERVER_CONNECTIONS);
    }
    connection->server = server;
    connection->stream = stream;
    rt_stream_set_handler(stream, &HANDLER, connection);
    if (!server->is_mute) {
        assert_int_equal(zmtp_codec_create(&options, &connection->codec), RT_OK);
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
    struct server_connection *connection = arg;
    struct zmtp_message message;
    enum zmtp_event event;
    enum rt_status status = RT_OK;

    while (connection->codec != NULL && status == RT_OK) {
        status = zmtp_receive(connection->codec, rt_stream_inbox(connection->stream),
                              rt_stream_outbox(connection->stream), &event, &message);
        if (status != RT_OK) {
            assert_int_equal(status, RT_E_AGAIN); /* the client sends no nonsense */
        } else if (event == ZMTP_EVENT_PROBE) {
            connection->server->probes++;
        } else if (event == ZMTP_EVENT_MESSAGE) {
            on_message(connection, &message);
        }
    }
    if (connection->stream != NULL) {
        rt_stream_flush(connection->stream);
    }
}

/* ---- requests ---- */

static struct server_request *remember(struct server_connection *connection,
                                       const struct dsrpc_request *request)
{
    struct server *server = connection->server;
    struct rt_slice identity = zmtp_peer_identity(connection->codec);

    if (server->request_count == server->request_capacity) {
        server->request_capacity = server->request_capacity * 2 + 64;
        server->requests =
            realloc(server->requests, server->request_capacity * sizeof(*server->requests));
        assert_non_null(server->requests);
    }
    struct server_request *seen = &server->requests[server->request_count++];
    *seen = (struct server_request){
        .op = request->op,
        .time_us = rt_loop_now_us(server->loop),
        .queue_id = rt_blob_copy(request->meta.queue_id),
        .meta = rt_blob_copy(request->meta.raw),
        .body = rt_blob_copy(request->body),
        .timeout_ms = request->meta.timeout,
        .part_count = request->payload.part_count,
        .payload_bytes = (size_t)request->payload.total_bytes,
    };
    if (request->payload.part_count > 0) {
        seen->first_blob = request->payload.parts[0].blob;
    }
    assert_true(identity.len_bytes < sizeof(seen->identity));
    memcpy(seen->identity, identity.data, identity.len_bytes);
    return seen;
}

static void on_message(struct server_connection *connection, const struct zmtp_message *message)
{
    struct server *server = connection->server;
    struct dsrpc_request request;
    const char *why = NULL;

    assert_int_equal(dsrpc_request_decode(&dsrpc_profile_0_8_1, message, &request, &why), RT_OK);
    if (request.op == DSRPC_OP_ZMQ_HEARTBEAT) {
        server->beats++;
        assert_int_equal(
            dsrpc_zmq_heartbeat_answer(&request.meta, rt_stream_outbox(connection->stream)), RT_OK);
        return;
    }
    assert_int_not_equal(request.op, DSRPC_OP_UNKNOWN);
    struct server_request seen = *remember(connection, &request);
    if (server->hook == NULL || !server->hook(server->hook_arg, server, &seen)) {
        answer_by_rule(server, &seen);
    }
}

static void answer_by_rule(struct server *server, const struct server_request *request)
{
    struct server_rule *rule = &server->rules[request->op];

    if (!server->has_rule[request->op] || rule->skip > 0) {
        rule->skip -= rule->skip > 0;
        (void)server_answer_well(server, request);
        return;
    }
    if (rule->is_frames) {
        send_frames(server, request, rule);
    } else if (!rule->is_silent) {
        answer_as_told(server, request, rule);
    }
    if (rule->times > 0 && --rule->times == 0) {
        server->has_rule[request->op] = false;
    }
}

/* ---- answers ---- */

/* The youngest connection of an identity is the one that holds it. */
static struct server_connection *connection_of(struct server *server,
                                               const struct server_request *request)
{
    struct server_connection *found = NULL;

    for (size_t i = 0; i < SERVER_CONNECTIONS; i++) {
        struct server_connection *one = &server->connections[i];
        if (one->stream != NULL && one->codec != NULL && zmtp_is_open(one->codec) &&
            rt_slice_is_text(zmtp_peer_identity(one->codec), request->identity)) {
            found = one;
        }
    }
    return found;
}

static void encode(const struct server_request *request, int32_t code, const char *text,
                   struct rt_slice body, bool has_payload, const struct dsrpc_value *parts,
                   size_t part_count, struct rt_outbox *out)
{
    assert_int_equal(dsrpc_answer_encode(rt_blob_slice(request->queue_id),
                                         rt_blob_slice(request->meta), code, rt_slice_text(text),
                                         body, has_payload, parts, part_count, out),
                     RT_OK);
}

bool server_answer(struct server *server, const struct server_request *request, int32_t code,
                   const char *text, struct rt_slice body, bool has_payload,
                   const struct dsrpc_value *parts, size_t part_count)
{
    struct server_connection *connection = connection_of(server, request);

    if (connection == NULL) {
        return false;
    }
    encode(request, code, text, body, has_payload, parts, part_count,
           rt_stream_outbox(connection->stream));
    rt_stream_flush(connection->stream);
    return true;
}

static void answer_as_told(struct server *server, const struct server_request *request,
                           const struct server_rule *rule)
{
    struct dsrpc_piece pieces[SERVER_PARTS];
    struct dsrpc_value parts[SERVER_PARTS];
    bool has_payload = rule->code == K_OK && request->op == DSRPC_OP_GET;

    for (size_t i = 0; i < rule->part_count; i++) {
        pieces[i] = (struct dsrpc_piece){.bytes = rule->parts[i]};
        parts[i] = (struct dsrpc_value){&pieces[i], 1, rule->parts[i].len_bytes};
    }
    (void)server_answer(server, request, rule->code, rule->text, rule->body, has_payload, parts,
                        rule->part_count);
}

static void send_frames(struct server *server, const struct server_request *request,
                        const struct server_rule *rule)
{
    struct server_connection *connection = connection_of(server, request);
    struct rt_outbox *out = rt_stream_outbox(connection->stream);

    assert_int_equal(zmtp_write_frame(out, rt_blob_slice(request->queue_id), true), RT_OK);
    assert_int_equal(zmtp_write_frame(out, rt_blob_slice(request->meta), rule->part_count > 0),
                     RT_OK);
    for (size_t i = 0; i < rule->part_count; i++) {
        assert_int_equal(zmtp_write_frame(out, rule->parts[i], i + 1 < rule->part_count), RT_OK);
    }
    rt_stream_flush(connection->stream);
}

static ProtobufCBinaryData data_of(const char *text)
{
    return (ProtobufCBinaryData){.len = strlen(text), .data = (uint8_t *)(uintptr_t)text};
}

static void pack(const ProtobufCMessage *message, struct dsrpc_arena *arena,
                 struct rt_slice *out_body)
{
    assert_int_equal(dsrpc_pack(message, arena, out_body), RT_OK);
}

static void pack_register(struct server *server, const struct server_request *request,
                          struct dsrpc_arena *arena, struct rt_slice *out_body)
{
    Ds__RegisterClientRsp reply = DS__REGISTER_CLIENT_RSP__INIT;
    const Ds__RegisterClientReq *asked =
        dsrpc_unpack(&ds__register_client_req__descriptor, rt_blob_slice(request->body), arena);

    assert_non_null(asked);
    reply.client_id = asked->client_id.len > 0 ? asked->client_id : data_of(SERVER_CLIENT_ID);
    reply.worker_start_id = data_of(server->start_id);
    reply.client_dead_timeout_s = server->dead_s;
    reply.client_reconnect_wait_s = server->reconnect_wait_s;
    pack(&reply.base, arena, out_body);
}

/* Every key is there, or none. */
static size_t pack_get(struct server *server, const struct server_request *request,
                       struct dsrpc_arena *arena, struct rt_slice *out_body)
{
    Ds__GetRsp reply = DS__GET_RSP__INIT;
    const Ds__GetReq *asked =
        dsrpc_unpack(&ds__get_req__descriptor, rt_blob_slice(request->body), arena);
    Ds__PayloadInfoPb infos[8];
    Ds__PayloadInfoPb *info_list[8];
    Ds__ObjectInfoPb objects[8];
    Ds__ObjectInfoPb *object_list[8];
    uint32_t indices[8];

    assert_non_null(asked);
    assert_true(asked->n_object_keys <= 8);
    for (uint32_t i = 0; i < asked->n_object_keys; i++) {
        ds__payload_info_pb__init(&infos[i]);
        ds__object_info_pb__init(&objects[i]);
        indices[i] = i;
        infos[i].object_index = i;
        infos[i].n_part_index = 1;
        infos[i].part_index = &indices[i];
        objects[i].object_index = i;
        objects[i].store_fd = -1;
        objects[i].data_size = -1;
        infos[i].data_size =
            server->value == NULL ? 0 : (int64_t)rt_blob_slice(server->value).len_bytes;
        info_list[i] = &infos[i];
        object_list[i] = &objects[i];
    }
    if (server->value != NULL) {
        reply.n_payload_info = asked->n_object_keys;
        reply.payload_info = info_list;
    } else {
        reply.n_objects = asked->n_object_keys;
        reply.objects = object_list;
    }
    pack(&reply.base, arena, out_body);
    return server->value != NULL ? asked->n_object_keys : 0;
}

static void pack_exist(const struct server_request *request, struct dsrpc_arena *arena,
                       struct rt_slice *out_body)
{
    Ds__ExistRsp reply = DS__EXIST_RSP__INIT;
    protobuf_c_boolean exists[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    const Ds__ExistReq *asked =
        dsrpc_unpack(&ds__exist_req__descriptor, rt_blob_slice(request->body), arena);

    assert_non_null(asked);
    reply.n_exists = asked->n_object_keys;
    reply.exists = exists;
    pack(&reply.base, arena, out_body);
}

static void encode_well(struct server *server, const struct server_request *request,
                        struct rt_outbox *out)
{
    struct dsrpc_arena *arena = dsrpc_arena_create();
    struct rt_slice body = {0};
    size_t part_count = 0;
    uint64_t sizes[1] = {5};
    struct dsrpc_piece piece = {.blob = server->value,
                                .bytes = server->value == NULL ? (struct rt_slice){0}
                                                               : rt_blob_slice(server->value)};
    struct dsrpc_value parts[8];

    if (request->op == DSRPC_OP_REGISTER) {
        pack_register(server, request, arena, &body);
    } else if (request->op == DSRPC_OP_HEARTBEAT) {
        Ds__HeartbeatRsp reply = DS__HEARTBEAT_RSP__INIT;
        reply.worker_start_id = data_of(server->start_id);
        reply.client_removed = server->is_client_removed;
        pack(&reply.base, arena, &body);
    } else if (request->op == DSRPC_OP_GET) {
        part_count = pack_get(server, request, arena, &body);
    } else if (request->op == DSRPC_OP_EXIST) {
        pack_exist(request, arena, &body);
    } else if (request->op == DSRPC_OP_QUERY_SIZE) {
        Ds__QuerySizeRsp reply = DS__QUERY_SIZE_RSP__INIT;
        reply.n_sizes = 1;
        reply.sizes = sizes;
        pack(&reply.base, arena, &body);
    }
    for (size_t i = 0; i < part_count; i++) {
        parts[i] = (struct dsrpc_value){
            .pieces = &piece, .piece_count = 1, .total_bytes = piece.bytes.len_bytes};
    }
    encode(request, K_OK, "", body, request->op == DSRPC_OP_GET, parts, part_count, out);
    dsrpc_arena_destroy(arena);
}

bool server_answer_well(struct server *server, const struct server_request *request)
{
    struct server_connection *connection = connection_of(server, request);

    if (connection == NULL) {
        return false;
    }
    encode_well(server, request, rt_stream_outbox(connection->stream));
    rt_stream_flush(connection->stream);
    return true;
}

struct rt_blob *server_good_bytes(struct server *server, const struct server_request *request)
{
    struct rt_outbox *out = rt_outbox_create();
    uint8_t *data = NULL;

    encode_well(server, request, out);
    struct rt_blob *blob = rt_blob_create(rt_outbox_len_bytes(out), &data);
    rt_outbox_copy(out, data, rt_outbox_len_bytes(out));
    rt_outbox_destroy(out);
    return blob;
}

bool server_send(struct server *server, const struct server_request *request, struct rt_slice bytes)
{
    struct server_connection *connection = connection_of(server, request);

    if (connection == NULL) {
        return false;
    }
    if (bytes.len_bytes > 0) {
        assert_int_equal(
            rt_outbox_add(rt_stream_outbox(connection->stream), bytes.data, bytes.len_bytes),
            RT_OK);
    }
    rt_stream_flush(connection->stream);
    return true;
}

void server_cut_connection_of(struct server *server, const struct server_request *request)
{
    struct server_connection *connection = connection_of(server, request);

    if (connection != NULL) {
        drop(connection);
    }
}
