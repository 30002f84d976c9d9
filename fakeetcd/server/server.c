/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/request/dispatch.h"

#include "fakeetcd/lock/contender.h"
#include "fakeetcd/server/connection.h"
#include "fakeetcd/watch/watch_service.h"

#include <stdio.h>
#include <stdlib.h>

/* The server's own life: made, started, killed, drained, destroyed. */

#define DEFAULT_QUOTA_BYTES   (UINT64_C(2) * 1024 * 1024 * 1024)
#define DEFAULT_REQUEST_BYTES (UINT64_C(1536) * 1024)
#define DRAIN_US              (UINT64_C(7) * 1000000)
#define SECOND_US             UINT64_C(1000000)

static const struct pb_arena_limits ARENA_LIMITS = {.block_min_bytes = (size_t)16 * 1024,
                                                    .keep_bytes = (size_t)4 * 1024 * 1024,
                                                    .total_bytes = (size_t)256 * 1024 * 1024};

static enum rt_status copy_options(struct fakeetcd_server *server,
                                   const struct fakeetcd_options *options);
static void free_options(struct fakeetcd_server *server);
static char **copy_texts(const char *const *texts, size_t count);
static void free_texts(char **texts, size_t count);
static void init_tasks(struct fakeetcd_server *server);
static enum rt_status open_all(struct fakeetcd_server *server, char *out_error, size_t error_bytes);
static void stop_timers(struct fakeetcd_server *server);
static void on_drain_turn(void *arg);
static void on_drain_timeout(void *arg);
static void finish_drain(struct fakeetcd_server *server);

void fakeetcd_options_init(struct fakeetcd_options *options)
{
    static const char *const addresses[] = {"127.0.0.1:2379"};
    *options = (struct fakeetcd_options){
        .name = "default",
        .addresses = addresses,
        .address_count = 1,
        .peer_urls = "http://localhost:2380",
        .profile = fakeetcd_profile_find("etcd-3.5"),
        .max_request_bytes = DEFAULT_REQUEST_BYTES,
        .max_txn_ops = 128,
        .max_concurrent_streams = UINT32_MAX,
        .election_timeout_us = SECOND_US,
        .progress_interval_us = 600 * SECOND_US,
        .token_ttl_us = 300 * SECOND_US,
        .time_scale = 1.0,
    };
}

enum rt_status fakeetcd_server_create(const struct fakeetcd_environment *environment,
                                      const struct fakeetcd_options *options,
                                      struct fakeetcd_server **out_server, char *out_error,
                                      size_t error_bytes)
{
    struct fakeetcd_server *server = calloc(1, sizeof(*server));
    enum rt_status status = RT_E_NOMEM;
    snprintf(out_error, error_bytes, "%s", rt_status_text(status));
    if (server == NULL) {
        return status;
    }
    server->environment = *environment;
    server->profile = options->profile;
    pb_arena_init(&server->arena, &ARENA_LIMITS);
    init_tasks(server);
    status = copy_options(server, options);
    if (status != RT_OK) {
        goto free_server;
    }
    rt_random_init(&server->ids, environment->seed, server->options.name);
    rt_random_init(&server->jitter, environment->seed ^ 1, server->options.name);
    status = open_all(server, out_error, error_bytes);
    if (status != RT_OK) {
        goto free_server;
    }
    *out_server = server;
    return RT_OK;

free_server:
    fakeetcd_server_destroy(server);
    return status;
}

static void init_tasks(struct fakeetcd_server *server)
{
    struct rt_loop *loop = server->environment.loop;
    TAILQ_INIT(&server->connections);
    TAILQ_INIT(&server->laters);
    TAILQ_INIT(&server->committing);
    TAILQ_INIT(&server->contenders);
    SLIST_INIT(&server->free_calls);
    rt_task_init(&server->drain_task, loop, on_drain_turn, server);
    rt_timer_init(&server->drain_timer, loop, on_drain_timeout, server);
    fakeetcd__state_init(server);
    fakeetcd__faults_init(server);
    fakeetcd__watch_init(server);
}

static enum rt_status open_all(struct fakeetcd_server *server, char *out_error, size_t error_bytes)
{
    enum rt_status status = fakeetcd__state_open(server, out_error, error_bytes);
    if (status == RT_OK) {
        status = fakeetcd_gateway_create(
            server->environment.loop, server, server->profile,
            server->options.max_request_bytes + FAKEETCD__TRANSPORT_ROOM_BYTES, &server->gateway);
    }
    if (status == RT_OK) {
        status = fakeetcd__listen(server, out_error, error_bytes);
    }
    if (status == RT_OK) {
        status = fakeetcd__members_init(server); /* it shows where it listens */
    }
    if (status == RT_OK) {
        server->is_running = true;
        fakeetcd__event(server, "started", rt_slice_text(""), "");
        fakeetcd__event(server, "ready", rt_slice_text(""), "");
    }
    return status;
}

/* ---- options ---- */

/* NULL texts become empty ones, so that everything below can print them. */
static enum rt_status copy_options(struct fakeetcd_server *server,
                                   const struct fakeetcd_options *options)
{
    struct fakeetcd_options *own = &server->options;
    *own = *options;
    own->name = strdup(options->name);
    own->peer_urls = strdup(options->peer_urls == NULL ? "" : options->peer_urls);
    own->data_dir = options->data_dir == NULL ? NULL : strdup(options->data_dir);
    own->quota_bytes = options->quota_bytes == 0 ? DEFAULT_QUOTA_BYTES : options->quota_bytes;
    own->others = NULL;
    own->client_urls = NULL;
    own->addresses = (const char *const *)copy_texts(options->addresses, options->address_count);
    if (options->client_urls != NULL) {
        own->client_urls =
            (const char *const *)copy_texts(options->client_urls, options->client_url_count);
    }
    server->addresses = calloc(options->address_count, sizeof(char *));
    server->listeners = calloc(options->address_count, sizeof(struct rt_listener *));
    if (own->name == NULL || own->peer_urls == NULL || own->addresses == NULL ||
        (options->client_urls != NULL && own->client_urls == NULL) ||
        (options->data_dir != NULL && own->data_dir == NULL) || server->addresses == NULL ||
        server->listeners == NULL) {
        return RT_E_NOMEM;
    }
    return fakeetcd__members_of_options(server, options);
}

static char **copy_texts(const char *const *texts, size_t count)
{
    char **copies = calloc(count + 1, sizeof(char *));
    for (size_t i = 0; copies != NULL && i < count; i++) {
        copies[i] = strdup(texts[i]);
        if (copies[i] == NULL) {
            free_texts(copies, i);
            return NULL;
        }
    }
    return copies;
}

static void free_texts(char **texts, size_t count)
{
    for (size_t i = 0; texts != NULL && i < count; i++) {
        free(texts[i]);
    }
    free(texts);
}

static void free_options(struct fakeetcd_server *server)
{
    struct fakeetcd_options *own = &server->options;
    free((char *)(uintptr_t)own->name);
    free((char *)(uintptr_t)own->peer_urls);
    free((char *)(uintptr_t)own->data_dir);
    free_texts((char **)(uintptr_t)own->addresses, own->addresses == NULL ? 0 : own->address_count);
    free_texts((char **)(uintptr_t)own->client_urls,
               own->client_urls == NULL ? 0 : own->client_url_count);
    free_texts(server->addresses, server->addresses == NULL ? 0 : own->address_count);
    free(server->listeners);
}

void fakeetcd_server_destroy(struct fakeetcd_server *server)
{
    if (server == NULL) {
        return;
    }
    if (server->listeners != NULL) {
        fakeetcd__listen_stop(server);
    }
    fakeetcd__connections_reset(server);
    stop_timers(server);
    fakeetcd_gateway_destroy(server->gateway);
    fakeetcd__state_close(server);
    fakeetcd_members_clear(&server->first_members);
    fakeetcd__grpc_pool_free(server);
    pb_arena_fini(&server->arena);
    free_options(server);
    free(server);
}

/* ---- kill and start ---- */

void fakeetcd_server_kill(struct fakeetcd_server *server)
{
    if (!server->is_running) {
        return;
    }
    server->is_running = false;
    fakeetcd__listen_stop(server);
    fakeetcd__connections_reset(server);
    stop_timers(server);
    server->is_frozen = false;
    server->is_leaderless = false;
    server->is_read_only = false;
    server->on_drained = NULL;
    fakeetcd__state_stop(server);
    fakeetcd__event(server, "killed", rt_slice_text(""), "");
}

enum rt_status fakeetcd_server_start(struct fakeetcd_server *server, bool is_state_kept)
{
    char error[256];
    if (server->is_running) {
        return RT_E_EXISTS;
    }
    enum rt_status status = fakeetcd__state_restart(server, is_state_kept, error, sizeof(error));
    if (status == RT_OK) {
        status = fakeetcd__listen(server, error, sizeof(error));
    }
    if (status != RT_OK) {
        fakeetcd__record_state(server, "server", error);
        return status;
    }
    server->is_running = true;
    fakeetcd__event(server, "restarted", rt_slice_text(""), is_state_kept ? "kept" : "lost");
    fakeetcd__event(server, "started", rt_slice_text(""), "");
    fakeetcd__event(server, "ready", rt_slice_text(""), "");
    return RT_OK;
}

static void stop_timers(struct fakeetcd_server *server)
{
    fakeetcd__contenders_stop(server);
    rt_timer_disarm(&server->drain_timer);
    rt_task_cancel(&server->drain_task);
    rt_timer_disarm(&server->lease_timer);
    rt_timer_disarm(&server->sync_timer);
    fakeetcd__faults_stop(server);
    rt_task_cancel(&server->commit_task);
}

bool fakeetcd_server_is_running(const struct fakeetcd_server *server)
{
    return server->is_running;
}

/* ---- stopping as after SIGTERM ---- */

/* 3.4 drops its streams instead (a row of its profile). */
void fakeetcd_server_drain(struct fakeetcd_server *server, rt_task_fn *done, void *arg)
{
    server->on_drained = done;
    server->drained_arg = arg;
    fakeetcd__listen_stop(server);
    if (fakeetcd__has_quirk(server, FAKEETCD_QUIRK_KILL_ON_TERM)) {
        fakeetcd__connections_reset(server);
    } else {
        fakeetcd__connections_drain(server);
    }
    if (rt_timer_arm_after(&server->drain_timer, DRAIN_US) != RT_OK) {
        fakeetcd__connections_reset(server);
    }
    rt_task_schedule(&server->drain_task);
}

static void on_drain_turn(void *arg)
{
    struct fakeetcd_server *server = arg;
    if (server->on_drained != NULL && fakeetcd__connection_count(server) == 0) {
        finish_drain(server);
    }
}

static void on_drain_timeout(void *arg)
{
    finish_drain(arg);
}

static void finish_drain(struct fakeetcd_server *server)
{
    rt_task_fn *done = server->on_drained;
    void *arg = server->drained_arg;
    server->on_drained = NULL;
    fakeetcd_server_kill(server);
    if (done != NULL) {
        done(arg);
    }
}
