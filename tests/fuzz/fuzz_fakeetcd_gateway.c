/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/server.h"
#include "fuzz_target.h"

/*
 * A connection to a fake etcd: HTTP/1, its gateway and its websockets, or gRPC, as the first bytes
 * say. Input: a byte (bit 0: etcd 3.4, bit 1: the peer goes at once when it has sent all), a byte
 * (size of the pieces, 0: all at once), then what the peer sends.
 */
#define RUN_US  2000000
#define ADDRESS "10.0.2.1:2379"

#define IS_OLDER 1
#define IS_HASTY 2

struct fuzz {
    struct rt_loop *loop;
    struct rt_network *network;
    struct fakeetcd_server *server;
    struct rt_stream *peer; /* NULL: closed */
};

static void on_input(void *arg)
{
    struct fuzz *fuzz = arg;
    struct rt_inbox *inbox = rt_stream_inbox(fuzz->peer);

    rt_inbox_drain(inbox, rt_inbox_len_bytes(inbox));
}

static void on_closed(void *arg, enum rt_status reason)
{
    struct fuzz *fuzz = arg;

    (void)reason;
    rt_stream_destroy(fuzz->peer);
    fuzz->peer = NULL;
}

static const struct rt_stream_handler HANDLER = {.on_input = on_input, .on_closed = on_closed};

static void run(struct fuzz *fuzz, uint64_t time_us)
{
    enum rt_status status =
        rt_loop_run(fuzz->loop, NULL, NULL, rt_loop_now_us(fuzz->loop) + time_us);

    FUZZ_CHECK(status != RT_E_STUCK);
}

static void start(struct fuzz *fuzz, bool is_older)
{
    static const char *const addresses[] = {ADDRESS};
    struct fakeetcd_options options;
    char error[200];

    FUZZ_CHECK(rt_loop_create(RT_LOOP_SIMULATED, &fuzz->loop) == RT_OK);
    FUZZ_CHECK(rt_network_create(fuzz->loop, &fuzz->network) == RT_OK);
    struct fakeetcd_environment environment = {
        .loop = fuzz->loop, .network = fuzz->network, .seed = 1};
    fakeetcd_options_init(&options);
    options.name = "etcd-1";
    options.addresses = addresses;
    options.address_count = 1;
    options.max_request_bytes = 4096;
    if (is_older) {
        options.profile = fakeetcd_profile_find("etcd-3.4");
    }
    FUZZ_CHECK(fakeetcd_server_create(&environment, &options, &fuzz->server, error,
                                      sizeof(error)) == RT_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz fuzz = {0};

    if (size < 3) {
        return 0;
    }
    size_t piece_bytes = data[1] == 0 ? size : data[1];
    bool is_hasty = (data[0] & IS_HASTY) != 0;
    start(&fuzz, (data[0] & IS_OLDER) != 0);
    FUZZ_CHECK(rt_network_connect(fuzz.network, "peer-1", ADDRESS, &HANDLER, &fuzz, &fuzz.peer) ==
               RT_OK);
    for (size_t at = 2; at < size && fuzz.peer != NULL;) {
        size_t len_bytes = piece_bytes < size - at ? piece_bytes : size - at;
        FUZZ_CHECK(rt_outbox_add(rt_stream_outbox(fuzz.peer), data + at, len_bytes) == RT_OK);
        rt_stream_flush(fuzz.peer);
        run(&fuzz, 0);
        at += len_bytes;
    }
    run(&fuzz, is_hasty ? 0 : RUN_US);
    rt_stream_destroy(fuzz.peer);
    run(&fuzz, RUN_US);
    struct fakeetcd_counts counts;
    fakeetcd_server_counts(fuzz.server, &counts);
    FUZZ_CHECK(counts.connections == 0 && counts.watchers == 0);
    fakeetcd_server_destroy(fuzz.server);
    FUZZ_CHECK(rt_network_live_count(fuzz.network) == 0);
    rt_network_destroy(fuzz.network);
    rt_loop_destroy(fuzz.loop);
    FUZZ_CHECK(rt_blob_live_count() == 0);
    return 0;
}
