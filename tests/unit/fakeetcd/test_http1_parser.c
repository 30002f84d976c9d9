/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/gateway/http1_parser.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* What came out of a text: "GET /p?q [body] ..." for requests, "400: detail" at a bad one. */
struct told {
    char text[512];
    size_t len;
};

static void tell(struct told *told, struct rt_slice words)
{
    assert_true(told->len + words.len_bytes < sizeof(told->text));
    if (words.len_bytes > 0) {
        memcpy(told->text + told->len, words.data, words.len_bytes);
    }
    told->len += words.len_bytes;
    told->text[told->len] = '\0';
}

static bool take(struct fakeetcd_http_parser *parser, struct rt_slice bytes, struct told *told)
{
    char bad[128];
    for (;;) {
        size_t used = 0;
        struct rt_slice body;
        enum fakeetcd_http_event event = fakeetcd_http_parse(parser, bytes, &used, &body);
        const struct fakeetcd_http_request *request = fakeetcd_http_parser_request(parser);
        bytes = rt_slice_of(bytes.data + used, bytes.len_bytes - used);
        switch (event) {
        case FAKEETCD_HTTP_MORE:
            assert_int_equal(bytes.len_bytes, 0);
            return true;
        case FAKEETCD_HTTP_HEAD:
            tell(told, request->method);
            tell(told, rt_slice_text(" "));
            tell(told, request->path);
            if (request->query.len_bytes > 0) {
                tell(told, rt_slice_text("?"));
                tell(told, request->query);
            }
            tell(told, rt_slice_text(request->is_kept_alive ? " [" : " close ["));
            break;
        case FAKEETCD_HTTP_BODY:
            assert_true(body.len_bytes > 0);
            tell(told, body);
            break;
        case FAKEETCD_HTTP_END:
            tell(told, rt_slice_text("]"));
            break;
        case FAKEETCD_HTTP_BAD:
            snprintf(bad, sizeof(bad), "%u: %s", fakeetcd_http_parser_status(parser),
                     fakeetcd_http_parser_detail(parser));
            tell(told, rt_slice_text(bad));
            return false;
        }
    }
}

static void assert_told(const char *bytes, const char *wanted)
{
    for (size_t piece_bytes = 1; piece_bytes <= strlen(bytes); piece_bytes++) {
        struct fakeetcd_http_parser *parser = NULL;
        struct told told = {.text = ""};
        assert_int_equal(fakeetcd_http_parser_create(&parser), RT_OK);
        size_t len_bytes = strlen(bytes);
        for (size_t at = 0; at < len_bytes; at += piece_bytes) {
            size_t piece = piece_bytes < len_bytes - at ? piece_bytes : len_bytes - at;
            /* A copy of its own, so that reading past the piece is found. */
            char *copy = malloc(piece);
            assert_non_null(copy);
            memcpy(copy, bytes + at, piece);
            bool goes_on = take(parser, rt_slice_of(copy, piece), &told);
            free(copy);
            if (!goes_on) {
                break;
            }
        }
        assert_string_equal(told.text, wanted);
        fakeetcd_http_parser_destroy(parser);
    }
}

#define HOST "Host: h\r\n"

static void requests__one_after_the_other__are_told_in_pieces_of_every_size(void **state)
{
    (void)state;
    assert_told("GET /health?serializable=true HTTP/1.1\r\n" HOST "\r\n"
                "POST /v3/kv/put HTTP/1.1\r\n" HOST "content-LENGTH: 2\r\n\r\n{}"
                "\r\nGET / HTTP/1.1\nhost: h\n\n",
                "GET /health?serializable=true []POST /v3/kv/put [{}]GET / []");
}

static void chunks__sizes_extensions_and_trailers__become_one_body(void **state)
{
    (void)state;
    assert_told("POST /w HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n"
                "3\r\nabc\r\nA;x=y \r\n0123456789\r\n0\r\nT: 1\r\n\r\n"
                "GET /n HTTP/1.1\r\n" HOST "\r\n",
                "POST /w [abc0123456789]GET /n []");
}

static void length_and_chunks__both_given__chunks_count(void **state)
{
    (void)state;
    assert_told("POST /w HTTP/1.1\r\n" HOST
                "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                "POST /w []");
}

static void connection__by_version_and_header__is_kept(void **state)
{
    (void)state;
    assert_told("GET / HTTP/1.0\r\n\r\n", "GET / close []");
    assert_told("GET / HTTP/1.0\r\nConnection: x, Keep-Alive\r\n\r\n", "GET / []");
    assert_told("GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", "GET / close []");
    assert_told("GET http://other/a?b HTTP/1.1\r\n" HOST "\r\n", "GET /a?b []");
    assert_told("OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "OPTIONS * []");
}

static void hostile__each_defect__is_refused_as_gos_server_does(void **state)
{
    (void)state;
    assert_told("GET / HTTP/1.1\r\n\r\n", "400: missing required Host header");
    assert_told("GET / HTTP/1.1\r\n" HOST "\r\nGET / HTTP/2.0\r\n" HOST "\r\n",
                "GET / []505: unsupported protocol version");
    assert_told("GET / HTTP/1.1\r\n" HOST "\r\nGET /\r\n\r\n", "GET / []400: ");
    assert_told("G(T / HTTP/1.1\r\n" HOST "\r\n", "400: ");
    assert_told("GET /a\x01 HTTP/1.1\r\n" HOST "\r\n", "400: ");
    assert_told("GET a HTTP/1.1\r\n" HOST "\r\n", "400: ");
    assert_told("GET / HTTP/1.1\r\n" HOST " folded: x\r\n\r\n", "400: ");
    assert_told("GET / HTTP/1.1\r\n" HOST "na me: x\r\n\r\n", "400: invalid header name");
    assert_told("GET / HTTP/1.1\r\n" HOST "n: a\x02\r\n\r\n", "400: invalid header value");
    assert_told("GET / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
                "400: ");
    assert_told("GET / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n", "400: ");
    assert_told("GET / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\n", "400: ");
    assert_told("GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n",
                "501: Unsupported transfer encoding");
    assert_told("POST /w HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nx\r\n",
                "POST /w [400: invalid byte in chunk length");
    assert_told("POST /w HTTP/1.1\r\n" HOST
                "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff0\r\n",
                "POST /w [400: invalid byte in chunk length");
    assert_told("POST /w HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
                "POST /w [a400: malformed chunked encoding");
}

/* etcd tells the protocols of its port apart by the first line. */
static void first_line__no_http1__gets_no_answer(void **state)
{
    (void)state;
    assert_told("BAD\r\n\r\n", "0: ");
    assert_told("GET / HTTP/2.0\r\n" HOST "\r\n", "0: unsupported protocol version");
    assert_told("GET / SPDY\r\n" HOST "\r\n", "0: ");
}

static void head__without_end_or_with_too_many_headers__is_refused(void **state)
{
    (void)state;
    struct fakeetcd_http_parser *parser = NULL;
    struct told told = {.text = ""};
    assert_int_equal(fakeetcd_http_parser_create(&parser), RT_OK);
    char block[1024];
    memset(block, 'a', sizeof(block));
    for (int i = 0; i < FAKEETCD_HTTP_HEAD_BYTES_MAX / (int)sizeof(block); i++) {
        assert_true(take(parser, rt_slice_of(block, sizeof(block)), &told));
    }
    assert_false(take(parser, rt_slice_of(block, sizeof(block)), &told));
    assert_string_equal(told.text, "431: ");
    fakeetcd_http_parser_destroy(parser);

    told = (struct told){.text = ""};
    assert_int_equal(fakeetcd_http_parser_create(&parser), RT_OK);
    assert_true(take(parser, rt_slice_text("GET / HTTP/1.1\r\n"), &told));
    for (int i = 0; i <= FAKEETCD_HTTP_HEADERS_MAX; i++) {
        assert_true(take(parser, rt_slice_text("a: b\r\n"), &told));
    }
    assert_false(take(parser, rt_slice_text("\r\n"), &told));
    assert_string_equal(told.text, "431: ");
    fakeetcd_http_parser_destroy(parser);
}

static void header__by_name__is_found_in_any_case(void **state)
{
    struct fakeetcd_http_request request = {
        .header_count = 1,
        .headers = {{.name = rt_slice_text("Upgrade"), .value = rt_slice_text("h2c, WebSocket")}}};
    struct rt_slice value;
    (void)state;
    assert_true(fakeetcd_http_header(&request, "upgrade", &value));
    assert_true(fakeetcd_http_has_token(value, "websocket"));
    assert_false(fakeetcd_http_has_token(value, "socket"));
    assert_false(fakeetcd_http_header(&request, "upgrade-insecure", &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests__one_after_the_other__are_told_in_pieces_of_every_size),
        cmocka_unit_test(chunks__sizes_extensions_and_trailers__become_one_body),
        cmocka_unit_test(length_and_chunks__both_given__chunks_count),
        cmocka_unit_test(connection__by_version_and_header__is_kept),
        cmocka_unit_test(hostile__each_defect__is_refused_as_gos_server_does),
        cmocka_unit_test(first_line__no_http1__gets_no_answer),
        cmocka_unit_test(head__without_end_or_with_too_many_headers__is_refused),
        cmocka_unit_test(header__by_name__is_found_in_any_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
