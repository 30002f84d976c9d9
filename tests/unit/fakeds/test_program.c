/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/child.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka needs the C library's first. */
#include <cmocka.h>

/* The program as its user meets it. */
#define PROGRAM        BUILD_BIN_DIR "/fakeds"
#define RESIDENT_LIMIT ((size_t)8 * 1024 * 1024)

static int run(struct child *child, const char *const *arguments)
{
    return child_run(child, PROGRAM, arguments);
}

static void assert_one_line(const struct child *child)
{
    const char *end = strchr(child->text, '\n');
    assert_non_null(end);
    assert_int_equal(end[1], '\0');
}

static void flag__misspelt__nearest_word_and_2(void **state)
{
    struct child child;
    (void)state;
    assert_int_equal(run(&child, (const char *[]){"--worker_adress", "x", NULL}), 2);
    assert_string_equal(child.text,
                        "fakeds: unknown flag --worker_adress; did you mean --worker_address?\n");
    assert_int_equal(run(&child, (const char *[]){"--zzzzzzzz=1", NULL}), 2);
    assert_string_equal(child.text, "fakeds: unknown flag --zzzzzzzz; see --help\n");
}

static void flag__bad_or_no_value__one_line_and_2(void **state)
{
    struct child child;
    (void)state;
    assert_int_equal(run(&child, (const char *[]){"--shared_memory_size_mb=lots", NULL}), 2);
    assert_one_line(&child);
    assert_int_equal(run(&child, (const char *[]){"--not_ready_ms", "-1", NULL}), 2);
    assert_one_line(&child);
    assert_int_equal(run(&child, (const char *[]){"--seed", NULL}), 2);
    assert_string_equal(child.text, "fakeds: --seed needs a value: N\n");
    assert_int_equal(run(&child, (const char *[]){"--l2_cache_type", "obs", NULL}), 2);
    assert_one_line(&child);
}

/* As the real worker's flags: --flag, --flag=true, --flag true. */
static void switch__with_and_without_a_word__is_taken(void **state)
{
    struct child child;
    (void)state;
    assert_int_equal(run(&child, (const char *[]){"--enable_lossless_data_exit_mode", "true",
                                                  "--log_requests", "--version", NULL}),
                     0);
    assert_int_equal(
        run(&child, (const char *[]){"--enable_lossless_data_exit_mode=false", "--version", NULL}),
        0);
    assert_int_equal(run(&child, (const char *[]){"--log_requests", "maybe", NULL}), 2);
    assert_string_equal(child.text, "fakeds: unknown flag maybe; see --help\n");
    assert_int_equal(run(&child, (const char *[]){"--log_requests=maybe", NULL}), 2);
    assert_string_equal(child.text, "fakeds: --log_requests takes no value but true or false\n");
}

static void address__not_one__one_line_and_2(void **state)
{
    struct child child;
    (void)state;
    assert_int_equal(run(&child, (const char *[]){"--worker_address", "nonsense", NULL}), 2);
    assert_one_line(&child);
}

static void help_and_version__printed_and_0(void **state)
{
    struct child child;
    (void)state;
    assert_int_equal(run(&child, (const char *[]){"--help", NULL}), 0);
    assert_non_null(strstr(child.text, "--worker_address HOST:PORT"));
    assert_int_equal(run(&child, (const char *[]){"--version", NULL}), 0);
    assert_one_line(&child);
}

static void fault_file__missing__one_line_and_4(void **state)
{
    struct child child;
    (void)state;
    assert_int_equal(run(&child, (const char *[]){"--faults", "/nowhere/f.yaml", "--worker_address",
                                                  "127.0.0.1:0", NULL}),
                     4);
    assert_one_line(&child);
    assert_non_null(strstr(child.text, "/nowhere/f.yaml"));
}

static void fault_file__invalid__position_and_caret_and_2(void **state)
{
    struct child child;
    char path[] = "/tmp/fakeds-faults-XXXXXX";
    static const char TEXT[] = "fault-file: v1\nfaults:\n"
                               "  - id: f\n    on: { op: sett }\n    at: request\n    do: rst\n";
    (void)state;
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, TEXT, sizeof(TEXT) - 1), sizeof(TEXT) - 1);
    close(file);
    assert_int_equal(run(&child, (const char *[]){"--faults", path, NULL}), 2);
    assert_non_null(strstr(child.text, ":4:15: "));
    assert_non_null(strstr(child.text, "^^^^"));
    assert_non_null(strstr(child.text, "\"set\""));
    unlink(path);
}

static void sigterm__ready_line_small_and_clean_stop(void **state)
{
    struct child child;
    (void)state;
    child_start(&child, PROGRAM, (const char *[]){"--worker_address=127.0.0.1:0", NULL});
    child_read_until(&child, "\n");
    assert_non_null(strstr(child.text, "fakeds ready at 127.0.0.1:"));
    child_assert_resident(&child, RESIDENT_LIMIT);
    kill(child.pid, SIGTERM);
    assert_int_equal(child_end(&child), 0);
}

static void port__in_use__one_line_and_4(void **state)
{
    struct child first;
    struct child second;
    char address[64];
    (void)state;
    child_start(&first, PROGRAM, (const char *[]){"--worker_address", "127.0.0.1:0", NULL});
    child_read_until(&first, "\n");
    assert_int_equal(sscanf(first.text, "fakeds ready at %63s", address), 1);
    assert_int_equal(run(&second, (const char *[]){"--worker_address", address, NULL}), 4);
    assert_one_line(&second);
    assert_non_null(strstr(second.text, "address already in use"));
    kill(first.pid, SIGINT);
    assert_int_equal(child_end(&first), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flag__misspelt__nearest_word_and_2),
        cmocka_unit_test(flag__bad_or_no_value__one_line_and_2),
        cmocka_unit_test(switch__with_and_without_a_word__is_taken),
        cmocka_unit_test(address__not_one__one_line_and_2),
        cmocka_unit_test(help_and_version__printed_and_0),
        cmocka_unit_test(fault_file__missing__one_line_and_4),
        cmocka_unit_test(fault_file__invalid__position_and_caret_and_2),
        cmocka_unit_test(sigterm__ready_line_small_and_clean_stop),
        cmocka_unit_test(port__in_use__one_line_and_4),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
