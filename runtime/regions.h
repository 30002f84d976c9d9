/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_REGIONS_H
#define RUNTIME_REGIONS_H

#include <stddef.h>

/*
 * Memory for large blobs, straight from the system. Only what is touched costs anything, so a
 * region may be taken for the whole announced length of a blob that is still arriving. A few
 * freed ones are kept: giving 64 MiB fresh pages takes longer than receiving 64 MiB. Any thread.
 */

/* From here on a blob gets a region. */
#define RT__REGION_MIN_BYTES ((size_t)4 * 1024 * 1024)

/* At least `len_bytes`; NULL when there is no room. */
void *rt__region_take(size_t len_bytes, size_t *out_len_bytes);
void rt__region_give(void *region, size_t len_bytes);

#endif
