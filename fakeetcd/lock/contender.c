/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/lock/contender.h"
#include "fakeetcd/lease/service_lease.h"
#include "fakeetcd/request/dispatch.h"
#include "fakeetcd/request/service_rest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* One who contends for a name: its key, its place in the queue, and what is left when it goes. */

#define SESSION_TTL_S    60
#define LEASE_TEXT_BYTES 20 /* '/', a sign, 64 bits in hexadecimal */

static struct fakeetcd__contender *make(struct fakeetcd_call *call, struct rt_slice name,
                                        int64_t lease);
static enum fakeetcd_error enter(struct fakeetcd__contender *contender,
                                 const struct rt_slice *value);
static enum fakeetcd_error put_or_get(struct fakeetcd__contender *contender,
                                      const struct rt_slice *value, bool *out_is_changed);
static enum fakeetcd_error proclaim(struct fakeetcd__contender *contender, struct rt_slice value);
static void leave(struct fakeetcd__contender *contender);
static void withdraw(void *arg);
static void release(struct fakeetcd__contender *contender);

void fakeetcd__contend(struct fakeetcd_call *call, struct rt_slice name, int64_t lease,
                       const struct rt_slice *value, fakeetcd__turn_fn *on_turn)
{
    enum fakeetcd_error error = fakeetcd__session_lease(call, &lease);

    if (error != FAKEETCD_OK) {
        fakeetcd__recipe_fail(call, error);
        return;
    }
    struct fakeetcd__contender *contender = make(call, name, lease);
    if (contender == NULL) {
        fakeetcd_call_fail(call, FAKEETCD_E_NOMEM);
        return;
    }
    contender->on_turn = on_turn;
    call->state = contender;
    error = enter(contender, value);
    if (error != FAKEETCD_OK) {
        leave(contender);
        fakeetcd__recipe_fail(call, error);
        return;
    }
    if (fakeetcd__queue_is_first(contender->queue, contender->revision)) {
        leave(contender);
        on_turn(contender, true);
    } else {
        fakeetcd__queue_wait(contender);
    }
}

static struct fakeetcd__contender *make(struct fakeetcd_call *call, struct rt_slice name,
                                        int64_t lease)
{
    char text[LEASE_TEXT_BYTES];
    uint64_t amount = lease < 0 ? -(uint64_t)lease : (uint64_t)lease;
    size_t text_bytes =
        (size_t)snprintf(text, sizeof(text), "/%s%" PRIx64, lease < 0 ? "-" : "", amount);
    size_t len_bytes = name.len_bytes + text_bytes;
    struct fakeetcd__contender *contender = calloc(1, sizeof(*contender) + len_bytes);

    if (contender == NULL) {
        return NULL;
    }
    contender->server = call->server;
    contender->call = call;
    contender->number = call->id;
    contender->lease = lease;
    rt_task_init(&contender->withdrawal, call->server->environment.loop, withdraw, contender);
    if (name.len_bytes > 0) {
        memcpy(contender->bytes, name.data, name.len_bytes);
    }
    memcpy(contender->bytes + name.len_bytes, text, text_bytes);
    contender->name = rt_slice_of(contender->bytes, name.len_bytes);
    contender->key = rt_slice_of(contender->bytes, len_bytes);
    TAILQ_INSERT_TAIL(&call->server->contenders, contender, others);
    return contender;
}

/* ---- its key ---- */

/* A lock looks below the name in the transaction that puts its key, a campaign only afterwards. */
static enum fakeetcd_error enter(struct fakeetcd__contender *contender,
                                 const struct rt_slice *value)
{
    bool is_changed = false;
    enum fakeetcd_error error =
        fakeetcd__queue_join(contender->server, contender->name, &contender->queue);

    if (error == FAKEETCD_OK && value == NULL) {
        error = fakeetcd__may_read_below(contender->call, contender->name);
    }
    if (error == FAKEETCD_OK) {
        error = put_or_get(contender, value, &is_changed);
    }
    if (error == FAKEETCD_OK && is_changed) {
        error = proclaim(contender, *value);
    }
    if (error == FAKEETCD_OK && value != NULL) {
        error = fakeetcd__may_read_below(contender->call, contender->name);
    }
    return error;
}

/* A key that is there already is the contender's, too. `out_is_changed`: with another value. */
static enum fakeetcd_error put_or_get(struct fakeetcd__contender *contender,
                                      const struct rt_slice *value, bool *out_is_changed)
{
    struct fakeetcd_server *server = contender->server;
    Etcdserverpb__PutRequest put = ETCDSERVERPB__PUT_REQUEST__INIT;
    Etcdserverpb__RangeRequest get = ETCDSERVERPB__RANGE_REQUEST__INIT;
    Etcdserverpb__Compare compare = ETCDSERVERPB__COMPARE__INIT;
    Etcdserverpb__RequestOp put_op = ETCDSERVERPB__REQUEST_OP__INIT;
    Etcdserverpb__RequestOp get_op = ETCDSERVERPB__REQUEST_OP__INIT;
    Etcdserverpb__TxnRequest txn = ETCDSERVERPB__TXN_REQUEST__INIT;
    Etcdserverpb__TxnResponse response = ETCDSERVERPB__TXN_RESPONSE__INIT;
    struct fakeetcd_kv kv;

    put.key = get.key = compare.key = pb_bytes(contender->key);
    put.value = pb_bytes(value == NULL ? rt_slice_text("") : *value);
    put.lease = contender->lease;
    compare.target = ETCDSERVERPB__COMPARE__COMPARE_TARGET__CREATE;
    compare.target_union_case = ETCDSERVERPB__COMPARE__TARGET_UNION_CREATE_REVISION;
    put_op.request_case = ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_PUT;
    put_op.request_put = &put;
    get_op.request_case = ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_RANGE;
    get_op.request_range = &get;
    txn.n_compare = txn.n_success = txn.n_failure = 1;
    txn.compare = (Etcdserverpb__Compare *[]){&compare};
    txn.success = (Etcdserverpb__RequestOp *[]){&put_op};
    txn.failure = (Etcdserverpb__RequestOp *[]){&get_op};

    enum fakeetcd_error error = fakeetcd__may_txn(contender->call, &txn);
    if (error == FAKEETCD_OK) {
        error = fakeetcd__may_write(server, fakeetcd__txn_cost(&txn));
    }
    if (error == FAKEETCD_OK) {
        error = fakeetcd__run_txn(server, &txn, &response);
    }
    if (error != FAKEETCD_OK) {
        return error;
    }
    contender->header_revision = fakeetcd_store_revision(server->state.store);
    bool is_there = fakeetcd_store_get(server->state.store, contender->key, 0, &kv);
    contender->revision = is_there ? kv.create_revision : contender->header_revision;
    *out_is_changed = !response.succeeded && value != NULL && !rt_slice_equal(kv.value, *value);
    return FAKEETCD_OK;
}

static enum fakeetcd_error proclaim(struct fakeetcd__contender *contender, struct rt_slice value)
{
    Etcdserverpb__PutRequest put = ETCDSERVERPB__PUT_REQUEST__INIT;
    bool is_done = false;

    put.key = pb_bytes(contender->key);
    put.value = pb_bytes(value);
    put.lease = contender->lease;
    return fakeetcd__run_if_created(contender->call, contender->revision, &put, NULL, &is_done);
}

/* ---- going ---- */

static void leave(struct fakeetcd__contender *contender)
{
    struct fakeetcd__queue *queue = contender->queue;

    if (queue != NULL) {
        fakeetcd__queue_give_up(contender);
        contender->queue = NULL;
        fakeetcd__queue_leave(queue);
    }
}

/* Who still waited takes its key along, later: a write may be under way now. */
void fakeetcd__contender_drop(struct fakeetcd_call *call)
{
    struct fakeetcd__contender *contender = call->state;

    if (contender == NULL) {
        return;
    }
    bool is_giving_up = contender->is_waiting && contender->server->is_running;
    call->state = NULL;
    contender->call = NULL;
    leave(contender);
    if (is_giving_up) {
        rt_task_schedule(&contender->withdrawal);
    } else {
        release(contender);
    }
}

/* etcd's own client does it, as nobody: with auth on the key stays until its lease ends. */
static void withdraw(void *arg)
{
    struct fakeetcd__contender *contender = arg;
    struct fakeetcd_server *server = contender->server;
    struct fakeetcd_kv kv;

    fakeetcd__enter(server);
    if (!fakeetcd_auth_is_enabled(server->state.auth) && !server->is_leaderless &&
        fakeetcd__may_write(server, 0) == FAKEETCD_OK &&
        fakeetcd_store_get(server->state.store, contender->key, 0, &kv) &&
        kv.create_revision == contender->revision) {
        fakeetcd__begin_write(server);
        (void)fakeetcd_write_delete(server->state.store, contender->key, NULL);
        (void)fakeetcd__end_write(server, FAKEETCD_OK);
    }
    release(contender);
    fakeetcd__leave(server);
}

static void release(struct fakeetcd__contender *contender)
{
    TAILQ_REMOVE(&contender->server->contenders, contender, others);
    rt_task_cancel(&contender->withdrawal);
    free(contender);
}

void fakeetcd__contenders_stop(struct fakeetcd_server *server)
{
    struct fakeetcd__contender *contender = TAILQ_FIRST(&server->contenders);

    while (contender != NULL) {
        struct fakeetcd__contender *next = TAILQ_NEXT(contender, others);
        if (contender->call == NULL) {
            release(contender);
        }
        contender = next;
    }
}

/* ---- what both services say ---- */

void fakeetcd__recipe_fail(struct fakeetcd_call *call, enum fakeetcd_error error)
{
    if (error == FAKEETCD_E_NOMEM) {
        fakeetcd_call_fail(call, error);
    } else {
        fakeetcd_call_finish(call, GRPC_UNKNOWN, fakeetcd_error_text(error));
    }
}

/* Nobody keeps it alive: etcd's services let go of their sessions at once. */
enum fakeetcd_error fakeetcd__session_lease(struct fakeetcd_call *call, int64_t *io_lease)
{
    struct fakeetcd_lease_info info;

    if (*io_lease != 0) {
        return FAKEETCD_OK;
    }
    enum fakeetcd_error error = fakeetcd__identify(call);
    if (error == FAKEETCD_OK) {
        error = fakeetcd__lease_grant(call->server, 0, SESSION_TTL_S, &info);
    }
    if (error == FAKEETCD_OK) {
        *io_lease = info.id;
    }
    return error;
}

enum fakeetcd_error fakeetcd__run_if_created(struct fakeetcd_call *call, int64_t revision,
                                             Etcdserverpb__PutRequest *put,
                                             Etcdserverpb__DeleteRangeRequest *deletion,
                                             bool *out_is_done)
{
    Etcdserverpb__Compare compare = ETCDSERVERPB__COMPARE__INIT;
    Etcdserverpb__RequestOp op = ETCDSERVERPB__REQUEST_OP__INIT;
    Etcdserverpb__TxnRequest txn = ETCDSERVERPB__TXN_REQUEST__INIT;
    Etcdserverpb__TxnResponse response = ETCDSERVERPB__TXN_RESPONSE__INIT;

    compare.key = put != NULL ? put->key : deletion->key;
    compare.target = ETCDSERVERPB__COMPARE__COMPARE_TARGET__CREATE;
    compare.target_union_case = ETCDSERVERPB__COMPARE__TARGET_UNION_CREATE_REVISION;
    compare.create_revision = revision;
    if (put != NULL) {
        op.request_case = ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_PUT;
        op.request_put = put;
    } else {
        op.request_case = ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_DELETE_RANGE;
        op.request_delete_range = deletion;
    }
    txn.n_compare = txn.n_success = 1;
    txn.compare = (Etcdserverpb__Compare *[]){&compare};
    txn.success = (Etcdserverpb__RequestOp *[]){&op};

    enum fakeetcd_error error = fakeetcd__check_txn(call->server, &txn);
    if (error == FAKEETCD_OK) {
        error = fakeetcd__may_txn(call, &txn);
    }
    if (error == FAKEETCD_OK) {
        error = fakeetcd__may_write(call->server, fakeetcd__txn_cost(&txn));
    }
    if (error == FAKEETCD_OK) {
        error = fakeetcd__run_txn(call->server, &txn, &response);
    }
    *out_is_done = error == FAKEETCD_OK && response.succeeded;
    return error;
}

enum fakeetcd_error fakeetcd__may_read_below(struct fakeetcd_call *call, struct rt_slice name)
{
    Etcdserverpb__RangeRequest range = ETCDSERVERPB__RANGE_REQUEST__INIT;
    uint8_t *bytes = pb_arena_take(&call->server->arena, 2 * (name.len_bytes + 1));

    if (bytes == NULL) {
        return FAKEETCD_E_NOMEM;
    }
    range.key = (ProtobufCBinaryData){.len = name.len_bytes + 1, .data = bytes};
    range.range_end =
        (ProtobufCBinaryData){.len = name.len_bytes + 1, .data = bytes + name.len_bytes + 1};
    if (name.len_bytes > 0) {
        memcpy(range.key.data, name.data, name.len_bytes);
        memcpy(range.range_end.data, name.data, name.len_bytes);
    }
    range.key.data[name.len_bytes] = '/';
    range.range_end.data[name.len_bytes] = '/' + 1;
    return fakeetcd__may_range(call, &range);
}
