/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/loop.h"
#include "runtime/wall_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#define LOG_MAX_COUNT 64
#define MANY          500
#define STUCK_COUNT   100000
#define PATIENCE_US   UINT64_C(10000000)
#define POST_COUNT    1000
#define THREAD_COUNT  4
#define PING_COUNT    5000
#define CLOCK_STEP_US UINT64_C(60000000) /* nobody turns the system's clock by so much */

struct fixture {
    struct rt_loop *loop;
    char log[LOG_MAX_COUNT]; /* one letter for each event, in order */
    size_t log_count;
};

/* A timer or a task that writes its letter. */
struct letter {
    struct fixture *fx;
    struct rt_timer timer;
    struct rt_task task;
    char text;
    uint64_t ran_at_us;
};

static void write_letter(void *arg)
{
    struct letter *letter = arg;
    struct fixture *fx = letter->fx;

    letter->ran_at_us = rt_loop_now_us(fx->loop);
    if (fx->log_count < LOG_MAX_COUNT - 1) {
        fx->log[fx->log_count++] = letter->text;
    }
}

static void letter_init(struct letter *letter, struct fixture *fx, char text)
{
    *letter = (struct letter){.fx = fx, .text = text};
    rt_timer_init(&letter->timer, fx->loop, write_letter, letter);
    rt_task_init(&letter->task, fx->loop, write_letter, letter);
}

static int set_up(void **state, enum rt_loop_mode mode)
{
    struct fixture *fx = calloc(1, sizeof(*fx));

    assert_int_equal(rt_loop_create(mode, &fx->loop), RT_OK);
    *state = fx;
    return 0;
}

static int set_up_simulated(void **state)
{
    return set_up(state, RT_LOOP_SIMULATED);
}

static int set_up_sockets(void **state)
{
    return set_up(state, RT_LOOP_SOCKETS);
}

static int tear_down(void **state)
{
    struct fixture *fx = *state;

    rt_loop_destroy(fx->loop);
    free(fx);
    return 0;
}

static bool has_three_letters(void *arg)
{
    return ((struct fixture *)arg)->log_count >= 3;
}

static enum rt_status run(struct fixture *fx, rt_done_fn *done)
{
    return rt_loop_run(fx->loop, done, fx, rt_loop_now_us(fx->loop) + PATIENCE_US);
}

/* ---- both modes --------------------------------------------------------------------------- */

static void tasks__scheduled_in_order__run_in_that_order(void **state)
{
    struct fixture *fx = *state;
    struct letter a, b, c, d;

    letter_init(&a, fx, 'a');
    letter_init(&b, fx, 'b');
    letter_init(&c, fx, 'c');
    letter_init(&d, fx, 'd');
    rt_task_schedule(&b.task);
    rt_task_schedule(&d.task);
    rt_task_schedule(&a.task);
    rt_task_schedule(&b.task); /* is scheduled: nothing happens */
    rt_task_schedule(&c.task);
    rt_task_cancel(&d.task);
    rt_task_cancel(&d.task);
    assert_false(rt_task_is_scheduled(&d.task));
    assert_int_equal(run(fx, has_three_letters), RT_OK);
    assert_string_equal(fx->log, "bac");
    assert_int_equal(rt_loop_event_count(fx->loop), 3);
}

static void tasks__last_one_cancelled__later_ones_still_run(void **state)
{
    struct fixture *fx = *state;
    struct letter a, b, c;

    letter_init(&a, fx, 'a');
    letter_init(&b, fx, 'b');
    letter_init(&c, fx, 'c');
    rt_task_schedule(&a.task);
    rt_task_schedule(&b.task);
    rt_task_cancel(&b.task);
    rt_task_schedule(&c.task);
    rt_task_schedule(&b.task);
    assert_int_equal(run(fx, has_three_letters), RT_OK);
    assert_string_equal(fx->log, "acb");
}

static void timers__armed_in_any_order__run_by_deadline_then_by_arming(void **state)
{
    struct fixture *fx = *state;
    struct letter late, early, first, second;
    uint64_t base_us = rt_loop_now_us(fx->loop) + 1000;

    letter_init(&late, fx, 'z');
    letter_init(&early, fx, 'a');
    letter_init(&first, fx, '1');
    letter_init(&second, fx, '2');
    assert_int_equal(rt_timer_arm(&late.timer, base_us + 300), RT_OK);
    assert_int_equal(rt_timer_arm(&second.timer, base_us + 200), RT_OK);
    assert_int_equal(rt_timer_arm(&first.timer, base_us + 200), RT_OK);
    assert_int_equal(rt_timer_arm(&early.timer, base_us + 100), RT_OK);
    assert_int_equal(rt_timer_arm(&second.timer, base_us + 200),
                     RT_OK); /* to the end of its kind */
    assert_int_not_equal(rt_loop_run(fx->loop, NULL, NULL, base_us + 300), RT_OK);
    assert_string_equal(fx->log, "a12z");
    assert_true(early.ran_at_us >= base_us + 100);
    assert_true(late.ran_at_us >= base_us + 300);
}

static void timers__disarmed__do_not_run(void **state)
{
    struct fixture *fx = *state;
    struct letter a, b;

    letter_init(&a, fx, 'a');
    letter_init(&b, fx, 'b');
    assert_int_equal(rt_timer_arm_after(&a.timer, 10), RT_OK);
    assert_int_equal(rt_timer_arm_after(&b.timer, 20), RT_OK);
    assert_true(rt_timer_is_armed(&a.timer));
    rt_timer_disarm(&a.timer);
    rt_timer_disarm(&a.timer);
    assert_false(rt_timer_is_armed(&a.timer));
    assert_int_not_equal(rt_loop_run(fx->loop, NULL, NULL, rt_loop_now_us(fx->loop) + 100), RT_OK);
    assert_string_equal(fx->log, "b");
    assert_false(rt_timer_is_armed(&b.timer));
}

static void timers__deadline_in_the_past__runs_soon(void **state)
{
    struct fixture *fx = *state;
    struct letter a;
    uint64_t now_us;

    letter_init(&a, fx, 'a');
    assert_int_not_equal(rt_loop_run(fx->loop, NULL, NULL, 500), RT_OK);
    assert_int_equal(rt_timer_arm(&a.timer, 100), RT_OK);
    now_us = rt_loop_now_us(fx->loop);
    assert_int_not_equal(rt_loop_run(fx->loop, NULL, NULL, now_us), RT_OK);
    assert_string_equal(fx->log, "a");
}

static void stop_loop(void *arg)
{
    rt_loop_stop(((struct fixture *)arg)->loop);
}

static void stop__from_a_task__ends_the_run_before_the_next_event(void **state)
{
    struct fixture *fx = *state;
    struct rt_task stop;
    struct letter a;

    letter_init(&a, fx, 'a');
    rt_task_init(&stop, fx->loop, stop_loop, fx);
    rt_task_schedule(&stop);
    rt_task_schedule(&a.task);
    assert_int_equal(run(fx, NULL), RT_OK);
    assert_int_equal(fx->log_count, 0);
    assert_int_equal(rt_loop_run(fx->loop, NULL, NULL, rt_loop_now_us(fx->loop)) == RT_OK, false);
    assert_int_equal(fx->log_count, 1); /* the stop was for one run */
}

struct posting {
    struct fixture *fx;
    int ran_count; /* the loop's thread only */
    pthread_t loop_thread;
};

static void on_posted(void *arg)
{
    struct posting *posting = arg;

    assert_true(pthread_equal(pthread_self(), posting->loop_thread));
    posting->ran_count++;
}

static void *post_many(void *arg)
{
    struct posting *posting = arg;

    for (int i = 0; i < POST_COUNT; i++) {
        if (rt_loop_post(posting->fx->loop, on_posted, posting) != RT_OK) {
            abort();
        }
    }
    return NULL;
}

static bool has_run_all_posts(void *arg)
{
    return ((struct posting *)arg)->ran_count == POST_COUNT * THREAD_COUNT;
}

static void post__from_threads_while_the_loop_waits__all_run_here(void **state)
{
    struct fixture *fx = *state;
    struct posting posting = {.fx = fx, .loop_thread = pthread_self()};
    pthread_t threads[THREAD_COUNT];

    for (int i = 0; i < THREAD_COUNT; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, post_many, &posting), 0);
    }
    if (rt_loop_mode(fx->loop) == RT_LOOP_SIMULATED) {
        /* A simulated loop does not wait for other threads: it says idle, and can go on later. */
        for (int i = 0; i < THREAD_COUNT; i++) {
            pthread_join(threads[i], NULL);
        }
    }
    assert_int_equal(
        rt_loop_run(fx->loop, has_run_all_posts, &posting, rt_loop_now_us(fx->loop) + PATIENCE_US),
        RT_OK);
    if (rt_loop_mode(fx->loop) == RT_LOOP_SOCKETS) {
        for (int i = 0; i < THREAD_COUNT; i++) {
            pthread_join(threads[i], NULL);
        }
    }
}

/* Each post finds the loop about to wait, waiting or just awake; a wake-up that is lost would leave
 * it asleep for ever. */
struct ping {
    struct rt_loop *loop;
    atomic_int ran_count;
};

static void on_ping(void *arg)
{
    struct ping *ping = arg;

    atomic_fetch_add(&ping->ran_count, 1);
}

static void *post_one_by_one(void *arg)
{
    struct ping *ping = arg;

    for (int i = 0; i < PING_COUNT; i++) {
        if (rt_loop_post(ping->loop, on_ping, ping) != RT_OK) {
            abort();
        }
        while (atomic_load(&ping->ran_count) == i) {
            sched_yield();
        }
    }
    return NULL;
}

static bool has_run_all_pings(void *arg)
{
    struct ping *ping = arg;

    return atomic_load(&ping->ran_count) == PING_COUNT;
}

static void post__one_at_a_time__each_wakes_the_loop(void **state)
{
    struct fixture *fx = *state;
    struct ping ping = {.loop = fx->loop};
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, post_one_by_one, &ping), 0);
    assert_int_equal(
        rt_loop_run(fx->loop, has_run_all_pings, &ping, rt_loop_now_us(fx->loop) + PATIENCE_US),
        RT_OK);
    pthread_join(thread, NULL);
}

struct reposting {
    struct rt_loop *loop;
    struct rt_post post;
    int ran_count;
};

static void on_reposted(void *arg)
{
    struct reposting *reposting = arg;

    if (++reposting->ran_count < 3) {
        rt_loop_post_prepared(reposting->loop, &reposting->post);
    }
}

static void post__prepared__may_be_posted_again_when_it_runs(void **state)
{
    struct fixture *fx = *state;
    struct reposting reposting = {.loop = fx->loop};

    reposting.post = (struct rt_post){.run = on_reposted, .arg = &reposting};
    rt_loop_post_prepared(fx->loop, &reposting.post);
    (void)!rt_loop_run(fx->loop, NULL, NULL, rt_loop_now_us(fx->loop));
    assert_int_equal(reposting.ran_count, 3);
}

static void monotonic__on_the_loops_clock__is_the_same_moment(void **state)
{
    struct fixture *fx = *state;
    uint64_t before_us = rt_loop_of_monotonic_us(fx->loop, rt_monotonic_us());

    /* A deadline in the past: the clock is read anew and nothing is waited for. */
    assert_int_equal(rt_loop_run(fx->loop, NULL, NULL, 0), RT_E_TIMEOUT);
    uint64_t now_us = rt_loop_now_us(fx->loop);
    uint64_t after_us = rt_loop_of_monotonic_us(fx->loop, rt_monotonic_us());

    assert_true(before_us <= now_us && now_us <= after_us);
    assert_int_equal(rt_loop_of_monotonic_us(fx->loop, 0), 0); /* long before it was made */
}

static void post__loop_destroyed_before_it_ran__runs_first(void **state)
{
    struct fixture *fx = *state;
    struct posting posting = {.fx = fx, .loop_thread = pthread_self()};

    assert_int_equal(rt_loop_post(fx->loop, on_posted, &posting), RT_OK);
    rt_loop_destroy(fx->loop);
    fx->loop = NULL;
    assert_int_equal(posting.ran_count, 1);
}

static uint64_t next_number(uint64_t *number)
{
    *number = *number * UINT64_C(6364136223846793005) + 1;
    return *number >> 33;
}

/* ---- simulated ---------------------------------------------------------------------------- */

static void clock__nothing_ready__jumps_to_the_next_timer(void **state)
{
    struct fixture *fx = *state;
    struct letter a;

    letter_init(&a, fx, 'a');
    assert_int_equal(rt_loop_now_us(fx->loop), 0);
    assert_int_equal(rt_timer_arm_after(&a.timer, UINT64_C(60000000)), RT_OK);
    assert_int_equal(rt_loop_run(fx->loop, NULL, NULL, RT_NEVER), RT_E_IDLE);
    assert_int_equal(a.ran_at_us, UINT64_C(60000000));
}

static void deadline__timer_comes_later__clock_stands_exactly_on_it(void **state)
{
    struct fixture *fx = *state;
    struct letter a;

    letter_init(&a, fx, 'a');
    assert_int_equal(rt_timer_arm(&a.timer, 200), RT_OK);
    assert_int_equal(rt_loop_run(fx->loop, NULL, NULL, 199), RT_E_TIMEOUT);
    assert_int_equal(rt_loop_now_us(fx->loop), 199);
    assert_int_equal(fx->log_count, 0);
    assert_int_equal(rt_loop_run(fx->loop, NULL, NULL, 200), RT_E_IDLE);
    assert_int_equal(rt_loop_now_us(fx->loop), 200);
    assert_int_equal(a.ran_at_us, 200);
}

static void deadline__idle_world_without_condition__time_passes(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(rt_loop_run(fx->loop, NULL, NULL, 5000), RT_E_IDLE);
    assert_int_equal(rt_loop_now_us(fx->loop), 5000);
}

static void deadline__idle_world_with_condition__says_idle_now(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(rt_loop_run(fx->loop, has_three_letters, fx, 5000), RT_E_IDLE);
    assert_int_equal(rt_loop_now_us(fx->loop), 0);
}

static void deadline__in_the_past__clock_does_not_go_back(void **state)
{
    struct fixture *fx = *state;
    struct letter a;

    letter_init(&a, fx, 'a');
    assert_int_equal(rt_loop_run(fx->loop, NULL, NULL, 5000), RT_E_IDLE);
    assert_int_equal(rt_timer_arm(&a.timer, 9000), RT_OK);
    assert_int_equal(rt_loop_run(fx->loop, NULL, NULL, 100), RT_E_TIMEOUT);
    assert_int_equal(rt_loop_now_us(fx->loop), 5000);
}

static void timers__armed_for_never__leave_the_loop_idle(void **state)
{
    struct fixture *fx = *state;
    struct letter a;

    letter_init(&a, fx, 'a');
    assert_int_equal(rt_timer_arm(&a.timer, RT_NEVER), RT_OK);
    assert_int_equal(rt_loop_run(fx->loop, NULL, NULL, RT_NEVER), RT_E_IDLE);
    assert_int_equal(rt_loop_now_us(fx->loop), 0);
    rt_timer_disarm(&a.timer);
}

static void schedule_again(void *arg)
{
    rt_task_schedule(arg);
}

static void stuck__task_schedules_itself_for_ever__is_said(void **state)
{
    struct fixture *fx = *state;
    struct rt_task task;

    rt_task_init(&task, fx->loop, schedule_again, &task);
    rt_task_schedule(&task);
    assert_int_equal(rt_loop_run(fx->loop, NULL, NULL, RT_NEVER), RT_E_STUCK);
    assert_true(rt_loop_event_count(fx->loop) >= STUCK_COUNT);
    rt_task_cancel(&task);
}

struct countdown {
    struct rt_timer timer;
    uint64_t left_count;
};

static void tick(void *arg)
{
    struct countdown *countdown = arg;

    if (--countdown->left_count > 0) {
        (void)!rt_timer_arm_after(&countdown->timer, 1);
    }
}

static void stuck__as_many_events_while_the_clock_moves__is_not(void **state)
{
    struct fixture *fx = *state;
    struct countdown countdown = {.left_count = 2 * STUCK_COUNT};

    rt_timer_init(&countdown.timer, fx->loop, tick, &countdown);
    assert_int_equal(rt_timer_arm_after(&countdown.timer, 1), RT_OK);
    assert_int_equal(rt_loop_run(fx->loop, NULL, NULL, RT_NEVER), RT_E_IDLE);
    assert_int_equal(rt_loop_now_us(fx->loop), 2 * STUCK_COUNT);
}

struct ordered {
    struct rt_timer timer;
    struct fixture *fx;
    uint64_t *last_us;
    int *ran_count;
    bool is_wanted;
};

static void check_order(void *arg)
{
    struct ordered *ordered = arg;

    assert_true(ordered->is_wanted);
    assert_int_equal(rt_loop_now_us(ordered->fx->loop), ordered->timer.deadline_us);
    assert_true(ordered->timer.deadline_us >= *ordered->last_us);
    *ordered->last_us = ordered->timer.deadline_us;
    (*ordered->ran_count)++;
}

static void timers__many_armed_moved_and_disarmed__run_in_order(void **state)
{
    struct fixture *fx = *state;
    struct ordered *all = calloc(MANY, sizeof(*all));
    uint64_t number = 7;
    uint64_t last_us = 0;
    int ran_count = 0;
    int wanted_count = 0;

    for (int i = 0; i < MANY; i++) {
        all[i] = (struct ordered){.fx = fx, .last_us = &last_us, .ran_count = &ran_count};
        rt_timer_init(&all[i].timer, fx->loop, check_order, &all[i]);
    }
    for (int i = 0; i < 4 * MANY; i++) {
        struct ordered *ordered = &all[next_number(&number) % MANY];

        ordered->is_wanted = next_number(&number) % 3 != 0;
        if (ordered->is_wanted) {
            assert_int_equal(rt_timer_arm(&ordered->timer, next_number(&number) % 1000), RT_OK);
        } else {
            rt_timer_disarm(&ordered->timer);
        }
    }
    for (int i = 0; i < MANY; i++) {
        wanted_count += all[i].is_wanted;
    }
    assert_int_equal(rt_loop_run(fx->loop, NULL, NULL, RT_NEVER), RT_E_IDLE);
    assert_int_equal(ran_count, wanted_count);
    free(all);
}

/* ---- sockets ------------------------------------------------------------------------------ */

static void deadline__sockets__is_told_not_before(void **state)
{
    struct fixture *fx = *state;
    uint64_t deadline_us = rt_loop_now_us(fx->loop) + 3000;

    assert_int_equal(rt_loop_run(fx->loop, NULL, NULL, deadline_us), RT_E_TIMEOUT);
    assert_true(rt_loop_now_us(fx->loop) >= deadline_us);
}

static void tasks__sockets_and_endless__deadline_still_comes(void **state)
{
    struct fixture *fx = *state;
    struct rt_task task;

    rt_task_init(&task, fx->loop, schedule_again, &task);
    rt_task_schedule(&task);
    assert_int_equal(rt_loop_run(fx->loop, NULL, NULL, rt_loop_now_us(fx->loop) + 2000),
                     RT_E_TIMEOUT);
    rt_task_cancel(&task);
}

/* ---- the calendar ------------------------------------------------------------------------- */

static void calendar__simulated__is_the_epoch_and_the_loops_clock(void **state)
{
    struct fixture *fx = *state;
    uint64_t year_2000_us = UINT64_C(946684800000000);

    assert_int_equal(rt_loop_epoch_ns(fx->loop), year_2000_us * 1000);
    assert_int_equal(rt_wall_clock_us(fx->loop), year_2000_us);
    assert_int_equal(rt_loop_run(fx->loop, NULL, NULL, 7), RT_E_IDLE);
    assert_int_equal(rt_wall_clock_us(fx->loop), year_2000_us + 7);
}

static void calendar__sockets__is_the_systems(void **state)
{
    struct fixture *fx = *state;
    uint64_t before_us = rt_wall_clock_us(NULL);
    uint64_t loops_us = rt_wall_clock_us(fx->loop);

    assert_true(loops_us + CLOCK_STEP_US > before_us && loops_us < before_us + CLOCK_STEP_US);
}

#define BOTH(test)                                                                                 \
    {"simulated: " #test, test, set_up_simulated, tear_down, NULL},                                \
    {                                                                                              \
        "sockets: " #test, test, set_up_sockets, tear_down, NULL                                   \
    }
#define SIMULATED(test) cmocka_unit_test_setup_teardown(test, set_up_simulated, tear_down)
#define SOCKETS(test)   cmocka_unit_test_setup_teardown(test, set_up_sockets, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(tasks__scheduled_in_order__run_in_that_order),
        BOTH(tasks__last_one_cancelled__later_ones_still_run),
        BOTH(timers__armed_in_any_order__run_by_deadline_then_by_arming),
        BOTH(timers__disarmed__do_not_run),
        BOTH(timers__deadline_in_the_past__runs_soon),
        BOTH(stop__from_a_task__ends_the_run_before_the_next_event),
        BOTH(post__from_threads_while_the_loop_waits__all_run_here),
        BOTH(post__loop_destroyed_before_it_ran__runs_first),
        BOTH(post__prepared__may_be_posted_again_when_it_runs),
        SIMULATED(clock__nothing_ready__jumps_to_the_next_timer),
        SIMULATED(deadline__timer_comes_later__clock_stands_exactly_on_it),
        SIMULATED(deadline__idle_world_without_condition__time_passes),
        SIMULATED(deadline__idle_world_with_condition__says_idle_now),
        SIMULATED(deadline__in_the_past__clock_does_not_go_back),
        SIMULATED(timers__armed_for_never__leave_the_loop_idle),
        SIMULATED(stuck__task_schedules_itself_for_ever__is_said),
        SIMULATED(stuck__as_many_events_while_the_clock_moves__is_not),
        SIMULATED(timers__many_armed_moved_and_disarmed__run_in_order),
        SOCKETS(deadline__sockets__is_told_not_before),
        SOCKETS(tasks__sockets_and_endless__deadline_still_comes),
        SIMULATED(calendar__simulated__is_the_epoch_and_the_loops_clock),
        SOCKETS(calendar__sockets__is_the_systems),
        SOCKETS(post__one_at_a_time__each_wakes_the_loop),
        SOCKETS(monotonic__on_the_loops_clock__is_the_same_moment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
