/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/request/call.h"

#include "fakeds/request/dispatch.h"
#include "fakeds/request/fault_points.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define MICROSECONDS_PER_MS UINT64_C(1000)
#define DEFAULT_BUDGET_US   (UINT64_C(60) * 1000000) /* when the client says 0 or less */
#define QUEUE_ID_TEXT_BYTES 64
#define TEXT_LIMIT_BYTES    ((size_t)1024 * 1024)

static void start(struct fakeds__call *call);
static void arrive(struct fakeds__call *call);
static uint64_t payload_bytes_of(const struct fakeds__answer *answer);
static uint64_t budget_us(const struct fakeds__call *call);
static struct rt_slice text_va(struct fakeds__call *call, const char *format, va_list arguments)
    RT_PRINTF(2, 0);

/* A request without MetaPb or without a tick gets no answer, as from the real worker. */
void fakeds__call_begin(struct fakeds_worker *worker, struct fakeds__identity *identity,
                        const char *peer, const struct zmtp_message *message)
{
    struct dsrpc_request request;
    const char *why = "";
    fakeds__fresh_memory(worker);
    enum rt_status status = dsrpc_request_decode(worker->options.profile, message, &request, &why);
    if (status == RT_E_MALFORMED) {
        struct rt_record record = {.kind = RT_REC_NOTE,
                                   .actor = worker->options.name,
                                   .subject = "request without an answer",
                                   .detail = why};
        rt_journal_append(worker->environment.journal, &record);
        return;
    }
    struct fakeds__call *call = calloc(1, sizeof(*call));
    if (call == NULL) {
        return; /* as if it had been lost on the way: there is nobody to say so */
    }
    call->worker = worker;
    call->identity = fakeds__identity_retain(identity);
    call->request = request;
    call->refusal = status == RT_OK ? NULL : why;
    call->client = peer;
    call->cause = "";
    start(call);
}

static void start(struct fakeds__call *call)
{
    call->op = call->request.op;
    call->id = dsrpc_rpc_id(call->request.meta.queue_id);
    call->arrived_us = fakeds__now_us(call->worker);
    call->deadline_us = call->arrived_us + budget_us(call);
    fakeds__call_counts(call)->arrived++;
    bool is_parsed = fakeds__call_parse(call);
    if (call->worker->environment.journal != NULL) {
        char queue_id[QUEUE_ID_TEXT_BYTES];
        snprintf(queue_id, sizeof(queue_id), "%.*s", (int)call->request.meta.queue_id.len_bytes,
                 (const char *)call->request.meta.queue_id.data);
        fakeds__call_record(call, RT_REC_RPC_ARRIVED, K_OK, call->request.payload.total_bytes, "",
                            queue_id);
    }
    if (call->refusal != NULL) {
        fakeds__call_refuse(call, K_INVALID, "%s", call->refusal);
    } else if (!is_parsed) {
        fakeds__call_refuse(call, K_INVALID, "The request cannot be parsed");
    } else {
        arrive(call);
    }
}

static void arrive(struct fakeds__call *call)
{
    if (fakeds__at_request(call) == FAKEDS__GO_ON) {
        fakeds__dispatch(call);
    }
}

/* Whatever waited for a key, for memory or for a fault starts over; what it had unpacked is gone.
 */
void fakeds__call_apply(struct fakeds__call *call)
{
    fakeds__fresh_memory(call->worker);
    call->message = NULL;
    if (!fakeds__call_parse(call)) {
        fakeds__call_answer_no_memory(call); /* it did parse before */
        return;
    }
    fakeds__dispatch(call);
}

static uint64_t budget_us(const struct fakeds__call *call)
{
    int64_t timeout = call->request.meta.timeout;
    bool is_in_us = call->worker->options.profile->is_meta_timeout_in_us;
    if (timeout <= 0 || timeout > INT64_MAX / (int64_t)MICROSECONDS_PER_MS / 2) {
        return DEFAULT_BUDGET_US;
    }
    return (uint64_t)timeout * (is_in_us ? 1 : MICROSECONDS_PER_MS);
}

/* ---- answers -------------------------------------------------------------------------------- */

/* What changed or read the store is applied, and may be struck there; refusals are not. */
void fakeds__call_answer(struct fakeds__call *call, const struct fakeds__answer *answer)
{
    call->code = answer->code;
    call->payload_bytes = payload_bytes_of(answer);
    struct fakeds__answer given = *answer;
    if (answer->code == K_OK) {
        fakeds__call_counts(call)->applied++;
        fakeds__call_record(call, RT_REC_RPC_APPLIED, K_OK, 0, "", "");
        if (fakeds__at_applied(call, &given) == FAKEDS__GONE) {
            return;
        }
    }
    call->payload_bytes = payload_bytes_of(&given);
    fakeds__deliver(call, &given);
}

static uint64_t payload_bytes_of(const struct fakeds__answer *answer)
{
    uint64_t total_bytes = 0;
    for (size_t i = 0; i < answer->part_count; i++) {
        total_bytes += answer->parts[i].total_bytes;
    }
    return total_bytes;
}

void fakeds__call_answer_ok(struct fakeds__call *call, const ProtobufCMessage *body)
{
    fakeds__call_answer(call, &(struct fakeds__answer){.body = body});
}

void fakeds__call_answer_no_memory(struct fakeds__call *call)
{
    fakeds__call_answer(call,
                        &(struct fakeds__answer){.code = K_RUNTIME_ERROR,
                                                 .text = rt_slice_text("fakeds has no memory")});
}

void fakeds__call_refuse(struct fakeds__call *call, int32_t code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct rt_slice text = text_va(call, format, arguments);
    va_end(arguments);
    fakeds__call_answer(call, &(struct fakeds__answer){.code = code, .text = text});
}

struct rt_slice fakeds__call_text(struct fakeds__call *call, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct rt_slice text = text_va(call, format, arguments);
    va_end(arguments);
    return text;
}

/* A status drops the sentence's last dot when it appends the trace id. */
static struct rt_slice text_va(struct fakeds__call *call, const char *format, va_list arguments)
{
    struct rt_slice trace = call->request.meta.trace_id;
    va_list again;
    va_copy(again, arguments);
    int sentence_bytes = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (sentence_bytes <= 0 || (size_t)sentence_bytes > TEXT_LIMIT_BYTES) {
        return rt_slice_text("");
    }
    static const char JOIN[] = ", traceId: ";
    size_t len_bytes = (size_t)sentence_bytes;
    char *text =
        fakeds__scratch_take(&call->worker->scratch, len_bytes + sizeof(JOIN) + trace.len_bytes, 1);
    if (text == NULL) {
        return rt_slice_text("");
    }
    vsnprintf(text, len_bytes + 1, format, arguments);
    if (trace.len_bytes == 0) {
        return rt_slice_of(text, len_bytes);
    }
    if (text[len_bytes - 1] == '.') {
        len_bytes--;
    }
    memcpy(text + len_bytes, JOIN, sizeof(JOIN) - 1);
    memcpy(text + len_bytes + sizeof(JOIN) - 1, trace.data, trace.len_bytes);
    return rt_slice_of(text, len_bytes + sizeof(JOIN) - 1 + trace.len_bytes);
}

void fakeds__call_eat(struct fakeds__call *call, const char *cause, const char *what)
{
    fakeds__call_counts(call)->eaten++;
    fakeds__call_record(call, RT_REC_RPC_EATEN, call->code, 0, cause, what);
    fakeds__call_free(call);
}

/* ---- looking -------------------------------------------------------------------------------- */

struct fakeds_op_counts *fakeds__call_counts(const struct fakeds__call *call)
{
    return &call->worker->ops[call->op];
}

void fakeds__call_record(const struct fakeds__call *call, enum rt_record_kind kind, int32_t code,
                         uint64_t number, const char *cause, const char *detail)
{
    if (call->worker->environment.journal == NULL) {
        return;
    }
    struct rt_record record = {
        .kind = kind,
        .actor = call->worker->options.name,
        .subject = dsrpc_op_word(call->op),
        .key = call->key_count > 0 ? call->keys[0] : rt_slice_text(""),
        .id = call->id,
        .code = code,
        .number = number,
        .cause = cause,
        .detail = detail,
    };
    rt_journal_append(call->worker->environment.journal, &record);
}
