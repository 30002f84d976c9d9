/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEDS_CLUSTER_CLUSTER_DIRECTORY_H
#define FAKEDS_CLUSTER_CLUSTER_DIRECTORY_H

#include "runtime/slice.h"
#include "runtime/status.h"
#include "runtime/table.h"

#include <bsd/sys/queue.h>

/*
 * The metadata of the keys that hash to this worker: which workers hold them, and which wait for
 * them. Without a clock and without a wire; links are names here, nothing more.
 */
struct fakeds__link;

struct fakeds__meta {
    uint32_t write_mode;
    uint32_t consistency;
    uint32_t cache_type;
    uint64_t version_us;
    uint64_t size_bytes;
    uint64_t expires_us; /* RT_NEVER: no TTL */
};

struct fakeds__waiter {
    struct fakeds__link *link;
    uint64_t until_us;
};

struct fakeds__entry {
    struct rt_slice key; /* lies behind the struct */
    struct fakeds__meta meta;
    struct fakeds__link **holders; /* the one that stored it first */
    size_t holder_count;
    struct fakeds__waiter *waiters;
    size_t waiter_count;
    uint64_t watched_until_us; /* in the list of awaited entries until then */
    bool is_watched;
    TAILQ_ENTRY(fakeds__entry) others;
    UT_hash_handle hh;
};
TAILQ_HEAD(fakeds__entries, fakeds__entry);

struct fakeds__directory {
    struct fakeds__entry *entries;
    struct fakeds__entries awaited; /* in the order of asking */
};

void fakeds__directory_init(struct fakeds__directory *directory);
void fakeds__directory_fini(struct fakeds__directory *directory);

/* Somebody holds it, and its time is not over. */
struct fakeds__entry *fakeds__directory_find(struct fakeds__directory *directory,
                                             struct rt_slice key, uint64_t now_us);

/* `holder` alone holds it now. NULL: no memory. */
struct fakeds__entry *fakeds__directory_set(struct fakeds__directory *directory,
                                            struct rt_slice key, const struct fakeds__meta *meta,
                                            struct fakeds__link *holder);
/* One more. A newer version takes the place of an older one; an older one is forgotten. */
RT_NODISCARD enum rt_status fakeds__directory_add(struct fakeds__directory *directory,
                                                  struct rt_slice key,
                                                  const struct fakeds__meta *meta,
                                                  struct fakeds__link *holder,
                                                  struct fakeds__entry **out_entry);
/* It does not hold it any more. */
void fakeds__directory_drop(struct fakeds__directory *directory, struct fakeds__entry *entry,
                            const struct fakeds__link *holder);
/* Nobody does; who waits goes on waiting. */
void fakeds__directory_clear(struct fakeds__directory *directory, struct fakeds__entry *entry);

/* `link` wants to know when the key comes, until then. */
RT_NODISCARD enum rt_status fakeds__directory_await(struct fakeds__directory *directory,
                                                    struct rt_slice key, struct fakeds__link *link,
                                                    uint64_t now_us, uint64_t until_us);
/* Takes the next one that waits and whose time is not over; NULL: nobody. */
struct fakeds__link *fakeds__directory_next_waiter(struct fakeds__entry *entry, uint64_t now_us);

#endif
