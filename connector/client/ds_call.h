/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONNECTOR_CLIENT_DS_CALL_H
#define CONNECTOR_CLIENT_DS_CALL_H

#include "connector/client/ds_retry_law.h"
#include "connector/client/ds_scratch.h"
#include "connector/ds_client.h"
#include "runtime/random.h"
#include "runtime/table.h"

/*
 * One call: attempts under the retry law until one of them ends it.
 *
 *   IDLE --start--> WAITING_TO_SEND --> SENT --answer or silence--.
 *     |                   ^                                       |--> retry? --> PAUSED --.
 *     |                   '---------------------------------------+------------------------'
 *     '--refuse--> REFUSED (told by a task) ----------------------'--> done, back to the pool
 *
 * Calls are pooled with their memory, so that a steady stream of them allocates nothing. Only
 * one attempt of a call is on the wire at a time; it is found again by the number in its queue id.
 */
struct ds__call;
struct ds__channel;

enum ds__call_state {
    DS__CALL_IDLE,
    DS__CALL_UNSENT, /* waits for the connection */
    DS__CALL_SENT,
    DS__CALL_PAUSED, /* between two attempts */
    DS__CALL_QUEUED  /* its end is known; a task will tell */
};

/* What an attempt came to. */
struct ds__outcome {
    int32_t code;
    enum ds_detail detail;
    int32_t retry_code;   /* what the retry law looks at; K_OK: nothing to retry */
    bool is_rpc_status;   /* only these are followed by the retry law's suffix */
    bool is_decorated;    /* made by the client's own macros: thread, line, file, trace id */
    struct rt_slice text; /* borrowed; the sentence */
};

/* What an operation is made of. One constant table, ds_op_table.c. */
struct ds__op_rule {
    enum dsrpc_op op;
    bool is_control; /* on the connection of WorkerService */
    bool is_user;    /* a call of ours, not housekeeping */
    unsigned retries;
    bool has_suffix;

    /* The request's body into call->body, anew for each attempt: the client id may have changed. */
    enum rt_status (*pack)(struct ds__call *call);

    /* An answer with status OK. Fills `out_result` from client->scratch where the operation has
     * lists, and `out_outcome`. */
    void (*accept)(struct ds__call *call, const struct dsrpc_answer *answer,
                   const struct zmtp_message *message, struct ds_result *out_result,
                   struct ds__outcome *out_outcome);
};

extern const struct ds__op_rule ds__op_rules[DSRPC_OP_COUNT];

struct ds__call {
    struct ds_client *client;
    const struct ds__op_rule *rule;
    ds_done_fn *done;
    void *arg;
    bool is_housekeeping; /* none of the user's: heartbeats, registration */
    enum ds__call_state state;
    struct ds__call *next; /* in a queue, in the pool, or among those of a channel */
    struct ds__call *previous;
    struct ds__call *next_live; /* all calls that have not ended */
    struct ds__call **live_link;

    uint64_t started_us;
    struct ds__retry retry;
    uint64_t cap_us;    /* the longest attempt */
    uint64_t unsent_us; /* not 0: what an attempt costs that finds no connection */
    int64_t told_ms;    /* not 0: MetaPb.timeout of every attempt */
    uint64_t attempt_started_us;
    uint64_t attempt_us;
    uint32_t attempt_count;
    struct rt_timer timer; /* deadline of an attempt, or the wait */
    uint64_t rpc_id;       /* of the attempt, key of the table; 0: none */
    char queue_id[64];     /* likewise, as text */
    UT_hash_handle hh;
    char trace_id[RT_UUID_TEXT_BYTES];

    /* Arguments, all in `store`. */
    struct ds__scratch store;
    struct rt_slice *keys;
    size_t key_count;
    struct dsrpc_value *values;
    size_t value_count;
    uint64_t *offsets_bytes; /* read */
    uint64_t *sizes_bytes;
    struct rt_slice *duplicates; /* mset */
    size_t duplicate_count;
    struct ds_set_options set;
    bool is_transaction;
    int64_t sub_timeout_ms;

    uint8_t *body;
    size_t body_bytes;
    size_t body_capacity_bytes;

    /* How it ended, when QUEUED or being told. */
    struct ds_status end;
    struct ds__text text;
};

struct ds__calls {
    struct ds__call *pool;
    struct ds__call *live; /* newest first */
    struct ds__call *queued_first;
    struct ds__call *queued_last;
    struct rt_task tell;        /* ends the queued ones */
    struct ds__call *in_flight; /* table by rpc_id */
    struct ds__call keeper;     /* always in the table: an empty one would be freed, call by call */
    uint64_t live_user_count;
};

RT_NODISCARD enum rt_status ds__calls_init(struct ds_client *client);
void ds__calls_fini(struct ds_client *client);

/* A call from the pool, IDLE, with a fresh trace id. NULL: out of memory. */
struct ds__call *ds__call_new(struct ds_client *client, enum dsrpc_op op, ds_done_fn *done,
                              void *arg);
void ds__call_drop(struct ds__call *call); /* IDLE only: nobody is told */

/* Copies keys into the store, which must have room for them. */
void ds__call_take_keys(struct ds__call *call, const struct rt_slice *keys, size_t key_count);
size_t ds__keys_cost(const struct rt_slice *keys, size_t key_count);

/* Room for `len_bytes` in call->body. */
RT_NODISCARD enum rt_status ds__call_body_room(struct ds__call *call, size_t len_bytes);

/* Starts with a budget; user calls of a client that is not ready or lost end by a task. */
void ds__call_start(struct ds__call *call, uint64_t budget_us, uint64_t cap_us);

/* Refuses, told by a task. The sentence stands in call->text. */
void ds__call_refuse(struct ds__call *call, int32_t code, enum ds_detail detail);

/* Likewise with the text as it is. */
void ds__call_queue_end(struct ds__call *call, int32_t code, enum ds_detail detail);

/* Whether a user call may be made; else it is refused here. */
bool ds__call_is_ready(struct ds__call *call);

/* From the channel. */
RT_NODISCARD enum rt_status ds__call_write(struct ds__call *call, struct rt_outbox *out);
void ds__call_on_message(struct ds__channel *channel, const struct zmtp_message *message);

/* Ends every live call but the waiters of init and close: housekeeping silently, a user's by a
 * task. ds__calls_tell_now() tells all that are queued without waiting for the task. */
void ds__calls_end_all(struct ds_client *client, const char *sentence);
void ds__calls_tell_now(struct ds_client *client);

/* Which operation a request with this MetaPb was; DSRPC_OP_UNKNOWN for none of ours. */
enum dsrpc_op ds__op_of(const struct dsrpc_meta *meta);

#endif
