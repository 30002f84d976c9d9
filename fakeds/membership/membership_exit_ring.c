/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/membership/membership_internal.h"

/*
 * What a worker that hands over writes into the ring, and who gets what:
 *
 *   mark      need_scale_down
 *   share     LEAVING; the keys of each of its tokens go to the worker of the next token that is
 *             not its own, its UUID to the worker whose UUID hashes next
 *   bare      no tokens; who answers for its UUID
 *   take_out  it is not in it any more
 */
static bool share_tokens(DsRing__HashRingPb *ring, struct rt_slice own, DsRing__WorkerPb *worker);
static bool is_own(const struct fakeds__membership *membership, struct rt_slice address);
static struct rt_slice token_owner(const DsRing__HashRingPb *ring, uint32_t position,
                                   struct rt_slice but);
static uint32_t token_before(const DsRing__HashRingPb *ring, uint32_t position);
static struct rt_slice uuid_owner(const DsRing__HashRingPb *ring, uint32_t hash,
                                  struct rt_slice but);
static bool add_range(DsRing__HashRingPb *ring, struct rt_slice from_worker,
                      struct rt_slice to_worker, uint32_t from, uint32_t end);
static bool add_successor(const struct fakeds__membership *membership, DsRing__HashRingPb *ring,
                          const DsRing__WorkerPb *worker);
static DsRing__MetaEntry *meta_of(DsRing__HashRingPb *ring, struct rt_slice uuid);
static DsRing__UpdatedEntry *updated_of(DsRing__HashRingPb *ring, struct rt_slice address);

#define NS_PER_US 1000
static const struct rt_slice NO_BYTES = {0};

static struct rt_slice own_address(const struct fakeds__membership *membership)
{
    return rt_slice_text(membership->options.worker_address);
}

bool fakeds__ring_mark(const struct fakeds__membership *membership, DsRing__HashRingPb *ring)
{
    DsRing__WorkerPb *worker = fakeds__ring_own(membership, ring);
    if (worker == NULL || worker->need_scale_down) {
        return false;
    }
    worker->need_scale_down = true;
    return true;
}

bool fakeds__ring_share(const struct fakeds__membership *membership, DsRing__HashRingPb *ring)
{
    struct rt_slice own = own_address(membership);
    DsRing__WorkerPb *worker = fakeds__ring_own(membership, ring);
    for (size_t i = 0; i < ring->n_workers; i++) {
        if (ring->workers[i]->worker == NULL ||
            ring->workers[i]->worker->state != DS_RING__WORKER_PB__STATE__ACTIVE) {
            return false;
        }
    }
    if (worker == NULL || ring->n_workers == 1) {
        return false;
    }
    fakeds__ring_forget_ranges(ring); /* whose they were has gone */
    worker->state = DS_RING__WORKER_PB__STATE__LEAVING;
    uint32_t hash = fakeds__key_hash(pb_slice(worker->worker_uuid));
    return share_tokens(ring, own, worker) &&
           add_range(ring, own, uuid_owner(ring, hash, own), hash, hash);
}

/* The keys of each token go to the worker of the next token that is not its own. */
static bool share_tokens(DsRing__HashRingPb *ring, struct rt_slice own, DsRing__WorkerPb *worker)
{
    for (size_t i = 0; i < worker->n_hash_tokens; i++) {
        uint32_t end = worker->hash_tokens[i];
        if (!add_range(ring, own, token_owner(ring, end, own), token_before(ring, end), end)) {
            return false;
        }
    }
    return true;
}

bool fakeds__ring_bare(const struct fakeds__membership *membership, DsRing__HashRingPb *ring)
{
    DsRing__WorkerPb *worker = fakeds__ring_own(membership, ring);
    if (worker == NULL || worker->state != DS_RING__WORKER_PB__STATE__LEAVING) {
        return false;
    }
    worker->n_hash_tokens = 0;
    fakeds__ring_forget_ranges(ring);
    return add_successor(membership, ring, worker) &&
           fakeds__ring_set_bytes(&worker->worker_uuid, NO_BYTES);
}

bool fakeds__ring_take_out(const struct fakeds__membership *membership, DsRing__HashRingPb *ring)
{
    return fakeds__ring_drop(membership, ring, is_own);
}

static bool is_own(const struct fakeds__membership *membership, struct rt_slice address)
{
    return rt_slice_equal(address, own_address(membership));
}

/* ---- who gets what -------------------------------------------------------------------------- */

/* The worker of the first token behind `position`, around the ring. */
static struct rt_slice token_owner(const DsRing__HashRingPb *ring, uint32_t position,
                                   struct rt_slice but)
{
    struct rt_slice found = NO_BYTES;
    uint32_t nearest = UINT32_MAX;
    for (size_t i = 0; i < ring->n_workers; i++) {
        const DsRing__WorkerPb *worker = ring->workers[i]->worker;
        struct rt_slice address = pb_slice(ring->workers[i]->address);
        for (size_t j = 0; !rt_slice_equal(address, but) && j < worker->n_hash_tokens; j++) {
            uint32_t way = worker->hash_tokens[j] - position - 1; /* wraps as the ring does */
            if (way <= nearest) {
                nearest = way;
                found = address;
            }
        }
    }
    return found;
}

/* The last token of any worker before `position`; itself, if there is no other. */
static uint32_t token_before(const DsRing__HashRingPb *ring, uint32_t position)
{
    uint32_t nearest = UINT32_MAX;
    for (size_t i = 0; i < ring->n_workers; i++) {
        const DsRing__WorkerPb *worker = ring->workers[i]->worker;
        for (size_t j = 0; j < worker->n_hash_tokens; j++) {
            uint32_t way = position - worker->hash_tokens[j] - 1;
            nearest = way < nearest ? way : nearest;
        }
    }
    return position - nearest - 1;
}

/* UUIDs have a ring of their own, in which each stands once. */
static struct rt_slice uuid_owner(const DsRing__HashRingPb *ring, uint32_t hash,
                                  struct rt_slice but)
{
    struct rt_slice found = NO_BYTES;
    uint32_t nearest = UINT32_MAX;
    for (size_t i = 0; i < ring->n_workers; i++) {
        const DsRing__WorkerPb *worker = ring->workers[i]->worker;
        struct rt_slice address = pb_slice(ring->workers[i]->address);
        if (worker == NULL || rt_slice_equal(address, but)) {
            continue;
        }
        uint32_t way = fakeds__key_hash(pb_slice(worker->worker_uuid)) - hash - 1;
        if (way <= nearest) {
            nearest = way;
            found = address;
        }
    }
    return found;
}

static bool add_range(DsRing__HashRingPb *ring, struct rt_slice from_worker,
                      struct rt_slice to_worker, uint32_t from, uint32_t end)
{
    DsRing__ChangeEntry *entry = NULL;
    for (size_t i = 0; i < ring->n_add_node_info && entry == NULL; i++) {
        bool is_it = rt_slice_equal(pb_slice(ring->add_node_info[i]->address), to_worker);
        entry = is_it ? ring->add_node_info[i] : NULL;
    }
    if (entry == NULL) {
        entry = fakeds__ring_append(&ds_ring__change_entry__descriptor, &ring->add_node_info,
                                    &ring->n_add_node_info);
        if (entry == NULL || !fakeds__ring_set_bytes(&entry->address, to_worker) ||
            (entry->change = fakeds__ring_make(&ds_ring__change_node_pb__descriptor)) == NULL) {
            return false;
        }
    }
    DsRing__ChangedRange *range =
        fakeds__ring_append(&ds_ring__changed_range__descriptor, &entry->change->changed_ranges,
                            &entry->change->n_changed_ranges);
    if (range == NULL || !fakeds__ring_set_bytes(&range->worker, from_worker)) {
        return false;
    }
    range->from = from;
    range->end = end;
    range->lost_all_range = true;
    return true;
}

static bool add_successor(const struct fakeds__membership *membership, DsRing__HashRingPb *ring,
                          const DsRing__WorkerPb *worker)
{
    struct rt_slice own = own_address(membership);
    struct rt_slice uuid = pb_slice(worker->worker_uuid);
    DsRing__MetaEntry *meta = meta_of(ring, uuid);
    DsRing__UpdatedEntry *updated = updated_of(ring, own);
    if (meta == NULL || updated == NULL ||
        !fakeds__ring_set_bytes(&meta->address, uuid_owner(ring, fakeds__key_hash(uuid), own))) {
        return false;
    }
    updated->worker->time_us = membership->epoch_ns / NS_PER_US + rt_loop_now_us(membership->loop);
    return fakeds__ring_set_bytes(&updated->worker->worker_uuid, uuid);
}

/* Both are maps: one entry for each key, made when there is none. */
static DsRing__MetaEntry *meta_of(DsRing__HashRingPb *ring, struct rt_slice uuid)
{
    for (size_t i = 0; i < ring->n_key_with_worker_id_meta_map; i++) {
        if (rt_slice_equal(pb_slice(ring->key_with_worker_id_meta_map[i]->worker_uuid), uuid)) {
            return ring->key_with_worker_id_meta_map[i];
        }
    }
    DsRing__MetaEntry *meta =
        fakeds__ring_append(&ds_ring__meta_entry__descriptor, &ring->key_with_worker_id_meta_map,
                            &ring->n_key_with_worker_id_meta_map);
    return meta != NULL && fakeds__ring_set_bytes(&meta->worker_uuid, uuid) ? meta : NULL;
}

static DsRing__UpdatedEntry *updated_of(DsRing__HashRingPb *ring, struct rt_slice address)
{
    for (size_t i = 0; i < ring->n_update_worker_map; i++) {
        DsRing__UpdatedEntry *updated = ring->update_worker_map[i];
        if (updated->worker != NULL && rt_slice_equal(pb_slice(updated->address), address)) {
            return updated;
        }
    }
    DsRing__UpdatedEntry *updated = fakeds__ring_append(
        &ds_ring__updated_entry__descriptor, &ring->update_worker_map, &ring->n_update_worker_map);
    if (updated == NULL || !fakeds__ring_set_bytes(&updated->address, address)) {
        return NULL;
    }
    updated->worker = fakeds__ring_make(&ds_ring__updated_worker_pb__descriptor);
    return updated->worker == NULL ? NULL : updated;
}
