/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "connector/omni_notation.h"
#include "omni_support.h"

/* The notation of payloads as JSON: docs/reference/payload-notation.md is the specification. */

static char *write_notation(const struct omni_value *value)
{
    char *text = NULL;
    size_t text_bytes = 0;
    FILE *out = open_memstream(&text, &text_bytes);
    assert_non_null(out);
    assert_int_equal(omni_notation_write(out, value), RT_OK);
    assert_int_equal(fclose(out), 0);
    return text;
}

static const struct omni_value *read_notation(struct omni_arena *arena, const char *text)
{
    const struct omni_value *value = NULL;
    struct doc_error_list *errors = doc_error_list_create();
    assert_non_null(errors);
    if (omni_notation_read("value.json", rt_slice_text(text), arena, errors, &value) != RT_OK) {
        doc_error_list_print(stderr, errors);
        fail_msg("not read: %.200s", text);
    }
    assert_int_equal(doc_error_total_count(errors), 0);
    doc_error_list_destroy(errors);
    return value;
}

static void assert_round_trip(const struct omni_value *value)
{
    struct omni_arena *arena = omni_arena_create();
    assert_non_null(arena);
    char *text = write_notation(value);
    assert_null(strchr(text, '\n'));
    const struct omni_value *again = read_notation(arena, text);
    assert_true(omni_value_equal(value, again));
    struct rt_blob *bytes = encode_joined(value);
    struct rt_blob *bytes_again = encode_joined(again);
    assert_true(rt_slice_equal(rt_blob_slice(bytes), rt_blob_slice(bytes_again)));
    rt_blob_release(bytes);
    rt_blob_release(bytes_again);
    free(text);
    omni_arena_destroy(arena);
}

/* ---- writing and reading are inverse ------------------------------------------------------- */

static void notation__random_trees__read_back_equal_with_equal_bytes(void **state)
{
    (void)state;
    struct rt_random random;
    rt_random_init(&random, 20, "notation");
    for (int i = 0; i < 1500; i++) {
        struct omni_arena *arena = omni_arena_create();
        assert_non_null(arena);
        assert_round_trip(random_value(&random, arena, i % 5));
        omni_arena_destroy(arena);
    }
}

static void notation__decoded_documents__read_back_to_the_same_bytes(void **state)
{
    (void)state;
    struct rt_random random;
    rt_random_init(&random, 21, "notation");
    for (int i = 0; i < 500; i++) {
        struct omni_arena *arena = omni_arena_create();
        struct omni_arena *decoded_arena = omni_arena_create();
        const struct omni_value *decoded = NULL;
        struct omni_codec_error error;
        struct rt_blob *bytes = encode_joined(random_value(&random, arena, 3));
        assert_int_equal(omni_decode(bytes, decoded_arena, NULL, &decoded, &error), RT_OK);
        char *text = write_notation(decoded);
        struct rt_blob *again = encode_joined(read_notation(arena, text));
        assert_true(rt_slice_equal(rt_blob_slice(bytes), rt_blob_slice(again)));
        free(text);
        rt_blob_release(again);
        rt_blob_release(bytes);
        omni_arena_destroy(decoded_arena);
        omni_arena_destroy(arena);
    }
}

static size_t utf8_of(uint32_t point, uint8_t out[4])
{
    if (point < 0x80) {
        out[0] = (uint8_t)point;
        return 1;
    }
    size_t count = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t i = count - 1; i > 0; i--) {
        out[i] = (uint8_t)(0x80 | (point & 0x3f));
        point >>= 6;
    }
    out[0] = (uint8_t)((count == 2 ? 0xc0U : count == 3 ? 0xe0U : 0xf0U) | point);
    return count;
}

static void notation__every_code_point__survives_in_texts_and_keys(void **state)
{
    (void)state;
    enum { CHUNK = 2048 };
    uint8_t *bytes = malloc((size_t)CHUNK * 4);
    assert_non_null(bytes);
    for (uint32_t first = 0; first < 0x110000; first += CHUNK) {
        struct omni_arena *arena = omni_arena_create();
        size_t used_bytes = 0;
        assert_non_null(arena);
        for (uint32_t point = first; point < first + CHUNK; point++) {
            if (point < 0xd800 || point > 0xdfff) {
                used_bytes += utf8_of(point, bytes + used_bytes);
            }
        }
        const struct omni_value *text = omni_text(arena, rt_slice_of(bytes, used_bytes));
        struct omni_pair pair = {.key = text, .value = text};
        assert_round_trip(omni_map(arena, &pair, 1));
        omni_arena_destroy(arena);
    }
    free(bytes);
}

static void notation__random_bits_as_floats__keep_every_bit(void **state)
{
    (void)state;
    static const uint64_t edges[] = {0,
                                     0x8000000000000000,
                                     1,
                                     0x000fffffffffffff,
                                     0x0010000000000000,
                                     0x7fefffffffffffff,
                                     0x7ff0000000000000,
                                     0xfff0000000000000,
                                     0x7ff0000000000001,
                                     0x7ff8000000000000,
                                     0xfff8000000000000,
                                     0xffffffffffffffff,
                                     0x4340000000000000,
                                     0x3fb999999999999a};
    const size_t edge_count = sizeof(edges) / sizeof(edges[0]);
    struct rt_random random;
    rt_random_init(&random, 22, "notation");
    for (size_t i = 0; i < 3000; i++) {
        struct omni_arena *arena = omni_arena_create();
        uint64_t bits = i < edge_count ? edges[i] : rt_random_u64(&random);
        double number;
        assert_non_null(arena);
        memcpy(&number, &bits, sizeof(number));
        assert_round_trip(omni_float(arena, number));
        omni_arena_destroy(arena);
    }
}

static void notation__deepest_value_that_encodes__is_written_and_read(void **state)
{
    (void)state;
    struct omni_arena *arena = omni_arena_create();
    assert_non_null(arena);
    const struct omni_value *value = omni_int(arena, 7);
    const struct omni_value *key = omni_nil(arena);
    for (int i = 0; i < 512; i++) {
        struct omni_pair pair = {.key = key, .value = value};
        value = omni_map(arena, &pair, 1);
    }
    assert_round_trip(value);
    omni_arena_destroy(arena);
}

/* ---- what each form means ------------------------------------------------------------------ */

static void notation__each_form__makes_its_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *hex;
    } rows[] = {
        {"null", "c0"},
        {"true", "c3"},
        {"7", "07"},
        {"-0", "00"},
        {"9007199254740993", "cf0020000000000001"},
        {"9223372036854775808", "cf8000000000000000"},
        {"18446744073709551615", "cfffffffffffffffff"},
        {"-9223372036854775808", "d38000000000000000"},
        {"{\"$int\": \"-9223372036854775808\"}", "d38000000000000000"},
        {"{\"$int\": 5}", "05"},
        {"1.0", "cb3ff0000000000000"},
        {"1e2", "cb4059000000000000"},
        {"-0.0", "cb8000000000000000"},
        {"{\"$float\": 2}", "cb4000000000000000"},
        {"{\"$float\": \"nan\"}", "cb7ff8000000000000"},
        {"{\"$float\": \"-inf\"}", "cbfff0000000000000"},
        {"{\"$float\": \"0xfff8000000000001\"}", "cbfff8000000000001"},
        {"\"h\\u00e9\\u0000\"", "a468c3a900"},
        {"\"\\ud83d\\ude00\"", "a4f09f9880"},
        {"{\"$bytes\": \"AP8=\"}", "c40200ff"},
        {"{\"$bytes\": \"\"}", "c400"},
        {"{\"$bytes\": {\"base64\": \"AP8=\"}}", "c40200ff"},
        {"{\"$bytes\": {\"hex\": \"00fF\"}}", "c40200ff"},
        {"{\"$bytes\": {\"fill\": 9, \"size\": 3}}", "c403090909"},
        {"{\"$bytes\": {\"fill\": \"ramp\", \"size\": 3}}", "c403000102"},
        {"{\"$bytes\": {\"fill\": 1, \"size\": 0}}", "c400"},
        {"{\"data\": {\"hex\": \"00ff\"}, \"$extension\": -128}", "d58000ff"},
        {"{\"$timestamp\": [0]}", "d6ff00000000"},
        {"{\"$timestamp\": [-1, 5]}", "c70cff00000005ffffffffffffffff"},
        {"{\"b\": [], \"a\": {}}", "82a16290a16180"},
        {"{\"$map\": []}", "80"},
        {"{\"$map\": [[1, 2], [[null], 3], [\"$x\", 4]]}", "83010291c003a2247804"},
        {"{\"$tensor\": \"half\", \"shape\": [2], \"data\": {\"fill\": 1}}",
         "84aa5f5f74656e736f725f5fc3a56474797065a7666c6f61743136a5736861706591"
         "02a464617461c40401010101"},
        {"{\"$ndarray\": \"float32\", \"shape\": [], \"data\": {\"hex\": \"00000000\"}}",
         "84ab5f5f6e6461727261795f5fc3a56474797065a33c6634a5736861706590a464617461c40400000000"},
        {"{\"$image\": \"L\", \"shape\": [1, 2], \"data\": \"AQI=\"}",
         "84ad5f5f70696c5f696d6167655f5fc3a46d6f6465a14ca573686170659"
         "20102a464617461c4020102"},
        {"{\"__tensor__\": false}", "81aa5f5f74656e736f725f5fc2"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct omni_arena *arena = omni_arena_create();
        assert_non_null(arena);
        struct rt_blob *bytes = encode_joined(read_notation(arena, rows[i].text));
        assert_blob_hex(bytes, rows[i].hex);
        rt_blob_release(bytes);
        omni_arena_destroy(arena);
    }
}

static void notation__values_no_json_number_keeps__are_written_as_forms(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        const char *text;
    } rows[] = {
        {"cf0020000000000000", "9007199254740992"},
        {"cf0020000000000001", "{\"$int\": \"9007199254740993\"}"},
        {"d3ffdfffffffffffff", "{\"$int\": \"-9007199254740993\"}"},
        {"cfffffffffffffffff", "{\"$int\": \"18446744073709551615\"}"},
        {"cb3fb999999999999a", "0.1"},
        {"cb3ff0000000000000", "1.0"},
        {"cb54b249ad2594c37d", "1e+100"},
        {"cb7ff0000000000000", "{\"$float\": \"inf\"}"},
        {"cb7ff8000000000000", "{\"$float\": \"nan\"}"},
        {"cbfff8000000000000", "{\"$float\": \"0xfff8000000000000\"}"},
        {"a32261"
         "0a",
         "\"\\\"a\\u000a\""},
        {"d57"
         "f00ff",
         "{\"$extension\": 127, \"data\": \"AP8=\"}"},
        {"81a1610"
         "1",
         "{\"a\": 1}"},
        {"810102", "{\"$map\": [[1, 2]]}"},
        {"81a2246101", "{\"$map\": [[\"$a\", 1]]}"},
        {"82a1610101"
         "02",
         "{\"$map\": [[\"a\", 1], [1, 2]]}"},
        {"9291c090", "[[null], []]"},
        {"c70cff00000005ffffffffffffffff", "{\"$timestamp\": [-1, 5]}"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct omni_arena *arena = omni_arena_create();
        const struct omni_value *value = NULL;
        struct omni_codec_error error;
        struct rt_blob *blob = blob_of_hex(rows[i].hex);
        assert_int_equal(omni_decode(blob, arena, NULL, &value, &error), RT_OK);
        char *text = write_notation(value);
        assert_string_equal(text, rows[i].text);
        free(text);
        rt_blob_release(blob);
        omni_arena_destroy(arena);
    }
}

static void notation__long_data_of_one_byte__is_written_as_a_fill(void **state)
{
    (void)state;
    struct omni_arena *arena = omni_arena_create();
    uint8_t *data = NULL;
    int64_t shape[] = {4, 8};
    struct rt_blob *blob = rt_blob_create(32, &data);
    assert_non_null(arena);
    assert_non_null(blob);
    memset(data, 3, 32);
    char *tensor = write_notation(omni_tensor(arena, OMNI_TENSOR, "uint8", shape, 2, blob));
    char *bytes = write_notation(omni_bytes_blob(arena, blob));
    assert_string_equal(tensor,
                        "{\"$tensor\": \"uint8\", \"shape\": [4, 8], \"data\": {\"fill\": 3}}");
    assert_string_equal(bytes, "{\"$bytes\": {\"fill\": 3, \"size\": 32}}");
    free(tensor);
    free(bytes);
    rt_blob_release(blob);
    omni_arena_destroy(arena);
}

/* ---- what is refused, and where ------------------------------------------------------------ */

static void notation__mistakes__are_told_with_line_and_column(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t line;
        uint32_t column;
        const char *part; /* of the printed error */
    } rows[] = {
        {"[1,\n  18446744073709551616]", 2, 3, "18446744073709551615"},
        {"-9223372036854775809", 1, 1, "-9223372036854775808"},
        {"1e999", 1, 1, "{\"$float\": \"inf\"}"},
        {"{\"$tensr\": 1}", 1, 2, "did you mean \"$tensor\"?"},
        {"{\"$foo\": 1}", 1, 2, "$timestamp"},
        {"{\"$tensor\": \"float32\", \"shape\": [1]}", 1, 1, "needs the key \"data\""},
        {"{\"$tensor\": \"float33\", \"shape\": [1], \"data\": \"\"}", 1, 13, "torch type"},
        {"{\"$tensor\": \"uint8\",\n \"shape\": [2],\n \"data\": \"AA==\"}", 3, 10,
         "takes 2 bytes, and these are 1"},
        {"{\"$tensor\": \"uint8\", \"shape\": [-1], \"data\": \"AA==\"}", 1, 32, "integer from 0"},
        {"{\"$tensor\": \"uint8\", \"shape\": 1, \"data\": \"AA==\"}", 1, 31, "list of at most 64"},
        {"{\"$tensor\": \"int64\", \"shape\": [9223372036854775807, 9], \"data\": {\"fill\": 0}}",
         1, 31, "larger than 4 GiB"},
        {"{\"$image\": \"RGB\", \"shape\": [2, 2], \"data\": {\"fill\": 0}}", 1, 28, "image mode"},
        {"{\"$bytes\": \"AAA\"}", 1, 12, "groups of four"},
        {"{\"$bytes\": \"A*A=\"}", 1, 14, "not base64"},
        {"{\"$bytes\": \"AB==\"}", 1, 14, "not base64"},
        {"{\"$bytes\": {\"hex\": \"0g\"}}", 1, 22, "pairs of the digits"},
        {"{\"$bytes\": {\"hex\": \"000\"}}", 1, 23, "pairs of the digits"},
        {"{\"$bytes\": {\"hex\": []}}", 1, 12, "these are no bytes"},
        {"{\"$bytes\": {\"fill\": 1}}", 1, 12, "these are no bytes"},
        {"{\"$bytes\": {\"fill\": 256, \"size\": 1}}", 1, 21, "integer from 0 to 255"},
        {"{\"$bytes\": 7}", 1, 12, "these are no bytes"},
        {"{\"$bytes\": \"AA==\", \"size\": 1}", 1, 20, "does not belong"},
        {"{\"$extension\": 128, \"data\": \"\"}", 1, 16, "integer from -128 to 127"},
        {"{\"$extension\": -1, \"data\": \"\"}", 1, 16, "$timestamp"},
        {"{\"$timestamp\": [0, 1000000000]}", 1, 20, "999999999"},
        {"{\"$timestamp\": [253402300800]}", 1, 17, "years 1 to 9999"},
        {"{\"$timestamp\": 5}", 1, 16, "[SECONDS, NANOSECONDS]"},
        {"{\"$float\": \"NaN\"}", 1, 12, "nan, inf, -inf"},
        {"{\"$float\": \"0x7ff\"}", 1, 12, "16 hexadecimal digits"},
        {"{\"$int\": \"0x10\"}", 1, 10, "decimal digits"},
        {"{\"$int\": true}", 1, 10, "decimal digits"},
        {"{\"$map\": {\"a\": 1}}", 1, 10, "list of pairs"},
        {"{\"$map\": [[1]]}", 1, 11, "no pair"},
        {"{\"$map\": [[{}, 1]]}", 1, 12, "cannot be a map's key"},
        {"{\"$map\": [[[{\"$tensor\": \"uint8\", \"shape\": [0], \"data\": \"\"}], 1]]}", 1, 13,
         "cannot be a map's key"},
        {"[\"\\ud800\"]", 1, 0, ""},
        {"[\"\\udc00\"]", 1, 0, ""},
        {"{\"a\": 1,\n \"a\": 2}", 0, 0, "line 2, column 2"},
        {"[1, 2", 1, 0, ""},
        {"", 0, 0, ""},
        {"[1] 2", 1, 0, ""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct omni_arena *arena = omni_arena_create();
        struct doc_error_list *errors = doc_error_list_create();
        const struct omni_value *value = NULL;
        assert_non_null(arena);
        enum rt_status status =
            omni_notation_read("value.json", rt_slice_text(rows[i].text), arena, errors, &value);
        if (status != RT_E_INVALID && status != RT_E_MALFORMED) {
            fail_msg("%s gives %s", rows[i].text, rt_status_text(status));
        }
        assert_null(value);
        assert_int_equal(doc_error_count(errors), 1);
        const struct doc_error *error = doc_error_at(errors, 0);
        char *printed = doc_error_format(error);
        if (strstr(printed, rows[i].part) == NULL ||
            (rows[i].line > 0 && error->line != rows[i].line) ||
            (rows[i].column > 0 && error->column != rows[i].column)) {
            fail_msg("%s\ngives\n%s", rows[i].text, printed);
        }
        free(printed);
        doc_error_list_destroy(errors);
        omni_arena_destroy(arena);
    }
}

static void notation__nesting_bomb__is_refused(void **state)
{
    (void)state;
    enum { DEPTH = 200000 };
    char *text = malloc(DEPTH);
    struct omni_arena *arena = omni_arena_create();
    struct doc_error_list *errors = doc_error_list_create();
    const struct omni_value *value = NULL;
    assert_non_null(text);
    memset(text, '[', DEPTH);
    assert_int_equal(omni_notation_read("bomb", rt_slice_of(text, DEPTH), arena, errors, &value),
                     RT_E_LIMIT);
    assert_int_equal(doc_error_count(errors), 1);
    doc_error_list_destroy(errors);
    omni_arena_destroy(arena);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notation__random_trees__read_back_equal_with_equal_bytes),
        cmocka_unit_test(notation__decoded_documents__read_back_to_the_same_bytes),
        cmocka_unit_test(notation__every_code_point__survives_in_texts_and_keys),
        cmocka_unit_test(notation__random_bits_as_floats__keep_every_bit),
        cmocka_unit_test(notation__deepest_value_that_encodes__is_written_and_read),
        cmocka_unit_test(notation__each_form__makes_its_bytes),
        cmocka_unit_test(notation__values_no_json_number_keeps__are_written_as_forms),
        cmocka_unit_test(notation__long_data_of_one_byte__is_written_as_a_fill),
        cmocka_unit_test(notation__mistakes__are_told_with_line_and_column),
        cmocka_unit_test(notation__nesting_bomb__is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
