/* SPDX-License-Identifier: Apache-2.0 */
/* The native client as the connector's binding. */
#include "connector/ds_binding.h"

static enum rt_status create(void *context, const struct ds_environment *environment,
                             const struct ds_options *options, void **out_client)
{
    struct ds_client *client = NULL;
    enum rt_status status = ds_client_create(environment, options, &client);

    (void)context;
    if (status == RT_OK) {
        *out_client = client;
    }
    return status;
}

static void destroy(void *client)
{
    ds_client_destroy(client);
}

static enum rt_status init(void *client, ds_done_fn *done, void *arg)
{
    return ds_client_init(client, done, arg);
}

static enum rt_status close_client(void *client, ds_done_fn *done, void *arg)
{
    return ds_client_close(client, done, arg);
}

static enum rt_status set(void *client, struct rt_slice key, const struct dsrpc_value *value,
                          const struct ds_set_options *options, ds_done_fn *done, void *arg,
                          void **out_call)
{
    struct ds__call *call = NULL;
    enum rt_status status = ds_set_named(client, key, value, options, done, arg, &call);

    *out_call = call;
    return status;
}

static enum rt_status get(void *client, const struct rt_slice *keys, size_t key_count,
                          int64_t sub_timeout_ms, ds_done_fn *done, void *arg, void **out_call)
{
    struct ds__call *call = NULL;
    enum rt_status status = ds_get_named(client, keys, key_count, sub_timeout_ms, done, arg, &call);

    *out_call = call;
    return status;
}

static void abandon(void *client, void *call)
{
    ds_abandon(client, call);
}

static const struct ds_kv_client_ops NATIVE_OPS = {
    .create = create,
    .destroy = destroy,
    .init = init,
    .close = close_client,
    .set = set,
    .get = get,
    .abandon = abandon,
};

static const struct ds_set_options SET_PARAM = {.write_mode = DS_NONE_L2_CACHE};
static const enum ds_write_mode WRITE_MODE = DS_NONE_L2_CACHE_EVICT;

const struct ds_binding ds_native_binding = {
    .kv_client = &NATIVE_OPS, .set_param = &SET_PARAM, .write_mode = &WRITE_MODE, .context = NULL};
