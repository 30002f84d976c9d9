/* SPDX-License-Identifier: Apache-2.0 */
#include "connector/serializer/omni_dtype.h"

#include <stdio.h>

/* ---- torch --------------------------------------------------------------------------------- */

struct torch_row {
    const char *name;
    const char *canonical; /* NULL: `name` */
    size_t element_bytes;
};

static const struct torch_row TORCH[] = {
    {"float32", NULL, 4},      {"bfloat16", NULL, 2},        {"float16", NULL, 2},
    {"int64", NULL, 8},        {"int32", NULL, 4},           {"uint8", NULL, 1},
    {"bool", NULL, 1},         {"float64", NULL, 8},         {"int8", NULL, 1},
    {"int16", NULL, 2},        {"uint16", NULL, 2},          {"uint32", NULL, 4},
    {"uint64", NULL, 8},       {"complex32", NULL, 4},       {"complex64", NULL, 8},
    {"complex128", NULL, 16},  {"float8_e4m3fn", NULL, 1},   {"float8_e4m3fnuz", NULL, 1},
    {"float8_e5m2", NULL, 1},  {"float8_e5m2fnuz", NULL, 1}, {"float8_e8m0fnu", NULL, 1},
    {"float", "float32", 4},   {"double", "float64", 8},     {"half", "float16", 2},
    {"short", "int16", 2},     {"int", "int32", 4},          {"long", "int64", 8},
    {"chalf", "complex32", 4}, {"cfloat", "complex64", 8},   {"cdouble", "complex128", 16},
};

bool omni_dtype_of_torch(struct rt_slice name, struct omni_dtype *out_dtype)
{
    for (size_t i = 0; i < sizeof(TORCH) / sizeof(TORCH[0]); i++) {
        if (rt_slice_is_text(name, TORCH[i].name)) {
            snprintf(out_dtype->text, sizeof(out_dtype->text), "%s",
                     TORCH[i].canonical == NULL ? TORCH[i].name : TORCH[i].canonical);
            out_dtype->element_bytes = TORCH[i].element_bytes;
            return true;
        }
    }
    return false;
}

/* ---- images -------------------------------------------------------------------------------- */

struct mode_row {
    const char *mode;
    size_t channel_count;
};

/* The 8-bit modes. Wider ones (I, F, I;16) do not survive upstream, which casts to 8 bits. */
static const struct mode_row MODES[] = {
    {"RGB", 3}, {"L", 1}, {"RGBA", 4}, {"LA", 2},  {"CMYK", 4}, {"YCbCr", 3},
    {"HSV", 3}, {"P", 1}, {"1", 1},    {"LAB", 3}, {"PA", 2},   {"RGBX", 4},
};

size_t omni_image_channels(struct rt_slice mode)
{
    for (size_t i = 0; i < sizeof(MODES) / sizeof(MODES[0]); i++) {
        if (rt_slice_is_text(mode, MODES[i].mode)) {
            return MODES[i].channel_count;
        }
    }
    return 0;
}

/* ---- shapes -------------------------------------------------------------------------------- */

bool omni_shape_count(const int64_t *shape, size_t dimension_count, size_t *out_count)
{
    size_t count = 1;
    bool is_empty = false;
    bool is_overflow = false;
    for (size_t i = 0; i < dimension_count; i++) {
        if (shape[i] == 0) {
            is_empty = true;
        } else {
            is_overflow |= __builtin_mul_overflow(count, (size_t)shape[i], &count);
        }
    }
    *out_count = is_empty ? 0 : count;
    return !is_overflow && count <= PTRDIFF_MAX;
}
