/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lease is in three orders: by id (table and tree, for looking up and for listing) and by when it
 * expires. Its keys are a tree of their own; a table finds the lease of a key.
 */
#include "fakeetcd/lease/lease.h"

#include "fakeetcd/store/key_index.h"
#include "runtime/loop.h"
#include "runtime/table.h"

#include <bsd/sys/tree.h>
#include <stdlib.h>

/* One key that hangs on a lease. */
struct attachment {
    RB_ENTRY(attachment) entry; /* of its lease */
    UT_hash_handle hh;          /* of all attachments, by key */
    struct lease *lease;
    size_t len_bytes;
    uint8_t bytes[];
};
RB_HEAD(attachments, attachment);

struct lease {
    RB_ENTRY(lease) id_entry;
    RB_ENTRY(lease) expiry_entry;
    int64_t id;
    int64_t ttl_s;
    uint64_t expires_us;
    struct attachments keys;
    size_t key_count;
};
RB_HEAD(leases_by_id, lease);
RB_HEAD(leases_by_expiry, lease);

struct fakeetcd_leases {
    struct fakeetcd_store *store;
    int64_t floor_s;
    struct leases_by_id by_id;
    struct leases_by_expiry by_expiry;
    struct attachment *by_key;
    size_t count;
};

static void on_revision(void *arg, int64_t revision, const struct fakeetcd_change *changes,
                        size_t count);

static int compare_keys(struct attachment *a, struct attachment *b)
{
    return fakeetcd__compare(rt_slice_of(a->bytes, a->len_bytes),
                             rt_slice_of(b->bytes, b->len_bytes));
}

static int compare_ids(struct lease *a, struct lease *b)
{
    return (a->id > b->id) - (a->id < b->id);
}

static int compare_expiries(struct lease *a, struct lease *b)
{
    int order = (a->expires_us > b->expires_us) - (a->expires_us < b->expires_us);
    return order != 0 ? order : compare_ids(a, b);
}

#define UNUSED __attribute__((unused)) static
RB_GENERATE_INTERNAL(attachments, attachment, entry, compare_keys, UNUSED)
RB_GENERATE_INTERNAL(leases_by_id, lease, id_entry, compare_ids, UNUSED)
RB_GENERATE_INTERNAL(leases_by_expiry, lease, expiry_entry, compare_expiries, UNUSED)

/* ---- life ---- */

enum rt_status fakeetcd_leases_create(struct fakeetcd_store *store, int64_t floor_s,
                                      struct fakeetcd_leases **out_leases)
{
    struct fakeetcd_leases *leases = calloc(1, sizeof(*leases));

    if (leases == NULL) {
        return RT_E_NOMEM;
    }
    leases->store = store;
    leases->floor_s = floor_s;
    RB_INIT(&leases->by_id);
    RB_INIT(&leases->by_expiry);
    enum rt_status status = fakeetcd_store_observe(store, on_revision, leases);
    if (status != RT_OK) {
        free(leases);
        return status;
    }
    *out_leases = leases;
    return RT_OK;
}

static void detach(struct fakeetcd_leases *leases, struct attachment *attachment)
{
    RT_TABLE_REMOVE(leases->by_key, attachment);
    (void)RB_REMOVE(attachments, &attachment->lease->keys, attachment);
    attachment->lease->key_count--;
    free(attachment);
}

static void forget(struct fakeetcd_leases *leases, struct lease *lease)
{
    while (!RB_EMPTY(&lease->keys)) {
        detach(leases, RB_MIN(attachments, &lease->keys));
    }
    (void)RB_REMOVE(leases_by_id, &leases->by_id, lease);
    (void)RB_REMOVE(leases_by_expiry, &leases->by_expiry, lease);
    leases->count--;
    free(lease);
}

void fakeetcd_leases_destroy(struct fakeetcd_leases *leases)
{
    if (leases == NULL) {
        return;
    }
    while (!RB_EMPTY(&leases->by_id)) {
        forget(leases, RB_MIN(leases_by_id, &leases->by_id));
    }
    free(leases);
}

static struct lease *find(const struct fakeetcd_leases *leases, int64_t id)
{
    struct lease wanted = {.id = id};

    return RB_FIND(leases_by_id, (struct leases_by_id *)&leases->by_id, &wanted);
}

/* ---- keys come and go with the store ---- */

static bool attach(struct fakeetcd_leases *leases, struct lease *lease, struct rt_slice key)
{
    struct attachment *attachment = calloc(1, sizeof(*attachment) + key.len_bytes);
    enum rt_status status = RT_OK;

    if (attachment == NULL) {
        return false;
    }
    attachment->lease = lease;
    attachment->len_bytes = key.len_bytes;
    memcpy(attachment->bytes, key.data, key.len_bytes);
    RT_TABLE_ADD_BYTES(leases->by_key, attachment, attachment->bytes, attachment->len_bytes,
                       &status);
    if (status != RT_OK) {
        free(attachment);
        return false;
    }
    (void)RB_INSERT(attachments, &lease->keys, attachment);
    lease->key_count++;
    return true;
}

static void on_revision(void *arg, int64_t revision, const struct fakeetcd_change *changes,
                        size_t count)
{
    struct fakeetcd_leases *leases = arg;

    (void)revision;
    if (leases->count == 0) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const struct fakeetcd_kv *kv = &changes[i].kv;
        struct attachment *attachment = NULL;
        struct lease *lease = kv->lease == 0 ? NULL : find(leases, kv->lease);
        RT_TABLE_FIND_BYTES(leases->by_key, kv->key.data, kv->key.len_bytes, attachment);
        if (attachment != NULL && attachment->lease == lease) {
            continue;
        }
        if (attachment != NULL) {
            detach(leases, attachment);
        }
        if (lease != NULL) {
            /* Without memory the key outlives its lease, which is the smaller harm. */
            (void)attach(leases, lease, kv->key);
        }
    }
}

struct attaching {
    struct fakeetcd_leases *leases;
    bool is_short_of_memory;
};

static bool attach_one(void *arg, const struct fakeetcd_kv *kv)
{
    struct attaching *attaching = arg;
    struct lease *lease = kv->lease == 0 ? NULL : find(attaching->leases, kv->lease);

    attaching->is_short_of_memory = lease != NULL && !attach(attaching->leases, lease, kv->key);
    return !attaching->is_short_of_memory;
}

enum rt_status fakeetcd_leases_attach_all(struct fakeetcd_leases *leases)
{
    struct attaching attaching = {.leases = leases};

    fakeetcd_store_walk(leases->store, &fakeetcd_every_key, 0, attach_one, &attaching);
    return attaching.is_short_of_memory ? RT_E_NOMEM : RT_OK;
}

/* ---- what can be asked of a lease ---- */

static uint64_t expiry_after(int64_t ttl_s, uint64_t now_us)
{
    return now_us + (uint64_t)ttl_s * 1000000;
}

static struct fakeetcd_lease_info info_of(const struct lease *lease)
{
    return (struct fakeetcd_lease_info){.id = lease->id,
                                        .granted_ttl_s = lease->ttl_s,
                                        .expires_us = lease->expires_us,
                                        .key_count = lease->key_count};
}

enum fakeetcd_error fakeetcd_lease_grant(struct fakeetcd_leases *leases, int64_t id, int64_t ttl_s,
                                         uint64_t now_us, struct fakeetcd_lease_info *out_info)
{
    if (ttl_s > FAKEETCD_LEASE_TTL_MAX_S) {
        return FAKEETCD_E_LEASE_TTL_TOO_LARGE;
    }
    if (find(leases, id) != NULL) {
        return FAKEETCD_E_LEASE_EXISTS;
    }
    struct lease *lease = calloc(1, sizeof(*lease));
    if (lease == NULL) {
        return FAKEETCD_E_NOMEM;
    }
    RB_INIT(&lease->keys);
    lease->id = id;
    lease->ttl_s = ttl_s < leases->floor_s ? leases->floor_s : ttl_s;
    lease->expires_us = expiry_after(lease->ttl_s, now_us);
    (void)RB_INSERT(leases_by_id, &leases->by_id, lease);
    (void)RB_INSERT(leases_by_expiry, &leases->by_expiry, lease);
    leases->count++;
    if (out_info != NULL) {
        *out_info = info_of(lease);
    }
    return FAKEETCD_OK;
}

static void move_expiry(struct fakeetcd_leases *leases, struct lease *lease, uint64_t expires_us)
{
    (void)RB_REMOVE(leases_by_expiry, &leases->by_expiry, lease);
    lease->expires_us = expires_us;
    (void)RB_INSERT(leases_by_expiry, &leases->by_expiry, lease);
}

bool fakeetcd_lease_renew(struct fakeetcd_leases *leases, int64_t id, uint64_t now_us,
                          int64_t *out_ttl_s)
{
    struct lease *lease = find(leases, id);

    if (lease == NULL || lease->expires_us <= now_us) {
        return false;
    }
    move_expiry(leases, lease, expiry_after(lease->ttl_s, now_us));
    *out_ttl_s = lease->ttl_s;
    return true;
}

bool fakeetcd_lease_find(const struct fakeetcd_leases *leases, int64_t id,
                         struct fakeetcd_lease_info *out_info)
{
    const struct lease *lease = find(leases, id);

    if (lease != NULL && out_info != NULL) {
        *out_info = info_of(lease);
    }
    return lease != NULL;
}

/* The lease goes after its keys: their deletion detaches them, and no write may fail half-way. */
enum fakeetcd_error fakeetcd_lease_revoke(struct fakeetcd_leases *leases, int64_t id)
{
    struct lease *lease = find(leases, id);
    struct attachment *attachment = NULL;

    if (lease == NULL) {
        return FAKEETCD_E_LEASE_NOT_FOUND;
    }
    fakeetcd_write_begin(leases->store);
    RB_FOREACH(attachment, attachments, &lease->keys)
    {
        (void)fakeetcd_write_delete(leases->store,
                                    rt_slice_of(attachment->bytes, attachment->len_bytes), NULL);
    }
    enum fakeetcd_error error = fakeetcd_write_end(leases->store);
    if (error == FAKEETCD_OK) {
        forget(leases, lease);
    }
    return error;
}

/* ---- looking at them ---- */

void fakeetcd_lease_keys(const struct fakeetcd_leases *leases, int64_t id,
                         bool (*visit)(void *arg, struct rt_slice key), void *arg)
{
    struct lease *lease = find(leases, id);
    struct attachment *attachment = NULL;

    if (lease == NULL) {
        return;
    }
    RB_FOREACH(attachment, attachments, &lease->keys)
    {
        if (!visit(arg, rt_slice_of(attachment->bytes, attachment->len_bytes))) {
            return;
        }
    }
}

void fakeetcd_leases_walk(const struct fakeetcd_leases *leases,
                          bool (*visit)(void *arg, const struct fakeetcd_lease_info *info),
                          void *arg)
{
    struct lease *lease = NULL;

    RB_FOREACH(lease, leases_by_id, (struct leases_by_id *)&leases->by_id)
    {
        struct fakeetcd_lease_info info = info_of(lease);
        if (!visit(arg, &info)) {
            return;
        }
    }
}

size_t fakeetcd_lease_count(const struct fakeetcd_leases *leases)
{
    return leases->count;
}

/* ---- time ---- */

uint64_t fakeetcd_leases_next_us(const struct fakeetcd_leases *leases)
{
    const struct lease *first =
        RB_MIN(leases_by_expiry, (struct leases_by_expiry *)&leases->by_expiry);
    return first == NULL ? RT_NEVER : first->expires_us;
}

int64_t fakeetcd_leases_due(const struct fakeetcd_leases *leases, uint64_t now_us)
{
    const struct lease *first =
        RB_MIN(leases_by_expiry, (struct leases_by_expiry *)&leases->by_expiry);
    return first == NULL || first->expires_us > now_us ? 0 : first->id;
}

bool fakeetcd_lease_set_expiry(struct fakeetcd_leases *leases, int64_t id, uint64_t expires_us)
{
    struct lease *lease = find(leases, id);

    if (lease != NULL) {
        move_expiry(leases, lease, expires_us);
    }
    return lease != NULL;
}

void fakeetcd_leases_refill(struct fakeetcd_leases *leases, uint64_t now_us)
{
    struct lease *lease = NULL;

    RB_FOREACH(lease, leases_by_id, &leases->by_id)
    {
        move_expiry(leases, lease, expiry_after(lease->ttl_s, now_us));
    }
}
