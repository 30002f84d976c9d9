/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_ETCD_ETCD_CLIENT_INTERNAL_H
#define WIRE_ETCD_ETCD_CLIENT_INTERNAL_H

#include "runtime/random.h"
#include "wire/dsrpc/dsrpc.h"
#include "wire/etcd/etcd_client.h"
#include "wire/grpc/grpc_channel.h"

#include <bsd/sys/queue.h>

/*
 *   etcd_client_requests.c  what is asked: messages and policies
 *   etcd_client_call.c      one unary call: attempts, waits, budget
 *   etcd_client_stream.c    keepalive and watch
 *   etcd_client_auth.c      the token that the others wait for
 *   etcd_client.c           endpoints
 */
enum { ETCD__ENDPOINT_LIMIT = 64 };

/* One row for each method; the response tells what its bytes are. */
struct etcd__method {
    const char *path;
    const ProtobufCMessageDescriptor *response;
    bool is_without_token;
};

struct etcd_call {
    struct etcd_client *client;
    const struct etcd__method *method;
    struct etcd_policy policy;
    etcd_done_fn *done;
    void *arg;
    uint8_t *request; /* packed */
    size_t request_bytes;
    uint64_t deadline_us;
    size_t wait_index;
    uint32_t attempt_count;
    size_t endpoint;              /* of the attempt under way */
    struct grpc_request *attempt; /* NULL: none is under way */
    uint8_t *response;            /* of the attempt under way; NULL: nothing came */
    size_t response_bytes;
    bool is_out_of_memory;
    bool is_token_renewed; /* once for each call that is not retried */
    bool is_waiting_for_token;
    struct rt_timer timer; /* the next attempt, or the end of waiting for a token */
    TAILQ_ENTRY(etcd_call) others;
};
TAILQ_HEAD(etcd__call_list, etcd_call);

struct etcd_stream {
    struct etcd_client *client;
    const struct etcd__method *method;
    const struct etcd_stream_handler *handler;
    void *arg;
    size_t endpoint;
    struct grpc_request *request; /* NULL: it waits for the token */
    struct rt_task start_task;
    struct evbuffer *early; /* framed messages of the time before `request` */
    TAILQ_ENTRY(etcd_stream) others;
};
TAILQ_HEAD(etcd__stream_list, etcd_stream);

struct etcd_client {
    struct rt_loop *loop;
    struct rt_network *network;
    char *name;
    char *authority;
    char *username; /* NULL: no authentication */
    char *password;
    struct rt_tls_context *tls;
    char *addresses[ETCD__ENDPOINT_LIMIT];
    struct grpc_channel *channels[ETCD__ENDPOINT_LIMIT]; /* made when first needed */
    size_t endpoint_count;
    size_t endpoint;           /* which one is asked now */
    struct dsrpc_arena *arena; /* of the response being handed over */

    char *token; /* NULL: none yet */
    bool is_auth_disabled;
    struct etcd_call *authenticate; /* under way */
    struct rt_timer refresh_timer;
    int32_t refusal_code; /* etcd does not accept the user; GRPC_OK: it did not say so */
    char refusal[200];

    struct etcd__call_list calls;
    struct etcd__stream_list streams;
};

/* A request to the endpoint that is asked now, with the token, if there is one and it is wanted. */
RT_NODISCARD enum rt_status etcd__request_start(struct etcd_client *client,
                                                const struct etcd__method *method,
                                                uint64_t deadline_us,
                                                const struct grpc_request_handler *handler,
                                                void *arg, struct grpc_request **out_request);
/* `endpoint` could not be reached or did not answer: the others first. */
void etcd__endpoint_failed(struct etcd_client *client, size_t endpoint);

RT_NODISCARD enum rt_status etcd__call_start(struct etcd_client *client,
                                             const struct etcd__method *method,
                                             const ProtobufCMessage *request,
                                             const struct etcd_policy *policy, etcd_done_fn *done,
                                             void *arg, struct etcd_call **out_call);
/* True: the call or stream must wait; its timer or task runs when it need not any more. */
bool etcd__auth_is_needed(struct etcd_client *client);
void etcd__auth_forget_token(struct etcd_client *client);
void etcd__auth_init(struct etcd_client *client);
void etcd__auth_fini(struct etcd_client *client);
bool etcd__auth_is_token_refused(const struct grpc_outcome *outcome);

#endif
