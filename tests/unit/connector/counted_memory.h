/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CONNECTOR_COUNTED_MEMORY_H
#define TESTS_CONNECTOR_COUNTED_MEMORY_H

#include <stddef.h>

/*
 * Heap allocations of our rooms and of libevent, counted for each thread apart: a fake worker of
 * the same process has one of its own. Link with -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc.
 */

void counted_memory_begin(void); /* before libevent is used; for good */

/* By the calling thread, ever. */
size_t counted_memory_count(void);

#endif
