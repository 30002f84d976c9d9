/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CONNECTOR_DS_WORLD_H
#define TESTS_CONNECTOR_DS_WORLD_H

#include "unit/connector/ds_server.h"

/*
 * A client and a scripted server in simulated time. Every world checks at its end that nothing is
 * left: streams, blobs, unanswered callbacks.
 */
struct world {
    struct rt_loop *loop;
    struct rt_network *network;
    struct server server;
    struct ds_client *client;
    struct ds_options options;
    size_t blobs_before_bytes;
};

/* How one call ended. Zeroed before it starts. */
struct ended {
    struct world *world;
    unsigned calls; /* of the callback; must become 1 */
    uint64_t at_us;
    int32_t code;
    enum ds_detail detail;
    char text[1200];
    uint64_t took_us;
    uint32_t attempts;
    size_t value_count;
    bool is_present[8];
    struct rt_blob *values[8];        /* retained; bytes of small ones copied */
    const struct rt_blob *value_blob; /* of the first, for identity */
    bool exists[8];
    size_t exist_count;
    uint64_t sizes[8];
    size_t size_count;
    char failed[8][32];
    size_t failed_count;
    void (*then)(struct ended *ended); /* inside the callback, after the result was taken */
};

void world_open(struct world *world);  /* nothing is initialised */
void world_ready(struct world *world); /* open, options as set, init done */
void world_close(struct world *world); /* also after the client was destroyed */
void world_make_client(struct world *world);

void on_ended(void *arg, const struct ds_result *result);
void ended_fini(struct ended *ended);

/* Runs until it has ended; fails when nothing can happen any more. */
void world_wait(struct world *world, const struct ended *ended);
void world_pass_us(struct world *world, uint64_t duration_us);
void world_pass_ms(struct world *world, uint64_t duration_ms);
uint64_t world_now_us(const struct world *world);

/* Starts, and blocking in simulated time. */
void start_set(struct world *world, const char *key, const char *value, struct ended *ended);
void start_get(struct world *world, const char *key, int64_t sub_timeout_ms, struct ended *ended);
void start_op(struct world *world, enum dsrpc_op op, struct ended *ended);
void run_set(struct world *world, const char *key, const char *value, struct ended *ended);
void run_get(struct world *world, const char *key, int64_t sub_timeout_ms, struct ended *ended);
void run_op(struct world *world, enum dsrpc_op op, struct ended *ended);
void run_init(struct world *world, struct ended *ended);

/* Times of an operation's requests in milliseconds after the first. */
void assert_times_ms(const struct world *world, enum dsrpc_op op, const uint64_t *times_ms,
                     size_t count);
void assert_conserved(const struct world *world, enum dsrpc_op op);
struct ds_rpc_counts world_counts(const struct world *world, enum dsrpc_op op);
struct ds_client_state world_state(const struct world *world);

#endif
