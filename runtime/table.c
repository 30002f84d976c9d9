/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/table.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

static _Atomic uint64_t table_seed = UINT64_C(0x2545f4914f6cdd1d);
static atomic_bool is_seed_fixed;

static uint64_t mix(uint64_t a, uint64_t b);

void rt_table_seed(uint64_t seed)
{
    if (!atomic_exchange(&is_seed_fixed, true)) {
        atomic_store(&table_seed, seed);
    }
}

/* Multiply and fold, eight bytes at a time: keys are short, so set-up counts more than speed. */
unsigned rt__table_hash(const void *key, size_t len_bytes)
{
    const unsigned char *bytes = key;
    uint64_t hash;

    if (!atomic_load_explicit(&is_seed_fixed, memory_order_relaxed)) {
        atomic_store(&is_seed_fixed, true);
    }
    hash = atomic_load_explicit(&table_seed, memory_order_relaxed) ^ len_bytes;
    while (len_bytes > 0) {
        size_t part_bytes = len_bytes < sizeof(uint64_t) ? len_bytes : sizeof(uint64_t);
        uint64_t word = 0;

        memcpy(&word, bytes, part_bytes);
        hash = mix(hash ^ word, UINT64_C(0x9fb21c651e98df25));
        bytes += part_bytes;
        len_bytes -= part_bytes;
    }
    hash = mix(hash, UINT64_C(0xd6e8feb86659fd93));
    return (unsigned)hash;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}
