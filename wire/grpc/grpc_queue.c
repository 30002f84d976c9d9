/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/grpc/grpc_queue.h"

#include <assert.h>
#include <stdlib.h>

/* A message from here on is a blob, which leaves by reference. */
#define BLOB_FROM_BYTES ((size_t)4 * 1024)

static struct grpc__message *add(struct grpc__queue *queue, size_t head_bytes);
static void put_prefix(uint8_t *prefix, size_t len_bytes);
static void drop_first(struct grpc__queue *queue);
static size_t next_part(struct grpc__queue *queue, size_t max_bytes, struct rt_slice *out_bytes,
                        struct rt_blob **out_blob, size_t *out_blob_offset);
static void advance(struct grpc__queue *queue, size_t len_bytes);
static void write_first(struct grpc__queue *queue, struct grpc__link *link, size_t len_bytes);
static void copy_first(struct grpc__queue *queue, uint8_t *out_data, size_t len_bytes);

void grpc__queue_init(struct grpc__queue *queue)
{
    STAILQ_INIT(&queue->messages);
    queue->len_bytes = 0;
    queue->offset_bytes = 0;
    queue->is_first_used = false;
}

void grpc__queue_clear(struct grpc__queue *queue)
{
    while (!STAILQ_EMPTY(&queue->messages)) {
        drop_first(queue);
    }
    queue->len_bytes = 0;
    queue->offset_bytes = 0;
}

/* ---- adding ------------------------------------------------------------------------------- */

uint8_t *grpc__queue_reserve(struct grpc__queue *queue, size_t len_bytes)
{
    struct grpc__message *message;
    struct rt_blob *blob;
    uint8_t *data;

    if (len_bytes > UINT32_MAX) {
        return NULL;
    }
    if (len_bytes < BLOB_FROM_BYTES) {
        message = add(queue, GRPC__PREFIX_BYTES + len_bytes);
        if (message == NULL) {
            return NULL;
        }
        put_prefix(message->head, len_bytes);
        return message->head + GRPC__PREFIX_BYTES;
    }
    blob = rt_blob_create(len_bytes, &data);
    if (blob == NULL || grpc__queue_add_blob(queue, blob) != RT_OK) {
        data = NULL;
    }
    rt_blob_release(blob);
    return data;
}

enum rt_status grpc__queue_add_blob(struct grpc__queue *queue, struct rt_blob *blob)
{
    size_t len_bytes = rt_blob_slice(blob).len_bytes;
    struct grpc__message *message;

    if (len_bytes > UINT32_MAX) {
        return RT_E_LIMIT;
    }
    message = add(queue, GRPC__PREFIX_BYTES);
    if (message == NULL) {
        return RT_E_NOMEM;
    }
    put_prefix(message->head, len_bytes);
    message->blob = rt_blob_retain(blob);
    message->blob_bytes = len_bytes;
    queue->len_bytes += len_bytes;
    return RT_OK;
}

static struct grpc__message *add(struct grpc__queue *queue, size_t head_bytes)
{
    struct grpc__message *message;

    if (!queue->is_first_used && head_bytes <= GRPC__FIRST_BYTES) {
        queue->is_first_used = true;
        message = &queue->first;
        message->head = queue->first_bytes;
    } else {
        message = malloc(sizeof(*message) + head_bytes);
        if (message == NULL) {
            return NULL;
        }
        message->head = (uint8_t *)(message + 1);
    }
    message->head_bytes = head_bytes;
    message->blob = NULL;
    message->blob_bytes = 0;
    STAILQ_INSERT_TAIL(&queue->messages, message, next);
    queue->len_bytes += head_bytes;
    return message;
}

static void put_prefix(uint8_t *prefix, size_t len_bytes)
{
    prefix[0] = 0;
    prefix[1] = (uint8_t)(len_bytes >> 24);
    prefix[2] = (uint8_t)(len_bytes >> 16);
    prefix[3] = (uint8_t)(len_bytes >> 8);
    prefix[4] = (uint8_t)len_bytes;
}

uint8_t *grpc__queue_first_prefix(struct grpc__queue *queue)
{
    struct grpc__message *message = STAILQ_FIRST(&queue->messages);

    return message == NULL || queue->offset_bytes > 0 ? NULL : message->head;
}

void grpc__queue_garble_first(struct grpc__queue *queue)
{
    struct grpc__message *message = STAILQ_FIRST(&queue->messages);
    struct rt_blob *garbage;
    uint8_t *data;

    if (grpc__queue_first_prefix(queue) == NULL) {
        return;
    }
    memset(message->head + GRPC__PREFIX_BYTES, 0xff, message->head_bytes - GRPC__PREFIX_BYTES);
    garbage = message->blob == NULL ? NULL : rt_blob_create(message->blob_bytes, &data);
    if (garbage != NULL) {
        memset(data, 0xff, message->blob_bytes);
        rt_blob_release(message->blob);
        message->blob = garbage;
    }
}

/* ---- sending ------------------------------------------------------------------------------ */

static void drop_first(struct grpc__queue *queue)
{
    struct grpc__message *message = STAILQ_FIRST(&queue->messages);

    STAILQ_REMOVE_HEAD(&queue->messages, next);
    rt_blob_release(message->blob);
    if (message == &queue->first) {
        queue->is_first_used = false;
    } else {
        free(message);
    }
}

/* What lies together at the front: of ours or of a blob. */
static size_t next_part(struct grpc__queue *queue, size_t max_bytes, struct rt_slice *out_bytes,
                        struct rt_blob **out_blob, size_t *out_blob_offset)
{
    const struct grpc__message *message = STAILQ_FIRST(&queue->messages);
    bool is_head = queue->offset_bytes < message->head_bytes;
    size_t offset_bytes = is_head ? queue->offset_bytes : queue->offset_bytes - message->head_bytes;
    size_t there_bytes = (is_head ? message->head_bytes : message->blob_bytes) - offset_bytes;
    size_t part_bytes = there_bytes < max_bytes ? there_bytes : max_bytes;

    *out_blob = is_head ? NULL : message->blob;
    *out_blob_offset = offset_bytes;
    *out_bytes = rt_slice_of(
        (is_head ? message->head : rt_blob_slice(message->blob).data) + offset_bytes, part_bytes);
    return part_bytes;
}

static void advance(struct grpc__queue *queue, size_t len_bytes)
{
    const struct grpc__message *message = STAILQ_FIRST(&queue->messages);

    queue->len_bytes -= len_bytes;
    queue->offset_bytes += len_bytes;
    if (queue->offset_bytes == message->head_bytes + message->blob_bytes) {
        queue->offset_bytes = 0;
        drop_first(queue);
    }
}

/* The first `len_bytes`, which are there, to the link; they are forgotten. */
static void write_first(struct grpc__queue *queue, struct grpc__link *link, size_t len_bytes)
{
    assert(len_bytes <= queue->len_bytes);
    while (len_bytes > 0) {
        struct rt_slice bytes;
        struct rt_blob *blob;
        size_t blob_offset;
        size_t part_bytes = next_part(queue, len_bytes, &bytes, &blob, &blob_offset);

        if (blob != NULL) {
            grpc__link_write_blob(link, blob, blob_offset, part_bytes);
        } else {
            grpc__link_write(link, bytes.data, part_bytes);
        }
        advance(queue, part_bytes);
        len_bytes -= part_bytes;
    }
}

/* The same into memory. */
static void copy_first(struct grpc__queue *queue, uint8_t *out_data, size_t len_bytes)
{
    assert(len_bytes <= queue->len_bytes);
    while (len_bytes > 0) {
        struct rt_slice bytes;
        struct rt_blob *blob;
        size_t blob_offset;
        size_t part_bytes = next_part(queue, len_bytes, &bytes, &blob, &blob_offset);

        memcpy(out_data, bytes.data, part_bytes);
        out_data += part_bytes;
        advance(queue, part_bytes);
        len_bytes -= part_bytes;
    }
}

int grpc__queue_write_frame(struct grpc__queue *queue, struct grpc__link *link, uint32_t stream_id,
                            const uint8_t *header, size_t len_bytes)
{
    struct grpc__spoil *spoil =
        grpc__spoils_is_empty(&link->spoils) ? NULL : grpc__spoils_find(link, stream_id);
    uint8_t *frame;

    if (spoil == NULL) {
        grpc__link_write(link, header, GRPC__FRAME_HEADER_BYTES);
        write_first(queue, link, len_bytes);
        return 0;
    }
    frame = malloc(GRPC__FRAME_HEADER_BYTES + len_bytes);
    if (frame == NULL) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    memcpy(frame, header, GRPC__FRAME_HEADER_BYTES);
    copy_first(queue, frame + GRPC__FRAME_HEADER_BYTES, len_bytes);
    grpc__spoils_write(link, spoil, frame, GRPC__FRAME_HEADER_BYTES + len_bytes);
    free(frame);
    /* What is cut or drips lets no other frame out in the same breath. */
    return link->state != GRPC__LINK_OPEN || grpc__spoils_is_dripping(&link->spoils)
               ? NGHTTP2_ERR_PAUSE
               : 0;
}
