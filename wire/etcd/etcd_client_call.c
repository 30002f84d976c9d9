/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/etcd/etcd_client_internal.h"

#include <stdlib.h>

/*
 *   start --> (token) --> ATTEMPT --OK----------------------------> finish
 *                            |  ^                                     ^
 *                   not OK   |  '--wait-- retried and time is left    |
 *                            '------------------------- else ---------'
 */
static void on_timer(void *arg);
static void attempt(struct etcd_call *call);
static enum rt_status send_request(struct etcd_call *call);
static uint64_t attempt_deadline_us(const struct etcd_call *call);
static void on_message(void *arg, struct rt_slice message);
static void on_end(void *arg, const struct grpc_outcome *outcome);
static bool wait_again(struct etcd_call *call);
static void fail(struct etcd_call *call, int32_t code, const char *text);
static void finish(struct etcd_call *call, const struct grpc_outcome *outcome);
static void unlink_call(struct etcd_call *call);
static void free_call(struct etcd_call *call);

static const uint64_t WAITS_US[] = {1000, 5000, 50000, 200000, 1000000, 5000000};
#define WAIT_COUNT      (sizeof(WAITS_US) / sizeof(WAITS_US[0]))
#define LAST_ATTEMPT_US UINT64_C(10000) /* before the end, one more attempt starts */

static const struct grpc_request_handler HANDLER = {.on_message = on_message, .on_end = on_end};

enum rt_status etcd__call_start(struct etcd_client *client, const struct etcd__method *method,
                                const ProtobufCMessage *request, const struct etcd_policy *policy,
                                etcd_done_fn *done, void *arg, struct etcd_call **out_call)
{
    struct etcd_call *call = calloc(1, sizeof(*call));
    size_t len_bytes = protobuf_c_message_get_packed_size(request);
    uint64_t now_us = rt_loop_now_us(client->loop);
    if (call == NULL || (call->request = malloc(len_bytes + 1)) == NULL) {
        free(call);
        return RT_E_NOMEM;
    }
    call->request_bytes = protobuf_c_message_pack(request, call->request);
    call->client = client;
    call->method = method;
    call->policy = *policy;
    call->done = done;
    call->arg = arg;
    call->deadline_us = policy->total_us == RT_NEVER ? RT_NEVER : now_us + policy->total_us;
    rt_timer_init(&call->timer, client->loop, on_timer, call);
    if (rt_timer_arm(&call->timer, now_us) != RT_OK) {
        free(call->request);
        free(call);
        return RT_E_NOMEM;
    }
    TAILQ_INSERT_TAIL(&client->calls, call, others);
    if (out_call != NULL) {
        *out_call = call;
    }
    return RT_OK;
}

void etcd_call_cancel(struct etcd_call *call)
{
    unlink_call(call);
    if (call->attempt != NULL) {
        grpc_request_cancel(call->attempt);
    }
    free_call(call);
}

/* Time for an attempt; or it has waited for a token as long as it may. */
static void on_timer(void *arg)
{
    struct etcd_call *call = arg;
    struct etcd_client *client = call->client;
    bool was_waiting = call->is_waiting_for_token;
    if (was_waiting && client->token == NULL && client->refusal_code != GRPC_OK) {
        fail(call, client->refusal_code, client->refusal);
    } else if (call->method->is_without_token || !etcd__auth_is_needed(client)) {
        attempt(call);
    } else if (was_waiting) {
        fail(call, GRPC_DEADLINE_EXCEEDED, "Deadline Exceeded");
    } else {
        uint64_t deadline_us = attempt_deadline_us(call);
        call->is_waiting_for_token = true;
        if (deadline_us != RT_NEVER && rt_timer_arm(&call->timer, deadline_us) != RT_OK) {
            fail(call, GRPC_RESOURCE_EXHAUSTED, "out of memory");
        }
    }
}

static void attempt(struct etcd_call *call)
{
    call->is_waiting_for_token = false;
    call->attempt_count++;
    call->endpoint = call->client->endpoint;
    if (send_request(call) != RT_OK) {
        fail(call, GRPC_RESOURCE_EXHAUSTED, "out of memory");
    }
}

static enum rt_status send_request(struct etcd_call *call)
{
    enum rt_status status = etcd__request_start(
        call->client, call->method, attempt_deadline_us(call), &HANDLER, call, &call->attempt);
    if (status != RT_OK) {
        return status;
    }
    uint8_t *room = grpc_request_reserve(call->attempt, call->request_bytes);
    if (room == NULL) {
        grpc_request_cancel(call->attempt);
        call->attempt = NULL;
        return RT_E_NOMEM;
    }
    memcpy(room, call->request, call->request_bytes);
    grpc_request_half_close(call->attempt);
    return RT_OK;
}

static uint64_t attempt_deadline_us(const struct etcd_call *call)
{
    uint64_t now_us = rt_loop_now_us(call->client->loop);
    uint64_t own_us =
        call->policy.attempt_us == RT_NEVER ? RT_NEVER : now_us + call->policy.attempt_us;
    return own_us < call->deadline_us ? own_us : call->deadline_us;
}

static void on_message(void *arg, struct rt_slice message)
{
    struct etcd_call *call = arg;
    free(call->response); /* a second one has no business here; the code says what it is */
    call->response = malloc(message.len_bytes + 1);
    call->is_out_of_memory = call->response == NULL;
    call->response_bytes = message.len_bytes;
    if (call->response != NULL && message.len_bytes > 0) {
        memcpy(call->response, message.data, message.len_bytes);
    }
}

static void on_end(void *arg, const struct grpc_outcome *outcome)
{
    struct etcd_call *call = arg;
    call->attempt = NULL;
    if (outcome->code != GRPC_OK && !outcome->is_from_server) {
        etcd__endpoint_failed(call->client, call->endpoint);
    }
    if (call->method->is_without_token || !etcd__auth_is_token_refused(outcome)) {
        if (outcome->code == GRPC_OK || !wait_again(call)) {
            finish(call, outcome);
        }
        return;
    }
    etcd__auth_forget_token(call->client);
    bool is_first = !call->is_token_renewed;
    call->is_token_renewed = true;
    if (is_first && rt_timer_arm(&call->timer, rt_loop_now_us(call->client->loop)) == RT_OK) {
        return;
    }
    if (!wait_again(call)) {
        finish(call, outcome);
    }
}

/* False: the call is over. */
static bool wait_again(struct etcd_call *call)
{
    uint64_t now_us = rt_loop_now_us(call->client->loop);
    uint64_t next_us = now_us + WAITS_US[call->wait_index];
    if (!call->policy.is_retried) {
        return false;
    }
    if (call->deadline_us != RT_NEVER && next_us + LAST_ATTEMPT_US > call->deadline_us) {
        if (now_us + LAST_ATTEMPT_US >= call->deadline_us) {
            return false;
        }
        next_us = call->deadline_us - LAST_ATTEMPT_US;
    }
    call->wait_index += call->wait_index + 1 < WAIT_COUNT ? 1 : 0;
    free(call->response);
    call->response = NULL;
    return rt_timer_arm(&call->timer, next_us) == RT_OK;
}

static void fail(struct etcd_call *call, int32_t code, const char *text)
{
    finish(call, &(struct grpc_outcome){.code = code, .text = text});
}

/* The only place a call ends by itself. The callback may destroy the client. */
static void finish(struct etcd_call *call, const struct grpc_outcome *outcome)
{
    struct etcd_result result = {.code = outcome->code,
                                 .text = outcome->text,
                                 .is_from_server = outcome->is_from_server,
                                 .attempt_count = call->attempt_count};
    if (outcome->code == GRPC_OK) {
        dsrpc_arena_reset(call->client->arena);
        result.message = call->response == NULL
                             ? NULL
                             : dsrpc_unpack(call->method->response,
                                            rt_slice_of(call->response, call->response_bytes),
                                            call->client->arena);
        if (result.message == NULL) {
            result.code = call->is_out_of_memory ? GRPC_RESOURCE_EXHAUSTED : GRPC_INTERNAL;
            result.text = call->is_out_of_memory ? "out of memory" : "Failed parsing response";
        }
    }
    unlink_call(call);
    etcd_done_fn *done = call->done;
    void *arg = call->arg;
    done(arg, &result);
    free_call(call);
}

static void unlink_call(struct etcd_call *call)
{
    TAILQ_REMOVE(&call->client->calls, call, others);
    rt_timer_disarm(&call->timer);
}

static void free_call(struct etcd_call *call)
{
    free(call->request);
    free(call->response);
    free(call);
}
