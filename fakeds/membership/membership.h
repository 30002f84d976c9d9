/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEDS_MEMBERSHIP_MEMBERSHIP_H
#define FAKEDS_MEMBERSHIP_MEMBERSHIP_H

#include "fakeds/cluster/cluster_view.h"
#include "runtime/network.h"

/*
 * A worker's place in etcd, as the real worker takes it:
 *
 *   CHECK --> LOOK --> WATCH --> MASTER --> RING --> LEASE --> `start` --> TOKENS --> `ready`
 *                                                      ^                                |
 *                                                      '--- `recover` <--- lease lost --'
 *
 * and its two ends: leave (the key is deleted), and scale_in, which hands over first.
 *
 * One thread. It asks nobody but etcd; what the worker does about it is told to a handler.
 */
struct fakeds__membership;
struct rt_tls_context;

struct fakeds__membership_options { /* texts are borrowed and outlive it */
    const char *name;               /* of the worker, for the journal */
    const char *etcd_address;       /* "host:port[,host:port]..." */
    const char *cluster_name;       /* "": keys have no prefix */
    const char *worker_address;
    const char *worker_uuid;
    const char *host_id;        /* "": two fields in the membership value */
    const char *version;        /* not "": four fields, as 0.9.2 writes them */
    const char *master_address; /* not "": a centralised master, nothing is written about it */
    const char *username;       /* NULL: no authentication */
    const char *password;
    struct rt_tls_context *tls;   /* NULL: plain; borrowed */
    uint64_t node_timeout_s;      /* the lease's TTL; 60 */
    uint64_t node_dead_timeout_s; /* after that a worker that is gone leaves the ring; 300 */
    uint64_t seed;
    bool is_restart; /* of a worker that was there before: `restart`, not `start` */
};

/* Each runs from the loop, never from inside a call; the membership may be destroyed inside. */
struct fakeds__membership_handler {
    void (*on_ready)(void *arg);
    /* The worker cannot start: etcd is not there. Once, instead of on_ready. */
    void (*on_failed)(void *arg, const char *text);
    /* Members or the ring have changed. */
    void (*on_view)(void *arg);
    /* "lease-granted", "lease-lost", "lease-expired", "etcd-lost", "etcd-found", ... */
    void (*on_event)(void *arg, const char *what);
    /* Of a scale-in: the ring has other owners for the keys of this worker. When its values are
     * elsewhere, fakeds__membership_moved(). */
    void (*on_move)(void *arg);
};

RT_NODISCARD enum rt_status
fakeds__membership_create(struct rt_loop *loop, struct rt_network *network,
                          const struct fakeds__membership_options *options,
                          const struct fakeds__membership_handler *handler, void *arg,
                          struct fakeds__membership **out_membership);

/* As the death of the process: the key stays until its lease ends. */
void fakeds__membership_destroy(struct fakeds__membership *membership);

/* As SIGTERM: the key is deleted, tried each second for at most min(node_timeout, 180 s); the lease
 * is not revoked. Then `done`, once. */
void fakeds__membership_leave(struct fakeds__membership *membership, rt_task_fn *done, void *arg);

/* As SIGTERM with enable_lossless_data_exit_mode: keys and values go to other workers first. Then
 * `done`, once. One that is not ready leaves at once. */
void fakeds__membership_scale_in(struct fakeds__membership *membership, rt_task_fn *done,
                                 void *arg);
void fakeds__membership_moved(struct fakeds__membership *membership);

/* From the beginning of a scale-in on. */
bool fakeds__membership_is_exiting(const struct fakeds__membership *membership);
bool fakeds__membership_is_ready(const struct fakeds__membership *membership);
/* The worker's own idea: no answer to a keepalive for max(0.9 TTL, TTL - 5 s), or TTL 0. */
bool fakeds__membership_is_expired(const struct fakeds__membership *membership);
const struct fakeds__view *fakeds__membership_view(const struct fakeds__membership *membership);

/* Is etcd writable? A put of `RW` with 5 s. `answer` runs once, unless it is destroyed before. */
typedef void fakeds__probe_fn(void *arg, bool is_writable);
RT_NODISCARD enum rt_status fakeds__membership_probe(struct fakeds__membership *membership,
                                                     fakeds__probe_fn *answer, void *arg);

#endif
