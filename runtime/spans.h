/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_SPANS_H
#define RUNTIME_SPANS_H

#include "runtime/blob.h"

/*
 * Which bytes of a stream are parts of which blobs. An evbuffer knows pieces of memory only; the
 * spans beside it let a whole blob be handed over as itself, and a part of one be split without
 * being copied. They are knowledge, not content: a span that found no memory is just forgotten,
 * and the bytes it described are treated as any others.
 */
struct rt__span {
    uint64_t position; /* of its first byte, counted from the start of the stream */
    size_t len_bytes;
    size_t offset_bytes; /* inside the blob */
    struct rt_blob *blob;
};

struct rt__spans {
    struct rt__span *items; /* in order, without overlaps; items[first] is the oldest */
    size_t first;
    size_t count;
    size_t capacity_count;
};

void rt__spans_fini(struct rt__spans *spans);

/* Behind all others. Grows the last one when the blob goes on there. Takes a reference. */
void rt__spans_add(struct rt__spans *spans, struct rt__span span);

/* Forgets what lies before `position`. */
void rt__spans_trim(struct rt__spans *spans, uint64_t position);

/* NULL when there is none. */
const struct rt__span *rt__spans_first(const struct rt__spans *spans);

/* Moves those that begin before `end`, cut there if need be; `shift` is added to positions. */
void rt__spans_move(struct rt__spans *to, struct rt__spans *from, uint64_t end, uint64_t shift);

#endif
