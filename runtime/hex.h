/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_HEX_H
#define RUNTIME_HEX_H

#include "runtime/slice.h"

#include <stdbool.h>

/* Hexadecimal digits, small or capital. Pure functions, any thread. */

/* 0 to 15; -1: it is none. */
int rt_hex_digit(uint8_t letter);

/* Pairs of digits as bytes; there is room for text.len_bytes / 2. False: *out_bad_offset is the
 * first that is no digit, or the last one, which is half a pair. */
bool rt_hex_read(struct rt_slice text, uint8_t *out_bytes, size_t *out_bad_offset);

#endif
