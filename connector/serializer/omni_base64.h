/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONNECTOR_SERIALIZER_OMNI_BASE64_H
#define CONNECTOR_SERIALIZER_OMNI_BASE64_H

#include <stdio.h>

#include "runtime/slice.h"

/* Bytes as text, for the notation of payloads: RFC 4648 with padding, and hexadecimal. */

/* How many bytes a text stands for. False: its length cannot be right. */
bool omni_base64_size(struct rt_slice text, size_t *out_len_bytes);

/* `out_bytes` has room for what omni_base64_size() said. False: a character that is none of the
 * alphabet, or bits left over; *out_bad_offset is its place in the text. */
bool omni_base64_read(struct rt_slice text, uint8_t *out_bytes, size_t *out_bad_offset);
void omni_base64_write(FILE *out, struct rt_slice bytes);

#endif
