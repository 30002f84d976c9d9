/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_KV_KV_H
#define FAKEETCD_KV_KV_H

#include "fakeetcd/server/server_internal.h"

#include "wire/proto/etcd_rpc.pb-c.h"
#include "wire/protobuf_bytes.h"

/*
 * KV requests, in etcd's order: the shape is checked (kv_check.c), then who may (kv_access.c),
 * then it is applied (kv_apply.c, kv_range.c, kv_txn.c). A transaction applies all or nothing.
 */

/* What a reply says of the server. */
void fakeetcd__header_fill(const struct fakeetcd_server *server,
                           Etcdserverpb__ResponseHeader *out_header);
/* A unary answer with the server's header in `field`, which is the response's own. */
void fakeetcd__answer(struct fakeetcd_call *call, ProtobufCMessage *response,
                      Etcdserverpb__ResponseHeader **field);
/* The end of a handler: that answer, or the error. */
void fakeetcd__finish(struct fakeetcd_call *call, enum fakeetcd_error error,
                      ProtobufCMessage *response, Etcdserverpb__ResponseHeader **field);
void fakeetcd__kv_fill(const struct fakeetcd_kv *kv, Mvccpb__KeyValue *out_message);
Mvccpb__KeyValue *fakeetcd__kv_message(struct fakeetcd_server *server,
                                       const struct fakeetcd_kv *kv);

/* ---- kv_check.c: shape ---- */

enum fakeetcd_error fakeetcd__check_range(const struct fakeetcd_server *server,
                                          const Etcdserverpb__RangeRequest *request);
enum fakeetcd_error fakeetcd__check_put(const Etcdserverpb__PutRequest *request);
enum fakeetcd_error fakeetcd__check_delete(const Etcdserverpb__DeleteRangeRequest *request);
enum fakeetcd_error fakeetcd__check_txn(struct fakeetcd_server *server,
                                        const Etcdserverpb__TxnRequest *request);
/* kv_duplicates.c: no key of this branch is put twice, or put and deleted. */
enum fakeetcd_error fakeetcd__check_duplicates(struct fakeetcd_server *server,
                                               Etcdserverpb__RequestOp *const *ops, size_t count);
bool fakeetcd__txn_is_readonly(const Etcdserverpb__TxnRequest *request);
bool fakeetcd__txn_is_serializable(const Etcdserverpb__TxnRequest *request);

/* ---- kv_access.c: who may, and alarms ---- */

enum fakeetcd_error fakeetcd__may_range(struct fakeetcd_call *call,
                                        const Etcdserverpb__RangeRequest *request);
enum fakeetcd_error fakeetcd__may_put(struct fakeetcd_call *call,
                                      const Etcdserverpb__PutRequest *request);
enum fakeetcd_error fakeetcd__may_delete(struct fakeetcd_call *call,
                                         const Etcdserverpb__DeleteRangeRequest *request);
enum fakeetcd_error fakeetcd__may_txn(struct fakeetcd_call *call,
                                      const Etcdserverpb__TxnRequest *request);

/* Every key that hangs on the lease; the caller has identified the call. */
enum fakeetcd_error fakeetcd__may_lease(struct fakeetcd_call *call, int64_t lease,
                                        enum fakeetcd_access access);

/* May the state be changed now? Alarms and switches. `puts_bytes`: what it would add; 0: it adds
 * nothing. Over the quota the alarm NOSPACE is raised. */
enum fakeetcd_error fakeetcd__may_write(struct fakeetcd_server *server, uint64_t puts_bytes);
uint64_t fakeetcd__put_cost(const Etcdserverpb__PutRequest *request);
uint64_t fakeetcd__txn_cost(const Etcdserverpb__TxnRequest *request);

/* ---- kv_apply.c, kv_range.c, kv_txn.c: inside a write; responses are in the arena ---- */

enum fakeetcd_error fakeetcd__apply_range(struct fakeetcd_server *server,
                                          const Etcdserverpb__RangeRequest *request,
                                          Etcdserverpb__RangeResponse *out_response);
enum fakeetcd_error fakeetcd__apply_put(struct fakeetcd_server *server,
                                        const Etcdserverpb__PutRequest *request,
                                        Etcdserverpb__PutResponse *out_response);
enum fakeetcd_error fakeetcd__apply_delete(struct fakeetcd_server *server,
                                           const Etcdserverpb__DeleteRangeRequest *request,
                                           Etcdserverpb__DeleteRangeResponse *out_response);
/* Compares, revisions and leases are looked at first, then it runs; an error applies nothing if
 * the caller aborts the write. */
enum fakeetcd_error fakeetcd__apply_txn(struct fakeetcd_server *server,
                                        const Etcdserverpb__TxnRequest *request,
                                        Etcdserverpb__TxnResponse *out_response);

/* A whole transaction with its write: what recipes (locks, elections) use. */
enum fakeetcd_error fakeetcd__run_txn(struct fakeetcd_server *server,
                                      const Etcdserverpb__TxnRequest *request,
                                      Etcdserverpb__TxnResponse *out_response);
void fakeetcd__begin_write(struct fakeetcd_server *server);
/* Ends the write that was begun: nothing happened unless `error` is FAKEETCD_OK. */
enum fakeetcd_error fakeetcd__end_write(struct fakeetcd_server *server, enum fakeetcd_error error);

/* ---- service_kv.c ---- */

/* A deletion from its check to the end of its write. */
enum fakeetcd_error fakeetcd__run_delete(struct fakeetcd_call *call,
                                         const Etcdserverpb__DeleteRangeRequest *request,
                                         Etcdserverpb__DeleteRangeResponse *response);

void fakeetcd__on_range(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_put(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_delete_range(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_txn(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__on_compact(struct fakeetcd_call *call, const ProtobufCMessage *request);

#endif
