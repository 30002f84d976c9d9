/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_JOURNAL_H
#define RUNTIME_JOURNAL_H

#include "runtime/loop.h"

/*
 * Everything that happens, one record each. Every other feature reads it:
 * expectations, laws, failure reports, the JSON lines file. One thread, the loop's.
 *
 * Records are small and fixed; texts are copied into an arena that a ring of the last records
 * keeps alive. Sinks see each record as it is appended, before the ring can overwrite it.
 */

/* Row: enumerator, printed name, meaning of the fields that are not obvious. */
#define RT_RECORD_LIST(ROW)                                                                        \
    ROW(RT_REC_STEP_STARTED, "step.started")                                                       \
    ROW(RT_REC_STEP_DONE, "step.done")                                                             \
    ROW(RT_REC_CALL_STARTED, "call.started")     /* op, key; id = call */                          \
    ROW(RT_REC_CALL_DONE, "call.done")           /* code, number = microseconds */                 \
    ROW(RT_REC_RPC_SENT, "rpc.sent")             /* client; id = rpc, number = attempt */          \
    ROW(RT_REC_RPC_ARRIVED, "rpc.arrived")       /* server; number = payload bytes */              \
    ROW(RT_REC_RPC_APPLIED, "rpc.applied")       /* server; code */                                \
    ROW(RT_REC_RPC_ANSWERED, "rpc.answered")     /* server; code, number = payload bytes */        \
    ROW(RT_REC_RPC_RECEIVED, "rpc.received")     /* client; code */                                \
    ROW(RT_REC_RPC_ABANDONED, "rpc.abandoned")   /* client gave up on id; detail = why */          \
    ROW(RT_REC_RPC_LATE, "rpc.late")             /* client; an answer nobody waits for */          \
    ROW(RT_REC_RPC_EATEN, "rpc.eaten")           /* request or answer lost; cause = fault */       \
    ROW(RT_REC_CONNECTION, "connection")         /* detail = opened, closed: ..., refused */       \
    ROW(RT_REC_STATE, "state")                   /* subject = what, detail = new state */          \
    ROW(RT_REC_FAULT_FIRED, "fault.fired")       /* subject = fault id, detail = action */         \
    ROW(RT_REC_FAULT_RELEASED, "fault.released") /* what it held goes on */                        \
    ROW(RT_REC_EVENT, "event")                   /* subject = "worker-1.restarted" ... */          \
    ROW(RT_REC_NOTE, "note")

enum rt_record_kind {
#define RT_RECORD_ENUM(name, text) name,
    RT_RECORD_LIST(RT_RECORD_ENUM)
#undef RT_RECORD_ENUM
        RT_RECORD_KIND_COUNT
};

/* An empty text is "". Inside a sink every text is valid for the call only. */
struct rt_record {
    uint64_t seq;     /* filled by append */
    uint64_t time_us; /* filled by append */
    enum rt_record_kind kind;
    const char *actor;   /* "client-1", "worker-1", "edge" */
    const char *subject; /* operation, fault id, state's owner */
    struct rt_slice key; /* object key, as many as fit, or empty */
    uint64_t id;         /* call or rpc, 0: none */
    int32_t code;        /* wire code, 0: OK */
    uint64_t number;     /* bytes, microseconds, attempt: see the kind */
    const char *cause;   /* id of the fault that owns this, or "" */
    const char *detail;  /* free text */
};

struct rt_journal;

typedef void rt_journal_sink_fn(void *arg, const struct rt_record *record);

/* `ring_count` last records are kept. */
RT_NODISCARD enum rt_status rt_journal_create(struct rt_loop *loop, size_t ring_count,
                                              struct rt_journal **out_journal);
void rt_journal_destroy(struct rt_journal *journal);

/* Sinks run in the order attached. At most 8. */
RT_NODISCARD enum rt_status rt_journal_attach(struct rt_journal *journal, rt_journal_sink_fn *sink,
                                              void *arg);

/* NULL journal: nothing happens, so that a product without a journal pays one test. NULL texts
 * are "". Never fails: a record that finds no memory is counted as lost. */
void rt_journal_append(struct rt_journal *journal, const struct rt_record *record);

uint64_t rt_journal_count(const struct rt_journal *journal);       /* appended so far */
uint64_t rt_journal_overwritten(const struct rt_journal *journal); /* no longer in the ring */
uint64_t rt_journal_lost(const struct rt_journal *journal);

/* The records still in the ring, oldest first. */
void rt_journal_walk(const struct rt_journal *journal, rt_journal_sink_fn *sink, void *arg);

const char *rt_record_kind_text(enum rt_record_kind kind);

#endif
