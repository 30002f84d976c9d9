/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_LOOP_H
#define RUNTIME_LOOP_H

#include "runtime/slice.h"
#include "runtime/status.h"

/*
 * One event loop with one clock. A loop and all it owns belong to the
 * thread that runs it; only rt_loop_post() may be called from another one.
 *
 * SIMULATED: when nothing is ready to run, the clock jumps to the next timer. Starts at 0.
 * SOCKETS:   CLOCK_MONOTONIC in microseconds since the loop was made; libevent waits.
 */
enum rt_loop_mode { RT_LOOP_SIMULATED, RT_LOOP_SOCKETS };

struct rt_loop;

RT_NODISCARD enum rt_status rt_loop_create(enum rt_loop_mode mode, struct rt_loop **out_loop);

/* Everything that was made on the loop must have been destroyed before. Tasks still queued are
 * forgotten, posted ones are run first. */
void rt_loop_destroy(struct rt_loop *loop);

enum rt_loop_mode rt_loop_mode(const struct rt_loop *loop);
uint64_t rt_loop_now_us(const struct rt_loop *loop);

/* What a calendar said when the loop's clock stood at 0, in nanoseconds since 1970; simulated:
 * always 2000-01-01. */
uint64_t rt_loop_epoch_ns(const struct rt_loop *loop);

/* For threads that wait for a loop of theirs: CLOCK_MONOTONIC in microseconds, and such a time on
 * the loop's own clock (0: before it was made). Both from any thread. */
uint64_t rt_monotonic_us(void);
uint64_t rt_loop_of_monotonic_us(const struct rt_loop *loop, uint64_t monotonic_us);

/* ---- tasks: run soon, in the order they were scheduled ----------------------------------- */

typedef void rt_task_fn(void *arg);

/* Lives in its owner; zero it with rt_task_init(). Scheduling a scheduled task does nothing. */
struct rt_task {
    struct rt_loop *loop;
    rt_task_fn *run;
    void *arg;
    struct rt_task *next;
    struct rt_task **link; /* NULL: not scheduled */
};

void rt_task_init(struct rt_task *task, struct rt_loop *loop, rt_task_fn *run, void *arg);
void rt_task_schedule(struct rt_task *task);
void rt_task_cancel(struct rt_task *task); /* not scheduled: nothing happens */
bool rt_task_is_scheduled(const struct rt_task *task);

/* Runs `run(arg)` on the loop's thread, soon. Safe from any thread. */
RT_NODISCARD enum rt_status rt_loop_post(struct rt_loop *loop, rt_task_fn *run, void *arg);

/* The same without memory of its own, so it cannot fail. `post` lives in its owner; set `run` and
 * `arg`. It is free to be posted again when `run` begins, not before. Any thread. */
struct rt_post {
    rt_task_fn *run;
    void *arg;
    struct rt_post *next;
    bool is_allocated; /* the loop's own */
};
void rt_loop_post_prepared(struct rt_loop *loop, struct rt_post *post);

/* ---- timers: equal deadlines run in the order they were armed ---------------------------- */

struct rt_timer {
    struct rt_loop *loop;
    rt_task_fn *run;
    void *arg;
    uint64_t deadline_us;
    uint64_t order;
    size_t heap_index; /* 0: not armed */
};

void rt_timer_init(struct rt_timer *timer, struct rt_loop *loop, rt_task_fn *run, void *arg);

/* Arms or re-arms. A deadline in the past runs soon. RT_E_NOMEM: the timer is not armed. */
RT_NODISCARD enum rt_status rt_timer_arm(struct rt_timer *timer, uint64_t deadline_us);
RT_NODISCARD enum rt_status rt_timer_arm_after(struct rt_timer *timer, uint64_t delay_us);
void rt_timer_disarm(struct rt_timer *timer); /* not armed: nothing happens */
bool rt_timer_is_armed(const struct rt_timer *timer);

/* ---- running ------------------------------------------------------------------------------ */

typedef bool rt_done_fn(void *arg);

#define RT_NEVER UINT64_MAX

/*
 * Runs until `done` (may be NULL) says so, rt_loop_stop(), or `deadline_us` on the loop's clock.
 *
 *   RT_OK         done, or stopped
 *   RT_E_TIMEOUT  the deadline came first; a simulated clock stands exactly on it
 *   RT_E_IDLE     simulated only: no task, no timer, no bytes under way
 *   RT_E_STUCK    simulated only: 100,000 events without the clock moving
 *
 * Everything due up to and at the deadline runs before RT_E_TIMEOUT. Without `done` a deadline
 * means "let this much time pass": the clock then stands on it after RT_E_IDLE too.
 */
RT_NODISCARD enum rt_status rt_loop_run(struct rt_loop *loop, rt_done_fn *done, void *arg,
                                        uint64_t deadline_us);
void rt_loop_stop(struct rt_loop *loop);

/* Number of tasks and timers run so far. */
uint64_t rt_loop_event_count(const struct rt_loop *loop);

#endif
