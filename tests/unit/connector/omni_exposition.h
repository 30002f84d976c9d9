/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_CONNECTOR_OMNI_EXPOSITION_H
#define TESTS_UNIT_CONNECTOR_OMNI_EXPOSITION_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Reads Prometheus' text exposition format 0.0.4 as strictly as it is specified, and checks what a
 * scraper relies on: one block for each family, HELP and TYPE before its samples, no series twice,
 * histograms that add up.
 */
#define EXPOSITION_SERIES_MAX 2048

struct exposition_series {
    char name[96];
    char connector[128]; /* unescaped */
    char cause[32];
    char le[32];
    double value;
};

struct exposition {
    struct exposition_series series[EXPOSITION_SERIES_MAX];
    size_t count;
    char problem[256]; /* "" when all is well */
};

/* False: see `problem`, which names the line. */
bool exposition_read(struct exposition *exposition, const char *text);

/* -1 when there is no such series; NULL: the label is not there. */
double exposition_value(const struct exposition *exposition, const char *name,
                        const char *connector, const char *cause, const char *le);

#endif
