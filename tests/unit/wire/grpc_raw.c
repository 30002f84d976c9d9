/* SPDX-License-Identifier: Apache-2.0 */
#include "grpc_raw.h"

#include <stdio.h>
#include <stdlib.h>

struct body {
    size_t len_bytes;
    size_t offset_bytes;
    bool is_open;
    uint8_t data[];
};

struct raw_answer *raw_answer_of(struct raw *raw, int32_t stream_id)
{
    return &raw->answers[(size_t)stream_id / 2 % RAW_MAX_STREAM];
}

/* ---- nghttp2's callbacks ------------------------------------------------------------------ */

static void keep(char *to, size_t room_bytes, const uint8_t *value, size_t len_bytes)
{
    (void)snprintf(to, room_bytes, "%.*s", (int)len_bytes, (const char *)value);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_bytes, const uint8_t *value, size_t value_bytes, uint8_t flags,
                     void *user_data)
{
    struct raw_answer *answer = raw_answer_of(user_data, frame->hd.stream_id);
    struct rt_slice text = rt_slice_of(name, name_bytes);

    (void)session;
    (void)flags;
    if (rt_slice_is_text(text, ":status")) {
        keep(answer->status, sizeof(answer->status), value, value_bytes);
    } else if (rt_slice_is_text(text, "content-type")) {
        keep(answer->content_type, sizeof(answer->content_type), value, value_bytes);
    } else if (rt_slice_is_text(text, "grpc-status")) {
        keep(answer->grpc_status, sizeof(answer->grpc_status), value, value_bytes);
        answer->has_grpc_status = true;
    } else if (rt_slice_is_text(text, "grpc-message")) {
        keep(answer->grpc_message, sizeof(answer->grpc_message), value, value_bytes);
    }
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    struct raw *raw = user_data;
    struct raw_answer *answer = raw_answer_of(raw, frame->hd.stream_id);

    (void)session;
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
        answer->header_block_count++;
        answer->is_ended |= (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
        break;
    case NGHTTP2_DATA:
        answer->is_ended |= (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
        break;
    case NGHTTP2_RST_STREAM:
        answer->is_reset = true;
        answer->reset_error = frame->rst_stream.error_code;
        break;
    case NGHTTP2_GOAWAY:
        raw->goaway_count++;
        raw->goaway_last_id = frame->goaway.last_stream_id;
        raw->goaway_error = frame->goaway.error_code;
        keep(raw->goaway_debug, sizeof(raw->goaway_debug), frame->goaway.opaque_data,
             frame->goaway.opaque_data_len);
        break;
    case NGHTTP2_PING:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) {
            raw->ping_ack_count++;
        } else {
            raw->ping_count++;
        }
        break;
    case NGHTTP2_WINDOW_UPDATE:
        raw->window_update_count++;
        break;
    default:
        break;
    }
    return 0;
}

static int on_chunk(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *data,
                    size_t len_bytes, void *user_data)
{
    struct raw_answer *answer = raw_answer_of(user_data, stream_id);

    (void)session;
    (void)flags;
    for (size_t i = 0; i < len_bytes && answer->body_bytes < sizeof(answer->body); i++) {
        answer->body[answer->body_bytes++] = data[i];
    }
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t error_code,
                           void *user_data)
{
    (void)error_code;
    raw_answer_of(user_data, stream_id)->is_closed = true;
    free(nghttp2_session_get_stream_user_data(session, stream_id));
    return 0;
}

static ssize_t on_read(nghttp2_session *session, int32_t stream_id, uint8_t *data,
                       size_t room_bytes, uint32_t *data_flags, nghttp2_data_source *source,
                       void *user_data)
{
    struct body *body = source->ptr;
    size_t left_bytes = body->len_bytes - body->offset_bytes;
    size_t part_bytes = left_bytes < room_bytes ? left_bytes : room_bytes;

    (void)session;
    (void)stream_id;
    (void)user_data;
    if (part_bytes == 0 && body->is_open) {
        return NGHTTP2_ERR_DEFERRED;
    }
    memcpy(data, body->data + body->offset_bytes, part_bytes);
    body->offset_bytes += part_bytes;
    if (body->offset_bytes == body->len_bytes && !body->is_open) {
        *data_flags |= NGHTTP2_DATA_FLAG_EOF;
    }
    return (ssize_t)part_bytes;
}

/* ---- the stream --------------------------------------------------------------------------- */

static void on_input(void *arg)
{
    struct raw *raw = arg;
    struct rt_inbox *inbox = rt_stream_inbox(raw->stream);

    for (;;) {
        struct rt_slice piece = rt_inbox_peek_piece(inbox);
        ssize_t used_bytes;

        if (piece.len_bytes == 0) {
            break;
        }
        used_bytes = raw->session == NULL
                         ? (ssize_t)piece.len_bytes
                         : nghttp2_session_mem_recv(raw->session, piece.data, piece.len_bytes);
        raw->received_bytes += piece.len_bytes;
        if (piece.len_bytes >= sizeof(raw->last)) {
            memcpy(raw->last, piece.data + piece.len_bytes - sizeof(raw->last), sizeof(raw->last));
        }
        rt_inbox_drain(inbox, piece.len_bytes);
        if (used_bytes < 0) {
            return;
        }
    }
    raw_flush(raw);
}

static void on_closed(void *arg, enum rt_status reason)
{
    struct raw *raw = arg;

    raw->is_closed = true;
    raw->close_reason = reason;
    rt_stream_destroy(raw->stream);
    raw->stream = NULL;
}

static const struct rt_stream_handler stream_handler = {.on_input = on_input,
                                                        .on_closed = on_closed};

void raw_init_silent(struct raw *raw, struct world *world)
{
    *raw = (struct raw){.world = world};
    assert_int_equal(rt_network_connect(world->network, "raw-1",
                                        rt_listener_address(world->listener), &stream_handler, raw,
                                        &raw->stream),
                     RT_OK);
}

void raw_init(struct raw *raw, struct world *world)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;

    raw_init_silent(raw, world);
    assert_int_equal(nghttp2_session_callbacks_new(&callbacks), 0);
    assert_int_equal(nghttp2_option_new(&option), 0);
    nghttp2_option_set_no_http_messaging(option, 1);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_chunk);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    assert_int_equal(nghttp2_session_client_new2(&raw->session, callbacks, raw, option), 0);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    assert_int_equal(nghttp2_submit_settings(raw->session, NGHTTP2_FLAG_NONE, NULL, 0), 0);
    raw_flush(raw);
    world_run(world);
}

void raw_fini(struct raw *raw)
{
    for (int32_t id = 1; raw->session != NULL && id < 2 * RAW_MAX_STREAM; id += 2) {
        free(nghttp2_session_get_stream_user_data(raw->session, id));
    }
    nghttp2_session_del(raw->session);
    rt_stream_destroy(raw->stream);
    raw->stream = NULL;
}

void raw_flush(struct raw *raw)
{
    const uint8_t *data;
    ssize_t len_bytes;

    while (raw->session != NULL && raw->stream != NULL &&
           (len_bytes = nghttp2_session_mem_send(raw->session, &data)) > 0) {
        raw_bytes(raw, data, (size_t)len_bytes);
    }
}

void raw_bytes(struct raw *raw, const void *data, size_t len_bytes)
{
    if (raw->stream != NULL) {
        assert_int_equal(rt_outbox_add(rt_stream_outbox(raw->stream), data, len_bytes), RT_OK);
        rt_stream_flush(raw->stream);
    }
}

/* ---- asking ------------------------------------------------------------------------------- */

static void add_header(nghttp2_nv *headers, size_t *inout_count, const char *name,
                       const char *value)
{
    if (value[0] != '\0') {
        headers[(*inout_count)++] = (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name,
                                                 .value = (uint8_t *)(uintptr_t)value,
                                                 .namelen = strlen(name),
                                                 .valuelen = strlen(value)};
    }
}

static const char *or_else(const char *text, const char *otherwise)
{
    return text == NULL ? otherwise : text;
}

int32_t raw_submit(struct raw *raw, const struct raw_request *request)
{
    nghttp2_nv headers[8];
    size_t count = 0;
    struct body *body = malloc(sizeof(*body) + request->body_bytes);
    nghttp2_data_provider provider = {.source.ptr = body, .read_callback = on_read};
    bool has_body = !request->is_bare;
    int32_t stream_id;

    assert_non_null(body);
    *body = (struct body){.len_bytes = request->body_bytes, .is_open = request->is_open};
    if (request->body_bytes > 0) {
        memcpy(body->data, request->body, request->body_bytes);
    }
    add_header(headers, &count, ":method", or_else(request->method, "POST"));
    add_header(headers, &count, ":scheme", "http");
    add_header(headers, &count, ":path", or_else(request->path, "/test.Echo/Unary"));
    add_header(headers, &count, ":authority", or_else(request->authority, "etcd"));
    add_header(headers, &count, "content-type", or_else(request->content_type, "application/grpc"));
    if (request->name != NULL) {
        add_header(headers, &count, request->name, request->value);
    }
    stream_id = nghttp2_submit_request(raw->session, NULL, headers, count,
                                       has_body ? &provider : NULL, body);
    assert_true(stream_id > 0);
    *raw_answer_of(raw, stream_id) = (struct raw_answer){0};
    raw_flush(raw);
    return stream_id;
}

struct raw_answer *raw_ask(struct raw *raw, const struct raw_request *request)
{
    int32_t stream_id = raw_submit(raw, request);

    world_run(raw->world);
    return raw_answer_of(raw, stream_id);
}
