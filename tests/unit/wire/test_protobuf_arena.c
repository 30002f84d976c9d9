/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/protobuf_arena.h"

#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>

#include <cmocka.h>

#define BLOCK_BYTES ((size_t)1024)
#define KEEP_BYTES  ((size_t)4 * 1024)
#define LIMIT_BYTES ((size_t)16 * 1024)

static const struct pb_arena_limits limits = {
    .block_min_bytes = BLOCK_BYTES, .keep_bytes = KEEP_BYTES, .total_bytes = LIMIT_BYTES};

static void take__pieces_of_any_length__are_aligned_and_apart(void **state)
{
    struct pb_arena arena;
    uint8_t *pieces[64];

    (void)state;
    pb_arena_init(&arena, &limits);
    for (size_t i = 0; i < 64; i++) {
        pieces[i] = pb_arena_take(&arena, i);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % alignof(max_align_t), 0);
        memset(pieces[i], (int)i, i);
    }
    for (size_t i = 1; i < 64; i++) {
        assert_int_equal(pieces[i][0], i);
        assert_int_equal(pieces[i][i - 1], i);
    }
    pb_arena_fini(&arena);
}

static void reset__what_was_taken_is_usual__the_same_memory_comes_again(void **state)
{
    struct pb_arena arena;

    (void)state;
    pb_arena_init(&arena, &limits);
    void *first = pb_arena_take(&arena, BLOCK_BYTES);
    void *second = pb_arena_take(&arena, BLOCK_BYTES);
    size_t total_bytes = arena.total_bytes;
    pb_arena_reset(&arena);
    assert_ptr_equal(pb_arena_take(&arena, BLOCK_BYTES), first);
    assert_ptr_equal(pb_arena_take(&arena, BLOCK_BYTES), second);
    assert_int_equal(arena.total_bytes, total_bytes);
    pb_arena_fini(&arena);
}

/* Also when the huge piece was the only one. */
static void reset__something_huge_was_taken__it_is_given_back(void **state)
{
    struct pb_arena arena;

    (void)state;
    for (size_t before = 0; before < 3; before++) {
        pb_arena_init(&arena, &limits);
        for (size_t i = 0; i < before; i++) {
            assert_non_null(pb_arena_take(&arena, BLOCK_BYTES));
        }
        assert_non_null(pb_arena_take(&arena, KEEP_BYTES + 1));
        pb_arena_reset(&arena);
        assert_in_range(arena.total_bytes, 0, KEEP_BYTES);
        assert_non_null(pb_arena_take(&arena, 1));
        pb_arena_fini(&arena);
    }
}

static void take__beyond_the_limit__is_refused_until_the_reset(void **state)
{
    struct pb_arena arena;
    size_t taken_bytes = 0;

    (void)state;
    pb_arena_init(&arena, &limits);
    assert_null(pb_arena_take(&arena, LIMIT_BYTES + 1));
    assert_null(pb_arena_take(&arena, SIZE_MAX));
    while (pb_arena_take(&arena, BLOCK_BYTES) != NULL) {
        taken_bytes += BLOCK_BYTES;
        assert_in_range(taken_bytes, 0, LIMIT_BYTES);
    }
    pb_arena_reset(&arena);
    assert_non_null(pb_arena_take(&arena, BLOCK_BYTES));
    pb_arena_fini(&arena);
}

static void array__zeroed__or_refused_when_the_product_overflows(void **state)
{
    struct pb_arena arena;

    (void)state;
    pb_arena_init(&arena, &limits);
    memset(pb_arena_take(&arena, BLOCK_BYTES), 0xff, BLOCK_BYTES);
    pb_arena_reset(&arena);
    const uint64_t *numbers = pb_arena_array(&arena, 8, sizeof(*numbers));
    assert_non_null(numbers);
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(numbers[i], 0);
    }
    assert_null(pb_arena_array(&arena, SIZE_MAX / 2, 3));
    pb_arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(take__pieces_of_any_length__are_aligned_and_apart),
        cmocka_unit_test(reset__what_was_taken_is_usual__the_same_memory_comes_again),
        cmocka_unit_test(reset__something_huge_was_taken__it_is_given_back),
        cmocka_unit_test(take__beyond_the_limit__is_refused_until_the_reset),
        cmocka_unit_test(array__zeroed__or_refused_when_the_product_overflows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
