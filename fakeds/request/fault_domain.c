/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/worker/worker.h"

/* Which operations ask at which points, and what can be done there. The checker refuses the rest
 * before anything starts. */
#define AT(point)  (1u << (point))
#define DO(action) (UINT64_C(1) << (action))

#define POINTS_OF_ALL                                                                              \
    (AT(FAULT_AT_REQUEST) | AT(FAULT_AT_APPLIED) | AT(FAULT_AT_REPLY_BYTE) | AT(FAULT_AT_REPLIED))

/* Beyond the points of every request: those of one operation only. */
#define POINTS_SET                0u
#define POINTS_GET                (AT(FAULT_AT_WAIT) | AT(FAULT_AT_NOTIFY))
#define POINTS_HEARTBEAT          AT(FAULT_AT_HEARTBEAT)
#define POINTS_ZMQ_HEARTBEAT      AT(FAULT_AT_HEARTBEAT)
#define POINTS_CLIENT_FD          0u
#define POINTS_SOCKET_PATH        0u
#define POINTS_REGISTER           0u
#define POINTS_DISCONNECT         0u
#define POINTS_HEALTH             0u
#define POINTS_CREATE             0u
#define POINTS_RECONCILE          0u
#define POINTS_DELETE             0u
#define POINTS_MSET               0u
#define POINTS_MCREATE            0u
#define POINTS_QUERY_SIZE         0u
#define POINTS_EXIST              0u
#define POINTS_EXPIRE             0u
#define POINTS_DECREASE_REFERENCE 0u

/* Rows are in the order of enum dsrpc_op, so that an operation is its own row. */
static const struct fault_operation OPERATIONS[] = {
#define OPERATION_ROW(name, word, service, index, sends, returns)                                  \
    [DSRPC_OP_##name] = {word, POINTS_OF_ALL | POINTS_##name},
    DSRPC_OP_LIST(OPERATION_ROW)
#undef OPERATION_ROW
        [DSRPC_OP_COUNT] = {NULL, 0},
};

#define DO_PROCESS (DO(FAULT_KILL) | DO(FAULT_RESTART))
#define DO_STREAM  (DO(FAULT_RST) | DO(FAULT_FIN) | DO(FAULT_STALL))
#define DO_LATER   (DO(FAULT_DELAY) | DO(FAULT_HOLD))

static const struct fault_capability CAPABILITIES[] = {
    {FAULT_AT_CONNECT, DO(FAULT_REFUSE) | DO_STREAM},
    {FAULT_AT_GREETING, DO_STREAM | DO(FAULT_DELAY)},
    {FAULT_AT_REQUEST, DO(FAULT_STATUS) | DO(FAULT_LAST_RC) | DO(FAULT_NO_ENTRIES) |
                           DO(FAULT_DROP_REQUEST) | DO_LATER | DO_STREAM | DO(FAULT_CUT) |
                           DO_PROCESS},
    {FAULT_AT_APPLIED, DO(FAULT_DROP_REPLY) | DO(FAULT_LAST_RC) | DO(FAULT_NO_ENTRIES) | DO_LATER |
                           DO(FAULT_DUPLICATE) | DO_STREAM | DO(FAULT_CUT) | DO_PROCESS},
    {FAULT_AT_REPLY_BYTE, DO(FAULT_TRUNCATE) | DO(FAULT_CORRUPT) | DO(FAULT_STALL)},
    {FAULT_AT_REPLIED, DO_STREAM | DO_PROCESS},
    {FAULT_AT_HEARTBEAT, DO(FAULT_MUTE) | DO(FAULT_STATUS) | DO(FAULT_DELAY)},
    {FAULT_AT_WAIT,
     DO(FAULT_STATUS) | DO(FAULT_DROP_REQUEST) | DO_LATER | DO_STREAM | DO(FAULT_CUT) | DO_PROCESS},
    {FAULT_AT_NOTIFY, DO(FAULT_SUPPRESS) | DO(FAULT_DELAY)},
    {FAULT_AT_EVICT, DO(FAULT_SUPPRESS)},
    {FAULT_AT_EXPIRE, DO(FAULT_SUPPRESS) | DO(FAULT_DELAY)},
    {FAULT_AT_WORKER, DO_PROCESS},
};

/* Only a get has entries and a last_rc of its own. */
static const struct fault_restriction RESTRICTIONS[] = {
    {FAULT_LAST_RC, "get"},
    {FAULT_NO_ENTRIES, "get"},
    {FAULT_ACTION_COUNT, NULL},
};

const struct fault_domain fakeds_fault_domain = {
    .name = "fakeds",
    .operations = OPERATIONS,
    .capabilities = CAPABILITIES,
    .capability_count = sizeof(CAPABILITIES) / sizeof(CAPABILITIES[0]),
    .restrictions = RESTRICTIONS,
};
