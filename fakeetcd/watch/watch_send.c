/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/watch/watch_service.h"

/* Responses of the Watch stream. */

static bool fill_events(struct fakeetcd__watch *watch, const struct fakeetcd_delivery *delivery,
                        Etcdserverpb__WatchResponse *response);
static void fill_event(struct fakeetcd__watch *watch, const struct fakeetcd_change *change,
                       Mvccpb__Event *event, Mvccpb__KeyValue kvs[2]);
static void send_in_fragments(struct fakeetcd_call *call, Etcdserverpb__WatchResponse *whole,
                              size_t limit_bytes);

void fakeetcd__watch_send_created(struct fakeetcd_call *call, int64_t id, const char *cancel_reason)
{
    Etcdserverpb__WatchResponse response = ETCDSERVERPB__WATCH_RESPONSE__INIT;
    Etcdserverpb__ResponseHeader header;
    fakeetcd__header_fill(call->server, &header);
    response.header = &header;
    response.watch_id = id;
    response.created = true;
    if (cancel_reason != NULL) {
        response.canceled = true;
        response.cancel_reason = pb_bytes(rt_slice_text(cancel_reason));
    }
    fakeetcd_call_send(call, &response.base);
}

/* Behind a compaction the header says no revision. */
void fakeetcd__watch_send_canceled(struct fakeetcd_call *call, int64_t id, int64_t compact_revision)
{
    Etcdserverpb__WatchResponse response = ETCDSERVERPB__WATCH_RESPONSE__INIT;
    Etcdserverpb__ResponseHeader header;
    fakeetcd__header_fill(call->server, &header);
    if (compact_revision != 0) {
        header.revision = 0;
    }
    response.header = &header;
    response.watch_id = id;
    response.canceled = true;
    response.compact_revision = compact_revision;
    fakeetcd_call_send(call, &response.base);
}

/* For the whole stream (id -1) the header says the revision only. */
void fakeetcd__watch_send_progress(struct fakeetcd_call *call, int64_t id)
{
    Etcdserverpb__WatchResponse response = ETCDSERVERPB__WATCH_RESPONSE__INIT;
    Etcdserverpb__ResponseHeader header;
    fakeetcd__header_fill(call->server, &header);
    if (id == -1) {
        header.cluster_id = 0;
        header.member_id = 0;
        header.raft_term = 0;
    }
    response.header = &header;
    response.watch_id = id;
    fakeetcd_call_send(call, &response.base);
}

/* ---- events ---- */

bool fakeetcd__watch_send_events(struct fakeetcd__watch *watch,
                                 const struct fakeetcd_delivery *delivery)
{
    struct fakeetcd_call *call = watch->stream->call;
    Etcdserverpb__WatchResponse response = ETCDSERVERPB__WATCH_RESPONSE__INIT;
    Etcdserverpb__ResponseHeader header;
    size_t limit_bytes =
        (size_t)call->server->options.max_request_bytes + FAKEETCD__TRANSPORT_ROOM_BYTES;
    fakeetcd__header_fill(call->server, &header);
    response.header = &header;
    response.watch_id = watch->id;
    if (!fill_events(watch, delivery, &response)) {
        return false;
    }
    if (watch->has_fragments && response.n_events > 1 &&
        protobuf_c_message_get_packed_size(&response.base) >= limit_bytes) {
        send_in_fragments(call, &response, limit_bytes);
    } else {
        fakeetcd_call_send(call, &response.base);
    }
    return true;
}

static bool fill_events(struct fakeetcd__watch *watch, const struct fakeetcd_delivery *delivery,
                        Etcdserverpb__WatchResponse *response)
{
    struct pb_arena *arena = &watch->stream->call->server->arena;
    size_t count = delivery->count;
    Mvccpb__Event *events = pb_arena_take(arena, count * sizeof(*events));
    Mvccpb__Event **pointers = pb_arena_take(arena, count * sizeof(Mvccpb__Event *));
    Mvccpb__KeyValue *kvs = pb_arena_take(arena, 2 * count * sizeof(*kvs));
    if (events == NULL || pointers == NULL || kvs == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        fill_event(watch, &delivery->changes[i], &events[i], &kvs[2 * i]);
        pointers[i] = &events[i];
    }
    response->n_events = count;
    response->events = pointers;
    return true;
}

/* What was there before is told for a key that was there, not for one that is new. */
static void fill_event(struct fakeetcd__watch *watch, const struct fakeetcd_change *change,
                       Mvccpb__Event *event, Mvccpb__KeyValue kvs[2])
{
    mvccpb__event__init(event);
    if (change->kv.version == 0) {
        event->type = MVCCPB__EVENT__EVENT_TYPE__DELETE;
    }
    fakeetcd__kv_fill(&change->kv, &kvs[0]);
    event->kv = &kvs[0];
    if (watch->has_prev_kv && change->kv.version != 1 && change->previous.version > 0) {
        fakeetcd__kv_fill(&change->previous, &kvs[1]);
        event->prev_kv = &kvs[1];
    }
}

/* At least one event each; all but the last say that there is more. */
static void send_in_fragments(struct fakeetcd_call *call, Etcdserverpb__WatchResponse *whole,
                              size_t limit_bytes)
{
    size_t next = 0;
    while (next < whole->n_events) {
        Etcdserverpb__WatchResponse part = *whole;
        part.fragment = true;
        part.events = whole->events + next;
        part.n_events = 0;
        size_t base_bytes = protobuf_c_message_get_packed_size(&part.base);
        size_t total_bytes = base_bytes;
        while (next + part.n_events < whole->n_events) {
            const Mvccpb__Event *event = part.events[part.n_events];
            total_bytes += protobuf_c_message_get_packed_size(&event->base) + 6;
            if (part.n_events > 0 && total_bytes >= limit_bytes) {
                break;
            }
            part.n_events++;
        }
        next += part.n_events;
        part.fragment = next < whole->n_events;
        fakeetcd_call_send(call, &part.base);
    }
}
