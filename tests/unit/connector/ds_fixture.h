/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_CONNECTOR_DS_FIXTURE_H
#define TESTS_UNIT_CONNECTOR_DS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/connector/ds_server.h"

/* One client and one scripted worker on the simulated network, journal included. */
#define MS UINT64_C(1000)

struct fixture {
    struct rt_loop *loop;
    struct rt_network *network;
    struct rt_journal *journal;
    struct server server;
    struct ds_options options;
    struct ds_client *client; /* made by the first call, so that a test may change `options` */
    size_t blobs_before;
};

/* How a call ended; what it borrowed is copied. */
#define SEEN_VALUES_MAX 4
#define SEEN_BYTES_MAX  64

struct seen {
    struct rt_loop *loop;
    int count; /* of callbacks */
    int32_t code;
    enum ds_detail detail;
    char text[2048];
    uint64_t ended_us;
    uint64_t took_us;
    uint32_t attempt_count;
    size_t value_count;
    bool is_present[SEEN_VALUES_MAX];
    char values[SEEN_VALUES_MAX][SEEN_BYTES_MAX];
    bool exists[SEEN_VALUES_MAX];
    size_t exist_count;
    uint64_t sizes[SEEN_VALUES_MAX];
    size_t size_count;
    char failed[SEEN_VALUES_MAX][SEEN_BYTES_MAX];
    size_t failed_count;
};

int up(void **state);
int down(void **state); /* also: nothing is left of streams, timers, blobs */

void need_client(struct fixture *fx);
void seen_init(struct seen *seen, struct fixture *fx);
void on_seen(void *arg, const struct ds_result *result); /* a ds_done_fn; arg: struct seen */

void run_for(struct fixture *fx, uint64_t time_us);
void wait_seen(struct fixture *fx, struct seen *seen);

/* Calls that are waited for. */
void init_ready(struct fixture *fx); /* must succeed */
void start_set(struct fixture *fx, const char *key, const char *value, struct seen *seen);
void start_get(struct fixture *fx, const char *const *keys, size_t count, int64_t sub_timeout_ms,
               struct seen *seen);
void set(struct fixture *fx, const char *key, const char *value, struct seen *seen);
void get(struct fixture *fx, const char *key, int64_t sub_timeout_ms, struct seen *seen);

/* A body of GetRsp with `present` entries, then `absent` ones; parts are 0, 1, ... of `size_bytes`
 * each. Static memory, until the next call. */
struct rt_slice get_body(size_t present, size_t absent, int64_t size_bytes, int32_t last_rc);

/* Requests of an operation arrived at these times after the first, no more. */
void assert_times(struct fixture *fx, enum dsrpc_op op, const uint64_t *times_us, size_t count);
void assert_text(const struct seen *seen, const char *part);

#endif
