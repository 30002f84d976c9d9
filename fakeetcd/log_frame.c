/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/log_frame.h"

#include "fakeetcd/crc.h"

#define NUMBER_BYTES_MAX 10
#define NUMBERS_MAX      8

static uint32_t read_u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

static void write_u32(uint8_t *bytes, uint32_t number)
{
    for (int i = 0; i < 4; i++) {
        bytes[i] = (uint8_t)(number >> 8 * i);
    }
}

/* ---- writing ---- */

enum rt_status fakeetcd__log_writer_init(struct fakeetcd__log_writer *writer)
{
    *writer = (struct fakeetcd__log_writer){.body = rt_outbox_create()};
    return writer->body == NULL ? RT_E_NOMEM : RT_OK;
}

void fakeetcd__log_writer_fini(struct fakeetcd__log_writer *writer)
{
    rt_outbox_destroy(writer->body);
    writer->body = NULL;
}

void fakeetcd__log_writer_clear(struct fakeetcd__log_writer *writer)
{
    rt_outbox_clear(writer->body);
    writer->crc = 0;
    writer->len_bytes = 0;
    writer->is_short_of_memory = false;
}

static void written(struct fakeetcd__log_writer *writer, struct rt_slice bytes,
                    enum rt_status status)
{
    if (status != RT_OK) {
        writer->is_short_of_memory = true;
        return;
    }
    writer->crc = fakeetcd__crc_add(writer->crc, bytes.data, bytes.len_bytes);
    writer->len_bytes += bytes.len_bytes;
}

void fakeetcd__write_raw(struct fakeetcd__log_writer *writer, struct rt_slice bytes)
{
    if (bytes.len_bytes > 0) {
        written(writer, bytes, rt_outbox_add(writer->body, bytes.data, bytes.len_bytes));
    }
}

static size_t encode_number(uint8_t *out_bytes, uint64_t number)
{
    size_t len_bytes = 0;

    for (; number >= 128; number >>= 7) {
        out_bytes[len_bytes++] = (uint8_t)(number | 128);
    }
    out_bytes[len_bytes++] = (uint8_t)number;
    return len_bytes;
}

void fakeetcd__write_numbers(struct fakeetcd__log_writer *writer, const uint64_t *numbers,
                             size_t count)
{
    uint8_t bytes[NUMBERS_MAX * NUMBER_BYTES_MAX];
    size_t len_bytes = 0;

    for (size_t i = 0; i < count && i < NUMBERS_MAX; i++) {
        len_bytes += encode_number(bytes + len_bytes, numbers[i]);
    }
    fakeetcd__write_raw(writer, rt_slice_of(bytes, len_bytes));
}

void fakeetcd__write_number(struct fakeetcd__log_writer *writer, uint64_t number)
{
    fakeetcd__write_numbers(writer, &number, 1);
}

void fakeetcd__write_bytes(struct fakeetcd__log_writer *writer, struct rt_slice bytes,
                           struct rt_blob *blob)
{
    fakeetcd__write_number(writer, bytes.len_bytes);
    if (blob == NULL || bytes.len_bytes == 0) {
        fakeetcd__write_raw(writer, bytes);
        return;
    }
    size_t offset_bytes = (size_t)(bytes.data - rt_blob_slice(blob).data);
    written(writer, bytes, rt_outbox_add_blob(writer->body, blob, offset_bytes, bytes.len_bytes));
}

static enum rt_status write_frame(struct fakeetcd__log_writer *writer, struct rt_outbox *frame,
                                  int fd)
{
    uint8_t head[FAKEETCD__FRAME_HEAD_BYTES];

    write_u32(head, (uint32_t)writer->len_bytes);
    write_u32(head + 4, writer->crc);
    write_u32(head + 8, fakeetcd__crc_add(0, head, 8));
    enum rt_status status = rt_outbox_add(frame, head, sizeof(head));
    if (status == RT_OK) {
        status = rt_outbox_move(frame, writer->body, writer->len_bytes);
    }
    while (status == RT_OK && rt_outbox_len_bytes(frame) > 0) {
        status = rt_outbox_write(frame, fd);
        status = status == RT_E_AGAIN ? RT_OK : status; /* a regular file is never full for now */
    }
    return status;
}

enum rt_status fakeetcd__log_writer_flush(struct fakeetcd__log_writer *writer, int fd,
                                          uint64_t *out_len_bytes)
{
    uint64_t len_bytes = FAKEETCD__FRAME_HEAD_BYTES + writer->len_bytes;
    struct rt_outbox *frame = rt_outbox_create();
    enum rt_status status = writer->is_short_of_memory || frame == NULL ? RT_E_NOMEM : RT_OK;

    if (status == RT_OK) {
        status = writer->len_bytes > UINT32_MAX ? RT_E_LIMIT : write_frame(writer, frame, fd);
    }
    rt_outbox_destroy(frame);
    fakeetcd__log_writer_clear(writer);
    if (status == RT_OK) {
        *out_len_bytes = len_bytes;
    }
    return status;
}

/* ---- reading ---- */

static void set_bad(struct fakeetcd__log_reader *reader)
{
    reader->is_bad = true;
    reader->at = reader->end;
}

uint64_t fakeetcd__read_number(struct fakeetcd__log_reader *reader)
{
    uint64_t number = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (reader->at == reader->end) {
            break;
        }
        uint8_t byte = *reader->at++;
        if (shift == 63 && byte > 1) {
            break;
        }
        number |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) {
            return number;
        }
    }
    set_bad(reader);
    return 0;
}

struct rt_slice fakeetcd__read_raw(struct fakeetcd__log_reader *reader, uint64_t len_bytes)
{
    if (len_bytes > (uint64_t)(reader->end - reader->at)) {
        set_bad(reader);
        return (struct rt_slice){0};
    }
    struct rt_slice bytes = rt_slice_of(reader->at, (size_t)len_bytes);
    reader->at += len_bytes;
    return bytes;
}

struct rt_slice fakeetcd__read_bytes(struct fakeetcd__log_reader *reader)
{
    return fakeetcd__read_raw(reader, fakeetcd__read_number(reader));
}

static bool are_zeros(struct rt_slice bytes)
{
    for (size_t i = 0; i < bytes.len_bytes; i++) {
        if (bytes.data[i] != 0) {
            return false;
        }
    }
    return true;
}

/* A file system may have given the file its length before its bytes: zeros to the end are torn
 * too, and so is a body that is wrong and the last. */
enum fakeetcd__frame fakeetcd__frame_at(struct rt_slice rest, struct rt_slice *out_body)
{
    if (rest.len_bytes < FAKEETCD__FRAME_HEAD_BYTES || are_zeros(rest)) {
        return FAKEETCD__FRAME_TORN;
    }
    if (fakeetcd__crc_add(0, rest.data, 8) != read_u32(rest.data + 8)) {
        return FAKEETCD__FRAME_BROKEN;
    }
    size_t len_bytes = read_u32(rest.data);
    if (len_bytes > rest.len_bytes - FAKEETCD__FRAME_HEAD_BYTES) {
        return FAKEETCD__FRAME_TORN;
    }
    struct rt_slice body = rt_slice_of(rest.data + FAKEETCD__FRAME_HEAD_BYTES, len_bytes);
    if (fakeetcd__crc_add(0, body.data, body.len_bytes) != read_u32(rest.data + 4)) {
        bool is_last = len_bytes == rest.len_bytes - FAKEETCD__FRAME_HEAD_BYTES;
        return is_last ? FAKEETCD__FRAME_TORN : FAKEETCD__FRAME_BROKEN;
    }
    *out_body = body;
    return FAKEETCD__FRAME_OK;
}
