/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONNECTOR_OMNI_INTERNAL_H
#define CONNECTOR_OMNI_INTERNAL_H

#include "connector/omni_connector.h"
#include "connector/omni_serializer.h"

/* Shared by the files of the connector, and by nobody else. */

#define OMNI_TEXT_BYTES 1024U

/* One text for every refusal after close. */
#define OMNI_CLOSED_TEXT "Datasystem client not initialized"

struct omni_options {
    char *host;
    int64_t port;
    int64_t sub_timeout_ms;
    int64_t connect_timeout_ms; /* 0: the client's default */
    int64_t request_timeout_ms; /* 0: the client's default */
};

/* In the order of construction. False: `out_text` is what Python would raise. */
bool omni__read_sub_timeout(const struct omni_value *extra, struct omni_options *options,
                            char *out_text, size_t text_bytes);
bool omni__read_address(const struct omni_value *extra, struct omni_options *options,
                        char *out_text, size_t text_bytes);

struct omni_call;

struct omni_calls { /* newest last */
    struct omni_call *first;
    struct omni_call *last;
};

struct omni_connector {
    const struct ds_kv_client_ops *ops;
    void *client; /* NULL: closed, or not made yet */
    struct ds_set_options set_options;
    struct omni_options options;
    struct omni_serializer_limits limits;
    struct omni_environment environment;
    struct omni_metrics metrics;

    struct omni_calls in_flight;
    struct omni_calls finished; /* their callbacks are due */
    struct rt_task deliver;
    bool *is_destroyed; /* while callbacks run: whether one destroyed the connector */

    /* While it is being constructed. */
    omni_created_fn *created;
    void *created_arg;
    struct rt_task construct;
    bool is_failed;
    bool is_failure_logged; /* with the text of a failed init */
    char text[OMNI_TEXT_BYTES];
};

void omni__histogram_add(struct omni_histogram *histogram, uint64_t took_us);

void omni__log(const struct omni_connector *connector, enum omni_log_level level,
               const char *format, ...) RT_PRINTF(3, 4);

/* ---- calls (omni_call.c) ------------------------------------------------------------------- */

void omni__deliver(void *arg); /* the task: callbacks that are due */
void omni__refuse_in_flight(struct omni_connector *connector); /* the client is gone */
void omni__deliver_all(struct omni_connector *connector);      /* until none is due */

#endif
