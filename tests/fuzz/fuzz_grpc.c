/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz_target.h"
#include "wire/grpc/grpc_channel.h"
#include "wire/grpc/grpc_server.h"

#include <string.h>

/*
 * A peer's HTTP/2 bytes, hostile ones, on a simulated network. Input: a byte (bit 0: we are the
 * client, bit 1: the older server, bit 2: methods are streaming, bit 3: answers drip or are cut),
 * a byte (size of the pieces, 0: all at once), then the peer's stream; the preface is put before
 * it when the peer is a client.
 */
#define RUN_US      1000000
#define DEADLINE_US 500000
#define ADDRESS     "127.0.0.1:2379"

#define IS_CLIENT    1
#define IS_OLDER     2
#define IS_STREAMING 4
#define IS_SPOILT    8

struct fuzz {
    struct rt_loop *loop;
    struct rt_network *network;
    struct rt_stream *peer; /* who sends the input; NULL: closed */
    struct grpc_connection *connection;
    uint8_t flags;
    size_t open_count; /* calls that have come and not gone */
    size_t ended_count;
};

static void serve(struct fuzz *fuzz, const uint8_t *data, size_t size, size_t piece_bytes);
static void ask(struct fuzz *fuzz, const uint8_t *data, size_t size, size_t piece_bytes);
static void feed(struct fuzz *fuzz, const uint8_t *data, size_t size, size_t piece_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz fuzz = {0};
    if (size < 2) {
        return 0;
    }
    fuzz.flags = data[0];
    FUZZ_CHECK(rt_loop_create(RT_LOOP_SIMULATED, &fuzz.loop) == RT_OK);
    FUZZ_CHECK(rt_network_create(fuzz.loop, &fuzz.network) == RT_OK);
    if ((fuzz.flags & IS_CLIENT) != 0) {
        ask(&fuzz, data + 2, size - 2, data[1] == 0 ? size : data[1]);
    } else {
        serve(&fuzz, data + 2, size - 2, data[1] == 0 ? size : data[1]);
    }
    FUZZ_CHECK(rt_network_live_count(fuzz.network) == 0);
    rt_network_destroy(fuzz.network);
    rt_loop_destroy(fuzz.loop);
    FUZZ_CHECK(rt_blob_live_count() == 0);
    return 0;
}

/* ---- the peer ----------------------------------------------------------------------------- */

static void on_peer_input(void *arg)
{
    struct fuzz *fuzz = arg;
    struct rt_inbox *inbox = rt_stream_inbox(fuzz->peer);

    rt_inbox_drain(inbox, rt_inbox_len_bytes(inbox));
}

static void on_peer_closed(void *arg, enum rt_status reason)
{
    struct fuzz *fuzz = arg;

    (void)reason;
    rt_stream_destroy(fuzz->peer);
    fuzz->peer = NULL;
}

static const struct rt_stream_handler peer_handler = {.on_input = on_peer_input,
                                                      .on_closed = on_peer_closed};

static void run(struct fuzz *fuzz, uint64_t time_us)
{
    enum rt_status status =
        rt_loop_run(fuzz->loop, NULL, NULL, rt_loop_now_us(fuzz->loop) + time_us);

    FUZZ_CHECK(status != RT_E_STUCK);
}

static void feed(struct fuzz *fuzz, const uint8_t *data, size_t size, size_t piece_bytes)
{
    while (size > 0 && fuzz->peer != NULL) {
        size_t len_bytes = piece_bytes < size ? piece_bytes : size;

        FUZZ_CHECK(rt_outbox_add(rt_stream_outbox(fuzz->peer), data, len_bytes) == RT_OK);
        rt_stream_flush(fuzz->peer);
        data += len_bytes;
        size -= len_bytes;
        run(fuzz, 0);
    }
    run(fuzz, RUN_US);
    rt_stream_destroy(fuzz->peer);
    fuzz->peer = NULL;
    run(fuzz, RUN_US);
}

/* ---- our server --------------------------------------------------------------------------- */

static void on_message(void *arg, struct grpc_call *call, struct rt_slice message)
{
    struct fuzz *fuzz = arg;
    uint8_t *room = grpc_call_reserve(call, message.len_bytes);

    FUZZ_CHECK(room != NULL);
    if (message.len_bytes > 0) {
        memcpy(room, message.data, message.len_bytes);
    }
    if ((fuzz->flags & IS_STREAMING) == 0) {
        grpc_call_finish(call, GRPC_OK, "");
    }
}

static void on_half_close(void *arg, struct grpc_call *call)
{
    (void)arg;
    grpc_call_finish(call, GRPC_NOT_FOUND, "gone");
}

static void on_gone(void *arg, struct grpc_call *call, bool is_cancelled)
{
    struct fuzz *fuzz = arg;

    (void)call;
    (void)is_cancelled;
    FUZZ_CHECK(fuzz->open_count > 0);
    fuzz->open_count--;
}

static const struct grpc_call_handler call_handler = {
    .on_message = on_message, .on_half_close = on_half_close, .on_gone = on_gone};

static void on_call(void *arg, struct grpc_call *call)
{
    struct fuzz *fuzz = arg;
    struct rt_slice path = grpc_call_path(call);

    FUZZ_CHECK(path.len_bytes > 1);
    fuzz->open_count++;
    grpc_call_set_handler(call, &call_handler, fuzz);
    if ((fuzz->flags & IS_STREAMING) != 0) {
        grpc_call_set_streaming(call);
    }
    if ((fuzz->flags & IS_SPOILT) != 0) {
        grpc_call_spoil(call, path.len_bytes % 2 == 0 ? GRPC_SPOIL_DRIP : GRPC_SPOIL_TRUNCATE, 20);
    }
}

static void on_closed(void *arg, enum rt_status reason, const char *detail)
{
    struct fuzz *fuzz = arg;

    (void)reason;
    FUZZ_CHECK(fuzz->open_count == 0);
    FUZZ_CHECK(detail != NULL);
    fuzz->connection = NULL;
}

static const struct grpc_connection_handler connection_handler = {.on_call = on_call,
                                                                  .on_closed = on_closed};

static void on_accept_server(void *arg, struct rt_stream *stream)
{
    struct fuzz *fuzz = arg;
    struct grpc_server_options options;

    grpc_server_options_init(&options);
    options.max_message_bytes = 4096;
    if ((fuzz->flags & IS_OLDER) != 0) {
        options.profile = &grpc_server_profile_1_26;
    }
    FUZZ_CHECK(grpc_connection_accept(fuzz->loop, stream, &options, &connection_handler, fuzz,
                                      &fuzz->connection) == RT_OK);
}

static void serve(struct fuzz *fuzz, const uint8_t *data, size_t size, size_t piece_bytes)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0";
    struct rt_listener *listener;

    FUZZ_CHECK(rt_network_listen(fuzz->network, ADDRESS, on_accept_server, fuzz, &listener) ==
               RT_OK);
    FUZZ_CHECK(rt_network_connect(fuzz->network, "peer-1", ADDRESS, &peer_handler, fuzz,
                                  &fuzz->peer) == RT_OK);
    FUZZ_CHECK(rt_outbox_add(rt_stream_outbox(fuzz->peer), preface, sizeof(preface)) == RT_OK);
    rt_stream_flush(fuzz->peer);
    feed(fuzz, data, size, piece_bytes);
    FUZZ_CHECK(fuzz->connection == NULL);
    FUZZ_CHECK(fuzz->open_count == 0);
    rt_listener_destroy(listener);
}

/* ---- our client --------------------------------------------------------------------------- */

static void on_answer(void *arg, struct rt_slice message)
{
    (void)arg;
    (void)message;
}

static void on_end(void *arg, const struct grpc_outcome *outcome)
{
    struct fuzz *fuzz = arg;

    FUZZ_CHECK(outcome->text != NULL);
    fuzz->ended_count++;
}

static const struct grpc_request_handler request_handler = {on_answer, on_end};

static void on_accept_peer(void *arg, struct rt_stream *stream)
{
    struct fuzz *fuzz = arg;

    if (fuzz->peer != NULL) {
        rt_stream_destroy(stream);
        return;
    }
    rt_stream_set_handler(stream, &peer_handler, fuzz);
    fuzz->peer = stream;
}

/* Three requests; whatever the peer says, each ends once, at its deadline at the latest. */
static void ask(struct fuzz *fuzz, const uint8_t *data, size_t size, size_t piece_bytes)
{
    struct grpc_channel_options options = {
        .name = "client-1", .address = ADDRESS, .connect_timeout_us = RUN_US};
    struct grpc_channel *channel;
    struct rt_listener *listener;

    FUZZ_CHECK(rt_network_listen(fuzz->network, ADDRESS, on_accept_peer, fuzz, &listener) == RT_OK);
    FUZZ_CHECK(grpc_channel_create(fuzz->loop, fuzz->network, &options, &channel) == RT_OK);
    for (int i = 0; i < 3; i++) {
        struct grpc_request *request;
        uint8_t *room;

        FUZZ_CHECK(grpc_request_start(channel, "/a.B/C", NULL, 0, DEADLINE_US, &request_handler,
                                      fuzz, &request) == RT_OK);
        room = grpc_request_reserve(request, 1);
        FUZZ_CHECK(room != NULL);
        *room = 'x';
        grpc_request_half_close(request);
    }
    run(fuzz, 0);
    feed(fuzz, data, size, piece_bytes);
    FUZZ_CHECK(fuzz->ended_count == 3);
    grpc_channel_destroy(channel);
    run(fuzz, RUN_US);
    rt_listener_destroy(listener);
    run(fuzz, 0);
}
