/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/membership/membership_internal.h"

#include <stdlib.h>

/*
 * The end that hands over first, step by step as the real worker was seen to go:
 *
 *   TELL    put of `exiting`; with its answer the worker is not ready any more
 *   MARK    ring: need_scale_down
 *   SETTLE  while somebody else joins or leaves, nobody may begin to
 *   SHARE   ring: LEAVING, and which of its keys go to whom
 *   BARE    ring: no tokens any more, and who answers for its UUID
 *   MOVE    its values go where its keys went: the cluster's part
 *   REMOVE  1 s later; ring: without it
 *   DELETE  1 s later; the key goes, as at any other end
 *
 * A step that etcd does not take is tried again a second later, for min(node_timeout, 180 s); then
 * the worker ends all the same. The real one writes the ring between SHARE and BARE once more
 * for each worker that has got its keys; here all have got them when they read that they have.
 */
static void begin_step(struct fakeds__membership *membership, enum fakeds__exit_step step);
static void on_exit_timer(void *arg);
static void on_told(void *arg, const struct etcd_result *result);
static void on_edited(struct fakeds__membership *membership, bool is_done);
static enum fakeds__exit_step step_behind_share(const struct fakeds__membership *membership);
static fakeds__ring_edit_fn mark, share, bare, take_out;
static bool share_tokens(DsRing__HashRingPb *ring, struct rt_slice own, DsRing__WorkerPb *worker);
static struct rt_slice token_owner(const DsRing__HashRingPb *ring, uint32_t position,
                                   struct rt_slice but);
static uint32_t token_before(const DsRing__HashRingPb *ring, uint32_t position);
static struct rt_slice uuid_owner(const DsRing__HashRingPb *ring, uint32_t hash,
                                  struct rt_slice but);
static bool add_range(DsRing__HashRingPb *ring, struct rt_slice from_worker,
                      struct rt_slice to_worker, uint32_t from, uint32_t end);
static bool add_successor(const struct fakeds__membership *membership, DsRing__HashRingPb *ring,
                          const DsRing__WorkerPb *worker);
static void *append(const ProtobufCMessageDescriptor *type, void *list_at, size_t *count);
static bool set_bytes(ProtobufCBinaryData *data, struct rt_slice bytes);

#define SECOND_US     UINT64_C(1000000)
#define LEAVE_LIMIT_S 180
#define NS_PER_US     1000
static const struct rt_slice NO_BYTES = {0};

void fakeds__exit_init(struct fakeds__membership *membership)
{
    rt_timer_init(&membership->exit_timer, membership->loop, on_exit_timer, membership);
}

void fakeds__exit_stop(struct fakeds__membership *membership)
{
    rt_timer_disarm(&membership->exit_timer);
}

void fakeds__membership_scale_in(struct fakeds__membership *membership, rt_task_fn *done, void *arg)
{
    if (membership->phase != JOINED) {
        fakeds__membership_leave(membership, done, arg);
        return;
    }
    membership->phase = EXITING;
    membership->left = done;
    membership->left_arg = arg;
    membership->edit = NULL; /* a change for the good of others is theirs to make now */
    membership->edited = NULL;
    rt_timer_disarm(&membership->edit_timer);
    begin_step(membership, FAKEDS__EXIT_TELL);
}

bool fakeds__membership_is_exiting(const struct fakeds__membership *membership)
{
    return membership->phase == EXITING;
}

void fakeds__membership_moved(struct fakeds__membership *membership)
{
    if (membership->phase == EXITING && membership->exit_step == FAKEDS__EXIT_MOVE) {
        begin_step(membership, FAKEDS__EXIT_REMOVE);
    }
}

/* What others do takes its time, up to the burial of one that died on its way. */
static void begin_step(struct fakeds__membership *membership, enum fakeds__exit_step step)
{
    const struct fakeds__membership_options *options = &membership->options;
    bool is_late = step == FAKEDS__EXIT_REMOVE || step == FAKEDS__EXIT_DELETE;
    uint64_t delay_us = is_late ? SECOND_US : 0;
    uint64_t limit_s =
        options->node_timeout_s < LEAVE_LIMIT_S ? options->node_timeout_s : LEAVE_LIMIT_S;
    if (step == FAKEDS__EXIT_SETTLE) {
        limit_s = options->node_timeout_s + options->node_dead_timeout_s;
    }
    membership->exit_step = step;
    membership->exit_deadline_us =
        rt_loop_now_us(membership->loop) + delay_us + limit_s * SECOND_US;
    if (step != FAKEDS__EXIT_MOVE) {
        fakeds__arm(&membership->exit_timer, delay_us);
    } else {
        rt_timer_disarm(&membership->exit_timer);
        membership->handler->on_move(membership->arg);
    }
}

static void on_exit_timer(void *arg)
{
    static fakeds__ring_edit_fn *const EDITS[] = {[FAKEDS__EXIT_MARK] = mark,
                                                  [FAKEDS__EXIT_SHARE] = share,
                                                  [FAKEDS__EXIT_BARE] = bare,
                                                  [FAKEDS__EXIT_REMOVE] = take_out};
    struct fakeds__membership *membership = arg;
    enum fakeds__exit_step step = membership->exit_step;
    if (step == FAKEDS__EXIT_DELETE ||
        rt_loop_now_us(membership->loop) >= membership->exit_deadline_us) {
        fakeds__membership_leave(membership, membership->left, membership->left_arg);
        return;
    }
    fakeds__arm(&membership->exit_timer,
                membership->exit_deadline_us - rt_loop_now_us(membership->loop));
    if (step == FAKEDS__EXIT_SETTLE) {
        fakeds__exit_look(membership);
    } else if (step != FAKEDS__EXIT_TELL) {
        fakeds__ring_change(membership, EDITS[step], on_edited);
    } else {
        fakeds__lease_put_state(membership, ETCD_MEMBER_EXITING, on_told);
        if (membership->own_put == NULL) {
            fakeds__arm(&membership->exit_timer, SECOND_US); /* memory was short */
        }
    }
}

static void on_told(void *arg, const struct etcd_result *result)
{
    struct fakeds__membership *membership = arg;
    membership->own_put = NULL;
    if (result->code != GRPC_OK) {
        fakeds__arm(&membership->exit_timer, SECOND_US);
        return;
    }
    begin_step(membership, FAKEDS__EXIT_MARK);
    (void)fakeds__membership_say(membership, "exiting"); /* last: it may be gone */
}

void fakeds__exit_look(struct fakeds__membership *membership)
{
    if (membership->phase == EXITING && membership->exit_step == FAKEDS__EXIT_SETTLE &&
        !membership->view.is_changing) {
        begin_step(membership, FAKEDS__EXIT_SHARE);
    }
}

static void on_edited(struct fakeds__membership *membership, bool is_done)
{
    static const enum fakeds__exit_step NEXT[] = {[FAKEDS__EXIT_MARK] = FAKEDS__EXIT_SETTLE,
                                                  [FAKEDS__EXIT_BARE] = FAKEDS__EXIT_MOVE,
                                                  [FAKEDS__EXIT_REMOVE] = FAKEDS__EXIT_DELETE};
    if (!is_done) {
        fakeds__arm(&membership->exit_timer, SECOND_US);
    } else if (membership->exit_step == FAKEDS__EXIT_SHARE) {
        begin_step(membership, step_behind_share(membership));
    } else {
        begin_step(membership, NEXT[membership->exit_step]);
    }
}

/* Somebody else was first: again when that is over. A ring without this worker has no place for it
 * to give up, only values to give away. */
static enum fakeds__exit_step step_behind_share(const struct fakeds__membership *membership)
{
    const struct fakeds__view *view = &membership->view;
    if (view->leaver != NULL && strcmp(view->leaver, membership->options.worker_address) == 0) {
        return FAKEDS__EXIT_BARE;
    }
    return view->is_changing ? FAKEDS__EXIT_SETTLE : FAKEDS__EXIT_MOVE;
}

/* ---- edits ---------------------------------------------------------------------------------- */

static struct rt_slice own_address(const struct fakeds__membership *membership)
{
    return rt_slice_text(membership->options.worker_address);
}

static bool mark(const struct fakeds__membership *membership, DsRing__HashRingPb *ring)
{
    DsRing__WorkerPb *worker = fakeds__ring_find(ring, own_address(membership));
    if (worker == NULL || worker->need_scale_down) {
        return false;
    }
    worker->need_scale_down = true;
    return true;
}

static bool share(const struct fakeds__membership *membership, DsRing__HashRingPb *ring)
{
    struct rt_slice own = own_address(membership);
    DsRing__WorkerPb *worker = fakeds__ring_find(ring, own);
    for (size_t i = 0; i < ring->n_workers; i++) {
        if (ring->workers[i]->worker == NULL ||
            ring->workers[i]->worker->state != DS_RING__WORKER_PB__STATE__ACTIVE) {
            return false;
        }
    }
    if (worker == NULL || ring->n_workers == 1) {
        return false;
    }
    worker->state = DS_RING__WORKER_PB__STATE__LEAVING;
    uint32_t hash = fakeds__key_hash(pb_slice(worker->worker_uuid));
    return share_tokens(ring, own, worker) &&
           add_range(ring, own, uuid_owner(ring, hash, own), hash, hash);
}

/* The keys of each token go to the worker of the next token that is not its own. */
static bool share_tokens(DsRing__HashRingPb *ring, struct rt_slice own, DsRing__WorkerPb *worker)
{
    for (size_t i = 0; i < worker->n_hash_tokens; i++) {
        uint32_t end = worker->hash_tokens[i];
        if (!add_range(ring, own, token_owner(ring, end, own), token_before(ring, end), end)) {
            return false;
        }
    }
    return true;
}

static bool bare(const struct fakeds__membership *membership, DsRing__HashRingPb *ring)
{
    DsRing__WorkerPb *worker = fakeds__ring_find(ring, own_address(membership));
    if (worker == NULL || worker->state != DS_RING__WORKER_PB__STATE__LEAVING) {
        return false;
    }
    worker->n_hash_tokens = 0;
    for (size_t i = 0; i < ring->n_add_node_info; i++) {
        ds_ring__change_entry__free_unpacked(ring->add_node_info[i], NULL);
    }
    ring->n_add_node_info = 0;
    return add_successor(membership, ring, worker) && set_bytes(&worker->worker_uuid, NO_BYTES);
}

static bool take_out(const struct fakeds__membership *membership, DsRing__HashRingPb *ring)
{
    size_t kept_count = 0;
    size_t count = ring->n_workers;
    for (size_t i = 0; i < count; i++) {
        DsRing__WorkerEntry *entry = ring->workers[i];
        if (rt_slice_equal(pb_slice(entry->address), own_address(membership))) {
            ds_ring__worker_entry__free_unpacked(entry, NULL);
        } else {
            ring->workers[kept_count++] = entry;
        }
    }
    ring->n_workers = kept_count;
    return kept_count < count;
}

/* ---- who gets what -------------------------------------------------------------------------- */

/* The worker of the first token behind `position`, around the ring. */
static struct rt_slice token_owner(const DsRing__HashRingPb *ring, uint32_t position,
                                   struct rt_slice but)
{
    struct rt_slice found = NO_BYTES;
    uint32_t nearest = UINT32_MAX;
    for (size_t i = 0; i < ring->n_workers; i++) {
        const DsRing__WorkerPb *worker = ring->workers[i]->worker;
        struct rt_slice address = pb_slice(ring->workers[i]->address);
        for (size_t j = 0; !rt_slice_equal(address, but) && j < worker->n_hash_tokens; j++) {
            uint32_t way = worker->hash_tokens[j] - position - 1; /* wraps as the ring does */
            if (way <= nearest) {
                nearest = way;
                found = address;
            }
        }
    }
    return found;
}

/* The last token of any worker before `position`; itself, if there is no other. */
static uint32_t token_before(const DsRing__HashRingPb *ring, uint32_t position)
{
    uint32_t nearest = UINT32_MAX;
    for (size_t i = 0; i < ring->n_workers; i++) {
        const DsRing__WorkerPb *worker = ring->workers[i]->worker;
        for (size_t j = 0; j < worker->n_hash_tokens; j++) {
            uint32_t way = position - worker->hash_tokens[j] - 1;
            nearest = way < nearest ? way : nearest;
        }
    }
    return position - nearest - 1;
}

/* UUIDs have a ring of their own, in which each stands once. */
static struct rt_slice uuid_owner(const DsRing__HashRingPb *ring, uint32_t hash,
                                  struct rt_slice but)
{
    struct rt_slice found = NO_BYTES;
    uint32_t nearest = UINT32_MAX;
    for (size_t i = 0; i < ring->n_workers; i++) {
        const DsRing__WorkerPb *worker = ring->workers[i]->worker;
        struct rt_slice address = pb_slice(ring->workers[i]->address);
        if (worker == NULL || rt_slice_equal(address, but)) {
            continue;
        }
        uint32_t way = fakeds__key_hash(pb_slice(worker->worker_uuid)) - hash - 1;
        if (way <= nearest) {
            nearest = way;
            found = address;
        }
    }
    return found;
}

static bool add_range(DsRing__HashRingPb *ring, struct rt_slice from_worker,
                      struct rt_slice to_worker, uint32_t from, uint32_t end)
{
    DsRing__ChangeEntry *entry = NULL;
    for (size_t i = 0; i < ring->n_add_node_info && entry == NULL; i++) {
        bool is_it = rt_slice_equal(pb_slice(ring->add_node_info[i]->address), to_worker);
        entry = is_it ? ring->add_node_info[i] : NULL;
    }
    if (entry == NULL) {
        size_t none = 0;
        void **change = NULL;
        entry = append(&ds_ring__change_entry__descriptor, &ring->add_node_info,
                       &ring->n_add_node_info);
        if (entry == NULL || !set_bytes(&entry->address, to_worker) ||
            append(&ds_ring__change_node_pb__descriptor, &change, &none) == NULL) {
            return false;
        }
        entry->change = change[0];
        free(change);
    }
    DsRing__ChangedRange *range =
        append(&ds_ring__changed_range__descriptor, &entry->change->changed_ranges,
               &entry->change->n_changed_ranges);
    if (range == NULL || !set_bytes(&range->worker, from_worker)) {
        return false;
    }
    range->from = from;
    range->end = end;
    range->lost_all_range = true;
    return true;
}

static bool add_successor(const struct fakeds__membership *membership, DsRing__HashRingPb *ring,
                          const DsRing__WorkerPb *worker)
{
    struct rt_slice own = own_address(membership);
    struct rt_slice uuid = pb_slice(worker->worker_uuid);
    DsRing__MetaEntry *meta =
        append(&ds_ring__meta_entry__descriptor, &ring->key_with_worker_id_meta_map,
               &ring->n_key_with_worker_id_meta_map);
    if (meta == NULL || !set_bytes(&meta->worker_uuid, uuid) ||
        !set_bytes(&meta->address, uuid_owner(ring, fakeds__key_hash(uuid), own))) {
        return false;
    }
    size_t none = 0;
    void **updated = NULL;
    DsRing__UpdatedEntry *entry = append(&ds_ring__updated_entry__descriptor,
                                         &ring->update_worker_map, &ring->n_update_worker_map);
    if (entry == NULL || !set_bytes(&entry->address, own) ||
        append(&ds_ring__updated_worker_pb__descriptor, &updated, &none) == NULL) {
        return false;
    }
    entry->worker = updated[0];
    free(updated);
    entry->worker->time_us = membership->epoch_ns / NS_PER_US + rt_loop_now_us(membership->loop);
    return set_bytes(&entry->worker->worker_uuid, uuid);
}

/* A new message at the end of a repeated field, which is malloc'ed as protobuf-c's are. */
static void *append(const ProtobufCMessageDescriptor *type, void *list_at, size_t *count)
{
    void **list;
    memcpy(&list, list_at, sizeof(list));
    void **longer = realloc(list, (*count + 1) * sizeof(void *));
    if (longer == NULL) {
        return NULL;
    }
    memcpy(list_at, &longer, sizeof(longer));
    ProtobufCMessage *message = malloc(type->sizeof_message);
    if (message != NULL) {
        protobuf_c_message_init(type, message);
        longer[(*count)++] = message;
    }
    return message;
}

static bool set_bytes(ProtobufCBinaryData *data, struct rt_slice bytes)
{
    uint8_t *copied = malloc(bytes.len_bytes + 1);
    if (copied == NULL) {
        return false;
    }
    if (bytes.len_bytes > 0) {
        memcpy(copied, bytes.data, bytes.len_bytes);
    }
    free(data->data);
    *data = (ProtobufCBinaryData){.len = bytes.len_bytes, .data = copied};
    return true;
}
