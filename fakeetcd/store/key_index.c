/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/store/key_index.h"

#include <stdlib.h>

/* The tree's hook: called whenever the children of a node have changed. */
#undef RB_AUGMENT
#define RB_AUGMENT(key) recount(key)

static void recount(struct fakeetcd__key *key);
static int compare_keys(struct fakeetcd__key *a, struct fakeetcd__key *b);

RB_GENERATE_INTERNAL(fakeetcd__keys, fakeetcd__key, entry, compare_keys,
                     static inline __attribute__((unused)))

static uint64_t alive_of(const struct fakeetcd__key *key)
{
    return key == NULL ? 0 : key->alive_below;
}

static void recount(struct fakeetcd__key *key)
{
    key->alive_below =
        alive_of(RB_LEFT(key, entry)) + alive_of(RB_RIGHT(key, entry)) + (key->is_alive ? 1 : 0);
}

static void recount_up(struct fakeetcd__key *key)
{
    for (; key != NULL; key = RB_PARENT(key, entry)) {
        recount(key);
    }
}

int fakeetcd__compare(struct rt_slice a, struct rt_slice b)
{
    size_t shorter = a.len_bytes < b.len_bytes ? a.len_bytes : b.len_bytes;
    int order = shorter == 0 ? 0 : memcmp(a.data, b.data, shorter);

    return order != 0 ? order : (a.len_bytes > b.len_bytes) - (a.len_bytes < b.len_bytes);
}

struct rt_slice fakeetcd__key_slice(const struct fakeetcd__key *key)
{
    return rt_slice_of(key->bytes, key->len_bytes);
}

static int compare_keys(struct fakeetcd__key *a, struct fakeetcd__key *b)
{
    return fakeetcd__compare(fakeetcd__key_slice(a), fakeetcd__key_slice(b));
}

/* ---- the tree ---- */

struct fakeetcd__key *fakeetcd__keys_find(const struct fakeetcd__keys *keys, struct rt_slice bytes)
{
    struct fakeetcd__key *key = RB_ROOT(keys);

    while (key != NULL) {
        int order = fakeetcd__compare(bytes, fakeetcd__key_slice(key));
        if (order == 0) {
            return key;
        }
        key = order < 0 ? RB_LEFT(key, entry) : RB_RIGHT(key, entry);
    }
    return NULL;
}

struct fakeetcd__key *fakeetcd__keys_need(struct fakeetcd__keys *keys, struct rt_slice bytes)
{
    struct fakeetcd__key *key = fakeetcd__keys_find(keys, bytes);

    if (key != NULL) {
        return key;
    }
    key = calloc(1, sizeof(*key) + bytes.len_bytes);
    if (key == NULL) {
        return NULL;
    }
    key->len_bytes = (uint32_t)bytes.len_bytes;
    if (bytes.len_bytes > 0) {
        memcpy(key->bytes, bytes.data, bytes.len_bytes);
    }
    key->versions = &key->only;
    key->version_capacity = 1;
    (void)RB_INSERT(fakeetcd__keys, keys, key);
    recount_up(key); /* insertion recounts its parent and what it rotates, not all ancestors */
    return key;
}

/* Without weight first: then no ancestor's count changes by the removal itself. */
void fakeetcd__keys_remove(struct fakeetcd__keys *keys, struct fakeetcd__key *key)
{
    fakeetcd__key_set_alive(key, false);
    (void)RB_REMOVE(fakeetcd__keys, keys, key);
    if (key->versions != &key->only) {
        free(key->versions);
    }
    free(key);
}

void fakeetcd__key_set_alive(struct fakeetcd__key *key, bool is_alive)
{
    if (key->is_alive != is_alive) {
        key->is_alive = is_alive;
        recount_up(key);
    }
}

struct fakeetcd__key *fakeetcd__keys_from(const struct fakeetcd__keys *keys, struct rt_slice bytes)
{
    struct fakeetcd__key *key = RB_ROOT(keys);
    struct fakeetcd__key *found = NULL;

    while (key != NULL) {
        if (fakeetcd__compare(fakeetcd__key_slice(key), bytes) < 0) {
            key = RB_RIGHT(key, entry);
        } else {
            found = key;
            key = RB_LEFT(key, entry);
        }
    }
    return found;
}

struct fakeetcd__key *fakeetcd__key_next(struct fakeetcd__key *key)
{
    return RB_NEXT(fakeetcd__keys, NULL, key);
}

uint64_t fakeetcd__keys_alive_before(const struct fakeetcd__keys *keys, struct rt_slice bytes)
{
    const struct fakeetcd__key *key = RB_ROOT(keys);
    uint64_t count = 0;

    while (key != NULL) {
        if (fakeetcd__compare(fakeetcd__key_slice(key), bytes) < 0) {
            count += alive_of(RB_LEFT(key, entry)) + (key->is_alive ? 1 : 0);
            key = RB_RIGHT(key, entry);
        } else {
            key = RB_LEFT(key, entry);
        }
    }
    return count;
}

/* ---- versions ---- */

bool fakeetcd__key_push(struct fakeetcd__key *key, struct fakeetcd__version *version)
{
    if (key->version_count == key->version_capacity) {
        uint32_t capacity = key->version_capacity * 2;
        bool is_only = key->versions == &key->only;
        struct fakeetcd__version **versions =
            realloc(is_only ? NULL : key->versions, capacity * sizeof(struct fakeetcd__version *));
        if (versions == NULL) {
            return false;
        }
        if (is_only) {
            versions[0] = key->only;
        }
        key->versions = versions;
        key->version_capacity = capacity;
    }
    key->versions[key->version_count++] = version;
    return true;
}

void fakeetcd__key_pop(struct fakeetcd__key *key)
{
    key->version_count--;
}

void fakeetcd__key_drop(struct fakeetcd__key *key, uint32_t count)
{
    key->version_count -= count;
    memmove(key->versions, key->versions + count,
            key->version_count * sizeof(struct fakeetcd__version *));
    if (key->version_count <= 1 && key->versions != &key->only) {
        struct fakeetcd__version *last = key->version_count == 1 ? key->versions[0] : NULL;
        free(key->versions);
        key->only = last;
        key->versions = &key->only;
        key->version_capacity = 1;
    }
}

struct fakeetcd__version *fakeetcd__key_last(const struct fakeetcd__key *key)
{
    return key->version_count == 0 ? NULL : key->versions[key->version_count - 1];
}

uint32_t fakeetcd__key_count_until(const struct fakeetcd__key *key, int64_t revision)
{
    uint32_t high = key->version_count; /* newer from here on */
    uint32_t step = 1;

    /* Mostly one of the newest is asked for: from the end, in steps that double. */
    while (step <= high && key->versions[high - step]->mod_revision > revision) {
        high -= step;
        step *= 2;
    }
    uint32_t low = step <= high ? high - step + 1 : 0;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (key->versions[middle]->mod_revision <= revision) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct fakeetcd__version *fakeetcd__key_at(const struct fakeetcd__key *key, int64_t revision)
{
    uint32_t count = fakeetcd__key_count_until(key, revision);

    return count == 0 ? NULL : key->versions[count - 1];
}
