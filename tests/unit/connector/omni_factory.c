/* SPDX-License-Identifier: Apache-2.0 */
/* Connectors by name, and all of a configuration as one step:
 * docs/reference/transfer-configuration.md. */
#include "connector/omni_factory.h"

#include <stdio.h>
#include <stdlib.h>

#include "connector/omni_connector_set.h"
#include "omni_scripted_type.h"
#include "omni_support.h"

/* On a simulated loop; what the script answers decides how constructions end. */
struct fixture {
    struct rt_loop *loop;
    struct script script;
    struct omni_environment environment;
    struct omni_arena *arena;
    struct omni_factory *factory;
    struct omni_connector_type type;
    struct omni_transfer_config *config;
    struct omni_instance *instance;
    struct omni_connector_set *set;
    int made_count;
    char text[2048];
    int result_count;
    bool is_success;
};

static int set_up(void **state)
{
    struct fixture *fx = calloc(1, sizeof(*fx));
    *state = fx;
    if (fx == NULL || rt_loop_create(RT_LOOP_SIMULATED, &fx->loop) != RT_OK) {
        return 1;
    }
    script_init(&fx->script);
    fx->arena = omni_arena_create();
    fx->environment = (struct omni_environment){.ds = {.loop = fx->loop, .name = "c"}};
    fx->type = scripted_type(&fx->script);
    return fx->arena == NULL || omni_factory_create(&fx->factory) != RT_OK ||
           omni_factory_register(fx->factory, &fx->type) != RT_OK;
}

/* Nothing is left of connectors, whatever happened to them. */
static int tear_down(void **state)
{
    struct fixture *fx = *state;
    omni_instance_destroy(fx->instance);
    omni_connector_set_destroy(fx->set);
    assert_int_equal(fx->script.create_count, fx->script.destroy_count);
    assert_int_equal(rt_loop_run(fx->loop, NULL, NULL, RT_NEVER), RT_E_IDLE);
    omni_transfer_config_destroy(fx->config);
    omni_factory_destroy(fx->factory);
    script_fini(&fx->script);
    omni_arena_destroy(fx->arena);
    rt_loop_destroy(fx->loop);
    free(fx);
    return rt_blob_live_count() != 0;
}

static void run(struct fixture *fx)
{
    assert_int_equal(rt_loop_run(fx->loop, NULL, NULL, RT_NEVER), RT_E_IDLE);
}

/* ---- the registry -------------------------------------------------------------------------- */

static void registry__from_the_start__knows_the_models_by_their_names(void **state)
{
    struct fixture *fx = *state;
    for (int model = 0; model < OMNI_MODEL_COUNT; model++) {
        const char *name = omni_model_name((enum omni_model)model);
        assert_non_null(omni_factory_find(fx->factory, name));
        assert_string_equal(omni_factory_find(fx->factory, name)->name, name);
    }
    assert_ptr_equal(omni_factory_find(fx->factory, "Scripted"), &fx->type);
    assert_null(omni_factory_find(fx->factory, "scripted"));
}

static void register__a_name_twice__is_refused_and_the_first_stays(void **state)
{
    struct fixture *fx = *state;
    struct omni_connector_type again = fx->type;
    assert_int_equal(omni_factory_register(fx->factory, &again), RT_E_EXISTS);
    assert_ptr_equal(omni_factory_find(fx->factory, "Scripted"), &fx->type);
    again.name = "YuanrongConnector";
    assert_int_equal(omni_factory_register(fx->factory, &again), RT_E_EXISTS);
}

static void register__a_table_with_a_hole__is_refused(void **state)
{
    struct fixture *fx = *state;
    struct omni_connector_ops ops = *fx->type.ops;
    struct omni_connector_type type = fx->type;
    type.name = "Holed";
    type.ops = &ops;
    ops.get = NULL;
    assert_int_equal(omni_factory_register(fx->factory, &type), RT_E_INVALID);
    ops = *fx->type.ops;
    type.give_up = NULL;
    assert_int_equal(omni_factory_register(fx->factory, &type), RT_E_INVALID);
}

/* ---- one ----------------------------------------------------------------------------------- */

static void on_made(void *arg, struct omni_instance *instance, const char *text)
{
    struct fixture *fx = arg;
    fx->made_count++;
    fx->instance = instance;
    assert_true((instance == NULL) == (text != NULL));
    snprintf(fx->text, sizeof(fx->text), "%s", text == NULL ? "" : text);
}

static struct omni_creation *begin_one(struct fixture *fx, const char *name)
{
    const struct omni_connector_spec spec = {.name = name, .extra = omni_map(fx->arena, NULL, 0)};
    struct omni_creation *creation = NULL;
    assert_int_equal(
        omni_factory_begin(fx->factory, &spec, &fx->environment, on_made, fx, &creation), RT_OK);
    assert_int_equal(fx->made_count, 0); /* never from inside */
    return creation;
}

static void create__registered_name__gives_a_connector_of_that_type(void **state)
{
    struct fixture *fx = *state;
    (void)begin_one(fx, "Scripted");
    run(fx);
    assert_int_equal(fx->made_count, 1);
    assert_non_null(fx->instance);
    assert_ptr_equal(omni_instance_type(fx->instance), &fx->type);
    assert_string_equal(fx->script.host, "127.0.0.1");
}

static void create__unknown_name__lists_those_that_are_there(void **state)
{
    struct fixture *fx = *state;
    (void)begin_one(fx, "Yuanrong");
    run(fx);
    assert_int_equal(fx->made_count, 1);
    assert_string_equal(fx->text, "Unknown connector: Yuanrong. Available: "
                                  "['YuanrongConnector', 'PollingConnector', 'Scripted']");
}

static void create__constructor_fails__its_reason_is_wrapped(void **state)
{
    struct fixture *fx = *state;
    struct omni_pair pair = {omni_text(fx->arena, rt_slice_text("get_sub_timeout_ms")),
                             omni_nil(fx->arena)};
    const struct omni_connector_spec spec = {.name = "Scripted",
                                             .extra = omni_map(fx->arena, &pair, 1)};
    struct omni_creation *creation = NULL;
    assert_int_equal(
        omni_factory_begin(fx->factory, &spec, &fx->environment, on_made, fx, &creation), RT_OK);
    run(fx);
    assert_string_equal(fx->text,
                        "Failed to create connector Scripted: int() argument must be a string, a "
                        "bytes-like object or a real number, not 'NoneType'");
}

static void cancel__before_the_end__made_never_runs(void **state)
{
    struct fixture *fx = *state;
    omni_creation_cancel(begin_one(fx, "Scripted"));
    omni_creation_cancel(begin_one(fx, "Unknown"));
    omni_creation_cancel(NULL);
    run(fx);
    assert_int_equal(fx->made_count, 0);
    assert_int_equal(fx->script.destroy_count, 1);
}

/* ---- the contract through an instance ------------------------------------------------------- */

static void on_put(void *arg, const struct omni_put_result *result)
{
    struct fixture *fx = arg;
    fx->result_count++;
    fx->is_success = result->is_success;
}

static void on_get(void *arg, const struct omni_get_result *result)
{
    struct fixture *fx = arg;
    fx->result_count++;
    fx->is_success = result->data != NULL && result->data->kind == OMNI_INT;
}

static void instance__each_call__reaches_the_connector(void **state)
{
    struct fixture *fx = *state;
    struct omni_health result;
    fx->script.answer = SCRIPT_ECHO;
    (void)begin_one(fx, "Scripted");
    run(fx);
    assert_int_equal(omni_instance_put(fx->instance, "0", "1", rt_slice_text("k"),
                                       omni_int(fx->arena, 7), on_put, fx),
                     RT_OK);
    run(fx);
    assert_true(fx->is_success);
    assert_string_equal(fx->script.key, "k:0_1");
    assert_int_equal(omni_instance_get(fx->instance, "0", "1", rt_slice_text("k"), on_get, fx),
                     RT_OK);
    run(fx);
    assert_int_equal(fx->result_count, 2);
    assert_true(fx->is_success);
    omni_instance_cleanup(fx->instance, rt_slice_text("request"));
    omni_instance_health(fx->instance, &result);
    assert_true(result.is_healthy);
    assert_int_equal(result.metrics.puts + result.metrics.gets, 2);
    omni_instance_close(fx->instance);
    omni_instance_health(fx->instance, &result);
    assert_false(result.is_healthy);
}

static void instance__what_the_table_leaves_out__is_the_base_class(void **state)
{
    struct fixture *fx = *state;
    (void)begin_one(fx, "Scripted");
    run(fx);
    assert_int_equal(
        omni_instance_get_with_deadline(fx->instance, "0", "1", rt_slice_text("k"), 1, on_get, fx),
        RT_E_INVALID);
    assert_string_equal(omni_instance_no_deadline_text(fx->instance),
                        "Scripted does not support deadline-aware receive");
    omni_instance_abandon_get(fx->instance, rt_slice_text("k"));
    omni_instance_reap_consumed(fx->instance);
    run(fx);
    assert_int_equal(fx->result_count, 0);
}

/* ---- all of a configuration ------------------------------------------------------------------ */

static void on_set(void *arg, struct omni_connector_set *set, const char *text)
{
    struct fixture *fx = arg;
    fx->made_count++;
    fx->set = set;
    assert_true((set == NULL) == (text != NULL));
    snprintf(fx->text, sizeof(fx->text), "%s", text == NULL ? "" : text);
}

static struct omni_connector_set *begin_set(struct fixture *fx, const char *text)
{
    struct omni_connector_set *pending = NULL;
    assert_int_equal(omni_transfer_config_load_text("c.yaml", rt_slice_text(text),
                                                    OMNI_TRANSFER_YAML, NULL, NULL, &fx->config),
                     RT_OK);
    assert_int_equal(
        omni_connector_set_create(fx->factory, fx->config, &fx->environment, on_set, fx, &pending),
        RT_OK);
    assert_int_equal(fx->made_count, 0);
    return pending;
}

#define EDGE(to, from, name, extra)                                                                \
    "- {stage_id: " to ", input_connectors: {from_stage_" from ": {name: " name ", extra: {" extra \
    "}}}}\n"

static void set__all_succeed__each_edge_has_its_connector(void **state)
{
    struct fixture *fx = *state;
    (void)begin_set(fx, "stage_args:\n" EDGE("1", "0", "Scripted", "")
                            EDGE("2", "1", "Scripted", "host: h2"));
    run(fx);
    assert_int_equal(fx->made_count, 1);
    assert_non_null(fx->set);
    assert_int_equal(omni_connector_set_count(fx->set), 2);
    assert_ptr_equal(omni_connector_set_find(fx->set, "0", "1"), omni_connector_set_at(fx->set, 0));
    assert_ptr_equal(omni_connector_set_find(fx->set, "1", "2"), omni_connector_set_at(fx->set, 1));
    assert_null(omni_connector_set_find(fx->set, "0", "2"));
    assert_null(omni_connector_set_at(fx->set, 2));
    assert_int_equal(fx->script.create_count, 2);
    assert_string_equal(fx->script.host, "h2");
}

static void set__no_edges__is_empty(void **state)
{
    struct fixture *fx = *state;
    (void)begin_set(fx, "{}");
    run(fx);
    assert_int_equal(fx->made_count, 1);
    assert_int_equal(omni_connector_set_count(fx->set), 0);
}

static void set__one_fails__the_others_are_closed_and_the_edge_is_named(void **state)
{
    struct fixture *fx = *state;
    fx->script.delay_us = 1000; /* of init: the other two are still under way */
    (void)begin_set(fx, "stage_args:\n" EDGE("1", "0", "Scripted", "")
                            EDGE("2", "1", "Scripted", "port: x") EDGE("3", "2", "Scripted", ""));
    run(fx);
    assert_int_equal(fx->made_count, 1);
    assert_null(fx->set);
    assert_string_equal(
        fx->text, "Failed to initialize connector for edge 1->2 (c.yaml:3:50): Failed to create "
                  "connector Scripted: invalid literal for int() with base 10: 'x'");
    assert_int_equal(fx->script.create_count, 2);
    assert_int_equal(fx->script.destroy_count, 2);
}

static void set__init_of_all_fails__is_told_once(void **state)
{
    struct fixture *fx = *state;
    fx->script.init_status =
        (struct ds_status){.code = K_RPC_UNAVAILABLE, .text = "nobody is there"};
    (void)begin_set(fx,
                    "stage_args:\n" EDGE("1", "0", "Scripted", "") EDGE("2", "1", "Scripted", ""));
    run(fx);
    assert_int_equal(fx->made_count, 1);
    assert_non_null(strstr(fx->text, "for edge 0->1 (c.yaml:2:50): Failed to create connector"));
    assert_non_null(strstr(fx->text, "nobody is there"));
}

static void set__unknown_name__fails_before_anything_is_begun(void **state)
{
    struct fixture *fx = *state;
    (void)begin_set(fx, "stage_args:\n" EDGE("1", "0", "Scripted", "") EDGE("2", "1", "Other", ""));
    run(fx);
    assert_string_equal(fx->text,
                        "Failed to initialize connector for edge 1->2 (c.yaml:3:50): Unknown "
                        "connector: Other. Available: ['YuanrongConnector', 'PollingConnector', "
                        "'Scripted']");
    assert_int_equal(fx->script.create_count, 0);
}

static void set__given_up_while_it_is_made__leaves_nothing(void **state)
{
    struct fixture *fx = *state;
    fx->script.delay_us = 1000;
    struct omni_connector_set *pending = begin_set(
        fx, "stage_args:\n" EDGE("1", "0", "Scripted", "") EDGE("2", "1", "Scripted", ""));
    omni_connector_set_destroy(pending);
    run(fx);
    assert_int_equal(fx->made_count, 0);
    assert_int_equal(fx->script.destroy_count, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(registry__from_the_start__knows_the_models_by_their_names),
        TEST(register__a_name_twice__is_refused_and_the_first_stays),
        TEST(register__a_table_with_a_hole__is_refused),
        TEST(create__registered_name__gives_a_connector_of_that_type),
        TEST(create__unknown_name__lists_those_that_are_there),
        TEST(create__constructor_fails__its_reason_is_wrapped),
        TEST(cancel__before_the_end__made_never_runs),
        TEST(instance__each_call__reaches_the_connector),
        TEST(instance__what_the_table_leaves_out__is_the_base_class),
        TEST(set__all_succeed__each_edge_has_its_connector),
        TEST(set__no_edges__is_empty),
        TEST(set__one_fails__the_others_are_closed_and_the_edge_is_named),
        TEST(set__init_of_all_fails__is_told_once),
        TEST(set__unknown_name__fails_before_anything_is_begun),
        TEST(set__given_up_while_it_is_made__leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
