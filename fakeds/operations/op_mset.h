/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEDS_OPERATIONS_OP_MSET_H
#define FAKEDS_OPERATIONS_OP_MSET_H

#include "fakeds/request/call.h"

/* Progress of an mset: it may have to wait for memory between two of its objects. */
struct fakeds__batch;

void fakeds__batch_free(struct fakeds__batch *batch); /* NULL: nothing happens */
bool fakeds__mset_list_keys(struct fakeds__call *call);

#endif
