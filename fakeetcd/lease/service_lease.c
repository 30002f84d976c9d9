/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/lease/service_lease.h"

#include "fakeetcd/kv/kv.h"
#include "fakeetcd/request/dispatch.h"
#include "fakeetcd/request/fault_points.h"

/* The service Lease. A closed keepalive stream revokes nothing. */

#define US_PER_S         UINT64_C(1000000)
#define LEASE_COST_BYTES 64 /* what etcd's quota counts for a lease */

static void shorten(struct fakeetcd_server *server, int64_t id, const struct fault_action *action);
static enum fakeetcd_error may_touch(struct fakeetcd_call *call, int64_t id,
                                     enum fakeetcd_access access);
static void keep_alive(struct fakeetcd_call *call, int64_t id, bool is_ttl_zero);
static int64_t seconds_left(const struct fakeetcd_server *server,
                            const struct fakeetcd_lease_info *info);
static bool add_keys(struct fakeetcd_call *call, int64_t id,
                     Etcdserverpb__LeaseTimeToLiveResponse *response);
static bool on_lease(void *arg, const struct fakeetcd_lease_info *info);

enum fakeetcd_error fakeetcd__lease_grant(struct fakeetcd_server *server, int64_t id, int64_t ttl_s,
                                          struct fakeetcd_lease_info *out_info)
{
    enum fakeetcd_error error = fakeetcd__may_write(server, LEASE_COST_BYTES);
    if (error != FAKEETCD_OK) {
        return error;
    }
    int64_t given = id == 0 ? fakeetcd__new_lease_id(server) : id;
    error = fakeetcd_lease_grant(server->state.leases, given, ttl_s, fakeetcd__lease_now_us(server),
                                 out_info);
    if (error != FAKEETCD_OK) {
        return error;
    }
    server->state.raft_index++;
    if (server->data_dir != NULL) {
        fakeetcd_data_dir_lease_granted(server->data_dir, given, out_info->granted_ttl_s);
    }
    fakeetcd__changed(server);
    fakeetcd__lease_arm(server);
    fakeetcd__event(server, "lease-granted", rt_slice_text(""), "");
    return FAKEETCD_OK;
}

void fakeetcd__on_lease_grant(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const Etcdserverpb__LeaseGrantRequest *request =
        (const Etcdserverpb__LeaseGrantRequest *)message;
    struct fakeetcd_server *server = call->server;
    Etcdserverpb__LeaseGrantResponse response = ETCDSERVERPB__LEASE_GRANT_RESPONSE__INIT;
    struct fakeetcd_lease_info info;
    enum fakeetcd_error error = fakeetcd__lease_grant(server, request->id, request->ttl, &info);
    if (error != FAKEETCD_OK) {
        fakeetcd_call_fail(call, error);
        return;
    }
    const struct fault_action *action = fakeetcd__ask_lease(server, call, info.id);
    if (action != NULL && action->kind == FAULT_SHORTEN) {
        shorten(server, info.id, action);
    }
    response.id = info.id;
    response.ttl = info.granted_ttl_s;
    fakeetcd__answer(call, &response.base, &response.header);
}

/* The client is told its TTL; the lease ends earlier. */
static void shorten(struct fakeetcd_server *server, int64_t id, const struct fault_action *action)
{
    uint64_t rest_us = (uint64_t)((double)action->duration_us * server->lease_clock.scale);
    (void)fakeetcd_lease_set_expiry(server->state.leases, id,
                                    fakeetcd__lease_now_us(server) + rest_us);
    fakeetcd__lease_arm(server);
}

void fakeetcd__on_lease_revoke(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const Etcdserverpb__LeaseRevokeRequest *request =
        (const Etcdserverpb__LeaseRevokeRequest *)message;
    Etcdserverpb__LeaseRevokeResponse response = ETCDSERVERPB__LEASE_REVOKE_RESPONSE__INIT;
    enum fakeetcd_error error = fakeetcd__may_write(call->server, 0);
    if (error == FAKEETCD_OK) {
        error = fakeetcd__may_lease(call, request->id, FAKEETCD_WRITE);
    }
    if (error == FAKEETCD_OK) {
        error = fakeetcd__lease_end(call->server, request->id, "lease-revoked");
    }
    fakeetcd__finish(call, error, &response.base, &response.header);
}

/* ---- keepalive ---- */

void fakeetcd__on_lease_keep_alive(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const Etcdserverpb__LeaseKeepAliveRequest *request =
        (const Etcdserverpb__LeaseKeepAliveRequest *)message;
    enum fakeetcd_error error = may_touch(call, request->id, FAKEETCD_WRITE);
    if (error != FAKEETCD_OK) {
        fakeetcd_call_fail(call, error);
        return;
    }
    const struct fault_action *action = fakeetcd__ask_lease(call->server, call, request->id);
    call->server->counts.keepalives++;
    if (action == NULL) {
        keep_alive(call, request->id, false);
        return;
    }
    call->cause = action->rule_id;
    switch (action->kind) {
    case FAULT_MUTE:
        break;
    case FAULT_TTL_ZERO:
        keep_alive(call, request->id, true);
        break;
    case FAULT_SHORTEN:
        keep_alive(call, request->id, false);
        shorten(call->server, request->id, action);
        break;
    default:
        keep_alive(call, request->id, false);
        break;
    }
}

/* etcd 3.4 asks nobody who only keeps leases alive or looks at them. Who asks is known already. */
static enum fakeetcd_error may_touch(struct fakeetcd_call *call, int64_t id,
                                     enum fakeetcd_access access)
{
    return fakeetcd__has_quirk(call->server, FAKEETCD_QUIRK_OPEN_WITHOUT_TOKEN)
               ? FAKEETCD_OK
               : fakeetcd__may_lease(call, id, access);
}

/* Only of a lease that may not end now. */
static bool is_overdue(const struct fakeetcd_server *server, int64_t id)
{
    struct fakeetcd_lease_info info;
    return fakeetcd_server_is(server, FAKEETCD_CORRUPTED) &&
           fakeetcd_lease_find(server->state.leases, id, &info) &&
           info.expires_us <= fakeetcd__lease_now_us(server);
}

/* A lease that is not there any more is answered, with TTL 0. */
static void keep_alive(struct fakeetcd_call *call, int64_t id, bool is_ttl_zero)
{
    struct fakeetcd_server *server = call->server;
    Etcdserverpb__LeaseKeepAliveResponse response = ETCDSERVERPB__LEASE_KEEP_ALIVE_RESPONSE__INIT;
    Etcdserverpb__ResponseHeader header;
    int64_t ttl_s = 0;
    if (is_overdue(server, id)) {
        return; /* etcd waits for its end */
    }
    if (!is_ttl_zero &&
        fakeetcd_lease_renew(server->state.leases, id, fakeetcd__lease_now_us(server), &ttl_s)) {
        fakeetcd__lease_arm(server);
    }
    fakeetcd__header_fill(server, &header);
    response.header = &header;
    response.id = id;
    response.ttl = ttl_s;
    fakeetcd_call_send(call, &response.base);
}

/* ---- looking at leases ---- */

void fakeetcd__on_lease_time_to_live(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const Etcdserverpb__LeaseTimeToLiveRequest *request =
        (const Etcdserverpb__LeaseTimeToLiveRequest *)message;
    struct fakeetcd_server *server = call->server;
    Etcdserverpb__LeaseTimeToLiveResponse response =
        ETCDSERVERPB__LEASE_TIME_TO_LIVE_RESPONSE__INIT;
    struct fakeetcd_lease_info info;
    response.id = request->id;
    response.ttl = -1;
    if (fakeetcd_lease_find(server->state.leases, request->id, &info)) {
        response.ttl = seconds_left(server, &info);
        response.grantedttl = info.granted_ttl_s;
        if (request->keys) {
            enum fakeetcd_error error = may_touch(call, request->id, FAKEETCD_READ);
            if (error == FAKEETCD_OK && !add_keys(call, request->id, &response)) {
                error = FAKEETCD_E_NOMEM;
            }
            if (error != FAKEETCD_OK) {
                fakeetcd_call_fail(call, error);
                return;
            }
        }
    }
    fakeetcd__answer(call, &response.base, &response.header);
}

/* Whole seconds, cut, as etcd says it. */
static int64_t seconds_left(const struct fakeetcd_server *server,
                            const struct fakeetcd_lease_info *info)
{
    int64_t left_us = (int64_t)(info->expires_us - fakeetcd__lease_now_us(server));
    return left_us / (int64_t)US_PER_S;
}

static bool add_keys(struct fakeetcd_call *call, int64_t id,
                     Etcdserverpb__LeaseTimeToLiveResponse *response)
{
    const struct rt_slice *keys;
    size_t key_count;
    if (!fakeetcd__lease_keys(call->server, id, &keys, &key_count)) {
        return false;
    }
    response->keys = pb_arena_array(&call->server->arena, key_count, sizeof(ProtobufCBinaryData));
    if (response->keys == NULL) {
        return false;
    }
    for (size_t i = 0; i < key_count; i++) {
        response->keys[i] = pb_bytes(keys[i]);
    }
    response->n_keys = key_count;
    return true;
}

struct lease_list {
    struct fakeetcd_call *call;
    enum fakeetcd_error error; /* the first lease that may not be seen */
    Etcdserverpb__LeaseStatus *items;
    Etcdserverpb__LeaseStatus **pointers;
    size_t count;
};

void fakeetcd__on_lease_leases(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    struct fakeetcd_server *server = call->server;
    Etcdserverpb__LeaseLeasesResponse response = ETCDSERVERPB__LEASE_LEASES_RESPONSE__INIT;
    size_t count = fakeetcd_lease_count(server->state.leases);
    struct lease_list list = {
        .call = call,
        .error = FAKEETCD_OK,
        .items = pb_arena_array(&server->arena, count, sizeof(*list.items)),
        .pointers = pb_arena_array(&server->arena, count, sizeof(Etcdserverpb__LeaseStatus *)),
    };
    (void)message;
    if (list.items == NULL || list.pointers == NULL) {
        fakeetcd_call_fail(call, FAKEETCD_E_NOMEM);
        return;
    }
    fakeetcd_leases_walk(server->state.leases, on_lease, &list);
    if (list.error != FAKEETCD_OK) {
        fakeetcd_call_fail(call, list.error);
        return;
    }
    response.n_leases = list.count;
    response.leases = list.pointers;
    fakeetcd__answer(call, &response.base, &response.header);
}

static bool on_lease(void *arg, const struct fakeetcd_lease_info *info)
{
    struct lease_list *list = arg;
    Etcdserverpb__LeaseStatus *status = &list->items[list->count];
    etcdserverpb__lease_status__init(status);
    status->id = info->id;
    list->pointers[list->count++] = status;
    list->error = may_touch(list->call, info->id, FAKEETCD_READ);
    return list->error == FAKEETCD_OK;
}
