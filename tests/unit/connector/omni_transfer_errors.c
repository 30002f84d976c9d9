/* SPDX-License-Identifier: Apache-2.0 */
/* What is refused, where it is said to be wrong, and what may stand there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "omni_transfer_support.h"

/* A stage whose edge from 0 has this reference, the table with this entry. */
static const char *with(char text[1024], const char *entry, const char *reference)
{
    snprintf(text, 1024,
             "runtime:\n  connectors:\n    a: %s\n"
             "stage_args:\n- stage_id: 1\n  input_connectors:\n    from_stage_0: %s\n",
             entry, reference);
    return text;
}

static void reference__unknown__lists_those_that_are_there_and_the_nearest(void **state)
{
    struct transfer_fixture *fx = *state;

    transfer_load_bad(fx,
                      "runtime: {connectors: {yuanrong: {name: A}, shm: {name: B}}}\n"
                      "stage_args: [{stage_id: 1, input_connectors: {from_stage_0: yuanrogn}}]\n",
                      2, 61, "Undefined connector reference: yuanrogn");
    assert_non_null(strstr(fx->errors, "did you mean \"yuanrong\"?"));
    assert_non_null(strstr(fx->errors, "allowed here: yuanrong, shm"));
}

static void reference__without_a_table__says_that_there_is_none(void **state)
{
    struct transfer_fixture *fx = *state;
    static const char *const tables[][2] = {
        {"runtime: {}", "the file has no `connectors`"},
        {"runtime: {connectors: null}", "`connectors` at 1:23 is null"},
        {"runtime: {connectors: [a]}", "`connectors` at 1:23 is a list"},
        {"runtime: {connectors: {}}", "`connectors` at 1:23 names none"},
        {"runtime: {connectors: {1: {name: A}}}", "`connectors` at 1:23 names none"},
    };
    char text[256];

    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        snprintf(text, sizeof(text),
                 "%s\nstage_args: [{stage_id: 1, input_connectors: {from_stage_0: '1'}}]\n",
                 tables[i][0]);
        transfer_load_bad(fx, text, 2, 61, "Undefined connector reference: 1");
        assert_non_null(strstr(fx->errors, tables[i][1]));
    }
}

static void reference__neither_name_nor_mapping__is_refused(void **state)
{
    struct transfer_fixture *fx = *state;
    static const char *const references[] = {"5", "null", "yes", "[a]", "1.5", "2001-01-01"};
    char text[1024];

    for (size_t i = 0; i < sizeof(references) / sizeof(references[0]); i++) {
        transfer_load_bad(fx, with(text, "{name: A}", references[i]), 7, 19,
                          "a connector is a name or a mapping, not ");
    }
}

static void entry__not_a_mapping__is_refused_where_it_stands_and_where_it_is_used(void **state)
{
    struct transfer_fixture *fx = *state;
    static const char *const entries[] = {"5", "null", "text", "[name]"};
    char text[1024];

    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
        transfer_load_bad(fx, with(text, entries[i], "a"), 3, 8,
                          "the connector \"a\" is a mapping, not ");
        assert_non_null(strstr(fx->errors, "it is used at 7:19"));
    }
}

static void entry__broken_but_unused__is_not_looked_at(void **state)
{
    struct transfer_fixture *fx = *state;
    char text[1024];

    transfer_load_good(fx, with(text, "{extra: 5}\n    b: {name: B}", "b"));
    assert_string_equal(transfer_edges(fx), "0->1 B");
}

static void name__missing_or_no_text__is_refused(void **state)
{
    struct transfer_fixture *fx = *state;
    char text[1024];

    transfer_load_bad(fx, with(text, "{extra: {}}", "a"), 3, 8, "this connector has no `name`");
    assert_non_null(strstr(fx->errors, "it is used at 7:19"));
    transfer_load_bad(fx, with(text, "{}", "{extra: {}}"), 7, 19, "this connector has no `name`");
    transfer_load_bad(fx, with(text, "{name: 5}", "a"), 3, 15,
                      "the name of a connector is text, not a number");
    transfer_load_bad(fx, with(text, "{name: [A]}", "a"), 3, 15,
                      "the name of a connector is text, not a list");
    transfer_load_bad(fx, with(text, "{name: \"A\\0\"}", "a"), 3, 15, "text with a NUL in it");
}

static void extra__not_a_mapping__is_refused_unless_it_is_empty(void **state)
{
    struct transfer_fixture *fx = *state;
    static const char *const refused[] = {"5", "null", "text", "true", "[1]", "[[k, v]]"};
    static const char *const empty[] = {"{}", "[]", "''"};
    char entry[64];
    char text[1024];

    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        snprintf(entry, sizeof(entry), "{name: A, extra: %s}", refused[i]);
        transfer_load_bad(fx, with(text, entry, "a"), 3, 25, "`extra` is a mapping, not ");
    }
    for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
        snprintf(entry, sizeof(entry), "{name: A, extra: %s}", empty[i]);
        transfer_load_good(fx, with(text, entry, "a"));
        assert_int_equal(omni_transfer_config_spec(fx->config, "0", "1")->extra->map.count, 0);
    }
}

static void stages__neither_a_list_nor_empty__are_refused(void **state)
{
    struct transfer_fixture *fx = *state;

    transfer_load_bad(fx, "stage_args: null", 1, 13, "the stages are a list, not null");
    transfer_load_bad(fx, "stage_args: {a: 1}", 1, 13, "the stages are a list, not a mapping");
    transfer_load_bad(fx, "stages: text", 1, 9, "the stages are a list, not text");
    transfer_load_good(fx, "stages: {}");
    transfer_load_good(fx, "stages: ''");
}

static void stage__without_an_id_or_with_an_odd_one__is_refused(void **state)
{
    struct transfer_fixture *fx = *state;

    transfer_load_bad(fx, "stage_args:\n- id: 1\n", 2, 3, "this stage has no stage_id");
    transfer_load_bad(fx, "stage_args: [5]\n", 1, 14, "a stage is a mapping, not a number");
    transfer_load_bad(fx, "stage_args: [{stage_id: [1]}]\n", 1, 25,
                      "a stage_id is a number or text, not a list");
    transfer_load_bad(fx, "stage_args: [{stage_id: \"a\\0\"}]\n", 1, 25, "a NUL in it");
}

static void connectors_of_a_stage__no_mapping__are_refused(void **state)
{
    struct transfer_fixture *fx = *state;

    transfer_load_bad(fx, "stage_args: [{stage_id: 1, input_connectors: null}]", 1, 46,
                      "`input_connectors` is a mapping, not null");
    transfer_load_bad(fx, "stage_args: [{stage_id: 1, output_connectors: []}]", 1, 47,
                      "`output_connectors` is a mapping, not a list");
    assert_non_null(strstr(fx->errors, "to_stage_1: NAME"));
}

static void key_of_a_stage__an_integer__is_refused(void **state)
{
    struct transfer_fixture *fx = *state;

    transfer_load_bad(fx, "stage_args: [{stage_id: 1, input_connectors: {0: {name: A}}}]", 1, 47,
                      "a key of `input_connectors` is text, not a number");
    assert_non_null(strstr(fx->errors, "write from_stage_0"));
}

static void problems__several__are_all_told(void **state)
{
    struct transfer_fixture *fx = *state;

    transfer_load_bad(fx,
                      "stage_args:\n- {stage_id: 1, input_connectors: {0: x}}\n- {id: 2}\n"
                      "- {stage_id: 3, output_connectors: {to_stage_4: y}}\n",
                      2, 39, "Undefined connector reference: x");
    assert_non_null(strstr(fx->errors, "file.yaml:2:36: a key of"));
    assert_non_null(strstr(fx->errors, "file.yaml:3:3: this stage has no stage_id"));
    assert_non_null(strstr(fx->errors, "file.yaml:4:49: Undefined connector reference: y"));
    assert_int_equal(fx->error_count, 4);
}

static void problems__more_than_anybody_reads__are_counted(void **state)
{
    struct transfer_fixture *fx = *state;
    char text[4096] = "stage_args:\n";

    for (int i = 0; i < 50; i++) {
        strcat(text, "- {id: 1}\n");
    }
    assert_int_equal(transfer_load(fx, text), RT_E_INVALID);
    assert_int_equal(fx->error_count, 21);
    assert_non_null(strstr(fx->errors, "and 30 more"));
}

/* ---- hostile ---- */

/* Every edge refers to the same large options, and every name is looked for in a long table: were
 * either walked for each edge, this would take minutes. */
static void hostile__many_edges_over_large_tables__cost_no_more_than_the_file(void **state)
{
    struct transfer_fixture *fx = *state;
    size_t text_bytes = 0;
    char *text = NULL;
    FILE *out = open_memstream(&text, &text_bytes);
    const int count = 20000;

    assert_non_null(out);
    fprintf(out, "runtime:\n  connectors:\n");
    for (int i = 0; i < count; i++) {
        fprintf(out, "    n%d: {name: A}\n", i);
    }
    fprintf(out, "    big:\n      name: A\n      extra: {");
    for (int i = 0; i < count; i++) {
        fprintf(out, "k%d: 1,", i);
    }
    fprintf(out, "}\nstage_args:\n- stage_id: 1\n  input_connectors:\n");
    for (int i = 0; i < count; i++) {
        fprintf(out, "    from_stage_%d: big\n    from_stage_x%d: n%d\n", i, i, i);
    }
    assert_int_equal(fclose(out), 0);
    transfer_load_good(fx, text);
    assert_int_equal(omni_transfer_config_edge_count(fx->config), 2 * count);
    assert_ptr_equal(omni_transfer_config_spec(fx->config, "0", "1")->extra,
                     omni_transfer_config_spec(fx->config, "19999", "1")->extra);
    free(text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, transfer_set_up, transfer_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(reference__unknown__lists_those_that_are_there_and_the_nearest),
        TEST(reference__without_a_table__says_that_there_is_none),
        TEST(reference__neither_name_nor_mapping__is_refused),
        TEST(entry__not_a_mapping__is_refused_where_it_stands_and_where_it_is_used),
        TEST(entry__broken_but_unused__is_not_looked_at),
        TEST(name__missing_or_no_text__is_refused),
        TEST(extra__not_a_mapping__is_refused_unless_it_is_empty),
        TEST(stages__neither_a_list_nor_empty__are_refused),
        TEST(stage__without_an_id_or_with_an_odd_one__is_refused),
        TEST(connectors_of_a_stage__no_mapping__are_refused),
        TEST(key_of_a_stage__an_integer__is_refused),
        TEST(problems__several__are_all_told),
        TEST(problems__more_than_anybody_reads__are_counted),
        TEST(hostile__many_edges_over_large_tables__cost_no_more_than_the_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
