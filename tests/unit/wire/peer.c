/* SPDX-License-Identifier: Apache-2.0 */
#include "peer.h"

#include <ctype.h>
#include <stdlib.h>

const uint8_t GREETING[64] = {0xff, 0, 0, 0, 0, 0, 0, 0, 0x13, 0x7f, 3, 1, 'N', 'U', 'L', 'L'};

const uint8_t READY_DEALER[61] = "\x04\x3b\x05READY\x0bSocket-Type\0\0\0\x06"
                                 "DEALER\x08Identity\0\0\0\x12"
                                 "e282706b-2f1e-4f91";

void peer_init(struct peer *peer, const struct zmtp_options *options)
{
    *peer = (struct peer){.in = rt_inbox_create(), .out = rt_outbox_create()};
    assert_non_null(peer->in);
    assert_non_null(peer->out);
    assert_int_equal(zmtp_codec_create(options, &peer->codec), RT_OK);
    assert_int_equal(zmtp_start(peer->codec, peer->out), RT_OK);
}

void peer_init_open(struct peer *peer, const struct zmtp_options *options)
{
    peer_init(peer, options);
    peer_feed(peer, GREETING, sizeof(GREETING));
    peer_feed(peer, READY_DEALER, sizeof(READY_DEALER));
    assert_int_equal(peer_receive(peer), RT_OK);
    assert_int_equal(peer->event, ZMTP_EVENT_GREETED);
    assert_int_equal(peer_receive(peer), RT_OK);
    assert_int_equal(peer->event, ZMTP_EVENT_OPEN);
    rt_outbox_clear(peer->out);
}

void peer_fini(struct peer *peer)
{
    zmtp_codec_destroy(peer->codec);
    rt_inbox_destroy(peer->in);
    rt_outbox_destroy(peer->out);
}

void peer_feed(struct peer *peer, const void *data, size_t len_bytes)
{
    assert_int_equal(rt_inbox_add(peer->in, data, len_bytes), RT_OK);
}

enum rt_status peer_receive(struct peer *peer)
{
    return zmtp_receive(peer->codec, peer->in, peer->out, &peer->event, &peer->message);
}

uint8_t *outbox_take(struct rt_outbox *out, size_t *out_len_bytes)
{
    size_t len_bytes = rt_outbox_len_bytes(out);
    uint8_t *data = malloc(len_bytes + 1);
    assert_non_null(data);
    rt_outbox_copy(out, data, len_bytes);
    rt_outbox_clear(out);
    *out_len_bytes = len_bytes;
    return data;
}

uint8_t *hex(const char *text, size_t *out_len_bytes)
{
    uint8_t *data = malloc(strlen(text) / 2 + 1);
    size_t digit_count = 0;
    assert_non_null(data);
    for (const char *at = text; *at != '\0'; at++) {
        if (isspace((unsigned char)*at)) {
            continue;
        }
        assert_true(isxdigit((unsigned char)*at));
        unsigned value = isdigit((unsigned char)*at)
                             ? (unsigned)(*at - '0')
                             : (unsigned)(tolower((unsigned char)*at) - 'a' + 10);
        uint8_t *byte = &data[digit_count / 2];
        *byte = digit_count % 2 == 0 ? (uint8_t)(value << 4) : (uint8_t)(*byte | value);
        digit_count++;
    }
    assert_int_equal(digit_count % 2, 0);
    *out_len_bytes = digit_count / 2;
    return data;
}

void assert_outbox_hex(struct rt_outbox *out, const char *text)
{
    size_t len_bytes = 0;
    uint8_t *data = outbox_take(out, &len_bytes);
    assert_slice_hex(rt_slice_of(data, len_bytes), text);
    free(data);
}

void assert_slice_hex(struct rt_slice slice, const char *text)
{
    size_t wanted_bytes = 0;
    uint8_t *wanted = hex(text, &wanted_bytes);
    assert_int_equal(slice.len_bytes, wanted_bytes);
    if (wanted_bytes > 0) {
        assert_memory_equal(slice.data, wanted, wanted_bytes);
    }
    free(wanted);
}
