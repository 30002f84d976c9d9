/* SPDX-License-Identifier: Apache-2.0 */
#include "fault_fixture.h"

/* What is refused before anything starts, beside mistakes inside of triggers. */

static void id__missing_twice_or_misspelt__is_refused(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(load(fx, "- { at: request, do: rst }\n"), RT_E_INVALID);
    assert_non_null(find_error(fx, "id"));
    assert_refused(fx, "- { id: Big, at: request, do: rst }\n", 1, 9, 3, "small letters");
    assert_refused(fx, "- { id: a_b, at: request, do: rst }\n", 1, 9, 3, "small letters");
    assert_refused(fx, "- { id: '', at: request, do: rst }\n", 1, 9, 2, "small letters");
    assert_refused(fx,
                   "- { id: r, at: request, do: rst }\n"
                   "- { id: r, at: request, do: fin }\n",
                   2, 9, 1, "line 1");
}

static void id__of_an_armed_rule__is_taken(void **state)
{
    struct fixture *fx = *state;

    must_load(fx, "- { id: r, at: request, do: rst }\n");
    assert_refused(fx, "- { id: r, at: request, do: fin }\n", 1, 9, 1, "taken");
}

static void point__unknown__is_refused_with_the_nearest(void **state)
{
    struct fixture *fx = *state;

    assert_refused(fx, "- { id: r, at: aplied, do: drop-reply }\n", 1, 16, 6, "unknown point");
    assert_string_equal(find_error(fx, "unknown point")->nearest_word, "applied");
}

static void point__reply_byte_without_a_number__is_refused(void **state)
{
    struct fixture *fx = *state;

    assert_refused(fx, "- { id: r, at: reply.byte, do: truncate }\n", 1, 16, 10, "number");
    assert_refused(fx, "- { id: r, at: reply.byte -1, do: truncate }\n", 1, 16, 13, "number");
    assert_refused(fx, "- { id: r, at: reply.byte x, do: truncate }\n", 1, 16, 12, "number");
}

static void point__that_no_domain_has__is_refused(void **state)
{
    struct fixture *fx = *state;

    assert_refused(fx, "- { id: r, at: binding, do: 'null' }\n", 1, 16, 7, "binding");
}

static void operation__unknown__is_refused_with_the_nearest(void **state)
{
    struct fixture *fx = *state;

    assert_refused(fx, "- { id: r, on: { op: sett }, at: request, do: rst }\n", 1, 22, 4,
                   "unknown operation");
    assert_string_equal(find_error(fx, "unknown operation")->nearest_word, "set");
    assert_refused(fx, "- { id: r, on: { op: [set, gte] }, at: request, do: rst }\n", 1, 28, 3,
                   "unknown operation");
    assert_int_equal(load(fx, "- { id: r, on: { op: [] }, at: request, do: rst }\n"), RT_E_INVALID);
}

static void operation__that_never_comes_there__is_refused(void **state)
{
    struct fixture *fx = *state;

    assert_refused(fx, "- { id: r, on: { op: get }, at: applied, do: hold }\n", 1, 22, 3,
                   "never comes");
    assert_refused(fx, "- { id: r, on: { op: get }, at: connect, do: refuse }\n", 1, 22, 3,
                   "never comes");
}

static void action__that_the_point_cannot_do__is_refused_where_it_stands(void **state)
{
    struct fixture *fx = *state;
    const struct doc_error *error;

    assert_refused(fx, "- { id: r, at: applied, do: 1*hold->1*rst }\n", 1, 39, 3, "not possible");
    error = find_error(fx, "not possible");
    assert_int_equal(error->allowed_count, 3);
    assert_refused(fx, "- { id: r, at: request, do: kill }\n", 1, 29, 4, "not possible");
}

static void action__that_one_of_the_operations_cannot_do__is_refused(void **state)
{
    struct fixture *fx = *state;

    assert_refused(fx, "- { id: r, on: { op: set }, at: request, do: last-rc(6) }\n", 1, 46, 7,
                   "not possible");
    assert_refused(fx, "- { id: r, on: { op: [get, set] }, at: request, do: last-rc(6) }\n", 1, 53,
                   7, "not possible");
    must_load(fx, "- { id: r, on: { op: get }, at: request, do: last-rc(6) }\n");
}

static void actions__that_no_operation_can_all_do__are_refused(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(load(fx, "- { id: r, at: request, do: '1*last-rc(6)->duplicate' }\n"),
                     RT_E_INVALID);
    assert_non_null(find_error(fx, "no operation"));
}

static void condition__that_has_no_meaning_there__is_refused(void **state)
{
    struct fixture *fx = *state;

    assert_refused(fx, "- { id: r, on: { key: a }, at: connect, do: refuse }\n", 1, 23, 1, "key");
    assert_refused(fx, "- { id: r, on: { key: a }, at: heartbeat, do: mute }\n", 1, 23, 1, "key");
    assert_refused(fx, "- { id: r, on: { nth: 2 }, at: worker, do: kill }\n", 1, 23, 1, "nth");
    assert_refused(fx, "- { id: r, on: { client: c }, at: worker, do: kill }\n", 1, 26, 1,
                   "client");
}

static void condition__unknown_or_of_wrong_form__is_refused(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(load(fx, "- { id: r, on: { keys: a }, at: request, do: rst }\n"),
                     RT_E_INVALID);
    assert_int_equal(doc_error_at(fx->errors, 0)->column, 18);
    assert_string_equal(doc_error_at(fx->errors, 0)->nearest_word, "key");
    assert_int_equal(load(fx, "- { id: r, on: { nth: 0 }, at: request, do: rst }\n"), RT_E_INVALID);
    assert_refused(fx, "- { id: r, on: { key: 'a\\' }, at: request, do: rst }\n", 1, 23, 4,
                   "escape");
}

static void all_problems__of_several_rules__are_told_at_once(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(load(fx, "- { id: a, at: nowhere, do: rst }\n"
                              "- { id: b, at: request, do: rst }\n"
                              "- { id: c, at: request, do: 0*rst }\n"
                              "- { id: b, at: request, do: rst }\n"),
                     RT_E_INVALID);
    assert_int_equal(doc_error_total_count(fx->errors), 3);
    assert_int_equal(fault_rule_count(fx->engine), 0);
}

static void faults__that_are_no_list__are_refused(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(load(fx, "id: r\n"), RT_E_INVALID);
    assert_non_null(find_error(fx, "list"));
    assert_int_equal(load(fx, "- just a word\n"), RT_E_INVALID);
    assert_int_equal(load(fx, "[]\n"), RT_OK);
}

/* ---- after ---- */

static void after__unknown_fault__is_refused_with_the_nearest(void **state)
{
    struct fixture *fx = *state;

    assert_refused(fx,
                   "- { id: first, at: request, do: rst }\n"
                   "- { id: r, at: request, do: rst, after: fault.frist.fired }\n",
                   2, 47, 5, "no fault");
    assert_string_equal(find_error(fx, "no fault")->nearest_word, "first");
    assert_refused(fx, "- { id: r, at: request, do: hold(fault.x.fired) }\n", 1, 40, 1, "no fault");
}

static void after__something_else_of_a_fault__is_refused(void **state)
{
    struct fixture *fx = *state;

    assert_refused(fx, "- { id: r, at: request, do: rst, after: fault.r.done }\n", 1, 41, 12,
                   "fire");
}

static void after__no_event_or_twice_the_same__is_refused(void **state)
{
    struct fixture *fx = *state;

    assert_refused(fx, "- { id: r, at: request, do: rst, after: 'a b' }\n", 1, 41, 5, "event");
    assert_refused(fx, "- { id: r, at: request, do: rst, after: a..b }\n", 1, 41, 4, "event");
    assert_refused(fx, "- { id: r, at: request, do: rst, after: [a.b, a.b] }\n", 1, 47, 3, "twice");
    assert_int_equal(load(fx, "- { id: r, at: request, do: rst, after: [] }\n"), RT_E_INVALID);
}

static void after__fault_of_the_engine__may_be_named(void **state)
{
    struct fixture *fx = *state;

    must_load(fx, "- { id: old, on: { key: a }, at: request, do: rst }\n");
    must_load(fx, "- { id: new, on: { key: b }, at: request, do: rst, after: fault.old.fired }\n");
    assert_string_equal(who_fires(fx, "b"), "");
    assert_string_equal(who_fires(fx, "a"), "old");
    assert_string_equal(who_fires(fx, "b"), "new");
}

static void after__itself__is_a_cycle(void **state)
{
    assert_refused(*state, "- { id: r, at: request, do: rst, after: fault.r.fired }\n", 1, 41, 13,
                   "wait for each other");
}

static void after__round_three_faults__is_a_cycle_that_names_them(void **state)
{
    struct fixture *fx = *state;
    const struct doc_error *error;

    assert_int_equal(load(fx, "- { id: free, at: request, do: rst, after: fault.a.fired }\n"
                              "- { id: a, at: request, do: rst, after: [x.y, fault.c.fired] }\n"
                              "- { id: b, at: request, do: rst, after: fault.a.fired }\n"
                              "- { id: c, at: request, do: rst, after: 'fault.b.fired#2' }\n"),
                     RT_E_INVALID);
    assert_int_equal(doc_error_total_count(fx->errors), 1);
    error = find_error(fx, "wait for each other");
    assert_non_null(error);
    assert_non_null(strstr(error->message, "a after c after b after a"));
    assert_null(strstr(error->message, "free"));
}

static void after__diamond__is_no_cycle(void **state)
{
    must_load(*state, "- { id: d, at: request, do: rst, after: [fault.b.fired, fault.c.fired] }\n"
                      "- { id: c, at: request, do: rst, after: fault.a.fired }\n"
                      "- { id: b, at: request, do: rst, after: fault.a.fired }\n"
                      "- { id: a, at: request, do: rst }\n");
}

/* ---- without an engine ---- */

static void count_event(void *arg, const struct fault_event_use *use)
{
    static const char *const expected[] = {"step.a.done", "x.y", "later.on"};
    size_t *count = arg;

    assert_true(*count < 3);
    assert_string_equal(use->event, expected[*count]);
    assert_int_equal(use->len_bytes, strlen(use->event));
    assert_memory_equal(use->node->text + use->offset_bytes, use->event, use->len_bytes);
    ++*count;
}

static void load__without_engine__checks_against_the_given_domains(void **state)
{
    static const char YAML[] =
        "- { id: r, at: request, do: 1*rst->1*hold(later.on), after: [step.a.done, x.y] }\n"
        "- { id: bad, at: request, do: 'hold(' }\n"
        "- 3\n";
    const struct fault_domain *domains[] = {&fault_binding_domain, &test_domain};
    struct fixture *fx = *state;
    struct doc_reader reader = {.errors = fx->errors};
    size_t count = 0;

    assert_int_equal(doc_load_text("file.yaml",
                                   rt_slice_text("- { id: r, at: binding, do: 'null' "
                                                 "}\n"),
                                   DOC_MODE_STRICT, NULL, fx->errors, &reader.doc),
                     RT_OK);
    assert_int_equal(fault_rules_load(NULL, domains, 2, &reader, doc_root(reader.doc)), RT_OK);
    assert_int_equal(fault_rules_load(NULL, domains + 1, 1, &reader, doc_root(reader.doc)),
                     RT_E_INVALID);
    assert_int_equal(fault_rules_load(NULL, domains, 2, &reader, NULL), RT_OK);
    doc_destroy(reader.doc);

    doc_error_list_clear(fx->errors);
    assert_int_equal(doc_load_text("file.yaml", rt_slice_text(YAML), DOC_MODE_STRICT, NULL,
                                   fx->errors, &reader.doc),
                     RT_OK);
    assert_int_equal(fault_rule_events(doc_root(reader.doc), count_event, &count), RT_OK);
    assert_int_equal(count, 3);
    assert_int_equal(fault_rule_events(NULL, count_event, &count), RT_OK);
    assert_int_equal(doc_error_total_count(fx->errors), 0);
    doc_destroy(reader.doc);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(id__missing_twice_or_misspelt__is_refused),
        TEST(id__of_an_armed_rule__is_taken),
        TEST(point__unknown__is_refused_with_the_nearest),
        TEST(point__reply_byte_without_a_number__is_refused),
        TEST(point__that_no_domain_has__is_refused),
        TEST(operation__unknown__is_refused_with_the_nearest),
        TEST(operation__that_never_comes_there__is_refused),
        TEST(action__that_the_point_cannot_do__is_refused_where_it_stands),
        TEST(action__that_one_of_the_operations_cannot_do__is_refused),
        TEST(actions__that_no_operation_can_all_do__are_refused),
        TEST(condition__that_has_no_meaning_there__is_refused),
        TEST(condition__unknown_or_of_wrong_form__is_refused),
        TEST(all_problems__of_several_rules__are_told_at_once),
        TEST(faults__that_are_no_list__are_refused),
        TEST(after__unknown_fault__is_refused_with_the_nearest),
        TEST(after__something_else_of_a_fault__is_refused),
        TEST(after__no_event_or_twice_the_same__is_refused),
        TEST(after__fault_of_the_engine__may_be_named),
        TEST(after__itself__is_a_cycle),
        TEST(after__round_three_faults__is_a_cycle_that_names_them),
        TEST(after__diamond__is_no_cycle),
        TEST(load__without_engine__checks_against_the_given_domains),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
