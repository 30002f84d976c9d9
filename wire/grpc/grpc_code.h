/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_GRPC_GRPC_CODE_H
#define WIRE_GRPC_GRPC_CODE_H

#include "runtime/slice.h"

/* Codes of the gRPC protocol. Data from a wire, never what a local function answers.
 * Row: enumerator, number, name as faults and the JSON gateway write it. */
#define GRPC_CODE_LIST(ROW)                                                                        \
    ROW(GRPC_OK, 0, "OK")                                                                          \
    ROW(GRPC_CANCELLED, 1, "CANCELLED")                                                            \
    ROW(GRPC_UNKNOWN, 2, "UNKNOWN")                                                                \
    ROW(GRPC_INVALID_ARGUMENT, 3, "INVALID_ARGUMENT")                                              \
    ROW(GRPC_DEADLINE_EXCEEDED, 4, "DEADLINE_EXCEEDED")                                            \
    ROW(GRPC_NOT_FOUND, 5, "NOT_FOUND")                                                            \
    ROW(GRPC_ALREADY_EXISTS, 6, "ALREADY_EXISTS")                                                  \
    ROW(GRPC_PERMISSION_DENIED, 7, "PERMISSION_DENIED")                                            \
    ROW(GRPC_RESOURCE_EXHAUSTED, 8, "RESOURCE_EXHAUSTED")                                          \
    ROW(GRPC_FAILED_PRECONDITION, 9, "FAILED_PRECONDITION")                                        \
    ROW(GRPC_ABORTED, 10, "ABORTED")                                                               \
    ROW(GRPC_OUT_OF_RANGE, 11, "OUT_OF_RANGE")                                                     \
    ROW(GRPC_UNIMPLEMENTED, 12, "UNIMPLEMENTED")                                                   \
    ROW(GRPC_INTERNAL, 13, "INTERNAL")                                                             \
    ROW(GRPC_UNAVAILABLE, 14, "UNAVAILABLE")                                                       \
    ROW(GRPC_DATA_LOSS, 15, "DATA_LOSS")                                                           \
    ROW(GRPC_UNAUTHENTICATED, 16, "UNAUTHENTICATED")

enum grpc_code {
#define GRPC_CODE_ENUM(name, number, word) name = number,
    GRPC_CODE_LIST(GRPC_CODE_ENUM)
#undef GRPC_CODE_ENUM
};

/* "UNAVAILABLE"; "code 99" has no name: NULL. Static text, any thread. */
const char *grpc_code_name(int32_t code);

/* True and the number for a name. Any thread. */
bool grpc_code_by_name(struct rt_slice name, int32_t *out_code);

#endif
