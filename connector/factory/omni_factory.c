/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "connector/factory/omni_factory_internal.h"
#include "runtime/table.h"

/*
 * One connector is made:
 *
 *   begin --type->begin--> PENDING --omni_creation_end--> finish: made(instance or text)
 *     |                       '------cancel: type->give_up
 *     '--unknown name--> on_unknown (a task) --> finish
 */
#define TEXT_BYTES 1400U

struct entry {
    const struct omni_connector_type *type;
    UT_hash_handle hh;
};

struct omni_factory {
    struct entry *entries; /* in the order of registering */
};

struct omni_creation {
    const struct omni_connector_type *type; /* NULL: unknown */
    void *pending;
    struct omni_instance *instance; /* made room for, so that success cannot fail */
    struct rt_task unknown;
    omni_made_fn *made;
    void *arg;
    char text[TEXT_BYTES];
};

static struct omni_creation *new_creation(const struct omni_connector_type *type,
                                          const struct omni_environment *environment);
static void on_unknown(void *arg);
static void free_creation(struct omni_creation *creation);

/* ---- the registry -------------------------------------------------------------------------- */

enum rt_status omni_factory_create(struct omni_factory **out_factory)
{
    struct omni_factory *factory = calloc(1, sizeof(*factory));

    if (factory == NULL) {
        return RT_E_NOMEM;
    }
    for (size_t i = 0; i < OMNI_MODEL_COUNT; i++) {
        enum rt_status status = omni_factory_register(factory, omni__builtin_types[i]);
        if (status != RT_OK) {
            omni_factory_destroy(factory);
            return status;
        }
    }
    *out_factory = factory;
    return RT_OK;
}

void omni_factory_destroy(struct omni_factory *factory)
{
    struct entry *entry;
    struct entry *next;

    if (factory == NULL) {
        return;
    }
    RT_TABLE_EACH(entry, next, factory->entries)
    {
        RT_TABLE_REMOVE(factory->entries, entry);
        free(entry);
    }
    free(factory);
}

static bool is_complete(const struct omni_connector_type *type)
{
    const struct omni_connector_ops *ops = type->ops;

    return type->name != NULL && type->begin != NULL && type->give_up != NULL && ops != NULL &&
           ops->put != NULL && ops->get != NULL && ops->cleanup != NULL && ops->health != NULL &&
           ops->close != NULL && ops->destroy != NULL;
}

enum rt_status omni_factory_register(struct omni_factory *factory,
                                     const struct omni_connector_type *type)
{
    enum rt_status status = RT_OK;

    if (!is_complete(type)) {
        return RT_E_INVALID;
    }
    if (omni_factory_find(factory, type->name) != NULL) {
        return RT_E_EXISTS;
    }
    struct entry *entry = calloc(1, sizeof(*entry));
    if (entry == NULL) {
        return RT_E_NOMEM;
    }
    entry->type = type;
    RT_TABLE_ADD_BYTES(factory->entries, entry, type->name, strlen(type->name), &status);
    if (status != RT_OK) {
        free(entry);
    }
    return status;
}

const struct omni_connector_type *omni_factory_find(const struct omni_factory *factory,
                                                    const char *name)
{
    struct entry *entry = NULL;

    RT_TABLE_FIND_BYTES(factory->entries, name, strlen(name), entry);
    return entry == NULL ? NULL : entry->type;
}

void omni_factory_unknown_text(const struct omni_factory *factory, const char *name, char *out_text,
                               size_t text_bytes)
{
    struct entry *entry;
    struct entry *next;
    const char *comma = "";
    size_t used =
        (size_t)snprintf(out_text, text_bytes, "Unknown connector: %.200s. Available: [", name);

    RT_TABLE_EACH(entry, next, factory->entries)
    {
        if (used < text_bytes) {
            used += (size_t)snprintf(out_text + used, text_bytes - used, "%s'%.200s'", comma,
                                     entry->type->name);
        }
        comma = ", ";
    }
    if (used < text_bytes) {
        (void)snprintf(out_text + used, text_bytes - used, "]");
    }
}

/* ---- making one ---------------------------------------------------------------------------- */

enum rt_status omni_factory_begin(const struct omni_factory *factory,
                                  const struct omni_connector_spec *spec,
                                  const struct omni_environment *environment, omni_made_fn *made,
                                  void *arg, struct omni_creation **out_creation)
{
    const struct omni_connector_type *type = omni_factory_find(factory, spec->name);
    struct omni_creation *creation = new_creation(type, environment);

    if (creation == NULL) {
        return RT_E_NOMEM;
    }
    creation->made = made;
    creation->arg = arg;
    if (type == NULL) {
        omni_factory_unknown_text(factory, spec->name, creation->text, sizeof(creation->text));
        rt_task_schedule(&creation->unknown);
    } else {
        enum rt_status status =
            type->begin(type, environment, spec->extra, creation, &creation->pending);
        if (status != RT_OK) {
            free_creation(creation);
            return status;
        }
    }
    *out_creation = creation;
    return RT_OK;
}

static struct omni_creation *new_creation(const struct omni_connector_type *type,
                                          const struct omni_environment *environment)
{
    struct omni_creation *creation = calloc(1, sizeof(*creation));

    if (creation == NULL) {
        return NULL;
    }
    creation->type = type;
    rt_task_init(&creation->unknown, environment->ds.loop, on_unknown, creation);
    creation->instance = calloc(1, sizeof(*creation->instance));
    if (creation->instance == NULL) {
        free_creation(creation);
        return NULL;
    }
    return creation;
}

static void on_unknown(void *arg)
{
    struct omni_creation *creation = arg;

    creation->made(creation->arg, NULL, creation->text);
    free_creation(creation);
}

void omni_creation_end(struct omni_creation *creation, void *self, const char *text)
{
    struct omni_instance *instance = creation->instance;
    const struct omni_connector_type *type = creation->type;

    if (self == NULL) {
        (void)snprintf(creation->text, sizeof(creation->text),
                       "Failed to create connector %.200s: %s", type->name, text);
        creation->made(creation->arg, NULL, creation->text);
        free_creation(creation);
        return;
    }
    instance->type = type;
    instance->self = self;
    if (type->ops->get_with_deadline == NULL) {
        (void)snprintf(instance->no_deadline_text, sizeof(instance->no_deadline_text),
                       "%.100s does not support deadline-aware receive", type->name);
    }
    omni_made_fn *made = creation->made;
    void *arg = creation->arg;
    creation->instance = NULL;
    free_creation(creation);
    made(arg, instance, NULL);
}

void omni_creation_cancel(struct omni_creation *creation)
{
    if (creation == NULL) {
        return;
    }
    if (creation->type != NULL) {
        creation->type->give_up(creation->pending);
    }
    free_creation(creation);
}

static void free_creation(struct omni_creation *creation)
{
    rt_task_cancel(&creation->unknown);
    free(creation->instance);
    free(creation);
}
