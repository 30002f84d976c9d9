/* SPDX-License-Identifier: Apache-2.0 */
/* check, fmt, reference, schema: what looks at files and at the language without running. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "document/format.h"
#include "faults/fault.h"
#include "harness/dstest/command.h"
#include "harness/language/reference.h"
#include "harness/language/scenario.h"

/* ---- check ---- */

static size_t check_file(const char *path, size_t *out_scenarios)
{
    struct doc_error_list *errors = doc_error_list_create();
    struct scn_file *file = NULL;
    size_t found = 1;

    if (errors == NULL) {
        return 1;
    }
    if (scn_file_load(path, errors, &file) == RT_OK) {
        *out_scenarios += file->count;
        scn_file_destroy(file);
        found = 0;
    } else {
        doc_error_list_print(stderr, errors);
        (void)fputc('\n', stderr);
    }
    doc_error_list_destroy(errors);
    return found;
}

int dstest_check(int argc, char **argv)
{
    struct dstest_files files;
    size_t invalid = 0;
    size_t scenarios = 0;

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        (void)puts("usage: dstest check PATH...\n\n"
                   "Checks scenario files, or all *.yaml below folders. Nothing is started.\n"
                   "exit codes: 0 all valid, 2 not");
        return 0;
    }
    if (argc < 2 || argv[1][0] == '-') {
        return dstest_usage_error("check", "which files?");
    }
    if (!dstest_files_find(argv + 1, (size_t)argc - 1, &files)) {
        return scn_verdict_exit_code(SCN_INVALID);
    }
    for (size_t i = 0; i < files.count; i++) {
        invalid += check_file(files.paths[i], &scenarios);
    }
    (void)printf("%zu files with %zu scenarios are valid, %zu files are not\n",
                 files.count - invalid, scenarios, invalid);
    dstest_files_free(&files);
    return invalid == 0 ? 0 : scn_verdict_exit_code(SCN_INVALID);
}

/* ---- fmt ---- */

static char *read_whole(const char *path, size_t *out_len_bytes)
{
    FILE *in = fopen(path, "rb");
    char *text = NULL;
    size_t text_bytes = 0;
    FILE *out = in == NULL ? NULL : open_memstream(&text, &text_bytes);
    char piece[65536];
    size_t count = 0;

    while (out != NULL && (count = fread(piece, 1, sizeof(piece), in)) > 0) {
        (void)fwrite(piece, 1, count, out);
    }
    if (out != NULL) {
        (void)fclose(out);
    }
    if (in != NULL) {
        (void)fclose(in);
    }
    *out_len_bytes = text_bytes;
    return text;
}

/* A new file in the place of the old one, never half of it. */
static bool write_whole(const char *path, const char *text, size_t len_bytes)
{
    char *temporary = NULL;
    bool is_written = false;

    if (asprintf(&temporary, "%s.new", path) < 0) {
        return false;
    }
    FILE *out = fopen(temporary, "wb");
    if (out != NULL) {
        is_written = fwrite(text, 1, len_bytes, out) == len_bytes;
        is_written = fclose(out) == 0 && is_written && rename(temporary, path) == 0;
        if (!is_written) {
            (void)unlink(temporary);
        }
    }
    free(temporary);
    return is_written;
}

enum format_result { FORMAT_SAME, FORMAT_CHANGED, FORMAT_ERROR };

static enum format_result format_file(const char *path, bool is_checking)
{
    size_t len_bytes = 0;
    size_t new_bytes = 0;
    char *formatted = NULL;
    char *text = read_whole(path, &len_bytes);
    struct doc_error_list *errors = doc_error_list_create();
    enum format_result result = FORMAT_ERROR;

    if (text == NULL || errors == NULL) {
        (void)fprintf(stderr, "dstest fmt: %s: %s\n", path, strerror(errno));
    } else if (doc_format_text(path, rt_slice_of(text, len_bytes), errors, &formatted,
                               &new_bytes) != RT_OK) {
        doc_error_list_print(stderr, errors);
    } else if (new_bytes == len_bytes && memcmp(text, formatted, len_bytes) == 0) {
        result = FORMAT_SAME;
    } else if (is_checking || write_whole(path, formatted, new_bytes)) {
        result = FORMAT_CHANGED;
    } else {
        (void)fprintf(stderr, "dstest fmt: %s: cannot be written: %s\n", path, strerror(errno));
    }
    free(formatted);
    free(text);
    doc_error_list_destroy(errors);
    return result;
}

int dstest_fmt(int argc, char **argv)
{
    bool is_checking = argc > 1 && strcmp(argv[1], "--check") == 0;
    int first = is_checking ? 2 : 1;
    struct dstest_files files;
    size_t counts[3] = {0};

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        (void)puts("usage: dstest fmt [--check] PATH...\n\n"
                   "Formats scenario files in place. Only blanks change: comments and words stay.\n"
                   "--check changes nothing and exits with 1 when a file would change.");
        return 0;
    }
    if (argc <= first || argv[first][0] == '-') {
        return dstest_usage_error("fmt", "which files?");
    }
    if (!dstest_files_find(argv + first, (size_t)(argc - first), &files)) {
        return scn_verdict_exit_code(SCN_INVALID);
    }
    for (size_t i = 0; i < files.count; i++) {
        enum format_result result = format_file(files.paths[i], is_checking);
        counts[result]++;
        if (result == FORMAT_CHANGED) {
            (void)printf("%s: %s\n", files.paths[i],
                         is_checking ? "is not formatted; run: dstest fmt" : "formatted");
        }
    }
    dstest_files_free(&files);
    if (counts[FORMAT_ERROR] > 0) {
        return scn_verdict_exit_code(SCN_INVALID);
    }
    return is_checking && counts[FORMAT_CHANGED] > 0 ? scn_verdict_exit_code(SCN_FAIL) : 0;
}

/* ---- the language ---- */

int dstest_reference(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    scn_print_reference(stdout);
    return 0;
}

int dstest_schema(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    doc_schema_print_json_schema(stdout, scn_scenario_schema());
    return 0;
}
