/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/kv/kv.h"

#include "fakeetcd/request/dispatch.h"

/* Who may do what to which keys, and what alarms and switches forbid to everybody. */

/* What etcd's quota counts for a key beside its bytes. */
#define KEY_OVERHEAD_BYTES 256

static enum fakeetcd_error check(struct fakeetcd_call *call, enum fakeetcd_access access,
                                 ProtobufCBinaryData key, ProtobufCBinaryData end);
static enum fakeetcd_error may_put(struct fakeetcd_call *call,
                                   const Etcdserverpb__PutRequest *request);
static enum fakeetcd_error may_delete(struct fakeetcd_call *call,
                                      const Etcdserverpb__DeleteRangeRequest *request);
static enum fakeetcd_error may_txn(struct fakeetcd_call *call,
                                   const Etcdserverpb__TxnRequest *request);
static enum fakeetcd_error may_op(struct fakeetcd_call *call, const Etcdserverpb__RequestOp *op);
static enum fakeetcd_error identified(struct fakeetcd_call *call, bool *out_is_free);
static uint64_t ops_cost(Etcdserverpb__RequestOp *const *ops, size_t count);

enum fakeetcd_error fakeetcd__may_range(struct fakeetcd_call *call,
                                        const Etcdserverpb__RangeRequest *request)
{
    bool is_free;
    enum fakeetcd_error error = identified(call, &is_free);
    return is_free || error != FAKEETCD_OK
               ? error
               : check(call, FAKEETCD_READ, request->key, request->range_end);
}

enum fakeetcd_error fakeetcd__may_put(struct fakeetcd_call *call,
                                      const Etcdserverpb__PutRequest *request)
{
    bool is_free;
    enum fakeetcd_error error = identified(call, &is_free);
    return is_free || error != FAKEETCD_OK ? error : may_put(call, request);
}

enum fakeetcd_error fakeetcd__may_delete(struct fakeetcd_call *call,
                                         const Etcdserverpb__DeleteRangeRequest *request)
{
    bool is_free;
    enum fakeetcd_error error = identified(call, &is_free);
    return is_free || error != FAKEETCD_OK ? error : may_delete(call, request);
}

enum fakeetcd_error fakeetcd__may_txn(struct fakeetcd_call *call,
                                      const Etcdserverpb__TxnRequest *request)
{
    bool is_free;
    enum fakeetcd_error error = identified(call, &is_free);
    return is_free || error != FAKEETCD_OK ? error : may_txn(call, request);
}

/* With auth off keys are free, and in 3.5 nothing costs anything. */
static enum fakeetcd_error identified(struct fakeetcd_call *call, bool *out_is_free)
{
    *out_is_free = !fakeetcd_auth_is_enabled(call->server->state.auth);
    return fakeetcd__identify(call);
}

static enum fakeetcd_error check(struct fakeetcd_call *call, enum fakeetcd_access access,
                                 ProtobufCBinaryData key, ProtobufCBinaryData end)
{
    const struct fakeetcd_interval interval = {pb_slice(key), pb_slice(end)};
    return fakeetcd_auth_check(call->server->state.auth, &call->identity, access, &interval);
}

/* Who hangs a key on a lease could have it deleted with the others that hang there. */
static enum fakeetcd_error may_put(struct fakeetcd_call *call,
                                   const Etcdserverpb__PutRequest *request)
{
    const ProtobufCBinaryData no_end = {0};
    enum fakeetcd_error error = check(call, FAKEETCD_WRITE, request->key, no_end);
    if (error == FAKEETCD_OK && request->lease != 0) {
        error = fakeetcd__may_lease(call, request->lease, FAKEETCD_WRITE);
    }
    if (error == FAKEETCD_OK && request->prev_kv) {
        error = check(call, FAKEETCD_READ, request->key, no_end);
    }
    return error;
}

enum fakeetcd_error fakeetcd__may_lease(struct fakeetcd_call *call, int64_t lease,
                                        enum fakeetcd_access access)
{
    const struct rt_slice *keys;
    size_t key_count;
    if (!fakeetcd_auth_is_enabled(call->server->state.auth)) {
        return FAKEETCD_OK;
    }
    if (!fakeetcd__lease_keys(call->server, lease, &keys, &key_count)) {
        return FAKEETCD_E_NOMEM;
    }
    for (size_t i = 0; i < key_count; i++) {
        const struct fakeetcd_interval interval = {.key = keys[i]};
        enum fakeetcd_error error =
            fakeetcd_auth_check(call->server->state.auth, &call->identity, access, &interval);
        if (error != FAKEETCD_OK) {
            return error;
        }
    }
    return FAKEETCD_OK;
}

static enum fakeetcd_error may_delete(struct fakeetcd_call *call,
                                      const Etcdserverpb__DeleteRangeRequest *request)
{
    enum fakeetcd_error error = check(call, FAKEETCD_WRITE, request->key, request->range_end);
    if (error == FAKEETCD_OK && request->prev_kv) {
        error = check(call, FAKEETCD_READ, request->key, request->range_end);
    }
    return error;
}

static enum fakeetcd_error may_txn(struct fakeetcd_call *call,
                                   const Etcdserverpb__TxnRequest *request)
{
    enum fakeetcd_error error = FAKEETCD_OK;
    for (size_t i = 0; error == FAKEETCD_OK && i < request->n_compare; i++) {
        error =
            check(call, FAKEETCD_READ, request->compare[i]->key, request->compare[i]->range_end);
    }
    for (size_t i = 0; error == FAKEETCD_OK && i < request->n_success; i++) {
        error = may_op(call, request->success[i]);
    }
    for (size_t i = 0; error == FAKEETCD_OK && i < request->n_failure; i++) {
        error = may_op(call, request->failure[i]);
    }
    return error;
}

static enum fakeetcd_error may_op(struct fakeetcd_call *call, const Etcdserverpb__RequestOp *op)
{
    switch (op->request_case) {
    case ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_RANGE:
        return check(call, FAKEETCD_READ, op->request_range->key, op->request_range->range_end);
    case ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_PUT:
        return may_put(call, op->request_put);
    case ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_DELETE_RANGE:
        return may_delete(call, op->request_delete_range);
    case ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_TXN:
        return fakeetcd__has_quirk(call->server, FAKEETCD_QUIRK_NESTED_FREE)
                   ? FAKEETCD_OK
                   : may_txn(call, op->request_txn);
    default:
        return FAKEETCD_OK;
    }
}

/* ---- alarms and switches ---- */

enum fakeetcd_error fakeetcd__may_write(struct fakeetcd_server *server, uint64_t puts_bytes)
{
    struct fakeetcd_store_counts counts;
    if (server->state.alarms == 0 && !server->is_read_only && puts_bytes == 0) {
        return FAKEETCD_OK;
    }
    if (fakeetcd_server_is(server, FAKEETCD_CORRUPTED)) {
        return FAKEETCD_E_CORRUPT;
    }
    if (server->is_read_only) {
        return FAKEETCD_E_TIMEOUT;
    }
    if (puts_bytes == 0) {
        return FAKEETCD_OK;
    }
    if (fakeetcd_server_is(server, FAKEETCD_NO_SPACE)) {
        return FAKEETCD_E_NO_SPACE;
    }
    fakeetcd_store_counts(server->state.store, &counts);
    if (counts.logical_bytes + puts_bytes > server->options.quota_bytes) {
        fakeetcd_server_set(server, FAKEETCD_NO_SPACE, true);
        return FAKEETCD_E_NO_SPACE;
    }
    return FAKEETCD_OK;
}

uint64_t fakeetcd__put_cost(const Etcdserverpb__PutRequest *request)
{
    return KEY_OVERHEAD_BYTES + request->key.len + request->value.len;
}

uint64_t fakeetcd__txn_cost(const Etcdserverpb__TxnRequest *request)
{
    uint64_t success_bytes = ops_cost(request->success, request->n_success);
    uint64_t failure_bytes = ops_cost(request->failure, request->n_failure);
    return success_bytes > failure_bytes ? success_bytes : failure_bytes;
}

static uint64_t ops_cost(Etcdserverpb__RequestOp *const *ops, size_t count)
{
    uint64_t cost_bytes = 0;
    for (size_t i = 0; i < count; i++) {
        if (ops[i]->request_case == ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_PUT) {
            cost_bytes += fakeetcd__put_cost(ops[i]->request_put);
        } else if (ops[i]->request_case == ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_TXN) {
            cost_bytes += fakeetcd__txn_cost(ops[i]->request_txn);
        }
    }
    return cost_bytes;
}
