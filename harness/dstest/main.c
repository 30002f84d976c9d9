/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>

#include "document/error.h"
#include "harness/dstest/command.h"

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
};

static const struct command commands[] = {
    {"run", dstest_run, "run scenarios and judge them"},
    {"check", dstest_check, "check scenario files without running anything"},
    {"call", dstest_call, "make one call of a connector, against any worker"},
    {"config", dstest_config, "show a transfer configuration"},
    {"fmt", dstest_fmt, "format scenario files in place; comments stay"},
    {"payload", dstest_payload, "look into a serialized value, or make one from JSON"},
    {"reference", dstest_reference, "print the reference page of the scenario language"},
    {"schema", dstest_schema, "print a JSON Schema of the scenario language"},
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *out)
{
    (void)fprintf(out, "dstest runs scenario files against the connector and a fake Datasystem.\n\n"
                       "usage: dstest COMMAND [OPTIONS] PATH...\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        (void)fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].help);
    }
    (void)fprintf(out, "\n`dstest COMMAND --help` tells more.\n"
                       "exit codes: 0 pass, 1 fail, 2 invalid file or usage, 3 inconclusive,\n"
                       "            4 harness error, 77 all skipped\n");
}

int dstest_usage_error(const char *command, const char *format, ...)
{
    va_list arguments;

    (void)fprintf(stderr, "dstest %s: ", command);
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fprintf(stderr, "\n`dstest %s --help` shows how it is used\n", command);
    return scn_verdict_exit_code(SCN_INVALID);
}

int dstest_unknown_option(const char *command, const char *given, const char *const *options,
                          size_t option_count)
{
    const char *nearest = doc_nearest_word(rt_slice_text(given), options, option_count);

    if (nearest == NULL) {
        return dstest_usage_error(command, "unknown option %s", given);
    }
    return dstest_usage_error(command, "unknown option %s; did you mean %s?", given, nearest);
}

int main(int argc, char **argv)
{
    const char *words[COMMAND_COUNT];

    if (argc < 2) {
        print_help(stderr);
        return scn_verdict_exit_code(SCN_INVALID);
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        (void)puts("dstest " PROJECT_VERSION_TEXT);
        return 0;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        words[i] = commands[i].name;
        if (strcmp(argv[1], commands[i].name) == 0) {
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    const char *nearest = doc_nearest_word(rt_slice_text(argv[1]), words, COMMAND_COUNT);
    (void)fprintf(stderr, "dstest: unknown command %s%s%s\n`dstest --help` lists them\n", argv[1],
                  nearest == NULL ? "" : "; did you mean ", nearest == NULL ? "" : nearest);
    return scn_verdict_exit_code(SCN_INVALID);
}
