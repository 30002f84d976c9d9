/* SPDX-License-Identifier: Apache-2.0 */
#include "document_fixture.h"

/* Upstream's configuration files mean what PyYAML's safe_load makes of them. */

struct row {
    const char *text;
    enum doc_type type;
    const char *canonical;
};

static void assert_rows(struct fixture *fx, const struct row *rows, size_t count)
{
    char text[64];
    size_t i;

    for (i = 0; i < count; i++) {
        const struct doc_node *root;

        (void)snprintf(text, sizeof(text), "- %s\n", rows[i].text);
        root = root_of(fx, DOC_MODE_YAML11, text);
        assert_string_equal(root->items[0]->canonical, rows[i].canonical);
        assert_int_equal(root->items[0]->type, rows[i].type);
    }
}

#define ASSERT_ROWS(fx, rows) assert_rows(fx, rows, sizeof(rows) / sizeof((rows)[0]))

static void integers__every_spelling__resolve_to_decimal(void **state)
{
    static const struct row rows[] = {
        {"007", DOC_TYPE_INTEGER, "7"},
        {"0x10", DOC_TYPE_INTEGER, "16"},
        {"0b101", DOC_TYPE_INTEGER, "5"},
        {"1_000", DOC_TYPE_INTEGER, "1000"},
        {"1:30", DOC_TYPE_INTEGER, "90"},
        {"190:20:30", DOC_TYPE_INTEGER, "685230"},
        {"-007", DOC_TYPE_INTEGER, "-7"},
        {"+5", DOC_TYPE_INTEGER, "5"},
        {"-0", DOC_TYPE_INTEGER, "0"},
        {"99999999999999999999", DOC_TYPE_INTEGER, "99999999999999999999"},
        {"0xffffffffffffffffffff", DOC_TYPE_INTEGER, "1208925819614629174706175"},
    };

    ASSERT_ROWS(*state, rows);
}

static void near_numbers__not_in_the_grammar__stay_text(void **state)
{
    static const struct row rows[] = {
        {"08", DOC_TYPE_TEXT, "08"},       {"1e3", DOC_TYPE_TEXT, "1e3"},
        {"1.0e3", DOC_TYPE_TEXT, "1.0e3"}, {"0o17", DOC_TYPE_TEXT, "0o17"},
        {"1:60", DOC_TYPE_TEXT, "1:60"},   {"-.5", DOC_TYPE_TEXT, "-.5"},
        {"'7'", DOC_TYPE_TEXT, "7"},       {"0x_", DOC_TYPE_TEXT, "0x_"},
    };

    ASSERT_ROWS(*state, rows);
}

static void floats__every_spelling__print_like_python(void **state)
{
    static const struct row rows[] = {
        {"1.0", DOC_TYPE_FLOAT, "1.0"},
        {"5.", DOC_TYPE_FLOAT, "5.0"},
        {".5", DOC_TYPE_FLOAT, "0.5"},
        {"0.1", DOC_TYPE_FLOAT, "0.1"},
        {"1.0e+3", DOC_TYPE_FLOAT, "1000.0"},
        {"1.0e+16", DOC_TYPE_FLOAT, "1e+16"},
        {"0.00001", DOC_TYPE_FLOAT, "1e-05"},
        {"1234567890123456.0", DOC_TYPE_FLOAT, "1234567890123456.0"},
        {"0.30000000000000004", DOC_TYPE_FLOAT, "0.30000000000000004"},
        {"1:30.5", DOC_TYPE_FLOAT, "90.5"},
        {"-.INF", DOC_TYPE_FLOAT, "-inf"},
        {".nan", DOC_TYPE_FLOAT, "nan"},
        {"-0.0", DOC_TYPE_FLOAT, "-0.0"},
    };

    ASSERT_ROWS(*state, rows);
}

static void words__of_yaml_1_1__are_booleans_and_null(void **state)
{
    static const struct row rows[] = {
        {"yes", DOC_TYPE_BOOL, "True"},  {"NO", DOC_TYPE_BOOL, "False"},
        {"On", DOC_TYPE_BOOL, "True"},   {"off", DOC_TYPE_BOOL, "False"},
        {"TRUE", DOC_TYPE_BOOL, "True"}, {"tRUE", DOC_TYPE_TEXT, "tRUE"},
        {"y", DOC_TYPE_TEXT, "y"},       {"~", DOC_TYPE_NULL, "None"},
        {"Null", DOC_TYPE_NULL, "None"}, {"", DOC_TYPE_NULL, "None"},
        {"\"\"", DOC_TYPE_TEXT, ""},     {"2001-12-14", DOC_TYPE_TIMESTAMP, "2001-12-14"},
    };

    ASSERT_ROWS(*state, rows);
}

static void values__numbers__are_there_as_numbers(void **state)
{
    const struct doc_node *root =
        root_of(*state, DOC_MODE_YAML11, "[-0x10, 2.5, yes, 99999999999999999999]");

    assert_int_equal(root->items[0]->integer, -16);
    assert_float_equal(root->items[1]->number, 2.5, 0);
    assert_true(root->items[2]->boolean);
    assert_true(root->items[3]->is_big);
    assert_true(root->items[3]->integer == INT64_MAX);
}

static void tags__that_safe_load_knows__decide_the_type(void **state)
{
    static const struct row rows[] = {
        {"!!str 007", DOC_TYPE_TEXT, "007"},
        {"!!int \"007\"", DOC_TYPE_INTEGER, "7"},
        {"!!float 3", DOC_TYPE_FLOAT, "3.0"},
        {"! 5", DOC_TYPE_TEXT, "5"},
    };

    ASSERT_ROWS(*state, rows);
}

static void tags__unknown_or_contradicted__are_errors(void **state)
{
    assert_refused(*state, DOC_MODE_YAML11, "a: !python/name:os.system x\n", 1, 4,
                   "this tag is not known");
    assert_refused(*state, DOC_MODE_YAML11, "a: !!int x\n", 1, 4,
                   "the value is not what this tag says");
}

/* ---- duplicates ------------------------------------------------------------------------- */

static void duplicate_key__last_wins__with_a_warning_of_both_positions(void **state)
{
    struct fixture *fx = *state;
    const struct doc_node *root = root_of(fx, DOC_MODE_YAML11, "a: 1\nb: 2\na: 3\n");
    const struct doc_error *warning = doc_error_at(doc_warnings(fx->doc), 0);

    assert_int_equal(root->count, 2);
    assert_true(doc_is_text(root->pairs[0].value, "3"));
    assert_int_equal(doc_error_count(doc_warnings(fx->doc)), 1);
    assert_int_equal(warning->line, 3);
    assert_string_equal(warning->message,
                        "the key \"a\" stands here again and replaces the value at 1:1");
}

static void duplicate_key__equal_numbers__are_one_key_as_in_python(void **state)
{
    struct fixture *fx = *state;
    const struct doc_node *root =
        root_of(fx, DOC_MODE_YAML11, "1: a\n0x1: b\n1.0: c\nyes: d\n\"1\": e\n");

    assert_int_equal(root->count, 2);
    assert_true(doc_is_text(root->pairs[0].value, "d"));
    assert_int_equal(doc_error_count(doc_warnings(fx->doc)), 3);
}

static void duplicate_key__ten_thousand_keys__is_found(void **state)
{
    struct fixture *fx = *state;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    int i;

    for (i = 0; i < 10000; i++) {
        fprintf(out, "key-%d: %d\n", i, i);
    }
    fputs("key-77: again\n", out);
    fclose(out);
    assert_int_equal(load(fx, DOC_MODE_YAML11, text), RT_OK);
    assert_int_equal(doc_root(fx->doc)->count, 10000);
    assert_int_equal(doc_error_at(doc_warnings(fx->doc), 0)->line, 10001);
    free(text);
}

/* ---- aliases and merge keys ------------------------------------------------------------- */

static void alias__of_a_mapping__is_the_same_value(void **state)
{
    const struct doc_node *root =
        root_of(*state, DOC_MODE_YAML11, "a: &x {k: v}\nb: *x\nc: &x w\nd: *x\n");

    assert_true(doc_is_equal(doc_find(root, "a"), doc_find(root, "b")));
    assert_true(doc_is_text(doc_find(root, "d"), "w"));
}

static void alias__without_anchor_or_inside_it__is_an_error(void **state)
{
    assert_refused(*state, DOC_MODE_YAML11, "a: *x\n", 1, 4,
                   "no anchor of this name stands before this alias");
    assert_refused(*state, DOC_MODE_YAML11, "a: &x [*x]\n", 1, 8,
                   "this alias is inside the value that it stands for");
}

static void alias__billion_laughs__is_stopped_by_the_node_limit(void **state)
{
    struct fixture *fx = *state;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    int i;
    int j;

    fputs("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n", out);
    for (i = 1; i < 30; i++) {
        fprintf(out, "a%d: &a%d [", i, i);
        for (j = 0; j < 10; j++) {
            fprintf(out, "*a%d%s", i - 1, j < 9 ? ", " : "]\n");
        }
    }
    fclose(out);
    assert_int_equal(load(fx, DOC_MODE_YAML11, text), RT_E_LIMIT);
    assert_string_equal(doc_error_at(fx->errors, 0)->message,
                        "the document has more nodes than the limit of 1000000");
    free(text);
}

static void alias__deep_value_in_a_deep_place__meets_the_depth_limit(void **state)
{
    struct fixture *fx = *state;
    const struct doc_limits limits = {
        .size_bytes = 1000, .depth_count = 5, .node_count = 100, .alias_count = 10};

    assert_int_equal(doc_load_text("f", rt_slice_text("- &a [[[x]]]\n- [*a]\n"), DOC_MODE_YAML11,
                                   &limits, fx->errors, &fx->doc),
                     RT_OK);
    doc_destroy(fx->doc);
    fx->doc = NULL;
    assert_int_equal(doc_load_text("f", rt_slice_text("- &a [[[x]]]\n- [[*a]]\n"), DOC_MODE_YAML11,
                                   &limits, fx->errors, &fx->doc),
                     RT_E_LIMIT);
}

static void merge_key__own_keys_win__without_a_warning(void **state)
{
    struct fixture *fx = *state;
    const struct doc_node *root =
        root_of(fx, DOC_MODE_YAML11, "a: &x {k: 1, j: 2}\nb:\n  k: 3\n  <<: *x\n");
    const struct doc_node *b = doc_find(root, "b");

    assert_int_equal(b->count, 2);
    assert_true(doc_is_text(doc_find(b, "k"), "3"));
    assert_true(doc_is_text(doc_find(b, "j"), "2"));
    assert_int_equal(doc_error_count(doc_warnings(fx->doc)), 0);
}

static void merge_key__list__its_first_mapping_wins(void **state)
{
    const struct doc_node *root =
        root_of(*state, DOC_MODE_YAML11, "<<: [{k: first}, {k: second, l: x}]\n");

    assert_true(doc_is_text(doc_find(root, "k"), "first"));
    assert_true(doc_is_text(doc_find(root, "l"), "x"));
}

static void merge_key__of_no_mapping__is_an_error(void **state)
{
    assert_refused(*state, DOC_MODE_YAML11, "<<: x\n", 1, 5,
                   "a merge key takes a mapping or a list of mappings");
    assert_refused(*state, DOC_MODE_YAML11, "<<: [x]\n", 1, 5,
                   "a merge key takes a mapping or a list of mappings");
}

static void merge_key__quoted__is_a_key_like_any_other(void **state)
{
    const struct doc_node *root = root_of(*state, DOC_MODE_YAML11, "'<<': x\n");

    assert_true(doc_is_text(doc_find(root, "<<"), "x"));
}

static void empty_file__has_no_root__and_is_no_error(void **state)
{
    assert_null(root_of(*state, DOC_MODE_YAML11, ""));
    assert_null(root_of(*state, DOC_MODE_YAML11, "# nothing\n"));
    assert_true(doc_is_null(root_of(*state, DOC_MODE_YAML11, "null\n")));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE(integers__every_spelling__resolve_to_decimal),
        CASE(near_numbers__not_in_the_grammar__stay_text),
        CASE(floats__every_spelling__print_like_python),
        CASE(words__of_yaml_1_1__are_booleans_and_null),
        CASE(values__numbers__are_there_as_numbers),
        CASE(tags__that_safe_load_knows__decide_the_type),
        CASE(tags__unknown_or_contradicted__are_errors),
        CASE(duplicate_key__last_wins__with_a_warning_of_both_positions),
        CASE(duplicate_key__equal_numbers__are_one_key_as_in_python),
        CASE(duplicate_key__ten_thousand_keys__is_found),
        CASE(alias__of_a_mapping__is_the_same_value),
        CASE(alias__without_anchor_or_inside_it__is_an_error),
        CASE(alias__billion_laughs__is_stopped_by_the_node_limit),
        CASE(alias__deep_value_in_a_deep_place__meets_the_depth_limit),
        CASE(merge_key__own_keys_win__without_a_warning),
        CASE(merge_key__list__its_first_mapping_wins),
        CASE(merge_key__of_no_mapping__is_an_error),
        CASE(merge_key__quoted__is_a_key_like_any_other),
        CASE(empty_file__has_no_root__and_is_no_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
