/* SPDX-License-Identifier: Apache-2.0 */
#include "support/failing_memory.h"

#include "runtime/blob.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka needs the C library's first. */
#include <cmocka.h>

#define NEVER_FAILS SIZE_MAX
#define STORY_MAX   2000

void *__real_calloc(size_t count, size_t len_bytes);
void *__real_realloc(void *memory, size_t len_bytes);

static size_t left_count = NEVER_FAILS; /* allocations until one fails */
static bool has_failed;

static bool is_failing(void)
{
    if (left_count == NEVER_FAILS || left_count-- > 0) {
        return false;
    }
    left_count = NEVER_FAILS;
    has_failed = true;
    return true;
}

void *__wrap_malloc(size_t len_bytes)
{
    return is_failing() ? NULL : __real_malloc(len_bytes);
}

void *__wrap_calloc(size_t count, size_t len_bytes)
{
    return is_failing() ? NULL : __real_calloc(count, len_bytes);
}

void *__wrap_realloc(void *memory, size_t len_bytes)
{
    return is_failing() ? NULL : __real_realloc(memory, len_bytes);
}

void failing_memory_begin(size_t nth)
{
    has_failed = false;
    left_count = nth;
}

bool failing_memory_end(void)
{
    left_count = NEVER_FAILS;
    return has_failed;
}

bool failing_memory_has_failed(void)
{
    return has_failed;
}

void failing_memory_tell(failing_memory_story_fn *story, void *arg)
{
    size_t living = rt_blob_live_count();

    for (size_t nth = 0; nth < STORY_MAX; nth++) {
        failing_memory_begin(nth);
        bool is_whole = story(arg);
        if (!failing_memory_end()) {
            assert_true(is_whole);
            return;
        }
        assert_int_equal(rt_blob_live_count(), living);
    }
    fail_msg("the story never ends");
}
