/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_ZMTP_ZMTP_CODEC_H
#define WIRE_ZMTP_ZMTP_CODEC_H

#include "wire/zmtp/zmtp.h"

/* Shared by the files of the codec only. */

#define ZMTP__GREETING_BYTES       64u
#define ZMTP__COMMAND_LIMIT_BYTES  65536u
#define ZMTP__IDENTITY_LIMIT_BYTES 255u
#define ZMTP__SMALL_LIMIT_BYTES    (64u * 1024 * 1024) /* of one message in the buffer */

enum zmtp__flag { ZMTP__MORE = 1, ZMTP__LONG = 2, ZMTP__COMMAND = 4, ZMTP__RESERVED = 0xf8 };

enum zmtp__state { ZMTP__CREATED, ZMTP__GREETING, ZMTP__HANDSHAKE, ZMTP__OPEN, ZMTP__FAILED };

/*
 * The frames of the message that is arriving. Small bodies lie one after the other in `small`, in
 * frame order; their slices are set when the message is complete, because `small` moves when it
 * grows. The memory stays for the next message: a steady connection allocates nothing.
 */
struct zmtp__gather {
    struct zmtp_frame *frames;
    size_t frame_count;
    size_t frame_capacity;
    uint8_t *small;
    size_t small_bytes;
    size_t small_capacity_bytes;
    size_t total_bytes;
};

struct zmtp_codec {
    struct zmtp_options options; /* no zeros left; identity in own_identity */
    uint8_t own_identity[ZMTP__IDENTITY_LIMIT_BYTES];
    uint8_t peer_identity[ZMTP__IDENTITY_LIMIT_BYTES];
    size_t peer_identity_bytes;

    enum zmtp__state state;
    uint64_t offset_bytes; /* taken out of the inbox so far: error texts say where */
    size_t waiting_bytes;  /* of a greeting that is not complete */

    bool has_header; /* flags and length of a frame are read, its body is not */
    bool is_blob_wanted;
    uint8_t flags;
    size_t length_bytes;
    struct zmtp__gather gather;
    bool is_delivered; /* the gathered message is the caller's until the next receive */

    enum rt_status failure;
    char error_text[192];
};

/* What we send; a peer's may differ outside the checked bytes. */
extern const uint8_t zmtp__greeting[ZMTP__GREETING_BYTES];

/* The only way into FAILED: keeps `status` and the text, which starts with the offset. */
RT_NODISCARD enum rt_status zmtp__fail(struct zmtp_codec *codec, enum rt_status status,
                                       const char *format, ...) RT_PRINTF(3, 4);

/* ---- gathering ------------------------------------------------------------------------------ */

void zmtp__gather_fini(struct zmtp__gather *gather);
void zmtp__gather_clear(struct zmtp__gather *gather); /* releases blobs, keeps memory */

/* Copies a small body. RT_E_NOMEM: nothing was added. */
RT_NODISCARD enum rt_status zmtp__gather_add(struct zmtp__gather *gather, struct rt_slice bytes);

/* Takes over the caller's reference, also on RT_E_NOMEM. */
RT_NODISCARD enum rt_status zmtp__gather_add_blob(struct zmtp__gather *gather,
                                                  struct rt_blob *blob);

/* The finished message; valid until the gather changes. */
struct zmtp_message zmtp__gather_finish(struct zmtp__gather *gather);

/* ---- commands ------------------------------------------------------------------------------- */

/* Our READY. */
RT_NODISCARD enum rt_status zmtp__write_ready(const struct zmtp_codec *codec,
                                              struct rt_outbox *out);

/* One whole command: READY (sets the peer's identity and `out_is_ready`), PING (answered), ERROR
 * (fails the codec); others are ignored. */
RT_NODISCARD enum rt_status zmtp__command(struct zmtp_codec *codec, struct rt_slice body,
                                          struct rt_outbox *out, bool *out_is_ready);

#endif
