/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/kv/kv.h"
#include "fakeetcd/lease/service_lease.h"
#include "fakeetcd/request/service_rest.h"
#include "fakeetcd/watch/watch_service.h"

#include "wire/proto/etcd_election.pb-c.h"
#include "wire/proto/etcd_lock.pb-c.h"
#include "wire/proto/grpc_health.pb-c.h"

#include <pthread.h>
#include <stdio.h>

/* Every method there is. The order is that of the operations in fault_domain.c. */

#define KV          "etcdserverpb.KV"
#define WATCH       "etcdserverpb.Watch"
#define LEASE       "etcdserverpb.Lease"
#define CLUSTER     "etcdserverpb.Cluster"
#define MAINTENANCE "etcdserverpb.Maintenance"
#define AUTH        "etcdserverpb.Auth"
#define LOCK        "v3lockpb.Lock"
#define ELECTION    "v3electionpb.Election"
#define HEALTH      "grpc.health.v1.Health"

#define NAMED(service_name, method_name, method_word)                                              \
    .service = (service_name), .name = (method_name), .word = (method_word)
#define NEEDS(of_leader, of_caller)                                                                \
    .leader = FAKEETCD_LEADER_##of_leader, .access = FAKEETCD_MAY_##of_caller
#define MESSAGES(prefix)                                                                           \
    .request = &prefix##_request__descriptor, .response = &prefix##_response__descriptor

/* clang-format off */
const struct fakeetcd_method fakeetcd_methods[] = {
    {NAMED(KV, "Range", "etcd-range"), .kind = FAKEETCD_UNARY, NEEDS(ASK, ASK),
     MESSAGES(etcdserverpb__range), .http_path = "/kv/range", .on_request = fakeetcd__on_range},
    {NAMED(KV, "Put", "etcd-put"), .kind = FAKEETCD_UNARY, NEEDS(PROPOSES, ASK),
     MESSAGES(etcdserverpb__put), .http_path = "/kv/put", .on_request = fakeetcd__on_put},
    {NAMED(KV, "DeleteRange", "etcd-delete-range"), .kind = FAKEETCD_UNARY, NEEDS(PROPOSES, ASK),
     MESSAGES(etcdserverpb__delete_range), .http_path = "/kv/deleterange",
     .on_request = fakeetcd__on_delete_range},
    {NAMED(KV, "Txn", "etcd-txn"), .kind = FAKEETCD_UNARY, NEEDS(ASK, ASK),
     MESSAGES(etcdserverpb__txn), .http_path = "/kv/txn", .on_request = fakeetcd__on_txn},
    {NAMED(KV, "Compact", "etcd-compact"), .kind = FAKEETCD_UNARY, NEEDS(PROPOSES, OPERATOR),
     MESSAGES(etcdserverpb__compaction), .http_path = "/kv/compaction",
     .on_request = fakeetcd__on_compact},
    {NAMED(WATCH, "Watch", "etcd-watch"), .kind = FAKEETCD_BIDI, NEEDS(LOCAL, ASK),
     MESSAGES(etcdserverpb__watch), .http_path = "/watch",
     .on_request = fakeetcd__on_watch, .on_half_close = fakeetcd__watch_half_closed,
     .on_gone = fakeetcd__watch_gone, .on_drained = fakeetcd__watch_drained},
    {NAMED(LEASE, "LeaseGrant", "etcd-lease-grant"), .kind = FAKEETCD_UNARY, NEEDS(PROPOSES, USER),
     MESSAGES(etcdserverpb__lease_grant), .http_path = "/lease/grant",
     .on_request = fakeetcd__on_lease_grant},
    {NAMED(LEASE, "LeaseRevoke", "etcd-lease-revoke"),
     .kind = FAKEETCD_UNARY, NEEDS(PROPOSES, USER),
     MESSAGES(etcdserverpb__lease_revoke), .http_path = "/lease/revoke",
     .on_request = fakeetcd__on_lease_revoke},
    {NAMED(LEASE, "LeaseKeepAlive", "etcd-lease-keepalive"),
     .kind = FAKEETCD_BIDI, NEEDS(LEASES, USER),
     MESSAGES(etcdserverpb__lease_keep_alive), .http_path = "/lease/keepalive",
     .on_request = fakeetcd__on_lease_keep_alive},
    {NAMED(LEASE, "LeaseTimeToLive", "etcd-lease-time-to-live"),
     .kind = FAKEETCD_UNARY, NEEDS(LEASES, USER),
     MESSAGES(etcdserverpb__lease_time_to_live), .http_path = "/lease/timetolive",
     .on_request = fakeetcd__on_lease_time_to_live},
    {NAMED(LEASE, "LeaseLeases", "etcd-lease-leases"), .kind = FAKEETCD_UNARY, NEEDS(LOCAL, USER),
     MESSAGES(etcdserverpb__lease_leases), .http_path = "/lease/leases",
     .on_request = fakeetcd__on_lease_leases},
    {NAMED(CLUSTER, "MemberList", "etcd-member-list"), .kind = FAKEETCD_UNARY, NEEDS(ASK, USER),
     MESSAGES(etcdserverpb__member_list), .http_path = "/cluster/member/list",
     .on_request = fakeetcd__on_member_list},
    {NAMED(CLUSTER, "MemberAdd", "etcd-member-add"), .kind = FAKEETCD_UNARY, NEEDS(PROPOSES, ROOT),
     MESSAGES(etcdserverpb__member_add), .http_path = "/cluster/member/add",
     .on_request = fakeetcd__on_member_add},
    {NAMED(CLUSTER, "MemberRemove", "etcd-member-remove"),
     .kind = FAKEETCD_UNARY, NEEDS(PROPOSES, ROOT),
     MESSAGES(etcdserverpb__member_remove), .http_path = "/cluster/member/remove",
     .on_request = fakeetcd__on_member_remove},
    {NAMED(CLUSTER, "MemberUpdate", "etcd-member-update"),
     .kind = FAKEETCD_UNARY, NEEDS(PROPOSES, ROOT),
     MESSAGES(etcdserverpb__member_update), .http_path = "/cluster/member/update",
     .on_request = fakeetcd__on_member_update},
    {NAMED(CLUSTER, "MemberPromote", "etcd-member-promote"),
     .kind = FAKEETCD_UNARY, NEEDS(PROPOSES, ROOT),
     MESSAGES(etcdserverpb__member_promote), .http_path = "/cluster/member/promote",
     .on_request = fakeetcd__on_member_promote},
    {NAMED(MAINTENANCE, "Alarm", "etcd-alarm"), .kind = FAKEETCD_UNARY, NEEDS(PROPOSES, ALARM),
     MESSAGES(etcdserverpb__alarm), .http_path = "/maintenance/alarm",
     .on_request = fakeetcd__on_alarm},
    {NAMED(MAINTENANCE, "Status", "etcd-status"), .kind = FAKEETCD_UNARY, NEEDS(LOCAL, OPERATOR),
     MESSAGES(etcdserverpb__status), .http_path = "/maintenance/status",
     .on_request = fakeetcd__on_status},
    {NAMED(MAINTENANCE, "Defragment", "etcd-defragment"),
     .kind = FAKEETCD_UNARY, NEEDS(LOCAL, ADMIN),
     MESSAGES(etcdserverpb__defragment), .http_path = "/maintenance/defragment",
     .on_request = fakeetcd__on_defragment},
    {NAMED(MAINTENANCE, "Hash", "etcd-hash"), .kind = FAKEETCD_UNARY, NEEDS(LOCAL, ADMIN),
     MESSAGES(etcdserverpb__hash), .http_path = "/maintenance/hash",
     .on_request = fakeetcd__on_hash},
    {NAMED(MAINTENANCE, "HashKV", "etcd-hash-kv"), .kind = FAKEETCD_UNARY, NEEDS(LOCAL, ADMIN),
     .request = &etcdserverpb__hash_kvrequest__descriptor,
     .response = &etcdserverpb__hash_kvresponse__descriptor,
     .http_path = "/maintenance/hashkv",
     .on_request = fakeetcd__on_hash_kv},
    {NAMED(MAINTENANCE, "Snapshot", "etcd-snapshot"),
     .kind = FAKEETCD_SERVER_STREAM, NEEDS(LOCAL, ADMIN),
     MESSAGES(etcdserverpb__snapshot), .http_path = "/maintenance/snapshot",
     .on_request = fakeetcd__on_snapshot, .on_gone = fakeetcd__snapshot_gone, .on_drained = fakeetcd__snapshot_drained},
    {NAMED(MAINTENANCE, "MoveLeader", "etcd-move-leader"),
     .kind = FAKEETCD_UNARY, NEEDS(LOCAL, OPERATOR),
     MESSAGES(etcdserverpb__move_leader), .http_path = "/maintenance/transfer-leadership",
     .on_request = fakeetcd__on_move_leader},
    {NAMED(MAINTENANCE, "Downgrade", "etcd-downgrade"),
     .kind = FAKEETCD_UNARY, NEEDS(PROPOSES, OPERATOR),
     MESSAGES(etcdserverpb__downgrade), .http_path = "/maintenance/downgrade",
     .on_request = fakeetcd__on_downgrade, .is_new = true},
    {NAMED(AUTH, "AuthEnable", "etcd-auth-enable"), .kind = FAKEETCD_UNARY, NEEDS(PROPOSES, ROOT),
     MESSAGES(etcdserverpb__auth_enable), .http_path = "/auth/enable",
     .on_request = fakeetcd__on_auth_enable},
    {NAMED(AUTH, "AuthDisable", "etcd-auth-disable"), .kind = FAKEETCD_UNARY, NEEDS(PROPOSES, ROOT),
     MESSAGES(etcdserverpb__auth_disable), .http_path = "/auth/disable",
     .on_request = fakeetcd__on_auth_disable},
    {NAMED(AUTH, "AuthStatus", "etcd-auth-status"), .kind = FAKEETCD_UNARY, NEEDS(PROPOSES, ROOT),
     MESSAGES(etcdserverpb__auth_status), .http_path = "/auth/status",
     .on_request = fakeetcd__on_auth_status, .is_new = true},
    {NAMED(AUTH, "Authenticate", "etcd-authenticate"),
     .kind = FAKEETCD_UNARY, NEEDS(READS, ANYBODY),
     MESSAGES(etcdserverpb__authenticate), .http_path = "/auth/authenticate",
     .on_request = fakeetcd__on_authenticate},
    {NAMED(AUTH, "UserAdd", "etcd-user-add"), .kind = FAKEETCD_UNARY, NEEDS(PROPOSES, ROOT),
     MESSAGES(etcdserverpb__auth_user_add), .http_path = "/auth/user/add",
     .on_request = fakeetcd__on_user_add},
    {NAMED(AUTH, "UserGet", "etcd-user-get"), .kind = FAKEETCD_UNARY, NEEDS(PROPOSES, ASK),
     MESSAGES(etcdserverpb__auth_user_get), .http_path = "/auth/user/get",
     .on_request = fakeetcd__on_user_get},
    {NAMED(AUTH, "UserList", "etcd-user-list"), .kind = FAKEETCD_UNARY, NEEDS(PROPOSES, ROOT),
     MESSAGES(etcdserverpb__auth_user_list), .http_path = "/auth/user/list",
     .on_request = fakeetcd__on_user_list},
    {NAMED(AUTH, "UserDelete", "etcd-user-delete"), .kind = FAKEETCD_UNARY, NEEDS(PROPOSES, ROOT),
     MESSAGES(etcdserverpb__auth_user_delete), .http_path = "/auth/user/delete",
     .on_request = fakeetcd__on_user_delete},
    {NAMED(AUTH, "UserChangePassword", "etcd-user-change-password"),
     .kind = FAKEETCD_UNARY, NEEDS(PROPOSES, ROOT),
     MESSAGES(etcdserverpb__auth_user_change_password), .http_path = "/auth/user/changepw",
     .on_request = fakeetcd__on_user_change_password},
    {NAMED(AUTH, "UserGrantRole", "etcd-user-grant-role"),
     .kind = FAKEETCD_UNARY, NEEDS(PROPOSES, ROOT),
     MESSAGES(etcdserverpb__auth_user_grant_role), .http_path = "/auth/user/grant",
     .on_request = fakeetcd__on_user_grant_role},
    {NAMED(AUTH, "UserRevokeRole", "etcd-user-revoke-role"),
     .kind = FAKEETCD_UNARY, NEEDS(PROPOSES, ROOT),
     MESSAGES(etcdserverpb__auth_user_revoke_role), .http_path = "/auth/user/revoke",
     .on_request = fakeetcd__on_user_revoke_role},
    {NAMED(AUTH, "RoleAdd", "etcd-role-add"), .kind = FAKEETCD_UNARY, NEEDS(PROPOSES, ROOT),
     MESSAGES(etcdserverpb__auth_role_add), .http_path = "/auth/role/add",
     .on_request = fakeetcd__on_role_add},
    {NAMED(AUTH, "RoleGet", "etcd-role-get"), .kind = FAKEETCD_UNARY, NEEDS(PROPOSES, ASK),
     MESSAGES(etcdserverpb__auth_role_get), .http_path = "/auth/role/get",
     .on_request = fakeetcd__on_role_get},
    {NAMED(AUTH, "RoleList", "etcd-role-list"), .kind = FAKEETCD_UNARY, NEEDS(PROPOSES, ROOT),
     MESSAGES(etcdserverpb__auth_role_list), .http_path = "/auth/role/list",
     .on_request = fakeetcd__on_role_list},
    {NAMED(AUTH, "RoleDelete", "etcd-role-delete"), .kind = FAKEETCD_UNARY, NEEDS(PROPOSES, ROOT),
     MESSAGES(etcdserverpb__auth_role_delete), .http_path = "/auth/role/delete",
     .on_request = fakeetcd__on_role_delete},
    {NAMED(AUTH, "RoleGrantPermission", "etcd-role-grant-permission"),
     .kind = FAKEETCD_UNARY, NEEDS(PROPOSES, ROOT),
     MESSAGES(etcdserverpb__auth_role_grant_permission), .http_path = "/auth/role/grant",
     .on_request = fakeetcd__on_role_grant_permission},
    {NAMED(AUTH, "RoleRevokePermission", "etcd-role-revoke-permission"),
     .kind = FAKEETCD_UNARY, NEEDS(PROPOSES, ROOT),
     MESSAGES(etcdserverpb__auth_role_revoke_permission), .http_path = "/auth/role/revoke",
     .on_request = fakeetcd__on_role_revoke_permission},
    {NAMED(LOCK, "Lock", "etcd-lock"), .kind = FAKEETCD_UNARY, NEEDS(PROPOSES, ASK),
     MESSAGES(v3lockpb__lock), .http_path = "/lock/lock",
     .on_request = fakeetcd__on_lock,
     .on_gone = fakeetcd__contender_gone},
    {NAMED(LOCK, "Unlock", "etcd-unlock"), .kind = FAKEETCD_UNARY, NEEDS(PROPOSES, ASK),
     MESSAGES(v3lockpb__unlock), .http_path = "/lock/unlock", .on_request = fakeetcd__on_unlock},
    {NAMED(ELECTION, "Campaign", "etcd-campaign"), .kind = FAKEETCD_UNARY, NEEDS(PROPOSES, ASK),
     MESSAGES(v3electionpb__campaign), .http_path = "/election/campaign",
     .on_request = fakeetcd__on_campaign,
     .on_gone = fakeetcd__contender_gone},
    {NAMED(ELECTION, "Proclaim", "etcd-proclaim"), .kind = FAKEETCD_UNARY, NEEDS(PROPOSES, ASK),
     MESSAGES(v3electionpb__proclaim), .http_path = "/election/proclaim",
     .on_request = fakeetcd__on_proclaim},
    {NAMED(ELECTION, "Leader", "etcd-leader"), .kind = FAKEETCD_UNARY, NEEDS(READS, ASK),
     MESSAGES(v3electionpb__leader), .http_path = "/election/leader",
     .on_request = fakeetcd__on_leader},
    {NAMED(ELECTION, "Observe", "etcd-observe"), .kind = FAKEETCD_SERVER_STREAM, NEEDS(READS, ASK),
     MESSAGES(v3electionpb__leader), .http_path = "/election/observe",
     .on_request = fakeetcd__on_observe,
     .on_gone = fakeetcd__contender_gone,
     .on_drained = fakeetcd__observer_drained},
    {NAMED(ELECTION, "Resign", "etcd-resign"), .kind = FAKEETCD_UNARY, NEEDS(PROPOSES, ASK),
     MESSAGES(v3electionpb__resign), .http_path = "/election/resign",
     .on_request = fakeetcd__on_resign},
    {NAMED(HEALTH, "Check", "etcd-health-check"), .kind = FAKEETCD_UNARY, NEEDS(LOCAL, ANYBODY),
     MESSAGES(grpc__health__v1__health_check), .http_path = NULL,
     .on_request = fakeetcd__on_health_check},
    {NAMED(HEALTH, "Watch", "etcd-health-watch"),
     .kind = FAKEETCD_SERVER_STREAM, NEEDS(LOCAL, ANYBODY),
     MESSAGES(grpc__health__v1__health_check), .http_path = NULL,
     .on_request = fakeetcd__on_health_watch,
     .on_gone = fakeetcd__health_gone},
    {.service = NULL},
};
/* clang-format on */
#define METHOD_COUNT (sizeof(fakeetcd_methods) / sizeof(fakeetcd_methods[0]) - 1)
_Static_assert(METHOD_COUNT <= FAKEETCD__METHODS_MAX, "a fault domain has no more operations");

/* ---- found by path ---- */

#define SLOT_COUNT 256 /* a power of two, several times the methods */

static pthread_once_t slots_once = PTHREAD_ONCE_INIT;
static const struct fakeetcd_method *slots[SLOT_COUNT]; /* written once */

static void fill_slots(void);
static uint32_t hash(uint32_t seed, const uint8_t *data, size_t len_bytes);
static bool is_path_of(const struct fakeetcd_method *method, struct rt_slice path);
static struct rt_slice without_slash(struct rt_slice path);

size_t fakeetcd_method_count(void)
{
    return METHOD_COUNT;
}

const struct fakeetcd_method *fakeetcd_method_by_path(struct rt_slice path)
{
    pthread_once(&slots_once, fill_slots);
    path = without_slash(path);
    uint32_t slot = hash(0, path.data, path.len_bytes) % SLOT_COUNT;
    while (slots[slot] != NULL) {
        if (is_path_of(slots[slot], path)) {
            return slots[slot];
        }
        slot = (slot + 1) % SLOT_COUNT;
    }
    return NULL;
}

static void fill_slots(void)
{
    for (size_t i = 0; i < METHOD_COUNT; i++) {
        char path[96];
        int len_bytes = snprintf(path, sizeof(path), "%s/%s", fakeetcd_methods[i].service,
                                 fakeetcd_methods[i].name);
        uint32_t slot = hash(0, (const uint8_t *)path, (size_t)len_bytes) % SLOT_COUNT;
        while (slots[slot] != NULL) {
            slot = (slot + 1) % SLOT_COUNT;
        }
        slots[slot] = &fakeetcd_methods[i];
    }
}

/* FNV-1a. The table is small and fixed: no peer can fill it. */
static uint32_t hash(uint32_t seed, const uint8_t *data, size_t len_bytes)
{
    uint32_t value = seed ^ UINT32_C(2166136261);
    for (size_t i = 0; i < len_bytes; i++) {
        value = (value ^ data[i]) * UINT32_C(16777619);
    }
    return value ^ value >> 16;
}

static bool is_path_of(const struct fakeetcd_method *method, struct rt_slice path)
{
    size_t service_bytes = strlen(method->service);
    size_t name_bytes = strlen(method->name);
    return path.len_bytes == service_bytes + name_bytes + 1 &&
           memcmp(path.data, method->service, service_bytes) == 0 &&
           path.data[service_bytes] == '/' &&
           memcmp(path.data + service_bytes + 1, method->name, name_bytes) == 0;
}

/* grpc-go takes the slash in front off if there is one. */
static struct rt_slice without_slash(struct rt_slice path)
{
    bool has_slash = path.len_bytes > 0 && path.data[0] == '/';
    return has_slash ? rt_slice_of(path.data + 1, path.len_bytes - 1) : path;
}

/* ---- what does not exist ---- */

bool fakeetcd_method_is_in(const struct fakeetcd_method *method,
                           const struct fakeetcd_profile *profile)
{
    return !method->is_new || (profile->quirks & FAKEETCD_QUIRK_OLD_CODES) == 0;
}

bool fakeetcd_has_service(struct rt_slice service)
{
    for (size_t i = 0; i < METHOD_COUNT; i++) {
        if (rt_slice_is_text(service, fakeetcd_methods[i].service)) {
            return true;
        }
    }
    return false;
}

/* The framing has seen to it that the path has two parts. */
void fakeetcd_unknown_text(struct rt_slice path, char *out_text, size_t text_bytes)
{
    path = without_slash(path);
    size_t slash = path.len_bytes; /* behind the last one */
    while (slash > 0 && path.data[slash - 1] != '/') {
        slash--;
    }
    struct rt_slice service = rt_slice_of(path.data, slash == 0 ? 0 : slash - 1);
    struct rt_slice name = rt_slice_of(path.data + slash, path.len_bytes - slash);
    if (fakeetcd_has_service(service)) {
        snprintf(out_text, text_bytes, "unknown method %.*s for service %.*s", (int)name.len_bytes,
                 (const char *)name.data, (int)service.len_bytes, (const char *)service.data);
    } else {
        snprintf(out_text, text_bytes, "unknown service %.*s", (int)service.len_bytes,
                 (const char *)service.data);
    }
}
