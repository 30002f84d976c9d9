/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONNECTOR_OMNI_BLOCKING_INTERNAL_H
#define CONNECTOR_OMNI_BLOCKING_INTERNAL_H

#include <pthread.h>
#include <sys/types.h>

#include "connector/omni_blocking.h"

/* Shared by the two halves of the blocking layer: the caller's thread and the I/O thread. */

enum omni_operation_kind { OP_PUT, OP_GET, OP_CLEANUP, OP_CLOSE, OP_METRICS, OP_HEALTH, OP_STOP };

struct omni_operation {
    struct omni_blocking *blocking;
    enum omni_operation_kind kind;
    const char *from_stage;
    const char *to_stage;
    struct rt_slice key;
    const struct omni_value *data;

    /* A caller that waits; the operation lies on its stack. */
    pthread_cond_t done_cond;
    bool is_done; /* guarded by blocking->mutex */
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
    pthread_mutex_t mutex;
    pthread_cond_t changed;         /* state, caller_count */
    enum omni_blocking_state state; /* guarded by mutex */
    bool is_stopping;               /* guarded by mutex */
    size_t caller_count;            /* guarded by mutex: threads inside a call that waits */
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

/* Posted to the loop with an operation: performs it and sees that it is completed. */
void omni__perform(void *arg);

/* Puts an end into a result. Any thread. */
void omni__copy_status(struct omni_call_result *out_result, enum ds_cause cause,
                       const struct ds_status *status);

#endif
