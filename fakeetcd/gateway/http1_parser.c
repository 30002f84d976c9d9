/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/gateway/http1_parser.h"

#include "runtime/hex.h"

#include <assert.h>
#include <stdlib.h>
#include <strings.h>

enum state {
    IN_HEAD,
    AT_BODY, /* the head was told; what follows is decided by it */
    IN_LENGTH,
    IN_CHUNK_SIZE,
    IN_CHUNK,
    AFTER_CHUNK, /* its CR LF */
    IN_TRAILER,
    IS_BAD
};

struct fakeetcd_http_parser {
    enum state state;
    struct fakeetcd_text head; /* grows with what has come */
    size_t line_bytes;         /* of the line being read, in a head, a chunk size or a trailer */
    size_t trailer_bytes;
    char chunk_line[FAKEETCD_HTTP_CHUNK_LINE_BYTES_MAX];
    uint64_t left_bytes; /* of the body or chunk */
    bool is_first;       /* no request has been read yet */
    unsigned status;
    const char *detail;
    struct fakeetcd_http_request request;
};

static enum fakeetcd_http_event step(struct fakeetcd_http_parser *parser, struct rt_slice bytes,
                                     size_t *out_used_bytes, struct rt_slice *out_body);
static enum fakeetcd_http_event take_head(struct fakeetcd_http_parser *parser,
                                          struct rt_slice bytes, size_t *out_used_bytes);
static enum fakeetcd_http_event read_head(struct fakeetcd_http_parser *parser);
static bool read_request_line(struct fakeetcd_http_parser *parser, struct rt_slice line);
static bool read_target(struct fakeetcd_http_parser *parser, struct rt_slice target);
static bool read_version(struct fakeetcd_http_parser *parser, struct rt_slice version);
static bool read_header(struct fakeetcd_http_parser *parser, struct rt_slice line);
static bool read_framing(struct fakeetcd_http_parser *parser);
static bool read_content_length(struct fakeetcd_http_parser *parser);
static enum fakeetcd_http_event begin_body(struct fakeetcd_http_parser *parser);
static enum fakeetcd_http_event take_content(struct fakeetcd_http_parser *parser,
                                             struct rt_slice bytes, size_t *out_used_bytes,
                                             struct rt_slice *out_body);
static enum fakeetcd_http_event take_chunk_size(struct fakeetcd_http_parser *parser,
                                                struct rt_slice bytes, size_t *out_used_bytes);
static bool read_chunk_size(struct fakeetcd_http_parser *parser);
static enum fakeetcd_http_event take_chunk_end(struct fakeetcd_http_parser *parser,
                                               struct rt_slice bytes, size_t *out_used_bytes);
static enum fakeetcd_http_event take_trailer(struct fakeetcd_http_parser *parser,
                                             struct rt_slice bytes, size_t *out_used_bytes);
static enum fakeetcd_http_event end_request(struct fakeetcd_http_parser *parser);
static enum fakeetcd_http_event refuse(struct fakeetcd_http_parser *parser, unsigned status,
                                       const char *detail);
static bool refuse_head(struct fakeetcd_http_parser *parser, unsigned status, const char *detail);
static bool refuse_line(struct fakeetcd_http_parser *parser, unsigned status, const char *detail);
static struct rt_slice trimmed(struct rt_slice text);
static bool is_token(struct rt_slice text);
static bool is_token_character(uint8_t character);

enum rt_status fakeetcd_http_parser_create(struct fakeetcd_http_parser **out_parser)
{
    *out_parser = calloc(1, sizeof(**out_parser));
    if (*out_parser == NULL) {
        return RT_E_NOMEM;
    }
    (*out_parser)->is_first = true;
    return RT_OK;
}

void fakeetcd_http_parser_destroy(struct fakeetcd_http_parser *parser)
{
    if (parser != NULL) {
        fakeetcd_text_fini(&parser->head);
        free(parser);
    }
}

enum fakeetcd_http_event fakeetcd_http_parse(struct fakeetcd_http_parser *parser,
                                             struct rt_slice bytes, size_t *out_used_bytes,
                                             struct rt_slice *out_body)
{
    *out_used_bytes = 0;
    *out_body = (struct rt_slice){0};
    for (;;) {
        enum state before = parser->state;
        size_t used = 0;
        enum fakeetcd_http_event event = step(parser, bytes, &used, out_body);
        *out_used_bytes += used;
        bytes = rt_slice_of(bytes.data + used, bytes.len_bytes - used);
        if (event != FAKEETCD_HTTP_MORE || (bytes.len_bytes == 0 && parser->state == before)) {
            return event;
        }
    }
}

/* MORE: it used some bytes, or went to the next state. */
static enum fakeetcd_http_event step(struct fakeetcd_http_parser *parser, struct rt_slice bytes,
                                     size_t *out_used_bytes, struct rt_slice *out_body)
{
    switch (parser->state) {
    case IN_HEAD:
        return take_head(parser, bytes, out_used_bytes);
    case AT_BODY:
        return begin_body(parser);
    case IN_LENGTH:
    case IN_CHUNK:
        return take_content(parser, bytes, out_used_bytes, out_body);
    case IN_CHUNK_SIZE:
        return take_chunk_size(parser, bytes, out_used_bytes);
    case AFTER_CHUNK:
        return take_chunk_end(parser, bytes, out_used_bytes);
    case IN_TRAILER:
        return take_trailer(parser, bytes, out_used_bytes);
    case IS_BAD:
        break;
    }
    return FAKEETCD_HTTP_BAD;
}

/* ---- head ----------------------------------------------------------------------------------- */

/* Up to and with the empty line; empty lines before a request are passed over. */
static enum fakeetcd_http_event take_head(struct fakeetcd_http_parser *parser,
                                          struct rt_slice bytes, size_t *out_used_bytes)
{
    size_t at = 0;
    bool is_complete = false;
    while (at < bytes.len_bytes && !is_complete) {
        uint8_t byte = bytes.data[at++];
        if (byte != '\n') {
            parser->line_bytes += byte == '\r' ? 0 : 1;
            continue;
        }
        is_complete = parser->line_bytes == 0;
        parser->line_bytes = 0;
    }
    *out_used_bytes = at;
    fakeetcd_text_add(&parser->head, bytes.data, at);
    if (parser->head.is_failed) {
        return refuse(parser, 503, "");
    }
    if (parser->head.len_bytes > FAKEETCD_HTTP_HEAD_BYTES_MAX) {
        return refuse(parser, 431, "");
    }
    if (!is_complete) {
        return FAKEETCD_HTTP_MORE;
    }
    struct rt_slice head = trimmed(fakeetcd_text_slice(&parser->head));
    if (head.len_bytes == 0) {
        fakeetcd_text_clear(&parser->head);
        return FAKEETCD_HTTP_MORE;
    }
    return read_head(parser);
}

static enum fakeetcd_http_event read_head(struct fakeetcd_http_parser *parser)
{
    struct rt_slice rest = fakeetcd_text_slice(&parser->head);
    while (rest.len_bytes > 0 && (rest.data[0] == '\r' || rest.data[0] == '\n')) {
        rest = rt_slice_of(rest.data + 1, rest.len_bytes - 1);
    }
    bool is_first = true;
    parser->request.header_count = 0;
    while (rest.len_bytes > 0) {
        const uint8_t *end = memchr(rest.data, '\n', rest.len_bytes);
        assert(end != NULL); /* a head ends with a line end */
        struct rt_slice line = rt_slice_of(rest.data, (size_t)(end - rest.data));
        rest = rt_slice_of(end + 1, rest.len_bytes - line.len_bytes - 1);
        if (line.len_bytes > 0 && line.data[line.len_bytes - 1] == '\r') {
            line.len_bytes--;
        }
        if (line.len_bytes == 0) {
            break;
        }
        if (!(is_first ? read_request_line(parser, line) : read_header(parser, line))) {
            return FAKEETCD_HTTP_BAD;
        }
        is_first = false;
    }
    if (!read_framing(parser)) {
        return FAKEETCD_HTTP_BAD;
    }
    parser->state = AT_BODY;
    return FAKEETCD_HTTP_HEAD;
}

static bool read_request_line(struct fakeetcd_http_parser *parser, struct rt_slice line)
{
    const uint8_t *first = memchr(line.data, ' ', line.len_bytes);
    const uint8_t *last = memrchr(line.data, ' ', line.len_bytes);
    if (first == NULL || first == last) {
        return refuse_line(parser, 400, "");
    }
    const uint8_t *end = line.data + line.len_bytes;
    parser->request.method = rt_slice_of(line.data, (size_t)(first - line.data));
    if (!is_token(parser->request.method)) {
        return refuse_head(parser, 400, "");
    }
    return read_version(parser, rt_slice_of(last + 1, (size_t)(end - last - 1))) &&
           read_target(parser, rt_slice_of(first + 1, (size_t)(last - first - 1)));
}

/* "/path?query", or "http://host/path?query" as proxies are asked. */
static bool read_target(struct fakeetcd_http_parser *parser, struct rt_slice target)
{
    static const char SCHEME[] = "http://";
    size_t scheme_len = sizeof(SCHEME) - 1;
    for (size_t i = 0; i < target.len_bytes; i++) {
        if (target.data[i] <= ' ' || target.data[i] == 0x7f) {
            return refuse_head(parser, 400, "");
        }
    }
    if (target.len_bytes >= scheme_len && memcmp(target.data, SCHEME, scheme_len) == 0) {
        size_t at = scheme_len;
        while (at < target.len_bytes && target.data[at] != '/') {
            at++;
        }
        target = rt_slice_of(target.data + at, target.len_bytes - at);
    }
    if (!rt_slice_is_text(target, "*") && (target.len_bytes == 0 || target.data[0] != '/')) {
        return refuse_head(parser, 400, "");
    }
    const uint8_t *mark = memchr(target.data, '?', target.len_bytes);
    size_t path_len = mark == NULL ? target.len_bytes : (size_t)(mark - target.data);
    parser->request.path = rt_slice_of(target.data, path_len);
    parser->request.query = mark == NULL ? (struct rt_slice){0}
                                         : rt_slice_of(mark + 1, target.len_bytes - path_len - 1);
    return true;
}

static bool read_version(struct fakeetcd_http_parser *parser, struct rt_slice version)
{
    if (rt_slice_is_text(version, "HTTP/1.1") || rt_slice_is_text(version, "HTTP/1.0")) {
        parser->request.minor_version = version.data[7] == '1' ? 1 : 0;
        return true;
    }
    bool has_shape =
        version.len_bytes == 8 && memcmp(version.data, "HTTP/", 5) == 0 && version.data[6] == '.';
    return refuse_line(parser, has_shape ? 505 : 400,
                       has_shape ? "unsupported protocol version" : "");
}

static bool read_header(struct fakeetcd_http_parser *parser, struct rt_slice line)
{
    struct fakeetcd_http_request *request = &parser->request;
    const uint8_t *colon = memchr(line.data, ':', line.len_bytes);
    /* A blank at the front would continue the header before; nobody may send that any more. */
    if (colon == NULL || line.data[0] == ' ' || line.data[0] == '\t') {
        return refuse_head(parser, 400, "");
    }
    if (!is_token(rt_slice_of(line.data, (size_t)(colon - line.data)))) {
        return refuse_head(parser, 400, "invalid header name");
    }
    if (request->header_count == FAKEETCD_HTTP_HEADERS_MAX) {
        return refuse_head(parser, 431, "");
    }
    struct rt_slice name = rt_slice_of(line.data, (size_t)(colon - line.data));
    struct rt_slice value = trimmed(rt_slice_of(colon + 1, line.len_bytes - name.len_bytes - 1));
    for (size_t i = 0; i < value.len_bytes; i++) {
        if ((value.data[i] < ' ' && value.data[i] != '\t') || value.data[i] == 0x7f) {
            return refuse_head(parser, 400, "invalid header value");
        }
    }
    request->headers[request->header_count++] =
        (struct fakeetcd_http_header){.name = name, .value = value};
    return true;
}

static bool read_framing(struct fakeetcd_http_parser *parser)
{
    struct fakeetcd_http_request *request = &parser->request;
    struct rt_slice value;
    bool has_host = fakeetcd_http_header(request, "host", &value);
    if (request->minor_version == 1 && !has_host) {
        return refuse_head(parser, 400, "missing required Host header");
    }
    request->is_chunked = false;
    if (fakeetcd_http_header(request, "transfer-encoding", &value)) {
        if (!fakeetcd_http_is_word(value, "chunked")) {
            return refuse_head(parser, 501, "Unsupported transfer encoding");
        }
        request->is_chunked = true; /* and any length does not count */
    }
    if (!read_content_length(parser)) {
        return false;
    }
    bool has_connection = fakeetcd_http_header(request, "connection", &value);
    request->is_kept_alive = request->minor_version == 1
                                 ? !has_connection || !fakeetcd_http_has_token(value, "close")
                                 : has_connection && fakeetcd_http_has_token(value, "keep-alive");
    request->is_continue_expected = request->minor_version == 1 &&
                                    fakeetcd_http_header(request, "expect", &value) &&
                                    fakeetcd_http_is_word(value, "100-continue");
    return true;
}

/* Several are fine as long as they agree. */
static bool read_content_length(struct fakeetcd_http_parser *parser)
{
    struct fakeetcd_http_request *request = &parser->request;
    struct rt_slice first = {0};
    request->content_bytes = 0;
    for (size_t i = 0; i < request->header_count; i++) {
        if (!fakeetcd_http_is_word(request->headers[i].name, "content-length")) {
            continue;
        }
        struct rt_slice value = request->headers[i].value;
        if (first.data != NULL && !rt_slice_equal(first, value)) {
            return refuse_head(parser, 400, "");
        }
        first = value;
        request->content_bytes = 0;
        for (size_t k = 0; k < value.len_bytes; k++) {
            if (value.data[k] < '0' || value.data[k] > '9' || k >= 18) {
                return refuse_head(parser, 400, "");
            }
            request->content_bytes = request->content_bytes * 10 + (value.data[k] - (unsigned)'0');
        }
        if (value.len_bytes == 0) {
            return refuse_head(parser, 400, "");
        }
    }
    return true;
}

/* ---- body ----------------------------------------------------------------------------------- */

static enum fakeetcd_http_event begin_body(struct fakeetcd_http_parser *parser)
{
    if (parser->request.is_chunked) {
        parser->line_bytes = 0;
        parser->state = IN_CHUNK_SIZE;
        return FAKEETCD_HTTP_MORE;
    }
    parser->left_bytes = parser->request.content_bytes;
    if (parser->left_bytes == 0) {
        return end_request(parser);
    }
    parser->state = IN_LENGTH;
    return FAKEETCD_HTTP_MORE;
}

static enum fakeetcd_http_event take_content(struct fakeetcd_http_parser *parser,
                                             struct rt_slice bytes, size_t *out_used_bytes,
                                             struct rt_slice *out_body)
{
    if (parser->left_bytes == 0) {
        if (parser->state == IN_LENGTH) {
            return end_request(parser);
        }
        parser->line_bytes = 0;
        parser->state = AFTER_CHUNK;
        return FAKEETCD_HTTP_MORE;
    }
    size_t len_bytes =
        bytes.len_bytes < parser->left_bytes ? bytes.len_bytes : (size_t)parser->left_bytes;
    if (len_bytes == 0) {
        return FAKEETCD_HTTP_MORE;
    }
    parser->left_bytes -= len_bytes;
    *out_used_bytes = len_bytes;
    *out_body = rt_slice_of(bytes.data, len_bytes);
    return FAKEETCD_HTTP_BODY;
}

static enum fakeetcd_http_event take_chunk_size(struct fakeetcd_http_parser *parser,
                                                struct rt_slice bytes, size_t *out_used_bytes)
{
    for (size_t at = 0; at < bytes.len_bytes; at++) {
        *out_used_bytes = at + 1;
        if (bytes.data[at] != '\n') {
            if (parser->line_bytes == sizeof(parser->chunk_line)) {
                return refuse(parser, 400, "header line too long");
            }
            parser->chunk_line[parser->line_bytes++] = (char)bytes.data[at];
            continue;
        }
        if (!read_chunk_size(parser)) {
            return refuse(parser, 400, "invalid byte in chunk length");
        }
        parser->line_bytes = 0;
        parser->trailer_bytes = 0;
        parser->state = parser->left_bytes == 0 ? IN_TRAILER : IN_CHUNK;
        return FAKEETCD_HTTP_MORE;
    }
    return FAKEETCD_HTTP_MORE;
}

/* Hexadecimal digits; what follows a semicolon says nothing to us. */
static bool read_chunk_size(struct fakeetcd_http_parser *parser)
{
    struct rt_slice line = trimmed(rt_slice_of(parser->chunk_line, parser->line_bytes));
    uint64_t size = 0;
    size_t digits = 0;
    for (; digits < line.len_bytes; digits++) {
        int digit = rt_hex_digit(line.data[digits]);
        if (digit < 0) {
            break;
        }
        if (digits == 15) {
            return false;
        }
        size = size << 4 | (uint64_t)digit;
    }
    struct rt_slice rest = trimmed(rt_slice_of(line.data + digits, line.len_bytes - digits));
    parser->left_bytes = size;
    return digits > 0 && (rest.len_bytes == 0 || rest.data[0] == ';');
}

static enum fakeetcd_http_event take_chunk_end(struct fakeetcd_http_parser *parser,
                                               struct rt_slice bytes, size_t *out_used_bytes)
{
    for (size_t at = 0; at < bytes.len_bytes; at++) {
        *out_used_bytes = at + 1;
        if (bytes.data[at] == '\n') {
            parser->line_bytes = 0;
            parser->state = IN_CHUNK_SIZE;
            return FAKEETCD_HTTP_MORE;
        }
        if (bytes.data[at] != '\r' || parser->line_bytes > 0) {
            return refuse(parser, 400, "malformed chunked encoding");
        }
        parser->line_bytes++;
    }
    return FAKEETCD_HTTP_MORE;
}

/* Trailers are passed over. */
static enum fakeetcd_http_event take_trailer(struct fakeetcd_http_parser *parser,
                                             struct rt_slice bytes, size_t *out_used_bytes)
{
    for (size_t at = 0; at < bytes.len_bytes; at++) {
        *out_used_bytes = at + 1;
        parser->trailer_bytes++;
        if (parser->trailer_bytes > FAKEETCD_HTTP_HEAD_BYTES_MAX) {
            return refuse(parser, 431, "");
        }
        if (bytes.data[at] != '\n') {
            parser->line_bytes += bytes.data[at] == '\r' ? 0 : 1;
            continue;
        }
        if (parser->line_bytes == 0) {
            return end_request(parser);
        }
        parser->line_bytes = 0;
    }
    return FAKEETCD_HTTP_MORE;
}

static enum fakeetcd_http_event end_request(struct fakeetcd_http_parser *parser)
{
    fakeetcd_text_clear(&parser->head);
    parser->line_bytes = 0;
    parser->is_first = false;
    parser->state = IN_HEAD;
    return FAKEETCD_HTTP_END;
}

/* ---- refusing ------------------------------------------------------------------------------- */

static enum fakeetcd_http_event refuse(struct fakeetcd_http_parser *parser, unsigned status,
                                       const char *detail)
{
    refuse_head(parser, status, detail);
    return FAKEETCD_HTTP_BAD;
}

static bool refuse_head(struct fakeetcd_http_parser *parser, unsigned status, const char *detail)
{
    parser->state = IS_BAD;
    parser->status = status;
    parser->detail = detail;
    return false;
}

/* etcd looks at the first line to see what is spoken: what is no HTTP/1 gets no answer. */
static bool refuse_line(struct fakeetcd_http_parser *parser, unsigned status, const char *detail)
{
    return refuse_head(parser, parser->is_first ? 0 : status, detail);
}

/* ---- questions ------------------------------------------------------------------------------ */

const struct fakeetcd_http_request *
fakeetcd_http_parser_request(const struct fakeetcd_http_parser *parser)
{
    return &parser->request;
}

unsigned fakeetcd_http_parser_status(const struct fakeetcd_http_parser *parser)
{
    return parser->status;
}

const char *fakeetcd_http_parser_detail(const struct fakeetcd_http_parser *parser)
{
    return parser->detail == NULL ? "" : parser->detail;
}

bool fakeetcd_http_parser_is_idle(const struct fakeetcd_http_parser *parser)
{
    return parser->state == IN_HEAD && parser->head.len_bytes == 0;
}

bool fakeetcd_http_header(const struct fakeetcd_http_request *request, const char *name,
                          struct rt_slice *out_value)
{
    for (size_t i = 0; i < request->header_count; i++) {
        if (fakeetcd_http_is_word(request->headers[i].name, name)) {
            *out_value = request->headers[i].value;
            return true;
        }
    }
    return false;
}

bool fakeetcd_http_has_token(struct rt_slice value, const char *token)
{
    size_t start = 0;
    for (size_t i = 0; i <= value.len_bytes; i++) {
        if (i == value.len_bytes || value.data[i] == ',') {
            if (fakeetcd_http_is_word(trimmed(rt_slice_of(value.data + start, i - start)), token)) {
                return true;
            }
            start = i + 1;
        }
    }
    return false;
}

bool fakeetcd_http_is_word(struct rt_slice slice, const char *word)
{
    return strlen(word) == slice.len_bytes &&
           (slice.len_bytes == 0 ||
            strncasecmp((const char *)slice.data, word, slice.len_bytes) == 0);
}

static struct rt_slice trimmed(struct rt_slice text)
{
    while (text.len_bytes > 0 && strchr(" \t\r\n", text.data[0]) != NULL && text.data[0] != '\0') {
        text = rt_slice_of(text.data + 1, text.len_bytes - 1);
    }
    while (text.len_bytes > 0 && text.data[text.len_bytes - 1] != '\0' &&
           strchr(" \t\r\n", text.data[text.len_bytes - 1]) != NULL) {
        text.len_bytes--;
    }
    return text;
}

static bool is_token(struct rt_slice text)
{
    for (size_t i = 0; i < text.len_bytes; i++) {
        if (!is_token_character(text.data[i])) {
            return false;
        }
    }
    return text.len_bytes > 0;
}

static bool is_token_character(uint8_t character)
{
    return (character >= '0' && character <= '9') || (character >= 'a' && character <= 'z') ||
           (character >= 'A' && character <= 'Z') ||
           (character != '\0' && strchr("!#$%&'*+-.^_`|~", character) != NULL);
}
