/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/kv.h"
#include "fakeetcd/service_lease.h"
#include "fakeetcd/service_rest.h"
#include "fakeetcd/watch_service.h"

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

#define MESSAGES(prefix)                                                                           \
    .request = &prefix##_request__descriptor, .response = &prefix##_response__descriptor

const struct fakeetcd_method fakeetcd_methods[] = {
    {
        .service = KV,
        .name = "Range",
        .word = "etcd-range",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_ASK,
        .access = FAKEETCD_MAY_ASK,
        MESSAGES(etcdserverpb__range),
        .http_path = "/kv/range",
        .on_request = fakeetcd__on_range,
    },
    {
        .service = KV,
        .name = "Put",
        .word = "etcd-put",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_PROPOSES,
        .access = FAKEETCD_MAY_ASK,
        MESSAGES(etcdserverpb__put),
        .http_path = "/kv/put",
        .on_request = fakeetcd__on_put,
    },
    {
        .service = KV,
        .name = "DeleteRange",
        .word = "etcd-delete-range",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_PROPOSES,
        .access = FAKEETCD_MAY_ASK,
        MESSAGES(etcdserverpb__delete_range),
        .http_path = "/kv/deleterange",
        .on_request = fakeetcd__on_delete_range,
    },
    {
        .service = KV,
        .name = "Txn",
        .word = "etcd-txn",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_ASK,
        .access = FAKEETCD_MAY_ASK,
        MESSAGES(etcdserverpb__txn),
        .http_path = "/kv/txn",
        .on_request = fakeetcd__on_txn,
    },
    {
        .service = KV,
        .name = "Compact",
        .word = "etcd-compact",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_PROPOSES,
        .access = FAKEETCD_MAY_USER,
        MESSAGES(etcdserverpb__compaction),
        .http_path = "/kv/compaction",
        .on_request = fakeetcd__on_compact,
    },
    {
        .service = WATCH,
        .name = "Watch",
        .word = "etcd-watch",
        .kind = FAKEETCD_BIDI,
        .leader = FAKEETCD_LEADER_LOCAL,
        .access = FAKEETCD_MAY_ASK,
        MESSAGES(etcdserverpb__watch),
        .http_path = "/watch",
        .on_request = fakeetcd__on_watch,
        .on_gone = fakeetcd__watch_gone,
        .on_drained = fakeetcd__watch_drained,
    },
    {
        .service = LEASE,
        .name = "LeaseGrant",
        .word = "etcd-lease-grant",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_PROPOSES,
        .access = FAKEETCD_MAY_USER,
        MESSAGES(etcdserverpb__lease_grant),
        .http_path = "/lease/grant",
        .on_request = fakeetcd__on_lease_grant,
    },
    {
        .service = LEASE,
        .name = "LeaseRevoke",
        .word = "etcd-lease-revoke",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_PROPOSES,
        .access = FAKEETCD_MAY_USER,
        MESSAGES(etcdserverpb__lease_revoke),
        .http_path = "/lease/revoke",
        .on_request = fakeetcd__on_lease_revoke,
    },
    {
        .service = LEASE,
        .name = "LeaseKeepAlive",
        .word = "etcd-lease-keepalive",
        .kind = FAKEETCD_BIDI,
        .leader = FAKEETCD_LEADER_LEASES,
        .access = FAKEETCD_MAY_USER,
        MESSAGES(etcdserverpb__lease_keep_alive),
        .http_path = "/lease/keepalive",
        .on_request = fakeetcd__on_lease_keep_alive,
        .on_gone = fakeetcd__lease_stream_gone,
    },
    {
        .service = LEASE,
        .name = "LeaseTimeToLive",
        .word = "etcd-lease-time-to-live",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_LEASES,
        .access = FAKEETCD_MAY_USER,
        MESSAGES(etcdserverpb__lease_time_to_live),
        .http_path = "/lease/timetolive",
        .on_request = fakeetcd__on_lease_time_to_live,
    },
    {
        .service = LEASE,
        .name = "LeaseLeases",
        .word = "etcd-lease-leases",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_LOCAL,
        .access = FAKEETCD_MAY_USER,
        MESSAGES(etcdserverpb__lease_leases),
        .http_path = "/lease/leases",
        .on_request = fakeetcd__on_lease_leases,
    },
    {
        .service = CLUSTER,
        .name = "MemberList",
        .word = "etcd-member-list",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_MEMBERS,
        .access = FAKEETCD_MAY_USER,
        MESSAGES(etcdserverpb__member_list),
        .http_path = "/cluster/member/list",
        .on_request = fakeetcd__on_member_list,
    },
    {
        .service = CLUSTER,
        .name = "MemberAdd",
        .word = "etcd-member-add",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_PROPOSES,
        .access = FAKEETCD_MAY_ROOT,
        MESSAGES(etcdserverpb__member_add),
        .http_path = "/cluster/member/add",
        .on_request = fakeetcd__on_member_add,
    },
    {
        .service = CLUSTER,
        .name = "MemberRemove",
        .word = "etcd-member-remove",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_PROPOSES,
        .access = FAKEETCD_MAY_ROOT,
        MESSAGES(etcdserverpb__member_remove),
        .http_path = "/cluster/member/remove",
        .on_request = fakeetcd__on_member_remove,
    },
    {
        .service = CLUSTER,
        .name = "MemberUpdate",
        .word = "etcd-member-update",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_PROPOSES,
        .access = FAKEETCD_MAY_ROOT,
        MESSAGES(etcdserverpb__member_update),
        .http_path = "/cluster/member/update",
        .on_request = fakeetcd__on_member_update,
    },
    {
        .service = CLUSTER,
        .name = "MemberPromote",
        .word = "etcd-member-promote",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_PROPOSES,
        .access = FAKEETCD_MAY_ROOT,
        MESSAGES(etcdserverpb__member_promote),
        .http_path = "/cluster/member/promote",
        .on_request = fakeetcd__on_member_promote,
    },
    {
        .service = MAINTENANCE,
        .name = "Alarm",
        .word = "etcd-alarm",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_PROPOSES,
        .access = FAKEETCD_MAY_USER,
        MESSAGES(etcdserverpb__alarm),
        .http_path = "/maintenance/alarm",
        .on_request = fakeetcd__on_alarm,
    },
    {
        .service = MAINTENANCE,
        .name = "Status",
        .word = "etcd-status",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_LOCAL,
        .access = FAKEETCD_MAY_USER,
        MESSAGES(etcdserverpb__status),
        .http_path = "/maintenance/status",
        .on_request = fakeetcd__on_status,
    },
    {
        .service = MAINTENANCE,
        .name = "Defragment",
        .word = "etcd-defragment",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_LOCAL,
        .access = FAKEETCD_MAY_ADMIN,
        MESSAGES(etcdserverpb__defragment),
        .http_path = "/maintenance/defragment",
        .on_request = fakeetcd__on_defragment,
    },
    {
        .service = MAINTENANCE,
        .name = "Hash",
        .word = "etcd-hash",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_LOCAL,
        .access = FAKEETCD_MAY_ADMIN,
        MESSAGES(etcdserverpb__hash),
        .http_path = "/maintenance/hash",
        .on_request = fakeetcd__on_hash,
    },
    {
        .service = MAINTENANCE,
        .name = "HashKV",
        .word = "etcd-hash-kv",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_LOCAL,
        .access = FAKEETCD_MAY_ADMIN,
        MESSAGES(etcdserverpb__hash_kv),
        .http_path = "/maintenance/hashkv",
        .on_request = fakeetcd__on_hash_kv,
    },
    {
        .service = MAINTENANCE,
        .name = "Snapshot",
        .word = "etcd-snapshot",
        .kind = FAKEETCD_SERVER_STREAM,
        .leader = FAKEETCD_LEADER_LOCAL,
        .access = FAKEETCD_MAY_ADMIN,
        MESSAGES(etcdserverpb__snapshot),
        .http_path = "/maintenance/snapshot",
        .on_request = fakeetcd__on_snapshot,
    },
    {
        .service = MAINTENANCE,
        .name = "MoveLeader",
        .word = "etcd-move-leader",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_LOCAL,
        .access = FAKEETCD_MAY_ADMIN,
        MESSAGES(etcdserverpb__move_leader),
        .http_path = "/maintenance/transfer-leadership",
        .on_request = fakeetcd__on_move_leader,
    },
    {
        .service = MAINTENANCE,
        .name = "Downgrade",
        .word = "etcd-downgrade",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_PROPOSES,
        .access = FAKEETCD_MAY_ADMIN,
        .is_new = true,
        MESSAGES(etcdserverpb__downgrade),
        .http_path = "/maintenance/downgrade",
        .on_request = fakeetcd__on_downgrade,
    },
    {
        .service = AUTH,
        .name = "AuthEnable",
        .word = "etcd-auth-enable",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_PROPOSES,
        .access = FAKEETCD_MAY_ROOT,
        MESSAGES(etcdserverpb__auth_enable),
        .http_path = "/auth/enable",
        .on_request = fakeetcd__on_auth_enable,
    },
    {
        .service = AUTH,
        .name = "AuthDisable",
        .word = "etcd-auth-disable",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_PROPOSES,
        .access = FAKEETCD_MAY_ROOT,
        MESSAGES(etcdserverpb__auth_disable),
        .http_path = "/auth/disable",
        .on_request = fakeetcd__on_auth_disable,
    },
    {
        .service = AUTH,
        .name = "AuthStatus",
        .word = "etcd-auth-status",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_PROPOSES,
        .access = FAKEETCD_MAY_ROOT,
        .is_new = true,
        MESSAGES(etcdserverpb__auth_status),
        .http_path = "/auth/status",
        .on_request = fakeetcd__on_auth_status,
    },
    {
        .service = AUTH,
        .name = "Authenticate",
        .word = "etcd-authenticate",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_READS,
        .access = FAKEETCD_MAY_ANYBODY,
        MESSAGES(etcdserverpb__authenticate),
        .http_path = "/auth/authenticate",
        .on_request = fakeetcd__on_authenticate,
    },
    {
        .service = AUTH,
        .name = "UserAdd",
        .word = "etcd-user-add",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_PROPOSES,
        .access = FAKEETCD_MAY_ROOT,
        MESSAGES(etcdserverpb__auth_user_add),
        .http_path = "/auth/user/add",
        .on_request = fakeetcd__on_user_add,
    },
    {
        .service = AUTH,
        .name = "UserGet",
        .word = "etcd-user-get",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_PROPOSES,
        .access = FAKEETCD_MAY_ASK,
        MESSAGES(etcdserverpb__auth_user_get),
        .http_path = "/auth/user/get",
        .on_request = fakeetcd__on_user_get,
    },
    {
        .service = AUTH,
        .name = "UserList",
        .word = "etcd-user-list",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_PROPOSES,
        .access = FAKEETCD_MAY_ROOT,
        MESSAGES(etcdserverpb__auth_user_list),
        .http_path = "/auth/user/list",
        .on_request = fakeetcd__on_user_list,
    },
    {
        .service = AUTH,
        .name = "UserDelete",
        .word = "etcd-user-delete",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_PROPOSES,
        .access = FAKEETCD_MAY_ROOT,
        MESSAGES(etcdserverpb__auth_user_delete),
        .http_path = "/auth/user/delete",
        .on_request = fakeetcd__on_user_delete,
    },
    {
        .service = AUTH,
        .name = "UserChangePassword",
        .word = "etcd-user-change-password",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_PROPOSES,
        .access = FAKEETCD_MAY_ROOT,
        MESSAGES(etcdserverpb__auth_user_change_password),
        .http_path = "/auth/user/changepw",
        .on_request = fakeetcd__on_user_change_password,
    },
    {
        .service = AUTH,
        .name = "UserGrantRole",
        .word = "etcd-user-grant-role",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_PROPOSES,
        .access = FAKEETCD_MAY_ROOT,
        MESSAGES(etcdserverpb__auth_user_grant_role),
        .http_path = "/auth/user/grant",
        .on_request = fakeetcd__on_user_grant_role,
    },
    {
        .service = AUTH,
        .name = "UserRevokeRole",
        .word = "etcd-user-revoke-role",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_PROPOSES,
        .access = FAKEETCD_MAY_ROOT,
        MESSAGES(etcdserverpb__auth_user_revoke_role),
        .http_path = "/auth/user/revoke",
        .on_request = fakeetcd__on_user_revoke_role,
    },
    {
        .service = AUTH,
        .name = "RoleAdd",
        .word = "etcd-role-add",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_PROPOSES,
        .access = FAKEETCD_MAY_ROOT,
        MESSAGES(etcdserverpb__auth_role_add),
        .http_path = "/auth/role/add",
        .on_request = fakeetcd__on_role_add,
    },
    {
        .service = AUTH,
        .name = "RoleGet",
        .word = "etcd-role-get",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_PROPOSES,
        .access = FAKEETCD_MAY_ASK,
        MESSAGES(etcdserverpb__auth_role_get),
        .http_path = "/auth/role/get",
        .on_request = fakeetcd__on_role_get,
    },
    {
        .service = AUTH,
        .name = "RoleList",
        .word = "etcd-role-list",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_PROPOSES,
        .access = FAKEETCD_MAY_ROOT,
        MESSAGES(etcdserverpb__auth_role_list),
        .http_path = "/auth/role/list",
        .on_request = fakeetcd__on_role_list,
    },
    {
        .service = AUTH,
        .name = "RoleDelete",
        .word = "etcd-role-delete",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_PROPOSES,
        .access = FAKEETCD_MAY_ROOT,
        MESSAGES(etcdserverpb__auth_role_delete),
        .http_path = "/auth/role/delete",
        .on_request = fakeetcd__on_role_delete,
    },
    {
        .service = AUTH,
        .name = "RoleGrantPermission",
        .word = "etcd-role-grant-permission",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_PROPOSES,
        .access = FAKEETCD_MAY_ROOT,
        MESSAGES(etcdserverpb__auth_role_grant_permission),
        .http_path = "/auth/role/grant",
        .on_request = fakeetcd__on_role_grant_permission,
    },
    {
        .service = AUTH,
        .name = "RoleRevokePermission",
        .word = "etcd-role-revoke-permission",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_PROPOSES,
        .access = FAKEETCD_MAY_ROOT,
        MESSAGES(etcdserverpb__auth_role_revoke_permission),
        .http_path = "/auth/role/revoke",
        .on_request = fakeetcd__on_role_revoke_permission,
    },
    {
        .service = LOCK,
        .name = "Lock",
        .word = "etcd-lock",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_PROPOSES,
        .access = FAKEETCD_MAY_ASK,
        MESSAGES(v3lockpb__lock),
        .http_path = "/lock/lock",
        .on_request = fakeetcd__on_lock,
        .on_gone = fakeetcd__contender_gone,
    },
    {
        .service = LOCK,
        .name = "Unlock",
        .word = "etcd-unlock",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_PROPOSES,
        .access = FAKEETCD_MAY_ASK,
        MESSAGES(v3lockpb__unlock),
        .http_path = "/lock/unlock",
        .on_request = fakeetcd__on_unlock,
    },
    {
        .service = ELECTION,
        .name = "Campaign",
        .word = "etcd-campaign",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_PROPOSES,
        .access = FAKEETCD_MAY_ASK,
        MESSAGES(v3electionpb__campaign),
        .http_path = "/election/campaign",
        .on_request = fakeetcd__on_campaign,
        .on_gone = fakeetcd__contender_gone,
    },
    {
        .service = ELECTION,
        .name = "Proclaim",
        .word = "etcd-proclaim",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_PROPOSES,
        .access = FAKEETCD_MAY_ASK,
        MESSAGES(v3electionpb__proclaim),
        .http_path = "/election/proclaim",
        .on_request = fakeetcd__on_proclaim,
    },
    {
        .service = ELECTION,
        .name = "Leader",
        .word = "etcd-leader",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_READS,
        .access = FAKEETCD_MAY_ASK,
        MESSAGES(v3electionpb__leader),
        .http_path = "/election/leader",
        .on_request = fakeetcd__on_leader,
    },
    {
        .service = ELECTION,
        .name = "Observe",
        .word = "etcd-observe",
        .kind = FAKEETCD_SERVER_STREAM,
        .leader = FAKEETCD_LEADER_READS,
        .access = FAKEETCD_MAY_ASK,
        MESSAGES(v3electionpb__leader),
        .http_path = "/election/observe",
        .on_request = fakeetcd__on_observe,
        .on_gone = fakeetcd__contender_gone,
    },
    {
        .service = ELECTION,
        .name = "Resign",
        .word = "etcd-resign",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_PROPOSES,
        .access = FAKEETCD_MAY_ASK,
        MESSAGES(v3electionpb__resign),
        .http_path = "/election/resign",
        .on_request = fakeetcd__on_resign,
    },
    {
        .service = HEALTH,
        .name = "Check",
        .word = "etcd-health-check",
        .kind = FAKEETCD_UNARY,
        .leader = FAKEETCD_LEADER_LOCAL,
        .access = FAKEETCD_MAY_ANYBODY,
        MESSAGES(grpc__health__v1__health_check),
        .on_request = fakeetcd__on_health_check,
    },
    {
        .service = HEALTH,
        .name = "Watch",
        .word = "etcd-health-watch",
        .kind = FAKEETCD_SERVER_STREAM,
        .leader = FAKEETCD_LEADER_LOCAL,
        .access = FAKEETCD_MAY_ANYBODY,
        MESSAGES(grpc__health__v1__health_check),
        .on_request = fakeetcd__on_health_watch,
        .on_gone = fakeetcd__health_gone,
    },
    {.service = NULL},
};
#define METHOD_COUNT (sizeof(fakeetcd_methods) / sizeof(fakeetcd_methods[0]) - 1)
_Static_assert(METHOD_COUNT <= FAKEETCD__METHODS_MAX, "a fault domain has no more operations");

/* ---- found by path
 * ------------------------------------------------------------------------------------- */

#define SLOT_COUNT 256 /* a power of two, several times the methods */

static pthread_once_t slots_once = PTHREAD_ONCE_INIT;
static const struct fakeetcd_method *slots[SLOT_COUNT]; /* written once */

static void fill_slots(void);
static uint32_t hash(uint32_t seed, const uint8_t *data, size_t len_bytes);
static bool is_path_of(const struct fakeetcd_method *method, struct rt_slice path);

size_t fakeetcd_method_count(void)
{
    return METHOD_COUNT;
}

const struct fakeetcd_method *fakeetcd_method_by_path(struct rt_slice path)
{
    pthread_once(&slots_once, fill_slots);
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
        int len_bytes = snprintf(path, sizeof(path), "/%s/%s", fakeetcd_methods[i].service,
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
    return path.len_bytes == service_bytes + name_bytes + 2 && path.data[0] == '/' &&
           memcmp(path.data + 1, method->service, service_bytes) == 0 &&
           path.data[service_bytes + 1] == '/' &&
           memcmp(path.data + service_bytes + 2, method->name, name_bytes) == 0;
}

/* ---- what does not exist
 * ---------------------------------------------------------------------------------- */

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
    size_t slash = path.len_bytes;
    while (slash > 1 && path.data[slash - 1] != '/') {
        slash--;
    }
    struct rt_slice service = rt_slice_of(path.data + 1, slash < 2 ? 0 : slash - 2);
    struct rt_slice name = rt_slice_of(path.data + slash, path.len_bytes - slash);
    if (fakeetcd_has_service(service)) {
        snprintf(out_text, text_bytes, "unknown method %.*s for service %.*s", (int)name.len_bytes,
                 (const char *)name.data, (int)service.len_bytes, (const char *)service.data);
    } else {
        snprintf(out_text, text_bytes, "unknown service %.*s", (int)service.len_bytes,
                 (const char *)service.data);
    }
}
