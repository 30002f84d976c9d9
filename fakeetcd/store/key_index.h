/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_STORE_KEY_INDEX_H
#define FAKEETCD_STORE_KEY_INDEX_H

#include "fakeetcd/store/store.h"

#include <bsd/sys/tree.h>

/*
 * Keys in order, each with its versions, oldest first. A subtree knows how many of its keys are
 * there now, so that counting an interval costs the logarithm of the keys.
 */
struct fakeetcd__version {
    struct fakeetcd__key *key;
    int64_t create_revision;
    int64_t mod_revision;
    int64_t version; /* 0: a tombstone */
    int64_t lease;
    struct rt_blob *value_blob; /* NULL: the value lies behind this struct */
    uint32_t value_bytes;
    uint8_t value[];
};

struct fakeetcd__key {
    RB_ENTRY(fakeetcd__key) entry;
    struct fakeetcd__version **versions;
    uint32_t version_count;
    uint32_t version_capacity;
    uint64_t alive_below; /* keys of this subtree that are there now */
    bool is_alive;
    bool is_listed;                 /* by the compaction under way */
    struct fakeetcd__version *only; /* room for one version without an array */
    uint32_t len_bytes;
    uint8_t bytes[];
};

RB_HEAD(fakeetcd__keys, fakeetcd__key);

struct fakeetcd__key *fakeetcd__keys_find(const struct fakeetcd__keys *keys, struct rt_slice bytes);
/* Finds or makes. NULL: no memory. */
struct fakeetcd__key *fakeetcd__keys_need(struct fakeetcd__keys *keys, struct rt_slice bytes);
/* Of a key without versions. */
void fakeetcd__keys_remove(struct fakeetcd__keys *keys, struct fakeetcd__key *key);
void fakeetcd__key_set_alive(struct fakeetcd__key *key, bool is_alive);
/* The first key at or behind `bytes`; NULL: none. */
struct fakeetcd__key *fakeetcd__keys_from(const struct fakeetcd__keys *keys, struct rt_slice bytes);
struct fakeetcd__key *fakeetcd__key_next(struct fakeetcd__key *key);
/* How many keys that are there now lie before `bytes`. */
uint64_t fakeetcd__keys_alive_before(const struct fakeetcd__keys *keys, struct rt_slice bytes);

/* False: no memory, nothing changed. */
bool fakeetcd__key_push(struct fakeetcd__key *key, struct fakeetcd__version *version);
void fakeetcd__key_pop(struct fakeetcd__key *key);
/* Takes the first `count` off; they are the caller's. */
void fakeetcd__key_drop(struct fakeetcd__key *key, uint32_t count);
/* The version that held at `revision`; NULL: none, or it is compacted away. */
struct fakeetcd__version *fakeetcd__key_at(const struct fakeetcd__key *key, int64_t revision);
/* How many of its versions are not newer than `revision`. */
uint32_t fakeetcd__key_count_until(const struct fakeetcd__key *key, int64_t revision);
struct fakeetcd__version *fakeetcd__key_last(const struct fakeetcd__key *key);

struct rt_slice fakeetcd__key_slice(const struct fakeetcd__key *key);
int fakeetcd__compare(struct rt_slice a, struct rt_slice b);

#endif
