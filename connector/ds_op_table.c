/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each operation sends and what it accepts: one row, one pack and one accept for each. Bodies
 * are protobuf-c messages on the stack that point at the call's arguments.
 */
#include <stdlib.h>

#include "connector/ds_internal.h"
#include "wire/proto/datasystem.pb-c.h"

#define KEYS_ON_STACK  32
#define CAUSAL         1 /* the consistency type of every KV set */
#define CLIENT_VERSION "0.8.1"

static ProtobufCBinaryData data_of(struct rt_slice slice)
{
    return (ProtobufCBinaryData){.len = slice.len_bytes, .data = (uint8_t *)(uintptr_t)slice.data};
}

static ProtobufCBinaryData client_id_of(const struct ds__call *call)
{
    return data_of(rt_slice_text(ds__text_get(&call->client->client_id)));
}

static struct rt_slice slice_of(ProtobufCBinaryData data)
{
    return rt_slice_of(data.data, data.len);
}

static enum rt_status pack_body(struct ds__call *call, const ProtobufCMessage *message)
{
    size_t len_bytes = protobuf_c_message_get_packed_size(message);
    enum rt_status status = ds__call_body_room(call, len_bytes);

    if (status == RT_OK && len_bytes > 0) {
        (void)protobuf_c_message_pack(message, call->body);
    }
    return status;
}

/* Keys as protobuf-c wants them: on the stack when few. Freed with free_keys(). */
static ProtobufCBinaryData *keys_of(const struct ds__call *call, ProtobufCBinaryData *few)
{
    ProtobufCBinaryData *keys =
        call->key_count <= KEYS_ON_STACK ? few : calloc(call->key_count, sizeof(*keys));

    for (size_t i = 0; keys != NULL && i < call->key_count; i++) {
        keys[i] = data_of(call->keys[i]);
    }
    return keys;
}

static void free_keys(ProtobufCBinaryData *keys, const ProtobufCBinaryData *few)
{
    if (keys != few) {
        free(keys);
    }
}

static void *unpack(struct ds__call *call, const ProtobufCMessageDescriptor *descriptor,
                    const struct dsrpc_answer *answer, struct ds__outcome *outcome)
{
    void *message = dsrpc_unpack(descriptor, answer->body, call->client->arena);

    if (message == NULL) {
        *outcome = (struct ds__outcome){
            .code = K_UNKNOWN_ERROR,
            .detail = DS_DETAIL_UNDECODABLE,
            .text = rt_slice_text("The answer is not a message of this call.")};
    }
    return message;
}

static void undecodable(struct ds__outcome *outcome, const char *sentence)
{
    *outcome = (struct ds__outcome){
        .code = K_UNKNOWN_ERROR, .detail = DS_DETAIL_UNDECODABLE, .text = rt_slice_text(sentence)};
}

static void refused(struct ds__outcome *outcome, int32_t code, struct rt_slice text)
{
    *outcome = (struct ds__outcome){.code = code, .detail = DS_DETAIL_ANSWERED, .text = text};
}

/* Room in the client's scratch for one list of this many items; NULL: none, and it is said. */
static void *list_room(struct ds__call *call, size_t count, size_t item_bytes,
                       struct ds__outcome *outcome)
{
    struct ds__scratch *scratch = &call->client->scratch;

    if (ds__scratch_reserve(scratch, ds__scratch_cost(count + 1, item_bytes)) != RT_OK) {
        refused(outcome, K_RUNTIME_ERROR, rt_slice_text("no memory for the answer"));
        return NULL;
    }
    return ds__scratch_take(scratch, count + 1, item_bytes);
}

/* Failed keys of a batch; the call as a whole fails when all of them did. */
static void accept_failed(struct ds__call *call, size_t failed_count, ProtobufCBinaryData *failed,
                          const Ds__ErrorInfoPb *last_rc, struct ds_result *result,
                          struct ds__outcome *outcome)
{
    size_t total = failed_count + call->duplicate_count;
    struct rt_slice *list = list_room(call, total, sizeof(*list), outcome);

    if (list == NULL) {
        return;
    }
    for (size_t i = 0; i < failed_count; i++) {
        list[i] = slice_of(failed[i]);
    }
    for (size_t i = 0; i < call->duplicate_count; i++) {
        list[failed_count + i] = call->duplicates[i];
    }
    result->failed_keys = list;
    result->failed_key_count = total;
    if (last_rc != NULL && last_rc->error_code != K_OK && failed_count >= call->key_count) {
        refused(outcome, last_rc->error_code, slice_of(last_rc->error_msg));
    }
}

/* ---- WorkerService ---- */

static enum rt_status pack_socket_path(struct ds__call *call)
{
    return ds__call_body_room(call, 0);
}

static void accept_nothing(struct ds__call *call, const struct dsrpc_answer *answer,
                           const struct zmtp_message *message, struct ds_result *result,
                           struct ds__outcome *outcome)
{
    (void)call;
    (void)answer;
    (void)message;
    (void)result;
    (void)outcome;
}

/* Again with the id we had: the worker then gives it back. */
static enum rt_status pack_register(struct ds__call *call)
{
    Ds__RegisterClientReq request = DS__REGISTER_CLIENT_REQ__INIT;

    request.version = data_of(rt_slice_text(CLIENT_VERSION));
    request.client_id = client_id_of(call);
    request.heartbeat_enabled = 1;
    request.server_fd = -1;
    request.support_multi_shm_ref_count = 1;
    return pack_body(call, &request.base);
}

static void accept_register(struct ds__call *call, const struct dsrpc_answer *answer,
                            const struct zmtp_message *message, struct ds_result *result,
                            struct ds__outcome *outcome)
{
    struct ds_client *client = call->client;
    Ds__RegisterClientRsp *reply =
        unpack(call, &ds__register_client_rsp__descriptor, answer, outcome);

    (void)message;
    (void)result;
    if (reply == NULL) {
        return;
    }
    if (reply->client_id.len == 0 || reply->client_id.len > 255) {
        undecodable(outcome, "The worker registered the client without an id.");
        return;
    }
    ds__text_clear(&client->client_id);
    ds__text_add(&client->client_id, slice_of(reply->client_id));
    ds__text_clear(&client->worker_start_id);
    ds__text_add(&client->worker_start_id, slice_of(reply->worker_start_id));
    ds__heartbeat_configure(client, reply->client_dead_timeout_s, reply->client_reconnect_wait_s);
    client->registrations++;
    ds__journal_state(client, "registered");
}

static enum rt_status pack_disconnect(struct ds__call *call)
{
    Ds__DisconnectClientReq request = DS__DISCONNECT_CLIENT_REQ__INIT;

    request.client_id = client_id_of(call);
    return pack_body(call, &request.base);
}

static enum rt_status pack_heartbeat(struct ds__call *call)
{
    Ds__HeartbeatReq request = DS__HEARTBEAT_REQ__INIT;

    request.client_id = client_id_of(call);
    return pack_body(call, &request.base);
}

static void accept_heartbeat(struct ds__call *call, const struct dsrpc_answer *answer,
                             const struct zmtp_message *message, struct ds_result *result,
                             struct ds__outcome *outcome)
{
    struct ds_client *client = call->client;
    Ds__HeartbeatRsp *reply = unpack(call, &ds__heartbeat_rsp__descriptor, answer, outcome);

    (void)message;
    (void)result;
    if (reply == NULL) {
        return;
    }
    struct rt_slice known = rt_slice_text(ds__text_get(&client->worker_start_id));
    client->heartbeat.has_worker_left =
        reply->client_removed ||
        (known.len_bytes > 0 && !rt_slice_equal(known, slice_of(reply->worker_start_id)));
}

/* ---- set ---- */

static enum rt_status pack_set(struct ds__call *call)
{
    Ds__PublishReq request = DS__PUBLISH_REQ__INIT;

    request.client_id = client_id_of(call);
    request.object_key = data_of(call->keys[0]);
    request.data_size = call->values[0].total_bytes;
    request.write_mode = (uint32_t)call->set.write_mode;
    request.consistency_type = CAUSAL;
    request.is_retry = call->attempt_count > 0;
    request.ttl_second = call->set.ttl_s;
    request.existence = call->set.only_if_absent ? 1 : 0;
    return pack_body(call, &request.base);
}

static enum rt_status pack_mset(struct ds__call *call)
{
    Ds__MultiPublishReq request = DS__MULTI_PUBLISH_REQ__INIT;
    Ds__MultiPublishObjectPb *objects = calloc(call->key_count + 1, sizeof(*objects));
    Ds__MultiPublishObjectPb **list = calloc(call->key_count + 1, sizeof(struct rt_slice *));
    enum rt_status status = objects == NULL || list == NULL ? RT_E_NOMEM : RT_OK;

    for (size_t i = 0; status == RT_OK && i < call->key_count; i++) {
        ds__multi_publish_object_pb__init(&objects[i]);
        objects[i].object_key = data_of(call->keys[i]);
        objects[i].data_size = call->values[i].total_bytes;
        list[i] = &objects[i];
    }
    if (status == RT_OK) {
        request.client_id = client_id_of(call);
        request.n_object_info = call->key_count;
        request.object_info = list;
        request.write_mode = (uint32_t)call->set.write_mode;
        request.consistency_type = CAUSAL;
        request.ttl_second = call->set.ttl_s;
        request.is_tx = call->is_transaction;
        request.existence = call->set.only_if_absent ? 1 : 0;
        status = pack_body(call, &request.base);
    }
    free(objects);
    free(list);
    return status;
}

static void accept_mset(struct ds__call *call, const struct dsrpc_answer *answer,
                        const struct zmtp_message *message, struct ds_result *result,
                        struct ds__outcome *outcome)
{
    Ds__MultiPublishRsp *reply = unpack(call, &ds__multi_publish_rsp__descriptor, answer, outcome);

    (void)message;
    if (reply != NULL) {
        accept_failed(call, reply->n_failed_object_keys, reply->failed_object_keys, reply->last_rc,
                      result, outcome);
    }
}

/* ---- get ---- */

static enum rt_status pack_get(struct ds__call *call)
{
    Ds__GetReq request = DS__GET_REQ__INIT;
    ProtobufCBinaryData few[KEYS_ON_STACK];
    ProtobufCBinaryData *keys = keys_of(call, few);

    if (keys == NULL) {
        return RT_E_NOMEM;
    }
    request.sub_timeout = (int64_t)ds__told_ms((uint64_t)call->sub_timeout_ms);
    request.n_object_keys = call->key_count;
    request.object_keys = keys;
    request.client_id = client_id_of(call);
    request.return_object_index = 1;
    request.request_timeout = (int64_t)(call->client->request_us / 1000);
    if (call->offsets_bytes != NULL) {
        request.n_read_offset_list = call->key_count;
        request.read_offset_list = call->offsets_bytes;
        request.n_read_size_list = call->key_count;
        request.read_size_list = call->sizes_bytes;
    }
    enum rt_status status = pack_body(call, &request.base);
    free_keys(keys, few);
    return status;
}

/* One value that came in parts; parts are only trusted as far as they exist. */
static bool take_value(struct ds__call *call, const Ds__PayloadInfoPb *info,
                       const struct dsrpc_payload *payload, struct ds_value *out_value)
{
    size_t total = 0;
    uint8_t *data = NULL;

    for (size_t i = 0; i < info->n_part_index; i++) {
        if (info->part_index[i] >= payload->part_count) {
            return false;
        }
        total += payload->parts[info->part_index[i]].bytes.len_bytes;
    }
    if (info->data_size < 0 || (uint64_t)info->data_size != total) {
        return false;
    }
    out_value->is_present = true;
    if (info->n_part_index == 0) {
        return true;
    }
    if (info->n_part_index == 1) {
        const struct zmtp_frame *part = &payload->parts[info->part_index[0]];
        out_value->bytes = part->bytes;
        out_value->blob = part->blob;
        return true;
    }
    struct rt_blob *blob = rt_blob_create(total, &data);
    if (blob == NULL || ds__joined_add(call->client, blob) != RT_OK) {
        rt_blob_release(blob);
        return false;
    }
    for (size_t i = 0; i < info->n_part_index; i++) {
        struct rt_slice part = payload->parts[info->part_index[i]].bytes;
        if (part.len_bytes > 0) {
            memcpy(data, part.data, part.len_bytes);
        }
        data += part.len_bytes;
    }
    out_value->bytes = rt_blob_slice(blob);
    out_value->blob = blob;
    return true;
}

/* An entry belongs to key i by its name, or, without one, by its index. */
static bool is_entry_of(const struct ds__call *call, size_t i, ProtobufCBinaryData key,
                        uint32_t index)
{
    return key.len > 0 ? rt_slice_equal(slice_of(key), call->keys[i]) : index == i;
}

/* Both lists are consumed in key order. */
static bool take_values(struct ds__call *call, const Ds__GetRsp *reply,
                        const struct dsrpc_payload *payload, struct ds_value *values,
                        size_t *out_present)
{
    size_t object = 0;
    size_t info = 0;

    for (size_t i = 0; i < call->key_count; i++) {
        if (object < reply->n_objects && is_entry_of(call, i, reply->objects[object]->object_key,
                                                     reply->objects[object]->object_index)) {
            if (reply->objects[object]->store_fd >= 0) {
                return false; /* shared memory, which nobody offered */
            }
            object++;
        } else if (info < reply->n_payload_info &&
                   is_entry_of(call, i, reply->payload_info[info]->object_key,
                               reply->payload_info[info]->object_index)) {
            if (!take_value(call, reply->payload_info[info], payload, &values[i])) {
                return false;
            }
            info++;
            (*out_present)++;
        } else {
            return false;
        }
    }
    return true;
}

static size_t count_parts(const Ds__GetRsp *reply)
{
    size_t count = 0;

    for (size_t i = 0; i < reply->n_payload_info; i++) {
        count += reply->payload_info[i]->n_part_index;
    }
    return count;
}

/* Codes in last_rc that make the client ask again; looked at only when nothing was found. */
static bool is_last_rc_retried(int32_t code, size_t present)
{
    return present == 0 &&
           (code == K_TRY_AGAIN || code == K_RPC_CANCELLED || code == K_RPC_DEADLINE_EXCEEDED ||
            code == K_RPC_UNAVAILABLE || code == K_OUT_OF_MEMORY);
}

static void accept_get(struct ds__call *call, const struct dsrpc_answer *answer,
                       const struct zmtp_message *message, struct ds_result *result,
                       struct ds__outcome *outcome)
{
    Ds__GetRsp *reply = unpack(call, &ds__get_rsp__descriptor, answer, outcome);
    struct dsrpc_payload payload;
    size_t present = 0;

    if (reply == NULL) {
        return;
    }
    if (dsrpc_answer_payload(message, &payload) != RT_OK) {
        undecodable(outcome, "The payload of the answer does not fit its announced length.");
        return;
    }
    int32_t last_rc = reply->last_rc == NULL ? K_OK : reply->last_rc->error_code;
    struct rt_slice last_text =
        reply->last_rc == NULL ? (struct rt_slice){0} : slice_of(reply->last_rc->error_msg);
    if (is_last_rc_retried(last_rc, reply->n_payload_info)) {
        refused(outcome, last_rc, last_text);
        outcome->retry_code = last_rc;
        return;
    }
    if (reply->n_objects + reply->n_payload_info != call->key_count ||
        count_parts(reply) != payload.part_count) {
        refused(outcome, K_UNKNOWN_ERROR,
                rt_slice_text("The response count in GetRspPb does not match with objects count."));
        outcome->is_decorated = true;
        return;
    }
    struct ds_value *values = list_room(call, call->key_count, sizeof(*values), outcome);
    if (values == NULL) {
        return;
    }
    if (!take_values(call, reply, &payload, values, &present)) {
        undecodable(outcome, "The entries of the answer do not fit the keys and the payload.");
        return;
    }
    result->values = values;
    result->value_count = call->key_count;
    if (present == 0) {
        result->value_count = 0;
        refused(outcome, last_rc != K_OK ? last_rc : K_NOT_FOUND,
                last_rc != K_OK ? last_text : rt_slice_text("Cannot get objects from worker"));
    }
}

/* ---- keys only ---- */

static enum rt_status pack_exist(struct ds__call *call)
{
    Ds__ExistReq request = DS__EXIST_REQ__INIT;
    ProtobufCBinaryData few[KEYS_ON_STACK];
    ProtobufCBinaryData *keys = keys_of(call, few);

    if (keys == NULL) {
        return RT_E_NOMEM;
    }
    request.client_id = client_id_of(call);
    request.n_object_keys = call->key_count;
    request.object_keys = keys;
    request.query_l2cache = 1;
    enum rt_status status = pack_body(call, &request.base);
    free_keys(keys, few);
    return status;
}

static void accept_exist(struct ds__call *call, const struct dsrpc_answer *answer,
                         const struct zmtp_message *message, struct ds_result *result,
                         struct ds__outcome *outcome)
{
    Ds__ExistRsp *reply = unpack(call, &ds__exist_rsp__descriptor, answer, outcome);

    (void)message;
    if (reply == NULL) {
        return;
    }
    if (reply->n_exists != call->key_count) {
        refused(outcome, K_RUNTIME_ERROR,
                rt_slice_text("The number of answers does not match the number of keys."));
        return;
    }
    bool *exists = list_room(call, call->key_count, sizeof(*exists), outcome);
    for (size_t i = 0; exists != NULL && i < call->key_count; i++) {
        exists[i] = reply->exists[i] != 0;
    }
    result->exists = exists;
    result->exist_count = exists == NULL ? 0 : call->key_count;
}

static enum rt_status pack_delete(struct ds__call *call)
{
    Ds__DeleteAllCopyReq request = DS__DELETE_ALL_COPY_REQ__INIT;
    ProtobufCBinaryData few[KEYS_ON_STACK];
    ProtobufCBinaryData *keys = keys_of(call, few);

    if (keys == NULL) {
        return RT_E_NOMEM;
    }
    request.client_id = client_id_of(call);
    request.n_object_keys = call->key_count;
    request.object_keys = keys;
    enum rt_status status = pack_body(call, &request.base);
    free_keys(keys, few);
    return status;
}

static void accept_delete(struct ds__call *call, const struct dsrpc_answer *answer,
                          const struct zmtp_message *message, struct ds_result *result,
                          struct ds__outcome *outcome)
{
    Ds__DeleteAllCopyRsp *reply =
        unpack(call, &ds__delete_all_copy_rsp__descriptor, answer, outcome);

    (void)message;
    if (reply != NULL) {
        accept_failed(call, reply->n_fail_object_keys, reply->fail_object_keys, reply->last_rc,
                      result, outcome);
    }
}

static enum rt_status pack_expire(struct ds__call *call)
{
    Ds__ExpireReq request = DS__EXPIRE_REQ__INIT;
    ProtobufCBinaryData few[KEYS_ON_STACK];
    ProtobufCBinaryData *keys = keys_of(call, few);

    if (keys == NULL) {
        return RT_E_NOMEM;
    }
    request.client_id = client_id_of(call);
    request.n_object_keys = call->key_count;
    request.object_keys = keys;
    request.ttl_second = call->set.ttl_s;
    enum rt_status status = pack_body(call, &request.base);
    free_keys(keys, few);
    return status;
}

static void accept_expire(struct ds__call *call, const struct dsrpc_answer *answer,
                          const struct zmtp_message *message, struct ds_result *result,
                          struct ds__outcome *outcome)
{
    Ds__ExpireRsp *reply = unpack(call, &ds__expire_rsp__descriptor, answer, outcome);

    (void)message;
    if (reply != NULL) {
        accept_failed(call, reply->n_failed_object_keys, reply->failed_object_keys, reply->last_rc,
                      result, outcome);
    }
}

static enum rt_status pack_query_size(struct ds__call *call)
{
    Ds__QuerySizeReq request = DS__QUERY_SIZE_REQ__INIT;
    ProtobufCBinaryData few[KEYS_ON_STACK];
    ProtobufCBinaryData *keys = keys_of(call, few);

    if (keys == NULL) {
        return RT_E_NOMEM;
    }
    request.client_id = client_id_of(call);
    request.n_object_keys = call->key_count;
    request.object_keys = keys;
    enum rt_status status = pack_body(call, &request.base);
    free_keys(keys, few);
    return status;
}

static void accept_query_size(struct ds__call *call, const struct dsrpc_answer *answer,
                              const struct zmtp_message *message, struct ds_result *result,
                              struct ds__outcome *outcome)
{
    Ds__QuerySizeRsp *reply = unpack(call, &ds__query_size_rsp__descriptor, answer, outcome);
    bool is_any = false;

    (void)message;
    if (reply == NULL) {
        return;
    }
    uint64_t *sizes = list_room(call, call->key_count, sizeof(*sizes), outcome);
    if (sizes == NULL) {
        return;
    }
    for (size_t i = 0; i < call->key_count; i++) {
        sizes[i] = i < reply->n_sizes ? reply->sizes[i] : 0;
        is_any = is_any || sizes[i] > 0;
    }
    if (!is_any) {
        bool has_reason = reply->last_rc != NULL && reply->last_rc->error_code != K_OK;
        refused(outcome, has_reason ? reply->last_rc->error_code : K_NOT_FOUND,
                has_reason ? slice_of(reply->last_rc->error_msg)
                           : rt_slice_text("All objects are not found!"));
        return;
    }
    result->sizes = sizes;
    result->size_count = call->key_count;
}

/* ---- the rest ---- */

static enum rt_status pack_health(struct ds__call *call)
{
    Ds__HealthCheckReq request = DS__HEALTH_CHECK_REQ__INIT;

    request.client_id = client_id_of(call);
    return pack_body(call, &request.base);
}

static enum rt_status pack_reconcile(struct ds__call *call)
{
    Ds__ReconcileShmRefReq request = DS__RECONCILE_SHM_REF_REQ__INIT;

    request.client_id = client_id_of(call);
    return pack_body(call, &request.base);
}

#define CONTROL true
#define DATA    false
#define USER    true
#define INNER   false

/* Retried codes: not for heartbeat, health, reconcile and disconnect; delete not out of memory;
 * mset also scaling. The suffix: get, read and health never carry it. */
const struct ds__op_rule ds__op_rules[DSRPC_OP_COUNT] = {
    [DSRPC_OP_SOCKET_PATH] = {DSRPC_OP_SOCKET_PATH, CONTROL, USER, DS__RETRY_RPC, true,
                              pack_socket_path, accept_nothing},
    [DSRPC_OP_REGISTER] = {DSRPC_OP_REGISTER, CONTROL, USER, DS__RETRY_RPC, true, pack_register,
                           accept_register},
    [DSRPC_OP_DISCONNECT] = {DSRPC_OP_DISCONNECT, CONTROL, INNER, DS__RETRY_NONE, false,
                             pack_disconnect, accept_nothing},
    [DSRPC_OP_HEARTBEAT] = {DSRPC_OP_HEARTBEAT, CONTROL, INNER, DS__RETRY_NONE, false,
                            pack_heartbeat, accept_heartbeat},
    [DSRPC_OP_HEALTH] = {DSRPC_OP_HEALTH, DATA, USER, DS__RETRY_NONE, false, pack_health,
                         accept_nothing},
    [DSRPC_OP_SET] = {DSRPC_OP_SET, DATA, USER, DS__RETRY_RPC_OOM, true, pack_set, accept_nothing},
    [DSRPC_OP_GET] = {DSRPC_OP_GET, DATA, USER, DS__RETRY_RPC_OOM, false, pack_get, accept_get},
    [DSRPC_OP_RECONCILE] = {DSRPC_OP_RECONCILE, DATA, INNER, DS__RETRY_NONE, false, pack_reconcile,
                            accept_nothing},
    [DSRPC_OP_DELETE] = {DSRPC_OP_DELETE, DATA, USER, DS__RETRY_RPC, true, pack_delete,
                         accept_delete},
    [DSRPC_OP_MSET] = {DSRPC_OP_MSET, DATA, USER, DS__RETRY_MSET, true, pack_mset, accept_mset},
    [DSRPC_OP_QUERY_SIZE] = {DSRPC_OP_QUERY_SIZE, DATA, USER, DS__RETRY_RPC_OOM, true,
                             pack_query_size, accept_query_size},
    [DSRPC_OP_EXIST] = {DSRPC_OP_EXIST, DATA, USER, DS__RETRY_RPC_OOM, true, pack_exist,
                        accept_exist},
    [DSRPC_OP_EXPIRE] = {DSRPC_OP_EXPIRE, DATA, USER, DS__RETRY_RPC_OOM, true, pack_expire,
                         accept_expire},
};

enum dsrpc_op ds__op_of(const struct dsrpc_meta *meta)
{
    for (int op = 0; op < DSRPC_OP_COUNT; op++) {
        const struct dsrpc_method *method =
            dsrpc_method_of(&dsrpc_profile_0_8_1, (enum dsrpc_op)op);
        if (method != NULL && method->index == meta->method_index &&
            rt_slice_is_text(meta->service, method->service)) {
            return (enum dsrpc_op)op;
        }
    }
    return DSRPC_OP_UNKNOWN;
}
