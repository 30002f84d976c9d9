/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/connection/connection.h"
#include "fakeds/request/fault_points.h"

/*
 * The way of an answer out. It goes to whichever connection holds the identity now; when nobody
 * does it is lost, as with the real worker's ROUTER socket.
 */
static void strike_bytes(struct fakeds__call *call, struct fakeds__connection *holder,
                         const struct fault_action *action);
static void write_bytes(struct fakeds__call *call, struct fakeds__connection *holder);
static bool move_bytes(struct fakeds__call *call, struct fakeds__connection *holder,
                       size_t len_bytes);
static void lose(struct fakeds__call *call, const char *cause);
static void answered(struct fakeds__call *call, const char *cause);
static void finish(struct fakeds__call *call, struct fakeds__connection *holder);

void fakeds__deliver(struct fakeds__call *call, const struct fakeds__answer *answer)
{
    struct fakeds__connection *holder = call->identity->holder;
    if (call->reply == NULL && fakeds__is_armed(call->worker, (int)call->op, FAULT_AT_REPLY_BYTE)) {
        call->reply = rt_outbox_create();
        if (call->reply == NULL || fakeds__encode(call, answer, call->reply) != RT_OK) {
            lose(call, "");
            return;
        }
    }
    if (call->reply != NULL) {
        fakeds__deliver_encoded(call);
        return;
    }
    if (holder == NULL || fakeds__connection_lost_by(holder) != NULL) {
        lose(call, holder == NULL ? call->identity->lost_by : fakeds__connection_lost_by(holder));
        return;
    }
    struct rt_outbox *out = fakeds__connection_outbox(holder);
    size_t before_bytes = rt_outbox_len_bytes(out);
    if (fakeds__encode(call, answer, out) != RT_OK) {
        fakeds__connection_end(holder, FAKEDS__END_RST, "", "no memory for an answer");
        lose(call, "");
        return;
    }
    call->worker->counts.bytes_out += rt_outbox_len_bytes(out) - before_bytes;
    fakeds__connection_written(holder);
    answered(call, call->cause);
    finish(call, holder);
}

enum rt_status fakeds__encode(const struct fakeds__call *call, const struct fakeds__answer *answer,
                              struct rt_outbox *out)
{
    const struct dsrpc_request *request = &call->request;
    struct rt_slice body = {0};
    if (call->op == DSRPC_OP_ZMQ_HEARTBEAT && answer->code == K_OK) {
        return dsrpc_zmq_heartbeat_answer(&request->meta, out);
    }
    if (answer->body != NULL) {
        enum rt_status status = dsrpc_pack(answer->body, call->worker->arena, &body);
        if (status != RT_OK) {
            return status;
        }
    }
    bool has_payload = call->op != DSRPC_OP_UNKNOWN &&
                       dsrpc_method_of(call->worker->options.profile, call->op)->returns_payload;
    return dsrpc_answer_encode(request->meta.queue_id, request->meta.raw, answer->code,
                               answer->text, body, has_payload, answer->parts, answer->part_count,
                               out);
}

void fakeds__deliver_encoded(struct fakeds__call *call)
{
    struct fakeds__connection *holder = call->identity->holder;
    if (holder == NULL || fakeds__connection_lost_by(holder) != NULL) {
        lose(call, holder == NULL ? call->identity->lost_by : fakeds__connection_lost_by(holder));
        return;
    }
    const struct fault_action *action = fakeds__ask_call(call, FAULT_AT_REPLY_BYTE);
    if (action == NULL) {
        write_bytes(call, holder);
    } else {
        strike_bytes(call, holder, action);
    }
}

/* One byte is changed, or the bytes before it go out and then the connection ends or stalls. */
static void strike_bytes(struct fakeds__call *call, struct fakeds__connection *holder,
                         const struct fault_action *action)
{
    size_t offset_bytes = action->byte_offset > SIZE_MAX ? SIZE_MAX : (size_t)action->byte_offset;
    size_t all_bytes = rt_outbox_len_bytes(call->reply);
    bool is_whole = offset_bytes >= all_bytes;
    if (action->kind == FAULT_CORRUPT) {
        if (rt_outbox_corrupt(call->reply, offset_bytes) == RT_OK) {
            call->cause = action->rule_id;
        }
        write_bytes(call, holder);
        return;
    }
    call->cause = action->rule_id;
    if (!move_bytes(call, holder, is_whole ? all_bytes : offset_bytes)) {
        return;
    }
    if (action->kind == FAULT_TRUNCATE) {
        fakeds__connection_end(holder, FAKEDS__END_FIN, action->rule_id, "answer truncated");
    } else {
        fakeds__connection_stall(holder, action);
    }
    if (action->kind == FAULT_STALL && action->duration_us > 0 &&
        call->identity->holder == holder) {
        write_bytes(call, holder); /* parked until the stall is over */
    } else if (is_whole) {
        answered(call, call->cause);
        finish(call, call->identity->holder);
    } else {
        fakeds__call_eat(call, action->rule_id, "answer");
    }
}

static void write_bytes(struct fakeds__call *call, struct fakeds__connection *holder)
{
    if (move_bytes(call, holder, rt_outbox_len_bytes(call->reply))) {
        answered(call, call->cause);
        finish(call, holder);
    }
}

/* False: no memory; the connection and the call have ended. */
static bool move_bytes(struct fakeds__call *call, struct fakeds__connection *holder,
                       size_t len_bytes)
{
    if (rt_outbox_move(fakeds__connection_outbox(holder), call->reply, len_bytes) != RT_OK) {
        fakeds__connection_end(holder, FAKEDS__END_RST, "", "no memory for an answer");
        lose(call, "");
        return false;
    }
    call->worker->counts.bytes_out += len_bytes;
    fakeds__connection_written(holder);
    return true;
}

/* Nobody is there to take it, or the connection will never move it. */
static void lose(struct fakeds__call *call, const char *cause)
{
    struct fakeds_op_counts *counts = fakeds__call_counts(call);
    counts->answered++;
    counts->undelivered++;
    counts->failed += call->code != K_OK ? 1 : 0;
    fakeds__call_record(call, RT_REC_RPC_EATEN, call->code, call->payload_bytes, cause,
                        call->identity->holder == NULL ? "answer: nobody holds the identity"
                                                       : "answer: its connection stalls");
    fakeds__call_free(call);
}

static void answered(struct fakeds__call *call, const char *cause)
{
    struct fakeds_op_counts *counts = fakeds__call_counts(call);
    counts->answered++;
    counts->failed += call->code != K_OK ? 1 : 0;
    fakeds__call_record(call, RT_REC_RPC_ANSWERED, call->code, call->payload_bytes, cause, "");
}

static void finish(struct fakeds__call *call, struct fakeds__connection *holder)
{
    if (holder != NULL && fakeds__is_armed(call->worker, (int)call->op, FAULT_AT_REPLIED)) {
        fakeds__at_replied(call, holder);
    }
    fakeds__call_free(call);
}
