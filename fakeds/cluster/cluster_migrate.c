/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/cluster/cluster_internal.h"

#include <inttypes.h>
#include <stdio.h>

/*
 *   TAKE to whoever owns the keys now --answers--> what was taken is gone from here
 *      ^                                               |
 *      '------ what is left, to the next worker <------'   once around the ring
 *
 * A value that another worker has a copy of is not sent.
 */
static void begin_round(struct fakeds__cluster *cluster);
static bool is_receiver(struct fakeds__cluster *cluster, const struct fakeds__link *link,
                        struct rt_slice key);
static void on_taken(void *arg, int32_t code, const DsPeer__Response *response,
                     struct rt_blob *value);
static void let_go(struct fakeds__cluster *cluster, const DsPeer__Object *taken);
static void end_round(struct fakeds__cluster *cluster);
static void end(struct fakeds__cluster *cluster);

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
    uint64_t deadline_us = fakeds__now_us(cluster->worker) + TAKE_US;
    cluster->migrate_pending_count = 1;
    for (size_t i = 0; i < view->worker_count; i++) {
        struct fakeds__link *link = fakeds__link_of(cluster, rt_slice_text(view->workers[i]));
        if (link != NULL && !link->is_self) {
            cluster->migrate_pending_count +=
                fakeds__ask_about_held(cluster, link, DS_PEER__REQUEST__KIND__TAKE, is_receiver,
                                       deadline_us, on_taken, cluster);
        }
    }
    end_round(cluster);
}

/* In the first round the owner of the key, then who comes behind it in the list of workers. */
static bool is_receiver(struct fakeds__cluster *cluster, const struct fakeds__link *link,
                        struct rt_slice key)
{
    const struct fakeds__view *view = fakeds__membership_view(cluster->membership);
    const char *owner = fakeds__view_owner(view, key);
    for (size_t i = 0; i < view->worker_count && owner != NULL; i++) {
        if (strcmp(view->workers[i], owner) == 0) {
            size_t index = (i + cluster->migrate_round) % view->worker_count;
            return strcmp(view->workers[index], link->address) == 0;
        }
    }
    return false;
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
