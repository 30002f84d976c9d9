/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/request/fault_points.h"

#include "fakeetcd/request/call_later.h"
#include "fakeetcd/request/dispatch.h"

/* At each point of a request: ask the engine, and do what it says. */

static const struct fault_action *ask(const struct fakeetcd_call *call, enum fault_point point,
                                      const struct rt_slice *keys, size_t key_count);
static bool is_armed(const struct fakeetcd_server *server, int operation, enum fault_point point);
static const struct rt_slice *keys_of(struct fakeetcd_call *call, const ProtobufCMessage *request,
                                      size_t *out_count);
static enum fakeetcd__verdict answer_status(struct fakeetcd_call *call,
                                            const struct fault_action *action);
static enum fakeetcd__verdict eat_request(struct fakeetcd_call *call,
                                          const struct fault_action *action);
static enum fakeetcd__verdict hold_request(struct fakeetcd_call *call,
                                           const struct fault_action *action,
                                           struct rt_slice message);
static enum fakeetcd__verdict stall_request(struct fakeetcd_call *call,
                                            const struct fault_action *action,
                                            struct rt_slice message);
static enum fakeetcd__verdict hold_answer(struct fakeetcd_call *call,
                                          const struct fault_action *action);
static bool is_spoiling(enum fault_action_kind kind);
static void on_request_released(void *arg);
static void on_answer_released(void *arg);

/* ---- asking ---- */

static bool is_armed(const struct fakeetcd_server *server, int operation, enum fault_point point)
{
    struct fault_engine *faults = server->environment.faults;
    return faults != NULL && fault_is_armed_at(faults, &fakeetcd_fault_domain, operation, point);
}

static const struct fault_action *ask(const struct fakeetcd_call *call, enum fault_point point,
                                      const struct rt_slice *keys, size_t key_count)
{
    const struct fault_subject subject = {
        .domain = &fakeetcd_fault_domain,
        .operation = fakeetcd__method_index(call->method),
        .point = point,
        .worker = call->server->options.name,
        .client = call->client,
        .keys = keys,
        .key_count = key_count,
        .id = call->id,
    };
    return fault_consider(call->server->environment.faults, &subject);
}

static const struct rt_slice *keys_of(struct fakeetcd_call *call, const ProtobufCMessage *request,
                                      size_t *out_count)
{
    const struct rt_slice *keys = NULL;
    *out_count = 0;
    (void)fakeetcd__request_keys(call, request, &keys, out_count);
    return keys;
}

/* What answers later has no request any more, and so no keys. */
static const struct fault_action *ask_of_request(struct fakeetcd_call *call, enum fault_point point)
{
    size_t key_count = 0;
    const struct rt_slice *keys =
        call->request == NULL ? NULL : keys_of(call, call->request, &key_count);
    return ask(call, point, keys, key_count);
}

const struct fault_action *fakeetcd__ask_connection(struct fakeetcd_server *server,
                                                    enum fault_point point, const char *client)
{
    if (!is_armed(server, -1, point)) {
        return NULL;
    }
    const struct fault_subject subject = {
        .domain = &fakeetcd_fault_domain,
        .operation = -1,
        .point = point,
        .worker = server->options.name,
        .client = client,
    };
    return fault_consider(server->environment.faults, &subject);
}

const struct fault_action *fakeetcd__ask_lease(struct fakeetcd_server *server,
                                               struct fakeetcd_call *call, int64_t lease)
{
    int operation = call == NULL ? -1 : fakeetcd__method_index(call->method);
    const struct rt_slice *keys = NULL;
    size_t key_count = 0;
    if (!is_armed(server, operation, FAULT_AT_LEASE)) {
        return NULL;
    }
    (void)fakeetcd__lease_keys(server, lease, &keys, &key_count);
    const struct fault_subject subject = {
        .domain = &fakeetcd_fault_domain,
        .operation = operation,
        .point = FAULT_AT_LEASE,
        .worker = server->options.name,
        .client = call == NULL ? "" : call->client,
        .keys = keys,
        .key_count = key_count,
        .id = call == NULL ? 0 : call->id,
    };
    return fault_consider(server->environment.faults, &subject);
}

bool fakeetcd__is_watch_armed(const struct fakeetcd_server *server)
{
    static const struct fakeetcd_method *watch;
    if (server->environment.faults == NULL) {
        return false;
    }
    if (watch == NULL) {
        watch = fakeetcd_method_by_path(rt_slice_text("/etcdserverpb.Watch/Watch"));
    }
    return is_armed(server, fakeetcd__method_index(watch), FAULT_AT_WATCH);
}

const struct fault_action *fakeetcd__ask_watch(struct fakeetcd_call *call,
                                               const struct rt_slice *keys, size_t key_count)
{
    return ask(call, FAULT_AT_WATCH, keys, key_count);
}

/* ---- before it is applied ---- */

enum fakeetcd__verdict fakeetcd__at_request(struct fakeetcd_call *call,
                                            const ProtobufCMessage *request,
                                            struct rt_slice message)
{
    size_t key_count;
    if (!is_armed(call->server, fakeetcd__method_index(call->method), FAULT_AT_REQUEST)) {
        return FAKEETCD__GO_ON;
    }
    const struct rt_slice *keys = keys_of(call, request, &key_count);
    const struct fault_action *action = ask(call, FAULT_AT_REQUEST, keys, key_count);
    if (action == NULL) {
        return FAKEETCD__GO_ON;
    }
    switch (action->kind) {
    case FAULT_STATUS:
        return answer_status(call, action);
    case FAULT_DROP_REQUEST:
        return eat_request(call, action);
    case FAULT_DELAY:
    case FAULT_HOLD:
        return hold_request(call, action, message);
    case FAULT_STALL:
        return stall_request(call, action, message);
    case FAULT_KILL:
    case FAULT_RESTART:
        fakeetcd__doom(call->server, action);
        return eat_request(call, action);
    case FAULT_MUTE_PINGS:
    case FAULT_HOLD_WINDOW:
        (void)call->transport->strike(call, action);
        return FAKEETCD__GO_ON;
    default:
        return call->transport->strike(call, action) ? eat_request(call, action) : FAKEETCD__GO_ON;
    }
}

/* A stream loses this message only. */
static enum fakeetcd__verdict eat_request(struct fakeetcd_call *call,
                                          const struct fault_action *action)
{
    call->cause = action->rule_id;
    if (call->method->kind != FAKEETCD_BIDI || action->kind != FAULT_DROP_REQUEST) {
        fakeetcd__call_eat(call, action->rule_id, "request");
    }
    return FAKEETCD__GONE;
}

static enum fakeetcd__verdict answer_status(struct fakeetcd_call *call,
                                            const struct fault_action *action)
{
    call->cause = action->rule_id;
    fakeetcd__finish_with(call, action);
    return FAKEETCD__GONE;
}

void fakeetcd__finish_with(struct fakeetcd_call *call, const struct fault_action *action)
{
    const char *text = action->text;
    if (text[0] == '\0' && action->grpc_code != GRPC_OK) {
        const char *name = grpc_code_name(action->grpc_code);
        text = name == NULL ? "" : name;
    }
    fakeetcd_call_finish(call, action->grpc_code, text);
}

static enum fakeetcd__verdict hold_request(struct fakeetcd_call *call,
                                           const struct fault_action *action,
                                           struct rt_slice message)
{
    struct fakeetcd__later *later = fakeetcd__later_of(call);
    call->cause = action->rule_id;
    if (later == NULL || !fakeetcd__keep_in(call, message, true, true) ||
        fault_hold_start(call->server->environment.faults, &later->in_hold, action,
                         on_request_released, call) != RT_OK) {
        fakeetcd__call_eat(call, action->rule_id, "request");
        return FAKEETCD__GONE;
    }
    later->is_in_held = true;
    return FAKEETCD__GONE;
}

static void on_request_released(void *arg)
{
    struct fakeetcd_call *call = arg;
    call->later->is_in_held = false;
    fakeetcd__go_on_in(call);
}

/* What a stall for ever stops is lost; one that ends gives it back. */
static enum fakeetcd__verdict stall_request(struct fakeetcd_call *call,
                                            const struct fault_action *action,
                                            struct rt_slice message)
{
    if (!call->transport->strike(call, action)) {
        return FAKEETCD__GO_ON;
    }
    return action->duration_us > 0 ? hold_request(call, action, message)
                                   : eat_request(call, action);
}

/* ---- behind it ---- */

enum fakeetcd__verdict fakeetcd__at_applied(struct fakeetcd_call *call)
{
    if (!is_armed(call->server, fakeetcd__method_index(call->method), FAULT_AT_APPLIED)) {
        return FAKEETCD__GO_ON;
    }
    const struct fault_action *action = ask_of_request(call, FAULT_AT_APPLIED);
    if (action == NULL) {
        return FAKEETCD__GO_ON;
    }
    call->cause = action->rule_id;
    switch (action->kind) {
    case FAULT_STATUS:
        return answer_status(call, action);
    case FAULT_DROP_REPLY:
        fakeetcd__call_eat(call, action->rule_id, "answer");
        return FAKEETCD__GONE;
    case FAULT_DELAY:
    case FAULT_HOLD:
        return hold_answer(call, action);
    case FAULT_KILL:
    case FAULT_RESTART:
        fakeetcd__doom(call->server, action);
        fakeetcd__call_eat(call, action->rule_id, "answer");
        return FAKEETCD__GONE;
    case FAULT_STALL:
        (void)call->transport->strike(call, action);
        return FAKEETCD__GO_ON; /* it waits with everything else */
    default:
        break;
    }
    if (!call->transport->strike(call, action) || is_spoiling(action->kind)) {
        return FAKEETCD__GO_ON;
    }
    fakeetcd__call_eat(call, action->rule_id, "answer");
    return FAKEETCD__GONE;
}

/* These change the answer or the connection, and the answer goes out. */
static bool is_spoiling(enum fault_action_kind kind)
{
    switch (kind) {
    case FAULT_NO_STATUS:
    case FAULT_CONTENT_TYPE:
    case FAULT_HTTP_STATUS:
    case FAULT_BAD_PREFIX:
    case FAULT_GARBAGE:
    case FAULT_DRIP:
    case FAULT_MUTE_PINGS:
    case FAULT_HOLD_WINDOW:
        return true;
    default:
        return false;
    }
}

static enum fakeetcd__verdict hold_answer(struct fakeetcd_call *call,
                                          const struct fault_action *action)
{
    struct fakeetcd__later *later = fakeetcd__later_of(call);
    if (later == NULL || fault_hold_start(call->server->environment.faults, &later->out_hold,
                                          action, on_answer_released, call) != RT_OK) {
        fakeetcd__call_eat(call, action->rule_id, "answer");
        return FAKEETCD__GONE;
    }
    later->is_out_held = true;
    return FAKEETCD__GO_ON; /* the answer is packed behind the hold */
}

static void on_answer_released(void *arg)
{
    struct fakeetcd_call *call = arg;
    call->later->is_out_held = false;
    fakeetcd__go_on_out(call);
}

/* Also asks what happens when it is replied, for only now the request is still there. */
void fakeetcd__at_reply(struct fakeetcd_call *call)
{
    int operation = fakeetcd__method_index(call->method);
    if (is_armed(call->server, operation, FAULT_AT_REPLIED)) {
        call->when_replied = ask_of_request(call, FAULT_AT_REPLIED);
    }
    if (is_armed(call->server, operation, FAULT_AT_REPLY_BYTE)) {
        const struct fault_action *action = ask_of_request(call, FAULT_AT_REPLY_BYTE);
        if (action != NULL) {
            call->cause = action->rule_id;
            (void)call->transport->strike(call, action);
        }
    }
}

/* What ends the connection or the server waits until the answer's bytes are out. */
void fakeetcd__at_replied(struct fakeetcd_call *call)
{
    const struct fault_action *action = call->when_replied;
    if (action == NULL) {
        return;
    }
    if (action->kind == FAULT_KILL || action->kind == FAULT_RESTART) {
        fakeetcd__doom(call->server, action);
    } else if (call->transport->strike_replied != NULL) {
        call->transport->strike_replied(call, action);
    }
}
