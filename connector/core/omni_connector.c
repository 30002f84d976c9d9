/* SPDX-License-Identifier: Apache-2.0 */
#include "connector/omni_connector.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "connector/core/omni_internal.h"

/*
 * The life of a connector. The order of construction is upstream's (docs/reference/connector.md,
 * Options):
 *
 *   holes in the binding? -> write mode -> get_sub_timeout_ms -> host, port -> client -> init
 *        |                                     |                     |            |
 *        '-------------------------------------+---------------------+------------+-->
 * on_constructed
 *
 * on_constructed is a task of its own, so that `created` runs neither inside the call that
 * started it nor inside a callback of the client: it may destroy both.
 */
static const char *missing_symbols(const struct ds_binding *binding);
static struct omni_connector *new_connector(const struct omni_environment *environment,
                                            const struct omni_connector_config *config);
static bool has_options(struct omni_connector *connector, const struct omni_value *extra);
static enum rt_status find_worker(struct omni_connector *connector);
static void on_worker_left_out(void *arg, const char *text);
static void on_worker_found(void *arg, const struct ds_status *status, const char *host,
                            int64_t port);
static enum rt_status start_client(struct omni_connector *connector);
static void fail(struct omni_connector *connector, const char *text);
static void on_init(void *arg, const struct ds_result *result);
static void on_constructed(void *arg);
static void drop_client(struct omni_connector *connector);
static void free_connector(struct omni_connector *connector);

enum rt_status omni_connector_create(const struct omni_environment *environment,
                                     const struct omni_connector_config *config,
                                     omni_created_fn *created, void *arg)
{
    struct omni_connector *pending = NULL;
    return omni_connector_begin(environment, config, created, arg, &pending);
}

enum rt_status omni_connector_begin(const struct omni_environment *environment,
                                    const struct omni_connector_config *config,
                                    omni_created_fn *created, void *arg,
                                    struct omni_connector **out_pending)
{
    const struct ds_binding *binding =
        config->binding == NULL ? &ds_native_binding : config->binding;
    struct omni_connector *connector = new_connector(environment, config);
    if (connector == NULL) {
        return RT_E_NOMEM;
    }
    connector->created = created;
    connector->created_arg = arg;

    const char *missing = missing_symbols(binding);
    if (missing != NULL) { /* before anything else; not logged */
        snprintf(connector->text, sizeof(connector->text),
                 "ImportError: the Datasystem binding must offer KVClient, SetParam and WriteMode; "
                 "it lacks %s",
                 missing);
        fail(connector, connector->text);
        *out_pending = connector;
        return RT_OK;
    }
    connector->ops = binding->kv_client;
    connector->set_options = *binding->set_param;
    connector->set_options.write_mode = *binding->write_mode;
    if (has_options(connector, config->extra)) {
        connector->binding = binding;
        enum rt_status status = connector->options.etcd_address == NULL ? start_client(connector)
                                                                        : find_worker(connector);
        if (status != RT_OK) {
            free_connector(connector);
            return status;
        }
    }
    *out_pending = connector;
    return RT_OK;
}

static const char *missing_symbols(const struct ds_binding *binding)
{
    static const char *const lists[] = {
        NULL,
        "KVClient",
        "SetParam",
        "KVClient and SetParam",
        "WriteMode",
        "KVClient and WriteMode",
        "SetParam and WriteMode",
        "all three",
    };
    const struct ds_kv_client_ops *ops = binding->kv_client;
    bool has_client = ops != NULL && ops->create != NULL && ops->destroy != NULL &&
                      ops->init != NULL && ops->set != NULL && ops->get != NULL &&
                      ops->abandon != NULL;
    return lists[(has_client ? 0 : 1) + (binding->set_param == NULL ? 2 : 0) +
                 (binding->write_mode == NULL ? 4 : 0)];
}

static struct omni_connector *new_connector(const struct omni_environment *environment,
                                            const struct omni_connector_config *config)
{
    struct omni_connector *connector = calloc(1, sizeof(*connector));
    if (connector == NULL) {
        return NULL;
    }
    connector->environment = *environment;
    connector->model = config->model;
    if (config->limits != NULL) {
        connector->limits = *config->limits;
    }
    rt_task_init(&connector->deliver, environment->ds.loop, omni__deliver, connector);
    rt_task_init(&connector->construct, environment->ds.loop, on_constructed, connector);
    return connector;
}

/* False: the construction has failed. Only what is read while the client is set up is logged. */
static bool has_options(struct omni_connector *connector, const struct omni_value *extra)
{
    bool (*read_first)(const struct omni_value *, struct omni_options *, char *, size_t) =
        connector->model == OMNI_POLLING ? omni__read_polling : omni__read_sub_timeout;
    if (!read_first(extra, &connector->options, connector->text, sizeof(connector->text))) {
        fail(connector, connector->text);
        return false;
    }
    connector->is_failure_logged = true;
    if (!omni__read_address(extra, &connector->options, connector->text, sizeof(connector->text)) ||
        !omni__read_discovery(extra, &connector->options, connector->text,
                              sizeof(connector->text))) {
        fail(connector, connector->text);
        return false;
    }
    return true;
}

/* Instead of `host` and `port`. A worker that is lost later is not looked for again: whoever owns
 * the connector makes a new one, which asks etcd anew. */
static enum rt_status find_worker(struct omni_connector *connector)
{
    const struct omni_options *own = &connector->options;
    struct ds_discovery_options options = {.etcd_address = own->etcd_address,
                                           .cluster_name = own->cluster_name,
                                           .affinity = own->affinity,
                                           .host_id = own->host_id,
                                           .username = own->etcd_username,
                                           .password = own->etcd_password,
                                           .etcd_ca = own->etcd_ca,
                                           .etcd_cert = own->etcd_cert,
                                           .etcd_key = own->etcd_key,
                                           .etcd_dns_name = own->etcd_dns_name};
    return ds_discovery_start(&connector->environment.ds, &options, on_worker_found,
                              on_worker_left_out, connector, &connector->discovery);
}

static void on_worker_left_out(void *arg, const char *text)
{
    omni__log(arg, OMNI_LOG_ERROR, "%s", text);
}

static void on_worker_found(void *arg, const struct ds_status *status, const char *host,
                            int64_t port)
{
    struct omni_connector *connector = arg;
    connector->discovery = NULL;
    if (status->code != K_OK) {
        ds_status_format(status, connector->text, sizeof(connector->text));
        fail(connector, connector->text);
        return;
    }
    char *copied = strdup(host);
    if (copied == NULL) {
        fail(connector, rt_status_text(RT_E_NOMEM));
        return;
    }
    free(connector->options.host);
    connector->options.host = copied;
    connector->options.port = port;
    enum rt_status started = start_client(connector);
    if (started != RT_OK) {
        fail(connector, rt_status_text(started));
    }
}

static enum rt_status start_client(struct omni_connector *connector)
{
    struct ds_options options;
    ds_options_init(&options);
    options.host = connector->options.host;
    options.port = connector->options.port;
    if (connector->options.connect_timeout_ms != 0) {
        options.connect_timeout_ms = connector->options.connect_timeout_ms;
    }
    if (connector->options.request_timeout_ms != 0) {
        options.request_timeout_ms = connector->options.request_timeout_ms;
    }
    enum rt_status status = connector->ops->create(
        connector->binding->context, &connector->environment.ds, &options, &connector->client);
    if (status == RT_OK) {
        status = connector->ops->init(connector->client, on_init, connector);
    }
    if (status != RT_OK && status != RT_E_NOMEM) {
        fail(connector, rt_status_text(status));
        return RT_OK;
    }
    return status;
}

static void fail(struct omni_connector *connector, const char *text)
{
    if (text != connector->text) {
        snprintf(connector->text, sizeof(connector->text), "%s", text);
    }
    connector->is_failed = true;
    rt_task_schedule(&connector->construct);
}

static void on_init(void *arg, const struct ds_result *result)
{
    struct omni_connector *connector = arg;
    if (result->status.code != K_OK) {
        ds_status_format(&result->status, connector->text, sizeof(connector->text));
        connector->is_failed = true;
    }
    rt_task_schedule(&connector->construct);
}

static void on_constructed(void *arg)
{
    struct omni_connector *connector = arg;
    if (!connector->is_failed) {
        connector->is_constructed = true;
        omni__log(connector, OMNI_LOG_INFO, "%s is connected to %s:%" PRId64,
                  omni_model_name(connector->model), connector->options.host,
                  connector->options.port);
        connector->created(connector->created_arg, connector, NULL);
        return;
    }
    if (connector->is_failure_logged) {
        omni__log(connector, OMNI_LOG_ERROR, "Failed to initialize Datasystem client: %s",
                  connector->text);
    }
    drop_client(connector);
    connector->created(connector->created_arg, NULL, connector->text);
    free_connector(connector);
}

/* ---- the end ------------------------------------------------------------------------------- */

void omni_close(struct omni_connector *connector)
{
    if (connector->client == NULL || !connector->is_constructed) {
        return;
    }
    drop_client(connector);
    omni__log(connector, OMNI_LOG_INFO, "%s is closed", omni_model_name(connector->model));
}

/* The client ends its calls while it is destroyed; they see that there is no client any more. */
static void drop_client(struct omni_connector *connector)
{
    void *client = connector->client;
    if (client == NULL) {
        return;
    }
    connector->client = NULL;
    connector->ops->destroy(client);
    omni__refuse_in_flight(connector);
}

void omni_connector_destroy(struct omni_connector *connector)
{
    if (connector == NULL) {
        return;
    }
    omni_close(connector);
    omni__deliver_all(connector);
    if (connector->is_destroyed != NULL) {
        *connector->is_destroyed = true;
    }
    free_connector(connector);
}

static void free_connector(struct omni_connector *connector)
{
    drop_client(connector);
    rt_task_cancel(&connector->deliver);
    rt_task_cancel(&connector->construct);
    omni__free_spare(connector);
    ds_discovery_cancel(connector->discovery);
    omni__options_fini(&connector->options);
    free(connector);
}

/* ---- looking at it ------------------------------------------------------------------------- */

const char *omni_model_name(enum omni_model model)
{
    static const char *const names[OMNI_MODEL_COUNT] = {
#define MODEL_NAME(name, word) word,
        OMNI_MODEL_LIST(MODEL_NAME)
#undef MODEL_NAME
    };
    return names[model];
}

void omni_cleanup(struct omni_connector *connector, struct rt_slice request_id)
{
    if (connector->client == NULL) {
        return;
    }
    omni__log(connector, OMNI_LOG_DEBUG, "%s cleanup of %.*s: nothing to do",
              omni_model_name(connector->model),
              (int)(request_id.len_bytes > 256 ? 256 : request_id.len_bytes),
              (const char *)request_id.data);
}

void omni_connector_metrics(const struct omni_connector *connector,
                            struct omni_metrics *out_metrics)
{
    *out_metrics = connector->metrics;
}

void omni_connector_health(const struct omni_connector *connector, struct omni_health *out_health)
{
    memset(out_health, 0, sizeof(*out_health));
    if (connector->client == NULL) {
        out_health->error = OMNI_CLOSED_TEXT;
        return;
    }
    out_health->is_healthy = true;
    out_health->host = connector->options.host;
    out_health->port = connector->options.port;
    out_health->metrics = connector->metrics;
}

void *omni_connector_client(struct omni_connector *connector)
{
    return connector->client;
}

void omni__log(const struct omni_connector *connector, enum omni_log_level level,
               const char *format, ...)
{
    char text[OMNI_TEXT_BYTES + 128];
    if (connector->environment.log == NULL) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    connector->environment.log(connector->environment.log_arg, level, text);
}
