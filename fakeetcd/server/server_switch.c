/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/kv/kv.h"
#include "fakeetcd/request/dispatch.h"
#include "fakeetcd/watch/watch_service.h"

#include <malloc.h>
#include <stdlib.h>

/* Switches of a server and interventions in its state: for faults, scenarios and live control. */

#define ALARM_BIT(type) (1u << (type))
#define TRIM_BYTES      (UINT64_C(1024) * 1024)

static void freeze(struct fakeetcd_server *server, bool is_on);
static void lose_leader(struct fakeetcd_server *server, bool is_on);
static void give_memory_back(const struct fakeetcd_server *server, uint64_t bytes_before);
static void raise_alarm(struct fakeetcd_server *server, unsigned type, bool is_on);

const char *const fakeetcd_events[] = {
    "started",       "ready",         "killed",         "restarted",      "frozen",
    "thawed",        "leader-lost",   "leader-elected", "read-only",      "writable",
    "no-space",      "corrupt",       "alarm-cleared",  "compacted",      "restored",
    "lease-granted", "lease-expired", "lease-revoked",  "tokens-expired", NULL,
};

void fakeetcd_server_set(struct fakeetcd_server *server, enum fakeetcd_switch which, bool is_on)
{
    struct rt_slice no_key = {0};
    if (!server->is_running || fakeetcd_server_is(server, which) == is_on) {
        return;
    }
    switch (which) {
    case FAKEETCD_FROZEN:
        freeze(server, is_on);
        break;
    case FAKEETCD_LEADERLESS:
        lose_leader(server, is_on);
        break;
    case FAKEETCD_READ_ONLY:
        server->is_read_only = is_on;
        fakeetcd__event(server, is_on ? "read-only" : "writable", no_key, "");
        break;
    case FAKEETCD_NO_SPACE:
        raise_alarm(server, ETCDSERVERPB__ALARM_TYPE__NOSPACE, is_on);
        fakeetcd__event(server, is_on ? "no-space" : "alarm-cleared", no_key, "NOSPACE");
        break;
    case FAKEETCD_CORRUPTED:
        raise_alarm(server, ETCDSERVERPB__ALARM_TYPE__CORRUPT, is_on);
        fakeetcd__event(server, is_on ? "corrupt" : "alarm-cleared", no_key, "CORRUPT");
        break;
    }
}

bool fakeetcd_server_is(const struct fakeetcd_server *server, enum fakeetcd_switch which)
{
    switch (which) {
    case FAKEETCD_FROZEN:
        return server->is_frozen;
    case FAKEETCD_LEADERLESS:
        return server->is_leaderless;
    case FAKEETCD_READ_ONLY:
        return server->is_read_only;
    case FAKEETCD_NO_SPACE:
        return (server->state.alarms & ALARM_BIT(ETCDSERVERPB__ALARM_TYPE__NOSPACE)) != 0;
    case FAKEETCD_CORRUPTED:
        return (server->state.alarms & ALARM_BIT(ETCDSERVERPB__ALARM_TYPE__CORRUPT)) != 0;
    }
    return false;
}

static void raise_alarm(struct fakeetcd_server *server, unsigned type, bool is_on)
{
    if (is_on) {
        server->state.alarms |= ALARM_BIT(type);
    } else {
        server->state.alarms &= ~ALARM_BIT(type);
    }
    if (server->data_dir != NULL) {
        fakeetcd_data_dir_alarms_changed(server->data_dir);
    }
    fakeetcd__changed(server);
    fakeetcd__lease_arm(server);
}

/* A stopped process lets its leases run: they end when it goes on. */
static void freeze(struct fakeetcd_server *server, bool is_on)
{
    server->is_frozen = is_on;
    fakeetcd__connections_freeze(server, is_on);
    fakeetcd__event(server, is_on ? "frozen" : "thawed", rt_slice_text(""), "");
    if (!is_on) {
        fakeetcd__is_thawed(server);
        fakeetcd__watch_sync_soon(server);
    }
    fakeetcd__lease_arm(server);
}

/* Streams that asked for a leader are told three election time-outs later. */
static void lose_leader(struct fakeetcd_server *server, bool is_on)
{
    server->is_leaderless = is_on;
    if (is_on) {
        server->leader_id = 0;
        fakeetcd__lease_clock_stop(server);
        fakeetcd__arm_after(server, &server->leader_lost_timer,
                            3 * server->options.election_timeout_us);
        fakeetcd__event(server, "leader-lost", rt_slice_text(""), "");
        return;
    }
    rt_timer_disarm(&server->leader_lost_timer);
    server->leader_id = server->state.member_id;
    server->state.raft_term++;
    fakeetcd__changed(server);
    fakeetcd__lease_clock_start(server);
    fakeetcd__event(server, "leader-elected", rt_slice_text(""), "");
    fakeetcd__leader_is_back(server);
}

/* ---- interventions ---- */

enum fakeetcd_error fakeetcd_server_put(struct fakeetcd_server *server, struct rt_slice key,
                                        struct rt_slice value, int64_t lease)
{
    Etcdserverpb__PutRequest request = ETCDSERVERPB__PUT_REQUEST__INIT;
    Etcdserverpb__PutResponse response = ETCDSERVERPB__PUT_RESPONSE__INIT;
    request.key = pb_bytes(key);
    request.value = pb_bytes(value);
    request.lease = lease;
    enum fakeetcd_error error = fakeetcd__check_put(&request);
    if (error != FAKEETCD_OK) {
        return error;
    }
    fakeetcd__enter(server);
    fakeetcd__begin_write(server);
    error = fakeetcd__end_write(server, fakeetcd__apply_put(server, &request, &response));
    fakeetcd__leave(server);
    return error;
}

enum fakeetcd_error fakeetcd_server_delete(struct fakeetcd_server *server, struct rt_slice key)
{
    Etcdserverpb__DeleteRangeRequest request = ETCDSERVERPB__DELETE_RANGE_REQUEST__INIT;
    Etcdserverpb__DeleteRangeResponse response = ETCDSERVERPB__DELETE_RANGE_RESPONSE__INIT;
    request.key = pb_bytes(key);
    enum fakeetcd_error error = fakeetcd__check_delete(&request);
    if (error != FAKEETCD_OK) {
        return error;
    }
    fakeetcd__enter(server);
    fakeetcd__begin_write(server);
    error = fakeetcd__apply_delete(server, &request, &response);
    if (error == FAKEETCD_OK && response.deleted == 0) {
        error = FAKEETCD_E_KEY_NOT_FOUND;
    }
    error = fakeetcd__end_write(server, error);
    fakeetcd__leave(server);
    return error;
}

enum fakeetcd_error fakeetcd_server_compact(struct fakeetcd_server *server, int64_t revision)
{
    struct fakeetcd_store_counts before;
    fakeetcd_store_counts(server->state.store, &before);
    enum fakeetcd_error error = fakeetcd_store_compact(server->state.store, revision);
    server->state.raft_index++;
    if (error != FAKEETCD_OK) {
        return error;
    }
    if (server->data_dir != NULL) {
        fakeetcd_data_dir_compacted(server->data_dir, revision);
    }
    give_memory_back(server, before.logical_bytes);
    fakeetcd__changed(server);
    fakeetcd__watch_sync_soon(server); /* who is behind it hears so */
    fakeetcd__event(server, "compacted", rt_slice_text(""), "");
    return FAKEETCD_OK;
}

/* The allocator keeps what was freed; when it was much, the system may have it. */
static void give_memory_back(const struct fakeetcd_server *server, uint64_t bytes_before)
{
    struct fakeetcd_store_counts after;
    fakeetcd_store_counts(server->state.store, &after);
    if (bytes_before > after.logical_bytes + TRIM_BYTES) {
#ifdef __GLIBC__
        (void)malloc_trim(0);
#endif
    }
}

enum fakeetcd_error fakeetcd_server_expire_lease_of(struct fakeetcd_server *server,
                                                    struct rt_slice key)
{
    struct fakeetcd_kv kv;
    if (!fakeetcd_store_get(server->state.store, key, 0, &kv) || kv.lease == 0) {
        return FAKEETCD_E_LEASE_NOT_FOUND;
    }
    fakeetcd__enter(server);
    server->counts.leases_expired++;
    enum fakeetcd_error error = fakeetcd__lease_end(server, kv.lease, "lease-expired");
    fakeetcd__leave(server);
    return error;
}
