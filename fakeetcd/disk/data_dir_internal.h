/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_DISK_DATA_DIR_INTERNAL_H
#define FAKEETCD_DISK_DATA_DIR_INTERNAL_H

#include "fakeetcd/disk/data_dir.h"
#include "fakeetcd/log_frame.h"

/*
 * What lies in the frames of a log: entries, each a number that says what it is, then its fields.
 * Frames up to the one with the STAND entry are the snapshot that the log begins with.
 *
 * Row: enumerator, number, fields.
 */
#define FAKEETCD__ENTRY_LIST(ROW)                                                                  \
    ROW(FAKEETCD__ENTRY_HEAD, 1)    /* format, cluster id, member id, compacted; the very first */ \
    ROW(FAKEETCD__ENTRY_INDEX, 2)   /* raft index */                                               \
    ROW(FAKEETCD__ENTRY_TERM, 3)    /* raft term */                                                \
    ROW(FAKEETCD__ENTRY_VERSION, 4) /* mod, create, version, lease, key, value */                  \
    ROW(FAKEETCD__ENTRY_LEASE, 5)   /* id, TTL in seconds */                                       \
    ROW(FAKEETCD__ENTRY_LEASE_GONE, 6) /* id */                                                    \
    ROW(FAKEETCD__ENTRY_COMPACTED, 7)  /* revision */                                              \
    ROW(FAKEETCD__ENTRY_AUTH, 8)       /* all of it, counted */                                    \
    ROW(FAKEETCD__ENTRY_ALARMS, 9)     /* bits */                                                  \
    ROW(FAKEETCD__ENTRY_STAND, 10)     /* the revision the snapshot stands at; its last entry */   \
    ROW(FAKEETCD__ENTRY_MEMBERS, 11) /* count; id, learner, name, peer and client URLs of each */  \
    ROW(FAKEETCD__ENTRY_DOWNGRADE, 12) /* 1: under way */

enum fakeetcd__entry {
#define FAKEETCD__ENTRY_ENUM(name, number) name = number,
    FAKEETCD__ENTRY_LIST(FAKEETCD__ENTRY_ENUM)
#undef FAKEETCD__ENTRY_ENUM
};

#define FAKEETCD__LOG_FORMAT 1

struct fakeetcd__restored {
    uint64_t frames;
    uint64_t good_bytes;     /* whole frames up to here */
    uint64_t snapshot_bytes; /* of them the snapshot */
    const char *problem;     /* why it was refused; static */
    uint64_t problem_at;     /* offset of the frame */
};

/* Reads a log into an empty state. RT_E_MALFORMED: problem and its place are said. */
RT_NODISCARD enum rt_status fakeetcd__log_restore(struct rt_slice log, struct fakeetcd_state *state,
                                                  uint64_t now_us,
                                                  struct fakeetcd__restored *out_restored);

/* One version of a key; the slices of `kv` are copied, unless they lie in its blob. */
void fakeetcd__entry_version(struct fakeetcd__log_writer *writer, const struct fakeetcd_kv *kv);
RT_NODISCARD enum rt_status fakeetcd__entry_auth(struct fakeetcd__log_writer *writer,
                                                 const struct fakeetcd_auth *auth);
/* That a downgrade is under way, and the members if requests have changed them. */
void fakeetcd__entry_cluster(struct fakeetcd__log_writer *writer,
                             const struct fakeetcd_state *state);
/* All of the state as a snapshot, appended to the file. */
RT_NODISCARD enum rt_status fakeetcd__log_snapshot(const struct fakeetcd_state *state, int fd,
                                                   uint64_t *out_len_bytes);

#endif
