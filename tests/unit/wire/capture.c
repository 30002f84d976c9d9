/* SPDX-License-Identifier: Apache-2.0 */
#include "capture.h"

#include <stdio.h>
#include <stdlib.h>

/* File header, then packets: header, Ethernet, IPv4, TCP, data. */
static const char *read_packet(struct capture *capture, struct rt_slice packet);
static const char *read_tcp(struct capture *capture, struct rt_slice tcp);
static struct capture_stream *stream_of(struct capture *capture, uint16_t from, uint16_t to);
static const char *add_data(struct capture_stream *stream, uint32_t sequence, struct rt_slice data);
static struct rt_slice cut(struct rt_slice bytes, size_t offset_bytes);
static uint32_t little_u32(const uint8_t *from);
static uint32_t big_u32(const uint8_t *from);
static uint16_t big_u16(const uint8_t *from);

#define FILE_HEADER_BYTES     24u
#define PACKET_HEADER_BYTES   16u
#define ETHERNET_HEADER_BYTES 14u
#define IPV4_HEADER_BYTES     20u
#define TCP_HEADER_BYTES      20u
#define MAGIC_MICROSECONDS    0xa1b2c3d4u
#define LINK_ETHERNET         1u
#define ETHERNET_IPV4         0x0800u
#define PROTOCOL_TCP          6u
#define FLAG_SYN              2u

const char *capture_read(struct capture *capture, const char *path)
{
    size_t len_bytes = 0;
    const char *error = NULL;
    *capture = (struct capture){0};
    uint8_t *file = capture_slurp(path, &len_bytes);
    if (file == NULL || len_bytes < FILE_HEADER_BYTES) {
        free(file);
        return "the file cannot be read";
    }
    if (little_u32(file) != MAGIC_MICROSECONDS || little_u32(file + 20) != LINK_ETHERNET) {
        error = "not a little-endian pcap file of Ethernet packets";
    }
    struct rt_slice rest = cut(rt_slice_of(file, len_bytes), FILE_HEADER_BYTES);
    while (error == NULL && rest.len_bytes > 0) {
        if (rest.len_bytes < PACKET_HEADER_BYTES ||
            little_u32(rest.data + 8) > rest.len_bytes - PACKET_HEADER_BYTES) {
            error = "the file ends inside a packet";
            break;
        }
        size_t packet_bytes = little_u32(rest.data + 8);
        if (packet_bytes != little_u32(rest.data + 12)) {
            error = "a packet was captured in part";
            break;
        }
        rest = cut(rest, PACKET_HEADER_BYTES);
        error = read_packet(capture, rt_slice_of(rest.data, packet_bytes));
        rest = cut(rest, packet_bytes);
    }
    free(file);
    return error;
}

void capture_fini(struct capture *capture)
{
    for (size_t i = 0; i < capture->stream_count; i++) {
        free(capture->streams[i].data);
    }
    *capture = (struct capture){0};
}

static const char *read_packet(struct capture *capture, struct rt_slice packet)
{
    capture->packet_count++;
    if (packet.len_bytes < ETHERNET_HEADER_BYTES + IPV4_HEADER_BYTES ||
        big_u16(packet.data + 12) != ETHERNET_IPV4) {
        return "a packet is not IPv4";
    }
    struct rt_slice ip = cut(packet, ETHERNET_HEADER_BYTES);
    size_t header_bytes = (ip.data[0] & 0xfu) * 4u;
    size_t total_bytes = big_u16(ip.data + 2);
    if (ip.data[9] != PROTOCOL_TCP || total_bytes > ip.len_bytes || header_bytes > total_bytes) {
        return "a packet is not TCP";
    }
    return read_tcp(capture, cut(rt_slice_of(ip.data, total_bytes), header_bytes));
}

static const char *read_tcp(struct capture *capture, struct rt_slice tcp)
{
    if (tcp.len_bytes < TCP_HEADER_BYTES || (tcp.data[12] >> 4) * 4u > tcp.len_bytes) {
        return "a TCP header is cut";
    }
    struct capture_stream *stream = stream_of(capture, big_u16(tcp.data), big_u16(tcp.data + 2));
    if (stream == NULL) {
        return "too many connections";
    }
    uint32_t sequence = big_u32(tcp.data + 4);
    if ((tcp.data[13] & FLAG_SYN) != 0) {
        stream->first_sequence = sequence + 1;
        return NULL;
    }
    return add_data(stream, sequence, cut(tcp, (tcp.data[12] >> 4) * 4u));
}

static struct capture_stream *stream_of(struct capture *capture, uint16_t from, uint16_t to)
{
    for (size_t i = 0; i < capture->stream_count; i++) {
        struct capture_stream *stream = &capture->streams[i];
        if (stream->from_port == from && stream->to_port == to) {
            return stream;
        }
    }
    if (capture->stream_count == CAPTURE_STREAM_MAX) {
        return NULL;
    }
    struct capture_stream *stream = &capture->streams[capture->stream_count++];
    stream->from_port = from;
    stream->to_port = to;
    return stream;
}

/* Bytes seen before (a retransmission, a keep-alive) are dropped; a hole is an error. */
static const char *add_data(struct capture_stream *stream, uint32_t sequence, struct rt_slice data)
{
    uint32_t offset_bytes = sequence - stream->first_sequence;
    if (data.len_bytes == 0 || (int32_t)offset_bytes < 0) {
        return NULL;
    }
    if (offset_bytes > stream->len_bytes) {
        return "bytes are missing from a stream";
    }
    size_t old_bytes = stream->len_bytes - offset_bytes;
    if (old_bytes >= data.len_bytes) {
        return NULL;
    }
    data = cut(data, old_bytes);
    if (stream->len_bytes + data.len_bytes > stream->capacity_bytes) {
        stream->capacity_bytes = (stream->len_bytes + data.len_bytes) * 2;
        stream->data = realloc(stream->data, stream->capacity_bytes);
        if (stream->data == NULL) {
            abort();
        }
    }
    memcpy(stream->data + stream->len_bytes, data.data, data.len_bytes);
    stream->len_bytes += data.len_bytes;
    if (stream->segment_count == CAPTURE_SEGMENT_MAX) {
        return "too many packets on one stream";
    }
    stream->segment_end_bytes[stream->segment_count++] = stream->len_bytes;
    return NULL;
}

uint8_t *capture_slurp(const char *path, size_t *out_len_bytes)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    size_t capacity_bytes = 4096;
    size_t len_bytes = 0;
    uint8_t *data = malloc(capacity_bytes);
    while (data != NULL) {
        len_bytes += fread(data + len_bytes, 1, capacity_bytes - len_bytes, file);
        if (len_bytes < capacity_bytes) {
            break;
        }
        capacity_bytes *= 2;
        uint8_t *bigger = realloc(data, capacity_bytes);
        if (bigger == NULL) {
            free(data);
        }
        data = bigger;
    }
    (void)fclose(file);
    *out_len_bytes = len_bytes;
    return data;
}

/* ---- numbers -------------------------------------------------------------------------------- */

static struct rt_slice cut(struct rt_slice bytes, size_t offset_bytes)
{
    return rt_slice_of(bytes.data + offset_bytes, bytes.len_bytes - offset_bytes);
}

static uint32_t little_u32(const uint8_t *from)
{
    return (uint32_t)from[3] << 24 | (uint32_t)from[2] << 16 | (uint32_t)from[1] << 8 | from[0];
}

static uint32_t big_u32(const uint8_t *from)
{
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

static uint16_t big_u16(const uint8_t *from)
{
    return (uint16_t)(from[0] << 8 | from[1]);
}
