/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/program/flags.h"
#include "fakeds/worker.h"
#include "runtime/table.h"

#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/*
 *   flags --> loop, network, engine --> faults --> worker --> "ready" --> SIGTERM --> gone
 */
enum { EXIT_ENDED = 0, EXIT_INVALID = 2, EXIT_CANNOT = 4 };

#define VERSION_TEXT        "fakeds 0.1.0, as datasystem-0.8.1"
#define JOURNAL_COUNT       16u /* lines are printed as they come; nobody looks back */
#define MIB                 (UINT64_C(1024) * 1024)
#define MICROSECONDS_PER_MS 1000u

struct program {
    struct flags flags;
    struct rt_loop *loop;
    struct rt_network *network;
    struct rt_journal *journal;
    struct fault_engine *faults;
    struct fakeds_worker *worker;
    struct event *signals[2];
    int exit_status;
    bool is_leaving;
};

static void default_flags(struct flags *flags);
static int run(struct program *program);
static bool make_parts(struct program *program);
static int load_faults(struct program *program);
static int start_worker(struct program *program);
static void on_started(void *arg, const char *failure);
static bool watch_signals(struct program *program);
static void on_signal(evutil_socket_t number, short what, void *arg);
static void on_left(void *arg);
static void on_process_fault(void *arg, const char *name, const struct fault_action *action);
static void print_record(void *arg, const struct rt_record *record);
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
    if (!make_parts(program)) {
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
    enum rt_status status = rt_loop_run(program->loop, NULL, NULL, RT_NEVER);
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
    rt_loop_stop(program->loop);
}

static bool make_parts(struct program *program)
{
    if (rt_loop_create(RT_LOOP_SOCKETS, &program->loop) != RT_OK ||
        rt_network_create(program->loop, &program->network) != RT_OK || !watch_signals(program)) {
        return false;
    }
    if (program->flags.log_requests &&
        (rt_journal_create(program->loop, JOURNAL_COUNT, &program->journal) != RT_OK ||
         rt_journal_attach(program->journal, print_record, NULL) != RT_OK)) {
        return false;
    }
    if (fault_engine_create(program->loop, program->journal, program->flags.seed,
                            &program->faults) != RT_OK) {
        return false;
    }
    fault_engine_set_process_handler(program->faults, on_process_fault, program);
    return fault_engine_register(program->faults, &fakeds_fault_domain) == RT_OK;
}

static int load_faults(struct program *program)
{
    if (program->flags.faults == NULL) {
        return EXIT_ENDED;
    }
    struct doc_error_list *errors = doc_error_list_create();
    if (errors == NULL) {
        return EXIT_CANNOT;
    }
    enum rt_status status = fault_file_load(program->faults, program->flags.faults, errors);
    if (status != RT_OK) {
        doc_error_list_print(stderr, errors);
    }
    doc_error_list_destroy(errors);
    switch (status) {
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
    struct fakeds_environment environment = {.loop = program->loop,
                                             .network = program->network,
                                             .journal = program->journal,
                                             .faults = program->faults,
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
                                                .node_dead_timeout_s = flags->node_dead_timeout_s};
    enum rt_status status = fakeds_worker_create(&environment, &options, &program->worker);
    if (status == RT_OK) {
        return EXIT_ENDED;
    }
    fprintf(stderr, "fakeds: cannot listen at %s: %s\n", flags->worker_address,
            rt_status_text(status));
    return status == RT_E_INVALID ? EXIT_INVALID : EXIT_CANNOT;
}

/* ---- while it runs -------------------------------------------------------------------------- */

static bool watch_signals(struct program *program)
{
    static const int NUMBERS[] = {SIGTERM, SIGINT};
    for (size_t i = 0; i < sizeof(NUMBERS) / sizeof(NUMBERS[0]); i++) {
        program->signals[i] =
            evsignal_new(rt_loop_event_base(program->loop), NUMBERS[i], on_signal, program);
        if (program->signals[i] == NULL || event_add(program->signals[i], NULL) != 0) {
            return false;
        }
    }
    return true;
}

/* A second signal does not wait for etcd. */
static void on_signal(evutil_socket_t number, short what, void *arg)
{
    struct program *program = arg;
    (void)number;
    (void)what;
    if (program->worker == NULL || program->is_leaving) {
        rt_loop_stop(program->loop);
        return;
    }
    program->is_leaving = true;
    fakeds_worker_leave(program->worker, on_left, program->loop);
}

static void on_left(void *arg)
{
    rt_loop_stop(arg);
}

/* The program lives on when its worker is killed: only the port is closed. */
static void on_process_fault(void *arg, const char *name, const struct fault_action *action)
{
    struct program *program = arg;
    if (program->worker == NULL ||
        (name[0] != '\0' && strcmp(name, fakeds_worker_name(program->worker)) != 0)) {
        return;
    }
    fakeds_worker_kill(program->worker);
    if (action->kind == FAULT_RESTART &&
        fakeds_worker_start(program->worker, action->is_state_kept, action->duration_us) != RT_OK) {
        fputs("fakeds: the port cannot be opened again\n", stderr);
    }
}

static void print_record(void *arg, const struct rt_record *record)
{
    (void)arg;
    fprintf(stderr, "%10.6f %-14s %s", (double)record->time_us / 1e6,
            rt_record_kind_text(record->kind), record->subject);
    if (record->key.len_bytes > 0) {
        fprintf(stderr, " %.*s", (int)record->key.len_bytes, (const char *)record->key.data);
    }
    if (record->code != K_OK) {
        fprintf(stderr, " code %" PRId32, record->code);
    }
    if (record->number > 0) {
        fprintf(stderr, " %" PRIu64, record->number);
    }
    fprintf(stderr, "%s%s%s%s\n", record->cause[0] != '\0' ? " by " : "", record->cause,
            record->detail[0] != '\0' ? ": " : "", record->detail);
}

static void destroy_parts(struct program *program)
{
    fakeds_worker_destroy(program->worker);
    fault_engine_destroy(program->faults);
    rt_journal_destroy(program->journal);
    for (size_t i = 0; i < sizeof(program->signals) / sizeof(program->signals[0]); i++) {
        if (program->signals[i] != NULL) {
            event_free(program->signals[i]);
        }
    }
    if (program->network != NULL) {
        rt_network_destroy(program->network);
    }
    if (program->loop != NULL) {
        rt_loop_destroy(program->loop);
    }
}
