/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/cluster/cluster_work.h"
#include "fakeds/operations/op_mset.h"
#include "fakeds/request/call.h"
#include "fakeds/request/dispatch.h"

#include <stdlib.h>

/*
 * What a call owns: nothing while its message is on the stack; once kept, one block with copies of
 * the texts and the payload's blobs.
 */
static bool list_keys(struct fakeds__call *call, const struct fakeds__operation *operation);
static bool are_keys_text(const struct fakeds__call *call);
static void find_client(struct fakeds__call *call, const struct fakeds__operation *operation);
static const void *at(const struct fakeds__call *call, ptrdiff_t offset);
static size_t block_bytes(const struct fakeds__call *call);
static bool keep_parts(struct fakeds__call *call);
static struct rt_slice copy(uint8_t **cursor, struct rt_slice bytes);

bool fakeds__call_parse(struct fakeds__call *call)
{
    const struct fakeds__operation *operation = fakeds__operation_of(call->op);
    if (operation == NULL || operation->request == NULL || call->refusal != NULL) {
        return true;
    }
    call->message = dsrpc_unpack(operation->request, call->request.body, call->worker->arena);
    if (call->message == NULL) {
        return false;
    }
    if (call->kept != NULL) {
        return true; /* keys and client are its own already */
    }
    find_client(call, operation);
    return list_keys(call, operation) && are_keys_text(call);
}

/* Keys are protobuf strings: the real worker does not parse a message that has other bytes there.
 */
static bool are_keys_text(const struct fakeds__call *call)
{
    for (size_t i = 0; i < call->key_count; i++) {
        if (!dsrpc_is_utf8(call->keys[i])) {
            return false;
        }
    }
    return true;
}

static const void *at(const struct fakeds__call *call, ptrdiff_t offset)
{
    return (const uint8_t *)call->message + offset;
}

static void find_client(struct fakeds__call *call, const struct fakeds__operation *operation)
{
    if (operation->client_id_offset < 0) {
        return;
    }
    const ProtobufCBinaryData *id = at(call, operation->client_id_offset);
    call->client_id = pb_slice(*id);
    const struct fakeds__client *client =
        fakeds__clients_find(&call->worker->clients, call->client_id);
    if (client != NULL) {
        call->client = client->name;
    }
}

static bool list_keys(struct fakeds__call *call, const struct fakeds__operation *operation)
{
    const ProtobufCBinaryData *data = NULL;
    size_t count = 0;
    if (operation->list_keys != NULL) {
        return operation->list_keys(call);
    }
    if (operation->key_offset >= 0) {
        data = at(call, operation->key_offset);
        count = 1;
    } else if (operation->keys_offset >= 0) {
        count = *(const size_t *)at(call, operation->keys_count_offset);
        data = *(ProtobufCBinaryData *const *)at(call, operation->keys_offset);
    }
    struct rt_slice *keys = fakeds__scratch_take(&call->worker->scratch, count, sizeof(*keys));
    if (keys == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        keys[i] = pb_slice(data[i]);
    }
    call->keys = keys;
    call->key_count = count;
    return true;
}

/* ---- keeping -------------------------------------------------------------------------------- */

bool fakeds__call_keep(struct fakeds__call *call)
{
    if (call->kept != NULL) {
        return true;
    }
    struct rt_slice *keys = malloc(block_bytes(call));
    if (keys == NULL || !keep_parts(call)) {
        free(keys);
        fakeds__call_answer_no_memory(call);
        return false;
    }
    uint8_t *cursor = (uint8_t *)(keys + call->key_count);
    for (size_t i = 0; i < call->key_count; i++) {
        keys[i] = copy(&cursor, call->keys[i]);
    }
    call->keys = keys;
    call->client_id = copy(&cursor, call->client_id);
    call->request.body = copy(&cursor, call->request.body);
    call->client =
        (const char *)copy(&cursor, rt_slice_of(call->client, strlen(call->client) + 1)).data;
    struct rt_slice raw_meta = copy(&cursor, call->request.meta.raw);
    if (dsrpc_meta_decode(raw_meta, &call->request.meta) != RT_OK) {
        abort(); /* the same bytes were decoded before */
    }
    call->kept = keys;
    rt_timer_init(&call->timer, call->worker->environment.loop, NULL, NULL);
    TAILQ_INSERT_TAIL(&call->worker->calls, call, others);
    fakeds__call_counts(call)->waiting++;
    return true;
}

static size_t block_bytes(const struct fakeds__call *call)
{
    size_t total_bytes = call->key_count * sizeof(struct rt_slice);
    for (size_t i = 0; i < call->key_count; i++) {
        total_bytes += call->keys[i].len_bytes;
    }
    total_bytes += call->client_id.len_bytes + call->request.body.len_bytes;
    return total_bytes + strlen(call->client) + 1 + call->request.meta.raw.len_bytes;
}

static bool keep_parts(struct fakeds__call *call)
{
    struct dsrpc_payload *payload = &call->request.payload;
    if (payload->part_count == 0) {
        return true;
    }
    struct zmtp_frame *parts = calloc(payload->part_count, sizeof(*parts));
    if (parts == NULL) {
        return false;
    }
    for (size_t i = 0; i < payload->part_count; i++) {
        const struct zmtp_frame *part = &payload->parts[i];
        parts[i].blob = part->blob != NULL ? rt_blob_retain(part->blob) : rt_blob_copy(part->bytes);
        if (parts[i].blob == NULL) {
            while (i-- > 0) {
                rt_blob_release(parts[i].blob);
            }
            free(parts);
            return false;
        }
        parts[i].bytes = rt_blob_slice(parts[i].blob);
    }
    call->kept_parts = parts;
    payload->parts = parts;
    return true;
}

static struct rt_slice copy(uint8_t **cursor, struct rt_slice bytes)
{
    struct rt_slice copied = rt_slice_of(*cursor, bytes.len_bytes);
    if (bytes.len_bytes > 0) {
        memcpy(*cursor, bytes.data, bytes.len_bytes);
    }
    *cursor += bytes.len_bytes;
    return copied;
}

void fakeds__call_free(struct fakeds__call *call)
{
    struct fakeds_worker *worker = call->worker;
    if (call->kept != NULL) {
        TAILQ_REMOVE(&worker->calls, call, others);
        fakeds__call_counts(call)->waiting--;
        fault_hold_cancel(&call->hold);
        rt_timer_disarm(&call->timer);
        free(call->kept);
    }
    for (size_t i = 0; call->kept_parts != NULL && i < call->request.payload.part_count; i++) {
        rt_blob_release(call->kept_parts[i].blob);
    }
    free(call->kept_parts);
    if (call->wait != NULL) {
        fakeds__notices_forget(worker, call->wait);
        fakeds__wait_end(&worker->waits, call->wait);
    }
    fakeds__batch_free(call->batch);
    fakeds__work_free(call->work);
    rt_outbox_destroy(call->reply);
    fakeds__identity_release(&worker->router, call->identity);
    free(call);
}
