/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/gateway/websocket.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>

#define ACCEPT_SUFFIX "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* RFC 6455, 1.3 */

enum {
    KEY_BYTES = 24, /* base64 of 16 bytes */
    HEAD_BYTES_MAX = 14,
    CONTROL_BYTES_MAX = 125,
    OP_CONTINUATION = 0,
    OP_TEXT = 1,
    OP_BINARY = 2,
    OP_CLOSE = 8,
    OP_PING = 9,
    OP_PONG = 10,
    CLOSE_NORMAL = 1000,
    CLOSE_PROTOCOL = 1002,
    CLOSE_TOO_BIG = 1009
};

struct fakeetcd_websocket {
    struct fakeetcd_http *http;
    bool is_closed;
    bool is_in_message; /* fragments have come */
    uint8_t head[HEAD_BYTES_MAX];
    size_t head_bytes;
    uint64_t left_bytes; /* of the frame's payload */
    size_t mask_at;
    struct fakeetcd_text message;
    struct fakeetcd_text control;
};

static bool take_head(struct fakeetcd_websocket *websocket, struct rt_slice *bytes);
static size_t head_needed(const struct fakeetcd_websocket *websocket);
static bool begin_frame(struct fakeetcd_websocket *websocket);
static void take_payload(struct fakeetcd_websocket *websocket, struct rt_slice *bytes);
static bool end_frame(struct fakeetcd_websocket *websocket);
static void send_frame(struct fakeetcd_websocket *websocket, uint8_t op, struct rt_slice payload);
static void close_with(struct fakeetcd_websocket *websocket, uint16_t code);
static uint8_t op_of(const struct fakeetcd_websocket *websocket);

/* ---- handshake ------------------------------------------------------------------------------ */

bool fakeetcd_websocket_open(struct fakeetcd_http *http, struct fakeetcd_websocket **out_websocket)
{
    const struct fakeetcd_http_request *request = fakeetcd_http_request(http);
    struct rt_slice version;
    struct rt_slice key;
    char headers[160];
    char accept[29];
    if (!fakeetcd_http_header(request, "sec-websocket-version", &version) ||
        !rt_slice_is_text(version, "13") ||
        !fakeetcd_http_header(request, "sec-websocket-key", &key) || key.len_bytes != KEY_BYTES) {
        fakeetcd_http_answer(
            http, &(struct fakeetcd_http_answer){.status = 400,
                                                 .content_type = "text/plain; charset=utf-8",
                                                 .headers = "Sec-Websocket-Version: 13\r\n",
                                                 .body = rt_slice_text("Bad Request\n")});
        return false;
    }
    struct fakeetcd_websocket *websocket = calloc(1, sizeof(*websocket));
    if (websocket == NULL) {
        fakeetcd_http_cut(http, true);
        return false;
    }
    websocket->http = http;
    fakeetcd_websocket_accept_key(key, accept);
    snprintf(headers, sizeof(headers),
             "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n", accept);
    fakeetcd_http_upgrade(http, headers);
    *out_websocket = websocket;
    return true;
}

void fakeetcd_websocket_destroy(struct fakeetcd_websocket *websocket)
{
    if (websocket != NULL) {
        fakeetcd_text_fini(&websocket->message);
        fakeetcd_text_fini(&websocket->control);
        free(websocket);
    }
}

void fakeetcd_websocket_accept_key(struct rt_slice key, char out_text[29])
{
    struct fakeetcd_text text = {0};
    struct fakeetcd_text base64 = {0};
    uint8_t digest[SHA_DIGEST_LENGTH];
    fakeetcd_text_add(&text, key.data, key.len_bytes);
    fakeetcd_text_word(&text, ACCEPT_SUFFIX);
    SHA1((const uint8_t *)text.data, text.len_bytes, digest);
    fakeetcd_text_base64(&base64, rt_slice_of(digest, sizeof(digest)));
    out_text[0] = '\0';
    if (!text.is_failed && !base64.is_failed) {
        snprintf(out_text, 29, "%.*s", (int)base64.len_bytes, base64.data);
    }
    fakeetcd_text_fini(&text);
    fakeetcd_text_fini(&base64);
}

/* ---- frames that come ----------------------------------------------------------------------- */

bool fakeetcd_websocket_take(struct fakeetcd_websocket *websocket, struct rt_slice *bytes,
                             struct rt_slice *out_message)
{
    if (websocket->head_bytes == 0 && !websocket->is_in_message) {
        fakeetcd_text_clear(&websocket->message); /* the one handed out before */
    }
    while (!websocket->is_closed) {
        if (!take_head(websocket, bytes)) {
            return false;
        }
        take_payload(websocket, bytes);
        if (websocket->left_bytes > 0 || websocket->is_closed) {
            return false;
        }
        if (end_frame(websocket)) {
            *out_message = fakeetcd_text_slice(&websocket->message);
            return true;
        }
    }
    return false;
}

/* False: it is not complete yet, or wrong. */
static bool take_head(struct fakeetcd_websocket *websocket, struct rt_slice *bytes)
{
    if (websocket->head_bytes >= 2 && websocket->head_bytes == head_needed(websocket)) {
        return true; /* its payload is under way */
    }
    while (bytes->len_bytes > 0) {
        websocket->head[websocket->head_bytes++] = bytes->data[0];
        *bytes = rt_slice_of(bytes->data + 1, bytes->len_bytes - 1);
        if (websocket->head_bytes >= 2 && websocket->head_bytes == head_needed(websocket)) {
            return begin_frame(websocket);
        }
    }
    return false;
}

/* Two bytes, the long length, the mask that every client's frame has. */
static size_t head_needed(const struct fakeetcd_websocket *websocket)
{
    uint8_t length = websocket->head[1] & 0x7f;
    size_t masked = (websocket->head[1] & 0x80) != 0 ? 4 : 0;
    return 2 + (length == 126 ? 2u : length == 127 ? 8u : 0u) + masked;
}

static bool begin_frame(struct fakeetcd_websocket *websocket)
{
    const uint8_t *head = websocket->head;
    uint64_t length = head[1] & 0x7f;
    size_t extra = length == 126 ? 2 : length == 127 ? 8 : 0;
    if (extra > 0) {
        length = 0;
        for (size_t i = 0; i < extra; i++) {
            length = length << 8 | head[2 + i];
        }
    }
    uint8_t op = op_of(websocket);
    bool is_control = op >= OP_CLOSE;
    bool is_final = (head[0] & 0x80) != 0;
    bool is_known = op <= OP_BINARY || (op >= OP_CLOSE && op <= OP_PONG);
    bool is_in_order = is_control || (op == OP_CONTINUATION) == websocket->is_in_message;
    if (!is_known || (head[0] & 0x70) != 0 || (head[1] & 0x80) == 0 || !is_in_order ||
        (is_control && (length > CONTROL_BYTES_MAX || !is_final))) {
        close_with(websocket, CLOSE_PROTOCOL);
        return false;
    }
    if (length > FAKEETCD_WEBSOCKET_MESSAGE_BYTES_MAX ||
        websocket->message.len_bytes + length > FAKEETCD_WEBSOCKET_MESSAGE_BYTES_MAX) {
        close_with(websocket, CLOSE_TOO_BIG);
        return false;
    }
    websocket->left_bytes = length;
    websocket->mask_at = 0;
    fakeetcd_text_clear(&websocket->control);
    return true;
}

static void take_payload(struct fakeetcd_websocket *websocket, struct rt_slice *bytes)
{
    size_t len_bytes =
        bytes->len_bytes < websocket->left_bytes ? bytes->len_bytes : (size_t)websocket->left_bytes;
    struct fakeetcd_text *into =
        op_of(websocket) >= OP_CLOSE ? &websocket->control : &websocket->message;
    const uint8_t *mask = websocket->head + websocket->head_bytes - 4;
    char *room = len_bytes == 0 ? NULL : fakeetcd_text_room(into, len_bytes);
    for (size_t i = 0; room != NULL && i < len_bytes; i++) {
        room[i] = (char)(bytes->data[i] ^ mask[websocket->mask_at++ % 4]);
    }
    if (into->is_failed) {
        close_with(websocket, CLOSE_TOO_BIG);
    }
    websocket->left_bytes -= len_bytes;
    *bytes = rt_slice_of(bytes->data + len_bytes, bytes->len_bytes - len_bytes);
}

/* True: a message is complete. */
static bool end_frame(struct fakeetcd_websocket *websocket)
{
    uint8_t op = op_of(websocket);
    bool is_final = (websocket->head[0] & 0x80) != 0;
    websocket->head_bytes = 0;
    switch (op) {
    case OP_CLOSE:
        close_with(websocket, CLOSE_NORMAL);
        return false;
    case OP_PING:
        send_frame(websocket, OP_PONG, fakeetcd_text_slice(&websocket->control));
        return false;
    case OP_PONG:
        return false;
    default:
        websocket->is_in_message = !is_final;
        return is_final;
    }
}

/* ---- frames that go ------------------------------------------------------------------------- */

void fakeetcd_websocket_send(struct fakeetcd_websocket *websocket, struct rt_slice message)
{
    if (!websocket->is_closed) {
        send_frame(websocket, OP_TEXT, message);
    }
}

void fakeetcd_websocket_close(struct fakeetcd_websocket *websocket)
{
    if (!websocket->is_closed) {
        close_with(websocket, CLOSE_NORMAL);
    }
}

static void send_frame(struct fakeetcd_websocket *websocket, uint8_t op, struct rt_slice payload)
{
    uint8_t head[10] = {(uint8_t)(0x80 | op)};
    size_t head_bytes = 2;
    if (payload.len_bytes < 126) {
        head[1] = (uint8_t)payload.len_bytes;
    } else {
        size_t extra = payload.len_bytes <= UINT16_MAX ? 2 : 8;
        head[1] = extra == 2 ? 126 : 127;
        for (size_t i = 0; i < extra; i++) {
            head[2 + i] = (uint8_t)((uint64_t)payload.len_bytes >> (8 * (extra - 1 - i)));
        }
        head_bytes += extra;
    }
    fakeetcd_http_put(websocket->http, rt_slice_of(head, head_bytes));
    fakeetcd_http_put(websocket->http, payload);
}

static void close_with(struct fakeetcd_websocket *websocket, uint16_t code)
{
    uint8_t payload[2] = {(uint8_t)(code >> 8), (uint8_t)code};
    websocket->is_closed = true;
    send_frame(websocket, OP_CLOSE, rt_slice_of(payload, sizeof(payload)));
    fakeetcd_http_end(websocket->http);
}

static uint8_t op_of(const struct fakeetcd_websocket *websocket)
{
    return websocket->head[0] & 0x0f;
}
