/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/kv/kv.h"

/* Puts and deletions, inside a write that somebody else ends; and the parts of every answer. */

static enum fakeetcd_error delete_interval(struct fakeetcd_server *server,
                                           const Etcdserverpb__DeleteRangeRequest *request,
                                           Etcdserverpb__DeleteRangeResponse *out_response);

struct collection {
    struct pb_arena *arena;
    struct rt_slice *keys;
    size_t count;
    size_t capacity;
    bool is_failed;
};
static bool on_visit(void *arg, const struct fakeetcd_kv *kv);

/* ---- writing ---- */

void fakeetcd__begin_write(struct fakeetcd_server *server)
{
    server->write_revision = fakeetcd_store_revision(server->state.store);
    fakeetcd_write_begin(server->state.store);
}

enum fakeetcd_error fakeetcd__end_write(struct fakeetcd_server *server, enum fakeetcd_error error)
{
    if (error != FAKEETCD_OK) {
        fakeetcd_write_abort(server->state.store);
        return error;
    }
    error = fakeetcd_write_end(server->state.store);
    server->state.raft_index++;
    if (fakeetcd_store_revision(server->state.store) != server->write_revision) {
        fakeetcd__changed(server);
    }
    return error;
}

enum fakeetcd_error fakeetcd__apply_put(struct fakeetcd_server *server,
                                        const Etcdserverpb__PutRequest *request,
                                        Etcdserverpb__PutResponse *out_response)
{
    struct fakeetcd_store *store = server->state.store;
    struct fakeetcd_kv previous;
    struct rt_slice value = pb_slice(request->value);
    struct rt_blob *blob = NULL;
    int64_t lease = request->lease;
    struct fakeetcd_lease_info info;
    if (lease != 0 && !fakeetcd_lease_find(server->state.leases, lease, &info)) {
        return FAKEETCD_E_LEASE_NOT_FOUND;
    }
    if (request->ignore_value || request->ignore_lease) {
        if (!fakeetcd_store_get(store, pb_slice(request->key), 0, &previous)) {
            return FAKEETCD_E_KEY_NOT_FOUND;
        }
        if (request->ignore_value) {
            value = previous.value;
            blob = previous.value_blob;
        }
        lease = request->ignore_lease ? previous.lease : lease;
    }
    enum fakeetcd_error error =
        fakeetcd_write_put(store, pb_slice(request->key), value, blob, lease, &previous);
    if (error == FAKEETCD_OK && request->prev_kv && previous.version > 0) {
        out_response->prev_kv = fakeetcd__kv_message(server, &previous);
        error = out_response->prev_kv == NULL ? FAKEETCD_E_NOMEM : FAKEETCD_OK;
    }
    return error;
}

enum fakeetcd_error fakeetcd__apply_delete(struct fakeetcd_server *server,
                                           const Etcdserverpb__DeleteRangeRequest *request,
                                           Etcdserverpb__DeleteRangeResponse *out_response)
{
    struct fakeetcd_kv previous;
    if (request->range_end.len != 0) {
        return delete_interval(server, request, out_response);
    }
    if (!fakeetcd_write_delete(server->state.store, pb_slice(request->key), &previous)) {
        return FAKEETCD_OK;
    }
    out_response->deleted = 1;
    if (!request->prev_kv) {
        return FAKEETCD_OK;
    }
    Mvccpb__KeyValue **kvs = pb_arena_array(&server->arena, 1, sizeof(*kvs));
    if (kvs == NULL || (kvs[0] = fakeetcd__kv_message(server, &previous)) == NULL) {
        return FAKEETCD_E_NOMEM;
    }
    out_response->n_prev_kvs = 1;
    out_response->prev_kvs = kvs;
    return FAKEETCD_OK;
}

static enum fakeetcd_error delete_interval(struct fakeetcd_server *server,
                                           const Etcdserverpb__DeleteRangeRequest *request,
                                           Etcdserverpb__DeleteRangeResponse *out_response)
{
    struct collection found = {.arena = &server->arena};
    const struct fakeetcd_interval interval = {pb_slice(request->key),
                                               pb_slice(request->range_end)};
    fakeetcd_store_walk(server->state.store, &interval, 0, on_visit, &found);
    if (found.is_failed) {
        return FAKEETCD_E_NOMEM;
    }
    if (request->prev_kv && found.count > 0) {
        out_response->prev_kvs =
            pb_arena_array(&server->arena, found.count, sizeof(Mvccpb__KeyValue *));
        if (out_response->prev_kvs == NULL) {
            return FAKEETCD_E_NOMEM;
        }
    }
    for (size_t i = 0; i < found.count; i++) {
        struct fakeetcd_kv previous;
        if (!fakeetcd_write_delete(server->state.store, found.keys[i], &previous)) {
            continue;
        }
        out_response->deleted++;
        if (request->prev_kv) {
            Mvccpb__KeyValue *message = fakeetcd__kv_message(server, &previous);
            if (message == NULL) {
                return FAKEETCD_E_NOMEM;
            }
            out_response->prev_kvs[out_response->n_prev_kvs++] = message;
        }
    }
    return FAKEETCD_OK;
}

static bool on_visit(void *arg, const struct fakeetcd_kv *kv)
{
    struct collection *found = arg;
    struct rt_slice *keys =
        pb_arena_grow(found->arena, found->keys, found->count, &found->capacity, sizeof(*keys));
    if (keys == NULL) {
        found->is_failed = true;
        return false;
    }
    found->keys = keys;
    found->keys[found->count++] = kv->key;
    return true;
}

/* ---- parts of answers ---- */

void fakeetcd__header_fill(const struct fakeetcd_server *server,
                           Etcdserverpb__ResponseHeader *out_header)
{
    etcdserverpb__response_header__init(out_header);
    out_header->cluster_id = server->state.cluster_id;
    out_header->member_id = server->state.member_id;
    out_header->revision = fakeetcd_store_revision(server->state.store);
    out_header->raft_term = server->state.raft_term;
}

void fakeetcd__answer(struct fakeetcd_call *call, ProtobufCMessage *response,
                      Etcdserverpb__ResponseHeader **field)
{
    Etcdserverpb__ResponseHeader header;
    fakeetcd__header_fill(call->server, &header);
    *field = &header;
    fakeetcd_call_answer(call, response);
    *field = NULL;
}

void fakeetcd__finish(struct fakeetcd_call *call, enum fakeetcd_error error,
                      ProtobufCMessage *response, Etcdserverpb__ResponseHeader **field)
{
    if (error != FAKEETCD_OK) {
        fakeetcd_call_fail(call, error);
        return;
    }
    fakeetcd__answer(call, response, field);
}

/* A deleted key has its name and mod_revision only. */
void fakeetcd__kv_fill(const struct fakeetcd_kv *kv, Mvccpb__KeyValue *out_message)
{
    mvccpb__key_value__init(out_message);
    out_message->key = pb_bytes(kv->key);
    out_message->mod_revision = kv->mod_revision;
    if (kv->version > 0) {
        out_message->value = pb_bytes(kv->value);
        out_message->create_revision = kv->create_revision;
        out_message->version = kv->version;
        out_message->lease = kv->lease;
    }
}

Mvccpb__KeyValue *fakeetcd__kv_message(struct fakeetcd_server *server, const struct fakeetcd_kv *kv)
{
    Mvccpb__KeyValue *message = pb_arena_take(&server->arena, sizeof(*message));
    if (message != NULL) {
        fakeetcd__kv_fill(kv, message);
    }
    return message;
}
