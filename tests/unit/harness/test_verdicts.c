/* SPDX-License-Identifier: Apache-2.0 */
/* Every file of tests/data/scenarios/verdicts ends and is reported as its comments say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/run.h"
#include "unit/harness/expected_comment.h"

#define FOLDER TEST_DATA_DIR "/scenarios/verdicts"

/* Runs the first scenario of a file; the report is freed by the caller. */
static enum scn_verdict run_file(const char *path, bool is_proving, char **out_report)
{
    struct doc_error_list *errors = doc_error_list_create();
    struct scn_recorder *recorder = scn_recorder_create();
    struct scn_file *file = NULL;
    struct scn_outcome outcome;
    size_t report_bytes = 0;

    assert_non_null(errors);
    assert_non_null(recorder);
    if (scn_file_load(path, errors, &file) != RT_OK) {
        doc_error_list_print(stderr, errors);
        fail_msg("%s is invalid", path);
    }
    struct scn_run_options options = {
        .mode = RT_LOOP_SIMULATED, .seed = 7, .is_proving = is_proving, .recorder = recorder};
    scn_run(&file->scenarios[0], &options, &outcome);
    FILE *out = open_memstream(out_report, &report_bytes);
    scn_report_print(out, &outcome, recorder, "dstest run --seed 7 FILE");
    (void)fclose(out);
    enum scn_verdict verdict = outcome.verdict;
    scn_outcome_fini(&outcome);
    scn_file_destroy(file);
    scn_recorder_destroy(recorder);
    doc_error_list_destroy(errors);
    return verdict;
}

static void a_scenario__is_run__its_verdict_and_its_report_say_why(void **state)
{
    struct dirent **entries = NULL;
    int count = scandir(FOLDER, &entries, expected_is_yaml, alphasort);
    int wrong = 0;

    (void)state;
    assert_true(count >= 8);
    for (int i = 0; i < count; i++) {
        char path[512];
        struct expected expected;
        char *report = NULL;
        (void)snprintf(path, sizeof(path), "%s/%s", FOLDER, entries[i]->d_name);
        expected_read(path, &expected);
        bool is_proving = strncmp(entries[i]->d_name, "prove_", 6) == 0;
        enum scn_verdict verdict = run_file(path, is_proving, &report);
        const char *missing = expected_missing(&expected, report);
        if (strcmp(scn_verdict_word(verdict), expected.verdict) != 0 || missing != NULL) {
            print_error("%s: verdict %s, expected %s; missing \"%s\" in:\n%s\n", entries[i]->d_name,
                        scn_verdict_word(verdict), expected.verdict, missing == NULL ? "" : missing,
                        report);
            wrong++;
        }
        free(report);
        free(entries[i]);
    }
    free(entries);
    assert_int_equal(wrong, 0);
}

static void
several_verdicts__are_joined__error_before_invalid_before_fail_before_inconclusive(void **state)
{
    static const enum scn_verdict rising[] = {SCN_SKIPPED, SCN_PASS,    SCN_INCONCLUSIVE,
                                              SCN_FAIL,    SCN_INVALID, SCN_HARNESS_ERROR};

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        for (size_t k = 0; k < 6; k++) {
            assert_int_equal(scn_verdict_worse(rising[i], rising[k]), rising[i > k ? i : k]);
        }
    }
    assert_int_equal(scn_verdict_exit_code(SCN_PASS), 0);
    assert_int_equal(scn_verdict_exit_code(SCN_FAIL), 1);
    assert_int_equal(scn_verdict_exit_code(SCN_INVALID), 2);
    assert_int_equal(scn_verdict_exit_code(SCN_INCONCLUSIVE), 3);
    assert_int_equal(scn_verdict_exit_code(SCN_HARNESS_ERROR), 4);
    assert_int_equal(scn_verdict_exit_code(SCN_SKIPPED), 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scenario__is_run__its_verdict_and_its_report_say_why),
        cmocka_unit_test(
            several_verdicts__are_joined__error_before_invalid_before_fail_before_inconclusive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
