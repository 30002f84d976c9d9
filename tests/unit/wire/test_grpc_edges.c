/* SPDX-License-Identifier: Apache-2.0 */
#include "grpc_raw.h"

#include <stdlib.h>
#include <zlib.h>

/* Requests at the edges, for both versions of etcd, as they were seen to be answered. */

#define HELLO       "\0\0\0\0\2hi"
#define HELLO_BYTES 7

static struct world world;
static struct raw raw;

static int setup_with(const struct grpc_server_profile *profile)
{
    world_init(&world, RT_LOOP_SIMULATED);
    world.options.profile = profile;
    raw_init(&raw, &world);
    return 0;
}

static int setup_3_5(void **state)
{
    (void)state;
    return setup_with(&grpc_server_profile_1_59);
}

static int setup_3_4(void **state)
{
    (void)state;
    return setup_with(&grpc_server_profile_1_26);
}

static int teardown(void **state)
{
    (void)state;
    raw_fini(&raw);
    world_fini(&world);
    return 0;
}

static struct raw_answer *ask_body(const void *body, size_t body_bytes)
{
    const struct raw_request request = {.body = body, .body_bytes = body_bytes};

    return raw_ask(&raw, &request);
}

static void assert_hello(const struct raw_answer *answer)
{
    assert_string_equal(answer->status, "200");
    assert_string_equal(answer->grpc_status, "0");
    assert_string_equal(answer->grpc_message, "");
    assert_int_equal(answer->body_bytes, HELLO_BYTES);
    assert_memory_equal(answer->body, HELLO, HELLO_BYTES);
    assert_int_equal(answer->header_block_count, 2);
}

/* Trailers only, with HTTP status 200. */
static void assert_refused(const struct raw_answer *answer, const char *code, const char *text)
{
    assert_string_equal(answer->status, "200");
    assert_string_equal(answer->grpc_status, code);
    assert_string_equal(answer->grpc_message, text);
    assert_string_equal(answer->content_type, "application/grpc");
    assert_int_equal(answer->header_block_count, 1);
    assert_int_equal(answer->body_bytes, 0);
    assert_true(answer->is_ended);
}

static void assert_reset(const struct raw_answer *answer, uint32_t error)
{
    assert_string_equal(answer->status, "");
    assert_true(answer->is_reset);
    assert_int_equal(answer->reset_error, error);
}

/* ---- HTTP --------------------------------------------------------------------------------- */

static void method__put__etcd_3_4_takes_it_as_post(void **state)
{
    const struct raw_request request = {.method = "PUT", .body = HELLO, .body_bytes = HELLO_BYTES};

    (void)state;
    assert_hello(raw_ask(&raw, &request));
}

static void method__put_or_get__etcd_3_5_answers_405(void **state)
{
    const char *methods[] = {"PUT", "GET"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const struct raw_request request = {
            .method = methods[i], .body = HELLO, .body_bytes = HELLO_BYTES};
        const struct raw_answer *answer = raw_ask(&raw, &request);

        assert_string_equal(answer->status, "405");
        assert_string_equal(answer->grpc_status, "13");
        assert_int_equal(answer->header_block_count, 1);
    }
    assert_int_equal(world.call_count, 0);
}

static void method__get__etcd_3_4_takes_it_as_post(void **state)
{
    const struct raw_request request = {.method = "GET", .body = HELLO, .body_bytes = HELLO_BYTES};

    (void)state;
    assert_hello(raw_ask(&raw, &request));
}

/* grpc-go hears an end in DATA only (seen with etcd 3.4.23 and 3.5.21). */
static void end__in_the_headers__is_not_heard(void **state)
{
    const struct raw_request request = {.is_bare = true};
    const struct raw_answer *answer = raw_ask(&raw, &request);

    (void)state;
    assert_int_equal(answer->header_block_count, 0);
    assert_false(answer->is_closed);
    assert_hello(ask_body(HELLO, HELLO_BYTES)); /* others go on */
}

static void end__in_the_headers_with_a_timeout__is_told_when_it_is_over(void **state)
{
    const struct raw_request request = {.is_bare = true, .name = "grpc-timeout", .value = "300m"};
    uint64_t start_us = rt_loop_now_us(world.loop);
    const struct raw_answer *answer = raw_ask(&raw, &request);

    (void)state;
    assert_int_equal(rt_loop_run(world.loop, NULL, NULL, start_us + 299999), RT_E_TIMEOUT);
    assert_int_equal(answer->header_block_count, 0);
    world_run(&world);
    assert_string_equal(answer->grpc_message, "context deadline exceeded");
}

/* A request whose end is a second block of headers. */
static struct raw_answer *ask_with_trailers(void)
{
    const struct raw_request request = {.body = HELLO, .body_bytes = HELLO_BYTES, .is_open = true};
    const nghttp2_nv trailer = {
        .name = (uint8_t *)"x-after", .value = (uint8_t *)"1", .namelen = 7, .valuelen = 1};
    int32_t stream_id = raw_submit(&raw, &request);

    assert_int_equal(nghttp2_submit_headers(raw.session, NGHTTP2_FLAG_END_STREAM, stream_id, NULL,
                                            &trailer, 1, NULL),
                     0);
    raw_flush(&raw);
    world_run(&world);
    return raw_answer_of(&raw, stream_id);
}

static void trailers__of_a_request__reset_the_stream_in_3_4(void **state)
{
    (void)state;
    assert_reset(ask_with_trailers(), NGHTTP2_PROTOCOL_ERROR);
    assert_hello(ask_body(HELLO, HELLO_BYTES)); /* others go on */
}

static void trailers__of_a_request__end_the_connection_in_3_5(void **state)
{
    (void)state;
    (void)ask_with_trailers();
    assert_true(raw.is_closed);
}

static void metadata__bin_without_base64__is_refused_in_3_5_only(void **state)
{
    struct raw_request request = {
        .name = "x-bin", .value = "!!!", .body = HELLO, .body_bytes = HELLO_BYTES};
    const struct raw_answer *answer = raw_ask(&raw, &request);

    (void)state;
    if (world.options.profile == &grpc_server_profile_1_26) {
        assert_hello(answer);
        return;
    }
    assert_string_equal(answer->status, "400");
    assert_string_equal(answer->grpc_status, "13");
    assert_string_equal(answer->grpc_message,
                        "malformed binary metadata \"!!!\" in header \"x-bin\": illegal base64 "
                        "data at input byte 0");
    request.value = "AAE=";
    assert_hello(raw_ask(&raw, &request));
}

static void content_type__text_plain__etcd_3_4_resets(void **state)
{
    const struct raw_request request = {
        .content_type = "text/plain", .body = HELLO, .body_bytes = HELLO_BYTES};

    (void)state;
    assert_reset(raw_ask(&raw, &request), NGHTTP2_PROTOCOL_ERROR);
}

/* As over TLS, where etcd serves its pages on the same port. */
static void content_type__html_where_http_1_is_spoken_too__asks_for_it(void **state)
{
    const struct raw_request request = {.content_type = "text/html"};

    (void)state;
    world.options.is_http1_beside = true;
    raw_fini(&raw);
    raw_init(&raw, &world);
    assert_reset(raw_ask(&raw, &request), NGHTTP2_HTTP_1_1_REQUIRED);
}

static void content_type__text_plain_or_none__etcd_3_5_answers_415(void **state)
{
    struct raw_request request = {
        .content_type = "text/plain", .body = HELLO, .body_bytes = HELLO_BYTES};
    const struct raw_answer *answer = raw_ask(&raw, &request);

    (void)state;
    assert_string_equal(answer->status, "415");
    assert_string_equal(answer->grpc_status, "3");
    assert_string_equal(answer->grpc_message, "invalid gRPC request content-type \"text/plain\"");
    request.content_type = "";
    answer = raw_ask(&raw, &request);
    assert_string_equal(answer->status, "415");
    assert_string_equal(answer->grpc_message, "invalid gRPC request content-type \"\"");
}

static void content_type__json_and_proto__are_accepted_and_echoed(void **state)
{
    struct raw_request request = {
        .content_type = "application/grpc+json", .body = HELLO, .body_bytes = HELLO_BYTES};
    const struct raw_answer *answer = raw_ask(&raw, &request);

    (void)state;
    assert_hello(answer);
    assert_string_equal(answer->content_type, "application/grpc+json");
    request.content_type = "application/grpc+proto";
    answer = raw_ask(&raw, &request);
    assert_hello(answer);
    assert_string_equal(answer->content_type, "application/grpc+proto");
    request.content_type = "application/grpc;x=1";
    assert_hello(raw_ask(&raw, &request));
}

static void authority__what_clients_of_etcd_send__is_accepted(void **state)
{
    const char *authorities[] = {"127.0.0.1:2379",
                                 "[::1]:2379",
                                 "10.0.0.1:2379,10.0.0.2:2379",
                                 "10.0.0.1%3A2379",
                                 "#initially=[10.0.0.1:2379;a/b]",
                                 "unix:a/x",
                                 "etcd-endpoints://0xc0/10.0.0.1:2379"};

    (void)state;
    for (size_t i = 0; i < sizeof(authorities) / sizeof(authorities[0]); i++) {
        const struct raw_request request = {
            .authority = authorities[i], .body = HELLO, .body_bytes = HELLO_BYTES};

        assert_hello(raw_ask(&raw, &request));
    }
}

static void header__a_name_with_braces__resets_the_stream(void **state)
{
    const struct raw_request request = {
        .name = "X{}", .value = "1", .body = HELLO, .body_bytes = HELLO_BYTES};

    (void)state;
    assert_reset(raw_ask(&raw, &request), NGHTTP2_PROTOCOL_ERROR);
    assert_int_equal(world.call_count, 0);
    assert_hello(ask_body(HELLO, HELLO_BYTES));
}

static void header__connection__etcd_3_5_resets_the_stream(void **state)
{
    const struct raw_request request = {
        .name = "connection", .value = "close", .body = HELLO, .body_bytes = HELLO_BYTES};

    (void)state;
    assert_reset(raw_ask(&raw, &request), NGHTTP2_PROTOCOL_ERROR);
}

static void path__without_two_parts__is_malformed(void **state)
{
    const struct raw_request request = {.path = "/bad", .body = HELLO, .body_bytes = HELLO_BYTES};

    (void)state;
    assert_refused(raw_ask(&raw, &request),
                   world.options.profile == &grpc_server_profile_1_26 ? "8" : "12",
                   "malformed method name: \"/bad\"");
    assert_int_equal(world.call_count, 0);
}

/* ---- messages ----------------------------------------------------------------------------- */

static void unary__no_message__is_eof(void **state)
{
    (void)state;
    assert_refused(ask_body(NULL, 0), "2", "EOF");
}

static void unary__a_message_cut_short__is_unexpected_eof(void **state)
{
    (void)state;
    assert_refused(ask_body("\0\0", 2), "2", "unexpected EOF");
    assert_refused(ask_body("\0\0\0\0\5hi", 7), "2", "unexpected EOF");
    assert_int_equal(world.message_count, 0);
}

static void unary__two_messages__the_second_is_ignored(void **state)
{
    (void)state;
    assert_hello(ask_body("\0\0\0\0\2hi\0\0\0\0\2ho", 14));
    assert_int_equal(world.message_count, 1);
}

static void unary__message_without_the_half_close__is_answered_and_told_to_stop(void **state)
{
    const struct raw_request request = {.body = HELLO, .body_bytes = HELLO_BYTES, .is_open = true};
    const struct raw_answer *answer = raw_ask(&raw, &request);

    (void)state;
    assert_hello(answer);
    assert_true(answer->is_reset);
    assert_int_equal(answer->reset_error, NGHTTP2_NO_ERROR);
    assert_int_equal(world.gone_count, 1);
    assert_int_equal(world.cancelled_count, 0);
}

static void length__over_the_limit__is_refused_from_the_prefix_alone(void **state)
{
    const struct raw_request request = {.body = "\0\0\x20\0\1", .body_bytes = 5, .is_open = true};

    (void)state;
    assert_refused(raw_ask(&raw, &request), "8",
                   "grpc: received message larger than max (2097153 vs. 2097152)");
}

static void length__of_four_gigabytes__costs_no_memory(void **state)
{
    const struct raw_request request = {
        .body = "\0\xff\xff\xff\xff", .body_bytes = 5, .is_open = true};

    (void)state;
    assert_refused(raw_ask(&raw, &request), "8",
                   "grpc: received message larger than max (4294967295 vs. 2097152)");
    assert_int_equal(rt_blob_live_count(), 0);
}

static void flag__two__is_an_unexpected_format(void **state)
{
    (void)state;
    assert_refused(ask_body("\2\0\0\0\2hi", 7), "13", "grpc: received unexpected payload format 2");
}

static void flag__compressed_without_encoding__is_refused(void **state)
{
    (void)state;
    assert_refused(ask_body("\1\0\0\0\2hi", 7), "13",
                   "grpc: compressed flag set with identity or empty encoding");
}

static size_t gzip(const char *text, size_t len_bytes, uint8_t *out_body, size_t room_bytes)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)text,
                       .avail_in = (uInt)len_bytes,
                       .next_out = out_body + 5,
                       .avail_out = (uInt)room_bytes - 5};

    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    out_body[0] = 1;
    out_body[1] = out_body[2] = 0;
    out_body[3] = (uint8_t)(stream.total_out >> 8);
    out_body[4] = (uint8_t)stream.total_out;
    deflateEnd(&stream);
    return stream.total_out + 5;
}

static struct raw_answer *ask_gzip(const char *text, size_t len_bytes)
{
    uint8_t body[16384];
    struct raw_request request = {.name = "grpc-encoding", .value = "gzip", .body = body};

    request.body_bytes = gzip(text, len_bytes, body, sizeof(body));
    return raw_ask(&raw, &request);
}

static void encoding__gzip__etcd_3_5_unpacks(void **state)
{
    (void)state;
    assert_hello(ask_gzip("hi", 2));
}

static void encoding__gzip__etcd_3_4_has_no_decompressor(void **state)
{
    (void)state;
    assert_refused(ask_gzip("hi", 2), "12",
                   "grpc: Decompressor is not installed for grpc-encoding \"gzip\"");
}

static void encoding__gzip_of_too_much__is_refused(void **state)
{
    char *zeros = calloc(1, 3000000);

    (void)state;
    assert_non_null(zeros);
    assert_refused(ask_gzip(zeros, 3000000), "8",
                   "grpc: received message after decompression larger than max (3000000 vs. "
                   "2097152)");
    free(zeros);
}

static void encoding__gzip_with_a_lying_length__is_an_error(void **state)
{
    uint8_t body[16384];
    struct raw_request request = {.name = "grpc-encoding", .value = "gzip", .body = body};

    (void)state;
    request.body_bytes = gzip("hello", 5, body, sizeof(body));
    body[request.body_bytes - 4] = 4;
    assert_string_equal(raw_ask(&raw, &request)->grpc_status, "13");
    assert_int_equal(rt_blob_live_count(), 0);
}

static void encoding__another__has_no_decompressor(void **state)
{
    const struct raw_request request = {
        .name = "grpc-encoding", .value = "snappy", .body = HELLO, .body_bytes = HELLO_BYTES};

    (void)state;
    assert_refused(raw_ask(&raw, &request), "12",
                   "grpc: Decompressor is not installed for grpc-encoding \"snappy\"");
    assert_int_equal(world.message_count, 0);
}

/* ---- deadlines ---------------------------------------------------------------------------- */

static void timeout__malformed__etcd_3_4_resets(void **state)
{
    const struct raw_request request = {
        .name = "grpc-timeout", .value = "5x", .body = HELLO, .body_bytes = HELLO_BYTES};

    (void)state;
    assert_reset(raw_ask(&raw, &request), NGHTTP2_PROTOCOL_ERROR);
}

static void timeout__malformed__etcd_3_5_answers_400(void **state)
{
    const struct raw_request request = {
        .name = "grpc-timeout", .value = "5x", .body = HELLO, .body_bytes = HELLO_BYTES};
    const struct raw_answer *answer = raw_ask(&raw, &request);

    (void)state;
    assert_string_equal(answer->status, "400");
    assert_string_equal(answer->grpc_status, "13");
    assert_string_equal(answer->grpc_message, "malformed grpc-timeout: transport: timeout unit is "
                                              "not recognized: \"5x\"");
}

static const char *expired_code(void)
{
    return world.options.profile == &grpc_server_profile_1_26 ? "2" : "4";
}

static void timeout__over_at_once__is_told_so(void **state)
{
    const struct raw_request request = {
        .name = "grpc-timeout", .value = "0u", .body = HELLO, .body_bytes = HELLO_BYTES};

    (void)state;
    assert_refused(raw_ask(&raw, &request), expired_code(), "context deadline exceeded");
    assert_int_equal(world.message_count, 0);
}

static void timeout__of_a_held_call__comes_at_its_time_and_not_before(void **state)
{
    const struct raw_request request = {.path = "/test.Echo/Hold",
                                        .name = "grpc-timeout",
                                        .value = "300m",
                                        .body = HELLO,
                                        .body_bytes = HELLO_BYTES};
    uint64_t start_us = rt_loop_now_us(world.loop);
    const struct raw_answer *answer = raw_ask(&raw, &request);

    (void)state;
    assert_int_equal(world.seen_deadline_us, start_us + 300000);
    assert_int_equal(rt_loop_run(world.loop, NULL, NULL, start_us + 299999), RT_E_TIMEOUT);
    assert_int_equal(answer->header_block_count, 0);
    assert_int_equal(world.gone_count, 0);
    world_run(&world);
    assert_refused(answer, expired_code(), "context deadline exceeded");
    assert_int_equal(world.gone_count, 1);
}

static void timeout__after_it__what_the_owner_still_says_is_harmless(void **state)
{
    const struct raw_request request = {.path = "/test.Echo/HoldStream",
                                        .name = "grpc-timeout",
                                        .value = "1m",
                                        .body = HELLO,
                                        .body_bytes = HELLO_BYTES,
                                        .is_open = true};
    const struct raw_answer *answer;
    int32_t id = raw_submit(&raw, &request);
    struct grpc_call *call;

    (void)state;
    assert_int_equal(rt_loop_run(world.loop, NULL, NULL, rt_loop_now_us(world.loop)), RT_E_TIMEOUT);
    call = world.held;
    assert_non_null(call);
    grpc_call_finish(call, GRPC_UNAVAILABLE, "first");
    assert_non_null(grpc_call_reserve(call, 10));
    assert_non_null(grpc_call_reserve(call, 100000));
    grpc_call_finish(call, GRPC_OK, "second");
    world_run(&world);
    answer = raw_answer_of(&raw, id);
    assert_refused(answer, "14", "first");
}

#define IN_3_5(test)                                                                               \
    {                                                                                              \
#test " (3.5)", test, setup_3_5, teardown, NULL                                            \
    }
#define IN_3_4(test)                                                                               \
    {                                                                                              \
#test " (3.4)", test, setup_3_4, teardown, NULL                                            \
    }
#define IN_BOTH(test) IN_3_4(test), IN_3_5(test)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_3_4(method__put__etcd_3_4_takes_it_as_post),
        IN_3_5(method__put_or_get__etcd_3_5_answers_405),
        IN_3_4(method__get__etcd_3_4_takes_it_as_post),
        IN_3_4(end__in_the_headers__is_not_heard),
        IN_3_5(end__in_the_headers__is_not_heard),
        IN_3_5(end__in_the_headers_with_a_timeout__is_told_when_it_is_over),
        IN_3_4(trailers__of_a_request__reset_the_stream_in_3_4),
        IN_3_5(trailers__of_a_request__end_the_connection_in_3_5),
        IN_3_4(metadata__bin_without_base64__is_refused_in_3_5_only),
        IN_3_5(metadata__bin_without_base64__is_refused_in_3_5_only),
        IN_3_4(content_type__text_plain__etcd_3_4_resets),
        IN_3_5(content_type__html_where_http_1_is_spoken_too__asks_for_it),
        IN_3_5(content_type__text_plain_or_none__etcd_3_5_answers_415),
        IN_BOTH(content_type__json_and_proto__are_accepted_and_echoed),
        IN_BOTH(authority__what_clients_of_etcd_send__is_accepted),
        IN_BOTH(header__a_name_with_braces__resets_the_stream),
        IN_3_5(header__connection__etcd_3_5_resets_the_stream),
        IN_BOTH(path__without_two_parts__is_malformed),
        IN_BOTH(unary__no_message__is_eof),
        IN_BOTH(unary__a_message_cut_short__is_unexpected_eof),
        IN_BOTH(unary__two_messages__the_second_is_ignored),
        IN_BOTH(unary__message_without_the_half_close__is_answered_and_told_to_stop),
        IN_BOTH(length__over_the_limit__is_refused_from_the_prefix_alone),
        IN_BOTH(length__of_four_gigabytes__costs_no_memory),
        IN_BOTH(flag__two__is_an_unexpected_format),
        IN_BOTH(flag__compressed_without_encoding__is_refused),
        IN_3_5(encoding__gzip__etcd_3_5_unpacks),
        IN_3_4(encoding__gzip__etcd_3_4_has_no_decompressor),
        IN_3_5(encoding__gzip_of_too_much__is_refused),
        IN_3_5(encoding__gzip_with_a_lying_length__is_an_error),
        IN_BOTH(encoding__another__has_no_decompressor),
        IN_3_4(timeout__malformed__etcd_3_4_resets),
        IN_3_5(timeout__malformed__etcd_3_5_answers_400),
        IN_BOTH(timeout__over_at_once__is_told_so),
        IN_BOTH(timeout__of_a_held_call__comes_at_its_time_and_not_before),
        IN_BOTH(timeout__after_it__what_the_owner_still_says_is_harmless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
