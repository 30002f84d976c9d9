/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEDS_LIBRARY_HOST_H
#define FAKEDS_LIBRARY_HOST_H

#include "fakeds/include/fakeds.h"
#include "fakeds/worker.h"

#include <pthread.h>

/* A worker with its loop on a thread of its own; everything about it happens on that thread. */
struct fakeds {
    struct fakeds_config config;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool is_started; /* or has failed to, see `status` */
    enum rt_status status;
    char address[64];

    /* The thread's own. */
    struct rt_loop *loop;
    struct rt_network *network;
    struct fault_engine *faults;
    struct fakeds_worker *worker;
};

/* Starts the thread and waits until it listens or has failed. */
enum rt_status fakeds__host_start(struct fakeds *fake);
void fakeds__host_stop(struct fakeds *fake);

/* Runs `run(fake, arg)` on the thread and waits for it. False: out of memory, it did not run. */
typedef void fakeds__host_fn(struct fakeds *fake, void *arg);
bool fakeds__host_run(struct fakeds *fake, fakeds__host_fn *run, void *arg);

#endif
