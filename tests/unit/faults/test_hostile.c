/* SPDX-License-Identifier: Apache-2.0 */
#include "fault_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "faults/trigger.h"
#include "runtime/random.h"

/* Whatever a text holds: an answer, an error with its place, nothing read beyond the end. */

static const char *const triggers[] = {
    "skip(2)->50%3*status(K_TRY_AGAIN, \"busy\")->delay(250ms)",
    "12.5%1*raise(K_INVALID, \"a \\\"b\\\" \\\\ \\n\")->2*off->hold(step.s1.done)",
    "1*restart(lost, 1.5s)->1*restart(kept)->kill",
    "3*hole(KVClient)->1*bytes(00ff10)->stall(2s)",
    "  1*hold( fault.x.fired#12 )->  1*last-rc( 6 ) -> reply-no-entries ",
    "1*drop-request->1*drop-reply->1*duplicate->1*rst->1*fin->1*cut->1*refuse->truncate",
};

#define TRIGGER_COUNT (sizeof(triggers) / sizeof(triggers[0]))

/* The text stands at the end of its memory, so that a sanitizer sees any step too far. */
static enum rt_status parse(struct fixture *fx, const void *text, size_t len_bytes)
{
    struct fault__memory memory = {.blocks = NULL};
    struct fault__trigger trigger = {.terms = NULL};
    uint8_t *copy = malloc(len_bytes == 0 ? 1 : len_bytes);
    enum rt_status status;

    assert_non_null(copy);
    memcpy(copy, text, len_bytes);
    doc_error_list_clear(fx->errors);
    status = fault__trigger_parse(&memory, doc_root(fx->docs[0]), rt_slice_of(copy, len_bytes),
                                  fx->errors, &trigger);
    assert_int_equal(doc_error_total_count(fx->errors), status == RT_OK ? 0 : 1);
    assert_true(status == RT_OK || status == RT_E_INVALID);
    assert_int_equal(trigger.terms != NULL, status == RT_OK);
    for (const struct fault__term *term = trigger.terms; term != NULL; term = term->next) {
        assert_true(term->offset_bytes + term->len_bytes <= len_bytes);
        assert_non_null(term->action.text);
    }
    fault__memory_fini(&memory);
    free(copy);
    return status;
}

static int set_up_node(void **state)
{
    struct fixture *fx;

    assert_int_equal(set_up(state), 0);
    fx = *state;
    must_load(fx, "[]\n"); /* errors need some node to point at */
    return 0;
}

static void trigger__whole__is_valid(void **state)
{
    for (size_t i = 0; i < TRIGGER_COUNT; i++) {
        assert_int_equal(parse(*state, triggers[i], strlen(triggers[i])), RT_OK);
    }
}

static void trigger__every_truncation__is_valid_or_one_error(void **state)
{
    for (size_t i = 0; i < TRIGGER_COUNT; i++) {
        for (size_t len_bytes = 0; len_bytes < strlen(triggers[i]); len_bytes++) {
            (void)parse(*state, triggers[i], len_bytes);
        }
        assert_int_equal(parse(*state, triggers[i], 0), RT_E_INVALID);
    }
}

static void trigger__every_byte_replaced__is_valid_or_one_error(void **state)
{
    static const char letters[] = {'\0', '"', '\\', '(', ')', ',',  '-', '>',    '%',
                                   '*',  '.', '9',  ' ', '#', '\n', 'x', '\x80', '\xff'};
    char text[128];

    for (size_t i = 0; i < TRIGGER_COUNT; i++) {
        size_t len_bytes = strlen(triggers[i]);

        for (size_t at = 0; at < len_bytes; at++) {
            for (size_t k = 0; k < sizeof(letters); k++) {
                memcpy(text, triggers[i], len_bytes);
                text[at] = letters[k];
                (void)parse(*state, text, len_bytes);
            }
        }
    }
}

static void trigger__random_pieces__are_valid_or_one_error(void **state)
{
    static const char *const pieces[] = {
        "skip(", "1)",   "->",  "50%",   "3*",   "0",    "status", "(",       ")",     ",",
        "\"",    "\\",   "off", "delay", "5ms",  "hold", "a.b",    "#",       "bytes", "f0",
        "raise", "K_OK", " ",   "-",     "1e99", ".",    "9999",   "\xc3\xa9"};
    struct rt_random random;
    char text[256];

    rt_random_init(&random, 1, "hostile");
    for (int i = 0; i < 20000; i++) {
        size_t count = 1 + rt_random_below(&random, 12);
        size_t used = 0;

        for (size_t k = 0; k < count; k++) {
            const char *piece = pieces[rt_random_below(&random, sizeof(pieces) / sizeof(*pieces))];

            memcpy(text + used, piece, strlen(piece));
            used += strlen(piece);
        }
        (void)parse(*state, text, used);
    }
}

static void trigger__numbers_beyond_all_bounds__are_refused(void **state)
{
    char digits[400];

    memset(digits, '9', sizeof(digits));
    memcpy(digits + sizeof(digits) - 4, "*rst", 4);
    assert_int_equal(parse(*state, digits, sizeof(digits)), RT_E_INVALID);
    digits[sizeof(digits) - 4] = '%';
    assert_int_equal(parse(*state, digits, sizeof(digits)), RT_E_INVALID);
    assert_int_equal(parse(*state, "skip(99999999999999999999)->rst", 31), RT_E_INVALID);
    assert_int_equal(parse(*state, "delay(99999999999999999999s)", 28), RT_E_INVALID);
    assert_int_equal(parse(*state, "status(99999999999999999999)", 28), RT_E_INVALID);
}

static void trigger__very_long__is_read_in_one_go(void **state)
{
    size_t count = 20000;
    char *text = malloc(count * 7);

    assert_non_null(text);
    for (size_t i = 0; i < count; i++) {
        memcpy(text + i * 7, "1*rst->", 7);
    }
    assert_int_equal(parse(*state, text, count * 7 - 2), RT_OK);
    assert_int_equal(parse(*state, text, count * 7), RT_E_INVALID);
    free(text);
}

static void rule__every_truncation_of_its_text__arms_or_says_why(void **state)
{
    static const char TEXT[] =
        "lost-reply: on {op: [set, get], key: \"req-1:*\", nth: 2} at request "
        "do 1*status(K_INVALID, \"no\")->hold(a.b) after step.s1.done, x.y";
    struct fixture *fx = *state;

    for (size_t len_bytes = 0; len_bytes < sizeof(TEXT); len_bytes++) {
        char text[sizeof(TEXT)];
        char message[256] = "";

        memcpy(text, TEXT, len_bytes);
        text[len_bytes] = '\0';
        start_again(fx, 1);
        if (fault_arm_text(fx->engine, text, message, sizeof(message)) == RT_OK) {
            assert_int_equal(fault_rule_count(fx->engine), 1);
        } else {
            assert_string_not_equal(message, "");
            assert_int_equal(fault_rule_count(fx->engine), 0);
        }
    }
    assert_int_equal(fault_rule_count(fx->engine), 1);
}

static void after__chain_of_many_faults__needs_no_deep_stack(void **state)
{
    struct fixture *fx = *state;
    char *yaml = NULL;
    size_t len_bytes;
    FILE *out = open_memstream(&yaml, &len_bytes);
    size_t count = 5000;

    for (size_t i = 0; i < count; i++) {
        fprintf(out, "- { id: r-%zu, at: request, do: rst, after: fault.r-%zu.fired }\n", i,
                (i + 1) % count);
    }
    assert_int_equal(fclose(out), 0);
    assert_int_equal(load(fx, yaml), RT_E_INVALID);
    assert_non_null(find_error(fx, "wait for each other"));
    free(yaml);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_node, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(trigger__whole__is_valid),
        TEST(trigger__every_truncation__is_valid_or_one_error),
        TEST(trigger__every_byte_replaced__is_valid_or_one_error),
        TEST(trigger__random_pieces__are_valid_or_one_error),
        TEST(trigger__numbers_beyond_all_bounds__are_refused),
        TEST(trigger__very_long__is_read_in_one_go),
        TEST(rule__every_truncation_of_its_text__arms_or_says_why),
        TEST(after__chain_of_many_faults__needs_no_deep_stack),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
