/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/spans.h"

#include <stdlib.h>

#define FIRST_CAPACITY_COUNT 8

static bool make_room(struct rt__spans *spans);
static void drop_first(struct rt__spans *spans);

void rt__spans_fini(struct rt__spans *spans)
{
    while (spans->count > 0) {
        drop_first(spans);
    }
    free(spans->items);
    *spans = (struct rt__spans){0};
}

void rt__spans_add(struct rt__spans *spans, struct rt__span span)
{
    if (spans->count > 0) {
        struct rt__span *last = &spans->items[spans->first + spans->count - 1];

        if (last->blob == span.blob && last->position + last->len_bytes == span.position &&
            last->offset_bytes + last->len_bytes == span.offset_bytes) {
            last->len_bytes += span.len_bytes;
            return;
        }
    }
    if (!make_room(spans)) {
        return;
    }
    rt_blob_retain(span.blob);
    spans->items[spans->first + spans->count] = span;
    spans->count++;
}

static bool make_room(struct rt__spans *spans)
{
    size_t capacity_count =
        spans->capacity_count == 0 ? FIRST_CAPACITY_COUNT : spans->capacity_count * 2;
    struct rt__span *items;

    if (spans->first + spans->count < spans->capacity_count) {
        return true;
    }
    if (spans->first > spans->capacity_count / 2) {
        memmove(spans->items, spans->items + spans->first, spans->count * sizeof(*items));
        spans->first = 0;
        return true;
    }
    items = realloc(spans->items, capacity_count * sizeof(*items));
    if (items == NULL) {
        return false;
    }
    spans->items = items;
    spans->capacity_count = capacity_count;
    return true;
}

static void drop_first(struct rt__spans *spans)
{
    rt_blob_release(spans->items[spans->first].blob);
    spans->count--;
    spans->first = spans->count == 0 ? 0 : spans->first + 1;
}

void rt__spans_trim(struct rt__spans *spans, uint64_t position)
{
    while (spans->count > 0) {
        struct rt__span *span = &spans->items[spans->first];
        size_t gone_bytes;

        if (span->position >= position) {
            return;
        }
        if (span->position + span->len_bytes > position) {
            gone_bytes = (size_t)(position - span->position);
            span->position = position;
            span->offset_bytes += gone_bytes;
            span->len_bytes -= gone_bytes;
            return;
        }
        drop_first(spans);
    }
}

const struct rt__span *rt__spans_first(const struct rt__spans *spans)
{
    return spans->count == 0 ? NULL : &spans->items[spans->first];
}

void rt__spans_move(struct rt__spans *to, struct rt__spans *from, uint64_t end, uint64_t shift)
{
    while (from->count > 0 && from->items[from->first].position < end) {
        struct rt__span span = from->items[from->first];

        if (span.position + span.len_bytes > end) {
            span.len_bytes = (size_t)(end - span.position);
        }
        span.position += shift;
        rt__spans_add(to, span);
        rt__spans_trim(from, span.position - shift + span.len_bytes);
    }
}
