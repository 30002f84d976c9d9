/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/dsrpc/dsrpc_field.h"
#include "wire/dsrpc/dsrpc_meta.h"
#include "wire/dsrpc/dsrpc_method.h"

/*
 * Answers: [queue id][MetaPb][ErrorInfoPb][body], then the payload of methods that return one.
 * An error ends after its ErrorInfoPb. OK is a frame of no bytes.
 */
static enum rt_status decode_error(struct rt_slice bytes, struct dsrpc_answer *answer);
static enum rt_status write_error(int32_t code, struct rt_slice text, struct rt_outbox *out);
static size_t put_error_head(uint8_t *to, int32_t code, size_t text_bytes);

enum answer_frame { FRAME_QUEUE_ID, FRAME_META, FRAME_ERROR, FRAME_BODY, FRAME_PAYLOAD };
enum error_field { FIELD_CODE = 1, FIELD_TEXT = 2 };

/* ---- reading -------------------------------------------------------------------------------- */

enum rt_status dsrpc_answer_decode(const struct zmtp_message *message,
                                   struct dsrpc_answer *out_answer)
{
    struct dsrpc_answer answer = {0};
    const struct zmtp_frame *frames = message->frames;
    if (message->frame_count <= FRAME_ERROR ||
        dsrpc_meta_decode(frames[FRAME_META].bytes, &answer.meta) != RT_OK) {
        return RT_E_MALFORMED;
    }
    answer.queue_id = frames[FRAME_QUEUE_ID].bytes;
    int32_t heartbeat_index = dsrpc_method_of(&dsrpc_profile_0_8_1, DSRPC_OP_ZMQ_HEARTBEAT)->index;
    if (answer.meta.method_index == heartbeat_index) {
        answer.body = frames[FRAME_ERROR].bytes; /* a second MetaPb stands there */
        *out_answer = answer;
        return RT_OK;
    }
    if (answer.meta.tick_count == 0 || /* the real client drops such an answer */
        decode_error(frames[FRAME_ERROR].bytes, &answer) != RT_OK) {
        return RT_E_MALFORMED;
    }
    if (answer.code == K_OK) {
        if (message->frame_count <= FRAME_BODY) {
            return RT_E_MALFORMED;
        }
        answer.body = frames[FRAME_BODY].bytes;
    }
    *out_answer = answer;
    return RT_OK;
}

static enum rt_status decode_error(struct rt_slice bytes, struct dsrpc_answer *answer)
{
    for (;;) {
        struct dsrpc__field field;
        enum rt_status status = dsrpc__field_next(&bytes, &field);
        if (status != RT_OK) {
            return status == RT_E_AGAIN ? RT_OK : status;
        }
        if ((field.number == FIELD_CODE && field.type != DSRPC__VARINT) ||
            (field.number == FIELD_TEXT && field.type != DSRPC__BYTES)) {
            return RT_E_MALFORMED;
        }
        if (field.number == FIELD_CODE) {
            answer->code = (int32_t)(uint32_t)field.varint;
        } else if (field.number == FIELD_TEXT) {
            answer->text = field.bytes;
        }
    }
}

enum rt_status dsrpc_answer_payload(const struct zmtp_message *message,
                                    struct dsrpc_payload *out_payload)
{
    const char *why = dsrpc__payload_find(message, FRAME_PAYLOAD, out_payload);
    return why == NULL ? RT_OK : RT_E_MALFORMED;
}

/* ---- writing -------------------------------------------------------------------------------- */

enum rt_status dsrpc_answer_encode(struct rt_slice queue_id, struct rt_slice raw_meta, int32_t code,
                                   struct rt_slice text, struct rt_slice body, bool has_payload,
                                   const struct dsrpc_value *parts, size_t part_count,
                                   struct rt_outbox *out)
{
    if (!dsrpc__payload_is_sound(parts, part_count)) {
        return RT_E_INVALID;
    }
    enum rt_status status = zmtp_write_frame(out, queue_id, true);
    if (status == RT_OK) {
        status = zmtp_write_frame(out, raw_meta, true);
    }
    if (status == RT_OK) {
        status = write_error(code, text, out);
    }
    if (status != RT_OK || code != K_OK) {
        return status;
    }
    status = zmtp_write_frame(out, body, has_payload);
    if (status == RT_OK && has_payload) {
        status = dsrpc__payload_write(parts, part_count, true, out);
    }
    return status;
}

static enum rt_status write_error(int32_t code, struct rt_slice text, struct rt_outbox *out)
{
    uint8_t head[32];
    size_t head_bytes = put_error_head(head, code, text.len_bytes);
    enum rt_status status = zmtp_write_header(out, head_bytes + text.len_bytes, code == K_OK);
    if (status == RT_OK) {
        status = rt_outbox_add(out, head, head_bytes);
    }
    if (status == RT_OK && text.len_bytes > 0) {
        status = rt_outbox_add(out, text.data, text.len_bytes);
    }
    return status;
}

/* ErrorInfoPb without the bytes of its text. A negative code is ten bytes, as int32 is. */
static size_t put_error_head(uint8_t *to, int32_t code, size_t text_bytes)
{
    size_t len_bytes = dsrpc__put_number(to, FIELD_CODE, (uint64_t)(int64_t)code);
    if (text_bytes > 0) {
        to[len_bytes++] = FIELD_TEXT << 3 | DSRPC__BYTES;
        len_bytes += dsrpc__put_varint(to + len_bytes, text_bytes);
    }
    return len_bytes;
}

enum rt_status dsrpc_zmq_heartbeat_answer(const struct dsrpc_meta *meta, struct rt_outbox *out)
{
    enum rt_status status = zmtp_write_frame(out, meta->queue_id, true);
    if (status == RT_OK) {
        status = zmtp_write_frame(out, meta->raw, true);
    }
    if (status == RT_OK) {
        status = zmtp_write_frame(out, meta->raw, false);
    }
    return status;
}
