/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A revision on its way to watchers:
 *
 *   store --on_revision--> who is hit? (exact keys: hash; ranges: tree) --> hits --> on_events
 *                                                                  refused --> behind list
 *   behind list --catch_up--> store's history, filtered --> on_events --> live again
 *
 * The second row is in watch_hub_behind.c.
 */
#include "fakeetcd/grow.h"
#include "fakeetcd/watch/watch_hub_internal.h"

#include <stdlib.h>

static void on_revision(void *arg, int64_t revision, const struct fakeetcd_change *changes,
                        size_t count);
static void on_range(void *arg, struct fakeetcd__range *range);
static void note_hit(struct fakeetcd_hub *hub, struct fakeetcd_watcher *watcher);
static bool add_wanted(struct fakeetcd_hub *hub, struct fakeetcd_watcher *watcher);
static void deliver_hits(struct fakeetcd_hub *hub, size_t count);

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
        free(hub->wanted);
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

static struct fakeetcd__exact *need_exact(struct fakeetcd_hub *hub, struct rt_slice key)
{
    struct fakeetcd__exact *exact = NULL;
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
    if (key.len_bytes > 0) {
        memcpy(watcher->bytes, key.data, key.len_bytes);
    }
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
        watcher->exact = need_exact(hub, watcher->range.interval.key);
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
        fakeetcd__watcher_fall_behind(watcher, watcher->next_revision, FAKEETCD__BEHIND);
    }
    return RT_OK;
}

void fakeetcd_watcher_remove(struct fakeetcd_watcher *watcher)
{
    if (watcher == NULL) {
        return;
    }
    struct fakeetcd_hub *hub = watcher->hub;
    fakeetcd__watcher_leave_behind(watcher);
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

const struct fakeetcd_watch_handler *
fakeetcd__watcher_handler(const struct fakeetcd_watcher *watcher)
{
    return watcher->handler != NULL ? watcher->handler : watcher->hub->handler;
}

/* ---- a new revision ---- */

bool fakeetcd__watcher_wants(const struct fakeetcd_watcher *watcher,
                             const struct fakeetcd_change *change)
{
    return change->kv.version > 0 ? !watcher->is_without_puts : !watcher->is_without_deletes;
}

static void on_revision(void *arg, int64_t revision, const struct fakeetcd_change *changes,
                        size_t count)
{
    struct fakeetcd_hub *hub = arg;

    if (hub->watcher_count == 0) {
        return;
    }
    hub->revision = revision;
    hub->changes = changes;
    hub->hit_count = 0;
    hub->wanted_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct rt_slice key = changes[i].kv.key;
        struct fakeetcd__exact *exact = NULL;
        struct fakeetcd_watcher *watcher;
        hub->change_at = i;
        RT_TABLE_FIND_BYTES(hub->exact_keys, key.data, key.len_bytes, exact);
        for (watcher = exact == NULL ? NULL : TAILQ_FIRST(&exact->watchers); watcher != NULL;
             watcher = TAILQ_NEXT(watcher, exact_entry)) {
            note_hit(hub, watcher);
        }
        fakeetcd__ranges_find(&hub->ranges, key, on_range, hub);
    }
    deliver_hits(hub, count);
}

static void on_range(void *arg, struct fakeetcd__range *range)
{
    note_hit(arg, (struct fakeetcd_watcher *)range);
}

/* The watcher and one change for it. Without memory it falls behind, and loses nothing. */
static void note_hit(struct fakeetcd_hub *hub, struct fakeetcd_watcher *watcher)
{
    if (watcher->state != FAKEETCD__LIVE || watcher->next_revision > hub->revision ||
        !fakeetcd__watcher_wants(watcher, &hub->changes[hub->change_at])) {
        return;
    }
    if (add_wanted(hub, watcher)) {
        return;
    }
    if (watcher->hit > 0) {
        hub->hits[watcher->hit - 1].watcher = NULL;
        watcher->hit = 0;
    }
    fakeetcd__watcher_fall_behind(watcher, hub->revision, FAKEETCD__BEHIND);
}

static bool add_wanted(struct fakeetcd_hub *hub, struct fakeetcd_watcher *watcher)
{
    size_t at = hub->wanted_count;
    struct fakeetcd__wanted *wanted =
        fakeetcd__grow(hub->wanted, at, &hub->wanted_capacity, sizeof(*wanted));

    if (wanted == NULL) {
        return false;
    }
    hub->wanted = wanted;
    struct fakeetcd__hit *hits =
        fakeetcd__grow(hub->hits, hub->hit_count, &hub->hit_capacity, sizeof(*hits));
    if (hits == NULL) {
        return false;
    }
    hub->hits = hits;
    hub->wanted[at] = (struct fakeetcd__wanted){.change = hub->change_at};
    hub->wanted_count++;
    if (watcher->hit == 0) {
        hub->hits[hub->hit_count++] =
            (struct fakeetcd__hit){.watcher = watcher, .first = at, .last = at, .count = 1};
        watcher->hit = hub->hit_count;
        return true;
    }
    struct fakeetcd__hit *hit = &hub->hits[watcher->hit - 1];
    hub->wanted[hit->last].next = at;
    hit->last = at;
    hit->count++;
    return true;
}

bool fakeetcd__hub_batch_add(struct fakeetcd_hub *hub, const struct fakeetcd_change *change)
{
    struct fakeetcd_change *batch =
        fakeetcd__grow(hub->batch, hub->batch_count, &hub->batch_capacity, sizeof(*batch));

    if (batch == NULL) {
        return false;
    }
    hub->batch = batch;
    hub->batch[hub->batch_count++] = *change;
    return true;
}

static bool batch_of_hit(struct fakeetcd_hub *hub, const struct fakeetcd__hit *hit)
{
    size_t at = hit->first;

    hub->batch_count = 0;
    for (size_t i = 0; i < hit->count; i++, at = hub->wanted[at].next) {
        if (!fakeetcd__hub_batch_add(hub, &hub->changes[hub->wanted[at].change])) {
            return false;
        }
    }
    return true;
}

/* Who wants all of the revision gets the changes as they are: most revisions change one key, and
 * then all its watchers share the one change. */
static void deliver_hits(struct fakeetcd_hub *hub, size_t count)
{
    for (size_t i = 0; i < hub->hit_count; i++) {
        struct fakeetcd_watcher *watcher = hub->hits[i].watcher;
        struct fakeetcd_delivery delivery = {hub->changes, count, hub->revision};
        if (watcher == NULL) {
            continue;
        }
        if (hub->hits[i].count != count) {
            if (!batch_of_hit(hub, &hub->hits[i])) {
                watcher->hit = 0;
                fakeetcd__watcher_fall_behind(watcher, hub->revision, FAKEETCD__BEHIND);
                continue;
            }
            delivery.changes = hub->batch;
            delivery.count = hub->batch_count;
        }
        bool is_taken = fakeetcd__watcher_handler(watcher)->on_events(watcher->arg, &delivery);
        watcher = hub->hits[i].watcher; /* it may have gone */
        if (watcher == NULL) {
            continue;
        }
        watcher->hit = 0;
        if (!is_taken) {
            fakeetcd__watcher_fall_behind(watcher, hub->revision, FAKEETCD__STALLED);
        }
    }
    hub->hit_count = 0;
}

/* ---- looking at it ---- */

bool fakeetcd_watcher_is_live(const struct fakeetcd_watcher *watcher)
{
    return watcher->state == FAKEETCD__LIVE;
}

int64_t fakeetcd_watcher_next_revision(const struct fakeetcd_watcher *watcher)
{
    int64_t next = fakeetcd_store_revision(watcher->hub->store) + 1;
    bool is_past = watcher->state == FAKEETCD__LIVE && watcher->next_revision < next;

    return is_past ? next : watcher->next_revision;
}

size_t fakeetcd_hub_watcher_count(const struct fakeetcd_hub *hub)
{
    return hub->watcher_count;
}

size_t fakeetcd_hub_behind_count(const struct fakeetcd_hub *hub)
{
    return hub->behind_count;
}
