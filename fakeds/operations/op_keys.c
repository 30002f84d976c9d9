/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/cluster/cluster_work.h"
#include "fakeds/request/dispatch.h"
#include "fakeds/seen.h"
#include "wire/proto/datasystem.pb-c.h"

/* exist, delete, query size, expire: keys in, lists out. */
static struct rt_slice joined(struct fakeds__call *call, const ProtobufCBinaryData *names,
                              size_t count);
static void answer_expire(struct fakeds__call *call, ProtobufCBinaryData *failed,
                          size_t failed_count);

#define MICROSECONDS_PER_S UINT64_C(1000000)

/* All absent is no error. A hit gives a second chance before eviction. */
void fakeds__op_exist(struct fakeds__call *call)
{
    Ds__ExistRsp answer = DS__EXIST_RSP__INIT;
    answer.exists =
        fakeds__scratch_take(&call->worker->scratch, call->key_count, sizeof(*answer.exists));
    if (answer.exists == NULL) {
        fakeds__call_answer_no_memory(call);
        return;
    }
    answer.n_exists = call->key_count;
    for (size_t i = 0; i < call->key_count; i++) {
        struct fakeds__object *object = fakeds__store_find(&call->worker->store, call->keys[i]);
        answer.exists[i] = object != NULL || fakeds__work_is_found(call, i);
        if (object != NULL) {
            fakeds__store_touch(object);
        }
    }
    fakeds__call_answer_ok(call, &answer.base);
}

/* Deleting what is not there is success. Waiting gets keep what they saw. */
void fakeds__op_delete(struct fakeds__call *call)
{
    struct fakeds__store *store = &call->worker->store;
    for (size_t i = 0; i < call->key_count; i++) {
        struct fakeds__object *object = fakeds__store_find(store, call->keys[i]);
        if (object != NULL) {
            fakeds__store_remove(store, object);
        }
    }
    Ds__ErrorInfoPb ok = DS__ERROR_INFO_PB__INIT;
    Ds__DeleteAllCopyRsp answer = DS__DELETE_ALL_COPY_RSP__INIT;
    answer.last_rc = &ok;
    fakeds__call_answer_ok(call, &answer.base);
}

void fakeds__op_query_size(struct fakeds__call *call)
{
    size_t found_count = 0;
    Ds__ErrorInfoPb last_rc = DS__ERROR_INFO_PB__INIT;
    Ds__QuerySizeRsp answer = DS__QUERY_SIZE_RSP__INIT;
    answer.last_rc = &last_rc;
    answer.sizes =
        fakeds__scratch_take(&call->worker->scratch, call->key_count, sizeof(*answer.sizes));
    if (answer.sizes == NULL) {
        fakeds__call_answer_no_memory(call);
        return;
    }
    answer.n_sizes = call->key_count;
    for (size_t i = 0; i < call->key_count; i++) {
        const struct fakeds__object *object =
            fakeds__store_find(&call->worker->store, call->keys[i]);
        answer.sizes[i] = object == NULL ? fakeds__work_size(call, i) : object->content->size_bytes;
        found_count += object != NULL || fakeds__work_is_found(call, i) ? 1 : 0;
    }
    if (found_count == 0 && call->key_count > 0) {
        last_rc.error_code = K_NOT_FOUND;
        last_rc.error_msg = pb_bytes(fakeds__call_text(call, "All objects are not found!"));
    }
    fakeds__call_answer_ok(call, &answer.base);
}

/* ---- expire --------------------------------------------------------------------------------- */

/* Duplicates count once. A TTL of 0 says so in the metadata only: an old timer keeps running. */
void fakeds__op_expire(struct fakeds__call *call)
{
    struct fakeds_worker *worker = call->worker;
    const Ds__ExpireReq *request = (const Ds__ExpireReq *)call->message;
    uint64_t expires_us = fakeds__now_us(worker) + request->ttl_second * MICROSECONDS_PER_S;
    size_t failed_count = 0;
    struct fakeds__seen seen = {.scratch = &worker->scratch};
    ProtobufCBinaryData *failed =
        fakeds__scratch_take(&worker->scratch, call->key_count, sizeof(*failed));
    if (failed == NULL) {
        fakeds__call_answer_no_memory(call);
        return;
    }
    for (size_t i = 0; i < call->key_count; i++) {
        struct fakeds__object *object = fakeds__store_find(&worker->store, call->keys[i]);
        if (object == NULL) {
            if (!fakeds__work_is_found(call, i) && fakeds__seen_add(&seen, call->keys[i])) {
                failed[failed_count++] = pb_bytes(call->keys[i]);
            }
        } else if (request->ttl_second > 0) {
            fakeds__store_set_expiry(&worker->store, object, expires_us);
        }
    }
    fakeds__seen_fini(&seen);
    fakeds__arm_scan(worker);
    answer_expire(call, failed, failed_count);
}

static void answer_expire(struct fakeds__call *call, ProtobufCBinaryData *failed,
                          size_t failed_count)
{
    Ds__ErrorInfoPb last_rc = DS__ERROR_INFO_PB__INIT;
    Ds__ExpireRsp answer = DS__EXPIRE_RSP__INIT;
    answer.failed_object_keys = failed;
    answer.n_failed_object_keys = failed_count;
    answer.last_rc = &last_rc;
    if (failed_count > 0) {
        struct rt_slice names = joined(call, failed, failed_count);
        last_rc.error_code = K_NOT_FOUND;
        last_rc.error_msg = pb_bytes(fakeds__call_text(
            call, "[Expire] Some object can not be found in metaTable_, size: %zu, object: %.*s",
            failed_count, (int)names.len_bytes, (const char *)names.data));
    }
    fakeds__call_answer_ok(call, &answer.base);
}

/* "a, b" */
static struct rt_slice joined(struct fakeds__call *call, const ProtobufCBinaryData *names,
                              size_t count)
{
    static const char SEPARATOR[] = ", ";
    size_t len_bytes = 0;
    for (size_t i = 0; i < count; i++) {
        len_bytes += names[i].len + sizeof(SEPARATOR) - 1;
    }
    uint8_t *text = fakeds__scratch_take(&call->worker->scratch, len_bytes + 1, 1);
    if (text == NULL || count == 0) {
        return rt_slice_text("");
    }
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            memcpy(text + at, SEPARATOR, sizeof(SEPARATOR) - 1);
            at += sizeof(SEPARATOR) - 1;
        }
        if (names[i].len > 0) {
            memcpy(text + at, names[i].data, names[i].len);
        }
        at += names[i].len;
    }
    return rt_slice_of(text, at);
}
