/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAULTS_HOST_H
#define FAULTS_HOST_H

#include "faults/fault.h"
#include "runtime/network.h"

#include <pthread.h>

/*
 * Where a fake lives inside somebody's test program: a loop over TCP, its network and a fault
 * engine on a thread of their own. Everything about the fake happens on that thread; other threads
 * send errands.
 *
 *   fault_host_start --> thread: make --> loop runs, does errands --> (stop) --> unmake
 */
struct fault_host {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool is_started; /* or has failed to, see `status` */
    enum rt_status status;
    const struct fault_host_parts *parts;
    void *arg;
    uint64_t seed;

    /* The thread's own. */
    struct rt_loop *loop;
    struct rt_network *network;
    struct fault_engine *faults;
};

/* What the fake adds, on its thread. */
struct fault_host_parts {
    enum rt_status (*make)(void *arg);  /* host's loop, network and faults are there */
    void (*unmake)(void *arg);          /* also after a failed make */
    fault_process_fn *on_process_fault; /* with the same arg */
};

/* Starts the thread and returns when everything is made, or has failed. */
RT_NODISCARD enum rt_status fault_host_start(struct fault_host *host,
                                             const struct fault_host_parts *parts, void *arg,
                                             uint64_t seed);
/* After a successful start, once. Nothing may run beside it. */
void fault_host_stop(struct fault_host *host);

/* Runs `run(arg)` on the thread and waits for it. False: out of memory, it did not run. Any thread
 * but its own. */
RT_NODISCARD bool fault_host_run(struct fault_host *host, rt_task_fn *run, void *arg);

/* How often rules with this id have fired; on the thread. */
uint64_t fault_host_fired(const struct fault_host *host, const char *rule_id);

#endif
