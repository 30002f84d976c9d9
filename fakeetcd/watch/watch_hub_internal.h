/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_WATCH_WATCH_HUB_INTERNAL_H
#define FAKEETCD_WATCH_WATCH_HUB_INTERNAL_H

#include "fakeetcd/watch/watch_hub.h"
#include "fakeetcd/watch/watch_tree.h"
#include "runtime/table.h"

#include <sys/queue.h>

/* LIVE: gets each revision as it is made. BEHIND: gets history. STALLED: behind, and its owner has
 * not said that it takes more. OVER: compacted, gets nothing any more. */
enum fakeetcd__watcher_state {
    FAKEETCD__LIVE,
    FAKEETCD__BEHIND,
    FAKEETCD__STALLED,
    FAKEETCD__OVER
};

struct fakeetcd__exact;

struct fakeetcd_watcher {
    struct fakeetcd__range range; /* first: the tree hands it back */
    struct fakeetcd_hub *hub;
    struct fakeetcd__exact *exact; /* NULL: it is in the tree */
    TAILQ_ENTRY(fakeetcd_watcher) exact_entry;
    TAILQ_ENTRY(fakeetcd_watcher) behind_entry;
    enum fakeetcd__watcher_state state;
    int64_t next_revision; /* LIVE: nothing before it; else what it has not had yet */
    bool is_without_puts;
    bool is_without_deletes;
    const struct fakeetcd_watch_handler *handler; /* NULL: the hub's */
    void *arg;
    size_t hit;      /* place among the hits of the revision under way, plus one */
    uint8_t bytes[]; /* key and end */
};

/* All watchers of one key. */
struct fakeetcd__exact {
    UT_hash_handle hh;
    TAILQ_HEAD(, fakeetcd_watcher) watchers;
    struct rt_slice key; /* of its first watcher, which may go: a copy */
    uint8_t bytes[];
};

/* A watcher that wants something of the revision under way: which changes is a list in `wanted`. */
struct fakeetcd__hit {
    struct fakeetcd_watcher *watcher; /* NULL: it went meanwhile */
    size_t first;
    size_t last;
    size_t count;
};

struct fakeetcd__wanted {
    size_t change;
    size_t next;
};

struct fakeetcd_hub {
    struct fakeetcd_store *store;
    const struct fakeetcd_watch_handler *handler;
    void *arg;
    struct fakeetcd__exact *exact_keys;
    struct fakeetcd__ranges ranges;
    TAILQ_HEAD(, fakeetcd_watcher) behind;
    size_t watcher_count;
    size_t behind_count;

    /* The revision under way. */
    int64_t revision;
    const struct fakeetcd_change *changes;
    size_t change_at; /* being looked up */
    struct fakeetcd__hit *hits;
    size_t hit_count;
    size_t hit_capacity;
    struct fakeetcd__wanted *wanted;
    size_t wanted_count;
    size_t wanted_capacity;

    struct fakeetcd_change *batch; /* changes for one delivery */
    size_t batch_count;
    size_t batch_capacity;
    struct fakeetcd_watcher *catching; /* NULL: it went inside its own delivery */
};

/* Makes room for one more item; false: no memory, nothing changed. */
bool fakeetcd__hub_batch_add(struct fakeetcd_hub *hub, const struct fakeetcd_change *change);
bool fakeetcd__watcher_wants(const struct fakeetcd_watcher *watcher,
                             const struct fakeetcd_change *change);
const struct fakeetcd_watch_handler *
fakeetcd__watcher_handler(const struct fakeetcd_watcher *watcher);

/* To the end of those behind; `state` says whether it may be handed something already. */
void fakeetcd__watcher_fall_behind(struct fakeetcd_watcher *watcher, int64_t next_revision,
                                   enum fakeetcd__watcher_state state);
void fakeetcd__watcher_leave_behind(struct fakeetcd_watcher *watcher);

#endif
