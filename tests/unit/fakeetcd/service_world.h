/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_FAKEETCD_SERVICE_WORLD_H
#define TESTS_UNIT_FAKEETCD_SERVICE_WORLD_H

#include "fakeetcd/server.h"
#include "wire/grpc_channel.h"

#include <protobuf-c/protobuf-c.h>

/* One fake etcd and one client that speaks gRPC to it, in simulation. */
#define PATIENCE_US   UINT64_C(30000000)
#define MESSAGES_MAX  8
#define MESSAGE_BYTES 40000

#define MAINTENANCE "/etcdserverpb.Maintenance/"
#define CLUSTER     "/etcdserverpb.Cluster/"
#define AUTH        "/etcdserverpb.Auth/"
#define KV          "/etcdserverpb.KV/"
#define LEASE       "/etcdserverpb.Lease/"

struct service_world {
    struct rt_loop *loop;
    struct rt_network *network;
    struct fakeetcd_server *server;
    struct grpc_channel *channel;
    const char *token; /* sent with each call; NULL: none */
    char token_text[64];

    /* What came of the last call. */
    bool is_done;
    int32_t code;
    char text[160];
    size_t message_count;
    size_t len_bytes[MESSAGES_MAX];
    uint8_t messages[MESSAGES_MAX][MESSAGE_BYTES];
};

struct service_world *service_start(const char *profile);
void service_stop(struct service_world *fx);
/* Lets this much time pass. */
void service_wait(struct service_world *fx, uint64_t time_us);

/* Starts a call of one message; the second waits for its end and returns its code. */
struct grpc_request *service_send_to(struct service_world *fx, const char *path,
                                     const ProtobufCMessage *request);
int32_t service_ask(struct service_world *fx, const char *path, const ProtobufCMessage *request);
int32_t service_ask_empty(struct service_world *fx, const char *path);
int32_t service_put(struct service_world *fx, const char *key);

/* The one message of a call that went well, unpacked. */
void *service_answer(struct service_world *fx, const ProtobufCMessageDescriptor *type);
void assert_service_refused(const struct service_world *fx, int32_t code, const char *text);

ProtobufCBinaryData service_bytes(const char *text);
void assert_service_bytes(ProtobufCBinaryData actual, const char *expected);

#endif
