/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/gateway/gateway_internal.h"

#include <inttypes.h>

/*
 * The counters that a fake has, under etcd's names and in Prometheus' text format. What it does
 * not have (disks, rafts, durations) is not made up.
 */
struct snapshot {
    int64_t auth_revision;
    int64_t compact_revision;
    int64_t current_revision;
    int64_t keys;
    int64_t watchers;
    int64_t watch_streams;
    int64_t leases_granted;
    int64_t leases_revoked;
    int64_t leases_renewed;
    int64_t leases_expired;
    int64_t size_bytes;
    int64_t used_bytes;
    int64_t puts;
    int64_t deletes;
    int64_t ranges;
    int64_t txns;
    int64_t has_leader;
    int64_t is_leader;
    int64_t leader_changes;
    int64_t applied;
};

static const struct row {
    const char *name;
    const char *type;
    const char *help;
    size_t offset_bytes;
} ROWS[] = {
#define ROW(name, type, help, member)                                                              \
    {                                                                                              \
        name, type, help, offsetof(struct snapshot, member)                                        \
    }
    ROW("etcd_debugging_auth_revision", "gauge", "Revision of users and roles.", auth_revision),
    ROW("etcd_debugging_lease_granted_total", "counter", "Leases granted.", leases_granted),
    ROW("etcd_debugging_lease_renewed_total", "counter", "Leases kept alive.", leases_renewed),
    ROW("etcd_debugging_lease_revoked_total", "counter", "Leases revoked.", leases_revoked),
    ROW("etcd_debugging_mvcc_compact_revision", "gauge", "Last compacted revision; -1: none.",
        compact_revision),
    ROW("etcd_debugging_mvcc_current_revision", "gauge", "Revision of the store.",
        current_revision),
    ROW("etcd_debugging_mvcc_keys_total", "gauge", "Keys in the store.", keys),
    ROW("etcd_debugging_mvcc_put_total", "counter", "Puts so far.", puts),
    ROW("etcd_debugging_mvcc_watch_stream_total", "gauge", "Open watch streams.", watch_streams),
    ROW("etcd_debugging_mvcc_watcher_total", "gauge", "Watchers on all streams.", watchers),
    ROW("etcd_debugging_server_lease_expired_total", "counter", "Leases that ran out.",
        leases_expired),
    ROW("etcd_mvcc_db_total_size_in_bytes", "gauge", "Bytes of all versions kept.", size_bytes),
    ROW("etcd_mvcc_db_total_size_in_use_in_bytes", "gauge", "Bytes of current versions.",
        used_bytes),
    ROW("etcd_mvcc_delete_total", "counter", "Deletes so far.", deletes),
    ROW("etcd_mvcc_put_total", "counter", "Puts so far.", puts),
    ROW("etcd_mvcc_range_total", "counter", "Range requests so far.", ranges),
    ROW("etcd_mvcc_txn_total", "counter", "Txn requests so far.", txns),
    ROW("etcd_server_has_leader", "gauge", "1 with a leader, 0 without.", has_leader),
    ROW("etcd_server_is_leader", "gauge", "1 when this member leads.", is_leader),
    ROW("etcd_server_leader_changes_seen_total", "counter", "Leaders seen so far.", leader_changes),
    ROW("etcd_server_proposals_applied_total", "gauge", "Writes applied so far.", applied),
#undef ROW
};

static void fill(const struct fakeetcd_gateway *gateway, struct snapshot *out_snapshot);
static struct fakeetcd_op_counts ops_of(const struct fakeetcd_gateway *gateway, const char *word);
static void print_head(struct fakeetcd_text *out, const char *name, const char *type,
                       const char *help);
static void print_versions(const struct fakeetcd_gateway *gateway, struct fakeetcd_text *out);
static void print_handled(const struct fakeetcd_gateway *gateway, struct fakeetcd_text *out);
static void print_started(const struct fakeetcd_gateway *gateway, struct fakeetcd_text *out);
static const char *type_of(const struct fakeetcd_method *method);

void fakeetcd__metrics(const struct fakeetcd_gateway *gateway, struct fakeetcd_text *out_text)
{
    struct snapshot snapshot;
    fill(gateway, &snapshot);
    print_versions(gateway, out_text);
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        const struct row *row = &ROWS[i];
        int64_t value = *(const int64_t *)((const char *)&snapshot + row->offset_bytes);
        print_head(out_text, row->name, row->type, row->help);
        fakeetcd_text_print(out_text, "%s %" PRId64 "\n", row->name, value);
    }
    print_handled(gateway, out_text);
    print_started(gateway, out_text);
}

static void fill(const struct fakeetcd_gateway *gateway, struct snapshot *out_snapshot)
{
    const struct fakeetcd_state *state = fakeetcd_server_state(gateway->server);
    struct fakeetcd_store_counts store;
    struct fakeetcd_counts counts;
    bool has_leader = !fakeetcd_server_is(gateway->server, FAKEETCD_LEADERLESS);
    int64_t compacted = fakeetcd_store_compacted(state->store);
    fakeetcd_store_counts(state->store, &store);
    fakeetcd_server_counts(gateway->server, &counts);
    struct fakeetcd_op_counts grant = ops_of(gateway, "etcd-lease-grant");
    struct fakeetcd_op_counts revoke = ops_of(gateway, "etcd-lease-revoke");
    *out_snapshot = (struct snapshot){
        .auth_revision = (int64_t)fakeetcd_auth_revision(state->auth),
        .compact_revision = compacted == 0 ? -1 : compacted,
        .current_revision = fakeetcd_store_revision(state->store),
        .keys = (int64_t)store.keys,
        .watchers = (int64_t)counts.watchers,
        .watch_streams = (int64_t)ops_of(gateway, "etcd-watch").waiting,
        .leases_granted = (int64_t)(grant.applied - grant.failed),
        .leases_revoked = (int64_t)(revoke.applied - revoke.failed),
        .leases_renewed = (int64_t)counts.keepalives,
        .leases_expired = (int64_t)counts.leases_expired,
        .size_bytes = (int64_t)store.logical_bytes,
        .used_bytes = (int64_t)store.in_use_bytes,
        .puts = (int64_t)store.puts,
        .deletes = (int64_t)store.deletes,
        .ranges = (int64_t)ops_of(gateway, "etcd-range").arrived,
        .txns = (int64_t)ops_of(gateway, "etcd-txn").arrived,
        .has_leader = has_leader,
        .is_leader = has_leader,
        .leader_changes = (int64_t)state->raft_term - 1,
        .applied = (int64_t)state->raft_index,
    };
}

static struct fakeetcd_op_counts ops_of(const struct fakeetcd_gateway *gateway, const char *word)
{
    struct fakeetcd_op_counts counts = {0};
    (void)fakeetcd_server_op_counts(gateway->server, word, &counts);
    return counts;
}

static void print_head(struct fakeetcd_text *out, const char *name, const char *type,
                       const char *help)
{
    fakeetcd_text_print(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void print_versions(const struct fakeetcd_gateway *gateway, struct fakeetcd_text *out)
{
    const struct fakeetcd_state *state = fakeetcd_server_state(gateway->server);
    const char *cluster = gateway->profile->cluster_version; /* "3.5.0", shown as "3.5" */
    const char *dot = strrchr(cluster, '.');
    int len = dot == NULL ? (int)strlen(cluster) : (int)(dot - cluster);
    print_head(out, "etcd_cluster_version", "gauge", "1 for the version of the cluster.");
    fakeetcd_text_print(out, "etcd_cluster_version{cluster_version=\"%.*s\"} 1\n", len, cluster);
    print_head(out, "etcd_server_id", "gauge", "1 for the id of this member.");
    fakeetcd_text_print(out, "etcd_server_id{server_id=\"%" PRIx64 "\"} 1\n", state->member_id);
    print_head(out, "etcd_server_version", "gauge", "1 for the version of this member.");
    fakeetcd_text_print(out, "etcd_server_version{server_version=\"%s\"} 1\n",
                        gateway->profile->version);
}

/* Every code of every method, the ones that never came too: rates need a zero to begin with. */
static void print_handled(const struct fakeetcd_gateway *gateway, struct fakeetcd_text *out)
{
    static const char *const CODES[] = {
        [GRPC_OK] = "OK",
        [GRPC_CANCELLED] = "Canceled",
        [GRPC_UNKNOWN] = "Unknown",
        [GRPC_INVALID_ARGUMENT] = "InvalidArgument",
        [GRPC_DEADLINE_EXCEEDED] = "DeadlineExceeded",
        [GRPC_NOT_FOUND] = "NotFound",
        [GRPC_ALREADY_EXISTS] = "AlreadyExists",
        [GRPC_PERMISSION_DENIED] = "PermissionDenied",
        [GRPC_RESOURCE_EXHAUSTED] = "ResourceExhausted",
        [GRPC_FAILED_PRECONDITION] = "FailedPrecondition",
        [GRPC_ABORTED] = "Aborted",
        [GRPC_OUT_OF_RANGE] = "OutOfRange",
        [GRPC_UNIMPLEMENTED] = "Unimplemented",
        [GRPC_INTERNAL] = "Internal",
        [GRPC_UNAVAILABLE] = "Unavailable",
        [GRPC_DATA_LOSS] = "DataLoss",
        [GRPC_UNAUTHENTICATED] = "Unauthenticated",
    };
    print_head(out, "grpc_server_handled_total", "counter", "Calls that ended, by code.");
    for (int32_t code = 0; code < (int32_t)(sizeof(CODES) / sizeof(CODES[0])); code++) {
        for (size_t i = 0; i < fakeetcd_method_count(); i++) {
            const struct fakeetcd_method *method = &fakeetcd_methods[i];
            if (fakeetcd_method_is_in(method, gateway->profile)) {
                fakeetcd_text_print(out,
                                    "grpc_server_handled_total{grpc_code=\"%s\",grpc_method=\"%s\","
                                    "grpc_service=\"%s\",grpc_type=\"%s\"} %" PRIu64 "\n",
                                    CODES[code], method->name, method->service, type_of(method),
                                    fakeetcd_server_handled(gateway->server, method, code));
            }
        }
    }
}

static void print_started(const struct fakeetcd_gateway *gateway, struct fakeetcd_text *out)
{
    print_head(out, "grpc_server_started_total", "counter", "Calls that began.");
    for (size_t i = 0; i < fakeetcd_method_count(); i++) {
        const struct fakeetcd_method *method = &fakeetcd_methods[i];
        if (fakeetcd_method_is_in(method, gateway->profile)) {
            fakeetcd_text_print(out,
                                "grpc_server_started_total{grpc_method=\"%s\",grpc_service=\"%s\","
                                "grpc_type=\"%s\"} %" PRIu64 "\n",
                                method->name, method->service, type_of(method),
                                ops_of(gateway, method->word).arrived);
        }
    }
}

static const char *type_of(const struct fakeetcd_method *method)
{
    switch (method->kind) {
    case FAKEETCD_UNARY:
        return "unary";
    case FAKEETCD_SERVER_STREAM:
        return "server_stream";
    case FAKEETCD_BIDI:
        break;
    }
    return "bidi_stream";
}
