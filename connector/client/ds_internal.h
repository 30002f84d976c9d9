/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONNECTOR_CLIENT_DS_INTERNAL_H
#define CONNECTOR_CLIENT_DS_INTERNAL_H

#include "connector/client/ds_call.h"
#include "connector/client/ds_channel.h"
#include "connector/client/ds_scratch.h"
#include "connector/ds_client.h"
#include "runtime/random.h"

/*
 * The client's parts, from the wire up:
 *
 *   ds_channel    one connection that reconnects; where requests wait until it is open
 *   ds_call       one call: its attempts under the retry law, its texts, its end
 *   ds_ops_*      what each operation sends, and what it accepts as an answer
 *   ds_init       GetSocketPath, RegisterClient, first heartbeat; also after a worker restart
 *   ds_heartbeat  heartbeats, declared lost, healed, reconcile
 *   ds_client     life of the whole
 *
 * Nothing below may be used after ds__leave() answered false: the owner destroyed the client from
 * one of its callbacks.
 */

enum ds__phase {
    DS__NEW,          /* never initialised */
    DS__INITIALISING, /* ds_init.c */
    DS__FAILED,       /* init failed; may be tried again */
    DS__READY,
    DS__CLOSING, /* DisconnectClient is under way */
    DS__CLOSED
};

/* Of the address text: longest host name and port. */
#define DS__ADDRESS_BYTES 300

/* Timing that follows from RegisterClientRsp. */
struct ds__heartbeat {
    struct rt_timer next; /* the next heartbeat */
    struct rt_timer reconcile;
    uint64_t interval_us;
    uint64_t rpc_timeout_us;
    uint64_t dead_us;
    uint64_t dead_at_us;    /* the first failed one was sent + dead time */
    uint32_t failure_count; /* in a row */
    bool is_lost;
    bool is_first_good; /* init waits for it */
    bool is_reconciling;
    bool has_worker_left; /* start id changed or client removed: register again */
};

/* Who waits for init or close to end. */
struct ds__waiter {
    struct ds__call *first;
    struct ds__call *last;
};

struct ds_client {
    struct ds_environment environment;
    char *name;
    char *host;
    int64_t port;
    int64_t connect_timeout_ms;
    int64_t request_timeout_ms; /* as given: may be 0 or negative */
    uint64_t connect_us;
    uint64_t request_us;
    char address[DS__ADDRESS_BYTES];
    struct rt_random ids;

    enum ds__phase phase;
    struct ds__channel control; /* WorkerService */
    struct ds__channel data;    /* WorkerOCService */
    struct ds__heartbeat heartbeat;
    struct rt_timer first_heartbeat; /* how long init waits for it */
    struct ds__waiter init_waiters;
    struct ds__waiter close_waiters;
    char init_trace_id[RT_UUID_TEXT_BYTES];
    struct ds__text client_id; /* as the worker gave it, "" before */
    struct ds__text worker_start_id;

    struct ds__calls calls;
    struct dsrpc_arena *arena;  /* answers being decoded */
    struct ds__scratch scratch; /* lists of the result being told */
    struct rt_blob **joined;    /* values that came in parts, until the result is told */
    size_t joined_count;
    size_t joined_capacity;
    struct ds_rpc_counts counts[DSRPC_OP_COUNT];
    uint64_t registrations;
    uint64_t connects;
    uint64_t next_rpc;

    unsigned depth; /* of entries from the loop, see ds__enter() */
    bool is_destroyed;
};

/* Every entry from the loop is bracketed by these, so that a callback may destroy the client.
 * ds__leave() answers false when it is gone. */
void ds__enter(struct ds_client *client);
bool ds__leave(struct ds_client *client);

/* A value put together from parts; released when its result has been told. */
RT_NODISCARD enum rt_status ds__joined_add(struct ds_client *client, struct rt_blob *blob);
void ds__joined_release(struct ds_client *client);

uint64_t ds__now_us(const struct ds_client *client);
void ds__set_phase(struct ds_client *client, enum ds__phase phase);

/* A record of this client; the caller fills the rest. */
struct rt_record ds__record(const struct ds_client *client, enum rt_record_kind kind,
                            const char *subject);
void ds__journal(const struct ds_client *client, const struct rt_record *record);
void ds__journal_state(const struct ds_client *client, const char *detail);

/* ds_init.c */
void ds__init_start(struct ds_client *client);
void ds__init_abort(struct ds_client *client, int32_t code, const char *sentence);
void ds__init_first_heartbeat(struct ds_client *client, bool is_good);
void ds__init_no_heartbeat(void *client);
void ds__register_again(struct ds_client *client);
void ds__waiters_end(struct ds_client *client, struct ds__waiter *waiters,
                     const struct ds_status *status);
void ds__waiters_add(struct ds__waiter *waiters, struct ds__call *call);

/* ds_heartbeat.c */
void ds__heartbeat_init(struct ds_client *client);
void ds__heartbeat_configure(struct ds_client *client, uint64_t dead_s, uint64_t reconnect_wait_s);
void ds__heartbeat_start(struct ds_client *client);
void ds__heartbeat_resume(struct ds_client *client); /* after registering again */
void ds__heartbeat_stop(struct ds_client *client);
void ds__heartbeat_retry(struct ds_client *client); /* registering again failed */

#endif
