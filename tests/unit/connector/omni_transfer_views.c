/* SPDX-License-Identifier: Apache-2.0 */
/* One stage's view and its primary connector: docs/reference/transfer-configuration.md, One stage's
 * view.
 */
#include <stdio.h>
#include <string.h>

#include "omni_transfer_support.h"

static struct omni_stage_view view_of(struct transfer_fixture *fx, const char *stage)
{
    char text[OMNI_TRANSFER_TEXT_BYTES] = "";
    struct omni_stage_view view = {0};

    if (omni_transfer_config_view(fx->config, stage, fx->arena, &view, text) != RT_OK) {
        fail_msg("%s", text);
    }
    return view;
}

/* "key Name {extra}; ..." */
static const char *described_view(struct transfer_fixture *fx, const char *stage)
{
    static char all[4096];
    struct omni_stage_view view = view_of(fx, stage);
    size_t used = 0;

    all[0] = '\0';
    for (size_t i = 0; i < view.count; i++) {
        used += (size_t)snprintf(all + used, sizeof(all) - used, "%s%s %s %s", i == 0 ? "" : "; ",
                                 view.edges[i].key, view.edges[i].spec.name,
                                 transfer_described(fx, view.edges[i].spec.extra));
    }
    return all;
}

/* "from->to {extra}", or "none". */
static const char *primary_of(struct transfer_fixture *fx, const char *stage)
{
    static char all[2048];
    struct omni_primary_spec primary;

    assert_int_equal(omni_transfer_config_primary(fx->config, stage, fx->arena, &primary), RT_OK);
    if (primary.edge == NULL) {
        return "none";
    }
    snprintf(all, sizeof(all), "%s->%s %s", primary.edge->from_stage, primary.edge->to_stage,
             transfer_described(fx, primary.extra));
    return all;
}

/* Edges 0->1 with A, 1->2 with B, and one from 1 back to 0. */
static const char three[] = "stage_args:\n"
                            "- stage_id: 0\n  output_connectors: {to_stage_1: {name: A}}\n"
                            "- stage_id: 1\n  output_connectors: {to_stage_2: {name: B}}\n"
                            "- stage_id: 0\n  input_connectors: {from_stage_1: {name: C}}\n";

static void view__stage_0__shows_edges_in_and_out(void **state)
{
    struct transfer_fixture *fx = *state;

    transfer_load_good(fx, three);
    assert_string_equal(described_view(fx, "0"),
                        "to_stage_1 A {\"role\": \"sender\", \"from_stage\": 0, \"to_stage\": 1}; "
                        "from_stage_1 C {\"role\": \"receiver\", \"from_stage\": 1, "
                        "\"to_stage\": 0}");
}

static void view__another_stage__shows_only_edges_in(void **state)
{
    struct transfer_fixture *fx = *state;

    transfer_load_good(fx, three);
    assert_string_equal(described_view(fx, "1"),
                        "from_stage_0 A {\"role\": \"receiver\", \"from_stage\": 0, "
                        "\"to_stage\": 1}");
    assert_string_equal(described_view(fx, "2"),
                        "from_stage_1 B {\"role\": \"receiver\", \"from_stage\": 1, "
                        "\"to_stage\": 2}");
    assert_string_equal(described_view(fx, "7"), "");
}

static void view__edge_from_0_to_0__is_seen_once_as_incoming(void **state)
{
    struct transfer_fixture *fx = *state;

    transfer_load_good(fx, "stage_args: [{stage_id: 0, engine_input_source: [0]}]");
    assert_string_equal(described_view(fx, "0"),
                        "from_stage_0 SharedMemoryConnector {\"role\": \"receiver\", "
                        "\"from_stage\": 0, \"to_stage\": 0}");
}

static void view__role_and_stages_in_extra__role_stays_stages_are_replaced(void **state)
{
    struct transfer_fixture *fx = *state;

    transfer_load_good(
        fx, "stage_args:\n- stage_id: 1\n  input_connectors:\n"
            "    from_stage_0: {name: A, extra: {to_stage: x, role: null, from_stage: 9}}\n"
            "    from_stage_2: {name: A, extra: {role: sender}}\n");
    assert_string_equal(described_view(fx, "1"),
                        "from_stage_0 A {\"to_stage\": 1, \"role\": null, \"from_stage\": 0}; "
                        "from_stage_2 A {\"role\": \"sender\", \"from_stage\": 2, "
                        "\"to_stage\": 1}");
    /* The edge's own options are as they were. */
    assert_string_equal(
        transfer_described(fx, omni_transfer_config_spec(fx->config, "2", "1")->extra),
        "{\"role\": \"sender\"}");
}

static void view__id_that_is_no_integer__is_an_error_of_that_stage_only(void **state)
{
    struct transfer_fixture *fx = *state;
    struct omni_stage_view view;
    char text[OMNI_TRANSFER_TEXT_BYTES];

    transfer_load_good(fx, "stage_args:\n- {stage_id: 1, engine_input_source: [x]}\n"
                           "- {stage_id: 2, engine_input_source: [0]}\n");
    assert_int_equal(omni_transfer_config_view(fx->config, "1", fx->arena, &view, text),
                     RT_E_INVALID);
    assert_string_equal(text, "file.yaml:2:39: the id \"x\" of edge x->1 is no integer");
    assert_int_equal(view_of(fx, "2").count, 1);
    assert_int_equal(view_of(fx, "x").count, 0);
}

static void view__ids_as_python_reads_integers__are_taken(void **state)
{
    struct transfer_fixture *fx = *state;

    transfer_load_good(fx, "stage_args: [{stage_id: ' 7 ', engine_input_source: ['1_0', '-3']}]");
    assert_string_equal(described_view(fx, " 7 "),
                        "from_stage_1_0 SharedMemoryConnector {\"role\": \"receiver\", "
                        "\"from_stage\": 10, \"to_stage\": 7}; "
                        "from_stage_-3 SharedMemoryConnector {\"role\": \"receiver\", "
                        "\"from_stage\": -3, \"to_stage\": 7}");
}

/* ---- primary ---- */

static void primary__edges_both_ways__the_outgoing_one_with_the_smallest_number(void **state)
{
    struct transfer_fixture *fx = *state;

    transfer_load_good(fx, "stage_args:\n- stage_id: 1\n  output_connectors: "
                           "{to_stage_10: {name: A}, to_stage_9: {name: B, extra: {k: 1}}}\n"
                           "  input_connectors: {from_stage_0: {name: C}}\n");
    assert_string_equal(primary_of(fx, "1"),
                        "1->9 {\"type\": \"B\", \"k\": 1, \"role\": \"sender\"}");
}

static void primary__only_incoming_edges__the_one_from_the_smallest(void **state)
{
    struct transfer_fixture *fx = *state;

    transfer_load_good(fx, "stage_args: [{stage_id: 5, input_connectors: "
                           "{from_stage_12: {name: A}, from_stage_3: {name: B}}}]");
    assert_string_equal(primary_of(fx, "5"), "3->5 {\"type\": \"B\", \"role\": \"receiver\"}");
}

static void primary__no_edge__is_none(void **state)
{
    struct transfer_fixture *fx = *state;

    transfer_load_good(fx, "stage_args: [{stage_id: 5}]");
    assert_string_equal(primary_of(fx, "5"), "none");
    assert_string_equal(primary_of(fx, "6"), "none");
}

static void primary__type_and_role_in_extra__win(void **state)
{
    struct transfer_fixture *fx = *state;

    transfer_load_good(fx, "stage_args: [{stage_id: 0, output_connectors: "
                           "{to_stage_1: {name: A, extra: {a: 1, type: T, role: null}}}}]");
    assert_string_equal(primary_of(fx, "0"), "0->1 {\"type\": \"T\", \"a\": 1, \"role\": null}");
}

static void primary__ids_of_other_kinds__sort_as_texts_behind_numbers(void **state)
{
    struct transfer_fixture *fx = *state;

    transfer_load_good(fx, "stage_args:\n"
                           "- {stage_id: a, engine_input_source: [x, b10, b9]}\n"
                           "- {stage_id: c, engine_input_source: [-1, 100000000000000000000]}\n"
                           "- {stage_id: d, engine_input_source: ['02', '1']}\n"
                           "- {stage_id: e, engine_input_source: ['02', '2']}\n");
    assert_non_null(strstr(primary_of(fx, "a"), "b10->a"));
    assert_non_null(strstr(primary_of(fx, "c"), "100000000000000000000->c"));
    assert_non_null(strstr(primary_of(fx, "d"), "1->d"));
    assert_non_null(strstr(primary_of(fx, "e"), "02->e")); /* the first of equals */
}

/* ---- options ---- */

static void extra__yaml_1_1_scalars__become_values_of_their_kind(void **state)
{
    struct transfer_fixture *fx = *state;

    transfer_load_good(fx, "stage_args: [{stage_id: 1, input_connectors: {'0': {name: A, extra: "
                           "{i: 0x10, t: 1e3, f: 1.0e+3, b: off, n: ~, u: 18446744073709551615, "
                           "s: 99999999999999999999, d: 2001-12-14, 5: k}}}}]");
    const struct omni_value *extra = omni_transfer_config_spec(fx->config, "0", "1")->extra;
    assert_int_equal(extra->map.count, 9);
    assert_int_equal(extra->map.pairs[8].key->kind, OMNI_INT);
    assert_string_equal(
        transfer_described(fx, extra),
        "{\"i\": 16, \"t\": \"1e3\", \"f\": 1000.0, \"b\": false, \"n\": null, "
        "\"u\": 18446744073709551615, \"s\": \"99999999999999999999\", \"d\": \"2001-12-14\", "
        "1 more}");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, transfer_set_up, transfer_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(view__stage_0__shows_edges_in_and_out),
        TEST(view__another_stage__shows_only_edges_in),
        TEST(view__edge_from_0_to_0__is_seen_once_as_incoming),
        TEST(view__role_and_stages_in_extra__role_stays_stages_are_replaced),
        TEST(view__id_that_is_no_integer__is_an_error_of_that_stage_only),
        TEST(view__ids_as_python_reads_integers__are_taken),
        TEST(primary__edges_both_ways__the_outgoing_one_with_the_smallest_number),
        TEST(primary__only_incoming_edges__the_one_from_the_smallest),
        TEST(primary__no_edge__is_none),
        TEST(primary__type_and_role_in_extra__win),
        TEST(primary__ids_of_other_kinds__sort_as_texts_behind_numbers),
        TEST(extra__yaml_1_1_scalars__become_values_of_their_kind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
