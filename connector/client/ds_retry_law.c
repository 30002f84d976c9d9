/* SPDX-License-Identifier: Apache-2.0 */
#include "connector/client/ds_retry_law.h"

#include <inttypes.h>

#define MS_US           UINT64_C(1000)
#define LAST_ATTEMPT_US (10 * MS_US) /* before the end of the budget */

static const int32_t CODES[DS__RETRYABLE_COUNT] = {
    [DS__RETRY_OUT_OF_MEMORY] = K_OUT_OF_MEMORY,
    [DS__RETRY_TRY_AGAIN] = K_TRY_AGAIN,
    [DS__RETRY_SCALING] = K_SCALING,
    [DS__RETRY_RPC_CANCELLED] = K_RPC_CANCELLED,
    [DS__RETRY_RPC_DEADLINE_EXCEEDED] = K_RPC_DEADLINE_EXCEEDED,
    [DS__RETRY_RPC_UNAVAILABLE] = K_RPC_UNAVAILABLE,
};

static const uint32_t WAITS_MS[] = {1, 5, 50, 200, 1000, 5000};
#define WAIT_COUNT (sizeof(WAITS_MS) / sizeof(WAITS_MS[0]))

void ds__retry_start(struct ds__retry *retry, uint64_t now_us, uint64_t budget_us)
{
    *retry = (struct ds__retry){.started_us = now_us, .budget_us = budget_us};
}

uint64_t ds__retry_left_us(const struct ds__retry *retry, uint64_t now_us)
{
    uint64_t elapsed_us = now_us - retry->started_us;
    return elapsed_us < retry->budget_us ? retry->budget_us - elapsed_us : 0;
}

bool ds__retry_count_failure(struct ds__retry *retry, unsigned set, int32_t code)
{
    for (unsigned i = 0; i < DS__RETRYABLE_COUNT; i++) {
        if (CODES[i] == code && (set & 1u << i) != 0) {
            retry->failure_counts[i]++;
            return true;
        }
    }
    return false;
}

bool ds__retry_next(struct ds__retry *retry, uint64_t now_us, uint64_t *out_wait_us)
{
    uint64_t left_us = ds__retry_left_us(retry, now_us);
    if (left_us <= LAST_ATTEMPT_US) {
        return false;
    }
    size_t step = retry->retry_count < WAIT_COUNT ? retry->retry_count : WAIT_COUNT - 1;
    uint64_t wait_us = WAITS_MS[step] * MS_US;
    uint64_t longest_us = left_us - LAST_ATTEMPT_US;
    *out_wait_us = wait_us < longest_us ? wait_us : longest_us;
    retry->retry_count++;
    return true;
}

void ds__retry_describe(const struct ds__retry *retry, struct ds__text *text)
{
    ds__text_printf(text, "RPC Retry detail: [");
    for (unsigned i = 0; i < DS__RETRYABLE_COUNT; i++) {
        if (retry->failure_counts[i] > 0) {
            ds__text_printf(text, " %s * %" PRIu32, dsrpc_code_text(CODES[i]),
                            retry->failure_counts[i]);
        }
    }
    ds__text_printf(text, " ] with %" PRIu32 " times in %" PRIu64 " ms.", retry->retry_count,
                    retry->budget_us / MS_US);
}

uint64_t ds__attempt_cap_us(uint64_t request_timeout_us)
{
    const uint64_t short_us = 30000 * MS_US;
    const uint64_t long_us = 90000 * MS_US;
    const uint64_t limit_us = 600000 * MS_US;
    if (request_timeout_us <= short_us) {
        return request_timeout_us;
    }
    if (request_timeout_us <= long_us) {
        return short_us;
    }
    uint64_t third_us = request_timeout_us / 3;
    return third_us < limit_us ? third_us : limit_us;
}

uint64_t ds__told_ms(uint64_t timeout_ms)
{
    uint64_t tenths_ms = (timeout_ms * 9 + 5) / 10;
    uint64_t second_less_ms = timeout_ms > 1000 ? timeout_ms - 1000 : 0;
    return tenths_ms > second_less_ms ? tenths_ms : second_less_ms;
}
