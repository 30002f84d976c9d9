/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FUZZ_FUZZ_ETCD_H
#define TESTS_FUZZ_FUZZ_ETCD_H

#include "fakeetcd/server/server.h"

/* A fake etcd on a simulated network, for targets: start --> run ... --> stop. */
#define FUZZ_ETCD_ADDRESS "10.0.2.1:2379"

struct fuzz_etcd {
    struct rt_loop *loop;
    struct rt_network *network;
    struct fakeetcd_server *server;
};

/* `is_older`: etcd 3.4. `max_request_bytes` 0: etcd's own limit. */
void fuzz_etcd_start(struct fuzz_etcd *etcd, bool is_older, uint64_t max_request_bytes);
void fuzz_etcd_run(struct fuzz_etcd *etcd, uint64_t time_us);
/* Nothing may be left of any connection. */
void fuzz_etcd_stop(struct fuzz_etcd *etcd);

#endif
