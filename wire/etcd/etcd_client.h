/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_ETCD_ETCD_CLIENT_H
#define WIRE_ETCD_ETCD_CLIENT_H

#include "runtime/network.h"
#include "wire/grpc/grpc_code.h"
#include "wire/proto/etcd_rpc.pb-c.h"

/*
 * The part of etcd's API that the Datasystem asks for, over gRPC on our streams: KV, leases,
 * watches, status and the password. One thread, the loop's; nothing blocks.
 *
 * A call goes to one endpoint. When that one cannot be reached, or does not answer in time, the
 * next attempt goes to the next one.
 */
struct etcd_client;
struct etcd_call;
struct etcd_stream;
struct rt_tls_context;

struct etcd_client_options {
    const char *name;      /* who asks, for the journal; copied */
    const char *endpoints; /* "10.0.2.1:2379,10.0.2.2:2379"; copied */
    const char *username;  /* NULL: no authentication; copied */
    const char *password;
    struct rt_tls_context *tls; /* NULL: plain; borrowed */
    const char *authority;      /* NULL: the list of endpoints, as gRPC's C core sends it */
    uint64_t seed;              /* the order in which endpoints are tried */
};

/*   RT_E_INVALID  no endpoint, or one that is not host:port; nothing happened */
RT_NODISCARD enum rt_status etcd_client_create(struct rt_loop *loop, struct rt_network *network,
                                               const struct etcd_client_options *options,
                                               struct etcd_client **out_client);
/* Calls and streams still open end without a callback. NULL: nothing happens. May run inside any
 * callback of the client. */
void etcd_client_destroy(struct etcd_client *client);

/* ---- unary calls ---- */

/*
 * How long a call is tried. Waits between attempts are 1, 5, 50, 200, 1000, 5000, 5000 ... ms, the
 * last one cut so that one more attempt starts 10 ms before the end (the retry law). Every code
 * that is not OK is tried again, even one that will never change: the Datasystem does so.
 */
struct etcd_policy {
    uint64_t total_us;   /* RT_NEVER: no end */
    uint64_t attempt_us; /* at most this for one attempt; RT_NEVER: no limit */
    bool is_retried;
};
extern const struct etcd_policy etcd_policy_send;  /* 50 s, attempts of 10 s: range, put, delete */
extern const struct etcd_policy etcd_policy_probe; /* one attempt of 10 s: status */
extern const struct etcd_policy etcd_policy_write; /* one attempt of 5 s: is etcd writable? */
extern const struct etcd_policy etcd_policy_forever; /* one attempt without an end: txn */

/* How a call ended. Borrowed for the callback. */
struct etcd_result {
    int32_t code; /* GRPC_OK, or of the last attempt */
    const char *text;
    bool is_from_server;
    uint32_t attempt_count;
    const ProtobufCMessage *message; /* NULL unless OK: the method's response */
};

/* Once, later than the call that started it. */
typedef void etcd_done_fn(void *arg, const struct etcd_result *result);

/* Everything below copies what it is given. `out_call` may be NULL: it cannot be cancelled then.
 *   RT_E_NOMEM  nothing happened, `done` will not run */

/* [key, range_end), or the one key when `range_end` is empty; revision 0: the newest. */
RT_NODISCARD enum rt_status etcd_range(struct etcd_client *client, struct rt_slice key,
                                       struct rt_slice range_end, int64_t revision,
                                       etcd_done_fn *done, void *arg, struct etcd_call **out_call);
RT_NODISCARD enum rt_status etcd_put(struct etcd_client *client, struct rt_slice key,
                                     struct rt_slice value, int64_t lease,
                                     const struct etcd_policy *policy, etcd_done_fn *done,
                                     void *arg, struct etcd_call **out_call);
RT_NODISCARD enum rt_status etcd_delete(struct etcd_client *client, struct rt_slice key,
                                        const struct etcd_policy *policy, etcd_done_fn *done,
                                        void *arg, struct etcd_call **out_call);

/* Puts `value` if the key still is as it was seen: of this version (0: absent), or, with
 * `old_value`, of this value. The response's `succeeded` says. One attempt without an end. */
RT_NODISCARD enum rt_status etcd_compare_and_put(struct etcd_client *client, struct rt_slice key,
                                                 int64_t version, const struct rt_slice *old_value,
                                                 struct rt_slice value, etcd_done_fn *done,
                                                 void *arg, struct etcd_call **out_call);

/* One attempt of min(TTL, 5 s); the server picks the id. */
RT_NODISCARD enum rt_status etcd_lease_grant(struct etcd_client *client, int64_t ttl_s,
                                             etcd_done_fn *done, void *arg,
                                             struct etcd_call **out_call);
/* Without a token, as the Datasystem asks. */
RT_NODISCARD enum rt_status etcd_status(struct etcd_client *client, etcd_done_fn *done, void *arg,
                                        struct etcd_call **out_call);

/* No callback comes any more. */
void etcd_call_cancel(struct etcd_call *call);

/* ---- streams ---- */

struct etcd_stream_handler {
    /* LeaseKeepAliveResponse or WatchResponse; borrowed. The stream may be closed inside. */
    void (*on_message)(void *arg, const ProtobufCMessage *message);
    /* Once, last, not after etcd_stream_close: the server or the connection ended it. The stream
     * is freed after it. */
    void (*on_end)(void *arg, const struct etcd_result *result);
};

RT_NODISCARD enum rt_status etcd_keepalive_open(struct etcd_client *client,
                                                const struct etcd_stream_handler *handler,
                                                void *arg, struct etcd_stream **out_stream);
RT_NODISCARD enum rt_status etcd_keepalive_send(struct etcd_stream *stream, int64_t lease);

RT_NODISCARD enum rt_status etcd_watch_open(struct etcd_client *client,
                                            const struct etcd_stream_handler *handler, void *arg,
                                            struct etcd_stream **out_stream);
/* Everything in [key, range_end) from `start_revision` on; 0: from now. */
RT_NODISCARD enum rt_status etcd_watch_create(struct etcd_stream *stream, struct rt_slice key,
                                              struct rt_slice range_end, int64_t start_revision);

void etcd_stream_close(struct etcd_stream *stream); /* NULL: nothing happens */

#endif
