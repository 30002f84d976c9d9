/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_NETWORK_INTERNAL_H
#define RUNTIME_NETWORK_INTERNAL_H

#include "runtime/bytes_internal.h"
#include "runtime/loop_internal.h"
#include "runtime/network.h"
#include "runtime/table.h"

#include <sys/queue.h>
#include <sys/socket.h>

/*
 * What both backends share, and the table that tells them apart. A backend's stream begins with
 * struct rt_stream, its listener with struct rt_listener.
 *
 * A stream its owner has given up may LINGER: it still writes, or waits for the peer's FIN. The
 * network owns it then and nobody is told anything any more.
 */
struct rt__backend {
    enum rt_status (*listen)(struct rt_network *network, const char *address,
                             struct rt_listener **out_listener);
    void (*unlisten)(struct rt_listener *listener); /* frees */
    enum rt_status (*connect)(struct rt_network *network, const char *name, const char *address,
                              struct rt_stream **out_stream);
    void (*flush)(struct rt_stream *stream);
    void (*pause)(struct rt_stream *stream);  /* stream->is_paused has changed */
    bool (*linger)(struct rt_stream *stream); /* false: nothing left to do, stop it now */
    void (*stop)(struct rt_stream *stream, bool is_reset); /* let go of peer or descriptor */
};

extern const struct rt__backend rt__simulated;
extern const struct rt__backend rt__sockets;

LIST_HEAD(rt__streams, rt_stream);

/* Who connects from which local address, so that an acceptor on the same network knows it by its
 * name. Sockets only: the simulated network hands the name over. */
struct rt__own_name {
    char address[64]; /* "" : not in the table */
    char *name;
    UT_hash_handle hh;
};

struct rt_network {
    struct rt_loop *loop;
    const struct rt__backend *backend;
    struct rt__streams lingering;
    size_t live_count;

    /* Sockets only. */
    struct rt__own_name *own_names; /* table by address */

    /* Simulated only. */
    uint64_t latency_us;
    unsigned next_port;
    struct rt_listener *listeners; /* table by address */
};

struct rt_listener {
    struct rt_network *network;
    char *address;
    rt_accept_fn *on_accept;
    void *arg;
    UT_hash_handle hh; /* simulated only */
};

/* In the order in which they are reported. */
enum rt__report {
    RT__REPORT_CONNECTED = 1,
    RT__REPORT_INPUT = 2,
    RT__REPORT_DRAINED = 4,
    RT__REPORT_CLOSED = 8,
};

struct rt_stream {
    struct rt_network *network;
    const struct rt__backend *backend; /* the network's, or a filter's (TLS) */
    struct rt_stream_handler handler;
    void *arg;
    struct rt_inbox *inbox;
    struct rt_outbox *outbox;
    char *peer;
    bool is_paused;
    bool is_lingering;
    bool is_ended;               /* on_closed is on its way or was called */
    LIST_ENTRY(rt_stream) entry; /* of network->lingering */

    struct rt_task report_task;
    unsigned reports; /* enum rt__report, to be told by report_task */
    enum rt_status close_reason;
};

/* Base parts. A stream is live from its init on; `peer` is copied. */
RT_NODISCARD enum rt_status rt__stream_init(struct rt_stream *stream, struct rt_network *network,
                                            const char *peer);
RT_NODISCARD enum rt_status rt__listener_init(struct rt_listener *listener,
                                              struct rt_network *network, const char *address);
void rt__listener_fini(struct rt_listener *listener);

/* Tells the owner now, who may destroy the stream: the last thing a callback of the loop does. */
void rt__stream_tell(struct rt_stream *stream, enum rt__report report);

/* Tells the owner soon. */
void rt__stream_report(struct rt_stream *stream, enum rt__report report);

/* Reports on_closed soon, once. Nothing else is reported after it. */
void rt__stream_end(struct rt_stream *stream, enum rt_status reason);

/* Frees one that was lingering, or an accepted one that found no owner. */
void rt__stream_free(struct rt_stream *stream);

/* ---- addresses of sockets ---------------------------------------------------------------- */

#define RT__ADDRESS_TEXT_BYTES 64

/* "1.2.3.4:5", "[::1]:5", "localhost:5". RT_E_INVALID for anything else: names are not looked up,
 * because that could wait. */
RT_NODISCARD enum rt_status rt__address_parse(const char *text,
                                              struct sockaddr_storage *out_address,
                                              socklen_t *out_len_bytes);
void rt__address_print(const struct sockaddr_storage *address,
                       char out_text[RT__ADDRESS_TEXT_BYTES]);

/* The port after the last colon; false when there is none. */
bool rt__address_port(const char *text, size_t *out_host_len_bytes, unsigned *out_port);

#endif
