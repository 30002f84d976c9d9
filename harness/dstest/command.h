/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HARNESS_DSTEST_COMMAND_H
#define HARNESS_DSTEST_COMMAND_H

#include "harness/verdict/verdict.h"

/* The program's commands. Each takes its own arguments (argv[0] is the command's name) and gives
 * the exit code. */
int dstest_run(int argc, char **argv);
int dstest_check(int argc, char **argv);
int dstest_call(int argc, char **argv);
int dstest_config(int argc, char **argv);
int dstest_fmt(int argc, char **argv);
int dstest_payload(int argc, char **argv);
int dstest_reference(int argc, char **argv);
int dstest_schema(int argc, char **argv);

/* ---- shared by them ---- */

/* Scenario files below the paths, sorted, each once. A path that does not exist or holds no file
 * is an error, told on stderr. */
struct dstest_files {
    char **paths;
    size_t count;
};
bool dstest_files_find(char *const *paths, size_t path_count, struct dstest_files *out_files);
void dstest_files_free(struct dstest_files *files);

/* "dstest run: unknown option --wrld; did you mean --world?" and where help is. Gives 2. */
int dstest_usage_error(const char *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The option's name nearest to what was written, told as a usage error. */
int dstest_unknown_option(const char *command, const char *given, const char *const *options,
                          size_t option_count);

#endif
