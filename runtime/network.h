/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_NETWORK_H
#define RUNTIME_NETWORK_H

#include "runtime/bytes.h"
#include "runtime/loop.h"

/*
 * Streams and where they come from. The backend follows the loop's mode: a pair of buffers in
 * memory, or TCP. Nothing above runtime/ knows which. One thread, the loop's.
 *
 * Addresses are texts, "host:port"; port 0 asks for a free one. In simulated mode any host text
 * is accepted and a connection arrives after the network's latency (default 0).
 */
struct rt_network;
struct rt_listener;
struct rt_stream;

RT_NODISCARD enum rt_status rt_network_create(struct rt_loop *loop,
                                              struct rt_network **out_network);
void rt_network_destroy(struct rt_network *network); /* all streams and listeners gone before */

/* One-way delay of bytes and connections sent from now on. Simulated mode only. */
void rt_network_set_latency(struct rt_network *network, uint64_t latency_us);

/* Streams and listeners that exist now, for leak checks. */
size_t rt_network_live_count(const struct rt_network *network);

/*
 * What a stream tells its owner. Calls come from the loop, never from inside a call on the
 * stream. The owner may destroy the stream inside any of them.
 */
struct rt_stream_handler {
    /* A connect succeeded. NULL for accepted streams. */
    void (*on_connected)(void *arg);
    /* The inbox has more than before (bytes, or a wanted blob is complete). */
    void (*on_input)(void *arg);
    /* Everything handed over has been written out. May be NULL. */
    void (*on_drained)(void *arg);
    /* Once, last: RT_E_CLOSED (peer's FIN), RT_E_RESET, RT_E_REFUSED, RT_E_TIMEOUT, RT_E_IO. The
     * bytes that came before were reported first and stay readable. */
    void (*on_closed)(void *arg, enum rt_status reason);
};

/* `address` is copied. Takes connections until destroyed; each stream belongs to the acceptor,
 * which must set a handler before it returns (or destroy the stream). */
typedef void rt_accept_fn(void *arg, struct rt_stream *stream);

/*   RT_E_BUSY     somebody listens there already
 *   RT_E_INVALID  not an address
 *   RT_E_IO       the system refused, errno says why */
RT_NODISCARD enum rt_status rt_network_listen(struct rt_network *network, const char *address,
                                              rt_accept_fn *on_accept, void *arg,
                                              struct rt_listener **out_listener);
/* In words for people, errno too, so ask at once. Static text, or strerror()'s. */
const char *rt_network_listen_problem(enum rt_status status);
const char *rt_listener_address(const struct rt_listener *listener); /* with the real port */
void rt_listener_destroy(struct rt_listener *listener);

/* Starts connecting. Failures that come later arrive at on_closed. `name` is who connects, for
 * the journal ("client-1"). Both texts are copied. */
RT_NODISCARD enum rt_status rt_network_connect(struct rt_network *network, const char *name,
                                               const char *address,
                                               const struct rt_stream_handler *handler, void *arg,
                                               struct rt_stream **out_stream);

void rt_stream_set_handler(struct rt_stream *stream, const struct rt_stream_handler *handler,
                           void *arg);

/* Owned by the stream. After writing to the outbox call rt_stream_flush(). */
struct rt_inbox *rt_stream_inbox(struct rt_stream *stream);
struct rt_outbox *rt_stream_outbox(struct rt_stream *stream);
void rt_stream_flush(struct rt_stream *stream);

/* Stops and resumes taking bytes from the peer (back pressure, and the fault `stall`). */
void rt_stream_pause(struct rt_stream *stream, bool paused);

/* The connecting actor's name when it connected through the same network, else "host:port". */
const char *rt_stream_peer(const struct rt_stream *stream);

/* Writes out what is in the outbox, then FIN. No callback comes any more; the stream is freed. */
void rt_stream_close(struct rt_stream *stream);

/* RST at once, unsent bytes are lost. No callback comes any more; the stream is freed. */
void rt_stream_reset(struct rt_stream *stream);

/* Frees without ceremony: a reset. NULL: nothing happens. */
void rt_stream_destroy(struct rt_stream *stream);

#endif
