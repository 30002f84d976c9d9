/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/program/flags.h"

#include "document/error.h"
#include "fakeetcd/program/duration.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum kind { KIND_TEXT, KIND_SWITCH, KIND_NUMBER, KIND_DURATION, KIND_SCALE };

struct flag {
    const char *name; /* without the dashes */
    enum kind kind;
    size_t offset; /* NOTHING: it means nothing here */
    uint64_t least;
    uint64_t most;
    const char *shape;
    const char *help;
};

#define AT(member)  offsetof(struct flags, member)
#define NOTHING     SIZE_MAX
#define SCALE_LEAST 0.001
#define SCALE_MOST  1e6
#define HELP_COLUMN 38
#define FLAG_COUNT  (sizeof(FLAGS) / sizeof(FLAGS[0]))
#define TEXT(name)                                                                                 \
    {                                                                                              \
        name, KIND_TEXT, NOTHING, 0, 0, "", NULL                                                   \
    }
#define BOOL(name)                                                                                 \
    {                                                                                              \
        name, KIND_SWITCH, NOTHING, 0, 0, "", NULL                                                 \
    }

static const struct flag FLAGS[] = {
    {"name", KIND_TEXT, AT(name), 0, 0, "NAME", "of this member (default)"},
    {"data-dir", KIND_TEXT, AT(data_dir), 0, 0, "DIR",
     "keep the state there (in memory; called as etcd: NAME.etcd)"},
    {"unsafe-no-fsync", KIND_SWITCH, AT(is_unsynced), 0, 0, "",
     "it outlives the process, not the machine; much faster"},
    {"listen-client-urls", KIND_TEXT, AT(listen_client_urls), 0, 0, "URLS",
     "http or https, port 0 takes a free one (http://127.0.0.1:2379)"},
    {"advertise-client-urls", KIND_TEXT, AT(advertise_client_urls), 0, 0, "URLS",
     "shown by MemberList (where it listens)"},
    {"listen-peer-urls", KIND_TEXT, AT(listen_peer_urls), 0, 0, "URLS",
     "where members of one machine meet (http://127.0.0.1:2380)"},
    {"initial-advertise-peer-urls", KIND_TEXT, AT(initial_advertise_peer_urls), 0, 0, "URLS",
     "shown by MemberList (http://127.0.0.1:2380)"},
    {"initial-cluster", KIND_TEXT, AT(initial_cluster), 0, 0, "NAME=URL,...",
     "of several members the first serves, the others relay to it"},
    {"listen-metrics-urls", KIND_TEXT, AT(listen_metrics_urls), 0, 0, "URLS",
     "/metrics and /health there too (none)"},
    {"cert-file", KIND_TEXT, AT(cert_file), 0, 0, "FILE", "TLS, for https URLs"},
    {"key-file", KIND_TEXT, AT(key_file), 0, 0, "FILE", "likewise"},
    {"trusted-ca-file", KIND_TEXT, AT(trusted_ca_file), 0, 0, "FILE",
     "clients need a certificate of it"},
    {"client-cert-auth", KIND_SWITCH, AT(is_client_cert_required), 0, 0, "",
     "clients need a certificate; its common name is the user"},
    {"client-crl-file", KIND_TEXT, AT(client_crl_file), 0, 0, "FILE", "revoked certificates"},
    {"auto-tls", KIND_SWITCH, AT(is_auto_tls), 0, 0, "", "make a certificate at the start"},
    {"cipher-suites", KIND_TEXT, AT(cipher_suites), 0, 0, "LIST", "of TLS 1.2"},
    {"quota-backend-bytes", KIND_NUMBER, AT(quota_bytes), 0, INT64_MAX, "N",
     "beyond it the alarm NOSPACE (0: 2 GiB)"},
    {"max-txn-ops", KIND_NUMBER, AT(max_txn_ops), 1, UINT32_MAX, "N", "of a transaction (128)"},
    {"max-request-bytes", KIND_NUMBER, AT(max_request_bytes), 1, 1u << 30, "N",
     "of a request (1572864)"},
    {"max-concurrent-streams", KIND_NUMBER, AT(max_concurrent_streams), 1, UINT32_MAX, "N",
     "of a connection (4294967295)"},
    {"election-timeout", KIND_NUMBER, AT(election_timeout_ms), 1, 50000, "MS",
     "the shortest lease and request time-outs follow from it (1000)"},
    {"auth-token-ttl", KIND_NUMBER, AT(auth_token_ttl_s), 1, UINT32_MAX, "S",
     "a simple token lives so long after its last use (300)"},
    {"experimental-watch-progress-notify-interval", KIND_DURATION, AT(progress_interval_us), 1, 0,
     "TIME", "of watches that ask for it (10m)"},
    {"watch-progress-notify-interval", KIND_DURATION, AT(progress_interval_us), 1, 0, "TIME",
     "the same, as etcd 3.6 calls it"},
    {"log-level", KIND_TEXT, AT(log_level), 0, 0, "LEVEL",
     "debug, info, warn, error, panic or fatal (info)"},
    {"debug", KIND_SWITCH, AT(is_debug), 0, 0, "", "the same as --log-level=debug"},
    {"profile", KIND_TEXT, AT(profile), 0, 0, "NAME", "etcd-3.4 or etcd-3.5 (etcd-3.5)"},
    {"faults", KIND_TEXT, AT(faults), 0, 0, "FILE", "faults to arm, as in a scenario's `faults:`"},
    {"time-scale", KIND_SCALE, AT(time_scale), 0, 0, "N",
     "the clock of leases runs so many times faster (1)"},
    {"seed", KIND_NUMBER, AT(seed), 0, UINT64_MAX, "N",
     "of identifiers and chances (from the system)"},
    {"log-requests", KIND_SWITCH, AT(log_requests), 0, 0, "", "print what happens to stderr"},
    {"help", KIND_SWITCH, AT(help), 0, 0, "", "print this"},
    {"h", KIND_SWITCH, AT(help), 0, 0, "", NULL},
    {"version", KIND_SWITCH, AT(version), 0, 0, "", "print the version"},

    /* Known to etcd 3.4 or 3.5, without a meaning for a fake. */
    TEXT("auth-token"),
    TEXT("auto-compaction-mode"),
    TEXT("auto-compaction-retention"),
    TEXT("backend-batch-interval"),
    TEXT("backend-batch-limit"),
    TEXT("backend-bbolt-freelist-type"),
    TEXT("bcrypt-cost"),
    TEXT("client-cert-allowed-hostname"),
    TEXT("client-cert-file"),
    TEXT("client-key-file"),
    TEXT("cors"),
    TEXT("discovery"),
    TEXT("discovery-fallback"),
    TEXT("discovery-proxy"),
    TEXT("discovery-srv"),
    TEXT("discovery-srv-name"),
    BOOL("enable-grpc-gateway"),
    BOOL("enable-log-rotation"),
    BOOL("enable-pprof"),
    BOOL("enable-v2"),
    TEXT("experimental-backend-bbolt-freelist-type"),
    TEXT("experimental-bootstrap-defrag-threshold-megabytes"),
    BOOL("experimental-compact-hash-check-enabled"),
    TEXT("experimental-compact-hash-check-time"),
    TEXT("experimental-compaction-batch-limit"),
    TEXT("experimental-compaction-sleep-interval"),
    TEXT("experimental-corrupt-check-time"),
    TEXT("experimental-distributed-tracing-address"),
    TEXT("experimental-distributed-tracing-instance-id"),
    TEXT("experimental-distributed-tracing-sampling-rate"),
    TEXT("experimental-distributed-tracing-service-name"),
    TEXT("experimental-downgrade-check-time"),
    BOOL("experimental-enable-distributed-tracing"),
    BOOL("experimental-enable-lease-checkpoint"),
    BOOL("experimental-enable-lease-checkpoint-persist"),
    TEXT("experimental-enable-v2v3"),
    BOOL("experimental-initial-corrupt-check"),
    BOOL("experimental-memory-mlock"),
    BOOL("experimental-peer-skip-client-san-verification"),
    BOOL("experimental-stop-grpc-service-on-defrag"),
    BOOL("experimental-txn-mode-write-with-shared-buffer"),
    TEXT("experimental-warning-apply-duration"),
    BOOL("force-new-cluster"),
    TEXT("grpc-keepalive-interval"),
    TEXT("grpc-keepalive-min-time"),
    TEXT("grpc-keepalive-timeout"),
    TEXT("heartbeat-interval"),
    TEXT("host-whitelist"),
    TEXT("initial-cluster-state"),
    TEXT("initial-cluster-token"),
    BOOL("initial-election-tick-advance"),
    TEXT("listen-client-http-urls"),
    TEXT("log-outputs"),
    TEXT("log-package-levels"),
    TEXT("log-rotation-config-json"),
    TEXT("logger"),
    TEXT("max-snapshots"),
    TEXT("max-wals"),
    TEXT("metrics"),
    BOOL("peer-auto-tls"),
    TEXT("peer-cert-allowed-cn"),
    TEXT("peer-cert-allowed-hostname"),
    TEXT("peer-cert-file"),
    BOOL("peer-client-cert-auth"),
    TEXT("peer-client-cert-file"),
    TEXT("peer-client-key-file"),
    TEXT("peer-crl-file"),
    TEXT("peer-key-file"),
    TEXT("peer-trusted-ca-file"),
    BOOL("pre-vote"),
    TEXT("proxy"),
    TEXT("proxy-dial-timeout"),
    TEXT("proxy-failure-wait"),
    TEXT("proxy-read-timeout"),
    TEXT("proxy-refresh-interval"),
    TEXT("proxy-write-timeout"),
    TEXT("raft-read-timeout"),
    TEXT("raft-write-timeout"),
    TEXT("self-signed-cert-validity"),
    TEXT("snapshot-count"),
    BOOL("socket-reuse-address"),
    BOOL("socket-reuse-port"),
    BOOL("strict-reconfig-check"),
    TEXT("tls-max-version"),
    TEXT("tls-min-version"),
    TEXT("v2-deprecation"),
    TEXT("wal-dir"),
};

static enum flags_result take_variables(char *(*find_variable)(const char *name),
                                        struct flags *flags);
static void variable_name(const struct flag *flag, char *out_name, size_t name_bytes);
static const struct flag *find(const char *text, size_t len_bytes);
static void complain_undefined(const char *program, const char *name, size_t len_bytes);
static void say_what_it_takes(const struct flag *flag);
static enum flags_result set(const struct flag *flag, const char *value, const char *shown,
                             struct flags *flags);
static bool set_switch(const char *value, void *destination);
static bool set_number(const struct flag *flag, const char *value, uint64_t *out_number);
static bool set_scale(const char *value, double *out_scale);

void flags_init(struct flags *flags)
{
    *flags = (struct flags){
        .name = "default",
        .listen_client_urls = "http://127.0.0.1:2379",
        .advertise_client_urls = "",
        .listen_peer_urls = "http://127.0.0.1:2380",
        .initial_advertise_peer_urls = "http://127.0.0.1:2380",
        .listen_metrics_urls = "",
        .cert_file = "",
        .key_file = "",
        .trusted_ca_file = "",
        .client_crl_file = "",
        .cipher_suites = "",
        .max_txn_ops = 128,
        .max_request_bytes = 1572864,
        .max_concurrent_streams = UINT32_MAX,
        .election_timeout_ms = 1000,
        .auth_token_ttl_s = 300,
        .progress_interval_us = UINT64_C(600000000),
        .log_level = "info",
        .profile = "etcd-3.5",
        .time_scale = 1.0,
    };
}

enum flags_result flags_parse(const char *program, int argument_count, char *const *arguments,
                              char *(*find_variable)(const char *name), struct flags *out_flags)
{
    enum flags_result result = take_variables(find_variable, out_flags);
    for (int i = 1; i < argument_count && result == FLAGS_FINE; i++) {
        const char *word = arguments[i];
        if (word[0] != '-' || word[1] == '\0') {
            fprintf(stderr, "%s: '%s' is not a valid flag. See '%s --help'.\n", program, word,
                    program);
            return FLAGS_INVALID;
        }
        const char *name = word + (word[1] == '-' ? 2 : 1);
        size_t len_bytes = strcspn(name, "=");
        const struct flag *flag = find(name, len_bytes);
        if (flag == NULL) {
            complain_undefined(program, name, len_bytes);
            return FLAGS_UNDEFINED;
        }
        const char *value = name[len_bytes] == '=' ? name + len_bytes + 1 : NULL;
        if (value == NULL && flag->kind != KIND_SWITCH) {
            if (i + 1 == argument_count) {
                fprintf(stderr, "flag needs an argument: -%s\n", flag->name);
                return FLAGS_UNDEFINED;
            }
            value = arguments[++i];
        }
        char shown[96];
        snprintf(shown, sizeof(shown), "flag -%s", flag->name);
        result = set(flag, value == NULL ? "true" : value, shown, out_flags);
    }
    return result;
}

/* ETCD_DATA_DIR for data-dir; FAKEETCD_PROFILE and the like for what etcd does not have. */
static enum flags_result take_variables(char *(*find_variable)(const char *name),
                                        struct flags *flags)
{
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        char name[80];
        variable_name(&FLAGS[i], name, sizeof(name));
        const char *value = find_variable(name);
        if (value == NULL || value[0] == '\0') {
            continue;
        }
        enum flags_result result = set(&FLAGS[i], value, name, flags);
        if (result != FLAGS_FINE) {
            return FLAGS_INVALID;
        }
    }
    return FLAGS_FINE;
}

static void variable_name(const struct flag *flag, char *out_name, size_t name_bytes)
{
    static const size_t OURS[] = {AT(profile), AT(faults), AT(time_scale), AT(seed),
                                  AT(log_requests)};
    const char *prefix = "ETCD";
    for (size_t i = 0; i < sizeof(OURS) / sizeof(OURS[0]); i++) {
        if (OURS[i] == flag->offset) {
            prefix = "FAKEETCD";
        }
    }
    int len = snprintf(out_name, name_bytes, "%s_%s", prefix, flag->name);
    for (int i = 0; i < len && i < (int)name_bytes - 1; i++) {
        out_name[i] = (char)(out_name[i] == '-' ? '_' : toupper((unsigned char)out_name[i]));
    }
}

static const struct flag *find(const char *text, size_t len_bytes)
{
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        if (strlen(FLAGS[i].name) == len_bytes && memcmp(FLAGS[i].name, text, len_bytes) == 0) {
            return &FLAGS[i];
        }
    }
    return NULL;
}

static void complain_undefined(const char *program, const char *name, size_t len_bytes)
{
    const char *names[FLAG_COUNT];
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        names[i] = FLAGS[i].name;
    }
    const char *nearest = doc_nearest_word(rt_slice_of(name, len_bytes), names, FLAG_COUNT);
    fprintf(stderr, "flag provided but not defined: -%.*s\n", (int)len_bytes, name);
    if (nearest != NULL) {
        fprintf(stderr, "did you mean --%s?\n", nearest);
    } else {
        fprintf(stderr, "See '%s --help'.\n", program);
    }
}

/* ---- values --------------------------------------------------------------------------------- */

static enum flags_result set(const struct flag *flag, const char *value, const char *shown,
                             struct flags *flags)
{
    bool ignored_switch;
    void *destination =
        flag->offset == NOTHING ? (void *)&ignored_switch : (uint8_t *)flags + flag->offset;
    bool is_fine = true;
    switch (flag->kind) {
    case KIND_TEXT:
        if (flag->offset != NOTHING) {
            memcpy(destination, &value, sizeof(value));
        }
        break;
    case KIND_SWITCH:
        is_fine = set_switch(value, destination);
        break;
    case KIND_NUMBER:
        is_fine = set_number(flag, value, destination);
        break;
    case KIND_DURATION:
        is_fine = duration_parse(value, destination);
        break;
    case KIND_SCALE:
        is_fine = set_scale(value, destination);
        break;
    }
    if (!is_fine) {
        fprintf(stderr, "invalid %svalue \"%s\" for %s: parse error\n",
                flag->kind == KIND_SWITCH ? "boolean " : "", value, shown);
        say_what_it_takes(flag);
        return FLAGS_UNDEFINED;
    }
    flags->has_seed = flags->has_seed || flag->offset == AT(seed);
    if (flag->offset == NOTHING &&
        flags->ignored_count < sizeof(flags->ignored) / sizeof(flags->ignored[0])) {
        flags->ignored[flags->ignored_count++] = flag->name;
    }
    return FLAGS_FINE;
}

/* Below etcd's own words, which say nothing about limits. */
static void say_what_it_takes(const struct flag *flag)
{
    if (flag->kind == KIND_NUMBER) {
        fprintf(stderr, "it takes a whole number from %" PRIu64 " to %" PRIu64 "\n", flag->least,
                flag->most);
    } else if (flag->kind == KIND_DURATION) {
        fputs("it takes a time with its unit, such as 10m or 1.5s\n", stderr);
    } else if (flag->kind == KIND_SCALE) {
        fprintf(stderr, "it takes a number from %g to %.0f\n", SCALE_LEAST, SCALE_MOST);
    }
}

/* The words that Go takes for a boolean. */
static bool set_switch(const char *value, void *destination)
{
    static const char *const TRUE_WORDS[] = {"1", "t", "T", "true", "TRUE", "True"};
    static const char *const FALSE_WORDS[] = {"0", "f", "F", "false", "FALSE", "False"};
    for (size_t i = 0; i < sizeof(TRUE_WORDS) / sizeof(TRUE_WORDS[0]); i++) {
        bool is_true = strcmp(value, TRUE_WORDS[i]) == 0;
        if (is_true || strcmp(value, FALSE_WORDS[i]) == 0) {
            *(bool *)destination = is_true;
            return true;
        }
    }
    return false;
}

static bool set_number(const struct flag *flag, const char *value, uint64_t *out_number)
{
    char *end = NULL;
    errno = 0;
    unsigned long long number = strtoull(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end != '\0' || errno != 0 || number < flag->least ||
        number > flag->most) {
        return false;
    }
    *out_number = number;
    return true;
}

static bool set_scale(const char *value, double *out_scale)
{
    char *end = NULL;
    double scale = strtod(value, &end);
    if (value[0] < '0' || value[0] > '9' || *end != '\0' ||
        !(scale >= SCALE_LEAST && scale <= SCALE_MOST)) {
        return false;
    }
    *out_scale = scale;
    return true;
}

void flags_print_help(const char *program, FILE *out)
{
    fprintf(out,
            "%s: an etcd that is a fake, on the real wire\n\n"
            "  %s [--flag value | --flag=value]...    (in brackets: without the flag)\n\n",
            program, program);
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        const struct flag *flag = &FLAGS[i];
        if (flag->help != NULL) {
            int len = fprintf(out, "  --%s %s ", flag->name, flag->shape);
            if (len > HELP_COLUMN) {
                len = 0;
                fputc('\n', out);
            }
            fprintf(out, "%*s%s\n", HELP_COLUMN - len, "", flag->help);
        }
    }
    fprintf(
        out,
        "\nEvery flag has its variable, ETCD_DATA_DIR for --data-dir; those that etcd does not\n"
        "have begin with FAKEETCD_. etcd's other flags are taken and mean nothing here.\n"
        "\nOnce it listens it prints `fakeetcd ready at HOST:PORT, ...` to stdout; the log, JSON\n"
        "lines as etcd's, goes to stderr. SIGTERM and SIGINT end it. A free port, then a "
        "client:\n\n"
        "  %s --listen-client-urls http://127.0.0.1:0\n"
        "  etcdctl --endpoints HOST:PORT put key value\n"
        "\nExit: 0 ended by a signal, 1 and 2 wrong flags, 3 it cannot start.\n",
        program);
}
