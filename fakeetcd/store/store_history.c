/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What revisions changed: the log's versions with what they replaced, built into the store's own
 * scratch, one revision at a time.
 */
#include "fakeetcd/grow.h"
#include "fakeetcd/store/store_internal.h"

#include <stdlib.h>

#define CHANGES_KEPT 1024 /* a larger scratch is given back at once */

static bool reserve_change(struct fakeetcd_store *store, size_t count);
static void previous_of(const struct fakeetcd_store *store, const struct fakeetcd__version *version,
                        struct fakeetcd_kv *out_kv);
static void change_of(const struct fakeetcd_store *store, const struct fakeetcd__version *version,
                      struct fakeetcd_change *out_change);
static bool find_revision(const struct fakeetcd_store *store, int64_t revision, size_t *out_first,
                          size_t *out_end);
static enum rt_status key_history(struct fakeetcd_store *store, const struct fakeetcd__key *key,
                                  int64_t from, int64_t to, fakeetcd_history_fn *visit, void *arg);
static bool gather(struct fakeetcd_store *store, const struct fakeetcd_interval *interval,
                   size_t first, size_t end, size_t *out_count);

/* ---- one change ---- */

static bool reserve_change(struct fakeetcd_store *store, size_t count)
{
    struct fakeetcd_change *changes =
        fakeetcd__grow(store->changes, count, &store->change_capacity, sizeof(*changes));

    store->changes = changes == NULL ? store->changes : changes;
    return changes != NULL;
}

void fakeetcd__changes_give_back(struct fakeetcd_store *store)
{
    if (store->change_capacity > CHANGES_KEPT) {
        free(store->changes);
        store->changes = NULL;
        store->change_capacity = 0;
    }
}

/* What a read at the revision before would have seen, as etcd answers it. */
static void previous_of(const struct fakeetcd_store *store, const struct fakeetcd__version *version,
                        struct fakeetcd_kv *out_kv)
{
    const struct fakeetcd__key *key = version->key;
    const struct fakeetcd__version *previous = NULL;
    int64_t before = version->mod_revision - 1;

    if (before >= store->compacted) {
        bool is_newest = fakeetcd__key_last(key) == version;
        previous = is_newest && key->version_count == 1 ? NULL : fakeetcd__key_at(key, before);
    }
    *out_kv = (struct fakeetcd_kv){0};
    if (previous != NULL && previous->version > 0) {
        fakeetcd__kv_of(previous, out_kv);
    }
}

static void change_of(const struct fakeetcd_store *store, const struct fakeetcd__version *version,
                      struct fakeetcd_change *out_change)
{
    fakeetcd__kv_of(version, &out_change->kv);
    previous_of(store, version, &out_change->previous);
}

const struct fakeetcd_change *fakeetcd__changes_of(struct fakeetcd_store *store, size_t first,
                                                   size_t count)
{
    if (!reserve_change(store, count)) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        change_of(store, store->log[first + i], &store->changes[i]);
    }
    return store->changes;
}

/* ---- many revisions ---- */

enum rt_status fakeetcd_store_history(const struct fakeetcd_store *store, int64_t from, int64_t to,
                                      fakeetcd_history_fn *visit, void *arg)
{
    return fakeetcd__store_history_in(store, &fakeetcd_every_key, from, to, visit, arg);
}

enum rt_status fakeetcd__store_history_in(const struct fakeetcd_store *store,
                                          const struct fakeetcd_interval *interval, int64_t from,
                                          int64_t to, fakeetcd_history_fn *visit, void *arg)
{
    /* The scratch for changes is the only thing that is written. */
    struct fakeetcd_store *scratch = (struct fakeetcd_store *)store;
    enum rt_status status = RT_OK;

    from = from < store->first_revision ? store->first_revision : from;
    to = to > store->revision ? store->revision : to;
    if (interval->end.len_bytes == 0) {
        const struct fakeetcd__key *key = fakeetcd__keys_find(&store->keys, interval->key);
        return key == NULL ? RT_OK : key_history(scratch, key, from, to, visit, arg);
    }
    for (int64_t revision = from; revision <= to; revision++) {
        size_t first = 0;
        size_t end = 0;
        size_t count = 0;
        if (!find_revision(store, revision, &first, &end)) {
            break;
        }
        if (!gather(scratch, interval, first, end, &count)) {
            status = RT_E_NOMEM;
            break;
        }
        if (count > 0 && !visit(arg, revision, store->changes, count)) {
            break;
        }
    }
    fakeetcd__changes_give_back(scratch);
    return status;
}

/* Where its changes lie in the log. */
static bool find_revision(const struct fakeetcd_store *store, int64_t revision, size_t *out_first,
                          size_t *out_end)
{
    size_t index = (size_t)(revision - store->first_revision);

    if (index >= store->start_count) {
        return false;
    }
    *out_first = (size_t)(store->starts[index] - store->log_base);
    *out_end = index + 1 < store->start_count ? (size_t)(store->starts[index + 1] - store->log_base)
                                              : store->log_count - store->pending_count;
    return true;
}

static bool gather(struct fakeetcd_store *store, const struct fakeetcd_interval *interval,
                   size_t first, size_t end, size_t *out_count)
{
    for (size_t i = first; i < end; i++) {
        const struct fakeetcd__version *version = store->log[i];
        if (!fakeetcd_interval_has(interval, fakeetcd__key_slice(version->key))) {
            continue;
        }
        if (!reserve_change(store, *out_count)) {
            return false;
        }
        change_of(store, version, &store->changes[(*out_count)++]);
    }
    return true;
}

/* One key knows its versions: no need to look through everybody's. */
static enum rt_status key_history(struct fakeetcd_store *store, const struct fakeetcd__key *key,
                                  int64_t from, int64_t to, fakeetcd_history_fn *visit, void *arg)
{
    uint32_t at = fakeetcd__key_count_until(key, from - 1);

    while (at < key->version_count && key->versions[at]->mod_revision <= to) {
        int64_t revision = key->versions[at]->mod_revision;
        size_t count = 0;
        for (; at < key->version_count && key->versions[at]->mod_revision == revision; at++) {
            if (!reserve_change(store, count)) {
                return RT_E_NOMEM;
            }
            change_of(store, key->versions[at], &store->changes[count++]);
        }
        if (!visit(arg, revision, store->changes, count)) {
            break;
        }
    }
    return RT_OK;
}
