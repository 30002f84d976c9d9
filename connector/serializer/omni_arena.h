/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONNECTOR_SERIALIZER_OMNI_ARENA_H
#define CONNECTOR_SERIALIZER_OMNI_ARENA_H

#include "connector/omni_value.h"

/* An arena and a copy of `bytes` in one allocation. The caller owns both, each for itself; the
 * memory goes when both have gone. NULL: no memory. */
RT_NODISCARD struct omni_arena *omni__arena_with_copy(struct rt_slice bytes,
                                                      struct rt_blob **out_copy);

#endif
