/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_REQUEST_DISPATCH_H
#define FAKEETCD_REQUEST_DISPATCH_H

#include "fakeetcd/server/server_internal.h"

/* What the files of a call's life share: dispatch.c (before the handler), call.c (behind it),
 * call_later.c (what waits), fault_points.c. */

/* Messages that wait behind a held one, now that it goes on. */
void fakeetcd__go_on_in(struct fakeetcd_call *call);
/* Everything that waits for a leader. */
void fakeetcd__leader_is_back(struct fakeetcd_server *server);
void fakeetcd__is_thawed(struct fakeetcd_server *server);
/* Answers that may go out now. */
void fakeetcd__go_on_out(struct fakeetcd_call *call);

/* What the request needs of a leader: its method's row, or what it says itself. */
enum fakeetcd_leader_need fakeetcd__leader_need(const struct fakeetcd_call *call,
                                                const ProtobufCMessage *request);

/* Who asks: fills call->identity. */
enum fakeetcd_error fakeetcd__identify(struct fakeetcd_call *call);

/* Keys that the message touches, in the arena. False: no memory. */
bool fakeetcd__request_keys(struct fakeetcd_call *call, const ProtobufCMessage *request,
                            const struct rt_slice **out_keys, size_t *out_count);
/* Keys that hang on a lease, in the arena. */
bool fakeetcd__lease_keys(struct fakeetcd_server *server, int64_t lease,
                          const struct rt_slice **out_keys, size_t *out_count);

/* Transactions nest; the depth is looked at before anything recurses. False: too deep. */
bool fakeetcd__is_shallow(const struct fakeetcd_method *method, struct rt_slice message);

int fakeetcd__method_index(const struct fakeetcd_method *method);
struct fakeetcd_op_counts *fakeetcd__counts_of(const struct fakeetcd_call *call);
void fakeetcd__call_record(const struct fakeetcd_call *call, enum rt_record_kind kind,
                           struct rt_slice key, int32_t code, uint64_t number, const char *cause,
                           const char *detail);
/* It ends without an answer, for the server: `what` is "request" or "answer". */
void fakeetcd__call_eat(struct fakeetcd_call *call, const char *cause, const char *what);

/* What the rest of the handlers say with; past the fault points. */
void fakeetcd__emit(struct fakeetcd_call *call, const ProtobufCMessage *message);
void fakeetcd__emit_end(struct fakeetcd_call *call, int32_t code, const char *text);

#endif
