/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_BYTES_INTERNAL_H
#define RUNTIME_BYTES_INTERNAL_H

#include "runtime/bytes.h"
#include "runtime/spans.h"

#include <event2/buffer.h>

/* Bytes on their way and what is known about them; both ends of a stream have one. */
struct rt__queue {
    struct evbuffer *buffer;
    uint64_t position; /* of the first byte in `buffer`, counted from the start of the stream */
    struct rt__spans spans;
};

struct rt_outbox {
    struct rt__queue queue;
};

RT_NODISCARD enum rt_status rt__queue_init(struct rt__queue *queue);
void rt__queue_fini(struct rt__queue *queue);
size_t rt__queue_len_bytes(const struct rt__queue *queue);
void rt__queue_drain(struct rt__queue *queue, size_t len_bytes);

/* Moves the first `len_bytes` (all when more than there are) by reference. RT_E_NOMEM: some may
 * have moved, none is lost. Moving all always succeeds. */
RT_NODISCARD enum rt_status rt__queue_move(struct rt__queue *to, struct rt__queue *from,
                                           size_t len_bytes);

/* As rt_inbox_add_outbox() for the first `len_bytes`. */
RT_NODISCARD enum rt_status rt__inbox_add_part(struct rt_inbox *inbox, struct rt_outbox *from,
                                               size_t len_bytes);

/* Is there something to look at or to take? False while a wanted blob is incomplete. */
bool rt__inbox_has_news(const struct rt_inbox *inbox);

#endif
