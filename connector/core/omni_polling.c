/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "connector/core/omni_internal.h"

/*
 * How a polling connector gets (docs/reference/connector.md, Retrieval models), as upstream's
 * MooncakeStoreConnector does:
 *
 *   omni__look --ask--> on_look --value that decodes--> omni__succeed_get
 *        ^                 '------anything else-------> next --tries used up--> omni__fail
 *        '------------------ pause over <-----------------'
 *
 * A look does not wait in the worker. Between two looks nothing of the call is at the client. An
 * exception inside a look is logged and is a look in vain; only running out is counted, under the
 * cause of the last look.
 */
static void on_look(void *arg, const struct ds_result *result);
static void next(struct omni_call *call, enum ds_cause cause, const struct ds_status *status);
static void run_out(struct omni_call *call, enum ds_cause cause, const struct ds_status *status);

/* Not RT_OK: the client has not been asked. */
enum rt_status omni__look(struct omni_call *call)
{
    enum rt_status status = omni__ask(call, 0, on_look);
    if (status == RT_OK) {
        call->try_count++;
    }
    return status;
}

static void on_look(void *arg, const struct ds_result *result)
{
    struct omni_call *call = arg;
    struct omni_connector *connector = call->connector;
    char text[OMNI_TEXT_BYTES];
    struct ds_status status = result->status;
    enum ds_cause cause = ds_cause_of(status.code, status.detail);

    call->client_call = NULL;
    if (connector->client == NULL) {
        omni__refuse(call);
        return;
    }
    omni__histogram_add(&connector->metrics.fetch, omni__now_us(connector) - call->client_us);
    if (status.code != K_OK) {
        ds_status_format(&status, text, sizeof(text));
        omni__log(connector, OMNI_LOG_DEBUG, "%s get attempt %" PRId64 " failed: %s",
                  omni_model_name(connector->model), call->try_count - 1, text);
        next(call, cause, &status);
        return;
    }
    if (result->value_count == 0 || !result->values[0].is_present ||
        result->values[0].bytes.len_bytes == 0) { /* Python asks whether the bytes are truthy */
        status.text = "nothing there";
        next(call, DS_CAUSE_NOT_FOUND, &status);
        return;
    }
    cause = omni__decode(call, &result->values[0], text);
    if (cause == DS_CAUSE_NONE) {
        omni__succeed_get(call);
        return;
    }
    omni__log(connector, OMNI_LOG_DEBUG, "%s get attempt %" PRId64 " failed: %s",
              omni_model_name(connector->model), call->try_count - 1, text);
    status.text = text;
    next(call, cause, &status);
}

/* No pause after the last look. */
static void next(struct omni_call *call, enum ds_cause cause, const struct ds_status *status)
{
    struct omni_connector *connector = call->connector;
    uint64_t interval_us = (uint64_t)connector->options.poll_interval_ms * 1000;

    if (call->try_count >= connector->options.poll_tries ||
        rt_timer_arm_after(&call->pause, interval_us) != RT_OK) {
        run_out(call, cause, status);
    }
}

void omni__on_pause_over(void *arg)
{
    struct omni_call *call = arg;
    enum rt_status status = omni__look(call);

    if (status != RT_OK) {
        const struct ds_status said = {.text = rt_status_text(status)};
        call->try_count++;
        next(call, DS_CAUSE_OUT_OF_MEMORY, &said);
    }
}

static void run_out(struct omni_call *call, enum ds_cause cause, const struct ds_status *status)
{
    char text[OMNI_TEXT_BYTES];
    snprintf(text, sizeof(text), "timeout waiting for %.*s after %" PRId64 " tries; the last: %s",
             (int)call->key_bytes, call->key, call->try_count, status->text);
    const struct ds_status last = {.code = status->code, .detail = status->detail, .text = text};
    if (status->code == K_OK) {
        omni__fail(call, cause, text);
    } else {
        omni__fail_status(call, cause, &last);
    }
}
