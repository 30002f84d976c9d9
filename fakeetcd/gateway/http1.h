/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_GATEWAY_HTTP1_H
#define FAKEETCD_GATEWAY_HTTP1_H

#include "fakeetcd/gateway/http1_parser.h"
#include "runtime/network.h"

/*
 * One connection of an HTTP/1 server. Requests are handed over one at a time; what is sent ahead
 * waits until the one under way has been answered. One thread, the loop's.
 *
 *   on_request --> on_body ... --> on_body_end       (the request)
 *       `--> answer | begin, chunk ..., end          (the answer, at any time after on_request)
 *                      `--> on_gone --> next on_request, or on_closed
 *
 * A head takes at most 30 s, a body stands still at most 60 s, an idle connection lives 5 minutes.
 */
struct fakeetcd_http;

struct fakeetcd_http_handler {
    /* A head is complete: fakeetcd_http_request(). */
    void (*on_request)(void *arg, struct fakeetcd_http *http);
    /* Both no more once it has been answered. */
    void (*on_body)(void *arg, struct fakeetcd_http *http, struct rt_slice piece);
    void (*on_body_end)(void *arg, struct fakeetcd_http *http);
    /* The body cannot be read on: Go's words for it. Answer, or do nothing. */
    void (*on_body_bad)(void *arg, struct fakeetcd_http *http, const char *words);
    /* What was queued has been written out. */
    void (*on_drained)(void *arg, struct fakeetcd_http *http);
    /* The request is over: answered, or the connection is lost (`is_lost`). Once a request; never
     * from inside a call to the connection, except fakeetcd_http_destroy(). */
    void (*on_gone)(void *arg, struct fakeetcd_http *http, bool is_lost);
    /* Once, last. The connection is freed after it. */
    void (*on_closed)(void *arg, struct fakeetcd_http *http);
};

/* Takes the stream over, also on failure. Bytes in its inbox are read. */
RT_NODISCARD enum rt_status fakeetcd_http_accept(struct rt_loop *loop, struct rt_stream *stream,
                                                 const struct fakeetcd_http_handler *handler,
                                                 void *arg, struct fakeetcd_http **out_http);
/* At once, with a reset: on_gone when a request is under way, no on_closed. */
void fakeetcd_http_destroy(struct fakeetcd_http *http);
/* No further request; closed now when idle, else when the one under way has been answered. */
void fakeetcd_http_drain(struct fakeetcd_http *http);
/* Takes and gives no bytes, as a stopped process. */
void fakeetcd_http_freeze(struct fakeetcd_http *http, bool is_frozen);

const struct fakeetcd_http_request *fakeetcd_http_request(const struct fakeetcd_http *http);
const char *fakeetcd_http_peer(const struct fakeetcd_http *http);
struct rt_stream *fakeetcd_http_stream(const struct fakeetcd_http *http);
/* A slot for whoever answers the request; NULL at on_request. */
void fakeetcd_http_set_owner(struct fakeetcd_http *http, void *owner);
void *fakeetcd_http_owner(const struct fakeetcd_http *http);

/* ---- the answer ---- */

struct fakeetcd_http_answer {
    unsigned status;
    const char *content_type; /* NULL: none */
    const char *headers;      /* more lines, each with its CR LF; NULL: none */
    const char *trailer;      /* a line without CR LF: then the body goes out in chunks; NULL */
    struct rt_slice body;
};
void fakeetcd_http_answer(struct fakeetcd_http *http, const struct fakeetcd_http_answer *answer);

/* The same in pieces. `answer->body` and `trailer` do not count. */
void fakeetcd_http_begin(struct fakeetcd_http *http, const struct fakeetcd_http_answer *answer);
void fakeetcd_http_chunk(struct fakeetcd_http *http, struct rt_slice bytes);
void fakeetcd_http_end(struct fakeetcd_http *http);
bool fakeetcd_http_has_begun(const struct fakeetcd_http *http);
/* Over 1 MiB is queued: wait for on_drained. */
bool fakeetcd_http_is_full(const struct fakeetcd_http *http);

/* 101 with these header lines; what the peer sends from now on goes to on_body as it comes, what is
 * put goes out as it is, until fakeetcd_http_end(). */
void fakeetcd_http_upgrade(struct fakeetcd_http *http, const char *headers);
void fakeetcd_http_put(struct fakeetcd_http *http, struct rt_slice bytes);

const char *fakeetcd_http_reason(unsigned status); /* "Not Found" */

/* ---- what a healthy server never does ---- */

/* Nothing more is sent; RST or FIN, on_gone and on_closed follow, later in this turn. */
void fakeetcd_http_cut(struct fakeetcd_http *http, bool is_reset);
/* The answer ends with its byte `offset_bytes`, then FIN; or that byte is changed. */
void fakeetcd_http_spoil(struct fakeetcd_http *http, bool is_truncated, uint64_t offset_bytes);

#endif
