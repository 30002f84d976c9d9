/* SPDX-License-Identifier: Apache-2.0 */
#include "http_peer.h"
#include "lab.h"

/* What faults do behind an answer: it has arrived whole. */

static const char *const PUT = KV_PATH("Put");

static void ask_put(struct lab *lab, struct talk *talk, const char *key)
{
    Etcdserverpb__PutRequest request = ETCDSERVERPB__PUT_REQUEST__INIT;
    request.key = bytes_of(key);
    request.value = bytes_of("v");
    lab_ask(lab, talk, PUT, &request.base);
}

static void replied__rst__answer_has_arrived(void **state)
{
    static const char *const actions[] = {"rst", "fin", "goaway(INTERNAL_ERROR)", "kill"};
    (void)state;
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        struct lab lab;
        struct talk talk;
        struct talk watch;
        char rule[100];
        lab_start(&lab, NULL);
        talk_open(&lab, &watch, WATCH_PATH, NULL);
        watch_prefix(&watch, "k", "", 0);
        snprintf(rule, sizeof(rule), "x: on {op: etcd-put, key: a} at replied do 1*%s", actions[i]);
        lab_arm(&lab, rule);
        ask_put(&lab, &talk, "a");
        lab_pass(&lab, 100 * MS_US);
        assert_talk_ok(&talk);
        assert_true(watch.is_ended);
        talk_free(&talk);
        talk_free(&watch);
        lab_stop(&lab);
    }
}

/* As a server that ends in good order: no new call, but what is open goes on. */
static void replied__goaway_without_error__open_watch_goes_on_over_the_old_connection(void **state)
{
    struct lab *lab = *state;
    struct talk talk;
    struct talk watch;

    talk_open(lab, &watch, WATCH_PATH, NULL);
    watch_prefix(&watch, "a", "", 0);
    lab_arm(lab, "x: on {op: etcd-put, key: a} at replied do 1*goaway");
    for (int i = 0; i < 2; i++) {
        ask_put(lab, &talk, "a");
        lab_pass(lab, 100 * MS_US);
        assert_talk_ok(&talk);
        talk_free(&talk);
    }
    struct fakeetcd_counts counts;
    fakeetcd_server_counts(lab->server, &counts);
    assert_false(watch.is_ended);
    assert_int_equal(watch.message_count, 3); /* created, and an event of each connection's put */
    assert_int_equal(counts.connections_total, 2);
    talk_free(&watch);
}

/* A client of bare HTTP/2 frames, so that each frame that comes back is seen. */
static void peer_put(struct peer *peer, uint8_t stream)
{
    static const char path[] = "/etcdserverpb.KV/Put";
    static const char type[] = "application/grpc";
    static const uint8_t message[] = {0, 0, 0, 0, 6, 0x0a, 1, 'a', 0x12, 1, 'v'};
    uint8_t frames[128] = {0};
    size_t len_bytes = 9;
    frames[len_bytes++] = 0x83; /* :method POST */
    frames[len_bytes++] = 0x86; /* :scheme http */
    frames[len_bytes++] = 0x04; /* :path */
    frames[len_bytes++] = sizeof(path) - 1;
    memcpy(frames + len_bytes, path, sizeof(path) - 1);
    len_bytes += sizeof(path) - 1;
    frames[len_bytes++] = 0x0f; /* content-type */
    frames[len_bytes++] = 0x10;
    frames[len_bytes++] = sizeof(type) - 1;
    memcpy(frames + len_bytes, type, sizeof(type) - 1);
    len_bytes += sizeof(type) - 1;
    frames[2] = (uint8_t)(len_bytes - 9);
    frames[3] = 1; /* HEADERS */
    frames[4] = 4; /* END_HEADERS */
    frames[8] = stream;
    frames[len_bytes + 2] = sizeof(message);
    frames[len_bytes + 4] = 1; /* DATA with END_STREAM */
    frames[len_bytes + 8] = stream;
    memcpy(frames + len_bytes + 9, message, sizeof(message));
    peer_send_bytes(peer, frames, len_bytes + 9 + sizeof(message));
}

static size_t peer_frames(const struct peer *peer, uint8_t type, uint8_t flags, uint8_t last_byte)
{
    const uint8_t *bytes = (const uint8_t *)peer->text;
    size_t count = 0;
    for (size_t at = 0; at + 9 <= peer->len_bytes;) {
        size_t len_bytes =
            (size_t)bytes[at] << 16 | (size_t)bytes[at + 1] << 8 | (size_t)bytes[at + 2];
        assert_true(at + 9 + len_bytes <= peer->len_bytes);
        if (bytes[at + 3] == type && bytes[at + 4] == flags &&
            (len_bytes == 0 ? 0 : bytes[at + 8 + len_bytes]) == last_byte) {
            count++;
        }
        at += 9 + len_bytes;
    }
    return count;
}

static void start_peer(struct lab *lab, struct peer *peer, const char *rule)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0";
    lab_start(lab, NULL);
    lab_arm(lab, rule);
    peer_connect(peer, lab->loop, lab->network, "10.0.2.1:2379");
    peer_send_bytes(peer, preface, sizeof(preface));
    peer_forget(peer);
}

static void stop_peer(struct lab *lab, struct peer *peer)
{
    assert_non_null(peer->stream);
    assert_int_equal(lab_fired(lab, "x"), 1);
    peer_fini(peer);
    lab_stop(lab);
}

static void replied__rst_stream__follows_the_answer_and_ends_nothing_else(void **state)
{
    static struct peer peer;
    struct lab lab;
    (void)state;
    start_peer(&lab, &peer, "x: on {op: etcd-put} at replied do 1*rst-stream(CANCEL)");
    peer_put(&peer, 1);
    peer_pass(&peer, 100 * MS_US);
    assert_int_equal(peer_frames(&peer, 3, 0, 8), 1);   /* RST_STREAM CANCEL, */
    assert_int_equal(peer.text[peer.len_bytes - 1], 8); /* and it is the last that came */
    peer_forget(&peer);
    peer_put(&peer, 3);
    assert_int_equal(peer_frames(&peer, 3, 0, 8), 0);
    assert_true(peer.len_bytes > 0);
    stop_peer(&lab, &peer);
}

static void replied__mute_pings__are_not_acknowledged_from_then_on(void **state)
{
    static const uint8_t ping[17] = {0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8};
    static struct peer peer;
    struct lab lab;
    (void)state;
    start_peer(&lab, &peer, "x: on {op: etcd-put} at replied do 1*mute-pings");
    peer_send_bytes(&peer, ping, sizeof(ping));
    assert_int_equal(peer_frames(&peer, 6, 1, 8), 1);
    peer_put(&peer, 1);
    peer_pass(&peer, 100 * MS_US);
    peer_forget(&peer);
    peer_send_bytes(&peer, ping, sizeof(ping));
    assert_int_equal(peer_frames(&peer, 6, 1, 8), 0);
    stop_peer(&lab, &peer);
}

static void replied__hold_window__later_large_requests_never_arrive(void **state)
{
    static uint8_t value[1400 * 1024];
    struct lab *lab = *state;
    struct talk talk;
    Etcdserverpb__PutRequest request = ETCDSERVERPB__PUT_REQUEST__INIT;

    lab_arm(lab, "x: on {op: etcd-put, key: a} at replied do 1*hold-window");
    (void)lab_put(lab, "a", "1");
    lab_pass(lab, 100 * MS_US);
    request.key = bytes_of("b");
    request.value = (ProtobufCBinaryData){.len = sizeof(value), .data = value};
    lab_ask(lab, &talk, PUT, &request.base);
    lab_pass(lab, 30 * SECOND_US);
    assert_false(talk.is_ended);
    assert_false(lab_has(lab, "b"));
    assert_int_equal(lab_fired(lab, "x"), 1);
    talk_free(&talk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replied__rst__answer_has_arrived),
        LAB_CASE(replied__goaway_without_error__open_watch_goes_on_over_the_old_connection),
        cmocka_unit_test(replied__rst_stream__follows_the_answer_and_ends_nothing_else),
        cmocka_unit_test(replied__mute_pings__are_not_acknowledged_from_then_on),
        LAB_CASE(replied__hold_window__later_large_requests_never_arrive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
