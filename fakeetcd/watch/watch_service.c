/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/watch/watch_service.h"

#include "fakeetcd/request/dispatch.h"

#include <stdio.h>
#include <stdlib.h>

/* Streams and their watches; what happens at a delivery is watch_deliver.c. */

#define WATCHES_EMPTY_RANGE "mvcc: watcher range is empty"
#define WATCHES_DUPLICATE   "mvcc: duplicate watch ID provided on the WatchStream"
#define WATCHES_COMPACTED   "mvcc: required revision has been compacted"

static struct fakeetcd__watch_stream *stream_of(struct fakeetcd_call *call);
static void create(struct fakeetcd__watch_stream *stream,
                   const Etcdserverpb__WatchCreateRequest *request);
static const char *refusal(struct fakeetcd__watch_stream *stream,
                           const Etcdserverpb__WatchCreateRequest *request,
                           const struct fakeetcd_interval *interval);
static bool may_watch(struct fakeetcd_call *call, const struct fakeetcd_interval *interval,
                      char *out_reason, size_t reason_bytes);
static struct fakeetcd_interval interval_of(const Etcdserverpb__WatchCreateRequest *request);
static enum rt_status add(struct fakeetcd__watch_stream *stream,
                          const Etcdserverpb__WatchCreateRequest *request,
                          const struct fakeetcd_interval *interval, int64_t id);
static int64_t take_id(struct fakeetcd__watch_stream *stream, int64_t wanted);
static void cancel(struct fakeetcd__watch_stream *stream, int64_t id);
static void progress(struct fakeetcd__watch_stream *stream);
static void on_progress_turn(void *arg);
static void arm_progress(struct fakeetcd__watch_stream *stream);
static void on_doomed(void *arg);

/* ---- requests ---- */

void fakeetcd__on_watch(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const Etcdserverpb__WatchRequest *request = (const Etcdserverpb__WatchRequest *)message;
    struct fakeetcd__watch_stream *stream = stream_of(call);
    if (stream == NULL) {
        fakeetcd_call_fail(call, FAKEETCD_E_NOMEM);
        return;
    }
    switch (request->request_union_case) {
    case ETCDSERVERPB__WATCH_REQUEST__REQUEST_UNION_CREATE_REQUEST:
        create(stream, request->create_request);
        break;
    case ETCDSERVERPB__WATCH_REQUEST__REQUEST_UNION_CANCEL_REQUEST:
        cancel(stream, request->cancel_request->watch_id);
        break;
    case ETCDSERVERPB__WATCH_REQUEST__REQUEST_UNION_PROGRESS_REQUEST:
        progress(stream);
        break;
    default:
        break; /* etcd passes over a request without one */
    }
}

static struct fakeetcd__watch_stream *stream_of(struct fakeetcd_call *call)
{
    struct fakeetcd__watch_stream *stream = call->state;
    if (stream != NULL) {
        return stream;
    }
    stream = calloc(1, sizeof(*stream));
    if (stream == NULL) {
        return NULL;
    }
    stream->call = call;
    rt_timer_init(&stream->progress_timer, call->server->environment.loop, on_progress_turn,
                  stream);
    call->state = stream;
    arm_progress(stream);
    return stream;
}

void fakeetcd__watch_gone(struct fakeetcd_call *call)
{
    struct fakeetcd__watch_stream *stream = call->state;
    struct fakeetcd__watch *watch;
    struct fakeetcd__watch *next;
    if (stream == NULL) {
        return;
    }
    RT_TABLE_EACH(watch, next, stream->watches)
    {
        fakeetcd__watch_remove(watch);
    }
    rt_timer_disarm(&stream->progress_timer);
    free(stream);
    call->state = NULL;
}

void fakeetcd__watch_remove(struct fakeetcd__watch *watch)
{
    fakeetcd_watcher_remove(watch->watcher);
    fault_hold_cancel(&watch->hold);
    rt_timer_disarm(&watch->doom_timer);
    RT_TABLE_REMOVE(watch->stream->watches, watch);
    free(watch);
}

void fakeetcd__watch_over(struct fakeetcd__watch *watch, int64_t compact_revision)
{
    fakeetcd_watcher_remove(watch->watcher);
    watch->watcher = NULL;
    watch->is_over = true;
    fakeetcd__watch_send_canceled(watch->stream->call, watch->id, compact_revision);
}

/* ---- create ---- */

static void create(struct fakeetcd__watch_stream *stream,
                   const Etcdserverpb__WatchCreateRequest *request)
{
    struct fakeetcd_call *call = stream->call;
    const struct fakeetcd_interval interval = interval_of(request);
    char denied[160];
    if (!may_watch(call, &interval, denied, sizeof(denied))) {
        fakeetcd__watch_send_created(call, -1, denied);
        return;
    }
    const char *reason = refusal(stream, request, &interval);
    if (reason != NULL) {
        fakeetcd__watch_send_created(call, -1, reason);
        return;
    }
    int64_t id = take_id(stream, request->watch_id);
    if (add(stream, request, &interval, id) != RT_OK) {
        fakeetcd_call_fail(call, FAKEETCD_E_NOMEM);
        return;
    }
    fakeetcd__watch_send_created(call, id, NULL);
}

/* An empty key is the first one; an end of "\0" is every key from there on. */
static struct fakeetcd_interval interval_of(const Etcdserverpb__WatchCreateRequest *request)
{
    struct fakeetcd_interval interval = {pb_slice(request->key), pb_slice(request->range_end)};
    if (interval.key.len_bytes == 0) {
        interval.key = fakeetcd_every_key.key;
    }
    return interval;
}

static const char *refusal(struct fakeetcd__watch_stream *stream,
                           const Etcdserverpb__WatchCreateRequest *request,
                           const struct fakeetcd_interval *interval)
{
    const struct fakeetcd_server *server = stream->call->server;
    if (fakeetcd_interval_is_empty(interval)) {
        return WATCHES_EMPTY_RANGE;
    }
    if (request->start_revision < 0 &&
        !fakeetcd__has_quirk(server, FAKEETCD_QUIRK_NEGATIVE_START)) {
        return WATCHES_COMPACTED;
    }
    if (request->watch_id != 0 && fakeetcd__watch_find(stream, request->watch_id) != NULL) {
        return WATCHES_DUPLICATE;
    }
    return NULL;
}

/* The reason is written as Go prints an error of gRPC. */
static bool may_watch(struct fakeetcd_call *call, const struct fakeetcd_interval *interval,
                      char *out_reason, size_t reason_bytes)
{
    enum fakeetcd_error error = fakeetcd__identify(call);
    if (error == FAKEETCD_OK && fakeetcd_auth_is_enabled(call->server->state.auth)) {
        error =
            fakeetcd_auth_check(call->server->state.auth, &call->identity, FAKEETCD_READ, interval);
    }
    if (error == FAKEETCD_OK) {
        return true;
    }
    const char *code = "PermissionDenied";
    if (error == FAKEETCD_E_INVALID_TOKEN) {
        code = "Unauthenticated";
    } else if (error == FAKEETCD_E_USER_EMPTY || error == FAKEETCD_E_AUTH_OLD_REVISION) {
        code = "InvalidArgument";
    } else {
        error = FAKEETCD_E_PERMISSION_DENIED;
    }
    snprintf(out_reason, reason_bytes, "rpc error: code = %s desc = %s", code,
             fakeetcd_error_text(error));
    return false;
}

static int64_t take_id(struct fakeetcd__watch_stream *stream, int64_t wanted)
{
    if (wanted != 0) {
        return wanted;
    }
    while (fakeetcd__watch_find(stream, stream->next_id) != NULL) {
        stream->next_id++;
    }
    return stream->next_id++;
}

struct fakeetcd__watch *fakeetcd__watch_find(struct fakeetcd__watch_stream *stream, int64_t id)
{
    struct fakeetcd__watch *watch;
    uint64_t key = (uint64_t)id;
    RT_TABLE_FIND_U64(stream->watches, key, watch);
    return watch;
}

static enum rt_status add(struct fakeetcd__watch_stream *stream,
                          const Etcdserverpb__WatchCreateRequest *request,
                          const struct fakeetcd_interval *interval, int64_t id)
{
    struct fakeetcd_server *server = stream->call->server;
    struct fakeetcd_watch_options options = {.interval = *interval,
                                             .start_revision = request->start_revision};
    struct fakeetcd__watch *watch = calloc(1, sizeof(*watch));
    enum rt_status status = RT_E_NOMEM;
    if (watch == NULL) {
        return status;
    }
    watch->id = id;
    watch->key = (uint64_t)id;
    watch->stream = stream;
    watch->has_prev_kv = request->prev_kv;
    watch->has_progress = request->progress_notify;
    watch->has_fragments = request->fragment;
    rt_timer_init(&watch->doom_timer, server->environment.loop, on_doomed, watch);
    for (size_t i = 0; i < request->n_filters; i++) {
        options.is_without_puts |=
            request->filters[i] == ETCDSERVERPB__WATCH_CREATE_REQUEST__FILTER_TYPE__NOPUT;
        options.is_without_deletes |=
            request->filters[i] == ETCDSERVERPB__WATCH_CREATE_REQUEST__FILTER_TYPE__NODELETE;
    }
    options.arg = watch;
    if (request->start_revision < 0) { /* 3.4: it lives until the next sync */
        status = rt_timer_arm_after(&watch->doom_timer, FAKEETCD__SYNC_US);
    } else {
        status = fakeetcd_watcher_add(server->hub, &options, &watch->watcher);
    }
    if (status == RT_OK) {
        RT_TABLE_ADD_U64(stream->watches, watch, key, &status);
    }
    if (status != RT_OK) {
        fakeetcd_watcher_remove(watch->watcher);
        rt_timer_disarm(&watch->doom_timer);
        free(watch);
    }
    return status;
}

/* 3.4 takes a negative start for a compacted one; before the first compaction it says -1. */
static void on_doomed(void *arg)
{
    struct fakeetcd__watch *watch = arg;
    struct fakeetcd_call *call = watch->stream->call;
    int64_t compacted = fakeetcd_store_compacted(call->server->state.store);
    fakeetcd__enter(call->server);
    fakeetcd__watch_over(watch, compacted == 0 ? -1 : compacted);
    fakeetcd__leave(call->server);
}

/* ---- cancel and progress ---- */

static void cancel(struct fakeetcd__watch_stream *stream, int64_t id)
{
    struct fakeetcd__watch *watch = fakeetcd__watch_find(stream, id);
    if (watch != NULL) {
        fakeetcd__watch_remove(watch);
        fakeetcd__watch_send_canceled(stream->call, id, 0);
    }
}

/* A progress promises that everything before it was sent: only when no watch is behind. */
static void progress(struct fakeetcd__watch_stream *stream)
{
    struct fakeetcd__watch *watch;
    struct fakeetcd__watch *next;
    RT_TABLE_EACH(watch, next, stream->watches)
    {
        if (!watch->is_over &&
            (watch->watcher == NULL || !fakeetcd_watcher_is_live(watch->watcher))) {
            return;
        }
    }
    fakeetcd__watch_send_progress(stream->call, -1);
}

/* As etcd: up to a tenth later, so that not all streams are told in the same moment. */
static void arm_progress(struct fakeetcd__watch_stream *stream)
{
    struct fakeetcd_server *server = stream->call->server;
    uint64_t interval_us = server->options.progress_interval_us;
    uint64_t tenth_us = interval_us / 10;
    if (interval_us == 0) {
        return;
    }
    if (tenth_us > 0) {
        interval_us += rt_random_below(&server->jitter, tenth_us);
    }
    fakeetcd__arm_after(server, &stream->progress_timer, interval_us);
}

static void on_progress_turn(void *arg)
{
    struct fakeetcd__watch_stream *stream = arg;
    struct fakeetcd_call *call = stream->call;
    struct fakeetcd__watch *watch;
    struct fakeetcd__watch *next;
    arm_progress(stream);
    if (call->server->is_frozen) {
        return;
    }
    fakeetcd__enter(call->server);
    RT_TABLE_EACH(watch, next, stream->watches)
    {
        if (watch->has_progress && !watch->is_busy && watch->watcher != NULL &&
            fakeetcd_watcher_is_live(watch->watcher)) {
            fakeetcd__watch_send_progress(call, watch->id);
        }
        watch->is_busy = false;
    }
    fakeetcd__leave(call->server);
}

/* A peer that creates nothing more may still listen: etcd keeps the stream. */
void fakeetcd__watch_half_closed(struct fakeetcd_call *call)
{
    (void)call;
}
