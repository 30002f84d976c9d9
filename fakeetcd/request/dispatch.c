/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/request/dispatch.h"

#include "fakeetcd/request/call_later.h"
#include "fakeetcd/request/fault_points.h"
#include "fakeetcd/request/unmarshal.h"
#include "wire/proto/etcd_rpc.pb-c.h"

#include <stdio.h>
#include <stdlib.h>

/*
 * Before the handler:
 *
 *   message --> depth, unpack --request--> leader --> identity, access --> handler
 *                                 |           |
 *                                 '-----------+-- kept (call_later.c), goes on from there
 */

/* What a raft request adds to the message it carries. */
#define ENVELOPE_BYTES 19

static void arrive(struct fakeetcd_call *call, const ProtobufCMessage *request, size_t len_bytes);
static void take(struct fakeetcd_call *call, struct rt_slice message, bool is_past_request);
static void refuse_bytes(struct fakeetcd_call *call, struct rt_slice message);
static void process(struct fakeetcd_call *call, const ProtobufCMessage *request,
                    struct rt_slice message);
static bool is_waiting_for_leader(struct fakeetcd_call *call, const ProtobufCMessage *request,
                                  struct rt_slice message);
static void stop_waiting_for_leader(struct fakeetcd__later *later);
static void go_on_thawed(struct fakeetcd__later *later);
static void for_each_later(struct fakeetcd_server *server,
                           void (*visit)(struct fakeetcd__later *later));
static enum fakeetcd_error check_access(struct fakeetcd_call *call,
                                        const ProtobufCMessage *request);
static enum fakeetcd_access_need access_need(const struct fakeetcd_call *call,
                                             const ProtobufCMessage *request, bool is_old);
static enum fakeetcd_error as_auth_store_says(enum fakeetcd_error error);
static void half_close(struct fakeetcd_call *call);

void fakeetcd_call_begin(struct fakeetcd_call *call)
{
    struct fakeetcd_server *server = call->server;
    struct rt_slice wish;
    call->id = ++server->next_call_id;
    call->cause = "";
    if (!fakeetcd_method_is_in(call->method, server->profile)) {
        char text[160];
        snprintf(text, sizeof(text), "unknown method %s for service %s", call->method->name,
                 call->method->service);
        arrive(call, NULL, 0);
        fakeetcd_call_finish(call, GRPC_UNIMPLEMENTED, text);
        return;
    }
    call->is_wanting_leader =
        call->transport->metadata(call, "hasleader", &wish) && rt_slice_is_text(wish, "true");
    if (call->is_wanting_leader && server->is_leaderless) {
        arrive(call, NULL, 0);
        fakeetcd_call_fail(call, FAKEETCD_E_NO_LEADER);
    } else if (call->method->kind == FAKEETCD_BIDI) {
        arrive(call, NULL, 0);
    }
}

/* Streams arrive when they are opened, others with their request. */
static void arrive(struct fakeetcd_call *call, const ProtobufCMessage *request, size_t len_bytes)
{
    const struct rt_slice *keys = NULL;
    size_t key_count = 0;
    if (call->is_arrived) {
        return;
    }
    call->is_arrived = true;
    fakeetcd__counts_of(call)->arrived++;
    if (call->server->environment.journal == NULL) {
        return;
    }
    if (request != NULL) {
        (void)fakeetcd__request_keys(call, request, &keys, &key_count);
    }
    fakeetcd__call_record(call, RT_REC_RPC_ARRIVED, key_count > 0 ? keys[0] : rt_slice_text(""),
                          GRPC_OK, len_bytes, "", call->client);
}

void fakeetcd_call_message(struct fakeetcd_call *call, struct rt_slice message)
{
    if (call->is_finished) {
        return;
    }
    fakeetcd__enter(call->server);
    if (!fakeetcd__is_in_waiting(call) && !call->server->is_frozen) {
        take(call, message, false);
    } else if (!fakeetcd__keep_in(call, message, false, false)) {
        fakeetcd_call_fail(call, FAKEETCD_E_NOMEM);
    }
    fakeetcd__leave(call->server);
}

static void take(struct fakeetcd_call *call, struct rt_slice message, bool is_past_request)
{
    static const uint8_t nothing[1];
    if (!fakeetcd__is_shallow(call->method, message)) {
        arrive(call, NULL, message.len_bytes);
        fakeetcd_call_fail(call, FAKEETCD_E_TOO_MANY_OPS);
        return;
    }
    ProtobufCMessage *request = protobuf_c_message_unpack(
        call->method->request, &call->server->arena.allocator, message.len_bytes,
        message.len_bytes == 0 ? nothing : message.data);
    if (request == NULL) {
        arrive(call, NULL, message.len_bytes);
        refuse_bytes(call, message);
        return;
    }
    arrive(call, request, message.len_bytes);
    if (!is_past_request && fakeetcd__at_request(call, request, message) == FAKEETCD__GONE) {
        return;
    }
    process(call, request, message);
}

/* grpc-go decodes the one message of a unary call, and those of streams, at two places. */
static void refuse_bytes(struct fakeetcd_call *call, struct rt_slice message)
{
    char why[128];
    char text[192];
    fakeetcd_unmarshal_text(call->method->request, message, why, sizeof(why));
    snprintf(text, sizeof(text), "%s%s",
             call->method->kind == FAKEETCD_UNARY
                 ? "grpc: error unmarshalling request: "
                 : call->server->options.profile->grpc->bad_message_text,
             why);
    fakeetcd_call_finish(call, GRPC_INTERNAL, text);
}

static void process(struct fakeetcd_call *call, const ProtobufCMessage *request,
                    struct rt_slice message)
{
    const struct fakeetcd_method *method = call->method;
    enum fakeetcd_error error = check_access(call, request);
    if (error != FAKEETCD_OK) {
        fakeetcd_call_fail(call, error);
        return;
    }
    if (call->server->is_leaderless && is_waiting_for_leader(call, request, message)) {
        return;
    }
    if ((method->leader == FAKEETCD_LEADER_PROPOSES || method->leader == FAKEETCD_LEADER_ASK) &&
        message.len_bytes + ENVELOPE_BYTES > call->server->options.max_request_bytes &&
        fakeetcd__leader_need(call, request) == FAKEETCD_LEADER_PROPOSES) {
        fakeetcd_call_fail(call, FAKEETCD_E_REQUEST_TOO_LARGE);
        return;
    }
    call->request = request;
    method->on_request(call, request);
    call->request = NULL;
}

/* ---- without a leader ---- */

static bool is_waiting_for_leader(struct fakeetcd_call *call, const ProtobufCMessage *request,
                                  struct rt_slice message)
{
    struct fakeetcd_server *server = call->server;
    enum fakeetcd_leader_need needs = fakeetcd__leader_need(call, request);
    if (needs == FAKEETCD_LEADER_LOCAL) {
        return false;
    }
    struct fakeetcd__later *later = fakeetcd__later_of(call);
    uint64_t deadline_us = fakeetcd__now_us(server) + fakeetcd__request_timeout_us(server);
    if (later == NULL || !fakeetcd__keep_in(call, message, true, true) ||
        rt_timer_arm(&later->leader_timer, deadline_us) != RT_OK) {
        fakeetcd_call_fail(call, FAKEETCD_E_NOMEM);
        return true;
    }
    later->is_waiting_for_leader = true;
    later->needs = needs;
    return true;
}

void fakeetcd__leader_is_back(struct fakeetcd_server *server)
{
    for_each_later(server, stop_waiting_for_leader);
}

static void stop_waiting_for_leader(struct fakeetcd__later *later)
{
    if (later->is_waiting_for_leader) {
        later->is_waiting_for_leader = false;
        rt_timer_disarm(&later->leader_timer);
        fakeetcd__go_on_in(later->call);
    }
}

/* What came while it was frozen, by other ways than our own connections. */
void fakeetcd__is_thawed(struct fakeetcd_server *server)
{
    for_each_later(server, go_on_thawed);
}

static void go_on_thawed(struct fakeetcd__later *later)
{
    if (!later->call->is_finished && !later->is_in_held && !later->is_waiting_for_leader &&
        !STAILQ_EMPTY(&later->in)) {
        fakeetcd__go_on_in(later->call);
    }
}

/* What goes on may end others: the server knows the next one, and it is moved on when that goes. */
static void for_each_later(struct fakeetcd_server *server,
                           void (*visit)(struct fakeetcd__later *later))
{
    server->next_later = TAILQ_FIRST(&server->laters);
    while (server->next_later != NULL) {
        struct fakeetcd__later *later = server->next_later;
        server->next_later = TAILQ_NEXT(later, others);
        visit(later);
    }
}

/* The messages behind the first one have not been at their fault point yet. */
void fakeetcd__go_on_in(struct fakeetcd_call *call)
{
    while (!call->is_finished && call->later != NULL && !call->server->is_frozen &&
           !call->later->is_in_held && !call->later->is_waiting_for_leader &&
           !STAILQ_EMPTY(&call->later->in)) {
        struct fakeetcd__parcel *parcel = STAILQ_FIRST(&call->later->in);
        STAILQ_REMOVE_HEAD(&call->later->in, others);
        fakeetcd__enter(call->server);
        take(call, rt_slice_of(parcel->bytes, parcel->len_bytes), parcel->is_past_request);
        fakeetcd__leave(call->server);
        free(parcel);
    }
    if (!call->is_finished && call->later != NULL && call->later->is_half_closed &&
        !fakeetcd__is_in_waiting(call)) {
        call->later->is_half_closed = false;
        half_close(call);
    }
}

/* ---- who asks ---- */

enum fakeetcd_error fakeetcd__identify(struct fakeetcd_call *call)
{
    struct fakeetcd_auth *auth = call->server->state.auth;
    struct rt_slice token;
    call->identity = (struct fakeetcd_identity){0};
    bool is_asked = fakeetcd_auth_is_enabled(auth);
    if (!is_asked && !fakeetcd__has_quirk(call->server, FAKEETCD_QUIRK_TOKEN_ALWAYS)) {
        return FAKEETCD_OK;
    }
    if (call->transport->metadata(call, "token", &token) ||
        call->transport->metadata(call, "authorization", &token)) {
        return is_asked ? fakeetcd_auth_identify(auth, token, fakeetcd__now_us(call->server),
                                                 &call->identity)
                        : FAKEETCD_E_INVALID_TOKEN;
    }
    const char *name = call->transport->peer_name(call);
    return !is_asked || name[0] == '\0'
               ? FAKEETCD_OK
               : fakeetcd_auth_identify_name(auth, rt_slice_text(name), &call->identity);
}

/* etcd 3.4 lets anybody in where a user or an operator is asked for, but what is proposed with a
 * token that is no token is refused there too, and then with auth off as well. */
static enum fakeetcd_error check_access(struct fakeetcd_call *call, const ProtobufCMessage *request)
{
    const struct fakeetcd_server *server = call->server;
    bool is_old = fakeetcd__has_quirk(server, FAKEETCD_QUIRK_OPEN_WITHOUT_TOKEN);
    enum fakeetcd_access_need needs = access_need(call, request, is_old);
    if (needs == FAKEETCD_MAY_ANYBODY || needs == FAKEETCD_MAY_ASK) {
        return FAKEETCD_OK;
    }
    bool is_open = is_old && needs != FAKEETCD_MAY_ROOT && needs != FAKEETCD_MAY_ADMIN;
    if (is_open && call->method->leader != FAKEETCD_LEADER_PROPOSES) {
        return FAKEETCD_OK;
    }
    enum fakeetcd_error error = fakeetcd__identify(call);
    if (error == FAKEETCD_OK && !is_open && fakeetcd_auth_is_enabled(server->state.auth)) {
        error = needs != FAKEETCD_MAY_USER
                    ? fakeetcd_auth_check_root(server->state.auth, &call->identity)
                : call->identity.is_known ? FAKEETCD_OK
                                          : FAKEETCD_E_USER_EMPTY;
    }
    bool is_raw = needs == FAKEETCD_MAY_ADMIN || needs == FAKEETCD_MAY_ALARM;
    return is_raw ? as_auth_store_says(error) : error;
}

/* Of Alarm it depends on what it shall do; ALARM itself is left for 3.4. */
static enum fakeetcd_access_need access_need(const struct fakeetcd_call *call,
                                             const ProtobufCMessage *request, bool is_old)
{
    enum fakeetcd_access_need needs = call->method->access;
    if (needs != FAKEETCD_MAY_ALARM || is_old) {
        return needs;
    }
    bool is_look = ((const Etcdserverpb__AlarmRequest *)request)->action ==
                   ETCDSERVERPB__ALARM_REQUEST__ALARM_ACTION__GET;
    return is_look ? FAKEETCD_MAY_USER : FAKEETCD_MAY_ROOT;
}

/* What etcd's maintenance passes on as it comes, without code. */
static enum fakeetcd_error as_auth_store_says(enum fakeetcd_error error)
{
    switch (error) {
    case FAKEETCD_E_PERMISSION_DENIED:
        return FAKEETCD_E_AUTH_PERMISSION_RAW;
    case FAKEETCD_E_USER_EMPTY:
        return FAKEETCD_E_AUTH_USER_RAW;
    case FAKEETCD_E_INVALID_TOKEN:
        return FAKEETCD_E_AUTH_TOKEN_RAW;
    default:
        return error;
    }
}

/* ---- the rest of its life ---- */

void fakeetcd_call_half_close(struct fakeetcd_call *call)
{
    if (call->is_finished) {
        return;
    }
    if (fakeetcd__is_in_waiting(call)) {
        call->later->is_half_closed = true;
        return;
    }
    half_close(call);
}

static void half_close(struct fakeetcd_call *call)
{
    if (call->method->kind != FAKEETCD_BIDI) {
        return;
    }
    if (call->method->on_half_close != NULL) {
        call->method->on_half_close(call);
    } else {
        fakeetcd_call_finish(call, GRPC_OK, "");
    }
}

void fakeetcd_call_drained(struct fakeetcd_call *call)
{
    if (!call->is_finished && call->method->on_drained != NULL) {
        call->method->on_drained(call);
    }
}

/* Not answered by us: the peer gave it up, its connection went, or its deadline came, which the
 * transport has answered. */
void fakeetcd_call_gone(struct fakeetcd_call *call, bool is_cancelled)
{
    bool is_end_kept = call->later != NULL && call->later->has_end;
    if (call->is_arrived && (!call->is_finished || is_end_kept)) {
        if (is_cancelled) {
            fakeetcd__call_eat(call, call->cause, is_end_kept ? "answer" : "cancelled");
        } else {
            fakeetcd__counts_of(call)->answered++;
            fakeetcd__counts_of(call)->failed++;
            fakeetcd__call_record(call, RT_REC_RPC_ANSWERED, rt_slice_text(""),
                                  GRPC_DEADLINE_EXCEEDED, 0, call->cause, "deadline");
        }
    } else if (call->is_answered && !is_cancelled) {
        fakeetcd__at_replied(call);
    }
    call->is_finished = true;
    fakeetcd__later_drop(call);
    if (call->method->on_gone != NULL) {
        call->method->on_gone(call);
    }
}
