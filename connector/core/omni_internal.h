/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONNECTOR_CORE_OMNI_INTERNAL_H
#define CONNECTOR_CORE_OMNI_INTERNAL_H

#include "connector/ds_discovery.h"
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
    int64_t poll_tries;
    int64_t poll_interval_ms;

    /* A worker found through etcd. NULL: not given. */
    char *etcd_address;
    char *cluster_name;
    char *host_id;
    char *etcd_username;
    char *etcd_password;
    char *etcd_ca;
    char *etcd_cert;
    char *etcd_key;
    char *etcd_dns_name;
    enum ds_affinity affinity;
};
void omni__options_fini(struct omni_options *options);

/* In the order of construction. False: `out_text` is what Python would raise. */
bool omni__read_polling(const struct omni_value *extra, struct omni_options *options,
                        char *out_text, size_t text_bytes);
bool omni__read_sub_timeout(const struct omni_value *extra, struct omni_options *options,
                            char *out_text, size_t text_bytes);
bool omni__read_address(const struct omni_value *extra, struct omni_options *options,
                        char *out_text, size_t text_bytes);
bool omni__read_discovery(const struct omni_value *extra, struct omni_options *options,
                          char *out_text, size_t text_bytes);
/* A copy in memory of its own; untouched when it is not given. */
bool omni__read_text(const struct omni_value *extra, const char *key, char **out_text,
                     char *out_why, size_t why_bytes);

/* One put or get: omni_call.c tells its story. */
struct omni_call {
    struct omni_connector *connector;
    struct omni_call *previous;
    struct omni_call *next;
    bool is_put;
    omni_put_fn *put_done;
    omni_get_fn *get_done;
    void *arg;
    void *client_call;  /* the client's name of it; NULL: none under way there */
    uint64_t client_us; /* when the client's call began */
    uint64_t fetch_us;  /* of a get that succeeded, for the log */
    uint64_t deserialize_us;

    /* Extensions. */
    struct omni_handle *handle;
    bool has_deadline;
    uint64_t deadline_us;
    struct rt_timer deadline;
    int64_t try_count;     /* polling: looks so far */
    struct rt_timer pause; /* between two of them */

    /* The result. */
    bool is_success;
    uint64_t size_bytes;
    enum ds_cause cause;
    struct ds_status status; /* its text is `text` */
    char *text;              /* NULL: "" */
    const struct omni_value *data;
    struct omni_arena *arena;
    struct rt_blob *payload;

    const char *from_stage; /* behind the key */
    const char *to_stage;
    size_t key_bytes;
    size_t room_bytes; /* of `key` */
    char key[];
};

struct omni_calls { /* newest last */
    struct omni_call *first;
    struct omni_call *last;
};

struct omni_connector {
    enum omni_model model;
    const struct ds_kv_client_ops *ops;
    void *client; /* NULL: closed, or not made yet */
    struct ds_set_options set_options;
    struct omni_options options;
    struct omni_serializer_limits limits;
    struct omni_environment environment;
    struct omni_metrics metrics;

    struct omni_calls in_flight;
    struct omni_calls finished; /* their callbacks are due */
    struct omni_calls spare;    /* records to be used again */
    size_t spare_count;
    struct rt_task deliver;
    bool *is_destroyed; /* while callbacks run: whether one destroyed the connector */

    /* While it is being constructed. */
    omni_created_fn *created;
    void *created_arg;
    struct rt_task construct;
    const struct ds_binding *binding; /* until its client is made */
    struct ds_discovery *discovery;   /* NULL: none under way */
    bool is_constructed;
    bool is_failed;
    bool is_failure_logged; /* with the text of a failed init */
    char text[OMNI_TEXT_BYTES];
};

void omni__histogram_add(struct omni_histogram *histogram, uint64_t took_us);

void omni__log(const struct omni_connector *connector, enum omni_log_level level,
               const char *format, ...) RT_PRINTF(3, 4);

/* ---- calls (omni_call.c) ------------------------------------------------------------------- */

/* Before a call starts: its deadline runs; of a closed connector, or too late, it is over already.
 * RT_E_NOMEM: give the record back. */
RT_NODISCARD enum rt_status omni__admit(struct omni_call *call,
                                        const struct omni_call_options *options, bool *out_is_over);
void omni__start(struct omni_call *call); /* it is under way: counted, in its handle */

/* Its ends: each moves the counters and makes the callback due. */
void omni__succeed(struct omni_call *call);
void omni__bring_nothing(struct omni_call *call); /* a get: no data, no failure */
void omni__fail(struct omni_call *call, enum ds_cause cause, const char *text);
void omni__fail_status(struct omni_call *call, enum ds_cause cause, const struct ds_status *status);
void omni__refuse(struct omni_call *call);

uint64_t omni__now_us(const struct omni_connector *connector);

void omni__deliver(void *arg); /* the task: callbacks that are due */
void omni__refuse_in_flight(struct omni_connector *connector); /* the client is gone */
void omni__deliver_all(struct omni_connector *connector);      /* until none is due */

/* ---- gets (omni_get.c) and how they poll (omni_polling.c) ---------------------------------- */

/* Asks the client, which does not wait longer than the call may. */
RT_NODISCARD enum rt_status omni__ask(struct omni_call *call, int64_t sub_timeout_ms,
                                      ds_done_fn *done);

/* The client brought this value: decodes it. DS_CAUSE_NONE, or why not, with `out_text`. */
enum ds_cause omni__decode(struct omni_call *call, const struct ds_value *value,
                           char out_text[OMNI_TEXT_BYTES]);
void omni__succeed_get(struct omni_call *call);                 /* it has its data */
RT_NODISCARD enum rt_status omni__look(struct omni_call *call); /* the first look, or the next */
void omni__on_pause_over(void *arg);

/* ---- records of calls (omni_record.c) ------------------------------------------------------ */

/* With its key {key}:{from}_{to}, of a polling connector {key}@{from}_{to}, nothing escaped.
 * NULL: no memory. */
struct omni_call *omni__new_call(struct omni_connector *connector, const char *from_stage,
                                 const char *to_stage, struct rt_slice user_key);
void omni__put_back(struct omni_call *call);  /* for the next call, or freed */
void omni__free_call(struct omni_call *call); /* when the connector is gone */
void omni__free_spare(struct omni_connector *connector);
void omni__append(struct omni_calls *calls, struct omni_call *call);
void omni__take_out(struct omni_calls *calls, struct omni_call *call);

#endif
