/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_DSRPC_DSRPC_FIELD_H
#define WIRE_DSRPC_DSRPC_FIELD_H

#include "runtime/slice.h"
#include "runtime/status.h"

/* Protobuf fields one by one, for what is on every message: MetaPb and ErrorInfoPb. */

enum dsrpc__wire_type {
    DSRPC__VARINT = 0,
    DSRPC__FIXED64 = 1,
    DSRPC__BYTES = 2,
    DSRPC__FIXED32 = 5
};

struct dsrpc__field {
    uint32_t number;
    enum dsrpc__wire_type type;
    uint64_t varint;       /* DSRPC__VARINT */
    struct rt_slice bytes; /* DSRPC__BYTES; the raw bytes of a fixed one */
};

/* Takes one field off `rest`. RT_E_AGAIN: nothing is left; RT_E_MALFORMED: it does not parse. */
RT_NODISCARD enum rt_status dsrpc__field_next(struct rt_slice *rest,
                                              struct dsrpc__field *out_field);

/* Writers; each returns the number of bytes written. A varint takes at most 10. Proto3: fields
 * with a zero or an empty value are left out. */
size_t dsrpc__put_varint(uint8_t *to, uint64_t value);
size_t dsrpc__put_number(uint8_t *to, uint32_t field_number, uint64_t value);
size_t dsrpc__put_bytes(uint8_t *to, uint32_t field_number, struct rt_slice bytes);

/* Payload lengths: 8 bytes, little-endian. */
void dsrpc__put_length(uint8_t to[8], uint64_t value);
uint64_t dsrpc__get_length(const uint8_t from[8]);

#endif
