/* SPDX-License-Identifier: Apache-2.0 */
#include "faults/host.h"

#include <signal.h>

struct errand {
    struct fault_host *host;
    rt_task_fn *run;
    void *arg;
    bool is_done;
};

static void *live(void *arg);
static enum rt_status make_parts(struct fault_host *host);
static void unmake_parts(struct fault_host *host);
static void on_errand(void *arg);
static void on_stop(void *arg);
static void say_started(struct fault_host *host, enum rt_status status);

/* Signals belong to the program: the thread takes none, and a broken pipe is an error of write. */
enum rt_status fault_host_start(struct fault_host *host, const struct fault_host_parts *parts,
                                void *arg, uint64_t seed)
{
    sigset_t all;
    sigset_t before;

    *host = (struct fault_host){.parts = parts, .arg = arg, .seed = seed};
    pthread_mutex_init(&host->mutex, NULL);
    pthread_cond_init(&host->changed, NULL);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = pthread_create(&host->thread, NULL, live, host);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    enum rt_status status = RT_E_NOMEM;
    if (failure == 0) {
        pthread_mutex_lock(&host->mutex);
        while (!host->is_started) {
            pthread_cond_wait(&host->changed, &host->mutex);
        }
        status = host->status;
        pthread_mutex_unlock(&host->mutex);
    }
    if (status != RT_OK) {
        if (failure == 0) {
            pthread_join(host->thread, NULL);
        }
        pthread_cond_destroy(&host->changed);
        pthread_mutex_destroy(&host->mutex);
    }
    return status;
}

static void *live(void *arg)
{
    struct fault_host *host = arg;
    enum rt_status status = make_parts(host);

    say_started(host, status);
    if (status == RT_OK) {
        status = rt_loop_run(host->loop, NULL, NULL, RT_NEVER);
        (void)status; /* it ends when it is told to */
    }
    unmake_parts(host);
    return NULL;
}

static enum rt_status make_parts(struct fault_host *host)
{
    enum rt_status status = rt_loop_create(RT_LOOP_SOCKETS, &host->loop);

    if (status == RT_OK) {
        status = rt_network_create(host->loop, &host->network);
    }
    if (status == RT_OK) {
        status = fault_engine_create(host->loop, NULL, host->seed, &host->faults);
    }
    if (status == RT_OK) {
        fault_engine_set_process_handler(host->faults, host->parts->on_process_fault, host->arg);
        status = host->parts->make(host->arg);
    }
    return status;
}

static void unmake_parts(struct fault_host *host)
{
    host->parts->unmake(host->arg);
    fault_engine_destroy(host->faults);
    if (host->network != NULL) {
        rt_network_destroy(host->network);
    }
    if (host->loop != NULL) {
        rt_loop_destroy(host->loop);
    }
}

static void say_started(struct fault_host *host, enum rt_status status)
{
    pthread_mutex_lock(&host->mutex);
    host->status = status;
    host->is_started = true;
    pthread_cond_broadcast(&host->changed);
    pthread_mutex_unlock(&host->mutex);
}

/* ---- errands ----------------------------------------------------------------------------- */

bool fault_host_run(struct fault_host *host, rt_task_fn *run, void *arg)
{
    struct errand errand = {.host = host, .run = run, .arg = arg};

    if (rt_loop_post(host->loop, on_errand, &errand) != RT_OK) {
        return false;
    }
    pthread_mutex_lock(&host->mutex);
    while (!errand.is_done) {
        pthread_cond_wait(&host->changed, &host->mutex);
    }
    pthread_mutex_unlock(&host->mutex);
    return true;
}

static void on_errand(void *arg)
{
    struct errand *errand = arg;
    struct fault_host *host = errand->host;

    errand->run(errand->arg);
    pthread_mutex_lock(&host->mutex);
    errand->is_done = true;
    pthread_cond_broadcast(&host->changed);
    pthread_mutex_unlock(&host->mutex);
}

void fault_host_stop(struct fault_host *host)
{
    while (!fault_host_run(host, on_stop, host)) {
        /* out of memory for a moment; the thread cannot be left behind */
    }
    pthread_join(host->thread, NULL);
    pthread_cond_destroy(&host->changed);
    pthread_mutex_destroy(&host->mutex);
}

static void on_stop(void *arg)
{
    struct fault_host *host = arg;

    rt_loop_stop(host->loop);
}

uint64_t fault_host_fired(const struct fault_host *host, const char *rule_id)
{
    uint64_t fired = 0;

    for (size_t i = 0; i < fault_rule_count(host->faults); i++) {
        struct fault_rule_info info;
        fault_rule_info(host->faults, i, &info);
        fired += strcmp(info.id, rule_id) == 0 ? info.fired : 0;
    }
    return fired;
}
