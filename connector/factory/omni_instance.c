/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "connector/factory/omni_factory_internal.h"

/* The OmniConnector contract, whatever the type; what a table leaves out is the base class's. */

enum rt_status omni_instance_put(struct omni_instance *instance, const char *from_stage,
                                 const char *to_stage, struct rt_slice put_key,
                                 const struct omni_value *data, omni_put_fn *done, void *arg)
{
    return instance->type->ops->put(instance->self, from_stage, to_stage, put_key, data, done, arg);
}

enum rt_status omni_instance_get(struct omni_instance *instance, const char *from_stage,
                                 const char *to_stage, struct rt_slice get_key, omni_get_fn *done,
                                 void *arg)
{
    return instance->type->ops->get(instance->self, from_stage, to_stage, get_key, done, arg);
}

enum rt_status omni_instance_get_with_deadline(struct omni_instance *instance,
                                               const char *from_stage, const char *to_stage,
                                               struct rt_slice get_key, uint64_t deadline_us,
                                               omni_get_fn *done, void *arg)
{
    const struct omni_connector_ops *ops = instance->type->ops;

    if (ops->get_with_deadline == NULL) {
        return RT_E_INVALID;
    }
    return ops->get_with_deadline(instance->self, from_stage, to_stage, get_key, deadline_us, done,
                                  arg);
}

const char *omni_instance_no_deadline_text(const struct omni_instance *instance)
{
    return instance->no_deadline_text[0] == '\0' ? NULL : instance->no_deadline_text;
}

void omni_instance_abandon_get(struct omni_instance *instance, struct rt_slice get_key)
{
    if (instance->type->ops->abandon_get != NULL) {
        instance->type->ops->abandon_get(instance->self, get_key);
    }
}

void omni_instance_reap_consumed(struct omni_instance *instance)
{
    if (instance->type->ops->reap_consumed != NULL) {
        instance->type->ops->reap_consumed(instance->self);
    }
}

void omni_instance_cleanup(struct omni_instance *instance, struct rt_slice request_id)
{
    instance->type->ops->cleanup(instance->self, request_id);
}

void omni_instance_health(const struct omni_instance *instance, struct omni_health *out_health)
{
    instance->type->ops->health(instance->self, out_health);
}

void omni_instance_close(struct omni_instance *instance)
{
    instance->type->ops->close(instance->self);
}

void omni_instance_destroy(struct omni_instance *instance)
{
    if (instance == NULL) {
        return;
    }
    instance->type->ops->destroy(instance->self);
    free(instance);
}

const struct omni_connector_type *omni_instance_type(const struct omni_instance *instance)
{
    return instance->type;
}

void *omni_instance_self(const struct omni_instance *instance)
{
    return instance->self;
}
