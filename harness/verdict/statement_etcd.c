/* SPDX-License-Identifier: Apache-2.0 */
/* Statements about etcds and about streams that steps have opened. */
#include "harness/verdict/statement.h"

#include "harness/calls/etcd_call.h"
#include "harness/language/etcd_message.h"
#include "harness/language/scenario_numbers.h"

#include <inttypes.h>

struct scn_etcd_numbers {
    uint64_t revision;
    uint64_t compacted;
    uint64_t keys;
    uint64_t leases;
    uint64_t leases_expired;
    uint64_t keepalives;
    uint64_t watchers;
    uint64_t connections;
    uint64_t connections_total;
    uint64_t malformed_connections;
    uint64_t raft_term;
};

struct scn_etcd_keys_numbers {
    uint64_t count;
};

struct scn_stream_numbers {
    uint64_t messages;
    uint64_t events;
};

#define TEXT_BYTES 400

static struct fakeetcd_server *server_of(const struct scn_trial *trial)
{
    return scn_world_etcd(trial->judge->world, trial->check->statement.etcd)->fake;
}

void scn__say_etcd(struct scn_trial *trial)
{
    struct fakeetcd_server *server = server_of(trial);
    const struct fakeetcd_state *state = fakeetcd_server_state(server);
    struct fakeetcd_counts counts = {0};
    struct fakeetcd_store_counts store = {0};

    fakeetcd_server_counts(server, &counts);
    fakeetcd_store_counts(state->store, &store);
    const struct scn_etcd_numbers numbers = {
        .revision = (uint64_t)fakeetcd_store_revision(state->store),
        .compacted = (uint64_t)fakeetcd_store_compacted(state->store),
        .keys = store.keys,
        .leases = counts.leases,
        .leases_expired = counts.leases_expired,
        .keepalives = counts.keepalives,
        .watchers = counts.watchers,
        .connections = counts.connections,
        .connections_total = counts.connections_total,
        .malformed_connections = counts.malformed_connections,
        .raft_term = state->raft_term,
    };
    const struct scn_etcd_numbers *source = &numbers;
    const uint64_t actual[] = {SCN_ETCD_NUMBERS(NUMBER_VALUE)};
    scn__compare(trial, actual);
}

void scn__say_etcd_requests(struct scn_trial *trial)
{
    struct fakeetcd_op_counts counts = {0};
    const struct fakeetcd_op_counts *source = &counts;

    (void)fakeetcd_server_op_counts(
        server_of(trial), scn_etcd_method(trial->check->statement.etcd_op)->word, &counts);
    const uint64_t actual[] = {SCN_ETCD_REQUEST_NUMBERS(NUMBER_VALUE)};
    scn__compare(trial, actual);
}

void scn__say_etcd_key(struct scn_trial *trial)
{
    const struct scn_statement *statement = &trial->check->statement;
    struct fakeetcd_kv kv = {0};
    const struct fakeetcd_kv *source = &kv;
    char text[TEXT_BYTES];
    bool is_there = fakeetcd_store_get(fakeetcd_server_state(server_of(trial))->store,
                                       rt_slice_text(statement->key), 0, &kv);

    if (!scn__compare_presence(trial, is_there)) {
        return;
    }
    const uint64_t actual[] = {SCN_ETCD_KEY_NUMBERS(NUMBER_VALUE)};
    scn__compare(trial, actual);
    if (statement->value_node != NULL && !scn_is_match(statement->value, kv.value)) {
        struct scn_finding *finding = scn__broken(trial, statement->value_node, "value");
        scn_message_print_bytes(kv.value, text, sizeof(text));
        scn_finding_expected(finding, "%s", statement->value);
        scn_finding_actual(finding, "%s", text);
    }
}

void scn__say_etcd_keys(struct scn_trial *trial)
{
    struct rt_slice prefix = rt_slice_text(trial->check->statement.prefix);
    struct scn_etcd_keys_numbers numbers = {0};
    const struct scn_etcd_keys_numbers *source = &numbers;
    uint8_t end[SCN_PREFIX_BYTES_MAX];
    struct fakeetcd_interval interval = fakeetcd_every_key;

    if (prefix.len_bytes > 0) {
        interval.key = prefix;
        interval.end = rt_slice_of(end, scn_message_prefix_end(prefix, end));
    }
    numbers.count =
        fakeetcd_store_count(fakeetcd_server_state(server_of(trial))->store, &interval, 0);
    const uint64_t actual[] = {SCN_ETCD_KEYS_NUMBERS(NUMBER_VALUE)};
    scn__compare(trial, actual);
}

/* ---- streams ---- */

static void compare_events(struct scn_trial *trial, const struct scn_etcd_call *etcd)
{
    const struct scn_statement *statement = &trial->check->statement;
    const char *const *expected = statement->events.items;
    char text[TEXT_BYTES];

    for (size_t i = 0; i < statement->events.count || i < scn_etcd_event_count(etcd); i++) {
        bool is_there = scn_etcd_event_text(etcd, i, text, sizeof(text));
        bool is_wanted = i < statement->events.count;
        if (is_there && is_wanted && scn_is_match(expected[i], rt_slice_text(text))) {
            continue;
        }
        struct scn_finding *finding = scn__broken(trial, statement->events_node, "events");
        scn_finding_expected(finding, "event %zu: %s", i + 1, is_wanted ? expected[i] : "none");
        scn_finding_actual(finding, "event %zu: %s", i + 1, is_there ? text : "none");
        return;
    }
}

static void compare_last(struct scn_trial *trial, const struct scn_etcd_call *etcd)
{
    const struct doc_node *node = trial->check->statement.last_node;
    struct scn_message_difference difference = {.node = node, .actual = "no message"};

    if (etcd->reply_count > 0 &&
        scn_message_match(etcd->replies[etcd->reply_count - 1], node, &difference)) {
        return;
    }
    struct scn_finding *finding = scn__broken(trial, difference.node, "last message");
    scn_finding_expected(finding, "%s", difference.expected);
    scn_finding_actual(finding, "%s", difference.actual);
}

static void compare_end(struct scn_trial *trial, const struct scn_etcd_call *etcd)
{
    const struct scn_statement *statement = &trial->check->statement;
    const char *const *texts = statement->texts.items;
    const char *text = etcd->text == NULL ? "" : etcd->text;

    if (statement->ended_node != NULL && statement->is_ended != etcd->is_ended) {
        struct scn_finding *finding = scn__broken(trial, statement->ended_node, "end");
        scn_finding_expected(finding, "%s", statement->is_ended ? "ended" : "open");
        scn_finding_actual(finding, "%s: %s", etcd->is_ended ? "ended" : "open", text);
    }
    if (statement->grpc_node != NULL && (!etcd->is_ended || statement->grpc_code != etcd->code)) {
        struct scn_finding *finding = scn__broken(trial, statement->grpc_node, "code");
        scn_finding_expected(finding, "%s", statement->grpc_node->text);
        scn_finding_actual(finding, "%s %" PRId32 ": %s", etcd->is_ended ? "ended with" : "open",
                           etcd->code, text);
    }
    for (size_t i = 0; i < statement->texts.count; i++) {
        if (strstr(text, texts[i]) == NULL) {
            struct scn_finding *finding = scn__broken(trial, statement->text_node, "message");
            scn_finding_expected(finding, "contains \"%s\"", texts[i]);
            scn_finding_actual(finding, "\"%s\"", text);
        }
    }
}

void scn__say_stream(struct scn_trial *trial)
{
    const struct scn_statement *statement = &trial->check->statement;
    const struct scn_call *call = trial->judge->find_call(trial->judge->arg, statement->id);
    struct scn_stream_numbers numbers = {0};
    const struct scn_stream_numbers *source = &numbers;

    if (call == NULL || call->etcd == NULL) {
        struct scn_finding *finding = scn__broken(trial, trial->check->node, statement->id);
        scn_finding_expected(finding, "a stream");
        scn_finding_actual(finding, "the step was not made");
        return;
    }
    numbers.messages = call->etcd->reply_count;
    numbers.events = scn_etcd_event_count(call->etcd);
    const uint64_t actual[] = {SCN_STREAM_NUMBERS(NUMBER_VALUE)};
    scn__compare(trial, actual);
    if (statement->events_node != NULL) {
        compare_events(trial, call->etcd);
    }
    if (statement->last_node != NULL) {
        compare_last(trial, call->etcd);
    }
    compare_end(trial, call->etcd);
}
