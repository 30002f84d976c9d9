/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_PROGRAM_DURATION_H
#define FAKEETCD_PROGRAM_DURATION_H

#include <stdbool.h>
#include <stdint.h>

/* "10m", "1h2m3.5s", "500ms", as Go writes durations; at least a microsecond. */
bool duration_parse(const char *text, uint64_t *out_us);

#endif
