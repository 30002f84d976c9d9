/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <stdio.h>
#include <string.h>

/* A worker of 64 MiB; a value of 4 MiB takes 5 MiB. All values share one block. */
#define VALUE_BYTES ((size_t)4 << 20)

static struct rt_blob *block;

static int up_with_block(void **state)
{
    uint8_t *data;
    block = rt_blob_create(VALUE_BYTES, &data);
    assert_non_null(block);
    memset(data, 0, VALUE_BYTES);
    return up(state);
}

static int down_with_block(void **state)
{
    rt_blob_release(block);
    return down(state);
}

static uint32_t send_nth(struct fixture *fx, uint32_t nth, uint32_t mode, int64_t timeout_ms)
{
    char key[16];
    snprintf(key, sizeof(key), "k%02u", nth);
    return send_set_big(&fx->a, key, block,
                        &(struct set_options){.write_mode = mode, .timeout_ms = timeout_ms});
}

static void fill(struct fixture *fx, uint32_t count, uint32_t mode)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = send_nth(fx, i, mode, 0);
        run_for(&fx->world, 0);
        assert_int_equal(answer_to(&fx->a, number)->code, K_OK);
    }
}

static bool is_there(struct fixture *fx, uint32_t nth)
{
    char key[16];
    struct fakeds_object object;
    snprintf(key, sizeof(key), "k%02u", nth);
    return fakeds_worker_find(fx->world.worker, rt_slice_text(key), &object);
}

static void full_of_mode_none__refused_when_50_ms_of_the_budget_are_left(void **state)
{
    struct fixture *fx = *state;
    fill(fx, 12, 0);
    uint64_t start_us = rt_loop_now_us(fx->world.loop);
    uint32_t number = send_nth(fx, 12, 0, 900); /* what R = 1000 ms tells */
    run_for(&fx->world, 2 * S);
    assert_int_equal(answer_to(&fx->a, number)->code, K_OUT_OF_MEMORY);
    assert_int_equal(answer_to(&fx->a, number)->time_us - start_us, 850 * MS);
    assert_non_null(strstr(answer_to(&fx->a, number)->text, "Shared memory no space in arena: "));
    assert_true(is_there(fx, 0));
    assert_int_equal(counts_of(&fx->world, DSRPC_OP_SET).applied, 12);
}

static void full__little_budget__refused_at_once(void **state)
{
    struct fixture *fx = *state;
    fill(fx, 12, 0);
    uint32_t number = send_nth(fx, 12, 0, 50);
    run_for(&fx->world, 0);
    assert_int_equal(answer_to(&fx->a, number)->code, K_OUT_OF_MEMORY);
}

static void full__pauses_used_up__refused_after_their_sum(void **state)
{
    struct fixture *fx = *state;
    fill(fx, 12, 0);
    uint64_t start_us = rt_loop_now_us(fx->world.loop);
    uint32_t number = send_nth(fx, 12, 0, 30000);
    run_for(&fx->world, 10 * S);
    assert_int_equal(answer_to(&fx->a, number)->time_us - start_us, 6361 * MS);
}

static void full__room_made_meanwhile__stored_at_the_next_try(void **state)
{
    struct fixture *fx = *state;
    const char *key = "k03";
    fill(fx, 12, 0);
    uint64_t start_us = rt_loop_now_us(fx->world.loop);
    uint32_t number = send_nth(fx, 12, 0, 0);
    run_for(&fx->world, 20 * MS);
    send_keys(&fx->b, DSRPC_OP_DELETE, &key, 1, 0);
    run_for(&fx->world, 1 * S);
    assert_int_equal(answer_to(&fx->a, number)->code, K_OK);
    assert_int_equal(answer_to(&fx->a, number)->time_us - start_us, 61 * MS); /* 1 + 10 + 50 */
    assert_true(is_there(fx, 12));
}

static void full__overwriting__needs_room_beside_the_old_value(void **state)
{
    struct fixture *fx = *state;
    fill(fx, 12, 0);
    uint32_t number = send_nth(fx, 0, 0, 900);
    run_for(&fx->world, 1 * S);
    assert_int_equal(answer_to(&fx->a, number)->code, K_OUT_OF_MEMORY);
    assert_int_equal(set(&fx->a, "small", "fits"), K_OK);
}

static void mode_evict__over_nine_tenths__oldest_go_until_eight(void **state)
{
    struct fixture *fx = *state;
    fill(fx, 11, 3);
    assert_true(is_there(fx, 0));
    uint32_t number = send_nth(fx, 11, 3, 0); /* 60 MiB of 64 */
    run_for(&fx->world, 0);
    assert_int_equal(answer_to(&fx->a, number)->code, K_OK);
    assert_false(is_there(fx, 0));
    assert_false(is_there(fx, 1));
    assert_true(is_there(fx, 2));
    struct fakeds_counts counts;
    fakeds_worker_counts(fx->world.worker, &counts);
    assert_int_equal(counts.memory_bytes, (uint64_t)50 << 20);
    assert_int_equal(counts.evictions, 2);
    assert_non_null(strstr(fx->world.events, "worker-1.evicted worker-1.evicted "));
}

static void mode_evict__read_meanwhile__gets_a_second_chance(void **state)
{
    struct fixture *fx = *state;
    fill(fx, 11, 3);
    const char *key = "k00";
    send_keys(&fx->a, DSRPC_OP_EXIST, &key, 1, 0);
    run_for(&fx->world, 0);
    send_nth(fx, 11, 3, 0);
    run_for(&fx->world, 0);
    assert_true(is_there(fx, 0));
    assert_false(is_there(fx, 1));
    assert_false(is_there(fx, 2));
}

static void mode_none__on_a_worker_full_of_evict__makes_room(void **state)
{
    struct fixture *fx = *state;
    fill(fx, 11, 3);
    uint32_t number = send_nth(fx, 50, 0, 0);
    run_for(&fx->world, 2 * MS);
    assert_int_equal(answer_to(&fx->a, number)->code, K_OK);
    assert_true(is_there(fx, 50));
}

static void mode_evict__on_a_worker_full_of_none__refused(void **state)
{
    struct fixture *fx = *state;
    fill(fx, 12, 0);
    uint32_t number = send_nth(fx, 50, 3, 900);
    run_for(&fx->world, 1 * S);
    assert_int_equal(answer_to(&fx->a, number)->code, K_OUT_OF_MEMORY);
}

static void waiting_for_memory__worker_dies__request_is_gone(void **state)
{
    struct fixture *fx = *state;
    fill(fx, 12, 0);
    send_nth(fx, 12, 0, 0);
    run_for(&fx->world, 1 * MS);
    assert_int_equal(counts_of(&fx->world, DSRPC_OP_SET).waiting, 1);
    fakeds_worker_kill(fx->world.worker);
    assert_int_equal(counts_of(&fx->world, DSRPC_OP_SET).eaten, 1);
    run_for(&fx->world, 1 * S);
}

#define IN_FULL_WORLD(test) cmocka_unit_test_setup_teardown(test, up_with_block, down_with_block)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FULL_WORLD(full_of_mode_none__refused_when_50_ms_of_the_budget_are_left),
        IN_FULL_WORLD(full__little_budget__refused_at_once),
        IN_FULL_WORLD(full__pauses_used_up__refused_after_their_sum),
        IN_FULL_WORLD(full__room_made_meanwhile__stored_at_the_next_try),
        IN_FULL_WORLD(full__overwriting__needs_room_beside_the_old_value),
        IN_FULL_WORLD(mode_evict__over_nine_tenths__oldest_go_until_eight),
        IN_FULL_WORLD(mode_evict__read_meanwhile__gets_a_second_chance),
        IN_FULL_WORLD(mode_none__on_a_worker_full_of_evict__makes_room),
        IN_FULL_WORLD(mode_evict__on_a_worker_full_of_none__refused),
        IN_FULL_WORLD(waiting_for_memory__worker_dies__request_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
