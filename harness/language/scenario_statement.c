/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements about the world as tables: `metrics`, `requests`, `object`, … Each has its numbers
 * (scenario_numbers.h) and the words that select what it speaks of.
 */
#include "harness/language/scenario_numbers.h"
#include "harness/language/scenario_schema.h"

#define SAY(member) .offset = offsetof(struct scn_statement, member)
#define SAY_AS(member, node_member)                                                                \
    SAY(member), .node_at = DOC_NODE_AT(struct scn_statement, node_member)

/* The list's rows as positions: NUMBER_puts is not a name C would take from "puts". */
#define NUMBER_FIELD_AT(position, word_, unit_, help_)                                             \
    {                                                                                              \
        .key = word_, .kind = DOC_FIELD_RANGE, .unit = unit_,                                      \
        .offset = offsetof(struct scn_statement, numbers) +                                        \
                  sizeof(struct scn_number) * (size_t)(position) +                                 \
                  offsetof(struct scn_number, range),                                              \
        .node_at = offsetof(struct scn_statement, numbers) +                                       \
                   sizeof(struct scn_number) * (size_t)(position) +                                \
                   offsetof(struct scn_number, node) + 1,                                          \
        .help = help_                                                                              \
    }

/* Each list is expanded into fields with rising positions; __COUNTER__ keeps the tables free of
 * numbers that somebody would have to maintain. */
#define NUMBER_FIELD(word, expression, help)                                                       \
    NUMBER_FIELD_AT(__COUNTER__ - NUMBER_BASE, word, DOC_UNIT_NONE, help),
#define NUMBER_WORD(word, expression, help) word,

enum { METRIC_BASE = __COUNTER__ + 1 };
#define NUMBER_BASE METRIC_BASE
static const struct doc_field metrics_fields[] = {
    SCN_METRIC_NUMBERS(NUMBER_FIELD){.key = "connector",
                                     .kind = DOC_FIELD_TEXT,
                                     SAY(connector),
                                     .is_required = true,
                                     .help = "which connector"},
};
#undef NUMBER_BASE

#define FIELD_OP                                                                                   \
    {                                                                                              \
        .key = "op", .kind = DOC_FIELD_CUSTOM, .read = scn__read_op, .shape = "operation",         \
        SAY_AS(op, op_node), .is_required = true, .help = "which operation of the wire"            \
    }
#define FIELD_WORKER_OF                                                                            \
    {                                                                                              \
        .key = "worker", .kind = DOC_FIELD_TEXT, SAY(worker), .preset = "the first worker",        \
        .help = "which worker"                                                                     \
    }

enum { REQUEST_BASE = __COUNTER__ + 1 };
#define NUMBER_BASE REQUEST_BASE
static const struct doc_field requests_fields[] = {
    SCN_REQUEST_NUMBERS(NUMBER_FIELD) FIELD_OP,
    FIELD_WORKER_OF,
    {.key = "key",
     .kind = DOC_FIELD_TEXT,
     SAY(key),
     .help = "only those whose first key matches this pattern (arrived and applied)"},
};
#undef NUMBER_BASE

enum { SENT_BASE = __COUNTER__ + 1 };
#define NUMBER_BASE SENT_BASE
static const struct doc_field sent_fields[] = {
    SCN_SENT_NUMBERS(NUMBER_FIELD) FIELD_OP,
    {.key = "client", .kind = DOC_FIELD_TEXT, SAY(client), .help = "which client"},
    {.key = "connector",
     .kind = DOC_FIELD_TEXT,
     SAY(connector),
     .help = "or the client of which connector"},
};
#undef NUMBER_BASE

static const struct doc_field duration_item = {.kind = DOC_FIELD_DURATION};
static const struct doc_field arrivals_fields[] = {
    FIELD_OP,
    FIELD_WORKER_OF,
    {.key = "key",
     .kind = DOC_FIELD_TEXT,
     SAY(key),
     .help = "only those whose first key matches this pattern"},
    {.key = "after_first",
     .kind = DOC_FIELD_LIST,
     .item = &duration_item,
     .item_size_bytes = sizeof(uint64_t),
     SAY_AS(after_first, after_first_node),
     .is_required = true,
     .min_count = 1,
     .help = "when each request arrived, counted from the first; exact in sim"},
};

enum { OBJECT_BASE = __COUNTER__ + 1 };
#define NUMBER_BASE OBJECT_BASE
static const struct doc_field object_fields[] = {
    SCN_OBJECT_NUMBERS(NUMBER_FIELD) FIELD_WORKER_OF,
    {.key = "key", .kind = DOC_FIELD_TEXT, SAY(key), .is_required = true, .help = "which key"},
    {.key = "present",
     .kind = DOC_FIELD_BOOL,
     SAY_AS(is_present, present_node),
     .preset = "true",
     .help = "whether the worker has it"},
    {.key = "mode",
     .kind = DOC_FIELD_CUSTOM,
     .read = scn__read_mode,
     .shape = "write mode",
     SAY_AS(mode, mode_node),
     .help = "its write mode"},
    {.key = "data", .kind = DOC_FIELD_NODE, SAY(data_node), .help = "its bytes, a payload"},
};
#undef NUMBER_BASE

enum { WORKER_BASE = __COUNTER__ + 1 };
#define NUMBER_BASE WORKER_BASE
static const struct doc_field worker_fields[] = {SCN_WORKER_NUMBERS(NUMBER_FIELD) FIELD_WORKER_OF};
#undef NUMBER_BASE

enum { FAULT_BASE = __COUNTER__ + 1 };
#define NUMBER_BASE FAULT_BASE
static const struct doc_field fault_fields[] = {
    SCN_FAULT_NUMBERS(NUMBER_FIELD){
        .key = "id", .kind = DOC_FIELD_TEXT, SAY(id), .is_required = true, .help = "which fault"},
};
#undef NUMBER_BASE

enum { JOURNAL_BASE = __COUNTER__ + 1 };
#define NUMBER_BASE JOURNAL_BASE
static const struct doc_field journal_fields[] = {
    SCN_JOURNAL_NUMBERS(NUMBER_FIELD){.key = "kind",
                                      .kind = DOC_FIELD_TEXT,
                                      SAY(record_kind),
                                      .help = "kind of record, as `rpc.arrived`"},
    {.key = "actor", .kind = DOC_FIELD_TEXT, SAY(actor), .help = "who"},
    {.key = "subject", .kind = DOC_FIELD_TEXT, SAY(subject), .help = "operation, fault, state"},
    {.key = "key", .kind = DOC_FIELD_TEXT, SAY(key), .help = "pattern of the key"},
    {.key = "detail", .kind = DOC_FIELD_TEXT, SAY(detail), .help = "pattern of the text"},
    {.key = "at",
     .kind = DOC_FIELD_RANGE,
     .unit = DOC_UNIT_DURATION,
     SAY_AS(at, at_node),
     .help = "when, from the start of the scenario"},
};
#undef NUMBER_BASE

#define FIELD_ETCD_OF                                                                              \
    {                                                                                              \
        .key = "server", .kind = DOC_FIELD_TEXT, SAY(etcd), .preset = "the first etcd",            \
        .help = "which server"                                                                     \
    }

enum { ETCD_BASE = __COUNTER__ + 1 };
#define NUMBER_BASE ETCD_BASE
static const struct doc_field etcd_fields[] = {SCN_ETCD_NUMBERS(NUMBER_FIELD) FIELD_ETCD_OF};
#undef NUMBER_BASE

enum { ETCD_REQUEST_BASE = __COUNTER__ + 1 };
#define NUMBER_BASE ETCD_REQUEST_BASE
static const struct doc_field etcd_requests_fields[] = {
    SCN_ETCD_REQUEST_NUMBERS(NUMBER_FIELD){.key = "call",
                                           .kind = DOC_FIELD_TEXT,
                                           SAY(etcd_op),
                                           .is_required = true,
                                           .help = "which method, as in a step `etcd`"},
    FIELD_ETCD_OF,
};
#undef NUMBER_BASE

enum { ETCD_KEY_BASE = __COUNTER__ + 1 };
#define NUMBER_BASE ETCD_KEY_BASE
static const struct doc_field etcd_key_fields[] = {
    SCN_ETCD_KEY_NUMBERS(NUMBER_FIELD) FIELD_ETCD_OF,
    {.key = "key", .kind = DOC_FIELD_TEXT, SAY(key), .is_required = true, .help = "which key"},
    {.key = "present",
     .kind = DOC_FIELD_BOOL,
     SAY_AS(is_present, present_node),
     .preset = "true",
     .help = "whether it is there"},
    {.key = "value",
     .kind = DOC_FIELD_TEXT,
     SAY_AS(value, value_node),
     .help = "pattern of its value"},
};
#undef NUMBER_BASE

enum { ETCD_KEYS_BASE = __COUNTER__ + 1 };
#define NUMBER_BASE ETCD_KEYS_BASE
static const struct doc_field etcd_keys_fields[] = {
    SCN_ETCD_KEYS_NUMBERS(NUMBER_FIELD) FIELD_ETCD_OF,
    {.key = "prefix",
     .kind = DOC_FIELD_TEXT,
     SAY(prefix),
     .is_required = true,
     .help = "how the keys begin"},
};
#undef NUMBER_BASE

enum { STREAM_BASE = __COUNTER__ + 1 };
#define NUMBER_BASE STREAM_BASE
static const struct doc_field stream_fields[] = {
    SCN_STREAM_NUMBERS(NUMBER_FIELD){.key = "id",
                                     .kind = DOC_FIELD_TEXT,
                                     SAY(id),
                                     .is_required = true,
                                     .help = "id of the step that opened it"},
    {.key = "events",
     .kind = DOC_FIELD_CUSTOM,
     .read = scn__read_texts,
     .shape = "list of patterns",
     SAY_AS(events, events_node),
     .help = "all events that a watch brought, in order: PUT a=1, PUT a=2 (was 1), DELETE a"},
    {.key = "last",
     .kind = DOC_FIELD_NODE,
     SAY(last_node),
     .help = "fields of the last message that came"},
    {.key = "ended",
     .kind = DOC_FIELD_BOOL,
     SAY_AS(is_ended, ended_node),
     .help = "whether the stream is over"},
    {.key = "code",
     .kind = DOC_FIELD_CUSTOM,
     .read = scn__read_grpc_code,
     .shape = "NAME or number",
     SAY_AS(grpc_code, grpc_node),
     .help = "gRPC code with which it ended"},
    {.key = "text",
     .kind = DOC_FIELD_CUSTOM,
     .read = scn__read_texts,
     .shape = "text or list of texts",
     SAY_AS(texts, text_node),
     .help = "the message of that end contains each of these"},
};
#undef NUMBER_BASE

SCHEMA(etcd, "statement etcd", "Counters of an etcd.");
SCHEMA(etcd_requests, "statement etcd-requests", "Requests of one method as an etcd counted them.");
SCHEMA(etcd_key, "statement etcd-key", "What an etcd stores under a key.");
SCHEMA(etcd_keys, "statement etcd-keys", "How many keys of an etcd begin in some way.");
SCHEMA(stream, "statement stream", "What a stream of etcd has brought so far.");
SCHEMA(metrics, "statement metrics", "Counters of a connector; each a number or a range.");
SCHEMA(requests, "statement requests", "Requests of one operation as a worker counted them.");
SCHEMA(sent, "statement sent", "Requests of one operation as a client counted them.");
SCHEMA(arrivals, "statement arrivals", "When the requests of one operation arrived.");
SCHEMA(object, "statement object", "What a worker stores under a key.");
SCHEMA(worker, "statement worker", "Counters of a worker.");
SCHEMA(fault, "statement fault", "How often a fault came into play.");
SCHEMA(journal, "statement journal", "Records of the journal. Patterns take * and ?.");

#define CHOICE(word, number, table, text)                                                          \
    {                                                                                              \
        .key = word, .kind = DOC_FIELD_MAPPING, .schema = &table, .is_choice = true,               \
        .choice = number, .offset = offsetof(struct scn_check, statement),                         \
        .node_at = DOC_NODE_AT(struct scn_check, node), .help = text                               \
    }

static const struct doc_field check_fields[] = {
    CHOICE("metrics", SCN_SAY_METRICS, metrics_schema, "counters of a connector"),
    CHOICE("requests", SCN_SAY_REQUESTS, requests_schema, "requests as a worker counted them"),
    CHOICE("sent", SCN_SAY_SENT, sent_schema, "requests as a client counted them"),
    CHOICE("arrivals", SCN_SAY_ARRIVALS, arrivals_schema, "when requests arrived"),
    CHOICE("object", SCN_SAY_OBJECT, object_schema, "what is stored under a key"),
    CHOICE("worker", SCN_SAY_WORKER, worker_schema, "counters of a worker"),
    CHOICE("fault", SCN_SAY_FAULT, fault_schema, "how often a fault came into play"),
    CHOICE("journal", SCN_SAY_JOURNAL, journal_schema, "records of the journal"),
    CHOICE("etcd", SCN_SAY_ETCD, etcd_schema, "counters of an etcd"),
    CHOICE("etcd-requests", SCN_SAY_ETCD_REQUESTS, etcd_requests_schema,
           "requests as an etcd counted them"),
    CHOICE("etcd-key", SCN_SAY_ETCD_KEY, etcd_key_schema, "what an etcd stores under a key"),
    CHOICE("etcd-keys", SCN_SAY_ETCD_KEYS, etcd_keys_schema, "how many keys begin in some way"),
    CHOICE("stream", SCN_SAY_STREAM, stream_schema, "what a stream of etcd brought"),
};

const struct doc_schema scn__check_schema = {
    .name = "statement",
    .help = "Something that must hold.",
    .fields = check_fields,
    .fields_count = COUNT_OF(check_fields),
    .choice_at = DOC_NODE_AT(struct scn_check, kind),
};

const char *const *scn_number_words(enum scn_statement_kind kind)
{
    static const char *const metrics[] = {SCN_METRIC_NUMBERS(NUMBER_WORD) NULL};
    static const char *const requests[] = {SCN_REQUEST_NUMBERS(NUMBER_WORD) NULL};
    static const char *const sent[] = {SCN_SENT_NUMBERS(NUMBER_WORD) NULL};
    static const char *const object[] = {SCN_OBJECT_NUMBERS(NUMBER_WORD) NULL};
    static const char *const worker[] = {SCN_WORKER_NUMBERS(NUMBER_WORD) NULL};
    static const char *const fault[] = {SCN_FAULT_NUMBERS(NUMBER_WORD) NULL};
    static const char *const journal[] = {SCN_JOURNAL_NUMBERS(NUMBER_WORD) NULL};
    static const char *const etcd[] = {SCN_ETCD_NUMBERS(NUMBER_WORD) NULL};
    static const char *const etcd_requests[] = {SCN_ETCD_REQUEST_NUMBERS(NUMBER_WORD) NULL};
    static const char *const etcd_key[] = {SCN_ETCD_KEY_NUMBERS(NUMBER_WORD) NULL};
    static const char *const etcd_keys[] = {SCN_ETCD_KEYS_NUMBERS(NUMBER_WORD) NULL};
    static const char *const stream[] = {SCN_STREAM_NUMBERS(NUMBER_WORD) NULL};
    static const char *const none[] = {NULL};
    static const char *const *const words[SCN_STATEMENT_COUNT] = {
        [SCN_SAY_METRICS] = metrics,   [SCN_SAY_REQUESTS] = requests,
        [SCN_SAY_SENT] = sent,         [SCN_SAY_ARRIVALS] = none,
        [SCN_SAY_OBJECT] = object,     [SCN_SAY_WORKER] = worker,
        [SCN_SAY_FAULT] = fault,       [SCN_SAY_JOURNAL] = journal,
        [SCN_SAY_ETCD] = etcd,         [SCN_SAY_ETCD_REQUESTS] = etcd_requests,
        [SCN_SAY_ETCD_KEY] = etcd_key, [SCN_SAY_ETCD_KEYS] = etcd_keys,
        [SCN_SAY_STREAM] = stream,
    };

    return words[kind];
}
