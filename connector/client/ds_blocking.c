/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocking calls over the asynchronous client:
 *
 *   any thread: make a job, post it -----> I/O thread: start the call
 *               wait on the job's condition <----- done: copy the result, signal
 */
#include "connector/ds_blocking.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/random.h"

struct ds_blocking {
    pthread_t thread;
    pid_t owner; /* who has the thread: not a child after fork */
    struct rt_loop *loop;
    struct rt_network *network;
    struct ds_client *client;
    pthread_mutex_t lock;
    pthread_cond_t idle;
    size_t callers; /* threads inside a call */
    struct rt_post stop;
    bool is_ending;
};

struct job {
    struct ds_blocking *blocking;
    enum rt_status (*start)(struct ds_client *client, const struct job *job);
    struct ds_blocking_result *result;
    pthread_cond_t done;
    bool is_done;
    /* arguments, borrowed from the waiting caller */
    const struct rt_slice *keys;
    size_t key_count;
    const struct dsrpc_value *values;
    const struct ds_set_options *set_options;
    const struct ds_mset_options *mset_options;
    const struct ds_read *reads;
    int64_t sub_timeout_ms;
    uint32_t ttl_s;
};

static enum rt_status start_thread(struct ds_blocking *blocking);
static void *run_thread(void *arg);
static void stop_loop(void *arg);
static void start_job(void *arg);
static void on_done(void *arg, const struct ds_result *result);
static void finish(struct job *job);

/* ---- life ---- */

static void free_blocking(struct ds_blocking *blocking)
{
    ds_client_destroy(blocking->client);
    if (blocking->network != NULL) {
        rt_network_destroy(blocking->network);
    }
    if (blocking->loop != NULL) {
        rt_loop_destroy(blocking->loop);
    }
    (void)pthread_cond_destroy(&blocking->idle);
    (void)pthread_mutex_destroy(&blocking->lock);
    free(blocking);
}

enum rt_status ds_blocking_create(const struct ds_options *options, const char *name,
                                  struct ds_blocking **out_blocking)
{
    struct ds_blocking *blocking = calloc(1, sizeof(*blocking));

    if (blocking == NULL) {
        return RT_E_NOMEM;
    }
    (void)pthread_mutex_init(&blocking->lock, NULL);
    (void)pthread_cond_init(&blocking->idle, NULL);
    blocking->owner = getpid();
    blocking->stop = (struct rt_post){.run = stop_loop, .arg = blocking};
    enum rt_status status = rt_loop_create(RT_LOOP_SOCKETS, &blocking->loop);
    if (status == RT_OK) {
        status = rt_network_create(blocking->loop, &blocking->network);
    }
    if (status == RT_OK) {
        struct ds_environment environment = {.loop = blocking->loop,
                                             .network = blocking->network,
                                             .seed = rt_random_system_seed(),
                                             .name = name};
        status = ds_client_create(&environment, options, &blocking->client);
    }
    if (status == RT_OK) {
        status = start_thread(blocking);
    }
    if (status != RT_OK) {
        free_blocking(blocking);
        return status;
    }
    *out_blocking = blocking;
    return RT_OK;
}

/* Signals are the program's business: its handlers must not run on our thread. */
static enum rt_status start_thread(struct ds_blocking *blocking)
{
    sigset_t all;
    sigset_t before;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = pthread_create(&blocking->thread, NULL, run_thread, blocking);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failure == 0 ? RT_OK : RT_E_IO;
}

static void *run_thread(void *arg)
{
    struct ds_blocking *blocking = arg;

    (void)!rt_loop_run(blocking->loop, NULL, NULL, RT_NEVER);
    ds_client_destroy(blocking->client); /* ends what is in flight: its callers wake up */
    blocking->client = NULL;
    (void)!rt_loop_run(blocking->loop, NULL, NULL, rt_loop_now_us(blocking->loop)); /* late jobs */
    return NULL;
}

static void stop_loop(void *arg)
{
    rt_loop_stop(((struct ds_blocking *)arg)->loop);
}

void ds_blocking_destroy(struct ds_blocking *blocking)
{
    if (blocking == NULL || blocking->owner != getpid()) {
        return; /* the thread stayed with the parent */
    }
    (void)pthread_mutex_lock(&blocking->lock);
    blocking->is_ending = true;
    (void)pthread_mutex_unlock(&blocking->lock);
    rt_loop_post_prepared(blocking->loop, &blocking->stop);
    (void)pthread_join(blocking->thread, NULL);
    (void)pthread_mutex_lock(&blocking->lock);
    while (blocking->callers > 0) {
        (void)pthread_cond_wait(&blocking->idle, &blocking->lock);
    }
    (void)pthread_mutex_unlock(&blocking->lock);
    free_blocking(blocking);
}

/* ---- a call ---- */

static bool refuse(struct ds_blocking_result *result, int32_t code, const char *sentence)
{
    result->code = code;
    result->detail = code == K_INVALID ? DS_DETAIL_CHECKED : DS_DETAIL_CLOSED;
    (void)snprintf(result->text, sizeof(result->text), "%s", sentence);
    return false;
}

static bool run_job(struct ds_blocking *blocking, struct job *job,
                    struct ds_blocking_result *result)
{
    *result = (struct ds_blocking_result){.code = K_OK};
    if (blocking->owner != getpid()) {
        return refuse(result, K_INVALID,
                      "this client was made before fork() and its I/O thread stayed with the "
                      "parent: make a client after fork()");
    }
    if (pthread_equal(pthread_self(), blocking->thread)) {
        return refuse(result, K_INVALID,
                      "a blocking call on the client's own I/O thread would wait for itself");
    }
    job->blocking = blocking;
    job->result = result;
    (void)pthread_cond_init(&job->done, NULL);
    (void)pthread_mutex_lock(&blocking->lock);
    bool is_ending = blocking->is_ending;
    blocking->callers++;
    if (is_ending) {
        (void)refuse(result, K_NOT_READY, "the client is being destroyed");
    } else if (rt_loop_post(blocking->loop, start_job, job) != RT_OK) {
        (void)refuse(result, K_RUNTIME_ERROR, "out of memory");
    } else {
        while (!job->is_done) {
            (void)pthread_cond_wait(&job->done, &blocking->lock);
        }
    }
    blocking->callers--;
    (void)pthread_cond_signal(&blocking->idle);
    (void)pthread_mutex_unlock(&blocking->lock);
    (void)pthread_cond_destroy(&job->done);
    return result->code == K_OK;
}

/* Posted functions also run when the loop is destroyed, when there is no client any more. */
static void start_job(void *arg)
{
    struct job *job = arg;
    struct ds_client *client = job->blocking->client;

    if (client == NULL) {
        (void)refuse(job->result, K_NOT_READY, "the client was destroyed");
        finish(job);
    } else if (job->start(client, job) != RT_OK) {
        (void)refuse(job->result, K_RUNTIME_ERROR, "out of memory");
        finish(job);
    }
}

static void finish(struct job *job)
{
    struct ds_blocking *blocking = job->blocking;

    (void)pthread_mutex_lock(&blocking->lock);
    job->is_done = true;
    (void)pthread_cond_signal(&job->done);
    (void)pthread_mutex_unlock(&blocking->lock);
}

/* ---- results ---- */

static bool copy_values(const struct ds_result *from, struct ds_blocking_result *to)
{
    to->values = calloc(from->value_count + 1, sizeof(struct rt_blob *));
    for (size_t i = 0; to->values != NULL && i < from->value_count; i++) {
        const struct ds_value *value = &from->values[i];
        to->value_count++;
        if (value->is_present) {
            to->values[i] =
                value->blob != NULL ? rt_blob_retain(value->blob) : rt_blob_copy(value->bytes);
            if (to->values[i] == NULL) {
                return false;
            }
        }
    }
    return to->values != NULL;
}

static bool copy_lists(const struct ds_result *from, struct ds_blocking_result *to)
{
    to->exists = calloc(from->exist_count + 1, sizeof(bool));
    to->sizes = calloc(from->size_count + 1, sizeof(uint64_t));
    to->failed_keys = calloc(from->failed_key_count + 1, sizeof(char *));
    if (to->exists == NULL || to->sizes == NULL || to->failed_keys == NULL) {
        return false;
    }
    if (from->exist_count > 0) {
        memcpy(to->exists, from->exists, from->exist_count * sizeof(bool));
    }
    if (from->size_count > 0) {
        memcpy(to->sizes, from->sizes, from->size_count * sizeof(uint64_t));
    }
    to->exist_count = from->exist_count;
    to->size_count = from->size_count;
    for (size_t i = 0; i < from->failed_key_count; i++) {
        to->failed_keys[i] =
            strndup((const char *)from->failed_keys[i].data, from->failed_keys[i].len_bytes);
        if (to->failed_keys[i] == NULL) {
            return false;
        }
        to->failed_key_count++;
    }
    return true;
}

static void on_done(void *arg, const struct ds_result *result)
{
    struct job *job = arg;
    struct ds_blocking_result *to = job->result;

    to->code = result->status.code;
    to->detail = result->status.detail;
    (void)snprintf(to->text, sizeof(to->text), "%s", result->status.text);
    to->took_us = result->took_us;
    to->attempt_count = result->attempt_count;
    if (!copy_values(result, to) || !copy_lists(result, to)) {
        (void)refuse(to, K_RUNTIME_ERROR, "out of memory for the result");
    }
    finish(job);
}

void ds_blocking_result_fini(struct ds_blocking_result *result)
{
    for (size_t i = 0; i < result->value_count; i++) {
        rt_blob_release(result->values[i]);
    }
    for (size_t i = 0; i < result->failed_key_count; i++) {
        free(result->failed_keys[i]);
    }
    free(result->values);
    free(result->exists);
    free(result->sizes);
    free(result->failed_keys);
    *result = (struct ds_blocking_result){.code = K_OK};
}

/* ---- the calls ---- */

static enum rt_status start_init(struct ds_client *client, const struct job *job)
{
    return ds_client_init(client, on_done, (void *)(uintptr_t)job);
}

static enum rt_status start_close(struct ds_client *client, const struct job *job)
{
    return ds_client_close(client, on_done, (void *)(uintptr_t)job);
}

static enum rt_status start_set(struct ds_client *client, const struct job *job)
{
    return ds_set(client, job->keys[0], job->values, job->set_options, on_done,
                  (void *)(uintptr_t)job);
}

static enum rt_status start_get(struct ds_client *client, const struct job *job)
{
    return ds_get(client, job->keys, job->key_count, job->sub_timeout_ms, on_done,
                  (void *)(uintptr_t)job);
}

static enum rt_status start_read(struct ds_client *client, const struct job *job)
{
    return ds_read(client, job->reads, job->key_count, on_done, (void *)(uintptr_t)job);
}

static enum rt_status start_exist(struct ds_client *client, const struct job *job)
{
    return ds_exist(client, job->keys, job->key_count, on_done, (void *)(uintptr_t)job);
}

static enum rt_status start_delete(struct ds_client *client, const struct job *job)
{
    return ds_delete(client, job->keys, job->key_count, on_done, (void *)(uintptr_t)job);
}

static enum rt_status start_expire(struct ds_client *client, const struct job *job)
{
    return ds_expire(client, job->keys, job->key_count, job->ttl_s, on_done,
                     (void *)(uintptr_t)job);
}

static enum rt_status start_query_size(struct ds_client *client, const struct job *job)
{
    return ds_query_size(client, job->keys, job->key_count, on_done, (void *)(uintptr_t)job);
}

static enum rt_status start_health(struct ds_client *client, const struct job *job)
{
    return ds_health(client, on_done, (void *)(uintptr_t)job);
}

static enum rt_status start_mset(struct ds_client *client, const struct job *job)
{
    return ds_mset(client, job->keys, job->values, job->key_count, job->mset_options, on_done,
                   (void *)(uintptr_t)job);
}

bool ds_blocking_init(struct ds_blocking *blocking, struct ds_blocking_result *out_result)
{
    return run_job(blocking, &(struct job){.start = start_init}, out_result);
}

bool ds_blocking_close(struct ds_blocking *blocking, struct ds_blocking_result *out_result)
{
    return run_job(blocking, &(struct job){.start = start_close}, out_result);
}

bool ds_blocking_set(struct ds_blocking *blocking, struct rt_slice key,
                     const struct dsrpc_value *value, const struct ds_set_options *options,
                     struct ds_blocking_result *out_result)
{
    struct job job = {
        .start = start_set, .keys = &key, .key_count = 1, .values = value, .set_options = options};

    return run_job(blocking, &job, out_result);
}

bool ds_blocking_get(struct ds_blocking *blocking, const struct rt_slice *keys, size_t key_count,
                     int64_t sub_timeout_ms, struct ds_blocking_result *out_result)
{
    struct job job = {
        .start = start_get, .keys = keys, .key_count = key_count, .sub_timeout_ms = sub_timeout_ms};

    return run_job(blocking, &job, out_result);
}

bool ds_blocking_read(struct ds_blocking *blocking, const struct ds_read *reads, size_t read_count,
                      struct ds_blocking_result *out_result)
{
    struct job job = {.start = start_read, .reads = reads, .key_count = read_count};

    return run_job(blocking, &job, out_result);
}

bool ds_blocking_exist(struct ds_blocking *blocking, const struct rt_slice *keys, size_t key_count,
                       struct ds_blocking_result *out_result)
{
    struct job job = {.start = start_exist, .keys = keys, .key_count = key_count};

    return run_job(blocking, &job, out_result);
}

bool ds_blocking_delete(struct ds_blocking *blocking, const struct rt_slice *keys, size_t key_count,
                        struct ds_blocking_result *out_result)
{
    struct job job = {.start = start_delete, .keys = keys, .key_count = key_count};

    return run_job(blocking, &job, out_result);
}

bool ds_blocking_expire(struct ds_blocking *blocking, const struct rt_slice *keys, size_t key_count,
                        uint32_t ttl_s, struct ds_blocking_result *out_result)
{
    struct job job = {.start = start_expire, .keys = keys, .key_count = key_count, .ttl_s = ttl_s};

    return run_job(blocking, &job, out_result);
}

bool ds_blocking_query_size(struct ds_blocking *blocking, const struct rt_slice *keys,
                            size_t key_count, struct ds_blocking_result *out_result)
{
    struct job job = {.start = start_query_size, .keys = keys, .key_count = key_count};

    return run_job(blocking, &job, out_result);
}

bool ds_blocking_health(struct ds_blocking *blocking, struct ds_blocking_result *out_result)
{
    return run_job(blocking, &(struct job){.start = start_health}, out_result);
}

bool ds_blocking_mset(struct ds_blocking *blocking, const struct rt_slice *keys,
                      const struct dsrpc_value *values, size_t count,
                      const struct ds_mset_options *options, struct ds_blocking_result *out_result)
{
    struct job job = {.start = start_mset,
                      .keys = keys,
                      .key_count = count,
                      .values = values,
                      .mset_options = options};

    return run_job(blocking, &job, out_result);
}
