/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_PROGRAM_FLAGS_H
#define FAKEETCD_PROGRAM_FLAGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * etcd's flags and ETCD_* variables, and a few of our own. A flag counts more than its variable.
 * One or two dashes, `=` or a blank before the value; switches take a value only after `=`, as in
 * etcd. Texts are borrowed from the arguments and the environment.
 */
struct flags {
    const char *name;
    const char *data_dir; /* NULL: not given */
    bool is_unsynced;
    const char *listen_client_urls;
    const char *advertise_client_urls;
    const char *listen_peer_urls;
    const char *initial_advertise_peer_urls;
    const char *initial_cluster; /* NULL: not given */
    const char *listen_metrics_urls;
    const char *cert_file;
    const char *key_file;
    const char *trusted_ca_file;
    const char *client_crl_file;
    const char *cipher_suites;
    bool is_client_cert_required;
    bool is_auto_tls;
    uint64_t quota_bytes;
    uint64_t max_txn_ops;
    uint64_t max_request_bytes;
    uint64_t max_concurrent_streams;
    uint64_t election_timeout_ms;
    uint64_t auth_token_ttl_s;
    uint64_t progress_interval_us;
    const char *log_level;
    bool is_debug; /* 3.4's word for log-level=debug */

    const char *profile;
    const char *faults;
    double time_scale;
    uint64_t seed;
    bool has_seed;
    bool log_requests;
    bool help;
    bool version;

    /* Flags of etcd that were given and mean nothing here: named at level debug. */
    const char *ignored[128];
    size_t ignored_count;
};

enum flags_result {
    FLAGS_FINE,
    FLAGS_UNDEFINED, /* one line has been printed to stderr; etcd exits with 2 */
    FLAGS_INVALID    /* the same; etcd exits with 1 */
};

void flags_init(struct flags *flags);
/* `program` is how it was called, for messages. `find_variable` is getenv(), except in tests. */
enum flags_result flags_parse(const char *program, int argument_count, char *const *arguments,
                              char *(*find_variable)(const char *name), struct flags *out_flags);
void flags_print_help(const char *program, FILE *out);

#endif
