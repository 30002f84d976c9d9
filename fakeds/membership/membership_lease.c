/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/membership/membership_internal.h"

/*
 *   grant --> keepalive stream --> put of the state --> an answer each interval
 *     ^                                                    |
 *     '---- 5 s ---- TTL 0, stream ended, grant failed <---'
 *
 * The lease is renewed each min(60 s, TTL / 4), the first time at once. Without an answer for
 * max(0.9 TTL, TTL - 5 s) the worker thinks itself expired.
 */
static void grant(struct fakeds__membership *membership);
static void on_granted(void *arg, const struct etcd_result *result);
static void open_keepalive(struct fakeds__membership *membership);
static void renew(void *arg);
static void on_answer(void *arg, const ProtobufCMessage *message);
static void on_end(void *arg, const struct etcd_result *result);
static void lose(struct fakeds__membership *membership, const char *what, uint64_t retry_us);
static void on_grant_timer(void *arg);
static void on_expired(void *arg);
static void arm_expired(struct fakeds__membership *membership);
static void on_recovered(void *arg, const struct etcd_result *result);
static void on_ready_again(void *arg, const struct etcd_result *result);

#define SECOND_US      UINT64_C(1000000)
#define RETRY_US       (5 * SECOND_US)
#define RENEW_LIMIT_US (60 * SECOND_US)
#define EXPIRY_SLACK_S 5
#define VALUE_BYTES    320
#define NS_PER_US      1000

static const struct etcd_stream_handler HANDLER = {.on_message = on_answer, .on_end = on_end};

void fakeds__lease_init(struct fakeds__membership *membership)
{
    rt_timer_init(&membership->keepalive_timer, membership->loop, renew, membership);
    rt_timer_init(&membership->expired_timer, membership->loop, on_expired, membership);
    rt_timer_init(&membership->grant_timer, membership->loop, on_grant_timer, membership);
}

void fakeds__lease_begin(struct fakeds__membership *membership)
{
    grant(membership);
}

void fakeds__lease_stop(struct fakeds__membership *membership)
{
    rt_timer_disarm(&membership->keepalive_timer);
    rt_timer_disarm(&membership->expired_timer);
    rt_timer_disarm(&membership->grant_timer);
    etcd_stream_close(membership->keepalive);
    membership->keepalive = NULL;
    if (membership->own_put != NULL) {
        etcd_call_cancel(membership->own_put);
        membership->own_put = NULL;
    }
}

static void grant(struct fakeds__membership *membership)
{
    if (etcd_lease_grant(membership->etcd, (int64_t)membership->options.node_timeout_s, on_granted,
                         membership, NULL) != RT_OK) {
        fakeds__arm(&membership->grant_timer, RETRY_US);
    }
}

static void on_granted(void *arg, const struct etcd_result *result)
{
    struct fakeds__membership *membership = arg;
    if (membership->phase != STARTING && membership->phase != JOINED) {
        return;
    }
    if (result->code != GRPC_OK) {
        if (membership->phase == STARTING && membership->lease == 0) {
            fakeds__start_fail(membership, result->text);
        } else {
            fakeds__arm(&membership->grant_timer, RETRY_US);
        }
        return;
    }
    bool is_first = membership->lease == 0;
    membership->lease = ((const Etcdserverpb__LeaseGrantResponse *)result->message)->id;
    open_keepalive(membership);
    if (fakeds__membership_say(membership, "lease-granted")) {
        return;
    }
    if (is_first || membership->phase == STARTING) {
        fakeds__start_leased(membership);
    } else {
        fakeds__lease_put_state(membership, ETCD_MEMBER_RECOVER, on_recovered);
    }
}

static void open_keepalive(struct fakeds__membership *membership)
{
    if (etcd_keepalive_open(membership->etcd, &HANDLER, membership, &membership->keepalive) !=
        RT_OK) {
        membership->keepalive = NULL;
        fakeds__arm(&membership->grant_timer, RETRY_US);
        return;
    }
    arm_expired(membership);
    renew(membership);
}

static void renew(void *arg)
{
    struct fakeds__membership *membership = arg;
    uint64_t interval_us = membership->options.node_timeout_s * SECOND_US / 4;
    if (membership->keepalive == NULL) {
        lose(membership, "keepalive-ended", 0);
        return;
    }
    if (etcd_keepalive_send(membership->keepalive, membership->lease) != RT_OK) {
        interval_us = SECOND_US; /* memory was short */
    }
    fakeds__arm(&membership->keepalive_timer,
                interval_us < RENEW_LIMIT_US ? interval_us : RENEW_LIMIT_US);
}

static void arm_expired(struct fakeds__membership *membership)
{
    uint64_t ttl_s = membership->options.node_timeout_s;
    uint64_t limit_us = ttl_s * SECOND_US / 10 * 9;
    if (ttl_s > EXPIRY_SLACK_S && (ttl_s - EXPIRY_SLACK_S) * SECOND_US > limit_us) {
        limit_us = (ttl_s - EXPIRY_SLACK_S) * SECOND_US;
    }
    fakeds__arm(&membership->expired_timer, limit_us);
}

/* etcd answers TTL 0 for a lease that it does not know: it is lost at once. */
static void on_answer(void *arg, const ProtobufCMessage *message)
{
    struct fakeds__membership *membership = arg;
    const Etcdserverpb__LeaseKeepAliveResponse *answer =
        (const Etcdserverpb__LeaseKeepAliveResponse *)message;
    if (answer->id != membership->lease) {
        return;
    }
    if (answer->ttl <= 0) {
        lose(membership, "lease-lost", 0);
        return;
    }
    arm_expired(membership);
    membership->is_expired = false;
}

static void on_end(void *arg, const struct etcd_result *result)
{
    struct fakeds__membership *membership = arg;
    (void)result;
    membership->keepalive = NULL; /* the real worker finds that out when it wants to renew */
}

/* The expiry goes on counting: a new lease ends it. */
static void lose(struct fakeds__membership *membership, const char *what, uint64_t retry_us)
{
    bool is_counting = rt_timer_is_armed(&membership->expired_timer);
    uint64_t expires_us = membership->expired_timer.deadline_us;
    fakeds__lease_stop(membership);
    if (is_counting && rt_timer_arm(&membership->expired_timer, expires_us) != RT_OK) {
        membership->is_expired = true;
    }
    fakeds__arm(&membership->grant_timer, retry_us);
    (void)fakeds__membership_say(membership, what); /* last: it may be gone */
}

static void on_grant_timer(void *arg)
{
    grant(arg);
}

static void on_expired(void *arg)
{
    struct fakeds__membership *membership = arg;
    membership->is_expired = true;
    (void)fakeds__membership_say(membership, "lease-expired");
}

/* ---- the membership key --------------------------------------------------------------------- */

void fakeds__lease_put_state(struct fakeds__membership *membership, enum etcd_member_state state,
                             etcd_done_fn *done)
{
    char text[VALUE_BYTES];
    const struct fakeds__membership_options *options = &membership->options;
    if (state != ETCD_MEMBER_READY && state != ETCD_MEMBER_EXITING) {
        membership->is_recovering = false;
        membership->own_time_ns =
            membership->epoch_ns + rt_loop_now_us(membership->loop) * NS_PER_US;
    }
    struct etcd_member_value value = {.time_ns = membership->own_time_ns,
                                      .state = state,
                                      .host_id = rt_slice_text(options->host_id),
                                      .version = rt_slice_text(options->version)};
    size_t len_bytes = etcd_member_format(&value, text, sizeof(text));
    if (membership->own_put != NULL) {
        etcd_call_cancel(membership->own_put);
        membership->own_put = NULL;
    }
    if (etcd_put(membership->etcd, rt_slice_text(membership->own_key), rt_slice_of(text, len_bytes),
                 membership->lease, &etcd_policy_send, done, membership,
                 &membership->own_put) != RT_OK) {
        membership->own_put = NULL;
        fakeds__arm(&membership->grant_timer, RETRY_US); /* all over, with new memory */
        return;
    }
    membership->own_state = state;
}

/* What is reconciled with the peers is not modelled: what was kept is right. */
static void on_recovered(void *arg, const struct etcd_result *result)
{
    struct fakeds__membership *membership = arg;
    membership->own_put = NULL;
    if (result->code != GRPC_OK) {
        fakeds__arm(&membership->grant_timer, RETRY_US);
        return;
    }
    membership->is_recovering = true;
    fakeds__lease_seen(membership);
}

/* The worker reconciles when its watch brings it its own `recover`. What is older than what it has
 * seen of the key is dropped: behind an etcd that was set up anew it stays in `recover`. The real
 * worker was also seen to stay there when the new revisions were ahead; what decides is not known.
 */
void fakeds__lease_seen(struct fakeds__membership *membership)
{
    const struct fakeds__peer *self =
        fakeds__view_find(&membership->view, rt_slice_text(membership->options.worker_address));
    if (membership->is_recovering && self != NULL && self->state == ETCD_MEMBER_RECOVER &&
        self->time_ns == membership->own_time_ns) {
        membership->is_recovering = false;
        fakeds__lease_put_state(membership, ETCD_MEMBER_READY, on_ready_again);
    }
}

static void on_ready_again(void *arg, const struct etcd_result *result)
{
    struct fakeds__membership *membership = arg;
    membership->own_put = NULL;
    if (result->code != GRPC_OK) {
        fakeds__arm(&membership->grant_timer, RETRY_US);
        return;
    }
    membership->is_expired = false;
    (void)fakeds__membership_say(membership, "recovered");
}
