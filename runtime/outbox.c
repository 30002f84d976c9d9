/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/bytes_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* A reference costs a chain of its own; below this a copy into the last one is cheaper. */
#define COPY_BELOW_BYTES 1024

/* One call writes at most this, so that one stream does not keep the others waiting. */
#define WRITE_AT_MOST_BYTES ((size_t)1024 * 1024)
#define WRITE_VECTOR_COUNT  64

static enum rt_status add_reference(struct rt__queue *queue, struct rt_blob *blob,
                                    size_t offset_bytes, size_t len_bytes);
static void on_reference_done(const void *data, size_t len_bytes, void *arg);
static enum rt_status move_span(struct rt__queue *to, struct rt__queue *from, size_t len_bytes);
static enum rt_status move_plain(struct rt__queue *to, struct rt__queue *from, size_t len_bytes);
static uint64_t end_of(const struct rt__queue *queue);
static int gather(const struct rt_outbox *outbox, struct iovec *vector);
static ssize_t send_vector(int fd, struct iovec *vector, int count);

/* ---- queue -------------------------------------------------------------------------------- */

enum rt_status rt__queue_init(struct rt__queue *queue)
{
    *queue = (struct rt__queue){.buffer = evbuffer_new()};
    return queue->buffer == NULL ? RT_E_NOMEM : RT_OK;
}

void rt__queue_fini(struct rt__queue *queue)
{
    rt__spans_fini(&queue->spans);
    if (queue->buffer != NULL) {
        evbuffer_free(queue->buffer);
    }
}

size_t rt__queue_len_bytes(const struct rt__queue *queue)
{
    return evbuffer_get_length(queue->buffer);
}

static uint64_t end_of(const struct rt__queue *queue)
{
    return queue->position + rt__queue_len_bytes(queue);
}

void rt__queue_drain(struct rt__queue *queue, size_t len_bytes)
{
    assert(len_bytes <= rt__queue_len_bytes(queue));
    evbuffer_drain(queue->buffer, len_bytes);
    queue->position += len_bytes;
    rt__spans_trim(&queue->spans, queue->position);
}

enum rt_status rt__queue_move(struct rt__queue *to, struct rt__queue *from, size_t len_bytes)
{
    if (len_bytes >= rt__queue_len_bytes(from)) {
        uint64_t end = end_of(from);

        rt__spans_move(&to->spans, &from->spans, end, end_of(to) - from->position);
        from->position = end;
        evbuffer_add_buffer(to->buffer, from->buffer);
        return RT_OK;
    }
    while (len_bytes > 0) {
        const struct rt__span *span = rt__spans_first(&from->spans);
        bool is_span = span != NULL && span->position == from->position;
        size_t part_bytes = len_bytes;
        enum rt_status status;

        if (is_span && span->len_bytes < len_bytes) {
            part_bytes = span->len_bytes;
        } else if (!is_span && span != NULL && span->position - from->position < len_bytes) {
            part_bytes = (size_t)(span->position - from->position);
        }
        status = is_span ? move_span(to, from, part_bytes) : move_plain(to, from, part_bytes);
        if (status != RT_OK) {
            return status;
        }
        len_bytes -= part_bytes;
    }
    return RT_OK;
}

static enum rt_status move_span(struct rt__queue *to, struct rt__queue *from, size_t len_bytes)
{
    const struct rt__span *span = rt__spans_first(&from->spans);
    enum rt_status status;

    if (span->len_bytes == len_bytes || len_bytes < COPY_BELOW_BYTES) {
        uint64_t shift = end_of(to) - from->position;
        uint64_t end = from->position + len_bytes;

        if (evbuffer_remove_buffer(from->buffer, to->buffer, len_bytes) < 0) {
            return RT_E_NOMEM;
        }
        rt__spans_move(&to->spans, &from->spans, end, shift);
        from->position = end;
        return RT_OK;
    }
    /* Splitting a chain would copy its head; the blob can simply be referred to once more. */
    status = add_reference(to, span->blob, span->offset_bytes, len_bytes);
    if (status == RT_OK) {
        rt__queue_drain(from, len_bytes);
    }
    return status;
}

static enum rt_status move_plain(struct rt__queue *to, struct rt__queue *from, size_t len_bytes)
{
    if (evbuffer_remove_buffer(from->buffer, to->buffer, len_bytes) < 0) {
        return RT_E_NOMEM;
    }
    from->position += len_bytes;
    return RT_OK;
}

static enum rt_status add_reference(struct rt__queue *queue, struct rt_blob *blob,
                                    size_t offset_bytes, size_t len_bytes)
{
    struct rt__span span = {end_of(queue), len_bytes, offset_bytes, blob};
    const uint8_t *data = rt_blob_slice(blob).data + offset_bytes;

    if (len_bytes < COPY_BELOW_BYTES) {
        if (evbuffer_add(queue->buffer, data, len_bytes) != 0) {
            return RT_E_NOMEM;
        }
    } else {
        if (evbuffer_add_reference(queue->buffer, data, len_bytes, on_reference_done, blob) != 0) {
            return RT_E_NOMEM;
        }
        rt_blob_retain(blob);
    }
    rt__spans_add(&queue->spans, span);
    return RT_OK;
}

static void on_reference_done(const void *data, size_t len_bytes, void *arg)
{
    (void)data;
    (void)len_bytes;
    rt_blob_release(arg);
}

/* ---- outbox ------------------------------------------------------------------------------- */

struct rt_outbox *rt_outbox_create(void)
{
    struct rt_outbox *outbox = malloc(sizeof(*outbox));

    if (outbox != NULL && rt__queue_init(&outbox->queue) != RT_OK) {
        free(outbox);
        return NULL;
    }
    return outbox;
}

void rt_outbox_destroy(struct rt_outbox *outbox)
{
    if (outbox != NULL) {
        rt__queue_fini(&outbox->queue);
        free(outbox);
    }
}

enum rt_status rt_outbox_add(struct rt_outbox *outbox, const void *data, size_t len_bytes)
{
    if (len_bytes == 0) {
        return RT_OK;
    }
    return evbuffer_add(outbox->queue.buffer, data, len_bytes) == 0 ? RT_OK : RT_E_NOMEM;
}

enum rt_status rt_outbox_add_blob(struct rt_outbox *outbox, struct rt_blob *blob,
                                  size_t offset_bytes, size_t len_bytes)
{
    size_t blob_bytes = rt_blob_slice(blob).len_bytes;

    if (offset_bytes > blob_bytes || len_bytes > blob_bytes - offset_bytes) {
        return RT_E_INVALID;
    }
    return len_bytes == 0 ? RT_OK : add_reference(&outbox->queue, blob, offset_bytes, len_bytes);
}

size_t rt_outbox_len_bytes(const struct rt_outbox *outbox)
{
    return rt__queue_len_bytes(&outbox->queue);
}

enum rt_status rt_outbox_move(struct rt_outbox *to, struct rt_outbox *from, size_t len_bytes)
{
    return rt__queue_move(&to->queue, &from->queue, len_bytes);
}

/* The byte is replaced between what was moved out of its way, so that no shared memory is
 * touched; what comes behind it is moved back in any case. */
enum rt_status rt_outbox_corrupt(struct rt_outbox *outbox, size_t offset_bytes)
{
    struct rt__queue rebuilt;
    enum rt_status status;
    uint8_t byte;

    if (offset_bytes >= rt_outbox_len_bytes(outbox)) {
        return RT_E_INVALID;
    }
    status = rt__queue_init(&rebuilt);
    if (status != RT_OK) {
        return status;
    }
    rebuilt.position = outbox->queue.position;
    status = rt__queue_move(&rebuilt, &outbox->queue, offset_bytes);
    if (status == RT_OK) {
        evbuffer_copyout(outbox->queue.buffer, &byte, 1);
        byte ^= 0xff;
        status = evbuffer_add(rebuilt.buffer, &byte, 1) == 0 ? RT_OK : RT_E_NOMEM;
    }
    if (status == RT_OK) {
        rt__queue_drain(&outbox->queue, 1);
    }
    if (rt__queue_move(&rebuilt, &outbox->queue, SIZE_MAX) == RT_OK) {
        struct rt__queue emptied = outbox->queue;

        outbox->queue = rebuilt;
        rt__queue_fini(&emptied);
    }
    return status;
}

void rt_outbox_clear(struct rt_outbox *outbox)
{
    rt__queue_drain(&outbox->queue, rt_outbox_len_bytes(outbox));
}

void rt_outbox_copy(const struct rt_outbox *outbox, uint8_t *out_data, size_t len_bytes)
{
    assert(len_bytes == rt_outbox_len_bytes(outbox));
    evbuffer_copyout(outbox->queue.buffer, out_data, len_bytes);
}

/* ---- writing ------------------------------------------------------------------------------ */

enum rt_status rt_outbox_write(struct rt_outbox *outbox, int fd)
{
    size_t written_bytes = 0;

    while (rt_outbox_len_bytes(outbox) > 0) {
        struct iovec vector[WRITE_VECTOR_COUNT];
        ssize_t sent;

        if (written_bytes >= WRITE_AT_MOST_BYTES) {
            return RT_E_AGAIN;
        }
        sent = send_vector(fd, vector, gather(outbox, vector));
        if (sent < 0) {
            if (errno == EINTR) {
                continue;
            }
            return errno == EAGAIN || errno == EWOULDBLOCK ? RT_E_AGAIN : RT_E_IO;
        }
        rt__queue_drain(&outbox->queue, (size_t)sent);
        written_bytes += (size_t)sent;
    }
    return RT_OK;
}

/* The first pieces, together at most WRITE_AT_MOST_BYTES. */
static int gather(const struct rt_outbox *outbox, struct iovec *vector)
{
    size_t left_bytes = WRITE_AT_MOST_BYTES;
    int found = evbuffer_peek(outbox->queue.buffer, (ev_ssize_t)left_bytes, NULL, vector,
                              WRITE_VECTOR_COUNT);
    int count = 0;

    while (count < found && count < WRITE_VECTOR_COUNT && left_bytes > 0) {
        if (vector[count].iov_len > left_bytes) {
            vector[count].iov_len = left_bytes;
        }
        left_bytes -= vector[count].iov_len;
        count++;
    }
    return count;
}

/* Without a signal when the peer is gone; writev() has no such flag, but pipes and files do not
 * take sendmsg(). */
static ssize_t send_vector(int fd, struct iovec *vector, int count)
{
    struct msghdr message = {.msg_iov = vector, .msg_iovlen = (size_t)count};
    ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);

    if (sent < 0 && errno == ENOTSOCK) {
        return writev(fd, vector, count);
    }
    return sent;
}
