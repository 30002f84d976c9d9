/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/grpc/grpc_headers.h"

#include <stdlib.h>

/* What a field costs in SETTINGS_MAX_HEADER_LIST_SIZE besides its bytes (RFC 9113, 6.5.2). */
#define FIELD_OVERHEAD_BYTES 32

static bool is_well_formed(struct grpc__headers *headers, nghttp2_rcbuf *name,
                           nghttp2_rcbuf *value);
static unsigned pseudo_bit(struct rt_slice name);
static struct grpc__header *new_entry(struct grpc__headers *headers);
static struct rt_slice slice_of(nghttp2_rcbuf *buffer);

void grpc__headers_init(struct grpc__headers *headers)
{
    headers->count = 0;
    headers->list_bytes = 0;
    headers->has_regular = false;
    headers->is_malformed = false;
    headers->is_too_long = false;
    headers->pseudo_seen = 0;
    headers->capacity_count = 0;
    headers->more = NULL;
}

void grpc__headers_fini(struct grpc__headers *headers)
{
    for (size_t i = 0; i < headers->count; i++) {
        nghttp2_rcbuf_decref(grpc__headers_at(headers, i)->name);
        nghttp2_rcbuf_decref(grpc__headers_at(headers, i)->value);
    }
    free(headers->more);
    headers->count = 0;
    headers->more = NULL;
}

const struct grpc__header *grpc__headers_at(const struct grpc__headers *headers, size_t index)
{
    return index < GRPC__HEADER_ROOM_COUNT ? &headers->room[index]
                                           : &headers->more[index - GRPC__HEADER_ROOM_COUNT];
}

/* ---- adding ------------------------------------------------------------------------------- */

enum rt_status grpc__headers_add(struct grpc__headers *headers, nghttp2_rcbuf *name,
                                 nghttp2_rcbuf *value)
{
    struct grpc__header *entry;

    headers->list_bytes +=
        slice_of(name).len_bytes + slice_of(value).len_bytes + FIELD_OVERHEAD_BYTES;
    if (headers->list_bytes > GRPC__HEADER_LIST_MAX_BYTES) {
        headers->is_too_long = true;
    } else if (!is_well_formed(headers, name, value)) {
        headers->is_malformed = true;
    }
    if (headers->is_too_long || headers->is_malformed) {
        return RT_OK;
    }
    entry = new_entry(headers);
    if (entry == NULL) {
        return RT_E_NOMEM;
    }
    nghttp2_rcbuf_incref(name);
    nghttp2_rcbuf_incref(value);
    entry->name = name;
    entry->value = value;
    return RT_OK;
}

/* Pseudo-header fields first, each once and of a request or an answer; names in lower case. */
static bool is_well_formed(struct grpc__headers *headers, nghttp2_rcbuf *name, nghttp2_rcbuf *value)
{
    struct rt_slice name_bytes = slice_of(name);
    struct rt_slice value_bytes = slice_of(value);

    if (name_bytes.len_bytes > 0 && name_bytes.data[0] == ':') {
        unsigned bit = pseudo_bit(name_bytes);

        if (bit == 0 || headers->has_regular || (headers->pseudo_seen & bit) != 0) {
            return false;
        }
        headers->pseudo_seen |= bit;
    } else {
        headers->has_regular = true;
        if (!nghttp2_rcbuf_is_static(name) &&
            !nghttp2_check_header_name(name_bytes.data, name_bytes.len_bytes)) {
            return false;
        }
    }
    return nghttp2_rcbuf_is_static(value) ||
           nghttp2_check_header_value(value_bytes.data, value_bytes.len_bytes);
}

static unsigned pseudo_bit(struct rt_slice name)
{
    static const char *const names[] = {":method", ":path",      ":scheme",
                                        ":status", ":authority", ":protocol"};

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (rt_slice_is_text(name, names[i])) {
            return 1U << i;
        }
    }
    return 0;
}

static struct grpc__header *new_entry(struct grpc__headers *headers)
{
    size_t index = headers->count - GRPC__HEADER_ROOM_COUNT;

    if (headers->count < GRPC__HEADER_ROOM_COUNT) {
        return &headers->room[headers->count++];
    }
    if (index == headers->capacity_count) {
        size_t capacity_count = index == 0 ? GRPC__HEADER_ROOM_COUNT : 2 * index;
        struct grpc__header *more = realloc(headers->more, capacity_count * sizeof(*more));

        if (more == NULL) {
            return NULL;
        }
        headers->more = more;
        headers->capacity_count = capacity_count;
    }
    headers->count++;
    return &headers->more[index];
}

/* ---- looking ------------------------------------------------------------------------------ */

static struct rt_slice slice_of(nghttp2_rcbuf *buffer)
{
    nghttp2_vec bytes = nghttp2_rcbuf_get_buf(buffer);

    return rt_slice_of(bytes.base, bytes.len);
}

struct rt_slice grpc__header_name(const struct grpc__header *header)
{
    return slice_of(header->name);
}

struct rt_slice grpc__header_value(const struct grpc__header *header)
{
    return slice_of(header->value);
}

bool grpc__headers_find(const struct grpc__headers *headers, const char *name,
                        struct rt_slice *out_value)
{
    for (size_t i = 0; i < headers->count; i++) {
        if (rt_slice_is_text(slice_of(grpc__headers_at(headers, i)->name), name)) {
            *out_value = slice_of(grpc__headers_at(headers, i)->value);
            return true;
        }
    }
    return false;
}
