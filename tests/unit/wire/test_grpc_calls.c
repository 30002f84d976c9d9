/* SPDX-License-Identifier: Apache-2.0 */
#include "grpc_world.h"

#include "runtime/tls.h"

#include <stdlib.h>

/* Calls end to end: our client, our server, on the simulated network and on sockets. */

static int setup_simulated(void **state)
{
    static struct world world;

    world_init(&world, RT_LOOP_SIMULATED);
    *state = &world;
    return 0;
}

static int setup_sockets(void **state)
{
    static struct world world;

    world_init(&world, RT_LOOP_SOCKETS);
    *state = &world;
    return 0;
}

static int teardown(void **state)
{
    world_fini(*state);
    return 0;
}

static void unary__a_message__comes_back_with_ok(void **state)
{
    struct world *world = *state;
    struct asked asked;

    ask(world, &asked, "/test.Echo/Unary", "hello");
    assert_int_equal(asked.code, GRPC_OK);
    assert_true(asked.is_from_server);
    assert_int_equal(asked.message_count, 1);
    assert_memory_equal(asked.first, "hello", 5);
    assert_string_equal(world->seen_metadata, "secret");
    world_run(world);
    assert_int_equal(world->gone_count, 1);
    assert_int_equal(world->cancelled_count, 0);
}

static void unary__an_empty_message__comes_back_empty(void **state)
{
    struct asked asked;

    ask(*state, &asked, "/test.Echo/Unary", "");
    assert_int_equal(asked.code, GRPC_OK);
    assert_int_equal(asked.message_count, 1);
    assert_int_equal(asked.message_bytes, 0);
}

static void unary__a_failure__has_code_and_text_and_no_message(void **state)
{
    struct asked asked;

    ask(*state, &asked, "/test.Echo/Fail", "hello");
    assert_int_equal(asked.code, GRPC_NOT_FOUND);
    assert_string_equal(asked.text, WORLD_FAIL_TEXT);
    assert_int_equal(asked.message_count, 0);
    assert_true(asked.is_from_server);
}

static void unary__two_million_bytes__pass_both_windows(void **state)
{
    size_t len_bytes = (size_t)WORLD_MAX_MESSAGE_BYTES;
    uint8_t *data = malloc(len_bytes);
    uint8_t checksum = 0;
    struct asked asked;

    assert_non_null(data);
    for (size_t i = 0; i < len_bytes; i++) {
        data[i] = (uint8_t)(i * 31 + i / 4096);
        checksum ^= data[i];
    }
    ask_start(*state, &asked, "/test.Echo/Unary", RT_NEVER);
    ask_send(&asked, data, len_bytes);
    ask_half_close(&asked);
    ask_wait(*state, &asked);
    assert_int_equal(asked.code, GRPC_OK);
    assert_int_equal(asked.message_bytes, len_bytes);
    assert_int_equal(asked.checksum, checksum);
    free(data);
}

static void unary__a_message_over_the_limit__is_refused_with_both_lengths(void **state)
{
    size_t len_bytes = (size_t)WORLD_MAX_MESSAGE_BYTES + 1;
    uint8_t *data = calloc(1, len_bytes);
    struct asked asked;

    assert_non_null(data);
    ask_start(*state, &asked, "/test.Echo/Unary", RT_NEVER);
    ask_send(&asked, data, len_bytes);
    ask_half_close(&asked);
    ask_wait(*state, &asked);
    assert_int_equal(asked.code, GRPC_RESOURCE_EXHAUSTED);
    assert_string_equal(asked.text, "grpc: received message larger than max (2097153 vs. 2097152)");
    free(data);
}

static void stream__three_messages__come_back_one_by_one(void **state)
{
    struct world *world = *state;
    struct asked asked;

    ask_start(world, &asked, "/test.Echo/Stream", RT_NEVER);
    for (size_t i = 1; i <= 3; i++) {
        ask_send(&asked, "abc", i);
        world_run(world);
        assert_int_equal(asked.message_count, i);
        assert_false(asked.is_ended);
    }
    ask_half_close(&asked);
    ask_wait(world, &asked);
    assert_int_equal(asked.code, GRPC_OK);
    assert_int_equal(asked.message_bytes, 6);
    assert_int_equal(world->half_close_count, 1);
}

static void stream__ended_by_the_server__the_client_hears_it_without_half_closing(void **state)
{
    struct world *world = *state;
    struct asked asked;

    ask_start(world, &asked, "/test.Echo/HoldStream", RT_NEVER);
    ask_send(&asked, "x", 1);
    world_run(world);
    assert_non_null(world->held);
    grpc_call_finish(world->held, GRPC_UNAVAILABLE, "etcdserver: no leader");
    ask_wait(world, &asked);
    assert_int_equal(asked.code, GRPC_UNAVAILABLE);
    assert_string_equal(asked.text, "etcdserver: no leader");
    world_run(world);
    assert_int_equal(world->gone_count, 1);
    assert_int_equal(world->cancelled_count, 0);
}

static void calls__a_thousand_at_once__each_gets_its_own_answer(void **state)
{
    struct world *world = *state;
    struct asked *asked = calloc(1000, sizeof(*asked));

    assert_non_null(asked);
    for (size_t i = 0; i < 1000; i++) {
        ask_start(world, &asked[i], "/test.Echo/Unary", RT_NEVER);
        ask_send(&asked[i], &i, sizeof(i));
        ask_half_close(&asked[i]);
    }
    for (size_t i = 0; i < 1000; i++) {
        ask_wait(world, &asked[i]);
        assert_int_equal(asked[i].code, GRPC_OK);
        assert_memory_equal(asked[i].first, &i, sizeof(i));
    }
    assert_int_equal(world->accepted_count, 1);
    free(asked);
}

static void flood__more_than_the_mark__waits_for_the_reader_and_loses_nothing(void **state)
{
    struct world *world = *state;
    struct asked asked;

    ask_start(world, &asked, "/test.Echo/Flood", RT_NEVER);
    ask_send(&asked, "x", 1);
    ask_wait(world, &asked);
    assert_int_equal(asked.code, GRPC_OK);
    assert_int_equal(asked.message_count, FLOOD_MESSAGE_COUNT);
    assert_int_equal(asked.message_bytes, FLOOD_MESSAGE_COUNT * FLOOD_MESSAGE_BYTES);
    assert_true(world->drained_count > 0);
}

static void request__cancelled__the_call_goes_as_cancelled_and_nobody_is_told(void **state)
{
    struct world *world = *state;
    struct asked asked;

    ask_start(world, &asked, "/test.Echo/Hold", RT_NEVER);
    ask_send(&asked, "x", 1);
    ask_half_close(&asked);
    world_run(world);
    assert_non_null(world->held);
    grpc_request_cancel(asked.request);
    world_run(world);
    assert_null(world->held);
    assert_int_equal(world->gone_count, 1);
    assert_int_equal(world->cancelled_count, 1);
    assert_false(asked.is_ended);
}

static void request__nobody_listens__ends_with_no_connection(void **state)
{
    struct world *world = *state;
    struct grpc_channel_options options = {
        .name = "client-1", .address = "127.0.0.1:1", .connect_timeout_us = 1000000};
    struct asked asked;

    grpc_channel_destroy(world->channel);
    assert_int_equal(grpc_channel_create(world->loop, world->network, &options, &world->channel),
                     RT_OK);
    ask(world, &asked, "/test.Echo/Unary", "x");
    assert_int_equal(asked.code, GRPC_UNAVAILABLE);
    assert_false(asked.is_from_server);
    assert_string_equal(asked.text, "no connection to 127.0.0.1:1: connection refused");
}

static void connection__reset_by_the_server__open_requests_end_and_the_next_connects(void **state)
{
    struct world *world = *state;
    struct asked first;
    struct asked second;

    ask_start(world, &first, "/test.Echo/Hold", RT_NEVER);
    ask_send(&first, "x", 1);
    world_run(world);
    grpc_connection_end(world->connection, true);
    ask_wait(world, &first);
    assert_int_equal(first.code, GRPC_UNAVAILABLE);
    assert_int_equal(world->gone_count, 1);
    assert_int_equal(world->cancelled_count, 1);
    assert_int_equal(world->closed_count, 1);
    ask(world, &second, "/test.Echo/Unary", "x");
    assert_int_equal(second.code, GRPC_OK);
    assert_int_equal(world->accepted_count, 2);
}

static void destroy__inside_a_handler__nothing_is_told_and_nothing_leaks(void **state)
{
    struct world *world = *state;
    struct asked asked;

    world->must_destroy_in_call = true;
    ask(world, &asked, "/test.Echo/Unary", "x");
    assert_int_equal(asked.code, GRPC_UNAVAILABLE);
    world->must_destroy_in_call = false;
    world->must_destroy_in_message = true;
    ask(world, &asked, "/test.Echo/Unary", "x");
    assert_int_equal(asked.code, GRPC_UNAVAILABLE);
    world->must_destroy_in_message = false;
    assert_int_equal(world->gone_count, 0);
    assert_int_equal(world->closed_count, 0);
    world->must_destroy_in_gone = true;
    ask(world, &asked, "/test.Echo/Unary", "x");
    world_run(world);
    assert_int_equal(world->gone_count, 1);
    assert_int_equal(world->closed_count, 0);
    world->must_destroy_in_gone = false;
}

/* ---- under TLS ---------------------------------------------------------------------------- */

/* The world's channel, anew and under TLS; the context is the caller's. */
static struct rt_tls_context *wrap_channel(struct world *world, const struct rt_tls_options *tls)
{
    struct grpc_channel_options options = {.name = "client-1",
                                           .address = rt_listener_address(world->listener),
                                           .connect_timeout_us = 5000000};
    char error[200] = "";

    grpc_channel_destroy(world->channel);
    assert_int_equal(rt_tls_context_create(tls, &options.tls, error, sizeof(error)), RT_OK);
    assert_int_equal(grpc_channel_create(world->loop, world->network, &options, &world->channel),
                     RT_OK);
    return options.tls;
}

static void tls__a_large_message_and_a_stream__pass(void **state)
{
    const struct rt_tls_options server = {.is_server = true, .is_self_signed = true};
    const struct rt_tls_options client = {.is_unverified = true};
    struct world *world = *state;
    struct rt_tls_context *client_context;
    char *large = calloc(1, 1000001);
    char error[200] = "";
    struct asked asked;

    assert_non_null(large);
    memset(large, 'x', 1000000);
    assert_int_equal(rt_tls_context_create(&server, &world->tls, error, sizeof(error)), RT_OK);
    client_context = wrap_channel(world, &client);
    ask(world, &asked, "/test.Echo/Unary", large);
    assert_int_equal(asked.code, GRPC_OK);
    assert_int_equal(asked.message_bytes, 1000000);
    ask(world, &asked, "/test.Echo/Stream", "hello");
    assert_int_equal(asked.code, GRPC_OK);
    assert_memory_equal(asked.first, "hello", 5);
    assert_int_equal(world->accepted_count, 1);
    free(large);
    grpc_channel_destroy(world->channel);
    world->channel = NULL;
    rt_tls_context_destroy(client_context);
    world_run(world);
    rt_tls_context_destroy(world->tls);
    world->tls = NULL;
}

static void tls__a_certificate_nobody_knows__ends_the_call_with_the_reason(void **state)
{
    const struct rt_tls_options server = {.is_server = true, .is_self_signed = true};
    const struct rt_tls_options client = {.server_name = "localhost"};
    struct world *world = *state;
    struct rt_tls_context *client_context;
    char error[200] = "";
    struct asked asked;

    assert_int_equal(rt_tls_context_create(&server, &world->tls, error, sizeof(error)), RT_OK);
    client_context = wrap_channel(world, &client);
    ask(world, &asked, "/test.Echo/Unary", "hello");
    assert_int_equal(asked.code, GRPC_UNAVAILABLE);
    assert_non_null(strstr(asked.text, "certificate: self-signed certificate"));
    grpc_channel_destroy(world->channel);
    world->channel = NULL;
    rt_tls_context_destroy(client_context);
    world_run(world);
    rt_tls_context_destroy(world->tls);
    world->tls = NULL;
}

#define IN_BOTH(test)                                                                              \
    {#test " (simulated)", test, setup_simulated, teardown, NULL},                                 \
    {                                                                                              \
#test " (sockets)", test, setup_sockets, teardown, NULL                                    \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BOTH(unary__a_message__comes_back_with_ok),
        IN_BOTH(unary__an_empty_message__comes_back_empty),
        IN_BOTH(unary__a_failure__has_code_and_text_and_no_message),
        IN_BOTH(unary__two_million_bytes__pass_both_windows),
        IN_BOTH(unary__a_message_over_the_limit__is_refused_with_both_lengths),
        IN_BOTH(stream__three_messages__come_back_one_by_one),
        IN_BOTH(stream__ended_by_the_server__the_client_hears_it_without_half_closing),
        IN_BOTH(calls__a_thousand_at_once__each_gets_its_own_answer),
        IN_BOTH(flood__more_than_the_mark__waits_for_the_reader_and_loses_nothing),
        IN_BOTH(request__cancelled__the_call_goes_as_cancelled_and_nobody_is_told),
        IN_BOTH(request__nobody_listens__ends_with_no_connection),
        IN_BOTH(connection__reset_by_the_server__open_requests_end_and_the_next_connects),
        IN_BOTH(destroy__inside_a_handler__nothing_is_told_and_nothing_leaks),
        IN_BOTH(tls__a_large_message_and_a_stream__pass),
        IN_BOTH(tls__a_certificate_nobody_knows__ends_the_call_with_the_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
