/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEDS_CONNECTION_ROUTER_H
#define FAKEDS_CONNECTION_ROUTER_H

#include "runtime/slice.h"
#include "runtime/status.h"
#include "runtime/table.h"

/*
 * ROUTER identities. Requests belong to the identity that sent them and not to its connection:
 * an answer goes to whoever holds the identity when it is ready. Counted by the connection that
 * holds it and by the requests that wait.
 */
struct fakeds__connection;

struct fakeds__identity {
    size_t reference_count;
    struct fakeds__connection *holder; /* NULL: nobody is there now */
    const char *lost_by;               /* rule that took the last holder away, or "" */
    struct rt_slice name;              /* lies behind the struct; empty: in no table */
    UT_hash_handle hh;
};

struct fakeds__router {
    struct fakeds__identity *identities;
};

/* The identity of that name with one more reference; an anonymous peer gets one of its own.
 * NULL when out of memory. */
RT_NODISCARD struct fakeds__identity *fakeds__router_identity(struct fakeds__router *router,
                                                              struct rt_slice name);
struct fakeds__identity *fakeds__identity_retain(struct fakeds__identity *identity);
void fakeds__identity_release(struct fakeds__router *router, struct fakeds__identity *identity);

#endif
