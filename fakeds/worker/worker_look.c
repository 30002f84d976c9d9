/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/worker/worker_internal.h"

#include "fakeds/cluster/cluster.h"

#include <stdio.h>

/* Small questions, from outside and inside, and the worker's own lines of the journal. */

#define EVENT_BYTES 160

const char *fakeds_worker_address(const struct fakeds_worker *worker)
{
    return worker->address;
}

const char *fakeds_worker_name(const struct fakeds_worker *worker)
{
    return worker->options.name;
}

bool fakeds_worker_is_running(const struct fakeds_worker *worker)
{
    return worker->listener != NULL;
}

void fakeds_worker_op_counts(const struct fakeds_worker *worker, enum dsrpc_op op,
                             struct fakeds_op_counts *out_counts)
{
    *out_counts = worker->ops[op];
}

void fakeds_worker_counts(const struct fakeds_worker *worker, struct fakeds_counts *out_counts)
{
    *out_counts = worker->counts;
    out_counts->clients = fakeds__clients_count(&worker->clients);
    out_counts->objects = fakeds__store_count(&worker->store);
    out_counts->memory_bytes = worker->store.used_bytes;
    if (worker->cluster != NULL) {
        fakeds__cluster_counts(worker->cluster, &out_counts->members, &out_counts->ring_workers);
    }
}

bool fakeds_worker_find(const struct fakeds_worker *worker, struct rt_slice key,
                        struct fakeds_object *out_object)
{
    const struct fakeds__object *object = fakeds__store_find(&worker->store, key);
    if (object == NULL) {
        return false;
    }
    const struct fakeds__content *content = object->content;
    *out_object = (struct fakeds_object){
        .key = object->key,
        .size_bytes = content->size_bytes,
        .write_mode = content->write_mode,
        .expires_us = object->expires_us,
        .value = content->blob_count == 1 ? content->blobs[0] : NULL,
    };
    return true;
}

enum rt_status fakeds_worker_evict(struct fakeds_worker *worker, struct rt_slice key)
{
    struct fakeds__object *object = fakeds__store_find(&worker->store, key);
    if (object == NULL) {
        return RT_E_NOT_FOUND;
    }
    worker->counts.evictions++;
    fakeds__event(worker, "evicted", object->key, "by the scenario");
    if (worker->cluster != NULL) {
        fakeds__cluster_lost(worker->cluster, object);
    }
    fakeds__store_remove(&worker->store, object);
    return RT_OK;
}

/* ---- inside --------------------------------------------------------------------------------- */

uint64_t fakeds__now_us(const struct fakeds_worker *worker)
{
    return rt_loop_now_us(worker->environment.loop);
}

bool fakeds__is_ready(const struct fakeds_worker *worker)
{
    return fakeds__now_us(worker) >= worker->ready_us &&
           (worker->cluster == NULL || fakeds__cluster_is_ready(worker->cluster));
}

void fakeds__fresh_memory(struct fakeds_worker *worker)
{
    dsrpc_arena_reset(worker->arena);
    fakeds__scratch_reset(&worker->scratch);
}

const char *const fakeds_events[] = {"killed", "restarted", "ready", "evicted", "expired", NULL};

const char *const fakeds_etcd_events[] = {
    "registered", "start-failed", "lease-granted", "lease-lost", "lease-expired", "recovered",
    "etcd-lost",  "etcd-found",   "isolated",      "left",       "exiting",       "handed-over",
    NULL,
};

void fakeds__event(struct fakeds_worker *worker, const char *what, struct rt_slice key,
                   const char *detail)
{
    char name[EVENT_BYTES];
    if (worker->environment.journal == NULL && worker->environment.faults == NULL) {
        return;
    }
    snprintf(name, sizeof(name), "%s.%s", worker->options.name, what);
    struct rt_record record = {.kind = RT_REC_EVENT,
                               .actor = worker->options.name,
                               .subject = name,
                               .key = key,
                               .detail = detail};
    rt_journal_append(worker->environment.journal, &record);
    fault_event(worker->environment.faults, name);
}

void fakeds__record_state(struct fakeds_worker *worker, const char *subject, const char *detail)
{
    struct rt_record record = {
        .kind = RT_REC_STATE, .actor = worker->options.name, .subject = subject, .detail = detail};
    rt_journal_append(worker->environment.journal, &record);
}
