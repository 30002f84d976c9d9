/* SPDX-License-Identifier: Apache-2.0 */
#include "faults/fault.h"

/* What the connector can be made to see that never crosses the real wire: there no entries is an
 * unknown error, and all keys missing is "not found". */

#define AT_BINDING (1u << FAULT_AT_BINDING)

static const struct fault_operation binding_operations[] = {
    [FAULT_BINDING_SET] = {.word = "set", .points = AT_BINDING},
    [FAULT_BINDING_GET] = {.word = "get", .points = AT_BINDING},
    [FAULT_BINDING_CONSTRUCT] = {.word = "construct", .points = AT_BINDING},
    {.word = NULL},
};

static const struct fault_capability binding_capabilities[] = {
    {.point = FAULT_AT_BINDING,
     .actions = 1u << FAULT_EMPTY_LIST | 1u << FAULT_NULL | 1u << FAULT_BYTES | 1u << FAULT_RAISE |
                1u << FAULT_HOLE | 1u << FAULT_DELAY | 1u << FAULT_HOLD},
};

/* A construction is no call: it can lack a symbol, and that is all. */
static const struct fault_restriction binding_restrictions[] = {
    {FAULT_EMPTY_LIST, "get"}, {FAULT_NULL, "get"},  {FAULT_BYTES, "get"},
    {FAULT_RAISE, "set"},      {FAULT_RAISE, "get"}, {FAULT_DELAY, "set"},
    {FAULT_DELAY, "get"},      {FAULT_HOLD, "set"},  {FAULT_HOLD, "get"},
    {FAULT_HOLE, "construct"}, {FAULT_HOLE, NULL},
};

const struct fault_domain fault_binding_domain = {
    .name = "binding",
    .operations = binding_operations,
    .capabilities = binding_capabilities,
    .capability_count = sizeof(binding_capabilities) / sizeof(binding_capabilities[0]),
    .restrictions = binding_restrictions,
};
