/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <stdio.h>
#include <string.h>

#define USUAL_TIMEOUT_MS 4500
#define KEY_MAX          32

static ProtobufCBinaryData data_of(const char *text);
static size_t list_of(const char *const *keys, size_t key_count, ProtobufCBinaryData *list);
static const struct answer *wait_for(struct dealer *dealer, uint32_t number);
static uint32_t send_publish(struct dealer *dealer, const char *key,
                             const struct dsrpc_value *value, const struct set_options *options);

static ProtobufCBinaryData data_of(const char *text)
{
    return (ProtobufCBinaryData){.len = strlen(text), .data = (uint8_t *)(uintptr_t)text};
}

static size_t list_of(const char *const *keys, size_t key_count, ProtobufCBinaryData *list)
{
    assert_true(key_count <= KEY_MAX);
    for (size_t i = 0; i < key_count; i++) {
        list[i] = data_of(keys[i]);
    }
    return key_count;
}

static const struct answer *wait_for(struct dealer *dealer, uint32_t number)
{
    run_for(dealer->world, 0);
    const struct answer *answer = answer_to(dealer, number);
    assert_non_null(answer);
    return answer;
}

void dealer_register(struct dealer *dealer)
{
    Ds__RegisterClientReq request = DS__REGISTER_CLIENT_REQ__INIT;
    request.version = data_of("0.8.1");
    request.client_id = data_of(dealer->client_id);
    request.heartbeat_enabled = true;
    request.server_fd = -1;
    const struct answer *answer = wait_for(
        dealer, dealer_send(dealer, DSRPC_OP_REGISTER, &request.base, NULL, 0, USUAL_TIMEOUT_MS));
    assert_int_equal(answer->code, K_OK);
    const Ds__RegisterClientRsp *body =
        unpacked(dealer, answer, &ds__register_client_rsp__descriptor);
    snprintf(dealer->client_id, sizeof(dealer->client_id), "%.*s", (int)body->client_id.len,
             (const char *)body->client_id.data);
}

static uint32_t send_publish(struct dealer *dealer, const char *key,
                             const struct dsrpc_value *value, const struct set_options *options)
{
    Ds__PublishReq request = DS__PUBLISH_REQ__INIT;
    request.client_id = data_of(dealer->client_id);
    request.object_key = data_of(key);
    request.data_size = value->total_bytes;
    request.consistency_type = 1;
    request.ttl_second = options->ttl_s;
    request.write_mode = options->write_mode;
    request.existence = options->is_nx ? 1 : 0;
    int64_t timeout_ms = options->timeout_ms == 0 ? USUAL_TIMEOUT_MS : options->timeout_ms;
    return dealer_send(dealer, DSRPC_OP_SET, &request.base, value, 1, timeout_ms);
}

uint32_t send_set(struct dealer *dealer, const char *key, const char *value,
                  const struct set_options *options)
{
    struct dsrpc_piece piece = {.bytes = rt_slice_text(value)};
    struct dsrpc_value one = {.pieces = &piece, .piece_count = 1, .total_bytes = strlen(value)};
    return send_publish(dealer, key, &one, options);
}

uint32_t send_set_big(struct dealer *dealer, const char *key, struct rt_blob *blob,
                      const struct set_options *options)
{
    struct dsrpc_piece piece = {.blob = blob, .bytes = rt_blob_slice(blob)};
    struct dsrpc_value one = {
        .pieces = &piece, .piece_count = 1, .total_bytes = piece.bytes.len_bytes};
    return send_publish(dealer, key, &one, options);
}

uint32_t send_get(struct dealer *dealer, const char *const *keys, size_t key_count,
                  int64_t sub_timeout_ms)
{
    ProtobufCBinaryData list[KEY_MAX];
    Ds__GetReq request = DS__GET_REQ__INIT;
    request.client_id = data_of(dealer->client_id);
    request.n_object_keys = list_of(keys, key_count, list);
    request.object_keys = list;
    request.sub_timeout = sub_timeout_ms;
    request.return_object_index = true;
    return dealer_send(dealer, DSRPC_OP_GET, &request.base, NULL, 0, USUAL_TIMEOUT_MS);
}

uint32_t send_keys(struct dealer *dealer, enum dsrpc_op op, const char *const *keys,
                   size_t key_count, uint32_t ttl_s)
{
    ProtobufCBinaryData list[KEY_MAX];
    ProtobufCBinaryData id = data_of(dealer->client_id);
    size_t count = list_of(keys, key_count, list);
    Ds__ExistReq exist = DS__EXIST_REQ__INIT;
    Ds__DeleteAllCopyReq del_req = DS__DELETE_ALL_COPY_REQ__INIT;
    Ds__ExpireReq expire = DS__EXPIRE_REQ__INIT;
    Ds__QuerySizeReq size = DS__QUERY_SIZE_REQ__INIT;
    exist.client_id = del_req.client_id = expire.client_id = size.client_id = id;
    exist.n_object_keys = del_req.n_object_keys = expire.n_object_keys = size.n_object_keys = count;
    exist.object_keys = del_req.object_keys = expire.object_keys = size.object_keys = list;
    expire.ttl_second = ttl_s;
    const ProtobufCMessage *body = op == DSRPC_OP_EXIST    ? &exist.base
                                   : op == DSRPC_OP_DELETE ? &del_req.base
                                   : op == DSRPC_OP_EXPIRE ? &expire.base
                                                           : &size.base;
    return dealer_send(dealer, op, body, NULL, 0, USUAL_TIMEOUT_MS);
}

/* ---- answered at once ----------------------------------------------------------------------- */

int32_t set(struct dealer *dealer, const char *key, const char *value)
{
    return set_with(dealer, key, value, &(struct set_options){0});
}

int32_t set_with(struct dealer *dealer, const char *key, const char *value,
                 const struct set_options *options)
{
    return wait_for(dealer, send_set(dealer, key, value, options))->code;
}

int32_t del(struct dealer *dealer, const char *key)
{
    return wait_for(dealer, send_keys(dealer, DSRPC_OP_DELETE, &key, 1, 0))->code;
}

const char *value_of(struct dealer *dealer, const char *key)
{
    const struct answer *answer = wait_for(dealer, send_get(dealer, &key, 1, 0));
    assert_int_equal(answer->code, K_OK);
    const char *value = got(dealer, answer, 0);
    dealer->answer_count--; /* many looks, few answers */
    return value;
}

/* ---- reading answers ------------------------------------------------------------------------ */

void *unpacked(struct dealer *dealer, const struct answer *answer,
               const ProtobufCMessageDescriptor *descriptor)
{
    void *message =
        dsrpc_unpack(descriptor, rt_slice_of(answer->body, answer->body_bytes), dealer->arena);
    assert_non_null(message);
    return message;
}

const Ds__GetRsp *get_answer(struct dealer *dealer, const struct answer *answer)
{
    return unpacked(dealer, answer, &ds__get_rsp__descriptor);
}

/* Values are one part each here, in the order of their entries. */
const char *got(struct dealer *dealer, const struct answer *answer, size_t index)
{
    static char text[BODY_MAX + 1];
    const Ds__GetRsp *body = get_answer(dealer, answer);
    size_t at = 0;
    for (size_t i = 0; i < body->n_payload_info; i++) {
        const Ds__PayloadInfoPb *info = body->payload_info[i];
        if (info->object_index == index) {
            snprintf(text, sizeof(text), "%.*s", (int)info->data_size,
                     (const char *)answer->payload + at);
            return text;
        }
        at += (size_t)info->data_size;
    }
    return "";
}
