/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/membership/membership_internal.h"

#include <stdio.h>
#include <string.h>

/*
 * The start, one question after the other, as the real worker was seen to ask them:
 *
 *   Status, Range cluster (revision R), Range replica groups at R, Watch from R + 1 (three),
 *   Range and Txn of the master address, Range of the ring's old key, Range and Txn of the ring,
 *   DeleteRange of the old key, LeaseGrant, keepalive, Put `start`, about 5 s later Range and Txn
 *   of the ring (tokens), Put `ready`
 *
 * A worker that joins a ring that is there needs 1 to 3 s for it; one that is in it already, none.
 */
static void on_status(void *arg, const struct etcd_result *result);
static void on_cluster(void *arg, const struct etcd_result *result);
static void on_groups(void *arg, const struct etcd_result *result);
static void ask_master(struct fakeds__membership *membership);
static void on_master(void *arg, const struct etcd_result *result);
static void on_master_put(void *arg, const struct etcd_result *result);
static void ask_old_ring(struct fakeds__membership *membership);
static void on_old_ring(void *arg, const struct etcd_result *result);
static void on_registered(struct fakeds__membership *membership, bool is_done);
static void on_old_ring_deleted(void *arg, const struct etcd_result *result);
static void on_start_put(void *arg, const struct etcd_result *result);
static void on_step(void *arg);
static void on_started(struct fakeds__membership *membership, bool is_done);
static void on_joined(struct fakeds__membership *membership, bool is_done);
static void put_ready(struct fakeds__membership *membership);
static void on_ready_put(void *arg, const struct etcd_result *result);
static bool has_failed(struct fakeds__membership *membership, const struct etcd_result *result);
static void check(struct fakeds__membership *membership, enum rt_status status);
static void on_unsent(void *arg);
static struct rt_slice master_key(const struct fakeds__membership *membership,
                                  char out_key[FAKEDS__KEY_BYTES]);
static struct rt_slice old_ring_key(const struct fakeds__membership *membership,
                                    char out_key[FAKEDS__KEY_BYTES]);

#define SECOND_US       UINT64_C(1000000)
#define WATCH_WAIT_US   (10 * SECOND_US) /* for all watches to say `created` */
#define FIRST_RING_US   (5 * SECOND_US)  /* until the first ring gets its tokens */
#define JOIN_STEP_US    SECOND_US        /* a worker joins in two of them */
#define FAIL_TEXT_BYTES 512
static const struct rt_slice NO_END = {0};

void fakeds__start_init(struct fakeds__membership *membership)
{
    rt_timer_init(&membership->step_timer, membership->loop, on_step, membership);
    rt_task_init(&membership->fail_task, membership->loop, on_unsent, membership);
}

void fakeds__start_begin(struct fakeds__membership *membership)
{
    check(membership, etcd_status(membership->etcd, on_status, membership, NULL));
}

static void on_status(void *arg, const struct etcd_result *result)
{
    struct fakeds__membership *membership = arg;
    char end[FAKEDS__KEY_BYTES];
    struct rt_slice prefix = rt_slice_text(membership->prefixes[FAKEDS__PREFIX_CLUSTER]);
    if (!has_failed(membership, result)) {
        check(membership, etcd_range(membership->etcd, prefix, fakeds__prefix_end(prefix, end), 0,
                                     on_cluster, membership, NULL));
    }
}

static void on_cluster(void *arg, const struct etcd_result *result)
{
    struct fakeds__membership *membership = arg;
    char end[FAKEDS__KEY_BYTES];
    if (has_failed(membership, result)) {
        return;
    }
    const Etcdserverpb__RangeResponse *response =
        (const Etcdserverpb__RangeResponse *)result->message;
    membership->revision = response->header == NULL ? 0 : response->header->revision;
    for (size_t i = 0; i < response->n_kvs; i++) {
        fakeds__watch_apply(membership, pb_slice(response->kvs[i]->key), response->kvs[i]);
    }
    struct rt_slice prefix = rt_slice_text(membership->prefixes[FAKEDS__PREFIX_GROUP]);
    check(membership, etcd_range(membership->etcd, prefix, fakeds__prefix_end(prefix, end),
                                 membership->revision, on_groups, membership, NULL));
}

static void on_groups(void *arg, const struct etcd_result *result)
{
    struct fakeds__membership *membership = arg;
    if (!has_failed(membership, result)) {
        fakeds__arm(&membership->step_timer, WATCH_WAIT_US);
        fakeds__watch_open(membership);
    }
}

void fakeds__start_watching(struct fakeds__membership *membership)
{
    rt_timer_disarm(&membership->step_timer);
    if (membership->options.master_address[0] != '\0') {
        ask_old_ring(membership);
    } else {
        ask_master(membership);
    }
}

/* ---- who is the master ---------------------------------------------------------------------- */

static struct rt_slice master_key(const struct fakeds__membership *membership,
                                  char out_key[FAKEDS__KEY_BYTES])
{
    const char *name = membership->options.cluster_name;
    snprintf(out_key, FAKEDS__KEY_BYTES, "%s%s/datasystem/master_address",
             name[0] == '\0' ? "" : "/", name);
    return rt_slice_text(out_key);
}

static void ask_master(struct fakeds__membership *membership)
{
    char key[FAKEDS__KEY_BYTES];
    check(membership, etcd_range(membership->etcd, master_key(membership, key), NO_END, 0,
                                 on_master, membership, NULL));
}

/* The first worker of all writes its own address; everybody else takes what is there. */
static void on_master(void *arg, const struct etcd_result *result)
{
    struct fakeds__membership *membership = arg;
    char key[FAKEDS__KEY_BYTES];
    if (has_failed(membership, result)) {
        return;
    }
    const Etcdserverpb__RangeResponse *response =
        (const Etcdserverpb__RangeResponse *)result->message;
    if (response->n_kvs > 0) {
        ask_old_ring(membership);
        return;
    }
    check(membership, etcd_compare_and_put(membership->etcd, master_key(membership, key), 0, NULL,
                                           rt_slice_text(membership->options.worker_address),
                                           on_master_put, membership, NULL));
}

static void on_master_put(void *arg, const struct etcd_result *result)
{
    struct fakeds__membership *membership = arg;
    if (!has_failed(membership, result)) {
        ask_old_ring(membership); /* lost to another worker: that one is the master */
    }
}

/* ---- the ring ------------------------------------------------------------------------------- */

static struct rt_slice old_ring_key(const struct fakeds__membership *membership,
                                    char out_key[FAKEDS__KEY_BYTES])
{
    strlcpy(out_key, membership->prefixes[FAKEDS__PREFIX_RING], FAKEDS__KEY_BYTES);
    strlcat(out_key, membership->options.etcd_address, FAKEDS__KEY_BYTES);
    return rt_slice_text(out_key);
}

static void ask_old_ring(struct fakeds__membership *membership)
{
    char key[FAKEDS__KEY_BYTES];
    check(membership, etcd_range(membership->etcd, old_ring_key(membership, key), NO_END, 0,
                                 on_old_ring, membership, NULL));
}

static void on_old_ring(void *arg, const struct etcd_result *result)
{
    struct fakeds__membership *membership = arg;
    if (!has_failed(membership, result)) {
        fakeds__ring_change(membership, fakeds__ring_register, on_registered);
    }
}

static void on_registered(struct fakeds__membership *membership, bool is_done)
{
    char key[FAKEDS__KEY_BYTES];
    if (!is_done) {
        fakeds__start_fail(membership, "the hash ring cannot be changed");
        return;
    }
    check(membership, etcd_delete(membership->etcd, old_ring_key(membership, key),
                                  &etcd_policy_send, on_old_ring_deleted, membership, NULL));
}

static void on_old_ring_deleted(void *arg, const struct etcd_result *result)
{
    struct fakeds__membership *membership = arg;
    if (!has_failed(membership, result)) {
        fakeds__lease_begin(membership);
    }
}

/* ---- start to ready ------------------------------------------------------------------------- */

void fakeds__start_leased(struct fakeds__membership *membership)
{
    fakeds__lease_put_state(
        membership, membership->options.is_restart ? ETCD_MEMBER_RESTART : ETCD_MEMBER_START,
        on_start_put);
}

static void on_start_put(void *arg, const struct etcd_result *result)
{
    struct fakeds__membership *membership = arg;
    membership->own_put = NULL;
    if (has_failed(membership, result)) {
        return;
    }
    switch (fakeds__ring_place(membership)) {
    case FAKEDS__RING_NEW:
        fakeds__arm(&membership->step_timer, FIRST_RING_US);
        break;
    case FAKEDS__RING_JOINS:
        fakeds__arm(&membership->step_timer, JOIN_STEP_US);
        break;
    default:
        put_ready(membership);
        break;
    }
}

/* Time for tokens; or the watches did not come in time; or the second step of joining. */
static void on_step(void *arg)
{
    struct fakeds__membership *membership = arg;
    if (membership->own_state == ETCD_MEMBER_UNKNOWN) {
        fakeds__start_fail(membership, "the watches were not created in time");
    } else if (fakeds__ring_place(membership) == FAKEDS__RING_JOINS && membership->has_tokens) {
        fakeds__ring_change(membership, fakeds__ring_join, on_joined);
    } else {
        fakeds__ring_change(membership, fakeds__ring_start, on_started);
    }
}

static void on_started(struct fakeds__membership *membership, bool is_done)
{
    membership->has_tokens = is_done;
    if (!is_done) {
        fakeds__start_fail(membership, "the hash ring cannot be changed");
    } else if (fakeds__ring_place(membership) == FAKEDS__RING_ACTIVE) {
        put_ready(membership);
    } else {
        fakeds__arm(&membership->step_timer, JOIN_STEP_US);
    }
}

static void on_joined(struct fakeds__membership *membership, bool is_done)
{
    if (!is_done) {
        fakeds__start_fail(membership, "the hash ring cannot be changed");
    } else {
        put_ready(membership);
    }
}

static void put_ready(struct fakeds__membership *membership)
{
    fakeds__lease_put_state(membership, ETCD_MEMBER_READY, on_ready_put);
}

static void on_ready_put(void *arg, const struct etcd_result *result)
{
    struct fakeds__membership *membership = arg;
    membership->own_put = NULL;
    if (has_failed(membership, result)) {
        return;
    }
    membership->phase = JOINED;
    fakeds__watch_settle(membership);
    membership->handler->on_ready(membership->arg);
}

/* ---- what can go wrong ---------------------------------------------------------------------- */

/* The real worker starts with etcd or not at all (it has no saved copy of the cluster). */
static bool has_failed(struct fakeds__membership *membership, const struct etcd_result *result)
{
    if (result->code == GRPC_OK && membership->phase == STARTING) {
        return false;
    }
    fakeds__start_fail(membership, result->text);
    return true;
}

/* It fails later: whoever asked is still on the stack. */
static void check(struct fakeds__membership *membership, enum rt_status status)
{
    if (status != RT_OK) {
        membership->fail_text = rt_status_text(status);
        rt_task_schedule(&membership->fail_task);
    }
}

static void on_unsent(void *arg)
{
    struct fakeds__membership *membership = arg;
    fakeds__start_fail(membership, membership->fail_text);
}

void fakeds__start_fail(struct fakeds__membership *membership, const char *cause)
{
    char text[FAIL_TEXT_BYTES];
    if (membership->phase != STARTING) {
        return;
    }
    membership->phase = FAILED;
    fakeds__lease_stop(membership);
    fakeds__watch_stop(membership);
    rt_timer_disarm(&membership->step_timer);
    snprintf(text, sizeof(text),
             "The worker does not meet the conditions for starting when etcd fails[cause: "
             "Connect to etcd failed, as: %.300s]. If you want to start the worker, etcd must be "
             "normal.",
             cause);
    membership->handler->on_failed(membership->arg, text);
}
