/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/grpc/grpc_channel_internal.h"
#include "wire/grpc/grpc_text.h"

#include <stdio.h>
#include <stdlib.h>

/*
 * Answers as a client reads them. Whatever a server may send ends a request once, with a code as
 * the mappings of the gRPC protocol give it for HTTP statuses and HTTP/2 errors.
 */

/* etcd's own clients take as much. */
#define MESSAGE_MAX_BYTES INT32_MAX

#define STATUS_TEXT_MAX_BYTES 8192

static void take_headers(struct grpc_request *request, bool is_last);
static void take_http_status(struct grpc_request *request);
static void take_grpc_status(struct grpc_request *request);
static void take_message(struct grpc_request *request, const struct grpc__received *received);
static void end_unanswered(struct grpc_request *request, uint32_t http2_error);
static int32_t code_of_http_status(int32_t http_status);
static int32_t code_of_http2_error(uint32_t http2_error);
static bool parse_number(struct rt_slice text, int32_t *out_number);

static struct grpc_request *request_of(nghttp2_session *session, int32_t stream_id)
{
    return nghttp2_session_get_stream_user_data(session, stream_id);
}

static int result_of(const struct grpc__client *client)
{
    return client->link.is_doomed ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

/* ---- nghttp2's callbacks ------------------------------------------------------------------ */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    struct grpc_request *request = request_of(session, frame->hd.stream_id);

    (void)user_data;
    if (request != NULL) {
        grpc__headers_fini(&request->headers);
        grpc__headers_init(&request->headers);
    }
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, nghttp2_rcbuf *name,
                     nghttp2_rcbuf *value, uint8_t flags, void *user_data)
{
    struct grpc_request *request = request_of(session, frame->hd.stream_id);

    (void)flags;
    (void)user_data;
    if (request == NULL) {
        return 0;
    }
    return grpc__headers_add(&request->headers, name, value) == RT_OK
               ? 0
               : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    struct grpc__client *client = user_data;

    if (frame->hd.type == NGHTTP2_HEADERS) {
        struct grpc_request *request = request_of(session, frame->hd.stream_id);

        if (request != NULL) {
            take_headers(request, (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0);
        }
    } else if (frame->hd.type == NGHTTP2_GOAWAY && client->channel != NULL &&
               client->channel->current == client) {
        client->channel->current = NULL;
    }
    return result_of(client);
}

static int on_data_chunk(nghttp2_session *session, uint8_t flags, int32_t stream_id,
                         const uint8_t *data, size_t len_bytes, void *user_data)
{
    struct grpc__client *client = user_data;
    struct grpc_request *request = request_of(session, stream_id);
    struct rt_slice bytes = rt_slice_of(data, len_bytes);
    size_t kept_bytes = 0;

    (void)flags;
    grpc__link_consume(&client->link, stream_id, len_bytes,
                       request == NULL ? &kept_bytes : &request->kept_bytes);
    while (request != NULL && bytes.len_bytes > 0 && !client->link.is_doomed &&
           !request->is_ended) {
        struct grpc__received received;

        switch (grpc__reader_take(&request->reader, MESSAGE_MAX_BYTES, &bytes, &received)) {
        case GRPC__READ_MORE:
            break;
        case GRPC__READ_MESSAGE:
            take_message(request, &received);
            break;
        case GRPC__READ_TOO_LONG:
            grpc__request_abort(request, GRPC_RESOURCE_EXHAUSTED,
                                "received message larger than max");
            break;
        case GRPC__READ_NOMEM:
            grpc__request_abort(request, GRPC_RESOURCE_EXHAUSTED, "out of memory");
            break;
        }
    }
    return result_of(client);
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t error_code,
                           void *user_data)
{
    struct grpc_request *request = request_of(session, stream_id);

    if (request != NULL) {
        (void)nghttp2_session_set_stream_user_data(session, stream_id, NULL);
        end_unanswered(request, error_code);
        grpc__request_closed(request);
    }
    return result_of(user_data);
}

/* Headers that never left: the server has sent GOAWAY, or they were cancelled before. */
static int on_frame_not_send(nghttp2_session *session, const nghttp2_frame *frame, int error,
                             void *user_data)
{
    struct grpc_request *request =
        frame->hd.type == NGHTTP2_HEADERS ? request_of(session, frame->hd.stream_id) : NULL;

    (void)user_data;
    if (request != NULL) {
        grpc__request_end(request, GRPC_UNAVAILABLE, nghttp2_strerror(error), false);
    }
    return 0;
}

static int on_send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *header,
                        size_t len_bytes, nghttp2_data_source *source, void *user_data)
{
    (void)session;
    (void)frame;
    (void)user_data;
    return grpc__request_send_data(source->ptr, header, len_bytes);
}

void grpc__answer_set_callbacks(nghttp2_session_callbacks *callbacks)
{
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback2(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data_chunk);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, on_frame_not_send);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, on_send_data);
}

/* ---- headers and trailers ----------------------------------------------------------------- */

static void take_headers(struct grpc_request *request, bool is_last)
{
    if (request->is_ended) {
        return;
    }
    if (request->headers.is_malformed || request->headers.is_too_long) {
        grpc__request_abort(request, GRPC_INTERNAL, "malformed headers in the answer");
        return;
    }
    if (!request->has_headers) {
        take_http_status(request);
    }
    if (is_last && !request->is_ended) {
        take_grpc_status(request);
    }
}

static void take_http_status(struct grpc_request *request)
{
    struct rt_slice value = {0};
    char text[GRPC__OUTCOME_TEXT_BYTES];
    bool is_grpc;

    if (!grpc__headers_find(&request->headers, ":status", &value) ||
        !parse_number(value, &request->http_status)) {
        grpc__request_abort(request, GRPC_INTERNAL, "the answer has no HTTP status");
        return;
    }
    if (request->http_status >= 100 && request->http_status < 200) {
        return; /* informational; the answer follows */
    }
    request->has_headers = true;
    value = rt_slice_of(NULL, 0);
    is_grpc = grpc__headers_find(&request->headers, "content-type", &value) &&
              value.len_bytes >= strlen("application/grpc") &&
              memcmp(value.data, "application/grpc", strlen("application/grpc")) == 0;
    if (!is_grpc) {
        (void)snprintf(text, sizeof(text),
                       "unexpected HTTP status code received from server: %d; content-type "
                       "\"%.*s\"",
                       (int)request->http_status, (int)(value.len_bytes % 100),
                       value.data == NULL ? "" : (const char *)value.data);
        grpc__request_abort(request, code_of_http_status(request->http_status), text);
    }
}

static void take_grpc_status(struct grpc_request *request)
{
    struct rt_slice value;
    struct rt_slice encoded = {0};
    int32_t code;
    char *text;

    if (!grpc__headers_find(&request->headers, "grpc-status", &value)) {
        return; /* said when the stream closes */
    }
    if (!parse_number(value, &code)) {
        grpc__request_abort(request, GRPC_INTERNAL, "malformed grpc-status");
        return;
    }
    if (code == GRPC_OK && grpc__reader_is_amid(&request->reader)) {
        grpc__request_end(request, GRPC_INTERNAL, "unexpected EOF", false);
        return;
    }
    (void)grpc__headers_find(&request->headers, "grpc-message", &encoded);
    text = encoded.len_bytes == 0 ? NULL : malloc(STATUS_TEXT_MAX_BYTES);
    if (text != NULL) {
        (void)grpc__text_decode(encoded, text, STATUS_TEXT_MAX_BYTES);
    }
    grpc__request_end(request, code, text == NULL ? "" : text, true);
    free(text);
}

/* Up to nine digits. */
static bool parse_number(struct rt_slice text, int32_t *out_number)
{
    int32_t number = 0;

    if (text.len_bytes == 0 || text.len_bytes > 9) {
        return false;
    }
    for (size_t i = 0; i < text.len_bytes; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
        number = number * 10 + (text.data[i] - '0');
    }
    *out_number = number;
    return true;
}

/* ---- messages ----------------------------------------------------------------------------- */

static void take_message(struct grpc_request *request, const struct grpc__received *received)
{
    char text[GRPC__OUTCOME_TEXT_BYTES];

    if (!request->has_headers) {
        grpc__request_abort(request, GRPC_INTERNAL, "a message came before the headers");
    } else if (received->flags == 1) {
        grpc__request_abort(request, GRPC_INTERNAL,
                            "compressed flag set with identity or empty encoding");
    } else if (received->flags != 0) {
        (void)snprintf(text, sizeof(text), "received unexpected payload format %u",
                       (unsigned)received->flags);
        grpc__request_abort(request, GRPC_INTERNAL, text);
    } else if (request->handler != NULL && request->handler->on_message != NULL) {
        request->handler->on_message(request->arg, received->message);
    }
}

/* ---- ends without a status ---------------------------------------------------------------- */

static void end_unanswered(struct grpc_request *request, uint32_t http2_error)
{
    char text[GRPC__OUTCOME_TEXT_BYTES];

    if (request->is_ended) {
        return;
    }
    if (http2_error != NGHTTP2_NO_ERROR) {
        (void)snprintf(text, sizeof(text), "stream terminated by RST_STREAM with error code: %s",
                       grpc__http2_error_name(http2_error));
        grpc__request_end(request, code_of_http2_error(http2_error), text, false);
    } else if (request->has_headers) {
        grpc__request_end(request, GRPC_UNKNOWN, "the answer has no grpc-status", false);
    } else {
        grpc__request_end(request, GRPC_INTERNAL, "the stream was closed without an answer", false);
    }
}

static int32_t code_of_http_status(int32_t http_status)
{
    switch (http_status) {
    case 400:
        return GRPC_INTERNAL;
    case 401:
        return GRPC_UNAUTHENTICATED;
    case 403:
        return GRPC_PERMISSION_DENIED;
    case 404:
        return GRPC_UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
        return GRPC_UNAVAILABLE;
    default:
        return GRPC_UNKNOWN;
    }
}

static int32_t code_of_http2_error(uint32_t http2_error)
{
    switch (http2_error) {
    case NGHTTP2_REFUSED_STREAM:
        return GRPC_UNAVAILABLE;
    case NGHTTP2_CANCEL:
        return GRPC_CANCELLED;
    case NGHTTP2_ENHANCE_YOUR_CALM:
        return GRPC_RESOURCE_EXHAUSTED;
    case NGHTTP2_INADEQUATE_SECURITY:
        return GRPC_PERMISSION_DENIED;
    default:
        return GRPC_INTERNAL;
    }
}
