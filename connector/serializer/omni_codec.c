/* SPDX-License-Identifier: Apache-2.0 */
#include "connector/serializer/omni_codec.h"

/* 0001-01-01T00:00:00 and 9999-12-31T23:59:59 UTC */
#define FIRST_SECOND (-62135596800LL)
#define LAST_SECOND  253402300799LL

uint32_t omni__codec_depth(const struct omni_serializer_limits *limits)
{
    uint32_t depth = limits == NULL || limits->depth == 0 ? OMNI_DEFAULT_DEPTH : limits->depth;
    return depth > OMNI_MAX_DEPTH ? OMNI_MAX_DEPTH : depth;
}

uint64_t omni__codec_items(const struct omni_serializer_limits *limits)
{
    return limits == NULL || limits->items == 0 ? OMNI_DEFAULT_ITEMS : limits->items;
}

bool omni__timestamp_is_valid(int64_t seconds, uint32_t nanoseconds)
{
    return seconds >= FIRST_SECOND && seconds <= LAST_SECOND && nanoseconds < 1000000000U;
}

const char *omni__marker_of(enum omni_kind kind)
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

/* ---- types and shapes ---------------------------------------------------------------------- */

bool omni__type_find(enum omni_kind kind, struct rt_slice type, struct omni_dtype *out_dtype,
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

bool omni__type_fits(enum omni_kind kind, struct rt_slice type, const int64_t *shape,
                     size_t dimension_count, size_t len_bytes, struct omni_dtype *out_dtype,
                     const char **out_why)
{
    size_t count = 0;
    size_t needed_bytes = 0;
    if (!omni__type_find(kind, type, out_dtype, out_why)) {
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
