/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_GRPC_GRPC_CHANNEL_INTERNAL_H
#define WIRE_GRPC_GRPC_CHANNEL_INTERNAL_H

#include "wire/grpc/grpc_channel.h"
#include "wire/grpc/grpc_headers.h"
#include "wire/grpc/grpc_queue.h"

/* What the files of the client side share. */

TAILQ_HEAD(grpc__requests, grpc_request);
LIST_HEAD(grpc__clients, grpc__client);

struct grpc_channel {
    struct rt_loop *loop;
    struct rt_network *network;
    char *name;
    char *address;
    char *authority;
    uint64_t connect_timeout_us;
    struct rt_tls_context *tls;
    struct grpc__client *current; /* takes new requests; NULL: the next one connects */
    struct grpc__clients clients; /* that one, and those that the server has sent away */
};

/* One connection of a channel. */
struct grpc__client {
    struct grpc__link link;       /* first */
    struct grpc_channel *channel; /* NULL: destroyed, and this with it when the turn is over */
    LIST_ENTRY(grpc__client) entry;
    bool is_connected;
    struct rt_timer connect_timer;
    struct grpc__requests requests;
    struct grpc__requests dirty; /* something to submit */
    struct grpc__requests ended; /* on_end is due */
};

#define GRPC__OUTCOME_TEXT_BYTES 256

struct grpc_request {
    struct grpc__client *client;
    TAILQ_ENTRY(grpc_request) entry;
    TAILQ_ENTRY(grpc_request) dirty_entry;
    TAILQ_ENTRY(grpc_request) ended_entry;
    const struct grpc_request_handler *handler; /* NULL: told, or given up */
    void *arg;
    int32_t stream_id; /* 0: not submitted */
    bool is_dirty;
    bool is_half_closed;  /* by us */
    bool is_deferred;     /* nghttp2 waits to be told that there is something to send again */
    bool is_ended;        /* the outcome is known */
    bool is_end_due;      /* in `ended` */
    bool is_closed;       /* its HTTP/2 stream is gone, or never was */
    bool is_reset_wanted; /* RST_STREAM CANCEL */
    bool has_headers;
    int32_t http_status;
    struct rt_timer deadline_timer;
    uint64_t deadline_us;
    size_t kept_bytes;            /* window not given back yet */
    struct grpc__headers headers; /* of the block that is arriving */
    struct grpc__queue queue;
    struct grpc__reader reader;
    int32_t code;
    bool is_from_server;
    char *text; /* text_room or memory of its own */
    char text_room[GRPC__OUTCOME_TEXT_BYTES];
    const char *path; /* behind the metadata */
    size_t metadata_count;
    struct grpc_metadata metadata[];
};

/* The connection for a new request; made, and connecting, when there is none. */
RT_NODISCARD enum rt_status grpc__channel_client(struct grpc_channel *channel,
                                                 struct grpc__client **out_client);

/* nghttp2's callbacks of the client side (grpc_answer.c). */
void grpc__answer_set_callbacks(nghttp2_session_callbacks *callbacks);

/* (grpc_request.c) */
void grpc__request_submit(struct grpc_request *request);
int grpc__request_send_data(struct grpc_request *request, const uint8_t *header, size_t len_bytes);
/* The outcome is known; the first one stays. on_end comes at the end of the turn. */
void grpc__request_end(struct grpc_request *request, int32_t code, const char *text,
                       bool is_from_server);
/* And the server is told that nobody listens any more. */
void grpc__request_abort(struct grpc_request *request, int32_t code, const char *text);
/* Tells the owner of one that has ended; then it is freed, or when its stream is closed. */
void grpc__request_tell(struct grpc_request *request);
/* Its stream is gone. */
void grpc__request_closed(struct grpc_request *request);
void grpc__request_free(struct grpc_request *request);

#endif
