/* SPDX-License-Identifier: Apache-2.0 */
#include "connector/client/ds_op.h"

#include <stdlib.h>

#define KEYS_ON_STACK 32 /* more are put on the heap */

ProtobufCBinaryData ds__client_id_of(const struct ds__call *call)
{
    return pb_bytes(rt_slice_text(ds__text_get(&call->client->client_id)));
}

enum rt_status ds__pack_body(struct ds__call *call, const ProtobufCMessage *message)
{
    size_t len_bytes = protobuf_c_message_get_packed_size(message);
    enum rt_status status = ds__call_body_room(call, len_bytes);

    if (status == RT_OK && len_bytes > 0) {
        (void)protobuf_c_message_pack(message, call->body);
    }
    return status;
}

enum rt_status ds__pack_keys(struct ds__call *call, const ProtobufCMessage *message,
                             size_t *count_field, ProtobufCBinaryData **keys_field)
{
    ProtobufCBinaryData few[KEYS_ON_STACK];
    ProtobufCBinaryData *keys =
        call->key_count <= KEYS_ON_STACK ? few : calloc(call->key_count, sizeof(*keys));

    if (keys == NULL) {
        return RT_E_NOMEM;
    }
    for (size_t i = 0; i < call->key_count; i++) {
        keys[i] = pb_bytes(call->keys[i]);
    }
    *count_field = call->key_count;
    *keys_field = keys;
    enum rt_status status = ds__pack_body(call, message);
    if (keys != few) {
        free(keys);
    }
    *count_field = 0;
    *keys_field = NULL;
    return status;
}

/* As the real client says it, which takes it for an error of the RPC: the suffix follows. */
void *ds__unpack(struct ds__call *call, const ProtobufCMessageDescriptor *descriptor,
                 const struct dsrpc_answer *answer, struct ds__outcome *outcome)
{
    void *message = dsrpc_unpack(descriptor, answer->body, call->client->arena);

    if (message == NULL) {
        ds__mismatch(outcome, K_INVALID, DS_DETAIL_UNDECODABLE, "ParseFromZmqMessage failed.");
        outcome->is_rpc_status = true;
    }
    return message;
}

void ds__mismatch(struct ds__outcome *outcome, int32_t code, enum ds_detail detail,
                  const char *sentence)
{
    *outcome = (struct ds__outcome){
        .code = code, .detail = detail, .is_decorated = true, .text = rt_slice_text(sentence)};
}

void ds__refused(struct ds__outcome *outcome, int32_t code, struct rt_slice text)
{
    *outcome = (struct ds__outcome){.code = code, .detail = DS_DETAIL_ANSWERED, .text = text};
}

void *ds__list_room(struct ds__call *call, size_t count, size_t item_bytes,
                    struct ds__outcome *outcome)
{
    struct ds__scratch *scratch = &call->client->scratch;

    if (ds__scratch_reserve(scratch, ds__scratch_cost(count + 1, item_bytes)) != RT_OK) {
        ds__refused(outcome, K_RUNTIME_ERROR, rt_slice_text("no memory for the answer"));
        return NULL;
    }
    return ds__scratch_take(scratch, count + 1, item_bytes);
}

/* Failed keys of a batch; the call as a whole fails when all of them did. */
void ds__accept_failed(struct ds__call *call, size_t failed_count, ProtobufCBinaryData *failed,
                       const Ds__ErrorInfoPb *last_rc, struct ds_result *result,
                       struct ds__outcome *outcome)
{
    size_t total = failed_count + call->duplicate_count;
    struct rt_slice *list = ds__list_room(call, total, sizeof(*list), outcome);

    if (list == NULL) {
        return;
    }
    for (size_t i = 0; i < failed_count; i++) {
        list[i] = pb_slice(failed[i]);
    }
    for (size_t i = 0; i < call->duplicate_count; i++) {
        list[failed_count + i] = call->duplicates[i];
    }
    result->failed_keys = list;
    result->failed_key_count = total;
    if (last_rc != NULL && last_rc->error_code != K_OK && failed_count >= call->key_count) {
        ds__refused(outcome, last_rc->error_code, pb_slice(last_rc->error_msg));
    }
}
