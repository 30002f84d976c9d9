/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/gateway/http1.h"

#include "runtime/wall_clock.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MICROSECONDS_PER_S UINT64_C(1000000)
#define HEAD_US            (30 * MICROSECONDS_PER_S)
#define BODY_SILENCE_US    (60 * MICROSECONDS_PER_S)
#define IDLE_US            (300 * MICROSECONDS_PER_S)
#define FULL_BYTES         (1024u * 1024)
#define AHEAD_BYTES_MAX    (64u * 1024)  /* of requests sent before their turn */
#define UNREAD_BYTES_MAX   (256u * 1024) /* of a body that nobody wants any more */
#define READ_PIECE_BYTES   (64u * 1024)
#define CONTINUE           "HTTP/1.1 100 Continue\r\n\r\n"
#define REFUSAL_HEADERS    "Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"

/*
 *   IDLE --head--> OPEN --begin--> ANSWERING --end--> ANSWERED --request read--> IDLE
 *                   `-----------answer-------------------^  `--not kept--> ENDING
 *   OPEN --upgrade--> RAW --end--> ENDING
 *   anything --bad bytes, lost, cut--> ENDING: the settle task closes and frees
 */
enum state { IDLE, OPEN, ANSWERING, ANSWERED, RAW, ENDING };

struct fakeetcd_http {
    struct rt_loop *loop;
    struct rt_stream *stream;
    struct fakeetcd_http_parser *parser;
    const struct fakeetcd_http_handler *handler;
    void *arg;
    void *owner;
    enum state state;
    bool has_request;   /* on_request came, on_gone did not */
    bool is_read;       /* the request's body is complete */
    bool is_kept_alive; /* after the answer under way */
    bool is_draining;
    bool is_lost;  /* the peer went, or a fault cut the connection */
    bool is_mute;  /* nothing goes out any more */
    bool is_reset; /* it ends with RST, not FIN */
    bool is_frozen;
    bool is_paused;
    bool is_chunked; /* the answer under way */
    bool is_bodiless;
    bool is_in_settle;
    uint64_t unread_bytes;
    uint64_t answer_bytes; /* of the answer, put so far */
    bool is_spoilt;
    bool is_truncated;
    uint64_t spoil_at;
    struct rt_timer timer;
    struct rt_task settle_task;
};

static void on_input(void *arg);
static void on_drained(void *arg);
static void on_stream_closed(void *arg, enum rt_status reason);
static void on_timer(void *arg);
static void settle(void *arg);
static bool take_piece(struct fakeetcd_http *http);
static bool may_take(const struct fakeetcd_http *http);
static size_t take(struct fakeetcd_http *http, struct rt_slice bytes);
static void begin_request(struct fakeetcd_http *http);
static void take_body(struct fakeetcd_http *http, struct rt_slice piece);
static void end_body(struct fakeetcd_http *http);
static void refuse(struct fakeetcd_http *http);
static void put_refusal(struct fakeetcd_http *http, unsigned status, const char *detail);
static void end_request(struct fakeetcd_http *http);
static void finish(struct fakeetcd_http *http);
static void release(struct fakeetcd_http *http);
static void go(struct fakeetcd_http *http, enum state state);
static void arm(struct fakeetcd_http *http);
static void pause_when_ahead(struct fakeetcd_http *http);
static void put_head(struct fakeetcd_http *http, const struct fakeetcd_http_answer *answer,
                     bool has_length);
static void put_date(struct fakeetcd_http *http, struct fakeetcd_text *text);
static void put(struct fakeetcd_http *http, const void *data, size_t len_bytes);
static void put_plain(struct fakeetcd_http *http, const void *data, size_t len_bytes);

static const struct rt_stream_handler HANDLER = {
    .on_input = on_input, .on_drained = on_drained, .on_closed = on_stream_closed};

enum rt_status fakeetcd_http_accept(struct rt_loop *loop, struct rt_stream *stream,
                                    const struct fakeetcd_http_handler *handler, void *arg,
                                    struct fakeetcd_http **out_http)
{
    struct fakeetcd_http *http = calloc(1, sizeof(*http));
    if (http == NULL || fakeetcd_http_parser_create(&http->parser) != RT_OK) {
        goto drop_stream;
    }
    http->loop = loop;
    http->handler = handler;
    http->arg = arg;
    http->is_kept_alive = true;
    rt_timer_init(&http->timer, loop, on_timer, http);
    rt_task_init(&http->settle_task, loop, settle, http);
    if (rt_timer_arm_after(&http->timer, HEAD_US) != RT_OK) {
        goto drop_stream;
    }
    http->stream = stream;
    rt_stream_set_handler(stream, &HANDLER, http);
    rt_task_schedule(&http->settle_task); /* reads what has come already */
    *out_http = http;
    return RT_OK;

drop_stream:
    if (http != NULL) {
        fakeetcd_http_parser_destroy(http->parser);
        free(http);
    }
    rt_stream_reset(stream);
    return RT_E_NOMEM;
}

void fakeetcd_http_destroy(struct fakeetcd_http *http)
{
    if (http == NULL) {
        return;
    }
    http->state = ENDING;
    if (http->has_request) {
        http->has_request = false;
        http->handler->on_gone(http->arg, http, true);
    }
    rt_stream_reset(http->stream);
    release(http);
}

void fakeetcd_http_drain(struct fakeetcd_http *http)
{
    http->is_draining = true;
    rt_task_schedule(&http->settle_task);
}

void fakeetcd_http_freeze(struct fakeetcd_http *http, bool is_frozen)
{
    http->is_frozen = is_frozen;
    rt_stream_pause(http->stream, is_frozen || http->is_paused);
    if (!is_frozen) {
        rt_task_schedule(&http->settle_task);
    }
}

/* ---- what comes in -------------------------------------------------------------------------- */

static void on_input(void *arg)
{
    settle(arg);
}

static void on_drained(void *arg)
{
    struct fakeetcd_http *http = arg;
    if (http->has_request) {
        http->handler->on_drained(http->arg, http);
    }
}

static void on_stream_closed(void *arg, enum rt_status reason)
{
    struct fakeetcd_http *http = arg;
    (void)reason;
    http->is_lost = true; /* what is answered already still goes out */
    go(http, ENDING);
    settle(http);
}

/* Too slow a head or body, or idle for too long. An answer may take its time. */
static void on_timer(void *arg)
{
    struct fakeetcd_http *http = arg;
    http->is_lost = http->state == OPEN || http->state == ANSWERING;
    http->is_reset = http->is_lost;
    go(http, ENDING);
    settle(http);
}

/* The one place where requests begin and end, and the connection too: from the loop, with nothing
 * of the handler on the stack. */
static void settle(void *arg)
{
    struct fakeetcd_http *http = arg;
    if (http->is_frozen || http->is_in_settle) {
        return;
    }
    http->is_in_settle = true;
    for (;;) {
        if (http->state == ANSWERED && http->is_read) {
            end_request(http);
        }
        if (http->state == ENDING) {
            finish(http);
            return;
        }
        if (http->is_draining && http->state == IDLE) {
            go(http, ENDING);
            continue;
        }
        if (!may_take(http) || !take_piece(http)) {
            break;
        }
    }
    http->is_in_settle = false;
    pause_when_ahead(http);
    rt_stream_flush(http->stream);
}

/* False: there is nothing to take. */
static bool take_piece(struct fakeetcd_http *http)
{
    struct rt_inbox *inbox = rt_stream_inbox(http->stream);
    struct rt_slice piece = rt_inbox_peek_piece(inbox);
    if (piece.len_bytes == 0) {
        return false;
    }
    if (piece.len_bytes > READ_PIECE_BYTES) {
        piece.len_bytes = READ_PIECE_BYTES;
    }
    rt_inbox_drain(inbox, take(http, piece));
    return true;
}

/* The next request waits until this one is over. */
static bool may_take(const struct fakeetcd_http *http)
{
    return http->state == IDLE || http->state == RAW || !http->is_read;
}

/* Takes until a request ends; how many bytes. */
static size_t take(struct fakeetcd_http *http, struct rt_slice bytes)
{
    if (http->state == RAW) {
        http->handler->on_body(http->arg, http, bytes);
        return bytes.len_bytes;
    }
    size_t total = 0;
    for (;;) {
        size_t used = 0;
        struct rt_slice body;
        enum fakeetcd_http_event event = fakeetcd_http_parse(
            http->parser, rt_slice_of(bytes.data + total, bytes.len_bytes - total), &used, &body);
        total += used;
        switch (event) {
        case FAKEETCD_HTTP_MORE:
            arm(http);
            return total;
        case FAKEETCD_HTTP_HEAD:
            begin_request(http);
            break;
        case FAKEETCD_HTTP_BODY:
            take_body(http, body);
            break;
        case FAKEETCD_HTTP_END:
            end_body(http);
            return total;
        case FAKEETCD_HTTP_BAD:
            refuse(http);
            return total;
        }
        if (http->state == RAW || http->state == ENDING) {
            return total;
        }
    }
}

static void begin_request(struct fakeetcd_http *http)
{
    const struct fakeetcd_http_request *request = fakeetcd_http_parser_request(http->parser);
    assert(http->state == IDLE);
    go(http, OPEN);
    http->has_request = true;
    http->is_read = false;
    http->is_kept_alive = request->is_kept_alive;
    http->owner = NULL;
    http->unread_bytes = 0;
    http->answer_bytes = 0;
    http->is_spoilt = false;
    arm(http);
    http->handler->on_request(http->arg, http);
    if (request->is_continue_expected && http->state == OPEN) {
        put_plain(http, CONTINUE, sizeof(CONTINUE) - 1);
    }
}

static void take_body(struct fakeetcd_http *http, struct rt_slice piece)
{
    arm(http);
    if (http->state == OPEN || http->state == ANSWERING) {
        http->handler->on_body(http->arg, http, piece);
        return;
    }
    http->unread_bytes += piece.len_bytes;
    if (http->unread_bytes > UNREAD_BYTES_MAX) {
        go(http, ENDING);
    }
}

static void end_body(struct fakeetcd_http *http)
{
    http->is_read = true;
    arm(http);
    if (http->state == OPEN || http->state == ANSWERING) {
        http->handler->on_body_end(http->arg, http);
    }
}

/* As Go's server answers what it cannot read; a body is the handler's to complain of. */
static void refuse(struct fakeetcd_http *http)
{
    unsigned status = fakeetcd_http_parser_status(http->parser);
    const char *detail = fakeetcd_http_parser_detail(http->parser);
    if (http->state == IDLE && status != 0) {
        put_refusal(http, status, detail);
    } else if (http->state == OPEN) {
        http->is_kept_alive = false;
        http->is_read = true;
        http->handler->on_body_bad(http->arg, http, detail);
        if (http->state == ANSWERED) {
            return;
        }
        http->is_lost = true;
    }
    http->is_lost = http->is_lost || http->state == ANSWERING;
    go(http, ENDING);
}

static void put_refusal(struct fakeetcd_http *http, unsigned status, const char *detail)
{
    const char *reason = fakeetcd_http_reason(status);
    const char *colon = detail[0] == '\0' ? "" : ": ";
    char text[320];
    int len =
        status == 501
            ? snprintf(text, sizeof(text), "HTTP/1.1 %u %s\r\n" REFUSAL_HEADERS "\r\n%s", status,
                       reason, detail)
            : snprintf(text, sizeof(text), "HTTP/1.1 %u %s%s%s\r\n" REFUSAL_HEADERS "\r\n%u %s%s%s",
                       status, reason, colon, detail, status, reason, colon, detail);
    put_plain(http, text, (size_t)len);
}

/* ---- ends ----------------------------------------------------------------------------------- */

static void end_request(struct fakeetcd_http *http)
{
    go(http, http->is_kept_alive && !http->is_draining ? IDLE : ENDING);
    if (http->has_request) {
        http->has_request = false;
        http->handler->on_gone(http->arg, http, false);
    }
    arm(http);
}

static void finish(struct fakeetcd_http *http)
{
    if (http->has_request) {
        http->has_request = false;
        http->handler->on_gone(http->arg, http, http->is_lost);
    }
    if (http->is_reset) {
        rt_stream_reset(http->stream);
    } else {
        rt_stream_close(http->stream);
    }
    http->handler->on_closed(http->arg, http);
    release(http);
}

static void release(struct fakeetcd_http *http)
{
    rt_timer_disarm(&http->timer);
    rt_task_cancel(&http->settle_task);
    fakeetcd_http_parser_destroy(http->parser);
    free(http);
}

/* The only writer of the state. Nothing leads out of ENDING. */
static void go(struct fakeetcd_http *http, enum state state)
{
    if (http->state == ENDING) {
        return;
    }
    static const uint8_t MAY[] = {
        [IDLE] = 1u << OPEN | 1u << ENDING,
        [OPEN] = 1u << ANSWERING | 1u << ANSWERED | 1u << RAW | 1u << ENDING,
        [ANSWERING] = 1u << ANSWERED | 1u << ENDING,
        [ANSWERED] = 1u << IDLE | 1u << ENDING,
        [RAW] = 1u << ENDING,
    };
    assert((MAY[http->state] >> state & 1u) != 0);
    http->state = state;
}

/* A head has its time from its first byte on; a body from its last one. */
static void arm(struct fakeetcd_http *http)
{
    enum rt_status status = RT_OK;
    if (http->state == IDLE) {
        bool is_idle = fakeetcd_http_parser_is_idle(http->parser);
        bool has_head_timer = rt_timer_is_armed(&http->timer) &&
                              http->timer.deadline_us <= rt_loop_now_us(http->loop) + HEAD_US;
        if (is_idle || !has_head_timer) {
            status = rt_timer_arm_after(&http->timer, is_idle ? IDLE_US : HEAD_US);
        }
    } else if (http->is_read || http->state == RAW) {
        rt_timer_disarm(&http->timer);
    } else {
        status = rt_timer_arm_after(&http->timer, BODY_SILENCE_US);
    }
    if (status != RT_OK) {
        go(http, ENDING); /* out of memory: no connection without its timer */
    }
}

/* Who sends ahead of the answers stops being read. Otherwise reading goes on, to see the end. */
static void pause_when_ahead(struct fakeetcd_http *http)
{
    bool is_ahead =
        http->state != RAW && rt_inbox_len_bytes(rt_stream_inbox(http->stream)) > AHEAD_BYTES_MAX;
    if (is_ahead != http->is_paused) {
        http->is_paused = is_ahead;
        rt_stream_pause(http->stream, is_ahead || http->is_frozen);
    }
}

/* ---- the answer ----------------------------------------------------------------------------- */

void fakeetcd_http_answer(struct fakeetcd_http *http, const struct fakeetcd_http_answer *answer)
{
    if (http->state != OPEN) {
        return;
    }
    bool has_length = answer->trailer == NULL || fakeetcd_http_request(http)->minor_version == 0;
    put_head(http, answer, has_length);
    if (has_length) {
        if (!http->is_bodiless) {
            put(http, answer->body.data, answer->body.len_bytes);
        }
        go(http, ANSWERED);
        rt_task_schedule(&http->settle_task);
        return;
    }
    go(http, ANSWERING);
    fakeetcd_http_chunk(http, answer->body);
    if (!http->is_bodiless) {
        put(http, "0\r\n", 3);
        put(http, answer->trailer, strlen(answer->trailer));
        put(http, "\r\n\r\n", 4);
    }
    go(http, ANSWERED);
    rt_task_schedule(&http->settle_task);
}

void fakeetcd_http_begin(struct fakeetcd_http *http, const struct fakeetcd_http_answer *answer)
{
    if (http->state != OPEN) {
        return;
    }
    struct fakeetcd_http_answer head = *answer;
    head.trailer = NULL;
    put_head(http, &head, false);
    go(http, ANSWERING);
    rt_task_schedule(&http->settle_task);
}

void fakeetcd_http_chunk(struct fakeetcd_http *http, struct rt_slice bytes)
{
    if (http->state != ANSWERING || http->is_bodiless || bytes.len_bytes == 0) {
        return;
    }
    char size[32];
    if (http->is_chunked) {
        put(http, size, (size_t)snprintf(size, sizeof(size), "%zx\r\n", bytes.len_bytes));
    }
    put(http, bytes.data, bytes.len_bytes);
    if (http->is_chunked) {
        put(http, "\r\n", 2);
    }
    rt_task_schedule(&http->settle_task);
}

void fakeetcd_http_end(struct fakeetcd_http *http)
{
    if (http->state == RAW) {
        go(http, ENDING);
    } else if (http->state == ANSWERING) {
        if (http->is_chunked && !http->is_bodiless) {
            put(http, "0\r\n\r\n", 5);
        }
        go(http, ANSWERED);
    }
    rt_task_schedule(&http->settle_task);
}

void fakeetcd_http_upgrade(struct fakeetcd_http *http, const char *headers)
{
    if (http->state != OPEN) {
        return;
    }
    struct fakeetcd_text text = {0};
    fakeetcd_text_print(&text, "HTTP/1.1 101 Switching Protocols\r\n%s\r\n", headers);
    put(http, text.data, text.is_failed ? 0 : text.len_bytes);
    fakeetcd_text_fini(&text);
    go(http, RAW);
    arm(http);
    rt_task_schedule(&http->settle_task);
}

void fakeetcd_http_put(struct fakeetcd_http *http, struct rt_slice bytes)
{
    if (http->state == RAW) {
        put(http, bytes.data, bytes.len_bytes);
        rt_task_schedule(&http->settle_task);
    }
}

static void put_head(struct fakeetcd_http *http, const struct fakeetcd_http_answer *answer,
                     bool has_length)
{
    const struct fakeetcd_http_request *request = fakeetcd_http_request(http);
    struct fakeetcd_text text = {0};
    http->is_bodiless = rt_slice_is_text(request->method, "HEAD");
    http->is_chunked = !has_length && request->minor_version == 1;
    if (!has_length && !http->is_chunked) {
        http->is_kept_alive = false; /* the end of the connection is the end of the body */
    }
    fakeetcd_text_print(&text, "HTTP/1.%u %u %s\r\n", request->minor_version, answer->status,
                        fakeetcd_http_reason(answer->status));
    if (answer->headers != NULL) {
        fakeetcd_text_word(&text, answer->headers);
    }
    if (answer->content_type != NULL) {
        fakeetcd_text_print(&text, "Content-Type: %s\r\n", answer->content_type);
    }
    put_date(http, &text);
    if (has_length) {
        fakeetcd_text_print(&text, "Content-Length: %zu\r\n", answer->body.len_bytes);
    } else if (http->is_chunked) {
        fakeetcd_text_word(&text, "Transfer-Encoding: chunked\r\n");
    }
    if (!http->is_kept_alive && request->minor_version == 1) {
        fakeetcd_text_word(&text, "Connection: close\r\n");
    } else if (http->is_kept_alive && request->minor_version == 0) {
        fakeetcd_text_word(&text, "Connection: keep-alive\r\n");
    }
    fakeetcd_text_word(&text, "\r\n");
    if (text.is_failed) {
        fakeetcd_http_cut(http, true);
    } else {
        put(http, text.data, text.len_bytes);
    }
    fakeetcd_text_fini(&text);
}

static void put_date(struct fakeetcd_http *http, struct fakeetcd_text *text)
{
    static const char *const DAYS[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const MONTHS[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t now_s = (time_t)(rt_wall_clock_us(http->loop) / MICROSECONDS_PER_S);
    struct tm now;
    if (gmtime_r(&now_s, &now) != NULL) {
        fakeetcd_text_print(text, "Date: %s, %02d %s %d %02d:%02d:%02d GMT\r\n", DAYS[now.tm_wday],
                            now.tm_mday, MONTHS[now.tm_mon], now.tm_year + 1900, now.tm_hour,
                            now.tm_min, now.tm_sec);
    }
}

/* Bytes of an answer, which a fault may spoil. */
static void put(struct fakeetcd_http *http, const void *data, size_t len_bytes)
{
    uint64_t start = http->answer_bytes;
    http->answer_bytes += len_bytes;
    bool is_hit = http->is_spoilt && http->spoil_at >= start && http->spoil_at - start < len_bytes;
    if (!is_hit) {
        put_plain(http, data, len_bytes);
        return;
    }
    size_t before = (size_t)(http->spoil_at - start);
    put_plain(http, data, before);
    uint8_t byte = ((const uint8_t *)data)[before];
    if (http->is_truncated) {
        put_plain(http, &byte, 1);
        fakeetcd_http_cut(http, false);
        return;
    }
    byte ^= 0xff;
    put_plain(http, &byte, 1);
    put_plain(http, (const uint8_t *)data + before + 1, len_bytes - before - 1);
}

static void put_plain(struct fakeetcd_http *http, const void *data, size_t len_bytes)
{
    if (http->is_mute || len_bytes == 0) {
        return;
    }
    if (rt_outbox_add(rt_stream_outbox(http->stream), data, len_bytes) != RT_OK) {
        fakeetcd_http_cut(http, true); /* half an answer would be a lie */
    }
}

/* ---- questions and faults ------------------------------------------------------------------- */

const struct fakeetcd_http_request *fakeetcd_http_request(const struct fakeetcd_http *http)
{
    return fakeetcd_http_parser_request(http->parser);
}

const char *fakeetcd_http_peer(const struct fakeetcd_http *http)
{
    return rt_stream_peer(http->stream);
}

struct rt_stream *fakeetcd_http_stream(const struct fakeetcd_http *http)
{
    return http->stream;
}

void fakeetcd_http_set_owner(struct fakeetcd_http *http, void *owner)
{
    http->owner = owner;
}

void *fakeetcd_http_owner(const struct fakeetcd_http *http)
{
    return http->owner;
}

bool fakeetcd_http_has_begun(const struct fakeetcd_http *http)
{
    return http->state != OPEN && http->state != IDLE;
}

bool fakeetcd_http_is_full(const struct fakeetcd_http *http)
{
    return rt_outbox_len_bytes(rt_stream_outbox(http->stream)) > FULL_BYTES;
}

void fakeetcd_http_cut(struct fakeetcd_http *http, bool is_reset)
{
    http->is_mute = true;
    http->is_reset = http->is_reset || is_reset;
    http->is_lost = true;
    go(http, ENDING);
    rt_task_schedule(&http->settle_task);
}

void fakeetcd_http_spoil(struct fakeetcd_http *http, bool is_truncated, uint64_t offset_bytes)
{
    http->is_spoilt = true;
    http->is_truncated = is_truncated;
    http->spoil_at = offset_bytes;
}

const char *fakeetcd_http_reason(unsigned status)
{
    static const struct {
        unsigned status;
        const char *reason;
    } REASONS[] = {
        {200, "OK"},
        {301, "Moved Permanently"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {412, "Precondition Failed"},
        {413, "Request Entity Too Large"},
        {426, "Upgrade Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof(REASONS) / sizeof(REASONS[0]); i++) {
        if (REASONS[i].status == status) {
            return REASONS[i].reason;
        }
    }
    return "status code";
}
