/* SPDX-License-Identifier: Apache-2.0 */
#include "fault_fixture.h"

/* What a valid trigger does, match by match. */

/* The first action of the trigger, which meets a get at `request`. */
static const struct fault_action *first_of(struct fixture *fx, const char *trigger)
{
    const struct fault_action *action;

    start_again(fx, 1);
    arm(fx, trigger);
    action = ask(fx, GET, FAULT_AT_REQUEST, "a");
    assert_non_null(action);
    assert_string_equal(action->rule_id, "r");
    return action;
}

static void action__without_arguments__is_that_kind(void **state)
{
    static const enum fault_action_kind kinds[] = {
        FAULT_NO_ENTRIES, FAULT_DROP_REQUEST, FAULT_DROP_REPLY, FAULT_RST,        FAULT_FIN,
        FAULT_CUT,        FAULT_REFUSE,       FAULT_TRUNCATE,   FAULT_CORRUPT,    FAULT_SUPPRESS,
        FAULT_NULL,       FAULT_STALL,        FAULT_HOLD,       FAULT_EMPTY_LIST, FAULT_BYTES,
    };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        assert_int_equal(first_of(*state, fault_action_word(kinds[i]))->kind, kinds[i]);
    }
}

static void status__by_name_and_number__is_the_code_of_the_wire(void **state)
{
    assert_int_equal(first_of(*state, "status(K_TRY_AGAIN)")->code, 19);
    assert_int_equal(first_of(*state, "status(19)")->code, 19);
    assert_int_equal(first_of(*state, "raise(K_RPC_UNAVAILABLE)")->code, 1002);
    assert_int_equal(first_of(*state, "last-rc(K_OUT_OF_MEMORY)")->code, 6);
}

static void status__without_a_text__has_the_empty_one(void **state)
{
    assert_string_equal(first_of(*state, "status(K_TRY_AGAIN)")->text, "");
}

static void text__with_commas_brackets_arrows_and_escapes__is_taken_whole(void **state)
{
    const struct fault_action *action =
        first_of(*state, "status( K_INVALID , \"a, (b) -> \\\"c\\\" \\\\ d\\ne\" )");

    assert_int_equal(action->code, 2);
    assert_string_equal(action->text, "a, (b) -> \"c\" \\ d\ne");
}

static void durations__with_units__are_microseconds(void **state)
{
    assert_int_equal(first_of(*state, "delay(250ms)")->duration_us, 250000);
    assert_int_equal(first_of(*state, "delay(1.5s)")->duration_us, 1500000);
    assert_int_equal(first_of(*state, "stall(2s)")->duration_us, 2000000);
    assert_int_equal(first_of(*state, "stall")->duration_us, 0);
}

static void hold__with_and_without_event__names_it(void **state)
{
    assert_null(first_of(*state, "hold")->event);
    assert_null(first_of(*state, "hold()")->event);
    assert_string_equal(first_of(*state, "hold(step.s1.done)")->event, "step.s1.done");
    assert_string_equal(first_of(*state, "hold(released)")->event, "released");
}

static void bytes__hexadecimal__become_bytes(void **state)
{
    const struct fault_action *action = first_of(*state, "bytes(00fFc1)");

    assert_int_equal(action->bytes.len_bytes, 3);
    assert_memory_equal(action->bytes.data, "\x00\xff\xc1", 3);
    assert_int_equal(first_of(*state, "bytes()")->bytes.len_bytes, 0);
}

static void hole__symbol__is_named_in_its_text(void **state)
{
    assert_string_equal(first_of(*state, "hole(WriteMode)")->text, "WriteMode");
}

static void term__without_count__stays_for_ever(void **state)
{
    struct fixture *fx = *state;

    arm(fx, "drop-reply");
    assert_string_equal(pattern_of(fx, FAULT_DROP_REPLY, 8), "11111111");
    assert_false(info_of(fx, "r").is_spent);
}

static void term__with_count__fires_so_often_and_is_spent(void **state)
{
    struct fixture *fx = *state;

    arm(fx, "3*drop-reply");
    assert_string_equal(pattern_of(fx, FAULT_DROP_REPLY, 6), "111...");
    assert_true(info_of(fx, "r").is_spent);
    assert_int_equal(info_of(fx, "r").fired, 3);
    assert_int_equal(info_of(fx, "r").matched, 3);
}

static void chain__next_term__follows_when_the_first_is_used_up(void **state)
{
    struct fixture *fx = *state;

    arm(fx, "2*rst->1*fin->delay(1ms)");
    assert_int_equal(ask(fx, SET, FAULT_AT_REQUEST, "a")->kind, FAULT_RST);
    assert_int_equal(ask(fx, SET, FAULT_AT_REQUEST, "a")->kind, FAULT_RST);
    assert_int_equal(ask(fx, SET, FAULT_AT_REQUEST, "a")->kind, FAULT_FIN);
    assert_int_equal(ask(fx, SET, FAULT_AT_REQUEST, "a")->kind, FAULT_DELAY);
    assert_int_equal(ask(fx, SET, FAULT_AT_REQUEST, "a")->kind, FAULT_DELAY);
    assert_int_equal(info_of(fx, "r").fired, 5);
}

static void chain__blanks_between__mean_nothing(void **state)
{
    struct fixture *fx = *state;

    arm(fx, "  1*rst  ->  1*fin ");
    assert_int_equal(ask(fx, SET, FAULT_AT_REQUEST, "a")->kind, FAULT_RST);
    assert_int_equal(ask(fx, SET, FAULT_AT_REQUEST, "a")->kind, FAULT_FIN);
    assert_null(ask(fx, SET, FAULT_AT_REQUEST, "a"));
}

static void skip__counts_matches__before_the_first_term(void **state)
{
    struct fixture *fx = *state;

    arm(fx, "skip(2)->2*drop-reply");
    assert_string_equal(pattern_of(fx, FAULT_DROP_REPLY, 6), "..11..");
    assert_int_equal(info_of(fx, "r").matched, 4);
    assert_int_equal(info_of(fx, "r").fired, 2);
}

static void skip__other_keys__are_not_counted(void **state)
{
    struct fixture *fx = *state;

    must_load(fx, "- { id: r, on: { key: a }, at: request, do: skip(1)->1*rst }\n");
    assert_string_equal(who_fires(fx, "b"), "");
    assert_string_equal(who_fires(fx, "a"), "");
    assert_string_equal(who_fires(fx, "b"), "");
    assert_string_equal(who_fires(fx, "a"), "r");
}

static void off__uses_its_count_up__and_does_nothing(void **state)
{
    struct fixture *fx = *state;

    arm(fx, "1*drop-reply->2*off->1*drop-reply");
    assert_string_equal(pattern_of(fx, FAULT_DROP_REPLY, 6), "1..1..");
    assert_int_equal(info_of(fx, "r").fired, 2);
}

static void off__in_the_first_rule__lets_the_next_one_act(void **state)
{
    struct fixture *fx = *state;

    must_load(fx, "- { id: one, at: request, do: 1*off->1*rst }\n"
                  "- { id: two, at: request, do: fin }\n");
    assert_string_equal(who_fires(fx, "a"), "two");
    assert_string_equal(who_fires(fx, "a"), "one");
    assert_string_equal(who_fires(fx, "a"), "two");
}

static void nth__only_that_match__fires(void **state)
{
    struct fixture *fx = *state;

    must_load(fx, "- { id: r, on: { key: 'a*', nth: 2 }, at: request, do: drop-reply }\n");
    assert_string_equal(who_fires(fx, "a1"), "");
    assert_string_equal(who_fires(fx, "b"), "");
    assert_string_equal(who_fires(fx, "a2"), "r");
    assert_string_equal(who_fires(fx, "a3"), "");
    assert_true(info_of(fx, "r").is_spent);
    assert_int_equal(info_of(fx, "r").matched, 1);
}

static void long_chain__all_parts__act_one_after_another(void **state)
{
    struct fixture *fx = *state;
    size_t fired_count = 0;

    arm(fx, "skip(2)->50%3*status(K_TRY_AGAIN, \"busy\")->delay(250ms)");
    assert_string_equal(pattern_of(fx, FAULT_STATUS, 2), "..");
    for (int i = 0; i < 1000 && fired_count < 3; i++) {
        const struct fault_action *action = ask(fx, SET, FAULT_AT_REQUEST, "a");

        assert_true(action == NULL || action->kind == FAULT_STATUS);
        if (action != NULL) {
            assert_string_equal(action->text, "busy");
            fired_count++;
        }
    }
    assert_int_equal(fired_count, 3);
    assert_string_equal(pattern_of(fx, FAULT_DELAY, 4), "1111");
}

static void firing__each__is_one_record(void **state)
{
    struct fixture *fx = *state;

    must_load(fx, "- { id: lost, at: request, do: '1*status(K_TRY_AGAIN, \"no\")->1*rst' }\n");
    assert_string_equal(who_fires(fx, "k"), "lost");
    assert_string_equal(who_fires(fx, "k"), "lost");
    assert_string_equal(who_fires(fx, "k"), "");
    assert_int_equal(fx->record_count, 2);
    assert_int_equal(fx->records[0].kind, RT_REC_FAULT_FIRED);
    assert_string_equal(fx->records[0].subject, "lost");
    assert_string_equal(fx->records[0].key, "k");
    assert_string_equal(fx->records[0].actor, "worker-1");
    assert_string_equal(fx->records[0].detail, "status(K_TRY_AGAIN, \"no\") at request");
    assert_int_equal(fx->records[0].id, 7);
    assert_string_equal(fx->records[1].detail, "rst at request");
}

static void reply_byte__number_of_the_rule__is_in_the_action(void **state)
{
    struct fixture *fx = *state;

    must_load(fx, "- { id: header, on: { op: get }, at: reply.header, do: corrupt }\n"
                  "- { id: later, on: { op: set }, at: reply.byte 40, do: truncate }\n");
    assert_int_equal(ask(fx, GET, FAULT_AT_REPLY_BYTE, "a")->byte_offset, 0);
    assert_int_equal(ask(fx, SET, FAULT_AT_REPLY_BYTE, "a")->byte_offset, 40);
    assert_string_equal(fx->records[1].detail, "truncate at reply.byte 40");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(action__without_arguments__is_that_kind),
        TEST(status__by_name_and_number__is_the_code_of_the_wire),
        TEST(status__without_a_text__has_the_empty_one),
        TEST(text__with_commas_brackets_arrows_and_escapes__is_taken_whole),
        TEST(durations__with_units__are_microseconds),
        TEST(hold__with_and_without_event__names_it),
        TEST(bytes__hexadecimal__become_bytes),
        TEST(hole__symbol__is_named_in_its_text),
        TEST(term__without_count__stays_for_ever),
        TEST(term__with_count__fires_so_often_and_is_spent),
        TEST(chain__next_term__follows_when_the_first_is_used_up),
        TEST(chain__blanks_between__mean_nothing),
        TEST(skip__counts_matches__before_the_first_term),
        TEST(skip__other_keys__are_not_counted),
        TEST(off__uses_its_count_up__and_does_nothing),
        TEST(off__in_the_first_rule__lets_the_next_one_act),
        TEST(nth__only_that_match__fires),
        TEST(long_chain__all_parts__act_one_after_another),
        TEST(firing__each__is_one_record),
        TEST(reply_byte__number_of_the_rule__is_in_the_action),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
