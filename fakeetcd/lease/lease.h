/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_LEASE_LEASE_H
#define FAKEETCD_LEASE_LEASE_H

#include "fakeetcd/store/store.h"

/*
 * Leases and the keys that hang on them. Time comes in as an argument, in microseconds of the
 * lease clock (which may run faster than the loop's, and stands still without a leader).
 */
struct fakeetcd_leases;

#define FAKEETCD_LEASE_TTL_MAX_S INT64_C(9000000000)

/* `floor_s`: a smaller TTL is raised to it (2 with etcd's default election time-out). Watches the
 * store: a put attaches its key and detaches it from the lease it had, a delete detaches. */
RT_NODISCARD enum rt_status fakeetcd_leases_create(struct fakeetcd_store *store, int64_t floor_s,
                                                   struct fakeetcd_leases **out_leases);
void fakeetcd_leases_destroy(struct fakeetcd_leases *leases);

struct fakeetcd_lease_info {
    int64_t id;
    int64_t granted_ttl_s;
    uint64_t expires_us; /* RT_NEVER while frozen */
    size_t key_count;
};

/* `id` is not 0 (the caller picks). FAKEETCD_E_LEASE_EXISTS, FAKEETCD_E_LEASE_TTL_TOO_LARGE. */
enum fakeetcd_error fakeetcd_lease_grant(struct fakeetcd_leases *leases, int64_t id, int64_t ttl_s,
                                         uint64_t now_us, struct fakeetcd_lease_info *out_info);
/* Full TTL again. False: no such lease (or it has expired). */
bool fakeetcd_lease_renew(struct fakeetcd_leases *leases, int64_t id, uint64_t now_us,
                          int64_t *out_ttl_s);
bool fakeetcd_lease_find(const struct fakeetcd_leases *leases, int64_t id,
                         struct fakeetcd_lease_info *out_info);
/* Deletes the attached keys, in key order, in one revision, and the lease. */
enum fakeetcd_error fakeetcd_lease_revoke(struct fakeetcd_leases *leases, int64_t id);

/* After the store was brought back: its keys hang on their leases again. */
RT_NODISCARD enum rt_status fakeetcd_leases_attach_all(struct fakeetcd_leases *leases);

/* Attached keys in key order; all leases in the order of their ids. Visitors return false to stop
 * and must not change anything. */
void fakeetcd_lease_keys(const struct fakeetcd_leases *leases, int64_t id,
                         bool (*visit)(void *arg, struct rt_slice key), void *arg);
void fakeetcd_leases_walk(const struct fakeetcd_leases *leases,
                          bool (*visit)(void *arg, const struct fakeetcd_lease_info *info),
                          void *arg);
size_t fakeetcd_lease_count(const struct fakeetcd_leases *leases);

/* When the next one expires; RT_NEVER: none will. Costs nothing. */
uint64_t fakeetcd_leases_next_us(const struct fakeetcd_leases *leases);
/* The id of one that is due, in order of expiry; 0: none. The owner revokes it. */
int64_t fakeetcd_leases_due(const struct fakeetcd_leases *leases, uint64_t now_us);

/* What faults do: expire now, a shorter or longer rest; every lease at its full TTL again (new
 * leader, restart). */
bool fakeetcd_lease_set_expiry(struct fakeetcd_leases *leases, int64_t id, uint64_t expires_us);
void fakeetcd_leases_refill(struct fakeetcd_leases *leases, uint64_t now_us);

#endif
