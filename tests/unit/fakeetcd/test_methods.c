/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/request/call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka needs the C library's first. */
#include <cmocka.h>

static void methods__and_operations_of_faults__are_the_same_in_the_same_order(void **state)
{
    size_t count = fakeetcd_method_count();

    (void)state;
    for (size_t i = 0; i < count; i++) {
        assert_non_null(fakeetcd_fault_domain.operations[i].word);
        assert_string_equal(fakeetcd_methods[i].word, fakeetcd_fault_domain.operations[i].word);
    }
    assert_null(fakeetcd_methods[count].service);
    assert_null(fakeetcd_fault_domain.operations[count].word);
}

static void methods__each_path__finds_its_row(void **state)
{
    char path[160];

    (void)state;
    for (const struct fakeetcd_method *row = fakeetcd_methods; row->service != NULL; row++) {
        (void)snprintf(path, sizeof(path), "/%s/%s", row->service, row->name);
        assert_ptr_equal(fakeetcd_method_by_path(rt_slice_text(path)), row);
        assert_ptr_equal(fakeetcd_method_by_path(rt_slice_text(path + 1)), row); /* as grpc-go */
        assert_true(fakeetcd_has_service(rt_slice_text(row->service)));
        assert_non_null(row->on_request);
        assert_non_null(row->request);
        assert_non_null(row->response);
    }
}

static void methods__a_path_that_is_none__is_not_found(void **state)
{
    static const char *const paths[] = {"",
                                        "/",
                                        "/etcdserverpb.KV",
                                        "/etcdserverpb.KV/",
                                        "/etcdserverpb.KV/Put2",
                                        "//etcdserverpb.KV/Put",
                                        "/etcdserverpb.kv/Put",
                                        "/x.Y/Put"};

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        assert_null(fakeetcd_method_by_path(rt_slice_text(paths[i])));
    }
    assert_false(fakeetcd_has_service(rt_slice_text("etcdserverpb.Kv")));
    assert_false(fakeetcd_has_service(rt_slice_text("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(methods__and_operations_of_faults__are_the_same_in_the_same_order),
        cmocka_unit_test(methods__each_path__finds_its_row),
        cmocka_unit_test(methods__a_path_that_is_none__is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
