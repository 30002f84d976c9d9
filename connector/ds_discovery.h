/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONNECTOR_DS_DISCOVERY_H
#define CONNECTOR_DS_DISCOVERY_H

#include "connector/ds_client.h"

/*
 * A worker found through etcd, as the real client's ServiceDiscovery finds one: each time one
 * linearizable Range of the membership keys, no watch, no cache, no lease; only workers that are
 * `ready`; those of the same host first. 50 s in all, 10 s for an attempt.
 *
 * A worker that died moments ago is still listed until its lease ends, so its address may come; a
 * client that is lost is made anew, and asks again.
 */
struct ds_discovery;

/* Row: enumerator, word of configurations. */
#define DS_AFFINITY_LIST(ROW)                                                                      \
    ROW(DS_PREFERRED_SAME_NODE, "PREFERRED_SAME_NODE")                                             \
    ROW(DS_REQUIRED_SAME_NODE, "REQUIRED_SAME_NODE")                                               \
    ROW(DS_RANDOM_NODE, "RANDOM")

enum ds_affinity {
#define DS_AFFINITY_ENUM(name, word) name,
    DS_AFFINITY_LIST(DS_AFFINITY_ENUM)
#undef DS_AFFINITY_ENUM
        DS_AFFINITY_COUNT
};
bool ds_affinity_parse(struct rt_slice word, enum ds_affinity *out_affinity);

struct ds_discovery_options {  /* read before ds_discovery_start returns, files included */
    const char *etcd_address;  /* "host:port[,host:port]..." */
    const char *cluster_name;  /* NULL or "": none */
    enum ds_affinity affinity; /* PREFERRED_SAME_NODE */
    const char *host_id;       /* of this host; NULL or "": no worker is on it */
    const char *username;      /* NULL or "": no authentication */
    const char *password;
    /* With one of the three files the connection is TLS. NULL or "": not given. */
    const char *etcd_ca;       /* PEM: who signs etcd's certificate; not given: the system's */
    const char *etcd_cert;     /* PEM: the own certificate, with `etcd_key` */
    const char *etcd_key;      /* PEM */
    const char *etcd_dns_name; /* what etcd's certificate must name; not given: the host */
};

/* K_OK with an address, borrowed; else K_INVALID "Invalid etcd address: ..." or "Invalid etcd TLS
 * option: ...", K_RUNTIME_ERROR "No available ...", or K_RPC_UNAVAILABLE. Once, later. */
typedef void ds_discovered_fn(void *arg, const struct ds_status *status, const char *host,
                              int64_t port);
/* A membership value that cannot be read was left out; NULL: nobody wants to know. */
typedef void ds_discovery_warn_fn(void *arg, const char *text);

/* RT_E_NOMEM: nothing happened. `environment` is borrowed. */
RT_NODISCARD enum rt_status ds_discovery_start(const struct ds_environment *environment,
                                               const struct ds_discovery_options *options,
                                               ds_discovered_fn *done, ds_discovery_warn_fn *warn,
                                               void *arg, struct ds_discovery **out_discovery);
/* `done` never runs. NULL: nothing happens. Not inside `done`. */
void ds_discovery_cancel(struct ds_discovery *discovery);

#endif
