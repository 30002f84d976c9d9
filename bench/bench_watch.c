/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long one write takes to reach many watchers of its key, until the last one has it:
 *
 *   bench_watch HOST:PORT WATCHERS   prints one JSON line
 *
 * All watchers are on one stream, put and watch on one connection, so that the server's fan-out is
 * what is measured, and the client's share is the same for every server.
 */
#include "wire/grpc/grpc_channel.h"
#include "wire/proto/etcd_rpc.pb-c.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS      9
#define PATIENCE_US UINT64_C(120000000)
#define KEY         "bench-watch"

struct bench {
    struct rt_loop *loop;
    struct grpc_channel *channel;
    uint64_t wanted; /* messages of the watch stream */
    uint64_t seen;
    bool is_put_done;
    bool is_broken;
};

static void on_watch_message(void *arg, struct rt_slice message);
static void on_watch_end(void *arg, const struct grpc_outcome *outcome);
static void on_put_message(void *arg, struct rt_slice message);
static void on_put_end(void *arg, const struct grpc_outcome *outcome);
static bool start_watchers(struct bench *bench, uint64_t count);
static bool put_once(struct bench *bench);
static bool has_all(void *arg);
static int compare(const void *a, const void *b);

static const struct grpc_request_handler ON_WATCH = {on_watch_message, on_watch_end};
static const struct grpc_request_handler ON_PUT = {on_put_message, on_put_end};

int main(int argument_count, char **arguments)
{
    struct bench bench = {0};
    struct rt_network *network = NULL;
    uint64_t times_us[ROUNDS];

    if (argument_count != 3 || strtoull(arguments[2], NULL, 10) == 0) {
        fputs("usage: bench_watch HOST:PORT WATCHERS\n", stderr);
        return 2;
    }
    uint64_t count = strtoull(arguments[2], NULL, 10);
    struct grpc_channel_options options = {
        .name = "bench", .address = arguments[1], .connect_timeout_us = 5000000};
    if (rt_loop_create(RT_LOOP_SOCKETS, &bench.loop) != RT_OK ||
        rt_network_create(bench.loop, &network) != RT_OK ||
        grpc_channel_create(bench.loop, network, &options, &bench.channel) != RT_OK ||
        !start_watchers(&bench, count)) {
        fputs("bench_watch: the watches cannot be made\n", stderr);
        return 4;
    }
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t begin_us = rt_loop_now_us(bench.loop);
        bench.seen = 0;
        bench.wanted = count;
        if (!put_once(&bench)) {
            fputs("bench_watch: an event was lost or the server is gone\n", stderr);
            return 4;
        }
        times_us[i] = rt_loop_now_us(bench.loop) - begin_us;
    }
    qsort(times_us, ROUNDS, sizeof(times_us[0]), compare);
    printf("{\"watchers\": %" PRIu64 ", \"median_ms\": %.2f, \"best_ms\": %.2f}\n", count,
           (double)times_us[ROUNDS / 2] / 1000, (double)times_us[0] / 1000);
    grpc_channel_destroy(bench.channel);
    rt_network_destroy(network);
    rt_loop_destroy(bench.loop);
    return 0;
}

static bool start_watchers(struct bench *bench, uint64_t count)
{
    struct grpc_request *stream = NULL;
    Etcdserverpb__WatchCreateRequest create = ETCDSERVERPB__WATCH_CREATE_REQUEST__INIT;
    Etcdserverpb__WatchRequest request = ETCDSERVERPB__WATCH_REQUEST__INIT;

    create.key = (ProtobufCBinaryData){.len = strlen(KEY), .data = (uint8_t *)KEY};
    request.request_union_case = ETCDSERVERPB__WATCH_REQUEST__REQUEST_UNION_CREATE_REQUEST;
    request.create_request = &create;
    if (grpc_request_start(bench->channel, "/etcdserverpb.Watch/Watch", NULL, 0, RT_NEVER,
                           &ON_WATCH, bench, &stream) != RT_OK) {
        return false;
    }
    bench->wanted = count;
    size_t len_bytes = protobuf_c_message_get_packed_size(&request.base);
    for (uint64_t i = 0; i < count; i++) {
        uint8_t *room = grpc_request_reserve(stream, len_bytes);
        if (room == NULL) {
            return false;
        }
        (void)protobuf_c_message_pack(&request.base, room);
    }
    bench->is_put_done = true;
    return rt_loop_run(bench->loop, has_all, bench, rt_loop_now_us(bench->loop) + PATIENCE_US) ==
               RT_OK &&
           !bench->is_broken;
}

static bool put_once(struct bench *bench)
{
    struct grpc_request *call = NULL;
    Etcdserverpb__PutRequest request = ETCDSERVERPB__PUT_REQUEST__INIT;

    request.key = (ProtobufCBinaryData){.len = strlen(KEY), .data = (uint8_t *)KEY};
    request.value = request.key;
    bench->is_put_done = false;
    if (grpc_request_start(bench->channel, "/etcdserverpb.KV/Put", NULL, 0, RT_NEVER, &ON_PUT,
                           bench, &call) != RT_OK) {
        return false;
    }
    uint8_t *room = grpc_request_reserve(call, protobuf_c_message_get_packed_size(&request.base));
    if (room == NULL) {
        return false;
    }
    (void)protobuf_c_message_pack(&request.base, room);
    grpc_request_half_close(call);
    return rt_loop_run(bench->loop, has_all, bench, rt_loop_now_us(bench->loop) + PATIENCE_US) ==
               RT_OK &&
           !bench->is_broken;
}

static void on_watch_message(void *arg, struct rt_slice message)
{
    struct bench *bench = arg;
    (void)message;
    bench->seen++;
}

static void on_watch_end(void *arg, const struct grpc_outcome *outcome)
{
    struct bench *bench = arg;
    fprintf(stderr, "bench_watch: the watch ended with %d: %s\n", (int)outcome->code,
            outcome->text);
    bench->is_broken = true;
}

static void on_put_message(void *arg, struct rt_slice message)
{
    (void)arg;
    (void)message;
}

static void on_put_end(void *arg, const struct grpc_outcome *outcome)
{
    struct bench *bench = arg;
    bench->is_put_done = true;
    bench->is_broken = bench->is_broken || outcome->code != GRPC_OK;
}

static bool has_all(void *arg)
{
    const struct bench *bench = arg;
    return bench->is_broken || (bench->seen >= bench->wanted && bench->is_put_done);
}

static int compare(const void *a, const void *b)
{
    const uint64_t *left = a;
    const uint64_t *right = b;
    return (*left > *right) - (*left < *right);
}
