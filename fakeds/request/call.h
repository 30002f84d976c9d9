/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEDS_REQUEST_CALL_H
#define FAKEDS_REQUEST_CALL_H

#include "fakeds/worker/worker_internal.h"

#include <protobuf-c/protobuf-c.h>

/*
 * One request, in the order of its life:
 *
 *   ARRIVED --request--> APPLIED --applied--> ENCODED --reply.byte--> WRITTEN --replied--> ended
 *      |        |           |        |
 *      |        '-- held    |        '-- held or dropped by a fault
 *      |                    '-- WAITING for a key or for memory
 *      '-- eaten by a fault, or by the worker's death
 *
 * A call that ends while its message is still on the stack copies nothing. One that has to stay
 * is kept: it owns its bytes and belongs to the ROUTER identity that sent it.
 */
struct fakeds__call {
    struct fakeds_worker *worker;
    struct fakeds__identity *identity;
    uint64_t id; /* hash of the queue id: the same number on the client's side of the journal */
    enum dsrpc_op op;
    struct dsrpc_request request;
    const char *refusal;         /* why the frames do not fit, or NULL */
    ProtobufCMessage *message;   /* NULL: not unpacked (now) */
    const struct rt_slice *keys; /* of the request */
    size_t key_count;
    struct rt_slice client_id;
    const char *client; /* the client's name */
    uint64_t arrived_us;
    uint64_t deadline_us; /* end of the budget that the client told */

    /* Kept calls. */
    void *kept; /* one block: texts, keys, frames; NULL: not kept */
    struct zmtp_frame *kept_parts;
    TAILQ_ENTRY(fakeds__call) others;
    struct fault_hold hold;
    struct rt_timer timer;
    unsigned memory_try;
    struct fakeds__wait *wait;
    struct fakeds__batch *batch; /* an mset under way */
    struct fakeds__work *work;   /* what the other workers are asked; NULL: nothing */

    /* What faults want. */
    const struct fault_action *entries_action; /* last-rc or reply-no-entries */
    bool is_past_wait_point;
    const char *cause;

    /* The answer. */
    int32_t code;
    uint64_t payload_bytes;
    struct rt_outbox *reply; /* NULL: not encoded */
};

/* What an operation answers. Everything is borrowed for the call only. */
struct fakeds__answer {
    int32_t code;
    struct rt_slice text;
    const ProtobufCMessage *body; /* NULL: empty */
    const struct dsrpc_value *parts;
    size_t part_count;
};

/* A message came on `peer`'s connection. */
void fakeds__call_begin(struct fakeds_worker *worker, struct fakeds__identity *identity,
                        const char *peer, const struct zmtp_message *message);

/* Everything below ends the call, or keeps it: the caller must not touch it afterwards. */

void fakeds__call_answer(struct fakeds__call *call, const struct fakeds__answer *answer);
void fakeds__call_answer_ok(struct fakeds__call *call, const ProtobufCMessage *body);
void fakeds__call_answer_no_memory(struct fakeds__call *call);

/* Answers a status; the text gets the request's trace id as the real worker's texts have it. */
void fakeds__call_refuse(struct fakeds__call *call, int32_t code, const char *format, ...)
    RT_PRINTF(3, 4);

/* It ends without an answer. `what`: "request" or "answer". */
void fakeds__call_eat(struct fakeds__call *call, const char *cause, const char *what);

/* Runs the operation (again): after a hold, or when memory may have become free. */
void fakeds__call_apply(struct fakeds__call *call);

/* ---- parts of the above ---------------------------------------------------------------------- */

/* Copies what the call needs from the message that is about to go. False: no memory, and the
 * call has been answered. */
bool fakeds__call_keep(struct fakeds__call *call);

/* Unpacks the body and lists keys. False: it does not parse. */
bool fakeds__call_parse(struct fakeds__call *call);
void fakeds__call_free(struct fakeds__call *call);

/* A text in scratch memory, with the trace id. */
struct rt_slice fakeds__call_text(struct fakeds__call *call, const char *format, ...)
    RT_PRINTF(2, 3);

void fakeds__call_record(const struct fakeds__call *call, enum rt_record_kind kind, int32_t code,
                         uint64_t number, const char *cause, const char *detail);
struct fakeds_op_counts *fakeds__call_counts(const struct fakeds__call *call);

/* deliver.c: the encoded or still to be encoded answer, to whoever holds the identity. */
void fakeds__deliver(struct fakeds__call *call, const struct fakeds__answer *answer);
void fakeds__deliver_encoded(struct fakeds__call *call);
RT_NODISCARD enum rt_status fakeds__encode(const struct fakeds__call *call,
                                           const struct fakeds__answer *answer,
                                           struct rt_outbox *out);

#endif
