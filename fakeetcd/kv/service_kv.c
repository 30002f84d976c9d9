/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/kv/kv.h"
#include "fakeetcd/request/dispatch.h"

/* The service KV: shape, access, alarms, then the store. */

void fakeetcd__on_range(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const Etcdserverpb__RangeRequest *request = (const Etcdserverpb__RangeRequest *)message;
    struct fakeetcd_server *server = call->server;
    Etcdserverpb__RangeResponse response = ETCDSERVERPB__RANGE_RESPONSE__INIT;
    enum fakeetcd_error error = fakeetcd__check_range(server, request);
    if (error == FAKEETCD_OK) {
        error = fakeetcd__may_range(call, request);
    }
    if (error == FAKEETCD_OK) {
        error = fakeetcd__apply_range(server, request, &response);
    }
    fakeetcd__finish(call, error, &response.base, &response.header);
}

void fakeetcd__on_put(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const Etcdserverpb__PutRequest *request = (const Etcdserverpb__PutRequest *)message;
    struct fakeetcd_server *server = call->server;
    Etcdserverpb__PutResponse response = ETCDSERVERPB__PUT_RESPONSE__INIT;
    enum fakeetcd_error error = fakeetcd__check_put(request);
    if (error == FAKEETCD_OK) {
        error = fakeetcd__may_put(call, request);
    }
    if (error == FAKEETCD_OK) {
        error = fakeetcd__may_write(server, fakeetcd__put_cost(request));
    }
    if (error == FAKEETCD_OK) {
        fakeetcd__begin_write(server);
        error = fakeetcd__end_write(server, fakeetcd__apply_put(server, request, &response));
    }
    fakeetcd__finish(call, error, &response.base, &response.header);
}

void fakeetcd__on_delete_range(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const Etcdserverpb__DeleteRangeRequest *request =
        (const Etcdserverpb__DeleteRangeRequest *)message;
    Etcdserverpb__DeleteRangeResponse response = ETCDSERVERPB__DELETE_RANGE_RESPONSE__INIT;
    fakeetcd__finish(call, fakeetcd__run_delete(call, request, &response), &response.base,
                     &response.header);
}

enum fakeetcd_error fakeetcd__run_delete(struct fakeetcd_call *call,
                                         const Etcdserverpb__DeleteRangeRequest *request,
                                         Etcdserverpb__DeleteRangeResponse *response)
{
    struct fakeetcd_server *server = call->server;
    enum fakeetcd_error error = fakeetcd__check_delete(request);
    if (error == FAKEETCD_OK) {
        error = fakeetcd__may_delete(call, request);
    }
    if (error == FAKEETCD_OK) {
        error = fakeetcd__may_write(server, 0);
    }
    if (error == FAKEETCD_OK) {
        fakeetcd__begin_write(server);
        error = fakeetcd__end_write(server, fakeetcd__apply_delete(server, request, response));
    }
    return error;
}

void fakeetcd__on_txn(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const Etcdserverpb__TxnRequest *request = (const Etcdserverpb__TxnRequest *)message;
    struct fakeetcd_server *server = call->server;
    Etcdserverpb__TxnResponse response = ETCDSERVERPB__TXN_RESPONSE__INIT;
    enum fakeetcd_error error = fakeetcd__check_txn(server, request);
    if (error == FAKEETCD_OK) {
        error = fakeetcd__may_txn(call, request);
    }
    if (error == FAKEETCD_OK && !fakeetcd__txn_is_readonly(request)) {
        error = fakeetcd__may_write(server, fakeetcd__txn_cost(request));
    }
    if (error == FAKEETCD_OK) {
        error = fakeetcd__run_txn(server, request, &response);
    }
    fakeetcd__finish(call, error, &response.base, &response.header);
}

void fakeetcd__on_compact(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    const Etcdserverpb__CompactionRequest *request =
        (const Etcdserverpb__CompactionRequest *)message;
    struct fakeetcd_server *server = call->server;
    Etcdserverpb__CompactionResponse response = ETCDSERVERPB__COMPACTION_RESPONSE__INIT;
    enum fakeetcd_error error = fakeetcd__may_write(server, 0);
    if (error == FAKEETCD_OK) {
        error = fakeetcd_server_compact(server, request->revision);
    }
    fakeetcd__finish(call, error, &response.base, &response.header);
}

/* ---- what a request needs of a leader ---- */

enum fakeetcd_leader_need fakeetcd__leader_need(const struct fakeetcd_call *call,
                                                const ProtobufCMessage *message)
{
    if (message->descriptor == &etcdserverpb__range_request__descriptor) {
        const Etcdserverpb__RangeRequest *request = (const Etcdserverpb__RangeRequest *)message;
        return request->serializable ? FAKEETCD_LEADER_LOCAL : FAKEETCD_LEADER_READS;
    }
    if (message->descriptor == &etcdserverpb__txn_request__descriptor) {
        const Etcdserverpb__TxnRequest *request = (const Etcdserverpb__TxnRequest *)message;
        if (!fakeetcd__txn_is_readonly(request)) {
            return FAKEETCD_LEADER_PROPOSES;
        }
        return fakeetcd__txn_is_serializable(request) ? FAKEETCD_LEADER_LOCAL
                                                      : FAKEETCD_LEADER_READS;
    }
    if (message->descriptor == &etcdserverpb__member_list_request__descriptor) {
        const Etcdserverpb__MemberListRequest *request =
            (const Etcdserverpb__MemberListRequest *)message;
        return request->linearizable &&
                       !fakeetcd__has_quirk(call->server, FAKEETCD_QUIRK_MEMBERS_SERIAL)
                   ? FAKEETCD_LEADER_READS
                   : FAKEETCD_LEADER_LOCAL;
    }
    return call->method->leader;
}
