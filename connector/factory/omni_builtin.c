/* SPDX-License-Identifier: Apache-2.0 */
#include "connector/factory/omni_factory_internal.h"
#include "connector/omni_blocking_set.h"

/* The types that every factory knows: one for each model of retrieval, over the native binding. */

/* ---- asynchronous -------------------------------------------------------------------------- */

static void on_created(void *arg, struct omni_connector *connector, const char *text)
{
    omni_creation_end(arg, connector, text);
}

static enum rt_status begin(const struct omni_connector_type *type,
                            const struct omni_environment *environment,
                            const struct omni_value *extra, struct omni_creation *creation,
                            void **out_pending)
{
    const enum omni_model *model = type->context;
    const struct omni_connector_config config = {.model = *model, .extra = extra};
    struct omni_connector *pending = NULL;
    enum rt_status status =
        omni_connector_begin(environment, &config, on_created, creation, &pending);

    if (status == RT_OK) {
        *out_pending = pending;
    }
    return status;
}

static void destroy(void *self)
{
    omni_connector_destroy(self);
}

static enum rt_status put(void *self, const char *from_stage, const char *to_stage,
                          struct rt_slice put_key, const struct omni_value *data, omni_put_fn *done,
                          void *arg)
{
    return omni_put(self, from_stage, to_stage, put_key, data, done, arg);
}

static enum rt_status get(void *self, const char *from_stage, const char *to_stage,
                          struct rt_slice get_key, omni_get_fn *done, void *arg)
{
    return omni_get(self, from_stage, to_stage, get_key, done, arg);
}

static enum rt_status get_with_deadline(void *self, const char *from_stage, const char *to_stage,
                                        struct rt_slice get_key, uint64_t deadline_us,
                                        omni_get_fn *done, void *arg)
{
    return omni_get_with_deadline(self, from_stage, to_stage, get_key, deadline_us, done, arg);
}

static void cleanup(void *self, struct rt_slice request_id)
{
    omni_cleanup(self, request_id);
}

static void health(const void *self, struct omni_health *out_health)
{
    omni_connector_health(self, out_health);
}

static void close_connector(void *self)
{
    omni_close(self);
}

static const struct omni_connector_ops yuanrong_ops = {
    .put = put,
    .get = get,
    .cleanup = cleanup,
    .health = health,
    .close = close_connector,
    .destroy = destroy,
    .get_with_deadline = get_with_deadline,
};

static const struct omni_connector_ops polling_ops = {
    .put = put,
    .get = get,
    .cleanup = cleanup,
    .health = health,
    .close = close_connector,
    .destroy = destroy,
};

/* ---- blocking ------------------------------------------------------------------------------ */

static enum rt_status create_blocking(const struct omni_connector_type *type,
                                      const struct omni_blocking_config *config, void **out_self,
                                      char out_text[OMNI_BLOCKING_TEXT_BYTES])
{
    const enum omni_model *model = type->context;
    struct omni_blocking_config own = *config;
    struct omni_blocking *blocking = NULL;

    own.connector.model = *model;
    enum rt_status status = omni_blocking_create(&own, &blocking, out_text);
    if (status == RT_OK) {
        *out_self = blocking;
    }
    return status;
}

static enum rt_status put_blocking(void *self, const char *from_stage, const char *to_stage,
                                   struct rt_slice put_key, const struct omni_value *data,
                                   struct omni_call_result *out_result)
{
    return omni_blocking_put(self, from_stage, to_stage, put_key, data, out_result);
}

static enum rt_status get_blocking(void *self, const char *from_stage, const char *to_stage,
                                   struct rt_slice get_key, struct omni_call_result *out_result)
{
    return omni_blocking_get(self, from_stage, to_stage, get_key, out_result);
}

static enum rt_status cleanup_blocking(void *self, struct rt_slice request_id)
{
    return omni_blocking_cleanup(self, request_id);
}

static enum rt_status health_blocking(void *self, struct omni_blocking_health *out_health)
{
    return omni_blocking_health(self, out_health);
}

static enum rt_status close_blocking(void *self)
{
    return omni_blocking_close(self);
}

static void destroy_blocking(void *self)
{
    omni_blocking_destroy(self);
}

static const struct omni_blocking_ops blocking_ops = {
    .create = create_blocking,
    .put = put_blocking,
    .get = get_blocking,
    .cleanup = cleanup_blocking,
    .health = health_blocking,
    .close = close_blocking,
    .destroy = destroy_blocking,
};

/* ---- the types ----------------------------------------------------------------------------- */

static const enum omni_model yuanrong = OMNI_YUANRONG;
static const enum omni_model polling = OMNI_POLLING;

static const struct omni_connector_type yuanrong_type = {
    .name = "YuanrongConnector",
    .context = &yuanrong,
    .begin = begin,
    .give_up = destroy,
    .ops = &yuanrong_ops,
    .blocking = &blocking_ops,
};

static const struct omni_connector_type polling_type = {
    .name = "PollingConnector",
    .context = &polling,
    .begin = begin,
    .give_up = destroy,
    .ops = &polling_ops,
    .blocking = &blocking_ops,
};

const struct omni_connector_type *const omni__builtin_types[OMNI_MODEL_COUNT] = {
    [OMNI_YUANRONG] = &yuanrong_type,
    [OMNI_POLLING] = &polling_type,
};
