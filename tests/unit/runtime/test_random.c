/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define SEED         UINT64_C(42)
#define DRAW_COUNT   100000
#define BUCKET_COUNT 10

static void stream__same_seed_and_name__gives_the_same_numbers(void **state)
{
    struct rt_random a, b;

    (void)state;
    rt_random_init(&a, SEED, "fault:lost-reply");
    rt_random_init(&b, SEED, "fault:lost-reply");
    for (int i = 0; i < 1000; i++) {
        assert_true(rt_random_u64(&a) == rt_random_u64(&b));
    }
}

static void stream__other_seed_or_name__shares_no_number(void **state)
{
    static const char *const NAMES[] = {"a", "b", "", "client:edge:ids", "client:edge:id"};
    uint64_t seen[2 * sizeof(NAMES) / sizeof(NAMES[0])];
    size_t count = 0;

    (void)state;
    for (size_t n = 0; n < sizeof(NAMES) / sizeof(NAMES[0]); n++) {
        for (uint64_t seed = 0; seed < 2; seed++) {
            struct rt_random random;

            rt_random_init(&random, seed, NAMES[n]);
            seen[count] = rt_random_u64(&random);
            for (size_t i = 0; i < count; i++) {
                assert_true(seen[i] != seen[count]);
            }
            count++;
        }
    }
}

static void stream__another_one_draws_more__is_not_shifted(void **state)
{
    struct rt_random mine, other;
    uint64_t first[100];

    (void)state;
    rt_random_init(&mine, SEED, "mine");
    for (int i = 0; i < 100; i++) {
        first[i] = rt_random_u64(&mine);
    }
    rt_random_init(&mine, SEED, "mine");
    rt_random_init(&other, SEED, "other");
    for (int i = 0; i < 100; i++) {
        rt_random_u64(&other);
        assert_true(rt_random_u64(&mine) == first[i]);
    }
}

static void below__many_draws__are_in_range_and_even(void **state)
{
    int counts[BUCKET_COUNT] = {0};
    struct rt_random random;

    (void)state;
    rt_random_init(&random, SEED, "below");
    for (int i = 0; i < DRAW_COUNT; i++) {
        uint64_t value = rt_random_below(&random, BUCKET_COUNT);

        assert_true(value < BUCKET_COUNT);
        counts[value]++;
    }
    for (int i = 0; i < BUCKET_COUNT; i++) {
        assert_in_range(counts[i], DRAW_COUNT / BUCKET_COUNT * 95 / 100,
                        DRAW_COUNT / BUCKET_COUNT * 105 / 100);
    }
    assert_int_equal(rt_random_below(&random, 1), 0);
    for (int i = 0; i < 100; i++) {
        assert_true(rt_random_below(&random, (UINT64_C(1) << 63) + 1) <= UINT64_C(1) << 63);
    }
}

static int count_chances(double percent)
{
    struct rt_random random;
    int count = 0;

    rt_random_init(&random, SEED, "chance");
    for (int i = 0; i < DRAW_COUNT; i++) {
        count += rt_random_chance(&random, percent);
    }
    return count;
}

static void chance__percentages__come_out(void **state)
{
    (void)state;
    assert_int_equal(count_chances(0), 0);
    assert_int_equal(count_chances(100), DRAW_COUNT);
    assert_in_range(count_chances(25), DRAW_COUNT * 24 / 100, DRAW_COUNT * 26 / 100);
    assert_in_range(count_chances(0.5), DRAW_COUNT * 4 / 1000, DRAW_COUNT * 6 / 1000);
}

static void chance__certain_or_impossible__draws_all_the_same(void **state)
{
    struct rt_random a, b;

    (void)state;
    rt_random_init(&a, SEED, "x");
    rt_random_init(&b, SEED, "x");
    rt_random_chance(&a, 100);
    rt_random_chance(&b, 0);
    assert_true(rt_random_u64(&a) == rt_random_u64(&b));
}

static void uuid__drawn__has_the_shape_of_version_4(void **state)
{
    struct rt_random random;
    char text[RT_UUID_TEXT_BYTES];
    char other[RT_UUID_TEXT_BYTES];

    (void)state;
    rt_random_init(&random, SEED, "ids");
    for (int i = 0; i < 100; i++) {
        rt_random_uuid(&random, text);
        assert_int_equal(strlen(text), 36);
        assert_int_equal(strspn(text, "0123456789abcdef-"), 36);
        for (size_t at = 0; at < 36; at++) {
            assert_int_equal(text[at] == '-', at == 8 || at == 13 || at == 18 || at == 23);
        }
        assert_int_equal(text[14], '4');
        assert_non_null(strchr("89ab", text[19]));
    }
    rt_random_uuid(&random, other);
    assert_string_not_equal(text, other);
}

static void system_seed__asked_twice__differs(void **state)
{
    (void)state;
    assert_true(rt_random_system_seed() != rt_random_system_seed());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stream__same_seed_and_name__gives_the_same_numbers),
        cmocka_unit_test(stream__other_seed_or_name__shares_no_number),
        cmocka_unit_test(stream__another_one_draws_more__is_not_shifted),
        cmocka_unit_test(below__many_draws__are_in_range_and_even),
        cmocka_unit_test(chance__percentages__come_out),
        cmocka_unit_test(chance__certain_or_impossible__draws_all_the_same),
        cmocka_unit_test(uuid__drawn__has_the_shape_of_version_4),
        cmocka_unit_test(system_seed__asked_twice__differs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
