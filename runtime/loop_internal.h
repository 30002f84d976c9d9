/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_LOOP_INTERNAL_H
#define RUNTIME_LOOP_INTERNAL_H

#include "runtime/loop.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <pthread.h>
#include <stdatomic.h>

/* A binary heap by (deadline, order); heap[0] is unused, so that index 0 means "not armed". */
struct rt__timers {
    struct rt_timer **heap;
    size_t count;
    size_t capacity_count;
    uint64_t next_order;
};

struct rt_loop {
    enum rt_loop_mode mode;
    uint64_t now_us;
    uint64_t event_count;
    uint64_t still_count; /* events since the clock moved or the run began */
    bool is_stopping;
    bool is_running;

    struct rt_task *tasks;
    struct rt_task **tasks_end;
    struct rt__timers timers;

    /* From other threads. */
    pthread_mutex_t post_mutex;
    struct rt_post *posts;
    struct rt_post **posts_end;
    atomic_bool has_posts;
    atomic_bool is_asleep; /* sockets: it waits, or is about to; it must be woken */

    /* Sockets only. */
    struct event_base *base;
    struct event wake_event; /* wake_fd became readable: something was posted */
    struct event alarm_event;
    uint64_t alarm_us; /* what alarm_event is armed for, or RT_NEVER */
    uint64_t epoch_us; /* system's monotonic clock when the loop was made */
    int wake_fd;
    bool is_clock_stale; /* libevent may have waited since the clock was read */
};

enum rt_status rt__timers_init(struct rt__timers *timers);
void rt__timers_fini(struct rt__timers *timers);

/* The next timer, NULL when none will ever fire. */
struct rt_timer *rt__timers_first(const struct rt__timers *timers);

/*
 * Things that are queued elsewhere and share one timer keep their place among equal deadlines:
 * they draw their order when they are queued, and hand it in when they come to the front.
 */
uint64_t rt__timer_draw_order(struct rt_loop *loop);
RT_NODISCARD enum rt_status rt__timer_arm_in_order(struct rt_timer *timer, uint64_t deadline_us,
                                                   uint64_t order);

#endif
