/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_ZMTP_ZMTP_H
#define WIRE_ZMTP_ZMTP_H

#include "runtime/bytes.h"

/*
 * ZMTP 3.1 with the NULL mechanism, both sides, without a socket: bytes come from an inbox and go
 * to an outbox. One codec per connection, one thread.
 *
 *   CREATED --zmtp_start--> GREETING --64 bytes--> HANDSHAKE --READY--> OPEN --error--> FAILED
 *
 * The peer's bytes are hostile: no length is trusted, nothing is allocated ahead of what came.
 */

enum zmtp_role { ZMTP_DEALER, ZMTP_ROUTER };

struct zmtp_options {
    enum zmtp_role role;
    struct rt_slice identity;    /* announced in READY; may be empty; copied */
    size_t frame_limit_bytes;    /* 0: 2 GiB */
    size_t message_limit_frames; /* 0: 20,000 */
    size_t message_limit_bytes;  /* 0: 8 GiB */
    /* Frames over this become blobs; 0: 64 KiB. After 64 MiB of smaller ones in one message these
     * do too. */
    size_t blob_threshold_bytes;
};

struct zmtp_codec;

RT_NODISCARD enum rt_status zmtp_codec_create(const struct zmtp_options *options,
                                              struct zmtp_codec **out_codec);
void zmtp_codec_destroy(struct zmtp_codec *codec);

/* Writes the greeting. A server writes it at once: libzmq sends nothing more before it saw it. */
RT_NODISCARD enum rt_status zmtp_start(struct zmtp_codec *codec, struct rt_outbox *out);

/* One frame: `blob` is NULL for a small one. `bytes` is always the whole body. */
struct zmtp_frame {
    struct rt_slice bytes;
    struct rt_blob *blob;
};

/* Borrowed: valid until the next zmtp_receive() on this codec; retain a blob to keep it. */
struct zmtp_message {
    const struct zmtp_frame *frames;
    size_t frame_count;
    size_t total_bytes; /* of all bodies */
};

enum zmtp_event {
    ZMTP_EVENT_GREETED, /* the greeting was right; our READY is in the outbox */
    ZMTP_EVENT_OPEN,    /* the peer's READY came; zmtp_peer_identity() is known */
    ZMTP_EVENT_MESSAGE,
    ZMTP_EVENT_PROBE /* one empty frame: the ROUTER probe, to be ignored */
};

/*
 * Takes the next event out of the inbox. Call until it says RT_E_AGAIN. PING is answered with
 * PONG here; unknown commands are ignored.
 *
 *   RT_OK           *out_event, and *out_message for a message
 *   RT_E_AGAIN      more bytes are needed
 *   RT_E_MALFORMED  the connection must be closed; zmtp_error_text() says why
 *   RT_E_LIMIT      likewise: a length over the limits
 *   RT_E_NOMEM      likewise
 */
RT_NODISCARD enum rt_status zmtp_receive(struct zmtp_codec *codec, struct rt_inbox *in,
                                         struct rt_outbox *out, enum zmtp_event *out_event,
                                         struct zmtp_message *out_message);

bool zmtp_is_open(const struct zmtp_codec *codec);
struct rt_slice zmtp_peer_identity(const struct zmtp_codec *codec);
const char *zmtp_error_text(const struct zmtp_codec *codec); /* "" when nothing went wrong */

/* Where a connection stands, for failure reports: "waiting for the greeting (10 of 64 bytes)". */
void zmtp_describe(const struct zmtp_codec *codec, char *out_text, size_t text_bytes);

/* ---- writing frames; stateless -------------------------------------------------------------- */

RT_NODISCARD enum rt_status zmtp_write_frame(struct rt_outbox *out, struct rt_slice bytes,
                                             bool is_more);
RT_NODISCARD enum rt_status zmtp_write_blob(struct rt_outbox *out, struct rt_blob *blob,
                                            size_t offset_bytes, size_t len_bytes, bool is_more);

/* Only the flag byte and the length: the caller appends exactly `len_bytes` (scatter/gather). */
RT_NODISCARD enum rt_status zmtp_write_header(struct rt_outbox *out, size_t len_bytes,
                                              bool is_more);
RT_NODISCARD enum rt_status zmtp_write_ping(struct rt_outbox *out, uint16_t ttl_ds);

#endif
