/* SPDX-License-Identifier: Apache-2.0 */
#include "grpc_world.h"

#include "runtime/tls.h"

#include <stdio.h>
#include <stdlib.h>

#define SETTLE_US 20000
#define LIMIT_US  20000000

/* ---- the server --------------------------------------------------------------------------- */

static void flood(struct world *world, struct grpc_call *call)
{
    while (world->flood_left_count > 0 && !grpc_call_is_full(call)) {
        uint8_t *room = grpc_call_reserve(call, FLOOD_MESSAGE_BYTES);

        assert_non_null(room);
        memset(room, (int)world->flood_left_count, FLOOD_MESSAGE_BYTES);
        world->flood_left_count--;
    }
    if (world->flood_left_count == 0) {
        grpc_call_finish(call, GRPC_OK, "");
    }
}

static void on_message(void *arg, struct grpc_call *call, struct rt_slice message)
{
    struct world *world = arg;
    struct rt_slice path = grpc_call_path(call);
    uint8_t *room;

    world->message_count++;
    if (world->must_destroy_in_message) {
        grpc_connection_destroy(world->connection);
        return;
    }
    if (rt_slice_is_text(path, "/test.Echo/Flood")) {
        world->flood_left_count = FLOOD_MESSAGE_COUNT;
        flood(world, call);
        return;
    }
    if (!rt_slice_is_text(path, "/test.Echo/Unary") &&
        !rt_slice_is_text(path, "/test.Echo/Stream")) {
        return;
    }
    room = grpc_call_reserve(call, message.len_bytes);
    assert_non_null(room);
    if (message.len_bytes > 0) {
        memcpy(room, message.data, message.len_bytes);
    }
    if (rt_slice_is_text(path, "/test.Echo/Unary")) {
        grpc_call_finish(call, GRPC_OK, "");
    }
}

static void on_half_close(void *arg, struct grpc_call *call)
{
    struct world *world = arg;

    world->half_close_count++;
    if (rt_slice_is_text(grpc_call_path(call), "/test.Echo/Stream")) {
        grpc_call_finish(call, GRPC_OK, "");
    }
}

static void on_drained(void *arg, struct grpc_call *call)
{
    struct world *world = arg;

    world->drained_count++;
    assert_false(grpc_call_is_full(call));
    flood(world, call);
}

static void on_gone(void *arg, struct grpc_call *call, bool is_cancelled)
{
    struct world *world = arg;

    world->gone_count++;
    world->cancelled_count += is_cancelled ? 1 : 0;
    if (world->held == call) {
        world->held = NULL;
    }
    if (world->must_destroy_in_gone) {
        grpc_connection_destroy(world->connection);
    }
}

static const struct grpc_call_handler call_handler = {
    .on_message = on_message,
    .on_half_close = on_half_close,
    .on_drained = on_drained,
    .on_gone = on_gone,
};

static void on_call(void *arg, struct grpc_call *call)
{
    struct world *world = arg;
    struct rt_slice path = grpc_call_path(call);
    struct rt_slice token = {0};
    bool is_hold = rt_slice_is_text(path, "/test.Echo/Hold");
    bool is_stream = rt_slice_is_text(path, "/test.Echo/Stream") ||
                     rt_slice_is_text(path, "/test.Echo/HoldStream") ||
                     rt_slice_is_text(path, "/test.Echo/Flood");

    world->call_count++;
    world->seen_deadline_us = grpc_call_deadline_us(call);
    if (grpc_call_metadata(call, "token", &token)) {
        (void)snprintf(world->seen_metadata, sizeof(world->seen_metadata), "%.*s",
                       (int)token.len_bytes, (const char *)token.data);
    }
    if (world->must_destroy_in_call) {
        grpc_connection_destroy(world->connection);
        return;
    }
    grpc_call_set_handler(call, &call_handler, world);
    if (world->spoil != GRPC_SPOIL_NONE) {
        grpc_call_spoil(call, world->spoil, world->spoil_number);
    }
    if (is_stream) {
        grpc_call_set_streaming(call);
    }
    if (is_hold || rt_slice_is_text(path, "/test.Echo/HoldStream")) {
        world->held = call;
    } else if (rt_slice_is_text(path, "/test.Echo/Fail")) {
        grpc_call_finish(call, GRPC_NOT_FOUND, WORLD_FAIL_TEXT);
    } else if (!is_stream && !rt_slice_is_text(path, "/test.Echo/Unary")) {
        grpc_call_finish(call, GRPC_UNIMPLEMENTED, "unknown service");
    }
}

static void on_closed(void *arg, enum rt_status reason, const char *detail)
{
    struct world *world = arg;

    world->closed_count++;
    world->closed_reason = reason;
    (void)snprintf(world->closed_detail, sizeof(world->closed_detail), "%s", detail);
    world->connection = NULL;
}

static const struct grpc_connection_handler connection_handler = {.on_call = on_call,
                                                                  .on_closed = on_closed};

static void on_accept(void *arg, struct rt_stream *stream)
{
    struct world *world = arg;

    world->accepted_count++;
    if (world->tls != NULL) {
        static const struct rt_stream_handler no_handler = {0};

        assert_int_equal(rt_tls_stream_create(world->tls, stream, &no_handler, NULL, &stream),
                         RT_OK);
    }
    assert_int_equal(grpc_connection_accept(world->loop, stream, &world->options,
                                            &connection_handler, world, &world->connection),
                     RT_OK);
}

/* ---- the world ---------------------------------------------------------------------------- */

void world_init(struct world *world, enum rt_loop_mode mode)
{
    struct grpc_channel_options options = {.name = "client-1", .connect_timeout_us = 1000000};

    *world = (struct world){0};
    grpc_server_options_init(&world->options);
    assert_int_equal(rt_loop_create(mode, &world->loop), RT_OK);
    assert_int_equal(rt_network_create(world->loop, &world->network), RT_OK);
    assert_int_equal(
        rt_network_listen(world->network, "127.0.0.1:0", on_accept, world, &world->listener),
        RT_OK);
    options.address = rt_listener_address(world->listener);
    assert_int_equal(grpc_channel_create(world->loop, world->network, &options, &world->channel),
                     RT_OK);
}

/* The caller looks at what has become of it. */
static void run_until(struct world *world, rt_done_fn *done, void *arg, uint64_t at_most_us)
{
    enum rt_status status =
        rt_loop_run(world->loop, done, arg, rt_loop_now_us(world->loop) + at_most_us);

    assert_int_not_equal(status, RT_E_STUCK);
}

static bool is_quiet(void *arg)
{
    const struct world *world = arg;

    return rt_network_live_count(world->network) == 1; /* the listener */
}

void world_fini(struct world *world)
{
    grpc_channel_destroy(world->channel);
    world->must_destroy_in_gone = false;
    run_until(world, is_quiet, world, LIMIT_US);
    assert_int_equal(rt_network_live_count(world->network), 1);
    rt_listener_destroy(world->listener);
    rt_network_destroy(world->network);
    rt_loop_destroy(world->loop);
    assert_int_equal(rt_blob_live_count(), 0);
}

void world_run(struct world *world)
{
    run_until(world, NULL, NULL, SETTLE_US);
}

/* ---- asking ------------------------------------------------------------------------------- */

static void on_answer(void *arg, struct rt_slice message)
{
    struct asked *asked = arg;

    if (asked->message_count++ == 0) {
        asked->first_bytes =
            message.len_bytes < sizeof(asked->first) ? message.len_bytes : sizeof(asked->first);
        if (asked->first_bytes > 0) {
            memcpy(asked->first, message.data, asked->first_bytes);
        }
    }
    asked->message_bytes += message.len_bytes;
    for (size_t i = 0; i < message.len_bytes; i++) {
        asked->checksum ^= message.data[i];
    }
}

static void on_end(void *arg, const struct grpc_outcome *outcome)
{
    struct asked *asked = arg;

    assert_false(asked->is_ended);
    asked->is_ended = true;
    asked->request = NULL;
    asked->code = outcome->code;
    asked->is_from_server = outcome->is_from_server;
    (void)snprintf(asked->text, sizeof(asked->text), "%s", outcome->text);
}

static const struct grpc_request_handler request_handler = {on_answer, on_end};

void ask_start(struct world *world, struct asked *asked, const char *path, uint64_t deadline_us)
{
    const struct grpc_metadata metadata = {"token", rt_slice_of("secret", 6)};

    *asked = (struct asked){0};
    assert_int_equal(grpc_request_start(world->channel, path, &metadata, 1, deadline_us,
                                        &request_handler, asked, &asked->request),
                     RT_OK);
}

void ask_send(struct asked *asked, const void *data, size_t len_bytes)
{
    uint8_t *room = grpc_request_reserve(asked->request, len_bytes);

    assert_non_null(room);
    if (len_bytes > 0) {
        memcpy(room, data, len_bytes);
    }
}

void ask_half_close(struct asked *asked)
{
    grpc_request_half_close(asked->request);
}

static bool has_ended(void *arg)
{
    return ((const struct asked *)arg)->is_ended;
}

void ask_wait(struct world *world, struct asked *asked)
{
    run_until(world, has_ended, asked, LIMIT_US);
    assert_true(asked->is_ended);
}

void ask(struct world *world, struct asked *asked, const char *path, const char *message)
{
    ask_start(world, asked, path, RT_NEVER);
    ask_send(asked, message, strlen(message));
    ask_half_close(asked);
    ask_wait(world, asked);
}
