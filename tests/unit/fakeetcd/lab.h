/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_FAKEETCD_LAB_H
#define TESTS_UNIT_FAKEETCD_LAB_H

#include "fakeetcd/request/call.h"
#include "fakeetcd/server/server.h"
#include "wire/grpc/grpc_channel.h"
#include "wire/proto/etcd_rpc.pb-c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka needs the C library's first. */
#include <cmocka.h>

/*
 * A fake etcd with a fault engine and a journal, and a client, on one simulated loop. Talks are
 * calls of any kind: what came is kept until it is looked at.
 */
enum { TALK_MESSAGES_MAX = 64, LAB_EVENTS_BYTES = 4096 };

#define SECOND_US UINT64_C(1000000)
#define MS_US     UINT64_C(1000)

struct lab {
    struct rt_loop *loop;
    struct rt_network *network;
    struct rt_journal *journal;
    struct fault_engine *engine;
    struct fakeetcd_server *server;
    struct grpc_channel *channel;
    char events[LAB_EVENTS_BYTES]; /* names, each with a blank behind it */
    uint64_t records[RT_RECORD_KIND_COUNT];
    char last_cause[64]; /* of the last answered or eaten RPC */
    const char *token;   /* sent with each talk; NULL: none */
};

/* `change` may be NULL: 3.5's defaults, no data-dir. */
typedef void lab_options_fn(struct fakeetcd_options *options);
void lab_start(struct lab *lab, lab_options_fn *change);
void lab_start_as(struct lab *lab, const char *profile);
void lab_stop(struct lab *lab);
/* A lab for one test, with 3.5's defaults: its state. */
int lab_setup(void **state);
int lab_teardown(void **state);
#define LAB_CASE(name) cmocka_unit_test_setup_teardown(name, lab_setup, lab_teardown)
void lab_pass(struct lab *lab, uint64_t time_us);
/* Everything that happens without the clock moving. */
void lab_settle(struct lab *lab);
/* One rule; fails the test when it is refused. */
void lab_arm(struct lab *lab, const char *rule);
uint64_t lab_fired(const struct lab *lab, const char *id);
bool lab_saw(const struct lab *lab, const char *event);
/* Another connection. */
struct grpc_channel *lab_connect(struct lab *lab, const char *name);

struct talk {
    struct lab *lab;
    struct grpc_request *request; /* NULL: ended */
    const ProtobufCMessageDescriptor *answers;
    ProtobufCMessage *messages[TALK_MESSAGES_MAX];
    size_t message_count;
    size_t raw_count; /* messages that came, also those that did not unpack */
    bool is_ended;
    bool is_from_server;
    int32_t code;
    char text[200];
};

/* By the path's row in the table of methods. `channel` NULL: the lab's. */
void talk_open(struct lab *lab, struct talk *talk, const char *path, struct grpc_channel *channel);
void talk_open_with(struct lab *lab, struct talk *talk, const char *path,
                    const struct grpc_metadata *metadata, size_t metadata_count,
                    uint64_t deadline_us);
void talk_say(struct talk *talk, const ProtobufCMessage *message);
void talk_say_raw(struct talk *talk, const void *data, size_t len_bytes);
void talk_close(struct talk *talk); /* half of it */
void talk_cancel(struct talk *talk);
void talk_free(struct talk *talk);

/* A whole unary call, not settled yet; the second is: its end is not waited for. */
void talk_start(struct lab *lab, struct talk *talk, const char *path,
                const ProtobufCMessage *request);
void lab_ask(struct lab *lab, struct talk *talk, const char *path, const ProtobufCMessage *request);
void assert_talk_failed(const struct talk *talk, int32_t code, const char *text);
void assert_talk_ok(const struct talk *talk);

#define KV_PATH(name)    "/etcdserverpb.KV/" name
#define LEASE_PATH(name) "/etcdserverpb.Lease/" name
#define WATCH_PATH       "/etcdserverpb.Watch/Watch"

static inline ProtobufCBinaryData bytes_of(const char *text)
{
    return (ProtobufCBinaryData){.len = strlen(text), .data = (uint8_t *)(uintptr_t)text};
}

#define assert_bytes(bytes, text)                                                                  \
    do {                                                                                           \
        assert_int_equal((bytes).len, strlen(text));                                               \
        assert_memory_equal((bytes).data, (text), strlen(text));                                   \
    } while (0)

/* What most tests do on their way; each asserts that it went well. */
int64_t lab_put(struct lab *lab, const char *key, const char *value); /* the revision */
int64_t lab_put_with(struct lab *lab, const char *key, const char *value, int64_t lease);
void lab_delete(struct lab *lab, const char *key);
void lab_grant(struct lab *lab, int64_t lease, int64_t ttl_s);
void lab_revoke(struct lab *lab, int64_t lease);
int64_t lab_ttl_of(struct lab *lab, int64_t lease);
void lab_compact(struct lab *lab, int64_t revision);
/* Without a request, whoever may do what. */
void lab_put_directly(struct lab *lab, const char *key, const char *value);
void lab_delete_directly(struct lab *lab, const char *key);
/* What the store has, without a request. NULL text: nothing. */
bool lab_has(const struct lab *lab, const char *key);
int64_t lab_revision(const struct lab *lab);
/* `start` 0: from now on. */
void watch_prefix(struct talk *talk, const char *key, const char *end, int64_t start);
const Etcdserverpb__WatchResponse *watch_said(const struct talk *talk, size_t index);

#endif
