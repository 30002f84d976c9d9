/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_SERVER_SERVER_INTERNAL_H
#define FAKEETCD_SERVER_SERVER_INTERNAL_H

#include "fakeetcd/gateway/gateway.h"
#include "fakeetcd/gateway/sniff.h"
#include "fakeetcd/request/call.h"
#include "fakeetcd/server/server.h"
#include "fakeetcd/watch/watch_hub.h"
#include "runtime/random.h"
#include "wire/protobuf_arena.h"

#include <bsd/sys/queue.h>

/*
 *   socket --> server_listen.c --> transport_grpc.c --.
 *                    '--> gateway/ -------------------+--> dispatch.c (fault points, checks)
 *                                                              |
 *        store, leases, auth <-- kv_*.c, *_service.c <---------'
 *
 * A request is finished in the turn of the loop in which it came, unless a fault, a missing leader
 * or the disk keeps it: then it has a `later` (call_later.c) and is in a list here.
 */
enum { FAKEETCD__METHODS_MAX = 63, FAKEETCD__CODES = 17 };
/* What one message may be over the request limit, as etcd allows. */
enum { FAKEETCD__TRANSPORT_ROOM_BYTES = 512 * 1024 };

TAILQ_HEAD(fakeetcd__connection_list, fakeetcd__connection);
TAILQ_HEAD(fakeetcd__later_list, fakeetcd__later);
TAILQ_HEAD(fakeetcd__contender_list, fakeetcd__contender);
SLIST_HEAD(fakeetcd__grpc_call_pool, fakeetcd__grpc_call);

/* The clock of leases: stands still without a leader, may run faster. */
struct fakeetcd__lease_clock {
    uint64_t base_us;   /* of the leases */
    uint64_t origin_us; /* of the loop, when it showed base_us */
    bool is_stopped;
    double scale;
};

struct fakeetcd_server {
    struct fakeetcd_environment environment;
    struct fakeetcd_options options; /* its texts are owned, its arrays too */
    const struct fakeetcd_profile *profile;
    char **addresses; /* with the real ports */
    struct rt_listener **listeners;
    bool is_running;

    struct fakeetcd_state state;
    struct fakeetcd_hub *hub;
    struct fakeetcd_data_dir *data_dir;
    struct fakeetcd__lease_clock lease_clock;
    struct rt_random ids;
    struct rt_random jitter;

    struct fakeetcd_members first_members; /* of a cluster that begins, as the options say */
    uint64_t leader_id;

    struct fakeetcd_gateway *gateway;
    struct fakeetcd_sniffer *sniffer;
    struct fakeetcd__connection_list connections;
    struct fakeetcd__grpc_call_pool free_calls;
    size_t free_call_count;

    struct pb_arena arena; /* the message under way, and its answer under construction */
    unsigned depth;        /* of entries from outside; the arena is emptied by the first */
    struct fakeetcd__later_list laters;
    struct fakeetcd__later *next_later; /* of a walk over them; NULL: there is none, or it ends */
    struct fakeetcd__later_list committing;
    struct fakeetcd__contender_list contenders; /* of locks and elections */
    struct fakeetcd__queue *queues;             /* of those who wait, a table by name */
    int64_t write_revision;                     /* where the write under way began */
    bool is_uncommitted; /* something changed that is not in the data-dir yet */

    struct rt_timer lease_timer;
    struct rt_timer sync_timer;   /* watchers that are behind */
    struct rt_timer leader_timer; /* what a fault switched on for a while ends */
    struct rt_timer freeze_timer;
    struct rt_timer read_only_timer;
    struct rt_timer restart_timer;
    struct rt_timer drain_timer;
    struct rt_timer leader_lost_timer; /* streams with hasleader end */
    struct rt_task commit_task;
    struct rt_task doom_task;
    struct rt_task drain_task;
    const struct fault_action *doom; /* kill or restart that is about to happen */
    rt_task_fn *on_drained;
    void *drained_arg;

    bool is_frozen;
    bool is_leaderless;
    bool is_restart_kept;
    bool is_read_only;

    uint64_t next_call_id;
    struct fakeetcd_op_counts ops[FAKEETCD__METHODS_MAX];
    uint64_t handled[FAKEETCD__METHODS_MAX][FAKEETCD__CODES];
    struct fakeetcd_counts counts;
};

/* ---- small things everybody needs ---- */

uint64_t fakeetcd__now_us(const struct fakeetcd_server *server);
bool fakeetcd__has_quirk(const struct fakeetcd_server *server, enum fakeetcd_quirk quirk);
/* "<name>.<what>" to the journal and to the fault engine. */
void fakeetcd__event(struct fakeetcd_server *server, const char *what, struct rt_slice key,
                     const char *detail);
void fakeetcd__record_state(struct fakeetcd_server *server, const char *subject,
                            const char *detail);
/* 5 s and two election time-outs. */
uint64_t fakeetcd__request_timeout_us(const struct fakeetcd_server *server);
/* For timers that nobody can be told about: without memory the journal says so. */
void fakeetcd__arm_after(struct fakeetcd_server *server, struct rt_timer *timer, uint64_t delay_us);
/* A random positive number that is no lease yet. */
int64_t fakeetcd__new_lease_id(struct fakeetcd_server *server);

/* Around everything that enters from outside (a message, a timer): the arena is empty after the
 * first one. */
void fakeetcd__enter(struct fakeetcd_server *server);
void fakeetcd__leave(struct fakeetcd_server *server);

/* ---- server_state.c: store, leases, auth, members ---- */

RT_NODISCARD enum rt_status fakeetcd__state_open(struct fakeetcd_server *server, char *out_error,
                                                 size_t error_bytes);
void fakeetcd__state_close(struct fakeetcd_server *server);
void fakeetcd__state_init(struct fakeetcd_server *server);
void fakeetcd__state_stop(struct fakeetcd_server *server);
RT_NODISCARD enum rt_status fakeetcd__state_restart(struct fakeetcd_server *server, bool is_kept,
                                                    char *out_error, size_t error_bytes);

/* Something of the state changed: it is made durable before anything is said. */
void fakeetcd__changed(struct fakeetcd_server *server);

int64_t fakeetcd__lease_floor_s(const struct fakeetcd_server *server);
uint64_t fakeetcd__lease_now_us(const struct fakeetcd_server *server);
void fakeetcd__lease_clock_stop(struct fakeetcd_server *server);
void fakeetcd__lease_clock_start(struct fakeetcd_server *server);
/* After anything that moves the next expiry. */
void fakeetcd__lease_arm(struct fakeetcd_server *server);
enum fakeetcd_error fakeetcd__lease_end(struct fakeetcd_server *server, int64_t id,
                                        const char *event);

/* ---- server_listen.c: streams that come ---- */

RT_NODISCARD enum rt_status fakeetcd__listen(struct fakeetcd_server *server, char *out_error,
                                             size_t error_bytes);
void fakeetcd__listen_stop(struct fakeetcd_server *server);
/* Again after every reset of the connections. */
RT_NODISCARD enum rt_status fakeetcd__sniff_start(struct fakeetcd_server *server);
void fakeetcd__connections_reset(struct fakeetcd_server *server);
void fakeetcd__connections_drain(struct fakeetcd_server *server);
void fakeetcd__connections_freeze(struct fakeetcd_server *server, bool is_frozen);
size_t fakeetcd__connection_count(const struct fakeetcd_server *server);

/* Streams that asked for a leader end. */
void fakeetcd__connections_miss_leader(struct fakeetcd_server *server);

/* ---- server_members.c ---- */

/* Makes the first members. */
RT_NODISCARD enum rt_status fakeetcd__members_of_options(struct fakeetcd_server *server,
                                                         const struct fakeetcd_options *options);
/* Name, id and addresses of this member, once they are known. */
RT_NODISCARD enum rt_status fakeetcd__members_init(struct fakeetcd_server *server);
/* A request changed them, or the downgrade: they are made durable before anything is said. */
void fakeetcd__cluster_changed(struct fakeetcd_server *server);

/* ---- server_fault.c: faults of the process ---- */

/* Kills or restarts soon, when nothing of the server is on the stack. */
void fakeetcd__doom(struct fakeetcd_server *server, const struct fault_action *action);
void fakeetcd__faults_init(struct fakeetcd_server *server);
void fakeetcd__faults_stop(struct fakeetcd_server *server);

#endif
