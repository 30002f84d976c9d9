/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/request/call_later.h"
#include "fakeetcd/request/dispatch.h"
#include "fakeetcd/request/fault_points.h"

/*
 * Behind the handler:
 *
 *   answer --applied--> emit --(held, or not on disk yet: call_later.c)--> transport --> replied
 */

void fakeetcd_call_answer(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    if (call->is_finished) {
        return;
    }
    fakeetcd__counts_of(call)->applied++;
    if (call->server->environment.journal != NULL) {
        fakeetcd__call_record(call, RT_REC_RPC_APPLIED, rt_slice_text(""), GRPC_OK, 0, "", "");
    }
    if (fakeetcd__at_applied(call) == FAKEETCD__GONE) {
        return;
    }
    fakeetcd__at_reply(call);
    fakeetcd__emit(call, message);
    if (!call->is_finished) {
        fakeetcd__emit_end(call, GRPC_OK, "");
    }
}

void fakeetcd_call_send(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    if (!call->is_finished) {
        fakeetcd__emit(call, message);
    }
}

void fakeetcd_call_fail(struct fakeetcd_call *call, enum fakeetcd_error error)
{
    bool is_3_4 = fakeetcd__has_quirk(call->server, FAKEETCD_QUIRK_OLD_CODES);
    fakeetcd_call_finish(call, fakeetcd_error_code(error, is_3_4), fakeetcd_error_text(error));
}

void fakeetcd_call_finish(struct fakeetcd_call *call, int32_t code, const char *text)
{
    if (call->is_finished) {
        return;
    }
    if (call->method->kind == FAKEETCD_UNARY) {
        fakeetcd__at_reply(call);
    }
    fakeetcd__emit_end(call, code, text);
}

bool fakeetcd_call_is_full(const struct fakeetcd_call *call)
{
    return call->transport->is_full(call);
}

/* ---- towards the transport ---- */

/* A message that finds no memory would leave a gap in a stream: the call ends instead. */
void fakeetcd__emit(struct fakeetcd_call *call, const ProtobufCMessage *message)
{
    bool is_sent = fakeetcd__is_out_waiting(call) ? fakeetcd__keep_out(call, message)
                                                  : call->transport->send(call, message) == RT_OK;
    if (!is_sent) {
        fakeetcd_call_fail(call, FAKEETCD_E_NOMEM);
    }
}

void fakeetcd__emit_end(struct fakeetcd_call *call, int32_t code, const char *text)
{
    struct fakeetcd_server *server = call->server;
    call->is_finished = true;
    if (fakeetcd__is_out_waiting(call) && fakeetcd__keep_end(call, code, text)) {
        return;
    }
    call->is_answered = true;
    struct fakeetcd_op_counts *counts = fakeetcd__counts_of(call);
    counts->answered++;
    counts->failed += code == GRPC_OK ? 0 : 1;
    if (code >= 0 && code < FAKEETCD__CODES) {
        server->handled[fakeetcd__method_index(call->method)][code]++;
    }
    if (server->environment.journal != NULL) {
        fakeetcd__call_record(call, RT_REC_RPC_ANSWERED, rt_slice_text(""), code, 0, call->cause,
                              text);
    }
    call->transport->finish(call, code, text);
}

void fakeetcd__call_eat(struct fakeetcd_call *call, const char *cause, const char *what)
{
    fakeetcd__counts_of(call)->eaten++;
    fakeetcd__call_record(call, RT_REC_RPC_EATEN, rt_slice_text(""), GRPC_OK, 0, cause, what);
    call->is_finished = true;
}

/* ---- looking ---- */

int fakeetcd__method_index(const struct fakeetcd_method *method)
{
    return (int)(method - fakeetcd_methods);
}

struct fakeetcd_op_counts *fakeetcd__counts_of(const struct fakeetcd_call *call)
{
    return &call->server->ops[fakeetcd__method_index(call->method)];
}

void fakeetcd__call_record(const struct fakeetcd_call *call, enum rt_record_kind kind,
                           struct rt_slice key, int32_t code, uint64_t number, const char *cause,
                           const char *detail)
{
    if (call->server->environment.journal == NULL) {
        return;
    }
    struct rt_record record = {
        .kind = kind,
        .actor = call->server->options.name,
        .subject = fakeetcd_fault_domain.operations[fakeetcd__method_index(call->method)].word,
        .key = key,
        .id = call->id,
        .code = code,
        .number = number,
        .cause = cause,
        .detail = detail,
    };
    rt_journal_append(call->server->environment.journal, &record);
}
