/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a revision changed, and what compaction leaves of it: the cases that a random run seldom
 * meets. etcd lets one transaction put a key in one nested transaction and delete it in the next,
 * so a revision may change a key twice.
 */
#include "fakeetcd/store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka needs the C library's first. */
#include <cmocka.h>

#define TEXT_BYTES 4096

struct fixture {
    struct fakeetcd_store *store;
    char text[TEXT_BYTES];
};

static struct rt_slice text(const char *bytes)
{
    return rt_slice_text(bytes);
}

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

    fakeetcd_store_destroy(fx->store);
    free(fx);
    return 0;
}

static void put(struct fixture *fx, const char *key, const char *value)
{
    fakeetcd_write_begin(fx->store);
    assert_int_equal(fakeetcd_write_put(fx->store, text(key), text(value), NULL, 0, NULL),
                     FAKEETCD_OK);
    assert_int_equal(fakeetcd_write_end(fx->store), FAKEETCD_OK);
}

static void drop(struct fixture *fx, const char *key)
{
    fakeetcd_write_begin(fx->store);
    assert_true(fakeetcd_write_delete(fx->store, text(key), NULL));
    assert_int_equal(fakeetcd_write_end(fx->store), FAKEETCD_OK);
}

static void say(struct fixture *fx, const char *format, ...) RT_PRINTF(2, 3);

static void say(struct fixture *fx, const char *format, ...)
{
    size_t used = strlen(fx->text);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(fx->text + used, sizeof(fx->text) - used, format, arguments);
    va_end(arguments);
}

/* "3: a=1 (was 0) -b" */
static bool print_revision(void *arg, int64_t revision, const struct fakeetcd_change *changes,
                           size_t count)
{
    struct fixture *fx = arg;

    say(fx, "%s%lld:", fx->text[0] == '\0' ? "" : ", ", (long long)revision);
    for (size_t i = 0; i < count; i++) {
        const struct fakeetcd_kv *kv = &changes[i].kv;
        const struct fakeetcd_kv *previous = &changes[i].previous;
        assert_int_equal(kv->mod_revision, revision);
        if (kv->version > 0) {
            say(fx, " %.*s=%.*s", (int)kv->key.len_bytes, (const char *)kv->key.data,
                (int)kv->value.len_bytes, (const char *)kv->value.data);
        } else {
            assert_int_equal(kv->value.len_bytes, 0);
            say(fx, " -%.*s", (int)kv->key.len_bytes, (const char *)kv->key.data);
        }
        if (previous->version > 0) {
            say(fx, "(%.*s)", (int)previous->value.len_bytes, (const char *)previous->value.data);
        }
    }
    return true;
}

static const char *history(struct fixture *fx, int64_t from, int64_t to)
{
    fx->text[0] = '\0';
    assert_int_equal(fakeetcd_store_history(fx->store, from, to, print_revision, fx), RT_OK);
    return fx->text;
}

static void history__of_an_interval_of_revisions__has_these_only_oldest_first(void **state)
{
    struct fixture *fx = *state;

    put(fx, "a", "1");
    put(fx, "b", "2");
    put(fx, "a", "3");
    drop(fx, "b");
    assert_string_equal(history(fx, 0, 99), "2: a=1, 3: b=2, 4: a=3(1), 5: -b(2)");
    assert_string_equal(history(fx, 3, 4), "3: b=2, 4: a=3(1)");
    assert_string_equal(history(fx, 6, 99), "");
    assert_string_equal(history(fx, 4, 3), "");
}

static void history__put_after_a_delete__has_no_previous(void **state)
{
    struct fixture *fx = *state;

    put(fx, "a", "1");
    drop(fx, "a");
    put(fx, "a", "2");
    assert_string_equal(history(fx, 4, 4), "4: a=2");
}

static void history__revision_of_many_keys__is_one_visit_in_the_order_of_the_writes(void **state)
{
    struct fixture *fx = *state;

    put(fx, "b", "0");
    fakeetcd_write_begin(fx->store);
    assert_int_equal(fakeetcd_write_put(fx->store, text("c"), text("1"), NULL, 0, NULL),
                     FAKEETCD_OK);
    assert_true(fakeetcd_write_delete(fx->store, text("b"), NULL));
    assert_int_equal(fakeetcd_write_put(fx->store, text("a"), text("2"), NULL, 0, NULL),
                     FAKEETCD_OK);
    assert_int_equal(fakeetcd_write_end(fx->store), FAKEETCD_OK);
    assert_string_equal(history(fx, 3, 3), "3: c=1 -b(0) a=2");
}

static void compact__previous_of_a_later_change__is_there_only_if_it_survived(void **state)
{
    struct fixture *fx = *state;

    put(fx, "a", "1");
    put(fx, "a", "2");
    put(fx, "a", "3");
    assert_int_equal(fakeetcd_store_compact(fx->store, 3), FAKEETCD_OK);
    assert_string_equal(history(fx, 0, 9), "3: a=2, 4: a=3(2)");
    assert_int_equal(fakeetcd_store_compact(fx->store, 4), FAKEETCD_OK);
    assert_string_equal(history(fx, 0, 9), "4: a=3");
}

/* etcd since 3.5.16; 3.4.23 forgets it (etcd#19179). */
static void compact__tombstone_at_exactly_that_revision__stays_until_the_next(void **state)
{
    struct fixture *fx = *state;
    struct fakeetcd_store_counts counts;

    put(fx, "a", "1");
    drop(fx, "a");
    put(fx, "b", "2");
    assert_int_equal(fakeetcd_store_compact(fx->store, 3), FAKEETCD_OK);
    assert_string_equal(history(fx, 3, 9), "3: -a, 4: b=2");
    assert_int_equal(fakeetcd_store_compact(fx->store, 4), FAKEETCD_OK);
    assert_string_equal(history(fx, 0, 9), "4: b=2");
    fakeetcd_store_counts(fx->store, &counts);
    assert_int_equal(counts.versions, 1);
}

static void compact__tombstones_forgotten_as_in_3_4__none_is_left(void **state)
{
    struct fixture *fx = *state;
    struct fakeetcd_store_counts counts;

    fakeetcd_store_forget_tombstones(fx->store, true);
    put(fx, "a", "1");
    put(fx, "b", "1");
    fakeetcd_write_begin(fx->store);
    assert_true(fakeetcd_write_delete(fx->store, text("a"), NULL));
    assert_int_equal(fakeetcd_write_put(fx->store, text("c"), text("2"), NULL, 0, NULL),
                     FAKEETCD_OK);
    assert_int_equal(fakeetcd_write_end(fx->store), FAKEETCD_OK);
    assert_int_equal(fakeetcd_store_compact(fx->store, 4), FAKEETCD_OK);
    assert_string_equal(history(fx, 0, 9), "4: c=2");
    fakeetcd_store_counts(fx->store, &counts);
    assert_int_equal(counts.versions, 2);
    put(fx, "a", "3");
    assert_string_equal(history(fx, 0, 9), "4: c=2, 5: a=3");
}

static void compact__key_put_and_deleted_in_one_revision__leaves_what_it_ended_with(void **state)
{
    struct fixture *fx = *state;
    struct fakeetcd_kv kv;

    fakeetcd_write_begin(fx->store);
    assert_int_equal(fakeetcd_write_put(fx->store, text("a"), text("1"), NULL, 0, NULL),
                     FAKEETCD_OK);
    assert_true(fakeetcd_write_delete(fx->store, text("a"), NULL));
    assert_int_equal(fakeetcd_write_put(fx->store, text("b"), text("2"), NULL, 0, NULL),
                     FAKEETCD_OK);
    assert_int_equal(fakeetcd_write_end(fx->store), FAKEETCD_OK);
    put(fx, "b", "3");
    assert_string_equal(history(fx, 2, 9), "2: a=1 -a b=2, 3: b=3(2)");
    assert_false(fakeetcd_store_get(fx->store, text("a"), 2, &kv));

    assert_int_equal(fakeetcd_store_compact(fx->store, 2), FAKEETCD_OK);
    assert_string_equal(history(fx, 2, 9), "2: -a b=2, 3: b=3(2)");
    assert_int_equal(fakeetcd_store_compact(fx->store, 3), FAKEETCD_OK);
    assert_string_equal(history(fx, 2, 9), "3: b=3");
}

static void compact__all_but_nothing_written_since__new_revisions_go_on(void **state)
{
    struct fixture *fx = *state;

    put(fx, "a", "1");
    assert_int_equal(fakeetcd_store_compact(fx->store, 2), FAKEETCD_OK);
    put(fx, "a", "2");
    put(fx, "a", "3");
    assert_int_equal(fakeetcd_store_compact(fx->store, 4), FAKEETCD_OK);
    put(fx, "a", "4");
    assert_string_equal(history(fx, 0, 9), "4: a=3, 5: a=4(3)");
}

static void compact__empty_store_at_revision_one__later_history_is_whole(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(fakeetcd_store_compact(fx->store, 1), FAKEETCD_OK);
    assert_int_equal(fakeetcd_store_compact(fx->store, 1), FAKEETCD_E_COMPACTED);
    assert_int_equal(fakeetcd_store_compact(fx->store, 2), FAKEETCD_E_FUTURE_REVISION);
    put(fx, "a", "1");
    assert_string_equal(history(fx, 0, 9), "2: a=1");
}

static void abort__of_a_revision__leaves_no_trace_in_history(void **state)
{
    struct fixture *fx = *state;

    put(fx, "a", "1");
    fakeetcd_write_begin(fx->store);
    assert_int_equal(fakeetcd_write_put(fx->store, text("a"), text("2"), NULL, 0, NULL),
                     FAKEETCD_OK);
    assert_true(fakeetcd_write_delete(fx->store, text("a"), NULL));
    fakeetcd_write_abort(fx->store);
    put(fx, "b", "3");
    assert_string_equal(history(fx, 0, 9), "2: a=1, 3: b=3");
}

/* ---- bringing back ---- */

static bool restore_revision(void *arg, int64_t revision, const struct fakeetcd_change *changes,
                             size_t count)
{
    (void)revision;
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(fakeetcd_store_restore_change(arg, &changes[i].kv), RT_OK);
    }
    return true;
}

static void restore__history_into_an_empty_store__has_the_same_history_and_hash(void **state)
{
    struct fixture *fx = *state;
    struct fakeetcd_store *original = fx->store;
    char expected[TEXT_BYTES];
    uint32_t hashes[2];
    struct fakeetcd_store_counts counts[2];

    put(fx, "a", "1");
    put(fx, "b", "1");
    drop(fx, "a");
    put(fx, "b", "2");
    snprintf(expected, sizeof(expected), "%s", history(fx, 0, 9));
    fakeetcd_store_counts(original, &counts[0]);
    assert_int_equal(fakeetcd_store_hash(original, 0, &hashes[0]), FAKEETCD_OK);

    assert_int_equal(fakeetcd_store_create(&fx->store), RT_OK);
    assert_int_equal(fakeetcd_store_history(original, 0, 9, restore_revision, fx->store), RT_OK);
    assert_int_equal(fakeetcd_store_restore_done(fx->store, 5, 0), RT_OK);
    fakeetcd_store_destroy(original);

    assert_int_equal(fakeetcd_store_revision(fx->store), 5);
    assert_string_equal(history(fx, 0, 9), expected);
    assert_int_equal(fakeetcd_store_hash(fx->store, 0, &hashes[1]), FAKEETCD_OK);
    assert_int_equal(hashes[1], hashes[0]);
    fakeetcd_store_counts(fx->store, &counts[1]);
    assert_int_equal(counts[1].keys, counts[0].keys);
    assert_int_equal(counts[1].versions, counts[0].versions);
    assert_int_equal(counts[1].logical_bytes, counts[0].logical_bytes);
    assert_int_equal(counts[1].in_use_bytes, counts[0].in_use_bytes);
    put(fx, "a", "9");
    assert_string_equal(history(fx, 6, 9), "6: a=9");
    assert_int_equal(fakeetcd_store_compact(fx->store, 6), FAKEETCD_OK);
    assert_string_equal(history(fx, 0, 9), "6: a=9");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(history__of_an_interval_of_revisions__has_these_only_oldest_first),
        TEST(history__put_after_a_delete__has_no_previous),
        TEST(history__revision_of_many_keys__is_one_visit_in_the_order_of_the_writes),
        TEST(compact__previous_of_a_later_change__is_there_only_if_it_survived),
        TEST(compact__tombstone_at_exactly_that_revision__stays_until_the_next),
        TEST(compact__tombstones_forgotten_as_in_3_4__none_is_left),
        TEST(compact__key_put_and_deleted_in_one_revision__leaves_what_it_ended_with),
        TEST(compact__all_but_nothing_written_since__new_revisions_go_on),
        TEST(compact__empty_store_at_revision_one__later_history_is_whole),
        TEST(abort__of_a_revision__leaves_no_trace_in_history),
        TEST(restore__history_into_an_empty_store__has_the_same_history_and_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
