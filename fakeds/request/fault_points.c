/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/request/fault_points.h"

#include "fakeds/connection/connection.h"
#include "fakeds/operations/get_answer.h"
#include "fakeds/request/dispatch.h"

/* At each point of a request: ask the engine, and do what it says. */
static bool strike(struct fakeds__call *call, const struct fault_action *action);
static enum fakeds__verdict act_before(struct fakeds__call *call, const struct fault_action *action,
                                       rt_task_fn *resume);
static enum fakeds__verdict hold(struct fakeds__call *call, const struct fault_action *action,
                                 rt_task_fn *resume);
static enum fakeds__verdict heartbeat(struct fakeds__call *call);
static enum fakeds__verdict eat(struct fakeds__call *call, const struct fault_action *action,
                                const char *what);
static void answer_status(struct fakeds__call *call, const struct fault_action *action);
static void on_apply(void *arg);
static void on_deliver(void *arg);
static bool encode_now(struct fakeds__call *call, const struct fakeds__answer *answer,
                       bool is_twice);

/* ---- asking --------------------------------------------------------------------------------- */

bool fakeds__is_armed(const struct fakeds_worker *worker, int operation, enum fault_point point)
{
    struct fault_engine *faults = worker->environment.faults;
    return faults != NULL && operation < DSRPC_OP_COUNT &&
           fault_is_armed_at(faults, &fakeds_fault_domain, operation, point);
}

const struct fault_action *fakeds__ask_call(const struct fakeds__call *call, enum fault_point point)
{
    if (!fakeds__is_armed(call->worker, (int)call->op, point)) {
        return NULL;
    }
    struct fault_subject subject = {
        .domain = &fakeds_fault_domain,
        .operation = (int)call->op,
        .point = point,
        .worker = call->worker->options.name,
        .client = call->client,
        .keys = call->keys,
        .key_count = call->key_count,
        .id = call->id,
    };
    return fault_consider(call->worker->environment.faults, &subject);
}

const struct fault_action *fakeds__ask_worker(const struct fakeds_worker *worker,
                                              enum fault_point point, const char *client,
                                              struct rt_slice key)
{
    if (!fakeds__is_armed(worker, -1, point)) {
        return NULL;
    }
    struct fault_subject subject = {
        .domain = &fakeds_fault_domain,
        .operation = -1,
        .point = point,
        .worker = worker->options.name,
        .client = client,
        .keys = &key,
        .key_count = key.len_bytes > 0 ? 1 : 0,
    };
    return fault_consider(worker->environment.faults, &subject);
}

/* ---- before it is applied ---- */

enum fakeds__verdict fakeds__at_request(struct fakeds__call *call)
{
    const struct fault_action *action = fakeds__ask_call(call, FAULT_AT_REQUEST);
    if (action != NULL) {
        return act_before(call, action, on_apply);
    }
    return heartbeat(call);
}

static enum fakeds__verdict heartbeat(struct fakeds__call *call)
{
    const struct fault_action *action = fakeds__ask_call(call, FAULT_AT_HEARTBEAT);
    if (action == NULL) {
        return FAKEDS__GO_ON;
    }
    if (action->kind == FAULT_MUTE) {
        return eat(call, action, "request");
    }
    return act_before(call, action, on_apply);
}

enum fakeds__verdict fakeds__at_wait(struct fakeds__call *call)
{
    if (call->is_past_wait_point) {
        return FAKEDS__GO_ON;
    }
    call->is_past_wait_point = true;
    const struct fault_action *action = fakeds__ask_call(call, FAULT_AT_WAIT);
    return action == NULL ? FAKEDS__GO_ON : act_before(call, action, on_apply);
}

/* A connection that is reset or closed takes its request with it; one that is cut does not. */
static enum fakeds__verdict act_before(struct fakeds__call *call, const struct fault_action *action,
                                       rt_task_fn *resume)
{
    switch (action->kind) {
    case FAULT_STATUS:
        answer_status(call, action);
        return FAKEDS__GONE;
    case FAULT_LAST_RC:
    case FAULT_NO_ENTRIES:
        call->entries_action = action;
        call->cause = action->rule_id;
        return FAKEDS__GO_ON;
    case FAULT_DROP_REQUEST:
        return eat(call, action, "request");
    case FAULT_DELAY:
    case FAULT_HOLD:
        return hold(call, action, resume);
    case FAULT_STALL:
        (void)strike(call, action);
        return action->duration_us > 0 ? hold(call, action, resume) : eat(call, action, "request");
    case FAULT_CUT:
        (void)strike(call, action);
        return FAKEDS__GO_ON;
    default:
        return strike(call, action) ? eat(call, action, "request") : FAKEDS__GO_ON;
    }
}

static void answer_status(struct fakeds__call *call, const struct fault_action *action)
{
    const char *text = action->text[0] != '\0' ? action->text : dsrpc_code_text(action->code);
    call->cause = action->rule_id;
    fakeds__call_answer(
        call, &(struct fakeds__answer){.code = action->code, .text = rt_slice_text(text)});
}

static enum fakeds__verdict eat(struct fakeds__call *call, const struct fault_action *action,
                                const char *what)
{
    fakeds__call_eat(call, action->rule_id, what);
    return FAKEDS__GONE;
}

static enum fakeds__verdict hold(struct fakeds__call *call, const struct fault_action *action,
                                 rt_task_fn *resume)
{
    if (!fakeds__call_keep(call)) {
        return FAKEDS__GONE;
    }
    call->cause = action->rule_id;
    if (fault_hold_start(call->worker->environment.faults, &call->hold, action, resume, call) !=
        RT_OK) {
        return eat(call, action, "request");
    }
    return FAKEDS__GONE;
}

static void on_apply(void *arg)
{
    fakeds__call_apply(arg);
}

/* ---- behind it ---- */

enum fakeds__verdict fakeds__at_applied(struct fakeds__call *call, struct fakeds__answer *answer)
{
    const struct fault_action *action = fakeds__ask_call(call, FAULT_AT_APPLIED);
    if (action == NULL) {
        return FAKEDS__GO_ON;
    }
    switch (action->kind) {
    case FAULT_DROP_REPLY:
        return eat(call, action, "answer");
    case FAULT_LAST_RC:
    case FAULT_NO_ENTRIES:
        call->cause = action->rule_id;
        return fakeds__get_alter(call, action, answer) ? FAKEDS__GO_ON : FAKEDS__GONE;
    case FAULT_DELAY:
    case FAULT_HOLD:
        return encode_now(call, answer, false) ? hold(call, action, on_deliver) : FAKEDS__GONE;
    case FAULT_DUPLICATE:
        call->cause = action->rule_id;
        return encode_now(call, answer, true) ? FAKEDS__GO_ON : FAKEDS__GONE;
    case FAULT_CUT:
    case FAULT_STALL:
        (void)strike(call, action);
        return FAKEDS__GO_ON;
    default:
        return strike(call, action) ? eat(call, action, "answer") : FAKEDS__GO_ON;
    }
}

static bool encode_now(struct fakeds__call *call, const struct fakeds__answer *answer,
                       bool is_twice)
{
    enum rt_status status = RT_E_NOMEM;
    call->reply = rt_outbox_create();
    if (call->reply != NULL) {
        status = fakeds__encode(call, answer, call->reply);
    }
    if (status == RT_OK && is_twice) {
        status = fakeds__encode(call, answer, call->reply);
    }
    if (status != RT_OK) {
        fakeds__call_eat(call, "", "answer");
    }
    return status == RT_OK;
}

static void on_deliver(void *arg)
{
    fakeds__deliver_encoded(arg);
}

/* The answer is written: what ends the connection or the worker waits until its bytes are out. */
void fakeds__at_replied(struct fakeds__call *call, struct fakeds__connection *holder)
{
    const struct fault_action *action = fakeds__ask_call(call, FAULT_AT_REPLIED);
    if (action != NULL) {
        fakeds__connection_after_drain(holder, action);
    }
}

/* ---- connections and the process ---- */

/* True: the connection or the worker is gone or going. */
static bool strike(struct fakeds__call *call, const struct fault_action *action)
{
    struct fakeds__connection *holder = call->identity->holder;
    switch (action->kind) {
    case FAULT_KILL:
    case FAULT_RESTART:
        fakeds__doom(call->worker, action);
        return true;
    case FAULT_RST:
    case FAULT_CUT:
    case FAULT_FIN:
        if (holder != NULL) {
            fakeds__connection_end(holder,
                                   action->kind == FAULT_FIN ? FAKEDS__END_FIN : FAKEDS__END_RST,
                                   action->rule_id, "fault");
        }
        return true;
    case FAULT_STALL:
        if (holder != NULL) {
            fakeds__connection_stall(holder, action);
        }
        return true;
    default:
        return false;
    }
}

/* The accepting side cannot refuse any more: a refused connection is reset before a byte moved. */
bool fakeds__at_connect(struct fakeds_worker *worker, struct fakeds__connection *connection)
{
    const struct rt_slice no_key = {0};
    const char *peer = fakeds__connection_peer(connection);
    const struct fault_action *action = fakeds__ask_worker(worker, FAULT_AT_CONNECT, peer, no_key);
    if (action == NULL) {
        action = fakeds__ask_worker(worker, FAULT_AT_GREETING, peer, no_key);
    }
    if (action == NULL) {
        return true;
    }
    if (action->kind == FAULT_STALL || action->kind == FAULT_DELAY) {
        fakeds__connection_stall(connection, action);
    } else {
        fakeds__connection_end(connection,
                               action->kind == FAULT_FIN ? FAKEDS__END_FIN : FAKEDS__END_RST,
                               action->rule_id, action->kind == FAULT_REFUSE ? "refused" : "fault");
    }
    return false;
}
