/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEDS_STORE_STORE_H
#define FAKEDS_STORE_STORE_H

#include "fakeds/store/content.h"
#include "runtime/table.h"

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

/*
 * Keys and what is stored under them, without a clock and without a wire: time comes in as an
 * argument, the worker asks what is due and decides whether it happens.
 *
 * Memory is counted in allocation classes of logical bytes: a value that many keys share counts
 * for each of them, although its bytes exist once.
 */
struct fakeds__object {
    struct rt_slice key; /* lies behind the struct */
    struct fakeds__content *content;
    uint64_t expires_us; /* RT_NEVER: no TTL */
    uint64_t expiry_order;
    bool may_be_evicted; /* in the clock list */
    bool was_used;       /* second chance */
    RB_ENTRY(fakeds__object) expiry;
    TAILQ_ENTRY(fakeds__object) age;
    UT_hash_handle hh;
};

RB_HEAD(fakeds__expiries, fakeds__object);
TAILQ_HEAD(fakeds__ages, fakeds__object);

struct fakeds__store {
    struct fakeds__object *objects;
    struct fakeds__expiries expiries; /* by time, then by order of setting */
    struct fakeds__ages ages;         /* what may be evicted, the next candidate first */
    size_t evictable_count;
    uint64_t next_order;
    uint64_t used_bytes;
    uint64_t limit_bytes;
};

void fakeds__store_init(struct fakeds__store *store, uint64_t limit_bytes);
void fakeds__store_fini(struct fakeds__store *store);
void fakeds__store_clear(struct fakeds__store *store);

struct fakeds__object *fakeds__store_find(const struct fakeds__store *store, struct rt_slice key);
size_t fakeds__store_count(const struct fakeds__store *store);

/* Puts `content` under `key`, replacing what was there; the reference goes to the store on RT_OK.
 * The TTL of an old object stays as it is. The caller has checked the room. */
RT_NODISCARD enum rt_status fakeds__store_put(struct fakeds__store *store, struct rt_slice key,
                                              struct fakeds__content *content,
                                              struct fakeds__object **out_object);
void fakeds__store_remove(struct fakeds__store *store, struct fakeds__object *object);

/* ---- time to live ------------------------------------------------------------------------- */

/* RT_NEVER removes it. */
void fakeds__store_set_expiry(struct fakeds__store *store, struct fakeds__object *object,
                              uint64_t expires_us);

/* When the scan has something to do: the first tick of the scan that is not before the earliest
 * expiry. RT_NEVER: nothing has a TTL. */
uint64_t fakeds__store_next_scan_us(const struct fakeds__store *store);

/* The earliest object that is due at `now_us`, or NULL. */
struct fakeds__object *fakeds__store_first_expired(const struct fakeds__store *store,
                                                   uint64_t now_us);

/* ---- memory ------------------------------------------------------------------------------- */

bool fakeds__store_has_room(const struct fakeds__store *store, uint64_t class_bytes);

/* Over 0.9 of the memory: the eviction starts. It goes on until 0.8 is reached. */
bool fakeds__store_is_over_high_mark(const struct fakeds__store *store);
uint64_t fakeds__store_low_mark_bytes(const struct fakeds__store *store);

/* get and exist give a second chance. */
void fakeds__store_touch(struct fakeds__object *object);

/* The oldest object of mode EVICT that has no second chance left; those that have one lose it and
 * go to the end. NULL when nothing may be evicted. */
struct fakeds__object *fakeds__store_next_victim(struct fakeds__store *store);

/* A victim that stays: to the end of the list. */
void fakeds__store_spare(struct fakeds__store *store, struct fakeds__object *object);

#endif
