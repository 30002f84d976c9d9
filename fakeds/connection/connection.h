/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEDS_CONNECTION_CONNECTION_H
#define FAKEDS_CONNECTION_CONNECTION_H

#include "fakeds/worker/worker_internal.h"

/*
 * One accepted connection:
 *
 *   accept --> GREETING --peer's READY--> OPEN --> ended
 *                 |--30 s--> ended          `--identity is held already--> IGNORED
 */
struct fakeds__connection;

enum fakeds__end { FAKEDS__END_RST, FAKEDS__END_FIN };

/* Takes the stream. */
void fakeds__connection_accept(struct fakeds_worker *worker, struct rt_stream *stream);

/* Ends it at once; the identity is free when this returns. `cause`: the rule that wants it, or
 * "". May be called while the connection's own input is being worked on. */
void fakeds__connection_end(struct fakeds__connection *connection, enum fakeds__end how,
                            const char *cause, const char *why);

/* Ends it, or does what `action` says to the worker, as soon as all bytes have been written. */
void fakeds__connection_after_drain(struct fakeds__connection *connection,
                                    const struct fault_action *action);

/* No byte moves any more, until the action's duration is over. */
void fakeds__connection_stall(struct fakeds__connection *connection,
                              const struct fault_action *action);

/* Where to write an answer; call fakeds__connection_written() afterwards. While it stalls, bytes
 * are parked. */
struct rt_outbox *fakeds__connection_outbox(struct fakeds__connection *connection);
void fakeds__connection_written(struct fakeds__connection *connection);

/* Rule that stalls the connection for ever, so that what is written is lost; else NULL. */
const char *fakeds__connection_lost_by(const struct fakeds__connection *connection);
const char *fakeds__connection_peer(const struct fakeds__connection *connection);

/* Writes out what fakeds__connection_written() announced. */
void fakeds__connection_flush(struct fakeds__connection *connection);

#endif
