/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/request/unmarshal.h"
#include "wire/proto/etcd_rpc.pb-c.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka needs the C library's first. */
#include <cmocka.h>

#define TEXT_BYTES 128

/* What 3.4.23 and 3.5.21 said; the part `wire` of the fidelity tests asks them again. */
static void text__of_each_way_to_be_wrong__is_that_of_etcd(void **state)
{
    static const struct {
        const ProtobufCMessageDescriptor *type;
        const char *bytes;
        size_t len_bytes;
        const char *text;
    } CASES[] = {
#define BYTES(text) (text), sizeof(text) - 1
#define RANGE       &etcdserverpb__range_request__descriptor
#define TXN         &etcdserverpb__txn_request__descriptor
        {RANGE,
         BYTES("\x02\x01"
               "a"),
         "proto: RangeRequest: illegal tag 0 (wire type 2)"},
        {RANGE, BYTES("\x0a"), "unexpected EOF"},
        {RANGE, BYTES("\x8a\xff\xff"), "unexpected EOF"},
        {RANGE, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "proto: integer overflow"},
        {RANGE,
         BYTES("\x0a\x05"
               "a"),
         "unexpected EOF"},
        {RANGE, BYTES("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
         "proto: negative length found during unmarshaling"},
        {RANGE, BYTES("\x0a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"),
         "proto: negative length found during unmarshaling"},
        {RANGE, BYTES("\x08\x01"), "proto: wrong wireType = 0 for field Key"},
        {RANGE,
         BYTES("\x12\x01"
               "b"
               "\x51\x01\x02\x03\x04\x05\x06\x07\x08"),
         "proto: wrong wireType = 1 for field MinModRevision"},
        {RANGE, BYTES("\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
         "proto: integer overflow"},
        {RANGE,
         BYTES("\xfa\x3f\x09"
               "abc"),
         "unexpected EOF"},
        {RANGE,
         BYTES("\xf9\x3f"
               "123"),
         "unexpected EOF"},
        {RANGE, BYTES("\xfb\x3f\x08\x01"), "unexpected EOF"},
        {RANGE, BYTES("\xfc\x3f"), "proto: RangeRequest: wiretype end group for non-group"},
        {RANGE, BYTES("\x0e"), "proto: wrong wireType = 6 for field Key"},
        {RANGE, BYTES("\xff\x3f"), "proto: illegal wireType 7"},
        {TXN, BYTES("\x0a\x02\x38\x01"), "proto: wrong wireType = 0 for field Value"},
        {TXN, BYTES("\x0a\x02\x07"), "unexpected EOF"},
        {&etcdserverpb__lease_grant_request__descriptor, BYTES("\x0a\x00"),
         "proto: wrong wireType = 2 for field TTL"},
        {&etcdserverpb__watch_create_request__descriptor, BYTES("\x2a\x02\x01\xff"),
         "unexpected EOF"},
        {&etcdserverpb__watch_create_request__descriptor, BYTES("\x29"),
         "proto: wrong wireType = 1 for field Filters"},
    };
    char text[TEXT_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        fakeetcd_unmarshal_text(CASES[i].type, rt_slice_of(CASES[i].bytes, CASES[i].len_bytes),
                                text, sizeof(text));
        assert_string_equal(text, CASES[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text__of_each_way_to_be_wrong__is_that_of_etcd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
