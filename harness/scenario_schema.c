/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scenario language as tables: the reader, the checker's words, the reference page and the
 * JSON Schema all come from here.
 */
#include "harness/scenario_schema.h"

#include "connector/ds_client.h"
#include "wire/dsrpc.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* ---- custom readers ---- */

static bool write_mode_value(const struct doc_node *node, int *out_mode)
{
    static const struct {
        const char *word;
        enum ds_write_mode mode;
    } modes[] = {
        {"none", DS_NONE_L2_CACHE},
        {"write-through", DS_WRITE_THROUGH_L2_CACHE},
        {"write-back", DS_WRITE_BACK_L2_CACHE},
        {"evict", DS_NONE_L2_CACHE_EVICT},
        {"write-back-evict", DS_WRITE_BACK_L2_CACHE_EVICT},
    };

    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        if (doc_is_text(node, modes[i].word)) {
            *out_mode = (int)modes[i].mode;
            return true;
        }
    }
    return false;
}

const struct doc_word scn__write_modes[] = {
    {"none", DS_NONE_L2_CACHE, "memory only, never evicted (the store's default)"},
    {"write-through", DS_WRITE_THROUGH_L2_CACHE, "needs a second level, which the fake has not"},
    {"write-back", DS_WRITE_BACK_L2_CACHE, "likewise"},
    {"evict", DS_NONE_L2_CACHE_EVICT, "memory only, may be evicted (what the connector uses)"},
    {"write-back-evict", DS_WRITE_BACK_L2_CACHE_EVICT, "needs a second level"},
    {NULL, 0, NULL},
};

/* A status: `OK`, `K_NOT_FOUND`, `NOT_FOUND` or a number. */
static enum rt_status read_code(struct doc_reader *reader, const struct doc_field *field,
                                const struct doc_node *node, void *destination)
{
    struct rt_slice text = doc_text(node);

    (void)field;
    if (node->kind == DOC_KIND_SCALAR &&
        dsrpc_code_parse((const char *)text.data, text.len_bytes, destination)) {
        return RT_OK;
    }
    static const char *const words[] = {
#define CODE_WORD(name, number, text) "K_" #name,
        DSRPC_CODE_LIST(CODE_WORD)
#undef CODE_WORD
    };
    struct doc_error *error =
        doc_error_add(reader->errors, node, "no status code is called like this");
    doc_error_allow(reader->errors, error, text, words, COUNT_OF(words));
    return RT_E_INVALID;
}

static enum rt_status read_op(struct doc_reader *reader, const struct doc_field *field,
                              const struct doc_node *node, void *destination)
{
    struct rt_slice text = doc_text(node);
    enum dsrpc_op op;

    (void)field;
    if (node->kind == DOC_KIND_SCALAR &&
        dsrpc_op_parse((const char *)text.data, text.len_bytes, &op)) {
        *(int *)destination = (int)op;
        return RT_OK;
    }
    static const char *const words[] = {
#define OP_WORD(name, word, service, index, sends, returns) word,
        DSRPC_OP_LIST(OP_WORD)
#undef OP_WORD
    };
    struct doc_error *error =
        doc_error_add(reader->errors, node, "no operation is called like this");
    doc_error_allow(reader->errors, error, text, words, COUNT_OF(words));
    return RT_E_INVALID;
}

/* A key: text, or `{repeat: k, count: 256}`. */
static enum rt_status read_key(struct doc_reader *reader, const struct doc_field *field,
                               const struct doc_node *node, void *destination)
{
    (void)field;
    if (node->kind == DOC_KIND_SCALAR) {
        *(const char **)destination = node->text;
        return RT_OK;
    }
    const struct doc_node *unit = doc_find(node, "repeat");
    const struct doc_node *count_node = doc_find(node, "count");
    int64_t count = 0;
    if (unit == NULL || count_node == NULL || unit->kind != DOC_KIND_SCALAR || node->count != 2) {
        struct doc_error *error =
            doc_error_add(reader->errors, node, "a key is text or {repeat: TEXT, count: N}");
        doc_error_help(reader->errors, error, "for example: key: {repeat: k, count: 256}");
        return RT_E_INVALID;
    }
    if (doc_read_integer(count_node, 0, 100000, reader->errors, &count) != RT_OK) {
        return RT_E_INVALID;
    }
    char *text = doc_alloc(reader->doc, unit->text_len_bytes * (size_t)count + 1);
    if (text == NULL) {
        return RT_E_NOMEM;
    }
    for (int64_t i = 0; i < count; i++) {
        memcpy(text + (size_t)i * unit->text_len_bytes, unit->text, unit->text_len_bytes);
    }
    *(const char **)destination = text;
    return RT_OK;
}

/* `a`, `[a, b]`, or `{count: 10001, pattern: "k-${i}"}`. */
static enum rt_status read_keys(struct doc_reader *reader, const struct doc_field *field,
                                const struct doc_node *node, void *destination)
{
    struct doc_list *list = destination;
    const struct doc_node *pattern = doc_find(node, "pattern");
    const struct doc_node *count_node = doc_find(node, "count");
    int64_t count = 1;

    if (pattern != NULL && count_node != NULL && node->count == 2) {
        if (doc_read_integer(count_node, 0, 100000, reader->errors, &count) != RT_OK) {
            return RT_E_INVALID;
        }
    } else if (node->kind == DOC_KIND_SEQUENCE) {
        count = (int64_t)node->count;
    } else {
        pattern = NULL;
    }
    const char **keys = doc_alloc(reader->doc, sizeof(*keys) * ((size_t)count + 1));
    if (keys == NULL) {
        return RT_E_NOMEM;
    }
    enum rt_status status = RT_OK;
    for (int64_t i = 0; i < count && status == RT_OK; i++) {
        const struct doc_node *item = node->kind == DOC_KIND_SEQUENCE ? node->items[i]
                                      : pattern != NULL               ? pattern
                                                                      : node;
        if (pattern != NULL) {
            char number[24];
            (void)snprintf(number, sizeof(number), "%lld", (long long)i);
            struct scn_variable index = {"i", number};
            item = scn__substitute(reader->doc, pattern, &index, 1);
            if (item == NULL) {
                return RT_E_NOMEM;
            }
        }
        status = read_key(reader, field, item, &keys[i]);
    }
    list->items = keys;
    list->count = (size_t)count;
    return status;
}

/* One text or a list of texts. */
static enum rt_status read_texts(struct doc_reader *reader, const struct doc_field *field,
                                 const struct doc_node *node, void *destination)
{
    struct doc_list *list = destination;
    size_t count = node->kind == DOC_KIND_SEQUENCE ? node->count : 1;
    const char **texts = doc_alloc(reader->doc, sizeof(*texts) * (count + 1));

    (void)field;
    if (texts == NULL) {
        return RT_E_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        const struct doc_node *item = node->kind == DOC_KIND_SEQUENCE ? node->items[i] : node;
        enum rt_status status = doc_read_text(item, reader->errors, &texts[i]);
        if (status != RT_OK) {
            return status;
        }
    }
    list->items = texts;
    list->count = count;
    return RT_OK;
}

/* The mode of an object, which is a number in the store. */
static enum rt_status read_mode(struct doc_reader *reader, const struct doc_field *field,
                                const struct doc_node *node, void *destination)
{
    (void)field;
    if (write_mode_value(node, destination)) {
        return RT_OK;
    }
    const char *words[] = {"none", "write-through", "write-back", "evict", "write-back-evict"};
    struct doc_error *error =
        doc_error_add(reader->errors, node, "no write mode is called like this");
    doc_error_allow(reader->errors, error, doc_text(node), words, COUNT_OF(words));
    return RT_E_INVALID;
}

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

static const struct doc_field connector_fields[] = {
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
    {.key = "get_sub_timeout",
     .kind = DOC_FIELD_DURATION,
     PARTY(sub_timeout_us),
     .node_at = DOC_NODE_AT(struct scn_party_spec, sub_timeout_node),
     .preset = "1s",
     .help = "how long a get waits for an absent key"},
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
    .help = "A YuanrongConnector for one edge.",
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
static const struct doc_field client_item = {.kind = DOC_FIELD_MAPPING, .schema = &client_schema};

#define WORLD(member) .offset = offsetof(struct scn_world_spec, member)

static const struct doc_field world_fields[] = {
    {.key = "workers",
     .kind = DOC_FIELD_MAP,
     WORLD(workers),
     .item = &worker_item,
     .item_size_bytes = sizeof(struct scn_worker_spec),
     .preset = "{worker-1: {}}",
     .help = "fake workers by name"},
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
    {"none", DS_DETAIL_NONE, "succeeded"},
    {"answered", DS_DETAIL_ANSWERED, "the worker said so"},
    {"checked", DS_DETAIL_CHECKED, "refused by the client's own checks, nothing sent"},
    {"silence", DS_DETAIL_SILENCE, "no answer in time"},
    {"declared-lost", DS_DETAIL_DECLARED_LOST, "heartbeats are missing, fails at once"},
    {"undecodable", DS_DETAIL_UNDECODABLE, "an answer that is not one"},
    {"closed", DS_DETAIL_CLOSED, "closed, or never initialised"},
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
     .read = read_code,
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
     .read = read_texts,
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
     .read = read_texts,
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
};

const struct doc_schema scn__expect_schema = {
    .name = "expect",
    .help = "What a call must bring. Every line given must hold.",
    .fields = expect_fields,
    .fields_count = COUNT_OF(expect_fields),
};

/* ---- arguments of steps ---- */

#define ARG(member) .offset = offsetof(struct scn_arguments, member)
#define ARG_WITH_NODE(member)                                                                      \
    .offset = offsetof(struct scn_arguments, member),                                              \
    .node_at = DOC_NODE_AT(struct scn_arguments, member##_node)

#define FIELD_CONNECTOR                                                                            \
    {                                                                                              \
        .key = "connector", .kind = DOC_FIELD_TEXT, ARG_WITH_NODE(connector),                      \
        .help = "which connector"                                                                  \
    }
#define FIELD_CLIENT                                                                               \
    {                                                                                              \
        .key = "client", .kind = DOC_FIELD_TEXT, ARG_WITH_NODE(client), .help = "which client"     \
    }
#define FIELD_WORKER                                                                               \
    {                                                                                              \
        .key = "worker", .kind = DOC_FIELD_TEXT, ARG_WITH_NODE(worker), .is_required = true,       \
        .help = "which worker"                                                                     \
    }
#define FIELD_KEY                                                                                  \
    {                                                                                              \
        .key = "key", .kind = DOC_FIELD_CUSTOM, .read = read_key, ARG(key), .is_required = true,   \
        .shape = "text or {repeat: TEXT, count: N}", .help = "the key"                             \
    }
#define FIELD_KEYS                                                                                 \
    {                                                                                              \
        .key = "keys", .kind = DOC_FIELD_CUSTOM, .read = read_keys, ARG(keys),                     \
        .is_required = true, .shape = "list, or {count: N, pattern: \"k-${i}\"}",                  \
        .help = "the keys, in order"                                                               \
    }
#define FIELD_DATA                                                                                 \
    {                                                                                              \
        .key = "data", .kind = DOC_FIELD_NODE, ARG(data), .is_required = true,                     \
        .help = "the payload, see Payloads"                                                        \
    }
#define FIELD_MODE                                                                                 \
    {                                                                                              \
        .key = "mode", .kind = DOC_FIELD_WORD, .words = scn__write_modes, ARG(mode),               \
        .preset = "none", .help = "write mode"                                                     \
    }
#define FIELD_TTL                                                                                  \
    {                                                                                              \
        .key = "ttl", .kind = DOC_FIELD_DURATION, ARG(ttl_us), .preset = "0s",                     \
        .help = "whole seconds; 0s is no expiry"                                                   \
    }
#define FIELD_SUB_TIMEOUT                                                                          \
    {                                                                                              \
        .key = "sub_timeout", .kind = DOC_FIELD_DURATION, ARG(sub_timeout_us), .preset = "0s",     \
        .help = "how long to wait for absent keys"                                                 \
    }

static const struct doc_field put_fields[] = {FIELD_CONNECTOR, FIELD_KEY, FIELD_DATA};
static const struct doc_field get_fields[] = {
    FIELD_CONNECTOR,
    FIELD_CLIENT,
    {.key = "key",
     .kind = DOC_FIELD_CUSTOM,
     .read = read_key,
     ARG(key),
     .shape = "text or {repeat: TEXT, count: N}",
     .help = "the key"},
    {.key = "keys",
     .kind = DOC_FIELD_CUSTOM,
     .read = read_keys,
     ARG(keys),
     .shape = "list, or {count: N, pattern: \"k-${i}\"}",
     .help = "several keys, clients only"},
    FIELD_SUB_TIMEOUT,
};
static const struct doc_field cleanup_fields[] = {FIELD_CONNECTOR, FIELD_KEY};
static const struct doc_field party_fields[] = {FIELD_CONNECTOR, FIELD_CLIENT};
static const struct doc_field construct_fields[] = {FIELD_CONNECTOR};
static const struct doc_field init_fields[] = {FIELD_CLIENT};
static const struct doc_field set_fields[] = {
    FIELD_CLIENT,
    FIELD_KEY,
    FIELD_DATA,
    FIELD_MODE,
    FIELD_TTL,
    {.key = "nx",
     .kind = DOC_FIELD_BOOL,
     ARG(is_only_if_absent),
     .preset = "false",
     .help = "only if absent"},
};

#define PART(member) .offset = offsetof(struct scn_read_part, member)
static const struct doc_field part_fields[] = {
    {.key = "key",
     .kind = DOC_FIELD_CUSTOM,
     .read = read_key,
     PART(key),
     .is_required = true,
     .shape = "text",
     .help = "the key"},
    {.key = "offset",
     .kind = DOC_FIELD_SIZE,
     PART(offset_bytes),
     .preset = "0B",
     .help = "first byte"},
    {.key = "size",
     .kind = DOC_FIELD_SIZE,
     PART(size_bytes),
     .preset = "0B",
     .help = "how many; 0B is to the end"},
};
static const struct doc_schema part_schema = {.name = "read-part",
                                              .help = "A part of a value.",
                                              .fields = part_fields,
                                              .fields_count = COUNT_OF(part_fields)};
static const struct doc_field part_item = {.kind = DOC_FIELD_MAPPING, .schema = &part_schema};
static const struct doc_field read_fields[] = {
    FIELD_CLIENT,
    {.key = "parts",
     .kind = DOC_FIELD_LIST,
     ARG(parts),
     .item = &part_item,
     .item_size_bytes = sizeof(struct scn_read_part),
     .is_required = true,
     .help = "one for each key"},
};

#define ENTRY(member) .offset = offsetof(struct scn_mset_entry, member)
static const struct doc_field entry_fields[] = {
    {.key = "key",
     .kind = DOC_FIELD_CUSTOM,
     .read = read_key,
     ENTRY(key),
     .is_required = true,
     .shape = "text",
     .help = "the key"},
    {.key = "data",
     .kind = DOC_FIELD_NODE,
     ENTRY(data),
     .is_required = true,
     .help = "the payload"},
};
static const struct doc_schema entry_schema = {.name = "mset-entry",
                                               .help = "One key of an mset.",
                                               .fields = entry_fields,
                                               .fields_count = COUNT_OF(entry_fields)};
static const struct doc_field entry_item = {.kind = DOC_FIELD_MAPPING, .schema = &entry_schema};
static const struct doc_field mset_fields[] = {
    FIELD_CLIENT,
    {.key = "entries",
     .kind = DOC_FIELD_LIST,
     ARG(entries),
     .item = &entry_item,
     .item_size_bytes = sizeof(struct scn_mset_entry),
     .is_required = true,
     .help = "keys and values, in order"},
    FIELD_MODE,
    FIELD_TTL,
    {.key = "nx",
     .kind = DOC_FIELD_BOOL,
     ARG(is_only_if_absent),
     .preset = "false",
     .help = "only if absent"},
    {.key = "transaction",
     .kind = DOC_FIELD_BOOL,
     ARG(is_transaction),
     .preset = "false",
     .help = "all or nothing (msettx)"},
};

static const struct doc_field keys_fields[] = {FIELD_CLIENT, FIELD_KEYS};
static const struct doc_field expire_fields[] = {FIELD_CLIENT, FIELD_KEYS, FIELD_TTL};
static const struct doc_field kill_fields[] = {FIELD_WORKER};
static const struct doc_field evict_fields[] = {FIELD_WORKER, FIELD_KEY};
static const struct doc_field start_fields[] = {
    FIELD_WORKER,
    {.key = "ready_after",
     .kind = DOC_FIELD_DURATION,
     ARG(ready_after_us),
     .preset = "0s",
     .help = "answers Not ready for this long"},
    {.key = "keep_data",
     .kind = DOC_FIELD_BOOL,
     ARG(is_state_kept),
     .preset = "false",
     .help = "data and clients survive"},
};

#define SCHEMA(variable, word, text)                                                               \
    static const struct doc_schema variable##_schema = {.name = word,                              \
                                                        .help = text,                              \
                                                        .fields = variable##_fields,               \
                                                        .fields_count =                            \
                                                            COUNT_OF(variable##_fields)}

SCHEMA(put, "put", "A connector's put.");
SCHEMA(get, "get", "A get, of a connector (one key) or of a client.");
SCHEMA(cleanup, "cleanup", "A connector's cleanup of a request id.");
SCHEMA(party, "health-or-close", "Of a connector or of a client.");
SCHEMA(construct, "construct", "Constructs a connector.");
SCHEMA(init, "init", "Initialises a client.");
SCHEMA(set, "set", "A client's set.");
SCHEMA(read, "read", "A client's read of parts of values.");
SCHEMA(keys, "keys", "A client's exist, delete or query-size.");
SCHEMA(expire, "expire", "A client's expire.");
SCHEMA(mset, "mset", "A client's mset.");
SCHEMA(kill, "kill", "Kills a worker, as SIGKILL does.");
SCHEMA(start, "start-or-restart", "Starts a worker, or kills it and starts it at once.");
SCHEMA(evict, "evict", "Evicts a key.");

/* `250ms`, or `{event: NAME, at_most: 10s}`. */
static enum rt_status read_wait(struct doc_reader *reader, const struct doc_field *field,
                                const struct doc_node *node, void *destination)
{
    static const struct doc_field wait_fields[] = {
        {.key = "event",
         .kind = DOC_FIELD_TEXT,
         ARG(event),
         .is_required = true,
         .help = "an event, see Events"},
        {.key = "at_most",
         .kind = DOC_FIELD_DURATION,
         ARG(at_most_us),
         .is_required = true,
         .help = "the step fails after this long"},
    };
    static const struct doc_schema wait_schema = {.name = "wait-for",
                                                  .help = "Waits for an event.",
                                                  .fields = wait_fields,
                                                  .fields_count = COUNT_OF(wait_fields)};
    struct scn_arguments *arguments = destination;

    (void)field;
    if (node->kind == DOC_KIND_SCALAR) {
        return doc_read_duration(node, reader->errors, &arguments->duration_us);
    }
    return doc_schema_read(reader, &wait_schema, node, arguments);
}

static enum rt_status read_ids(struct doc_reader *reader, const struct doc_field *field,
                               const struct doc_node *node, void *destination)
{
    return read_texts(reader, field, node, &((struct scn_arguments *)destination)->ids);
}

static enum rt_status read_event(struct doc_reader *reader, const struct doc_field *field,
                                 const struct doc_node *node, void *destination)
{
    (void)field;
    return doc_read_text(node, reader->errors, &((struct scn_arguments *)destination)->event);
}

static enum rt_status read_together(struct doc_reader *reader, const struct doc_field *field,
                                    const struct doc_node *node, void *destination)
{
    (void)field;
    return scn__steps_read(reader, node, &((struct scn_arguments *)destination)->steps);
}

static const struct doc_field check_item = {.kind = DOC_FIELD_MAPPING,
                                            .schema = &scn__check_schema};

static enum rt_status read_checks(struct doc_reader *reader, const struct doc_field *field,
                                  const struct doc_node *node, void *destination)
{
    static const struct doc_field checks = {
        .kind = DOC_FIELD_LIST, .item = &check_item, .item_size_bytes = sizeof(struct scn_check)};

    (void)field;
    return doc_field_read(reader, &checks, node, &((struct scn_arguments *)destination)->checks);
}

static const struct doc_field eventually_fields[] = {
    {.key = "within",
     .kind = DOC_FIELD_DURATION,
     ARG(within_us),
     .is_required = true,
     .help = "how long it may take to become true"},
    {.key = "check",
     .kind = DOC_FIELD_LIST,
     ARG(checks),
     .item = &check_item,
     .item_size_bytes = sizeof(struct scn_check),
     .is_required = true,
     .min_count = 1,
     .help = "statements that must hold together"},
};
SCHEMA(eventually, "eventually", "Waits until statements hold.");

/* ---- steps ---- */

#define STEP(member) .offset = offsetof(struct scn_step, member)
#define STEP_CHOICE(word, number, table, text)                                                     \
    {                                                                                              \
        .key = word, .kind = DOC_FIELD_MAPPING, .schema = &table, .is_choice = true,               \
        .choice = number, STEP(arguments),                                                         \
        .node_at = DOC_NODE_AT(struct scn_step, arguments.node), .help = text                      \
    }
#define STEP_CUSTOM(word, number, reader_fn, form, text)                                           \
    {                                                                                              \
        .key = word, .kind = DOC_FIELD_CUSTOM, .read = reader_fn, .shape = form,                   \
        .is_choice = true, .choice = number, STEP(arguments),                                      \
        .node_at = DOC_NODE_AT(struct scn_step, arguments.node), .help = text                      \
    }

static const struct doc_field step_fields[] = {
    {.key = "id",
     .kind = DOC_FIELD_TEXT,
     STEP(id),
     .node_at = DOC_NODE_AT(struct scn_step, id_node),
     .help = "name of the step, for events, await and same-as"},
    {.key = "background",
     .kind = DOC_FIELD_BOOL,
     STEP(is_background),
     .preset = "false",
     .help = "go on at once; `await` it later (or the end of the scenario does)"},
    {.key = "expect",
     .kind = DOC_FIELD_MAPPING,
     .schema = &scn__expect_schema,
     STEP(expect),
     .node_at = DOC_NODE_AT(struct scn_step, expect.node),
     .help = "what the call must bring"},
    STEP_CHOICE("put", SCN_STEP_PUT, put_schema, "a connector's put"),
    STEP_CHOICE("get", SCN_STEP_GET, get_schema, "a get of a connector or of a client"),
    STEP_CHOICE("cleanup", SCN_STEP_CLEANUP, cleanup_schema, "a connector's cleanup"),
    STEP_CHOICE("health", SCN_STEP_HEALTH, party_schema, "health of a connector or a worker"),
    STEP_CHOICE("close", SCN_STEP_CLOSE, party_schema, "closes a connector or a client"),
    STEP_CHOICE("construct", SCN_STEP_CONSTRUCT, construct_schema, "constructs a connector"),
    STEP_CHOICE("init", SCN_STEP_INIT, init_schema, "initialises a client"),
    STEP_CHOICE("set", SCN_STEP_SET, set_schema, "a client's set"),
    STEP_CHOICE("read", SCN_STEP_READ, read_schema, "a client's read of parts"),
    STEP_CHOICE("exist", SCN_STEP_EXIST, keys_schema, "a client's exist"),
    STEP_CHOICE("delete", SCN_STEP_DELETE, keys_schema, "a client's delete"),
    STEP_CHOICE("expire", SCN_STEP_EXPIRE, expire_schema, "a client's expire"),
    STEP_CHOICE("query-size", SCN_STEP_QUERY_SIZE, keys_schema, "a client's size query"),
    STEP_CHOICE("mset", SCN_STEP_MSET, mset_schema, "a client's mset or msettx"),
    STEP_CUSTOM("wait", SCN_STEP_WAIT, read_wait, "duration, or {event: NAME, at_most: 10s}",
                "lets time pass, or waits for an event"),
    STEP_CUSTOM("await", SCN_STEP_AWAIT, read_ids, "id, or list of ids",
                "waits for background steps"),
    STEP_CUSTOM("together", SCN_STEP_TOGETHER, read_together, "list of steps",
                "starts all of them at once and waits for all"),
    STEP_CHOICE("kill", SCN_STEP_KILL, kill_schema, "kills a worker"),
    STEP_CHOICE("start", SCN_STEP_START, start_schema, "starts a worker that is down"),
    STEP_CHOICE("restart", SCN_STEP_RESTART, start_schema, "kills a worker and starts it at once"),
    STEP_CHOICE("evict", SCN_STEP_EVICT, evict_schema, "evicts a key from a worker"),
    STEP_CUSTOM("event", SCN_STEP_EVENT, read_event, "name", "makes an event happen"),
    STEP_CUSTOM("check", SCN_STEP_CHECK, read_checks, "list of statements",
                "statements that must hold now"),
    STEP_CHOICE("eventually", SCN_STEP_EVENTUALLY, eventually_schema,
                "waits until statements hold"),
};

const struct doc_schema scn__step_schema = {
    .name = "step",
    .help = "One thing that happens.",
    .fields = step_fields,
    .fields_count = COUNT_OF(step_fields),
    .choice_at = DOC_NODE_AT(struct scn_step, kind),
};

static enum rt_status read_steps(struct doc_reader *reader, const struct doc_field *field,
                                 const struct doc_node *node, void *destination)
{
    (void)field;
    return scn__steps_read(reader, node, destination);
}

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

enum rt_status scn__read_code(struct doc_reader *reader, const struct doc_field *field,
                              const struct doc_node *node, void *destination)
{
    return read_code(reader, field, node, destination);
}

enum rt_status scn__read_op(struct doc_reader *reader, const struct doc_field *field,
                            const struct doc_node *node, void *destination)
{
    return read_op(reader, field, node, destination);
}

enum rt_status scn__read_mode(struct doc_reader *reader, const struct doc_field *field,
                              const struct doc_node *node, void *destination)
{
    return read_mode(reader, field, node, destination);
}

const char *scn_step_word(enum scn_step_kind kind)
{
    static const char *const words[] = {
#define STEP_WORD(name, word) word,
        SCN_STEP_LIST(STEP_WORD)
#undef STEP_WORD
    };
    return words[kind];
}
