/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "peer.h"

/* ZMTP as two honest peers speak it. */

static const struct zmtp_options ROUTER = {.role = ZMTP_ROUTER};

static void assert_frame(const struct peer *peer, size_t index, const char *text)
{
    assert_true(index < peer->message.frame_count);
    assert_true(rt_slice_is_text(peer->message.frames[index].bytes, text));
}

/* ---- greeting and READY --------------------------------------------------------------------- */

static void start__server__writes_its_whole_greeting_at_once(void **state)
{
    struct peer peer;
    (void)state;
    peer_init(&peer, &ROUTER);
    assert_outbox_hex(peer.out,
                      "ff0000000000000001 7f 0301 4e554c4c00000000000000000000000000000000"
                      "00 00000000000000000000000000000000000000000000000000000000000000");
    peer_fini(&peer);
}

static void greeting__in_two_pieces_as_libzmq_sends_it__is_answered_with_ready(void **state)
{
    struct peer peer;
    (void)state;
    peer_init(&peer, &ROUTER);
    rt_outbox_clear(peer.out);
    peer_feed(&peer, GREETING, 10);
    assert_int_equal(peer_receive(&peer), RT_E_AGAIN);
    assert_int_equal(rt_outbox_len_bytes(peer.out), 0);
    peer_feed(&peer, GREETING + 10, 54);
    assert_int_equal(peer_receive(&peer), RT_OK);
    assert_int_equal(peer.event, ZMTP_EVENT_GREETED);
    assert_false(zmtp_is_open(peer.codec));
    assert_outbox_hex(peer.out,
                      "04 29 05 5245414459 0b 536f636b65742d54797065 00000006 524f55544552"
                      "08 4964656e74697479 00000000");
    peer_fini(&peer);
}

static void ready__of_a_client__carries_type_and_identity(void **state)
{
    struct peer peer;
    (void)state;
    peer_init(&peer, &(struct zmtp_options){.role = ZMTP_DEALER,
                                            .identity = rt_slice_text("e282706b-2f1e-4f91")});
    rt_outbox_clear(peer.out);
    peer_feed(&peer, GREETING, sizeof(GREETING));
    assert_int_equal(peer_receive(&peer), RT_OK);
    size_t len_bytes = 0;
    uint8_t *ready = outbox_take(peer.out, &len_bytes);
    assert_int_equal(len_bytes, sizeof(READY_DEALER));
    assert_memory_equal(ready, READY_DEALER, len_bytes);
    free(ready);
    peer_fini(&peer);
}

static void ready__with_identity__opens_and_tells_it(void **state)
{
    struct peer peer;
    (void)state;
    peer_init_open(&peer, &ROUTER);
    assert_true(zmtp_is_open(peer.codec));
    assert_true(rt_slice_is_text(zmtp_peer_identity(peer.codec), "e282706b-2f1e-4f91"));
    assert_string_equal(zmtp_error_text(peer.codec), "");
    peer_fini(&peer);
}

static void ready__identity_of_255_bytes__is_written_and_read(void **state)
{
    uint8_t identity[255];
    struct peer dealer;
    struct peer router;
    (void)state;
    memset(identity, 'i', sizeof(identity));
    struct zmtp_options options = {.role = ZMTP_DEALER,
                                   .identity = rt_slice_of(identity, sizeof(identity))};
    peer_init(&dealer, &options);
    peer_init(&router, &ROUTER);
    peer_feed(&dealer, GREETING, sizeof(GREETING));
    assert_int_equal(peer_receive(&dealer), RT_OK);
    assert_int_equal(rt_inbox_add_outbox(router.in, dealer.out), RT_OK);
    assert_int_equal(peer_receive(&router), RT_OK);
    assert_int_equal(peer_receive(&router), RT_OK);
    assert_int_equal(router.event, ZMTP_EVENT_OPEN);
    assert_true(rt_slice_equal(zmtp_peer_identity(router.codec), options.identity));
    peer_fini(&dealer);
    peer_fini(&router);
}

static void create__identity_of_256_bytes__is_invalid(void **state)
{
    static const uint8_t IDENTITY[256];
    struct zmtp_codec *codec = NULL;
    (void)state;
    assert_int_equal(
        zmtp_codec_create(&(struct zmtp_options){.identity = rt_slice_of(IDENTITY, 256)}, &codec),
        RT_E_INVALID);
    assert_null(codec);
}

/* ---- messages ------------------------------------------------------------------------------- */

static void probe__one_empty_frame__is_told_apart(void **state)
{
    struct peer peer;
    (void)state;
    peer_init_open(&peer, &ROUTER);
    peer_feed(&peer, "\0\0", 2);
    assert_int_equal(peer_receive(&peer), RT_OK);
    assert_int_equal(peer.event, ZMTP_EVENT_PROBE);
    assert_int_equal(peer_receive(&peer), RT_E_AGAIN);
    peer_fini(&peer);
}

static void message__of_several_frames__comes_whole_and_in_order(void **state)
{
    struct peer peer;
    (void)state;
    peer_init_open(&peer, &ROUTER);
    peer_feed(&peer, "\1\3one\1\0\0\3two\0\5three", 19);
    assert_int_equal(peer_receive(&peer), RT_OK);
    assert_int_equal(peer.event, ZMTP_EVENT_MESSAGE);
    assert_int_equal(peer.message.frame_count, 3);
    assert_int_equal(peer.message.total_bytes, 6);
    assert_frame(&peer, 0, "one");
    assert_frame(&peer, 1, "");
    assert_frame(&peer, 2, "two");
    assert_int_equal(peer_receive(&peer), RT_OK);
    assert_int_equal(peer.message.frame_count, 1);
    assert_frame(&peer, 0, "three");
    peer_fini(&peer);
}

static void message__of_two_empty_frames__is_no_probe(void **state)
{
    struct peer peer;
    (void)state;
    peer_init_open(&peer, &ROUTER);
    peer_feed(&peer, "\1\0\0\0", 4);
    assert_int_equal(peer_receive(&peer), RT_OK);
    assert_int_equal(peer.event, ZMTP_EVENT_MESSAGE);
    assert_int_equal(peer.message.frame_count, 2);
    peer_fini(&peer);
}

/* A message of frames around the limits, written by us and read by us. */
static void message__around_every_size_limit__survives_the_round_trip(void **state)
{
    static const size_t SIZES[] = {0, 1, 254, 255, 256, 65535, 65536, 65537, 300000};
    enum { SIZE_COUNT = sizeof(SIZES) / sizeof(SIZES[0]) };
    struct peer peer;
    uint8_t *bytes = malloc(300000);
    (void)state;
    assert_non_null(bytes);
    for (size_t i = 0; i < 300000; i++) {
        bytes[i] = (uint8_t)(i * 7 + i / 251);
    }
    peer_init_open(&peer, &ROUTER);
    for (size_t i = 0; i < SIZE_COUNT; i++) {
        assert_int_equal(
            zmtp_write_frame(peer.out, rt_slice_of(bytes, SIZES[i]), i + 1 < SIZE_COUNT), RT_OK);
    }
    assert_int_equal(rt_inbox_add_outbox(peer.in, peer.out), RT_OK);
    assert_int_equal(peer_receive(&peer), RT_OK);
    assert_int_equal(peer.message.frame_count, SIZE_COUNT);
    for (size_t i = 0; i < SIZE_COUNT; i++) {
        const struct zmtp_frame *frame = &peer.message.frames[i];
        assert_true(rt_slice_equal(frame->bytes, rt_slice_of(bytes, SIZES[i])));
        assert_int_equal(frame->blob != NULL, SIZES[i] > 65536);
    }
    free(bytes);
    peer_fini(&peer);
}

/* What makes values free of copies: the sender's blob is the receiver's blob. */
static void blob__between_two_codecs__is_handed_over_not_copied(void **state)
{
    enum { VALUE_BYTES = 1024 * 1024 };
    struct peer peer;
    uint8_t *data = NULL;
    (void)state;
    struct rt_blob *blob = rt_blob_create(VALUE_BYTES, &data);
    assert_non_null(blob);
    memset(data, 'v', VALUE_BYTES);
    peer_init_open(&peer, &ROUTER);
    assert_int_equal(zmtp_write_frame(peer.out, rt_slice_text("head"), true), RT_OK);
    assert_int_equal(zmtp_write_blob(peer.out, blob, 0, VALUE_BYTES, false), RT_OK);
    assert_int_equal(rt_inbox_add_outbox(peer.in, peer.out), RT_OK);
    assert_int_equal(peer_receive(&peer), RT_OK);
    assert_ptr_equal(peer.message.frames[1].bytes.data, data);
    peer_fini(&peer);
    rt_blob_release(blob);
}

static void blob__kept_after_the_message__stays_alive(void **state)
{
    enum { VALUE_BYTES = 100000 };
    struct peer peer;
    (void)state;
    size_t live_before = rt_blob_live_count();
    uint8_t *value = malloc(VALUE_BYTES);
    assert_non_null(value);
    memset(value, 'x', VALUE_BYTES);
    peer_init_open(&peer, &ROUTER);
    assert_int_equal(zmtp_write_frame(peer.out, rt_slice_of(value, VALUE_BYTES), false), RT_OK);
    assert_int_equal(rt_inbox_add_outbox(peer.in, peer.out), RT_OK);
    assert_int_equal(peer_receive(&peer), RT_OK);
    struct rt_blob *kept = rt_blob_retain(peer.message.frames[0].blob);
    assert_int_equal(peer_receive(&peer), RT_E_AGAIN);
    peer_fini(&peer);
    assert_true(rt_slice_equal(rt_blob_slice(kept), rt_slice_of(value, VALUE_BYTES)));
    rt_blob_release(kept);
    assert_int_equal(rt_blob_live_count(), live_before);
    free(value);
}

/* A batch of 10,000 values is one message. */
static void message__of_10000_parts__is_one_message(void **state)
{
    struct peer peer;
    (void)state;
    peer_init_open(&peer, &ROUTER);
    for (int i = 0; i < 10003; i++) {
        assert_int_equal(zmtp_write_frame(peer.out, rt_slice_text("part"), i < 10002), RT_OK);
    }
    assert_int_equal(rt_inbox_add_outbox(peer.in, peer.out), RT_OK);
    assert_int_equal(peer_receive(&peer), RT_OK);
    assert_int_equal(peer.message.frame_count, 10003);
    assert_frame(&peer, 10002, "part");
    peer_fini(&peer);
}

/* ---- commands ------------------------------------------------------------------------------- */

static void ping__with_context__is_answered_with_its_context(void **state)
{
    struct peer peer;
    (void)state;
    peer_init_open(&peer, &ROUTER);
    peer_feed(&peer, "\4\12\4PING\0\144abc", 12);
    assert_int_equal(peer_receive(&peer), RT_E_AGAIN);
    assert_outbox_hex(peer.out, "04 08 04 504f4e47 616263");
    peer_fini(&peer);
}

static void ping__of_ours__is_answered_by_our_own_codec(void **state)
{
    struct peer peer;
    (void)state;
    peer_init_open(&peer, &ROUTER);
    assert_int_equal(zmtp_write_ping(peer.out, 300), RT_OK);
    assert_outbox_hex(peer.out, "04 07 04 50494e47 012c");
    assert_int_equal(zmtp_write_ping(peer.out, 300), RT_OK);
    assert_int_equal(rt_inbox_add_outbox(peer.in, peer.out), RT_OK);
    assert_int_equal(peer_receive(&peer), RT_E_AGAIN);
    assert_outbox_hex(peer.out, "04 05 04 504f4e47");
    peer_fini(&peer);
}

/* The specification allows 16 bytes; of more, libzmq echoes 16. */
static void ping__context_too_long__is_answered_with_16_bytes_of_it(void **state)
{
    struct peer peer;
    (void)state;
    peer_init_open(&peer, &ROUTER);
    peer_feed(&peer, "\4\33\4PING\0\0abcdefghijklmnopqrst", 29);
    assert_int_equal(peer_receive(&peer), RT_E_AGAIN);
    assert_outbox_hex(peer.out, "04 15 04 504f4e47 6162636465666768696a6b6c6d6e6f70");
    assert_int_equal(rt_inbox_len_bytes(peer.in), 0);
    peer_fini(&peer);
}

static void command__unknown__is_ignored(void **state)
{
    struct peer peer;
    (void)state;
    peer_init_open(&peer, &ROUTER);
    peer_feed(&peer, "\4\12\11SUBSCRIBE\4\5\4PONG\0\1x", 22);
    assert_int_equal(peer_receive(&peer), RT_OK);
    assert_frame(&peer, 0, "x");
    assert_int_equal(rt_outbox_len_bytes(peer.out), 0);
    peer_fini(&peer);
}

/* ---- where it stands ------------------------------------------------------------------------ */

static void assert_described(const struct peer *peer, const char *text)
{
    char described[200];
    zmtp_describe(peer->codec, described, sizeof(described));
    assert_string_equal(described, text);
}

static void describe__along_a_connection__says_where_it_stands(void **state)
{
    struct peer peer;
    (void)state;
    peer_init(&peer, &ROUTER);
    peer_feed(&peer, GREETING, 10);
    assert_int_equal(peer_receive(&peer), RT_E_AGAIN);
    assert_described(&peer, "waiting for the greeting (10 of 64 bytes)");
    peer_feed(&peer, GREETING + 10, 54);
    assert_int_equal(peer_receive(&peer), RT_OK);
    assert_described(&peer, "waiting for READY");
    peer_feed(&peer, READY_DEALER, sizeof(READY_DEALER));
    assert_int_equal(peer_receive(&peer), RT_OK);
    assert_described(&peer, "open, between messages");
    peer_feed(&peer, "\1\1a\0\5b", 6);
    assert_int_equal(peer_receive(&peer), RT_E_AGAIN);
    assert_described(&peer, "open, inside frame 2 of a message (5 bytes)");
    peer_fini(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(start__server__writes_its_whole_greeting_at_once),
        cmocka_unit_test(greeting__in_two_pieces_as_libzmq_sends_it__is_answered_with_ready),
        cmocka_unit_test(ready__of_a_client__carries_type_and_identity),
        cmocka_unit_test(ready__with_identity__opens_and_tells_it),
        cmocka_unit_test(ready__identity_of_255_bytes__is_written_and_read),
        cmocka_unit_test(create__identity_of_256_bytes__is_invalid),
        cmocka_unit_test(probe__one_empty_frame__is_told_apart),
        cmocka_unit_test(message__of_several_frames__comes_whole_and_in_order),
        cmocka_unit_test(message__of_two_empty_frames__is_no_probe),
        cmocka_unit_test(message__around_every_size_limit__survives_the_round_trip),
        cmocka_unit_test(blob__between_two_codecs__is_handed_over_not_copied),
        cmocka_unit_test(blob__kept_after_the_message__stays_alive),
        cmocka_unit_test(message__of_10000_parts__is_one_message),
        cmocka_unit_test(ping__with_context__is_answered_with_its_context),
        cmocka_unit_test(ping__of_ours__is_answered_by_our_own_codec),
        cmocka_unit_test(ping__context_too_long__is_answered_with_16_bytes_of_it),
        cmocka_unit_test(command__unknown__is_ignored),
        cmocka_unit_test(describe__along_a_connection__says_where_it_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
