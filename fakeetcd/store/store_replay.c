/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/grow.h"
#include "fakeetcd/store/key_index.h"
#include "fakeetcd/store/store.h"

#include <stdlib.h>

/* Everything that there is, in the order it was written. */

struct replay {
    fakeetcd_visit_fn *visit;
    void *arg;
    struct fakeetcd_kv *kvs; /* what survived the compaction */
    size_t count;
    size_t capacity;
    bool is_short_of_memory;
    bool is_stopped;
};

static bool on_survivor(void *arg, const struct fakeetcd_kv *kv);
static int compare_kvs(const void *left, const void *right);
static bool on_history(void *arg, int64_t revision, const struct fakeetcd_change *changes,
                       size_t count);

enum rt_status fakeetcd_store_replay(const struct fakeetcd_store *store, int64_t revision,
                                     fakeetcd_visit_fn *visit, void *arg)
{
    int64_t compacted = fakeetcd_store_compacted(store);
    struct replay replay = {.visit = visit, .arg = arg};
    if (compacted > 0) {
        fakeetcd_store_walk(store, &fakeetcd_every_key, compacted, on_survivor, &replay);
    }
    if (replay.count > 0) {
        qsort(replay.kvs, replay.count, sizeof(*replay.kvs), compare_kvs);
    }
    for (size_t i = 0; i < replay.count && !replay.is_short_of_memory && !replay.is_stopped; i++) {
        replay.is_stopped = !visit(arg, &replay.kvs[i]);
    }
    free(replay.kvs);
    if (replay.is_short_of_memory) {
        return RT_E_NOMEM;
    }
    return replay.is_stopped
               ? RT_OK
               : fakeetcd_store_history(store, compacted + 1, revision, on_history, &replay);
}

static bool on_survivor(void *arg, const struct fakeetcd_kv *kv)
{
    struct replay *replay = arg;
    struct fakeetcd_kv *kvs =
        fakeetcd__grow(replay->kvs, replay->count, &replay->capacity, sizeof(*kvs));
    if (kvs == NULL) {
        replay->is_short_of_memory = true;
        return false;
    }
    replay->kvs = kvs;
    replay->kvs[replay->count++] = *kv;
    return true;
}

static int compare_kvs(const void *left, const void *right)
{
    const struct fakeetcd_kv *a = left;
    const struct fakeetcd_kv *b = right;
    int order = (a->mod_revision > b->mod_revision) - (a->mod_revision < b->mod_revision);
    return order != 0 ? order : fakeetcd__compare(a->key, b->key);
}

static bool on_history(void *arg, int64_t revision, const struct fakeetcd_change *changes,
                       size_t count)
{
    struct replay *replay = arg;
    (void)revision;
    for (size_t i = 0; i < count; i++) {
        if (!replay->visit(replay->arg, &changes[i].kv)) {
            return false;
        }
    }
    return true;
}
