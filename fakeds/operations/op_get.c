/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/operations/get_answer.h"
#include "fakeds/request/dispatch.h"
#include "fakeds/request/fault_points.h"
#include "fakeds/seen.h"

/*
 * A get is a snapshot: what is there now, kept for each position. It waits only if something is
 * missing and it may, and ends with its last missing key or with min(sub-timeout, rest of the
 * budget), never in between (all or timer).
 */
static bool has_repeated_offset(struct fakeds__call *call, const Ds__GetReq *request);
static struct fakeds__content **look(struct fakeds__call *call, size_t *out_missing_count);
static bool may_wait(const struct fakeds__call *call, const Ds__GetReq *request);
static void wait_for(struct fakeds__call *call, const Ds__GetReq *request,
                     struct fakeds__content *const *contents);
static void on_wait_over(void *arg);

#define MICROSECONDS_PER_MS UINT64_C(1000)

void fakeds__op_get(struct fakeds__call *call)
{
    const Ds__GetReq *request = (const Ds__GetReq *)call->message;
    size_t missing_count = 0;
    if (has_repeated_offset(call, request)) {
        return;
    }
    struct fakeds__content **contents = look(call, &missing_count);
    if (contents == NULL) {
        fakeds__call_answer_no_memory(call);
    } else if (missing_count > 0 && may_wait(call, request)) {
        if (fakeds__at_wait(call) == FAKEDS__GO_ON) {
            wait_for(call, request, contents);
        }
    } else {
        fakeds__get_answer(call, request, contents);
    }
}

/* A read may name a key once only; it is refused as a whole. True: answered. */
static bool has_repeated_offset(struct fakeds__call *call, const Ds__GetReq *request)
{
    struct fakeds__seen seen = {.scratch = &call->worker->scratch};
    const struct rt_slice *repeated = NULL;
    for (size_t i = 0; request->n_read_offset_list > 0 && i < call->key_count; i++) {
        if (repeated == NULL && !fakeds__seen_add(&seen, call->keys[i])) {
            repeated = &call->keys[i];
        }
    }
    fakeds__seen_fini(&seen);
    if (repeated != NULL) {
        fakeds__call_refuse(call, K_INVALID, "Duplicate offset read for objectKey %.*s",
                            (int)repeated->len_bytes, (const char *)repeated->data);
    }
    return repeated != NULL;
}

static struct fakeds__content **look(struct fakeds__call *call, size_t *out_missing_count)
{
    struct fakeds__content **contents = fakeds__scratch_take(
        &call->worker->scratch, call->key_count, sizeof(struct fakeds__content *));
    size_t missing_count = 0;
    for (size_t i = 0; contents != NULL && i < call->key_count; i++) {
        struct fakeds__object *object = fakeds__store_find(&call->worker->store, call->keys[i]);
        if (object == NULL) {
            missing_count++;
            continue;
        }
        fakeds__store_touch(object);
        contents[i] = object->content;
    }
    *out_missing_count = missing_count;
    return contents;
}

static bool may_wait(const struct fakeds__call *call, const Ds__GetReq *request)
{
    return request->sub_timeout > 0 && request->n_read_offset_list == 0 &&
           call->entries_action == NULL && fakeds__now_us(call->worker) < call->deadline_us;
}

static void wait_for(struct fakeds__call *call, const Ds__GetReq *request,
                     struct fakeds__content *const *contents)
{
    struct fakeds_worker *worker = call->worker;
    uint64_t rest_us = call->deadline_us - fakeds__now_us(worker);
    uint64_t wait_us = rest_us;
    if ((uint64_t)request->sub_timeout < rest_us / MICROSECONDS_PER_MS + 1) {
        wait_us = (uint64_t)request->sub_timeout * MICROSECONDS_PER_MS;
        wait_us = wait_us < rest_us ? wait_us : rest_us;
    }
    if (!fakeds__call_keep(call)) {
        return;
    }
    call->wait = fakeds__wait_start(&worker->waits, call, call->keys, contents, call->key_count);
    rt_timer_init(&call->timer, worker->environment.loop, on_wait_over, call);
    if (call->wait == NULL || rt_timer_arm_after(&call->timer, wait_us) != RT_OK) {
        fakeds__call_answer_no_memory(call);
    }
}

static void on_wait_over(void *arg)
{
    struct fakeds__call *call = arg;
    fakeds__fresh_memory(call->worker);
    call->worker->counts.waits_timed_out++;
    fakeds__get_complete(call);
}

/* May run inside another request: adds to its memory, does not refresh it. */
void fakeds__get_complete(struct fakeds__call *call)
{
    struct fakeds__wait *wait = call->wait;
    rt_timer_disarm(&call->timer);
    struct fakeds__content **contents = fakeds__scratch_take(
        &call->worker->scratch, wait->key_count, sizeof(struct fakeds__content *));
    call->message = NULL;
    if (contents == NULL || !fakeds__call_parse(call)) {
        fakeds__call_answer_no_memory(call);
        return;
    }
    for (size_t i = 0; i < wait->key_count; i++) {
        contents[i] = wait->keys[i].content;
    }
    fakeds__get_answer(call, (const Ds__GetReq *)call->message, contents);
}
