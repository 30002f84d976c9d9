/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONNECTOR_OMNI_METRICS_TEXT_H
#define CONNECTOR_OMNI_METRICS_TEXT_H

#include "connector/omni_connector.h"

/*
 * Counters of connectors as text, for logs and for whoever scrapes them. Any thread.
 *
 * Names of connectors may hold anything; what is not UTF-8 is shown as U+FFFD.
 */
struct omni_metrics_source {
    const char *name; /* label `connector` */
    const struct omni_metrics *metrics;
};

/*
 * Like snprintf(): fills at most `text_bytes`, the NUL included, and answers how many characters
 * all of it has; a longer text is cut.
 *
 * JSON:       {"connectors": [{"connector": "edge", "puts": 1, ..., "put_failures": {"encode": 0,
 *             ...}, "in_flight": {...}, "latency": {"store": {"count", "sum_us", "max_us",
 *             "buckets": [{"le_us": 3, "count": 1}]}}}]}; only buckets that counted something, each
 *             for itself; le_us null is without bound.
 * Prometheus: text exposition format 0.0.4, names omniconnect_*, times in seconds, every bucket,
 *             each with those below it, as that format wants it.
 */
size_t omni_metrics_write_json(const struct omni_metrics_source *sources, size_t count,
                               char *out_text, size_t text_bytes);
size_t omni_metrics_write_prometheus(const struct omni_metrics_source *sources, size_t count,
                                     char *out_text, size_t text_bytes);

/* The same in memory of its own, which the caller frees. NULL: no memory. */
char *omni_metrics_json(const struct omni_metrics_source *sources, size_t count);
char *omni_metrics_prometheus(const struct omni_metrics_source *sources, size_t count);

#endif
