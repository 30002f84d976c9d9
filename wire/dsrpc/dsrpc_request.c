/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/dsrpc/dsrpc_meta.h"
#include "wire/dsrpc/dsrpc_method.h"

/* Requests: [MetaPb][body], then the payload of methods that send one. */
static enum rt_status take_frames(const struct dsrpc_profile *profile,
                                  const struct zmtp_message *message, struct dsrpc_request *request,
                                  const char **out_why);

enum request_frame { FRAME_META, FRAME_BODY, FRAME_PAYLOAD };

enum rt_status dsrpc_request_decode(const struct dsrpc_profile *profile,
                                    const struct zmtp_message *message,
                                    struct dsrpc_request *out_request, const char **out_why)
{
    struct dsrpc_request request = {0};
    *out_why = "";
    if (message->frame_count == 0 ||
        dsrpc_meta_decode(message->frames[FRAME_META].bytes, &request.meta) != RT_OK) {
        *out_why = "no MetaPb";
        return RT_E_MALFORMED;
    }
    if (request.meta.tick_count == 0) {
        *out_why = "MetaPb without a tick";
        return RT_E_MALFORMED;
    }
    request.op = dsrpc__method_find(profile, request.meta.service, request.meta.method_index,
                                    &request.is_service_known);
    enum rt_status status = take_frames(profile, message, &request, out_why);
    *out_request = request;
    return status;
}

/* Frames that no method asks for are let through: nothing tells what they would mean. */
static enum rt_status take_frames(const struct dsrpc_profile *profile,
                                  const struct zmtp_message *message, struct dsrpc_request *request,
                                  const char **out_why)
{
    if (message->frame_count > FRAME_BODY) {
        request->body = message->frames[FRAME_BODY].bytes;
    }
    if (request->op == DSRPC_OP_UNKNOWN || request->op == DSRPC_OP_ZMQ_HEARTBEAT) {
        return RT_OK;
    }
    if (message->frame_count <= FRAME_BODY) {
        *out_why = "the request's body is missing";
        return RT_E_INVALID;
    }
    if (dsrpc_method_of(profile, request->op)->sends_payload) {
        const char *why = dsrpc__payload_find(message, FRAME_PAYLOAD, &request->payload);
        if (why != NULL) {
            *out_why = why;
            return RT_E_INVALID;
        }
    }
    return RT_OK;
}

/* ---- writing -------------------------------------------------------------------------------- */

enum rt_status dsrpc_request_encode(const struct dsrpc_profile *profile,
                                    const struct dsrpc_outgoing *request, struct rt_outbox *out)
{
    uint8_t meta[DSRPC__META_MAX_BYTES];
    bool has_payload = dsrpc_method_of(profile, request->op)->sends_payload;
    bool has_body = request->op != DSRPC_OP_ZMQ_HEARTBEAT;
    if (request->queue_id.len_bytes > DSRPC__ID_LIMIT_BYTES ||
        request->trace_id.len_bytes > DSRPC__ID_LIMIT_BYTES ||
        !dsrpc__payload_is_sound(request->values, request->value_count)) {
        return RT_E_INVALID;
    }
    size_t meta_bytes = dsrpc__meta_put(meta, profile, request);
    enum rt_status status = zmtp_write_frame(out, rt_slice_of(meta, meta_bytes), has_body);
    if (status == RT_OK && has_body) {
        status = zmtp_write_frame(out, request->body, has_payload);
    }
    if (status == RT_OK && has_payload) {
        status = dsrpc__payload_write(request->values, request->value_count, false, out);
    }
    return status;
}

enum rt_status dsrpc_zmq_heartbeat_encode(struct rt_slice queue_id, int64_t timeout_ms,
                                          struct rt_outbox *out)
{
    struct dsrpc_outgoing heartbeat = {
        .op = DSRPC_OP_ZMQ_HEARTBEAT, .queue_id = queue_id, .timeout_ms = timeout_ms};
    return dsrpc_request_encode(&dsrpc_profile_0_8_1, &heartbeat, out);
}
