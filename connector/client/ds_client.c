/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a client, from create to destroy, and what it shows of itself. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "connector/client/ds_internal.h"

#define DEFAULT_PORT       31501
#define DEFAULT_CONNECT_MS 60000
#define CLOSE_US           UINT64_C(5000000) /* the real client would wait ten minutes */

static void on_disconnected(void *arg, const struct ds_result *result);
static void finish_close(struct ds_client *client);
static void finish_destroy(struct ds_client *client);

void ds_options_init(struct ds_options *options)
{
    *options = (struct ds_options){
        .host = "127.0.0.1", .port = DEFAULT_PORT, .connect_timeout_ms = DEFAULT_CONNECT_MS};
}

/* ---- create ---- */

static uint64_t positive_us(int64_t timeout_ms)
{
    const int64_t longest_ms = INT64_C(1) << 40;

    if (timeout_ms < 0) {
        return 0;
    }
    return (uint64_t)(timeout_ms > longest_ms ? longest_ms : timeout_ms) * 1000;
}

static void take_options(struct ds_client *client, const struct ds_options *options)
{
    client->port = options->port;
    client->connect_timeout_ms = options->connect_timeout_ms;
    client->request_timeout_ms = options->request_timeout_ms;
    client->connect_us = positive_us(options->connect_timeout_ms);
    client->request_us = options->request_timeout_ms > 0 ? positive_us(options->request_timeout_ms)
                                                         : client->connect_us;
    bool is_bare_v6 = strchr(client->host, ':') != NULL && client->host[0] != '[';
    (void)snprintf(client->address, sizeof(client->address), "%s%s%s:%" PRId64,
                   is_bare_v6 ? "[" : "", client->host, is_bare_v6 ? "]" : "", client->port);
}

enum rt_status ds_client_create(const struct ds_environment *environment,
                                const struct ds_options *options, struct ds_client **out_client)
{
    struct ds_client *client = calloc(1, sizeof(*client));
    char stream[128];

    if (client == NULL) {
        return RT_E_NOMEM;
    }
    client->environment = *environment;
    client->name = strdup(environment->name == NULL ? "client" : environment->name);
    client->host = strdup(options->host == NULL ? "" : options->host);
    client->arena = dsrpc_arena_create();
    if (client->name == NULL || client->host == NULL || client->arena == NULL) {
        finish_destroy(client);
        return RT_E_NOMEM;
    }
    take_options(client, options);
    (void)snprintf(stream, sizeof(stream), "client:%s:ids", client->name);
    rt_random_init(&client->ids, environment->seed, stream);
    ds__channel_init(&client->control, client, "control", 0);
    ds__channel_init(&client->data, client, "data", 1);
    ds__heartbeat_init(client);
    rt_timer_init(&client->first_heartbeat, environment->loop, ds__init_no_heartbeat, client);
    if (ds__calls_init(client) != RT_OK) {
        finish_destroy(client);
        return RT_E_NOMEM;
    }
    *out_client = client;
    return RT_OK;
}

/* ---- close ---- */

enum rt_status ds_client_close(struct ds_client *client, ds_done_fn *done, void *arg)
{
    struct ds__call *call = ds__call_new(client, DSRPC_OP_DISCONNECT, done, arg);

    if (call == NULL) {
        return RT_E_NOMEM;
    }
    client->calls.live_user_count++;
    if (client->phase == DS__CLOSING) {
        ds__waiters_add(&client->close_waiters, call);
        return RT_OK;
    }
    if (client->phase == DS__INITIALISING) {
        ds__init_abort(client, K_NOT_READY, "The client was closed during its initialization.");
    }
    if (client->phase != DS__READY) {
        ds__set_phase(client, DS__CLOSED);
        ds__call_refuse(call, K_OK, DS_DETAIL_NONE);
        return RT_OK;
    }
    ds__heartbeat_stop(client);
    ds__waiters_add(&client->close_waiters, call);
    ds__calls_end_all(client, "The client has been exitted and needs to be reinitialized.");
    ds__set_phase(client, DS__CLOSING);
    struct ds__call *goodbye =
        client->heartbeat.is_lost
            ? NULL /* a worker that is gone is not told */
            : ds__call_new(client, DSRPC_OP_DISCONNECT, on_disconnected, client);
    if (goodbye == NULL) {
        finish_close(client);
        return RT_OK;
    }
    goodbye->is_housekeeping = true;
    ds__call_start(goodbye, CLOSE_US, CLOSE_US);
    return RT_OK;
}

static void finish_close(struct ds_client *client)
{
    ds__channel_close(&client->control);
    ds__channel_close(&client->data);
    ds__set_phase(client, DS__CLOSED);
    ds__waiters_end(client, &client->close_waiters, &(struct ds_status){.code = K_OK, .text = ""});
}

static void on_disconnected(void *arg, const struct ds_result *result)
{
    (void)result; /* said or not, we go */
    finish_close(arg);
}

/* ---- destroy ---- */

void ds_client_destroy(struct ds_client *client)
{
    struct ds_status closed = {
        .code = K_NOT_READY, .detail = DS_DETAIL_CLOSED, .text = "The client was destroyed."};

    if (client == NULL || client->is_destroyed) {
        return;
    }
    ds__heartbeat_stop(client);
    rt_timer_disarm(&client->first_heartbeat);
    ds__calls_end_all(client, closed.text);
    ds__channel_fini(&client->control);
    ds__channel_fini(&client->data);
    client->phase = DS__CLOSED;
    client->is_destroyed = true;
    client->depth++; /* callbacks below may look at the client */
    ds__waiters_end(client, &client->init_waiters, &closed);
    ds__waiters_end(client, &client->close_waiters, &closed);
    ds__calls_tell_now(client);
    client->depth--;
    if (client->depth == 0) {
        finish_destroy(client);
    }
}

static void finish_destroy(struct ds_client *client)
{
    ds__calls_fini(client);
    ds__joined_release(client);
    ds__scratch_fini(&client->scratch);
    ds__text_fini(&client->client_id);
    ds__text_fini(&client->worker_start_id);
    dsrpc_arena_destroy(client->arena);
    free(client->joined);
    free(client->name);
    free(client->host);
    free(client);
}

void ds__enter(struct ds_client *client)
{
    client->depth++;
}

bool ds__leave(struct ds_client *client)
{
    client->depth--;
    if (client->depth == 0 && client->is_destroyed) {
        finish_destroy(client);
        return false;
    }
    return true;
}

/* ---- small things that all parts use ---- */

uint64_t ds__now_us(const struct ds_client *client)
{
    return rt_loop_now_us(client->environment.loop);
}

void ds__set_phase(struct ds_client *client, enum ds__phase phase)
{
    static const char *const words[] = {
        [DS__NEW] = "new",     [DS__INITIALISING] = "initialising", [DS__FAILED] = "init failed",
        [DS__READY] = "ready", [DS__CLOSING] = "closing",           [DS__CLOSED] = "closed"};

    if (client->phase != phase) {
        client->phase = phase;
        ds__journal_state(client, words[phase]);
    }
}

struct rt_record ds__record(const struct ds_client *client, enum rt_record_kind kind,
                            const char *subject)
{
    return (struct rt_record){.kind = kind, .actor = client->name, .subject = subject};
}

void ds__journal(const struct ds_client *client, const struct rt_record *record)
{
    rt_journal_append(client->environment.journal, record);
}

void ds__journal_state(const struct ds_client *client, const char *detail)
{
    if (client->environment.journal != NULL) {
        struct rt_record record = ds__record(client, RT_REC_STATE, "client");
        record.detail = detail;
        ds__journal(client, &record);
    }
}

enum rt_status ds__joined_add(struct ds_client *client, struct rt_blob *blob)
{
    if (client->joined_count == client->joined_capacity) {
        size_t capacity = client->joined_capacity == 0 ? 4 : client->joined_capacity * 2;
        struct rt_blob **joined = realloc(client->joined, capacity * sizeof(struct rt_blob *));
        if (joined == NULL) {
            return RT_E_NOMEM;
        }
        client->joined = joined;
        client->joined_capacity = capacity;
    }
    client->joined[client->joined_count++] = blob;
    return RT_OK;
}

void ds__joined_release(struct ds_client *client)
{
    while (client->joined_count > 0) {
        rt_blob_release(client->joined[--client->joined_count]);
    }
}

/* ---- looking at it ---- */

void ds_client_rpc_counts(const struct ds_client *client, enum dsrpc_op op,
                          struct ds_rpc_counts *out_counts)
{
    *out_counts = client->counts[op];
}

void ds_client_state(const struct ds_client *client, struct ds_client_state *out_state)
{
    *out_state = (struct ds_client_state){
        .is_ready = client->phase == DS__READY && !client->heartbeat.is_lost,
        .is_lost = client->heartbeat.is_lost,
        .calls_in_flight = client->calls.live_user_count,
        .registrations = client->registrations,
        .connects = client->connects,
        .client_id = ds__text_get(&client->client_id),
    };
}
