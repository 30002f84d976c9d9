/* SPDX-License-Identifier: Apache-2.0 */
#include "connector/omni_connector_set.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "connector/factory/omni_factory_internal.h"
#include "connector/omni_blocking_set.h"
#include "connector/transfer/omni_transfer_internal.h"

/*
 *   create --begin all--> MAKING --the last is made--> end: made(set)
 *      |                     '-----the first failure-> undo, end: made(text)
 *      '--an unknown name, or no edge--> end (a task)
 */

struct member {
    struct omni_connector_set *set;
    const struct omni_edge *edge;
    struct omni_creation *creation; /* while it is made */
    struct omni_instance *instance; /* afterwards */
    char *name;
};

struct omni_connector_set {
    const struct omni_factory *factory;
    const struct omni_transfer_config *config;
    struct member *members;
    size_t count;
    size_t made_count;
    struct rt_task end; /* for ends that no connector brings about */
    omni_set_made_fn *made;
    void *arg;
    char text[OMNI_SET_TEXT_BYTES]; /* "": no failure */
};

static struct omni_connector_set *new_set(const struct omni_transfer_config *config,
                                          const struct omni_environment *environment);
static enum rt_status begin(struct member *member, const struct omni_environment *environment);
static void on_made(void *arg, struct omni_instance *instance, const char *text);
static void on_end(void *arg);
static void undo(struct omni_connector_set *set);

enum rt_status omni_connector_set_create(const struct omni_factory *factory,
                                         const struct omni_transfer_config *config,
                                         const struct omni_environment *environment,
                                         omni_set_made_fn *made, void *arg,
                                         struct omni_connector_set **out_pending)
{
    struct omni_connector_set *set = new_set(config, environment);

    if (set == NULL) {
        return RT_E_NOMEM;
    }
    set->factory = factory;
    set->made = made;
    set->arg = arg;
    if (!omni__knows_all(factory, config, set->text, sizeof(set->text)) || set->count == 0) {
        rt_task_schedule(&set->end);
        *out_pending = set;
        return RT_OK;
    }
    for (size_t i = 0; i < set->count; i++) {
        enum rt_status status = begin(&set->members[i], environment);
        if (status != RT_OK) {
            omni_connector_set_destroy(set);
            return status;
        }
    }
    *out_pending = set;
    return RT_OK;
}

static struct omni_connector_set *new_set(const struct omni_transfer_config *config,
                                          const struct omni_environment *environment)
{
    struct omni_connector_set *set = calloc(1, sizeof(*set));

    if (set == NULL) {
        return NULL;
    }
    set->config = config;
    rt_task_init(&set->end, environment->ds.loop, on_end, set);
    set->count = omni_transfer_config_edge_count(config);
    set->members = calloc(set->count + 1, sizeof(set->members[0]));
    if (set->members == NULL) {
        free(set);
        return NULL;
    }
    for (size_t i = 0; i < set->count; i++) {
        set->members[i].set = set;
        set->members[i].edge = omni_transfer_config_edge_at(config, i);
    }
    return set;
}

/* Nothing is connected for a configuration that cannot succeed. */
bool omni__knows_all(const struct omni_factory *factory, const struct omni_transfer_config *config,
                     char *out_text, size_t text_bytes)
{
    char reason[OMNI_SET_TEXT_BYTES / 2];

    for (size_t i = 0; i < omni_transfer_config_edge_count(config); i++) {
        const struct omni_edge *edge = omni_transfer_config_edge_at(config, i);
        if (omni_factory_find(factory, edge->spec.name) == NULL) {
            omni_factory_unknown_text(factory, edge->spec.name, reason, sizeof(reason));
            omni__edge_failure(config, edge, reason, out_text, text_bytes);
            return false;
        }
    }
    return true;
}

void omni__edge_failure(const struct omni_transfer_config *config, const struct omni_edge *edge,
                        const char *reason, char *out_text, size_t text_bytes)
{
    (void)snprintf(out_text, text_bytes,
                   "Failed to initialize connector for edge %.100s->%.100s (%.400s:%" PRIu32
                   ":%" PRIu32 "): %s",
                   edge->from_stage, edge->to_stage, omni_transfer_config_path(config), edge->line,
                   edge->column, reason);
}

/* Its name is also its stream of randomness, so that adding an edge shifts nothing elsewhere. */
char *omni__member_name(const char *name, const struct omni_edge *edge)
{
    char *member_name = NULL;

    if (asprintf(&member_name, "%s.%s-%s", name == NULL ? "connector" : name, edge->from_stage,
                 edge->to_stage) < 0) {
        return NULL;
    }
    return member_name;
}

static enum rt_status begin(struct member *member, const struct omni_environment *environment)
{
    struct omni_environment own = *environment;

    member->name = omni__member_name(environment->ds.name, member->edge);
    if (member->name == NULL) {
        return RT_E_NOMEM;
    }
    own.ds.name = member->name;
    return omni_factory_begin(member->set->factory, &member->edge->spec, &own, on_made, member,
                              &member->creation);
}

static void on_made(void *arg, struct omni_instance *instance, const char *text)
{
    struct member *member = arg;
    struct omni_connector_set *set = member->set;

    member->creation = NULL;
    member->instance = instance;
    if (instance == NULL) {
        omni__edge_failure(set->config, member->edge, text, set->text, sizeof(set->text));
        on_end(set);
        return;
    }
    if (++set->made_count == set->count) {
        on_end(set);
    }
}

static void on_end(void *arg)
{
    struct omni_connector_set *set = arg;

    if (set->text[0] == '\0') {
        set->made(set->arg, set, NULL);
        return;
    }
    undo(set);
    set->made(set->arg, NULL, set->text);
    free(set);
}

/* The newest first. */
static void undo(struct omni_connector_set *set)
{
    for (size_t i = set->count; i-- > 0;) {
        omni_creation_cancel(set->members[i].creation);
        omni_instance_destroy(set->members[i].instance);
        free(set->members[i].name);
    }
    free(set->members);
    set->members = NULL;
    set->count = 0;
    rt_task_cancel(&set->end);
}

void omni_connector_set_destroy(struct omni_connector_set *set)
{
    if (set == NULL) {
        return;
    }
    undo(set);
    free(set);
}

/* ---- looking at it ------------------------------------------------------------------------- */

struct omni_instance *omni_connector_set_find(const struct omni_connector_set *set,
                                              const char *from_stage, const char *to_stage)
{
    const struct omni__edge *edge = omni__find_edge(set->config, from_stage, to_stage);

    return edge == NULL ? NULL : set->members[edge->number].instance;
}

size_t omni_connector_set_count(const struct omni_connector_set *set)
{
    return set->count;
}

struct omni_instance *omni_connector_set_at(const struct omni_connector_set *set, size_t index)
{
    return index < set->count ? set->members[index].instance : NULL;
}
