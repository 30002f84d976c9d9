/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_WIRE_MESSAGES_H
#define TESTS_UNIT_WIRE_MESSAGES_H

#include <protobuf-c/protobuf-c.h>

#include "wire/dsrpc/dsrpc.h"
#include "wire/proto/datasystem.pb-c.h"

/* The bodies of each operation: request and answer. NULL: none. */
struct message_row {
    const ProtobufCMessageDescriptor *request;
    const ProtobufCMessageDescriptor *answer;
};

#define MESSAGE_ROW(name)                                                                          \
    {                                                                                              \
        &ds__##name##_req__descriptor, &ds__##name##_rsp__descriptor                               \
    }

static const struct message_row MESSAGES[DSRPC_OP_COUNT] = {
    [DSRPC_OP_CLIENT_FD] = MESSAGE_ROW(get_client_fd),
    [DSRPC_OP_SOCKET_PATH] = MESSAGE_ROW(get_socket_path),
    [DSRPC_OP_REGISTER] = MESSAGE_ROW(register_client),
    [DSRPC_OP_DISCONNECT] = MESSAGE_ROW(disconnect_client),
    [DSRPC_OP_HEARTBEAT] = MESSAGE_ROW(heartbeat),
    [DSRPC_OP_HEALTH] = MESSAGE_ROW(health_check),
    [DSRPC_OP_CREATE] = MESSAGE_ROW(create),
    [DSRPC_OP_SET] = MESSAGE_ROW(publish),
    [DSRPC_OP_GET] = MESSAGE_ROW(get),
    [DSRPC_OP_DECREASE_REFERENCE] = MESSAGE_ROW(decrease_reference),
    [DSRPC_OP_RECONCILE] = MESSAGE_ROW(reconcile_shm_ref),
    [DSRPC_OP_DELETE] = MESSAGE_ROW(delete_all_copy),
    [DSRPC_OP_MSET] = MESSAGE_ROW(multi_publish),
    [DSRPC_OP_MCREATE] = MESSAGE_ROW(multi_create),
    [DSRPC_OP_QUERY_SIZE] = MESSAGE_ROW(query_size),
    [DSRPC_OP_EXIST] = MESSAGE_ROW(exist),
    [DSRPC_OP_EXPIRE] = MESSAGE_ROW(expire),
};

#endif
