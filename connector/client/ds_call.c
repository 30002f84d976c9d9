/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attempts of calls, in the order things happen:
 *
 *   ds__call_start -> begin_attempt -> (channel) ds__call_write -> on_message -> settle
 *                          ^                |--- on_timer (silence) -> settle
 *                          '--- on_timer (pause over) <--- pause <-------'
 *                                                                   end <-'
 */
#include <inttypes.h>
#include <stdlib.h>

#include "connector/client/ds_internal.h"

#include <stdio.h>

#define FIRST_BODY_BYTES 256
#define KEPT_BODY_BYTES  ((size_t)64 * 1024) /* a batch's is given back */

static void begin_attempt(struct ds__call *call);
static void on_timer(void *arg);
static void settle(struct ds__call *call, struct ds__outcome *outcome, struct ds_result *result);
static void tell_queued(void *arg);
static struct ds__channel *channel_of(struct ds__call *call);
static void forget_rpc(struct ds__call *call);
static void end(struct ds__call *call, const struct ds__outcome *outcome, struct ds_result *result);

/* ---- the pool ---- */

enum rt_status ds__calls_init(struct ds_client *client)
{
    enum rt_status status;

    rt_task_init(&client->calls.tell, client->environment.loop, tell_queued, client);
    RT_TABLE_ADD_U64(client->calls.in_flight, &client->calls.keeper, rpc_id, &status);
    return status;
}

void ds__calls_fini(struct ds_client *client)
{
    rt_task_cancel(&client->calls.tell);
    while (client->calls.pool != NULL) {
        struct ds__call *call = client->calls.pool;
        client->calls.pool = call->next;
        ds__scratch_fini(&call->store);
        ds__text_fini(&call->text);
        free(call->body);
        free(call);
    }
    RT_TABLE_FORGET(client->calls.in_flight);
}

struct ds__call *ds__call_new(struct ds_client *client, enum dsrpc_op op, ds_done_fn *done,
                              void *arg)
{
    struct ds__call *call = client->calls.pool;

    if (call != NULL) {
        client->calls.pool = call->next;
    } else {
        call = calloc(1, sizeof(*call));
        if (call == NULL) {
            return NULL;
        }
        call->client = client;
        rt_timer_init(&call->timer, client->environment.loop, on_timer, call);
    }
    call->rule = &ds__op_rules[op];
    call->done = done;
    call->arg = arg;
    call->state = DS__CALL_IDLE;
    call->next = NULL;
    call->started_us = ds__now_us(client);
    call->cap_us = 0;
    call->unsent_us = 0;
    call->told_ms = 0;
    call->attempt_count = 0;
    call->queue_id[0] = '\0';
    call->key_count = 0;
    call->value_count = 0;
    call->duplicate_count = 0;
    call->offsets_bytes = NULL;
    call->sizes_bytes = NULL;
    call->is_transaction = false;
    call->sub_timeout_ms = 0;
    call->is_housekeeping = false;
    ds__text_clear(&call->text);
    rt_random_uuid(&client->ids, call->trace_id);
    call->next_live = client->calls.live;
    call->live_link = &client->calls.live;
    if (client->calls.live != NULL) {
        client->calls.live->live_link = &call->next_live;
    }
    client->calls.live = call;
    return call;
}

/* Back to the pool, with its memory. */
void ds__call_drop(struct ds__call *call)
{
    struct ds_client *client = call->client;

    for (size_t i = 0; i < call->value_count; i++) {
        for (size_t k = 0; k < call->values[i].piece_count; k++) {
            rt_blob_release(call->values[i].pieces[k].blob);
        }
    }
    call->value_count = 0;
    ds__scratch_trim(&call->store);
    if (call->body_capacity_bytes > KEPT_BODY_BYTES) {
        free(call->body);
        call->body = NULL;
        call->body_capacity_bytes = 0;
    }
    *call->live_link = call->next_live;
    if (call->next_live != NULL) {
        call->next_live->live_link = call->live_link;
    }
    call->state = DS__CALL_IDLE;
    call->next = client->calls.pool;
    client->calls.pool = call;
}

size_t ds__keys_cost(const struct rt_slice *keys, size_t key_count)
{
    size_t total = ds__scratch_cost(key_count, sizeof(*keys));

    for (size_t i = 0; i < key_count; i++) {
        total += ds__scratch_cost(keys[i].len_bytes, 1);
    }
    return total;
}

void ds__call_take_keys(struct ds__call *call, const struct rt_slice *keys, size_t key_count)
{
    call->keys = ds__scratch_take(&call->store, key_count, sizeof(*keys));
    call->key_count = key_count;
    for (size_t i = 0; i < key_count; i++) {
        uint8_t *bytes = ds__scratch_take(&call->store, keys[i].len_bytes, 1);
        if (keys[i].len_bytes > 0) {
            memcpy(bytes, keys[i].data, keys[i].len_bytes);
        }
        call->keys[i] = rt_slice_of(bytes, keys[i].len_bytes);
    }
}

enum rt_status ds__call_body_room(struct ds__call *call, size_t len_bytes)
{
    if (len_bytes > call->body_capacity_bytes) {
        size_t capacity = len_bytes < FIRST_BODY_BYTES ? FIRST_BODY_BYTES : len_bytes;
        uint8_t *body = realloc(call->body, capacity);
        if (body == NULL) {
            return RT_E_NOMEM;
        }
        call->body = body;
        call->body_capacity_bytes = capacity;
    }
    call->body_bytes = len_bytes;
    return RT_OK;
}

/* ---- refusing: the end is known, a task tells it ---- */

/* "..., traceId: ..." behind the sentence in `text`. */
static void append_trace(struct ds__text *text, const char *trace_id)
{
    if (!ds__text_contains(text, trace_id)) {
        ds__text_drop_dot(text);
        ds__text_printf(text, ", traceId: %s", trace_id);
    }
}

/* As the real client's macros write it; the line and file are its own and mean nothing here. */
static void decorate(struct ds__text *text, int32_t code, const char *trace_id)
{
    struct ds__text sentence = *text;

    *text = (struct ds__text){0};
    ds__text_printf(text, "Thread ID 0 %s. %s\ntraceId      : %s", dsrpc_code_text(code),
                    ds__text_get(&sentence), trace_id);
    ds__text_fini(&sentence);
}

void ds__call_queue_end(struct ds__call *call, int32_t code, enum ds_detail detail)
{
    struct ds__calls *calls = &call->client->calls;

    call->end.code = code;
    call->end.detail = detail;
    call->state = DS__CALL_QUEUED;
    call->next = NULL;
    if (calls->queued_last != NULL) {
        calls->queued_last->next = call;
    } else {
        calls->queued_first = call;
    }
    calls->queued_last = call;
    rt_task_schedule(&calls->tell);
}

void ds__call_refuse(struct ds__call *call, int32_t code, enum ds_detail detail)
{
    if (code != K_OK && detail != DS_DETAIL_ANSWERED) { /* our own words */
        decorate(&call->text, code, call->trace_id);
    } else if (code != K_OK) {
        append_trace(&call->text, call->trace_id);
    }
    ds__call_queue_end(call, code, detail);
}

/* Tells `done` and gives the call back; `result` may hold lists of the client's scratch. */
static void tell(struct ds__call *call, struct ds_result *result)
{
    struct ds_client *client = call->client;
    ds_done_fn *done = call->done;
    void *arg = call->arg;

    result->took_us = ds__now_us(client) - call->started_us;
    result->attempt_count = call->attempt_count;
    if (!call->is_housekeeping && client->calls.live_user_count > 0) {
        client->calls.live_user_count--;
    }
    if (done != NULL) {
        done(arg, result);
    }
    ds__joined_release(client);
    ds__call_drop(call);
}

static void tell_queued(void *arg)
{
    struct ds_client *client = arg;
    const struct ds__call *last = client->calls.queued_last; /* newer ones wait for the next task */
    bool is_last = last == NULL;

    ds__enter(client);
    while (!is_last && client->calls.queued_first != NULL) {
        struct ds__call *call = client->calls.queued_first;
        struct ds_result result = {0};
        is_last = call == last && !client->is_destroyed;
        client->calls.queued_first = call->next;
        if (client->calls.queued_first == NULL) {
            client->calls.queued_last = NULL;
        }
        result.status = call->end;
        result.status.text = ds__text_get(&call->text);
        tell(call, &result);
    }
    (void)ds__leave(client);
}

bool ds__call_is_ready(struct ds__call *call)
{
    struct ds_client *client = call->client;

    client->calls.live_user_count++;
    if (client->phase == DS__READY && !client->heartbeat.is_lost) {
        return true;
    }
    if (client->phase == DS__READY) {
        ds__text_printf(&call->text, "Client %s disconnected from worker.",
                        ds__text_get(&client->client_id));
        ds__call_refuse(call, K_RPC_UNAVAILABLE, DS_DETAIL_DECLARED_LOST);
        return false;
    }
    static const char *const sentences[] = {
        [DS__NEW] = "The client has not been initialized yet",
        [DS__INITIALISING] = "The client is initting, wait and try again.",
        [DS__FAILED] = "The client initialization failed and needs to be reinitialized.",
        [DS__CLOSING] = "The client has been exitted and needs to be reinitialized.",
        [DS__CLOSED] = "The client has been exitted and needs to be reinitialized.",
    };
    ds__text_printf(&call->text, "%s", sentences[client->phase]);
    ds__call_refuse(call, K_NOT_READY, DS_DETAIL_CLOSED);
    return false;
}

/* ---- attempts ---- */

static struct ds__channel *channel_of(struct ds__call *call)
{
    return call->rule->is_control ? &call->client->control : &call->client->data;
}

void ds__call_start(struct ds__call *call, uint64_t budget_us, uint64_t cap_us)
{
    ds__retry_start(&call->retry, ds__now_us(call->client), budget_us);
    call->cap_us = cap_us;
    begin_attempt(call);
}

/* Named when it begins: an attempt that finds no connection is reported by its name, too. */
static void name_attempt(struct ds__call *call)
{
    const struct ds__channel *channel = channel_of(call);

    (void)snprintf(call->queue_id, sizeof(call->queue_id), "%s:%u:%" PRIu64 ":0", channel->prefix,
                   channel->number, ++call->client->next_rpc);
}

static void begin_attempt(struct ds__call *call)
{
    uint64_t now_us = ds__now_us(call->client);
    uint64_t left_us = ds__retry_left_us(&call->retry, now_us);

    name_attempt(call);
    call->attempt_started_us = now_us;
    call->attempt_us = left_us < call->cap_us ? left_us : call->cap_us;
    call->state = DS__CALL_UNSENT;
    uint64_t limit_us = call->unsent_us > 0 && call->unsent_us < call->attempt_us
                            ? call->unsent_us
                            : call->attempt_us;
    if (rt_timer_arm(&call->timer, now_us + limit_us) != RT_OK) {
        ds__text_clear(&call->text);
        ds__text_printf(&call->text, "out of memory");
        ds__call_refuse(call, K_RUNTIME_ERROR, DS_DETAIL_CHECKED); /* never from inside a call */
        return;
    }
    ds__channel_submit(channel_of(call), call);
}

static int64_t told_ms(const struct ds__call *call)
{
    return call->told_ms != 0 ? call->told_ms : (int64_t)ds__told_ms(call->attempt_us / 1000);
}

static void record_rpc(const struct ds__call *call, enum rt_record_kind kind, int32_t code,
                       uint64_t number, const char *detail)
{
    if (call->client->environment.journal == NULL) {
        return;
    }
    struct rt_record record = ds__record(call->client, kind, dsrpc_op_word(call->rule->op));
    record.key = call->key_count > 0 ? call->keys[0] : (struct rt_slice){0};
    record.id = call->rpc_id;
    record.code = code;
    record.number = number;
    record.detail = detail;
    ds__journal(call->client, &record);
}

static enum rt_status remember_rpc(struct ds__call *call, struct rt_slice queue_id)
{
    enum rt_status status;

    call->rpc_id = dsrpc_rpc_id(queue_id);
    RT_TABLE_ADD_U64(call->client->calls.in_flight, call, rpc_id, &status);
    if (status != RT_OK) {
        call->rpc_id = 0;
    }
    return status;
}

static void forget_rpc(struct ds__call *call)
{
    if (call->rpc_id != 0) {
        RT_TABLE_REMOVE(call->client->calls.in_flight, call);
        call->client->counts[call->rule->op].in_flight--;
        call->rpc_id = 0;
    }
}

/* Nobody waits for its answer any more. */
static void abandon_rpc(struct ds__call *call, const char *why)
{
    if (call->rpc_id != 0) {
        record_rpc(call, RT_REC_RPC_ABANDONED, K_OK, 0, why);
        call->client->counts[call->rule->op].abandoned++;
        forget_rpc(call);
    }
}

enum rt_status ds__call_write(struct ds__call *call, struct rt_outbox *out)
{
    struct ds_client *client = call->client;
    struct rt_slice id = rt_slice_text(call->queue_id);
    enum rt_status status = call->rule->pack(call);
    if (status == RT_OK) {
        status = remember_rpc(call, id);
    }
    call->state = DS__CALL_SENT;
    if (status != RT_OK) {
        return RT_OK; /* this attempt ends in silence; the connection is whole */
    }
    struct dsrpc_outgoing request = {
        .op = call->rule->op,
        .queue_id = id,
        .trace_id = rt_slice_text(call->trace_id),
        .timeout_ms = told_ms(call),
        .body = rt_slice_of(call->body, call->body_bytes),
        .values = call->values,
        .value_count = call->value_count,
        .is_background = !call->rule->is_user,
    };
    call->attempt_count++;
    client->counts[call->rule->op].sent++;
    client->counts[call->rule->op].in_flight++;
    record_rpc(call, RT_REC_RPC_SENT, K_OK, call->attempt_count, "");
    if (call->unsent_us > 0) { /* it found a connection: now the time for the answer runs */
        (void)!rt_timer_arm(&call->timer, call->attempt_started_us + call->attempt_us);
    }
    return dsrpc_request_encode(&dsrpc_profile_0_8_1, &request, out);
}

/* As the real client says it, its macros' decoration left out. */
static void describe_silence(const struct ds__call *call, char *out_text, size_t text_bytes)
{
    (void)snprintf(out_text, text_bytes,
                   "[RPC_RECV_TIMEOUT] Rpc service for client %s has not responded within the "
                   "allowed time. Detail: code: [Try again], msg: [The queue is empty within "
                   "allowed time: %" PRIu64 " ms, traceId: %s]",
                   call->queue_id, call->attempt_us / 1000, call->trace_id);
}

static void on_timer(void *arg)
{
    struct ds__call *call = arg;
    struct ds_client *client = call->client;

    ds__enter(client);
    if (call->state == DS__CALL_PAUSED) {
        begin_attempt(call);
    } else {
        char sentence[320];
        struct ds__outcome outcome = {.code = K_RPC_UNAVAILABLE,
                                      .detail = DS_DETAIL_SILENCE,
                                      .retry_code = K_RPC_UNAVAILABLE,
                                      .is_rpc_status = true};
        struct ds_result result = {0};
        describe_silence(call, sentence, sizeof(sentence));
        outcome.text = rt_slice_text(sentence);
        if (call->state == DS__CALL_UNSENT) {
            ds__channel_withdraw(channel_of(call), call);
        } else {
            abandon_rpc(call, "silence");
        }
        settle(call, &outcome, &result);
    }
    (void)ds__leave(client);
}

/* ---- answers ---- */

/* An answer without its status, or with one that is none, ends its call in the real client's words.
 * One without a MetaPb that has a tick is dropped, as there. False: dropped. */
static bool read_broken(const struct zmtp_message *message, struct dsrpc_answer *out_answer,
                        struct ds__outcome *out_outcome)
{
    *out_answer = (struct dsrpc_answer){0};
    if (message->frame_count < 2 ||
        dsrpc_meta_decode(message->frames[1].bytes, &out_answer->meta) != RT_OK ||
        out_answer->meta.tick_count == 0) {
        return false;
    }
    out_answer->queue_id = message->frames[0].bytes;
    bool is_status_missing = message->frame_count == 2;
    if (message->frame_count == 3 && message->frames[2].bytes.len_bytes == 0) {
        *out_outcome = (struct ds__outcome){.code = K_OK}; /* an absent body is an empty one */
        return true;
    }
    *out_outcome = (struct ds__outcome){
        .code = is_status_missing ? K_RUNTIME_ERROR : K_INVALID,
        .detail = DS_DETAIL_UNDECODABLE,
        .is_rpc_status = true,
        .is_decorated = true,
        .text = rt_slice_text(is_status_missing ? "Empty frames" : "ParseFromZmqMessage failed.")};
    return true;
}

static bool read_answer(const struct zmtp_message *message, struct dsrpc_answer *out_answer,
                        struct ds__outcome *out_outcome)
{
    if (dsrpc_answer_decode(message, out_answer) != RT_OK) {
        return read_broken(message, out_answer, out_outcome);
    }
    *out_outcome = (struct ds__outcome){.code = out_answer->code,
                                        .detail = DS_DETAIL_ANSWERED,
                                        .retry_code = out_answer->code,
                                        .is_rpc_status = true,
                                        .text = out_answer->text};
    return true;
}

static void on_late_answer(struct ds_client *client, const struct dsrpc_answer *answer)
{
    enum dsrpc_op op = ds__op_of(&answer->meta);

    if (op != DSRPC_OP_UNKNOWN) {
        client->counts[op].late++;
    }
    if (client->environment.journal != NULL) {
        const char *word = op == DSRPC_OP_UNKNOWN ? "" : dsrpc_op_word(op);
        struct rt_record record = ds__record(client, RT_REC_RPC_LATE, word);
        record.id = dsrpc_rpc_id(answer->queue_id);
        record.code = answer->code;
        ds__journal(client, &record);
    }
}

void ds__call_on_message(struct ds__channel *channel, const struct zmtp_message *message)
{
    struct ds_client *client = channel->client;
    struct dsrpc_answer answer;
    struct ds__outcome outcome;
    struct ds_result result = {0};
    struct ds__call *call = NULL;

    if (!read_answer(message, &answer, &outcome) ||
        rt_slice_is_text(answer.queue_id, channel->beat_id)) {
        return;
    }
    uint64_t id = dsrpc_rpc_id(answer.queue_id);
    RT_TABLE_FIND_U64(client->calls.in_flight, id, call);
    if (call == NULL || !rt_slice_is_text(answer.queue_id, call->queue_id)) {
        on_late_answer(client, &answer);
        return;
    }
    record_rpc(call, RT_REC_RPC_RECEIVED, outcome.code, message->total_bytes, "");
    client->counts[call->rule->op].received++;
    forget_rpc(call);
    dsrpc_arena_reset(client->arena);
    if (outcome.code == K_OK) {
        outcome = (struct ds__outcome){.code = K_OK, .detail = DS_DETAIL_NONE};
        call->rule->accept(call, &answer, message, &result, &outcome);
    }
    settle(call, &outcome, &result);
}

/* An attempt came to something: again, or the end. */
static void settle(struct ds__call *call, struct ds__outcome *outcome, struct ds_result *result)
{
    uint64_t now_us = ds__now_us(call->client);
    uint64_t wait_us = 0;

    if (outcome->retry_code != K_OK &&
        ds__retry_count_failure(&call->retry, call->rule->retries, outcome->retry_code) &&
        ds__retry_next(&call->retry, now_us, &wait_us) &&
        rt_timer_arm(&call->timer, now_us + wait_us) == RT_OK) {
        ds__joined_release(call->client);
        call->state = DS__CALL_PAUSED;
        return;
    }
    end(call, outcome, result);
}

static void end(struct ds__call *call, const struct ds__outcome *outcome, struct ds_result *result)
{
    rt_timer_disarm(&call->timer);
    call->state = DS__CALL_QUEUED; /* its end is known: whoever ends all calls passes it over */
    ds__text_clear(&call->text);
    if (outcome->code != K_OK) {
        ds__text_add(&call->text, outcome->text);
        if (outcome->is_decorated) {
            decorate(&call->text, outcome->code, call->trace_id);
        } else {
            append_trace(&call->text, call->trace_id);
        }
        if (call->rule->has_suffix && outcome->is_rpc_status) {
            ds__text_printf(&call->text, ". ");
            ds__retry_describe(&call->retry, &call->text);
        }
    }
    result->status.code = outcome->code;
    result->status.detail = outcome->code == K_OK ? DS_DETAIL_NONE : outcome->detail;
    result->status.text = ds__text_get(&call->text);
    tell(call, result);
}

/* ---- the end of all ---- */

static void stop_call(struct ds__call *call, const char *why)
{
    rt_timer_disarm(&call->timer);
    if (call->state == DS__CALL_UNSENT) {
        ds__channel_withdraw(channel_of(call), call);
    } else if (call->state == DS__CALL_SENT) {
        abandon_rpc(call, why);
    }
}

/* One whose end waits to be told stays in its queue, and nobody is told. */
void ds_abandon(struct ds_client *client, struct ds__call *call)
{
    call->done = NULL;
    if (call->state == DS__CALL_QUEUED) {
        return;
    }
    stop_call(call, "given up");
    client->calls.live_user_count--;
    ds__call_drop(call);
}

void ds__calls_end_all(struct ds_client *client, const char *sentence)
{
    struct ds__call *call = client->calls.live;

    while (call != NULL) {
        struct ds__call *next = call->next_live;
        bool is_waiter = call->state == DS__CALL_IDLE || call->state == DS__CALL_QUEUED;
        if (!is_waiter && call->is_housekeeping) {
            stop_call(call, "closed");
            ds__call_drop(call);
        } else if (!is_waiter) {
            stop_call(call, "closed");
            ds__text_clear(&call->text);
            ds__text_printf(&call->text, "%s", sentence);
            append_trace(&call->text, call->trace_id);
            ds__call_queue_end(call, K_NOT_READY, DS_DETAIL_CLOSED);
        }
        call = next;
    }
}

void ds__calls_tell_now(struct ds_client *client)
{
    rt_task_cancel(&client->calls.tell);
    tell_queued(client);
}
