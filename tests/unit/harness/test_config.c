/* SPDX-License-Identifier: Apache-2.0 */
/* `dstest config show`, the program. */
#include "dstest_program.h"

static struct dstest_run run;

#define SHOW(...)  dstest_run(&run, "config", "show", __VA_ARGS__, (const char *)NULL)
#define DATA(name) TEST_DATA_DIR "/transfer/" name

static const char both_ways[] = "stage_args:\n"
                                "- {stage_id: 0, output_connectors: {to_stage_1: {name: A}}}\n"
                                "- {stage_id: 1, engine_input_source: [0, x]}\n";

static void table__a_configuration__shows_edges_views_and_primary(void **state)
{
    (void)state;
    SHOW(DATA("both_ends.yaml"));
    assert_int_equal(run.exit_code, 0);
    assert_string_equal(run.err, "");
    assert_has(run.out, "both_ends.yaml: 1 edge, 2 stages\n");
    assert_has(run.out, "0 -> 1  YuanrongConnector  13:19       {\"host\": \"10.0.0.7\", "
                        "\"port\": 35001, \"get_sub_timeout_ms\": 500}\n");
    assert_has(run.out, "stage 0\n  to_stage_1: YuanrongConnector  {\"host\": \"10.0.0.7\", "
                        "\"port\": 35001, \"get_sub_timeout_ms\": 500, \"role\": \"sender\", "
                        "\"from_stage\": 0, \"to_stage\": 1}\n");
    assert_has(run.out, "stage 1\n  from_stage_0: YuanrongConnector");
    assert_has(run.out, "  primary: 0 -> 1  {\"type\": \"YuanrongConnector\", ");
}

static void table__automatic_edge__is_marked(void **state)
{
    const char *path =
        dstest_file(".yaml", "stage_args: [{stage_id: 1, engine_input_source: [0]}]");

    (void)state;
    SHOW(path);
    assert_int_equal(run.exit_code, 0);
    assert_has(run.out, "0 -> 1  SharedMemoryConnector  1:50        {}  (no connector is named: "
                        "automatic)\n");
    (void)unlink(path);
}

static void json__a_configuration__is_one_object(void **state)
{
    (void)state;
    SHOW("--json", DATA("plain.json"));
    assert_int_equal(run.exit_code, 0);
    assert_has(run.out, "{\"from_stage\": \"0\", \"to_stage\": \"1\", \"name\": "
                        "\"YuanrongConnector\", \"extra\": {}, \"is_automatic\": false, "
                        "\"line\": 1, \"column\": 66}");
    assert_has(run.out, "\"1\": {\"view\": {\"from_stage_0\": {\"spec\": {\"name\": "
                        "\"YuanrongConnector\", \"extra\": {\"role\": \"receiver\", "
                        "\"from_stage\": 0, \"to_stage\": 1}}}}, \"primary\": {\"from_stage\": "
                        "\"0\", \"to_stage\": \"1\", \"spec\": {\"type\": "
                        "\"YuanrongConnector\", \"role\": \"receiver\"}}}");
}

static void stage__one_of_them__alone_is_shown(void **state)
{
    const char *path = dstest_file(".yaml", both_ways);

    (void)state;
    SHOW(path, "--stage", "0");
    assert_int_equal(run.exit_code, 0);
    assert_has(run.out, "stage 0\n  to_stage_1: A");
    assert_null(strstr(run.out, "stage 1\n"));
    SHOW(path, "--stage", "7");
    assert_int_equal(run.exit_code, 0);
    assert_has(run.out, "  primary: none\n");
    assert_has(run.err, "there is no stage 7; the file has 0 1 x\n");
    (void)unlink(path);
}

static void stage__without_a_view__fails_only_when_it_is_asked_for(void **state)
{
    const char *path = dstest_file(".yaml", both_ways);

    (void)state;
    SHOW(path);
    assert_int_equal(run.exit_code, 0);
    assert_has(run.out, "  no view: ");
    assert_has(run.out, ":3:42: the id \"x\" of edge x->1 is no integer\n");
    SHOW(path, "--stage", "1");
    assert_int_equal(run.exit_code, 2);
    assert_has(run.err, "the id \"x\" of edge x->1 is no integer");
    SHOW(path, "--stage", "1", "--json");
    assert_int_equal(run.exit_code, 2);
    assert_has(run.out, "\"view\": null, \"view_error\": ");
    (void)unlink(path);
}

static void file__empty__is_no_configuration(void **state)
{
    const char *path = dstest_file(".yml", "# nothing\n");

    (void)state;
    SHOW(path);
    assert_int_equal(run.exit_code, 0);
    assert_has(run.out, "an empty file, which is no configuration");
    SHOW(path, "--json");
    assert_int_equal(run.exit_code, 0);
    assert_has(run.out, "\"edges\": null");
    (void)unlink(path);
}

static void file__invalid__is_told_with_its_place_and_exits_with_2(void **state)
{
    const char *path = dstest_file(".yaml", "stage_args:\n- stage_id: 1\n  stage_id: 2\n"
                                            "  input_connectors: {0: a}\n");

    (void)state;
    SHOW(path);
    assert_int_equal(run.exit_code, 2);
    assert_string_equal(run.out, "");
    assert_has(run.err, "warning: ");
    assert_has(run.err, ":3:3: the key \"stage_id\" stands here again");
    assert_has(run.err, ":4:25: Undefined connector reference: a\n");
    assert_has(run.err, ":4:22: a key of `input_connectors` is text, not a number\n");
    (void)unlink(path);
    SHOW("/nowhere/c.yaml");
    assert_int_equal(run.exit_code, 2);
    assert_has(run.err, "/nowhere/c.yaml: cannot open this file: No such file or directory");
}

static void usage__each_mistake__exits_with_2(void **state)
{
    static const char *const lines[][5] = {
        {NULL},
        {"shov", "f.yaml"},
        {"show"},
        {"show", "a.yaml", "b.yaml"},
        {"show", "a.yaml", "--stage"},
        {"show", "--jason", "a.yaml"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        dstest_run(&run, "config", lines[i][0], lines[i][1], lines[i][2], lines[i][3], lines[i][4],
                   (const char *)NULL);
        assert_int_equal(run.exit_code, 2);
        assert_has(run.err, "dstest config: ");
    }
    dstest_run(&run, "config", "show", "--help", (const char *)NULL);
    assert_int_equal(run.exit_code, 0);
    assert_has(run.out, "usage: dstest config show FILE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table__a_configuration__shows_edges_views_and_primary),
        cmocka_unit_test(table__automatic_edge__is_marked),
        cmocka_unit_test(json__a_configuration__is_one_object),
        cmocka_unit_test(stage__one_of_them__alone_is_shown),
        cmocka_unit_test(stage__without_a_view__fails_only_when_it_is_asked_for),
        cmocka_unit_test(file__empty__is_no_configuration),
        cmocka_unit_test(file__invalid__is_told_with_its_place_and_exits_with_2),
        cmocka_unit_test(usage__each_mistake__exits_with_2),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
