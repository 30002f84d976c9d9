/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_GRPC_GRPC_TEXT_H
#define WIRE_GRPC_GRPC_TEXT_H

#include "runtime/slice.h"

/*
 * The texts in gRPC's headers: grpc-message, grpc-timeout, and how Go quotes what it refuses.
 * Pure functions, any thread. Each writes at most `room_bytes` with a NUL and cuts what does not
 * fit at a place where the result is still well formed.
 */

/* Percent-encoding of grpc-message: all but 0x20 to 0x7e without '%'. What is no UTF-8 becomes
 * U+FFFD, as with grpc-go. Returns the length. */
size_t grpc__text_encode(const char *text, char *out_encoded, size_t room_bytes);

/* The reverse; "%zz" stays as it is. Returns the length. */
size_t grpc__text_decode(struct rt_slice encoded, char *out_text, size_t room_bytes);

/* As Go's %q: quotes around it, \" \\ \n \x00 \u00e9-free for printable ASCII. */
void grpc__text_quote(struct rt_slice text, char *out_quoted, size_t room_bytes);

/* Metadata whose name ends with -bin, padded or not. False: where Go's decoder gives up. */
bool grpc__text_is_base64(struct rt_slice text, size_t *out_bad_at);

/* grpc-timeout as grpc-go reads it: up to 8 digits and one of H M S m u n. A negative or zero one
 * is 0, "already over"; what does not fit is UINT64_MAX. False: `out_error` says why. */
bool grpc__timeout_parse(struct rt_slice text, uint64_t *out_timeout_us, char *out_error,
                         size_t error_bytes);

#define GRPC__TIMEOUT_TEXT_BYTES 16
/* The shortest exact unit that fits into 8 digits, rounded up. */
void grpc__timeout_print(uint64_t timeout_us, char out_text[GRPC__TIMEOUT_TEXT_BYTES]);

#endif
