/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEDS_SEEN_H
#define FAKEDS_SEEN_H

#include "fakeds/scratch.h"
#include "runtime/slice.h"
#include "runtime/table.h"

/* Keys of one batch, to find repeated ones in linear time. Lives as long as the request. */
struct fakeds__seen_key;

struct fakeds__seen {
    struct fakeds__scratch *scratch;
    struct fakeds__seen_key *keys;
};

/* False: it was there already. The key is borrowed. Short of memory it is taken for a new one. */
bool fakeds__seen_add(struct fakeds__seen *seen, struct rt_slice key);
void fakeds__seen_fini(struct fakeds__seen *seen);

#endif
