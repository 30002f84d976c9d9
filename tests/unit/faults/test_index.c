/* SPDX-License-Identifier: Apache-2.0 */
#include "fault_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "runtime/random.h"

/* What asking costs, and that being quick changes no answer. */

#define RULE_COUNT 1000

/* Rules key-0, key-1, ... for exact keys of set at `request`. */
static void load_exact_keys(struct fixture *fx, size_t count, const char *trigger)
{
    char *yaml = NULL;
    size_t len_bytes;
    FILE *out = open_memstream(&yaml, &len_bytes);

    for (size_t i = 0; i < count; i++) {
        fprintf(out, "- { id: r-%zu, on: { op: set, key: key-%zu }, at: request, do: %s }\n", i, i,
                trigger);
    }
    assert_int_equal(fclose(out), 0);
    must_load(fx, yaml);
    free(yaml);
}

static uint64_t cost_of(struct fixture *fx, int operation, enum fault_point point, const char *key)
{
    uint64_t before = fault_looked_at_count(fx->engine);

    (void)ask(fx, operation, point, key);
    return fault_looked_at_count(fx->engine) - before;
}

/* The first subjects are shown to all rules, for their near misses. */
static void warm_up(struct fixture *fx)
{
    for (int i = 0; i < 100; i++) {
        (void)ask(fx, SET, FAULT_AT_REQUEST, "warm-up");
    }
}

static void rules_elsewhere__any_number__cost_nothing(void **state)
{
    struct fixture *fx = *state;

    load_exact_keys(fx, RULE_COUNT, "rst");
    assert_int_equal(cost_of(fx, GET, FAULT_AT_REQUEST, "key-1"), 0);
    assert_int_equal(cost_of(fx, SET, FAULT_AT_APPLIED, "key-1"), 0);
    assert_int_equal(cost_of(fx, NONE, FAULT_AT_CONNECT, NULL), 0);
}

static void exact_keys__any_number__only_the_right_one_is_looked_at(void **state)
{
    struct fixture *fx = *state;

    load_exact_keys(fx, RULE_COUNT, "rst");
    warm_up(fx);
    assert_int_equal(cost_of(fx, SET, FAULT_AT_REQUEST, "key-777"), 1);
    assert_string_equal(who_fires(fx, "key-777"), "r-777");
    assert_int_equal(cost_of(fx, SET, FAULT_AT_REQUEST, "another"), 0);
    assert_int_equal(cost_of(fx, SET, FAULT_AT_REQUEST, NULL), 0);
}

static void patterns_among_exact_keys__each_one__is_looked_at(void **state)
{
    struct fixture *fx = *state;

    load_exact_keys(fx, RULE_COUNT, "rst");
    must_load(fx, "- { id: g, on: { op: set, key: 'x*' }, at: request, do: rst }\n"
                  "- { id: h, on: { op: set, key: 'y*' }, at: request, do: rst }\n");
    warm_up(fx);
    assert_int_equal(cost_of(fx, SET, FAULT_AT_REQUEST, "yes"), 2);
    assert_string_equal(who_fires(fx, "yes"), "h");
}

static void spent_rules__any_number__cost_nothing(void **state)
{
    struct fixture *fx = *state;

    for (int i = 0; i < 50; i++) {
        char yaml[128];

        snprintf(yaml, sizeof(yaml), "- { id: r-%d, at: request, do: 1*rst }\n", i);
        must_load(fx, yaml);
    }
    for (int i = 0; i < 50; i++) {
        assert_string_not_equal(who_fires(fx, "a"), "");
    }
    assert_int_equal(cost_of(fx, SET, FAULT_AT_REQUEST, "a"), 0);
}

static void considered__every_subject_of_its_operation_and_point__is_counted(void **state)
{
    struct fixture *fx = *state;

    load_exact_keys(fx, 20, "2*rst");
    for (int i = 0; i < 100; i++) {
        (void)ask(fx, SET, FAULT_AT_REQUEST, "another");
        (void)ask(fx, GET, FAULT_AT_REQUEST, "key-1");
    }
    assert_int_equal(info_of(fx, "r-1").considered, 100);
    assert_int_equal(info_of(fx, "r-1").matched, 0);
    assert_string_equal(who_fires(fx, "key-1"), "r-1");
    assert_string_equal(who_fires(fx, "key-1"), "r-1");
    assert_string_equal(who_fires(fx, "key-1"), ""); /* spent: it does not look any more */
    assert_int_equal(info_of(fx, "r-1").considered, 102);
    assert_int_equal(info_of(fx, "r-1").matched, 2);
    assert_int_equal(info_of(fx, "r-1").fired, 2);
    assert_int_equal(info_of(fx, "r-2").considered, 103);
}

static void considered__rule_that_came_later__counts_from_then_on(void **state)
{
    struct fixture *fx = *state;

    must_load(fx, "- { id: one, at: request, do: rst, on: { key: a } }\n");
    assert_string_equal(who_fires(fx, "b"), "");
    must_load(fx, "- { id: two, at: request, do: rst, on: { key: a } }\n");
    assert_string_equal(who_fires(fx, "b"), "");
    assert_int_equal(info_of(fx, "one").considered, 2);
    assert_int_equal(info_of(fx, "two").considered, 1);
}

/* ---- against a model that looks at everything ---- */

#define MODEL_COUNT 60

struct model_rule {
    char letter; /* of the key "x", or the pattern "x*" */
    bool is_pattern;
    uint64_t left_count;
};

static void load_model(struct fixture *fx, struct rt_random *random, struct model_rule *model)
{
    char *yaml = NULL;
    size_t len_bytes;
    FILE *out = open_memstream(&yaml, &len_bytes);

    for (size_t i = 0; i < MODEL_COUNT; i++) {
        model[i] = (struct model_rule){.letter = (char)('a' + rt_random_below(random, 8)),
                                       .is_pattern = rt_random_below(random, 4) == 0,
                                       .left_count = 1 + rt_random_below(random, 5)};
        fprintf(out, "- { id: r-%zu, on: { key: '%c%s' }, at: request, do: %u*rst }\n", i,
                model[i].letter, model[i].is_pattern ? "*" : "", (unsigned)model[i].left_count);
    }
    assert_int_equal(fclose(out), 0);
    must_load(fx, yaml);
    free(yaml);
}

static void ask_model(struct model_rule *model, const struct rt_slice *keys, size_t key_count,
                      char out_id[16])
{
    out_id[0] = '\0';
    for (size_t i = 0; i < MODEL_COUNT; i++) {
        for (size_t k = 0; model[i].left_count > 0 && k < key_count; k++) {
            if (keys[k].data[0] == (uint8_t)model[i].letter &&
                (model[i].is_pattern || keys[k].len_bytes == 1)) {
                model[i].left_count--;
                snprintf(out_id, 16, "r-%zu", i);
                return;
            }
        }
    }
}

static void consider__random_rules_and_subjects__answers_as_a_plain_walk(void **state)
{
    static const char *const texts[] = {"a", "b", "c",  "d",  "e",  "f",
                                        "g", "h", "a2", "b2", "c2", "d2"};
    struct fixture *fx = *state;
    struct rt_random random;

    rt_random_init(&random, 3, "test");
    for (int round = 0; round < 20; round++) {
        struct model_rule model[MODEL_COUNT];

        start_again(fx, 1);
        load_model(fx, &random, model);
        for (int i = 0; i < 300; i++) {
            struct rt_slice keys[3];
            struct fault_subject subject = subject_of(SET, FAULT_AT_REQUEST, keys);
            const struct fault_action *action;
            char expected[16];

            subject.key_count = rt_random_below(&random, 4);
            for (size_t k = 0; k < subject.key_count; k++) {
                keys[k] = rt_slice_text(texts[rt_random_below(&random, 12)]);
            }
            ask_model(model, keys, subject.key_count, expected);
            action = fault_consider(fx->engine, &subject);
            assert_string_equal(action == NULL ? "" : action->rule_id, expected);
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rules_elsewhere__any_number__cost_nothing),
        TEST(exact_keys__any_number__only_the_right_one_is_looked_at),
        TEST(patterns_among_exact_keys__each_one__is_looked_at),
        TEST(spent_rules__any_number__cost_nothing),
        TEST(considered__every_subject_of_its_operation_and_point__is_counted),
        TEST(considered__rule_that_came_later__counts_from_then_on),
        TEST(consider__random_rules_and_subjects__answers_as_a_plain_walk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
