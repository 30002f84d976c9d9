/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#define RING_COUNT     4
#define LONG_BYTES     500
#define SEEN_MAX_COUNT 16
#define ELLIPSIS       "\xe2\x80\xa6"

struct fixture {
    struct rt_loop *loop;
    struct rt_journal *journal;
    uint64_t seen_seqs[SEEN_MAX_COUNT];
    char seen_details[SEEN_MAX_COUNT][LONG_BYTES + 8];
    struct rt_record last; /* its texts are valid during a walk only */
    size_t seen_count;
};

static void see(void *arg, const struct rt_record *record)
{
    struct fixture *fx = arg;

    assert_true(fx->seen_count < SEEN_MAX_COUNT);
    fx->seen_seqs[fx->seen_count] = record->seq;
    snprintf(fx->seen_details[fx->seen_count], LONG_BYTES + 8, "%s", record->detail);
    fx->seen_count++;
    fx->last = *record;
}

static int set_up(void **state)
{
    struct fixture *fx = calloc(1, sizeof(*fx));

    assert_int_equal(rt_loop_create(RT_LOOP_SIMULATED, &fx->loop), RT_OK);
    assert_int_equal(rt_journal_create(fx->loop, RING_COUNT, &fx->journal), RT_OK);
    *state = fx;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fx = *state;

    rt_journal_destroy(fx->journal);
    rt_loop_destroy(fx->loop);
    free(fx);
    return 0;
}

static void note(struct fixture *fx, const char *detail)
{
    struct rt_record record = {.kind = RT_REC_NOTE, .actor = "worker-1", .detail = detail};

    rt_journal_append(fx->journal, &record);
}

static void append__all_fields__come_back_with_time_and_number(void **state)
{
    struct fixture *fx = *state;
    char actor[] = "client-1";
    struct rt_record record = {
        .kind = RT_REC_CALL_DONE,
        .actor = actor,
        .subject = "get",
        .key = rt_slice_of("k\0y", 3),
        .id = 7,
        .code = 1001,
        .number = 60000,
        .cause = "lost-reply",
        .detail = "silence",
    };

    assert_int_equal(rt_loop_run(fx->loop, NULL, NULL, 1234), RT_E_IDLE);
    rt_journal_append(fx->journal, &record);
    actor[0] = 'X'; /* texts were copied */
    rt_journal_walk(fx->journal, see, fx);
    assert_int_equal(fx->seen_count, 1);
    assert_int_equal(fx->last.time_us, 1234);
    assert_int_equal(fx->last.kind, RT_REC_CALL_DONE);
    assert_string_equal(fx->last.actor, "client-1");
    assert_string_equal(fx->last.subject, "get");
    assert_true(rt_slice_equal(fx->last.key, rt_slice_of("k\0y", 3)));
    assert_int_equal(fx->last.id, 7);
    assert_int_equal(fx->last.code, 1001);
    assert_int_equal(fx->last.number, 60000);
    assert_string_equal(fx->last.cause, "lost-reply");
    assert_string_equal(fx->last.detail, "silence");
}

static void append__more_than_the_ring_holds__oldest_go_and_are_counted(void **state)
{
    static const char *const DETAILS[] = {"a", "b", "c", "d", "e", "f"};
    struct fixture *fx = *state;

    for (size_t i = 0; i < 6; i++) {
        note(fx, DETAILS[i]);
    }
    assert_int_equal(rt_journal_count(fx->journal), 6);
    assert_int_equal(rt_journal_overwritten(fx->journal), 2);
    assert_int_equal(rt_journal_lost(fx->journal), 0);
    rt_journal_walk(fx->journal, see, fx);
    assert_int_equal(fx->seen_count, RING_COUNT);
    for (size_t i = 0; i < RING_COUNT; i++) {
        assert_string_equal(fx->seen_details[i], DETAILS[i + 2]);
        assert_true(i == 0 || fx->seen_seqs[i] == fx->seen_seqs[i - 1] + 1);
    }
}

static void append__no_journal_or_no_texts__is_harmless(void **state)
{
    struct fixture *fx = *state;
    struct rt_record record = {.kind = RT_REC_NOTE};

    rt_journal_append(NULL, &record);
    rt_journal_append(fx->journal, &record);
    rt_journal_walk(fx->journal, see, fx);
    assert_string_equal(fx->last.actor, "");
    assert_string_equal(fx->last.subject, "");
    assert_string_equal(fx->last.cause, "");
    assert_string_equal(fx->last.detail, "");
    assert_int_equal(fx->last.key.len_bytes, 0);
}

static void append__long_texts__ring_cuts_them_and_sinks_see_all(void **state)
{
    struct fixture *fx = *state;
    char text[LONG_BYTES + 1] = "";
    struct rt_record record = {.kind = RT_REC_NOTE,
                               .actor = text,
                               .subject = text,
                               .key = rt_slice_of(text, LONG_BYTES),
                               .cause = text,
                               .detail = text};
    const char *texts[4];

    memset(text, 'x', LONG_BYTES);
    text[LONG_BYTES] = '\0';
    assert_int_equal(rt_journal_attach(fx->journal, see, fx), RT_OK);
    rt_journal_append(fx->journal, &record);
    assert_string_equal(fx->seen_details[0], text);
    rt_journal_walk(fx->journal, see, fx);
    texts[0] = fx->last.actor;
    texts[1] = fx->last.subject;
    texts[2] = fx->last.cause;
    texts[3] = fx->last.detail;
    for (size_t i = 0; i < 4; i++) {
        size_t len_bytes = strlen(texts[i]);

        assert_true(len_bytes > strlen(ELLIPSIS) && len_bytes < LONG_BYTES);
        assert_string_equal(texts[i] + len_bytes - strlen(ELLIPSIS), ELLIPSIS);
    }
    assert_in_range(fx->last.key.len_bytes, 1, LONG_BYTES);
    assert_memory_equal(fx->last.key.data, text, fx->last.key.len_bytes);
}

static void append__cut_inside_a_character__whole_character_goes(void **state)
{
    struct fixture *fx = *state;
    char text[LONG_BYTES + 2];

    /* Two-byte characters behind one or no letter: one of the two is cut in the middle. */
    for (size_t shift = 0; shift < 2; shift++) {
        struct rt_record record = {.kind = RT_REC_NOTE, .detail = text};
        size_t kept_bytes;

        text[0] = 'x';
        for (size_t at = shift; at < LONG_BYTES; at += 2) {
            memcpy(text + at, "\xc3\xa9", 2);
        }
        text[LONG_BYTES + shift] = '\0';
        rt_journal_append(fx->journal, &record);
        rt_journal_walk(fx->journal, see, fx);
        kept_bytes = strlen(fx->last.detail) - strlen(ELLIPSIS);
        assert_int_equal((kept_bytes - shift) % 2, 0);
    }
}

static void sinks__several__run_in_order_as_records_are_appended(void **state)
{
    struct fixture *fx = *state;

    for (int i = 0; i < 8; i++) {
        assert_int_equal(rt_journal_attach(fx->journal, see, fx), RT_OK);
    }
    assert_int_equal(rt_journal_attach(fx->journal, see, fx), RT_E_LIMIT);
    note(fx, "once");
    assert_int_equal(fx->seen_count, 8);
}

static void ring__of_none__keeps_nothing_and_still_feeds_sinks(void **state)
{
    struct fixture *fx = *state;
    struct rt_journal *journal;
    struct rt_record record = {.kind = RT_REC_NOTE};

    assert_int_equal(rt_journal_create(fx->loop, 0, &journal), RT_OK);
    assert_int_equal(rt_journal_attach(journal, see, fx), RT_OK);
    rt_journal_append(journal, &record);
    assert_int_equal(fx->seen_count, 1);
    rt_journal_walk(journal, see, fx);
    assert_int_equal(fx->seen_count, 1);
    assert_int_equal(rt_journal_overwritten(journal), 1);
    rt_journal_destroy(journal);
}

static void kinds__each__has_a_text_of_its_own(void **state)
{
    (void)state;
    for (int a = 0; a < RT_RECORD_KIND_COUNT; a++) {
        for (int b = 0; b < a; b++) {
            assert_string_not_equal(rt_record_kind_text((enum rt_record_kind)a),
                                    rt_record_kind_text((enum rt_record_kind)b));
        }
    }
    assert_string_equal(rt_record_kind_text(RT_REC_RPC_EATEN), "rpc.eaten");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(append__all_fields__come_back_with_time_and_number),
        CASE(append__more_than_the_ring_holds__oldest_go_and_are_counted),
        CASE(append__no_journal_or_no_texts__is_harmless),
        CASE(append__long_texts__ring_cuts_them_and_sinks_see_all),
        CASE(append__cut_inside_a_character__whole_character_goes),
        CASE(sinks__several__run_in_order_as_records_are_appended),
        CASE(ring__of_none__keeps_nothing_and_still_feeds_sinks),
        CASE(kinds__each__has_a_text_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
