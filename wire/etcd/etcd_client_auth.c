/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/etcd/etcd_client_internal.h"
#include "wire/protobuf_bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * With a user name every call but Status and Authenticate carries a token. Those that come before
 * the first one wait for it; a new one is fetched every 30 s and whenever etcd refuses the old.
 */
static void fetch(struct etcd_client *client);
static void on_refresh(void *arg);
static void on_authenticated(void *arg, const struct etcd_result *result);
static void release_waiting(struct etcd_client *client);
static bool has_text(const struct grpc_outcome *outcome, const char *text);

#define REFRESH_US (UINT64_C(30) * 1000000)
#define RETRY_US   (UINT64_C(1) * 1000000)

static const struct etcd__method AUTHENTICATE = {
    .path = "/etcdserverpb.Auth/Authenticate",
    .response = &etcdserverpb__authenticate_response__descriptor,
    .is_without_token = true};

void etcd__auth_init(struct etcd_client *client)
{
    rt_timer_init(&client->refresh_timer, client->loop, on_refresh, client);
}

void etcd__auth_fini(struct etcd_client *client)
{
    rt_timer_disarm(&client->refresh_timer);
    free(client->token);
}

bool etcd__auth_is_needed(struct etcd_client *client)
{
    if (client->username == NULL || client->is_auth_disabled || client->token != NULL) {
        return false;
    }
    fetch(client);
    return true;
}

void etcd__auth_forget_token(struct etcd_client *client)
{
    free(client->token);
    client->token = NULL;
}

static void fetch(struct etcd_client *client)
{
    Etcdserverpb__AuthenticateRequest request = ETCDSERVERPB__AUTHENTICATE_REQUEST__INIT;
    if (client->authenticate != NULL) {
        return;
    }
    client->refusal_code = GRPC_OK;
    request.name = pb_bytes(rt_slice_text(client->username));
    request.password = pb_bytes(rt_slice_text(client->password));
    enum rt_status status =
        etcd__call_start(client, &AUTHENTICATE, &request.base, &etcd_policy_probe, on_authenticated,
                         client, &client->authenticate);
    (void)status; /* out of memory: those who wait ask again, or their time ends */
}

static void on_refresh(void *arg)
{
    fetch(arg);
}

/* etcd without authentication says so; one goes on without a token then. A refusal is told to those
 * who wait; a server that cannot be reached is asked again. */
static void on_authenticated(void *arg, const struct etcd_result *result)
{
    struct etcd_client *client = arg;
    uint64_t next_us = result->code == GRPC_OK ? REFRESH_US : RETRY_US;
    client->authenticate = NULL;
    client->is_auth_disabled = result->code == GRPC_FAILED_PRECONDITION;
    if (result->code == GRPC_OK) {
        const Etcdserverpb__AuthenticateResponse *response =
            (const Etcdserverpb__AuthenticateResponse *)result->message;
        etcd__auth_forget_token(client);
        client->token = strndup((const char *)response->token.data, response->token.len);
    } else if (result->is_from_server && !client->is_auth_disabled) {
        client->refusal_code = result->code;
        snprintf(client->refusal, sizeof(client->refusal), "%s", result->text);
    }
    if (!client->is_auth_disabled && rt_timer_arm_after(&client->refresh_timer, next_us) != RT_OK) {
        /* out of memory: fetched again when the token is refused */
    }
    if (client->token != NULL || client->is_auth_disabled || client->refusal_code != GRPC_OK) {
        release_waiting(client);
    }
}

/* Nobody is called back here, so nothing can change the lists: each goes on by itself, later. */
static void release_waiting(struct etcd_client *client)
{
    struct etcd_call *call;
    struct etcd_stream *stream;
    TAILQ_FOREACH(call, &client->calls, others)
    {
        if (call->is_waiting_for_token &&
            rt_timer_arm(&call->timer, rt_loop_now_us(client->loop)) != RT_OK) {
            /* out of memory: it ends at the deadline it had */
        }
    }
    TAILQ_FOREACH(stream, &client->streams, others)
    {
        if (stream->request == NULL) {
            rt_task_schedule(&stream->start_task);
        }
    }
}

bool etcd__auth_is_token_refused(const struct grpc_outcome *outcome)
{
    return outcome->is_from_server && (has_text(outcome, "invalid auth token") ||
                                       has_text(outcome, "revision of auth store is old") ||
                                       has_text(outcome, "user name is empty"));
}

static bool has_text(const struct grpc_outcome *outcome, const char *text)
{
    return outcome->code != GRPC_OK && outcome->text != NULL && strstr(outcome->text, text) != NULL;
}
