/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/child.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
/* cmocka needs the C library's first. */
#include <cmocka.h>

#include "runtime/sanitizers.h"

#define DEADLINE_MS       20000
#define EXIT_NOT_EXECUTED 127

void child_start(struct child *child, const char *path, const char *const *arguments)
{
    int ends[2];
    char *list[CHILD_ARGUMENTS_MAX + 2] = {(char *)(uintptr_t)path};
    for (size_t i = 0; arguments[i] != NULL; i++) {
        assert_true(i < CHILD_ARGUMENTS_MAX);
        list[i + 1] = (char *)(uintptr_t)arguments[i];
    }
    memset(child, 0, sizeof(*child));
    assert_int_equal(pipe(ends), 0);
    child->pid = fork();
    assert_true(child->pid >= 0);
    if (child->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves nobody behind */
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        execv(path, list);
        _exit(EXIT_NOT_EXECUTED);
    }
    close(ends[1]);
    child->out = ends[0];
}

void child_read_until(struct child *child, const char *word)
{
    while (word == NULL || strstr(child->text, word) == NULL) {
        struct pollfd ready = {.fd = child->out, .events = POLLIN};
        assert_int_equal(poll(&ready, 1, DEADLINE_MS), 1);
        ssize_t got = read(child->out, child->text + child->len_bytes,
                           sizeof(child->text) - 1 - child->len_bytes);
        if (got <= 0) {
            break;
        }
        child->len_bytes += (size_t)got;
    }
}

int child_end(struct child *child)
{
    int status;
    child_read_until(child, NULL);
    assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
    close(child->out);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int child_run(struct child *child, const char *path, const char *const *arguments)
{
    child_start(child, path, arguments);
    return child_end(child);
}

void child_assert_resident(const struct child *child, size_t limit_bytes)
{
    char path[64];
    unsigned long total = 0;
    unsigned long resident = 0;
    bool has_sanitizer = RT_HAS_ADDRESS_SANITIZER || RT_HAS_THREAD_SANITIZER;
    snprintf(path, sizeof(path), "/proc/%d/statm", (int)child->pid);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%lu %lu", &total, &resident), 2);
    fclose(file);
    size_t bytes = (size_t)resident * (size_t)sysconf(_SC_PAGESIZE);
    assert_in_range(bytes, 1, has_sanitizer ? SIZE_MAX : limit_bytes);
}
