/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/cluster/cluster_internal.h"

/*
 *   lease expired --> peers: can you write to etcd? --nobody--> keep serving, ask again after 5 s
 *                          |
 *                          '--yes, three times--> isolated: writes are refused, and after
 *                             node_dead_timeout - node_timeout + 10 s the worker dies
 */
static void on_alone_timer(void *arg);
static void on_answer(void *arg, int32_t code, const DsPeer__Response *response,
                      struct rt_blob *value);
static void count(struct fakeds__cluster *cluster);
static void on_death(void *arg);

#define SECOND_US   UINT64_C(1000000)
#define AGAIN_US    (5 * SECOND_US)
#define CONFIRM_US  SECOND_US
#define ANSWER_US   (6 * SECOND_US) /* the peer's own try takes up to 5 s */
#define YES_LIMIT   3
#define DEATH_EXTRA 10

void fakeds__alone_init(struct fakeds__cluster *cluster)
{
    struct rt_loop *loop = cluster->worker->environment.loop;
    rt_timer_init(&cluster->alone_timer, loop, on_alone_timer, cluster);
    rt_timer_init(&cluster->death_timer, loop, on_death, cluster);
}

void fakeds__alone_begin(struct fakeds__cluster *cluster)
{
    cluster->yes_count = 0;
    fakeds__arm(&cluster->alone_timer, 0);
}

void fakeds__alone_end(struct fakeds__cluster *cluster)
{
    rt_timer_disarm(&cluster->alone_timer);
    rt_timer_disarm(&cluster->death_timer);
    if (cluster->is_isolated) {
        cluster->is_isolated = false;
        fakeds__record_state(cluster->worker, "worker", "not isolated any more");
    }
}

static void on_alone_timer(void *arg)
{
    struct fakeds__cluster *cluster = arg;
    DsPeer__Request request = DS_PEER__REQUEST__INIT;
    uint64_t deadline_us = rt_loop_now_us(cluster->worker->environment.loop) + ANSWER_US;
    struct fakeds__link *link;
    struct fakeds__link *next;
    request.kind = DS_PEER__REQUEST__KIND__CAN_WRITE;
    cluster->is_yes_heard = false;
    cluster->alone_pending_count = 1;
    fakeds__links_of_view(cluster);
    RT_TABLE_EACH(link, next, cluster->links)
    {
        if (!link->is_self && fakeds__link_is_in_ring(cluster, link) &&
            fakeds__ask(cluster, link, &request, deadline_us, on_answer, cluster) != NULL) {
            cluster->alone_pending_count++;
        }
    }
    count(cluster);
}

static void on_answer(void *arg, int32_t code, const DsPeer__Response *response,
                      struct rt_blob *value)
{
    struct fakeds__cluster *cluster = arg;
    (void)value;
    if (code == GRPC_OK && response->code == K_OK) {
        cluster->is_yes_heard = true;
    }
    count(cluster);
}

static void count(struct fakeds__cluster *cluster)
{
    const struct fakeds_etcd_options *etcd = &cluster->worker->options.etcd;
    if (--cluster->alone_pending_count > 0 || !fakeds__membership_is_expired(cluster->membership)) {
        return;
    }
    cluster->yes_count = cluster->is_yes_heard ? cluster->yes_count + 1 : 0;
    if (cluster->yes_count < YES_LIMIT) {
        fakeds__arm(&cluster->alone_timer, cluster->is_yes_heard ? CONFIRM_US : AGAIN_US);
        return;
    }
    uint64_t rest_s = etcd->node_dead_timeout_s > etcd->node_timeout_s
                          ? etcd->node_dead_timeout_s - etcd->node_timeout_s
                          : 0;
    cluster->is_isolated = true;
    fakeds__arm(&cluster->death_timer, (rest_s + DEATH_EXTRA) * SECOND_US);
    fakeds__event(cluster->worker, "isolated", rt_slice_text(""), "");
}

/* The real worker kills itself with SIGKILL. */
static void on_death(void *arg)
{
    struct fakeds__cluster *cluster = arg;
    fakeds_worker_kill(cluster->worker); /* and the cluster with it */
}
