/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two orders over the same versions: by key (key_index.c) and by revision (the log below). A write
 * adds to both as it goes; its end makes the revision, an abort takes everything off again.
 *
 *   log of changes:   | rev 2: a | rev 3: b c | rev 4: a |      starts[i] is where revision
 *   starts:             0          1            3               first_revision + i begins
 */
#include "fakeetcd/store/store_internal.h"

#include "fakeetcd/grow.h"

#include <stdlib.h>

#define VERSION_COST 96 /* logical bytes a version costs beside key and value */

static bool add_version(struct fakeetcd_store *store, struct fakeetcd__version *version);

enum rt_status fakeetcd_store_create(struct fakeetcd_store **out_store)
{
    struct fakeetcd_store *store = calloc(1, sizeof(*store));

    if (store == NULL) {
        return RT_E_NOMEM;
    }
    RB_INIT(&store->keys);
    store->revision = 1;
    store->first_revision = 2;
    *out_store = store;
    return RT_OK;
}

void fakeetcd_store_destroy(struct fakeetcd_store *store)
{
    struct fakeetcd__key *key = NULL;

    if (store == NULL) {
        return;
    }
    while ((key = RB_ROOT(&store->keys)) != NULL) {
        for (uint32_t i = 0; i < key->version_count; i++) {
            rt_blob_release(key->versions[i]->value_blob);
            free(key->versions[i]);
        }
        key->version_count = 0;
        fakeetcd__keys_remove(&store->keys, key);
    }
    free(store->log);
    free(store->starts);
    free(store->changes);
    free(store);
}

/* ---- intervals ---- */

static const uint8_t zero_byte[1];
const struct fakeetcd_interval fakeetcd_every_key = {{zero_byte, 1}, {zero_byte, 1}};

bool fakeetcd_interval_is_endless(const struct fakeetcd_interval *interval)
{
    return interval->end.len_bytes == 1 && interval->end.data[0] == 0;
}

bool fakeetcd_interval_has(const struct fakeetcd_interval *interval, struct rt_slice key)
{
    if (interval->end.len_bytes == 0) {
        return rt_slice_equal(interval->key, key);
    }
    return fakeetcd__compare(key, interval->key) >= 0 &&
           (fakeetcd_interval_is_endless(interval) || fakeetcd__compare(key, interval->end) < 0);
}

bool fakeetcd_interval_is_empty(const struct fakeetcd_interval *interval)
{
    return interval->end.len_bytes > 0 && !fakeetcd_interval_is_endless(interval) &&
           fakeetcd__compare(interval->key, interval->end) >= 0;
}

/* ---- reading ---- */

int64_t fakeetcd_store_revision(const struct fakeetcd_store *store)
{
    return store->revision + (store->is_writing && store->pending_count > 0 ? 1 : 0);
}

int64_t fakeetcd_store_first(const struct fakeetcd_store *store)
{
    return store->compacted == 0 && !store->is_zero_compacted ? -1 : store->compacted;
}

int64_t fakeetcd_store_compacted(const struct fakeetcd_store *store)
{
    return store->compacted;
}

void fakeetcd_store_forget_tombstones(struct fakeetcd_store *store, bool is_forgotten)
{
    store->is_tombstone_forgotten = is_forgotten;
}

enum fakeetcd_error fakeetcd_store_check_revision(const struct fakeetcd_store *store,
                                                  int64_t revision)
{
    if (revision > fakeetcd_store_revision(store)) {
        return FAKEETCD_E_FUTURE_REVISION;
    }
    return revision > 0 && revision < store->compacted ? FAKEETCD_E_COMPACTED : FAKEETCD_OK;
}

void fakeetcd__kv_of(const struct fakeetcd__version *version, struct fakeetcd_kv *out_kv)
{
    *out_kv = (struct fakeetcd_kv){
        .key = fakeetcd__key_slice(version->key),
        .value = version->value_blob != NULL ? rt_blob_slice(version->value_blob)
                                             : rt_slice_of(version->value, version->value_bytes),
        .value_blob = version->value_blob,
        .create_revision = version->create_revision,
        .mod_revision = version->mod_revision,
        .version = version->version,
        .lease = version->lease,
    };
}

bool fakeetcd_store_get(const struct fakeetcd_store *store, struct rt_slice key, int64_t revision,
                        struct fakeetcd_kv *out_kv)
{
    const struct fakeetcd__key *found = fakeetcd__keys_find(&store->keys, key);

    if (found == NULL) {
        return false;
    }
    const struct fakeetcd__version *version =
        revision <= 0 ? fakeetcd__key_last(found) : fakeetcd__key_at(found, revision);
    if (version == NULL || version->version == 0) {
        return false;
    }
    fakeetcd__kv_of(version, out_kv);
    return true;
}

void fakeetcd_store_walk(const struct fakeetcd_store *store,
                         const struct fakeetcd_interval *interval, int64_t revision,
                         fakeetcd_visit_fn *visit, void *arg)
{
    struct fakeetcd_kv kv;

    if (interval->end.len_bytes == 0) {
        if (fakeetcd_store_get(store, interval->key, revision, &kv)) {
            (void)visit(arg, &kv);
        }
        return;
    }
    struct fakeetcd__key *key = fakeetcd__keys_from(&store->keys, interval->key);
    for (; key != NULL && fakeetcd_interval_has(interval, fakeetcd__key_slice(key));
         key = fakeetcd__key_next(key)) {
        const struct fakeetcd__version *version =
            revision <= 0 ? fakeetcd__key_last(key) : fakeetcd__key_at(key, revision);
        if (version == NULL || version->version == 0) {
            continue;
        }
        fakeetcd__kv_of(version, &kv);
        if (!visit(arg, &kv)) {
            return;
        }
    }
}

static bool count_one(void *arg, const struct fakeetcd_kv *kv)
{
    uint64_t *count = arg;

    (void)kv;
    ++*count;
    return true;
}

uint64_t fakeetcd_store_count(const struct fakeetcd_store *store,
                              const struct fakeetcd_interval *interval, int64_t revision)
{
    uint64_t count = 0;
    bool is_now = revision <= 0 || revision == fakeetcd_store_revision(store);

    if (!is_now || interval->end.len_bytes == 0) {
        fakeetcd_store_walk(store, interval, revision, count_one, &count);
        return count;
    }
    if (fakeetcd_interval_is_empty(interval)) {
        return 0;
    }
    uint64_t before = fakeetcd__keys_alive_before(&store->keys, interval->key);
    uint64_t up_to = fakeetcd_interval_is_endless(interval)
                         ? store->key_count
                         : fakeetcd__keys_alive_before(&store->keys, interval->end);
    return up_to - before;
}

/* ---- writing ---- */

void fakeetcd_write_begin(struct fakeetcd_store *store)
{
    store->is_writing = true;
    store->is_short_of_memory = false;
    store->pending_count = 0;
}

/* What was there before, as the caller sees it. */
static struct fakeetcd__version *alive_of(struct fakeetcd__key *key)
{
    struct fakeetcd__version *last = key == NULL ? NULL : fakeetcd__key_last(key);
    return last == NULL || last->version == 0 ? NULL : last;
}

static uint64_t in_use_of(const struct fakeetcd__version *version)
{
    return version == NULL || version->version == 0 ? 0 : fakeetcd__cost_of(version);
}

static bool add_version(struct fakeetcd_store *store, struct fakeetcd__version *version)
{
    struct fakeetcd__key *key = version->key;
    const struct fakeetcd__version *previous = fakeetcd__key_last(key);

    version->mod_revision = store->revision + 1;
    if (!fakeetcd__key_push(key, version)) {
        return false;
    }
    if (!fakeetcd__log_push(store, version)) {
        fakeetcd__key_pop(key);
        return false;
    }
    store->pending_count++;
    store->in_use_bytes += in_use_of(version) - in_use_of(previous);
    if (key->is_alive != (version->version > 0)) {
        store->key_count += version->version > 0 ? 1 : (uint64_t)-1;
        fakeetcd__key_set_alive(key, version->version > 0);
    }
    return true;
}

/* The write must be aborted. A key that was made for it goes at once: no abort would find it. */
static enum fakeetcd_error put_failed(struct fakeetcd_store *store, struct fakeetcd__key *key)
{
    store->is_short_of_memory = true;
    if (key != NULL && key->version_count == 0) {
        fakeetcd__keys_remove(&store->keys, key);
    }
    return FAKEETCD_E_NOMEM;
}

enum fakeetcd_error fakeetcd_write_put(struct fakeetcd_store *store, struct rt_slice key,
                                       struct rt_slice value, struct rt_blob *value_blob,
                                       int64_t lease, struct fakeetcd_kv *out_previous)
{
    struct fakeetcd__key *found = fakeetcd__keys_need(&store->keys, key);
    struct fakeetcd__version *previous = alive_of(found);
    struct fakeetcd__version *version =
        found == NULL ? NULL : fakeetcd__version_make(found, value, value_blob);

    if (version == NULL) {
        return put_failed(store, found);
    }
    version->version = previous == NULL ? 1 : previous->version + 1;
    version->create_revision = previous == NULL ? store->revision + 1 : previous->create_revision;
    version->lease = lease;
    if (out_previous != NULL) {
        *out_previous = (struct fakeetcd_kv){0};
        if (previous != NULL) {
            fakeetcd__kv_of(previous, out_previous);
        }
    }
    if (!add_version(store, version)) {
        rt_blob_release(version->value_blob);
        free(version);
        return put_failed(store, found);
    }
    return FAKEETCD_OK;
}

bool fakeetcd_write_delete(struct fakeetcd_store *store, struct rt_slice key,
                           struct fakeetcd_kv *out_previous)
{
    struct fakeetcd__key *found = fakeetcd__keys_find(&store->keys, key);
    struct fakeetcd__version *previous = alive_of(found);

    if (previous == NULL) {
        return false;
    }
    if (out_previous != NULL) {
        fakeetcd__kv_of(previous, out_previous);
    }
    struct fakeetcd__version *tombstone = fakeetcd__version_make(found, (struct rt_slice){0}, NULL);
    if (tombstone == NULL || !add_version(store, tombstone)) {
        free(tombstone);
        store->is_short_of_memory = true;
        return true;
    }
    return true;
}

struct fakeetcd__version *fakeetcd__version_make(struct fakeetcd__key *key, struct rt_slice value,
                                                 struct rt_blob *value_blob)
{
    bool is_shared = value_blob != NULL && value.len_bytes > FAKEETCD__INLINE_BYTES &&
                     rt_blob_slice(value_blob).len_bytes == value.len_bytes;
    struct fakeetcd__version *version =
        malloc(sizeof(*version) + (is_shared ? 0 : value.len_bytes));

    if (version == NULL) {
        return NULL;
    }
    *version = (struct fakeetcd__version){.key = key, .value_bytes = (uint32_t)value.len_bytes};
    if (is_shared) {
        version->value_blob = rt_blob_retain(value_blob);
    } else if (value.len_bytes > 0) {
        memcpy(version->value, value.data, value.len_bytes);
    }
    return version;
}

/* ---- the log ---- */

bool fakeetcd__log_push(struct fakeetcd_store *store, struct fakeetcd__version *version)
{
    struct fakeetcd__version **log =
        fakeetcd__grow(store->log, store->log_count, &store->log_capacity, sizeof(*log));
    if (log == NULL) {
        return false;
    }
    store->log = log;
    uint64_t *starts = fakeetcd__grow(store->starts, store->start_count + 1, &store->start_capacity,
                                      sizeof(*starts));
    if (starts == NULL) {
        return false;
    }
    store->starts = starts;
    store->log[store->log_count++] = version;
    return true;
}

uint64_t fakeetcd__cost_of(const struct fakeetcd__version *version)
{
    return VERSION_COST + version->key->len_bytes + version->value_bytes;
}

enum fakeetcd_error fakeetcd_write_end(struct fakeetcd_store *store)
{
    size_t count = store->pending_count;
    size_t first = store->log_count - count;
    const struct fakeetcd_change *changes = NULL;

    if (count > 0 && !store->is_short_of_memory && store->observer_count > 0) {
        changes = fakeetcd__changes_of(store, first, count);
        store->is_short_of_memory = changes == NULL;
    }
    if (store->is_short_of_memory) {
        fakeetcd_write_abort(store);
        return FAKEETCD_E_NOMEM;
    }
    store->is_writing = false;
    store->pending_count = 0;
    if (count == 0) {
        return FAKEETCD_OK;
    }
    store->starts[store->start_count++] = store->log_base + first;
    store->revision++;
    for (size_t i = 0; i < count; i++) {
        const struct fakeetcd__version *version = store->log[first + i];
        store->version_count++;
        store->logical_bytes += fakeetcd__cost_of(version);
        store->put_count += version->version > 0;
        store->delete_count += version->version == 0;
    }
    for (size_t i = 0; i < store->observer_count; i++) {
        store->observers[i].observer(store->observers[i].arg, store->revision, changes, count);
    }
    fakeetcd__changes_give_back(store);
    return FAKEETCD_OK;
}

void fakeetcd_write_abort(struct fakeetcd_store *store)
{
    for (; store->pending_count > 0; store->pending_count--) {
        struct fakeetcd__version *version = store->log[--store->log_count];
        struct fakeetcd__key *key = version->key;
        fakeetcd__key_pop(key);
        store->in_use_bytes += in_use_of(fakeetcd__key_last(key)) - in_use_of(version);
        bool was_alive = alive_of(key) != NULL;
        if (key->is_alive != was_alive) {
            store->key_count += was_alive ? 1 : (uint64_t)-1;
            fakeetcd__key_set_alive(key, was_alive);
        }
        rt_blob_release(version->value_blob);
        free(version);
        if (key->version_count == 0) {
            fakeetcd__keys_remove(&store->keys, key);
        }
    }
    store->is_writing = false;
    store->is_short_of_memory = false;
}

enum rt_status fakeetcd_store_observe(struct fakeetcd_store *store, fakeetcd_observer_fn *observer,
                                      void *arg)
{
    if (store->observer_count == FAKEETCD__OBSERVERS_MAX) {
        return RT_E_LIMIT;
    }
    store->observers[store->observer_count++] =
        (struct fakeetcd__observer){.observer = observer, .arg = arg};
    return RT_OK;
}

void fakeetcd_store_counts(const struct fakeetcd_store *store,
                           struct fakeetcd_store_counts *out_counts)
{
    struct fakeetcd_store_counts counts = {
        .keys = store->key_count,
        .versions = store->version_count,
        .logical_bytes = store->logical_bytes,
        .in_use_bytes = store->in_use_bytes,
        .puts = store->put_count,
        .deletes = store->delete_count,
    };

    *out_counts = counts;
}
