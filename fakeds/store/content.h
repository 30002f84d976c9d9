/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKEDS_STORE_CONTENT_H
#define FAKEDS_STORE_CONTENT_H

#include "wire/zmtp/zmtp.h"

/*
 * What one publish stored: the value and what was said about it. Counted and never changed, so
 * that a waiting get keeps what it saw although the key is deleted, overwritten or expires
 * meanwhile (the snapshot rule). The bytes are the very blobs that came from the socket.
 */
struct fakeds__content {
    size_t reference_count;
    uint64_t size_bytes;
    uint64_t class_bytes; /* what it takes of the shared memory */
    uint64_t version_us;
    uint32_t write_mode;
    uint32_t consistency;
    uint32_t cache_type;
    size_t blob_count;
    struct rt_blob *blobs[];
};

/* Write modes of PublishReq. */
enum fakeds__write_mode {
    FAKEDS__MODE_NONE = 0,
    FAKEDS__MODE_THROUGH = 1,
    FAKEDS__MODE_BACK = 2,
    FAKEDS__MODE_EVICT = 3,
    FAKEDS__MODE_BACK_EVICT = 4
};

/* One reference. Blobs of `parts` are retained, frames without one are copied once. NULL when out
 * of memory. The fields behind `class_bytes` are the caller's to fill. */
RT_NODISCARD struct fakeds__content *fakeds__content_create(const struct zmtp_frame *parts,
                                                            size_t part_count);
struct fakeds__content *fakeds__content_retain(struct fakeds__content *content);
void fakeds__content_release(struct fakeds__content *content); /* NULL: nothing happens */

/* The allocation class of a value of that size, header included: four classes for each doubling,
 * as the real worker's allocator has them (4 MiB and a header take 5 MiB). */
uint64_t fakeds__class_bytes(uint64_t size_bytes);

#endif
