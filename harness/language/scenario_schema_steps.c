/* SPDX-License-Identifier: Apache-2.0 */
/* Steps as tables: the arguments of each kind, and what all steps have in common. */
#include "harness/language/scenario_schema.h"

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
#define FIELD_WORKER_OR_ETCD                                                                       \
    {.key = "worker", .kind = DOC_FIELD_TEXT, ARG_WITH_NODE(worker), .help = "which worker"},      \
    {                                                                                              \
        .key = "etcd", .kind = DOC_FIELD_TEXT, ARG(etcd.server),                                   \
        .node_at = DOC_NODE_AT(struct scn_arguments, etcd.server_node), .help = "or which etcd"    \
    }
#define FIELD_KEY                                                                                  \
    {                                                                                              \
        .key = "key", .kind = DOC_FIELD_CUSTOM, .read = scn__read_key, ARG(key),                   \
        .is_required = true, .shape = "text or {repeat: TEXT, count: N}", .help = "the key"        \
    }
#define FIELD_KEYS                                                                                 \
    {                                                                                              \
        .key = "keys", .kind = DOC_FIELD_CUSTOM, .read = scn__read_keys, ARG(keys),                \
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

#define FIELD_DEADLINE                                                                             \
    {                                                                                              \
        .key = "deadline", .kind = DOC_FIELD_DURATION, ARG(deadline_us),                           \
        .node_at = DOC_NODE_AT(struct scn_arguments, deadline_node),                               \
        .help = "connectors: the call ends after this long at the latest"                          \
    }

static const struct doc_field put_fields[] = {FIELD_CONNECTOR, FIELD_KEY, FIELD_DATA,
                                              FIELD_DEADLINE};
static const struct doc_field get_fields[] = {
    FIELD_CONNECTOR,
    FIELD_CLIENT,
    {.key = "key",
     .kind = DOC_FIELD_CUSTOM,
     .read = scn__read_key,
     ARG(key),
     .shape = "text or {repeat: TEXT, count: N}",
     .help = "the key"},
    {.key = "keys",
     .kind = DOC_FIELD_CUSTOM,
     .read = scn__read_keys,
     ARG(keys),
     .shape = "list, or {count: N, pattern: \"k-${i}\"}",
     .help = "several keys, clients only"},
    FIELD_SUB_TIMEOUT,
    FIELD_DEADLINE,
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
     .read = scn__read_key,
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
     .read = scn__read_key,
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
static const struct doc_field kill_fields[] = {FIELD_WORKER_OR_ETCD};
static const struct doc_field evict_fields[] = {FIELD_WORKER, FIELD_KEY};
static const struct doc_field leave_fields[] = {FIELD_WORKER};
static const struct doc_field start_fields[] = {
    FIELD_WORKER_OR_ETCD,
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
SCHEMA(kill, "kill", "Kills a worker or an etcd, as SIGKILL does.");
SCHEMA(start, "start-or-restart", "Starts a worker or an etcd, or kills it and starts it at once.");
SCHEMA(leave, "leave", "Ends a worker as SIGTERM does: it takes its key out of etcd first.");
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
    return scn__read_texts(reader, field, node, &((struct scn_arguments *)destination)->ids);
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
    STEP_CHOICE("etcd", SCN_STEP_ETCD, scn__etcd_call_schema, "a call of etcd"),
    STEP_CHOICE("mset", SCN_STEP_MSET, mset_schema, "a client's mset or msettx"),
    STEP_CUSTOM("wait", SCN_STEP_WAIT, read_wait, "duration, or {event: NAME, at_most: 10s}",
                "lets time pass, or waits for an event"),
    STEP_CUSTOM("await", SCN_STEP_AWAIT, read_ids, "id, or list of ids",
                "waits for background steps"),
    STEP_CUSTOM("cancel", SCN_STEP_CANCEL, read_ids, "id, or list of ids",
                "gives up background puts and gets of connectors"),
    STEP_CUSTOM("together", SCN_STEP_TOGETHER, read_together, "list of steps",
                "starts all of them at once and waits for all"),
    STEP_CHOICE("kill", SCN_STEP_KILL, kill_schema, "kills a worker or an etcd"),
    STEP_CHOICE("leave", SCN_STEP_LEAVE, leave_schema, "ends a worker as SIGTERM does"),
    STEP_CHOICE("start", SCN_STEP_START, start_schema, "starts a worker or an etcd that is down"),
    STEP_CHOICE("restart", SCN_STEP_RESTART, start_schema,
                "kills a worker or an etcd and starts it at once"),
    STEP_CHOICE("switch", SCN_STEP_SWITCH, scn__switch_schema,
                "puts an etcd into a state, or out of it"),
    STEP_CUSTOM("end", SCN_STEP_END, read_ids, "id, or list of ids", "ends streams of etcd"),
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

const char *scn_step_word(enum scn_step_kind kind)
{
    static const char *const words[] = {
#define STEP_WORD(name, word) word,
        SCN_STEP_LIST(STEP_WORD)
#undef STEP_WORD
    };
    return words[kind];
}
