/* SPDX-License-Identifier: Apache-2.0 */
/* The retry law, its budgets and its words, without a clock. */
#include "connector/client/ds_retry_law.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define MS UINT64_C(1000)

/* Attempts that cost nothing: the times at which they start, until the budget is used up. */
static size_t attempts(uint64_t budget_ms, uint64_t *out_times_ms, size_t room)
{
    struct ds__retry retry;
    uint64_t now_us = 5 * MS;
    uint64_t wait_us = 0;
    size_t count = 0;

    ds__retry_start(&retry, now_us, budget_ms * MS);
    do {
        assert_true(count < room);
        now_us += wait_us;
        out_times_ms[count++] = now_us / MS - 5;
    } while (ds__retry_next(&retry, now_us, &wait_us));
    return count;
}

static void retry__no_time_per_call__attempts_at_the_times_of_the_law(void **state)
{
    static const uint64_t EXPECTED_MS[] = {0, 1, 6, 56, 256, 1256, 2990};
    uint64_t times_ms[16];

    (void)state;
    assert_int_equal(attempts(3000, times_ms, 16), 7);
    assert_memory_equal(times_ms, EXPECTED_MS, sizeof(EXPECTED_MS));
}

static void retry__one_second__the_last_wait_is_cut(void **state)
{
    static const uint64_t EXPECTED_MS[] = {0, 1, 6, 56, 256, 990};
    uint64_t times_ms[16];

    (void)state;
    assert_int_equal(attempts(1000, times_ms, 16), 6);
    assert_memory_equal(times_ms, EXPECTED_MS, sizeof(EXPECTED_MS));
}

static void retry__a_fifth_of_a_second__the_last_wait_is_cut(void **state)
{
    static const uint64_t EXPECTED_MS[] = {0, 1, 6, 56, 190};
    uint64_t times_ms[16];

    (void)state;
    assert_int_equal(attempts(200, times_ms, 16), 5);
    assert_memory_equal(times_ms, EXPECTED_MS, sizeof(EXPECTED_MS));
}

static void retry__long_budget__waits_stay_at_five_seconds(void **state)
{
    static const uint64_t EXPECTED_MS[] = {0, 1, 6, 56, 256, 1256, 6256, 11256, 16256, 19990};
    uint64_t times_ms[16];

    (void)state;
    assert_int_equal(attempts(20000, times_ms, 16), 10);
    assert_memory_equal(times_ms, EXPECTED_MS, sizeof(EXPECTED_MS));
}

static void retry__budget_of_ten_ms_or_less__one_attempt(void **state)
{
    uint64_t times_ms[4];

    (void)state;
    assert_int_equal(attempts(10, times_ms, 4), 1);
    assert_int_equal(attempts(5, times_ms, 4), 1);
    assert_int_equal(attempts(0, times_ms, 4), 1);
}

/* As towards a port where nobody listens. */
static void retry__three_seconds_per_call__twelve_attempts_in_a_minute(void **state)
{
    struct ds__retry retry;
    uint64_t now_us = 3000 * MS;
    uint64_t wait_us = 0;
    size_t count = 1;

    (void)state;
    ds__retry_start(&retry, 0, 60000 * MS);
    while (ds__retry_next(&retry, now_us, &wait_us)) {
        now_us += wait_us + 3000 * MS;
        count++;
    }
    assert_int_equal(count, 12);
    assert_int_equal(now_us, 62990 * MS);
}

static void left__after_the_end__is_nothing(void **state)
{
    struct ds__retry retry;

    (void)state;
    ds__retry_start(&retry, 100, 50);
    assert_int_equal(ds__retry_left_us(&retry, 100), 50);
    assert_int_equal(ds__retry_left_us(&retry, 149), 1);
    assert_int_equal(ds__retry_left_us(&retry, 150), 0);
    assert_int_equal(ds__retry_left_us(&retry, 9000), 0);
}

static void codes__of_each_set__are_those_that_were_seen(void **state)
{
    static const int32_t RPC[] = {K_TRY_AGAIN, K_RPC_CANCELLED, K_RPC_DEADLINE_EXCEEDED,
                                  K_RPC_UNAVAILABLE};
    static const int32_t NEVER[] = {K_INVALID,   K_NOT_FOUND,     K_RUNTIME_ERROR,
                                    K_NOT_READY, K_UNKNOWN_ERROR, K_CLIENT_WORKER_DISCONNECT};
    struct ds__retry retry;

    (void)state;
    ds__retry_start(&retry, 0, 1);
    for (size_t i = 0; i < sizeof(RPC) / sizeof(RPC[0]); i++) {
        assert_true(ds__retry_count_failure(&retry, DS__RETRY_RPC, RPC[i]));
        assert_true(ds__retry_count_failure(&retry, DS__RETRY_RPC_OOM, RPC[i]));
        assert_true(ds__retry_count_failure(&retry, DS__RETRY_MSET, RPC[i]));
        assert_false(ds__retry_count_failure(&retry, DS__RETRY_NONE, RPC[i]));
    }
    assert_false(ds__retry_count_failure(&retry, DS__RETRY_RPC, K_OUT_OF_MEMORY));
    assert_true(ds__retry_count_failure(&retry, DS__RETRY_RPC_OOM, K_OUT_OF_MEMORY));
    assert_false(ds__retry_count_failure(&retry, DS__RETRY_RPC_OOM, K_SCALING));
    assert_true(ds__retry_count_failure(&retry, DS__RETRY_MSET, K_SCALING));
    for (size_t i = 0; i < sizeof(NEVER) / sizeof(NEVER[0]); i++) {
        assert_false(ds__retry_count_failure(&retry, DS__RETRY_MSET, NEVER[i]));
    }
}

static void words__nothing_retried__an_empty_list(void **state)
{
    struct ds__retry retry;
    struct ds__text text = {0};

    (void)state;
    ds__retry_start(&retry, 0, 5000 * MS);
    ds__retry_describe(&retry, &text);
    assert_string_equal(ds__text_get(&text), "RPC Retry detail: [ ] with 0 times in 5000 ms.");
    ds__text_fini(&text);
}

static void words__several_codes__counted_each_in_the_order_of_their_numbers(void **state)
{
    struct ds__retry retry;
    struct ds__text text = {0};
    uint64_t wait_us = 0;

    (void)state;
    ds__retry_start(&retry, 0, 1000 * MS);
    (void)ds__retry_count_failure(&retry, DS__RETRY_RPC_OOM, K_RPC_DEADLINE_EXCEEDED);
    (void)ds__retry_count_failure(&retry, DS__RETRY_RPC_OOM, K_TRY_AGAIN);
    for (unsigned i = 0; i < 3; i++) {
        (void)ds__retry_count_failure(&retry, DS__RETRY_RPC_OOM, K_OUT_OF_MEMORY);
        assert_true(ds__retry_next(&retry, 0, &wait_us));
    }
    ds__retry_describe(&retry, &text);
    assert_string_equal(ds__text_get(&text),
                        "RPC Retry detail: [ Out of memory * 3 Try again * 1 "
                        "RPC deadline exceeded * 1 ] with 3 times in 1000 ms.");
    ds__text_fini(&text);
}

static void cap__of_one_attempt__by_request_timeout(void **state)
{
    (void)state;
    assert_int_equal(ds__attempt_cap_us(500 * MS), 500 * MS);
    assert_int_equal(ds__attempt_cap_us(30000 * MS), 30000 * MS);
    assert_int_equal(ds__attempt_cap_us(60000 * MS), 30000 * MS);
    assert_int_equal(ds__attempt_cap_us(90000 * MS), 30000 * MS);
    assert_int_equal(ds__attempt_cap_us(90003 * MS), 30001 * MS);
    assert_int_equal(ds__attempt_cap_us(120000 * MS), 40000 * MS);
    assert_int_equal(ds__attempt_cap_us(6000000 * MS), 600000 * MS);
}

static void told__of_a_time__nine_tenths_or_a_second_less(void **state)
{
    (void)state;
    assert_int_equal(ds__told_ms(0), 0);
    assert_int_equal(ds__told_ms(1), 1); /* rounded */
    assert_int_equal(ds__told_ms(5), 5);
    assert_int_equal(ds__told_ms(10), 9);
    assert_int_equal(ds__told_ms(100), 90);
    assert_int_equal(ds__told_ms(500), 450);
    assert_int_equal(ds__told_ms(8000), 7200);
    assert_int_equal(ds__told_ms(10000), 9000);
    assert_int_equal(ds__told_ms(20000), 19000);
    assert_int_equal(ds__told_ms(60000), 59000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(retry__no_time_per_call__attempts_at_the_times_of_the_law),
        cmocka_unit_test(retry__one_second__the_last_wait_is_cut),
        cmocka_unit_test(retry__a_fifth_of_a_second__the_last_wait_is_cut),
        cmocka_unit_test(retry__long_budget__waits_stay_at_five_seconds),
        cmocka_unit_test(retry__budget_of_ten_ms_or_less__one_attempt),
        cmocka_unit_test(retry__three_seconds_per_call__twelve_attempts_in_a_minute),
        cmocka_unit_test(left__after_the_end__is_nothing),
        cmocka_unit_test(codes__of_each_set__are_those_that_were_seen),
        cmocka_unit_test(words__nothing_retried__an_empty_list),
        cmocka_unit_test(words__several_codes__counted_each_in_the_order_of_their_numbers),
        cmocka_unit_test(cap__of_one_attempt__by_request_timeout),
        cmocka_unit_test(told__of_a_time__nine_tenths_or_a_second_less),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
