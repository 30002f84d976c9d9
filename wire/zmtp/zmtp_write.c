/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/zmtp/zmtp_codec.h"

/* Frames out: a flag byte, a length of one byte or of eight in network order, the body. */
static size_t put_header(uint8_t *header, size_t len_bytes, uint8_t flags);

#define HEADER_MAX_BYTES 9u
#define SHORT_MAX_BYTES  255u

enum rt_status zmtp_write_frame(struct rt_outbox *out, struct rt_slice bytes, bool is_more)
{
    uint8_t buffer[HEADER_MAX_BYTES + SHORT_MAX_BYTES];
    uint8_t flags = is_more ? ZMTP__MORE : 0;
    size_t header_bytes = put_header(buffer, bytes.len_bytes, flags);
    if (bytes.len_bytes <= SHORT_MAX_BYTES) {
        /* One append, so that a failure leaves no half frame. */
        if (bytes.len_bytes > 0) {
            memcpy(buffer + header_bytes, bytes.data, bytes.len_bytes);
        }
        return rt_outbox_add(out, buffer, header_bytes + bytes.len_bytes);
    }
    enum rt_status status = rt_outbox_add(out, buffer, header_bytes);
    if (status != RT_OK) {
        return status;
    }
    return rt_outbox_add(out, bytes.data, bytes.len_bytes);
}

enum rt_status zmtp_write_blob(struct rt_outbox *out, struct rt_blob *blob, size_t offset_bytes,
                               size_t len_bytes, bool is_more)
{
    enum rt_status status = zmtp_write_header(out, len_bytes, is_more);
    if (status != RT_OK || len_bytes == 0) {
        return status;
    }
    return rt_outbox_add_blob(out, blob, offset_bytes, len_bytes);
}

enum rt_status zmtp_write_header(struct rt_outbox *out, size_t len_bytes, bool is_more)
{
    uint8_t header[HEADER_MAX_BYTES];
    size_t header_bytes = put_header(header, len_bytes, is_more ? ZMTP__MORE : 0);
    return rt_outbox_add(out, header, header_bytes);
}

/* PING is its name, a time to live in tenths of a second, and a context that we leave empty. */
enum rt_status zmtp_write_ping(struct rt_outbox *out, uint16_t ttl_ds)
{
    uint8_t frame[] = {ZMTP__COMMAND, 7, 4, 'P', 'I', 'N', 'G', 0, 0};
    frame[7] = (uint8_t)(ttl_ds >> 8);
    frame[8] = (uint8_t)(ttl_ds & 0xff);
    return rt_outbox_add(out, frame, sizeof(frame));
}

static size_t put_header(uint8_t *header, size_t len_bytes, uint8_t flags)
{
    if (len_bytes <= SHORT_MAX_BYTES) {
        header[0] = flags;
        header[1] = (uint8_t)len_bytes;
        return 2;
    }
    header[0] = flags | ZMTP__LONG;
    for (unsigned i = 0; i < 8; i++) {
        header[1 + i] = (uint8_t)((uint64_t)len_bytes >> (56 - 8 * i));
    }
    return HEADER_MAX_BYTES;
}
