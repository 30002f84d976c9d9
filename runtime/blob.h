/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RUNTIME_BLOB_H
#define RUNTIME_BLOB_H

#include "runtime/slice.h"
#include "runtime/status.h"

/*
 * Counted, contiguous bytes that never change once shared: how an object's value travels from
 * a socket into a store and back without being copied.
 *
 * The count is atomic: a blob may be retained and released on any thread.
 */
struct rt_blob;

/* New bytes with one reference. They may be written through `out_data` until the blob is shared.
 * NULL when out of memory. `len_bytes` may be 0. */
RT_NODISCARD struct rt_blob *rt_blob_create(size_t len_bytes, uint8_t **out_data);

/* As above with the bytes copied from `bytes`. */
RT_NODISCARD struct rt_blob *rt_blob_copy(struct rt_slice bytes);

/* As rt_blob_create(), with `room_bytes` of memory behind the bytes that are none of them and live
 * as long as the blob, aligned for anything: for what would otherwise be a second allocation. */
RT_NODISCARD struct rt_blob *rt_blob_create_with_room(size_t len_bytes, size_t room_bytes,
                                                      uint8_t **out_data, void **out_room);

/* Runs when the last reference to wrapped memory goes, on the thread that dropped it. */
typedef void rt_blob_free_fn(void *arg, void *data);

/* Memory somebody else made. `free_fn` may be NULL for static memory. On NULL nothing was taken. */
RT_NODISCARD struct rt_blob *rt_blob_wrap(void *data, size_t len_bytes, rt_blob_free_fn *free_fn,
                                          void *arg);

struct rt_blob *rt_blob_retain(struct rt_blob *blob); /* returns `blob` */
void rt_blob_release(struct rt_blob *blob);           /* NULL: nothing happens */
struct rt_slice rt_blob_slice(const struct rt_blob *blob);

/*
 * A blob that is still arriving. Its memory grows with what has arrived, never ahead of it by
 * more than a factor of two, so that an announced length alone costs nothing.
 */
struct rt_blob_builder {
    struct rt_blob *blob;
    size_t filled_bytes;
    size_t capacity_bytes;
    size_t total_bytes; /* as announced */
};

/* Nothing is allocated yet. */
void rt_blob_builder_init(struct rt_blob_builder *builder, size_t total_bytes);

/* Where the next bytes go: at least 1 byte of room while filled < total. RT_E_NOMEM: unchanged. */
RT_NODISCARD enum rt_status rt_blob_builder_space(struct rt_blob_builder *builder,
                                                  uint8_t **out_data, size_t *out_len_bytes);
void rt_blob_builder_commit(struct rt_blob_builder *builder, size_t len_bytes);
bool rt_blob_builder_is_full(const struct rt_blob_builder *builder);

/* Hands the finished blob to the caller and leaves the builder empty. Only when full. */
RT_NODISCARD struct rt_blob *rt_blob_builder_finish(struct rt_blob_builder *builder);
void rt_blob_builder_fini(struct rt_blob_builder *builder);

/* Bytes of all living blobs of this process, for leak checks after a scenario. Their bookkeeping
 * is included, so that an empty blob that was forgotten shows too. */
size_t rt_blob_live_count(void);

#endif
