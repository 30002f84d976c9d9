/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/gateway/http1_parser.h"
#include "fuzz_target.h"

#include <stdlib.h>

/*
 * Requests of HTTP/1, hostile ones. Input: a byte (size of the pieces), then what a peer sends. It
 * is parsed whole and in pieces: the same happens either way.
 */
struct digest { /* of everything that happened */
    uint64_t hash;
    unsigned status; /* 0: it did not end badly, or without a word */
    bool is_bad;
};

static void add(struct digest *digest, struct rt_slice bytes)
{
    for (size_t i = 0; i < bytes.len_bytes; i++) {
        digest->hash = (digest->hash ^ bytes.data[i]) * UINT64_C(0x100000001b3);
    }
}

/* With what stands between two things, so that "a", "b" is not "ab", "". */
static void add_mark(struct digest *digest, uint8_t mark)
{
    digest->hash = (digest->hash + mark + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

static void add_request(struct digest *digest, const struct fakeetcd_http_request *request)
{
    FUZZ_CHECK(request->method.len_bytes > 0);
    FUZZ_CHECK(request->header_count <= FAKEETCD_HTTP_HEADERS_MAX);
    FUZZ_CHECK(request->minor_version <= 1);
    add(digest, request->method);
    add_mark(digest, request->minor_version);
    add(digest, request->path);
    add_mark(digest, request->is_kept_alive);
    add(digest, request->query);
    add_mark(digest, request->is_chunked);
    for (size_t i = 0; i < request->header_count; i++) {
        add(digest, request->headers[i].name);
        add_mark(digest, ':');
        add(digest, request->headers[i].value);
        add_mark(digest, '\n');
        (void)fakeetcd_http_has_token(request->headers[i].value, "close");
    }
}

/* False: the parser takes nothing any more. */
static bool take(struct fakeetcd_http_parser *parser, struct rt_slice bytes, struct digest *digest)
{
    for (;;) {
        struct rt_slice body;
        size_t used_bytes = 0;
        enum fakeetcd_http_event event = fakeetcd_http_parse(parser, bytes, &used_bytes, &body);
        FUZZ_CHECK(used_bytes <= bytes.len_bytes);
        switch (event) {
        case FAKEETCD_HTTP_MORE:
            FUZZ_CHECK(used_bytes == bytes.len_bytes);
            return true;
        case FAKEETCD_HTTP_HEAD:
            add_request(digest, fakeetcd_http_parser_request(parser));
            break;
        case FAKEETCD_HTTP_BODY:
            FUZZ_CHECK(body.len_bytes > 0 && body.len_bytes <= used_bytes);
            add(digest, body);
            break;
        case FAKEETCD_HTTP_END:
            FUZZ_CHECK(fakeetcd_http_parser_is_idle(parser));
            add_mark(digest, '.');
            break;
        case FAKEETCD_HTTP_BAD:
            FUZZ_CHECK(fakeetcd_http_parser_detail(parser) != NULL);
            digest->is_bad = true;
            digest->status = fakeetcd_http_parser_status(parser);
            return false;
        }
        bytes = rt_slice_of(bytes.data + used_bytes, bytes.len_bytes - used_bytes);
    }
}

/* Each piece in memory of its own, so that a sanitizer sees each byte beyond. */
static struct digest parse(const uint8_t *data, size_t size, size_t piece_bytes)
{
    struct digest digest = {.hash = 1};
    struct fakeetcd_http_parser *parser;
    bool is_open = true;

    FUZZ_CHECK(fakeetcd_http_parser_create(&parser) == RT_OK);
    while (is_open && size > 0) {
        size_t len_bytes = piece_bytes < size ? piece_bytes : size;
        uint8_t *piece = malloc(len_bytes);
        FUZZ_CHECK(piece != NULL);
        memcpy(piece, data, len_bytes);
        is_open = take(parser, rt_slice_of(piece, len_bytes), &digest);
        free(piece);
        data += len_bytes;
        size -= len_bytes;
    }
    fakeetcd_http_parser_destroy(parser);
    return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    struct digest whole = parse(data + 1, size - 1, size - 1);
    struct digest pieces = parse(data + 1, size - 1, 1u + data[0] % 64u);
    FUZZ_CHECK(whole.is_bad == pieces.is_bad && whole.status == pieces.status);
    FUZZ_CHECK(whole.hash == pieces.hash);
    return 0;
}
