/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/zmtp/zmtp_codec.h"

#include <assert.h>
#include <inttypes.h>

/*
 * Bytes in, events out:
 *
 *   GREETING --64 right bytes--> HANDSHAKE --READY--> OPEN
 *
 *   frames:  read_header --command--> receive_command
 *                 '--message--> read_body (small, or a blob) --last frame--> deliver
 *
 * Whatever is wrong goes through zmtp__fail(): the state is FAILED and stays so.
 */
static enum rt_status receive_greeting(struct zmtp_codec *codec, struct rt_inbox *in,
                                       struct rt_outbox *out, enum zmtp_event *out_event);
static enum rt_status check_greeting(struct zmtp_codec *codec, struct rt_slice greeting);
static enum rt_status receive_frames(struct zmtp_codec *codec, struct rt_inbox *in,
                                     struct rt_outbox *out, enum zmtp_event *out_event,
                                     struct zmtp_message *out_message);
static enum rt_status read_header(struct zmtp_codec *codec, struct rt_inbox *in);
static enum rt_status check_flags(struct zmtp_codec *codec, uint8_t flags);
static enum rt_status check_length(struct zmtp_codec *codec, uint64_t length_bytes);
static enum rt_status receive_command(struct zmtp_codec *codec, struct rt_inbox *in,
                                      struct rt_outbox *out, bool *out_is_ready);
static enum rt_status read_body(struct zmtp_codec *codec, struct rt_inbox *in);
static bool is_small(const struct zmtp_codec *codec);
static enum rt_status read_small_body(struct zmtp_codec *codec, struct rt_inbox *in);
static enum rt_status read_blob(struct zmtp_codec *codec, struct rt_inbox *in);
static enum zmtp_event deliver(struct zmtp_codec *codec, struct zmtp_message *out_message);

#define SIGNATURE_BYTES   10u
#define VERSION_OFFSET    10u
#define MECHANISM_OFFSET  12u
#define MECHANISM_BYTES   20u
#define AS_SERVER_OFFSET  (MECHANISM_OFFSET + MECHANISM_BYTES)
#define LONG_HEADER_BYTES 9u

enum rt_status zmtp_receive(struct zmtp_codec *codec, struct rt_inbox *in, struct rt_outbox *out,
                            enum zmtp_event *out_event, struct zmtp_message *out_message)
{
    assert(codec->state != ZMTP__CREATED);
    if (codec->is_delivered) {
        codec->is_delivered = false;
        zmtp__gather_clear(&codec->gather);
    }
    switch (codec->state) {
    case ZMTP__FAILED:
        return codec->failure;
    case ZMTP__GREETING:
        return receive_greeting(codec, in, out, out_event);
    default:
        return receive_frames(codec, in, out, out_event, out_message);
    }
}

static enum rt_status receive_greeting(struct zmtp_codec *codec, struct rt_inbox *in,
                                       struct rt_outbox *out, enum zmtp_event *out_event)
{
    size_t len_bytes = rt_inbox_len_bytes(in);
    if (len_bytes > ZMTP__GREETING_BYTES) {
        len_bytes = ZMTP__GREETING_BYTES;
    }
    codec->waiting_bytes = len_bytes;
    struct rt_slice greeting = rt_inbox_peek(in, len_bytes);
    if (greeting.len_bytes < len_bytes) {
        return zmtp__fail(codec, RT_E_NOMEM, "no memory for the greeting");
    }
    enum rt_status status = check_greeting(codec, greeting);
    if (status != RT_OK) {
        return status;
    }
    if (len_bytes < ZMTP__GREETING_BYTES) {
        return RT_E_AGAIN;
    }
    rt_inbox_drain(in, ZMTP__GREETING_BYTES);
    codec->offset_bytes += ZMTP__GREETING_BYTES;
    if (zmtp__write_ready(codec, out) != RT_OK) {
        return zmtp__fail(codec, RT_E_NOMEM, "no memory for READY");
    }
    codec->state = ZMTP__HANDSHAKE;
    *out_event = ZMTP_EVENT_GREETED;
    return RT_OK;
}

/* Judges what is there of it, so that a wrong peer is refused at its first wrong byte. Bytes 1 to
 * 8 are not checked: libzmq writes the length of its identity there. */
static enum rt_status check_greeting(struct zmtp_codec *codec, struct rt_slice greeting)
{
    const uint8_t *bytes = greeting.data;
    size_t len_bytes = greeting.len_bytes;
    if (len_bytes > 0 && bytes[0] != 0xff) {
        return zmtp__fail(codec, RT_E_MALFORMED, "greeting: byte 0 is 0x%02x, not 0xff", bytes[0]);
    }
    if (len_bytes >= SIGNATURE_BYTES && (bytes[SIGNATURE_BYTES - 1] & 1) == 0) {
        return zmtp__fail(codec, RT_E_MALFORMED, "greeting: byte 9 is 0x%02x, bit 0 must be set",
                          bytes[SIGNATURE_BYTES - 1]);
    }
    if (len_bytes > VERSION_OFFSET && bytes[VERSION_OFFSET] < 3) {
        return zmtp__fail(codec, RT_E_MALFORMED, "greeting: ZMTP version %u, not 3 or later",
                          bytes[VERSION_OFFSET]);
    }
    for (size_t i = MECHANISM_OFFSET; i < len_bytes && i < AS_SERVER_OFFSET; i++) {
        if (bytes[i] != zmtp__greeting[i]) {
            return zmtp__fail(codec, RT_E_MALFORMED,
                              "greeting: byte %zu is 0x%02x: the mechanism is not NULL", i,
                              bytes[i]);
        }
    }
    return RT_OK;
}

static enum rt_status receive_frames(struct zmtp_codec *codec, struct rt_inbox *in,
                                     struct rt_outbox *out, enum zmtp_event *out_event,
                                     struct zmtp_message *out_message)
{
    for (;;) {
        enum rt_status status = codec->has_header ? RT_OK : read_header(codec, in);
        if (status != RT_OK) {
            return status;
        }
        if ((codec->flags & ZMTP__COMMAND) != 0) {
            bool is_ready = false;
            status = receive_command(codec, in, out, &is_ready);
            if (status != RT_OK) {
                return status;
            }
            if (is_ready) {
                codec->state = ZMTP__OPEN;
                *out_event = ZMTP_EVENT_OPEN;
                return RT_OK;
            }
            continue;
        }
        status = read_body(codec, in);
        if (status != RT_OK) {
            return status;
        }
        if ((codec->flags & ZMTP__MORE) == 0) {
            *out_event = deliver(codec, out_message);
            return RT_OK;
        }
    }
}

static enum rt_status read_header(struct zmtp_codec *codec, struct rt_inbox *in)
{
    struct rt_slice header = rt_inbox_peek(in, 1);
    if (header.len_bytes == 0) {
        return RT_E_AGAIN;
    }
    uint8_t flags = header.data[0];
    enum rt_status status = check_flags(codec, flags);
    if (status != RT_OK) {
        return status;
    }
    size_t header_bytes = (flags & ZMTP__LONG) != 0 ? LONG_HEADER_BYTES : 2;
    header = rt_inbox_peek(in, header_bytes);
    if (header.len_bytes == 0) {
        return RT_E_AGAIN;
    }
    uint64_t length_bytes = 0;
    for (size_t i = 1; i < header_bytes; i++) {
        length_bytes = length_bytes << 8 | header.data[i];
    }
    codec->flags = flags;
    status = check_length(codec, length_bytes);
    if (status != RT_OK) {
        return status;
    }
    rt_inbox_drain(in, header_bytes);
    codec->offset_bytes += header_bytes;
    codec->length_bytes = (size_t)length_bytes;
    codec->has_header = true;
    return RT_OK;
}

static enum rt_status check_flags(struct zmtp_codec *codec, uint8_t flags)
{
    if ((flags & ZMTP__RESERVED) != 0) {
        return zmtp__fail(codec, RT_E_MALFORMED, "a frame's flags are 0x%02x: reserved bits set",
                          flags);
    }
    if ((flags & ZMTP__COMMAND) != 0 && (flags & ZMTP__MORE) != 0) {
        return zmtp__fail(codec, RT_E_MALFORMED, "a frame's flags are 0x%02x: command with more",
                          flags);
    }
    if ((flags & ZMTP__COMMAND) == 0 && codec->state == ZMTP__HANDSHAKE) {
        return zmtp__fail(codec, RT_E_MALFORMED, "a message before READY");
    }
    return RT_OK;
}

/* Before anything is done for the frame: an announced length alone must cost nothing. */
static enum rt_status check_length(struct zmtp_codec *codec, uint64_t length_bytes)
{
    const struct zmtp_options *options = &codec->options;
    const struct zmtp__gather *gather = &codec->gather;
    if ((codec->flags & ZMTP__COMMAND) != 0) {
        if (length_bytes > ZMTP__COMMAND_LIMIT_BYTES) {
            return zmtp__fail(codec, RT_E_LIMIT, "a command of %" PRIu64 " bytes, more than %u",
                              length_bytes, ZMTP__COMMAND_LIMIT_BYTES);
        }
        return RT_OK;
    }
    if (length_bytes > options->frame_limit_bytes) {
        return zmtp__fail(codec, RT_E_LIMIT, "a frame of %" PRIu64 " bytes, more than %zu",
                          length_bytes, options->frame_limit_bytes);
    }
    if (gather->frame_count >= options->message_limit_frames) {
        return zmtp__fail(codec, RT_E_LIMIT, "a message of more than %zu frames",
                          options->message_limit_frames);
    }
    if (length_bytes > options->message_limit_bytes - gather->total_bytes) {
        return zmtp__fail(codec, RT_E_LIMIT, "a message of more than %zu bytes",
                          options->message_limit_bytes);
    }
    return RT_OK;
}

static enum rt_status receive_command(struct zmtp_codec *codec, struct rt_inbox *in,
                                      struct rt_outbox *out, bool *out_is_ready)
{
    if (rt_inbox_len_bytes(in) < codec->length_bytes) {
        return RT_E_AGAIN;
    }
    struct rt_slice body = rt_inbox_peek(in, codec->length_bytes);
    if (body.len_bytes < codec->length_bytes) {
        return zmtp__fail(codec, RT_E_NOMEM, "no memory for a command");
    }
    enum rt_status status = zmtp__command(codec, body, out, out_is_ready);
    if (status != RT_OK) {
        return status;
    }
    rt_inbox_drain(in, codec->length_bytes);
    codec->offset_bytes += codec->length_bytes;
    codec->has_header = false;
    return RT_OK;
}

static enum rt_status read_body(struct zmtp_codec *codec, struct rt_inbox *in)
{
    enum rt_status status = is_small(codec) ? read_small_body(codec, in) : read_blob(codec, in);
    if (status == RT_E_NOMEM) {
        return zmtp__fail(codec, RT_E_NOMEM, "no memory for a frame of %zu bytes",
                          codec->length_bytes);
    }
    if (status != RT_OK) {
        return status;
    }
    codec->offset_bytes += codec->length_bytes;
    codec->has_header = false;
    return RT_OK;
}

/* A message of very many small frames goes on in blobs rather than in one huge buffer. */
static bool is_small(const struct zmtp_codec *codec)
{
    return codec->length_bytes <= codec->options.blob_threshold_bytes &&
           codec->length_bytes <= ZMTP__SMALL_LIMIT_BYTES - codec->gather.small_bytes;
}

static enum rt_status read_small_body(struct zmtp_codec *codec, struct rt_inbox *in)
{
    if (rt_inbox_len_bytes(in) < codec->length_bytes) {
        return RT_E_AGAIN;
    }
    struct rt_slice body = rt_inbox_peek(in, codec->length_bytes);
    if (body.len_bytes < codec->length_bytes) {
        return RT_E_NOMEM;
    }
    enum rt_status status = zmtp__gather_add(&codec->gather, body);
    if (status == RT_OK) {
        rt_inbox_drain(in, codec->length_bytes);
    }
    return status;
}

static enum rt_status read_blob(struct zmtp_codec *codec, struct rt_inbox *in)
{
    if (!codec->is_blob_wanted) {
        enum rt_status status = rt_inbox_want_blob(in, codec->length_bytes);
        if (status != RT_OK) {
            return status;
        }
        codec->is_blob_wanted = true;
    }
    struct rt_blob *blob = rt_inbox_take_blob(in);
    if (blob == NULL) {
        return RT_E_AGAIN;
    }
    codec->is_blob_wanted = false;
    return zmtp__gather_add_blob(&codec->gather, blob);
}

static enum zmtp_event deliver(struct zmtp_codec *codec, struct zmtp_message *out_message)
{
    struct zmtp_message message = zmtp__gather_finish(&codec->gather);
    codec->is_delivered = true;
    if (message.frame_count == 1 && message.total_bytes == 0) {
        return ZMTP_EVENT_PROBE;
    }
    *out_message = message;
    return ZMTP_EVENT_MESSAGE;
}
