/* SPDX-License-Identifier: Apache-2.0 */
#include "fault_fixture.h"

#include <stdio.h>

/* Probability: a seed decides everything, and nothing else does. */

#define ASK_COUNT 2000

static size_t count_ones(const char *pattern)
{
    size_t count = 0;

    for (; *pattern != '\0'; pattern++) {
        count += *pattern == '1' ? 1 : 0;
    }
    return count;
}

static void percent__many_matches__fires_about_so_often(void **state)
{
    struct fixture *fx = *state;
    size_t count;

    arm(fx, "30%drop-reply");
    count = count_ones(pattern_of(fx, FAULT_DROP_REPLY, ASK_COUNT));
    assert_in_range(count, ASK_COUNT * 25 / 100, ASK_COUNT * 35 / 100);
    assert_int_equal(info_of(fx, "r").matched, ASK_COUNT);
    assert_int_equal(info_of(fx, "r").fired, count);
}

static void percent__fraction__counts(void **state)
{
    struct fixture *fx = *state;

    arm(fx, "0.5%drop-reply");
    assert_in_range(count_ones(pattern_of(fx, FAULT_DROP_REPLY, ASK_COUNT)), 1, ASK_COUNT / 50);
}

static void percent__hundred__always_fires(void **state)
{
    struct fixture *fx = *state;

    arm(fx, "100%drop-reply");
    assert_int_equal(count_ones(pattern_of(fx, FAULT_DROP_REPLY, 200)), 200);
}

static void percent_and_count__draws_for_each_match__counts_firings(void **state)
{
    struct fixture *fx = *state;

    arm(fx, "20%5*drop-reply");
    assert_int_equal(count_ones(pattern_of(fx, FAULT_DROP_REPLY, ASK_COUNT)), 5);
    assert_true(info_of(fx, "r").is_spent);
    assert_true(info_of(fx, "r").matched > 5); /* misses use no count up */
}

static void same_seed__again__fires_for_the_same_matches(void **state)
{
    struct fixture *fx = *state;
    char first[301];

    arm(fx, "50%drop-reply");
    snprintf(first, sizeof(first), "%s", pattern_of(fx, FAULT_DROP_REPLY, 300));
    start_again(fx, 1);
    arm(fx, "50%drop-reply");
    assert_string_equal(pattern_of(fx, FAULT_DROP_REPLY, 300), first);
    start_again(fx, 2);
    arm(fx, "50%drop-reply");
    assert_string_not_equal(pattern_of(fx, FAULT_DROP_REPLY, 300), first);
}

static void other_rules__with_draws_of_their_own__shift_nothing(void **state)
{
    struct fixture *fx = *state;
    char alone[301];

    arm(fx, "50%drop-reply");
    snprintf(alone, sizeof(alone), "%s", pattern_of(fx, FAULT_DROP_REPLY, 300));
    start_again(fx, 1);
    must_load(fx, "- { id: other, on: { op: get }, at: request, do: 50%rst }\n"
                  "- { id: r, at: request, do: 50%drop-reply }\n"
                  "- { id: third, at: request, do: 50%fin }\n");
    for (int i = 0; i < 50; i++) {
        (void)ask(fx, DELETE, FAULT_AT_APPLIED, "a");
    }
    assert_string_equal(pattern_of(fx, FAULT_DROP_REPLY, 300), alone);
}

static void two_rules__one_seed__draw_from_different_streams(void **state)
{
    struct fixture *fx = *state;
    char first[301];

    must_load(fx, "- { id: one, on: { op: set }, at: request, do: 50%drop-reply }\n"
                  "- { id: two, on: { op: get }, at: request, do: 50%drop-reply }\n");
    snprintf(first, sizeof(first), "%s", pattern_of(fx, FAULT_DROP_REPLY, 300));
    for (size_t i = 0; i < 300; i++) {
        bool has_fired = ask(fx, GET, FAULT_AT_REQUEST, "a") != NULL;

        if (has_fired != (first[i] == '1')) {
            return;
        }
    }
    fail_msg("two rules drew the same 300 times");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(percent__many_matches__fires_about_so_often),
        TEST(percent__fraction__counts),
        TEST(percent__hundred__always_fires),
        TEST(percent_and_count__draws_for_each_match__counts_firings),
        TEST(same_seed__again__fires_for_the_same_matches),
        TEST(other_rules__with_draws_of_their_own__shift_nothing),
        TEST(two_rules__one_seed__draw_from_different_streams),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
