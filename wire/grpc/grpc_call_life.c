/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/grpc/grpc_server_internal.h"

#include <stdlib.h>

/* Calls kept for the next ones. More than a connection of etcd's clients has at a time. */
#define FREE_MAX_COUNT 64

static void on_deadline(void *arg);
static void release(struct grpc_call *call);
static void unlink_call(struct grpc_call *call);

struct grpc_call *grpc__call_create(struct grpc_connection *connection, int32_t stream_id)
{
    struct grpc_call *call = SLIST_FIRST(&connection->free_calls);

    if (call != NULL) {
        SLIST_REMOVE_HEAD(&connection->free_calls, free_entry);
        connection->free_count--;
    } else {
        call = malloc(sizeof(*call));
    }
    if (call == NULL) {
        return NULL;
    }
    /* What follows the reader is large and has inits of its own. */
    memset(call, 0, offsetof(struct grpc_call, queue));
    call->connection = connection;
    call->stream_id = stream_id;
    call->deadline_us = RT_NEVER;
    call->http_status = "200";
    call->text = call->text_room;
    grpc__queue_init(&call->queue);
    grpc__queue_init(&call->late);
    grpc__headers_init(&call->headers);
    rt_timer_init(&call->deadline_timer, connection->link.loop, on_deadline, call);
    if (nghttp2_session_set_stream_user_data(connection->link.session, stream_id, call) != 0) {
        free(call);
        return NULL;
    }
    TAILQ_INSERT_TAIL(&connection->calls, call, entry);
    connection->call_count++;
    return call;
}

static void on_deadline(void *arg)
{
    struct grpc_call *call = arg;

    grpc_call_finish(call, call->connection->options.profile->expired_code,
                     "context deadline exceeded");
}

void grpc__call_gone(struct grpc_call *call, bool is_cancelled)
{
    unlink_call(call);
    if (call->handler != NULL && !call->connection->link.is_doomed) {
        call->handler->on_gone(call->arg, call, is_cancelled);
    }
    release(call);
}

/* From here on nothing finds it; the handler may still ask it for its path. */
static void unlink_call(struct grpc_call *call)
{
    struct grpc_connection *connection = call->connection;

    TAILQ_REMOVE(&connection->calls, call, entry);
    connection->call_count--;
    rt_timer_disarm(&call->deadline_timer);
    call->is_finished = true;
    if (call->is_dirty) {
        TAILQ_REMOVE(&connection->dirty, call, dirty_entry);
        call->is_dirty = false;
    }
    if (call->is_drain_due) {
        TAILQ_REMOVE(&connection->drained, call, drained_entry);
        call->is_drain_due = false;
    }
    if (connection->last_call == call) {
        connection->last_call = NULL;
    }
    call->out_state = GRPC__OUT_ENDED;
}

static void release(struct grpc_call *call)
{
    struct grpc_connection *connection = call->connection;

    grpc__queue_clear(&call->queue);
    grpc__queue_clear(&call->late);
    grpc__reader_fini(&call->reader);
    grpc__headers_fini(&call->headers);
    if (call->text != call->text_room) {
        free(call->text);
    }
    if (connection->free_count < FREE_MAX_COUNT) {
        SLIST_INSERT_HEAD(&connection->free_calls, call, free_entry);
        connection->free_count++;
    } else {
        free(call);
    }
}

void grpc__calls_free(struct grpc_connection *connection)
{
    struct grpc_call *call;

    while ((call = SLIST_FIRST(&connection->free_calls)) != NULL) {
        SLIST_REMOVE_HEAD(&connection->free_calls, free_entry);
        free(call);
    }
}

/* ---- what its owner asks ------------------------------------------------------------------ */

void grpc_call_set_handler(struct grpc_call *call, const struct grpc_call_handler *handler,
                           void *arg)
{
    call->handler = handler;
    call->arg = arg;
}

struct rt_slice grpc_call_path(const struct grpc_call *call)
{
    return call->path;
}

bool grpc_call_metadata(const struct grpc_call *call, const char *name, struct rt_slice *out_value)
{
    return grpc__headers_find(&call->headers, name, out_value);
}

uint64_t grpc_call_deadline_us(const struct grpc_call *call)
{
    return call->deadline_us;
}

uint32_t grpc_call_stream_id(const struct grpc_call *call)
{
    return (uint32_t)call->stream_id;
}

void grpc_call_set_streaming(struct grpc_call *call)
{
    call->is_streaming = true;
}
