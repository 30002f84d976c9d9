/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/zmtp/zmtp_codec.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* The life of a codec, and what it says about itself. */
static void set_defaults(struct zmtp_options *options);

const uint8_t zmtp__greeting[ZMTP__GREETING_BYTES] = {
    0xff, 0,   0,   0,   0, 0, 0, 0, 1, 0x7f, /* signature */
    3,    1,                                  /* version 3.1 */
    'N',  'U', 'L', 'L',                      /* mechanism, padded; then as-server 0 and a filler */
};

enum rt_status zmtp_codec_create(const struct zmtp_options *options, struct zmtp_codec **out_codec)
{
    if (options->identity.len_bytes > ZMTP__IDENTITY_LIMIT_BYTES) {
        return RT_E_INVALID;
    }
    struct zmtp_codec *codec = calloc(1, sizeof(*codec));
    if (codec == NULL) {
        return RT_E_NOMEM;
    }
    codec->options = *options;
    set_defaults(&codec->options);
    if (options->identity.len_bytes > 0) {
        memcpy(codec->own_identity, options->identity.data, options->identity.len_bytes);
    }
    codec->options.identity = rt_slice_of(codec->own_identity, options->identity.len_bytes);
    codec->state = ZMTP__CREATED;
    *out_codec = codec;
    return RT_OK;
}

void zmtp_codec_destroy(struct zmtp_codec *codec)
{
    if (codec == NULL) {
        return;
    }
    zmtp__gather_fini(&codec->gather);
    free(codec);
}

enum rt_status zmtp_start(struct zmtp_codec *codec, struct rt_outbox *out)
{
    assert(codec->state == ZMTP__CREATED);
    enum rt_status status = rt_outbox_add(out, zmtp__greeting, sizeof(zmtp__greeting));
    if (status == RT_OK) {
        codec->state = ZMTP__GREETING;
    }
    return status;
}

/* ---- answers to questions ------------------------------------------------------------------- */

bool zmtp_is_open(const struct zmtp_codec *codec)
{
    return codec->state == ZMTP__OPEN;
}

struct rt_slice zmtp_peer_identity(const struct zmtp_codec *codec)
{
    return rt_slice_of(codec->peer_identity, codec->peer_identity_bytes);
}

const char *zmtp_error_text(const struct zmtp_codec *codec)
{
    return codec->error_text;
}

void zmtp_describe(const struct zmtp_codec *codec, char *out_text, size_t text_bytes)
{
    switch (codec->state) {
    case ZMTP__CREATED:
        (void)snprintf(out_text, text_bytes, "not started");
        return;
    case ZMTP__GREETING:
        (void)snprintf(out_text, text_bytes, "waiting for the greeting (%zu of %u bytes)",
                       codec->waiting_bytes, ZMTP__GREETING_BYTES);
        return;
    case ZMTP__HANDSHAKE:
        (void)snprintf(out_text, text_bytes, "waiting for READY");
        return;
    case ZMTP__FAILED:
        (void)snprintf(out_text, text_bytes, "failed: %s", codec->error_text);
        return;
    case ZMTP__OPEN:
        break;
    }
    if (codec->has_header) {
        (void)snprintf(out_text, text_bytes, "open, inside frame %zu of a message (%zu bytes)",
                       codec->gather.frame_count + 1, codec->length_bytes);
    } else if (codec->gather.frame_count > 0 && !codec->is_delivered) {
        (void)snprintf(out_text, text_bytes, "open, after frame %zu of a message",
                       codec->gather.frame_count);
    } else {
        (void)snprintf(out_text, text_bytes, "open, between messages");
    }
}

/* ---- helpers -------------------------------------------------------------------------------- */

enum rt_status zmtp__fail(struct zmtp_codec *codec, enum rt_status status, const char *format, ...)
{
    char what[144];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    (void)snprintf(codec->error_text, sizeof(codec->error_text), "ZMTP, at byte %" PRIu64 ": %s",
                   codec->offset_bytes, what);
    codec->state = ZMTP__FAILED;
    codec->failure = status;
    return status;
}

static void set_defaults(struct zmtp_options *options)
{
    if (options->frame_limit_bytes == 0) {
        options->frame_limit_bytes = (size_t)2 << 30;
    }
    if (options->message_limit_frames == 0) {
        options->message_limit_frames = 20000;
    }
    if (options->message_limit_bytes == 0) {
        options->message_limit_bytes = (size_t)8 << 30;
    }
    if (options->blob_threshold_bytes == 0) {
        options->blob_threshold_bytes = 64 * 1024;
    }
}
