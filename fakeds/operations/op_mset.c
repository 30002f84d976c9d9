/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/operations/op_mset.h"

#include "fakeds/cluster/cluster_work.h"
#include "fakeds/operations/put.h"
#include "fakeds/request/dispatch.h"
#include "fakeds/seen.h"
#include "wire/proto/datasystem.pb-c.h"

#include <stdlib.h>

/*
 *   checks --> split the payload --> transaction: all or nothing
 *                               '--> one object after the other; each may fail for itself
 *
 * A failed object is no error of the call: it is named, and the last reason goes into last_rc.
 */
enum item_state { ITEM_TODO, ITEM_STORED, ITEM_FAILED };

struct item {
    size_t first_part;
    size_t part_count;
    enum item_state state;
};

struct fakeds__batch {
    size_t next;
    int32_t last_code;
    char *last_text; /* owned, or NULL */
    size_t item_count;
    struct item items[];
};

static bool is_refused(struct fakeds__call *call, const Ds__MultiPublishReq *request);
static bool batch_start(struct fakeds__call *call, const Ds__MultiPublishReq *request);
static bool split_payload(const struct fakeds__call *call, const Ds__MultiPublishReq *request,
                          struct fakeds__batch *batch);
static size_t mark_repeated(struct fakeds__call *call, struct fakeds__batch *batch);
static void store_each(struct fakeds__call *call, const Ds__MultiPublishReq *request);
static bool store_one(struct fakeds__call *call, const Ds__MultiPublishReq *request, size_t index);
static void store_all(struct fakeds__call *call, const Ds__MultiPublishReq *request);
static bool lose_old_value(struct fakeds__call *call, const Ds__MultiPublishReq *request,
                           size_t index, struct fakeds__object *old);
static void put_item(struct fakeds__call *call, const Ds__MultiPublishReq *request, size_t index,
                     const struct fakeds__object *old);
static void fail(struct fakeds__batch *batch, size_t index, int32_t code, struct rt_slice text);
static void answer(struct fakeds__call *call);

#define BATCH_LIMIT 10000u

bool fakeds__mset_list_keys(struct fakeds__call *call)
{
    const Ds__MultiPublishReq *request = (const Ds__MultiPublishReq *)call->message;
    struct rt_slice *keys =
        fakeds__scratch_take(&call->worker->scratch, request->n_object_info, sizeof(*keys));
    for (size_t i = 0; keys != NULL && i < request->n_object_info; i++) {
        keys[i] = pb_slice(request->object_info[i]->object_key);
    }
    call->keys = keys;
    call->key_count = keys == NULL ? 0 : request->n_object_info;
    return keys != NULL;
}

void fakeds__op_mset(struct fakeds__call *call)
{
    const Ds__MultiPublishReq *request = (const Ds__MultiPublishReq *)call->message;
    if (call->batch == NULL && (is_refused(call, request) || !batch_start(call, request))) {
        return;
    }
    if (request->is_tx) {
        store_all(call, request);
    } else {
        store_each(call, request);
    }
}

static bool is_refused(struct fakeds__call *call, const Ds__MultiPublishReq *request)
{
    if (request->n_object_info > BATCH_LIMIT) {
        fakeds__call_refuse(call, K_INVALID, "The objectKeys size exceed %u", BATCH_LIMIT);
    } else if (fakeds__is_second_level(request->write_mode)) {
        fakeds__call_refuse(call, K_INVALID, "%s", FAKEDS__TEXT_NO_SECOND_LEVEL);
    } else if (!request->is_tx && request->existence == FAKEDS__EXISTENCE_NX) {
        fakeds__call_refuse(call, K_RUNTIME_ERROR, "The MSet doesn't support ntx_1");
    } else {
        return false;
    }
    return true;
}

/* False: the call has been answered. */
static bool batch_start(struct fakeds__call *call, const Ds__MultiPublishReq *request)
{
    size_t count = request->n_object_info;
    struct fakeds__batch *batch = calloc(1, sizeof(*batch) + count * sizeof(batch->items[0]));
    if (batch == NULL) {
        fakeds__call_answer_no_memory(call);
        return false;
    }
    batch->item_count = count;
    call->batch = batch;
    if (!split_payload(call, request, batch)) {
        fakeds__call_refuse(call, K_RUNTIME_ERROR, "Small object doesn't match the payload size");
        return false;
    }
    if (mark_repeated(call, batch) > 0 && request->is_tx) {
        fakeds__call_refuse(call, K_DUPLICATED, "The objectKeys contain duplicate keys");
        return false;
    }
    return true;
}

/* Whole frames, in object order; a large value may lie in several. An object of no bytes does not
 * fit, as the real worker sees it. */
static bool split_payload(const struct fakeds__call *call, const Ds__MultiPublishReq *request,
                          struct fakeds__batch *batch)
{
    const struct dsrpc_payload *payload = &call->request.payload;
    size_t part = 0;
    for (size_t i = 0; i < batch->item_count; i++) {
        uint64_t wanted_bytes = request->object_info[i]->data_size;
        uint64_t got_bytes = 0;
        batch->items[i].first_part = part;
        while (got_bytes < wanted_bytes && part < payload->part_count) {
            got_bytes += payload->parts[part++].bytes.len_bytes;
        }
        batch->items[i].part_count = part - batch->items[i].first_part;
        if (wanted_bytes == 0 || got_bytes != wanted_bytes) {
            return false;
        }
    }
    return part == payload->part_count;
}

/* The first one is stored, every repetition is reported. */
static size_t mark_repeated(struct fakeds__call *call, struct fakeds__batch *batch)
{
    struct fakeds__seen seen = {.scratch = &call->worker->scratch};
    size_t repeated_count = 0;
    for (size_t i = 0; i < batch->item_count; i++) {
        if (!fakeds__seen_add(&seen, call->keys[i])) {
            batch->items[i].state = ITEM_FAILED;
            repeated_count++;
        }
    }
    fakeds__seen_fini(&seen);
    return repeated_count;
}

/* ---- without a transaction ------------------------------------------------------------------ */

static void store_each(struct fakeds__call *call, const Ds__MultiPublishReq *request)
{
    struct fakeds__batch *batch = call->batch;
    while (batch->next < batch->item_count) {
        if (batch->items[batch->next].state == ITEM_TODO &&
            !store_one(call, request, batch->next)) {
            return; /* waits for memory and comes here again */
        }
        batch->next++;
    }
    answer(call);
}

/* False: the call is kept. */
static bool store_one(struct fakeds__call *call, const Ds__MultiPublishReq *request, size_t index)
{
    bool is_over = false;
    struct fakeds__object *old = fakeds__store_find(&call->worker->store, call->keys[index]);
    if (old != NULL && lose_old_value(call, request, index, old)) {
        return true;
    }
    uint64_t class_bytes = fakeds__class_bytes(request->object_info[index]->data_size);
    if (fakeds__memory_take(call, class_bytes, &is_over)) {
        put_item(call, request, index, old);
        return true;
    }
    if (is_over) {
        fail(call->batch, index, K_OUT_OF_MEMORY, fakeds__memory_text(call));
    }
    return is_over;
}

/* Mode none over evict conflicts at the metadata only after the old value has gone. The other way
 * round the key keeps its mode. */
static bool lose_old_value(struct fakeds__call *call, const Ds__MultiPublishReq *request,
                           size_t index, struct fakeds__object *old)
{
    const struct fakeds__content *content = old->content;
    if (content->write_mode == request->write_mode || content->write_mode == FAKEDS__MODE_NONE) {
        return false;
    }
    struct rt_slice text = fakeds__call_text(
        call, FAKEDS__TEXT_INCONSISTENT, request->consistency_type, request->write_mode,
        request->cache_type, content->consistency, content->write_mode, content->cache_type);
    fail(call->batch, index, K_INVALID, text);
    fakeds__store_remove(&call->worker->store, old);
    return true;
}

static void put_item(struct fakeds__call *call, const Ds__MultiPublishReq *request, size_t index,
                     const struct fakeds__object *old)
{
    struct item *item = &call->batch->items[index];
    struct fakeds__put put = {
        .key = call->keys[index],
        .parts = call->request.payload.parts + item->first_part,
        .part_count = item->part_count,
        .write_mode = old == NULL ? request->write_mode : old->content->write_mode,
        .consistency = request->consistency_type,
        .cache_type = request->cache_type,
        .ttl_s = request->ttl_second,
        .is_old_ttl_kept = true, /* unlike a set */
        .version_us = fakeds__work_version(call, index),
    };
    enum rt_status status = fakeds__put(call->worker, &put);
    if (status == RT_OK) {
        item->state = ITEM_STORED;
    } else if (status == RT_E_INVALID) {
        fail(call->batch, index, K_INVALID,
             fakeds__call_text(call, "The objectKey should not be empty."));
    } else {
        fail(call->batch, index, K_RUNTIME_ERROR, rt_slice_text("fakeds has no memory"));
    }
}

/* ---- with a transaction --------------------------------------------------------------------- */

static void store_all(struct fakeds__call *call, const Ds__MultiPublishReq *request)
{
    struct fakeds__batch *batch = call->batch;
    uint64_t class_bytes = 0;
    bool is_over = false;
    for (size_t i = 0; i < batch->item_count; i++) {
        struct rt_slice key = call->keys[i];
        if (fakeds__store_find(&call->worker->store, key) != NULL) {
            fakeds__call_refuse(call, K_OC_KEY_ALREADY_EXIST,
                                "object[%.*s] already exists in local worker", (int)key.len_bytes,
                                (const char *)key.data);
            return;
        }
        class_bytes += fakeds__class_bytes(request->object_info[i]->data_size);
    }
    if (!fakeds__memory_take(call, class_bytes, &is_over) && !is_over) {
        return; /* comes here again */
    }
    for (size_t i = 0; i < batch->item_count; i++) {
        if (is_over) {
            fail(batch, i, K_OUT_OF_MEMORY, fakeds__memory_text(call));
        } else {
            put_item(call, request, i, NULL);
        }
    }
    answer(call);
}

/* ---- the answer ----------------------------------------------------------------------------- */

static void fail(struct fakeds__batch *batch, size_t index, int32_t code, struct rt_slice text)
{
    batch->items[index].state = ITEM_FAILED;
    batch->last_code = code;
    free(batch->last_text);
    batch->last_text = strndup((const char *)text.data, text.len_bytes);
}

static void answer(struct fakeds__call *call)
{
    const struct fakeds__batch *batch = call->batch;
    Ds__ErrorInfoPb last_rc = DS__ERROR_INFO_PB__INIT;
    Ds__MultiPublishRsp body = DS__MULTI_PUBLISH_RSP__INIT;
    body.failed_object_keys = fakeds__scratch_take(&call->worker->scratch, batch->item_count,
                                                   sizeof(*body.failed_object_keys));
    if (body.failed_object_keys == NULL) {
        fakeds__call_answer_no_memory(call);
        return;
    }
    for (size_t i = 0; i < batch->item_count; i++) {
        if (batch->items[i].state == ITEM_FAILED) {
            body.failed_object_keys[body.n_failed_object_keys++] = pb_bytes(call->keys[i]);
        }
    }
    last_rc.error_code = batch->last_code;
    last_rc.error_msg = pb_bytes(rt_slice_text(batch->last_text));
    body.last_rc = &last_rc;
    fakeds__call_answer_ok(call, &body.base);
}

void fakeds__batch_free(struct fakeds__batch *batch)
{
    if (batch != NULL) {
        free(batch->last_text);
        free(batch);
    }
}
