/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/cluster/cluster_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/*
 *   TAKE to whoever owns the keys now --answers--> what was taken is gone from here
 *      ^                                               |
 *      '------ what is left, to the next worker <------'   once around the ring
 *
 * A value that another worker has a copy of is not sent.
 */
static void begin_round(struct fakeds__cluster *cluster);
static void ask(struct fakeds__cluster *cluster, struct fakeds__link *link);
static void offer(struct fakeds__cluster *cluster, struct fakeds__link *link,
                  DsPeer__Request *request);
static struct fakeds__link *receiver(struct fakeds__cluster *cluster, struct rt_slice key);
static void on_taken(void *arg, int32_t code, const DsPeer__Response *response,
                     struct rt_blob *value);
static void let_go(struct fakeds__cluster *cluster, const DsPeer__Object *taken);
static void end_round(struct fakeds__cluster *cluster);
static void end(struct fakeds__cluster *cluster);

enum { TAKE_COUNT = 256 }; /* in one question */
#define TAKE_US    (UINT64_C(60) * 1000000)
#define TEXT_BYTES 80

void fakeds__migrate(struct fakeds__cluster *cluster)
{
    cluster->migrate_round = 0;
    cluster->migrated_count = 0;
    begin_round(cluster);
}

static void begin_round(struct fakeds__cluster *cluster)
{
    const struct fakeds__view *view = fakeds__membership_view(cluster->membership);
    cluster->migrate_pending_count = 1;
    for (size_t i = 0; i < view->worker_count; i++) {
        struct fakeds__link *link = fakeds__link_of(cluster, rt_slice_text(view->workers[i]));
        if (link != NULL && !link->is_self) {
            ask(cluster, link);
        }
    }
    end_round(cluster);
}

/* All that this worker is to have now, in questions of many keys. */
static void ask(struct fakeds__cluster *cluster, struct fakeds__link *link)
{
    DsPeer__Object *objects = calloc(TAKE_COUNT, sizeof(*objects));
    DsPeer__Object **pointers = calloc(TAKE_COUNT, sizeof(DsPeer__Object *));
    DsPeer__Request request = DS_PEER__REQUEST__INIT;
    uint64_t now_us = fakeds__now_us(cluster->worker);
    struct fakeds__object *object;
    struct fakeds__object *next;
    request.kind = DS_PEER__REQUEST__KIND__TAKE;
    request.objects = pointers;
    RT_TABLE_EACH(object, next, cluster->worker->store.objects)
    {
        if (objects == NULL || pointers == NULL || receiver(cluster, object->key) != link) {
            continue;
        }
        pointers[request.n_objects] = &objects[request.n_objects];
        fakeds__describe(object, now_us, &objects[request.n_objects++]);
        if (request.n_objects == TAKE_COUNT) {
            offer(cluster, link, &request);
        }
    }
    if (request.n_objects > 0) {
        offer(cluster, link, &request);
    }
    free(objects);
    free(pointers);
}

static void offer(struct fakeds__cluster *cluster, struct fakeds__link *link,
                  DsPeer__Request *request)
{
    uint64_t deadline_us = fakeds__now_us(cluster->worker) + TAKE_US;
    if (fakeds__ask(cluster, link, request, deadline_us, on_taken, cluster) != NULL) {
        cluster->migrate_pending_count++;
    }
    request->n_objects = 0;
}

/* In the first round the owner of the key, then who comes behind it in the list of workers. */
static struct fakeds__link *receiver(struct fakeds__cluster *cluster, struct rt_slice key)
{
    const struct fakeds__view *view = fakeds__membership_view(cluster->membership);
    const char *owner = fakeds__view_owner(view, key);
    for (size_t i = 0; i < view->worker_count && owner != NULL; i++) {
        if (strcmp(view->workers[i], owner) == 0) {
            size_t index = (i + cluster->migrate_round) % view->worker_count;
            return fakeds__link_of(cluster, rt_slice_text(view->workers[index]));
        }
    }
    return NULL;
}

static void on_taken(void *arg, int32_t code, const DsPeer__Response *response,
                     struct rt_blob *value)
{
    struct fakeds__cluster *cluster = arg;
    (void)value;
    for (size_t i = 0; code == GRPC_OK && i < response->n_objects; i++) {
        if (response->objects[i]->is_found) {
            let_go(cluster, response->objects[i]);
        }
    }
    end_round(cluster);
}

/* Its owner is told that it is not here any more. */
static void let_go(struct fakeds__cluster *cluster, const DsPeer__Object *taken)
{
    struct fakeds__store *store = &cluster->worker->store;
    struct fakeds__object *object = fakeds__store_find(store, pb_slice(taken->key));
    if (object != NULL) {
        fakeds__cluster_lost(cluster, object);
        fakeds__store_remove(store, object);
        cluster->migrated_count++;
    }
}

static void end_round(struct fakeds__cluster *cluster)
{
    const struct fakeds__view *view = fakeds__membership_view(cluster->membership);
    if (--cluster->migrate_pending_count > 0) {
        return;
    }
    if (cluster->worker->store.objects == NULL || ++cluster->migrate_round >= view->worker_count) {
        end(cluster);
    } else {
        begin_round(cluster);
    }
}

static void end(struct fakeds__cluster *cluster)
{
    char text[TEXT_BYTES];
    snprintf(text, sizeof(text), "%" PRIu64 " values are elsewhere, %zu are lost",
             cluster->migrated_count, RT_TABLE_COUNT(cluster->worker->store.objects));
    fakeds__membership_moved(cluster->membership);
    fakeds__event(cluster->worker, "handed-over", rt_slice_text(""), text); /* last */
}
