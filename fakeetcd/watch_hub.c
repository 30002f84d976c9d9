/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A revision on its way to watchers:
 *
 *   store --on_revision--> who is hit? (exact keys: hash; ranges: tree) --> hits --> on_events
 *                                                                  refused --> behind list
 *   behind list --catch_up--> store's history, filtered --> on_events --> live again
 */
#include "fakeetcd/watch_hub.h"

#include "fakeetcd/watch_tree.h"
#include "runtime/table.h"

#include <stdlib.h>
#include <sys/queue.h>

enum watcher_state { LIVE, BEHIND, STALLED, OVER };

struct fakeetcd_watcher {
    struct fakeetcd__range range; /* first: the tree hands it back */
    struct fakeetcd_hub *hub;
    struct exact_key *exact; /* NULL: it is in the tree */
    TAILQ_ENTRY(fakeetcd_watcher) exact_entry;
    TAILQ_ENTRY(fakeetcd_watcher) behind_entry;
    enum watcher_state state;
    int64_t next_revision; /* LIVE: nothing before it; else what it has not had yet */
    bool is_without_puts;
    bool is_without_deletes;
    const struct fakeetcd_watch_handler *handler; /* NULL: the hub's */
    void *arg;
    size_t hit;      /* place among the hits of the revision under way, plus one */
    uint8_t bytes[]; /* key and end */
};

/* All watchers of one key. */
struct exact_key {
    UT_hash_handle hh;
    TAILQ_HEAD(, fakeetcd_watcher) watchers;
    struct rt_slice key; /* of its first watcher, which may go: a copy */
    uint8_t bytes[];
};

/* A watcher and which changes of the revision are for it. */
struct hit {
    struct fakeetcd_watcher *watcher; /* NULL: it went meanwhile */
    uint32_t first;                   /* in hub->wanted */
    uint32_t count;
};

struct fakeetcd_hub {
    struct fakeetcd_store *store;
    const struct fakeetcd_watch_handler *handler;
    void *arg;
    struct exact_key *exact_keys;
    struct fakeetcd__ranges ranges;
    TAILQ_HEAD(, fakeetcd_watcher) behind;
    size_t watcher_count;
    size_t behind_count;
    struct hit *hits;
    size_t hit_count;
    size_t hit_capacity;
    struct fakeetcd_change *batch; /* changes for one delivery */
    size_t batch_count;
    size_t batch_capacity;
    const struct fakeetcd_change *change; /* being looked up */
    int64_t revision;
    struct fakeetcd_watcher *catching; /* NULL: it went inside its own delivery */
};

static void on_revision(void *arg, int64_t revision, const struct fakeetcd_change *changes,
                        size_t count);
static void deliver_hits(struct fakeetcd_hub *hub, const struct fakeetcd_change *changes,
                         size_t count);
static void fall_behind(struct fakeetcd_watcher *watcher, int64_t revision,
                        enum watcher_state state);
static bool catch_up_one(struct fakeetcd_watcher *watcher, size_t max_revisions);

/* ---- life ---- */

enum rt_status fakeetcd_hub_create(struct fakeetcd_store *store, struct fakeetcd_hub **out_hub)
{
    struct fakeetcd_hub *hub = calloc(1, sizeof(*hub));

    if (hub == NULL) {
        return RT_E_NOMEM;
    }
    hub->store = store;
    fakeetcd__ranges_init(&hub->ranges);
    TAILQ_INIT(&hub->behind);
    enum rt_status status = fakeetcd_store_observe(store, on_revision, hub);
    if (status != RT_OK) {
        free(hub);
        return status;
    }
    *out_hub = hub;
    return RT_OK;
}

void fakeetcd_hub_destroy(struct fakeetcd_hub *hub)
{
    if (hub != NULL) {
        free(hub->hits);
        free(hub->batch);
        free(hub);
    }
}

void fakeetcd_hub_set_handler(struct fakeetcd_hub *hub,
                              const struct fakeetcd_watch_handler *handler, void *hub_arg)
{
    hub->handler = handler;
    hub->arg = hub_arg;
}

static struct exact_key *need_exact(struct fakeetcd_hub *hub, struct rt_slice key)
{
    struct exact_key *exact = NULL;
    enum rt_status status = RT_OK;

    RT_TABLE_FIND_BYTES(hub->exact_keys, key.data, key.len_bytes, exact);
    if (exact != NULL) {
        return exact;
    }
    exact = calloc(1, sizeof(*exact) + key.len_bytes);
    if (exact == NULL) {
        return NULL;
    }
    memcpy(exact->bytes, key.data, key.len_bytes);
    exact->key = rt_slice_of(exact->bytes, key.len_bytes);
    TAILQ_INIT(&exact->watchers);
    RT_TABLE_ADD_BYTES(hub->exact_keys, exact, exact->key.data, exact->key.len_bytes, &status);
    if (status != RT_OK) {
        free(exact);
        return NULL;
    }
    return exact;
}

static struct fakeetcd_watcher *make_watcher(struct fakeetcd_hub *hub,
                                             const struct fakeetcd_watch_options *options)
{
    struct rt_slice key = options->interval.key;
    struct rt_slice end = options->interval.end;
    struct fakeetcd_watcher *watcher = calloc(1, sizeof(*watcher) + key.len_bytes + end.len_bytes);

    if (watcher == NULL) {
        return NULL;
    }
    watcher->hub = hub;
    watcher->is_without_puts = options->is_without_puts;
    watcher->is_without_deletes = options->is_without_deletes;
    watcher->handler = options->handler;
    watcher->arg = options->arg;
    memcpy(watcher->bytes, key.data, key.len_bytes);
    if (end.len_bytes > 0) {
        memcpy(watcher->bytes + key.len_bytes, end.data, end.len_bytes);
    }
    watcher->range.interval.key = rt_slice_of(watcher->bytes, key.len_bytes);
    watcher->range.interval.end = rt_slice_of(watcher->bytes + key.len_bytes, end.len_bytes);
    return watcher;
}

enum rt_status fakeetcd_watcher_add(struct fakeetcd_hub *hub,
                                    const struct fakeetcd_watch_options *options,
                                    struct fakeetcd_watcher **out_watcher)
{
    int64_t current = fakeetcd_store_revision(hub->store);
    struct fakeetcd_watcher *watcher = make_watcher(hub, options);

    if (watcher == NULL) {
        return RT_E_NOMEM;
    }
    if (options->interval.end.len_bytes == 0) {
        watcher->exact = need_exact(hub, options->interval.key);
        if (watcher->exact == NULL) {
            free(watcher);
            return RT_E_NOMEM;
        }
        TAILQ_INSERT_TAIL(&watcher->exact->watchers, watcher, exact_entry);
    } else {
        fakeetcd__ranges_add(&hub->ranges, &watcher->range);
    }
    hub->watcher_count++;
    watcher->next_revision = options->start_revision == 0 ? current + 1 : options->start_revision;
    *out_watcher = watcher;
    if (watcher->next_revision <= current) {
        fall_behind(watcher, watcher->next_revision, BEHIND);
    }
    return RT_OK;
}

static void leave_behind(struct fakeetcd_watcher *watcher)
{
    if (watcher->state == BEHIND || watcher->state == STALLED) {
        TAILQ_REMOVE(&watcher->hub->behind, watcher, behind_entry);
        watcher->hub->behind_count--;
    }
}

void fakeetcd_watcher_remove(struct fakeetcd_watcher *watcher)
{
    if (watcher == NULL) {
        return;
    }
    struct fakeetcd_hub *hub = watcher->hub;
    leave_behind(watcher);
    if (watcher->hit > 0) {
        hub->hits[watcher->hit - 1].watcher = NULL;
    }
    if (hub->catching == watcher) {
        hub->catching = NULL;
    }
    if (watcher->exact == NULL) {
        fakeetcd__ranges_remove(&hub->ranges, &watcher->range);
    } else {
        TAILQ_REMOVE(&watcher->exact->watchers, watcher, exact_entry);
        if (TAILQ_EMPTY(&watcher->exact->watchers)) {
            RT_TABLE_REMOVE(hub->exact_keys, watcher->exact);
            free(watcher->exact);
        }
    }
    hub->watcher_count--;
    free(watcher);
}

static const struct fakeetcd_watch_handler *handler_of(const struct fakeetcd_watcher *watcher)
{
    return watcher->handler != NULL ? watcher->handler : watcher->hub->handler;
}

/* ---- a new revision ---- */

static bool is_wanted(const struct fakeetcd_watcher *watcher, const struct fakeetcd_change *change)
{
    return change->kv.version > 0 ? !watcher->is_without_puts : !watcher->is_without_deletes;
}

/* The watcher and one change for it. Without memory it falls behind, and loses nothing. */
static void note_hit(struct fakeetcd_hub *hub, struct fakeetcd_watcher *watcher)
{
    if (watcher->state != LIVE || watcher->next_revision > hub->revision ||
        !is_wanted(watcher, hub->change)) {
        return;
    }
    if (watcher->hit > 0) {
        hub->hits[watcher->hit - 1].count++;
        return;
    }
    if (hub->hit_count == hub->hit_capacity) {
        size_t capacity = hub->hit_capacity * 2 + 16;
        struct hit *hits = realloc(hub->hits, capacity * sizeof(*hits));
        if (hits == NULL) {
            fall_behind(watcher, hub->revision, BEHIND);
            return;
        }
        hub->hits = hits;
        hub->hit_capacity = capacity;
    }
    hub->hits[hub->hit_count++] = (struct hit){.watcher = watcher, .count = 1};
    watcher->hit = hub->hit_count;
}

static void on_range(void *arg, struct fakeetcd__range *range)
{
    note_hit(arg, (struct fakeetcd_watcher *)range);
}

static void on_revision(void *arg, int64_t revision, const struct fakeetcd_change *changes,
                        size_t count)
{
    struct fakeetcd_hub *hub = arg;

    if (hub->watcher_count == 0) {
        return;
    }
    hub->revision = revision;
    hub->hit_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct exact_key *exact = NULL;
        struct fakeetcd_watcher *watcher;
        hub->change = &changes[i];
        RT_TABLE_FIND_BYTES(hub->exact_keys, changes[i].kv.key.data, changes[i].kv.key.len_bytes,
                            exact);
        for (watcher = exact == NULL ? NULL : TAILQ_FIRST(&exact->watchers); watcher != NULL;
             watcher = TAILQ_NEXT(watcher, exact_entry)) {
            note_hit(hub, watcher);
        }
        fakeetcd__ranges_find(&hub->ranges, changes[i].kv.key, on_range, hub);
    }
    deliver_hits(hub, changes, count);
}

static bool batch_add(struct fakeetcd_hub *hub, const struct fakeetcd_change *change)
{
    if (hub->batch_count == hub->batch_capacity) {
        size_t capacity = hub->batch_capacity * 2 + 16;
        struct fakeetcd_change *batch = realloc(hub->batch, capacity * sizeof(*batch));
        if (batch == NULL) {
            return false;
        }
        hub->batch = batch;
        hub->batch_capacity = capacity;
    }
    hub->batch[hub->batch_count++] = *change;
    return true;
}

static bool batch_of(struct fakeetcd_hub *hub, const struct fakeetcd_watcher *watcher,
                     const struct fakeetcd_change *changes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_wanted(watcher, &changes[i]) &&
            fakeetcd_interval_has(&watcher->range.interval, changes[i].kv.key) &&
            !batch_add(hub, &changes[i])) {
            return false;
        }
    }
    return true;
}

/* Most revisions change one key: then all share the one change as it is. */
static void deliver_hits(struct fakeetcd_hub *hub, const struct fakeetcd_change *changes,
                         size_t count)
{
    for (size_t i = 0; i < hub->hit_count; i++) {
        struct fakeetcd_watcher *watcher = hub->hits[i].watcher;
        struct fakeetcd_delivery delivery = {changes, count, hub->revision};
        if (watcher == NULL) {
            continue;
        }
        if (hub->hits[i].count != count) {
            hub->batch_count = 0;
            if (!batch_of(hub, watcher, changes, count)) {
                watcher->hit = 0;
                fall_behind(watcher, hub->revision, BEHIND);
                continue;
            }
            delivery.changes = hub->batch;
            delivery.count = hub->batch_count;
        }
        bool is_taken = handler_of(watcher)->on_events(watcher->arg, &delivery);
        watcher = hub->hits[i].watcher; /* it may have gone */
        if (watcher == NULL) {
            continue;
        }
        watcher->hit = 0;
        if (!is_taken) {
            fall_behind(watcher, hub->revision, STALLED);
        }
    }
    hub->hit_count = 0;
}

/* ---- behind ---- */

static void fall_behind(struct fakeetcd_watcher *watcher, int64_t revision,
                        enum watcher_state state)
{
    struct fakeetcd_hub *hub = watcher->hub;

    watcher->next_revision = revision;
    watcher->state = state;
    TAILQ_INSERT_TAIL(&hub->behind, watcher, behind_entry);
    hub->behind_count++;
    if (state == BEHIND && hub->handler != NULL && hub->handler->on_behind != NULL) {
        hub->handler->on_behind(hub->arg);
    }
}

void fakeetcd_watcher_resume(struct fakeetcd_watcher *watcher)
{
    if (watcher->state == STALLED) {
        watcher->state = BEHIND;
        if (watcher->hub->handler->on_behind != NULL) {
            watcher->hub->handler->on_behind(watcher->hub->arg);
        }
    }
}

struct gathering {
    struct fakeetcd_watcher *watcher;
    size_t revisions_left;
    int64_t next_revision;
    bool is_short_of_memory;
};

static bool on_history(void *arg, int64_t revision, const struct fakeetcd_change *changes,
                       size_t count)
{
    struct gathering *gathering = arg;
    struct fakeetcd_hub *hub = gathering->watcher->hub;
    size_t before = hub->batch_count;

    if (!batch_of(hub, gathering->watcher, changes, count)) {
        hub->batch_count = before;
        gathering->is_short_of_memory = true;
        return false;
    }
    gathering->next_revision = revision + 1;
    gathering->revisions_left -= hub->batch_count > before ? 1 : 0;
    return gathering->revisions_left > 0;
}

/* True: it could take more at once. */
static bool catch_up_one(struct fakeetcd_watcher *watcher, size_t max_revisions)
{
    struct fakeetcd_hub *hub = watcher->hub;
    int64_t current = fakeetcd_store_revision(hub->store);
    struct gathering gathering = {.watcher = watcher, .revisions_left = max_revisions};

    if (watcher->next_revision < fakeetcd_store_compacted(hub->store)) {
        leave_behind(watcher);
        watcher->state = OVER;
        handler_of(watcher)->on_compacted(watcher->arg, fakeetcd_store_compacted(hub->store));
        return false;
    }
    hub->batch_count = 0;
    fakeetcd_store_history(hub->store, watcher->next_revision, current, on_history, &gathering);
    bool is_all = gathering.revisions_left > 0 && !gathering.is_short_of_memory;
    int64_t next = is_all ? current + 1 : gathering.next_revision;
    if (hub->batch_count > 0) {
        struct fakeetcd_delivery delivery = {hub->batch, hub->batch_count, next - 1};
        hub->catching = watcher;
        bool is_taken = handler_of(watcher)->on_events(watcher->arg, &delivery);
        if (hub->catching == NULL) {
            return false;
        }
        hub->catching = NULL;
        if (!is_taken) {
            watcher->state = STALLED;
            return false;
        }
    }
    watcher->next_revision = next > watcher->next_revision ? next : watcher->next_revision;
    if (is_all) {
        leave_behind(watcher);
        watcher->state = LIVE;
    }
    return !is_all && !gathering.is_short_of_memory;
}

bool fakeetcd_hub_catch_up(struct fakeetcd_hub *hub, size_t max_revisions)
{
    size_t count = hub->behind_count;
    bool is_more = false;

    while (count-- > 0 && !TAILQ_EMPTY(&hub->behind)) {
        struct fakeetcd_watcher *watcher = TAILQ_FIRST(&hub->behind);
        TAILQ_REMOVE(&hub->behind, watcher, behind_entry);
        TAILQ_INSERT_TAIL(&hub->behind, watcher, behind_entry);
        if (watcher->state == BEHIND) {
            is_more = catch_up_one(watcher, max_revisions) || is_more;
        }
    }
    return is_more;
}

/* ---- looking at it ---- */

bool fakeetcd_watcher_is_live(const struct fakeetcd_watcher *watcher)
{
    return watcher->state == LIVE;
}

int64_t fakeetcd_watcher_next_revision(const struct fakeetcd_watcher *watcher)
{
    int64_t next = fakeetcd_store_revision(watcher->hub->store) + 1;
    return watcher->state == LIVE && watcher->next_revision < next ? next : watcher->next_revision;
}

size_t fakeetcd_hub_watcher_count(const struct fakeetcd_hub *hub)
{
    return hub->watcher_count;
}

size_t fakeetcd_hub_behind_count(const struct fakeetcd_hub *hub)
{
    return hub->behind_count;
}

void fakeetcd_watcher_skip_to(struct fakeetcd_watcher *watcher, int64_t next_revision)
{
    watcher->next_revision = next_revision;
}
