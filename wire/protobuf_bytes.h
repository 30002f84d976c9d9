/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_PROTOBUF_BYTES_H
#define WIRE_PROTOBUF_BYTES_H

#include "runtime/slice.h"

#include <protobuf-c/protobuf-c.h>

/* Bytes in a message and our view of bytes are the same thing under two names: both borrow. */

static inline struct rt_slice pb_slice(ProtobufCBinaryData bytes)
{
    return rt_slice_of(bytes.data, bytes.len);
}

/* For messages that are packed: nothing is written through the pointer. */
static inline ProtobufCBinaryData pb_bytes(struct rt_slice slice)
{
    return (ProtobufCBinaryData){.len = slice.len_bytes, .data = (uint8_t *)(uintptr_t)slice.data};
}

#endif
