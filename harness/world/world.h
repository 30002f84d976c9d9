/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HARNESS_WORLD_WORLD_H
#define HARNESS_WORLD_WORLD_H

#include "connector/omni_connector.h"
#include "fakeds/worker/worker.h"
#include "harness/language/payload.h"
#include "harness/language/scenario.h"
#include "harness/recorder.h"
#include "harness/world/etcd_world.h"

/*
 * Everything that takes part in one run: loop, network, journal, faults, workers, connectors,
 * clients. The mode is the only difference between the worlds `sim` and `sockets`.
 */

struct scn_worker {
    const struct scn_worker_spec *spec;
    struct scn_world *world;
    struct fakeds_worker *fake;
};

/* A connector or a client. */
struct scn_party {
    struct scn_world *world;
    const struct scn_party_spec *spec;
    const char *name;
    bool is_connector;
    char host[64];
    int64_t port;
    struct ds_client *client;         /* clients */
    struct omni_connector *connector; /* connectors; NULL before construction */
    struct omni_connector *pending;   /* connectors: under construction */
    struct ds_binding binding;        /* connectors: the decorated native one */
    struct ds_client *inner;          /* connectors: the client behind, NULL after close */
    /* kept when the client goes, so that statements and laws still have them */
    struct ds_rpc_counts counts[DSRPC_OP_COUNT];
    struct omni_metrics metrics;
};

struct scn_world {
    const struct scn_scenario *scenario;
    enum rt_loop_mode mode;
    uint64_t seed;
    struct rt_loop *loop;
    struct rt_network *network;
    struct rt_journal *journal;
    struct scn_recorder *recorder; /* borrowed from the runner */
    struct fault_engine *faults;
    struct scn_payloads *payloads;
    struct scn_worker *workers;
    size_t worker_count;
    struct scn_etcd *etcds;
    size_t etcd_count;
    struct scn_etcd_link *etcd_links;
    struct scn_etcd_token *etcd_tokens;
    struct scn_party etcd_caller; /* stands for whoever makes steps `etcd:` */
    struct scn_party *parties;    /* connectors, then clients */
    size_t party_count;
    uint64_t start_us; /* the scenario's time 0 on the loop's clock */
    bool is_without_faults;
    bool is_stopping;  /* calls that end now ended because of that */
    char problem[256]; /* why something could not start */
};

struct scn_world_options {
    enum rt_loop_mode mode;
    uint64_t seed;
    bool is_without_faults; /* --prove */
    struct scn_recorder *recorder;
};

/* Builds and starts the workers; parties exist but are not yet connected. On a failure
 * `world->problem` says what could not start. The world is destroyed in any case by its owner. */
RT_NODISCARD enum rt_status scn_world_create(const struct scn_scenario *scenario,
                                             const struct scn_world_options *options,
                                             struct scn_world *world);
void scn_world_destroy(struct scn_world *world);

/* Ends parties first, in order, so that a last look at their counters is possible before. */
void scn_world_stop(struct scn_world *world);

/* It takes its key out of etcd and ends, some time later; "NAME.left" says when. */
void scn_world_leave(struct scn_worker *worker);
struct scn_worker *scn_world_worker(struct scn_world *world, const char *name);
struct scn_party *scn_world_party(struct scn_world *world, const char *name);

void scn_party_refresh(struct scn_party *party); /* counters of a living client into `party` */

uint64_t scn_world_now_us(const struct scn_world *world); /* since the scenario's start */

/* An event for faults and waits, also a record of the journal. */
void scn_world_event(struct scn_world *world, const char *name);

/* ---- binding ---- */

/* Fills party->binding with the native binding behind the faults of the point `binding`. Asks for
 * holes, so call it once for each construction. */
void scn_binding_init(struct scn_party *party);

#endif
