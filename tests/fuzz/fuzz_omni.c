/* SPDX-License-Identifier: Apache-2.0 */
#include "connector/omni_serializer.h"
#include "fuzz_target.h"

/*
 * A payload out of the Datasystem, a hostile one. Input: a byte (bit 0: tight limits), then the
 * document. What decodes must encode, to bytes that mean the same and are their own encoding.
 */
static void check_again(const struct omni_value *value);
static struct rt_blob *encode(const struct omni_value *value);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct omni_serializer_limits tight = {.depth = 4, .items = 32};
    struct omni_codec_error error = {.text = ""};
    const struct omni_value *value = NULL;

    if (size < 1) {
        return 0;
    }
    size_t live_before = rt_blob_live_count();
    struct rt_blob *document = rt_blob_copy(rt_slice_of(data + 1, size - 1));
    struct omni_arena *arena = omni_arena_create();
    FUZZ_CHECK(document != NULL && arena != NULL);
    enum rt_status status =
        omni_decode(document, arena, (data[0] & 1) != 0 ? &tight : NULL, &value, &error);
    if (status == RT_OK) {
        char text[96];
        omni_value_describe(value, text, sizeof(text));
        (void)omni_map_object_kind(value);
        (void)omni_map_is_object_complete(value);
        check_again(value);
    } else {
        FUZZ_CHECK(status == RT_E_MALFORMED || status == RT_E_LIMIT);
        FUZZ_CHECK(value == NULL && error.text[0] != '\0' && error.offset_bytes <= size - 1);
    }
    omni_arena_destroy(arena);
    rt_blob_release(document);
    FUZZ_CHECK(rt_blob_live_count() == live_before);
    return 0;
}

static void check_again(const struct omni_value *value)
{
    struct omni_codec_error error = {.text = ""};
    const struct omni_value *back = NULL;
    struct omni_arena *arena = omni_arena_create();
    struct rt_blob *bytes = encode(value);

    FUZZ_CHECK(arena != NULL);
    FUZZ_CHECK(omni_decode(bytes, arena, NULL, &back, &error) == RT_OK);
    FUZZ_CHECK(omni_value_equal(value, back));
    struct rt_blob *again = encode(back);
    FUZZ_CHECK(rt_slice_equal(rt_blob_slice(bytes), rt_blob_slice(again)));
    rt_blob_release(again);
    rt_blob_release(bytes);
    omni_arena_destroy(arena);
}

static struct rt_blob *encode(const struct omni_value *value)
{
    struct omni_codec_error error = {.text = ""};
    struct omni_encoded encoded;
    uint8_t *data = NULL;

    FUZZ_CHECK(omni_encode(value, NULL, &encoded, &error) == RT_OK);
    struct rt_blob *joined = rt_blob_create((size_t)encoded.value.total_bytes, &data);
    FUZZ_CHECK(joined != NULL);
    for (size_t i = 0; i < encoded.value.piece_count; i++) {
        struct rt_slice piece = encoded.value.pieces[i].bytes;
        memcpy(data, piece.data, piece.len_bytes);
        data += piece.len_bytes;
    }
    omni_encoded_fini(&encoded);
    return joined;
}
