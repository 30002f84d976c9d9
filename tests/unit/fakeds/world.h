/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FAKEDS_WORLD_H
#define TESTS_FAKEDS_WORLD_H

#include "fakeds/worker/worker.h"
#include "wire/proto/datasystem.pb-c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
/* cmocka needs those four first. */
#include <cmocka.h>

/*
 * One worker in simulated time, and peers that speak ZMTP by script: they send what a test says
 * and keep what comes back. Nothing here waits: time moves only by run_for().
 */
struct world {
    struct rt_loop *loop;
    struct rt_network *network;
    struct rt_journal *journal;
    struct fault_engine *faults;
    struct fakeds_worker *worker;
    size_t eaten_count;
    size_t malformed_count;
    char last_cause[64]; /* of the last request or answer that was lost */
    char events[1024];   /* names of the worker's events, a space behind each */
};

#define MS ((uint64_t)1000)
#define S  ((uint64_t)1000000)

void world_options(struct fakeds_options *options); /* 64 MiB, ready at once */
void world_create(struct world *world, const struct fakeds_options *options);
void world_destroy(struct world *world); /* and checks that nothing is left */
void run_for(struct world *world, uint64_t duration_us);
void arm(struct world *world, const char *rule);
uint64_t fired(const struct world *world, const char *rule_id);
struct fakeds_op_counts counts_of(const struct world *world, enum dsrpc_op op);

#define ANSWER_MAX 64
#define BODY_MAX   4096

struct answer {
    uint32_t number; /* of the request */
    uint64_t time_us;
    int32_t code;
    char text[256];
    uint8_t body[BODY_MAX];
    size_t body_bytes;
    size_t part_count;
    uint64_t payload_bytes;
    uint8_t payload[BODY_MAX]; /* its beginning */
};

struct dealer {
    struct world *world;
    struct rt_stream *stream; /* NULL: closed */
    struct zmtp_codec *codec;
    char name[32];
    char identity[32];
    char client_id[64];
    bool is_open;
    enum rt_status closed_why; /* RT_OK: not closed by the worker */
    uint64_t closed_us;
    uint32_t sent_count;
    struct answer answers[ANSWER_MAX];
    size_t answer_count;
    struct dsrpc_arena *arena;
};

/* Connects and runs until the handshake is over. */
void dealer_init(struct dealer *dealer, struct world *world, const char *name,
                 const char *identity);
void dealer_connect(struct dealer *dealer);
void dealer_close(struct dealer *dealer);
void dealer_reset(struct dealer *dealer);
void dealer_fini(struct dealer *dealer);

/* Sends and returns the request's number. */
uint32_t dealer_send(struct dealer *dealer, enum dsrpc_op op, const ProtobufCMessage *body,
                     const struct dsrpc_value *values, size_t value_count, int64_t timeout_ms);
void dealer_send_raw(struct dealer *dealer, const void *bytes, size_t len_bytes);
const struct answer *answer_to(const struct dealer *dealer, uint32_t number); /* NULL: none yet */
size_t answers_to(const struct dealer *dealer, uint32_t number);

/* ---- operations ---- */

struct set_options {
    uint32_t ttl_s;
    uint32_t write_mode;
    bool is_nx;
    int64_t timeout_ms; /* 0: 4500 */
};

void dealer_register(struct dealer *dealer); /* answered when this returns */
uint32_t send_set(struct dealer *dealer, const char *key, const char *value,
                  const struct set_options *options);
uint32_t send_set_big(struct dealer *dealer, const char *key, struct rt_blob *blob,
                      const struct set_options *options);
uint32_t send_get(struct dealer *dealer, const char *const *keys, size_t key_count,
                  int64_t sub_timeout_ms);
uint32_t send_keys(struct dealer *dealer, enum dsrpc_op op, const char *const *keys,
                   size_t key_count, uint32_t ttl_s);

/* The same, run until answered; all take no time. Return the status code. */
int32_t set(struct dealer *dealer, const char *key, const char *value);
int32_t set_with(struct dealer *dealer, const char *key, const char *value,
                 const struct set_options *options);
int32_t del(struct dealer *dealer, const char *key);

/* The value under `key` now, "" when it is missing. Valid until the next call. */
const char *value_of(struct dealer *dealer, const char *key);

/* Value `index` of a get's answer as text, "" when it is missing. */
const char *got(struct dealer *dealer, const struct answer *answer, size_t index);
const Ds__GetRsp *get_answer(struct dealer *dealer, const struct answer *answer);
void *unpacked(struct dealer *dealer, const struct answer *answer,
               const ProtobufCMessageDescriptor *descriptor);

#endif
