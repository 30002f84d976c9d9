/* SPDX-License-Identifier: Apache-2.0 */
#include "connector/core/omni_internal.h"

/* Counters and their laws (docs/reference/connector.md, Counters). */
static uint64_t sum(const uint64_t counts[DS_CAUSE_COUNT]);

void omni__histogram_add(struct omni_histogram *histogram, uint64_t took_us)
{
    size_t bucket = 0;
    while (bucket < 31 && took_us >> bucket != 0) {
        bucket++;
    }
    histogram->buckets[bucket]++;
    histogram->count++;
    histogram->sum_us += took_us;
    if (took_us > histogram->max_us) {
        histogram->max_us = took_us;
    }
}

const char *omni_metrics_broken_law(const struct omni_metrics *metrics)
{
    if (metrics->get_causes[DS_CAUSE_NONE] != 0 || metrics->put_causes[DS_CAUSE_NONE] != 0) {
        return "a failure has a cause";
    }
    if (metrics->put_causes[DS_CAUSE_NOT_FOUND] != 0) {
        return "a put is never not found";
    }
    if (metrics->timeouts != sum(metrics->get_causes)) {
        return "timeouts = sum of the causes of failed gets";
    }
    if (metrics->errors != sum(metrics->put_causes)) {
        return "errors = sum of the causes of failed puts";
    }
    if (metrics->get_calls != metrics->gets + metrics->timeouts + metrics->empties +
                                  metrics->gets_refused_closed + metrics->gets_cancelled +
                                  metrics->gets_in_flight) {
        return "get calls = gets + timeouts + empty + refused because closed + cancelled + in "
               "flight";
    }
    if (metrics->put_calls != metrics->puts + metrics->errors + metrics->puts_refused_closed +
                                  metrics->puts_cancelled + metrics->puts_in_flight) {
        return "put calls = puts + errors + refused because closed + cancelled + in flight";
    }
    return NULL;
}

static uint64_t sum(const uint64_t counts[DS_CAUSE_COUNT])
{
    uint64_t total = 0;
    for (size_t i = 0; i < DS_CAUSE_COUNT; i++) {
        total += counts[i];
    }
    return total;
}
