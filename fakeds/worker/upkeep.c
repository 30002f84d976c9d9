/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/cluster/cluster.h"
#include "fakeds/request/fault_points.h"

/* What a worker does by itself: expiry, eviction, forgetting silent clients. Timers are armed only
 * while there is something to do. */
static void on_scan(void *arg);
static void expire(struct fakeds_worker *worker, struct fakeds__object *object, uint64_t now_us);
static void on_silence(void *arg);
static void on_evict(void *arg);
static bool evict(struct fakeds_worker *worker, struct fakeds__object *object);
static void arm(struct rt_timer *timer, uint64_t deadline_us);

#define MICROSECONDS_PER_S UINT64_C(1000000)

void fakeds__upkeep_init(struct fakeds_worker *worker)
{
    struct rt_loop *loop = worker->environment.loop;
    rt_timer_init(&worker->scan_timer, loop, on_scan, worker);
    rt_timer_init(&worker->silence_timer, loop, on_silence, worker);
    rt_task_init(&worker->evict_task, loop, on_evict, worker);
}

void fakeds__upkeep_stop(struct fakeds_worker *worker)
{
    rt_timer_disarm(&worker->scan_timer);
    rt_timer_disarm(&worker->silence_timer);
    rt_task_cancel(&worker->evict_task);
    worker->evict_to_bytes = UINT64_MAX;
}

/* Out of memory: the work is done with the next arming that succeeds. */
static void arm(struct rt_timer *timer, uint64_t deadline_us)
{
    if (deadline_us == RT_NEVER) {
        rt_timer_disarm(timer);
    } else if (!rt_timer_is_armed(timer) || timer->deadline_us != deadline_us) {
        enum rt_status status = rt_timer_arm(timer, deadline_us);
        (void)status;
    }
}

/* ---- expiry --------------------------------------------------------------------------------- */

void fakeds__arm_scan(struct fakeds_worker *worker)
{
    arm(&worker->scan_timer, fakeds__store_next_scan_us(&worker->store));
}

static void on_scan(void *arg)
{
    struct fakeds_worker *worker = arg;
    uint64_t now_us = fakeds__now_us(worker);
    struct fakeds__object *object;
    while ((object = fakeds__store_first_expired(&worker->store, now_us)) != NULL) {
        expire(worker, object, now_us);
    }
    fakeds__arm_scan(worker);
}

/* A fault may keep it for ever, or for a while. */
static void expire(struct fakeds_worker *worker, struct fakeds__object *object, uint64_t now_us)
{
    const struct fault_action *action =
        fakeds__ask_worker(worker, FAULT_AT_EXPIRE, "", object->key);
    if (action != NULL) {
        bool is_delayed = action->kind == FAULT_DELAY && action->duration_us > 0;
        fakeds__store_set_expiry(&worker->store, object,
                                 is_delayed ? now_us + action->duration_us : RT_NEVER);
        return;
    }
    worker->counts.expirations++;
    fakeds__event(worker, "expired", object->key, "");
    fakeds__store_remove(&worker->store, object);
}

/* ---- silent clients ------------------------------------------------------------------------- */

void fakeds__arm_silence(struct fakeds_worker *worker)
{
    const struct fakeds__client *client = fakeds__clients_longest_silent(&worker->clients);
    uint64_t limit_us = worker->options.client_dead_timeout_s * MICROSECONDS_PER_S;
    arm(&worker->silence_timer,
        client == NULL || limit_us == 0 ? RT_NEVER : client->heard_of_us + limit_us);
}

static void on_silence(void *arg)
{
    struct fakeds_worker *worker = arg;
    uint64_t limit_us = worker->options.client_dead_timeout_s * MICROSECONDS_PER_S;
    struct fakeds__client *client;
    while ((client = fakeds__clients_longest_silent(&worker->clients)) != NULL &&
           client->heard_of_us + limit_us <= fakeds__now_us(worker)) {
        fakeds__record_state(worker, client->name, "client removed: no heartbeat");
        fakeds__clients_remove(&worker->clients, client);
    }
    fakeds__arm_silence(worker);
}

/* ---- eviction ------------------------------------------------------------------------------- */

void fakeds__evict_if_full(struct fakeds_worker *worker)
{
    if (fakeds__store_is_over_high_mark(&worker->store)) {
        fakeds__evict_for(worker, 0);
    }
}

void fakeds__evict_for(struct fakeds_worker *worker, uint64_t class_bytes)
{
    uint64_t to_bytes = fakeds__store_low_mark_bytes(&worker->store);
    uint64_t limit_bytes = worker->store.limit_bytes;
    if (worker->store.evictable_count == 0) {
        return;
    }
    if (class_bytes <= limit_bytes && limit_bytes - class_bytes < to_bytes) {
        to_bytes = limit_bytes - class_bytes;
    }
    if (to_bytes < worker->evict_to_bytes) {
        worker->evict_to_bytes = to_bytes;
    }
    rt_task_schedule(&worker->evict_task);
}

/* Each candidate is looked at once at most, so that spared ones cannot keep it going. */
static void on_evict(void *arg)
{
    struct fakeds_worker *worker = arg;
    size_t left_count = worker->store.evictable_count;
    uint64_t to_bytes = worker->evict_to_bytes;
    worker->evict_to_bytes = UINT64_MAX;
    while (worker->store.used_bytes > to_bytes && left_count-- > 0) {
        struct fakeds__object *object = fakeds__store_next_victim(&worker->store);
        if (object == NULL) {
            break;
        }
        if (!evict(worker, object)) {
            fakeds__store_spare(&worker->store, object);
        }
    }
}

static bool evict(struct fakeds_worker *worker, struct fakeds__object *object)
{
    if (fakeds__ask_worker(worker, FAULT_AT_EVICT, "", object->key) != NULL) {
        return false;
    }
    worker->counts.evictions++;
    fakeds__event(worker, "evicted", object->key, "");
    if (worker->cluster != NULL) {
        fakeds__cluster_lost(worker->cluster, object);
    }
    fakeds__store_remove(&worker->store, object);
    return true;
}
