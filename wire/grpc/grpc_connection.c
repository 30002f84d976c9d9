/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/grpc/grpc_server_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * A server's connection: nghttp2's callbacks sorted to the calls they are about.
 *
 *   accept --> calls come and go --> end of the stream, GOAWAY, drained, protocol error
 *                                       '--> on_gone of each call --> on_closed --> freed
 */

/* What one call or the connection may receive before we give window back. */
#define WINDOW_BYTES ((int32_t)1024 * 1024)

/* nghttp2's own limit of resets reads the system's clock; ours (grpc_keepalive.c) does not. */
#define NO_LIMIT UINT64_MAX

static enum rt_status create_session(struct grpc_connection *connection,
                                     nghttp2_session **out_session);
static enum rt_status submit_settings(struct grpc_connection *connection, nghttp2_session *session);
static void set_callbacks(nghttp2_session_callbacks *callbacks);
static struct grpc_call *call_of(struct grpc_connection *connection, int32_t stream_id);
static void free_connection(struct grpc_connection *connection);

const struct grpc_server_profile grpc_server_profile_1_26 = {
    .bad_path_code = GRPC_RESOURCE_EXHAUSTED,
    .expired_code = GRPC_UNKNOWN,
    .bad_message_text = "grpc: failed to unmarshal the received message ",
};
const struct grpc_server_profile grpc_server_profile_1_59 = {
    .may_gzip = true,
    .is_strict_http = true,
    .bad_path_code = GRPC_UNIMPLEMENTED,
    .expired_code = GRPC_DEADLINE_EXCEEDED,
    .bad_message_text = "grpc: failed to unmarshal the received message: ",
};

void grpc_server_options_init(struct grpc_server_options *options)
{
    *options = (struct grpc_server_options){
        .profile = &grpc_server_profile_1_59,
        .max_concurrent_streams = UINT32_MAX,
        .max_message_bytes = (uint64_t)2 * 1024 * 1024, /* etcd: 1.5 MiB and 512 KiB around it */
        .min_ping_interval_us = 5000000,
        .ping_after_us = (uint64_t)2 * 3600 * 1000000,
        .ping_timeout_us = 20000000,
    };
}

/* ---- what the link asks ------------------------------------------------------------------- */

static bool on_submit(struct grpc__link *link)
{
    struct grpc_connection *connection = grpc__connection_of(link);
    bool has_any = !TAILQ_EMPTY(&connection->dirty);
    struct grpc_call *call;

    while ((call = TAILQ_FIRST(&connection->dirty)) != NULL) {
        TAILQ_REMOVE(&connection->dirty, call, dirty_entry);
        call->is_dirty = false;
        grpc__call_submit(call);
    }
    return has_any;
}

static void on_turn(struct grpc__link *link)
{
    struct grpc_connection *connection = grpc__connection_of(link);
    struct grpc_call *call;

    while (!link->is_doomed && (call = TAILQ_FIRST(&connection->drained)) != NULL) {
        TAILQ_REMOVE(&connection->drained, call, drained_entry);
        call->is_drain_due = false;
        if (call->handler != NULL && call->handler->on_drained != NULL && !call->is_finished) {
            call->handler->on_drained(call->arg, call);
        }
    }
    if (link->is_flush_wanted && !link->is_doomed && link->state == GRPC__LINK_OPEN &&
        rt_outbox_len_bytes(rt_stream_outbox(link->stream)) == 0) {
        link->is_flush_wanted = false;
        connection->handler->on_flushed(connection->arg);
    }
    if (connection->is_goaway_out) {
        grpc__link_end(link, false, connection->goaway_reason, connection->goaway_detail);
    } else if (!TAILQ_EMPTY(&connection->dirty) && link->state == GRPC__LINK_OPEN) {
        rt_task_schedule(&link->turn_task);
    }
}

static void on_ended(struct grpc__link *link, enum rt_status reason, const char *detail)
{
    struct grpc_connection *connection = grpc__connection_of(link);
    struct grpc_call *call;

    link->is_in_turn = true; /* a handler may destroy the connection; it is freed below */
    while (!link->is_doomed && (call = TAILQ_FIRST(&connection->calls)) != NULL) {
        grpc__call_gone(call, true);
    }
    if (!link->is_doomed && connection->handler->on_closed != NULL) {
        connection->handler->on_closed(connection->arg, reason, detail);
    }
    free_connection(connection);
}

static void on_free(struct grpc__link *link)
{
    free_connection(grpc__connection_of(link));
}

static const struct grpc__link_owner link_owner = {
    .on_submit = on_submit,
    .on_turn = on_turn,
    .on_ended = on_ended,
    .on_free = on_free,
};

/* ---- life --------------------------------------------------------------------------------- */

enum rt_status grpc_connection_accept(struct rt_loop *loop, struct rt_stream *stream,
                                      const struct grpc_server_options *options,
                                      const struct grpc_connection_handler *handler, void *arg,
                                      struct grpc_connection **out_connection)
{
    struct grpc_connection *connection = calloc(1, sizeof(*connection));
    nghttp2_session *session;

    if (connection == NULL) {
        rt_stream_destroy(stream);
        return RT_E_NOMEM;
    }
    connection->options = *options;
    connection->handler = handler;
    connection->arg = arg;
    TAILQ_INIT(&connection->calls);
    TAILQ_INIT(&connection->dirty);
    TAILQ_INIT(&connection->drained);
    SLIST_INIT(&connection->free_calls);
    connection->peer = strdup(rt_stream_peer(stream));
    if (connection->peer == NULL || create_session(connection, &session) != RT_OK) {
        free(connection->peer);
        free(connection);
        rt_stream_destroy(stream);
        return RT_E_NOMEM;
    }
    grpc__link_init(&connection->link, loop, stream, session, &link_owner);
    grpc__keepalive_init(connection);
    *out_connection = connection;
    return RT_OK;
}

static enum rt_status create_session(struct grpc_connection *connection,
                                     nghttp2_session **out_session)
{
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = NULL;
    nghttp2_session *session = NULL;
    enum rt_status status = RT_E_NOMEM;

    if (nghttp2_session_callbacks_new(&callbacks) == 0 && nghttp2_option_new(&option) == 0) {
        set_callbacks(callbacks);
        nghttp2_option_set_no_http_messaging(option, 1);
        nghttp2_option_set_no_auto_window_update(option, 1);
        nghttp2_option_set_no_auto_ping_ack(option, 0);
        nghttp2_option_set_no_closed_streams(option, 1);
        nghttp2_option_set_stream_reset_rate_limit(option, NO_LIMIT, NO_LIMIT);
        if (nghttp2_session_server_new2(&session, callbacks, &connection->link, option) == 0) {
            status = submit_settings(connection, session);
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

/* What etcd announces, and larger windows. */
static enum rt_status submit_settings(struct grpc_connection *connection, nghttp2_session *session)
{
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, 16384},
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, connection->options.max_concurrent_streams},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, (uint32_t)WINDOW_BYTES},
    };

    if (nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings,
                                sizeof(settings) / sizeof(settings[0])) != 0 ||
        nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, WINDOW_BYTES) != 0) {
        return RT_E_NOMEM;
    }
    return RT_OK;
}

void grpc_connection_destroy(struct grpc_connection *connection)
{
    if (connection == NULL) {
        return;
    }
    if (grpc__link_doom(&connection->link)) {
        free_connection(connection);
    }
}

static void free_connection(struct grpc_connection *connection)
{
    struct grpc_call *call;

    while ((call = TAILQ_FIRST(&connection->calls)) != NULL) {
        call->handler = NULL;
        grpc__call_gone(call, true);
    }
    grpc__keepalive_fini(connection);
    grpc__link_fini(&connection->link);
    grpc__calls_free(connection);
    free(connection->peer);
    free(connection);
}

/* ---- nghttp2's callbacks ------------------------------------------------------------------ */

/* A call that has no HTTP/2 stream any more is not found. */
static struct grpc_call *call_of(struct grpc_connection *connection, int32_t stream_id)
{
    struct grpc_call *call = connection->last_call;

    if (call == NULL || call->stream_id != stream_id) {
        call = nghttp2_session_get_stream_user_data(connection->link.session, stream_id);
        connection->last_call = call;
    }
    return call;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    struct grpc_connection *connection = user_data;

    (void)session;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        return 0;
    }
    connection->last_call = grpc__call_create(connection, frame->hd.stream_id);
    return connection->last_call == NULL ? NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE : 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, nghttp2_rcbuf *name,
                     nghttp2_rcbuf *value, uint8_t flags, void *user_data)
{
    struct grpc_call *call = call_of(user_data, frame->hd.stream_id);

    (void)session;
    (void)flags;
    if (call == NULL || frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        return 0; /* trailers of a request mean nothing to gRPC */
    }
    return grpc__headers_add(&call->headers, name, value) == RT_OK
               ? 0
               : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static int on_data_chunk(nghttp2_session *session, uint8_t flags, int32_t stream_id,
                         const uint8_t *data, size_t len_bytes, void *user_data)
{
    struct grpc_connection *connection = user_data;
    struct grpc_call *call = call_of(connection, stream_id);
    size_t kept_bytes = 0;

    (void)session;
    (void)flags;
    grpc__link_consume(&connection->link, stream_id, len_bytes,
                       call == NULL ? &kept_bytes : &call->kept_bytes);
    if (call != NULL) {
        grpc__call_data(call, rt_slice_of(data, len_bytes));
    }
    return connection->link.is_doomed ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

/* Requests have none: to grpc-go these are HEADERS with a stream id that was used before. */
static void refuse_trailers(struct grpc_connection *connection, struct grpc_call *call)
{
    if (connection->options.profile->is_strict_http) {
        grpc__link_end(&connection->link, false, RT_E_MALFORMED, "HEADERS on an open stream");
    } else {
        grpc_call_reset(call, NGHTTP2_PROTOCOL_ERROR);
    }
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    struct grpc_connection *connection = user_data;
    struct grpc_call *call;

    (void)session;
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_DATA:
        call = call_of(connection, frame->hd.stream_id);
        if (call == NULL) {
            break;
        }
        if (frame->hd.type == NGHTTP2_DATA) {
            if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
                grpc__call_half_close(call);
            }
        } else if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
            /* grpc-go hears an end in DATA only: with this one the call waits for a message. */
            grpc__call_open(call);
        } else {
            refuse_trailers(connection, call);
        }
        break;
    case NGHTTP2_PING:
        grpc__keepalive_ping(connection, frame->ping.opaque_data,
                             (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0);
        break;
    case NGHTTP2_RST_STREAM:
        grpc__keepalive_reset(connection);
        break;
    default:
        break;
    }
    return connection->link.is_doomed ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

/* The answer's last frame while the peer still sends: it is told to stop. */
static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    struct grpc_connection *connection = user_data;

    if (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) {
        connection->pings.is_reset = true;
        if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 &&
            nghttp2_session_get_stream_remote_close(session, frame->hd.stream_id) == 0) {
            (void)nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                            NGHTTP2_NO_ERROR);
        }
    } else if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR &&
               !connection->is_goaway_out) {
        /* nghttp2 itself ends the connection, for what the peer has sent. */
        connection->is_goaway_out = true;
        connection->goaway_reason = RT_E_MALFORMED;
        (void)snprintf(
            connection->goaway_detail, sizeof(connection->goaway_detail), "%s: %.*s",
            grpc__http2_error_name(frame->goaway.error_code), (int)frame->goaway.opaque_data_len,
            frame->goaway.opaque_data_len == 0 ? "" : (const char *)frame->goaway.opaque_data);
    }
    return connection->link.is_doomed ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t error_code,
                           void *user_data)
{
    struct grpc_connection *connection = user_data;
    struct grpc_call *call = nghttp2_session_get_stream_user_data(session, stream_id);

    grpc__spoils_stream_closed(&connection->link, (uint32_t)stream_id);
    if (call != NULL) {
        bool is_answered = call->is_finished && call->out_state == GRPC__OUT_ENDED;

        grpc__call_gone(call, !is_answered || error_code != NGHTTP2_NO_ERROR);
    }
    return connection->link.is_doomed ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static int on_send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *header,
                        size_t len_bytes, nghttp2_data_source *source, void *user_data)
{
    (void)session;
    (void)frame;
    (void)user_data;
    return grpc__call_send_data(source->ptr, header, len_bytes);
}

static void set_callbacks(nghttp2_session_callbacks *callbacks)
{
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback2(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data_chunk);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, on_send_data);
}

/* ---- looking and spoiling ----------------------------------------------------------------- */

const char *grpc_connection_peer(const struct grpc_connection *connection)
{
    return connection->peer;
}

size_t grpc_connection_call_count(const struct grpc_connection *connection)
{
    return connection->call_count;
}

void grpc_connection_want_flushed(struct grpc_connection *connection)
{
    connection->link.is_flush_wanted = true;
    grpc__link_wake(&connection->link);
}

struct rt_stream *grpc_connection_stream(struct grpc_connection *connection)
{
    return connection->link.stream;
}

void grpc_connection_reset_stream(struct grpc_connection *connection, uint32_t stream_id,
                                  uint32_t http2_error)
{
    if (!connection->link.is_doomed) {
        (void)nghttp2_submit_rst_stream(connection->link.session, NGHTTP2_FLAG_NONE,
                                        (int32_t)stream_id, http2_error);
        grpc__link_wake(&connection->link);
    }
}

void grpc_connection_mute_pings(struct grpc_connection *connection)
{
    connection->link.is_mute = true;
}

void grpc_connection_hold_window(struct grpc_connection *connection)
{
    connection->link.is_window_held = true;
}

void grpc_connection_end(struct grpc_connection *connection, bool is_reset)
{
    grpc__link_end(&connection->link, is_reset, RT_E_CANCELLED, "ended by the server");
}

void grpc_connection_goaway(struct grpc_connection *connection, uint32_t http2_error,
                            const char *debug_text)
{
    grpc__connection_goaway(connection, http2_error, debug_text, RT_E_CANCELLED);
}
