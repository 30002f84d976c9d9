/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_DSRPC_DSRPC_METHOD_H
#define WIRE_DSRPC_DSRPC_METHOD_H

#include "wire/dsrpc/dsrpc.h"

/* The operation behind a service name and an index, DSRPC_OP_UNKNOWN when there is none.
 * `out_is_service_known` tells "no such service" from "no such method". */
enum dsrpc_op dsrpc__method_find(const struct dsrpc_profile *profile, struct rt_slice service,
                                 int32_t index, bool *out_is_service_known);

#endif
