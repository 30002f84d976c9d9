/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/zmtp/zmtp_codec.h"

#include <strings.h>

/*
 * Commands of an open NULL connection. A body is a name with its length in front, then data:
 *
 *   READY  properties: (length, name, 4-byte length, value)*
 *   PING   time to live, context; the answer PONG carries the context back
 *   ERROR  length, reason
 */
static enum rt_status on_ready(struct zmtp_codec *codec, struct rt_slice data);
static enum rt_status take_property(struct zmtp_codec *codec, struct rt_slice *data,
                                    struct rt_slice *out_name, struct rt_slice *out_value);
static enum rt_status on_ping(struct zmtp_codec *codec, struct rt_slice data,
                              struct rt_outbox *out);
static enum rt_status on_error(struct zmtp_codec *codec, struct rt_slice data);
static bool take(struct rt_slice *from, size_t len_bytes, struct rt_slice *out_bytes);
static size_t put(uint8_t *to, const void *data, size_t len_bytes);
static bool is_name(struct rt_slice name, const char *text);

#define PING_TTL_BYTES         2u
#define PING_CONTEXT_MAX_BYTES 16u

enum rt_status zmtp__command(struct zmtp_codec *codec, struct rt_slice body, struct rt_outbox *out,
                             bool *out_is_ready)
{
    struct rt_slice length;
    struct rt_slice name;
    *out_is_ready = false;
    if (!take(&body, 1, &length) || !take(&body, length.data[0], &name)) {
        return zmtp__fail(codec, RT_E_MALFORMED, "a command's name is longer than the command");
    }
    if (rt_slice_is_text(name, "READY") && codec->state == ZMTP__HANDSHAKE) {
        *out_is_ready = true;
        return on_ready(codec, body);
    }
    if (rt_slice_is_text(name, "PING")) {
        return on_ping(codec, body, out);
    }
    if (rt_slice_is_text(name, "ERROR")) {
        return on_error(codec, body);
    }
    return RT_OK; /* PONG, a second READY, what later versions invent */
}

/* ---- READY ---------------------------------------------------------------------------------- */

static enum rt_status on_ready(struct zmtp_codec *codec, struct rt_slice data)
{
    while (data.len_bytes > 0) {
        struct rt_slice name = {0};
        struct rt_slice value = {0};
        enum rt_status status = take_property(codec, &data, &name, &value);
        if (status != RT_OK) {
            return status;
        }
        if (!is_name(name, "Identity")) {
            continue; /* socket types are not checked: the real worker refuses nothing else */
        }
        if (value.len_bytes > ZMTP__IDENTITY_LIMIT_BYTES) {
            return zmtp__fail(codec, RT_E_LIMIT, "an identity of %zu bytes, more than %u",
                              value.len_bytes, ZMTP__IDENTITY_LIMIT_BYTES);
        }
        codec->peer_identity_bytes = put(codec->peer_identity, value.data, value.len_bytes);
    }
    return RT_OK;
}

static enum rt_status take_property(struct zmtp_codec *codec, struct rt_slice *data,
                                    struct rt_slice *out_name, struct rt_slice *out_value)
{
    struct rt_slice length;
    if (!take(data, 1, &length) || length.data[0] == 0 || !take(data, length.data[0], out_name)) {
        return zmtp__fail(codec, RT_E_MALFORMED, "READY: a property's name does not fit");
    }
    if (!take(data, 4, &length)) {
        return zmtp__fail(codec, RT_E_MALFORMED, "READY: a property ends before its value");
    }
    uint32_t value_bytes = (uint32_t)length.data[0] << 24 | (uint32_t)length.data[1] << 16 |
                           (uint32_t)length.data[2] << 8 | length.data[3];
    if (!take(data, value_bytes, out_value)) {
        return zmtp__fail(codec, RT_E_MALFORMED, "READY: a value of %u bytes where %zu are left",
                          value_bytes, data->len_bytes);
    }
    return RT_OK;
}

enum rt_status zmtp__write_ready(const struct zmtp_codec *codec, struct rt_outbox *out)
{
    static const uint8_t SOCKET_TYPE[] = "\5READY\13Socket-Type\0\0\0\6";
    static const uint8_t IDENTITY[] = "\10Identity\0\0\0";
    const char *type = codec->options.role == ZMTP_DEALER ? "DEALER" : "ROUTER";
    struct rt_slice identity = codec->options.identity;
    uint8_t frame[9 + 64 + ZMTP__IDENTITY_LIMIT_BYTES];
    uint8_t *body = frame + 9;
    size_t len_bytes = put(body, SOCKET_TYPE, sizeof(SOCKET_TYPE) - 1);
    len_bytes += put(body + len_bytes, type, strlen(type));
    len_bytes += put(body + len_bytes, IDENTITY, sizeof(IDENTITY) - 1);
    body[len_bytes++] = (uint8_t)identity.len_bytes; /* at most 255: the length's last byte */
    len_bytes += put(body + len_bytes, identity.data, identity.len_bytes);

    /* The header ends where the body starts: two bytes, or nine for a long identity. */
    if (len_bytes <= 255) {
        body[-2] = ZMTP__COMMAND;
        body[-1] = (uint8_t)len_bytes;
        return rt_outbox_add(out, body - 2, len_bytes + 2);
    }
    memset(frame, 0, 9);
    frame[0] = ZMTP__COMMAND | ZMTP__LONG;
    frame[7] = (uint8_t)(len_bytes >> 8);
    frame[8] = (uint8_t)(len_bytes & 0xff);
    return rt_outbox_add(out, frame, len_bytes + 9);
}

/* ---- PING and ERROR ------------------------------------------------------------------------- */

static enum rt_status on_ping(struct zmtp_codec *codec, struct rt_slice data, struct rt_outbox *out)
{
    struct rt_slice ttl;
    if (!take(&data, PING_TTL_BYTES, &ttl)) {
        return zmtp__fail(codec, RT_E_MALFORMED, "PING without its time to live");
    }
    uint8_t pong[2 + 5 + PING_CONTEXT_MAX_BYTES] = {ZMTP__COMMAND, 0, 4, 'P', 'O', 'N', 'G'};
    size_t context_bytes = data.len_bytes;
    if (context_bytes > PING_CONTEXT_MAX_BYTES) {
        context_bytes = PING_CONTEXT_MAX_BYTES; /* as libzmq answers: the specified maximum */
    }
    pong[1] = (uint8_t)(5 + context_bytes);
    (void)put(pong + 7, data.data, context_bytes);
    if (rt_outbox_add(out, pong, 7 + context_bytes) != RT_OK) {
        return zmtp__fail(codec, RT_E_NOMEM, "no memory for a PONG");
    }
    return RT_OK;
}

static enum rt_status on_error(struct zmtp_codec *codec, struct rt_slice data)
{
    struct rt_slice length;
    struct rt_slice reason;
    char text[80];
    size_t text_bytes = 0;
    if (!take(&data, 1, &length) || !take(&data, length.data[0], &reason)) {
        return zmtp__fail(codec, RT_E_MALFORMED, "ERROR: the reason does not fit");
    }
    while (text_bytes < reason.len_bytes && text_bytes < sizeof(text) - 1) {
        uint8_t byte = reason.data[text_bytes];
        text[text_bytes++] = byte >= ' ' && byte < 0x7f ? (char)byte : '?';
    }
    text[text_bytes] = '\0';
    return zmtp__fail(codec, RT_E_MALFORMED, "the peer refused the connection: \"%s\"", text);
}

/* ---- helpers -------------------------------------------------------------------------------- */

static bool take(struct rt_slice *from, size_t len_bytes, struct rt_slice *out_bytes)
{
    if (from->len_bytes < len_bytes) {
        return false;
    }
    *out_bytes = rt_slice_of(from->data, len_bytes);
    if (len_bytes > 0) {
        *from = rt_slice_of(from->data + len_bytes, from->len_bytes - len_bytes);
    }
    return true;
}

static size_t put(uint8_t *to, const void *data, size_t len_bytes)
{
    if (len_bytes > 0) {
        memcpy(to, data, len_bytes);
    }
    return len_bytes;
}

/* Names of properties are case-insensitive. */
static bool is_name(struct rt_slice name, const char *text)
{
    return name.len_bytes == strlen(text) &&
           strncasecmp((const char *)name.data, text, name.len_bytes) == 0;
}
