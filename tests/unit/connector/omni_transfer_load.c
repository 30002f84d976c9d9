/* SPDX-License-Identifier: Apache-2.0 */
/* What is loaded, and from what: docs/reference/transfer-configuration.md. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "omni_transfer_support.h"

#define CONNECTORS                                                                                 \
    "  connectors:\n"                                                                              \
    "    yr: {name: YuanrongConnector, extra: {host: h, port: 35001}}\n"                           \
    "    shm: {name: SharedMemoryConnector}\n"

/* ---- files ---- */

struct heard {
    char text[2048];
    int count;
};

static void on_problem(void *arg, const struct omni_transfer_problem *problem)
{
    struct heard *heard = arg;

    heard->count++;
    snprintf(heard->text, sizeof(heard->text), "%s", problem->text);
}

static enum rt_status load_path(const char *path, struct heard *heard,
                                struct omni_transfer_config **out_config)
{
    memset(heard, 0, sizeof(*heard));
    *out_config = NULL;
    return omni_transfer_config_load_file(path, on_problem, heard, out_config);
}

static enum rt_status load_data(const char *name, struct heard *heard,
                                struct omni_transfer_config **out_config)
{
    char path[512];

    snprintf(path, sizeof(path), "%s/transfer/%s", TEST_DATA_DIR, name);
    return load_path(path, heard, out_config);
}

static void file__each_suffix_in_any_case__is_read_as_what_it_says(void **state)
{
    static const char *const names[] = {"both_ends.yaml", "newer.yml", "upper.YAML", "plain.json"};
    struct omni_transfer_config *config;
    struct heard heard;

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_equal(load_data(names[i], &heard, &config), RT_OK);
        assert_int_equal(heard.count, 0);
        assert_int_equal(omni_transfer_config_edge_count(config), 1);
        assert_string_equal(omni_transfer_config_spec(config, "0", "1")->name, "YuanrongConnector");
        assert_non_null(strstr(omni_transfer_config_path(config), names[i]));
        omni_transfer_config_destroy(config);
    }
}

static void file__missing__is_noticed_before_its_suffix(void **state)
{
    struct omni_transfer_config *config;
    struct heard heard;

    (void)state;
    assert_int_equal(load_data("nowhere.txt", &heard, &config), RT_E_NOT_FOUND);
    assert_non_null(strstr(heard.text, "nowhere.txt: cannot open this file: No such file"));
    assert_int_equal(load_data("nowhere.yaml", &heard, &config), RT_E_NOT_FOUND);
    assert_non_null(strstr(heard.text, "nowhere.yaml: cannot open this file: No such file"));
    assert_null(config);
}

static void file__another_suffix__is_an_error_that_names_the_right_ones(void **state)
{
    static const char *const names[] = {"other.txt", "none", ".yaml"};
    struct omni_transfer_config *config;
    struct heard heard;

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_equal(load_data(names[i], &heard, &config), RT_E_INVALID);
        assert_non_null(strstr(heard.text, names[i]));
        assert_non_null(strstr(heard.text, ".yaml, .yml or .json"));
    }
}

static void file__a_directory__cannot_be_read(void **state)
{
    struct omni_transfer_config *config;
    struct heard heard;

    (void)state;
    assert_int_equal(load_data("folder.yaml", &heard, &config), RT_E_IO);
    assert_int_equal(heard.count, 1);
}

/* ---- the top level ---- */

static void text__nothing_in_it__is_no_configuration_and_no_error(void **state)
{
    struct transfer_fixture *fx = *state;

    assert_int_equal(transfer_load(fx, ""), RT_OK);
    assert_null(fx->config);
    assert_int_equal(transfer_load(fx, "# nothing\n"), RT_OK);
    assert_null(fx->config);
    assert_int_equal(transfer_load(fx, "null\n"), RT_OK);
    assert_null(fx->config);
    assert_int_equal(transfer_load_json(fx, "null"), RT_OK);
    assert_null(fx->config);
}

static void text__an_empty_mapping__is_a_configuration_without_edges(void **state)
{
    struct transfer_fixture *fx = *state;

    transfer_load_good(fx, "{}");
    assert_int_equal(omni_transfer_config_edge_count(fx->config), 0);
    assert_int_equal(omni_transfer_config_stage_count(fx->config), 0);
    assert_null(omni_transfer_config_spec(fx->config, "0", "1"));
    assert_null(omni_transfer_config_edge_at(fx->config, 0));
    assert_null(omni_transfer_config_stage_at(fx->config, 0));
}

static void text__another_top_level__is_an_error(void **state)
{
    struct transfer_fixture *fx = *state;

    transfer_load_bad(fx, "[]", 1, 1, "a transfer configuration is a mapping, not a list");
    transfer_load_bad(fx, "\n  text", 2, 3, "not text");
    transfer_load_bad(fx, "5", 1, 1, "not a number");
}

static void text__not_yaml__names_the_place(void **state)
{
    struct transfer_fixture *fx = *state;

    assert_int_equal(transfer_load(fx, "a: 1\nb: [1\n"), RT_E_MALFORMED);
    assert_true(fx->line >= 2 && fx->column >= 1);
    assert_int_equal(transfer_load_json(fx, "{\"a\": 1,\n}"), RT_E_MALFORMED);
    assert_true(fx->line >= 1 && fx->column > 1);
}

/* ---- two spellings ---- */

static void spelling__older__reads_runtime_and_stage_args(void **state)
{
    struct transfer_fixture *fx = *state;

    transfer_load_good(fx, "runtime:\n" CONNECTORS
                           "stage_args:\n- {stage_id: 1, input_connectors: {from_stage_0: yr}}\n");
    assert_string_equal(transfer_edges(fx), "0->1 YuanrongConnector");
    assert_string_equal(
        transfer_described(fx, omni_transfer_config_spec(fx->config, "0", "1")->extra),
        "{\"host\": \"h\", \"port\": 35001}");
}

static void spelling__newer__moves_top_level_parts_under_runtime(void **state)
{
    struct transfer_fixture *fx = *state;

    transfer_load_good(fx, "connectors: {yr: {name: A}}\nedges: [{from: 1, to: 2}]\n"
                           "stages: [{stage_id: 1, input_connectors: {from_stage_0: yr}}]\n");
    assert_string_equal(transfer_edges(fx), "0->1 A; 1->2 SharedMemoryConnector*");
}

static void spelling__newer_with_parts_under_runtime__those_stay(void **state)
{
    struct transfer_fixture *fx = *state;

    transfer_load_good(fx, "connectors: {yr: {name: Outer}}\nedges: [{from: 8, to: 9}]\n"
                           "runtime: {connectors: {yr: {name: Inner}}, edges: []}\n"
                           "stages: [{stage_id: 1, input_connectors: {from_stage_0: yr}}]\n");
    assert_string_equal(transfer_edges(fx), "0->1 Inner");
}

static void spelling__newer_with_null_under_runtime__presence_decides_not_value(void **state)
{
    struct transfer_fixture *fx = *state;

    transfer_load_bad(fx,
                      "connectors: {yr: {name: A}}\nruntime: {connectors: null}\n"
                      "stages: [{stage_id: 1, input_connectors: {from_stage_0: yr}}]\n",
                      3, 57, "Undefined connector reference: yr");
}

static void spelling__newer_with_an_empty_runtime__is_taken(void **state)
{
    struct transfer_fixture *fx = *state;
    static const char *const empties[] = {"null", "{}", "[]", "''", "false", "0", "0.0"};
    char text[256];

    for (size_t i = 0; i < sizeof(empties) / sizeof(empties[0]); i++) {
        snprintf(text, sizeof(text),
                 "connectors: {a: {name: A}}\nruntime: %s\n"
                 "stages: [{stage_id: 1, input_connectors: {from_stage_0: a}}]\n",
                 empties[i]);
        transfer_load_good(fx, text);
        assert_string_equal(transfer_edges(fx), "0->1 A");
    }
    transfer_load_bad(fx, "runtime: 5\nstages: []\n", 1, 10, "`runtime` is a mapping");
    transfer_load_bad(fx, "runtime: .nan\nstages: []\n", 1, 10, "`runtime` is a mapping");
}

static void spelling__both_stages_and_stage_args__nothing_moves(void **state)
{
    struct transfer_fixture *fx = *state;

    transfer_load_good(fx, "connectors: {yr: {name: A}}\nstages: [{stage_id: 7}]\n"
                           "stage_args: [{stage_id: 1}]\n");
    assert_string_equal(transfer_edges(fx), "");
    assert_int_equal(omni_transfer_config_stage_count(fx->config), 1);
    assert_string_equal(omni_transfer_config_stage_at(fx->config, 0), "1");
    transfer_load_bad(fx, "runtime: null\nstage_args: []\n", 1, 10, "`runtime` is a mapping");
}

/* ---- edges ---- */

static void edge__named_at_both_ends__the_first_registration_stays(void **state)
{
    struct transfer_fixture *fx = *state;

    transfer_load_good(
        fx, "runtime: {connectors: {a: {name: A, extra: {n: 1}}, b: {name: A, extra: {n: 2}}}}\n"
            "stage_args:\n"
            "- {stage_id: 0, output_connectors: {to_stage_1: a}}\n"
            "- {stage_id: 1, input_connectors: {from_stage_0: b}}\n");
    assert_string_equal(transfer_edges(fx), "0->1 A");
    const struct omni_edge *edge = omni_transfer_config_find(fx->config, "0", "1");
    assert_string_equal(transfer_described(fx, edge->spec.extra), "{\"n\": 1}");
    assert_int_equal(edge->line, 3);
    assert_int_equal(edge->column, 49);
}

static void edge__two_names__is_an_error_that_tells_both_and_where(void **state)
{
    struct transfer_fixture *fx = *state;

    transfer_load_bad(fx,
                      "runtime:\n" CONNECTORS "stage_args:\n"
                      "- {stage_id: 0, output_connectors: {to_stage_1: yr}}\n"
                      "- {stage_id: 1, input_connectors: {from_stage_0: shm}}\n",
                      7, 50,
                      "edge 0->1 has two connectors: \"YuanrongConnector\" at 6:49 "
                      "(output_connectors of stage 0) and \"SharedMemoryConnector\" here "
                      "(input_connectors of stage 1)");
    assert_non_null(strstr(fx->errors, "\"YuanrongConnector\" is written at 3:16"));
    assert_non_null(strstr(fx->errors, "\"SharedMemoryConnector\" at 4:17"));
    assert_int_equal(fx->error_count, 1);
}

static void edge__inline_connector__needs_no_table(void **state)
{
    struct transfer_fixture *fx = *state;

    transfer_load_good(fx, "stage_args:\n- stage_id: 2\n"
                           "  output_connectors: {to_stage_3: {name: B, extra: {k: [1, x]}}}\n");
    assert_string_equal(transfer_edges(fx), "2->3 B");
    assert_string_equal(
        transfer_described(fx, omni_transfer_config_spec(fx->config, "2", "3")->extra),
        "{\"k\": [1, \"x\"]}");
}

static void edge__prefix__is_optional_and_removed_wherever_it_stands(void **state)
{
    struct transfer_fixture *fx = *state;

    transfer_load_good(fx, "stage_args:\n- stage_id: 1\n  input_connectors:\n"
                           "    '0': {name: A}\n"
                           "    2from_stage_: {name: A}\n"
                           "    from_stage_from_stage_3: {name: A}\n"
                           "    from_from_stage_stage_4: {name: A}\n"
                           "    from_stage_: {name: A}\n"
                           "    to_stage_5: {name: A}\n");
    assert_string_equal(transfer_edges(fx),
                        "0->1 A; 2->1 A; 3->1 A; from_stage_4->1 A; ->1 A; to_stage_5->1 A");
}

static void stage_ids__yaml_1_1__compare_as_python_prints_them(void **state)
{
    struct transfer_fixture *fx = *state;
    static const char *const pairs[][2] = {
        {"0", "0"},        {"'0'", "0"},   {"007", "7"},     {"0x10", "16"},
        {"1_000", "1000"}, {"1:30", "90"}, {"yes", "True"},  {"1.0", "1.0"},
        {"08", "08"},      {"1e3", "1e3"}, {"null", "None"}, {"\"yes\"", "yes"},
    };
    char text[128];

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        snprintf(text, sizeof(text), "stage_args: [{stage_id: %s, engine_input_source: [x]}]",
                 pairs[i][0]);
        transfer_load_good(fx, text);
        assert_non_null(omni_transfer_config_find(fx->config, "x", pairs[i][1]));
    }
}

/* ---- automatic edges ---- */

static void automatic__edges_then_sources__get_shared_memory_where_none_is(void **state)
{
    struct transfer_fixture *fx = *state;

    transfer_load_good(fx, "runtime: {edges: [{from: 0, to: 1}, {from: 1, to: 2, w: 3}]}\n"
                           "stage_args:\n"
                           "- {stage_id: 2, engine_input_source: [0, 1]}\n"
                           "- {stage_id: 1, input_connectors: {from_stage_0: {name: A}}}\n");
    assert_string_equal(transfer_edges(fx),
                        "0->1 A; 1->2 SharedMemoryConnector*; 0->2 SharedMemoryConnector*");
    assert_int_equal(omni_transfer_config_spec(fx->config, "1", "2")->extra->map.count, 0);
    assert_int_equal(fx->warning_count, 0);
}

static void automatic__incomplete_edge__is_skipped_with_a_warning(void **state)
{
    struct transfer_fixture *fx = *state;

    transfer_load_good(fx, "runtime: {edges: [{from: 0}, {from: null, to: 3}, {from: 1, to: 2}]}\n"
                           "stage_args: [{stage_id: 0}]\n");
    assert_string_equal(transfer_edges(fx), "1->2 SharedMemoryConnector*");
    assert_int_equal(fx->warning_count, 2);
    assert_non_null(strstr(fx->warnings, "file.yaml:1:19: this edge is skipped: it has no `to`"));
    assert_non_null(strstr(fx->warnings, "file.yaml:1:30: this edge is skipped: it has no `from`"));
}

static void automatic__malformed_entry__warns_and_ends_the_rest(void **state)
{
    struct transfer_fixture *fx = *state;

    transfer_load_good(fx, "runtime: {edges: [{from: 0, to: 1}, 5, {from: 1, to: 2}]}\n"
                           "stage_args: [{stage_id: 3, engine_input_source: [0]}]\n");
    assert_string_equal(transfer_edges(fx), "0->1 SharedMemoryConnector*");
    assert_int_equal(fx->warning_count, 1);
    assert_non_null(strstr(fx->warnings, "file.yaml:1:37: no more edges are added"));

    transfer_load_good(fx, "stage_args: [{stage_id: 1, engine_input_source: [0]},\n"
                           "  {stage_id: 2, engine_input_source: null},\n"
                           "  {stage_id: 3, engine_input_source: [0]}]\n");
    assert_string_equal(transfer_edges(fx), "0->1 SharedMemoryConnector*");
    assert_non_null(strstr(fx->warnings, "file.yaml:2:38: no more edges are added"));
}

static void automatic__no_stages__runtime_edges_are_ignored(void **state)
{
    struct transfer_fixture *fx = *state;

    transfer_load_good(fx, "runtime: {edges: [{from: 0, to: 1}]}\n");
    assert_string_equal(transfer_edges(fx), "");
    transfer_load_good(fx, "runtime: {edges: [{from: 0, to: 1}]}\nstage_args: []\n");
    assert_string_equal(transfer_edges(fx), "");
}

static void automatic__sources_as_text__each_letter_with_a_warning(void **state)
{
    struct transfer_fixture *fx = *state;

    transfer_load_good(fx, "stage_args: [{stage_id: 3, engine_input_source: '1\xc3\xa9'}]\n");
    assert_string_equal(transfer_edges(fx),
                        "1->3 SharedMemoryConnector*; \xc3\xa9->3 SharedMemoryConnector*");
    assert_non_null(strstr(fx->warnings, "file.yaml:1:49"));
}

/* ---- warnings ---- */

static void warning__key_given_twice__the_last_wins_and_both_places_are_told(void **state)
{
    struct transfer_fixture *fx = *state;

    transfer_load_good(fx, "runtime:\n  connectors:\n    a: {name: A}\n    a: {name: B}\n"
                           "stage_args: [{stage_id: 1, input_connectors: {'0': a}}]\n");
    assert_string_equal(transfer_edges(fx), "0->1 B");
    assert_int_equal(fx->warning_count, 1);
    assert_non_null(strstr(fx->warnings, "file.yaml:4:5:"));
    assert_non_null(strstr(fx->warnings, "3:5"));
}

static void unknown_keys__anywhere__are_ignored(void **state)
{
    struct transfer_fixture *fx = *state;

    transfer_load_good(fx, "model: m\nlora: {a: [1, {b: c}]}\n"
                           "runtime: {enabled: true, connectors: {a: {name: A, note: 1}}}\n"
                           "stage_args: [{stage_id: 1, engine_args: {x: 1}, "
                           "input_connectors: {'0': a}}]\n");
    assert_string_equal(transfer_edges(fx), "0->1 A");
    assert_int_equal(fx->warning_count, 0);
}

static void default_spec__set_by_the_program__serves_edges_that_are_not_there(void **state)
{
    struct transfer_fixture *fx = *state;

    transfer_load_good(fx, "stage_args: [{stage_id: 1, input_connectors: {'0': {name: A}}}]\n");
    assert_int_equal(omni_transfer_config_set_default(fx->config, "D", NULL), RT_OK);
    assert_string_equal(omni_transfer_config_spec(fx->config, "0", "1")->name, "A");
    assert_string_equal(omni_transfer_config_spec(fx->config, "1", "0")->name, "D");
    assert_int_equal(omni_transfer_config_spec(fx->config, "1", "0")->extra->map.count, 0);
    assert_null(omni_transfer_config_find(fx->config, "1", "0"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, transfer_set_up, transfer_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(file__each_suffix_in_any_case__is_read_as_what_it_says),
        TEST(file__missing__is_noticed_before_its_suffix),
        TEST(file__another_suffix__is_an_error_that_names_the_right_ones),
        TEST(file__a_directory__cannot_be_read),
        TEST(text__nothing_in_it__is_no_configuration_and_no_error),
        TEST(text__an_empty_mapping__is_a_configuration_without_edges),
        TEST(text__another_top_level__is_an_error),
        TEST(text__not_yaml__names_the_place),
        TEST(spelling__older__reads_runtime_and_stage_args),
        TEST(spelling__newer__moves_top_level_parts_under_runtime),
        TEST(spelling__newer_with_parts_under_runtime__those_stay),
        TEST(spelling__newer_with_null_under_runtime__presence_decides_not_value),
        TEST(spelling__newer_with_an_empty_runtime__is_taken),
        TEST(spelling__both_stages_and_stage_args__nothing_moves),
        TEST(edge__named_at_both_ends__the_first_registration_stays),
        TEST(edge__two_names__is_an_error_that_tells_both_and_where),
        TEST(edge__inline_connector__needs_no_table),
        TEST(edge__prefix__is_optional_and_removed_wherever_it_stands),
        TEST(stage_ids__yaml_1_1__compare_as_python_prints_them),
        TEST(automatic__edges_then_sources__get_shared_memory_where_none_is),
        TEST(automatic__incomplete_edge__is_skipped_with_a_warning),
        TEST(automatic__malformed_entry__warns_and_ends_the_rest),
        TEST(automatic__no_stages__runtime_edges_are_ignored),
        TEST(automatic__sources_as_text__each_letter_with_a_warning),
        TEST(warning__key_given_twice__the_last_wins_and_both_places_are_told),
        TEST(unknown_keys__anywhere__are_ignored),
        TEST(default_spec__set_by_the_program__serves_edges_that_are_not_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
