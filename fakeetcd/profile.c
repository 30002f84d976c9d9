/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/profile.h"

#include <string.h>

static const struct fakeetcd_profile PROFILES[] = {
    {
        .name = "etcd-3.4",
        .version = "3.4.23",
        .cluster_version = "3.4.0",
        .quirks = FAKEETCD_QUIRK_OLD_CODES | FAKEETCD_QUIRK_SORT_UNCHECKED |
                  FAKEETCD_QUIRK_NEGATIVE_START | FAKEETCD_QUIRK_OPEN_WITHOUT_TOKEN |
                  FAKEETCD_QUIRK_OLD_GATEWAY | FAKEETCD_QUIRK_MEMBERS_SERIAL |
                  FAKEETCD_QUIRK_TOMBSTONE_MISSED | FAKEETCD_QUIRK_KILL_ON_TERM |
                  FAKEETCD_QUIRK_ALARM_BARE | FAKEETCD_QUIRK_LOCK_UNCHECKED |
                  FAKEETCD_QUIRK_HASH_STRICT | FAKEETCD_QUIRK_GRANT_UNCHECKED |
                  FAKEETCD_QUIRK_TOKEN_ALWAYS | FAKEETCD_QUIRK_NESTED_FREE,
        .grpc = &grpc_server_profile_1_26,
    },
    {
        .name = "etcd-3.5",
        .version = "3.5.30",
        .cluster_version = "3.5.0",
        .quirks = FAKEETCD_QUIRK_SORT_UNCHECKED,
        .grpc = &grpc_server_profile_1_59,
    },
};
#define PROFILE_COUNT (sizeof(PROFILES) / sizeof(PROFILES[0]))

const char *const fakeetcd_profile_names[] = {"etcd-3.4", "etcd-3.5", NULL};

const struct fakeetcd_profile *fakeetcd_profile_find(const char *name)
{
    for (size_t i = 0; i < PROFILE_COUNT; i++) {
        if (strcmp(PROFILES[i].name, name) == 0) {
            return &PROFILES[i];
        }
    }
    return NULL;
}
