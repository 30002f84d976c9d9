/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls a user makes: is the client ready, do the real client's own checks let the arguments
 * pass, copy them, start. A refusal is told later, by a task, as every end is.
 */
#include <inttypes.h>

#include "connector/client/ds_internal.h"
#include "connector/client/ds_keys.h"

#define HEALTH_US       UINT64_C(3000000)
#define SUB_TIMEOUT_MAX INT64_C(2147483647)

/* The start of every call. NULL: out of memory. `*out_is_ready` false: it has been refused. */
static struct ds__call *begin(struct ds_client *client, enum dsrpc_op op, ds_done_fn *done,
                              void *arg, bool *out_is_ready)
{
    struct ds__call *call = ds__call_new(client, op, done, arg);

    if (call != NULL) {
        *out_is_ready = ds__call_is_ready(call);
    }
    return call;
}

static enum rt_status refuse(struct ds__call *call)
{
    ds__call_refuse(call, K_INVALID, DS_DETAIL_CHECKED);
    return RT_OK;
}

static enum rt_status no_memory(struct ds__call *call)
{
    call->client->calls.live_user_count--;
    ds__call_drop(call);
    return RT_E_NOMEM;
}

static enum rt_status start(struct ds__call *call)
{
    ds__call_start(call, call->client->request_us, ds__attempt_cap_us(call->client->request_us));
    return RT_OK;
}

/* ---- values ---- */

static size_t value_cost(const struct dsrpc_value *values, size_t count)
{
    size_t total = ds__scratch_cost(count, sizeof(*values));

    for (size_t i = 0; i < count; i++) {
        total += ds__scratch_cost(values[i].piece_count, sizeof(struct dsrpc_piece));
    }
    return total;
}

/* Ours: the real client has no pieces. A value that is not as long as it says cannot be framed. */
static bool check_pieces(const struct dsrpc_value *value, struct ds__text *why)
{
    uint64_t sum_bytes = 0;

    for (size_t i = 0; i < value->piece_count; i++) {
        sum_bytes += value->pieces[i].bytes.len_bytes;
    }
    if (sum_bytes != value->total_bytes) {
        ds__text_printf(why, "The pieces of the value are %" PRIu64 " bytes long, not %" PRIu64 ".",
                        sum_bytes, value->total_bytes);
    }
    return sum_bytes == value->total_bytes;
}

/* Blobs are retained; bytes that lie in none are copied once, for all attempts. */
static bool take_value(struct ds__call *call, const struct dsrpc_value *from,
                       struct dsrpc_value *to)
{
    struct dsrpc_piece *pieces = ds__scratch_take(&call->store, from->piece_count, sizeof(*pieces));

    *to = (struct dsrpc_value){.pieces = pieces, .total_bytes = from->total_bytes};
    for (size_t i = 0; i < from->piece_count; i++) {
        const struct dsrpc_piece *piece = &from->pieces[i];
        if (piece->blob != NULL) {
            pieces[i] = (struct dsrpc_piece){rt_blob_retain(piece->blob), piece->bytes};
        } else {
            struct rt_blob *copy = rt_blob_copy(piece->bytes);
            if (copy == NULL) {
                return false;
            }
            pieces[i] = (struct dsrpc_piece){copy, rt_blob_slice(copy)};
        }
        to->piece_count++;
    }
    return true;
}

static bool take_values(struct ds__call *call, const struct dsrpc_value *values, size_t count)
{
    call->values = ds__scratch_take(&call->store, count, sizeof(*call->values));
    for (size_t i = 0; i < count; i++) {
        call->value_count++; /* counted first: what was taken is released with the call */
        if (!take_value(call, &values[i], &call->values[i])) {
            return false;
        }
    }
    return true;
}

/* ---- set and mset ---- */

enum rt_status ds_set(struct ds_client *client, struct rt_slice key,
                      const struct dsrpc_value *value, const struct ds_set_options *options,
                      ds_done_fn *done, void *arg)
{
    struct ds__call *call = NULL;

    return ds_set_named(client, key, value, options, done, arg, &call);
}

enum rt_status ds_set_named(struct ds_client *client, struct rt_slice key,
                            const struct dsrpc_value *value, const struct ds_set_options *options,
                            ds_done_fn *done, void *arg, struct ds__call **out_call)
{
    bool is_ready = false;
    struct ds__call *call = begin(client, DSRPC_OP_SET, done, arg, &is_ready);

    *out_call = call;
    if (call == NULL || !is_ready) {
        return call == NULL ? RT_E_NOMEM : RT_OK;
    }
    if (!ds__check_set(key, value->total_bytes, &call->text) || !check_pieces(value, &call->text)) {
        return refuse(call);
    }
    if (ds__scratch_reserve(&call->store, ds__keys_cost(&key, 1) + value_cost(value, 1)) != RT_OK) {
        return no_memory(call);
    }
    call->set = options == NULL ? (struct ds_set_options){0} : *options;
    ds__call_take_keys(call, &key, 1);
    if (!take_values(call, value, 1)) {
        return no_memory(call);
    }
    return start(call);
}

static bool check_mset(struct ds__call *call, const struct rt_slice *keys,
                       const struct dsrpc_value *values, size_t count,
                       const struct ds_mset_options *options)
{
    if (!ds__check_mset_keys(keys, count, &call->text)) {
        return false;
    }
    if (options->is_transaction) { /* an empty value is the worker's to refuse */
        return ds__check_transaction(keys, count, options->set.only_if_absent, &call->text);
    }
    for (size_t i = 0; i < count; i++) {
        if (!ds__check_value_size(values[i].total_bytes, &call->text)) {
            return false;
        }
    }
    return true;
}

/* A key of the list so far: for finding the ones that come again. */
struct seen_key {
    UT_hash_handle hh;
};

/* The first of equal keys is stored, the others are failed keys. */
static bool take_distinct(struct ds__call *call, const struct rt_slice *keys,
                          const struct dsrpc_value *values, size_t count)
{
    struct seen_key *entries = ds__scratch_take(&call->store, count, sizeof(*entries));
    struct rt_slice *distinct = ds__scratch_take(&call->store, count, sizeof(*distinct));
    struct rt_slice *twice = ds__scratch_take(&call->store, count, sizeof(*twice));
    struct seen_key *table = NULL;
    enum rt_status status = RT_OK;

    ds__call_take_keys(call, keys, count);
    call->values = ds__scratch_take(&call->store, count, sizeof(*call->values));
    call->duplicates = twice;
    for (size_t i = 0; status == RT_OK && i < count; i++) {
        struct seen_key *found = NULL;
        RT_TABLE_FIND_BYTES(table, call->keys[i].data, call->keys[i].len_bytes, found);
        if (found != NULL) {
            twice[call->duplicate_count++] = call->keys[i];
            continue;
        }
        RT_TABLE_ADD_BYTES(table, &entries[i], call->keys[i].data, call->keys[i].len_bytes,
                           &status);
        distinct[call->value_count] = call->keys[i];
        struct dsrpc_value *value = &call->values[call->value_count++];
        if (status == RT_OK && !take_value(call, &values[i], value)) {
            status = RT_E_NOMEM;
        }
    }
    RT_TABLE_FORGET(table);
    call->keys = distinct;
    call->key_count = call->value_count;
    return status == RT_OK;
}

enum rt_status ds_mset(struct ds_client *client, const struct rt_slice *keys,
                       const struct dsrpc_value *values, size_t count,
                       const struct ds_mset_options *options, ds_done_fn *done, void *arg)
{
    const struct ds_mset_options own = options == NULL ? (struct ds_mset_options){0} : *options;
    bool is_ready = false;
    struct ds__call *call = begin(client, DSRPC_OP_MSET, done, arg, &is_ready);

    if (call == NULL || !is_ready) {
        return call == NULL ? RT_E_NOMEM : RT_OK;
    }
    if (!check_mset(call, keys, values, count, &own)) {
        return refuse(call);
    }
    for (size_t i = 0; i < count; i++) {
        if (!check_pieces(&values[i], &call->text)) {
            return refuse(call);
        }
    }
    size_t cost = ds__keys_cost(keys, count) + value_cost(values, count) +
                  ds__scratch_cost(count, sizeof(struct seen_key)) +
                  2 * ds__scratch_cost(count, sizeof(struct rt_slice));
    if (ds__scratch_reserve(&call->store, cost) != RT_OK) {
        return no_memory(call);
    }
    call->set = own.set;
    call->is_transaction = own.is_transaction;
    if (!take_distinct(call, keys, values, count)) {
        return no_memory(call);
    }
    return start(call);
}

/* ---- get and read ---- */

/* The budget of a get is the longer of request time-out and sub-timeout; one attempt may take the
 * sub-timeout or the cap, whichever is longer. */
static void start_get(struct ds__call *call)
{
    uint64_t sub_us = (uint64_t)call->sub_timeout_ms * 1000;
    uint64_t request_us = call->client->request_us;
    uint64_t cap_us = ds__attempt_cap_us(request_us);

    ds__call_start(call, sub_us > request_us ? sub_us : request_us,
                   sub_us > cap_us ? sub_us : cap_us);
}

enum rt_status ds_get(struct ds_client *client, const struct rt_slice *keys, size_t key_count,
                      int64_t sub_timeout_ms, ds_done_fn *done, void *arg)
{
    struct ds__call *call = NULL;

    return ds_get_named(client, keys, key_count, sub_timeout_ms, done, arg, &call);
}

enum rt_status ds_get_named(struct ds_client *client, const struct rt_slice *keys, size_t key_count,
                            int64_t sub_timeout_ms, ds_done_fn *done, void *arg,
                            struct ds__call **out_call)
{
    bool is_ready = false;
    struct ds__call *call = begin(client, DSRPC_OP_GET, done, arg, &is_ready);

    *out_call = call;
    if (call == NULL || !is_ready) {
        return call == NULL ? RT_E_NOMEM : RT_OK;
    }
    if (sub_timeout_ms < 0 || sub_timeout_ms > SUB_TIMEOUT_MAX) {
        ds__text_printf(&call->text, "subTimeoutMs %lld is out of range [0, 2147483647]",
                        (long long)sub_timeout_ms);
        return refuse(call);
    }
    if (!ds__check_keys(keys, key_count, &call->text)) {
        return refuse(call);
    }
    if (ds__scratch_reserve(&call->store, ds__keys_cost(keys, key_count)) != RT_OK) {
        return no_memory(call);
    }
    ds__call_take_keys(call, keys, key_count);
    call->sub_timeout_ms = sub_timeout_ms;
    start_get(call);
    return RT_OK;
}

enum rt_status ds_read(struct ds_client *client, const struct ds_read *reads, size_t read_count,
                       ds_done_fn *done, void *arg)
{
    bool is_ready = false;
    struct ds__call *call = begin(client, DSRPC_OP_GET, done, arg, &is_ready);
    size_t cost = ds__scratch_cost(read_count, sizeof(struct rt_slice)) +
                  2 * ds__scratch_cost(read_count, sizeof(uint64_t));

    if (call == NULL || !is_ready) {
        return call == NULL ? RT_E_NOMEM : RT_OK;
    }
    struct rt_slice first = read_count == 0 ? (struct rt_slice){0} : reads[0].key;
    if (read_count > DS__BATCH_LIMIT ||
        !ds__check_keys(&first, read_count == 0 ? 0 : 1, &call->text)) {
        if (read_count > DS__BATCH_LIMIT) {
            ds__text_printf(&call->text, "The objectKeys size exceed %u.", DS__BATCH_LIMIT);
        }
        return refuse(call);
    }
    for (size_t i = 0; i < read_count; i++) {
        cost += ds__scratch_cost(reads[i].key.len_bytes, 1);
    }
    if (ds__scratch_reserve(&call->store, cost) != RT_OK) {
        return no_memory(call);
    }
    call->keys = ds__scratch_take(&call->store, read_count, sizeof(*call->keys));
    call->offsets_bytes = ds__scratch_take(&call->store, read_count, sizeof(uint64_t));
    call->sizes_bytes = ds__scratch_take(&call->store, read_count, sizeof(uint64_t));
    call->key_count = read_count;
    for (size_t i = 0; i < read_count; i++) {
        uint8_t *bytes = ds__scratch_take(&call->store, reads[i].key.len_bytes, 1);
        if (reads[i].key.len_bytes > 0) {
            memcpy(bytes, reads[i].key.data, reads[i].key.len_bytes);
        }
        call->keys[i] = rt_slice_of(bytes, reads[i].key.len_bytes);
        call->offsets_bytes[i] = reads[i].offset_bytes;
        call->sizes_bytes[i] = reads[i].size_bytes;
    }
    start_get(call);
    return RT_OK;
}

/* ---- keys only ---- */

static enum rt_status start_keys(struct ds_client *client, enum dsrpc_op op,
                                 const struct rt_slice *keys, size_t key_count, uint32_t ttl_s,
                                 ds_done_fn *done, void *arg)
{
    bool is_ready = false;
    struct ds__call *call = begin(client, op, done, arg, &is_ready);

    if (call == NULL || !is_ready) {
        return call == NULL ? RT_E_NOMEM : RT_OK;
    }
    if (!ds__check_keys(keys, key_count, &call->text)) {
        return refuse(call);
    }
    if (ds__scratch_reserve(&call->store, ds__keys_cost(keys, key_count)) != RT_OK) {
        return no_memory(call);
    }
    ds__call_take_keys(call, keys, key_count);
    call->set.ttl_s = ttl_s;
    return start(call);
}

enum rt_status ds_exist(struct ds_client *client, const struct rt_slice *keys, size_t key_count,
                        ds_done_fn *done, void *arg)
{
    return start_keys(client, DSRPC_OP_EXIST, keys, key_count, 0, done, arg);
}

enum rt_status ds_delete(struct ds_client *client, const struct rt_slice *keys, size_t key_count,
                         ds_done_fn *done, void *arg)
{
    return start_keys(client, DSRPC_OP_DELETE, keys, key_count, 0, done, arg);
}

enum rt_status ds_expire(struct ds_client *client, const struct rt_slice *keys, size_t key_count,
                         uint32_t ttl_s, ds_done_fn *done, void *arg)
{
    return start_keys(client, DSRPC_OP_EXPIRE, keys, key_count, ttl_s, done, arg);
}

enum rt_status ds_query_size(struct ds_client *client, const struct rt_slice *keys,
                             size_t key_count, ds_done_fn *done, void *arg)
{
    return start_keys(client, DSRPC_OP_QUERY_SIZE, keys, key_count, 0, done, arg);
}

enum rt_status ds_health(struct ds_client *client, ds_done_fn *done, void *arg)
{
    bool is_ready = false;
    struct ds__call *call = begin(client, DSRPC_OP_HEALTH, done, arg, &is_ready);

    if (call == NULL || !is_ready) {
        return call == NULL ? RT_E_NOMEM : RT_OK;
    }
    ds__call_start(call, HEALTH_US, HEALTH_US);
    return RT_OK;
}
