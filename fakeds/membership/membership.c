/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/membership/membership_internal.h"

#include <stdio.h>
#include <stdlib.h>

static enum rt_status name_keys(struct fakeds__membership *membership);
static enum rt_status make_client(struct fakeds__membership *membership,
                                  struct rt_network *network);
static void stop(struct fakeds__membership *membership);
static void on_leave_timer(void *arg);
static void on_left(void *arg, const struct etcd_result *result);
static void on_probed(void *arg, const struct etcd_result *result);

#define SECOND_US     UINT64_C(1000000)
#define LEAVE_LIMIT_S 180

struct fakeds__probe {
    struct fakeds__membership *membership;
    fakeds__probe_fn *answer;
    void *arg;
    TAILQ_ENTRY(fakeds__probe) others;
};

enum rt_status fakeds__membership_create(struct rt_loop *loop, struct rt_network *network,
                                         const struct fakeds__membership_options *options,
                                         const struct fakeds__membership_handler *handler,
                                         void *arg, struct fakeds__membership **out_membership)
{
    struct fakeds__membership *membership = calloc(1, sizeof(*membership));
    if (membership == NULL) {
        return RT_E_NOMEM;
    }
    membership->loop = loop;
    membership->handler = handler;
    membership->epoch_ns = rt_loop_epoch_ns(loop);
    membership->arg = arg;
    TAILQ_INIT(&membership->probes);
    rt_timer_init(&membership->leave_timer, loop, on_leave_timer, membership);
    fakeds__start_init(membership);
    fakeds__ring_init(membership);
    fakeds__lease_init(membership);
    fakeds__watch_init(membership);
    fakeds__exit_init(membership);
    membership->options = *options;
    enum rt_status status = name_keys(membership);
    if (status == RT_OK) {
        status = make_client(membership, network);
    }
    if (status != RT_OK) {
        fakeds__membership_destroy(membership);
        return status;
    }
    fakeds__start_begin(membership);
    *out_membership = membership;
    return RT_OK;
}

static enum rt_status name_keys(struct fakeds__membership *membership)
{
    static const char *const TABLES[FAKEDS__PREFIX_COUNT] = {"replica_group", "cluster", "ring"};
    const struct fakeds__membership_options *options = &membership->options;
    bool has_name = options->cluster_name[0] != '\0';
    int most_bytes = 0;
    for (size_t i = 0; i < FAKEDS__PREFIX_COUNT; i++) {
        int len_bytes = snprintf(membership->prefixes[i], FAKEDS__KEY_BYTES, "%s%s/datasystem/%s/",
                                 has_name ? "/" : "", options->cluster_name, TABLES[i]);
        most_bytes = len_bytes > most_bytes ? len_bytes : most_bytes;
    }
    int own_bytes = snprintf(membership->own_key, FAKEDS__KEY_BYTES, "%s%s",
                             membership->prefixes[FAKEDS__PREFIX_CLUSTER], options->worker_address);
    most_bytes = own_bytes > most_bytes ? own_bytes : most_bytes;
    return most_bytes < FAKEDS__KEY_BYTES ? RT_OK : RT_E_LIMIT;
}

static enum rt_status make_client(struct fakeds__membership *membership, struct rt_network *network)
{
    const struct fakeds__membership_options *options = &membership->options;
    char stream_name[FAKEDS__KEY_BYTES];
    struct etcd_client_options client = {.name = options->name,
                                         .endpoints = options->etcd_address,
                                         .username = options->username,
                                         .password = options->password,
                                         .tls = options->tls,
                                         .seed = options->seed};
    snprintf(stream_name, sizeof(stream_name), "fakeds:%.100s:membership", options->name);
    rt_random_init(&membership->random, options->seed, stream_name);
    return etcd_client_create(membership->loop, network, &client, &membership->etcd);
}

void fakeds__membership_destroy(struct fakeds__membership *membership)
{
    if (membership == NULL) {
        return;
    }
    if (membership->was_destroyed != NULL) {
        *membership->was_destroyed = true;
    }
    stop(membership);
    rt_timer_disarm(&membership->leave_timer);
    etcd_client_destroy(membership->etcd);
    while (!TAILQ_EMPTY(&membership->probes)) {
        struct fakeds__probe *probe = TAILQ_FIRST(&membership->probes);
        TAILQ_REMOVE(&membership->probes, probe, others);
        free(probe);
    }
    fakeds__watch_fini(membership);
    fakeds__view_fini(&membership->view);
    free(membership->edit_bytes);
    free(membership);
}

/* Nothing happens by itself any more. */
static void stop(struct fakeds__membership *membership)
{
    fakeds__ring_stop(membership);
    rt_timer_disarm(&membership->step_timer);
    rt_task_cancel(&membership->fail_task);
    rt_timer_disarm(&membership->bury_timer);
    fakeds__exit_stop(membership);
    fakeds__lease_stop(membership);
    fakeds__watch_stop(membership);
}

/* ---- leaving -------------------------------------------------------------------------------- */

uint64_t fakeds__leave_limit_us(const struct fakeds__membership *membership)
{
    uint64_t timeout_s = membership->options.node_timeout_s;
    return (timeout_s < LEAVE_LIMIT_S ? timeout_s : LEAVE_LIMIT_S) * SECOND_US;
}

void fakeds__membership_leave(struct fakeds__membership *membership, rt_task_fn *done, void *arg)
{
    bool has_key = membership->own_state != ETCD_MEMBER_UNKNOWN;
    stop(membership);
    membership->phase = LEAVING;
    membership->left = done;
    membership->left_arg = arg;
    membership->leave_deadline_us =
        rt_loop_now_us(membership->loop) + (has_key ? fakeds__leave_limit_us(membership) : 0);
    fakeds__arm(&membership->leave_timer, 0);
}

static void on_leave_timer(void *arg)
{
    static const struct etcd_policy ONCE = {.total_us = SECOND_US, .attempt_us = SECOND_US};
    struct fakeds__membership *membership = arg;
    struct rt_slice key = rt_slice_text(membership->own_key);
    if (rt_loop_now_us(membership->loop) >= membership->leave_deadline_us ||
        etcd_delete(membership->etcd, key, &ONCE, on_left, membership, NULL) != RT_OK) {
        membership->left(membership->left_arg);
    }
}

static void on_left(void *arg, const struct etcd_result *result)
{
    struct fakeds__membership *membership = arg;
    if (result->code == GRPC_OK) {
        membership->left(membership->left_arg);
    } else {
        fakeds__arm(&membership->leave_timer, SECOND_US);
    }
}

/* ---- asking --------------------------------------------------------------------------------- */

bool fakeds__membership_is_ready(const struct fakeds__membership *membership)
{
    return membership->phase == JOINED ||
           (membership->phase == EXITING && membership->exit_step == FAKEDS__EXIT_TELL);
}

bool fakeds__membership_is_expired(const struct fakeds__membership *membership)
{
    return membership->is_expired;
}

const struct fakeds__view *fakeds__membership_view(const struct fakeds__membership *membership)
{
    return &membership->view;
}

enum rt_status fakeds__membership_probe(struct fakeds__membership *membership,
                                        fakeds__probe_fn *answer, void *arg)
{
    char key[FAKEDS__KEY_BYTES];
    const char *name = membership->options.cluster_name;
    struct fakeds__probe *probe = malloc(sizeof(*probe));
    if (probe == NULL) {
        return RT_E_NOMEM;
    }
    *probe = (struct fakeds__probe){.membership = membership, .answer = answer, .arg = arg};
    snprintf(key, sizeof(key), "%s%s/datasystem/health_check/", name[0] == '\0' ? "" : "/", name);
    enum rt_status status = etcd_put(membership->etcd, rt_slice_text(key), rt_slice_text("RW"), 0,
                                     &etcd_policy_write, on_probed, probe, NULL);
    if (status != RT_OK) {
        free(probe);
        return status;
    }
    TAILQ_INSERT_TAIL(&membership->probes, probe, others);
    return RT_OK;
}

static void on_probed(void *arg, const struct etcd_result *result)
{
    struct fakeds__probe *probe = arg;
    fakeds__probe_fn *answer = probe->answer;
    void *answer_arg = probe->arg;
    TAILQ_REMOVE(&probe->membership->probes, probe, others);
    free(probe);
    answer(answer_arg, result->code == GRPC_OK);
}

/* ---- telling -------------------------------------------------------------------------------- */

bool fakeds__membership_say(struct fakeds__membership *membership, const char *what)
{
    bool was_destroyed = false;
    membership->was_destroyed = &was_destroyed;
    membership->handler->on_event(membership->arg, what);
    if (!was_destroyed) {
        membership->was_destroyed = NULL;
    }
    return was_destroyed;
}

bool fakeds__membership_say_view(struct fakeds__membership *membership)
{
    bool was_destroyed = false;
    fakeds__exit_look(membership);
    membership->was_destroyed = &was_destroyed;
    membership->handler->on_view(membership->arg);
    if (!was_destroyed) {
        membership->was_destroyed = NULL;
    }
    return was_destroyed;
}
