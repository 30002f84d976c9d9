/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/request/dispatch.h"

#include "fakeds/cluster/cluster_work.h"
#include "fakeds/operations/op_mset.h"
#include "wire/proto/datasystem.pb-c.h"

/* A version with other methods is another row here, never a branch. */
#define NONE            ((ptrdiff_t)-1)
#define CLIENT_OF(type) (ptrdiff_t) offsetof(Ds__##type, client_id)

#define NO_KEYS .key_offset = NONE, .keys_count_offset = NONE, .keys_offset = NONE
#define ONE_KEY(type)                                                                              \
    .key_offset = (ptrdiff_t)offsetof(Ds__##type, object_key), .keys_count_offset = NONE,          \
    .keys_offset = NONE
#define KEY_LIST(type, member)                                                                     \
    .key_offset = NONE, .keys_count_offset = (ptrdiff_t)offsetof(Ds__##type, n_##member),          \
    .keys_offset = (ptrdiff_t)offsetof(Ds__##type, member)

static const struct fakeds__operation OPERATIONS[DSRPC_OP_COUNT] = {
    [DSRPC_OP_CLIENT_FD] = {.request = &ds__get_client_fd_req__descriptor,
                            .client_id_offset = CLIENT_OF(GetClientFdReq),
                            NO_KEYS,
                            .run = fakeds__op_client_fd},
    [DSRPC_OP_SOCKET_PATH] = {.client_id_offset = NONE, NO_KEYS, .run = fakeds__op_socket_path},
    [DSRPC_OP_REGISTER] = {.request = &ds__register_client_req__descriptor,
                           .client_id_offset = CLIENT_OF(RegisterClientReq),
                           NO_KEYS,
                           .run = fakeds__op_register},
    [DSRPC_OP_DISCONNECT] = {.request = &ds__disconnect_client_req__descriptor,
                             .client_id_offset = CLIENT_OF(DisconnectClientReq),
                             NO_KEYS,
                             .run = fakeds__op_disconnect},
    [DSRPC_OP_HEARTBEAT] = {.request = &ds__heartbeat_req__descriptor,
                            .client_id_offset = CLIENT_OF(HeartbeatReq),
                            NO_KEYS,
                            .run = fakeds__op_heartbeat},
    [DSRPC_OP_HEALTH] = {.request = &ds__health_check_req__descriptor,
                         .client_id_offset = CLIENT_OF(HealthCheckReq),
                         NO_KEYS,
                         .needs_ready = true,
                         .needs_client = true,
                         .run = fakeds__op_health},
    [DSRPC_OP_CREATE] = {.request = &ds__create_req__descriptor,
                         .client_id_offset = CLIENT_OF(CreateReq),
                         ONE_KEY(CreateReq),
                         .needs_ready = true,
                         .needs_client = true,
                         .run = fakeds__op_create},
    [DSRPC_OP_SET] = {.request = &ds__publish_req__descriptor,
                      .client_id_offset = CLIENT_OF(PublishReq),
                      ONE_KEY(PublishReq),
                      .needs_ready = true,
                      .needs_client = true,
                      .run = fakeds__op_set},
    [DSRPC_OP_GET] = {.request = &ds__get_req__descriptor,
                      .client_id_offset = CLIENT_OF(GetReq),
                      KEY_LIST(GetReq, object_keys),
                      .needs_ready = true,
                      .needs_client = true,
                      .run = fakeds__op_get},
    [DSRPC_OP_DECREASE_REFERENCE] = {.request = &ds__decrease_reference_req__descriptor,
                                     .client_id_offset = CLIENT_OF(DecreaseReferenceReq),
                                     NO_KEYS,
                                     .needs_ready = true,
                                     .needs_client = true,
                                     .run = fakeds__op_decrease_reference},
    [DSRPC_OP_RECONCILE] = {.request = &ds__reconcile_shm_ref_req__descriptor,
                            .client_id_offset = CLIENT_OF(ReconcileShmRefReq),
                            NO_KEYS,
                            .needs_ready = true,
                            .needs_client = true,
                            .run = fakeds__op_reconcile},
    [DSRPC_OP_DELETE] = {.request = &ds__delete_all_copy_req__descriptor,
                         .client_id_offset = CLIENT_OF(DeleteAllCopyReq),
                         KEY_LIST(DeleteAllCopyReq, object_keys),
                         .needs_ready = true,
                         .needs_client = true,
                         .run = fakeds__op_delete},
    [DSRPC_OP_MSET] = {.request = &ds__multi_publish_req__descriptor,
                       .client_id_offset = CLIENT_OF(MultiPublishReq),
                       NO_KEYS,
                       .list_keys = fakeds__mset_list_keys,
                       .needs_ready = true,
                       .needs_client = true,
                       .run = fakeds__op_mset},
    [DSRPC_OP_MCREATE] = {.request = &ds__multi_create_req__descriptor,
                          .client_id_offset = CLIENT_OF(MultiCreateReq),
                          KEY_LIST(MultiCreateReq, object_key),
                          .needs_ready = true,
                          .needs_client = true,
                          .run = fakeds__op_mcreate},
    [DSRPC_OP_QUERY_SIZE] = {.request = &ds__query_size_req__descriptor,
                             .client_id_offset = CLIENT_OF(QuerySizeReq),
                             KEY_LIST(QuerySizeReq, object_keys),
                             .needs_ready = true,
                             .needs_client = true,
                             .run = fakeds__op_query_size},
    [DSRPC_OP_EXIST] = {.request = &ds__exist_req__descriptor,
                        .client_id_offset = CLIENT_OF(ExistReq),
                        KEY_LIST(ExistReq, object_keys),
                        .needs_ready = true,
                        .needs_client = true,
                        .run = fakeds__op_exist},
    [DSRPC_OP_EXPIRE] = {.request = &ds__expire_req__descriptor,
                         .client_id_offset = CLIENT_OF(ExpireReq),
                         KEY_LIST(ExpireReq, object_keys),
                         .needs_ready = true,
                         .needs_client = true,
                         .run = fakeds__op_expire},
    [DSRPC_OP_ZMQ_HEARTBEAT] = {.client_id_offset = NONE, NO_KEYS, .run = fakeds__op_zmq_heartbeat},
};

static void refuse_unknown(struct fakeds__call *call);

const struct fakeds__operation *fakeds__operation_of(enum dsrpc_op op)
{
    return op == DSRPC_OP_UNKNOWN ? NULL : &OPERATIONS[op];
}

/* The real worker looks at its own state first, then at who asks. */
void fakeds__dispatch(struct fakeds__call *call)
{
    const struct fakeds__operation *operation = fakeds__operation_of(call->op);
    if (operation == NULL) {
        refuse_unknown(call);
        return;
    }
    if (operation->needs_ready && !fakeds__is_ready(call->worker)) {
        fakeds__call_refuse(call, K_NOT_READY, "Worker not ready");
        return;
    }
    if (operation->needs_client &&
        fakeds__clients_find(&call->worker->clients, call->client_id) == NULL) {
        fakeds__call_refuse(call, K_CLIENT_WORKER_DISCONNECT,
                            "The client id (%.*s) does not exist.", (int)call->client_id.len_bytes,
                            (const char *)call->client_id.data);
        return;
    }
    if (call->worker->cluster == NULL || fakeds__cluster_before(call)) {
        operation->run(call);
    }
}

/* Negative numbers are methods of the connection itself: only its heartbeat exists here. */
static void refuse_unknown(struct fakeds__call *call)
{
    const struct dsrpc_meta *meta = &call->request.meta;
    if (meta->method_index < 0) {
        fakeds__call_refuse(call, K_NOT_FOUND, "Method not found");
    } else if (!call->request.is_service_known) {
        fakeds__call_refuse(call, K_RUNTIME_ERROR, "Service not found");
    } else {
        fakeds__call_refuse(call, K_UNKNOWN_ERROR, "Unknown method %d", meta->method_index);
    }
}
