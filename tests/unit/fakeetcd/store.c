/* SPDX-License-Identifier: Apache-2.0 */
/* The multi-version store by its rules; random runs against a model are in model.c. */
#include "fakeetcd/store/store.h"

#include "runtime/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka needs the C library's first. */
#include <cmocka.h>

#define MANY_KEYS 2000

struct fixture {
    struct fakeetcd_store *store;
    struct rt_slice last_key;
    size_t visited;
    size_t told; /* revisions an observer was told */
    int64_t told_revision;
    size_t told_changes;
    bool is_present[MANY_KEYS];
};

static struct rt_slice text(const char *bytes)
{
    return rt_slice_text(bytes);
}

static struct fakeetcd_interval between(const char *key, const char *end)
{
    return (struct fakeetcd_interval){text(key), text(end)};
}

static const struct fakeetcd_interval EVERYTHING = {.end = {(const uint8_t *)"", 1}};

static int set_up(void **state)
{
    struct fixture *fx = calloc(1, sizeof(*fx));

    assert_non_null(fx);
    assert_int_equal(fakeetcd_store_create(&fx->store), RT_OK);
    *state = fx;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fx = *state;
    size_t blobs;

    fakeetcd_store_destroy(fx->store);
    blobs = rt_blob_live_count();
    free(fx);
    assert_int_equal(blobs, 0);
    return 0;
}

static void put(struct fixture *fx, const char *key, const char *value)
{
    fakeetcd_write_begin(fx->store);
    assert_int_equal(fakeetcd_write_put(fx->store, text(key), text(value), NULL, 0, NULL),
                     FAKEETCD_OK);
    assert_int_equal(fakeetcd_write_end(fx->store), FAKEETCD_OK);
}

static bool drop(struct fixture *fx, const char *key)
{
    bool was_there;

    fakeetcd_write_begin(fx->store);
    was_there = fakeetcd_write_delete(fx->store, text(key), NULL);
    assert_int_equal(fakeetcd_write_end(fx->store), FAKEETCD_OK);
    return was_there;
}

static struct fakeetcd_kv get(struct fixture *fx, const char *key, int64_t revision)
{
    struct fakeetcd_kv kv = {0};

    (void)fakeetcd_store_get(fx->store, text(key), revision, &kv);
    return kv;
}

/* ---- revisions ---- */

static void revision__of_an_empty_store__is_one_and_the_first_write_makes_two(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(fakeetcd_store_revision(fx->store), 1);
    put(fx, "a", "1");
    assert_int_equal(fakeetcd_store_revision(fx->store), 2);
}

static void revision__write_that_changes_nothing__stays(void **state)
{
    struct fixture *fx = *state;

    assert_false(drop(fx, "a"));
    fakeetcd_write_begin(fx->store);
    assert_int_equal(fakeetcd_write_end(fx->store), FAKEETCD_OK);
    assert_int_equal(fakeetcd_store_revision(fx->store), 1);
}

static void revision__of_one_write__is_shared_by_all_its_keys(void **state)
{
    struct fixture *fx = *state;

    fakeetcd_write_begin(fx->store);
    assert_int_equal(fakeetcd_store_revision(fx->store), 1);
    assert_int_equal(fakeetcd_write_put(fx->store, text("a"), text("1"), NULL, 0, NULL),
                     FAKEETCD_OK);
    assert_int_equal(fakeetcd_store_revision(fx->store), 2);
    assert_int_equal(fakeetcd_write_put(fx->store, text("b"), text("2"), NULL, 0, NULL),
                     FAKEETCD_OK);
    assert_int_equal(fakeetcd_write_end(fx->store), FAKEETCD_OK);
    assert_int_equal(fakeetcd_store_revision(fx->store), 2);
    assert_int_equal(get(fx, "a", 0).mod_revision, 2);
    assert_int_equal(get(fx, "b", 0).mod_revision, 2);
}

static void put__again__keeps_create_revision_and_counts_versions(void **state)
{
    struct fixture *fx = *state;
    struct fakeetcd_kv kv;

    put(fx, "a", "1");
    put(fx, "b", "1");
    put(fx, "a", "2");
    kv = get(fx, "a", 0);
    assert_int_equal(kv.create_revision, 2);
    assert_int_equal(kv.mod_revision, 4);
    assert_int_equal(kv.version, 2);
}

static void put__after_a_delete__begins_again_at_version_one(void **state)
{
    struct fixture *fx = *state;
    struct fakeetcd_kv kv;

    put(fx, "a", "1");
    put(fx, "a", "2");
    assert_true(drop(fx, "a"));
    assert_false(drop(fx, "a"));
    put(fx, "a", "3");
    kv = get(fx, "a", 0);
    assert_int_equal(kv.create_revision, 5);
    assert_int_equal(kv.version, 1);
}

static void put__with_a_previous_wanted__says_what_was_there(void **state)
{
    struct fixture *fx = *state;
    struct fakeetcd_kv previous = {.version = 9};

    fakeetcd_write_begin(fx->store);
    assert_int_equal(fakeetcd_write_put(fx->store, text("a"), text("1"), NULL, 7, &previous),
                     FAKEETCD_OK);
    assert_int_equal(previous.version, 0);
    assert_int_equal(fakeetcd_write_put(fx->store, text("a"), text("2"), NULL, 0, &previous),
                     FAKEETCD_OK);
    assert_true(rt_slice_is_text(previous.value, "1"));
    assert_int_equal(previous.lease, 7);
    assert_int_equal(fakeetcd_write_end(fx->store), FAKEETCD_OK);
    assert_int_equal(get(fx, "a", 0).lease, 0);
}

/* ---- values ---- */

static void put__large_value_in_a_blob__is_kept_by_reference(void **state)
{
    struct fixture *fx = *state;
    uint8_t *bytes;
    struct rt_blob *blob = rt_blob_create(1 << 20, &bytes);
    struct fakeetcd_kv kv;

    assert_non_null(blob);
    memset(bytes, 'x', 1 << 20);
    fakeetcd_write_begin(fx->store);
    assert_int_equal(fakeetcd_write_put(fx->store, text("a"), rt_blob_slice(blob), blob, 0, NULL),
                     FAKEETCD_OK);
    assert_int_equal(fakeetcd_write_end(fx->store), FAKEETCD_OK);
    rt_blob_release(blob);
    kv = get(fx, "a", 0);
    assert_ptr_equal(kv.value_blob, blob);
    assert_ptr_equal(kv.value.data, bytes);
    put(fx, "a", "small");
    assert_int_equal(fakeetcd_store_compact(fx->store, 3), FAKEETCD_OK);
    assert_int_equal(rt_blob_live_count(), 0);
}

static void put__binary_and_empty_keys_and_values__come_back_as_they_are(void **state)
{
    struct fixture *fx = *state;
    const struct rt_slice key = rt_slice_of("\0\xff\0", 3);
    const struct rt_slice value = rt_slice_of("\0", 1);
    struct fakeetcd_kv kv;

    fakeetcd_write_begin(fx->store);
    assert_int_equal(fakeetcd_write_put(fx->store, key, value, NULL, 0, NULL), FAKEETCD_OK);
    assert_int_equal(fakeetcd_write_put(fx->store, text("e"), text(""), NULL, 0, NULL),
                     FAKEETCD_OK);
    assert_int_equal(fakeetcd_write_end(fx->store), FAKEETCD_OK);
    assert_true(fakeetcd_store_get(fx->store, key, 0, &kv));
    assert_true(rt_slice_equal(kv.key, key));
    assert_true(rt_slice_equal(kv.value, value));
    assert_int_equal(get(fx, "e", 0).version, 1);
    assert_int_equal(get(fx, "e", 0).value.len_bytes, 0);
}

/* ---- reading at revisions ---- */

static void get__at_old_revisions__sees_what_was_there_then(void **state)
{
    struct fixture *fx = *state;

    put(fx, "a", "1");
    put(fx, "a", "2");
    drop(fx, "a");
    put(fx, "a", "3");
    assert_int_equal(get(fx, "a", 1).version, 0);
    assert_true(rt_slice_is_text(get(fx, "a", 2).value, "1"));
    assert_true(rt_slice_is_text(get(fx, "a", 3).value, "2"));
    assert_int_equal(get(fx, "a", 4).version, 0);
    assert_true(rt_slice_is_text(get(fx, "a", 5).value, "3"));
    assert_true(rt_slice_is_text(get(fx, "a", 0).value, "3"));
    assert_true(rt_slice_is_text(get(fx, "a", -1).value, "3"));
}

static void check_revision__at_below_and_beyond__as_etcd_answers(void **state)
{
    struct fixture *fx = *state;

    put(fx, "a", "1");
    put(fx, "a", "2");
    put(fx, "a", "3");
    assert_int_equal(fakeetcd_store_compact(fx->store, 3), FAKEETCD_OK);
    assert_int_equal(fakeetcd_store_check_revision(fx->store, -5), FAKEETCD_OK);
    assert_int_equal(fakeetcd_store_check_revision(fx->store, 0), FAKEETCD_OK);
    assert_int_equal(fakeetcd_store_check_revision(fx->store, 2), FAKEETCD_E_COMPACTED);
    assert_int_equal(fakeetcd_store_check_revision(fx->store, 3), FAKEETCD_OK);
    assert_int_equal(fakeetcd_store_check_revision(fx->store, 4), FAKEETCD_OK);
    assert_int_equal(fakeetcd_store_check_revision(fx->store, 5), FAKEETCD_E_FUTURE_REVISION);
    assert_true(rt_slice_is_text(get(fx, "a", 3).value, "2"));
}

static void get__inside_a_write__sees_what_was_written(void **state)
{
    struct fixture *fx = *state;
    struct fakeetcd_store_counts before;
    struct fakeetcd_store_counts after;

    put(fx, "a", "1");
    fakeetcd_store_counts(fx->store, &before);
    fakeetcd_write_begin(fx->store);
    assert_int_equal(fakeetcd_write_put(fx->store, text("b"), text("2"), NULL, 0, NULL),
                     FAKEETCD_OK);
    assert_true(fakeetcd_write_delete(fx->store, text("a"), NULL));
    assert_int_equal(get(fx, "a", 0).version, 0);
    assert_int_equal(get(fx, "b", 0).mod_revision, 3);
    assert_int_equal(get(fx, "a", 2).version, 1);
    assert_int_equal(fakeetcd_store_count(fx->store, &EVERYTHING, 0), 1);
    fakeetcd_write_abort(fx->store);
    fakeetcd_store_counts(fx->store, &after);
    assert_memory_equal(&after, &before, sizeof(after));
    assert_int_equal(get(fx, "a", 0).version, 1);
    assert_int_equal(get(fx, "b", 0).version, 0);
    assert_int_equal(fakeetcd_store_count(fx->store, &EVERYTHING, 0), 1);
    assert_int_equal(fakeetcd_store_revision(fx->store), 2);
}

/* ---- intervals ---- */

static void interval__ends__by_etcd_s_rules(void **state)
{
    const struct fakeetcd_interval one = between("b", "");
    const struct fakeetcd_interval some = between("b", "d");
    const struct fakeetcd_interval rest = {text("b"), rt_slice_of("", 1)};
    const struct fakeetcd_interval inverted = between("d", "b");
    const struct fakeetcd_interval empty = between("b", "b");

    (void)state;
    assert_true(fakeetcd_interval_has(&one, text("b")));
    assert_false(fakeetcd_interval_has(&one, text("ba")));
    assert_true(fakeetcd_interval_has(&some, text("b")));
    assert_true(fakeetcd_interval_has(&some, text("czz")));
    assert_false(fakeetcd_interval_has(&some, text("d")));
    assert_false(fakeetcd_interval_has(&some, text("a")));
    assert_true(fakeetcd_interval_has(&rest, text("\xff\xff")));
    assert_false(fakeetcd_interval_has(&rest, text("a")));
    assert_true(fakeetcd_interval_is_empty(&inverted));
    assert_true(fakeetcd_interval_is_empty(&empty));
    assert_false(fakeetcd_interval_is_empty(&one));
    assert_false(fakeetcd_interval_is_empty(&rest));
}

static bool in_order(void *arg, const struct fakeetcd_kv *kv)
{
    struct fixture *fx = arg;
    size_t shorter =
        fx->last_key.len_bytes < kv->key.len_bytes ? fx->last_key.len_bytes : kv->key.len_bytes;
    int order = shorter == 0 ? 0 : memcmp(fx->last_key.data, kv->key.data, shorter);

    assert_true(order < 0 || (order == 0 && fx->last_key.len_bytes < kv->key.len_bytes));
    fx->last_key = kv->key;
    return ++fx->visited < 3;
}

static void walk__visitor_that_stops__is_not_called_again(void **state)
{
    struct fixture *fx = *state;

    put(fx, "c", "");
    put(fx, "a", "");
    put(fx, "b", "");
    put(fx, "aa", "");
    fakeetcd_store_walk(fx->store, &EVERYTHING, 0, in_order, fx);
    assert_int_equal(fx->visited, 3);
    assert_true(rt_slice_is_text(fx->last_key, "b"));
}

/* ---- counts over many keys: the tree's sums stay right while it turns ---- */

static void name_of(size_t key, char out_name[16])
{
    snprintf(out_name, 16, "key-%05zu", key);
}

static uint64_t present(const struct fixture *fx, size_t low, size_t high)
{
    uint64_t count = 0;

    for (size_t i = low; i < high; i++) {
        count += fx->is_present[i];
    }
    return count;
}

static void count__after_random_puts_deletes_and_compactions__is_what_is_there(void **state)
{
    struct fixture *fx = *state;
    struct rt_random random;
    char low_name[16];
    char high_name[16];

    rt_random_init(&random, 5, "count");
    for (size_t step = 0; step < 20000; step++) {
        size_t key = rt_random_below(&random, MANY_KEYS);
        char name[16];
        name_of(key, name);
        if (rt_random_chance(&random, 45)) {
            assert_int_equal(drop(fx, name), fx->is_present[key]);
            fx->is_present[key] = false;
        } else {
            put(fx, name, "v");
            fx->is_present[key] = true;
        }
        if (step % 500 == 0) {
            size_t low = rt_random_below(&random, MANY_KEYS);
            size_t high = low + rt_random_below(&random, MANY_KEYS - low);
            name_of(low, low_name);
            name_of(high, high_name);
            struct fakeetcd_interval interval = between(low_name, high_name);
            assert_int_equal(fakeetcd_store_count(fx->store, &interval, 0), present(fx, low, high));
            assert_int_equal(fakeetcd_store_count(fx->store, &EVERYTHING, 0),
                             present(fx, 0, MANY_KEYS));
            (void)fakeetcd_store_compact(fx->store, fakeetcd_store_revision(fx->store) - 100);
        }
    }
}

/* Where its value lies now. */
static const uint8_t *place_of(struct fixture *fx, const char *key, const char *value)
{
    struct fakeetcd_kv kv;

    assert_true(fakeetcd_store_get(fx->store, text(key), 0, &kv));
    assert_true(rt_slice_is_text(kv.value, value));
    return kv.value.data;
}

/* Old places lie between keys, which stay; without moving, a page that keeps one key is kept. */
static void compaction__what_survives__moves_to_the_place_of_the_oldest(void **state)
{
    struct fixture *fx = *state;
    const uint8_t *oldest;
    const uint8_t *newest;

    put(fx, "a", "1st");
    oldest = place_of(fx, "a", "1st");
    put(fx, "a", "2nd");
    put(fx, "a", "3rd");
    newest = place_of(fx, "a", "3rd");
    put(fx, "b", "x");
    assert_ptr_not_equal(oldest, newest);
    assert_int_equal(fakeetcd_store_compact(fx->store, fakeetcd_store_revision(fx->store)),
                     FAKEETCD_OK);
    assert_ptr_equal(place_of(fx, "a", "3rd"), oldest);
}

static void compaction__a_place_that_is_too_small_or_much_too_large__is_not_taken(void **state)
{
    struct fixture *fx = *state;
    char large[300];
    const uint8_t *newest;

    memset(large, 'v', sizeof(large) - 1);
    large[sizeof(large) - 1] = '\0';
    put(fx, "small", "1st");
    put(fx, "small", large);
    put(fx, "large", large);
    put(fx, "large", "2nd");
    newest = place_of(fx, "large", "2nd");
    put(fx, "b", "x");
    assert_int_equal(fakeetcd_store_compact(fx->store, fakeetcd_store_revision(fx->store)),
                     FAKEETCD_OK);
    assert_ptr_equal(place_of(fx, "large", "2nd"), newest);
    (void)place_of(fx, "small", large);
}

static void counts__after_everything_is_deleted_and_compacted__are_back_at_nothing(void **state)
{
    struct fixture *fx = *state;
    struct fakeetcd_store_counts counts;

    for (size_t i = 0; i < 100; i++) {
        char name[16];
        name_of(i % 10, name);
        put(fx, name, "value");
    }
    fakeetcd_store_counts(fx->store, &counts);
    assert_int_equal(counts.keys, 10);
    assert_int_equal(counts.versions, 100);
    assert_int_equal(counts.puts, 100);
    assert_true(counts.logical_bytes >= 100 * (9 + 5));
    assert_true(counts.in_use_bytes >= 10 * (9 + 5));
    assert_true(counts.in_use_bytes < counts.logical_bytes);
    for (size_t i = 0; i < 10; i++) {
        char name[16];
        name_of(i, name);
        assert_true(drop(fx, name));
    }
    put(fx, "z", "");
    assert_int_equal(fakeetcd_store_compact(fx->store, fakeetcd_store_revision(fx->store)),
                     FAKEETCD_OK);
    fakeetcd_store_counts(fx->store, &counts);
    assert_int_equal(counts.keys, 1);
    assert_int_equal(counts.versions, 1);
    assert_int_equal(counts.puts, 101);
    assert_int_equal(counts.deletes, 10);
    assert_int_equal(counts.in_use_bytes, counts.logical_bytes);
}

/* ---- observers ---- */

static void on_revision(void *arg, int64_t revision, const struct fakeetcd_change *changes,
                        size_t count)
{
    struct fixture *fx = arg;

    fx->told++;
    fx->told_revision = revision;
    fx->told_changes = count;
    assert_int_equal(fakeetcd_store_revision(fx->store), revision);
    assert_int_equal(changes[0].kv.mod_revision, revision);
}

static void observer__of_writes_aborts_and_compactions__hears_each_revision_once(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(fakeetcd_store_observe(fx->store, on_revision, fx), RT_OK);
    put(fx, "a", "1");
    assert_int_equal(fx->told, 1);
    fakeetcd_write_begin(fx->store);
    assert_int_equal(fakeetcd_write_put(fx->store, text("b"), text(""), NULL, 0, NULL),
                     FAKEETCD_OK);
    assert_true(fakeetcd_write_delete(fx->store, text("a"), NULL));
    assert_int_equal(fx->told, 1);
    assert_int_equal(fakeetcd_write_end(fx->store), FAKEETCD_OK);
    assert_int_equal(fx->told, 2);
    assert_int_equal(fx->told_changes, 2);
    assert_int_equal(fx->told_revision, 3);
    fakeetcd_write_begin(fx->store);
    assert_int_equal(fakeetcd_write_put(fx->store, text("c"), text(""), NULL, 0, NULL),
                     FAKEETCD_OK);
    fakeetcd_write_abort(fx->store);
    assert_false(drop(fx, "c"));
    assert_int_equal(fakeetcd_store_compact(fx->store, 3), FAKEETCD_OK);
    assert_int_equal(fx->told, 2);
}

static void observe__a_fifth__is_refused(void **state)
{
    struct fixture *fx = *state;

    for (int i = 0; i < 4; i++) {
        assert_int_equal(fakeetcd_store_observe(fx->store, on_revision, fx), RT_OK);
    }
    assert_int_equal(fakeetcd_store_observe(fx->store, on_revision, fx), RT_E_LIMIT);
}

/* ---- hashes ---- */

static uint32_t hash(struct fixture *fx, int64_t revision)
{
    uint32_t value = 0;

    assert_int_equal(fakeetcd_store_hash(fx->store, revision, &value), FAKEETCD_OK);
    return value;
}

static void hash__of_an_old_revision__does_not_change_with_later_writes(void **state)
{
    struct fixture *fx = *state;
    uint32_t before;

    put(fx, "a", "1");
    put(fx, "b", "2");
    before = hash(fx, 3);
    assert_int_equal(hash(fx, 0), before);
    put(fx, "a", "3");
    drop(fx, "b");
    assert_int_equal(hash(fx, 3), before);
    assert_int_not_equal(hash(fx, 0), before);
    assert_int_not_equal(hash(fx, 2), before);
}

/* JSON leaves a 0 out, which etcd's is not. */
static void hash__of_nothing__is_not_0(void **state)
{
    assert_int_not_equal(hash(*state, 0), 0);
}

static void hash__revision_that_is_not_there__is_an_error(void **state)
{
    struct fixture *fx = *state;
    uint32_t value = 0;

    put(fx, "a", "1");
    put(fx, "a", "2");
    assert_int_equal(fakeetcd_store_compact(fx->store, 3), FAKEETCD_OK);
    assert_int_equal(fakeetcd_store_hash(fx->store, 2, &value), FAKEETCD_E_COMPACTED);
    assert_int_equal(fakeetcd_store_hash(fx->store, 4, &value), FAKEETCD_E_FUTURE_REVISION);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(revision__of_an_empty_store__is_one_and_the_first_write_makes_two),
        TEST(revision__write_that_changes_nothing__stays),
        TEST(revision__of_one_write__is_shared_by_all_its_keys),
        TEST(put__again__keeps_create_revision_and_counts_versions),
        TEST(put__after_a_delete__begins_again_at_version_one),
        TEST(put__with_a_previous_wanted__says_what_was_there),
        TEST(put__large_value_in_a_blob__is_kept_by_reference),
        TEST(put__binary_and_empty_keys_and_values__come_back_as_they_are),
        TEST(get__at_old_revisions__sees_what_was_there_then),
        TEST(check_revision__at_below_and_beyond__as_etcd_answers),
        TEST(get__inside_a_write__sees_what_was_written),
        TEST(interval__ends__by_etcd_s_rules),
        TEST(walk__visitor_that_stops__is_not_called_again),
        TEST(count__after_random_puts_deletes_and_compactions__is_what_is_there),
        TEST(compaction__what_survives__moves_to_the_place_of_the_oldest),
        TEST(compaction__a_place_that_is_too_small_or_much_too_large__is_not_taken),
        TEST(counts__after_everything_is_deleted_and_compacted__are_back_at_nothing),
        TEST(observer__of_writes_aborts_and_compactions__hears_each_revision_once),
        TEST(observe__a_fifth__is_refused),
        TEST(hash__of_an_old_revision__does_not_change_with_later_writes),
        TEST(hash__of_nothing__is_not_0),
        TEST(hash__revision_that_is_not_there__is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
