/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONNECTOR_DS_BINDING_H
#define CONNECTOR_DS_BINDING_H

#include "connector/ds_client.h"

/*
 * What the connector sees of a Datasystem client: three symbols, as upstream imports KVClient,
 * SetParam and WriteMode. The native client fills them; a test or a fault may leave a hole (NULL)
 * or put itself in between.
 *
 * `client` is whatever the table's create() made. Callback rules are those of ds_client.h. What set
 * and get put into *out_call names the call for abandon() until its `done` runs; after abandon()
 * `done` never runs.
 */
struct ds_kv_client_ops {
    enum rt_status (*create)(void *context, const struct ds_environment *environment,
                             const struct ds_options *options, void **out_client);
    void (*destroy)(void *client);
    enum rt_status (*init)(void *client, ds_done_fn *done, void *arg);
    enum rt_status (*close)(void *client, ds_done_fn *done, void *arg);
    enum rt_status (*set)(void *client, struct rt_slice key, const struct dsrpc_value *value,
                          const struct ds_set_options *options, ds_done_fn *done, void *arg,
                          void **out_call);
    enum rt_status (*get)(void *client, const struct rt_slice *keys, size_t key_count,
                          int64_t sub_timeout_ms, ds_done_fn *done, void *arg, void **out_call);
    void (*abandon)(void *client, void *call);
};

struct ds_binding {
    const struct ds_kv_client_ops *kv_client;
    const struct ds_set_options *set_param; /* what a fresh SetParam holds */
    const enum ds_write_mode *write_mode;   /* the mode NONE_L2_CACHE_EVICT */
    void *context;                          /* handed to create() */
};

/* The native client. Static. */
extern const struct ds_binding ds_native_binding;

#endif
