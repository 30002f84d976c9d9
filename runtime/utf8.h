/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_UTF8_H
#define RUNTIME_UTF8_H

#include "runtime/slice.h"

/*
 * Strict UTF-8, as Python, Go and protobuf read it (table 3-7 of the Unicode standard): nothing
 * longer than needed, no surrogates, nothing above U+10FFFF. Pure functions, any thread.
 */

/* Length of the character in front; 0: there is none, or it is cut. */
size_t rt_utf8_character_bytes(struct rt_slice text);

/* How many bytes in front are whole characters: all of them when `text` is valid, else where the
 * first bad one starts. */
size_t rt_utf8_valid_bytes(struct rt_slice text);

#endif
