/* SPDX-License-Identifier: Apache-2.0 */
#include "omni_support.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "connector/serializer/omni_dtype.h"

/* Documents that msgspec wrote (tests/data/serializer/make_golden.py), and what they hold. */

static const struct omni_value *build(struct omni_arena *arena, const char *name);
static const struct omni_value *build_nested(struct omni_arena *arena);
static const struct omni_value *build_list(struct omni_arena *arena, size_t count, bool is_map);
static const struct omni_value *build_tensor(struct omni_arena *arena, const char *name);
static struct rt_slice repeated(struct omni_arena *arena, char letter, size_t count);

static const struct omni_value *build(struct omni_arena *arena, const char *name)
{
    const char *argument = strchr(name, ':');
    argument = argument == NULL ? "" : argument + 1;
    size_t count = strtoull(argument, NULL, 10);
    double number = 0;
    if (strncmp(name, "int:-", 5) == 0) {
        return omni_int(arena, strtoll(argument, NULL, 10));
    }
    if (strncmp(name, "int:", 4) == 0) {
        return omni_uint(arena, strtoull(argument, NULL, 10));
    }
    if (strncmp(name, "float:", 6) == 0) {
        uint64_t bits = strtoull(argument, NULL, 16);
        memcpy(&number, &bits, sizeof(number));
        return omni_float(arena, number);
    }
    if (strncmp(name, "text:", 5) == 0) {
        return omni_text(arena, repeated(arena, 'a', count));
    }
    if (strncmp(name, "bytes:", 6) == 0) {
        return omni_bytes(arena, repeated(arena, 'b', count));
    }
    if (strncmp(name, "array:", 6) == 0 || strncmp(name, "map:", 4) == 0) {
        return build_list(arena, count, name[0] == 'm');
    }
    if (strncmp(name, "extension:", 10) == 0) {
        return omni_extension(arena, 7, repeated(arena, 'x', count));
    }
    if (strncmp(name, "timestamp:", 10) == 0) {
        return omni_timestamp(arena, strtoll(argument, NULL, 10),
                              (uint32_t)strtoul(strrchr(name, ':') + 1, NULL, 10));
    }
    if (strcmp(name, "extension-negative") == 0) {
        return omni_extension(arena, -128, rt_slice_text("xy"));
    }
    if (strcmp(name, "nil") == 0) {
        return omni_nil(arena);
    }
    if (strcmp(name, "true") == 0 || strcmp(name, "false") == 0) {
        return omni_bool(arena, name[0] == 't');
    }
    if (strcmp(name, "unicode") == 0) {
        return omni_text(arena, rt_slice_of("h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 \0", 14));
    }
    return strcmp(name, "nested") == 0 ? build_nested(arena) : build_tensor(arena, name);
}

static const struct omni_value *build_nested(struct omni_arena *arena)
{
    struct omni_pair inner = {omni_text(arena, rt_slice_text("b")),
                              omni_bytes(arena, rt_slice_of("\0\xff", 2))};
    const struct omni_value *list[] = {omni_int(arena, 1), omni_int(arena, -1),
                                       omni_map(arena, &inner, 1)};
    const struct omni_value *key[] = {omni_int(arena, 1), omni_int(arena, 2)};
    const struct omni_value *empty = omni_array(arena, NULL, 0);
    struct omni_pair pairs[] = {
        {omni_text(arena, rt_slice_text("a")), omni_array(arena, list, 3)},
        {omni_text(arena, rt_slice_text("")), omni_nil(arena)},
        {omni_array(arena, key, 2), omni_array(arena, &empty, 1)},
    };
    return omni_map(arena, pairs, 3);
}

static const struct omni_value *build_list(struct omni_arena *arena, size_t count, bool is_map)
{
    const struct omni_value **items = calloc(count + 1, sizeof(*items));
    struct omni_pair *pairs = calloc(count + 1, sizeof(*pairs));
    assert_non_null(items);
    assert_non_null(pairs);
    for (size_t i = 0; i < count; i++) {
        items[i] = omni_nil(arena);
        pairs[i] = (struct omni_pair){omni_int(arena, (int64_t)i), omni_bool(arena, true)};
    }
    const struct omni_value *value =
        is_map ? omni_map(arena, pairs, count) : omni_array(arena, items, count);
    free(items);
    free(pairs);
    return value;
}

/* Their data counts up from 0. */
static const struct omni_value *build_tensor(struct omni_arena *arena, const char *name)
{
    static const struct {
        const char *name;
        enum omni_kind kind;
        const char *type;
        size_t dimension_count;
        int64_t shape[3];
        size_t first;
        size_t len_bytes;
    } rows[] = {
        {"tensor", OMNI_TENSOR, "float32", 2, {2, 3}, 0, 24},
        {"tensor-scalar", OMNI_TENSOR, "int64", 0, {0}, 0, 8},
        {"tensor-empty", OMNI_TENSOR, "bfloat16", 2, {0, 4}, 0, 0},
        {"ndarray", OMNI_NDARRAY, "<f4", 1, {2}, 0, 8},
        {"ndarray-bytes", OMNI_NDARRAY, "|u1", 2, {1, 2}, 1, 2},
        {"image", OMNI_IMAGE, "RGB", 3, {1, 2, 3}, 0, 6},
        {"image-gray", OMNI_IMAGE, "L", 2, {2, 2}, 0, 4},
    };
    uint8_t counting[32];
    for (size_t i = 0; i < sizeof(counting); i++) {
        counting[i] = (uint8_t)i;
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(rows[i].name, name) == 0) {
            struct rt_blob *blob = blob_of(counting + rows[i].first, rows[i].len_bytes);
            const struct omni_value *value = omni_tensor(
                arena, rows[i].kind, rows[i].type, rows[i].shape, rows[i].dimension_count, blob);
            rt_blob_release(blob);
            return value;
        }
    }
    fail_msg("no builder for the golden case %s", name);
    return NULL;
}

static struct rt_slice repeated(struct omni_arena *arena, char letter, size_t count)
{
    char *text = omni_arena_alloc(arena, count + 1);
    assert_non_null(text);
    memset(text, letter, count);
    return rt_slice_of(text, count);
}

/* ---- tests --------------------------------------------------------------------------------- */

static void check_golden(const char *name, size_t len_bytes, const char *hex)
{
    struct omni_arena *arena = omni_arena_create();
    const struct omni_value *value = build(arena, name);
    struct rt_blob *document = encode_joined(value);
    struct rt_blob *head = blob_of_hex(hex);
    struct rt_slice bytes = rt_blob_slice(document);

    assert_int_equal(bytes.len_bytes, len_bytes);
    assert_true(rt_blob_slice(head).len_bytes == (len_bytes < 160 ? len_bytes : 160));
    assert_memory_equal(bytes.data, rt_blob_slice(head).data, rt_blob_slice(head).len_bytes);

    const struct omni_value *back = NULL;
    struct omni_codec_error error = {.text = ""};
    if (omni_decode(document, arena, NULL, &back, &error) != RT_OK) {
        fail_msg("%s: %s at %" PRIu64, name, error.text, error.offset_bytes);
    }
    assert_true(omni_value_equal(value, back));
    rt_blob_release(head);
    rt_blob_release(document);
    omni_arena_destroy(arena);
}

static void golden__every_case__same_bytes_as_msgspec_and_back(void **state)
{
    (void)state;
    FILE *file = fopen(TEST_DATA_DIR "/serializer/golden.txt", "r");
    assert_non_null(file);
    char name[64];
    char hex[400];
    size_t len_bytes = 0;
    size_t case_count = 0;
    while (fscanf(file, "%63s %zu %399s", name, &len_bytes, hex) == 3) {
        check_golden(name, len_bytes, hex);
        case_count++;
    }
    fclose(file);
    assert_true(case_count > 100);
}

static void numpy_types__every_name__as_numpy_prints_it_or_refused(void **state)
{
    (void)state;
    FILE *file = fopen(TEST_DATA_DIR "/serializer/numpy_types.txt", "r");
    assert_non_null(file);
    char line[128];
    size_t line_count = 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        char name[64];
        char text[64];
        size_t element_bytes = 0;
        struct omni_dtype dtype;
        const char *why = NULL;
        int field_count = sscanf(line, "%63s %63s %zu", name, text, &element_bytes);
        bool is_known = omni_dtype_of_numpy(rt_slice_text(name), &dtype, &why);
        if (field_count == 2) {
            assert_string_equal(text, "-");
            if (is_known || why == NULL) {
                fail_msg("%s must be refused", name);
            }
        } else {
            if (!is_known) {
                fail_msg("%s must be known", name);
            }
            assert_string_equal(dtype.text, text);
            assert_int_equal(dtype.element_bytes, element_bytes);
        }
        line_count++;
    }
    fclose(file);
    assert_true(line_count > 150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden__every_case__same_bytes_as_msgspec_and_back),
        cmocka_unit_test(numpy_types__every_name__as_numpy_prints_it_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
