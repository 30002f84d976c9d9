/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements about the world: collect the numbers that a statement speaks of, compare each with
 * its range, then what is special to its kind.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "harness/language/scenario_numbers.h"
#include "harness/verdict/statement.h"
#include "runtime/glob.h"

typedef void statement_fn(struct scn_trial *trial);

static statement_fn say_metrics, say_requests, say_sent, say_arrivals, say_object, say_worker,
    say_fault, say_journal;

static statement_fn *const sayers[SCN_STATEMENT_COUNT] = {
    [SCN_SAY_METRICS] = say_metrics,
    [SCN_SAY_REQUESTS] = say_requests,
    [SCN_SAY_SENT] = say_sent,
    [SCN_SAY_ARRIVALS] = say_arrivals,
    [SCN_SAY_OBJECT] = say_object,
    [SCN_SAY_WORKER] = say_worker,
    [SCN_SAY_FAULT] = say_fault,
    [SCN_SAY_JOURNAL] = say_journal,
    [SCN_SAY_ETCD] = scn__say_etcd,
    [SCN_SAY_ETCD_REQUESTS] = scn__say_etcd_requests,
    [SCN_SAY_ETCD_KEY] = scn__say_etcd_key,
    [SCN_SAY_ETCD_KEYS] = scn__say_etcd_keys,
    [SCN_SAY_STREAM] = scn__say_stream,
};

bool scn_judge_statement(struct scn_judge *judge, const struct scn_check *check, bool is_trial)
{
    struct scn_trial trial = {
        .judge = judge, .check = check, .is_trial = is_trial, .is_held = true};

    if (!is_trial) {
        judge->findings->evaluated++;
    }
    sayers[check->kind](&trial);
    return trial.is_held;
}

/* The statement does not hold. NULL in a trial: nothing is reported. */
struct scn_finding *scn__broken(struct scn_trial *trial, const struct doc_node *node,
                                const char *what)
{
    static const char *const words[] = {
#define STATEMENT_WORD(name, word) word,
        SCN_STATEMENT_LIST(STATEMENT_WORD)
#undef STATEMENT_WORD
    };

    trial->is_held = false;
    if (trial->is_trial) {
        return NULL;
    }
    struct scn_finding *finding = scn_findings_add(trial->judge->findings, SCN_FAIL, node, "%s: %s",
                                                   words[trial->check->kind], what);
    if (finding != NULL) {
        finding->record_index = scn_recorder_count(trial->judge->world->recorder);
        finding->time_us = scn_world_now_us(trial->judge->world);
    }
    return finding;
}

void scn__compare(struct scn_trial *trial, const uint64_t *actual)
{
    const char *const *words = scn_number_words((enum scn_statement_kind)trial->check->kind);

    for (size_t i = 0; words[i] != NULL; i++) {
        const struct scn_number *number = &trial->check->statement.numbers[i];
        if (number->node != NULL && !doc_range_has(&number->range, (int64_t)actual[i])) {
            struct scn_finding *finding = scn__broken(trial, number->node, words[i]);
            scn_finding_expected(finding, "%s", number->node->text);
            scn_finding_actual(finding, "%" PRIu64, actual[i]);
        }
    }
}

bool scn__compare_presence(struct scn_trial *trial, bool is_there)
{
    const struct scn_statement *statement = &trial->check->statement;
    bool is_wanted = statement->present_node == NULL || statement->is_present;

    if (is_wanted != is_there) {
        struct scn_finding *finding = scn__broken(trial, trial->check->node, statement->key);
        scn_finding_expected(finding, "%s", is_wanted ? "present" : "absent");
        scn_finding_actual(finding, "%s", is_there ? "present" : "absent");
    }
    return is_wanted && is_there;
}

/* ---- counters ---- */

static void say_metrics(struct scn_trial *trial)
{
    struct scn_party *party =
        scn_world_party(trial->judge->world, trial->check->statement.connector);
    const struct omni_metrics *source = &party->metrics;

    scn_party_refresh(party);
    const uint64_t actual[] = {SCN_METRIC_NUMBERS(NUMBER_VALUE)};
    scn__compare(trial, actual);
}

static void say_sent(struct scn_trial *trial)
{
    const struct scn_statement *statement = &trial->check->statement;
    struct scn_party *party = scn_world_party(
        trial->judge->world, statement->client != NULL ? statement->client : statement->connector);
    const struct ds_rpc_counts *source = &party->counts[statement->op];

    scn_party_refresh(party);
    const uint64_t actual[] = {SCN_SENT_NUMBERS(NUMBER_VALUE)};
    scn__compare(trial, actual);
}

static void say_worker(struct scn_trial *trial)
{
    struct fakeds_counts counts;
    const struct fakeds_counts *source = &counts;

    fakeds_worker_counts(
        scn_world_worker(trial->judge->world, trial->check->statement.worker)->fake, &counts);
    const uint64_t actual[] = {SCN_WORKER_NUMBERS(NUMBER_VALUE)};
    scn__compare(trial, actual);
}

static void say_fault(struct scn_trial *trial)
{
    struct fault_rule_info info = {0};
    const struct fault_rule_info *source = &info;
    struct fault_engine *faults = trial->judge->world->faults;

    for (size_t i = 0; i < fault_rule_count(faults); i++) {
        fault_rule_info(faults, i, &info);
        if (strcmp(info.id, trial->check->statement.id) == 0) {
            const uint64_t actual[] = {SCN_FAULT_NUMBERS(NUMBER_VALUE)};
            scn__compare(trial, actual);
            return;
        }
    }
    struct scn_finding *finding = scn__broken(trial, trial->check->node, "no such fault");
    scn_finding_expected(finding, "a fault with the id %s", trial->check->statement.id);
    scn_finding_actual(finding, "%zu others", fault_rule_count(faults));
}

/* ---- records ---- */

bool scn_is_match(const char *pattern, struct rt_slice text)
{
    return pattern == NULL || rt_glob_matches(rt_slice_text(pattern), text);
}

static bool is_request_record(const struct scn_trial *trial, const struct rt_record *record,
                              enum rt_record_kind kind)
{
    const struct scn_statement *statement = &trial->check->statement;

    return record->kind == kind && strcmp(record->actor, statement->worker) == 0 &&
           strcmp(record->subject, dsrpc_op_word((enum dsrpc_op)statement->op)) == 0 &&
           scn_is_match(statement->key, record->key);
}

/* With a key pattern arrivals and applications are counted from the records. */
static void say_requests(struct scn_trial *trial)
{
    const struct scn_statement *statement = &trial->check->statement;
    struct fakeds_op_counts counts;
    const struct fakeds_op_counts *source = &counts;
    const struct scn_recorder *recorder = trial->judge->world->recorder;

    fakeds_worker_op_counts(scn_world_worker(trial->judge->world, statement->worker)->fake,
                            (enum dsrpc_op)statement->op, &counts);
    if (statement->key != NULL) {
        counts.arrived = 0;
        counts.applied = 0;
        for (size_t i = 0; i < scn_recorder_count(recorder); i++) {
            const struct rt_record *record = scn_recorder_at(recorder, i);
            counts.arrived += is_request_record(trial, record, RT_REC_RPC_ARRIVED);
            counts.applied += is_request_record(trial, record, RT_REC_RPC_APPLIED);
        }
    }
    const uint64_t actual[] = {SCN_REQUEST_NUMBERS(NUMBER_VALUE)};
    scn__compare(trial, actual);
}

/* "0s, 1ms, 6ms" of what was seen. */
static void arrivals_text(const struct scn_trial *trial, char *out_text, size_t text_bytes)
{
    const struct scn_recorder *recorder = trial->judge->world->recorder;
    uint64_t first_us = RT_NEVER;
    size_t used = 0;

    out_text[0] = '\0';
    for (size_t i = 0; i < scn_recorder_count(recorder) && used < text_bytes; i++) {
        const struct rt_record *record = scn_recorder_at(recorder, i);
        char duration[DOC_QUANTITY_TEXT_BYTES];
        if (!is_request_record(trial, record, RT_REC_RPC_ARRIVED)) {
            continue;
        }
        bool is_first = first_us == RT_NEVER;
        first_us = is_first ? record->time_us : first_us;
        doc_print_duration(record->time_us - first_us, duration);
        used += (size_t)snprintf(out_text + used, text_bytes - used, "%s%s", is_first ? "" : ", ",
                                 duration);
    }
}

static void say_arrivals(struct scn_trial *trial)
{
    const struct scn_statement *statement = &trial->check->statement;
    const struct scn_recorder *recorder = trial->judge->world->recorder;
    const uint64_t *expected = statement->after_first.items;
    uint64_t first_us = RT_NEVER;
    size_t seen = 0;
    bool is_right = true;

    for (size_t i = 0; i < scn_recorder_count(recorder); i++) {
        const struct rt_record *record = scn_recorder_at(recorder, i);
        if (!is_request_record(trial, record, RT_REC_RPC_ARRIVED)) {
            continue;
        }
        first_us = first_us == RT_NEVER ? record->time_us : first_us;
        if (seen < statement->after_first.count) {
            struct doc_range range = {.unit = DOC_UNIT_DURATION,
                                      .has_min = true,
                                      .has_max = true,
                                      .min = (int64_t)expected[seen],
                                      .max = (int64_t)expected[seen]};
            is_right = is_right &&
                       scn_is_duration_in(trial->judge->world, &range, record->time_us - first_us);
        }
        seen++;
    }
    if (!is_right || seen != statement->after_first.count) {
        char text[1024];
        struct scn_finding *finding = scn__broken(trial, statement->after_first_node, "arrivals");
        arrivals_text(trial, text, sizeof(text));
        scn_finding_expected(finding, "%zu requests at the times of the file",
                             statement->after_first.count);
        scn_finding_actual(finding, "%zu requests at %s", seen, text);
    }
}

struct scn_journal_numbers {
    uint64_t count;
};

static bool is_wanted_record(const struct scn_trial *trial, const struct rt_record *record)
{
    const struct scn_statement *statement = &trial->check->statement;
    struct scn_world *world = trial->judge->world;

    return scn_is_match(statement->record_kind, rt_slice_text(rt_record_kind_text(record->kind))) &&
           scn_is_match(statement->actor, rt_slice_text(record->actor)) &&
           scn_is_match(statement->subject, rt_slice_text(record->subject)) &&
           scn_is_match(statement->key, record->key) &&
           scn_is_match(statement->detail, rt_slice_text(record->detail)) &&
           (statement->at_node == NULL ||
            scn_is_duration_in(
                world, &statement->at,
                record->time_us < world->start_us ? 0 : record->time_us - world->start_us));
}

static void say_journal(struct scn_trial *trial)
{
    const struct scn_recorder *recorder = trial->judge->world->recorder;
    struct scn_journal_numbers numbers = {0};
    const struct scn_journal_numbers *source = &numbers;

    for (size_t i = 0; i < scn_recorder_count(recorder); i++) {
        numbers.count += is_wanted_record(trial, scn_recorder_at(recorder, i));
    }
    const uint64_t actual[] = {SCN_JOURNAL_NUMBERS(NUMBER_VALUE)};
    scn__compare(trial, actual);
    if (trial->check->statement.numbers[0].node == NULL && numbers.count == 0) {
        struct scn_finding *finding = scn__broken(trial, trial->check->node, "no record matches");
        scn_finding_expected(finding, "at least one");
        scn_finding_actual(finding, "none of %zu", scn_recorder_count(recorder));
    }
}

/* ---- objects ---- */

struct scn_object_numbers {
    uint64_t size_bytes;
};

static void compare_object_data(struct scn_trial *trial, const struct fakeds_object *object)
{
    const struct doc_node *node = trial->check->statement.data_node;
    char text[512];

    struct rt_slice expected = rt_blob_slice(scn_payload_raw(trial->judge->world->payloads, node));
    struct rt_slice actual =
        object->value == NULL ? (struct rt_slice){0} : rt_blob_slice(object->value);
    if (!rt_slice_equal(expected, actual)) {
        struct scn_finding *finding = scn__broken(trial, node, "data");
        scn_describe_difference(expected, actual, text, sizeof(text));
        scn_finding_expected(finding, "%zu bytes as in the file", expected.len_bytes);
        scn_finding_actual(finding, "%s", text);
    }
}

static void say_object(struct scn_trial *trial)
{
    const struct scn_statement *statement = &trial->check->statement;
    struct fakeds_object object;
    bool is_there =
        fakeds_worker_find(scn_world_worker(trial->judge->world, statement->worker)->fake,
                           rt_slice_text(statement->key), &object);

    if (!scn__compare_presence(trial, is_there)) {
        return;
    }
    struct scn_object_numbers numbers = {.size_bytes = object.size_bytes};
    const struct scn_object_numbers *source = &numbers;
    const uint64_t actual[] = {SCN_OBJECT_NUMBERS(NUMBER_VALUE)};
    scn__compare(trial, actual);
    if (statement->mode_node != NULL && (uint32_t)statement->mode != object.write_mode) {
        struct scn_finding *finding = scn__broken(trial, statement->mode_node, "write mode");
        scn_finding_expected(finding, "%s", statement->mode_node->text);
        scn_finding_actual(finding, "mode %" PRIu32, object.write_mode);
    }
    if (statement->data_node != NULL) {
        compare_object_data(trial, &object);
    }
}
