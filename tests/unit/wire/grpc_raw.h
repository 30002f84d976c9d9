/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_WIRE_GRPC_RAW_H
#define TESTS_UNIT_WIRE_GRPC_RAW_H

#include "grpc_world.h"

#include <nghttp2/nghttp2.h>

/*
 * A peer that sends what no gRPC client would: any header, any body, any frame. It connects to the
 * world's server and remembers what comes back.
 */
#define RAW_MAX_STREAM 64

struct raw_answer {
    char status[8];
    char content_type[64];
    char grpc_status[8];
    char grpc_message[300];
    bool has_grpc_status;
    size_t header_block_count; /* 1: trailers only, or an answer without trailers */
    uint8_t body[256];
    size_t body_bytes;
    bool is_closed;
    bool is_ended; /* END_STREAM came */
    uint32_t reset_error;
    bool is_reset; /* RST_STREAM came */
};

struct raw {
    struct world *world;
    struct rt_stream *stream; /* NULL: closed */
    nghttp2_session *session;
    struct raw_answer answers[RAW_MAX_STREAM]; /* by stream id / 2 */
    size_t goaway_count;
    int32_t goaway_last_id;
    uint32_t goaway_error;
    char goaway_debug[64];
    size_t ping_count;     /* that came */
    size_t ping_ack_count; /* of ours */
    uint32_t window_update_count;
    size_t received_bytes;
    uint8_t last[13]; /* of what came in silence: one small frame */
    bool is_closed;
    enum rt_status close_reason;
};

/* The bytes of DATA after the headers; may be empty. */
struct raw_request {
    const char *method;       /* NULL: POST */
    const char *path;         /* NULL: /test.Echo/Unary */
    const char *authority;    /* NULL: etcd */
    const char *content_type; /* NULL: application/grpc; "": none */
    const char *name;         /* one more header; NULL: none */
    const char *value;
    const void *body;
    size_t body_bytes;
    bool is_open; /* no END_STREAM */
    bool is_bare; /* no DATA: the headers have it */
};

void raw_init(struct raw *raw, struct world *world);
void raw_fini(struct raw *raw);

/* Without a session of its own: for bytes of the test's making. */
void raw_init_silent(struct raw *raw, struct world *world);
void raw_bytes(struct raw *raw, const void *data, size_t len_bytes);

/* Sends what is queued. */
void raw_flush(struct raw *raw);

/* One request; then the world runs. */
struct raw_answer *raw_ask(struct raw *raw, const struct raw_request *request);
/* The same without running. The id of its stream. */
int32_t raw_submit(struct raw *raw, const struct raw_request *request);
struct raw_answer *raw_answer_of(struct raw *raw, int32_t stream_id);

#endif
