/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_FAKEETCD_HTTP_PEER_H
#define TESTS_UNIT_FAKEETCD_HTTP_PEER_H

#include "runtime/network.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka needs the C library's first. */
#include <cmocka.h>

/* A client that sends bytes and keeps what comes back, as one text. */
enum { PEER_TEXT_BYTES = 1 << 18 };

struct peer {
    struct rt_loop *loop;
    struct rt_stream *stream; /* NULL: gone */
    enum rt_status ended;     /* RT_OK: it has not */
    char text[PEER_TEXT_BYTES];
    size_t len_bytes;
};

void peer_connect(struct peer *peer, struct rt_loop *loop, struct rt_network *network,
                  const char *address);
void peer_fini(struct peer *peer);
void peer_send(struct peer *peer, const char *text); /* and lets everything happen */
void peer_send_bytes(struct peer *peer, const void *data, size_t len_bytes);
void peer_settle(struct peer *peer); /* everything that happens without the clock moving */
void peer_pass(struct peer *peer, uint64_t time_us);
void peer_forget(struct peer *peer); /* what has come so far */

/* POST with a length. */
void peer_post(struct peer *peer, const char *path, const char *headers, const char *body);
/* Fails the test when `text` has not come. */
void peer_assert(struct peer *peer, const char *text);
/* Fails when it has. */
void peer_assert_not(struct peer *peer, const char *text);
/* The body of the only answer; fails unless its status is this. */
const char *peer_body(struct peer *peer, int status);

#endif
