/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "connector/core/omni_internal.h"

/*
 * What puts and gets have in common, in the order things happen:
 *
 *   omni__admit --> omni__start --> in flight --omni__succeed, omni__fail...--.
 *                                     |-------- on_deadline ------------------+
 *                                     |-------- omni_cancel ------------------+
 *                                     '-------- omni__refuse -----------------+
 *                         callback, record given back <--deliver-- finished <-'
 *
 * Counters move when a call is finished; the callback runs later, from the loop, when neither the
 * client nor the caller is on the stack. So a callback may do anything, destroying included.
 */
static enum rt_status arm(struct omni_call *call, const struct omni_call_options *options);
static bool has_deadline_passed(const struct omni_call *call);
static void on_deadline(void *arg);
static void fail_deadline(struct omni_call *call);
static void give_up(struct omni_call *call);
static void finish(struct omni_call *call);
static void call_back(struct omni_call *call);

uint64_t omni__now_us(const struct omni_connector *connector)
{
    return rt_loop_now_us(connector->environment.ds.loop);
}

/* ---- the beginning ------------------------------------------------------------------------- */

enum rt_status omni__admit(struct omni_call *call, const struct omni_call_options *options,
                           bool *out_is_over)
{
    enum rt_status status = arm(call, options);

    *out_is_over = true;
    if (status == RT_OK && call->connector->client == NULL) {
        omni__start(call);
        omni__refuse(call);
    } else if (status == RT_OK && has_deadline_passed(call)) {
        omni__start(call);
        fail_deadline(call);
    } else {
        *out_is_over = false;
    }
    return status;
}

static enum rt_status arm(struct omni_call *call, const struct omni_call_options *options)
{
    static const struct omni_call_options none = {.has_deadline = false};
    struct rt_loop *loop = call->connector->environment.ds.loop;
    rt_timer_init(&call->deadline, loop, on_deadline, call);
    rt_timer_init(&call->pause, loop, omni__on_pause_over, call);
    options = options == NULL ? &none : options;
    call->handle = options->handle;
    call->has_deadline = options->has_deadline;
    call->deadline_us = options->deadline_us;
    return options->has_deadline ? rt_timer_arm(&call->deadline, options->deadline_us) : RT_OK;
}

static bool has_deadline_passed(const struct omni_call *call)
{
    return call->has_deadline && call->deadline_us <= omni__now_us(call->connector);
}

void omni__start(struct omni_call *call)
{
    struct omni_metrics *metrics = &call->connector->metrics;
    if (call->is_put) {
        metrics->put_calls++;
        metrics->puts_in_flight++;
    } else {
        metrics->get_calls++;
        metrics->gets_in_flight++;
    }
    if (call->handle != NULL) {
        call->handle->call = call;
    }
    omni__append(&call->connector->in_flight, call);
}

/* ---- ends ---------------------------------------------------------------------------------- */

void omni__succeed(struct omni_call *call)
{
    struct omni_metrics *metrics = &call->connector->metrics;
    if (call->is_put) {
        metrics->puts++;
    } else {
        metrics->gets++;
    }
    call->is_success = true;
    finish(call);
}

void omni__bring_nothing(struct omni_call *call)
{
    call->connector->metrics.empties++;
    finish(call);
}

void omni__fail_status(struct omni_call *call, enum ds_cause cause, const struct ds_status *status)
{
    char text[OMNI_TEXT_BYTES];
    ds_status_format(status, text, sizeof(text));
    call->status = *status;
    omni__fail(call, cause, text);
    if (status->text != NULL) { /* the caller gets the message alone */
        free(call->text);
        call->text = strdup(status->text);
    }
}

void omni__fail(struct omni_call *call, enum ds_cause cause, const char *text)
{
    struct omni_connector *connector = call->connector;
    if (call->is_put) {
        connector->metrics.errors++;
        connector->metrics.put_causes[cause]++;
    } else {
        connector->metrics.timeouts++;
        connector->metrics.get_causes[cause]++;
    }
    call->size_bytes = 0;
    call->cause = cause;
    call->text = strdup(text);
    omni__log(connector, OMNI_LOG_ERROR, "%s %s failed: %s", omni_model_name(connector->model),
              call->is_put ? "put" : "get", text);
    finish(call);
}

static void on_deadline(void *arg)
{
    fail_deadline(arg);
}

static void fail_deadline(struct omni_call *call)
{
    const struct ds_status status = {.code = K_RPC_DEADLINE_EXCEEDED,
                                     .detail = DS_DETAIL_DEADLINE,
                                     .text = "the deadline of the call has passed"};
    give_up(call);
    omni__fail_status(call, ds_cause_of(status.code, status.detail), &status);
}

bool omni_cancel(struct omni_handle *handle)
{
    struct omni_call *call = handle->call;
    if (call == NULL) {
        return false;
    }
    struct omni_metrics *metrics = &call->connector->metrics;
    if (call->is_put) {
        metrics->puts_cancelled++;
    } else {
        metrics->gets_cancelled++;
    }
    call->size_bytes = 0;
    call->status = (struct ds_status){.code = K_RPC_CANCELLED, .detail = DS_DETAIL_CANCELLED};
    call->text = strdup("the call was cancelled");
    omni__log(call->connector, OMNI_LOG_INFO, "%s %s cancelled: %.*s",
              omni_model_name(call->connector->model), call->is_put ? "put" : "get",
              (int)call->key_bytes, call->key);
    give_up(call);
    finish(call);
    return true;
}

/* Whatever the client still does for the call is not waited for. */
static void give_up(struct omni_call *call)
{
    struct omni_connector *connector = call->connector;
    if (call->client_call != NULL) {
        connector->ops->abandon(connector->client, call->client_call);
        call->client_call = NULL;
    }
}

/* Closed before the call, or meanwhile. No counter of upstream's moves. */
void omni__refuse(struct omni_call *call)
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
        omni__refuse(connector->in_flight.first);
    }
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
    if (call->handle != NULL) {
        call->handle->call = NULL;
    }
    rt_timer_disarm(&call->deadline);
    rt_timer_disarm(&call->pause);
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
