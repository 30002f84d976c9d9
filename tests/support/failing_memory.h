/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_FAILING_MEMORY_H
#define TESTS_SUPPORT_FAILING_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Memory that runs short on purpose: one allocation of our rooms fails, all others work. The linker
 * sends malloc, calloc and realloc here (CMake: failing_memory(TARGET)).
 *
 *   do {
 *       failing_memory_begin(nth++);
 *       story();
 *   } while (failing_memory_end());
 */

/* The n-th allocation from now on, counted from 0, fails. */
void failing_memory_begin(size_t nth);

/* From now on none fails. True: the one that was to fail has been asked for. */
bool failing_memory_end(void);

/* Has it been asked for so far? */
bool failing_memory_has_failed(void);

/* What stands in for the three, for libraries that take them by name; and what never fails. */
void *__real_malloc(size_t len_bytes);
void *__wrap_malloc(size_t len_bytes);
void *__wrap_calloc(size_t count, size_t len_bytes);
void *__wrap_realloc(void *memory, size_t len_bytes);

/* Tells a story with its first allocation failing, then its second, until none does. Whatever fails
 * must be said by the story (false), and nothing may be left: no blob that was not there before. */
typedef bool failing_memory_story_fn(void *arg);
void failing_memory_tell(failing_memory_story_fn *story, void *arg);

#endif
