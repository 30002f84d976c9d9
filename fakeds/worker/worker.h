/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEDS_WORKER_WORKER_H
#define FAKEDS_WORKER_WORKER_H

#include "faults/fault.h"
#include "runtime/network.h"
#include "wire/dsrpc/dsrpc.h"

/*
 * A fake Datasystem worker on somebody's loop: speaks the real wire, keeps the real semantics of
 * one worker, and asks the fault engine at each point of each request. Programs use
 * fakeds/include/fakeds.h or the program `fakeds`. One thread.
 */
struct fakeds_worker;

struct fakeds_environment { /* all borrowed; they outlive the worker */
    struct rt_loop *loop;
    struct rt_network *network;
    struct rt_journal *journal;  /* NULL: none */
    struct fault_engine *faults; /* NULL: none; fakeds_fault_domain is registered by the maker */
    uint64_t seed;
};

struct rt_tls_context;

/* A place in a cluster that lives in etcd. Texts are copied; NULL is "". */
struct fakeds_etcd_options {
    const char *address; /* "host:port[,host:port]..."; "": no etcd, a worker by itself */
    const char *cluster_name;
    const char *host_id;        /* third field of the membership value */
    const char *version;        /* fourth field, as 0.9.2 has it */
    const char *master_address; /* not "": the worker does not look for the master */
    const char *username;       /* "": no authentication */
    const char *password;
    struct rt_tls_context *tls;   /* NULL: plain; borrowed */
    uint64_t node_timeout_s;      /* TTL of the lease; 60 */
    uint64_t node_dead_timeout_s; /* 300 */
    bool is_exit_lossless;        /* keys and values are handed over before the worker leaves */
};

struct fakeds_options {
    const char *name;    /* "worker-1"; copied */
    const char *address; /* "127.0.0.1:31501", port 0 for a free one; copied */
    uint64_t shared_memory_bytes;
    uint64_t client_dead_timeout_s;   /* announced at registration */
    uint64_t client_reconnect_wait_s; /* likewise; a fifth of it is the heartbeat interval */
    uint64_t not_ready_us; /* after start every operation answers K_NOT_READY this long */
    const struct dsrpc_profile *profile;
    struct fakeds_etcd_options etcd;
};
void fakeds_options_init(struct fakeds_options *options); /* the real worker's: 1 GiB, 60 s, 5 s */

/* Listens when this returns. RT_E_BUSY: the address is taken. */
RT_NODISCARD enum rt_status fakeds_worker_create(const struct fakeds_environment *environment,
                                                 const struct fakeds_options *options,
                                                 struct fakeds_worker **out_worker);
void fakeds_worker_destroy(struct fakeds_worker *worker);

const char *fakeds_worker_address(const struct fakeds_worker *worker);
const char *fakeds_worker_name(const struct fakeds_worker *worker);

/* As SIGKILL: connections are reset, the port is closed, waiting requests are gone. State is kept
 * in memory only so that a start with `is_state_kept` can bring it back. */
void fakeds_worker_kill(struct fakeds_worker *worker);

/* On the same port with a new start id; clients must register again. */
RT_NODISCARD enum rt_status fakeds_worker_start(struct fakeds_worker *worker, bool is_state_kept,
                                                uint64_t ready_after_us);
/* With etcd: whether the start has come to an end, once after create and after each start. NULL: it
 * is registered and ready; else the real worker's words for why it is not. The worker may not be
 * destroyed inside. */
typedef void fakeds_started_fn(void *arg, const char *failure);
void fakeds_worker_on_started(struct fakeds_worker *worker, fakeds_started_fn *started, void *arg);

/* As SIGTERM: the key in etcd is deleted, with is_exit_lossless after everything has been handed to
 * other workers; then `done`, once. Without etcd at once, but later. */
void fakeds_worker_leave(struct fakeds_worker *worker, rt_task_fn *done, void *arg);

bool fakeds_worker_is_running(const struct fakeds_worker *worker);

/* Store-level interventions of scenarios. RT_E_NOT_FOUND: no such key. */
RT_NODISCARD enum rt_status fakeds_worker_evict(struct fakeds_worker *worker, struct rt_slice key);

/* ---- looking at it ---- */

/* Per operation. Law: arrived = answered + eaten + waiting; applied <= arrived. */
struct fakeds_op_counts {
    uint64_t arrived;     /* requests that reached the dispatcher */
    uint64_t applied;     /* that changed or read the store */
    uint64_t answered;    /* answers written to a connection, or with nobody there to take them */
    uint64_t failed;      /* of those, with a status that is not OK */
    uint64_t eaten;       /* lost to a fault, or to the worker's death */
    uint64_t waiting;     /* held by a fault or waiting for a key, now */
    uint64_t undelivered; /* of those answered: nobody held the identity */
};
void fakeds_worker_op_counts(const struct fakeds_worker *worker, enum dsrpc_op op,
                             struct fakeds_op_counts *out_counts);

struct fakeds_counts {
    uint64_t connections;
    uint64_t connections_total;
    uint64_t malformed_connections; /* closed because of what they sent */
    uint64_t clients;
    uint64_t objects;
    uint64_t memory_bytes;
    uint64_t evictions;
    uint64_t expirations;
    uint64_t waits_woken;
    uint64_t waits_timed_out;
    uint64_t bytes_in;
    uint64_t bytes_out;
    uint64_t members;      /* with etcd: membership keys as this worker knows them, its own too */
    uint64_t ring_workers; /* with etcd: ACTIVE in the ring as this worker knows it */
};
void fakeds_worker_counts(const struct fakeds_worker *worker, struct fakeds_counts *out_counts);

struct fakeds_object {
    struct rt_slice key;
    uint64_t size_bytes;
    uint32_t write_mode;
    uint64_t expires_us;   /* RT_NEVER: no TTL */
    struct rt_blob *value; /* borrowed; NULL when it lies in several parts */
};
/* False: no such key (expired or evicted ones are gone). */
bool fakeds_worker_find(const struct fakeds_worker *worker, struct rt_slice key,
                        struct fakeds_object *out_object);

/* Words of the events "NAME.word", for faults, waits and the journal; ended by NULL. Those of etcd
 * happen only to a worker that has one. */
extern const char *const fakeds_events[];
extern const char *const fakeds_etcd_events[];

/* Operations and points of the fake worker. */
extern const struct fault_domain fakeds_fault_domain;

#endif
