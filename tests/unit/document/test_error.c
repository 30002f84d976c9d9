/* SPDX-License-Identifier: Apache-2.0 */
#include "document_fixture.h"

static void assert_format(const struct doc_error *error, const char *expected)
{
    char *text = doc_error_format(error);

    assert_string_equal(text, expected);
    free(text);
}

static void format__with_all_parts__prints_them_in_order(void **state)
{
    static const char *const words[] = {"workers", "connectors"};
    struct fixture *fx = *state;
    const struct doc_node *root = root_of(fx, DOC_MODE_STRICT, "world:\n  wrokers: 1\n");
    const struct doc_node *key = doc_find(root, "world")->pairs[0].key;
    struct doc_error *error = doc_error_add(fx->errors, key, "unknown key");

    doc_error_allow(fx->errors, error, doc_text(key), words, 2);
    doc_error_help(fx->errors, error, "see page %d", 3);
    assert_format(error, "file.yaml:2:3: unknown key\n"
                         "  wrokers: 1\n"
                         "  ^^^^^^^\n"
                         "help: did you mean \"workers\"?\n"
                         "help: allowed here: workers, connectors\n"
                         "help: see page 3\n");
}

static void format__problem_of_the_file__has_no_position(void **state)
{
    struct fixture *fx = *state;

    assert_format(doc_error_add_file(fx->errors, "a.yaml", "cannot open"), "a.yaml: cannot open\n");
}

static void format__tab_and_wide_text_before__caret_stays_below_its_word(void **state)
{
    struct fixture *fx = *state;
    const struct doc_node *root =
        root_of(fx, DOC_MODE_STRICT, "{ \xc3\xa9:\t\xc3\xa9\xc3\xa9, bad: x }\n");

    assert_format(doc_error_add(fx->errors, root->pairs[1].key, "no"),
                  "file.yaml:1:10: no\n"
                  "{ \xc3\xa9: \xc3\xa9\xc3\xa9, bad: x }\n"
                  "         ^^^\n");
}

static void format__very_long_line__is_cut_around_the_caret(void **state)
{
    struct fixture *fx = *state;
    char text[1200];
    struct doc_error *error;
    const struct doc_node *root;

    memset(text, 'x', sizeof(text));
    memcpy(text, "{ a: ", 5);
    memcpy(text + 600, ", bad: ", 7);
    memcpy(text + sizeof(text) - 3, "}\n", 3);
    root = root_of(fx, DOC_MODE_STRICT, text);
    error = doc_error_add(fx->errors, root->pairs[1].key, "no");
    assert_int_equal(error->column, 603);
    assert_true(strlen(error->source_line) < 200);
    /* Both cut marks are one character of three bytes. */
    assert_memory_equal(error->source_line + 2 + error->caret_column - 1, "bad", 3);
}

static void format__text_of_several_lines__underlines_the_first(void **state)
{
    struct fixture *fx = *state;
    const struct doc_node *root = root_of(fx, DOC_MODE_STRICT, "a: one\n  two\n");

    assert_format(doc_error_add(fx->errors, doc_find(root, "a"), "no"), "file.yaml:1:4: no\n"
                                                                        "a: one\n"
                                                                        "   ^^^\n");
}

static void inside__part_of_a_scalar__is_underlined_alone(void **state)
{
    struct fixture *fx = *state;
    const struct doc_node *root =
        root_of(fx, DOC_MODE_STRICT, "do: 1*drop-replay\nb: \"2*x\"\nc: \"\\x41bc\"\n");

    assert_format(doc_error_add_inside(fx->errors, doc_find(root, "do"), 2, 11, "no"),
                  "file.yaml:1:7: no\n"
                  "do: 1*drop-replay\n"
                  "      ^^^^^^^^^^^\n");
    assert_format(doc_error_add_inside(fx->errors, doc_find(root, "b"), 2, 1, "no"),
                  "file.yaml:2:7: no\n"
                  "b: \"2*x\"\n"
                  "      ^\n");
    /* An escape: text and source do not agree, so the whole is underlined. */
    assert_format(doc_error_add_inside(fx->errors, doc_find(root, "c"), 1, 1, "no"),
                  "file.yaml:3:4: no\n"
                  "c: \"\\x41bc\"\n"
                  "   ^^^^^^^^\n");
}

static void list__more_than_the_cap__counts_the_rest(void **state)
{
    struct fixture *fx = *state;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    int i;

    for (i = 0; i < 25; i++) {
        struct doc_error *error = doc_error_add_file(fx->errors, "f", "number %d", i);
        assert_true((error != NULL) == (i < DOC_ERROR_CAP));
        doc_error_help(fx->errors, error, "never a crash");
    }
    assert_int_equal(doc_error_count(fx->errors), DOC_ERROR_CAP);
    assert_int_equal(doc_error_total_count(fx->errors), 25);
    doc_error_list_print(out, fx->errors);
    fclose(out);
    assert_non_null(strstr(text, "\nand 5 more\n"));
    free(text);
}

static void error__after_its_document__is_still_complete(void **state)
{
    struct fixture *fx = *state;
    const struct doc_node *root = root_of(fx, DOC_MODE_STRICT, "a: b\n");
    const struct doc_error *error = doc_error_add(fx->errors, doc_find(root, "a"), "no");

    doc_destroy(fx->doc);
    fx->doc = NULL;
    assert_format(error, "file.yaml:1:4: no\na: b\n   ^\n");
}

/* ---- nearest word ----------------------------------------------------------------------- */

static const char *nearest(const char *text)
{
    static const char *const words[] = {"put", "get", "cleanup", "health", "drop-reply", "delay"};

    return doc_nearest_word(rt_slice_text(text), words, sizeof(words) / sizeof(words[0]));
}

static void nearest_word__one_slip__is_found(void **state)
{
    (void)state;
    assert_string_equal(nearest("pit"), "put");
    assert_string_equal(nearest("clenup"), "cleanup");
    assert_string_equal(nearest("Cleanup"), "cleanup");
    assert_string_equal(nearest("drop_reply"), "drop-reply");
    assert_string_equal(nearest("dealy"), "delay");
    assert_string_equal(nearest("drop-replies"), "drop-reply");
}

static void nearest_word__something_else__is_not_guessed(void **state)
{
    (void)state;
    assert_null(nearest("frobnicate"));
    assert_null(nearest("x"));
    assert_null(nearest(""));
    assert_null(doc_nearest_word(rt_slice_text("a"), NULL, 0));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE(format__with_all_parts__prints_them_in_order),
        CASE(format__problem_of_the_file__has_no_position),
        CASE(format__tab_and_wide_text_before__caret_stays_below_its_word),
        CASE(format__very_long_line__is_cut_around_the_caret),
        CASE(format__text_of_several_lines__underlines_the_first),
        CASE(inside__part_of_a_scalar__is_underlined_alone),
        CASE(list__more_than_the_cap__counts_the_rest),
        CASE(error__after_its_document__is_still_complete),
        CASE(nearest_word__one_slip__is_found),
        CASE(nearest_word__something_else__is_not_guessed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
