/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/cluster_internal.h"

#include "fakeds/connection.h"

#include <stdlib.h>

static void on_ready(void *arg);
static void on_failed(void *arg, const char *text);
static void on_view(void *arg);
static void on_event(void *arg, const char *what);
static enum rt_status copy_text(const char **text, enum rt_status status);

static const struct fakeds__membership_handler HANDLER = {
    .on_ready = on_ready, .on_failed = on_failed, .on_view = on_view, .on_event = on_event};

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
    fakeds__membership_destroy(cluster->membership);
    free(cluster);
}

bool fakeds__cluster_is_ready(const struct fakeds__cluster *cluster)
{
    return fakeds__membership_is_ready(cluster->membership);
}

void fakeds__cluster_leave(struct fakeds__cluster *cluster, rt_task_fn *done, void *arg)
{
    fakeds__membership_leave(cluster->membership, done, arg);
}

static void on_ready(void *arg)
{
    struct fakeds__cluster *cluster = arg;
    struct fakeds_worker *worker = cluster->worker;
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

static void on_view(void *arg)
{
    (void)arg;
}

static void on_event(void *arg, const char *what)
{
    struct fakeds__cluster *cluster = arg;
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
