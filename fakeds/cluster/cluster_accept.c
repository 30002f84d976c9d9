/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/cluster/cluster_internal.h"

#include "fakeds/connection/connection.h"
#include "wire/grpc/grpc_server.h"

#include <stdlib.h>

/* One port for clients and peers, as the real worker has it: ZMTP begins with 0xff, HTTP/2 with
 * "PRI". A client's connection begins when its first byte has come. */
struct fakeds__sniffer {
    struct fakeds__cluster *cluster;
    struct rt_stream *stream;     /* NULL: it is a peer's */
    struct grpc_connection *grpc; /* NULL: not known yet */
    struct rt_timer timer;
    TAILQ_ENTRY(fakeds__sniffer) others;
};

static void on_input(void *arg);
static void on_closed(void *arg, enum rt_status reason);
static void on_silence(void *arg);
static void become_peer(struct fakeds__sniffer *sniffer);
static void free_sniffer(struct fakeds__sniffer *sniffer);
static void on_call(void *arg, struct grpc_call *call);
static void on_message(void *arg, struct grpc_call *call, struct rt_slice message);
static void on_half_close(void *arg, struct grpc_call *call);
static void on_gone(void *arg, struct grpc_call *call, bool is_cancelled);
static void on_peer_closed(void *arg, enum rt_status reason, const char *detail);

#define SILENCE_US        (UINT64_C(30) * 1000000)
#define REQUEST_MAX_BYTES (UINT64_C(64) * 1024 * 1024)

static const struct rt_stream_handler SNIFF = {.on_input = on_input, .on_closed = on_closed};
static const struct grpc_connection_handler PEER = {.on_call = on_call,
                                                    .on_closed = on_peer_closed};
static const struct grpc_call_handler CALL = {
    .on_message = on_message, .on_half_close = on_half_close, .on_gone = on_gone};

void fakeds__accept_init(struct fakeds__cluster *cluster)
{
    TAILQ_INIT(&cluster->sniffers);
    TAILQ_INIT(&cluster->peers);
}

void fakeds__accept_fini(struct fakeds__cluster *cluster)
{
    while (!TAILQ_EMPTY(&cluster->sniffers)) {
        struct fakeds__sniffer *sniffer = TAILQ_FIRST(&cluster->sniffers);
        rt_stream_reset(sniffer->stream);
        free_sniffer(sniffer);
    }
    while (!TAILQ_EMPTY(&cluster->peers)) {
        struct fakeds__sniffer *sniffer = TAILQ_FIRST(&cluster->peers);
        grpc_connection_destroy(sniffer->grpc);
        free_sniffer(sniffer);
    }
}

void fakeds__cluster_accept(struct fakeds__cluster *cluster, struct rt_stream *stream)
{
    struct rt_loop *loop = cluster->worker->environment.loop;
    struct fakeds__sniffer *sniffer = calloc(1, sizeof(*sniffer));
    if (sniffer == NULL) {
        rt_stream_destroy(stream);
        return;
    }
    sniffer->cluster = cluster;
    sniffer->stream = stream;
    rt_timer_init(&sniffer->timer, loop, on_silence, sniffer);
    TAILQ_INSERT_TAIL(&cluster->sniffers, sniffer, others);
    rt_stream_set_handler(stream, &SNIFF, sniffer);
    if (rt_timer_arm_after(&sniffer->timer, SILENCE_US) != RT_OK) {
        on_silence(sniffer);
    }
}

static void on_input(void *arg)
{
    struct fakeds__sniffer *sniffer = arg;
    struct fakeds_worker *worker = sniffer->cluster->worker;
    struct rt_stream *stream = sniffer->stream;
    struct rt_slice first = rt_inbox_peek(rt_stream_inbox(stream), 1);
    if (first.len_bytes == 0) {
        return;
    }
    if (first.data[0] == 'P') {
        become_peer(sniffer);
        return;
    }
    free_sniffer(sniffer);
    fakeds__connection_accept(worker, stream); /* reads what is there already */
}

static void on_closed(void *arg, enum rt_status reason)
{
    (void)reason;
    on_silence(arg);
}

static void on_silence(void *arg)
{
    struct fakeds__sniffer *sniffer = arg;
    rt_stream_destroy(sniffer->stream);
    free_sniffer(sniffer);
}

static void free_sniffer(struct fakeds__sniffer *sniffer)
{
    rt_timer_disarm(&sniffer->timer);
    if (sniffer->grpc == NULL) {
        TAILQ_REMOVE(&sniffer->cluster->sniffers, sniffer, others);
    } else {
        TAILQ_REMOVE(&sniffer->cluster->peers, sniffer, others);
    }
    free(sniffer);
}

/* ---- peers ---------------------------------------------------------------------------------- */

static void become_peer(struct fakeds__sniffer *sniffer)
{
    struct grpc_server_options options;
    struct grpc_connection *grpc = NULL;
    grpc_server_options_init(&options);
    options.max_message_bytes = REQUEST_MAX_BYTES;
    rt_timer_disarm(&sniffer->timer);
    if (grpc_connection_accept(sniffer->cluster->worker->environment.loop, sniffer->stream,
                               &options, &PEER, sniffer, &grpc) != RT_OK) {
        free_sniffer(sniffer);
        return;
    }
    TAILQ_REMOVE(&sniffer->cluster->sniffers, sniffer, others);
    TAILQ_INSERT_TAIL(&sniffer->cluster->peers, sniffer, others);
    sniffer->stream = NULL;
    sniffer->grpc = grpc;
}

static void on_peer_closed(void *arg, enum rt_status reason, const char *detail)
{
    (void)reason;
    (void)detail;
    free_sniffer(arg);
}

static void on_call(void *arg, struct grpc_call *call)
{
    if (!rt_slice_is_text(grpc_call_path(call), FAKEDS__PEER_PATH)) {
        grpc_call_finish(call, GRPC_UNIMPLEMENTED, "unknown method");
        return;
    }
    grpc_call_set_handler(call, &CALL, arg);
}

static void on_message(void *arg, struct grpc_call *call, struct rt_slice message)
{
    struct fakeds__sniffer *sniffer = arg;
    DsPeer__Request *request = ds_peer__request__unpack(NULL, message.len_bytes, message.data);
    if (request == NULL) {
        grpc_call_finish(call, GRPC_INTERNAL, "the request cannot be parsed");
        return;
    }
    fakeds__serve(sniffer->cluster, request, call, NULL);
}

static void on_half_close(void *arg, struct grpc_call *call)
{
    (void)arg;
    (void)call;
}

/* What is still served for it goes on, and finds nobody to answer. */
static void on_gone(void *arg, struct grpc_call *call, bool is_cancelled)
{
    struct fakeds__sniffer *sniffer = arg;
    (void)is_cancelled;
    fakeds__serve_gone(sniffer->cluster, call);
}
