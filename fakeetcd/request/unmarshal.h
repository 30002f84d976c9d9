/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_REQUEST_UNMARSHAL_H
#define FAKEETCD_REQUEST_UNMARSHAL_H

#include "runtime/slice.h"

#include <protobuf-c/protobuf-c.h>

/*
 * What etcd says of bytes that are no message of `type`: the words of the decoders that its build
 * generates (gogo/protobuf), seen with 3.4.23 and 3.5.21. For after unpacking has failed; bytes
 * that only protobuf-c refuses (groups, which nobody sends) are called "unexpected EOF".
 */
void fakeetcd_unmarshal_text(const ProtobufCMessageDescriptor *type, struct rt_slice message,
                             char *out_text, size_t text_bytes);

#endif
