/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "runtime/hex.h"

static void digit__of_every_byte__is_its_value_or_none(void **state)
{
    static const char small[] = "0123456789abcdef";
    static const char capital[] = "0123456789ABCDEF";
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        const char *at = byte == 0 ? NULL : strchr(small, byte);
        const char *other = byte == 0 ? NULL : strchr(capital, byte);
        int wanted = at != NULL ? (int)(at - small) : other != NULL ? (int)(other - capital) : -1;
        assert_int_equal(rt_hex_digit((uint8_t)byte), wanted);
    }
}

static void pairs__of_both_cases__are_bytes(void **state)
{
    uint8_t bytes[4] = {0};
    size_t bad_offset = 0;
    (void)state;
    assert_true(rt_hex_read(rt_slice_text("00fFa57E"), bytes, &bad_offset));
    assert_memory_equal(bytes, "\x00\xff\xa5\x7e", 4);
    assert_true(rt_hex_read(rt_slice_text(""), bytes, &bad_offset));
}

static void text__that_is_no_pairs__is_refused_at_its_first_bad_byte(void **state)
{
    uint8_t bytes[4] = {0};
    size_t bad_offset = 0;
    (void)state;
    assert_false(rt_hex_read(rt_slice_text("00g0"), bytes, &bad_offset));
    assert_int_equal(bad_offset, 2);
    assert_false(rt_hex_read(rt_slice_text("001"), bytes, &bad_offset));
    assert_int_equal(bad_offset, 2);
    assert_false(rt_hex_read(rt_slice_text("0 "), bytes, &bad_offset));
    assert_int_equal(bad_offset, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digit__of_every_byte__is_its_value_or_none),
        cmocka_unit_test(pairs__of_both_cases__are_bytes),
        cmocka_unit_test(text__that_is_no_pairs__is_refused_at_its_first_bad_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
