/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_GROW_H
#define FAKEETCD_GROW_H

#include "runtime/status.h"

#include <stddef.h>

/* An array on the heap (NULL at first) with room for one more behind `count`: as it is, or moved
 * into twice the room and some. NULL: no memory, and it is as it was. */
RT_NODISCARD void *fakeetcd__grow(void *items, size_t count, size_t *io_capacity,
                                  size_t item_bytes);

#endif
