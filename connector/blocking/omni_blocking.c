/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "connector/blocking/omni_blocking_internal.h"

/*
 * A call is an operation that the caller's thread queues and the I/O thread performs:
 *
 *   caller   submit --queue--> . . . . . . . . . . . . . . . sem_wait <--sem_post--.
 *   I/O            omni__perform_queued --> omni_put --> on_put --> complete ------'
 *
 * Queueing happens under the mutex together with the question whether the connector is stopping, so
 * every operation that was accepted comes before the one that stops the thread, and is performed.
 * The I/O thread is woken only when the queue was empty.
 */
static enum rt_status start_thread(struct omni_blocking *blocking);
static enum rt_status check_caller(const struct omni_blocking *blocking, bool may_be_io_thread,
                                   char *out_text);
static enum rt_status submit(struct omni_operation *operation);
static void queue_locked(struct omni_operation *operation);
static enum rt_status submit_and_wait(struct omni_operation *operation);
static enum rt_status call(struct omni_operation *operation, struct omni_call_result *out_result);
static enum rt_status check_deadline(const struct omni_operation *operation, char *out_text);
static enum rt_status submit_copy(const struct omni_operation *operation);
static struct omni_operation *copy_of(const struct omni_operation *operation);
static void refuse(struct omni_operation *operation);

static const struct omni_blocking_options NO_OPTIONS = {.has_deadline = false};

/* ---- life ---------------------------------------------------------------------------------- */

enum rt_status omni_blocking_create(const struct omni_blocking_config *config,
                                    struct omni_blocking **out_blocking,
                                    char out_text[OMNI_BLOCKING_TEXT_BYTES])
{
    struct omni_blocking *blocking = calloc(1, sizeof(*blocking));
    if (blocking == NULL) {
        snprintf(out_text, OMNI_BLOCKING_TEXT_BYTES, "%s", rt_status_text(RT_E_NOMEM));
        return RT_E_NOMEM;
    }
    blocking->pid = getpid();
    blocking->config = config;
    blocking->model = config->connector.model;
    blocking->post = (struct rt_post){.run = omni__perform_queued, .arg = blocking};
    snprintf(blocking->name, sizeof(blocking->name), "%s",
             config->name == NULL ? "connector" : config->name);
    pthread_mutex_init(&blocking->mutex, NULL);
    pthread_cond_init(&blocking->changed, NULL);

    enum rt_status status = start_thread(blocking);
    if (status == RT_OK) {
        *out_blocking = blocking;
        return RT_OK;
    }
    snprintf(out_text, OMNI_BLOCKING_TEXT_BYTES, "%s", blocking->text);
    pthread_cond_destroy(&blocking->changed);
    pthread_mutex_destroy(&blocking->mutex);
    free(blocking);
    return status;
}

/* Signals are the program's business: its handlers must not run on our thread. */
static enum rt_status start_thread(struct omni_blocking *blocking)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = pthread_create(&blocking->thread, NULL, omni__io_thread, blocking);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure != 0) {
        snprintf(blocking->text, sizeof(blocking->text), "no thread: %s", strerror(failure));
        return RT_E_IO;
    }
    pthread_mutex_lock(&blocking->mutex);
    while (blocking->state == OMNI_STARTING) {
        pthread_cond_wait(&blocking->changed, &blocking->mutex);
    }
    blocking->config = NULL;
    enum omni_blocking_state state = blocking->state;
    pthread_mutex_unlock(&blocking->mutex);
    if (state == OMNI_START_FAILED) {
        pthread_join(blocking->thread, NULL);
        return blocking->start_status;
    }
    return RT_OK;
}

void omni_blocking_destroy(struct omni_blocking *blocking)
{
    if (blocking == NULL || check_caller(blocking, false, NULL) != RT_OK) {
        return;
    }
    struct omni_operation stop = {.blocking = blocking, .kind = OP_STOP};
    pthread_mutex_lock(&blocking->mutex);
    queue_locked(&stop);
    blocking->is_stopping = true;
    pthread_mutex_unlock(&blocking->mutex);
    pthread_join(blocking->thread, NULL);
    while (atomic_load(&blocking->caller_count) > 0) {
        sched_yield(); /* they have their results and are about to leave */
    }
    pthread_cond_destroy(&blocking->changed);
    pthread_mutex_destroy(&blocking->mutex);
    free(blocking);
}

/* ---- the caller's thread ------------------------------------------------------------------- */

enum rt_status omni_blocking_put(struct omni_blocking *blocking, const char *from_stage,
                                 const char *to_stage, struct rt_slice put_key,
                                 const struct omni_value *data, struct omni_call_result *out_result)
{
    return omni_blocking_put_with(blocking, from_stage, to_stage, put_key, data, NULL, out_result);
}

enum rt_status omni_blocking_put_with(struct omni_blocking *blocking, const char *from_stage,
                                      const char *to_stage, struct rt_slice put_key,
                                      const struct omni_value *data,
                                      const struct omni_blocking_options *options,
                                      struct omni_call_result *out_result)
{
    struct omni_operation operation = {.blocking = blocking,
                                       .kind = OP_PUT,
                                       .from_stage = from_stage,
                                       .to_stage = to_stage,
                                       .key = put_key,
                                       .data = data,
                                       .options = options == NULL ? NO_OPTIONS : *options};
    return call(&operation, out_result);
}

enum rt_status omni_blocking_get(struct omni_blocking *blocking, const char *from_stage,
                                 const char *to_stage, struct rt_slice get_key,
                                 struct omni_call_result *out_result)
{
    return omni_blocking_get_with(blocking, from_stage, to_stage, get_key, NULL, out_result);
}

enum rt_status omni_blocking_get_with_deadline(struct omni_blocking *blocking,
                                               const char *from_stage, const char *to_stage,
                                               struct rt_slice get_key, uint64_t deadline_us,
                                               struct omni_call_result *out_result)
{
    const struct omni_blocking_options options = {.has_deadline = true, .deadline_us = deadline_us};
    return omni_blocking_get_with(blocking, from_stage, to_stage, get_key, &options, out_result);
}

enum rt_status omni_blocking_get_with(struct omni_blocking *blocking, const char *from_stage,
                                      const char *to_stage, struct rt_slice get_key,
                                      const struct omni_blocking_options *options,
                                      struct omni_call_result *out_result)
{
    struct omni_operation operation = {.blocking = blocking,
                                       .kind = OP_GET,
                                       .from_stage = from_stage,
                                       .to_stage = to_stage,
                                       .key = get_key,
                                       .options = options == NULL ? NO_OPTIONS : *options};
    return call(&operation, out_result);
}

static enum rt_status call(struct omni_operation *operation, struct omni_call_result *out_result)
{
    *out_result = (struct omni_call_result){.outcome = OMNI_REFUSED};
    operation->result = out_result;
    enum rt_status status = check_caller(operation->blocking, false, out_result->text);
    if (status == RT_OK) {
        status = check_deadline(operation, out_result->text);
    }
    if (status != RT_OK) {
        return status;
    }
    status = submit_and_wait(operation);
    if (status == RT_E_CANCELLED) { /* being destroyed: as good as closed */
        refuse(operation);
        return RT_OK;
    }
    if (status != RT_OK) {
        snprintf(out_result->text, sizeof(out_result->text), "%s", rt_status_text(status));
    }
    return status;
}

static enum rt_status check_deadline(const struct omni_operation *operation, char *out_text)
{
    const char *text = omni_no_deadline_text(operation->blocking->model);
    if (operation->kind != OP_GET || !operation->options.has_deadline || text == NULL) {
        return RT_OK;
    }
    if (out_text != NULL) {
        snprintf(out_text, OMNI_BLOCKING_TEXT_BYTES, "%s", text);
    }
    return RT_E_INVALID;
}

enum rt_status omni_blocking_put_async(struct omni_blocking *blocking, const char *from_stage,
                                       const char *to_stage, struct rt_slice put_key,
                                       const struct omni_value *data, omni_put_fn *done, void *arg)
{
    return omni_blocking_put_async_with(blocking, from_stage, to_stage, put_key, data, NULL, done,
                                        arg);
}

enum rt_status omni_blocking_put_async_with(struct omni_blocking *blocking, const char *from_stage,
                                            const char *to_stage, struct rt_slice put_key,
                                            const struct omni_value *data,
                                            const struct omni_blocking_options *options,
                                            omni_put_fn *done, void *arg)
{
    struct omni_operation operation = {.blocking = blocking,
                                       .kind = OP_PUT,
                                       .from_stage = from_stage,
                                       .to_stage = to_stage,
                                       .key = put_key,
                                       .data = data,
                                       .options = options == NULL ? NO_OPTIONS : *options,
                                       .put_done = done,
                                       .arg = arg};
    return submit_copy(&operation);
}

enum rt_status omni_blocking_get_async(struct omni_blocking *blocking, const char *from_stage,
                                       const char *to_stage, struct rt_slice get_key,
                                       omni_get_fn *done, void *arg)
{
    return omni_blocking_get_async_with(blocking, from_stage, to_stage, get_key, NULL, done, arg);
}

enum rt_status omni_blocking_get_async_with(struct omni_blocking *blocking, const char *from_stage,
                                            const char *to_stage, struct rt_slice get_key,
                                            const struct omni_blocking_options *options,
                                            omni_get_fn *done, void *arg)
{
    struct omni_operation operation = {.blocking = blocking,
                                       .kind = OP_GET,
                                       .from_stage = from_stage,
                                       .to_stage = to_stage,
                                       .key = get_key,
                                       .options = options == NULL ? NO_OPTIONS : *options,
                                       .get_done = done,
                                       .arg = arg};
    return submit_copy(&operation);
}

static enum rt_status submit_copy(const struct omni_operation *operation)
{
    struct omni_blocking *blocking = operation->blocking;
    enum rt_status status = check_caller(blocking, true, NULL);
    if (status == RT_OK) {
        status = check_deadline(operation, NULL);
    }
    if (status != RT_OK) {
        return status;
    }
    struct omni_operation *copy = copy_of(operation);
    if (copy == NULL) {
        return RT_E_NOMEM;
    }
    atomic_fetch_add(&blocking->caller_count, 1);
    status = submit(copy);
    atomic_fetch_sub(&blocking->caller_count, 1);
    if (status != RT_OK) {
        free(copy);
    }
    return status;
}

static struct omni_operation *copy_of(const struct omni_operation *operation)
{
    size_t from_bytes = strlen(operation->from_stage) + 1;
    size_t to_bytes = strlen(operation->to_stage) + 1;
    size_t key_bytes = operation->key.len_bytes;
    struct omni_operation *copy = malloc(sizeof(*copy) + from_bytes + to_bytes + key_bytes);
    if (copy == NULL) {
        return NULL;
    }
    *copy = *operation;
    copy->from_stage = memcpy(copy->texts, operation->from_stage, from_bytes);
    copy->to_stage = memcpy(copy->texts + from_bytes, operation->to_stage, to_bytes);
    if (key_bytes > 0) {
        void *key = memcpy(copy->texts + from_bytes + to_bytes, operation->key.data, key_bytes);
        copy->key = rt_slice_of(key, key_bytes);
    }
    return copy;
}

enum rt_status omni_blocking_cancel(struct omni_blocking *blocking,
                                    struct omni_blocking_handle *handle)
{
    struct omni_operation operation = {
        .blocking = blocking, .kind = OP_CANCEL, .options.handle = handle};
    enum rt_status status = check_caller(blocking, true, NULL);
    if (status != RT_OK) {
        return status;
    }
    if (pthread_equal(pthread_self(), blocking->thread)) {
        omni__cancel_here(handle);
        return RT_OK;
    }
    return submit_and_wait(&operation);
}

enum rt_status omni_blocking_cleanup(struct omni_blocking *blocking, struct rt_slice request_id)
{
    struct omni_operation operation = {.blocking = blocking, .kind = OP_CLEANUP, .key = request_id};
    enum rt_status status = check_caller(blocking, false, NULL);
    return status == RT_OK ? submit_and_wait(&operation) : status;
}

enum rt_status omni_blocking_close(struct omni_blocking *blocking)
{
    struct omni_operation operation = {.blocking = blocking, .kind = OP_CLOSE};
    enum rt_status status = check_caller(blocking, false, NULL);
    return status == RT_OK ? submit_and_wait(&operation) : status;
}

enum rt_status omni_blocking_metrics(struct omni_blocking *blocking,
                                     struct omni_metrics *out_metrics)
{
    struct omni_operation operation = {
        .blocking = blocking, .kind = OP_METRICS, .metrics = out_metrics};
    enum rt_status status = check_caller(blocking, false, NULL);
    return status == RT_OK ? submit_and_wait(&operation) : status;
}

enum rt_status omni_blocking_health(struct omni_blocking *blocking,
                                    struct omni_blocking_health *out_health)
{
    struct omni_operation operation = {
        .blocking = blocking, .kind = OP_HEALTH, .health = out_health};
    memset(out_health, 0, sizeof(*out_health));
    enum rt_status status = check_caller(blocking, false, out_health->error);
    if (status != RT_OK) {
        return status;
    }
    status = submit_and_wait(&operation);
    if (status != RT_OK) {
        snprintf(out_health->error, sizeof(out_health->error), "%s", rt_status_text(status));
    }
    return status;
}

/* Touches no mutex: in a child of fork() another thread of the parent may have held it. */
static enum rt_status check_caller(const struct omni_blocking *blocking, bool may_be_io_thread,
                                   char *out_text)
{
    char text[OMNI_BLOCKING_TEXT_BYTES];
    if (blocking->pid != getpid()) {
        snprintf(text, sizeof(text),
                 "this connector belongs to process %ld and cannot be used after fork(): make a "
                 "new one in process %ld",
                 (long)blocking->pid, (long)getpid());
    } else if (!may_be_io_thread && pthread_equal(pthread_self(), blocking->thread)) {
        snprintf(text, sizeof(text),
                 "a blocking call on the connector's own I/O thread would wait for itself: use "
                 "the asynchronous ones in callbacks");
    } else {
        return RT_OK;
    }
    if (out_text != NULL) {
        memcpy(out_text, text, sizeof(text));
    }
    return RT_E_INVALID;
}

/* RT_E_CANCELLED: it is being destroyed. */
static enum rt_status submit(struct omni_operation *operation)
{
    struct omni_blocking *blocking = operation->blocking;
    pthread_mutex_lock(&blocking->mutex);
    bool is_stopping = blocking->is_stopping;
    if (!is_stopping) {
        queue_locked(operation);
    }
    pthread_mutex_unlock(&blocking->mutex);
    return is_stopping ? RT_E_CANCELLED : RT_OK;
}

static void queue_locked(struct omni_operation *operation)
{
    struct omni_blocking *blocking = operation->blocking;
    operation->next = NULL;
    if (blocking->first != NULL) {
        blocking->last->next = operation;
    } else {
        blocking->first = operation;
        rt_loop_post_prepared(blocking->loop, &blocking->post);
    }
    blocking->last = operation;
}

static enum rt_status submit_and_wait(struct omni_operation *operation)
{
    struct omni_blocking *blocking = operation->blocking;
    atomic_fetch_add(&blocking->caller_count, 1);
    sem_init(&operation->done, 0, 0);
    enum rt_status status = submit(operation);
    if (status == RT_OK) {
        while (sem_wait(&operation->done) != 0) { /* a signal's handler ran on this thread */
        }
        status = operation->status;
    }
    sem_destroy(&operation->done);
    atomic_fetch_sub(&blocking->caller_count, 1); /* nothing of `blocking` is touched after it */
    return status;
}

/* As the connector itself refuses after close. */
static void refuse(struct omni_operation *operation)
{
    const struct ds_status status = {.code = K_NOT_READY,
                                     .detail = DS_DETAIL_CLOSED,
                                     .text = "Datasystem client not initialized"};
    omni__copy_status(operation->result, DS_CAUSE_NONE, &status);
}
