/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONNECTOR_OMNI_CONNECTOR_SET_H
#define CONNECTOR_OMNI_CONNECTOR_SET_H

#include "connector/omni_factory.h"

/*
 * All connectors of a transfer configuration, made as one step that succeeds or leaves nothing.
 * Asynchronous, one thread, its loop's; omni_blocking_set.h is the same for programs with threads.
 */
struct omni_connector_set;

/* Runs once, later. On success `set` is the caller's; it is empty when the configuration has no
 * edge. Else it is NULL, no connector is left, and `text` is "Failed to initialize connector for
 * edge 0->1 (file:line:column): reason". May call anything. */
typedef void omni_set_made_fn(void *arg, struct omni_connector_set *set, const char *text);

/*
 * Begins all of them at once; the first failure ends the others. A name that is not registered
 * fails before anything is begun. Each connector has a name of its own in the environment,
 * NAME.FROM-TO. Factory and configuration must outlive the set.
 * *out_pending stands for the set while it is made: omni_connector_set_destroy() gives it up, and
 * `made` never runs. After a failure it is no longer valid.
 * RT_E_NOMEM: nothing happened.
 */
RT_NODISCARD enum rt_status omni_connector_set_create(const struct omni_factory *factory,
                                                      const struct omni_transfer_config *config,
                                                      const struct omni_environment *environment,
                                                      omni_set_made_fn *made, void *arg,
                                                      struct omni_connector_set **out_pending);

/* Closes all. NULL: nothing happens. */
void omni_connector_set_destroy(struct omni_connector_set *set);

/* Belongs to the set. NULL: the configuration makes no such edge. */
struct omni_instance *omni_connector_set_find(const struct omni_connector_set *set,
                                              const char *from_stage, const char *to_stage);

/* In the order of the configuration's edges; NULL behind the last. */
size_t omni_connector_set_count(const struct omni_connector_set *set);
struct omni_instance *omni_connector_set_at(const struct omni_connector_set *set, size_t index);

#endif
