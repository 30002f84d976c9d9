/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/request/dispatch.h"
#include "fakeds/request/fault_points.h"

#include <stdlib.h>

/*
 * What was stored wakes the gets that wait for it, once. A fault can keep a notification from a
 * get (it runs to its timer, as when the real worker's pull fails) or delay it.
 */
struct fakeds__notice {
    struct fakeds_worker *worker;
    struct fakeds__wait *wait;
    struct fakeds__content *content;
    struct fault_hold hold;
    TAILQ_ENTRY(fakeds__notice) others;
    size_t key_bytes;
    uint8_t key[];
};

struct wake {
    struct fakeds_worker *worker;
    struct fakeds__content *content;
};

static bool may_wake(void *arg, struct fakeds__wait *wait, struct rt_slice key);
static void delay(const struct wake *wake, struct fakeds__wait *wait, struct rt_slice key,
                  const struct fault_action *action);
static void on_notice(void *arg);
static void forget(struct fakeds__notice *notice);

void fakeds__notify(struct fakeds_worker *worker, struct rt_slice key,
                    struct fakeds__content *content)
{
    struct fakeds__wait_list completed;
    struct wake wake = {.worker = worker, .content = content};
    if (worker->waits.count == 0) {
        return;
    }
    fakeds__waits_notify(&worker->waits, key, content, may_wake, &wake, &completed);
    while (!TAILQ_EMPTY(&completed)) {
        struct fakeds__wait *wait = TAILQ_FIRST(&completed);
        TAILQ_REMOVE(&completed, wait, completed);
        worker->counts.waits_woken++;
        fakeds__get_complete(wait->owner);
    }
}

static bool may_wake(void *arg, struct fakeds__wait *wait, struct rt_slice key)
{
    const struct wake *wake = arg;
    const struct fault_action *action = fakeds__ask_call(wait->owner, FAULT_AT_NOTIFY);
    if (action == NULL) {
        return true;
    }
    if (action->kind == FAULT_DELAY) {
        delay(wake, wait, key, action);
    }
    return false;
}

static void delay(const struct wake *wake, struct fakeds__wait *wait, struct rt_slice key,
                  const struct fault_action *action)
{
    struct fakeds__notice *notice = malloc(sizeof(*notice) + key.len_bytes);
    if (notice == NULL) {
        return; /* as if it had been suppressed */
    }
    *notice = (struct fakeds__notice){.worker = wake->worker,
                                      .wait = wait,
                                      .content = fakeds__content_retain(wake->content),
                                      .key_bytes = key.len_bytes};
    memcpy(notice->key, key.data, key.len_bytes);
    TAILQ_INSERT_TAIL(&wake->worker->notices, notice, others);
    if (fault_hold_start(wake->worker->environment.faults, &notice->hold, action, on_notice,
                         notice) != RT_OK) {
        forget(notice);
    }
}

static void on_notice(void *arg)
{
    struct fakeds__notice *notice = arg;
    struct fakeds_worker *worker = notice->worker;
    struct fakeds__wait *wait = notice->wait;
    bool is_complete = fakeds__wait_fill(
        &worker->waits, wait, rt_slice_of(notice->key, notice->key_bytes), notice->content);
    forget(notice);
    if (is_complete) {
        fakeds__fresh_memory(worker);
        worker->counts.waits_woken++;
        fakeds__get_complete(wait->owner);
    }
}

static void forget(struct fakeds__notice *notice)
{
    TAILQ_REMOVE(&notice->worker->notices, notice, others);
    fault_hold_cancel(&notice->hold);
    fakeds__content_release(notice->content);
    free(notice);
}

void fakeds__notices_forget(struct fakeds_worker *worker, const struct fakeds__wait *wait)
{
    struct fakeds__notice *next;
    for (struct fakeds__notice *notice = TAILQ_FIRST(&worker->notices); notice != NULL;
         notice = next) {
        next = TAILQ_NEXT(notice, others);
        if (notice->wait == wait) {
            forget(notice);
        }
    }
}
