/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_CLUSTER_MEMBER_LIST_H
#define FAKEETCD_CLUSTER_MEMBER_LIST_H

#include "fakeetcd/log_frame.h"

/*
 * The members of a cluster, as MemberList shows them. The first is the server itself; the others
 * are only told of. A zeroed list is an empty one; it owns its texts.
 */
struct fakeetcd_member {
    uint64_t id;
    char *name;      /* "": it has not started */
    char *peer_urls; /* comma separated */
    char *client_urls;
    bool is_learner;
};

struct fakeetcd_members {
    struct fakeetcd_member *items;
    size_t count;
    bool is_changed; /* by requests: it belongs on the disk, and what options say is over */
};

/* One more at the end; its texts are copied. RT_E_NOMEM: nothing happened. */
RT_NODISCARD enum rt_status fakeetcd_members_add(struct fakeetcd_members *members,
                                                 const struct fakeetcd_member *member);
void fakeetcd_members_remove(struct fakeetcd_members *members, size_t index);
void fakeetcd_members_clear(struct fakeetcd_members *members);
/* `out_members` is empty; RT_E_NOMEM: it still is. */
RT_NODISCARD enum rt_status fakeetcd_members_copy(const struct fakeetcd_members *members,
                                                  struct fakeetcd_members *out_members);

/* ---- as an entry of a log ---- */

void fakeetcd__members_save(struct fakeetcd__log_writer *writer,
                            const struct fakeetcd_members *members);
/* In place of what is there, which stays when it fails. RT_E_MALFORMED, or is_bad of the reader:
 * that cannot be. */
RT_NODISCARD enum rt_status fakeetcd__members_load(struct fakeetcd__log_reader *reader,
                                                   struct fakeetcd_members *members);

#endif
