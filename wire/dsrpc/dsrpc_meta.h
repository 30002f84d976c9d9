/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_DSRPC_DSRPC_META_H
#define WIRE_DSRPC_DSRPC_META_H

#include "wire/dsrpc/dsrpc.h"

#define DSRPC__ID_LIMIT_BYTES 255u /* queue id and trace id, each */
#define DSRPC__META_MAX_BYTES (2 * DSRPC__ID_LIMIT_BYTES + 256u)

/* MetaPb as the real client writes it; returns its length. The ids must be within their limit. */
size_t dsrpc__meta_put(uint8_t to[DSRPC__META_MAX_BYTES], const struct dsrpc_profile *profile,
                       const struct dsrpc_outgoing *request);

/* Payload frames from frame `first` on: a length frame that agrees with the sum of what follows.
 * NULL when they fit, else a static text that says why not. */
const char *dsrpc__payload_find(const struct zmtp_message *message, size_t first,
                                struct dsrpc_payload *out_payload);

/* The pieces of each value are as long as it says. */
bool dsrpc__payload_is_sound(const struct dsrpc_value *values, size_t value_count);

/* The other direction. `is_empty_sent`: a value of no bytes is one empty part, else none. */
RT_NODISCARD enum rt_status dsrpc__payload_write(const struct dsrpc_value *values,
                                                 size_t value_count, bool is_empty_sent,
                                                 struct rt_outbox *out);

#endif
