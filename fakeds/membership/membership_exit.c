/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/membership/membership_internal.h"

/*
 * The end that hands over first, step by step as the real worker was seen to go:
 *
 *   TELL    put of `exiting`; with its answer the worker is not ready any more
 *   MARK    ring: need_scale_down
 *   SETTLE  while somebody else joins or leaves, nobody may begin to
 *   SHARE   ring: LEAVING, and which of its keys go to whom
 *   BARE    ring: no tokens any more, and who answers for its UUID
 *   MOVE    its values go where its keys went: the cluster's part
 *   REMOVE  1 s later; ring: without it
 *   DELETE  1 s later; the key goes, as at any other end
 *
 * A step that etcd does not take is tried again a second later, for min(node_timeout, 180 s); then
 * the worker ends all the same. The real one writes the ring between SHARE and BARE once more
 * for each worker that has got its keys; here all have got them when they read that they have.
 */
static void begin_step(struct fakeds__membership *membership, enum fakeds__exit_step step);
static void on_exit_timer(void *arg);
static void on_told(void *arg, const struct etcd_result *result);
static void on_edited(struct fakeds__membership *membership, bool is_done);
static enum fakeds__exit_step step_behind_share(const struct fakeds__membership *membership);

#define SECOND_US UINT64_C(1000000)

void fakeds__exit_init(struct fakeds__membership *membership)
{
    rt_timer_init(&membership->exit_timer, membership->loop, on_exit_timer, membership);
}

void fakeds__exit_stop(struct fakeds__membership *membership)
{
    rt_timer_disarm(&membership->exit_timer);
}

void fakeds__membership_scale_in(struct fakeds__membership *membership, rt_task_fn *done, void *arg)
{
    if (membership->phase != JOINED) {
        fakeds__membership_leave(membership, done, arg);
        return;
    }
    membership->phase = EXITING;
    membership->left = done;
    membership->left_arg = arg;
    fakeds__ring_stop(membership); /* a change for the good of others is theirs to make now */
    begin_step(membership, FAKEDS__EXIT_TELL);
}

bool fakeds__membership_is_exiting(const struct fakeds__membership *membership)
{
    return membership->phase == EXITING;
}

void fakeds__membership_moved(struct fakeds__membership *membership)
{
    if (membership->phase == EXITING && membership->exit_step == FAKEDS__EXIT_MOVE) {
        begin_step(membership, FAKEDS__EXIT_REMOVE);
    }
}

/* What others do takes its time, up to the burial of one that died on its way. */
static void begin_step(struct fakeds__membership *membership, enum fakeds__exit_step step)
{
    const struct fakeds__membership_options *options = &membership->options;
    bool is_late = step == FAKEDS__EXIT_REMOVE || step == FAKEDS__EXIT_DELETE;
    uint64_t delay_us = is_late ? SECOND_US : 0;
    uint64_t limit_us = step == FAKEDS__EXIT_SETTLE
                            ? (options->node_timeout_s + options->node_dead_timeout_s) * SECOND_US
                            : fakeds__leave_limit_us(membership);
    membership->exit_step = step;
    membership->exit_deadline_us = rt_loop_now_us(membership->loop) + delay_us + limit_us;
    if (step != FAKEDS__EXIT_MOVE) {
        fakeds__arm(&membership->exit_timer, delay_us);
    } else {
        rt_timer_disarm(&membership->exit_timer);
        membership->handler->on_move(membership->arg);
    }
}

static void on_exit_timer(void *arg)
{
    static fakeds__ring_edit_fn *const EDITS[] = {[FAKEDS__EXIT_MARK] = fakeds__ring_mark,
                                                  [FAKEDS__EXIT_SHARE] = fakeds__ring_share,
                                                  [FAKEDS__EXIT_BARE] = fakeds__ring_bare,
                                                  [FAKEDS__EXIT_REMOVE] = fakeds__ring_take_out};
    struct fakeds__membership *membership = arg;
    enum fakeds__exit_step step = membership->exit_step;
    if (step == FAKEDS__EXIT_DELETE ||
        rt_loop_now_us(membership->loop) >= membership->exit_deadline_us) {
        fakeds__membership_leave(membership, membership->left, membership->left_arg);
        return;
    }
    fakeds__arm(&membership->exit_timer,
                membership->exit_deadline_us - rt_loop_now_us(membership->loop));
    if (step == FAKEDS__EXIT_SETTLE) {
        fakeds__exit_look(membership);
    } else if (step != FAKEDS__EXIT_TELL) {
        fakeds__ring_change(membership, EDITS[step], on_edited);
    } else {
        fakeds__lease_put_state(membership, ETCD_MEMBER_EXITING, on_told);
        if (membership->own_put == NULL) {
            fakeds__arm(&membership->exit_timer, SECOND_US); /* memory was short */
        }
    }
}

static void on_told(void *arg, const struct etcd_result *result)
{
    struct fakeds__membership *membership = arg;
    membership->own_put = NULL;
    if (result->code != GRPC_OK) {
        fakeds__arm(&membership->exit_timer, SECOND_US);
        return;
    }
    begin_step(membership, FAKEDS__EXIT_MARK);
    (void)fakeds__membership_say(membership, "exiting"); /* last: it may be gone */
}

void fakeds__exit_look(struct fakeds__membership *membership)
{
    if (membership->phase == EXITING && membership->exit_step == FAKEDS__EXIT_SETTLE &&
        !membership->view.is_changing) {
        begin_step(membership, FAKEDS__EXIT_SHARE);
    }
}

static void on_edited(struct fakeds__membership *membership, bool is_done)
{
    static const enum fakeds__exit_step NEXT[] = {[FAKEDS__EXIT_MARK] = FAKEDS__EXIT_SETTLE,
                                                  [FAKEDS__EXIT_BARE] = FAKEDS__EXIT_MOVE,
                                                  [FAKEDS__EXIT_REMOVE] = FAKEDS__EXIT_DELETE};
    if (!is_done) {
        fakeds__arm(&membership->exit_timer, SECOND_US);
    } else if (membership->exit_step == FAKEDS__EXIT_SHARE) {
        begin_step(membership, step_behind_share(membership));
    } else {
        begin_step(membership, NEXT[membership->exit_step]);
    }
}

/* Somebody else was first: again when that is over. A ring without this worker has no place for it
 * to give up, only values to give away. */
static enum fakeds__exit_step step_behind_share(const struct fakeds__membership *membership)
{
    const struct fakeds__view *view = &membership->view;
    if (view->leaver != NULL && strcmp(view->leaver, membership->options.worker_address) == 0) {
        return FAKEDS__EXIT_BARE;
    }
    return view->is_changing ? FAKEDS__EXIT_SETTLE : FAKEDS__EXIT_MOVE;
}
