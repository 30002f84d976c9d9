/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/request/call.h"

/* Which methods ask at which points, and what can be done there. The checker refuses the rest
 * before anything starts. */
#define AT(point)  (1u << (point))
#define DO(action) (UINT64_C(1) << (action))

#define POINTS                                                                                     \
    (AT(FAULT_AT_REQUEST) | AT(FAULT_AT_APPLIED) | AT(FAULT_AT_REPLY_BYTE) | AT(FAULT_AT_REPLIED))
#define POINTS_LEASE (POINTS | AT(FAULT_AT_LEASE))
#define POINTS_WATCH (POINTS | AT(FAULT_AT_WATCH))

/* In the order of fakeetcd_methods, so that a method is its own row; a test compares them. */
static const struct fault_operation OPERATIONS[] = {
    {"etcd-range", POINTS},
    {"etcd-put", POINTS},
    {"etcd-delete-range", POINTS},
    {"etcd-txn", POINTS},
    {"etcd-compact", POINTS},
    {"etcd-watch", POINTS_WATCH},
    {"etcd-lease-grant", POINTS_LEASE},
    {"etcd-lease-revoke", POINTS},
    {"etcd-lease-keepalive", POINTS_LEASE},
    {"etcd-lease-time-to-live", POINTS},
    {"etcd-lease-leases", POINTS},
    {"etcd-member-list", POINTS},
    {"etcd-member-add", POINTS},
    {"etcd-member-remove", POINTS},
    {"etcd-member-update", POINTS},
    {"etcd-member-promote", POINTS},
    {"etcd-alarm", POINTS},
    {"etcd-status", POINTS},
    {"etcd-defragment", POINTS},
    {"etcd-hash", POINTS},
    {"etcd-hash-kv", POINTS},
    {"etcd-snapshot", POINTS},
    {"etcd-move-leader", POINTS},
    {"etcd-downgrade", POINTS},
    {"etcd-auth-enable", POINTS},
    {"etcd-auth-disable", POINTS},
    {"etcd-auth-status", POINTS},
    {"etcd-authenticate", POINTS},
    {"etcd-user-add", POINTS},
    {"etcd-user-get", POINTS},
    {"etcd-user-list", POINTS},
    {"etcd-user-delete", POINTS},
    {"etcd-user-change-password", POINTS},
    {"etcd-user-grant-role", POINTS},
    {"etcd-user-revoke-role", POINTS},
    {"etcd-role-add", POINTS},
    {"etcd-role-get", POINTS},
    {"etcd-role-list", POINTS},
    {"etcd-role-delete", POINTS},
    {"etcd-role-grant-permission", POINTS},
    {"etcd-role-revoke-permission", POINTS},
    {"etcd-lock", POINTS},
    {"etcd-unlock", POINTS},
    {"etcd-campaign", POINTS},
    {"etcd-proclaim", POINTS},
    {"etcd-leader", POINTS},
    {"etcd-observe", POINTS},
    {"etcd-resign", POINTS},
    {"etcd-health-check", POINTS},
    {"etcd-health-watch", POINTS},
    {NULL, 0},
};

#define DO_PROCESS (DO(FAULT_KILL) | DO(FAULT_RESTART))
#define DO_STREAM  (DO(FAULT_RST) | DO(FAULT_FIN) | DO(FAULT_STALL))
#define DO_HTTP2                                                                                   \
    (DO(FAULT_GOAWAY) | DO(FAULT_RST_STREAM) | DO(FAULT_MUTE_PINGS) | DO(FAULT_HOLD_WINDOW))
#define DO_LATER (DO(FAULT_DELAY) | DO(FAULT_HOLD))
#define DO_SPOIL                                                                                   \
    (DO(FAULT_NO_STATUS) | DO(FAULT_CONTENT_TYPE) | DO(FAULT_HTTP_STATUS) | DO(FAULT_BAD_PREFIX) | \
     DO(FAULT_GARBAGE) | DO(FAULT_DRIP))

static const struct fault_capability CAPABILITIES[] = {
    {FAULT_AT_CONNECT, DO(FAULT_REFUSE) | DO_STREAM},
    {FAULT_AT_GREETING,
     DO_STREAM | DO(FAULT_DELAY) | DO(FAULT_GOAWAY) | DO(FAULT_MUTE_PINGS) | DO(FAULT_HOLD_WINDOW)},
    {FAULT_AT_REQUEST,
     DO(FAULT_STATUS) | DO(FAULT_DROP_REQUEST) | DO_LATER | DO_STREAM | DO_HTTP2 | DO_PROCESS},
    {FAULT_AT_APPLIED, DO(FAULT_STATUS) | DO(FAULT_DROP_REPLY) | DO_LATER | DO_STREAM | DO_HTTP2 |
                           DO_SPOIL | DO_PROCESS},
    {FAULT_AT_REPLY_BYTE, DO(FAULT_TRUNCATE) | DO(FAULT_CORRUPT)},
    {FAULT_AT_REPLIED, DO_STREAM | DO_HTTP2 | DO_PROCESS},
    {FAULT_AT_LEASE, DO(FAULT_MUTE) | DO(FAULT_TTL_ZERO) | DO(FAULT_SHORTEN) | DO(FAULT_SUPPRESS)},
    {FAULT_AT_WATCH, DO(FAULT_SUPPRESS) | DO(FAULT_DUPLICATE) | DO_LATER | DO(FAULT_CANCEL) |
                         DO(FAULT_CANCEL_COMPACTED) | DO(FAULT_EARLY_PROGRESS) | DO(FAULT_STATUS) |
                         DO(FAULT_RST_STREAM)},
    {FAULT_AT_ETCD, DO_PROCESS | DO(FAULT_FREEZE) | DO(FAULT_LOSE_LEADER) | DO(FAULT_READ_ONLY) |
                        DO(FAULT_NO_SPACE) | DO(FAULT_CORRUPT_ALARM) | DO(FAULT_COMPACT) |
                        DO(FAULT_RESTORE) | DO(FAULT_EXPIRE_LEASE) | DO(FAULT_EXPIRE_TOKENS) |
                        DO(FAULT_BUMP_TERM)},
};

/* Which requests a lease's actions are for; suppressed is its expiry, or an event of a watch. */
static const struct fault_restriction RESTRICTIONS[] = {
    {FAULT_MUTE, "etcd-lease-keepalive"}, {FAULT_TTL_ZERO, "etcd-lease-keepalive"},
    {FAULT_SHORTEN, "etcd-lease-grant"},  {FAULT_SHORTEN, "etcd-lease-keepalive"},
    {FAULT_SUPPRESS, "etcd-watch"},       {FAULT_SUPPRESS, ""},
    {FAULT_ACTION_COUNT, NULL},
};

const struct fault_domain fakeetcd_fault_domain = {
    .name = "fakeetcd",
    .is_etcd = true,
    .operations = OPERATIONS,
    .capabilities = CAPABILITIES,
    .capability_count = sizeof(CAPABILITIES) / sizeof(CAPABILITIES[0]),
    .restrictions = RESTRICTIONS,
};
