/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/kv/kv.h"
#include "fakeetcd/request/service_rest.h"

#include <inttypes.h>
#include <stdio.h>

/*
 * The service Maintenance, but for Snapshot, which has a file of its own. Alarms are this member's:
 * one that is raised in another member's name is shown as its own.
 */

/* What an empty database of etcd takes: clients look for a size above 0. */
#define EMPTY_DATABASE_BYTES 4096

struct version {
    unsigned long major;
    unsigned long minor;
};

static void answer_alarms(struct fakeetcd_call *call, const Etcdserverpb__AlarmType *types,
                          size_t count);
static size_t raised_alarms(const struct fakeetcd_server *server, Etcdserverpb__AlarmType wanted,
                            Etcdserverpb__AlarmType *out_types);
static bool switch_of(Etcdserverpb__AlarmType type, enum fakeetcd_switch *out_switch);
static void downgrade(struct fakeetcd_call *call, const Etcdserverpb__DowngradeRequest *request,
                      bool is_done);
static void answer_downgrade(struct fakeetcd_call *call, const char *version);
static bool read_version(struct rt_slice text, struct version *out_version);
static bool read_number(struct rt_slice text, size_t *at, unsigned long *out_number);

/* ---- status ---- */

void fakeetcd__on_status(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    struct fakeetcd_server *server = call->server;
    Etcdserverpb__StatusResponse response = ETCDSERVERPB__STATUS_RESPONSE__INIT;
    struct fakeetcd_store_counts counts;
    Etcdserverpb__AlarmType types[2];
    char texts[2][64];
    ProtobufCBinaryData errors[3];
    (void)message;
    fakeetcd_store_counts(server->state.store, &counts);
    response.version = pb_bytes(rt_slice_text(server->profile->version));
    response.dbsize = (int64_t)(EMPTY_DATABASE_BYTES + counts.logical_bytes);
    response.dbsizeinuse = (int64_t)(EMPTY_DATABASE_BYTES + counts.in_use_bytes);
    response.leader = server->is_leaderless ? 0 : server->leader_id;
    response.raftindex = server->state.raft_index;
    response.raftappliedindex = server->state.raft_index;
    response.raftterm = server->state.raft_term;
    response.islearner = server->state.members.items[0].is_learner;
    if (response.leader == 0) {
        errors[response.n_errors++] =
            pb_bytes(rt_slice_text(fakeetcd_error_text(FAKEETCD_E_NO_LEADER)));
    }
    size_t alarm_count = raised_alarms(server, ETCDSERVERPB__ALARM_TYPE__NONE, types);
    for (size_t i = 0; i < alarm_count; i++) {
        const char *word = types[i] == ETCDSERVERPB__ALARM_TYPE__NOSPACE ? "NOSPACE" : "CORRUPT";
        /* Go's text form of the message, with its blank at the end. */
        (void)snprintf(texts[i], sizeof(texts[i]), "memberID:%" PRIu64 " alarm:%s ",
                       server->state.member_id, word);
        errors[response.n_errors++] = pb_bytes(rt_slice_text(texts[i]));
    }
    response.errors = errors;
    fakeetcd__answer(call, &response.base, &response.header);
}

/* ---- alarms ---- */

/* Raising an alarm that is up, and NONE, change nothing; lowering one that is not up says nothing.
 */
void fakeetcd__on_alarm(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const Etcdserverpb__AlarmRequest *request = (const Etcdserverpb__AlarmRequest *)message;
    struct fakeetcd_server *server = call->server;
    Etcdserverpb__AlarmType types[2] = {request->alarm};
    enum fakeetcd_switch which;
    size_t count = 0;
    server->state.raft_index++;
    switch (request->action) {
    case ETCDSERVERPB__ALARM_REQUEST__ALARM_ACTION__GET:
        count = raised_alarms(server, request->alarm, types);
        break;
    case ETCDSERVERPB__ALARM_REQUEST__ALARM_ACTION__ACTIVATE:
        if (switch_of(request->alarm, &which)) {
            fakeetcd_server_set(server, which, true);
            count = 1;
        }
        break;
    case ETCDSERVERPB__ALARM_REQUEST__ALARM_ACTION__DEACTIVATE:
        if (switch_of(request->alarm, &which) && fakeetcd_server_is(server, which) &&
            request->memberid == server->state.member_id) {
            fakeetcd_server_set(server, which, false);
            count = 1;
        }
        break;
    default:
        break;
    }
    answer_alarms(call, types, count);
}

static bool switch_of(Etcdserverpb__AlarmType type, enum fakeetcd_switch *out_switch)
{
    if (type == ETCDSERVERPB__ALARM_TYPE__NOSPACE) {
        *out_switch = FAKEETCD_NO_SPACE;
        return true;
    }
    *out_switch = FAKEETCD_CORRUPTED;
    return type == ETCDSERVERPB__ALARM_TYPE__CORRUPT;
}

/* NONE asks for all of them. */
static size_t raised_alarms(const struct fakeetcd_server *server, Etcdserverpb__AlarmType wanted,
                            Etcdserverpb__AlarmType *out_types)
{
    static const Etcdserverpb__AlarmType types[] = {ETCDSERVERPB__ALARM_TYPE__NOSPACE,
                                                    ETCDSERVERPB__ALARM_TYPE__CORRUPT};
    size_t count = 0;
    for (size_t i = 0; i < 2; i++) {
        enum fakeetcd_switch which;
        bool is_wanted = wanted == ETCDSERVERPB__ALARM_TYPE__NONE || wanted == types[i];
        if (is_wanted && switch_of(types[i], &which) && fakeetcd_server_is(server, which)) {
            out_types[count++] = types[i];
        }
    }
    return count;
}

/* etcd 3.4 leaves the header out. */
static void answer_alarms(struct fakeetcd_call *call, const Etcdserverpb__AlarmType *types,
                          size_t count)
{
    struct fakeetcd_server *server = call->server;
    Etcdserverpb__AlarmResponse response = ETCDSERVERPB__ALARM_RESPONSE__INIT;
    Etcdserverpb__ResponseHeader header;
    Etcdserverpb__AlarmMember members[2];
    Etcdserverpb__AlarmMember *member_list[2];
    for (size_t i = 0; i < count; i++) {
        etcdserverpb__alarm_member__init(&members[i]);
        members[i].memberid = server->state.member_id;
        members[i].alarm = types[i];
        member_list[i] = &members[i];
    }
    response.n_alarms = count;
    response.alarms = member_list;
    fakeetcd__header_fill(server, &header);
    if (!fakeetcd__has_quirk(server, FAKEETCD_QUIRK_ALARM_BARE)) {
        response.header = &header;
    }
    fakeetcd_call_answer(call, &response.base);
}

/* ---- hashes ---- */

void fakeetcd__on_hash(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    struct fakeetcd_server *server = call->server;
    Etcdserverpb__HashResponse response = ETCDSERVERPB__HASH_RESPONSE__INIT;
    uint32_t hash = 0;
    (void)message;
    enum fakeetcd_error error = fakeetcd_store_hash(server->state.store, 0, &hash);
    if (error != FAKEETCD_OK) {
        fakeetcd_call_fail(call, error);
        return;
    }
    response.hash = hash;
    fakeetcd__answer(call, &response.base, &response.header);
}

/* Of a store that was never compacted etcd says that it is compacted at -1. */
void fakeetcd__on_hash_kv(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const Etcdserverpb__HashKVRequest *request = (const Etcdserverpb__HashKVRequest *)message;
    struct fakeetcd_server *server = call->server;
    Etcdserverpb__HashKVResponse response = ETCDSERVERPB__HASH_KVRESPONSE__INIT;
    int64_t compacted = fakeetcd_store_compacted(server->state.store);
    uint32_t hash = 0;
    enum fakeetcd_error error =
        fakeetcd_store_check_revision(server->state.store, request->revision);
    if (error == FAKEETCD_OK && request->revision > 0 && request->revision == compacted &&
        fakeetcd__has_quirk(server, FAKEETCD_QUIRK_HASH_STRICT)) {
        error = FAKEETCD_E_COMPACTED;
    }
    if (error == FAKEETCD_OK) {
        error = fakeetcd_store_hash(server->state.store,
                                    request->revision > 0 ? request->revision : 0, &hash);
    }
    if (error != FAKEETCD_OK) {
        fakeetcd_call_fail(call, error);
        return;
    }
    response.hash = hash;
    response.compact_revision = compacted == 0 ? -1 : compacted;
    fakeetcd__answer(call, &response.base, &response.header);
}

/* ---- upkeep ---- */

/* Nothing is ever fragmented here. */
void fakeetcd__on_defragment(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    Etcdserverpb__DefragmentResponse response = ETCDSERVERPB__DEFRAGMENT_RESPONSE__INIT;
    (void)message;
    fakeetcd_call_answer(call, &response.base);
}

/* Only the leader gives it away, to a member that votes; one that never started does not take
 * it, which is said at once here and after a time-out by etcd. The answer has no header. */
void fakeetcd__on_move_leader(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const Etcdserverpb__MoveLeaderRequest *request =
        (const Etcdserverpb__MoveLeaderRequest *)message;
    struct fakeetcd_server *server = call->server;
    Etcdserverpb__MoveLeaderResponse response = ETCDSERVERPB__MOVE_LEADER_RESPONSE__INIT;
    if (server->is_leaderless || server->leader_id != server->state.member_id) {
        fakeetcd_call_fail(call, FAKEETCD_E_NOT_LEADER);
        return;
    }
    for (size_t i = 0; i < server->state.members.count; i++) {
        const struct fakeetcd_member *member = &server->state.members.items[i];
        if (member->id == request->targetid && !member->is_learner) {
            if (member->name[0] == '\0') {
                fakeetcd_call_fail(call, FAKEETCD_E_TIMEOUT_TRANSFER);
                return;
            }
            server->state.raft_term += member->id == server->leader_id ? 0 : 1;
            server->leader_id = member->id;
            fakeetcd__changed(server);
            fakeetcd_call_answer(call, &response.base);
            return;
        }
    }
    fakeetcd_call_fail(call, FAKEETCD_E_BAD_LEADER_TRANSFEREE);
}

/* ---- downgrade ---- */

void fakeetcd__on_downgrade(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const Etcdserverpb__DowngradeRequest *request = (const Etcdserverpb__DowngradeRequest *)message;
    struct fakeetcd_server *server = call->server;
    switch (request->action) {
    case ETCDSERVERPB__DOWNGRADE_REQUEST__DOWNGRADE_ACTION__VALIDATE:
        downgrade(call, request, false);
        return;
    case ETCDSERVERPB__DOWNGRADE_REQUEST__DOWNGRADE_ACTION__ENABLE:
        downgrade(call, request, true);
        return;
    case ETCDSERVERPB__DOWNGRADE_REQUEST__DOWNGRADE_ACTION__CANCEL:
        if (!server->state.is_downgrading) {
            fakeetcd_call_fail(call, FAKEETCD_E_NO_DOWNGRADE);
            return;
        }
        server->state.is_downgrading = false;
        fakeetcd__cluster_changed(server);
        answer_downgrade(call, server->profile->cluster_version);
        return;
    default:
        fakeetcd_call_finish(call, GRPC_UNKNOWN, "etcdserver: unknown method");
        return;
    }
}

/* One minor version down, and one at a time. Nothing more happens: as with real members that are
 * not replaced by older ones, the cluster keeps its version. */
static void downgrade(struct fakeetcd_call *call, const Etcdserverpb__DowngradeRequest *request,
                      bool is_done)
{
    struct fakeetcd_server *server = call->server;
    struct version target;
    struct version current;
    char text[64];
    if (!read_version(pb_slice(request->version), &target) ||
        !read_version(rt_slice_text(server->profile->cluster_version), &current)) {
        fakeetcd_call_fail(call, FAKEETCD_E_BAD_DOWNGRADE_VERSION);
        return;
    }
    if (target.major != current.major || target.minor + 1 != current.minor) {
        fakeetcd_call_fail(call, FAKEETCD_E_INVALID_DOWNGRADE_VERSION);
        return;
    }
    if (server->state.is_downgrading) {
        fakeetcd_call_fail(call, FAKEETCD_E_DOWNGRADE_IN_PROCESS);
        return;
    }
    if (!is_done) {
        answer_downgrade(call, server->profile->cluster_version);
        return;
    }
    server->state.is_downgrading = true;
    fakeetcd__cluster_changed(server);
    (void)snprintf(text, sizeof(text), "%lu.%lu.0", target.major, target.minor);
    answer_downgrade(call, text);
}

static void answer_downgrade(struct fakeetcd_call *call, const char *version)
{
    Etcdserverpb__DowngradeResponse response = ETCDSERVERPB__DOWNGRADE_RESPONSE__INIT;
    response.version = pb_bytes(rt_slice_text(version));
    fakeetcd__answer(call, &response.base, &response.header);
}

/* "3.4" or "3.4.7"; the patch does not count. */
static bool read_version(struct rt_slice text, struct version *out_version)
{
    struct version version;
    unsigned long patch;
    size_t at = 0;
    if (!read_number(text, &at, &version.major) || at == text.len_bytes || text.data[at++] != '.' ||
        !read_number(text, &at, &version.minor)) {
        return false;
    }
    if (at < text.len_bytes && (text.data[at++] != '.' || !read_number(text, &at, &patch))) {
        return false;
    }
    *out_version = version;
    return at == text.len_bytes;
}

static bool read_number(struct rt_slice text, size_t *at, unsigned long *out_number)
{
    size_t start = *at;
    unsigned long number = 0;
    while (*at < text.len_bytes && text.data[*at] >= '0' && text.data[*at] <= '9' &&
           *at - start < 9) {
        number = number * 10 + (unsigned long)(text.data[*at] - '0');
        (*at)++;
    }
    *out_number = number;
    return *at > start;
}
