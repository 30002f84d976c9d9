/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HARNESS_DSTEST_CALL_RUNNER_H
#define HARNESS_DSTEST_CALL_RUNNER_H

#include <stdio.h>

#include "connector/omni_factory.h"
#include "harness/dstest/call.h"

/* Shared by call_run.c, which says what is called in which order, and call_calls.c, which calls and
 * waits. */

#define CALL_KEY_BYTES  512U
#define CALL_TEXT_BYTES 1600U

enum { CALL_EXIT_DONE = 0, CALL_EXIT_FAILED = 1, CALL_EXIT_CANNOT = 4 };

struct call_runner {
    const struct call_options *options;
    const struct call_target *target;
    FILE *notes; /* stdout, or stderr when stdout holds the data */
    struct rt_loop *loop;
    struct rt_network *network;
    struct omni_factory *factory;
    struct omni_instance *instance;
    const char *key;
    char full_key[CALL_KEY_BYTES]; /* as it stands in the store; cut for show when longer */

    /* The call that is waited for. */
    bool is_done;
    uint64_t started_us;
    uint64_t took_us;
    bool is_success;
    bool is_empty;
    uint64_t size_bytes;
    enum ds_cause cause;
    char text[CALL_TEXT_BYTES];
    struct omni_arena *arena; /* of what a get brought */
    const struct omni_value *value;
    struct rt_blob *payload;
    bool is_there; /* what exist answered */
};

/* Before whatever is waited for is begun; sets the clock. */
void call_begin(struct call_runner *runner);
bool call_is_done(void *arg);

/* `accepted`: whether it was begun at all. False: it was not, or the loop has failed; it was told.
 */
bool call_wait(struct call_runner *runner, enum rt_status accepted);
double call_took_ms(const struct call_runner *runner);

/* Exit codes; failures are told. A put tells what it did, too, and so does a get. */
int call_put(struct call_runner *runner, const struct omni_value *data);
int call_get(struct call_runner *runner);

/* What the connector does not offer, its client does: exist, delete, health. */
int call_client(struct call_runner *runner, enum call_verb verb);

#endif
