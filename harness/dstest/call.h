/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HARNESS_DSTEST_CALL_H
#define HARNESS_DSTEST_CALL_H

#include "connector/omni_connector.h"
#include "connector/omni_transfer_config.h"

/* Shared by the files of `dstest call`. */

enum call_verb { CALL_PUT, CALL_GET, CALL_EXIST, CALL_DELETE, CALL_HEALTH, CALL_ROUNDTRIP };

/* What the text or the file of a put is. */
enum call_form { CALL_TEXT, CALL_BYTES, CALL_JSON, CALL_PAYLOAD };

struct call_options {
    enum call_verb verb;
    const char *verb_text;
    /* whom */
    const char *config_path;
    const char *address;
    const char *edge;
    const char *stage;
    const char *connector;
    uint64_t sub_timeout_us;
    uint64_t connect_timeout_us;
    uint64_t request_timeout_us;
    bool has_sub_timeout;
    /* what */
    const char *key;
    const char *data;
    const char *file;
    enum call_form form;
    bool has_form;
    const char *output;
    bool is_json;
    bool is_helping;
};

/* Who is called: a connector and the two stages of its edge. */
struct call_target {
    struct omni_arena *arena;
    struct omni_transfer_config *config; /* NULL: --address */
    struct omni_connector_spec spec;     /* with the options of the command line */
    const char *from_stage;
    const char *to_stage;
};

/* 0, or the exit code after saying on stderr what is wrong. */
int call_target_find(const struct call_options *options, struct call_target *out_target);
void call_target_fini(struct call_target *target);

/* The value that a put stores. 0 or the exit code, as above. */
int call_read_data(const struct call_options *options, struct omni_arena *arena,
                   const struct omni_value **out_value);

/* Connects, calls, tells. The exit code. */
int call_run(const struct call_options *options, const struct call_target *target,
             const struct omni_value *data);

/* What to do about a failure, in words. */
const char *call_advice(enum ds_cause cause, bool is_put);
const char *call_advice_for_construction(const char *text);

#endif
