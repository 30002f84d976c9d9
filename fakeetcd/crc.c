/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeetcd/crc.h"

#include <pthread.h>

#define CRC_POLYNOMIAL UINT32_C(0x82f63b78) /* Castagnoli's, reflected */
#define CRC_TABLES     8

static uint32_t crc_tables[CRC_TABLES][256];
static pthread_once_t crc_once = PTHREAD_ONCE_INIT;

/* Table k is for a byte with k more bytes behind it in the same step. */
static void prepare_crc(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ ((crc & 1) != 0 ? CRC_POLYNOMIAL : 0);
        }
        crc_tables[0][byte] = crc;
    }
    for (size_t table = 1; table < CRC_TABLES; table++) {
        for (uint32_t byte = 0; byte < 256; byte++) {
            uint32_t before = crc_tables[table - 1][byte];
            crc_tables[table][byte] = before >> 8 ^ crc_tables[0][before & 255];
        }
    }
}

static uint32_t read_u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

uint32_t fakeetcd__crc_add(uint32_t crc, const void *data, size_t len_bytes)
{
    const uint8_t *bytes = data;

    (void)pthread_once(&crc_once, prepare_crc);
    crc = ~crc;
    for (; len_bytes >= CRC_TABLES; len_bytes -= CRC_TABLES, bytes += CRC_TABLES) {
        uint32_t low = read_u32(bytes) ^ crc;
        uint32_t high = read_u32(bytes + 4);
        crc = crc_tables[7][low & 255] ^ crc_tables[6][low >> 8 & 255] ^
              crc_tables[5][low >> 16 & 255] ^ crc_tables[4][low >> 24] ^
              crc_tables[3][high & 255] ^ crc_tables[2][high >> 8 & 255] ^
              crc_tables[1][high >> 16 & 255] ^ crc_tables[0][high >> 24];
    }
    for (; len_bytes > 0; len_bytes--, bytes++) {
        crc = crc >> 8 ^ crc_tables[0][(crc ^ *bytes) & 255];
    }
    return ~crc;
}
