/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
/* cmocka needs the C library's first. */
#include <cmocka.h>

#include "runtime/sanitizers.h"

/* The program as a child: what it prints, how it ends. Every read has a deadline. */
#define PROGRAM      BUILD_BIN_DIR "/fakeds"
#define DEADLINE_MS  20000
#define TEXT_BYTES   8192
#define ARGUMENT_MAX 8

/* A sanitizer's own memory is not the program's: then any size will do. */
#if RT_HAS_ADDRESS_SANITIZER || RT_HAS_THREAD_SANITIZER
#define RESIDENT_LIMIT SIZE_MAX
#else
#define RESIDENT_LIMIT ((size_t)8 * 1024 * 1024)
#endif

struct child {
    pid_t pid;
    int out;
    char text[TEXT_BYTES]; /* stdout and stderr together */
    size_t len_bytes;
};

static void start(struct child *child, const char *const *arguments)
{
    int ends[2];
    char *list[ARGUMENT_MAX + 2] = {(char *)(uintptr_t) "fakeds"};
    for (size_t i = 0; i < ARGUMENT_MAX && arguments[i] != NULL; i++) {
        list[i + 1] = (char *)(uintptr_t)arguments[i];
    }
    memset(child, 0, sizeof(*child));
    assert_int_equal(pipe(ends), 0);
    child->pid = fork();
    if (child->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves nobody behind */
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        execv(PROGRAM, list);
        _exit(127);
    }
    close(ends[1]);
    child->out = ends[0];
}

/* Until `word` has been printed, or all of it when NULL. */
static void read_until(struct child *child, const char *word)
{
    while (word == NULL || strstr(child->text, word) == NULL) {
        struct pollfd ready = {.fd = child->out, .events = POLLIN};
        assert_int_equal(poll(&ready, 1, DEADLINE_MS), 1);
        ssize_t got =
            read(child->out, child->text + child->len_bytes, TEXT_BYTES - 1 - child->len_bytes);
        if (got <= 0) {
            break;
        }
        child->len_bytes += (size_t)got;
    }
}

static int end_of(struct child *child)
{
    int status;
    read_until(child, NULL);
    assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
    close(child->out);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int run(struct child *child, const char *const *arguments)
{
    start(child, arguments);
    return end_of(child);
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

static size_t resident_bytes(pid_t pid)
{
    char path[64];
    unsigned long total = 0;
    unsigned long resident = 0;
    snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%lu %lu", &total, &resident), 2);
    fclose(file);
    return (size_t)resident * (size_t)sysconf(_SC_PAGESIZE);
}

static void sigterm__ready_line_small_and_clean_stop(void **state)
{
    struct child child;
    (void)state;
    start(&child, (const char *[]){"--worker_address=127.0.0.1:0", NULL});
    read_until(&child, "\n");
    assert_non_null(strstr(child.text, "fakeds ready at 127.0.0.1:"));
    assert_in_range(resident_bytes(child.pid), 1, RESIDENT_LIMIT);
    kill(child.pid, SIGTERM);
    assert_int_equal(end_of(&child), 0);
}

static void port__in_use__one_line_and_4(void **state)
{
    struct child first;
    struct child second;
    char address[64];
    (void)state;
    start(&first, (const char *[]){"--worker_address", "127.0.0.1:0", NULL});
    read_until(&first, "\n");
    assert_int_equal(sscanf(first.text, "fakeds ready at %63s", address), 1);
    assert_int_equal(run(&second, (const char *[]){"--worker_address", address, NULL}), 4);
    assert_one_line(&second);
    assert_non_null(strstr(second.text, "address already in use"));
    kill(first.pid, SIGINT);
    assert_int_equal(end_of(&first), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flag__misspelt__nearest_word_and_2),
        cmocka_unit_test(flag__bad_or_no_value__one_line_and_2),
        cmocka_unit_test(address__not_one__one_line_and_2),
        cmocka_unit_test(help_and_version__printed_and_0),
        cmocka_unit_test(fault_file__missing__one_line_and_4),
        cmocka_unit_test(fault_file__invalid__position_and_caret_and_2),
        cmocka_unit_test(sigterm__ready_line_small_and_clean_stop),
        cmocka_unit_test(port__in_use__one_line_and_4),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
