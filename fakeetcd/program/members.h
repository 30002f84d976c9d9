/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_PROGRAM_MEMBERS_H
#define FAKEETCD_PROGRAM_MEMBERS_H

#include "fakeetcd/program/relay.h"
#include "fakeetcd/program/urls.h"
#include "fakeetcd/server/server.h"

/*
 * A cluster on one machine: --initial-cluster names its members. The first one is the server and
 * listens at its peer URL too; each other one relays its clients to that port, and tells the server
 * there where its own clients find it:
 *
 *   POST /fakeetcd/members?name=m2&urls=http://127.0.0.1:22379
 *
 * It tells again whenever the connection on which it told is gone: the first member may restart.
 */
enum { MEMBERS_MAX = 9 };

struct members {
    size_t count;
    size_t own; /* which of them this process is */
    char names[MEMBERS_MAX][64];
    char peer_urls[MEMBERS_MAX][URL_BYTES_MAX * 2]; /* comma separated when a name comes twice */
};

/* "" or NULL: one member. False: `out_error` says what is wrong. */
bool members_parse(const char *initial_cluster, const char *own_name, const char *own_peer_urls,
                   struct members *out_members, char *out_error, size_t error_bytes);
static inline bool members_is_relay(const struct members *members)
{
    return members->own > 0;
}

/* Tells the first member, until destroyed. `on_told` runs once, the first time it worked. */
struct announcement;
RT_NODISCARD enum rt_status announcement_create(struct rt_loop *loop, struct rt_network *network,
                                                const char *target, const char *name,
                                                const char *client_urls, rt_task_fn *on_told,
                                                void *arg, struct announcement **out_announcement);
void announcement_destroy(struct announcement *announcement);

#endif
