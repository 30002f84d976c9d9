/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_CONNECTOR_OMNI_SCRIPT_H
#define TESTS_UNIT_CONNECTOR_OMNI_SCRIPT_H

#include "connector/ds_binding.h"

/*
 * A binding whose client answers what the test wrote down, without a wire. It answers from the
 * loop, never from inside the call, after `delay_us` on the simulated clock.
 */
enum script_answer {
    SCRIPT_STATUS, /* code, detail and text; code 0 of a get: an empty list */
    SCRIPT_NULL,   /* a get of [null] */
    SCRIPT_BYTES,  /* a get of these bytes */
    SCRIPT_ECHO,   /* a get of what was set last */
    SCRIPT_HOLD    /* no answer until the client is destroyed */
};

struct script {
    /* What the next calls get. */
    enum script_answer answer;
    struct ds_status status;
    struct rt_slice bytes;
    uint64_t delay_us;
    struct ds_status init_status;
    enum rt_status create_status;
    enum rt_status call_status; /* what set and get return at once */

    /* What was seen. */
    int create_count;
    int destroy_count;
    int init_count;
    int set_count;
    int get_count;
    int close_count;
    int abandon_count;
    char host[64];
    int64_t port;
    int64_t connect_timeout_ms;
    int64_t request_timeout_ms;
    char key[512];
    int64_t sub_timeout_ms;
    struct ds_set_options set_options;
    struct rt_blob *stored;

    /* Hand this to the connector; any pointer may be cleared to make a hole. */
    struct ds_kv_client_ops ops;
    struct ds_set_options fresh_set_param;
    enum ds_write_mode evict_mode;
    struct ds_binding binding;
};

void script_init(struct script *script);
void script_fini(struct script *script);

#endif
