/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watchers that are behind get the store's history. A watcher of one key finds it with its key, one
 * of an interval looks through the revisions; so what a call of catch_up looks through is bounded,
 * and those who did not get their turn come first in the next.
 */
#include "fakeetcd/watch/watch_hub_internal.h"

#include "fakeetcd/store/store_internal.h"

/* Revisions that one call looks through, times the revisions of one delivery. */
#define SCANS_A_CALL 64
/* The same for one watcher of an interval. */
#define SCANS_A_WATCHER 8

struct gathering {
    struct fakeetcd_watcher *watcher;
    size_t revisions_left;
    int64_t next_revision;
    bool is_short_of_memory;
};

static void look_for_more(struct fakeetcd_hub *hub);
static bool catch_up_one(struct fakeetcd_watcher *watcher, size_t max_revisions,
                         size_t *inout_scans_left);
static void gather(struct gathering *gathering, int64_t to);
static bool on_history(void *arg, int64_t revision, const struct fakeetcd_change *changes,
                       size_t count);
static bool hand_over(struct fakeetcd_watcher *watcher, int64_t revision, bool *out_is_gone);

void fakeetcd__watcher_fall_behind(struct fakeetcd_watcher *watcher, int64_t next_revision,
                                   enum fakeetcd__watcher_state state)
{
    struct fakeetcd_hub *hub = watcher->hub;

    watcher->next_revision = next_revision;
    watcher->state = state;
    TAILQ_INSERT_TAIL(&hub->behind, watcher, behind_entry);
    hub->behind_count++;
    if (state == FAKEETCD__BEHIND) {
        look_for_more(hub);
    }
}

static void look_for_more(struct fakeetcd_hub *hub)
{
    if (hub->handler != NULL && hub->handler->on_behind != NULL) {
        hub->handler->on_behind(hub->arg);
    }
}

void fakeetcd__watcher_leave_behind(struct fakeetcd_watcher *watcher)
{
    if (watcher->state == FAKEETCD__BEHIND || watcher->state == FAKEETCD__STALLED) {
        TAILQ_REMOVE(&watcher->hub->behind, watcher, behind_entry);
        watcher->hub->behind_count--;
    }
}

void fakeetcd_watcher_resume(struct fakeetcd_watcher *watcher)
{
    if (watcher->state == FAKEETCD__STALLED) {
        watcher->state = FAKEETCD__BEHIND;
        look_for_more(watcher->hub);
    }
}

bool fakeetcd_hub_catch_up(struct fakeetcd_hub *hub, size_t max_revisions)
{
    size_t scans_left = max_revisions * SCANS_A_CALL;
    size_t count = hub->behind_count;
    bool is_more = false;

    while (count-- > 0 && !TAILQ_EMPTY(&hub->behind)) {
        struct fakeetcd_watcher *watcher = TAILQ_FIRST(&hub->behind);
        if (scans_left == 0) {
            return true;
        }
        TAILQ_REMOVE(&hub->behind, watcher, behind_entry);
        TAILQ_INSERT_TAIL(&hub->behind, watcher, behind_entry);
        if (watcher->state == FAKEETCD__BEHIND) {
            is_more = catch_up_one(watcher, max_revisions, &scans_left) || is_more;
        }
    }
    return is_more;
}

/* True: it could take more at once. */
static bool catch_up_one(struct fakeetcd_watcher *watcher, size_t max_revisions,
                         size_t *inout_scans_left)
{
    struct fakeetcd_hub *hub = watcher->hub;
    int64_t current = fakeetcd_store_revision(hub->store);
    int64_t compacted = fakeetcd_store_compacted(hub->store);
    struct gathering gathering = {.watcher = watcher, .revisions_left = max_revisions};
    size_t scans = max_revisions * SCANS_A_WATCHER;
    int64_t to = current;
    bool is_gone = false;

    if (watcher->next_revision < compacted) {
        fakeetcd__watcher_leave_behind(watcher);
        watcher->state = FAKEETCD__OVER;
        fakeetcd__watcher_handler(watcher)->on_compacted(watcher->arg, compacted);
        return false;
    }
    if (watcher->exact != NULL) {
        scans = 1;
    } else if (current - watcher->next_revision >= (int64_t)scans) {
        to = watcher->next_revision + (int64_t)scans - 1;
    }
    *inout_scans_left -= scans < *inout_scans_left ? scans : *inout_scans_left;
    gather(&gathering, to);
    if (hub->batch_count > 0 && !hand_over(watcher, gathering.next_revision - 1, &is_gone)) {
        return false;
    }
    if (is_gone) {
        return false;
    }
    if (gathering.next_revision > watcher->next_revision) {
        watcher->next_revision = gathering.next_revision;
    }
    if (gathering.is_short_of_memory) {
        look_for_more(hub); /* later: the owner waits between its calls */
        return false;
    }
    if (watcher->next_revision <= current) {
        return true;
    }
    fakeetcd__watcher_leave_behind(watcher);
    watcher->state = FAKEETCD__LIVE;
    return false;
}

/* Into the hub's batch what is for the watcher, and from where it goes on. */
static void gather(struct gathering *gathering, int64_t to)
{
    struct fakeetcd_watcher *watcher = gathering->watcher;
    struct fakeetcd_hub *hub = watcher->hub;
    enum rt_status status;

    hub->batch_count = 0;
    gathering->next_revision = watcher->next_revision;
    status = fakeetcd__store_history_in(hub->store, &watcher->range.interval,
                                        watcher->next_revision, to, on_history, gathering);
    if (status != RT_OK) {
        gathering->is_short_of_memory = true;
    }
    if (gathering->revisions_left > 0 && !gathering->is_short_of_memory &&
        to + 1 > gathering->next_revision) {
        gathering->next_revision = to + 1;
    }
}

static bool on_history(void *arg, int64_t revision, const struct fakeetcd_change *changes,
                       size_t count)
{
    struct gathering *gathering = arg;
    struct fakeetcd_hub *hub = gathering->watcher->hub;
    size_t before = hub->batch_count;

    for (size_t i = 0; i < count; i++) {
        if (fakeetcd__watcher_wants(gathering->watcher, &changes[i]) &&
            !fakeetcd__hub_batch_add(hub, &changes[i])) {
            hub->batch_count = before;
            gathering->is_short_of_memory = true;
            return false;
        }
    }
    gathering->next_revision = revision + 1;
    gathering->revisions_left -= hub->batch_count > before ? 1 : 0;
    return gathering->revisions_left > 0;
}

/* False: it refused, and waits for resume. */
static bool hand_over(struct fakeetcd_watcher *watcher, int64_t revision, bool *out_is_gone)
{
    struct fakeetcd_hub *hub = watcher->hub;
    struct fakeetcd_delivery delivery = {hub->batch, hub->batch_count, revision};
    bool is_taken;

    hub->catching = watcher;
    is_taken = fakeetcd__watcher_handler(watcher)->on_events(watcher->arg, &delivery);
    *out_is_gone = hub->catching == NULL;
    hub->catching = NULL;
    if (!*out_is_gone && !is_taken) {
        watcher->state = FAKEETCD__STALLED;
    }
    return is_taken;
}
