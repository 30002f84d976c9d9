/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEDS_CLUSTER_CLUSTER_INTERNAL_H
#define FAKEDS_CLUSTER_CLUSTER_INTERNAL_H

#include "fakeds/arm.h"
#include "fakeds/cluster/cluster.h"
#include "fakeds/cluster/cluster_directory.h"
#include "fakeds/membership/membership.h"
#include "fakeds/worker/worker_internal.h"
#include "wire/grpc/grpc_channel.h"
#include "wire/grpc/grpc_server.h"
#include "wire/proto/fakeds_peer.pb-c.h"
#include "wire/protobuf_bytes.h"

/*
 *   cluster.c            life, membership, what changes when the ring does
 *   cluster_accept.c     connections: a client's or a peer's?
 *   cluster_ask.c        a question to a peer, or to oneself
 *   cluster_serve.c      a question of a peer, and its answer
 *   cluster_directory.c  of the keys whose metadata this worker keeps: who holds them
 *   cluster_work.c       what a client's call needs from the others before it can go on here
 *   cluster_pull.c       copies of values that others hold
 *   cluster_alone.c      cut off from etcd: are the peers cut off too?
 *   cluster_migrate.c    a worker that leaves gives its values away
 */
#define FAKEDS__PEER_PATH "/fakeds.Peer/Ask" /* the only method between workers */

TAILQ_HEAD(fakeds__asks, fakeds__ask);
TAILQ_HEAD(fakeds__servings, fakeds__serving);
TAILQ_HEAD(fakeds__sniffers, fakeds__sniffer);
TAILQ_HEAD(fakeds__works, fakeds__work);
TAILQ_HEAD(fakeds__pulls, fakeds__pull);

/* Another worker, or this one. Made when first heard of; lives as long as the cluster. */
struct fakeds__link {
    char *address;
    struct grpc_channel *channel; /* NULL: not asked yet, or this worker itself */
    bool is_self;
    UT_hash_handle hh;
};

struct fakeds__cluster {
    struct fakeds_worker *worker;
    struct fakeds__membership *membership;
    struct fakeds__link *links;
    struct fakeds__directory directory;
    struct fakeds__sniffers sniffers;
    struct fakeds__sniffers peers; /* those that turned out to be peers */
    struct fakeds__asks asks;
    struct fakeds__servings servings;
    struct fakeds__works works;
    struct fakeds__pulls pulls;
    int64_t ring_revision;
    uint64_t last_version_us;

    bool is_isolated; /* peers can write to etcd and this worker cannot: writes are refused */
    unsigned yes_count;
    unsigned alone_pending_count;
    bool is_yes_heard;
    struct rt_timer alone_timer;
    struct rt_timer death_timer;

    size_t migrate_round;
    size_t migrate_pending_count; /* answers, and one while asking */
    uint64_t migrated_count;
};

/* NULL: no memory. */
struct fakeds__link *fakeds__link_of(struct fakeds__cluster *cluster, struct rt_slice address);
/* Its key is in etcd. One that is in the ring and not listed has lost its lease. */
bool fakeds__link_is_listed(const struct fakeds__cluster *cluster, const struct fakeds__link *link);
bool fakeds__link_is_in_ring(const struct fakeds__cluster *cluster,
                             const struct fakeds__link *link);
/* A link to each worker of the ring. */
void fakeds__links_of_view(struct fakeds__cluster *cluster);
/* Who keeps the metadata of `key`; NULL: there is no ring, or no memory. */
struct fakeds__link *fakeds__link_owner(struct fakeds__cluster *cluster, struct rt_slice key);

/* Microseconds since 1970, as versions count them. Never the same twice. */
uint64_t fakeds__cluster_time_us(struct fakeds__cluster *cluster);

void fakeds__accept_init(struct fakeds__cluster *cluster);
void fakeds__accept_fini(struct fakeds__cluster *cluster);

/* ---- asking --------------------------------------------------------------------------------- */

/* `code` of gRPC; `response` is NULL unless it is OK; `value` of a pull, borrowed. Once, later. */
typedef void fakeds__asked_fn(void *arg, int32_t code, const DsPeer__Response *response,
                              struct rt_blob *value);

/* NULL: no memory, nothing happened. `request` is copied; `done` may be NULL. */
struct fakeds__ask *fakeds__ask(struct fakeds__cluster *cluster, struct fakeds__link *link,
                                DsPeer__Request *request, uint64_t deadline_us,
                                fakeds__asked_fn *done, void *arg);
void fakeds__ask_cancel(struct fakeds__ask *ask);
/* How a question to oneself ends. Nobody pulls a value from oneself. */
void fakeds__ask_answered(struct fakeds__ask *ask, const DsPeer__Response *response);

/* One question for each few hundred of the values here that `choose` picks for `link`. Returns how
 * many: so often `done` runs. */
typedef bool fakeds__choose_fn(struct fakeds__cluster *cluster, const struct fakeds__link *link,
                               struct rt_slice key);
size_t fakeds__ask_about_held(struct fakeds__cluster *cluster, struct fakeds__link *link,
                              DsPeer__Request__Kind kind, fakeds__choose_fn *choose,
                              uint64_t deadline_us, fakeds__asked_fn *done, void *arg);
/* One object of a question, as this worker has it. */
void fakeds__describe(const struct fakeds__object *object, uint64_t now_us, DsPeer__Object *out);

/* One key to one peer; nobody waits for the answer. */
void fakeds__tell(struct fakeds__cluster *cluster, struct fakeds__link *link,
                  DsPeer__Request__Kind kind, const DsPeer__Object *object);

/* ---- being asked ---------------------------------------------------------------------------- */

/* Takes the request over (unpacked without an allocator). `call` is NULL when `ask` is not. */
void fakeds__serve(struct fakeds__cluster *cluster, DsPeer__Request *request,
                   struct grpc_call *call, struct fakeds__ask *ask);
/* Nobody waits for the answer of this one any more. */
void fakeds__serve_gone(struct fakeds__cluster *cluster, const struct grpc_call *call);
void fakeds__tell_waiters(struct fakeds__cluster *cluster, struct fakeds__entry *entry);
void fakeds__serve_fini(struct fakeds__cluster *cluster);

/* ---- copies --------------------------------------------------------------------------------- */

/* Fetches a value and stores it here as a copy. `code`: K_OK, K_NOT_FOUND (the holder has lost it),
 * K_RPC_UNAVAILABLE, K_OUT_OF_MEMORY. Once, later; `done` may be NULL. */
typedef void fakeds__pulled_fn(void *arg, int32_t code);
struct fakeds__pull *fakeds__pull(struct fakeds__cluster *cluster, struct fakeds__link *holder,
                                  struct rt_slice key, uint64_t deadline_us,
                                  fakeds__pulled_fn *done, void *arg);
void fakeds__pull_cancel(struct fakeds__pull *pull);

/* ---- leaving -------------------------------------------------------------------------------- */

/* Values go to other workers, then fakeds__membership_moved(). */
void fakeds__migrate(struct fakeds__cluster *cluster);

/* ---- alone ---------------------------------------------------------------------------------- */

void fakeds__alone_init(struct fakeds__cluster *cluster);
void fakeds__alone_begin(struct fakeds__cluster *cluster);
void fakeds__alone_end(struct fakeds__cluster *cluster);

#endif
