/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/lock/contender.h"
#include "fakeetcd/request/service_rest.h"
#include "wire/proto/etcd_election.pb-c.h"

#include <stdlib.h>

/*
 * Who leads, and what it proclaims, told to one stream:
 *
 *   look --> somebody: told --> FOLLOWING: each put of its key is told --deleted--> look
 *      '---> nobody: AWAITING --the first put below the name: told--> FOLLOWING
 *
 * A stream that is full refuses deliveries; the hub gives them again from history.
 */
enum observer_state { LOOKING, AWAITING, FOLLOWING };

struct observer {
    struct fakeetcd_call *call;
    struct fakeetcd__queue *queue;
    struct fakeetcd_watcher *watcher; /* NULL: looking */
    enum observer_state state;
    struct rt_task task;
    bool *out_is_gone; /* of who tells it something right now */
};

static void look(void *arg);
static bool on_events(void *arg, const struct fakeetcd_delivery *delivery);
static void on_compacted(void *arg, int64_t compacted_revision);
static bool tell(struct observer *observer, const struct fakeetcd_kv *kv, int64_t revision);
static void watch(struct observer *observer, enum observer_state state,
                  const struct fakeetcd_interval *interval, int64_t start_revision);
static void look_again(struct observer *observer);
static void close_early(struct fakeetcd_call *call);

static const struct fakeetcd_watch_handler HANDLER = {
    .on_events = on_events,
    .on_compacted = on_compacted,
};

void fakeetcd__on_observe(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const V3electionpb__LeaderRequest *request = (const V3electionpb__LeaderRequest *)message;
    struct rt_slice name = pb_slice(request->name);

    if (fakeetcd__may_read_below(call, name) != FAKEETCD_OK) {
        close_early(call);
        return;
    }
    struct observer *observer = calloc(1, sizeof(*observer));
    if (observer == NULL ||
        fakeetcd__queue_join(call->server, name, &observer->queue) != FAKEETCD_OK) {
        free(observer);
        fakeetcd_call_fail(call, FAKEETCD_E_NOMEM);
        return;
    }
    observer->call = call;
    rt_task_init(&observer->task, call->server->environment.loop, look, observer);
    call->state = observer;
    look(observer);
}

void fakeetcd__observer_drop(struct fakeetcd_call *call)
{
    struct observer *observer = call->state;

    if (observer == NULL) {
        return;
    }
    call->state = NULL;
    if (observer->out_is_gone != NULL) {
        *observer->out_is_gone = true;
    }
    rt_task_cancel(&observer->task);
    fakeetcd_watcher_remove(observer->watcher);
    fakeetcd__queue_leave(observer->queue);
    free(observer);
}

void fakeetcd__observer_drained(struct fakeetcd_call *call)
{
    struct observer *observer = call->state;

    if (observer != NULL && observer->state == LOOKING) {
        rt_task_schedule(&observer->task);
    } else if (observer != NULL && observer->watcher != NULL) {
        fakeetcd_watcher_resume(observer->watcher);
    }
}

/* A full stream looks again when it has drained. */
static void look(void *arg)
{
    struct observer *observer = arg;
    struct fakeetcd_server *server = observer->call->server;
    int64_t revision = fakeetcd_store_revision(server->state.store);
    struct fakeetcd_kv kv;

    if (observer->call->is_finished || fakeetcd_call_is_full(observer->call)) {
        return;
    }
    fakeetcd__enter(server);
    if (!fakeetcd__queue_first(observer->queue, &kv)) {
        watch(observer, AWAITING, fakeetcd__queue_interval(observer->queue), revision + 1);
    } else if (tell(observer, &kv, revision)) {
        const struct fakeetcd_interval key = {.key = kv.key};
        watch(observer, FOLLOWING, &key, revision + 1);
    }
    fakeetcd__leave(server);
}

static bool on_events(void *arg, const struct fakeetcd_delivery *delivery)
{
    struct observer *observer = arg;
    int64_t current = fakeetcd_store_revision(observer->call->server->state.store);

    if (observer->call->is_finished) {
        return true; /* nobody hears it */
    }
    if (fakeetcd_call_is_full(observer->call)) {
        return false;
    }
    for (size_t i = 0; i < delivery->count; i++) {
        const struct fakeetcd_kv *kv = &delivery->changes[i].kv;
        if (kv->version == 0) {
            look_again(observer);
            return true;
        }
        bool is_new = observer->state == AWAITING;
        if (!tell(observer, kv, is_new ? kv->mod_revision : current)) {
            return true;
        }
        if (is_new) {
            const struct fakeetcd_interval key = {.key = kv->key};
            watch(observer, FOLLOWING, &key, kv->mod_revision + 1);
            return true;
        }
    }
    return true;
}

/* What it missed is lost, and etcd's observer stops then. */
static void on_compacted(void *arg, int64_t compacted_revision)
{
    struct observer *observer = arg;

    (void)compacted_revision;
    close_early(observer->call);
}

/* False: the call went with it. */
static bool tell(struct observer *observer, const struct fakeetcd_kv *kv, int64_t revision)
{
    struct fakeetcd_call *call = observer->call;
    V3electionpb__LeaderResponse response = V3ELECTIONPB__LEADER_RESPONSE__INIT;
    Etcdserverpb__ResponseHeader header;
    Mvccpb__KeyValue leader;
    bool is_gone = false;

    fakeetcd__header_fill(call->server, &header);
    header.revision = revision;
    fakeetcd__kv_fill(kv, &leader);
    response.header = &header;
    response.kv = &leader;
    observer->out_is_gone = &is_gone;
    fakeetcd_call_send(call, &response.base);
    if (is_gone) {
        return false;
    }
    observer->out_is_gone = NULL;
    return !call->is_finished;
}

static void watch(struct observer *observer, enum observer_state state,
                  const struct fakeetcd_interval *interval, int64_t start_revision)
{
    const struct fakeetcd_watch_options options = {
        .interval = *interval,
        .start_revision = start_revision,
        .is_without_deletes = state == AWAITING,
        .handler = &HANDLER,
        .arg = observer,
    };

    fakeetcd_watcher_remove(observer->watcher);
    observer->watcher = NULL;
    observer->state = state;
    if (fakeetcd_watcher_add(observer->call->server->hub, &options, &observer->watcher) != RT_OK) {
        observer->watcher = NULL;
        observer->state = LOOKING;
        fakeetcd_call_fail(observer->call, FAKEETCD_E_NOMEM);
    }
}

/* Not at once: the queue may hear of this revision after us. */
static void look_again(struct observer *observer)
{
    fakeetcd_watcher_remove(observer->watcher);
    observer->watcher = NULL;
    observer->state = LOOKING;
    rt_task_schedule(&observer->task);
}

/* Whatever stops etcd's observer, the stream ends as if all were well. */
static void close_early(struct fakeetcd_call *call)
{
    fakeetcd_call_finish(call, GRPC_OK, "");
}
