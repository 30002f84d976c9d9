/* SPDX-License-Identifier: Apache-2.0 */
/* From code and detail to the cause of a failure: the one table. */
#include "connector/ds_status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void cause__of_each_code__is_that_of_the_table(void **state)
{
    static const struct {
        int32_t code;
        enum ds_detail detail;
        enum ds_cause cause;
    } ROWS[] = {
        {K_OK, DS_DETAIL_NONE, DS_CAUSE_NONE},
        {K_NOT_FOUND, DS_DETAIL_ANSWERED, DS_CAUSE_NOT_FOUND},
        {K_RPC_DEADLINE_EXCEEDED, DS_DETAIL_ANSWERED, DS_CAUSE_BACKEND_TIMEOUT},
        {K_RPC_UNAVAILABLE, DS_DETAIL_SILENCE, DS_CAUSE_BACKEND_TIMEOUT},
        {K_RPC_UNAVAILABLE, DS_DETAIL_DECLARED_LOST, DS_CAUSE_DISCONNECTED},
        {K_RPC_UNAVAILABLE, DS_DETAIL_ANSWERED, DS_CAUSE_TRANSPORT},
        {K_RPC_CANCELLED, DS_DETAIL_ANSWERED, DS_CAUSE_TRANSPORT},
        {K_IO_ERROR, DS_DETAIL_ANSWERED, DS_CAUSE_TRANSPORT},
        {K_CLIENT_WORKER_DISCONNECT, DS_DETAIL_ANSWERED, DS_CAUSE_DISCONNECTED},
        {K_NOT_READY, DS_DETAIL_ANSWERED, DS_CAUSE_DISCONNECTED},
        {K_NOT_READY, DS_DETAIL_CLOSED, DS_CAUSE_DISCONNECTED},
        {K_SERVER_FD_CLOSED, DS_DETAIL_ANSWERED, DS_CAUSE_DISCONNECTED},
        {K_SCALE_DOWN, DS_DETAIL_ANSWERED, DS_CAUSE_DISCONNECTED},
        {K_INVALID, DS_DETAIL_CHECKED, DS_CAUSE_INVALID},
        {K_INVALID, DS_DETAIL_ANSWERED, DS_CAUSE_INVALID},
        {K_OUT_OF_MEMORY, DS_DETAIL_ANSWERED, DS_CAUSE_OUT_OF_MEMORY},
        {K_NO_SPACE, DS_DETAIL_ANSWERED, DS_CAUSE_OUT_OF_MEMORY},
        {K_UNKNOWN_ERROR, DS_DETAIL_UNDECODABLE, DS_CAUSE_CODEC},
        {K_INVALID, DS_DETAIL_UNDECODABLE, DS_CAUSE_CODEC},
        {K_UNKNOWN_ERROR, DS_DETAIL_ANSWERED, DS_CAUSE_OTHER},
        {K_RUNTIME_ERROR, DS_DETAIL_ANSWERED, DS_CAUSE_OTHER},
        {K_TRY_AGAIN, DS_DETAIL_ANSWERED, DS_CAUSE_OTHER},
        {424242, DS_DETAIL_ANSWERED, DS_CAUSE_OTHER},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        assert_int_equal(ds_cause_of(ROWS[i].code, ROWS[i].detail), ROWS[i].cause);
    }
}

static void words__of_each_cause__are_those_of_the_metrics(void **state)
{
    (void)state;
    assert_string_equal(ds_cause_word(DS_CAUSE_NOT_FOUND), "not_found");
    assert_string_equal(ds_cause_word(DS_CAUSE_BACKEND_TIMEOUT), "backend_timeout");
    assert_string_equal(ds_cause_word(DS_CAUSE_OTHER), "other");
    assert_string_equal(ds_cause_word((enum ds_cause)4242), "unknown");
}

static void format__a_failure__as_the_python_exception_shows_it(void **state)
{
    struct ds_status status = {.code = K_NOT_FOUND, .text = "Cannot get objects from worker"};
    char text[128];

    (void)state;
    ds_status_format(&status, text, sizeof(text));
    assert_string_equal(text, "code: [Key not found], msg: [Cannot get objects from worker]");
}

static void format__little_room__is_cut_and_ended(void **state)
{
    struct ds_status status = {.code = K_NOT_FOUND, .text = NULL};
    char text[8];

    (void)state;
    memset(text, 'x', sizeof(text));
    ds_status_format(&status, text, 5);
    assert_string_equal(text, "code");
    ds_status_format(&status, text, 0);
    assert_string_equal(text, "code");
    ds_status_format(&status, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cause__of_each_code__is_that_of_the_table),
        cmocka_unit_test(words__of_each_cause__are_those_of_the_metrics),
        cmocka_unit_test(format__a_failure__as_the_python_exception_shows_it),
        cmocka_unit_test(format__little_room__is_cut_and_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
