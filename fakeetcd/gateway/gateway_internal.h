/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_GATEWAY_GATEWAY_INTERNAL_H
#define FAKEETCD_GATEWAY_GATEWAY_INTERNAL_H

#include "fakeetcd/gateway/gateway.h"
#include "fakeetcd/gateway/http1.h"
#include "fakeetcd/request/call.h"

#include <bsd/sys/queue.h>

struct fakeetcd__route { /* below /v3 */
    const char *path;
    const struct fakeetcd_method *method;
};

struct fakeetcd__http_connection {
    struct fakeetcd_gateway *gateway;
    struct fakeetcd_http *http;
    enum fakeetcd_gateway_what what;
    LIST_ENTRY(fakeetcd__http_connection) others;
};

struct fakeetcd_gateway {
    struct rt_loop *loop;
    struct fakeetcd_server *server;
    const struct fakeetcd_profile *profile;
    uint64_t message_bytes_max;     /* of a message on the wire: what gRPC takes */
    uint64_t json_bytes_max;        /* of its JSON */
    struct fakeetcd__route *routes; /* sorted by path */
    size_t route_count;
    LIST_HEAD(, fakeetcd__http_connection) connections;
    size_t connection_count;
    bool is_frozen;
};

static inline bool fakeetcd__is_old_gateway(const struct fakeetcd_gateway *gateway)
{
    return (gateway->profile->quirks & FAKEETCD_QUIRK_OLD_GATEWAY) != 0;
}

#define FAKEETCD__CORS                                                                             \
    "Access-Control-Allow-Headers: accept, content-type, authorization\r\n"                        \
    "Access-Control-Allow-Methods: POST, GET, OPTIONS, PUT, DELETE\r\n"                            \
    "Access-Control-Allow-Origin: *\r\n"

/* A line of text, as Go's http.Error writes it. `more` are header lines; NULL: none. */
void fakeetcd__http_text(struct fakeetcd_http *http, unsigned status, const char *text,
                         const char *more);

/* ---- gateway_route.c ---- */

RT_NODISCARD enum rt_status fakeetcd__routes_create(struct fakeetcd_gateway *gateway);
/* `path` from "/v3" or "/v3beta" on; NULL: no such route. */
const struct fakeetcd_method *fakeetcd__route_find(const struct fakeetcd_gateway *gateway,
                                                   struct rt_slice path);
bool fakeetcd__is_gateway_path(struct rt_slice path);

/* ---- gateway_call.c: one JSON request ---- */

struct fakeetcd__json_call;

/* Owns the request from now on: it is the connection's owner until on_gone. False: out of memory.
 * `is_websocket`: messages come and go as frames of one. */
RT_NODISCARD bool fakeetcd__json_call_create(struct fakeetcd__http_connection *connection,
                                             const struct fakeetcd_method *method,
                                             bool is_websocket);
void fakeetcd__json_call_body(struct fakeetcd__json_call *json_call, struct rt_slice piece);
void fakeetcd__json_call_body_end(struct fakeetcd__json_call *json_call);
void fakeetcd__json_call_body_bad(struct fakeetcd__json_call *json_call, const char *words);
void fakeetcd__json_call_drained(struct fakeetcd__json_call *json_call);
void fakeetcd__json_call_gone(struct fakeetcd__json_call *json_call, bool is_lost);

/* ---- gateway_error.c ---- */

unsigned fakeetcd__http_status(const struct fakeetcd_gateway *gateway, int32_t code);
/* The body of an answer with an error, per version. */
void fakeetcd__error_json(const struct fakeetcd_gateway *gateway, int32_t code, const char *words,
                          struct fakeetcd_text *out_json);
/* The same as an element of a stream. */
void fakeetcd__stream_error_json(const struct fakeetcd_gateway *gateway, int32_t code,
                                 const char *words, struct fakeetcd_text *out_json);

/* ---- pages.c ---- */

/* True: the path is a page's, and it has been answered. */
bool fakeetcd__page(struct fakeetcd__http_connection *connection);

/* ---- metrics.c ---- */

void fakeetcd__metrics(const struct fakeetcd_gateway *gateway, struct fakeetcd_text *out_text);

#endif
