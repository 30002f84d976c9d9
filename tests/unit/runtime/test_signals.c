/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/signals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>

#define PATIENCE_US UINT64_C(10000000)

struct fixture {
    struct rt_loop *loop;
    int number; /* of the last signal */
    int count;
};

static void on_signal(void *arg, int number)
{
    struct fixture *fx = arg;

    fx->number = number;
    fx->count++;
    rt_loop_stop(fx->loop);
}

static void signals__while_watched__come_from_the_loop_each_time(void **state)
{
    static const int NUMBERS[] = {SIGTERM, SIGINT, SIGTERM};
    struct fixture fx = {0};
    struct rt_signals *signals = NULL;
    (void)state;

    assert_int_equal(rt_loop_create(RT_LOOP_SOCKETS, &fx.loop), RT_OK);
    assert_int_equal(rt_signals_watch(fx.loop, on_signal, &fx, &signals), RT_OK);
    for (int i = 0; i < (int)(sizeof(NUMBERS) / sizeof(NUMBERS[0])); i++) {
        assert_int_equal(raise(NUMBERS[i]), 0);
        assert_int_equal(fx.count, i);
        assert_int_equal(rt_loop_run(fx.loop, NULL, NULL, rt_loop_now_us(fx.loop) + PATIENCE_US),
                         RT_OK);
        assert_int_equal(fx.count, i + 1);
        assert_int_equal(fx.number, NUMBERS[i]);
    }
    rt_signals_destroy(signals);
    rt_loop_destroy(fx.loop);
}

static void signals__none_watched__are_destroyed_as_nothing(void **state)
{
    (void)state;
    rt_signals_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signals__while_watched__come_from_the_loop_each_time),
        cmocka_unit_test(signals__none_watched__are_destroyed_as_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
