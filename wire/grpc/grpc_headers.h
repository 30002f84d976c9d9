/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_GRPC_GRPC_HEADERS_H
#define WIRE_GRPC_GRPC_HEADERS_H

#include "runtime/slice.h"
#include "runtime/status.h"

#include <nghttp2/nghttp2.h>

/*
 * The header fields of one request or answer. nghttp2's checks of HTTP messaging are off, because
 * they refuse some values of :authority that etcd's clients send; what Go's HTTP/2 checks is
 * checked here. Nothing is copied: the fields hold references to nghttp2's buffers.
 */

struct grpc__header {
    nghttp2_rcbuf *name;
    nghttp2_rcbuf *value;
};

#define GRPC__HEADER_ROOM_COUNT 12

struct grpc__headers {
    size_t count;
    size_t list_bytes; /* as SETTINGS_MAX_HEADER_LIST_SIZE counts */
    bool has_regular;
    bool is_malformed; /* for Go a stream error: PROTOCOL_ERROR */
    bool is_too_long;
    unsigned pseudo_seen;
    size_t capacity_count; /* of `more` */
    struct grpc__header *more;
    struct grpc__header room[GRPC__HEADER_ROOM_COUNT];
};

/* A list longer than this is refused and not kept. grpc-go takes 16 MiB. */
#define GRPC__HEADER_LIST_MAX_BYTES ((size_t)256 * 1024)

void grpc__headers_init(struct grpc__headers *headers);
void grpc__headers_fini(struct grpc__headers *headers);

/* Checks and keeps one. A malformed or superfluous one is not kept, and said by the flags above. */
RT_NODISCARD enum rt_status grpc__headers_add(struct grpc__headers *headers, nghttp2_rcbuf *name,
                                              nghttp2_rcbuf *value);

/* The first value of this name; false: there is none. */
bool grpc__headers_find(const struct grpc__headers *headers, const char *name,
                        struct rt_slice *out_value);

const struct grpc__header *grpc__headers_at(const struct grpc__headers *headers, size_t index);
struct rt_slice grpc__header_name(const struct grpc__header *header);
struct rt_slice grpc__header_value(const struct grpc__header *header);

#endif
