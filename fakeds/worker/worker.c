/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/worker/worker_internal.h"

#include "fakeds/cluster/cluster.h"
#include "fakeds/connection/connection.h"
#include "fakeds/request/call.h"

#include <stdio.h>
#include <stdlib.h>

/*
 *   create --> RUNNING --kill--> DEAD --start--> RUNNING (not ready for a while)
 */
static enum rt_status copy_options(struct fakeds_worker *worker,
                                   const struct fakeds_options *options);
static void init_parts(struct fakeds_worker *worker);
static enum rt_status open_for_business(struct fakeds_worker *worker, const char *address,
                                        uint64_t ready_after_us);
static enum rt_status join_cluster(struct fakeds_worker *worker, bool is_restart);
static void stop(struct fakeds_worker *worker, const char *cause);
static void free_worker(struct fakeds_worker *worker);
static void on_accept(void *arg, struct rt_stream *stream);
static void on_ready(void *arg);
static void on_flush(void *arg);
static void on_doom(void *arg);

#define DEFAULT_MEMORY_BYTES     (UINT64_C(1024) * 1024 * 1024)
#define DEFAULT_DEAD_TIMEOUT_S   60
#define DEFAULT_RECONNECT_WAIT_S 5
#define NAME_BYTES               128

#define DEFAULT_NODE_TIMEOUT_S      60
#define DEFAULT_NODE_DEAD_TIMEOUT_S 300

void fakeds_options_init(struct fakeds_options *options)
{
    *options = (struct fakeds_options){
        .name = "worker-1",
        .address = "127.0.0.1:31501",
        .shared_memory_bytes = DEFAULT_MEMORY_BYTES,
        .client_dead_timeout_s = DEFAULT_DEAD_TIMEOUT_S,
        .client_reconnect_wait_s = DEFAULT_RECONNECT_WAIT_S,
        .profile = &dsrpc_profile_0_8_1,
        .etcd = {.address = "",
                 .node_timeout_s = DEFAULT_NODE_TIMEOUT_S,
                 .node_dead_timeout_s = DEFAULT_NODE_DEAD_TIMEOUT_S},
    };
}

enum rt_status fakeds_worker_create(const struct fakeds_environment *environment,
                                    const struct fakeds_options *options,
                                    struct fakeds_worker **out_worker)
{
    struct fakeds_worker *worker = calloc(1, sizeof(*worker));
    if (worker == NULL) {
        return RT_E_NOMEM;
    }
    worker->environment = *environment;
    init_parts(worker);
    enum rt_status status = copy_options(worker, options);
    if (status != RT_OK) {
        goto free_worker;
    }
    fakeds__store_init(&worker->store, options->shared_memory_bytes);
    worker->arena = dsrpc_arena_create();
    status = RT_E_NOMEM;
    if (worker->arena == NULL) {
        goto free_worker;
    }
    status = open_for_business(worker, options->address, options->not_ready_us);
    if (status == RT_OK) {
        status = join_cluster(worker, false);
    }
    if (status != RT_OK) {
        goto free_worker;
    }
    *out_worker = worker;
    return RT_OK;

free_worker:
    free_worker(worker);
    return status;
}

static enum rt_status copy_options(struct fakeds_worker *worker,
                                   const struct fakeds_options *options)
{
    char stream_name[NAME_BYTES];
    worker->options = *options;
    worker->options.name = strdup(options->name);
    worker->options.address = strdup(options->address);
    if (worker->options.profile == NULL) {
        worker->options.profile = &dsrpc_profile_0_8_1;
    }
    enum rt_status status = fakeds__etcd_options_copy(&worker->options.etcd, &options->etcd);
    snprintf(stream_name, sizeof(stream_name), "fakeds:%s:ids", options->name);
    rt_random_init(&worker->ids, worker->environment.seed, stream_name);
    rt_random_uuid(&worker->ids, worker->uuid);
    return worker->options.name == NULL || worker->options.address == NULL ? RT_E_NOMEM : status;
}

static void init_parts(struct fakeds_worker *worker)
{
    struct rt_loop *loop = worker->environment.loop;
    fakeds__clients_init(&worker->clients);
    TAILQ_INIT(&worker->connections);
    TAILQ_INIT(&worker->unflushed);
    TAILQ_INIT(&worker->calls);
    TAILQ_INIT(&worker->notices);
    worker->evict_to_bytes = UINT64_MAX;
    fakeds__upkeep_init(worker);
    rt_timer_init(&worker->ready_timer, loop, on_ready, worker);
    rt_task_init(&worker->flush_task, loop, on_flush, worker);
    rt_task_init(&worker->doom_task, loop, on_doom, worker);
}

/* The port is open at once; who comes before the worker is ready is told so. */
static enum rt_status open_for_business(struct fakeds_worker *worker, const char *address,
                                        uint64_t ready_after_us)
{
    enum rt_status status = rt_network_listen(worker->environment.network, address, on_accept,
                                              worker, &worker->listener);
    if (status != RT_OK) {
        return status;
    }
    char *real_address = strdup(rt_listener_address(worker->listener));
    worker->ready_us = fakeds__now_us(worker) + ready_after_us;
    if (real_address == NULL || rt_timer_arm(&worker->ready_timer, worker->ready_us) != RT_OK) {
        free(real_address);
        rt_listener_destroy(worker->listener);
        worker->listener = NULL;
        return RT_E_NOMEM;
    }
    free(worker->address);
    worker->address = real_address;
    rt_random_uuid(&worker->ids, worker->start_id);
    fakeds__record_state(worker, "worker", ready_after_us == 0 ? "running" : "not ready");
    fakeds__arm_scan(worker);
    return RT_OK;
}

/* Not ready before it is registered. */
static enum rt_status join_cluster(struct fakeds_worker *worker, bool is_restart)
{
    if (worker->options.etcd.address[0] == '\0') {
        return RT_OK;
    }
    return fakeds__cluster_create(worker, is_restart, &worker->cluster);
}

static void on_ready(void *arg)
{
    fakeds__say_ready(arg);
}

/* When the time after the start is over and the worker is registered, whichever comes last. */
void fakeds__say_ready(struct fakeds_worker *worker)
{
    if (fakeds__is_ready(worker)) {
        fakeds__event(worker, "ready", rt_slice_text(""), "");
    }
}

static void on_accept(void *arg, struct rt_stream *stream)
{
    struct fakeds_worker *worker = arg;
    if (worker->cluster != NULL) {
        fakeds__cluster_accept(worker->cluster, stream);
    } else {
        fakeds__connection_accept(worker, stream);
    }
}

static void on_flush(void *arg)
{
    struct fakeds_worker *worker = arg;
    while (!TAILQ_EMPTY(&worker->unflushed)) {
        fakeds__connection_flush(TAILQ_FIRST(&worker->unflushed));
    }
}

/* ---- death ---------------------------------------------------------------------------------- */

void fakeds_worker_kill(struct fakeds_worker *worker)
{
    if (worker->listener == NULL) {
        return;
    }
    stop(worker, worker->doom == NULL ? "" : worker->doom->rule_id);
    fakeds__event(worker, "killed", rt_slice_text(""), "");
}

/* Requests that wait die with it. The store stays in memory, for a start that wants it. */
static void stop(struct fakeds_worker *worker, const char *cause)
{
    rt_listener_destroy(worker->listener);
    worker->listener = NULL;
    rt_timer_disarm(&worker->ready_timer);
    rt_task_cancel(&worker->doom_task); /* whoever kills it first */
    worker->doom = NULL;
    fakeds__upkeep_stop(worker);
    while (!TAILQ_EMPTY(&worker->connections)) {
        fakeds__connection_end(TAILQ_FIRST(&worker->connections), FAKEDS__END_RST, cause,
                               "the worker died");
    }
    rt_task_cancel(&worker->flush_task);
    while (!TAILQ_EMPTY(&worker->calls)) {
        fakeds__call_eat(TAILQ_FIRST(&worker->calls), cause, "request: the worker died");
    }
    fakeds__cluster_destroy(worker->cluster);
    worker->cluster = NULL;
    fakeds__clients_clear(&worker->clients);
}

enum rt_status fakeds_worker_start(struct fakeds_worker *worker, bool is_state_kept,
                                   uint64_t ready_after_us)
{
    if (worker->listener != NULL) {
        return RT_E_EXISTS;
    }
    if (!is_state_kept) {
        fakeds__store_clear(&worker->store);
    }
    enum rt_status status = open_for_business(worker, worker->address, ready_after_us);
    if (status == RT_OK && (status = join_cluster(worker, true)) != RT_OK) {
        stop(worker, "");
    }
    if (status == RT_OK) {
        fakeds__event(worker, "restarted", rt_slice_text(""), is_state_kept ? "kept" : "lost");
    }
    return status;
}

void fakeds_worker_on_started(struct fakeds_worker *worker, fakeds_started_fn *started, void *arg)
{
    worker->started = started;
    worker->started_arg = arg;
}

void fakeds_worker_leave(struct fakeds_worker *worker, rt_task_fn *done, void *arg)
{
    if (worker->cluster != NULL) {
        fakeds__cluster_leave(worker->cluster, done, arg);
        return;
    }
    rt_task_init(&worker->left_task, worker->environment.loop, done, arg);
    rt_task_schedule(&worker->left_task);
}

void fakeds_worker_destroy(struct fakeds_worker *worker)
{
    if (worker == NULL) {
        return;
    }
    if (worker->listener != NULL) {
        stop(worker, "");
    }
    free_worker(worker);
}

static void free_worker(struct fakeds_worker *worker)
{
    rt_timer_disarm(&worker->ready_timer);
    fakeds__upkeep_stop(worker);
    fakeds__cluster_destroy(worker->cluster);
    rt_listener_destroy(worker->listener);
    fakeds__store_fini(&worker->store);
    fakeds__scratch_fini(&worker->scratch);
    dsrpc_arena_destroy(worker->arena);
    free(worker->address);
    free((char *)(uintptr_t)worker->options.name);
    free((char *)(uintptr_t)worker->options.address);
    fakeds__etcd_options_free(&worker->options.etcd);
    rt_task_cancel(&worker->left_task);
    free(worker);
}

void fakeds__doom(struct fakeds_worker *worker, const struct fault_action *action)
{
    if (worker->doom == NULL) {
        worker->doom = action;
        rt_task_schedule(&worker->doom_task);
    }
}

bool fakeds__is_doomed(const struct fakeds_worker *worker)
{
    return worker->doom != NULL;
}

/* A port that cannot be opened again leaves the worker dead, which the journal says. */
static void on_doom(void *arg)
{
    struct fakeds_worker *worker = arg;
    const struct fault_action *action = worker->doom;
    fakeds_worker_kill(worker);
    if (action->kind == FAULT_RESTART) {
        enum rt_status status =
            fakeds_worker_start(worker, action->is_state_kept, action->duration_us);
        if (status != RT_OK) {
            fakeds__record_state(worker, "worker", rt_status_text(status));
        }
    }
}
