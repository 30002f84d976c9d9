/* SPDX-License-Identifier: Apache-2.0 */
#include "counted_memory.h"

#include <event2/event.h>
#include <stdlib.h>

void *__real_malloc(size_t len_bytes);
void *__real_calloc(size_t count, size_t len_bytes);
void *__real_realloc(void *memory, size_t len_bytes);
void *__wrap_malloc(size_t len_bytes);
void *__wrap_calloc(size_t count, size_t len_bytes);
void *__wrap_realloc(void *memory, size_t len_bytes);

static _Thread_local size_t allocation_count;

void *__wrap_malloc(size_t len_bytes)
{
    allocation_count++;
    return __real_malloc(len_bytes);
}

void *__wrap_calloc(size_t count, size_t len_bytes)
{
    allocation_count++;
    return __real_calloc(count, len_bytes);
}

void *__wrap_realloc(void *memory, size_t len_bytes)
{
    allocation_count++;
    return __real_realloc(memory, len_bytes);
}

/* The linker does not reach into a library that is shared. */
void counted_memory_begin(void)
{
    event_set_mem_functions(__wrap_malloc, __wrap_realloc, free);
}

size_t counted_memory_count(void)
{
    return allocation_count;
}
