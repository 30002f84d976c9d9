/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONNECTOR_BLOCKING_OMNI_BLOCKING_INTERNAL_H
#define CONNECTOR_BLOCKING_OMNI_BLOCKING_INTERNAL_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "connector/omni_blocking.h"

/* Shared by the two halves of the blocking layer: the caller's thread and the I/O thread. */

enum omni_operation_kind {
    OP_PUT,
    OP_GET,
    OP_CANCEL,
    OP_CLEANUP,
    OP_CLOSE,
    OP_METRICS,
    OP_HEALTH,
    OP_STOP
};

struct omni_operation {
    struct omni_blocking *blocking;
    struct omni_operation *next; /* in the queue */
    enum omni_operation_kind kind;
    const char *from_stage;
    const char *to_stage;
    struct rt_slice key;
    const struct omni_value *data;
    struct omni_blocking_options options;
    struct omni_handle call; /* the I/O thread's name of it */

    /* A caller that waits; the operation lies on its stack. */
    sem_t done;
    enum rt_status status;
    struct omni_call_result *result;
    struct omni_metrics *metrics;
    struct omni_blocking_health *health;

    /* A caller that does not; the operation is freed when it has been performed. */
    omni_put_fn *put_done;
    omni_get_fn *get_done;
    void *arg;
    char texts[]; /* copies of stages and key */
};

enum omni_blocking_state { OMNI_STARTING, OMNI_RUNNING, OMNI_START_FAILED };

struct omni_blocking {
    pid_t pid;
    pthread_t thread;
    enum omni_model model;
    pthread_mutex_t mutex;
    pthread_cond_t changed;         /* state */
    enum omni_blocking_state state; /* guarded by mutex */
    bool is_stopping;               /* guarded by mutex */
    struct omni_operation *first;   /* guarded by mutex: what the I/O thread has not taken yet */
    struct omni_operation *last;    /* likewise */
    struct rt_post post;            /* on its way to the I/O thread when the queue is not empty */
    atomic_size_t caller_count;     /* threads inside a call */
    enum rt_status start_status;
    char text[OMNI_BLOCKING_TEXT_BYTES]; /* why the start failed */

    /* The I/O thread's own; `loop` is also posted to. */
    const struct omni_blocking_config *config; /* while OMNI_STARTING */
    char name[64];
    struct rt_loop *loop;
    struct rt_network *network;
    struct omni_connector *connector; /* NULL: not constructed, or stopped */
    bool is_stopped;
};

/* The I/O thread: makes loop, network and connector, tells how that went, and runs. */
void *omni__io_thread(void *arg);

/* Posted to the loop with the blocking connector whenever its queue was empty: performs all that
 * is queued by then, and sees that it is completed. */
void omni__perform_queued(void *arg);

/* One that is not queued, on the I/O thread. */
void omni__cancel_here(struct omni_blocking_handle *handle);

/* Puts an end into a result. Any thread. */
void omni__copy_status(struct omni_call_result *out_result, enum ds_cause cause,
                       const struct ds_status *status);

#endif
