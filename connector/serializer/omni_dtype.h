/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONNECTOR_SERIALIZER_OMNI_DTYPE_H
#define CONNECTOR_SERIALIZER_OMNI_DTYPE_H

#include "connector/omni_value.h"

/* Element types of tensors and arrays, and modes of images: one table each
 * (docs/reference/connector.md, Values and bytes). Texts are as upstream prints them when it
 * encodes. */

#define OMNI_DTYPE_TEXT_BYTES 32U

struct omni_dtype {
    char text[OMNI_DTYPE_TEXT_BYTES]; /* canonical: "float16" for "half", "<f4" for "float32" */
    size_t element_bytes;
};

/* A torch name without prefix. False: torch has no such type, or it has no plain bytes. */
bool omni_dtype_of_torch(struct rt_slice name, struct omni_dtype *out_dtype);

/* A NumPy type string of either byte order, or a plain name. On false `*out_why` is static text. */
bool omni_dtype_of_numpy(struct rt_slice name, struct omni_dtype *out_dtype, const char **out_why);

/* Channels of an 8-bit image mode; 1: the shape is [height, width]. 0: unknown mode. */
size_t omni_image_channels(struct rt_slice mode);

/*
 * How many elements a shape holds. Dimensions are not negative. False: too many to count; as in
 * NumPy also when a 0 among the dimensions makes the array empty.
 */
bool omni_shape_count(const int64_t *shape, size_t dimension_count, size_t *out_count);

#endif
