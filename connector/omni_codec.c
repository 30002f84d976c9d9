/* SPDX-License-Identifier: Apache-2.0 */
#include "connector/omni_codec.h"

/* 0001-01-01T00:00:00 and 9999-12-31T23:59:59 UTC */
#define FIRST_SECOND (-62135596800LL)
#define LAST_SECOND  253402300799LL

static size_t utf8_sequence_bytes(const uint8_t *at, size_t left_bytes);

uint32_t omni_codec_depth(const struct omni_serializer_limits *limits)
{
    uint32_t depth = limits == NULL || limits->depth == 0 ? OMNI_DEFAULT_DEPTH : limits->depth;
    return depth > OMNI_MAX_DEPTH ? OMNI_MAX_DEPTH : depth;
}

uint64_t omni_codec_items(const struct omni_serializer_limits *limits)
{
    return limits == NULL || limits->items == 0 ? OMNI_DEFAULT_ITEMS : limits->items;
}

bool omni_timestamp_is_valid(int64_t seconds, uint32_t nanoseconds)
{
    return seconds >= FIRST_SECOND && seconds <= LAST_SECOND && nanoseconds < 1000000000U;
}

const char *omni_marker_of(enum omni_kind kind)
{
    switch (kind) {
    case OMNI_TENSOR:
        return "__tensor__";
    case OMNI_NDARRAY:
        return "__ndarray__";
    default:
        return "__pil_image__";
    }
}

/* ---- UTF-8 --------------------------------------------------------------------------------- */

bool omni_utf8_is_valid(struct rt_slice text, size_t *out_bad_offset)
{
    size_t at = 0;
    while (at < text.len_bytes) {
        uint64_t eight;
        if (text.len_bytes - at >= sizeof(eight)) { /* most text is ASCII */
            memcpy(&eight, text.data + at, sizeof(eight));
            if ((eight & 0x8080808080808080U) == 0) {
                at += sizeof(eight);
                continue;
            }
        }
        size_t sequence_bytes = utf8_sequence_bytes(text.data + at, text.len_bytes - at);
        if (sequence_bytes == 0) {
            *out_bad_offset = at;
            return false;
        }
        at += sequence_bytes;
    }
    return true;
}

/* Length of the sequence at `at`; 0: none is valid there (table 3-7 of the Unicode standard). */
static size_t utf8_sequence_bytes(const uint8_t *at, size_t left_bytes)
{
    uint8_t lead = at[0];
    uint8_t second_min = 0x80;
    uint8_t second_max = 0xbf;
    size_t sequence_bytes;
    if (lead < 0x80) {
        return 1;
    }
    if (lead >= 0xc2 && lead <= 0xdf) {
        sequence_bytes = 2;
    } else if (lead >= 0xe0 && lead <= 0xef) {
        sequence_bytes = 3;
        second_min = lead == 0xe0 ? 0xa0 : 0x80;
        second_max = lead == 0xed ? 0x9f : 0xbf;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
        sequence_bytes = 4;
        second_min = lead == 0xf0 ? 0x90 : 0x80;
        second_max = lead == 0xf4 ? 0x8f : 0xbf;
    } else {
        return 0;
    }
    if (left_bytes < sequence_bytes || at[1] < second_min || at[1] > second_max) {
        return 0;
    }
    for (size_t i = 2; i < sequence_bytes; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return sequence_bytes;
}

/* ---- types and shapes ---------------------------------------------------------------------- */

bool omni_type_find(enum omni_kind kind, struct rt_slice type, struct omni_dtype *out_dtype,
                    const char **out_why)
{
    if (kind == OMNI_TENSOR) {
        *out_why = "unknown torch type";
        return omni_dtype_of_torch(type, out_dtype);
    }
    if (kind == OMNI_NDARRAY) {
        return omni_dtype_of_numpy(type, out_dtype, out_why);
    }
    *out_why = "unknown image mode";
    if (omni_image_channels(type) == 0) {
        return false;
    }
    memcpy(out_dtype->text, type.data, type.len_bytes); /* modes in the table are short */
    out_dtype->text[type.len_bytes] = '\0';
    out_dtype->element_bytes = 1;
    return true;
}

bool omni_type_fits(enum omni_kind kind, struct rt_slice type, const int64_t *shape,
                    size_t dimension_count, size_t len_bytes, struct omni_dtype *out_dtype,
                    const char **out_why)
{
    size_t count = 0;
    size_t needed_bytes = 0;
    if (!omni_type_find(kind, type, out_dtype, out_why)) {
        return false;
    }
    if (kind == OMNI_IMAGE) {
        size_t channel_count = omni_image_channels(type);
        size_t wanted_count = channel_count == 1 ? 2 : 3;
        *out_why = "shape does not suit the image mode";
        if (dimension_count != wanted_count ||
            (wanted_count == 3 && shape[2] != (int64_t)channel_count)) {
            return false;
        }
    }
    *out_why = "data does not fit the shape";
    return omni_shape_count(shape, dimension_count, &count) &&
           !__builtin_mul_overflow(count, out_dtype->element_bytes, &needed_bytes) &&
           needed_bytes == len_bytes;
}
