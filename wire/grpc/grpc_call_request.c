/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/grpc/grpc_server_internal.h"
#include "wire/grpc/grpc_text.h"

#include <inttypes.h>
#include <stdio.h>

/*
 * The receiving half of a call, with grpc-go's answers to what is no proper request:
 *
 *   headers --judge--> on_call --> DATA: on_message ... --> END_STREAM: on_half_close
 *               '--> RST_STREAM, an HTTP status, or trailers only
 */

/* What the judgement needs of the headers; found in one walk. */
struct request_headers {
    struct rt_slice timeout;
    uint64_t timeout_us; /* of `timeout`, once it is judged */
    size_t host_count;
    bool has_timeout;
    bool has_connection;
};

#define ERROR_TEXT_BYTES 256

#define GZIP_HEADER_BYTES 10

static void read_headers(struct grpc_call *call, struct request_headers *out_headers);
static void read_header(struct grpc_call *call, struct rt_slice name, struct rt_slice value,
                        struct request_headers *headers);
static bool is_http_acceptable(struct grpc_call *call, struct request_headers *headers);
static bool is_metadata_acceptable(struct grpc_call *call);
static bool read_timeout(struct grpc_call *call, struct request_headers *headers);
static void refuse_http(struct grpc_call *call, const char *http_status, int32_t code,
                        const char *text);
static bool is_grpc_content(struct rt_slice content_type);
static bool has_method_name(struct grpc_call *call);
static bool set_deadline(struct grpc_call *call, const struct request_headers *headers);
static void hand_over(struct grpc_call *call);
static bool may_take(const struct grpc_call *call);
static void take_message(struct grpc_call *call, const struct grpc__received *received);
static void take_packed(struct grpc_call *call, struct rt_slice packed);
static void finish_quoting(struct grpc_call *call, int32_t code, const char *before,
                           struct rt_slice quoted);

/* ---- headers ------------------------------------------------------------------------------ */

void grpc__call_open(struct grpc_call *call)
{
    struct request_headers headers = {0};

    if (call->headers.is_too_long || call->headers.is_malformed) {
        grpc_call_reset(call, call->headers.is_too_long ? NGHTTP2_FRAME_SIZE_ERROR
                                                        : NGHTTP2_PROTOCOL_ERROR);
        return;
    }
    read_headers(call, &headers);
    if (is_http_acceptable(call, &headers) && set_deadline(call, &headers) &&
        has_method_name(call)) {
        hand_over(call);
    }
}

static void read_headers(struct grpc_call *call, struct request_headers *out_headers)
{
    for (size_t i = 0; i < call->headers.count; i++) {
        const struct grpc__header *header = grpc__headers_at(&call->headers, i);

        read_header(call, grpc__header_name(header), grpc__header_value(header), out_headers);
    }
}

static void read_header(struct grpc_call *call, struct rt_slice name, struct rt_slice value,
                        struct request_headers *headers)
{
    switch (name.len_bytes) {
    case 4:
        headers->host_count += rt_slice_is_text(name, "host") ? 1 : 0;
        break;
    case 5:
        if (rt_slice_is_text(name, ":path")) {
            call->path = value;
        }
        break;
    case 7:
        if (rt_slice_is_text(name, ":method")) {
            call->method = value;
        }
        break;
    case 10:
        if (rt_slice_is_text(name, ":authority")) {
            call->authority = value;
        } else if (rt_slice_is_text(name, "connection")) {
            headers->has_connection = true;
        }
        break;
    case 12:
        if (rt_slice_is_text(name, "grpc-timeout")) {
            headers->timeout = value;
            headers->has_timeout = true;
        } else if (rt_slice_is_text(name, "content-type")) {
            call->content_type = value;
        }
        break;
    case 13:
        if (rt_slice_is_text(name, "grpc-encoding")) {
            call->encoding = value;
        }
        break;
    default:
        break;
    }
}

/* In grpc-go's order. Its older releases know one answer only, RST_STREAM. */
static bool is_http_acceptable(struct grpc_call *call, struct request_headers *headers)
{
    char text[ERROR_TEXT_BYTES];
    bool is_strict = call->connection->options.profile->is_strict_http;
    bool is_post = rt_slice_is_text(call->method, "POST");

    if (is_strict && headers->host_count > 1) {
        (void)snprintf(text, sizeof(text),
                       "num values of :authority: %d, num values of host: %zu, both must only "
                       "have 1 value as per HTTP/2 spec",
                       call->authority.data == NULL ? 0 : 1, headers->host_count);
        refuse_http(call, "400", GRPC_INTERNAL, text);
        return false;
    }
    if (is_strict && headers->has_connection) {
        grpc_call_reset(call, NGHTTP2_PROTOCOL_ERROR);
        return false;
    }
    if (!is_grpc_content(call->content_type) && call->connection->options.is_http1_beside) {
        grpc_call_reset(call, NGHTTP2_HTTP_1_1_REQUIRED);
        return false;
    }
    if (!is_grpc_content(call->content_type)) {
        char quoted[ERROR_TEXT_BYTES / 2];

        grpc__text_quote(call->content_type, quoted, sizeof(quoted));
        (void)snprintf(text, sizeof(text), "invalid gRPC request content-type %s", quoted);
        call->content_type = rt_slice_of(NULL, 0);
        refuse_http(call, "415", GRPC_INVALID_ARGUMENT, text);
        return false;
    }
    if (!read_timeout(call, headers)) {
        return false;
    }
    if (is_strict && !is_metadata_acceptable(call)) {
        return false;
    }
    if (is_strict && !is_post) {
        char quoted[ERROR_TEXT_BYTES / 2];

        grpc__text_quote(call->method, quoted, sizeof(quoted));
        (void)snprintf(text, sizeof(text),
                       "Received a HEADERS frame with :method %s which should be POST", quoted);
        refuse_http(call, "405", GRPC_INTERNAL, text);
        return false;
    }
    return true;
}

/* Names that end with -bin have base64. */
static bool is_metadata_acceptable(struct grpc_call *call)
{
    static const char suffix[] = "-bin";

    for (size_t i = 0; i < call->headers.count; i++) {
        const struct grpc__header *header = grpc__headers_at(&call->headers, i);
        struct rt_slice name = grpc__header_name(header);
        struct rt_slice value = grpc__header_value(header);
        char quoted[2][ERROR_TEXT_BYTES / 2];
        char text[2 * ERROR_TEXT_BYTES];
        size_t bad_at;

        if (name.len_bytes < sizeof(suffix) ||
            memcmp(name.data + name.len_bytes - strlen(suffix), suffix, strlen(suffix)) != 0 ||
            grpc__text_is_base64(value, &bad_at)) {
            continue;
        }
        grpc__text_quote(value, quoted[0], sizeof(quoted[0]));
        grpc__text_quote(name, quoted[1], sizeof(quoted[1]));
        (void)snprintf(text, sizeof(text),
                       "malformed binary metadata %s in header %s: illegal base64 data at input "
                       "byte %zu",
                       quoted[0], quoted[1], bad_at);
        refuse_http(call, "400", GRPC_INTERNAL, text);
        return false;
    }
    return true;
}

/* False: it is malformed, and refused. */
static bool read_timeout(struct grpc_call *call, struct request_headers *headers)
{
    char error[ERROR_TEXT_BYTES / 2];
    char text[ERROR_TEXT_BYTES];

    if (!headers->has_timeout ||
        grpc__timeout_parse(headers->timeout, &headers->timeout_us, error, sizeof(error))) {
        return true;
    }
    (void)snprintf(text, sizeof(text), "malformed grpc-timeout: %s", error);
    refuse_http(call, "400", GRPC_INTERNAL, text);
    return false;
}

static void refuse_http(struct grpc_call *call, const char *http_status, int32_t code,
                        const char *text)
{
    if (call->connection->options.profile->is_strict_http) {
        grpc__call_refuse(call, http_status, code, text);
    } else {
        grpc_call_reset(call, NGHTTP2_PROTOCOL_ERROR);
    }
}

/* application/grpc, or that and "+..." or ";...". */
static bool is_grpc_content(struct rt_slice content_type)
{
    static const char base[] = "application/grpc";
    size_t base_bytes = sizeof(base) - 1;

    if (content_type.len_bytes < base_bytes || memcmp(content_type.data, base, base_bytes) != 0) {
        return false;
    }
    return content_type.len_bytes == base_bytes || content_type.data[base_bytes] == '+' ||
           content_type.data[base_bytes] == ';';
}

/* "/service/method": a slash besides the leading one. */
static bool has_method_name(struct grpc_call *call)
{
    struct rt_slice path = call->path;

    if (path.len_bytes > 0 && path.data[0] == '/') {
        path = rt_slice_of(path.data + 1, path.len_bytes - 1);
    }
    if (path.len_bytes > 0 && memchr(path.data, '/', path.len_bytes) != NULL) {
        return true;
    }
    finish_quoting(call, call->connection->options.profile->bad_path_code,
                   "malformed method name: ", call->path);
    return false;
}

static bool set_deadline(struct grpc_call *call, const struct request_headers *headers)
{
    uint64_t now_us = rt_loop_now_us(call->connection->link.loop);
    uint64_t timeout_us = headers->timeout_us;

    if (!headers->has_timeout) {
        return true;
    }
    call->deadline_us = timeout_us > RT_NEVER - 1 - now_us ? RT_NEVER - 1 : now_us + timeout_us;
    if (timeout_us > 0 && rt_timer_arm(&call->deadline_timer, call->deadline_us) != RT_OK) {
        grpc_call_finish(call, GRPC_RESOURCE_EXHAUSTED, "out of memory");
        return false;
    }
    return true;
}

/* The owner first, for it knows whether there is such a method; grpc-go looks at encodings and
 * deadlines only after that. */
static void hand_over(struct grpc_call *call)
{
    struct grpc_connection *connection = call->connection;
    bool is_plain = call->encoding.len_bytes == 0 || rt_slice_is_text(call->encoding, "identity");

    call->is_gzip =
        connection->options.profile->may_gzip && rt_slice_is_text(call->encoding, "gzip");
    connection->handler->on_call(connection->arg, call);
    if (connection->link.is_doomed || call->is_finished) {
        return;
    }
    if (!is_plain && !call->is_gzip) {
        finish_quoting(call, GRPC_UNIMPLEMENTED,
                       "grpc: Decompressor is not installed for grpc-encoding ", call->encoding);
    } else if (call->deadline_us <= rt_loop_now_us(connection->link.loop)) {
        grpc_call_finish(call, connection->options.profile->expired_code,
                         "context deadline exceeded");
    }
}

/* ---- messages ----------------------------------------------------------------------------- */

static bool may_take(const struct grpc_call *call)
{
    return !call->is_finished && !call->is_reset_wanted &&
           (call->is_streaming || !call->has_message) && !call->connection->link.is_doomed;
}

void grpc__call_data(struct grpc_call *call, struct rt_slice bytes)
{
    while (bytes.len_bytes > 0 && may_take(call)) {
        uint64_t max_bytes = call->connection->options.max_message_bytes;
        struct grpc__received received;
        char text[ERROR_TEXT_BYTES];

        switch (grpc__reader_take(&call->reader, max_bytes, &bytes, &received)) {
        case GRPC__READ_MORE:
            return;
        case GRPC__READ_MESSAGE:
            take_message(call, &received);
            break;
        case GRPC__READ_TOO_LONG:
            (void)snprintf(text, sizeof(text),
                           "grpc: received message larger than max (%" PRIu32 " vs. %" PRIu64 ")",
                           received.len_bytes, max_bytes);
            grpc_call_finish(call, GRPC_RESOURCE_EXHAUSTED, text);
            return;
        case GRPC__READ_NOMEM:
            grpc_call_reset(call, NGHTTP2_INTERNAL_ERROR);
            return;
        }
    }
}

static void take_message(struct grpc_call *call, const struct grpc__received *received)
{
    char text[ERROR_TEXT_BYTES];

    call->has_message = true;
    if (received->flags == 0) {
        call->handler->on_message(call->arg, call, received->message);
    } else if (received->flags != 1) {
        (void)snprintf(text, sizeof(text), "grpc: received unexpected payload format %u",
                       (unsigned)received->flags);
        grpc_call_finish(call, GRPC_INTERNAL, text);
    } else if (!call->is_gzip) {
        grpc_call_finish(call, GRPC_INTERNAL,
                         "grpc: compressed flag set with identity or empty encoding");
    } else {
        take_packed(call, received->message);
    }
}

static void take_packed(struct grpc_call *call, struct rt_slice packed)
{
    uint64_t max_bytes = call->connection->options.max_message_bytes;
    uint64_t len_bytes = 0;
    struct rt_blob *blob = NULL;
    char text[ERROR_TEXT_BYTES];
    enum rt_status status = grpc__gunzip(packed, max_bytes, &blob, &len_bytes);

    if (status == RT_OK) {
        call->handler->on_message(call->arg, call, rt_blob_slice(blob));
        rt_blob_release(blob);
        return;
    }
    if (status == RT_E_LIMIT) {
        (void)snprintf(text, sizeof(text),
                       "grpc: received message after decompression larger than max (%" PRIu64
                       " vs. %" PRIu64 ")",
                       len_bytes, max_bytes);
        grpc_call_finish(call, GRPC_RESOURCE_EXHAUSTED, text);
        return;
    }
    bool is_header_cut = packed.len_bytes < GZIP_HEADER_BYTES;
    (void)snprintf(text, sizeof(text), "grpc: failed to decompress the received message: %s",
                   packed.len_bytes == 0 ? "EOF"
                   : is_header_cut       ? "unexpected EOF"
                                         : "gzip: invalid header");
    grpc_call_finish(call, GRPC_INTERNAL, text);
}

void grpc__call_half_close(struct grpc_call *call)
{
    bool is_cut = grpc__reader_is_amid(&call->reader);

    if (call->is_finished || call->is_reset_wanted) {
        return;
    }
    if (!call->is_streaming && !call->has_message) {
        grpc_call_finish(call, GRPC_UNKNOWN, is_cut ? "unexpected EOF" : "EOF");
    } else if (call->is_streaming && is_cut) {
        grpc_call_finish(call, GRPC_INTERNAL, "unexpected EOF");
    } else if (call->handler->on_half_close != NULL) {
        call->handler->on_half_close(call->arg, call);
    }
}

static void finish_quoting(struct grpc_call *call, int32_t code, const char *before,
                           struct rt_slice quoted)
{
    char quotation[ERROR_TEXT_BYTES];
    char text[2 * ERROR_TEXT_BYTES];

    grpc__text_quote(quoted, quotation, sizeof(quotation));
    (void)snprintf(text, sizeof(text), "%s%s", before, quotation);
    grpc_call_finish(call, code, text);
}
