/* SPDX-License-Identifier: Apache-2.0 */
#include "harness/dstest/payload_elements.h"

#include <inttypes.h>
#include <math.h>

#include "connector/serializer/omni_dtype.h"

enum class { CLASS_HEX, CLASS_FLOAT, CLASS_BFLOAT, CLASS_SIGNED, CLASS_UNSIGNED, CLASS_COMPLEX };

struct element {
    enum class class;
    size_t bytes;
    bool is_big_endian;
};

static bool find_element(const struct omni_value *tensor, struct element *out_element);
static void print_element(FILE *out, const struct element *element, const uint8_t *at);
static double float_of(const struct element *element, uint64_t bits, size_t len_bytes);
static double half_of(uint16_t bits);

void payload_elements_print(FILE *out, const struct omni_value *tensor, size_t element_count)
{
    struct rt_slice bytes = tensor->tensor.body.bytes;
    struct element element;

    if (!find_element(tensor, &element) || bytes.len_bytes == 0 || element_count == 0) {
        return;
    }
    size_t count = bytes.len_bytes / element.bytes;
    (void)fputc(':', out);
    for (size_t i = 0; i < count && i < element_count; i++) {
        (void)fputc(' ', out);
        print_element(out, &element, bytes.data + i * element.bytes);
    }
    (void)fputs(count > element_count ? " ..." : "", out);
}

/* ---- types --------------------------------------------------------------------------------- */

static enum class class_of_torch(struct rt_slice type) {
    static const struct {const char * prefix; enum class class;}
rows[] = {{"float8", CLASS_HEX},     {"float", CLASS_FLOAT},   {"bfloat16", CLASS_BFLOAT},
          {"int", CLASS_SIGNED},     {"uint", CLASS_UNSIGNED}, {"bool", CLASS_UNSIGNED},
          {"complex", CLASS_COMPLEX}};
for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    size_t len_bytes = strlen(rows[i].prefix);
    if (type.len_bytes >= len_bytes && memcmp(type.data, rows[i].prefix, len_bytes) == 0) {
        return rows[i].class;
    }
}
return CLASS_HEX;
}

/* "<f4": byte order, kind, size. */
static enum class class_of_numpy(const char *type, size_t element_bytes) {
    switch (type[1]){
        case 'f' : return element_bytes <= 8 ? CLASS_FLOAT : CLASS_HEX;
        case 'c' : return element_bytes <= 16 ? CLASS_COMPLEX : CLASS_HEX;
        case 'i' : case 'M' : case 'm' : return CLASS_SIGNED;
        case 'u' : case 'b' : return CLASS_UNSIGNED;
        default : return CLASS_HEX;
    }
}

static bool find_element(const struct omni_value *tensor, struct element *out_element)
{
    struct omni_dtype dtype;
    const char *why = NULL;

    *out_element = (struct element){.class = CLASS_UNSIGNED, .bytes = 1};
    if (tensor->kind == OMNI_TENSOR && omni_dtype_of_torch(tensor->tensor.type, &dtype)) {
        out_element->class = class_of_torch(tensor->tensor.type);
        out_element->bytes = dtype.element_bytes;
    } else if (tensor->kind == OMNI_NDARRAY &&
               omni_dtype_of_numpy(tensor->tensor.type, &dtype, &why)) {
        out_element->class = class_of_numpy(dtype.text, dtype.element_bytes);
        out_element->bytes = dtype.element_bytes;
        out_element->is_big_endian = dtype.text[0] == '>';
    }
    return out_element->bytes > 0;
}

/* ---- numbers ------------------------------------------------------------------------------- */

static uint64_t bits_of(const struct element *element, const uint8_t *at, size_t len_bytes)
{
    uint64_t bits = 0;

    for (size_t i = 0; i < len_bytes; i++) {
        bits = bits << 8 | at[element->is_big_endian ? i : len_bytes - 1 - i];
    }
    return bits;
}

static void print_element(FILE *out, const struct element *element, const uint8_t *at)
{
    size_t half_bytes = element->bytes / 2;

    switch (element->class) {
    case CLASS_FLOAT:
    case CLASS_BFLOAT:
        (void)fprintf(out, "%.6g",
                      float_of(element, bits_of(element, at, element->bytes), element->bytes));
        break;
    case CLASS_COMPLEX:
        (void)fprintf(out, "%.6g%+.6gj",
                      float_of(element, bits_of(element, at, half_bytes), half_bytes),
                      float_of(element, bits_of(element, at + half_bytes, half_bytes), half_bytes));
        break;
    case CLASS_SIGNED: {
        unsigned unused_bits = (unsigned)(64 - 8 * element->bytes);
        int64_t number = (int64_t)(bits_of(element, at, element->bytes) << unused_bits);
        (void)fprintf(out, "%" PRId64, number >> unused_bits);
        break;
    }
    case CLASS_UNSIGNED:
        (void)fprintf(out, "%" PRIu64, bits_of(element, at, element->bytes));
        break;
    case CLASS_HEX:
        for (size_t i = 0; i < element->bytes && i < 32; i++) {
            (void)fprintf(out, "%02x", at[i]);
        }
        (void)fputs(element->bytes > 32 ? "..." : "", out);
        break;
    }
}

static double float_of(const struct element *element, uint64_t bits, size_t len_bytes)
{
    double number = 0;

    if (len_bytes == 8) {
        memcpy(&number, &bits, sizeof(number));
        return number;
    }
    if (len_bytes == 2 && element->class != CLASS_BFLOAT) {
        return half_of((uint16_t)bits);
    }
    /* A bfloat16 is the upper half of a float32. */
    uint32_t narrow_bits = (uint32_t)(len_bytes == 2 ? bits << 16 : bits);
    float narrow;
    memcpy(&narrow, &narrow_bits, sizeof(narrow));
    return (double)narrow;
}

static double half_of(uint16_t bits)
{
    int exponent = bits >> 10 & 0x1f;
    double fraction = bits & 0x3ff;
    double number = exponent == 0      ? ldexp(fraction, -24)
                    : exponent == 0x1f ? (fraction > 0 ? (double)NAN : (double)INFINITY)
                                       : ldexp(fraction + 1024, exponent - 25);
    return (bits & 0x8000) != 0 ? -number : number;
}
