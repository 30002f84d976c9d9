/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/membership/membership_internal.h"

#include <stdlib.h>

/*
 *   watch groups, cluster, ring from R + 1 --events--> view
 *     ^                          |
 *     '-- list, 5 s <-- ended ---'      (a watch that etcd cancels goes silent: 0.8.1 does not
 * look)
 *
 * Beside it: one Range of the cluster each second asks whether etcd is there (health poll); each
 * 30 s a put and a listing make up for what the watch has missed (compensation). A worker that has
 * disappeared is believed gone only if etcd can be written to.
 */
static void on_response(void *arg, const ProtobufCMessage *message);
static void on_end(void *arg, const struct etcd_result *result);
static void on_watch_timer(void *arg);
static void list(struct fakeds__membership *membership);
static void list_next(struct fakeds__membership *membership);
static void on_listed(void *arg, const struct etcd_result *result);
static void remove_unlisted(struct fakeds__membership *membership,
                            const Etcdserverpb__RangeResponse *response);
static void apply_delete(struct fakeds__membership *membership, struct rt_slice key,
                         int64_t revision);
static void on_writable(void *arg, bool is_writable);
static void on_health_timer(void *arg);
static void on_health(void *arg, const struct etcd_result *result);
static void on_compensation(void *arg);
static void on_compensation_probed(void *arg, bool is_writable);
static void arm_bury(struct fakeds__membership *membership);
static void on_bury(void *arg);
static bool has_prefix(const struct fakeds__membership *membership, enum fakeds__prefix prefix,
                       struct rt_slice key, struct rt_slice *out_rest);

#define SECOND_US       UINT64_C(1000000)
#define REWATCH_US      (5 * SECOND_US)
#define HEALTH_US       SECOND_US
#define COMPENSATION_US (30 * SECOND_US)
#define BEHIND_ALL      "\xff" /* what the real worker puts behind a prefix to end its watch */

static const struct etcd_stream_handler HANDLER = {.on_message = on_response, .on_end = on_end};

/* A worker's key that has gone, while etcd is asked whether it can be written to. */
struct fakeds__departure {
    struct fakeds__membership *membership;
    TAILQ_ENTRY(fakeds__departure) others;
    int64_t revision;
    size_t address_bytes;
    char address[];
};

void fakeds__watch_init(struct fakeds__membership *membership)
{
    TAILQ_INIT(&membership->departures);
    rt_timer_init(&membership->watch_timer, membership->loop, on_watch_timer, membership);
    rt_timer_init(&membership->health_timer, membership->loop, on_health_timer, membership);
    rt_timer_init(&membership->compensation_timer, membership->loop, on_compensation, membership);
    rt_timer_init(&membership->bury_timer, membership->loop, on_bury, membership);
}

void fakeds__watch_stop(struct fakeds__membership *membership)
{
    rt_timer_disarm(&membership->watch_timer);
    rt_timer_disarm(&membership->health_timer);
    rt_timer_disarm(&membership->compensation_timer);
    rt_timer_disarm(&membership->bury_timer);
    etcd_stream_close(membership->watch);
    membership->watch = NULL;
}

void fakeds__watch_open(struct fakeds__membership *membership)
{
    char end[FAKEDS__KEY_BYTES];
    int64_t start = membership->revision + 1;
    membership->watch_count = 0;
    enum rt_status status =
        etcd_watch_open(membership->etcd, &HANDLER, membership, &membership->watch);
    if (status != RT_OK) {
        membership->watch = NULL;
        fakeds__arm(&membership->watch_timer, REWATCH_US);
        return;
    }
    for (size_t i = 0; i < FAKEDS__PREFIX_COUNT && status == RT_OK; i++) {
        struct rt_slice prefix = rt_slice_text(membership->prefixes[i]);
        memcpy(end, prefix.data, prefix.len_bytes);
        memcpy(end + prefix.len_bytes, BEHIND_ALL, sizeof(BEHIND_ALL));
        status = etcd_watch_create(membership->watch, prefix,
                                   rt_slice_of(end, prefix.len_bytes + 1), start);
    }
    if (status != RT_OK) {
        etcd_stream_close(membership->watch);
        membership->watch = NULL;
        fakeds__arm(&membership->watch_timer, REWATCH_US);
    }
}

static void on_response(void *arg, const ProtobufCMessage *message)
{
    struct fakeds__membership *membership = arg;
    const Etcdserverpb__WatchResponse *response = (const Etcdserverpb__WatchResponse *)message;
    if (response->created && ++membership->watch_count == FAKEDS__PREFIX_COUNT &&
        membership->phase == STARTING && membership->own_state == ETCD_MEMBER_UNKNOWN) {
        fakeds__start_watching(membership);
    }
    for (size_t i = 0; i < response->n_events; i++) {
        const Mvccpb__KeyValue *kv = response->events[i]->kv;
        if (kv == NULL) {
            continue;
        }
        if (response->events[i]->type == MVCCPB__EVENT__EVENT_TYPE__DELETE) {
            apply_delete(membership, pb_slice(kv->key), kv->mod_revision);
        } else {
            fakeds__watch_apply(membership, pb_slice(kv->key), kv);
        }
    }
    if (response->n_events > 0) {
        arm_bury(membership);
        (void)fakeds__membership_say_view(membership); /* last: it may be gone */
    }
}

static void on_end(void *arg, const struct etcd_result *result)
{
    struct fakeds__membership *membership = arg;
    (void)result;
    membership->watch = NULL;
    fakeds__arm(&membership->watch_timer, REWATCH_US);
}

static void on_watch_timer(void *arg)
{
    struct fakeds__membership *membership = arg;
    membership->is_listing_for_watch = true;
    list(membership);
}

/* ---- what is there -------------------------------------------------------------------------- */

static bool has_prefix(const struct fakeds__membership *membership, enum fakeds__prefix prefix,
                       struct rt_slice key, struct rt_slice *out_rest)
{
    struct rt_slice text = rt_slice_text(membership->prefixes[prefix]);
    if (key.len_bytes < text.len_bytes || memcmp(key.data, text.data, text.len_bytes) != 0) {
        return false;
    }
    *out_rest = rt_slice_of(key.data + text.len_bytes, key.len_bytes - text.len_bytes);
    return true;
}

/* The ring's own key has an empty name; its legacy keys have not. */
void fakeds__watch_apply(struct fakeds__membership *membership, struct rt_slice key,
                         const Mvccpb__KeyValue *kv)
{
    struct rt_slice rest;
    struct rt_slice value = pb_slice(kv->value);
    enum rt_status status = RT_OK;
    if (has_prefix(membership, FAKEDS__PREFIX_CLUSTER, key, &rest)) {
        status = fakeds__view_put(&membership->view, rest, value, kv->mod_revision);
        fakeds__lease_seen(membership);
    } else if (has_prefix(membership, FAKEDS__PREFIX_RING, key, &rest) && rest.len_bytes == 0) {
        status = fakeds__view_set_ring(&membership->view, value, kv->mod_revision);
    }
    (void)status; /* memory: the compensation brings it. A ring that does not parse is left alone */
}

static void list(struct fakeds__membership *membership)
{
    membership->listed_count = 0;
    list_next(membership);
}

static void list_next(struct fakeds__membership *membership)
{
    char end[FAKEDS__KEY_BYTES];
    struct rt_slice prefix = rt_slice_text(membership->prefixes[membership->listed_count]);
    if (etcd_range(membership->etcd, prefix, fakeds__prefix_end(prefix, end), 0, on_listed,
                   membership, NULL) != RT_OK) {
        fakeds__arm(&membership->watch_timer, REWATCH_US);
    }
}

/* A missing key counts as a DELETE, a new one as a PUT. */
static void on_listed(void *arg, const struct etcd_result *result)
{
    struct fakeds__membership *membership = arg;
    if (membership->phase == LEAVING || membership->phase == FAILED) {
        return;
    }
    if (result->code != GRPC_OK) {
        if (membership->is_listing_for_watch) {
            fakeds__arm(&membership->watch_timer, REWATCH_US);
        }
        return;
    }
    const Etcdserverpb__RangeResponse *response =
        (const Etcdserverpb__RangeResponse *)result->message;
    for (size_t i = 0; i < response->n_kvs; i++) {
        fakeds__watch_apply(membership, pb_slice(response->kvs[i]->key), response->kvs[i]);
    }
    if (membership->listed_count == FAKEDS__PREFIX_CLUSTER) {
        remove_unlisted(membership, response);
    }
    if (++membership->listed_count < FAKEDS__PREFIX_COUNT) {
        list_next(membership);
        return;
    }
    membership->revision = response->header == NULL ? 0 : response->header->revision;
    if (membership->is_listing_for_watch) {
        membership->is_listing_for_watch = false;
        fakeds__watch_open(membership);
    }
    arm_bury(membership);
    (void)fakeds__membership_say_view(membership);
}

static void remove_unlisted(struct fakeds__membership *membership,
                            const Etcdserverpb__RangeResponse *response)
{
    int64_t revision = response->header == NULL ? 0 : response->header->revision;
    struct fakeds__peer *peer;
    struct fakeds__peer *next;
    RT_TABLE_EACH(peer, next, membership->view.peers)
    {
        peer->is_seen = false;
    }
    for (size_t i = 0; i < response->n_kvs; i++) {
        struct rt_slice address;
        if (has_prefix(membership, FAKEDS__PREFIX_CLUSTER, pb_slice(response->kvs[i]->key),
                       &address)) {
            RT_TABLE_FIND_BYTES(membership->view.peers, address.data, address.len_bytes, peer);
            if (peer != NULL) {
                peer->is_seen = true;
            }
        }
    }
    RT_TABLE_EACH(peer, next, membership->view.peers)
    {
        if (!peer->is_seen && peer->is_listed) {
            fakeds__view_remove(&membership->view, rt_slice_text(peer->address), revision);
        }
    }
}

/* ---- who has gone --------------------------------------------------------------------------- */

static void apply_delete(struct fakeds__membership *membership, struct rt_slice key,
                         int64_t revision)
{
    struct rt_slice address;
    if (!has_prefix(membership, FAKEDS__PREFIX_CLUSTER, key, &address)) {
        return;
    }
    struct fakeds__departure *departure = malloc(sizeof(*departure) + address.len_bytes);
    if (departure == NULL) {
        return; /* the compensation brings it */
    }
    *departure = (struct fakeds__departure){
        .membership = membership, .revision = revision, .address_bytes = address.len_bytes};
    memcpy(departure->address, address.data, address.len_bytes);
    if (fakeds__membership_probe(membership, on_writable, departure) != RT_OK) {
        free(departure);
        return;
    }
    TAILQ_INSERT_TAIL(&membership->departures, departure, others);
}

static void on_writable(void *arg, bool is_writable)
{
    struct fakeds__departure *departure = arg;
    struct fakeds__membership *membership = departure->membership;
    if (is_writable) {
        fakeds__view_remove(&membership->view,
                            rt_slice_of(departure->address, departure->address_bytes),
                            departure->revision);
    }
    TAILQ_REMOVE(&membership->departures, departure, others);
    free(departure);
    if (is_writable) {
        arm_bury(membership);
        (void)fakeds__membership_say_view(membership);
    }
}

void fakeds__watch_fini(struct fakeds__membership *membership)
{
    while (!TAILQ_EMPTY(&membership->departures)) {
        struct fakeds__departure *departure = TAILQ_FIRST(&membership->departures);
        TAILQ_REMOVE(&membership->departures, departure, others);
        free(departure);
    }
}

/* Who stays away for node_dead_timeout (the lease's time is over already) leaves the ring. */
static void arm_bury(struct fakeds__membership *membership)
{
    uint64_t now_us = rt_loop_now_us(membership->loop);
    uint64_t dead_s = membership->options.node_dead_timeout_s;
    uint64_t gone_s = membership->options.node_timeout_s;
    uint64_t patience_us = dead_s > gone_s ? (dead_s - gone_s) * SECOND_US : 0;
    uint64_t next_us = RT_NEVER;
    struct fakeds__peer *peer;
    struct fakeds__peer *next;
    RT_TABLE_EACH(peer, next, membership->view.peers)
    {
        if (peer->is_listed) {
            peer->bury_us = 0;
        } else if (peer->bury_us == 0) {
            peer->bury_us = now_us + patience_us;
        }
        if (!peer->is_listed && peer->bury_us > now_us && peer->bury_us < next_us) {
            next_us = peer->bury_us;
        }
    }
    if (next_us != RT_NEVER) {
        fakeds__arm(&membership->bury_timer, next_us - now_us);
    }
}

static void on_bury(void *arg)
{
    struct fakeds__membership *membership = arg;
    if (membership->edit == NULL && membership->phase == JOINED) {
        fakeds__ring_change(membership, fakeds__ring_bury, NULL);
    }
    arm_bury(membership);
}

/* ---- is etcd there -------------------------------------------------------------------------- */

void fakeds__watch_settle(struct fakeds__membership *membership)
{
    fakeds__arm(&membership->health_timer, 0);
    fakeds__arm(&membership->compensation_timer, COMPENSATION_US);
}

static void on_health_timer(void *arg)
{
    struct fakeds__membership *membership = arg;
    char end[FAKEDS__KEY_BYTES];
    struct rt_slice prefix = rt_slice_text(membership->prefixes[FAKEDS__PREFIX_CLUSTER]);
    if (etcd_range(membership->etcd, prefix, fakeds__prefix_end(prefix, end), 0, on_health,
                   membership, NULL) != RT_OK) {
        fakeds__arm(&membership->health_timer, HEALTH_US);
    }
}

/* What it lists is not looked at: only whether there is an answer. */
static void on_health(void *arg, const struct etcd_result *result)
{
    struct fakeds__membership *membership = arg;
    bool is_lost = result->code != GRPC_OK;
    bool is_news = is_lost != membership->is_etcd_lost;
    if (membership->phase != JOINED) {
        return;
    }
    membership->is_etcd_lost = is_lost;
    fakeds__arm(&membership->health_timer, HEALTH_US);
    if (is_news) {
        (void)fakeds__membership_say(membership, is_lost ? "etcd-lost" : "etcd-found");
    }
}

static void on_compensation(void *arg)
{
    struct fakeds__membership *membership = arg;
    if (fakeds__membership_probe(membership, on_compensation_probed, membership) != RT_OK) {
        fakeds__arm(&membership->compensation_timer, SECOND_US);
    }
}

static void on_compensation_probed(void *arg, bool is_writable)
{
    struct fakeds__membership *membership = arg;
    fakeds__arm(&membership->compensation_timer, is_writable ? COMPENSATION_US : SECOND_US);
    if (is_writable && membership->phase == JOINED && membership->watch != NULL &&
        !membership->is_listing_for_watch) {
        list(membership);
    }
}
