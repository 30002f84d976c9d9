/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/kv/kv.h"

/* The shape of KV requests: what etcd refuses before anything runs. Duplicate keys of a transaction
 * are a matter of their own: kv_duplicates.c. */
static enum fakeetcd_error check_txn(struct fakeetcd_server *server,
                                     const Etcdserverpb__TxnRequest *txn, size_t ops_left);
static enum fakeetcd_error check_op(struct fakeetcd_server *server,
                                    const Etcdserverpb__RequestOp *op, size_t ops_left);
static size_t max3(size_t a, size_t b, size_t c);

/* ---- single requests ---- */

enum fakeetcd_error fakeetcd__check_range(const struct fakeetcd_server *server,
                                          const Etcdserverpb__RangeRequest *request)
{
    if (request->key.len == 0) {
        return FAKEETCD_E_EMPTY_KEY;
    }
    if (!fakeetcd__has_quirk(server, FAKEETCD_QUIRK_SORT_UNCHECKED) &&
        ((unsigned)request->sort_order > ETCDSERVERPB__RANGE_REQUEST__SORT_ORDER__DESCEND ||
         (unsigned)request->sort_target > ETCDSERVERPB__RANGE_REQUEST__SORT_TARGET__VALUE)) {
        return FAKEETCD_E_INVALID_SORT;
    }
    return FAKEETCD_OK;
}

enum fakeetcd_error fakeetcd__check_put(const Etcdserverpb__PutRequest *request)
{
    if (request->key.len == 0) {
        return FAKEETCD_E_EMPTY_KEY;
    }
    if (request->ignore_value && request->value.len != 0) {
        return FAKEETCD_E_VALUE_PROVIDED;
    }
    if (request->ignore_lease && request->lease != 0) {
        return FAKEETCD_E_LEASE_PROVIDED;
    }
    return FAKEETCD_OK;
}

enum fakeetcd_error fakeetcd__check_delete(const Etcdserverpb__DeleteRangeRequest *request)
{
    return request->key.len == 0 ? FAKEETCD_E_EMPTY_KEY : FAKEETCD_OK;
}

/* ---- transactions ---- */

enum fakeetcd_error fakeetcd__check_txn(struct fakeetcd_server *server,
                                        const Etcdserverpb__TxnRequest *request)
{
    enum fakeetcd_error error = check_txn(server, request, server->options.max_txn_ops);
    if (error == FAKEETCD_OK) {
        error = fakeetcd__check_duplicates(server, request->success, request->n_success);
    }
    if (error == FAKEETCD_OK) {
        error = fakeetcd__check_duplicates(server, request->failure, request->n_failure);
    }
    return error;
}

/* A nested transaction gets what its parent's longest part left over. */
static enum fakeetcd_error check_txn(struct fakeetcd_server *server,
                                     const Etcdserverpb__TxnRequest *txn, size_t ops_left)
{
    size_t longest = max3(txn->n_compare, txn->n_success, txn->n_failure);
    enum fakeetcd_error error = FAKEETCD_OK;
    if (longest > ops_left) {
        return FAKEETCD_E_TOO_MANY_OPS;
    }
    for (size_t i = 0; i < txn->n_compare; i++) {
        if (txn->compare[i]->key.len == 0) {
            return FAKEETCD_E_EMPTY_KEY;
        }
    }
    for (size_t i = 0; error == FAKEETCD_OK && i < txn->n_success; i++) {
        error = check_op(server, txn->success[i], ops_left - longest);
    }
    for (size_t i = 0; error == FAKEETCD_OK && i < txn->n_failure; i++) {
        error = check_op(server, txn->failure[i], ops_left - longest);
    }
    return error;
}

static enum fakeetcd_error check_op(struct fakeetcd_server *server,
                                    const Etcdserverpb__RequestOp *op, size_t ops_left)
{
    switch (op->request_case) {
    case ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_RANGE:
        return fakeetcd__check_range(server, op->request_range);
    case ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_PUT:
        return fakeetcd__check_put(op->request_put);
    case ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_DELETE_RANGE:
        return fakeetcd__check_delete(op->request_delete_range);
    case ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_TXN:
        return check_txn(server, op->request_txn, ops_left);
    default:
        return FAKEETCD_E_KEY_NOT_FOUND; /* an operation without one */
    }
}

static size_t max3(size_t a, size_t b, size_t c)
{
    size_t max = a > b ? a : b;
    return max > c ? max : c;
}

/* ---- what a transaction does ---- */

bool fakeetcd__txn_is_readonly(const Etcdserverpb__TxnRequest *request)
{
    for (size_t i = 0; i < request->n_success; i++) {
        if (request->success[i]->request_case != ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_RANGE) {
            return false;
        }
    }
    for (size_t i = 0; i < request->n_failure; i++) {
        if (request->failure[i]->request_case != ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_RANGE) {
            return false;
        }
    }
    return true;
}

/* Asked of read-only ones only. */
bool fakeetcd__txn_is_serializable(const Etcdserverpb__TxnRequest *request)
{
    for (size_t i = 0; i < request->n_success; i++) {
        if (!request->success[i]->request_range->serializable) {
            return false;
        }
    }
    for (size_t i = 0; i < request->n_failure; i++) {
        if (!request->failure[i]->request_range->serializable) {
            return false;
        }
    }
    return true;
}
