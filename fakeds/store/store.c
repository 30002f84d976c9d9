/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/store/store.h"

#include "runtime/loop.h"

#include <assert.h>
#include <stdlib.h>

#define SCAN_INTERVAL_US UINT64_C(100000)
#define HIGH_MARK_TENTHS 9u
#define LOW_MARK_TENTHS  8u

static struct fakeds__object *add_object(struct fakeds__store *store, struct rt_slice key);
static void set_content(struct fakeds__store *store, struct fakeds__object *object,
                        struct fakeds__content *content);
static void leave_clock(struct fakeds__store *store, struct fakeds__object *object);
static int compare_expiry(const struct fakeds__object *a, const struct fakeds__object *b);

/* Not all of a tree's functions are used here. */
RB_GENERATE_INTERNAL(fakeds__expiries, fakeds__object, expiry, compare_expiry,
                     __attribute__((unused)) static)

void fakeds__store_init(struct fakeds__store *store, uint64_t limit_bytes)
{
    *store = (struct fakeds__store){.limit_bytes = limit_bytes};
    RB_INIT(&store->expiries);
    TAILQ_INIT(&store->ages);
}

void fakeds__store_fini(struct fakeds__store *store)
{
    fakeds__store_clear(store);
}

void fakeds__store_clear(struct fakeds__store *store)
{
    struct fakeds__object *object;
    struct fakeds__object *next;
    RT_TABLE_EACH(object, next, store->objects)
    {
        fakeds__store_remove(store, object);
    }
    assert(store->used_bytes == 0);
}

struct fakeds__object *fakeds__store_find(const struct fakeds__store *store, struct rt_slice key)
{
    struct fakeds__object *object = NULL;
    if (key.len_bytes > 0) { /* an empty key is never stored, and has no bytes to hash */
        RT_TABLE_FIND_BYTES(store->objects, key.data, key.len_bytes, object);
    }
    return object;
}

size_t fakeds__store_count(const struct fakeds__store *store)
{
    return RT_TABLE_COUNT(store->objects);
}

enum rt_status fakeds__store_put(struct fakeds__store *store, struct rt_slice key,
                                 struct fakeds__content *content,
                                 struct fakeds__object **out_object)
{
    struct fakeds__object *object = fakeds__store_find(store, key);
    if (key.len_bytes == 0) {
        return RT_E_INVALID;
    }
    if (object == NULL) {
        object = add_object(store, key);
        if (object == NULL) {
            return RT_E_NOMEM;
        }
    }
    set_content(store, object, content);
    *out_object = object;
    return RT_OK;
}

static struct fakeds__object *add_object(struct fakeds__store *store, struct rt_slice key)
{
    enum rt_status status;
    struct fakeds__object *object = malloc(sizeof(*object) + key.len_bytes);
    if (object == NULL) {
        return NULL;
    }
    *object = (struct fakeds__object){.expires_us = RT_NEVER};
    uint8_t *text = (uint8_t *)(object + 1);
    memcpy(text, key.data, key.len_bytes);
    object->key = rt_slice_of(text, key.len_bytes);
    RT_TABLE_ADD_BYTES(store->objects, object, object->key.data, object->key.len_bytes, &status);
    if (status != RT_OK) {
        free(object);
        return NULL;
    }
    return object;
}

/* New data is the youngest, also under an old key. */
static void set_content(struct fakeds__store *store, struct fakeds__object *object,
                        struct fakeds__content *content)
{
    leave_clock(store, object);
    if (object->content != NULL) {
        store->used_bytes -= object->content->class_bytes;
        fakeds__content_release(object->content);
    }
    object->content = content;
    store->used_bytes += content->class_bytes;
    object->was_used = false;
    if (content->write_mode == FAKEDS__MODE_EVICT) {
        object->may_be_evicted = true;
        TAILQ_INSERT_TAIL(&store->ages, object, age);
        store->evictable_count++;
    }
}

static void leave_clock(struct fakeds__store *store, struct fakeds__object *object)
{
    if (object->may_be_evicted) {
        TAILQ_REMOVE(&store->ages, object, age);
        object->may_be_evicted = false;
        store->evictable_count--;
    }
}

void fakeds__store_remove(struct fakeds__store *store, struct fakeds__object *object)
{
    leave_clock(store, object);
    fakeds__store_set_expiry(store, object, RT_NEVER);
    RT_TABLE_REMOVE(store->objects, object);
    store->used_bytes -= object->content->class_bytes;
    fakeds__content_release(object->content);
    free(object);
}

/* ---- time to live ------------------------------------------------------------------------- */

static int compare_expiry(const struct fakeds__object *a, const struct fakeds__object *b)
{
    if (a->expires_us != b->expires_us) {
        return a->expires_us < b->expires_us ? -1 : 1;
    }
    return a->expiry_order < b->expiry_order ? -1 : a->expiry_order > b->expiry_order;
}

void fakeds__store_set_expiry(struct fakeds__store *store, struct fakeds__object *object,
                              uint64_t expires_us)
{
    if (object->expires_us != RT_NEVER) {
        RB_REMOVE(fakeds__expiries, &store->expiries, object);
    }
    object->expires_us = expires_us;
    object->expiry_order = store->next_order++;
    if (expires_us != RT_NEVER) {
        RB_INSERT(fakeds__expiries, &store->expiries, object);
    }
}

/* The real worker scans every 100 ms; ticks at which nothing can be due are left out. */
uint64_t fakeds__store_next_scan_us(const struct fakeds__store *store)
{
    const struct fakeds__object *first =
        RB_MIN(fakeds__expiries, (struct fakeds__expiries *)(uintptr_t)&store->expiries);
    if (first == NULL) {
        return RT_NEVER;
    }
    return (first->expires_us + SCAN_INTERVAL_US - 1) / SCAN_INTERVAL_US * SCAN_INTERVAL_US;
}

struct fakeds__object *fakeds__store_first_expired(const struct fakeds__store *store,
                                                   uint64_t now_us)
{
    struct fakeds__object *first =
        RB_MIN(fakeds__expiries, (struct fakeds__expiries *)(uintptr_t)&store->expiries);
    return first != NULL && first->expires_us <= now_us ? first : NULL;
}

/* ---- memory ------------------------------------------------------------------------------- */

/* The last byte is never given out: sixteen values of 4 MiB do not fit into 64. */
bool fakeds__store_has_room(const struct fakeds__store *store, uint64_t class_bytes)
{
    return store->used_bytes < store->limit_bytes &&
           class_bytes < store->limit_bytes - store->used_bytes; /* all of it is too much */
}

bool fakeds__store_is_over_high_mark(const struct fakeds__store *store)
{
    return store->used_bytes > store->limit_bytes / 10 * HIGH_MARK_TENTHS;
}

uint64_t fakeds__store_low_mark_bytes(const struct fakeds__store *store)
{
    return store->limit_bytes / 10 * LOW_MARK_TENTHS;
}

void fakeds__store_touch(struct fakeds__object *object)
{
    object->was_used = true;
}

struct fakeds__object *fakeds__store_next_victim(struct fakeds__store *store)
{
    struct fakeds__object *object = TAILQ_FIRST(&store->ages);
    while (object != NULL && object->was_used) {
        fakeds__store_spare(store, object);
        object = TAILQ_FIRST(&store->ages);
    }
    return object;
}

void fakeds__store_spare(struct fakeds__store *store, struct fakeds__object *object)
{
    object->was_used = false;
    TAILQ_REMOVE(&store->ages, object, age);
    TAILQ_INSERT_TAIL(&store->ages, object, age);
}
