/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Get and read. The acceptance rules of the real client:
 *
 *   the payload frames agree with their length    -> else undecodable
 *   a retryable last_rc                           -> again, whatever came with it
 *   as many entries as keys, as many parts named  -> else Unknown error
 *   each entry is that of its key, in key order   -> else Unknown error
 *   each part named exists, sizes agree           -> else undecodable (the real client reads
 *                                                    beyond its frames there)
 *   nothing found                                 -> last_rc, or Key not found
 */
#include "connector/client/ds_op.h"

static const char *payload_fault(const struct zmtp_message *message, int32_t *out_code);
static bool is_last_rc_retried(const Ds__GetRsp *reply);
static bool check_counts(const struct ds__call *call, const Ds__GetRsp *reply,
                         const struct dsrpc_payload *payload, struct ds__outcome *outcome);
static bool take_values(struct ds__call *call, const Ds__GetRsp *reply,
                        const struct dsrpc_payload *payload, struct ds_value *values,
                        struct ds__outcome *outcome);
static bool take_value(struct ds__call *call, const Ds__PayloadInfoPb *info,
                       const struct dsrpc_payload *payload, struct ds_value *out_value);
static bool join_parts(struct ds__call *call, const Ds__PayloadInfoPb *info,
                       const struct dsrpc_payload *payload, size_t total_bytes,
                       struct ds_value *out_value);

#define FIRST_PAYLOAD_FRAME ((size_t)4) /* queue id, MetaPb, ErrorInfoPb, body */
#define LENGTH_FRAME_BYTES  ((size_t)8)

enum rt_status ds__pack_get(struct ds__call *call)
{
    Ds__GetReq request = DS__GET_REQ__INIT;

    request.sub_timeout = (int64_t)ds__told_ms((uint64_t)call->sub_timeout_ms);
    request.client_id = ds__client_id_of(call);
    request.return_object_index = 1;
    request.request_timeout = (int64_t)(call->client->request_us / 1000);
    if (call->offsets_bytes != NULL) {
        request.n_read_offset_list = call->key_count;
        request.read_offset_list = call->offsets_bytes;
        request.n_read_size_list = call->key_count;
        request.read_size_list = call->sizes_bytes;
        request.no_query_l2cache = 1;
    }
    return ds__pack_keys(call, &request.base, &request.n_object_keys, &request.object_keys);
}

void ds__accept_get(struct ds__call *call, const struct dsrpc_answer *answer,
                    const struct zmtp_message *message, struct ds_result *out_result,
                    struct ds__outcome *out_outcome)
{
    struct dsrpc_payload payload;
    int32_t code = K_OK;
    Ds__GetRsp *reply = ds__unpack(call, &ds__get_rsp__descriptor, answer, out_outcome);

    if (reply == NULL) {
        return;
    }
    const char *fault = payload_fault(message, &code);
    if (fault != NULL || dsrpc_answer_payload(message, &payload) != RT_OK) {
        ds__mismatch(out_outcome, code, DS_DETAIL_UNDECODABLE, fault);
        return;
    }
    struct ds_value *values = NULL;
    if (check_counts(call, reply, &payload, out_outcome)) {
        values = ds__list_room(call, call->key_count, sizeof(*values), out_outcome);
    }
    int32_t last_rc = reply->last_rc == NULL ? K_OK : reply->last_rc->error_code;
    if (values != NULL && take_values(call, reply, &payload, values, out_outcome)) {
        if (reply->n_payload_info > 0) {
            out_result->values = values;
            out_result->value_count = call->key_count;
        } else if (last_rc != K_OK) {
            ds__refused(out_outcome, last_rc, pb_slice(reply->last_rc->error_msg));
        } else {
            ds__refused(out_outcome, K_NOT_FOUND, rt_slice_text("Cannot get objects from worker"));
        }
    }
    if (is_last_rc_retried(reply)) {
        out_outcome->retry_code = last_rc;
    }
}

/* Why the payload cannot be one, in the real client's words; NULL: it can. */
static const char *payload_fault(const struct zmtp_message *message, int32_t *out_code)
{
    uint64_t announced = 0;

    *out_code = K_INVALID;
    if (message->frame_count <= FIRST_PAYLOAD_FRAME) {
        return "Expect a 64 bit integer";
    }
    struct rt_slice length = message->frames[FIRST_PAYLOAD_FRAME].bytes;
    if (length.len_bytes != LENGTH_FRAME_BYTES) {
        return "Not a 64-bit integer";
    }
    for (size_t i = LENGTH_FRAME_BYTES; i > 0; i--) {
        announced = announced << 8 | length.data[i - 1];
    }
    for (size_t i = FIRST_PAYLOAD_FRAME + 1; i < message->frame_count; i++) {
        uint64_t len_bytes = message->frames[i].bytes.len_bytes;
        if (len_bytes > announced) {
            *out_code = K_RUNTIME_ERROR;
            return "remaining Sz is negative";
        }
        announced -= len_bytes;
    }
    return announced > 0 ? "Not enough payload frames" : NULL;
}

/* The retry law looks at last_rc even when values came with it; at the end of the budget they are
 * taken. Out of memory counts only when no listed object has a size. */
static bool is_last_rc_retried(const Ds__GetRsp *reply)
{
    if (reply->last_rc == NULL || reply->last_rc->error_code != K_OUT_OF_MEMORY) {
        return reply->last_rc != NULL && reply->last_rc->error_code != K_OK;
    }
    for (size_t i = 0; i < reply->n_objects; i++) {
        if (reply->objects[i]->data_size != -1) {
            return false;
        }
    }
    return true;
}

static bool check_counts(const struct ds__call *call, const Ds__GetRsp *reply,
                         const struct dsrpc_payload *payload, struct ds__outcome *outcome)
{
    size_t part_count = 0;

    for (size_t i = 0; i < reply->n_payload_info; i++) {
        part_count += reply->payload_info[i]->n_part_index;
    }
    if (reply->n_objects + reply->n_payload_info == call->key_count &&
        part_count == payload->part_count) {
        return true;
    }
    ds__mismatch(outcome, K_UNKNOWN_ERROR, DS_DETAIL_ANSWERED,
                 "The response count in GetRspPb does not match with objects count.");
    return false;
}

/* An entry belongs to key i by its name, or, without one, by its index. */
static bool is_entry_of(const struct ds__call *call, size_t i, ProtobufCBinaryData key,
                        uint32_t index)
{
    return key.len > 0 ? rt_slice_equal(pb_slice(key), call->keys[i]) : index == i;
}

/* Both lists are consumed in key order. */
static bool take_values(struct ds__call *call, const Ds__GetRsp *reply,
                        const struct dsrpc_payload *payload, struct ds_value *values,
                        struct ds__outcome *outcome)
{
    size_t object = 0;
    size_t info = 0;

    for (size_t i = 0; i < call->key_count; i++) {
        if (object < reply->n_objects && is_entry_of(call, i, reply->objects[object]->object_key,
                                                     reply->objects[object]->object_index)) {
            if (reply->objects[object++]->store_fd >= 0) {
                ds__mismatch(outcome, K_UNKNOWN_ERROR, DS_DETAIL_UNDECODABLE,
                             "The answer points into shared memory, which nobody offered.");
                return false;
            }
        } else if (info < reply->n_payload_info &&
                   is_entry_of(call, i, reply->payload_info[info]->object_key,
                               reply->payload_info[info]->object_index)) {
            if (!take_value(call, reply->payload_info[info++], payload, &values[i])) {
                ds__mismatch(outcome, K_UNKNOWN_ERROR, DS_DETAIL_UNDECODABLE,
                             "The entries of the answer do not fit its payload.");
                return false;
            }
        } else {
            ds__mismatch(outcome, K_UNKNOWN_ERROR, DS_DETAIL_UNDECODABLE,
                         "Object key does not match with GetRspPb");
            return false;
        }
    }
    return true;
}

/* Parts are trusted only as far as they exist. */
static bool take_value(struct ds__call *call, const Ds__PayloadInfoPb *info,
                       const struct dsrpc_payload *payload, struct ds_value *out_value)
{
    size_t total_bytes = 0;

    for (size_t i = 0; i < info->n_part_index; i++) {
        if (info->part_index[i] >= payload->part_count) {
            return false;
        }
        total_bytes += payload->parts[info->part_index[i]].bytes.len_bytes;
    }
    if (info->data_size < 0 || (uint64_t)info->data_size != total_bytes) {
        return false;
    }
    if (info->n_part_index > 1) {
        return join_parts(call, info, payload, total_bytes, out_value);
    }
    out_value->is_present = true;
    if (info->n_part_index == 1) {
        const struct zmtp_frame *part = &payload->parts[info->part_index[0]];
        out_value->bytes = part->bytes;
        out_value->blob = part->blob;
    }
    return true;
}

/* The only place where bytes of a value are copied. A part may be named again and again, so the
 * sum is held against what really came. */
static bool join_parts(struct ds__call *call, const Ds__PayloadInfoPb *info,
                       const struct dsrpc_payload *payload, size_t total_bytes,
                       struct ds_value *out_value)
{
    uint8_t *data = NULL;

    if (total_bytes > payload->total_bytes) {
        return false;
    }
    struct rt_blob *blob = rt_blob_create(total_bytes, &data);
    if (blob == NULL || ds__joined_add(call->client, blob) != RT_OK) {
        rt_blob_release(blob);
        return false;
    }
    for (size_t i = 0; i < info->n_part_index; i++) {
        struct rt_slice part = payload->parts[info->part_index[i]].bytes;
        if (part.len_bytes > 0) {
            memcpy(data, part.data, part.len_bytes);
            data += part.len_bytes;
        }
    }
    *out_value = (struct ds_value){.is_present = true, .bytes = rt_blob_slice(blob), .blob = blob};
    return true;
}
