/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEDS_CLUSTER_CLUSTER_H
#define FAKEDS_CLUSTER_CLUSTER_H

#include "fakeds/worker/worker.h"

/*
 * A worker among others: its membership in etcd and what it says to its peers. A worker without
 * etcd has none, and pays nothing but a test for NULL.
 */
struct fakeds__cluster;
struct fakeds__call;

RT_NODISCARD enum rt_status fakeds__cluster_create(struct fakeds_worker *worker, bool is_restart,
                                                   struct fakeds__cluster **out_cluster);
void fakeds__cluster_destroy(struct fakeds__cluster *cluster); /* NULL: nothing happens */

bool fakeds__cluster_is_ready(const struct fakeds__cluster *cluster);
void fakeds__cluster_counts(const struct fakeds__cluster *cluster, uint64_t *out_members,
                            uint64_t *out_ring_workers);
/* On the way out: clients hear of it in heartbeats. */
bool fakeds__cluster_is_exiting(const struct fakeds__cluster *cluster);
void fakeds__cluster_leave(struct fakeds__cluster *cluster, rt_task_fn *done, void *arg);

/* What was evicted here: the owner of the key is told. */
struct fakeds__object;
void fakeds__cluster_lost(struct fakeds__cluster *cluster, const struct fakeds__object *object);

/* A connection: the first byte tells a client (ZMTP) from a peer (HTTP/2). */
void fakeds__cluster_accept(struct fakeds__cluster *cluster, struct rt_stream *stream);

RT_NODISCARD enum rt_status fakeds__etcd_options_copy(struct fakeds_etcd_options *to,
                                                      const struct fakeds_etcd_options *from);
void fakeds__etcd_options_free(struct fakeds_etcd_options *options);

#endif
