/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/connection.h"
#include "fakeds/fault_points.h"

/*
 * The way of an answer out. It goes to whichever connection holds the identity now; when nobody
 * does it is lost, as with the real worker's ROUTER socket.
 */
enum cut { CUT_NOT, CUT_BEHIND, CUT_INSIDE };

static bool strike_bytes(struct fakeds__call *call, enum cut *out_cut);
static void write_encoded(struct fakeds__call *call, struct fakeds__connection *holder,
                          enum cut cut);
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
    enum cut cut = CUT_NOT;
    if (!strike_bytes(call, &cut)) {
        return;
    }
    struct fakeds__connection *holder = call->identity->holder;
    if (holder == NULL || fakeds__connection_lost_by(holder) != NULL) {
        lose(call, holder == NULL ? call->identity->lost_by : fakeds__connection_lost_by(holder));
        return;
    }
    write_encoded(call, holder, cut);
}

/* False: the call has ended. `out_cut`: where the connection ends. */
static bool strike_bytes(struct fakeds__call *call, enum cut *out_cut)
{
    const struct fault_action *action = fakeds__ask_call(call, FAULT_AT_REPLY_BYTE);
    if (action == NULL) {
        return true;
    }
    size_t offset_bytes = action->byte_offset > SIZE_MAX ? SIZE_MAX : (size_t)action->byte_offset;
    call->cause = action->rule_id;
    if (action->kind == FAULT_CORRUPT) {
        if (rt_outbox_corrupt(call->reply, offset_bytes) != RT_OK) {
            call->cause = ""; /* the answer has no such byte */
        }
        return true;
    }
    struct rt_outbox *head = rt_outbox_create();
    if (head == NULL || rt_outbox_move(head, call->reply, offset_bytes) != RT_OK) {
        rt_outbox_destroy(head);
        lose(call, call->cause);
        return false;
    }
    *out_cut = rt_outbox_len_bytes(call->reply) == 0 ? CUT_BEHIND : CUT_INSIDE;
    rt_outbox_destroy(call->reply);
    call->reply = head;
    return true;
}

static void write_encoded(struct fakeds__call *call, struct fakeds__connection *holder,
                          enum cut cut)
{
    size_t all_bytes = rt_outbox_len_bytes(call->reply);
    if (rt_outbox_move(fakeds__connection_outbox(holder), call->reply, all_bytes) != RT_OK) {
        fakeds__connection_end(holder, FAKEDS__END_RST, "", "no memory for an answer");
        lose(call, "");
        return;
    }
    call->worker->counts.bytes_out += all_bytes;
    fakeds__connection_written(holder);
    if (cut != CUT_NOT) {
        fakeds__connection_end(holder, FAKEDS__END_FIN, call->cause, "answer truncated");
    }
    if (cut == CUT_INSIDE) {
        fakeds__call_eat(call, call->cause, "answer");
        return;
    }
    answered(call, call->cause);
    finish(call, call->identity->holder);
}

/* Nobody is there to take it, or the connection will never move it. */
static void lose(struct fakeds__call *call, const char *cause)
{
    struct fakeds_op_counts *counts = fakeds__call_counts(call);
    counts->answered++;
    counts->undelivered++;
    counts->failed += call->code != K_OK ? 1 : 0;
    fakeds__call_record(call, RT_REC_RPC_EATEN, call->code, call->payload_bytes, cause,
                        "answer: nobody holds the identity");
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
