/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_GATEWAY_HTTP1_PARSER_H
#define FAKEETCD_GATEWAY_HTTP1_PARSER_H

#include "fakeetcd/gateway/text.h"

/*
 * Requests of HTTP/1.0 and 1.1 out of bytes that come in pieces of any size. No clock, no socket.
 *
 *   HEAD --complete--> BODY (by length, chunked, or none) --complete--> END --> next HEAD
 *     `-----------------`--wrong--> BAD: `status` and `detail`, as Go's server answers
 *
 * A head is kept whole; a body is handed on as it comes.
 */
enum {
    FAKEETCD_HTTP_HEAD_BYTES_MAX = 1 << 20, /* Go's limit */
    FAKEETCD_HTTP_HEADERS_MAX = 256,
    FAKEETCD_HTTP_CHUNK_LINE_BYTES_MAX = 256
};

struct fakeetcd_http_header { /* both point into the head */
    struct rt_slice name;
    struct rt_slice value; /* without the blanks around it */
};

struct fakeetcd_http_request {
    struct rt_slice method;
    struct rt_slice path;  /* as sent, without the query */
    struct rt_slice query; /* without the "?" */
    uint8_t minor_version;
    bool is_kept_alive;
    bool is_chunked;
    bool is_continue_expected;
    uint64_t content_bytes; /* when not chunked */
    size_t header_count;
    struct fakeetcd_http_header headers[FAKEETCD_HTTP_HEADERS_MAX];
};

enum fakeetcd_http_event {
    FAKEETCD_HTTP_MORE, /* all bytes are used */
    FAKEETCD_HTTP_HEAD, /* `request` is filled; valid until the next head begins */
    FAKEETCD_HTTP_BODY, /* `out_body` is a piece of the body */
    FAKEETCD_HTTP_END,  /* the request is complete; what follows is the next one */
    FAKEETCD_HTTP_BAD   /* answer `status` and close; the parser takes nothing any more */
};

struct fakeetcd_http_parser;

RT_NODISCARD enum rt_status fakeetcd_http_parser_create(struct fakeetcd_http_parser **out_parser);
void fakeetcd_http_parser_destroy(struct fakeetcd_http_parser *parser);

/* Call again with the rest, also an empty one, until MORE or BAD. */
enum fakeetcd_http_event fakeetcd_http_parse(struct fakeetcd_http_parser *parser,
                                             struct rt_slice bytes, size_t *out_used_bytes,
                                             struct rt_slice *out_body);

const struct fakeetcd_http_request *
fakeetcd_http_parser_request(const struct fakeetcd_http_parser *parser);
/* After BAD: 400, 431, 501, 503, 505; 0: etcd says nothing. `detail` says more, or is "". */
unsigned fakeetcd_http_parser_status(const struct fakeetcd_http_parser *parser);
const char *fakeetcd_http_parser_detail(const struct fakeetcd_http_parser *parser);
/* Is it between two requests, with nothing of the next one there? */
bool fakeetcd_http_parser_is_idle(const struct fakeetcd_http_parser *parser);

/* The first value of a header, by name in any case; false: not sent. */
bool fakeetcd_http_header(const struct fakeetcd_http_request *request, const char *name,
                          struct rt_slice *out_value);
/* Is `token` one of the comma separated words of this value, in any case? */
bool fakeetcd_http_has_token(struct rt_slice value, const char *token);
bool fakeetcd_http_is_word(struct rt_slice slice, const char *word); /* in any case */

#endif
