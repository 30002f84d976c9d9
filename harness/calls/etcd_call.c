/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   scn_etcd_call_start --> grpc_request --message--> on_message --(first)--> finish
 *                                |                        `--> kept for statements
 *                                '--------end-----> on_end ------(if not done)--> finish
 */
#include "harness/calls/etcd_call.h"

#include "harness/language/etcd_message.h"
#include "wire/proto/etcd_rpc.pb-c.h"

#include <inttypes.h>
#include <stdlib.h>

#define METADATA_MAX 4

static void on_message(void *arg, struct rt_slice message);
static void on_end(void *arg, const struct grpc_outcome *outcome);
static void on_repeat(void *arg);
static enum rt_status send_request(struct scn_etcd_call *etcd);
static void keep_token(struct scn_etcd_call *etcd);

static const struct grpc_request_handler HANDLER = {on_message, on_end};

/* ---- starting ---- */

static const char *token_of(const struct scn_world *world, const char *step_id)
{
    for (const struct scn_etcd_token *token = world->etcd_tokens; token != NULL;
         token = token->next) {
        if (strcmp(token->step_id, step_id) == 0) {
            return token->text;
        }
    }
    return "";
}

static enum rt_status open_request(struct scn_etcd_call *etcd)
{
    struct scn_world *world = etcd->call->world;
    const struct scn_etcd_arguments *arguments = &etcd->call->step->arguments.etcd;
    struct grpc_metadata metadata[METADATA_MAX];
    size_t count = 0;
    char path[160];
    struct grpc_channel *channel = scn_world_etcd_channel(world, arguments->server, arguments->as);
    uint64_t deadline_us = RT_NEVER;

    if (channel == NULL) {
        return RT_E_NOMEM;
    }
    if (arguments->requires_leader) {
        metadata[count++] = (struct grpc_metadata){"hasleader", rt_slice_text("true")};
    }
    if (arguments->token_of != NULL) {
        metadata[count++] =
            (struct grpc_metadata){"token", rt_slice_text(token_of(world, arguments->token_of))};
    }
    if (arguments->token != NULL) {
        metadata[count++] = (struct grpc_metadata){"token", rt_slice_text(arguments->token)};
    }
    if (etcd->call->step->arguments.deadline_node != NULL) {
        deadline_us = rt_loop_now_us(world->loop) + etcd->call->step->arguments.deadline_us;
    }
    (void)snprintf(path, sizeof(path), "/%s/%s", etcd->method->service, etcd->method->name);
    return grpc_request_start(channel, path, metadata, count, deadline_us, &HANDLER, etcd,
                              &etcd->request);
}

enum rt_status scn_etcd_call_start(struct scn_call *call)
{
    const struct scn_etcd_arguments *arguments = &call->step->arguments.etcd;
    struct scn_etcd_call *etcd = calloc(1, sizeof(*etcd));

    if (etcd == NULL) {
        return RT_E_NOMEM;
    }
    call->etcd = etcd;
    etcd->call = call;
    etcd->method = scn_etcd_method(arguments->call);
    rt_timer_init(&etcd->repeat, call->world->loop, on_repeat, etcd);
    etcd->message =
        scn_message_make(etcd->method->request, arguments->request, call->world->scenario->doc);
    enum rt_status status = etcd->message == NULL ? RT_E_NOMEM : open_request(etcd);
    if (status == RT_OK) {
        status = send_request(etcd);
    }
    if (status == RT_OK && etcd->method->kind != FAKEETCD_BIDI) {
        grpc_request_half_close(etcd->request);
    }
    if (status != RT_OK && etcd->request != NULL) { /* the call dies before its channel */
        grpc_request_cancel(etcd->request);
        etcd->request = NULL;
    }
    return status;
}

static enum rt_status send_request(struct scn_etcd_call *etcd)
{
    uint64_t every_us = etcd->call->step->arguments.etcd.every_us;
    uint8_t *room =
        grpc_request_reserve(etcd->request, protobuf_c_message_get_packed_size(etcd->message));

    if (room == NULL) {
        return RT_E_NOMEM;
    }
    (void)protobuf_c_message_pack(etcd->message, room);
    return every_us == 0 ? RT_OK : rt_timer_arm_after(&etcd->repeat, every_us);
}

static void on_repeat(void *arg)
{
    struct scn_etcd_call *etcd = arg;

    if (etcd->request != NULL) {
        (void)!send_request(etcd);
    }
}

/* ---- what comes ---- */

static void finish(struct scn_etcd_call *etcd)
{
    if (!scn_call_is_done(etcd->call)) {
        scn_call_finish_etcd(etcd->call, etcd->code, etcd->text);
    }
}

static bool keep_reply(struct scn_etcd_call *etcd, ProtobufCMessage *reply)
{
    if (etcd->reply_count == etcd->reply_capacity) {
        size_t capacity = etcd->reply_capacity * 2 + 4;
        ProtobufCMessage **replies = realloc(etcd->replies, capacity * sizeof(*replies));
        if (replies == NULL) {
            return false;
        }
        etcd->replies = replies;
        etcd->reply_capacity = capacity;
    }
    etcd->replies[etcd->reply_count++] = reply;
    return true;
}

static bool is_lease_lost(const ProtobufCMessage *reply)
{
    return reply->descriptor == &etcdserverpb__lease_keep_alive_response__descriptor &&
           ((const Etcdserverpb__LeaseKeepAliveResponse *)reply)->ttl == 0;
}

static void on_message(void *arg, struct rt_slice message)
{
    struct scn_etcd_call *etcd = arg;
    ProtobufCMessage *reply =
        protobuf_c_message_unpack(etcd->method->response, NULL, message.len_bytes, message.data);

    if (reply == NULL || !keep_reply(etcd, reply)) {
        if (reply != NULL) {
            protobuf_c_message_free_unpacked(reply, NULL);
        }
        etcd->code = GRPC_INTERNAL;
        finish(etcd);
        return;
    }
    keep_token(etcd);
    bool is_stream = etcd->method->kind != FAKEETCD_UNARY;
    bool is_repeating = etcd->call->step->arguments.etcd.every_us > 0;
    if (is_stream && (!is_repeating || is_lease_lost(reply))) {
        rt_timer_disarm(&etcd->repeat);
        finish(etcd);
    }
}

static void on_end(void *arg, const struct grpc_outcome *outcome)
{
    struct scn_etcd_call *etcd = arg;

    etcd->request = NULL;
    etcd->is_ended = true;
    rt_timer_disarm(&etcd->repeat);
    etcd->code = outcome->code;
    free(etcd->text);
    etcd->text = strdup(outcome->text == NULL ? "" : outcome->text);
    finish(etcd);
}

static void keep_token(struct scn_etcd_call *etcd)
{
    const char *step_id = etcd->call->step->id;

    if (step_id == NULL ||
        etcd->method->response != &etcdserverpb__authenticate_response__descriptor) {
        return;
    }
    const Etcdserverpb__AuthenticateResponse *reply = (const void *)etcd->replies[0];
    struct scn_etcd_token *token = calloc(1, sizeof(*token));
    if (token == NULL) {
        return;
    }
    token->step_id = step_id;
    token->text = strndup((const char *)reply->token.data, reply->token.len);
    if (token->text == NULL) {
        free(token);
        return;
    }
    token->next = etcd->call->world->etcd_tokens;
    etcd->call->world->etcd_tokens = token;
}

/* ---- ending ---- */

bool scn_etcd_call_end(struct scn_call *call)
{
    struct scn_etcd_call *etcd = call->etcd;

    if (etcd == NULL || etcd->request == NULL) {
        return false;
    }
    rt_timer_disarm(&etcd->repeat);
    grpc_request_cancel(etcd->request);
    etcd->request = NULL;
    etcd->is_ended = true;
    etcd->code = GRPC_CANCELLED;
    finish(etcd);
    return true;
}

/* The channel has gone before, and the request with it. */
void scn_etcd_call_destroy(struct scn_etcd_call *etcd)
{
    if (etcd == NULL) {
        return;
    }
    rt_timer_disarm(&etcd->repeat);
    for (size_t i = 0; i < etcd->reply_count; i++) {
        protobuf_c_message_free_unpacked(etcd->replies[i], NULL);
    }
    free(etcd->replies);
    free(etcd->text);
    free(etcd);
}

/* ---- events of watches ---- */

static const Etcdserverpb__WatchResponse *watch_reply(const struct scn_etcd_call *etcd,
                                                      size_t index)
{
    return etcd->method->response == &etcdserverpb__watch_response__descriptor
               ? (const void *)etcd->replies[index]
               : NULL;
}

size_t scn_etcd_event_count(const struct scn_etcd_call *etcd)
{
    size_t count = 0;

    for (size_t i = 0; i < etcd->reply_count; i++) {
        const Etcdserverpb__WatchResponse *reply = watch_reply(etcd, i);
        count += reply == NULL ? 0 : reply->n_events;
    }
    return count;
}

static void print_event(const Mvccpb__Event *event, char *out_text, size_t text_bytes)
{
    char key[128] = "";
    char value[128] = "";
    char before[128] = "";
    const Mvccpb__KeyValue *kv = event->kv;

    if (kv != NULL) {
        scn_message_print_bytes(rt_slice_of(kv->key.data, kv->key.len), key, sizeof(key));
        scn_message_print_bytes(rt_slice_of(kv->value.data, kv->value.len), value, sizeof(value));
    }
    if (event->prev_kv != NULL) {
        const ProtobufCBinaryData *bytes = &event->prev_kv->value;
        scn_message_print_bytes(rt_slice_of(bytes->data, bytes->len), before, sizeof(before));
    }
    bool is_put = event->type == MVCCPB__EVENT__EVENT_TYPE__PUT;
    (void)snprintf(out_text, text_bytes, "%s %s%s%s%s%s%s", is_put ? "PUT" : "DELETE", key,
                   is_put ? "=" : "", is_put ? value : "", event->prev_kv != NULL ? " (was " : "",
                   before, event->prev_kv != NULL ? ")" : "");
}

bool scn_etcd_event_text(const struct scn_etcd_call *etcd, size_t index, char *out_text,
                         size_t text_bytes)
{
    for (size_t i = 0; i < etcd->reply_count; i++) {
        const Etcdserverpb__WatchResponse *reply = watch_reply(etcd, i);
        size_t count = reply == NULL ? 0 : reply->n_events;
        if (index < count) {
            print_event(reply->events[index], out_text, text_bytes);
            return true;
        }
        index -= count;
    }
    return false;
}
