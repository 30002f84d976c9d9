/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_GATEWAY_GATEWAY_H
#define FAKEETCD_GATEWAY_GATEWAY_H

#include "fakeetcd/server/server.h"

/*
 * etcd's HTTP/1 side on streams that somebody else accepted: the JSON gateway over the rows of
 * fakeetcd_methods that have an http_path, and the pages /version, /health, /metrics, ... A call
 * through the gateway is a call like any other: same checks, same fault points. One thread.
 */
struct fakeetcd_gateway;

/* `server` is borrowed. `max_body_bytes`: of one message in a request's body, as on gRPC's wire. */
RT_NODISCARD enum rt_status fakeetcd_gateway_create(struct rt_loop *loop,
                                                    struct fakeetcd_server *server,
                                                    const struct fakeetcd_profile *profile,
                                                    uint64_t max_body_bytes,
                                                    struct fakeetcd_gateway **out_gateway);
/* Calls under way are gone (fakeetcd_call_gone) when this returns. NULL: nothing happens. */
void fakeetcd_gateway_destroy(struct fakeetcd_gateway *gateway);

enum fakeetcd_gateway_what {
    FAKEETCD_GATEWAY_ALL,
    FAKEETCD_GATEWAY_PAGES /* what --listen-metrics-urls serves: no JSON calls */
};
/* Takes the stream over, also on failure. Bytes in its inbox already are read. */
void fakeetcd_gateway_accept(struct fakeetcd_gateway *gateway, struct rt_stream *stream,
                             enum fakeetcd_gateway_what what);

/* Every connection is closed: at once (as SIGKILL: reset), or after its answer under way.
 * fakeetcd_gateway_connection_count() tells when the last one is gone. */
void fakeetcd_gateway_reset_all(struct fakeetcd_gateway *gateway);
void fakeetcd_gateway_drain(struct fakeetcd_gateway *gateway);
/* Connections take and give no bytes, as those of a stopped process; also those that come. */
void fakeetcd_gateway_freeze(struct fakeetcd_gateway *gateway, bool is_frozen);
size_t fakeetcd_gateway_connection_count(const struct fakeetcd_gateway *gateway);

#endif
