/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/kv/kv.h"
#include "fakeetcd/request/dispatch.h"

#include "wire/proto/etcd_election.pb-c.h"
#include "wire/proto/etcd_lock.pb-c.h"

/*
 * What a request says about itself before it is handled: the keys it touches (for faults and the
 * journal), and how deep it nests.
 */

/* Far more than any that can be answered otherwise: each level uses up an operation. */
#define DEPTH_MAX 1000

struct key_list {
    struct pb_arena *arena;
    struct rt_slice *keys;
    size_t count;
    size_t capacity;
    bool is_failed;
};

static void add(struct key_list *list, struct rt_slice key);
static void add_txn(struct key_list *list, const Etcdserverpb__TxnRequest *txn);
static void add_op(struct key_list *list, const Etcdserverpb__RequestOp *op);
static bool add_visited(void *arg, struct rt_slice key);
static void add_of_kv(struct key_list *list, const ProtobufCMessage *request);
static void add_of_lease(struct key_list *list, struct fakeetcd_server *server,
                         const ProtobufCMessage *request);
static void add_of_recipe(struct key_list *list, const ProtobufCMessage *request);
static bool scan_txn(struct rt_slice bytes, unsigned depth);
static bool scan_op(struct rt_slice bytes, unsigned depth);
static bool next_field(struct rt_slice *rest, uint32_t *out_number, struct rt_slice *out_value);
static bool take_varint(struct rt_slice *rest, uint64_t *out_value);

bool fakeetcd__request_keys(struct fakeetcd_call *call, const ProtobufCMessage *request,
                            const struct rt_slice **out_keys, size_t *out_count)
{
    struct key_list list = {.arena = &call->server->arena};
    add_of_kv(&list, request);
    add_of_lease(&list, call->server, request);
    add_of_recipe(&list, request);
    *out_keys = list.keys;
    *out_count = list.is_failed ? 0 : list.count;
    return !list.is_failed;
}

bool fakeetcd__lease_keys(struct fakeetcd_server *server, int64_t lease,
                          const struct rt_slice **out_keys, size_t *out_count)
{
    struct key_list list = {.arena = &server->arena};
    fakeetcd_lease_keys(server->state.leases, lease, add_visited, &list);
    *out_keys = list.keys;
    *out_count = list.is_failed ? 0 : list.count;
    return !list.is_failed;
}

static void add_of_kv(struct key_list *list, const ProtobufCMessage *request)
{
    const ProtobufCMessageDescriptor *kind = request->descriptor;
    if (kind == &etcdserverpb__put_request__descriptor) {
        add(list, pb_slice(((const Etcdserverpb__PutRequest *)request)->key));
    } else if (kind == &etcdserverpb__range_request__descriptor) {
        add(list, pb_slice(((const Etcdserverpb__RangeRequest *)request)->key));
    } else if (kind == &etcdserverpb__delete_range_request__descriptor) {
        add(list, pb_slice(((const Etcdserverpb__DeleteRangeRequest *)request)->key));
    } else if (kind == &etcdserverpb__txn_request__descriptor) {
        add_txn(list, (const Etcdserverpb__TxnRequest *)request);
    } else if (kind == &etcdserverpb__watch_request__descriptor) {
        const Etcdserverpb__WatchRequest *watch = (const Etcdserverpb__WatchRequest *)request;
        if (watch->request_union_case ==
            ETCDSERVERPB__WATCH_REQUEST__REQUEST_UNION_CREATE_REQUEST) {
            add(list, pb_slice(watch->create_request->key));
        }
    }
}

static void add_txn(struct key_list *list, const Etcdserverpb__TxnRequest *txn)
{
    for (size_t i = 0; i < txn->n_compare; i++) {
        add(list, pb_slice(txn->compare[i]->key));
    }
    for (size_t i = 0; i < txn->n_success; i++) {
        add_op(list, txn->success[i]);
    }
    for (size_t i = 0; i < txn->n_failure; i++) {
        add_op(list, txn->failure[i]);
    }
}

static void add_op(struct key_list *list, const Etcdserverpb__RequestOp *op)
{
    switch (op->request_case) {
    case ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_RANGE:
        add(list, pb_slice(op->request_range->key));
        break;
    case ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_PUT:
        add(list, pb_slice(op->request_put->key));
        break;
    case ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_DELETE_RANGE:
        add(list, pb_slice(op->request_delete_range->key));
        break;
    case ETCDSERVERPB__REQUEST_OP__REQUEST_REQUEST_TXN:
        add_txn(list, op->request_txn);
        break;
    default:
        break;
    }
}

/* A lease touches the keys that hang on it. */
static void add_of_lease(struct key_list *list, struct fakeetcd_server *server,
                         const ProtobufCMessage *request)
{
    const ProtobufCMessageDescriptor *kind = request->descriptor;
    int64_t id = 0;
    if (kind == &etcdserverpb__lease_keep_alive_request__descriptor) {
        id = ((const Etcdserverpb__LeaseKeepAliveRequest *)request)->id;
    } else if (kind == &etcdserverpb__lease_revoke_request__descriptor) {
        id = ((const Etcdserverpb__LeaseRevokeRequest *)request)->id;
    } else if (kind == &etcdserverpb__lease_time_to_live_request__descriptor) {
        id = ((const Etcdserverpb__LeaseTimeToLiveRequest *)request)->id;
    }
    if (id != 0) {
        fakeetcd_lease_keys(server->state.leases, id, add_visited, list);
    }
}

static bool add_visited(void *arg, struct rt_slice key)
{
    add(arg, key);
    return true;
}

static void add_of_recipe(struct key_list *list, const ProtobufCMessage *request)
{
    const ProtobufCMessageDescriptor *kind = request->descriptor;
    if (kind == &v3lockpb__lock_request__descriptor) {
        add(list, pb_slice(((const V3lockpb__LockRequest *)request)->name));
    } else if (kind == &v3lockpb__unlock_request__descriptor) {
        add(list, pb_slice(((const V3lockpb__UnlockRequest *)request)->key));
    } else if (kind == &v3electionpb__campaign_request__descriptor) {
        add(list, pb_slice(((const V3electionpb__CampaignRequest *)request)->name));
    } else if (kind == &v3electionpb__leader_request__descriptor) {
        add(list, pb_slice(((const V3electionpb__LeaderRequest *)request)->name));
    } else if (kind == &v3electionpb__proclaim_request__descriptor) {
        const V3electionpb__LeaderKey *leader =
            ((const V3electionpb__ProclaimRequest *)request)->leader;
        if (leader != NULL) {
            add(list, pb_slice(leader->key));
        }
    } else if (kind == &v3electionpb__resign_request__descriptor) {
        const V3electionpb__LeaderKey *leader =
            ((const V3electionpb__ResignRequest *)request)->leader;
        if (leader != NULL) {
            add(list, pb_slice(leader->key));
        }
    }
}

static void add(struct key_list *list, struct rt_slice key)
{
    struct rt_slice *keys =
        pb_arena_grow(list->arena, list->keys, list->count, &list->capacity, sizeof(*keys));
    if (keys == NULL) {
        list->is_failed = true;
        return;
    }
    list->keys = keys;
    list->keys[list->count++] = key;
}

/* ---- depth: the only message that contains itself is TxnRequest, through RequestOp ---- */

enum { FIELD_SUCCESS = 2, FIELD_FAILURE = 3, FIELD_OP_TXN = 4 };

bool fakeetcd__is_shallow(const struct fakeetcd_method *method, struct rt_slice message)
{
    return method->request != &etcdserverpb__txn_request__descriptor || scan_txn(message, 1);
}

/* Bytes that are no protobuf are somebody else's to refuse. */
static bool scan_txn(struct rt_slice bytes, unsigned depth)
{
    uint32_t number;
    struct rt_slice value;
    if (depth > DEPTH_MAX) {
        return false;
    }
    while (next_field(&bytes, &number, &value)) {
        if ((number == FIELD_SUCCESS || number == FIELD_FAILURE) && !scan_op(value, depth)) {
            return false;
        }
    }
    return true;
}

static bool scan_op(struct rt_slice bytes, unsigned depth)
{
    uint32_t number;
    struct rt_slice value;
    while (next_field(&bytes, &number, &value)) {
        if (number == FIELD_OP_TXN && !scan_txn(value, depth + 1)) {
            return false;
        }
    }
    return true;
}

/* `out_value` is empty unless the field has a length. */
static bool next_field(struct rt_slice *rest, uint32_t *out_number, struct rt_slice *out_value)
{
    uint64_t tag;
    uint64_t number;
    size_t skip_bytes = 0;
    *out_value = rt_slice_of(NULL, 0);
    if (!take_varint(rest, &tag)) {
        return false;
    }
    *out_number = (uint32_t)(tag >> 3);
    switch (tag & 7) {
    case 0:
        return take_varint(rest, &number);
    case 1:
        skip_bytes = 8;
        break;
    case 5:
        skip_bytes = 4;
        break;
    case 2:
        if (!take_varint(rest, &number) || number > rest->len_bytes) {
            return false;
        }
        *out_value = rt_slice_of(rest->data, (size_t)number);
        skip_bytes = (size_t)number;
        break;
    default:
        return false;
    }
    if (skip_bytes > rest->len_bytes) {
        return false;
    }
    *rest = rt_slice_of(rest->data + skip_bytes, rest->len_bytes - skip_bytes);
    return true;
}

static bool take_varint(struct rt_slice *rest, uint64_t *out_value)
{
    uint64_t value = 0;
    for (size_t i = 0; i < rest->len_bytes && i < 10; i++) {
        value |= (uint64_t)(rest->data[i] & 0x7f) << (7 * i);
        if ((rest->data[i] & 0x80) == 0) {
            *rest = rt_slice_of(rest->data + i + 1, rest->len_bytes - i - 1);
            *out_value = value;
            return true;
        }
    }
    return false;
}
