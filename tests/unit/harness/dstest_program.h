/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_HARNESS_DSTEST_PROGRAM_H
#define TESTS_UNIT_HARNESS_DSTEST_PROGRAM_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* What one run of the program left: exit code, and what it printed on either stream. */
struct dstest_run {
    int exit_code;
    char out[16384];
    char err[16384];
};

static inline void dstest_read_back(FILE *file, char *out_text, size_t text_bytes)
{
    rewind(file);
    out_text[fread(out_text, 1, text_bytes - 1, file)] = '\0';
    (void)fclose(file);
}

/* Runs `dstest` with these words up to a NULL, without a shell in between. */
static inline void dstest_run(struct dstest_run *run, ...)
{
    const char *words[32] = {BUILD_BIN_DIR "/dstest"};
    size_t count = 1;
    FILE *out = tmpfile();
    FILE *err = tmpfile();
    va_list arguments;
    int status = 0;

    va_start(arguments, run);
    do {
        assert_in_range(count, 1, 31);
        words[count] = va_arg(arguments, const char *);
    } while (words[count++] != NULL);
    va_end(arguments);
    assert_non_null(out);
    assert_non_null(err);
    pid_t child = fork();
    if (child == 0) {
        (void)dup2(fileno(out), STDOUT_FILENO);
        (void)dup2(fileno(err), STDERR_FILENO);
        (void)execv(words[0], (char *const *)(uintptr_t)words);
        _exit(126);
    }
    assert_true(child > 0);
    while (waitpid(child, &status, 0) < 0) {
        assert_int_equal(errno, EINTR);
    }
    assert_true(WIFEXITED(status));
    run->exit_code = WEXITSTATUS(status);
    dstest_read_back(out, run->out, sizeof(run->out));
    dstest_read_back(err, run->err, sizeof(run->err));
}

static inline void assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("\"%s\" is not in: %s", part, text);
    }
}

/* A new file with this suffix and text; its path is static. */
static inline const char *dstest_file(const char *suffix, const char *text)
{
    static char path[64];
    (void)snprintf(path, sizeof(path), "/tmp/dstest-XXXXXX%s", suffix);
    int descriptor = mkstemps(path, (int)strlen(suffix));
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, text, strlen(text)), strlen(text));
    assert_int_equal(close(descriptor), 0);
    return path;
}

#endif
