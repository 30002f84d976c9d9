/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_REQUEST_FAULT_POINTS_H
#define FAKEETCD_REQUEST_FAULT_POINTS_H

#include "fakeetcd/server/server_internal.h"

/*
 * At each point: ask the engine, and do what it says.
 *   FAKEETCD__GO_ON  go on
 *   FAKEETCD__GONE   the request or the answer is answered, eaten or held: leave it alone
 */
enum fakeetcd__verdict { FAKEETCD__GO_ON, FAKEETCD__GONE };

/* `message` is what to keep when it is held. */
enum fakeetcd__verdict fakeetcd__at_request(struct fakeetcd_call *call,
                                            const ProtobufCMessage *request,
                                            struct rt_slice message);
enum fakeetcd__verdict fakeetcd__at_applied(struct fakeetcd_call *call);
/* Spoils the answer that is about to be sent. */
void fakeetcd__at_reply(struct fakeetcd_call *call);
void fakeetcd__at_replied(struct fakeetcd_call *call);

/* Ends the call with the action's code and text; without a text it is the code's name. */
void fakeetcd__finish_with(struct fakeetcd_call *call, const struct fault_action *action);

/* Points of connections: NULL, or what to do. */
const struct fault_action *fakeetcd__ask_connection(struct fakeetcd_server *server,
                                                    enum fault_point point, const char *client);

/* The point `lease`: of a call (grant, keepalive), or with call NULL of the lease that is about to
 * expire. Keys that hang on it can be matched. */
const struct fault_action *fakeetcd__ask_lease(struct fakeetcd_server *server,
                                               struct fakeetcd_call *call, int64_t lease);

/* The point `watch`: events are about to be sent to a watcher. */
bool fakeetcd__is_watch_armed(const struct fakeetcd_server *server);
const struct fault_action *fakeetcd__ask_watch(struct fakeetcd_call *call,
                                               const struct rt_slice *keys, size_t key_count);

#endif
