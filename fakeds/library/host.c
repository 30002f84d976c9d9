/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/library/host.h"

#include <signal.h>
#include <stdio.h>

#define MIB                 (UINT64_C(1024) * 1024)
#define MICROSECONDS_PER_MS 1000u
#define ADDRESS_BYTES       32

struct errand {
    struct fakeds *fake;
    fakeds__host_fn *run;
    void *arg;
    bool is_done;
};

static void *live(void *arg);
static enum rt_status make_parts(struct fakeds *fake);
static enum rt_status make_worker(struct fakeds *fake);
static void destroy_parts(struct fakeds *fake);
static void on_process_fault(void *arg, const char *name, const struct fault_action *action);
static void on_errand(void *arg);
static void on_stop(struct fakeds *fake, void *arg);
static void say_started(struct fakeds *fake, enum rt_status status);

/* Signals belong to the program: the thread takes none, and a broken pipe is an error of write. */
enum rt_status fakeds__host_start(struct fakeds *fake)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = pthread_create(&fake->thread, NULL, live, fake);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure != 0) {
        return RT_E_NOMEM;
    }
    pthread_mutex_lock(&fake->mutex);
    while (!fake->is_started) {
        pthread_cond_wait(&fake->changed, &fake->mutex);
    }
    enum rt_status status = fake->status;
    pthread_mutex_unlock(&fake->mutex);
    if (status != RT_OK) {
        pthread_join(fake->thread, NULL);
    }
    return status;
}

static void *live(void *arg)
{
    struct fakeds *fake = arg;
    enum rt_status status = make_parts(fake);
    say_started(fake, status);
    if (status == RT_OK) {
        status = rt_loop_run(fake->loop, NULL, NULL, RT_NEVER);
        (void)status; /* it ends when it is told to */
    }
    destroy_parts(fake);
    return NULL;
}

static enum rt_status make_parts(struct fakeds *fake)
{
    enum rt_status status = rt_loop_create(RT_LOOP_SOCKETS, &fake->loop);
    if (status == RT_OK) {
        status = rt_network_create(fake->loop, &fake->network);
    }
    if (status == RT_OK) {
        status = fault_engine_create(fake->loop, NULL, fake->config.seed, &fake->faults);
    }
    if (status == RT_OK) {
        fault_engine_set_process_handler(fake->faults, on_process_fault, fake);
        status = fault_engine_register(fake->faults, &fakeds_fault_domain);
    }
    return status == RT_OK ? make_worker(fake) : status;
}

static enum rt_status make_worker(struct fakeds *fake)
{
    const struct fakeds_config *config = &fake->config;
    char address[ADDRESS_BYTES];
    struct fakeds_options options;
    struct fakeds_environment environment = {
        .loop = fake->loop, .network = fake->network, .faults = fake->faults, .seed = config->seed};
    snprintf(address, sizeof(address), "127.0.0.1:%u", (unsigned)config->port);
    fakeds_options_init(&options);
    options.address = address;
    options.shared_memory_bytes = config->shared_memory_mb * MIB;
    options.client_dead_timeout_s = config->client_dead_timeout_s;
    options.client_reconnect_wait_s = config->client_reconnect_wait_s;
    options.not_ready_us = (uint64_t)config->not_ready_ms * MICROSECONDS_PER_MS;
    enum rt_status status = fakeds_worker_create(&environment, &options, &fake->worker);
    if (status == RT_OK) {
        snprintf(fake->address, sizeof(fake->address), "%s", fakeds_worker_address(fake->worker));
    }
    return status;
}

static void destroy_parts(struct fakeds *fake)
{
    fakeds_worker_destroy(fake->worker);
    fault_engine_destroy(fake->faults);
    if (fake->network != NULL) {
        rt_network_destroy(fake->network);
    }
    if (fake->loop != NULL) {
        rt_loop_destroy(fake->loop);
    }
}

static void on_process_fault(void *arg, const char *name, const struct fault_action *action)
{
    struct fakeds *fake = arg;
    (void)name; /* there is one worker only */
    fakeds_worker_kill(fake->worker);
    if (action->kind == FAULT_RESTART) {
        enum rt_status status =
            fakeds_worker_start(fake->worker, action->is_state_kept, action->duration_us);
        (void)status; /* the port was taken meanwhile: the worker stays dead */
    }
}

static void say_started(struct fakeds *fake, enum rt_status status)
{
    pthread_mutex_lock(&fake->mutex);
    fake->status = status;
    fake->is_started = true;
    pthread_cond_broadcast(&fake->changed);
    pthread_mutex_unlock(&fake->mutex);
}

/* ---- errands -------------------------------------------------------------------------------- */

bool fakeds__host_run(struct fakeds *fake, fakeds__host_fn *run, void *arg)
{
    struct errand errand = {.fake = fake, .run = run, .arg = arg};
    if (rt_loop_post(fake->loop, on_errand, &errand) != RT_OK) {
        return false;
    }
    pthread_mutex_lock(&fake->mutex);
    while (!errand.is_done) {
        pthread_cond_wait(&fake->changed, &fake->mutex);
    }
    pthread_mutex_unlock(&fake->mutex);
    return true;
}

static void on_errand(void *arg)
{
    struct errand *errand = arg;
    struct fakeds *fake = errand->fake;
    errand->run(fake, errand->arg);
    pthread_mutex_lock(&fake->mutex);
    errand->is_done = true;
    pthread_cond_broadcast(&fake->changed);
    pthread_mutex_unlock(&fake->mutex);
}

void fakeds__host_stop(struct fakeds *fake)
{
    while (!fakeds__host_run(fake, on_stop, NULL)) {
        /* out of memory for a moment; the thread cannot be left behind */
    }
    pthread_join(fake->thread, NULL);
}

static void on_stop(struct fakeds *fake, void *arg)
{
    (void)arg;
    rt_loop_stop(fake->loop);
}
