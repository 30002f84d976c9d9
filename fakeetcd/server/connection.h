/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_SERVER_CONNECTION_H
#define FAKEETCD_SERVER_CONNECTION_H

#include "fakeetcd/server/server_internal.h"

/*
 * One stream that came in, until it is known to be HTTP/1 (then it is the gateway's):
 *
 *   accepted --connect, greeting--> [TLS handshake] --> sniffed --> gRPC connection with its calls
 *       '--- held by a fault, or the server is frozen: takes bytes, does nothing
 */
TAILQ_HEAD(fakeetcd__grpc_calls, fakeetcd__grpc_call);

struct fakeetcd__connection {
    struct fakeetcd_server *server;
    TAILQ_ENTRY(fakeetcd__connection) others;
    struct rt_stream *stream;     /* before it is a gRPC connection */
    struct grpc_connection *grpc; /* NULL: not yet */
    struct fakeetcd__grpc_calls calls;
    char *peer;
    bool is_tls_done;
    struct rt_timer handshake_timer;
    struct fault_hold hold; /* of a stall that ends, or a delayed greeting */
    bool is_stalled;
    const char *stall_cause;
    const struct fault_action *greeting; /* what is done to it when it is open */
    const struct fault_action *after;    /* how it ends when everything is written */
};

struct fakeetcd__grpc_call {
    struct fakeetcd_call call; /* first */
    struct grpc_call *grpc;
    struct fakeetcd__connection *connection;
    TAILQ_ENTRY(fakeetcd__grpc_call) others;
    SLIST_ENTRY(fakeetcd__grpc_call) pool;
};

/* transport_grpc.c: the stream is the connection's until then. */
void fakeetcd__grpc_open(struct fakeetcd__connection *connection, struct rt_stream *stream);
/* Every call is gone and the connection reset; nothing is told. */
void fakeetcd__grpc_destroy(struct fakeetcd__connection *connection);
void fakeetcd__grpc_pool_free(struct fakeetcd_server *server);

/* server_listen.c */
void fakeetcd__connection_stall(struct fakeetcd__connection *connection,
                                const struct fault_action *action);
void fakeetcd__connection_end_after(struct fakeetcd__connection *connection,
                                    const struct fault_action *action);
void fakeetcd__connection_flushed(struct fakeetcd__connection *connection);
void fakeetcd__connection_free(struct fakeetcd__connection *connection);
void fakeetcd__connection_record(const struct fakeetcd__connection *connection, const char *cause,
                                 const char *detail);

#endif
