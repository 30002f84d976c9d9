/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_GRPC_GRPC_CHANNEL_H
#define WIRE_GRPC_GRPC_CHANNEL_H

#include "runtime/network.h"
#include "wire/grpc/grpc_code.h"

/*
 * gRPC calls as a client makes them: one HTTP/2 connection to one address. It connects on the
 * first call, again on the next call after it was lost, and never retries a call. One thread.
 */
struct grpc_channel;
struct grpc_request;

struct rt_tls_context;

struct grpc_channel_options {
    const char *name;      /* who connects, for the journal: "worker-1"; copied */
    const char *address;   /* "10.0.2.1:2379"; copied */
    const char *authority; /* NULL: the address; copied */
    uint64_t connect_timeout_us;
    struct rt_tls_context *tls; /* NULL: plain; borrowed */
};

RT_NODISCARD enum rt_status grpc_channel_create(struct rt_loop *loop, struct rt_network *network,
                                                const struct grpc_channel_options *options,
                                                struct grpc_channel **out_channel);
/* Requests still open end without a callback. NULL: nothing happens. */
void grpc_channel_destroy(struct grpc_channel *channel);

struct grpc_metadata {
    const char *name; /* lower case */
    struct rt_slice value;
};

/* How a call ended: the server's code and text, or 14 with `no connection ...`, 4 with `Deadline
 * Exceeded`, 1 after a cancellation, 13 or 2 for an answer that is no gRPC. */
struct grpc_outcome {
    int32_t code;
    const char *text; /* borrowed */
    bool is_from_server;
};

struct grpc_request_handler {
    /* One message of the answer; borrowed. */
    void (*on_message)(void *arg, struct rt_slice message);
    /* Once, last, never from inside a call on the request. The request is freed after it. */
    void (*on_end)(void *arg, const struct grpc_outcome *outcome);
};

/* Headers go out when the connection is there. `path` and metadata are copied. `deadline_us` is on
 * the loop's clock; RT_NEVER: none. */
RT_NODISCARD enum rt_status grpc_request_start(struct grpc_channel *channel, const char *path,
                                               const struct grpc_metadata *metadata,
                                               size_t metadata_count, uint64_t deadline_us,
                                               const struct grpc_request_handler *handler,
                                               void *arg, struct grpc_request **out_request);
/* Room for a message to be packed into in place. NULL: no memory. */
RT_NODISCARD uint8_t *grpc_request_reserve(struct grpc_request *request, size_t len_bytes);
void grpc_request_half_close(struct grpc_request *request);
/* RST_STREAM CANCEL. No callback comes any more; the request is freed. */
void grpc_request_cancel(struct grpc_request *request);

#endif
