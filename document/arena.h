/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCUMENT_ARENA_H
#define DOCUMENT_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "runtime/slice.h"
#include "runtime/status.h"

/* Inside document/ only. Memory that is freed all at once; zeroed when handed out. */
struct doc__arena {
    struct doc__arena_block *blocks;
    size_t used_bytes; /* of the newest block */
    size_t size_bytes;
};

void doc__arena_init(struct doc__arena *arena);
void doc__arena_fini(struct doc__arena *arena);

/* All of these return NULL when out of memory. */
RT_NODISCARD void *doc__arena_alloc(struct doc__arena *arena, size_t size_bytes);
RT_NODISCARD void *doc__arena_alloc_array(struct doc__arena *arena, size_t count,
                                          size_t item_size_bytes);
RT_NODISCARD char *doc__arena_copy(struct doc__arena *arena, struct rt_slice text);
RT_NODISCARD char *doc__arena_vprintf(struct doc__arena *arena, const char *format, va_list args)
    RT_PRINTF(2, 0);
RT_NODISCARD char *doc__arena_printf(struct doc__arena *arena, const char *format, ...)
    RT_PRINTF(2, 3);

#endif
