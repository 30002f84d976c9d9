/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_BYTES_H
#define RUNTIME_BYTES_H

#include "runtime/blob.h"

struct evbuffer;

/*
 * The two ends of a byte stream as codecs see them, without a socket: codecs read an inbox and
 * write an outbox. Small bytes are copied, blobs travel by reference. One thread.
 */

/* ---- out -------------------------------------------------------------------------------- */

struct rt_outbox;

RT_NODISCARD struct rt_outbox *rt_outbox_create(void);
void rt_outbox_destroy(struct rt_outbox *outbox);

/* Appends a copy. On an error nothing was appended. */
RT_NODISCARD enum rt_status rt_outbox_add(struct rt_outbox *outbox, const void *data,
                                          size_t len_bytes);

/* Appends a part of `blob` by reference; a reference is taken and dropped when sent. */
RT_NODISCARD enum rt_status rt_outbox_add_blob(struct rt_outbox *outbox, struct rt_blob *blob,
                                               size_t offset_bytes, size_t len_bytes);

size_t rt_outbox_len_bytes(const struct rt_outbox *outbox);

/* Moves the first `len_bytes` (all when more than there are) from one to the other, by reference.
 */
RT_NODISCARD enum rt_status rt_outbox_move(struct rt_outbox *to, struct rt_outbox *from,
                                           size_t len_bytes);

/* XORs byte `offset_bytes` with 0xff; its surroundings are copied, a shared blob never changes.
 * RT_E_INVALID when there is no such byte. */
RT_NODISCARD enum rt_status rt_outbox_corrupt(struct rt_outbox *outbox, size_t offset_bytes);

void rt_outbox_clear(struct rt_outbox *outbox);

/* Copies everything out, in order, for golden tests. `len_bytes` must be the length. */
void rt_outbox_copy(const struct rt_outbox *outbox, uint8_t *out_data, size_t len_bytes);

/* ---- in --------------------------------------------------------------------------------- */

struct rt_inbox;

RT_NODISCARD struct rt_inbox *rt_inbox_create(void);
void rt_inbox_destroy(struct rt_inbox *inbox);

/* Bytes that can be looked at now, an outstanding blob excluded. */
size_t rt_inbox_len_bytes(const struct rt_inbox *inbox);

/* A view of the first `len_bytes`, made contiguous; valid until the inbox changes.
 * Meant for small things (headers, envelopes). The empty slice when there are fewer. */
struct rt_slice rt_inbox_peek(struct rt_inbox *inbox, size_t len_bytes);
/* The first bytes that lie in one piece already, for those who take bytes in pieces of any size.
 * The empty slice when there are none. */
struct rt_slice rt_inbox_peek_piece(struct rt_inbox *inbox);
void rt_inbox_drain(struct rt_inbox *inbox, size_t len_bytes);

/*
 * Asks for the next `len_bytes` as one blob. From now on arriving bytes go straight into it; a
 * simulated peer that sent exactly one whole blob of that length hands over the blob itself.
 * Until it has been taken peek sees nothing. Only one at a time.
 */
RT_NODISCARD enum rt_status rt_inbox_want_blob(struct rt_inbox *inbox, size_t len_bytes);
bool rt_inbox_is_blob_wanted(const struct rt_inbox *inbox);

/* The blob when all of it has arrived, to be released by the caller; NULL before. */
RT_NODISCARD struct rt_blob *rt_inbox_take_blob(struct rt_inbox *inbox);

/* Feeding: a copy of bytes (tests, fuzzing), all of an outbox by reference (simulated network),
 * or at most `max_bytes` from a descriptor. `out_len_bytes` 0 with RT_OK means end of file;
 * RT_E_AGAIN means the descriptor has nothing now. */
RT_NODISCARD enum rt_status rt_inbox_add(struct rt_inbox *inbox, const void *data,
                                         size_t len_bytes);
RT_NODISCARD enum rt_status rt_inbox_add_outbox(struct rt_inbox *inbox, struct rt_outbox *from);
RT_NODISCARD enum rt_status rt_inbox_read(struct rt_inbox *inbox, int fd, size_t max_bytes,
                                          size_t *out_len_bytes);

/* Writes what the descriptor takes. RT_E_AGAIN: something is left. Sets errno on RT_E_IO. */
RT_NODISCARD enum rt_status rt_outbox_write(struct rt_outbox *outbox, int fd);

#endif
