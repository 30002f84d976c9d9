/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The point `binding`: what a connector sees of its client can be empty, null, wrong bytes or a
 * raised status although the wire never brings that. A decorator around the native operations asks
 * the fault engine first; a hole is a symbol that is not there at construction.
 *
 *   set, get --consider--> nothing ------> native client --on_native--.
 *                     |--> delay --later-> native client --on_native--+--> done
 *                     '--> an answer, soon ---------------------------'
 *
 * abandon() takes a call away wherever it stands.
 */
#include <stdlib.h>

#include "harness/world/world.h"

struct bound_client {
    struct scn_party *party;
    void *native;
    struct pending *pendings;
};

/* A call, for as long as it has not ended. */
struct pending {
    struct bound_client *client;
    struct pending *next;
    struct pending **link;
    const struct fault_action *action; /* NULL: none, the native client has it */
    void *native_call;                 /* the native client's name of it; NULL: not there */
    ds_done_fn *done;
    void *arg;
    bool is_get;
    /* of a delayed call */
    struct fault_hold hold;
    struct rt_blob *key;
    struct rt_blob *value;
    struct ds_set_options options;
    int64_t sub_timeout_ms;
    struct rt_task task;
};

static void answer(void *arg);
static void resume(void *arg);
static void on_native(void *arg, const struct ds_result *result);
static void end_pending(struct pending *pending, const struct ds_result *result);
static void unlink_pending(struct pending *pending);
static void free_pending(struct pending *pending);

/* ---- the table of operations ---- */

static enum rt_status bound_create(void *context, const struct ds_environment *environment,
                                   const struct ds_options *options, void **out_client)
{
    struct scn_party *party = context;
    struct bound_client *client = calloc(1, sizeof(*client));
    struct ds_options changed = *options;

    if (client == NULL) {
        return RT_E_NOMEM;
    }
    client->party = party;
    if (party->spec->connect_timeout_us > 0) {
        changed.connect_timeout_ms = (int64_t)(party->spec->connect_timeout_us / 1000);
    }
    if (party->spec->request_timeout_us > 0) {
        changed.request_timeout_ms = (int64_t)(party->spec->request_timeout_us / 1000);
    }
    enum rt_status status = ds_native_binding.kv_client->create(
        ds_native_binding.context, environment, &changed, &client->native);
    if (status != RT_OK) {
        free(client);
        return status;
    }
    party->inner = client->native;
    *out_client = client;
    return RT_OK;
}

/* Calls in flight end first: the native client's, then those that are delayed or due. */
static void bound_destroy(void *opaque)
{
    struct bound_client *client = opaque;

    if (client == NULL) {
        return;
    }
    scn_party_refresh(client->party);
    client->party->inner = NULL;
    ds_native_binding.kv_client->destroy(client->native);
    while (client->pendings != NULL) {
        const struct ds_result result = {.status = {.code = K_NOT_READY,
                                                    .detail = DS_DETAIL_CLOSED,
                                                    .text = "the client was closed"}};
        end_pending(client->pendings, &result);
    }
    free(client);
}

static enum rt_status bound_init(void *opaque, ds_done_fn *done, void *arg)
{
    return ds_native_binding.kv_client->init(((struct bound_client *)opaque)->native, done, arg);
}

static enum rt_status bound_close(void *opaque, ds_done_fn *done, void *arg)
{
    return ds_native_binding.kv_client->close(((struct bound_client *)opaque)->native, done, arg);
}

static const struct fault_action *consider(struct bound_client *client, int operation,
                                           const struct rt_slice *keys, size_t key_count)
{
    struct fault_subject subject = {.domain = &fault_binding_domain,
                                    .operation = operation,
                                    .point = FAULT_AT_BINDING,
                                    .worker = "",
                                    .client = client->party->name,
                                    .keys = keys,
                                    .key_count = key_count};

    return fault_consider(client->party->world->faults, &subject);
}

static struct pending *add_pending(struct bound_client *client, const struct fault_action *action,
                                   ds_done_fn *done, void *arg)
{
    struct pending *pending = calloc(1, sizeof(*pending));

    if (pending == NULL) {
        return NULL;
    }
    pending->client = client;
    pending->action = action;
    pending->done = done;
    pending->arg = arg;
    pending->next = client->pendings;
    pending->link = &client->pendings;
    if (client->pendings != NULL) {
        client->pendings->link = &pending->next;
    }
    client->pendings = pending;
    rt_task_init(&pending->task, client->party->world->loop, answer, pending);
    return pending;
}

static bool is_delay(const struct fault_action *action)
{
    return action->kind == FAULT_DELAY || action->kind == FAULT_HOLD;
}

/* An answer comes soon, a delayed call goes on later. */
static enum rt_status start_pending(struct pending *pending)
{
    if (!is_delay(pending->action)) {
        rt_task_schedule(&pending->task);
        return RT_OK;
    }
    return fault_hold_start(pending->client->party->world->faults, &pending->hold, pending->action,
                            resume, pending);
}

/* What add_pending() began has started, or it is taken back. */
static enum rt_status begin(struct pending *pending, enum rt_status status, void **out_call)
{
    if (status != RT_OK) {
        unlink_pending(pending);
        free_pending(pending);
        return status;
    }
    *out_call = pending;
    return RT_OK;
}

/* The bytes of a value in one blob, for a call that is made later. */
static struct rt_blob *join(const struct dsrpc_value *value)
{
    uint8_t *data = NULL;
    struct rt_blob *blob = rt_blob_create((size_t)value->total_bytes, &data);

    for (size_t i = 0; blob != NULL && i < value->piece_count; i++) {
        memcpy(data, value->pieces[i].bytes.data, value->pieces[i].bytes.len_bytes);
        data += value->pieces[i].bytes.len_bytes;
    }
    return blob;
}

static enum rt_status delay_set(struct pending *pending, struct rt_slice key,
                                const struct dsrpc_value *value,
                                const struct ds_set_options *options)
{
    pending->key = rt_blob_copy(key);
    pending->value = join(value);
    pending->options = *options;
    return pending->key == NULL || pending->value == NULL ? RT_E_NOMEM : start_pending(pending);
}

static enum rt_status bound_set(void *opaque, struct rt_slice key, const struct dsrpc_value *value,
                                const struct ds_set_options *options, ds_done_fn *done, void *arg,
                                void **out_call)
{
    struct bound_client *client = opaque;
    const struct fault_action *action = consider(client, FAULT_BINDING_SET, &key, 1);
    struct pending *pending = add_pending(client, action, done, arg);
    enum rt_status status;

    if (pending == NULL) {
        return RT_E_NOMEM;
    }
    if (action == NULL) {
        status = ds_native_binding.kv_client->set(client->native, key, value, options, on_native,
                                                  pending, &pending->native_call);
    } else if (is_delay(action)) {
        status = delay_set(pending, key, value, options);
    } else {
        status = start_pending(pending);
    }
    return begin(pending, status, out_call);
}

/* The connector gets one key at a time. */
static enum rt_status delay_get(struct pending *pending, const struct rt_slice *key)
{
    pending->key = rt_blob_copy(*key);
    return pending->key == NULL ? RT_E_NOMEM : start_pending(pending);
}

static enum rt_status bound_get(void *opaque, const struct rt_slice *keys, size_t key_count,
                                int64_t sub_timeout_ms, ds_done_fn *done, void *arg,
                                void **out_call)
{
    struct bound_client *client = opaque;
    const struct fault_action *action = consider(client, FAULT_BINDING_GET, keys, key_count);
    struct pending *pending = add_pending(client, action, done, arg);
    enum rt_status status;

    if (pending == NULL) {
        return RT_E_NOMEM;
    }
    pending->is_get = true;
    pending->sub_timeout_ms = sub_timeout_ms;
    if (action == NULL) {
        status = ds_native_binding.kv_client->get(client->native, keys, key_count, sub_timeout_ms,
                                                  on_native, pending, &pending->native_call);
    } else if (is_delay(action)) {
        status = delay_get(pending, keys);
    } else {
        status = start_pending(pending);
    }
    return begin(pending, status, out_call);
}

static void bound_abandon(void *opaque, void *call)
{
    struct bound_client *client = opaque;
    struct pending *pending = call;

    if (pending->native_call != NULL) {
        ds_native_binding.kv_client->abandon(client->native, pending->native_call);
    }
    unlink_pending(pending);
    free_pending(pending);
}

/* ---- answering ---- */

static void answer(void *arg)
{
    struct pending *pending = arg;
    const struct fault_action *action = pending->action;
    struct ds_value value = {.is_present = action->kind == FAULT_BYTES, .bytes = action->bytes};
    struct ds_result result = {.status = {.code = K_OK, .text = ""}};

    if (action->kind == FAULT_RAISE) {
        result.status.code = action->code;
        result.status.detail = DS_DETAIL_ANSWERED;
        result.status.text = action->text;
    } else if (pending->is_get && action->kind != FAULT_EMPTY_LIST) {
        result.values = &value;
        result.value_count = 1;
    }
    end_pending(pending, &result);
}

static void on_native(void *arg, const struct ds_result *result)
{
    end_pending(arg, result);
}

static void end_pending(struct pending *pending, const struct ds_result *result)
{
    unlink_pending(pending);
    pending->done(pending->arg, result);
    free_pending(pending);
}

static void resume(void *arg)
{
    struct pending *pending = arg;
    struct bound_client *client = pending->client;
    struct rt_slice key = rt_blob_slice(pending->key);
    enum rt_status status;

    pending->action = NULL;
    if (pending->is_get) {
        status = ds_native_binding.kv_client->get(client->native, &key, 1, pending->sub_timeout_ms,
                                                  on_native, pending, &pending->native_call);
    } else {
        struct dsrpc_piece piece = {.blob = pending->value, .bytes = rt_blob_slice(pending->value)};
        struct dsrpc_value value = {
            .pieces = &piece, .piece_count = 1, .total_bytes = piece.bytes.len_bytes};
        status = ds_native_binding.kv_client->set(client->native, key, &value, &pending->options,
                                                  on_native, pending, &pending->native_call);
    }
    if (status != RT_OK) {
        const struct ds_result result = {.status = {.code = K_RUNTIME_ERROR,
                                                    .detail = DS_DETAIL_CHECKED,
                                                    .text = rt_status_text(status)}};
        end_pending(pending, &result);
    }
}

static void unlink_pending(struct pending *pending)
{
    *pending->link = pending->next;
    if (pending->next != NULL) {
        pending->next->link = pending->link;
    }
    rt_task_cancel(&pending->task);
    fault_hold_cancel(&pending->hold);
}

static void free_pending(struct pending *pending)
{
    rt_blob_release(pending->key);
    rt_blob_release(pending->value);
    free(pending);
}

/* ---- construction ---- */

static const struct ds_kv_client_ops bound_ops = {
    .create = bound_create,
    .destroy = bound_destroy,
    .init = bound_init,
    .close = bound_close,
    .set = bound_set,
    .get = bound_get,
    .abandon = bound_abandon,
};

void scn_binding_init(struct scn_party *party)
{
    struct fault_subject subject = {.domain = &fault_binding_domain,
                                    .operation = FAULT_BINDING_CONSTRUCT,
                                    .point = FAULT_AT_BINDING,
                                    .worker = "",
                                    .client = party->name};
    const struct fault_action *action = fault_consider(party->world->faults, &subject);

    party->binding = ds_native_binding;
    party->binding.kv_client = &bound_ops;
    party->binding.context = party;
    if (action == NULL || action->kind != FAULT_HOLE) {
        return;
    }
    if (strcmp(action->text, "KVClient") == 0) {
        party->binding.kv_client = NULL;
    } else if (strcmp(action->text, "SetParam") == 0) {
        party->binding.set_param = NULL;
    } else {
        party->binding.write_mode = NULL;
    }
}
