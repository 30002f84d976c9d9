/* SPDX-License-Identifier: Apache-2.0 */
/* One reconnecting connection. Its calls and its timers belong to the client. */
#include "connector/client/ds_internal.h"

#include <stdio.h>

#define RECONNECT_US    UINT64_C(100000) /* libzmq's reconnect interval */
#define POLL_MS         UINT64_C(100)    /* the real client looks every 100 ms */
#define BEAT_TIMEOUT_MS 60000
#define CONTROL_BEAT_MS 1000
#define CONTROL_LIVES   120

static void start_connecting(struct ds__channel *channel);
static void on_connected(void *arg);
static void on_input(void *arg);
static void on_closed(void *arg, enum rt_status reason);
static void on_reconnect(void *arg);
static void on_beat(void *arg);
static void rest(struct ds__channel *channel);
static void drop_stream(struct ds__channel *channel, bool is_reset);
static void send_waiting(struct ds__channel *channel);
static void journal_connection(const struct ds__channel *channel, const char *what,
                               const char *why);

static const struct rt_stream_handler HANDLER = {
    .on_connected = on_connected, .on_input = on_input, .on_closed = on_closed};

void ds__channel_init(struct ds__channel *channel, struct ds_client *client, const char *word,
                      unsigned number)
{
    char uuid[RT_UUID_TEXT_BYTES];

    *channel = (struct ds__channel){.client = client, .word = word, .number = number};
    rt_timer_init(&channel->reconnect, client->environment.loop, on_reconnect, channel);
    rt_timer_init(&channel->beat, client->environment.loop, on_beat, channel);
    channel->beat_us = CONTROL_BEAT_MS * 1000;
    channel->lives_allowed = CONTROL_LIVES;
    rt_random_uuid(&client->ids, uuid);
    memcpy(channel->prefix, uuid, DS__IDENTITY_BYTES);
    rt_random_uuid(&client->ids, uuid);
    memcpy(channel->beat_id, uuid, DS__IDENTITY_BYTES);
}

static void renew_identity(struct ds__channel *channel)
{
    char uuid[RT_UUID_TEXT_BYTES];

    rt_random_uuid(&channel->client->ids, uuid);
    memcpy(channel->identity, uuid, DS__IDENTITY_BYTES);
    channel->identity[DS__IDENTITY_BYTES] = '\0';
}

void ds__channel_open(struct ds__channel *channel)
{
    if (channel->state != DS__CHANNEL_OFF) {
        return;
    }
    renew_identity(channel);
    start_connecting(channel);
}

static void start_connecting(struct ds__channel *channel)
{
    struct ds_client *client = channel->client;

    channel->state = DS__CHANNEL_CONNECTING;
    if (rt_network_connect(client->environment.network, client->name, client->address, &HANDLER,
                           channel, &channel->stream) != RT_OK) {
        channel->stream = NULL;
        rest(channel);
    }
}

static void on_connected(void *arg)
{
    struct ds__channel *channel = arg;
    struct ds_client *client = channel->client;
    struct zmtp_options options = {.role = ZMTP_DEALER,
                                   .identity = rt_slice_text(channel->identity)};

    ds__enter(client);
    channel->state = DS__CHANNEL_SHAKING;
    client->connects++;
    if (zmtp_codec_create(&options, &channel->codec) != RT_OK ||
        zmtp_start(channel->codec, rt_stream_outbox(channel->stream)) != RT_OK) {
        drop_stream(channel, true);
        rest(channel);
    } else {
        rt_stream_flush(channel->stream);
    }
    (void)ds__leave(client);
}

/* Each open begins with the ROUTER probe: one empty message. */
static void on_open(struct ds__channel *channel)
{
    channel->state = DS__CHANNEL_OPEN;
    channel->lives = channel->lives_allowed;
    journal_connection(channel, "opened", "");
    if (zmtp_write_frame(rt_stream_outbox(channel->stream), (struct rt_slice){0}, false) != RT_OK) {
        drop_stream(channel, true);
        rest(channel);
        return;
    }
    if (!rt_timer_is_armed(&channel->beat)) {
        (void)!rt_timer_arm_after(&channel->beat, channel->beat_us);
    }
    send_waiting(channel);
    if (channel->stream != NULL) {
        rt_stream_flush(channel->stream);
    }
}

static void on_input(void *arg)
{
    struct ds__channel *channel = arg;
    struct ds_client *client = channel->client;
    enum zmtp_event event;
    struct zmtp_message message;
    enum rt_status status = RT_OK;

    ds__enter(client);
    while (channel->stream != NULL && !client->is_destroyed && status == RT_OK) {
        struct rt_stream *stream = channel->stream;
        status = zmtp_receive(channel->codec, rt_stream_inbox(stream), rt_stream_outbox(stream),
                              &event, &message);
        if (status != RT_OK) {
            break;
        }
        if (event == ZMTP_EVENT_GREETED) {
            rt_stream_flush(stream);
        } else if (event == ZMTP_EVENT_OPEN) {
            on_open(channel);
        } else if (event == ZMTP_EVENT_MESSAGE) {
            channel->lives = channel->lives_allowed;
            ds__call_on_message(channel, &message);
        }
    }
    if (!client->is_destroyed && channel->stream != NULL && status != RT_OK &&
        status != RT_E_AGAIN) {
        journal_connection(channel, "closed", zmtp_error_text(channel->codec));
        drop_stream(channel, true);
        rest(channel);
    } else if (!client->is_destroyed && channel->stream != NULL) {
        rt_stream_flush(channel->stream); /* a PONG may have been written */
    }
    (void)ds__leave(client);
}

static void on_closed(void *arg, enum rt_status reason)
{
    struct ds__channel *channel = arg;
    struct ds_client *client = channel->client;

    ds__enter(client);
    journal_connection(channel, "closed", rt_status_text(reason));
    drop_stream(channel, true);
    rest(channel);
    (void)ds__leave(client);
}

/* The identity stays: answers that are still to come find their way over the next connection. */
static void rest(struct ds__channel *channel)
{
    channel->state = DS__CHANNEL_RESTING;
    (void)!rt_timer_arm_after(&channel->reconnect, RECONNECT_US);
}

static void on_reconnect(void *arg)
{
    struct ds__channel *channel = arg;
    struct ds_client *client = channel->client;

    ds__enter(client);
    start_connecting(channel);
    (void)ds__leave(client);
}

static void drop_stream(struct ds__channel *channel, bool is_reset)
{
    if (channel->stream != NULL && is_reset) {
        rt_stream_destroy(channel->stream);
    } else if (channel->stream != NULL) {
        rt_stream_close(channel->stream);
    }
    channel->stream = NULL;
    zmtp_codec_destroy(channel->codec);
    channel->codec = NULL;
}

static void stop(struct ds__channel *channel, bool is_reset)
{
    rt_timer_disarm(&channel->reconnect);
    rt_timer_disarm(&channel->beat);
    drop_stream(channel, is_reset);
    channel->state = DS__CHANNEL_OFF;
}

void ds__channel_close(struct ds__channel *channel)
{
    stop(channel, false);
}

void ds__channel_fini(struct ds__channel *channel)
{
    stop(channel, true);
}

/* ---- the heartbeat of the connection ---- */

void ds__channel_set_liveness(struct ds__channel *channel, uint64_t interval_ms, uint32_t misses)
{
    uint64_t rounded_ms = (interval_ms + POLL_MS - 1) / POLL_MS * POLL_MS;

    channel->beat_us = rounded_ms * 1000;
    channel->lives_allowed = misses;
    channel->lives = misses;
}

static void on_beat(void *arg)
{
    struct ds__channel *channel = arg;
    struct ds_client *client = channel->client;

    ds__enter(client);
    (void)!rt_timer_arm_after(&channel->beat, channel->beat_us);
    if (channel->state == DS__CHANNEL_OPEN) {
        if (channel->lives > 0 &&
            dsrpc_zmq_heartbeat_encode(rt_slice_text(channel->beat_id), BEAT_TIMEOUT_MS,
                                       rt_stream_outbox(channel->stream)) == RT_OK) {
            channel->lives--;
            rt_stream_flush(channel->stream);
        } else {
            /* Nothing came for all its lives: the socket is made anew, under a new name. */
            journal_connection(channel, "closed", "no answer to heartbeats");
            drop_stream(channel, true);
            renew_identity(channel);
            start_connecting(channel);
        }
    }
    (void)ds__leave(client);
}

/* ---- calls ---- */

void ds__channel_submit(struct ds__channel *channel, struct ds__call *call)
{
    call->next = NULL;
    call->previous = channel->waiting_last;
    if (channel->waiting_last != NULL) {
        channel->waiting_last->next = call;
    } else {
        channel->waiting_first = call;
    }
    channel->waiting_last = call;
    if (channel->state == DS__CHANNEL_OPEN) {
        send_waiting(channel);
        if (channel->stream != NULL) {
            rt_stream_flush(channel->stream);
        }
    }
}

void ds__channel_withdraw(struct ds__channel *channel, struct ds__call *call)
{
    if (call->previous != NULL) {
        call->previous->next = call->next;
    } else {
        channel->waiting_first = call->next;
    }
    if (call->next != NULL) {
        call->next->previous = call->previous;
    } else {
        channel->waiting_last = call->previous;
    }
    call->next = NULL;
    call->previous = NULL;
}

static void send_waiting(struct ds__channel *channel)
{
    while (channel->waiting_first != NULL && channel->stream != NULL) {
        struct ds__call *call = channel->waiting_first;
        ds__channel_withdraw(channel, call);
        if (ds__call_write(call, rt_stream_outbox(channel->stream)) != RT_OK) {
            /* The outbox may end inside a message: this connection cannot be used any more. */
            drop_stream(channel, true);
            rest(channel);
        }
    }
}

static void journal_connection(const struct ds__channel *channel, const char *what, const char *why)
{
    char detail[160];

    if (channel->client->environment.journal == NULL) {
        return;
    }
    (void)snprintf(detail, sizeof(detail), "%s%s%s", what, why[0] == '\0' ? "" : ": ", why);
    struct rt_record record = ds__record(channel->client, RT_REC_CONNECTION, channel->word);
    record.detail = detail;
    ds__journal(channel->client, &record);
}
