/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz_envelope.h"

/*
 * A peer's bytes, hostile ones. Input: a byte (bit 0: our role, bit 1: tight limits), a byte (size
 * of the pieces, 0: all at once), then the stream from its greeting on.
 */
static void feed(struct zmtp_codec *codec, const uint8_t *data, size_t size, size_t piece_bytes);
static enum rt_status drain(struct zmtp_codec *codec, struct rt_inbox *in, struct rt_outbox *out,
                            struct dsrpc_arena *arena);

static enum zmtp_role role;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct zmtp_codec *codec = NULL;
    if (size < 2) {
        return 0;
    }
    role = (data[0] & 1) == 0 ? ZMTP_ROUTER : ZMTP_DEALER;
    struct zmtp_options options = {.role = role, .blob_threshold_bytes = 64};
    if ((data[0] & 2) != 0) {
        options.frame_limit_bytes = 4096;
        options.message_limit_bytes = 8192;
        options.message_limit_frames = 8;
    }
    FUZZ_CHECK(zmtp_codec_create(&options, &codec) == RT_OK);
    size_t live_before = rt_blob_live_count();
    feed(codec, data + 2, size - 2, data[1] == 0 ? size : data[1]);
    zmtp_codec_destroy(codec);
    FUZZ_CHECK(rt_blob_live_count() == live_before);
    return 0;
}

static void feed(struct zmtp_codec *codec, const uint8_t *data, size_t size, size_t piece_bytes)
{
    struct rt_inbox *in = rt_inbox_create();
    struct rt_outbox *out = rt_outbox_create();
    struct dsrpc_arena *arena = dsrpc_arena_create();
    enum rt_status status = RT_E_AGAIN;
    FUZZ_CHECK(in != NULL && out != NULL && arena != NULL);
    FUZZ_CHECK(zmtp_start(codec, out) == RT_OK);
    while (size > 0 && status == RT_E_AGAIN) {
        size_t len_bytes = piece_bytes < size ? piece_bytes : size;
        FUZZ_CHECK(rt_inbox_add(in, data, len_bytes) == RT_OK);
        data += len_bytes;
        size -= len_bytes;
        status = drain(codec, in, out, arena);
    }
    bool has_failed = status != RT_E_AGAIN;
    FUZZ_CHECK(has_failed == (zmtp_error_text(codec)[0] != '\0'));
    FUZZ_CHECK(!has_failed || status == RT_E_MALFORMED || status == RT_E_LIMIT);
    char text[64];
    zmtp_describe(codec, text, sizeof(text));
    dsrpc_arena_destroy(arena);
    rt_outbox_destroy(out);
    rt_inbox_destroy(in);
}

static enum rt_status drain(struct zmtp_codec *codec, struct rt_inbox *in, struct rt_outbox *out,
                            struct dsrpc_arena *arena)
{
    for (;;) {
        enum zmtp_event event;
        struct zmtp_message message = {0};
        enum rt_status status = zmtp_receive(codec, in, out, &event, &message);
        if (status != RT_OK) {
            return status;
        }
        FUZZ_CHECK(event != ZMTP_EVENT_MESSAGE || message.frame_count > 0);
        if (event == ZMTP_EVENT_MESSAGE && role == ZMTP_ROUTER) {
            fuzz_request(&message, arena, out);
        } else if (event == ZMTP_EVENT_MESSAGE) {
            fuzz_answer(&message, arena);
        }
        rt_outbox_clear(out);
    }
}
