/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/cluster/cluster_internal.h"

#include "fakeds/connection/connection.h"

#include <assert.h>
#include <stdlib.h>

static void on_ready(void *arg);
static void on_failed(void *arg, const char *text);
static void on_view(void *arg);
static void on_event(void *arg, const char *what);
static void on_move(void *arg);
static bool has_company(const struct fakeds__cluster *cluster);
static void forget_others_keys(struct fakeds__cluster *cluster);
static void announce(struct fakeds__cluster *cluster);
static bool is_owner(struct fakeds__cluster *cluster, const struct fakeds__link *link,
                     struct rt_slice key);
static enum rt_status copy_text(const char **text, enum rt_status status);

#define ANNOUNCE_US (UINT64_C(10) * 1000000)
#define NS_PER_US   1000

static const struct fakeds__membership_handler HANDLER = {.on_ready = on_ready,
                                                          .on_failed = on_failed,
                                                          .on_view = on_view,
                                                          .on_event = on_event,
                                                          .on_move = on_move};

enum rt_status fakeds__cluster_create(struct fakeds_worker *worker, bool is_restart,
                                      struct fakeds__cluster **out_cluster)
{
    const struct fakeds_etcd_options *etcd = &worker->options.etcd;
    struct fakeds__membership_options options = {
        .name = worker->options.name,
        .etcd_address = etcd->address,
        .cluster_name = etcd->cluster_name,
        .worker_address = worker->address,
        .worker_uuid = worker->uuid,
        .host_id = etcd->host_id,
        .version = etcd->version,
        .master_address = etcd->master_address,
        .username = etcd->username,
        .password = etcd->password,
        .tls = etcd->tls,
        .node_timeout_s = etcd->node_timeout_s,
        .node_dead_timeout_s = etcd->node_dead_timeout_s,
        .seed = worker->environment.seed,
        .is_restart = is_restart,
    };
    struct fakeds__cluster *cluster = calloc(1, sizeof(*cluster));
    if (cluster == NULL) {
        return RT_E_NOMEM;
    }
    cluster->worker = worker;
    TAILQ_INIT(&cluster->asks);
    TAILQ_INIT(&cluster->servings);
    TAILQ_INIT(&cluster->works);
    TAILQ_INIT(&cluster->pulls);
    fakeds__directory_init(&cluster->directory);
    fakeds__accept_init(cluster);
    fakeds__alone_init(cluster);
    enum rt_status status =
        fakeds__membership_create(worker->environment.loop, worker->environment.network, &options,
                                  &HANDLER, cluster, &cluster->membership);
    if (status != RT_OK) {
        fakeds__cluster_destroy(cluster);
        return status;
    }
    *out_cluster = cluster;
    return RT_OK;
}

void fakeds__cluster_destroy(struct fakeds__cluster *cluster)
{
    if (cluster == NULL) {
        return;
    }
    assert(TAILQ_EMPTY(&cluster->works)); /* the worker's calls have ended before */
    fakeds__alone_end(cluster);
    fakeds__membership_destroy(cluster->membership);
    while (!TAILQ_EMPTY(&cluster->pulls)) {
        fakeds__pull_cancel(TAILQ_FIRST(&cluster->pulls));
    }
    while (!TAILQ_EMPTY(&cluster->asks)) {
        fakeds__ask_cancel(TAILQ_FIRST(&cluster->asks));
    }
    fakeds__serve_fini(cluster);
    fakeds__accept_fini(cluster);
    fakeds__directory_fini(&cluster->directory);
    struct fakeds__link *link;
    struct fakeds__link *next;
    RT_TABLE_EACH(link, next, cluster->links)
    {
        RT_TABLE_REMOVE(cluster->links, link);
        grpc_channel_destroy(link->channel);
        free(link->address);
        free(link);
    }
    free(cluster);
}

bool fakeds__cluster_is_ready(const struct fakeds__cluster *cluster)
{
    return fakeds__membership_is_ready(cluster->membership);
}

void fakeds__cluster_counts(const struct fakeds__cluster *cluster, uint64_t *out_members,
                            uint64_t *out_ring_workers)
{
    const struct fakeds__view *view = fakeds__membership_view(cluster->membership);
    const struct fakeds__peer *peer;
    *out_members = 0;
    *out_ring_workers = view->worker_count;
    for (peer = view->peers; peer != NULL; peer = peer->hh.next) {
        *out_members += peer->is_listed;
    }
}

void fakeds__cluster_leave(struct fakeds__cluster *cluster, rt_task_fn *done, void *arg)
{
    if (cluster->worker->options.etcd.is_exit_lossless && has_company(cluster)) {
        fakeds__membership_scale_in(cluster->membership, done, arg);
    } else {
        fakeds__membership_leave(cluster->membership, done, arg);
    }
}

/* The last one has nobody to give anything to. */
static bool has_company(const struct fakeds__cluster *cluster)
{
    uint64_t members;
    uint64_t ring_workers;
    fakeds__cluster_counts(cluster, &members, &ring_workers);
    return members > 1;
}

bool fakeds__cluster_is_exiting(const struct fakeds__cluster *cluster)
{
    return fakeds__membership_is_exiting(cluster->membership);
}

/* First whoever owns the keys now learns that they are here. */
static void on_move(void *arg)
{
    on_view(arg);
    fakeds__migrate(arg);
}

static void on_ready(void *arg)
{
    struct fakeds__cluster *cluster = arg;
    struct fakeds_worker *worker = cluster->worker;
    on_view(cluster); /* what was kept over a restart */
    fakeds__event(worker, "registered", rt_slice_text(""), "");
    fakeds__say_ready(worker);
    if (worker->started != NULL) {
        worker->started(worker->started_arg, NULL);
    }
}

static void on_failed(void *arg, const char *text)
{
    struct fakeds__cluster *cluster = arg;
    struct fakeds_worker *worker = cluster->worker;
    fakeds__event(worker, "start-failed", rt_slice_text(""), text);
    if (worker->started != NULL) {
        worker->started(worker->started_arg, text);
    }
}

/* A ring has come or changed: who keeps the metadata of a key may be another worker now. Each
 * worker says what it holds, and forgets what is not its own to know any more. */
static void on_view(void *arg)
{
    struct fakeds__cluster *cluster = arg;
    const struct fakeds__view *view = fakeds__membership_view(cluster->membership);
    if (view->ring_revision != cluster->ring_revision) {
        cluster->ring_revision = view->ring_revision;
        forget_others_keys(cluster);
        announce(cluster);
    }
}

static void forget_others_keys(struct fakeds__cluster *cluster)
{
    struct fakeds__entry *entry;
    struct fakeds__entry *next;
    RT_TABLE_EACH(entry, next, cluster->directory.entries)
    {
        const struct fakeds__link *owner = fakeds__link_owner(cluster, entry->key);
        if (owner != NULL && !owner->is_self) {
            fakeds__directory_clear(&cluster->directory, entry);
        }
    }
}

/* In questions of many keys. An owner that does not answer learns of it when somebody asks anew. */
static void announce(struct fakeds__cluster *cluster)
{
    struct fakeds__link *link;
    struct fakeds__link *next;
    fakeds__links_of_view(cluster);
    RT_TABLE_EACH(link, next, cluster->links)
    {
        if (fakeds__link_is_in_ring(cluster, link)) {
            uint64_t deadline_us = fakeds__now_us(cluster->worker) + ANNOUNCE_US;
            (void)fakeds__ask_about_held(cluster, link, DS_PEER__REQUEST__KIND__HOLD, is_owner,
                                         deadline_us, NULL, NULL);
        }
    }
}

static bool is_owner(struct fakeds__cluster *cluster, const struct fakeds__link *link,
                     struct rt_slice key)
{
    return fakeds__link_owner(cluster, key) == link;
}

void fakeds__cluster_lost(struct fakeds__cluster *cluster, const struct fakeds__object *object)
{
    DsPeer__Object told;
    struct fakeds__link *owner = fakeds__link_owner(cluster, object->key);
    fakeds__describe(object, fakeds__now_us(cluster->worker), &told);
    told.is_found = false;
    if (owner != NULL) {
        fakeds__tell(cluster, owner, DS_PEER__REQUEST__KIND__HOLD, &told);
    }
}

/* ---- links ---------------------------------------------------------------------------------- */

struct fakeds__link *fakeds__link_of(struct fakeds__cluster *cluster, struct rt_slice address)
{
    enum rt_status status = RT_E_NOMEM;
    struct fakeds__link *link = NULL;
    RT_TABLE_FIND_BYTES(cluster->links, address.data, address.len_bytes, link);
    if (link != NULL || address.len_bytes == 0) {
        return link;
    }
    link = calloc(1, sizeof(*link));
    if (link == NULL) {
        return NULL;
    }
    link->address = strndup((const char *)address.data, address.len_bytes);
    link->is_self = rt_slice_is_text(address, cluster->worker->address);
    if (link->address != NULL) {
        RT_TABLE_ADD_BYTES(cluster->links, link, link->address, strlen(link->address), &status);
    }
    if (status != RT_OK) {
        free(link->address);
        free(link);
        return NULL;
    }
    return link;
}

struct fakeds__link *fakeds__link_owner(struct fakeds__cluster *cluster, struct rt_slice key)
{
    const char *address = fakeds__view_owner(fakeds__membership_view(cluster->membership), key);
    return address == NULL ? NULL : fakeds__link_of(cluster, rt_slice_text(address));
}

bool fakeds__link_is_listed(const struct fakeds__cluster *cluster, const struct fakeds__link *link)
{
    const struct fakeds__peer *peer = fakeds__view_find(
        fakeds__membership_view(cluster->membership), rt_slice_text(link->address));
    return link->is_self || (peer != NULL && peer->is_listed);
}

bool fakeds__link_is_in_ring(const struct fakeds__cluster *cluster, const struct fakeds__link *link)
{
    const struct fakeds__view *view = fakeds__membership_view(cluster->membership);
    for (size_t i = 0; i < view->worker_count; i++) {
        if (strcmp(view->workers[i], link->address) == 0) {
            return true;
        }
    }
    return false;
}

void fakeds__links_of_view(struct fakeds__cluster *cluster)
{
    const struct fakeds__view *view = fakeds__membership_view(cluster->membership);
    for (size_t i = 0; i < view->worker_count; i++) {
        (void)fakeds__link_of(cluster, rt_slice_text(view->workers[i]));
    }
}

uint64_t fakeds__cluster_time_us(struct fakeds__cluster *cluster)
{
    const struct rt_loop *loop = cluster->worker->environment.loop;
    uint64_t now_us = rt_loop_epoch_ns(loop) / NS_PER_US + rt_loop_now_us(loop);
    cluster->last_version_us =
        now_us > cluster->last_version_us ? now_us : cluster->last_version_us + 1;
    return cluster->last_version_us;
}

/* ---- what happens in etcd ------------------------------------------------------------------- */

static void on_event(void *arg, const char *what)
{
    struct fakeds__cluster *cluster = arg;
    if (strcmp(what, "lease-expired") == 0) {
        fakeds__alone_begin(cluster);
    } else if (strcmp(what, "recovered") == 0) {
        fakeds__alone_end(cluster);
    }
    fakeds__event(cluster->worker, what, rt_slice_text(""), "");
}

/* ---- options -------------------------------------------------------------------------------- */

enum rt_status fakeds__etcd_options_copy(struct fakeds_etcd_options *to,
                                         const struct fakeds_etcd_options *from)
{
    enum rt_status status = RT_OK;
    *to = *from;
    const char **texts[] = {&to->address,        &to->cluster_name, &to->host_id, &to->version,
                            &to->master_address, &to->username,     &to->password};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        status = copy_text(texts[i], status);
    }
    return status;
}

/* After a failure the rest are NULL, so that all of them may be freed. */
static enum rt_status copy_text(const char **text, enum rt_status status)
{
    char *copied = status != RT_OK ? NULL : strdup(*text == NULL ? "" : *text);
    *text = copied;
    return copied == NULL ? RT_E_NOMEM : RT_OK;
}

void fakeds__etcd_options_free(struct fakeds_etcd_options *options)
{
    const char *texts[] = {options->address, options->cluster_name,   options->host_id,
                           options->version, options->master_address, options->username,
                           options->password};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        free((char *)(uintptr_t)texts[i]);
    }
}
