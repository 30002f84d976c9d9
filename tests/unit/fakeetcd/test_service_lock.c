/* SPDX-License-Identifier: Apache-2.0 */
#include "lab.h"

#include "fakeetcd/disk/data_dir.h"
#include "wire/proto/etcd_lock.pb-c.h"

#include <inttypes.h>

/* What the Lock service of etcd 3.4.23 was seen to do; where 3.5 differs the case says so. */

#define WAITERS_MAX 300

static int setup_3_4(void **state)
{
    static struct lab lab;

    lab_start_as(&lab, "etcd-3.4");
    *state = &lab;
    return 0;
}

static void lock_start(struct lab *lab, struct talk *talk, const char *name, int64_t lease)
{
    V3lockpb__LockRequest request = V3LOCKPB__LOCK_REQUEST__INIT;

    request.name = bytes_of(name);
    request.lease = lease;
    talk_start(lab, talk, "/v3lockpb.Lock/Lock", &request.base);
    lab_settle(lab);
}

static void unlock(struct lab *lab, struct talk *talk, const char *key)
{
    V3lockpb__UnlockRequest request = V3LOCKPB__UNLOCK_REQUEST__INIT;

    request.key = bytes_of(key);
    lab_ask(lab, talk, "/v3lockpb.Lock/Unlock", &request.base);
}

static void unlock_ok(struct lab *lab, const char *key)
{
    struct talk talk;

    unlock(lab, &talk, key);
    assert_true(talk.is_ended);
    assert_int_equal(talk.code, GRPC_OK);
    talk_free(&talk);
}

static const V3lockpb__LockResponse *locked(const struct talk *talk)
{
    assert_true(talk->is_ended);
    assert_string_equal(talk->text, "");
    assert_int_equal(talk->code, GRPC_OK);
    assert_int_equal(talk->message_count, 1);
    return (const V3lockpb__LockResponse *)talk->messages[0];
}

static void assert_failed(const struct talk *talk, int32_t code, const char *text)
{
    assert_true(talk->is_ended);
    assert_string_equal(talk->text, text);
    assert_int_equal(talk->code, code);
}

static void lock__free__is_given_with_the_name_and_the_lease_in_hexadecimal(void **state)
{
    struct lab *lab = *state;
    struct talk lock;

    lab_grant(lab, 0xbeef, 30);
    lock_start(lab, &lock, "n", 0xbeef);
    assert_bytes(locked(&lock)->key, "n/beef");
    assert_int_equal(locked(&lock)->header->revision, 2);
    assert_true(lab_has(lab, "n/beef"));
    talk_free(&lock);
}

static void lock__again_by_the_same_lease__is_given_at_once_without_a_revision(void **state)
{
    struct lab *lab = *state;
    struct talk first;
    struct talk second;

    lab_grant(lab, 1, 30);
    lock_start(lab, &first, "n", 1);
    lock_start(lab, &second, "n", 1);
    assert_bytes(locked(&second)->key, "n/1");
    assert_int_equal(locked(&second)->header->revision, 2);
    talk_free(&first);
    talk_free(&second);
}

static void lock__held__waits_until_it_is_unlocked(void **state)
{
    struct lab *lab = *state;
    struct talk first;
    struct talk second;

    lab_grant(lab, 1, 3000);
    lab_grant(lab, 2, 3000);
    lock_start(lab, &first, "n", 1);
    lock_start(lab, &second, "n", 2);
    lab_pass(lab, UINT64_C(1000000) * 1000);
    assert_false(second.is_ended);
    unlock_ok(lab, "n/1");
    assert_bytes(locked(&second)->key, "n/2");
    assert_int_equal(locked(&second)->header->revision, 4);
    talk_free(&first);
    talk_free(&second);
}

static void lock__other_names__do_not_wait_for_each_other(void **state)
{
    struct lab *lab = *state;
    struct talk locks[3];

    lab_grant(lab, 1, 30);
    lock_start(lab, &locks[0], "n", 1);
    lock_start(lab, &locks[1], "m", 1);
    lock_start(lab, &locks[2], "", 1);
    assert_bytes(locked(&locks[0])->key, "n/1");
    assert_bytes(locked(&locks[1])->key, "m/1");
    assert_bytes(locked(&locks[2])->key, "/1");
    for (size_t i = 0; i < 3; i++) {
        talk_free(&locks[i]);
    }
}

static void lock__a_key_deep_below_the_name__is_waited_for(void **state)
{
    struct lab *lab = *state;
    struct talk lock;

    lab_put_directly(lab, "n/x/y", "somebody else's");
    lab_put_directly(lab, "n0", "behind");
    lab_grant(lab, 1, 30);
    lock_start(lab, &lock, "n", 1);
    assert_false(lock.is_ended);
    lab_delete_directly(lab, "n/x/y");
    assert_bytes(locked(&lock)->key, "n/1");
    talk_free(&lock);
}

static void lock__many_waiters__get_it_in_the_order_in_which_they_came(void **state)
{
    struct lab *lab = *state;
    static struct talk waiters[WAITERS_MAX];

    for (int i = 0; i < WAITERS_MAX; i++) {
        lab_grant(lab, WAITERS_MAX - i, 30);
        lock_start(lab, &waiters[i], "n", WAITERS_MAX - i);
    }
    for (int i = 0; i < WAITERS_MAX; i++) {
        char key[32];
        (void)snprintf(key, sizeof(key), "n/%" PRIx64, (uint64_t)(WAITERS_MAX - i));
        assert_bytes(locked(&waiters[i])->key, key);
        if (i + 1 < WAITERS_MAX) {
            assert_false(waiters[i + 1].is_ended);
        }
        unlock_ok(lab, key);
        talk_free(&waiters[i]);
    }
}

static void lock__a_waiter_in_the_middle_goes__its_key_goes_and_nobody_moves_up(void **state)
{
    struct lab *lab = *state;
    struct talk locks[3];

    for (int i = 0; i < 3; i++) {
        lab_grant(lab, i + 1, 30);
        lock_start(lab, &locks[i], "n", i + 1);
    }
    assert_true(lab_has(lab, "n/2"));
    talk_cancel(&locks[1]);
    lab_settle(lab);
    assert_false(lab_has(lab, "n/2"));
    assert_false(locks[2].is_ended);
    unlock_ok(lab, "n/1");
    assert_bytes(locked(&locks[2])->key, "n/3");
    for (int i = 0; i < 3; i++) {
        talk_free(&locks[i]);
    }
}

static void lock__given_and_its_client_goes__its_key_stays(void **state)
{
    struct lab *lab = *state;
    struct talk lock;

    lab_grant(lab, 1, 30);
    lock_start(lab, &lock, "n", 1);
    talk_free(&lock);
    grpc_channel_destroy(lab->channel);
    lab->channel = NULL;
    lab_settle(lab);
    assert_true(lab_has(lab, "n/1"));
}

static void lock__the_server_dies_under_waiters__their_keys_stay(void **state)
{
    struct lab *lab = *state;
    struct talk first;
    struct talk second;

    lab_grant(lab, 1, 30);
    lab_grant(lab, 2, 30);
    lock_start(lab, &first, "n", 1);
    lock_start(lab, &second, "n", 2);
    fakeetcd_server_kill(lab->server);
    lab_settle(lab);
    assert_int_equal(second.code, GRPC_UNAVAILABLE);
    assert_int_equal(fakeetcd_server_start(lab->server, true), RT_OK);
    lab_settle(lab);
    assert_true(lab_has(lab, "n/2"));
    talk_free(&first);
    talk_free(&second);
    lock_start(lab, &second, "n", 2);
    assert_false(second.is_ended);
    unlock_ok(lab, "n/1");
    assert_bytes(locked(&second)->key, "n/2");
    talk_free(&second);
}

static void lock__a_waiter_whose_client_goes_just_before_the_server_dies__is_forgotten(void **state)
{
    struct lab *lab = *state;
    struct talk first;
    struct talk second;

    lab_grant(lab, 1, 30);
    lab_grant(lab, 2, 30);
    lock_start(lab, &first, "n", 1);
    lock_start(lab, &second, "n", 2);
    talk_cancel(&second);
    fakeetcd_server_kill(lab->server);
    assert_int_equal(fakeetcd_server_start(lab->server, false), RT_OK);
    lab_settle(lab);
    assert_int_equal(fakeetcd_store_revision(fakeetcd_server_state(lab->server)->store), 1);
    talk_free(&first);
}

static void lock__the_holders_lease_ends__the_next_has_it(void **state)
{
    struct lab *lab = *state;
    struct talk first;
    struct talk second;

    lab_grant(lab, 1, 10);
    lab_grant(lab, 2, 100);
    lock_start(lab, &first, "n", 1);
    lock_start(lab, &second, "n", 2);
    lab_pass(lab, 9000000);
    assert_false(second.is_ended);
    lab_pass(lab, 2000000);
    assert_bytes(locked(&second)->key, "n/2");
    talk_free(&first);
    talk_free(&second);
}

static void lock__the_waiters_lease_ends__fails_when_its_turn_comes(void **state)
{
    struct lab *lab = *state;
    struct talk first;
    struct talk second;

    lab_grant(lab, 1, 100);
    lab_grant(lab, 2, 100);
    lock_start(lab, &first, "n", 1);
    lock_start(lab, &second, "n", 2);
    lab_revoke(lab, 2);
    assert_false(second.is_ended);
    unlock_ok(lab, "n/1");
    assert_failed(&second, GRPC_UNKNOWN, "mutex: session is expired");
    talk_free(&first);
    talk_free(&second);
}

static void lock__the_waiters_lease_ends_in_3_4__is_given_without_a_key(void **state)
{
    struct lab *lab = *state;
    struct talk first;
    struct talk second;

    lab_grant(lab, 1, 100);
    lab_grant(lab, 2, 100);
    lock_start(lab, &first, "n", 1);
    lock_start(lab, &second, "n", 2);
    lab_revoke(lab, 2);
    assert_false(second.is_ended);
    unlock_ok(lab, "n/1");
    assert_bytes(locked(&second)->key, "n/2");
    assert_false(lab_has(lab, "n/2"));
    talk_free(&first);
    talk_free(&second);
}

static void lock__without_a_lease__gets_one_of_60_s_that_nobody_keeps_alive(void **state)
{
    struct lab *lab = *state;
    struct talk lock;
    int64_t lease = 0;

    lock_start(lab, &lock, "n", 0);
    const V3lockpb__LockResponse *response = locked(&lock);
    assert_memory_equal(response->key.data, "n/", 2);
    for (size_t i = 2; i < response->key.len; i++) {
        uint8_t c = response->key.data[i];
        lease = lease * 16 + (c >= 'a' ? c - 'a' + 10 : c - '0');
    }
    assert_int_equal(lab_ttl_of(lab, lease), 60);
    lab_pass(lab, 12000000);
    assert_int_equal(lab_ttl_of(lab, lease), 48);
    lab_pass(lab, 50000000);
    assert_int_equal(lab_ttl_of(lab, lease), -1);
    assert_int_equal(fakeetcd_store_revision(fakeetcd_server_state(lab->server)->store), 3);
    talk_free(&lock);
}

static void lock__a_lease_that_is_none__fails_with_code_2(void **state)
{
    struct lab *lab = *state;
    struct talk lock;

    lock_start(lab, &lock, "n", 12345);
    assert_failed(&lock, GRPC_UNKNOWN, "etcdserver: requested lease not found");
    talk_free(&lock);
    lock_start(lab, &lock, "n", -5);
    assert_failed(&lock, GRPC_UNKNOWN, "etcdserver: requested lease not found");
    talk_free(&lock);
}

static void lock__the_watched_history_is_compacted__waits_on(void **state)
{
    struct lab *lab = *state;
    struct talk first;
    struct talk second;

    lab_grant(lab, 1, 100);
    lab_grant(lab, 2, 100);
    lock_start(lab, &first, "n", 1);
    lock_start(lab, &second, "n", 2);
    lab_put_directly(lab, "other", "1");
    assert_int_equal(fakeetcd_server_compact(lab->server, 4), FAKEETCD_OK);
    lab_pass(lab, 1000000);
    assert_false(second.is_ended);
    unlock_ok(lab, "n/1");
    assert_bytes(locked(&second)->key, "n/2");
    talk_free(&first);
    talk_free(&second);
}

static void lock__read_only__fails(void **state)
{
    struct lab *lab = *state;
    struct talk lock;

    lab_grant(lab, 1, 100);
    fakeetcd_server_set(lab->server, FAKEETCD_READ_ONLY, true);
    lock_start(lab, &lock, "n", 1);
    assert_failed(&lock, GRPC_UNKNOWN, "etcdserver: request timed out");
    assert_false(lab_has(lab, "n/1"));
    talk_free(&lock);
}

static void unlock__no_key_there__is_fine(void **state)
{
    struct lab *lab = *state;

    unlock_ok(lab, "nothing");
}

static void unlock__an_empty_key__fails_with_code_2(void **state)
{
    struct lab *lab = *state;
    struct talk talk;

    unlock(lab, &talk, "");
    assert_failed(&talk, GRPC_UNKNOWN, "etcdserver: key is not provided");
    talk_free(&talk);
}

#define CASE_3_4(name) cmocka_unit_test_setup_teardown(name, setup_3_4, lab_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LAB_CASE(lock__free__is_given_with_the_name_and_the_lease_in_hexadecimal),
        LAB_CASE(lock__again_by_the_same_lease__is_given_at_once_without_a_revision),
        LAB_CASE(lock__held__waits_until_it_is_unlocked),
        LAB_CASE(lock__other_names__do_not_wait_for_each_other),
        LAB_CASE(lock__a_key_deep_below_the_name__is_waited_for),
        LAB_CASE(lock__many_waiters__get_it_in_the_order_in_which_they_came),
        LAB_CASE(lock__a_waiter_in_the_middle_goes__its_key_goes_and_nobody_moves_up),
        LAB_CASE(lock__given_and_its_client_goes__its_key_stays),
        LAB_CASE(lock__the_server_dies_under_waiters__their_keys_stay),
        LAB_CASE(lock__a_waiter_whose_client_goes_just_before_the_server_dies__is_forgotten),
        LAB_CASE(lock__the_holders_lease_ends__the_next_has_it),
        LAB_CASE(lock__the_waiters_lease_ends__fails_when_its_turn_comes),
        CASE_3_4(lock__the_waiters_lease_ends_in_3_4__is_given_without_a_key),
        LAB_CASE(lock__without_a_lease__gets_one_of_60_s_that_nobody_keeps_alive),
        LAB_CASE(lock__a_lease_that_is_none__fails_with_code_2),
        LAB_CASE(lock__the_watched_history_is_compacted__waits_on),
        LAB_CASE(lock__read_only__fails),
        LAB_CASE(unlock__no_key_there__is_fine),
        LAB_CASE(unlock__an_empty_key__fails_with_code_2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
