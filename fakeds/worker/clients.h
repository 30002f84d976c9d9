/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEDS_WORKER_CLIENTS_H
#define FAKEDS_WORKER_CLIENTS_H

#include "runtime/random.h"
#include "runtime/slice.h"
#include "runtime/table.h"

#include <bsd/sys/queue.h>

/*
 * Registered clients, by the id that they put into every request; never by connection, because
 * one connection may carry several of them. Sans clock.
 */
struct fakeds__client {
    struct rt_slice id;   /* lies behind the struct */
    const char *name;     /* how faults and the journal call it */
    uint64_t heard_of_us; /* registration or last heartbeat */
    TAILQ_ENTRY(fakeds__client) silence;
    UT_hash_handle hh;
};

TAILQ_HEAD(fakeds__client_list, fakeds__client);

struct fakeds__clients {
    struct fakeds__client *by_id;
    struct fakeds__client_list silence; /* the longest silent first */
};

void fakeds__clients_init(struct fakeds__clients *clients);
void fakeds__clients_clear(struct fakeds__clients *clients);
size_t fakeds__clients_count(const struct fakeds__clients *clients);

/* Known ids are only heard of again. NULL when out of memory or `id` is empty. */
struct fakeds__client *fakeds__clients_add(struct fakeds__clients *clients, struct rt_slice id,
                                           const char *name, uint64_t now_us);
struct fakeds__client *fakeds__clients_find(const struct fakeds__clients *clients,
                                            struct rt_slice id);
void fakeds__clients_hear(struct fakeds__clients *clients, struct fakeds__client *client,
                          uint64_t now_us);
void fakeds__clients_remove(struct fakeds__clients *clients, struct fakeds__client *client);

/* NULL: there is none. */
struct fakeds__client *fakeds__clients_longest_silent(const struct fakeds__clients *clients);

#endif
