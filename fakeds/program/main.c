/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/program/flags.h"
#include "fakeds/worker/worker.h"
#include "faults/program.h"
#include "runtime/table.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

/*
 *   flags --> loop, network, engine --> faults --> worker --> "ready" --> SIGTERM --> gone
 */
enum { EXIT_ENDED = 0, EXIT_INVALID = 2, EXIT_CANNOT = 4 };

#define VERSION_TEXT        "fakeds 0.1.0, as datasystem-0.8.1"
#define MIB                 (UINT64_C(1024) * 1024)
#define MICROSECONDS_PER_MS 1000u

struct program {
    struct flags flags;
    struct fault_program parts;
    struct fakeds_worker *worker;
    int exit_status;
    bool is_leaving;
};

static void default_flags(struct flags *flags);
static int run(struct program *program);
static enum rt_status make_parts(struct program *program);
static int load_faults(struct program *program);
static int start_worker(struct program *program);
static void on_started(void *arg, const char *failure);
static void on_signal(void *arg, int number);
static void on_left(void *arg);
static void on_process_fault(void *arg, const char *names, const struct fault_action *action);
static void destroy_parts(struct program *program);

int main(int argument_count, char **arguments)
{
    struct program program = {0};
    default_flags(&program.flags);
    if (!flags_parse(argument_count, arguments, &program.flags)) {
        return EXIT_INVALID;
    }
    if (program.flags.help) {
        flags_print_help(stdout);
        return EXIT_ENDED;
    }
    if (program.flags.version) {
        puts(VERSION_TEXT);
        return EXIT_ENDED;
    }
    if (strcmp(program.flags.l2_cache_type, "none") != 0) {
        fprintf(stderr, "fakeds: --l2_cache_type knows only \"none\", not \"%s\"\n",
                program.flags.l2_cache_type);
        return EXIT_INVALID;
    }
    int exit_status = run(&program);
    destroy_parts(&program);
    return exit_status;
}

static void default_flags(struct flags *flags)
{
    struct fakeds_options options;
    fakeds_options_init(&options);
    *flags = (struct flags){
        .worker_address = options.address,
        .l2_cache_type = "none",
        .etcd_address = "",
        .cluster_name = "",
        .host_id = "",
        .compatibility_version = "",
        .master_address = "",
        .etcd_username = "",
        .etcd_password = "",
        .node_timeout_s = options.etcd.node_timeout_s,
        .node_dead_timeout_s = options.etcd.node_dead_timeout_s,
        .shared_memory_size_mb = options.shared_memory_bytes / MIB,
        .client_dead_timeout_s = options.client_dead_timeout_s,
        .client_reconnect_wait_s = options.client_reconnect_wait_s,
    };
}

static int run(struct program *program)
{
    signal(SIGPIPE, SIG_IGN);
    if (!program->flags.has_seed) {
        program->flags.seed = rt_random_system_seed();
    }
    rt_table_seed(rt_random_system_seed()); /* results never depend on it */
    if (make_parts(program) != RT_OK) {
        fputs("fakeds: out of memory\n", stderr);
        return EXIT_CANNOT;
    }
    int exit_status = load_faults(program);
    if (exit_status != EXIT_ENDED) {
        return exit_status;
    }
    exit_status = start_worker(program);
    if (exit_status != EXIT_ENDED) {
        return exit_status;
    }
    if (program->flags.etcd_address[0] == '\0') {
        on_started(program, NULL);
    } else {
        fakeds_worker_on_started(program->worker, on_started, program);
    }
    enum rt_status status = rt_loop_run(program->parts.loop, NULL, NULL, RT_NEVER);
    return status == RT_OK ? program->exit_status : EXIT_CANNOT;
}

/* Again after each restart, which nobody waits for. */
static void on_started(void *arg, const char *failure)
{
    struct program *program = arg;
    if (failure == NULL) {
        printf("fakeds ready at %s\n", fakeds_worker_address(program->worker));
        fflush(stdout);
        return;
    }
    fprintf(stderr, "fakeds: %s\n", failure);
    program->exit_status = EXIT_CANNOT;
    rt_loop_stop(program->parts.loop);
}

static enum rt_status make_parts(struct program *program)
{
    struct fault_program_parts parts = {.domain = &fakeds_fault_domain,
                                        .seed = program->flags.seed,
                                        .is_recorded = program->flags.log_requests,
                                        .on_signal = on_signal,
                                        .on_process_fault = on_process_fault,
                                        .arg = program};
    return fault_program_make(&program->parts, &parts);
}

static int load_faults(struct program *program)
{
    switch (fault_program_load(&program->parts, program->flags.faults)) {
    case RT_OK:
        return EXIT_ENDED;
    case RT_E_NOT_FOUND:
    case RT_E_IO:
    case RT_E_NOMEM:
        return EXIT_CANNOT;
    default:
        return EXIT_INVALID;
    }
}

static int start_worker(struct program *program)
{
    const struct flags *flags = &program->flags;
    struct fakeds_environment environment = {.loop = program->parts.loop,
                                             .network = program->parts.network,
                                             .journal = program->parts.journal,
                                             .faults = program->parts.faults,
                                             .seed = flags->seed};
    struct fakeds_options options;
    fakeds_options_init(&options);
    options.address = flags->worker_address;
    options.shared_memory_bytes = flags->shared_memory_size_mb * MIB;
    options.client_dead_timeout_s = flags->client_dead_timeout_s;
    options.client_reconnect_wait_s = flags->client_reconnect_wait_s;
    options.not_ready_us = flags->not_ready_ms * MICROSECONDS_PER_MS;
    options.etcd = (struct fakeds_etcd_options){.address = flags->etcd_address,
                                                .cluster_name = flags->cluster_name,
                                                .host_id = flags->host_id,
                                                .version = flags->compatibility_version,
                                                .master_address = flags->master_address,
                                                .username = flags->etcd_username,
                                                .password = flags->etcd_password,
                                                .node_timeout_s = flags->node_timeout_s,
                                                .node_dead_timeout_s = flags->node_dead_timeout_s,
                                                .is_exit_lossless = flags->is_exit_lossless};
    enum rt_status status = fakeds_worker_create(&environment, &options, &program->worker);
    if (status == RT_OK) {
        return EXIT_ENDED;
    }
    fprintf(stderr, "fakeds: cannot listen at %s: %s\n", flags->worker_address,
            rt_status_text(status));
    return status == RT_E_INVALID ? EXIT_INVALID : EXIT_CANNOT;
}

/* ---- while it runs -------------------------------------------------------------------------- */

/* A second signal does not wait for etcd. */
static void on_signal(void *arg, int number)
{
    struct program *program = arg;
    (void)number;
    if (program->worker == NULL || program->is_leaving) {
        rt_loop_stop(program->parts.loop);
        return;
    }
    program->is_leaving = true;
    fakeds_worker_leave(program->worker, on_left, program->parts.loop);
}

static void on_left(void *arg)
{
    rt_loop_stop(arg);
}

/* The program lives on when its worker is killed: only the port is closed. */
static void on_process_fault(void *arg, const char *names, const struct fault_action *action)
{
    struct program *program = arg;
    if (program->worker == NULL ||
        !fault_process_means(names, fakeds_worker_name(program->worker))) {
        return;
    }
    fakeds_worker_kill(program->worker);
    if (action->kind == FAULT_RESTART &&
        fakeds_worker_start(program->worker, action->is_state_kept, action->duration_us) != RT_OK) {
        fputs("fakeds: the port cannot be opened again\n", stderr);
    }
}

static void destroy_parts(struct program *program)
{
    fakeds_worker_destroy(program->worker);
    fault_program_unmake(&program->parts);
}
