/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "capture.h"
#include "peer.h"
#include "runtime/random.h"

/* However bytes are cut into pieces, the same events come out of them. */

/* Everything a codec told, as text: events, every frame's bytes, the last status and its text. */
struct story {
    uint64_t hash;
    size_t event_count;
    size_t frame_count;
    char end[256];
};

static void tell(struct story *story, const void *data, size_t len_bytes)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < len_bytes; i++) {
        story->hash = (story->hash ^ bytes[i]) * 0x100000001b3u;
    }
}

static enum rt_status drain(struct peer *peer, struct story *story)
{
    enum rt_status status;
    while ((status = peer_receive(peer)) == RT_OK) {
        uint8_t event = (uint8_t)peer->event;
        story->event_count++;
        tell(story, &event, 1);
        if (peer->event != ZMTP_EVENT_MESSAGE) {
            continue;
        }
        for (size_t i = 0; i < peer->message.frame_count; i++) {
            struct rt_slice bytes = peer->message.frames[i].bytes;
            story->frame_count++;
            tell(story, &bytes.len_bytes, sizeof(bytes.len_bytes));
            tell(story, bytes.data, bytes.len_bytes);
        }
    }
    return status;
}

/* `random` NULL: `piece_bytes` each time; else 1 to `piece_bytes`. */
static struct story run(struct rt_slice stream, struct rt_random *random, size_t piece_bytes)
{
    struct peer peer;
    struct story story = {.hash = 0xcbf29ce484222325u};
    enum rt_status status = RT_E_AGAIN;
    size_t offset_bytes = 0;
    peer_init(&peer, &(struct zmtp_options){.role = ZMTP_ROUTER, .blob_threshold_bytes = 100});
    while (offset_bytes < stream.len_bytes && status == RT_E_AGAIN) {
        size_t len_bytes =
            random == NULL ? piece_bytes : 1 + (size_t)rt_random_below(random, piece_bytes);
        if (len_bytes > stream.len_bytes - offset_bytes) {
            len_bytes = stream.len_bytes - offset_bytes;
        }
        peer_feed(&peer, stream.data + offset_bytes, len_bytes);
        offset_bytes += len_bytes;
        status = drain(&peer, &story);
    }
    (void)snprintf(story.end, sizeof(story.end), "%s: %s", rt_status_text(status),
                   zmtp_error_text(peer.codec));
    size_t answer_bytes = 0;
    uint8_t *answer = outbox_take(peer.out, &answer_bytes);
    tell(&story, answer, answer_bytes);
    free(answer);
    peer_fini(&peer);
    return story;
}

static void assert_same_story(const struct story *story, const struct story *wanted)
{
    assert_string_equal(story->end, wanted->end);
    assert_int_equal(story->event_count, wanted->event_count);
    assert_int_equal(story->frame_count, wanted->frame_count);
    assert_true(story->hash == wanted->hash);
}

/* All at once, byte by byte, and in random pieces of up to a few and up to many bytes. */
static void check_splits(struct rt_slice stream, uint64_t seed)
{
    static const size_t PIECES[] = {2, 3, 11, 64, 300};
    struct story whole = run(stream, NULL, stream.len_bytes);
    struct story bytes = run(stream, NULL, 1);
    assert_same_story(&bytes, &whole);
    for (size_t i = 0; i < sizeof(PIECES) / sizeof(PIECES[0]); i++) {
        struct rt_random random;
        rt_random_init(&random, seed, "split");
        struct story pieces = run(stream, &random, PIECES[i]);
        assert_same_story(&pieces, &whole);
    }
}

static void capture__client_streams_in_any_pieces__give_the_same_events(void **state)
{
    struct capture capture;
    (void)state;
    assert_null(capture_read(&capture, TEST_DATA_DIR "/captures/client-worker.pcap"));
    for (uint64_t seed = 1; seed <= 20; seed++) {
        for (size_t i = 0; i < capture.stream_count; i++) {
            check_splits(rt_slice_of(capture.streams[i].data, capture.streams[i].len_bytes), seed);
        }
    }
    capture_fini(&capture);
}

/* A stream of random frames, commands and, at the end of some, a wrong byte. */
static size_t make_stream(struct rt_random *random, uint8_t *stream)
{
    static const char COMMANDS[] = "\4\11\4PING\0\1ab\4\4\3HUH";
    size_t len_bytes = 64 + sizeof(READY_DEALER);
    memcpy(stream, GREETING, 64);
    memcpy(stream + 64, READY_DEALER, sizeof(READY_DEALER));
    for (int i = 0; i < 30; i++) {
        size_t body_bytes = (size_t)rt_random_below(random, rt_random_chance(random, 30) ? 900 : 9);
        uint8_t more = rt_random_chance(random, 50) ? 1 : 0;
        if (rt_random_chance(random, 20)) {
            memcpy(stream + len_bytes, COMMANDS, sizeof(COMMANDS) - 1);
            len_bytes += sizeof(COMMANDS) - 1;
        }
        if (body_bytes > 255 || rt_random_chance(random, 10)) {
            memset(stream + len_bytes, 0, 9);
            stream[len_bytes] = more | 2; /* long form, also where it is not needed */
            stream[len_bytes + 7] = (uint8_t)(body_bytes >> 8);
            stream[len_bytes + 8] = (uint8_t)body_bytes;
            len_bytes += 9;
        } else {
            stream[len_bytes++] = more;
            stream[len_bytes++] = (uint8_t)body_bytes;
        }
        for (size_t k = 0; k < body_bytes; k++) {
            stream[len_bytes++] = (uint8_t)rt_random_u64(random);
        }
    }
    if (rt_random_chance(random, 30)) {
        stream[len_bytes++] = 0x80;
    }
    return len_bytes;
}

static void frames__random_streams_in_any_pieces__give_the_same_events(void **state)
{
    static uint8_t stream[64 * 1024];
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct rt_random random;
        rt_random_init(&random, seed, "stream");
        check_splits(rt_slice_of(stream, make_stream(&random, stream)), seed);
    }
}

/* One byte of a good stream changed: whatever it means, it means the same in any pieces. */
static void frames__one_byte_changed__fail_alike_in_any_pieces(void **state)
{
    static uint8_t stream[64 * 1024];
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct rt_random random;
        rt_random_init(&random, seed, "changed");
        size_t len_bytes = make_stream(&random, stream);
        stream[rt_random_below(&random, len_bytes)] ^= (uint8_t)(1u << rt_random_below(&random, 8));
        check_splits(rt_slice_of(stream, len_bytes), seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(capture__client_streams_in_any_pieces__give_the_same_events),
        cmocka_unit_test(frames__random_streams_in_any_pieces__give_the_same_events),
        cmocka_unit_test(frames__one_byte_changed__fail_alike_in_any_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
