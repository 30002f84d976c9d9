/* SPDX-License-Identifier: Apache-2.0 */
#include "connector/client/ds_op.h"

#include <stdlib.h>

enum rt_status ds__pack_set(struct ds__call *call)
{
    Ds__PublishReq request = DS__PUBLISH_REQ__INIT;

    request.client_id = ds__client_id_of(call);
    request.object_key = pb_bytes(call->keys[0]);
    request.data_size = call->values[0].total_bytes;
    request.write_mode = (uint32_t)call->set.write_mode;
    request.consistency_type = DS__CAUSAL;
    request.is_retry = call->attempt_count > 0;
    request.ttl_second = call->set.ttl_s;
    request.existence = call->set.only_if_absent ? 1 : 0;
    return ds__pack_body(call, &request.base);
}

enum rt_status ds__pack_mset(struct ds__call *call)
{
    Ds__MultiPublishReq request = DS__MULTI_PUBLISH_REQ__INIT;
    Ds__MultiPublishObjectPb *objects = calloc(call->key_count + 1, sizeof(*objects));
    Ds__MultiPublishObjectPb **list = calloc(call->key_count + 1, sizeof(struct rt_slice *));
    enum rt_status status = objects == NULL || list == NULL ? RT_E_NOMEM : RT_OK;

    for (size_t i = 0; status == RT_OK && i < call->key_count; i++) {
        ds__multi_publish_object_pb__init(&objects[i]);
        objects[i].object_key = pb_bytes(call->keys[i]);
        objects[i].data_size = call->values[i].total_bytes;
        list[i] = &objects[i];
    }
    if (status == RT_OK) {
        request.client_id = ds__client_id_of(call);
        request.n_object_info = call->key_count;
        request.object_info = list;
        request.write_mode = (uint32_t)call->set.write_mode;
        request.consistency_type = DS__CAUSAL;
        request.ttl_second = call->set.ttl_s;
        request.is_tx = call->is_transaction;
        request.existence = call->set.only_if_absent ? 1 : 0;
        status = ds__pack_body(call, &request.base);
    }
    free(objects);
    free(list);
    return status;
}

void ds__accept_mset(struct ds__call *call, const struct dsrpc_answer *answer,
                     const struct zmtp_message *message, struct ds_result *result,
                     struct ds__outcome *outcome)
{
    Ds__MultiPublishRsp *reply =
        ds__unpack(call, &ds__multi_publish_rsp__descriptor, answer, outcome);

    (void)message;
    if (reply != NULL) {
        ds__accept_failed(call, reply->n_failed_object_keys, reply->failed_object_keys,
                          reply->last_rc, result, outcome);
    }
}
