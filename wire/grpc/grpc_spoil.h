/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_GRPC_GRPC_SPOIL_H
#define WIRE_GRPC_GRPC_SPOIL_H

#include "runtime/loop.h"
#include "runtime/table.h"

/*
 * Answers spoilt on their way out, byte by byte: cut, changed or dripped. They are found by their
 * HTTP/2 stream, because a call has ended before its last frame leaves. What is wrong with an
 * answer's headers and messages is done where those are made.
 */
struct grpc__link;

enum grpc__spoil_way { GRPC__TRUNCATE, GRPC__CORRUPT, GRPC__DRIP };

struct grpc__spoil {
    uint64_t stream_id;
    enum grpc__spoil_way way;
    uint64_t number;          /* the byte, from 0; of DRIP the microseconds between two */
    uint64_t position;        /* bytes of this stream's frames so far */
    struct grpc__spoil *over; /* in `over`: its stream is closed */
    UT_hash_handle hh;
};

struct grpc__spoils {
    struct grpc__spoil *table;
    struct grpc__spoil *over;
    /* A frame that drips. The frames behind it wait. */
    struct rt_timer drip_timer;
    uint8_t *drip_data; /* NULL: none */
    size_t drip_bytes;
    size_t drip_position;
    uint64_t drip_interval_us;
};

void grpc__spoils_init(struct grpc__link *link);
void grpc__spoils_fini(struct grpc__link *link);

/* Without memory the answer stays as it is. */
void grpc__spoils_add(struct grpc__link *link, uint32_t stream_id, enum grpc__spoil_way way,
                      uint64_t number);
/* The stream is closed; frames that nghttp2 has made already still come. */
void grpc__spoils_stream_closed(struct grpc__link *link, uint32_t stream_id);

static inline bool grpc__spoils_is_empty(const struct grpc__spoils *spoils)
{
    return spoils->table == NULL;
}
static inline bool grpc__spoils_is_dripping(const struct grpc__spoils *spoils)
{
    return spoils->drip_data != NULL;
}

/* NULL: this stream's frames go out as they are. */
struct grpc__spoil *grpc__spoils_find(struct grpc__link *link, uint32_t stream_id);
/* One whole frame of a stream that was found. The bytes may change. */
void grpc__spoils_write(struct grpc__link *link, struct grpc__spoil *spoil, uint8_t *frame,
                        size_t len_bytes);
/* Forgets those whose stream is closed and whose last frame is out. */
void grpc__spoils_sweep(struct grpc__link *link);

#endif
