/* SPDX-License-Identifier: Apache-2.0 */
/* Blocking connectors of a configuration over real sockets, against a fake worker of this process.
 */
#include "connector/omni_blocking_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fakeds/include/fakeds.h"

struct fixture {
    struct fakeds *fake;
    struct omni_factory *factory;
    struct omni_transfer_config *config;
    struct omni_blocking_set *set;
    struct omni_arena *arena;
    char text[OMNI_SET_TEXT_BYTES];
};

static int set_up(void **state)
{
    struct fixture *fx = calloc(1, sizeof(*fx));
    *state = fx;
    if (fx == NULL) {
        return 1;
    }
    fx->arena = omni_arena_create();
    return fx->arena == NULL || fakeds_start(NULL, &fx->fake) != FAKEDS_OK ||
           omni_factory_create(&fx->factory) != RT_OK;
}

static int tear_down(void **state)
{
    struct fixture *fx = *state;
    omni_blocking_set_destroy(fx->set);
    omni_transfer_config_destroy(fx->config);
    omni_factory_destroy(fx->factory);
    omni_arena_destroy(fx->arena);
    fakeds_stop(fx->fake);
    free(fx);
    return 0;
}

/* Edges 0->1 and 1->2 with these connectors; @ stands for the worker's port. */
static enum rt_status create(struct fixture *fx, const char *first, const char *second)
{
    char format[1024];
    char text[1024];
    unsigned port = fakeds_port(fx->fake);
    snprintf(format, sizeof(format),
             "stage_args:\n- {stage_id: 1, input_connectors: {from_stage_0: %s}}\n"
             "- {stage_id: 2, input_connectors: {from_stage_1: %s}}\n",
             first, second);
    size_t used = 0;
    for (const char *at = format; *at != '\0' && used + 8 < sizeof(text); at++) {
        if (*at == '@') {
            used += (size_t)snprintf(text + used, sizeof(text) - used, "%u", port);
        } else {
            text[used++] = *at;
        }
    }
    text[used] = '\0';
    assert_int_equal(omni_transfer_config_load_text("c.yaml", rt_slice_text(text),
                                                    OMNI_TRANSFER_YAML, NULL, NULL, &fx->config),
                     RT_OK);
    return omni_blocking_set_create(fx->factory, fx->config, NULL, &fx->set, fx->text);
}

#define YUANRONG "{name: YuanrongConnector, extra: {port: @}}"
#define POLLING  "{name: PollingConnector, extra: {port: @, poll_tries: 2, poll_interval_ms: 1}}"

static void set__two_edges__each_connector_serves_its_own(void **state)
{
    struct fixture *fx = *state;
    struct omni_call_result result;
    struct omni_blocking_health health;
    const struct omni_value *data = omni_int(fx->arena, 7);
    if (create(fx, YUANRONG, POLLING) != RT_OK) {
        fail_msg("%s", fx->text);
    }
    assert_int_equal(omni_blocking_set_count(fx->set), 2);
    assert_null(omni_blocking_set_find(fx->set, "0", "2"));
    for (size_t i = 0; i < 2; i++) {
        const struct omni_edge *edge = omni_transfer_config_edge_at(fx->config, i);
        struct omni_blocking_instance *instance =
            omni_blocking_set_find(fx->set, edge->from_stage, edge->to_stage);
        assert_ptr_equal(instance, omni_blocking_set_at(fx->set, i));
        assert_int_equal(omni_blocking_instance_put(instance, edge->from_stage, edge->to_stage,
                                                    rt_slice_text("k"), data, &result),
                         RT_OK);
        assert_int_equal(result.outcome, OMNI_DONE);
        assert_int_equal(omni_blocking_instance_get(instance, edge->from_stage, edge->to_stage,
                                                    rt_slice_text("k"), &result),
                         RT_OK);
        assert_int_equal(result.outcome, OMNI_DONE);
        assert_int_equal(result.data->integer, 7);
        omni_arena_destroy(result.arena);
        assert_int_equal(omni_blocking_instance_cleanup(instance, rt_slice_text("r")), RT_OK);
        assert_int_equal(omni_blocking_instance_health(instance, &health), RT_OK);
        assert_true(health.is_healthy);
        assert_int_equal(health.metrics.gets, 1);
        assert_int_equal(omni_blocking_instance_close(instance), RT_OK);
        assert_int_equal(omni_blocking_instance_health(instance, &health), RT_OK);
        assert_false(health.is_healthy);
    }
    /* Each model has a key of its own shape. */
    size_t size_bytes = 0;
    assert_int_equal(fakeds_peek(fx->fake, "k:0_1", NULL, 0, &size_bytes), FAKEDS_OK);
    assert_int_equal(fakeds_peek(fx->fake, "k@1_2", NULL, 0, &size_bytes), FAKEDS_OK);
}

static void set__the_second_fails__the_first_is_closed(void **state)
{
    struct fixture *fx = *state;
    assert_int_equal(create(fx, YUANRONG, "{name: YuanrongConnector, extra: {port: -1}}"),
                     RT_E_INVALID);
    assert_non_null(strstr(fx->text, "Failed to initialize connector for edge 1->2 (c.yaml:3:50): "
                                     "Failed to create connector YuanrongConnector: "));
    assert_null(fx->set);
    assert_int_equal(fakeds_requests(fx->fake, "register"), 1); /* the first one was there */
}

static void set__unknown_name__fails_before_anything_is_begun(void **state)
{
    struct fixture *fx = *state;
    assert_int_equal(create(fx, YUANRONG, "{name: Nobody}"), RT_E_INVALID);
    assert_non_null(strstr(fx->text, "edge 1->2 (c.yaml:3:50): Unknown connector: Nobody."));
    assert_int_equal(fakeds_requests(fx->fake, "register"), 0);
}

static enum rt_status begin(const struct omni_connector_type *type,
                            const struct omni_environment *environment,
                            const struct omni_value *extra, struct omni_creation *creation,
                            void **out_pending)
{
    (void)type;
    (void)environment;
    (void)extra;
    (void)creation;
    (void)out_pending;
    return RT_E_NOMEM;
}

static void set__a_type_without_a_blocking_form__says_so(void **state)
{
    struct fixture *fx = *state;
    struct omni_connector_type type = *omni_factory_find(fx->factory, "YuanrongConnector");
    type.name = "LoopOnly";
    type.begin = begin;
    type.blocking = NULL;
    assert_int_equal(omni_factory_register(fx->factory, &type), RT_OK);
    assert_int_equal(create(fx, "{name: LoopOnly}", YUANRONG), RT_E_INVALID);
    assert_non_null(strstr(fx->text, "this type has no blocking form"));
}

static void one__by_its_name__is_made_or_refused(void **state)
{
    struct fixture *fx = *state;
    struct omni_blocking_instance *instance = NULL;
    struct omni_pair port = {omni_text(fx->arena, rt_slice_text("port")),
                             omni_int(fx->arena, fakeds_port(fx->fake))};
    struct omni_connector_spec spec = {.name = "YuanrongConnector",
                                       .extra = omni_map(fx->arena, &port, 1)};
    assert_int_equal(omni_blocking_instance_create(fx->factory, &spec, NULL, &instance, fx->text),
                     RT_OK);
    assert_non_null(omni_blocking_instance_self(instance));
    omni_blocking_instance_destroy(instance);
    omni_blocking_instance_destroy(NULL);
    spec.name = "Other";
    assert_int_equal(omni_blocking_instance_create(fx->factory, &spec, NULL, &instance, fx->text),
                     RT_E_INVALID);
    assert_string_equal(fx->text, "Unknown connector: Other. Available: ['YuanrongConnector', "
                                  "'PollingConnector']");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(set__two_edges__each_connector_serves_its_own),
        TEST(set__the_second_fails__the_first_is_closed),
        TEST(set__unknown_name__fails_before_anything_is_begun),
        TEST(set__a_type_without_a_blocking_form__says_so),
        TEST(one__by_its_name__is_made_or_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
