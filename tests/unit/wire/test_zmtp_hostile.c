/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "peer.h"
#include "runtime/random.h"

/* Peers that do not mean well: each is refused at its first wrong byte, and costs no memory. */

static const struct zmtp_options ROUTER = {.role = ZMTP_ROUTER};

/* The codec has failed with this, says so in its text, and stays failed. */
static void assert_failed(struct peer *peer, enum rt_status wanted, const char *text)
{
    enum rt_status status;
    while ((status = peer_receive(peer)) == RT_OK) {
    }
    assert_int_equal(status, wanted);
    if (strstr(zmtp_error_text(peer->codec), text) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", zmtp_error_text(peer->codec), text);
    }
    peer_feed(peer, "\0\1x", 3);
    assert_int_equal(peer_receive(peer), wanted);
    assert_false(zmtp_is_open(peer->codec));
}

/* After the handshake these bytes come. */
static void assert_refused(const struct zmtp_options *options, const void *data, size_t len_bytes,
                           enum rt_status wanted, const char *text)
{
    struct peer peer;
    peer_init_open(&peer, options);
    peer_feed(&peer, data, len_bytes);
    assert_failed(&peer, wanted, text);
    peer_fini(&peer);
}

/* The first `len_bytes` of a greeting with one byte changed. */
static void assert_greeting_refused(size_t offset_bytes, uint8_t byte, const char *text)
{
    struct peer peer;
    uint8_t greeting[64];
    memcpy(greeting, GREETING, sizeof(greeting));
    greeting[offset_bytes] = byte;
    peer_init(&peer, &ROUTER);
    peer_feed(&peer, greeting, offset_bytes);
    assert_int_equal(peer_receive(&peer), RT_E_AGAIN);
    peer_feed(&peer, greeting + offset_bytes, 1);
    assert_failed(&peer, RT_E_MALFORMED, text);
    peer_fini(&peer);
}

/* ---- greeting ------------------------------------------------------------------------------- */

static void greeting__wrong_byte__is_refused_as_soon_as_it_is_there(void **state)
{
    (void)state;
    assert_greeting_refused(0, 'G', "byte 0 is 0x47");
    assert_greeting_refused(9, 0x7e, "byte 9 is 0x7e");
    assert_greeting_refused(10, 2, "version 2");
    assert_greeting_refused(12, 'C', "mechanism is not NULL");
    assert_greeting_refused(16, 'S', "mechanism is not NULL");
    assert_greeting_refused(31, 'x', "mechanism is not NULL");
}

static void greeting__other_bytes_differ__is_accepted(void **state)
{
    struct peer peer;
    uint8_t greeting[64];
    (void)state;
    memset(greeting, 0xa5, sizeof(greeting));
    greeting[0] = 0xff;
    greeting[9] = 0x01;
    greeting[10] = 9; /* a later version must speak ours */
    memcpy(greeting + 12, GREETING + 12, 20);
    peer_init(&peer, &ROUTER);
    peer_feed(&peer, greeting, sizeof(greeting));
    assert_int_equal(peer_receive(&peer), RT_OK);
    peer_fini(&peer);
}

static void greeting__half_of_it__waits_and_says_so(void **state)
{
    struct peer peer;
    char text[80];
    (void)state;
    peer_init(&peer, &ROUTER);
    assert_int_equal(peer_receive(&peer), RT_E_AGAIN);
    peer_feed(&peer, GREETING, 63);
    assert_int_equal(peer_receive(&peer), RT_E_AGAIN);
    zmtp_describe(peer.codec, text, sizeof(text));
    assert_string_equal(text, "waiting for the greeting (63 of 64 bytes)");
    peer_fini(&peer);
}

/* ---- READY and ERROR ------------------------------------------------------------------------ */

static void assert_ready_refused(const void *data, size_t len_bytes, enum rt_status wanted,
                                 const char *text)
{
    struct peer peer;
    peer_init(&peer, &ROUTER);
    peer_feed(&peer, GREETING, sizeof(GREETING));
    peer_feed(&peer, data, len_bytes);
    assert_failed(&peer, wanted, text);
    peer_fini(&peer);
}

static void ready__property_beyond_its_command__is_malformed(void **state)
{
    (void)state;
    assert_ready_refused("\4\0", 2, RT_E_MALFORMED, "name is longer");
    assert_ready_refused("\4\5\6READY", 7, RT_E_MALFORMED, "name is longer");
    assert_ready_refused("\4\7\5READY\0", 9, RT_E_MALFORMED, "name does not fit");
    assert_ready_refused("\4\10\5READY\5A", 10, RT_E_MALFORMED, "name does not fit");
    assert_ready_refused("\4\12\5READY\1A\0\0", 12, RT_E_MALFORMED, "before its value");
    assert_ready_refused("\4\14\5READY\1A\0\0\0\1", 14, RT_E_MALFORMED, "1 bytes where 0");
    assert_ready_refused("\4\14\5READY\1A\377\377\377\377", 14, RT_E_MALFORMED,
                         "4294967295 bytes where 0");
}

static void ready__identity_over_255_bytes__is_over_the_limit(void **state)
{
    uint8_t command[9 + 6 + 9 + 4 + 256] = "\6\0\0\0\0\0\0\1\23\5READY\10Identity\0\0\1\0";
    (void)state;
    assert_ready_refused(command, sizeof(command), RT_E_LIMIT, "identity of 256 bytes");
}

static void message__before_ready__is_malformed(void **state)
{
    (void)state;
    assert_ready_refused("\0\1x", 3, RT_E_MALFORMED, "a message before READY");
}

static void error__with_a_reason__fails_and_tells_it(void **state)
{
    (void)state;
    assert_ready_refused("\4\16\5ERROR\7no\nentry", 16, RT_E_MALFORMED, "\"no?entr\"");
    assert_ready_refused("\4\7\5ERROR\7", 9, RT_E_MALFORMED, "reason does not fit");
}

/* ---- frames --------------------------------------------------------------------------------- */

static void flags__reserved_or_contradicting__are_malformed_before_the_length(void **state)
{
    (void)state;
    for (unsigned flags = 8; flags < 256; flags++) {
        uint8_t byte = (uint8_t)flags;
        if ((byte & 0xf8) != 0) {
            assert_refused(&ROUTER, &byte, 1, RT_E_MALFORMED, "reserved bits");
        }
    }
    assert_refused(&ROUTER, "\5", 1, RT_E_MALFORMED, "command with more");
    assert_refused(&ROUTER, "\7", 1, RT_E_MALFORMED, "command with more");
}

static void length__absurd__is_refused_before_anything_is_done(void **state)
{
    (void)state;
    assert_refused(&ROUTER, "\2\377\377\377\377\377\377\377\377", 9, RT_E_LIMIT,
                   "18446744073709551615 bytes");
    assert_refused(&ROUTER, "\2\200\0\0\0\0\0\0\0", 9, RT_E_LIMIT, "9223372036854775808 bytes");
    assert_refused(&ROUTER, "\2\0\0\0\0\200\0\0\1", 9, RT_E_LIMIT, "2147483649 bytes");
    assert_refused(&ROUTER, "\6\0\0\0\0\0\1\0\1", 9, RT_E_LIMIT, "command of 65537 bytes");
    assert_refused(&ROUTER, "\4\0", 2, RT_E_MALFORMED, "name is longer");
    assert_refused(&ROUTER, "\4\5\4PING", 7, RT_E_MALFORMED, "PING without");
}

static void error_text__after_some_messages__says_at_which_byte(void **state)
{
    (void)state;
    /* 64 and 61 bytes of handshake, 3 of a message. */
    assert_refused(&ROUTER, "\0\1x\20", 4, RT_E_MALFORMED, "at byte 128: ");
}

static void message__over_its_limits__is_refused(void **state)
{
    struct zmtp_options options = {.role = ZMTP_ROUTER,
                                   .message_limit_frames = 3,
                                   .message_limit_bytes = 10,
                                   .frame_limit_bytes = 8};
    (void)state;
    assert_refused(&options, "\1\0\1\0\1\0\1\0", 8, RT_E_LIMIT, "more than 3 frames");
    assert_refused(&options, "\1\6abcdef\1\5", 10, RT_E_LIMIT, "more than 10 bytes");
    assert_refused(&options, "\0\11", 2, RT_E_LIMIT, "frame of 9 bytes");
}

static void message__too_many_frames_by_default__is_refused(void **state)
{
    struct peer peer;
    (void)state;
    peer_init_open(&peer, &ROUTER);
    for (int i = 0; i < 20001; i++) {
        peer_feed(&peer, "\1\0", 2);
    }
    assert_failed(&peer, RT_E_LIMIT, "more than 20000 frames");
    peer_fini(&peer);
}

/* ---- memory --------------------------------------------------------------------------------- */

static size_t resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    unsigned long pages = 0;
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*u %lu", &pages), 1);
    (void)fclose(file);
    return pages * 4096;
}

/* A hundred connections announce 1 GiB each and send ten bytes of it. */
static void frame__announced_as_1_gib__costs_what_came_of_it(void **state)
{
    enum { PEER_COUNT = 100 };
    struct peer peers[PEER_COUNT];
    (void)state;
    size_t before_bytes = resident_bytes();
    size_t live_before = rt_blob_live_count();
    for (int i = 0; i < PEER_COUNT; i++) {
        peer_init_open(&peers[i], &ROUTER);
        peer_feed(&peers[i], "\2\0\0\0\0\100\0\0\0 ten bytes", 19);
        assert_int_equal(peer_receive(&peers[i]), RT_E_AGAIN);
        peer_feed(&peers[i], "more", 4);
        assert_int_equal(peer_receive(&peers[i]), RT_E_AGAIN);
    }
    assert_true(resident_bytes() < before_bytes + 64u * 1024 * 1024);
    for (int i = 0; i < PEER_COUNT; i++) {
        peer_fini(&peers[i]);
    }
    assert_int_equal(rt_blob_live_count(), live_before);
}

/* Small frames without end stay within one buffer's bound: what follows becomes blobs. */
static void message__more_small_bytes_than_the_buffer_takes__goes_on_in_blobs(void **state)
{
    enum { FRAME_BYTES = 65536, FRAME_COUNT = 1026 };
    struct peer peer;
    uint8_t *body = calloc(1, FRAME_BYTES);
    (void)state;
    assert_non_null(body);
    peer_init_open(&peer, &ROUTER);
    for (int i = 0; i < FRAME_COUNT; i++) {
        memset(body, i, FRAME_BYTES);
        assert_int_equal(
            zmtp_write_frame(peer.out, rt_slice_of(body, FRAME_BYTES), i + 1 < FRAME_COUNT), RT_OK);
        assert_int_equal(rt_inbox_add_outbox(peer.in, peer.out), RT_OK);
        assert_int_equal(peer_receive(&peer), i + 1 < FRAME_COUNT ? RT_E_AGAIN : RT_OK);
    }
    assert_int_equal(peer.message.frame_count, FRAME_COUNT);
    assert_null(peer.message.frames[1023].blob);
    assert_non_null(peer.message.frames[1024].blob);
    for (int i = 0; i < FRAME_COUNT; i++) {
        memset(body, i, FRAME_BYTES);
        assert_true(rt_slice_equal(peer.message.frames[i].bytes, rt_slice_of(body, FRAME_BYTES)));
    }
    free(body);
    peer_fini(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(greeting__wrong_byte__is_refused_as_soon_as_it_is_there),
        cmocka_unit_test(greeting__other_bytes_differ__is_accepted),
        cmocka_unit_test(greeting__half_of_it__waits_and_says_so),
        cmocka_unit_test(ready__property_beyond_its_command__is_malformed),
        cmocka_unit_test(ready__identity_over_255_bytes__is_over_the_limit),
        cmocka_unit_test(message__before_ready__is_malformed),
        cmocka_unit_test(error__with_a_reason__fails_and_tells_it),
        cmocka_unit_test(flags__reserved_or_contradicting__are_malformed_before_the_length),
        cmocka_unit_test(length__absurd__is_refused_before_anything_is_done),
        cmocka_unit_test(error_text__after_some_messages__says_at_which_byte),
        cmocka_unit_test(message__over_its_limits__is_refused),
        cmocka_unit_test(message__too_many_frames_by_default__is_refused),
        cmocka_unit_test(frame__announced_as_1_gib__costs_what_came_of_it),
        cmocka_unit_test(message__more_small_bytes_than_the_buffer_takes__goes_on_in_blobs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
