/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/gateway/http1.h"
#include "http_peer.h"

#include <stdlib.h>
#include <string.h>

#define SERVER    "10.0.0.1:80"
#define SECOND_US UINT64_C(1000000)
#define HOST      "Host: h\r\n"

/* A server with one connection that notes what it is told and answers when the test says so. */
struct fixture {
    struct rt_loop *loop;
    struct rt_network *network;
    struct rt_listener *listener;
    struct fakeetcd_http *http; /* NULL: closed */
    struct peer peer;
    char told[512];
    unsigned requests;
    unsigned lost;
    bool answers_at_once;
};

static void tell(struct fixture *fx, struct rt_slice words)
{
    size_t len = strlen(fx->told);
    assert_true(len + words.len_bytes < sizeof(fx->told));
    memcpy(fx->told + len, words.data, words.len_bytes);
    fx->told[len + words.len_bytes] = '\0';
}

static void answer(struct fixture *fx, const char *body)
{
    fakeetcd_http_answer(fx->http, &(struct fakeetcd_http_answer){.status = 200,
                                                                  .content_type = "text/plain",
                                                                  .body = rt_slice_text(body)});
}

static void on_request(void *arg, struct fakeetcd_http *http)
{
    struct fixture *fx = arg;
    fx->requests++;
    tell(fx, rt_slice_text("<"));
    tell(fx, fakeetcd_http_request(http)->path);
    tell(fx, rt_slice_text(" "));
    if (fx->answers_at_once) {
        answer(fx, "hello");
    }
}

static void on_body(void *arg, struct fakeetcd_http *http, struct rt_slice piece)
{
    (void)http;
    tell(arg, piece);
}

static void on_body_end(void *arg, struct fakeetcd_http *http)
{
    (void)http;
    tell(arg, rt_slice_text(">"));
}

static void on_body_bad(void *arg, struct fakeetcd_http *http, const char *words)
{
    (void)http;
    tell(arg, rt_slice_text("bad: "));
    tell(arg, rt_slice_text(words));
}

static void on_drained(void *arg, struct fakeetcd_http *http)
{
    (void)arg;
    (void)http;
}

static void on_gone(void *arg, struct fakeetcd_http *http, bool is_lost)
{
    struct fixture *fx = arg;
    (void)http;
    fx->lost += is_lost ? 1 : 0;
    tell(fx, rt_slice_text(is_lost ? "lost " : "gone "));
}

static void on_closed(void *arg, struct fakeetcd_http *http)
{
    struct fixture *fx = arg;
    assert_ptr_equal(fx->http, http);
    fx->http = NULL;
}

static const struct fakeetcd_http_handler HANDLER = {on_request, on_body, on_body_end, on_body_bad,
                                                     on_drained, on_gone, on_closed};

static void on_accept(void *arg, struct rt_stream *stream)
{
    struct fixture *fx = arg;
    assert_int_equal(fakeetcd_http_accept(fx->loop, stream, &HANDLER, fx, &fx->http), RT_OK);
}

static int setup(void **state)
{
    struct fixture *fx = calloc(1, sizeof(*fx));
    assert_non_null(fx);
    assert_int_equal(rt_loop_create(RT_LOOP_SIMULATED, &fx->loop), RT_OK);
    assert_int_equal(rt_network_create(fx->loop, &fx->network), RT_OK);
    assert_int_equal(rt_network_listen(fx->network, SERVER, on_accept, fx, &fx->listener), RT_OK);
    peer_connect(&fx->peer, fx->loop, fx->network, SERVER);
    *state = fx;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fx = *state;
    peer_fini(&fx->peer);
    fakeetcd_http_destroy(fx->http);
    rt_listener_destroy(fx->listener);
    peer_settle(&fx->peer);
    assert_int_equal(rt_network_live_count(fx->network), 0);
    rt_network_destroy(fx->network);
    rt_loop_destroy(fx->loop);
    free(fx);
    return 0;
}

/* ---- requests and answers ------------------------------------------------------------------- */

static void answer__kept_alive__the_next_request_comes_on_the_same_connection(void **state)
{
    struct fixture *fx = *state;
    fx->answers_at_once = true;
    peer_send(&fx->peer, "GET /a HTTP/1.1\r\n" HOST "\r\n");
    assert_string_equal(peer_body(&fx->peer, 200), "hello");
    peer_assert(&fx->peer, "Content-Length: 5\r\n");
    peer_assert(&fx->peer, "Date: Sat, 01 Jan 2000 00:00:00 GMT\r\n"); /* the simulated clock */
    peer_send(&fx->peer, "GET /b HTTP/1.1\r\n" HOST "\r\n");
    assert_string_equal(fx->told, "</a gone </b gone ");
    assert_int_equal(fx->peer.ended, RT_OK);
}

static void requests__sent_ahead__wait_for_the_answer_before(void **state)
{
    struct fixture *fx = *state;
    peer_send(&fx->peer, "GET /a HTTP/1.1\r\n" HOST "\r\nGET /b HTTP/1.1\r\n" HOST "\r\n");
    assert_string_equal(fx->told, "</a >");
    answer(fx, "first");
    peer_settle(&fx->peer);
    assert_string_equal(fx->told, "</a >gone </b >");
    answer(fx, "second");
    peer_settle(&fx->peer);
    peer_assert(&fx->peer, "first");
    peer_assert(&fx->peer, "second");
}

static void requests__sent_far_ahead__stop_being_read(void **state)
{
    struct fixture *fx = *state;
    peer_send(&fx->peer, "GET /a HTTP/1.1\r\n" HOST "\r\n");
    char *ahead = malloc(1 << 20);
    assert_non_null(ahead);
    memset(ahead, 'x', 1 << 20);
    peer_send_bytes(&fx->peer, ahead, 1 << 20); /* read, at most this once */
    peer_send_bytes(&fx->peer, ahead, 1 << 20);
    struct rt_inbox *inbox = rt_stream_inbox(fakeetcd_http_stream(fx->http));
    assert_true(rt_inbox_len_bytes(inbox) <= 1 << 20);
    assert_int_equal(fx->requests, 1);
    free(ahead);
}

static void connection_close__asked_for__is_closed_after_the_answer(void **state)
{
    struct fixture *fx = *state;
    fx->answers_at_once = true;
    peer_send(&fx->peer, "GET /a HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    peer_assert(&fx->peer, "Connection: close\r\n");
    assert_int_equal(fx->peer.ended, RT_E_CLOSED);
    assert_null(fx->http);
    assert_int_equal(fx->lost, 0);
}

static void http10__its_stream__ends_with_the_connection(void **state)
{
    struct fixture *fx = *state;
    peer_send(&fx->peer, "GET /a HTTP/1.0\r\n\r\n");
    fakeetcd_http_begin(fx->http, &(struct fakeetcd_http_answer){.status = 200});
    fakeetcd_http_chunk(fx->http, rt_slice_text("one"));
    fakeetcd_http_end(fx->http);
    peer_settle(&fx->peer);
    assert_non_null(strstr(fx->peer.text, "\r\n\r\none"));
    peer_assert_not(&fx->peer, "chunked");
    assert_int_equal(fx->peer.ended, RT_E_CLOSED);
}

static void chunks__each__go_out_when_they_are_made(void **state)
{
    struct fixture *fx = *state;
    peer_send(&fx->peer, "GET /a HTTP/1.1\r\n" HOST "\r\n");
    fakeetcd_http_begin(fx->http, &(struct fakeetcd_http_answer){.status = 200});
    fakeetcd_http_chunk(fx->http, rt_slice_text("0123456789abcdef"));
    peer_settle(&fx->peer);
    assert_string_equal(peer_body(&fx->peer, 200), "10\r\n0123456789abcdef\r\n");
    fakeetcd_http_end(fx->http);
    peer_settle(&fx->peer);
    assert_string_equal(peer_body(&fx->peer, 200), "10\r\n0123456789abcdef\r\n0\r\n\r\n");
    assert_string_equal(fx->told, "</a >gone ");
}

static void head__its_answer__has_a_length_and_no_body(void **state)
{
    struct fixture *fx = *state;
    fx->answers_at_once = true;
    peer_send(&fx->peer, "HEAD /a HTTP/1.1\r\n" HOST "\r\n");
    assert_string_equal(peer_body(&fx->peer, 200), "");
    peer_assert(&fx->peer, "Content-Length: 5\r\n");
}

static void trailer__with_the_answer__follows_the_last_chunk(void **state)
{
    struct fixture *fx = *state;
    peer_send(&fx->peer, "GET /a HTTP/1.1\r\n" HOST "\r\n");
    fakeetcd_http_answer(fx->http, &(struct fakeetcd_http_answer){.status = 404,
                                                                  .trailer = "T: 1",
                                                                  .body = rt_slice_text("x")});
    peer_settle(&fx->peer);
    assert_string_equal(peer_body(&fx->peer, 404), "1\r\nx\r\n0\r\nT: 1\r\n\r\n");
}

static void expect__continue__is_told_to_go_on_unless_answered(void **state)
{
    struct fixture *fx = *state;
    peer_send(&fx->peer,
              "POST /a HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_string_equal(fx->peer.text, "HTTP/1.1 100 Continue\r\n\r\n");
    peer_send(&fx->peer, "hi");
    assert_string_equal(fx->told, "</a hi>");
}

static void body__nobody_wants_it__is_passed_over_up_to_a_limit(void **state)
{
    struct fixture *fx = *state;
    fx->answers_at_once = true;
    char body[1024];
    memset(body, 'x', sizeof(body));
    peer_send(&fx->peer, "POST /a HTTP/1.1\r\n" HOST "Content-Length: 1048576\r\n\r\n");
    assert_string_equal(peer_body(&fx->peer, 200), "hello");
    for (int i = 0; i < 256; i++) {
        peer_send_bytes(&fx->peer, body, sizeof(body));
    }
    assert_int_equal(fx->peer.ended, RT_OK);
    peer_send_bytes(&fx->peer, body, sizeof(body));
    assert_int_equal(fx->peer.ended, RT_E_CLOSED);
}

/* ---- hostile and gone ------------------------------------------------------------------------ */

static void head__trickling__has_thirty_seconds_from_its_first_byte(void **state)
{
    struct fixture *fx = *state;
    peer_pass(&fx->peer, 20 * SECOND_US);
    peer_send(&fx->peer, "GET /a HT");
    for (int i = 0; i < 29; i++) {
        peer_pass(&fx->peer, SECOND_US);
        if (fx->peer.stream != NULL) {
            peer_send(&fx->peer, "T");
        }
    }
    peer_pass(&fx->peer, SECOND_US);
    assert_int_not_equal(fx->peer.ended, RT_OK);
    assert_int_equal(fx->requests, 0);
}

static void body__standing_still__is_given_up_after_a_minute(void **state)
{
    struct fixture *fx = *state;
    peer_send(&fx->peer, "POST /a HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\n");
    for (int i = 0; i < 3; i++) {
        peer_pass(&fx->peer, 59 * SECOND_US);
        peer_send(&fx->peer, "x");
    }
    assert_int_equal(fx->peer.ended, RT_OK);
    peer_pass(&fx->peer, 60 * SECOND_US);
    assert_int_equal(fx->peer.ended, RT_E_RESET);
    assert_string_equal(fx->told, "</a xxxlost ");
}

static void answer__taking_long__is_waited_for(void **state)
{
    struct fixture *fx = *state;
    peer_send(&fx->peer, "GET /a HTTP/1.1\r\n" HOST "\r\n");
    peer_pass(&fx->peer, 3600 * SECOND_US);
    answer(fx, "at last");
    peer_settle(&fx->peer);
    assert_string_equal(peer_body(&fx->peer, 200), "at last");
}

static void connection__idle__is_closed_after_five_minutes(void **state)
{
    struct fixture *fx = *state;
    fx->answers_at_once = true;
    peer_send(&fx->peer, "GET /a HTTP/1.1\r\n" HOST "\r\n");
    peer_pass(&fx->peer, 299 * SECOND_US);
    assert_int_equal(fx->peer.ended, RT_OK);
    peer_pass(&fx->peer, SECOND_US);
    assert_int_equal(fx->peer.ended, RT_E_CLOSED);
}

static void bad_head__after_a_good_request__is_answered_and_closed(void **state)
{
    struct fixture *fx = *state;
    fx->answers_at_once = true;
    peer_send(&fx->peer, "GET /a HTTP/1.1\r\n" HOST "\r\n");
    peer_forget(&fx->peer);
    peer_send(&fx->peer, "GET /a HTTP/1.1\r\n\r\n");
    assert_string_equal(fx->peer.text,
                        "HTTP/1.1 400 Bad Request: missing required Host header\r\n"
                        "Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"
                        "400 Bad Request: missing required Host header");
    assert_int_equal(fx->peer.ended, RT_E_CLOSED);
}

static void bad_chunk__of_an_open_request__is_told(void **state)
{
    struct fixture *fx = *state;
    peer_send(&fx->peer,
              "POST /a HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\nzz\r\n");
    assert_string_equal(fx->told, "</a abbad: invalid byte in chunk lengthlost ");
    assert_int_not_equal(fx->peer.ended, RT_OK);
}

static void peer__gone_while_it_waits__is_lost_once(void **state)
{
    struct fixture *fx = *state;
    peer_send(&fx->peer, "GET /a HTTP/1.1\r\n" HOST "\r\n");
    peer_fini(&fx->peer);
    assert_string_equal(fx->told, "</a >lost ");
    assert_null(fx->http);
}

/* ---- what others do to it ------------------------------------------------------------------- */

static void drain__with_a_request_under_way__answers_it_and_closes(void **state)
{
    struct fixture *fx = *state;
    peer_send(&fx->peer, "GET /a HTTP/1.1\r\n" HOST "\r\n");
    fakeetcd_http_drain(fx->http);
    peer_settle(&fx->peer);
    assert_int_equal(fx->peer.ended, RT_OK);
    answer(fx, "last");
    peer_settle(&fx->peer);
    assert_string_equal(peer_body(&fx->peer, 200), "last");
    assert_int_equal(fx->peer.ended, RT_E_CLOSED);
    assert_int_equal(fx->lost, 0);
}

static void drain__idle__closes_at_once(void **state)
{
    struct fixture *fx = *state;
    fakeetcd_http_drain(fx->http);
    peer_settle(&fx->peer);
    assert_int_equal(fx->peer.ended, RT_E_CLOSED);
}

static void freeze__bytes_both_ways__wait_for_the_thaw(void **state)
{
    struct fixture *fx = *state;
    fakeetcd_http_freeze(fx->http, true);
    peer_send(&fx->peer, "GET /a HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(fx->requests, 0);
    fakeetcd_http_freeze(fx->http, false);
    peer_settle(&fx->peer);
    assert_int_equal(fx->requests, 1);
    fakeetcd_http_freeze(fx->http, true);
    answer(fx, "late");
    peer_settle(&fx->peer);
    assert_int_equal(fx->peer.len_bytes, 0);
    fakeetcd_http_freeze(fx->http, false);
    peer_settle(&fx->peer);
    assert_string_equal(peer_body(&fx->peer, 200), "late");
}

static void truncate__at_a_byte__is_the_last_one(void **state)
{
    struct fixture *fx = *state;
    peer_send(&fx->peer, "GET /a HTTP/1.1\r\n" HOST "\r\n");
    fakeetcd_http_spoil(fx->http, true, 9);
    answer(fx, "never");
    peer_settle(&fx->peer);
    assert_string_equal(fx->peer.text, "HTTP/1.1 2");
    assert_int_equal(fx->peer.ended, RT_E_CLOSED);
}

static void corrupt__at_a_byte__changes_that_one(void **state)
{
    struct fixture *fx = *state;
    peer_send(&fx->peer, "GET /a HTTP/1.1\r\n" HOST "\r\n");
    fakeetcd_http_spoil(fx->http, false, 1);
    answer(fx, "whole");
    peer_settle(&fx->peer);
    assert_int_equal((uint8_t)fx->peer.text[1], 'T' ^ 0xff);
    assert_memory_equal(fx->peer.text + 2, "TP/1.1 200", 10);
    peer_assert(&fx->peer, "whole");
}

static void cut__with_reset__loses_what_was_not_sent(void **state)
{
    struct fixture *fx = *state;
    peer_send(&fx->peer, "GET /a HTTP/1.1\r\n" HOST "\r\n");
    fakeetcd_http_cut(fx->http, true);
    answer(fx, "never");
    peer_settle(&fx->peer);
    assert_int_equal(fx->peer.ended, RT_E_RESET);
    assert_int_equal(fx->peer.len_bytes, 0);
    assert_string_equal(fx->told, "</a >lost ");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(answer__kept_alive__the_next_request_comes_on_the_same_connection),
        TEST(requests__sent_ahead__wait_for_the_answer_before),
        TEST(requests__sent_far_ahead__stop_being_read),
        TEST(connection_close__asked_for__is_closed_after_the_answer),
        TEST(http10__its_stream__ends_with_the_connection),
        TEST(chunks__each__go_out_when_they_are_made),
        TEST(head__its_answer__has_a_length_and_no_body),
        TEST(trailer__with_the_answer__follows_the_last_chunk),
        TEST(expect__continue__is_told_to_go_on_unless_answered),
        TEST(body__nobody_wants_it__is_passed_over_up_to_a_limit),
        TEST(head__trickling__has_thirty_seconds_from_its_first_byte),
        TEST(body__standing_still__is_given_up_after_a_minute),
        TEST(answer__taking_long__is_waited_for),
        TEST(connection__idle__is_closed_after_five_minutes),
        TEST(bad_head__after_a_good_request__is_answered_and_closed),
        TEST(bad_chunk__of_an_open_request__is_told),
        TEST(peer__gone_while_it_waits__is_lost_once),
        TEST(drain__with_a_request_under_way__answers_it_and_closes),
        TEST(drain__idle__closes_at_once),
        TEST(freeze__bytes_both_ways__wait_for_the_thaw),
        TEST(truncate__at_a_byte__is_the_last_one),
        TEST(corrupt__at_a_byte__changes_that_one),
        TEST(cut__with_reset__loses_what_was_not_sent),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
