/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONNECTOR_OMNI_FACTORY_H
#define CONNECTOR_OMNI_FACTORY_H

#include "connector/omni_connector.h"
#include "connector/omni_transfer_config.h"

/*
 * Connectors by the name that a transfer configuration gives them. A factory knows
 * YuanrongConnector and PollingConnector from the start; a program registers types of its own:
 *
 *   static const struct omni_connector_ops ops = {.put = ..., .get = ..., ...};
 *   static const struct omni_connector_type type = {
 *       .name = "OwnConnector", .begin = begin, .give_up = give_up, .ops = &ops};
 *
 *   omni_factory_create(&factory);
 *   omni_factory_register(factory, &type);
 *   omni_factory_begin(factory, &edge->spec, &environment, on_made, arg, &creation);
 *
 * A factory is one thread's. Instances are their loop's.
 */
struct omni_factory;
struct omni_creation;

/* ---- what a type is ---- */

/*
 * The OmniConnector contract over `self`, which the type made. Rules for callers and for what runs
 * when are those of the functions of the same name in omni_connector.h; a table must keep them.
 */
struct omni_connector_ops {
    enum rt_status (*put)(void *self, const char *from_stage, const char *to_stage,
                          struct rt_slice put_key, const struct omni_value *data, omni_put_fn *done,
                          void *arg);
    enum rt_status (*get)(void *self, const char *from_stage, const char *to_stage,
                          struct rt_slice get_key, omni_get_fn *done, void *arg);
    void (*cleanup)(void *self, struct rt_slice request_id);
    void (*health)(const void *self, struct omni_health *out_health);
    void (*close)(void *self);   /* idempotent */
    void (*destroy)(void *self); /* closes first */
    /* NULL: the base class's. A get with a deadline is refused, the other two do nothing. */
    enum rt_status (*get_with_deadline)(void *self, const char *from_stage, const char *to_stage,
                                        struct rt_slice get_key, uint64_t deadline_us,
                                        omni_get_fn *done, void *arg);
    void (*abandon_get)(void *self, struct rt_slice get_key);
    void (*reap_consumed)(void *self);
};

struct omni_connector_type {
    const char *name;
    const void *context; /* the type's own */

    /*
     * Begins to make one. `extra` is read before this returns. *out_pending stands for what is
     * being made. Then, later and exactly once, omni_creation_end() is called.
     * RT_E_NOMEM, or another failure: nothing happened, and omni_creation_end() is not called.
     */
    enum rt_status (*begin)(const struct omni_connector_type *type,
                            const struct omni_environment *environment,
                            const struct omni_value *extra, struct omni_creation *creation,
                            void **out_pending);
    /* Gives up what has begun and not ended; omni_creation_end() is not called any more. */
    void (*give_up)(void *pending);

    const struct omni_connector_ops *ops;
    const struct omni_blocking_ops *blocking; /* omni_blocking_set.h; NULL: no blocking form */
};

/* For types: how a construction ended. `self` NULL: it failed, `text` says why. May destroy
 * anything but what calls it. */
void omni_creation_end(struct omni_creation *creation, void *self, const char *text);

/* ---- the registry ---- */

/* RT_E_NOMEM is the only failure. */
RT_NODISCARD enum rt_status omni_factory_create(struct omni_factory **out_factory);
/* Not before what was made through it has been destroyed. NULL: nothing happens. */
void omni_factory_destroy(struct omni_factory *factory);

/* `type` must outlive the factory.
 *   RT_E_EXISTS   the name is taken
 *   RT_E_INVALID  no name, or a function that every type needs is missing
 *   RT_E_NOMEM */
RT_NODISCARD enum rt_status omni_factory_register(struct omni_factory *factory,
                                                  const struct omni_connector_type *type);

/* NULL: there is none. */
const struct omni_connector_type *omni_factory_find(const struct omni_factory *factory,
                                                    const char *name);

/* "Unknown connector: X. Available: ['A', 'B']", in the order of registering; cut to fit. */
void omni_factory_unknown_text(const struct omni_factory *factory, const char *name, char *out_text,
                               size_t text_bytes);

/* ---- making one ---- */

/* A connector, whatever its type. */
struct omni_instance;

/* Runs once, later. On success `instance` is the caller's; else it is NULL and `text` is "Unknown
 * connector: ..." or "Failed to create connector NAME: reason". May call anything. */
typedef void omni_made_fn(void *arg, struct omni_instance *instance, const char *text);

/* What `spec` holds is read before this returns. *out_creation is valid until `made` runs.
 * RT_E_NOMEM: nothing happened. */
RT_NODISCARD enum rt_status omni_factory_begin(const struct omni_factory *factory,
                                               const struct omni_connector_spec *spec,
                                               const struct omni_environment *environment,
                                               omni_made_fn *made, void *arg,
                                               struct omni_creation **out_creation);

/* Gives it up; `made` never runs. NULL: nothing happens. */
void omni_creation_cancel(struct omni_creation *creation);

/* ---- using one ---- */

/* As the functions of omni_connector.h. */
RT_NODISCARD enum rt_status omni_instance_put(struct omni_instance *instance,
                                              const char *from_stage, const char *to_stage,
                                              struct rt_slice put_key,
                                              const struct omni_value *data, omni_put_fn *done,
                                              void *arg);
RT_NODISCARD enum rt_status omni_instance_get(struct omni_instance *instance,
                                              const char *from_stage, const char *to_stage,
                                              struct rt_slice get_key, omni_get_fn *done,
                                              void *arg);
/* RT_E_INVALID: the type has no deadlines; see below. */
RT_NODISCARD enum rt_status omni_instance_get_with_deadline(
    struct omni_instance *instance, const char *from_stage, const char *to_stage,
    struct rt_slice get_key, uint64_t deadline_us, omni_get_fn *done, void *arg);
void omni_instance_abandon_get(struct omni_instance *instance, struct rt_slice get_key);
void omni_instance_reap_consumed(struct omni_instance *instance);
void omni_instance_cleanup(struct omni_instance *instance, struct rt_slice request_id);
void omni_instance_health(const struct omni_instance *instance, struct omni_health *out_health);
void omni_instance_close(struct omni_instance *instance);
void omni_instance_destroy(struct omni_instance *instance); /* NULL: nothing happens */

/* "X does not support deadline-aware receive"; NULL: it does. Dies with the instance. */
const char *omni_instance_no_deadline_text(const struct omni_instance *instance);

const struct omni_connector_type *omni_instance_type(const struct omni_instance *instance);

/* What the type made; of the types here a struct omni_connector. */
void *omni_instance_self(const struct omni_instance *instance);

#endif
