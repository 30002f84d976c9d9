/* SPDX-License-Identifier: Apache-2.0 */
#include "connector/omni_blocking_set.h"

#include <stdio.h>
#include <stdlib.h>

#include "connector/factory/omni_factory_internal.h"
#include "connector/transfer/omni_transfer_internal.h"

struct omni_blocking_instance {
    const struct omni_blocking_ops *ops;
    void *self;
};

struct omni_blocking_set {
    const struct omni_transfer_config *config;
    struct omni_blocking_instance **instances; /* in the order of the edges */
    size_t count;                              /* made so far */
};

static enum rt_status make(const struct omni_connector_type *type,
                           const struct omni_connector_spec *spec,
                           const struct omni_blocking_config *config,
                           struct omni_blocking_instance *instance, char *out_text);
static enum rt_status add_member(struct omni_blocking_set *set, const struct omni_factory *factory,
                                 const struct omni_blocking_config *defaults, char *out_text);

/* ---- one ----------------------------------------------------------------------------------- */

enum rt_status omni_blocking_instance_create(const struct omni_factory *factory,
                                             const struct omni_connector_spec *spec,
                                             const struct omni_blocking_config *config,
                                             struct omni_blocking_instance **out_instance,
                                             char out_text[OMNI_SET_TEXT_BYTES])
{
    const struct omni_connector_type *type = omni_factory_find(factory, spec->name);
    struct omni_blocking_instance *instance = NULL;

    if (type == NULL) {
        omni_factory_unknown_text(factory, spec->name, out_text, OMNI_SET_TEXT_BYTES);
        return RT_E_INVALID;
    }
    if (type->blocking == NULL) {
        (void)snprintf(out_text, OMNI_SET_TEXT_BYTES,
                       "Failed to create connector %.200s: this type has no blocking form",
                       type->name);
        return RT_E_INVALID;
    }
    instance = calloc(1, sizeof(*instance));
    if (instance == NULL) {
        (void)snprintf(out_text, OMNI_SET_TEXT_BYTES, "%s", rt_status_text(RT_E_NOMEM));
        return RT_E_NOMEM;
    }
    enum rt_status status = make(type, spec, config, instance, out_text);
    if (status != RT_OK) {
        free(instance);
        return status;
    }
    *out_instance = instance;
    return RT_OK;
}

static enum rt_status make(const struct omni_connector_type *type,
                           const struct omni_connector_spec *spec,
                           const struct omni_blocking_config *config,
                           struct omni_blocking_instance *instance, char *out_text)
{
    char reason[OMNI_BLOCKING_TEXT_BYTES] = "";
    struct omni_blocking_config own = {0};

    if (config != NULL) {
        own = *config;
    }
    own.connector.extra = spec->extra;
    instance->ops = type->blocking;
    enum rt_status status = type->blocking->create(type, &own, &instance->self, reason);
    if (status != RT_OK) {
        (void)snprintf(out_text, OMNI_SET_TEXT_BYTES, "Failed to create connector %.200s: %s",
                       type->name, reason);
    }
    return status;
}

void omni_blocking_instance_destroy(struct omni_blocking_instance *instance)
{
    if (instance == NULL) {
        return;
    }
    instance->ops->destroy(instance->self);
    free(instance);
}

enum rt_status omni_blocking_instance_put(struct omni_blocking_instance *instance,
                                          const char *from_stage, const char *to_stage,
                                          struct rt_slice put_key, const struct omni_value *data,
                                          struct omni_call_result *out_result)
{
    return instance->ops->put(instance->self, from_stage, to_stage, put_key, data, out_result);
}

enum rt_status omni_blocking_instance_get(struct omni_blocking_instance *instance,
                                          const char *from_stage, const char *to_stage,
                                          struct rt_slice get_key,
                                          struct omni_call_result *out_result)
{
    return instance->ops->get(instance->self, from_stage, to_stage, get_key, out_result);
}

enum rt_status omni_blocking_instance_cleanup(struct omni_blocking_instance *instance,
                                              struct rt_slice request_id)
{
    return instance->ops->cleanup(instance->self, request_id);
}

enum rt_status omni_blocking_instance_health(struct omni_blocking_instance *instance,
                                             struct omni_blocking_health *out_health)
{
    return instance->ops->health(instance->self, out_health);
}

enum rt_status omni_blocking_instance_close(struct omni_blocking_instance *instance)
{
    return instance->ops->close(instance->self);
}

void *omni_blocking_instance_self(const struct omni_blocking_instance *instance)
{
    return instance->self;
}

/* ---- all of a configuration ---------------------------------------------------------------- */

enum rt_status omni_blocking_set_create(const struct omni_factory *factory,
                                        const struct omni_transfer_config *config,
                                        const struct omni_blocking_config *defaults,
                                        struct omni_blocking_set **out_set,
                                        char out_text[OMNI_SET_TEXT_BYTES])
{
    size_t edge_count = omni_transfer_config_edge_count(config);

    if (!omni__knows_all(factory, config, out_text, OMNI_SET_TEXT_BYTES)) {
        return RT_E_INVALID;
    }
    struct omni_blocking_set *set = calloc(1, sizeof(*set));
    if (set != NULL) {
        set->config = config;
        set->instances = calloc(edge_count + 1, sizeof(*set->instances));
    }
    if (set == NULL || set->instances == NULL) {
        free(set);
        (void)snprintf(out_text, OMNI_SET_TEXT_BYTES, "%s", rt_status_text(RT_E_NOMEM));
        return RT_E_NOMEM;
    }
    while (set->count < edge_count) {
        enum rt_status status = add_member(set, factory, defaults, out_text);
        if (status != RT_OK) {
            omni_blocking_set_destroy(set);
            return status;
        }
    }
    *out_set = set;
    return RT_OK;
}

/* The name is copied by whoever keeps it. */
static enum rt_status add_member(struct omni_blocking_set *set, const struct omni_factory *factory,
                                 const struct omni_blocking_config *defaults, char *out_text)
{
    const struct omni_edge *edge = omni_transfer_config_edge_at(set->config, set->count);
    struct omni_blocking_config own = {0};
    char reason[OMNI_SET_TEXT_BYTES] = "";

    if (defaults != NULL) {
        own = *defaults;
    }
    char *name = omni__member_name(own.name, edge);
    if (name == NULL) {
        (void)snprintf(out_text, OMNI_SET_TEXT_BYTES, "%s", rt_status_text(RT_E_NOMEM));
        return RT_E_NOMEM;
    }
    own.name = name;
    enum rt_status status = omni_blocking_instance_create(factory, &edge->spec, &own,
                                                          &set->instances[set->count], reason);
    free(name);
    if (status != RT_OK) {
        reason[OMNI_SET_TEXT_BYTES / 2] = '\0'; /* the edge comes before it */
        omni__edge_failure(set->config, edge, reason, out_text, OMNI_SET_TEXT_BYTES);
        return status;
    }
    set->count++;
    return RT_OK;
}

void omni_blocking_set_destroy(struct omni_blocking_set *set)
{
    if (set == NULL) {
        return;
    }
    while (set->count > 0) { /* the newest first */
        omni_blocking_instance_destroy(set->instances[--set->count]);
    }
    free(set->instances);
    free(set);
}

struct omni_blocking_instance *omni_blocking_set_find(const struct omni_blocking_set *set,
                                                      const char *from_stage, const char *to_stage)
{
    const struct omni__edge *edge = omni__find_edge(set->config, from_stage, to_stage);

    return edge == NULL ? NULL : set->instances[edge->number];
}

size_t omni_blocking_set_count(const struct omni_blocking_set *set)
{
    return set->count;
}

struct omni_blocking_instance *omni_blocking_set_at(const struct omni_blocking_set *set,
                                                    size_t index)
{
    return index < set->count ? set->instances[index] : NULL;
}
