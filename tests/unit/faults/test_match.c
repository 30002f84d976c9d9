/* SPDX-License-Identifier: Apache-2.0 */
#include "fault_fixture.h"

/* Which subjects a rule meets. */

static void key__exact__meets_that_key_only(void **state)
{
    struct fixture *fx = *state;

    must_load(fx, "- { id: r, on: { key: 'req-1:a' }, at: request, do: rst }\n");
    assert_string_equal(who_fires(fx, "req-1:a"), "r");
    assert_string_equal(who_fires(fx, "req-1:b"), "");
    assert_null(ask(fx, SET, FAULT_AT_REQUEST, NULL));
}

static void key__pattern__meets_what_it_describes(void **state)
{
    struct fixture *fx = *state;

    must_load(fx, "- { id: r, on: { key: 'req-?:*' }, at: request, do: rst }\n");
    assert_string_equal(who_fires(fx, "req-1:a"), "r");
    assert_string_equal(who_fires(fx, "req-2:"), "r");
    assert_string_equal(who_fires(fx, "req-10:a"), "");
    assert_null(ask(fx, SET, FAULT_AT_REQUEST, NULL));
}

static void key__escaped_star__is_a_star(void **state)
{
    struct fixture *fx = *state;

    must_load(fx, "- { id: r, on: { key: 'a\\*' }, at: request, do: rst }\n");
    assert_string_equal(who_fires(fx, "a*"), "r");
    assert_string_equal(who_fires(fx, "ab"), "");
}

static void key__of_several__is_enough(void **state)
{
    struct fixture *fx = *state;
    const struct rt_slice keys[] = {rt_slice_text("a"), rt_slice_text("b"), rt_slice_text("c")};
    struct fault_subject subject = subject_of(GET, FAULT_AT_REQUEST, keys);

    subject.key_count = 3;
    must_load(fx, "- { id: exact, on: { key: b }, at: request, do: 1*rst }\n"
                  "- { id: glob, on: { key: 'c*' }, at: request, do: 1*rst }\n");
    assert_string_equal(fault_consider(fx->engine, &subject)->rule_id, "exact");
    assert_string_equal(fx->records[0].key, "b");
    assert_string_equal(fault_consider(fx->engine, &subject)->rule_id, "glob");
    assert_string_equal(fx->records[1].key, "c");
}

static void worker_and_client__patterns__must_both_hold(void **state)
{
    struct fixture *fx = *state;
    struct rt_slice key = rt_slice_text("a");
    struct fault_subject subject = subject_of(SET, FAULT_AT_REQUEST, &key);

    must_load(fx, "- { id: r, on: { worker: 'worker-*', client: client-2 }, at: request, do: rst "
                  "}\n");
    assert_null(fault_consider(fx->engine, &subject));
    subject.client = "client-2";
    assert_non_null(fault_consider(fx->engine, &subject));
    subject.worker = "etcd-1";
    assert_null(fault_consider(fx->engine, &subject));
}

static void op__one_word__meets_that_operation(void **state)
{
    struct fixture *fx = *state;

    must_load(fx, "- { id: r, on: { op: get }, at: request, do: rst }\n");
    assert_non_null(ask(fx, GET, FAULT_AT_REQUEST, "a"));
    assert_null(ask(fx, SET, FAULT_AT_REQUEST, "a"));
}

static void op__list__meets_each_of_them(void **state)
{
    struct fixture *fx = *state;

    must_load(fx, "- { id: r, on: { op: [set, delete] }, at: request, do: rst }\n");
    assert_non_null(ask(fx, SET, FAULT_AT_REQUEST, "a"));
    assert_non_null(ask(fx, DELETE, FAULT_AT_REQUEST, "a"));
    assert_null(ask(fx, GET, FAULT_AT_REQUEST, "a"));
}

static void op__not_given__meets_all_that_come_there_and_none(void **state)
{
    struct fixture *fx = *state;

    must_load(fx, "- { id: r, at: request, do: rst }\n"
                  "- { id: c, at: connect, do: refuse }\n");
    assert_non_null(ask(fx, SET, FAULT_AT_REQUEST, "a"));
    assert_non_null(ask(fx, GET, FAULT_AT_REQUEST, "a"));
    assert_null(ask(fx, SET, FAULT_AT_APPLIED, "a"));
    assert_string_equal(ask(fx, NONE, FAULT_AT_CONNECT, NULL)->rule_id, "c");
}

static void op__not_given_and_an_action_of_get__meets_get_only(void **state)
{
    struct fixture *fx = *state;

    must_load(fx, "- { id: r, at: request, do: last-rc(K_OUT_OF_MEMORY) }\n");
    assert_non_null(ask(fx, GET, FAULT_AT_REQUEST, "a"));
    assert_null(ask(fx, SET, FAULT_AT_REQUEST, "a"));
    assert_false(fault_is_armed_at(fx->engine, &test_domain, SET, FAULT_AT_REQUEST));
}

static void two_rules__both_match__the_first_in_the_file_fires(void **state)
{
    struct fixture *fx = *state;

    must_load(fx, "- { id: z-first, on: { key: '*' }, at: request, do: 1*rst }\n"
                  "- { id: a-second, on: { key: a }, at: request, do: 1*rst }\n"
                  "- { id: m-third, at: request, do: 1*rst }\n");
    assert_string_equal(who_fires(fx, "a"), "z-first");
    assert_string_equal(who_fires(fx, "a"), "a-second");
    assert_string_equal(who_fires(fx, "a"), "m-third");
    assert_string_equal(who_fires(fx, "a"), "");
}

static void is_armed_at__rules_come_and_go__says_whether_asking_makes_sense(void **state)
{
    struct fixture *fx = *state;

    assert_false(fault_is_armed_at(NULL, &test_domain, SET, FAULT_AT_REQUEST));
    assert_false(fault_is_armed_at(fx->engine, &test_domain, SET, FAULT_AT_REQUEST));
    must_load(fx, "- { id: r, on: { op: set }, at: request, do: 1*rst }\n");
    assert_true(fault_is_armed_at(fx->engine, &test_domain, SET, FAULT_AT_REQUEST));
    assert_false(fault_is_armed_at(fx->engine, &test_domain, GET, FAULT_AT_REQUEST));
    assert_false(fault_is_armed_at(fx->engine, &test_domain, SET, FAULT_AT_APPLIED));
    assert_string_equal(who_fires(fx, "a"), "r");
    assert_false(fault_is_armed_at(fx->engine, &test_domain, SET, FAULT_AT_REQUEST));
}

static void consider__without_engine_or_unknown_domain__is_nothing(void **state)
{
    struct fixture *fx = *state;
    struct fault_subject subject = subject_of(SET, FAULT_AT_REQUEST, NULL);

    must_load(fx, "- { id: r, at: request, do: rst }\n");
    assert_null(fault_consider(NULL, &subject));
    subject.domain = &fault_binding_domain;
    assert_null(fault_consider(fx->engine, &subject));
}

static void disarm__rule__never_fires_again_and_keeps_its_numbers(void **state)
{
    struct fixture *fx = *state;

    must_load(fx, "- { id: r, at: request, do: rst }\n");
    assert_string_equal(who_fires(fx, "a"), "r");
    assert_int_equal(fault_disarm(fx->engine, "r"), RT_OK);
    assert_string_equal(who_fires(fx, "a"), "");
    assert_int_equal(info_of(fx, "r").fired, 1);
    assert_int_equal(info_of(fx, "r").considered, 1);
    assert_false(info_of(fx, "r").is_armed);
    assert_int_equal(fault_disarm(fx->engine, "r"), RT_E_NOT_FOUND);
    assert_int_equal(fault_disarm(fx->engine, "x"), RT_E_NOT_FOUND);
}

static void disarm__rule__frees_its_id(void **state)
{
    struct fixture *fx = *state;

    must_load(fx, "- { id: r, at: request, do: rst }\n");
    assert_int_equal(fault_disarm(fx->engine, "r"), RT_OK);
    must_load(fx, "- { id: r, at: request, do: fin }\n");
    assert_int_equal(ask(fx, SET, FAULT_AT_REQUEST, "a")->kind, FAULT_FIN);
    assert_int_equal(fault_rule_count(fx->engine), 2);
}

static void binding__fault_without_op__is_not_used_up_by_a_construction(void **state)
{
    struct fixture *fx = *state;
    struct fault_engine *engine;
    struct fault_subject subject = {.domain = &fault_binding_domain,
                                    .operation = FAULT_BINDING_CONSTRUCT,
                                    .point = FAULT_AT_BINDING,
                                    .worker = "",
                                    .client = "edge"};
    char error[256];

    assert_int_equal(fault_engine_create(fx->loop, NULL, 1, &engine), RT_OK);
    assert_int_equal(fault_engine_register(engine, &fault_binding_domain), RT_OK);
    assert_int_equal(fault_arm_text(engine, "r: at binding do 1*raise(K_INVALID)", error, 256),
                     RT_OK);
    assert_int_equal(fault_arm_text(engine, "h: at binding do 1*hold(a.b)", error, 256), RT_OK);
    assert_null(fault_consider(engine, &subject));
    subject.operation = FAULT_BINDING_GET;
    assert_string_equal(fault_consider(engine, &subject)->rule_id, "r");
    assert_string_equal(fault_consider(engine, &subject)->rule_id, "h");
    fault_engine_destroy(engine);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(key__exact__meets_that_key_only),
        TEST(key__pattern__meets_what_it_describes),
        TEST(key__escaped_star__is_a_star),
        TEST(key__of_several__is_enough),
        TEST(worker_and_client__patterns__must_both_hold),
        TEST(op__one_word__meets_that_operation),
        TEST(op__list__meets_each_of_them),
        TEST(op__not_given__meets_all_that_come_there_and_none),
        TEST(op__not_given_and_an_action_of_get__meets_get_only),
        TEST(two_rules__both_match__the_first_in_the_file_fires),
        TEST(is_armed_at__rules_come_and_go__says_whether_asking_makes_sense),
        TEST(consider__without_engine_or_unknown_domain__is_nothing),
        TEST(disarm__rule__never_fires_again_and_keeps_its_numbers),
        TEST(disarm__rule__frees_its_id),
        TEST(binding__fault_without_op__is_not_used_up_by_a_construction),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
