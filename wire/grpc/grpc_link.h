/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_GRPC_GRPC_LINK_H
#define WIRE_GRPC_GRPC_LINK_H

#include "runtime/network.h"
#include "wire/grpc/grpc_spoil.h"

#include <nghttp2/nghttp2.h>

/*
 * One HTTP/2 connection on one of our streams, for either side. All of nghttp2 runs inside a turn:
 *
 *   input, drained, wake --> turn: bytes in -> on_submit -> frames out -> on_turn
 *                                                 '-- closed, failed, finished --> on_ended
 *
 * Frames of one turn are gathered and handed to the stream once. When the peer does not take what
 * it is sent, fetching stops first, then reading, so that its requests cannot pile up here.
 */
struct grpc__link;

struct grpc__link_owner {
    /* The stream is there. NULL: it was from the beginning. */
    void (*on_connected)(struct grpc__link *link);
    /* Now frames are fetched: submit what waits. True: there was something. */
    bool (*on_submit)(struct grpc__link *link);
    /* A turn is over. May be NULL. */
    void (*on_turn)(struct grpc__link *link);
    /* Once, last; the stream is gone. The owner frees the link inside. */
    void (*on_ended)(struct grpc__link *link, enum rt_status reason, const char *detail);
    /* grpc__link_doom() was called during a turn, which is over now. */
    void (*on_free)(struct grpc__link *link);
};

enum grpc__link_state {
    GRPC__LINK_OPEN,
    GRPC__LINK_CLOSING,   /* what is queued goes out, then FIN */
    GRPC__LINK_RESETTING, /* RST at the end of this turn */
    GRPC__LINK_ENDED      /* nothing is to be done but telling the owner */
};

#define GRPC__DETAIL_BYTES       160
#define GRPC__FRAME_HEADER_BYTES 9

struct grpc__link {
    struct rt_loop *loop;
    struct rt_stream *stream; /* NULL: gone */
    nghttp2_session *session;
    const struct grpc__link_owner *owner;
    enum grpc__link_state state;
    struct rt_task turn_task;
    bool is_in_turn;
    bool is_doomed;
    bool is_input_held;   /* the stream is paused, for the peer does not take what it is sent */
    bool is_flush_wanted; /* the owner wants a turn when everything has been written */
    bool is_mute;         /* acknowledgements are swallowed */
    bool is_window_held;  /* no window is given back */
    size_t unsent_bytes;  /* handed over since the stream was last empty */
    uint64_t last_input_us;
    enum rt_status end_reason;
    char end_detail[GRPC__DETAIL_BYTES];
    char *gathered; /* frames of this turn, on its stack */
    size_t gathered_bytes;
    struct grpc__spoils spoils;
};

/* Takes `stream` when it succeeds. `session` is made by the caller with `link` as its user data,
 * and taken. Nothing happens before the first turn. */
void grpc__link_init(struct grpc__link *link, struct rt_loop *loop, struct rt_stream *stream,
                     nghttp2_session *session, const struct grpc__link_owner *owner);
void grpc__link_fini(struct grpc__link *link);

/* A turn soon. During one: nothing, as it goes on until nothing is left. */
void grpc__link_wake(struct grpc__link *link);

/* The owner wants to free the link. True: it may now. False: on_free comes when the turn ends. */
bool grpc__link_doom(struct grpc__link *link);

/* Ends the connection, later: FIN after what is queued, or RST at once. The first reason stays. */
void grpc__link_end(struct grpc__link *link, bool is_reset, enum rt_status reason,
                    const char *detail);

/* ---- out, from inside nghttp2's callbacks ---- */

void grpc__link_write(struct grpc__link *link, const void *data, size_t len_bytes);
void grpc__link_write_blob(struct grpc__link *link, struct rt_blob *blob, size_t offset_bytes,
                           size_t len_bytes);

/* Gives window back for `len_bytes` of one stream's DATA, unless it is held. `inout_kept_bytes` is
 * the stream's own account: small amounts are given back together. */
void grpc__link_consume(struct grpc__link *link, int32_t stream_id, size_t len_bytes,
                        size_t *inout_kept_bytes);

/* What an HTTP/2 error code is called: "PROTOCOL_ERROR". */
const char *grpc__http2_error_name(uint32_t error);

#endif
