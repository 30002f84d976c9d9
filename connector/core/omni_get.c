/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "connector/core/omni_internal.h"
#include "connector/serializer/omni_arena.h"

/*
 * One get (docs/reference/connector.md, Calls), in the order things happen:
 *
 *   omni_get --closed----------> omni__refuse -.
 *      |------ too late ---------> omni__fail -+
 *      |--polling--> omni_polling.c -----------+
 *      '--ask--> in flight --on_get -----------+--> omni_call.c
 */
static enum rt_status start_asking(struct omni_call *call);
static void on_get(void *arg, const struct ds_result *result);
static bool take_payload(struct omni_call *call, const struct ds_value *value);

/* A payload up to this shares its memory with the arena of the values in it. */
#define SHARED_MEMORY_BYTES 4096U

enum rt_status omni_get(struct omni_connector *connector, const char *from_stage,
                        const char *to_stage, struct rt_slice get_key, omni_get_fn *done, void *arg)
{
    return omni_get_with(connector, from_stage, to_stage, get_key, NULL, done, arg);
}

enum rt_status omni_get_with_deadline(struct omni_connector *connector, const char *from_stage,
                                      const char *to_stage, struct rt_slice get_key,
                                      uint64_t deadline_us, omni_get_fn *done, void *arg)
{
    const struct omni_call_options options = {.has_deadline = true, .deadline_us = deadline_us};
    return omni_get_with(connector, from_stage, to_stage, get_key, &options, done, arg);
}

enum rt_status omni_get_with(struct omni_connector *connector, const char *from_stage,
                             const char *to_stage, struct rt_slice get_key,
                             const struct omni_call_options *options, omni_get_fn *done, void *arg)
{
    bool has_deadline = options != NULL && options->has_deadline;
    if (has_deadline && omni_no_deadline_text(connector->model) != NULL) {
        return RT_E_INVALID;
    }
    struct omni_call *call = omni__new_call(connector, from_stage, to_stage, get_key);
    if (call == NULL) {
        return RT_E_NOMEM;
    }
    call->get_done = done;
    call->arg = arg;
    bool is_over = false;
    enum rt_status status = omni__admit(call, options, &is_over);
    if (status == RT_OK && !is_over) {
        status = start_asking(call);
    }
    if (status != RT_OK) {
        omni__put_back(call);
    }
    return status;
}

const char *omni_no_deadline_text(enum omni_model model)
{
    return model == OMNI_POLLING ? "PollingConnector does not support deadline-aware receive"
                                 : NULL;
}

/* Not RT_OK: nothing happened. */
static enum rt_status start_asking(struct omni_call *call)
{
    struct omni_connector *connector = call->connector;
    enum rt_status status = connector->model == OMNI_POLLING
                                ? omni__look(call)
                                : omni__ask(call, connector->options.sub_timeout_ms, on_get);
    if (status == RT_OK) {
        omni__start(call);
    }
    return status;
}

enum rt_status omni__ask(struct omni_call *call, int64_t sub_timeout_ms, ds_done_fn *done)
{
    struct omni_connector *connector = call->connector;
    struct rt_slice key = rt_slice_of(call->key, call->key_bytes);
    call->client_us = omni__now_us(connector);
    if (call->has_deadline && call->deadline_us > call->client_us) {
        uint64_t left_ms = (call->deadline_us - call->client_us) / 1000;
        sub_timeout_ms = left_ms < (uint64_t)sub_timeout_ms ? (int64_t)left_ms : sub_timeout_ms;
    }
    return connector->ops->get(connector->client, &key, 1, sub_timeout_ms, done, call,
                               &call->client_call);
}

/* The table of docs/reference/connector.md, Calls. */
static void on_get(void *arg, const struct ds_result *result)
{
    struct omni_call *call = arg;
    struct omni_connector *connector = call->connector;
    char text[OMNI_TEXT_BYTES];
    call->client_call = NULL;
    if (connector->client == NULL) {
        omni__refuse(call);
        return;
    }
    omni__histogram_add(&connector->metrics.fetch, omni__now_us(connector) - call->client_us);
    if (result->status.code != K_OK) {
        omni__fail_status(call, ds_cause_of(result->status.code, result->status.detail),
                          &result->status);
        return;
    }
    if (result->value_count == 0 || !result->values[0].is_present) {
        omni__bring_nothing(call);
        return;
    }
    enum ds_cause cause = omni__decode(call, &result->values[0], text);
    if (cause == DS_CAUSE_NONE) {
        omni__succeed_get(call);
    } else {
        omni__fail(call, cause, text);
    }
}

enum ds_cause omni__decode(struct omni_call *call, const struct ds_value *value,
                           char out_text[OMNI_TEXT_BYTES])
{
    struct omni_connector *connector = call->connector;
    struct omni_codec_error error = {.text = ""};
    uint64_t before_us = omni__now_us(connector);
    enum rt_status status = RT_E_NOMEM;

    if (take_payload(call, value)) {
        omni_arena_reset(call->arena);
        status = omni_decode(call->payload, call->arena, &connector->limits, &call->data, &error);
    }
    if (status == RT_E_NOMEM) {
        snprintf(out_text, OMNI_TEXT_BYTES, "%s", rt_status_text(status));
        return DS_CAUSE_OUT_OF_MEMORY;
    }
    if (status != RT_OK) {
        snprintf(out_text, OMNI_TEXT_BYTES, "%s (byte %" PRIu64 ")", error.text,
                 error.offset_bytes);
        return DS_CAUSE_CODEC;
    }
    call->size_bytes = value->bytes.len_bytes;
    call->fetch_us = before_us - call->client_us;
    call->deserialize_us = omni__now_us(connector) - before_us;
    omni__histogram_add(&connector->metrics.deserialize, call->deserialize_us);
    return DS_CAUSE_NONE;
}

/* The bytes as they came, and an arena for the values in them. False: no memory. */
static bool take_payload(struct omni_call *call, const struct ds_value *value)
{
    bool is_whole = value->blob != NULL && rt_blob_slice(value->blob).data == value->bytes.data &&
                    rt_blob_slice(value->blob).len_bytes == value->bytes.len_bytes;

    rt_blob_release(call->payload); /* of an earlier look */
    call->payload = NULL;
    if (!is_whole && call->arena == NULL && value->bytes.len_bytes <= SHARED_MEMORY_BYTES) {
        call->arena = omni__arena_with_copy(value->bytes, &call->payload);
        return call->arena != NULL;
    }
    call->payload = is_whole ? rt_blob_retain(value->blob) : rt_blob_copy(value->bytes);
    if (call->arena == NULL) {
        call->arena = omni_arena_create();
    }
    return call->payload != NULL && call->arena != NULL;
}

void omni__succeed_get(struct omni_call *call)
{
    struct omni_connector *connector = call->connector;
    if (connector->environment.log != NULL) {
        double total_us = (double)(call->fetch_us + call->deserialize_us);
        omni__log(connector, OMNI_LOG_INFO,
                  "%s get %.*s: fetch %.3f ms, deserialize %.3f ms, total %.3f ms, "
                  "%" PRIu64 " bytes, %.1f MB/s",
                  omni_model_name(connector->model), (int)call->key_bytes, call->key,
                  (double)call->fetch_us / 1e3, (double)call->deserialize_us / 1e3, total_us / 1e3,
                  call->size_bytes, total_us > 0 ? (double)call->size_bytes / total_us : 0.0);
    }
    omni__succeed(call);
}
