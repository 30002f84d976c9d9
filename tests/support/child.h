/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_CHILD_H
#define TESTS_SUPPORT_CHILD_H

#include <stddef.h>
#include <sys/types.h>

/*
 * A program as a child of a test: what it prints, how it ends. Every read has a deadline; the child
 * dies with the test.
 *
 *   child_start --> child_read_until --> kill --> child_end
 */
enum { CHILD_TEXT_BYTES = 8192, CHILD_ARGUMENTS_MAX = 12 };

struct child {
    pid_t pid;
    int out;
    char text[CHILD_TEXT_BYTES]; /* stdout and stderr together, NUL-terminated */
    size_t len_bytes;
};

/* `arguments` end with NULL and do not contain the program's own name. */
void child_start(struct child *child, const char *path, const char *const *arguments);

/* Until `word` has been printed, or all of it when NULL. */
void child_read_until(struct child *child, const char *word);

/* Reads the rest and waits. The exit status, or -1 when a signal ended it. */
int child_end(struct child *child);

/* Its resident memory, above 0 and, without a sanitizer whose memory counts too, at most this. */
void child_assert_resident(const struct child *child, size_t limit_bytes);

/* Start to end. */
int child_run(struct child *child, const char *path, const char *const *arguments);

#endif
