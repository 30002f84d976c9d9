/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/membership/membership_internal.h"

#include <stdlib.h>

/*
 *   0 to 200 ms --> Range of the ring --> edit --> Txn: put if the version is still the same
 *        ^                                            |
 *        '------------------ lost, 10 times ----------'
 *
 * The ring belongs to all workers. What it is made of: membership_ring_message.c.
 */
static void on_edit_timer(void *arg);
static void on_read(void *arg, const struct etcd_result *result);
static void put_back(struct fakeds__membership *membership, DsRing__HashRingPb *ring,
                     int64_t version);
static void on_put(void *arg, const struct etcd_result *result);
static void try_again(struct fakeds__membership *membership);
static void end(struct fakeds__membership *membership, bool is_done);
static bool is_dead(const struct fakeds__membership *membership, struct rt_slice address);
static DsRing__WorkerPb *add(DsRing__HashRingPb *ring, struct rt_slice address);
static bool set_tokens(DsRing__WorkerPb *worker, const uint32_t *tokens);
static void start_all(DsRing__HashRingPb *ring);
static bool split_gaps(const DsRing__HashRingPb *ring, uint32_t out_tokens[]);
static int compare_numbers(const void *a, const void *b);

enum { TOKENS_PER_WORKER = 4, TRY_LIMIT = 10 };
#define WAIT_LIMIT_US UINT64_C(200000)

void fakeds__ring_init(struct fakeds__membership *membership)
{
    rt_timer_init(&membership->edit_timer, membership->loop, on_edit_timer, membership);
}

/* An answer that still comes is for nobody. */
void fakeds__ring_stop(struct fakeds__membership *membership)
{
    membership->edit = NULL;
    membership->edited = NULL;
    rt_timer_disarm(&membership->edit_timer);
}

void fakeds__ring_change(struct fakeds__membership *membership, fakeds__ring_edit_fn *edit,
                         void (*edited)(struct fakeds__membership *membership, bool is_done))
{
    membership->edit = edit;
    membership->edited = edited;
    membership->edit_tries = 0;
    try_again(membership);
}

static void try_again(struct fakeds__membership *membership)
{
    if (membership->edit_tries++ == TRY_LIMIT) {
        end(membership, false);
        return;
    }
    fakeds__arm(&membership->edit_timer, rt_random_below(&membership->random, WAIT_LIMIT_US));
}

static void on_edit_timer(void *arg)
{
    struct fakeds__membership *membership = arg;
    struct rt_slice key = rt_slice_text(membership->prefixes[FAKEDS__PREFIX_RING]);
    if (etcd_range(membership->etcd, key, (struct rt_slice){0}, 0, on_read, membership, NULL) !=
        RT_OK) {
        end(membership, false);
    }
}

static void on_read(void *arg, const struct etcd_result *result)
{
    struct fakeds__membership *membership = arg;
    int64_t version = 0;
    struct rt_slice old = {0};
    if (membership->edit == NULL || result->code != GRPC_OK) {
        end(membership, false);
        return;
    }
    const Etcdserverpb__RangeResponse *response =
        (const Etcdserverpb__RangeResponse *)result->message;
    if (response->n_kvs > 0) {
        version = response->kvs[0]->version;
        old = pb_slice(response->kvs[0]->value);
        fakeds__watch_apply(membership, pb_slice(response->kvs[0]->key), response->kvs[0]);
    }
    /* A ring that does not parse is made anew (the healing of the ring). */
    DsRing__HashRingPb *ring = ds_ring__hash_ring_pb__unpack(NULL, old.len_bytes, old.data);
    if (ring == NULL) {
        ring = ds_ring__hash_ring_pb__unpack(NULL, 0, NULL);
    }
    if (ring == NULL) {
        end(membership, false);
        return;
    }
    if (membership->edit(membership, ring)) {
        put_back(membership, ring, version);
    } else {
        end(membership, true);
    }
    ds_ring__hash_ring_pb__free_unpacked(ring, NULL);
}

static void put_back(struct fakeds__membership *membership, DsRing__HashRingPb *ring,
                     int64_t version)
{
    size_t len_bytes = ds_ring__hash_ring_pb__get_packed_size(ring);
    struct rt_slice key = rt_slice_text(membership->prefixes[FAKEDS__PREFIX_RING]);
    free(membership->edit_bytes);
    membership->edit_bytes = malloc(len_bytes + 1);
    if (membership->edit_bytes == NULL) {
        end(membership, false);
        return;
    }
    membership->edit_len_bytes = ds_ring__hash_ring_pb__pack(ring, membership->edit_bytes);
    struct rt_slice value = rt_slice_of(membership->edit_bytes, len_bytes);
    if (etcd_compare_and_put(membership->etcd, key, version, NULL, value, on_put, membership,
                             NULL) != RT_OK) {
        end(membership, false);
    }
}

/* What was put is known at once, before the watch says it. */
static void on_put(void *arg, const struct etcd_result *result)
{
    struct fakeds__membership *membership = arg;
    if (result->code != GRPC_OK) {
        end(membership, false);
        return;
    }
    const Etcdserverpb__TxnResponse *response = (const Etcdserverpb__TxnResponse *)result->message;
    if (!response->succeeded) {
        try_again(membership);
        return;
    }
    int64_t revision = response->header == NULL ? 0 : response->header->revision;
    enum rt_status status = fakeds__view_set_ring(
        &membership->view, rt_slice_of(membership->edit_bytes, membership->edit_len_bytes),
        revision);
    end(membership, status == RT_OK);
}

static void end(struct fakeds__membership *membership, bool is_done)
{
    void (*edited)(struct fakeds__membership * membership, bool is_done) = membership->edited;
    membership->edit = NULL;
    membership->edited = NULL;
    if (edited != NULL) {
        edited(membership, is_done);
    }
}

/* ---- edits ---------------------------------------------------------------------------------- */

bool fakeds__ring_register(const struct fakeds__membership *membership, DsRing__HashRingPb *ring)
{
    DsRing__WorkerPb *worker = fakeds__ring_own(membership, ring);
    struct rt_slice uuid = rt_slice_text(membership->options.worker_uuid);
    if (worker != NULL && rt_slice_equal(pb_slice(worker->worker_uuid), uuid)) {
        return false;
    }
    if (worker == NULL) {
        worker = add(ring, rt_slice_text(membership->options.worker_address));
    }
    return worker != NULL && fakeds__ring_set_bytes(&worker->worker_uuid, uuid);
}

/* The first ring: whoever is there gets tokens, and all are active at once. Later: the one. */
bool fakeds__ring_start(const struct fakeds__membership *membership, DsRing__HashRingPb *ring)
{
    uint32_t tokens[TOKENS_PER_WORKER];
    DsRing__WorkerPb *worker = fakeds__ring_own(membership, ring);
    if (worker == NULL && fakeds__ring_register(membership, ring)) {
        worker = fakeds__ring_own(membership, ring); /* somebody had thrown it out */
    }
    if (worker == NULL || worker->state != DS_RING__WORKER_PB__STATE__INITIAL) {
        return false;
    }
    if (!ring->cluster_has_init) {
        start_all(ring);
        ring->cluster_has_init = true;
        return true;
    }
    if (!split_gaps(ring, tokens) || !set_tokens(worker, tokens)) {
        return false;
    }
    worker->state = DS_RING__WORKER_PB__STATE__JOINING;
    return true;
}

bool fakeds__ring_join(const struct fakeds__membership *membership, DsRing__HashRingPb *ring)
{
    DsRing__WorkerPb *worker = fakeds__ring_own(membership, ring);
    if (worker == NULL || worker->state != DS_RING__WORKER_PB__STATE__JOINING) {
        return false;
    }
    worker->state = DS_RING__WORKER_PB__STATE__ACTIVE;
    return true;
}

bool fakeds__ring_bury(const struct fakeds__membership *membership, DsRing__HashRingPb *ring)
{
    return fakeds__ring_drop(membership, ring, is_dead);
}

static bool is_dead(const struct fakeds__membership *membership, struct rt_slice address)
{
    const struct fakeds__peer *peer = fakeds__view_find(&membership->view, address);
    return peer != NULL && !peer->is_listed && peer->bury_us <= rt_loop_now_us(membership->loop);
}

enum fakeds__ring_place fakeds__ring_place(const struct fakeds__membership *membership)
{
    const struct fakeds__view *view = &membership->view;
    for (size_t i = 0; i < view->worker_count; i++) {
        if (strcmp(view->workers[i], membership->options.worker_address) == 0) {
            return FAKEDS__RING_ACTIVE;
        }
    }
    return view->is_ring_ready ? FAKEDS__RING_JOINS : FAKEDS__RING_NEW;
}

static DsRing__WorkerPb *add(DsRing__HashRingPb *ring, struct rt_slice address)
{
    DsRing__WorkerEntry *entry =
        fakeds__ring_append(&ds_ring__worker_entry__descriptor, &ring->workers, &ring->n_workers);
    if (entry == NULL || !fakeds__ring_set_bytes(&entry->address, address)) {
        return NULL;
    }
    entry->worker = fakeds__ring_make(&ds_ring__worker_pb__descriptor);
    return entry->worker;
}

static bool set_tokens(DsRing__WorkerPb *worker, const uint32_t *tokens)
{
    uint32_t *copied = malloc(TOKENS_PER_WORKER * sizeof(*copied));
    if (copied == NULL) {
        return false;
    }
    memcpy(copied, tokens, TOKENS_PER_WORKER * sizeof(*copied));
    free(worker->hash_tokens);
    worker->hash_tokens = copied;
    worker->n_hash_tokens = TOKENS_PER_WORKER;
    return true;
}

/* Even steps around the ring, dealt out in turn: one worker has 0x3fffffff and its multiples. */
static void start_all(DsRing__HashRingPb *ring)
{
    uint32_t step = UINT32_MAX / (uint32_t)(ring->n_workers * TOKENS_PER_WORKER);
    for (size_t i = 0; i < ring->n_workers; i++) {
        uint32_t tokens[TOKENS_PER_WORKER];
        DsRing__WorkerPb *worker = ring->workers[i]->worker;
        for (size_t j = 0; j < TOKENS_PER_WORKER; j++) {
            tokens[j] = step * (uint32_t)(j * ring->n_workers + i + 1);
        }
        if (worker != NULL && set_tokens(worker, tokens)) {
            worker->state = DS_RING__WORKER_PB__STATE__ACTIVE;
        }
    }
}

/* Each new token halves the widest gap. */
static bool split_gaps(const DsRing__HashRingPb *ring, uint32_t out_tokens[])
{
    size_t count = 0;
    for (size_t i = 0; i < ring->n_workers; i++) {
        count += ring->workers[i]->worker == NULL ? 0 : ring->workers[i]->worker->n_hash_tokens;
    }
    uint32_t *all = calloc(count + TOKENS_PER_WORKER, sizeof(*all));
    if (all == NULL) {
        return false;
    }
    count = 0;
    for (size_t i = 0; i < ring->n_workers; i++) {
        const DsRing__WorkerPb *worker = ring->workers[i]->worker;
        for (size_t j = 0; worker != NULL && j < worker->n_hash_tokens; j++) {
            all[count++] = worker->hash_tokens[j];
        }
    }
    for (size_t i = 0; i < TOKENS_PER_WORKER; i++) {
        uint32_t from = 0;
        uint32_t widest = 0;
        qsort(all, count, sizeof(*all), compare_numbers);
        for (size_t j = 0; j <= count; j++) {
            uint32_t low = j == 0 ? 0 : all[j - 1];
            uint32_t high = j == count ? UINT32_MAX : all[j];
            if (high - low > widest) {
                widest = high - low;
                from = low;
            }
        }
        out_tokens[i] = from + widest / 2;
        all[count++] = out_tokens[i];
    }
    free(all);
    return true;
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;
    return left < right ? -1 : left > right;
}
