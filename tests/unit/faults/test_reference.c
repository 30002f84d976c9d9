/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "faults/fault.h"

/* The page docs/reference-faults.md is what the tables print. With --print this program prints it:
 *   build/tests/unit.faults.reference --print >docs/reference-faults.md */

static char *print_page(void)
{
    char *page = NULL;
    size_t len_bytes;
    FILE *out = open_memstream(&page, &len_bytes);

    assert_non_null(out);
    fault_print_reference(out);
    assert_int_equal(fclose(out), 0);
    return page;
}

static void page__in_the_tree__is_what_the_tables_print(void **state)
{
    char *expected = print_page();
    char *found = calloc(1, strlen(expected) + 2);
    FILE *file = fopen(PROJECT_DIR "/docs/reference-faults.md", "r");

    (void)state;
    assert_non_null(found);
    assert_non_null(file);
    (void)!fread(found, 1, strlen(expected) + 1, file);
    fclose(file);
    if (strcmp(found, expected) != 0) {
        fail_msg("docs/reference-faults.md is old; unit.faults.reference --print prints it anew");
    }
    free(found);
    free(expected);
}

static void page__all_words__are_on_it(void **state)
{
    char *page = print_page();
    char word[64];

    (void)state;
    for (int point = 0; point < FAULT_POINT_COUNT; point++) {
        snprintf(word, sizeof(word), "`%s", fault_point_word((enum fault_point)point));
        assert_non_null(strstr(page, word));
    }
    for (int kind = 0; kind < FAULT_ACTION_COUNT; kind++) {
        snprintf(word, sizeof(word), "`%s", fault_action_word((enum fault_action_kind)kind));
        assert_non_null(strstr(page, word));
    }
    free(page);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(page__in_the_tree__is_what_the_tables_print),
        cmocka_unit_test(page__all_words__are_on_it),
    };

    if (argc > 1 && strcmp(argv[1], "--print") == 0) {
        fault_print_reference(stdout);
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
