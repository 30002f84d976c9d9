/* SPDX-License-Identifier: Apache-2.0 */
#include "omni_script.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_HELD 64

struct script_call {
    struct rt_timer timer;
    struct script_client *client;
    ds_done_fn *done;
    void *arg;
    enum script_answer answer;
    struct ds_status status;
    struct rt_blob *blob; /* of SCRIPT_BYTES and SCRIPT_ECHO */
    bool is_get;
};

struct script_client {
    struct script *script;
    struct rt_loop *loop;
    struct script_call *calls[MAX_HELD];
    size_t call_count;
};

static void take_out(struct script_call *call);
static void free_call(struct script_call *call);

static void on_due(void *arg)
{
    struct script_call *call = arg;
    struct ds_value value = {.is_present = call->answer != SCRIPT_NULL};
    struct ds_result result = {.status = call->status};
    if (call->is_get && call->answer != SCRIPT_STATUS && call->status.code == K_OK) {
        if (call->blob != NULL) {
            value.bytes = rt_blob_slice(call->blob);
            value.blob = value.bytes.len_bytes > 64 ? call->blob : NULL;
        }
        result.values = &value;
        result.value_count = 1;
    }
    take_out(call);
    call->done(call->arg, &result);
    free_call(call);
}

static void take_out(struct script_call *call)
{
    struct script_client *client = call->client;
    for (size_t i = 0; i < client->call_count; i++) {
        if (client->calls[i] == call) {
            client->calls[i] = client->calls[--client->call_count];
            break;
        }
    }
}

static void free_call(struct script_call *call)
{
    rt_timer_disarm(&call->timer);
    rt_blob_release(call->blob);
    free(call);
}

static void script_abandon(void *arg, void *call)
{
    struct script_client *client = arg;
    client->script->abandon_count++;
    take_out(call);
    free_call(call);
}

static enum rt_status add_call(struct script_client *client, enum script_answer answer,
                               const struct ds_status *status, bool is_get, ds_done_fn *done,
                               void *arg, void **out_call)
{
    struct script *script = client->script;
    struct script_call *call = calloc(1, sizeof(*call));
    if (call == NULL) {
        return RT_E_NOMEM;
    }
    if (client->call_count == MAX_HELD) {
        abort();
    }
    *call = (struct script_call){.client = client,
                                 .done = done,
                                 .arg = arg,
                                 .answer = answer,
                                 .status = *status,
                                 .is_get = is_get};
    if (answer == SCRIPT_BYTES) {
        call->blob = rt_blob_copy(script->bytes);
        if (call->blob == NULL) {
            free(call);
            return RT_E_NOMEM;
        }
    } else if (answer == SCRIPT_ECHO && script->stored != NULL) {
        call->blob = rt_blob_retain(script->stored);
    }
    rt_timer_init(&call->timer, client->loop, on_due, call);
    client->calls[client->call_count++] = call;
    if (answer != SCRIPT_HOLD && rt_timer_arm_after(&call->timer, script->delay_us) != RT_OK) {
        client->call_count--;
        rt_blob_release(call->blob);
        free(call);
        return RT_E_NOMEM;
    }
    *out_call = call;
    return RT_OK;
}

static enum rt_status script_create(void *context, const struct ds_environment *environment,
                                    const struct ds_options *options, void **out_client)
{
    struct script *script = context;
    snprintf(script->host, sizeof(script->host), "%s", options->host);
    script->port = options->port;
    script->connect_timeout_ms = options->connect_timeout_ms;
    script->request_timeout_ms = options->request_timeout_ms;
    if (script->create_status != RT_OK) {
        return script->create_status;
    }
    struct script_client *client = calloc(1, sizeof(*client));
    if (client == NULL) {
        return RT_E_NOMEM;
    }
    script->create_count++;
    client->script = script;
    client->loop = environment->loop;
    *out_client = client;
    return RT_OK;
}

/* As the interface says: calls in flight end first. */
static void script_destroy(void *arg)
{
    struct script_client *client = arg;
    client->script->destroy_count++;
    while (client->call_count > 0) {
        struct script_call *call = client->calls[0];
        call->answer = SCRIPT_STATUS;
        call->status = (struct ds_status){
            .code = K_NOT_READY, .detail = DS_DETAIL_CLOSED, .text = "client destroyed"};
        on_due(call);
    }
    free(client);
}

static enum rt_status script_do_init(void *arg, ds_done_fn *done, void *done_arg)
{
    struct script_client *client = arg;
    void *call = NULL;
    client->script->init_count++;
    return add_call(client, SCRIPT_STATUS, &client->script->init_status, false, done, done_arg,
                    &call);
}

static enum rt_status script_close(void *arg, ds_done_fn *done, void *done_arg)
{
    struct script_client *client = arg;
    const struct ds_status ok = {.code = K_OK};
    void *call = NULL;
    client->script->close_count++;
    return add_call(client, SCRIPT_STATUS, &ok, false, done, done_arg, &call);
}

static void note_key(struct script *script, struct rt_slice key)
{
    snprintf(script->key, sizeof(script->key), "%.*s", (int)key.len_bytes, (const char *)key.data);
}

static enum rt_status script_set(void *arg, struct rt_slice key, const struct dsrpc_value *value,
                                 const struct ds_set_options *options, ds_done_fn *done,
                                 void *done_arg, void **out_call)
{
    struct script_client *client = arg;
    struct script *script = client->script;
    if (script->call_status != RT_OK) {
        return script->call_status;
    }
    script->set_count++;
    note_key(script, key);
    script->set_options = *options;
    uint8_t *data = NULL;
    struct rt_blob *stored = rt_blob_create((size_t)value->total_bytes, &data);
    if (stored == NULL) {
        return RT_E_NOMEM;
    }
    rt_blob_release(script->stored);
    script->stored = stored;
    for (size_t i = 0; i < value->piece_count; i++) {
        memcpy(data, value->pieces[i].bytes.data, value->pieces[i].bytes.len_bytes);
        data += value->pieces[i].bytes.len_bytes;
    }
    return add_call(client, script->answer == SCRIPT_HOLD ? SCRIPT_HOLD : SCRIPT_STATUS,
                    &script->status, false, done, done_arg, out_call);
}

static enum rt_status script_get(void *arg, const struct rt_slice *keys, size_t key_count,
                                 int64_t sub_timeout_ms, ds_done_fn *done, void *done_arg,
                                 void **out_call)
{
    struct script_client *client = arg;
    struct script *script = client->script;
    if (script->call_status != RT_OK) {
        return script->call_status;
    }
    if (key_count != 1) {
        abort();
    }
    script->get_count++;
    note_key(script, keys[0]);
    script->sub_timeout_ms = sub_timeout_ms;
    return add_call(client, script->answer, &script->status, true, done, done_arg, out_call);
}

void script_init(struct script *script)
{
    memset(script, 0, sizeof(*script));
    script->answer = SCRIPT_ECHO;
    script->ops = (struct ds_kv_client_ops){
        .create = script_create,
        .destroy = script_destroy,
        .init = script_do_init,
        .close = script_close,
        .abandon = script_abandon,
        .set = script_set,
        .get = script_get,
    };
    script->evict_mode = DS_NONE_L2_CACHE_EVICT;
    script->binding = (struct ds_binding){
        .kv_client = &script->ops,
        .set_param = &script->fresh_set_param,
        .write_mode = &script->evict_mode,
        .context = script,
    };
}

void script_fini(struct script *script)
{
    rt_blob_release(script->stored);
    script->stored = NULL;
}
