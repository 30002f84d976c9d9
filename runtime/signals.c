/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/signals.h"

#include "runtime/loop_internal.h"

#include <signal.h>
#include <stdlib.h>

enum { SIGNAL_COUNT = 2 };

struct rt_signals {
    struct event *events[SIGNAL_COUNT];
    rt_signal_fn *on_signal;
    void *arg;
};

static void on_event(evutil_socket_t number, short what, void *arg);

enum rt_status rt_signals_watch(struct rt_loop *loop, rt_signal_fn *on_signal, void *arg,
                                struct rt_signals **out_signals)
{
    static const int NUMBERS[SIGNAL_COUNT] = {SIGTERM, SIGINT};
    struct rt_signals *signals = calloc(1, sizeof(*signals));

    if (signals == NULL) {
        return RT_E_NOMEM;
    }
    signals->on_signal = on_signal;
    signals->arg = arg;
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        signals->events[i] = evsignal_new(loop->base, NUMBERS[i], on_event, signals);
        if (signals->events[i] == NULL || event_add(signals->events[i], NULL) != 0) {
            rt_signals_destroy(signals);
            return RT_E_NOMEM;
        }
    }
    *out_signals = signals;
    return RT_OK;
}

static void on_event(evutil_socket_t number, short what, void *arg)
{
    struct rt_signals *signals = arg;

    (void)what;
    signals->on_signal(signals->arg, (int)number);
}

void rt_signals_destroy(struct rt_signals *signals)
{
    if (signals == NULL) {
        return;
    }
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        if (signals->events[i] != NULL) {
            event_free(signals->events[i]);
        }
    }
    free(signals);
}
