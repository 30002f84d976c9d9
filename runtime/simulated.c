/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/network_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * A connection is a pair of streams that point at each other. What is on its way to a stream
 * waits in that stream's queue of arrivals, in order, each with the time it is due:
 *
 *   connecting side:  SYN ----> listener there? --yes--> CONNECTED --> DATA ... --> FIN or RST
 *                                    '-----------no----> REFUSED
 *   accepted side:    DATA ... --> FIN or RST
 *
 * One arrival is handled per event of the loop, and telling the owner is the last thing done, so
 * the owner may do anything to the stream. While paused, everything but the set-up waits.
 */
enum arrival_kind {
    ARRIVAL_SYN,
    ARRIVAL_CONNECTED,
    ARRIVAL_REFUSED,
    ARRIVAL_DATA,
    ARRIVAL_FIN,
    ARRIVAL_RST
};

struct arrival {
    enum arrival_kind kind;
    uint64_t due_us;
    uint64_t order;   /* its place among events of the same time */
    size_t len_bytes; /* DATA: how much of `under_way` */
};

struct sim_stream {
    struct rt_stream base;
    struct sim_stream *other; /* NULL before the SYN arrived and after the other side let go */
    char *name;               /* who connects; NULL for the accepted side */
    bool is_connected;
    bool is_flush_wanted; /* before it was connected */
    bool is_drain_wanted; /* on_drained waits for the other side to take what it was sent */
    struct rt_outbox *under_way;
    struct arrival *arrivals;
    size_t first;
    size_t count;
    size_t capacity_count;
    struct rt_task due_task;
    struct rt_timer due_timer;
};

/* What a paused receiver's system would take before the sender feels it. */
#define WINDOW_BYTES ((size_t)256 * 1024)

#define FIRST_FREE_PORT        40000U
#define FIRST_CAPACITY_COUNT   8
#define SIM_ADDRESS_TEXT_BYTES 300

static struct sim_stream *sim_of(struct rt_stream *stream);
static struct sim_stream *sim_create(struct rt_network *network, const char *peer);
static void sim_free(struct sim_stream *sim);

static void push(struct sim_stream *sim, enum arrival_kind kind, size_t len_bytes);
static bool make_room(struct sim_stream *sim);
static void arm(struct sim_stream *sim);
static void on_due(void *arg);

static void on_syn(struct sim_stream *sim);
static void accept_from(struct sim_stream *sim, struct rt_listener *listener);
static void refuse(struct sim_stream *sim);
static void on_connected(struct sim_stream *sim);
static void on_data(struct sim_stream *sim, size_t len_bytes);

static void send_outbox(struct sim_stream *sim);
static enum rt_status pick_port(struct rt_network *network, const char *address, size_t host_bytes,
                                char out_text[SIM_ADDRESS_TEXT_BYTES]);

/* ---- listeners ---------------------------------------------------------------------------- */

static enum rt_status sim_listen(struct rt_network *network, const char *address,
                                 struct rt_listener **out_listener)
{
    char text[SIM_ADDRESS_TEXT_BYTES];
    struct rt_listener *listener;
    size_t host_bytes;
    unsigned port;
    enum rt_status status = RT_OK;

    if (!rt__address_port(address, &host_bytes, &port)) {
        return RT_E_INVALID;
    }
    if (port == 0) {
        status = pick_port(network, address, host_bytes, text);
        address = text;
    }
    if (status != RT_OK) {
        return status;
    }
    RT_TABLE_FIND_BYTES(network->listeners, address, strlen(address), listener);
    if (listener != NULL) {
        return RT_E_BUSY;
    }
    listener = calloc(1, sizeof(*listener));
    if (listener == NULL || rt__listener_init(listener, network, address) != RT_OK) {
        free(listener);
        return RT_E_NOMEM;
    }
    RT_TABLE_ADD_BYTES(network->listeners, listener, listener->address, strlen(address), &status);
    if (status != RT_OK) {
        rt__listener_fini(listener);
        free(listener);
        return status;
    }
    *out_listener = listener;
    return RT_OK;
}

/* Counts up, so that the same run gets the same ports. */
static enum rt_status pick_port(struct rt_network *network, const char *address, size_t host_bytes,
                                char out_text[SIM_ADDRESS_TEXT_BYTES])
{
    for (unsigned tries = FIRST_FREE_PORT; tries <= UINT16_MAX; tries++) {
        struct rt_listener *taken;
        int len;

        if (network->next_port < FIRST_FREE_PORT || network->next_port > UINT16_MAX) {
            network->next_port = FIRST_FREE_PORT;
        }
        len = snprintf(out_text, SIM_ADDRESS_TEXT_BYTES, "%.*s:%u", (int)host_bytes, address,
                       network->next_port++);
        if (len < 0 || len >= SIM_ADDRESS_TEXT_BYTES) {
            return RT_E_INVALID;
        }
        RT_TABLE_FIND_BYTES(network->listeners, out_text, (size_t)len, taken);
        if (taken == NULL) {
            return RT_OK;
        }
    }
    return RT_E_BUSY;
}

static void sim_unlisten(struct rt_listener *listener)
{
    RT_TABLE_REMOVE(listener->network->listeners, listener);
    rt__listener_fini(listener);
    free(listener);
}

/* ---- life --------------------------------------------------------------------------------- */

static struct sim_stream *sim_of(struct rt_stream *stream)
{
    return (struct sim_stream *)stream; /* its first member */
}

static struct sim_stream *sim_create(struct rt_network *network, const char *peer)
{
    struct sim_stream *sim = calloc(1, sizeof(*sim));

    if (sim == NULL) {
        return NULL;
    }
    sim->under_way = rt_outbox_create();
    sim->arrivals = malloc(FIRST_CAPACITY_COUNT * sizeof(*sim->arrivals));
    sim->capacity_count = FIRST_CAPACITY_COUNT;
    if (sim->under_way == NULL || sim->arrivals == NULL ||
        rt__stream_init(&sim->base, network, peer) != RT_OK) {
        rt_outbox_destroy(sim->under_way);
        free(sim->arrivals);
        free(sim);
        return NULL;
    }
    rt_task_init(&sim->due_task, network->loop, on_due, sim);
    rt_timer_init(&sim->due_timer, network->loop, on_due, sim);
    return sim;
}

static enum rt_status sim_connect(struct rt_network *network, const char *name, const char *address,
                                  struct rt_stream **out_stream)
{
    struct sim_stream *sim;
    size_t host_bytes;
    unsigned port;

    if (!rt__address_port(address, &host_bytes, &port)) {
        return RT_E_INVALID;
    }
    sim = sim_create(network, address);
    if (sim == NULL) {
        return RT_E_NOMEM;
    }
    sim->name = strdup(name);
    if (sim->name == NULL) {
        sim_free(sim);
        return RT_E_NOMEM;
    }
    push(sim, ARRIVAL_SYN, 0);
    *out_stream = &sim->base;
    return RT_OK;
}

static void sim_stop(struct rt_stream *stream, bool is_reset)
{
    struct sim_stream *sim = sim_of(stream);

    if (sim->other != NULL) {
        struct sim_stream *other = sim->other;

        if (!is_reset) {
            send_outbox(sim);
        }
        sim->other = NULL;
        other->other = NULL;
        push(other, is_reset ? ARRIVAL_RST : ARRIVAL_FIN, 0);
    }
    rt_task_cancel(&sim->due_task);
    rt_timer_disarm(&sim->due_timer);
    rt_outbox_destroy(sim->under_way);
    free(sim->arrivals);
    free(sim->name);
}

static void sim_free(struct sim_stream *sim)
{
    sim_stop(&sim->base, true);
    rt__stream_free(&sim->base);
}

/* A connection that has not arrived yet must, with its bytes, before its FIN can. */
static bool sim_linger(struct rt_stream *stream)
{
    struct sim_stream *sim = sim_of(stream);

    return sim->name != NULL && sim->count > 0 && sim->arrivals[sim->first].kind == ARRIVAL_SYN;
}

/* ---- arrivals ----------------------------------------------------------------------------- */

static void push(struct sim_stream *sim, enum arrival_kind kind, size_t len_bytes)
{
    struct rt_loop *loop = sim->base.network->loop;
    uint64_t latency_us = sim->base.network->latency_us;
    uint64_t now_us = rt_loop_now_us(loop);
    uint64_t due_us = latency_us > RT_NEVER - 1 - now_us ? RT_NEVER - 1 : now_us + latency_us;
    struct arrival *last = sim->count == 0 ? NULL : &sim->arrivals[sim->first + sim->count - 1];

    if (last != NULL && last->due_us > due_us) {
        due_us = last->due_us; /* a stream never overtakes itself, even when latency falls */
    }
    if (last != NULL && last->kind == ARRIVAL_DATA && kind == ARRIVAL_DATA &&
        last->due_us == due_us) {
        last->len_bytes += len_bytes;
        return;
    }
    if (!make_room(sim)) {
        /* Without memory the connection is lost, the way a real one would be. */
        sim->count = 1;
        kind = ARRIVAL_RST;
        sim->first = 0;
    } else {
        sim->count++;
    }
    sim->arrivals[sim->first + sim->count - 1] =
        (struct arrival){kind, due_us, rt__timer_draw_order(loop), len_bytes};
    if (sim->count == 1) {
        arm(sim);
    }
}

static bool make_room(struct sim_stream *sim)
{
    size_t capacity_count = sim->capacity_count * 2;
    struct arrival *arrivals;

    if (sim->first + sim->count < sim->capacity_count) {
        return true;
    }
    if (sim->first >= sim->capacity_count / 2) {
        memmove(sim->arrivals, sim->arrivals + sim->first, sim->count * sizeof(*arrivals));
        sim->first = 0;
        return true;
    }
    arrivals = realloc(sim->arrivals, capacity_count * sizeof(*arrivals));
    if (arrivals == NULL) {
        return false;
    }
    sim->arrivals = arrivals;
    sim->capacity_count = capacity_count;
    return true;
}

/* Makes sure that the first arrival is handled when it is due, or waits while paused. */
static void arm(struct sim_stream *sim)
{
    const struct arrival *arrival = &sim->arrivals[sim->first];
    bool is_held = sim->base.is_paused && sim->count > 0 && arrival->kind >= ARRIVAL_DATA;

    if (sim->count == 0 || is_held) {
        rt_task_cancel(&sim->due_task);
        rt_timer_disarm(&sim->due_timer);
        return;
    }
    if (arrival->due_us <= rt_loop_now_us(sim->base.network->loop) ||
        rt__timer_arm_in_order(&sim->due_timer, arrival->due_us, arrival->order) != RT_OK) {
        rt_task_schedule(&sim->due_task);
    }
}

static void on_due(void *arg)
{
    struct sim_stream *sim = arg;
    struct arrival arrival;

    assert(sim->count > 0);
    arrival = sim->arrivals[sim->first];
    sim->count--;
    sim->first = sim->count == 0 ? 0 : sim->first + 1;
    switch (arrival.kind) {
    case ARRIVAL_SYN:
        on_syn(sim);
        return;
    case ARRIVAL_CONNECTED:
        on_connected(sim);
        return;
    case ARRIVAL_DATA:
        on_data(sim, arrival.len_bytes);
        return;
    case ARRIVAL_REFUSED:
        rt__stream_end(&sim->base, RT_E_REFUSED);
        return;
    case ARRIVAL_FIN:
        rt__stream_end(&sim->base, RT_E_CLOSED);
        return;
    case ARRIVAL_RST:
        rt__stream_end(&sim->base, RT_E_RESET);
        return;
    }
}

/* ---- setting up --------------------------------------------------------------------------- */

static void on_syn(struct sim_stream *sim)
{
    const char *address = sim->base.peer;
    struct rt_listener *listener;

    RT_TABLE_FIND_BYTES(sim->base.network->listeners, address, strlen(address), listener);
    if (listener != NULL) {
        accept_from(sim, listener);
    } else {
        refuse(sim);
    }
}

static void refuse(struct sim_stream *sim)
{
    if (sim->base.is_lingering) {
        sim_free(sim);
    } else {
        push(sim, ARRIVAL_REFUSED, 0);
    }
}

static void accept_from(struct sim_stream *sim, struct rt_listener *listener)
{
    struct sim_stream *accepted = sim_create(sim->base.network, sim->name);

    if (accepted == NULL) {
        refuse(sim);
        return;
    }
    accepted->is_connected = true;
    accepted->other = sim;
    sim->other = accepted;
    if (sim->base.is_lingering) {
        sim_stop(&sim->base, false);
        rt__stream_free(&sim->base);
    } else {
        push(sim, ARRIVAL_CONNECTED, 0);
    }
    listener->on_accept(listener->arg, &accepted->base);
}

static void on_connected(struct sim_stream *sim)
{
    sim->is_connected = true;
    if (sim->is_flush_wanted) {
        send_outbox(sim);
    }
    if (sim->count > 0) {
        arm(sim);
    }
    rt__stream_tell(&sim->base, RT__REPORT_CONNECTED);
}

/* ---- bytes -------------------------------------------------------------------------------- */

static void sim_flush(struct rt_stream *stream)
{
    struct sim_stream *sim = sim_of(stream);

    if (sim->is_connected) {
        send_outbox(sim);
    } else {
        sim->is_flush_wanted = true;
    }
}

static void send_outbox(struct sim_stream *sim)
{
    struct sim_stream *other = sim->other;
    size_t len_bytes = rt_outbox_len_bytes(sim->base.outbox);

    if (len_bytes == 0) {
        return;
    }
    if (other == NULL) {
        rt_outbox_clear(sim->base.outbox); /* nobody is there to take it */
        return;
    }
    if (rt_outbox_move(other->under_way, sim->base.outbox, len_bytes) != RT_OK) {
        return; /* cannot happen: moving all needs no memory */
    }
    push(other, ARRIVAL_DATA, len_bytes);
    if (sim->base.handler.on_drained == NULL || sim->base.is_lingering) {
        return;
    }
    sim->is_drain_wanted =
        other->base.is_paused && rt_outbox_len_bytes(other->under_way) > WINDOW_BYTES;
    if (!sim->is_drain_wanted) {
        rt__stream_report(&sim->base, RT__REPORT_DRAINED);
    }
}

static void on_data(struct sim_stream *sim, size_t len_bytes)
{
    struct sim_stream *other = sim->other;

    if (sim->base.is_ended) {
        return;
    }
    if (rt__inbox_add_part(sim->base.inbox, sim->under_way, len_bytes) != RT_OK) {
        rt__stream_end(&sim->base, RT_E_NOMEM);
        return;
    }
    if (sim->count > 0) {
        arm(sim);
    }
    if (other != NULL && other->is_drain_wanted) {
        other->is_drain_wanted = false;
        rt__stream_report(&other->base, RT__REPORT_DRAINED);
    }
    if (rt__inbox_has_news(sim->base.inbox)) {
        rt__stream_tell(&sim->base, RT__REPORT_INPUT);
    }
}

static void sim_pause(struct rt_stream *stream)
{
    arm(sim_of(stream));
}

const struct rt__backend rt__simulated = {
    .listen = sim_listen,
    .unlisten = sim_unlisten,
    .connect = sim_connect,
    .flush = sim_flush,
    .pause = sim_pause,
    .linger = sim_linger,
    .stop = sim_stop,
};
