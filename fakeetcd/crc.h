/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_CRC_H
#define FAKEETCD_CRC_H

#include <stddef.h>
#include <stdint.h>

/* CRC-32C (Castagnoli). Begins with 0; what it returns may be continued. Any thread. */
uint32_t fakeetcd__crc_add(uint32_t crc, const void *data, size_t len_bytes);

#endif
