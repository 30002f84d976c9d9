/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scenario language as tables: the reader, the checker's words, the reference page and the
 * JSON Schema all come from here.
 */
#include "harness/language/scenario_schema.h"

#include "connector/omni_connector.h"
#include "wire/dsrpc/dsrpc.h"

/* ---- world ---- */

#define WORKER(member) .offset = offsetof(struct scn_worker_spec, member)

static const struct doc_field worker_fields[] = {
    {.key = "memory",
     .kind = DOC_FIELD_SIZE,
     WORKER(memory_bytes),
     .preset = "1GiB",
     .help = "shared memory of the worker"},
    {.key = "client_dead_timeout",
     .kind = DOC_FIELD_DURATION,
     WORKER(client_dead_timeout_us),
     .preset = "60s",
     .help = "after this long without a heartbeat a client calls the worker lost"},
    {.key = "client_reconnect_wait",
     .kind = DOC_FIELD_DURATION,
     WORKER(client_reconnect_wait_us),
     .preset = "5s",
     .help = "a fifth of it is the interval of heartbeats"},
    {.key = "not_ready",
     .kind = DOC_FIELD_DURATION,
     WORKER(not_ready_us),
     .preset = "0s",
     .help = "after its start the worker answers Not ready for this long"},
    {.key = "etcd",
     .kind = DOC_FIELD_TEXT,
     WORKER(etcd),
     .node_at = DOC_NODE_AT(struct scn_worker_spec, etcd_node),
     .preset = "none: a worker by itself",
     .help = "the etcd in which it registers and finds the others"},
    {.key = "host_id",
     .kind = DOC_FIELD_TEXT,
     WORKER(host_id),
     .node_at = DOC_NODE_AT(struct scn_worker_spec, host_id_node),
     .help = "third field of its membership value"},
    {.key = "etcd_user",
     .kind = DOC_FIELD_TEXT,
     WORKER(etcd_user),
     .node_at = DOC_NODE_AT(struct scn_worker_spec, etcd_user_node),
     .help = "as whom it logs in there"},
    {.key = "etcd_password",
     .kind = DOC_FIELD_TEXT,
     WORKER(etcd_password),
     .node_at = DOC_NODE_AT(struct scn_worker_spec, etcd_password_node),
     .help = "likewise"},
    {.key = "node_timeout",
     .kind = DOC_FIELD_DURATION,
     WORKER(node_timeout_us),
     .node_at = DOC_NODE_AT(struct scn_worker_spec, node_timeout_node),
     .preset = "60s",
     .help = "time to live of its lease"},
    {.key = "node_dead_timeout",
     .kind = DOC_FIELD_DURATION,
     WORKER(node_dead_timeout_us),
     .node_at = DOC_NODE_AT(struct scn_worker_spec, node_dead_timeout_node),
     .preset = "300s",
     .help = "so long after that it is taken out of the ring"},
    {.key = "lossless_exit",
     .kind = DOC_FIELD_BOOL,
     WORKER(is_exit_lossless),
     .node_at = DOC_NODE_AT(struct scn_worker_spec, exit_lossless_node),
     .preset = "false",
     .help = "the step `leave` hands keys and values to other workers first"},
    {.key = "down",
     .kind = DOC_FIELD_BOOL,
     WORKER(is_down),
     .preset = "false",
     .help = "the worker is not running until a step starts it"},
};

static const struct doc_schema worker_schema = {
    .name = "worker",
    .help = "A fake Datasystem worker.",
    .fields = worker_fields,
    .fields_count = COUNT_OF(worker_fields),
};

#define PARTY(member) .offset = offsetof(struct scn_party_spec, member)

static const struct doc_word models[] = {
    {"yuanrong", OMNI_YUANRONG, "YuanrongConnector: one call of the client, the worker waits"},
    {"polling", OMNI_POLLING, "PollingConnector: looks again and again, the worker never waits"},
    {NULL, 0, NULL},
};

static const struct doc_field connector_fields[] = {
    {.key = "type",
     .kind = DOC_FIELD_WORD,
     .words = models,
     PARTY(model),
     .preset = "yuanrong",
     .help = "how its gets wait for a key"},
    {.key = "from",
     .kind = DOC_FIELD_TEXT,
     PARTY(from_stage),
     .preset = "\"0\"",
     .help = "the sending stage"},
    {.key = "to",
     .kind = DOC_FIELD_TEXT,
     PARTY(to_stage),
     .preset = "\"1\"",
     .help = "the receiving stage"},
    {.key = "worker",
     .kind = DOC_FIELD_TEXT,
     PARTY(worker),
     .node_at = DOC_NODE_AT(struct scn_party_spec, worker_node),
     .preset = "the first worker",
     .help = "the worker it talks to; `nobody` is a port where nobody listens"},
    {.key = "discover",
     .kind = DOC_FIELD_TEXT,
     PARTY(discover),
     .node_at = DOC_NODE_AT(struct scn_party_spec, discover_node),
     .help = "the etcd through which it finds a worker when it is constructed"},
    {.key = "get_sub_timeout",
     .kind = DOC_FIELD_DURATION,
     PARTY(sub_timeout_us),
     .node_at = DOC_NODE_AT(struct scn_party_spec, sub_timeout_node),
     .preset = "1s",
     .help = "how long a get waits for an absent key"},
    {.key = "poll_tries",
     .kind = DOC_FIELD_INTEGER,
     .min = 1,
     .max = INT32_MAX,
     PARTY(poll_tries),
     .node_at = DOC_NODE_AT(struct scn_party_spec, poll_tries_node),
     .preset = "20",
     .help = "polling: how often a get looks"},
    {.key = "poll_interval",
     .kind = DOC_FIELD_DURATION,
     PARTY(poll_interval_us),
     .node_at = DOC_NODE_AT(struct scn_party_spec, poll_interval_node),
     .preset = "50ms",
     .help = "polling: pause between two looks"},
    {.key = "connect_timeout",
     .kind = DOC_FIELD_DURATION,
     PARTY(connect_timeout_us),
     .preset = "60s",
     .help = "connect time-out of its client"},
    {.key = "request_timeout",
     .kind = DOC_FIELD_DURATION,
     PARTY(request_timeout_us),
     .preset = "as connect_timeout",
     .help = "budget of each call of its client"},
    {.key = "extra",
     .kind = DOC_FIELD_NODE,
     PARTY(extra),
     .help = "options as a configuration file gives them (get_sub_timeout_ms, host, port), "
             "unchecked here: the connector's own checks are under test"},
};

static const struct doc_schema connector_schema = {
    .name = "connector",
    .help = "A connector for one edge.",
    .fields = connector_fields,
    .fields_count = COUNT_OF(connector_fields),
};

static const struct doc_field client_fields[] = {
    {.key = "worker",
     .kind = DOC_FIELD_TEXT,
     PARTY(worker),
     .node_at = DOC_NODE_AT(struct scn_party_spec, worker_node),
     .preset = "the first worker",
     .help = "the worker it talks to; `nobody` is a port where nobody listens"},
    {.key = "connect_timeout",
     .kind = DOC_FIELD_DURATION,
     PARTY(connect_timeout_us),
     .preset = "60s",
     .help = "connect time-out"},
    {.key = "request_timeout",
     .kind = DOC_FIELD_DURATION,
     PARTY(request_timeout_us),
     .preset = "as connect_timeout",
     .help = "budget of each call"},
};

static const struct doc_schema client_schema = {
    .name = "client",
    .help = "A plain Datasystem client.",
    .fields = client_fields,
    .fields_count = COUNT_OF(client_fields),
};

static const struct doc_field worker_item = {.kind = DOC_FIELD_MAPPING, .schema = &worker_schema};
static const struct doc_field connector_item = {.kind = DOC_FIELD_MAPPING,
                                                .schema = &connector_schema};
static const struct doc_field etcd_item = {.kind = DOC_FIELD_MAPPING,
                                           .schema = &scn__etcd_server_schema};
static const struct doc_field client_item = {.kind = DOC_FIELD_MAPPING, .schema = &client_schema};

#define WORLD(member) .offset = offsetof(struct scn_world_spec, member)

static const struct doc_field world_fields[] = {
    {.key = "workers",
     .kind = DOC_FIELD_MAP,
     WORLD(workers),
     .item = &worker_item,
     .item_size_bytes = sizeof(struct scn_worker_spec),
     .preset = "{worker-1: {}}, none beside etcds alone",
     .help = "fake workers by name"},
    {.key = "etcd",
     .kind = DOC_FIELD_MAP,
     WORLD(etcds),
     .item = &etcd_item,
     .item_size_bytes = sizeof(struct scn_etcd_spec),
     .help = "fake etcds by name"},
    {.key = "connectors",
     .kind = DOC_FIELD_MAP,
     WORLD(connectors),
     .item = &connector_item,
     .item_size_bytes = sizeof(struct scn_party_spec),
     .help = "connectors by name; constructed at the start unless a step constructs them"},
    {.key = "clients",
     .kind = DOC_FIELD_MAP,
     WORLD(clients),
     .item = &client_item,
     .item_size_bytes = sizeof(struct scn_party_spec),
     .help = "Datasystem clients by name; initialised at the start unless a step does it"},
    {.key = "latency",
     .kind = DOC_FIELD_DURATION,
     WORLD(latency_us),
     .preset = "0s",
     .help = "one-way delay of the simulated network"},
};

static const struct doc_schema world_schema = {
    .name = "world",
    .help = "Who takes part.",
    .fields = world_fields,
    .fields_count = COUNT_OF(world_fields),
};

/* ---- expectations ---- */

static const struct doc_word detail_words[] = {
#define DETAIL_ROW(name, word, help) {word, name, help},
    DS_DETAIL_LIST(DETAIL_ROW)
#undef DETAIL_ROW
        {NULL, 0, NULL},
};

static const struct doc_word cause_words[] = {
#define CAUSE_ROW(name, word) {word, name, NULL},
    DS_CAUSE_LIST(CAUSE_ROW)
#undef CAUSE_ROW
        {"decode", DS_CAUSE_CODEC, "of a get: the bytes do not decode"},
    {"encode", DS_CAUSE_CODEC, "of a put: the data cannot be encoded"},
    {NULL, 0, NULL},
};

#define EXPECT(member)                                                                             \
    .offset = offsetof(struct scn_expect, member),                                                 \
    .node_at = DOC_NODE_AT(struct scn_expect, member##_node)
#define EXPECT_AS(member, node_member)                                                             \
    .offset = offsetof(struct scn_expect, member),                                                 \
    .node_at = DOC_NODE_AT(struct scn_expect, node_member)

static const struct doc_field bool_item = {.kind = DOC_FIELD_BOOL};
static const struct doc_field integer_item = {.kind = DOC_FIELD_INTEGER};

static const struct doc_field expect_fields[] = {
    {.key = "ok",
     .kind = DOC_FIELD_BOOL,
     EXPECT_AS(is_ok, ok_node),
     .help = "put: success; get: data came; client calls: status OK"},
    {.key = "status",
     .kind = DOC_FIELD_CUSTOM,
     EXPECT_AS(status_code, status_node),
     .read = scn__read_code,
     .shape = "K_NAME or number",
     .help = "how the client's call ended"},
    {.key = "detail",
     .kind = DOC_FIELD_WORD,
     EXPECT(detail),
     .words = detail_words,
     .help = "what made the status"},
    {.key = "cause",
     .kind = DOC_FIELD_WORD,
     EXPECT(cause),
     .words = cause_words,
     .help = "under which cause the connector counted it"},
    {.key = "text",
     .kind = DOC_FIELD_CUSTOM,
     EXPECT_AS(texts, text_node),
     .read = scn__read_texts,
     .shape = "text or list of texts",
     .help = "the message contains each of these"},
    {.key = "took",
     .kind = DOC_FIELD_RANGE,
     .unit = DOC_UNIT_DURATION,
     EXPECT(took),
     .help = "duration of the call; exact in sim, within 15 % or 50 ms on sockets"},
    {.key = "attempts",
     .kind = DOC_FIELD_RANGE,
     .unit = DOC_UNIT_NONE,
     EXPECT(attempts),
     .help = "requests of this call that went on the wire"},
    {.key = "size",
     .kind = DOC_FIELD_RANGE,
     .unit = DOC_UNIT_SIZE,
     EXPECT(size),
     .help = "serialized size that a put or get reports"},
    {.key = "data",
     .kind = DOC_FIELD_NODE,
     .node_at = DOC_NODE_AT(struct scn_expect, data_node),
     .offset = offsetof(struct scn_expect, data_node),
     .help = "what a get brings: a payload; for several keys a list of payloads and `absent`"},
    {.key = "empty",
     .kind = DOC_FIELD_BOOL,
     EXPECT_AS(is_empty, empty_node),
     .help = "get of a connector: nothing came, for whatever reason"},
    {.key = "exists",
     .kind = DOC_FIELD_LIST,
     EXPECT_AS(exists, exists_node),
     .item = &bool_item,
     .item_size_bytes = sizeof(bool),
     .help = "answer of exist, in key order"},
    {.key = "failed",
     .kind = DOC_FIELD_CUSTOM,
     EXPECT_AS(failed, failed_node),
     .read = scn__read_texts,
     .shape = "list of keys",
     .help = "failed keys of delete, expire, mset"},
    {.key = "sizes",
     .kind = DOC_FIELD_LIST,
     EXPECT_AS(sizes, sizes_node),
     .item = &integer_item,
     .item_size_bytes = sizeof(int64_t),
     .help = "answer of query-size; 0 is absent"},
    {.key = "healthy",
     .kind = DOC_FIELD_BOOL,
     EXPECT_AS(is_healthy, healthy_node),
     .help = "answer of a connector's health"},
    {.key = "code",
     .kind = DOC_FIELD_CUSTOM,
     EXPECT_AS(grpc_code, code_node),
     .read = scn__read_grpc_code,
     .shape = "NAME or number",
     .help = "etcd: the gRPC code, as UNAVAILABLE"},
    {.key = "reply",
     .kind = DOC_FIELD_NODE,
     .node_at = DOC_NODE_AT(struct scn_expect, reply_node),
     .offset = offsetof(struct scn_expect, reply_node),
     .help = "etcd: fields of the (first) reply; numbers may be ranges, texts patterns"},
};

const struct doc_schema scn__expect_schema = {
    .name = "expect",
    .help = "What a call must bring. Every line given must hold.",
    .fields = expect_fields,
    .fields_count = COUNT_OF(expect_fields),
};

static enum rt_status read_steps(struct doc_reader *reader, const struct doc_field *field,
                                 const struct doc_node *node, void *destination)
{
    (void)field;
    return scn__steps_read(reader, node, destination);
}

static const struct doc_field check_item = {.kind = DOC_FIELD_MAPPING,
                                            .schema = &scn__check_schema};

/* ---- the file ---- */

static const struct doc_word versions[] = {{"v1", 1, "the only version so far"}, {NULL, 0, NULL}};

static const struct doc_field skip_fields[] = {
    {.key = "sim",
     .kind = DOC_FIELD_TEXT,
     .offset = offsetof(struct scn_skip, sim),
     .help = "why it cannot run in the simulated world"},
    {.key = "sockets",
     .kind = DOC_FIELD_TEXT,
     .offset = offsetof(struct scn_skip, sockets),
     .help = "why it cannot run on sockets"},
};
SCHEMA(skip, "skip", "Worlds in which the scenario is skipped, each with the reason.");

#define FILE_FIELD(member) .offset = offsetof(struct scn_scenario, member)

/* Read before the rest, since it decides how often the rest is read. */
static const struct doc_field scenario_fields[] = {
    {.key = "scenario",
     .kind = DOC_FIELD_WORD,
     .words = versions,
     .is_required = true,
     .offset = offsetof(struct scn_scenario, version),
     .help = "version of the language; first line"},
    {.key = "name",
     .kind = DOC_FIELD_TEXT,
     FILE_FIELD(name),
     .is_required = true,
     .help = "the story in one sentence"},
    {.key = "bug",
     .kind = DOC_FIELD_TEXT,
     FILE_FIELD(bug),
     .help = "the field bug that the file reproduces"},
    {.key = "seen",
     .kind = DOC_FIELD_TEXT,
     FILE_FIELD(seen),
     .help = "where the behaviour was seen or is specified"},
    {.key = "about", .kind = DOC_FIELD_TEXT, FILE_FIELD(about), .help = "more, for the reader"},
    {.key = "skip",
     .kind = DOC_FIELD_MAPPING,
     .schema = &skip_schema,
     FILE_FIELD(skip),
     .help = "worlds in which it cannot run"},
    {.key = "matrix",
     .kind = DOC_FIELD_NODE,
     FILE_FIELD(matrix),
     .help = "values for ${name}: the file is run once for each combination"},
    {.key = "world",
     .kind = DOC_FIELD_MAPPING,
     .schema = &world_schema,
     FILE_FIELD(world),
     .help = "who takes part"},
    {.key = "faults",
     .kind = DOC_FIELD_NODE,
     FILE_FIELD(faults),
     .help = "what goes wrong, see Faults"},
    {.key = "steps",
     .kind = DOC_FIELD_CUSTOM,
     .read = read_steps,
     FILE_FIELD(steps),
     .is_required = true,
     .shape = "list of steps",
     .help = "what happens, in order"},
    {.key = "finally",
     .kind = DOC_FIELD_LIST,
     .item = &check_item,
     .item_size_bytes = sizeof(struct scn_check),
     FILE_FIELD(finally),
     .help = "what must hold at the end"},
};

static const struct doc_schema scenario_schema = {
    .name = "scenario",
    .help = "A scenario file.",
    .fields = scenario_fields,
    .fields_count = COUNT_OF(scenario_fields),
};

const struct doc_schema *scn_scenario_schema(void)
{
    return &scenario_schema;
}
