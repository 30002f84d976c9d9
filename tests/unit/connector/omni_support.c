/* SPDX-License-Identifier: Apache-2.0 */
#include "omni_support.h"

#include <stdio.h>
#include <stdlib.h>

static struct omni_value *random_container(struct rt_random *random, struct omni_arena *arena,
                                           int depth, bool is_map);
static struct omni_value *random_tensor(struct rt_random *random, struct omni_arena *arena);
static void free_copy(void *arg, void *data);

struct rt_blob *blob_of(const void *bytes, size_t len_bytes)
{
    void *copy = malloc(len_bytes == 0 ? 1 : len_bytes);
    assert_non_null(copy);
    if (len_bytes > 0) {
        memcpy(copy, bytes, len_bytes);
    }
    struct rt_blob *blob = rt_blob_wrap(copy, len_bytes, free_copy, NULL);
    assert_non_null(blob);
    return blob;
}

static void free_copy(void *arg, void *data)
{
    (void)arg;
    free(data);
}

struct rt_blob *blob_of_hex(const char *hex)
{
    size_t len_bytes = strlen(hex) / 2;
    uint8_t *bytes = malloc(len_bytes + 1);
    assert_non_null(bytes);
    for (size_t i = 0; i < len_bytes; i++) {
        unsigned byte = 0;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        bytes[i] = (uint8_t)byte;
    }
    struct rt_blob *blob = blob_of(bytes, len_bytes);
    free(bytes);
    return blob;
}

struct rt_blob *join_pieces(const struct omni_encoded *encoded)
{
    uint8_t *data = NULL;
    size_t used_bytes = 0;
    struct rt_blob *joined = rt_blob_create((size_t)encoded->value.total_bytes, &data);
    assert_non_null(joined);
    for (size_t i = 0; i < encoded->value.piece_count; i++) {
        struct rt_slice bytes = encoded->value.pieces[i].bytes;
        assert_true(bytes.len_bytes <= encoded->value.total_bytes - used_bytes);
        memcpy(data + used_bytes, bytes.data, bytes.len_bytes);
        used_bytes += bytes.len_bytes;
    }
    assert_int_equal(used_bytes, encoded->value.total_bytes);
    return joined;
}

struct rt_blob *encode_joined(const struct omni_value *value)
{
    struct omni_encoded encoded;
    struct omni_codec_error error = {.text = ""};
    assert_non_null(value);
    enum rt_status status = omni_encode(value, NULL, &encoded, &error);
    if (status != RT_OK) {
        fail_msg("encoding: %s", error.text);
    }
    struct rt_blob *joined = join_pieces(&encoded);
    omni_encoded_fini(&encoded);
    return joined;
}

void assert_blob_hex(struct rt_blob *blob, const char *hex)
{
    struct rt_blob *expected = blob_of_hex(hex);
    assert_int_equal(rt_blob_slice(blob).len_bytes, rt_blob_slice(expected).len_bytes);
    assert_memory_equal(rt_blob_slice(blob).data, rt_blob_slice(expected).data,
                        rt_blob_slice(expected).len_bytes);
    rt_blob_release(expected);
}

/* ---- random trees -------------------------------------------------------------------------- */

struct omni_value *random_value(struct rt_random *random, struct omni_arena *arena, int depth)
{
    static const char *const texts[] = {"", "a", "\xc3\xa9", "\xf0\x9f\x98\x80", "finished"};
    uint64_t bits = rt_random_u64(random) >> rt_random_below(random, 64);
    double number = 0;
    switch (rt_random_below(random, depth > 0 ? 13 : 9)) {
    case 0:
        return omni_nil(arena);
    case 1:
        return omni_bool(arena, bits & 1);
    case 2:
        return omni_int(arena, (int64_t)bits);
    case 3:
        return omni_int(arena, -1 - (int64_t)(bits >> 1));
    case 4:
        return omni_uint(arena, bits);
    case 5:
        memcpy(&number, &bits, sizeof(number));
        return omni_float(arena, number);
    case 6:
        return omni_text(arena, rt_slice_text(texts[rt_random_below(random, 5)]));
    case 7:
        return omni_timestamp(arena, (int64_t)(bits % 253402300799), (uint32_t)(bits % 1000000000));
    case 8:
        return omni_extension(arena, (int8_t)(bits % 128),
                              rt_slice_of("0123456789abcdefg", rt_random_below(random, 18)));
    case 9:
        return random_tensor(random, arena);
    case 10:
        return random_container(random, arena, depth, false);
    default:
        return random_container(random, arena, depth, true);
    }
}

/* Keys are distinct integers and texts, so that decoding changes nothing. */
static struct omni_value *random_container(struct rt_random *random, struct omni_arena *arena,
                                           int depth, bool is_map)
{
    struct omni_pair pairs[20];
    const struct omni_value *items[20];
    size_t count = (size_t)rt_random_below(random, 20);
    for (size_t i = 0; i < count; i++) {
        char *text = omni_arena_alloc(arena, 32);
        assert_non_null(text);
        snprintf(text, 32, "key %zu", i);
        items[i] = random_value(random, arena, depth - 1);
        pairs[i].key =
            i % 2 == 0 ? omni_text(arena, rt_slice_text(text)) : omni_int(arena, (int64_t)i * 1000);
        pairs[i].value = items[i];
    }
    return is_map ? omni_map(arena, pairs, count) : omni_array(arena, items, count);
}

static struct omni_value *random_tensor(struct rt_random *random, struct omni_arena *arena)
{
    static const struct {
        enum omni_kind kind;
        const char *type;
        int64_t element_bytes;
    } rows[] = {{OMNI_TENSOR, "bfloat16", 2}, {OMNI_NDARRAY, ">i4", 4}, {OMNI_IMAGE, "RGB", 1}};
    size_t row = (size_t)rt_random_below(random, 3);
    int64_t shape[] = {(int64_t)rt_random_below(random, 60), (int64_t)rt_random_below(random, 60),
                       3};
    size_t len_bytes = (size_t)(shape[0] * shape[1] * shape[2] * rows[row].element_bytes);
    uint8_t *data = NULL;
    struct rt_blob *blob = rt_blob_create(len_bytes, &data);
    assert_non_null(blob);
    for (size_t i = 0; i < len_bytes; i++) {
        data[i] = (uint8_t)(i * 7);
    }
    struct omni_value *value = omni_tensor(arena, rows[row].kind, rows[row].type, shape, 3, blob);
    rt_blob_release(blob);
    return value;
}
