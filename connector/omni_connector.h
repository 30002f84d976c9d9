/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONNECTOR_OMNI_CONNECTOR_H
#define CONNECTOR_OMNI_CONNECTOR_H

#include "connector/ds_binding.h"
#include "connector/omni_value.h"

/*
 * YuanrongConnector: upstream's OmniConnector contract over the Datasystem, as
 * docs/reference/connector.md has it. Asynchronous, one thread, its loop's: every function below
 * that takes a connector or a handle is called there. omni_blocking.h is the thread-safe face.
 */
struct omni_connector;

struct omni_serializer_limits;

/* How a get waits for its key (connector.md, "Retrieval models"). Row: enumerator, name of the
 * connector. */
#define OMNI_MODEL_LIST(ROW)                                                                       \
    /* one call of the client, which lets the worker wait */                                       \
    ROW(OMNI_YUANRONG, "YuanrongConnector")                                                        \
    /* looks again and again, as upstream's MooncakeStoreConnector */                              \
    ROW(OMNI_POLLING, "PollingConnector")

enum omni_model {
#define OMNI_MODEL_ENUM(name, word) name,
    OMNI_MODEL_LIST(OMNI_MODEL_ENUM)
#undef OMNI_MODEL_ENUM
        OMNI_MODEL_COUNT
};
const char *omni_model_name(enum omni_model model); /* static text, any thread */

/* `extra` of the connector's specification: a map value with host, port, get_sub_timeout_ms, and
 * as extensions of ours connect_timeout_ms and request_timeout_ms (0: the client's defaults), and
 * etcd_address (with cluster_name, affinity_policy, host_id, host_id_env_name, etcd_username,
 * etcd_password, and for TLS etcd_ca, etcd_cert, etcd_key, etcd_dns_name): a ready worker found
 * there takes the place of host and port; other keys are ignored. NULL: all defaults (127.0.0.1,
 * 35001, 1000). Read before this returns.
 *
 * A polling connector has no sub-timeout, since every look of it is a get that does not wait. Its
 * own extensions are poll_tries (20; at least 1) and poll_interval_ms (50; 0 to one hour). */
struct omni_connector_config {
    enum omni_model model;
    const struct omni_value *extra;
    const struct ds_binding *binding;            /* NULL: ds_native_binding */
    const struct omni_serializer_limits *limits; /* NULL: the defaults; copied */
};

/* Texts of errors and log lines; borrowed for the call, which must not call the connector. */
enum omni_log_level { OMNI_LOG_DEBUG, OMNI_LOG_INFO, OMNI_LOG_ERROR };
typedef void omni_log_fn(void *arg, enum omni_log_level level, const char *text);

struct omni_environment {
    struct ds_environment ds; /* ds.name is the connector's name */
    omni_log_fn *log;         /* NULL: silent */
    void *log_arg;
};

/* How a construction ended: exactly once, later. On success `connector` is the caller's. On
 * failure it is NULL and `text` is what Python would raise. */
typedef void omni_created_fn(void *arg, struct omni_connector *connector, const char *text);

/* Binding check, options, then init of the client (connector.md, "Options"), in that order. Loop,
 * network and journal of the environment are borrowed and outlive the connector; of `config` only
 * the binding is. RT_E_NOMEM: nothing happened, `created` never runs. */
RT_NODISCARD enum rt_status omni_connector_create(const struct omni_environment *environment,
                                                  const struct omni_connector_config *config,
                                                  omni_created_fn *created, void *arg);

/* The same, and a handle on what is being made: omni_connector_destroy(*out_pending) gives up a
 * construction that has not ended, and `created` never runs. After a failure it is no longer valid.
 */
RT_NODISCARD enum rt_status omni_connector_begin(const struct omni_environment *environment,
                                                 const struct omni_connector_config *config,
                                                 omni_created_fn *created, void *arg,
                                                 struct omni_connector **out_pending);

/* Closes. Calls in flight end first, as refused because closed. NULL: nothing happens. */
void omni_connector_destroy(struct omni_connector *connector);

struct omni_put_result {
    bool is_success;
    uint64_t size_bytes; /* serialized; 0 on failure */
    enum ds_cause cause; /* of a failure; DS_CAUSE_NONE otherwise, also when refused as closed */
    /* What the client said. A value that cannot be encoded: code 0, with the reason as text.
     * Refused as closed: K_NOT_READY with DS_DETAIL_CLOSED. At the call's own deadline:
     * K_RPC_DEADLINE_EXCEEDED with DS_DETAIL_DEADLINE. Cancelled: K_RPC_CANCELLED with
     * DS_DETAIL_CANCELLED, and no cause, since nothing failed. */
    struct ds_status status;
};
typedef void omni_put_fn(void *arg, const struct omni_put_result *result);

struct omni_get_result {
    const struct omni_value *data; /* NULL: nothing; borrowed from `arena` */
    struct omni_arena *arena;      /* set *is_arena_kept to keep it; then destroy it yourself.
                                      NULL when there is no data */
    bool *is_arena_kept;
    uint64_t size_bytes;
    enum ds_cause cause;
    struct ds_status status; /* as above; bytes that do not decode: code 0, with the reason */
    struct rt_blob *payload; /* the bytes as they came; borrowed; NULL when there were none */
};
typedef void omni_get_fn(void *arg, const struct omni_get_result *result);

/* Texts are copied, `data` is encoded before this returns and its blobs are retained; bodies that
 * lie in no blob are copied. Results come later, exactly once, when no other call is on the stack:
 * a callback may call anything, omni_connector_destroy() included.
 * RT_E_NOMEM: nothing happened. */
RT_NODISCARD enum rt_status omni_put(struct omni_connector *connector, const char *from_stage,
                                     const char *to_stage, struct rt_slice put_key,
                                     const struct omni_value *data, omni_put_fn *done, void *arg);
RT_NODISCARD enum rt_status omni_get(struct omni_connector *connector, const char *from_stage,
                                     const char *to_stage, struct rt_slice get_key,
                                     omni_get_fn *done, void *arg);

/* ---- extensions of a call ---- */

/* A call that may be given up. Zero it and keep it where it is until the call has ended; it is
 * empty before the callback runs. One handle, one call at a time. */
struct omni_handle {
    struct omni_call *call; /* NULL: none under way */
};

/* Beyond upstream's contract; all zero is none of it. */
struct omni_call_options {
    /* On the loop's clock. The call ends then at the latest, whatever the worker does; one that has
     * passed ends it without a request. A get asks the worker to wait no longer than that, so that
     * an absent key is still told from a dead worker. A put that ends so may be applied all the
     * same. */
    bool has_deadline;
    uint64_t deadline_us;
    struct omni_handle *handle; /* NULL: cannot be cancelled */
};

/* As omni_put() and omni_get(); `options` is copied, NULL: none.
 * RT_E_INVALID: a deadline for a get of a connector that has none; see below; nothing happened. */
RT_NODISCARD enum rt_status omni_put_with(struct omni_connector *connector, const char *from_stage,
                                          const char *to_stage, struct rt_slice put_key,
                                          const struct omni_value *data,
                                          const struct omni_call_options *options,
                                          omni_put_fn *done, void *arg);
RT_NODISCARD enum rt_status omni_get_with(struct omni_connector *connector, const char *from_stage,
                                          const char *to_stage, struct rt_slice get_key,
                                          const struct omni_call_options *options,
                                          omni_get_fn *done, void *arg);

/* The contract's receive with a monotonic deadline. One that has passed ends the get without a
 * request. RT_E_INVALID: as upstream's MooncakeStoreConnector, a polling connector does not
 * override its base class here; omni_no_deadline_text() is what that raises. */
RT_NODISCARD enum rt_status omni_get_with_deadline(struct omni_connector *connector,
                                                   const char *from_stage, const char *to_stage,
                                                   struct rt_slice get_key, uint64_t deadline_us,
                                                   omni_get_fn *done, void *arg);

/* NULL: gets of such a connector take deadlines. Static. */
const char *omni_no_deadline_text(enum omni_model model);

/* Ends the call as cancelled, exactly once, its callback later. False: there is none under way. No
 * counter of upstream's moves. A put that was sent may be applied all the same. */
bool omni_cancel(struct omni_handle *handle);

/* Only a debug log line, as upstream; nothing when closed. */
void omni_cleanup(struct omni_connector *connector, struct rt_slice request_id);

/* Drops the client; idempotent; no word to the worker. Calls in flight end as refused. */
void omni_close(struct omni_connector *connector);

/* ---- metrics ---- */

/* Powers of two of microseconds: bucket 0 counts 0, bucket i counts 2^(i-1) .. 2^i - 1, the last
 * one also everything above. */
struct omni_histogram {
    uint64_t count;
    uint64_t sum_us;
    uint64_t max_us;
    uint64_t buckets[32];
};

/* A snapshot. The first five are upstream's, unchanged. */
struct omni_metrics {
    uint64_t puts;
    uint64_t gets;
    uint64_t bytes_transferred;
    uint64_t errors;
    uint64_t timeouts;
    uint64_t put_causes[DS_CAUSE_COUNT]; /* sum = errors */
    uint64_t get_causes[DS_CAUSE_COUNT]; /* sum = timeouts */
    uint64_t empties;                    /* gets that brought an empty list or null */
    uint64_t put_calls;
    uint64_t get_calls;
    uint64_t puts_refused_closed;
    uint64_t gets_refused_closed;
    uint64_t puts_cancelled;
    uint64_t gets_cancelled;
    uint64_t puts_in_flight;
    uint64_t gets_in_flight;
    struct omni_histogram store; /* the client's set, however it ended; not refused calls */
    struct omni_histogram fetch; /* the client's get, likewise; each look of a polling one */
    struct omni_histogram serialize;
    struct omni_histogram deserialize;
};
/* Also of a closed one. */
void omni_connector_metrics(const struct omni_connector *connector,
                            struct omni_metrics *out_metrics);

/* NULL when the sums hold (connector.md, "Counters"), else static text naming the one that does
 * not. Any thread. */
const char *omni_metrics_broken_law(const struct omni_metrics *metrics);

struct omni_health {
    bool is_healthy;
    const char *error; /* of an unhealthy one: nothing else is filled; static */
    const char *host;  /* borrowed from the connector */
    int64_t port;
    struct omni_metrics metrics;
};
/* Whether there is a client; the worker is not asked. */
void omni_connector_health(const struct omni_connector *connector, struct omni_health *out_health);

/* The client behind it, for harnesses that look; NULL after close. */
void *omni_connector_client(struct omni_connector *connector);

#endif
