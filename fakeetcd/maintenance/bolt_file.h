/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEETCD_MAINTENANCE_BOLT_FILE_H
#define FAKEETCD_MAINTENANCE_BOLT_FILE_H

#include "runtime/slice.h"
#include "runtime/status.h"

/*
 * Writes a database file as bbolt 1.3 reads it (format version 2), in memory and in one go: buckets
 * are written one after another, the keys of each ascending.
 *
 *   init --> begin --> add ... --> end --.--> finish: bytes
 *              '------- the next bucket -'
 *
 * What fails is kept and told by finish. Source: the format as bbolt documents and checks it.
 */
enum {
    FAKEETCD__BOLT_PAGE_BYTES = 4096,
    FAKEETCD__BOLT_INLINE_MAX = FAKEETCD__BOLT_PAGE_BYTES / 4, /* bbolt's limit */
    FAKEETCD__BOLT_KEY_MAX = 24,
    FAKEETCD__BOLT_BUCKETS = 16
};

struct fakeetcd__bolt_item {
    size_t offset; /* in staged: the key, then the value */
    uint32_t key_bytes;
    uint32_t value_bytes;
};

struct fakeetcd__bolt_child { /* a page, by the first key in it */
    uint64_t page;
    uint8_t key[FAKEETCD__BOLT_KEY_MAX];
    uint8_t key_bytes;
};

struct fakeetcd__bolt_bucket {
    const char *name; /* static */
    uint64_t root;    /* 0: it is small, and lies where it is named */
    size_t inline_bytes;
    uint8_t leaf[FAKEETCD__BOLT_INLINE_MAX];
};

struct fakeetcd__bolt {
    uint8_t *bytes; /* whole pages */
    size_t len_bytes;
    size_t room_bytes;
    enum rt_status status; /* the first that failed */

    /* The leaf under way. */
    uint8_t *staged;
    size_t staged_bytes;
    size_t staged_room_bytes;
    struct fakeetcd__bolt_item items[FAKEETCD__BOLT_PAGE_BYTES / 16];
    size_t item_count;
    bool is_of_buckets;

    /* Of the bucket under way: the finished pages of one level. */
    struct fakeetcd__bolt_child *children;
    size_t child_count;
    size_t child_room_count;

    struct fakeetcd__bolt_bucket buckets[FAKEETCD__BOLT_BUCKETS];
    size_t bucket_count;
};

void fakeetcd__bolt_init(struct fakeetcd__bolt *bolt);
void fakeetcd__bolt_fini(struct fakeetcd__bolt *bolt);

/* Names ascend, too; at most FAKEETCD__BOLT_BUCKETS of them. */
void fakeetcd__bolt_begin(struct fakeetcd__bolt *bolt, const char *name);
/* Room for a value of this size, to be filled before the next call. `key` has at most
 * FAKEETCD__BOLT_KEY_MAX bytes and is copied. NULL: it has failed. */
uint8_t *fakeetcd__bolt_add(struct fakeetcd__bolt *bolt, struct rt_slice key, size_t value_bytes);
void fakeetcd__bolt_end(struct fakeetcd__bolt *bolt);

/* `out_bytes` is the whole file, to be freed. RT_E_NOMEM, RT_E_LIMIT: nothing. */
RT_NODISCARD enum rt_status fakeetcd__bolt_finish(struct fakeetcd__bolt *bolt, uint8_t **out_bytes,
                                                  size_t *out_len_bytes);

#endif
