/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "connector/notation/omni_notation_internal.h"
#include "connector/serializer/omni_base64.h"
#include "connector/serializer/omni_codec.h"
#include "runtime/hex.h"

/* The bodies of the notation: bytes as base64, hex or a fill, and the tensors that hold them. */
#define SIZE_MAX_BYTES ((uint64_t)UINT32_MAX) /* what MessagePack can announce */
#define RANK_MAX       64U                    /* as NumPy; torch has no limit worth the name */

static struct rt_blob *read_base64(struct omni__notation *notation, const struct doc_node *node);
static struct rt_blob *read_hex(struct omni__notation *notation, const struct doc_node *node);
static struct rt_blob *read_fill(struct omni__notation *notation, const struct doc_node *node,
                                 uint64_t size_bytes);
static bool is_text(const struct doc_node *node);
static void refuse_data(struct omni__notation *notation, const struct doc_node *node);
static bool read_shape(struct omni__notation *notation, const struct doc_node *node,
                       int64_t *out_shape);
static bool read_size(struct omni__notation *notation, const struct doc_node *node,
                      enum omni_kind kind, const struct omni_dtype *dtype, const int64_t *shape,
                      uint64_t *out_size_bytes);

struct rt_blob *omni__notation_data(struct omni__notation *notation, const struct doc_node *node,
                                    uint64_t size_bytes)
{
    const struct doc_node *base64 = doc_find(node, "base64");
    const struct doc_node *hex = doc_find(node, "hex");

    if (is_text(node)) {
        return read_base64(notation, node);
    }
    if (node->count == 1 && is_text(base64)) {
        return read_base64(notation, base64);
    }
    if (node->count == 1 && is_text(hex)) {
        return read_hex(notation, hex);
    }
    if (doc_find(node, "fill") != NULL) {
        return read_fill(notation, node, size_bytes);
    }
    refuse_data(notation, node);
    return NULL;
}

static bool is_text(const struct doc_node *node)
{
    return node != NULL && node->kind == DOC_KIND_SCALAR && node->type == DOC_TYPE_TEXT;
}

static void refuse_data(struct omni__notation *notation, const struct doc_node *node)
{
    struct doc_error *error = omni__notation_refuse(notation, node, "these are no bytes");
    doc_error_help(notation->errors, error,
                   "base64 text, {\"base64\": TEXT}, {\"hex\": TEXT}, or {\"fill\": 0..255 or "
                   "\"ramp\", \"size\": BYTES} (no size where a shape says it)");
}

/* ---- three ways to write bytes ------------------------------------------------------------- */

static struct rt_blob *read_base64(struct omni__notation *notation, const struct doc_node *node)
{
    struct rt_slice text = doc_text(node);
    size_t len_bytes = 0;
    size_t bad_offset = 0;
    uint8_t *data = NULL;

    if (!omni_base64_size(text, &len_bytes)) {
        (void)omni__notation_refuse(notation, node,
                                    "base64 comes in groups of four characters, padded with =");
        return NULL;
    }
    struct rt_blob *blob = rt_blob_create(len_bytes, &data);
    if (blob != NULL && !omni_base64_read(text, data, &bad_offset)) {
        notation->status = RT_E_INVALID;
        (void)doc_error_add_inside(notation->errors, node, bad_offset, 1,
                                   "this character is not base64 (A-Z a-z 0-9 + / and = at the "
                                   "end)");
        rt_blob_release(blob);
        return NULL;
    }
    return blob;
}

static struct rt_blob *read_hex(struct omni__notation *notation, const struct doc_node *node)
{
    struct rt_slice text = doc_text(node);
    size_t bad_offset = 0;
    uint8_t *data = NULL;
    struct rt_blob *blob = rt_blob_create(text.len_bytes / 2 + 1, &data);

    if (blob == NULL) {
        return NULL;
    }
    if (!rt_hex_read(text, data, &bad_offset)) {
        notation->status = RT_E_INVALID;
        (void)doc_error_add_inside(notation->errors, node, bad_offset, 1,
                                   "hexadecimal is pairs of the digits 0-9 a-f");
        rt_blob_release(blob);
        return NULL;
    }
    struct rt_blob *exact = rt_blob_copy(rt_slice_of(data, text.len_bytes / 2));
    rt_blob_release(blob);
    return exact;
}

static struct rt_blob *read_fill(struct omni__notation *notation, const struct doc_node *node,
                                 uint64_t size_bytes)
{
    const struct doc_node *fill = doc_find(node, "fill");
    const struct doc_node *size = doc_find(node, "size");
    bool is_ramp = doc_is_text(fill, "ramp");
    int64_t byte = 0;
    int64_t written_bytes = 0;
    uint8_t *data = NULL;

    if (node->count != (size == NULL ? 1U : 2U) || (size == NULL && size_bytes == OMNI__NO_SIZE)) {
        refuse_data(notation, node);
        return NULL;
    }
    if ((!is_ramp && !omni__notation_integer(notation, fill, 0, 255, &byte)) ||
        (size != NULL &&
         !omni__notation_integer(notation, size, 0, (int64_t)SIZE_MAX_BYTES, &written_bytes))) {
        return NULL;
    }
    if (size != NULL) {
        size_bytes = (uint64_t)written_bytes;
    }
    struct rt_blob *blob = rt_blob_create(size_bytes, &data);
    for (size_t i = 0; blob != NULL && is_ramp && i < size_bytes; i++) {
        data[i] = (uint8_t)i;
    }
    if (blob != NULL && !is_ramp && size_bytes > 0) {
        memset(data, (int)byte, size_bytes);
    }
    return blob;
}

/* ---- tensors ------------------------------------------------------------------------------- */

struct omni_value *omni__notation_tensor(struct omni__notation *notation,
                                         const struct doc_node *node, const struct doc_node *own,
                                         bool is_key)
{
    enum omni_kind kind = doc_find(node, "$tensor") != NULL    ? OMNI_TENSOR
                          : doc_find(node, "$ndarray") != NULL ? OMNI_NDARRAY
                                                               : OMNI_IMAGE;
    const struct doc_node *shape = doc_find(node, "shape");
    const struct doc_node *data = doc_find(node, "data");
    int64_t dimensions[RANK_MAX];
    uint64_t size_bytes = 0;
    struct omni_dtype dtype;
    const char *why = NULL;

    if (is_key) {
        (void)omni__notation_refuse(notation, node, "a tensor cannot be a map's key");
        return NULL;
    }
    if (!is_text(own) || !omni__type_find(kind, doc_text(own), &dtype, &why)) {
        (void)omni__notation_refuse(notation, own, why == NULL ? "a type is a text" : why);
        return NULL;
    }
    if (!read_shape(notation, shape, dimensions) ||
        !read_size(notation, shape, kind, &dtype, dimensions, &size_bytes)) {
        return NULL;
    }
    struct rt_blob *blob = omni__notation_data(notation, data, size_bytes);
    if (blob != NULL && rt_blob_slice(blob).len_bytes != size_bytes) {
        notation->status = RT_E_INVALID;
        (void)doc_error_add(notation->errors, data,
                            "the shape takes %" PRIu64 " bytes, and these are %zu", size_bytes,
                            rt_blob_slice(blob).len_bytes);
        rt_blob_release(blob);
        return NULL;
    }
    struct omni_value *value = blob == NULL ? NULL
                                            : omni_tensor(notation->arena, kind, dtype.text,
                                                          dimensions, shape->count, blob);
    rt_blob_release(blob);
    return value;
}

static bool read_shape(struct omni__notation *notation, const struct doc_node *node,
                       int64_t *out_shape)
{
    if (node->kind != DOC_KIND_SEQUENCE || node->count > RANK_MAX) {
        (void)omni__notation_refuse(notation, node, "a shape is a list of at most 64 sizes");
        return false;
    }
    for (size_t i = 0; i < node->count; i++) {
        if (!omni__notation_integer(notation, node->items[i], 0, INT64_MAX, &out_shape[i])) {
            return false;
        }
    }
    return true;
}

static bool read_size(struct omni__notation *notation, const struct doc_node *node,
                      enum omni_kind kind, const struct omni_dtype *dtype, const int64_t *shape,
                      uint64_t *out_size_bytes)
{
    size_t count = 0;
    size_t size_bytes = 0;
    struct omni_dtype found;
    const char *why = "larger than 4 GiB";

    if (!omni_shape_count(shape, node->count, &count) ||
        __builtin_mul_overflow(count, dtype->element_bytes, &size_bytes) ||
        size_bytes > SIZE_MAX_BYTES ||
        !omni__type_fits(kind, rt_slice_text(dtype->text), shape, node->count, size_bytes, &found,
                         &why)) {
        (void)omni__notation_refuse(notation, node, why);
        return false;
    }
    *out_size_bytes = size_bytes;
    return true;
}
