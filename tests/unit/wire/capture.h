/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_WIRE_CAPTURE_H
#define TESTS_UNIT_WIRE_CAPTURE_H

#include "runtime/slice.h"

/*
 * TCP streams out of a pcap file: Ethernet, IPv4, one direction of one connection each, put
 * together by sequence number. Enough for a capture on loopback; anything it does not understand
 * (a gap, another link type) is an error, never skipped.
 */

#define CAPTURE_STREAM_MAX  16
#define CAPTURE_SEGMENT_MAX 256

struct capture_stream {
    uint16_t from_port;
    uint16_t to_port;
    uint32_t first_sequence; /* of the first byte of data */
    uint8_t *data;
    size_t len_bytes;
    size_t capacity_bytes;
    size_t segment_end_bytes[CAPTURE_SEGMENT_MAX]; /* where each packet's new bytes end */
    size_t segment_count;
};

struct capture {
    struct capture_stream streams[CAPTURE_STREAM_MAX];
    size_t stream_count;
    size_t packet_count;
};

/* NULL on success, else what is wrong. Free with capture_fini() in both cases. */
const char *capture_read(struct capture *capture, const char *path);
void capture_fini(struct capture *capture);

/* Whole file; NULL when it cannot be read. The caller frees it. */
uint8_t *capture_slurp(const char *path, size_t *out_len_bytes);

#endif
