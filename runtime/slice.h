/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_SLICE_H
#define RUNTIME_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A view of bytes somebody else owns. `data` may be NULL when `len_bytes` is 0. */
struct rt_slice {
    const uint8_t *data;
    size_t len_bytes;
};

static inline struct rt_slice rt_slice_of(const void *data, size_t len_bytes)
{
    return (struct rt_slice){.data = data, .len_bytes = len_bytes};
}

/* The bytes of a NUL-terminated text, without the NUL. NULL gives the empty slice. */
static inline struct rt_slice rt_slice_text(const char *text)
{
    return rt_slice_of(text, text == NULL ? 0 : strlen(text));
}

static inline bool rt_slice_equal(struct rt_slice a, struct rt_slice b)
{
    return a.len_bytes == b.len_bytes &&
           (a.len_bytes == 0 || memcmp(a.data, b.data, a.len_bytes) == 0);
}

static inline bool rt_slice_is_text(struct rt_slice slice, const char *text)
{
    return rt_slice_equal(slice, rt_slice_text(text));
}

#endif
