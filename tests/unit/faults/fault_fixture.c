/* SPDX-License-Identifier: Apache-2.0 */
#include "fault_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#define BIT(bit) (1u << (bit))

static const struct fault_operation operations[] = {
    [SET] = {"set", BIT(FAULT_AT_REQUEST) | BIT(FAULT_AT_APPLIED) | BIT(FAULT_AT_REPLY_BYTE)},
    [GET] = {"get", BIT(FAULT_AT_REQUEST) | BIT(FAULT_AT_REPLY_BYTE)},
    [DELETE] = {"delete", BIT(FAULT_AT_REQUEST) | BIT(FAULT_AT_APPLIED)},
    {NULL, 0},
};

static const struct fault_capability capabilities[] = {
    {FAULT_AT_CONNECT, BIT(FAULT_REFUSE) | BIT(FAULT_DELAY)},
    {FAULT_AT_REQUEST, ~(BIT(FAULT_KILL) | BIT(FAULT_RESTART) | BIT(FAULT_MUTE))},
    {FAULT_AT_APPLIED, BIT(FAULT_DROP_REPLY) | BIT(FAULT_HOLD) | BIT(FAULT_DELAY)},
    {FAULT_AT_REPLY_BYTE, BIT(FAULT_TRUNCATE) | BIT(FAULT_CORRUPT) | BIT(FAULT_STALL)},
    {FAULT_AT_HEARTBEAT, BIT(FAULT_MUTE)},
    {FAULT_AT_WORKER, BIT(FAULT_KILL) | BIT(FAULT_RESTART)},
};

static const struct fault_restriction restrictions[] = {
    {FAULT_LAST_RC, "get"},
    {FAULT_DUPLICATE, "set"},
    {FAULT_NO_ENTRIES, NULL},
};

const struct fault_domain test_domain = {
    .name = "test",
    .operations = operations,
    .capabilities = capabilities,
    .capability_count = sizeof(capabilities) / sizeof(capabilities[0]),
    .restrictions = restrictions,
};

static void keep_record(void *arg, const struct rt_record *record)
{
    struct fixture *fx = arg;
    struct record *kept = &fx->records[fx->record_count % RECORD_MAX];

    fx->record_count++;
    kept->kind = record->kind;
    kept->time_us = record->time_us;
    kept->id = record->id;
    kept->number = record->number;
    snprintf(kept->actor, sizeof(kept->actor), "%s", record->actor);
    snprintf(kept->subject, sizeof(kept->subject), "%s", record->subject);
    snprintf(kept->key, sizeof(kept->key), "%.*s", (int)record->key.len_bytes,
             record->key.data == NULL ? "" : (const char *)record->key.data);
    snprintf(kept->detail, sizeof(kept->detail), "%s", record->detail);
}

int set_up(void **state)
{
    struct fixture *fx = calloc(1, sizeof(*fx));

    assert_non_null(fx);
    fx->errors = doc_error_list_create();
    assert_non_null(fx->errors);
    assert_int_equal(rt_loop_create(RT_LOOP_SIMULATED, &fx->loop), RT_OK);
    assert_int_equal(rt_journal_create(fx->loop, 16, &fx->journal), RT_OK);
    assert_int_equal(rt_journal_attach(fx->journal, keep_record, fx), RT_OK);
    start_again(fx, 1);
    *state = fx;
    return 0;
}

void start_again(struct fixture *fx, uint64_t seed)
{
    fault_engine_destroy(fx->engine);
    assert_int_equal(fault_engine_create(fx->loop, fx->journal, seed, &fx->engine), RT_OK);
    assert_int_equal(fault_engine_register(fx->engine, &test_domain), RT_OK);
    fx->record_count = 0;
}

int tear_down(void **state)
{
    struct fixture *fx = *state;

    fault_engine_destroy(fx->engine);
    rt_journal_destroy(fx->journal);
    rt_loop_destroy(fx->loop);
    for (size_t i = 0; i < fx->doc_count; i++) {
        doc_destroy(fx->docs[i]);
    }
    doc_error_list_destroy(fx->errors);
    free(fx);
    return 0;
}

/* ---- loading ---- */

enum rt_status load(struct fixture *fx, const char *yaml)
{
    struct doc_reader reader = {.errors = fx->errors};

    doc_error_list_clear(fx->errors);
    if (fx->doc_count == DOC_MAX) {
        doc_destroy(fx->docs[--fx->doc_count]); /* rules outlive their documents */
    }
    assert_int_equal(doc_load_text("file.yaml", rt_slice_text(yaml), DOC_MODE_STRICT, NULL,
                                   fx->errors, &reader.doc),
                     RT_OK);
    fx->docs[fx->doc_count++] = reader.doc;
    return fault_rules_load(fx->engine, NULL, 0, &reader, doc_root(reader.doc));
}

void must_load(struct fixture *fx, const char *yaml)
{
    enum rt_status status = load(fx, yaml);

    if (status != RT_OK) {
        doc_error_list_print(stderr, fx->errors);
    }
    assert_int_equal(status, RT_OK);
    assert_int_equal(doc_error_total_count(fx->errors), 0);
}

void arm(struct fixture *fx, const char *trigger)
{
    char yaml[512];

    snprintf(yaml, sizeof(yaml), "- id: r\n  at: request\n  do: '%s'\n", trigger);
    must_load(fx, yaml);
}

void assert_refused(struct fixture *fx, const char *yaml, uint32_t line, uint32_t column,
                    uint32_t caret_count, const char *words)
{
    size_t rule_count = fault_rule_count(fx->engine);
    const struct doc_error *error;

    assert_int_equal(load(fx, yaml), RT_E_INVALID);
    error = find_error(fx, words);
    if (error == NULL || error->line != line || error->column != column ||
        error->caret_count != caret_count) {
        doc_error_list_print(stderr, fx->errors);
        fail_msg("wanted %u:%u, %u carets: %s", line, column, caret_count, words);
    }
    assert_int_equal(fault_rule_count(fx->engine), rule_count);
}

const struct doc_error *find_error(struct fixture *fx, const char *words)
{
    for (size_t i = 0; i < doc_error_count(fx->errors); i++) {
        const struct doc_error *error = doc_error_at(fx->errors, i);

        if (strstr(error->message, words) != NULL) {
            return error;
        }
    }
    return NULL;
}

/* ---- asking ---- */

struct fault_subject subject_of(int operation, enum fault_point point, const struct rt_slice *key)
{
    return (struct fault_subject){.domain = &test_domain,
                                  .operation = operation,
                                  .point = point,
                                  .worker = "worker-1",
                                  .client = "client-1",
                                  .keys = key,
                                  .key_count = key == NULL ? 0 : 1,
                                  .id = 7};
}

const struct fault_action *ask(struct fixture *fx, int operation, enum fault_point point,
                               const char *key)
{
    struct rt_slice slice = rt_slice_text(key);
    struct fault_subject subject = subject_of(operation, point, key == NULL ? NULL : &slice);

    return fault_consider(fx->engine, &subject);
}

const char *who_fires(struct fixture *fx, const char *key)
{
    const struct fault_action *action = ask(fx, SET, FAULT_AT_REQUEST, key);

    return action == NULL ? "" : action->rule_id;
}

const char *pattern_of(struct fixture *fx, enum fault_action_kind kind, size_t count)
{
    static char pattern[4096];

    assert_true(count < sizeof(pattern));
    for (size_t i = 0; i < count; i++) {
        const struct fault_action *action = ask(fx, SET, FAULT_AT_REQUEST, "a");

        pattern[i] = action != NULL && action->kind == kind ? '1' : '.';
    }
    pattern[count] = '\0';
    return pattern;
}

struct fault_rule_info info_of(struct fixture *fx, const char *id)
{
    struct fault_rule_info info = {.id = NULL};

    for (size_t i = 0; i < fault_rule_count(fx->engine); i++) {
        fault_rule_info(fx->engine, i, &info);
        if (strcmp(info.id, id) == 0) {
            return info;
        }
    }
    fail_msg("no rule %s", id);
    return info;
}

/* ---- time and records ---- */

void let_pass_us(struct fixture *fx, uint64_t duration_us)
{
    uint64_t deadline_us = rt_loop_now_us(fx->loop) + duration_us;
    enum rt_status status = rt_loop_run(fx->loop, NULL, NULL, deadline_us);

    assert_true(status == RT_E_TIMEOUT || status == RT_E_IDLE);
    assert_int_equal(rt_loop_now_us(fx->loop), deadline_us);
}

void settle(struct fixture *fx)
{
    let_pass_us(fx, 0);
}

size_t count_records(const struct fixture *fx, enum rt_record_kind kind)
{
    size_t count = 0;

    assert_true(fx->record_count <= RECORD_MAX);
    for (size_t i = 0; i < fx->record_count; i++) {
        count += fx->records[i].kind == kind ? 1 : 0;
    }
    return count;
}
