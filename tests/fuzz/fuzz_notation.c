/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "connector/omni_notation.h"
#include "fuzz_target.h"

/* JSON that may be a value. What is read is written, and reads back as the same. */
static void check_again(const struct omni_value *value);
static bool has_huge_number(const uint8_t *data, size_t size);

#define HUGE_DIGITS 7 /* a fill may rightly be told to make 4 GiB; a fuzzer has no use for that */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct omni_value *value = NULL;

    if (has_huge_number(data, size)) {
        return 0;
    }
    size_t live_before = rt_blob_live_count();
    struct omni_arena *arena = omni_arena_create();
    struct doc_error_list *errors = doc_error_list_create();
    FUZZ_CHECK(arena != NULL && errors != NULL);
    enum rt_status status =
        omni_notation_read("fuzz", rt_slice_of(data, size), arena, errors, &value);
    if (status == RT_OK) {
        FUZZ_CHECK(doc_error_total_count(errors) == 0);
        check_again(value);
    } else {
        FUZZ_CHECK(status == RT_E_MALFORMED || status == RT_E_INVALID || status == RT_E_LIMIT);
        FUZZ_CHECK(value == NULL && doc_error_total_count(errors) > 0);
    }
    doc_error_list_destroy(errors);
    omni_arena_destroy(arena);
    FUZZ_CHECK(rt_blob_live_count() == live_before);
    return 0;
}

static void check_again(const struct omni_value *value)
{
    const struct omni_value *back = NULL;
    char *text = NULL;
    size_t text_bytes = 0;
    struct omni_arena *arena = omni_arena_create();
    struct doc_error_list *errors = doc_error_list_create();
    FILE *out = open_memstream(&text, &text_bytes);

    FUZZ_CHECK(arena != NULL && errors != NULL && out != NULL);
    FUZZ_CHECK(omni_notation_write(out, value) == RT_OK);
    (void)fclose(out);
    FUZZ_CHECK(omni_notation_read("again", rt_slice_of(text, text_bytes), arena, errors, &back) ==
               RT_OK);
    FUZZ_CHECK(omni_value_equal(value, back));
    free(text);
    doc_error_list_destroy(errors);
    omni_arena_destroy(arena);
}

static bool has_huge_number(const uint8_t *data, size_t size)
{
    size_t digit_count = 0;
    for (size_t i = 0; i < size; i++) {
        bool is_digit = data[i] >= '0' && data[i] <= '9';
        digit_count = is_digit ? digit_count + 1 : 0;
        if (digit_count >= HUGE_DIGITS && memchr(data, 'f', size) != NULL) {
            return true;
        }
    }
    return false;
}
