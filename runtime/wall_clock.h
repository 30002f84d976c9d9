/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_WALL_CLOCK_H
#define RUNTIME_WALL_CLOCK_H

#include "runtime/loop.h"

/* Date and time for people (logs, HTTP's Date), never for deadlines: microseconds since 1970. A
 * simulated loop's calendar (rt_loop_epoch_ns) follows its own clock. NULL loop: the system's. */
uint64_t rt_wall_clock_us(const struct rt_loop *loop);

#endif
