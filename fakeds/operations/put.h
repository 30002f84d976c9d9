/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEDS_OPERATIONS_PUT_H
#define FAKEDS_OPERATIONS_PUT_H

#include "fakeds/worker/worker_internal.h"

/* What set and mset do alike once nothing stands against it: store, TTL, wake-ups, eviction. */
struct fakeds__put {
    struct rt_slice key;
    const struct zmtp_frame *parts;
    size_t part_count;
    uint32_t write_mode;
    uint32_t consistency;
    uint32_t cache_type;
    uint32_t ttl_s;
    bool is_old_ttl_kept; /* mset without TTL over an existing key */
    uint64_t version_us;  /* as the owner of the key gave it; 0: now */
};

RT_NODISCARD enum rt_status fakeds__put(struct fakeds_worker *worker,
                                        const struct fakeds__put *put);

enum { FAKEDS__EXISTENCE_NX = 1 };

/* Through, back and back-evict need a second level cache, and there is none. */
bool fakeds__is_second_level(uint32_t write_mode);

/* Consistency, write mode and cache type: the new ones, the old ones. */
#define FAKEDS__TEXT_INCONSISTENT                                                                  \
    "Inconsistency in publish or set cache whose key already exists in datasystem, please delete " \
    "the old cache or keep parameter the same as the old cache, newMeta: (consistency_type, "      \
    "write_mode, cache_type), (%u, %u, %u); old: (%u, %u, %u)"

#define FAKEDS__TEXT_NO_SECOND_LEVEL                                                               \
    "The key is set to WRITE_THROUGH_L2_CACHE, WRITE_BACK_L2_CACHE or WRITE_BACK_L2_CACHE_EVICT, " \
    "but L2_cache_type is set to none."

#endif
