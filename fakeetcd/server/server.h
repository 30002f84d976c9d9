/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_SERVER_SERVER_H
#define FAKEETCD_SERVER_SERVER_H

#include "fakeetcd/disk/data_dir.h"
#include "fakeetcd/profile.h"
#include "faults/fault.h"
#include "runtime/network.h"

/*
 * A fake etcd on somebody's loop: real semantics, the real wire, and a question to the fault
 * engine at each point of each request. Programs use fakeetcd/include/fakeetcd.h or the program
 * `fakeetcd`. One thread.
 *
 *   STOPPED <--> RUNNING <--> FROZEN (takes connections and bytes, does nothing)
 *                   `--> leaderless, read-only, no space: switches, see fakeetcd_set
 */
struct fakeetcd_server;

struct rt_tls_context;

struct fakeetcd_environment { /* all borrowed; they outlive the server */
    struct rt_loop *loop;
    struct rt_network *network;
    struct rt_journal *journal;  /* NULL: none */
    struct fault_engine *faults; /* NULL: none; fakeetcd_fault_domain is registered by the maker */
    uint64_t seed;
};

/* Another member of the cluster, as MemberList shows it. */
struct fakeetcd_member_options {
    const char *name;
    const char *peer_urls;   /* comma separated */
    const char *client_urls; /* "": not started */
    bool is_learner;
};

struct fakeetcd_options {
    const char *name;             /* actor in the journal and member name: "etcd-1"; copied */
    const char *const *addresses; /* "127.0.0.1:2379", port 0 for a free one; copied */
    size_t address_count;
    const char *const *client_urls; /* advertised; NULL: derived from where it listens */
    size_t client_url_count;
    const char *peer_urls; /* comma separated; only shown */
    const struct fakeetcd_member_options *others;
    size_t other_count;
    const struct fakeetcd_profile *profile;
    const char *data_dir;       /* NULL: in memory */
    bool is_unsynced;           /* what is kept there outlives the process, not the machine */
    struct rt_tls_context *tls; /* NULL: plain; borrowed */
    bool is_certificate_mute;   /* a client's certificate does not say who it is */
    uint64_t max_request_bytes; /* 1.5 MiB */
    uint64_t quota_bytes;       /* 0: 2 GiB, as etcd */
    uint32_t max_txn_ops;       /* 128 */
    uint32_t max_concurrent_streams;
    uint64_t election_timeout_us;  /* 1 s; the lease floor and request time-outs follow from it */
    uint64_t progress_interval_us; /* 10 min */
    uint64_t token_ttl_us;         /* 5 min */
    double time_scale;             /* the lease clock runs so many times faster; 1 */
};
void fakeetcd_options_init(
    struct fakeetcd_options *options); /* etcd 3.5's defaults, 127.0.0.1:2379 */

/* Listens when this returns. RT_E_BUSY: an address is taken, or the data-dir. `out_error` gets one
 * line. */
RT_NODISCARD enum rt_status fakeetcd_server_create(const struct fakeetcd_environment *environment,
                                                   const struct fakeetcd_options *options,
                                                   struct fakeetcd_server **out_server,
                                                   char *out_error, size_t error_bytes);
void fakeetcd_server_destroy(struct fakeetcd_server *server);

const char *fakeetcd_server_name(const struct fakeetcd_server *server);
const char *fakeetcd_server_address(const struct fakeetcd_server *server); /* the first */

/* As SIGKILL: connections are reset, the port is closed. */
void fakeetcd_server_kill(struct fakeetcd_server *server);
/* Term + 1, leases full again; state kept, or lost: a new cluster id, revision 1. */
RT_NODISCARD enum rt_status fakeetcd_server_start(struct fakeetcd_server *server,
                                                  bool is_state_kept);
/* As SIGTERM: GOAWAY, calls end, `done` runs when the last connection is gone or 7 s later. */
void fakeetcd_server_drain(struct fakeetcd_server *server, rt_task_fn *done, void *arg);
bool fakeetcd_server_is_running(const struct fakeetcd_server *server);

/* Switches, for faults, scenarios and live control. */
enum fakeetcd_switch {
    FAKEETCD_FROZEN,     /* SIGSTOP: bytes are taken, nothing is answered */
    FAKEETCD_LEADERLESS, /* the whole no-leader profile */
    FAKEETCD_READ_ONLY,  /* writes fail, everything else works */
    FAKEETCD_NO_SPACE,   /* the NOSPACE alarm */
    FAKEETCD_CORRUPTED   /* the CORRUPT alarm */
};
void fakeetcd_server_set(struct fakeetcd_server *server, enum fakeetcd_switch which, bool is_on);
bool fakeetcd_server_is(const struct fakeetcd_server *server, enum fakeetcd_switch which);

/* Interventions of scenarios. */
enum fakeetcd_error fakeetcd_server_put(struct fakeetcd_server *server, struct rt_slice key,
                                        struct rt_slice value, int64_t lease);
enum fakeetcd_error fakeetcd_server_delete(struct fakeetcd_server *server, struct rt_slice key);
enum fakeetcd_error fakeetcd_server_compact(struct fakeetcd_server *server, int64_t revision);
/* The lease of this key expires now. FAKEETCD_E_LEASE_NOT_FOUND: it has none. */
enum fakeetcd_error fakeetcd_server_expire_lease_of(struct fakeetcd_server *server,
                                                    struct rt_slice key);
/* Goes back to how the store was at `revision`, as a restored backup does: new cluster id. */
enum fakeetcd_error fakeetcd_server_restore(struct fakeetcd_server *server, int64_t revision);

/* What a fault of the point `etcd` does to it: kill, restart, freeze, compact, ... */
void fakeetcd_server_process(struct fakeetcd_server *server, const struct fault_action *action);

/* Words of the events that happen to a server, as `<name>.<word>`: "started", "killed",
 * "lease-expired", ...; ended by NULL. */
extern const char *const fakeetcd_events[];

/* ---- looking at it ---- */

const struct fakeetcd_state *fakeetcd_server_state(const struct fakeetcd_server *server);

struct fakeetcd_op_counts { /* as the fake worker's: arrived = answered + eaten + waiting */
    uint64_t arrived;
    uint64_t applied;
    uint64_t answered;
    uint64_t failed;
    uint64_t eaten;
    uint64_t waiting; /* unary calls held now; open streams */
};
/* `word` as in fakeetcd_methods; false: no such method. */
bool fakeetcd_server_op_counts(const struct fakeetcd_server *server, const char *word,
                               struct fakeetcd_op_counts *out_counts);

struct fakeetcd_counts {
    uint64_t connections;
    uint64_t connections_total;
    uint64_t malformed_connections;
    uint64_t watchers;
    uint64_t leases;
    uint64_t leases_expired;
    uint64_t keepalives;
};
void fakeetcd_server_counts(const struct fakeetcd_server *server,
                            struct fakeetcd_counts *out_counts);

/* ---- for the HTTP/1 side (fakeetcd/gateway) ---- */

struct fakeetcd_method;
struct fakeetcd_gateway;

/* Calls of this method that ended with this gRPC code, for /metrics. */
uint64_t fakeetcd_server_handled(const struct fakeetcd_server *server,
                                 const struct fakeetcd_method *method, int32_t code);
/* The server makes one (fakeetcd_gateway_create) and gives it what its sniffer says is HTTP/1; the
 * program gives it streams of --listen-metrics-urls. */
struct fakeetcd_gateway *fakeetcd_server_gateway(const struct fakeetcd_server *server);
/* One of options.others has started, and its clients find it there. FAKEETCD_E_MEMBER_NOT_FOUND. */
enum fakeetcd_error fakeetcd_server_member_started(struct fakeetcd_server *server,
                                                   struct rt_slice name,
                                                   struct rt_slice client_urls);

#endif
