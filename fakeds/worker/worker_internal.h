/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEDS_WORKER_WORKER_INTERNAL_H
#define FAKEDS_WORKER_WORKER_INTERNAL_H

#include "fakeds/connection/router.h"
#include "fakeds/operations/waits.h"
#include "fakeds/scratch.h"
#include "fakeds/store/store.h"
#include "fakeds/worker/clients.h"
#include "fakeds/worker/worker.h"

#include <bsd/sys/queue.h>

/*
 *   socket --> connection.c --> call.c (life of a request, fault points) --> op_*.c --> store,
 * waits ^                                                          |
 *                  '-------- router.h (identity -> holder) <----- answer -----'
 *
 * Whatever happens later than the request itself (waiting for a key, for memory, for a fault) is a
 * kept call: it owns copies of what it needs, and is in `calls` until it ends.
 */
TAILQ_HEAD(fakeds__connection_list, fakeds__connection);
TAILQ_HEAD(fakeds__call_list, fakeds__call);
TAILQ_HEAD(fakeds__notice_list, fakeds__notice);

#define FAKEDS__OP_SLOTS (DSRPC_OP_COUNT + 1) /* the last one: unknown methods */

struct fakeds_worker {
    struct fakeds_environment environment;
    struct fakeds_options options; /* its texts are owned */
    char *address;                 /* with the real port */
    struct rt_listener *listener;  /* NULL: not running */
    char uuid[RT_UUID_TEXT_BYTES];
    char start_id[RT_UUID_TEXT_BYTES];
    struct rt_random ids;
    uint64_t ready_us;

    struct fakeds__cluster *cluster; /* NULL: a worker by itself, or not running */
    fakeds_started_fn *started;
    void *started_arg;
    struct rt_task left_task; /* a departure without etcd */

    struct fakeds__store store;
    struct fakeds__waits waits;
    struct fakeds__clients clients;
    struct fakeds__router router;
    struct fakeds__connection_list connections;
    struct fakeds__connection_list unflushed;
    struct fakeds__call_list calls;
    struct fakeds__notice_list notices; /* notifications that a fault delays */

    /* Of the request under way only. */
    struct dsrpc_arena *arena;
    struct fakeds__scratch scratch;

    struct rt_timer ready_timer;
    struct rt_timer scan_timer;
    struct rt_timer silence_timer;
    struct rt_task flush_task;
    struct rt_task evict_task;
    struct rt_task doom_task;
    uint64_t evict_to_bytes;
    const struct fault_action *doom; /* kill or restart that is about to happen */

    struct fakeds_op_counts ops[FAKEDS__OP_SLOTS];
    struct fakeds_counts counts;
};

uint64_t fakeds__now_us(const struct fakeds_worker *worker);
bool fakeds__is_ready(const struct fakeds_worker *worker);
void fakeds__say_ready(struct fakeds_worker *worker);

/* Forgets what the last request left in the arena and the scratch memory. */
void fakeds__fresh_memory(struct fakeds_worker *worker);

/* "<worker>.<what>" to the journal and to the fault engine. */
void fakeds__event(struct fakeds_worker *worker, const char *what, struct rt_slice key,
                   const char *detail);
void fakeds__record_state(struct fakeds_worker *worker, const char *subject, const char *detail);

/* Kills or restarts soon, when nothing of the worker is on the stack; what arrives until then is
 * left in the sockets. */
void fakeds__doom(struct fakeds_worker *worker, const struct fault_action *action);
bool fakeds__is_doomed(const struct fakeds_worker *worker);

/* ---- upkeep.c: what happens by itself ------------------------------------------------------ */

void fakeds__upkeep_init(struct fakeds_worker *worker);
void fakeds__upkeep_stop(struct fakeds_worker *worker);
void fakeds__arm_scan(struct fakeds_worker *worker);
void fakeds__arm_silence(struct fakeds_worker *worker);

/* Evicts soon, so that the answer of the request that caused it comes first. */
void fakeds__evict_if_full(struct fakeds_worker *worker);
void fakeds__evict_for(struct fakeds_worker *worker, uint64_t class_bytes);

#endif
