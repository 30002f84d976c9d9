/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONNECTOR_CLIENT_DS_SCRATCH_H
#define CONNECTOR_CLIENT_DS_SCRATCH_H

#include "runtime/status.h"

#include <stddef.h>

/*
 * One block of memory that is handed out in pieces and taken back as a whole. reserve() gives it
 * room first, so that taking never fails and pieces never move. The block is kept for the next
 * user, up to a megabyte. Zeroed is empty.
 */
struct ds__scratch {
    unsigned char *bytes;
    size_t capacity_bytes;
    size_t used_bytes;
};

/* What a piece costs at most, its alignment included. */
size_t ds__scratch_cost(size_t count, size_t item_bytes);

/* Forgets all pieces. RT_E_NOMEM: as before. */
RT_NODISCARD enum rt_status ds__scratch_reserve(struct ds__scratch *scratch, size_t total_bytes);

/* Zeroed and aligned for anything. Only what was reserved. */
void *ds__scratch_take(struct ds__scratch *scratch, size_t count, size_t item_bytes);
void ds__scratch_trim(struct ds__scratch *scratch); /* forgets all pieces, frees a huge block */
void ds__scratch_fini(struct ds__scratch *scratch);

#endif
