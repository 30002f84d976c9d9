/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_GRPC_GRPC_QUEUE_H
#define WIRE_GRPC_GRPC_QUEUE_H

#include "wire/grpc/grpc_link.h"

#include <sys/queue.h>

/*
 * The two ends of a call's messages: a queue of those to send, and a reader that puts together
 * those that arrive. A message is 1 byte of flags, 4 bytes of length and itself.
 */

#define GRPC__PREFIX_BYTES 5

struct grpc__message {
    STAILQ_ENTRY(grpc__message) next;
    uint8_t *head; /* prefix and bytes of ours */
    size_t head_bytes;
    struct rt_blob *blob; /* bytes after them, or NULL */
    size_t blob_bytes;
};

/* Most answers are small and alone: they need no memory of their own. */
#define GRPC__FIRST_BYTES 192

struct grpc__queue {
    STAILQ_HEAD(, grpc__message) messages;
    size_t len_bytes;    /* not sent yet */
    size_t offset_bytes; /* sent of the first message */
    bool is_first_used;
    struct grpc__message first;
    uint8_t first_bytes[GRPC__FIRST_BYTES];
};

void grpc__queue_init(struct grpc__queue *queue);
void grpc__queue_clear(struct grpc__queue *queue);

/* Room for a message, its prefix is written. Stays where it is until it is sent. NULL: no memory,
 * or longer than a message can be. */
RT_NODISCARD uint8_t *grpc__queue_reserve(struct grpc__queue *queue, size_t len_bytes);
RT_NODISCARD enum rt_status grpc__queue_add_blob(struct grpc__queue *queue, struct rt_blob *blob);

/* The first message's prefix, to be spoilt; NULL when nothing is queued or it is half sent. */
uint8_t *grpc__queue_first_prefix(struct grpc__queue *queue);
/* Its bytes become 0xff, which is no protobuf. A blob is replaced: others may share it. */
void grpc__queue_garble_first(struct grpc__queue *queue);

/* One DATA frame from the queue: what nghttp2's send_data callback does on both sides. */
int grpc__queue_write_frame(struct grpc__queue *queue, struct grpc__link *link, uint32_t stream_id,
                            const uint8_t *header, size_t len_bytes);

/* ---- reading ---- */

enum grpc__read_result {
    GRPC__READ_MORE,    /* all bytes were taken */
    GRPC__READ_MESSAGE, /* one message; there may be more bytes */
    GRPC__READ_TOO_LONG,
    GRPC__READ_NOMEM
};

struct grpc__reader {
    uint8_t prefix[GRPC__PREFIX_BYTES];
    uint8_t prefix_bytes;
    struct rt_blob *blob; /* the message handed out last, when it came in pieces */
    struct rt_blob_builder builder;
};

void grpc__reader_init(struct grpc__reader *reader);
void grpc__reader_fini(struct grpc__reader *reader);

struct grpc__received {
    uint8_t flags;
    uint32_t len_bytes;      /* as announced; of TOO_LONG too */
    struct rt_slice message; /* valid until the next call */
};

/* Takes from the front of `inout_bytes`. A message that lies in them whole is not copied. */
enum grpc__read_result grpc__reader_take(struct grpc__reader *reader, uint64_t max_bytes,
                                         struct rt_slice *inout_bytes,
                                         struct grpc__received *out_received);
/* Bytes of an unfinished message are there. */
bool grpc__reader_is_amid(const struct grpc__reader *reader);

#endif
