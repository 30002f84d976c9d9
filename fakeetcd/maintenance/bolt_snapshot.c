/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/maintenance/bolt_snapshot.h"
#include "fakeetcd/kv/kv.h"
#include "fakeetcd/maintenance/bolt_file.h"
#include "wire/proto/etcd_rpc.pb-c.h"

/*
 * A member's state as the database that a real etcd keeps: what `etcdctl snapshot status` reads and
 * `snapshot restore` makes a member of. Keys, leases and the compaction are in it. Users are not:
 * their passwords are kept in another form here, so auth is off in what is restored.
 */
#define REVISION_BYTES 18 /* main, '_', sub; 't' behind a tombstone's */

struct making {
    struct fakeetcd__bolt bolt;
    int64_t revision; /* of the last version */
    uint64_t sub;     /* its number within it */
    bool is_negative; /* which leases come now */
};

static void put_u64(uint8_t *at, uint64_t number)
{
    for (size_t i = 0; i < 8; i++) {
        at[i] = (uint8_t)(number >> (56 - 8 * i));
    }
}

static struct rt_slice revision_key(uint8_t *out_bytes, int64_t revision, uint64_t sub,
                                    bool is_tombstone)
{
    put_u64(out_bytes, (uint64_t)revision);
    out_bytes[8] = '_';
    put_u64(out_bytes + 9, sub);
    out_bytes[17] = 't';
    return rt_slice_of(out_bytes, is_tombstone ? REVISION_BYTES : REVISION_BYTES - 1);
}

static void add_bytes(struct making *making, struct rt_slice key, struct rt_slice value)
{
    uint8_t *room = fakeetcd__bolt_add(&making->bolt, key, value.len_bytes);
    if (room != NULL) {
        memcpy(room, value.data, value.len_bytes);
    }
}

static void add_empty(struct making *making, const char *name)
{
    fakeetcd__bolt_begin(&making->bolt, name);
    fakeetcd__bolt_end(&making->bolt);
}

/* ---- keys ---- */

static bool on_version(void *arg, const struct fakeetcd_kv *kv)
{
    struct making *making = arg;
    uint8_t bytes[REVISION_BYTES];
    bool is_tombstone = kv->version == 0;
    Mvccpb__KeyValue message = MVCCPB__KEY_VALUE__INIT;
    making->sub = kv->mod_revision == making->revision ? making->sub + 1 : 0;
    making->revision = kv->mod_revision;
    message.key = pb_bytes(kv->key);
    if (!is_tombstone) {
        message.create_revision = kv->create_revision;
        message.mod_revision = kv->mod_revision;
        message.version = kv->version;
        message.value = pb_bytes(kv->value);
        message.lease = kv->lease;
    }
    uint8_t *room = fakeetcd__bolt_add(
        &making->bolt, revision_key(bytes, kv->mod_revision, making->sub, is_tombstone),
        mvccpb__key_value__get_packed_size(&message));
    if (room != NULL) {
        (void)mvccpb__key_value__pack(&message, room);
    }
    return room != NULL;
}

/* ---- leases ---- */

static size_t put_number(uint8_t *at, uint8_t field, uint64_t number)
{
    size_t len_bytes = 0;
    at[len_bytes++] = (uint8_t)(field << 3);
    for (; number >= 128; number >>= 7) {
        at[len_bytes++] = (uint8_t)(number | 128);
    }
    at[len_bytes++] = (uint8_t)number;
    return len_bytes;
}

/* leasepb.Lease: 1 ID, 2 TTL. */
static bool on_lease(void *arg, const struct fakeetcd_lease_info *info)
{
    struct making *making = arg;
    uint8_t id[8];
    uint8_t value[2 * 11];
    if (making->is_negative != (info->id < 0)) {
        return true;
    }
    put_u64(id, (uint64_t)info->id);
    size_t len_bytes = put_number(value, 1, (uint64_t)info->id);
    len_bytes += put_number(value + len_bytes, 2, (uint64_t)info->granted_ttl_s);
    add_bytes(making, rt_slice_of(id, sizeof(id)), rt_slice_of(value, len_bytes));
    return making->bolt.status == RT_OK;
}

/* They are visited by id; as bytes a negative one comes behind the others. */
static void add_leases(struct making *making, const struct fakeetcd_leases *leases)
{
    fakeetcd__bolt_begin(&making->bolt, "lease");
    fakeetcd_leases_walk(leases, on_lease, making);
    making->is_negative = true;
    fakeetcd_leases_walk(leases, on_lease, making);
    fakeetcd__bolt_end(&making->bolt);
}

/* ---- what stands beside them ---- */

static void add_auth(struct making *making)
{
    static const uint8_t off[1];
    static const uint8_t revision[8] = {0, 0, 0, 0, 0, 0, 0, 1};
    fakeetcd__bolt_begin(&making->bolt, "auth");
    add_bytes(making, rt_slice_text("authEnabled"), rt_slice_of(off, sizeof(off)));
    add_bytes(making, rt_slice_text("authRevision"), rt_slice_of(revision, sizeof(revision)));
    fakeetcd__bolt_end(&making->bolt);
}

static void add_meta(struct making *making, const struct fakeetcd_state *state)
{
    uint8_t number[8];
    uint8_t bytes[REVISION_BYTES];
    int64_t compacted = fakeetcd_store_compacted(state->store);
    struct rt_slice revision = revision_key(bytes, compacted, 0, false);
    fakeetcd__bolt_begin(&making->bolt, "meta");
    put_u64(number, state->raft_index);
    add_bytes(making, rt_slice_text("consistent_index"), rt_slice_of(number, sizeof(number)));
    if (compacted > 0) {
        add_bytes(making, rt_slice_text("finishedCompactRev"), revision);
        add_bytes(making, rt_slice_text("scheduledCompactRev"), revision);
    }
    put_u64(number, state->raft_term);
    add_bytes(making, rt_slice_text("term"), rt_slice_of(number, sizeof(number)));
    fakeetcd__bolt_end(&making->bolt);
}

enum rt_status fakeetcd__bolt_snapshot(const struct fakeetcd_state *state, uint8_t **out_bytes,
                                       size_t *out_len_bytes)
{
    struct making making = {0};
    fakeetcd__bolt_init(&making.bolt);
    add_empty(&making, "alarm");
    add_auth(&making);
    add_empty(&making, "authRoles");
    add_empty(&making, "authUsers");
    add_empty(&making, "cluster");
    fakeetcd__bolt_begin(&making.bolt, "key");
    enum rt_status status = fakeetcd_store_replay(
        state->store, fakeetcd_store_revision(state->store), on_version, &making);
    fakeetcd__bolt_end(&making.bolt);
    add_leases(&making, state->leases);
    add_empty(&making, "members");
    add_empty(&making, "members_removed");
    add_meta(&making, state);
    if (status == RT_OK) {
        status = fakeetcd__bolt_finish(&making.bolt, out_bytes, out_len_bytes);
    }
    fakeetcd__bolt_fini(&making.bolt);
    return status;
}
