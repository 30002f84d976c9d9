/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/gateway/gateway.h"
#include "fakeetcd/gateway/websocket.h"
#include "http_peer.h"
#include "lab.h"

#include <stdlib.h>
#include <string.h>

/* The gateway and the pages over HTTP/1, against a whole fake etcd in simulated time. */
struct fixture {
    struct lab lab;
    struct peer peer;
};

#define FOO       "Zm9v" /* "foo" */
#define KEY       "{\"key\":\"" FOO "\"}"
#define PUT       "{\"key\":\"" FOO "\",\"value\":\"YmFy\"}"
#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"

static void use_34(struct fakeetcd_options *options)
{
    options->profile = fakeetcd_profile_find("etcd-3.4");
}

static int start(void **state, lab_options_fn *change)
{
    struct fixture *fx = calloc(1, sizeof(*fx));
    assert_non_null(fx);
    lab_start(&fx->lab, change);
    peer_connect(&fx->peer, fx->lab.loop, fx->lab.network, fakeetcd_server_address(fx->lab.server));
    *state = fx;
    return 0;
}

static int setup(void **state)
{
    return start(state, NULL);
}

static int setup_34(void **state)
{
    return start(state, use_34);
}

static int teardown(void **state)
{
    struct fixture *fx = *state;
    peer_fini(&fx->peer);
    lab_stop(&fx->lab);
    free(fx);
    return 0;
}

static void reconnect(struct fixture *fx)
{
    peer_fini(&fx->peer);
    peer_connect(&fx->peer, fx->lab.loop, fx->lab.network, fakeetcd_server_address(fx->lab.server));
}

static uint64_t applied(struct fixture *fx, const char *word)
{
    struct fakeetcd_op_counts counts;
    assert_true(fakeetcd_server_op_counts(fx->lab.server, word, &counts));
    return counts.applied;
}

/* ---- calls ---------------------------------------------------------------------------------- */

static void put_and_range__over_json__are_calls_like_any_other(void **state)
{
    struct fixture *fx = *state;
    peer_post(&fx->peer, "/v3/kv/put", "", PUT);
    assert_non_null(strstr(peer_body(&fx->peer, 200), "\"revision\":\"2\""));
    peer_assert(&fx->peer, "Content-Type: application/json\r\n");
    peer_assert(&fx->peer, "Grpc-Metadata-Content-Type: application/grpc\r\n");
    peer_assert(&fx->peer, "Access-Control-Allow-Origin: *\r\n");
    peer_post(&fx->peer, "/v3/kv/range", "", KEY);
    peer_assert(&fx->peer,
                "\"kvs\":[{\"key\":\"Zm9v\",\"create_revision\":\"2\",\"mod_revision\":\"2\","
                "\"version\":\"1\",\"value\":\"YmFy\"}],\"count\":\"1\"}");
    assert_int_equal(applied(fx, "etcd-put"), 1);
}

static void old_places__of_leases_and_v3beta__answer_too(void **state)
{
    struct fixture *fx = *state;
    peer_post(&fx->peer, "/v3/kv/lease/leases", "", "{}");
    peer_body(&fx->peer, 200);
    peer_post(&fx->peer, "/v3beta/kv/range", "", KEY);
    peer_body(&fx->peer, 200);
    peer_post(&fx->peer, "/v3alpha/kv/range", "", KEY);
    assert_string_equal(peer_body(&fx->peer, 404), "404 page not found\n");
}

static void error__of_the_call__has_the_shape_of_35(void **state)
{
    struct fixture *fx = *state;
    peer_post(&fx->peer, "/v3/kv/range", "", "{}");
    assert_string_equal(peer_body(&fx->peer, 400),
                        "{\"error\":\"etcdserver: key is not provided\",\"code\":3,"
                        "\"message\":\"etcdserver: key is not provided\"}");
    peer_post(&fx->peer, "/v3/maintenance/transfer-leadership", "", "{\"targetID\":5}");
    peer_body(&fx->peer, 400); /* code 9 */
}

static void error__of_the_call__has_the_shape_of_34(void **state)
{
    struct fixture *fx = *state;
    peer_post(&fx->peer, "/v3/kv/range", "", "{}");
    peer_assert(&fx->peer, "Trailer: Grpc-Trailer-Content-Type\r\n");
    peer_assert(&fx->peer, "{\"error\":\"etcdserver: key is not provided\","
                           "\"message\":\"etcdserver: key is not provided\",\"code\":3}\r\n0\r\n"
                           "Grpc-Trailer-Content-Type: application/grpc\r\n\r\n");
    peer_post(&fx->peer, "/v3/maintenance/transfer-leadership", "", "{\"targetID\":5}");
    peer_body(&fx->peer, 412); /* code 9 */
}

static void body__that_is_no_json__never_becomes_a_call(void **state)
{
    struct fixture *fx = *state;
    peer_post(&fx->peer, "/v3/kv/put", "", "{\"key\":tru}");
    assert_string_equal(peer_body(&fx->peer, 400),
                        "{\"error\":\"invalid character '}' in literal true (expecting 'e')\","
                        "\"code\":3,"
                        "\"message\":\"invalid character '}' in literal true (expecting 'e')\"}");
    struct fakeetcd_op_counts counts;
    assert_true(fakeetcd_server_op_counts(fx->lab.server, "etcd-put", &counts));
    assert_int_equal(counts.arrived, 0);
}

static void method__other_than_post__is_refused(void **state)
{
    struct fixture *fx = *state;
    peer_send(&fx->peer, GET("/v3/kv/range"));
    assert_string_equal(peer_body(&fx->peer, 405), "Method Not Allowed\n");
    peer_forget(&fx->peer);
    peer_send(&fx->peer, GET("/v3/kv/nosuch"));
    assert_string_equal(peer_body(&fx->peer, 404), "Not Found\n");
}

static void json__larger_than_any_message__is_refused_while_it_comes(void **state)
{
    struct fixture *fx = *state;
    size_t len_bytes = 5u << 20;
    char head[160];
    char *body = malloc(len_bytes);
    assert_non_null(body);
    memset(body, 'A', len_bytes);
    snprintf(head, sizeof(head),
             "POST /v3/kv/put HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n{\"key\":\"",
             len_bytes * 2);
    peer_send(&fx->peer, head);
    peer_send_bytes(&fx->peer, body, len_bytes);
    peer_assert(&fx->peer, "HTTP/1.1 429 ");
    peer_assert(&fx->peer, "grpc: received message larger than max");
    free(body);
}

static void grpc_timeout__over__is_504_and_the_call_is_cancelled(void **state)
{
    struct fixture *fx = *state;
    lab_arm(&fx->lab, "slow: on {op: etcd-put} at request do 1*hold");
    peer_post(&fx->peer, "/v3/kv/put", "Grpc-Timeout: 250m\r\n", PUT);
    peer_pass(&fx->peer, 249 * MS_US);
    assert_int_equal(fx->peer.len_bytes, 0);
    peer_pass(&fx->peer, 1 * MS_US);
    assert_non_null(strstr(peer_body(&fx->peer, 504), "context deadline exceeded"));
    assert_int_equal(applied(fx, "etcd-put"), 0);
}

static void token__as_authorization_or_metadata__says_who_it_is(void **state)
{
    struct fixture *fx = *state;
    peer_post(&fx->peer, "/v3/auth/user/add", "", "{\"name\":\"root\",\"password\":\"r\"}");
    peer_post(&fx->peer, "/v3/auth/role/add", "", "{\"name\":\"root\"}");
    peer_post(&fx->peer, "/v3/auth/user/grant", "", "{\"user\":\"root\",\"role\":\"root\"}");
    peer_post(&fx->peer, "/v3/auth/enable", "", "{}");
    peer_post(&fx->peer, "/v3/kv/range", "", KEY);
    peer_assert(&fx->peer, "user name is empty");
    peer_post(&fx->peer, "/v3/kv/range", "Authorization: nonsense\r\n", KEY);
    peer_body(&fx->peer, 401);
    peer_post(&fx->peer, "/v3/auth/authenticate", "", "{\"name\":\"root\",\"password\":\"r\"}");
    char header[128];
    char token[64] = "";
    assert_int_equal(
        sscanf(strstr(peer_body(&fx->peer, 200), "\"token\""), "\"token\":\"%63[^\"]", token), 1);
    snprintf(header, sizeof(header), "Authorization: %s\r\n", token);
    peer_post(&fx->peer, "/v3/kv/range", header, KEY);
    peer_body(&fx->peer, 200);
    snprintf(header, sizeof(header), "grpc-METADATA-token: %s\r\n", token);
    peer_post(&fx->peer, "/v3/kv/range", header, KEY);
    peer_body(&fx->peer, 200);
}

/* ---- streams -------------------------------------------------------------------------------- */

static void watch__over_json__is_a_line_for_each_response(void **state)
{
    struct fixture *fx = *state;
    struct peer other;
    peer_connect(&other, fx->lab.loop, fx->lab.network, fakeetcd_server_address(fx->lab.server));
    peer_post(&fx->peer, "/v3/watch", "", "{\"create_request\":" KEY "}");
    peer_assert(&fx->peer, "Transfer-Encoding: chunked\r\n");
    peer_assert(&fx->peer, "\"created\":true}}\n\r\n");
    peer_forget(&fx->peer);
    peer_post(&other, "/v3/kv/put", "", PUT);
    peer_assert(&fx->peer, "\"events\":[{\"kv\":{\"key\":\"Zm9v\"");
    assert_int_equal(fx->peer.ended, RT_OK);
    peer_fini(&other);
}

static void watch__its_peer_gone__takes_the_watcher_with_it(void **state)
{
    struct fixture *fx = *state;
    struct fakeetcd_counts counts;
    peer_post(&fx->peer, "/v3/watch", "", "{\"create_request\":" KEY "}");
    fakeetcd_server_counts(fx->lab.server, &counts);
    assert_int_equal(counts.watchers, 1);
    reconnect(fx);
    fakeetcd_server_counts(fx->lab.server, &counts);
    assert_int_equal(counts.watchers, 0);
}

static void keepalive__messages_one_after_the_other__are_answered_each(void **state)
{
    struct fixture *fx = *state;
    peer_post(&fx->peer, "/v3/lease/grant", "", "{\"ID\":7,\"TTL\":60}");
    peer_post(&fx->peer, "/v3/lease/keepalive", "", "{\"ID\":7} {\"ID\":\"8\"}");
    peer_assert(&fx->peer, "\"ID\":\"7\",\"TTL\":\"60\"}}\n");
    peer_assert(&fx->peer, "\"ID\":\"8\"}}\n"); /* unknown: TTL 0 is left out */
    peer_assert(&fx->peer, "\r\n0\r\n\r\n");
}

static void stream__failing_before_its_first_message__is_an_error_in_one_line(void **state)
{
    struct fixture *fx = *state;
    lab_arm(&fx->lab,
            "broken: on {op: etcd-snapshot} at request do 1*status(UNAVAILABLE, \"gone\")");
    peer_post(&fx->peer, "/v3/maintenance/snapshot", "", "{}");
    peer_body(&fx->peer, 503);
    peer_assert(&fx->peer, "{\"error\":{\"grpc_code\":14,\"http_code\":503,\"message\":\"gone\","
                           "\"http_status\":\"Service Unavailable\"}}");
}

static void bad_message__first_on_a_stream__is_code_2_later_ones_end_the_sending(void **state)
{
    struct fixture *fx = *state;
    peer_post(&fx->peer, "/v3/watch", "", "{\"create_request\":");
    peer_body(&fx->peer, 500);
    peer_assert(&fx->peer, "\"code\":2");
    peer_post(&fx->peer, "/v3/watch", "", "{\"create_request\":" KEY "}[");
    peer_body(&fx->peer, 200);
    peer_assert(&fx->peer, "\"created\":true}}\n");
    peer_assert_not(&fx->peer, "error");
}

/* ---- websocket ------------------------------------------------------------------------------ */

#define HANDSHAKE                                                                                  \
    "GET /v3/watch HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"           \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

static void send_frame(struct fixture *fx, uint8_t first, const char *payload)
{
    static const uint8_t MASK[] = {1, 2, 3, 4};
    uint8_t frame[256] = {first, (uint8_t)(0x80 | strlen(payload)), 1, 2, 3, 4};
    assert_true(strlen(payload) < 126);
    for (size_t i = 0; i < strlen(payload); i++) {
        frame[6 + i] = (uint8_t)payload[i] ^ MASK[i % 4];
    }
    for (size_t i = 0; i < 6 + strlen(payload); i++) { /* a byte at a time */
        if (fx->peer.stream != NULL) {
            peer_send_bytes(&fx->peer, frame + i, 1);
        }
    }
}

static void websocket__for_watch__carries_a_message_in_each_frame(void **state)
{
    struct fixture *fx = *state;
    peer_send(&fx->peer, HANDSHAKE);
    peer_assert(&fx->peer, "HTTP/1.1 101 Switching Protocols\r\n");
    /* RFC 6455, 1.3 has this key and this answer. */
    peer_assert(&fx->peer, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n");
    peer_forget(&fx->peer);
    send_frame(fx, 0x01, "{\"create_request\":"); /* in two fragments, */
    send_frame(fx, 0x89, "are you there");        /* with a ping between */
    assert_memory_equal(fx->peer.text,
                        "\x8a\x0d"
                        "are you there",
                        15);
    peer_forget(&fx->peer);
    send_frame(fx, 0x80, KEY "}");
    assert_int_equal((uint8_t)fx->peer.text[0], 0x81);
    assert_non_null(strstr(fx->peer.text + 4, "{\"result\":{\"header\":"));
    send_frame(fx, 0x88, "");
    assert_int_equal(fx->peer.ended, RT_E_CLOSED);
    assert_memory_equal(fx->peer.text + fx->peer.len_bytes - 4, "\x88\x02\x03\xe8", 4);
}

static void websocket__without_a_mask__is_closed_for_the_breach(void **state)
{
    struct fixture *fx = *state;
    peer_send(&fx->peer, HANDSHAKE);
    peer_forget(&fx->peer);
    peer_send_bytes(&fx->peer, "\x81\x02{}", 4);
    assert_memory_equal(fx->peer.text, "\x88\x02\x03\xea", 4); /* 1002 */
    assert_int_equal(fx->peer.ended, RT_E_CLOSED);
}

static void websocket__an_announced_giant__is_refused_before_it_comes(void **state)
{
    struct fixture *fx = *state;
    peer_send(&fx->peer, HANDSHAKE);
    peer_forget(&fx->peer);
    peer_send_bytes(&fx->peer, "\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", 14);
    assert_memory_equal(fx->peer.text, "\x88\x02\x03\xf1", 4); /* 1009 */
}

static void websocket__a_wrong_handshake__is_400(void **state)
{
    struct fixture *fx = *state;
    peer_send(&fx->peer, "GET /v3/watch HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\n"
                         "Upgrade: websocket\r\nSec-WebSocket-Version: 8\r\n\r\n");
    peer_body(&fx->peer, 400);
}

/* ---- faults --------------------------------------------------------------------------------- */

static void status__from_a_rule__is_the_gateways_error(void **state)
{
    struct fixture *fx = *state;
    lab_arm(&fx->lab, "away: on {op: etcd-put, key: \"foo\"} at request do "
                      "1*status(RESOURCE_EXHAUSTED, \"etcdserver: too many requests\")");
    peer_post(&fx->peer, "/v3/kv/put", "", PUT);
    assert_string_equal(peer_body(&fx->peer, 429),
                        "{\"error\":\"etcdserver: too many requests\",\"code\":8,"
                        "\"message\":\"etcdserver: too many requests\"}");
    assert_int_equal(lab_fired(&fx->lab, "away"), 1);
    assert_int_equal(applied(fx, "etcd-put"), 0);
}

static void drop_reply__applied__is_never_answered(void **state)
{
    struct fixture *fx = *state;
    lab_arm(&fx->lab, "lost: on {op: etcd-put} at applied do 1*drop-reply");
    peer_post(&fx->peer, "/v3/kv/put", "", PUT);
    peer_pass(&fx->peer, 60 * SECOND_US);
    assert_int_equal(fx->peer.len_bytes, 0);
    assert_int_equal(applied(fx, "etcd-put"), 1);
    reconnect(fx);
    peer_post(&fx->peer, "/v3/kv/range", "", KEY);
    assert_non_null(strstr(peer_body(&fx->peer, 200), "\"value\":\"YmFy\""));
}

static void rst__at_a_request__resets_the_connection(void **state)
{
    struct fixture *fx = *state;
    lab_arm(&fx->lab, "cut: on {op: etcd-put} at request do 1*rst");
    peer_post(&fx->peer, "/v3/kv/put", "", PUT);
    assert_int_equal(fx->peer.ended, RT_E_RESET);
    assert_int_equal(applied(fx, "etcd-put"), 0);
}

static void delay__of_an_answer__is_that_long(void **state)
{
    struct fixture *fx = *state;
    lab_arm(&fx->lab, "slow: on {op: etcd-range} at applied do 1*delay(30ms)");
    peer_post(&fx->peer, "/v3/kv/range", "", KEY);
    peer_pass(&fx->peer, 29 * MS_US);
    assert_int_equal(fx->peer.len_bytes, 0);
    peer_pass(&fx->peer, 1 * MS_US);
    peer_body(&fx->peer, 200);
}

static void truncate__of_an_answer__ends_at_that_byte(void **state)
{
    struct fixture *fx = *state;
    lab_arm(&fx->lab, "torn: on {op: etcd-range} at reply.byte 16 do 1*truncate");
    peer_post(&fx->peer, "/v3/kv/range", "", KEY);
    assert_string_equal(fx->peer.text, "HTTP/1.1 200 OK\r\n");
    assert_int_equal(fx->peer.ended, RT_E_CLOSED);
}

/* ---- the server's life ---------------------------------------------------------------------- */

static void kill__of_the_server__resets_http_too(void **state)
{
    struct fixture *fx = *state;
    peer_post(&fx->peer, "/v3/watch", "", "{\"create_request\":" KEY "}");
    fakeetcd_server_kill(fx->lab.server);
    peer_settle(&fx->peer);
    assert_int_equal(fx->peer.ended, RT_E_RESET);
}

static void freeze__of_the_server__stops_http_too(void **state)
{
    struct fixture *fx = *state;
    fakeetcd_server_set(fx->lab.server, FAKEETCD_FROZEN, true);
    peer_post(&fx->peer, "/v3/kv/put", "", PUT);
    peer_pass(&fx->peer, SECOND_US);
    assert_int_equal(fx->peer.len_bytes, 0);
    fakeetcd_server_set(fx->lab.server, FAKEETCD_FROZEN, false);
    peer_settle(&fx->peer);
    peer_body(&fx->peer, 200);
}

/* ---- pages ---------------------------------------------------------------------------------- */

static void version__each_profile__says_its_own(void **state)
{
    struct fixture *fx = *state;
    peer_send(&fx->peer, GET("/version"));
    assert_string_equal(peer_body(&fx->peer, 200),
                        "{\"etcdserver\":\"3.5.30\",\"etcdcluster\":\"3.5.0\"}");
}

static void version_34__each_profile__says_its_own(void **state)
{
    struct fixture *fx = *state;
    peer_send(&fx->peer, GET("/version"));
    assert_string_equal(peer_body(&fx->peer, 200),
                        "{\"etcdserver\":\"3.4.23\",\"etcdcluster\":\"3.4.0\"}");
}

static void ask_health(struct fixture *fx, const char *query, int status, const char *body)
{
    char request[96];
    snprintf(request, sizeof(request), "GET /health%s HTTP/1.1\r\nHost: h\r\n\r\n", query);
    peer_forget(&fx->peer);
    peer_send(&fx->peer, request);
    assert_string_equal(peer_body(&fx->peer, status), body);
}

static void health__leader_and_alarms__say_why(void **state)
{
    struct fixture *fx = *state;
    ask_health(fx, "", 200, "{\"health\":\"true\",\"reason\":\"\"}");
    fakeetcd_server_set(fx->lab.server, FAKEETCD_LEADERLESS, true);
    ask_health(fx, "", 503, "{\"health\":\"false\",\"reason\":\"RAFT NO LEADER\"}\n");
    ask_health(fx, "?serializable=true", 200, "{\"health\":\"true\",\"reason\":\"\"}");
    fakeetcd_server_set(fx->lab.server, FAKEETCD_LEADERLESS, false);
    fakeetcd_server_set(fx->lab.server, FAKEETCD_NO_SPACE, true);
    ask_health(fx, "", 503, "{\"health\":\"false\",\"reason\":\"ALARM NOSPACE\"}\n");
    ask_health(fx, "?exclude=NOSPACE", 200, "{\"health\":\"true\",\"reason\":\"\"}");
}

static void health_34__without_a_leader__gives_no_reason(void **state)
{
    struct fixture *fx = *state;
    ask_health(fx, "", 200, "{\"health\":\"true\"}");
    fakeetcd_server_set(fx->lab.server, FAKEETCD_LEADERLESS, true);
    ask_health(fx, "?serializable=true", 503, "{\"health\":\"false\"}\n");
}

static void livez_and_readyz__when_35__tell_their_checks(void **state)
{
    struct fixture *fx = *state;
    peer_send(&fx->peer, GET("/livez"));
    assert_string_equal(peer_body(&fx->peer, 200), "ok\n");
    fakeetcd_server_set(fx->lab.server, FAKEETCD_LEADERLESS, true);
    peer_forget(&fx->peer);
    peer_send(&fx->peer, GET("/readyz?verbose"));
    assert_non_null(strstr(peer_body(&fx->peer, 503), "[-]linearizable_read failed"));
    peer_forget(&fx->peer);
    peer_send(&fx->peer, GET("/livez?verbose"));
    assert_string_equal(peer_body(&fx->peer, 200), "[+]serializable_read ok\nok\n");
}

static void livez_34__is_not_there(void **state)
{
    struct fixture *fx = *state;
    peer_send(&fx->peer, GET("/livez"));
    peer_body(&fx->peer, 404);
}

static void metrics__after_some_calls__have_true_values(void **state)
{
    struct fixture *fx = *state;
    peer_post(&fx->peer, "/v3/kv/put", "", PUT);
    peer_post(&fx->peer, "/v3/kv/put", "", PUT);
    peer_post(&fx->peer, "/v3/kv/put", "", "{}");
    peer_post(&fx->peer, "/v3/kv/deleterange", "", KEY);
    peer_post(&fx->peer, "/v3/kv/put", "", PUT);
    peer_forget(&fx->peer);
    peer_send(&fx->peer, GET("/metrics"));
    peer_body(&fx->peer, 200);
    peer_assert(&fx->peer, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
    peer_assert(&fx->peer, "\netcd_mvcc_put_total 3\n");
    peer_assert(&fx->peer, "\netcd_mvcc_delete_total 1\n");
    peer_assert(&fx->peer, "\netcd_debugging_mvcc_keys_total 1\n");
    peer_assert(&fx->peer, "\netcd_debugging_mvcc_watcher_total 0\n");
    peer_assert(&fx->peer, "\netcd_server_has_leader 1\n");
    peer_assert(&fx->peer, "\netcd_server_leader_changes_seen_total 1\n");
    peer_assert(&fx->peer, "\netcd_server_version{server_version=\"3.5.30\"} 1\n");
    peer_assert(&fx->peer, "\netcd_cluster_version{cluster_version=\"3.5\"} 1\n");
    peer_assert(&fx->peer, "\ngrpc_server_handled_total{grpc_code=\"OK\",grpc_method=\"Put\","
                           "grpc_service=\"etcdserverpb.KV\",grpc_type=\"unary\"} 3\n");
    peer_assert(&fx->peer, "\ngrpc_server_handled_total{grpc_code=\"InvalidArgument\","
                           "grpc_method=\"Put\",grpc_service=\"etcdserverpb.KV\","
                           "grpc_type=\"unary\"} 1\n");
    peer_assert(&fx->peer, "\ngrpc_server_handled_total{grpc_code=\"OK\",grpc_method=\"Watch\","
                           "grpc_service=\"etcdserverpb.Watch\",grpc_type=\"bidi_stream\"} 0\n");
}

int main(void)
{
#define TEST(name)    cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_34(name) cmocka_unit_test_setup_teardown(name, setup_34, teardown)
    const struct CMUnitTest tests[] = {
        TEST(put_and_range__over_json__are_calls_like_any_other),
        TEST(old_places__of_leases_and_v3beta__answer_too),
        TEST(error__of_the_call__has_the_shape_of_35),
        TEST_34(error__of_the_call__has_the_shape_of_34),
        TEST(body__that_is_no_json__never_becomes_a_call),
        TEST(method__other_than_post__is_refused),
        TEST(json__larger_than_any_message__is_refused_while_it_comes),
        TEST(grpc_timeout__over__is_504_and_the_call_is_cancelled),
        TEST(token__as_authorization_or_metadata__says_who_it_is),
        TEST(watch__over_json__is_a_line_for_each_response),
        TEST(watch__its_peer_gone__takes_the_watcher_with_it),
        TEST(keepalive__messages_one_after_the_other__are_answered_each),
        TEST(stream__failing_before_its_first_message__is_an_error_in_one_line),
        TEST(bad_message__first_on_a_stream__is_code_2_later_ones_end_the_sending),
        TEST(websocket__for_watch__carries_a_message_in_each_frame),
        TEST(websocket__without_a_mask__is_closed_for_the_breach),
        TEST(websocket__an_announced_giant__is_refused_before_it_comes),
        TEST(websocket__a_wrong_handshake__is_400),
        TEST(status__from_a_rule__is_the_gateways_error),
        TEST(drop_reply__applied__is_never_answered),
        TEST(rst__at_a_request__resets_the_connection),
        TEST(delay__of_an_answer__is_that_long),
        TEST(truncate__of_an_answer__ends_at_that_byte),
        TEST(kill__of_the_server__resets_http_too),
        TEST(freeze__of_the_server__stops_http_too),
        TEST(version__each_profile__says_its_own),
        TEST_34(version_34__each_profile__says_its_own),
        TEST(health__leader_and_alarms__say_why),
        TEST_34(health_34__without_a_leader__gives_no_reason),
        TEST(livez_and_readyz__when_35__tell_their_checks),
        TEST_34(livez_34__is_not_there),
        TEST(metrics__after_some_calls__have_true_values),
    };
#undef TEST
#undef TEST_34
    return cmocka_run_group_tests(tests, NULL, NULL);
}
