/* SPDX-License-Identifier: Apache-2.0 */
#include "fakeds/operations/get_answer.h"

#include "fakeds/request/dispatch.h"

/*
 * GetRsp: one entry for each key, in key order; what was found in payload_info with the numbers of
 * its payload frames, what is missing in objects with everything -1. A miss is no error on the
 * wire: last_rc stays empty.
 */
struct builder {
    struct fakeds__call *call;
    const Ds__GetReq *request;
    Ds__GetRsp answer;
    Ds__ErrorInfoPb last_rc;
    Ds__ObjectInfoPb *objects;
    Ds__PayloadInfoPb *infos;
    struct dsrpc_value *values;
    size_t value_count;
    uint32_t frame_count;
};

/* A part of a value: all of it, or what a read asks for. */
struct range {
    uint64_t offset_bytes;
    uint64_t len_bytes;
};

static bool allocate(struct builder *builder);
static void add_missing(struct builder *builder, size_t index);
static bool add_found(struct builder *builder, size_t index, const struct fakeds__content *content);
static bool find_range(struct builder *builder, size_t index, uint64_t size_bytes,
                       struct range *out_range);
static bool add_value(struct builder *builder, const struct fakeds__content *content,
                      struct range range);
static bool number_frames(struct builder *builder, Ds__PayloadInfoPb *info, uint64_t len_bytes);
static void force_last_rc(Ds__ErrorInfoPb *last_rc, const struct fault_action *action);

#define PART_MAX_BYTES ((uint64_t)INT32_MAX) /* larger values are several frames */

void fakeds__get_answer(struct fakeds__call *call, const Ds__GetReq *request,
                        struct fakeds__content *const *contents)
{
    struct builder builder = {.call = call, .request = request};
    const struct fault_action *action = call->entries_action;
    bool is_complete = allocate(&builder);
    bool is_without_entries = action != NULL && action->kind == FAULT_NO_ENTRIES;
    for (size_t i = 0; is_complete && !is_without_entries && i < call->key_count; i++) {
        if (contents[i] == NULL) {
            add_missing(&builder, i);
        } else {
            is_complete = add_found(&builder, i, contents[i]);
        }
    }
    if (!is_complete) {
        fakeds__call_answer_no_memory(call);
        return;
    }
    if (action != NULL && action->kind == FAULT_LAST_RC) {
        force_last_rc(&builder.last_rc, action);
    }
    builder.answer.last_rc = &builder.last_rc;
    fakeds__call_answer(call, &(struct fakeds__answer){.body = &builder.answer.base,
                                                       .parts = builder.values,
                                                       .part_count = builder.value_count});
}

static bool allocate(struct builder *builder)
{
    struct fakeds__scratch *scratch = &builder->call->worker->scratch;
    size_t count = builder->call->key_count;
    ds__get_rsp__init(&builder->answer);
    ds__error_info_pb__init(&builder->last_rc);
    builder->objects = fakeds__scratch_take(scratch, count, sizeof(*builder->objects));
    builder->infos = fakeds__scratch_take(scratch, count, sizeof(*builder->infos));
    builder->values = fakeds__scratch_take(scratch, count, sizeof(*builder->values));
    builder->answer.objects =
        fakeds__scratch_take(scratch, count, sizeof(*builder->answer.objects));
    builder->answer.payload_info =
        fakeds__scratch_take(scratch, count, sizeof(*builder->answer.payload_info));
    return builder->objects != NULL && builder->infos != NULL && builder->values != NULL &&
           builder->answer.objects != NULL && builder->answer.payload_info != NULL;
}

static void add_missing(struct builder *builder, size_t index)
{
    Ds__ObjectInfoPb *object = &builder->objects[builder->answer.n_objects];
    ds__object_info_pb__init(object);
    object->store_fd = -1;
    object->offset = -1;
    object->data_size = -1;
    object->metadata_size = -1;
    object->mmap_size = -1;
    object->version = -1;
    object->object_index = (uint32_t)index;
    if (!builder->request->return_object_index) {
        object->object_key = pb_bytes(builder->call->keys[index]);
    }
    builder->answer.objects[builder->answer.n_objects++] = object;
}

/* A read behind the end leaves its key missing; the status of the last one goes into last_rc. */
static bool add_found(struct builder *builder, size_t index, const struct fakeds__content *content)
{
    struct range range;
    if (!find_range(builder, index, content->size_bytes, &range)) {
        add_missing(builder, index);
        return true;
    }
    Ds__PayloadInfoPb *info = &builder->infos[builder->answer.n_payload_info];
    ds__payload_info_pb__init(info);
    info->data_size = (int64_t)range.len_bytes;
    info->version = (int64_t)content->version_us;
    info->write_mode = content->write_mode;
    info->consistency_type = content->consistency;
    info->cache_type = content->cache_type;
    info->object_index = (uint32_t)index;
    if (!builder->request->return_object_index) {
        info->object_key = pb_bytes(builder->call->keys[index]);
    }
    builder->answer.payload_info[builder->answer.n_payload_info++] = info;
    return number_frames(builder, info, range.len_bytes) && add_value(builder, content, range);
}

/* Size 0 reads to the end, and what lies behind the end is cut. */
static bool find_range(struct builder *builder, size_t index, uint64_t size_bytes,
                       struct range *out_range)
{
    const Ds__GetReq *request = builder->request;
    struct range range = {.len_bytes = size_bytes};
    if (index < request->n_read_offset_list) {
        range.offset_bytes = request->read_offset_list[index];
        if (range.offset_bytes >= size_bytes) {
            builder->last_rc.error_code = K_OUT_OF_RANGE;
            builder->last_rc.error_msg = pb_bytes(fakeds__call_text(
                builder->call, "Read offset %llu out of range [0, %llu)",
                (unsigned long long)range.offset_bytes, (unsigned long long)size_bytes));
            return false;
        }
        range.len_bytes = size_bytes - range.offset_bytes;
    }
    if (index < request->n_read_size_list && request->read_size_list[index] > 0 &&
        request->read_size_list[index] < range.len_bytes) {
        range.len_bytes = request->read_size_list[index];
    }
    *out_range = range;
    return true;
}

static bool number_frames(struct builder *builder, Ds__PayloadInfoPb *info, uint64_t len_bytes)
{
    size_t count = len_bytes == 0 ? 1 : (size_t)((len_bytes - 1) / PART_MAX_BYTES + 1);
    info->part_index =
        fakeds__scratch_take(&builder->call->worker->scratch, count, sizeof(*info->part_index));
    if (info->part_index == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        info->part_index[i] = builder->frame_count++;
    }
    info->n_part_index = count;
    return true;
}

/* By reference: the pieces lie in the blobs of the content. */
static bool add_value(struct builder *builder, const struct fakeds__content *content,
                      struct range range)
{
    struct dsrpc_value *value = &builder->values[builder->value_count++];
    struct dsrpc_piece *pieces =
        fakeds__scratch_take(&builder->call->worker->scratch, content->blob_count, sizeof(*pieces));
    if (pieces == NULL) {
        return false;
    }
    value->pieces = pieces;
    value->total_bytes = range.len_bytes;
    for (size_t i = 0; i < content->blob_count && range.len_bytes > 0; i++) {
        struct rt_slice bytes = rt_blob_slice(content->blobs[i]);
        if (range.offset_bytes >= bytes.len_bytes) {
            range.offset_bytes -= bytes.len_bytes;
            continue;
        }
        uint64_t here_bytes = bytes.len_bytes - range.offset_bytes;
        here_bytes = here_bytes < range.len_bytes ? here_bytes : range.len_bytes;
        pieces[value->piece_count++] = (struct dsrpc_piece){
            .blob = content->blobs[i],
            .bytes = rt_slice_of(bytes.data + range.offset_bytes, (size_t)here_bytes)};
        range.offset_bytes = 0;
        range.len_bytes -= here_bytes;
    }
    return true;
}

static void force_last_rc(Ds__ErrorInfoPb *last_rc, const struct fault_action *action)
{
    const char *text = action->text[0] != '\0' ? action->text : dsrpc_code_text(action->code);
    last_rc->error_code = action->code;
    last_rc->error_msg = pb_bytes(rt_slice_text(text));
}

bool fakeds__get_alter(struct fakeds__call *call, const struct fault_action *action,
                       struct fakeds__answer *answer)
{
    struct fakeds__scratch *scratch = &call->worker->scratch;
    Ds__GetRsp *body = fakeds__scratch_take(scratch, 1, sizeof(*body));
    Ds__ErrorInfoPb *last_rc = fakeds__scratch_take(scratch, 1, sizeof(*last_rc));
    if (body == NULL || last_rc == NULL) {
        fakeds__call_eat(call, "", "answer");
        return false;
    }
    ds__error_info_pb__init(last_rc);
    ds__get_rsp__init(body);
    if (action->kind == FAULT_LAST_RC) {
        *body = *(const Ds__GetRsp *)answer->body;
        force_last_rc(last_rc, action);
    } else {
        answer->parts = NULL;
        answer->part_count = 0;
    }
    body->last_rc = last_rc;
    answer->body = &body->base;
    return true;
}
