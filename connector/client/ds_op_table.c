/* SPDX-License-Identifier: Apache-2.0 */
#include "connector/client/ds_op.h"

#define CONTROL true
#define DATA    false
#define USER    true
#define INNER   false

/* Retried codes: not for heartbeat, health, reconcile and disconnect; delete not out of memory;
 * mset also scaling. The suffix: get, read and health never carry it. */
const struct ds__op_rule ds__op_rules[DSRPC_OP_COUNT] = {
    [DSRPC_OP_SOCKET_PATH] = {DSRPC_OP_SOCKET_PATH, CONTROL, USER, DS__RETRY_RPC, true,
                              ds__pack_socket_path, ds__accept_nothing},
    [DSRPC_OP_REGISTER] = {DSRPC_OP_REGISTER, CONTROL, USER, DS__RETRY_RPC, true, ds__pack_register,
                           ds__accept_register},
    [DSRPC_OP_DISCONNECT] = {DSRPC_OP_DISCONNECT, CONTROL, INNER, DS__RETRY_NONE, false,
                             ds__pack_disconnect, ds__accept_nothing},
    [DSRPC_OP_HEARTBEAT] = {DSRPC_OP_HEARTBEAT, CONTROL, INNER, DS__RETRY_NONE, false,
                            ds__pack_heartbeat, ds__accept_heartbeat},
    [DSRPC_OP_HEALTH] = {DSRPC_OP_HEALTH, DATA, USER, DS__RETRY_NONE, false, ds__pack_health,
                         ds__accept_nothing},
    [DSRPC_OP_SET] = {DSRPC_OP_SET, DATA, USER, DS__RETRY_RPC_OOM, true, ds__pack_set,
                      ds__accept_nothing},
    [DSRPC_OP_GET] = {DSRPC_OP_GET, DATA, USER, DS__RETRY_RPC_OOM, false, ds__pack_get,
                      ds__accept_get},
    [DSRPC_OP_RECONCILE] = {DSRPC_OP_RECONCILE, DATA, INNER, DS__RETRY_NONE, false,
                            ds__pack_reconcile, ds__accept_nothing},
    [DSRPC_OP_DELETE] = {DSRPC_OP_DELETE, DATA, USER, DS__RETRY_RPC, true, ds__pack_delete,
                         ds__accept_delete},
    [DSRPC_OP_MSET] = {DSRPC_OP_MSET, DATA, USER, DS__RETRY_MSET, true, ds__pack_mset,
                       ds__accept_mset},
    [DSRPC_OP_QUERY_SIZE] = {DSRPC_OP_QUERY_SIZE, DATA, USER, DS__RETRY_RPC_OOM, true,
                             ds__pack_query_size, ds__accept_query_size},
    [DSRPC_OP_EXIST] = {DSRPC_OP_EXIST, DATA, USER, DS__RETRY_RPC_OOM, true, ds__pack_exist,
                        ds__accept_exist},
    [DSRPC_OP_EXPIRE] = {DSRPC_OP_EXPIRE, DATA, USER, DS__RETRY_RPC_OOM, true, ds__pack_expire,
                         ds__accept_expire},
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
