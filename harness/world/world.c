/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Building a world, in this order: loop, network, journal, faults, workers, parties. Taking it
 * down in the opposite order; what is left after that is a finding of the laws.
 */
#include "harness/world/world.h"

#include "fakeetcd/request/call.h"

#include <stdlib.h>

#define JOURNAL_RING 64

static enum rt_status create_base(struct scn_world *world);
static enum rt_status create_faults(struct scn_world *world);
static enum rt_status create_workers(struct scn_world *world);
static enum rt_status create_parties(struct scn_world *world);
static void on_process_fault(void *arg, const char *names, const struct fault_action *action);

enum rt_status scn_world_create(const struct scn_scenario *scenario,
                                const struct scn_world_options *options, struct scn_world *world)
{
    enum rt_status status;

    memset(world, 0, sizeof(*world));
    world->scenario = scenario;
    world->mode = options->mode;
    world->seed = options->seed;
    world->is_without_faults = options->is_without_faults;
    world->recorder = options->recorder;
    world->etcd_caller = (struct scn_party){.world = world, .name = "etcdctl"};
    status = create_base(world);
    if (status == RT_OK) {
        status = create_faults(world);
    }
    if (status == RT_OK) {
        status = scn_world_create_etcds(world);
    }
    if (status == RT_OK) {
        status = create_workers(world);
    }
    if (status == RT_OK) {
        status = create_parties(world);
    }
    if (status != RT_OK && world->problem[0] == '\0') {
        (void)snprintf(world->problem, sizeof(world->problem), "%s", rt_status_text(status));
    }
    world->start_us = world->loop == NULL ? 0 : rt_loop_now_us(world->loop);
    return status;
}

static enum rt_status create_base(struct scn_world *world)
{
    enum rt_status status = rt_loop_create(world->mode, &world->loop);

    if (status != RT_OK) {
        return status;
    }
    status = rt_network_create(world->loop, &world->network);
    if (status != RT_OK) {
        return status;
    }
    if (world->mode == RT_LOOP_SIMULATED) {
        rt_network_set_latency(world->network, world->scenario->world.latency_us);
    }
    status = rt_journal_create(world->loop, JOURNAL_RING, &world->journal);
    if (status != RT_OK) {
        return status;
    }
    world->payloads = scn_payloads_create();
    if (world->payloads == NULL) {
        return RT_E_NOMEM;
    }
    return rt_journal_attach(world->journal, scn_recorder_sink, world->recorder);
}

static enum rt_status create_faults(struct scn_world *world)
{
    enum rt_status status =
        fault_engine_create(world->loop, world->journal, world->seed, &world->faults);

    if (status != RT_OK) {
        return status;
    }
    status = fault_engine_register(world->faults, &fakeds_fault_domain);
    if (status != RT_OK) {
        return status;
    }
    status = fault_engine_register(world->faults, &fakeetcd_fault_domain);
    if (status != RT_OK) {
        return status;
    }
    status = fault_engine_register(world->faults, &fault_binding_domain);
    if (status != RT_OK || world->scenario->faults == NULL || world->is_without_faults) {
        return status;
    }
    fault_engine_set_process_handler(world->faults, on_process_fault, world);
    struct doc_reader reader = {.doc = world->scenario->doc, .errors = doc_error_list_create()};
    status = reader.errors == NULL
                 ? RT_E_NOMEM
                 : fault_rules_load(world->faults, NULL, 0, &reader, world->scenario->faults);
    doc_error_list_destroy(reader.errors);
    return status;
}

static void strike_worker(struct scn_world *world, const struct scn_worker *worker,
                          const struct fault_action *action)
{
    fakeds_worker_kill(worker->fake);
    if (action->kind == FAULT_RESTART &&
        fakeds_worker_start(worker->fake, action->is_state_kept, action->duration_us) != RT_OK) {
        (void)snprintf(world->problem, sizeof(world->problem), "%s could not start again",
                       worker->spec->name.text);
    }
}

/* A process fault fires from an event, not from a request; it strikes all that it names. */
static void on_process_fault(void *arg, const char *names, const struct fault_action *action)
{
    struct scn_world *world = arg;

    for (size_t i = 0; action->point == FAULT_AT_ETCD && i < world->etcd_count; i++) {
        if (fault_process_means(names, world->etcds[i].spec->name.text)) {
            fakeetcd_server_process(world->etcds[i].fake, action);
        }
    }
    for (size_t i = 0; action->point == FAULT_AT_WORKER && i < world->worker_count; i++) {
        if (fault_process_means(names, world->workers[i].spec->name.text)) {
            strike_worker(world, &world->workers[i], action);
        }
    }
}

static void worker_address(const struct scn_world *world, size_t index, char *out_text,
                           size_t text_bytes)
{
    if (world->mode == RT_LOOP_SIMULATED) {
        (void)snprintf(out_text, text_bytes, "10.0.1.%zu:31501", index + 1);
    } else {
        (void)snprintf(out_text, text_bytes, "127.0.0.1:0");
    }
}

static void set_etcd(struct scn_world *world, const struct scn_worker_spec *spec,
                     struct fakeds_options *options)
{
    if (spec->etcd == NULL) {
        return;
    }
    options->etcd.address = fakeetcd_server_address(scn_world_etcd(world, spec->etcd)->fake);
    options->etcd.host_id = spec->host_id;
    options->etcd.username = spec->etcd_user;
    options->etcd.password = spec->etcd_password;
    options->etcd.is_exit_lossless = spec->is_exit_lossless;
    if (spec->node_timeout_us > 0) {
        options->etcd.node_timeout_s = spec->node_timeout_us / 1000000;
    }
    if (spec->node_dead_timeout_us > 0) {
        options->etcd.node_dead_timeout_s = spec->node_dead_timeout_us / 1000000;
    }
}

static enum rt_status create_workers(struct scn_world *world)
{
    const struct scn_worker_spec *specs = world->scenario->world.workers.items;
    size_t count = world->scenario->world.workers.count;

    world->workers = calloc(count, sizeof(*world->workers));
    if (world->workers == NULL) {
        return RT_E_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        char address[64];
        struct fakeds_environment environment = {.loop = world->loop,
                                                 .network = world->network,
                                                 .journal = world->journal,
                                                 .faults = world->faults,
                                                 .seed = world->seed};
        struct fakeds_options options;

        worker_address(world, i, address, sizeof(address));
        fakeds_options_init(&options);
        options.name = specs[i].name.text;
        options.address = address;
        options.shared_memory_bytes = specs[i].memory_bytes;
        options.client_dead_timeout_s = specs[i].client_dead_timeout_us / 1000000;
        options.client_reconnect_wait_s = specs[i].client_reconnect_wait_us / 1000000;
        options.not_ready_us = specs[i].not_ready_us;
        set_etcd(world, &specs[i], &options);
        world->workers[i].spec = &specs[i];
        world->workers[i].world = world;
        enum rt_status status =
            fakeds_worker_create(&environment, &options, &world->workers[i].fake);
        if (status != RT_OK) {
            (void)snprintf(world->problem, sizeof(world->problem), "%s cannot listen at %s: %s",
                           options.name, address, rt_status_text(status));
            return status;
        }
        world->worker_count++;
        if (specs[i].is_down) {
            fakeds_worker_kill(world->workers[i].fake);
        }
    }
    return RT_OK;
}

/* ---- parties ---- */

static void ignore_stream(void *arg, struct rt_stream *stream)
{
    (void)arg;
    rt_stream_destroy(stream);
}

/* A port that was free a moment ago. */
static enum rt_status nobody_address(struct scn_world *world, char *out_text, size_t text_bytes)
{
    struct rt_listener *listener = NULL;

    if (world->mode == RT_LOOP_SIMULATED) {
        (void)snprintf(out_text, text_bytes, "10.0.9.9:31501");
        return RT_OK;
    }
    enum rt_status status =
        rt_network_listen(world->network, "127.0.0.1:0", ignore_stream, NULL, &listener);
    if (status == RT_OK) {
        (void)snprintf(out_text, text_bytes, "%s", rt_listener_address(listener));
        rt_listener_destroy(listener);
    }
    return status;
}

static enum rt_status set_address(struct scn_world *world, struct scn_party *party)
{
    char address[64];
    const char *worker = party->spec->worker;

    if (worker != NULL && strcmp(worker, "nobody") == 0) {
        enum rt_status status = nobody_address(world, address, sizeof(address));
        if (status != RT_OK) {
            return status;
        }
    } else {
        const struct scn_worker *found =
            worker == NULL ? &world->workers[0] : scn_world_worker(world, worker);
        (void)snprintf(address, sizeof(address), "%s", fakeds_worker_address(found->fake));
    }
    char *colon = strrchr(address, ':');
    *colon = '\0';
    (void)snprintf(party->host, sizeof(party->host), "%s", address);
    party->port = strtol(colon + 1, NULL, 10);
    return RT_OK;
}

static enum rt_status create_client(struct scn_world *world, struct scn_party *party)
{
    struct ds_environment environment = {.loop = world->loop,
                                         .network = world->network,
                                         .journal = world->journal,
                                         .seed = world->seed,
                                         .name = party->name};
    struct ds_options options;

    ds_options_init(&options);
    options.host = party->host;
    options.port = party->port;
    if (party->spec->connect_timeout_us > 0) {
        options.connect_timeout_ms = (int64_t)(party->spec->connect_timeout_us / 1000);
    }
    options.request_timeout_ms = (int64_t)(party->spec->request_timeout_us / 1000);
    return ds_client_create(&environment, &options, &party->client);
}

static enum rt_status create_parties(struct scn_world *world)
{
    const struct scn_world_spec *spec = &world->scenario->world;
    const struct scn_party_spec *connectors = spec->connectors.items;
    const struct scn_party_spec *clients = spec->clients.items;
    size_t count = spec->connectors.count + spec->clients.count;

    world->parties = calloc(count + 1, sizeof(*world->parties));
    if (world->parties == NULL) {
        return RT_E_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        struct scn_party *party = &world->parties[i];
        party->world = world;
        party->is_connector = i < spec->connectors.count;
        party->spec = party->is_connector ? &connectors[i] : &clients[i - spec->connectors.count];
        party->name = party->spec->name.text;
        world->party_count++;
        enum rt_status status = set_address(world, party);
        if (status == RT_OK && !party->is_connector) {
            status = create_client(world, party);
        }
        if (status != RT_OK) {
            return status;
        }
    }
    return RT_OK;
}

void scn_party_refresh(struct scn_party *party)
{
    struct ds_client *client = party->is_connector ? party->inner : party->client;

    for (int op = 0; client != NULL && op < DSRPC_OP_COUNT; op++) {
        ds_client_rpc_counts(client, (enum dsrpc_op)op, &party->counts[op]);
    }
    if (party->connector != NULL) {
        omni_connector_metrics(party->connector, &party->metrics);
    }
}

/* ---- the end ---- */

void scn_world_stop(struct scn_world *world)
{
    world->is_stopping = true;
    for (size_t i = 0; i < world->party_count; i++) {
        struct scn_party *party = &world->parties[i];
        scn_party_refresh(party);
        omni_connector_destroy(party->pending);
        omni_connector_destroy(party->connector);
        ds_client_destroy(party->client);
        party->pending = NULL;
        party->connector = NULL;
        party->client = NULL;
        party->inner = NULL;
    }
    scn_world_close_etcd_links(world);
    for (size_t i = 0; i < world->worker_count; i++) {
        fakeds_worker_destroy(world->workers[i].fake);
    }
    world->worker_count = 0;
    scn_world_destroy_etcds(world);
}

void scn_world_destroy(struct scn_world *world)
{
    scn_world_stop(world);
    fault_engine_destroy(world->faults);
    scn_payloads_destroy(world->payloads);
    rt_journal_destroy(world->journal);
    if (world->network != NULL) {
        rt_network_destroy(world->network);
    }
    if (world->loop != NULL) {
        rt_loop_destroy(world->loop);
    }
    free(world->parties);
    free(world->workers);
    memset(world, 0, sizeof(*world));
}

/* ---- looking around ---- */

static void on_left(void *arg)
{
    struct scn_worker *worker = arg;
    char event[160];

    (void)snprintf(event, sizeof(event), "%s.left", worker->spec->name.text);
    fakeds_worker_kill(worker->fake);
    scn_world_event(worker->world, event);
}

void scn_world_leave(struct scn_worker *worker)
{
    if (fakeds_worker_is_running(worker->fake)) {
        fakeds_worker_leave(worker->fake, on_left, worker);
    }
}

struct scn_worker *scn_world_worker(struct scn_world *world, const char *name)
{
    for (size_t i = 0; i < world->worker_count; i++) {
        if (strcmp(world->workers[i].spec->name.text, name) == 0) {
            return &world->workers[i];
        }
    }
    return NULL;
}

struct scn_party *scn_world_party(struct scn_world *world, const char *name)
{
    for (size_t i = 0; i < world->party_count; i++) {
        if (strcmp(world->parties[i].name, name) == 0) {
            return &world->parties[i];
        }
    }
    return NULL;
}

uint64_t scn_world_now_us(const struct scn_world *world)
{
    return rt_loop_now_us(world->loop) - world->start_us;
}

void scn_world_event(struct scn_world *world, const char *name)
{
    struct rt_record record = {.kind = RT_REC_EVENT, .actor = "scenario", .subject = name};

    rt_journal_append(world->journal, &record);
    fault_event(world->faults, name);
}
