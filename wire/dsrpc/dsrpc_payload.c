/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/dsrpc/dsrpc_field.h"
#include "wire/dsrpc/dsrpc_meta.h"

/* Payload: a frame of 8 bytes with the sum, then values as parts. No value is ever copied. */
static bool is_sound(const struct dsrpc_value *value);
static enum rt_status write_value(const struct dsrpc_value *value, bool is_last,
                                  struct rt_outbox *out);
static enum rt_status write_pieces(const struct dsrpc_value *value, uint64_t offset_bytes,
                                   uint64_t len_bytes, struct rt_outbox *out);
static enum rt_status write_piece(const struct dsrpc_piece *piece, size_t offset_bytes,
                                  size_t len_bytes, struct rt_outbox *out);

#define LENGTH_FRAME_BYTES 8u
#define PART_MAX_BYTES     ((uint64_t)INT32_MAX) /* larger values are split */

/* ---- in ------------------------------------------------------------------------------------- */

const char *dsrpc__payload_find(const struct zmtp_message *message, size_t first,
                                struct dsrpc_payload *out_payload)
{
    if (message->frame_count <= first) {
        return "the payload's length frame is missing";
    }
    struct rt_slice length = message->frames[first].bytes;
    if (length.len_bytes != LENGTH_FRAME_BYTES) {
        return "the payload's length frame is not 8 bytes long";
    }
    struct dsrpc_payload payload = {.parts = message->frames + first + 1,
                                    .part_count = message->frame_count - first - 1,
                                    .total_bytes = dsrpc__get_length(length.data)};
    uint64_t sum_bytes = 0;
    for (size_t i = 0; i < payload.part_count; i++) {
        sum_bytes += payload.parts[i].bytes.len_bytes;
    }
    if (sum_bytes != payload.total_bytes) {
        return "the payload's length frame does not match its parts";
    }
    *out_payload = payload;
    return NULL;
}

/* ---- out ------------------------------------------------------------------------------------ */

enum rt_status dsrpc__payload_write(const struct dsrpc_value *values, size_t value_count,
                                    bool is_empty_sent, struct rt_outbox *out)
{
    uint64_t total_bytes = 0;
    size_t sent_count = 0;
    for (size_t i = 0; i < value_count; i++) {
        total_bytes += values[i].total_bytes;
        sent_count += values[i].total_bytes > 0 || is_empty_sent ? 1 : 0;
    }
    uint8_t length[LENGTH_FRAME_BYTES];
    dsrpc__put_length(length, total_bytes);
    enum rt_status status =
        zmtp_write_frame(out, rt_slice_of(length, sizeof(length)), sent_count > 0);
    for (size_t i = 0; i < value_count && status == RT_OK; i++) {
        if (values[i].total_bytes > 0 || is_empty_sent) {
            sent_count--;
            status = write_value(&values[i], sent_count == 0, out);
        }
    }
    return status;
}

bool dsrpc__payload_is_sound(const struct dsrpc_value *values, size_t value_count)
{
    for (size_t i = 0; i < value_count; i++) {
        if (!is_sound(&values[i])) {
            return false;
        }
    }
    return true;
}

static bool is_sound(const struct dsrpc_value *value)
{
    uint64_t sum_bytes = 0;
    for (size_t i = 0; i < value->piece_count; i++) {
        sum_bytes += value->pieces[i].bytes.len_bytes;
    }
    return sum_bytes == value->total_bytes;
}

static enum rt_status write_value(const struct dsrpc_value *value, bool is_last,
                                  struct rt_outbox *out)
{
    uint64_t offset_bytes = 0;
    for (;;) {
        uint64_t left_bytes = value->total_bytes - offset_bytes;
        uint64_t len_bytes = left_bytes < PART_MAX_BYTES ? left_bytes : PART_MAX_BYTES;
        bool is_end = len_bytes == left_bytes;
        enum rt_status status = zmtp_write_header(out, (size_t)len_bytes, !(is_last && is_end));
        if (status == RT_OK) {
            status = write_pieces(value, offset_bytes, len_bytes, out);
        }
        if (status != RT_OK || is_end) {
            return status;
        }
        offset_bytes += len_bytes;
    }
}

/* Bytes [offset, offset + len) of a value, across its pieces. */
static enum rt_status write_pieces(const struct dsrpc_value *value, uint64_t offset_bytes,
                                   uint64_t len_bytes, struct rt_outbox *out)
{
    for (size_t i = 0; i < value->piece_count && len_bytes > 0; i++) {
        const struct dsrpc_piece *piece = &value->pieces[i];
        if (offset_bytes >= piece->bytes.len_bytes) {
            offset_bytes -= piece->bytes.len_bytes;
            continue;
        }
        uint64_t here_bytes = piece->bytes.len_bytes - offset_bytes;
        here_bytes = here_bytes < len_bytes ? here_bytes : len_bytes;
        enum rt_status status = write_piece(piece, (size_t)offset_bytes, (size_t)here_bytes, out);
        if (status != RT_OK) {
            return status;
        }
        offset_bytes = 0;
        len_bytes -= here_bytes;
    }
    return RT_OK;
}

static enum rt_status write_piece(const struct dsrpc_piece *piece, size_t offset_bytes,
                                  size_t len_bytes, struct rt_outbox *out)
{
    const uint8_t *data = piece->bytes.data + offset_bytes;
    if (piece->blob == NULL) {
        return rt_outbox_add(out, data, len_bytes);
    }
    size_t in_blob_bytes = (size_t)(data - rt_blob_slice(piece->blob).data);
    return rt_outbox_add_blob(out, piece->blob, in_blob_bytes, len_bytes);
}
