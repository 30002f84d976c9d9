/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements about the world as tables: `metrics`, `requests`, `object`, … Each has its numbers
 * (scenario_numbers.h) and the words that select what it speaks of.
 */
#include "harness/scenario_numbers.h"
#include "harness/scenario_schema.h"

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
    static const char *const none[] = {NULL};
    static const char *const *const words[SCN_STATEMENT_COUNT] = {
        [SCN_SAY_METRICS] = metrics, [SCN_SAY_REQUESTS] = requests, [SCN_SAY_SENT] = sent,
        [SCN_SAY_ARRIVALS] = none,   [SCN_SAY_OBJECT] = object,     [SCN_SAY_WORKER] = worker,
        [SCN_SAY_FAULT] = fault,     [SCN_SAY_JOURNAL] = journal,
    };

    return words[kind];
}
