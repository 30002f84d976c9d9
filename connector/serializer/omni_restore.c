/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "connector/serializer/omni_codec.h"

/*
 * Maps with a marker become tensors, arrays and images (docs/reference/connector.md, Values and
 * bytes). A marker counts when Python would call it true. Tensor wins over ndarray over image.
 */
static enum rt_status restore_as(struct omni_value *map, enum omni_kind kind,
                                 struct omni_arena *arena, struct omni_codec_error *out_error);
static enum rt_status read_shape(const struct omni_value *shape, struct omni_arena *arena,
                                 int64_t **out_dimensions, size_t *out_count,
                                 struct omni_codec_error *out_error);
static bool infer_dimension(enum omni_kind kind, int64_t *shape, size_t count, size_t element_bytes,
                            size_t len_bytes);
static bool is_truthy(const struct omni_value *value);
static enum rt_status refuse(struct omni_codec_error *error, const char *format, ...)
    RT_PRINTF(2, 3);

enum rt_status omni__map_restore(struct omni_value *map, struct omni_arena *arena,
                                 struct omni_codec_error *out_error)
{
    static const enum omni_kind kinds[] = {OMNI_TENSOR, OMNI_NDARRAY, OMNI_IMAGE};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const struct omni_value *marker = omni_map_get(map, omni__marker_of(kinds[i]));
        if (marker != NULL && is_truthy(marker)) {
            return restore_as(map, kinds[i], arena, out_error);
        }
    }
    return RT_OK;
}

static bool is_truthy(const struct omni_value *value)
{
    switch (value->kind) {
    case OMNI_NIL:
        return false;
    case OMNI_BOOL:
        return value->boolean;
    case OMNI_INT:
        return value->integer != 0;
    case OMNI_FLOAT: /* NaN is true */
        return fpclassify(value->number) != FP_ZERO;
    case OMNI_TEXT:
    case OMNI_BYTES:
        return value->body.bytes.len_bytes > 0;
    case OMNI_ARRAY:
        return value->array.count > 0;
    case OMNI_MAP:
        return value->map.count > 0;
    default:
        return true;
    }
}

static enum rt_status restore_as(struct omni_value *map, enum omni_kind kind,
                                 struct omni_arena *arena, struct omni_codec_error *out_error)
{
    const char *type_key = kind == OMNI_IMAGE ? "mode" : "dtype";
    const struct omni_value *type = omni_map_get(map, type_key);
    const struct omni_value *data = omni_map_get(map, "data");
    struct omni_dtype dtype;
    const char *why = NULL;
    int64_t *shape = NULL;
    size_t count = 0;

    if (type == NULL || type->kind != OMNI_TEXT) {
        return refuse(out_error, "%s without a text '%s'", omni__marker_of(kind), type_key);
    }
    if (data == NULL || data->kind != OMNI_BYTES) {
        return refuse(out_error, "%s without bytes 'data'", omni__marker_of(kind));
    }
    enum rt_status status =
        read_shape(omni_map_get(map, "shape"), arena, &shape, &count, out_error);
    if (status != RT_OK) {
        return status;
    }
    struct rt_slice name = type->body.bytes;
    int shown = name.len_bytes > 40 ? 40 : (int)name.len_bytes;
    size_t len_bytes = data->body.bytes.len_bytes;
    if (!omni__type_find(kind, name, &dtype, &why)) {
        return refuse(out_error, "%s: '%.*s'", why, shown, (const char *)name.data);
    }
    if (!infer_dimension(kind, shape, count, dtype.element_bytes, len_bytes)) {
        return refuse(out_error, "shape cannot be inferred from %zu bytes of '%.*s'", len_bytes,
                      shown, (const char *)name.data);
    }
    if (!omni__type_fits(kind, name, shape, count, len_bytes, &dtype, &why)) {
        return refuse(out_error, "%s: '%.*s', %zu bytes", why, shown, (const char *)name.data,
                      len_bytes);
    }
    if (!rt_slice_is_text(name, dtype.text)) { /* an alias */
        size_t text_bytes = strlen(dtype.text);
        char *text = omni_arena_alloc(arena, text_bytes + 1);
        if (text == NULL) {
            return RT_E_NOMEM;
        }
        memcpy(text, dtype.text, text_bytes + 1);
        name = rt_slice_of(text, text_bytes);
    }
    struct omni_body body = data->body;
    map->kind = kind;
    map->tensor.type = name;
    map->tensor.shape = shape;
    map->tensor.dimension_count = count;
    map->tensor.body = body;
    return RT_OK;
}

/* An array of integers, or one plain integer. */
static enum rt_status read_shape(const struct omni_value *shape, struct omni_arena *arena,
                                 int64_t **out_dimensions, size_t *out_count,
                                 struct omni_codec_error *out_error)
{
    if (shape == NULL || (shape->kind != OMNI_ARRAY && shape->kind != OMNI_INT)) {
        return refuse(out_error, "'shape' is not an array of integers");
    }
    size_t count = shape->kind == OMNI_INT ? 1 : shape->array.count;
    int64_t *dimensions = omni_arena_alloc(arena, count * sizeof(*dimensions));
    if (dimensions == NULL) {
        return RT_E_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        const struct omni_value *item = shape->kind == OMNI_INT ? shape : shape->array.items[i];
        if (item->kind != OMNI_INT || item->integer < -1) {
            return refuse(out_error, "'shape' has a dimension that is no size, at %zu", i);
        }
        dimensions[i] = item->integer;
    }
    *out_dimensions = dimensions;
    *out_count = count;
    return RT_OK;
}

/* Replaces one -1 by what the data leaves for it. An empty tensor says its shape itself, for
 * upstream makes it without looking at data. */
static bool infer_dimension(enum omni_kind kind, int64_t *shape, size_t count, size_t element_bytes,
                            size_t len_bytes)
{
    size_t known_count = 0;
    size_t known_bytes = 0;
    int64_t *unknown = NULL;
    for (size_t i = 0; i < count; i++) {
        if (shape[i] == -1) {
            if (unknown != NULL) {
                return false;
            }
            unknown = &shape[i];
        }
    }
    if (unknown == NULL) {
        return true;
    }
    *unknown = 1;
    if ((kind == OMNI_TENSOR && len_bytes == 0) || !omni_shape_count(shape, count, &known_count) ||
        __builtin_mul_overflow(known_count, element_bytes, &known_bytes) || known_bytes == 0 ||
        len_bytes % known_bytes != 0) {
        return false;
    }
    *unknown = (int64_t)(len_bytes / known_bytes);
    return true;
}

static enum rt_status refuse(struct omni_codec_error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof(error->text), format, arguments);
    va_end(arguments);
    return RT_E_MALFORMED;
}
