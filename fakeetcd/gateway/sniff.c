/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/gateway/sniff.h"

#include <bsd/sys/queue.h>
#include <stdlib.h>

/*
 *   add --> WAITING --enough bytes--> on_sniffed
 *              `--peer gone, or silent for 5 s--> dropped
 */
#define SILENCE_US UINT64_C(5000000)
static const uint8_t HTTP2_START[] = {'P', 'R', 'I'};

struct waiting {
    struct fakeetcd_sniffer *sniffer;
    struct rt_stream *stream;
    struct rt_timer timer;
    struct rt_task task; /* looks at what has come before it was added */
    LIST_ENTRY(waiting) others;
};

struct fakeetcd_sniffer {
    struct rt_loop *loop;
    fakeetcd_sniffed_fn *on_sniffed;
    void *arg;
    LIST_HEAD(, waiting) all;
};

static void look(void *arg);
static void on_closed(void *arg, enum rt_status reason);
static void on_silence(void *arg);
static void forget(struct waiting *waiting);

static const struct rt_stream_handler HANDLER = {.on_input = look, .on_closed = on_closed};

enum rt_status fakeetcd_sniffer_create(struct rt_loop *loop, fakeetcd_sniffed_fn *on_sniffed,
                                       void *arg, struct fakeetcd_sniffer **out_sniffer)
{
    struct fakeetcd_sniffer *sniffer = calloc(1, sizeof(*sniffer));
    if (sniffer == NULL) {
        return RT_E_NOMEM;
    }
    sniffer->loop = loop;
    sniffer->on_sniffed = on_sniffed;
    sniffer->arg = arg;
    LIST_INIT(&sniffer->all);
    *out_sniffer = sniffer;
    return RT_OK;
}

void fakeetcd_sniffer_destroy(struct fakeetcd_sniffer *sniffer)
{
    if (sniffer == NULL) {
        return;
    }
    while (!LIST_EMPTY(&sniffer->all)) {
        on_silence(LIST_FIRST(&sniffer->all));
    }
    free(sniffer);
}

void fakeetcd_sniffer_add(struct fakeetcd_sniffer *sniffer, struct rt_stream *stream)
{
    struct waiting *waiting = calloc(1, sizeof(*waiting));
    if (waiting == NULL) {
        rt_stream_reset(stream);
        return;
    }
    waiting->sniffer = sniffer;
    waiting->stream = stream;
    rt_timer_init(&waiting->timer, sniffer->loop, on_silence, waiting);
    rt_task_init(&waiting->task, sniffer->loop, look, waiting);
    LIST_INSERT_HEAD(&sniffer->all, waiting, others);
    rt_stream_set_handler(stream, &HANDLER, waiting);
    if (rt_timer_arm_after(&waiting->timer, SILENCE_US) != RT_OK) {
        on_silence(waiting);
        return;
    }
    if (rt_inbox_len_bytes(rt_stream_inbox(stream)) > 0) {
        rt_task_schedule(&waiting->task);
    }
}

/* Decides with the first byte that differs. */
static void look(void *arg)
{
    struct waiting *waiting = arg;
    struct rt_inbox *inbox = rt_stream_inbox(waiting->stream);
    size_t len_bytes = rt_inbox_len_bytes(inbox);
    if (len_bytes == 0) {
        return;
    }
    bool is_whole = len_bytes >= sizeof(HTTP2_START);
    struct rt_slice start = rt_inbox_peek(inbox, is_whole ? sizeof(HTTP2_START) : len_bytes);
    if (start.len_bytes == 0) {
        return;
    }
    bool is_http2 = memcmp(start.data, HTTP2_START, start.len_bytes) == 0;
    if (is_http2 && !is_whole) {
        return;
    }
    struct fakeetcd_sniffer *sniffer = waiting->sniffer;
    struct rt_stream *stream = waiting->stream;
    forget(waiting);
    sniffer->on_sniffed(sniffer->arg, stream, is_http2);
}

static void on_closed(void *arg, enum rt_status reason)
{
    (void)reason;
    on_silence(arg);
}

static void on_silence(void *arg)
{
    struct waiting *waiting = arg;
    rt_stream_destroy(waiting->stream);
    forget(waiting);
}

static void forget(struct waiting *waiting)
{
    LIST_REMOVE(waiting, others);
    rt_timer_disarm(&waiting->timer);
    rt_task_cancel(&waiting->task);
    free(waiting);
}
