/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/grpc/grpc_server_internal.h"
#include "wire/grpc/grpc_text.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * The sending half of a call. What its owner says is only written down; nghttp2 hears of it when
 * the connection's turn comes to submit:
 *
 *   NOTHING --message--> SENDING <--> DEFERRED --finish--> ENDED
 *      '------finish, no message: trailers only--------------^
 */

/* Queued bytes over this: a streaming owner should wait. */
#define FULL_BYTES ((size_t)1024 * 1024)

/* An encoded text is cut here, for clients take 8 KiB of headers. */
#define TEXT_MAX_BYTES ((size_t)6 * 1024)

#define NAME_AND_VALUE(name_text, value_text, value_bytes)                                         \
    {                                                                                              \
        .name = (uint8_t *)(uintptr_t)(name_text), .value = (uint8_t *)(uintptr_t)(value_text),    \
        .namelen = sizeof(name_text) - 1, .valuelen = (value_bytes),                               \
        .flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE                      \
    }

static void mark_dirty(struct grpc_call *call);
static void keep_text(struct grpc_call *call, const char *text);
static void begin(struct grpc_call *call);
static void begin_http_error(struct grpc_call *call);
static void submit_trailers_only(struct grpc_call *call);
static void submit_trailers(struct grpc_call *call);
static nghttp2_nv content_type_of(struct grpc_call *call);
static ssize_t on_read(nghttp2_session *session, int32_t stream_id, uint8_t *data,
                       size_t room_bytes, uint32_t *data_flags, nghttp2_data_source *source,
                       void *user_data);
static void watch_mark(struct grpc_call *call);
static void spoil_first_message(struct grpc_call *call);

/* ---- what the owner says ------------------------------------------------------------------ */

static void mark_dirty(struct grpc_call *call)
{
    struct grpc_connection *connection = call->connection;

    if (!call->is_dirty && call->out_state != GRPC__OUT_ENDED) {
        call->is_dirty = true;
        TAILQ_INSERT_TAIL(&connection->dirty, call, dirty_entry);
        grpc__link_wake(&connection->link);
    }
}

uint8_t *grpc_call_reserve(struct grpc_call *call, size_t len_bytes)
{
    uint8_t *room;

    if (call->is_finished || call->is_reset_wanted) {
        return grpc__queue_reserve(&call->late, len_bytes);
    }
    room = grpc__queue_reserve(&call->queue, len_bytes);
    if (room != NULL) {
        mark_dirty(call);
    }
    return room;
}

enum rt_status grpc_call_send_blob(struct grpc_call *call, struct rt_blob *message)
{
    enum rt_status status;

    if (call->is_finished || call->is_reset_wanted) {
        return RT_OK;
    }
    status = grpc__queue_add_blob(&call->queue, message);
    if (status == RT_OK) {
        mark_dirty(call);
    }
    return status;
}

void grpc_call_finish(struct grpc_call *call, int32_t code, const char *text)
{
    if (call->is_finished || call->is_reset_wanted) {
        return;
    }
    call->is_finished = true;
    rt_timer_disarm(&call->deadline_timer);
    call->code = code;
    keep_text(call, text == NULL ? "" : text);
    mark_dirty(call);
}

void grpc__call_refuse(struct grpc_call *call, const char *http_status, int32_t code,
                       const char *text)
{
    call->http_status = http_status;
    grpc_call_finish(call, code, text);
}

static void keep_text(struct grpc_call *call, const char *text)
{
    size_t room_bytes = GRPC__TEXT_ROOM_BYTES;

    if (*text == '\0') {
        call->text_bytes = 0;
        return;
    }
    /* Each byte may become nine characters: one that is no UTF-8 stands for a whole one. */
    if (9 * strlen(text) >= room_bytes) {
        char *longer = malloc(TEXT_MAX_BYTES);

        if (longer != NULL) {
            call->text = longer;
            room_bytes = TEXT_MAX_BYTES;
        }
    }
    call->text_bytes = grpc__text_encode(text, call->text, room_bytes);
}

bool grpc_call_is_full(const struct grpc_call *call)
{
    return call->queue.len_bytes > FULL_BYTES;
}

void grpc_call_reset(struct grpc_call *call, uint32_t http2_error)
{
    if (call->out_state != GRPC__OUT_ENDED && !call->is_reset_wanted) {
        rt_timer_disarm(&call->deadline_timer);
        call->is_reset_wanted = true;
        call->reset_error = http2_error;
        mark_dirty(call);
    }
}

/* ---- telling nghttp2 ---------------------------------------------------------------------- */

void grpc__call_submit(struct grpc_call *call)
{
    nghttp2_session *session = call->connection->link.session;

    if (call->is_reset_wanted) {
        (void)nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, call->stream_id,
                                        call->reset_error);
        call->out_state = GRPC__OUT_ENDED;
        return;
    }
    if (call->out_state == GRPC__OUT_NOTHING) {
        begin(call);
    } else if (call->out_state == GRPC__OUT_DEFERRED) {
        if (call->queue.len_bytes > 0) {
            call->out_state = GRPC__OUT_SENDING;
            (void)nghttp2_session_resume_data(session, call->stream_id);
        } else if (call->is_finished) {
            submit_trailers(call);
        }
    }
    watch_mark(call);
}

static void begin(struct grpc_call *call)
{
    nghttp2_nv headers[] = {
        NAME_AND_VALUE(":status", call->http_status, 3),
        content_type_of(call),
    };
    nghttp2_data_provider provider = {.source.ptr = call, .read_callback = on_read};

    if (call->spoil == GRPC_SPOIL_HTTP_STATUS) {
        begin_http_error(call);
        return;
    }
    if (call->queue.len_bytes == 0) {
        submit_trailers_only(call);
        return;
    }
    if (call->spoil != GRPC_SPOIL_NONE) {
        spoil_first_message(call);
    }
    call->out_state = GRPC__OUT_SENDING;
    (void)nghttp2_submit_response(call->connection->link.session, call->stream_id, headers, 2,
                                  &provider);
}

static void submit_trailers_only(struct grpc_call *call)
{
    nghttp2_nv headers[] = {
        NAME_AND_VALUE(":status", call->http_status, 3),
        content_type_of(call),
        NAME_AND_VALUE("grpc-status", call->code_text, 0),
        NAME_AND_VALUE("grpc-message", call->text, call->text_bytes),
    };

    headers[2].valuelen =
        (size_t)snprintf(call->code_text, sizeof(call->code_text), "%d", (int)call->code);
    call->out_state = GRPC__OUT_ENDED;
    (void)nghttp2_submit_response(call->connection->link.session, call->stream_id, headers,
                                  call->spoil == GRPC_SPOIL_NO_STATUS ? 2 : 4, NULL);
}

static void submit_trailers(struct grpc_call *call)
{
    nghttp2_nv headers[] = {
        NAME_AND_VALUE("grpc-status", call->code_text, 0),
        NAME_AND_VALUE("grpc-message", call->text, call->text_bytes),
    };
    bool is_spoilt = call->spoil == GRPC_SPOIL_NO_STATUS;

    if (call->code == GRPC_OK) {
        headers[0].value = (uint8_t *)(uintptr_t) "0";
        headers[0].valuelen = 1;
    } else {
        headers[0].valuelen =
            (size_t)snprintf(call->code_text, sizeof(call->code_text), "%d", (int)call->code);
    }
    call->out_state = GRPC__OUT_ENDED;
    (void)nghttp2_submit_trailer(call->connection->link.session, call->stream_id,
                                 is_spoilt ? headers + 1 : headers, is_spoilt ? 1 : 2);
}

/* Echoed. What the client wrote with ';' is answered with '+', as grpc-go does; the parameter
 * itself is left out. */
static nghttp2_nv content_type_of(struct grpc_call *call)
{
    static const char base[] = "application/grpc";
    nghttp2_nv header = NAME_AND_VALUE("content-type", base, sizeof(base) - 1);

    if (call->spoil == GRPC_SPOIL_CONTENT_TYPE) {
        header.value = (uint8_t *)(uintptr_t) "text/html";
        header.valuelen = strlen("text/html");
    } else if (call->content_type.len_bytes > sizeof(base) &&
               call->content_type.data[sizeof(base) - 1] == '+') {
        header.value = (uint8_t *)(uintptr_t)call->content_type.data;
        header.valuelen = call->content_type.len_bytes;
    }
    return header;
}

/* ---- nghttp2 asks for bytes --------------------------------------------------------------- */

static ssize_t on_read(nghttp2_session *session, int32_t stream_id, uint8_t *data,
                       size_t room_bytes, uint32_t *data_flags, nghttp2_data_source *source,
                       void *user_data)
{
    struct grpc_call *call = source->ptr;
    size_t len_bytes = call->queue.len_bytes < room_bytes ? call->queue.len_bytes : room_bytes;

    (void)session;
    (void)stream_id;
    (void)data;
    (void)user_data;
    if (len_bytes == 0 && !call->is_finished) {
        call->out_state = GRPC__OUT_DEFERRED;
        return NGHTTP2_ERR_DEFERRED;
    }
    *data_flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (call->is_finished && len_bytes == call->queue.len_bytes) {
        *data_flags |= NGHTTP2_DATA_FLAG_EOF;
        if (call->is_raw) {
            call->out_state = GRPC__OUT_ENDED;
        } else {
            *data_flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
            submit_trailers(call);
        }
    }
    return (ssize_t)len_bytes;
}

int grpc__call_send_data(struct grpc_call *call, const uint8_t *header, size_t len_bytes)
{
    int result = grpc__queue_write_frame(&call->queue, &call->connection->link,
                                         (uint32_t)call->stream_id, header, len_bytes);

    watch_mark(call);
    return result;
}

/* Notices both crossings of the mark: on_drained is due when it falls below again. */
static void watch_mark(struct grpc_call *call)
{
    if (grpc_call_is_full(call)) {
        call->was_full = true;
    } else if (call->was_full) {
        call->was_full = false;
        if (!call->is_drain_due) {
            call->is_drain_due = true;
            TAILQ_INSERT_TAIL(&call->connection->drained, call, drained_entry);
        }
    }
}

/* ---- what a healthy server never does ----------------------------------------------------- */

void grpc_call_spoil(struct grpc_call *call, enum grpc_spoil_kind kind, uint64_t number)
{
    struct grpc__link *link = &call->connection->link;
    uint32_t stream_id = (uint32_t)call->stream_id;

    switch (kind) {
    case GRPC_SPOIL_TRUNCATE:
        grpc__spoils_add(link, stream_id, GRPC__TRUNCATE, number);
        break;
    case GRPC_SPOIL_CORRUPT:
        grpc__spoils_add(link, stream_id, GRPC__CORRUPT, number);
        break;
    case GRPC_SPOIL_DRIP:
        grpc__spoils_add(link, stream_id, GRPC__DRIP, number);
        break;
    default:
        call->spoil = kind;
        call->spoil_number = number;
        break;
    }
}

static void spoil_first_message(struct grpc_call *call)
{
    uint8_t *head = grpc__queue_first_prefix(&call->queue);
    uint64_t length;

    if (head == NULL) {
        return;
    }
    switch (call->spoil) {
    case GRPC_SPOIL_PREFIX:
        length =
            ((uint64_t)head[1] << 24 | (uint64_t)head[2] << 16 | (uint64_t)head[3] << 8 | head[4]) +
            call->spoil_number;
        head[1] = (uint8_t)(length >> 24);
        head[2] = (uint8_t)(length >> 16);
        head[3] = (uint8_t)(length >> 8);
        head[4] = (uint8_t)length;
        break;
    case GRPC_SPOIL_FLAG:
        head[0] = 1;
        break;
    case GRPC_SPOIL_GARBAGE:
        grpc__queue_garble_first(&call->queue);
        break;
    default:
        break;
    }
}

/* What a proxy in front of a dead server answers. */
static void begin_http_error(struct grpc_call *call)
{
    static const char body[] = "upstream connect error or disconnect before headers\n";
    nghttp2_nv headers[] = {
        NAME_AND_VALUE(":status", call->code_text, 3),
        NAME_AND_VALUE("content-type", "text/plain", strlen("text/plain")),
    };
    nghttp2_data_provider provider = {.source.ptr = call, .read_callback = on_read};
    size_t body_bytes = sizeof(body) - 1;
    uint8_t *room;

    (void)snprintf(call->code_text, sizeof(call->code_text), "%03u",
                   (unsigned)(call->spoil_number % 1000));
    grpc__queue_clear(&call->queue);
    room = grpc__queue_reserve(&call->queue, body_bytes - GRPC__PREFIX_BYTES);
    if (room != NULL) {
        memcpy(room - GRPC__PREFIX_BYTES, body, body_bytes);
    }
    call->is_raw = true;
    call->is_finished = true;
    rt_timer_disarm(&call->deadline_timer);
    call->out_state = GRPC__OUT_SENDING;
    (void)nghttp2_submit_response(call->connection->link.session, call->stream_id, headers, 2,
                                  &provider);
}
