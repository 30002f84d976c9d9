/* SPDX-License-Identifier: Apache-2.0 */
#include "grpc_raw.h"

#include <stdlib.h>

/* Answers as no healthy server gives them, on the wire and as our client takes them. */

#define HELLO        "\0\0\0\0\2hi"
#define HELLO_BYTES  7
#define FRAME_HEADER 9

static struct world world;
static struct raw raw;

static const struct raw_request hello = {.body = HELLO, .body_bytes = HELLO_BYTES};

static int setup(void **state)
{
    (void)state;
    world_init(&world, RT_LOOP_SIMULATED);
    raw_init(&raw, &world);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    raw_fini(&raw);
    world_fini(&world);
    return 0;
}

static void spoil(enum grpc_spoil_kind kind, uint64_t number)
{
    world.spoil = kind;
    world.spoil_number = number;
}

static void no_status__answer__lacks_it_and_is_unknown(void **state)
{
    const struct raw_answer *answer;
    struct asked asked;

    (void)state;
    spoil(GRPC_SPOIL_NO_STATUS, 0);
    answer = raw_ask(&raw, &hello);
    assert_int_equal(answer->body_bytes, HELLO_BYTES);
    assert_false(answer->has_grpc_status);
    assert_true(answer->is_ended);
    ask(&world, &asked, "/test.Echo/Unary", "x");
    assert_int_equal(asked.code, GRPC_UNKNOWN);
    assert_false(asked.is_from_server);
    ask(&world, &asked, "/test.Echo/Fail", "x");
    assert_int_equal(asked.code, GRPC_UNKNOWN);
}

static void content_type__html__is_no_grpc(void **state)
{
    struct asked asked;

    (void)state;
    spoil(GRPC_SPOIL_CONTENT_TYPE, 0);
    assert_string_equal(raw_ask(&raw, &hello)->content_type, "text/html");
    ask(&world, &asked, "/test.Echo/Unary", "x");
    assert_int_equal(asked.code, GRPC_UNKNOWN);
    assert_int_equal(asked.message_count, 0);
}

static void http_status__of_a_proxy__has_a_text_and_no_trailers(void **state)
{
    const struct {
        uint64_t http_status;
        const char *text;
        int32_t code;
    } rows[] = {{502, "502", GRPC_UNAVAILABLE},
                {503, "503", GRPC_UNAVAILABLE},
                {504, "504", GRPC_UNAVAILABLE},
                {429, "429", GRPC_UNAVAILABLE},
                {400, "400", GRPC_INTERNAL},
                {401, "401", GRPC_UNAUTHENTICATED},
                {403, "403", GRPC_PERMISSION_DENIED},
                {404, "404", GRPC_UNIMPLEMENTED},
                {500, "500", GRPC_UNKNOWN}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct raw_answer *answer;
        struct asked asked;

        spoil(GRPC_SPOIL_HTTP_STATUS, rows[i].http_status);
        answer = raw_ask(&raw, &hello);
        assert_string_equal(answer->status, rows[i].text);
        assert_string_equal(answer->content_type, "text/plain");
        assert_true(answer->body_bytes > 20);
        assert_memory_equal(answer->body, "upstream", 8);
        assert_true(answer->is_ended);
        assert_int_equal(answer->header_block_count, 1);
        ask(&world, &asked, "/test.Echo/Unary", "x");
        assert_int_equal(asked.code, rows[i].code);
        assert_false(asked.is_from_server);
    }
}

static void prefix__says_three_more__the_message_never_ends(void **state)
{
    const struct raw_answer *answer;
    struct asked asked;

    (void)state;
    spoil(GRPC_SPOIL_PREFIX, 3);
    answer = raw_ask(&raw, &hello);
    assert_memory_equal(answer->body, "\0\0\0\0\5hi", HELLO_BYTES);
    assert_int_equal(answer->body_bytes, HELLO_BYTES);
    ask(&world, &asked, "/test.Echo/Unary", "x");
    assert_int_equal(asked.code, GRPC_INTERNAL);
    assert_int_equal(asked.message_count, 0);
}

static void flag__set__without_an_encoding_is_refused(void **state)
{
    struct asked asked;

    (void)state;
    spoil(GRPC_SPOIL_FLAG, 0);
    assert_memory_equal(raw_ask(&raw, &hello)->body, "\1\0\0\0\2hi", HELLO_BYTES);
    ask(&world, &asked, "/test.Echo/Unary", "x");
    assert_int_equal(asked.code, GRPC_INTERNAL);
}

static void garbage__small_and_large__keeps_the_length(void **state)
{
    char *large = calloc(1, 100001);
    struct asked asked;

    (void)state;
    assert_non_null(large);
    spoil(GRPC_SPOIL_GARBAGE, 0);
    assert_memory_equal(raw_ask(&raw, &hello)->body, "\0\0\0\0\2\xff\xff", HELLO_BYTES);
    memset(large, 'x', 100000);
    ask(&world, &asked, "/test.Echo/Unary", large);
    assert_int_equal(asked.code, GRPC_OK);
    assert_int_equal(asked.message_bytes, 100000);
    assert_int_equal(asked.first[0], 0xff);
    assert_int_equal(asked.first[63], 0xff);
    free(large);
}

/* The frames of an answer: headers, DATA, trailers. Byte N of them is the last one. */
static void truncate__at_each_byte__exactly_so_many_come_and_then_fin(void **state)
{
    size_t whole_bytes;

    (void)state;
    (void)raw_ask(&raw, &hello); /* the second answer is shorter: its headers are in the table */
    whole_bytes = raw.received_bytes;
    (void)raw_ask(&raw, &hello);
    whole_bytes = raw.received_bytes - whole_bytes;
    assert_true(whole_bytes > 3 * FRAME_HEADER);
    for (uint64_t last = 0; last < whole_bytes; last++) {
        size_t before_bytes;

        raw_fini(&raw);
        world_run(&world);
        raw_init(&raw, &world);
        spoil(GRPC_SPOIL_NONE, 0);
        (void)raw_ask(&raw, &hello);
        before_bytes = raw.received_bytes;
        spoil(GRPC_SPOIL_TRUNCATE, last);
        (void)raw_ask(&raw, &hello);
        assert_int_equal(raw.received_bytes - before_bytes, last + 1);
        assert_true(raw.is_closed);
        assert_int_equal(raw.close_reason, RT_E_CLOSED);
    }
}

static void truncate__within_a_large_message__our_client_hears_of_a_lost_connection(void **state)
{
    char *large = calloc(1, 100001);
    struct asked asked;

    (void)state;
    assert_non_null(large);
    memset(large, 'x', 100000);
    spoil(GRPC_SPOIL_TRUNCATE, 50000);
    ask(&world, &asked, "/test.Echo/Unary", large);
    assert_int_equal(asked.code, GRPC_UNAVAILABLE);
    assert_int_equal(asked.message_count, 0);
    free(large);
}

static void corrupt__a_byte_of_the_message__changes_that_and_nothing_else(void **state)
{
    const struct raw_answer *answer;
    size_t headers_bytes;
    size_t before_bytes;

    (void)state;
    (void)raw_ask(&raw, &hello);
    before_bytes = raw.received_bytes;
    (void)raw_ask(&raw, &hello);
    /* headers, then DATA of 16 bytes, then trailers as long as status and empty message */
    headers_bytes =
        raw.received_bytes - before_bytes - (FRAME_HEADER + HELLO_BYTES) - (FRAME_HEADER + 2);
    spoil(GRPC_SPOIL_CORRUPT, headers_bytes + FRAME_HEADER + 5);
    answer = raw_ask(&raw, &hello);
    assert_memory_equal(answer->body, "\0\0\0\0\2", 5);
    assert_int_equal(answer->body[5], 'h' ^ 0xff);
    assert_int_equal(answer->body[6], 'i');
    assert_string_equal(answer->grpc_status, "0");
    spoil(GRPC_SPOIL_NONE, 0);
    assert_memory_equal(raw_ask(&raw, &hello)->body, HELLO, HELLO_BYTES);
}

static void drip__of_an_answer__takes_one_interval_a_byte_and_holds_those_behind(void **state)
{
    uint64_t start_us = rt_loop_now_us(world.loop);
    size_t before_bytes = raw.received_bytes;
    size_t whole_bytes;
    int32_t first;
    int32_t second;

    (void)state;
    spoil(GRPC_SPOIL_DRIP, 1000);
    first = raw_submit(&raw, &hello);
    assert_int_equal(rt_loop_run(world.loop, NULL, NULL, start_us + 10500), RT_E_TIMEOUT);
    assert_int_equal(raw.received_bytes - before_bytes, 11);
    spoil(GRPC_SPOIL_NONE, 0);
    second = raw_submit(&raw, &hello);
    assert_int_equal(rt_loop_run(world.loop, NULL, NULL, start_us + 20500), RT_E_TIMEOUT);
    assert_int_equal(raw.received_bytes - before_bytes, 21);
    assert_false(raw_answer_of(&raw, second)->is_ended);
    assert_int_not_equal(rt_loop_run(world.loop, NULL, NULL, start_us + 1000000), RT_E_STUCK);
    whole_bytes = raw.received_bytes - before_bytes;
    assert_true(whole_bytes > 2 * (FRAME_HEADER + HELLO_BYTES));
    assert_memory_equal(raw_answer_of(&raw, first)->body, HELLO, HELLO_BYTES);
    assert_string_equal(raw_answer_of(&raw, first)->grpc_status, "0");
    assert_string_equal(raw_answer_of(&raw, second)->grpc_status, "0");
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(no_status__answer__lacks_it_and_is_unknown),
        CASE(content_type__html__is_no_grpc),
        CASE(http_status__of_a_proxy__has_a_text_and_no_trailers),
        CASE(prefix__says_three_more__the_message_never_ends),
        CASE(flag__set__without_an_encoding_is_refused),
        CASE(garbage__small_and_large__keeps_the_length),
        CASE(truncate__at_each_byte__exactly_so_many_come_and_then_fin),
        CASE(truncate__within_a_large_message__our_client_hears_of_a_lost_connection),
        CASE(corrupt__a_byte_of_the_message__changes_that_and_nothing_else),
        CASE(drip__of_an_answer__takes_one_interval_a_byte_and_holds_those_behind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
