/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/lock/contender.h"
#include "fakeetcd/store/key_index.h"
#include "runtime/table.h"

#include <stdlib.h>

/*
 * The keys below one name in the order of their creation, kept by a watcher, and who waits for
 * those before its own to go.
 *
 *   store --on_events--> places --task--> each waiter whose turn it is
 *
 * A watcher must not write, and answering may: so turns are given by the task.
 */
struct place { /* a key that is there */
    RB_ENTRY(place) entry;
    UT_hash_handle hh;
    int64_t revision; /* of its creation */
    size_t len_bytes;
    uint8_t bytes[];
};
RB_HEAD(places, place);
RB_HEAD(waiters, fakeetcd__contender);

struct fakeetcd__queue {
    UT_hash_handle hh; /* of the server, by what all its keys begin with */
    struct fakeetcd_server *server;
    size_t joined_count;
    struct fakeetcd_watcher *watcher;
    struct fakeetcd_interval below;
    struct places places;
    struct place *by_key;
    struct waiters waiters;
    struct rt_task task;
    bool is_stale; /* memory was short: the places are read again */
    uint8_t bytes[];
};

static enum fakeetcd_error make(struct fakeetcd_server *server, struct rt_slice name,
                                struct fakeetcd__queue **out_queue);
static bool read_places(struct fakeetcd__queue *queue);
static bool on_key(void *arg, const struct fakeetcd_kv *kv);
static bool on_events(void *arg, const struct fakeetcd_delivery *delivery);
static void on_compacted(void *arg, int64_t compacted_revision);
static bool put(struct fakeetcd__queue *queue, struct rt_slice key, int64_t revision);
static void drop(struct fakeetcd__queue *queue, struct rt_slice key);
static void forget_places(struct fakeetcd__queue *queue);
static void give_turns(void *arg);

static const struct fakeetcd_watch_handler HANDLER = {
    .on_events = on_events,
    .on_compacted = on_compacted,
};

static int compare_places(struct place *a, struct place *b)
{
    int order = (a->revision > b->revision) - (a->revision < b->revision);
    return order != 0 ? order
                      : fakeetcd__compare(rt_slice_of(a->bytes, a->len_bytes),
                                          rt_slice_of(b->bytes, b->len_bytes));
}

static int compare_waiters(struct fakeetcd__contender *a, struct fakeetcd__contender *b)
{
    int order = (a->revision > b->revision) - (a->revision < b->revision);
    return order != 0 ? order : (a->number > b->number) - (a->number < b->number);
}

#define UNUSED __attribute__((unused)) static
RB_GENERATE_INTERNAL(places, place, entry, compare_places, UNUSED)
RB_GENERATE_INTERNAL(waiters, fakeetcd__contender, entry, compare_waiters, UNUSED)

/* ---- life ---- */

enum fakeetcd_error fakeetcd__queue_join(struct fakeetcd_server *server, struct rt_slice name,
                                         struct fakeetcd__queue **out_queue)
{
    struct fakeetcd__queue *queue = NULL;

    RT_TABLE_FIND_BYTES(server->queues, name.data, name.len_bytes, queue);
    if (queue == NULL) {
        enum fakeetcd_error error = make(server, name, &queue);
        if (error != FAKEETCD_OK) {
            return error;
        }
    }
    queue->joined_count++;
    *out_queue = queue;
    return FAKEETCD_OK;
}

/* The keys below "n" are those from "n/" to "n0", '0' being what follows '/'. */
static enum fakeetcd_error make(struct fakeetcd_server *server, struct rt_slice name,
                                struct fakeetcd__queue **out_queue)
{
    size_t len_bytes = name.len_bytes + 1;
    struct fakeetcd__queue *queue = calloc(1, sizeof(*queue) + 2 * len_bytes);
    enum rt_status status = RT_OK;

    if (queue == NULL) {
        return FAKEETCD_E_NOMEM;
    }
    queue->server = server;
    RB_INIT(&queue->places);
    RB_INIT(&queue->waiters);
    rt_task_init(&queue->task, server->environment.loop, give_turns, queue);
    if (name.len_bytes > 0) {
        memcpy(queue->bytes, name.data, name.len_bytes);
        memcpy(queue->bytes + len_bytes, name.data, name.len_bytes);
    }
    queue->bytes[len_bytes - 1] = '/';
    queue->bytes[2 * len_bytes - 1] = '/' + 1;
    queue->below.key = rt_slice_of(queue->bytes, len_bytes);
    queue->below.end = rt_slice_of(queue->bytes + len_bytes, len_bytes);
    const struct fakeetcd_watch_options options = {
        .interval = queue->below, .handler = &HANDLER, .arg = queue};
    if (!read_places(queue) ||
        fakeetcd_watcher_add(server->hub, &options, &queue->watcher) != RT_OK) {
        goto free_queue;
    }
    RT_TABLE_ADD_BYTES(server->queues, queue, queue->bytes, name.len_bytes, &status);
    if (status != RT_OK) {
        goto free_queue;
    }
    *out_queue = queue;
    return FAKEETCD_OK;

free_queue:
    fakeetcd_watcher_remove(queue->watcher);
    forget_places(queue);
    free(queue);
    return FAKEETCD_E_NOMEM;
}

void fakeetcd__queue_leave(struct fakeetcd__queue *queue)
{
    if (--queue->joined_count > 0) {
        return;
    }
    RT_TABLE_REMOVE(queue->server->queues, queue);
    fakeetcd_watcher_remove(queue->watcher);
    rt_task_cancel(&queue->task);
    forget_places(queue);
    free(queue);
}

/* ---- keys come and go ---- */

/* Linear in what is there, but only who finds the name without a queue pays for it. */
static bool read_places(struct fakeetcd__queue *queue)
{
    forget_places(queue);
    queue->is_stale = false;
    fakeetcd_store_walk(queue->server->state.store, &queue->below, 0, on_key, queue);
    return !queue->is_stale;
}

static bool on_key(void *arg, const struct fakeetcd_kv *kv)
{
    struct fakeetcd__queue *queue = arg;

    queue->is_stale = !put(queue, kv->key, kv->create_revision);
    return !queue->is_stale;
}

static bool on_events(void *arg, const struct fakeetcd_delivery *delivery)
{
    struct fakeetcd__queue *queue = arg;

    for (size_t i = 0; i < delivery->count; i++) {
        const struct fakeetcd_kv *kv = &delivery->changes[i].kv;
        if (kv->version == 0) {
            drop(queue, kv->key);
        } else if (!put(queue, kv->key, kv->create_revision)) {
            queue->is_stale = true;
        }
    }
    rt_task_schedule(&queue->task);
    return true;
}

/* What it missed is lost: what is there now counts. */
static void on_compacted(void *arg, int64_t compacted_revision)
{
    struct fakeetcd__queue *queue = arg;

    (void)compacted_revision;
    queue->is_stale = true;
    rt_task_schedule(&queue->task);
}

static bool put(struct fakeetcd__queue *queue, struct rt_slice key, int64_t revision)
{
    struct place *place = NULL;
    enum rt_status status = RT_OK;

    RT_TABLE_FIND_BYTES(queue->by_key, key.data, key.len_bytes, place);
    if (place != NULL && place->revision == revision) {
        return true;
    }
    if (place != NULL) { /* deleted and made again in one delivery */
        drop(queue, key);
    }
    place = calloc(1, sizeof(*place) + key.len_bytes);
    if (place == NULL) {
        return false;
    }
    place->revision = revision;
    place->len_bytes = key.len_bytes;
    memcpy(place->bytes, key.data, key.len_bytes);
    RT_TABLE_ADD_BYTES(queue->by_key, place, place->bytes, place->len_bytes, &status);
    if (status != RT_OK) {
        free(place);
        return false;
    }
    (void)RB_INSERT(places, &queue->places, place);
    return true;
}

static void drop(struct fakeetcd__queue *queue, struct rt_slice key)
{
    struct place *place = NULL;

    RT_TABLE_FIND_BYTES(queue->by_key, key.data, key.len_bytes, place);
    if (place != NULL) {
        RT_TABLE_REMOVE(queue->by_key, place);
        (void)RB_REMOVE(places, &queue->places, place);
        free(place);
    }
}

static void forget_places(struct fakeetcd__queue *queue)
{
    struct place *place;
    struct place *next;

    RT_TABLE_EACH(place, next, queue->by_key)
    {
        RT_TABLE_REMOVE(queue->by_key, place);
        (void)RB_REMOVE(places, &queue->places, place);
        free(place);
    }
}

/* ---- whose turn it is ---- */

bool fakeetcd__queue_first(const struct fakeetcd__queue *queue, struct fakeetcd_kv *out_kv)
{
    const struct place *first = RB_MIN(places, (struct places *)&queue->places);

    return first != NULL &&
           fakeetcd_store_get(queue->server->state.store,
                              rt_slice_of(first->bytes, first->len_bytes), 0, out_kv);
}

bool fakeetcd__queue_is_first(const struct fakeetcd__queue *queue, int64_t revision)
{
    const struct place *first = RB_MIN(places, (struct places *)&queue->places);

    return first == NULL || first->revision >= revision;
}

void fakeetcd__queue_wait(struct fakeetcd__contender *contender)
{
    contender->is_waiting = true;
    (void)RB_INSERT(waiters, &contender->queue->waiters, contender);
}

void fakeetcd__queue_give_up(struct fakeetcd__contender *contender)
{
    if (contender->is_waiting) {
        contender->is_waiting = false;
        (void)RB_REMOVE(waiters, &contender->queue->waiters, contender);
    }
}

const struct fakeetcd_interval *fakeetcd__queue_interval(const struct fakeetcd__queue *queue)
{
    return &queue->below;
}

/* Joined by itself meanwhile: the last who gets its turn would take the queue with it. */
static void give_turns(void *arg)
{
    struct fakeetcd__queue *queue = arg;
    struct fakeetcd_server *server = queue->server;
    struct fakeetcd__contender *contender;

    fakeetcd__enter(server);
    queue->joined_count++;
    bool is_known = !queue->is_stale || read_places(queue);
    while ((contender = RB_MIN(waiters, &queue->waiters)) != NULL) {
        if (is_known && !fakeetcd__queue_is_first(queue, contender->revision)) {
            break;
        }
        fakeetcd__queue_give_up(contender);
        contender->queue = NULL;
        queue->joined_count--;
        if (is_known) {
            contender->on_turn(contender, false);
        } else {
            fakeetcd_call_fail(contender->call, FAKEETCD_E_NOMEM);
        }
    }
    fakeetcd__queue_leave(queue);
    fakeetcd__leave(server);
}
