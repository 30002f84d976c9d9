/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/utf8.h"

#define EIGHT_HIGH_BITS UINT64_C(0x8080808080808080)

size_t rt_utf8_valid_bytes(struct rt_slice text)
{
    struct rt_slice rest = text;

    while (rest.len_bytes > 0) {
        uint64_t eight = EIGHT_HIGH_BITS;
        size_t taken_bytes;

        if (rest.len_bytes >= sizeof(eight)) { /* most text is ASCII */
            memcpy(&eight, rest.data, sizeof(eight));
        }
        taken_bytes =
            (eight & EIGHT_HIGH_BITS) == 0 ? sizeof(eight) : rt_utf8_character_bytes(rest);
        if (taken_bytes == 0) {
            break;
        }
        rest = rt_slice_of(rest.data + taken_bytes, rest.len_bytes - taken_bytes);
    }
    return text.len_bytes - rest.len_bytes;
}

/* The second byte alone tells what is longer than needed, a surrogate, or too high. */
size_t rt_utf8_character_bytes(struct rt_slice text)
{
    uint8_t first = text.len_bytes == 0 ? 0xff : text.data[0];
    uint8_t second_min = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    uint8_t second_max = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    size_t count = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

    if (first < 0x80) {
        return 1;
    }
    if (first < 0xc2 || first > 0xf4 || text.len_bytes < count || text.data[1] < second_min ||
        text.data[1] > second_max) {
        return 0;
    }
    for (size_t i = 2; i < count; i++) {
        if ((text.data[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return count;
}
