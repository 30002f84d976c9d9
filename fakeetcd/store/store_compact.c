/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compaction: what was replaced at that revision is forgotten, by key, then the log is cut. Only
 * keys that changed since the last compaction have anything to forget; the log names them.
 */
#include "fakeetcd/crc.h"
#include "fakeetcd/store/store_internal.h"

#include <stdlib.h>

#define SHRINK_AT  4  /* arrays that are so many times too large are given back */
#define WASTE_MOST 64 /* bytes of a place that what moves in may leave unused */

/* All but the memory of the struct itself. */
static void forget_content(struct fakeetcd_store *store, const struct fakeetcd__version *version)
{
    store->version_count--;
    store->logical_bytes -= fakeetcd__cost_of(version);
    rt_blob_release(version->value_blob);
}

/* A version that has left its key. One of exactly the compacted revision is still in the log, and
 * freed when that is tidied. */
static void forget(struct fakeetcd_store *store, struct fakeetcd__version *version,
                   int64_t revision)
{
    forget_content(store, version);
    if (version->mod_revision == revision) {
        version->key = NULL;
    } else {
        free(version);
    }
}

/* etcd since 3.5.16 keeps the tombstone that exactly that revision made, as a watch from there must
 * see it; 3.4.23 does not (etcd#19179). */
static bool is_forgotten_tombstone(const struct fakeetcd_store *store,
                                   const struct fakeetcd__version *version, int64_t revision)
{
    return version->version == 0 &&
           (version->mod_revision < revision ||
            (version->mod_revision == revision && store->is_tombstone_forgotten));
}

static size_t inline_bytes(const struct fakeetcd__version *version)
{
    return version->value_blob == NULL ? version->value_bytes : 0;
}

/*
 * The oldest version of a key lies beside it, the newer ones where the store ended when they came.
 * So what survives moves to the oldest place: pages that held only newer versions are free then,
 * while those with keys on them stay anyway. Nothing but the key knows a version that is older than
 * the compacted revision.
 */
static void replace_oldest(struct fakeetcd_store *store, struct fakeetcd__key *key,
                           uint32_t survivor_at, int64_t revision)
{
    struct fakeetcd__version *oldest = key->versions[0];
    struct fakeetcd__version *survivor = key->versions[survivor_at];
    size_t room_bytes = inline_bytes(oldest);
    size_t wanted_bytes = inline_bytes(survivor);

    if (wanted_bytes > room_bytes || room_bytes - wanted_bytes > WASTE_MOST) {
        forget(store, oldest, revision);
        return;
    }
    forget_content(store, oldest);
    memcpy(oldest, survivor, sizeof(*survivor) + wanted_bytes);
    key->versions[survivor_at] = oldest;
    free(survivor);
}

/* All versions that something newer, at `revision` at the latest, has replaced; tombstones too. */
static void compact_key(struct fakeetcd_store *store, struct fakeetcd__key *key, int64_t revision)
{
    uint32_t keep_from = 0;

    while (keep_from + 1 < key->version_count &&
           key->versions[keep_from + 1]->mod_revision <= revision) {
        keep_from++;
    }
    if (key->version_count > keep_from &&
        is_forgotten_tombstone(store, key->versions[keep_from], revision)) {
        keep_from++;
    }
    bool is_moving = keep_from > 0 && keep_from < key->version_count &&
                     key->versions[keep_from]->mod_revision < revision;
    for (uint32_t i = is_moving ? 1 : 0; i < keep_from; i++) {
        forget(store, key->versions[i], revision);
    }
    if (is_moving) {
        replace_oldest(store, key, keep_from, revision);
    }
    fakeetcd__key_drop(key, keep_from);
    if (key->version_count == 0) {
        fakeetcd__keys_remove(&store->keys, key);
    }
}

/* Of the compacted revision itself only what survived stays in the log: a revision may have changed
 * a key twice (etcd takes a put and a delete in two nested transactions of one). */
static void tidy_revision(struct fakeetcd_store *store, int64_t revision)
{
    size_t index = (size_t)(revision - store->first_revision);

    if (revision < store->first_revision || index >= store->start_count) {
        return;
    }
    size_t first = (size_t)(store->starts[index] - store->log_base);
    size_t end = index + 1 < store->start_count
                     ? (size_t)(store->starts[index + 1] - store->log_base)
                     : store->log_count;
    size_t kept = end;
    for (size_t i = end; i > first; i--) {
        struct fakeetcd__version *version = store->log[i - 1];
        if (version->key == NULL) {
            free(version);
        } else {
            store->log[--kept] = version;
        }
    }
    store->starts[index] = store->log_base + kept;
}

static void shrink(void **array, size_t *capacity, size_t count, size_t item_bytes)
{
    size_t wanted = count + 64;

    if (*capacity <= wanted * SHRINK_AT) {
        return;
    }
    void *smaller = realloc(*array, wanted * item_bytes);
    if (smaller != NULL) {
        *array = smaller;
        *capacity = wanted;
    }
}

/* The log begins with `revision` from now on. */
static void cut_log(struct fakeetcd_store *store, int64_t revision)
{
    size_t revisions =
        revision > store->first_revision ? (size_t)(revision - store->first_revision) : 0;
    size_t cut = revisions < store->start_count
                     ? (size_t)(store->starts[revisions] - store->log_base)
                     : store->log_count;

    memmove(store->log, store->log + cut, (store->log_count - cut) * sizeof(*store->log));
    memmove(store->starts, store->starts + revisions,
            (store->start_count - revisions) * sizeof(*store->starts));
    store->log_count -= cut;
    store->log_base += cut;
    store->start_count -= revisions;
    store->first_revision += (int64_t)revisions;
    shrink((void **)&store->log, &store->log_capacity, store->log_count, sizeof(*store->log));
    shrink((void **)&store->starts, &store->start_capacity, store->start_count,
           sizeof(*store->starts));
}

/* Each key once; NULL: no memory. */
static struct fakeetcd__key **changed_keys(const struct fakeetcd_store *store, int64_t revision,
                                           size_t *out_count)
{
    struct fakeetcd__key **keys = malloc((store->log_count + 1) * sizeof(*keys));
    size_t count = 0;

    for (size_t i = 0; keys != NULL && i < store->log_count; i++) {
        struct fakeetcd__key *key = store->log[i]->key;
        if (store->log[i]->mod_revision > revision) {
            break;
        }
        if (!key->is_listed) {
            key->is_listed = true;
            keys[count++] = key;
        }
    }
    *out_count = count;
    return keys;
}

enum fakeetcd_error fakeetcd_store_compact(struct fakeetcd_store *store, int64_t revision)
{
    size_t count = 0;

    /* etcd counts from -1 before the first time: 0 is accepted once, and changes nothing. */
    if (revision <= store->compacted && !(revision == 0 && !store->is_zero_compacted)) {
        return FAKEETCD_E_COMPACTED;
    }
    if (revision > store->revision) {
        return FAKEETCD_E_FUTURE_REVISION;
    }
    store->is_zero_compacted = true;
    if (revision == 0) {
        return FAKEETCD_OK;
    }
    struct fakeetcd__key **keys = changed_keys(store, revision, &count);
    if (keys == NULL) {
        return FAKEETCD_E_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        keys[i]->is_listed = false;
        compact_key(store, keys[i], revision);
    }
    free(keys);
    tidy_revision(store, revision);
    if (store->start_count > 0) {
        cut_log(store, revision);
    }
    store->compacted = revision;
    return FAKEETCD_OK;
}

/* ---- fingerprints ---- */

enum fakeetcd_error fakeetcd_store_hash(const struct fakeetcd_store *store, int64_t revision,
                                        uint32_t *out_hash)
{
    uint32_t crc = fakeetcd__crc_add(0, "key", 3); /* as etcd begins: with the bucket's name */
    enum fakeetcd_error error = fakeetcd_store_check_revision(store, revision);

    if (error != FAKEETCD_OK) {
        return error;
    }
    for (struct fakeetcd__key *key = fakeetcd__keys_from(&store->keys, (struct rt_slice){0});
         key != NULL; key = fakeetcd__key_next(key)) {
        for (uint32_t i = 0; i < key->version_count; i++) {
            const struct fakeetcd__version *version = key->versions[i];
            struct fakeetcd_kv kv;
            if (revision > 0 && version->mod_revision > revision) {
                break;
            }
            fakeetcd__kv_of(version, &kv);
            const int64_t numbers[] = {
                kv.create_revision, kv.mod_revision,           kv.version,
                kv.lease,           (int64_t)kv.key.len_bytes, (int64_t)kv.value.len_bytes};
            crc = fakeetcd__crc_add(crc, numbers, sizeof(numbers));
            crc = fakeetcd__crc_add(crc, kv.key.data, kv.key.len_bytes);
            crc = fakeetcd__crc_add(crc, kv.value.data, kv.value.len_bytes);
        }
    }
    *out_hash = crc;
    return FAKEETCD_OK;
}

/* ---- bringing back ---- */

enum rt_status fakeetcd_store_restore_change(struct fakeetcd_store *store,
                                             const struct fakeetcd_kv *kv)
{
    struct fakeetcd__key *key = fakeetcd__keys_need(&store->keys, kv->key);
    struct fakeetcd__version *version =
        key == NULL ? NULL : fakeetcd__version_make(key, kv->value, kv->value_blob);

    if (version == NULL || !fakeetcd__key_push(key, version)) {
        goto drop_version;
    }
    version->create_revision = kv->create_revision;
    version->mod_revision = kv->mod_revision;
    version->version = kv->version;
    version->lease = kv->lease;
    if (!fakeetcd__log_push(store, version)) {
        fakeetcd__key_pop(key);
        goto drop_version;
    }
    if (key->is_alive != (kv->version > 0)) {
        store->key_count += kv->version > 0 ? 1 : (uint64_t)-1;
        fakeetcd__key_set_alive(key, kv->version > 0);
    }
    store->version_count++;
    store->logical_bytes += fakeetcd__cost_of(version);
    return RT_OK;

drop_version:
    if (version != NULL) {
        rt_blob_release(version->value_blob);
        free(version);
    }
    if (key != NULL && key->version_count == 0) {
        fakeetcd__keys_remove(&store->keys, key);
    }
    return RT_E_NOMEM;
}

/* The log then holds survivors of older revisions too; they are cut off like after a compaction. */
enum rt_status fakeetcd_store_restore_done(struct fakeetcd_store *store, int64_t revision,
                                           int64_t compacted)
{
    size_t at = 0;

    store->revision = revision;
    store->compacted = compacted;
    store->is_zero_compacted = compacted > 0;
    store->first_revision = compacted > 2 ? compacted : 2;
    store->start_count = 0;
    size_t wanted = (size_t)(revision - store->first_revision + 2);
    uint64_t *starts = realloc(store->starts, wanted * sizeof(*starts));
    if (starts == NULL) {
        return RT_E_NOMEM;
    }
    store->starts = starts;
    store->start_capacity = wanted;
    for (int64_t one = store->first_revision; one <= revision; one++) {
        while (at < store->log_count && store->log[at]->mod_revision < one) {
            at++;
        }
        starts[store->start_count++] = at;
    }
    for (struct fakeetcd__key *key = fakeetcd__keys_from(&store->keys, (struct rt_slice){0});
         key != NULL; key = fakeetcd__key_next(key)) {
        const struct fakeetcd__version *last = fakeetcd__key_last(key);
        store->in_use_bytes += last->version > 0 ? fakeetcd__cost_of(last) : 0;
    }
    if (store->start_count > 0 && starts[0] > 0) {
        size_t cut = (size_t)starts[0];
        memmove(store->log, store->log + cut, (store->log_count - cut) * sizeof(*store->log));
        store->log_count -= cut;
        store->log_base = cut;
    }
    return RT_OK;
}
