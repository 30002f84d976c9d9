/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_GRPC_GRPC_SERVER_H
#define WIRE_GRPC_GRPC_SERVER_H

#include "runtime/network.h"
#include "wire/grpc/grpc_code.h"

/*
 * gRPC calls as a server sees them, over HTTP/2 (nghttp2) on one of our streams. One thread, the
 * loop's. What the framing itself refuses (wrong content-type, message over the limit, unknown
 * encoding, two messages, ...) is answered here as grpc-go does and never becomes a call of the
 * owner, or ends it.
 *
 *   stream --> connection --headers--> on_call --message--> on_message ... on_half_close
 *                                         |                                    |
 *                                         '--reset, lost connection, deadline--+--> on_gone
 */
struct grpc_connection;
struct grpc_call;

/* How one version of grpc-go behaves at the edges. Constant data. */
struct grpc_server_profile {
    bool may_gzip;         /* requests with grpc-encoding gzip are unpacked; else code 12 */
    bool is_strict_http;   /* 405, 415, 400 with a grpc-status; else the older answers */
    uint8_t bad_path_code; /* of `malformed method name`: 8 or 12 */
    uint8_t expired_code;  /* of a call whose deadline is over: 2 or 4 */
    /* Code 13 of a stream's message that is no protobuf; the decoder's words follow. */
    const char *bad_message_text;
};
extern const struct grpc_server_profile grpc_server_profile_1_26; /* etcd 3.4 */
extern const struct grpc_server_profile grpc_server_profile_1_59; /* etcd 3.5 */

struct grpc_server_options {
    const struct grpc_server_profile *profile;
    uint32_t max_concurrent_streams; /* UINT32_MAX: no limit is announced */
    uint64_t max_message_bytes;      /* of one request message */
    uint64_t min_ping_interval_us;   /* more frequent pings are strikes; 5 s */
    uint64_t ping_after_us;          /* idle so long: a ping of ours; RT_NEVER: none */
    uint64_t ping_timeout_us;        /* unanswered so long: the connection is closed */
    bool is_http1_beside;            /* what is no gRPC is sent there (HTTP_1_1_REQUIRED) */
};
void grpc_server_options_init(struct grpc_server_options *options); /* etcd 3.5's */

struct grpc_connection_handler {
    /* Headers have come. The call is the owner's to answer: set a handler before returning, or
     * finish it. Its path is known to have two parts. */
    void (*on_call)(void *arg, struct grpc_call *call);
    /* Once, last; every call's on_gone came before. The connection is freed after it. */
    void (*on_closed)(void *arg, enum rt_status reason, const char *detail);
    /* Once for each grpc_connection_want_flushed(): nothing that was framed waits to be written any
     * more. The connection may be ended inside. NULL: nobody asks. */
    void (*on_flushed)(void *arg);
};

/* Takes the stream over, also on failure. Bytes already in its inbox are read. */
RT_NODISCARD enum rt_status grpc_connection_accept(struct rt_loop *loop, struct rt_stream *stream,
                                                   const struct grpc_server_options *options,
                                                   const struct grpc_connection_handler *handler,
                                                   void *arg,
                                                   struct grpc_connection **out_connection);

/* From the loop, later: on_flushed. */
void grpc_connection_want_flushed(struct grpc_connection *connection);

/* GOAWAY, a round trip, GOAWAY with the last id; closed when the last call has ended. */
void grpc_connection_drain(struct grpc_connection *connection);

/* Gone at once, with a reset; no handler is called any more, not even on_gone of its calls. */
void grpc_connection_destroy(struct grpc_connection *connection);

const char *grpc_connection_peer(const struct grpc_connection *connection);
size_t grpc_connection_call_count(const struct grpc_connection *connection);

/* ---- one call ---- */

struct grpc_call_handler {
    /* One whole request message. Borrowed for the call of this function. */
    void (*on_message)(void *arg, struct grpc_call *call, struct rt_slice message);
    /* The peer sends nothing more. For a unary call this follows its one message. */
    void (*on_half_close)(void *arg, struct grpc_call *call);
    /* What was queued has dropped below the mark again (see grpc_call_is_full). May be NULL. */
    void (*on_drained)(void *arg, struct grpc_call *call);
    /* Once, last: answered and sent, or reset by the peer (is_cancelled), or the connection went.
     * The call is freed after it. */
    void (*on_gone)(void *arg, struct grpc_call *call, bool is_cancelled);
};
void grpc_call_set_handler(struct grpc_call *call, const struct grpc_call_handler *handler,
                           void *arg);

/* "/etcdserverpb.KV/Put". Valid as long as the call. */
struct rt_slice grpc_call_path(const struct grpc_call *call);
/* The first value of a header or metadata name (lower case); false: not sent. */
bool grpc_call_metadata(const struct grpc_call *call, const char *name, struct rt_slice *out_value);
/* On the loop's clock; RT_NEVER without grpc-timeout. When it comes the call is answered here with
 * the profile's code and `context deadline exceeded`, and on_gone follows. */
uint64_t grpc_call_deadline_us(const struct grpc_call *call);
uint32_t grpc_call_stream_id(const struct grpc_call *call);

/* Unary calls: at most one request message is handed over; no message or a cut one is answered
 * here. Every call is unary unless this is said in on_call. */
void grpc_call_set_streaming(struct grpc_call *call);

/* Room for a message of exactly `len_bytes` in the call's answer, to be packed into in place:
 * nothing is copied afterwards. It is sent at the end of this turn of the loop. NULL: no memory. */
RT_NODISCARD uint8_t *grpc_call_reserve(struct grpc_call *call, size_t len_bytes);
/* The same for bytes that lie in blobs already, by reference. */
RT_NODISCARD enum rt_status grpc_call_send_blob(struct grpc_call *call, struct rt_blob *message);
/* Trailers, then END_STREAM; the last thing a call does. `text` is UTF-8, percent-encoded here.
 * Before any message it is sent as trailers only. */
void grpc_call_finish(struct grpc_call *call, int32_t code, const char *text);
/* Queued bytes are over the mark (1 MiB): a streaming owner should wait for on_drained. */
bool grpc_call_is_full(const struct grpc_call *call);

/* ---- what a healthy server never does ---- */

/* RST_STREAM with this HTTP/2 error code; on_gone follows, later. */
void grpc_call_reset(struct grpc_call *call, uint32_t http2_error);
/* RST_STREAM for a call that is over already: behind its answer. Also from on_gone. */
void grpc_connection_reset_stream(struct grpc_connection *connection, uint32_t stream_id,
                                  uint32_t http2_error);
/* GOAWAY with error code and debug text, then the connection is closed. */
void grpc_connection_goaway(struct grpc_connection *connection, uint32_t http2_error,
                            const char *debug_text);
/* PING (and SETTINGS) are no longer acknowledged. */
void grpc_connection_mute_pings(struct grpc_connection *connection);
/* No window is given back any more: the peer's sending stops. */
void grpc_connection_hold_window(struct grpc_connection *connection);
/* The stream itself, to reset, close or pause it. on_closed follows a reset or close by
 * grpc_connection_end(). */
struct rt_stream *grpc_connection_stream(struct grpc_connection *connection);
/* Ends the connection with RST or FIN; on_gone of its calls and on_closed follow, later. */
void grpc_connection_end(struct grpc_connection *connection, bool is_reset);

/* How the answer of this call is spoilt. Set before the answer begins. */
enum grpc_spoil_kind {
    GRPC_SPOIL_NONE,
    GRPC_SPOIL_NO_STATUS,    /* trailers without grpc-status */
    GRPC_SPOIL_CONTENT_TYPE, /* text/html */
    GRPC_SPOIL_HTTP_STATUS,  /* `number`: 502, 503, with a text body */
    GRPC_SPOIL_PREFIX,       /* the length before the message says `number` more */
    GRPC_SPOIL_FLAG,         /* the compressed flag is set, no encoding is named */
    GRPC_SPOIL_GARBAGE,      /* the message is no protobuf */
    GRPC_SPOIL_TRUNCATE,     /* byte `number` of the answer's frames is the last; then FIN */
    GRPC_SPOIL_CORRUPT,      /* byte `number` of the answer's frames is changed */
    GRPC_SPOIL_DRIP          /* one byte every `number` microseconds */
};
void grpc_call_spoil(struct grpc_call *call, enum grpc_spoil_kind kind, uint64_t number);

#endif
