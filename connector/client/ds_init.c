/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Becoming known to a worker:
 *
 *   check the options --> GetSocketPath --> RegisterClient --> first heartbeat --> READY
 *   and, after the worker was restarted or forgot us, the first two again.
 *
 * Everybody who asks for init meanwhile waits for the same end.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>

#include "connector/client/ds_internal.h"

#define CONNECT_MIN_MS 500
#define PORT_MAX       65535
#define UNSENT_US      UINT64_C(3000000) /* what an attempt costs that finds no connection */
#define TOLD_MS        60000

static bool check_options(struct ds_client *client, struct ds__text *why);
static void start_socket_path(struct ds_client *client, ds_done_fn *done);
static void on_socket_path(void *arg, const struct ds_result *result);
static void on_registered(void *arg, const struct ds_result *result);
static void on_socket_path_again(void *arg, const struct ds_result *result);
static void on_registered_again(void *arg, const struct ds_result *result);
static void fail(struct ds_client *client, const struct ds_status *status);

/* ---- who waits ---- */

void ds__waiters_add(struct ds__waiter *waiters, struct ds__call *call)
{
    call->next = NULL;
    if (waiters->last != NULL) {
        waiters->last->next = call;
    } else {
        waiters->first = call;
    }
    waiters->last = call;
}

/* Told by a task, so that no end comes from inside a call. */
void ds__waiters_end(struct ds_client *client, struct ds__waiter *waiters,
                     const struct ds_status *status)
{
    (void)client;
    while (waiters->first != NULL) {
        struct ds__call *call = waiters->first;
        waiters->first = call->next;
        ds__text_clear(&call->text);
        ds__text_printf(&call->text, "%s", status->text == NULL ? "" : status->text);
        ds__call_queue_end(call, status->code, status->detail);
    }
    waiters->last = NULL;
}

/* ---- init ---- */

enum rt_status ds_client_init(struct ds_client *client, ds_done_fn *done, void *arg)
{
    struct ds__call *call = ds__call_new(client, DSRPC_OP_REGISTER, done, arg);

    if (call == NULL) {
        return RT_E_NOMEM;
    }
    client->calls.live_user_count++;
    if (client->phase == DS__READY) {
        ds__call_refuse(call, K_OK, DS_DETAIL_NONE);
        return RT_OK;
    }
    if (client->phase == DS__CLOSING) {
        ds__text_printf(&call->text, "The client is being closed.");
        ds__call_refuse(call, K_NOT_READY, DS_DETAIL_CLOSED);
        return RT_OK;
    }
    if (client->phase != DS__INITIALISING && !check_options(client, &call->text)) {
        ds__call_refuse(call, K_INVALID, DS_DETAIL_CHECKED);
        ds__set_phase(client, DS__FAILED);
        return RT_OK;
    }
    ds__waiters_add(&client->init_waiters, call);
    if (client->phase != DS__INITIALISING) {
        ds__init_start(client);
    }
    return RT_OK;
}

/* An IPv4 literal, "localhost", or an IPv6 literal with or without brackets: names are not looked
 * up, as in the real client. */
static bool is_host(const char *host)
{
    unsigned char binary[sizeof(struct in6_addr)];
    char inner[INET6_ADDRSTRLEN + 1];
    size_t len = strlen(host);

    if (strcmp(host, "localhost") == 0 || inet_pton(AF_INET, host, binary) == 1 ||
        inet_pton(AF_INET6, host, binary) == 1) {
        return true;
    }
    if (len < 2 || len - 2 >= sizeof(inner) || host[0] != '[' || host[len - 1] != ']') {
        return false;
    }
    memcpy(inner, host + 1, len - 2);
    inner[len - 2] = '\0';
    return inet_pton(AF_INET6, inner, binary) == 1;
}

/* In the real client's order; it shows port 0 as -1. */
static bool check_options(struct ds_client *client, struct ds__text *why)
{
    if (client->port < 1 || client->port > PORT_MAX || !is_host(client->host)) {
        ds__text_printf(why, "Invalid IP address/port. Host %s, port: %" PRId64, client->host,
                        client->port == 0 ? -1 : client->port);
        return false;
    }
    if (client->connect_timeout_ms < CONNECT_MIN_MS) {
        ds__text_printf(why,
                        "The connectTimeoutMs(%" PRId64 ") should be greater than or equal to 500 "
                        "milliseconds.",
                        client->connect_timeout_ms);
        return false;
    }
    if (client->request_timeout_ms < 0) {
        ds__text_printf(why,
                        "The requestTimeoutMs(%" PRId64 ") should be greater than or equal to 0 "
                        "milliseconds.",
                        client->request_timeout_ms);
        return false;
    }
    return true;
}

void ds__init_start(struct ds_client *client)
{
    ds__set_phase(client, DS__INITIALISING);
    ds__text_clear(&client->client_id);
    ds__text_clear(&client->worker_start_id);
    client->heartbeat.is_lost = false;
    ds__channel_open(&client->control);
    start_socket_path(client, on_socket_path);
}

/* Both calls of a registration: retried within the connect time-out. */
static bool start_registration_call(struct ds_client *client, enum dsrpc_op op, ds_done_fn *done)
{
    struct ds__call *call = ds__call_new(client, op, done, client);

    if (call == NULL) {
        return false;
    }
    call->is_housekeeping = true;
    call->unsent_us = UNSENT_US;
    call->told_ms = TOLD_MS;
    ds__call_start(call, client->connect_us, client->connect_us);
    return true;
}

static void start_socket_path(struct ds_client *client, ds_done_fn *done)
{
    if (!start_registration_call(client, DSRPC_OP_SOCKET_PATH, done)) {
        fail(client, &(struct ds_status){.code = K_RUNTIME_ERROR, .text = "out of memory"});
    }
}

static void on_socket_path(void *arg, const struct ds_result *result)
{
    struct ds_client *client = arg;

    if (client->phase != DS__INITIALISING) {
        return;
    }
    if (result->status.code != K_OK) {
        fail(client, &result->status);
        return;
    }
    if (!start_registration_call(client, DSRPC_OP_REGISTER, on_registered)) {
        fail(client, &(struct ds_status){.code = K_RUNTIME_ERROR, .text = "out of memory"});
    }
}

static void on_registered(void *arg, const struct ds_result *result)
{
    struct ds_client *client = arg;

    if (client->phase != DS__INITIALISING) {
        return;
    }
    if (result->status.code != K_OK) {
        fail(client, &result->status);
        return;
    }
    ds__channel_open(&client->data);
    (void)!rt_timer_arm_after(&client->first_heartbeat, client->connect_us);
    ds__heartbeat_start(client);
}

void ds__init_first_heartbeat(struct ds_client *client, bool is_good)
{
    struct ds_status status = {.code = K_OK, .text = ""};

    rt_timer_disarm(&client->first_heartbeat);
    if (client->phase != DS__INITIALISING) {
        return;
    }
    if (!is_good) {
        fail(client, &(struct ds_status){.code = K_CLIENT_WORKER_DISCONNECT,
                                         .detail = DS_DETAIL_SILENCE,
                                         .text = "Cannot receive heartbeat from worker."});
        return;
    }
    ds__set_phase(client, DS__READY);
    ds__waiters_end(client, &client->init_waiters, &status);
}

void ds__init_no_heartbeat(void *arg)
{
    struct ds_client *client = arg;

    ds__enter(client);
    ds__init_first_heartbeat(client, false);
    (void)ds__leave(client);
}

/* Nothing of the attempt stays: the client can be initialised again. */
static void fail(struct ds_client *client, const struct ds_status *status)
{
    ds__heartbeat_stop(client);
    rt_timer_disarm(&client->first_heartbeat);
    ds__calls_end_all(client, "The client initialization failed and needs to be reinitialized.");
    ds__channel_close(&client->control);
    ds__channel_close(&client->data);
    ds__set_phase(client, DS__FAILED);
    ds__waiters_end(client, &client->init_waiters, status);
}

void ds__init_abort(struct ds_client *client, int32_t code, const char *sentence)
{
    fail(client, &(struct ds_status){.code = code, .detail = DS_DETAIL_CLOSED, .text = sentence});
}

/* ---- again ---- */

void ds__register_again(struct ds_client *client)
{
    ds__journal_state(client, "registering again");
    if (!start_registration_call(client, DSRPC_OP_SOCKET_PATH, on_socket_path_again)) {
        ds__heartbeat_retry(client);
    }
}

static void on_socket_path_again(void *arg, const struct ds_result *result)
{
    struct ds_client *client = arg;

    if (client->phase != DS__READY) {
        return;
    }
    if (result->status.code != K_OK ||
        !start_registration_call(client, DSRPC_OP_REGISTER, on_registered_again)) {
        ds__heartbeat_retry(client);
    }
}

static void on_registered_again(void *arg, const struct ds_result *result)
{
    struct ds_client *client = arg;

    if (client->phase != DS__READY) {
        return;
    }
    if (result->status.code == K_OK) {
        ds__heartbeat_resume(client);
    } else {
        ds__heartbeat_retry(client);
    }
}
