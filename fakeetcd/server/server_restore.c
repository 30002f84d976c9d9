/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/lock/contender.h"
#include "fakeetcd/server/server_internal.h"
#include "fakeetcd/watch/watch_service.h"

#include <stdlib.h>

/*
 * Going back to how the store was at a revision, as a backup that is restored does: the history up
 * to there comes back, what followed never happened, and it is another cluster.
 */
struct feed {
    struct fakeetcd_store *store;
    enum rt_status status;
};

static enum rt_status refill(const struct fakeetcd_store *old, int64_t revision,
                             struct fakeetcd_store **out_store);
static bool on_version(void *arg, const struct fakeetcd_kv *kv);
static enum rt_status copy_leases(struct fakeetcd_server *server, struct fakeetcd_store *store,
                                  struct fakeetcd_leases **out_leases);
static bool on_lease(void *arg, const struct fakeetcd_lease_info *info);
static enum rt_status swap(struct fakeetcd_server *server, struct fakeetcd_store *store);

enum fakeetcd_error fakeetcd_server_restore(struct fakeetcd_server *server, int64_t revision)
{
    struct fakeetcd_store *store = NULL;
    enum fakeetcd_error error = fakeetcd_store_check_revision(server->state.store, revision);
    if (error != FAKEETCD_OK) {
        return error;
    }
    if (refill(server->state.store, revision, &store) != RT_OK) {
        return FAKEETCD_E_NOMEM;
    }
    fakeetcd__connections_reset(server);
    fakeetcd__contenders_stop(server);
    if (fakeetcd__sniff_start(server) != RT_OK || swap(server, store) != RT_OK) {
        fakeetcd_store_destroy(store);
        return FAKEETCD_E_NOMEM;
    }
    server->state.cluster_id = rt_random_u64(&server->ids) | 1;
    server->state.raft_term = 2;
    if (server->data_dir != NULL) {
        if (fakeetcd_data_dir_replaced(server->data_dir) != RT_OK) {
            fakeetcd__record_state(server, "data-dir", "what was restored is not written");
        }
        fakeetcd__changed(server);
    }
    fakeetcd__event(server, "restored", rt_slice_text(""), "");
    return FAKEETCD_OK;
}

/* ---- the store ---- */

static enum rt_status refill(const struct fakeetcd_store *old, int64_t revision,
                             struct fakeetcd_store **out_store)
{
    struct feed feed = {.status = RT_OK};
    enum rt_status status = fakeetcd_store_create(&feed.store);
    if (status != RT_OK) {
        return status;
    }
    status = fakeetcd_store_replay(old, revision, on_version, &feed);
    if (feed.status == RT_OK) {
        feed.status = status;
    }
    if (feed.status == RT_OK) {
        feed.status =
            fakeetcd_store_restore_done(feed.store, revision, fakeetcd_store_compacted(old));
    }
    if (feed.status != RT_OK) {
        fakeetcd_store_destroy(feed.store);
        return feed.status;
    }
    *out_store = feed.store;
    return RT_OK;
}

static bool on_version(void *arg, const struct fakeetcd_kv *kv)
{
    struct feed *feed = arg;
    feed->status = fakeetcd_store_restore_change(feed->store, kv);
    return feed->status == RT_OK;
}

/* ---- what hangs on it ---- */

static enum rt_status swap(struct fakeetcd_server *server, struct fakeetcd_store *store)
{
    struct fakeetcd_leases *leases = NULL;
    struct fakeetcd_hub *hub = NULL;
    enum rt_status status = copy_leases(server, store, &leases);
    if (status == RT_OK) {
        status = fakeetcd_hub_create(store, &hub);
    }
    if (status != RT_OK) {
        if (leases != NULL) {
            fakeetcd_leases_destroy(leases);
        }
        return status;
    }
    fakeetcd_hub_destroy(server->hub);
    fakeetcd_leases_destroy(server->state.leases);
    fakeetcd_store_destroy(server->state.store);
    server->hub = hub;
    server->state.leases = leases;
    server->state.store = store;
    fakeetcd_store_forget_tombstones(store,
                                     fakeetcd__has_quirk(server, FAKEETCD_QUIRK_TOMBSTONE_MISSED));
    fakeetcd__watch_attach(server);
    fakeetcd__lease_arm(server);
    return RT_OK;
}

struct lease_copy {
    struct fakeetcd_leases *leases;
    uint64_t now_us;
};

static enum rt_status copy_leases(struct fakeetcd_server *server, struct fakeetcd_store *store,
                                  struct fakeetcd_leases **out_leases)
{
    struct lease_copy copy = {.now_us = fakeetcd__lease_now_us(server)};
    enum rt_status status =
        fakeetcd_leases_create(store, fakeetcd__lease_floor_s(server), &copy.leases);
    if (status != RT_OK) {
        return status;
    }
    fakeetcd_leases_walk(server->state.leases, on_lease, &copy);
    *out_leases = copy.leases;
    return fakeetcd_leases_attach_all(copy.leases);
}

static bool on_lease(void *arg, const struct fakeetcd_lease_info *info)
{
    struct lease_copy *copy = arg;
    struct fakeetcd_lease_info ignored;
    (void)fakeetcd_lease_grant(copy->leases, info->id, info->granted_ttl_s, copy->now_us, &ignored);
    return true;
}
