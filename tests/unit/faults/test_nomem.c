/* SPDX-License-Identifier: Apache-2.0 */
#include "fault_fixture.h"

#include <stdlib.h>

#include "support/failing_memory.h"

/*
 * One story is told again and again; the first time its first allocation fails, then its second,
 * until none does. Whatever fails must be said by a status and leak nothing.
 */

#define STORY_MAX 5000

static void on_resume(void *arg)
{
    ++*(int *)arg;
}

static const char RULES[] =
    "- { id: h, on: { op: [set, get], key: 'a*', worker: 'w*', client: 'c*' }, at: request,\n"
    "    do: '1*hold(x.y)->2*status(K_INVALID, \"no\")', after: [a.one, fault.x.fired] }\n"
    "- { id: x, on: { key: b }, at: request, do: 1*rst }\n"
    "- { id: k, on: { worker: w }, at: worker, do: 1*kill, after: a.one }\n"
    "- { id: m, on: { key: never }, at: request, do: bytes(00ff) }\n";

static void act(struct fixture *fx, struct fault_engine *engine)
{
    struct rt_slice key = rt_slice_text("b");
    struct fault_subject subject = subject_of(SET, FAULT_AT_REQUEST, &key);
    const struct fault_action *action = fault_consider(engine, &subject);
    struct fault_hold hold = {.link = NULL};
    struct fault_rule_info info;
    int resumed_count = 0;

    fault_event(engine, "a.one");
    key = rt_slice_text("abc");
    action = fault_consider(engine, &subject);
    if (action != NULL && action->kind == FAULT_HOLD &&
        fault_hold_start(engine, &hold, action, on_resume, &resumed_count) == RT_OK) {
        fault_event(engine, "x.y");
        settle(fx);
        assert_int_equal(resumed_count, 1);
    }
    for (size_t i = 0; i < fault_rule_count(engine); i++) {
        fault_rule_info(engine, i, &info);
        assert_non_null(info.closest);
        assert_non_null(info.closest_edit);
    }
}

static void tell(struct fixture *fx)
{
    struct fault_engine *engine = NULL;
    struct doc_error_list *errors = doc_error_list_create();
    struct doc_reader reader = {.errors = errors};
    char message[128];
    enum rt_status status = errors == NULL ? RT_E_NOMEM : RT_OK;

    if (status == RT_OK) {
        status =
            doc_load_text("f", rt_slice_text(RULES), DOC_MODE_STRICT, NULL, errors, &reader.doc);
    }
    if (status == RT_OK) {
        status = fault_engine_create(fx->loop, NULL, 1, &engine);
    }
    if (status == RT_OK) {
        status = fault_engine_register(engine, &test_domain);
    }
    if (status == RT_OK) {
        status = fault_rules_load(engine, NULL, 0, &reader, doc_root(reader.doc));
    }
    if (status == RT_OK) {
        status = fault_arm_text(engine, "t: on {key: zz} at request do rst", message, 128);
    }
    assert_true(status == RT_OK || (status == RT_E_NOMEM && failing_memory_has_failed()));
    if (status == RT_OK) {
        act(fx, engine);
    }
    fault_engine_destroy(engine);
    doc_destroy(reader.doc);
    doc_error_list_destroy(errors);
}

static void story__each_allocation_fails_once__is_said_and_leaks_nothing(void **state)
{
    size_t nth = 0;

    do {
        assert_true(nth < STORY_MAX);
        failing_memory_begin(nth++);
        tell(*state);
    } while (failing_memory_end());
    assert_true(nth > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            story__each_allocation_fails_once__is_said_and_leaks_nothing, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
