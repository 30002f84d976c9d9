/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_TABLE_H
#define RUNTIME_TABLE_H

#include "runtime/status.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Hash tables: the only place that includes uthash.
 *
 * An entry is your struct with a member `UT_hash_handle hh`; a table is a pointer to entries that
 * starts as NULL. Entries and keys belong to you and must stay where they are while inside.
 *
 *   RT_TABLE_ADD_BYTES(table, entry, key, len, &status)   key bytes that live in the entry
 *   RT_TABLE_ADD_U64(table, entry, member, &status)       key is the uint64_t member
 *   RT_TABLE_FIND_BYTES(table, key, len, out_entry)       NULL when it is not there; an empty key
 *                                                         needs no bytes
 *   RT_TABLE_FIND_U64(table, key, out_entry)              `key` is an lvalue of type uint64_t
 *   RT_TABLE_REMOVE(table, entry)
 *   RT_TABLE_EACH(entry, next, table)                     in the order of adding; it may remove
 *                                                         its entry
 *   RT_TABLE_COUNT(table)
 *   RT_TABLE_FORGET(table)                                frees the table, not its entries
 *
 * Adding does not look for an equal key: find first. RT_E_NOMEM: the entry is not inside. Never
 * sort a table; whatever needs order uses <bsd/sys/tree.h>.
 */

/* Seeds the hash of this process, so that keys chosen by a peer cannot be made to collide. Only
 * the first call counts, and only before the first table is used: entries inside would be lost.
 * Results never depend on it, as tables are walked in the order of adding. */
void rt_table_seed(uint64_t seed);

/* For the macros below. Any thread. */
unsigned rt__table_hash(const void *key, size_t len_bytes);

#define HASH_FUNCTION(key, len_bytes, out_hash) (out_hash) = rt__table_hash((key), (len_bytes))
#define HASH_KEYCMP(a, b, len_bytes)            ((len_bytes) == 0 ? 0 : memcmp((a), (b), (len_bytes)))
#define HASH_NONFATAL_OOM                       1
#define uthash_nonfatal_oom(entry)              ((void)(entry)) /* said by entry->hh.tbl == NULL */
#include <uthash.h>

#define RT_TABLE_ADD_BYTES(table, entry, key, key_len_bytes, out_status)                           \
    do {                                                                                           \
        HASH_ADD_KEYPTR(hh, (table), (key), (key_len_bytes), (entry));                             \
        *(out_status) = (entry)->hh.tbl == NULL ? RT_E_NOMEM : RT_OK;                              \
    } while (0)

#define RT_TABLE_ADD_U64(table, entry, member, out_status)                                         \
    RT_TABLE_ADD_BYTES(table, entry, &(entry)->member, sizeof(uint64_t), out_status)

#define RT_TABLE_FIND_BYTES(table, key, key_len_bytes, out_entry)                                  \
    HASH_FIND(hh, (table), (key), (key_len_bytes), (out_entry))

#define RT_TABLE_FIND_U64(table, key, out_entry)                                                   \
    HASH_FIND(hh, (table), &(key), sizeof(uint64_t), (out_entry))

#define RT_TABLE_REMOVE(table, entry)     HASH_DEL((table), (entry))
#define RT_TABLE_EACH(entry, next, table) HASH_ITER(hh, (table), (entry), (next))
#define RT_TABLE_COUNT(table)             ((size_t)HASH_COUNT(table))
#define RT_TABLE_FORGET(table)            HASH_CLEAR(hh, (table))

#endif
