/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <stdio.h>
#include <string.h>

/* A key with a TTL lives until the first scan, on the tenths of a second, that is not before it. */

static bool is_there(struct fixture *fx, const char *key)
{
    struct fakeds_object object;
    return fakeds_worker_find(fx->world.worker, rt_slice_text(key), &object);
}

static void expire(struct fixture *fx, const char *key, uint32_t ttl_s)
{
    uint32_t number = send_keys(&fx->a, DSRPC_OP_EXPIRE, &key, 1, ttl_s);
    run_for(&fx->world, 0);
    assert_int_equal(answer_to(&fx->a, number)->code, K_OK);
}

static void ttl__set_between_scans__gone_at_the_next_scan_after_it(void **state)
{
    struct fixture *fx = *state;
    run_for(&fx->world, 30 * MS);
    set_with(&fx->a, "k", "v", &(struct set_options){.ttl_s = 1});
    run_for(&fx->world, 1070 * MS - 1); /* 1.03 s is over, its scan comes at 1.1 s */
    assert_true(is_there(fx, "k"));
    assert_string_equal(value_of(&fx->a, "k"), "v");
    run_for(&fx->world, 1);
    assert_false(is_there(fx, "k"));
    assert_non_null(strstr(fx->world.events, "worker-1.expired "));
}

static void ttl__overwritten_by_a_set_without__lives_on(void **state)
{
    struct fixture *fx = *state;
    set_with(&fx->a, "k", "v", &(struct set_options){.ttl_s = 1});
    set(&fx->a, "k", "n");
    run_for(&fx->world, 5 * S);
    assert_string_equal(value_of(&fx->a, "k"), "n");
}

static void expire__longer_and_shorter__replaces_the_old_ttl(void **state)
{
    struct fixture *fx = *state;
    set_with(&fx->a, "longer", "v", &(struct set_options){.ttl_s = 1});
    set_with(&fx->a, "shorter", "v", &(struct set_options){.ttl_s = 100});
    set(&fx->a, "fresh", "v");
    expire(fx, "longer", 3);
    expire(fx, "shorter", 2);
    expire(fx, "fresh", 1);
    run_for(&fx->world, 1 * S);
    assert_false(is_there(fx, "fresh"));
    assert_true(is_there(fx, "shorter"));
    run_for(&fx->world, 1 * S);
    assert_false(is_there(fx, "shorter"));
    assert_true(is_there(fx, "longer"));
    run_for(&fx->world, 1 * S);
    assert_false(is_there(fx, "longer"));
}

static void expire__with_0__the_old_timer_keeps_running(void **state)
{
    struct fixture *fx = *state;
    set_with(&fx->a, "k", "v", &(struct set_options){.ttl_s = 1});
    set(&fx->a, "untouched", "v");
    expire(fx, "k", 0);
    expire(fx, "untouched", 0);
    run_for(&fx->world, 1 * S);
    assert_false(is_there(fx, "k"));
    run_for(&fx->world, 100 * S);
    assert_true(is_there(fx, "untouched"));
}

static const Ds__ExpireRsp *expire_all(struct fixture *fx, const char *const *keys, size_t count)
{
    uint32_t number = send_keys(&fx->a, DSRPC_OP_EXPIRE, keys, count, 1);
    run_for(&fx->world, 0);
    return unpacked(&fx->a, answer_to(&fx->a, number), &ds__expire_rsp__descriptor);
}

static void expire__absent_keys__named_once_each(void **state)
{
    struct fixture *fx = *state;
    const char *keys[] = {"k", "zzz", "yyy", "zzz"};
    static const char TEXT[] =
        "[Expire] Some object can not be found in metaTable_, size: 2, object: zzz, yyy, traceId: ";
    set(&fx->a, "k", "v");
    const Ds__ExpireRsp *body = expire_all(fx, keys, 4);
    assert_int_equal(body->n_failed_object_keys, 2);
    assert_memory_equal(body->failed_object_keys[0].data, "zzz", 3);
    assert_memory_equal(body->failed_object_keys[1].data, "yyy", 3);
    assert_int_equal(body->last_rc->error_code, K_NOT_FOUND);
    assert_memory_equal(body->last_rc->error_msg.data, TEXT, sizeof(TEXT) - 1);
}

static void expire__all_present__no_failure(void **state)
{
    struct fixture *fx = *state;
    const char *keys[] = {"k", "k"};
    set(&fx->a, "k", "v");
    const Ds__ExpireRsp *body = expire_all(fx, keys, 2);
    assert_int_equal(body->n_failed_object_keys, 0);
    assert_int_equal(body->last_rc->error_code, K_OK);
}

static void many_ttls__each_at_its_time(void **state)
{
    struct fixture *fx = *state;
    char key[8];
    for (uint32_t i = 1; i <= 20; i++) {
        snprintf(key, sizeof(key), "k%u", i);
        set_with(&fx->a, key, "v", &(struct set_options){.ttl_s = 21 - i});
    }
    struct fakeds_counts counts;
    for (uint32_t i = 1; i <= 20; i++) {
        run_for(&fx->world, 1 * S);
        fakeds_worker_counts(fx->world.worker, &counts);
        assert_int_equal(counts.expirations, i);
        assert_int_equal(counts.objects, 20 - i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(ttl__set_between_scans__gone_at_the_next_scan_after_it),
        IN_WORLD(ttl__overwritten_by_a_set_without__lives_on),
        IN_WORLD(expire__longer_and_shorter__replaces_the_old_ttl),
        IN_WORLD(expire__with_0__the_old_timer_keeps_running),
        IN_WORLD(expire__absent_keys__named_once_each),
        IN_WORLD(expire__all_present__no_failure),
        IN_WORLD(many_ttls__each_at_its_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
