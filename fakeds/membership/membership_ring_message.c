/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/membership/membership_internal.h"

#include <stdlib.h>

/* What a ring is made of: messages and bytes are malloc'ed, as protobuf-c frees them. */

DsRing__WorkerPb *fakeds__ring_find(const DsRing__HashRingPb *ring, struct rt_slice address)
{
    for (size_t i = 0; i < ring->n_workers; i++) {
        if (rt_slice_equal(pb_slice(ring->workers[i]->address), address)) {
            return ring->workers[i]->worker;
        }
    }
    return NULL;
}

DsRing__WorkerPb *fakeds__ring_own(const struct fakeds__membership *membership,
                                   const DsRing__HashRingPb *ring)
{
    return fakeds__ring_find(ring, rt_slice_text(membership->options.worker_address));
}

bool fakeds__ring_drop(const struct fakeds__membership *membership, DsRing__HashRingPb *ring,
                       fakeds__ring_choose_fn *choose)
{
    size_t kept_count = 0;
    size_t count = ring->n_workers;
    for (size_t i = 0; i < count; i++) {
        DsRing__WorkerEntry *entry = ring->workers[i];
        if (!choose(membership, pb_slice(entry->address))) {
            ring->workers[kept_count++] = entry;
            continue;
        }
        if (entry->worker != NULL && entry->worker->state == DS_RING__WORKER_PB__STATE__LEAVING) {
            fakeds__ring_forget_ranges(ring);
        }
        ds_ring__worker_entry__free_unpacked(entry, NULL);
    }
    ring->n_workers = kept_count;
    return kept_count < count;
}

void fakeds__ring_forget_ranges(DsRing__HashRingPb *ring)
{
    for (size_t i = 0; i < ring->n_add_node_info; i++) {
        ds_ring__change_entry__free_unpacked(ring->add_node_info[i], NULL);
    }
    ring->n_add_node_info = 0;
}

void *fakeds__ring_append(const ProtobufCMessageDescriptor *type, void *list_at, size_t *count)
{
    void **list;
    memcpy(&list, list_at, sizeof(list));
    void **longer = realloc(list, (*count + 1) * sizeof(void *));
    if (longer == NULL) {
        return NULL;
    }
    memcpy(list_at, &longer, sizeof(longer));
    void *message = fakeds__ring_make(type);
    if (message != NULL) {
        longer[(*count)++] = message;
    }
    return message;
}

void *fakeds__ring_make(const ProtobufCMessageDescriptor *type)
{
    ProtobufCMessage *message = malloc(type->sizeof_message);
    if (message != NULL) {
        protobuf_c_message_init(type, message);
    }
    return message;
}

bool fakeds__ring_set_bytes(ProtobufCBinaryData *data, struct rt_slice bytes)
{
    uint8_t *copied = malloc(bytes.len_bytes + 1);
    if (copied == NULL) {
        return false;
    }
    if (bytes.len_bytes > 0) {
        memcpy(copied, bytes.data, bytes.len_bytes);
    }
    free(data->data);
    *data = (ProtobufCBinaryData){.len = bytes.len_bytes, .data = copied};
    return true;
}
