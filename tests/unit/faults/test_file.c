/* SPDX-License-Identifier: Apache-2.0 */
#include "fault_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Files of faults, as programs read them. */

static enum rt_status load_file(struct fixture *fx, const char *text)
{
    const char *folder = getenv("TMPDIR");
    char path[512];
    enum rt_status status;
    int fd;

    snprintf(path, sizeof(path), "%s/faults-XXXXXX", folder == NULL ? P_tmpdir : folder);
    fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(close(fd), 0);
    doc_error_list_clear(fx->errors);
    status = fault_file_load(fx->engine, path, fx->errors);
    assert_int_equal(unlink(path), 0);
    return status;
}

static void file__valid__arms_its_faults_and_may_go(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(load_file(fx, "fault-file: v1\n"
                                   "faults:\n"
                                   "  - { id: a, on: { key: x }, at: request, do: 1*rst }\n"
                                   "  - { id: b, at: request, do: fin, after: fault.a.fired }\n"),
                     RT_OK);
    assert_int_equal(doc_error_total_count(fx->errors), 0);
    assert_string_equal(who_fires(fx, "x"), "a");
    assert_string_equal(who_fires(fx, "x"), "b");
    assert_null(info_of(fx, "a").node);
}

static void file__with_any_problem__arms_nothing(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(load_file(fx, "fault-file: v1\n"
                                   "faults:\n"
                                   "  - { id: a, at: request, do: rst }\n"
                                   "  - { id: b, at: request, do: rts }\n"),
                     RT_E_INVALID);
    assert_int_equal(fault_rule_count(fx->engine), 0);
    assert_int_equal(doc_error_at(fx->errors, 0)->line, 4);
    assert_int_equal(doc_error_at(fx->errors, 0)->column, 31);
}

static void file__without_or_with_another_version__is_refused(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(load_file(fx, "faults: []\n"), RT_E_INVALID);
    assert_non_null(find_error(fx, "fault-file"));
    assert_int_equal(load_file(fx, "fault-file: v2\nfaults: []\n"), RT_E_INVALID);
    assert_int_equal(doc_error_at(fx->errors, 0)->line, 1);
    assert_int_equal(load_file(fx, "fault-file: v1\n"), RT_E_INVALID);
    assert_int_equal(load_file(fx, "fault-file: v1\nfaults: []\nmore: 1\n"), RT_E_INVALID);
    assert_int_equal(load_file(fx, "fault-file: v1\nfaults: []\n"), RT_OK);
}

static void file__that_is_no_yaml_or_not_there__says_so(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(load_file(fx, "fault-file: [\n"), RT_E_MALFORMED);
    assert_int_equal(doc_error_count(fx->errors), 1);
    doc_error_list_clear(fx->errors);
    assert_int_equal(fault_file_load(fx->engine, "/nonexistent/faults.yaml", fx->errors),
                     RT_E_NOT_FOUND);
    assert_int_equal(doc_error_count(fx->errors), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(file__valid__arms_its_faults_and_may_go),
        TEST(file__with_any_problem__arms_nothing),
        TEST(file__without_or_with_another_version__is_refused),
        TEST(file__that_is_no_yaml_or_not_there__says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
