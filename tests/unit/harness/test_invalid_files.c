/* SPDX-License-Identifier: Apache-2.0 */
/* Every file of tests/data/scenarios/invalid is refused with what its comments say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/language/scenario.h"
#include "unit/harness/expected_comment.h"

#define FOLDER TEST_DATA_DIR "/scenarios/invalid"

/* What `dstest check` would print; NULL when the file is valid. Freed by the caller. */
static char *errors_of(const char *path)
{
    struct doc_error_list *errors = doc_error_list_create();
    struct scn_file *file = NULL;
    char *text = NULL;
    size_t text_bytes = 0;

    assert_non_null(errors);
    if (scn_file_load(path, errors, &file) == RT_OK) {
        scn_file_destroy(file);
        doc_error_list_destroy(errors);
        return NULL;
    }
    FILE *out = open_memstream(&text, &text_bytes);
    doc_error_list_print(out, errors);
    (void)fclose(out);
    doc_error_list_destroy(errors);
    return text;
}

static void an_invalid_file__is_loaded__each_problem_is_named_with_its_place(void **state)
{
    struct dirent **entries = NULL;
    int count = scandir(FOLDER, &entries, expected_is_yaml, alphasort);
    int wrong = 0;

    (void)state;
    assert_true(count >= 15);
    for (int i = 0; i < count; i++) {
        char path[512];
        struct expected expected;
        (void)snprintf(path, sizeof(path), "%s/%s", FOLDER, entries[i]->d_name);
        expected_read(path, &expected);
        char *text = errors_of(path);
        if (expected.count == 0 || text == NULL || expected_missing(&expected, text) != NULL) {
            print_error("%s: missing \"%s\" in:\n%s\n", entries[i]->d_name,
                        expected.count == 0 ? "a comment `# expect: `"
                        : text == NULL      ? "any error"
                                            : expected_missing(&expected, text),
                        text == NULL ? "(valid)" : text);
            wrong++;
        }
        free(text);
        free(entries[i]);
    }
    free(entries);
    assert_int_equal(wrong, 0);
}

static void a_file_that_is_not_there__is_loaded__the_error_names_it(void **state)
{
    char *text = errors_of(FOLDER "/there_is_no_such_file.yaml");

    (void)state;
    assert_non_null(text);
    assert_non_null(strstr(text, "there_is_no_such_file.yaml"));
    free(text);
}

/* Every prefix of a valid file is either valid or refused, never a crash or an empty error. */
static void a_valid_file__is_cut_anywhere__it_is_refused_with_a_reason(void **state)
{
    static const char whole[] =
        "scenario: v1\n"
        "name: cut\n"
        "world: { connectors: { edge: { from: \"0\", to: \"1\" } } }\n"
        "faults: [ { id: a, on: { op: set }, at: applied, do: 1*drop-reply } ]\n"
        "steps:\n"
        "  - put: { connector: edge, key: k, data: { tensor: int8, shape: [2], fill: 1 } }\n"
        "    expect: { ok: true, took: \"< 5ms\" }\n"
        "finally:\n"
        "  - requests: { op: set, arrived: 2 }\n";
    char path[] = "/tmp/cut-scenario-XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    for (size_t cut = 0; cut < sizeof(whole) - 1; cut++) {
        FILE *out = fopen(path, "w");
        assert_non_null(out);
        (void)fwrite(whole, 1, cut, out);
        (void)fclose(out);
        char *text = errors_of(path);
        if (text != NULL) {
            assert_true(strlen(text) > 0);
        }
        free(text);
    }
    (void)remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_invalid_file__is_loaded__each_problem_is_named_with_its_place),
        cmocka_unit_test(a_file_that_is_not_there__is_loaded__the_error_names_it),
        cmocka_unit_test(a_valid_file__is_cut_anywhere__it_is_refused_with_a_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
