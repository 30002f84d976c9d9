/* SPDX-License-Identifier: Apache-2.0 */
#include "omni_transfer_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int transfer_set_up(void **state)
{
    struct transfer_fixture *fx = calloc(1, sizeof(*fx));

    *state = fx;
    if (fx == NULL) {
        return 1;
    }
    fx->arena = omni_arena_create();
    return fx->arena == NULL;
}

int transfer_tear_down(void **state)
{
    struct transfer_fixture *fx = *state;

    omni_transfer_config_destroy(fx->config);
    omni_arena_destroy(fx->arena);
    free(fx);
    return 0;
}

static void on_problem(void *arg, const struct omni_transfer_problem *problem)
{
    struct transfer_fixture *fx = arg;
    char *texts = problem->is_warning ? fx->warnings : fx->errors;
    size_t used = strlen(texts);

    snprintf(texts + used, sizeof(fx->errors) - used, "%s\n", problem->text);
    if (problem->is_warning) {
        fx->warning_count++;
    } else if (fx->error_count++ == 0) {
        fx->line = problem->line;
        fx->column = problem->column;
    }
    assert_non_null(strstr(problem->text, problem->message));
    assert_string_equal(problem->path, "file.yaml");
}

static enum rt_status load(struct transfer_fixture *fx, const char *text,
                           enum omni_transfer_format format)
{
    omni_transfer_config_destroy(fx->config);
    fx->config = NULL;
    fx->errors[0] = fx->warnings[0] = '\0';
    fx->error_count = fx->warning_count = 0;
    enum rt_status status = omni_transfer_config_load_text("file.yaml", rt_slice_text(text), format,
                                                           on_problem, fx, &fx->config);
    assert_int_equal(status == RT_OK, fx->error_count == 0);
    assert_true(status == RT_OK || fx->config == NULL);
    return status;
}

enum rt_status transfer_load(struct transfer_fixture *fx, const char *text)
{
    return load(fx, text, OMNI_TRANSFER_YAML);
}

enum rt_status transfer_load_json(struct transfer_fixture *fx, const char *text)
{
    return load(fx, text, OMNI_TRANSFER_JSON);
}

void transfer_load_good(struct transfer_fixture *fx, const char *text)
{
    if (transfer_load(fx, text) != RT_OK) {
        fail_msg("%s", fx->errors);
    }
    assert_non_null(fx->config);
}

void transfer_load_bad(struct transfer_fixture *fx, const char *text, uint32_t line,
                       uint32_t column, const char *message)
{
    assert_int_equal(transfer_load(fx, text), RT_E_INVALID);
    if (strstr(fx->errors, message) == NULL) {
        fail_msg("\"%s\" is not in: %s", message, fx->errors);
    }
    if (fx->line != line || fx->column != column) {
        fail_msg("the place is not %u:%u: %s", line, column, fx->errors);
    }
}

const char *transfer_edges(struct transfer_fixture *fx)
{
    size_t used = 0;

    fx->described[0] = '\0';
    for (size_t i = 0; i < omni_transfer_config_edge_count(fx->config); i++) {
        const struct omni_edge *edge = omni_transfer_config_edge_at(fx->config, i);
        used += (size_t)snprintf(fx->described + used, sizeof(fx->described) - used,
                                 "%s%s->%s %s%s", i == 0 ? "" : "; ", edge->from_stage,
                                 edge->to_stage, edge->spec.name, edge->is_automatic ? "*" : "");
        assert_ptr_equal(omni_transfer_config_find(fx->config, edge->from_stage, edge->to_stage),
                         edge);
    }
    return fx->described;
}

const char *transfer_described(struct transfer_fixture *fx, const struct omni_value *value)
{
    omni_value_describe(value, fx->described, sizeof(fx->described));
    return fx->described;
}
