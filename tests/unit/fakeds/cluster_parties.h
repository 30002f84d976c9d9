/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FAKEDS_CLUSTER_PARTIES_H
#define TESTS_FAKEDS_CLUSTER_PARTIES_H

#include "fakeds/worker/worker.h"
#include "support/mini_etcd.h"
#include "wire/proto/hash_ring.pb-c.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Up to three workers in one small etcd, in simulated time: what they write, and when. */
#define ETCD    "10.0.2.1:2379"
#define SECOND  UINT64_C(1000000)
#define WORKERS 3

struct party {
    struct fixture *fx;
    struct fakeds_worker *worker;
    unsigned started_count, failed_count;
    uint64_t started_us;
    char failure[600];
    bool is_left;
};

struct fixture {
    struct rt_loop *loop;
    struct rt_network *network;
    struct rt_journal *journal;
    struct mini_etcd etcd;
    struct fakeds_options options;
    struct party parties[WORKERS];
    char events[8192]; /* "worker-1.ready@5000000\n" */
};

int set_up(void **state);
int tear_down(void **state);
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

void until(struct fixture *fx, uint64_t time_us);
void settle(struct fixture *fx);
/* Worker `index` + 1, with the fixture's options. */
void start(struct fixture *fx, size_t index);
/* For fakeds_worker_leave(); `arg` is the party. */
void on_left(void *arg);

/* Of a membership value: what stands behind the number, and the number. "": it is not there. */
const char *state_of(const struct fixture *fx, const char *key, char out_text[128]);
unsigned long long time_of(const struct fixture *fx, const char *key);
/* To be freed by the caller. */
DsRing__HashRingPb *ring_of(const struct fixture *fx);

#define KEY_1 "/datasystem/cluster/10.0.1.1:31501"
#define KEY_2 "/datasystem/cluster/10.0.1.2:31501"

#endif
