/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/bytes_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>

/*
 *   NOT_WANTED --want--> ARRIVING --all there--> COMPLETE --take--> NOT_WANTED
 *
 * While one is ARRIVING the queue is empty, except when a blob that the peer sent whole is still
 * coming in pieces: then they wait there, to be handed over as the blob they are.
 */
enum blob_state { BLOB_NOT_WANTED, BLOB_ARRIVING, BLOB_COMPLETE };

/* How much one read asks for: starts small, doubles when filled, so that a stream of small
 * requests does not pay for large buffers. */
#define READ_MIN_BYTES ((size_t)4 * 1024)
#define READ_MAX_BYTES ((size_t)256 * 1024)

struct rt_inbox {
    struct rt__queue queue;
    enum blob_state blob_state;
    struct rt_blob_builder builder; /* ARRIVING */
    struct rt_blob *blob;           /* COMPLETE */
    size_t read_bytes;              /* what the next read asks for */
};

static enum rt_status fill_blob(struct rt_inbox *inbox);
static bool hand_over(struct rt_inbox *inbox, bool *out_is_coming);
static enum rt_status copy_in(struct rt_inbox *inbox);
static enum rt_status complete_blob(struct rt_inbox *inbox);
static bool is_read_into_blob(const struct rt_inbox *inbox);
static ssize_t read_blob(struct rt_inbox *inbox, int fd, size_t *inout_max_bytes);
static ssize_t read_queue(struct rt_inbox *inbox, int fd, size_t *inout_max_bytes);
static ssize_t read_again(int fd, struct iovec *vector, int count);

struct rt_inbox *rt_inbox_create(void)
{
    struct rt_inbox *inbox = calloc(1, sizeof(*inbox));

    if (inbox != NULL && rt__queue_init(&inbox->queue) != RT_OK) {
        free(inbox);
        return NULL;
    }
    if (inbox != NULL) {
        inbox->read_bytes = READ_MIN_BYTES;
    }
    return inbox;
}

void rt_inbox_destroy(struct rt_inbox *inbox)
{
    if (inbox != NULL) {
        rt_blob_builder_fini(&inbox->builder);
        rt_blob_release(inbox->blob);
        rt__queue_fini(&inbox->queue);
        free(inbox);
    }
}

/* ---- looking ------------------------------------------------------------------------------ */

size_t rt_inbox_len_bytes(const struct rt_inbox *inbox)
{
    return inbox->blob_state == BLOB_NOT_WANTED ? rt__queue_len_bytes(&inbox->queue) : 0;
}

struct rt_slice rt_inbox_peek(struct rt_inbox *inbox, size_t len_bytes)
{
    const uint8_t *data;

    if (len_bytes == 0 || len_bytes > rt_inbox_len_bytes(inbox)) {
        return rt_slice_of(NULL, 0);
    }
    data = evbuffer_pullup(inbox->queue.buffer, (ev_ssize_t)len_bytes);
    return rt_slice_of(data, data == NULL ? 0 : len_bytes);
}

struct rt_slice rt_inbox_peek_piece(struct rt_inbox *inbox)
{
    struct evbuffer_iovec piece;

    if (rt_inbox_len_bytes(inbox) == 0 ||
        evbuffer_peek(inbox->queue.buffer, -1, NULL, &piece, 1) < 1) {
        return rt_slice_of(NULL, 0);
    }
    return rt_slice_of(piece.iov_base, piece.iov_len);
}

void rt_inbox_drain(struct rt_inbox *inbox, size_t len_bytes)
{
    assert(len_bytes <= rt_inbox_len_bytes(inbox));
    rt__queue_drain(&inbox->queue, len_bytes);
}

bool rt__inbox_has_news(const struct rt_inbox *inbox)
{
    return inbox->blob_state == BLOB_COMPLETE || rt_inbox_len_bytes(inbox) > 0;
}

/* ---- blobs -------------------------------------------------------------------------------- */

enum rt_status rt_inbox_want_blob(struct rt_inbox *inbox, size_t len_bytes)
{
    enum rt_status status;

    if (inbox->blob_state != BLOB_NOT_WANTED) {
        return RT_E_INVALID;
    }
    rt_blob_builder_init(&inbox->builder, len_bytes);
    inbox->blob_state = BLOB_ARRIVING;
    status = fill_blob(inbox);
    if (status != RT_OK) {
        rt_blob_builder_fini(&inbox->builder);
        inbox->blob_state = BLOB_NOT_WANTED;
    }
    return status;
}

bool rt_inbox_is_blob_wanted(const struct rt_inbox *inbox)
{
    return inbox->blob_state != BLOB_NOT_WANTED;
}

struct rt_blob *rt_inbox_take_blob(struct rt_inbox *inbox)
{
    struct rt_blob *blob = inbox->blob;

    if (blob != NULL) {
        inbox->blob = NULL;
        inbox->blob_state = BLOB_NOT_WANTED;
    }
    return blob;
}

/* Moves what has arrived into the wanted blob. RT_E_NOMEM: nothing was consumed. */
static enum rt_status fill_blob(struct rt_inbox *inbox)
{
    bool is_coming = false;
    enum rt_status status;

    if (inbox->blob_state != BLOB_ARRIVING || hand_over(inbox, &is_coming) || is_coming) {
        return RT_OK;
    }
    status = copy_in(inbox);
    if (status == RT_OK && rt_blob_builder_is_full(&inbox->builder)) {
        status = complete_blob(inbox);
    }
    return status;
}

/* True when the bytes at the front were one whole blob of the wanted length, which is now ours.
 * `out_is_coming`: so far they are the beginning of one. */
static bool hand_over(struct rt_inbox *inbox, bool *out_is_coming)
{
    const struct rt__span *span = rt__spans_first(&inbox->queue.spans);
    size_t wanted_bytes = inbox->builder.total_bytes;

    *out_is_coming = false;
    if (span == NULL || span->position != inbox->queue.position || span->offset_bytes != 0 ||
        rt_blob_slice(span->blob).len_bytes != wanted_bytes || inbox->builder.filled_bytes > 0) {
        return false;
    }
    if (span->len_bytes < wanted_bytes) {
        *out_is_coming = span->len_bytes == rt__queue_len_bytes(&inbox->queue);
        return false;
    }
    inbox->blob = rt_blob_retain(span->blob);
    inbox->blob_state = BLOB_COMPLETE;
    rt_blob_builder_fini(&inbox->builder);
    rt__queue_drain(&inbox->queue, wanted_bytes);
    return true;
}

static enum rt_status copy_in(struct rt_inbox *inbox)
{
    struct rt_blob_builder *builder = &inbox->builder;
    size_t before_bytes = builder->filled_bytes;
    size_t there_bytes = rt__queue_len_bytes(&inbox->queue);
    size_t part_bytes = builder->total_bytes - before_bytes;
    struct evbuffer_ptr from;

    if (there_bytes == 0 || part_bytes == 0) {
        return RT_OK;
    }
    part_bytes = there_bytes < part_bytes ? there_bytes : part_bytes;
    evbuffer_ptr_set(inbox->queue.buffer, &from, 0, EVBUFFER_PTR_SET);
    for (size_t done_bytes = 0; done_bytes < part_bytes;) {
        size_t room_bytes;
        uint8_t *data;

        if (rt_blob_builder_space(builder, &data, &room_bytes) != RT_OK) {
            builder->filled_bytes = before_bytes; /* nothing has left the queue yet */
            return RT_E_NOMEM;
        }
        if (room_bytes > part_bytes - done_bytes) {
            room_bytes = part_bytes - done_bytes;
        }
        evbuffer_copyout_from(inbox->queue.buffer, &from, data, room_bytes);
        rt_blob_builder_commit(builder, room_bytes);
        done_bytes += room_bytes;
        if (done_bytes < part_bytes) {
            evbuffer_ptr_set(inbox->queue.buffer, &from, room_bytes, EVBUFFER_PTR_ADD);
        }
    }
    rt__queue_drain(&inbox->queue, part_bytes);
    return RT_OK;
}

static enum rt_status complete_blob(struct rt_inbox *inbox)
{
    struct rt_blob *blob = rt_blob_builder_finish(&inbox->builder);

    if (blob == NULL) {
        return RT_E_NOMEM; /* only an empty one is made here; nothing has changed */
    }
    inbox->blob = blob;
    inbox->blob_state = BLOB_COMPLETE;
    return RT_OK;
}

/* ---- feeding ------------------------------------------------------------------------------ */

enum rt_status rt_inbox_add(struct rt_inbox *inbox, const void *data, size_t len_bytes)
{
    if (len_bytes > 0 && evbuffer_add(inbox->queue.buffer, data, len_bytes) != 0) {
        return RT_E_NOMEM;
    }
    return fill_blob(inbox);
}

enum rt_status rt_inbox_add_outbox(struct rt_inbox *inbox, struct rt_outbox *from)
{
    return rt__inbox_add_part(inbox, from, SIZE_MAX);
}

enum rt_status rt__inbox_add_part(struct rt_inbox *inbox, struct rt_outbox *from, size_t len_bytes)
{
    enum rt_status status = rt__queue_move(&inbox->queue, &from->queue, len_bytes);

    return status == RT_OK ? fill_blob(inbox) : status;
}

/* ---- reading ------------------------------------------------------------------------------ */

/* Stops when the descriptor has no more, when a blob is complete (so that its taker can ask for
 * the next one before its bytes arrive elsewhere), or at `max_bytes`. */
enum rt_status rt_inbox_read(struct rt_inbox *inbox, int fd, size_t max_bytes,
                             size_t *out_len_bytes)
{
    size_t total_bytes = 0;
    enum rt_status status = RT_OK;

    while (total_bytes < max_bytes) {
        bool is_into_blob = is_read_into_blob(inbox);
        size_t asked_bytes = max_bytes - total_bytes;
        ssize_t got =
            is_into_blob ? read_blob(inbox, fd, &asked_bytes) : read_queue(inbox, fd, &asked_bytes);

        if (got < 0) {
            status = errno == ENOMEM                           ? RT_E_NOMEM
                     : errno == EAGAIN || errno == EWOULDBLOCK ? RT_E_AGAIN
                                                               : RT_E_IO;
            break;
        }
        total_bytes += (size_t)got;
        if (!is_into_blob && fill_blob(inbox) != RT_OK) {
            return RT_E_NOMEM;
        }
        if (is_into_blob && inbox->blob_state == BLOB_COMPLETE) {
            break;
        }
        if ((size_t)got < asked_bytes) {
            break;
        }
    }
    if (total_bytes > 0) {
        status = RT_OK; /* an error shows again at the next read */
    }
    if (status == RT_OK) {
        *out_len_bytes = total_bytes;
    }
    return status;
}

static bool is_read_into_blob(const struct rt_inbox *inbox)
{
    return inbox->blob_state == BLOB_ARRIVING && rt__queue_len_bytes(&inbox->queue) == 0;
}

static ssize_t read_blob(struct rt_inbox *inbox, int fd, size_t *inout_max_bytes)
{
    struct iovec vector;
    uint8_t *data;
    ssize_t got;

    if (rt_blob_builder_space(&inbox->builder, &data, &vector.iov_len) != RT_OK) {
        errno = ENOMEM;
        return -1;
    }
    vector.iov_base = data;
    if (vector.iov_len > *inout_max_bytes) {
        vector.iov_len = *inout_max_bytes;
    }
    *inout_max_bytes = vector.iov_len;
    got = read_again(fd, &vector, 1);
    if (got > 0) {
        rt_blob_builder_commit(&inbox->builder, (size_t)got);
        if (rt_blob_builder_is_full(&inbox->builder) && complete_blob(inbox) != RT_OK) {
            errno = ENOMEM;
            return -1;
        }
    }
    return got;
}

static ssize_t read_queue(struct rt_inbox *inbox, int fd, size_t *inout_max_bytes)
{
    size_t asked_bytes =
        inbox->read_bytes < *inout_max_bytes ? inbox->read_bytes : *inout_max_bytes;
    struct iovec vector[2];
    int count = evbuffer_reserve_space(inbox->queue.buffer, (ev_ssize_t)asked_bytes, vector, 2);
    size_t left_bytes = asked_bytes;
    ssize_t got;

    if (count < 0) {
        errno = ENOMEM;
        return -1;
    }
    *inout_max_bytes = asked_bytes;
    for (int i = 0; i < count; i++) {
        vector[i].iov_len = vector[i].iov_len < left_bytes ? vector[i].iov_len : left_bytes;
        left_bytes -= vector[i].iov_len;
    }
    got = read_again(fd, vector, count);
    if (got <= 0) {
        return got;
    }
    left_bytes = (size_t)got;
    for (int i = 0; i < count; i++) {
        vector[i].iov_len = vector[i].iov_len < left_bytes ? vector[i].iov_len : left_bytes;
        left_bytes -= vector[i].iov_len;
    }
    evbuffer_commit_space(inbox->queue.buffer, vector, count);
    if ((size_t)got == asked_bytes && inbox->read_bytes < READ_MAX_BYTES) {
        inbox->read_bytes *= 2;
    } else if ((size_t)got < asked_bytes / 4 && inbox->read_bytes > READ_MIN_BYTES) {
        inbox->read_bytes /= 2;
    }
    return got;
}

static ssize_t read_again(int fd, struct iovec *vector, int count)
{
    ssize_t got;

    do {
        got = readv(fd, vector, count);
    } while (got < 0 && errno == EINTR);
    return got;
}
