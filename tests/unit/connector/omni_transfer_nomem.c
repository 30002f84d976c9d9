/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "connector/omni_connector_set.h"
#include "omni_scripted_type.h"
#include "omni_support.h"
#include "support/failing_memory.h"

/*
 * Each story is told again and again; the first time its first allocation fails, then its second,
 * until none does. Whatever fails must be said by a status, and leak nothing.
 */

/* ---- loading and looking -------------------------------------------------------------------- */

static const char text[] =
    "runtime:\n  connectors:\n    a: {name: Scripted, extra: {k: [1, 2.5, {x: y}], k: 2}}\n"
    "  edges: [{from: 5, to: 6}, {from: 5}, 7]\n"
    "stage_args:\n"
    "- {stage_id: 0, output_connectors: {to_stage_1: a, to_stage_2: a}}\n"
    "- {stage_id: 1, input_connectors: {from_stage_0: {name: Scripted}}}\n"
    "- {stage_id: 2, engine_input_source: '01'}\n";

static const char bad[] = "stage_args:\n- {stage_id: 1, input_connectors: {0: a}}\n- {id: 2}\n";

static void on_problem(void *arg, const struct omni_transfer_problem *problem)
{
    size_t *count = arg;
    *count += problem->text != NULL && problem->message != NULL;
}

static bool load_and_look(void *arg)
{
    struct omni_transfer_config *config = NULL;
    struct omni_arena *arena = omni_arena_create();
    struct omni_stage_view view;
    struct omni_primary_spec primary;
    char why[OMNI_TRANSFER_TEXT_BYTES];
    size_t problem_count = 0;
    bool is_whole = false;
    (void)arg;
    if (arena == NULL) {
        return false;
    }
    enum rt_status status = omni_transfer_config_load_text(
        "c.yaml", rt_slice_text(text), OMNI_TRANSFER_YAML, on_problem, &problem_count, &config);
    if (status == RT_OK) {
        /* Whatever had no memory, all edges are there. */
        assert_int_equal(omni_transfer_config_edge_count(config), 3);
        status = omni_transfer_config_view(config, "0", arena, &view, why);
    }
    if (status == RT_OK) {
        assert_int_equal(view.count, 2);
        status = omni_transfer_config_primary(config, "0", arena, &primary);
    }
    if (status == RT_OK) {
        status = omni_transfer_config_set_default(config, "D", NULL);
        is_whole = status == RT_OK;
    }
    assert_true(status == RT_OK || status == RT_E_NOMEM);
    omni_transfer_config_destroy(config);
    omni_arena_destroy(arena);
    return is_whole;
}

static void load__any_allocation_fails__says_so_and_leaks_nothing(void **state)
{
    (void)state;
    failing_memory_tell(load_and_look, NULL);
}

static bool load_bad(void *arg)
{
    struct omni_transfer_config *config = NULL;
    size_t problem_count = 0;
    (void)arg;
    enum rt_status status = omni_transfer_config_load_text(
        "c.yaml", rt_slice_text(bad), OMNI_TRANSFER_YAML, on_problem, &problem_count, &config);
    assert_true(status == RT_E_INVALID || status == RT_E_NOMEM);
    assert_null(config);
    return problem_count == 3;
}

static void load__refused_without_memory__is_still_refused(void **state)
{
    (void)state;
    failing_memory_tell(load_bad, NULL);
}

/* ---- making all connectors ------------------------------------------------------------------- */

struct made {
    struct omni_connector_set *set;
    int count;
};

static void on_made(void *arg, struct omni_connector_set *set, const char *reason)
{
    struct made *made = arg;
    assert_true((set == NULL) == (reason != NULL));
    made->set = set;
    made->count++;
}

static bool make_all(void *arg)
{
    const struct omni_transfer_config *config = arg;
    struct script script;
    struct omni_factory *factory = NULL;
    struct made made = {0};
    struct omni_connector_set *pending = NULL;
    struct rt_loop *loop = NULL;
    script_init(&script);
    const struct omni_connector_type type = scripted_type(&script);
    enum rt_status status = rt_loop_create(RT_LOOP_SIMULATED, &loop);
    if (status == RT_OK) {
        status = omni_factory_create(&factory);
    }
    if (status == RT_OK) {
        status = omni_factory_register(factory, &type);
    }
    if (status == RT_OK) {
        const struct omni_environment environment = {.ds = {.loop = loop}};
        status = omni_connector_set_create(factory, config, &environment, on_made, &made, &pending);
    }
    if (status == RT_OK) { /* memory that is missing later ends it with a text */
        assert_int_equal(rt_loop_run(loop, NULL, NULL, RT_NEVER), RT_E_IDLE);
        assert_int_equal(made.count, 1);
    } else {
        assert_int_equal(status, RT_E_NOMEM);
        assert_int_equal(made.count, 0);
    }
    bool is_whole = made.set != NULL;
    omni_connector_set_destroy(made.set);
    assert_int_equal(script.create_count, script.destroy_count);
    omni_factory_destroy(factory);
    if (loop != NULL) {
        rt_loop_destroy(loop);
    }
    script_fini(&script);
    return is_whole;
}

static void set__any_allocation_fails__leaves_nothing(void **state)
{
    struct omni_transfer_config *config = NULL;
    (void)state;
    assert_int_equal(
        omni_transfer_config_load_text(
            "c.yaml",
            rt_slice_text("stage_args: [{stage_id: 1, input_connectors: {'0': {name: Scripted}, "
                          "'2': {name: Scripted}, '3': {name: Scripted}}}]"),
            OMNI_TRANSFER_YAML, NULL, NULL, &config),
        RT_OK);
    failing_memory_tell(make_all, config);
    omni_transfer_config_destroy(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(load__any_allocation_fails__says_so_and_leaks_nothing),
        cmocka_unit_test(load__refused_without_memory__is_still_refused),
        cmocka_unit_test(set__any_allocation_fails__leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
