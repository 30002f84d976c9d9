/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SUPPORT_MINI_ETCD_H
#define TESTS_SUPPORT_MINI_ETCD_H

#include "runtime/network.h"
#include "wire/grpc/grpc_server.h"
#include "wire/proto/etcd_rpc.pb-c.h"

#include <bsd/sys/queue.h>

/*
 * A few keys, leases and watches behind etcd's wire, for tests of those who ask etcd. It knows no
 * history: a watch sees what happens after it was created. What goes wrong is a knob.
 */
enum { MINI_KEYS = 32, MINI_LEASES = 8, MINI_WATCHES = 16, MINI_BYTES = 640 };

struct mini_key {
    char key[MINI_BYTES];
    uint8_t value[MINI_BYTES];
    size_t value_bytes;
    int64_t lease;
    int64_t version;
    int64_t create_revision;
    int64_t mod_revision;
};

struct mini_lease {
    struct mini_etcd *etcd;
    int64_t id; /* 0: free */
    uint64_t ttl_us;
    struct rt_timer timer;
};

struct mini_call;
TAILQ_HEAD(mini_calls, mini_call);
struct mini_connection;
TAILQ_HEAD(mini_connections, mini_connection);

struct mini_etcd {
    struct rt_loop *loop;
    struct rt_network *network;
    struct rt_listener *listener; /* NULL: down */
    struct mini_connections connections;
    struct mini_calls calls;
    struct mini_key keys[MINI_KEYS]; /* ascending */
    size_t key_count;
    struct mini_lease leases[MINI_LEASES];
    int64_t next_lease;
    int64_t revision;
    unsigned call_count;
    char log[16384]; /* "Range /a/ /a0 @1\n" */

    /* Knobs. */
    const char *fail_path; /* the next `fail_times` calls of it end with this */
    unsigned fail_times;
    int32_t fail_code;
    const char *fail_text;
    const char *mute_path;      /* calls of it get no answer */
    const char *mute_peer;      /* whoever connects as this gets no answer */
    bool is_compare_lost;       /* every Txn finds another value */
    bool is_auth_on;            /* user "root", password "secret" */
    unsigned token_number;      /* the valid token is "token.N" */
    struct rt_tls_context *tls; /* NULL: plain; borrowed */
};

void mini_etcd_init(struct mini_etcd *etcd, struct rt_loop *loop, struct rt_network *network);
void mini_etcd_fini(struct mini_etcd *etcd);
void mini_etcd_listen(struct mini_etcd *etcd, const char *address);
/* Connections are reset and the port is closed; keys, and leases with what is left, stay. */
void mini_etcd_kill(struct mini_etcd *etcd);

void mini_etcd_put(struct mini_etcd *etcd, const char *key, const char *value);
void mini_etcd_delete(struct mini_etcd *etcd, const char *key);
/* NULL: not there. */
const struct mini_key *mini_etcd_find(const struct mini_etcd *etcd, const char *key);
void mini_etcd_expire(struct mini_etcd *etcd, int64_t lease);
/* How often this word stands in the log. */
unsigned mini_etcd_count(const struct mini_etcd *etcd, const char *word);

#endif
