/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/lock/contender.h"
#include "fakeetcd/request/service_rest.h"
#include "wire/proto/etcd_lock.pb-c.h"

/* The service Lock: who comes first below the name has it until its key is gone. */

static void on_turn(struct fakeetcd__contender *contender, bool is_at_once);

void fakeetcd__on_lock(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const V3lockpb__LockRequest *request = (const V3lockpb__LockRequest *)message;

    fakeetcd__contend(call, pb_slice(request->name), request->lease, NULL, on_turn);
}

/* A key that went while it waited: 3.4 gives the lock all the same. */
static void on_turn(struct fakeetcd__contender *contender, bool is_at_once)
{
    struct fakeetcd_call *call = contender->call;
    V3lockpb__LockResponse response = V3LOCKPB__LOCK_RESPONSE__INIT;
    struct fakeetcd_kv kv;

    if (!is_at_once && !fakeetcd__has_quirk(call->server, FAKEETCD_QUIRK_LOCK_UNCHECKED) &&
        !fakeetcd_store_get(call->server->state.store, contender->key, 0, &kv)) {
        fakeetcd_call_finish(call, GRPC_UNKNOWN, "mutex: session is expired");
        return;
    }
    response.key = pb_bytes(contender->key);
    fakeetcd__answer(call, &response.base, &response.header);
}

void fakeetcd__on_unlock(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const V3lockpb__UnlockRequest *request = (const V3lockpb__UnlockRequest *)message;
    V3lockpb__UnlockResponse response = V3LOCKPB__UNLOCK_RESPONSE__INIT;
    Etcdserverpb__DeleteRangeRequest deletion = ETCDSERVERPB__DELETE_RANGE_REQUEST__INIT;
    Etcdserverpb__DeleteRangeResponse deleted = ETCDSERVERPB__DELETE_RANGE_RESPONSE__INIT;

    deletion.key = request->key;
    enum fakeetcd_error error = fakeetcd__run_delete(call, &deletion, &deleted);
    if (error != FAKEETCD_OK) {
        fakeetcd__recipe_fail(call, error);
        return;
    }
    fakeetcd__answer(call, &response.base, &response.header);
}

/* Lock and Campaign; Observe keeps something else. */
void fakeetcd__contender_gone(struct fakeetcd_call *call)
{
    if (call->method->kind == FAKEETCD_UNARY) {
        fakeetcd__contender_drop(call);
    } else {
        fakeetcd__observer_drop(call);
    }
}
