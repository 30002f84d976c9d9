/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/program/relay.h"

#include <bsd/sys/queue.h>
#include <stdlib.h>

/*
 *   client --accepted--> pair { near, far } --connect--> first member
 *   bytes: near's inbox --> far's outbox, and back; who cannot take more pauses the other
 *   either end gone: what is queued goes out on the other, then FIN
 */
enum { QUEUED_BYTES_MAX = 1 << 20, LISTENERS_MAX = 16 };

struct end {
    struct pair *pair;
    struct rt_stream *stream;
    bool is_connected;
    struct end *other;
};

struct pair {
    struct relay *relay;
    struct end near;
    struct end far;
    LIST_ENTRY(pair) others;
};

struct relay {
    struct rt_network *network;
    char *target;
    struct rt_listener *listeners[LISTENERS_MAX];
    size_t listener_count;
    LIST_HEAD(, pair) pairs;
};

static void on_accept(void *arg, struct rt_stream *stream);
static void on_connected(void *arg);
static void on_input(void *arg);
static void on_drained(void *arg);
static void on_closed(void *arg, enum rt_status reason);
static void move(struct end *from);
static void end_pair(struct pair *pair, bool is_reset);

static const struct rt_stream_handler HANDLER = {.on_connected = on_connected,
                                                 .on_input = on_input,
                                                 .on_drained = on_drained,
                                                 .on_closed = on_closed};

enum rt_status relay_create(struct rt_network *network, const char *const *addresses,
                            size_t address_count, const char *target, struct relay **out_relay)
{
    enum rt_status status = RT_E_NOMEM;
    struct relay *relay = calloc(1, sizeof(*relay));
    if (relay == NULL) {
        return status;
    }
    relay->network = network;
    relay->target = strdup(target);
    LIST_INIT(&relay->pairs);
    if (relay->target == NULL || address_count > LISTENERS_MAX) {
        goto destroy;
    }
    for (size_t i = 0; i < address_count; i++) {
        status = rt_network_listen(network, addresses[i], on_accept, relay, &relay->listeners[i]);
        if (status != RT_OK) {
            goto destroy;
        }
        relay->listener_count++;
    }
    *out_relay = relay;
    return RT_OK;

destroy:
    relay_destroy(relay);
    return status;
}

void relay_destroy(struct relay *relay)
{
    if (relay == NULL) {
        return;
    }
    while (!LIST_EMPTY(&relay->pairs)) {
        end_pair(LIST_FIRST(&relay->pairs), true);
    }
    for (size_t i = 0; i < relay->listener_count; i++) {
        rt_listener_destroy(relay->listeners[i]);
    }
    free(relay->target);
    free(relay);
}

const char *relay_address(const struct relay *relay)
{
    return rt_listener_address(relay->listeners[0]);
}

static void on_accept(void *arg, struct rt_stream *stream)
{
    struct relay *relay = arg;
    struct pair *pair = calloc(1, sizeof(*pair));
    if (pair == NULL) {
        rt_stream_reset(stream);
        return;
    }
    pair->relay = relay;
    pair->near =
        (struct end){.pair = pair, .stream = stream, .is_connected = true, .other = &pair->far};
    pair->far = (struct end){.pair = pair, .other = &pair->near};
    rt_stream_set_handler(stream, &HANDLER, &pair->near);
    LIST_INSERT_HEAD(&relay->pairs, pair, others);
    if (rt_network_connect(relay->network, rt_stream_peer(stream), relay->target, &HANDLER,
                           &pair->far, &pair->far.stream) != RT_OK) {
        pair->far.stream = NULL;
        end_pair(pair, true);
    }
}

static void on_connected(void *arg)
{
    struct end *far = arg;
    far->is_connected = true;
    move(far->other); /* what the client has said meanwhile */
}

static void on_input(void *arg)
{
    move(arg);
}

static void on_drained(void *arg)
{
    struct end *end = arg;
    rt_stream_pause(end->other->stream, false);
    move(end->other);
}

static void on_closed(void *arg, enum rt_status reason)
{
    struct end *end = arg;
    end_pair(end->pair, reason != RT_E_CLOSED); /* what came before a FIN has been moved */
}

static void move(struct end *from)
{
    struct end *to = from->other;
    if (!to->is_connected) {
        return;
    }
    struct rt_inbox *inbox = rt_stream_inbox(from->stream);
    struct rt_outbox *outbox = rt_stream_outbox(to->stream);
    struct rt_slice piece = rt_inbox_peek_piece(inbox);
    for (; piece.len_bytes > 0; piece = rt_inbox_peek_piece(inbox)) {
        if (rt_outbox_add(outbox, piece.data, piece.len_bytes) != RT_OK) {
            rt_stream_pause(from->stream, true); /* out of memory: go on when something is gone */
            return;
        }
        rt_inbox_drain(inbox, piece.len_bytes);
    }
    if (rt_outbox_len_bytes(outbox) > QUEUED_BYTES_MAX) {
        rt_stream_pause(from->stream, true);
    }
    rt_stream_flush(to->stream);
}

static void end_pair(struct pair *pair, bool is_reset)
{
    struct rt_stream *streams[] = {pair->near.stream, pair->far.stream};
    for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
        if (streams[i] == NULL) {
            continue;
        }
        if (is_reset) {
            rt_stream_reset(streams[i]);
        } else {
            rt_stream_close(streams[i]);
        }
    }
    LIST_REMOVE(pair, others);
    free(pair);
}
