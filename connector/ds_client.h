/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONNECTOR_DS_CLIENT_H
#define CONNECTOR_DS_CLIENT_H

#include "connector/ds_status.h"
#include "runtime/journal.h"
#include "runtime/network.h"
#include "wire/dsrpc/dsrpc.h"

/*
 * The Datasystem client, asynchronous. Behaves as the real client 0.8.1: two connections, init
 * with first heartbeat, retries and budgets, key checks, texts. One thread, its loop's.
 *
 *   NEW --ds_client_init--> INITIALISING --> READY <--> LOST (no heartbeat for the dead time)
 *            failed --> NEW                    `--ds_client_close--> CLOSED
 */
struct ds_client;

/* Where a client lives. Borrowed; loop, network and journal outlive it. */
struct ds_environment {
    struct rt_loop *loop;
    struct rt_network *network;
    struct rt_journal *journal; /* NULL: none */
    uint64_t seed;              /* of identifiers */
    const char *name;           /* "client-1": actor in the journal, stream of randomness; NULL:
                                   "client"; copied */
};

struct ds_options {
    const char *host;           /* IPv4 literal, "localhost" or "[v6]"; copied */
    int64_t port;               /* 1 to 65535, else ds_client_init() ends with K_INVALID */
    int64_t connect_timeout_ms; /* 60000; below 500: init ends with K_INVALID */
    int64_t request_timeout_ms; /* 0: as connect_timeout_ms */
};

void ds_options_init(struct ds_options *options); /* the real client's defaults, 127.0.0.1:31501 */

/* Nothing is sent. `options` is copied. RT_E_NOMEM is the only failure. */
RT_NODISCARD enum rt_status ds_client_create(const struct ds_environment *environment,
                                             const struct ds_options *options,
                                             struct ds_client **out_client);

/* Ends calls in flight with K_NOT_READY and DS_DETAIL_CLOSED first, without a word to the worker.
 * NULL: nothing happens. */
void ds_client_destroy(struct ds_client *client);

/* A value that a get brought. `blob` is NULL for small ones; retain it to keep the bytes. */
struct ds_value {
    bool is_present;
    struct rt_slice bytes;
    struct rt_blob *blob;
};

/* Everything a call can bring; borrowed, dies with the callback. Lists are in key order. */
struct ds_result {
    struct ds_status status;
    const struct ds_value *values; /* get, read */
    size_t value_count;
    const bool *exists; /* exist */
    size_t exist_count;
    const uint64_t *sizes; /* query size; 0: absent */
    size_t size_count;
    const struct rt_slice *failed_keys; /* delete, expire, mset */
    size_t failed_key_count;
    uint64_t took_us;
    uint32_t attempt_count; /* requests of this call that went on the wire */
};

/* Runs exactly once, never from inside the call that started it. */
typedef void ds_done_fn(void *arg, const struct ds_result *result);

/*
 * All calls below: keys, options and bytes without a blob are copied, blobs are retained, before
 * they return. RT_OK       accepted: `done` will run, also when the client's checks refuse the
 * arguments RT_E_NOMEM  nothing happened
 */

/* GetSocketPath, RegisterClient, first Heartbeat. OK when initialised already. */
RT_NODISCARD enum rt_status ds_client_init(struct ds_client *client, ds_done_fn *done, void *arg);

/* Ends calls in flight, tells the worker (DisconnectClient), closes both connections. Idempotent.
 */
RT_NODISCARD enum rt_status ds_client_close(struct ds_client *client, ds_done_fn *done, void *arg);

enum ds_write_mode {
    DS_NONE_L2_CACHE = 0,
    DS_WRITE_THROUGH_L2_CACHE = 1,
    DS_WRITE_BACK_L2_CACHE = 2,
    DS_NONE_L2_CACHE_EVICT = 3,
    DS_WRITE_BACK_L2_CACHE_EVICT = 4
};

struct ds_set_options { /* all zero: the real client's defaults */
    enum ds_write_mode write_mode;
    uint32_t ttl_s;      /* 0: no expiry */
    bool only_if_absent; /* NX */
};

/* `options` NULL: the defaults. */
RT_NODISCARD enum rt_status ds_set(struct ds_client *client, struct rt_slice key,
                                   const struct dsrpc_value *value,
                                   const struct ds_set_options *options, ds_done_fn *done,
                                   void *arg);

/* `sub_timeout_ms` outside 0 .. 2^31-1: K_INVALID. The worker waits max(0.9 t, t - 1000). */
RT_NODISCARD enum rt_status ds_get(struct ds_client *client, const struct rt_slice *keys,
                                   size_t key_count, int64_t sub_timeout_ms, ds_done_fn *done,
                                   void *arg);

/* The same, and *out_call names the call until its `done` runs. */
struct ds__call;
RT_NODISCARD enum rt_status ds_set_named(struct ds_client *client, struct rt_slice key,
                                         const struct dsrpc_value *value,
                                         const struct ds_set_options *options, ds_done_fn *done,
                                         void *arg, struct ds__call **out_call);
RT_NODISCARD enum rt_status ds_get_named(struct ds_client *client, const struct rt_slice *keys,
                                         size_t key_count, int64_t sub_timeout_ms, ds_done_fn *done,
                                         void *arg, struct ds__call **out_call);

/* Gives a call up: its `done` never runs, an answer that still comes is a late one. A set that was
 * sent may be applied all the same. */
void ds_abandon(struct ds_client *client, struct ds__call *call);

/* A part of each value. `size_bytes` 0 reads to the end. */
struct ds_read {
    struct rt_slice key;
    uint64_t offset_bytes;
    uint64_t size_bytes;
};
RT_NODISCARD enum rt_status ds_read(struct ds_client *client, const struct ds_read *reads,
                                    size_t read_count, ds_done_fn *done, void *arg);

RT_NODISCARD enum rt_status ds_exist(struct ds_client *client, const struct rt_slice *keys,
                                     size_t key_count, ds_done_fn *done, void *arg);
RT_NODISCARD enum rt_status ds_delete(struct ds_client *client, const struct rt_slice *keys,
                                      size_t key_count, ds_done_fn *done, void *arg);
RT_NODISCARD enum rt_status ds_expire(struct ds_client *client, const struct rt_slice *keys,
                                      size_t key_count, uint32_t ttl_s, ds_done_fn *done,
                                      void *arg);
RT_NODISCARD enum rt_status ds_query_size(struct ds_client *client, const struct rt_slice *keys,
                                          size_t key_count, ds_done_fn *done, void *arg);
RT_NODISCARD enum rt_status ds_health(struct ds_client *client, ds_done_fn *done, void *arg);

/* Several sets in one request; not atomic unless `is_transaction` (1 to 8 keys, NX). `options`
 * NULL: the defaults. */
struct ds_mset_options {
    struct ds_set_options set;
    bool is_transaction;
};
RT_NODISCARD enum rt_status ds_mset(struct ds_client *client, const struct rt_slice *keys,
                                    const struct dsrpc_value *values, size_t count,
                                    const struct ds_mset_options *options, ds_done_fn *done,
                                    void *arg);

/* ---- looking at it ---- */

/* Counted since creation. Law: sent = received + abandoned + in flight; a late answer was abandoned
 * before. Heartbeats and other housekeeping are counted under their own operation. */
struct ds_rpc_counts {
    uint64_t sent;
    uint64_t received;
    uint64_t abandoned;
    uint64_t late;
    uint64_t in_flight;
};
void ds_client_rpc_counts(const struct ds_client *client, enum dsrpc_op op,
                          struct ds_rpc_counts *out_counts);

struct ds_client_state {
    bool is_ready;
    bool is_lost;
    uint64_t calls_in_flight;
    uint64_t registrations; /* successful RegisterClient */
    uint64_t connects;      /* streams opened so far */
    const char *client_id;  /* as the worker gave it, "" before */
};
void ds_client_state(const struct ds_client *client, struct ds_client_state *out_state);

#endif
