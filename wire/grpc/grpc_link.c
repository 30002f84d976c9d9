/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/grpc/grpc_link.h"

#include "runtime/tls.h"

#include <assert.h>
#include <stdio.h>

/* So much is gathered before it is copied to the stream; most turns fit. */
#define GATHER_BYTES ((size_t)16 * 1024)

/* A frame's payload from here on goes by reference. */
#define BY_REFERENCE_BYTES ((size_t)4 * 1024)

/* Handed over and not taken by the peer: fetching, and then reading, stops. */
#define UNSENT_MAX_BYTES ((size_t)1024 * 1024)

/* Window of a stream is given back in pieces of this size; that of the connection at once, as
 * nghttp2 gathers it itself. */
#define CONSUME_BYTES ((size_t)64 * 1024)

/* Of a frame's header (RFC 9113, section 4.1). */
#define FRAME_TYPE  3
#define FRAME_FLAGS 4
#define FRAME_ID    5

static void on_turn_task(void *arg);
static void on_stream_connected(void *arg);
static void on_stream_input(void *arg);
static void on_stream_drained(void *arg);
static void on_stream_closed(void *arg, enum rt_status reason);

static void turn(struct grpc__link *link);
static void receive(struct grpc__link *link);
static void send_all(struct grpc__link *link);
static bool fetch(struct grpc__link *link);
static void write_frame(struct grpc__link *link, const uint8_t *frame, size_t len_bytes);
static void flush_gathered(struct grpc__link *link);
static void hold_input(struct grpc__link *link);
static void fail(struct grpc__link *link, ssize_t error);
static void finish(struct grpc__link *link);
static uint32_t id_of(const uint8_t *frame);

static const struct rt_stream_handler stream_handler = {
    .on_connected = on_stream_connected,
    .on_input = on_stream_input,
    .on_drained = on_stream_drained,
    .on_closed = on_stream_closed,
};

/* ---- life --------------------------------------------------------------------------------- */

void grpc__link_init(struct grpc__link *link, struct rt_loop *loop, struct rt_stream *stream,
                     nghttp2_session *session, const struct grpc__link_owner *owner)
{
    *link = (struct grpc__link){.loop = loop,
                                .stream = stream,
                                .session = session,
                                .owner = owner,
                                .last_input_us = rt_loop_now_us(loop)};
    rt_task_init(&link->turn_task, loop, on_turn_task, link);
    grpc__spoils_init(link);
    rt_stream_set_handler(stream, &stream_handler, link);
    rt_task_schedule(&link->turn_task);
}

void grpc__link_fini(struct grpc__link *link)
{
    rt_task_cancel(&link->turn_task);
    rt_stream_destroy(link->stream);
    nghttp2_session_del(link->session);
    grpc__spoils_fini(link);
}

bool grpc__link_doom(struct grpc__link *link)
{
    link->is_doomed = true;
    return !link->is_in_turn;
}

void grpc__link_wake(struct grpc__link *link)
{
    if (!link->is_in_turn) {
        rt_task_schedule(&link->turn_task);
    }
}

void grpc__link_end(struct grpc__link *link, bool is_reset, enum rt_status reason,
                    const char *detail)
{
    if (link->state == GRPC__LINK_OPEN) {
        link->end_reason = reason;
        (void)snprintf(link->end_detail, sizeof(link->end_detail), "%s", detail);
        link->state = GRPC__LINK_CLOSING;
    }
    if (is_reset && link->state == GRPC__LINK_CLOSING) {
        link->state = GRPC__LINK_RESETTING;
    }
    grpc__link_wake(link);
}

/* ---- what the stream tells ---------------------------------------------------------------- */

static void on_stream_connected(void *arg)
{
    struct grpc__link *link = arg;

    if (link->owner->on_connected != NULL) {
        link->owner->on_connected(link);
    }
}

static void on_stream_input(void *arg)
{
    struct grpc__link *link = arg;

    link->last_input_us = rt_loop_now_us(link->loop);
    rt_task_cancel(&link->turn_task);
    turn(link);
}

static void on_stream_drained(void *arg)
{
    struct grpc__link *link = arg;
    bool was_stuck = link->unsent_bytes >= UNSENT_MAX_BYTES;

    link->unsent_bytes = 0;
    if (link->is_input_held) {
        link->is_input_held = false;
        rt_stream_pause(link->stream, false);
    }
    if (was_stuck || link->is_flush_wanted) {
        grpc__link_wake(link);
    }
}

static void on_stream_closed(void *arg, enum rt_status reason)
{
    struct grpc__link *link = arg;

    if (link->state == GRPC__LINK_OPEN) {
        const char *tls_error = rt_tls_stream_error(link->stream);

        link->end_reason = reason;
        (void)snprintf(link->end_detail, sizeof(link->end_detail), "%s",
                       tls_error[0] == '\0' ? rt_status_text(reason) : tls_error);
    }
    rt_stream_destroy(link->stream);
    link->stream = NULL;
    link->state = GRPC__LINK_ENDED;
    turn(link);
}

static void on_turn_task(void *arg)
{
    turn(arg);
}

/* ---- a turn ------------------------------------------------------------------------------- */

static void turn(struct grpc__link *link)
{
    assert(!link->is_in_turn);
    link->is_in_turn = true;
    if (link->state == GRPC__LINK_OPEN) {
        receive(link);
    }
    if (link->state == GRPC__LINK_OPEN && !link->is_doomed) {
        send_all(link);
    }
    if (!link->is_doomed && link->owner->on_turn != NULL) {
        link->owner->on_turn(link);
    }
    if (!link->is_doomed && link->state == GRPC__LINK_OPEN &&
        !nghttp2_session_want_read(link->session) && !nghttp2_session_want_write(link->session)) {
        grpc__link_end(link, false, RT_OK, "finished"); /* GOAWAY, and the last call has ended */
    }
    link->is_in_turn = false;
    if (link->is_doomed) {
        link->owner->on_free(link);
        return;
    }
    if (link->state != GRPC__LINK_OPEN) {
        finish(link);
    }
}

static void receive(struct grpc__link *link)
{
    struct rt_inbox *inbox = rt_stream_inbox(link->stream);

    while (link->state == GRPC__LINK_OPEN && !link->is_doomed && !link->is_input_held) {
        struct rt_slice piece = rt_inbox_peek_piece(inbox);
        ssize_t used_bytes;

        if (piece.len_bytes == 0) {
            return;
        }
        used_bytes = nghttp2_session_mem_recv(link->session, piece.data, piece.len_bytes);
        if (link->is_doomed) {
            return;
        }
        if (used_bytes < 0) {
            fail(link, used_bytes);
            return;
        }
        rt_inbox_drain(inbox, (size_t)used_bytes);
    }
}

static void send_all(struct grpc__link *link)
{
    char gathered[GATHER_BYTES];
    bool has_more = true;

    link->gathered = gathered;
    link->gathered_bytes = 0;
    while (has_more && !link->is_doomed) {
        bool has_submitted = link->owner->on_submit(link);

        has_more = fetch(link) || (has_submitted && link->state == GRPC__LINK_OPEN);
    }
    if (!link->is_doomed) {
        flush_gathered(link);
        if (rt_outbox_len_bytes(rt_stream_outbox(link->stream)) > 0) {
            rt_stream_flush(link->stream);
        }
        hold_input(link);
    }
    link->gathered = NULL;
}

/* True: the owner may have something new, as calls have ended. */
static bool fetch(struct grpc__link *link)
{
    bool has_sent = false;

    while (link->state == GRPC__LINK_OPEN && link->unsent_bytes < UNSENT_MAX_BYTES &&
           !grpc__spoils_is_dripping(&link->spoils)) {
        const uint8_t *frame;
        ssize_t len_bytes = nghttp2_session_mem_send(link->session, &frame);

        if (link->is_doomed) {
            return false;
        }
        if (len_bytes < 0) {
            fail(link, len_bytes);
            return false;
        }
        if (len_bytes == 0) {
            break;
        }
        has_sent = true;
        write_frame(link, frame, (size_t)len_bytes);
    }
    grpc__spoils_sweep(link);
    return has_sent && link->unsent_bytes < UNSENT_MAX_BYTES &&
           !grpc__spoils_is_dripping(&link->spoils);
}

/* nghttp2 hands out one frame a time. DATA does not come this way: it is written where it is
 * read, in the callback of send_data. */
static void write_frame(struct grpc__link *link, const uint8_t *frame, size_t len_bytes)
{
    bool is_frame = len_bytes >= GRPC__FRAME_HEADER_BYTES;

    if (is_frame && link->is_mute && (frame[FRAME_FLAGS] & NGHTTP2_FLAG_ACK) != 0 &&
        (frame[FRAME_TYPE] == NGHTTP2_PING || frame[FRAME_TYPE] == NGHTTP2_SETTINGS)) {
        return;
    }
    if (is_frame && !grpc__spoils_is_empty(&link->spoils) && id_of(frame) != 0 &&
        frame[FRAME_TYPE] != NGHTTP2_WINDOW_UPDATE) {
        struct grpc__spoil *spoil = grpc__spoils_find(link, id_of(frame));

        if (spoil != NULL) {
            /* The bytes are nghttp2's buffer, which it fills anew for the next frame. */
            grpc__spoils_write(link, spoil, (uint8_t *)(uintptr_t)frame, len_bytes);
            return;
        }
    }
    grpc__link_write(link, frame, len_bytes);
}

static uint32_t id_of(const uint8_t *frame)
{
    return ((uint32_t)frame[FRAME_ID] << 24 | (uint32_t)frame[FRAME_ID + 1] << 16 |
            (uint32_t)frame[FRAME_ID + 2] << 8 | frame[FRAME_ID + 3]) &
           0x7fffffffU;
}

/* ---- gathering ---------------------------------------------------------------------------- */

void grpc__link_write(struct grpc__link *link, const void *data, size_t len_bytes)
{
    assert(link->gathered != NULL);
    link->unsent_bytes += len_bytes;
    if (len_bytes > GATHER_BYTES - link->gathered_bytes) {
        flush_gathered(link);
    }
    if (len_bytes > GATHER_BYTES) {
        if (rt_outbox_add(rt_stream_outbox(link->stream), data, len_bytes) != RT_OK) {
            grpc__link_end(link, true, RT_E_NOMEM, "out of memory");
        }
        return;
    }
    memcpy(link->gathered + link->gathered_bytes, data, len_bytes);
    link->gathered_bytes += len_bytes;
}

void grpc__link_write_blob(struct grpc__link *link, struct rt_blob *blob, size_t offset_bytes,
                           size_t len_bytes)
{
    if (len_bytes < BY_REFERENCE_BYTES) {
        grpc__link_write(link, rt_blob_slice(blob).data + offset_bytes, len_bytes);
        return;
    }
    flush_gathered(link);
    link->unsent_bytes += len_bytes;
    if (rt_outbox_add_blob(rt_stream_outbox(link->stream), blob, offset_bytes, len_bytes) !=
        RT_OK) {
        grpc__link_end(link, true, RT_E_NOMEM, "out of memory");
    }
}

static void flush_gathered(struct grpc__link *link)
{
    if (rt_outbox_add(rt_stream_outbox(link->stream), link->gathered, link->gathered_bytes) !=
        RT_OK) {
        grpc__link_end(link, true, RT_E_NOMEM, "out of memory");
    }
    link->gathered_bytes = 0;
}

static void hold_input(struct grpc__link *link)
{
    if (link->unsent_bytes >= UNSENT_MAX_BYTES && !link->is_input_held) {
        link->is_input_held = true;
        rt_stream_pause(link->stream, true);
    }
}

/* ---- the end ------------------------------------------------------------------------------ */

/* An error after which nghttp2 does nothing more. */
static void fail(struct grpc__link *link, ssize_t error)
{
    enum rt_status reason = error == NGHTTP2_ERR_NOMEM     ? RT_E_NOMEM
                            : error == NGHTTP2_ERR_FLOODED ? RT_E_LIMIT
                                                           : RT_E_MALFORMED;

    grpc__link_end(link, reason == RT_E_NOMEM, reason, nghttp2_strerror((int)error));
}

static void finish(struct grpc__link *link)
{
    if (link->stream != NULL) {
        if (link->state == GRPC__LINK_RESETTING) {
            rt_stream_reset(link->stream);
        } else {
            rt_stream_close(link->stream);
        }
        link->stream = NULL;
    }
    link->state = GRPC__LINK_ENDED;
    rt_task_cancel(&link->turn_task);
    link->owner->on_ended(link, link->end_reason, link->end_detail);
}

/* ---- flow control ------------------------------------------------------------------------- */

void grpc__link_consume(struct grpc__link *link, int32_t stream_id, size_t len_bytes,
                        size_t *inout_kept_bytes)
{
    if (link->is_window_held) {
        return;
    }
    *inout_kept_bytes += len_bytes;
    (void)nghttp2_session_consume_connection(link->session, len_bytes);
    if (*inout_kept_bytes >= CONSUME_BYTES) {
        (void)nghttp2_session_consume_stream(link->session, stream_id, *inout_kept_bytes);
        *inout_kept_bytes = 0;
    }
}

const char *grpc__http2_error_name(uint32_t error)
{
    return nghttp2_http2_strerror(error);
}
