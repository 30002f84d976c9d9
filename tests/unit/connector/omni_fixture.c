/* SPDX-License-Identifier: Apache-2.0 */
#include "omni_fixture.h"

#include <stdio.h>
#include <stdlib.h>

static void on_log(void *arg, enum omni_log_level level, const char *text)
{
    struct fixture *fx = arg;
    static const char *const words[] = {"debug: ", "info: ", "error: "};
    size_t used = strlen(fx->log);
    snprintf(fx->log + used, sizeof(fx->log) - used, "%s%s\n", words[level], text);
}

void on_created(void *arg, struct omni_connector *connector, const char *text)
{
    struct fixture *fx = arg;
    fx->created_count++;
    fx->connector = connector;
    assert_true((connector == NULL) == (text != NULL));
    snprintf(fx->created_text, sizeof(fx->created_text), "%s", text == NULL ? "" : text);
}

void on_put(void *arg, const struct omni_put_result *result)
{
    struct fixture *fx = arg;
    fx->put_count++;
    fx->put = *result;
    snprintf(fx->put_text, sizeof(fx->put_text), "%s", result->status.text);
    if (fx->is_destroying_in_callback) {
        fx->is_destroying_in_callback = false;
        omni_connector_destroy(fx->connector);
        fx->connector = NULL;
    }
}

void on_get(void *arg, const struct omni_get_result *result)
{
    struct fixture *fx = arg;
    fx->get_count++;
    fx->get = *result;
    snprintf(fx->get_text, sizeof(fx->get_text), "%s", result->status.text);
    snprintf(fx->get_data, sizeof(fx->get_data), "nothing");
    if (result->data != NULL) {
        omni_value_describe(result->data, fx->get_data, sizeof(fx->get_data));
    }
}

int set_up(void **state)
{
    struct fixture *fx = calloc(1, sizeof(*fx));
    *state = fx;
    if (fx == NULL || rt_loop_create(RT_LOOP_SIMULATED, &fx->loop) != RT_OK) {
        return 1;
    }
    script_init(&fx->script);
    fx->arena = omni_arena_create();
    fx->environment = (struct omni_environment){
        .ds = {.loop = fx->loop, .name = "edge"},
        .log = on_log,
        .log_arg = fx,
    };
    return fx->arena == NULL;
}

int tear_down(void **state)
{
    struct fixture *fx = *state;
    if (fx->connector != NULL) {
        struct omni_metrics metrics;
        omni_connector_metrics(fx->connector, &metrics);
        assert_null(omni_metrics_broken_law(&metrics));
    }
    omni_connector_destroy(fx->connector);
    assert_int_equal(fx->script.create_count, fx->script.destroy_count);
    assert_int_equal(fx->script.close_count, 0); /* no word to the worker */
    script_fini(&fx->script);
    omni_arena_destroy(fx->arena);
    rt_loop_destroy(fx->loop);
    free(fx);
    return rt_blob_live_count() != 0;
}

void run(struct fixture *fx)
{
    assert_int_equal(rt_loop_run(fx->loop, NULL, NULL, RT_NEVER), RT_E_IDLE);
}

void run_until_us(struct fixture *fx, uint64_t time_us)
{
    enum rt_status status = rt_loop_run(fx->loop, NULL, NULL, time_us);
    assert_true(status == RT_E_TIMEOUT || status == RT_E_IDLE);
}

void create(struct fixture *fx, const struct omni_value *extra)
{
    struct omni_connector_config config = {
        .model = fx->model, .extra = extra, .binding = &fx->script.binding};
    assert_int_equal(omni_connector_create(&fx->environment, &config, on_created, fx), RT_OK);
    assert_int_equal(fx->created_count, 0); /* never from inside the call */
    run(fx);
    assert_int_equal(fx->created_count, 1);
}

void create_ready(struct fixture *fx)
{
    create(fx, NULL);
    assert_non_null(fx->connector);
    fx->log[0] = '\0';
}

void create_with(struct fixture *fx, const char *key, const struct omni_value *value)
{
    struct omni_pair pair = {omni_text(fx->arena, rt_slice_text(key)), value};
    fx->created_count = 0;
    fx->log[0] = '\0';
    omni_connector_destroy(fx->connector);
    fx->connector = NULL;
    create(fx, omni_map(fx->arena, &pair, 1));
}

struct omni_value *text(struct fixture *fx, const char *chars)
{
    return omni_text(fx->arena, rt_slice_text(chars));
}

void put(struct fixture *fx, const struct omni_value *data)
{
    int before = fx->put_count;
    assert_int_equal(omni_put(fx->connector, "0", "1", rt_slice_text("request"), data, on_put, fx),
                     RT_OK);
    assert_int_equal(fx->put_count, before);
}

void get(struct fixture *fx)
{
    int before = fx->get_count;
    assert_int_equal(omni_get(fx->connector, "0", "1", rt_slice_text("request"), on_get, fx),
                     RT_OK);
    assert_int_equal(fx->get_count, before);
}

struct omni_metrics metrics_of(struct fixture *fx)
{
    struct omni_metrics metrics;
    omni_connector_metrics(fx->connector, &metrics);
    const char *broken = omni_metrics_broken_law(&metrics);
    if (broken != NULL) {
        fail_msg("law broken: %s", broken);
    }
    return metrics;
}

void assert_logged(struct fixture *fx, const char *part)
{
    if (strstr(fx->log, part) == NULL) {
        fail_msg("the log does not hold '%s':\n%s", part, fx->log);
    }
}

void answer_status(struct fixture *fx, int32_t code, enum ds_detail detail, const char *chars)
{
    fx->script.answer = SCRIPT_STATUS;
    fx->script.status = (struct ds_status){.code = code, .detail = detail, .text = chars};
}
