/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_GRPC_GRPC_SERVER_INTERNAL_H
#define WIRE_GRPC_GRPC_SERVER_INTERNAL_H

#include "wire/grpc/grpc_headers.h"
#include "wire/grpc/grpc_queue.h"
#include "wire/grpc/grpc_server.h"

/* What the files of the server side share. */

TAILQ_HEAD(grpc__calls, grpc_call);
SLIST_HEAD(grpc__free_calls, grpc_call);

enum grpc__drain_state {
    GRPC__NOT_DRAINING,
    GRPC__DRAIN_NOTICED, /* GOAWAY with the highest id and a ping are out */
    GRPC__DRAIN_FINAL    /* GOAWAY with the last id is out */
};

struct grpc__ping_policy {
    uint64_t last_us;
    uint32_t strikes;
    bool has_last;
    bool is_reset; /* something was sent: the next ping is no strike */
};

struct grpc_connection {
    struct grpc__link link; /* first */
    struct grpc_server_options options;
    const struct grpc_connection_handler *handler; /* NULL: nobody is told any more */
    void *arg;
    char *peer;
    struct grpc__calls calls;
    struct grpc__calls dirty;   /* something to submit */
    struct grpc__calls drained; /* on_drained is due */
    struct grpc__free_calls free_calls;
    size_t free_count;
    size_t call_count;
    struct grpc_call *last_call; /* of the last DATA frame */

    struct grpc__ping_policy pings;
    struct rt_timer keepalive_timer; /* our own pings */
    bool is_ping_out;
    uint64_t ping_out_us; /* when it left */
    enum grpc__drain_state drain_state;
    bool is_goaway_out; /* closed at the end of this turn */
    enum rt_status goaway_reason;
    char goaway_detail[GRPC__DETAIL_BYTES];

    /* Resets by the peer: a bucket that fills again on the loop's clock. */
    uint64_t resets_left;
    uint64_t resets_us;
};

enum grpc__out_state {
    GRPC__OUT_NOTHING,  /* no header is submitted */
    GRPC__OUT_SENDING,  /* nghttp2 asks for bytes */
    GRPC__OUT_DEFERRED, /* nghttp2 waits to be told that there are bytes again */
    GRPC__OUT_ENDED     /* trailers are submitted */
};

/* What is remembered of a text for grpc-message without memory of its own. */
#define GRPC__TEXT_ROOM_BYTES 160
#define GRPC__CODE_TEXT_BYTES 12

struct grpc_call {
    struct grpc_connection *connection;
    TAILQ_ENTRY(grpc_call) entry;
    TAILQ_ENTRY(grpc_call) dirty_entry;
    TAILQ_ENTRY(grpc_call) drained_entry;
    SLIST_ENTRY(grpc_call) free_entry;
    const struct grpc_call_handler *handler; /* NULL: nobody is told */
    void *arg;
    int32_t stream_id;
    bool is_streaming;
    bool has_message; /* unary: the one message was handed over */
    bool is_gzip;     /* messages with flag 1 are unpacked */
    bool is_finished; /* the answer is complete */
    bool is_reset_wanted;
    bool is_dirty;
    bool is_drain_due;
    bool was_full;
    bool is_raw; /* the body is no gRPC and has no trailers */
    enum grpc__out_state out_state;
    uint32_t reset_error;
    uint64_t deadline_us;
    struct rt_timer deadline_timer;
    size_t kept_bytes; /* window not given back yet */

    struct rt_slice path;
    struct rt_slice authority;
    struct rt_slice method;
    struct rt_slice content_type;
    struct rt_slice encoding;

    int32_t code;
    char *text; /* encoded; text_room, or memory of its own */
    size_t text_bytes;
    const char *http_status; /* "200" */
    char code_text[GRPC__CODE_TEXT_BYTES];
    char text_room[GRPC__TEXT_ROOM_BYTES];

    enum grpc_spoil_kind spoil;
    uint64_t spoil_number;

    struct grpc__reader reader;
    struct grpc__queue queue;
    struct grpc__queue late; /* reserved after the end: goes nowhere */
    struct grpc__headers headers;
};

static inline struct grpc_connection *grpc__connection_of(struct grpc__link *link)
{
    return (struct grpc_connection *)link; /* its first member */
}

/* ---- calls: life (grpc_call_life.c) ---- */

/* In the connection's list, under its HTTP/2 stream. NULL: no memory. */
struct grpc_call *grpc__call_create(struct grpc_connection *connection, int32_t stream_id);
/* on_gone, unless nobody is to be told; then the call is free for the next one. */
void grpc__call_gone(struct grpc_call *call, bool is_cancelled);
void grpc__calls_free(struct grpc_connection *connection);

/* ---- calls: the request (grpc_call_request.c) ---- */

/* The headers are complete: judged as grpc-go does, then the owner's. */
void grpc__call_open(struct grpc_call *call);
void grpc__call_data(struct grpc_call *call, struct rt_slice bytes);
void grpc__call_half_close(struct grpc_call *call);

/* RT_E_LIMIT: more than `max_bytes`, and `out_len_bytes` is how many as far as is known;
 * RT_E_MALFORMED: no gzip. */
RT_NODISCARD enum rt_status grpc__gunzip(struct rt_slice packed, uint64_t max_bytes,
                                         struct rt_blob **out_blob, uint64_t *out_len_bytes);

/* ---- calls: the answer (grpc_call_answer.c) ---- */

/* As grpc_call_finish, with an HTTP status that is not 200 and trailers only. */
void grpc__call_refuse(struct grpc_call *call, const char *http_status, int32_t code,
                       const char *text);
void grpc__call_submit(struct grpc_call *call);
int grpc__call_send_data(struct grpc_call *call, const uint8_t *header, size_t len_bytes);

/* ---- keepalive, drain, limits (grpc_keepalive.c) ---- */

void grpc__keepalive_init(struct grpc_connection *connection);
void grpc__keepalive_fini(struct grpc_connection *connection);
void grpc__keepalive_ping(struct grpc_connection *connection, const uint8_t payload[8],
                          bool is_ack);
/* One more stream was reset by the peer. */
void grpc__keepalive_reset(struct grpc_connection *connection);
/* GOAWAY, and the end of the connection with this reason when it is out. */
void grpc__connection_goaway(struct grpc_connection *connection, uint32_t http2_error,
                             const char *debug_text, enum rt_status reason);

#endif
