/* SPDX-License-Identifier: Apache-2.0 */
#include "connector/serializer/omni_base64.h"

static size_t padding_of(struct rt_slice text);
static int sextet_of(uint8_t digit);

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool omni_base64_size(struct rt_slice text, size_t *out_len_bytes)
{
    if (text.len_bytes % 4 != 0) {
        return false;
    }
    *out_len_bytes = text.len_bytes / 4 * 3 - padding_of(text);
    return true;
}

static size_t padding_of(struct rt_slice text)
{
    if (text.len_bytes == 0 || text.data[text.len_bytes - 1] != '=') {
        return 0;
    }
    return text.data[text.len_bytes - 2] == '=' ? 2 : 1;
}

bool omni_base64_read(struct rt_slice text, uint8_t *out_bytes, size_t *out_bad_offset)
{
    size_t digit_count = text.len_bytes - padding_of(text);
    uint32_t bits = 0;
    unsigned bit_count = 0;
    for (size_t i = 0; i < digit_count; i++) {
        int sextet = sextet_of(text.data[i]);
        if (sextet < 0) {
            *out_bad_offset = i;
            return false;
        }
        bits = bits << 6 | (uint32_t)sextet;
        bit_count += 6;
        if (bit_count >= 8) {
            bit_count -= 8;
            *out_bytes++ = (uint8_t)(bits >> bit_count);
        }
    }
    /* One text for one value: the bits that padding cuts off are zero. */
    if ((bits & ((1U << bit_count) - 1)) != 0) {
        *out_bad_offset = digit_count - 1;
        return false;
    }
    return true;
}

static int sextet_of(uint8_t digit)
{
    if (digit >= 'A' && digit <= 'Z') {
        return digit - 'A';
    }
    if (digit >= 'a' && digit <= 'z') {
        return digit - 'a' + 26;
    }
    if (digit >= '0' && digit <= '9') {
        return digit - '0' + 52;
    }
    return digit == '+' ? 62 : digit == '/' ? 63 : -1;
}

void omni_base64_write(FILE *out, struct rt_slice bytes)
{
    char text[4096];
    size_t used_bytes = 0;
    for (size_t at = 0; at < bytes.len_bytes; at += 3) {
        size_t count = bytes.len_bytes - at < 3 ? bytes.len_bytes - at : 3;
        uint32_t bits = 0;
        for (size_t i = 0; i < 3; i++) {
            bits = bits << 8 | (i < count ? bytes.data[at + i] : 0U);
        }
        for (size_t i = 0; i < 4; i++) {
            text[used_bytes++] = i <= count ? ALPHABET[bits >> (18 - 6 * i) & 0x3f] : '=';
        }
        if (used_bytes == sizeof(text)) {
            (void)fwrite(text, 1, used_bytes, out);
            used_bytes = 0;
        }
    }
    (void)fwrite(text, 1, used_bytes, out);
}
