/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/store/content.h"

#include <stdlib.h>

#define HEADER_BYTES       64u /* lock and visibility byte before the data in shared memory */
#define CLASS_MIN_BYTES    16u
#define CLASS_COUNT_LOG2   2u /* four classes for each doubling */
#define CLASS_MAX_EXPONENT 62u

struct fakeds__content *fakeds__content_create(const struct zmtp_frame *parts, size_t part_count)
{
    struct fakeds__content *content =
        malloc(sizeof(*content) + part_count * sizeof(content->blobs[0]));
    if (content == NULL) {
        return NULL;
    }
    *content = (struct fakeds__content){.reference_count = 1};
    for (size_t i = 0; i < part_count; i++) {
        struct rt_blob *blob =
            parts[i].blob != NULL ? rt_blob_retain(parts[i].blob) : rt_blob_copy(parts[i].bytes);
        if (blob == NULL) {
            fakeds__content_release(content);
            return NULL;
        }
        content->blobs[content->blob_count++] = blob;
        content->size_bytes += parts[i].bytes.len_bytes;
    }
    content->class_bytes = fakeds__class_bytes(content->size_bytes);
    return content;
}

struct fakeds__content *fakeds__content_retain(struct fakeds__content *content)
{
    content->reference_count++;
    return content;
}

void fakeds__content_release(struct fakeds__content *content)
{
    if (content == NULL || --content->reference_count > 0) {
        return;
    }
    for (size_t i = 0; i < content->blob_count; i++) {
        rt_blob_release(content->blobs[i]);
    }
    free(content);
}

uint64_t fakeds__class_bytes(uint64_t size_bytes)
{
    if (size_bytes >> CLASS_MAX_EXPONENT != 0) {
        return UINT64_MAX;
    }
    uint64_t wanted_bytes = size_bytes + HEADER_BYTES;
    unsigned exponent = 63u - (unsigned)__builtin_clzll(wanted_bytes - 1); /* 2^e < wanted */
    uint64_t step_bytes = UINT64_C(1) << (exponent - CLASS_COUNT_LOG2);
    if (step_bytes < CLASS_MIN_BYTES) {
        step_bytes = CLASS_MIN_BYTES;
    }
    return (wanted_bytes + step_bytes - 1) / step_bytes * step_bytes;
}
