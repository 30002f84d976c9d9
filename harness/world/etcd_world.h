/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HARNESS_WORLD_ETCD_WORLD_H
#define HARNESS_WORLD_ETCD_WORLD_H

#include "fakeetcd/server/server.h"
#include "harness/language/scenario.h"
#include "wire/grpc/grpc_channel.h"

/*
 * The etcd servers of a world, and the connections of whoever calls them in a scenario's steps. One
 * connection for each pair of server and caller, made when it is first needed.
 */
struct scn_world;

struct scn_etcd {
    const struct scn_etcd_spec *spec;
    struct fakeetcd_server *fake;
};

struct scn_etcd_link {
    struct scn_etcd *etcd;
    const char *as;
    struct grpc_channel *channel;
    struct scn_etcd_link *next;
};

/* The token that the step with this id was given. */
struct scn_etcd_token {
    const char *step_id;
    char *text;
    struct scn_etcd_token *next;
};

RT_NODISCARD enum rt_status scn_world_create_etcds(struct scn_world *world);
/* Streams that steps have left open end without a word. */
void scn_world_close_etcd_links(struct scn_world *world);
void scn_world_destroy_etcds(struct scn_world *world);

struct scn_etcd *scn_world_etcd(struct scn_world *world, const char *name); /* NULL: none */
/* NULL: no memory. */
struct grpc_channel *scn_world_etcd_channel(struct scn_world *world, const char *name,
                                            const char *as);

#endif
