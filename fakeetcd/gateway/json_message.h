/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_GATEWAY_JSON_MESSAGE_H
#define FAKEETCD_GATEWAY_JSON_MESSAGE_H

#include "fakeetcd/gateway/text.h"

#include <protobuf-c/protobuf-c.h>

/*
 * Messages as JSON by their descriptors: bytes are base64, 64-bit numbers are strings, enums are
 * names, field names are those of etcd's .proto (read in camelCase too), zeros are left out.
 * Our .proto files declare strings as bytes (docs/decisions/0001): which of them are strings in
 * etcd's is a table here.
 */
enum { FAKEETCD_JSON_ERROR_BYTES = 192 };

/* What the words of errors depend on. */
enum fakeetcd_json_dialect { FAKEETCD_JSON_GO_1_3, FAKEETCD_JSON_GO_1_5 }; /* etcd 3.4, etcd 3.5 */

/*
 * Appends the protobuf encoding of one JSON value that fakeetcd_json_scan() found complete.
 *
 *   RT_E_MALFORMED  the value does not fit the message; `out_error` is what etcd says
 *   RT_E_NOMEM
 */
RT_NODISCARD enum rt_status fakeetcd_json_to_wire(const ProtobufCMessageDescriptor *descriptor,
                                                  enum fakeetcd_json_dialect dialect,
                                                  struct rt_slice json,
                                                  struct fakeetcd_text *out_wire,
                                                  char out_error[FAKEETCD_JSON_ERROR_BYTES]);

/* Appends; `out_json` remembers a failed allocation. */
void fakeetcd_json_of_message(const ProtobufCMessage *message, struct fakeetcd_text *out_json);

/* Is this bytes field a string in etcd's own .proto? */
bool fakeetcd_json_is_string(const ProtobufCMessageDescriptor *descriptor,
                             const ProtobufCFieldDescriptor *field);

#endif
