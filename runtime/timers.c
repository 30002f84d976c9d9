/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/loop_internal.h"

#include <assert.h>
#include <stdlib.h>

#define FIRST_CAPACITY_COUNT 32

static enum rt_status make_room(struct rt__timers *timers);
static bool is_before(const struct rt_timer *a, const struct rt_timer *b);
static void put(struct rt__timers *timers, size_t index, struct rt_timer *timer);
static void sift_up(struct rt__timers *timers, size_t index, struct rt_timer *timer);
static void sift_down(struct rt__timers *timers, size_t index, struct rt_timer *timer);

enum rt_status rt__timers_init(struct rt__timers *timers)
{
    *timers = (struct rt__timers){0};
    return make_room(timers);
}

void rt__timers_fini(struct rt__timers *timers)
{
    free(timers->heap);
    timers->heap = NULL;
}

struct rt_timer *rt__timers_first(const struct rt__timers *timers)
{
    if (timers->count == 0 || timers->heap[1]->deadline_us == RT_NEVER) {
        return NULL;
    }
    return timers->heap[1];
}

void rt_timer_init(struct rt_timer *timer, struct rt_loop *loop, rt_task_fn *run, void *arg)
{
    *timer = (struct rt_timer){.loop = loop, .run = run, .arg = arg};
}

enum rt_status rt_timer_arm(struct rt_timer *timer, uint64_t deadline_us)
{
    return rt__timer_arm_in_order(timer, deadline_us, rt__timer_draw_order(timer->loop));
}

enum rt_status rt_timer_arm_after(struct rt_timer *timer, uint64_t delay_us)
{
    uint64_t now_us = rt_loop_now_us(timer->loop);

    return rt_timer_arm(timer, delay_us > RT_NEVER - now_us ? RT_NEVER : now_us + delay_us);
}

uint64_t rt__timer_draw_order(struct rt_loop *loop)
{
    return loop->timers.next_order++;
}

enum rt_status rt__timer_arm_in_order(struct rt_timer *timer, uint64_t deadline_us, uint64_t order)
{
    struct rt__timers *timers = &timer->loop->timers;

    rt_timer_disarm(timer);
    if (make_room(timers) != RT_OK) {
        return RT_E_NOMEM;
    }
    timer->deadline_us = deadline_us;
    timer->order = order;
    timers->count++;
    sift_up(timers, timers->count, timer);
    return RT_OK;
}

static enum rt_status make_room(struct rt__timers *timers)
{
    size_t capacity_count = timers->capacity_count * 2;
    struct rt_timer **heap;

    if (timers->count + 1 < timers->capacity_count) {
        return RT_OK;
    }
    if (capacity_count == 0) {
        capacity_count = FIRST_CAPACITY_COUNT;
    }
    heap = realloc(timers->heap, capacity_count * sizeof(struct rt_timer *));
    if (heap == NULL) {
        return RT_E_NOMEM;
    }
    timers->heap = heap;
    timers->capacity_count = capacity_count;
    return RT_OK;
}

void rt_timer_disarm(struct rt_timer *timer)
{
    struct rt__timers *timers = &timer->loop->timers;
    size_t hole = timer->heap_index;
    struct rt_timer *last;

    if (hole == 0) {
        return;
    }
    assert(timers->heap[hole] == timer);
    timer->heap_index = 0;
    last = timers->heap[timers->count];
    timers->count--;
    if (last == timer) {
        return;
    }
    if (hole > 1 && is_before(last, timers->heap[hole / 2])) {
        sift_up(timers, hole, last);
    } else {
        sift_down(timers, hole, last);
    }
}

bool rt_timer_is_armed(const struct rt_timer *timer)
{
    return timer->heap_index != 0;
}

static bool is_before(const struct rt_timer *a, const struct rt_timer *b)
{
    if (a->deadline_us != b->deadline_us) {
        return a->deadline_us < b->deadline_us;
    }
    return a->order < b->order;
}

static void put(struct rt__timers *timers, size_t index, struct rt_timer *timer)
{
    timers->heap[index] = timer;
    timer->heap_index = index;
}

static void sift_up(struct rt__timers *timers, size_t index, struct rt_timer *timer)
{
    while (index > 1 && is_before(timer, timers->heap[index / 2])) {
        put(timers, index, timers->heap[index / 2]);
        index /= 2;
    }
    put(timers, index, timer);
}

static void sift_down(struct rt__timers *timers, size_t index, struct rt_timer *timer)
{
    size_t child;

    while ((child = index * 2) <= timers->count) {
        if (child < timers->count && is_before(timers->heap[child + 1], timers->heap[child])) {
            child++;
        }
        if (!is_before(timers->heap[child], timer)) {
            break;
        }
        put(timers, index, timers->heap[child]);
        index = child;
    }
    put(timers, index, timer);
}
