/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEDS_MEMBERSHIP_MEMBERSHIP_INTERNAL_H
#define FAKEDS_MEMBERSHIP_MEMBERSHIP_INTERNAL_H

#include "fakeds/arm.h"
#include "fakeds/membership/membership.h"
#include "runtime/random.h"
#include "wire/etcd/etcd_client.h"
#include "wire/proto/hash_ring.pb-c.h"
#include "wire/protobuf_bytes.h"

#include <bsd/sys/queue.h>

/*
 *   membership_start.c   the order of the start
 *   membership_ring.c    changes of the ring, by compare and put; its parts:
 * membership_ring_message.c membership_lease.c   grant, keepalive, what is lost and regained
 *   membership_watch.c   what others do; health poll and compensation
 *   membership_exit.c    the end that hands over first; what it writes: membership_exit_ring.c
 */
enum fakeds__prefix { FAKEDS__PREFIX_GROUP, FAKEDS__PREFIX_CLUSTER, FAKEDS__PREFIX_RING };
enum { FAKEDS__PREFIX_COUNT = 3, FAKEDS__KEY_BYTES = 640 };

/* Changes `ring`. False: it is right as it is. */
typedef bool fakeds__ring_edit_fn(const struct fakeds__membership *membership,
                                  DsRing__HashRingPb *ring);

/* Steps of a scale-in, in their order. */
enum fakeds__exit_step {
    FAKEDS__EXIT_TELL,
    FAKEDS__EXIT_MARK,
    FAKEDS__EXIT_SETTLE,
    FAKEDS__EXIT_SHARE,
    FAKEDS__EXIT_BARE,
    FAKEDS__EXIT_MOVE,
    FAKEDS__EXIT_REMOVE,
    FAKEDS__EXIT_DELETE
};

TAILQ_HEAD(fakeds__probe_list, fakeds__probe);
TAILQ_HEAD(fakeds__departure_list, fakeds__departure);

struct fakeds__membership {
    struct rt_loop *loop;
    struct fakeds__membership_options options; /* its texts are owned */
    const struct fakeds__membership_handler *handler;
    void *arg;
    struct etcd_client *etcd;
    struct rt_random random;
    struct fakeds__view view;
    uint64_t epoch_ns;   /* of the loop's clock */
    bool *was_destroyed; /* not NULL while a handler runs */

    char prefixes[FAKEDS__PREFIX_COUNT][FAKEDS__KEY_BYTES]; /* with the slash at the end */
    char own_key[FAKEDS__KEY_BYTES];

    enum { STARTING, JOINED, EXITING, FAILED, LEAVING } phase;
    enum etcd_member_state own_state; /* as last put */
    bool is_recovering;               /* `recover` is written, not yet seen by the watch */
    uint64_t own_time_ns; /* of the last start, restart or recover; `ready` repeats it */
    struct rt_timer step_timer;
    bool has_tokens; /* of a worker that joins: JOINING stands in the ring */
    const char *fail_text;
    struct rt_task fail_task; /* memory was short */
    unsigned watch_count;     /* watches that say `created` */
    int64_t revision;         /* of the listing that the watches go on from */

    /* A change of the ring under way. */
    fakeds__ring_edit_fn *edit;
    void (*edited)(struct fakeds__membership *membership, bool is_done);
    unsigned edit_tries;
    uint8_t *edit_bytes;
    size_t edit_len_bytes;
    struct rt_timer edit_timer;

    int64_t lease;
    bool is_expired;
    struct etcd_stream *keepalive;
    struct etcd_call *own_put; /* of the state, under way */
    struct rt_timer keepalive_timer;
    struct rt_timer expired_timer;
    struct rt_timer grant_timer;

    struct etcd_stream *watch;
    unsigned listed_count; /* prefixes listed so far, of a listing under way */
    bool is_listing_for_watch;
    struct rt_timer watch_timer;
    struct rt_timer health_timer;
    struct rt_timer compensation_timer;
    struct rt_timer bury_timer;
    bool is_etcd_lost;

    struct fakeds__probe_list probes; /* under way */
    struct fakeds__departure_list departures;

    rt_task_fn *left;
    void *left_arg;
    uint64_t leave_deadline_us;
    struct rt_timer leave_timer;

    enum fakeds__exit_step exit_step;
    uint64_t exit_deadline_us; /* of this step */
    struct rt_timer exit_timer;
};

/* Runs a handler's function; true: the membership is gone, touch nothing. */
bool fakeds__membership_say(struct fakeds__membership *membership, const char *what);
bool fakeds__membership_say_view(struct fakeds__membership *membership);

/* So long is tried what etcd does not take at the end: min(node_timeout, 180 s). */
uint64_t fakeds__leave_limit_us(const struct fakeds__membership *membership);

/* Timers of each part. */
void fakeds__start_init(struct fakeds__membership *membership);
void fakeds__ring_init(struct fakeds__membership *membership);
void fakeds__lease_init(struct fakeds__membership *membership);
void fakeds__watch_init(struct fakeds__membership *membership);

/* The start, from the first question on. */
void fakeds__start_begin(struct fakeds__membership *membership);
void fakeds__start_watching(struct fakeds__membership *membership); /* all watches are there */
void fakeds__start_leased(struct fakeds__membership *membership);   /* the first lease is there */
void fakeds__start_fail(struct fakeds__membership *membership, const char *cause);

/* Reads the ring, changes it and puts it back if nobody else did meanwhile; up to 10 times. */
void fakeds__ring_change(struct fakeds__membership *membership, fakeds__ring_edit_fn *edit,
                         void (*edited)(struct fakeds__membership *membership, bool is_done));
fakeds__ring_edit_fn fakeds__ring_register; /* the own worker is in it */
fakeds__ring_edit_fn fakeds__ring_start;    /* tokens for all (first), or for the one that joins */
fakeds__ring_edit_fn fakeds__ring_join;     /* JOINING becomes ACTIVE */
fakeds__ring_edit_fn fakeds__ring_bury;     /* without those who are gone too long */
/* Of a worker that hands over (membership_exit_ring.c). */
fakeds__ring_edit_fn fakeds__ring_mark, fakeds__ring_share, fakeds__ring_bare,
    fakeds__ring_take_out;
enum fakeds__ring_place { FAKEDS__RING_NEW, FAKEDS__RING_JOINS, FAKEDS__RING_ACTIVE };
enum fakeds__ring_place fakeds__ring_place(const struct fakeds__membership *membership);
/* A change under way is given up. */
void fakeds__ring_stop(struct fakeds__membership *membership);

/* ---- messages of a ring (membership_ring_message.c) ---- */

/* The worker at `address`, and this one; NULL: it is not in it. */
DsRing__WorkerPb *fakeds__ring_find(const DsRing__HashRingPb *ring, struct rt_slice address);
DsRing__WorkerPb *fakeds__ring_own(const struct fakeds__membership *membership,
                                   const DsRing__HashRingPb *ring);
/* Without the workers that `choose` picks; the ranges of one that was leaving go with it. False:
 * nobody was picked. */
typedef bool fakeds__ring_choose_fn(const struct fakeds__membership *membership,
                                    struct rt_slice address);
bool fakeds__ring_drop(const struct fakeds__membership *membership, DsRing__HashRingPb *ring,
                       fakeds__ring_choose_fn *choose);
/* Nobody is on the move any more. */
void fakeds__ring_forget_ranges(DsRing__HashRingPb *ring);
/* A new message at the end of the repeated field whose list is at `list_at`, a new message by
 * itself, a copy of `bytes` in place of what is there. NULL, false: no memory. */
void *fakeds__ring_append(const ProtobufCMessageDescriptor *type, void *list_at, size_t *count);
void *fakeds__ring_make(const ProtobufCMessageDescriptor *type);
bool fakeds__ring_set_bytes(ProtobufCBinaryData *data, struct rt_slice bytes);

void fakeds__exit_init(struct fakeds__membership *membership);
void fakeds__exit_stop(struct fakeds__membership *membership);
/* The view has changed: what was waited for may have come. */
void fakeds__exit_look(struct fakeds__membership *membership);

void fakeds__lease_begin(struct fakeds__membership *membership);
void fakeds__lease_stop(struct fakeds__membership *membership);
void fakeds__lease_seen(struct fakeds__membership *membership);
void fakeds__lease_put_state(struct fakeds__membership *membership, enum etcd_member_state state,
                             etcd_done_fn *done);

/* Watches everything from `revision` + 1 on. */
void fakeds__watch_open(struct fakeds__membership *membership);
void fakeds__watch_stop(struct fakeds__membership *membership);
void fakeds__watch_fini(struct fakeds__membership *membership);
/* Health poll and compensation: the worker is ready. */
void fakeds__watch_settle(struct fakeds__membership *membership);
/* One key of a listing or an event. */
void fakeds__watch_apply(struct fakeds__membership *membership, struct rt_slice key,
                         const Mvccpb__KeyValue *kv);

/* The key behind the last one with this prefix, as etcd counts: the last byte plus one. */
static inline struct rt_slice fakeds__prefix_end(struct rt_slice prefix,
                                                 char out_end[FAKEDS__KEY_BYTES])
{
    memcpy(out_end, prefix.data, prefix.len_bytes);
    out_end[prefix.len_bytes - 1]++;
    return rt_slice_of(out_end, prefix.len_bytes);
}

#endif
