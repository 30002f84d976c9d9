/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "connector/core/omni_internal.h"

/*
 * One put (docs/reference/connector.md, Calls), in the order things happen:
 *
 *   omni_put --closed---------------------> omni__refuse -.
 *      |------ too late, cannot be encoded -> omni__fail -+
 *      '--set--> in flight --on_set--> store -------------+--> omni_call.c
 */
static enum rt_status encode_and_set(struct omni_call *call, const struct omni_value *data);
static void on_set(void *arg, const struct ds_result *result);
static enum ds_cause put_cause(const struct ds_status *status);
static void succeed(struct omni_call *call);

enum rt_status omni_put(struct omni_connector *connector, const char *from_stage,
                        const char *to_stage, struct rt_slice put_key,
                        const struct omni_value *data, omni_put_fn *done, void *arg)
{
    return omni_put_with(connector, from_stage, to_stage, put_key, data, NULL, done, arg);
}

enum rt_status omni_put_with(struct omni_connector *connector, const char *from_stage,
                             const char *to_stage, struct rt_slice put_key,
                             const struct omni_value *data, const struct omni_call_options *options,
                             omni_put_fn *done, void *arg)
{
    struct omni_call *call = omni__new_call(connector, from_stage, to_stage, put_key);
    if (call == NULL) {
        return RT_E_NOMEM;
    }
    call->is_put = true;
    call->put_done = done;
    call->arg = arg;
    bool is_over = false;
    enum rt_status status = omni__admit(call, options, &is_over);
    if (status == RT_OK && !is_over) {
        status = encode_and_set(call, data);
    }
    if (status != RT_OK) {
        omni__put_back(call);
    }
    return status;
}

/* Not RT_OK: nothing happened. */
static enum rt_status encode_and_set(struct omni_call *call, const struct omni_value *data)
{
    struct omni_connector *connector = call->connector;
    struct omni_encoded encoded;
    struct omni_codec_error error = {.text = ""};
    uint64_t before_us = omni__now_us(connector);
    enum rt_status status = omni_encode(data, &connector->limits, &encoded, &error);
    if (status == RT_E_NOMEM) {
        return status;
    }
    if (status != RT_OK) {
        omni__start(call);
        omni__fail(call, DS_CAUSE_CODEC, error.text);
        return RT_OK;
    }
    call->size_bytes = encoded.value.total_bytes;
    call->client_us = omni__now_us(connector);
    status = connector->ops->set(connector->client, rt_slice_of(call->key, call->key_bytes),
                                 &encoded.value, &connector->set_options, on_set, call,
                                 &call->client_call);
    omni_encoded_fini(&encoded);
    if (status == RT_OK) {
        omni__histogram_add(&connector->metrics.serialize, call->client_us - before_us);
        omni__start(call);
    }
    return status;
}

static void on_set(void *arg, const struct ds_result *result)
{
    struct omni_call *call = arg;
    struct omni_connector *connector = call->connector;
    call->client_call = NULL;
    if (connector->client == NULL) {
        omni__refuse(call);
        return;
    }
    omni__histogram_add(&connector->metrics.store, omni__now_us(connector) - call->client_us);
    if (result->status.code == K_OK) {
        succeed(call);
    } else {
        omni__fail_status(call, put_cause(&result->status), &result->status);
    }
}

/* The put law knows no "not found", and its "encode" is ours alone. */
static enum ds_cause put_cause(const struct ds_status *status)
{
    enum ds_cause cause = ds_cause_of(status->code, status->detail);
    return cause == DS_CAUSE_NOT_FOUND || cause == DS_CAUSE_CODEC ? DS_CAUSE_OTHER : cause;
}

static void succeed(struct omni_call *call)
{
    struct omni_connector *connector = call->connector;
    connector->metrics.bytes_transferred += call->size_bytes;
    omni__log(connector, OMNI_LOG_DEBUG, "%s put %.*s (%s to %s): %" PRIu64 " bytes",
              omni_model_name(connector->model), (int)call->key_bytes, call->key, call->from_stage,
              call->to_stage, call->size_bytes);
    omni__succeed(call);
}
