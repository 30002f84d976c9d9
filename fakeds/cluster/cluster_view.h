/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEDS_CLUSTER_CLUSTER_VIEW_H
#define FAKEDS_CLUSTER_CLUSTER_VIEW_H

#include "runtime/slice.h"
#include "runtime/status.h"
#include "runtime/table.h"
#include "wire/etcd/etcd_client_member.h"

/*
 * What a worker knows of its cluster: the membership keys and the ring, as etcd told them. Without
 * a clock and without a wire.
 */
struct fakeds__peer {
    char *address;
    enum etcd_member_state state;
    uint64_t time_ns;
    int64_t mod_revision;
    uint64_t bury_us; /* gone, and long enough from then on */
    bool is_seen;     /* scratch of a listing */
    bool is_listed;   /* its key is there; else its lease has ended, or it has left */
    UT_hash_handle hh;
};

struct fakeds__token {
    uint32_t position;
    uint32_t worker; /* index in `workers` */
};

struct fakeds__view {
    struct fakeds__peer *peers;
    char **workers; /* of the ring, those that are ACTIVE */
    size_t worker_count;
    struct fakeds__token *tokens; /* ascending */
    size_t token_count;
    char *leaver;       /* of the ring, the first that is LEAVING; NULL: nobody */
    bool is_changing;   /* somebody in the ring joins or leaves */
    bool is_ring_ready; /* cluster_has_init */
    int64_t ring_revision;
};

void fakeds__view_fini(struct fakeds__view *view);

/* A membership key is there. Older than what is known: nothing happens. */
RT_NODISCARD enum rt_status fakeds__view_put(struct fakeds__view *view, struct rt_slice address,
                                             struct rt_slice value, int64_t mod_revision);
/* It is gone. */
void fakeds__view_remove(struct fakeds__view *view, struct rt_slice address, int64_t mod_revision);
const struct fakeds__peer *fakeds__view_find(const struct fakeds__view *view,
                                             struct rt_slice address);

/* A HashRingPb. RT_E_MALFORMED: it does not parse, the old ring stays. */
RT_NODISCARD enum rt_status fakeds__view_set_ring(struct fakeds__view *view, struct rt_slice bytes,
                                                  int64_t mod_revision);

/* The worker that keeps the metadata of `key`: the first token at or behind its hash. NULL: there
 * is no ring yet. */
const char *fakeds__view_owner(const struct fakeds__view *view, struct rt_slice key);
/* Murmur3, 32 bits, seed 0. */
uint32_t fakeds__key_hash(struct rt_slice key);

#endif
