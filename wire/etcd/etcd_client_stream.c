/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/etcd/etcd_client_internal.h"
#include "wire/protobuf_bytes.h"

#include <event2/buffer.h>
#include <stdlib.h>

/*
 *   open --> (token) --> START --messages both ways--> ended by the server, or closed by the owner
 *
 * What is sent before START is kept and goes out first.
 */
static enum rt_status open_stream(struct etcd_client *client, const struct etcd__method *method,
                                  const struct etcd_stream_handler *handler, void *arg,
                                  struct etcd_stream **out_stream);
static enum rt_status send_message(struct etcd_stream *stream, const ProtobufCMessage *message);
static void on_start(void *arg);
static bool start(struct etcd_stream *stream);
static bool send_early(struct etcd_stream *stream);
static void on_message(void *arg, struct rt_slice message);
static void on_end(void *arg, const struct grpc_outcome *outcome);
static void finish(struct etcd_stream *stream, const struct grpc_outcome *outcome);
static void unlink_stream(struct etcd_stream *stream);

static const struct etcd__method KEEPALIVE = {
    .path = "/etcdserverpb.Lease/LeaseKeepAlive",
    .response = &etcdserverpb__lease_keep_alive_response__descriptor};
static const struct etcd__method WATCH = {.path = "/etcdserverpb.Watch/Watch",
                                          .response = &etcdserverpb__watch_response__descriptor};
static const struct grpc_request_handler HANDLER = {.on_message = on_message, .on_end = on_end};

enum rt_status etcd_keepalive_open(struct etcd_client *client,
                                   const struct etcd_stream_handler *handler, void *arg,
                                   struct etcd_stream **out_stream)
{
    return open_stream(client, &KEEPALIVE, handler, arg, out_stream);
}

enum rt_status etcd_keepalive_send(struct etcd_stream *stream, int64_t lease)
{
    Etcdserverpb__LeaseKeepAliveRequest request = ETCDSERVERPB__LEASE_KEEP_ALIVE_REQUEST__INIT;
    request.id = lease;
    return send_message(stream, &request.base);
}

enum rt_status etcd_watch_open(struct etcd_client *client,
                               const struct etcd_stream_handler *handler, void *arg,
                               struct etcd_stream **out_stream)
{
    return open_stream(client, &WATCH, handler, arg, out_stream);
}

enum rt_status etcd_watch_create(struct etcd_stream *stream, struct rt_slice key,
                                 struct rt_slice range_end, int64_t start_revision)
{
    Etcdserverpb__WatchRequest request = ETCDSERVERPB__WATCH_REQUEST__INIT;
    Etcdserverpb__WatchCreateRequest create = ETCDSERVERPB__WATCH_CREATE_REQUEST__INIT;
    create.key = pb_bytes(key);
    create.range_end = pb_bytes(range_end);
    create.start_revision = start_revision;
    request.request_union_case = ETCDSERVERPB__WATCH_REQUEST__REQUEST_UNION_CREATE_REQUEST;
    request.create_request = &create;
    return send_message(stream, &request.base);
}

static enum rt_status open_stream(struct etcd_client *client, const struct etcd__method *method,
                                  const struct etcd_stream_handler *handler, void *arg,
                                  struct etcd_stream **out_stream)
{
    struct etcd_stream *stream = calloc(1, sizeof(*stream));
    if (stream == NULL || (stream->early = evbuffer_new()) == NULL) {
        free(stream);
        return RT_E_NOMEM;
    }
    stream->client = client;
    stream->method = method;
    stream->handler = handler;
    stream->arg = arg;
    rt_task_init(&stream->start_task, client->loop, on_start, stream);
    rt_task_schedule(&stream->start_task);
    TAILQ_INSERT_TAIL(&client->streams, stream, others);
    *out_stream = stream;
    return RT_OK;
}

static enum rt_status send_message(struct etcd_stream *stream, const ProtobufCMessage *message)
{
    size_t len_bytes = protobuf_c_message_get_packed_size(message);
    if (stream->request != NULL) {
        uint8_t *room = grpc_request_reserve(stream->request, len_bytes);
        if (room == NULL) {
            return RT_E_NOMEM;
        }
        protobuf_c_message_pack(message, room);
        return RT_OK;
    }
    uint8_t *packed = malloc(len_bytes + 1);
    if (packed == NULL) {
        return RT_E_NOMEM;
    }
    protobuf_c_message_pack(message, packed);
    int failure = evbuffer_expand(stream->early, sizeof(len_bytes) + len_bytes);
    if (failure == 0) {
        failure = evbuffer_add(stream->early, &len_bytes, sizeof(len_bytes));
    }
    if (failure == 0) {
        failure = evbuffer_add(stream->early, packed, len_bytes);
    }
    free(packed);
    return failure == 0 ? RT_OK : RT_E_NOMEM;
}

static void on_start(void *arg)
{
    struct etcd_stream *stream = arg;
    struct etcd_client *client = stream->client;
    if (client->token == NULL && client->refusal_code != GRPC_OK) {
        finish(stream,
               &(struct grpc_outcome){.code = client->refusal_code, .text = client->refusal});
    } else if (!etcd__auth_is_needed(client) && !start(stream)) {
        finish(stream,
               &(struct grpc_outcome){.code = GRPC_RESOURCE_EXHAUSTED, .text = "out of memory"});
    }
}

static bool start(struct etcd_stream *stream)
{
    stream->endpoint = stream->client->endpoint;
    return etcd__request_start(stream->client, stream->method, RT_NEVER, &HANDLER, stream,
                               &stream->request) == RT_OK &&
           send_early(stream);
}

static bool send_early(struct etcd_stream *stream)
{
    size_t len_bytes;
    while (evbuffer_remove(stream->early, &len_bytes, sizeof(len_bytes)) ==
           (int)sizeof(len_bytes)) {
        uint8_t *room = grpc_request_reserve(stream->request, len_bytes);
        if (room == NULL) {
            return false;
        }
        evbuffer_remove(stream->early, room, len_bytes);
    }
    return true;
}

/* A message that does not parse ends the stream, as it does for every gRPC client. */
static void on_message(void *arg, struct rt_slice message)
{
    struct etcd_stream *stream = arg;
    struct etcd_client *client = stream->client;
    dsrpc_arena_reset(client->arena);
    const ProtobufCMessage *response =
        dsrpc_unpack(stream->method->response, message, client->arena);
    if (response == NULL) {
        finish(stream,
               &(struct grpc_outcome){.code = GRPC_INTERNAL, .text = "Failed parsing response"});
        return;
    }
    stream->handler->on_message(stream->arg, response);
}

static void on_end(void *arg, const struct grpc_outcome *outcome)
{
    struct etcd_stream *stream = arg;
    struct etcd_client *client = stream->client;
    stream->request = NULL;
    if (!outcome->is_from_server) {
        etcd__endpoint_failed(client, stream->endpoint);
    }
    if (etcd__auth_is_token_refused(outcome)) {
        etcd__auth_forget_token(client);
    }
    finish(stream, outcome);
}

/* The only place a stream ends by itself. The callback may destroy the client. */
static void finish(struct etcd_stream *stream, const struct grpc_outcome *outcome)
{
    struct etcd_result result = {.code = outcome->code,
                                 .text = outcome->text,
                                 .is_from_server = outcome->is_from_server,
                                 .attempt_count = 1};
    const struct etcd_stream_handler *handler = stream->handler;
    void *arg = stream->arg;
    unlink_stream(stream);
    handler->on_end(arg, &result);
}

void etcd_stream_close(struct etcd_stream *stream)
{
    if (stream != NULL) {
        unlink_stream(stream);
    }
}

static void unlink_stream(struct etcd_stream *stream)
{
    TAILQ_REMOVE(&stream->client->streams, stream, others);
    rt_task_cancel(&stream->start_task);
    if (stream->request != NULL) {
        grpc_request_cancel(stream->request);
    }
    evbuffer_free(stream->early);
    free(stream);
}
