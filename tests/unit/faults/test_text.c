/* SPDX-License-Identifier: Apache-2.0 */
#include "fault_fixture.h"

#include <stdio.h>

/* One rule in one line. */

static char message[256];

static enum rt_status arm_text(struct fixture *fx, const char *text)
{
    message[0] = '\0';
    return fault_arm_text(fx->engine, text, message, sizeof(message));
}

static void assert_not_armed(struct fixture *fx, const char *text, const char *words)
{
    size_t count = fault_rule_count(fx->engine);

    assert_int_equal(arm_text(fx, text), RT_E_INVALID);
    if (strstr(message, words) == NULL || strchr(message, '\n') != NULL) {
        fail_msg("wanted: %s, got: %s", words, message);
    }
    assert_int_equal(fault_rule_count(fx->engine), count);
}

static void text__all_parts__arms_the_rule(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(arm_text(fx, "lost-reply: on {op: set, key: \"req-1:*\"} at applied "
                                  "do 1*drop-reply after a.one, b.two"),
                     RT_OK);
    assert_null(ask(fx, SET, FAULT_AT_APPLIED, "req-1:a"));
    fault_event(fx->engine, "a.one");
    fault_event(fx->engine, "b.two");
    assert_null(ask(fx, SET, FAULT_AT_APPLIED, "req-2:a"));
    assert_null(ask(fx, DELETE, FAULT_AT_APPLIED, "req-1:a"));
    assert_int_equal(ask(fx, SET, FAULT_AT_APPLIED, "req-1:a")->kind, FAULT_DROP_REPLY);
    assert_null(ask(fx, SET, FAULT_AT_APPLIED, "req-1:a"));
    assert_null(info_of(fx, "lost-reply").node);
}

static void text__without_on_and_after__is_enough(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(arm_text(fx, "  "), RT_E_INVALID);
    assert_int_equal(arm_text(fx, "r:at request do rst"), RT_OK);
    assert_string_equal(who_fires(fx, "a"), "r");
    assert_string_equal(info_of(fx, "r").trigger, "rst");
}

static void text__point_of_two_words__is_taken_whole(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(arm_text(fx, "r: on {op: get} at reply.byte 40 do truncate"), RT_OK);
    assert_int_equal(ask(fx, GET, FAULT_AT_REPLY_BYTE, "a")->byte_offset, 40);
}

static void text__key_words_inside_of_quotes__are_text(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(
        arm_text(fx, "r: on {key: \" do } at \"} at request do status(1, \"not after 'it' at\")"),
        RT_OK);
    assert_string_equal(ask(fx, SET, FAULT_AT_REQUEST, " do } at ")->text, "not after 'it' at");
}

static void text__wrong_form__says_what_is_expected(void **state)
{
    struct fixture *fx = *state;

    assert_not_armed(fx, "", "id");
    assert_not_armed(fx, "no colon", "colon");
    assert_not_armed(fx, "r:", "at");
    assert_not_armed(fx, "r: on at request do rst", "braces");
    assert_not_armed(fx, "r: on {op: set at request do rst", "braces");
    assert_not_armed(fx, "r: at request", "do");
    assert_not_armed(fx, "r: at request do", "action is missing");
    assert_not_armed(fx, "r: at request do rst after", "event");
    assert_not_armed(fx, "r: at request do rst\n", "one line");
}

static void text__wrong_rule__says_what_a_file_would_hear(void **state)
{
    struct fixture *fx = *state;

    assert_not_armed(fx, "R: at request do rst", "small letters");
    assert_not_armed(fx, "r: at nowhere do rst", "unknown point");
    assert_not_armed(fx, "r: at request do rts", "did you mean \"rst\"?");
    assert_not_armed(fx, "r: at request do kill", "not possible");
    assert_not_armed(fx, "r: on {op: gett} at request do rst", "did you mean \"get\"?");
    assert_not_armed(fx, "r: on {op: } }} at request do rst", "at");
    assert_not_armed(fx, "r: at request do rst after fault.x.fired", "no fault");
}

static void text__id_that_is_taken__is_refused(void **state)
{
    struct fixture *fx = *state;

    assert_int_equal(arm_text(fx, "r: at request do rst"), RT_OK);
    assert_not_armed(fx, "r: at request do rst", "taken");
    assert_int_equal(fault_disarm(fx->engine, "r"), RT_OK);
    assert_int_equal(arm_text(fx, "r: at request do rst"), RT_OK);
}

static void message__small_room__is_cut_and_ended(void **state)
{
    struct fixture *fx = *state;
    char small[8];

    memset(small, 'x', sizeof(small));
    assert_int_equal(fault_arm_text(fx->engine, "r: at nowhere do rst", small, sizeof(small)),
                     RT_E_INVALID);
    assert_int_equal(strlen(small), sizeof(small) - 1);
}

static void text__very_long__is_refused(void **state)
{
    struct fixture *fx = *state;
    static char text[100000];

    memset(text, 'a', sizeof(text) - 1);
    memcpy(text, "r: at request do ", 17);
    assert_not_armed(fx, text, "long");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(text__all_parts__arms_the_rule),
        TEST(text__without_on_and_after__is_enough),
        TEST(text__point_of_two_words__is_taken_whole),
        TEST(text__key_words_inside_of_quotes__are_text),
        TEST(text__wrong_form__says_what_is_expected),
        TEST(text__wrong_rule__says_what_a_file_would_hear),
        TEST(text__id_that_is_taken__is_refused),
        TEST(message__small_room__is_cut_and_ended),
        TEST(text__very_long__is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
