/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_SIGNALS_H
#define RUNTIME_SIGNALS_H

#include "runtime/loop.h"

/*
 * SIGTERM and SIGINT as events of a loop: how somebody ends a program. Of one loop in a process,
 * on its thread; the loop runs on sockets.
 */
struct rt_signals;

typedef void rt_signal_fn(void *arg, int number);

/* `on_signal` runs from the loop, each time one comes. RT_E_NOMEM: nothing is watched. */
RT_NODISCARD enum rt_status rt_signals_watch(struct rt_loop *loop, rt_signal_fn *on_signal,
                                             void *arg, struct rt_signals **out_signals);
/* Before the loop; not from `on_signal`. NULL: nothing. */
void rt_signals_destroy(struct rt_signals *signals);

#endif
