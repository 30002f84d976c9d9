/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz_etcd.h"
#include "fuzz_target.h"

/*
 * A connection to a fake etcd: HTTP/1, its gateway and its websockets, or gRPC, as the first bytes
 * say. Input: a byte (bit 0: etcd 3.4, bit 1: the peer goes at once when it has sent all), a byte
 * (size of the pieces, 0: all at once), then what the peer sends.
 */
#define RUN_US 2000000

#define IS_OLDER 1
#define IS_HASTY 2

struct fuzz {
    struct fuzz_etcd etcd;
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz fuzz = {0};

    if (size < 3) {
        return 0;
    }
    size_t piece_bytes = data[1] == 0 ? size : data[1];
    bool is_hasty = (data[0] & IS_HASTY) != 0;
    fuzz_etcd_start(&fuzz.etcd, (data[0] & IS_OLDER) != 0, 4096);
    FUZZ_CHECK(rt_network_connect(fuzz.etcd.network, "peer-1", FUZZ_ETCD_ADDRESS, &HANDLER, &fuzz,
                                  &fuzz.peer) == RT_OK);
    for (size_t at = 2; at < size && fuzz.peer != NULL;) {
        size_t len_bytes = piece_bytes < size - at ? piece_bytes : size - at;
        FUZZ_CHECK(rt_outbox_add(rt_stream_outbox(fuzz.peer), data + at, len_bytes) == RT_OK);
        rt_stream_flush(fuzz.peer);
        fuzz_etcd_run(&fuzz.etcd, 0);
        at += len_bytes;
    }
    fuzz_etcd_run(&fuzz.etcd, is_hasty ? 0 : RUN_US);
    rt_stream_destroy(fuzz.peer);
    fuzz_etcd_run(&fuzz.etcd, RUN_US);
    struct fakeetcd_counts counts;
    fakeetcd_server_counts(fuzz.etcd.server, &counts);
    FUZZ_CHECK(counts.connections == 0 && counts.watchers == 0);
    fuzz_etcd_stop(&fuzz.etcd);
    FUZZ_CHECK(rt_blob_live_count() == 0);
    return 0;
}
