/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/wall_clock.h"

#include <time.h>

#define MICROSECONDS_PER_S 1000000u
#define NANOSECONDS_PER_US 1000u

uint64_t rt_wall_clock_us(const struct rt_loop *loop)
{
    if (loop != NULL) {
        return rt_loop_epoch_ns(loop) / NANOSECONDS_PER_US + rt_loop_now_us(loop);
    }
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * MICROSECONDS_PER_S + (uint64_t)now.tv_nsec / NANOSECONDS_PER_US;
}
