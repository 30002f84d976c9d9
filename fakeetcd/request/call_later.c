/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/request/call_later.h"

#include "fakeetcd/request/dispatch.h"

#include <stdlib.h>

static void on_leader_timeout(void *arg);
static void free_parcels(struct fakeetcd__parcels *parcels);
static void wait_for_commit(struct fakeetcd__later *later);
static bool flush_one(struct fakeetcd_call *call, const struct fakeetcd__parcel *parcel);

struct fakeetcd__later *fakeetcd__later_of(struct fakeetcd_call *call)
{
    struct fakeetcd__later *later = call->later;
    if (later != NULL) {
        return later;
    }
    later = calloc(1, sizeof(*later));
    if (later == NULL) {
        return NULL;
    }
    later->call = call;
    STAILQ_INIT(&later->in);
    STAILQ_INIT(&later->out);
    rt_timer_init(&later->leader_timer, call->server->environment.loop, on_leader_timeout, call);
    TAILQ_INSERT_TAIL(&call->server->laters, later, others);
    call->later = later;
    return later;
}

void fakeetcd__later_drop(struct fakeetcd_call *call)
{
    struct fakeetcd__later *later = call->later;
    if (later == NULL) {
        return;
    }
    fault_hold_cancel(&later->in_hold);
    fault_hold_cancel(&later->out_hold);
    rt_timer_disarm(&later->leader_timer);
    if (later->is_committing) {
        TAILQ_REMOVE(&call->server->committing, later, committing);
    }
    if (call->server->next_later == later) {
        call->server->next_later = TAILQ_NEXT(later, others);
    }
    TAILQ_REMOVE(&call->server->laters, later, others);
    free_parcels(&later->in);
    free_parcels(&later->out);
    free(later->text);
    free(later);
    call->later = NULL;
}

static void free_parcels(struct fakeetcd__parcels *parcels)
{
    while (!STAILQ_EMPTY(parcels)) {
        struct fakeetcd__parcel *parcel = STAILQ_FIRST(parcels);
        STAILQ_REMOVE_HEAD(parcels, others);
        free(parcel);
    }
}

/* ---- requests that wait ---- */

bool fakeetcd__is_in_waiting(const struct fakeetcd_call *call)
{
    const struct fakeetcd__later *later = call->later;
    return later != NULL &&
           (later->is_in_held || later->is_waiting_for_leader || !STAILQ_EMPTY(&later->in));
}

bool fakeetcd__keep_in(struct fakeetcd_call *call, struct rt_slice message, bool is_first,
                       bool is_past_request)
{
    struct fakeetcd__later *later = fakeetcd__later_of(call);
    struct fakeetcd__parcel *parcel =
        later == NULL ? NULL : malloc(sizeof(*parcel) + message.len_bytes);
    if (parcel == NULL) {
        return false;
    }
    parcel->is_past_request = is_past_request;
    parcel->len_bytes = message.len_bytes;
    if (message.len_bytes > 0) {
        memcpy(parcel->bytes, message.data, message.len_bytes);
    }
    if (is_first) {
        STAILQ_INSERT_HEAD(&later->in, parcel, others);
    } else {
        STAILQ_INSERT_TAIL(&later->in, parcel, others);
    }
    return true;
}

static void on_leader_timeout(void *arg)
{
    struct fakeetcd_call *call = arg;
    struct fakeetcd__later *later = call->later;
    enum fakeetcd_error error = FAKEETCD_E_DEADLINE;
    later->is_waiting_for_leader = false;
    if (later->needs == FAKEETCD_LEADER_READS) {
        error = FAKEETCD_E_TIMEOUT;
    } else if (later->needs == FAKEETCD_LEADER_LEASES) {
        error = FAKEETCD_E_NO_LEADER;
    }
    fakeetcd_call_fail(call, error);
}

/* ---- answers that wait ---- */

bool fakeetcd__is_out_waiting(const struct fakeetcd_call *call)
{
    const struct fakeetcd__later *later = call->later;
    return call->server->is_uncommitted || call->is_stalled ||
           (later != NULL && (later->is_out_held || !STAILQ_EMPTY(&later->out) || later->has_end));
}

bool fakeetcd__keep_out(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    struct fakeetcd__later *later = fakeetcd__later_of(call);
    size_t len_bytes = protobuf_c_message_get_packed_size(message);
    struct fakeetcd__parcel *parcel = later == NULL ? NULL : malloc(sizeof(*parcel) + len_bytes);
    if (parcel == NULL) {
        return false;
    }
    parcel->is_past_request = true;
    parcel->len_bytes = protobuf_c_message_pack(message, parcel->bytes);
    STAILQ_INSERT_TAIL(&later->out, parcel, others);
    wait_for_commit(later);
    return true;
}

bool fakeetcd__keep_end(struct fakeetcd_call *call, int32_t code, const char *text)
{
    struct fakeetcd__later *later = fakeetcd__later_of(call);
    char *copied = later == NULL ? NULL : strdup(text);
    if (copied == NULL) {
        return false;
    }
    later->has_end = true;
    later->code = code;
    later->text = copied;
    wait_for_commit(later);
    return true;
}

static void wait_for_commit(struct fakeetcd__later *later)
{
    struct fakeetcd_server *server = later->call->server;
    if (server->is_uncommitted && !later->is_committing) {
        later->is_committing = true;
        TAILQ_INSERT_TAIL(&server->committing, later, committing);
    }
}

/* What was packed is unpacked again: only what waited pays for it. */
void fakeetcd__go_on_out(struct fakeetcd_call *call)
{
    struct fakeetcd__later *later = call->later;
    if (later == NULL || later->is_out_held || call->is_stalled || call->server->is_uncommitted) {
        return;
    }
    fakeetcd__enter(call->server);
    while (!STAILQ_EMPTY(&later->out)) {
        struct fakeetcd__parcel *parcel = STAILQ_FIRST(&later->out);
        STAILQ_REMOVE_HEAD(&later->out, others);
        bool is_sent = flush_one(call, parcel);
        free(parcel);
        if (!is_sent) {
            free_parcels(&later->out);
            free(later->text);
            later->text = NULL;
            later->has_end = false;
            fakeetcd__emit_end(call, GRPC_RESOURCE_EXHAUSTED,
                               fakeetcd_error_text(FAKEETCD_E_NOMEM));
            fakeetcd__leave(call->server);
            return;
        }
    }
    if (later->has_end) {
        char *text = later->text;
        later->text = NULL;
        later->has_end = false;
        fakeetcd__emit_end(call, later->code, text);
        free(text);
    }
    fakeetcd__leave(call->server);
}

static bool flush_one(struct fakeetcd_call *call, const struct fakeetcd__parcel *parcel)
{
    ProtobufCMessage *message = protobuf_c_message_unpack(
        call->method->response, &call->server->arena.allocator, parcel->len_bytes, parcel->bytes);
    return message != NULL && call->transport->send(call, message) == RT_OK;
}
