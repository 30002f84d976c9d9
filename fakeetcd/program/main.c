/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/gateway/gateway.h"
#include "fakeetcd/program/flags.h"
#include "fakeetcd/program/log.h"
#include "fakeetcd/program/members.h"
#include "fakeetcd/request/call.h"
#include "fakeetcd/server/server.h"
#include "faults/program.h"
#include "runtime/table.h"
#include "runtime/tls.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 *   flags --> loop, network, engine --> faults --> server (or a relay to the first member)
 *         --> "ready" --> SIGTERM --> drained as the profile does --> gone
 */
enum { EXIT_ENDED = 0, EXIT_INVALID = 1, EXIT_UNDEFINED = 2, EXIT_CANNOT = 3 };

#define MICROSECONDS_PER_MS 1000u
#define MICROSECONDS_PER_S  1000000u
#define CANNOT              "fakeetcd: cannot start"

struct program {
    const char *name; /* how it was called, without the folder */
    bool is_etcd;     /* called `etcd` */
    struct flags flags;
    const struct fakeetcd_profile *profile;
    struct urls clients;
    struct urls peers;
    struct urls metrics;
    struct urls advertised;
    struct members members;
    char *data_dir; /* NULL: in memory */
    struct fault_program parts;
    struct rt_tls_context *tls;
    struct fakeetcd_server *server;
    struct relay *relay;
    struct announcement *announcement;
    struct rt_listener *metrics_listeners[URLS_MAX];
    int signal_number; /* that ended it */
    bool is_draining;
};

static int read_flags(struct program *program, int argument_count, char **arguments);
static int check_flags(struct program *program);
static int check_urls(struct program *program);
static bool parse_urls(const char *flag, const char *list, struct urls *out_urls);
static int complain(const char *flag, const char *what);
static void say_ignored(const struct flags *flags);
static bool choose_data_dir(struct program *program);
static int run(struct program *program);
static enum rt_status make_parts(struct program *program);
static int load_faults(struct program *program);
static int make_tls(struct program *program);
static int start(struct program *program);
static void fill_options(struct program *program, struct fakeetcd_options *options,
                         struct fakeetcd_member_options *others, const char **addresses);
static int listen_metrics(struct program *program);
static void on_metrics(void *arg, struct rt_stream *stream);
static int start_relay(struct program *program);
static void on_told(void *arg);
static void say_ready(struct program *program, const char *address, const char *what,
                      const char *of_what);
static void on_signal(void *arg, int number);
static void on_drained(void *arg);
static void on_process_fault(void *arg, const char *names, const struct fault_action *action);
static void destroy_parts(struct program *program);
static void print_version(const struct program *program);

int main(int argument_count, char **arguments)
{
    struct program program = {0};
    int exit_status = read_flags(&program, argument_count, arguments);
    if (exit_status != EXIT_ENDED || program.flags.help || program.flags.version) {
        return exit_status;
    }
    exit_status = run(&program);
    destroy_parts(&program);
    if (program.is_etcd && program.signal_number != 0) {
        signal(program.signal_number, SIG_DFL); /* etcd's parent sees the signal, too */
        raise(program.signal_number);
    }
    return exit_status;
}

/* ---- what was asked for --------------------------------------------------------------------- */

static int read_flags(struct program *program, int argument_count, char **arguments)
{
    const char *called = argument_count > 0 ? arguments[0] : "fakeetcd";
    const char *slash = strrchr(called, '/');
    program->name = slash == NULL ? called : slash + 1;
    program->is_etcd = strcmp(program->name, "etcd") == 0;
    flags_init(&program->flags);
    switch (flags_parse(program->name, argument_count, arguments, getenv, &program->flags)) {
    case FLAGS_FINE:
        break;
    case FLAGS_UNDEFINED:
        return EXIT_UNDEFINED;
    case FLAGS_INVALID:
        return EXIT_INVALID;
    }
    program->profile = fakeetcd_profile_find(program->flags.profile);
    if (program->profile == NULL) {
        return complain("profile", "no such profile; there are etcd-3.4 and etcd-3.5");
    }
    if (program->flags.help) {
        flags_print_help(program->name, stdout);
        return EXIT_ENDED;
    }
    if (program->flags.version) {
        print_version(program);
        return EXIT_ENDED;
    }
    return check_flags(program);
}

static int check_flags(struct program *program)
{
    struct flags *flags = &program->flags;
    char problem[320];
    if (!log_set_level(flags->is_debug ? "debug" : flags->log_level)) {
        return complain("log-level", "no such level; there are debug, info, warn, error, panic "
                                     "and fatal");
    }
    if (!members_parse(flags->initial_cluster, flags->name, flags->initial_advertise_peer_urls,
                       &program->members, problem, sizeof(problem))) {
        return complain("initial-cluster", problem);
    }
    if (program->members.count > 1 && flags->listen_peer_urls[0] == '\0') {
        return complain("listen-peer-urls", "members of one machine need it to meet");
    }
    int exit_status = check_urls(program);
    if (exit_status != EXIT_ENDED) {
        return exit_status;
    }
    say_ignored(flags);
    if (!choose_data_dir(program)) {
        fputs(CANNOT ": out of memory\n", stderr);
        return EXIT_CANNOT;
    }
    return EXIT_ENDED;
}

static int check_urls(struct program *program)
{
    struct flags *flags = &program->flags;
    if (!parse_urls("listen-client-urls", flags->listen_client_urls, &program->clients) ||
        !parse_urls("listen-peer-urls", flags->listen_peer_urls, &program->peers) ||
        !parse_urls("listen-metrics-urls", flags->listen_metrics_urls, &program->metrics) ||
        !parse_urls("advertise-client-urls", flags->advertise_client_urls, &program->advertised)) {
        return EXIT_INVALID;
    }
    if (program->clients.count == 0) {
        return complain("listen-client-urls", "it is empty");
    }
    if (program->metrics.is_tls) {
        return complain("listen-metrics-urls", "only http is there");
    }
    bool has_certificate = flags->cert_file[0] != '\0' && flags->key_file[0] != '\0';
    if (program->clients.is_tls && !has_certificate && !flags->is_auto_tls) {
        return complain("listen-client-urls",
                        "https needs --cert-file and --key-file, or --auto-tls");
    }
    if (!program->clients.is_tls && has_certificate) {
        log_line(LOG_WARN, "scheme is HTTP while key and cert files are present; ignoring them",
                 "client-url", program->clients.text[0], NULL);
    }
    return EXIT_ENDED;
}

static bool parse_urls(const char *flag, const char *list, struct urls *out_urls)
{
    char problem[320];
    if (urls_parse(list, out_urls, problem, sizeof(problem))) {
        return true;
    }
    complain(flag, problem);
    return false;
}

static int complain(const char *flag, const char *what)
{
    fprintf(stderr, "fakeetcd: --%s: %s\n", flag, what);
    return EXIT_INVALID;
}

static void say_ignored(const struct flags *flags)
{
    for (size_t i = 0; i < flags->ignored_count; i++) {
        log_line(LOG_DEBUG, "a flag of etcd's that means nothing here", "flag", flags->ignored[i],
                 NULL);
    }
}

/* etcd keeps its state in NAME.etcd; fakeetcd forgets it unless told where. */
static bool choose_data_dir(struct program *program)
{
    if (program->flags.data_dir != NULL && program->flags.data_dir[0] != '\0') {
        program->data_dir = strdup(program->flags.data_dir);
        return program->data_dir != NULL;
    }
    return !program->is_etcd || asprintf(&program->data_dir, "%s.etcd", program->flags.name) >= 0;
}

static void print_version(const struct program *program)
{
    if (program->is_etcd) {
        printf("etcd Version: %s\nGit SHA: Not provided (a fake: fakeetcd)\n",
               program->profile->version);
    } else {
        printf("fakeetcd 0.1.0, as %s (etcd %s)\n", program->profile->name,
               program->profile->version);
    }
}

/* ---- start ---------------------------------------------------------------------------------- */

static int run(struct program *program)
{
    signal(SIGPIPE, SIG_IGN);
    if (!program->flags.has_seed) {
        program->flags.seed = rt_random_system_seed();
    }
    rt_table_seed(rt_random_system_seed()); /* results never depend on it */
    if (make_parts(program) != RT_OK) {
        fputs(CANNOT ": out of memory\n", stderr);
        return EXIT_CANNOT;
    }
    int exit_status = members_is_relay(&program->members) ? start_relay(program) : start(program);
    if (exit_status != EXIT_ENDED) {
        return exit_status;
    }
    enum rt_status status = rt_loop_run(program->parts.loop, NULL, NULL, RT_NEVER);
    return status == RT_OK ? EXIT_ENDED : EXIT_CANNOT;
}

static enum rt_status make_parts(struct program *program)
{
    struct fault_program_parts parts = {.domain = &fakeetcd_fault_domain,
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

/* OpenSSL costs time and memory: only when it is used. */
static int make_tls(struct program *program)
{
    const struct flags *flags = &program->flags;
    char problem[320];
    if (!program->clients.is_tls) {
        return EXIT_ENDED;
    }
    struct rt_tls_options options = {
        .is_server = true,
        .certificate_path = flags->cert_file[0] == '\0' ? NULL : flags->cert_file,
        .key_path = flags->key_file[0] == '\0' ? NULL : flags->key_file,
        .authority_path = flags->trusted_ca_file[0] == '\0' ? NULL : flags->trusted_ca_file,
        .revocation_path = flags->client_crl_file[0] == '\0' ? NULL : flags->client_crl_file,
        .is_peer_required = flags->is_client_cert_required || flags->trusted_ca_file[0] != '\0',
        .is_self_signed = flags->is_auto_tls && flags->cert_file[0] == '\0',
        .ciphers = flags->cipher_suites[0] == '\0' ? NULL : flags->cipher_suites,
    };
    if (rt_tls_context_create(&options, &program->tls, problem, sizeof(problem)) != RT_OK) {
        fprintf(stderr, CANNOT ": %s\n", problem);
        return EXIT_CANNOT;
    }
    return EXIT_ENDED;
}

static int start(struct program *program)
{
    struct fakeetcd_environment environment = {.loop = program->parts.loop,
                                               .network = program->parts.network,
                                               .journal = program->parts.journal,
                                               .faults = program->parts.faults,
                                               .seed = program->flags.seed};
    struct fakeetcd_options options;
    struct fakeetcd_member_options others[MEMBERS_MAX];
    const char *addresses[2 * URLS_MAX];
    char problem[512];
    int exit_status = load_faults(program);
    exit_status = exit_status == EXIT_ENDED ? make_tls(program) : exit_status;
    if (exit_status != EXIT_ENDED) {
        return exit_status;
    }
    fill_options(program, &options, others, addresses);
    if (fakeetcd_server_create(&environment, &options, &program->server, problem,
                               sizeof(problem)) != RT_OK) {
        fprintf(stderr, CANNOT ": %s\n", problem);
        log_line(LOG_FATAL, "discovery failed or the server cannot start", "error", problem, NULL);
        return EXIT_CANNOT;
    }
    exit_status = listen_metrics(program);
    if (exit_status == EXIT_ENDED) {
        say_ready(program, fakeetcd_server_address(program->server), "data in",
                  program->data_dir == NULL ? "memory" : program->data_dir);
    }
    return exit_status;
}

static void fill_options(struct program *program, struct fakeetcd_options *options,
                         struct fakeetcd_member_options *others, const char **addresses)
{
    const struct flags *flags = &program->flags;
    const struct members *members = &program->members;
    fakeetcd_options_init(options);
    options->name = flags->name;
    memcpy(addresses, program->clients.addresses, sizeof(program->clients.addresses));
    options->addresses = addresses;
    options->address_count = program->clients.count;
    options->peer_urls = members->peer_urls[0];
    if (members->count > 1) { /* the others and their clients come in there */
        memcpy(addresses + program->clients.count, program->peers.addresses,
               program->peers.count * sizeof(addresses[0]));
        options->address_count += program->peers.count;
    }
    bool is_shown = program->advertised.count > 0;
    for (size_t i = 0; i < program->advertised.count; i++) {
        const char *colon = strrchr(program->advertised.address[i], ':');
        is_shown = is_shown && strcmp(colon, ":0") != 0; /* nobody can connect to that */
    }
    if (is_shown || members->count > 1) {
        const struct urls *urls = is_shown ? &program->advertised : &program->clients;
        options->client_urls = urls->texts;
        options->client_url_count = urls->count;
    }
    for (size_t i = 1; i < members->count; i++) {
        others[i - 1] = (struct fakeetcd_member_options){
            .name = members->names[i], .peer_urls = members->peer_urls[i], .client_urls = ""};
    }
    options->others = others;
    options->other_count = members->count - 1;
    options->profile = program->profile;
    options->data_dir = program->data_dir;
    options->is_unsynced = flags->is_unsynced;
    options->tls = program->tls;
    options->is_certificate_mute = !flags->is_client_cert_required;
    options->max_request_bytes = flags->max_request_bytes;
    options->quota_bytes = flags->quota_bytes;
    options->max_txn_ops = (uint32_t)flags->max_txn_ops;
    options->max_concurrent_streams = (uint32_t)flags->max_concurrent_streams;
    options->election_timeout_us = flags->election_timeout_ms * MICROSECONDS_PER_MS;
    options->progress_interval_us = flags->progress_interval_us;
    options->token_ttl_us = flags->auth_token_ttl_s * MICROSECONDS_PER_S;
    options->time_scale = flags->time_scale;
}

static int listen_metrics(struct program *program)
{
    for (size_t i = 0; i < program->metrics.count; i++) {
        enum rt_status status =
            rt_network_listen(program->parts.network, program->metrics.address[i], on_metrics,
                              program, &program->metrics_listeners[i]);
        if (status != RT_OK) {
            fprintf(stderr, CANNOT ": listen on %s: %s\n", program->metrics.address[i],
                    rt_network_listen_problem(status));
            return EXIT_CANNOT;
        }
        log_line(LOG_INFO, "serving metrics", "address",
                 rt_listener_address(program->metrics_listeners[i]), NULL);
    }
    return EXIT_ENDED;
}

static void on_metrics(void *arg, struct rt_stream *stream)
{
    struct program *program = arg;
    fakeetcd_gateway_accept(fakeetcd_server_gateway(program->server), stream,
                            FAKEETCD_GATEWAY_PAGES);
}

/* ---- a member that is not the first --------------------------------------------------------- */

static int start_relay(struct program *program)
{
    struct members *members = &program->members;
    struct urls first;
    char problem[320];
    if (program->flags.faults != NULL && program->flags.faults[0] != '\0') {
        log_line(LOG_WARN, "only the rules of the first member strike, clients of all members",
                 "first", members->names[0], "unused", program->flags.faults, NULL);
    }
    if (!urls_parse(members->peer_urls[0], &first, problem, sizeof(problem))) {
        return complain("initial-cluster", problem);
    }
    enum rt_status status =
        relay_create(program->parts.network, program->clients.addresses, program->clients.count,
                     first.addresses[0], &program->relay);
    if (status != RT_OK) {
        fprintf(stderr, CANNOT ": listen on %s: %s\n", program->clients.address[0],
                rt_network_listen_problem(status));
        return EXIT_CANNOT;
    }
    const char *urls = program->advertised.count > 0 ? program->flags.advertise_client_urls
                                                     : program->flags.listen_client_urls;
    status = announcement_create(program->parts.loop, program->parts.network, first.addresses[0],
                                 members->names[members->own], urls, on_told, program,
                                 &program->announcement);
    return status == RT_OK ? EXIT_ENDED : EXIT_CANNOT;
}

static void on_told(void *arg)
{
    struct program *program = arg;
    say_ready(program, relay_address(program->relay), "a relay to member",
              program->members.names[0]);
}

/* ---- ready ---------------------------------------------------------------------------------- */

/* The words that scripts wait for, those of 3.4 and those of 3.5, then one line for people. */
static void say_ready(struct program *program, const char *address, const char *what,
                      const char *of_what)
{
    char message[96];
    const char *version = program->profile->cluster_version;
    const char *last_dot = strrchr(version, '.');
    snprintf(message, sizeof(message), "enabled capabilities for version %.*s",
             (int)(last_dot - version), version);
    log_line(LOG_INFO, message, "cluster-version", version, NULL);
    log_line(LOG_INFO, "published local member to cluster through raft", "local-member-name",
             program->flags.name, "address", address, NULL);
    log_line(LOG_INFO, "ready to serve client requests", "address", address, NULL);
    printf("fakeetcd ready at %s, profile %s (%s), time scale %g, %s %s\n", address,
           program->profile->name, program->profile->version, program->flags.time_scale, what,
           of_what);
    fflush(stdout);
}

/* ---- while it runs -------------------------------------------------------------------------- */

/* 3.4 goes at once, 3.5 drains; a second signal does not wait. */
static void on_signal(void *arg, int number)
{
    struct program *program = arg;
    program->signal_number = number;
    bool is_at_once = (program->profile->quirks & FAKEETCD_QUIRK_KILL_ON_TERM) != 0;
    if (program->server == NULL || is_at_once || program->is_draining) {
        rt_loop_stop(program->parts.loop);
        return;
    }
    program->is_draining = true;
    log_line(LOG_INFO, "received signal; shutting down", "signal", strsignal(number), NULL);
    fakeetcd_server_drain(program->server, on_drained, program);
}

static void on_drained(void *arg)
{
    struct program *program = arg;
    rt_loop_stop(program->parts.loop);
}

/* The program lives on when its server is killed: only the port is closed. */
static void on_process_fault(void *arg, const char *names, const struct fault_action *action)
{
    struct program *program = arg;
    if (program->server != NULL &&
        fault_process_means(names, fakeetcd_server_name(program->server))) {
        fakeetcd_server_process(program->server, action);
    }
}

static void destroy_parts(struct program *program)
{
    announcement_destroy(program->announcement);
    relay_destroy(program->relay);
    for (size_t i = 0; i < URLS_MAX; i++) {
        if (program->metrics_listeners[i] != NULL) {
            rt_listener_destroy(program->metrics_listeners[i]);
        }
    }
    fakeetcd_server_destroy(program->server);
    rt_tls_context_destroy(program->tls);
    fault_program_unmake(&program->parts);
    free(program->data_dir);
}
