/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEDS_CLUSTER_INTERNAL_H
#define FAKEDS_CLUSTER_INTERNAL_H

#include "fakeds/cluster.h"
#include "fakeds/membership.h"
#include "fakeds/worker_internal.h"

struct fakeds__cluster {
    struct fakeds_worker *worker;
    struct fakeds__membership *membership;
};

#endif
