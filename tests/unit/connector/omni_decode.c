/* SPDX-License-Identifier: Apache-2.0 */
#include "omni_support.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Documents are written in hex; "__tensor__" and the like are spelled by marker maps below. */

static const struct omni_value *decode_hex(struct omni_arena *arena, const char *hex)
{
    const struct omni_value *value = NULL;
    struct omni_codec_error error = {.text = ""};
    struct rt_blob *blob = blob_of_hex(hex);
    enum rt_status status = omni_decode(blob, arena, NULL, &value, &error);
    rt_blob_release(blob);
    if (status != RT_OK) {
        fail_msg("%s: %s at %" PRIu64, hex, error.text, error.offset_bytes);
    }
    return value;
}

static void assert_fails(struct rt_blob *blob, enum rt_status expected, uint64_t offset_bytes,
                         const char *word)
{
    const struct omni_value *value = NULL;
    struct omni_codec_error error = {.offset_bytes = 12345, .text = ""};
    struct omni_arena *arena = omni_arena_create();
    assert_int_equal(omni_decode(blob, arena, NULL, &value, &error), expected);
    assert_null(value);
    assert_int_equal(error.offset_bytes, offset_bytes);
    if (strstr(error.text, word) == NULL) {
        fail_msg("'%s' does not say '%s'", error.text, word);
    }
    omni_arena_destroy(arena);
    rt_blob_release(blob);
}

static void assert_hex_fails(const char *hex, uint64_t offset_bytes, const char *word)
{
    assert_fails(blob_of_hex(hex), RT_E_MALFORMED, offset_bytes, word);
}

/* ---- marker maps, built as plain maps ------------------------------------------------------- */

struct marked {
    const char *marker;
    const char *type_key;
    const char *type;
    struct omni_value *shape;
    const char *data;
    size_t data_bytes;
};

static struct omni_value *text_of(struct omni_arena *arena, const char *text)
{
    return omni_text(arena, rt_slice_text(text));
}

static struct omni_value *ints(struct omni_arena *arena, int count, ...)
{
    const struct omni_value *items[8];
    va_list arguments;
    va_start(arguments, count);
    for (int i = 0; i < count; i++) {
        items[i] = omni_int(arena, va_arg(arguments, int));
    }
    va_end(arguments);
    return omni_array(arena, items, (size_t)count);
}

static struct rt_blob *marked_document(struct omni_arena *arena, const struct marked *marked,
                                       const struct omni_value *marker_value)
{
    struct omni_pair pairs[] = {
        {text_of(arena, "extra"), omni_nil(arena)},
        {text_of(arena, "data"), omni_bytes(arena, rt_slice_of(marked->data, marked->data_bytes))},
        {text_of(arena, "shape"), marked->shape},
        {text_of(arena, marked->type_key), text_of(arena, marked->type)},
        {text_of(arena, marked->marker), marker_value},
    };
    return encode_joined(omni_map(arena, pairs, 5));
}

static const struct omni_value *restore(struct omni_arena *arena, const struct marked *marked)
{
    const struct omni_value *value = NULL;
    struct omni_codec_error error = {.text = ""};
    struct rt_blob *blob = marked_document(arena, marked, omni_bool(arena, true));
    enum rt_status status = omni_decode(blob, arena, NULL, &value, &error);
    rt_blob_release(blob);
    if (status != RT_OK) {
        fail_msg("%s: %s at %" PRIu64, marked->type, error.text, error.offset_bytes);
    }
    return value;
}

static void assert_not_restored(struct omni_arena *arena, const struct marked *marked,
                                const char *word)
{
    assert_fails(marked_document(arena, marked, omni_bool(arena, true)), RT_E_MALFORMED, 0, word);
}

/* ---- plain values --------------------------------------------------------------------------- */

static void decode__longer_than_needed_forms__are_taken(void **state)
{
    (void)state;
    static const char *const sevens[] = {
        "07",   "cc07",   "cd0007",     "ce00000007",        "cf0000000000000007",
        "d007", "d10007", "d200000007", "d30000000000000007"};
    struct omni_arena *arena = omni_arena_create();
    for (size_t i = 0; i < sizeof(sevens) / sizeof(sevens[0]); i++) {
        const struct omni_value *value = decode_hex(arena, sevens[i]);
        assert_int_equal(value->kind, OMNI_INT);
        assert_int_equal(value->integer, 7);
    }
    assert_true(omni_value_equal(decode_hex(arena, "db0000000161"), decode_hex(arena, "a161")));
    assert_true(omni_value_equal(decode_hex(arena, "dd00000001c0"), decode_hex(arena, "91c0")));
    assert_true(omni_value_equal(decode_hex(arena, "df00000001c0c0"), decode_hex(arena, "81c0c0")));
    assert_true(omni_value_equal(decode_hex(arena, "c60000000161"), decode_hex(arena, "c40161")));
    assert_true(omni_value_equal(decode_hex(arena, "c900000001"
                                                   "0561"),
                                 decode_hex(arena, "d40561")));
    assert_true(
        omni_value_equal(decode_hex(arena, "c704ff00000001"), decode_hex(arena, "d6ff00000001")));
    omni_arena_destroy(arena);
}

static void decode__float32__is_widened(void **state)
{
    (void)state;
    struct omni_arena *arena = omni_arena_create();
    const struct omni_value *value = decode_hex(arena, "ca3fc00000");
    assert_int_equal(value->kind, OMNI_FLOAT);
    assert_true(value->number > 1.49 && value->number < 1.51);
    omni_arena_destroy(arena);
}

static void decode__negative_integers__keep_their_sign_in_each_width(void **state)
{
    (void)state;
    static const char *const texts[] = {"ff", "d0ff", "d1ffff", "d2ffffffff", "d3ffffffffffffffff"};
    struct omni_arena *arena = omni_arena_create();
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(decode_hex(arena, texts[i])->integer, -1);
    }
    assert_int_equal(decode_hex(arena, "cfffffffffffffffff")->kind, OMNI_UINT);
    omni_arena_destroy(arena);
}

static void decode__bodies__are_views_into_the_blob_which_the_arena_keeps(void **state)
{
    (void)state;
    struct omni_arena *arena = omni_arena_create();
    struct rt_blob *blob = blob_of_hex("93a3616263c403010203c703050a0b0c");
    const struct omni_value *value = NULL;
    struct omni_codec_error error;
    const uint8_t *bytes = rt_blob_slice(blob).data;

    assert_int_equal(omni_decode(blob, arena, NULL, &value, &error), RT_OK);
    rt_blob_release(blob);

    assert_ptr_equal(value->array.items[0]->body.bytes.data, bytes + 2);
    assert_ptr_equal(value->array.items[0]->body.blob, blob);
    assert_ptr_equal(value->array.items[1]->body.bytes.data, bytes + 7);
    assert_ptr_equal(value->array.items[2]->extension.body.bytes.data, bytes + 13);
    assert_int_equal(bytes[13], 0x0a);
    omni_arena_destroy(arena);
    assert_int_equal(rt_blob_live_count(), 0);
}

static void decode__duplicate_keys__first_place_last_value_as_in_python(void **state)
{
    (void)state;
    struct omni_arena *arena = omni_arena_create();
    /* {"a": 1, "b": 2, "a": 3} */
    assert_true(omni_value_equal(decode_hex(arena, "83a16101a16202a16103"),
                                 decode_hex(arena, "82a16103a16202")));
    /* {1: 1, 1.0: 2, true: 3, "a": 4}: one key in Python */
    assert_true(omni_value_equal(decode_hex(arena, "840101cb3ff000000000000002c303a16104"),
                                 decode_hex(arena, "820103a16104")));
    /* NaN is never the same key */
    const struct omni_value *two = decode_hex(arena, "82cb7ff800000000000002cb7ff800000000000003");
    assert_int_equal(two->map.count, 2);
    /* (1, 2) twice, and the bytes "a" beside the text "a" */
    assert_int_equal(decode_hex(arena, "829201020092010201")->map.count, 1);
    assert_int_equal(decode_hex(arena, "82a16100c4016101")->map.count, 2);
    /* 2^63 as unsigned, and the float next to it */
    assert_int_equal(decode_hex(arena, "82cf800000000000000000cb43e000000000000001")->map.count, 1);
    assert_int_equal(decode_hex(arena, "82cf800000000000000100cb43e000000000000001")->map.count, 2);
    omni_arena_destroy(arena);
}

static void decode__many_duplicate_keys__keep_their_order(void **state)
{
    (void)state;
    enum { KEYS = 1000 };
    struct omni_arena *arena = omni_arena_create();
    struct omni_pair pairs[2 * KEYS];
    for (int i = 0; i < 2 * KEYS; i++) {
        int key = i < KEYS ? (i * 7) % KEYS : i % KEYS;
        pairs[i] = (struct omni_pair){omni_int(arena, key), omni_int(arena, i)};
    }
    struct rt_blob *blob = encode_joined(omni_map(arena, pairs, 2 * KEYS));
    const struct omni_value *value = NULL;
    struct omni_codec_error error;
    assert_int_equal(omni_decode(blob, arena, NULL, &value, &error), RT_OK);
    assert_int_equal(value->map.count, KEYS);
    for (int i = 0; i < KEYS; i++) {
        assert_int_equal(value->map.pairs[i].key->integer, (i * 7) % KEYS);
        assert_int_equal(value->map.pairs[i].value->integer, KEYS + (i * 7) % KEYS);
    }
    rt_blob_release(blob);
    omni_arena_destroy(arena);
}

/* ---- bad documents -------------------------------------------------------------------------- */

static void decode__malformed__says_what_and_where(void **state)
{
    (void)state;
    assert_hex_fails("", 0, "too early");
    assert_hex_fails("92c0", 0, "too early");
    assert_hex_fails("9201a2", 2, "too early");
    assert_hex_fails("9201a261", 2, "too early");
    assert_hex_fails("91cd00", 1, "too early");
    assert_hex_fails("91c1", 1, "0xc1");
    assert_hex_fails("0101", 1, "follow");
    assert_hex_fails("91a361ed80", 3, "UTF-8");
    assert_hex_fails("a2c080", 1, "UTF-8");
    assert_hex_fails("a3eda080", 1, "UTF-8");
    assert_hex_fails("a4f4908080", 1, "UTF-8");
    assert_hex_fails("a1ff", 1, "UTF-8");
    assert_hex_fails("8180c0", 1, "key");
    assert_hex_fails("819180c0", 2, "key");
    assert_hex_fails("91c705ff0000000000", 1, "timestamp of 5");
    assert_hex_fails("d7ffee6b280000000000", 0, "range");
    assert_hex_fails("c70cff000000000000003afff44180", 0, "range");
}

/* The header claims 4,294,967,295 items: nothing may be allocated for it. The arena's first piece
 * is all there is, so a list of that length would show as RT_E_NOMEM or worse. */
static void decode__hostile_counts__are_truncations_noticed_at_once(void **state)
{
    (void)state;
    assert_hex_fails("ddffffffff", 0, "too early");
    assert_hex_fails("dfffffffff", 0, "too early");
    assert_hex_fails("c6ffffffff", 0, "too early");
    assert_hex_fails("dbffffffff", 0, "too early");
    assert_hex_fails("c9ffffffff05", 0, "too early");
    assert_hex_fails("dcffffddffffffff", 0, "too early");
    /* Each list would fit alone, but not what both announce together. */
    assert_hex_fails("9494c0c0c0c0", 1, "too early");
}

static void decode__nesting_bomb__stops_at_the_depth_limit(void **state)
{
    (void)state;
    enum { LEVELS = 100000 };
    uint8_t *bytes = malloc(LEVELS + 1);
    assert_non_null(bytes);
    memset(bytes, 0x91, LEVELS);
    bytes[LEVELS] = 0xc0;
    assert_fails(blob_of(bytes, LEVELS + 1), RT_E_LIMIT, 512, "512");
    for (size_t i = 0; i < LEVELS; i += 2) { /* {nil: {nil: ... */
        bytes[i] = 0x81;
        bytes[i + 1] = 0xc0;
    }
    assert_fails(blob_of(bytes, LEVELS + 1), RT_E_LIMIT, 1024, "512");
    free(bytes);
}

static void decode__limits__count_levels_and_values(void **state)
{
    (void)state;
    struct omni_arena *arena = omni_arena_create();
    struct rt_blob *blob = blob_of_hex("9201920203"); /* [1, [2, 3]] */
    const struct omni_value *value = NULL;
    struct omni_codec_error error;
    struct omni_serializer_limits enough = {.depth = 2, .items = 5};
    struct omni_serializer_limits flat = {.depth = 1, .items = 5};
    struct omni_serializer_limits few = {.depth = 2, .items = 4};

    assert_int_equal(omni_decode(blob, arena, &enough, &value, &error), RT_OK);
    assert_int_equal(omni_decode(blob, arena, &flat, &value, &error), RT_E_LIMIT);
    assert_int_equal(error.offset_bytes, 2);
    assert_int_equal(omni_decode(blob, arena, &few, &value, &error), RT_E_LIMIT);
    rt_blob_release(blob);
    omni_arena_destroy(arena);
}

static void decode__every_truncation_of_a_valid_document__is_an_error(void **state)
{
    (void)state;
    struct rt_random random;
    rt_random_init(&random, 7, "truncations");
    for (int round = 0; round < 60; round++) {
        struct omni_arena *arena = omni_arena_create();
        struct rt_blob *document = encode_joined(random_value(&random, arena, 3));
        struct rt_slice bytes = rt_blob_slice(document);
        size_t step = bytes.len_bytes / 500 + 1;
        for (size_t len_bytes = 0; len_bytes < bytes.len_bytes; len_bytes += step) {
            struct rt_blob *part = blob_of(bytes.data, len_bytes);
            const struct omni_value *value = NULL;
            struct omni_codec_error error;
            omni_arena_reset(arena);
            assert_int_equal(omni_decode(part, arena, NULL, &value, &error), RT_E_MALFORMED);
            assert_true(error.offset_bytes <= len_bytes);
            rt_blob_release(part);
        }
        rt_blob_release(document);
        omni_arena_destroy(arena);
    }
    assert_int_equal(rt_blob_live_count(), 0);
}

static void decode__changed_bytes__never_read_outside(void **state)
{
    (void)state;
    struct rt_random random;
    rt_random_init(&random, 8, "changes");
    for (int round = 0; round < 2000; round++) {
        struct omni_arena *arena = omni_arena_create();
        struct rt_blob *document = encode_joined(random_value(&random, arena, 2));
        struct rt_slice bytes = rt_blob_slice(document);
        struct rt_blob *changed = blob_of(bytes.data, bytes.len_bytes);
        uint8_t *data = (uint8_t *)(uintptr_t)rt_blob_slice(changed).data;
        for (int i = 0; i < 3; i++) {
            data[rt_random_below(&random, bytes.len_bytes)] = (uint8_t)rt_random_u64(&random);
        }
        const struct omni_value *value = NULL;
        struct omni_codec_error error;
        enum rt_status status = omni_decode(changed, arena, NULL, &value, &error);
        assert_true(status == RT_OK || status == RT_E_MALFORMED || status == RT_E_LIMIT);
        if (status == RT_OK) { /* what was read can be written */
            rt_blob_release(encode_joined(value));
        }
        rt_blob_release(changed);
        rt_blob_release(document);
        omni_arena_destroy(arena);
    }
}

/* ---- tensors, arrays, images ---------------------------------------------------------------- */

static void decode__tensor__data_points_into_the_payload(void **state)
{
    (void)state;
    struct omni_arena *arena = omni_arena_create();
    struct marked marked = {"__tensor__",         "dtype",        "half",
                            ints(arena, 2, 2, 3), "0123456789ab", 12};
    struct rt_blob *blob = marked_document(arena, &marked, omni_int(arena, 1));
    struct rt_slice bytes = rt_blob_slice(blob);
    const struct omni_value *value = NULL;
    struct omni_codec_error error;

    assert_int_equal(omni_decode(blob, arena, NULL, &value, &error), RT_OK);

    assert_int_equal(value->kind, OMNI_TENSOR);
    assert_true(rt_slice_is_text(value->tensor.type, "float16"));
    assert_int_equal(value->tensor.dimension_count, 2);
    assert_int_equal(value->tensor.shape[1], 3);
    assert_ptr_equal(value->tensor.body.blob, blob);
    assert_true(value->tensor.body.bytes.data > bytes.data &&
                value->tensor.body.bytes.data + 12 < bytes.data + bytes.len_bytes);
    assert_memory_equal(value->tensor.body.bytes.data, "0123456789ab", 12);
    rt_blob_release(blob);
    omni_arena_destroy(arena);
}

static void decode__marker__counts_when_python_would_call_it_true(void **state)
{
    (void)state;
    struct omni_arena *arena = omni_arena_create();
    struct marked marked = {"__tensor__", "dtype", "int8", ints(arena, 1, 1), "x", 1};
    struct omni_pair pair = {omni_nil(arena), omni_nil(arena)};
    const struct omni_value *yes[] = {
        omni_bool(arena, true),
        omni_int(arena, -1),
        omni_float(arena, NAN),
        text_of(arena, "0"),
        omni_bytes(arena, rt_slice_text("b")),
        ints(arena, 1, 0),
        omni_map(arena, &pair, 1),
        omni_timestamp(arena, 0, 0),
    };
    const struct omni_value *no[] = {
        omni_nil(arena),         omni_bool(arena, false),  omni_int(arena, 0),
        omni_float(arena, -0.0), text_of(arena, ""),       omni_bytes(arena, rt_slice_of(NULL, 0)),
        ints(arena, 0),          omni_map(arena, NULL, 0),
    };
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]) + sizeof(no) / sizeof(no[0]); i++) {
        bool is_yes = i < sizeof(yes) / sizeof(yes[0]);
        struct rt_blob *blob =
            marked_document(arena, &marked, is_yes ? yes[i] : no[i - sizeof(yes) / sizeof(yes[0])]);
        const struct omni_value *value = NULL;
        struct omni_codec_error error;
        assert_int_equal(omni_decode(blob, arena, NULL, &value, &error), RT_OK);
        assert_int_equal(value->kind, is_yes ? OMNI_TENSOR : OMNI_MAP);
        rt_blob_release(blob);
    }
    omni_arena_destroy(arena);
}

static void decode__two_markers__tensor_wins_over_ndarray_over_image(void **state)
{
    (void)state;
    struct omni_arena *arena = omni_arena_create();
    struct omni_pair pairs[] = {
        {text_of(arena, "__pil_image__"), omni_bool(arena, true)},
        {text_of(arena, "__ndarray__"), omni_bool(arena, true)},
        {text_of(arena, "mode"), text_of(arena, "L")},
        {text_of(arena, "shape"), ints(arena, 2, 1, 1)},
        {text_of(arena, "dtype"), text_of(arena, "uint8")},
        {text_of(arena, "data"), omni_bytes(arena, rt_slice_text("x"))},
        {text_of(arena, "__tensor__"), omni_bool(arena, true)},
    };
    static const enum omni_kind expected[] = {OMNI_TENSOR, OMNI_NDARRAY, OMNI_IMAGE};
    for (size_t i = 0; i < 3; i++) {
        const struct omni_value *value = NULL;
        struct omni_codec_error error;
        struct rt_blob *blob = encode_joined(omni_map(arena, pairs, 7));
        assert_int_equal(omni_decode(blob, arena, NULL, &value, &error), RT_OK);
        assert_int_equal(value->kind, expected[i]);
        rt_blob_release(blob);
        pairs[i == 0 ? 6 : 1].value = omni_nil(arena); /* the winner leaves */
    }
    omni_arena_destroy(arena);
}

static void decode__shape__is_inferred_or_a_plain_integer(void **state)
{
    (void)state;
    struct omni_arena *arena = omni_arena_create();
    struct marked inferred = {"__tensor__",          "dtype",        "int16",
                              ints(arena, 2, -1, 3), "0123456789ab", 12};
    struct marked plain = {"__ndarray__", "dtype", "=f4", omni_int(arena, -1), "0123456789ab", 12};
    struct marked scalar = {"__tensor__", "dtype", "double", ints(arena, 0), "01234567", 8};
    struct marked empty = {"__tensor__", "dtype", "double", ints(arena, 2, 0, 7), "", 0};
    struct marked empty_array = {"__ndarray__", "dtype", "<f4", ints(arena, 2, -1, 3), "", 0};

    assert_int_equal(restore(arena, &inferred)->tensor.shape[0], 2);
    const struct omni_value *array = restore(arena, &plain);
    assert_int_equal(array->tensor.dimension_count, 1);
    assert_int_equal(array->tensor.shape[0], 3);
    assert_true(rt_slice_is_text(array->tensor.type, "<f4"));
    assert_int_equal(restore(arena, &scalar)->tensor.dimension_count, 0);
    assert_int_equal(restore(arena, &empty)->tensor.shape[1], 7);
    assert_int_equal(restore(arena, &empty_array)->tensor.shape[0], 0);
    omni_arena_destroy(arena);
}

static void decode__tensor_that_does_not_fit__is_refused(void **state)
{
    (void)state;
    struct omni_arena *arena = omni_arena_create();
    struct marked rows[] = {
        {"__tensor__", "dtype", "float32", ints(arena, 2, 2, 2), "0123456789ab", 12},
        {"__tensor__", "dtype", "float32", ints(arena, 1, 1), "", 0}, /* refused on purpose */
        {"__tensor__", "dtype", "float32", ints(arena, 1, -1), "", 0},
        {"__tensor__", "dtype", "float32", ints(arena, 2, -1, -1), "0123", 4},
        {"__tensor__", "dtype", "float32", ints(arena, 2, -1, 0), "0123", 4},
        {"__tensor__", "dtype", "float32", ints(arena, 1, -1), "01234", 5},
        {"__tensor__", "dtype", "float32", ints(arena, 1, -2), "0123", 4},
        {"__tensor__", "dtype", "float32", ints(arena, 2, 2147483647, 2147483647), "0123", 4},
        {"__tensor__", "dtype", "float32", text_of(arena, "1"), "0123", 4},
        {"__tensor__", "dtype", "float33", ints(arena, 1, 1), "0123", 4},
        {"__tensor__", "type", "float32", ints(arena, 1, 1), "0123", 4},
        {"__tensor__", "dtype", "torch.float32", ints(arena, 1, 1), "0123", 4},
        {"__ndarray__", "dtype", "|V4", ints(arena, 1, 1), "0123", 4},
        {"__ndarray__", "dtype", "i4,f4", ints(arena, 1, 1), "0123", 4},
        {"__pil_image__", "mode", "RGB", ints(arena, 2, 2, 2), "0123", 4},
        {"__pil_image__", "mode", "L", ints(arena, 3, 2, 2, 1), "0123", 4},
        {"__pil_image__", "mode", "XYZ", ints(arena, 2, 2, 2), "0123", 4},
    };
    static const char *const words[] = {
        "fit",     "fit",        "inferred", "inferred", "inferred", "inferred",
        "no size", "fit",        "shape",    "float33",  "'dtype'",  "torch.float32",
        "void",    "structured", "shape",    "shape",    "XYZ",
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_not_restored(arena, &rows[i], words[i]);
    }
    omni_arena_destroy(arena);
}

static void decode__broken_tensor_inside__the_offset_is_its_own(void **state)
{
    (void)state;
    /* [nil, {"__tensor__": true}] */
    assert_hex_fails("92c081aa5f5f74656e736f725f5fc3", 2, "'dtype'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decode__longer_than_needed_forms__are_taken),
        cmocka_unit_test(decode__float32__is_widened),
        cmocka_unit_test(decode__negative_integers__keep_their_sign_in_each_width),
        cmocka_unit_test(decode__bodies__are_views_into_the_blob_which_the_arena_keeps),
        cmocka_unit_test(decode__duplicate_keys__first_place_last_value_as_in_python),
        cmocka_unit_test(decode__many_duplicate_keys__keep_their_order),
        cmocka_unit_test(decode__malformed__says_what_and_where),
        cmocka_unit_test(decode__hostile_counts__are_truncations_noticed_at_once),
        cmocka_unit_test(decode__nesting_bomb__stops_at_the_depth_limit),
        cmocka_unit_test(decode__limits__count_levels_and_values),
        cmocka_unit_test(decode__every_truncation_of_a_valid_document__is_an_error),
        cmocka_unit_test(decode__changed_bytes__never_read_outside),
        cmocka_unit_test(decode__tensor__data_points_into_the_payload),
        cmocka_unit_test(decode__marker__counts_when_python_would_call_it_true),
        cmocka_unit_test(decode__two_markers__tensor_wins_over_ndarray_over_image),
        cmocka_unit_test(decode__shape__is_inferred_or_a_plain_integer),
        cmocka_unit_test(decode__tensor_that_does_not_fit__is_refused),
        cmocka_unit_test(decode__broken_tensor_inside__the_offset_is_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
