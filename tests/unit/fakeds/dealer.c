/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <stdio.h>
#include <string.h>

static void on_connected(void *arg);
static void on_input(void *arg);
static void on_closed(void *arg, enum rt_status reason);
static void remember(struct dealer *dealer, const struct zmtp_message *message);
static void copy_payload(struct answer *answer, const struct zmtp_message *message);

static const struct rt_stream_handler HANDLER = {
    .on_connected = on_connected, .on_input = on_input, .on_closed = on_closed};

void dealer_init(struct dealer *dealer, struct world *world, const char *name, const char *identity)
{
    memset(dealer, 0, sizeof(*dealer));
    dealer->world = world;
    snprintf(dealer->name, sizeof(dealer->name), "%s", name);
    snprintf(dealer->identity, sizeof(dealer->identity), "%s", identity);
    dealer->arena = dsrpc_arena_create();
    assert_non_null(dealer->arena);
    dealer_connect(dealer);
}

void dealer_connect(struct dealer *dealer)
{
    struct zmtp_options options = {.role = ZMTP_DEALER,
                                   .identity = rt_slice_text(dealer->identity)};
    zmtp_codec_destroy(dealer->codec);
    dealer->codec = NULL;
    dealer->is_open = false;
    dealer->closed_why = RT_OK;
    assert_int_equal(zmtp_codec_create(&options, &dealer->codec), RT_OK);
    assert_int_equal(rt_network_connect(dealer->world->network, dealer->name,
                                        fakeds_worker_address(dealer->world->worker), &HANDLER,
                                        dealer, &dealer->stream),
                     RT_OK);
    run_for(dealer->world, 0);
}

static void on_connected(void *arg)
{
    struct dealer *dealer = arg;
    assert_int_equal(zmtp_start(dealer->codec, rt_stream_outbox(dealer->stream)), RT_OK);
    rt_stream_flush(dealer->stream);
}

static void on_input(void *arg)
{
    struct dealer *dealer = arg;
    for (;;) {
        enum zmtp_event event;
        struct zmtp_message message;
        enum rt_status status = zmtp_receive(dealer->codec, rt_stream_inbox(dealer->stream),
                                             rt_stream_outbox(dealer->stream), &event, &message);
        if (status == RT_E_AGAIN) {
            break;
        }
        assert_int_equal(status, RT_OK);
        if (event == ZMTP_EVENT_OPEN) {
            dealer->is_open = true;
        } else if (event == ZMTP_EVENT_MESSAGE) {
            remember(dealer, &message);
        }
    }
    rt_stream_flush(dealer->stream);
}

static void remember(struct dealer *dealer, const struct zmtp_message *message)
{
    struct dsrpc_answer decoded;
    struct answer *answer = &dealer->answers[dealer->answer_count++];
    assert_true(dealer->answer_count <= ANSWER_MAX);
    if (dsrpc_answer_decode(message, &decoded) != RT_OK) {
        answer->code = -1; /* a corrupted one */
        return;
    }
    *answer = (struct answer){.time_us = rt_loop_now_us(dealer->world->loop), .code = decoded.code};
    const char *colon = decoded.queue_id.len_bytes == 0
                            ? NULL
                            : memrchr(decoded.queue_id.data, ':', decoded.queue_id.len_bytes);
    answer->number = colon == NULL ? 0 : (uint32_t)strtoul(colon + 1, NULL, 10);
    snprintf(answer->text, sizeof(answer->text), "%.*s", (int)decoded.text.len_bytes,
             (const char *)decoded.text.data);
    assert_true(decoded.body.len_bytes <= BODY_MAX);
    if (decoded.body.len_bytes > 0) {
        memcpy(answer->body, decoded.body.data, decoded.body.len_bytes);
    }
    answer->body_bytes = decoded.body.len_bytes;
    copy_payload(answer, message);
}

static void copy_payload(struct answer *answer, const struct zmtp_message *message)
{
    struct dsrpc_payload payload;
    if (answer->code != K_OK || message->frame_count < 5 ||
        dsrpc_answer_payload(message, &payload) != RT_OK) {
        return;
    }
    answer->part_count = payload.part_count;
    size_t at = 0;
    for (size_t i = 0; i < payload.part_count; i++) {
        struct rt_slice bytes = payload.parts[i].bytes;
        answer->payload_bytes += bytes.len_bytes;
        size_t len_bytes = bytes.len_bytes < BODY_MAX - at ? bytes.len_bytes : BODY_MAX - at;
        if (len_bytes > 0) {
            memcpy(answer->payload + at, bytes.data, len_bytes);
        }
        at += len_bytes;
    }
}

static void on_closed(void *arg, enum rt_status reason)
{
    struct dealer *dealer = arg;
    dealer->closed_why = reason;
    dealer->closed_us = rt_loop_now_us(dealer->world->loop);
    rt_stream_destroy(dealer->stream);
    dealer->stream = NULL;
}

void dealer_close(struct dealer *dealer)
{
    if (dealer->stream != NULL) {
        rt_stream_close(dealer->stream);
        dealer->stream = NULL;
        run_for(dealer->world, 0);
    }
}

void dealer_reset(struct dealer *dealer)
{
    rt_stream_reset(dealer->stream);
    dealer->stream = NULL;
    run_for(dealer->world, 0);
}

void dealer_fini(struct dealer *dealer)
{
    dealer_close(dealer);
    zmtp_codec_destroy(dealer->codec);
    dsrpc_arena_destroy(dealer->arena);
}

uint32_t dealer_send(struct dealer *dealer, enum dsrpc_op op, const ProtobufCMessage *body,
                     const struct dsrpc_value *values, size_t value_count, int64_t timeout_ms)
{
    char queue_id[80];
    struct rt_slice packed = {0};
    uint32_t number = ++dealer->sent_count;
    snprintf(queue_id, sizeof(queue_id), "%s:1:0:%u", dealer->identity, number);
    if (body != NULL) {
        assert_int_equal(dsrpc_pack(body, dealer->arena, &packed), RT_OK);
    }
    struct dsrpc_outgoing request = {.op = op,
                                     .queue_id = rt_slice_text(queue_id),
                                     .trace_id = rt_slice_text("trace-1"),
                                     .timeout_ms = timeout_ms,
                                     .body = packed,
                                     .values = values,
                                     .value_count = value_count};
    assert_non_null(dealer->stream);
    assert_int_equal(
        dsrpc_request_encode(&dsrpc_profile_0_8_1, &request, rt_stream_outbox(dealer->stream)),
        RT_OK);
    rt_stream_flush(dealer->stream);
    return number;
}

void dealer_send_raw(struct dealer *dealer, const void *bytes, size_t len_bytes)
{
    assert_int_equal(rt_outbox_add(rt_stream_outbox(dealer->stream), bytes, len_bytes), RT_OK);
    rt_stream_flush(dealer->stream);
}

const struct answer *answer_to(const struct dealer *dealer, uint32_t number)
{
    for (size_t i = 0; i < dealer->answer_count; i++) {
        if (dealer->answers[i].number == number) {
            return &dealer->answers[i];
        }
    }
    return NULL;
}

size_t answers_to(const struct dealer *dealer, uint32_t number)
{
    size_t count = 0;
    for (size_t i = 0; i < dealer->answer_count; i++) {
        count += dealer->answers[i].number == number ? 1 : 0;
    }
    return count;
}
