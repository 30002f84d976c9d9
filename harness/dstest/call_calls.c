/* SPDX-License-Identifier: Apache-2.0 */
/* One call of `dstest call` at a time: begun, waited for on the loop, told. */
#include <inttypes.h>

#include "harness/dstest/call_runner.h"

static void finish_call(struct call_runner *runner, const struct ds_status *status,
                        enum ds_cause cause);

/* ---- waiting -------------------------------------------------------------------------------- */

bool call_is_done(void *arg)
{
    const struct call_runner *runner = arg;

    return runner->is_done;
}

void call_begin(struct call_runner *runner)
{
    runner->is_done = false;
    runner->started_us = rt_monotonic_us();
}

/* `accepted`: whether the call was begun at all. */
bool call_wait(struct call_runner *runner, enum rt_status accepted)
{
    enum rt_status status = accepted;

    if (status == RT_OK) {
        status = rt_loop_run(runner->loop, call_is_done, runner, RT_NEVER);
    }
    runner->took_us = rt_monotonic_us() - runner->started_us;
    if (status != RT_OK) {
        (void)fprintf(stderr, "dstest call: %s\n", rt_status_text(status));
    }
    return status == RT_OK;
}

double call_took_ms(const struct call_runner *runner)
{
    return (double)runner->took_us / 1000.0;
}

/* ---- calls ---------------------------------------------------------------------------------- */

static int fail_call(const struct call_runner *runner, const char *what, bool is_put)
{
    (void)fprintf(stderr, "dstest call: %s %s failed after %.1f ms: %s: %s\nnext: %s\n", what,
                  runner->full_key, call_took_ms(runner), ds_cause_word(runner->cause),
                  runner->text, call_advice(runner->cause, is_put));
    return CALL_EXIT_FAILED;
}

static void finish_call(struct call_runner *runner, const struct ds_status *status,
                        enum ds_cause cause)
{
    runner->cause = cause;
    if (status->code == K_OK) { /* what is wrong with a value has no code */
        (void)snprintf(runner->text, sizeof(runner->text), "%s", status->text);
    } else {
        ds_status_format(status, runner->text, sizeof(runner->text));
    }
    runner->is_done = true;
}

static void on_put(void *arg, const struct omni_put_result *result)
{
    struct call_runner *runner = arg;

    runner->is_success = result->is_success;
    runner->size_bytes = result->size_bytes;
    finish_call(runner, &result->status, result->cause);
}

int call_put(struct call_runner *runner, const struct omni_value *data)
{
    const struct call_target *target = runner->target;

    call_begin(runner);
    if (!call_wait(runner, omni_instance_put(runner->instance, target->from_stage, target->to_stage,
                                             rt_slice_text(runner->key), data, on_put, runner))) {
        return CALL_EXIT_CANNOT;
    }
    if (!runner->is_success) {
        return fail_call(runner, "put", true);
    }
    (void)fprintf(runner->notes, "put %s: %" PRIu64 " bytes in %.2f ms\n", runner->full_key,
                  runner->size_bytes, call_took_ms(runner));
    return CALL_EXIT_DONE;
}

static void on_get(void *arg, const struct omni_get_result *result)
{
    struct call_runner *runner = arg;

    runner->is_success = result->data != NULL;
    runner->is_empty = result->data == NULL && result->cause == DS_CAUSE_NONE;
    runner->size_bytes = result->size_bytes;
    if (result->data != NULL) {
        *result->is_arena_kept = true;
        runner->arena = result->arena;
        runner->value = result->data;
    }
    if (result->payload != NULL) {
        runner->payload = rt_blob_retain(result->payload);
    }
    finish_call(runner, &result->status, result->cause);
}

int call_get(struct call_runner *runner)
{
    const struct call_target *target = runner->target;
    char described[160];

    call_begin(runner);
    if (!call_wait(runner, omni_instance_get(runner->instance, target->from_stage, target->to_stage,
                                             rt_slice_text(runner->key), on_get, runner))) {
        return CALL_EXIT_CANNOT;
    }
    if (runner->is_empty) {
        (void)fprintf(stderr, "dstest call: get %s: nothing, after %.1f ms\n", runner->full_key,
                      call_took_ms(runner));
        return CALL_EXIT_FAILED;
    }
    if (!runner->is_success) {
        return fail_call(runner, "get", false);
    }
    omni_value_describe(runner->value, described, sizeof(described));
    (void)fprintf(runner->notes, "get %s: %" PRIu64 " bytes in %.2f ms: %s\n", runner->full_key,
                  runner->size_bytes, call_took_ms(runner), described);
    return CALL_EXIT_DONE;
}

static void on_raw(void *arg, const struct ds_result *result)
{
    struct call_runner *runner = arg;

    runner->is_success = result->status.code == K_OK;
    runner->is_there = result->exist_count == 1 && result->exists[0];
    finish_call(runner, &result->status,
                runner->is_success ? DS_CAUSE_NONE
                                   : ds_cause_of(result->status.code, result->status.detail));
}

/* What the connector does not offer, its client does. */
int call_client(struct call_runner *runner, enum call_verb verb)
{
    void *client = omni_connector_client(omni_instance_self(runner->instance));
    const struct rt_slice key = rt_slice_text(runner->full_key);
    static const char *const words[] = {
        [CALL_EXIST] = "exist", [CALL_DELETE] = "delete", [CALL_HEALTH] = "health"};

    call_begin(runner);
    enum rt_status status = verb == CALL_EXIST    ? ds_exist(client, &key, 1, on_raw, runner)
                            : verb == CALL_DELETE ? ds_delete(client, &key, 1, on_raw, runner)
                                                  : ds_health(client, on_raw, runner);
    if (!call_wait(runner, status)) {
        return CALL_EXIT_CANNOT;
    }
    if (!runner->is_success) {
        return fail_call(runner, words[verb], false);
    }
    return CALL_EXIT_DONE;
}
