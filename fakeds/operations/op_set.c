/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/cluster/cluster_work.h"
#include "fakeds/operations/put.h"
#include "fakeds/request/dispatch.h"
#include "wire/proto/datasystem.pb-c.h"

/* One Publish with the value inline: checks in the real worker's order, then memory, then store. */
static bool is_refused(struct fakeds__call *call, const Ds__PublishReq *request);
static void store_value(struct fakeds__call *call, const Ds__PublishReq *request);

void fakeds__op_set(struct fakeds__call *call)
{
    const Ds__PublishReq *request = (const Ds__PublishReq *)call->message;
    bool is_over = false;
    if (is_refused(call, request)) {
        return;
    }
    const struct fakeds__object *old =
        fakeds__store_find(&call->worker->store, pb_slice(request->object_key));
    if (old != NULL && request->existence == FAKEDS__EXISTENCE_NX) {
        fakeds__call_answer_ok(call, NULL); /* NX on an existing key: fine, the old value stays */
        return;
    }
    /* The new bytes need room beside the old ones. */
    if (fakeds__memory_take(call, fakeds__class_bytes(request->data_size), &is_over)) {
        store_value(call, request);
    } else if (is_over) {
        fakeds__call_answer(call, &(struct fakeds__answer){.code = K_OUT_OF_MEMORY,
                                                           .text = fakeds__memory_text(call)});
    }
}

static bool is_refused(struct fakeds__call *call, const Ds__PublishReq *request)
{
    const struct fakeds__object *old =
        fakeds__store_find(&call->worker->store, pb_slice(request->object_key));
    if (request->object_key.len == 0) {
        fakeds__call_refuse(call, K_INVALID, "The objectKey should not be empty.");
    } else if (request->shm_id.len > 0) {
        fakeds__call_refuse(call, K_INVALID, "Shared memory is not offered");
    } else if (request->data_size == 0) {
        fakeds__call_refuse(call, K_INVALID, "The dataSize value should be bigger than zero.");
    } else if (request->data_size != call->request.payload.total_bytes) {
        fakeds__call_refuse(call, K_INVALID, "The data size doesn't match the payload size");
    } else if (fakeds__is_second_level(request->write_mode)) {
        fakeds__call_refuse(call, K_INVALID, "%s", FAKEDS__TEXT_NO_SECOND_LEVEL);
    } else if (old != NULL && (old->content->write_mode != request->write_mode ||
                               old->content->consistency != request->consistency_type ||
                               old->content->cache_type != request->cache_type)) {
        fakeds__call_refuse(call, K_INVALID,
                            "The write mode, consistency type or cache type cannot be modified.");
    } else {
        return false;
    }
    return true;
}

/* A set replaces the TTL; 0 takes it away. */
static void store_value(struct fakeds__call *call, const Ds__PublishReq *request)
{
    struct fakeds__put put = {
        .key = pb_slice(request->object_key),
        .parts = call->request.payload.parts,
        .part_count = call->request.payload.part_count,
        .write_mode = request->write_mode,
        .consistency = request->consistency_type,
        .cache_type = request->cache_type,
        .ttl_s = request->ttl_second,
        .is_old_ttl_kept = false,
        .version_us = fakeds__work_version(call, 0),
    };
    if (fakeds__put(call->worker, &put) != RT_OK) {
        fakeds__call_answer_no_memory(call);
        return;
    }
    fakeds__call_answer_ok(call, NULL);
}
