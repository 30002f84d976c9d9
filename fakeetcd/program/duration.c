/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/program/duration.h"

#include <stdlib.h>
#include <string.h>

#define YEARS_100_US 3.2e15

bool duration_parse(const char *text, uint64_t *out_us)
{
    static const struct {
        const char *unit;
        double us;
    } UNITS[] = {{"ns", 1e-3}, {"us", 1.0}, {"ms", 1e3}, {"s", 1e6}, {"m", 6e7}, {"h", 3.6e9}};
    double total = 0;
    do {
        char *end = NULL;
        double number = strtod(text, &end);
        size_t unit_len = strspn(end, "nsumh");
        double us = 0;
        if (text[0] < '0' || text[0] > '9') {
            return false;
        }
        for (size_t i = 0; i < sizeof(UNITS) / sizeof(UNITS[0]); i++) {
            if (strlen(UNITS[i].unit) == unit_len && memcmp(end, UNITS[i].unit, unit_len) == 0) {
                us = UNITS[i].us;
            }
        }
        total += number * us;
        if (us <= 0 || total > YEARS_100_US) {
            return false;
        }
        text = end + unit_len;
    } while (*text != '\0');
    if (total < 1) {
        return false;
    }
    *out_us = (uint64_t)total;
    return true;
}
