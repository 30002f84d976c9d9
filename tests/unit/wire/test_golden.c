/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "capture.h"
#include "messages.h"
#include "peer.h"
#include "wire/dsrpc/dsrpc_field.h"

/*
 * The capture of the real client and the real worker, every byte of it: each direction of each
 * connection is decoded through ZMTP, envelope and protobuf, and written again to the same bytes.
 */
struct golden {
    struct capture capture;
    struct dsrpc_arena *arena;
    size_t request_count[DSRPC_OP_COUNT];
    size_t answer_count[DSRPC_OP_COUNT];
    size_t probe_count;
    size_t failed_answer_count;
    struct {
        char queue_id[64];
        size_t queue_id_bytes;
        enum dsrpc_op op;
    } calls[64]; /* requests seen, so that an answer's operation is known */
    size_t call_count;
};

#define WORKER_PORT    31502
#define READINESS_PORT 36586 /* the worker asking itself whether it is ready: no user */

/* ---- one direction -------------------------------------------------------------------------- */

/* What the sender wrote, written again by us. */
static void rewrite_message(const struct zmtp_message *message, struct rt_outbox *again)
{
    for (size_t i = 0; i < message->frame_count; i++) {
        const struct zmtp_frame *frame = &message->frames[i];
        bool is_more = i + 1 < message->frame_count;
        enum rt_status status =
            frame->blob == NULL
                ? zmtp_write_frame(again, frame->bytes, is_more)
                : zmtp_write_blob(again, frame->blob, 0, frame->bytes.len_bytes, is_more);
        assert_int_equal(status, RT_OK);
    }
}

/* A codec with the sender's role and identity must greet as the sender did, except for the bytes
 * that libzmq fills with the length of its identity. */
static void rewrite_handshake(enum zmtp_role role, struct rt_slice identity,
                              const struct capture_stream *stream, struct rt_outbox *again)
{
    struct peer sender;
    peer_init(&sender, &(struct zmtp_options){.role = role, .identity = identity});
    peer_feed(&sender, GREETING, sizeof(GREETING));
    assert_int_equal(peer_receive(&sender), RT_OK);
    size_t len_bytes = 0;
    uint8_t *data = outbox_take(sender.out, &len_bytes);
    assert_true(len_bytes > 64 && stream->len_bytes > 64);
    memcpy(data, stream->data, 10);
    assert_int_equal(rt_outbox_add(again, data, len_bytes), RT_OK);
    free(data);
    peer_fini(&sender);
}

static void assert_message_bytes(const struct zmtp_message *message, struct rt_outbox *ours)
{
    struct rt_outbox *theirs = rt_outbox_create();
    size_t wanted_bytes = 0;
    size_t len_bytes = 0;
    rewrite_message(message, theirs);
    uint8_t *wanted = outbox_take(theirs, &wanted_bytes);
    uint8_t *data = outbox_take(ours, &len_bytes);
    assert_int_equal(len_bytes, wanted_bytes);
    assert_memory_equal(data, wanted, wanted_bytes);
    free(wanted);
    free(data);
    rt_outbox_destroy(theirs);
}

/* No field is unknown to us, and packing gives the same bytes. */
static void check_body(struct golden *golden, const ProtobufCMessageDescriptor *descriptor,
                       struct rt_slice body)
{
    ProtobufCMessage *message = dsrpc_unpack(descriptor, body, golden->arena);
    assert_non_null(message);
    assert_int_equal(message->n_unknown_fields, 0);
    struct rt_slice packed;
    assert_int_equal(dsrpc_pack(message, golden->arena, &packed), RT_OK);
    assert_int_equal(packed.len_bytes, body.len_bytes);
    if (body.len_bytes > 0) {
        assert_memory_equal(packed.data, body.data, body.len_bytes);
    }
    dsrpc_arena_reset(golden->arena);
}

/* ---- requests ------------------------------------------------------------------------------- */

/* Times of the two latency ticks that a client adds. */
static void read_ticks(struct rt_slice meta, uint64_t *out_started_ns, uint64_t *out_sent_ns)
{
    struct dsrpc__field field;
    *out_started_ns = 0;
    *out_sent_ns = 0;
    while (dsrpc__field_next(&meta, &field) == RT_OK) {
        struct rt_slice tick = field.bytes;
        struct dsrpc__field time;
        struct dsrpc__field name;
        if (field.number != 15) {
            continue;
        }
        assert_int_equal(dsrpc__field_next(&tick, &time), RT_OK);
        assert_int_equal(dsrpc__field_next(&tick, &name), RT_OK);
        if (rt_slice_is_text(name.bytes, "CLIENT_START")) {
            *out_started_ns = time.varint;
        } else if (rt_slice_is_text(name.bytes, "CLIENT_SEND")) {
            *out_sent_ns = time.varint;
        }
    }
}

static struct rt_outbox *encode_request(const struct dsrpc_request *request, bool is_background)
{
    struct dsrpc_piece pieces[8];
    struct dsrpc_value values[8];
    assert_true(request->payload.part_count <= 8);
    for (size_t i = 0; i < request->payload.part_count; i++) {
        pieces[i] = (struct dsrpc_piece){.bytes = request->payload.parts[i].bytes};
        values[i] = (struct dsrpc_value){
            .pieces = &pieces[i], .piece_count = 1, .total_bytes = pieces[i].bytes.len_bytes};
    }
    struct dsrpc_outgoing outgoing = {.op = request->op,
                                      .is_background = is_background,
                                      .queue_id = request->meta.queue_id,
                                      .trace_id = request->meta.trace_id,
                                      .timeout_ms = request->meta.timeout,
                                      .body = request->body,
                                      .values = values,
                                      .value_count = request->payload.part_count};
    read_ticks(request->meta.raw, &outgoing.started_ns, &outgoing.sent_ns);
    struct rt_outbox *out = rt_outbox_create();
    assert_int_equal(dsrpc_request_encode(&dsrpc_profile_0_8_1, &outgoing, out), RT_OK);
    return out;
}

static void check_request(struct golden *golden, const struct zmtp_message *message,
                          bool is_background)
{
    struct dsrpc_request request;
    const char *why = NULL;
    assert_int_equal(dsrpc_request_decode(&dsrpc_profile_0_8_1, message, &request, &why), RT_OK);
    assert_int_not_equal(request.op, DSRPC_OP_UNKNOWN);
    golden->request_count[request.op]++;
    if (request.op != DSRPC_OP_ZMQ_HEARTBEAT) {
        check_body(golden, MESSAGES[request.op].request, request.body);
    }
    struct rt_outbox *ours = encode_request(&request, is_background);
    assert_message_bytes(message, ours);
    rt_outbox_destroy(ours);

    assert_true(golden->call_count < 64);
    assert_true(request.meta.queue_id.len_bytes <= 64);
    memcpy(golden->calls[golden->call_count].queue_id, request.meta.queue_id.data,
           request.meta.queue_id.len_bytes);
    golden->calls[golden->call_count].queue_id_bytes = request.meta.queue_id.len_bytes;
    golden->calls[golden->call_count++].op = request.op;
}

/* ---- answers -------------------------------------------------------------------------------- */

static enum dsrpc_op op_of(const struct golden *golden, struct rt_slice queue_id)
{
    for (size_t i = 0; i < golden->call_count; i++) {
        if (rt_slice_equal(queue_id, rt_slice_of(golden->calls[i].queue_id,
                                                 golden->calls[i].queue_id_bytes))) {
            return golden->calls[i].op;
        }
    }
    fail_msg("an answer to no request");
    return DSRPC_OP_UNKNOWN;
}

static void check_answer(struct golden *golden, const struct zmtp_message *message)
{
    struct dsrpc_answer answer;
    struct dsrpc_payload payload = {0};
    struct dsrpc_piece pieces[8];
    struct dsrpc_value values[8];
    assert_int_equal(dsrpc_answer_decode(message, &answer), RT_OK);
    assert_true(rt_slice_equal(answer.queue_id, answer.meta.queue_id));
    enum dsrpc_op op = op_of(golden, answer.queue_id);
    golden->answer_count[op]++;
    golden->failed_answer_count += answer.code != K_OK ? 1 : 0;

    bool has_payload = dsrpc_method_of(&dsrpc_profile_0_8_1, op)->returns_payload;
    if (has_payload && answer.code == K_OK) {
        assert_int_equal(dsrpc_answer_payload(message, &payload), RT_OK);
    }
    struct rt_outbox *ours = rt_outbox_create();
    if (op == DSRPC_OP_ZMQ_HEARTBEAT) {
        /* The worker adds a tick before it echoes: both copies are the same. */
        assert_true(rt_slice_equal(answer.meta.raw, answer.body));
        assert_int_equal(dsrpc_zmq_heartbeat_answer(&answer.meta, ours), RT_OK);
        assert_message_bytes(message, ours);
        rt_outbox_destroy(ours);
        return;
    }
    check_body(golden, MESSAGES[op].answer, answer.body);
    for (size_t i = 0; i < payload.part_count; i++) {
        assert_true(i < 8);
        pieces[i] = (struct dsrpc_piece){.bytes = payload.parts[i].bytes};
        values[i] = (struct dsrpc_value){
            .pieces = &pieces[i], .piece_count = 1, .total_bytes = pieces[i].bytes.len_bytes};
    }
    assert_int_equal(dsrpc_answer_encode(answer.queue_id, answer.meta.raw, answer.code, answer.text,
                                         answer.body, has_payload, values, payload.part_count,
                                         ours),
                     RT_OK);
    assert_message_bytes(message, ours);
    rt_outbox_destroy(ours);
}

/* ---- streams -------------------------------------------------------------------------------- */

static void check_event(struct golden *golden, struct peer *receiver, bool is_from_client,
                        const struct capture_stream *stream, struct rt_outbox *again)
{
    switch (receiver->event) {
    case ZMTP_EVENT_GREETED:
        break;
    case ZMTP_EVENT_OPEN:
        assert_int_equal(zmtp_peer_identity(receiver->codec).len_bytes, 18);
        rewrite_handshake(is_from_client ? ZMTP_DEALER : ZMTP_ROUTER,
                          zmtp_peer_identity(receiver->codec), stream, again);
        break;
    case ZMTP_EVENT_PROBE:
        golden->probe_count++;
        assert_int_equal(zmtp_write_frame(again, rt_slice_of(NULL, 0), false), RT_OK);
        break;
    case ZMTP_EVENT_MESSAGE:
        rewrite_message(&receiver->message, again);
        if (is_from_client) {
            check_request(golden, &receiver->message, stream->from_port == READINESS_PORT);
        } else {
            check_answer(golden, &receiver->message);
        }
        break;
    }
}

/* Fed packet by packet, as it came. */
static void check_stream(struct golden *golden, const struct capture_stream *stream)
{
    struct peer receiver;
    struct rt_outbox *again = rt_outbox_create();
    bool is_from_client = stream->to_port == WORKER_PORT;
    size_t fed_bytes = 0;
    peer_init(&receiver,
              &(struct zmtp_options){.role = is_from_client ? ZMTP_ROUTER : ZMTP_DEALER});
    for (size_t i = 0; i < stream->segment_count; i++) {
        size_t end_bytes = stream->segment_end_bytes[i];
        peer_feed(&receiver, stream->data + fed_bytes, end_bytes - fed_bytes);
        fed_bytes = end_bytes;
        enum rt_status status;
        while ((status = peer_receive(&receiver)) == RT_OK) {
            check_event(golden, &receiver, is_from_client, stream, again);
        }
        assert_int_equal(status, RT_E_AGAIN);
    }
    assert_int_equal(rt_inbox_len_bytes(receiver.in), 0);
    size_t len_bytes = 0;
    uint8_t *data = outbox_take(again, &len_bytes);
    assert_int_equal(len_bytes, stream->len_bytes);
    assert_memory_equal(data, stream->data, len_bytes);
    free(data);
    rt_outbox_destroy(again);
    peer_fini(&receiver);
}

static void check_all(struct golden *golden)
{
    *golden = (struct golden){.arena = dsrpc_arena_create()};
    assert_non_null(golden->arena);
    const char *error =
        capture_read(&golden->capture, TEST_DATA_DIR "/captures/client-worker.pcap");
    if (error != NULL) {
        fail_msg("%s", error);
    }
    for (int is_answers = 0; is_answers <= 1; is_answers++) {
        for (size_t i = 0; i < golden->capture.stream_count; i++) {
            const struct capture_stream *stream = &golden->capture.streams[i];
            if ((stream->from_port == WORKER_PORT) == (is_answers == 1)) {
                check_stream(golden, stream);
            }
        }
    }
    capture_fini(&golden->capture);
    dsrpc_arena_destroy(golden->arena);
}

/* ---- tests ---------------------------------------------------------------------------------- */

/*
 * How often each call was made, from client-worker.txt and the rules of the client, not from the
 * decoder. The list's sets that reach the wire: set, 255 key, republish, ttl set. Its gets: set,
 * five misses, two partial, dup, after delete, ttl, ttl expired. One more health check is the
 * readiness probe on the first connection. Over the 5.27 s: heartbeats at 0 and once a second, ZMQ
 * heartbeats once a second on A and every 1.3 s on B, one reconcile at 5 s.
 */
static const size_t CALLS[DSRPC_OP_COUNT] = {
    [DSRPC_OP_SOCKET_PATH] = 1,
    [DSRPC_OP_REGISTER] = 1,
    [DSRPC_OP_HEARTBEAT] = 6,
    [DSRPC_OP_DISCONNECT] = 1,
    [DSRPC_OP_ZMQ_HEARTBEAT] = 5 + 4,
    [DSRPC_OP_HEALTH] = 2,
    [DSRPC_OP_SET] = 4,
    [DSRPC_OP_GET] = 12,
    [DSRPC_OP_EXIST] = 1,
    [DSRPC_OP_DELETE] = 1,
    [DSRPC_OP_EXPIRE] = 1,
    [DSRPC_OP_MSET] = 1,
    [DSRPC_OP_RECONCILE] = 1,
};

#define CONNECTION_COUNT 3u
#define REFUSED_COUNT    1u /* republish with another write mode; expire answers OK with last_rc */

static void capture__every_message__is_written_again_to_the_same_bytes(void **state)
{
    struct golden golden;
    size_t request_count = 0;
    (void)state;
    check_all(&golden);
    for (size_t op = 0; op < DSRPC_OP_COUNT; op++) {
        if (golden.request_count[op] != CALLS[op] || golden.answer_count[op] != CALLS[op]) {
            fail_msg("%s: %zu requests and %zu answers, not %zu", dsrpc_op_word((enum dsrpc_op)op),
                     golden.request_count[op], golden.answer_count[op], CALLS[op]);
        }
        request_count += golden.request_count[op];
    }
    assert_int_equal(golden.probe_count, CONNECTION_COUNT);
    assert_int_equal(golden.failed_answer_count, REFUSED_COUNT);
    assert_int_equal(request_count, 41);
}

/* The reader itself, against what tshark counts in the file. */
static void capture__file__holds_the_streams_that_tshark_sees(void **state)
{
    static const struct {
        uint16_t port;
        size_t sent_bytes;
        size_t received_bytes;
    } CONVERSATIONS[] = {{36586, 301, 505}, {36600, 2366, 5240}, {36612, 5546, 10823}};
    struct capture capture;
    (void)state;
    assert_null(capture_read(&capture, TEST_DATA_DIR "/captures/client-worker.pcap"));
    assert_int_equal(capture.packet_count, 159);
    assert_int_equal(capture.stream_count, 2 * CONNECTION_COUNT);
    for (size_t i = 0; i < capture.stream_count; i++) {
        const struct capture_stream *stream = &capture.streams[i];
        bool is_from_client = stream->to_port == WORKER_PORT;
        uint16_t port = is_from_client ? stream->from_port : stream->to_port;
        size_t row = 0;
        while (CONVERSATIONS[row].port != port) {
            row++;
            assert_true(row < CONNECTION_COUNT);
        }
        assert_int_equal(stream->len_bytes, is_from_client ? CONVERSATIONS[row].sent_bytes
                                                           : CONVERSATIONS[row].received_bytes);
    }
    capture_fini(&capture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(capture__file__holds_the_streams_that_tshark_sees),
        cmocka_unit_test(capture__every_message__is_written_again_to_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
