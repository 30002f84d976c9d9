/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEDS_CLUSTER_CLUSTER_WORK_H
#define FAKEDS_CLUSTER_CLUSTER_WORK_H

#include "fakeds/request/call.h"

/*
 * What a client's call needs from the other workers before it can go on here:
 *
 *   get                 owners of what is missing here: who has it? then the values
 *   exist, query size   the same without the values
 *   set, mset           owners: may these be stored?
 *   delete, expire      owners: everywhere
 *
 * Then the operation runs as on a worker by itself, with what it needs at hand.
 */

/* True: the call goes on. False: it is kept and comes again, or it has been answered. */
bool fakeds__cluster_before(struct fakeds__call *call);

/* Of key `index`: another worker has it; how large it is; the version its owner gave (0: none). */
bool fakeds__work_is_found(const struct fakeds__call *call, size_t index);
uint64_t fakeds__work_size(const struct fakeds__call *call, size_t index);
uint64_t fakeds__work_version(const struct fakeds__call *call, size_t index);

/* NULL: nothing happens. */
void fakeds__work_free(struct fakeds__work *work);

#endif
