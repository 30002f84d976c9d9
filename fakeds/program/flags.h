/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEDS_PROGRAM_FLAGS_H
#define FAKEDS_PROGRAM_FLAGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Flags named as the real worker's and dscli's; `--flag value` and `--flag=value`. */
struct flags {
    const char *worker_address;
    const char *faults; /* NULL: none */
    const char *l2_cache_type;
    const char *etcd_address; /* "": none */
    const char *cluster_name;
    const char *host_id;
    const char *compatibility_version;
    const char *master_address;
    const char *etcd_username;
    const char *etcd_password;
    uint64_t node_timeout_s;
    uint64_t node_dead_timeout_s;
    uint64_t shared_memory_size_mb;
    uint64_t client_dead_timeout_s;
    uint64_t client_reconnect_wait_s;
    uint64_t not_ready_ms;
    uint64_t seed;
    bool is_exit_lossless;
    bool has_seed;
    bool log_requests;
    bool help;
    bool version;
};

/* Fills `out_flags` over the defaults. False: one line has been printed to stderr. */
bool flags_parse(int argument_count, char **arguments, struct flags *out_flags);
void flags_print_help(FILE *out);

#endif
