/* SPDX-License-Identifier: Apache-2.0 */
#include "connector/client/ds_op.h"

enum rt_status ds__pack_exist(struct ds__call *call)
{
    Ds__ExistReq request = DS__EXIST_REQ__INIT;

    request.client_id = ds__client_id_of(call);
    request.query_l2cache = 1;
    return ds__pack_keys(call, &request.base, &request.n_object_keys, &request.object_keys);
}

void ds__accept_exist(struct ds__call *call, const struct dsrpc_answer *answer,
                      const struct zmtp_message *message, struct ds_result *result,
                      struct ds__outcome *outcome)
{
    Ds__ExistRsp *reply = ds__unpack(call, &ds__exist_rsp__descriptor, answer, outcome);

    (void)message;
    if (reply == NULL) {
        return;
    }
    if (reply->n_exists != call->key_count) {
        ds__mismatch(outcome, K_RUNTIME_ERROR, DS_DETAIL_ANSWERED, "Exist response size mismatch.");
        return;
    }
    bool *exists = ds__list_room(call, call->key_count, sizeof(*exists), outcome);
    for (size_t i = 0; exists != NULL && i < call->key_count; i++) {
        exists[i] = reply->exists[i] != 0;
    }
    result->exists = exists;
    result->exist_count = exists == NULL ? 0 : call->key_count;
}

enum rt_status ds__pack_delete(struct ds__call *call)
{
    Ds__DeleteAllCopyReq request = DS__DELETE_ALL_COPY_REQ__INIT;

    request.client_id = ds__client_id_of(call);
    return ds__pack_keys(call, &request.base, &request.n_object_keys, &request.object_keys);
}

void ds__accept_delete(struct ds__call *call, const struct dsrpc_answer *answer,
                       const struct zmtp_message *message, struct ds_result *result,
                       struct ds__outcome *outcome)
{
    Ds__DeleteAllCopyRsp *reply =
        ds__unpack(call, &ds__delete_all_copy_rsp__descriptor, answer, outcome);

    (void)message;
    if (reply != NULL) {
        ds__accept_failed(call, reply->n_fail_object_keys, reply->fail_object_keys, reply->last_rc,
                          result, outcome);
    }
}

enum rt_status ds__pack_expire(struct ds__call *call)
{
    Ds__ExpireReq request = DS__EXPIRE_REQ__INIT;

    request.client_id = ds__client_id_of(call);
    request.ttl_second = call->set.ttl_s;
    return ds__pack_keys(call, &request.base, &request.n_object_keys, &request.object_keys);
}

void ds__accept_expire(struct ds__call *call, const struct dsrpc_answer *answer,
                       const struct zmtp_message *message, struct ds_result *result,
                       struct ds__outcome *outcome)
{
    Ds__ExpireRsp *reply = ds__unpack(call, &ds__expire_rsp__descriptor, answer, outcome);

    (void)message;
    if (reply != NULL) {
        ds__accept_failed(call, reply->n_failed_object_keys, reply->failed_object_keys,
                          reply->last_rc, result, outcome);
    }
}

enum rt_status ds__pack_query_size(struct ds__call *call)
{
    Ds__QuerySizeReq request = DS__QUERY_SIZE_REQ__INIT;

    request.client_id = ds__client_id_of(call);
    return ds__pack_keys(call, &request.base, &request.n_object_keys, &request.object_keys);
}

void ds__accept_query_size(struct ds__call *call, const struct dsrpc_answer *answer,
                           const struct zmtp_message *message, struct ds_result *result,
                           struct ds__outcome *outcome)
{
    Ds__QuerySizeRsp *reply = ds__unpack(call, &ds__query_size_rsp__descriptor, answer, outcome);
    bool is_any = false;

    (void)message;
    if (reply == NULL) {
        return;
    }
    uint64_t *sizes = ds__list_room(call, call->key_count, sizeof(*sizes), outcome);
    if (sizes == NULL) {
        return;
    }
    for (size_t i = 0; i < call->key_count; i++) {
        sizes[i] = i < reply->n_sizes ? reply->sizes[i] : 0;
        is_any = is_any || sizes[i] > 0;
    }
    if (!is_any) {
        bool has_reason = reply->last_rc != NULL && reply->last_rc->error_code != K_OK;
        ds__refused(outcome, has_reason ? reply->last_rc->error_code : K_NOT_FOUND,
                    has_reason ? pb_slice(reply->last_rc->error_msg)
                               : rt_slice_text("All objects are not found!"));
        return;
    }
    result->sizes = sizes;
    result->size_count = call->key_count;
}

enum rt_status ds__pack_health(struct ds__call *call)
{
    Ds__HealthCheckReq request = DS__HEALTH_CHECK_REQ__INIT;

    request.client_id = ds__client_id_of(call);
    return ds__pack_body(call, &request.base);
}

enum rt_status ds__pack_reconcile(struct ds__call *call)
{
    Ds__ReconcileShmRefReq request = DS__RECONCILE_SHM_REF_REQ__INIT;

    request.client_id = ds__client_id_of(call);
    return ds__pack_body(call, &request.base);
}
