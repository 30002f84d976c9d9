/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "faults/rule.h"
#include "faults/words.h"
#include "runtime/glob.h"

/* From a node to a rule: the schema fills `struct raw`, which points into the document; then
 * everything is copied, so that a rule outlives its document. */

struct raw_point {
    enum fault_point point;
    uint64_t byte_offset;
};

struct raw_on {
    const struct doc_node *op; /* a word or a list of words */
    const struct doc_node *key;
    const struct doc_node *worker;
    const struct doc_node *etcd;
    const struct doc_node *client;
    int64_t nth;
    const struct doc_node *nth_node;
};

struct raw {
    const char *id;
    const struct doc_node *id_node;
    struct raw_on on;
    struct raw_point at;
    const struct doc_node *at_node;
    const struct doc_node *do_node;
    const struct doc_node *after; /* a name or a list of names */
    bool is_optional;
};

static enum rt_status read_id(struct doc_reader *reader, const struct doc_field *field,
                              const struct doc_node *node, void *destination);
static enum rt_status read_words(struct doc_reader *reader, const struct doc_field *field,
                                 const struct doc_node *node, void *destination);
static enum rt_status read_pattern(struct doc_reader *reader, const struct doc_field *field,
                                   const struct doc_node *node, void *destination);
static enum rt_status read_events(struct doc_reader *reader, const struct doc_field *field,
                                  const struct doc_node *node, void *destination);
static enum rt_status read_point(struct doc_reader *reader, const struct doc_field *field,
                                 const struct doc_node *node, void *destination);
static enum rt_status read_trigger(struct doc_reader *reader, const struct doc_field *field,
                                   const struct doc_node *node, void *destination);
static enum rt_status check_conditions(struct doc_reader *reader, const struct raw *raw);
static enum rt_status copy(struct fault_rule *rule, const struct raw *raw);
static enum rt_status copy_key(struct fault_rule *rule, const struct doc_node *key);
static enum rt_status copy_after(struct fault_rule *rule, const struct doc_node *after);
static enum rt_status copy_points(struct fault_rule *rule, const struct raw *raw);

#define WORDS_JSON                                                                                 \
    "{\"anyOf\": [{\"type\": \"string\"}, {\"type\": \"array\", \"minItems\": 1, "                 \
    "\"items\": {\"type\": \"string\"}}]}"
#define TEXT_JSON "{\"type\": \"string\"}"

static const struct doc_field on_fields[] = {
    {.key = "op",
     .help = "the operation, or a list of them",
     .kind = DOC_FIELD_CUSTOM,
     .read = read_words,
     .shape = "word or list of words",
     .json_schema = WORDS_JSON,
     .preset = "every operation",
     .offset = offsetof(struct raw_on, op)},
    {.key = "key",
     .help = "an object key: * any bytes, ? one byte, \\ takes the next as it is; of several keys "
             "one is enough",
     .kind = DOC_FIELD_CUSTOM,
     .read = read_pattern,
     .shape = "pattern",
     .json_schema = TEXT_JSON,
     .preset = "every key",
     .offset = offsetof(struct raw_on, key)},
    {.key = "worker",
     .help = "the worker, as a pattern",
     .kind = DOC_FIELD_CUSTOM,
     .read = read_pattern,
     .shape = "pattern",
     .json_schema = TEXT_JSON,
     .preset = "every worker",
     .offset = offsetof(struct raw_on, worker)},
    {.key = "etcd",
     .help = "the etcd, as a pattern",
     .kind = DOC_FIELD_CUSTOM,
     .read = read_pattern,
     .shape = "pattern",
     .json_schema = TEXT_JSON,
     .preset = "every etcd",
     .offset = offsetof(struct raw_on, etcd)},
    {.key = "client",
     .help = "the client, as a pattern",
     .kind = DOC_FIELD_CUSTOM,
     .read = read_pattern,
     .shape = "pattern",
     .json_schema = TEXT_JSON,
     .preset = "every client",
     .offset = offsetof(struct raw_on, client)},
    {.key = "nth",
     .help = "only the n-th of those that meet the other conditions, from 1",
     .kind = DOC_FIELD_INTEGER,
     .min = 1,
     .max = INT64_MAX,
     .preset = "every one",
     .offset = offsetof(struct raw_on, nth),
     .node_at = DOC_NODE_AT(struct raw_on, nth_node)},
};

static const struct doc_schema on_schema = {
    .name = "fault conditions",
    .help = "What a request must be to match; all of the given conditions must hold.",
    .fields = on_fields,
    .fields_count = sizeof(on_fields) / sizeof(on_fields[0]),
    .example = "{ op: set, key: \"req-1:*\", nth: 2 }",
};

static const struct doc_field rule_fields[] = {
    {.key = "id",
     .help = "its name: small letters, digits and dashes",
     .kind = DOC_FIELD_CUSTOM,
     .read = read_id,
     .shape = "name",
     .json_schema = "{\"type\": \"string\", \"pattern\": \"^[a-z0-9-]+$\"}",
     .is_required = true,
     .offset = offsetof(struct raw, id),
     .node_at = DOC_NODE_AT(struct raw, id_node)},
    {.key = "on",
     .help = "which requests",
     .kind = DOC_FIELD_MAPPING,
     .schema = &on_schema,
     .preset = "every request",
     .offset = offsetof(struct raw, on)},
    {.key = "at",
     .help = "the point where it strikes; reply.header is reply.byte 0",
     .kind = DOC_FIELD_CUSTOM,
     .read = read_point,
     .shape = "point",
     .json_schema = TEXT_JSON,
     .is_required = true,
     .offset = offsetof(struct raw, at),
     .node_at = DOC_NODE_AT(struct raw, at_node)},
    {.key = "do",
     .help = "when it fires and what it does",
     .kind = DOC_FIELD_CUSTOM,
     .read = read_trigger,
     .shape = "trigger",
     .json_schema = TEXT_JSON,
     .is_required = true,
     .offset = offsetof(struct raw, do_node)},
    {.key = "after",
     .help = "an event, or a list of events that must all have happened before it matches",
     .kind = DOC_FIELD_CUSTOM,
     .read = read_events,
     .shape = "event or list of events",
     .json_schema = WORDS_JSON,
     .preset = "from the start",
     .offset = offsetof(struct raw, after)},
    {.key = "optional",
     .help = "a run in which it never fires has proved something all the same",
     .kind = DOC_FIELD_BOOL,
     .preset = "false",
     .offset = offsetof(struct raw, is_optional)},
};

const struct doc_schema fault_rule_schema = {
    .name = "fault",
    .help = "One fault: where it can strike, when it fires, what it does.",
    .fields = rule_fields,
    .fields_count = sizeof(rule_fields) / sizeof(rule_fields[0]),
    .example = "id: lost-reply\n"
               "on: { op: set, key: \"req-1:*\" }\n"
               "at: applied\n"
               "do: 1*drop-reply\n",
};

enum rt_status fault__rule_read(struct doc_reader *reader, const struct doc_node *node,
                                const struct fault_domain *const *domains, size_t domain_count,
                                struct fault_rule **out_rule)
{
    struct raw raw = {.id = NULL};
    struct fault_rule *rule = calloc(1, sizeof(*rule));
    enum rt_status status;

    if (rule == NULL) {
        return RT_E_NOMEM;
    }
    status = doc_schema_read(reader, &fault_rule_schema, node, &raw);
    if (status == RT_OK) {
        status = check_conditions(reader, &raw);
    }
    if (status == RT_OK) {
        rule->node = node;
        status = copy(rule, &raw);
    }
    if (status == RT_OK) {
        status = fault__trigger_parse(&rule->memory, raw.do_node, doc_text(raw.do_node),
                                      reader->errors, &rule->trigger);
    }
    if (status == RT_OK) {
        status = copy_points(rule, &raw);
    }
    if (status == RT_OK) {
        status =
            fault__rule_place(rule, reader->errors, domains, domain_count, raw.on.op, raw.at_node);
    }
    if (status != RT_OK) {
        fault__rule_destroy(rule);
        return status;
    }
    *out_rule = rule;
    return RT_OK;
}

/* ---- single values ----------------------------------------------------------------------- */

static enum rt_status read_id(struct doc_reader *reader, const struct doc_field *field,
                              const struct doc_node *node, void *destination)
{
    const char *text;
    enum rt_status status = doc_read_text(node, reader->errors, &text);

    (void)field;
    if (status == RT_OK && (!fault__is_id(doc_text(node)) || node->text_len_bytes > 100)) {
        doc_error_add(reader->errors, node,
                      "an id consists of small letters, digits and dashes, at most 100 of them");
        return RT_E_INVALID;
    }
    if (status == RT_OK) {
        *(const char **)destination = text;
    }
    return status;
}

static enum rt_status read_words(struct doc_reader *reader, const struct doc_field *field,
                                 const struct doc_node *node, void *destination)
{
    enum rt_status status = RT_OK;
    const char *text;

    (void)field;
    if (node->kind == DOC_KIND_SCALAR) {
        status = doc_read_text(node, reader->errors, &text);
    } else if (node->kind == DOC_KIND_MAPPING || node->count == 0) {
        doc_error_add(reader->errors, node, "expected one name or a list of names");
        return RT_E_INVALID;
    }
    for (size_t i = 0; node->kind == DOC_KIND_SEQUENCE && i < node->count; i++) {
        if (doc_read_text(node->items[i], reader->errors, &text) != RT_OK) {
            status = RT_E_INVALID;
        }
    }
    if (status == RT_OK) {
        *(const struct doc_node **)destination = node;
    }
    return status;
}

static enum rt_status read_pattern(struct doc_reader *reader, const struct doc_field *field,
                                   const struct doc_node *node, void *destination)
{
    const char *text;
    enum rt_status status = doc_read_text(node, reader->errors, &text);

    (void)field;
    if (status == RT_OK && !rt_glob_is_valid(doc_text(node))) {
        doc_error_add(reader->errors, node, "this pattern ends in the middle of an escape");
        return RT_E_INVALID;
    }
    if (status == RT_OK) {
        *(const struct doc_node **)destination = node;
    }
    return status;
}

static enum rt_status read_events(struct doc_reader *reader, const struct doc_field *field,
                                  const struct doc_node *node, void *destination)
{
    enum rt_status status = read_words(reader, field, node, destination);
    size_t count = node->kind == DOC_KIND_SCALAR ? 1 : node->count;

    for (size_t i = 0; status != RT_E_NOMEM && node->kind != DOC_KIND_MAPPING && i < count; i++) {
        const struct doc_node *item = node->kind == DOC_KIND_SCALAR ? node : node->items[i];
        struct doc_error *error;

        if (item->kind == DOC_KIND_SCALAR && !fault__is_event(doc_text(item))) {
            error = doc_error_add(reader->errors, item, "not the name of an event");
            doc_error_help(reader->errors, error,
                           "as in step.s1.done, worker-1.restarted, fault.x.fired");
            status = RT_E_INVALID;
        }
        for (size_t j = 0; item != node && item->kind == DOC_KIND_SCALAR && j < i; j++) {
            if (doc_is_equal(node->items[j], item)) {
                doc_error_add(reader->errors, item, "this event is listed twice");
                status = RT_E_INVALID;
                break;
            }
        }
    }
    return status;
}

static enum rt_status read_point(struct doc_reader *reader, const struct doc_field *field,
                                 const struct doc_node *node, void *destination)
{
    static const char BYTE[] = "reply.byte ";
    struct raw_point *at = destination;
    const char *words[FAULT_POINT_COUNT + 1];
    size_t count = 0;
    const char *text;
    int64_t offset;
    struct doc_error *error;

    (void)field;
    if (doc_read_text(node, reader->errors, &text) != RT_OK) {
        return RT_E_INVALID;
    }
    for (int point = 0; point < FAULT_POINT_COUNT; point++) {
        if (doc_is_text(node, fault_point_word((enum fault_point)point)) &&
            point != FAULT_AT_REPLY_BYTE) {
            at->point = (enum fault_point)point;
            return RT_OK;
        }
        words[count++] = fault_point_word((enum fault_point)point);
    }
    at->point = FAULT_AT_REPLY_BYTE;
    if (doc_is_text(node, "reply.header")) {
        return RT_OK;
    }
    if (strncmp(text, BYTE, sizeof(BYTE) - 1) == 0 &&
        doc_parse_integer(rt_slice_text(text + sizeof(BYTE) - 1), &offset, NULL) == RT_OK &&
        offset >= 0) {
        at->byte_offset = (uint64_t)offset;
        return RT_OK;
    }
    if (strncmp(text, BYTE, sizeof(BYTE) - 2) == 0) {
        error = doc_error_add(reader->errors, node, "reply.byte needs the number of a byte");
        doc_error_help(reader->errors, error, "as in reply.byte 40; the first is 0");
        return RT_E_INVALID;
    }
    words[count++] = "reply.header";
    error = doc_error_add(reader->errors, node, "unknown point \"%.60s\"", text);
    doc_error_allow(reader->errors, error, doc_text(node), words, count);
    return RT_E_INVALID;
}

/* Only that it is text: its small language is read when the rule has memory to keep it. */
static enum rt_status read_trigger(struct doc_reader *reader, const struct doc_field *field,
                                   const struct doc_node *node, void *destination)
{
    const char *text;
    enum rt_status status = doc_read_text(node, reader->errors, &text);

    (void)field;
    if (status == RT_OK) {
        *(const struct doc_node **)destination = node;
    }
    return status;
}

/* ---- the whole rule ---------------------------------------------------------------------- */

/* Conditions that can never hold at some points, because nobody knows such a thing there. */
static enum rt_status check_conditions(struct doc_reader *reader, const struct raw *raw)
{
    enum fault_point point = raw->at.point;
    bool is_process = fault__is_process_point(point);
    bool is_keyless = is_process || point == FAULT_AT_CONNECT || point == FAULT_AT_GREETING ||
                      point == FAULT_AT_HEARTBEAT;
    const struct {
        const struct doc_node *node;
        const char *word;
        bool is_refused;
    } rows[] = {
        {raw->on.key, "key", is_keyless},
        {raw->on.op, "op", is_process},
        {raw->on.client, "client", is_process},
        {raw->on.nth_node, "nth", is_process},
    };
    enum rt_status status = RT_OK;

    if (raw->on.worker != NULL && raw->on.etcd != NULL) {
        doc_error_add(reader->errors, raw->on.etcd, "either a worker or an etcd");
        status = RT_E_INVALID;
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].node != NULL && rows[i].is_refused) {
            doc_error_add(reader->errors, rows[i].node, "there is no `%s` at the point \"%s\"",
                          rows[i].word, fault_point_word(point));
            status = RT_E_INVALID;
        }
    }
    return status;
}

static enum rt_status copy(struct fault_rule *rule, const struct raw *raw)
{
    rule->id_node = raw->id_node;
    rule->do_node = raw->do_node;
    rule->is_optional = raw->is_optional;
    rule->point = raw->at.point;
    rule->byte_offset = raw->at.byte_offset;
    rule->nth = (uint64_t)raw->on.nth;
    rule->id = fault__copy(&rule->memory, rt_slice_text(raw->id));
    rule->point_text = fault__copy(&rule->memory, doc_text(raw->at_node));
    rule->trigger_text = fault__copy(&rule->memory, doc_text(raw->do_node));
    if (rule->id == NULL || rule->point_text == NULL || rule->trigger_text == NULL) {
        return RT_E_NOMEM;
    }
    if (raw->on.worker != NULL || raw->on.etcd != NULL) {
        rule->is_on_etcd = raw->on.etcd != NULL;
        rule->worker =
            fault__copy(&rule->memory, doc_text(rule->is_on_etcd ? raw->on.etcd : raw->on.worker));
        if (rule->worker == NULL) {
            return RT_E_NOMEM;
        }
    }
    if (raw->on.client != NULL) {
        rule->client = fault__copy(&rule->memory, doc_text(raw->on.client));
        if (rule->client == NULL) {
            return RT_E_NOMEM;
        }
    }
    if (raw->on.key != NULL && copy_key(rule, raw->on.key) != RT_OK) {
        return RT_E_NOMEM;
    }
    return raw->after == NULL ? RT_OK : copy_after(rule, raw->after);
}

static enum rt_status copy_key(struct fault_rule *rule, const struct doc_node *key)
{
    struct rt_slice pattern = doc_text(key);
    char *copied = fault__copy(&rule->memory, pattern);
    char *literal = fault__alloc(&rule->memory, pattern.len_bytes + 1);
    size_t len_bytes;

    if (copied == NULL || literal == NULL) {
        return RT_E_NOMEM;
    }
    rule->has_key = true;
    rule->key_pattern = rt_slice_of(copied, pattern.len_bytes);
    rule->key = rule->key_pattern;
    if (rt_glob_is_literal(pattern, literal, &len_bytes)) {
        rule->is_key_exact = true;
        rule->key = rt_slice_of(literal, len_bytes);
    }
    return RT_OK;
}

static enum rt_status copy_after(struct fault_rule *rule, const struct doc_node *after)
{
    bool is_list = after->kind == DOC_KIND_SEQUENCE;
    size_t count = is_list ? after->count : 1;

    rule->after = fault__alloc(&rule->memory, count * sizeof(*rule->after));
    if (rule->after == NULL) {
        return RT_E_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        const struct doc_node *node = is_list ? after->items[i] : after;

        rule->after[i].node = node;
        rule->after[i].text = fault__copy(&rule->memory, doc_text(node));
        if (rule->after[i].text == NULL) {
            return RT_E_NOMEM;
        }
    }
    rule->after_count = count;
    return RT_OK;
}

/* What every action of the trigger says about its rule. */
static enum rt_status copy_points(struct fault_rule *rule, const struct raw *raw)
{
    for (struct fault__term *term = rule->trigger.terms; term != NULL; term = term->next) {
        term->action.rule_id = rule->id;
        term->action.byte_offset = raw->at.byte_offset;
        term->action.point = rule->point;
        term->detail = fault__printf(&rule->memory, "%s at %s", term->source, rule->point_text);
        if (term->detail == NULL) {
            return RT_E_NOMEM;
        }
    }
    return RT_OK;
}
