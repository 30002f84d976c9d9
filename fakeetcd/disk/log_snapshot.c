/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The living state as the beginning of a log: survivors of compactions by key, then everything
 * newer by revision, then leases, auth, alarms and members. In frames of some size, so that memory
 * for it stays small.
 */
#include "fakeetcd/disk/data_dir_internal.h"

#include "fakeetcd/auth/auth_internal.h"
#include "fakeetcd/store/store_internal.h"

#include <stdlib.h>

#define FRAME_BYTES ((size_t)1 << 20)

struct snapshot {
    struct fakeetcd__log_writer writer;
    int fd;
    uint64_t len_bytes;
    enum rt_status status; /* the first that failed */
};

static void flush(struct snapshot *snapshot)
{
    uint64_t len_bytes = 0;

    if (snapshot->status == RT_OK) {
        snapshot->status = fakeetcd__log_writer_flush(&snapshot->writer, snapshot->fd, &len_bytes);
        snapshot->len_bytes += len_bytes;
    }
}

static void flush_when_large(struct snapshot *snapshot)
{
    if (snapshot->writer.len_bytes >= FRAME_BYTES) {
        flush(snapshot);
    }
}

void fakeetcd__entry_version(struct fakeetcd__log_writer *writer, const struct fakeetcd_kv *kv)
{
    bool is_there = kv->version > 0;
    const uint64_t numbers[] = {
        FAKEETCD__ENTRY_VERSION,
        (uint64_t)kv->mod_revision,
        is_there ? (uint64_t)kv->create_revision : 0,
        (uint64_t)kv->version,
        is_there ? (uint64_t)kv->lease : 0,
        kv->key.len_bytes,
    };

    fakeetcd__write_numbers(writer, numbers, sizeof(numbers) / sizeof(*numbers));
    fakeetcd__write_raw(writer, kv->key);
    fakeetcd__write_bytes(writer, kv->value, kv->value_blob);
}

enum rt_status fakeetcd__entry_auth(struct fakeetcd__log_writer *writer,
                                    const struct fakeetcd_auth *auth)
{
    uint8_t *bytes = NULL;
    size_t len_bytes = 0;
    enum rt_status status = fakeetcd__auth_save(auth, &bytes, &len_bytes);

    if (status == RT_OK) {
        fakeetcd__write_number(writer, FAKEETCD__ENTRY_AUTH);
        fakeetcd__write_bytes(writer, rt_slice_of(bytes, len_bytes), NULL);
        free(bytes);
    }
    return status;
}

void fakeetcd__entry_cluster(struct fakeetcd__log_writer *writer,
                             const struct fakeetcd_state *state)
{
    const uint64_t downgrade[] = {FAKEETCD__ENTRY_DOWNGRADE, state->is_downgrading};

    if (state->members.is_changed) {
        fakeetcd__write_number(writer, FAKEETCD__ENTRY_MEMBERS);
        fakeetcd__members_save(writer, &state->members);
    }
    fakeetcd__write_numbers(writer, downgrade, 2);
}

static void add_version(struct snapshot *snapshot, const struct fakeetcd__version *version)
{
    struct fakeetcd_kv kv;

    fakeetcd__kv_of(version, &kv);
    fakeetcd__entry_version(&snapshot->writer, &kv);
    flush_when_large(snapshot);
}

static void add_store(struct snapshot *snapshot, const struct fakeetcd_store *store)
{
    for (struct fakeetcd__key *key = fakeetcd__keys_from(&store->keys, (struct rt_slice){0});
         key != NULL && snapshot->status == RT_OK; key = fakeetcd__key_next(key)) {
        for (uint32_t i = 0; i < key->version_count; i++) {
            if (key->versions[i]->mod_revision >= store->first_revision) {
                break; /* in the log of changes */
            }
            add_version(snapshot, key->versions[i]);
        }
    }
    for (size_t i = 0; i < store->log_count && snapshot->status == RT_OK; i++) {
        add_version(snapshot, store->log[i]);
    }
}

static bool add_lease(void *arg, const struct fakeetcd_lease_info *info)
{
    struct snapshot *snapshot = arg;
    const uint64_t numbers[] = {FAKEETCD__ENTRY_LEASE, (uint64_t)info->id,
                                (uint64_t)info->granted_ttl_s};

    fakeetcd__write_numbers(&snapshot->writer, numbers, 3);
    flush_when_large(snapshot);
    return snapshot->status == RT_OK;
}

static void add_state(struct snapshot *snapshot, const struct fakeetcd_state *state)
{
    struct fakeetcd__log_writer *writer = &snapshot->writer;
    const uint64_t head[] = {FAKEETCD__ENTRY_HEAD, FAKEETCD__LOG_FORMAT, state->cluster_id,
                             state->member_id, (uint64_t)fakeetcd_store_compacted(state->store)};
    const uint64_t stand[] = {
        FAKEETCD__ENTRY_INDEX,  state->raft_index,
        FAKEETCD__ENTRY_TERM,   state->raft_term,
        FAKEETCD__ENTRY_ALARMS, state->alarms,
        FAKEETCD__ENTRY_STAND,  (uint64_t)fakeetcd_store_revision(state->store)};

    fakeetcd__write_numbers(writer, head, 5);
    if (state->store->compacted == 0 && state->store->is_zero_compacted) {
        const uint64_t zero[] = {FAKEETCD__ENTRY_COMPACTED, 0};
        fakeetcd__write_numbers(writer, zero, 2);
    }
    add_store(snapshot, state->store);
    fakeetcd_leases_walk(state->leases, add_lease, snapshot);
    if (snapshot->status == RT_OK) {
        snapshot->status = fakeetcd__entry_auth(writer, state->auth);
    }
    if (state->members.is_changed || state->is_downgrading) {
        fakeetcd__entry_cluster(writer, state);
    }
    fakeetcd__write_numbers(writer, stand, 8);
    flush(snapshot);
}

enum rt_status fakeetcd__log_snapshot(const struct fakeetcd_state *state, int fd,
                                      uint64_t *out_len_bytes)
{
    struct snapshot snapshot = {.fd = fd};
    enum rt_status status = fakeetcd__log_writer_init(&snapshot.writer);

    if (status != RT_OK) {
        return status;
    }
    add_state(&snapshot, state);
    fakeetcd__log_writer_fini(&snapshot.writer);
    if (snapshot.status == RT_OK) {
        *out_len_bytes = snapshot.len_bytes;
    }
    return snapshot.status;
}
