/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/operations/waits.h"

#include <assert.h>
#include <stdlib.h>

TAILQ_HEAD(wait_key_list, fakeds__wait_key);

struct fakeds__awaited {
    struct wait_key_list waiting;
    UT_hash_handle hh;
    size_t key_bytes;
    uint8_t key[];
};

static struct fakeds__wait *wait_alloc(const struct rt_slice *keys, size_t key_count);
static bool enlist(struct fakeds__waits *waits, struct fakeds__wait_key *position);
static void leave(struct fakeds__waits *waits, struct fakeds__wait_key *position);
static struct fakeds__awaited *find_awaited(const struct fakeds__waits *waits, struct rt_slice key);
static struct fakeds__awaited *add_awaited(struct fakeds__waits *waits, struct rt_slice key);
static bool fill(struct fakeds__waits *waits, struct fakeds__wait_key *position,
                 struct fakeds__content *content);

struct fakeds__wait *fakeds__wait_start(struct fakeds__waits *waits, void *owner,
                                        const struct rt_slice *keys,
                                        struct fakeds__content *const *contents, size_t key_count)
{
    struct fakeds__wait *wait = wait_alloc(keys, key_count);
    if (wait == NULL) {
        return NULL;
    }
    wait->owner = owner;
    for (size_t i = 0; i < key_count; i++) {
        struct fakeds__wait_key *position = &wait->keys[i];
        if (contents[i] != NULL) {
            position->content = fakeds__content_retain(contents[i]);
            continue;
        }
        wait->missing_count++;
        if (!enlist(waits, position)) {
            fakeds__wait_end(waits, wait);
            return NULL;
        }
    }
    assert(wait->missing_count > 0);
    return wait;
}

static struct fakeds__wait *wait_alloc(const struct rt_slice *keys, size_t key_count)
{
    size_t text_bytes = 0;
    for (size_t i = 0; i < key_count; i++) {
        text_bytes += keys[i].len_bytes;
    }
    size_t list_bytes = key_count * sizeof(struct fakeds__wait_key);
    struct fakeds__wait *wait = malloc(sizeof(*wait) + list_bytes + text_bytes);
    if (wait == NULL) {
        return NULL;
    }
    *wait = (struct fakeds__wait){.key_count = key_count};
    uint8_t *text = (uint8_t *)wait->keys + list_bytes;
    for (size_t i = 0; i < key_count; i++) {
        if (keys[i].len_bytes > 0) {
            memcpy(text, keys[i].data, keys[i].len_bytes);
        }
        wait->keys[i] =
            (struct fakeds__wait_key){.key = rt_slice_of(text, keys[i].len_bytes), .wait = wait};
        text += keys[i].len_bytes;
    }
    return wait;
}

/* Nobody can store an empty key: such a position waits for the timer alone. */
static bool enlist(struct fakeds__waits *waits, struct fakeds__wait_key *position)
{
    if (position->key.len_bytes == 0) {
        return true;
    }
    struct fakeds__awaited *awaited = find_awaited(waits, position->key);
    if (awaited == NULL) {
        awaited = add_awaited(waits, position->key);
    }
    if (awaited == NULL) {
        return false;
    }
    position->awaited = awaited;
    TAILQ_INSERT_TAIL(&awaited->waiting, position, others);
    waits->count++;
    return true;
}

void fakeds__wait_end(struct fakeds__waits *waits, struct fakeds__wait *wait)
{
    if (wait == NULL) {
        return;
    }
    for (size_t i = 0; i < wait->key_count; i++) {
        leave(waits, &wait->keys[i]);
        fakeds__content_release(wait->keys[i].content);
    }
    free(wait);
}

static void leave(struct fakeds__waits *waits, struct fakeds__wait_key *position)
{
    struct fakeds__awaited *awaited = position->awaited;
    if (awaited == NULL) {
        return;
    }
    position->awaited = NULL;
    TAILQ_REMOVE(&awaited->waiting, position, others);
    waits->count--;
    if (TAILQ_EMPTY(&awaited->waiting)) {
        RT_TABLE_REMOVE(waits->awaited, awaited);
        free(awaited);
    }
}

bool fakeds__waits_is_awaited(const struct fakeds__waits *waits, struct rt_slice key)
{
    return find_awaited(waits, key) != NULL;
}

static struct fakeds__awaited *find_awaited(const struct fakeds__waits *waits, struct rt_slice key)
{
    struct fakeds__awaited *awaited = NULL;
    if (key.len_bytes > 0) {
        RT_TABLE_FIND_BYTES(waits->awaited, key.data, key.len_bytes, awaited);
    }
    return awaited;
}

static struct fakeds__awaited *add_awaited(struct fakeds__waits *waits, struct rt_slice key)
{
    enum rt_status status;
    struct fakeds__awaited *awaited = malloc(sizeof(*awaited) + key.len_bytes);
    if (awaited == NULL) {
        return NULL;
    }
    *awaited = (struct fakeds__awaited){.key_bytes = key.len_bytes};
    memcpy(awaited->key, key.data, key.len_bytes);
    TAILQ_INIT(&awaited->waiting);
    RT_TABLE_ADD_BYTES(waits->awaited, awaited, awaited->key, awaited->key_bytes, &status);
    if (status != RT_OK) {
        free(awaited);
        return NULL;
    }
    return awaited;
}

/* Positions of one get stand next to each other in a key's list, so one question is enough. */
void fakeds__waits_notify(struct fakeds__waits *waits, struct rt_slice key,
                          struct fakeds__content *content, fakeds__may_wake_fn *may_wake, void *arg,
                          struct fakeds__wait_list *out_completed)
{
    struct fakeds__awaited *awaited = find_awaited(waits, key);
    struct fakeds__wait *asked = NULL;
    bool may = true;
    TAILQ_INIT(out_completed);
    if (awaited == NULL) {
        return;
    }
    struct fakeds__wait_key *position = TAILQ_FIRST(&awaited->waiting);
    while (position != NULL) {
        struct fakeds__wait_key *next = TAILQ_NEXT(position, others);
        struct fakeds__wait *wait = position->wait;
        if (wait != asked) {
            asked = wait;
            may = may_wake == NULL || may_wake(arg, wait, key);
        }
        if (may && fill(waits, position, content)) {
            TAILQ_INSERT_TAIL(out_completed, wait, completed);
        }
        position = next;
    }
}

bool fakeds__wait_fill(struct fakeds__waits *waits, struct fakeds__wait *wait, struct rt_slice key,
                       struct fakeds__content *content)
{
    for (size_t i = 0; i < wait->key_count; i++) {
        struct fakeds__wait_key *position = &wait->keys[i];
        if (position->content == NULL && rt_slice_equal(position->key, key) &&
            fill(waits, position, content)) {
            return true;
        }
    }
    return false;
}

static bool fill(struct fakeds__waits *waits, struct fakeds__wait_key *position,
                 struct fakeds__content *content)
{
    position->content = fakeds__content_retain(content);
    leave(waits, position);
    return --position->wait->missing_count == 0;
}
