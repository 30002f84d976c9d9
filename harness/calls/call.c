/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making calls and keeping what they bring.
 *
 *   scn_call_start --> start_<kind> --> ds_ or omni_ --later--> on_<kind> --> finish
 */
#include "harness/calls/call.h"

#include "harness/calls/etcd_call.h"

#include <stdlib.h>

#define KEYS_ON_STACK 64

typedef enum rt_status start_fn(struct scn_call *call);

static start_fn start_put, start_get, start_cleanup, start_health, start_close, start_construct,
    start_init, start_set, start_read, start_keys, start_mset;

static start_fn *const starters[SCN_STEP_COUNT] = {
    [SCN_STEP_PUT] = start_put,
    [SCN_STEP_GET] = start_get,
    [SCN_STEP_CLEANUP] = start_cleanup,
    [SCN_STEP_HEALTH] = start_health,
    [SCN_STEP_CLOSE] = start_close,
    [SCN_STEP_CONSTRUCT] = start_construct,
    [SCN_STEP_INIT] = start_init,
    [SCN_STEP_SET] = start_set,
    [SCN_STEP_READ] = start_read,
    [SCN_STEP_EXIST] = start_keys,
    [SCN_STEP_DELETE] = start_keys,
    [SCN_STEP_EXPIRE] = start_keys,
    [SCN_STEP_QUERY_SIZE] = start_keys,
    [SCN_STEP_MSET] = start_mset,
    [SCN_STEP_ETCD] = scn_etcd_call_start,
};

bool scn_is_call(enum scn_step_kind kind)
{
    return starters[kind] != NULL;
}

static void tell_step(const struct scn_call *call, const char *what);

/* ---- beginning and end ---- */

static struct rt_slice first_key(const struct scn_call *call)
{
    const struct scn_arguments *arguments = call->step == NULL ? NULL : &call->step->arguments;

    if (arguments == NULL) {
        return (struct rt_slice){0};
    }
    if (call->step->kind == SCN_STEP_ETCD) {
        return rt_slice_text(arguments->etcd.call);
    }
    if (arguments->key != NULL) {
        return rt_slice_text(arguments->key);
    }
    return arguments->keys.count == 0
               ? (struct rt_slice){0}
               : rt_slice_text(((const char *const *)arguments->keys.items)[0]);
}

static void journal_call(const struct scn_call *call, enum rt_record_kind kind)
{
    struct rt_record record = {
        .kind = kind,
        .actor = call->party->name,
        .subject = call->step != NULL          ? scn_step_word((enum scn_step_kind)call->step->kind)
                   : call->party->is_connector ? "construct"
                                               : "init",
        .key = first_key(call),
        .id = call->id,
    };

    if (kind == RT_REC_CALL_DONE) {
        record.code = call->status.code;
        record.number = call->took_us;
        record.detail = call->status.code == K_OK ? "" : call->status.text;
    }
    rt_journal_append(call->world->journal, &record);
}

static struct scn_call *create(struct scn_party *party, const struct scn_step *step, uint64_t id)
{
    struct scn_call *call = calloc(1, sizeof(*call));

    if (call != NULL) {
        call->world = party->world;
        call->step = step;
        call->party = party;
        call->id = id;
        call->status.text = "";
        call->started_us = rt_loop_now_us(party->world->loop);
    }
    return call;
}

static enum rt_status start(struct scn_call *call, start_fn *starter, struct scn_call **out_call)
{
    journal_call(call, RT_REC_CALL_STARTED);
    tell_step(call, "started");
    enum rt_status status = starter(call);
    if (status != RT_OK) {
        scn_call_destroy(call);
        return status;
    }
    *out_call = call;
    return RT_OK;
}

enum rt_status scn_call_start(struct scn_world *world, const struct scn_step *step, uint64_t id,
                              struct scn_call **out_call)
{
    const char *name =
        step->arguments.connector != NULL ? step->arguments.connector : step->arguments.client;
    struct scn_party *party =
        step->kind == SCN_STEP_ETCD ? &world->etcd_caller : scn_world_party(world, name);
    struct scn_call *call = party == NULL ? NULL : create(party, step, id);

    *out_call = NULL;
    if (party != NULL && party->is_connector && party->connector == NULL &&
        step->kind != SCN_STEP_CONSTRUCT) {
        (void)snprintf(world->problem, sizeof(world->problem), "connector %s was never constructed",
                       name);
        scn_call_destroy(call);
        return RT_E_INVALID;
    }
    return call == NULL ? RT_E_NOMEM : start(call, starters[step->kind], out_call);
}

enum rt_status scn_call_open(struct scn_party *party, uint64_t id, struct scn_call **out_call)
{
    struct scn_call *call = create(party, NULL, id);

    *out_call = NULL;
    return call == NULL ? RT_E_NOMEM
                        : start(call, party->is_connector ? start_construct : start_init, out_call);
}

static void keep_status(struct scn_call *call, const struct ds_status *status)
{
    call->status = *status;
    free(call->text);
    call->text = strdup(status->text == NULL ? "" : status->text);
    call->status.text = call->text == NULL ? "" : call->text;
}

/* "step.<id>.started" or ".done"; steps without an id have no events. */
static void tell_step(const struct scn_call *call, const char *what)
{
    char name[256];

    if (call->step != NULL && call->step->id != NULL) {
        (void)snprintf(name, sizeof(name), "step.%s.%s", call->step->id, what);
        scn_world_event(call->world, name);
    }
}

/* The only place where a call ends. */
static void finish(struct scn_call *call)
{
    call->took_us = rt_loop_now_us(call->world->loop) - call->started_us;
    call->done_count++;
    journal_call(call, RT_REC_CALL_DONE);
    if (!call->world->is_stopping) {
        tell_step(call, "done");
    }
}

void scn_call_finish_etcd(struct scn_call *call, int32_t code, const char *text)
{
    keep_status(call, &(struct ds_status){.code = code, .text = text});
    call->is_ok = code == GRPC_OK;
    finish(call);
}

void scn_call_destroy(struct scn_call *call)
{
    if (call == NULL) {
        return;
    }
    for (size_t i = 0; i < call->value_count; i++) {
        rt_blob_release(call->values[i].blob);
    }
    for (size_t i = 0; i < call->failed_count; i++) {
        free(call->failed[i]);
    }
    scn_etcd_call_destroy(call->etcd);
    omni_arena_destroy(call->arena);
    free(call->values);
    free(call->failed);
    free(call->exists);
    free(call->sizes);
    free(call->text);
    free(call);
}

/* ---- connectors ---- */

static void on_put(void *arg, const struct omni_put_result *result)
{
    struct scn_call *call = arg;

    call->is_ok = result->is_success;
    call->size_bytes = result->size_bytes;
    call->cause = result->cause;
    keep_status(call, &result->status);
    finish(call);
}

/* Deadlines count from the start of the step. */
static struct omni_call_options options_of(struct scn_call *call)
{
    const struct scn_arguments *arguments = &call->step->arguments;

    return (struct omni_call_options){.has_deadline = arguments->deadline_node != NULL,
                                      .deadline_us = call->started_us + arguments->deadline_us,
                                      .handle = &call->handle};
}

static enum rt_status start_put(struct scn_call *call)
{
    const struct scn_arguments *arguments = &call->step->arguments;
    const struct omni_value *data = scn_payload_value(call->world->payloads, arguments->data);

    if (data == NULL) {
        return RT_E_NOMEM;
    }
    const struct omni_call_options options = options_of(call);
    return omni_put_with(call->party->connector, call->party->spec->from_stage,
                         call->party->spec->to_stage, rt_slice_text(arguments->key), data, &options,
                         on_put, call);
}

static void keep_one(struct scn_call *call, struct rt_blob *blob)
{
    call->values = calloc(1, sizeof(*call->values));
    if (call->values != NULL) {
        call->value_count = 1;
        call->values[0].is_present = true;
        call->values[0].blob = rt_blob_retain(blob);
    }
}

static void on_get(void *arg, const struct omni_get_result *result)
{
    struct scn_call *call = arg;

    call->is_ok = result->data != NULL;
    call->size_bytes = result->size_bytes;
    call->cause = result->cause;
    keep_status(call, &result->status);
    if (result->payload != NULL) {
        keep_one(call, result->payload);
    }
    if (result->data != NULL && call->arena == NULL) {
        call->data = result->data;
        call->arena = result->arena;
        *result->is_arena_kept = true;
    }
    finish(call);
}

static void on_constructed(void *arg, struct omni_connector *connector, const char *text)
{
    struct scn_call *call = arg;
    struct ds_status status = {.code = connector == NULL ? K_UNKNOWN_ERROR : K_OK,
                               .text = connector == NULL ? text : ""};

    call->party->pending = NULL;
    call->party->connector = connector;
    call->is_ok = connector != NULL;
    keep_status(call, &status);
    finish(call);
}

static void on_log(void *arg, enum omni_log_level level, const char *text)
{
    struct scn_party *party = arg;
    static const char *const words[] = {"debug", "info", "error"};
    struct rt_record record = {
        .kind = RT_REC_NOTE, .actor = party->name, .subject = words[level], .detail = text};

    rt_journal_append(party->world->journal, &record);
}

/* One option as a configuration file means it: plain scalars have types, quoted ones are text. */
static struct omni_value *option_value(struct omni_arena *arena, const struct doc_node *node)
{
    int64_t integer = 0;
    char *end = NULL;

    if (node->kind != DOC_KIND_SCALAR || node->style != DOC_STYLE_PLAIN) {
        return omni_text(arena, doc_text(node));
    }
    if (doc_parse_integer(doc_text(node), &integer, NULL) == RT_OK) {
        return omni_int(arena, integer);
    }
    if (doc_is_text(node, "true") || doc_is_text(node, "false")) {
        return omni_bool(arena, doc_is_text(node, "true"));
    }
    if (doc_is_text(node, "null") || doc_is_text(node, "~") || node->text_len_bytes == 0) {
        return omni_nil(arena);
    }
    double number = strtod(node->text, &end);
    return *end == '\0' ? omni_float(arena, number) : omni_text(arena, doc_text(node));
}

static struct omni_value *connector_options(struct scn_party *party, struct omni_arena *arena)
{
    const struct doc_node *extra = party->spec->extra;
    size_t given = extra == NULL ? 0 : extra->count;
    struct omni_pair *pairs = omni_arena_alloc(arena, sizeof(*pairs) * (given + 6));
    size_t count = 0;

    if (pairs == NULL) {
        return NULL;
    }
    if (party->spec->discover == NULL && doc_find(extra, "host") == NULL) {
        pairs[count].key = omni_text(arena, rt_slice_text("host"));
        pairs[count++].value = omni_text(arena, rt_slice_text(party->host));
    }
    if (party->spec->discover == NULL && doc_find(extra, "port") == NULL) {
        pairs[count].key = omni_text(arena, rt_slice_text("port"));
        pairs[count++].value = omni_int(arena, party->port);
    }
    if (party->spec->discover != NULL) {
        pairs[count].key = omni_text(arena, rt_slice_text("etcd_address"));
        pairs[count++].value =
            omni_text(arena, rt_slice_text(fakeetcd_server_address(
                                 scn_world_etcd(party->world, party->spec->discover)->fake)));
    }
    if (party->spec->sub_timeout_node != NULL) {
        pairs[count].key = omni_text(arena, rt_slice_text("get_sub_timeout_ms"));
        pairs[count++].value = omni_int(arena, (int64_t)(party->spec->sub_timeout_us / 1000));
    }
    if (party->spec->poll_tries_node != NULL) {
        pairs[count].key = omni_text(arena, rt_slice_text("poll_tries"));
        pairs[count++].value = omni_int(arena, party->spec->poll_tries);
    }
    if (party->spec->poll_interval_node != NULL) {
        pairs[count].key = omni_text(arena, rt_slice_text("poll_interval_ms"));
        pairs[count++].value = omni_int(arena, (int64_t)(party->spec->poll_interval_us / 1000));
    }
    for (size_t i = 0; i < given; i++) {
        pairs[count].key = omni_text(arena, doc_text(extra->pairs[i].key));
        pairs[count++].value = option_value(arena, extra->pairs[i].value);
    }
    return omni_map(arena, pairs, count);
}

static enum rt_status start_construct(struct scn_call *call)
{
    struct scn_party *party = call->party;
    struct omni_environment environment = {.ds = {.loop = call->world->loop,
                                                  .network = call->world->network,
                                                  .journal = call->world->journal,
                                                  .seed = call->world->seed,
                                                  .name = party->name},
                                           .log = on_log,
                                           .log_arg = party};
    struct omni_arena *arena = omni_arena_create();
    struct omni_connector_config config = {.model = (enum omni_model)party->spec->model,
                                           .binding = &party->binding};
    enum rt_status status = RT_E_NOMEM;

    scn_binding_init(party);
    if (arena != NULL) {
        config.extra = connector_options(party, arena);
        status = omni_connector_begin(&environment, &config, on_constructed, call, &party->pending);
    }
    omni_arena_destroy(arena);
    return status;
}

static enum rt_status start_cleanup(struct scn_call *call)
{
    omni_cleanup(call->party->connector, first_key(call));
    call->is_ok = true;
    finish(call);
    return RT_OK;
}

/* ---- clients ---- */

static void keep_values(struct scn_call *call, const struct ds_result *result)
{
    call->values = calloc(result->value_count + 1, sizeof(*call->values));
    for (size_t i = 0; call->values != NULL && i < result->value_count; i++) {
        const struct ds_value *value = &result->values[i];
        call->values[i].is_present = value->is_present;
        if (value->is_present) {
            call->values[i].blob =
                value->blob != NULL ? rt_blob_retain(value->blob) : rt_blob_copy(value->bytes);
        }
        call->value_count++;
    }
}

static void keep_lists(struct scn_call *call, const struct ds_result *result)
{
    call->exists = calloc(result->exist_count + 1, sizeof(*call->exists));
    call->sizes = calloc(result->size_count + 1, sizeof(*call->sizes));
    call->failed = calloc(result->failed_key_count + 1, sizeof(*call->failed));
    if (call->exists == NULL || call->sizes == NULL || call->failed == NULL) {
        return;
    }
    for (size_t i = 0; i < result->exist_count; i++) {
        call->exists[call->exist_count++] = result->exists[i];
    }
    for (size_t i = 0; i < result->size_count; i++) {
        call->sizes[call->size_count++] = result->sizes[i];
    }
    for (size_t i = 0; i < result->failed_key_count; i++) {
        call->failed[call->failed_count++] =
            strndup((const char *)result->failed_keys[i].data, result->failed_keys[i].len_bytes);
    }
}

static void on_client_done(void *arg, const struct ds_result *result)
{
    struct scn_call *call = arg;

    call->is_ok = result->status.code == K_OK;
    call->cause = ds_cause_of(result->status.code, result->status.detail);
    call->has_attempts = true;
    call->attempt_count = result->attempt_count;
    keep_status(call, &result->status);
    if (call->done_count == 0) {
        keep_values(call, result);
        keep_lists(call, result);
    }
    finish(call);
}

/* Keys of the step as slices; freed by the caller unless they fit `few`. */
static struct rt_slice *slices_of(const struct doc_list *keys, struct rt_slice *few)
{
    const char *const *texts = keys->items;
    struct rt_slice *slices =
        keys->count <= KEYS_ON_STACK ? few : calloc(keys->count, sizeof(*slices));

    for (size_t i = 0; slices != NULL && i < keys->count; i++) {
        slices[i] = rt_slice_text(texts[i]);
    }
    return slices;
}

static enum rt_status start_connector_get(struct scn_call *call)
{
    const struct omni_call_options options = options_of(call);
    const char *refusal = omni_no_deadline_text((enum omni_model)call->party->spec->model);

    if (refusal != NULL && options.has_deadline) { /* as its base class raises it */
        keep_status(call, &(struct ds_status){.code = K_NOT_SUPPORTED, .text = refusal});
        finish(call);
        return RT_OK;
    }
    return omni_get_with(call->party->connector, call->party->spec->from_stage,
                         call->party->spec->to_stage, rt_slice_text(call->step->arguments.key),
                         &options, on_get, call);
}

static enum rt_status start_get(struct scn_call *call)
{
    const struct scn_arguments *arguments = &call->step->arguments;
    struct rt_slice few[KEYS_ON_STACK];

    if (call->party->is_connector) {
        return start_connector_get(call);
    }
    struct rt_slice *keys = slices_of(&arguments->keys, few);
    if (keys == NULL) {
        return RT_E_NOMEM;
    }
    enum rt_status status =
        ds_get(call->party->client, keys, arguments->keys.count,
               (int64_t)(arguments->sub_timeout_us / 1000), on_client_done, call);
    if (keys != few) {
        free(keys);
    }
    return status;
}

static enum rt_status start_keys(struct scn_call *call)
{
    const struct scn_arguments *arguments = &call->step->arguments;
    struct ds_client *client = call->party->client;
    size_t count = arguments->keys.count;
    struct rt_slice few[KEYS_ON_STACK];
    struct rt_slice *keys = slices_of(&arguments->keys, few);
    enum rt_status status;

    if (keys == NULL) {
        return RT_E_NOMEM;
    }
    switch (call->step->kind) {
    case SCN_STEP_EXIST:
        status = ds_exist(client, keys, count, on_client_done, call);
        break;
    case SCN_STEP_DELETE:
        status = ds_delete(client, keys, count, on_client_done, call);
        break;
    case SCN_STEP_EXPIRE:
        status = ds_expire(client, keys, count, (uint32_t)(arguments->ttl_us / 1000000),
                           on_client_done, call);
        break;
    default:
        status = ds_query_size(client, keys, count, on_client_done, call);
        break;
    }
    if (keys != few) {
        free(keys);
    }
    return status;
}

static enum rt_status start_set(struct scn_call *call)
{
    const struct scn_arguments *arguments = &call->step->arguments;
    struct rt_blob *blob = scn_payload_raw(call->world->payloads, arguments->data);
    struct ds_set_options options = {.write_mode = (enum ds_write_mode)arguments->mode,
                                     .ttl_s = (uint32_t)(arguments->ttl_us / 1000000),
                                     .only_if_absent = arguments->is_only_if_absent};

    if (blob == NULL) {
        return RT_E_NOMEM;
    }
    struct dsrpc_piece piece = {.blob = blob, .bytes = rt_blob_slice(blob)};
    struct dsrpc_value value = {
        .pieces = &piece, .piece_count = 1, .total_bytes = piece.bytes.len_bytes};
    return ds_set(call->party->client, rt_slice_text(arguments->key), &value, &options,
                  on_client_done, call);
}

static enum rt_status start_read(struct scn_call *call)
{
    const struct doc_list *list = &call->step->arguments.parts;
    const struct scn_read_part *parts = list->items;
    struct ds_read *reads = calloc(list->count + 1, sizeof(*reads));

    if (reads == NULL) {
        return RT_E_NOMEM;
    }
    for (size_t i = 0; i < list->count; i++) {
        reads[i].key = rt_slice_text(parts[i].key);
        reads[i].offset_bytes = parts[i].offset_bytes;
        reads[i].size_bytes = parts[i].size_bytes;
    }
    enum rt_status status = ds_read(call->party->client, reads, list->count, on_client_done, call);
    free(reads);
    return status;
}

static enum rt_status start_mset(struct scn_call *call)
{
    const struct scn_arguments *arguments = &call->step->arguments;
    const struct scn_mset_entry *entries = arguments->entries.items;
    size_t count = arguments->entries.count;
    struct ds_mset_options options = {.set = {.write_mode = (enum ds_write_mode)arguments->mode,
                                              .ttl_s = (uint32_t)(arguments->ttl_us / 1000000),
                                              .only_if_absent = arguments->is_only_if_absent},
                                      .is_transaction = arguments->is_transaction};
    struct rt_slice *keys = calloc(count + 1, sizeof(*keys));
    struct dsrpc_value *values = calloc(count + 1, sizeof(*values));
    struct dsrpc_piece *pieces = calloc(count + 1, sizeof(*pieces));
    enum rt_status status = keys == NULL || values == NULL || pieces == NULL ? RT_E_NOMEM : RT_OK;

    for (size_t i = 0; status == RT_OK && i < count; i++) {
        struct rt_blob *blob = scn_payload_raw(call->world->payloads, entries[i].data);
        if (blob == NULL) {
            status = RT_E_NOMEM;
            break;
        }
        pieces[i] = (struct dsrpc_piece){.blob = blob, .bytes = rt_blob_slice(blob)};
        values[i] = (struct dsrpc_value){
            .pieces = &pieces[i], .piece_count = 1, .total_bytes = pieces[i].bytes.len_bytes};
        keys[i] = rt_slice_text(entries[i].key);
    }
    if (status == RT_OK) {
        status = ds_mset(call->party->client, keys, values, count, &options, on_client_done, call);
    }
    free(keys);
    free(values);
    free(pieces);
    return status;
}

static enum rt_status start_init(struct scn_call *call)
{
    return ds_client_init(call->party->client, on_client_done, call);
}

static enum rt_status start_close(struct scn_call *call)
{
    if (!call->party->is_connector) {
        return ds_client_close(call->party->client, on_client_done, call);
    }
    omni_close(call->party->connector);
    call->is_ok = true;
    finish(call);
    return RT_OK;
}

static enum rt_status start_health(struct scn_call *call)
{
    struct omni_health health;

    if (!call->party->is_connector) {
        return ds_health(call->party->client, on_client_done, call);
    }
    omni_connector_health(call->party->connector, &health);
    call->is_healthy = health.is_healthy;
    call->is_ok = health.is_healthy;
    keep_status(call, &(struct ds_status){.code = health.is_healthy ? K_OK : K_NOT_READY,
                                          .text = health.error == NULL ? "" : health.error});
    finish(call);
    return RT_OK;
}
