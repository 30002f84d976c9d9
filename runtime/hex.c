/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/hex.h"

int rt_hex_digit(uint8_t letter)
{
    if (letter >= '0' && letter <= '9') {
        return letter - '0';
    }
    letter |= 0x20;
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

bool rt_hex_read(struct rt_slice text, uint8_t *out_bytes, size_t *out_bad_offset)
{
    for (size_t i = 0; i < text.len_bytes; i++) {
        int digit = rt_hex_digit(text.data[i]);
        if (digit < 0 || text.len_bytes % 2 != 0) {
            *out_bad_offset = digit < 0 ? i : text.len_bytes - 1;
            return false;
        }
        out_bytes[i / 2] = (uint8_t)(i % 2 == 0 ? digit << 4 : out_bytes[i / 2] | digit);
    }
    return true;
}
