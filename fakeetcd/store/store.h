/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_STORE_STORE_H
#define FAKEETCD_STORE_STORE_H

#include "fakeetcd/error.h"
#include "runtime/blob.h"

/*
 * The multi-version store: every key with all its revisions back to the last compaction. No clock,
 * no socket, no protobuf. One thread.
 *
 * A revision is one write transaction; what it changed is an ordered list of changes (main, sub).
 * An empty store stands at revision 1; the first change makes 2.
 *
 *   fakeetcd_write_begin --> put / delete ... --> fakeetcd_write_end: revision + 1, told once
 *                                           `---> fakeetcd_write_abort: nothing happened
 */
struct fakeetcd_store;

RT_NODISCARD enum rt_status fakeetcd_store_create(struct fakeetcd_store **out_store);
void fakeetcd_store_destroy(struct fakeetcd_store *store);

/* One version of one key. Slices are borrowed: valid until the next call that writes or compacts. A
 * value lies in one blob. */
struct fakeetcd_kv {
    struct rt_slice key;
    struct rt_slice value;
    struct rt_blob *value_blob; /* what `value` lies in; NULL for small ones */
    int64_t create_revision;
    int64_t mod_revision;
    int64_t version; /* 0: this is a tombstone (key and mod_revision only) */
    int64_t lease;
};

/* Keys from `key` to `end`, exclusive, by etcd's rules: an empty end is the one key; the end "\0"
 * is every key from `key` on. An inverted interval is empty. */
struct fakeetcd_interval {
    struct rt_slice key;
    struct rt_slice end;
};
extern const struct fakeetcd_interval fakeetcd_every_key;
bool fakeetcd_interval_is_endless(const struct fakeetcd_interval *interval); /* its end is "\0" */
bool fakeetcd_interval_has(const struct fakeetcd_interval *interval, struct rt_slice key);
bool fakeetcd_interval_is_empty(const struct fakeetcd_interval *interval);

/* ---- reading ---- */

int64_t fakeetcd_store_revision(const struct fakeetcd_store *store);  /* inside a write: the new one
                                                                         once something changed */
int64_t fakeetcd_store_compacted(const struct fakeetcd_store *store); /* 0: never */
/* The same as etcd counts it: -1 before the first compaction, which may be one at 0. */
int64_t fakeetcd_store_first(const struct fakeetcd_store *store);

/* `revision` <= 0: the current one. FAKEETCD_E_COMPACTED, FAKEETCD_E_FUTURE_REVISION. */
enum fakeetcd_error fakeetcd_store_check_revision(const struct fakeetcd_store *store,
                                                  int64_t revision);

/* False: the key was not there at that (checked) revision. */
bool fakeetcd_store_get(const struct fakeetcd_store *store, struct rt_slice key, int64_t revision,
                        struct fakeetcd_kv *out_kv);

/* Visits what was there at that revision, in key order. `visit` returns false to stop. */
typedef bool fakeetcd_visit_fn(void *arg, const struct fakeetcd_kv *kv);
void fakeetcd_store_walk(const struct fakeetcd_store *store,
                         const struct fakeetcd_interval *interval, int64_t revision,
                         fakeetcd_visit_fn *visit, void *arg);

/* How many were there. At the current revision this costs the logarithm of the keys. */
uint64_t fakeetcd_store_count(const struct fakeetcd_store *store,
                              const struct fakeetcd_interval *interval, int64_t revision);

/* ---- writing ---- */

/* One at a time. Reads in between see what was written. */
void fakeetcd_write_begin(struct fakeetcd_store *store);

/* Key and value are copied, unless the value is a blob, which is retained. `lease` 0: none; that
 * leases exist is the caller's to know. `out_previous` (may be NULL) is what was there; version 0
 * when nothing was. FAKEETCD_E_NOMEM: abort the write. */
enum fakeetcd_error fakeetcd_write_put(struct fakeetcd_store *store, struct rt_slice key,
                                       struct rt_slice value, struct rt_blob *value_blob,
                                       int64_t lease, struct fakeetcd_kv *out_previous);
/* False: it was not there, and nothing changed. A failed allocation is kept for write_end. */
bool fakeetcd_write_delete(struct fakeetcd_store *store, struct rt_slice key,
                           struct fakeetcd_kv *out_previous);

/* Makes the revision and tells the observer, once, when something changed.
 * FAKEETCD_E_NOMEM: it was aborted instead. */
enum fakeetcd_error fakeetcd_write_end(struct fakeetcd_store *store);
void fakeetcd_write_abort(struct fakeetcd_store *store);

/* ---- what a revision changed ---- */

struct fakeetcd_change {
    struct fakeetcd_kv kv;       /* version 0: deleted */
    struct fakeetcd_kv previous; /* version 0: it was not there, or that version is compacted */
};

/* After each revision, from inside write_end; may read, must not write. */
typedef void fakeetcd_observer_fn(void *arg, int64_t revision,
                                  const struct fakeetcd_change *changes, size_t count);
/* At most 4, called in the order added. */
RT_NODISCARD enum rt_status fakeetcd_store_observe(struct fakeetcd_store *store,
                                                   fakeetcd_observer_fn *observer, void *arg);

/* Visits the revisions from `from` to `to`, both included, oldest first, each with its changes.
 * `visit` returns false to stop. Revisions that were compacted away are not there; at exactly the
 * compacted revision what survived is. Cost: what is visited, not the whole history.
 * RT_E_NOMEM: it stopped before a revision that is too large. */
typedef bool fakeetcd_history_fn(void *arg, int64_t revision, const struct fakeetcd_change *changes,
                                 size_t count);
enum rt_status fakeetcd_store_history(const struct fakeetcd_store *store, int64_t from, int64_t to,
                                      fakeetcd_history_fn *visit, void *arg);

/* Visits every version there is up to `revision`, in the order they were written: first what
 * survived the compaction, as it was then, by revision and key. `visit` returns false to stop.
 * RT_E_NOMEM: something was not visited. */
enum rt_status fakeetcd_store_replay(const struct fakeetcd_store *store, int64_t revision,
                                     fakeetcd_visit_fn *visit, void *arg);

/* ---- upkeep ---- */

/* Forgets versions that are overwritten or deleted at `revision`, gives their memory back.
 * FAKEETCD_E_COMPACTED: that far already; FAKEETCD_E_FUTURE_REVISION. Told to nobody. */
enum fakeetcd_error fakeetcd_store_compact(struct fakeetcd_store *store, int64_t revision);

/* Compactions forget the tombstones of exactly their revision too, as etcd 3.4.23 does. */
void fakeetcd_store_forget_tombstones(struct fakeetcd_store *store, bool is_forgotten);

/* CRC-32C (Castagnoli) over what etcd hashes: keys and values of all versions up to `revision`
 * (0: the current one). Equal contents give equal hashes. */
enum fakeetcd_error fakeetcd_store_hash(const struct fakeetcd_store *store, int64_t revision,
                                        uint32_t *out_hash);

struct fakeetcd_store_counts {
    uint64_t keys;          /* there now */
    uint64_t versions;      /* kept, tombstones included */
    uint64_t logical_bytes; /* keys and values of all versions kept: what a quota counts */
    uint64_t in_use_bytes;  /* of the current versions */
    uint64_t puts;          /* so far */
    uint64_t deletes;
};
void fakeetcd_store_counts(const struct fakeetcd_store *store,
                           struct fakeetcd_store_counts *out_counts);

/* ---- bringing back ---- */

/* For whoever restores a saved store: an empty one gets a revision to stand at and versions in
 * order of revision; then it is as if it had lived through them. No observer is told. */
RT_NODISCARD enum rt_status fakeetcd_store_restore_change(struct fakeetcd_store *store,
                                                          const struct fakeetcd_kv *kv);
RT_NODISCARD enum rt_status fakeetcd_store_restore_done(struct fakeetcd_store *store,
                                                        int64_t revision, int64_t compacted);

#endif
