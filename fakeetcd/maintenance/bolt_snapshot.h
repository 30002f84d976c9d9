/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_MAINTENANCE_BOLT_SNAPSHOT_H
#define FAKEETCD_MAINTENANCE_BOLT_SNAPSHOT_H

#include "fakeetcd/disk/data_dir.h"

/* The state as the database file of a real etcd, to be freed. RT_E_NOMEM, RT_E_LIMIT (a file over
 * 2^63 bytes, a value over 1 GiB): nothing. */
RT_NODISCARD enum rt_status fakeetcd__bolt_snapshot(const struct fakeetcd_state *state,
                                                    uint8_t **out_bytes, size_t *out_len_bytes);

#endif
