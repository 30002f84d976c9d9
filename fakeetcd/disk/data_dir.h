/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_DISK_DATA_DIR_H
#define FAKEETCD_DISK_DATA_DIR_H

#include "fakeetcd/auth/auth.h"
#include "fakeetcd/cluster/member_list.h"
#include "fakeetcd/lease/lease.h"

/*
 * What survives a restart: one log of records in a directory, each with its length and a CRC, read
 * back at start. The log is rewritten from the living state when it has grown to many times that.
 *
 * Locked while open: a second process is refused. Files are small and ours, not bbolt's.
 */
struct fakeetcd_data_dir;

/* What belongs together: the state of one member. */
struct fakeetcd_state {
    struct fakeetcd_store *store;
    struct fakeetcd_leases *leases;
    struct fakeetcd_auth *auth;
    uint64_t cluster_id;
    uint64_t member_id;
    uint64_t raft_term;  /* + 1 for each start but the first, and each new leader */
    uint64_t raft_index; /* grows with each applied write */
    uint32_t alarms;     /* bits 1 << AlarmType */
    struct fakeetcd_members members;
    bool is_downgrading; /* as Downgrade says; nothing else comes of it */
};

struct fakeetcd_data_dir_report {
    bool is_new;
    uint64_t records;    /* frames: what one commit wrote each */
    uint64_t torn_bytes; /* of a tail that was cut off and is now forgotten */
};

/*
 * Makes the directory when it is not there, locks it, reads the log into an empty `state`.
 *
 *   RT_E_BUSY       another process has it
 *   RT_E_MALFORMED  a broken record that is not the torn last one; `out_error` names file and
 *                   offset
 *   RT_E_IO         it cannot be made, read or written; `out_error` says why
 */
RT_NODISCARD enum rt_status fakeetcd_data_dir_open(const char *path, struct fakeetcd_state *state,
                                                   uint64_t now_us,
                                                   struct fakeetcd_data_dir **out_dir,
                                                   struct fakeetcd_data_dir_report *out_report,
                                                   char *out_error, size_t error_bytes);
/* What was not committed is forgotten. The store must not be written any more. NULL: nothing
 * happens. */
void fakeetcd_data_dir_close(struct fakeetcd_data_dir *dir);

/* From now on a commit only writes: it outlives the process, not the machine. */
void fakeetcd_data_dir_leave_unsynced(struct fakeetcd_data_dir *dir);

/* `state` has another store now, the old one is gone: the next commit writes everything anew. */
RT_NODISCARD enum rt_status fakeetcd_data_dir_replaced(struct fakeetcd_data_dir *dir);

/*
 * After every change of the state, before it is answered: appends what is new since the last call
 * (changes of the store are collected by an observer; the rest is told with the functions below)
 * and makes it durable with one fdatasync. Costs nothing when nothing is new.
 */
RT_NODISCARD enum rt_status fakeetcd_data_dir_commit(struct fakeetcd_data_dir *dir);

void fakeetcd_data_dir_lease_granted(struct fakeetcd_data_dir *dir, int64_t id, int64_t ttl_s);
void fakeetcd_data_dir_lease_gone(struct fakeetcd_data_dir *dir, int64_t id);
void fakeetcd_data_dir_compacted(struct fakeetcd_data_dir *dir, int64_t revision);
void fakeetcd_data_dir_auth_changed(struct fakeetcd_data_dir *dir); /* writes all of auth */
void fakeetcd_data_dir_alarms_changed(struct fakeetcd_data_dir *dir);
/* The list of members, or that a downgrade is under way. */
void fakeetcd_data_dir_cluster_changed(struct fakeetcd_data_dir *dir);

#endif
