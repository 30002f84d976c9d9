/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/blob.h"

#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>

#define START_BYTES ((size_t)64 * 1024)
#define BIG_BYTES   ((size_t)5 * 1000 * 1000)
#define HOSTILE     ((size_t)1 << 46)
#define ROUND_COUNT 20000

static int remember_living(void **state)
{
    size_t *living = malloc(sizeof(*living));

    *living = rt_blob_live_count();
    *state = living;
    return 0;
}

static int nothing_is_left(void **state)
{
    size_t *living = *state;

    assert_int_equal(rt_blob_live_count(), *living);
    free(living);
    return 0;
}

static void blob__last_reference_dropped__stops_living(void **state)
{
    size_t before = *(size_t *)*state;
    uint8_t *data;
    struct rt_blob *blob = rt_blob_create(3, &data);

    memcpy(data, "abc", 3);
    assert_true(rt_slice_is_text(rt_blob_slice(blob), "abc"));
    assert_ptr_equal(rt_blob_retain(blob), blob);
    rt_blob_release(blob);
    assert_true(rt_blob_live_count() >= before + 3);
    rt_blob_release(blob);
    rt_blob_release(NULL);
    assert_int_equal(rt_blob_live_count(), before);
}

static void blob__empty__is_a_blob_and_counts_as_living(void **state)
{
    struct rt_blob *blob = rt_blob_copy(rt_slice_of(NULL, 0));

    assert_non_null(blob);
    assert_int_equal(rt_blob_slice(blob).len_bytes, 0);
    assert_true(rt_blob_live_count() > *(size_t *)*state);
    rt_blob_release(blob);
}

static void blob__longer_than_memory__is_not_made(void **state)
{
    uint8_t *data;

    (void)state;
    assert_null(rt_blob_create(SIZE_MAX, &data));
}

static void blob__with_room__is_only_its_bytes_and_the_room_lives_as_long(void **state)
{
    const size_t alignment = alignof(max_align_t);
    size_t before = *(size_t *)*state;
    uint8_t *data;
    void *room;
    struct rt_blob *blob = rt_blob_create_with_room(3, 1000, &data, &room);

    memcpy(data, "abc", 3);
    memset(room, 0xff, 1000);
    assert_int_equal((uintptr_t)room % alignment, 0);
    assert_true(rt_slice_is_text(rt_blob_slice(blob), "abc"));
    rt_blob_retain(blob);
    rt_blob_release(blob);
    assert_int_equal(((uint8_t *)room)[999], 0xff);
    rt_blob_release(blob);
    assert_int_equal(rt_blob_live_count(), before);
    assert_null(rt_blob_create_with_room(3, SIZE_MAX, &data, &room));
    assert_null(rt_blob_create_with_room(SIZE_MAX, 3, &data, &room));
}

/* Larger than what comes from malloc(). */
static void blob__large_with_room__is_only_its_bytes(void **state)
{
    size_t before = *(size_t *)*state;
    uint8_t *data;
    void *room;
    struct rt_blob *blob = rt_blob_create_with_room(BIG_BYTES, BIG_BYTES, &data, &room);

    memset(data, 1, BIG_BYTES);
    memset(room, 2, BIG_BYTES);
    assert_int_equal(rt_blob_slice(blob).len_bytes, BIG_BYTES);
    assert_int_equal(data[BIG_BYTES - 1], 1);
    rt_blob_release(blob);
    assert_int_equal(rt_blob_live_count(), before);
}

struct freed {
    int count;
    void *data;
};

static void note_freed(void *arg, void *data)
{
    struct freed *freed = arg;

    freed->count++;
    freed->data = data;
}

static void wrap__last_reference_dropped__frees_once_with_the_same_pointer(void **state)
{
    static char bytes[] = "static";
    struct freed freed = {0};
    struct rt_blob *blob = rt_blob_wrap(bytes, 6, note_freed, &freed);

    (void)state;
    assert_ptr_equal(rt_blob_slice(blob).data, bytes);
    rt_blob_retain(blob);
    rt_blob_release(blob);
    assert_int_equal(freed.count, 0);
    rt_blob_release(blob);
    assert_int_equal(freed.count, 1);
    assert_ptr_equal(freed.data, bytes);

    blob = rt_blob_wrap(bytes, 6, NULL, NULL);
    rt_blob_release(blob);
}

static void *retain_and_release(void *arg)
{
    for (int i = 0; i < ROUND_COUNT; i++) {
        rt_blob_release(rt_blob_retain(arg));
    }
    return NULL;
}

static void blob__retained_on_two_threads__count_is_exact(void **state)
{
    struct freed freed = {0};
    struct rt_blob *blob = rt_blob_wrap(&freed, sizeof(freed), note_freed, &freed);
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, retain_and_release, blob), 0);
    retain_and_release(blob);
    pthread_join(thread, NULL);
    assert_int_equal(freed.count, 0);
    rt_blob_release(blob);
    assert_int_equal(freed.count, 1);
}

/* ---- builder ------------------------------------------------------------------------------ */

/* Lets `len_bytes` of a known pattern arrive, checking the law of growth at each step. */
static void arrive(struct rt_blob_builder *builder, size_t len_bytes)
{
    while (len_bytes > 0) {
        size_t filled_bytes = builder->filled_bytes;
        size_t room_bytes;
        uint8_t *data;

        assert_int_equal(rt_blob_builder_space(builder, &data, &room_bytes), RT_OK);
        assert_true(room_bytes >= 1);
        assert_true(filled_bytes + room_bytes <= builder->total_bytes);
        assert_true(filled_bytes + room_bytes <= START_BYTES ||
                    filled_bytes + room_bytes <= 2 * filled_bytes);
        room_bytes = room_bytes < len_bytes ? room_bytes : len_bytes;
        for (size_t i = 0; i < room_bytes; i++) {
            data[i] = (uint8_t)((filled_bytes + i) % 251);
        }
        rt_blob_builder_commit(builder, room_bytes);
        len_bytes -= room_bytes;
    }
}

static void builder__filled_in_pieces__gives_one_blob_of_the_exact_length(void **state)
{
    static const size_t TOTALS[] = {1, START_BYTES - 1, START_BYTES, START_BYTES + 1, BIG_BYTES};

    (void)state;
    for (size_t t = 0; t < sizeof(TOTALS) / sizeof(TOTALS[0]); t++) {
        struct rt_blob_builder builder;
        struct rt_slice bytes;
        struct rt_blob *blob;

        rt_blob_builder_init(&builder, TOTALS[t]);
        while (!rt_blob_builder_is_full(&builder)) {
            size_t left_bytes = TOTALS[t] - builder.filled_bytes;

            arrive(&builder, left_bytes < 10007 ? left_bytes : 10007);
        }
        blob = rt_blob_builder_finish(&builder);
        bytes = rt_blob_slice(blob);
        assert_int_equal(bytes.len_bytes, TOTALS[t]);
        for (size_t i = 0; i < bytes.len_bytes; i++) {
            assert_true(bytes.data[i] == i % 251);
        }
        rt_blob_release(blob);
        rt_blob_builder_fini(&builder);
    }
}

static void builder__absurd_length_announced__costs_only_what_arrived(void **state)
{
    size_t before = *(size_t *)*state;
    struct rt_blob_builder builder;

    rt_blob_builder_init(&builder, HOSTILE);
    assert_int_equal(rt_blob_live_count(), before);
    arrive(&builder, 3 * START_BYTES);
    assert_true(rt_blob_live_count() - before <= 2 * 3 * START_BYTES + 1024);
    arrive(&builder, BIG_BYTES); /* the law of growth holds for large ones too */
    assert_true(rt_blob_live_count() - before <= 2 * (BIG_BYTES + 3 * START_BYTES) + 1024);
    assert_false(rt_blob_builder_is_full(&builder));
    rt_blob_builder_fini(&builder);
}

static void blob__large_and_made_again__is_writable_to_its_end(void **state)
{
    static const size_t SIZES[] = {BIG_BYTES, 8 * BIG_BYTES, 3 * BIG_BYTES, BIG_BYTES};

    (void)state;
    for (size_t i = 0; i < sizeof(SIZES) / sizeof(SIZES[0]); i++) {
        uint8_t *data;
        struct rt_blob *blob = rt_blob_create(SIZES[i], &data);
        struct rt_blob *second = rt_blob_create(SIZES[i], &data);

        assert_non_null(blob);
        assert_non_null(second);
        memset(data, (int)i, SIZES[i]);
        assert_int_equal(rt_blob_slice(second).data[SIZES[i] - 1], i);
        assert_ptr_not_equal(blob, second);
        rt_blob_release(blob);
        rt_blob_release(second);
    }
}

static void builder__nothing_announced__is_full_and_gives_an_empty_blob(void **state)
{
    struct rt_blob_builder builder;
    struct rt_blob *blob;

    (void)state;
    rt_blob_builder_init(&builder, 0);
    assert_true(rt_blob_builder_is_full(&builder));
    blob = rt_blob_builder_finish(&builder);
    assert_int_equal(rt_blob_slice(blob).len_bytes, 0);
    rt_blob_release(blob);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, remember_living, nothing_is_left)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(blob__last_reference_dropped__stops_living),
        CASE(blob__empty__is_a_blob_and_counts_as_living),
        CASE(blob__longer_than_memory__is_not_made),
        CASE(blob__with_room__is_only_its_bytes_and_the_room_lives_as_long),
        CASE(blob__large_with_room__is_only_its_bytes),
        CASE(wrap__last_reference_dropped__frees_once_with_the_same_pointer),
        CASE(blob__retained_on_two_threads__count_is_exact),
        CASE(builder__filled_in_pieces__gives_one_blob_of_the_exact_length),
        CASE(builder__absurd_length_announced__costs_only_what_arrived),
        CASE(blob__large_and_made_again__is_writable_to_its_end),
        CASE(builder__nothing_announced__is_full_and_gives_an_empty_blob),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
