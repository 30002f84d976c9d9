/* SPDX-License-Identifier: Apache-2.0 */
/* Leases by etcd's rules. Time is an argument, so nothing waits. */
#include "fakeetcd/lease/lease.h"

#include "runtime/loop.h"
#include "runtime/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka needs the C library's first. */
#include <cmocka.h>

#define FLOOR_S    2
#define SECOND_US  UINT64_C(1000000)
#define KEYS       8
#define LEASES     5
#define TEXT_BYTES 512

struct fixture {
    struct fakeetcd_store *store;
    struct fakeetcd_leases *leases;
    char text[TEXT_BYTES];
    size_t revisions; /* told since the last look */
    int64_t holder[KEYS];
    bool is_present[KEYS];
};

static void on_revision(void *arg, int64_t revision, const struct fakeetcd_change *changes,
                        size_t count)
{
    struct fixture *fx = arg;

    (void)revision;
    fx->revisions++;
    for (size_t i = 0; i < count; i++) {
        const struct fakeetcd_kv *kv = &changes[i].kv;
        if (kv->version == 0) {
            size_t used = strlen(fx->text);
            snprintf(fx->text + used, sizeof(fx->text) - used, "-%.*s ", (int)kv->key.len_bytes,
                     (const char *)kv->key.data);
        }
    }
}

static int set_up(void **state)
{
    struct fixture *fx = calloc(1, sizeof(*fx));

    assert_non_null(fx);
    assert_int_equal(fakeetcd_store_create(&fx->store), RT_OK);
    assert_int_equal(fakeetcd_leases_create(fx->store, FLOOR_S, &fx->leases), RT_OK);
    assert_int_equal(fakeetcd_store_observe(fx->store, on_revision, fx), RT_OK);
    *state = fx;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fx = *state;

    fakeetcd_leases_destroy(fx->leases);
    fakeetcd_store_destroy(fx->store);
    free(fx);
    return 0;
}

static void grant(struct fixture *fx, int64_t id, int64_t ttl_s)
{
    assert_int_equal(fakeetcd_lease_grant(fx->leases, id, ttl_s, 0, NULL), FAKEETCD_OK);
}

static void put(struct fixture *fx, const char *key, int64_t lease)
{
    fakeetcd_write_begin(fx->store);
    assert_int_equal(
        fakeetcd_write_put(fx->store, rt_slice_text(key), rt_slice_text("v"), NULL, lease, NULL),
        FAKEETCD_OK);
    assert_int_equal(fakeetcd_write_end(fx->store), FAKEETCD_OK);
}

static void drop(struct fixture *fx, const char *key)
{
    fakeetcd_write_begin(fx->store);
    (void)fakeetcd_write_delete(fx->store, rt_slice_text(key), NULL);
    assert_int_equal(fakeetcd_write_end(fx->store), FAKEETCD_OK);
}

static bool print_key(void *arg, struct rt_slice key)
{
    struct fixture *fx = arg;
    size_t used = strlen(fx->text);

    snprintf(fx->text + used, sizeof(fx->text) - used, "%.*s ", (int)key.len_bytes,
             (const char *)key.data);
    return true;
}

static const char *keys_of(struct fixture *fx, int64_t id)
{
    fx->text[0] = '\0';
    fakeetcd_lease_keys(fx->leases, id, print_key, fx);
    return fx->text;
}

/* ---- granting ---- */

static void grant__ttl_below_the_floor__is_raised_to_it(void **state)
{
    struct fixture *fx = *state;
    struct fakeetcd_lease_info info;

    assert_int_equal(fakeetcd_lease_grant(fx->leases, 1, 0, 5 * SECOND_US, &info), FAKEETCD_OK);
    assert_int_equal(info.granted_ttl_s, 2);
    assert_int_equal(info.expires_us, 7 * SECOND_US);
    assert_int_equal(fakeetcd_lease_grant(fx->leases, 2, -7, 0, &info), FAKEETCD_OK);
    assert_int_equal(info.granted_ttl_s, 2);
    assert_int_equal(fakeetcd_lease_grant(fx->leases, 3, 3, 0, &info), FAKEETCD_OK);
    assert_int_equal(info.granted_ttl_s, 3);
}

static void grant__ttl_above_the_limit__is_refused(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(fakeetcd_lease_grant(fx->leases, 1, FAKEETCD_LEASE_TTL_MAX_S + 1, 0, NULL),
                     FAKEETCD_E_LEASE_TTL_TOO_LARGE);
    assert_int_equal(fakeetcd_lease_grant(fx->leases, 1, FAKEETCD_LEASE_TTL_MAX_S, 0, NULL),
                     FAKEETCD_OK);
}

static void grant__id_that_is_taken__is_refused(void **state)
{
    struct fixture *fx = *state;

    grant(fx, 7, 10);
    assert_int_equal(fakeetcd_lease_grant(fx->leases, 7, 20, 0, NULL), FAKEETCD_E_LEASE_EXISTS);
    assert_int_equal(fakeetcd_lease_count(fx->leases), 1);
}

/* ---- keys ---- */

static void key__put_with_a_lease__hangs_on_it_in_key_order(void **state)
{
    struct fixture *fx = *state;

    grant(fx, 1, 10);
    put(fx, "c", 1);
    put(fx, "a", 1);
    put(fx, "b", 1);
    put(fx, "a", 1);
    put(fx, "x", 0);
    assert_string_equal(keys_of(fx, 1), "a b c ");
}

static void key__put_with_another_lease_or_none__moves_or_leaves(void **state)
{
    struct fixture *fx = *state;

    grant(fx, 1, 10);
    grant(fx, 2, 10);
    put(fx, "a", 1);
    put(fx, "b", 1);
    put(fx, "a", 2);
    put(fx, "b", 0);
    assert_string_equal(keys_of(fx, 1), "");
    assert_string_equal(keys_of(fx, 2), "a ");
    assert_int_equal(fakeetcd_lease_revoke(fx->leases, 1), FAKEETCD_OK);
    assert_string_equal(keys_of(fx, 2), "a ");
    assert_int_equal(fakeetcd_store_revision(fx->store), 5);
}

static void key__deleted__leaves_its_lease(void **state)
{
    struct fixture *fx = *state;

    grant(fx, 1, 10);
    put(fx, "a", 1);
    drop(fx, "a");
    assert_string_equal(keys_of(fx, 1), "");
    put(fx, "a", 0);
    assert_string_equal(keys_of(fx, 1), "");
}

static void key__of_a_write_that_is_aborted__hangs_on_nothing(void **state)
{
    struct fixture *fx = *state;

    grant(fx, 1, 10);
    fakeetcd_write_begin(fx->store);
    assert_int_equal(
        fakeetcd_write_put(fx->store, rt_slice_text("a"), rt_slice_text(""), NULL, 1, NULL),
        FAKEETCD_OK);
    fakeetcd_write_abort(fx->store);
    assert_string_equal(keys_of(fx, 1), "");
}

/* ---- revoking ---- */

static void revoke__lease_with_keys__deletes_them_in_key_order_in_one_revision(void **state)
{
    struct fixture *fx = *state;

    grant(fx, 1, 10);
    put(fx, "b", 1);
    put(fx, "c", 1);
    put(fx, "a", 1);
    put(fx, "d", 0);
    fx->revisions = 0;
    fx->text[0] = '\0';
    assert_int_equal(fakeetcd_lease_revoke(fx->leases, 1), FAKEETCD_OK);
    assert_int_equal(fx->revisions, 1);
    assert_string_equal(fx->text, "-a -b -c ");
    assert_int_equal(fakeetcd_store_revision(fx->store), 6);
    assert_false(fakeetcd_lease_find(fx->leases, 1, NULL));
}

static void revoke__lease_without_keys__makes_no_revision(void **state)
{
    struct fixture *fx = *state;

    grant(fx, 1, 10);
    assert_int_equal(fakeetcd_lease_revoke(fx->leases, 1), FAKEETCD_OK);
    assert_int_equal(fakeetcd_store_revision(fx->store), 1);
    assert_int_equal(fakeetcd_lease_revoke(fx->leases, 1), FAKEETCD_E_LEASE_NOT_FOUND);
}

/* ---- time ---- */

static void due__leases_of_different_ends__come_in_order_of_expiry_and_not_before(void **state)
{
    struct fixture *fx = *state;

    assert_true(fakeetcd_leases_next_us(fx->leases) == RT_NEVER);
    grant(fx, 9, 10);
    grant(fx, 5, 30);
    grant(fx, 7, 20);
    assert_int_equal(fakeetcd_leases_next_us(fx->leases), 10 * SECOND_US);
    assert_int_equal(fakeetcd_leases_due(fx->leases, 10 * SECOND_US - 1), 0);
    assert_int_equal(fakeetcd_leases_due(fx->leases, 10 * SECOND_US), 9);
    assert_int_equal(fakeetcd_lease_revoke(fx->leases, 9), FAKEETCD_OK);
    assert_int_equal(fakeetcd_leases_due(fx->leases, 40 * SECOND_US), 7);
    assert_int_equal(fakeetcd_lease_revoke(fx->leases, 7), FAKEETCD_OK);
    assert_int_equal(fakeetcd_leases_due(fx->leases, 40 * SECOND_US), 5);
}

static void renew__before_and_at_the_end__prolongs_or_finds_none(void **state)
{
    struct fixture *fx = *state;
    int64_t ttl_s = 0;

    grant(fx, 1, 10);
    assert_true(fakeetcd_lease_renew(fx->leases, 1, 9 * SECOND_US, &ttl_s));
    assert_int_equal(ttl_s, 10);
    assert_int_equal(fakeetcd_leases_next_us(fx->leases), 19 * SECOND_US);
    assert_false(fakeetcd_lease_renew(fx->leases, 1, 19 * SECOND_US, &ttl_s));
    assert_false(fakeetcd_lease_renew(fx->leases, 2, 0, &ttl_s));
}

static void set_expiry__now_or_never__moves_it_in_the_order(void **state)
{
    struct fixture *fx = *state;

    grant(fx, 1, 10);
    grant(fx, 2, 20);
    assert_true(fakeetcd_lease_set_expiry(fx->leases, 2, 3));
    assert_int_equal(fakeetcd_leases_due(fx->leases, 3), 2);
    assert_true(fakeetcd_lease_set_expiry(fx->leases, 2, RT_NEVER));
    assert_int_equal(fakeetcd_leases_next_us(fx->leases), 10 * SECOND_US);
    assert_false(fakeetcd_lease_set_expiry(fx->leases, 3, 1));
}

static void refill__after_a_new_leader__gives_each_its_full_ttl(void **state)
{
    struct fixture *fx = *state;
    struct fakeetcd_lease_info info;

    grant(fx, 1, 10);
    grant(fx, 2, 20);
    fakeetcd_leases_refill(fx->leases, 9 * SECOND_US);
    assert_true(fakeetcd_lease_find(fx->leases, 1, &info));
    assert_int_equal(info.expires_us, 19 * SECOND_US);
    assert_true(fakeetcd_lease_find(fx->leases, 2, &info));
    assert_int_equal(info.expires_us, 29 * SECOND_US);
}

/* ---- many ---- */

struct listing {
    int64_t last;
    size_t count;
};

static bool in_order(void *arg, const struct fakeetcd_lease_info *info)
{
    struct listing *listing = arg;

    assert_true(info->id > listing->last);
    listing->last = info->id;
    listing->count++;
    return true;
}

static void walk__leases_granted_in_any_order__is_by_id(void **state)
{
    struct fixture *fx = *state;
    struct listing listing = {.last = 0};

    for (int64_t i = 1; i <= 100; i++) {
        grant(fx, i * 37 % 101, 10);
    }
    fakeetcd_leases_walk(fx->leases, in_order, &listing);
    assert_int_equal(listing.count, 100);
}

static void expect_keys(struct fixture *fx, int64_t lease)
{
    char expected[TEXT_BYTES] = "";

    for (int key = 0; key < KEYS; key++) {
        if (fx->is_present[key] && fx->holder[key] == lease) {
            size_t used = strlen(expected);
            snprintf(expected + used, sizeof(expected) - used, "k%d ", key);
        }
    }
    assert_string_equal(keys_of(fx, lease), expected);
}

static void leases__random_puts_deletes_and_revokes__hold_exactly_their_keys(void **state)
{
    struct fixture *fx = *state;
    struct rt_random random;

    rt_random_init(&random, 3, "leases");
    for (int step = 0; step < 20000; step++) {
        int key = (int)rt_random_below(&random, KEYS);
        int64_t lease = (int64_t)rt_random_below(&random, LEASES + 1);
        char name[4];
        snprintf(name, sizeof(name), "k%d", key);
        switch (rt_random_below(&random, 8)) {
        case 0:
            drop(fx, name);
            fx->is_present[key] = false;
            break;
        case 1:
            if (fakeetcd_lease_revoke(fx->leases, lease) == FAKEETCD_OK) {
                for (int i = 0; i < KEYS; i++) {
                    fx->is_present[i] = fx->is_present[i] && fx->holder[i] != lease;
                }
            }
            break;
        case 2:
            if (lease != 0 && !fakeetcd_lease_find(fx->leases, lease, NULL)) {
                grant(fx, lease, 10);
            }
            break;
        default:
            if (lease == 0 || fakeetcd_lease_find(fx->leases, lease, NULL)) {
                put(fx, name, lease);
                fx->is_present[key] = true;
                fx->holder[key] = lease;
            }
            break;
        }
        if (lease != 0) {
            expect_keys(fx, lease);
        }
    }
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(grant__ttl_below_the_floor__is_raised_to_it),
        TEST(grant__ttl_above_the_limit__is_refused),
        TEST(grant__id_that_is_taken__is_refused),
        TEST(key__put_with_a_lease__hangs_on_it_in_key_order),
        TEST(key__put_with_another_lease_or_none__moves_or_leaves),
        TEST(key__deleted__leaves_its_lease),
        TEST(key__of_a_write_that_is_aborted__hangs_on_nothing),
        TEST(revoke__lease_with_keys__deletes_them_in_key_order_in_one_revision),
        TEST(revoke__lease_without_keys__makes_no_revision),
        TEST(due__leases_of_different_ends__come_in_order_of_expiry_and_not_before),
        TEST(renew__before_and_at_the_end__prolongs_or_finds_none),
        TEST(set_expiry__now_or_never__moves_it_in_the_order),
        TEST(refill__after_a_new_leader__gives_each_its_full_ttl),
        TEST(walk__leases_granted_in_any_order__is_by_id),
        TEST(leases__random_puts_deletes_and_revokes__hold_exactly_their_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
