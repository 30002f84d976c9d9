/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_GLOB_H
#define RUNTIME_GLOB_H

#include <stdbool.h>

#include "runtime/slice.h"

/* Patterns for keys and names: `*` is any bytes, `?` one byte, `\` takes the next byte as it is.
 * There are no other special characters. Any thread. */

/* False for a pattern that ends in the middle of an escape. */
bool rt_glob_is_valid(struct rt_slice glob);

/* Without `*` and `?`: one text matches, and it is written to `out_text` (room for as many bytes
 * as the glob has; no NUL is added). False: what was written there means nothing. */
bool rt_glob_is_literal(struct rt_slice glob, char *out_text, size_t *out_len_bytes);

/* All of `text` must match. Takes at most len(glob) * len(text) steps. */
bool rt_glob_matches(struct rt_slice glob, struct rt_slice text);

/* One element of a pattern: a byte that must be there, any one byte, or any bytes. */
enum rt_glob_kind { RT_GLOB_BYTE, RT_GLOB_ONE, RT_GLOB_ANY };

struct rt_glob_item {
    enum rt_glob_kind kind;
    uint8_t byte; /* RT_GLOB_BYTE */
};

/* The element at `*at`, which must be inside of the pattern; moves `*at` behind it. */
struct rt_glob_item rt_glob_next(struct rt_slice glob, size_t *at);

#endif
