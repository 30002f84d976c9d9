/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <string.h>

/* Waiting gets: all keys or the timer, never in between. */

static uint32_t begin(struct fixture *fx, const char *one, const char *two, int64_t sub_timeout_ms)
{
    const char *keys[] = {one, two};
    uint32_t number = send_get(&fx->b, keys, two == NULL ? 1 : 2, sub_timeout_ms);
    run_for(&fx->world, 0);
    return number;
}

static void absent_key__answered_at_the_sub_timeout_not_before(void **state)
{
    struct fixture *fx = *state;
    uint32_t number = begin(fx, "k", NULL, 450);
    run_for(&fx->world, 450 * MS - 1);
    assert_null(answer_to(&fx->b, number));
    assert_int_equal(counts_of(&fx->world, DSRPC_OP_GET).waiting, 1);
    run_for(&fx->world, 1);
    assert_int_equal(answer_to(&fx->b, number)->code, K_OK);
    assert_int_equal(get_answer(&fx->b, answer_to(&fx->b, number))->n_objects, 1);
    struct fakeds_counts counts;
    fakeds_worker_counts(fx->world.worker, &counts);
    assert_int_equal(counts.waits_timed_out, 1);
    assert_int_equal(counts.waits_woken, 0);
}

static void sub_timeout_beyond_the_budget__answered_at_the_budget(void **state)
{
    struct fixture *fx = *state;
    uint32_t number = begin(fx, "k", NULL, 9000); /* MetaPb says 4500 ms */
    run_for(&fx->world, 4500 * MS - 1);
    assert_null(answer_to(&fx->b, number));
    run_for(&fx->world, 1);
    assert_non_null(answer_to(&fx->b, number));
}

static void key_comes__woken_at_that_moment_and_once(void **state)
{
    struct fixture *fx = *state;
    uint32_t number = begin(fx, "k", "k", 2000);
    run_for(&fx->world, 300 * MS);
    uint64_t now_us = rt_loop_now_us(fx->world.loop);
    set(&fx->a, "k", "A");
    assert_int_equal(answer_to(&fx->b, number)->time_us, now_us);
    assert_string_equal(got(&fx->b, answer_to(&fx->b, number), 1), "A");
    set(&fx->a, "k", "B");
    run_for(&fx->world, 5 * S);
    assert_int_equal(answers_to(&fx->b, number), 1);
}

static void one_of_two_comes__waits_for_the_other_to_the_end(void **state)
{
    struct fixture *fx = *state;
    uint32_t number = begin(fx, "k1", "k2", 900);
    run_for(&fx->world, 200 * MS);
    set(&fx->a, "k1", "A");
    run_for(&fx->world, 700 * MS - 1);
    assert_null(answer_to(&fx->b, number));
    run_for(&fx->world, 1);
    assert_string_equal(got(&fx->b, answer_to(&fx->b, number), 0), "A");
    assert_string_equal(got(&fx->b, answer_to(&fx->b, number), 1), "");
}

static void key_that_was_there__kept_though_deleted_overwritten_or_expired(void **state)
{
    struct fixture *fx = *state;
    const char *keys[] = {"deleted", "overwritten", "expired", "last"};
    set(&fx->a, "deleted", "1");
    set(&fx->a, "overwritten", "2");
    set_with(&fx->a, "expired", "3", &(struct set_options){.ttl_s = 1});
    uint32_t number = send_get(&fx->b, keys, 4, 3000);
    run_for(&fx->world, 100 * MS);
    del(&fx->a, "deleted");
    set(&fx->a, "overwritten", "new");
    run_for(&fx->world, 1500 * MS);
    set(&fx->a, "last", "4");
    static const char *const WANTED[] = {"1", "2", "3", "4"};
    for (size_t i = 0; i < 4; i++) {
        assert_string_equal(got(&fx->b, answer_to(&fx->b, number), i), WANTED[i]);
    }
}

static void key_that_came_and_went__kept(void **state)
{
    struct fixture *fx = *state;
    uint32_t number = begin(fx, "k1", "k2", 900);
    set(&fx->a, "k1", "A");
    del(&fx->a, "k1");
    run_for(&fx->world, 900 * MS);
    assert_string_equal(got(&fx->b, answer_to(&fx->b, number), 0), "A");
}

static void absent_key_deleted__changes_nothing(void **state)
{
    struct fixture *fx = *state;
    uint32_t number = begin(fx, "k", NULL, 900);
    del(&fx->a, "k");
    run_for(&fx->world, 900 * MS - 1);
    assert_null(answer_to(&fx->b, number));
    run_for(&fx->world, 1);
    assert_non_null(answer_to(&fx->b, number));
}

static void several_wait_for_one_key__all_are_woken(void **state)
{
    struct fixture *fx = *state;
    uint32_t numbers[20];
    for (size_t i = 0; i < 20; i++) {
        numbers[i] = begin(fx, "k", NULL, 2000);
    }
    set(&fx->a, "k", "A");
    for (size_t i = 0; i < 20; i++) {
        assert_string_equal(got(&fx->b, answer_to(&fx->b, numbers[i]), 0), "A");
    }
}

static void client_resets_and_comes_back__answer_goes_to_its_identity(void **state)
{
    struct fixture *fx = *state;
    uint32_t number = begin(fx, "k", NULL, 2000);
    dealer_reset(&fx->b);
    run_for(&fx->world, 100 * MS);
    dealer_connect(&fx->b);
    set(&fx->a, "k", "A");
    assert_string_equal(got(&fx->b, answer_to(&fx->b, number), 0), "A");
    assert_int_equal(counts_of(&fx->world, DSRPC_OP_GET).undelivered, 0);
}

static void nobody_holds_the_identity__answer_is_lost_and_counted(void **state)
{
    struct fixture *fx = *state;
    uint32_t number = begin(fx, "k", NULL, 2000);
    dealer_reset(&fx->b);
    set(&fx->a, "k", "A");
    dealer_connect(&fx->b);
    run_for(&fx->world, 5 * S);
    assert_null(answer_to(&fx->b, number));
    assert_int_equal(counts_of(&fx->world, DSRPC_OP_GET).undelivered, 1);
    assert_int_equal(fx->world.eaten_count, 1);
}

static void worker_dies__waiting_gets_are_gone(void **state)
{
    struct fixture *fx = *state;
    uint32_t number = begin(fx, "k", NULL, 2000);
    fakeds_worker_kill(fx->world.worker);
    assert_int_equal(counts_of(&fx->world, DSRPC_OP_GET).eaten, 1);
    assert_int_equal(fakeds_worker_start(fx->world.worker, true, 0), RT_OK);
    run_for(&fx->world, 5 * S);
    assert_null(answer_to(&fx->b, number));
    assert_int_equal(fx->b.closed_why, RT_E_RESET);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(absent_key__answered_at_the_sub_timeout_not_before),
        IN_WORLD(sub_timeout_beyond_the_budget__answered_at_the_budget),
        IN_WORLD(key_comes__woken_at_that_moment_and_once),
        IN_WORLD(one_of_two_comes__waits_for_the_other_to_the_end),
        IN_WORLD(key_that_was_there__kept_though_deleted_overwritten_or_expired),
        IN_WORLD(key_that_came_and_went__kept),
        IN_WORLD(absent_key_deleted__changes_nothing),
        IN_WORLD(several_wait_for_one_key__all_are_woken),
        IN_WORLD(client_resets_and_comes_back__answer_goes_to_its_identity),
        IN_WORLD(nobody_holds_the_identity__answer_is_lost_and_counted),
        IN_WORLD(worker_dies__waiting_gets_are_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
