/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONNECTOR_CLIENT_DS_OP_H
#define CONNECTOR_CLIENT_DS_OP_H

#include "connector/client/ds_internal.h"
#include "wire/proto/datasystem.pb-c.h"
#include "wire/protobuf_bytes.h"

/*
 * What the files of the operations share. Each operation packs its request anew for every attempt
 * and accepts an answer whose status is OK; bodies are protobuf-c messages on the stack that point
 * at the call's arguments. ds_op_table.c says which belongs to which.
 */
#define DS__CAUSAL 1 /* the consistency type of every KV set */

typedef enum rt_status ds__pack_fn(struct ds__call *call);
typedef void ds__accept_fn(struct ds__call *call, const struct dsrpc_answer *answer,
                           const struct zmtp_message *message, struct ds_result *out_result,
                           struct ds__outcome *out_outcome);

/* ---- packing ---- */

ProtobufCBinaryData ds__client_id_of(const struct ds__call *call);
RT_NODISCARD enum rt_status ds__pack_body(struct ds__call *call, const ProtobufCMessage *message);

/* The same for a message that lists the call's keys: its two fields hold them while it is packed.
 */
RT_NODISCARD enum rt_status ds__pack_keys(struct ds__call *call, const ProtobufCMessage *message,
                                          size_t *count_field, ProtobufCBinaryData **keys_field);

/* ---- accepting ---- */

/* The body in the client's arena. NULL: it does not parse, and the outcome says so. */
void *ds__unpack(struct ds__call *call, const ProtobufCMessageDescriptor *descriptor,
                 const struct dsrpc_answer *answer, struct ds__outcome *outcome);

/* Room in the client's scratch for one list. NULL: out of memory, and the outcome says so. */
void *ds__list_room(struct ds__call *call, size_t count, size_t item_bytes,
                    struct ds__outcome *outcome);

/* The worker's own words; never followed by the retry law's suffix. */
void ds__refused(struct ds__outcome *outcome, int32_t code, struct rt_slice text);

/* The client's own words about an answer that does not hold together. Static text. */
void ds__mismatch(struct ds__outcome *outcome, int32_t code, enum ds_detail detail,
                  const char *sentence);

/* The end of a batch: failed keys, and the call fails when all of them did. */
void ds__accept_failed(struct ds__call *call, size_t failed_count, ProtobufCBinaryData *failed,
                       const Ds__ErrorInfoPb *last_rc, struct ds_result *result,
                       struct ds__outcome *outcome);

/* ---- the operations ---- */

ds__pack_fn ds__pack_socket_path, ds__pack_register, ds__pack_disconnect, ds__pack_heartbeat;
ds__pack_fn ds__pack_set, ds__pack_mset, ds__pack_get;
ds__pack_fn ds__pack_exist, ds__pack_delete, ds__pack_expire, ds__pack_query_size;
ds__pack_fn ds__pack_health, ds__pack_reconcile;

ds__accept_fn ds__accept_nothing, ds__accept_register, ds__accept_heartbeat;
ds__accept_fn ds__accept_mset, ds__accept_get;
ds__accept_fn ds__accept_exist, ds__accept_delete, ds__accept_expire, ds__accept_query_size;

#endif
