/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/dsrpc/dsrpc_field.h"

/* The protobuf encoding, as much as MetaPb and ErrorInfoPb need. */
static bool take_varint(struct rt_slice *rest, uint64_t *out_value);
static bool take_bytes(struct rt_slice *rest, uint64_t len_bytes, struct rt_slice *out_bytes);

#define VARINT_MAX_BYTES 10u
#define TYPE_BITS        3u

enum rt_status dsrpc__field_next(struct rt_slice *rest, struct dsrpc__field *out_field)
{
    struct dsrpc__field field = {0};
    uint64_t tag = 0;
    uint64_t len_bytes = 0;
    bool is_good = false;
    if (rest->len_bytes == 0) {
        return RT_E_AGAIN;
    }
    if (!take_varint(rest, &tag) || tag > UINT32_MAX || tag >> TYPE_BITS == 0) {
        return RT_E_MALFORMED;
    }
    field.number = (uint32_t)(tag >> TYPE_BITS);
    field.type = (enum dsrpc__wire_type)(tag & ((1u << TYPE_BITS) - 1));
    switch (field.type) {
    case DSRPC__VARINT:
        is_good = take_varint(rest, &field.varint);
        break;
    case DSRPC__FIXED64:
        is_good = take_bytes(rest, 8, &field.bytes);
        break;
    case DSRPC__BYTES:
        is_good = take_varint(rest, &len_bytes) && take_bytes(rest, len_bytes, &field.bytes);
        break;
    case DSRPC__FIXED32:
        is_good = take_bytes(rest, 4, &field.bytes);
        break;
    }
    if (!is_good) {
        return RT_E_MALFORMED; /* groups, which proto3 does not have, end here too */
    }
    *out_field = field;
    return RT_OK;
}

static bool take_varint(struct rt_slice *rest, uint64_t *out_value)
{
    uint64_t value = 0;
    for (size_t i = 0; i < rest->len_bytes && i < VARINT_MAX_BYTES; i++) {
        uint8_t byte = rest->data[i];
        value |= (uint64_t)(byte & 0x7f) << (7 * i); /* of the tenth byte one bit counts */
        if ((byte & 0x80) == 0) {
            *rest = rt_slice_of(rest->data + i + 1, rest->len_bytes - i - 1);
            *out_value = value;
            return true;
        }
    }
    return false;
}

static bool take_bytes(struct rt_slice *rest, uint64_t len_bytes, struct rt_slice *out_bytes)
{
    if (len_bytes > rest->len_bytes) {
        return false;
    }
    *out_bytes = rt_slice_of(rest->data, (size_t)len_bytes);
    *rest = rt_slice_of(rest->data + len_bytes, rest->len_bytes - (size_t)len_bytes);
    return true;
}

/* ---- writing -------------------------------------------------------------------------------- */

size_t dsrpc__put_varint(uint8_t *to, uint64_t value)
{
    size_t len_bytes = 0;
    while (value >= 0x80) {
        to[len_bytes++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    to[len_bytes++] = (uint8_t)value;
    return len_bytes;
}

size_t dsrpc__put_number(uint8_t *to, uint32_t field_number, uint64_t value)
{
    if (value == 0) {
        return 0;
    }
    size_t len_bytes = dsrpc__put_varint(to, (uint64_t)field_number << TYPE_BITS | DSRPC__VARINT);
    return len_bytes + dsrpc__put_varint(to + len_bytes, value);
}

size_t dsrpc__put_bytes(uint8_t *to, uint32_t field_number, struct rt_slice bytes)
{
    if (bytes.len_bytes == 0) {
        return 0;
    }
    size_t len_bytes = dsrpc__put_varint(to, (uint64_t)field_number << TYPE_BITS | DSRPC__BYTES);
    len_bytes += dsrpc__put_varint(to + len_bytes, bytes.len_bytes);
    memcpy(to + len_bytes, bytes.data, bytes.len_bytes);
    return len_bytes + bytes.len_bytes;
}

void dsrpc__put_length(uint8_t to[8], uint64_t value)
{
    for (unsigned i = 0; i < 8; i++) {
        to[i] = (uint8_t)(value >> (8 * i));
    }
}

uint64_t dsrpc__get_length(const uint8_t from[8])
{
    uint64_t value = 0;
    for (unsigned i = 0; i < 8; i++) {
        value |= (uint64_t)from[i] << (8 * i);
    }
    return value;
}
