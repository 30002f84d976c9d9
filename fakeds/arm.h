/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEDS_ARM_H
#define FAKEDS_ARM_H

#include "runtime/loop.h"

/* For timers of work that goes on for ever: an arming that finds no memory is made up for by the
 * next one. */
static inline void fakeds__arm(struct rt_timer *timer, uint64_t delay_us)
{
    enum rt_status status = rt_timer_arm_after(timer, delay_us);
    (void)status;
}

#endif
