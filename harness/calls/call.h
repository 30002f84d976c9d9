/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HARNESS_CALLS_CALL_H
#define HARNESS_CALLS_CALL_H

#include "harness/world/world.h"

/*
 * One step that is a call: started, then done exactly once. Everything it brought is copied or
 * retained, so that it can be judged after the callback.
 */
struct scn_got {
    bool is_present;
    struct rt_blob *blob;
};

struct scn_call {
    struct scn_world *world;
    const struct scn_step *step;
    struct scn_party *party;
    struct scn_call *next; /* in the order started */
    uint64_t id;
    uint64_t started_us;
    uint64_t took_us;
    unsigned done_count; /* 1, or a law is broken */
    bool is_judged;
    /* what it brought */
    bool is_ok;
    struct ds_status status;
    char *text;
    enum ds_cause cause;
    bool has_attempts;
    uint32_t attempt_count;
    uint64_t size_bytes;
    struct scn_got *values;
    size_t value_count;
    const struct omni_value *data; /* of a connector's get; NULL: nothing came */
    struct omni_arena *arena;
    struct omni_handle handle; /* of a connector's put or get */
    bool *exists;
    size_t exist_count;
    uint64_t *sizes;
    size_t size_count;
    char **failed;
    size_t failed_count;
    bool is_healthy;
    struct scn_etcd_call *etcd; /* of a step `etcd:`; else NULL */
};

bool scn_is_call(enum scn_step_kind kind);

/* Starts the step's call. RT_E_NOMEM or RT_E_INVALID (a connector that is not constructed):
 * nothing was started and *out_call is NULL. */
RT_NODISCARD enum rt_status scn_call_start(struct scn_world *world, const struct scn_step *step,
                                           uint64_t id, struct scn_call **out_call);
void scn_call_destroy(struct scn_call *call);

/* For etcd_call.c: `code` is a gRPC code. */
void scn_call_finish_etcd(struct scn_call *call, int32_t code, const char *text);

static inline bool scn_call_is_done(const struct scn_call *call)
{
    return call->done_count > 0;
}

/* Implicit construction and initialisation at the start of a scenario: the same calls without a
 * step. `party` says which. */
RT_NODISCARD enum rt_status scn_call_open(struct scn_party *party, uint64_t id,
                                          struct scn_call **out_call);

#endif
