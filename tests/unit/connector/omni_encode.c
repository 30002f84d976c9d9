/* SPDX-License-Identifier: Apache-2.0 */
#include "omni_support.h"

#include <stdlib.h>

#define TENSOR_BYTES (1024U * 1024U)

static struct rt_blob *big_blob(uint8_t **out_data)
{
    struct rt_blob *blob = rt_blob_create(TENSOR_BYTES, out_data);
    assert_non_null(blob);
    memset(*out_data, 7, TENSOR_BYTES);
    return blob;
}

static void assert_refused(const struct omni_value *value, enum rt_status expected,
                           const char *word)
{
    struct omni_encoded encoded;
    struct omni_codec_error error = {.offset_bytes = 99, .text = ""};
    assert_non_null(value);
    assert_int_equal(omni_encode(value, NULL, &encoded, &error), expected);
    assert_int_equal(error.offset_bytes, 0);
    if (strstr(error.text, word) == NULL) {
        fail_msg("'%s' does not say '%s'", error.text, word);
    }
}

static void encode__large_tensor__its_bytes_are_referred_to_not_copied(void **state)
{
    (void)state;
    uint8_t *data = NULL;
    struct omni_arena *arena = omni_arena_create();
    struct rt_blob *blob = big_blob(&data);
    const int64_t shape[] = {512, 512};
    const struct omni_value *items[] = {
        omni_tensor(arena, OMNI_TENSOR, "float32", shape, 2, blob),
        omni_text(arena, rt_slice_text("small")),
    };
    struct omni_encoded encoded;
    struct omni_codec_error error;

    assert_int_equal(omni_encode(omni_array(arena, items, 2), NULL, &encoded, &error), RT_OK);

    assert_int_equal(encoded.value.piece_count, 3); /* headers, tensor, "small" */
    assert_ptr_equal(encoded.value.pieces[1].blob, blob);
    assert_ptr_equal(encoded.value.pieces[1].bytes.data, data);
    assert_int_equal(encoded.value.pieces[1].bytes.len_bytes, TENSOR_BYTES);
    assert_int_equal(encoded.copied_bytes, strlen("small"));
    omni_arena_destroy(arena); /* the pieces hold their own references */
    rt_blob_release(blob);
    assert_int_equal(encoded.value.pieces[1].bytes.data[TENSOR_BYTES - 1], 7);
    omni_encoded_fini(&encoded);
    assert_int_equal(rt_blob_live_count(), 0);
}

static void encode__long_bytes_in_no_blob__stay_a_view_of_the_callers_memory(void **state)
{
    (void)state;
    uint8_t *bytes = calloc(1, 5000);
    struct omni_arena *arena = omni_arena_create();
    struct omni_encoded encoded;
    struct omni_codec_error error;
    struct omni_value *value = omni_bytes(arena, rt_slice_of(bytes, 5000));

    assert_int_equal(omni_encode(value, NULL, &encoded, &error), RT_OK);

    assert_int_equal(encoded.value.piece_count, 2);
    assert_null(encoded.value.pieces[1].blob);
    assert_ptr_equal(encoded.value.pieces[1].bytes.data, bytes);
    assert_int_equal(encoded.copied_bytes, 0);
    omni_encoded_fini(&encoded);
    omni_arena_destroy(arena);
    free(bytes);
}

static void encode__tensor_type_alias__is_written_as_upstream_names_it(void **state)
{
    (void)state;
    struct omni_arena *arena = omni_arena_create();
    struct rt_blob *blob = blob_of("\1\2", 2);
    const int64_t shape[] = {1};
    struct rt_blob *alias = encode_joined(omni_tensor(arena, OMNI_TENSOR, "half", shape, 1, blob));
    struct rt_blob *named =
        encode_joined(omni_tensor(arena, OMNI_TENSOR, "float16", shape, 1, blob));

    assert_true(rt_slice_equal(rt_blob_slice(alias), rt_blob_slice(named)));

    rt_blob_release(alias);
    rt_blob_release(named);
    rt_blob_release(blob);
    omni_arena_destroy(arena);
}

static void encode__what_messagepack_cannot_hold__is_refused_with_a_reason(void **state)
{
    (void)state;
    struct omni_arena *arena = omni_arena_create();
    struct rt_blob *blob = blob_of("\1\2\3\4\5\6", 6);
    const int64_t shape[] = {2, 2, -1};
    struct omni_pair map_key = {omni_map(arena, NULL, 0), omni_nil(arena)};
    const struct omni_value *inner = map_key.key;
    struct omni_pair nested_key = {omni_array(arena, &inner, 1), omni_nil(arena)};
    struct omni_pair tensor_key = {omni_tensor(arena, OMNI_TENSOR, "int8", shape, 1, blob),
                                   omni_nil(arena)};

    assert_refused(omni_text(arena, rt_slice_text("ok\xed\xa0\x80")), RT_E_INVALID, "byte 2");
    assert_refused(omni_map(arena, &map_key, 1), RT_E_INVALID, "key");
    assert_refused(omni_map(arena, &nested_key, 1), RT_E_INVALID, "key");
    assert_refused(omni_map(arena, &tensor_key, 1), RT_E_INVALID, "key");
    assert_refused(omni_tensor(arena, OMNI_TENSOR, "float33", shape, 2, blob), RT_E_INVALID,
                   "float33");
    assert_refused(omni_tensor(arena, OMNI_TENSOR, "int8", shape, 2, blob), RT_E_INVALID, "fit");
    assert_refused(omni_tensor(arena, OMNI_TENSOR, "int8", shape, 3, blob), RT_E_INVALID, "-1");
    assert_refused(omni_tensor(arena, OMNI_NDARRAY, "|O", shape, 1, blob), RT_E_INVALID, "object");
    assert_refused(omni_tensor(arena, OMNI_IMAGE, "F", shape, 2, blob), RT_E_INVALID, "mode");
    assert_refused(omni_tensor(arena, OMNI_IMAGE, "RGB", shape, 2, blob), RT_E_INVALID, "shape");
    assert_refused(omni_timestamp(arena, 0, 1000000000), RT_E_INVALID, "timestamp");
    assert_refused(omni_timestamp(arena, 253402300800, 0), RT_E_INVALID, "timestamp");
    assert_refused(omni_extension(arena, -1, rt_slice_text("1234")), RT_E_INVALID, "-1");

    rt_blob_release(blob);
    omni_arena_destroy(arena);
}

static const struct omni_value *tower(struct omni_arena *arena, size_t level_count)
{
    const struct omni_value *value = omni_array(arena, NULL, 0);
    for (size_t i = 1; i < level_count; i++) {
        value = omni_array(arena, &value, 1);
    }
    return value;
}

static void encode__deeper_than_the_limit__is_refused(void **state)
{
    (void)state;
    struct omni_arena *arena = omni_arena_create();
    struct omni_serializer_limits limits = {.depth = 3};
    struct omni_encoded encoded;
    struct omni_codec_error error;

    assert_int_equal(omni_encode(tower(arena, 3), &limits, &encoded, &error), RT_OK);
    omni_encoded_fini(&encoded);
    assert_int_equal(omni_encode(tower(arena, 4), &limits, &encoded, &error), RT_E_LIMIT);
    assert_refused(tower(arena, 100000), RT_E_LIMIT, "512");
    rt_blob_release(encode_joined(tower(arena, 512)));
    omni_arena_destroy(arena);
}

static void encode__random_trees__decode_to_equal_trees_and_the_same_bytes(void **state)
{
    (void)state;
    struct rt_random random;
    rt_random_init(&random, 42, "serializer");
    for (int round = 0; round < 300; round++) {
        struct omni_arena *arena = omni_arena_create();
        struct omni_value *value = random_value(&random, arena, 4);
        struct rt_blob *document = encode_joined(value);
        const struct omni_value *back = NULL;
        struct omni_codec_error error = {.text = ""};
        if (omni_decode(document, arena, NULL, &back, &error) != RT_OK) {
            fail_msg("round %d: %s at %llu", round, error.text,
                     (unsigned long long)error.offset_bytes);
        }
        assert_true(omni_value_equal(value, back));
        struct rt_blob *again = encode_joined(back);
        assert_true(rt_slice_equal(rt_blob_slice(document), rt_blob_slice(again)));
        rt_blob_release(again);
        rt_blob_release(document);
        omni_arena_destroy(arena);
    }
    assert_int_equal(rt_blob_live_count(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encode__large_tensor__its_bytes_are_referred_to_not_copied),
        cmocka_unit_test(encode__long_bytes_in_no_blob__stay_a_view_of_the_callers_memory),
        cmocka_unit_test(encode__tensor_type_alias__is_written_as_upstream_names_it),
        cmocka_unit_test(encode__what_messagepack_cannot_hold__is_refused_with_a_reason),
        cmocka_unit_test(encode__deeper_than_the_limit__is_refused),
        cmocka_unit_test(encode__random_trees__decode_to_equal_trees_and_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
