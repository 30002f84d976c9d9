/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "connector/omni_internal.h"

/*
 * One put or get, in the order things happen:
 *
 *   omni_put --closed--------------> refuse ---.
 *      |-----value cannot be encoded-> fail ---+
 *      '--set--> in flight --on_set--> store --+--> finished --deliver--> callback, freed
 *                             '-fail, refuse---'
 *
 * Counters move when a call is finished; the callback runs later, from the loop, when neither the
 * client nor the caller is on the stack. So a callback may do anything, destroying included.
 */
static enum rt_status encode_and_set(struct omni_call *call, const struct omni_value *data);
static void start(struct omni_call *call);
static void on_set(void *arg, const struct ds_result *result);
static void on_get(void *arg, const struct ds_result *result);
static void take_value(struct omni_call *call, const struct ds_value *value);
static enum ds_cause put_cause(const struct ds_status *status);
static void succeed_put(struct omni_call *call);
static void succeed_get(struct omni_call *call, uint64_t fetch_us, uint64_t deserialize_us);
static void fail_status(struct omni_call *call, enum ds_cause cause,
                        const struct ds_status *status);
static void fail(struct omni_call *call, enum ds_cause cause, const char *text);
static void refuse(struct omni_call *call);
static void finish(struct omni_call *call);
static void call_back(struct omni_call *call);

static uint64_t now_us(const struct omni_connector *connector)
{
    return rt_loop_now_us(connector->environment.ds.loop);
}

/* ---- put ----------------------------------------------------------------------------------- */

enum rt_status omni_put(struct omni_connector *connector, const char *from_stage,
                        const char *to_stage, struct rt_slice put_key,
                        const struct omni_value *data, omni_put_fn *done, void *arg)
{
    struct omni_call *call = omni__new_call(connector, from_stage, to_stage, put_key);
    if (call == NULL) {
        return RT_E_NOMEM;
    }
    call->is_put = true;
    call->put_done = done;
    call->arg = arg;
    if (connector->client == NULL) {
        start(call);
        refuse(call);
        return RT_OK;
    }
    enum rt_status status = encode_and_set(call, data);
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
    uint64_t before_us = now_us(connector);
    enum rt_status status = omni_encode(data, &connector->limits, &encoded, &error);
    if (status == RT_E_NOMEM) {
        return status;
    }
    if (status != RT_OK) {
        start(call);
        fail(call, DS_CAUSE_CODEC, error.text);
        return RT_OK;
    }
    call->size_bytes = encoded.value.total_bytes;
    call->started_us = now_us(connector);
    status = connector->ops->set(connector->client, rt_slice_of(call->key, call->key_bytes),
                                 &encoded.value, &connector->set_options, on_set, call);
    omni_encoded_fini(&encoded);
    if (status == RT_OK) {
        omni__histogram_add(&connector->metrics.serialize, call->started_us - before_us);
        start(call);
    }
    return status;
}

static void on_set(void *arg, const struct ds_result *result)
{
    struct omni_call *call = arg;
    struct omni_connector *connector = call->connector;
    if (connector->client == NULL) {
        refuse(call);
        return;
    }
    omni__histogram_add(&connector->metrics.store, now_us(connector) - call->started_us);
    if (result->status.code == K_OK) {
        succeed_put(call);
    } else {
        fail_status(call, put_cause(&result->status), &result->status);
    }
}

/* The put law knows no "not found", and its "encode" is ours alone. */
static enum ds_cause put_cause(const struct ds_status *status)
{
    enum ds_cause cause = ds_cause_of(status->code, status->detail);
    return cause == DS_CAUSE_NOT_FOUND || cause == DS_CAUSE_CODEC ? DS_CAUSE_OTHER : cause;
}

static void succeed_put(struct omni_call *call)
{
    struct omni_connector *connector = call->connector;
    connector->metrics.puts++;
    connector->metrics.bytes_transferred += call->size_bytes;
    call->is_success = true;
    omni__log(connector, OMNI_LOG_DEBUG, "YuanrongConnector put %.*s (%s to %s): %" PRIu64 " bytes",
              (int)call->key_bytes, call->key, call->from_stage, call->to_stage, call->size_bytes);
    finish(call);
}

/* ---- get ----------------------------------------------------------------------------------- */

enum rt_status omni_get(struct omni_connector *connector, const char *from_stage,
                        const char *to_stage, struct rt_slice get_key, omni_get_fn *done, void *arg)
{
    struct omni_call *call = omni__new_call(connector, from_stage, to_stage, get_key);
    if (call == NULL) {
        return RT_E_NOMEM;
    }
    call->get_done = done;
    call->arg = arg;
    if (connector->client == NULL) {
        start(call);
        refuse(call);
        return RT_OK;
    }
    struct rt_slice key = rt_slice_of(call->key, call->key_bytes);
    call->started_us = now_us(connector);
    enum rt_status status = connector->ops->get(connector->client, &key, 1,
                                                connector->options.sub_timeout_ms, on_get, call);
    if (status != RT_OK) {
        omni__put_back(call);
        return status;
    }
    start(call);
    return RT_OK;
}

/* The table of connector contract section 5. */
static void on_get(void *arg, const struct ds_result *result)
{
    struct omni_call *call = arg;
    struct omni_connector *connector = call->connector;
    if (connector->client == NULL) {
        refuse(call);
        return;
    }
    omni__histogram_add(&connector->metrics.fetch, now_us(connector) - call->started_us);
    if (result->status.code != K_OK) {
        fail_status(call, ds_cause_of(result->status.code, result->status.detail), &result->status);
    } else if (result->value_count == 0 || !result->values[0].is_present) {
        connector->metrics.empties++;
        finish(call);
    } else {
        take_value(call, &result->values[0]);
    }
}

static void take_value(struct omni_call *call, const struct ds_value *value)
{
    struct omni_connector *connector = call->connector;
    struct omni_codec_error error = {.text = ""};
    char text[OMNI_TEXT_BYTES];
    uint64_t before_us = now_us(connector);
    bool is_whole = value->blob != NULL && rt_blob_slice(value->blob).data == value->bytes.data &&
                    rt_blob_slice(value->blob).len_bytes == value->bytes.len_bytes;

    call->payload = is_whole ? rt_blob_retain(value->blob) : rt_blob_copy(value->bytes);
    if (call->arena == NULL) {
        call->arena = omni_arena_create();
    }
    enum rt_status status = RT_E_NOMEM;
    if (call->payload != NULL && call->arena != NULL) {
        status = omni_decode(call->payload, call->arena, &connector->limits, &call->data, &error);
    }
    uint64_t after_us = now_us(connector);
    if (status == RT_E_NOMEM) {
        fail(call, DS_CAUSE_OUT_OF_MEMORY, rt_status_text(status));
    } else if (status != RT_OK) {
        snprintf(text, sizeof(text), "%s (byte %" PRIu64 ")", error.text, error.offset_bytes);
        fail(call, DS_CAUSE_CODEC, text);
    } else {
        call->size_bytes = value->bytes.len_bytes;
        omni__histogram_add(&connector->metrics.deserialize, after_us - before_us);
        succeed_get(call, before_us - call->started_us, after_us - before_us);
    }
}

static void succeed_get(struct omni_call *call, uint64_t fetch_us, uint64_t deserialize_us)
{
    struct omni_connector *connector = call->connector;
    connector->metrics.gets++;
    call->is_success = true;
    if (connector->environment.log != NULL) {
        double total_us = (double)(fetch_us + deserialize_us);
        omni__log(connector, OMNI_LOG_INFO,
                  "YuanrongConnector get %.*s: fetch %.3f ms, deserialize %.3f ms, total %.3f ms, "
                  "%" PRIu64 " bytes, %.1f MB/s",
                  (int)call->key_bytes, call->key, (double)fetch_us / 1e3,
                  (double)deserialize_us / 1e3, total_us / 1e3, call->size_bytes,
                  total_us > 0 ? (double)call->size_bytes / total_us : 0.0);
    }
    finish(call);
}

/* ---- ends ---------------------------------------------------------------------------------- */

static void fail_status(struct omni_call *call, enum ds_cause cause, const struct ds_status *status)
{
    char text[OMNI_TEXT_BYTES];
    ds_status_format(status, text, sizeof(text));
    call->status = *status;
    fail(call, cause, text);
    if (status->text != NULL) { /* the caller gets the message alone */
        free(call->text);
        call->text = strdup(status->text);
    }
}

static void fail(struct omni_call *call, enum ds_cause cause, const char *text)
{
    struct omni_metrics *metrics = &call->connector->metrics;
    if (call->is_put) {
        metrics->errors++;
        metrics->put_causes[cause]++;
    } else {
        metrics->timeouts++;
        metrics->get_causes[cause]++;
    }
    call->size_bytes = 0;
    call->cause = cause;
    call->text = strdup(text);
    omni__log(call->connector, OMNI_LOG_ERROR, "YuanrongConnector %s failed: %s",
              call->is_put ? "put" : "get", text);
    finish(call);
}

/* Closed before the call, or meanwhile. No counter of upstream's moves. */
static void refuse(struct omni_call *call)
{
    struct omni_metrics *metrics = &call->connector->metrics;
    if (call->is_put) {
        metrics->puts_refused_closed++;
    } else {
        metrics->gets_refused_closed++;
    }
    call->size_bytes = 0;
    call->status = (struct ds_status){.code = K_NOT_READY, .detail = DS_DETAIL_CLOSED};
    call->text = strdup(OMNI_CLOSED_TEXT);
    omni__log(call->connector, OMNI_LOG_ERROR, "%s", OMNI_CLOSED_TEXT);
    finish(call);
}

void omni__refuse_in_flight(struct omni_connector *connector)
{
    while (connector->in_flight.first != NULL) {
        refuse(connector->in_flight.first);
    }
}

static void start(struct omni_call *call)
{
    struct omni_metrics *metrics = &call->connector->metrics;
    if (call->is_put) {
        metrics->put_calls++;
        metrics->puts_in_flight++;
    } else {
        metrics->get_calls++;
        metrics->gets_in_flight++;
    }
    omni__append(&call->connector->in_flight, call);
}

/* The only way out of flight. The counters hold their laws again; the callback is due. */
static void finish(struct omni_call *call)
{
    struct omni_connector *connector = call->connector;
    if (call->is_put) {
        connector->metrics.puts_in_flight--;
    } else {
        connector->metrics.gets_in_flight--;
    }
    omni__take_out(&connector->in_flight, call);
    omni__append(&connector->finished, call);
    rt_task_schedule(&connector->deliver);
}

/* ---- callbacks: one place ------------------------------------------------------------------ */

/* Those that are due now. What they add comes with the next turn of the loop. */
void omni__deliver(void *arg)
{
    struct omni_connector *connector = arg;
    struct omni_call *last = connector->finished.last;
    bool is_destroyed = false;
    bool is_last = last == NULL;
    connector->is_destroyed = &is_destroyed;
    while (!is_last) {
        struct omni_call *call = connector->finished.first;
        is_last = call == last;
        omni__take_out(&connector->finished, call);
        call_back(call);
        if (is_destroyed) { /* by the callback */
            omni__free_call(call);
            return;
        }
        omni__put_back(call);
    }
    connector->is_destroyed = NULL;
    if (connector->finished.first != NULL) {
        rt_task_schedule(&connector->deliver);
    }
}

void omni__deliver_all(struct omni_connector *connector)
{
    while (connector->finished.first != NULL) {
        struct omni_call *call = connector->finished.first;
        omni__take_out(&connector->finished, call);
        call_back(call);
        omni__put_back(call);
    }
}

static void call_back(struct omni_call *call)
{
    bool is_arena_kept = false;
    call->status.text = call->text == NULL ? "" : call->text;
    if (call->is_put) {
        struct omni_put_result result = {
            .is_success = call->is_success,
            .size_bytes = call->size_bytes,
            .cause = call->cause,
            .status = call->status,
        };
        call->put_done(call->arg, &result);
    } else {
        struct omni_get_result result = {
            .data = call->is_success ? call->data : NULL,
            .arena = call->is_success ? call->arena : NULL,
            .is_arena_kept = &is_arena_kept,
            .size_bytes = call->size_bytes,
            .cause = call->cause,
            .status = call->status,
            .payload = call->payload,
        };
        call->get_done(call->arg, &result);
    }
    if (is_arena_kept && call->is_success) {
        call->arena = NULL;
    }
}
