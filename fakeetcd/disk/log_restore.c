/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A log becomes a state again. Nothing in it is believed: a revision follows the one before, a
 * version of a key comes after the last, and what counts memory was seen in the file.
 */
#include "fakeetcd/disk/data_dir_internal.h"

#include "fakeetcd/auth/auth_internal.h"
#include "fakeetcd/store/store_internal.h"

#define REVISION_MAX (INT64_MAX / 4)

struct restoring {
    struct fakeetcd_state *state;
    uint64_t now_us;
    struct fakeetcd__log_reader reader;
    bool has_head;
    bool has_stand;
    bool has_history;       /* survivors of the compaction are all here */
    int64_t running;        /* the revision of the versions that come now */
    int64_t base_compacted; /* of the snapshot */
    int64_t compacted;
    bool is_zero_compacted; /* at 0, which is accepted once, or later */
    struct rt_slice auth;   /* the last one counts */
    uint64_t auth_at;
    const char *problem;
};

static enum rt_status read_entry(struct restoring *restoring, uint64_t kind);
static enum rt_status finish(struct restoring *restoring);

static enum rt_status malformed(struct restoring *restoring, const char *problem)
{
    restoring->problem = problem;
    return RT_E_MALFORMED;
}

static enum rt_status read_body(struct restoring *restoring, struct rt_slice body)
{
    struct fakeetcd__log_reader *reader = &restoring->reader;
    enum rt_status status = RT_OK;

    *reader = (struct fakeetcd__log_reader){.at = body.data, .end = body.data + body.len_bytes};
    while (status == RT_OK && reader->at < reader->end) {
        uint64_t kind = fakeetcd__read_number(reader);
        if (!reader->is_bad && restoring->has_head == (kind == FAKEETCD__ENTRY_HEAD)) {
            return malformed(restoring, "not a log of fakeetcd");
        }
        status = reader->is_bad ? RT_OK : read_entry(restoring, kind);
        if (status == RT_OK && reader->is_bad) {
            return malformed(restoring, "an entry ends before it should");
        }
    }
    return status;
}

enum rt_status fakeetcd__log_restore(struct rt_slice log, struct fakeetcd_state *state,
                                     uint64_t now_us, struct fakeetcd__restored *out_restored)
{
    struct restoring restoring = {.state = state, .now_us = now_us, .running = 1};
    enum fakeetcd__frame frame = FAKEETCD__FRAME_OK;
    enum rt_status status = RT_OK;
    size_t at = 0;

    *out_restored = (struct fakeetcd__restored){0};
    while (status == RT_OK && at < log.len_bytes) {
        struct rt_slice body = {0};
        bool was_snapshot = !restoring.has_stand;
        frame = fakeetcd__frame_at(rt_slice_of(log.data + at, log.len_bytes - at), &body);
        if (frame != FAKEETCD__FRAME_OK) {
            break;
        }
        struct rt_slice auth_before = restoring.auth;
        status = read_body(&restoring, body);
        if (status != RT_OK) {
            break;
        }
        restoring.auth_at = restoring.auth.data != auth_before.data ? at : restoring.auth_at;
        at += FAKEETCD__FRAME_HEAD_BYTES + body.len_bytes;
        out_restored->frames++;
        out_restored->snapshot_bytes = was_snapshot ? at : out_restored->snapshot_bytes;
    }
    out_restored->good_bytes = at;
    out_restored->problem_at = at;
    if (status == RT_OK && frame == FAKEETCD__FRAME_BROKEN) {
        status = malformed(&restoring, "a frame is broken, and not the last one");
    } else if (status == RT_OK && !restoring.has_stand) {
        /* A log comes into being whole, by renaming: nothing tears its beginning. */
        status = malformed(&restoring, "the snapshot that it begins with is not whole");
    }
    if (status == RT_OK) {
        out_restored->problem_at = restoring.auth_at;
        status = finish(&restoring);
    }
    out_restored->problem = restoring.problem;
    return status;
}

/* ---- entries ---- */

static enum rt_status read_head(struct restoring *restoring)
{
    struct fakeetcd__log_reader *reader = &restoring->reader;

    if (fakeetcd__read_number(reader) != FAKEETCD__LOG_FORMAT) {
        return malformed(restoring, "a log of another format");
    }
    restoring->state->cluster_id = fakeetcd__read_number(reader);
    restoring->state->member_id = fakeetcd__read_number(reader);
    uint64_t compacted = fakeetcd__read_number(reader);
    if (compacted > REVISION_MAX) {
        return malformed(restoring, "a revision out of range");
    }
    restoring->has_head = true;
    restoring->base_compacted = (int64_t)compacted;
    restoring->compacted = (int64_t)compacted;
    restoring->running = restoring->compacted > 1 ? restoring->compacted : 1;
    return RT_OK;
}

/* Survivors from before the compaction come first, in any order of keys; whatever is newer comes by
 * revision, and no revision is without a version. */
static bool is_next(struct restoring *restoring, int64_t revision)
{
    if (revision < restoring->base_compacted) {
        return !restoring->has_history;
    }
    restoring->has_history = true;
    restoring->running += revision == restoring->running + 1 ? 1 : 0;
    return revision == restoring->running;
}

/* A revision may change a key twice; survivors of one key have each their own. */
static bool is_after_last(const struct restoring *restoring, const struct fakeetcd_kv *kv)
{
    const struct fakeetcd__key *key = fakeetcd__keys_find(&restoring->state->store->keys, kv->key);
    int64_t last = key == NULL ? 0 : fakeetcd__key_last(key)->mod_revision;

    return last < kv->mod_revision || (last == kv->mod_revision && restoring->has_history);
}

static enum rt_status add_version(struct restoring *restoring, struct fakeetcd_kv *kv)
{
    if (!is_next(restoring, kv->mod_revision) || !is_after_last(restoring, kv)) {
        return malformed(restoring, "a version out of order");
    }
    if (kv->value.len_bytes > FAKEETCD__INLINE_BYTES) {
        kv->value_blob = rt_blob_copy(kv->value);
        if (kv->value_blob == NULL) {
            return RT_E_NOMEM;
        }
    }
    enum rt_status status = fakeetcd_store_restore_change(restoring->state->store, kv);
    rt_blob_release(kv->value_blob);
    return status;
}

static enum rt_status read_version(struct restoring *restoring)
{
    struct fakeetcd__log_reader *reader = &restoring->reader;
    uint64_t mod_revision = fakeetcd__read_number(reader);
    uint64_t create_revision = fakeetcd__read_number(reader);
    uint64_t version = fakeetcd__read_number(reader);
    uint64_t lease = fakeetcd__read_number(reader);
    struct fakeetcd_kv kv = {
        .mod_revision = (int64_t)mod_revision,
        .create_revision = (int64_t)create_revision,
        .version = (int64_t)version,
        .lease = (int64_t)lease,
    };

    kv.key = fakeetcd__read_bytes(reader);
    kv.value = fakeetcd__read_bytes(reader);
    if (reader->is_bad) {
        return RT_OK; /* said by the caller */
    }
    bool is_tombstone = version == 0;
    bool is_valid = is_tombstone ? create_revision == 0 && lease == 0 && kv.value.len_bytes == 0
                                 : create_revision > 1 && create_revision <= mod_revision;
    if (!is_valid || mod_revision < 2 || mod_revision > REVISION_MAX || version > REVISION_MAX ||
        kv.key.len_bytes == 0) {
        return malformed(restoring, "a version that cannot be");
    }
    return add_version(restoring, &kv);
}

static enum rt_status read_lease(struct restoring *restoring)
{
    uint64_t id = fakeetcd__read_number(&restoring->reader);
    uint64_t ttl_s = fakeetcd__read_number(&restoring->reader);

    if (restoring->reader.is_bad) {
        return RT_OK;
    }
    if (id == 0 || ttl_s > (uint64_t)FAKEETCD_LEASE_TTL_MAX_S) {
        return malformed(restoring, "a lease that cannot be");
    }
    enum fakeetcd_error error = fakeetcd_lease_grant(restoring->state->leases, (int64_t)id,
                                                     (int64_t)ttl_s, restoring->now_us, NULL);
    if (error == FAKEETCD_E_LEASE_EXISTS) {
        return malformed(restoring, "a lease granted twice");
    }
    return error == FAKEETCD_OK ? RT_OK : RT_E_NOMEM;
}

/* No key hangs on a lease yet: nothing but the lease goes. */
static enum rt_status read_lease_gone(struct restoring *restoring)
{
    uint64_t id = fakeetcd__read_number(&restoring->reader);

    if (restoring->reader.is_bad) {
        return RT_OK;
    }
    return fakeetcd_lease_revoke(restoring->state->leases, (int64_t)id) == FAKEETCD_OK
               ? RT_OK
               : malformed(restoring, "the end of a lease that was not there");
}

static enum rt_status read_compacted(struct restoring *restoring)
{
    uint64_t revision = fakeetcd__read_number(&restoring->reader);

    if (restoring->reader.is_bad) {
        return RT_OK;
    }
    bool is_later = revision == 0 ? restoring->compacted == 0 && !restoring->is_zero_compacted
                                  : (int64_t)revision > restoring->compacted;
    if (revision > (uint64_t)restoring->running || !is_later) {
        return malformed(restoring, "a compaction out of order");
    }
    restoring->is_zero_compacted = true;
    restoring->compacted = (int64_t)revision;
    return RT_OK;
}

static enum rt_status read_stand(struct restoring *restoring)
{
    uint64_t revision = fakeetcd__read_number(&restoring->reader);

    if (restoring->has_stand || revision != (uint64_t)restoring->running) {
        return malformed(restoring, "a snapshot that misses revisions");
    }
    restoring->has_stand = true;
    return RT_OK;
}

static enum rt_status read_members(struct restoring *restoring)
{
    enum rt_status status = fakeetcd__members_load(&restoring->reader, &restoring->state->members);

    return status == RT_E_MALFORMED ? malformed(restoring, "members that cannot be") : status;
}

static enum rt_status read_entry(struct restoring *restoring, uint64_t kind)
{
    struct fakeetcd__log_reader *reader = &restoring->reader;

    switch (kind) {
    case FAKEETCD__ENTRY_HEAD:
        return read_head(restoring);
    case FAKEETCD__ENTRY_INDEX:
        restoring->state->raft_index = fakeetcd__read_number(reader);
        return RT_OK;
    case FAKEETCD__ENTRY_TERM:
        restoring->state->raft_term = fakeetcd__read_number(reader);
        return RT_OK;
    case FAKEETCD__ENTRY_VERSION:
        return read_version(restoring);
    case FAKEETCD__ENTRY_LEASE:
        return read_lease(restoring);
    case FAKEETCD__ENTRY_LEASE_GONE:
        return read_lease_gone(restoring);
    case FAKEETCD__ENTRY_COMPACTED:
        return read_compacted(restoring);
    case FAKEETCD__ENTRY_AUTH:
        restoring->auth = fakeetcd__read_bytes(reader);
        return RT_OK;
    case FAKEETCD__ENTRY_ALARMS:
        restoring->state->alarms = (uint32_t)fakeetcd__read_number(reader);
        return RT_OK;
    case FAKEETCD__ENTRY_STAND:
        return read_stand(restoring);
    case FAKEETCD__ENTRY_MEMBERS:
        return read_members(restoring);
    case FAKEETCD__ENTRY_DOWNGRADE:
        restoring->state->is_downgrading = fakeetcd__read_number(reader) != 0;
        return RT_OK;
    default:
        return malformed(restoring, "an entry of an unknown kind");
    }
}

/* Compactions since the snapshot come to the last of them. */
static enum rt_status finish(struct restoring *restoring)
{
    struct fakeetcd_state *state = restoring->state;
    enum rt_status status =
        fakeetcd_store_restore_done(state->store, restoring->running, restoring->base_compacted);

    bool is_compacted = restoring->compacted > restoring->base_compacted ||
                        (restoring->compacted == 0 && restoring->is_zero_compacted);
    if (status == RT_OK && is_compacted &&
        fakeetcd_store_compact(state->store, restoring->compacted) != FAKEETCD_OK) {
        status = RT_E_NOMEM;
    }
    if (status == RT_OK) {
        status = fakeetcd_leases_attach_all(state->leases);
    }
    if (status == RT_OK && restoring->auth.len_bytes > 0) {
        status = fakeetcd__auth_load(state->auth, restoring->auth);
        restoring->problem = status == RT_E_MALFORMED ? "users and roles that cannot be" : NULL;
    }
    return status;
}
