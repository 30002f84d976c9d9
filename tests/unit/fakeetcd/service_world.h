/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_FAKEETCD_SERVICE_WORLD_H
#define TESTS_UNIT_FAKEETCD_SERVICE_WORLD_H

#include "lab.h"

/* A lab in which one call follows the other: what came of the last one is looked at. */
#define PATIENCE_US UINT64_C(30000000)

#define MAINTENANCE "/etcdserverpb.Maintenance/"
#define CLUSTER     "/etcdserverpb.Cluster/"
#define AUTH        "/etcdserverpb.Auth/"
#define KV          "/etcdserverpb.KV/"
#define LEASE       "/etcdserverpb.Lease/"

struct service_world {
    struct lab lab;
    struct talk talk;
    char token_text[64];
};

struct service_world *service_start(const char *profile);
void service_stop(struct service_world *fx);

/* Starts a call of one message; the second waits for its end and returns its code. */
void service_send_to(struct service_world *fx, const char *path, const ProtobufCMessage *request);
int32_t service_ask(struct service_world *fx, const char *path, const ProtobufCMessage *request);
int32_t service_ask_empty(struct service_world *fx, const char *path);
int32_t service_put(struct service_world *fx, const char *key);

/* The one message of a call that went well; the caller's to free. */
void *service_answer(struct service_world *fx, const ProtobufCMessageDescriptor *type);
void assert_service_refused(const struct service_world *fx, int32_t code, const char *text);

#endif
