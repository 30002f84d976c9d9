/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_PROGRAM_RELAY_H
#define FAKEETCD_PROGRAM_RELAY_H

#include "runtime/network.h"

/* Members after the first of a cluster on one machine: every connection to them is one to the
 * first member, byte for byte. What they know of etcd ends there. */
struct relay;

RT_NODISCARD enum rt_status relay_create(struct rt_network *network, const char *const *addresses,
                                         size_t address_count, const char *target,
                                         struct relay **out_relay);
void relay_destroy(struct relay *relay);              /* NULL: nothing happens */
const char *relay_address(const struct relay *relay); /* the first, with its real port */

#endif
