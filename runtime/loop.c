/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/loop_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

/*
 * What is ready runs one by one, in this order: posted functions, tasks, timers that are due.
 *
 *   simulated   nothing ready ----> the clock jumps to the next timer, or to the deadline
 *   sockets     nothing ready ----> libevent waits for a descriptor or the next timer
 */

/* More events than this without the clock moving is a loop that never ends. */
#define STUCK_EVENT_COUNT 100000

/* Sockets: how many events may run before descriptors get their turn again. */
#define BATCH_COUNT 1000

#define SIMULATED_EPOCH_NS UINT64_C(946684800000000000) /* 2000-01-01T00:00:00Z */
#define NS_PER_S           UINT64_C(1000000000)
#define NS_PER_US          UINT64_C(1000)

static enum rt_status open_base(struct rt_loop *loop);
static void close_base(struct rt_loop *loop);

static enum rt_status run_simulated(struct rt_loop *loop, rt_done_fn *done, void *arg,
                                    uint64_t deadline_us);
static enum rt_status run_sockets(struct rt_loop *loop, rt_done_fn *done, void *arg,
                                  uint64_t deadline_us);
static bool is_finished(struct rt_loop *loop, rt_done_fn *done, void *arg);
static bool run_next_ready(struct rt_loop *loop);
static void move_clock(struct rt_loop *loop, uint64_t now_us);
static enum rt_status wait_for_events(struct rt_loop *loop, bool has_more, uint64_t deadline_us);
static void arm_alarm(struct rt_loop *loop, uint64_t deadline_us);
static void on_alarm(evutil_socket_t fd, short what, void *arg);
static void on_wake(evutil_socket_t fd, short what, void *arg);
static bool run_post(struct rt_loop *loop);

/* ---- life --------------------------------------------------------------------------------- */

enum rt_status rt_loop_create(enum rt_loop_mode mode, struct rt_loop **out_loop)
{
    struct rt_loop *loop = calloc(1, sizeof(*loop));
    enum rt_status status;

    if (loop == NULL) {
        return RT_E_NOMEM;
    }
    loop->mode = mode;
    loop->tasks_end = &loop->tasks;
    loop->posts_end = &loop->posts;
    loop->alarm_us = RT_NEVER;
    loop->wake_fd = -1;
    atomic_init(&loop->has_posts, false);
    atomic_init(&loop->is_asleep, false);
    pthread_mutex_init(&loop->post_mutex, NULL);
    status = rt__timers_init(&loop->timers);
    if (status == RT_OK && mode == RT_LOOP_SOCKETS) {
        status = open_base(loop);
    }
    if (status != RT_OK) {
        rt_loop_destroy(loop);
        return status;
    }
    *out_loop = loop;
    return RT_OK;
}

static enum rt_status open_base(struct rt_loop *loop)
{
    struct event_config *config = event_config_new();

    if (config == NULL) {
        return RT_E_NOMEM;
    }
    /* Nothing but rt_loop_post() crosses threads, and that has a mutex of its own. */
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    /* Timers 0.04 ms late on average instead of 2 ms, for a request or two in a hundred. */
    event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
    loop->base = event_base_new_with_config(config);
    event_config_free(config);
    if (loop->base == NULL) {
        return RT_E_NOMEM;
    }
    loop->epoch_us = rt_monotonic_us();
    loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (loop->wake_fd < 0) {
        return RT_E_IO;
    }
    event_assign(&loop->alarm_event, loop->base, -1, 0, on_alarm, loop);
    event_assign(&loop->wake_event, loop->base, loop->wake_fd, EV_READ | EV_PERSIST, on_wake, loop);
    return event_add(&loop->wake_event, NULL) == 0 ? RT_OK : RT_E_NOMEM;
}

void rt_loop_destroy(struct rt_loop *loop)
{
    if (loop == NULL) {
        return;
    }
    assert(!loop->is_running);
    while (run_post(loop)) {
    }
    close_base(loop);
    rt__timers_fini(&loop->timers);
    pthread_mutex_destroy(&loop->post_mutex);
    free(loop);
}

static void close_base(struct rt_loop *loop)
{
    if (loop->wake_fd >= 0) {
        event_del(&loop->alarm_event);
        event_del(&loop->wake_event);
        close(loop->wake_fd);
    }
    if (loop->base != NULL) {
        event_base_free(loop->base);
    }
}

/* ---- clock -------------------------------------------------------------------------------- */

uint64_t rt_monotonic_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t rt_loop_epoch_ns(const struct rt_loop *loop)
{
    struct timespec now;
    if (loop->mode == RT_LOOP_SIMULATED) {
        return SIMULATED_EPOCH_NS;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec -
           rt_loop_now_us(loop) * NS_PER_US;
}

uint64_t rt_loop_of_monotonic_us(const struct rt_loop *loop, uint64_t monotonic_us)
{
    return monotonic_us > loop->epoch_us ? monotonic_us - loop->epoch_us : 0;
}

enum rt_loop_mode rt_loop_mode(const struct rt_loop *loop)
{
    return loop->mode;
}

uint64_t rt_loop_now_us(const struct rt_loop *loop)
{
    if (loop->is_clock_stale) {
        /* A cache: reading the system's clock once a wake-up is not a change of the loop. */
        struct rt_loop *cache = (struct rt_loop *)(uintptr_t)loop;

        cache->is_clock_stale = false;
        cache->now_us = rt_monotonic_us() - loop->epoch_us;
    }
    return loop->now_us;
}

uint64_t rt_loop_event_count(const struct rt_loop *loop)
{
    return loop->event_count;
}

/* ---- tasks -------------------------------------------------------------------------------- */

void rt_task_init(struct rt_task *task, struct rt_loop *loop, rt_task_fn *run, void *arg)
{
    *task = (struct rt_task){.loop = loop, .run = run, .arg = arg};
}

void rt_task_schedule(struct rt_task *task)
{
    struct rt_loop *loop = task->loop;

    if (task->link != NULL) {
        return;
    }
    task->next = NULL;
    task->link = loop->tasks_end;
    *loop->tasks_end = task;
    loop->tasks_end = &task->next;
}

void rt_task_cancel(struct rt_task *task)
{
    if (task->link == NULL) {
        return;
    }
    *task->link = task->next;
    if (task->next != NULL) {
        task->next->link = task->link;
    } else {
        task->loop->tasks_end = task->link;
    }
    task->next = NULL;
    task->link = NULL;
}

bool rt_task_is_scheduled(const struct rt_task *task)
{
    return task->link != NULL;
}

/* ---- running ------------------------------------------------------------------------------ */

enum rt_status rt_loop_run(struct rt_loop *loop, rt_done_fn *done, void *arg, uint64_t deadline_us)
{
    enum rt_status status;

    assert(!loop->is_running);
    loop->is_running = true;
    loop->still_count = 0;
    status = loop->mode == RT_LOOP_SIMULATED ? run_simulated(loop, done, arg, deadline_us)
                                             : run_sockets(loop, done, arg, deadline_us);
    loop->is_running = false;
    loop->is_stopping = false;
    return status;
}

void rt_loop_stop(struct rt_loop *loop)
{
    loop->is_stopping = true;
}

static enum rt_status run_simulated(struct rt_loop *loop, rt_done_fn *done, void *arg,
                                    uint64_t deadline_us)
{
    while (!is_finished(loop, done, arg)) {
        struct rt_timer *next;

        if (loop->still_count > STUCK_EVENT_COUNT) {
            return RT_E_STUCK;
        }
        if (run_next_ready(loop)) {
            continue;
        }
        next = rt__timers_first(&loop->timers);
        if (next != NULL && next->deadline_us <= deadline_us) {
            move_clock(loop, next->deadline_us);
            continue;
        }
        if (next == NULL && (done != NULL || deadline_us == RT_NEVER)) {
            return RT_E_IDLE;
        }
        /* Without a condition the caller asked for time to pass, and it does in an idle world. */
        move_clock(loop, deadline_us);
        return next == NULL ? RT_E_IDLE : RT_E_TIMEOUT;
    }
    return RT_OK;
}

static enum rt_status run_sockets(struct rt_loop *loop, rt_done_fn *done, void *arg,
                                  uint64_t deadline_us)
{
    for (;;) {
        bool has_more = true;
        enum rt_status status;

        loop->is_clock_stale = true;
        for (int count = 0; has_more && count < BATCH_COUNT; count++) {
            if (is_finished(loop, done, arg)) {
                return RT_OK;
            }
            has_more = run_next_ready(loop);
        }
        if (is_finished(loop, done, arg)) {
            return RT_OK;
        }
        if (rt_loop_now_us(loop) >= deadline_us) {
            return RT_E_TIMEOUT;
        }
        status = wait_for_events(loop, has_more, deadline_us);
        if (status != RT_OK) {
            return status;
        }
    }
}

static bool is_finished(struct rt_loop *loop, rt_done_fn *done, void *arg)
{
    return loop->is_stopping || (done != NULL && done(arg));
}

static bool run_next_ready(struct rt_loop *loop)
{
    struct rt_timer *timer;
    rt_task_fn *run;
    void *arg;

    if (run_post(loop)) {
        return true;
    }
    timer = rt__timers_first(&loop->timers);
    if (loop->tasks != NULL) {
        run = loop->tasks->run;
        arg = loop->tasks->arg;
        rt_task_cancel(loop->tasks);
    } else if (timer != NULL && timer->deadline_us <= rt_loop_now_us(loop)) {
        run = timer->run;
        arg = timer->arg;
        rt_timer_disarm(timer);
    } else {
        return false;
    }
    loop->event_count++;
    loop->still_count++;
    run(arg); /* may free the task or timer */
    return true;
}

/* Never backwards: a deadline in the past stops a run but not the clock. */
static void move_clock(struct rt_loop *loop, uint64_t now_us)
{
    if (now_us > loop->now_us) {
        loop->now_us = now_us;
        loop->still_count = 0;
    }
}

static enum rt_status wait_for_events(struct rt_loop *loop, bool has_more, uint64_t deadline_us)
{
    if (!has_more) {
        struct rt_timer *next = rt__timers_first(&loop->timers);

        if (next != NULL && next->deadline_us < deadline_us) {
            deadline_us = next->deadline_us;
        }
        arm_alarm(loop, deadline_us);
        /* Whoever posts from now on writes to wake_fd; what was posted before is seen here. */
        atomic_store(&loop->is_asleep, true);
        has_more = atomic_load(&loop->has_posts);
    }
    /* Callbacks of descriptors read the clock when they ask for it, after the wait. */
    loop->is_clock_stale = true;
    int result = event_base_loop(loop->base, has_more ? EVLOOP_NONBLOCK : EVLOOP_ONCE);
    atomic_store(&loop->is_asleep, false);
    return result < 0 ? RT_E_IO : RT_OK;
}

static void arm_alarm(struct rt_loop *loop, uint64_t deadline_us)
{
    uint64_t now_us = rt_loop_now_us(loop);
    uint64_t delay_us = deadline_us > now_us ? deadline_us - now_us : 0;
    struct timeval delay;

    /* An alarm that comes too early costs one wake-up; moving it for each call would cost more. */
    if (loop->alarm_us <= deadline_us) {
        return;
    }
    delay.tv_sec = (time_t)(delay_us / 1000000);
    delay.tv_usec = (suseconds_t)(delay_us % 1000000);
    loop->alarm_us = deadline_us;
    event_add(&loop->alarm_event, &delay);
}

static void on_alarm(evutil_socket_t fd, short what, void *arg)
{
    struct rt_loop *loop = arg;

    (void)fd;
    (void)what;
    loop->alarm_us = RT_NEVER;
}

/* ---- posting ------------------------------------------------------------------------------ */

enum rt_status rt_loop_post(struct rt_loop *loop, rt_task_fn *run, void *arg)
{
    struct rt_post *post = malloc(sizeof(*post));

    if (post == NULL) {
        return RT_E_NOMEM;
    }
    *post = (struct rt_post){.run = run, .arg = arg, .is_allocated = true};
    rt_loop_post_prepared(loop, post);
    return RT_OK;
}

void rt_loop_post_prepared(struct rt_loop *loop, struct rt_post *post)
{
    pthread_mutex_lock(&loop->post_mutex);
    post->next = NULL;
    *loop->posts_end = post;
    loop->posts_end = &post->next;
    atomic_store(&loop->has_posts, true);
    if (atomic_exchange(&loop->is_asleep, false)) { /* once for each sleep */
        uint64_t one = 1;
        /* Cannot fail: the counter is far from full. Under the mutex, so that the loop does not
         * run the post and go away in between. */
        ssize_t written = write(loop->wake_fd, &one, sizeof(one));

        (void)written;
    }
    pthread_mutex_unlock(&loop->post_mutex);
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
    uint64_t count;
    ssize_t got = read(fd, &count, sizeof(count));

    (void)got;
    (void)what;
    (void)arg;
}

static bool run_post(struct rt_loop *loop)
{
    struct rt_post *post;
    rt_task_fn *run;
    void *arg;

    if (!atomic_load(&loop->has_posts)) {
        return false;
    }
    pthread_mutex_lock(&loop->post_mutex);
    post = loop->posts;
    loop->posts = post->next;
    if (loop->posts == NULL) {
        loop->posts_end = &loop->posts;
        atomic_store(&loop->has_posts, false);
    }
    run = post->run;
    arg = post->arg;
    bool is_allocated = post->is_allocated;
    pthread_mutex_unlock(&loop->post_mutex);
    if (is_allocated) {
        free(post);
    }
    loop->event_count++;
    loop->still_count++;
    run(arg); /* may post a prepared one again */
    return true;
}
