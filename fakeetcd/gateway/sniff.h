/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_GATEWAY_SNIFF_H
#define FAKEETCD_GATEWAY_SNIFF_H

#include "runtime/network.h"

/*
 * gRPC and HTTP/1 share one port: the first bytes decide (etcd does the same). "PRI" begins
 * HTTP/2; anything else is HTTP/1. Nothing is taken out of the stream's inbox. One thread.
 */
struct fakeetcd_sniffer;

/* The stream is the receiver's now; it must set a handler or destroy it before it returns. */
typedef void fakeetcd_sniffed_fn(void *arg, struct rt_stream *stream, bool is_http2);

RT_NODISCARD enum rt_status fakeetcd_sniffer_create(struct rt_loop *loop,
                                                    fakeetcd_sniffed_fn *on_sniffed, void *arg,
                                                    struct fakeetcd_sniffer **out_sniffer);
/* Resets what is still undecided. NULL: nothing happens. */
void fakeetcd_sniffer_destroy(struct fakeetcd_sniffer *sniffer);

/* Takes the stream over (also when out of memory: then it is reset). A peer that says nothing for
 * 5 s or goes is forgotten. With TLS give it the stream after the handshake, or, where ALPN chose
 * h2 already, not at all. */
void fakeetcd_sniffer_add(struct fakeetcd_sniffer *sniffer, struct rt_stream *stream);

#endif
