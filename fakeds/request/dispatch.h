/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEDS_REQUEST_DISPATCH_H
#define FAKEDS_REQUEST_DISPATCH_H

#include "fakeds/request/call.h"
#include "wire/protobuf_bytes.h"

#include <stddef.h>

/* One row for each operation: how its body is read, what it needs, who does it. */
struct fakeds__operation {
    const ProtobufCMessageDescriptor *request; /* NULL: no body is read */
    ptrdiff_t client_id_offset;                /* ProtobufCBinaryData in the message; -1: none */
    ptrdiff_t key_offset;                      /* one key: ProtobufCBinaryData; -1: none */
    ptrdiff_t keys_count_offset;               /* a list: size_t, then the pointer; -1: none */
    ptrdiff_t keys_offset;
    bool (*list_keys)(struct fakeds__call *call); /* where keys lie deeper; false: no memory */
    bool needs_ready;                             /* answers K_NOT_READY while the worker is not */
    bool needs_client;                            /* answers 23 to ids that are not registered */
    void (*run)(struct fakeds__call *call);       /* ends the call, or keeps it */
};

const struct fakeds__operation *fakeds__operation_of(enum dsrpc_op op);

/* Ready and registered, else refused; then the operation. */
void fakeds__dispatch(struct fakeds__call *call);

/* op_*.c */
void fakeds__op_client_fd(struct fakeds__call *call);
void fakeds__op_socket_path(struct fakeds__call *call);
void fakeds__op_register(struct fakeds__call *call);
void fakeds__op_disconnect(struct fakeds__call *call);
void fakeds__op_heartbeat(struct fakeds__call *call);
void fakeds__op_zmq_heartbeat(struct fakeds__call *call);
void fakeds__op_health(struct fakeds__call *call);
void fakeds__op_create(struct fakeds__call *call);
void fakeds__op_set(struct fakeds__call *call);
void fakeds__op_get(struct fakeds__call *call);
void fakeds__op_decrease_reference(struct fakeds__call *call);
void fakeds__op_reconcile(struct fakeds__call *call);
void fakeds__op_delete(struct fakeds__call *call);
void fakeds__op_mset(struct fakeds__call *call);
void fakeds__op_mcreate(struct fakeds__call *call);
void fakeds__op_query_size(struct fakeds__call *call);
void fakeds__op_exist(struct fakeds__call *call);
void fakeds__op_expire(struct fakeds__call *call);

/* ---- what several operations share ---- */

/* op_get.c: a waiting get misses nothing any more, or its time is over. */
void fakeds__get_complete(struct fakeds__call *call);

/* notify.c: hands what was stored to the gets that wait for it. */
void fakeds__notify(struct fakeds_worker *worker, struct rt_slice key,
                    struct fakeds__content *content);
void fakeds__notices_forget(struct fakeds_worker *worker, const struct fakeds__wait *wait);

/* memory.c: true when there is room. Otherwise `call` is kept and applied again later, or
 * `*out_is_over` says that its patience has ended. */
bool fakeds__memory_take(struct fakeds__call *call, uint64_t class_bytes, bool *out_is_over);
struct rt_slice fakeds__memory_text(struct fakeds__call *call);

#endif
