/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_ERROR_H
#define FAKEETCD_ERROR_H

#include "wire/grpc/grpc_code.h"

/*
 * What etcd answers when it refuses. Clients match the texts, so each is spelt as etcd spells it.
 * Row: enumerator, gRPC code, gRPC code of etcd 3.4 (where it differs), text.
 */
#define FAKEETCD_ERROR_LIST(ROW)                                                                   \
    ROW(FAKEETCD_OK, 0, 0, "")                                                                     \
    ROW(FAKEETCD_E_NOMEM, 8, 8, "fakeetcd: out of memory")                                         \
    ROW(FAKEETCD_E_EMPTY_KEY, 3, 3, "etcdserver: key is not provided")                             \
    ROW(FAKEETCD_E_KEY_NOT_FOUND, 3, 3, "etcdserver: key not found")                               \
    ROW(FAKEETCD_E_VALUE_PROVIDED, 3, 3, "etcdserver: value is provided")                          \
    ROW(FAKEETCD_E_LEASE_PROVIDED, 3, 3, "etcdserver: lease is provided")                          \
    ROW(FAKEETCD_E_TOO_MANY_OPS, 3, 3, "etcdserver: too many operations in txn request")           \
    ROW(FAKEETCD_E_DUPLICATE_KEY, 3, 3, "etcdserver: duplicate key given in txn request")          \
    ROW(FAKEETCD_E_INVALID_SORT, 3, 3, "etcdserver: invalid sort option")                          \
    ROW(FAKEETCD_E_COMPACTED, 11, 11, "etcdserver: mvcc: required revision has been compacted")    \
    ROW(FAKEETCD_E_FUTURE_REVISION, 11, 11,                                                        \
        "etcdserver: mvcc: required revision is a future revision")                                \
    ROW(FAKEETCD_E_NO_SPACE, 8, 8, "etcdserver: mvcc: database space exceeded")                    \
    ROW(FAKEETCD_E_REQUEST_TOO_LARGE, 3, 3, "etcdserver: request is too large")                    \
    ROW(FAKEETCD_E_TOO_MANY_REQUESTS, 8, 8, "etcdserver: too many requests")                       \
    ROW(FAKEETCD_E_LEASE_NOT_FOUND, 5, 5, "etcdserver: requested lease not found")                 \
    ROW(FAKEETCD_E_LEASE_EXISTS, 9, 9, "etcdserver: lease already exists")                         \
    ROW(FAKEETCD_E_LEASE_TTL_TOO_LARGE, 11, 11, "etcdserver: too large lease TTL")                 \
    ROW(FAKEETCD_E_WATCH_CANCELED, 1, 1, "etcdserver: watch canceled")                             \
    ROW(FAKEETCD_E_MEMBER_EXISTS, 9, 9, "etcdserver: member ID already exist")                     \
    ROW(FAKEETCD_E_PEER_URL_EXISTS, 9, 9, "etcdserver: Peer URLs already exists")                  \
    ROW(FAKEETCD_E_MEMBER_NOT_ENOUGH_STARTED, 9, 2,                                                \
        "etcdserver: re-configuration failed due to not enough started members")                   \
    ROW(FAKEETCD_E_MEMBER_BAD_URLS, 3, 3, "etcdserver: given member URLs are invalid")             \
    ROW(FAKEETCD_E_MEMBER_NOT_FOUND, 5, 5, "etcdserver: member not found")                         \
    ROW(FAKEETCD_E_MEMBER_NOT_LEARNER, 9, 9, "etcdserver: can only promote a learner member")      \
    ROW(FAKEETCD_E_LEARNER_NOT_READY, 9, 9,                                                        \
        "etcdserver: can only promote a learner member which is in sync with leader")              \
    ROW(FAKEETCD_E_TOO_MANY_LEARNERS, 9, 9, "etcdserver: too many learner members in cluster")     \
    ROW(FAKEETCD_E_CLUSTER_ID_MISMATCH, 9, 9, "etcdserver: cluster ID mismatch")                   \
    ROW(FAKEETCD_E_ROOT_USER_NOT_EXIST, 9, 9, "etcdserver: root user does not exist")              \
    ROW(FAKEETCD_E_ROOT_ROLE_NOT_EXIST, 9, 9, "etcdserver: root user does not have root role")     \
    ROW(FAKEETCD_E_USER_EXISTS, 9, 9, "etcdserver: user name already exists")                      \
    ROW(FAKEETCD_E_USER_EMPTY, 3, 3, "etcdserver: user name is empty")                             \
    ROW(FAKEETCD_E_USER_NOT_FOUND, 9, 9, "etcdserver: user name not found")                        \
    ROW(FAKEETCD_E_ROLE_EXISTS, 9, 9, "etcdserver: role name already exists")                      \
    ROW(FAKEETCD_E_ROLE_NOT_FOUND, 9, 9, "etcdserver: role name not found")                        \
    ROW(FAKEETCD_E_ROLE_EMPTY, 3, 3, "etcdserver: role name is empty")                             \
    ROW(FAKEETCD_E_AUTH_FAILED, 3, 3,                                                              \
        "etcdserver: authentication failed, invalid user ID or password")                          \
    ROW(FAKEETCD_E_NO_PASSWORD_USER, 2, 2,                                                         \
        "auth: authentication failed, password was given for no password user")                    \
    ROW(FAKEETCD_E_PERMISSION_NOT_GIVEN, 3, 3, "etcdserver: permission not given")                 \
    ROW(FAKEETCD_E_PERMISSION_DENIED, 7, 7, "etcdserver: permission denied")                       \
    ROW(FAKEETCD_E_ROLE_NOT_GRANTED, 9, 9, "etcdserver: role is not granted to the user")          \
    ROW(FAKEETCD_E_PERMISSION_NOT_GRANTED, 9, 9,                                                   \
        "etcdserver: permission is not granted to the role")                                       \
    ROW(FAKEETCD_E_AUTH_NOT_ENABLED, 9, 9, "etcdserver: authentication is not enabled")            \
    ROW(FAKEETCD_E_INVALID_TOKEN, 16, 16, "etcdserver: invalid auth token")                        \
    ROW(FAKEETCD_E_INVALID_AUTH_MGMT, 3, 3, "etcdserver: invalid auth management")                 \
    ROW(FAKEETCD_E_AUTH_OLD_REVISION, 3, 3, "etcdserver: revision of auth store is old")           \
    ROW(FAKEETCD_E_AUTH_PERMISSION_RAW, 2, 2, "auth: permission denied")                           \
    ROW(FAKEETCD_E_AUTH_USER_RAW, 2, 2, "auth: user name is empty")                                \
    ROW(FAKEETCD_E_AUTH_TOKEN_RAW, 2, 2, "auth: invalid auth token")                               \
    ROW(FAKEETCD_E_NO_LEADER, 14, 14, "etcdserver: no leader")                                     \
    ROW(FAKEETCD_E_NOT_LEADER, 9, 9, "etcdserver: not leader")                                     \
    ROW(FAKEETCD_E_LEADER_CHANGED, 14, 14, "etcdserver: leader changed")                           \
    ROW(FAKEETCD_E_BAD_LEADER_TRANSFEREE, 9, 9, "etcdserver: bad leader transferee")               \
    ROW(FAKEETCD_E_NOT_CAPABLE, 9, 14, "etcdserver: not capable")                                  \
    ROW(FAKEETCD_E_STOPPED, 14, 14, "etcdserver: server stopped")                                  \
    ROW(FAKEETCD_E_TIMEOUT, 14, 14, "etcdserver: request timed out")                               \
    ROW(FAKEETCD_E_TIMEOUT_LEADER_FAIL, 14, 14,                                                    \
        "etcdserver: request timed out, possibly due to previous leader failure")                  \
    ROW(FAKEETCD_E_TIMEOUT_CONNECTION, 14, 14,                                                     \
        "etcdserver: request timed out, possibly due to connection lost")                          \
    ROW(FAKEETCD_E_TIMEOUT_TRANSFER, 2, 2,                                                         \
        "etcdserver: request timed out, leader transfer took too long")                            \
    ROW(FAKEETCD_E_UNHEALTHY, 14, 14, "etcdserver: unhealthy cluster")                             \
    ROW(FAKEETCD_E_CORRUPT, 15, 15, "etcdserver: corrupt cluster")                                 \
    ROW(FAKEETCD_E_LEARNER_RPC, 9, 14, "etcdserver: rpc not supported for learner")                \
    ROW(FAKEETCD_E_BAD_DOWNGRADE_VERSION, 3, 3,                                                    \
        "etcdserver: wrong downgrade target version format")                                       \
    ROW(FAKEETCD_E_INVALID_DOWNGRADE_VERSION, 3, 3,                                                \
        "etcdserver: invalid downgrade target version")                                            \
    ROW(FAKEETCD_E_DOWNGRADE_IN_PROCESS, 9, 9,                                                     \
        "etcdserver: cluster has a downgrade job in progress")                                     \
    ROW(FAKEETCD_E_NO_DOWNGRADE, 9, 9, "etcdserver: no inflight downgrade job")                    \
    ROW(FAKEETCD_E_DEADLINE, 4, 2, "context deadline exceeded")                                    \
    ROW(FAKEETCD_E_ELECTION_NO_LEADER, 2, 2, "election: no leader")                                \
    ROW(FAKEETCD_E_NO_LEADER_KEY, 2, 2, "\"leader\" field must be provided")

enum fakeetcd_error {
#define FAKEETCD_ERROR_ENUM(name, code, code_3_4, text) name,
    FAKEETCD_ERROR_LIST(FAKEETCD_ERROR_ENUM)
#undef FAKEETCD_ERROR_ENUM
        FAKEETCD_ERROR_COUNT
};

const char *fakeetcd_error_text(enum fakeetcd_error error);
int32_t fakeetcd_error_code(enum fakeetcd_error error, bool is_3_4);

#endif
