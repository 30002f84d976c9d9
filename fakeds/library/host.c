/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/library/host.h"

#include <stdio.h>

#define MIB                 (UINT64_C(1024) * 1024)
#define MICROSECONDS_PER_MS 1000u
#define ADDRESS_BYTES       32

static enum rt_status make(void *arg);
static void unmake(void *arg);
static void on_process_fault(void *arg, const char *names, const struct fault_action *action);

const struct fault_host_parts fakeds__host_parts = {make, unmake, on_process_fault};

static enum rt_status make(void *arg)
{
    struct fakeds *fake = arg;
    const struct fakeds_config *config = &fake->config;
    char address[ADDRESS_BYTES];
    struct fakeds_options options;
    struct fakeds_environment environment = {.loop = fake->host.loop,
                                             .network = fake->host.network,
                                             .faults = fake->host.faults,
                                             .seed = config->seed};
    enum rt_status status = fault_engine_register(fake->host.faults, &fakeds_fault_domain);
    if (status != RT_OK) {
        return status;
    }
    snprintf(address, sizeof(address), "127.0.0.1:%u", (unsigned)config->port);
    fakeds_options_init(&options);
    options.address = address;
    options.shared_memory_bytes = config->shared_memory_mb * MIB;
    options.client_dead_timeout_s = config->client_dead_timeout_s;
    options.client_reconnect_wait_s = config->client_reconnect_wait_s;
    options.not_ready_us = (uint64_t)config->not_ready_ms * MICROSECONDS_PER_MS;
    status = fakeds_worker_create(&environment, &options, &fake->worker);
    if (status == RT_OK) {
        snprintf(fake->address, sizeof(fake->address), "%s", fakeds_worker_address(fake->worker));
    }
    return status;
}

static void unmake(void *arg)
{
    struct fakeds *fake = arg;
    fakeds_worker_destroy(fake->worker);
}

static void on_process_fault(void *arg, const char *names, const struct fault_action *action)
{
    struct fakeds *fake = arg;
    if (!fault_process_means(names, fakeds_worker_name(fake->worker))) {
        return;
    }
    fakeds_worker_kill(fake->worker);
    if (action->kind == FAULT_RESTART) {
        enum rt_status status =
            fakeds_worker_start(fake->worker, action->is_state_kept, action->duration_us);
        (void)status; /* the port was taken meanwhile: the worker stays dead */
    }
}
