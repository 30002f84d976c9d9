/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEDS_LIBRARY_HOST_H
#define FAKEDS_LIBRARY_HOST_H

#include "fakeds/include/fakeds.h"
#include "fakeds/worker/worker.h"
#include "faults/host.h"

/* A worker on a thread of its own; everything about it happens on that thread. */
struct fakeds {
    struct fault_host host;
    struct fakeds_config config;
    char address[64];
    struct fakeds_worker *worker; /* the thread's own */
};

extern const struct fault_host_parts fakeds__host_parts; /* their arg is the struct fakeds */

#endif
