/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_WATCH_WATCH_SERVICE_H
#define FAKEETCD_WATCH_WATCH_SERVICE_H

#include "fakeetcd/kv/kv.h"
#include "fakeetcd/server/server_internal.h"
#include "runtime/table.h"

/*
 * The service Watch: streams, each with watches by id, each over a watcher of the hub.
 *
 *   create --> created, at once --> live events, one response a revision
 *                  `--> start in the past: history at the next sync, many revisions a response
 *                  `--> start compacted: canceled at the next sync
 */
struct fakeetcd__watch_stream {
    struct fakeetcd_call *call;
    struct fakeetcd__watch *watches; /* table by id */
    int64_t next_id;
    struct rt_timer progress_timer;
};

struct fakeetcd__watch {
    UT_hash_handle hh;
    uint64_t key; /* the id's bits */
    int64_t id;
    struct fakeetcd__watch_stream *stream;
    struct fakeetcd_watcher *watcher; /* NULL: behind a compaction, it gets nothing any more */
    bool is_over; /* canceled as compacted: etcd forgets the watcher, but not the id */
    bool has_prev_kv;
    bool has_progress;
    bool has_fragments;
    bool is_busy;     /* it had a response since the last progress turn */
    bool is_released; /* a fault has held this delivery: it is not asked again */
    struct fault_hold hold;
    struct rt_timer doom_timer; /* of a watch without a watcher */
};

/* Handlers of the method table. */
void fakeetcd__on_watch(struct fakeetcd_call *call, const ProtobufCMessage *request);
void fakeetcd__watch_half_closed(struct fakeetcd_call *call);
void fakeetcd__watch_gone(struct fakeetcd_call *call);
void fakeetcd__watch_drained(struct fakeetcd_call *call);

/* Those behind are looked after so often, and get so many revisions in one response. */
#define FAKEETCD__SYNC_US        UINT64_C(100000)
#define FAKEETCD__SYNC_REVISIONS 1000

struct fakeetcd__watch *fakeetcd__watch_find(struct fakeetcd__watch_stream *stream, int64_t id);
void fakeetcd__watch_remove(struct fakeetcd__watch *watch);
/* Canceled as compacted: etcd forgets the watcher, but not the id. */
void fakeetcd__watch_over(struct fakeetcd__watch *watch, int64_t compact_revision);

/* Once for a server, and for each new hub. */
void fakeetcd__watch_init(struct fakeetcd_server *server);
void fakeetcd__watch_attach(struct fakeetcd_server *server);
/* Watchers that are behind are looked after at once, not at the next sync. */
void fakeetcd__watch_sync_soon(struct fakeetcd_server *server);

/* ---- watch_send.c ---- */

/* `cancel_reason` NULL: it is not canceled. */
void fakeetcd__watch_send_created(struct fakeetcd_call *call, int64_t id,
                                  const char *cancel_reason);
void fakeetcd__watch_send_canceled(struct fakeetcd_call *call, int64_t id,
                                   int64_t compact_revision);
void fakeetcd__watch_send_progress(struct fakeetcd_call *call, int64_t id);
/* False: no memory. */
bool fakeetcd__watch_send_events(struct fakeetcd__watch *watch,
                                 const struct fakeetcd_delivery *delivery);

#endif
