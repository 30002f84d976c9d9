/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_STORE_STORE_INTERNAL_H
#define FAKEETCD_STORE_STORE_INTERNAL_H

#include "fakeetcd/store/key_index.h"

#define FAKEETCD__OBSERVERS_MAX 4
#define FAKEETCD__INLINE_BYTES  512 /* a larger value of a blob is kept by reference */

struct fakeetcd__observer {
    fakeetcd_observer_fn *observer;
    void *arg;
};

struct fakeetcd_store {
    struct fakeetcd__keys keys;
    uint64_t key_count; /* there now */
    int64_t revision;
    int64_t compacted;
    bool is_zero_compacted; /* a compaction at 0 or later has been accepted */

    /* The log: versions in the order they were made, from the compacted revision on. */
    struct fakeetcd__version **log;
    size_t log_count;
    size_t log_capacity;
    uint64_t log_base; /* what has been cut off in front */
    uint64_t *starts;  /* by revision: where it begins, counted from the very first change */
    size_t start_count;
    size_t start_capacity;
    int64_t first_revision; /* of starts[0] */

    bool is_tombstone_forgotten; /* of exactly the compacted revision */
    bool is_writing;
    bool is_short_of_memory;
    uint32_t pending_count; /* changes of the write under way, at the end of the log */

    struct fakeetcd_change *changes; /* scratch for observers and history */
    size_t change_capacity;
    struct fakeetcd__observer observers[FAKEETCD__OBSERVERS_MAX];
    size_t observer_count;

    uint64_t version_count;
    uint64_t logical_bytes;
    uint64_t in_use_bytes;
    uint64_t put_count;
    uint64_t delete_count;
};

void fakeetcd__kv_of(const struct fakeetcd__version *version, struct fakeetcd_kv *out_kv);
/* Logical bytes of one version. */
uint64_t fakeetcd__cost_of(const struct fakeetcd__version *version);
/* A version of a key that is in the tree; NULL: no memory. */
struct fakeetcd__version *fakeetcd__version_make(struct fakeetcd__key *key, struct rt_slice value,
                                                 struct rt_blob *value_blob);
bool fakeetcd__log_push(struct fakeetcd_store *store, struct fakeetcd__version *version);

/* Changes of the log from `first` on, in the store's scratch until it is used again; NULL: no
 * memory. */
const struct fakeetcd_change *fakeetcd__changes_of(struct fakeetcd_store *store, size_t first,
                                                   size_t count);
/* After use: the scratch of a revision of very many changes does not stay. */
void fakeetcd__changes_give_back(struct fakeetcd_store *store);

/* As fakeetcd_store_history, with the changes of one interval only; revisions without any are not
 * visited. For a single key the cost is its versions. */
enum rt_status fakeetcd__store_history_in(const struct fakeetcd_store *store,
                                          const struct fakeetcd_interval *interval, int64_t from,
                                          int64_t to, fakeetcd_history_fn *visit, void *arg);

#endif
