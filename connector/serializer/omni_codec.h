/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONNECTOR_SERIALIZER_OMNI_CODEC_H
#define CONNECTOR_SERIALIZER_OMNI_CODEC_H

#include "connector/omni_serializer.h"
#include "connector/serializer/omni_dtype.h"

/* What encoder and decoder share; internal to the serializer. */

#define OMNI_TIMESTAMP_CODE (-1) /* the extension that MessagePack reserves */

#define OMNI_DEFAULT_DEPTH 512U
#define OMNI_MAX_DEPTH     10000U /* keys are compared by recursion */
#define OMNI_DEFAULT_ITEMS 16777216U

uint32_t omni__codec_depth(const struct omni_serializer_limits *limits);
uint64_t omni__codec_items(const struct omni_serializer_limits *limits);

/* What Python's datetime holds: years 1 to 9999. */
bool omni__timestamp_is_valid(int64_t seconds, uint32_t nanoseconds);

/* "__tensor__", "__ndarray__" or "__pil_image__". */
const char *omni__marker_of(enum omni_kind kind);

/*
 * Is this a type of that kind, and do `len_bytes` of data fill the shape (no dimension negative)?
 * On false `*out_why` is static text.
 */
bool omni__type_fits(enum omni_kind kind, struct rt_slice type, const int64_t *shape,
                     size_t dimension_count, size_t len_bytes, struct omni_dtype *out_dtype,
                     const char **out_why);

/* The type alone. An image's mode counts as type; its elements are bytes. */
bool omni__type_find(enum omni_kind kind, struct rt_slice type, struct omni_dtype *out_dtype,
                     const char **out_why);

/* Duplicate keys as Python's dictionary treats them: the first place, the last value. Reorders
 * nothing else; `*count` shrinks. RT_E_NOMEM: pairs unchanged. */
RT_NODISCARD enum rt_status omni__pairs_unite(struct omni_pair *pairs, size_t *count);

/*
 * A map with a marker that counts becomes what it stands for, in place. RT_E_MALFORMED with
 * `out_error->text` when it cannot; the offset is the caller's business.
 */
RT_NODISCARD enum rt_status omni__map_restore(struct omni_value *map, struct omni_arena *arena,
                                              struct omni_codec_error *out_error);

#endif
