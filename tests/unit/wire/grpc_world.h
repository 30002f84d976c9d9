/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_WIRE_GRPC_WORLD_H
#define TESTS_UNIT_WIRE_GRPC_WORLD_H

#include "wire/grpc/grpc_channel.h"
#include "wire/grpc/grpc_server.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/*
 * A server and who talks to it, on one loop. What the server does follows from the method:
 *
 *   /test.Echo/Unary    the message back, OK
 *   /test.Echo/Fail     no message, code 5, a text with umlaut and percent sign
 *   /test.Echo/Stream   each message back; OK at the half-close
 *   /test.Echo/Hold     nothing, until the test says so
 *   /test.Echo/HoldStream
 *   /test.Echo/Flood    streaming; keeps 3 MiB queued in messages of 64 KiB, until 64 are out
 *   anything else       code 12
 */
#define WORLD_MAX_MESSAGE_BYTES ((uint64_t)2 * 1024 * 1024)
#define WORLD_FAIL_TEXT         "nicht da: 100% \xc3\xbc"
#define FLOOD_MESSAGE_BYTES     ((size_t)64 * 1024)
#define FLOOD_MESSAGE_COUNT     64

struct world {
    struct rt_loop *loop;
    struct rt_network *network;
    struct rt_listener *listener;
    struct grpc_server_options options;
    struct grpc_channel *channel;
    struct rt_tls_context *tls; /* of the server; NULL: plain */

    struct grpc_connection *connection; /* the newest */
    size_t accepted_count;
    size_t closed_count;
    enum rt_status closed_reason;
    char closed_detail[200];

    struct grpc_call *held; /* the newest of Hold, HoldStream */
    size_t call_count;
    size_t message_count;
    size_t half_close_count;
    size_t gone_count;
    size_t cancelled_count;
    size_t flood_left_count;
    size_t drained_count;
    enum grpc_spoil_kind spoil; /* of every call that comes */
    uint64_t spoil_number;
    char seen_metadata[64]; /* value of "token" */
    uint64_t seen_deadline_us;
    bool must_destroy_in_call;
    bool must_destroy_in_message;
    bool must_destroy_in_gone;
};

void world_init(struct world *world, enum rt_loop_mode mode);
/* Everything goes; then nothing is left on the network and no blob. */
void world_fini(struct world *world);
/* Until nothing happens any more (simulated), or for a short while. */
void world_run(struct world *world);

/* One request of the world's channel, and what came of it. */
struct asked {
    struct grpc_request *request; /* NULL: ended */
    size_t message_count;
    size_t message_bytes;
    uint8_t first[64]; /* of the first message */
    size_t first_bytes;
    uint8_t checksum; /* XOR of all bytes */
    bool is_ended;
    int32_t code;
    bool is_from_server;
    char text[200];
};

void ask_start(struct world *world, struct asked *asked, const char *path, uint64_t deadline_us);
void ask_send(struct asked *asked, const void *data, size_t len_bytes);
void ask_half_close(struct asked *asked);
/* A whole unary call, until it has ended. */
void ask(struct world *world, struct asked *asked, const char *path, const char *message);
/* Runs until it has ended; fails when it does not. */
void ask_wait(struct world *world, struct asked *asked);

#endif
