/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/grpc/grpc_channel_internal.h"
#include "wire/grpc/grpc_text.h"

#include <stdlib.h>

/*
 * One request, from its start to its only end:
 *
 *   start --> submitted --> answered, reset, late, lost --> ended --turn--> on_end --> freed
 *     '------------------------ cancel: nobody is told -----------------------'
 */

/* Of our own: method, scheme, path, authority, te, content-type, user-agent, grpc-timeout. */
#define OWN_HEADER_COUNT 8

static void mark_dirty(struct grpc_request *request);
static void on_deadline(void *arg);
static void submit_headers(struct grpc_request *request);
static nghttp2_nv header_of(const char *name, struct rt_slice value);
static ssize_t on_read(nghttp2_session *session, int32_t stream_id, uint8_t *data,
                       size_t room_bytes, uint32_t *data_flags, nghttp2_data_source *source,
                       void *user_data);
static struct grpc_request *allocate(const char *path, const struct grpc_metadata *metadata,
                                     size_t metadata_count);
static char *copy_bytes(char *to, const void *from, size_t len_bytes);

/* ---- starting ----------------------------------------------------------------------------- */

enum rt_status grpc_request_start(struct grpc_channel *channel, const char *path,
                                  const struct grpc_metadata *metadata, size_t metadata_count,
                                  uint64_t deadline_us, const struct grpc_request_handler *handler,
                                  void *arg, struct grpc_request **out_request)
{
    struct grpc_request *request = allocate(path, metadata, metadata_count);
    struct grpc__client *client;
    enum rt_status status;

    if (request == NULL) {
        return RT_E_NOMEM;
    }
    rt_timer_init(&request->deadline_timer, channel->loop, on_deadline, request);
    status = grpc__channel_client(channel, &client);
    if (status == RT_OK && deadline_us != RT_NEVER) {
        status = rt_timer_arm(&request->deadline_timer, deadline_us);
    }
    if (status != RT_OK) {
        free(request);
        return status;
    }
    request->client = client;
    request->handler = handler;
    request->arg = arg;
    request->deadline_us = deadline_us;
    TAILQ_INSERT_TAIL(&client->requests, request, entry);
    mark_dirty(request);
    *out_request = request;
    return RT_OK;
}

/* The texts lie behind the array. */
static struct grpc_request *allocate(const char *path, const struct grpc_metadata *metadata,
                                     size_t metadata_count)
{
    size_t text_bytes = strlen(path) + 1;
    struct grpc_request *request;
    char *at;

    for (size_t i = 0; i < metadata_count; i++) {
        text_bytes += strlen(metadata[i].name) + 1 + metadata[i].value.len_bytes + 1;
    }
    request =
        calloc(1, sizeof(*request) + metadata_count * sizeof(struct grpc_metadata) + text_bytes);
    if (request == NULL) {
        return NULL;
    }
    at = (char *)(request->metadata + metadata_count);
    request->path = at;
    at = copy_bytes(at, path, strlen(path));
    for (size_t i = 0; i < metadata_count; i++) {
        struct rt_slice value = metadata[i].value;

        request->metadata[i].name = at;
        at = copy_bytes(at, metadata[i].name, strlen(metadata[i].name));
        request->metadata[i].value = rt_slice_of(at, value.len_bytes);
        at = copy_bytes(at, value.data, value.len_bytes);
    }
    request->metadata_count = metadata_count;
    request->text = request->text_room;
    grpc__queue_init(&request->queue);
    grpc__reader_init(&request->reader);
    grpc__headers_init(&request->headers);
    return request;
}

/* Zeroed memory already ends it with a NUL. */
static char *copy_bytes(char *to, const void *from, size_t len_bytes)
{
    if (len_bytes > 0) {
        memcpy(to, from, len_bytes);
    }
    return to + len_bytes + 1;
}

/* ---- what the owner says ------------------------------------------------------------------ */

static void mark_dirty(struct grpc_request *request)
{
    if (!request->is_dirty && !request->is_closed) {
        request->is_dirty = true;
        TAILQ_INSERT_TAIL(&request->client->dirty, request, dirty_entry);
    }
    grpc__link_wake(&request->client->link);
}

uint8_t *grpc_request_reserve(struct grpc_request *request, size_t len_bytes)
{
    uint8_t *room = grpc__queue_reserve(&request->queue, len_bytes);

    if (room != NULL) {
        mark_dirty(request);
    }
    return room;
}

void grpc_request_half_close(struct grpc_request *request)
{
    request->is_half_closed = true;
    mark_dirty(request);
}

void grpc_request_cancel(struct grpc_request *request)
{
    request->handler = NULL;
    grpc__request_abort(request, GRPC_CANCELLED, "cancelled");
}

static void on_deadline(void *arg)
{
    grpc__request_abort(arg, GRPC_DEADLINE_EXCEEDED, "Deadline Exceeded");
}

/* ---- telling nghttp2 ---------------------------------------------------------------------- */

void grpc__request_submit(struct grpc_request *request)
{
    nghttp2_session *session = request->client->link.session;

    if (request->is_closed) {
        return;
    }
    if (request->is_reset_wanted) {
        request->is_reset_wanted = false;
        if (request->stream_id == 0) {
            grpc__request_closed(request);
        } else {
            (void)nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, request->stream_id,
                                            NGHTTP2_CANCEL);
        }
        return;
    }
    if (request->stream_id == 0) {
        submit_headers(request);
    } else if (request->is_deferred && (request->queue.len_bytes > 0 || request->is_half_closed)) {
        request->is_deferred = false;
        (void)nghttp2_session_resume_data(session, request->stream_id);
    }
}

static void submit_headers(struct grpc_request *request)
{
    struct grpc__link *link = &request->client->link;
    const struct grpc_channel *channel = request->client->channel;
    size_t count = 0;
    char timeout[GRPC__TIMEOUT_TEXT_BYTES];
    nghttp2_data_provider provider = {.source.ptr = request, .read_callback = on_read};
    nghttp2_nv *headers = calloc(OWN_HEADER_COUNT + request->metadata_count, sizeof(*headers));

    if (headers == NULL) {
        grpc__request_end(request, GRPC_RESOURCE_EXHAUSTED, "out of memory", false);
        grpc__request_closed(request);
        return;
    }
    headers[count++] = header_of(":method", rt_slice_text("POST"));
    headers[count++] = header_of(":scheme", rt_slice_text(channel->tls == NULL ? "http" : "https"));
    headers[count++] = header_of(":path", rt_slice_text(request->path));
    headers[count++] = header_of(":authority", rt_slice_text(channel->authority));
    headers[count++] = header_of("content-type", rt_slice_text("application/grpc"));
    headers[count++] = header_of("te", rt_slice_text("trailers"));
    headers[count++] = header_of("user-agent", rt_slice_text("omniconnect"));
    if (request->deadline_us != RT_NEVER) {
        uint64_t now_us = rt_loop_now_us(link->loop);

        grpc__timeout_print(request->deadline_us > now_us ? request->deadline_us - now_us : 0,
                            timeout);
        headers[count++] = header_of("grpc-timeout", rt_slice_text(timeout));
    }
    for (size_t i = 0; i < request->metadata_count; i++) {
        headers[count++] = header_of(request->metadata[i].name, request->metadata[i].value);
    }
    request->stream_id =
        nghttp2_submit_request(link->session, NULL, headers, count, &provider, request);
    free(headers);
    if (request->stream_id < 0) {
        grpc__request_end(request, GRPC_UNAVAILABLE, nghttp2_strerror(request->stream_id), false);
        grpc__request_closed(request);
    }
}

static nghttp2_nv header_of(const char *name, struct rt_slice value)
{
    return (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name,
                        .value = (uint8_t *)(uintptr_t)value.data,
                        .namelen = strlen(name),
                        .valuelen = value.len_bytes,
                        .flags = NGHTTP2_NV_FLAG_NONE};
}

static ssize_t on_read(nghttp2_session *session, int32_t stream_id, uint8_t *data,
                       size_t room_bytes, uint32_t *data_flags, nghttp2_data_source *source,
                       void *user_data)
{
    struct grpc_request *request = source->ptr;
    size_t queued_bytes = request->queue.len_bytes;
    size_t len_bytes = queued_bytes < room_bytes ? queued_bytes : room_bytes;

    (void)session;
    (void)stream_id;
    (void)data;
    (void)user_data;
    if (len_bytes == 0 && !request->is_half_closed) {
        request->is_deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    *data_flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (request->is_half_closed && len_bytes == queued_bytes) {
        *data_flags |= NGHTTP2_DATA_FLAG_EOF;
    }
    return (ssize_t)len_bytes;
}

int grpc__request_send_data(struct grpc_request *request, const uint8_t *header, size_t len_bytes)
{
    return grpc__queue_write_frame(&request->queue, &request->client->link,
                                   (uint32_t)request->stream_id, header, len_bytes);
}

/* ---- the end ------------------------------------------------------------------------------ */

void grpc__request_end(struct grpc_request *request, int32_t code, const char *text,
                       bool is_from_server)
{
    if (request->is_ended) {
        return;
    }
    request->is_ended = true;
    rt_timer_disarm(&request->deadline_timer);
    request->code = code;
    request->is_from_server = is_from_server;
    if (strlen(text) >= sizeof(request->text_room)) {
        char *longer = strdup(text);

        request->text = longer == NULL ? request->text_room : longer;
    }
    if (request->text == request->text_room) {
        size_t len_bytes = strnlen(text, sizeof(request->text_room) - 1);

        memcpy(request->text_room, text, len_bytes);
        request->text_room[len_bytes] = '\0';
    }
    request->is_end_due = true;
    TAILQ_INSERT_TAIL(&request->client->ended, request, ended_entry);
    grpc__link_wake(&request->client->link);
}

void grpc__request_abort(struct grpc_request *request, int32_t code, const char *text)
{
    grpc__request_end(request, code, text, false);
    if (!request->is_closed && !request->is_reset_wanted) {
        request->is_reset_wanted = true;
        mark_dirty(request);
    }
}

void grpc__request_tell(struct grpc_request *request)
{
    const struct grpc_request_handler *handler = request->handler;
    struct grpc_outcome outcome = {request->code, request->text, request->is_from_server};
    struct grpc__client *client = request->client;

    if (request->is_end_due) {
        TAILQ_REMOVE(&client->ended, request, ended_entry);
        request->is_end_due = false;
    }
    request->handler = NULL;
    if (handler != NULL) {
        handler->on_end(request->arg, &outcome);
    }
    if (client->link.is_doomed) {
        return; /* freed with its connection */
    }
    if (request->is_closed) {
        grpc__request_free(request);
    }
}

void grpc__request_closed(struct grpc_request *request)
{
    request->is_closed = true;
    if (request->is_ended && !request->is_end_due) {
        grpc__request_free(request);
    }
}

void grpc__request_free(struct grpc_request *request)
{
    struct grpc__client *client = request->client;

    TAILQ_REMOVE(&client->requests, request, entry);
    if (request->is_dirty) {
        TAILQ_REMOVE(&client->dirty, request, dirty_entry);
    }
    if (request->is_end_due) {
        TAILQ_REMOVE(&client->ended, request, ended_entry);
    }
    rt_timer_disarm(&request->deadline_timer);
    grpc__queue_clear(&request->queue);
    grpc__reader_fini(&request->reader);
    grpc__headers_fini(&request->headers);
    if (request->text != request->text_room) {
        free(request->text);
    }
    free(request);
}
