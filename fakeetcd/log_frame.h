/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_LOG_FRAME_H
#define FAKEETCD_LOG_FRAME_H

#include "runtime/bytes.h"

/*
 * A log is a row of frames; a frame is what became durable in one go:
 *
 *   length (u32) | CRC of the body (u32) | CRC of these 8 bytes (u32) | body
 *
 * Little-endian; CRC-32C. The length has a CRC of its own, so that a broken one is told from a
 * frame that the file ends in. A body is numbers (7 bits a byte, lowest first) and counted bytes.
 */
#define FAKEETCD__FRAME_HEAD_BYTES 12

/* ---- writing ---- */

struct fakeetcd__log_writer {
    struct rt_outbox *body;
    uint32_t crc;
    size_t len_bytes;
    bool is_short_of_memory; /* what was written is not to be used */
};

RT_NODISCARD enum rt_status fakeetcd__log_writer_init(struct fakeetcd__log_writer *writer);
void fakeetcd__log_writer_fini(struct fakeetcd__log_writer *writer);
void fakeetcd__log_writer_clear(struct fakeetcd__log_writer *writer);

void fakeetcd__write_number(struct fakeetcd__log_writer *writer, uint64_t number);
/* Several at once. */
void fakeetcd__write_numbers(struct fakeetcd__log_writer *writer, const uint64_t *numbers,
                             size_t count);
void fakeetcd__write_raw(struct fakeetcd__log_writer *writer, struct rt_slice bytes);
/* Their count, then they; by reference when a blob has them. */
void fakeetcd__write_bytes(struct fakeetcd__log_writer *writer, struct rt_slice bytes,
                           struct rt_blob *blob);

/* Appends the finished frame to the file and begins anew. RT_E_IO: some of it may be there. */
RT_NODISCARD enum rt_status fakeetcd__log_writer_flush(struct fakeetcd__log_writer *writer, int fd,
                                                       uint64_t *out_len_bytes);

/* ---- reading ---- */

struct fakeetcd__log_reader {
    const uint8_t *at;
    const uint8_t *end;
    bool is_bad; /* something was not there; everything read since is 0 or empty */
};

uint64_t fakeetcd__read_number(struct fakeetcd__log_reader *reader);
struct rt_slice fakeetcd__read_raw(struct fakeetcd__log_reader *reader, uint64_t len_bytes);
struct rt_slice fakeetcd__read_bytes(struct fakeetcd__log_reader *reader);

enum fakeetcd__frame {
    FAKEETCD__FRAME_OK,
    FAKEETCD__FRAME_TORN,  /* the file ends in it: it was being written */
    FAKEETCD__FRAME_BROKEN /* it was whole once */
};
/* The frame that `rest` begins with (not empty); `out_body` is what lies in it. */
enum fakeetcd__frame fakeetcd__frame_at(struct rt_slice rest, struct rt_slice *out_body);

#endif
