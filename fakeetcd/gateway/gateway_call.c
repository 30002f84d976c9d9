/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/gateway/gateway_internal.h"
#include "fakeetcd/gateway/json_message.h"
#include "fakeetcd/gateway/json_scan.h"
#include "fakeetcd/gateway/websocket.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * One request of the gateway as a transport of a call:
 *
 *   body --scan--> a JSON value --> protobuf --> fakeetcd_call_message   (a stream: each of them)
 *   send --> JSON: kept for the answer, or a line of a stream --> finish
 *
 * The call begins with its first message: what is no JSON never becomes one.
 */
#define RESULT_TYPE  "application/json"
#define GRPC_HEADER  FAKEETCD__CORS "Grpc-Metadata-Content-Type: application/grpc\r\n"
#define OLD_TRAILER  "Grpc-Trailer-Content-Type"
#define MILLI        1000u
#define PER_S        (UINT64_C(1000) * MILLI)
#define EXPIRED_TEXT "context deadline exceeded"

struct fakeetcd__json_call {
    struct fakeetcd_call call; /* first: the transport finds the rest from it */
    struct fakeetcd_gateway *gateway;
    struct fakeetcd_http *http;
    struct fakeetcd_websocket *websocket; /* NULL: none */
    bool has_begun;                       /* the dispatcher knows the call */
    bool is_input_over;                   /* nothing more is read from the body */
    bool is_answered;
    struct rt_timer deadline;
    struct fakeetcd_text value; /* what has come of a value */
    struct fakeetcd_text wire;
    struct fakeetcd_text out;
    struct fakeetcd_json_scanner scanner;
};

static bool read_timeout(struct fakeetcd__json_call *json_call);
static bool parse_timeout(struct rt_slice text, uint64_t *out_us);
static void take_value(struct fakeetcd__json_call *json_call);
static void take_bad_value(struct fakeetcd__json_call *json_call, const char *words);
static void take_end(struct fakeetcd__json_call *json_call);
static void begin(struct fakeetcd__json_call *json_call);
static void on_deadline(void *arg);
static void answer_error(struct fakeetcd__json_call *json_call, int32_t code, const char *words);
static bool is_stream(const struct fakeetcd__json_call *json_call);
static struct fakeetcd__json_call *of(const struct fakeetcd_call *call);

static bool metadata(const struct fakeetcd_call *call, const char *name,
                     struct rt_slice *out_value);
static enum rt_status send_message(struct fakeetcd_call *call, const ProtobufCMessage *message);
static void send_line(struct fakeetcd__json_call *json_call);
static void finish(struct fakeetcd_call *call, int32_t code, const char *text);
static void finish_unary(struct fakeetcd__json_call *json_call, int32_t code, const char *text);
static void finish_stream(struct fakeetcd__json_call *json_call, int32_t code, const char *text);
static bool is_full(const struct fakeetcd_call *call);
static bool strike(struct fakeetcd_call *call, const struct fault_action *action);
static const char *peer_name(const struct fakeetcd_call *call);

static const struct fakeetcd_transport TRANSPORT = {.metadata = metadata,
                                                    .send = send_message,
                                                    .finish = finish,
                                                    .is_full = is_full,
                                                    .strike = strike,
                                                    .peer_name = peer_name};

bool fakeetcd__json_call_create(struct fakeetcd__http_connection *connection,
                                const struct fakeetcd_method *method, bool is_websocket)
{
    struct fakeetcd__json_call *json_call = calloc(1, sizeof(*json_call));
    if (json_call == NULL) {
        return false;
    }
    json_call->gateway = connection->gateway;
    json_call->http = connection->http;
    json_call->call = (struct fakeetcd_call){.server = connection->gateway->server,
                                             .method = method,
                                             .transport = &TRANSPORT,
                                             .client = fakeetcd_http_peer(connection->http),
                                             .deadline_us = RT_NEVER};
    fakeetcd_json_scanner_init(&json_call->scanner);
    rt_timer_init(&json_call->deadline, connection->gateway->loop, on_deadline, json_call);
    fakeetcd_http_set_owner(connection->http, json_call);
    if (!read_timeout(json_call)) {
        return true;
    }
    if (is_websocket && !fakeetcd_websocket_open(json_call->http, &json_call->websocket)) {
        json_call->is_answered = true;
        json_call->is_input_over = true;
    }
    return true;
}

/* False: it has been answered already. */
static bool read_timeout(struct fakeetcd__json_call *json_call)
{
    struct rt_slice text;
    uint64_t timeout_us = 0;
    if (!fakeetcd_http_header(fakeetcd_http_request(json_call->http), "grpc-timeout", &text)) {
        return true;
    }
    if (!parse_timeout(text, &timeout_us)) {
        char words[64];
        int len = text.len_bytes > 32 ? 32 : (int)text.len_bytes;
        snprintf(words, sizeof(words), "invalid grpc-timeout: %.*s", len, (const char *)text.data);
        answer_error(json_call, GRPC_INVALID_ARGUMENT, words);
        return false;
    }
    json_call->call.deadline_us = rt_loop_now_us(json_call->gateway->loop) + timeout_us;
    if (rt_timer_arm(&json_call->deadline, json_call->call.deadline_us) != RT_OK) {
        answer_error(json_call, GRPC_RESOURCE_EXHAUSTED, "fakeetcd: out of memory");
        return false;
    }
    return true;
}

/* "100m": digits and a unit, as gRPC has it. */
static bool parse_timeout(struct rt_slice text, uint64_t *out_us)
{
    static const struct {
        uint8_t unit;
        uint64_t us;
    } UNITS[] = {{'H', 3600 * PER_S}, {'M', 60 * PER_S}, {'S', PER_S}, {'m', MILLI}, {'u', 1}};
    uint64_t number = 0;
    if (text.len_bytes < 2 || text.len_bytes > 9) {
        return false;
    }
    for (size_t i = 0; i + 1 < text.len_bytes; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
        number = number * 10 + (text.data[i] - (unsigned)'0');
    }
    uint8_t unit = text.data[text.len_bytes - 1];
    if (unit == 'n') {
        *out_us = number / 1000;
        return true;
    }
    for (size_t i = 0; i < sizeof(UNITS) / sizeof(UNITS[0]); i++) {
        if (UNITS[i].unit == unit) {
            *out_us = number * UNITS[i].us;
            return true;
        }
    }
    return false;
}

/* ---- the request ---------------------------------------------------------------------------- */

void fakeetcd__json_call_body(struct fakeetcd__json_call *json_call, struct rt_slice piece)
{
    if (json_call->websocket != NULL) {
        struct rt_slice message;
        while (fakeetcd_websocket_take(json_call->websocket, &piece, &message)) {
            fakeetcd_text_clear(&json_call->value);
            fakeetcd_json_scanner_init(&json_call->scanner);
            size_t used = 0;
            enum fakeetcd_json_scan result =
                fakeetcd_json_scan(&json_call->scanner, message, &used);
            fakeetcd_text_add(&json_call->value, message.data, message.len_bytes);
            if (result == FAKEETCD_JSON_VALUE && !json_call->is_input_over) {
                take_value(json_call);
            } else if (!json_call->is_input_over) {
                take_bad_value(json_call, result == FAKEETCD_JSON_BAD ? json_call->scanner.error
                                                                      : "unexpected EOF");
            }
        }
        return;
    }
    while (piece.len_bytes > 0 && !json_call->is_input_over) {
        size_t used = 0;
        enum fakeetcd_json_scan result = fakeetcd_json_scan(&json_call->scanner, piece, &used);
        fakeetcd_text_add(&json_call->value, piece.data, used);
        piece = rt_slice_of(piece.data + used, piece.len_bytes - used);
        if (json_call->value.is_failed ||
            json_call->value.len_bytes > json_call->gateway->json_bytes_max) {
            char words[96];
            snprintf(words, sizeof(words), "grpc: received message larger than max (%zu vs. %zu)",
                     json_call->value.len_bytes, (size_t)json_call->gateway->message_bytes_max);
            json_call->is_input_over = true;
            answer_error(json_call, GRPC_RESOURCE_EXHAUSTED, words);
        } else if (result == FAKEETCD_JSON_VALUE) {
            take_value(json_call);
            fakeetcd_text_clear(&json_call->value);
        } else if (result == FAKEETCD_JSON_BAD) {
            take_bad_value(json_call, json_call->scanner.error);
        }
    }
}

void fakeetcd__json_call_body_end(struct fakeetcd__json_call *json_call)
{
    if (json_call->is_input_over || json_call->websocket != NULL) {
        return;
    }
    switch (fakeetcd_json_scan_end(&json_call->scanner)) {
    case FAKEETCD_JSON_VALUE:
        take_value(json_call);
        break;
    case FAKEETCD_JSON_BAD:
        take_bad_value(json_call, json_call->scanner.error);
        return;
    default:
        if (json_call->call.method->kind != FAKEETCD_BIDI) {
            fakeetcd_text_clear(&json_call->value); /* no body is an empty message */
            fakeetcd_text_word(&json_call->value, "{}");
            take_value(json_call);
        }
        break;
    }
    if (!json_call->is_input_over) {
        take_end(json_call);
    }
}

void fakeetcd__json_call_body_bad(struct fakeetcd__json_call *json_call, const char *words)
{
    if (!json_call->is_input_over) {
        take_bad_value(json_call, words);
    }
}

static void take_value(struct fakeetcd__json_call *json_call)
{
    const struct fakeetcd_method *method = json_call->call.method;
    char words[FAKEETCD_JSON_ERROR_BYTES];
    fakeetcd_text_clear(&json_call->wire);
    enum rt_status status = fakeetcd_json_to_wire(
        method->request,
        fakeetcd__is_old_gateway(json_call->gateway) ? FAKEETCD_JSON_GO_1_3 : FAKEETCD_JSON_GO_1_5,
        fakeetcd_text_slice(&json_call->value), &json_call->wire, words);
    if (status != RT_OK) {
        take_bad_value(json_call, status == RT_E_MALFORMED ? words : "fakeetcd: out of memory");
        return;
    }
    bool is_last = method->kind != FAKEETCD_BIDI;
    json_call->is_input_over = is_last;
    begin(json_call);
    if (json_call->call.is_finished) {
        return;
    }
    if (json_call->wire.len_bytes > json_call->gateway->message_bytes_max) {
        snprintf(words, sizeof(words), "grpc: received message larger than max (%zu vs. %zu)",
                 json_call->wire.len_bytes, (size_t)json_call->gateway->message_bytes_max);
        finish(&json_call->call, GRPC_RESOURCE_EXHAUSTED, words);
        return;
    }
    fakeetcd_call_message(&json_call->call, fakeetcd_text_slice(&json_call->wire));
    if (is_last && !json_call->call.is_finished) {
        fakeetcd_call_half_close(&json_call->call);
    }
}

/* A stream whose first message is none fails with code 2; later ones only end the sending. */
static void take_bad_value(struct fakeetcd__json_call *json_call, const char *words)
{
    json_call->is_input_over = true;
    if (json_call->has_begun) {
        take_end(json_call);
        return;
    }
    bool is_bidi = json_call->call.method->kind == FAKEETCD_BIDI;
    answer_error(json_call, is_bidi ? GRPC_UNKNOWN : GRPC_INVALID_ARGUMENT, words);
}

/* Nothing more is sent on a stream. */
static void take_end(struct fakeetcd__json_call *json_call)
{
    json_call->is_input_over = true;
    begin(json_call);
    if (!json_call->call.is_finished) {
        fakeetcd_call_half_close(&json_call->call);
    }
}

static void begin(struct fakeetcd__json_call *json_call)
{
    if (!json_call->has_begun) {
        json_call->has_begun = true;
        fakeetcd_call_begin(&json_call->call);
    }
}

void fakeetcd__json_call_drained(struct fakeetcd__json_call *json_call)
{
    if (json_call->has_begun && is_stream(json_call) && !json_call->call.is_finished) {
        fakeetcd_call_drained(&json_call->call);
    }
}

void fakeetcd__json_call_gone(struct fakeetcd__json_call *json_call, bool is_lost)
{
    rt_timer_disarm(&json_call->deadline);
    if (json_call->has_begun) {
        fakeetcd_call_gone(&json_call->call, is_lost || !json_call->call.is_finished);
    }
    fakeetcd_websocket_destroy(json_call->websocket);
    fakeetcd_text_fini(&json_call->value);
    fakeetcd_text_fini(&json_call->wire);
    fakeetcd_text_fini(&json_call->out);
    free(json_call);
}

/* ---- the answer ----------------------------------------------------------------------------- */

static enum rt_status send_message(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    struct fakeetcd__json_call *json_call = of(call);
    fakeetcd_text_clear(&json_call->out);
    if (!is_stream(json_call)) {
        fakeetcd_json_of_message(message, &json_call->out);
        return json_call->out.is_failed ? RT_E_NOMEM : RT_OK;
    }
    fakeetcd_text_word(&json_call->out, "{\"result\":");
    fakeetcd_json_of_message(message, &json_call->out);
    fakeetcd_text_word(&json_call->out, "}\n");
    if (json_call->out.is_failed) {
        return RT_E_NOMEM;
    }
    send_line(json_call);
    return RT_OK;
}

static void send_line(struct fakeetcd__json_call *json_call)
{
    struct rt_slice line = fakeetcd_text_slice(&json_call->out);
    if (json_call->is_answered) {
        return;
    }
    if (json_call->websocket != NULL) {
        line.len_bytes--; /* a frame needs no line end */
        fakeetcd_websocket_send(json_call->websocket, line);
        return;
    }
    if (!fakeetcd_http_has_begun(json_call->http)) {
        fakeetcd_http_begin(json_call->http,
                            &(struct fakeetcd_http_answer){.status = 200,
                                                           .content_type = RESULT_TYPE,
                                                           .headers = GRPC_HEADER});
    }
    fakeetcd_http_chunk(json_call->http, line);
}

static void finish(struct fakeetcd_call *call, int32_t code, const char *text)
{
    struct fakeetcd__json_call *json_call = of(call);
    rt_timer_disarm(&json_call->deadline);
    if (json_call->is_answered) {
        return;
    }
    if (is_stream(json_call)) {
        finish_stream(json_call, code, text);
    } else {
        finish_unary(json_call, code, text);
    }
    json_call->is_answered = true;
}

static void finish_unary(struct fakeetcd__json_call *json_call, int32_t code, const char *text)
{
    struct fakeetcd_http_answer answer = {.status = fakeetcd__http_status(json_call->gateway, code),
                                          .content_type = RESULT_TYPE,
                                          .headers = GRPC_HEADER};
    if (code != GRPC_OK) {
        fakeetcd_text_clear(&json_call->out);
        fakeetcd__error_json(json_call->gateway, code, text, &json_call->out);
        answer.headers = FAKEETCD__CORS;
        if (fakeetcd__is_old_gateway(json_call->gateway)) {
            answer.headers = FAKEETCD__CORS "Trailer: " OLD_TRAILER "\r\n";
            answer.trailer = OLD_TRAILER ": application/grpc";
        }
    }
    if (json_call->out.is_failed) {
        fakeetcd_http_cut(json_call->http, true);
        return;
    }
    answer.body = fakeetcd_text_slice(&json_call->out);
    fakeetcd_http_answer(json_call->http, &answer);
}

static void finish_stream(struct fakeetcd__json_call *json_call, int32_t code, const char *text)
{
    struct fakeetcd_http *http = json_call->http;
    fakeetcd_text_clear(&json_call->out);
    if (code != GRPC_OK) {
        fakeetcd__stream_error_json(json_call->gateway, code, text, &json_call->out);
    }
    struct rt_slice line = fakeetcd_text_slice(&json_call->out);
    if (json_call->websocket != NULL) {
        if (line.len_bytes > 0) {
            fakeetcd_websocket_send(json_call->websocket, line);
        }
        fakeetcd_websocket_close(json_call->websocket);
        return;
    }
    if (!fakeetcd_http_has_begun(http)) {
        fakeetcd_http_begin(http, &(struct fakeetcd_http_answer){
                                      .status = fakeetcd__http_status(json_call->gateway, code),
                                      .content_type = RESULT_TYPE,
                                      .headers = FAKEETCD__CORS});
    }
    fakeetcd_http_chunk(http, line);
    fakeetcd_http_end(http);
}

static void on_deadline(void *arg)
{
    answer_error(arg, GRPC_DEADLINE_EXCEEDED, EXPIRED_TEXT);
}

/* An error that the gateway itself finds: the call, if there is one, is cancelled. */
static void answer_error(struct fakeetcd__json_call *json_call, int32_t code, const char *words)
{
    json_call->is_input_over = true;
    if (json_call->is_answered) {
        return;
    }
    json_call->is_answered = true;
    fakeetcd_text_clear(&json_call->out);
    if (json_call->websocket != NULL || fakeetcd_http_has_begun(json_call->http)) {
        finish_stream(json_call, code, words);
        return;
    }
    fakeetcd__error_json(json_call->gateway, code, words, &json_call->out);
    fakeetcd_http_answer(
        json_call->http,
        &(struct fakeetcd_http_answer){.status = fakeetcd__http_status(json_call->gateway, code),
                                       .content_type = RESULT_TYPE,
                                       .headers = FAKEETCD__CORS,
                                       .body = fakeetcd_text_slice(&json_call->out)});
}

/* ---- the transport's other duties ----------------------------------------------------------- */

/* etcd's gateway hands on Grpc-Metadata-NAME as NAME; a token also comes as Authorization. */
static bool metadata(const struct fakeetcd_call *call, const char *name, struct rt_slice *out_value)
{
    const struct fakeetcd_http_request *request = fakeetcd_http_request(of(call)->http);
    char header[96];
    snprintf(header, sizeof(header), "grpc-metadata-%s", name);
    if (fakeetcd_http_header(request, header, out_value)) {
        return true;
    }
    if (strcmp(name, "token") == 0 || strcmp(name, "authorization") == 0) {
        return fakeetcd_http_header(request, "authorization", out_value);
    }
    return strcmp(name, "user-agent") == 0 &&
           fakeetcd_http_header(request, "user-agent", out_value);
}

static bool is_full(const struct fakeetcd_call *call)
{
    return is_stream(of(call)) && fakeetcd_http_is_full(of(call)->http);
}

static bool strike(struct fakeetcd_call *call, const struct fault_action *action)
{
    struct fakeetcd_http *http = of(call)->http;
    switch (action->kind) {
    case FAULT_RST:
    case FAULT_CUT:
        fakeetcd_http_cut(http, true);
        return true;
    case FAULT_FIN:
        fakeetcd_http_cut(http, false);
        return true;
    case FAULT_STALL:
        fakeetcd_http_freeze(http, true);
        return true;
    case FAULT_TRUNCATE:
    case FAULT_CORRUPT:
        fakeetcd_http_spoil(http, action->kind == FAULT_TRUNCATE, action->byte_offset);
        return true;
    default:
        return false;
    }
}

/* Certificates say who is there over gRPC only, not through etcd's gateway. */
static const char *peer_name(const struct fakeetcd_call *call)
{
    (void)call;
    return "";
}

static bool is_stream(const struct fakeetcd__json_call *json_call)
{
    return json_call->call.method->kind != FAKEETCD_UNARY || json_call->websocket != NULL;
}

static struct fakeetcd__json_call *of(const struct fakeetcd_call *call)
{
    return (struct fakeetcd__json_call *)call;
}
