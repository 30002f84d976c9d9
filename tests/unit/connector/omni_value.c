/* SPDX-License-Identifier: Apache-2.0 */
#include "omni_support.h"

#include <math.h>

struct fixture {
    struct omni_arena *arena;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture.arena = omni_arena_create();
    *state = &fixture;
    return fixture.arena == NULL;
}

static int tear_down(void **state)
{
    struct fixture *fx = *state;
    omni_arena_destroy(fx->arena);
    return rt_blob_live_count() != 0;
}

static struct omni_value *text_of(struct fixture *fx, const char *text)
{
    return omni_text(fx->arena, rt_slice_text(text));
}

static void assert_described(const struct omni_value *value, const char *expected)
{
    char text[200];
    assert_non_null(value);
    omni_value_describe(value, text, sizeof(text));
    assert_string_equal(text, expected);
}

static void uint__that_fits_int64__is_an_int(void **state)
{
    struct fixture *fx = *state;
    assert_int_equal(omni_uint(fx->arena, INT64_MAX)->kind, OMNI_INT);
    assert_int_equal(omni_uint(fx->arena, (uint64_t)INT64_MAX + 1)->kind, OMNI_UINT);
}

static void container__with_a_missing_child__is_null(void **state)
{
    struct fixture *fx = *state;
    const struct omni_value *items[] = {omni_nil(fx->arena), NULL};
    struct omni_pair pair = {omni_nil(fx->arena), NULL};
    assert_null(omni_array(fx->arena, items, 2));
    assert_null(omni_map(fx->arena, &pair, 1));
}

static void blob__held_by_the_arena__lives_until_it_is_reset(void **state)
{
    struct fixture *fx = *state;
    struct rt_blob *blob = blob_of("abc", 3);
    struct omni_value *value = omni_bytes_blob(fx->arena, blob);
    rt_blob_release(blob);
    assert_ptr_equal(value->body.blob, blob);
    assert_memory_equal(value->body.bytes.data, "abc", 3);
    omni_arena_reset(fx->arena);
    assert_int_equal(rt_blob_live_count(), 0);
}

static void equal__same_trees__and_each_single_difference(void **state)
{
    struct fixture *fx = *state;
    struct omni_arena *arena = fx->arena;
    const struct omni_value *one = omni_int(arena, 1);
    const struct omni_value *two = omni_int(arena, 2);
    struct omni_pair ab[] = {{text_of(fx, "a"), one}, {text_of(fx, "b"), two}};
    struct omni_pair ba[] = {ab[1], ab[0]};

    assert_true(omni_value_equal(omni_map(arena, ab, 2), omni_map(arena, ab, 2)));
    assert_false(omni_value_equal(omni_map(arena, ab, 2), omni_map(arena, ba, 2)));
    assert_false(omni_value_equal(omni_map(arena, ab, 2), omni_map(arena, ab, 1)));
    assert_false(omni_value_equal(one, omni_float(arena, 1)));
    assert_false(omni_value_equal(text_of(fx, "a"), omni_bytes(arena, rt_slice_text("a"))));
    assert_true(omni_value_equal(omni_float(arena, NAN), omni_float(arena, NAN)));
    assert_false(omni_value_equal(omni_float(arena, 0.0), omni_float(arena, -0.0)));
}

static void equal__very_deep_trees__needs_no_thread_stack(void **state)
{
    struct fixture *fx = *state;
    const struct omni_value *a = omni_nil(fx->arena);
    const struct omni_value *b = omni_nil(fx->arena);
    for (int i = 0; i < 200000; i++) {
        a = omni_array(fx->arena, &a, 1);
        b = omni_array(fx->arena, &b, 1);
    }
    assert_true(omni_value_equal(a, b));
}

static void describe__each_kind__one_line(void **state)
{
    struct fixture *fx = *state;
    struct omni_arena *arena = fx->arena;
    struct rt_blob *blob = blob_of("012345678901234567890123", 24);
    const int64_t shape[] = {2, 3};
    const struct omni_value *items[] = {omni_nil(arena), omni_bool(arena, true),
                                        omni_float(arena, 0.1), omni_float(arena, 2)};
    struct omni_pair pairs[] = {{text_of(fx, "a\"\n"), omni_int(arena, -1)},
                                {omni_int(arena, 7), omni_bytes(arena, rt_slice_text("xyz"))}};

    assert_described(omni_tensor(arena, OMNI_TENSOR, "float32", shape, 2, blob),
                     "tensor float32 [2, 3], 24 bytes");
    assert_described(omni_array(arena, items, 4), "[null, true, 0.1, 2.0]");
    assert_described(omni_map(arena, pairs, 2), "{\"a\\\"\\n\": -1, 7: bytes (3)}");
    assert_described(omni_timestamp(arena, 5, 7), "timestamp 5.000000007");
    assert_described(omni_extension(arena, 3, rt_slice_text("ab")), "extension 3 (2)");
    rt_blob_release(blob);
}

static void describe__too_long__is_cut_with_dots(void **state)
{
    struct fixture *fx = *state;
    char text[10];
    omni_value_describe(text_of(fx, "0123456789abcdef"), text, sizeof(text));
    assert_string_equal(text, "\"01234...");
}

static void describe__many_and_deep__shows_the_beginning(void **state)
{
    struct fixture *fx = *state;
    const struct omni_value *items[20];
    for (size_t i = 0; i < 20; i++) {
        items[i] = omni_int(fx->arena, (int64_t)i);
    }
    const struct omni_value *deep = items[0];
    for (int i = 0; i < 7; i++) {
        deep = omni_array(fx->arena, &deep, 1);
    }
    assert_described(omni_array(fx->arena, items, 20), "[0, 1, 2, 3, 4, 5, 6, 7, 12 more]");
    assert_described(deep, "[[[[[1 more]]]]]");
}

static void object_kind__maps_like_upstream_objects__in_its_order(void **state)
{
    struct fixture *fx = *state;
    struct omni_arena *arena = fx->arena;
    const struct omni_value *nil = omni_nil(arena);
    struct omni_pair request[] = {
        {text_of(fx, "request_id"), nil},       {text_of(fx, "prompt"), nil},
        {text_of(fx, "prompt_token_ids"), nil}, {text_of(fx, "outputs"), nil},
        {text_of(fx, "finished"), nil},         {text_of(fx, "prompt_logprobs"), nil},
        {text_of(fx, "images"), nil},
    };
    struct omni_pair completion[] = {
        {text_of(fx, "index"), omni_int(arena, 0)},
        {text_of(fx, "text"), nil},
        {text_of(fx, "token_ids"), nil},
        {text_of(fx, "finish_reason"), nil},
        {text_of(fx, "cumulative_logprob"), nil},
        {text_of(fx, "logprobs"), nil},
    };

    assert_int_equal(omni_map_object_kind(omni_map(arena, request, 7)),
                     OMNI_OBJECT_OMNI_REQUEST_OUTPUT);
    assert_int_equal(omni_map_object_kind(omni_map(arena, request, 5)), OMNI_OBJECT_REQUEST_OUTPUT);
    assert_false(omni_map_is_object_complete(omni_map(arena, request, 5)));
    assert_true(omni_map_is_object_complete(omni_map(arena, request, 6)));
    assert_int_equal(omni_map_object_kind(omni_map(arena, request, 4)), OMNI_OBJECT_NONE);
    assert_int_equal(omni_map_object_kind(omni_map(arena, completion, 4)),
                     OMNI_OBJECT_COMPLETION_OUTPUT);
    assert_false(omni_map_is_object_complete(omni_map(arena, completion, 4)));
    assert_true(omni_map_is_object_complete(omni_map(arena, completion, 6)));
    completion[0].value = nil; /* the index is no integer */
    assert_false(omni_map_is_object_complete(omni_map(arena, completion, 6)));
    assert_int_equal(omni_map_object_kind(nil), OMNI_OBJECT_NONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(uint__that_fits_int64__is_an_int),
        TEST(container__with_a_missing_child__is_null),
        TEST(blob__held_by_the_arena__lives_until_it_is_reset),
        TEST(equal__same_trees__and_each_single_difference),
        TEST(equal__very_deep_trees__needs_no_thread_stack),
        TEST(describe__each_kind__one_line),
        TEST(describe__too_long__is_cut_with_dots),
        TEST(describe__many_and_deep__shows_the_beginning),
        TEST(object_kind__maps_like_upstream_objects__in_its_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
