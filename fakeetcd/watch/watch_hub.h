/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_WATCH_WATCH_HUB_H
#define FAKEETCD_WATCH_WATCH_HUB_H

#include "fakeetcd/store/store.h"

/*
 * Who watches which keys, from which revision on. No clock: the owner says when to catch up.
 *
 *   add --> BEHIND (start in the past) --catch_up--> LIVE --a delivery is refused--> BEHIND
 *      `--> LIVE (from now on, or from a future revision)
 *
 * Guarantees: in order, each once, all events of a revision in one delivery, no gap. A change finds
 * its watchers by key (hash) and by interval (tree), never by looking at all of them. A watcher
 * that cannot take a delivery misses nothing: it gets it later from the store's history.
 */
struct fakeetcd_hub;
struct fakeetcd_watcher;
struct fakeetcd_watch_handler;

RT_NODISCARD enum rt_status fakeetcd_hub_create(struct fakeetcd_store *store,
                                                struct fakeetcd_hub **out_hub);
void fakeetcd_hub_destroy(struct fakeetcd_hub *hub); /* watchers are gone before */

struct fakeetcd_watch_options {
    struct fakeetcd_interval interval; /* copied */
    int64_t start_revision;            /* 0: from the next revision on */
    bool is_without_puts;
    bool is_without_deletes;
    const struct fakeetcd_watch_handler *handler; /* its own, on_behind aside; NULL: the hub's */
    void *arg;
};

struct fakeetcd_delivery {
    const struct fakeetcd_change *changes; /* of one revision, or of several when catching up */
    size_t count;
    int64_t revision; /* the last one in it */
};

struct fakeetcd_watch_handler {
    /* Borrowed for the call. False: not now; the watcher falls behind and fakeetcd_watcher_resume()
     * makes it eligible for catching up. Called from write_end or catch_up; must not write. */
    bool (*on_events)(void *arg, const struct fakeetcd_delivery *delivery);
    /* It is behind the compacted revision: it will get nothing any more. From catch_up. */
    void (*on_compacted)(void *arg, int64_t compacted_revision);
    /* Somebody is behind now and was not before: the owner should schedule a catch-up. */
    void (*on_behind)(void *hub_arg);
};
void fakeetcd_hub_set_handler(struct fakeetcd_hub *hub,
                              const struct fakeetcd_watch_handler *handler, void *hub_arg);

RT_NODISCARD enum rt_status fakeetcd_watcher_add(struct fakeetcd_hub *hub,
                                                 const struct fakeetcd_watch_options *options,
                                                 struct fakeetcd_watcher **out_watcher);
/* Also from inside a handler. NULL: nothing happens. */
void fakeetcd_watcher_remove(struct fakeetcd_watcher *watcher);
void fakeetcd_watcher_resume(struct fakeetcd_watcher *watcher);

/* Hands history to those behind, at most `max_revisions` (1000) revisions in one delivery each.
 * True: somebody is still behind and could take more. */
bool fakeetcd_hub_catch_up(struct fakeetcd_hub *hub, size_t max_revisions);

bool fakeetcd_watcher_is_live(const struct fakeetcd_watcher *watcher);
/* Everything before this revision has been delivered or was not for it. */
int64_t fakeetcd_watcher_next_revision(const struct fakeetcd_watcher *watcher);
size_t fakeetcd_hub_watcher_count(const struct fakeetcd_hub *hub);
size_t fakeetcd_hub_behind_count(const struct fakeetcd_hub *hub);

#endif
