/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/cluster/cluster_view.h"

#include "wire/proto/hash_ring.pb-c.h"

#include <stdlib.h>

static struct fakeds__peer *find(const struct fakeds__view *view, struct rt_slice address);
static struct fakeds__peer *add(struct fakeds__view *view, struct rt_slice address);
static void forget_ring(struct fakeds__view *view);
static enum rt_status take_ring(struct fakeds__view *view, const DsRing__HashRingPb *ring);
static int compare_tokens(const void *a, const void *b);

/* ---- peers ---------------------------------------------------------------------------------- */

void fakeds__view_fini(struct fakeds__view *view)
{
    struct fakeds__peer *peer;
    struct fakeds__peer *next;
    RT_TABLE_EACH(peer, next, view->peers)
    {
        RT_TABLE_REMOVE(view->peers, peer);
        free(peer->address);
        free(peer);
    }
    forget_ring(view);
}

static struct fakeds__peer *find(const struct fakeds__view *view, struct rt_slice address)
{
    struct fakeds__peer *peer = NULL;
    RT_TABLE_FIND_BYTES(view->peers, address.data, address.len_bytes, peer);
    return peer;
}

const struct fakeds__peer *fakeds__view_find(const struct fakeds__view *view,
                                             struct rt_slice address)
{
    return find(view, address);
}

/* A value that does not parse keeps the peer, in a state that nobody counts on. */
enum rt_status fakeds__view_put(struct fakeds__view *view, struct rt_slice address,
                                struct rt_slice value, int64_t mod_revision)
{
    struct etcd_member_value parsed = {.state = ETCD_MEMBER_UNKNOWN};
    struct fakeds__peer *peer = find(view, address);
    if (peer == NULL && (peer = add(view, address)) == NULL) {
        return RT_E_NOMEM;
    }
    if (mod_revision < peer->mod_revision) {
        return RT_OK;
    }
    bool is_parsed = etcd_member_parse(value, &parsed);
    peer->state = is_parsed ? parsed.state : ETCD_MEMBER_UNKNOWN;
    peer->time_ns = parsed.time_ns;
    peer->mod_revision = mod_revision;
    peer->is_listed = true;
    return RT_OK;
}

static struct fakeds__peer *add(struct fakeds__view *view, struct rt_slice address)
{
    enum rt_status status = RT_E_NOMEM;
    struct fakeds__peer *peer = calloc(1, sizeof(*peer));
    if (peer == NULL) {
        return NULL;
    }
    peer->address = strndup((const char *)address.data, address.len_bytes);
    if (peer->address != NULL) {
        RT_TABLE_ADD_BYTES(view->peers, peer, peer->address, strlen(peer->address), &status);
    }
    if (status != RT_OK) {
        free(peer->address);
        free(peer);
        return NULL;
    }
    return peer;
}

void fakeds__view_remove(struct fakeds__view *view, struct rt_slice address, int64_t mod_revision)
{
    struct fakeds__peer *peer = find(view, address);
    if (peer != NULL && mod_revision >= peer->mod_revision) {
        peer->mod_revision = mod_revision;
        peer->is_listed = false;
    }
}

/* ---- the ring ------------------------------------------------------------------------------- */

enum rt_status fakeds__view_set_ring(struct fakeds__view *view, struct rt_slice bytes,
                                     int64_t mod_revision)
{
    if (mod_revision < view->ring_revision) {
        return RT_OK;
    }
    DsRing__HashRingPb *ring = ds_ring__hash_ring_pb__unpack(NULL, bytes.len_bytes, bytes.data);
    if (ring == NULL) {
        return RT_E_MALFORMED;
    }
    forget_ring(view);
    enum rt_status status = take_ring(view, ring);
    view->ring_revision = mod_revision;
    view->is_ring_ready = ring->cluster_has_init;
    ds_ring__hash_ring_pb__free_unpacked(ring, NULL);
    return status;
}

static void forget_ring(struct fakeds__view *view)
{
    for (size_t i = 0; i < view->worker_count; i++) {
        free(view->workers[i]);
    }
    free(view->workers);
    free(view->tokens);
    free(view->leaver);
    view->workers = NULL;
    view->tokens = NULL;
    view->leaver = NULL;
    view->is_changing = false;
    view->worker_count = 0;
    view->token_count = 0;
}

static enum rt_status take_ring(struct fakeds__view *view, const DsRing__HashRingPb *ring)
{
    size_t token_count = 0;
    for (size_t i = 0; i < ring->n_workers; i++) {
        const DsRing__WorkerPb *worker = ring->workers[i]->worker;
        token_count += worker == NULL ? 0 : worker->n_hash_tokens;
    }
    view->workers = calloc(ring->n_workers + 1, sizeof(*view->workers));
    view->tokens = calloc(token_count + 1, sizeof(*view->tokens));
    if (view->workers == NULL || view->tokens == NULL) {
        return RT_E_NOMEM;
    }
    for (size_t i = 0; i < ring->n_workers; i++) {
        const DsRing__WorkerPb *worker = ring->workers[i]->worker;
        bool is_leaver = worker != NULL && view->leaver == NULL &&
                         worker->state == DS_RING__WORKER_PB__STATE__LEAVING;
        bool is_active = worker != NULL && worker->state == DS_RING__WORKER_PB__STATE__ACTIVE;
        view->is_changing |= worker != NULL && !is_active;
        if (!is_active && !is_leaver) {
            continue;
        }
        char *address =
            strndup((const char *)ring->workers[i]->address.data, ring->workers[i]->address.len);
        if (address == NULL) {
            return RT_E_NOMEM;
        }
        if (is_leaver) {
            view->leaver = address;
            continue;
        }
        for (size_t j = 0; j < worker->n_hash_tokens; j++) {
            view->tokens[view->token_count++] = (struct fakeds__token){
                .position = worker->hash_tokens[j], .worker = (uint32_t)view->worker_count};
        }
        view->workers[view->worker_count++] = address;
    }
    qsort(view->tokens, view->token_count, sizeof(*view->tokens), compare_tokens);
    return RT_OK;
}

static int compare_tokens(const void *a, const void *b)
{
    const struct fakeds__token *left = a;
    const struct fakeds__token *right = b;
    if (left->position != right->position) {
        return left->position < right->position ? -1 : 1;
    }
    return left->worker < right->worker ? -1 : left->worker > right->worker;
}

const char *fakeds__view_owner(const struct fakeds__view *view, struct rt_slice key)
{
    uint32_t hash = fakeds__key_hash(key);
    size_t low = 0;
    size_t high = view->token_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (view->tokens[middle].position < hash) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return view->token_count == 0
               ? NULL
               : view->workers[view->tokens[low == view->token_count ? 0 : low].worker];
}

static uint32_t rotate(uint32_t value, unsigned by)
{
    return (value << by) | (value >> (32 - by));
}

uint32_t fakeds__key_hash(struct rt_slice key)
{
    uint32_t hash = 0;
    uint32_t word = 0;
    size_t i = 0;
    for (; i < key.len_bytes; i++) {
        word |= (uint32_t)key.data[i] << (8 * (i % 4));
        if (i % 4 == 3) {
            hash ^= rotate(word * 0xcc9e2d51u, 15) * 0x1b873593u;
            hash = rotate(hash, 13) * 5 + 0xe6546b64u;
            word = 0;
        }
    }
    hash ^= rotate(word * 0xcc9e2d51u, 15) * 0x1b873593u; /* what is left; 0 changes nothing */
    hash ^= (uint32_t)key.len_bytes;
    hash = (hash ^ (hash >> 16)) * 0x85ebca6bu;
    hash = (hash ^ (hash >> 13)) * 0xc2b2ae35u;
    return hash ^ (hash >> 16);
}
