/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONNECTOR_OMNI_BLOCKING_H
#define CONNECTOR_OMNI_BLOCKING_H

#include "connector/omni_connector.h"

/*
 * The connector for programs with threads: it runs on an I/O thread of its own, over TCP, and any
 * thread may call. Every function below is safe from every thread unless it says otherwise.
 *
 * The I/O thread handles no signals. After fork() the child has no such thread: there every call is
 * refused with RT_E_INVALID and a text that says so, and destroying does nothing.
 *
 * A put waits no longer than request_timeout_ms (a minute by default), a get no longer than that
 * and get_sub_timeout_ms, whichever is longer; one of a PollingConnector, each of its looks. For
 * less see omni_blocking_get_with_deadline().
 */
struct omni_blocking;

struct omni_blocking_config {
    struct omni_connector_config connector; /* read before omni_blocking_create() returns */
    const char *name;                       /* NULL: "connector"; copied */
    uint64_t seed;                          /* 0: from the operating system */
    omni_log_fn *log;                       /* called on the I/O thread; NULL: silent */
    void *log_arg;
};

#define OMNI_BLOCKING_TEXT_BYTES 512U

/*
 * Connects, and returns when that succeeded or failed.
 *
 *   RT_OK         *out_blocking is the caller's
 *   RT_E_INVALID  the connector could not be constructed; `out_text` is what Python would raise
 *   RT_E_NOMEM, RT_E_IO  no memory, no thread; `out_text` says so
 */
RT_NODISCARD enum rt_status omni_blocking_create(const struct omni_blocking_config *config,
                                                 struct omni_blocking **out_blocking,
                                                 char out_text[OMNI_BLOCKING_TEXT_BYTES]);

/* Calls in flight on other threads end as refused and have left before this returns, callbacks of
 * asynchronous ones have run; no call may start any more. On the I/O thread, and for NULL: nothing
 * happens. */
void omni_blocking_destroy(struct omni_blocking *blocking);

/* How a call ended. */
enum omni_outcome {
    OMNI_DONE,     /* put: stored; get: `data` is there */
    OMNI_EMPTY,    /* get: the client brought nothing, and no failure */
    OMNI_FAILED,   /* `cause`, `code`, `detail` and `text` say why */
    OMNI_REFUSED,  /* closed before or meanwhile, or refused by these functions: see `text` */
    OMNI_CANCELLED /* given up by omni_blocking_cancel() */
};

struct omni_call_result {
    enum omni_outcome outcome;
    uint64_t size_bytes; /* serialized; 0 unless done */
    enum ds_cause cause; /* of a failure */
    int32_t code;        /* enum dsrpc_code; K_OK when done, 0 too when the value does not encode or
                            the bytes do not decode */
    enum ds_detail detail;
    char text[OMNI_BLOCKING_TEXT_BYTES]; /* cut to fit; "" when there is nothing to say */
    const struct omni_value *data;       /* in `arena` */
    struct omni_arena *arena;            /* the caller destroys it; NULL when there is no data */
};

/*
 * `*out_result` is filled in every case. `data` is encoded on the I/O thread, its bodies are sent
 * from where they are; everything is borrowed until the call returns. The worker keeps the value
 * under key and stages together, so who gets it names all three alike.
 *
 *   RT_OK         see the outcome
 *   RT_E_INVALID  called on the I/O thread, or in a child after fork(); nothing happened
 *   RT_E_NOMEM    nothing happened
 */
RT_NODISCARD enum rt_status omni_blocking_put(struct omni_blocking *blocking,
                                              const char *from_stage, const char *to_stage,
                                              struct rt_slice put_key,
                                              const struct omni_value *data,
                                              struct omni_call_result *out_result);
RT_NODISCARD enum rt_status omni_blocking_get(struct omni_blocking *blocking,
                                              const char *from_stage, const char *to_stage,
                                              struct rt_slice get_key,
                                              struct omni_call_result *out_result);

/*
 * The same without waiting; also from the I/O thread. `done` runs on the I/O thread, exactly once,
 * and must not block. Stages and key are copied; `data` is borrowed until `done` has run.
 *
 *   RT_OK           accepted
 *   RT_E_CANCELLED  the connector is being destroyed; `done` never runs
 *   RT_E_INVALID    in a child after fork(); `done` never runs
 *   RT_E_NOMEM      nothing happened
 */
RT_NODISCARD enum rt_status omni_blocking_put_async(struct omni_blocking *blocking,
                                                    const char *from_stage, const char *to_stage,
                                                    struct rt_slice put_key,
                                                    const struct omni_value *data,
                                                    omni_put_fn *done, void *arg);
RT_NODISCARD enum rt_status omni_blocking_get_async(struct omni_blocking *blocking,
                                                    const char *from_stage, const char *to_stage,
                                                    struct rt_slice get_key, omni_get_fn *done,
                                                    void *arg);

/* ---- extensions of a call ---- */

/* A call that may be given up by another thread. Zero it before its one call, and keep it until
 * the call has ended and every cancel of it has returned. What is in it belongs to the I/O thread.
 */
struct omni_blocking_handle {
    struct omni_operation *operation; /* NULL: not under way */
    bool is_cancelled;
};

/* Beyond upstream's contract; all zero is none of it. See struct omni_call_options. */
struct omni_blocking_options {
    bool has_deadline;
    uint64_t deadline_us;                /* CLOCK_MONOTONIC, as rt_monotonic_us() reads it */
    struct omni_blocking_handle *handle; /* NULL: cannot be given up */
};

/* As above; `options` is copied, NULL: none. RT_E_INVALID also when a get of a connector without
 * deadlines has one; the result's text is what its base class raises. */
RT_NODISCARD enum rt_status omni_blocking_put_with(struct omni_blocking *blocking,
                                                   const char *from_stage, const char *to_stage,
                                                   struct rt_slice put_key,
                                                   const struct omni_value *data,
                                                   const struct omni_blocking_options *options,
                                                   struct omni_call_result *out_result);
RT_NODISCARD enum rt_status omni_blocking_get_with(struct omni_blocking *blocking,
                                                   const char *from_stage, const char *to_stage,
                                                   struct rt_slice get_key,
                                                   const struct omni_blocking_options *options,
                                                   struct omni_call_result *out_result);
RT_NODISCARD enum rt_status omni_blocking_put_async_with(
    struct omni_blocking *blocking, const char *from_stage, const char *to_stage,
    struct rt_slice put_key, const struct omni_value *data,
    const struct omni_blocking_options *options, omni_put_fn *done, void *arg);
RT_NODISCARD enum rt_status omni_blocking_get_async_with(
    struct omni_blocking *blocking, const char *from_stage, const char *to_stage,
    struct rt_slice get_key, const struct omni_blocking_options *options, omni_get_fn *done,
    void *arg);

/* The contract's receive with a monotonic deadline, of CLOCK_MONOTONIC as above. */
RT_NODISCARD enum rt_status omni_blocking_get_with_deadline(
    struct omni_blocking *blocking, const char *from_stage, const char *to_stage,
    struct rt_slice get_key, uint64_t deadline_us, struct omni_call_result *out_result);

/*
 * Ends the call of this handle as cancelled; one that has not begun ends so when it begins, without
 * a request and without moving a counter. One that has ended stays as it is. Also from the I/O
 * thread.
 *
 *   RT_OK           the call ends now, or has ended
 *   RT_E_CANCELLED  the connector is being destroyed, which ends the call as well
 *   RT_E_INVALID    in a child after fork(); RT_E_NOMEM: nothing happened
 */
RT_NODISCARD enum rt_status omni_blocking_cancel(struct omni_blocking *blocking,
                                                 struct omni_blocking_handle *handle);

/* ---- the rest of the contract ---- */

/* As the functions of omni_connector.h; errors as omni_blocking_put(), and RT_E_CANCELLED when the
 * connector is being destroyed. */
RT_NODISCARD enum rt_status omni_blocking_cleanup(struct omni_blocking *blocking,
                                                  struct rt_slice request_id);
RT_NODISCARD enum rt_status omni_blocking_close(struct omni_blocking *blocking);
RT_NODISCARD enum rt_status omni_blocking_metrics(struct omni_blocking *blocking,
                                                  struct omni_metrics *out_metrics);

struct omni_blocking_health {
    bool is_healthy;
    char error[OMNI_BLOCKING_TEXT_BYTES]; /* of an unhealthy one: nothing else is filled */
    char host[256];
    int64_t port;
    struct omni_metrics metrics;
};

/* Whether there is a client; the worker is not asked. Filled in every case: a refusal is an
 * unhealthy answer with its text. Errors as above. */
RT_NODISCARD enum rt_status omni_blocking_health(struct omni_blocking *blocking,
                                                 struct omni_blocking_health *out_health);

#endif
