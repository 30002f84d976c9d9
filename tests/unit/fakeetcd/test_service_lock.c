/* SPDX-License-Identifier: Apache-2.0 */
#include "etcd_world.h"

#include "fakeetcd/data_dir.h"
#include "wire/proto/etcd_lock.pb-c.h"

#include <inttypes.h>

/* What the Lock service of etcd 3.4.23 was seen to do; where 3.5 differs the case says so. */

#define WAITERS_MAX 300

static int setup(void **state)
{
    static struct world world;

    world_init(&world, "etcd-3.5");
    *state = &world;
    return 0;
}

static int setup_3_4(void **state)
{
    static struct world world;

    world_init(&world, "etcd-3.4");
    *state = &world;
    return 0;
}

static int teardown(void **state)
{
    world_fini(*state);
    return 0;
}

static void lock_start(struct world *world, struct asked *asked, const char *name, int64_t lease)
{
    V3lockpb__LockRequest request = V3LOCKPB__LOCK_REQUEST__INIT;

    request.name = bytes_of(name);
    request.lease = lease;
    ask_start(world, asked, "/v3lockpb.Lock/Lock", &request.base,
              &v3lockpb__lock_response__descriptor);
    world_settle(world);
}

static void unlock(struct world *world, struct asked *asked, const char *key)
{
    V3lockpb__UnlockRequest request = V3LOCKPB__UNLOCK_REQUEST__INIT;

    request.key = bytes_of(key);
    ask(world, asked, "/v3lockpb.Lock/Unlock", &request.base,
        &v3lockpb__unlock_response__descriptor);
}

static void unlock_ok(struct world *world, const char *key)
{
    struct asked asked;

    unlock(world, &asked, key);
    assert_true(asked.is_ended);
    assert_int_equal(asked.code, GRPC_OK);
    asked_free(&asked);
}

static const V3lockpb__LockResponse *locked(const struct asked *asked)
{
    assert_true(asked->is_ended);
    assert_string_equal(asked->text, "");
    assert_int_equal(asked->code, GRPC_OK);
    assert_int_equal(asked->message_count, 1);
    return (const V3lockpb__LockResponse *)asked->messages[0];
}

static void assert_failed(const struct asked *asked, int32_t code, const char *text)
{
    assert_true(asked->is_ended);
    assert_string_equal(asked->text, text);
    assert_int_equal(asked->code, code);
}

static void lock__free__is_given_with_the_name_and_the_lease_in_hexadecimal(void **state)
{
    struct world *world = *state;
    struct asked lock;

    grant(world, 0xbeef, 30);
    lock_start(world, &lock, "n", 0xbeef);
    assert_bytes(locked(&lock)->key, "n/beef");
    assert_int_equal(locked(&lock)->header->revision, 2);
    assert_true(has_key(world, "n/beef"));
    asked_free(&lock);
}

static void lock__again_by_the_same_lease__is_given_at_once_without_a_revision(void **state)
{
    struct world *world = *state;
    struct asked first;
    struct asked second;

    grant(world, 1, 30);
    lock_start(world, &first, "n", 1);
    lock_start(world, &second, "n", 1);
    assert_bytes(locked(&second)->key, "n/1");
    assert_int_equal(locked(&second)->header->revision, 2);
    asked_free(&first);
    asked_free(&second);
}

static void lock__held__waits_until_it_is_unlocked(void **state)
{
    struct world *world = *state;
    struct asked first;
    struct asked second;

    grant(world, 1, 3000);
    grant(world, 2, 3000);
    lock_start(world, &first, "n", 1);
    lock_start(world, &second, "n", 2);
    world_pass(world, UINT64_C(1000000) * 1000);
    assert_false(second.is_ended);
    unlock_ok(world, "n/1");
    assert_bytes(locked(&second)->key, "n/2");
    assert_int_equal(locked(&second)->header->revision, 4);
    asked_free(&first);
    asked_free(&second);
}

static void lock__other_names__do_not_wait_for_each_other(void **state)
{
    struct world *world = *state;
    struct asked locks[3];

    grant(world, 1, 30);
    lock_start(world, &locks[0], "n", 1);
    lock_start(world, &locks[1], "m", 1);
    lock_start(world, &locks[2], "", 1);
    assert_bytes(locked(&locks[0])->key, "n/1");
    assert_bytes(locked(&locks[1])->key, "m/1");
    assert_bytes(locked(&locks[2])->key, "/1");
    for (size_t i = 0; i < 3; i++) {
        asked_free(&locks[i]);
    }
}

static void lock__a_key_deep_below_the_name__is_waited_for(void **state)
{
    struct world *world = *state;
    struct asked lock;

    put(world, "n/x/y", "somebody else's");
    put(world, "n0", "behind");
    grant(world, 1, 30);
    lock_start(world, &lock, "n", 1);
    assert_false(lock.is_ended);
    delete_key(world, "n/x/y");
    assert_bytes(locked(&lock)->key, "n/1");
    asked_free(&lock);
}

static void lock__many_waiters__get_it_in_the_order_in_which_they_came(void **state)
{
    struct world *world = *state;
    static struct asked waiters[WAITERS_MAX];

    for (int i = 0; i < WAITERS_MAX; i++) {
        grant(world, WAITERS_MAX - i, 30);
        lock_start(world, &waiters[i], "n", WAITERS_MAX - i);
    }
    for (int i = 0; i < WAITERS_MAX; i++) {
        char key[32];
        (void)snprintf(key, sizeof(key), "n/%" PRIx64, (uint64_t)(WAITERS_MAX - i));
        assert_bytes(locked(&waiters[i])->key, key);
        if (i + 1 < WAITERS_MAX) {
            assert_false(waiters[i + 1].is_ended);
        }
        unlock_ok(world, key);
        asked_free(&waiters[i]);
    }
}

static void lock__a_waiter_in_the_middle_goes__its_key_goes_and_nobody_moves_up(void **state)
{
    struct world *world = *state;
    struct asked locks[3];

    for (int i = 0; i < 3; i++) {
        grant(world, i + 1, 30);
        lock_start(world, &locks[i], "n", i + 1);
    }
    assert_true(has_key(world, "n/2"));
    ask_cancel(&locks[1]);
    world_settle(world);
    assert_false(has_key(world, "n/2"));
    assert_false(locks[2].is_ended);
    unlock_ok(world, "n/1");
    assert_bytes(locked(&locks[2])->key, "n/3");
    for (int i = 0; i < 3; i++) {
        asked_free(&locks[i]);
    }
}

static void lock__given_and_its_client_goes__its_key_stays(void **state)
{
    struct world *world = *state;
    struct asked lock;

    grant(world, 1, 30);
    lock_start(world, &lock, "n", 1);
    asked_free(&lock);
    grpc_channel_destroy(world->channel);
    world->channel = NULL;
    world_settle(world);
    assert_true(has_key(world, "n/1"));
}

static void lock__the_server_dies_under_waiters__their_keys_stay(void **state)
{
    struct world *world = *state;
    struct asked first;
    struct asked second;

    grant(world, 1, 30);
    grant(world, 2, 30);
    lock_start(world, &first, "n", 1);
    lock_start(world, &second, "n", 2);
    fakeetcd_server_kill(world->server);
    world_settle(world);
    assert_int_equal(second.code, GRPC_UNAVAILABLE);
    assert_int_equal(fakeetcd_server_start(world->server, true), RT_OK);
    world_settle(world);
    assert_true(has_key(world, "n/2"));
    asked_free(&first);
    asked_free(&second);
    lock_start(world, &second, "n", 2);
    assert_false(second.is_ended);
    unlock_ok(world, "n/1");
    assert_bytes(locked(&second)->key, "n/2");
    asked_free(&second);
}

static void lock__a_waiter_whose_client_goes_just_before_the_server_dies__is_forgotten(void **state)
{
    struct world *world = *state;
    struct asked first;
    struct asked second;

    grant(world, 1, 30);
    grant(world, 2, 30);
    lock_start(world, &first, "n", 1);
    lock_start(world, &second, "n", 2);
    ask_cancel(&second);
    fakeetcd_server_kill(world->server);
    assert_int_equal(fakeetcd_server_start(world->server, false), RT_OK);
    world_settle(world);
    assert_int_equal(fakeetcd_store_revision(fakeetcd_server_state(world->server)->store), 1);
    asked_free(&first);
}

static void lock__the_holders_lease_ends__the_next_has_it(void **state)
{
    struct world *world = *state;
    struct asked first;
    struct asked second;

    grant(world, 1, 10);
    grant(world, 2, 100);
    lock_start(world, &first, "n", 1);
    lock_start(world, &second, "n", 2);
    world_pass(world, 9000000);
    assert_false(second.is_ended);
    world_pass(world, 2000000);
    assert_bytes(locked(&second)->key, "n/2");
    asked_free(&first);
    asked_free(&second);
}

static void lock__the_waiters_lease_ends__fails_when_its_turn_comes(void **state)
{
    struct world *world = *state;
    struct asked first;
    struct asked second;

    grant(world, 1, 100);
    grant(world, 2, 100);
    lock_start(world, &first, "n", 1);
    lock_start(world, &second, "n", 2);
    revoke(world, 2);
    assert_false(second.is_ended);
    unlock_ok(world, "n/1");
    assert_failed(&second, GRPC_UNKNOWN, "mutex: session is expired");
    asked_free(&first);
    asked_free(&second);
}

static void lock__the_waiters_lease_ends_in_3_4__is_given_without_a_key(void **state)
{
    struct world *world = *state;
    struct asked first;
    struct asked second;

    grant(world, 1, 100);
    grant(world, 2, 100);
    lock_start(world, &first, "n", 1);
    lock_start(world, &second, "n", 2);
    revoke(world, 2);
    assert_false(second.is_ended);
    unlock_ok(world, "n/1");
    assert_bytes(locked(&second)->key, "n/2");
    assert_false(has_key(world, "n/2"));
    asked_free(&first);
    asked_free(&second);
}

static void lock__without_a_lease__gets_one_of_60_s_that_nobody_keeps_alive(void **state)
{
    struct world *world = *state;
    struct asked lock;
    int64_t lease = 0;

    lock_start(world, &lock, "n", 0);
    const V3lockpb__LockResponse *response = locked(&lock);
    assert_memory_equal(response->key.data, "n/", 2);
    for (size_t i = 2; i < response->key.len; i++) {
        uint8_t c = response->key.data[i];
        lease = lease * 16 + (c >= 'a' ? c - 'a' + 10 : c - '0');
    }
    assert_int_equal(ttl_of(world, lease), 59);
    world_pass(world, 12000000);
    assert_int_equal(ttl_of(world, lease), 47);
    world_pass(world, 50000000);
    assert_int_equal(ttl_of(world, lease), -1);
    assert_int_equal(fakeetcd_store_revision(fakeetcd_server_state(world->server)->store), 3);
    asked_free(&lock);
}

static void lock__a_lease_that_is_none__fails_with_code_2(void **state)
{
    struct world *world = *state;
    struct asked lock;

    lock_start(world, &lock, "n", 12345);
    assert_failed(&lock, GRPC_UNKNOWN, "etcdserver: requested lease not found");
    asked_free(&lock);
    lock_start(world, &lock, "n", -5);
    assert_failed(&lock, GRPC_UNKNOWN, "etcdserver: requested lease not found");
    asked_free(&lock);
}

static void lock__the_watched_history_is_compacted__waits_on(void **state)
{
    struct world *world = *state;
    struct asked first;
    struct asked second;

    grant(world, 1, 100);
    grant(world, 2, 100);
    lock_start(world, &first, "n", 1);
    lock_start(world, &second, "n", 2);
    put(world, "other", "1");
    assert_int_equal(fakeetcd_server_compact(world->server, 4), FAKEETCD_OK);
    world_pass(world, 1000000);
    assert_false(second.is_ended);
    unlock_ok(world, "n/1");
    assert_bytes(locked(&second)->key, "n/2");
    asked_free(&first);
    asked_free(&second);
}

static void lock__read_only__fails(void **state)
{
    struct world *world = *state;
    struct asked lock;

    grant(world, 1, 100);
    fakeetcd_server_set(world->server, FAKEETCD_READ_ONLY, true);
    lock_start(world, &lock, "n", 1);
    assert_failed(&lock, GRPC_UNKNOWN, "etcdserver: request timed out");
    assert_false(has_key(world, "n/1"));
    asked_free(&lock);
}

static void unlock__no_key_there__is_fine(void **state)
{
    struct world *world = *state;

    unlock_ok(world, "nothing");
}

static void unlock__an_empty_key__fails_with_code_2(void **state)
{
    struct world *world = *state;
    struct asked asked;

    unlock(world, &asked, "");
    assert_failed(&asked, GRPC_UNKNOWN, "etcdserver: key is not provided");
    asked_free(&asked);
}

#define CASE(name)     cmocka_unit_test_setup_teardown(name, setup, teardown)
#define CASE_3_4(name) cmocka_unit_test_setup_teardown(name, setup_3_4, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(lock__free__is_given_with_the_name_and_the_lease_in_hexadecimal),
        CASE(lock__again_by_the_same_lease__is_given_at_once_without_a_revision),
        CASE(lock__held__waits_until_it_is_unlocked),
        CASE(lock__other_names__do_not_wait_for_each_other),
        CASE(lock__a_key_deep_below_the_name__is_waited_for),
        CASE(lock__many_waiters__get_it_in_the_order_in_which_they_came),
        CASE(lock__a_waiter_in_the_middle_goes__its_key_goes_and_nobody_moves_up),
        CASE(lock__given_and_its_client_goes__its_key_stays),
        CASE(lock__the_server_dies_under_waiters__their_keys_stay),
        CASE(lock__a_waiter_whose_client_goes_just_before_the_server_dies__is_forgotten),
        CASE(lock__the_holders_lease_ends__the_next_has_it),
        CASE(lock__the_waiters_lease_ends__fails_when_its_turn_comes),
        CASE_3_4(lock__the_waiters_lease_ends_in_3_4__is_given_without_a_key),
        CASE(lock__without_a_lease__gets_one_of_60_s_that_nobody_keeps_alive),
        CASE(lock__a_lease_that_is_none__fails_with_code_2),
        CASE(lock__the_watched_history_is_compacted__waits_on),
        CASE(lock__read_only__fails),
        CASE(unlock__no_key_there__is_fine),
        CASE(unlock__an_empty_key__fails_with_code_2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
