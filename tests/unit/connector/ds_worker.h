/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_CONNECTOR_DS_WORKER_H
#define TESTS_UNIT_CONNECTOR_DS_WORKER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runtime/network.h"
#include "wire/dsrpc.h"

/*
 * A worker that answers what the test wrote down, on the real wire and on either network. What is
 * not written down succeeds: control calls register the client, the others answer empty bodies.
 */
enum worker_does {
    WORKER_SUCCEEDS, /* `body`, and `parts` for a get */
    WORKER_REFUSES,  /* `code` and `text` */
    WORKER_SILENT,   /* keeps the request: see worker_answer_kept() */
    WORKER_CUTS,     /* resets the connection instead, and forgets the request */
    WORKER_FRAMES    /* [queue id][MetaPb], then `parts` as they are, whatever they say */
};

#define WORKER_PARTS_MAX 6

struct worker_rule {
    enum worker_does does;
    unsigned times; /* 0: always; else the rule ends after so many requests */
    int32_t code;
    const char *text;
    struct rt_slice body; /* borrowed, as `parts` */
    struct rt_slice parts[WORKER_PARTS_MAX];
    size_t part_count;
};

#define WORKER_ARRIVALS_MAX 512
#define WORKER_BODY_BYTES   512
#define WORKER_ID_BYTES     64

struct worker_arrival {
    enum dsrpc_op op;
    uint64_t time_us;
    int64_t told_ms; /* MetaPb.timeout */
    uint64_t payload_bytes;
    char identity[WORKER_ID_BYTES]; /* of the connection */
    char queue_id[WORKER_ID_BYTES * 2];
    uint8_t meta[WORKER_BODY_BYTES]; /* raw, for an answer that comes later */
    size_t meta_bytes;
    uint8_t body[WORKER_BODY_BYTES]; /* cut to fit */
    size_t body_bytes;
};

#define WORKER_CONNECTIONS_MAX 32

struct worker;

struct worker_connection {
    struct worker *worker;
    struct rt_stream *stream;
    struct zmtp_codec *codec;
};

struct worker {
    struct rt_loop *loop;
    struct rt_network *network;
    struct rt_listener *listener;
    char address[WORKER_ID_BYTES];
    struct worker_connection connections[WORKER_CONNECTIONS_MAX];
    struct worker_rule rules[DSRPC_OP_COUNT];
    bool is_greeting_kept; /* accepts and says nothing */
    bool is_deaf;          /* drops everything that comes after the greeting */

    /* What a registration says. */
    char client_id[WORKER_ID_BYTES];
    char start_id[WORKER_ID_BYTES];
    uint64_t dead_s;
    uint64_t reconnect_wait_s;
    bool is_client_removed;

    /* What was seen. */
    unsigned accepted;
    unsigned probes;
    unsigned beats; /* ZMQ heartbeats */
    uint64_t first_beat_us;
    char last_identity[WORKER_ID_BYTES];
    struct worker_arrival arrivals[WORKER_ARRIVALS_MAX];
    size_t arrival_count;
};

void worker_init(struct worker *worker, struct rt_loop *loop, struct rt_network *network);
void worker_listen(struct worker *worker, const char *address);
void worker_hide(struct worker *worker); /* nobody listens any more; connections stay */
void worker_cut(struct worker *worker);  /* resets all connections */
void worker_fini(struct worker *worker);

void worker_set_rule(struct worker *worker, enum dsrpc_op op, struct worker_rule rule);
void worker_refuses(struct worker *worker, enum dsrpc_op op, int32_t code, const char *text);
void worker_is_silent(struct worker *worker, enum dsrpc_op op);

/* Answers a kept request with success over the newest connection. */
void worker_answer_kept(struct worker *worker, const struct worker_arrival *arrival);

size_t worker_count(const struct worker *worker, enum dsrpc_op op);

/* The n-th request of an operation, from 0; the test fails when there is none. */
const struct worker_arrival *worker_arrival(const struct worker *worker, enum dsrpc_op op,
                                            size_t index);

#endif
