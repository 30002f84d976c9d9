/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_FAKEETCD_ETCD_WORLD_H
#define TESTS_UNIT_FAKEETCD_ETCD_WORLD_H

#include "fakeetcd/server.h"
#include "wire/grpc_channel.h"
#include "wire/proto/etcd_rpc.pb-c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka needs the C library's first. */
#include <cmocka.h>

/* A fake etcd and a client on one simulated loop, and calls that are looked at afterwards. */
enum { ASKED_MESSAGES_MAX = 8 };

struct world {
    struct rt_loop *loop;
    struct rt_network *network;
    struct fakeetcd_server *server;
    struct grpc_channel *channel;
    const char *token; /* sent along; NULL: none */
};

/* One call. */
struct asked {
    struct grpc_request *request; /* NULL: ended */
    const ProtobufCMessageDescriptor *answers;
    ProtobufCMessage *messages[ASKED_MESSAGES_MAX];
    size_t message_count;
    bool is_ended;
    int32_t code;
    char text[160];
};

void world_init(struct world *world, const char *profile);
void world_fini(struct world *world);
void world_pass(struct world *world, uint64_t passed_us);

/* Starts; a network without latency needs world_settle() for everything to happen. */
void ask_start(struct world *world, struct asked *asked, const char *path,
               const ProtobufCMessage *request, const ProtobufCMessageDescriptor *answers);
void world_settle(struct world *world);
void ask_cancel(struct asked *asked); /* also one that has ended */
void asked_free(struct asked *asked);

/* Started and settled. */
void ask(struct world *world, struct asked *asked, const char *path,
         const ProtobufCMessage *request, const ProtobufCMessageDescriptor *answers);

static inline ProtobufCBinaryData bytes_of(const char *text)
{
    return (ProtobufCBinaryData){.len = strlen(text), .data = (uint8_t *)(uintptr_t)text};
}

#define assert_bytes(bytes, text)                                                                  \
    do {                                                                                           \
        assert_int_equal((bytes).len, strlen(text));                                               \
        assert_memory_equal((bytes).data, (text), strlen(text));                                   \
    } while (0)

/* What clients do every day. */
void grant(struct world *world, int64_t lease, int64_t ttl_s);
void revoke(struct world *world, int64_t lease);
void put(struct world *world, const char *key, const char *value);
void delete_key(struct world *world, const char *key);
bool has_key(struct world *world, const char *key);
int64_t ttl_of(struct world *world, int64_t lease);

#endif
