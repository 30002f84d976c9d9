/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONNECTOR_DS_STATUS_H
#define CONNECTOR_DS_STATUS_H

#include "wire/dsrpc/dsrpc_code.h"

/* How a call of the Datasystem client ended: the code as the Datasystem numbers it, and what made
 * it. The detail is set where the failure is made, never parsed out of a text.
 * Row: enumerator, word of scenarios and reports, help. */
#define DS_DETAIL_LIST(ROW)                                                                        \
    ROW(DS_DETAIL_NONE, "none", "succeeded")                                                       \
    ROW(DS_DETAIL_ANSWERED, "answered", "the worker said so")                                      \
    ROW(DS_DETAIL_CHECKED, "checked", "refused by the client's own checks, nothing sent")          \
    ROW(DS_DETAIL_SILENCE, "silence", "no answer within the time allowed: RPC_RECV_TIMEOUT")       \
    ROW(DS_DETAIL_DECLARED_LOST, "declared-lost", "heartbeats are missing, fails at once")         \
    ROW(DS_DETAIL_UNDECODABLE, "undecodable", "an answer that is not one")                         \
    ROW(DS_DETAIL_CLOSED, "closed", "closed before or meanwhile, or never initialised")            \
    ROW(DS_DETAIL_DEADLINE, "deadline", "the call's own deadline came first")                      \
    ROW(DS_DETAIL_CANCELLED, "cancelled", "the caller gave it up")

enum ds_detail {
#define DS_DETAIL_ENUM(name, word, help) name,
    DS_DETAIL_LIST(DS_DETAIL_ENUM)
#undef DS_DETAIL_ENUM
        DS_DETAIL_COUNT
};
const char *ds_detail_word(enum ds_detail detail); /* static text, any thread */

struct ds_status {
    int32_t code; /* enum dsrpc_code */
    enum ds_detail detail;
    const char *text; /* the message, without the code; valid as long as the result it is part of */
};

/* Why a call failed, for counters. Row: enumerator, word used in metrics and scenarios. */
#define DS_CAUSE_LIST(ROW)                                                                         \
    ROW(DS_CAUSE_NONE, "none")                                                                     \
    ROW(DS_CAUSE_NOT_FOUND, "not_found")                                                           \
    ROW(DS_CAUSE_BACKEND_TIMEOUT, "backend_timeout")                                               \
    ROW(DS_CAUSE_TRANSPORT, "transport")                                                           \
    ROW(DS_CAUSE_DISCONNECTED, "disconnected")                                                     \
    ROW(DS_CAUSE_INVALID, "invalid")                                                               \
    ROW(DS_CAUSE_OUT_OF_MEMORY, "out_of_memory")                                                   \
    ROW(DS_CAUSE_CODEC, "codec") /* "decode" of a get, "encode" of a put */                        \
    ROW(DS_CAUSE_OTHER, "other")

enum ds_cause {
#define DS_CAUSE_ENUM(name, word) name,
    DS_CAUSE_LIST(DS_CAUSE_ENUM)
#undef DS_CAUSE_ENUM
        DS_CAUSE_COUNT
};

/* The one table from code and detail to cause (docs/reference/connector.md, "Counters"). Pure, any
 * thread; words are static text. */
enum ds_cause ds_cause_of(int32_t code, enum ds_detail detail);
const char *ds_cause_word(enum ds_cause cause);

/* "code: [Key not found], msg: [Cannot get objects from worker, traceId: ...]", cut to fit into
 * `text_bytes`, the NUL included. */
void ds_status_format(const struct ds_status *status, char *out_text, size_t text_bytes);

#endif
