/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEDS_REQUEST_FAULT_POINTS_H
#define FAKEDS_REQUEST_FAULT_POINTS_H

#include "fakeds/request/call.h"

/* The rule that strikes here, or NULL. A table look-up when nothing is armed. */
const struct fault_action *fakeds__ask_call(const struct fakeds__call *call,
                                            enum fault_point point);
bool fakeds__is_armed(const struct fakeds_worker *worker, int operation, enum fault_point point);

/* Points that are not requests: `client` may be "". */
const struct fault_action *fakeds__ask_worker(const struct fakeds_worker *worker,
                                              enum fault_point point, const char *client,
                                              struct rt_slice key);

/*
 * What can be done before a call is applied, after it was applied, and when it starts to wait.
 *   FAKEDS__GO_ON  go on with the call
 *   FAKEDS__GONE   it was answered, eaten or held: do not touch it
 */
enum fakeds__verdict { FAKEDS__GO_ON, FAKEDS__GONE };

enum fakeds__verdict fakeds__at_request(struct fakeds__call *call);
enum fakeds__verdict fakeds__at_wait(struct fakeds__call *call);
/* May change what is answered. */
enum fakeds__verdict fakeds__at_applied(struct fakeds__call *call, struct fakeds__answer *answer);
void fakeds__at_replied(struct fakeds__call *call, struct fakeds__connection *holder);

/* True: the connection lives and goes on with its greeting now. False: the fault has it. */
bool fakeds__at_connect(struct fakeds_worker *worker, struct fakeds__connection *connection);

#endif
