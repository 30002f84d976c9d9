/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/program/members.h"

#include <stdio.h>
#include <stdlib.h>

/*
 *   CONNECTING --connected--> asked --200--> told, the connection stays
 *        ^------------- closed, later <-----'
 */
#define AGAIN_US     UINT64_C(50000)
#define ANSWER_START "HTTP/1.1 200"

struct announcement {
    struct rt_network *network;
    char *target;
    char *request;
    struct rt_stream *stream; /* NULL: none now */
    rt_task_fn *on_told;
    void *arg;
    bool is_told;
    struct rt_timer again;
};

static void connect_again(void *arg);
static void on_connected(void *arg);
static void on_input(void *arg);
static void on_closed(void *arg, enum rt_status reason);

static const struct rt_stream_handler HANDLER = {
    .on_connected = on_connected, .on_input = on_input, .on_closed = on_closed};

enum rt_status announcement_create(struct rt_loop *loop, struct rt_network *network,
                                   const char *target, const char *name, const char *client_urls,
                                   rt_task_fn *on_told, void *arg,
                                   struct announcement **out_announcement)
{
    struct announcement *announcement = calloc(1, sizeof(*announcement));
    if (announcement == NULL) {
        return RT_E_NOMEM;
    }
    announcement->network = network;
    announcement->on_told = on_told;
    announcement->arg = arg;
    announcement->target = strdup(target);
    rt_timer_init(&announcement->again, loop, connect_again, announcement);
    if (announcement->target == NULL ||
        asprintf(&announcement->request,
                 "POST /fakeetcd/members?name=%s&urls=%s HTTP/1.1\r\nHost: %s\r\n"
                 "Content-Length: 0\r\n\r\n",
                 name, client_urls, target) < 0) {
        announcement->request = NULL;
        announcement_destroy(announcement);
        return RT_E_NOMEM;
    }
    connect_again(announcement);
    *out_announcement = announcement;
    return RT_OK;
}

void announcement_destroy(struct announcement *announcement)
{
    if (announcement != NULL) {
        rt_timer_disarm(&announcement->again);
        rt_stream_destroy(announcement->stream);
        free(announcement->target);
        free(announcement->request);
        free(announcement);
    }
}

static void connect_again(void *arg)
{
    struct announcement *announcement = arg;
    if (rt_network_connect(announcement->network, "member", announcement->target, &HANDLER,
                           announcement, &announcement->stream) != RT_OK) {
        announcement->stream = NULL;
        (void)!rt_timer_arm_after(&announcement->again, AGAIN_US);
    }
}

static void on_connected(void *arg)
{
    struct announcement *announcement = arg;
    if (rt_outbox_add(rt_stream_outbox(announcement->stream), announcement->request,
                      strlen(announcement->request)) != RT_OK) {
        on_closed(announcement, RT_E_NOMEM);
        return;
    }
    rt_stream_flush(announcement->stream);
}

static void on_input(void *arg)
{
    struct announcement *announcement = arg;
    struct rt_inbox *inbox = rt_stream_inbox(announcement->stream);
    struct rt_slice start = rt_inbox_peek(inbox, sizeof(ANSWER_START) - 1);
    if (start.len_bytes == 0) {
        return;
    }
    bool is_told = rt_slice_is_text(start, ANSWER_START);
    rt_inbox_drain(inbox, rt_inbox_len_bytes(inbox));
    if (is_told && !announcement->is_told) {
        announcement->is_told = true;
        announcement->on_told(announcement->arg);
    }
}

/* The first member is not there, not yet, or not any more. */
static void on_closed(void *arg, enum rt_status reason)
{
    struct announcement *announcement = arg;
    (void)reason;
    rt_stream_destroy(announcement->stream);
    announcement->stream = NULL;
    (void)!rt_timer_arm_after(&announcement->again, AGAIN_US);
}
