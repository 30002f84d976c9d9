/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "connector/blocking/omni_blocking_internal.h"
#include "runtime/random.h"

/* The half of the blocking layer that runs on the I/O thread. */
static enum rt_status construct(struct omni_blocking *blocking);
static void on_constructed(void *arg, struct omni_connector *connector, const char *text);
static bool is_stopped(void *arg);
static void set_state(struct omni_blocking *blocking, enum omni_blocking_state state,
                      enum rt_status status, const char *text);
static void perform(struct omni_operation *operation);
static enum rt_status perform_call(struct omni_operation *operation);
static void end_unsent(struct omni_operation *operation);
static void on_put(void *arg, const struct omni_put_result *result);
static void on_get(void *arg, const struct omni_get_result *result);
static void copy_health(const struct omni_connector *connector,
                        struct omni_blocking_health *out_health);
static void leave_handle(struct omni_operation *operation);
static void complete(struct omni_operation *operation, enum rt_status status);

/* ---- the thread ---------------------------------------------------------------------------- */

void *omni__io_thread(void *arg)
{
    struct omni_blocking *blocking = arg;
    pthread_setname_np(pthread_self(), "omni-io");
    enum rt_status status = construct(blocking);
    if (status != RT_OK) {
        set_state(blocking, OMNI_START_FAILED, status, rt_status_text(status));
    } else {
        status = rt_loop_run(blocking->loop, is_stopped, blocking, RT_NEVER);
        if (status != RT_OK) { /* a creator that still waits must hear of it */
            set_state(blocking, OMNI_START_FAILED, status, rt_status_text(status));
        }
    }
    if (blocking->network != NULL) {
        rt_network_destroy(blocking->network);
    }
    if (blocking->loop != NULL) {
        rt_loop_destroy(blocking->loop);
    }
    return NULL;
}

static enum rt_status construct(struct omni_blocking *blocking)
{
    const struct omni_blocking_config *config = blocking->config;
    enum rt_status status = rt_loop_create(RT_LOOP_SOCKETS, &blocking->loop);
    if (status == RT_OK) {
        status = rt_network_create(blocking->loop, &blocking->network);
    }
    if (status != RT_OK) {
        return status;
    }
    struct omni_environment environment = {
        .ds = {.loop = blocking->loop,
               .network = blocking->network,
               .seed = config->seed == 0 ? rt_random_system_seed() : config->seed,
               .name = blocking->name},
        .log = config->log,
        .log_arg = config->log_arg,
    };
    return omni_connector_create(&environment, &config->connector, on_constructed, blocking);
}

static void on_constructed(void *arg, struct omni_connector *connector, const char *text)
{
    struct omni_blocking *blocking = arg;
    blocking->connector = connector;
    blocking->is_stopped = connector == NULL;
    if (connector == NULL) {
        set_state(blocking, OMNI_START_FAILED, RT_E_INVALID, text);
    } else {
        set_state(blocking, OMNI_RUNNING, RT_OK, "");
    }
}

static void set_state(struct omni_blocking *blocking, enum omni_blocking_state state,
                      enum rt_status status, const char *text)
{
    pthread_mutex_lock(&blocking->mutex);
    snprintf(blocking->text, sizeof(blocking->text), "%s", text);
    blocking->start_status = status;
    blocking->state = state;
    pthread_cond_broadcast(&blocking->changed);
    pthread_mutex_unlock(&blocking->mutex);
}

static bool is_stopped(void *arg)
{
    const struct omni_blocking *blocking = arg;
    return blocking->is_stopped;
}

/* ---- operations --------------------------------------------------------------------------- */

/* Callers queue one after the other and wake this thread once: it takes all there are. */
void omni__perform_queued(void *arg)
{
    struct omni_blocking *blocking = arg;
    pthread_mutex_lock(&blocking->mutex);
    struct omni_operation *operation = blocking->first;
    blocking->first = NULL;
    blocking->last = NULL;
    pthread_mutex_unlock(&blocking->mutex);
    while (operation != NULL) {
        struct omni_operation *next = operation->next; /* it may be gone when performed */
        perform(operation);
        operation = next;
    }
}

static void perform(struct omni_operation *operation)
{
    struct omni_blocking *blocking = operation->blocking;
    enum rt_status status = RT_OK;
    switch (operation->kind) {
    case OP_PUT:
    case OP_GET:
        status = perform_call(operation);
        if (status == RT_OK) {
            return; /* completed by its callback */
        }
        break;
    case OP_CANCEL:
        omni__cancel_here(operation->options.handle);
        break;
    case OP_CLEANUP:
        omni_cleanup(blocking->connector, operation->key);
        break;
    case OP_CLOSE:
        omni_close(blocking->connector);
        break;
    case OP_METRICS:
        omni_connector_metrics(blocking->connector, operation->metrics);
        break;
    case OP_HEALTH:
        copy_health(blocking->connector, operation->health);
        break;
    case OP_STOP: /* nothing comes behind it */
        omni_connector_destroy(blocking->connector);
        blocking->connector = NULL;
        blocking->is_stopped = true;
        return;
    }
    complete(operation, status);
}

static enum rt_status perform_call(struct omni_operation *operation)
{
    struct omni_blocking *blocking = operation->blocking;
    struct omni_blocking_handle *handle = operation->options.handle;
    const struct omni_call_options options = {
        .has_deadline = operation->options.has_deadline,
        .deadline_us = rt_loop_of_monotonic_us(blocking->loop, operation->options.deadline_us),
        .handle = handle == NULL ? NULL : &operation->call,
    };
    if (handle != NULL && handle->is_cancelled) {
        end_unsent(operation);
        return RT_OK;
    }
    enum rt_status status =
        operation->kind == OP_PUT
            ? omni_put_with(blocking->connector, operation->from_stage, operation->to_stage,
                            operation->key, operation->data, &options, on_put, operation)
            : omni_get_with(blocking->connector, operation->from_stage, operation->to_stage,
                            operation->key, &options, on_get, operation);
    if (status == RT_OK && handle != NULL) {
        handle->operation = operation;
    }
    return status;
}

/* Cancelled before it began: the connector never hears of it. */
static void end_unsent(struct omni_operation *operation)
{
    bool is_arena_kept = false;
    const struct ds_status status = {.code = K_RPC_CANCELLED,
                                     .detail = DS_DETAIL_CANCELLED,
                                     .text = "the call was cancelled before it began"};
    const struct omni_put_result put = {.status = status};
    const struct omni_get_result get = {.is_arena_kept = &is_arena_kept, .status = status};
    if (operation->kind == OP_PUT) {
        on_put(operation, &put);
    } else {
        on_get(operation, &get);
    }
}

void omni__cancel_here(struct omni_blocking_handle *handle)
{
    handle->is_cancelled = true;
    if (handle->operation != NULL) {
        (void)omni_cancel(&handle->operation->call); /* ended already: its callback is due */
    }
}

/* Before its caller hears of the end, and may throw the handle away. */
static void leave_handle(struct omni_operation *operation)
{
    if (operation->options.handle != NULL) {
        operation->options.handle->operation = NULL;
    }
}

static void on_put(void *arg, const struct omni_put_result *result)
{
    struct omni_operation *operation = arg;
    leave_handle(operation);
    if (operation->put_done != NULL) {
        operation->put_done(operation->arg, result);
        free(operation);
        return;
    }
    omni__copy_status(operation->result, result->cause, &result->status);
    if (result->is_success) {
        operation->result->outcome = OMNI_DONE;
        operation->result->size_bytes = result->size_bytes;
    }
    complete(operation, RT_OK);
}

static void on_get(void *arg, const struct omni_get_result *result)
{
    struct omni_operation *operation = arg;
    leave_handle(operation);
    if (operation->get_done != NULL) {
        operation->get_done(operation->arg, result);
        free(operation);
        return;
    }
    omni__copy_status(operation->result, result->cause, &result->status);
    if (result->data != NULL) {
        operation->result->outcome = OMNI_DONE;
        operation->result->size_bytes = result->size_bytes;
        operation->result->data = result->data;
        operation->result->arena = result->arena;
        *result->is_arena_kept = true;
    }
    complete(operation, RT_OK);
}

void omni__copy_status(struct omni_call_result *out_result, enum ds_cause cause,
                       const struct ds_status *status)
{
    out_result->outcome = cause != DS_CAUSE_NONE                  ? OMNI_FAILED
                          : status->detail == DS_DETAIL_CLOSED    ? OMNI_REFUSED
                          : status->detail == DS_DETAIL_CANCELLED ? OMNI_CANCELLED
                                                                  : OMNI_EMPTY;
    out_result->cause = cause;
    out_result->code = status->code;
    out_result->detail = status->detail;
    snprintf(out_result->text, sizeof(out_result->text), "%s", status->text);
}

static void copy_health(const struct omni_connector *connector,
                        struct omni_blocking_health *out_health)
{
    struct omni_health health;
    omni_connector_health(connector, &health);
    out_health->is_healthy = health.is_healthy;
    if (!health.is_healthy) {
        snprintf(out_health->error, sizeof(out_health->error), "%s", health.error);
        return;
    }
    snprintf(out_health->host, sizeof(out_health->host), "%s", health.host);
    out_health->port = health.port;
    out_health->metrics = health.metrics;
}

/* An asynchronous call that found no memory on this thread was accepted already, so its callback
 * runs: as a failure for lack of memory. */
static void complete(struct omni_operation *operation, enum rt_status status)
{
    const struct ds_status text = {
        .code = K_OUT_OF_MEMORY, .detail = DS_DETAIL_CHECKED, .text = rt_status_text(status)};
    if (operation->put_done != NULL) {
        struct omni_put_result result = {.cause = DS_CAUSE_OUT_OF_MEMORY, .status = text};
        operation->put_done(operation->arg, &result);
        free(operation);
        return;
    }
    if (operation->get_done != NULL) {
        bool is_arena_kept = false;
        struct omni_get_result result = {
            .is_arena_kept = &is_arena_kept, .cause = DS_CAUSE_OUT_OF_MEMORY, .status = text};
        operation->get_done(operation->arg, &result);
        free(operation);
        return;
    }
    operation->status = status;
    sem_post(&operation->done); /* its stack frame may be gone now */
}
