/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/store/store.h"

#include "runtime/loop.h"
#include "world.h"

#define MIB ((uint64_t)1 << 20)

static struct fakeds__object *put(struct fakeds__store *store, const char *key, const char *value,
                                  uint32_t mode)
{
    struct zmtp_frame part = {.bytes = rt_slice_text(value)};
    struct fakeds__content *content = fakeds__content_create(&part, 1);
    struct fakeds__object *object = NULL;
    assert_non_null(content);
    content->write_mode = mode;
    assert_int_equal(fakeds__store_put(store, rt_slice_text(key), content, &object), RT_OK);
    return object;
}

static void class_of_a_value__header_and_four_classes_a_doubling(void **state)
{
    (void)state;
    assert_int_equal(fakeds__class_bytes(4 * MIB), 5 * MIB); /* measured on the real worker */
    assert_int_equal(fakeds__class_bytes(4 * MIB - 64), 4 * MIB);
    assert_int_equal(fakeds__class_bytes(5 * MIB), 6 * MIB);
    assert_int_equal(fakeds__class_bytes(8 * MIB), 10 * MIB);
    assert_int_equal(fakeds__class_bytes(1), 80);
    assert_int_equal(fakeds__class_bytes(UINT64_MAX), UINT64_MAX);
}

static void full_memory__twelve_values_of_4_mib_fit_into_64(void **state)
{
    struct fakeds__store store;
    (void)state;
    fakeds__store_init(&store, 64 * MIB);
    store.used_bytes = 11 * fakeds__class_bytes(4 * MIB);
    assert_true(fakeds__store_has_room(&store, fakeds__class_bytes(4 * MIB)));
    store.used_bytes = 12 * fakeds__class_bytes(4 * MIB);
    assert_false(fakeds__store_has_room(&store, fakeds__class_bytes(4 * MIB)));
    assert_true(fakeds__store_has_room(&store, fakeds__class_bytes(1 * MIB)));
    store.used_bytes = 0;
    fakeds__store_fini(&store);
}

static void full_memory__all_of_it__is_refused(void **state)
{
    struct fakeds__store store;
    (void)state;
    fakeds__store_init(&store, 64 * MIB);
    store.used_bytes = 14 * fakeds__class_bytes(4 * MIB - 64);
    assert_true(fakeds__store_has_room(&store, fakeds__class_bytes(4 * MIB - 64)));
    store.used_bytes = 15 * fakeds__class_bytes(4 * MIB - 64);
    assert_false(fakeds__store_has_room(&store, fakeds__class_bytes(4 * MIB - 64)));
    store.used_bytes = 15 * 4 * MIB; /* not up to the last byte */
    assert_false(fakeds__store_has_room(&store, fakeds__class_bytes(4 * MIB - 64)));
    store.used_bytes = 0;
    fakeds__store_fini(&store);
}

static void put__existing_key__counts_the_new_bytes_only(void **state)
{
    struct fakeds__store store;
    (void)state;
    fakeds__store_init(&store, MIB);
    put(&store, "k", "short", FAKEDS__MODE_NONE);
    put(&store, "k", "much longer than the first one was, by far, so another class of bytes is it",
        FAKEDS__MODE_NONE);
    assert_int_equal(store.used_bytes, fakeds__class_bytes(76));
    assert_int_equal(fakeds__store_count(&store), 1);
    fakeds__store_fini(&store);
}

static void content__retained__outlives_delete_and_overwrite(void **state)
{
    struct fakeds__store store;
    (void)state;
    fakeds__store_init(&store, MIB);
    struct fakeds__object *object = put(&store, "k", "old", FAKEDS__MODE_NONE);
    struct fakeds__content *seen = fakeds__content_retain(object->content);
    object = put(&store, "k", "new", FAKEDS__MODE_NONE);
    fakeds__store_remove(&store, object);
    assert_true(rt_slice_is_text(rt_blob_slice(seen->blobs[0]), "old"));
    fakeds__content_release(seen);
    fakeds__store_fini(&store);
    assert_int_equal(rt_blob_live_count(), 0);
}

static void large_value__is_the_very_blob_that_came(void **state)
{
    uint8_t *data;
    struct rt_blob *blob = rt_blob_create(100000, &data);
    (void)state;
    struct zmtp_frame part = {.bytes = rt_blob_slice(blob), .blob = blob};
    struct fakeds__content *content = fakeds__content_create(&part, 1);
    assert_ptr_equal(rt_blob_slice(content->blobs[0]).data, data);
    fakeds__content_release(content);
    rt_blob_release(blob);
}

static void expiry__due_in_order_of_time_then_of_setting(void **state)
{
    struct fakeds__store store;
    (void)state;
    fakeds__store_init(&store, MIB);
    assert_int_equal(fakeds__store_next_scan_us(&store), RT_NEVER);
    fakeds__store_set_expiry(&store, put(&store, "late", "v", 0), 300 * MS);
    fakeds__store_set_expiry(&store, put(&store, "b", "v", 0), 150 * MS);
    fakeds__store_set_expiry(&store, put(&store, "a", "v", 0), 150 * MS);
    assert_int_equal(fakeds__store_next_scan_us(&store), 200 * MS); /* scans are 100 ms apart */
    assert_null(fakeds__store_first_expired(&store, 149 * MS));
    struct fakeds__object *first = fakeds__store_first_expired(&store, 200 * MS);
    assert_true(rt_slice_is_text(first->key, "b"));
    fakeds__store_remove(&store, first);
    first = fakeds__store_first_expired(&store, 200 * MS);
    assert_true(rt_slice_is_text(first->key, "a"));
    fakeds__store_set_expiry(&store, first, RT_NEVER);
    assert_null(fakeds__store_first_expired(&store, 200 * MS));
    fakeds__store_fini(&store);
}

static void victims__oldest_first__used_ones_get_a_second_chance(void **state)
{
    struct fakeds__store store;
    (void)state;
    fakeds__store_init(&store, MIB);
    put(&store, "kept", "v", FAKEDS__MODE_NONE);
    struct fakeds__object *used = put(&store, "used", "v", FAKEDS__MODE_EVICT);
    put(&store, "old", "v", FAKEDS__MODE_EVICT);
    put(&store, "young", "v", FAKEDS__MODE_EVICT);
    fakeds__store_touch(used);
    static const char *const ORDER[] = {"old", "young", "used"};
    for (size_t i = 0; i < 3; i++) {
        struct fakeds__object *victim = fakeds__store_next_victim(&store);
        assert_true(rt_slice_is_text(victim->key, ORDER[i]));
        fakeds__store_remove(&store, victim);
    }
    assert_null(fakeds__store_next_victim(&store));
    assert_non_null(fakeds__store_find(&store, rt_slice_text("kept")));
    fakeds__store_fini(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(class_of_a_value__header_and_four_classes_a_doubling),
        cmocka_unit_test(full_memory__twelve_values_of_4_mib_fit_into_64),
        cmocka_unit_test(full_memory__all_of_it__is_refused),
        cmocka_unit_test(put__existing_key__counts_the_new_bytes_only),
        cmocka_unit_test(content__retained__outlives_delete_and_overwrite),
        cmocka_unit_test(large_value__is_the_very_blob_that_came),
        cmocka_unit_test(expiry__due_in_order_of_time_then_of_setting),
        cmocka_unit_test(victims__oldest_first__used_ones_get_a_second_chance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
