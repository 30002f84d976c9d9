/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_PROFILE_H
#define FAKEETCD_PROFILE_H

#include "wire/grpc/grpc_server.h"

/*
 * What differs between versions of etcd, as data: code asks for a quirk, never compares versions.
 */
enum fakeetcd_quirk {
    FAKEETCD_QUIRK_OLD_CODES = 1u << 0,      /* codes of the column `3.4` in error.h */
    FAKEETCD_QUIRK_SORT_UNCHECKED = 1u << 1, /* invalid sort enums are taken (3.6 refuses) */
    FAKEETCD_QUIRK_NEGATIVE_START = 1u << 2, /* watch from a negative revision: created first */
    FAKEETCD_QUIRK_OPEN_WITHOUT_TOKEN = 1u
                                        << 3,  /* lease, Status, Alarm, MemberList need no token */
    FAKEETCD_QUIRK_OLD_GATEWAY = 1u << 4,      /* JSON errors and HTTP answers of 3.4 */
    FAKEETCD_QUIRK_MEMBERS_SERIAL = 1u << 5,   /* MemberList never asks for a leader */
    FAKEETCD_QUIRK_TOMBSTONE_MISSED = 1u << 6, /* a watch from exactly the compacted revision */
    FAKEETCD_QUIRK_KILL_ON_TERM = 1u << 7,     /* SIGTERM drops streams instead of draining */
    FAKEETCD_QUIRK_ALARM_BARE = 1u << 8,       /* answers of Alarm have no header */
    FAKEETCD_QUIRK_LOCK_UNCHECKED = 1u << 9,   /* a lock is given although its key has gone */
    FAKEETCD_QUIRK_HASH_STRICT = 1u << 10,     /* HashKV refuses the compacted revision itself */
    FAKEETCD_QUIRK_GRANT_UNCHECKED = 1u << 11, /* permissions on intervals without keys are taken */
    FAKEETCD_QUIRK_TOKEN_ALWAYS = 1u << 12, /* a token nobody gave is refused with auth off too */
    FAKEETCD_QUIRK_NESTED_FREE = 1u << 13   /* a nested transaction needs no permission */
};

struct fakeetcd_profile {
    const char *name;            /* "etcd-3.5" */
    const char *version;         /* "3.5.30" */
    const char *cluster_version; /* "3.5.0" */
    uint32_t quirks;
    const struct grpc_server_profile *grpc;
};

/* NULL: no such profile. `names` of all, ended by NULL, for messages. */
const struct fakeetcd_profile *fakeetcd_profile_find(const char *name);
extern const char *const fakeetcd_profile_names[];

#endif
