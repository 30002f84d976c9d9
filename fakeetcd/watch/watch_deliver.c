/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/watch/watch_service.h"

#include "fakeetcd/request/dispatch.h"
#include "fakeetcd/request/fault_points.h"

/*
 * From the hub to the streams. A stream that is full, and a watch that a fault delays, refuse the
 * delivery: the hub gives it again from history, late but whole.
 */
static bool on_events(void *arg, const struct fakeetcd_delivery *delivery);
static void on_compacted(void *arg, int64_t compacted_revision);
static void on_behind(void *hub_arg);
static void on_sync(void *arg);
static const struct fault_action *ask(struct fakeetcd__watch *watch,
                                      const struct fakeetcd_delivery *delivery);
static bool strike(struct fakeetcd__watch *watch, const struct fakeetcd_delivery *delivery,
                   const struct fault_action *action);
static bool hold(struct fakeetcd__watch *watch, const struct fault_action *action);
static void on_released(void *arg);
static void send_delivery(struct fakeetcd__watch *watch, const struct fakeetcd_delivery *delivery);

static const struct fakeetcd_watch_handler HANDLER = {
    .on_events = on_events,
    .on_compacted = on_compacted,
    .on_behind = on_behind,
};

void fakeetcd__watch_init(struct fakeetcd_server *server)
{
    rt_timer_init(&server->sync_timer, server->environment.loop, on_sync, server);
}

void fakeetcd__watch_attach(struct fakeetcd_server *server)
{
    fakeetcd_hub_set_handler(server->hub, &HANDLER, server);
}

/* ---- those behind ---- */

static void on_behind(void *hub_arg)
{
    struct fakeetcd_server *server = hub_arg;
    if (!rt_timer_is_armed(&server->sync_timer)) {
        fakeetcd__arm_after(server, &server->sync_timer, FAKEETCD__SYNC_US);
    }
}

void fakeetcd__watch_sync_soon(struct fakeetcd_server *server)
{
    if (fakeetcd_hub_behind_count(server->hub) > 0) {
        fakeetcd__arm_after(server, &server->sync_timer, 0);
    }
}

/* More history than fits in one go follows in the next turn. */
static void on_sync(void *arg)
{
    struct fakeetcd_server *server = arg;
    if (server->is_frozen) {
        return; /* when it thaws */
    }
    fakeetcd__enter(server);
    bool has_more = fakeetcd_hub_catch_up(server->hub, FAKEETCD__SYNC_REVISIONS);
    fakeetcd__leave(server);
    if (has_more) {
        fakeetcd__arm_after(server, &server->sync_timer, 0);
    }
}

void fakeetcd__watch_drained(struct fakeetcd_call *call)
{
    struct fakeetcd__watch_stream *stream = call->state;
    struct fakeetcd__watch *watch;
    struct fakeetcd__watch *next;
    if (stream == NULL) {
        return;
    }
    RT_TABLE_EACH(watch, next, stream->watches)
    {
        if (watch->watcher != NULL && watch->hold.link == NULL) {
            fakeetcd_watcher_resume(watch->watcher);
        }
    }
    on_behind(call->server);
}

/* The id stays taken, and a cancellation of it is answered once more, as in etcd. */
static void on_compacted(void *arg, int64_t compacted_revision)
{
    fakeetcd__watch_over(arg, compacted_revision);
}

/* ---- a delivery ---- */

static bool on_events(void *arg, const struct fakeetcd_delivery *delivery)
{
    struct fakeetcd__watch *watch = arg;
    struct fakeetcd_call *call = watch->stream->call;
    if (call->is_finished) {
        return true; /* nobody hears it */
    }
    if (watch->hold.link != NULL || fakeetcd_call_is_full(call)) {
        return false;
    }
    if (!watch->is_released && fakeetcd__is_watch_armed(call->server)) {
        const struct fault_action *action = ask(watch, delivery);
        if (action != NULL) {
            call->cause = action->rule_id;
            return strike(watch, delivery, action);
        }
    }
    watch->is_released = false;
    send_delivery(watch, delivery);
    return true;
}

static void send_delivery(struct fakeetcd__watch *watch, const struct fakeetcd_delivery *delivery)
{
    watch->is_busy = true;
    if (!fakeetcd__watch_send_events(watch, delivery)) {
        fakeetcd_call_fail(watch->stream->call, FAKEETCD_E_NOMEM);
    }
}

/* ---- faults ---- */

static const struct fault_action *ask(struct fakeetcd__watch *watch,
                                      const struct fakeetcd_delivery *delivery)
{
    struct fakeetcd_call *call = watch->stream->call;
    struct rt_slice *keys = pb_arena_array(&call->server->arena, delivery->count, sizeof(*keys));
    for (size_t i = 0; keys != NULL && i < delivery->count; i++) {
        keys[i] = delivery->changes[i].kv.key;
    }
    return fakeetcd__ask_watch(call, keys, keys == NULL ? 0 : delivery->count);
}

/* False: the delivery comes again. */
static bool strike(struct fakeetcd__watch *watch, const struct fakeetcd_delivery *delivery,
                   const struct fault_action *action)
{
    struct fakeetcd_call *call = watch->stream->call;
    int64_t id = watch->id;
    switch (action->kind) {
    case FAULT_SUPPRESS:
        return true;
    case FAULT_DUPLICATE:
        send_delivery(watch, delivery);
        send_delivery(watch, delivery);
        return true;
    case FAULT_DELAY:
    case FAULT_HOLD:
        return hold(watch, action);
    case FAULT_CANCEL:
        fakeetcd__watch_remove(watch);
        fakeetcd__watch_send_canceled(call, id, 0);
        return true;
    case FAULT_CANCEL_COMPACTED:
        fakeetcd__watch_over(watch, delivery->revision);
        return true;
    case FAULT_EARLY_PROGRESS:
        fakeetcd__watch_send_progress(call, id);
        send_delivery(watch, delivery);
        return true;
    case FAULT_STATUS:
        fakeetcd__finish_with(call, action);
        return true;
    default:
        (void)call->transport->strike(call, action);
        return true;
    }
}

static bool hold(struct fakeetcd__watch *watch, const struct fault_action *action)
{
    return fault_hold_start(watch->stream->call->server->environment.faults, &watch->hold, action,
                            on_released, watch) != RT_OK;
}

static void on_released(void *arg)
{
    struct fakeetcd__watch *watch = arg;
    struct fakeetcd_server *server = watch->stream->call->server;
    watch->is_released = true;
    fakeetcd_watcher_resume(watch->watcher);
    fakeetcd__watch_sync_soon(server);
}
