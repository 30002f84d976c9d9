/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_LOCK_CONTENDER_H
#define FAKEETCD_LOCK_CONTENDER_H

#include "fakeetcd/kv/kv.h"

#include <bsd/sys/tree.h>

/*
 * Locks and elections are one recipe of etcd's: who wants a name puts the key `name/<lease>` and
 * has it when no key below `name/` was created earlier.
 *
 *   enter: session, key --> first: on_turn at once
 *                     `---> WAITING --> everything earlier is gone: on_turn
 *                                `----> its call is gone: its key is deleted
 *
 * All who wait for one name share a queue, which knows the keys below the name in the order of
 * their creation; a change costs the logarithm of the keys, whoever made it.
 */
struct fakeetcd__queue;
struct fakeetcd__contender;

/* It is its turn; it has left the queue. `is_at_once`: it did not have to wait. Answers. */
typedef void fakeetcd__turn_fn(struct fakeetcd__contender *contender, bool is_at_once);

struct fakeetcd__contender {
    TAILQ_ENTRY(fakeetcd__contender) others; /* of the server */
    RB_ENTRY(fakeetcd__contender) entry;     /* of those who wait in the queue */
    struct fakeetcd_server *server;
    struct fakeetcd_call *call;    /* NULL: gone, its key is about to be deleted */
    struct fakeetcd__queue *queue; /* NULL: it has left */
    bool is_waiting;
    uint64_t number;  /* of its call: the order of those with one key */
    int64_t revision; /* of its key's creation */
    int64_t lease;
    int64_t header_revision; /* when it entered */
    fakeetcd__turn_fn *on_turn;
    struct rt_task withdrawal;
    struct rt_slice name; /* both in bytes */
    struct rt_slice key;
    uint8_t bytes[];
};

/*
 * The call contends for `name` from now on; call->state is its contender. Ends with on_turn, or
 * with a failure of the call. `value` is the key's; without one a key that is there is left as it
 * is. `lease` 0: a session lease of 60 s, which nobody keeps alive, as in etcd.
 */
void fakeetcd__contend(struct fakeetcd_call *call, struct rt_slice name, int64_t lease,
                       const struct rt_slice *value, fakeetcd__turn_fn *on_turn);
void fakeetcd__contender_drop(struct fakeetcd_call *call);
void fakeetcd__observer_drop(struct fakeetcd_call *call); /* election_observe.c */

/* After a server died: nobody deletes anything any more. */
void fakeetcd__contenders_stop(struct fakeetcd_server *server);

/* ---- what both services say ---- */

/* The recipes' errors come through etcd's own client, which loses their codes: 2, and the text. */
void fakeetcd__recipe_fail(struct fakeetcd_call *call, enum fakeetcd_error error);
enum fakeetcd_error fakeetcd__session_lease(struct fakeetcd_call *call, int64_t *io_lease);
/* `put` or `deletion` (the other is NULL) if the key was created at `revision`. */
enum fakeetcd_error fakeetcd__run_if_created(struct fakeetcd_call *call, int64_t revision,
                                             Etcdserverpb__PutRequest *put,
                                             Etcdserverpb__DeleteRangeRequest *deletion,
                                             bool *out_is_done);
/* May the call read everything below the name? */
enum fakeetcd_error fakeetcd__may_read_below(struct fakeetcd_call *call, struct rt_slice name);

/* ---- contender_queue.c ---- */

/* The queue of `name`, made if there is none; each join has its leave. FAKEETCD_E_NOMEM. */
enum fakeetcd_error fakeetcd__queue_join(struct fakeetcd_server *server, struct rt_slice name,
                                         struct fakeetcd__queue **out_queue);
void fakeetcd__queue_leave(struct fakeetcd__queue *queue);
/* The key created first; of several the first by name. False: none is there. Borrowed until the
 * next write. */
bool fakeetcd__queue_first(const struct fakeetcd__queue *queue, struct fakeetcd_kv *out_kv);
/* Is everything created before `revision` gone? */
bool fakeetcd__queue_is_first(const struct fakeetcd__queue *queue, int64_t revision);
void fakeetcd__queue_wait(struct fakeetcd__contender *contender);
void fakeetcd__queue_give_up(struct fakeetcd__contender *contender);
/* What is below the name. */
const struct fakeetcd_interval *fakeetcd__queue_interval(const struct fakeetcd__queue *queue);

#endif
