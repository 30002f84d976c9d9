/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAULTS_MEMORY_H
#define FAULTS_MEMORY_H

#include <stddef.h>

#include "runtime/slice.h"
#include "runtime/status.h"

/* Inside faults/ only. What one rule consists of, freed all at once; zeroed when handed out. */
struct fault__memory {
    struct fault__block *blocks;
};

void fault__memory_fini(struct fault__memory *memory);

/* All of these return NULL when out of memory. */
RT_NODISCARD void *fault__alloc(struct fault__memory *memory, size_t size_bytes);
RT_NODISCARD char *fault__copy(struct fault__memory *memory, struct rt_slice text);
RT_NODISCARD char *fault__printf(struct fault__memory *memory, const char *format, ...)
    RT_PRINTF(2, 3);

#endif
