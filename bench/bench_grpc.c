/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/grpc/grpc_server.h"

#include <stdio.h>
#include <stdlib.h>

/*
 * A server that sends each request message back, for load from outside:
 *
 *   bench_grpc [ADDRESS]           127.0.0.1:0; prints the port
 *   h2load -d BODY -H 'te: trailers' -H 'content-type: application/grpc' -c8 -m10 -n1000000 URL
 *
 * Paths that end in "/Stream" are streaming: every message is answered until the half-close.
 */
static void on_message(void *arg, struct grpc_call *call, struct rt_slice message)
{
    uint8_t *room = grpc_call_reserve(call, message.len_bytes);

    if (room == NULL) {
        grpc_call_reset(call, 2);
        return;
    }
    if (message.len_bytes > 0) {
        memcpy(room, message.data, message.len_bytes);
    }
    if (arg == NULL) {
        grpc_call_finish(call, GRPC_OK, "");
    }
}

static void on_half_close(void *arg, struct grpc_call *call)
{
    (void)arg;
    grpc_call_finish(call, GRPC_OK, "");
}

static void on_gone(void *arg, struct grpc_call *call, bool is_cancelled)
{
    (void)arg;
    (void)call;
    (void)is_cancelled;
}

static const struct grpc_call_handler call_handler = {
    .on_message = on_message, .on_half_close = on_half_close, .on_gone = on_gone};
static char streaming;

static void on_call(void *arg, struct grpc_call *call)
{
    struct rt_slice path = grpc_call_path(call);
    bool is_streaming =
        path.len_bytes > 7 && memcmp(path.data + path.len_bytes - 7, "/Stream", 7) == 0;

    (void)arg;
    if (is_streaming) {
        grpc_call_set_streaming(call);
    }
    grpc_call_set_handler(call, &call_handler, is_streaming ? &streaming : NULL);
}

static void on_closed(void *arg, enum rt_status reason, const char *detail)
{
    (void)arg;
    if (reason != RT_E_CLOSED) {
        (void)fprintf(stderr, "closed: %s: %s\n", rt_status_text(reason), detail);
    }
}

static const struct grpc_connection_handler connection_handler = {.on_call = on_call,
                                                                  .on_closed = on_closed};

static void on_accept(void *arg, struct rt_stream *stream)
{
    struct grpc_server_options options;
    struct grpc_connection *connection;

    grpc_server_options_init(&options);
    if (grpc_connection_accept(arg, stream, &options, &connection_handler, NULL, &connection) !=
        RT_OK) {
        (void)fprintf(stderr, "not accepted\n");
    }
}

int main(int argc, char **argv)
{
    struct rt_loop *loop;
    struct rt_network *network;
    struct rt_listener *listener;

    if (rt_loop_create(RT_LOOP_SOCKETS, &loop) != RT_OK ||
        rt_network_create(loop, &network) != RT_OK ||
        rt_network_listen(network, argc > 1 ? argv[1] : "127.0.0.1:0", on_accept, loop,
                          &listener) != RT_OK) {
        (void)fprintf(stderr, "cannot listen\n");
        return EXIT_FAILURE;
    }
    (void)printf("%s\n", rt_listener_address(listener));
    (void)fflush(stdout);
    return rt_loop_run(loop, NULL, NULL, RT_NEVER) == RT_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
