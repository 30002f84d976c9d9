/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONNECTOR_CLIENT_DS_RETRY_LAW_H
#define CONNECTOR_CLIENT_DS_RETRY_LAW_H

#include "connector/client/ds_text.h"
#include "wire/dsrpc/dsrpc_code.h"

/*
 * The retry law of the real client, without a clock:
 *
 *   attempt, wait 1 ms, attempt, 5 ms, attempt, 50, 200, 1000, 5000, 5000 ...
 *
 * inside a budget. The last wait is cut so that one more attempt starts 10 ms before the budget
 * ends; with no time per call and 3000 ms attempts start at 0, 1, 6, 56, 256, 1256, 2990.
 */

/* Codes that some operation retries, in the order the real client lists them. */
enum ds__retryable {
    DS__RETRY_OUT_OF_MEMORY,
    DS__RETRY_TRY_AGAIN,
    DS__RETRY_SCALING,
    DS__RETRY_RPC_CANCELLED,
    DS__RETRY_RPC_DEADLINE_EXCEEDED,
    DS__RETRY_RPC_UNAVAILABLE,
    DS__RETRYABLE_COUNT
};

/* Sets of codes, as bits of enum ds__retryable. */
#define DS__RETRY_NONE 0u
#define DS__RETRY_RPC                                                                              \
    (1u << DS__RETRY_TRY_AGAIN | 1u << DS__RETRY_RPC_CANCELLED |                                   \
     1u << DS__RETRY_RPC_DEADLINE_EXCEEDED | 1u << DS__RETRY_RPC_UNAVAILABLE)
#define DS__RETRY_RPC_OOM (DS__RETRY_RPC | 1u << DS__RETRY_OUT_OF_MEMORY)
#define DS__RETRY_MSET    (DS__RETRY_RPC_OOM | 1u << DS__RETRY_SCALING)

struct ds__retry {
    uint64_t started_us;
    uint64_t budget_us;
    uint32_t retry_count;
    uint32_t failure_counts[DS__RETRYABLE_COUNT];
};

void ds__retry_start(struct ds__retry *retry, uint64_t now_us, uint64_t budget_us);
uint64_t ds__retry_left_us(const struct ds__retry *retry, uint64_t now_us);

/* Whether an operation that retries `set` retries `code`; then the failure is counted. */
bool ds__retry_count_failure(struct ds__retry *retry, unsigned set, int32_t code);

/* After a failure: how long to wait for the next attempt. False: the budget is used up. */
bool ds__retry_next(struct ds__retry *retry, uint64_t now_us, uint64_t *out_wait_us);

/* "RPC Retry detail: [ Out of memory * 4 ] with 3 times in 1000 ms." */
void ds__retry_describe(const struct ds__retry *retry, struct ds__text *text);

/* The longest one attempt may take under a request time-out: all of it up to 30 s, 30 s up to
 * 90 s, else a third, at most 600 s. */
uint64_t ds__attempt_cap_us(uint64_t request_timeout_us);

/* What the worker is told of a time of the client: max(0.9 t, t - 1000), rounded to whole
 * milliseconds. Both the wait of a get and the deadline of a request. */
uint64_t ds__told_ms(uint64_t timeout_ms);

#endif
