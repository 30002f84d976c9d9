/* SPDX-License-Identifier: Apache-2.0 */
#include "omni_scripted_type.h"

static void on_created(void *arg, struct omni_connector *connector, const char *reason)
{
    omni_creation_end(arg, connector, reason);
}

static enum rt_status begin(const struct omni_connector_type *type,
                            const struct omni_environment *environment,
                            const struct omni_value *extra, struct omni_creation *creation,
                            void **out_pending)
{
    const struct omni_connector_config config = {.extra = extra, .binding = type->context};
    struct omni_connector *pending = NULL;
    enum rt_status status =
        omni_connector_begin(environment, &config, on_created, creation, &pending);
    *out_pending = pending;
    return status;
}

static void destroy(void *self)
{
    omni_connector_destroy(self);
}

static enum rt_status put(void *self, const char *from, const char *to, struct rt_slice key,
                          const struct omni_value *data, omni_put_fn *done, void *arg)
{
    return omni_put(self, from, to, key, data, done, arg);
}

static enum rt_status get(void *self, const char *from, const char *to, struct rt_slice key,
                          omni_get_fn *done, void *arg)
{
    return omni_get(self, from, to, key, done, arg);
}

static void cleanup(void *self, struct rt_slice request_id)
{
    omni_cleanup(self, request_id);
}

static void health(const void *self, struct omni_health *out_health)
{
    omni_connector_health(self, out_health);
}

static void close_it(void *self)
{
    omni_close(self);
}

static const struct omni_connector_ops ops = {.put = put,
                                              .get = get,
                                              .cleanup = cleanup,
                                              .health = health,
                                              .close = close_it,
                                              .destroy = destroy};

struct omni_connector_type scripted_type(const struct script *script)
{
    return (struct omni_connector_type){.name = "Scripted",
                                        .context = &script->binding,
                                        .begin = begin,
                                        .give_up = destroy,
                                        .ops = &ops};
}
