/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/grpc/grpc_channel_internal.h"

#include "runtime/tls.h"

#include <stdio.h>
#include <stdlib.h>

/*
 *   request --> current connection? --no--> connect: frames wait in the stream until it is there
 *                     | yes                     |
 *                     '-------> OPEN <----------'
 *        GOAWAY: no longer current, goes when its requests have ended
 *        lost:   its requests end with code 14
 */

#define WINDOW_BYTES ((int32_t)1024 * 1024)

static enum rt_status open_stream(struct grpc_channel *channel, struct rt_stream **out_stream);
static enum rt_status create_session(struct grpc__client *client, nghttp2_session **out_session);
static void on_connect_timeout(void *arg);
static void end_requests(struct grpc__client *client, enum rt_status reason, const char *detail);
static void free_client(struct grpc__client *client);

/* ---- channel ------------------------------------------------------------------------------ */

enum rt_status grpc_channel_create(struct rt_loop *loop, struct rt_network *network,
                                   const struct grpc_channel_options *options,
                                   struct grpc_channel **out_channel)
{
    struct grpc_channel *channel = calloc(1, sizeof(*channel));

    if (channel == NULL) {
        return RT_E_NOMEM;
    }
    channel->loop = loop;
    channel->network = network;
    channel->connect_timeout_us = options->connect_timeout_us;
    channel->tls = options->tls;
    channel->name = strdup(options->name);
    channel->address = strdup(options->address);
    channel->authority = strdup(options->authority == NULL ? options->address : options->authority);
    LIST_INIT(&channel->clients);
    if (channel->name == NULL || channel->address == NULL || channel->authority == NULL) {
        grpc_channel_destroy(channel);
        return RT_E_NOMEM;
    }
    *out_channel = channel;
    return RT_OK;
}

void grpc_channel_destroy(struct grpc_channel *channel)
{
    struct grpc__client *client;

    if (channel == NULL) {
        return;
    }
    while ((client = LIST_FIRST(&channel->clients)) != NULL) {
        struct grpc_request *request;

        LIST_REMOVE(client, entry);
        client->channel = NULL;
        TAILQ_FOREACH(request, &client->requests, entry)
        {
            request->handler = NULL;
        }
        rt_timer_disarm(&client->connect_timer);
        if (grpc__link_doom(&client->link)) {
            free_client(client);
        }
    }
    free(channel->name);
    free(channel->address);
    free(channel->authority);
    free(channel);
}

/* ---- what the link asks ------------------------------------------------------------------- */

static struct grpc__client *client_of(struct grpc__link *link)
{
    return (struct grpc__client *)link; /* its first member */
}

static void on_connected(struct grpc__link *link)
{
    client_of(link)->is_connected = true;
    rt_timer_disarm(&client_of(link)->connect_timer);
}

static bool on_submit(struct grpc__link *link)
{
    struct grpc__client *client = client_of(link);
    bool has_any = !TAILQ_EMPTY(&client->dirty);
    struct grpc_request *request;

    while ((request = TAILQ_FIRST(&client->dirty)) != NULL) {
        TAILQ_REMOVE(&client->dirty, request, dirty_entry);
        request->is_dirty = false;
        grpc__request_submit(request);
    }
    return has_any;
}

static void on_turn(struct grpc__link *link)
{
    struct grpc__client *client = client_of(link);
    struct grpc_request *request;

    while (!link->is_doomed && (request = TAILQ_FIRST(&client->ended)) != NULL) {
        grpc__request_tell(request);
    }
    if (!link->is_doomed && !TAILQ_EMPTY(&client->dirty) && link->state == GRPC__LINK_OPEN) {
        rt_task_schedule(&link->turn_task);
    }
}

static void on_ended(struct grpc__link *link, enum rt_status reason, const char *detail)
{
    struct grpc__client *client = client_of(link);

    if (client->channel->current == client) {
        client->channel->current = NULL;
    }
    link->is_in_turn = true; /* an owner may destroy the channel; this is freed below */
    end_requests(client, reason, detail);
    if (client->channel != NULL) {
        LIST_REMOVE(client, entry);
    }
    free_client(client);
}

static void on_free(struct grpc__link *link)
{
    free_client(client_of(link));
}

static const struct grpc__link_owner link_owner = {
    .on_connected = on_connected,
    .on_submit = on_submit,
    .on_turn = on_turn,
    .on_ended = on_ended,
    .on_free = on_free,
};

static void end_requests(struct grpc__client *client, enum rt_status reason, const char *detail)
{
    char text[GRPC__OUTCOME_TEXT_BYTES];
    struct grpc_request *request;

    (void)snprintf(text, sizeof(text),
                   client->is_connected ? "connection to %s lost: %s" : "no connection to %s: %s",
                   client->channel->address, detail == NULL ? rt_status_text(reason) : detail);
    while (!client->link.is_doomed && (request = TAILQ_FIRST(&client->requests)) != NULL) {
        grpc__request_end(request, GRPC_UNAVAILABLE, text, false);
        request->is_closed = true;
        grpc__request_tell(request);
    }
}

/* ---- connections -------------------------------------------------------------------------- */

enum rt_status grpc__channel_client(struct grpc_channel *channel, struct grpc__client **out_client)
{
    struct grpc__client *client;
    struct rt_stream *stream;
    nghttp2_session *session;
    enum rt_status status;

    if (channel->current != NULL && channel->current->link.state == GRPC__LINK_OPEN) {
        *out_client = channel->current;
        return RT_OK;
    }
    client = calloc(1, sizeof(*client));
    if (client == NULL) {
        return RT_E_NOMEM;
    }
    client->channel = channel;
    TAILQ_INIT(&client->requests);
    TAILQ_INIT(&client->dirty);
    TAILQ_INIT(&client->ended);
    status = create_session(client, &session);
    if (status == RT_OK) {
        status = open_stream(channel, &stream);
        if (status != RT_OK) {
            nghttp2_session_del(session);
        }
    }
    if (status != RT_OK) {
        free(client);
        return status;
    }
    grpc__link_init(&client->link, channel->loop, stream, session, &link_owner);
    LIST_INSERT_HEAD(&channel->clients, client, entry);
    channel->current = client;
    rt_timer_init(&client->connect_timer, channel->loop, on_connect_timeout, client);
    if (rt_timer_arm_after(&client->connect_timer, channel->connect_timeout_us) != RT_OK) {
        grpc__link_end(&client->link, true, RT_E_NOMEM, "out of memory");
    }
    *out_client = client;
    return RT_OK;
}

static enum rt_status open_stream(struct grpc_channel *channel, struct rt_stream **out_stream)
{
    static const struct rt_stream_handler no_handler = {0}; /* the link brings its own */
    struct rt_stream *stream;
    enum rt_status status = rt_network_connect(channel->network, channel->name, channel->address,
                                               &no_handler, NULL, &stream);

    if (status == RT_OK && channel->tls != NULL) {
        status = rt_tls_stream_create(channel->tls, stream, &no_handler, NULL, &stream);
    }
    if (status == RT_OK) {
        *out_stream = stream;
    }
    return status;
}

static enum rt_status create_session(struct grpc__client *client, nghttp2_session **out_session)
{
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, (uint32_t)WINDOW_BYTES},
    };
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = NULL;
    nghttp2_session *session = NULL;
    enum rt_status status = RT_E_NOMEM;

    if (nghttp2_session_callbacks_new(&callbacks) == 0 && nghttp2_option_new(&option) == 0) {
        grpc__answer_set_callbacks(callbacks);
        nghttp2_option_set_no_http_messaging(option, 1);
        nghttp2_option_set_no_auto_window_update(option, 1);
        if (nghttp2_session_client_new2(&session, callbacks, &client->link, option) == 0 &&
            nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, 2) == 0 &&
            nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, WINDOW_BYTES) ==
                0) {
            status = RT_OK;
        }
    }
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    if (status != RT_OK) {
        nghttp2_session_del(session);
        return status;
    }
    *out_session = session;
    return RT_OK;
}

static void on_connect_timeout(void *arg)
{
    struct grpc__client *client = arg;

    grpc__link_end(&client->link, true, RT_E_TIMEOUT, rt_status_text(RT_E_TIMEOUT));
}

static void free_client(struct grpc__client *client)
{
    struct grpc_request *request;

    rt_timer_disarm(&client->connect_timer);
    while ((request = TAILQ_FIRST(&client->requests)) != NULL) {
        grpc__request_free(request);
    }
    grpc__link_fini(&client->link);
    free(client);
}
