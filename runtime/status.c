/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/status.h"

const char *rt_status_text(enum rt_status status)
{
    switch (status) {
#define RT_STATUS_CASE(name, number, text)                                                         \
    case name:                                                                                     \
        return text;
        RT_STATUS_LIST(RT_STATUS_CASE)
#undef RT_STATUS_CASE
    }
    return "unknown status";
}
