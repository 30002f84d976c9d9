/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONNECTOR_OMNI_BLOCKING_SET_H
#define CONNECTOR_OMNI_BLOCKING_SET_H

#include "connector/omni_blocking.h"
#include "connector/omni_factory.h"

/*
 * Connectors by name for programs with threads: one, or all of a transfer configuration as one step
 * that succeeds or leaves nothing. Each has an I/O thread of its own; every thread may call them.
 */

/* The contract over `self`, with the rules of the functions of the same name in omni_blocking.h.
 * All are needed. */
struct omni_blocking_ops {
    /* `config->connector.extra` holds the options, its other members are the caller's defaults. */
    enum rt_status (*create)(const struct omni_connector_type *type,
                             const struct omni_blocking_config *config, void **out_self,
                             char out_text[OMNI_BLOCKING_TEXT_BYTES]);
    enum rt_status (*put)(void *self, const char *from_stage, const char *to_stage,
                          struct rt_slice put_key, const struct omni_value *data,
                          struct omni_call_result *out_result);
    enum rt_status (*get)(void *self, const char *from_stage, const char *to_stage,
                          struct rt_slice get_key, struct omni_call_result *out_result);
    enum rt_status (*cleanup)(void *self, struct rt_slice request_id);
    enum rt_status (*health)(void *self, struct omni_blocking_health *out_health);
    enum rt_status (*close)(void *self);
    void (*destroy)(void *self);
};

/* ---- one ---- */

struct omni_blocking_instance;

#define OMNI_SET_TEXT_BYTES 2048U

/*
 * Connects, and returns when that succeeded or failed. `config` may be NULL; its connector.extra
 * and connector.model are replaced by what `spec` says. Both are read before this returns; the type
 * that the factory found must outlive the instance.
 *
 *   RT_OK                 *out_instance is the caller's
 *   RT_E_INVALID          not registered, no blocking form, or not constructed; see `out_text`
 *   RT_E_NOMEM, RT_E_IO   no memory, no thread; `out_text` says so
 */
RT_NODISCARD enum rt_status omni_blocking_instance_create(
    const struct omni_factory *factory, const struct omni_connector_spec *spec,
    const struct omni_blocking_config *config, struct omni_blocking_instance **out_instance,
    char out_text[OMNI_SET_TEXT_BYTES]);
/* NULL: nothing happens. */
void omni_blocking_instance_destroy(struct omni_blocking_instance *instance);

/* As the functions of omni_blocking.h. */
RT_NODISCARD enum rt_status omni_blocking_instance_put(struct omni_blocking_instance *instance,
                                                       const char *from_stage, const char *to_stage,
                                                       struct rt_slice put_key,
                                                       const struct omni_value *data,
                                                       struct omni_call_result *out_result);
RT_NODISCARD enum rt_status omni_blocking_instance_get(struct omni_blocking_instance *instance,
                                                       const char *from_stage, const char *to_stage,
                                                       struct rt_slice get_key,
                                                       struct omni_call_result *out_result);
RT_NODISCARD enum rt_status omni_blocking_instance_cleanup(struct omni_blocking_instance *instance,
                                                           struct rt_slice request_id);
RT_NODISCARD enum rt_status omni_blocking_instance_health(struct omni_blocking_instance *instance,
                                                          struct omni_blocking_health *out_health);
RT_NODISCARD enum rt_status omni_blocking_instance_close(struct omni_blocking_instance *instance);

/* What the type made; of the types here a struct omni_blocking. */
void *omni_blocking_instance_self(const struct omni_blocking_instance *instance);

/* ---- all of a configuration ---- */

struct omni_blocking_set;

/*
 * In the order of the edges, one after the other; a name that is not registered fails before
 * anything is begun. Each connector's name is NAME.FROM-TO. The configuration must outlive the set.
 * Returns as omni_blocking_instance_create(); after a failure no connector is left, and `out_text`
 * is "Failed to initialize connector for edge 0->1 (file:line:column): reason".
 */
RT_NODISCARD enum rt_status omni_blocking_set_create(const struct omni_factory *factory,
                                                     const struct omni_transfer_config *config,
                                                     const struct omni_blocking_config *defaults,
                                                     struct omni_blocking_set **out_set,
                                                     char out_text[OMNI_SET_TEXT_BYTES]);
void omni_blocking_set_destroy(struct omni_blocking_set *set); /* NULL: nothing happens */

/* Belongs to the set. NULL: the configuration makes no such edge. */
struct omni_blocking_instance *omni_blocking_set_find(const struct omni_blocking_set *set,
                                                      const char *from_stage, const char *to_stage);

/* In the order of the configuration's edges; NULL behind the last. */
size_t omni_blocking_set_count(const struct omni_blocking_set *set);
struct omni_blocking_instance *omni_blocking_set_at(const struct omni_blocking_set *set,
                                                    size_t index);

#endif
