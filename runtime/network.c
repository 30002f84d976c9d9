/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/network_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void on_report(void *arg);
static void release(struct rt_stream *stream, bool is_reset);

/* ---- network ------------------------------------------------------------------------------ */

enum rt_status rt_network_create(struct rt_loop *loop, struct rt_network **out_network)
{
    struct rt_network *network = calloc(1, sizeof(*network));

    if (network == NULL) {
        return RT_E_NOMEM;
    }
    network->loop = loop;
    network->backend = rt_loop_mode(loop) == RT_LOOP_SIMULATED ? &rt__simulated : &rt__sockets;
    LIST_INIT(&network->lingering);
    *out_network = network;
    return RT_OK;
}

void rt_network_destroy(struct rt_network *network)
{
    if (network == NULL) {
        return;
    }
    assert(network->live_count == 0);
    while (!LIST_EMPTY(&network->lingering)) {
        struct rt_stream *stream = LIST_FIRST(&network->lingering);

        stream->backend->stop(stream, false);
        rt__stream_free(stream);
    }
    free(network);
}

void rt_network_set_latency(struct rt_network *network, uint64_t latency_us)
{
    network->latency_us = latency_us;
}

size_t rt_network_live_count(const struct rt_network *network)
{
    return network->live_count;
}

/* ---- listeners ---------------------------------------------------------------------------- */

enum rt_status rt_network_listen(struct rt_network *network, const char *address,
                                 rt_accept_fn *on_accept, void *arg,
                                 struct rt_listener **out_listener)
{
    struct rt_listener *listener;
    enum rt_status status = network->backend->listen(network, address, &listener);

    if (status != RT_OK) {
        return status;
    }
    listener->on_accept = on_accept;
    listener->arg = arg;
    *out_listener = listener;
    return RT_OK;
}

const char *rt_network_listen_problem(enum rt_status status)
{
    switch (status) {
    case RT_E_INVALID:
        return "not an IP address with a port";
    case RT_E_IO:
        return strerror(errno);
    default:
        return rt_status_text(status);
    }
}

enum rt_status rt__listener_init(struct rt_listener *listener, struct rt_network *network,
                                 const char *address)
{
    listener->network = network;
    listener->address = strdup(address);
    if (listener->address == NULL) {
        return RT_E_NOMEM;
    }
    network->live_count++;
    return RT_OK;
}

const char *rt_listener_address(const struct rt_listener *listener)
{
    return listener->address;
}

void rt_listener_destroy(struct rt_listener *listener)
{
    if (listener != NULL) {
        listener->network->backend->unlisten(listener);
    }
}

void rt__listener_fini(struct rt_listener *listener)
{
    listener->network->live_count--;
    free(listener->address);
}

/* ---- streams ------------------------------------------------------------------------------ */

enum rt_status rt_network_connect(struct rt_network *network, const char *name, const char *address,
                                  const struct rt_stream_handler *handler, void *arg,
                                  struct rt_stream **out_stream)
{
    struct rt_stream *stream;
    enum rt_status status = network->backend->connect(network, name, address, &stream);

    if (status != RT_OK) {
        return status;
    }
    rt_stream_set_handler(stream, handler, arg);
    *out_stream = stream;
    return RT_OK;
}

enum rt_status rt__stream_init(struct rt_stream *stream, struct rt_network *network,
                               const char *peer)
{
    stream->network = network;
    stream->backend = network->backend;
    stream->peer = strdup(peer);
    stream->inbox = rt_inbox_create();
    stream->outbox = rt_outbox_create();
    rt_task_init(&stream->report_task, network->loop, on_report, stream);
    if (stream->peer == NULL || stream->inbox == NULL || stream->outbox == NULL) {
        free(stream->peer);
        rt_inbox_destroy(stream->inbox);
        rt_outbox_destroy(stream->outbox);
        return RT_E_NOMEM;
    }
    network->live_count++;
    return RT_OK;
}

void rt_stream_set_handler(struct rt_stream *stream, const struct rt_stream_handler *handler,
                           void *arg)
{
    stream->handler = *handler;
    stream->arg = arg;
}

struct rt_inbox *rt_stream_inbox(struct rt_stream *stream)
{
    return stream->inbox;
}

struct rt_outbox *rt_stream_outbox(struct rt_stream *stream)
{
    return stream->outbox;
}

const char *rt_stream_peer(const struct rt_stream *stream)
{
    return stream->peer;
}

void rt_stream_flush(struct rt_stream *stream)
{
    stream->backend->flush(stream);
}

void rt_stream_pause(struct rt_stream *stream, bool paused)
{
    if (stream->is_paused != paused) {
        stream->is_paused = paused;
        stream->backend->pause(stream);
    }
}

/* ---- telling the owner -------------------------------------------------------------------- */

void rt__stream_tell(struct rt_stream *stream, enum rt__report report)
{
    const struct rt_stream_handler *handler = &stream->handler;
    void (*told)(void *arg) = report == RT__REPORT_CONNECTED ? handler->on_connected
                              : report == RT__REPORT_INPUT   ? handler->on_input
                                                             : handler->on_drained;

    if (stream->is_lingering) {
        return;
    }
    if (report == RT__REPORT_CLOSED) {
        if (handler->on_closed != NULL) {
            handler->on_closed(stream->arg, stream->close_reason);
        }
    } else if (told != NULL) {
        told(stream->arg);
    }
}

void rt__stream_report(struct rt_stream *stream, enum rt__report report)
{
    stream->reports |= (unsigned)report;
    rt_task_schedule(&stream->report_task);
}

void rt__stream_end(struct rt_stream *stream, enum rt_status reason)
{
    if (!stream->is_ended) {
        stream->is_ended = true;
        stream->close_reason = reason;
        rt__stream_report(stream, RT__REPORT_CLOSED);
    }
}

/* One a time, because any of them may be the stream's last. */
static void on_report(void *arg)
{
    struct rt_stream *stream = arg;
    unsigned first = stream->reports & (0U - stream->reports);

    stream->reports &= ~first;
    if (stream->reports != 0) {
        rt_task_schedule(&stream->report_task);
    }
    rt__stream_tell(stream, (enum rt__report)first);
}

/* ---- the end of a stream ------------------------------------------------------------------ */

void rt_stream_close(struct rt_stream *stream)
{
    release(stream, false);
}

void rt_stream_reset(struct rt_stream *stream)
{
    release(stream, true);
}

void rt_stream_destroy(struct rt_stream *stream)
{
    if (stream != NULL) {
        release(stream, true);
    }
}

/* The only place where an owner lets go. */
static void release(struct rt_stream *stream, bool is_reset)
{
    struct rt_network *network = stream->network;

    assert(!stream->is_lingering);
    network->live_count--;
    stream->is_lingering = true;
    rt_task_cancel(&stream->report_task);
    LIST_INSERT_HEAD(&network->lingering, stream, entry);
    if (is_reset || !stream->backend->linger(stream)) {
        stream->backend->stop(stream, is_reset);
        rt__stream_free(stream);
    }
}

void rt__stream_free(struct rt_stream *stream)
{
    if (stream->is_lingering) {
        LIST_REMOVE(stream, entry);
    } else {
        stream->network->live_count--;
    }
    rt_task_cancel(&stream->report_task);
    rt_inbox_destroy(stream->inbox);
    rt_outbox_destroy(stream->outbox);
    free(stream->peer);
    free(stream);
}
