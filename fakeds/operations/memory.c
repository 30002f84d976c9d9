/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/request/dispatch.h"

/*
 * A full worker does not refuse at once: it tries again after 1, 10, 50, ... ms while eviction
 * runs, as long as more than 50 ms of the request's budget are left.
 */
static const uint32_t PAUSES_MS[] = {1, 10, 50, 100, 200, 400, 800, 1600, 3200};

#define PAUSE_COUNT         (sizeof(PAUSES_MS) / sizeof(PAUSES_MS[0]))
#define MICROSECONDS_PER_MS UINT64_C(1000)
#define RESERVE_US          (UINT64_C(50) * MICROSECONDS_PER_MS)

static uint64_t next_pause_us(const struct fakeds__call *call);
static void on_pause_over(void *arg);

bool fakeds__memory_take(struct fakeds__call *call, uint64_t class_bytes, bool *out_is_over)
{
    struct fakeds_worker *worker = call->worker;
    *out_is_over = false;
    if (fakeds__store_has_room(&worker->store, class_bytes)) {
        return true;
    }
    fakeds__evict_for(worker, class_bytes);
    uint64_t pause_us = next_pause_us(call);
    if (pause_us == 0) {
        *out_is_over = true;
        return false;
    }
    if (!fakeds__call_keep(call)) {
        return false; /* answered */
    }
    call->memory_try++;
    rt_timer_init(&call->timer, worker->environment.loop, on_pause_over, call);
    if (rt_timer_arm_after(&call->timer, pause_us) != RT_OK) {
        *out_is_over = true;
    }
    return false;
}

/* 0: no more. */
static uint64_t next_pause_us(const struct fakeds__call *call)
{
    uint64_t now_us = fakeds__now_us(call->worker);
    if (call->memory_try >= PAUSE_COUNT || now_us + RESERVE_US >= call->deadline_us) {
        return 0;
    }
    uint64_t left_us = call->deadline_us - RESERVE_US - now_us;
    uint64_t pause_us = PAUSES_MS[call->memory_try] * MICROSECONDS_PER_MS;
    return pause_us < left_us ? pause_us : left_us;
}

static void on_pause_over(void *arg)
{
    fakeds__call_apply(arg);
}

struct rt_slice fakeds__memory_text(struct fakeds__call *call)
{
    return fakeds__call_text(call, "Shared memory no space in arena: 0");
}
